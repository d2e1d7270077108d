// Each limit of the gateway at its edge: allowed at the limit, refused one above, over HTTP and WebSocket alike.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { GraphQLError } from 'graphql';
import { createDocuments } from '#gateway/documents.ts';
import { maxJsonDepth as maxJsonLevels, maxJsonKeys } from '#gateway/json-body.ts';
import { maxNameLength } from '#gateway/limits.ts';
import { schema } from '#gateway/schema.ts';
import { maxJsonDepth } from '#schema/scalars.ts';
import { LimitExceededError } from '#src/platform/errors.ts';
import { cursorOf } from '#src/platform/page.ts';
import { newId } from '#src/platform/ids.ts';
import { testLimits, testServer, type Answer, type TestServer } from '#test/harness/graphql.ts';

let server: TestServer;
before(async () => {
  server = await testServer();
});
after(() => server.close());

type Outcome = Pick<Answer, 'errors' | 'data'>;
const limitOf = ({ errors }: Outcome): unknown => errors?.[0]!.extensions['limit'];
const codes = ({ errors }: Outcome) => errors?.map(({ extensions }) => extensions.code) ?? 'ok';

/** The outcome over HTTP, after checking that a WebSocket gives the same. */
async function both(query: string, variables: Record<string, unknown> = {}): Promise<Outcome> {
  const http = await server.gql(query, variables);
  const socket = await overSocket(query, variables);
  assert.deepEqual(codes(socket), codes(http));
  assert.deepEqual(
    socket.errors?.map(({ message }) => message.replace(/ID: .*/, '')),
    http.errors?.map(({ message }) => message.replace(/ID: .*/, '')),
  );
  return http;
}

async function overSocket(query: string, variables: Record<string, unknown>): Promise<Outcome> {
  try {
    const { value } = await server.subscribe(query, variables).next();
    return value as Outcome;
  } catch (errors) {
    // What graphql-ws sends as an `error` message: the operation never started.
    assert.ok(Array.isArray(errors), String(errors));
    return { data: null, errors: errors as never };
  }
}

/** `testThings { edges { node { self { self … { name } } } } }`, so many fields deep. */
const nested = (depth: number) => `{ testThings { edges { node ${'{ self '.repeat(depth - 4)}{ name }${' }'.repeat(depth - 4)} } } }`;

test('a query may be as deep as the limit, not deeper, and not 50 deep', async () => {
  assert.equal(codes(await both(nested(15))), 'ok');
  const deeper = await both(nested(16));
  assert.deepEqual(codes(deeper), ['LIMIT_EXCEEDED']);
  assert.equal(
    deeper.errors![0]!.message,
    'the document has depth 16; this server allows 15. Nest fields less deeply, or ask in several operations',
  );
  assert.deepEqual(deeper.errors![0]!.extensions['limit'], { name: 'queryDepth', requested: 16, allowed: 15 });
  assert.deepEqual(codes(await both(nested(50))), ['LIMIT_EXCEEDED']);
});

test('depth is counted through fragments, named and inline, and fragments in a circle are an error, not a hang', async () => {
  const through = (inner: string) =>
    `query { testThings { edges { node { ...A } } } } fragment A on TestThing { self { self { self { self { self { ...B } } } } } } fragment B on TestThing { ... on TestThing { ${inner} } }`;
  assert.equal(codes(await both(through('self { self { self { self { self { self { name } } } } } }'))), 'ok');
  assert.deepEqual(codes(await both(through('self { self { self { self { self { self { self { name } } } } } } }'))), ['LIMIT_EXCEEDED']);
  assert.deepEqual(codes(await both('query { testThings { edges { node { ...A } } } } fragment A on TestThing { self { ...A } }')), [
    'GRAPHQL_VALIDATION_FAILED',
  ]);
});

test('a query may have as many aliases as the limit, not 1,000', async () => {
  const aliased = (n: number) => `{ ${Array.from({ length: n }, (_, i) => `a${i}: testEcho`).join(' ')} }`;
  assert.equal(codes(await both(aliased(50))), 'ok');
  assert.deepEqual(codes(await both(aliased(51))), ['LIMIT_EXCEEDED']);
  const thousand = await both(aliased(1_000));
  assert.deepEqual(codes(thousand), ['LIMIT_EXCEEDED']);
  assert.match(thousand.errors![0]!.message, /alias count of 1000; this server allows 50/);
});

test('directives are counted', async () => {
  const directed = (n: number) => `{ ${Array.from({ length: n }, () => '... @include(if: true) { __typename }').join(' ')} }`;
  assert.equal(codes(await both(directed(50))), 'ok');
  assert.deepEqual(limitOf(await both(directed(51))), { name: 'queryDirectives', requested: 51, allowed: 50 });
});

test('operations and fragments are counted, used or not', async () => {
  const defined = (n: number) => Array.from({ length: n - 1 }, (_, i) => `query q${i} { __typename }`).join(' ');
  const named = (n: number) => `query { __typename } ${defined(n)}`;
  assert.deepEqual(codes(await both(named(100))), ['GRAPHQL_VALIDATION_FAILED']); // the anonymous one must be alone
  assert.deepEqual(limitOf(await both(named(101))), { name: 'queryDefinitions', requested: 101, allowed: 100 });
});

test('fields count with fragments spread out, and those of one name in pairs', async () => {
  const limited = await testServer({ limits: { queryFields: 55 } });
  try {
    const run = async (query: string) => limitOf(await limited.gql(query)) ?? 'ok';
    const refused = { name: 'queryFields', allowed: 55 };
    assert.equal(await run(`{ ${'__typename '.repeat(10)} }`), 'ok'); // 10 × 11 / 2
    assert.deepEqual(await run(`{ ${'__typename '.repeat(10)} x: __typename }`), refused);
    const spread = (times: number, more = '') =>
      `{ ${Array.from({ length: times }, (_, i) => `a${i}: testThings { edges { node { ...F } } }`).join(' ')} ${more} }
       fragment F on TestThing { id name self { id name } }`;
    assert.equal(await run(spread(6, '__typename')), 'ok'); // 6 × (3 + 5) + 1
    assert.deepEqual(await run(spread(7)), refused);
    const doubled = (levels: number): string => (levels === 0 ? '{ name }' : `{ self ${doubled(levels - 1)} self ${doubled(levels - 1)} }`);
    const things = (inner: string) => `{ testThings { edges { node ${inner} } } }`;
    assert.equal(await run(things(doubled(2))), 'ok'); // 3 + 3 + 10 + 10
    assert.deepEqual(await run(things(doubled(3))), refused);
    // Fragments in circles have no end; counting has.
    const { errors } = await limited.gql(`query { testThings { edges { node { ...A } } } } fragment A on TestThing { self { ...A } }`);
    assert.equal(errors![0]!.extensions.code, 'LIMIT_EXCEEDED');
  } finally {
    await limited.close();
  }
});

test('names are at most as long as any name of a schema needs', async () => {
  assert.deepEqual(codes(await both(`{ ${'x'.repeat(maxNameLength)} }`)), ['GRAPHQL_VALIDATION_FAILED']);
  assert.deepEqual(limitOf(await both(`{ ${'x'.repeat(maxNameLength + 1)} }`)), {
    name: 'nameLength',
    requested: maxNameLength + 1,
    allowed: maxNameLength,
  });
});

test('a document may have as many tokens as the limit', async () => {
  const document = (tokens: number) => `{ testEcho(value: [${'1 '.repeat(tokens - 9)}]) }`;
  assert.equal(codes(await both(document(5_000))), 'ok');
  const longer = await both(document(5_001));
  assert.deepEqual(codes(longer), ['LIMIT_EXCEEDED']);
  assert.match(longer.errors![0]!.message, /^the document has more tokens than 5000, the most this server allows\./);
  assert.deepEqual(limitOf(longer), { name: 'queryTokens', allowed: 5000 });
});

test('cost counts fields times the sizes of the pages around them, with variables and defaults', async () => {
  const query = 'query ($n: Int) { testThings(first: $n) { edges { node { siblings(first: 100) { edges { node { id name } } } } } } }';
  // list 1 + n × (edge node 1 + siblings 1 + 100 × (node 1 + id 1 + name 1))
  const cost = (n: number) => 1 + n * (1 + 1 + 100 * 3);
  const limited = await testServer({ limits: { queryCost: cost(20) } });
  const run = (n?: number) => limited.gql(query, n === undefined ? {} : { n });
  assert.equal(codes(await run(20)), 'ok');
  assert.equal(codes(await run()), 'ok');
  const refused = await run(21);
  assert.deepEqual(codes(refused), ['LIMIT_EXCEEDED']);
  assert.deepEqual(limitOf(refused), { name: 'queryCost', requested: cost(21), allowed: cost(20) });
  assert.match(refused.errors![0]!.message, new RegExp(`costs ${cost(21)} .* allows ${cost(20)}\\. Ask for fewer fields or smaller pages`));
  // Only the operation that runs counts, and fragments count each time they are spread.
  const two = `query small { __typename } query large { testThings(first: 100) { edges { node { ...A siblings(first: 100) { edges { node { ...A } } } } } } } fragment A on TestThing { id name }`;
  const named = (operationName: string) =>
    fetch(`${limited.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${limited.people.operator.adminKey}` },
      body: JSON.stringify({ query: two, operationName }),
    }).then((response) => response.json() as Promise<Outcome>);
  assert.equal(codes(await named('small')), 'ok');
  assert.deepEqual(codes(await named('large')), ['LIMIT_EXCEEDED']);
  await limited.close();
});

test('the answer says what the operation costs and what it may cost, over HTTP and WebSocket', async () => {
  const expected = { cost: { requested: 1 + 5 * 3, limit: testLimits.queryCost } };
  for (const outcome of [
    await server.gql('{ testThings(first: 5) { edges { node { id name } } } }'),
    await overSocket('{ testThings(first: 5) { edges { node { id name } } } }', {}),
  ]) {
    assert.deepEqual((outcome as { extensions?: unknown }).extensions, expected);
  }
});

test('wrong variables are an error of the request, not of the server', async () => {
  for (const variables of [{ n: 'many' }, { n: 2 ** 40 }, { n: {} }]) {
    assert.deepEqual(codes(await both('query ($n: Int!) { testThings(first: $n) { edges { cursor } } }', variables)), ['BAD_USER_INPUT']);
  }
  assert.deepEqual(codes(await both('query ($n: Int!) { testThings(first: $n) { edges { cursor } } }')), ['BAD_USER_INPUT']);
});

test('a page has 1 to 100 rows; 0, 101 and negative sizes are refused by name', async () => {
  const page = (first: number) => both('query ($first: Int) { testThings(first: $first) { edges { cursor } } }', { first });
  for (const size of [1, 100]) assert.equal(codes(await page(size)), 'ok');
  for (const size of [0, 101, -1, 2_147_483_647]) {
    const { errors } = await page(size);
    assert.equal(errors![0]!.extensions.code, 'VALIDATION_FAILED');
    assert.equal(errors![0]!.message, `first: must be between 1 and 100, got ${size}`);
  }
});

test('a cursor of another list and a malformed one are refused with INVALID_CURSOR', async () => {
  const page = (after: string) => both('query ($after: String) { testThings(after: $after) { edges { cursor } } }', { after });
  assert.equal(codes(await page(cursorOf('things', newId()))), 'ok');
  for (const cursor of [cursorOf('agents', newId()), cursorOf('things', '42'), 'nonsense', '', 'x'.repeat(10_000)]) {
    assert.deepEqual(codes(await page(cursor)), ['INVALID_CURSOR']);
  }
});

test('JSON may be nested as deep as the limit, as variable and as literal', async () => {
  const echo = (value: unknown) => both('query ($value: JSON) { testEcho(value: $value) }', { value });
  const deep = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}1${']'.repeat(depth)}`);
  assert.equal(codes(await echo(deep(maxJsonDepth))), 'ok');
  const refused = await echo(deep(maxJsonDepth + 1));
  assert.deepEqual(codes(refused), ['BAD_USER_INPUT']);
  assert.match(refused.errors![0]!.message, /nested deeper than 64 levels/);
  assert.deepEqual(codes(await both(`{ testEcho(value: ${'['.repeat(65)}1${']'.repeat(65)}) }`)), ['GRAPHQL_VALIDATION_FAILED']);
  // Deeper than this test could even stringify.
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.people.operator.adminKey}` },
    body: `{"query":"query ($value: JSON) { testEcho(value: $value) }","variables":{"value":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}}`,
  });
  assert.deepEqual(codes((await response.json()) as Outcome), ['LIMIT_EXCEEDED']);
});

test('JSON has so many levels and keys at most, whatever it is for', async () => {
  const send = async (variables: string) => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${server.people.operator.adminKey}` },
      body: `{"query":"{ __typename }","variables":${variables}}`,
    });
    return (await response.json()) as Outcome;
  };
  const nested = (depth: number) => `{"x":${'['.repeat(depth - 2)}"[[["${']'.repeat(depth - 2)}}`;
  assert.equal(codes(await send(nested(maxJsonLevels))), 'ok');
  assert.deepEqual(limitOf(await send(nested(maxJsonLevels + 1))), { name: 'jsonDepth', allowed: maxJsonLevels });
  const keyed = (keys: number) => `{${Array.from({ length: keys - 2 }, (_, i) => `"k${i}":"\\":{"`).join(',')}}`;
  assert.equal(codes(await send(keyed(maxJsonKeys))), 'ok');
  assert.deepEqual(limitOf(await send(keyed(maxJsonKeys + 1))), { name: 'jsonKeys', allowed: maxJsonKeys });
});

test('a document that would take long to validate is refused', async () => {
  const { errors } = await both(`{ ${'__typename '.repeat(4_900)}}`);
  assert.equal(
    errors![0]!.message,
    'the document has more fields than 10000, the most this server allows. Ask for fewer fields, and for each field once',
  );
});

test('a literal nested so deep that parsing it would exhaust the stack is refused', async () => {
  for (const depth of [2_000, 100_000]) {
    const query = `{ testEcho(value: ${'['.repeat(depth)}${']'.repeat(depth)}) }`;
    // How much stack is left differs between the two: one may meet its end where the other meets the rule.
    for (const { errors } of [await server.gql(query, {}), await overSocket(query, {})]) {
      const [{ message, extensions }] = errors as [NonNullable<typeof errors>[number]];
      assert.match(message, /nested (deeper than 64 levels|too deeply)|more tokens than 5000/);
      if (message.includes('64 levels')) assert.equal(extensions.code, 'GRAPHQL_VALIDATION_FAILED');
      else if (message.includes('more tokens'))
        assert.deepEqual(extensions, { code: 'LIMIT_EXCEEDED', limit: { name: 'queryTokens', allowed: 5_000 } }); // prettier-ignore
      else assert.deepEqual(extensions, { code: 'LIMIT_EXCEEDED', limit: { name: 'queryDepth', allowed: 15 } });
    }
  }
});

test('what ends inside graphql names a limit, too: the end of the stack, and too many comparisons of fields', () => {
  const limits = { ...testLimits, queryTokens: 1_000_000, queryFields: 10_000_000 };
  const documents = createDocuments({ schema, limits, introspection: true, registered: [], onlyRegistered: false });
  const refused = (query: string) => {
    const [{ originalError }] = documents.prepare({ query }) as [GraphQLError];
    assert.ok(originalError instanceof LimitExceededError);
    return [originalError.message, originalError.limit];
  };
  const [deep, depth] = refused(`{ testEcho(value: ${'['.repeat(100_000)}${']'.repeat(100_000)}) }`);
  assert.deepEqual([deep, depth], ['the document is nested too deeply; send deep values as variables, or ask in several operations', { name: 'queryDepth', allowed: 15 }]); // prettier-ignore
  const [wide, fields] = refused(`{ ${'__typename '.repeat(4_000)}}`);
  assert.deepEqual([wide, fields], ['the document is too complex to validate: too many fields of the same name', { name: 'queryFields', allowed: 10_000_000 }]); // prettier-ignore
});

test('a body at the limit is read; 11 MB are answered 413 with a clear error', async () => {
  const send = async (bytes: number) => {
    const start = '{"query":"{ __typename }","variables":{"x":"';
    const body = `${start}${'x'.repeat(bytes - start.length - 3)}"}}`;
    assert.equal(body.length, bytes);
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${server.people.operator.adminKey}` },
      body,
    });
    return { status: response.status, answer: (await response.json()) as Outcome };
  };
  assert.equal((await send(testLimits.bodyBytes)).status, 200);
  for (const bytes of [testLimits.bodyBytes + 1, 11_000_000, 11 * 1024 * 1024]) {
    const { status, answer } = await send(bytes);
    assert.equal(status, 413);
    assert.deepEqual(codes(answer), ['LIMIT_EXCEEDED']);
    assert.equal(answer.errors![0]!.message, 'the request body is larger than 10485760 bytes');
  }
});

test('a document may be as long as the limit; one character more is refused before it is parsed', async () => {
  const of = (length: number) => `{ testEcho(value: "${'x'.repeat(length - 23)}") }`;
  assert.equal(of(100).length, 100);
  assert.equal(codes(await both(of(testLimits.queryLength))), 'ok');
  const { errors } = await both(of(testLimits.queryLength + 1));
  const limit = { name: 'queryLength', requested: 262_145, allowed: 262_144 };
  assert.deepEqual(errors![0]!.extensions, { code: 'LIMIT_EXCEEDED', limit });
  assert.match(errors![0]!.message, /a length of 262145; this server allows 262144. Send values as variables/);
});

test('an argument that is null where it must not be does not hide the cost of the fields beside it', async () => {
  const things = '{ edges { node { name } } }';
  const query = `query ($ids: [ID!] = []) { nodes(ids: $ids) { id } ${Array.from({ length: 3 }, (_, n) => `t${n}: testThings(first: 100) ${things}`).join(' ')} }`;
  const limited = await testServer({ limits: { queryCost: 100 } });
  try {
    const { data, errors } = await limited.gql(query);
    assert.deepEqual([errors?.[0]!.extensions.code, data], ['LIMIT_EXCEEDED', null]);
    const wrong = await limited.gql(query, { ids: null });
    assert.deepEqual([wrong.errors?.[0]!.extensions, wrong.data], [{ code: 'BAD_USER_INPUT' }, null]);
    assert.match(wrong.errors![0]!.message, /^Argument "ids" of non-null type "\[ID!\]!" must not be null/);
  } finally {
    await limited.close();
  }
});

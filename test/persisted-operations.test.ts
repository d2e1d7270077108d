// Operations by their hash: registered ones, those sent before, and servers that execute registered ones only.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createDocuments, hashOf, type RegisteredOperation } from '#gateway/documents.ts';
import { readManifests } from '#gateway/manifest.ts';
import { schema } from '#gateway/schema.ts';
import { OperatorError } from '#src/platform/errors.ts';
import { testLimits, testServer, type Answer, type TestServer } from '#test/harness/graphql.ts';

const registeredQuery = 'query echo($value: JSON) { testEcho(value: $value) }';
const registered = (source: string): RegisteredOperation => ({ place: 'test', hash: hashOf(source), source });

let server: TestServer;
let strict: TestServer;
let folder: string;
before(async () => {
  const operations = [registered(registeredQuery)];
  server = await testServer({ operations: { registered: operations, onlyRegistered: false } });
  strict = await testServer({ operations: { registered: operations, onlyRegistered: true } });
  folder = await mkdtemp(join(tmpdir(), 'manifests-'));
});
after(async () => {
  await server.close();
  await strict.close();
  await rm(folder, { recursive: true });
});

type Outcome = Pick<Answer, 'errors' | 'data'> & { readonly status?: number };
const codes = ({ errors }: Outcome) => errors?.map(({ extensions }) => extensions.code) ?? 'ok';
const byHash = (sha256Hash: string, version: unknown = 1) => ({ persistedQuery: { version, sha256Hash } });

async function overHttp(to: TestServer, body: object): Promise<Outcome> {
  const response = await fetch(`${to.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${to.people.operator.adminKey}` },
    body: JSON.stringify(body),
  });
  return { status: response.status, ...((await response.json()) as Outcome) };
}

async function overSocket(to: TestServer, payload: { query?: string; [key: string]: unknown }): Promise<Outcome> {
  const results = to.client(to.people.operator.adminKey).iterate({ query: '', ...payload });
  try {
    return (await results.next()).value as Outcome;
  } catch (errors) {
    assert.ok(Array.isArray(errors), String(errors));
    return { data: null, errors: errors as never };
  }
}

/** Both transports give the same; the HTTP status with it. */
async function everywhere(to: TestServer, payload: { query?: string; [key: string]: unknown }): Promise<Outcome> {
  const http = await overHttp(to, payload);
  const socket = await overSocket(to, payload);
  assert.deepEqual([codes(socket), socket.data ?? null], [codes(http), http.data ?? null]);
  return http;
}

test('a registered operation runs by its hash alone, and by its text', async () => {
  for (const to of [server, strict]) {
    const given = { variables: { value: 42 } };
    assert.deepEqual((await everywhere(to, { ...given, extensions: byHash(hashOf(registeredQuery)) })).data, { testEcho: 42 });
    assert.deepEqual((await everywhere(to, { ...given, query: registeredQuery })).data, { testEcho: 42 });
    assert.deepEqual((await everywhere(to, { ...given, query: registeredQuery, extensions: byHash(hashOf(registeredQuery)) })).data, {
      testEcho: 42,
    });
  }
});

test('an unknown hash is answered as clients of the protocol expect, and known once its text was sent', async () => {
  const query = '{ testEcho(value: "sent before") }';
  const extensions = byHash(hashOf(query));
  const unknown = await everywhere(server, { extensions });
  assert.deepEqual(
    [unknown.status, codes(unknown), unknown.errors![0]!.message],
    [200, ['PERSISTED_QUERY_NOT_FOUND'], 'PersistedQueryNotFound'],
  );
  assert.equal(codes(await overHttp(server, { query, extensions })), 'ok');
  assert.deepEqual((await everywhere(server, { extensions })).data, { testEcho: 'sent before' });
});

test('a hash that is not that of the text is refused, and so is what is no hash', async () => {
  const wrong = await everywhere(server, { query: '{ __typename }', extensions: byHash(hashOf('{ other }')) });
  assert.deepEqual([wrong.status, codes(wrong)], [400, ['PERSISTED_QUERY_HASH_MISMATCH']]);
  assert.match(wrong.errors![0]!.message, new RegExp(hashOf('{ __typename }')));
  for (const extensions of [byHash('nonsense'), byHash(hashOf('x').toUpperCase()), byHash(hashOf('x'), 2), { persistedQuery: 'x' }]) {
    assert.deepEqual(codes(await everywhere(server, { extensions })), ['BAD_REQUEST'], JSON.stringify(extensions));
  }
  assert.deepEqual(codes(await everywhere(server, {})), ['BAD_REQUEST']);
});

test('an invalid or refused document is not kept for its hash', async () => {
  for (const query of ['{ nothing }', '{ ', `{ ${'__typename '.repeat(500)} }`]) {
    const extensions = byHash(hashOf(query));
    assert.notEqual(codes(await everywhere(server, { query, extensions })), 'ok');
    assert.deepEqual(codes(await everywhere(server, { extensions })), ['PERSISTED_QUERY_NOT_FOUND']);
  }
});

test('what was parsed is kept up to its bytes; the oldest leave first, registered operations stay', () => {
  const text = (n: number) => `{ a${n}: testEcho(value: "${'x'.repeat(984)}") }`;
  const documents = createDocuments({
    schema,
    limits: { ...testLimits, documentCacheBytes: (500 * 12 + 2 * text(0).length) * 2 }, // it has 12 tokens,
    introspection: true,
    onlyRegistered: false,
    registered: [registered(registeredQuery)],
  });
  const parsed = (source: string) => {
    const prepared = documents.prepare({ query: source });
    assert.ok('document' in prepared);
    return prepared.document;
  };
  const [first, second] = [parsed(text(0)), parsed(text(1))];
  assert.equal(parsed(text(0)), first);
  parsed(text(2));
  assert.equal(documents.find(hashOf(text(0))), first);
  assert.equal(documents.find(hashOf(text(1))), undefined);
  assert.notEqual(parsed(text(1)), second);
  assert.ok(documents.find(hashOf(registeredQuery)));
});

test('a server of registered operations executes nothing else: no text, no hash, no subscription, no introspection', async () => {
  for (const query of [
    '{ testEcho(value: 1) }',
    `${registeredQuery} `,
    '{ __schema { types { name } } }',
    'mutation { a }',
    '{ __typename }',
  ]) {
    const refused = await everywhere(strict, { query });
    assert.deepEqual([refused.status, codes(refused)], [400, ['QUERY_NOT_IN_SAFELIST']], query);
    assert.match(refused.errors![0]!.message, new RegExp(`${hashOf(query)}; ask its operator to register`));
    assert.deepEqual(codes(await everywhere(strict, { query, extensions: byHash(hashOf(query)) })), ['QUERY_NOT_IN_SAFELIST']);
  }
  assert.deepEqual(codes(await everywhere(strict, { extensions: byHash(hashOf('{ never }')) })), ['QUERY_NOT_IN_SAFELIST']);
  assert.deepEqual(codes(await overSocket(strict, { query: 'subscription { testTicks(name: "x") { n } }' })), ['QUERY_NOT_IN_SAFELIST']);
});

test('a manifest in the format of Apollo is read; every problem of all of them is told with its place', async () => {
  const write = async (name: string, content: unknown) => {
    const path = join(folder, name);
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };
  const manifest = { format: 'apollo-persisted-query-manifest', version: 1 };
  const good = await write('good.json', {
    ...manifest,
    operations: [{ id: hashOf(registeredQuery), name: 'echo', type: 'query', body: registeredQuery }],
  });
  assert.deepEqual(
    (await readManifests([good])).map(({ hash, source }) => [hash, source]),
    [[hashOf(registeredQuery), registeredQuery]],
  );
  const bad = await write('bad.json', { format: 'relay', version: 2, operations: [{ id: 'x', body: '{ a }' }, { id: 'y' }, null] });
  const broken = await write('broken.json', '{');
  const absent = join(folder, 'absent.json');
  await assert.rejects(readManifests([bad, broken, absent]), (error: unknown) => {
    assert.ok(error instanceof OperatorError);
    for (const part of [
      `${bad}: format: expected "apollo-persisted-query-manifest", got "relay"`,
      `${bad}: version: expected 1, got 2`,
      `${bad}: operations[0].id: expected the SHA-256 of the body (${hashOf('{ a }')}), got "x"`,
      `${bad}: operations[1].body: expected the text of an operation, got nothing`,
      `${bad}: operations[2].body: expected the text of an operation, got nothing`,
      `${broken}: expected a JSON file (`,
      `${absent}: expected a JSON file (ENOENT`,
    ]) {
      assert.ok(error.message.includes(part), `${part}\n${error.message}`);
    }
    return true;
  });
});

test('registered operations that cannot be served hinder the start, with every problem and its line', () => {
  const start = (...sources: string[]) =>
    createDocuments({
      ...{ schema, limits: testLimits, introspection: false, onlyRegistered: true },
      registered: sources.map((source, index) => ({ place: `m.json: operations[${index}].body`, hash: hashOf(source), source })),
    });
  assert.throws(
    () => start('{ nothing }', registeredQuery, '{\n  testEcho(\n', `{ ${'__typename '.repeat(500)} }`),
    (error: unknown) => {
      assert.ok(error instanceof OperatorError);
      assert.match(error.message, /operations\[0\]\.body \(line 1, column 3\): Cannot query field "nothing" on type "Query"\./);
      assert.match(error.message, /operations\[2\]\.body \(line 3, column 1\): Syntax Error/);
      assert.match(error.message, /operations\[3\]\.body: the document has more fields than 10000/);
      assert.ok(!error.message.includes('operations[1]'));
      return true;
    },
  );
});

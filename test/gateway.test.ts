// The gateway over real HTTP: who may ask, what failures look like, one transaction per operation, health, and leaving.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Script } from 'node:vm';
import { toGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import { probe } from '#test/harness/gateway-fields.ts';
import { testServer, type TestServer } from '#test/harness/graphql.ts';

let server: TestServer;
before(async () => {
  server = await testServer();
});
after(() => server.close());

const rename = (id: string, name: string, as?: Parameters<TestServer['gql']>[2]) =>
  server.gql(
    `mutation ($input: TestRenameInput!) { testRename(input: $input) {
      __typename
      ... on TestRenameSuccess { thing { id name } }
      ... on Error { code message }
      ... on ValidationError { problems { path message expected } }
    } }`,
    { input: { id, name } },
    as,
  );
const project = () => toGlobalId('TestThing', server.people.operator.project);
const codesOf = ({ errors }: { errors: readonly { extensions: { code: string } }[] | undefined }) => errors?.map((e) => e.extensions.code);

test('a request without a credential is answered 401 with the code UNAUTHENTICATED', async () => {
  const answer = await server.gql('{ testThings { edges { node { id } } } }', {}, { as: null });
  assert.equal(answer.status, 401);
  assert.deepEqual(codesOf(answer), ['UNAUTHENTICATED']);
  assert.match(answer.errors![0]!.message, /Authorization: Bearer/);
});

test('a wrong key, another scheme and an empty bearer are answered 401 alike', async () => {
  for (const authorization of ['Bearer sbk_wrong', 'Basic YTpi', 'Bearer ']) {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: '{"query":"{ __typename }"}',
    });
    assert.equal(response.status, 401, authorization);
    assert.equal(response.headers.get('www-authenticate'), 'Bearer');
  }
});

test('a field whose permission the caller holds nowhere is refused with FORBIDDEN, and granted with it', async () => {
  const nobody = await server.people.operator.principal();
  assert.deepEqual(codesOf(await server.gql('{ testThings { edges { node { id } } } }', {}, { as: nobody })), ['FORBIDDEN']);
  const viewer = await server.people.operator.principal([['viewer', 'project', server.people.operator.project]]);
  assert.equal((await server.gql('{ testThings { edges { node { id } } } }', {}, { as: viewer })).errors, undefined);
});

test('expected failures carry their public message and code; private details stay in the log', async () => {
  const answer = await server.gql('{ testThings(first: 1) { edges { node { fails(how: "expected") } } } }');
  assert.deepEqual(codesOf(answer), ['INVALID_STATE']);
  assert.equal(answer.errors![0]!.message, 'this is public');
  assert.ok(!JSON.stringify(answer).includes('private'));
  assert.ok(server.logs.some(({ details }) => JSON.stringify(details) === '{"private":"detail"}'));
});

test('unexpected failures become INTERNAL with a trace id that the log explains, and nothing else', async () => {
  for (const how of ['unexpected', 'sql']) {
    const answer = await server.gql(`{ testThings(first: 1) { edges { node { fails(how: "${how}") } } } }`);
    const [{ message, extensions }] = answer.errors! as [NonNullable<typeof answer.errors>[number]];
    assert.deepEqual(Object.keys(extensions), ['code', 'traceId']);
    assert.equal(extensions.code, 'INTERNAL');
    assert.ok(!/hunter2|nowhere/.test(JSON.stringify(answer)));
    assert.ok(message.includes(extensions['traceId'] as string));
    const logged = server.logs.find(({ traceId }) => traceId === extensions['traceId']);
    assert.match(JSON.stringify(logged), /hunter2|nowhere/);
  }
});

test('a lost database connection is UNAVAILABLE, which tells clients to try again, and the next operation gets a new one', async () => {
  const query = (how: string) => `{ testThings(first: 1) { edges { node { fails(how: "${how}") } } } }`;
  assert.deepEqual(codesOf(await server.gql(query('lost'))), ['UNAVAILABLE']);
  assert.deepEqual(codesOf(await server.gql(query('expected'))), ['INVALID_STATE']);
});

test('a mutation answers with its success or with each expected failure as a member of its result', async () => {
  assert.deepEqual((await rename(project(), 'renamed')).data!['testRename'], {
    __typename: 'TestRenameSuccess',
    thing: { id: project(), name: 'renamed' },
  });
  assert.equal((await rename(project(), 'taken')).data!['testRename'].__typename, 'ConflictError');
  assert.deepEqual((await rename(project(), 'wrong')).data!['testRename'], {
    __typename: 'ValidationError',
    code: 'VALIDATION_FAILED',
    message: 'name: is wrong',
    problems: [{ path: 'name', message: 'is wrong', expected: 'a right one' }],
  });
  assert.equal((await rename(toGlobalId('TestThing', newId()), 'x')).data!['testRename'].__typename, 'NotFoundError');
  const viewer = await server.people.operator.principal([['viewer', 'tenant', server.people.operator.tenantId]]);
  const refused = (await rename(project(), 'x', { as: viewer })).data!['testRename'];
  assert.deepEqual([refused.__typename, refused.message.includes('project.manage')], ['ForbiddenError', true]);
});

test('what a failed mutation wrote is rolled back', async () => {
  await rename(project(), 'before');
  for (const name of ['taken', 'wrong', 'broken']) await rename(project(), name);
  const { data } = await server.gql('query ($id: ID!) { node(id: $id) { ... on TestThing { name } } }', { id: project() });
  assert.equal(data!['node'].name, 'before');
});

test('after a write the same operation reads what was written', async () => {
  const query = (name: string) =>
    `testRename(input: { id: "${project()}", name: "${name}" }) { ... on TestRenameSuccess { thing { name self { name } } } }`;
  const { data } = await server.gql(`mutation { a: ${query('first')} b: ${query('second')} }`);
  assert.deepEqual(data, {
    a: { thing: { name: 'first', self: { name: 'first' } } },
    b: { thing: { name: 'second', self: { name: 'second' } } },
  });
});

test('ids of the wrong type, malformed ids and ids of no type are refused by argument, value and what was expected', async () => {
  const problems = async (id: string) => (await rename(id, 'x')).data!['testRename'].problems;
  const agent = toGlobalId('Agent', newId());
  assert.deepEqual(await problems(agent), [
    {
      path: 'id',
      message: `"${agent}" is a global id of type Agent; expected a global id of type TestThing`,
      expected: 'a global id of type TestThing',
    },
  ]);
  for (const malformed of ['', '42', newId(), Buffer.from('TestThing:42').toString('base64'), `${project()}=`, 'x'.repeat(10_000)]) {
    const [{ path, message }] = await problems(malformed);
    assert.equal(path, 'id');
    assert.match(message, /is not a global id of this API; expected a global id of type TestThing/);
    assert.ok(message.length < 300);
  }
  const answer = await server.gql('{ node(id: "42") { id } }');
  assert.deepEqual(answer.errors![0]!.extensions['problems'], [
    { path: 'id', message: '"42" is not a global id of this API; expected a global id', expected: 'a global id' },
  ]);
});

test('node gives null for what is absent, foreign or of an unknown type; nodes keeps the order', async () => {
  const ids = [
    toGlobalId('TestThing', newId()),
    project(),
    toGlobalId('TestThing', server.people.other.project),
    toGlobalId('Nothing', newId()),
    toGlobalId('Query', newId()),
  ];
  const { data, errors } = await server.gql('query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }', { ids });
  assert.equal(errors, undefined);
  assert.deepEqual(data!['nodes'], [null, { __typename: 'TestThing', id: project() }, null, null, null]);
  const many = await server.gql('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: Array(101).fill(project()) });
  assert.deepEqual(codesOf(many), ['VALIDATION_FAILED']);
});

test('the loaders of one level run as one statement, whatever the number of rows', async () => {
  const query = '{ testThings { edges { node { self { self { name } } } } } }';
  probe.loads.length = 0;
  const { statements, result } = await server.countStatements(() => server.gql(query));
  assert.equal(result.data!['testThings'].edges.length, 2);
  assert.equal(statements.length, 2); // the list, and all things at once
  assert.equal(probe.loads.length, 1);
});

test('an operation that reads holds one connection and gives it back, also when it fails', async () => {
  const busy = async () => {
    const rows = await server.database.orm.em
      .getConnection()
      .execute<{ n: number }[]>(
        `select count(*)::int as n from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`,
      );
    return rows[0]!.n;
  };
  // More at once than the pool has connections: none may wait for a second one while it holds a first.
  const all = await Promise.all(
    Array.from({ length: 60 }, (_, i) =>
      i % 3 === 0
        ? rename(project(), 'x')
        : server.gql(
            `{ testThings { edges { node { siblings { edges { node { name } } } ${i % 3 === 1 ? 'fails(how: "sql")' : ''} } } } }`,
          ),
    ),
  );
  assert.ok(all.every(({ status }) => status === 200));
  assert.equal(await busy(), 0);
});

test('moments are read with any zone and written in UTC; what is no moment is refused', async () => {
  const echo = (at: string) => server.gql('query ($at: DateTime) { testEcho(at: $at) }', { at });
  assert.equal((await echo('2026-01-31T10:30:00+01:00')).data!['testEcho'], '2026-01-31T09:30:00.000Z');
  for (const wrong of ['2026-01-31', 'yesterday', '2026-02-30T25:00:00Z', '2026-01-31T10:30:00']) {
    const answer = await echo(wrong);
    assert.deepEqual(codesOf(answer), ['BAD_USER_INPUT']);
    assert.match(answer.errors![0]!.message, /expected ISO 8601 with a zone/);
  }
});

test('GET, other content types, broken JSON and unknown paths are refused clearly', async () => {
  const authorization = `Bearer ${server.people.operator.adminKey}`;
  const send = async (path: string, init: RequestInit) => {
    const response = await fetch(`${server.url}${path}`, { ...init, headers: { authorization, ...init.headers } });
    return { status: response.status, body: (await response.json()) as { errors: { message: string; extensions: { code: string } }[] } };
  };
  const json = { 'content-type': 'application/json' };
  const get = await send('/graphql?query={__typename}', {});
  assert.deepEqual([get.status, get.body.errors[0]!.extensions.code], [405, 'BAD_REQUEST']);
  assert.equal((await send('/graphql', { method: 'POST', body: '{ __typename }', headers: { 'content-type': 'text/plain' } })).status, 415);
  assert.equal((await send('/graphql', { method: 'POST', body: '{', headers: json })).status, 400);
  assert.equal((await send('/graphql', { method: 'POST', body: '[{"query":"{ __typename }"}]', headers: json })).status, 400);
  assert.equal((await send('/graphql', { method: 'POST', body: '{"query":"{ __typename }","variables":[]}', headers: json })).status, 400);
  assert.equal((await send('/nowhere', {})).status, 404);
});

test('a browser of a foreign origin is not let in, one of an allowed origin is', async () => {
  const allowed = await testServer({ allowedOrigins: ['https://console.example.com'] });
  const preflight = async (origin: string) => {
    const response = await fetch(`${allowed.url}/graphql`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' },
    });
    return response.headers.get('access-control-allow-origin');
  };
  assert.equal(await preflight('https://console.example.com'), 'https://console.example.com');
  assert.equal(await preflight('https://evil.example.com'), null);
  await allowed.close();
});

test('production has no introspection, no suggestions and no GraphiQL; development has all three', async () => {
  const production = await testServer({ isProduction: true });
  const introspect = '{ __schema { types { name } } }';
  const refused = await production.gql(introspect);
  assert.deepEqual(codesOf(refused), ['GRAPHQL_VALIDATION_FAILED']);
  assert.match(refused.errors![0]!.message, /its operator can allow it \(operations\.introspection\)/);
  const overSocket = production.client(production.people.operator.adminKey).iterate({ query: introspect }).next();
  await assert.rejects(overSocket, (errors: { message: string }[]) => errors[0]!.message === refused.errors![0]!.message);
  assert.ok(!/Did you mean/.test(JSON.stringify(await production.gql('{ testThing { id } }'))));
  assert.equal((await fetch(`${production.url}/`)).status, 404);
  await production.close();

  assert.ok((await server.gql(introspect)).data!['__schema'].types.length > 10);
  assert.match(JSON.stringify(await server.gql('{ testThing { id } }')), /Did you mean/);
  const page = await fetch(`${server.url}/`);
  const html = await page.text();
  assert.match(page.headers.get('content-type')!, /text\/html/);
  assert.ok(html.includes('connectionParams: () => ({ authorization: signalbox.authorization })'));
  for (const [, script] of html.matchAll(/<script>([\s\S]*?)<\/script>/g)) assert.doesNotThrow(() => new Script(script!));
  assert.ok(!/(src|href)="https?:/.test(html.slice(0, 5_000)), 'loads nothing from elsewhere');
});

test('healthz answers while the process lives; readyz names each dependency, and is refused only without those that are required', async () => {
  let isUp = true;
  let isExtraUp = true;
  const healthy = await testServer({
    dependencies: {
      async disk() {
        if (!isUp) throw new Error('down');
      },
    },
    optionalDependencies: {
      async redis() {
        if (!isExtraUp) throw new Error('down');
      },
    },
  });
  const ask = async (path: string) => {
    const response = await fetch(`${healthy.url}${path}`);
    return [response.status, await response.json()];
  };
  assert.deepEqual(await ask('/healthz'), [200, { status: 'ok' }]);
  const states = (disk: string, redis: string) => ({ database: 'ok', disk, redis });
  assert.deepEqual(await ask('/readyz'), [200, { status: 'ready', dependencies: states('ok', 'ok') }]);
  isExtraUp = false;
  assert.deepEqual(await ask('/readyz'), [200, { status: 'ready', dependencies: states('ok', 'unavailable') }]);
  isUp = false;
  assert.deepEqual(await ask('/readyz'), [503, { status: 'unavailable', dependencies: states('unavailable', 'unavailable') }]);
  assert.deepEqual(await ask('/healthz'), [200, { status: 'ok' }]);
  await healthy.close();
});

test('close lets a request that is under way finish', async () => {
  const leaving = await testServer();
  const answers = Promise.all(
    Array.from({ length: 5 }, () => leaving.gql('{ testThings { edges { node { siblings { edges { node { name } } } } } } }')),
  );
  await leaving.gql('{ testThings { edges { node { id } } } }');
  await leaving.gateway.close('the test leaves');
  assert.ok((await answers).every(({ errors, data }) => !errors && data));
  await assert.rejects(leaving.gql('{ __typename }'));
  await leaving.close();
});

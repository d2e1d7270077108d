// Subscriptions through the gateway: fresh rights and fresh data for every batch, and an end with a reason when rights are lost.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toGlobalId } from '#schema/ids.ts';
import { CursorExpiredError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { probe } from '#test/harness/gateway-fields.ts';
import { testServer, type Caller, type TestServer } from '#test/harness/graphql.ts';

let server: TestServer;
before(async () => {
  server = await testServer({ recheckMs: 10 });
});
after(() => server.close());

const source = async (name: string) => {
  for (let turn = 0; !probe.sources.has(name); turn++) {
    if (turn > 100_000) throw new Error(`nobody subscribed to ${name}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return probe.sources.get(name)!;
};
const stopped = async (name: string) => {
  const { isStopped } = await source(name);
  for (let turn = 0; !isStopped(); turn++) {
    if (turn > 100_000) throw new Error(`${name} was not stopped`);
    await new Promise((resolve) => setImmediate(resolve));
  }
};

/** Subscribes and returns the source that feeds it, once it has been asked for. */
async function watch(as: Caller, { project, fields = 'n' }: { project?: string; fields?: string } = {}) {
  const name = newId();
  const query = `subscription ($name: String!, $project: String) { testTicks(name: $name, project: $project) { ${fields} } }`;
  const results = server.subscribe(query, { name, project }, { as });
  let pending = results.next();
  pending.catch(() => undefined);
  const feed = await source(name);
  return {
    name,
    feed,
    results,
    /** The next result, asked for in advance as a client does. */
    async next() {
      const { value, done } = await pending;
      if (!done) {
        pending = results.next();
        pending.catch(() => undefined);
      }
      return (done ? 'end' : value) as
        { data?: Record<string, any>; errors?: { message: string; extensions: Record<string, any> }[] } | 'end';
    },
  };
}
type Watched = Awaited<ReturnType<typeof watch>>;

async function ends(watched: Watched, code: string): Promise<string> {
  const result = await watched.next();
  assert.ok(result !== 'end' && result.errors, JSON.stringify(result));
  assert.equal(result.errors[0]!.extensions['code'], code);
  assert.equal(await watched.next(), 'end');
  await stopped(watched.name);
  return result.errors[0]!.message;
}

const data = async (watched: Watched) => {
  const result = await watched.next();
  assert.ok(result !== 'end' && result.data, JSON.stringify(result));
  return result.data['testTicks'];
};

const people = () => server.people.operator;
const grantIds = ({ principalId }: Authority) =>
  people().read((uow) => uow.rows<{ id: string }>('select id from role_grants where principal_id = $1', [principalId]));
async function revoke(authority: Authority): Promise<void> {
  for (const { id } of await grantIds(authority)) {
    await people().write((uow) => server.people.grants.revokeRole(uow, people().admin, { grantId: id }));
  }
}

test('a subscription without the permission is refused at the start; one of a foreign project is not found', async () => {
  const first = async (as: Caller, project?: string) => {
    const query = `subscription { testTicks(name: "never", project: ${project ? `"${project}"` : 'null'}) { n } }`;
    const { value } = await server.subscribe(query, {}, { as }).next();
    return (value as unknown as { errors: { extensions: { code: string } }[] }).errors[0]!.extensions.code;
  };
  const nobody = await people().principal();
  const viewer = await people().principal([['viewer', 'project', people().project]]);
  assert.equal(await first(nobody), 'FORBIDDEN');
  assert.equal(await first(viewer, people().otherProject), 'NOT_FOUND');
  assert.equal(await first(viewer, server.people.other.project), 'NOT_FOUND');
  assert.equal(await first(viewer, newId()), 'NOT_FOUND');
  assert.ok(!probe.sources.has('never'));
});

test('every batch is resolved afresh: new rows, new rights', async () => {
  const viewer = await people().principal([['viewer', 'tenant', people().tenantId]]);
  const watched = await watch(viewer, { fields: 'n who things(first: 1) { edges { node { name self { name } } } }' });
  const rename = (name: string) =>
    server.gql('mutation ($input: TestRenameInput!) { testRename(input: $input) { __typename } }', {
      input: { id: toGlobalId('TestThing', people().otherProject), name },
    });
  for (const name of ['monday', 'tuesday']) {
    await rename(name);
    watched.feed.push(1);
    assert.deepEqual(await data(watched), { n: 1, who: 'viewer', things: { edges: [{ node: { name, self: { name } } }] } });
  }
  await people().write((uow) =>
    server.people.grants.grantRole(uow, people().admin, {
      role: 'operator',
      scopeKind: 'project',
      scopeId: people().project,
      principalId: viewer.principalId,
    }),
  );
  watched.feed.push(2);
  assert.deepEqual((await data(watched)).who.split(',').sort(), ['operator', 'viewer']);
  await watched.results.return!();
  await stopped(watched.name);
});

test('two subscriptions of one document are told each its own', async () => {
  const names = { one: newId(), two: newId() };
  const query = `subscription one { testTicks(name: "${names.one}") { n } } subscription two { testTicks(name: "${names.two}") { cursor } }`;
  const client = server.client(people().adminKey);
  const results = Object.keys(names).map((operationName) => client.iterate({ query, operationName }));
  const first = results.map((each) => each.next());
  for (const name of Object.values(names)) (await source(name)).push(7);
  const told = (await Promise.all(first)).map(({ value }) => value!.data);
  assert.deepEqual(told, [{ testTicks: { n: 7 } }, { testTicks: { cursor: '1' } }]);
  for (const each of results) await each.return!();
  for (const name of Object.values(names)) await stopped(name);
});

test('batches arrive in order, each once', async () => {
  const watched = await watch(people().adminKey);
  for (let n = 0; n < 200; n++) watched.feed.push(n);
  for (let n = 0; n < 200; n++) assert.equal((await data(watched)).n, n);
  watched.feed.end();
  assert.equal(await watched.next(), 'end');
});

test('when the permission is lost, the very next batch is withheld and the stream ends with FORBIDDEN', async () => {
  const quiet = await testServer({ recheckMs: 3_600_000 });
  const { operator } = quiet.people;
  const viewer = await operator.principal([['viewer', 'tenant', operator.tenantId]]);
  const name = newId();
  const results = quiet.subscribe(`subscription { testTicks(name: "${name}") { n } }`, {}, { as: viewer });
  const first = results.next();
  const feed = await source(name);
  feed.push(1);
  assert.deepEqual((await first).value.data, { testTicks: { n: 1 } });
  await operator.write((uow) => uow.rows('delete from role_grants where principal_id = $1', [viewer.principalId]));
  feed.push(2);
  const { value } = await results.next();
  assert.equal(value.errors![0]!.extensions.code, 'FORBIDDEN');
  assert.equal(value.data ?? null, null);
  assert.equal((await results.next()).done, true);
  await quiet.close();
});

test('when the permission is lost while the stream is quiet, it ends with FORBIDDEN', async () => {
  const viewer = await people().principal([['viewer', 'tenant', people().tenantId]]);
  const watched = await watch(viewer);
  await revoke(viewer);
  assert.match(await ends(watched, 'FORBIDDEN'), /project\.read/);
});

test('when only the place is lost, the stream of that place ends with NOT_FOUND and others go on', async () => {
  const viewer = await people().principal([['viewer', 'project', people().project]]);
  const [lost] = await grantIds(viewer);
  const watched = await watch(viewer, { project: people().project });
  const other = await watch(viewer);
  await people().write((uow) =>
    server.people.grants.grantRole(uow, people().admin, {
      role: 'viewer',
      scopeKind: 'project',
      scopeId: people().otherProject,
      principalId: viewer.principalId,
    }),
  );
  await people().write((uow) => server.people.grants.revokeRole(uow, people().admin, { grantId: lost!.id }));
  await ends(watched, 'NOT_FOUND');
  other.feed.push(7);
  assert.equal((await data(other)).n, 7);
  await other.results.return!();
});

test('when the key is revoked, its streams end with UNAUTHENTICATED', async () => {
  const key = await people().write((uow) => server.people.apiKeys.createApiKey(uow, people().admin, { name: newId(), roles: ['viewer'] }));
  const [one, two] = [await watch(key.token), await watch(key.token)];
  await people().write((uow) => server.people.apiKeys.revokeApiKey(uow, people().admin, { apiKeyId: key.apiKey.id }));
  for (const watched of [one, two]) {
    const result = await watched.next();
    assert.ok(result !== 'end');
    assert.equal(result.errors![0]!.extensions['code'], 'UNAUTHENTICATED');
    await stopped(watched.name);
  }
});

test('a source that fails ends the stream: expectedly with its code, unexpectedly with INTERNAL', async () => {
  const expected = await watch(people().adminKey);
  expected.feed.fail(new CursorExpiredError('start again'));
  assert.equal(await ends(expected, 'CURSOR_EXPIRED'), 'start again');
  const unexpected = await watch(people().adminKey);
  unexpected.feed.fail(new Error('the password is hunter2'));
  assert.ok(!(await ends(unexpected, 'INTERNAL')).includes('hunter2'));
});

test('a client that leaves a quiet stream is let go at once, and nothing stays behind', async () => {
  const watched = await watch(people().adminKey, { fields: 'n things { edges { node { name } } }' });
  watched.feed.push(1);
  await data(watched);
  await watched.results.return!();
  await stopped(watched.name);
  const rows = await server.database.orm.em
    .getConnection()
    .execute<{ n: number }[]>(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`,
    );
  assert.equal(rows[0]!.n, 0);
});

// Rows kept between requests: what is kept, for whom, and that no request is given an old one after the change was acknowledged, whatever
// was being read meanwhile; in other processes through Redis at once, and without it within a second.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { createRowCache, type RowCache } from '#src/cache/row-cache.ts';
import { newId } from '#src/platform/ids.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { createLogger } from '#src/platform/logger.ts';
import { createPubSub, type PubSub } from '#src/platform/redis.ts';
import type { Authority } from '#src/authority/permission.ts';
import { toGlobalId } from '#schema/ids.ts';
import { eventually } from './harness/eventually.ts';
import { testServer, type TestServer } from './harness/graphql.ts';
import type { Home } from './harness/people.ts';
import { startRedis, type RedisServer } from './harness/redis.ts';

let server: TestServer;
let home: Home;
let redis: RedisServer;
before(async () => {
  [server, redis] = await Promise.all([testServer({ keepsRows: true }), startRedis()]);
  home = server.people.operator;
});
after(() => Promise.all([server.close(), redis.close()]));
const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

interface Named {
  readonly id: string;
  readonly name: string;
}

/** A process of its own. `read` gives the project as Postgres has it; `reads` counts what was not kept. */
function processOf(pubSub?: PubSub) {
  const rows = createRowCache({ pubSub });
  opened.push(rows);
  let reads = 0;
  const read = (uow: UnitOfWork) => async (ids: readonly string[]) => {
    reads++;
    const found = await uow.rows<Named>('select id, name from projects where tenant_id = $1 and id = any($2::uuid[])', [uow.tenantId, ids]);
    return { rows: found, startedAt: uow.startedAt };
  };
  const load = (uow: UnitOfWork, id: string, actor: Authority = home.admin) =>
    rows.load<Named>('Project', actor, [id], read(uow)).then(([row]) => row?.name);
  return {
    rows,
    load,
    name: (id: string, actor?: Authority) => home.read((uow) => load(uow, id, actor)),
    reads: () => reads,
  };
}

async function project(name = `p-${newId()}`): Promise<string> {
  const { id } = await home.write((uow) => server.services.tenants.createProject(uow, home.admin, { name, description: '' }));
  return id;
}
const rename = (rows: RowCache, id: string, name: string) =>
  home.write(async (uow) => {
    rows.changed(uow, 'Project', id);
    await uow.rows('update projects set name = $3 where tenant_id = $1 and id = $2', [uow.tenantId, id, name]);
  });

test('over the API: kept rows cost no statement, and each change is seen by the request after it', async () => {
  const { admin, adminKey, staging } = home;
  assert.ok(admin);
  const id = toGlobalId('Environment', staging);
  const query = 'query ($id: ID!) { node(id: $id) { ... on Environment { name project { name } } } }';
  const read = async () => ((await server.gql(query, { id }, { as: adminKey })).data as any).node;
  // Once it comes within a second of the one before.
  await eventually(async () => (await server.countStatements(read)).statements.length === 0);
  const update = `mutation ($input: UpdateEnvironmentInput!) { updateEnvironment(input: $input) { ... on UpdateEnvironmentSuccess { environment { name } } } }`;
  const { name: original } = await read();
  for (let count = 0; count < 20; count++) {
    const readers = Array.from({ length: 4 }, read); // under way while it changes
    const { data } = await server.gql(update, { input: { environmentId: id, name: `env-${count}` } }, { as: adminKey });
    assert.equal((data as any).updateEnvironment.environment.name, `env-${count}`, 'who wrote reads what was written');
    assert.equal((await read()).name, `env-${count}`);
    await Promise.all(readers);
    assert.equal((await read()).name, `env-${count}`);
  }
  await server.gql(update, { input: { environmentId: id, name: original } }, { as: adminKey });
});

test('over the API: every mutation that changes or removes a kept row is seen by the next request', async () => {
  const { tenants } = server.services;
  const projectId = await project();
  const { id: environmentId } = await home.write((uow) =>
    tenants.createEnvironment(uow, home.admin, { projectId, name: 'first', kind: 'staging' }),
  );
  const ids = { Project: toGlobalId('Project', projectId), Environment: toGlobalId('Environment', environmentId) };
  const ask = async (document: string, variables: Record<string, unknown>) =>
    (await server.gql(document, variables, { as: home.adminKey })).data as any;
  const name = async (kind: keyof typeof ids) =>
    (await ask(`query ($id: ID!) { node(id: $id) { ... on ${kind} { name } } }`, { id: ids[kind] })).node?.name ?? null;
  for (const [mutation, kind, change] of [
    ['updateProject', 'Project', { name: 'second-project' }],
    ['updateEnvironment', 'Environment', { name: 'second' }],
    ['deleteEnvironment', 'Environment', {}],
    ['deleteProject', 'Project', {}],
  ] as const) {
    // Kept now.
    await eventually(async () => (await server.countStatements(() => name(kind))).statements.length === 0);
    const type = mutation[0]!.toUpperCase() + mutation.slice(1);
    const input = { [`${kind.toLowerCase()}Id`]: ids[kind], ...change };
    const answer = await ask(`mutation ($input: ${type}Input!) { ${mutation}(input: $input) { __typename } }`, { input });
    assert.equal(answer[mutation].__typename, `${type}Success`);
    assert.equal(await name(kind), 'name' in change ? change.name : null, mutation);
  }
});

test('a read that began before a change is not kept, however late it comes', async () => {
  const [here, id] = [processOf(), await project('before')];
  const [snapshot, changed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const old = home.read(async (uow) => {
    await uow.rows('select 1');
    snapshot.resolve();
    await changed.promise;
    return here.load(uow, id);
  });
  await snapshot.promise;
  await rename(here.rows, id, 'after');
  changed.resolve();
  assert.equal(await old, 'before', 'its transaction sees the database as it was');
  assert.equal(await here.name(id), 'after');
  // The row was read, and is about to be kept, when the change comes.
  const [found, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const other = await project('first');
  const reading = home.read((uow) =>
    here.rows.load<Named>('Project', home.admin, [other], async () => {
      const rows = await uow.rows<Named>('select id, name from projects where id = $1', [other]);
      found.resolve();
      await go.promise;
      return { rows, startedAt: uow.startedAt };
    }),
  );
  await found.promise;
  await rename(here.rows, other, 'second');
  go.resolve();
  await reading;
  assert.equal(await here.name(other), 'second');
});

test('a change that is rolled back drops nothing; one that is committed drops that row alone', async () => {
  const [here, id, other] = [processOf(), await project(), await project()];
  const [name] = [await here.name(id), await here.name(other)];
  const failing = home.write(async (uow) => {
    here.rows.changed(uow, 'Project', id);
    throw new Error('no');
  });
  await assert.rejects(failing, /no/);
  assert.deepEqual([await here.name(id), here.reads()], [name, 2]);
  await rename(here.rows, id, 'new');
  assert.deepEqual([await here.name(id), await here.name(other), here.reads()], ['new', await here.name(other), 3]);
});

test('rights are looked at on every read: who does not see all, and other tenants, are given nothing that is kept', async () => {
  const [here, id] = [processOf(), await project()];
  await here.name(id);
  const narrow: Authority = { ...home.admin, grants: [{ role: 'admin', kind: 'project', scopeId: newId() }] };
  const service: Authority = { ...home.admin, grants: [] };
  for (const actor of [narrow, service, server.people.other.admin]) {
    let asked: readonly string[] = [];
    const rows = await here.rows.load<Named>('Project', actor, [id], async (ids) => {
      asked = ids;
      return { rows: [], startedAt: performance.now() };
    });
    assert.deepEqual([rows, asked], [[], [id]]);
  }
  // Nor is what they read kept for others; nor kinds that are not listed.
  const fresh = newId();
  const row = { id: fresh, name: 'secret' };
  for (const [kind, actor] of [
    ['Project', narrow],
    ['Principal', home.admin],
  ] as const)
    // prettier-ignore
    await here.rows.load<Named>(kind, actor, [fresh], async () => ({ rows: [row], startedAt: performance.now() }));
  assert.equal(await here.name(fresh), undefined);
});

test('without Redis another process gives the old row for less than a second from when it was read; what never changes it keeps', async (context) => {
  const [here, there, id] = [processOf(), processOf(), await project()];
  const now = performance.now();
  const changed = `new-${id}`;
  const old = await there.name(id);
  const version = newId();
  const versions = (rows: readonly Named[]) =>
    there.rows.load<Named>('AgentVersion', home.admin, [version], async () => ({ rows, startedAt: performance.now() }));
  await versions([{ id: version, name: '1.0.0' }]);
  await rename(here.rows, id, changed);
  context.mock.method(performance, 'now', () => now + 890);
  assert.equal(await there.name(id), old);
  context.mock.method(performance, 'now', () => now + 999);
  assert.equal(await there.name(id), changed);
  context.mock.method(performance, 'now', () => now + 300_000);
  assert.equal((await versions([]))[0]?.name, '1.0.0');
});

test('with Redis other processes hear of the change; messages that make no sense drop nothing', async (context) => {
  const logger = createLogger({ level: 'silent' });
  const open = () => createPubSub({ url: redis.url, namespace: 'rows', logger, beatMs: 25 });
  const [one, other] = [open(), open()];
  const [here, there, id] = [processOf(one), processOf(other), await project()];
  opened.push(one, other);
  await eventually(() => one.isHeard && other.isHeard);
  const now = performance.now();
  const changed = `new-${id}`;
  const old = await there.name(id);
  // Time stands still: nothing becomes too old by itself.
  context.mock.method(performance, 'now', () => now);
  for (const message of [
    null,
    17,
    'x',
    [],
    {},
    { kind: 'Project' },
    { kind: 'constructor', tenantId: home.tenantId, id },
    { kind: 'Project', tenantId: 'x', id },
  ])
    one.publish('rows', () => message as object);
  one.publish('rows', () => ({ kind: 'Project', tenantId: newId(), id }));
  const marker: unknown[] = [];
  other.subscribe('marker', (message) => marker.push(message));
  await eventually(() => {
    one.publish('marker', () => ({}));
    return marker.length > 0;
  });
  assert.deepEqual([await there.name(id), there.reads()], [old, 1]);
  await rename(here.rows, id, changed);
  context.mock.restoreAll();
  const limit = performance.now;
  context.mock.method(performance, 'now', () => Math.min(limit.call(performance), now + 800));
  await eventually(async () => (await there.name(id)) === changed);
});

// Executions as a list watches them: those that change and match, as they are then, for those who may see them.
import assert from 'node:assert/strict';
import { after, afterEach, before, mock, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { StartExecution } from '#src/executions/start-request.ts';
import { newId } from '#src/platform/ids.ts';
import { ids, testApi, type Api } from './harness/api.ts';
import type { Caller } from './harness/graphql.ts';

// No runner: executions stay queued until the test cancels them.
let api: Api;
let agentId: string;
before(async () => {
  api = await testApi();
  agentId = await api.agent([{ id: 'a', transform: '1' }], { environments: [api.home.staging, api.home.production] });
});
after(() => api.close());
/** Ended after each test, so that one that fails does not hold up the next. */
const watched: AsyncIterator<unknown>[] = [];
afterEach(async () => {
  for (const results of watched.splice(0)) await results.return!();
  while (api.services.feed.size > 0) await turn();
});

const subscription = `subscription ($filter: ExecutionFilter) { executionChanged(filter: $filter) { executions { id status } } }`;

interface Failure {
  readonly message: string;
  readonly extensions: { readonly code: string };
}

/** Watches in the background; `opened` resolves once every later change counts. */
function watch(filter: object | null = null, as: Caller = api.home.adminKey) {
  const seen: { id: string; status: string }[] = [];
  let error: Failure | null = null;
  let told = Promise.withResolvers<void>();
  const looked = mock.method(api.services.events, 'currentPosition');
  const results = api.subscribe(subscription, { filter }, { as });
  watched.push(results);
  const done = (async () => {
    for await (const { data, errors } of results) {
      error ??= errors?.[0] ?? null;
      seen.push(...((data?.['executionChanged']?.executions as typeof seen) ?? []));
      told.resolve();
      told = Promise.withResolvers();
    }
  })();
  const watching = {
    seen,
    ids: () => [...new Set(seen.map(({ id }) => id))],
    error: async () => (await done, error),
    async opened() {
      while (looked.mock.callCount() === 0) await turn();
      await looked.mock.calls[0]!.result;
      looked.mock.restore();
      return watching;
    },
    async until(holds: () => boolean) {
      while (!holds()) {
        const ended = await Promise.race([told.promise, done.then(() => true)]);
        if (ended && !holds()) throw new Error(`the stream ended: ${JSON.stringify(error)}`);
      }
    },
    async leave() {
      await results.return!();
      await done;
    },
  };
  return watching;
}

const start = async (input: Partial<StartExecution> = {}, of = agentId) => ids.execution((await api.start(of, input)).id);
const cancel = (id: string) => api.typed(api.operator).cancelExecution({ input: { executionId: id } });

test('an execution is told of when it starts and when it changes, as it is then', async () => {
  const watching = await watch().opened();
  const id = await start();
  await watching.until(() => watching.seen.some((each) => each.id === id && each.status === 'QUEUED'));
  await cancel(id);
  await watching.until(() => watching.seen.at(-1)?.status === 'CANCELLED');
  assert.deepEqual(watching.seen.at(-1), { id, status: 'CANCELLED' });
  await watching.leave();
});

test('a filter by status tells of executions that come to be scheduled, paused and queued again', async () => {
  const watching = await watch({ status: ['SCHEDULED', 'PAUSED'] }).opened();
  const client = api.typed(api.operator);
  const told = (id: string, status: string) => watching.until(() => watching.seen.some((each) => each.id === id && each.status === status));
  const later = await start({ startAt: new Date(Date.now() + 3_600_000) });
  await told(later, 'SCHEDULED');
  const id = await start();
  await client.pauseExecution({ input: { executionId: id } });
  await told(id, 'PAUSED');
  await client.resumeExecution({ input: { executionId: id } });
  await client.pauseExecution({ input: { executionId: later } });
  await told(later, 'PAUSED');
  assert.deepEqual([...new Set(watching.seen.map(({ status }) => status))].sort(), ['PAUSED', 'SCHEDULED'], 'not of queued ones');
  for (const each of [later, id]) await cancel(each);
  await watching.leave();
});

test('the typed client gives the same', async () => {
  const looked = mock.method(api.services.events, 'currentPosition');
  const stream = api.typed(api.operator).executionChanged({ filter: { labels: { of: 'typed' } } });
  const first = stream.next();
  while (looked.mock.callCount() === 0) await turn();
  await looked.mock.calls[0]!.result;
  looked.mock.restore();
  await start();
  const id = await start({ labels: { of: 'typed' } });
  const { value } = await first;
  assert.deepEqual(value!.executions.map((each) => [each.id, each.status, each.labels]), [[id, 'QUEUED', { of: 'typed' }]]); // prettier-ignore
  await stream.return();
});

test('each filter lets through what matches, and nothing else', async () => {
  const { home } = api;
  const other = await api.agent([{ id: 'a', transform: '1' }]);
  const [before, later] = [new Date(Date.now() - 60_000).toISOString(), new Date(Date.now() + 60_000).toISOString()];
  const filters: Record<string, object> = {
    all: {},
    agent: { agentId: ids.agent(other) },
    environment: { environmentId: ids.environment(home.production) },
    project: { projectId: ids.project(home.project) },
    otherProject: { projectId: ids.project(home.otherProject) },
    absent: { agentId: ids.agent(newId()) },
    queued: { status: ['QUEUED'] },
    cancelled: { status: ['CANCELLED', 'FAILED'] },
    none: { status: [] },
    labels: { labels: { team: 'a', tier: '1' } },
    anyLabels: { labels: {} },
    since: { since: before },
    sinceLater: { since: later },
    until: { until: later },
    untilBefore: { until: before },
    several: { status: ['QUEUED'], environmentId: ids.environment(home.staging), labels: { team: 'a' }, since: before, until: later },
  };
  const watching = new Map<string, Awaited<ReturnType<ReturnType<typeof watch>['opened']>>>();
  for (const [name, filter] of Object.entries(filters)) watching.set(name, await watch(filter).opened());
  const started = {
    plain: await start(),
    ofOther: await start({}, other),
    inProduction: await start({ environmentId: home.production }),
    ended: await start(),
    labelled: await start({ labels: { team: 'a', tier: '1', more: 'x' } }),
    half: await start({ labels: { team: 'a', tier: '2' } }),
  };
  await cancel(started.ended);
  const { plain, ofOther, inProduction, ended, labelled, half } = started;
  const everything = [plain, ofOther, inProduction, ended, labelled, half];
  const expected: Record<string, string[]> = {
    ...Object.fromEntries(['all', 'project', 'anyLabels', 'since', 'until'].map((name) => [name, everything])),
    ...Object.fromEntries(['otherProject', 'absent', 'none', 'sinceLater', 'untilBefore'].map((name) => [name, []])),
    agent: [ofOther],
    environment: [inProduction],
    queued: [plain, ofOther, inProduction, labelled, half],
    cancelled: [ended],
    labels: [labelled],
    several: [labelled, half],
  };
  await watching.get('all')!.until(() => watching.get('all')!.seen.some(({ status }) => status === 'CANCELLED'));
  for (const [name, each] of watching) {
    await each.until(() => expected[name]!.every((id) => each.ids().includes(id)));
    await each.leave();
    // Whoever is quick enough saw it queued before it was cancelled.
    const seen = each.ids().filter((id) => name !== 'queued' || id !== ended);
    assert.deepEqual(seen.toSorted(), expected[name]!.toSorted(), name);
  }
});

test('a filter that makes no sense is refused with every problem', async () => {
  const moment = '2026-01-01T00:00:00Z';
  const cases: [filter: object, code: string, message: RegExp][] = [
    [{ agentId: ids.execution(newId()) }, 'VALIDATION_FAILED', /filter\.agentId: .*type Execution; expected a global id of type Agent/],
    [{ environmentId: newId() }, 'VALIDATION_FAILED', /filter\.environmentId: ".*" is not a global id/],
    [
      { since: moment, until: moment, labels: ['a'] },
      'VALIDATION_FAILED',
      /filter\.until: must be after.*filter\.labels: must be an object/,
    ],
    [{ labels: { team: 1 } }, 'VALIDATION_FAILED', /filter\.labels: must be an object of texts/],
    [{ status: ['RESTING'] }, 'BAD_USER_INPUT', /RESTING/],
    [{ since: 'yesterday' }, 'BAD_USER_INPUT', /"yesterday" is not a moment/],
    [{ colour: 'red' }, 'BAD_USER_INPUT', /colour/],
  ];
  for (const [filter, code, message] of cases) {
    const error = await watch(filter).error();
    mock.restoreAll();
    assert.equal(error?.extensions.code, code, JSON.stringify(filter));
    assert.match(error.message, message);
  }
});

test('everybody sees what they may see; without execution.read it is FORBIDDEN', async () => {
  const { home } = api;
  const teamAgent = await api.agent([{ id: 'a', transform: '1' }], { teamId: home.team });
  const viewers = {
    environment: await home.principal([['viewer', 'environment', home.production]]),
    project: await home.principal([['service', 'project', home.project]]),
    team: await home.principal([['viewer', 'team', home.team]]),
    elsewhere: await home.principal([['admin', 'project', home.otherProject]]),
    foreign: api.people.other.admin,
  };
  const watching = new Map<string, Awaited<ReturnType<ReturnType<typeof watch>['opened']>>>();
  for (const [name, as] of Object.entries(viewers)) watching.set(name, await watch({}, as).opened());
  const [staging, production, team, last] = [await start(), await start({ environmentId: home.production }), await start({}, teamAgent), await start({ environmentId: home.production })]; // prettier-ignore
  const expected = {
    environment: [production, last],
    project: [staging, production, team, last],
    team: [team],
    elsewhere: [],
    foreign: [],
  };
  for (const [name, each] of watching) {
    const own = expected[name as keyof typeof expected];
    await each.until(() => own.every((id) => each.ids().includes(id)));
    await each.leave();
    // Executions of one batch come in no particular order.
    assert.deepEqual(new Set(each.ids()), new Set<string>(own), name);
  }
  const error = await watch({}, await home.principal()).error();
  mock.restoreAll();
  assert.deepEqual([error?.extensions.code, /execution\.read/.test(error!.message)], ['FORBIDDEN', true]);
});

test('who loses one place keeps the rest, and is told nothing of that place any more', async () => {
  const { home } = api;
  const viewer = await home.principal([
    ['viewer', 'environment', home.staging],
    ['viewer', 'environment', home.production],
  ]);
  const watching = await watch({}, viewer).opened();
  const kept = await start();
  await watching.until(() => watching.ids().includes(kept));
  await home.write((uow) => uow.rows('delete from role_grants where principal_id = $1 and scope_id = $2', [viewer.principalId, home.production])); // prettier-ignore
  // At once: the stream has not looked at the rights again yet.
  const lost = await start({ environmentId: home.production });
  const later = await start();
  await watching.until(() => watching.ids().includes(later));
  assert.ok(!watching.ids().includes(lost));
  await home.write((uow) => uow.rows('delete from role_grants where principal_id = $1', [viewer.principalId]));
  assert.equal((await watching.error())?.extensions.code, 'FORBIDDEN');
});

test('more executions than one look holds are all told of, also those of another process', async () => {
  const watching = await watch({ labels: { of: 'many' } }).opened();
  const other = api.elsewhere();
  const started = await api.home.write(async (uow) => {
    const rows = [];
    for (let count = 0; count < 130; count++) {
      rows.push(await other.executions.startExecution(uow, api.operator, { agentId, environmentId: api.home.staging, labels: { of: 'many' } })); // prettier-ignore
    }
    return rows.map(({ id }) => ids.execution(id));
  });
  await watching.until(() => watching.ids().length === 130);
  assert.deepEqual(watching.ids().toSorted(), started.toSorted());
  await watching.leave();
});

test('a filter by parent tells of the executions that its steps start, to those who see the parent', async () => {
  const { home } = api;
  await api.runner({ services: api.services });
  const name = `child-${newId()}`;
  await api.agent([{ id: 'a', transform: '1' }], { name, teamId: home.team });
  const parentAgent = await api.agent([{ id: 'ready', wait: { signal: 'go' } }, { id: 'each', needs: ['ready'], forEach: '[1, 2]', agent: { name } }]); // prettier-ignore
  const { id } = await api.start(parentAgent);
  await api.happened(id, 'execution.waiting');
  const filter = { parentId: ids.execution(id) };
  const watching = await watch(filter).opened();
  // Sees the children, but not what started them.
  const team = await watch(filter, await home.principal([['viewer', 'team', home.team]])).opened();
  const ofTeam = await watch(null, await home.principal([['viewer', 'team', home.team]])).opened();
  await api.typed(api.operator).signalExecution({ input: { executionId: ids.execution(id), name: 'go' } });
  await api.finished(id);
  const done = (each: typeof watching) =>
    new Set(each.seen.filter(({ status }) => status === 'SUCCEEDED').map((seen) => seen.id)).size === 2;
  for (const each of [watching, ofTeam]) await each.until(() => done(each));
  assert.deepEqual(watching.ids().sort(), ofTeam.ids().sort());
  assert.deepEqual(team.seen, []);
  for (const each of [watching, team, ofTeam]) await each.leave();
});

// Everything of a tenant as a client watches it: in commit order from now on or from a cursor, narrowed by rights and filters, with cursors
// that move on although nothing is told.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { toGlobalId } from '#schema/ids.ts';
import { executionCursor, readTenantCursor, tenantCursor } from '#src/events/cursor.ts';
import { startOfFeed } from '#src/events/event-service.ts';
import { newId } from '#src/platform/ids.ts';
import { ids, testApi, type Api } from './harness/api.ts';
import { eventually } from './harness/eventually.ts';
import type { Caller } from './harness/graphql.ts';
import { randomOf } from './harness/random.ts';

let api: Api;
let agentId: string;
before(async () => {
  api = await testApi({ tools: { 'test.echo': { run: ({ value }) => value } } });
  await api.runner({ services: api.services });
  agentId = await api.agent([{ id: 'a', transform: '1' }]);
});
after(() => api.close());
/** Ended after each test, so that one that fails does not hold up the next. */
const watched: AsyncIterator<unknown>[] = [];
afterEach(async () => {
  for (const results of watched.splice(0)) await results.return!();
  while (api.services.feed.size > 0) await turn();
});

const subscription = `subscription ($filter: TenantEventFilter, $after: String) { tenantEvents(filter: $filter, after: $after) {
  cursor caughtUp events { __typename executionId toolCallId sequence type occurredAt } } }`;

interface Event {
  readonly executionId: string | null;
  readonly toolCallId: string | null;
  readonly sequence: number;
  readonly type: string;
}
interface Batch {
  readonly cursor: string;
  readonly caughtUp: boolean;
  readonly events: readonly Event[];
}

/** Watches in the background from the moment this resolves; `leave` to end. */
async function watch({ filter, after: cursor, as }: { filter?: object; after?: string | undefined; as?: Caller } = {}) {
  const results = api.subscribe(subscription, { filter, after: cursor }, as === undefined ? {} : { as });
  watched.push(results);
  const batches: Batch[] = [];
  const failed = Promise.withResolvers<{ message: string; extensions: { code: string } }>();
  let isOver = false;
  const done = (async () => {
    for await (const { data, errors } of results) {
      if (errors) failed.resolve(errors[0] as never);
      if (data?.['tenantEvents']) batches.push(data['tenantEvents'] as Batch);
    }
    isOver = true;
  })();
  const events = () => batches.flatMap((batch) => batch.events);
  await eventually(() => isOver || batches.some(({ caughtUp }) => caughtUp));
  return {
    batches,
    events,
    error: () => failed.promise,
    keys: () => events().map(keyOf),
    until: (holds: () => boolean) => eventually(holds, () => events().length),
    /** When it is over, too. */
    sees: (id: string, type = 'EXECUTION_SUCCEEDED') =>
      eventually(() => events().some((event) => event.executionId === ids.execution(id) && event.type === type)),
    async leave() {
      await results.return!();
      await done;
    },
  };
}

const keyOf = ({ executionId, sequence }: Pick<Event, 'executionId' | 'sequence'>) => `${executionId} ${sequence}`;
/** What Postgres has after a place, in commit order. */
async function stored(cursor: string): Promise<string[]> {
  const { rows, epoch } = await api.home.read(async (uow) => ({
    epoch: await api.services.events.epoch(uow),
    rows: await uow.rows<{ executionId: string; sequence: number; transactionId: string }>(
      `select execution_id as "executionId", sequence, transaction_id::text as "transactionId" from execution_events
       where tenant_id = $1 order by execution_events.transaction_id, execution_id, sequence`,
      [api.home.tenantId],
    ),
  }));
  const place = readTenantCursor(cursor, 'tenant', epoch);
  return rows
    .filter(
      (row) =>
        BigInt(row.transactionId) > BigInt(place.transactionId) ||
        (row.transactionId === place.transactionId &&
          (row.executionId > place.executionId || (row.executionId === place.executionId && row.sequence > place.sequence))),
    ) // prettier-ignore
    .map(({ executionId, sequence }) => keyOf({ executionId: ids.execution(executionId), sequence }));
}
const started = (more: object = {}, agent = agentId) => api.start(agent, more).then(({ id }) => id);

test('from now on, without a cursor; from any cursor exactly what followed it, in the order Postgres has', async () => {
  await api.finished(await started());
  const watching = await watch();
  assert.deepEqual([watching.batches.length, watching.events()], [1, []], 'nothing of before, and it says that it is caught up');
  const begin = watching.batches[0]!.cursor;
  const executions = await Promise.all(Array.from({ length: 8 }, () => started()));
  for (const id of executions) await watching.sees(id);
  const all = await stored(begin);
  await watching.until(() => watching.events().length >= all.length);
  assert.deepEqual(watching.keys(), all);
  const random = randomOf(1);
  for (let round = 0; round < 6; round++) {
    const { cursor } = watching.batches[Math.floor(random() * watching.batches.length)]!;
    const rest = await stored(cursor);
    const again = await watch({ after: cursor });
    await again.until(() => again.events().length >= rest.length);
    assert.deepEqual(again.keys(), rest);
    await again.leave();
  }
});

test('what is committed together comes as one batch, of the tenant and of the execution', async () => {
  const steps = Array.from({ length: 5 }, (_, index) => ({ id: `s${index}`, transform: '1' }));
  const agent = await api.agent(steps);
  const watching = await watch();
  const id = await started({}, agent);
  const ofExecution = api.subscribe('subscription ($id: ID!) { executionEvents(executionId: $id) { events { executionId sequence } } }', {
    id: ids.execution(id),
  });
  watched.push(ofExecution);
  const batches: string[][] = [];
  for await (const { data } of ofExecution) batches.push(data!['executionEvents'].events.map(keyOf));
  await watching.sees(id);
  const commits = await api.home.read((uow) =>
    uow.rows<{ sequences: number[] }>(
      'select array_agg(sequence order by sequence) as sequences from execution_events where execution_id = $1 group by transaction_id',
      [id],
    ),
  );
  assert.ok(commits.some(({ sequences }) => sequences.length > 5));
  for (const all of [batches, watching.batches.map(({ events }) => events.map(keyOf))])
    for (const { sequences } of commits) {
      const keys = sequences.map((sequence) => keyOf({ executionId: ids.execution(id), sequence }));
      const holding = all.filter((batch) => keys.some((key) => batch.includes(key)));
      assert.equal(holding.length, 1, JSON.stringify(keys));
      assert.deepEqual(holding[0]!.filter((key) => keys.includes(key)), keys); // prettier-ignore
    }
});

test('the typed client gives the events with what they say', async () => {
  const seen: string[] = [];
  const stream = api.typed().tenantEvents({ filter: { agentId: ids.agent(agentId) } });
  const watching = await watch();
  for await (const { events } of stream) {
    // It has begun by now: what happens before that is not its business.
    if (seen.length === 0 && events.length === 0) await started();
    for (const event of events)
      seen.push(`${event.type} ${event.__typename === 'StepSucceeded' ? `${event.stepId} ${event.outputBytes}` : ''}`);
    if (seen.some((text) => text.startsWith('EXECUTION_SUCCEEDED'))) break;
  }
  assert.ok(seen.includes('STEP_SUCCEEDED a 1'));
  await watching.leave();
});

test('each filter narrows what is told; ids that are absent or foreign match nothing, those of another type are refused', async () => {
  const { home } = api;
  const otherAgent = await api.agent([{ id: 'a', transform: '1' }], { environments: [home.staging, home.production] });
  const filters: Record<string, object> = {
    all: {},
    nothing: { types: [] },
    types: { types: ['EXECUTION_QUEUED', 'EXECUTION_SUCCEEDED'] },
    project: { projectId: ids.project(home.project) },
    otherProject: { projectId: ids.project(home.otherProject) },
    environment: { environmentId: ids.environment(home.production) },
    agent: { agentId: ids.agent(agentId) },
    absent: { agentId: ids.agent(newId()) },
    foreign: { projectId: ids.project(api.people.other.project) },
    several: { agentId: ids.agent(otherAgent), environmentId: ids.environment(home.staging), types: ['STEP_SUCCEEDED'] },
  };
  const watching = new Map<string, Awaited<ReturnType<typeof watch>>>();
  for (const [name, filter] of Object.entries(filters)) watching.set(name, await watch({ filter }));
  const [mine, others, inProduction] = [await started(), await started({}, otherAgent), await started({ environmentId: home.production }, otherAgent)]; // prettier-ignore
  const all = watching.get('all')!;
  for (const id of [mine, others, inProduction]) await all.sees(id);
  const one = await watch({ filter: { executionId: ids.execution(others) }, after: all.batches[0]!.cursor });
  const of = (id: string, ...types: string[]) =>
    all.events().filter((event) => event.executionId === ids.execution(id) && (types.length === 0 || types.includes(event.type))).map(keyOf); // prettier-ignore
  const ends = ['EXECUTION_QUEUED', 'EXECUTION_SUCCEEDED'];
  const expected: Record<string, string[]> = {
    project: all.keys(),
    types: [mine, others, inProduction].flatMap((id) => of(id, ...ends)),
    environment: of(inProduction),
    agent: of(mine),
    several: of(others, 'STEP_SUCCEEDED'),
  };
  for (const [name, each] of watching) {
    const keys = name === 'all' ? all.keys() : (expected[name] ?? []);
    await each.until(() => each.events().length >= keys.length);
    assert.deepEqual(each.keys().toSorted(), keys.toSorted(), name);
    await each.leave();
  }
  assert.deepEqual(one.keys(), of(others));
  for (const [filter, code] of [
    [{ agentId: ids.execution(newId()) }, 'VALIDATION_FAILED'],
    [{ projectId: newId() }, 'VALIDATION_FAILED'],
    [{ types: ['NO_SUCH'] }, 'BAD_USER_INPUT'],
  ] as const)
    assert.equal((await (await watch({ filter })).error()).extensions.code, code);
});

test('everybody is told of what they may see, places lost while watching included; without execution.read it is FORBIDDEN', async () => {
  const { home } = api;
  const teamAgent = await api.agent([{ id: 'a', transform: '1' }], { teamId: home.team });
  const wide = await api.agent([{ id: 'a', transform: '1' }], { environments: [home.staging, home.production] });
  const losing = await home.principal([['viewer', 'environment', home.staging], ['viewer', 'environment', home.production]]); // prettier-ignore
  const viewers = {
    environment: await home.principal([['viewer', 'environment', home.production]]),
    project: await home.principal([['service', 'project', home.project]]),
    team: await home.principal([['viewer', 'team', home.team]]),
    elsewhere: await home.principal([['admin', 'project', home.otherProject]]),
    foreign: api.people.other.admin,
    losing,
  };
  const watching = new Map<string, Awaited<ReturnType<typeof watch>>>();
  for (const [name, as] of Object.entries(viewers)) watching.set(name, await watch({ as }));
  const all = await watch();
  const staging = await started();
  await watching.get('losing')!.sees(staging);
  await home.write((uow) => uow.rows('delete from role_grants where principal_id = $1 and scope_id = $2', [losing.principalId, home.production])); // prettier-ignore
  const [team, production, last] = [await started({}, teamAgent), await started({ environmentId: home.production }, wide), await started()];
  const expected = {
    environment: [production],
    project: [staging, team, production, last],
    team: [team],
    elsewhere: [],
    foreign: [],
    losing: [staging, team, last],
  };
  for (const id of [staging, team, production, last]) await all.sees(id);
  for (const [name, each] of watching) {
    const own = new Set(expected[name as keyof typeof expected].map(ids.execution));
    const keys = all.events().filter(({ executionId }) => own.has(executionId!)).map(keyOf); // prettier-ignore
    await each.until(() => each.events().length >= keys.length);
    assert.deepEqual(each.keys(), keys, name);
  }
  await home.write((uow) => uow.rows('delete from role_grants where principal_id = $1', [losing.principalId]));
  assert.equal((await watching.get('losing')!.error()).extensions.code, 'FORBIDDEN');
  const nobody = await (await watch({ as: await home.principal() })).error();
  assert.deepEqual([nobody.extensions.code, /execution\.read/.test(nobody.message)], ['FORBIDDEN', true]);
});

test('of calls of agents that run elsewhere their approvals are told, to those who may read approvals there', async () => {
  const { home, services } = api;
  const agent = await api.agent([{ id: 'a', transform: '1' }], { tools: ['custom.pay'] });
  const policy = { name: 'asks', kind: 'approval_required', mode: 'enforce', scope: { agentId: agent }, rules: [{ actions: ['tool.call'] }] } as const; // prettier-ignore
  await home.write((uow) => services.policies.createPolicy(uow, home.admin, policy));
  const reviewing = await watch({ as: api.reviewer, filter: { agentId: ids.agent(agent) } });
  const elsewhere = await watch({ as: await home.principal([['reviewer', 'project', home.otherProject]]) });
  const service = await watch({ as: await home.principal([['service', 'tenant', home.tenantId]]) });
  const executions = await watch({ filter: { executionId: ids.execution(newId()) } });
  const call = await home.write(
    (uow) =>
    services.toolCalls.authorizeToolCall(uow, api.operator, { agentId: agent, environmentId: home.staging, tool: 'custom.pay', arguments: {}, idempotencyKey: newId() }), // prettier-ignore
  );
  await reviewing.until(() => reviewing.events().length > 0);
  const { executionId, toolCallId, type } = reviewing.events()[0]!;
  assert.deepEqual({ executionId, toolCallId, type }, { executionId: null, toolCallId: toGlobalId('ToolCall', call.id), type: 'APPROVAL_REQUESTED' }); // prettier-ignore
  const last = await started({}, agent);
  for (const each of [reviewing, service]) await each.sees(last);
  assert.ok(service.events().every((event) => event.toolCallId === null));
  assert.deepEqual([elsewhere.events(), executions.events()], [[], []]);
});

test('a cursor moves on past what is not told, in history and live; one that does not fit is refused with the reason', async () => {
  const filter = { types: ['EXECUTION_PAUSED'] };
  const live = await watch({ filter });
  const before = live.batches[0]!.cursor;
  for (let count = 0; count < 13; count++) {
    const many = Array.from({ length: 500 }, () => ({ type: 'execution.started', data: {} }) as const);
    await api.home.write((uow) => api.services.events.append(uow, newId(), 1, many));
  }
  await live.until(() => live.batches.length > 1);
  assert.deepEqual([live.batches[1]!.events, live.batches[1]!.cursor === before], [[], false]);
  const late = await watch({ filter, after: before });
  assert.ok(late.batches.length > 1 && late.events().length === 0);
  assert.equal(late.batches[0]!.caughtUp, false);
  const epoch = await api.home.read((uow) => api.services.events.epoch(uow));
  for (const [cursor, code, message] of [
    [executionCursor(epoch, newId(), 1), 'INVALID_CURSOR', /belongs to the stream "execution", not to "tenant"/],
    [tenantCursor('approvals', epoch, startOfFeed), 'INVALID_CURSOR', /belongs to the stream "approvals"/],
    [tenantCursor('tenant', newId(), startOfFeed), 'CURSOR_EXPIRED', /no longer exists/],
    [tenantCursor('tenant', epoch, { ...startOfFeed, transactionId: '999999999999' }), 'CURSOR_EXPIRED', /ahead of the history/],
    ['nonsense', 'INVALID_CURSOR', /is not a cursor/],
  ] as const) {
    const error = await (await watch({ after: cursor })).error();
    assert.equal(error.extensions.code, code);
    assert.match(error.message, message);
  }
});

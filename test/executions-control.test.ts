// Pausing, resuming, signalling and starting later, as clients see it: what happens, who may, what is refused and leaves no trace.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import { roles, type Role } from '#src/authority/permission.ts';
import { holdTool, ids, testApi, type Api } from './harness/api.ts';
import type { Caller } from './harness/graphql.ts';
import { createVerbs, type Verbs } from './harness/verbs.ts';

const hold = holdTool();
/** Null: the real time. */
let frozen: Date | null = null;
let api: Api;
let verbs: Verbs;
before(async () => {
  api = await testApi({
    tools: { 'test.hold': hold.tool, 'test.echo': { run: ({ value }) => value } },
    clock: { now: () => frozen ?? new Date() },
  });
  verbs = createVerbs(api);
});
after(() => api.close());

const of = (id: string, more: object = {}) => ({ executionId: ids.execution(id), ...more });
const uuid = (globalId: string) => parseGlobalId(globalId)!.id;
const forSignal = [{ id: 'wait', wait: { signal: 'go' } }];
const statusOf = async (id: string) => (await verbs.show(id, 'status')).status;
const typesOf = async (id: string) => (await api.events(id)).map(({ type }) => type);
/** Waits for `go`; nothing of it is under way. */
async function waiting(agentId: string, as?: Parameters<Api['start']>[2]): Promise<string> {
  const { id } = await api.start(agentId, {}, as);
  await api.happened(id, 'execution.waiting');
  return id;
}

test('before a runner takes it up, a queued and a scheduled execution are paused and go back to where they were', async () => {
  const agentId = await api.agent([{ id: 'a', transform: '1' }]);
  const queued = uuid((await verbs.done('startExecution', verbs.startInput(agentId))).id);
  const startAt = new Date(Date.now() + 3_600_000).toISOString();
  const later = await verbs.done('startExecution', verbs.startInput(agentId, { startAt }));
  assert.deepEqual([later.status, later.startAt, later.startedAt], ['SCHEDULED', startAt, null]);
  const scheduled = uuid(later.id);
  for (const [id, status] of [
    [queued, 'QUEUED'],
    [scheduled, 'SCHEDULED'],
  ] as const) {
    // prettier-ignore
    assert.equal((await verbs.done('pauseExecution', of(id, { reason: 'not now' }))).status, 'PAUSED');
    assert.equal((await verbs.done('resumeExecution', of(id))).status, status);
  }
  const list = async (status: string) => {
    const query = 'query ($filter: ExecutionFilter) { executions(filter: $filter) { edges { node { id } } } }';
    const { data } = await api.gql(query, { filter: { status: [status], agentId: ids.agent(agentId) } });
    return data!['executions'].edges.map((edge: any) => uuid(edge.node.id));
  };
  assert.deepEqual([await list('SCHEDULED'), await list('QUEUED'), await list('PAUSED')], [[scheduled], [queued], []]);
  await verbs.done('pauseExecution', of(scheduled));
  assert.deepEqual([await list('SCHEDULED'), await list('PAUSED')], [[], [scheduled]]);
  assert.equal((await verbs.show(scheduled, 'startAt')).startAt, startAt, 'a pause does not move it');
  assert.equal((await verbs.done('cancelExecution', of(scheduled))).status, 'CANCELLED');
  await verbs.done('cancelExecution', of(queued));
});

test('paused, a running effect finishes and nothing new starts; resumed, it goes on exactly there, and its events say so', async () => {
  await api.runner({ services: api.services });
  const agentId = await api.agent([
    { id: 'held', tool: 'test.hold', with: { key: 'pause' } },
    { id: 'next', needs: ['held'], tool: 'test.echo', with: { value: 'after the pause' } },
    { id: 'beside', needs: ['next'], forEach: '[1, 2, 3]', transform: 'item' },
  ]);
  const { id } = await api.start(agentId);
  await api.happened(id, 'step.started');
  const paused = await verbs.done('pauseExecution', of(id, { reason: 'the API is down' }));
  assert.deepEqual([paused.status, paused.finishedAt], ['PAUSED', null]);
  hold.release('pause');
  await api.happened(id, 'step.succeeded');
  const steps = 'status steps { stepId status }';
  assert.deepEqual(await verbs.show(id, steps), {
    status: 'PAUSED',
    steps: [
      { stepId: 'held', status: 'SUCCEEDED' },
      { stepId: 'next', status: 'QUEUED' },
      { stepId: 'beside', status: 'PENDING' },
    ],
  });
  assert.equal((await verbs.done('resumeExecution', of(id))).status, 'RUNNING');
  await api.finished(id);
  assert.deepEqual(api.calls.filter(({ args }) => args['key'] === 'pause' || args['value'] === 'after the pause').map(({ tool }) => tool), ['test.hold', 'test.echo']); // prettier-ignore

  const events: any[] = [];
  for await (const batch of api.typed().executionEvents({ executionId: ids.execution(id) })) events.push(...batch.events);
  const operator = Buffer.from(`Principal:${api.operator.principalId}`).toString('base64');
  const {
    sequence: _,
    occurredAt: __,
    executionId: ___,
    toolCallId: ____,
    ...pausedEvent
  } = events.find(({ type }) => type === 'EXECUTION_PAUSED');
  assert.deepEqual(pausedEvent, { __typename: 'ExecutionPaused', type: 'EXECUTION_PAUSED', reason: 'the API is down', pausedBy: operator });
  const resumed = events.find(({ type }) => type === 'EXECUTION_RESUMED');
  assert.deepEqual([resumed.resumedBy, resumed.resumedAs], [operator, 'RUNNING']);
  const between = events.slice(events.indexOf(events.find(({ type }) => type === 'EXECUTION_PAUSED')) + 1, events.indexOf(resumed));
  assert.deepEqual(between.map(({ type, stepId }) => `${type} ${stepId}`), ['STEP_SUCCEEDED held', 'STEP_QUEUED next']); // prettier-ignore
});

test('a start at a moment to come waits for it, and its events say so', async () => {
  const agentId = await api.agent([{ id: 'a', transform: '1' }]);
  const startAt = new Date(Date.now() + 700).toISOString();
  const accepted = await verbs.done('startExecution', verbs.startInput(agentId, { startAt }));
  assert.equal(accepted.status, 'SCHEDULED');
  const row = await api.finished(uuid(accepted.id));
  assert.ok(row.startedAt! >= new Date(startAt), 'not before its moment');
  const client = api.typed();
  const events: any[] = [];
  for await (const batch of client.executionEvents({ executionId: accepted.id })) events.push(...batch.events);
  assert.deepEqual(
    events.slice(0, 2).map(({ type, startAt: moment = null }) => [type, moment]),
    [
      ['EXECUTION_SCHEDULED', startAt],
      ['EXECUTION_STARTED', null],
    ],
  );
});

test('startAt: from the next millisecond to 366 days ahead; what has passed is refused, unless its key has started it already', async () => {
  const agentId = await api.agent([{ id: 'a', transform: '1' }]);
  // A day ahead of the queue's own clock: no job becomes due meanwhile.
  frozen = new Date(Date.now() + 86_400_000);
  const at = (ms: number) => new Date(frozen!.getTime() + ms).toISOString();
  const year = 366 * 86_400_000;
  const input = (startAt: string, more: object = {}) => verbs.startInput(agentId, { startAt, ...more });
  for (const [startAt, message] of [
    [at(0), new RegExp(`startAt: ${at(0)} has passed`)],
    [at(-1), /startAt: .* has passed/],
    ['1970-01-01T00:00:00Z', /startAt: 1970-01-01T00:00:00\.000Z has passed/],
    [at(year + 1), /startAt: .* is too far ahead/],
  ] as const) {
    const { problems } = await verbs.refused('startExecution', input(startAt), 'ValidationError', message);
    assert.deepEqual(problems.map(({ path }) => path), ['startAt']); // prettier-ignore
  }
  const { problems } = await verbs.refused(
    'startExecution',
    input(at(-1), { labels: { '': 'x' } }),
    'ValidationError',
    /2 problems|labels/,
  );
  assert.deepEqual(problems.map(({ path }) => path).sort(), ['labels.', 'startAt'], 'every problem at once');
  for (const startAt of [at(1), at(year)]) {
    const { id, status } = await verbs.done('startExecution', input(startAt));
    assert.equal(status, 'SCHEDULED');
    await verbs.done('cancelExecution', { executionId: id });
  }
  const once = input(at(60_000), { idempotencyKey: 'scheduled' });
  const { id } = await verbs.done('startExecution', once);
  frozen = new Date(frozen.getTime() + 61_000);
  assert.equal((await verbs.done('startExecution', once)).id, id, 'asked again after its moment: the same execution');
  await verbs.refused('startExecution', { ...once, startAt: at(60_000) }, 'IdempotencyConflictError', /"scheduled" was used before/);
  await verbs.done('cancelExecution', { executionId: id });
  frozen = null;
});

test('a signal before and while a step waits for it: taken once each, oldest first; what was sent can be read', async () => {
  const agentId = await api.agent(
    [
      { id: 'first', wait: { signal: 'go' } },
      { id: 'second', needs: ['first'], wait: { signal: 'go' } },
    ],
    { output: { first: '${{ steps.first.output.payload }}', second: '${{ steps.second.output }}' } },
  );
  const id = await waiting(agentId);
  const waits = await verbs.show(id, 'status steps { stepId status signal wakeAt }');
  assert.deepEqual(waits, { status: 'WAITING', steps: [{ stepId: 'first', status: 'WAITING', signal: 'go', wakeAt: null }, { stepId: 'second', status: 'PENDING', signal: null, wakeAt: null }] }); // prettier-ignore
  const other = await verbs.done('signalExecution', of(id, { name: 'something-else', payload: [1] }));
  assert.deepEqual([other.name, other.payload, other.receivedAt, other.receivedByStepId], ['something-else', [1], null, null]);
  const one = await verbs.done('signalExecution', of(id, { name: 'go', payload: { é: '日', n: null } }));
  await api.happened(id, 'signal.received');
  const two = await verbs.done('signalExecution', of(id, { name: 'go' }));
  await api.finished(id);
  const shown = await verbs.show(
    id,
    'output signals { edges { node { id name payload receivedByStepId sentAt receivedAt sentBy { id } execution { id } } } }',
  );
  const operator = Buffer.from(`Principal:${api.operator.principalId}`).toString('base64');
  assert.deepEqual(shown.output, {
    first: { é: '日', n: null },
    second: { name: 'go', payload: null, sentBy: api.operator.principalId, sentAt: two.sentAt },
  });
  const nodes = shown.signals.edges.map((edge: any) => edge.node);
  assert.deepEqual(
    nodes.map(({ id: signal, receivedByStepId }: any) => [signal, receivedByStepId]),
    [
      [two.id, 'second'],
      [one.id, 'first'],
      [other.id, null],
    ],
  );
  assert.deepEqual([nodes[1].sentBy.id, nodes[1].execution.id, nodes[0].payload], [operator, ids.execution(id), null]);
  assert.ok(nodes[1].sentAt <= nodes[1].receivedAt);
  const told: string[] = [];
  for await (const { events } of api.typed().executionEvents({ executionId: ids.execution(id) })) {
    for (const event of events) if ('signalId' in event) told.push(`${event.type} ${event.name} ${event.signalId}`);
  }
  assert.deepEqual(told, [
    `EXECUTION_SIGNALLED something-else ${other.id}`,
    `EXECUTION_SIGNALLED go ${one.id}`,
    `SIGNAL_RECEIVED go ${one.id}`,
    `EXECUTION_SIGNALLED go ${two.id}`,
    `SIGNAL_RECEIVED go ${two.id}`,
  ]);
  const node = 'query ($id: ID!) { node(id: $id) { ... on Signal { name } } }';
  const inStaging = await api.home.principal([['viewer', 'environment', api.home.staging]]);
  const inProduction = await api.home.principal([['viewer', 'environment', api.home.production]]);
  for (const [as, expected] of [
    [inStaging, { name: 'go' }],
    [inProduction, null],
    [api.people.other.admin, null],
  ] as const) {
    assert.deepEqual((await api.gql(node, { id: one.id }, { as })).data, { node: expected });
  }
});

test('signals by page, newest first; a key sends once', async () => {
  const id = await waiting(await api.agent(forSignal));
  const sent: string[] = [];
  for (let n = 0; n < 5; n++)
    sent.unshift((await verbs.done('signalExecution', of(id, { name: 'noise', payload: n, idempotencyKey: `n${n}` }))).id);
  const again = await verbs.done('signalExecution', of(id, { name: 'noise', payload: 3, idempotencyKey: 'n3' }));
  assert.equal(again.id, sent[1]);
  await verbs.refused('signalExecution', of(id, { name: 'noise', payload: 4, idempotencyKey: 'n3' }), 'IdempotencyConflictError', /"n3" was used before to send another signal/); // prettier-ignore
  const page = async (args: string) =>
    (await verbs.show(id, `signals(${args}) { edges { cursor node { id } } pageInfo { hasNextPage endCursor } }`)).signals;
  const first = await page('first: 2');
  const second = await page(`first: 3, after: "${first.pageInfo.endCursor}"`);
  assert.deepEqual([...first.edges, ...second.edges].map((edge: any) => edge.node.id), sent); // prettier-ignore
  assert.deepEqual([first.pageInfo.hasNextPage, second.pageInfo.hasNextPage], [true, false]);
  const other = await waiting(await api.agent(forSignal));
  assert.notEqual((await verbs.done('signalExecution', of(other, { name: 'noise', payload: 3, idempotencyKey: 'n3' }))).id, sent[1], 'a key is of one execution'); // prettier-ignore
  await verbs.done('signalExecution', of(id, { name: 'go' }));
  await api.finished(id);
  assert.equal((await verbs.done('signalExecution', of(id, { name: 'noise', payload: 3, idempotencyKey: 'n3' }))).id, sent[1], 'the answer stays when it has ended'); // prettier-ignore
});

test('a signal while paused is kept and taken once it goes on', async () => {
  const id = await waiting(await api.agent(forSignal));
  await verbs.done('pauseExecution', of(id));
  const sent = await verbs.done('signalExecution', of(id, { name: 'go' }));
  assert.deepEqual([sent.execution.status, sent.receivedAt], ['PAUSED', null]);
  await verbs.done('resumeExecution', of(id));
  assert.equal((await api.finished(id)).status, 'succeeded');
  const types = await typesOf(id);
  assert.ok(types.indexOf('execution.resumed') < types.indexOf('signal.received'));
});

test('what makes no sense is refused with the reason and the way out, and changes nothing', async () => {
  const id = await waiting(await api.agent(forSignal));
  await verbs.refused('resumeExecution', of(id), 'InvalidStateError', /is waiting, not paused; only a paused execution can be resumed/);
  await verbs.done('pauseExecution', of(id));
  await verbs.refused('pauseExecution', of(id), 'InvalidStateError', /is paused already/);
  const finals: string[] = [];
  for (const verb of ['cancelled', 'succeeded', 'failed']) {
    const agentId = await api.agent(verb === 'failed' ? [{ id: 'a', transform: '$error("no")' }] : [{ id: 'a', transform: '1' }]);
    const startAt = verb === 'cancelled' ? { startAt: new Date(Date.now() + 3_600_000) } : {};
    const row = await api.start(agentId, startAt);
    if (verb === 'cancelled') await verbs.done('cancelExecution', of(row.id));
    assert.equal((await api.finished(row.id)).status, verb);
    finals.push(row.id);
    const ended = new RegExp(`the execution is ${verb} already`);
    await verbs.refused('resumeExecution', of(row.id), 'InvalidStateError', ended);
    await verbs.refused('pauseExecution', of(row.id), 'InvalidStateError', ended);
    await verbs.refused('signalExecution', of(row.id, { name: 'go' }), 'InvalidStateError', ended);
  }
  const tooLong = of(id, { reason: 'x'.repeat(1_001) });
  await verbs.done('resumeExecution', of(id));
  await verbs.refused('pauseExecution', tooLong, 'ValidationError', /reason: must have at most 1000 characters, has 1001/);
  await verbs.refused('pauseExecution', of(id, { reason: 'a\u0000b' }), 'ValidationError', /reason: .*U\+0000/);
  assert.equal((await verbs.done('pauseExecution', of(id, { reason: 'x'.repeat(1_000) }))).status, 'PAUSED');
  for (const name of ['', '1go', 'a b', 'x'.repeat(64), 'go\u0000']) {
    const { problems } = await verbs.refused('signalExecution', of(id, { name }), 'ValidationError', /is not the name of a signal/);
    assert.deepEqual(problems.map(({ path }) => path), ['name']); // prettier-ignore
  }
  const { problems } = await verbs.refused(
    'signalExecution',
    of(id, { name: '-', payload: 'x'.repeat(256 * 1024), idempotencyKey: '' }),
    'ValidationError',
    /name|payload/,
  );
  assert.deepEqual(problems.map(({ path }) => path), ['name', 'payload', 'idempotencyKey']); // prettier-ignore
  for (const payload of ['a\u0000b', { 'a\u0000': 1 }, ['\ud800']]) {
    await verbs.refused('signalExecution', of(id, { name: 'go', payload }), 'ValidationError', /payload: /);
  }
  for (const name of ['pauseExecution', 'resumeExecution', 'signalExecution']) {
    const input = (executionId: string) => ({ executionId, ...(name === 'signalExecution' && { name: 'go' }) });
    await verbs.refused(name, input(ids.execution(newId())), 'NotFoundError', /there is no execution/);
    await verbs.refused(name, input(ids.agent(newId())), 'ValidationError', /expected a global id of type Execution/);
  }
});

test('pausing, resuming and signalling: the roles that may, and their twins that may not', async () => {
  const { home } = api;
  const agentId = await api.agent(forSignal);
  const may: Record<string, Role[]> = {
    pauseExecution: ['admin', 'operator'],
    resumeExecution: ['admin', 'operator'],
    signalExecution: ['admin', 'operator', 'service'],
  };
  const id = await waiting(agentId);
  for (const role of roles) {
    const as = await home.principal([[role, 'tenant', home.tenantId]]);
    for (const [name, allowed] of Object.entries(may)) {
      const input = of(id, name === 'signalExecution' ? { name: 'other' } : {});
      if (name === 'resumeExecution') await verbs.mutate('pauseExecution', of(id));
      if (allowed.includes(role)) await verbs.done(name, input, as);
      else await verbs.refused(name, input, 'ForbiddenError', /execution\.(pause|signal)/, as);
      if (name !== 'signalExecution') await verbs.mutate('resumeExecution', of(id));
    }
  }
});

test('a place away: an environment, a team, a key of another environment, another tenant', async () => {
  const { home } = api;
  const agentId = await api.agent(forSignal, { teamId: home.team, environments: [home.staging, home.production] });
  const { id } = await api.start(agentId, { environmentId: home.production });
  await api.happened(id, 'execution.waiting');
  const key = (environmentId: string) =>
    home.write((uow) => api.people.apiKeys.createApiKey(uow, home.admin, { name: newId(), roles: ['operator'], environmentId }));
  const blind: Caller[] = [
    await home.principal([['operator', 'environment', home.staging]]),
    await home.principal([['operator', 'team', home.otherTeam]]),
    await home.principal([['admin', 'project', home.otherProject]]),
    (await key(home.staging)).token,
    api.people.other.admin,
  ];
  const reader = await home.principal([
    ['operator', 'environment', home.staging],
    ['viewer', 'project', home.project],
  ]);
  const able: Caller[] = [
    await home.principal([['operator', 'environment', home.production]]),
    await home.principal([['operator', 'team', home.team]]),
    (await key(home.production)).token,
  ];
  const inputs = { pauseExecution: of(id), resumeExecution: of(id), signalExecution: of(id, { name: 'other' }) };
  for (const [name, input] of Object.entries(inputs)) {
    for (const as of blind) await verbs.refused(name, input, 'NotFoundError', /there is no execution/, as);
    await verbs.refused(name, input, 'ForbiddenError', /which you do not hold here/, reader);
  }
  for (const as of able) {
    assert.equal((await verbs.done('pauseExecution', inputs.pauseExecution, as)).status, 'PAUSED');
    await verbs.done('signalExecution', inputs.signalExecution, as);
    await verbs.done('resumeExecution', inputs.resumeExecution, as);
  }
  await verbs.done('cancelExecution', of(id));
  assert.equal(await statusOf(id), 'CANCELLED');
});

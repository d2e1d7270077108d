// Starting and cancelling through the API: who may, what is refused and how it is said, limits, idempotency.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId } from '#src/platform/ids.ts';
import { roles, type Role } from '#src/authority/permission.ts';
import { holdTool, ids, testApi, type Api } from './harness/api.ts';
import type { Caller } from './harness/graphql.ts';
import type { Scope } from './harness/people.ts';

const hold = holdTool();
let api: Api;
let agentId: string;
before(async () => {
  api = await testApi({ tools: { 'test.hold': hold.tool } });
  agentId = await api.agent([{ id: 'a', transform: '1' }]);
});
after(() => api.close());

const startMutation = `mutation ($input: StartExecutionInput!) { startExecution(input: $input) { __typename
  ... on StartExecutionSuccess { execution { id status inputs labels idempotencyKey createdAt startedAt version { version } requestedBy { id } } }
  ... on Error { code message } ... on ValidationError { problems { path message expected } } } }`;
const cancelMutation = `mutation ($input: CancelExecutionInput!) { cancelExecution(input: $input) { __typename
  ... on CancelExecutionSuccess { execution { id status finishedAt } }
  ... on Error { code message } ... on ValidationError { problems { path message } } } }`;

type Result = { __typename: string; code?: string; message: string; problems: { path: string; message: string }[]; execution: any };

async function run(query: string, input: object, as: Caller): Promise<Result> {
  const { data, errors } = await api.gql(query, { input }, { as });
  assert.equal(errors, undefined, JSON.stringify(errors));
  return Object.values(data!)[0] as Result;
}
const start = (input: object = {}, as: Caller = api.operator) =>
  run(startMutation, { agentId: ids.agent(agentId), environmentId: ids.environment(api.home.staging), ...input }, as);
const cancel = (executionId: string, input: object = {}, as: Caller = api.operator) => run(cancelMutation, { executionId, ...input }, as);
const started = async (input: object = {}, as?: Caller) => {
  const result = await start(input, as);
  assert.equal(result.__typename, 'StartExecutionSuccess', result.message);
  return result.execution;
};
const count = async () => {
  const [row] = await api.home.read((uow) => uow.rows<{ n: number }>('select count(*)::int as n from executions'));
  return row!.n;
};
const paths = (result: Result) => result.problems.map(({ path }) => path);
const refused = (result: Result, typename: string, message: RegExp) => {
  assert.equal(result.__typename, typename, JSON.stringify(result));
  assert.match(result.message, message);
};

test('an accepted execution says what was asked for', async () => {
  const inputs = { directory: 'é/日', nested: [{ a: null }, 1.5, true] };
  const execution = await started({ inputs, labels: { team: 'red' }, idempotencyKey: 'first' });
  assert.deepEqual([execution.status, execution.inputs, execution.labels, execution.idempotencyKey, execution.version.version, execution.startedAt], ['QUEUED', inputs, { team: 'red' }, 'first', '1.0.0', null]); // prettier-ignore
  const plain = await started({ labels: null, inputs: null });
  assert.deepEqual([plain.inputs, plain.labels, plain.idempotencyKey], [{}, {}, null]);
});

test('starting and cancelling: the roles that may, and their twins that may not', async () => {
  const { home } = api;
  const mayStart: Role[] = ['admin', 'operator', 'service'];
  const mayCancel: Role[] = ['admin', 'operator'];
  for (const role of roles) {
    const as = await home.principal([[role, 'tenant', home.tenantId]]);
    const result = await start({}, as);
    if (mayStart.includes(role)) assert.equal(result.execution.status, 'QUEUED', role);
    else refused(result, 'ForbiddenError', /execution\.start/);
    const { id } = await started();
    const cancelled = await cancel(id, {}, as);
    if (mayCancel.includes(role)) assert.equal(cancelled.execution.status, 'CANCELLED', role);
    else refused(cancelled, 'ForbiddenError', /execution\.cancel/);
  }
  const nobody = await home.principal();
  refused(await start({}, nobody), 'ForbiddenError', /execution\.start/);
  refused(await cancel(ids.execution(newId()), {}, nobody), 'ForbiddenError', /execution\.cancel/);
  const { errors } = await api.gql(startMutation, { input: { agentId: 'x', environmentId: 'y' } }, { as: null });
  assert.equal(errors![0]!.extensions.code, 'UNAUTHENTICATED');
});

test('a role on a place starts and cancels there, is refused beside it, and does not see what is elsewhere', async () => {
  const { home } = api;
  const both = await api.agent([{ id: 'a', transform: '1' }], { teamId: home.team, environments: [home.staging, home.production] });
  const at = (environmentId: string) => ({ agentId: ids.agent(both), environmentId: ids.environment(environmentId) });
  const as = (...grants: (readonly [Role, ...Scope])[]) => home.principal(grants);
  const staging = await as(['operator', 'environment', home.staging]);
  const project = await as(['operator', 'project', home.project]);
  const team = await as(['operator', 'team', home.team]);
  const reader = await as(['operator', 'environment', home.staging], ['viewer', 'project', home.project]);
  const elsewhere = await as(['admin', 'project', home.otherProject]);
  for (const who of [staging, project, team, reader]) {
    const { id } = await started(at(home.staging), who);
    assert.equal((await cancel(id, {}, who)).__typename, 'CancelExecutionSuccess');
  }
  const inProduction = (await started(at(home.production))).id;
  refused(await start(at(home.production), staging), 'NotFoundError', /environmentId: there is no environment/);
  refused(await cancel(inProduction, {}, staging), 'NotFoundError', /there is no execution/);
  refused(await start(at(home.production), reader), 'ForbiddenError', /execution\.start, which you do not hold here/);
  refused(await cancel(inProduction, {}, reader), 'ForbiddenError', /execution\.cancel, which you do not hold here/);
  for (const who of [elsewhere, api.people.other.admin]) {
    refused(await start(at(home.staging), who), 'NotFoundError', /agentId: there is no agent/);
    refused(await cancel(inProduction, {}, who), 'NotFoundError', /there is no execution/);
  }
  refused(await start({}, team), 'NotFoundError', /agentId/);
  const key = await home.write((uow) => api.people.apiKeys.createApiKey(uow, home.admin, { name: newId(), roles: ['operator'], environmentId: home.staging })); // prettier-ignore
  assert.equal((await start(at(home.staging), key.token)).__typename, 'StartExecutionSuccess');
  refused(await start(at(home.production), key.token), 'NotFoundError', /environmentId/);
});

test('what cannot be started says why', async () => {
  const { home } = api;
  const { agents, tenants } = api.services;
  const fresh = () => api.agent([{ id: 'a', transform: '1' }]);
  const [paused, archived, undeployed] = [await fresh(), await fresh(), await api.agent([{ id: 'a', transform: '1' }], { environments: [] })]; // prettier-ignore
  const draft = await home.write((uow) => agents.createAgent(uow, home.admin, { projectId: home.project, name: `draft-${newId()}` }));
  await home.write((uow) => agents.pauseAgent(uow, home.admin, { agentId: paused, reason: 'the API is down' }));
  await home.write((uow) => agents.archiveAgent(uow, home.admin, { agentId: archived }));
  const foreign = await home.write((uow) => tenants.createEnvironment(uow, home.admin, { projectId: home.otherProject, name: 'dev', kind: 'development' })); // prettier-ignore
  const of = (id: string) => start({ agentId: ids.agent(id) });
  const before = await count();
  refused(await of(draft.id), 'InvalidStateError', /is a draft; activate it first/);
  refused(await of(paused), 'InvalidStateError', /is paused: the API is down/);
  refused(await of(archived), 'InvalidStateError', /is archived/);
  refused(await of(undeployed), 'InvalidStateError', /no version .* is live in the environment "staging"; promote it there first/);
  refused(await start({ version: '9.9.9' }), 'NotFoundError', /version: .* has no version "9\.9\.9"/);
  refused(await start({ version: '1.0.0\u0000' }), 'NotFoundError', /has no version/);
  refused(await start({ environmentId: ids.environment(home.production) }), 'InvalidStateError', /is live in the environment "production"/);
  refused(await start({ version: '1.0.0', environmentId: ids.environment(home.production) }), 'InvalidStateError', /1\.0\.0 .* was never live/); // prettier-ignore
  refused(await start({ environmentId: ids.environment(foreign.id) }), 'ValidationError', /belongs to another project than the agent/);
  refused(await start({ environmentId: ids.environment(newId()) }), 'NotFoundError', /environmentId/);
  refused(await start({ environmentId: ids.environment(api.people.other.staging) }), 'NotFoundError', /environmentId/);
  refused(await of(newId()), 'NotFoundError', /agentId/);
  assert.deepEqual(paths(await start({ agentId: ids.environment(home.staging) })), ['agentId']);
  assert.deepEqual(paths(await start({ environmentId: 'staging' })), ['environmentId']);
  assert.equal(await count(), before, 'nothing half-written');
  await home.write((uow) => agents.activateAgent(uow, home.admin, { agentId: paused }));
  assert.equal((await of(paused)).__typename, 'StartExecutionSuccess');
});

test('a named version runs when it is or was live there', async () => {
  const { home } = api;
  const id = await api.agent([{ id: 'a', transform: '1' }], { name: 'versioned' });
  const definition = JSON.stringify({ apiVersion: 'signalbox/v1', kind: 'Agent', metadata: { name: 'versioned' }, spec: { version: '1.1.0', steps: [{ id: 'a', transform: '2' }] } }); // prettier-ignore
  await home.write((uow) => api.services.agents.publishAgentVersion(uow, home.admin, { agentId: id, definition }));
  refused(await start({ agentId: ids.agent(id), version: '1.1.0' }), 'InvalidStateError', /was never live/);
  await home.write((uow) => api.services.agents.promoteAgentVersion(uow, home.admin, { agentId: id, environmentId: home.staging, version: '1.1.0' })); // prettier-ignore
  for (const [version, runs] of [
    [undefined, '1.1.0'],
    ['1.0.0', '1.0.0'],
    ['1.1.0', '1.1.0'],
  ]) {
    assert.equal((await started({ agentId: ids.agent(id), version })).version.version, runs);
  }
});

test('inputs that do not match the schema of the version: every problem with its path', async () => {
  const inputs = {
    type: 'object',
    required: ['directory', 'limit'],
    additionalProperties: false,
    properties: { directory: { type: 'string', minLength: 1 }, limit: { type: 'integer', maximum: 5 }, tags: { type: 'array', items: { enum: ['a', 'b'] } } }, // prettier-ignore
  };
  const id = ids.agent(await api.agent([{ id: 'a', transform: '1' }], { inputs }));
  const before = await count();
  const result = await start({ agentId: id, inputs: { limit: 6, tags: ['a', 'c'], colour: 'red' } });
  assert.deepEqual(paths(result).toSorted(), ['inputs.colour', 'inputs.directory', 'inputs.limit', 'inputs.tags[1]']);
  assert.deepEqual(paths(await start({ agentId: id })).toSorted(), ['inputs.directory', 'inputs.limit']);
  for (const wrong of ['text', 7, [], true]) assert.deepEqual(paths(await start({ agentId: id, inputs: wrong })), ['inputs'], JSON.stringify(wrong)); // prettier-ignore
  assert.equal(await count(), before);
  assert.equal((await start({ agentId: id, inputs: { directory: 'd', limit: 5, tags: ['b'] } })).__typename, 'StartExecutionSuccess');
});

test('inputs of 1 MiB of JSON are taken, one byte more is refused; so is nesting beyond 64 levels', async () => {
  const sized = (bytes: number) => ({ text: `é${'x'.repeat(bytes - '{"text":""}'.length - 2)}` });
  const largest = sized(1024 * 1024);
  assert.equal(Buffer.byteLength(JSON.stringify(largest)), 1024 * 1024);
  assert.deepEqual((await started({ inputs: largest })).inputs, largest);
  const result = await start({ inputs: sized(1024 * 1024 + 1) });
  assert.deepEqual(paths(result), ['inputs']);
  assert.match(result.message, /1048577 bytes of JSON; at most 1048576/);
  const nested = (depth: number) => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`) as object;
  assert.equal((await start({ inputs: nested(64) })).__typename, 'StartExecutionSuccess');
  const input = { agentId: ids.agent(agentId), environmentId: ids.environment(api.home.staging), inputs: nested(65) };
  const { errors } = await api.gql(startMutation, { input });
  assert.match(errors![0]!.message, /nested deeper than 64 levels/);
});

test('labels, keys and reasons: the limits, one more than the limits, and what cannot be stored', async () => {
  const labels = Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`${'n'.repeat(60)}-${index + 10}`, 'v'.repeat(256)]));
  assert.deepEqual((await started({ labels, idempotencyKey: 'k'.repeat(200) })).labels, labels);
  const wrong: [input: object, paths: string[], message: RegExp][] = [
    [{ labels: { ...labels, more: '' } }, ['labels'], /at most 32 labels, got 33/],
    [{ labels: { ['n'.repeat(64)]: 'v' } }, [`labels.${'n'.repeat(64)}`], /1 to 63 letters/],
    [{ labels: { '': 'v', '-a': 'v', 'a b': 'v' } }, ['labels.', 'labels.-a', 'labels.a b'], /starting with a letter or digit/],
    [{ labels: { a: 'v'.repeat(257), b: 1, c: null, d: 'x\u0000', e: '\ud800' } }, ['a', 'b', 'c', 'd', 'e'].map((name) => `labels.${name}`), /at most 256 characters/], // prettier-ignore
    [{ labels: ['a'] }, ['labels'], /an object of texts/],
    [{ labels: 'a' }, ['labels'], /an object of texts/],
    [{ idempotencyKey: '' }, ['idempotencyKey'], /1 to 200 characters, has 0/],
    [{ idempotencyKey: 'k'.repeat(201) }, ['idempotencyKey'], /1 to 200 characters, has 201/],
    [{ idempotencyKey: 'k\u0000' }, ['idempotencyKey'], /U\+0000/],
    [{ idempotencyKey: '\udc00' }, ['idempotencyKey'], /surrogate/],
    [{ inputs: { a: ['x\u0000'] } }, ['inputs'], /U\+0000/],
    [{ inputs: { 'a\u0000': 1 } }, ['inputs'], /U\+0000/],
    [{ inputs: { a: '\ud800' } }, ['inputs'], /surrogate/],
    [{ inputs: { a: '\u0000' }, labels: 1, idempotencyKey: '' }, ['inputs', 'labels', 'idempotencyKey'], /./],
  ];
  const before = await count();
  for (const [input, expected, message] of wrong) {
    const result = await start(input);
    assert.deepEqual([result.__typename, paths(result)], ['ValidationError', expected], JSON.stringify(input));
    assert.match(result.message, message);
  }
  assert.equal(await count(), before);
  const { id } = await started();
  for (const [reason, message] of [
    ['r'.repeat(1_001), /at most 1000 characters, has 1001/],
    ['\u0000', /U\+0000/],
    ['\ud800', /surrogate/],
  ] as const) {
    // prettier-ignore
    const result = await cancel(id, { reason });
    assert.deepEqual(paths(result), ['reason']);
    assert.match(result.message, message);
  }
  assert.equal((await cancel(id, { reason: 'r'.repeat(1_000) })).__typename, 'CancelExecutionSuccess');
});

test('the same key and request give the same execution, the same key and another request are a conflict', async () => {
  const request = { inputs: { a: 1, b: 2 }, labels: { x: 'y' }, idempotencyKey: newId() };
  const first = await started(request);
  assert.deepEqual(await started(request), first);
  assert.equal((await started({ ...request, inputs: { b: 2, a: 1 } })).id, first.id, 'the order of keys is no difference');
  await cancel(first.id);
  assert.deepEqual([(await started(request)).id, (await started(request)).status], [first.id, 'CANCELLED']);
  const colleague = await api.home.principal([['operator', 'tenant', api.home.tenantId]]);
  assert.equal((await started(request, colleague)).id, first.id);
  for (const change of [
    { inputs: { a: 1 } },
    { labels: {} },
    { version: '1.0.0' },
    { environmentId: ids.environment(api.home.production) },
  ]) {
    // prettier-ignore
    refused(await start({ ...request, ...change }), 'IdempotencyConflictError', /was used before to start something else; take a new key/);
  }
  const service = await api.home.principal([['service', 'environment', api.home.production]]);
  refused(await start(request, service), 'IdempotencyConflictError', /take a new key/);
  const other = api.people.other;
  const theirs = await api.agent([{ id: 'a', transform: '1' }], { home: other });
  const mine = await start({ agentId: ids.agent(theirs), environmentId: ids.environment(other.staging), idempotencyKey: request.idempotencyKey }, other.adminKey); // prettier-ignore
  assert.equal(mine.__typename, 'StartExecutionSuccess', 'keys are each tenant’s own');
});

test('twenty at once with one key start one execution, whatever they ask for', async () => {
  const before = await count();
  const same = await Promise.all(Array.from({ length: 20 }, () => started({ idempotencyKey: 'twenty', inputs: { n: 1 } })));
  assert.equal(new Set(same.map(({ id }) => id)).size, 1);
  const mixed = await Promise.all(Array.from({ length: 20 }, (_, n) => start({ idempotencyKey: 'mixed', inputs: { n } })));
  const kinds = Object.groupBy(mixed, ({ __typename }) => __typename);
  assert.deepEqual([kinds['StartExecutionSuccess']?.length, kinds['IdempotencyConflictError']?.length], [1, 19]);
  assert.equal(await count(), before + 2);
});

test('cancelling ends a queued, a running and a waiting execution, once, with reason and person', async () => {
  const queued = await started();
  assert.deepEqual((await cancel(queued.id, { reason: 'changed my mind' })).execution.status, 'CANCELLED');
  const holding = await api.agent([{ id: 'hold', tool: 'test.hold', with: { key: 'never' } }]);
  const asking = await api.agent([{ id: 'ask', approval: { title: 'May I?' } }]);
  await api.runner({ services: api.services });
  for (const [id, type] of [
    [(await api.start(holding)).id, 'step.started'],
    [(await api.start(asking)).id, 'approval.requested'],
  ] as const) {
    await api.happened(id, type);
    const results = await Promise.all(Array.from({ length: 5 }, () => cancel(ids.execution(id), { reason: 'enough' })));
    const kinds = Object.groupBy(results, ({ __typename }) => __typename);
    assert.deepEqual([kinds['CancelExecutionSuccess']?.length, kinds['InvalidStateError']?.length], [1, 4]);
    refused(await cancel(ids.execution(id)), 'InvalidStateError', /cancelled already; only an execution that has not ended/);
    const events = await api.events(id);
    assert.deepEqual(events.at(-1)!.data, { reason: 'enough', cancelledBy: api.operator.principalId });
    if (type === 'approval.requested') assert.equal(events.at(-2)!.type, 'approval.cancelled');
  }
  const { id } = await api.start(agentId);
  await api.finished(id);
  refused(await cancel(ids.execution(id)), 'InvalidStateError', /succeeded already/);
});

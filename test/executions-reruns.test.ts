// Retrying and forking as clients see it: what is done again and what is not, the links, who may, what is refused and leaves no trace.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import { roles, type Role } from '#src/authority/permission.ts';
import { ids, testApi, type Api } from './harness/api.ts';
import type { Caller } from './harness/graphql.ts';
import { createVerbs, type Verbs } from './harness/verbs.ts';

/** Every call that reached the tool, with its Idempotency-Key. */
const calls: { readonly value: unknown; readonly key: string | undefined }[] = [];
/** Values that the tool refuses by now. */
const broken = new Set<unknown>();
let api: Api;
let verbs: Verbs;
before(async () => {
  api = await testApi({
    tools: {
      'test.do': {
        run: ({ value }, { idempotencyKey }) => {
          calls.push({ value, key: idempotencyKey });
          if (broken.has(value)) throw new Error(`${String(value)} is broken`);
          return value;
        },
      },
    },
  });
  verbs = createVerbs(api);
  await api.runner({ services: api.services });
});
after(() => api.close());

const of = (id: string, more: object = {}) => ({ executionId: ids.execution(id), ...more });
const uuid = (globalId: string) => parseGlobalId(globalId)!.id;
const callsOf = (value: unknown) => calls.filter((call) => call.value === value);
const doing = (id: string, value: string, more: object = {}) => ({ id, tool: 'test.do', with: { value }, ...more });
const ended = async (agentId: string, inputs: Record<string, unknown> = {}): Promise<string> => {
  const { id } = await api.start(agentId, { inputs });
  await api.finished(id);
  return id;
};
const family = `status inputs output labels retryOf { id } forkOf { id } forkStepId steps { stepId status attempts { number } }
  reruns { edges { node { id } } }`;
const rerunsOf = async (id: string) => (await verbs.show(id, family)).reruns.edges.map((edge: any) => uuid(edge.node.id));

test('a retry goes on where a failed execution ended: what succeeded is not done again, what failed keeps its Idempotency-Key', async () => {
  const agentId = await api.agent([doing('first', 'r-first'), doing('second', 'r-second', { needs: ['first'] })], {
    output: { first: '${{ steps.first.output.structured.value }}', second: '${{ steps.second.output.structured.value }}' },
  });
  broken.add('r-second');
  const { id } = await api.start(agentId, { inputs: { some: 'input' }, labels: { team: 'red' } });
  assert.equal((await api.finished(id)).status, 'failed');
  broken.clear();
  const retried = await verbs.done('retryExecution', of(id, { idempotencyKey: 'retry-1' }));
  assert.deepEqual([retried.status, retried.retryOf.id, retried.forkOf, retried.idempotencyKey], ['QUEUED', ids.execution(id), null, 'retry-1']); // prettier-ignore
  const retry = uuid(retried.id);
  await api.finished(retry);
  const shown = await verbs.show(retry, family);
  assert.deepEqual([shown.status, shown.inputs, shown.output, shown.labels], ['SUCCEEDED', { some: 'input' }, { first: 'r-first', second: 'r-second' }, { team: 'red' }]); // prettier-ignore
  assert.deepEqual(shown.steps, [
    { stepId: 'first', status: 'SUCCEEDED', attempts: [] },
    { stepId: 'second', status: 'SUCCEEDED', attempts: [{ number: 1 }] },
  ]);
  assert.equal(callsOf('r-first').length, 1);
  const keys = callsOf('r-second').map(({ key }) => key);
  assert.deepEqual([keys.length, new Set(keys).size, keys[0] === undefined], [2, 1, false]);
  assert.deepEqual([await rerunsOf(id), await rerunsOf(retry)], [[retry], []]);
  assert.equal((await verbs.show(id, 'status')).status, 'FAILED', 'the other one stays as it is');

  const events: any[] = [];
  for await (const batch of api.typed().executionEvents({ executionId: retried.id })) events.push(...batch.events);
  const { sequence: _, occurredAt: __, executionId: ___, toolCallId: ____, ...reused } = events.find(({ type }) => type === 'STEP_REUSED');
  const { outputBytes, ...rest } = reused;
  assert.deepEqual(rest, { __typename: 'StepReused', type: 'STEP_REUSED', stepId: 'first', itemIndex: null, status: 'SUCCEEDED', branchCase: null, itemTotal: null, ranges: null }); // prettier-ignore
  assert.ok(outputBytes > 0);
});

test('of a list that failed half-way the items that succeeded are not done again; a retry can be retried', async () => {
  const agentId = await api.agent([
    { id: 'each', forEach: '[1, 2, 3, 4]', concurrency: 1, tool: 'test.do', with: { value: "${{ 'l-' & item }}" } },
  ]);
  broken.add('l-2').add('l-3');
  const first = await ended(agentId);
  broken.delete('l-2');
  const second = uuid((await verbs.done('retryExecution', of(first))).id);
  assert.equal((await api.finished(second)).status, 'failed');
  broken.clear();
  const third = uuid((await verbs.done('retryExecution', of(second))).id);
  assert.equal((await api.finished(third)).status, 'succeeded');
  assert.deepEqual([1, 2, 3, 4].map((n) => callsOf(`l-${n}`).length), [1, 2, 2, 1]); // prettier-ignore
  assert.equal(new Set(callsOf('l-3').map(({ key }) => key)).size, 1, 'one Idempotency-Key through all retries');
  const { steps } = await verbs.show(third, 'steps { output items(first: 10) { edges { node { index value status } } } }');
  assert.deepEqual(steps[0].output.map((output: any) => output.structured.value), ['l-1', 'l-2', 'l-3', 'l-4']); // prettier-ignore
  assert.deepEqual(steps[0].items.edges.map(({ node }: any) => [node.index, node.value, node.status]), [1, 2, 3, 4].map((n) => [n - 1, n, 'SUCCEEDED'])); // prettier-ignore
  const query = 'query ($filter: ExecutionFilter) { executions(filter: $filter) { edges { node { id } } } }';
  const listed = async (originId: string) => (await api.gql(query, { filter: { originId: ids.execution(originId) } })).data!['executions'].edges.map((edge: any) => uuid(edge.node.id)); // prettier-ignore
  assert.deepEqual([await listed(first), await listed(second), await listed(third)], [[second], [third], []]);
});

test('cancelled and blocked executions are retried, too, once at a time', async () => {
  const agentId = await api.agent([{ id: 'ask', approval: { title: 'Go on?' } }, doing('then', 'b-then', { needs: ['ask'] })]);
  const decide = async (id: string, decision: 'APPROVE' | 'REJECT') =>
    api.typed(api.reviewer).decideApproval({ input: { approvalId: ids.approval(await api.asked(id)), decision } });
  const { id } = await api.start(agentId);
  await decide(id, 'REJECT');
  assert.equal((await api.finished(id)).status, 'blocked');
  const second = uuid((await verbs.done('retryExecution', of(id))).id);
  await api.asked(second);
  await verbs.refused('retryExecution', of(id), 'InvalidStateError', /which is waiting, retries it already; wait for its end or cancel it/);
  await verbs.done('cancelExecution', of(second));
  const third = uuid((await verbs.done('retryExecution', of(second))).id);
  await decide(third, 'APPROVE');
  assert.equal((await api.finished(third)).status, 'succeeded');
  assert.equal(callsOf('b-then').length, 1);
});

test('a fork begins with the step, with other inputs; what does not follow is taken over and not repeated', async () => {
  const agentId = await api.agent(
    [
      doing('load', 'f-load'),
      doing('send', "${{ 'f-send-' & inputs.to & '-' & steps.load.output.structured.value }}"),
      doing('beside', 'f-beside'),
      { id: 'last', transform: 'steps.send.output.structured.value & inputs.to' },
    ],
    { inputs: { type: 'object', required: ['to'], properties: { to: { type: 'string' } } }, output: '${{ steps.last.output }}' },
  );
  const id = await ended(agentId, { to: 'a' });
  const fork = async (more: object) => {
    const forked = await verbs.done('forkExecution', of(id, { stepId: 'send', ...more }));
    assert.deepEqual([forked.forkOf.id, forked.retryOf, forked.forkStepId], [ids.execution(id), null, 'send']);
    await api.finished(uuid(forked.id));
    return uuid(forked.id);
  };
  const other = await fork({ inputs: { to: 'b' }, idempotencyKey: 'fork-1' });
  const same = await fork({});
  for (const [each, output] of [
    [id, 'f-send-a-f-loada'],
    [other, 'f-send-b-f-loadb'],
    [same, 'f-send-a-f-loada'],
  ] as const) {
    // prettier-ignore
    const shown = await verbs.show(each, family);
    assert.deepEqual([shown.status, shown.output], ['SUCCEEDED', output]);
  }
  assert.deepEqual([callsOf('f-load').length, callsOf('f-beside').length], [1, 1]);
  const sent = callsOf('f-send-a-f-load').map(({ key }) => key);
  assert.deepEqual([sent.length, new Set(sent).size], [2, 2], 'an effect of a fork is another effect');
  assert.deepEqual((await verbs.show(other, family)).inputs, { to: 'b' });
  assert.deepEqual((await rerunsOf(id)).sort(), [other, same].sort());
  const again = await verbs.done('forkExecution', of(id, { stepId: 'send', inputs: { to: 'b' }, idempotencyKey: 'fork-1' }));
  assert.equal(uuid(again.id), other, 'the same key and request: the same execution');
});

test('a fork may run another version, also of an execution that still runs', async () => {
  const { home } = api;
  const name = `forked-${newId()}`;
  const agentId = await api.agent([doing('load', 'v-load'), { id: 'sum', transform: 'steps.load.output.structured.value & "-old"' }], {
    name,
    output: '${{ steps.sum.output }}',
  });
  const definition = JSON.stringify({
    apiVersion: 'signalbox/v1', kind: 'Agent', metadata: { name },
    spec: { version: '2.0.0', capabilities: { read: true }, tools: ['test.do'], output: '${{ steps.sum.output }}',
      steps: [doing('load', 'v-load'), { id: 'sum', transform: 'steps.load.output.structured.value & "-new"' }] },
  }); // prettier-ignore
  const id = await ended(agentId);
  await home.write((uow) => api.services.agents.publishAgentVersion(uow, home.admin, { agentId, definition }));
  const toNew = of(id, { stepId: 'sum', version: '2.0.0' });
  await verbs.refused('forkExecution', toNew, 'InvalidStateError', /2\.0\.0 .* was never live/);
  await home.write((uow) => api.services.agents.promoteAgentVersion(uow, home.admin, { agentId, environmentId: home.staging, version: '2.0.0' })); // prettier-ignore
  const forked = await verbs.done('forkExecution', toNew);
  assert.equal(forked.version.version, '2.0.0');
  assert.equal((await api.finished(uuid(forked.id))).output, 'v-load-new');
  assert.equal((await verbs.done('forkExecution', of(id, { stepId: 'sum' }))).version.version, '1.0.0', 'without one: the one it ran');
  assert.equal(callsOf('v-load').length, 1);

  const resting = await api.agent([doing('load', 'v-rest'), { id: 'rest', needs: ['load'], wait: { signal: 'go' } }]);
  const open = (await api.start(resting)).id;
  await api.happened(open, 'execution.waiting');
  const early = uuid((await verbs.done('forkExecution', of(open, { stepId: 'load' }))).id);
  await api.happened(early, 'execution.waiting');
  assert.equal(callsOf('v-rest').length, 2);
  for (const each of [open, early]) await verbs.done('cancelExecution', of(each));
});

test('a fork with other cases of a branch above it is refused: what was chosen means nothing there', async () => {
  const { home } = api;
  const name = `cases-${newId()}`;
  const steps = (cases: readonly object[]) => [
    { id: 'choose', branch: cases },
    { id: 'left', transform: '1' },
    { id: 'right', transform: '2' },
    { id: 'end', needs: ['left'], transform: '3' },
  ];
  const toLeft = { when: 'true', then: ['left'] };
  const agentId = await api.agent(steps([toLeft, { then: ['right'] }]), { name });
  const id = await ended(agentId);
  const reordered = [{ when: 'false', then: ['right'] }, { then: ['left'] }];
  const reworded = [{ ...toLeft, when: '1 = 1' }, { then: ['right'] }];
  for (const [version, cases] of Object.entries({ '2.0.0': reordered, '3.0.0': reworded })) {
    const definition = JSON.stringify({
      apiVersion: 'signalbox/v1',
      kind: 'Agent',
      metadata: { name },
      spec: { version, steps: steps(cases) },
    });
    await home.write((uow) => api.services.agents.publishAgentVersion(uow, home.admin, { agentId, definition }));
    await home.write((uow) => api.services.agents.promoteAgentVersion(uow, home.admin, { agentId, environmentId: home.staging, version })); // prettier-ignore
  }
  const fork = (version: string) => of(id, { stepId: 'end', version });
  await verbs.refused('forkExecution', fork('2.0.0'), 'ValidationError', /comes after step "choose", which has no result/);
  const forked = await verbs.done('forkExecution', fork('3.0.0'));
  assert.equal((await api.finished(uuid(forked.id))).status, 'succeeded');
});

test('what cannot be retried or forked says why, and nothing is written', async () => {
  const { home } = api;
  const inputs = { type: 'object', properties: { n: { type: 'number' } }, additionalProperties: false };
  const agentId = await api.agent(
    [
      { id: 'choose', branch: [{ when: 'false', then: ['never'] }] },
      { id: 'never', transform: '1' },
      doing('bad', 'x-bad'),
      { id: 'after', needs: ['bad'], transform: '1' },
      { id: 'fine', transform: '1' },
    ],
    { inputs },
  );
  const good = await ended(agentId);
  broken.add('x-bad');
  const bad = await ended(agentId);
  broken.clear();
  const waiting = await api.start(await api.agent([{ id: 'rest', wait: { signal: 'go' } }, { id: 'next', needs: ['rest'], transform: '1' }])); // prettier-ignore
  await api.happened(waiting.id, 'execution.waiting');
  const retry = (input: object, type: string, message: RegExp, as?: Caller) => verbs.refused('retryExecution', input, type, message, as);
  const fork = (input: object, type: string, message: RegExp, as?: Caller) => verbs.refused('forkExecution', input, type, message, as);
  await retry(of(good), 'InvalidStateError', /is succeeded; only one that is failed, blocked or cancelled can be retried/);
  await retry(of(waiting.id), 'InvalidStateError', /is waiting; only one that is failed, blocked or cancelled/);
  await fork(of(good, { stepId: 'nonsense' }), 'ValidationError', /stepId: the execution has no step "nonsense"/);
  await fork(of(good, { stepId: '' }), 'ValidationError', /stepId: the execution has no step ""/);
  await fork(of(good, { stepId: 'a\u0000' }), 'ValidationError', /stepId: the execution has no step/);
  await fork(of(good, { stepId: 'never' }), 'InvalidStateError', /step "never" is skipped; only a step that ran to its end can be forked from/); // prettier-ignore
  await fork(of(bad, { stepId: 'after' }), 'InvalidStateError', /step "after" is (cancelled|pending); only a step that ran/);
  await fork(of(waiting.id, { stepId: 'rest' }), 'InvalidStateError', /step "rest" is waiting; only/);
  await fork(of(waiting.id, { stepId: 'next' }), 'InvalidStateError', /step "next" is pending; only/);
  await fork(of(good, { stepId: 'fine', version: '9.9.9' }), 'NotFoundError', /version: .* has no version "9\.9\.9"/);
  const wrong = await fork(of(good, { stepId: 'fine', inputs: { n: 'x', m: 1 } }), 'ValidationError', /inputs/);
  assert.deepEqual(wrong.problems.map(({ path }) => path).sort(), ['inputs.m', 'inputs.n']); // prettier-ignore
  await fork(of(good, { stepId: 'fine', inputs: { n: 1, t: 'a\u0000' } }), 'ValidationError', /inputs: .*U\+0000/);
  await fork(of(good, { stepId: 'fine', inputs: { t: 'x'.repeat(1024 * 1024) } }), 'ValidationError', /inputs: .* bytes of JSON/);
  for (const idempotencyKey of ['', 'x'.repeat(201), 'a\u0000']) {
    await retry(of(bad, { idempotencyKey }), 'ValidationError', /idempotencyKey: /);
    await fork(of(good, { stepId: 'fine', idempotencyKey }), 'ValidationError', /idempotencyKey: /);
  }
  await api.start(agentId, { idempotencyKey: 'taken' }).then(({ id }) => api.finished(id));
  await retry(of(bad, { idempotencyKey: 'taken' }), 'IdempotencyConflictError', /"taken" was used before to start something else/);
  await fork(of(good, { stepId: 'fine', idempotencyKey: 'taken' }), 'IdempotencyConflictError', /"taken" was used before/);
  for (const absent of [ids.execution(newId()), ids.agent(agentId)]) {
    const type = absent === ids.agent(agentId) ? 'ValidationError' : 'NotFoundError';
    await retry({ executionId: absent }, type, /there is no execution|expected a global id of type Execution/);
    await fork({ executionId: absent, stepId: 'fine' }, type, /there is no execution|expected a global id of type Execution/);
  }
  await home.write((uow) => api.services.agents.pauseAgent(uow, home.admin, { agentId, reason: 'under repair' }));
  await retry(of(bad), 'InvalidStateError', /is paused: under repair/);
  await fork(of(good, { stepId: 'fine' }), 'InvalidStateError', /is paused: under repair/);
  await verbs.done('cancelExecution', of(waiting.id));
});

test('retrying and forking need execution.start at the place of the execution: the roles that may, their twins, and places away', async () => {
  const { home } = api;
  const agentId = await api.agent([doing('a', 'roles')], { environments: [home.staging, home.production], teamId: home.team });
  broken.add('roles');
  const failed = async (environmentId: string) => {
    const { id } = await api.start(agentId, { environmentId });
    await api.finished(id);
    return id;
  };
  const [staging, production] = [await failed(home.staging), await failed(home.production)];
  const settle = async (execution: any) => void (await api.finished(uuid(execution.id)));
  const both = (id: string) => [['retryExecution', of(id)], ['forkExecution', of(id, { stepId: 'a' })]] as const; // prettier-ignore
  const mayStart: Role[] = ['admin', 'operator', 'service'];
  for (const role of roles) {
    const as = await home.principal([[role, 'tenant', home.tenantId]]);
    for (const [name, input] of both(staging)) {
      if (mayStart.includes(role)) await settle(await verbs.done(name, input, as));
      else await verbs.refused(name, input, 'ForbiddenError', /execution\.start/, as);
    }
  }
  const key = (environmentId: string) =>
    home.write((uow) => api.people.apiKeys.createApiKey(uow, home.admin, { name: newId(), roles: ['operator'], environmentId }));
  const blind: Caller[] = [
    await home.principal([['operator', 'environment', home.staging]]),
    await home.principal([['operator', 'team', home.otherTeam]]),
    (await key(home.staging)).token,
    api.people.other.admin,
  ];
  const reader = await home.principal([['operator', 'environment', home.staging], ['viewer', 'project', home.project]]); // prettier-ignore
  for (const [name, input] of both(production)) {
    for (const as of blind) await verbs.refused(name, input, 'NotFoundError', /there is no execution/, as);
    await verbs.refused(name, input, 'ForbiddenError', /execution\.start, which you do not hold here/, reader);
    for (const as of [await home.principal([['service', 'team', home.team]]), (await key(home.production)).token]) {
      await settle(await verbs.done(name, input, as));
    }
  }
  broken.clear();
  const own = await home.principal([['operator', 'environment', home.production]]);
  const { requestedBy, id } = await verbs.done('retryExecution', of(production), own);
  await api.finished(uuid(id));
  assert.equal(uuid(requestedBy.id), own.principalId, 'whoever retries has requested it');
});

// What docs/executions.md shows of pausing, later starts, signals, children, retries and forks is run here, and answers as it says.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { parseGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import { ids, testApi, type Api } from './harness/api.ts';
import { blocksOf } from './harness/manual.ts';

const blocks = blocksOf('executions.md');
const broken = new Set<unknown>();
const sent: { readonly to: unknown; readonly key: string | undefined }[] = [];
let api: Api;
before(async () => {
  api = await testApi({
    tools: {
      'test.send': {
        run: ({ to }, { idempotencyKey: key }) => {
          sent.push({ to, key });
          if (broken.has(to)) throw new Error('no');
          return to;
        },
      },
    },
  });
  await api.runner({ services: api.services });
});
after(() => api.close());

/** Runs a shown document; of several operations the named one. */
async function ask(query: string, variables: object, operationName?: string): Promise<any> {
  const one =
    operationName === undefined ? query : query.split(/^(?=mutation|query)/m).find((part) => part.includes(` ${operationName}(`))!;
  const { data, errors } = await api.gql(one, { ...variables }, { as: api.operator });
  assert.equal(errors, undefined, JSON.stringify(errors));
  return Object.values(data!)[0];
}
const uuid = (globalId: string) => parseGlobalId(globalId)!.id;
const nodesOf = (connection: any) => connection.edges.map((edge: any) => edge.node);

test('pause and resume', async () => {
  const [query] = blocks('Pause and resume', 'graphql') as [string];
  const agentId = await api.agent([{ id: 'rest', wait: { signal: 'go' } }]);
  const { id } = await api.start(agentId);
  await api.happened(id, 'execution.waiting');
  const executionId = ids.execution(id);
  assert.deepEqual(await ask(query, { executionId }, 'pause'), { execution: { status: 'PAUSED' } });
  assert.deepEqual(await ask(query, { executionId }, 'resume'), { execution: { status: 'WAITING' } });
  await api.typed(api.operator).cancelExecution({ input: { executionId } });
  const [refusal] = blocks('Pause and resume', 'json').map((text) => JSON.parse(text));
  assert.deepEqual(await ask(query, { executionId }, 'resume'), refusal);
});

test('later starts', async () => {
  const [query] = blocks('Later starts', 'graphql') as [string];
  const agentId = ids.agent(await api.agent([{ id: 'a', transform: '1' }]));
  const environmentId = ids.environment(api.home.staging);
  const startAt = new Date(Date.now() + 86_400_000).toISOString();
  const { execution } = await ask(query, { agentId, environmentId, startAt });
  assert.deepEqual([execution.status, execution.startAt], ['SCHEDULED', startAt]);
  const passed = await ask(query, { agentId, environmentId, startAt: '2020-01-01T00:00:00Z' });
  assert.match(passed.message, /startAt: 2020-01-01T00:00:00\.000Z has passed/);
  await api.typed(api.operator).cancelExecution({ input: { executionId: execution.id } });
});

test('signals', async () => {
  const [send, read] = blocks('Signals', 'graphql') as [string, string];
  const [step] = blocks('Signals', 'yaml') as [string];
  const steps = [...parse(step), { id: 'sum', transform: 'steps.paid.output.payload.amount + 1' }];
  const { id } = await api.start(await api.agent(steps, { output: '${{ steps.sum.output }}' }));
  await api.happened(id, 'execution.waiting');
  const waiting = await ask(read, { id: ids.execution(id) });
  assert.deepEqual(waiting.steps.map(({ stepId, signal }: any) => [stepId, signal]), [['paid', 'payment-received'], ['sum', null]]); // prettier-ignore
  const { signal } = await ask(send, { executionId: ids.execution(id) });
  assert.equal(signal.name, 'payment-received');
  assert.equal((await api.finished(id)).output, 121);
  assert.deepEqual((await ask(send, { executionId: ids.execution(id) })).signal, signal, 'the same key: the same signal');
  const after = await ask(read, { id: ids.execution(id) });
  assert.deepEqual(nodesOf(after.signals), [{ name: 'payment-received', payload: { amount: 120 }, receivedByStepId: 'paid' }]);
});

test('child executions', async () => {
  const [query] = blocks('Child executions', 'graphql') as [string];
  const name = `child-${newId()}`;
  await api.agent([{ id: 'double', transform: 'inputs.n * 2' }], { name });
  const { id } = await api.start(
    await api.agent([{ id: 'each', forEach: '[1, 2]', agent: { name }, with: { n: '${{ item }}' } }, { id: 'one', agent: { name }, with: { n: 3 } }]), // prettier-ignore
  );
  await api.finished(id);
  const tree = await ask(query, { id: ids.execution(id) });
  const children = nodesOf(tree.children);
  assert.deepEqual([tree.depth, children.length], [0, 3]);
  assert.ok(children.every((child: any) => child.depth === 1 && child.agent.name === name && child.root.id === ids.execution(id)));
  assert.deepEqual(children.map((child: any) => `${child.parentStepId} ${child.parentItemIndex}`).sort(), ['each 0', 'each 1', 'one null']); // prettier-ignore
  const [each, one] = tree.steps;
  assert.deepEqual([each.childExecution, one.childExecution], [null, { status: 'SUCCEEDED' }]);
  assert.deepEqual(nodesOf(each.items), [0, 1].map((index) => ({ index, childExecution: { status: 'SUCCEEDED' } }))); // prettier-ignore
});

test('retry and fork', async () => {
  const [query] = blocks('Retry and fork', 'graphql') as [string];
  const agentId = await api.agent([{ id: 'load', tool: 'test.send', with: { to: 'load' } }, { id: 'send', needs: ['load'], tool: 'test.send', with: { to: '${{ inputs.to }}' } }]); // prettier-ignore
  broken.add('ada');
  const { id } = await api.start(agentId, { inputs: { to: 'ada' } });
  assert.equal((await api.finished(id)).status, 'failed');
  broken.clear();
  const { execution: retry } = await ask(query, { executionId: ids.execution(id) }, 'retry');
  assert.deepEqual(retry.retryOf, { status: 'FAILED' });
  assert.equal((await api.finished(uuid(retry.id))).status, 'succeeded');
  const { execution: fork } = await ask(query, { executionId: retry.id }, 'fork');
  assert.deepEqual([fork.forkStepId, fork.forkOf], ['send', { status: 'SUCCEEDED' }]);
  await api.finished(uuid(fork.id));
  assert.deepEqual(sent.map(({ to }) => to), ['load', 'ada', 'ada', 'grace']); // prettier-ignore
  assert.deepEqual([sent[1]!.key === sent[2]!.key, sent[3]!.key === sent[2]!.key], [true, false]);
});

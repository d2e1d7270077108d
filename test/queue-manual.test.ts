// What docs/executions.md shows of the queue is run here, and answers as it says.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toGlobalId } from '#schema/ids.ts';
import { testApi, type Api } from './harness/api.ts';
import { blocksOf } from './harness/manual.ts';

const [limits, cancelling, letters] = blocksOf('executions.md')('Queue', 'graphql') as [string, string, string];
let api: Api;
before(async () => {
  api = await testApi({
    tools: {
      'test.fail': {
        run: () => {
          throw new Error('no');
        },
      },
    },
  });
  await api.runner({ services: api.services });
});
after(() => api.close());

/** Runs the named operation of a shown document. */
async function ask(document: string, name: string, variables: object = {}): Promise<any> {
  const one = document.split(/^(?=mutation|query)/m).find((part) => new RegExp(`^(mutation|query) ${name}\\b`).test(part))!;
  const { data, errors } = await api.gql(one, { ...variables }, { as: api.operator });
  assert.equal(errors, undefined, JSON.stringify(errors));
  return Object.values(data!)[0];
}

test('limits, the backlog, and cancelling everything in it', async () => {
  const agent = await api.agent([{ id: 'a', transform: '1' }]);
  const agentId = toGlobalId('Agent', agent);
  assert.deepEqual(await ask(limits, 'limit', { scopeId: agentId, maxRunning: 0 }), { limit: { scope: 'AGENT', maxRunning: 0 } });
  const { id } = await api.start(agent, { priority: 2 });
  const status = await ask(limits, 'status');
  assert.deepEqual([status.backlog, status.admitted, status.running], [[{ priority: 2, count: 1 }], 0, 0]);
  const { operation } = await ask(cancelling, 'cancelAll', { agentId });
  assert.equal(operation.status, 'QUEUED');
  assert.equal((await api.finished(id)).status, 'cancelled');
  let progress = await ask(cancelling, 'progress', { id: operation.id });
  while (progress.status !== 'FINISHED') progress = await ask(cancelling, 'progress', { id: operation.id });
  assert.deepEqual(progress, { status: 'FINISHED', matched: 1, cancelled: 1, failed: 0 });
  assert.deepEqual(await ask(limits, 'limit', { scopeId: agentId, maxRunning: null }), { limit: null });
});

test('dead letters', async () => {
  const { id } = await api.start(await api.agent([{ id: 'fails', tool: 'test.fail', with: {} }]));
  await api.finished(id);
  const { edges } = await ask(letters, 'letters', { codes: ['TOOL_ERROR'] });
  assert.deepEqual(
    edges.map(({ node }: any) => [node.stepId, node.itemIndex, node.failure.code, node.attempts, node.execution.id]),
    [['fails', null, 'TOOL_ERROR', [{ number: 1, status: 'FAILED' }], toGlobalId('Execution', id)]],
  );
});

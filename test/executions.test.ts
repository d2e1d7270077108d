// Executions on a real runner: every step kind and common key, governed and durable.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testEngine, type Engine } from './harness/engine.ts';

let engine: Engine;
let inFlight = 0;
let most = 0;
/** How many calls have to be under way at once before they all go on. */
let party = 1;
const gathered: (() => void)[] = [];
function meet(): Promise<void> {
  most = Math.max(most, (inFlight += 1));
  const together = new Promise<void>((resolve) => gathered.push(resolve));
  if (gathered.length === party) for (const go of gathered.splice(0)) go();
  return together.finally(() => (inFlight -= 1));
}
before(async () => {
  engine = await testEngine({
    'math.add': { run: ({ a, b }) => (a as number) + (b as number) },
    'math.fail': {
      run: () => {
        throw new Error('no');
      },
    },
    'lab.meet': { run: () => meet() },
  });
  await engine.runner();
});
after(() => engine.close());

const types = async (id: string) => (await engine.events(id)).map((event) => event.type);

test('a chain of tool and transform runs to its output, with gap-free events', async () => {
  const agentId = await engine.agent(
    [
      { id: 'sum', tool: { name: 'math.add', with: { a: '${{ inputs.a }}', b: 2 } } },
      { id: 'double', transform: 'steps.sum.output.structured.value * 2', needs: ['sum'] },
    ],
    { output: '${{ steps.double.output }}' },
  );
  const { id } = await engine.start(agentId, { a: 40 });
  const done = await engine.finished(id);
  assert.equal(done.status, 'succeeded', JSON.stringify(done.failure));
  assert.equal(done.output, 84);
  const events = await engine.events(id);
  assert.deepEqual(
    events.map((event) => event.sequence),
    events.map((_, index) => index + 1),
  );
  assert.deepEqual(await types(id), [
    'execution.queued',
    'execution.started',
    'step.queued',
    'step.started',
    'step.succeeded',
    'step.queued',
    'step.succeeded',
    'execution.succeeded',
  ]);
});

test('forEach runs every item, keeps their order and collects their outputs', async () => {
  const agentId = await engine.agent(
    [
      {
        id: 'each',
        forEach: 'inputs.list',
        concurrency: 3,
        tool: { name: 'math.add', with: { a: '${{ item }}', b: '${{ index }}' } },
      },
      { id: 'total', transform: '$sum(steps.each.output.structured.value)', needs: ['each'] },
    ],
    { output: '${{ steps.total.output }}' },
  );
  const list = Array.from({ length: 20 }, (_, index) => index);
  const done = await engine.finished((await engine.start(agentId, { list })).id);
  assert.equal(done.status, 'succeeded', JSON.stringify(done.failure));
  assert.equal(done.output, 380);
});

test('what follows a forEach sees its last item, also when that is the only one', async () => {
  const agentId = await engine.agent(
    [
      { id: 'each', forEach: 'inputs.list', tool: { name: 'math.add', with: { a: '${{ item }}', b: 1 } } },
      { id: 'values', transform: '[steps.each.output.structured.value]', needs: ['each'] },
    ],
    { output: '${{ steps.values.output }}' },
  );
  for (const list of [[4], [4, 5]]) {
    const done = await engine.finished((await engine.start(agentId, { list })).id);
    assert.deepEqual(
      done.output,
      list.map((value) => value + 1),
    );
  }
});

test('forEach runs as many items at a time as concurrency says, and never more', async () => {
  most = 0;
  party = 3;
  const agentId = await engine.agent([{ id: 'each', forEach: 'inputs.list', concurrency: 3, tool: { name: 'lab.meet', with: {} } }]);
  const list = Array.from({ length: 12 }, (_, index) => index);
  assert.equal((await engine.finished((await engine.start(agentId, { list })).id)).status, 'succeeded');
  assert.equal(most, 3);
});

test('steps that do not need each other run at the same time', async () => {
  most = 0;
  party = 4;
  const agentId = await engine.agent([1, 2, 3, 4].map((index) => ({ id: `s${index}`, tool: { name: 'lab.meet', with: {} } })));
  assert.equal((await engine.finished((await engine.start(agentId)).id)).status, 'succeeded');
  assert.equal(most, 4);
});

test('a failing tool is retried as configured and then fails the execution, naming the step', async () => {
  const retry = { maxAttempts: 3, initialMs: 1, factor: 1, maxMs: 1 };
  const agentId = await engine.agent([{ id: 'bad', tool: { name: 'math.fail', with: {} }, retry }]);
  const { id } = await engine.start(agentId);
  const done = await engine.finished(id);
  assert.equal(done.status, 'failed');
  assert.equal(done.failure?.stepId, 'bad');
  assert.deepEqual(
    (await types(id)).filter((type) => type.startsWith('step.')),
    ['step.queued', 'step.started', 'step.retry_scheduled', 'step.started', 'step.retry_scheduled', 'step.started', 'step.failed'],
  );
});

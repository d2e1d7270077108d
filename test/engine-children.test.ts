// Agent steps on the real engine: what goes down and comes up, who ends with whom, pauses, and deaths at every commit.
// What hinders one: engine-children-limits.test.ts.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { StepDefinition } from '#src/agents/definition.ts';
import { agentStep, controlOf } from './harness/engine-control.ts';
import { looksAt, tool, type Steps } from './harness/engine-looks.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
let failures = 0;
let double: string;
let waiter: string;
let moody: string;
before(async () => {
  engine = await handEngine({
    'test.note': { run: ({ n }) => n },
    'test.moody': {
      run: () => {
        if (failures-- > 0) throw new Error('moody');
        return 'fine';
      },
    },
  });
  double = await engine.agent([{ id: 'double', transform: '{ "twice": inputs.n * 2 }' }], {
    inputs: { type: 'object', required: ['n'], properties: { n: { type: 'number' } }, additionalProperties: false },
    output: '${{ steps.double.output }}',
  });
  waiter = await engine.agent([{ id: 'go', wait: { signal: 'go', timeoutMs: null } }], { output: '${{ steps.go.output.payload }}' });
  moody = await engine.agent([{ id: 'try', ...tool('test.moody') }], { output: '${{ steps.try.output.structured.value }}' });
});
after(() => engine.close());
const { start, look, types, rowOf, rows, statuses, codeOf } = looksAt(() => engine);
const { pause, resume, signal, decide, checked } = controlOf(() => engine);

interface Child {
  id: string;
  status: string;
  step: string;
  item: number;
  depth: number;
  by: string;
}
const childrenOf = (id: string): Promise<Child[]> =>
  rows(
    `select id, status, parent_step_id as step, parent_item_index as item, depth, requested_by as by from executions
     where parent_id = $1 order by id`,
    id,
  );
const onlyChild = async (id: string): Promise<Child> => {
  const children = await childrenOf(id);
  assert.equal(children.length, 1);
  return children[0]!;
};
const then: Partial<StepDefinition> = { id: 'then', transform: 'steps.child.output', needs: ['child'] };

describe('agent', () => {
  it('runs with the evaluated inputs under the starter’s name, and its output is the step’s', async () => {
    const id = await start([{ id: 'child', ...agentStep(double, { n: '${{ inputs.n }}' }) }, then], { n: 21 });
    assert.equal((await look(id)).status, 'succeeded');
    assert.deepEqual((await rowOf(id, 'then')).output, { twice: 42 });
    const child = await onlyChild(id);
    assert.deepEqual(
      [child.status, child.step, child.item, child.depth, child.by],
      ['succeeded', 'child', -1, 1, engine.operator.principalId],
    );
    assert.deepEqual(await types(id, 'child'), ['step.queued', 'step.started', 'step.child_started', 'step.succeeded']);
    const [decision] = await rows(`select action from decisions where execution_id = $1`, child.id);
    assert.equal(decision.action, 'execution.start');
    await checked(id, child.id);
  });

  it('without output gives null', async () => {
    const silent = await engine.agent([{ id: 'a', transform: '1' }]);
    const id = await start([{ id: 'child', ...agentStep(silent) }, then]);
    assert.equal((await rowOf(id, 'then')).output, null);
    await checked(id);
  });

  it('waits without a job for the other execution, and so does its starter', async () => {
    const id = await start([{ id: 'child', ...agentStep(waiter) }, then]);
    const child = await onlyChild(id);
    assert.deepEqual([(await look(id)).status, child.status], ['waiting', 'waiting']);
    assert.deepEqual([await engine.jobsOf(id), await engine.jobsOf(child.id)], [[], []]);
    await signal(child.id, 'go', { payload: 'up' });
    await engine.work();
    assert.equal((await rowOf(id, 'then')).output, 'up');
    await checked(id, child.id);
  });

  it('fails with the code that says how the other one ended, and why', async () => {
    const refusing = await engine.agent([
      { id: 'ask', approval: { title: 'ok?', reason: '', risk: 'low', expiresInMs: 60_000, show: null } },
    ]);
    failures = 1;
    const failed = await start([{ id: 'child', ...agentStep(moody) }]);
    assert.equal(await codeOf(failed, 'child'), 'CHILD_FAILED');
    assert.match((await rowOf(failed, 'child')).failure.message, /is failed: STEP_FAILED, step "try" failed/);

    const cancelled = await start([{ id: 'child', ...agentStep(waiter) }]);
    await engine.cancel((await onlyChild(cancelled)).id);
    await engine.work();
    assert.equal(await codeOf(cancelled, 'child'), 'CHILD_CANCELLED');

    const blocked = await start([{ id: 'child', ...agentStep(refusing) }]);
    await decide((await onlyChild(blocked)).id, 'reject');
    await engine.work();
    assert.equal(await codeOf(blocked, 'child'), 'CHILD_BLOCKED');
    for (const id of [failed, cancelled, blocked]) assert.equal((await look(id)).status, 'failed');
    await checked(failed, cancelled, blocked);
  });

  it('is tried again as retry says, each time with another execution; what was cancelled is not', async () => {
    const retry = { maxAttempts: 3, initialMs: 1_000, factor: 1, maxMs: 1_000 };
    failures = 1;
    const id = await start([{ id: 'child', ...agentStep(moody), retry }, then]);
    assert.equal((await engine.later())[0], 500);
    engine.clock.advance(500);
    await engine.work();
    assert.equal((await rowOf(id, 'then')).output, 'fine');
    const children = await childrenOf(id);
    assert.deepEqual(
      children.map(({ status }) => status),
      ['failed', 'succeeded'],
    );
    assert.equal((await rowOf(id, 'child')).child_id, children[1]!.id);
    const keys = engine.calls.slice(-2).map(({ options }) => options.idempotencyKey);
    assert.deepEqual(
      keys,
      children.map((child) => `${child.id}:try:-1`),
    );

    const cancelled = await start([{ id: 'child', ...agentStep(waiter), retry }]);
    await engine.cancel((await onlyChild(cancelled)).id);
    await engine.work();
    assert.equal((await look(cancelled)).status, 'failed');
    await checked(id, cancelled);
  });

  it('runs once for each item, and in each iteration of a loop', async () => {
    const id = await start([
      { id: 'each', forEach: '[1, 2, 3]', concurrency: 2, ...agentStep(double, { n: '${{ item }}' }), reduce: '$sum(items.twice)' },
      {
        id: 'grow',
        ...agentStep(double, { n: '${{ previous ? previous.twice : 1 }}' }),
        loop: { until: 'output.twice >= 8', max: 9, everyMs: 0 },
      },
    ]);
    assert.equal((await rowOf(id, 'each')).output, 12);
    assert.deepEqual((await rowOf(id, 'grow')).output, { twice: 8 });
    const children = await childrenOf(id);
    assert.deepEqual(
      children.map(({ step, item }) => `${step}#${item}`).toSorted((a, b) => a.localeCompare(b)),
      ['each#0', 'each#1', 'each#2', 'grow#0', 'grow#1', 'grow#2'],
    );
    await checked(id, ...children.map((child) => child.id));
  });
});

describe('whoever ends first', () => {
  const parent = (onParentEnd: 'cancel' | 'abandon', more: Steps = []): Steps => [
    { id: 'child', ...agentStep(waiter, {}, onParentEnd) },
    ...more,
  ];

  it('cancelled: cancels what it started and what that started, and leaves alone what is on its own', async () => {
    const middle = await engine.agent(parent('cancel'));
    const id = await start([
      { id: 'bound', ...agentStep(middle) },
      { id: 'free', ...agentStep(waiter, {}, 'abandon') },
    ]);
    const children = await childrenOf(id);
    const bound = children.find(({ step }) => step === 'bound')!;
    const free = children.find(({ step }) => step === 'free')!;
    const below = await onlyChild(bound.id);
    await engine.cancel(id);
    await engine.work();
    assert.deepEqual(
      [(await look(bound.id)).status, (await look(below.id)).status, (await look(free.id)).status],
      ['cancelled', 'cancelled', 'waiting'],
    );
    const final = (await engine.events(bound.id)).at(-1)!;
    assert.deepEqual(final.data, { reason: 'the execution that started it is cancelled', cancelledBy: engine.operator.principalId });
    await signal(free.id, 'go');
    await engine.work();
    assert.equal((await look(free.id)).status, 'succeeded');
    assert.equal((await look(id)).status, 'cancelled');
    await checked(id, bound.id, below.id, free.id);
  });

  it('failed: cancels what it started', async () => {
    const nap: Partial<StepDefinition> = { id: 'nap', wait: { durationMs: 1_000 } };
    const id = await start(parent('cancel', [nap, { id: 'bad', ...tool('test.moody'), needs: ['nap'] }]));
    engine.clock.advance(1_000);
    failures = 1;
    await engine.work();
    assert.equal((await look(id)).status, 'failed');
    assert.equal((await onlyChild(id)).status, 'cancelled');
  });

  it('items that run while another one fails are cancelled with the execution', async () => {
    const mixed = await engine.agent([
      { id: 'choose', branch: [{ when: 'inputs.n = 2', then: ['bad'] }, { then: ['go'] }] },
      { id: 'bad', transform: '$error("two")', needs: ['choose'] },
      { id: 'go', wait: { signal: 'go', timeoutMs: null }, needs: ['choose'] },
    ]);
    const id = await start([{ id: 'each', forEach: '[1, 2, 3]', ...agentStep(mixed, { n: '${{ item }}' }) }]);
    assert.equal((await look(id)).status, 'failed');
    assert.deepEqual(
      (await childrenOf(id)).map(({ status }) => status),
      ['cancelled', 'failed', 'cancelled'],
    );
    await checked(id);
  });
});

describe('pausing', () => {
  it('the starter does not pause what it started; how that ended is kept, and acted on after the pause', async () => {
    const id = await start([{ id: 'child', ...agentStep(waiter) }, then]);
    const child = await onlyChild(id);
    await pause(id);
    assert.equal((await look(child.id)).status, 'waiting');
    await signal(child.id, 'go', { payload: 7 });
    await engine.work();
    assert.equal((await look(child.id)).status, 'succeeded');
    assert.deepEqual([(await look(id)).status, await statuses(id)], ['paused', { child: 'succeeded', then: 'queued' }]);
    await resume(id);
    await engine.work();
    assert.equal((await rowOf(id, 'then')).output, 7);
    await checked(id, child.id);
  });

  it('what was started does not pause its starter, which waits on', async () => {
    const id = await start([{ id: 'child', ...agentStep(waiter) }]);
    const child = await onlyChild(id);
    await pause(child.id);
    await signal(child.id, 'go');
    await engine.work();
    assert.deepEqual([(await look(id)).status, (await look(child.id)).status], ['waiting', 'paused']);
    await resume(child.id);
    await engine.work();
    assert.equal((await look(id)).status, 'succeeded');
    await checked(id, child.id);
  });

  it('a child that fails during the pause, and is to be tried again, is tried after it', async () => {
    const nap = await engine.agent([
      { id: 'nap', wait: { durationMs: 1_000 } },
      { id: 'try', ...tool('test.moody'), needs: ['nap'] },
    ]);
    failures = 1;
    const id = await start([{ id: 'child', ...agentStep(nap), retry: { maxAttempts: 2, initialMs: 1_000, factor: 1, maxMs: 1_000 } }]);
    await pause(id);
    engine.clock.advance(1_000);
    await engine.work();
    assert.deepEqual(
      (await childrenOf(id)).map(({ status }) => status),
      ['failed'],
    );
    engine.clock.advance(10_000);
    await engine.work();
    assert.equal((await childrenOf(id)).length, 1);
    await resume(id);
    await engine.work();
    engine.clock.advance(1_000);
    await engine.work();
    assert.equal((await look(id)).status, 'succeeded');
    assert.deepEqual(
      (await childrenOf(id)).map(({ status }) => status),
      ['failed', 'succeeded'],
    );
    await checked(id);
  });
});

describe('a runner that dies', () => {
  it('at any commit starts one execution for one attempt, and no end of one is lost', async () => {
    const noting = await engine.agent([{ id: 'note', ...tool('test.note', { n: '${{ inputs.n }}' }) }], {
      output: '${{ steps.note.output.structured.value }}',
    });
    const agentId = await engine.agent([
      { id: 'child', ...agentStep(noting, { n: 1 }) },
      { id: 'each', forEach: '[1, 2]', ...agentStep(noting, { n: '${{ item }}' }), needs: ['child'] },
    ]);
    const writes = engine.dieAt(() => null);
    await engine.start(agentId);
    await engine.work();
    const total = writes();
    assert.ok(total > 8, `${total} transactions`);
    for (let at = 0; at < total; at += 1) {
      for (const death of ['inside', 'after'] as const) {
        engine.dieAt((write) => (write === at ? death : null));
        const { id } = await engine.start(agentId);
        await engine.work();
        engine.dieAt(null);
        const where = `${death} transaction ${at}`;
        assert.equal((await look(id)).status, 'succeeded', where);
        const children = await childrenOf(id);
        assert.deepEqual(
          children.map(({ step, item, status }) => `${step}#${item} ${status}`).sort(),
          ['child#-1 succeeded', 'each#0 succeeded', 'each#1 succeeded'],
          where,
        );
        await checked(id, ...children.map((child) => child.id));
      }
    }
  });
});

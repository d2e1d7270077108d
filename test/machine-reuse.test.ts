// What an execution may take over from another one before it starts, decided by the pure machine; and how it goes on from there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide, type Outcome } from '#src/executions/machine.ts';
import type { Command, ReusedStep } from '#src/executions/machine-command.ts';
import { newState, planOf, statusOf, type ExecutionState } from '#src/executions/machine-state.ts';
import { step } from './harness/engine.ts';
import { definitionOf } from './harness/machine.ts';

const plan = planOf(
  definitionOf(
    [
      { id: 'choose', branch: [{ when: 'inputs.x', then: ['left'] }, { then: ['right'] }] },
      { id: 'bad', transform: '1' },
      { id: 'left', transform: '1', needs: ['choose', 'bad'] },
      { id: 'right', transform: '1', needs: ['choose', 'bad'] },
      { id: 'loop', transform: '1', loop: { until: 'false', max: 3, everyMs: 0 } },
      { id: 'list', transform: '1', forEach: '[1, 2, 3]' },
    ].map(step),
  ),
);

function after(...commands: Command[]): ExecutionState {
  let state = newState();
  for (const command of [{ type: 'queue', requestedBy: 'p' } as const, ...commands]) {
    const outcome = decide(plan, state, command, 0);
    assert.ok(outcome.ok, outcome.ok ? '' : outcome.reason);
    state = outcome.state;
  }
  return state;
}

const reused = (stepId: string, more: Partial<ReusedStep> = {}): ReusedStep => ({ stepId, status: 'succeeded', outputBytes: 4, ...more });
const reuse = (...steps: ReusedStep[]): Outcome => decide(plan, after(), { type: 'reuse', steps }, 0);

function refusedFor(message: RegExp, ...steps: ReusedStep[]): void {
  const outcome = reuse(...steps);
  assert.ok(!outcome.ok);
  assert.match(outcome.reason, message);
}

test('a step is not taken over without what it needs, unless its branch alone had passed it over', () => {
  const choice = reused('choose', { branchCase: 1 });
  refusedFor(/step "left" cannot be reused without step "bad"/, choice, reused('left'));
  refusedFor(/step "right" cannot be reused without step "bad"/, choice, reused('right', { status: 'skipped' }));
  refusedFor(/step "left" cannot be reused without step "choose"/, reused('bad'), reused('left', { status: 'skipped' }));
  const state = after({ type: 'reuse', steps: [choice, reused('left', { status: 'skipped' })] }, { type: 'start' });
  assert.deepEqual(
    ['left', 'right', 'bad'].map((id) => statusOf(state, id)),
    ['skipped', 'pending', 'queued'],
  );
  const slot = { stepId: 'bad', itemIndex: -1 };
  const done = decide(plan, state, { type: 'complete', slot, outputBytes: 4 }, 0);
  assert.ok(done.ok);
  assert.deepEqual(
    ['left', 'right'].map((id) => statusOf(done.state, id)),
    ['skipped', 'queued'],
  );
});

test('of a loop its first iterations are taken over, but not all; it goes on with the next', () => {
  const loop = (ranges: readonly (readonly [number, number])[], total = 3) =>
    reused('loop', { status: 'pending', items: { total, ranges } });
  for (const wrong of [
    loop([[1, 1]]),
    loop([[0, 2]]),
    loop([]),
    loop([
      [0, 0],
      [2, 2],
    ]),
    loop([[0, 0]], 4),
  ])
    refusedFor(/step "loop" cannot have such items/, wrong);
  refusedFor(/cannot have such items/, reused('loop', { items: { total: 3, ranges: [[0, 1]] } }));
  refusedFor(/step "bad" cannot have such items/, reused('bad', { items: { total: 1, ranges: [[0, 0]] } }));
  const state = after({ type: 'reuse', steps: [loop([[0, 1]])] }, { type: 'start' });
  const slot = { stepId: 'loop', itemIndex: -1 };
  assert.ok(!decide(plan, state, { type: 'expand', slot, total: 3 }, 0).ok, 'it has its iterations already');
  const next = decide(plan, state, { type: 'iterate', slot, done: false, outputBytes: 4 }, 0);
  assert.ok(next.ok);
  assert.deepEqual(
    next.events.map(({ type }) => type),
    ['step.iterated', 'step.queued'],
  );
  assert.equal(next.state.items.get('loop#2')?.status, 'queued');
});

test('a loop of which nothing was taken over has no iteration to go on from', () => {
  const outcome = decide(
    plan,
    after({ type: 'start' }),
    { type: 'iterate', slot: { stepId: 'loop', itemIndex: -1 }, done: false, outputBytes: 4 },
    0,
  );
  assert.ok(!outcome.ok);
  assert.match(outcome.reason, /step "loop" has not begun its loop/);
});

test('nothing is taken over once an execution has started, twice, or when there is nothing', () => {
  refusedFor(/nothing to reuse/);
  refusedFor(/the definition has no step "gone"/, reused('gone'));
  const command: Command = { type: 'reuse', steps: [reused('bad')] };
  for (const state of [after({ type: 'start' }), after(command)]) {
    const outcome = decide(plan, state, command, 0);
    assert.ok(!outcome.ok);
    assert.match(outcome.reason, /only before the execution starts/);
  }
});

// The pure machine against random definitions, random legal and illegal commands and random times.
// A failure prints its seed and path; run it again with `FC_SEED=… FC_PATH=… npm test -- test/machine.test.ts`, or more of them
// with `FC_RUNS=20000 npm test -- test/machine.test.ts`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventTypes } from '#src/events/catalogue.ts';
import { isFinalExecution } from '#src/executions/execution.ts';
import { decide } from '#src/executions/machine.ts';
import { newState, planOf } from '#src/executions/machine-state.ts';
import { anyCommand, arbitraryDefinition, definitionOf, drive, noteOn, runs, tapeOf } from './harness/machine.ts';
import { Life } from './harness/machine-invariants.ts';

const tape = fc.array(fc.nat({ max: 9_999 }), { maxLength: 400, size: 'max' });
/** Far above what the longest life of seven steps needs: 5 items, 3 tries and 10 interruptions each. */
const patience = 5_000;
/** Late enough for every timer, and early for none. */
const late = 10_000_000;

test('any life keeps the invariants: legal commands, illegal ones between them, and clocks that jump', () => {
  fc.assert(
    fc.property(arbitraryDefinition(), tape, (definition, numbers) => {
      const life = new Life(planOf(definition));
      const next = tapeOf(numbers);
      let now = 0;
      for (let turn = 0; turn < 150 && !isFinalExecution(life.state.status); turn += 1) {
        now = next() % 5 === 0 ? next() : now + (next() % 2_000);
        if (next() % 3 === 0) life.run(anyCommand(life.state, next), now);
        const command = drive(life.plan, life.state, next);
        if (command) life.run(command, now);
      }
    }),
    runs(1_500),
  );
});

test('a driver that answers every open slot always reaches a final status', () => {
  fc.assert(
    fc.property(arbitraryDefinition(), tape, (definition, numbers) => {
      const life = new Life(planOf(definition));
      const next = tapeOf(numbers);
      for (let turn = 0; turn < patience; turn += 1) {
        const command = drive(life.plan, life.state, next);
        if (!command) return;
        assert.ok(life.run(command, late * (turn + 1)), `the driver's ${command.type} is refused`);
      }
      assert.fail(`still ${life.state.status} after ${patience} commands`);
    }),
    runs(1_000),
  );
});

test('cancel ends an execution from any status, and nothing changes a final one', () => {
  fc.assert(
    fc.property(arbitraryDefinition(), tape, fc.nat({ max: 60 }), (definition, numbers, moment) => {
      const life = new Life(planOf(definition));
      const next = tapeOf(numbers);
      life.run({ type: 'queue', requestedBy: 'someone' }, 0);
      for (let turn = 0; turn < moment; turn += 1) {
        const command = drive(life.plan, life.state, next);
        if (command) life.run(command, late * (turn + 1));
      }
      const wasFinal = isFinalExecution(life.state.status);
      assert.equal(life.run({ type: 'cancel', reason: 'enough', cancelledBy: 'someone' }, late), !wasFinal);
      if (!wasFinal) assert.equal(life.state.status, 'cancelled');
      const length = life.events.length;
      for (let turn = 0; turn < 40; turn += 1) life.run(anyCommand(life.state, next), late);
      assert.equal(life.events.length, length);
    }),
    runs(500),
  );
});

test('the random lives reach every kind of event and every end', () => {
  const seen = new Set<string>();
  const lives = fc.property(arbitraryDefinition(), tape, fc.nat({ max: 200 }), (definition, numbers, moment) => {
    const life = new Life(planOf(definition));
    const next = tapeOf(numbers);
    for (let turn = 0; turn < patience && !isFinalExecution(life.state.status); turn += 1) {
      const command = drive(life.plan, life.state, next);
      if (command?.type === 'resolveApproval') life.run(noteOn(command, next), late * (turn + 1));
      life.run(turn === moment ? { type: 'cancel', reason: '', cancelledBy: 'someone' } : command!, late * (turn + 1));
    }
    for (const event of life.events) seen.add(event.type);
  });
  fc.assert(lives, { seed: 20_261_121, numRuns: 1_500 });
  assert.deepEqual([...seen].sort(), [...eventTypes].sort());
});

test('the delay before a retry is random below initial × factor^n, and never above max', () => {
  const retry = { maxAttempts: 10, initialMs: 100, factor: 3, maxMs: 1_000 };
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.integer({ min: 1, max: 9 }), (random, tries) => {
      const [tool] = fc.sample(arbitraryDefinition(1, ['tool']), { seed: 1, numRuns: 1 })[0]!.steps;
      const life = new Life(
        planOf(definitionOf([{ ...tool!, forEach: undefined, reduce: undefined, loop: undefined, when: undefined, retry }])),
      );
      const slot = { stepId: tool!.id, itemIndex: -1 };
      life.run({ type: 'queue', requestedBy: 'someone' }, 0);
      life.run({ type: 'start' }, 0);
      for (let attempt = 1; attempt <= tries; attempt += 1) {
        const now = attempt * late;
        life.run({ type: 'dispatch', slot, decisionId: 'decision' }, now);
        life.run({ type: 'fail', slot, attempt, failure: { code: 'TEST', message: '' }, retryable: true, random }, now);
        const ceiling = Math.min(retry.maxMs, retry.initialMs * retry.factor ** (attempt - 1));
        const { wakeAt } = life.state.steps.get(tool!.id)!;
        assert.equal(wakeAt! - now, Math.round(random * ceiling));
        if (wakeAt! > now) assert.equal(life.run({ type: 'dispatch', slot, decisionId: 'decision' }, wakeAt! - 1), false, 'not before');
      }
    }),
    runs(200),
  );
});

test('what has not begun says so', () => {
  const plan = planOf({ ...fc.sample(arbitraryDefinition(), { seed: 1, numRuns: 1 })[0]! });
  const start = decide(plan, newState(), { type: 'start' }, 0);
  assert.deepEqual(start, { ok: false, reason: 'the execution does not exist yet' });
});

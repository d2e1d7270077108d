// What must hold in every life of an execution, checked from the outside after each command. Written from the definition's meaning,
// not from the machine's code.
import assert from 'node:assert/strict';
import { eventCatalogue, isFinalEvent, isSlotEvent, type NewEvent } from '#src/events/catalogue.ts';
import { isFinalExecution, isFinalStep, maxCollectedBytes } from '#src/executions/execution.ts';
import { apply } from '#src/executions/machine-apply.ts';
import type { PendingApproval } from '#src/executions/machine-draft.ts';
import type { Command } from '#src/executions/machine-command.ts';
import { decide } from '#src/executions/machine.ts';
import {
  cloneState,
  newState,
  openItems,
  slotKey,
  statusOf,
  wholeExecution,
  type ExecutionState,
  type Plan,
} from '#src/executions/machine-state.ts';
import { openSlots } from './machine.ts';

/** One execution's life: carries commands out, keeps its history, and checks everything that must hold. */
export class Life {
  readonly plan: Plan;
  readonly events: NewEvent[] = [];
  state: ExecutionState = newState();
  /** The fold of `events` alone. */
  readonly folded: ExecutionState = newState();
  refused = 0;

  constructor(plan: Plan) {
    this.plan = plan;
  }

  /** True when the command was legal. */
  run(command: Command, now: number): boolean {
    const before = cloneState(this.state);
    const pending = pendingOf(this.state, command);
    const outcome = decide(this.plan, this.state, command, now, pending);
    assert.deepEqual(this.state, before, 'decide changes nothing it was given');
    assert.deepEqual(decide(this.plan, this.state, command, now, pending), outcome, 'the same decision twice');
    if (!outcome.ok) {
      assert.ok(outcome.reason.length > 0, 'an illegal command has a reason');
      assert.deepEqual(Object.keys(outcome).sort(), ['ok', 'reason'], 'an illegal command gives no event');
      this.refused += 1;
      return false;
    }
    assert.ok(!isFinalExecution(before.status), `${command.type} changed an execution that is ${before.status}`);
    assert.ok(outcome.events.length > 0, `${command.type} was legal and did nothing`);
    for (const event of outcome.events) this.#follow(event);
    this.state = outcome.state;
    assert.deepEqual(this.state, this.folded, 'the events alone give the state that was decided');
    assert.equal(this.state.lastSequence, this.events.length);
    this.#checkCounters();
    this.#checkWaiting();
    this.#checkEndedSteps();
    if (isFinalExecution(this.state.status)) this.#checkEnd(pending);
    return true;
  }

  #follow(event: NewEvent): void {
    eventCatalogue[event.type].parse(event.data);
    assert.ok(!this.events.some((each) => isFinalEvent(each.type)), `${event.type} after the final event`);
    if (isSlotEvent(event)) this.#checkSlotEvent(event);
    this.events.push(event);
    apply(this.folded, event);
  }

  #checkSlotEvent(event: Extract<NewEvent, { data: { stepId: string } }>): void {
    const { stepId, itemIndex } = event.data;
    const step = this.plan.steps.get(stepId)!;
    const label = `${event.type} of ${stepId}#${itemIndex}`;
    const isItem = itemIndex >= 0;
    if (isItem) {
      assert.ok(step.forEach !== undefined || step.loop !== undefined, `${label}: only forEach and loops have items`);
      assert.ok(itemIndex < (this.folded.steps.get(stepId)?.items?.total ?? 0), `${label}: there is no such item`);
    }
    const isLeaf = isItem === (step.forEach !== undefined || step.loop !== undefined);
    const isEffect = step.kind === 'tool' || step.kind === 'http' || step.kind === 'agent';
    const count = (type: NewEvent['type']) => this.events.filter((each) => each.type === type && isAbout(each, stepId, itemIndex)).length;
    switch (event.type) {
      case 'step.queued':
        // Again only a list to be reduced, a loop after each iteration, and what a policy had put off.
        if (isItem || !step.loop)
          assert.ok(count('step.queued') <= (!isItem && step.reduce !== undefined ? 1 : count('step.deferred')), `${label}: queued again`);
        else assert.ok(count('step.queued') <= step.loop.max + count('step.deferred'), `${label}: queued after each iteration`);
        if (!isItem) for (const need of step.needs) assert.ok(isFinalStep(statusOf(this.folded, need)), `${label}: ${need} has not ended`);
        break;
      case 'step.started':
        assert.ok(isEffect, label);
        assert.ok(isLeaf, `${label}: items run, not their step`);
        assert.equal(event.data.attempt, count('step.started') + 1, `${label}: attempts are numbered without a gap`);
        break;
      case 'step.succeeded':
        assert.equal(count('step.succeeded'), 0, `${label}: at most once`);
        if (isLeaf) assert.equal(event.data.attempt > 0, isEffect, `${label}: an effect succeeds with an attempt`);
        assert.equal(event.data.branchCase !== undefined, step.kind === 'branch', `${label}: a branch says which case`);
        break;
      case 'step.expanded':
        assert.ok((step.forEach !== undefined || step.loop !== undefined) && !isItem, label);
        break;
      case 'step.waiting':
        assert.ok(isItem ? step.loop : step.kind === 'wait', label);
        assert.ok(event.data.wakeAt !== undefined || event.data.signal !== undefined, `${label}: for nothing`);
        break;
      case 'step.deferred':
        assert.ok(isLeaf && isEffect, `${label}: only what passes the gate is put off`);
        break;
      case 'step.halted':
        assert.ok(isLeaf && isEffect && step.kind !== 'agent', `${label}: only what leaves is halted`);
        break;
      case 'step.continued':
        assert.equal(count('step.continued') + 1, count('step.halted'), `${label}: once for each halt`);
        break;
      case 'step.skipped':
        assert.ok(!isItem, `${label}: items are not skipped`);
        break;
      case 'approval.requested':
        assert.ok(isLeaf && (isEffect || step.kind === 'approval'), label);
        break;
      case 'step.retry_scheduled':
        assert.ok(count('step.retry_scheduled') + 1 < step.retry.maxAttempts, `${label}: more tries than retry allows`);
        break;
      default:
        break;
    }
  }

  /** Counters of a running forEach or loop against a recount of its items. */
  #checkCounters(): void {
    for (const [stepId, { items, status }] of this.state.steps) {
      if (!items || status !== 'running') continue;
      const definition = this.plan.steps.get(stepId)!;
      const reused = new Set(items.reused.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, at) => first + at)));
      const all = [...this.state.items].filter(([key]) => key.startsWith(`${stepId}#`));
      const own = all.filter(([key]) => !reused.has(Number(key.split('#')[1]))).map(([, item]) => item);
      const done = own.filter((item) => isFinalStep(item.status));
      const outputBytes = this.events.reduce((sum, each) => {
        if (each.type === 'step.reused' && each.data.stepId === stepId) return each.data.outputBytes;
        return (
          sum + (each.type === 'step.succeeded' && each.data.stepId === stepId && each.data.itemIndex >= 0 ? each.data.outputBytes : 0)
        );
      }, 0);
      assert.equal(items.done, done.length + reused.size, `${stepId}: done`);
      assert.equal(items.failed, done.filter((item) => item.status !== 'succeeded').length, `${stepId}: failed`);
      const parked = own.filter((item) => item.status === 'awaiting_approval' || item.status === 'waiting');
      assert.equal(items.waiting, parked.length, `${stepId}: waiting`);
      assert.equal(items.outputBytes, outputBytes, `${stepId}: bytes`);
      const open = own.length - done.length;
      assert.equal(openItems(items), open, `${stepId}: open`);
      const concurrency = definition.loop ? 1 : definition.concurrency;
      assert.ok(open <= concurrency, `${stepId} runs more than ${concurrency} items at a time`);
      const isFull = outputBytes > maxCollectedBytes;
      const expected = Math.min(concurrency, items.total - items.done);
      assert.ok(isFull || open === expected, `${stepId} runs fewer items than it may`);
    }
  }

  /** Only the end of the whole execution cancels: while it goes on, an ended step has no item that was cut off. */
  #checkEndedSteps(): void {
    if (isFinalExecution(this.state.status)) return;
    for (const [key, item] of this.state.items) {
      const [stepId] = key.split('#') as [string];
      if (isFinalStep(statusOf(this.state, stepId)))
        assert.ok(['succeeded', 'failed', 'blocked'].includes(item.status), `${key} was cut off`);
    }
  }

  #checkWaiting(): void {
    if (this.state.status !== 'running' && this.state.status !== 'waiting') return;
    const open = openSlots(this.state);
    const waits = open.length > 0 && open.every(({ current }) => current.status === 'awaiting_approval' || current.status === 'waiting');
    assert.equal(this.state.status, waits ? 'waiting' : 'running', 'waiting means: every open slot waits');
  }

  #checkEnd(pending: readonly PendingApproval[]): void {
    const final = this.events.at(-1)!;
    assert.ok(isFinalEvent(final.type), 'the final event is the last one');
    assert.equal(`execution.${this.state.status}`, final.type);
    for (const step of [...this.state.steps.values(), ...this.state.items.values()]) assert.ok(isFinalStep(step.status), 'nothing is open');
    if (final.type === 'execution.succeeded') {
      for (const step of this.plan.steps.keys()) assert.ok(isFinalStep(statusOf(this.state, step)), `${step} never ended`);
      return;
    }
    const withdrawn = this.events.filter((each) => each.type === 'approval.cancelled').map((each) => each.data.approvalId);
    assert.deepEqual(
      withdrawn,
      pending.map((each) => each.approvalId),
      'open approvals are withdrawn before the final event',
    );
  }
}

const isAbout = (event: NewEvent, stepId: string, itemIndex: number): boolean =>
  isSlotEvent(event) && event.data.stepId === stepId && event.data.itemIndex === itemIndex;

/** Approvals that would still be pending in the table when the command ends the execution. */
function pendingOf(state: ExecutionState, command: Command): PendingApproval[] {
  const start =
    state.approvalId === null || command.type === 'resolveStart' ? [] : [{ slot: wholeExecution, approvalId: state.approvalId }];
  const open = openSlots(state)
    .filter(({ slot, current }) => {
      const isResolved = command.type === 'resolveApproval' && slotKey(command.slot) === slotKey(slot);
      return current.status === 'awaiting_approval' && !isResolved;
    })
    .map(({ slot, current }) => ({ slot, approvalId: current.approvalId! }));
  return [...start, ...open];
}

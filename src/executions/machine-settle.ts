// What follows when a slot has ended: the next item, the step's own end, skipped and ready dependents, the end of the execution.
import { isFinalExecution, isFinalStep, maxCollectedBytes, type ExecutionFailure } from './execution.ts';
import { isParked } from './machine-apply.ts';
import { queue, withdraw, type Draft } from './machine-draft.ts';
import { nextItem, openItems, slotKey, statusOf, type Slot, type StepState } from './machine-state.ts';

export function settle(draft: Draft, slot: Slot): void {
  if (slot.itemIndex >= 0) settleItem(draft, slot);
  else settleStep(draft, slot.stepId);
}

function settleItem(draft: Draft, slot: Slot): void {
  const { loop, onFailure } = draft.plan.steps.get(slot.stepId)!;
  const step = draft.state.steps.get(slot.stepId)!;
  if (isFinalStep(step.status)) return;
  const items = step.items!;
  const parent: Slot = { stepId: slot.stepId, itemIndex: -1 };
  const status = draft.state.items.get(slotKey(slot))!.status;
  if (status !== 'succeeded' && (onFailure === 'fail' || loop)) {
    const message = loop ? `iteration ${slot.itemIndex} ${status}` : `item ${slot.itemIndex} of ${items.total} ${status}`;
    endStep(draft, parent, status === 'blocked' ? 'blocked' : 'failed', { code: 'ITEM_FAILED', message, stepId: slot.stepId });
  } else if (loop) {
    // Whether another iteration follows is for its `until`, which is evaluated outside.
    queue(draft, parent);
  } else if (items.outputBytes > maxCollectedBytes) {
    // Where the execution goes on, items that run already end first: a step that has ended has no open item.
    if (onFailure === 'continue' && openItems(items) > 0) return;
    const message = `the items of step "${slot.stepId}" give more than ${maxCollectedBytes} bytes together; let each return less`;
    endStep(draft, parent, 'failed', { code: 'OUTPUT_TOO_LARGE', message, stepId: slot.stepId });
  } else if (nextItem(items) < items.total) {
    queue(draft, { stepId: slot.stepId, itemIndex: nextItem(items) });
  } else conclude(draft, slot.stepId);
}

/** Ends a forEach whose items have all ended; with `reduce`, its value is computed first. */
export function conclude(draft: Draft, stepId: string): void {
  const items = draft.state.steps.get(stepId)!.items!;
  const parent: Slot = { stepId, itemIndex: -1 };
  if (items.done < items.total) return;
  if (items.failed > 0) {
    const message = `${items.failed} of ${items.total} items did not succeed`;
    endStep(draft, parent, 'failed', { code: 'ITEMS_FAILED', message, stepId });
  } else if (draft.plan.steps.get(stepId)!.reduce !== undefined) {
    queue(draft, parent);
  } else {
    draft.emit({ type: 'step.succeeded', data: { ...parent, attempt: 0, outputBytes: items.outputBytes } });
    settleStep(draft, stepId);
  }
}

function endStep(draft: Draft, slot: Slot, status: 'failed' | 'blocked', failure: ExecutionFailure): void {
  if (status === 'failed') draft.emit({ type: 'step.failed', data: { ...slot, attempt: 0, failure } });
  else draft.emit({ type: 'step.blocked', data: { ...slot, failure } });
  settleStep(draft, slot.stepId);
}

function settleStep(draft: Draft, stepId: string): void {
  if (isFinalExecution(draft.state.status)) return;
  const status = statusOf(draft.state, stepId);
  if ((status === 'failed' || status === 'blocked') && draft.plan.steps.get(stepId)!.onFailure === 'fail') {
    withdraw(draft);
    const failure =
      status === 'blocked'
        ? { code: 'STEP_BLOCKED', message: `step "${stepId}" was refused`, stepId }
        : { code: 'STEP_FAILED', message: `step "${stepId}" failed`, stepId };
    draft.emit({ type: `execution.${status}`, data: { failure } });
    return;
  }
  for (const dependent of draft.plan.dependents.get(stepId)!) release(draft, dependent);
}

/** A pending step whose needs have all ended is queued, or skipped when one of them was and it has no `when` to decide. */
export function release(draft: Draft, stepId: string): void {
  if (statusOf(draft.state, stepId) !== 'pending') return;
  const definition = draft.plan.steps.get(stepId)!;
  if (!definition.needs.every((need) => isFinalStep(statusOf(draft.state, need)))) return;
  const slot: Slot = { stepId, itemIndex: -1 };
  if (definition.when === undefined && definition.needs.some((need) => statusOf(draft.state, need) === 'skipped')) {
    draft.emit({ type: 'step.skipped', data: slot });
    settleStep(draft, stepId);
  } else queue(draft, slot);
}

/** Keeps `running` and `waiting` true to the open steps: waiting = each of them waits for a person, a timer, a signal or a child. */
export function updateWaiting(draft: Draft): void {
  const { state } = draft;
  if (state.status !== 'running' && state.status !== 'waiting') return;
  let busy = false;
  let waiting = false;
  for (const step of state.steps.values()) {
    if (isFinalStep(step.status) || step.status === 'pending') continue;
    if (waits(step)) waiting = true;
    else busy = true;
  }
  if (state.status === 'running' && waiting && !busy) draft.emit({ type: 'execution.waiting', data: {} });
  if (state.status === 'waiting' && (busy || !waiting)) draft.emit({ type: 'execution.resumed', data: {} });
}

function waits(step: StepState): boolean {
  if (isParked(step.status)) return true;
  if (step.status !== 'running' || !step.items) return false;
  const open = openItems(step.items);
  return open > 0 && open === step.items.waiting;
}

// `apply(state, event)`: the fold. The same events always give the same state; no decisions here, no I/O, no time.
import { isSlotEvent, type NewEvent, type SlotEvent, type StartApprovalEvent } from '../events/catalogue.ts';
import { isFinalStep, type StepStatus } from './execution.ts';
import {
  newCounters,
  newSlotState,
  slotKey,
  type ExecutionState,
  type ItemRanges,
  type Slot,
  type SlotState,
  type StepState,
} from './machine-state.ts';

/** Changes `state` in place and raises its sequence by one. Returns the slot the event is about, if any. */
export function apply(state: ExecutionState, event: NewEvent): Slot | null {
  state.lastSequence += 1;
  switch (event.type) {
    case 'execution.queued':
      state.status = 'queued';
      return null;
    case 'execution.scheduled':
      state.status = 'scheduled';
      state.startAt = Date.parse(event.data.startAt);
      return null;
    case 'execution.deferred':
      state.status = 'scheduled';
      state.startAt = Date.parse(event.data.startAt);
      return null;
    case 'execution.started':
      state.status = 'running';
      state.begun = true;
      return null;
    case 'execution.resumed':
      state.status = event.data.status ?? 'running';
      return null;
    case 'execution.waiting':
      state.status = 'waiting';
      return null;
    case 'execution.paused':
      state.status = 'paused';
      return null;
    case 'execution.signalled':
      return null;
    case 'execution.succeeded':
    case 'execution.failed':
    case 'execution.blocked':
    case 'execution.cancelled':
      state.status = event.type.slice('execution.'.length) as ExecutionState['status'];
      cancelOpen(state);
      return null;
    default:
      if (!isSlotEvent(event)) return applyToStart(state, event);
      return applyToSlot(state, event);
  }
}

function applyToStart(state: ExecutionState, { type, data }: StartApprovalEvent): null {
  switch (type) {
    case 'approval.requested':
      state.status = 'awaiting_approval';
      state.approvalId = data.approvalId;
      return null;
    case 'approval.approved':
      state.status = 'queued';
      state.approvalId = null;
      return null;
    case 'approval.rejected':
    case 'approval.expired':
    case 'approval.cancelled':
      state.approvalId = null;
      return null;
    default:
      return null;
  }
}

function applyToSlot(state: ExecutionState, event: SlotEvent): Slot {
  const slot: Slot = { stepId: event.data.stepId, itemIndex: event.data.itemIndex };
  const step = ensureStep(state, slot.stepId);
  const target = slot.itemIndex < 0 ? step : ensureItem(state, slot);
  const before = target.status;
  change(target, step, event);
  if (event.type === 'step.reused') reuseItems(state, slot.stepId, event.data.ranges ?? []);
  if (slot.itemIndex >= 0 && step.items) {
    count(step, slot, before, target.status);
    if (event.type === 'step.succeeded') step.items.outputBytes += event.data.outputBytes;
  }
  if (slot.itemIndex < 0 && isFinalStep(target.status)) cancelItems(state, slot.stepId);
  return slot;
}

function change(target: SlotState, step: StepState, event: SlotEvent): void {
  switch (event.type) {
    case 'step.queued':
      return set(target, 'queued');
    case 'step.reused':
      if (event.data.itemTotal !== undefined) step.items = newCounters(event.data.itemTotal, event.data.ranges, event.data.outputBytes);
      return set(target, event.data.status);
    case 'step.expanded':
      step.items ??= newCounters(event.data.total);
      return set(target, 'running');
    case 'step.iterated':
      return set(target, 'running');
    case 'step.started':
      target.attempt = event.data.attempt;
      return set(target, 'running');
    case 'step.child_started':
      target.childId = event.data.childExecutionId;
      return set(target, 'waiting');
    case 'step.waiting':
      set(target, 'waiting', event.data.wakeAt === undefined ? null : Date.parse(event.data.wakeAt));
      target.signal = event.data.signal ?? null;
      return;
    case 'step.deferred':
      return set(target, 'waiting', Date.parse(event.data.wakeAt));
    case 'step.retry_scheduled':
      return set(target, 'queued', Date.parse(event.data.retryAt));
    case 'step.interrupted':
      target.interruptions += 1;
      return set(target, 'queued');
    case 'step.halted':
      // An aborted attempt counts as one that lost its process: not against `retry`.
      if (event.data.attempt > 0) target.interruptions += 1;
      set(target, 'queued');
      target.haltedBy = event.data.killSwitchId;
      return;
    case 'step.continued':
      return set(target, 'queued');
    case 'step.succeeded':
      return set(target, 'succeeded');
    case 'step.failed':
      return set(target, 'failed');
    case 'step.blocked':
      return set(target, 'blocked');
    case 'step.skipped':
      return set(target, 'skipped');
    case 'approval.requested':
      target.approvalId = event.data.approvalId;
      return set(target, 'awaiting_approval');
    case 'approval.approved':
      return set(target, 'queued');
    case 'approval.rejected':
    case 'approval.expired':
    case 'approval.cancelled':
    case 'approval.voted':
    case 'approval.advanced':
    case 'approval.escalated':
    case 'approval.warned':
    case 'approval.extended':
    case 'approval.delegated':
    case 'approval.edited':
    case 'approval.commented':
    case 'signal.received':
      // The step's own event (blocked, cancelled with the execution, succeeded) follows.
      return;
  }
}

function set(target: SlotState, status: StepStatus, wakeAt: number | null = null): void {
  target.status = status;
  target.wakeAt = wakeAt;
  target.signal = null;
  target.haltedBy = null;
}

function count(step: StepState, slot: Slot, before: StepStatus, after: StepStatus): void {
  const items = step.items!;
  if (before === 'pending') items.next = Math.max(items.next, slot.itemIndex + 1);
  if (!isParked(before) && isParked(after)) items.waiting += 1;
  if (isParked(before) && !isParked(after)) items.waiting -= 1;
  if (!isFinalStep(before) && isFinalStep(after)) {
    items.done += 1;
    if (after !== 'succeeded') items.failed += 1;
  }
}

/** It waits for a person, a timer or a child execution, and costs nothing meanwhile. */
export const isParked = (status: StepStatus): boolean => status === 'awaiting_approval' || status === 'waiting';

function reuseItems(state: ExecutionState, stepId: string, ranges: ItemRanges): void {
  for (const [first, last] of ranges) {
    for (let itemIndex = first; itemIndex <= last; itemIndex++) set(ensureItem(state, { stepId, itemIndex }), 'succeeded');
  }
}

/** A final execution has no open step: whatever was open is cancelled with it. */
function cancelOpen(state: ExecutionState): void {
  for (const [stepId, step] of state.steps) {
    if (isFinalStep(step.status)) continue;
    set(step, 'cancelled');
    cancelItems(state, stepId);
  }
}

function cancelItems(state: ExecutionState, stepId: string): void {
  const prefix = `${stepId}#`;
  for (const [key, item] of state.items) if (key.startsWith(prefix) && !isFinalStep(item.status)) set(item, 'cancelled');
}

function ensureStep(state: ExecutionState, stepId: string): StepState {
  let step = state.steps.get(stepId);
  if (!step) state.steps.set(stepId, (step = { ...newSlotState(), items: null }));
  return step;
}

function ensureItem(state: ExecutionState, slot: Slot): SlotState {
  const key = slotKey(slot);
  let item = state.items.get(key);
  if (!item) state.items.set(key, (item = newSlotState()));
  return item;
}

// The working copy a decision is made on, and the few things every rule does to it.
import type { NewEvent } from '../events/catalogue.ts';
import type { ExecutionState, Plan, Slot } from './machine-state.ts';

/** An approval still pending: withdrawn, with an event of its own, when the execution ends. */
export interface PendingApproval {
  readonly slot: Slot;
  readonly approvalId: string;
}

/** The working copy a decision is made on: each emitted event is applied at once, so later rules see it. */
export interface Draft {
  readonly plan: Plan;
  readonly state: ExecutionState;
  readonly pending: readonly PendingApproval[];
  emit(event: NewEvent): void;
}

/** Approvals that are still open end with their execution, each with an event before the final one. */
export function withdraw(draft: Draft): void {
  for (const { slot, approvalId } of draft.pending) draft.emit({ type: 'approval.cancelled', data: { ...slot, approvalId } });
}

export function queue(draft: Draft, slot: Slot): void {
  draft.emit({ type: 'step.queued', data: slot });
}

export function nameOf(slot: Slot): string {
  return slot.itemIndex < 0 ? `step "${slot.stepId}"` : `item ${slot.itemIndex} of step "${slot.stepId}"`;
}

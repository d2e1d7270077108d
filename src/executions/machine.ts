// `decide(plan, state, command, now) → events`: every rule of an execution's life. Pure: no I/O, no clock, no randomness of its own.
// An illegal command gives `{ ok: false, reason }` and no event; the caller's transaction then changes nothing.
import type { NewEvent } from '../events/catalogue.ts';
import type { StepDefinition } from '../agents/definition.ts';
import { isFinalExecution, isFinalStep, maxInterruptions, type ExecutionFailure } from './execution.ts';
import { apply } from './machine-apply.ts';
import { nameOf, queue, withdraw, type Draft, type PendingApproval } from './machine-draft.ts';
import type { Command, SlotCommand } from './machine-command.ts';
import { refusalOf } from './machine-legal.ts';
import { settle, updateWaiting } from './machine-settle.ts';
import { cloneState, newSlotState, slotState, type ExecutionState, type Plan, type Slot, type SlotState } from './machine-state.ts';

export type Outcome =
  | { readonly ok: true; readonly events: readonly NewEvent[]; readonly state: ExecutionState }
  | { readonly ok: false; readonly reason: string };

export function decide(
  plan: Plan,
  state: ExecutionState,
  command: Command,
  now: number,
  pending: readonly PendingApproval[] = [],
): Outcome {
  const events: NewEvent[] = [];
  const copy = cloneState(state);
  const draft: Draft = {
    plan,
    state: copy,
    pending,
    emit(event) {
      events.push(event);
      apply(copy, event);
    },
  };
  const refusal = run(draft, command, now);
  if (refusal !== null) return { ok: false, reason: refusal };
  updateWaiting(draft);
  return { ok: true, events, state: copy };
}

/** Null when the command was carried out, else why it is illegal. */
function run(draft: Draft, command: Command, now: number): string | null {
  const { state } = draft;
  if (command.type === 'queue') {
    if (state.lastSequence > 0) return 'the execution exists already';
    draft.emit({ type: 'execution.queued', data: { requestedBy: command.requestedBy } });
    return null;
  }
  if (state.lastSequence === 0) return 'the execution does not exist yet';
  if (isFinalExecution(state.status)) return `the execution is ${state.status} already`;
  if (command.type === 'cancel') {
    withdraw(draft);
    draft.emit({ type: 'execution.cancelled', data: { reason: command.reason, cancelledBy: command.cancelledBy } });
    return null;
  }
  if (command.type === 'abandon') {
    withdraw(draft);
    draft.emit({ type: 'execution.failed', data: { failure: command.failure } });
    return null;
  }
  if (command.type === 'start') {
    if (state.status !== 'queued') return `the execution is ${state.status} already`;
    draft.emit({ type: 'execution.started', data: {} });
    for (const step of draft.plan.definition.steps) if (step.needs.length === 0) queue(draft, { stepId: step.id, itemIndex: -1 });
    return null;
  }
  if (state.status === 'queued') return 'the execution has not started';
  if (command.type === 'finish') {
    const open = draft.plan.definition.steps.find((step) => !isFinalStep(state.steps.get(step.id)?.status ?? 'pending'));
    if (open) return `step "${open.id}" is not finished`;
    if (command.failure) draft.emit({ type: 'execution.failed', data: { failure: command.failure } });
    else draft.emit({ type: 'execution.succeeded', data: {} });
    return null;
  }
  return runOnSlot(draft, command, now);
}

function runOnSlot(draft: Draft, command: SlotCommand, now: number): string | null {
  const slot = command.type === 'expand' ? { stepId: command.stepId, itemIndex: -1 } : command.slot;
  const definition = draft.plan.steps.get(slot.stepId);
  if (!definition) return `the definition has no step "${slot.stepId}"`;
  const current = slotState(draft.state, slot) ?? newSlotState();
  const refusal = refusalOf(command, slot, definition, current, now);
  if (refusal !== null) return refusal;
  return carryOut(draft, command, slot, definition, current, now);
}

function carryOut(
  draft: Draft,
  command: SlotCommand,
  slot: Slot,
  definition: StepDefinition,
  current: SlotState,
  now: number,
): string | null {
  switch (command.type) {
    case 'skip':
      draft.emit({ type: 'step.skipped', data: slot });
      break;
    case 'expand':
      draft.emit({ type: 'step.expanded', data: { ...slot, total: command.total } });
      for (let index = 0; index < Math.min(command.total, definition.concurrency); index++) {
        queue(draft, { stepId: slot.stepId, itemIndex: index });
      }
      if (command.total === 0) draft.emit({ type: 'step.succeeded', data: { ...slot, attempt: 0, outputBytes: 2 } });
      break;
    case 'dispatch':
      draft.emit({ type: 'step.started', data: { ...slot, attempt: current.attempt + 1, decisionId: command.decisionId } });
      return null;
    case 'complete':
      draft.emit({
        type: 'step.succeeded',
        data: {
          ...slot,
          attempt: 0,
          outputBytes: command.outputBytes,
          ...(command.branchCase !== undefined && { branchCase: command.branchCase }),
        },
      });
      if (command.branchCase !== undefined) skipOtherCases(draft, definition, command.branchCase);
      break;
    case 'succeed':
      draft.emit({ type: 'step.succeeded', data: { ...slot, attempt: command.attempt, outputBytes: command.outputBytes } });
      break;
    case 'fail':
      if (command.retryable && scheduleRetry(draft, slot, definition, current, command.failure, command.random, now)) return null;
      draft.emit({ type: 'step.failed', data: { ...slot, attempt: command.attempt, failure: command.failure } });
      break;
    case 'block':
      draft.emit({
        type: 'step.blocked',
        data: { ...slot, failure: command.failure, ...(command.decisionId !== undefined && { decisionId: command.decisionId }) },
      });
      break;
    case 'requestApproval':
      draft.emit({
        type: 'approval.requested',
        data: { ...slot, approvalId: command.approvalId, expiresAt: new Date(command.expiresAt).toISOString() },
      });
      return null;
    case 'resolveApproval':
      return resolveApproval(draft, command, current);
    case 'wait':
      draft.emit({ type: 'step.waiting', data: { ...slot, wakeAt: new Date(command.wakeAt).toISOString() } });
      return null;
    case 'wake':
      if (current.wakeAt !== null && current.wakeAt > now) return `${nameOf(slot)} waits until ${new Date(current.wakeAt).toISOString()}`;
      draft.emit({ type: 'step.succeeded', data: { ...slot, attempt: 0, outputBytes: 4 } });
      break;
    case 'interrupt':
      if (interrupt(draft, command, definition, current, now)) return null;
      break;
  }
  settle(draft, slot);
  return null;
}

function resolveApproval(draft: Draft, command: Extract<Command, { type: 'resolveApproval' }>, current: SlotState): string | null {
  const { slot, approvalId, decidedBy, outcome } = command;
  if (current.approvalId !== approvalId) return `${nameOf(slot)} waits for another approval`;
  if (outcome === 'expired') draft.emit({ type: 'approval.expired', data: { ...slot, approvalId } });
  else draft.emit({ type: `approval.${outcome}`, data: { ...slot, approvalId, decidedBy } });
  if (outcome === 'approved') return null;
  draft.emit({ type: 'step.blocked', data: { ...slot, failure: command.failure } });
  settle(draft, slot);
  return null;
}

/** True when the slot is queued again; false when it failed for good. */
function interrupt(
  draft: Draft,
  command: Extract<Command, { type: 'interrupt' }>,
  definition: StepDefinition,
  current: SlotState,
  now: number,
): boolean {
  const { slot, attempt } = command;
  if (command.repeatable && current.interruptions < maxInterruptions) {
    draft.emit({ type: 'step.interrupted', data: { ...slot, attempt } });
    return true;
  }
  const failure = command.repeatable
    ? { code: 'INTERRUPTED', message: `${nameOf(slot)} lost its process ${maxInterruptions + 1} times`, stepId: slot.stepId }
    : {
        code: 'OUTCOME_UNKNOWN',
        message: `the process ended while ${nameOf(slot)} ran; the tool is not declared repeatable, so it is not run again unless the step has retries left`,
        stepId: slot.stepId,
      };
  if (!command.repeatable && scheduleRetry(draft, slot, definition, current, failure, command.random, now)) return true;
  draft.emit({ type: 'step.failed', data: { ...slot, attempt, failure } });
  return false;
}

/** Delay = random × min(max, initial × factor^(n-1)), as in "full jitter" (AWS Architecture Blog, 2015). */
function scheduleRetry(
  draft: Draft,
  slot: Slot,
  { retry }: StepDefinition,
  current: SlotState,
  failure: ExecutionFailure,
  random: number,
  now: number,
): boolean {
  const tried = current.attempt - current.interruptions;
  if (tried < 1 || tried >= retry.maxAttempts) return false;
  const ceiling = Math.min(retry.maxMs, retry.initialMs * retry.factor ** (tried - 1));
  const retryAt = new Date(now + Math.round(random * ceiling)).toISOString();
  draft.emit({ type: 'step.retry_scheduled', data: { ...slot, attempt: current.attempt, retryAt, failure } });
  return true;
}

function skipOtherCases(draft: Draft, definition: StepDefinition, chosen: number | null): void {
  for (const [index, branch] of (definition.branch ?? []).entries()) {
    if (index === chosen) continue;
    for (const stepId of branch.then) {
      const target = { stepId, itemIndex: -1 };
      draft.emit({ type: 'step.skipped', data: target });
      settle(draft, target);
    }
  }
}

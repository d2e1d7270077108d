// Commands about one slot: what they emit, and what follows. Legality stands in machine-legal.ts, the end of a slot in machine-settle.ts.
import type { NewEvent } from '../events/catalogue.ts';
import type { StepDefinition } from '../agents/definition.ts';
import { maxInterruptions } from './execution.ts';
import { nameOf, queue, type Draft } from './machine-draft.ts';
import type { Command, SlotCommand } from './machine-command.ts';
import { isJudged, refusalOf } from './machine-legal.ts';
import { conclude, settle } from './machine-settle.ts';
import { newSlotState, nextItem, slotState, type Slot, type SlotState } from './machine-state.ts';

/** Null when the command was carried out, else why it is illegal. */
export function runOnSlot(draft: Draft, command: SlotCommand, now: number): string | null {
  const { slot } = command;
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
    case 'expand': {
      draft.emit({ type: 'step.expanded', data: { ...slot, total: command.total } });
      const atOnce = definition.loop ? 1 : definition.concurrency;
      for (let open = 0; open < atOnce && queueNextItem(draft, slot.stepId); open++);
      conclude(draft, slot.stepId);
      return null;
    }
    case 'iterate':
      if (!command.done) return iterate(draft, command, definition);
      draft.emit({ type: 'step.succeeded', data: { ...slot, attempt: 0, outputBytes: command.outputBytes } });
      break;
    case 'reduce':
      draft.emit({ type: 'step.succeeded', data: { ...slot, attempt: 0, outputBytes: command.outputBytes } });
      break;
    case 'dispatch':
      draft.emit({ type: 'step.started', data: { ...slot, attempt: current.attempt + 1, decisionId: command.decisionId } });
      return null;
    case 'startChild':
      draft.emit({ type: 'step.started', data: { ...slot, attempt: current.attempt + 1, decisionId: command.decisionId } });
      draft.emit({ type: 'step.child_started', data: { ...slot, childExecutionId: command.childId } });
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
      if (command.retryable && scheduleRetry(draft, definition, current, command, now)) return null;
      draft.emit({ type: 'step.failed', data: { ...slot, attempt: command.attempt, failure: command.failure } });
      break;
    case 'block':
      draft.emit({
        type: 'step.blocked',
        data: {
          ...slot,
          ...(command.attempt > 0 && { attempt: command.attempt }),
          failure: command.failure,
          ...(command.decisionId !== undefined && { decisionId: command.decisionId }),
        },
      });
      break;
    case 'defer': {
      const wakeAt = new Date(command.wakeAt).toISOString();
      draft.emit({ type: 'step.deferred', data: { ...slot, wakeAt, decisionId: command.decisionId } });
      return null;
    }
    case 'requestApproval':
      draft.emit({
        type: 'approval.requested',
        data: { ...slot, approvalId: command.approvalId, expiresAt: new Date(command.expiresAt).toISOString() },
      });
      return null;
    case 'resolveApproval':
      return resolveApproval(draft, command, current);
    case 'note': {
      const { type, ...said } = command.note;
      draft.emit({ type: `approval.${type}`, data: { ...slot, approvalId: command.approvalId, ...said } } as NewEvent);
      return null;
    }
    case 'wait':
      draft.emit({ type: 'step.waiting', data: { ...slot, wakeAt: new Date(command.wakeAt).toISOString() } });
      return null;
    case 'awaitSignal': {
      const wakeAt = command.wakeAt === null ? {} : { wakeAt: new Date(command.wakeAt).toISOString() };
      draft.emit({ type: 'step.waiting', data: { ...slot, ...wakeAt, signal: command.name } });
      return null;
    }
    case 'receive':
      draft.emit({ type: 'signal.received', data: { ...slot, signalId: command.signalId, name: command.name } });
      draft.emit({ type: 'step.succeeded', data: { ...slot, attempt: 0, outputBytes: command.outputBytes } });
      break;
    case 'wake':
      return wake(draft, command, definition, current, now);
    case 'halt': {
      const { attempt, killSwitchId, reason } = command;
      draft.emit({ type: 'step.halted', data: { ...slot, attempt, killSwitchId, reason } });
      return null;
    }
    case 'continue':
      draft.emit({ type: 'step.continued', data: slot });
      return null;
    case 'interrupt':
      if (interrupt(draft, command, definition, current, now)) return null;
      break;
  }
  settle(draft, slot);
  return null;
}

/** False when there is none left. */
function queueNextItem(draft: Draft, stepId: string): boolean {
  const items = draft.state.steps.get(stepId)!.items!;
  const itemIndex = nextItem(items);
  if (itemIndex >= items.total) return false;
  queue(draft, { stepId, itemIndex });
  return true;
}

function iterate(draft: Draft, { slot, wakeAt }: Extract<SlotCommand, { type: 'iterate' }>, { loop }: StepDefinition): null {
  const { stepId } = slot;
  const itemIndex = nextItem(draft.state.steps.get(stepId)!.items!);
  if (itemIndex >= loop!.max) {
    const message = `"until" was not true after ${loop!.max} iterations of step "${stepId}"`;
    draft.emit({ type: 'step.failed', data: { ...slot, attempt: 0, failure: { code: 'LOOP_EXHAUSTED', message, stepId } } });
    settle(draft, slot);
    return null;
  }
  draft.emit({ type: 'step.iterated', data: { ...slot, iteration: itemIndex } });
  if (wakeAt === undefined) queue(draft, { stepId, itemIndex });
  else draft.emit({ type: 'step.waiting', data: { stepId, itemIndex, wakeAt: new Date(wakeAt).toISOString() } });
  return null;
}

function wake(
  draft: Draft,
  { slot, early = false }: Extract<Command, { type: 'wake' }>,
  { kind, loop }: StepDefinition,
  current: SlotState,
  now: number,
): string | null {
  if (current.wakeAt! > now && !(early && isJudged(kind))) return `${nameOf(slot)} waits until ${new Date(current.wakeAt!).toISOString()}`;
  // An iteration's pause is over, or what a policy had put off is due.
  if (loop || kind !== 'wait') {
    queue(draft, slot);
    return null;
  }
  if (current.signal === null) draft.emit({ type: 'step.succeeded', data: { ...slot, attempt: 0, outputBytes: 4 } });
  else {
    const message = `no signal "${current.signal}" came until ${new Date(current.wakeAt!).toISOString()}`;
    const failure = { code: 'SIGNAL_TIMEOUT', message, stepId: slot.stepId };
    draft.emit({ type: 'step.failed', data: { ...slot, attempt: 0, failure } });
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
        message: `the process ended while ${nameOf(slot)} ran; nothing says that repeating it is harmless, so it is not run again unless the step has retries left`,
        stepId: slot.stepId,
      };
  if (!command.repeatable && scheduleRetry(draft, definition, current, { slot, failure, random: command.random }, now)) return true;
  draft.emit({ type: 'step.failed', data: { ...slot, attempt, failure } });
  return false;
}

/** Delay = random × min(max, initial × factor^(n-1)), as in "full jitter" (AWS Architecture Blog, 2015); longer when a server asks for it. */
function scheduleRetry(
  draft: Draft,
  { retry }: StepDefinition,
  current: SlotState,
  { slot, failure, random, retryAfterMs = 0 }: Pick<Extract<Command, { type: 'fail' }>, 'slot' | 'failure' | 'random' | 'retryAfterMs'>,
  now: number,
): boolean {
  const tried = current.attempt - current.interruptions;
  if (tried < 1 || tried >= retry.maxAttempts) return false;
  const ceiling = Math.min(retry.maxMs, retry.initialMs * retry.factor ** (tried - 1));
  const retryAt = new Date(now + Math.max(Math.round(random * ceiling), retryAfterMs)).toISOString();
  draft.emit({ type: 'step.retry_scheduled', data: { ...slot, attempt: current.attempt, retryAt, failure } });
  return true;
}

function skipOtherCases(draft: Draft, definition: StepDefinition, chosen: number | null): void {
  for (const [index, branch] of (definition.branch ?? []).entries()) {
    if (index === chosen) continue;
    for (const stepId of branch.then) {
      const target = { stepId, itemIndex: -1 };
      // Skipped already when it also needs a step of another case that was not taken.
      if ((slotState(draft.state, target)?.status ?? 'pending') !== 'pending') continue;
      draft.emit({ type: 'step.skipped', data: target });
      settle(draft, target);
    }
  }
}

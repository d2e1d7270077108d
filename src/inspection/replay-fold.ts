// Folds the events of an execution again, one by one, into what its rows must be. Names the first event that cannot be part of a true
// history. Pure: what an event does is the machine's own `apply`.
import { isDeepStrictEqual } from 'node:util';
import { isFinalEvent, isSlotEvent, isStartApproval, type NewEvent, type SlotEvent, type StartApprovalEvent } from '../events/catalogue.ts';
import type { EventRow } from '../events/event-service.ts';
import type { AttemptStatus, ExecutionFailure } from '../executions/execution.ts';
import { isFinalStep } from '../executions/execution.ts';
import { attemptFact, slotFacts } from '../executions/event-facts.ts';
import { apply } from '../executions/machine-apply.ts';
import { nameOf } from '../executions/machine-draft.ts';
import { newState, slotKey, slotState, type ExecutionState, type Plan, type Slot } from '../executions/machine-state.ts';
import { attemptProblem, idleProblem, impossible, payloadProblem, placeProblem, repeats, type Difference } from './replay-problems.ts';

export interface FoldedAttempt {
  status: AttemptStatus;
  readonly decisionId: string | null;
  failure: ExecutionFailure | null;
  readonly startedAt: Date;
  finishedAt: Date | null;
}

/** What events say of a slot besides its state. */
export interface FoldedSlot {
  /** Undefined: as it was in the execution that this one retries or forks. */
  failure: ExecutionFailure | null | undefined;
  queuedAt: Date | null;
  startedAt: Date | null;
  finishedAt: Date | null;
  /** Size of its output as JSON text; null before there is one. */
  outputBytes: number | null;
  /** Undefined for what is no branch. */
  branchCase: number | null | undefined;
  readonly attempts: FoldedAttempt[];
}

export interface FoldedApproval extends Slot {
  status: 'pending' | 'approved' | 'rejected' | 'expired' | 'cancelled';
  expiresAt: string;
  decidedBy: string | null;
}

export interface FoldedSignal {
  readonly name: string;
  readonly sentBy: string;
  /** Id of the step that took it. */
  receivedBy: string | null;
}

export interface Fold {
  readonly plan: Plan;
  readonly state: ExecutionState;
  readonly execution: { requestedBy: string | null; startedAt: Date | null; finishedAt: Date | null; failure: ExecutionFailure | null };
  readonly approvals: ReadonlyMap<string, FoldedApproval>;
  readonly signals: ReadonlyMap<string, FoldedSignal>;
  slot(slot: Slot): FoldedSlot;
  /** Null, or why the event cannot be true; then nothing may be added any more. */
  add(event: EventRow): Difference | null;
}

/** Events that end a request; others tell of one that stays open. */
const endOfApproval = { 'approval.approved': 1, 'approval.rejected': 1, 'approval.expired': 1, 'approval.cancelled': 1 };

/** Events that may leave the state as it is: another event, or another table, tells what became of it. */
const silent: ReadonlySet<string> = new Set<NewEvent['type']>([
  'approval.rejected',
  'approval.expired',
  'approval.cancelled',
  'approval.voted',
  'approval.advanced',
  'approval.escalated',
  'approval.warned',
  'approval.extended',
  'approval.delegated',
  'approval.edited',
  'approval.commented',
  'signal.received',
  'execution.signalled',
]);

export function createFold(plan: Plan): Fold {
  const state = newState();
  const execution: Fold['execution'] = { requestedBy: null, startedAt: null, finishedAt: null, failure: null };
  const slots = new Map<string, FoldedSlot>();
  const approvals = new Map<string, FoldedApproval>();
  const signals = new Map<string, FoldedSignal>();

  function slotOf(slot: Slot): FoldedSlot {
    const key = slotKey(slot);
    let folded = slots.get(key);
    if (!folded) slots.set(key, (folded = newFoldedSlot()));
    return folded;
  }

  function onSlot(event: SlotEvent, path: string, at: Date): Difference | null {
    const slot: Slot = { stepId: event.data.stepId, itemIndex: event.data.itemIndex };
    const unknown = placeProblem(plan, state, slot, path);
    if (unknown) return unknown;
    const before = slotState(state, slot);
    const wasFinal = before !== undefined && isFinalStep(before.status);
    if (wasFinal && !silent.has(event.type)) {
      return impossible(
        `${path}.type`,
        event.type,
        `${nameOf(slot)} had ${before.status === 'skipped' ? 'been ' : ''}${before.status} already`,
      );
    }
    const open = before?.approvalId ? approvals.get(before.approvalId) : undefined;
    if (open?.status === 'pending' && !event.type.startsWith('approval.')) {
      return impossible(`${path}.type`, event.type, `${nameOf(slot)} waits for approval ${before!.approvalId!}`);
    }
    const early = event.type === 'step.started' ? idleProblem(state, path, event.type) : null;
    if (early) return early;
    const stale = attemptProblem(event, slotOf(slot).attempts, path);
    if (stale) return stale;
    const still = lookOf(state, slot);
    apply(state, event);
    if (!silent.has(event.type) && isDeepStrictEqual(still, lookOf(state, slot))) return repeats(path, event.type);
    const folded = slotOf(slot);
    const { queued, started, failure } = slotFacts(event);
    if (queued) folded.queuedAt ??= at;
    if (started) folded.startedAt ??= at;
    if (failure) folded.failure = failure;
    const after = slotState(state, slot)!;
    if (event.type === 'step.reused') folded.failure = undefined;
    if (after.status === 'succeeded') folded.failure = null;
    if (!wasFinal && isFinalStep(after.status)) folded.finishedAt = at;
    if ('outputBytes' in event.data) folded.outputBytes = event.data.outputBytes;
    if ('branchCase' in event.data) folded.branchCase = event.data.branchCase;
    foldAttempt(event, folded, at);
    return foldApproval(event, approvals, path) ?? foldReceived(event, signals, path);
  }

  /** The approval that its start waits for. */
  function onStart(event: StartApprovalEvent, path: string): Difference | null {
    if (state.begun) return impossible(`${path}.type`, event.type, 'the execution had begun already');
    const still = { ...state, lastSequence: 0 };
    apply(state, event);
    if (!silent.has(event.type) && isDeepStrictEqual(still, { ...state, lastSequence: 0 })) return repeats(path, event.type);
    return foldApproval(event, approvals, path);
  }

  return {
    plan,
    state,
    execution,
    approvals,
    signals,
    slot: slotOf,
    add(row) {
      const expected = state.lastSequence + 1;
      const path = `events[${expected}]`;
      const { sequence, occurredAt: at } = row;
      if (sequence !== expected) {
        return {
          path: `${path}.sequence`,
          folded: expected,
          stored: sequence,
          message: `event ${expected} is missing; the next one is ${sequence}`,
        };
      }
      const malformed = payloadProblem(row, path);
      if (malformed) return malformed;
      const event = { type: row.type, data: row.data } as NewEvent;
      if (execution.finishedAt)
        return impossible(`${path}.type`, event.type, `the execution had ${state.status} already; nothing follows its end`);
      if (isSlotEvent(event)) return onSlot(event, path, at);
      if (isStartApproval(event)) return onStart(event, path);
      if (expected === 1 && !('requestedBy' in event.data))
        return impossible(`${path}.type`, event.type, 'an execution begins by being queued or scheduled');
      if (expected > 1 && 'requestedBy' in event.data) return impossible(`${path}.type`, event.type, 'the execution exists already');
      const early = event.type === 'execution.succeeded' ? idleProblem(state, path, event.type) : null;
      if (early) return early;
      const still = { ...state, lastSequence: 0 };
      apply(state, event);
      if (expected > 1 && !silent.has(event.type) && isDeepStrictEqual(still, { ...state, lastSequence: 0 }))
        return repeats(path, event.type);
      if ('requestedBy' in event.data) execution.requestedBy = event.data.requestedBy;
      if (event.type === 'execution.started') execution.startedAt = at;
      if ('failure' in event.data) execution.failure = event.data.failure;
      if (isFinalEvent(event.type)) execution.finishedAt = at;
      if (event.type !== 'execution.signalled') return null;
      const { signalId, name, sentBy } = event.data;
      if (signals.has(signalId)) return impossible(`${path}.data.signalId`, signalId, 'this signal was sent before');
      signals.set(signalId, { name, sentBy, receivedBy: null });
      return null;
    },
  };
}

const newFoldedSlot = (): FoldedSlot => ({
  failure: null,
  queuedAt: null,
  startedAt: null,
  finishedAt: null,
  outputBytes: null,
  branchCase: undefined,
  attempts: [],
});

function foldAttempt(event: SlotEvent, { attempts }: FoldedSlot, at: Date): void {
  const fact = attemptFact(event);
  if (!fact) return;
  if (fact.status === 'running') {
    attempts.push({ status: 'running', decisionId: fact.decisionId ?? null, failure: null, startedAt: at, finishedAt: null });
    return;
  }
  Object.assign(attempts.at(-1)!, { status: fact.status, failure: fact.failure ?? null, finishedAt: at });
}

function foldApproval(event: SlotEvent | StartApprovalEvent, approvals: Map<string, FoldedApproval>, path: string): Difference | null {
  if (!('approvalId' in event.data)) return null;
  const { stepId, itemIndex, approvalId } = event.data;
  const known = approvals.get(approvalId);
  if (event.type === 'approval.requested') {
    if (known) return impossible(`${path}.data.approvalId`, approvalId, 'this approval was requested before');
    approvals.set(approvalId, { stepId, itemIndex, status: 'pending', expiresAt: event.data.expiresAt, decidedBy: null });
    return null;
  }
  if (known?.status !== 'pending' || known.stepId !== stepId || known.itemIndex !== itemIndex) {
    return impossible(`${path}.data.approvalId`, approvalId, 'no such approval is pending there');
  }
  if (event.type === 'approval.extended') known.expiresAt = event.data.expiresAt;
  if (!(event.type in endOfApproval)) return null;
  known.status = event.type.slice('approval.'.length) as FoldedApproval['status'];
  if ('decidedBy' in event.data) known.decidedBy = event.data.decidedBy;
  return null;
}

function foldReceived(event: SlotEvent, signals: ReadonlyMap<string, FoldedSignal>, path: string): Difference | null {
  if (event.type !== 'signal.received') return null;
  const { signalId, name, stepId } = event.data;
  const signal = signals.get(signalId);
  if (signal?.name !== name || signal.receivedBy !== null) {
    return impossible(`${path}.data.signalId`, signalId, `no signal "${name}" of this id was waiting to be taken`);
  }
  signal.receivedBy = stepId;
  return null;
}

/** All that an event about a slot can change. */
function lookOf(state: ExecutionState, slot: Slot): unknown {
  const step = state.steps.get(slot.stepId);
  const target = slotState(state, slot);
  return { target: target && { ...target, items: null }, items: step?.items && { ...step.items } };
}

// Replay: compares what the events of an execution say with what its rows hold, and names the first difference. Pure; the rows come
// from replay-reads.ts. What stands in the rows alone (inputs, items, arguments, the content of outputs) no event can confirm.
import { isDeepStrictEqual } from 'node:util';
import type { ApprovalOutcome } from '../approvals/approval-reads.ts';
import { isFinalExecution, isFinalStep, type ExecutionStatus } from '../executions/execution.ts';
import type { AttemptRow, ExecutionRow } from '../executions/execution-rows.ts';
import {
  newSlotState,
  slotKey,
  slotState,
  type ItemCounters,
  type Plan,
  type Slot,
  type SlotState,
  type StepState,
} from '../executions/machine-state.ts';
import type { Fold, FoldedSignal } from './replay-fold.ts';
import type { Difference } from './replay-problems.ts';

/** The answer: `difference` is null when events and rows are equal. */
export interface Replay {
  readonly difference: Difference | null;
  /** As the events give it. */
  readonly status: ExecutionStatus;
  readonly counts: ReplayCounts;
}

/** How much was compared; after a difference, how much until it was found. */
export interface ReplayCounts {
  events: number;
  steps: number;
  items: number;
  attempts: number;
  approvals: number;
  signals: number;
}

/** Every field of the machine's state stands in the row; a new one is missed here by the type checker. */
export interface StoredSlot extends Slot, SlotState {
  readonly items: ItemCounters | null;
  readonly ownOutput: boolean;
  readonly outputBytes: number;
  readonly jobId: string | null;
  readonly failure: unknown;
  readonly queuedAt: Date | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

type Facts = Readonly<Record<string, unknown>>;

/** Compares in the order of `folded`'s keys, moments as text; of what is undefined the events say nothing. */
function firstDifference(path: string, folded: Facts, stored: Facts, message = 'the events give another value'): Difference | null {
  for (const [name, value] of Object.entries(folded)) {
    if (value === undefined) continue;
    const [a, b] = [plain(value), plain(stored[name])];
    if (!isDeepStrictEqual(a, b)) return { path: `${path}.${name}`, folded: a, stored: b, message };
  }
  return null;
}

const plain = (value: unknown): unknown => (value instanceof Date ? value.toISOString() : (value ?? null));
const moment = (milliseconds: number | null): Date | null => (milliseconds === null ? null : new Date(milliseconds));

export const pathOf = ({ stepId, itemIndex }: Slot): string => (itemIndex < 0 ? `steps.${stepId}` : `steps.${stepId}[${itemIndex}]`);

export function compareExecution({ state, execution }: Fold, row: ExecutionRow): Difference | null {
  const { requestedBy, startedAt, finishedAt, failure } = execution;
  const { status, lastSequence, approvalId } = state;
  const startAt = moment(state.startAt);
  const output = status === 'succeeded' ? undefined : null;
  return firstDifference(
    'execution',
    { lastSequence, status, requestedBy, startAt, approvalId, startedAt, finishedAt, failure, output },
    { ...row },
  );
}

/** Null: no row may exist. */
function expectedSlot({ plan, state, execution, slot }: Fold, at: Slot): Facts | null {
  const known = slotState(state, at);
  const step = state.steps.get(at.stepId);
  // Items of a list wait as rows before they are queued; events name them only then.
  if (!known && (at.itemIndex < 0 || !isListed(plan, at) || at.itemIndex >= (step?.items?.total ?? 0))) return null;
  const unnamed = { ...newSlotState(), status: isFinalExecution(state.status) ? 'cancelled' : 'pending' } as const;
  const { status, attempt, interruptions, wakeAt, approvalId, signal, childId, haltedBy }: SlotState = known ?? unnamed;
  const { failure, queuedAt, startedAt, finishedAt, outputBytes } = slot(at);
  const items = at.itemIndex < 0 ? (step?.items ?? null) : null;
  const isFinal = isFinalStep(status);
  // Of an item that was taken over, the events say no more than that it had succeeded.
  const isReused = isReusedItem(step, at);
  return {
    ...{ status, attempt, interruptions, wakeAt: moment(wakeAt), approvalId, signal, childId, haltedBy },
    ...countersOf(items),
    ownOutput: items ? status === 'succeeded' && hasOwnOutput(plan, at) : undefined,
    outputBytes: isReused ? undefined : items ? items.outputBytes : (outputBytes ?? 0),
    ...{ failure, queuedAt, startedAt },
    finishedAt: isReused ? undefined : isFinal ? (finishedAt ?? execution.finishedAt) : null,
    jobId: isFinal ? null : undefined,
  };
}

const isReusedItem = (step: StepState | undefined, { itemIndex }: Slot): boolean =>
  step?.items?.reused.some(([first, last]) => first <= itemIndex && itemIndex <= last) ?? false;

/** Its value is its own, not the list of its items' outputs. */
function hasOwnOutput(plan: Plan, { stepId, itemIndex }: Slot): boolean {
  const { reduce, loop } = plan.steps.get(stepId)!;
  return itemIndex < 0 && (reduce !== undefined || loop !== undefined);
}

function countersOf(items: ItemCounters | null): Facts {
  const { total = null, next = null, done = null, failed = null, waiting = null, reused = [] } = items ?? {};
  return {
    ...{ itemTotal: total, itemNext: next, itemDone: done, itemFailed: failed, itemWaiting: waiting },
    itemReused: reused.length > 0 ? reused : null,
  };
}

export interface SlotComparison {
  /** Rows in the order of the table: steps, then items by index. */
  compare(row: StoredSlot): Difference | null;
  /** After the last row: what the events name and no row holds. */
  missing(): Difference | null;
}

export function compareSlots(fold: Fold): SlotComparison {
  const { plan, state } = fold;
  const seen = new Set<string>();
  const nextIndex = new Map<string, number>();

  const absent = (slot: Slot): Difference => {
    const folded = (expectedSlot(fold, slot) as { status: unknown }).status;
    return { path: pathOf(slot), folded, stored: null, message: 'the events name it, and there is no row of it' };
  };

  return {
    compare(row) {
      const expected = expectedSlot(fold, row);
      if (!expected) {
        return { path: pathOf(row), folded: null, stored: row.status, message: 'there is a row of it, and no event names it' };
      }
      seen.add(slotKey(row));
      if (row.itemIndex >= 0) {
        const next = nextIndex.get(row.stepId) ?? 0;
        if (row.itemIndex > next && isListed(plan, row)) return absent({ stepId: row.stepId, itemIndex: next });
        nextIndex.set(row.stepId, row.itemIndex + 1);
      }
      const { outputBytes } = row;
      const isEmpty = outputBytes === 0 && expected['outputBytes'] === nullBytes;
      const stored = { ...row, wakeAt: moment(row.wakeAt), ...countersOf(row.items), ...(isEmpty && { outputBytes: nullBytes }) };
      return firstDifference(pathOf(row), expected, stored);
    },
    missing() {
      for (const stepId of state.steps.keys()) if (!seen.has(`${stepId}#-1`)) return absent({ stepId, itemIndex: -1 });
      for (const [stepId, { items }] of state.steps) {
        const next = nextIndex.get(stepId) ?? 0;
        if (items && next < items.total && isListed(plan, { stepId })) return absent({ stepId, itemIndex: next });
      }
      for (const key of state.items.keys()) {
        const at = key.lastIndexOf('#');
        if (!seen.has(key)) return absent({ stepId: key.slice(0, at), itemIndex: Number(key.slice(at + 1)) });
      }
      return null;
    },
  };
}

/** Every item of a list has a row as soon as the list is known. */
const isListed = (plan: Plan, { stepId }: Pick<Slot, 'stepId'>): boolean => plan.steps.get(stepId)?.forEach !== undefined;

/** JSON null is kept as no output. */
const nullBytes = 4;

/** `bytes` of the stored output as JSON text, null when none is stored. */
export function compareOutput(
  { plan, state, slot: folded }: Fold,
  slot: Slot,
  bytes: number | null,
  branchCase: unknown,
): Difference | null {
  const { outputBytes, branchCase: chosen } = folded(slot);
  const step = state.steps.get(slot.stepId);
  const isOwn = hasOwnOutput(plan, slot);
  // What was taken over is as large as it was there; of a value made of many the event gives the size of the many.
  if (isReusedItem(step, slot) || (isOwn && !step?.items)) return null;
  const isCollected = slot.itemIndex < 0 && step?.items && !isOwn;
  const expected = slotState(state, slot)?.status === 'succeeded' && !isCollected ? outputBytes : null;
  const isNull = bytes === null && (expected === null || expected === nullBytes || expected === 0);
  const message = 'bytes of JSON: what the events say of the output, and what is stored';
  if (!isNull && bytes !== expected) return { path: `${pathOf(slot)}.output`, folded: expected, stored: bytes, message };
  if (chosen === undefined || chosen === branchCase) return null;
  return { path: `${pathOf(slot)}.output.case`, folded: chosen, stored: branchCase ?? null, message: 'the events tell of another path' };
}

export interface AttemptComparison {
  compare(row: AttemptRow): Difference | null;
  missing(): Difference | null;
}

export function compareAttempts({ state, execution, slot: folded }: Fold): AttemptComparison {
  const seen = new Map<string, number>();
  const pathOfAttempt = (slot: Slot, number: number) => `${pathOf(slot)}.attempts[${number}]`;
  return {
    compare(row) {
      const { attempts } = folded(row);
      const attempt = attempts[row.number - 1];
      const path = pathOfAttempt(row, row.number);
      if (!attempt) return { path, folded: null, stored: row.status, message: 'there is a row of it, and no event names it' };
      seen.set(slotKey(row), (seen.get(slotKey(row)) ?? 0) + 1);
      // A final execution has no running attempt: whatever ran is abandoned with it.
      const isLeft = attempt.status === 'running' && isFinalExecution(state.status);
      const { status, decisionId, failure, startedAt, finishedAt } = isLeft
        ? { ...attempt, status: 'abandoned', finishedAt: execution.finishedAt }
        : attempt;
      return firstDifference(path, { status, decisionId, failure, startedAt, finishedAt }, { ...row });
    },
    missing() {
      const slots: Slot[] = [...state.steps.keys()].map((stepId) => ({ stepId, itemIndex: -1 }));
      for (const key of state.items.keys()) {
        const at = key.lastIndexOf('#');
        slots.push({ stepId: key.slice(0, at), itemIndex: Number(key.slice(at + 1)) });
      }
      for (const slot of slots) {
        const { attempts } = folded(slot);
        const found = seen.get(slotKey(slot)) ?? 0;
        if (found >= attempts.length) continue;
        const message = `the events name ${attempts.length} attempts, and there are rows of ${found}`;
        return { path: `${pathOf(slot)}.attempts`, folded: attempts.length, stored: found, message };
      }
      return null;
    },
  };
}

/** A decision is recorded before the execution takes note of it: a pending one may have been decided already. */
export function compareApprovals({ approvals, state }: Fold, rows: readonly ApprovalOutcome[]): Difference | null {
  const stored = new Map(rows.map((row) => [row.id, row]));
  for (const [id, approval] of approvals) {
    const path = `approvals.${id}`;
    const row = stored.get(id);
    if (!row) return { path, folded: approval.status, stored: null, message: 'the events name it, and there is no row of it' };
    const { stepId, itemIndex, status, decidedBy } = approval;
    const isOpen = status === 'pending' && (row.status === 'pending' ? !isFinalExecution(state.status) : row.status !== 'cancelled');
    const expected = {
      ...{ stepId: stepId === '' ? null : stepId, itemIndex: itemIndex < 0 ? null : itemIndex, expiresAt: new Date(approval.expiresAt) },
      ...(!isOpen && { status, decidedBy }),
      ...(row.status !== 'approved' && { consumedAt: null }),
    };
    const difference = firstDifference(path, expected, { ...row });
    if (difference) return difference;
  }
  const unnamed = rows.find((row) => !approvals.has(row.id));
  if (!unnamed) return null;
  return { path: `approvals.${unnamed.id}`, folded: null, stored: unnamed.status, message: 'there is a row of it, and no event names it' };
}

export interface StoredSignal extends FoldedSignal {
  readonly id: string;
}

export function compareSignals({ signals }: Fold, rows: readonly StoredSignal[]): Difference | null {
  const stored = new Map(rows.map((row) => [row.id, row]));
  for (const [id, { name, sentBy, receivedBy }] of signals) {
    const path = `signals.${id}`;
    const row = stored.get(id);
    if (!row) return { path, folded: name, stored: null, message: 'the events name it, and there is no row of it' };
    const difference = firstDifference(path, { name, sentBy, receivedBy }, { ...row });
    if (difference) return difference;
  }
  const unnamed = rows.find((row) => !signals.has(row.id));
  if (!unnamed) return null;
  return { path: `signals.${unnamed.id}`, folded: null, stored: unnamed.name, message: 'there is a row of it, and no event names it' };
}

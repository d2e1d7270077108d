// What the execution machine knows: the plan (from the immutable definition) and the state (from events). Types and small readers; no rules.
import type { Definition, StepDefinition } from '../agents/definition.ts';
import type { ExecutionStatus, StepStatus } from './execution.ts';

/** A place where work happens: a step, or one item of a forEach step. `itemIndex` is -1 for the step itself. */
export interface Slot {
  readonly stepId: string;
  readonly itemIndex: number;
}

/** Stands for the execution as a whole where a slot is named: in the events of the approval of its start. */
export const wholeExecution: Slot = { stepId: '', itemIndex: -1 };

export const slotKey = ({ stepId, itemIndex }: Slot): string => `${stepId}#${itemIndex}`;

export interface Plan {
  readonly definition: Definition;
  readonly steps: ReadonlyMap<string, StepDefinition>;
  /** Who waits for a step, in the definition's order. */
  readonly dependents: ReadonlyMap<string, readonly string[]>;
}

export function planOf(definition: Definition): Plan {
  const dependents = new Map<string, string[]>(definition.steps.map((step) => [step.id, []]));
  for (const step of definition.steps) for (const need of step.needs) dependents.get(need)!.push(step.id);
  return { definition, steps: new Map(definition.steps.map((step) => [step.id, step])), dependents };
}

export interface SlotState {
  status: StepStatus;
  /** Number of the newest attempt; 0 before the first. The fence: only it may commit. */
  attempt: number;
  /** Attempts that ended with their process; they do not count against `retry`. */
  interruptions: number;
  /** Retry not before, or timer due; milliseconds since the epoch. */
  wakeAt: number | null;
  approvalId: string | null;
  /** Name of the signal it waits for. */
  signal: string | null;
  /** The execution that the newest attempt of an agent step started. */
  childId: string | null;
  /** The kill switch that keeps it from going on. */
  haltedBy: string | null;
}

/** First and last index, ascending, without overlap. */
export type ItemRanges = readonly (readonly [number, number])[];

/** Counters of a forEach step or a loop, so that one item's transition never reads its siblings. */
export interface ItemCounters {
  /** Items of the list; of a loop, iterations at most. */
  readonly total: number;
  /** Items that had succeeded in the execution this one retries; they count as done and do not run. */
  readonly reused: ItemRanges;
  /** The next item that has not been queued yet. */
  next: number;
  done: number;
  failed: number;
  /** Items that wait for a person, a timer or a child execution. */
  waiting: number;
  /** Sum of the items' outputs. */
  outputBytes: number;
}

export interface StepState extends SlotState {
  items: ItemCounters | null;
}

export interface ExecutionState {
  status: ExecutionStatus;
  lastSequence: number;
  /** It was started: what a pause goes back to. */
  begun: boolean;
  /** Not before this moment; milliseconds since the epoch. */
  startAt: number | null;
  /** The open approval that its start waits for. */
  approvalId: string | null;
  /** Steps that have left `pending`; every other step of the plan is pending. */
  readonly steps: Map<string, StepState>;
  /** Items by slot key: only those that were loaded or touched. */
  readonly items: Map<string, SlotState>;
}

export const newState = (): ExecutionState => ({
  status: 'queued',
  lastSequence: 0,
  begun: false,
  startAt: null,
  approvalId: null,
  steps: new Map(),
  items: new Map(),
});

export const newSlotState = (): SlotState => ({
  status: 'pending',
  attempt: 0,
  interruptions: 0,
  wakeAt: null,
  approvalId: null,
  signal: null,
  childId: null,
  haltedBy: null,
});

export const newCounters = (total: number, reused: ItemRanges = [], outputBytes = 0): ItemCounters => ({
  total,
  reused,
  next: 0,
  done: countOf(reused),
  failed: 0,
  waiting: 0,
  outputBytes,
});

export const countOf = (ranges: ItemRanges): number => ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);

/** The next item to be queued; `total` when there is none. */
export function nextItem({ next, reused, total }: ItemCounters): number {
  let index = next;
  for (const [first, last] of reused) if (first <= index && index <= last) index = last + 1;
  return Math.min(index, total);
}

/** Items that were queued and have not ended. */
export function openItems({ next, done, reused }: ItemCounters): number {
  const before = reused.reduce((sum, [first, last]) => sum + Math.max(0, Math.min(last + 1, next) - first), 0);
  return next - before - (done - countOf(reused));
}

export function slotState(state: ExecutionState, slot: Slot): SlotState | undefined {
  return slot.itemIndex < 0 ? state.steps.get(slot.stepId) : state.items.get(slotKey(slot));
}

export const statusOf = (state: ExecutionState, stepId: string): StepStatus => state.steps.get(stepId)?.status ?? 'pending';

export function cloneState(state: ExecutionState): ExecutionState {
  return {
    ...state,
    steps: new Map([...state.steps].map(([id, step]) => [id, { ...step, items: step.items && { ...step.items } }])),
    items: new Map([...state.items].map(([key, item]) => [key, { ...item }])),
  };
}

// Comparing two executions: which steps belong together, what differs, and where the two first went apart. Pure; the facts come from
// compare-reads.ts.
import type { Definition, StepDefinition } from '../agents/definition.ts';
import { digestOf } from '../platform/canonical.ts';
import type { PolicyFinding } from '../rules/gate.ts';
import type { DecisionEffect, GateAction } from '../rules/policy.ts';
import type { ExecutionRow, StepRow } from '../executions/execution-rows.ts';
import type { StepView } from '../executions/step-reads.ts';

export const presences = ['both', 'only_a', 'only_b'] as const;
export type Presence = (typeof presences)[number];

export const divergenceKinds = ['presence', 'path', 'status', 'output', 'decision'] as const;
export type DivergenceKind = (typeof divergenceKinds)[number];

/** The first step, in the order of what needs what, that went differently: nothing before it did. */
export interface Divergence {
  readonly stepId: string;
  readonly kind: DivergenceKind;
  /** Of a forEach step: the first item that went differently. */
  readonly itemIndex: number | null;
}

/** What the gate decided, each different decision once. */
export interface ComparedDecision {
  readonly action: GateAction;
  readonly effect: DecisionEffect;
  readonly reasons: readonly string[];
  /** What each policy in scope said, with its version. */
  readonly findings: readonly PolicyFinding[];
  /** How often it was decided so. */
  readonly count: number;
}

export interface Durations {
  /** From ready to begun. */
  readonly waitedMs: number | null;
  /** From begun to ended. */
  readonly ranMs: number | null;
  /** From ready to ended. */
  readonly tookMs: number | null;
}

export function durationsOf(row: { queuedAt: Date | null; startedAt: Date | null; finishedAt: Date | null }): Durations {
  const between = (from: Date | null, to: Date | null) => (from && to ? to.getTime() - from.getTime() : null);
  return {
    waitedMs: between(row.queuedAt, row.startedAt),
    ranMs: between(row.startedAt, row.finishedAt),
    tookMs: between(row.queuedAt, row.finishedAt),
  };
}

/**
 * Taken over from the execution that this one retries or forks: it ended without having begun here. What was skipped or ended with the
 * execution never began either, and was decided about nowhere.
 */
export const isReused = ({ status, queuedAt, finishedAt }: Pick<StepRow, 'status' | 'queuedAt' | 'finishedAt'>): boolean =>
  queuedAt === null && finishedAt !== null && status !== 'skipped' && status !== 'cancelled';

/** One execution of the two. `decisions` is null when the asker may not read them. */
export interface ComparedExecution extends Durations {
  readonly execution: ExecutionRow;
  /** About its start. */
  readonly decisions: readonly ComparedDecision[] | null;
}

export interface ComparedStep extends Durations {
  readonly step: StepView;
  readonly reused: boolean;
  /** SHA-256; null when there is no output. */
  readonly outputDigest: string | null;
  /** Of a branch: the chosen case, null when none matched. Undefined: no branch, or not chosen yet. */
  readonly branchCase: number | null | undefined;
  /** Tries in all, those of its items included. */
  readonly attempts: number;
  readonly decisions: readonly ComparedDecision[] | null;
}

export interface ComparedItem extends Durations {
  readonly item: StepRow;
  readonly reused: boolean;
  readonly outputDigest: string | null;
  readonly decisions: readonly ComparedDecision[] | null;
}

/** Items with the same index, counted. */
export interface ItemSummary {
  readonly both: number;
  readonly onlyA: number;
  readonly onlyB: number;
  /** In both, with another status or output. */
  readonly different: number;
  readonly firstDifferent: number | null;
}

/** `same…` is null where there is nothing to compare. */
export interface StepComparison {
  readonly stepId: string;
  /** Ids of the two executions. */
  readonly executions: { readonly a: string; readonly b: string };
  readonly presence: Presence;
  readonly sameDefinition: boolean | null;
  readonly sameStatus: boolean | null;
  readonly sameOutput: boolean | null;
  readonly samePath: boolean | null;
  readonly sameDecisions: boolean | null;
  readonly a: ComparedStep | null;
  readonly b: ComparedStep | null;
  /** Null when neither has items. */
  readonly items: ItemSummary | null;
}

export interface ItemComparison {
  readonly index: number;
  readonly presence: Presence;
  readonly sameValue: boolean | null;
  readonly sameStatus: boolean | null;
  readonly sameOutput: boolean | null;
  readonly sameDecisions: boolean | null;
  readonly a: ComparedItem | null;
  readonly b: ComparedItem | null;
}

export interface ExecutionComparison {
  readonly a: ComparedExecution;
  readonly b: ComparedExecution;
  /** Both went the same way to the same end: steps, path, statuses, outputs. Durations and attempts may differ. */
  readonly equal: boolean;
  readonly sameAgent: boolean;
  readonly sameVersion: boolean;
  readonly sameInputs: boolean;
  readonly sameStatus: boolean;
  readonly sameOutput: boolean;
  readonly sameDecisions: boolean | null;
  readonly firstDivergence: Divergence | null;
  readonly steps: readonly StepComparison[];
}

export const presenceOf = (a: unknown, b: unknown): Presence => (a === null ? 'only_b' : b === null ? 'only_a' : 'both');

/** Step ids of both: in the order of `a`, and what only `b` has behind what stands before it there. */
export function alignSteps(a: readonly string[], b: readonly string[]): string[] {
  const order = [...a];
  const known = new Set(a);
  let place = 0;
  for (const id of b) {
    if (known.has(id)) place = order.indexOf(id) + 1;
    else order.splice(place++, 0, id);
  }
  return order;
}

/** The same steps so that none stands before one that it needs, in either definition; else as they stood. */
export function orderByNeeds(ids: readonly string[], definitions: readonly Definition[]): string[] {
  const needs = new Map<string, Set<string>>(ids.map((id) => [id, new Set()]));
  for (const { steps } of definitions) for (const step of steps) for (const need of step.needs) needs.get(step.id)!.add(need);
  const left = new Set(ids);
  const order: string[] = [];
  while (left.size > 0) {
    const isFree = (id: string) => [...needs.get(id)!].every((need) => !left.has(need));
    // Two versions may need each other's steps the other way round; then the place in the definition decides.
    const free = [...left].filter(isFree);
    const next = free.length > 0 ? free : [...left].slice(0, 1);
    for (const id of next) left.delete(id);
    order.push(...next);
  }
  return order;
}

export function compareStep(
  stepId: string,
  executions: StepComparison['executions'],
  a: ComparedStep | null,
  b: ComparedStep | null,
  definitions: readonly [StepDefinition | undefined, StepDefinition | undefined],
  items: ItemSummary | null,
  sameItemOutputs: boolean,
): StepComparison {
  const none = { sameDefinition: null, sameStatus: null, sameOutput: null, samePath: null, sameDecisions: null };
  const presence = presenceOf(a, b);
  if (!a || !b) return { stepId, executions, presence, ...none, a, b, items };
  const isBranch = a.branchCase !== undefined || b.branchCase !== undefined;
  return {
    ...{ stepId, executions, presence, a, b, items },
    sameDefinition: digestOf(definitions[0]) === digestOf(definitions[1]),
    sameStatus: a.step.status === b.step.status,
    sameOutput: a.outputDigest === b.outputDigest && sameItemOutputs,
    samePath: isBranch ? a.branchCase === b.branchCase : null,
    // What was taken over was decided about in the other execution.
    sameDecisions: a.reused || b.reused ? null : sameDecisions(a.decisions, b.decisions),
  };
}

/** The same different decisions, however often each was made: a retry is judged again. */
export function sameDecisions(a: readonly ComparedDecision[] | null, b: readonly ComparedDecision[] | null): boolean | null {
  if (!a || !b) return null;
  return sameSet(a, b, ({ action, effect, reasons, findings }) => JSON.stringify([action, effect, reasons, findings]));
}

function sameSet<T>(a: readonly T[], b: readonly T[], key: (value: T) => string): boolean {
  const [left, right] = [new Set(a.map(key)), new Set(b.map(key))];
  return left.size === right.size && [...left].every((each) => right.has(each));
}

/** How a step went differently; null when it did not. New policy versions that decide the same are no other way. */
export function divergenceOf({ stepId, presence, items, ...step }: StepComparison): Divergence | null {
  const itemIndex = items?.firstDifferent ?? null;
  if (presence !== 'both') return { stepId, kind: 'presence', itemIndex: null };
  if (step.samePath === false) return { stepId, kind: 'path', itemIndex: null };
  if (step.sameStatus === false) return { stepId, kind: 'status', itemIndex };
  if (step.sameOutput === false || (items && items.different + items.onlyA + items.onlyB > 0)) return { stepId, kind: 'output', itemIndex };
  const [a, b] = [step.a?.decisions ?? [], step.b?.decisions ?? []];
  if (step.sameDecisions === false && !sameSet(a, b, ({ effect }) => effect)) return { stepId, kind: 'decision', itemIndex: null };
  return null;
}

// What an execution that retries or forks another one need not do again. Pure.
import type { StepDefinition } from '../agents/definition.ts';
import { canonicalJson } from '../platform/canonical.ts';
import type { StepStatus } from './execution.ts';
import type { ReusedStep } from './machine-command.ts';
import type { ItemRanges, Plan } from './machine-state.ts';

/** How a step of the former execution stands. */
export interface FormerStep {
  readonly stepId: string;
  readonly status: StepStatus;
  readonly outputBytes: number;
  /** Of a branch that has chosen. */
  readonly branchCase: number | null;
  /** Of a forEach whose list is known: how many items, and which of them succeeded. */
  readonly items: { readonly total: number; readonly succeeded: ItemRanges } | null;
}

export type Former = ReadonlyMap<string, FormerStep>;

/** Everything that ended well or was tolerated, unless it follows what did not; of an unfinished list the items that succeeded. */
export function reusableForRetry(plan: Plan, former: Former): ReusedStep[] {
  const again = new Set(plan.definition.steps.filter((step) => !isSettled(step, former.get(step.id))).map((step) => step.id));
  const reused = reusable(plan, former, withDependents(plan, again));
  const done = new Set(reused.map(({ stepId }) => stepId));
  for (const { id, forEach, needs } of plan.definition.steps) {
    const items = former.get(id)?.items;
    if (!again.has(id) || forEach === undefined || !items || items.succeeded.length === 0 || !needs.every((need) => done.has(need)))
      continue;
    const { outputBytes } = former.get(id)!;
    reused.push({ stepId: id, status: 'pending', outputBytes, items: { total: items.total, ranges: items.succeeded } });
  }
  return reused;
}

export type Fork = { readonly ok: true; readonly reused: ReusedStep[] } | { readonly ok: false; readonly missing: string };

/** The step and what follows it run again. `before`: the plan of the former version, where the new one differs. */
export function reusableForFork(plan: Plan, before: Plan, stepId: string, former: Former): Fork {
  const again = withDependents(plan, new Set([stepId]));
  const upstream = withNeeds(plan, stepId);
  const changed = plan.definition.steps.filter(({ id }) => !upstream.has(id) && !isSame(plan.steps.get(id), before.steps.get(id)));
  const reused = reusable(plan, former, withDependents(plan, new Set([...again, ...changed.map(({ id }) => id)])));
  const done = new Set(reused.map((step) => step.stepId));
  const missing = [...upstream].find((id) => id !== stepId && !done.has(id));
  return missing === undefined ? { ok: true, reused } : { ok: false, missing };
}

function reusable(plan: Plan, former: Former, again: ReadonlySet<string>): ReusedStep[] {
  const reused = new Map<string, ReusedStep>();
  // Steps stand in any order: as long as one more has all it needs, another round follows.
  for (let before = -1; before < reused.size;) {
    before = reused.size;
    for (const step of plan.definition.steps) {
      const found = former.get(step.id);
      if (reused.has(step.id) || again.has(step.id) || !found || !isSettled(step, found) || !step.needs.every((need) => reused.has(need)))
        continue;
      reused.set(step.id, reusedStep(step, found));
    }
  }
  return [...reused.values()];
}

function reusedStep({ kind, forEach, reduce }: StepDefinition, { stepId, status, outputBytes, branchCase, items }: FormerStep): ReusedStep {
  const isList = forEach !== undefined && reduce === undefined && status === 'succeeded' && items !== null;
  return {
    ...{ stepId, status: status as ReusedStep['status'], outputBytes },
    ...(kind === 'branch' && status === 'succeeded' && { branchCase }),
    ...(isList && { items: { total: items.total, ranges: items.total === 0 ? [] : [[0, items.total - 1]] } }),
  };
}

const isSettled = ({ onFailure }: StepDefinition, step: FormerStep | undefined): boolean =>
  step?.status === 'succeeded' ||
  step?.status === 'skipped' ||
  (onFailure === 'continue' && (step?.status === 'failed' || step?.status === 'blocked'));

const isSame = (a: StepDefinition | undefined, b: StepDefinition | undefined): boolean =>
  a !== undefined && b !== undefined && canonicalJson(a) === canonicalJson(b);

function withDependents(plan: Plan, ids: ReadonlySet<string>): Set<string> {
  const all = new Set(ids);
  for (const id of all) for (const dependent of plan.dependents.get(id) ?? []) all.add(dependent);
  return all;
}

function withNeeds(plan: Plan, stepId: string): Set<string> {
  const all = new Set([stepId]);
  for (const id of all) for (const need of plan.steps.get(id)?.needs ?? []) all.add(need);
  return all;
}

/** `[0, 1, 2, 5]` → `[[0, 2], [5, 5]]`. Indexes ascend. */
export function rangesOf(indexes: readonly number[]): ItemRanges {
  const ranges: [number, number][] = [];
  for (const index of indexes) {
    const last = ranges.at(-1);
    if (last && last[1] === index - 1) last[1] = index;
    else ranges.push([index, index]);
  }
  return ranges;
}

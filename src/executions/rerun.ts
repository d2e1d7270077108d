// What an execution that retries or forks another one need not do again. Pure.
import type { StepDefinition } from '../agents/definition.ts';
import { canonicalJson } from '../platform/canonical.ts';
import type { StepStatus } from './execution.ts';
import type { ReusedStep } from './machine-command.ts';
import { countOf, type ItemRanges, type Plan } from './machine-state.ts';

/** How a step of the former execution stands. */
export interface FormerStep {
  readonly stepId: string;
  readonly status: StepStatus;
  readonly outputBytes: number;
  /** Of a branch that has chosen. */
  readonly branchCase: number | null;
  /** Of a forEach whose list is known, of a loop that has begun: how many items at most, and which of them succeeded. */
  readonly items: { readonly total: number; readonly succeeded: ItemRanges } | null;
}

export type Former = ReadonlyMap<string, FormerStep>;

/** Everything that ended well or was tolerated, unless it follows what did not; of an unfinished list or loop what had succeeded. */
export function reusableForRetry(plan: Plan, former: Former): ReusedStep[] {
  const again = new Set(plan.definition.steps.filter((step) => !isSettled(step, former.get(step.id))).map((step) => step.id));
  const passed = passedOver(plan, former);
  const reused = reusable(plan, former, withDependents(plan, again, passed), passed);
  const done = new Set(reused.map(({ stepId }) => stepId));
  for (const { id, loop, needs } of plan.definition.steps) {
    const items = former.get(id)?.items;
    if (!again.has(id) || !items || items.succeeded.length === 0 || !needs.every((need) => done.has(need))) continue;
    // One that has used up its iterations begins anew: it has none left to go on with.
    if (loop && countOf(items.succeeded) === items.total) continue;
    const { outputBytes } = former.get(id)!;
    reused.push({ stepId: id, status: 'pending', outputBytes, items: { total: items.total, ranges: items.succeeded } });
  }
  return reused;
}

export type Fork = { readonly ok: true; readonly reused: ReusedStep[] } | { readonly ok: false; readonly missing: string };

/** The step and what follows it run again. `before`: the plan of the former version, where the new one differs. */
export function reusableForFork(plan: Plan, before: Plan, stepId: string, all: Former): Fork {
  // What a branch chose is kept as a number: it means nothing among other cases.
  const former = new Map([...all].filter(([id]) => casesOf(plan, id) === casesOf(before, id)));
  const passed = passedOver(plan, former);
  const upstream = withNeeds(plan, stepId, passed);
  const changed = plan.definition.steps.filter(({ id }) => !upstream.has(id) && !isSame(plan.steps.get(id), before.steps.get(id)));
  const again = withDependents(plan, new Set([stepId, ...changed.map(({ id }) => id)]), passed);
  const reused = reusable(plan, former, again, passed);
  const done = new Set(reused.map((step) => step.stepId));
  // Of those that are missing one that lacks nothing itself: the others are missing because of it.
  const lacking = new Set([...upstream].filter((id) => id !== stepId && !done.has(id)));
  const missing = [...lacking].find((id) => !plan.steps.get(id)!.needs.some((need) => lacking.has(need)));
  return missing === undefined ? { ok: true, reused } : { ok: false, missing };
}

function reusable(plan: Plan, former: Former, again: ReadonlySet<string>, passed: PassedOver): ReusedStep[] {
  const reused = new Map<string, ReusedStep>();
  const isAllReused = ({ id, needs }: StepDefinition) => needsOf(id, needs, passed).every((need) => reused.has(need));
  // Steps stand in any order: as long as one more has all it needs, another round follows.
  for (let before = -1; before < reused.size;) {
    before = reused.size;
    for (const step of plan.definition.steps) {
      const found = former.get(step.id);
      if (reused.has(step.id) || again.has(step.id) || !found || !isSettled(step, found) || !isAllReused(step)) continue;
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

const casesOf = (plan: Plan, id: string): string => JSON.stringify(plan.steps.get(id)?.branch?.map(({ then }) => then) ?? null);

const isSame = (a: StepDefinition | undefined, b: StepDefinition | undefined): boolean =>
  a !== undefined && b !== undefined && canonicalJson(a) === canonicalJson(b);

/** Steps in a case that their branch did not take, by id, with the branch: it alone decided, whatever else they would have waited for. */
type PassedOver = ReadonlyMap<string, string>;

function passedOver(plan: Plan, former: Former): PassedOver {
  const branches = plan.definition.steps.filter(({ id, branch }) => branch && former.get(id)?.status === 'succeeded');
  return new Map(
    branches.flatMap(({ id, branch }) => {
      const others = branch!.filter((_, index) => index !== former.get(id)!.branchCase).flatMap(({ then }) => then);
      return others.filter((stepId) => former.get(stepId)?.status === 'skipped').map((stepId): [string, string] => [stepId, id]);
    }),
  );
}

const needsOf = (id: string, needs: readonly string[], passed: PassedOver): readonly string[] => {
  const branch = passed.get(id);
  return branch === undefined ? needs : [branch];
};

function withDependents(plan: Plan, ids: ReadonlySet<string>, passed: PassedOver): Set<string> {
  const all = new Set(ids);
  for (const id of all) {
    for (const dependent of plan.dependents.get(id) ?? []) if ((passed.get(dependent) ?? id) === id) all.add(dependent);
  }
  return all;
}

function withNeeds(plan: Plan, stepId: string, passed: PassedOver): Set<string> {
  const all = new Set([stepId]);
  for (const id of all) for (const need of needsOf(id, plan.steps.get(id)?.needs ?? [], passed)) all.add(need);
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

// The SQL of comparing two executions: a number of statements that does not depend on their steps and items. Items and their outputs
// are compared where they are; of them only counts, digests and one page at a time come here.
import type { UnitOfWork } from '../platform/database.ts';
import type { PageRequest } from '../platform/page.ts';
import { can, type Authority } from '../authority/permission.ts';
import {
  compareStep,
  alignSteps,
  divergenceOf,
  durationsOf,
  isReused,
  orderByNeeds,
  presenceOf,
  sameDecisions,
  type ComparedDecision,
  type ComparedItem,
  type ComparedStep,
  type ExecutionComparison,
  type ItemComparison,
  type ItemSummary,
} from './compare.ts';
import { stepColumns, withDates, type ExecutionRow, type StepRow } from '../executions/execution-rows.ts';
import { itemWindow, stepViews, type StepView } from '../executions/step-reads.ts';
import { loadPlans } from '../executions/transition.ts';

type Side = 'a' | 'b';

/** The caller has authorised both executions. */
export async function compareExecutions(uow: UnitOfWork, actor: Authority, a: ExecutionRow, b: ExecutionRow): Promise<ExecutionComparison> {
  const both = [a, b];
  const [viewsOfA, viewsOfB] = await stepViews(uow, both);
  const plans = await loadPlans(uow, [a.agentVersionId, b.agentVersionId]);
  const definitions = both.map((execution) => plans.get(execution.agentVersionId)!.definition);
  const outputs = await stepOutputs(uow, both);
  const items = await itemSummaries(uow, a.id, b.id);
  const readable = readableDecisions(actor, a, b);
  const decisions = await decisionsOf(uow, readable, null);
  const sameValues = await sameInputsAndOutputs(uow, a.id, b.id);

  const comparedStep = (side: Side, execution: ExecutionRow, step: StepView): ComparedStep => {
    const output = outputs.get(`${execution.id}/${step.stepId}`);
    return {
      step,
      reused: isReused(step),
      ...durationsOf(step),
      outputDigest: output?.digest ?? null,
      branchCase: step.kind === 'branch' && output ? (output.branchCase ?? null) : undefined,
      attempts: step.attempt + (items.get(step.stepId)?.[side === 'a' ? 'attemptsA' : 'attemptsB'] ?? 0),
      decisions: readable.includes(execution.id) ? (decisions.get(`${execution.id}/${step.stepId}`) ?? []) : null,
    };
  };
  const compared = (execution: ExecutionRow) => ({
    execution,
    ...durationsOf({ ...execution, queuedAt: execution.createdAt }),
    decisions: readable.includes(execution.id) ? (decisions.get(`${execution.id}/`) ?? []) : null,
  });
  const byId = [viewsOfA!, viewsOfB!].map((views) => new Map(views.map((view) => [view.stepId, view])));
  const steps = alignSteps([...byId[0]!.keys()], [...byId[1]!.keys()]).map((stepId) => {
    const [stepA, stepB] = [byId[0]!.get(stepId), byId[1]!.get(stepId)];
    const summary = items.get(stepId);
    return compareStep(
      stepId,
      { a: a.id, b: b.id },
      stepA ? comparedStep('a', a, stepA) : null,
      stepB ? comparedStep('b', b, stepB) : null,
      [plans.get(a.agentVersionId)!.steps.get(stepId), plans.get(b.agentVersionId)!.steps.get(stepId)],
      summary ?? null,
      !summary || summary.differentOutputs + summary.onlyA + summary.onlyB === 0,
    );
  });
  const comparisons = new Map(steps.map((step) => [step.stepId, step]));
  const order = orderByNeeds([...comparisons.keys()], definitions);
  const firstDivergence = order.map((stepId) => divergenceOf(comparisons.get(stepId)!)).find((divergence) => divergence !== null) ?? null;
  const [comparedA, comparedB] = [compared(a), compared(b)];
  const sameStatus = a.status === b.status;
  return {
    a: comparedA,
    b: comparedB,
    equal: firstDivergence === null && sameStatus && sameValues.output,
    sameAgent: a.agentId === b.agentId,
    sameVersion: a.agentVersionId === b.agentVersionId,
    sameInputs: sameValues.inputs,
    sameStatus,
    sameOutput: sameValues.output,
    sameDecisions: sameDecisions(comparedA.decisions, comparedB.decisions),
    firstDivergence,
    steps,
  };
}

/** Ids of those whose decisions `actor` may read. */
const readableDecisions = (actor: Authority, ...executions: readonly ExecutionRow[]): string[] =>
  executions.filter((execution) => can(actor, 'decision.read', execution)).map(({ id }) => id);

async function sameInputsAndOutputs(uow: UnitOfWork, a: string, b: string): Promise<{ inputs: boolean; output: boolean }> {
  const rows = await uow.rows<{ inputs: boolean; output: boolean }>(
    `select a.inputs is not distinct from b.inputs as inputs, a.output is not distinct from b.output as output
     from executions a, executions b where a.tenant_id = $1 and b.tenant_id = $1 and a.id = $2 and b.id = $3`,
    [uow.tenantId, a, b],
  );
  return rows[0]!;
}

const digestSql = (output: string) => `encode(sha256(convert_to(${output}::text, 'UTF8')), 'hex')`;

async function stepOutputs(
  uow: UnitOfWork,
  executions: readonly ExecutionRow[],
): Promise<Map<string, { digest: string; branchCase: number | null }>> {
  const rows = await uow.rows<{ key: string; digest: string; branchCase: number | null }>(
    `select s.execution_id || '/' || s.step_id as key, ${digestSql('s.output')} as digest,
       case when jsonb_typeof(s.output->'case') = 'number' then (s.output->>'case')::numeric::int end as "branchCase"
     from steps s where s.tenant_id = $1 and s.execution_id = any($2::uuid[]) and s.item_index = -1 and s.output is not null`,
    [uow.tenantId, executions.map(({ id }) => id)],
  );
  return new Map(rows.map((row) => [row.key, row]));
}

interface CountedItems extends ItemSummary {
  readonly differentOutputs: number;
  readonly attemptsA: number;
  readonly attemptsB: number;
}

async function itemSummaries(uow: UnitOfWork, a: string, b: string): Promise<Map<string, CountedItems>> {
  const items = (execution: string) =>
    `(select step_id, item_index, status, output, attempt from steps where tenant_id = $1 and execution_id = ${execution} and item_index >= 0)`;
  const rows = await uow.rows<CountedItems & { stepId: string }>(
    `select step_id as "stepId", count(*) filter (where in_a and in_b)::int as both, count(*) filter (where not in_b)::int as "onlyA",
       count(*) filter (where not in_a)::int as "onlyB", count(*) filter (where in_a and in_b and (other_status or other_output))::int as different,
       count(*) filter (where in_a and in_b and other_output)::int as "differentOutputs",
       min(item_index) filter (where not in_a or not in_b or other_status or other_output) as "firstDifferent",
       coalesce(sum(attempt_a), 0)::int as "attemptsA", coalesce(sum(attempt_b), 0)::int as "attemptsB"
     from (
       select step_id, item_index, a.status is not null as in_a, b.status is not null as in_b, a.attempt as attempt_a, b.attempt as attempt_b,
         a.status is distinct from b.status as other_status, a.output is distinct from b.output as other_output
       from ${items('$2')} a full join ${items('$3')} b using (step_id, item_index)
     ) pairs group by step_id`,
    [uow.tenantId, a, b],
  );
  return new Map(rows.map((row) => [row.stepId, row]));
}

interface Slots {
  readonly executionIds: readonly string[];
  readonly stepIds: readonly string[];
  readonly itemIndexes: readonly number[];
}

/** Most different decisions listed of one step or item. */
const maxDecisions = 20;

/**
 * Each different decision once, with its count, by execution and step (`<id>/` for the start); with `slots` of these items alone, by
 * execution, step and index.
 */
async function decisionsOf(
  uow: UnitOfWork,
  executionIds: readonly string[],
  slots: Slots | null,
): Promise<Map<string, ComparedDecision[]>> {
  const key = `d.execution_id || '/' || coalesce(d.step_id, '')${slots ? ` || '/' || d.item_index` : ''}`;
  const among = slots ? `and (d.execution_id, d.step_id, d.item_index) in (select * from unnest($3::uuid[], $4::text[], $5::int[]))` : '';
  const rows = await uow.rows<ComparedDecision & { key: string }>(
    `select key, action, effect, reasons, findings, count from (
       select ${key} as key, d.action, d.effect, d.reasons, d.findings, count(*)::int as count,
         row_number() over (partition by ${key} order by min(d.id::text)) as place
       from decisions d where d.tenant_id = $1 and d.execution_id = any($2::uuid[]) ${among}
       group by 1, 2, 3, 4, 5
     ) grouped where place <= ${maxDecisions} order by key, place`,
    [uow.tenantId, [...executionIds], ...(slots ? [slots.executionIds, slots.stepIds, slots.itemIndexes] : [])],
  );
  const decisions = new Map<string, ComparedDecision[]>();
  for (const { key: of, ...decision } of rows) {
    const list = decisions.get(of) ?? [];
    decisions.set(of, list);
    list.push(decision);
  }
  return decisions;
}

export interface ComparedItemsKey {
  readonly a: string;
  readonly b: string;
  readonly stepId: string;
}

export interface ItemComparisonRequest extends PageRequest {
  /** Only those with another status or output, or in one execution alone. */
  readonly differing: boolean;
}

export interface ItemComparisonPage {
  readonly rows: readonly ItemComparison[];
  readonly hasNextPage: boolean;
}

/** A page of items per step, by index. The caller has authorised the executions, which are all that `steps` name. */
export async function compareItems(
  uow: UnitOfWork,
  actor: Authority,
  executions: readonly ExecutionRow[],
  steps: readonly ComparedItemsKey[],
  { differing, ...request }: ItemComparisonRequest,
): Promise<ItemComparisonPage[]> {
  const { first, after } = itemWindow(request);
  // Indexes have no gap, so a page of all items is a range of the primary key on both sides.
  const items = (execution: string) => `(select s.item_index, s.status, s.output, s.item from steps s
    where s.tenant_id = $1 and s.execution_id = ${execution} and s.step_id = asked.step_id and s.item_index > $5
      and ($7 or s.item_index <= $5 + $6))`;
  const pairs = await uow.rows<PairRow>(
    `select asked.at::int - 1 as at, page.* from unnest($2::uuid[], $3::uuid[], $4::text[]) with ordinality as asked (a, b, step_id, at)
     cross join lateral (
       select item_index as index, a.status is not null as "inA", b.status is not null as "inB",
         a.item is not distinct from b.item as "sameValue", a.status is not distinct from b.status as "sameStatus",
         a.output is not distinct from b.output as "sameOutput"
       from ${items('asked.a')} a full join ${items('asked.b')} b using (item_index)
       where not $7 or a.status is distinct from b.status or a.output is distinct from b.output
       order by item_index limit $6
     ) page order by asked.at, page.index`,
    [uow.tenantId, steps.map(({ a }) => a), steps.map(({ b }) => b), steps.map(({ stepId }) => stepId), after, first + 1, differing],
  );
  const slots = slotsOf(steps, pairs);
  const rows = await itemRows(uow, slots);
  const readable = readableDecisions(actor, ...executions);
  const decisions = await decisionsOf(uow, readable, slots);
  const sideOf = (executionId: string, stepId: string, { index }: PairRow): ComparedItem | null => {
    const found = rows.get(`${executionId}/${stepId}/${index}`);
    if (!found) return null;
    const { outputDigest, ...item } = found;
    const own = readable.includes(executionId) ? (decisions.get(`${executionId}/${stepId}/${index}`) ?? []) : null;
    return { item, reused: isReused(item), outputDigest, ...durationsOf(item), decisions: own };
  };
  const byStep = Map.groupBy(pairs, ({ at }) => at);
  return steps.map(({ a, b, stepId }, at) => {
    const found = byStep.get(at) ?? [];
    const compared = found.slice(0, first).map((pair): ItemComparison => {
      const [itemA, itemB] = [pair.inA ? sideOf(a, stepId, pair) : null, pair.inB ? sideOf(b, stepId, pair) : null];
      const presence = presenceOf(itemA, itemB);
      const same = (value: boolean) => (presence === 'both' ? value : null);
      return {
        ...{ index: pair.index, presence, a: itemA, b: itemB },
        sameValue: same(pair.sameValue),
        sameStatus: same(pair.sameStatus),
        sameOutput: same(pair.sameOutput),
        sameDecisions: itemA && itemB && !itemA.reused && !itemB.reused ? sameDecisions(itemA.decisions, itemB.decisions) : null,
      };
    });
    return { rows: compared, hasNextPage: found.length > first };
  });
}

interface PairRow {
  readonly at: number;
  readonly index: number;
  readonly inA: boolean;
  readonly inB: boolean;
  readonly sameValue: boolean;
  readonly sameStatus: boolean;
  readonly sameOutput: boolean;
}

function slotsOf(steps: readonly ComparedItemsKey[], pairs: readonly PairRow[]): Slots {
  const slots = pairs.flatMap(({ at, index }) => {
    const { a, b, stepId } = steps[at]!;
    return [a, b].map((executionId) => ({ executionId, stepId, index }));
  });
  return {
    executionIds: slots.map((slot) => slot.executionId),
    stepIds: slots.map((slot) => slot.stepId),
    itemIndexes: slots.map((slot) => slot.index),
  };
}

async function itemRows(uow: UnitOfWork, slots: Slots): Promise<Map<string, StepRow & { outputDigest: string | null }>> {
  const rows = await uow.rows<StepRow & { outputDigest: string | null }>(
    `select distinct on (s.execution_id, s.item_index, s.step_id) ${stepColumns}, ${digestSql('s.output')} as "outputDigest"
     from unnest($2::uuid[], $3::text[], $4::int[]) as asked (execution_id, step_id, item_index)
     join steps s on s.tenant_id = $1 and s.execution_id = asked.execution_id and s.step_id = asked.step_id and s.item_index = asked.item_index`,
    [uow.tenantId, slots.executionIds, slots.stepIds, slots.itemIndexes],
  );
  return new Map(rows.map((row) => [`${row.executionId}/${row.stepId}/${row.itemIndex}`, withDates<never>(row as never)]));
}

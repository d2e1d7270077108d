// Reads of executions, steps and attempts: rows as GraphQL needs them, batched, authorised. No rules, no writes.
import type { UnitOfWork } from '../platform/database.ts';
import { ValidationError, type Problem } from '../platform/errors.ts';
import { idsBetween, isId } from '../platform/ids.ts';
import { storableText } from '../platform/json.ts';
import { visibleRows } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import type { ExecutionStatus } from './execution.ts';
import {
  attemptColumns,
  executionColumns,
  stepColumns,
  withDates,
  type AttemptRow,
  type ExecutionRow,
  type StepRow,
} from './execution-rows.ts';

export interface ExecutionFilter {
  readonly status?: readonly ExecutionStatus[] | null | undefined;
  readonly projectId?: string | null | undefined;
  readonly agentId?: string | null | undefined;
  readonly environmentId?: string | null | undefined;
  /** Started by a step of this execution, which must be visible, too. */
  readonly parentId?: string | null | undefined;
  /** True: started by a step of another execution. False: not so. */
  readonly hasParent?: boolean | null | undefined;
  /** Retrying or forking this execution, which must be visible, too. */
  readonly originId?: string | null | undefined;
  /** Every one of these labels with this value: an object of texts. */
  readonly labels?: unknown;
  /** Created at or after this moment. */
  readonly since?: Date | null | undefined;
  /** Created before this moment. */
  readonly until?: Date | null | undefined;
}

/** Columns of `executions e` that say where one belongs. */
export const executionPlace = { project: 'e.project_id', environment: 'e.environment_id', team: 'e.team_id' } as const;

/** Inputs of one execution, for the runner; null when it does not exist. */
export async function readInputs(uow: UnitOfWork, executionId: string): Promise<unknown> {
  const rows = await uow.rows<{ inputs: unknown }>('select inputs from executions where tenant_id = $1 and id = $2', [
    uow.tenantId,
    executionId,
  ]);
  return rows[0]?.inputs ?? null;
}

/** Those of `ids` that exist and that `actor` may read, in no particular order. */
export async function executionsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<ExecutionRow[]> {
  const params: unknown[] = [uow.tenantId, ids.filter(isId)];
  const visible = visibleRows(actor, 'execution.read', executionPlace, params);
  const rows = await uow.rows(
    `select ${executionColumns} from executions e where e.tenant_id = $1 and e.id = any($2::uuid[]) and ${visible}`,
    params,
  );
  return rows.map((row) => withDates<ExecutionRow>(row as never));
}

const idColumns = {
  projectId: 'e.project_id',
  agentId: 'e.agent_id',
  environmentId: 'e.environment_id',
  parentId: 'e.parent_id',
  originId: 'e.origin_id',
} as const;

interface PlaceAndTime extends Partial<Record<keyof typeof idColumns, string | null | undefined>> {
  readonly since?: Date | null | undefined;
  readonly until?: Date | null | undefined;
}

/** Conditions on `executions e` for the ids of a filter, and the problems of its ids and times. */
export function idConditions(filter: PlaceAndTime, bind: (value: unknown) => string): { conditions: string[]; problems: Problem[] } {
  const conditions: string[] = [];
  const problems: Problem[] = [];
  for (const [field, column] of Object.entries(idColumns) as [keyof typeof idColumns, string][]) {
    const id = filter[field];
    if (id == null) continue;
    if (isId(id)) conditions.push(`${column} = ${bind(id)}`);
    else problems.push({ path: `filter.${field}`, message: `"${id.slice(0, 80)}" is not an id` });
  }
  if (filter.since && filter.until && filter.since >= filter.until) {
    problems.push({ path: 'filter.until', message: `must be after filter.since (${filter.since.toISOString()})` });
  }
  return { conditions, problems };
}

/** Conditions on `executions e`; every problem of the filter at once. */
export function filterConditions(filter: ExecutionFilter, bind: (value: unknown) => string): string[] {
  const { conditions, problems } = idConditions(filter, bind);
  const { labels } = filter;
  if (labels != null) {
    const isObject = typeof labels === 'object' && !Array.isArray(labels);
    if (isObject && Object.values(labels).every((value) => typeof value === 'string')) {
      for (const [name, value] of Object.entries(labels as Record<string, string>)) {
        conditions.push(`exists (select from execution_labels own where own.tenant_id = e.tenant_id and own.environment_id = e.environment_id and own.execution_id = e.id
          and own.name = ${bind(storableText(name))} and own.value = ${bind(storableText(value))})`);
      }
    } else problems.push({ path: 'filter.labels', message: 'must be an object of texts', expected: '{ "team": "payments" }' });
  }
  if (problems.length > 0) throw new ValidationError(problems);
  if (filter.status) conditions.push(`e.status = any(${bind([...filter.status])}::text[])`);
  if (filter.hasParent != null) conditions.push(`e.parent_id is ${filter.hasParent ? 'not null' : 'null'}`);
  if (filter.since) conditions.push(`e.created_at >= ${bind(filter.since)}`);
  if (filter.until) conditions.push(`e.created_at < ${bind(filter.until)}`);
  return [...conditions, ...idsBetween('e.id', filter, bind)];
}

/** Steps that have left `pending`, by execution. The caller has authorised the executions. */
export async function stepsOfExecutions(uow: UnitOfWork, executionIds: readonly string[]): Promise<StepRow[]> {
  const rows = await uow.rows(
    `select ${stepColumns} from steps s where s.tenant_id = $1 and s.execution_id = any($2::uuid[]) and s.item_index = -1`,
    [uow.tenantId, [...new Set(executionIds)]],
  );
  return rows.map((row) => withDates<StepRow>(row as never));
}

export interface StepKey {
  readonly executionId: string;
  readonly stepId: string;
}

export interface SlotKey extends StepKey {
  readonly itemIndex: number;
}

/** The items of forEach steps after an index, in order; one page per step. */
export async function itemsOfSteps(
  uow: UnitOfWork,
  steps: readonly StepKey[],
  { first, after }: { first: number; after: number },
): Promise<{ rows: StepRow[]; hasNextPage: boolean }[]> {
  const rows = await uow.rows<StepRow>(
    `select page.* from unnest($2::uuid[], $3::text[]) as asked (execution_id, step_id) cross join lateral (
       select ${stepColumns} from steps s
       where s.tenant_id = $1 and s.execution_id = asked.execution_id and s.step_id = asked.step_id and s.item_index > $4
       order by s.item_index limit $5
     ) page`,
    [uow.tenantId, steps.map((step) => step.executionId), steps.map((step) => step.stepId), after, first + 1],
  );
  const byStep = Map.groupBy(rows, (row) => `${row.executionId}/${row.stepId}`);
  return steps.map(({ executionId, stepId }) => {
    const found = (byStep.get(`${executionId}/${stepId}`) ?? []).map((row) => withDates<StepRow>(row as never));
    found.sort((a, b) => a.itemIndex - b.itemIndex);
    return { rows: found.slice(0, first), hasNextPage: found.length > first };
  });
}

/** Outputs of slots, in order; of a forEach step (-1) the list of its items' outputs. Absent = null. */
export async function outputsOf(uow: UnitOfWork, slots: readonly SlotKey[]): Promise<unknown[]> {
  const rows = await uow.rows<SlotKey & { output: unknown }>(
    `select s.execution_id as "executionId", s.step_id as "stepId", s.item_index as "itemIndex",
       case when s.item_total is null or s.own_output then s.output when s.status = 'succeeded' then
         (select coalesce(jsonb_agg(i.output order by i.item_index), '[]') from steps i
          where i.tenant_id = s.tenant_id and i.execution_id = s.execution_id and i.step_id = s.step_id and i.item_index >= 0) end as output
     from unnest($2::uuid[], $3::text[], $4::int[]) as asked (execution_id, step_id, item_index)
     join steps s on s.tenant_id = $1 and s.execution_id = asked.execution_id and s.step_id = asked.step_id and s.item_index = asked.item_index`,
    [uow.tenantId, slots.map((slot) => slot.executionId), slots.map((slot) => slot.stepId), slots.map((slot) => slot.itemIndex)],
  );
  const found = new Map(rows.map((row) => [`${row.executionId}/${row.stepId}/${row.itemIndex}`, row.output]));
  return slots.map((slot) => found.get(`${slot.executionId}/${slot.stepId}/${slot.itemIndex}`) ?? null);
}

/** Attempts of slots, oldest first, one list per slot. */
export async function attemptsOf(uow: UnitOfWork, slots: readonly SlotKey[]): Promise<AttemptRow[][]> {
  const rows = await uow.rows<AttemptRow>(
    `select ${attemptColumns} from unnest($2::uuid[], $3::text[], $4::int[]) as asked (execution_id, step_id, item_index)
     join attempts a on a.tenant_id = $1 and a.execution_id = asked.execution_id and a.step_id = asked.step_id
       and a.item_index = asked.item_index
     order by a.number`,
    [uow.tenantId, slots.map((slot) => slot.executionId), slots.map((slot) => slot.stepId), slots.map((slot) => slot.itemIndex)],
  );
  const bySlot = Map.groupBy(rows, (row) => `${row.executionId}/${row.stepId}/${row.itemIndex}`);
  return slots.map((slot) =>
    (bySlot.get(`${slot.executionId}/${slot.stepId}/${slot.itemIndex}`) ?? []).map((row) => withDates<AttemptRow>(row as never)),
  );
}

/** Which of these executions have ended: their running effects are to be aborted. For the runner. */
export async function endedAmong(uow: UnitOfWork, executionIds: readonly string[]): Promise<string[]> {
  const rows = await uow.rows<{ id: string }>(
    `select id from executions where tenant_id = $1 and id = any($2::uuid[]) and status in ('succeeded', 'failed', 'cancelled', 'blocked')`,
    [uow.tenantId, [...executionIds]],
  );
  return rows.map((row) => row.id);
}

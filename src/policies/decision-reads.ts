// Reads of decision records: rows as GraphQL lists need them. Records are written by the gate alone and never change.
import type { UnitOfWork } from '../platform/database.ts';
import { ValidationError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { pageOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { visibleRows } from '../principals/authorize.ts';
import type { Authority } from '../principals/permission.ts';
import type { GateInput, PolicyFinding } from './gate.ts';
import type { DecisionEffect, GateAction } from './policy.ts';

export interface DecisionRow {
  readonly id: string;
  readonly projectId: string;
  readonly environmentId: string;
  readonly agentId: string;
  readonly teamId: string | null;
  readonly executionId: string | null;
  readonly stepId: string | null;
  readonly itemIndex: number | null;
  readonly action: GateAction;
  readonly effect: DecisionEffect;
  readonly reasons: readonly string[];
  readonly findings: readonly PolicyFinding[];
  readonly input: GateInput;
  readonly inputDigest: string;
  readonly durationMicros: number;
  readonly createdAt: Date;
}

export interface DecisionFilter {
  readonly executionId?: string | null | undefined;
  readonly agentId?: string | null | undefined;
  readonly effect?: readonly DecisionEffect[] | null | undefined;
  /** From this moment on. */
  readonly since?: Date | null | undefined;
  /** Before this moment. */
  readonly until?: Date | null | undefined;
}

const columns = `id, project_id as "projectId", environment_id as "environmentId", agent_id as "agentId", team_id as "teamId",
  execution_id as "executionId", step_id as "stepId", item_index as "itemIndex", action, effect, reasons, findings, input,
  input_digest as "inputDigest", duration_micros as "durationMicros", created_at as "createdAt"`;
const placeColumns = { project: 'project_id', environment: 'environment_id', team: 'team_id' } as const;

async function decisionRows(uow: UnitOfWork, sql: string, params: readonly unknown[]): Promise<DecisionRow[]> {
  const rows = await uow.rows<Omit<DecisionRow, 'createdAt'> & { createdAt: string }>(sql, params);
  return rows.map((row) => ({ ...row, createdAt: new Date(row.createdAt) }));
}

/** Those that exist and that `actor` may read, in no particular order. */
export function decisionsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<DecisionRow[]> {
  const params: unknown[] = [uow.tenantId, ids.filter(isId)];
  const visible = visibleRows(actor, 'decision.read', placeColumns, params);
  return decisionRows(uow, `select ${columns} from decisions where tenant_id = $1 and id = any($2::uuid[]) and ${visible}`, params);
}

/** Newest first. */
export async function listDecisions(
  uow: UnitOfWork,
  actor: Authority,
  filter: DecisionFilter,
  request: PageRequest,
): Promise<Page<DecisionRow>> {
  const window = pageWindow('decisions', request);
  const params: unknown[] = [uow.tenantId];
  const bind = (value: unknown) => `$${params.push(value)}`;
  const conditions = ['tenant_id = $1', visibleRows(actor, 'decision.read', placeColumns, params)];
  for (const [field, column] of [
    ['executionId', 'execution_id'],
    ['agentId', 'agent_id'],
  ] as const) {
    const id = filter[field];
    if (id == null) continue;
    if (!isId(id)) throw new ValidationError([{ path: `filter.${field}`, message: `"${id.slice(0, 80)}" is not an id` }]);
    conditions.push(`${column} = ${bind(id)}`);
  }
  if (filter.effect) conditions.push(`effect = any(${bind([...filter.effect])}::text[])`);
  if (filter.since) conditions.push(`created_at >= ${bind(filter.since)}`);
  if (filter.until) conditions.push(`created_at < ${bind(filter.until)}`);
  if (window.afterId !== null) conditions.push(`id < ${bind(window.afterId)}`);
  const sql = `select ${columns} from decisions where ${conditions.join(' and ')} order by id desc limit ${window.limit}`;
  return pageOf(window, await decisionRows(uow, sql, params));
}

/** One page per execution, newest first, in one statement: for a batched loader. */
export async function decisionsOfExecutions(
  uow: UnitOfWork,
  actor: Authority,
  executionIds: readonly string[],
  request: PageRequest,
): Promise<Page<DecisionRow>[]> {
  const window = pageWindow('decisions', request);
  const params: unknown[] = [uow.tenantId, [...new Set(executionIds)], window.afterId];
  const visible = visibleRows(actor, 'decision.read', placeColumns, params);
  const rows = await decisionRows(
    uow,
    `select page.* from unnest($2::uuid[]) as asked (execution_id)
     cross join lateral (
       select ${columns} from decisions
       where tenant_id = $1 and decisions.execution_id = asked.execution_id and ($3::uuid is null or id < $3) and ${visible}
       order by id desc limit ${window.limit}
     ) page`,
    params,
  );
  const byExecution = Map.groupBy(rows, (row) => row.executionId);
  return executionIds.map((id) =>
    pageOf(
      window,
      (byExecution.get(id) ?? []).toSorted((a, b) => (a.id < b.id ? 1 : -1)),
    ),
  );
}

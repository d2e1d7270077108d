// Reads of approvals: rows as GraphQL lists need them. No rules, no writes.
import { ValidationError } from '../platform/errors.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { isId } from '../platform/ids.ts';
import { pageOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { visibleRows } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import { fewestBy, placeWays, rowsBy, valueWay, type Way } from '../tenants/few-rows.ts';
import { isTenantWide, newestRows, readInOrder, routesTo, splitBy, tenantWide, type Bind, type Route } from '../tenants/newest-rows.ts';
import { riskClasses, type RiskClass } from '../tools/tool.ts';
import type { ApprovalTerms } from './approval-terms.ts';
import { approvalStatuses, type ApprovalSource, type ApprovalStatus, type ApprovalSubject } from './approval.ts';

export interface ApprovalRow {
  readonly id: string;
  readonly projectId: string;
  readonly environmentId: string;
  readonly teamId: string | null;
  readonly agentId: string;
  /** Null for a call of an agent that runs elsewhere: then `toolCallId` is set. */
  readonly executionId: string | null;
  /** Null for such a call, and for the start of an execution. */
  readonly stepId: string | null;
  /** Null for a step without forEach. */
  readonly itemIndex: number | null;
  readonly toolCallId: string | null;
  /** The gate's decision that asks; null for an approval step. */
  readonly decisionId: string | null;
  readonly source: ApprovalSource;
  readonly status: ApprovalStatus;
  readonly title: string;
  readonly reason: string;
  readonly risk: RiskClass;
  readonly subject: ApprovalSubject;
  readonly digest: string;
  readonly terms: ApprovalTerms;
  /** Index of the stage whose approvers are asked. */
  readonly stage: number;
  /** When it began; null for the first, which begins with the request. */
  readonly stageAt: Date | null;
  readonly warnedAt: Date | null;
  readonly escalatedAt: Date | null;
  readonly editedBy: string | null;
  readonly editedAt: Date | null;
  /** What was asked for, once `subject` has been edited. */
  readonly requested: ApprovalSubject | null;
  readonly costMicroUsd: number | null;
  readonly requestedBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly decidedAt: Date | null;
  readonly decidedBy: string | null;
  readonly note: string | null;
  readonly consumedAt: Date | null;
}

export interface ApprovalFilter {
  readonly status?: readonly ApprovalStatus[] | null | undefined;
  readonly risk?: readonly RiskClass[] | null | undefined;
  readonly environmentId?: string | null | undefined;
  readonly agentId?: string | null | undefined;
  readonly executionId?: string | null | undefined;
  /** By whoever reads, now. */
  readonly canDecide?: boolean | null | undefined;
}

type Stored<Row> = { [Key in keyof Row]: Row[Key] extends Date ? string : Row[Key] extends Date | null ? string | null : Row[Key] };

export const approvalColumns = `id, project_id as "projectId", environment_id as "environmentId", team_id as "teamId",
  agent_id as "agentId", execution_id as "executionId", step_id as "stepId", item_index as "itemIndex", tool_call_id as "toolCallId",
  decision_id as "decisionId", source, status, title, reason, risk, subject, digest, terms, stage, stage_at as "stageAt", warned_at as "warnedAt",
  escalated_at as "escalatedAt", edited_by as "editedBy", edited_at as "editedAt", requested, cost_micro_usd::float8 as "costMicroUsd",
  requested_by as "requestedBy", created_at as "createdAt", expires_at as "expiresAt", decided_at as "decidedAt", decided_by as "decidedBy", note, consumed_at as "consumedAt"`;

const momentOf = (text: string | null): Date | null => (text === null ? null : new Date(text));

export const approvalOf = (row: Stored<ApprovalRow>): ApprovalRow => ({
  ...row,
  createdAt: new Date(row.createdAt),
  expiresAt: new Date(row.expiresAt),
  stageAt: momentOf(row.stageAt),
  warnedAt: momentOf(row.warnedAt),
  escalatedAt: momentOf(row.escalatedAt),
  editedAt: momentOf(row.editedAt),
  decidedAt: momentOf(row.decidedAt),
  consumedAt: momentOf(row.consumedAt),
});

/** Runs a statement that returns `approvalColumns`. */
export async function approvalRows(uow: UnitOfWork, sql: string, params: readonly unknown[]): Promise<ApprovalRow[]> {
  return (await readInOrder<Stored<ApprovalRow>>(uow, sql, params)).map(approvalOf);
}

/** What became of an approval: no more than the events of its execution say. */
export type ApprovalOutcome = Pick<ApprovalRow, 'id' | 'stepId' | 'itemIndex' | 'status' | 'expiresAt' | 'decidedBy' | 'consumedAt'>;

/** Every approval of an execution that the caller has authorised, oldest first: for its replay. */
export async function outcomesOfExecution(uow: UnitOfWork, executionId: string): Promise<ApprovalOutcome[]> {
  const rows = await uow.rows<Stored<ApprovalOutcome>>(
    `select id, step_id as "stepId", item_index as "itemIndex", status, expires_at as "expiresAt", decided_by as "decidedBy",
       consumed_at as "consumedAt"
     from approvals where tenant_id = $1 and execution_id = $2 order by id`,
    [uow.tenantId, executionId],
  );
  return rows.map(({ expiresAt, consumedAt, ...row }) => ({
    ...row,
    expiresAt: new Date(expiresAt),
    consumedAt: consumedAt === null ? null : new Date(consumedAt),
  }));
}

export const placeColumns = { project: 'project_id', environment: 'environment_id', team: 'team_id' } as const;

/** Whoever may read approvals there, and whoever asks for it where they may read what they started: questions are for them to answer. */
export function readable(actor: Authority, table: string, params: unknown[]): string {
  const place = { project: `${table}.project_id`, environment: `${table}.environment_id`, team: `${table}.team_id` };
  const any = visibleRows(actor, 'approval.read', place, params);
  const own = any === 'true' ? 'false' : visibleRows(actor, 'execution.read', place, params);
  return own === 'false' ? any : `(${any} or (${table}.requested_by = $${params.push(actor.principalId)} and ${own}))`;
}

/** Those of `ids` that exist and that `actor` may read, in no particular order. */
export async function approvalsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<ApprovalRow[]> {
  const params: unknown[] = [uow.tenantId, ids.filter(isId)];
  const visible = readable(actor, 'approvals', params);
  return approvalRows(uow, `select ${approvalColumns} from approvals where tenant_id = $1 and id = any($2::uuid[]) and ${visible}`, params);
}

/** One page per execution, newest first, in one statement: for a batched loader. */
export async function approvalsOfExecutions(
  uow: UnitOfWork,
  actor: Authority,
  executionIds: readonly string[],
  request: PageRequest,
): Promise<Page<ApprovalRow>[]> {
  const window = pageWindow('approvals', request);
  const params: unknown[] = [uow.tenantId, [...new Set(executionIds)], window.afterId];
  const visible = visibleRows(actor, 'approval.read', placeColumns, params);
  const rows = await approvalRows(
    uow,
    `select page.* from unnest($2::uuid[]) as asked (execution_id)
     cross join lateral (
       select ${approvalColumns} from approvals
       where tenant_id = $1 and approvals.execution_id = asked.execution_id and ($3::uuid is null or id < $3) and ${visible}
       order by id desc limit ${window.limit}
     ) page`,
    params,
  );
  const byExecution = Map.groupBy(rows, (row) => row.executionId!);
  return executionIds.map((id) =>
    pageOf(
      window,
      (byExecution.get(id) ?? []).toSorted((a, b) => (a.id < b.id ? 1 : -1)),
    ),
  );
}

const idFields = [
  ['environmentId', 'environment_id'],
  ['agentId', 'agent_id'],
  ['executionId', 'execution_id'],
] as const;

/** What somebody can decide now, in a list's statement. */
export interface DecidableRows {
  /** On rows of `approvals`, never null. */
  condition(params: unknown[]): string;
  /** Rows `a` of `approval_approvers` among which all of it is. */
  routes(environmentId: string | null | undefined, params: unknown[]): Route[];
}

/** Newest first. `decidable` is given where the filter has `canDecide`. */
export async function listApprovals(
  uow: UnitOfWork,
  actor: Authority,
  filter: ApprovalFilter,
  request: PageRequest,
  decidable?: DecidableRows,
): Promise<Page<ApprovalRow>> {
  const window = pageWindow('approvals', request);
  const params: unknown[] = [uow.tenantId];
  const bind = (value: unknown) => `$${params.push(value)}`;
  const conditions: string[] = [];
  const ids = idFields.flatMap(([field, column]) => (filter[field] == null ? [] : [{ field, column, id: filter[field] }]));
  for (const { field, id } of ids) {
    if (!isId(id)) throw new ValidationError([{ path: `filter.${field}`, message: `"${id.slice(0, 80)}" is not an id` }]);
  }
  if (filter.canDecide && filter.status && !filter.status.includes('pending')) return pageOf(window, []);
  // By what names few approvals, where the filter does: those of an execution, or whatever is counted to be few.
  const way = filter.executionId != null ? null : await fewestBy(uow, 'approvals', waysOf(actor, filter));
  const isFew = filter.executionId != null || way !== null;
  if (isFew) conditions.push(...ids.map(({ column, id }) => `${column} = ${bind(id)}`));
  if (decidable) conditions.push(`${decidable.condition(params)} = ${bind(filter.canDecide)}`);
  if (decidable && filter.canDecide && !isFew) {
    conditions.push(visibleRows(actor, 'approval.read', placeColumns, params));
    if (filter.agentId != null) conditions.push(`agent_id = ${bind(filter.agentId)}`);
    if (filter.risk) conditions.push(`risk = any(${bind([...filter.risk])}::text[])`);
    // One by one (offset 0), in the order of who is asked: joined, they might all be looked up at once.
    const own = [`exists (select from approvals where ${['tenant_id = $1 and id = a.approval_id', ...conditions].join(' and ')} offset 0)`];
    if (window.afterId !== null) own.push(`a.approval_id < ${bind(window.afterId)}`);
    const routes = decidable.routes(filter.environmentId, params);
    const source = { from: 'approval_approvers a', id: 'a.approval_id' };
    return pageOf(window, await approvalRows(uow, newestRows('approvals', approvalColumns, routes, own, window, source), params));
  }
  if (window.afterId !== null) conditions.push(`id < ${bind(window.afterId)}`);
  const routes = approvalRoutes(actor, filter, isFew, bind, params, conditions);
  const source = way ? rowsBy('approvals', way, bind) : undefined;
  return pageOf(window, await approvalRows(uow, newestRows('approvals', approvalColumns, routes, conditions, window, source), params));
}

const statusesOf = ({ status, canDecide }: ApprovalFilter): readonly ApprovalStatus[] | null | undefined =>
  canDecide ? ['pending'] : status;

/** What of a filter an index has by itself, and the teams of who has nothing but teams. */
function waysOf(actor: Authority, filter: ApprovalFilter): Way[] {
  const status = statusesOf(filter);
  const { risk } = filter;
  const byRisk = (risks: readonly RiskClass[]): Way => {
    const ofStatus = valueWay('status', status ?? approvalStatuses);
    return (bind) => ({ keys: [], conditions: [...ofStatus(bind).conditions, `risk = any(${bind([...risks])}::text[])`] });
  };
  return [
    ...placeWays(actor, 'approval.read', filter, 'approvals'),
    ...(risk ? [byRisk(risk)] : status ? [valueWay('status', status)] : []),
  ];
}

/** Few as they are; else place by place, status by status and risk by risk. */
function approvalRoutes(
  actor: Authority,
  filter: ApprovalFilter,
  isFew: boolean,
  bind: Bind,
  params: unknown[],
  conditions: string[],
): Route[] {
  const { risk } = filter;
  const status = statusesOf(filter);
  if (isFew) {
    conditions.push(visibleRows(actor, 'approval.read', placeColumns, params));
    if (status) conditions.push(`status = any(${bind([...status])}::text[])`);
    if (risk) conditions.push(`risk = any(${bind([...risk])}::text[])`);
    return [tenantWide];
  }
  const routes = routesTo(actor, 'approval.read', filter, bind, params);
  if (isTenantWide(routes) && !status && !risk) return routes;
  return splitBy(splitBy(routes, 'status', status ?? approvalStatuses, bind), 'risk', risk ?? riskClasses, bind);
}

/** The same conditions as `listApprovals`, for a row that is at hand, except those that change with it. */
export function matchesFilter(
  row: ApprovalRow,
  { risk, environmentId, agentId, executionId }: Omit<ApprovalFilter, 'status' | 'canDecide'>,
): boolean {
  return (
    (!risk || risk.includes(row.risk)) &&
    (environmentId == null || environmentId === row.environmentId) &&
    (agentId == null || agentId === row.agentId) &&
    (executionId == null || executionId === row.executionId)
  );
}

// Reads of audit events, narrowed to what the actor may see: pages by id, and the stream in commit order. Writes nothing.
import { startOfFeed, type FeedPosition } from '../events/event-service.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { idsBetween, isId } from '../platform/ids.ts';
import { pageOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { visibleRows } from '../authority/authorize.ts';
import { can, visibilityOf, type Authority } from '../authority/permission.ts';
import { fewestBy, periodWays, rowsBy, valueWay, type Way } from '../tenants/few-rows.ts';
import { newestRows, readInOrder, splitBy, tenantWide, type Bind, type Route } from '../tenants/newest-rows.ts';

export interface AuditRow {
  readonly id: string;
  /** Null: Signalbox itself. */
  readonly principalId: string | null;
  readonly action: string;
  readonly subjectType: string | null;
  readonly subjectId: string | null;
  readonly subjectName: string | null;
  readonly projectId: string | null;
  readonly environmentId: string | null;
  readonly teamId: string | null;
  readonly beforeDigest: string | null;
  readonly afterDigest: string | null;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly traceId: string | null;
  readonly occurredAt: Date;
}

export interface AuditFilter {
  /** Names of mutations. */
  readonly actions?: readonly string[] | null | undefined;
  readonly principalId?: string | null | undefined;
  readonly subjectType?: string | null | undefined;
  readonly subjectId?: string | null | undefined;
  readonly subjectName?: string | null | undefined;
  readonly projectId?: string | null | undefined;
  readonly traceId?: string | null | undefined;
  readonly since?: Date | null | undefined;
  readonly until?: Date | null | undefined;
}

/** A row with its place in the tenant's commit order. */
export interface PlacedAuditRow extends AuditRow {
  readonly transactionId: string;
}

const columns = `a.id, a.principal_id as "principalId", a.action, a.subject_type as "subjectType", a.subject_id as "subjectId", a.subject_name as "subjectName",
  a.project_id as "projectId", a.environment_id as "environmentId", a.team_id as "teamId", a.before_digest as "beforeDigest",
  a.after_digest as "afterDigest", a.address, a.user_agent as "userAgent", a.trace_id as "traceId", a.occurred_at as "occurredAt"`;
const places = { project: 'a.project_id', environment: 'a.environment_id', team: 'a.team_id' } as const;

type Raw<Row extends AuditRow> = Omit<Row, 'occurredAt'> & { readonly occurredAt: string };
const fromRaw = <Row extends AuditRow>(row: Raw<Row>) => ({ ...row, occurredAt: new Date(row.occurredAt) }) as unknown as Row;

export async function auditEventsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<AuditRow[]> {
  const params: unknown[] = [uow.tenantId, ids.filter(isId)];
  const visible = visibleRows(actor, 'audit.read', places, params);
  const rows = await uow.rows<Raw<AuditRow>>(
    `select ${columns} from audit_events a where a.tenant_id = $1 and a.id = any($2::uuid[]) and ${visible}`,
    params,
  );
  return rows.map(fromRaw);
}

export async function listAuditEvents(
  uow: UnitOfWork,
  actor: Authority,
  filter: AuditFilter,
  request: PageRequest,
): Promise<Page<AuditRow>> {
  const window = pageWindow('auditEvents', request);
  const params: unknown[] = [uow.tenantId];
  const bind = (value: unknown) => `$${params.push(value)}`;
  const conditions = conditionsOf(filter, bind);
  if (window.afterId !== null) conditions.push(`a.id < ${bind(window.afterId)}`);
  const way = await fewestBy(uow, 'audit_events a', waysOf(actor, filter));
  const routes = routesOf(actor, filter, way !== null, bind, params, conditions);
  const source = way ? rowsBy('audit_events a', way, bind) : undefined;
  const sql = newestRows('audit_events a', columns, routes, conditions, window, source);
  return pageOf(window, (await readInOrder<Raw<AuditRow>>(uow, sql, params)).map(fromRaw));
}

/** What of a filter an index has by itself, and the places of who has only such of one kind. */
function waysOf(actor: Authority, filter: AuditFilter): Way[] {
  const { actions, principalId, subjectId, subjectName, projectId, traceId } = filter;
  const { everywhere, projectIds, environmentIds, teamIds } = visibilityOf(actor, 'audit.read');
  const byId = (column: string, id: string | null | undefined) => (id == null ? [] : [valueWay(column, [id], 'uuid')]);
  const seen = (
    [
      [places.project, projectIds],
      [places.environment, environmentIds],
      [places.team, teamIds],
    ] as const
  ).filter(([, ids]) => ids.length > 0);
  return [
    ...(actions ? [valueWay('a.action', actions)] : []),
    ...byId('a.principal_id', principalId),
    ...byId('a.subject_id', subjectId),
    ...(subjectName == null ? [] : [valueWay('a.subject_name', [subjectName])]),
    ...(traceId == null ? [] : [valueWay('a.trace_id', [traceId])]),
    ...byId('a.project_id', projectId),
    ...(everywhere || seen.length !== 1 ? [] : [valueWay(seen[0]![0], seen[0]![1], 'uuid')]),
    ...periodWays('a.id', filter),
  ];
}

/** By the index of what a filter names; else place by place, or action by action. */
function routesOf(
  actor: Authority,
  { actions, ...filter }: AuditFilter,
  isBounded: boolean,
  bind: Bind,
  params: unknown[],
  conditions: string[],
): Route[] {
  const { everywhere, projectIds, environmentIds, teamIds } = visibilityOf(actor, 'audit.read');
  const isFew = isBounded || [filter.subjectId, filter.subjectName, filter.traceId].some((value) => value != null);
  // An index has the actions of a project, and one those of the tenant.
  const byAction = actions != null && !isFew && filter.principalId == null && environmentIds.length === 0 && teamIds.length === 0;
  const split = (routes: readonly Route[]) => (byAction ? splitBy(routes, 'action', actions, bind) : [...routes]);
  if (actions && !byAction) conditions.push(`a.action = any(${bind(actions)}::text[])`);
  if (everywhere) return split([tenantWide]);
  if (isFew) {
    conditions.push(visibleRows(actor, 'audit.read', places, params));
    return [tenantWide];
  }
  const by = (column: string, ids: readonly string[]): Route[] =>
    ids.length === 0 ? [] : [{ keys: [`unnest(${bind([...ids])}::uuid[]) as place (place_id)`], conditions: [`${column} = place_id`] }];
  const routes = [...by(places.project, projectIds), ...by(places.environment, environmentIds), ...by(places.team, teamIds)];
  return routes.length > 0 ? split(routes) : [{ keys: ['(values (1)) as nowhere (nothing)'], conditions: ['false'] }];
}

function conditionsOf(filter: AuditFilter, bind: (value: unknown) => string): string[] {
  const { principalId, subjectType, subjectId, subjectName, projectId, traceId, since, until } = filter;
  return [
    ...(principalId == null ? [] : [`a.principal_id = ${bind(principalId)}`]),
    ...(subjectType == null ? [] : [`a.subject_type = ${bind(subjectType)}`]),
    ...(subjectId == null ? [] : [`a.subject_id = ${bind(subjectId)}`]),
    ...(subjectName == null ? [] : [`a.subject_name = ${bind(subjectName)}`]),
    ...(projectId == null ? [] : [`a.project_id = ${bind(projectId)}`]),
    ...(traceId == null ? [] : [`a.trace_id = ${bind(traceId)}`]),
    ...(since == null ? [] : [`a.occurred_at >= ${bind(since)}`]),
    ...(until == null ? [] : [`a.occurred_at < ${bind(until)}`]),
    ...idsBetween('a.id', { since, until }, bind),
  ];
}

/** The same conditions on a row at hand. */
export function matchesAuditFilter(row: AuditRow, filter: AuditFilter): boolean {
  const { actions, principalId, subjectType, subjectId, subjectName, projectId, traceId, since, until } = filter;
  return (
    (actions == null || actions.includes(row.action)) &&
    (principalId == null || row.principalId === principalId) &&
    (subjectType == null || row.subjectType === subjectType) &&
    (subjectId == null || row.subjectId === subjectId) &&
    (subjectName == null || row.subjectName === subjectName) &&
    (projectId == null || row.projectId === projectId) &&
    (traceId == null || row.traceId === traceId) &&
    (since == null || row.occurredAt >= since) &&
    (until == null || row.occurredAt < until)
  );
}

export const maySeeAudit = (actor: Authority, row: AuditRow): boolean => can(actor, 'audit.read', row);

/** After a position in commit order, only those that no open transaction can still precede. For streams that everybody shares. */
export async function auditEventsAfter(uow: UnitOfWork, position: FeedPosition, limit: number): Promise<PlacedAuditRow[]> {
  const rows = await uow.rows<Raw<PlacedAuditRow>>(
    `select ${columns}, a.transaction_id::text as "transactionId" from audit_events a
     where a.tenant_id = $1 and (a.transaction_id, a.id) > ($2::xid8, $3::uuid)
       and a.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
     order by a.transaction_id, a.id limit $4`,
    [uow.tenantId, position.transactionId, position.executionId, limit],
  );
  return rows.map(fromRaw);
}

/** Of the last row that no open transaction can still precede. */
export async function lastAuditPosition(uow: UnitOfWork): Promise<FeedPosition> {
  const [last] = await uow.rows<FeedPosition>(
    `select transaction_id::text as "transactionId", id as "executionId", 0 as sequence from audit_events a
     where tenant_id = $1 and transaction_id < pg_snapshot_xmin(pg_current_snapshot())
     order by a.transaction_id desc, id desc limit 1`,
    [uow.tenantId],
  );
  return last ?? startOfFeed;
}

/** The feed's positions name a row by its id. */
export const positionOfAudit = ({ transactionId, id }: PlacedAuditRow): FeedPosition => ({ transactionId, executionId: id, sequence: 0 });

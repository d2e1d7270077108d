// Reads of role grants. Visibility: your own, those of your teams, and those on places where you may change them. Writes nothing.
import type { UnitOfWork } from '../platform/database.ts';
import { isId } from '../platform/ids.ts';
import { pageOf, pagesOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { visibilityOf, type Authority, type Grant } from '../authority/permission.ts';

export interface RoleGrantRow extends Grant {
  readonly id: string;
  /** Exactly one of the two is set. */
  readonly principalId: string | null;
  readonly granteeTeamId: string | null;
  /** Null for the grant that came with the tenant. */
  readonly createdBy: string | null;
  readonly createdAt: Date;
}

/** A filter value of null or undefined does not filter. */
export interface RoleGrantFilter {
  readonly principalId?: string | null | undefined;
  readonly granteeTeamId?: string | null | undefined;
  readonly scopeId?: string | null | undefined;
  readonly ids?: readonly string[] | undefined;
}

function conditionsOf({ principalId, granteeTeamId, scopeId, ids }: RoleGrantFilter, params: unknown[]): string[] {
  const conditions: string[] = [];
  for (const [column, value] of [
    ['principal_id', principalId],
    ['grantee_team_id', granteeTeamId],
    ['scope_id', scopeId],
  ] as const) {
    if (value == null) continue;
    params.push(isId(value) ? value : null);
    conditions.push(`g.${column} = $${params.length}::uuid`);
  }
  if (ids) {
    params.push(ids.filter(isId));
    conditions.push(`g.id = any($${params.length}::uuid[])`);
  }
  return conditions;
}

function visibleTo(actor: Authority, params: unknown[]): string {
  const { everywhere, projectIds, environmentIds, teamIds } = visibilityOf(actor, 'grant.manage');
  if (everywhere) return 'true';
  params.push(actor.principalId, [...projectIds, ...environmentIds, ...teamIds], [...projectIds]);
  const [self, places, projects] = [params.length - 2, params.length - 1, params.length];
  return `(g.principal_id = $${self} or g.scope_id = any($${places}::uuid[]) or e.project_id = any($${projects}::uuid[])
    or g.grantee_team_id in (select team_id from team_members where tenant_id = $1 and principal_id = $${self}))`;
}

const selection = (conditions: readonly string[]): string =>
  `select g.id, g.role, g.scope_kind as kind, g.scope_id as "scopeId", e.project_id as "projectId", g.principal_id as "principalId",
     g.grantee_team_id as "granteeTeamId", g.created_by as "createdBy", g.created_at as "createdAt"
   from role_grants g
   left join environments e on g.scope_kind = 'environment' and e.tenant_id = g.tenant_id and e.id = g.scope_id
   where ${['g.tenant_id = $1', ...conditions].join(' and ')}`;

async function select<Row extends RoleGrantRow>(uow: UnitOfWork, sql: string, params: unknown[]): Promise<Row[]> {
  type Raw = Omit<RoleGrantRow, 'createdAt' | 'projectId'> & { projectId: string | null; createdAt: string };
  const rows = await uow.rows<Raw>(sql, params);
  return rows.map((row) => ({ ...row, projectId: row.projectId ?? undefined, createdAt: new Date(row.createdAt) }) as Row);
}

/** All that match, whoever asks: for the services' own decisions. */
export async function readGrants(uow: UnitOfWork, filter: RoleGrantFilter): Promise<RoleGrantRow[]> {
  const params: unknown[] = [uow.tenantId];
  return select(uow, selection(conditionsOf(filter, params)), params);
}

export async function readVisibleGrants(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<RoleGrantRow[]> {
  const params: unknown[] = [uow.tenantId];
  return select(uow, selection([...conditionsOf({ ids }, params), visibleTo(actor, params)]), params);
}

export async function readGrantPage(
  uow: UnitOfWork,
  actor: Authority,
  { principalId, granteeTeamId, scopeId, ...request }: RoleGrantFilter & PageRequest,
): Promise<Page<RoleGrantRow>> {
  const window = pageWindow('roleGrants', request);
  const params: unknown[] = [uow.tenantId, window.afterId];
  const filters = conditionsOf({ principalId, granteeTeamId, scopeId }, params);
  const conditions = ['($2::uuid is null or g.id < $2)', ...filters, visibleTo(actor, params)];
  return pageOf(window, await select(uow, `${selection(conditions)} order by g.id desc limit ${window.limit}`, params));
}

/** The grants given to each principal (or each team), one page for each, in one statement. */
export async function readGrantPages(
  uow: UnitOfWork,
  actor: Authority,
  grantee: 'principal' | 'team',
  ids: readonly string[],
  request: PageRequest,
): Promise<Page<RoleGrantRow>[]> {
  const window = pageWindow('roleGrants', request);
  const params: unknown[] = [uow.tenantId, ids.filter(isId), window.afterId];
  const column = grantee === 'team' ? 'g.grantee_team_id' : 'g.principal_id';
  const conditions = [`${column} = parent.id`, '($3::uuid is null or g.id < $3)', visibleTo(actor, params)];
  const sql = `select parent.id as "parentId", page.* from unnest($2::uuid[]) as parent (id)
    cross join lateral (${selection(conditions)} order by g.id desc limit ${window.limit}) as page`;
  return pagesOf(window, ids, await select<RoleGrantRow & { readonly parentId: string }>(uow, sql, params));
}

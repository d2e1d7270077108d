// Reads of the tenant hierarchy, narrowed in SQL to what the actor may see. Writes nothing.
import type { UnitOfWork } from '../platform/database.ts';
import { isId } from '../platform/ids.ts';
import { pageOf, pagesOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { visibleRows } from '../authority/authorize.ts';
import { canAnywhere } from '../authority/grants.ts';
import { visibilityOf, type Authority } from '../authority/permission.ts';
import type { EnvironmentKind } from './tenant.ts';

export interface TenantRow {
  readonly id: string;
  readonly name: string;
  readonly isOperator: boolean;
  readonly createdAt: Date;
  /** Null unless it is archived: then nobody signs in to it. */
  readonly archivedAt: Date | null;
}
export interface ProjectRow {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly createdAt: Date;
}
export interface EnvironmentRow {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly kind: EnvironmentKind;
  readonly createdAt: Date;
}
export interface TeamRow {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
}

/** Each of these tables, its columns, and the condition under which `actor` sees a row (`$1` is the tenant). */
const tables = {
  tenants: {
    columns: 'id, name, is_operator as "isOperator", created_at as "createdAt", archived_at as "archivedAt"',
    visible: () => 'true',
  },
  projects: { columns: 'id, name, description, created_at as "createdAt"', visible: seesProject },
  environments: { columns: 'id, project_id as "projectId", name, kind, created_at as "createdAt"', visible: seesEnvironment },
  teams: { columns: 'id, name, created_at as "createdAt"', visible: seesTeam },
} as const;
interface Rows {
  tenants: TenantRow;
  projects: ProjectRow;
  environments: EnvironmentRow;
  teams: TeamRow;
}
type Table = keyof Rows;

function seesProject(actor: Authority, params: unknown[]): string {
  const direct = visibleRows(actor, 'project.read', { project: 'id', projectLevel: true }, params);
  return `(${direct} or ${holdsTeamAgentsIn('id', actor, params)})`;
}

function seesEnvironment(actor: Authority, params: unknown[]): string {
  const direct = visibleRows(actor, 'project.read', { project: 'project_id', environment: 'id' }, params);
  return `(${direct} or ${holdsTeamAgentsIn('project_id', actor, params)})`;
}

/** A role on a team reaches the team's agents, so it shows where they live. */
function holdsTeamAgentsIn(column: string, actor: Authority, params: unknown[]): string {
  const { teamIds } = visibilityOf(actor, 'project.read');
  if (teamIds.length === 0) return 'false';
  params.push([...teamIds]);
  return `${column} in (select project_id from agents where tenant_id = $1 and team_id = any($${params.length}::uuid[]))`;
}

/** Whoever may see the people of the tenant sees its teams; everybody sees the teams they are in. */
function seesTeam(actor: Authority, params: unknown[]): string {
  if (canAnywhere(actor, 'principal.read')) return 'true';
  const direct = visibleRows(actor, 'team.read', { team: 'id' }, params);
  params.push(actor.principalId);
  return `(${direct} or id in (select team_id from team_members where tenant_id = $1 and principal_id = $${params.length}))`;
}

const selection = (table: Table, condition: string): string =>
  `select ${tables[table].columns} from ${table} where tenant_id = $1 and ${condition}`;

async function select<Row extends { readonly createdAt: Date }>(uow: UnitOfWork, sql: string, params: unknown[]): Promise<Row[]> {
  const rows = await uow.rows<{ createdAt: string; archivedAt?: string | null }>(sql, params);
  return rows.map(
    ({ archivedAt, ...row }) =>
      ({
        ...row,
        createdAt: new Date(row.createdAt),
        ...(archivedAt !== undefined && { archivedAt: archivedAt === null ? null : new Date(archivedAt) }),
      }) as unknown as Row,
  );
}

/** The visible rows of `ids`, in any order; ids that are malformed, foreign or invisible are left out. */
export async function readByIds<Name extends Table>(
  uow: UnitOfWork,
  actor: Authority,
  table: Name,
  ids: readonly string[],
): Promise<Rows[Name][]> {
  const known = ids.filter(isId);
  if (known.length === 0) return [];
  const params: unknown[] = [uow.tenantId, known];
  return select<Rows[Name]>(uow, selection(table, `id = any($2::uuid[]) and ${tables[table].visible(actor, params)}`), params);
}

/** `forUpdate` locks the row, so that what is decided by it still holds when it is written. */
export async function findVisible<Name extends Table>(
  uow: UnitOfWork,
  actor: Authority,
  table: Name,
  id: string,
  { forUpdate = false } = {},
): Promise<Rows[Name] | null> {
  if (!isId(id)) return null;
  const params: unknown[] = [uow.tenantId, id];
  const sql = `${selection(table, `id = $2 and ${tables[table].visible(actor, params)}`)}${forUpdate ? ' for update' : ''}`;
  return (await select<Rows[Name]>(uow, sql, params))[0] ?? null;
}

/** A filter value of null or undefined does not filter. `memberId`: teams that this principal is in. */
export interface ListFilter {
  readonly name?: string | null | undefined;
  readonly projectId?: string | null | undefined;
  readonly kind?: EnvironmentKind | null | undefined;
  readonly memberId?: string | null | undefined;
}

export async function readPage<Name extends Exclude<Table, 'tenants'>>(
  uow: UnitOfWork,
  actor: Authority,
  table: Name,
  { name, projectId, kind, memberId, ...request }: ListFilter & PageRequest,
): Promise<Page<Rows[Name]>> {
  const window = pageWindow(table, request);
  if ([projectId, memberId].some((id) => id != null && !isId(id))) return { rows: [], hasNextPage: false };
  const params: unknown[] = [uow.tenantId];
  const conditions = [tables[table].visible(actor, params)];
  const where = (value: unknown, condition: (parameter: string) => string) => {
    if (value == null) return;
    params.push(value);
    conditions.push(condition(`$${params.length}`));
  };
  where(window.afterId, (id) => `id < ${id}`);
  where(name, (text) => `name = ${text}`);
  where(projectId, (id) => `project_id = ${id}`);
  where(kind, (text) => `kind = ${text}`);
  where(memberId, (id) => `id in (select team_id from team_members where tenant_id = $1 and principal_id = ${id})`);
  const sql = `${selection(table, conditions.join(' and '))} order by id desc limit ${window.limit}`;
  return pageOf(window, await select<Rows[Name]>(uow, sql, params));
}

/** The lists that hang on a parent: which rows belong to `parent.id`. */
const belongings = {
  environments: 'project_id = parent.id',
  teams: 'id in (select team_id from team_members where tenant_id = $1 and principal_id = parent.id)',
} as const;

/** One page for each parent, in one statement: the environments of projects, the teams of principals. */
export async function readPages<Name extends keyof typeof belongings>(
  uow: UnitOfWork,
  actor: Authority,
  table: Name,
  parentIds: readonly string[],
  request: PageRequest,
): Promise<Page<Rows[Name]>[]> {
  const window = pageWindow(table, request);
  const params: unknown[] = [uow.tenantId, parentIds.filter(isId), window.afterId];
  const condition = `${belongings[table]} and ($3::uuid is null or id < $3) and ${tables[table].visible(actor, params)}`;
  const rows = await select<Rows[Name] & { readonly parentId: string }>(
    uow,
    `select parent.id as "parentId", page.* from unnest($2::uuid[]) as parent (id)
     cross join lateral (${selection(table, condition)} order by ${table}.id desc limit ${window.limit}) as page`,
    params,
  );
  return pagesOf(window, parentIds, rows);
}

/** Which of `checks` (what → condition) hold: what still hangs on a thing that is to be deleted. `$1` tenant, `$2` its id. */
export async function dependents(uow: UnitOfWork, id: string, checks: Readonly<Record<string, string>>): Promise<string[]> {
  const parts = Object.entries(checks).map(
    ([what, from]) => `select '${what}' as what where exists (select 1 from ${from.replace(' where ', ' where tenant_id = $1 and ')})`,
  );
  return (await uow.rows<{ what: string }>(parts.join(' union all '), [uow.tenantId, id])).map(({ what }) => what);
}

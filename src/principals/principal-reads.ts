// Reads of principals, narrowed in SQL to what the actor may see. Writes nothing.
import type { UnitOfWork } from '../platform/database.ts';
import { isId } from '../platform/ids.ts';
import { pageOf, pagesOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { canAnywhere } from '../authority/grants.ts';
import { visibilityOf, type Authority, type PrincipalKind } from '../authority/permission.ts';

export interface PrincipalRow {
  readonly id: string;
  readonly kind: PrincipalKind;
  readonly name: string;
  /** Null too when the actor may not see it: it is shown to the principal itself and with principal.read. */
  readonly email: string | null;
  readonly issuer: string | null;
  readonly subject: string | null;
  readonly createdAt: Date;
  readonly disabledAt: Date | null;
}

/** A filter value of null or undefined does not filter. */
export interface PrincipalFilter {
  readonly kind?: PrincipalKind | null | undefined;
  readonly name?: string | null | undefined;
  /** Members of this team. */
  readonly teamId?: string | null | undefined;
  readonly disabled?: boolean | null | undefined;
}

/** May `actor` see the details of every principal of the tenant? A project's admin must, to choose whom to give roles to. */
export const seesPrincipals = (actor: Authority): boolean => canAnywhere(actor, 'principal.read');

const selection = (conditions: readonly string[]): string =>
  `select p.id, p.kind, p.name, p.email, p.issuer, p.subject, p.created_at as "createdAt", p.disabled_at as "disabledAt"
   from principals p where ${['p.tenant_id = $1', ...conditions].join(' and ')}`;

async function select<Row extends PrincipalRow>(uow: UnitOfWork, actor: Authority, sql: string, params: unknown[]): Promise<Row[]> {
  type Raw = Omit<PrincipalRow, 'createdAt' | 'disabledAt'> & { createdAt: string; disabledAt: string | null };
  const rows = await uow.rows<Raw>(sql, params);
  const all = seesPrincipals(actor);
  return rows.map(
    (row) =>
      ({
        ...row,
        ...(!all && row.id !== actor.principalId && { email: null, issuer: null, subject: null }),
        createdAt: new Date(row.createdAt),
        disabledAt: row.disabledAt === null ? null : new Date(row.disabledAt),
      }) as Row,
  );
}

/** Whoever has any role in the tenant may know who did what in it: name and kind of each principal whose id they come across. */
export async function readPrincipals(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<PrincipalRow[]> {
  const known = ids.filter((id) => isId(id) && (actor.grants.length > 0 || id === actor.principalId));
  return known.length === 0 ? [] : select(uow, actor, selection(['p.id = any($2::uuid[])']), [uow.tenantId, known]);
}

export async function findPrincipal(uow: UnitOfWork, actor: Authority, id: string): Promise<PrincipalRow | null> {
  return (await readPrincipals(uow, actor, [id]))[0] ?? null;
}

/** Without principal.read lists hold the actor and the members of teams that the actor is in or may read. */
function listedFor(actor: Authority, params: unknown[]): string {
  if (seesPrincipals(actor)) return 'true';
  const { everywhere, teamIds } = visibilityOf(actor, 'team.read');
  params.push(actor.principalId, [...teamIds]);
  const [self, teams] = [`$${params.length - 1}::uuid`, `$${params.length}::uuid[]`];
  return `(p.id = ${self} or p.id in (select m.principal_id from team_members m where m.tenant_id = $1 and (${everywhere}
    or m.team_id = any(${teams})
    or m.team_id in (select own.team_id from team_members own where own.tenant_id = $1 and own.principal_id = ${self}))))`;
}

export async function readPrincipalPage(
  uow: UnitOfWork,
  actor: Authority,
  { kind, name, teamId, disabled, ...request }: PrincipalFilter & PageRequest,
): Promise<Page<PrincipalRow>> {
  const window = pageWindow('principals', request);
  if (teamId != null && !isId(teamId)) return { rows: [], hasNextPage: false };
  const params: unknown[] = [uow.tenantId];
  const conditions = [listedFor(actor, params)];
  const where = (value: unknown, condition: (parameter: string) => string) => {
    if (value == null) return;
    params.push(value);
    conditions.push(condition(`$${params.length}`));
  };
  where(window.afterId, (id) => `p.id < ${id}`);
  where(kind, (text) => `p.kind = ${text}`);
  where(name, (text) => `p.name = ${text}`);
  where(teamId, (id) => `p.id in (select m.principal_id from team_members m where m.tenant_id = $1 and m.team_id = ${id})`);
  if (disabled != null) conditions.push(`p.disabled_at is ${disabled ? 'not null' : 'null'}`);
  return pageOf(window, await select(uow, actor, `${selection(conditions)} order by p.id desc limit ${window.limit}`, params));
}

/** The members of each team, one page for each, in one statement. */
export async function readMemberPages(
  uow: UnitOfWork,
  actor: Authority,
  teamIds: readonly string[],
  request: PageRequest,
): Promise<Page<PrincipalRow>[]> {
  const window = pageWindow('principals', request);
  const params: unknown[] = [uow.tenantId, teamIds.filter(isId), window.afterId];
  const conditions = [
    'p.id in (select m.principal_id from team_members m where m.tenant_id = $1 and m.team_id = parent.id)',
    '($3::uuid is null or p.id < $3)',
    listedFor(actor, params),
  ];
  const sql = `select parent.id as "parentId", page.* from unnest($2::uuid[]) as parent (id)
    cross join lateral (${selection(conditions)} order by p.id desc limit ${window.limit}) as page`;
  return pagesOf(window, teamIds, await select<PrincipalRow & { readonly parentId: string }>(uow, actor, sql, params));
}

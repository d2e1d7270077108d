// Reads of API keys, never with their hash. Visibility: your own, or all with key.manage on the tenant. Writes nothing.
import type { UnitOfWork } from '../platform/database.ts';
import { isId } from '../platform/ids.ts';
import { pageOf, pagesOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { can, type Authority, type Role } from '../authority/permission.ts';

export interface ApiKeyRow {
  readonly id: string;
  readonly principalId: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly environmentId: string | null;
  /** Null for the key that came with the tenant. */
  readonly createdBy: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  /** Exact to about a minute. */
  readonly lastUsedAt: Date | null;
}

/** A filter value of null or undefined does not filter. */
export interface ApiKeyFilter {
  readonly principalId?: string | null | undefined;
  readonly revoked?: boolean | null | undefined;
}

function selection(actor: Authority, conditions: readonly string[], params: unknown[]): string {
  const all = ['k.tenant_id = $1', ...conditions];
  if (!can(actor, 'key.manage')) {
    params.push(actor.principalId);
    all.push(`k.principal_id = $${params.length}`);
  }
  return `select k.id, k.principal_id as "principalId", k.name, k.roles, k.environment_id as "environmentId", k.created_by as "createdBy",
      k.created_at as "createdAt", k.expires_at as "expiresAt", k.revoked_at as "revokedAt", k.last_used_at as "lastUsedAt"
    from api_keys k where ${all.join(' and ')}`;
}

async function select<Row extends ApiKeyRow>(uow: UnitOfWork, sql: string, params: unknown[]): Promise<Row[]> {
  type Moments = 'createdAt' | 'expiresAt' | 'revokedAt' | 'lastUsedAt';
  type Raw = Omit<ApiKeyRow, Moments> & Record<Exclude<Moments, 'createdAt'>, string | null> & { createdAt: string };
  const rows = await uow.rows<Raw>(sql, params);
  return rows.map(
    (row) =>
      ({
        ...row,
        createdAt: new Date(row.createdAt),
        expiresAt: date(row.expiresAt),
        revokedAt: date(row.revokedAt),
        lastUsedAt: date(row.lastUsedAt),
      }) as unknown as Row,
  );
}

const date = (text: string | null): Date | null => (text === null ? null : new Date(text));

/** The visible keys of `ids`, in any order. */
export async function readKeys(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<ApiKeyRow[]> {
  const params: unknown[] = [uow.tenantId, ids.filter(isId)];
  return select(uow, selection(actor, ['k.id = any($2::uuid[])'], params), params);
}

export async function readKeyPage(
  uow: UnitOfWork,
  actor: Authority,
  { principalId, revoked, ...request }: ApiKeyFilter & PageRequest,
): Promise<Page<ApiKeyRow>> {
  const window = pageWindow('apiKeys', request);
  if (principalId != null && !isId(principalId)) return { rows: [], hasNextPage: false };
  const params: unknown[] = [uow.tenantId, window.afterId, principalId ?? null];
  const conditions = ['($2::uuid is null or k.id < $2)', '($3::uuid is null or k.principal_id = $3)'];
  if (revoked != null) conditions.push(`k.revoked_at is ${revoked ? 'not null' : 'null'}`);
  return pageOf(window, await select(uow, `${selection(actor, conditions, params)} order by k.id desc limit ${window.limit}`, params));
}

/** The keys of each principal, one page for each, in one statement. */
export async function readKeyPages(
  uow: UnitOfWork,
  actor: Authority,
  principalIds: readonly string[],
  request: PageRequest,
): Promise<Page<ApiKeyRow>[]> {
  const window = pageWindow('apiKeys', request);
  const params: unknown[] = [uow.tenantId, principalIds.filter(isId), window.afterId];
  const conditions = ['k.principal_id = parent.id', '($3::uuid is null or k.id < $3)'];
  const sql = `select parent.id as "parentId", page.* from unnest($2::uuid[]) as parent (id)
    cross join lateral (${selection(actor, conditions, params)} order by k.id desc limit ${window.limit}) as page`;
  return pagesOf(window, principalIds, await select<ApiKeyRow & { readonly parentId: string }>(uow, sql, params));
}

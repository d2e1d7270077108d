// Reads of API keys, never with their hash. Visibility: your own, or all with key.manage on the tenant. Writes nothing.
import type { UnitOfWork } from '../platform/database.ts';
import { isId } from '../platform/ids.ts';
import { pageOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { can, type Authority, type Role } from './permission.ts';

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

async function select(uow: UnitOfWork, actor: Authority, conditions: string[], params: unknown[], tail = ''): Promise<ApiKeyRow[]> {
  type Moments = 'createdAt' | 'expiresAt' | 'revokedAt' | 'lastUsedAt';
  type Raw = Omit<ApiKeyRow, Moments> & Record<Exclude<Moments, 'createdAt'>, string | null> & { createdAt: string };
  if (!can(actor, 'key.manage')) {
    params.push(actor.principalId);
    conditions.push(`principal_id = $${params.length}`);
  }
  const rows = await uow.rows<Raw>(
    `select id, principal_id as "principalId", name, roles, environment_id as "environmentId", created_by as "createdBy",
       created_at as "createdAt", expires_at as "expiresAt", revoked_at as "revokedAt", last_used_at as "lastUsedAt"
     from api_keys where ${['tenant_id = $1', ...conditions].join(' and ')} ${tail}`,
    params,
  );
  return rows.map((row) => ({
    ...row,
    createdAt: new Date(row.createdAt),
    expiresAt: date(row.expiresAt),
    revokedAt: date(row.revokedAt),
    lastUsedAt: date(row.lastUsedAt),
  }));
}

const date = (text: string | null): Date | null => (text === null ? null : new Date(text));

/** The visible keys of `ids`, in any order. */
export const readKeys = async (uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<ApiKeyRow[]> =>
  select(uow, actor, ['id = any($2::uuid[])'], [uow.tenantId, ids.filter(isId)]);

export async function readKeyPage(
  uow: UnitOfWork,
  actor: Authority,
  { principalId, revoked, ...request }: ApiKeyFilter & PageRequest,
): Promise<Page<ApiKeyRow>> {
  const window = pageWindow('apiKeys', request);
  if (principalId != null && !isId(principalId)) return { rows: [], hasNextPage: false };
  const params: unknown[] = [uow.tenantId, window.afterId, principalId ?? null];
  const conditions = ['($2::uuid is null or id < $2)', '($3::uuid is null or principal_id = $3)'];
  if (revoked != null) conditions.push(`revoked_at is ${revoked ? 'not null' : 'null'}`);
  return pageOf(window, await select(uow, actor, conditions, params, `order by id desc limit ${window.limit}`));
}

// The first start on an empty database: the operator's tenant, its administrator, and the one key that is printed.
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';
import { generateApiKey, parseApiKey, type GeneratedApiKey } from '../authority/api-key.ts';
import { addFirstAdmin } from '../authority/first-admin.ts';

export const firstTenantName = 'default';
const lockKey = 7_120_302; // any constant: one process at a time looks and creates

export type FirstTenant =
  | { readonly created: true; readonly tenantId: string; readonly principalId: string; readonly adminKey: string }
  | { readonly created: false };

export interface FirstTenantOptions {
  /** A key from `newAdminKey` that the caller has already stored, so that a crash right after the commit loses nothing. */
  readonly adminKey?: string | undefined;
}

/** Creates the tenant `default` (the operator's) unless there is one. Safe when several processes start at once. */
export async function ensureFirstTenant(database: Database, clock: Clock, { adminKey }: FirstTenantOptions = {}): Promise<FirstTenant> {
  const key = adminKey === undefined ? generateApiKey(newId()) : givenKey(adminKey);
  return database.write(key.tenantId, async (uow) => {
    await uow.rows('select pg_advisory_xact_lock($1)', [lockKey]);
    const [found] = await uow.rows<{ id: string | null }>('select identity.tenant_id_by_name($1) as id', [firstTenantName]);
    if (found?.id) return { created: false };
    const now = clock.now();
    await uow.rows('insert into tenants (id, tenant_id, name, is_operator, created_at) values ($1, $1, $2, true, $3)', [
      uow.tenantId,
      firstTenantName,
      now,
    ]);
    return { created: true, tenantId: uow.tenantId, principalId: await addFirstAdmin(uow, key, now), adminKey: key.token };
  });
}

/** A fresh key for `ensureFirstTenant`; worth nothing until that has created the tenant. */
export const newAdminKey = (): string => generateApiKey(newId()).token;

function givenKey(token: string): GeneratedApiKey {
  const parsed = parseApiKey(token);
  if (!parsed) throw new Error('adminKey is not an API key; make one with newAdminKey()');
  return { ...parsed, token };
}

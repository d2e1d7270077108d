// Gives a new tenant its first administrator: a service account with one key. The caller authorises.
import type { UnitOfWork } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';
import type { GeneratedApiKey } from './api-key.ts';

export const firstAdminName = 'admin';

/** Returns the id of the service account `admin`, which holds the role admin on the tenant and `key`. */
export async function addFirstAdmin(uow: UnitOfWork, key: GeneratedApiKey, now: Date): Promise<string> {
  const principalId = newId();
  const { tenantId } = uow;
  await uow.rows(`insert into principals (id, tenant_id, kind, name, created_at) values ($1, $2, 'service_account', $3, $4)`, [
    principalId,
    tenantId,
    firstAdminName,
    now,
  ]);
  await uow.rows(
    `insert into role_grants (id, tenant_id, role, scope_kind, scope_id, principal_id, created_at) values ($1, $2, 'admin', 'tenant', $2, $3, $4)`,
    [newId(), tenantId, principalId, now],
  );
  await uow.rows(
    `insert into api_keys (id, tenant_id, principal_id, name, secret_hash, roles, created_at) values ($1, $2, $3, $4, $5, '{admin}', $6)`,
    [key.id, tenantId, principalId, 'first key', key.secretHash, now],
  );
  return principalId;
}

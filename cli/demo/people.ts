// The two people of the demo, with keys of their own for this run: one starts executions, the other decides approvals.
import type { Process } from '../process.ts';
import { OperatorError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import { loadAuthority } from '#src/principals/authority-reads.ts';
import { firstTenantName } from '#src/principals/bootstrap.ts';
import { firstAdminName } from '#src/authority/first-admin.ts';
import type { Authority, Role } from '#src/authority/permission.ts';
import type { UnitOfWork } from '#src/platform/database.ts';

export interface People {
  readonly operatorKey: string;
  readonly reviewerKey: string;
  /** Revokes both keys. Those of a demo that was killed expire within a day. */
  leave(): Promise<void>;
}

export const operatorName = 'demo-operator';
export const reviewerName = 'demo-reviewer';
const validMs = 24 * 3_600_000;

export async function admitPeople({ database, services }: Process): Promise<People> {
  const [tenant] = await database.read(newId(), (uow) =>
    uow.rows<{ id: string }>('select identity.tenant_id_by_name($1) as id', [firstTenantName]),
  );
  return database.write(tenant!.id, async (uow) => {
    // Two demos that begin at the same moment want the same people.
    await uow.rows('select id from tenants where tenant_id = $1 for update', [uow.tenantId]);
    const admin = await firstAdmin(uow);
    const operator = await freshKey(services, uow, admin, operatorName, ['admin']);
    const reviewer = await freshKey(services, uow, admin, reviewerName, ['reviewer']);
    return {
      operatorKey: operator.token,
      reviewerKey: reviewer.token,
      leave: () =>
        database.write(tenant!.id, async (later) => {
          for (const { apiKey } of [operator, reviewer]) await services.apiKeys.revokeApiKey(later, admin, { apiKeyId: apiKey.id });
        }),
    };
  });
}

async function firstAdmin(uow: UnitOfWork): Promise<Authority> {
  const [row] = await uow.rows<{ id: string }>('select id from principals where tenant_id = $1 and name = $2', [
    uow.tenantId,
    firstAdminName,
  ]);
  const admin = row && (await loadAuthority(uow, row.id));
  if (!admin)
    throw new OperatorError('the administrator of this data folder was disabled; set SIGNALBOX_DATA_DIR to another folder for the demo');
  return admin;
}

async function freshKey(
  { principals, grants, apiKeys }: Process['services'],
  uow: UnitOfWork,
  admin: Authority,
  name: string,
  roles: readonly Role[],
) {
  const found = await principals.listPrincipals(uow, admin, { name, first: 1 });
  const person = found.rows[0] ?? (await principals.createPrincipal(uow, admin, { kind: 'user', name }));
  if (found.rows.length === 0) {
    for (const role of roles) {
      await grants.grantRole(uow, admin, { role, scopeKind: 'tenant', scopeId: uow.tenantId, principalId: person.id });
    }
  }
  const expiresAt = new Date(Date.now() + validMs);
  return apiKeys.createApiKey(uow, admin, { principalId: person.id, name: 'demo', roles, expiresAt });
}

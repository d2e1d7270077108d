// The two people of the demo, with fresh keys for this run: one starts executions, the other approves.
import type { Process } from '../process.ts';
import { OperatorError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import { loadAuthority } from '#src/principals/authority-reads.ts';
import { firstTenantName } from '#src/principals/bootstrap.ts';
import { firstAdminName } from '#src/principals/first-admin.ts';
import type { Authority, Role } from '#src/principals/permission.ts';
import type { UnitOfWork } from '#src/platform/database.ts';

export interface DemoKeys {
  readonly operator: string;
  readonly reviewer: string;
}

const keyName = 'demo';
const validMs = 24 * 3_600_000;

export async function demoKeys({ database, services }: Process): Promise<DemoKeys> {
  const [tenant] = await database.read(newId(), (uow) =>
    uow.rows<{ id: string }>('select identity.tenant_id_by_name($1) as id', [firstTenantName]),
  );
  return database.write(tenant!.id, async (uow) => {
    const admin = await firstAdmin(uow);
    const key = (name: string, roles: readonly Role[]) => freshKey(services, uow, admin, name, roles);
    return { operator: await key('demo-operator', ['admin']), reviewer: await key('demo-reviewer', ['reviewer']) };
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
): Promise<string> {
  const found = await principals.listPrincipals(uow, admin, { name, first: 1 });
  const person = found.rows[0] ?? (await principals.createPrincipal(uow, admin, { kind: 'user', name }));
  if (found.rows.length === 0) {
    for (const role of roles) {
      await grants.grantRole(uow, admin, { role, scopeKind: 'tenant', scopeId: uow.tenantId, principalId: person.id });
    }
  }
  const old = await apiKeys.listApiKeys(uow, admin, { principalId: person.id, first: 100 });
  for (const apiKey of old.rows)
    if (apiKey.name === keyName && !apiKey.revokedAt) await apiKeys.revokeApiKey(uow, admin, { apiKeyId: apiKey.id });
  const expiresAt = new Date(Date.now() + validMs);
  return (await apiKeys.createApiKey(uow, admin, { principalId: person.id, name: keyName, roles, expiresAt })).token;
}

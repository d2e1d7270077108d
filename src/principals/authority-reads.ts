// Reads who somebody is and what they may do, in one statement: principal, tenant, grants (own and through teams), API key.
import type { UnitOfWork } from '../platform/database.ts';
import { distinctGrants, limitGrants } from '../authority/grants.ts';
import type { Authority, Grant, PrincipalKind, Role } from '../authority/permission.ts';

export interface IdentityKey {
  readonly id: string;
  readonly secretHash: Buffer;
  readonly roles: readonly Role[];
  readonly environmentId: string | null;
  /** Null when the key has no environment. */
  readonly projectId: string | null;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly lastUsedAt: Date | null;
}

export interface Identity {
  readonly tenantId: string;
  readonly principalId: string;
  readonly principalName: string;
  readonly principalKind: PrincipalKind;
  readonly disabledAt: Date | null;
  readonly isOperatorTenant: boolean;
  readonly tenantArchivedAt: Date | null;
  readonly grants: readonly Grant[];
  readonly key: IdentityKey | null;
}

/** By principal, by key, or by both: then the key is null unless it belongs to that principal. */
export interface IdentityQuery {
  readonly principalId?: string | undefined;
  readonly apiKeyId?: string | undefined;
}

const sql = `
  select p.id as "principalId", p.name as "principalName", p.kind as "principalKind", p.disabled_at as "disabledAt",
    t.is_operator as "isOperatorTenant", t.archived_at as "tenantArchivedAt",
    k.id as "keyId", k.secret_hash as "secretHash", k.roles, k.environment_id as "environmentId", ke.project_id as "projectId",
    k.expires_at as "expiresAt", k.revoked_at as "revokedAt", k.last_used_at as "lastUsedAt",
    coalesce((
      select json_agg(json_strip_nulls(json_build_object(
        'role', g.role, 'kind', g.scope_kind, 'scopeId', g.scope_id, 'projectId', e.project_id)) order by g.id)
      from role_grants g
      left join environments e on g.scope_kind = 'environment' and e.id = g.scope_id and e.tenant_id = g.tenant_id
      where g.tenant_id = p.tenant_id and (g.principal_id = p.id or g.grantee_team_id in (
        select m.team_id from team_members m where m.tenant_id = p.tenant_id and m.principal_id = p.id))
    ), '[]') as grants
  from principals p
  join tenants t on t.id = p.tenant_id
  left join api_keys k on k.tenant_id = p.tenant_id and k.principal_id = p.id and k.id = $3
  left join environments ke on ke.tenant_id = k.tenant_id and ke.id = k.environment_id
  where p.tenant_id = $1
    and p.id = coalesce($2::uuid, (select principal_id from api_keys where tenant_id = $1 and id = $3::uuid))`;

interface Row extends Omit<Identity, 'disabledAt' | 'tenantArchivedAt' | 'key' | 'tenantId'> {
  readonly disabledAt: string | null;
  readonly tenantArchivedAt: string | null;
  readonly keyId: string | null;
  readonly secretHash: Buffer;
  readonly roles: Role[];
  readonly environmentId: string | null;
  readonly projectId: string | null;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  readonly lastUsedAt: string | null;
}

export async function findIdentity(uow: UnitOfWork, { principalId, apiKeyId }: IdentityQuery): Promise<Identity | null> {
  const [row] = await uow.rows<Row>(sql, [uow.tenantId, principalId ?? null, apiKeyId ?? null]);
  if (!row) return null;
  return {
    tenantId: uow.tenantId,
    principalId: row.principalId,
    principalName: row.principalName,
    principalKind: row.principalKind,
    disabledAt: date(row.disabledAt),
    isOperatorTenant: row.isOperatorTenant,
    tenantArchivedAt: date(row.tenantArchivedAt),
    grants: distinctGrants(row.grants),
    key: row.keyId === null ? null : keyOf(row, row.keyId),
  };
}

const keyOf = (row: Row, id: string): IdentityKey => ({
  id,
  secretHash: row.secretHash,
  roles: row.roles,
  environmentId: row.environmentId,
  projectId: row.projectId,
  expiresAt: date(row.expiresAt),
  revokedAt: date(row.revokedAt),
  lastUsedAt: date(row.lastUsedAt),
});

const date = (text: string | null): Date | null => (text === null ? null : new Date(text));

/** What the credential adds to or takes from its principal. */
export interface CredentialRights {
  readonly tokenRoles?: readonly Role[] | undefined;
  readonly expiresAt?: Date | undefined;
}

/** Whether the credential is still good is the caller's question; this only adds up its rights. */
export function authorityOf(identity: Identity, { tokenRoles, expiresAt }: CredentialRights = {}): Authority {
  const { tenantId, principalId, principalName, principalKind, isOperatorTenant, grants, key } = identity;
  const who = { tenantId, principalId, principalName, principalKind, isOperatorTenant };
  if (key) return { ...who, grants: keyGrants(grants, key), apiKeyId: key.id, expiresAt: key.expiresAt ?? undefined };
  const fromToken = (tokenRoles ?? []).map((role): Grant => ({ role, kind: 'tenant', scopeId: tenantId }));
  return { ...who, grants: distinctGrants([...grants, ...fromToken]), tokenRoles, expiresAt };
}

/** A key whose environment has vanished holds nothing. */
export function keyGrants(grants: readonly Grant[], key: Pick<IdentityKey, 'roles' | 'environmentId' | 'projectId'>): Grant[] {
  if (key.environmentId === null) return limitGrants(grants, { roles: key.roles });
  if (key.projectId === null) return [];
  return limitGrants(grants, { roles: key.roles, environment: { id: key.environmentId, projectId: key.projectId } });
}

/** The rights of a principal as such, for what happens in its name later. Null when absent or disabled. */
export async function loadAuthority(uow: UnitOfWork, principalId: string): Promise<Authority | null> {
  const identity = await findIdentity(uow, { principalId });
  return identity && identity.disabledAt === null ? authorityOf(identity) : null;
}

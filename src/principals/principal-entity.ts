// Tables of who acts: principals, team membership, role grants, API keys.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, oneOf, tenantTable } from '../platform/entity.ts';
import { Team } from '../tenants/tenant-entity.ts';
import { principalKinds, roles, scopeKinds, type Role } from '../authority/permission.ts';

export const Principal = defineEntity({
  name: 'Principal',
  tableName: 'principals',
  ...tenantTable,
  indexes: [{ name: 'principals_tenant', properties: ['tenantId', 'id'] }],
  uniques: [
    { name: 'principals_name_unique', properties: ['tenantId', 'name'] },
    { name: 'principals_subject_unique', properties: ['tenantId', 'issuer', 'subject'] },
  ],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    kind: oneOf('kind', principalKinds),
    name: p.text(),
    email: p.text().nullable(),
    /** OpenID Connect `iss` and `sub` of a user who signs in with a token. */
    issuer: p.text().nullable(),
    subject: p.text().nullable(),
    createdAt: moment(),
    disabledAt: moment().nullable(),
  },
});

export const TeamMember = defineEntity({
  name: 'TeamMember',
  tableName: 'team_members',
  indexes: [{ name: 'team_members_principal', properties: ['tenantId', 'principalId'] }],
  ...tenantTable,
  properties: {
    teamId: () => p.manyToOne(Team).mapToPk().fieldName('team_id').primary(),
    principalId: () => p.manyToOne(Principal).mapToPk().fieldName('principal_id').primary(),
    tenantId: p.uuid(),
    createdAt: moment(),
  },
});

/** `role` on a scope, given to a principal or to every member of a team (exactly one of the two). */
export const RoleGrant = defineEntity({
  name: 'RoleGrant',
  tableName: 'role_grants',
  ...tenantTable,
  checks: [{ name: 'role_grants_one_grantee', expression: 'num_nonnulls(principal_id, grantee_team_id) = 1' }],
  indexes: [
    { name: 'role_grants_tenant', properties: ['tenantId', 'id'] },
    { name: 'role_grants_principal', properties: ['tenantId', 'principalId', 'id'] },
    { name: 'role_grants_team', properties: ['tenantId', 'granteeTeamId', 'id'] },
    { name: 'role_grants_scope', properties: ['tenantId', 'scopeId', 'id'] },
  ],
  uniques: [
    {
      name: 'role_grants_unique',
      expression:
        'create unique index "role_grants_unique" on "role_grants" ("tenant_id", "role", "scope_kind", "scope_id", "principal_id", "grantee_team_id") nulls not distinct',
    },
  ],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    role: oneOf('role', roles),
    scopeKind: oneOf('scope_kind', scopeKinds),
    /** Id of the tenant, project, environment or team. */
    scopeId: p.uuid(),
    principalId: () => p.manyToOne(Principal).mapToPk().fieldName('principal_id').nullable(),
    granteeTeamId: () => p.manyToOne(Team).mapToPk().fieldName('grantee_team_id').nullable(),
    createdBy: p.uuid().nullable(),
    createdAt: moment(),
  },
});

/** A bearer credential of a principal, never stronger than it: its grants, cut down to `roles` and `environment_id`. */
export const ApiKey = defineEntity({
  name: 'ApiKey',
  tableName: 'api_keys',
  ...tenantTable,
  indexes: [
    { name: 'api_keys_tenant', properties: ['tenantId', 'id'] },
    { name: 'api_keys_principal', properties: ['tenantId', 'principalId', 'id'] },
  ],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    principalId: () => p.manyToOne(Principal).mapToPk().fieldName('principal_id'),
    name: p.text(),
    /** SHA-256 of the secret part; the secret itself is shown once and never stored. */
    secretHash: p.blob(),
    roles: p.array().columnType('text[]').$type<Role[]>(),
    environmentId: p.uuid().nullable(),
    createdBy: p.uuid().nullable(),
    createdAt: moment(),
    expiresAt: moment().nullable(),
    revokedAt: moment().nullable(),
    lastUsedAt: moment().nullable(),
  },
});

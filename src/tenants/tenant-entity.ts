// Tables of the tenant hierarchy. A tenant's own row carries its id as `tenant_id` too, so one policy fits all tables.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, oneOf, tenantTable } from '../platform/entity.ts';
import { environmentKinds } from './tenant.ts';

export const Tenant = defineEntity({
  name: 'Tenant',
  tableName: 'tenants',
  ...tenantTable,
  policies: [
    ...tenantTable.policies,
    // Lets `identity.tenant_id_by_name` (SECURITY DEFINER, run by the owner) find the tenant a token names.
    {
      name: 'owner_lookup',
      command: 'select',
      using: `current_user = (select pg_get_userbyid(relowner) from pg_class where oid = 'tenants'::regclass)`,
    },
  ],
  checks: [{ name: 'tenants_own_id', expression: 'tenant_id = id' }],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    name: p.text().unique('tenants_name_unique'),
    /** The first tenant: its admins may create further tenants. */
    isOperator: p.boolean().default(false),
    /** Raised by every policy change; runners compare it with their compiled policies in the dispatch transaction. */
    policyRevision: p.integer().default(0),
    createdAt: moment(),
    archivedAt: moment().nullable(),
    /** The kill switch that archiving engaged; null when it is not archived. */
    archiveSwitchId: p.uuid().nullable(),
  },
});

export const Project = defineEntity({
  name: 'Project',
  tableName: 'projects',
  ...tenantTable,
  indexes: [{ name: 'projects_tenant', properties: ['tenantId', 'id'] }],
  uniques: [{ name: 'projects_name_unique', properties: ['tenantId', 'name'] }],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    name: p.text(),
    description: p.text().default(''),
    createdAt: moment(),
  },
});

export const Environment = defineEntity({
  name: 'Environment',
  tableName: 'environments',
  ...tenantTable,
  uniques: [{ name: 'environments_name_unique', properties: ['projectId', 'name'] }],
  indexes: [
    { name: 'environments_newest', properties: ['tenantId', 'id'] },
    { name: 'environments_tenant', properties: ['tenantId', 'projectId', 'id'] },
  ],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    projectId: () => p.manyToOne(Project).mapToPk().fieldName('project_id'),
    name: p.text(),
    kind: oneOf('kind', environmentKinds),
    createdAt: moment(),
  },
});

/** Groups agents and people: a grant ON a team covers its agents, a grant TO a team reaches its members. */
export const Team = defineEntity({
  name: 'Team',
  tableName: 'teams',
  ...tenantTable,
  indexes: [{ name: 'teams_tenant', properties: ['tenantId', 'id'] }],
  uniques: [{ name: 'teams_name_unique', properties: ['tenantId', 'name'] }],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    name: p.text(),
    createdAt: moment(),
  },
});

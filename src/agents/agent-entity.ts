// Tables of agents, their immutable versions, and which version is live where.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, oneOf, tenantTable } from '../platform/entity.ts';
import { Environment, Project, Team } from '../tenants/tenant-entity.ts';
import { agentStatuses, deploymentKinds } from './agent.ts';
import type { Definition } from './definition.ts';

export const Agent = defineEntity({
  name: 'Agent',
  tableName: 'agents',
  ...tenantTable,
  uniques: [{ name: 'agents_name_unique', properties: ['projectId', 'name'] }],
  indexes: [
    { name: 'agents_newest', properties: ['tenantId', 'id'] },
    { name: 'agents_tenant', properties: ['tenantId', 'projectId', 'id'] },
  ],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    projectId: () => p.manyToOne(Project).mapToPk().fieldName('project_id'),
    teamId: () => p.manyToOne(Team).mapToPk().fieldName('team_id').nullable(),
    /** Teams that it was of before: who has a role there still sees what it did for them. */
    pastTeamIds: p.array().columnType('uuid[]').default([]),
    name: p.text(),
    description: p.text().default(''),
    owner: p.text().nullable(),
    tags: p.array().columnType('text[]').default([]),
    status: oneOf('status', agentStatuses),
    pauseReason: p.text().nullable(),
    createdBy: p.uuid(),
    createdAt: moment(),
    updatedAt: moment(),
    archivedAt: moment().nullable(),
  },
});

export const AgentVersion = defineEntity({
  name: 'AgentVersion',
  tableName: 'agent_versions',
  ...tenantTable,
  uniques: [{ name: 'agent_versions_version_unique', properties: ['agentId', 'version'] }],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    agentId: () => p.manyToOne(Agent).mapToPk().fieldName('agent_id'),
    /** Semantic version (semver.org 2.0.0). */
    version: p.text(),
    /** The normalised definition: durations in milliseconds, references resolved to `needs`. */
    definition: p.json().$type<Definition>(),
    /** The text as it was published, YAML or JSON. */
    source: p.text(),
    /** SHA-256 of the canonical JSON (RFC 8785) of the definition. */
    digest: p.text(),
    createdBy: p.uuid(),
    createdAt: moment(),
  },
});

/** A version made live in an environment. The live one is the row that nothing superseded. */
export const Deployment = defineEntity({
  name: 'Deployment',
  tableName: 'deployments',
  ...tenantTable,
  indexes: [{ name: 'deployments_history', properties: ['tenantId', 'agentId', 'environmentId', 'id'] }],
  uniques: [
    {
      name: 'deployments_one_live',
      expression: 'create unique index "deployments_one_live" on "deployments" ("agent_id", "environment_id") where superseded_at is null',
    },
  ],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    agentId: () => p.manyToOne(Agent).mapToPk().fieldName('agent_id'),
    environmentId: () => p.manyToOne(Environment).mapToPk().fieldName('environment_id'),
    versionId: () => p.manyToOne(AgentVersion).mapToPk().fieldName('version_id'),
    kind: oneOf('kind', deploymentKinds),
    createdBy: p.uuid(),
    createdAt: moment(),
    supersededAt: moment().nullable(),
  },
});

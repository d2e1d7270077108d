// Tables of policies, their immutable versions, and decision records.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, oneOf, tenantTable } from '../platform/entity.ts';
import {
  decisionEffects,
  failureModes,
  gateActions,
  policyKinds,
  policyModes,
  type PolicyAttachment,
  type PolicyDocument,
  type PolicyRollout,
} from '../rules/policy.ts';
import type { GateInput, PolicyFinding } from '../rules/gate.ts';

/** Scope columns are all null for the whole tenant; else every one that is set must match. */
export const Policy = defineEntity({
  name: 'Policy',
  tableName: 'policies',
  ...tenantTable,
  indexes: [{ name: 'policies_tenant', properties: ['tenantId', 'id'] }],
  uniques: [
    {
      name: 'policies_name_unique',
      expression: 'create unique index "policies_name_unique" on "policies" ("tenant_id", "name") where deleted_at is null',
    },
  ],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    name: p.text(),
    description: p.text().default(''),
    kind: oneOf('kind', policyKinds),
    mode: oneOf('mode', policyModes),
    /** Lower first. */
    priority: p.integer().default(100),
    enabled: p.boolean().default(true),
    projectId: p.uuid().nullable(),
    environmentId: p.uuid().nullable(),
    agentId: p.uuid().nullable(),
    teamId: p.uuid().nullable(),
    tag: p.text().nullable(),
    tool: p.text().nullable(),
    attachments: p.json().$type<PolicyAttachment[]>().default('[]'),
    rollout: p.json().$type<PolicyRollout>().nullable(),
    onError: oneOf('on_error', failureModes).default('allow'),
    /** Number of the current version, from 1. */
    version: p.integer(),
    createdBy: p.uuid(),
    createdAt: moment(),
    updatedAt: moment(),
    deletedAt: moment().nullable(),
  },
});

export const PolicyVersion = defineEntity({
  name: 'PolicyVersion',
  tableName: 'policy_versions',
  ...tenantTable,
  properties: {
    policyId: () => p.manyToOne(Policy).mapToPk().fieldName('policy_id').primary(),
    version: p.integer().primary(),
    tenantId: p.uuid(),
    /** The policy as a whole as it was from this version on (column `rules`): what a decision is computed again from. */
    document: p.json().$type<PolicyDocument>().fieldName('rules'),
    createdBy: p.uuid(),
    createdAt: moment(),
  },
});

/**
 * One evaluation of the gate, whatever it answered: enough to compute the same outcome again. In the database it is partitioned by id,
 * which is by time, a week each (`jobs.make_decision_partitions`); the partitions stand in a schema that the application does not see.
 */
export const Decision = defineEntity({
  name: 'Decision',
  tableName: 'decisions',
  ...tenantTable,
  indexes: [
    { name: 'decisions_execution', properties: ['executionId', 'id'] },
    { name: 'decisions_tenant', properties: ['tenantId', 'id'] },
    // Lists ask for each environment and effect by itself (src/tenants/newest-rows.ts): each is a range in the order of the list.
    { name: 'decisions_agent', properties: ['tenantId', 'agentId', 'environmentId', 'effect', 'id'] },
    { name: 'decisions_environment', properties: ['tenantId', 'environmentId', 'effect', 'id'] },
    { name: 'decisions_principal', properties: ['tenantId', 'principalId', 'environmentId', 'id'] },
    {
      name: 'decisions_team',
      expression: 'create index "decisions_team" on "decisions" ("tenant_id", "team_id", "effect", "id") where "team_id" is not null',
    },
    {
      name: 'decisions_tool',
      expression: 'create index "decisions_tool" on "decisions" ("tenant_id", "tool", "environment_id", "id") where "tool" is not null',
    },
    {
      name: 'decisions_output',
      expression: `create index "decisions_output" on "decisions" ("tenant_id", "action", "environment_id", "id") where action not in ('execution.start', 'tool.call')`,
    },
    {
      name: 'decisions_refused',
      expression: `create index "decisions_refused" on "decisions" ("tenant_id", "effect", "id") where effect <> 'allow'`,
    },
    {
      name: 'decisions_judged',
      expression: `create index "decisions_judged" on "decisions" ("tenant_id", "environment_id", "judged_by", "id") where judged_by is not null`,
    },
  ],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    projectId: p.uuid(),
    environmentId: p.uuid(),
    agentId: p.uuid(),
    teamId: p.uuid().nullable(),
    /** On whose behalf it would have run. */
    principalId: p.uuid().nullable(),
    tool: p.text().nullable(),
    executionId: p.uuid().nullable(),
    stepId: p.text().nullable(),
    itemIndex: p.integer().nullable(),
    action: oneOf('action', gateActions),
    effect: oneOf('effect', decisionEffects),
    reasons: p.array().columnType('text[]'),
    /** Every policy that matched, observed ones included, with its version, effect and reason. */
    findings: p.json().$type<PolicyFinding[]>(),
    /** Which policies those are: the same for the same policies, null for none. */
    judgedBy: p.uuid().nullable(),
    input: p.json().$type<GateInput>(),
    /** Where in the input something was left out of the record. */
    redacted: p.array().columnType('text[]').defaultRaw(`'{}'`),
    /** SHA-256 of the canonical JSON of the whole input, with what was left out. */
    inputDigest: p.text(),
    /** Time the evaluation took, microseconds. */
    durationMicros: p.integer(),
    createdAt: moment(),
  },
});

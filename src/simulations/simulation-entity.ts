// Tables of simulations: candidate policies on the decisions of a period, and what they would have decided otherwise.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, oneOf, tenantTable } from '../platform/entity.ts';
import { decisionEffects } from '../rules/policy.ts';
import { simulationStatuses } from './simulation.ts';

export const PolicySimulation = defineEntity({
  name: 'PolicySimulation',
  tableName: 'policy_simulations',
  ...tenantTable,
  indexes: [{ name: 'policy_simulations_tenant', properties: ['tenantId', 'id'] }],
  uniques: [{ name: 'policy_simulations_idempotency', properties: ['tenantId', 'requestedBy', 'idempotencyKey'] }],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    status: oneOf('status', simulationStatuses),
    /** New, changed and removed policies. */
    candidate: p.json().$type<unknown>(),
    fromAt: moment(),
    toAt: moment(),
    filter: p.json().$type<unknown>(),
    /** Decisions of the period that match the filter. */
    total: p.integer(),
    processed: p.integer().default(0),
    /** Of these, how many would be decided otherwise. */
    changed: p.integer().default(0),
    /** How often it has begun: a process that was taken for dead saves nothing any more. */
    run: p.integer().default(0),
    /** Newest decision that was looked at. */
    afterId: p.uuid().nullable(),
    result: p.json().$type<unknown>().nullable(),
    error: p.text().nullable(),
    requestedBy: p.uuid(),
    createdAt: moment(),
    finishedAt: moment().nullable(),
    idempotencyKey: p.text().nullable(),
    requestDigest: p.text(),
  },
});

/** One decision that the candidate would have made otherwise. */
export const SimulationChange = defineEntity({
  name: 'SimulationChange',
  tableName: 'simulation_changes',
  ...tenantTable,
  properties: {
    simulationId: () => p.manyToOne(PolicySimulation).mapToPk().fieldName('simulation_id').primary(),
    decisionId: p.uuid().primary(),
    tenantId: p.uuid(),
    agentId: p.uuid(),
    executionId: p.uuid().nullable(),
    /** Step and item: what an approval is asked for once, however often it is decided about. */
    slot: p.text(),
    before: oneOf('before', decisionEffects),
    after: oneOf('after', decisionEffects),
    /** Who would have to decide besides those who are asked now: `principal:<id>`, `role:<name>`, `team:<id>` or `anyone`. */
    approvers: p.array().columnType('text[]'),
    decidedAt: moment(),
  },
});

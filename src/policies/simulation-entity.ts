// Simulations: candidate policies on the decisions of a period.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, oneOf, tenantTable } from '../platform/entity.ts';
import { simulationStatuses } from './simulation.ts';

export const PolicySimulation = defineEntity({
  name: 'PolicySimulation',
  tableName: 'policy_simulations',
  ...tenantTable,
  indexes: [{ name: 'policy_simulations_tenant', properties: ['tenantId', 'id'] }],
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
    /** Newest decision that was looked at. */
    afterId: p.uuid().nullable(),
    result: p.json().$type<unknown>().nullable(),
    error: p.text().nullable(),
    requestedBy: p.uuid(),
    createdAt: moment(),
    finishedAt: moment().nullable(),
  },
});

// What counts against rate limits: one row for each thing that was let through, or that has its moment in the future.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, tenantTable } from '../platform/entity.ts';

/** One counter: a policy and what it counts apart (agent, tool, principal). Its row lock puts those who count in line. */
export const RateCounter = defineEntity({
  name: 'RateCounter',
  tableName: 'rate_counters',
  ...tenantTable,
  properties: {
    tenantId: p.uuid().primary(),
    policyId: p.uuid().primary(),
    key: p.text().primary(),
    /** Moment of its newest entry: time does not run back within a counter. */
    lastAt: moment(),
  },
});

export const RateEntry = defineEntity({
  name: 'RateEntry',
  tableName: 'rate_entries',
  ...tenantTable,
  indexes: [
    { name: 'rate_entries_window', properties: ['tenantId', 'policyId', 'key', 'at'] },
    {
      name: 'rate_entries_line',
      expression: `create index "rate_entries_line" on "rate_entries" ("tenant_id", "policy_id", "key", "asked_at", "id") where asked_at is not null`,
    },
    {
      name: 'rate_entries_waiting',
      expression: `create index "rate_entries_waiting" on "rate_entries" ("tenant_id", "execution_id") where asked_at is not null`,
    },
  ],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    policyId: p.uuid(),
    key: p.text(),
    /** When it was let through, or its turn. */
    at: moment(),
    /** Set while it waits for its turn: since when, by the counter's clock. Who asked first goes first. */
    askedAt: moment().nullable(),
    /** What has the place, so that it is counted once and given back when it ends without having run. */
    executionId: p.uuid().nullable(),
    slot: p.text().nullable(),
  },
});

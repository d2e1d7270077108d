// The append-only table of execution events, and the epoch that cursors carry.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, tenantTable } from '../platform/entity.ts';

export const ExecutionEvent = defineEntity({
  name: 'ExecutionEvent',
  tableName: 'execution_events',
  ...tenantTable,
  indexes: [
    { name: 'execution_events_tenant', properties: ['tenantId', 'transactionId', 'executionId', 'sequence'] },
    {
      name: 'execution_events_approvals',
      expression: `create index "execution_events_approvals" on "execution_events" ("tenant_id", "transaction_id", "execution_id", "sequence") where type like 'approval.%'`,
    },
  ],
  properties: {
    executionId: p.uuid().primary(),
    sequence: p.integer().primary(),
    tenantId: p.uuid(),
    type: p.text(),
    data: p.json().$type<Record<string, unknown>>(),
    occurredAt: moment(),
    /** Orders the tenant's feed; rows are read only below `pg_snapshot_xmin`, so a late commit is never skipped. */
    transactionId: p.bigint('string').columnType('xid8').defaultRaw('pg_current_xact_id()'),
  },
});

/** One row: the identity of this history. A database made anew has another; one that is restored is given another by whoever restores it (docs/deploy.md). */
export const StreamEpoch = defineEntity({
  name: 'StreamEpoch',
  tableName: 'stream_epoch',
  properties: {
    id: p.integer().primary().autoincrement(false),
    epoch: p.uuid().defaultRaw('gen_random_uuid()'),
  },
});

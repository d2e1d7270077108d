// Tables of the queue: how much may run at a time, and operations on many executions at once.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, oneOf, tenantTable } from '../platform/entity.ts';
import { bulkStatuses, limitScopes, type CancelPlaces, type StoredFilter } from './queue.ts';

export const ConcurrencyLimit = defineEntity({
  name: 'ConcurrencyLimit',
  tableName: 'concurrency_limits',
  ...tenantTable,
  uniques: [{ name: 'concurrency_limits_scope', properties: ['tenantId', 'scopeId'] }],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    scopeKind: oneOf('scope_kind', limitScopes),
    /** Id of the tenant, project, environment or agent. */
    scopeId: p.uuid(),
    maxRunning: p.integer().check('max_running >= 0'),
    updatedBy: p.uuid(),
    updatedAt: moment(),
  },
});

export const BulkOperation = defineEntity({
  name: 'BulkOperation',
  tableName: 'bulk_operations',
  ...tenantTable,
  indexes: [{ name: 'bulk_operations_tenant', properties: ['tenantId', 'id'] }],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    status: oneOf('status', bulkStatuses),
    filter: p.json().$type<StoredFilter>(),
    reason: p.text(),
    requestedBy: p.uuid(),
    /** Where the requester held the permission when it was asked for; nothing elsewhere is touched. */
    places: p.json().$type<CancelPlaces>(),
    matched: p.integer().default(0),
    cancelled: p.integer().default(0),
    failed: p.integer().default(0),
    /** The last execution that was looked at; they are taken by id. */
    afterId: p.uuid().nullable(),
    createdAt: moment(),
    finishedAt: moment().nullable(),
  },
});

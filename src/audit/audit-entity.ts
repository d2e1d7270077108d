// Audit events: one for every mutation that changed something, and for what Signalbox changes by itself. Only ever added to.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, tenantTable } from '../platform/entity.ts';

export const AuditEvent = defineEntity({
  name: 'AuditEvent',
  tableName: 'audit_events',
  ...tenantTable,
  indexes: [
    { name: 'audit_events_order', properties: ['tenantId', 'transactionId', 'id'] },
    { name: 'audit_events_tenant', properties: ['tenantId', 'id'] },
    { name: 'audit_events_subject', properties: ['tenantId', 'subjectId', 'id'] },
    { name: 'audit_events_principal', properties: ['tenantId', 'principalId', 'id'] },
    { name: 'audit_events_action', properties: ['tenantId', 'action', 'id'] },
    {
      name: 'audit_events_project_action',
      expression:
        'create index "audit_events_project_action" on "audit_events" ("tenant_id", "project_id", "action", "id") where "project_id" is not null',
    },
    ...(['project', 'environment', 'team'] as const).map((place) => ({
      name: `audit_events_${place}`,
      expression: `create index "audit_events_${place}" on "audit_events" ("tenant_id", "${place}_id", "id") where "${place}_id" is not null`,
    })),
    ...(['trace_id', 'subject_name'] as const).map((column) => ({
      name: `audit_events_${column}`,
      expression: `create index "audit_events_${column}" on "audit_events" ("tenant_id", "${column}", "id") where "${column}" is not null`,
    })),
  ],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    /** Null: Signalbox itself. */
    principalId: p.uuid().nullable(),
    /** Name of the mutation, such as `createPolicy`; without a principal, of what happened by itself. */
    action: p.text(),
    /** Type and id of what it changed, such as `Policy`. */
    subjectType: p.text().nullable(),
    subjectId: p.uuid().nullable(),
    /** As it was called then; for people, who cannot read ids. */
    subjectName: p.text().nullable(),
    /** Place by which reading it is permitted; null for the whole tenant. */
    projectId: p.uuid().nullable(),
    environmentId: p.uuid().nullable(),
    teamId: p.uuid().nullable(),
    /** SHA-256 of the canonical JSON of the subject; null when there was, or is, none. */
    beforeDigest: p.text().nullable(),
    afterDigest: p.text().nullable(),
    /** Network address and user agent of the request. */
    address: p.text().nullable(),
    userAgent: p.text().nullable(),
    traceId: p.text().nullable(),
    occurredAt: moment(),
    /** By this the order of commits is followed, as for `execution_events`. */
    transactionId: p.bigint('string').columnType('xid8').defaultRaw('pg_current_xact_id()'),
  },
});

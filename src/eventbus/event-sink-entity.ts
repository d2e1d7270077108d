// Event sinks with their places in the feed, and the deliveries that are behind or were given up.
import { defineEntity, p } from '@mikro-orm/core';
import type { EventType } from '../events/catalogue.ts';
import { moment, oneOf, tenantTable } from '../platform/entity.ts';
import { eventDeliveryStatuses, sinkKinds, sinkOrigins, sinkStatuses } from './event-sink.ts';

export const EventSink = defineEntity({
  name: 'EventSink',
  tableName: 'event_sinks',
  ...tenantTable,
  policies: [
    ...tenantTable.policies,
    // Lets runners, as the owner of the tables, share the sinks of all tenants among each other (`eventbus.claim` and its like).
    {
      name: 'owner_relay',
      using: `current_user = (select pg_get_userbyid(relowner) from pg_class where oid = 'event_sinks'::regclass)`,
    },
  ],
  uniques: [{ name: 'event_sinks_name_unique', properties: ['tenantId', 'origin', 'name'] }],
  properties: {
    id: p.uuid().primary(),
    /** Those of the operator are in the first tenant, and read the feeds of all that `tenants` names. */
    tenantId: p.uuid(),
    origin: oneOf('origin', sinkOrigins),
    name: p.text(),
    kind: oneOf('kind', sinkKinds),
    /** Without credentials. */
    url: p.text(),
    /** Sealed; null for those of the operator, whose secrets stay in the configuration. */
    secret: p.text().nullable(),
    types: p.array().columnType('text[]').$type<EventType[]>(),
    projectId: p.uuid().nullable(),
    environmentId: p.uuid().nullable(),
    /** Names; null: all. */
    tenants: p.array().columnType('text[]').nullable(),
    maxAttempts: p.integer(),
    maxAgeSeconds: p.integer(),
    status: oneOf('status', sinkStatuses),
    pausedReason: p.text().nullable(),
    /** Everything up to here was delivered, given up, or has a delivery of its own. */
    transactionId: p.bigint('string').columnType('xid8'),
    executionId: p.uuid(),
    sequence: p.integer(),
    /** Of its deliveries: how many are pending, and when the first one is due. */
    pending: p.integer().default(0),
    wakeAt: moment().nullable(),
    /** Of the sink as a whole: failures in a row, and nothing is sent before. */
    failures: p.integer().default(0),
    retryAt: moment().nullable(),
    lastSuccessAt: moment().nullable(),
    lastError: p.text().nullable(),
    lastErrorAt: moment().nullable(),
    /** Which process relays to it, by the clock of Postgres. `fence` is another with each lease. */
    leaseOwner: p.uuid().nullable(),
    leaseUntil: moment().nullable(),
    fence: p.integer().default(0),
    createdBy: p.uuid().nullable(),
    createdAt: moment(),
    updatedAt: moment(),
  },
});

export const EventDelivery = defineEntity({
  name: 'EventDelivery',
  tableName: 'event_deliveries',
  ...tenantTable,
  indexes: [
    { name: 'event_deliveries_sink', properties: ['tenantId', 'sinkId', 'status', 'id'] },
    {
      name: 'event_deliveries_due',
      expression: `create index "event_deliveries_due" on "event_deliveries" ("tenant_id", "sink_id", "next_attempt_at", "id") where status in ('pending', 'redelivering')`,
    },
    {
      name: 'event_deliveries_dead',
      expression: `create index "event_deliveries_dead" on "event_deliveries" ("tenant_id", "sink_id", "dead_lettered_at", "id") where status = 'dead_lettered'`,
    },
    {
      name: 'event_deliveries_pending',
      expression: `create unique index "event_deliveries_pending" on "event_deliveries" ("sink_id", "execution_id") where status = 'pending'`,
    },
  ],
  uniques: [{ name: 'event_deliveries_event', properties: ['sinkId', 'executionId', 'sequence'] }],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    sinkId: () => p.manyToOne(EventSink).mapToPk().fieldName('sink_id'),
    /** Whose event it is: another tenant than the sink's only for sinks of the operator. */
    eventTenantId: p.uuid(),
    executionId: p.uuid(),
    sequence: p.integer(),
    type: p.text(),
    status: oneOf('status', eventDeliveryStatuses),
    attempts: p.integer().default(0),
    firstAttemptAt: moment().nullable(),
    nextAttemptAt: moment().nullable(),
    lastError: p.text().nullable(),
    createdAt: moment(),
    deadLetteredAt: moment().nullable(),
  },
});

// Outbound webhooks of a tenant and their deliveries.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, oneOf, tenantTable } from '../platform/entity.ts';
import { deliveryStatuses, webhookEvents, type WebhookEvent } from './webhook.ts';

export const Webhook = defineEntity({
  name: 'Webhook',
  tableName: 'webhooks',
  ...tenantTable,
  indexes: [{ name: 'webhooks_tenant', properties: ['tenantId', 'id'] }],
  uniques: [{ name: 'webhooks_name_unique', properties: ['tenantId', 'name'] }],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    name: p.text(),
    url: p.text(),
    events: p.array().columnType('text[]').$type<WebhookEvent[]>(),
    /** Sealed. */
    secret: p.text(),
    enabled: p.boolean().default(true),
    createdBy: p.uuid(),
    createdAt: moment(),
    updatedAt: moment(),
  },
});

export const WebhookDelivery = defineEntity({
  name: 'WebhookDelivery',
  tableName: 'webhook_deliveries',
  ...tenantTable,
  indexes: [{ name: 'webhook_deliveries_webhook', properties: ['tenantId', 'webhookId', 'id'] }],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    webhookId: () => p.manyToOne(Webhook).mapToPk().fieldName('webhook_id'),
    event: oneOf('event', webhookEvents),
    payload: p.json().$type<unknown>(),
    status: oneOf('status', deliveryStatuses),
    attempts: p.integer().default(0),
    lastError: p.text().nullable(),
    createdAt: moment(),
    deliveredAt: moment().nullable(),
  },
});

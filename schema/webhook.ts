// Outbound webhooks: where, what about, and what became of each delivery.
import type { DeliveryRow, WebhookRow } from '#src/webhooks/webhook-reads.ts';
import { deliveryStatuses, retryDelaysMs, webhookEvents, webhookLimits } from '#src/webhooks/webhook.ts';
import { builder } from './builder.ts';
import { connectionsOf, connectionType, paged } from './connection.ts';
import { enumOf } from './enum.ts';
import { globalId } from './ids.ts';
import { nodeType } from './node.ts';
import { Principal } from './principal.ts';

export const WebhookEventEnum = enumOf('WebhookEvent', webhookEvents, 'What a webhook can tell of.', {
  'approval.requested': 'Somebody has to look: a new request, the next stage of one, or one that was edited.',
  'approval.decided': 'A request was approved or rejected.',
  'approval.expiring': 'A request will expire soon.',
  'approval.expired': 'Nobody decided in time.',
  'approval.escalated': 'A second group is asked.',
  'approval.cancelled': 'The execution ended before anybody decided.',
  'policy.fell_back': 'A policy that was rolled out denied too much, and is only observed from then on.',
});

export const DeliveryStatusEnum = enumOf('WebhookDeliveryStatus', deliveryStatuses, 'How a delivery stands.', {
  pending: 'It is under way, or will be tried again.',
  delivered: 'The receiver answered with a status from 200 to 299.',
  failed: 'It was tried as often as it can be, or the receiver answered 410.',
});

export const WebhookDelivery = nodeType<DeliveryRow>('WebhookDelivery', (services, uow, actor, ids) =>
  services.webhooks.deliveriesByIds(uow, actor, ids),
);
export const WebhookDeliveryConnection = connectionType(WebhookDelivery);
WebhookDelivery.implement({
  description: `One thing that a webhook is told. Tried up to ${retryDelaysMs.length + 1} times over about 28 hours; kept ${webhookLimits.keptDays} days.`,
  fields: (t) => ({
    event: t.expose('event', { type: WebhookEventEnum, description: 'What it tells of.' }),
    payload: t.expose('payload', { type: 'JSON', description: 'What it says: type, timestamp and data.' }),
    status: t.expose('status', { type: DeliveryStatusEnum, description: 'How it stands.' }),
    attempts: t.exposeInt('attempts', { description: 'How often it was tried.' }),
    lastError: t.exposeString('lastError', { nullable: true, description: 'Why the last attempt failed; null when none did.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it happened.' }),
    deliveredAt: t.expose('deliveredAt', { type: 'DateTime', nullable: true, description: 'When it was taken; null when it was not.' }),
  }),
});

export const Webhook = nodeType<WebhookRow>('Webhook', (services, uow, actor, ids) => services.webhooks.webhooksByIds(uow, actor, ids));
export const WebhookConnection = connectionType(Webhook);
Webhook.implement({
  description:
    'An address that is told of approvals and of policies by signed requests (Standard Webhooks). What it is told decides nothing.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique in the tenant.' }),
    url: t.exposeString('url', { description: 'Where requests go.' }),
    events: t.expose('events', { type: [WebhookEventEnum], description: 'What it is told of.' }),
    enabled: t.exposeBoolean('enabled', { description: 'Whether it is told anything; false, too, once it has answered 410.' }),
    createdBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who registered it; null when you may not see the person.',
      resolve: (row) => row.createdBy,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was registered.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it last changed.' }),
    deliveries: t.loadable({
      type: WebhookDeliveryConnection,
      description: 'What it was told, newest first.',
      ...paged(),
      byPath: true,
      resolve: (row) => row.id,
      load: (ids: string[], { services, read }, page) =>
        read((uow) => services.webhooks.deliveriesOf(uow, ids, page)).then(connectionsOf('deliveries')),
    }),
  }),
});

export const CreateWebhookInput = builder.inputType('CreateWebhookInput', {
  description: `A new webhook; a tenant has at most ${webhookLimits.perTenant}.`,
  fields: (t) => ({
    name: t.string({ required: true, description: `1 to ${webhookLimits.nameLength} characters, unique in the tenant.` }),
    url: t.string({ required: true, description: 'http or https at a public address; redirects are not followed.' }),
    events: t.field({ type: [WebhookEventEnum], required: true, description: 'What it is told of.' }),
  }),
});

const webhookId = { required: true, description: 'The webhook.' } as const;

export const UpdateWebhookInput = builder.inputType('UpdateWebhookInput', {
  description: 'What to change of a webhook; fields left out stay as they are.',
  fields: (t) => ({
    webhookId: t.id(webhookId).validate(globalId('Webhook')),
    name: t.string({ description: 'A new name.' }),
    url: t.string({ description: 'A new URL.' }),
    events: t.field({ type: [WebhookEventEnum], description: 'New events, replacing the old ones.' }),
    enabled: t.boolean({ description: 'Switch it on, or off: nothing more is sent, and what happens meanwhile is not told later.' }),
  }),
});

const ofWebhook = (name: string, description: string) =>
  builder.inputType(name, { description, fields: (t) => ({ webhookId: t.id(webhookId).validate(globalId('Webhook')) }) });
export const RotateWebhookSecretInput = ofWebhook('RotateWebhookSecretInput', 'Which webhook gets a new secret.');
export const DeleteWebhookInput = ofWebhook('DeleteWebhookInput', 'Which webhook to remove.');

export const RedeliverWebhookInput = builder.inputType('RedeliverWebhookInput', {
  description: 'Which delivery to send once more.',
  fields: (t) => ({ deliveryId: t.id({ required: true, description: 'The delivery.' }).validate(globalId('WebhookDelivery')) }),
});

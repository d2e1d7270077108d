// Webhooks of the tenant: read, register, change, remove, send again.
import { ConflictError, InvalidStateError, LimitExceededError, UnavailableError } from '#src/platform/errors.ts';
import { webhookLimits } from '#src/webhooks/webhook.ts';
import { builder } from '#schema/builder.ts';
import { connectionOf, paged } from '#schema/connection.ts';
import { mutation } from '#schema/mutation.ts';
import {
  CreateWebhookInput,
  DeleteWebhookInput,
  RedeliverWebhookInput,
  RotateWebhookSecretInput,
  UpdateWebhookInput,
  Webhook,
  WebhookConnection,
  WebhookDelivery,
} from '#schema/webhook.ts';

builder.queryField('webhooks', (t) =>
  t.field({
    type: WebhookConnection,
    description: 'Webhooks of this tenant, newest first.',
    authScopes: { permission: 'webhook.manage' },
    ...paged(),
    resolve: (_root, page, { services, authority, read }) =>
      connectionOf(
        'webhooks',
        read((uow) => services.webhooks.listWebhooks(uow, authority, page)),
      ),
  }),
);

const secret = {
  type: 'String',
  description: 'The secret that requests are signed with, for libraries of Standard Webhooks. Shown only now.',
} as const;

mutation('createWebhook', {
  description: 'Registers an address that is told of approvals.',
  permission: 'webhook.manage',
  input: CreateWebhookInput,
  returns: { webhook: { type: Webhook, description: 'The new webhook.' }, secret },
  fails: [ConflictError, LimitExceededError, UnavailableError],
  resolve: (services, uow, actor, input) => services.webhooks.createWebhook(uow, actor, input),
});

mutation('updateWebhook', {
  description: 'Changes a webhook. What is under way goes to its new address.',
  permission: 'webhook.manage',
  input: UpdateWebhookInput,
  returns: { webhook: { type: Webhook, description: 'The webhook as it is now.' } },
  fails: [ConflictError],
  resolve: async (services, uow, actor, input) => ({ webhook: await services.webhooks.updateWebhook(uow, actor, input) }),
});

mutation('rotateWebhookSecret', {
  description: `Gives a webhook a new secret. For a day requests carry a signature by the one it replaces, too; at most ${webhookLimits.previousSecrets} replaced ones sign at a time.`,
  permission: 'webhook.manage',
  input: RotateWebhookSecretInput,
  returns: { webhook: { type: Webhook, description: 'The webhook.' }, secret },
  fails: [InvalidStateError, UnavailableError],
  resolve: (services, uow, actor, { webhookId }) => services.webhooks.rotateWebhookSecret(uow, actor, webhookId),
});

mutation('deleteWebhook', {
  description: 'Removes a webhook with the record of its deliveries; what is under way is not sent any more.',
  permission: 'webhook.manage',
  input: DeleteWebhookInput,
  returns: { webhook: { type: Webhook, description: 'The webhook as it was last.' } },
  resolve: async (services, uow, actor, { webhookId }) => ({ webhook: await services.webhooks.deleteWebhook(uow, actor, webhookId) }),
});

mutation('redeliverWebhook', {
  description: 'Sends a delivery that has ended once more, with the same id, by which its receiver knows it.',
  permission: 'webhook.manage',
  input: RedeliverWebhookInput,
  returns: { delivery: { type: WebhookDelivery, description: 'The delivery, under way again.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, { deliveryId }) => ({ delivery: await services.webhooks.redeliver(uow, actor, deliveryId) }),
});

// Webhooks: what they tell of. Pure; no I/O.
export const webhookEvents = [
  'approval.requested',
  'approval.decided',
  'approval.expiring',
  'approval.expired',
  'approval.escalated',
  'approval.cancelled',
] as const;
export type WebhookEvent = (typeof webhookEvents)[number];

export const deliveryStatuses = ['pending', 'delivered', 'failed'] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

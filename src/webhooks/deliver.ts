// Sends one delivery: read, send through the outbound guard, record. A process that dies between the last two sends it again later, with
// the same `webhook-id`, by which receivers know it.
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { Logger } from '../platform/logger.ts';
import { enqueue, type JobPayloads } from '../jobs/jobs.ts';
import type { Outbound } from '../outbound/outbound.ts';
import { sendSigned } from './send-signed.ts';
import { webhookLimits } from './webhook.ts';
import type { DeliveryOutcome, OpenDelivery, WebhookService } from './webhook-service.ts';

export interface DeliveryDependencies {
  readonly clock: Clock;
  readonly database: Database;
  readonly webhooks: WebhookService;
  readonly outbound: Pick<Outbound, 'fetch'>;
  readonly logger: Logger;
  /** At a time in this process, so that slow receivers leave room for executions. */
  readonly maxAtOnce: number;
  /** Where a person reads an approval, with `{id}` for its id. Opening it decides nothing. */
  readonly approvalPage?: string | undefined;
}

/** How long a delivery steps back when there is no room. */
const retryRoomMs = 1_000;

export function createDelivery({ clock, database, webhooks, outbound, logger, maxAtOnce, approvalPage }: DeliveryDependencies) {
  let running = 0;

  async function send({ id, url, payload, secrets }: OpenDelivery): Promise<DeliveryOutcome> {
    const { approvalId } = payload.data;
    const page = typeof approvalId === 'string' ? approvalPage?.replaceAll('{id}', encodeURIComponent(approvalId)) : undefined;
    const body = JSON.stringify(page === undefined ? payload : { ...payload, data: { ...payload.data, page } });
    const form = {
      contentType: 'application/json',
      userAgent: 'Signalbox-Webhooks/1',
      timeoutMs: webhookLimits.timeoutMs,
      sentBy: 'webhook',
    };
    const notTaken = await sendSigned({ url, secrets, id, body, ...form }, { clock, outbound });
    return notTaken ? { kind: 'failed', reason: notTaken.reason, isGone: notTaken.status === 410 } : { kind: 'delivered' };
  }

  return async function deliver({ tenantId, deliveryId }: JobPayloads['deliver-webhook']): Promise<void> {
    if (running >= maxAtOnce) {
      const runAt = new Date(clock.now().getTime() + retryRoomMs);
      const again = { name: 'deliver-webhook', payload: { tenantId, deliveryId }, runAt } as const;
      return database.write(tenantId, (uow) => enqueue(uow, [again]));
    }
    running += 1;
    try {
      const delivery = await database.read(tenantId, (uow) => webhooks.openDelivery(uow, deliveryId));
      if (!delivery) return await database.write(tenantId, (uow) => webhooks.giveUp(uow, deliveryId));
      const outcome = await send(delivery);
      if (outcome.kind === 'failed') logger.debug({ deliveryId, reason: outcome.reason }, 'a webhook was not delivered');
      await database.write(tenantId, (uow) => webhooks.recordAttempt(uow, delivery, outcome));
    } finally {
      running -= 1;
    }
  };
}

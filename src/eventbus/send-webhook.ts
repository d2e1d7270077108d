// Events as signed requests (Standard Webhooks 1.0), through the outbound guard.
import type { Clock } from '../platform/clock.ts';
import type { Outbound } from '../outbound/outbound.ts';
import { sendSigned } from '../webhooks/send-signed.ts';
import { cloudEventContentType } from './cloud-event.ts';
import { sinkLimits } from './event-sink.ts';
import { SendError, type Sender } from './sender.ts';

export interface WebhookTarget {
  readonly url: string;
  /** The newest first: each signs. */
  readonly secrets: readonly string[];
}

/** Answers that say "not now": the receiver as a whole, not this event. */
const notNow = new Set([408, 429, 502, 503, 504]);

export function webhookSender(target: WebhookTarget, { clock, outbound }: { clock: Clock; outbound: Pick<Outbound, 'fetch'> }): Sender {
  return {
    async send({ id, body }, signal) {
      const form = { contentType: cloudEventContentType, userAgent: 'Signalbox-Events/1', timeoutMs: sinkLimits.timeoutMs, sentBy: 'sink' };
      const notTaken = await sendSigned({ ...target, id, body, ...form, signal }, { clock, outbound });
      if (!notTaken) return;
      const { status, isRedirect, reason } = notTaken;
      throw new SendError(status === 410 ? 'gone' : status === null || isRedirect || notNow.has(status) ? 'sink' : 'event', reason);
    },
    close: async () => undefined,
  };
}

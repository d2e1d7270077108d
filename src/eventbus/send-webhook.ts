// Events as signed requests (Standard Webhooks 1.0), through the outbound guard.
import type { Clock } from '../platform/clock.ts';
import type { Outbound } from '../outbound/outbound.ts';
import { signatureHeaders, webhookLimits } from '../webhooks/webhook.ts';
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
      const answer = await outbound.fetch({
        method: 'POST',
        url: target.url,
        headers: {
          'content-type': cloudEventContentType,
          'user-agent': 'Signalbox-Events/1',
          ...signatureHeaders(target.secrets, { id, at: clock.now(), body }),
        },
        body,
        timeoutMs: sinkLimits.timeoutMs,
        maxBytes: webhookLimits.responseBytes,
        maxRedirects: 0,
        signal,
      });
      if (!answer.ok) throw new SendError('sink', answer.message);
      const { status } = answer;
      if (status >= 200 && status < 300) return;
      const isRedirect = status >= 300 && status < 400;
      const reason = `answered ${status}${isRedirect ? '; redirects are not followed, so give the sink its new URL' : ''}`;
      throw new SendError(status === 410 ? 'gone' : isRedirect || notNow.has(status) ? 'sink' : 'event', reason);
    },
    close: async () => undefined,
  };
}

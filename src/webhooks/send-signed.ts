// One signed request to a receiver (Standard Webhooks 1.0), through the outbound guard, and what its answer says.
import type { Clock } from '../platform/clock.ts';
import type { Outbound } from '../outbound/outbound.ts';
import { signatureHeaders, webhookLimits } from './webhook.ts';

export interface SignedRequest {
  readonly url: string;
  /** The newest first: each signs. */
  readonly secrets: readonly string[];
  /** By which receivers know what is sent again. */
  readonly id: string;
  readonly body: string;
  readonly contentType: string;
  readonly userAgent: string;
  readonly timeoutMs: number;
  /** What has a URL to be changed when the receiver redirects. */
  readonly sentBy: string;
  readonly signal?: AbortSignal | undefined;
}

/** Why it was not taken; the status is null when there was no answer. */
export interface NotTaken {
  readonly status: number | null;
  readonly isRedirect: boolean;
  readonly reason: string;
}

/** Null: the receiver took it. */
export async function sendSigned(
  { url, secrets, id, body, contentType, userAgent, timeoutMs, sentBy, signal }: SignedRequest,
  { clock, outbound }: { clock: Clock; outbound: Pick<Outbound, 'fetch'> },
): Promise<NotTaken | null> {
  const signature = signatureHeaders(secrets, { id, at: clock.now(), body });
  const answer = await outbound.fetch({
    method: 'POST',
    url,
    headers: { 'content-type': contentType, 'user-agent': userAgent, ...signature },
    body,
    timeoutMs,
    maxBytes: webhookLimits.responseBytes,
    maxRedirects: 0,
    signal,
  });
  if (!answer.ok) return { status: null, isRedirect: false, reason: answer.message };
  const { status } = answer;
  if (status >= 200 && status < 300) return null;
  const isRedirect = status >= 300 && status < 400;
  const reason = `answered ${status}${isRedirect ? `; redirects are not followed, so give the ${sentBy} its new URL` : ''}`;
  return { status, isRedirect, reason };
}

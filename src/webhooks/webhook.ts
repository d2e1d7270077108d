// Webhooks: what they tell of, how they are signed (Standard Webhooks 1.0), and when a delivery is tried again. Pure; no I/O.
import { createHmac, randomBytes } from 'node:crypto';
import { InvalidStateError } from '../platform/errors.ts';

export const webhookEvents = [
  'approval.requested',
  'approval.decided',
  'approval.expiring',
  'approval.expired',
  'approval.escalated',
  'approval.cancelled',
  'policy.fell_back',
] as const;
export type WebhookEvent = (typeof webhookEvents)[number];

export const deliveryStatuses = ['pending', 'delivered', 'failed'] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

export const webhookLimits = {
  perTenant: 10,
  nameLength: 100,
  /** Per request, redirects are not followed. */
  timeoutMs: 10_000,
  responseBytes: 1_048_576,
  /** Deliveries that have ended are kept so long. */
  keptDays: 30,
  /** A secret that was replaced still signs for so long. */
  overlapMs: 86_400_000,
  /** So many at most sign beside the newest. */
  previousSecrets: 5,
} as const;

const [second, minute, hour] = [1_000, 60_000, 3_600_000];
/** After each failed attempt. With the last one used up, the delivery has failed: about 28 hours after the event. */
export const retryDelaysMs: readonly number[] = [
  5 * second,
  30 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  10 * hour,
];

/** Spread by a tenth, so that what failed together is not tried again together. Null: it has been tried often enough. `random` in [0, 1). */
export function retryDelayMs(attempts: number, random: number): number | null {
  const delay = retryDelaysMs[attempts - 1];
  return delay === undefined ? null : Math.round(delay * (0.95 + random * 0.1));
}

const prefix = 'whsec_';

export const newSecret = (): string => `${prefix}${randomBytes(32).toString('base64')}`;

export const secretForm = 'whsec_ and 24 to 64 random bytes in base64';
export const isSecret = (text: string): boolean => /^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/.test(text);

/** It was replaced, and signs until then. */
interface Replaced {
  readonly secret: string;
  readonly until: string;
}

export interface Secrets {
  readonly current: string;
  /** The newest first; rows written when one was kept have it alone. */
  readonly previous?: Replaced | readonly Replaced[] | undefined;
}

const stillSigning = ({ previous = [] }: Secrets, now: Date): Replaced[] =>
  [previous].flat().filter(({ until }) => Date.parse(until) > now.getTime());

/** The newest first. */
export const validSecrets = (secrets: Secrets, now: Date): string[] => [
  secrets.current,
  ...stillSigning(secrets, now).map(({ secret }) => secret),
];

/** A new secret; each one before signs for `overlapMs` after it was replaced, whatever replaced it since. */
export function rotated(secrets: Secrets, now: Date): Secrets {
  const kept = stillSigning(secrets, now);
  if (kept.length >= webhookLimits.previousSecrets) {
    throw new InvalidStateError(
      `${kept.length} replaced secrets still sign, and no more may; replace this one after ${kept.at(-1)!.until}, when the oldest of them has ended, or make a new one in its place and delete it`,
    );
  }
  const until = new Date(now.getTime() + webhookLimits.overlapMs).toISOString();
  return { current: newSecret(), previous: [{ secret: secrets.current, until }, ...kept] };
}

export interface Signed {
  readonly id: string;
  readonly at: Date;
  readonly body: string;
}

/** Of `id.timestamp.body`, one signature for each secret, so that a receiver may change over when it likes. */
export function signatureHeaders(secrets: readonly string[], { id, at, body }: Signed): Record<string, string> {
  const timestamp = Math.floor(at.getTime() / 1_000);
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(prefix.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') };
}

/** What a body says. Ids are those of the API. */
export interface WebhookBody {
  readonly type: WebhookEvent;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The global id that the API gives to a row. */
export const apiId = (type: string, id: string): string => Buffer.from(`${type}:${id}`).toString('base64');

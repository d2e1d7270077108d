// Event sinks: their kinds and limits, which events they want, when a delivery is tried again and when it is given up. Pure; no I/O.
import type { EventType } from '../events/catalogue.ts';

export const sinkKinds = ['webhook', 'redis', 'nats', 'kafka'] as const;
export type SinkKind = (typeof sinkKinds)[number];

/** Who configured it: the tenant through the API, or the operator in `eventSinks` of the YAML file. */
export const sinkOrigins = ['tenant', 'operator'] as const;
export type SinkOrigin = (typeof sinkOrigins)[number];

export const sinkStatuses = ['active', 'paused'] as const;
export type SinkStatus = (typeof sinkStatuses)[number];

/** `pending` holds up later events of its execution; `redelivering` was given up and is tried again, holding up nothing. */
export const eventDeliveryStatuses = ['pending', 'redelivering', 'dead_lettered'] as const;
export type EventDeliveryStatus = (typeof eventDeliveryStatuses)[number];

export const sinkHealths = ['healthy', 'retrying', 'failing', 'paused'] as const;
export type SinkHealth = (typeof sinkHealths)[number];

export const sinkLimits = {
  perTenant: 10,
  nameLength: 100,
  reasonLength: 1_000,
  maxAttempts: 1_000,
  /** Thirty days. */
  maxAgeSeconds: 2_592_000,
  minAgeSeconds: 60,
  /** One event, answer included. */
  timeoutMs: 10_000,
  /** Events that one look takes from the feed. */
  batch: 200,
  /** Executions of a sink at a time: one event of each. */
  concurrency: 8,
  /** With so many executions behind, no new events are taken from the feed until some are delivered or given up. */
  pending: 100,
  /** For so long dead letters are kept. */
  keptDays: 30,
  /** Dead letters that one call sends again. */
  redelivered: 1_000,
  /** Lags are counted up to here. */
  counted: 1_000,
} as const;

export const sinkDefaults = { maxAttempts: 50, maxAgeSeconds: 86_400 } as const;

/** In a row, of the sink as a whole, before it counts as failing. */
const failingAfter = 3;
/** A sink whose oldest event waits longer is failing, whatever the reason: perhaps no runner knows it. */
const failingLagSeconds = 300;

/** Doubles from a second up to `maxMs`, spread between half of it and all: what failed together is not tried again together. */
const backoffMs = (tries: number, random: number, maxMs: number): number =>
  Math.round(Math.min(1_000 * 2 ** (tries - 1), maxMs) * (0.5 + random / 2));

/** Until an event is tried again, up to a quarter of an hour. `random` in [0, 1). */
export const eventDelayMs = (attempts: number, random: number): number => backoffMs(Math.min(attempts, 20), random, 900_000);

/** Until a sink that cannot be reached is asked again, with one event: up to a minute. */
export const sinkDelayMs = (failures: number, random: number): number => backoffMs(Math.min(failures, 20), random, 60_000);

export interface GivingUp {
  readonly maxAttempts: number;
  readonly maxAgeSeconds: number;
}

/** After so many attempts, or so long after the first one. */
export const isGivenUp = ({ maxAttempts, maxAgeSeconds }: GivingUp, attempts: number, firstAttemptAt: Date, now: Date): boolean =>
  attempts >= maxAttempts || now.getTime() - firstAttemptAt.getTime() >= maxAgeSeconds * 1_000;

export interface SinkFilter {
  /** Empty: all. */
  readonly types: readonly EventType[];
  readonly projectId: string | null;
  readonly environmentId: string | null;
}

interface Placed {
  readonly type: string;
  readonly projectId: string | null;
  readonly environmentId: string | null;
}

export const wants = ({ types, projectId, environmentId }: SinkFilter, event: Placed): boolean =>
  (types.length === 0 || types.some((type) => type === event.type)) &&
  (projectId === null || projectId === event.projectId) &&
  (environmentId === null || environmentId === event.environmentId);

export interface Standing {
  readonly status: SinkStatus;
  /** In a row, of the sink as a whole. */
  readonly failures: number;
  /** Executions behind. */
  readonly pending: number;
  readonly lagSeconds: number;
}

export function healthOf({ status, failures, pending, lagSeconds }: Standing): SinkHealth {
  if (status === 'paused') return 'paused';
  if (failures >= failingAfter || lagSeconds > failingLagSeconds) return 'failing';
  return failures > 0 || pending > 0 ? 'retrying' : 'healthy';
}

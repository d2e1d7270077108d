// Sinks that the operator configures (`eventSinks`): what they are called, what they take, where they lead. Pure but for opening senders.
import type { EventType } from '../events/catalogue.ts';
import type { SinkKind } from './event-sink.ts';
import { kafkaSender, type KafkaTarget } from './send-kafka.ts';
import { natsSender, type NatsTarget } from './send-nats.ts';
import { redisSender, type RedisTarget } from './send-redis.ts';
import { webhookSender, type WebhookTarget } from './send-webhook.ts';
import type { Sender } from './sender.ts';

export type Target =
  | ({ readonly kind: 'webhook' } & WebhookTarget)
  | ({ readonly kind: 'redis' } & RedisTarget)
  | ({ readonly kind: 'nats' } & NatsTarget)
  | ({ readonly kind: 'kafka' } & KafkaTarget);

export interface OperatorSink {
  readonly name: string;
  readonly target: Target;
  /** Names of tenants; undefined: all. */
  readonly tenants?: readonly string[] | undefined;
  /** Empty: all. */
  readonly types: readonly EventType[];
  /** Where it starts when it is first seen. */
  readonly from: 'now' | 'beginning';
  readonly maxAttempts: number;
  readonly maxAgeSeconds: number;
}

export function openSender(target: Target, deps: Parameters<typeof webhookSender>[1]): Sender {
  switch (target.kind) {
    case 'webhook':
      return webhookSender(target, deps);
    case 'redis':
      return redisSender(target);
    case 'nats':
      return natsSender(target);
    case 'kafka':
      return kafkaSender(target);
  }
}

/** Where it leads, for people: never with credentials. */
export function shownUrl(target: Target): string {
  switch (target.kind) {
    case 'webhook':
      return target.url;
    case 'redis':
      return `${target.url.replace(/\/$/, '')}#${target.stream}`;
    case 'nats':
      return `nats://${target.servers.join(',')}/${target.subject}`;
    case 'kafka':
      return `kafka://${target.brokers.join(',')}/${target.topic}`;
  }
}

export const kindOf = ({ target }: OperatorSink): SinkKind => target.kind;

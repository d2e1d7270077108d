// Publish and subscribe over Redis, for messages that may be lost. Nobody ever waits for Redis and nothing piles up for it; whether messages
// arrive is known by hearing oneself: a heartbeat goes round through Redis, and silence means that others are not heard either.
import { RedisPubSub, type PubSubRedisOptions } from 'graphql-redis-subscriptions';
import { Redis, type RedisOptions } from 'ioredis';
import { newId } from './ids.ts';
import type { Logger } from './logger.ts';

export interface PubSub {
  /** The heartbeat was heard within the last second: what others publish arrives here. */
  readonly isHeard: boolean;
  /** Messages that were not sent because Redis was away or slow. */
  readonly dropped: number;
  /** Sends if Redis is there and keeps up, else drops. Never throws, never waits. */
  publish(channel: string, message: () => object): void;
  /** `listener` hears what anybody publishes, once `onListening` was called; the latter again after each interruption. Returns what ends it. */
  subscribe(channel: string, listener: (message: unknown) => void, onListening?: () => void): () => void;
  /** Called when the heartbeat was lost, and when it is heard again. Returns what ends it. */
  onHeard(listener: (isHeard: boolean) => void): () => void;
  /** Throws while the heartbeat is not heard. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface PubSubSettings {
  readonly url: string;
  /** Before every channel: who shares a Redis, but not a database, must not hear of each other. */
  readonly namespace: string;
  readonly logger: Logger;
  /** Between two heartbeats; milliseconds. */
  readonly beatMs?: number;
}

interface Channel {
  /** Redis has confirmed the subscription on this connection. */
  isOpen: boolean;
  readonly listening: Set<() => void>;
}

/** What may be on the way to Redis at once. */
const maxInFlight = 1_000;
const maxInFlightBytes = 8 * 1024 * 1024;
/** Heartbeats without an echo until others count as unheard, and until the connections are made anew. */
const silentBeats = 4;
const deadBeats = 12;

const connection: RedisOptions = {
  // Whatever cannot be sent now is dropped: no queue for later, no resending.
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  connectTimeout: 2_000,
  disconnectTimeout: 100,
  retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1_000) + Math.floor(Math.random() * 100),
};

export function createPubSub({ url, namespace, logger, beatMs = 250 }: PubSubSettings): PubSub {
  const publisher = new Redis(url, { ...connection, connectionName: 'signalbox-publisher' });
  const subscriber = new Redis(url, { ...connection, connectionName: 'signalbox-subscriber' });
  for (const redis of [publisher, subscriber]) redis.on('error', (err) => logger.debug({ err }, 'the connection to Redis failed'));

  const channels = new Map<string, Channel>();
  const told = new Set<(isHeard: boolean) => void>();
  const beatChannel = `${namespace}:beat:${newId()}`;
  let missed = 0;
  let isHeard = false;
  let inFlight = 0;
  let inFlightBytes = 0;
  let dropped = 0;
  let closed = false;

  /** Subscribed by one command, the heartbeat's channel last: its echo says that all of them are. */
  function listen(names: readonly string[]): void {
    if (subscriber.status !== 'ready') return; // all are asked for when it is
    const { stream } = subscriber;
    const confirmed = () => {
      if (stream !== subscriber.stream) return;
      for (const channel of names.flatMap((name) => channels.get(name) ?? [])) {
        channel.isOpen = true;
        for (const tell of channel.listening) tell();
      }
    };
    subscriber.subscribe(...names).then(confirmed, (err: unknown) => logger.debug({ err }, 'Redis did not take a subscription'));
  }
  subscriber.on('ready', () => listen([...[...channels.keys()].filter((name) => name !== beatChannel), beatChannel]));
  subscriber.on('close', () => {
    for (const channel of channels.values()) channel.isOpen = false;
  });

  // RedisPubSub neither catches what `unsubscribe` rejects with, nor gets over a `subscribe` that fails (both would end the process), and
  // an `unsubscribe` before the answer leaves a hole in its map. So it is told at once that all is well, and `listen` sees to it.
  const steady = {
    on: (event: string, listener: (...args: unknown[]) => void) => subscriber.on(event, listener),
    subscribe(channel: string, done: (err: null) => void) {
      done(null);
      listen([channel]);
    },
    unsubscribe(channel: string) {
      if (subscriber.status === 'ready') subscriber.unsubscribe(channel).catch(() => undefined);
    },
    punsubscribe() {},
  };
  // Its types are those of ioredis 5; what it calls is the same in 6.
  const clients = { publisher, subscriber: steady } as unknown as PubSubRedisOptions;
  const pubSub = new RedisPubSub({ ...clients, serializer: (text: string) => text });

  function send(channel: string, message: () => string): void {
    const text = closed || publisher.status !== 'ready' || inFlight >= maxInFlight ? null : message();
    if (text === null || inFlightBytes + text.length > maxInFlightBytes) {
      dropped++;
      return;
    }
    const bytes = text.length;
    inFlight++;
    inFlightBytes += bytes;
    pubSub
      .publish(channel, text)
      .catch(() => void dropped++)
      .finally(() => {
        inFlight--;
        inFlightBytes -= bytes;
      });
  }

  function subscribe(name: string, listener: (message: unknown) => void, onListening: () => void): () => void {
    const channel = channels.get(name) ?? { isOpen: false, listening: new Set() };
    channels.set(name, channel);
    channel.listening.add(onListening);
    if (channel.isOpen) queueMicrotask(onListening);
    let left = false;
    const id = pubSub.subscribe(name, (message: unknown) => {
      if (left) return;
      try {
        listener(message);
      } catch (err) {
        logger.error({ err, channel: name }, 'a message from Redis could not be handled');
      }
    });
    return () => {
      if (left) return;
      left = true;
      void id.then((number) => {
        channel.listening.delete(onListening);
        if (channel.listening.size === 0) channels.delete(name);
        pubSub.unsubscribe(number);
      });
    };
  }

  function turn(now: boolean): void {
    if (now === isHeard || closed) return;
    isHeard = now;
    if (now) logger.info({ dropped }, 'Redis is heard');
    else logger.warn({ dropped }, 'Redis is not heard: changes of other processes are looked for in Postgres');
    for (const tell of told) tell(now);
  }

  subscribe(
    beatChannel,
    () => {
      missed = 0;
      turn(true);
    },
    // At once, not at the next beat: whoever waits for this process to hear waits less.
    () => send(beatChannel, () => '1'),
  );
  const timer = setInterval(() => {
    missed++;
    if (missed === silentBeats && !isHeard) logger.warn('Redis is not heard: changes of other processes are looked for in Postgres');
    if (missed >= silentBeats) turn(false);
    // Frozen, or half gone: a connection that is there and says nothing. One that is being made comes by itself.
    if (missed % deadBeats === 0) {
      for (const redis of [publisher, subscriber]) if (redis.status === 'ready' || redis.status === 'connect') redis.disconnect(true);
    }
    send(beatChannel, () => '1');
  }, beatMs);
  timer.unref();

  return {
    get isHeard() {
      return isHeard;
    },
    get dropped() {
      return dropped;
    },
    publish: (channel, message) => send(`${namespace}:${channel}`, () => JSON.stringify(message())),
    subscribe: (channel, listener, onListening = () => undefined) => subscribe(`${namespace}:${channel}`, listener, () => onListening()),
    onHeard(listener) {
      told.add(listener);
      return () => void told.delete(listener);
    },
    async check() {
      if (!isHeard) throw new Error('the heartbeat through Redis is not heard');
    },
    async close() {
      closed = true;
      clearInterval(timer);
      await Promise.all([publisher, subscriber].map(end));
    },
  };
}

async function end(redis: Redis): Promise<void> {
  const isOpen = ['connecting', 'connect', 'ready'].includes(redis.status);
  // Not `once` of events: a connection that breaks while it is being closed says so by an error, and is closed.
  const ended = isOpen && new Promise<void>((resolve) => redis.once('end', () => resolve()));
  redis.disconnect();
  await ended;
}

// Events as entries of a Redis stream: XADD with the fields `id` and `event`.
import { Redis } from 'ioredis';
import { connection, type Sender } from './sender.ts';

export interface RedisTarget {
  /** redis:// or rediss://, without credentials. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly stream: string;
  /** About so many entries are kept; all of them when left out. */
  readonly maxLength?: number | undefined;
}

const connectTimeoutMs = 5_000;

export function redisSender({ url, username, password, stream, maxLength }: RedisTarget): Sender {
  const trimmed = maxLength === undefined ? [] : ['MAXLEN', '~', maxLength];
  const redis = connection(
    async () => {
      const client = new Redis(url, {
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password }),
        connectionName: 'signalbox-events',
        lazyConnect: true,
        enableOfflineQueue: false,
        maxRetriesPerRequest: 0,
        connectTimeout: connectTimeoutMs,
        retryStrategy: () => null,
      });
      client.on('error', () => undefined); // the command that fails says why
      await client.connect().catch((error: unknown) => {
        client.disconnect();
        throw error;
      });
      return client;
    },
    (client) => client.disconnect(),
  );
  return {
    async send({ id, body }, signal) {
      const fields = ['id', id, 'event', body];
      await redis.use(signal, (client) => client.call('XADD', [stream, ...trimmed, '*', ...fields]));
    },
    close: () => redis.close(),
  };
}

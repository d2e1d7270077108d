// Events as records of a Kafka topic, acknowledged by all replicas in sync. Key: the execution, so that its events share a partition.
import type { GenericError, SASLOptions } from '@platformatic/kafka';
import { cloudEventContentType } from './cloud-event.ts';
import { sinkLimits } from './event-sink.ts';
import { connection, type Sender } from './sender.ts';

export interface KafkaTarget {
  /** host:port each. */
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly tls: boolean;
  readonly sasl?: Pick<SASLOptions, 'mechanism' | 'username' | 'password'> | undefined;
}

const connectTimeoutMs = 5_000;

/** What a broker answers of the record itself. The library's own errors nest, and look for it in each other. */
const isRefused = (error: unknown): boolean =>
  error instanceof Error &&
  'findBy' in error &&
  ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD'].some((id) => (error as GenericError).findBy('apiId', id));

export function kafkaSender({ brokers, topic, tls, sasl }: KafkaTarget): Sender {
  const kafka = connection(
    async () => {
      // Only once it is needed: it takes longer to load than all the rest of a process.
      const { Producer } = await import('@platformatic/kafka');
      return new Producer({
        clientId: 'signalbox-events',
        bootstrapBrokers: [...brokers],
        ...(tls && { tls: {} }),
        ...(sasl && { sasl }),
        retries: 0,
        connectTimeout: connectTimeoutMs,
        timeout: sinkLimits.timeoutMs,
      });
    },
    (producer) => producer.close(true),
    isRefused,
  );
  const headers = new Map([[Buffer.from('content-type'), Buffer.from(cloudEventContentType)]]);
  return {
    async send({ executionId, body }, signal) {
      const message = { topic, key: Buffer.from(executionId), value: Buffer.from(body), headers };
      await kafka.use(signal, (producer) => producer.send({ messages: [message], acks: -1 }));
    },
    close: () => kafka.close(),
  };
}

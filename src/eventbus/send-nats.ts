// Events as messages of NATS JetStream: subject `<prefix>.<tenant id>.<type>`, de-duplicated there by Nats-Msg-Id.
import { jetstream, JetStreamApiError } from '@nats-io/jetstream';
import { connect, headers, InvalidArgumentError } from '@nats-io/transport-node';
import { cloudEventContentType } from './cloud-event.ts';
import { sinkLimits } from './event-sink.ts';
import { connection, type Sender } from './sender.ts';

export interface NatsTarget {
  /** host:port each. */
  readonly servers: readonly string[];
  /** Begins every subject; a stream of JetStream has to take `<subject>.>`. */
  readonly subject: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  readonly tls: boolean;
}

const connectTimeoutMs = 5_000;

/** For the server (`max_payload`, which the library checks), or for the stream (`max_msg_size`: answered with this code of JetStream). */
const isTooLarge = (error: unknown): boolean =>
  error instanceof InvalidArgumentError || (error instanceof JetStreamApiError && error.code === 10_054);

export function natsSender({ servers, subject, user, password, token, tls }: NatsTarget): Sender {
  const nats = connection(
    async () => {
      const client = await connect({
        servers: [...servers],
        ...(user !== undefined && { user }),
        ...(password !== undefined && { pass: password }),
        ...(token !== undefined && { token }),
        ...(tls && { tls: {} }),
        name: 'signalbox-events',
        reconnect: false,
        timeout: connectTimeoutMs,
      });
      return { client, stream: jetstream(client) };
    },
    ({ client }) => client.close(),
    isTooLarge,
  );
  const contentType = headers();
  contentType.set('Content-Type', cloudEventContentType);
  return {
    async send({ id, tenantId, type, body }, signal) {
      const options = { msgID: id, headers: contentType, timeout: sinkLimits.timeoutMs };
      await nats.use(signal, ({ stream }) => stream.publish(`${subject}.${tenantId}.${type}`, body, options));
    },
    close: () => nats.close(),
  };
}

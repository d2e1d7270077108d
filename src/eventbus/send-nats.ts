// Events as messages of NATS JetStream: subject `<prefix>.<tenant id>.<type>`, de-duplicated there by Nats-Msg-Id.
import { jetstream } from '@nats-io/jetstream';
import { connect, headers } from '@nats-io/transport-node';
import { cloudEventContentType } from './cloud-event.ts';
import { sinkLimits } from './event-sink.ts';
import { connection, sendErrorOf, type Sender } from './sender.ts';

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
  );
  const contentType = headers();
  contentType.set('Content-Type', cloudEventContentType);
  return {
    async send({ id, tenantId, type, body }, signal) {
      const options = { msgID: id, headers: contentType, timeout: sinkLimits.timeoutMs };
      await nats
        .use(signal, ({ stream }) => stream.publish(`${subject}.${tenantId}.${type}`, body, options))
        .catch((error: unknown) => {
          throw sendErrorOf(error, (message) => /max.?(imum)? payload/i.test(message));
        });
    },
    close: () => nats.close(),
  };
}

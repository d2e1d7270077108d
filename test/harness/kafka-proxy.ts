// Between a client of Kafka and its one broker, which it is taken for: answers to Produce get lost, or say what the test wants.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface KafkaProxy {
  /** host:port, for clients. */
  readonly broker: string;
  /** What becomes of the next answers to Produce, in turn: the connection is cut in their stead, or they carry an error. */
  readonly answers: ('cut' | { readonly code: number })[];
  /** So far, those that are over included. */
  readonly connections: number;
  close(): Promise<void>;
}

const [produce, metadata] = [0, 3];
const integer = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

export async function kafkaProxy(broker: string, topic: string): Promise<KafkaProxy> {
  const [host, brokerPort] = [broker.split(':')[0]!, Number(broker.split(':')[1])];
  const open = new Set<Socket>();
  const answers: KafkaProxy['answers'][number][] = [];
  let connections = 0;

  const server = createServer((client) => {
    connections += 1;
    const upstream = connect(brokerPort, host);
    const asked = new Map<number, { readonly api: number; readonly version: number }>();
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    onFrames(client, (frame) => {
      asked.set(frame.readInt32BE(8), { api: frame.readInt16BE(4), version: frame.readInt16BE(6) });
      upstream.write(frame);
    });
    onFrames(upstream, (frame) => {
      const { api, version } = asked.get(frame.readInt32BE(4))!;
      // Where clients are to go on is a string and a port, in all versions.
      const place = frame.indexOf(Buffer.concat([Buffer.from(host), integer(brokerPort)]));
      if (api === metadata && place >= 0) frame.writeInt32BE((server.address() as AddressInfo).port, place + host.length);
      const answer = api === produce ? answers.shift() : undefined;
      if (answer === 'cut') return void client.destroy();
      // The topic, one partition: how many, which, its error.
      if (answer) frame.writeInt16BE(answer.code, frame.indexOf(topic) + topic.length + (version >= 9 ? 1 : 4) + 4);
      client.write(frame);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    broker: `${host}:${(server.address() as AddressInfo).port}`,
    answers,
    get connections() {
      return connections;
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Each with its length in front. */
function onFrames(socket: Socket, take: (frame: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (let end = 4; rest.length >= 4 && rest.length >= (end = 4 + rest.readInt32BE(0)); rest = rest.subarray(end)) {
      take(Buffer.from(rest.subarray(0, end)));
    }
  });
}

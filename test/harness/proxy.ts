// A TCP proxy that is a bad network: cuts connections after as many bytes as the test says, refuses, freezes, changes its target.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Proxy {
  readonly port: number;
  /** New connections go to this port. */
  target: number;
  /** Bytes from the server after which the next connection is cut; infinite when it answers nothing else. */
  bytesToLive: () => number;
  /** New connections are closed at once. */
  refuses: boolean;
  /** Connections so far. */
  readonly connections: number;
  /** Cuts every connection now. */
  cut(): void;
  /** Ends one of the connections, chosen by a number in [0, 1); false when there is none. Half-closed: only one side hears of the end. */
  cutOne(choice: number, how: Cut): boolean;
  /** Passes nothing on any more, in either direction, on the connections there are. */
  freeze(): void;
  close(): Promise<void>;
}

export const cuts = ['reset', 'half-closed to the client', 'half-closed to the server'] as const;
export type Cut = (typeof cuts)[number];

export async function createProxy(target: number): Promise<Proxy> {
  const open = new Set<Socket>();
  const pairs = new Set<{ readonly client: Socket; readonly upstream: Socket }>();
  let connections = 0;
  const server = createServer((client) => {
    if (proxy.refuses) return void client.resetAndDestroy();
    connections++;
    let left = proxy.bytesToLive();
    const upstream = connect(proxy.target, '127.0.0.1');
    const pair = { client, upstream };
    upstream.once('connect', () => pairs.add(pair));
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        pairs.delete(pair);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => void upstream.write(chunk));
    upstream.on('data', (chunk) => {
      left -= chunk.length;
      client.write(left >= 0 ? chunk : chunk.subarray(0, chunk.length + left));
      if (left < 0) client.destroySoon();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: Proxy = {
    port: (server.address() as AddressInfo).port,
    target,
    bytesToLive: () => Number.POSITIVE_INFINITY,
    refuses: false,
    get connections() {
      return connections;
    },
    cut() {
      for (const socket of open) socket.resetAndDestroy();
    },
    cutOne(choice, how) {
      const pair = [...pairs][Math.floor(choice * pairs.size)];
      if (!pair) return false;
      pairs.delete(pair);
      if (how === 'half-closed to the client') pair.client.end();
      else if (how === 'half-closed to the server') pair.upstream.end();
      else for (const socket of [pair.client, pair.upstream]) socket.resetAndDestroy();
      return true;
    },
    freeze() {
      for (const socket of open) {
        socket.removeAllListeners('data');
        socket.on('data', () => undefined);
      }
    },
    async close() {
      proxy.cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

/** Repeatable random numbers in [0, 1): mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

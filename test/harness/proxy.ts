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
  /** Passes nothing on any more, in either direction, on the connections there are. */
  freeze(): void;
  close(): Promise<void>;
}

export async function createProxy(target: number): Promise<Proxy> {
  const open = new Set<Socket>();
  let connections = 0;
  const server = createServer((client) => {
    if (proxy.refuses) return void client.resetAndDestroy();
    connections++;
    let left = proxy.bytesToLive();
    const upstream = connect(proxy.target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
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

// Many who watch the same, each on a WebSocket of its own, and perhaps one that reads a byte a second. Counts what arrives and how late.
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { serveContender } from '../protocol.ts';

export interface CrowdSetup {
  /** Of the WebSocket. */
  readonly url: string;
  readonly key: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

const protocol = 'graphql-transport-ws';

serveContender(async ({ url, key, query, variables }: CrowdSetup) => {
  const init = JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } });
  const subscribe = (id: number) => JSON.stringify({ id: String(id), type: 'subscribe', payload: { query, variables } });
  const sockets: WebSocket[] = [];
  let arrived = 0;
  let lateness: number[] = [];
  let slow: Socket | null = null;

  /** Of the last event in it: from before it was committed until now; milliseconds. */
  function note(text: string): void {
    const at = text.lastIndexOf('"occurredAt":"');
    if (at < 0) return;
    arrived += 1;
    lateness.push(Date.now() - Date.parse(text.slice(at + 14, text.indexOf('"', at + 14))));
  }

  const open = () =>
    new Promise<void>((resolve, reject) => {
      const socket = new WebSocket(url, protocol);
      sockets.push(socket);
      socket.on('open', () => socket.send(init));
      socket.on('error', reject);
      socket.on('close', (code, reason) => reject(new Error(`closed with ${code} ${String(reason)}`)));
      socket.on('message', (data) => {
        const text = String(data);
        if (text === '{"type":"connection_ack"}') {
          socket.send(subscribe(1));
        } else if (text.includes('"errors":')) reject(new Error(text));
        else {
          note(text);
          resolve(); // the first batch says that it watches
        }
      });
    });

  /** Watches the same that often on one socket, so that it soon has more to read than kernels keep for it. */
  function openSlow(subscriptions: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const { hostname, port, pathname } = new URL(url);
      const key64 = Buffer.alloc(16, 7).toString('base64');
      const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': key64, 'sec-websocket-protocol': protocol }; // prettier-ignore
      const asking = request({ hostname, port, path: pathname, headers });
      asking.on('error', reject);
      asking.on('upgrade', (_response, socket: Socket) => {
        slow = socket;
        const say = (text: string) => socket.write(frameOf(text));
        socket.on('error', () => undefined);
        say(init);
        socket.once('data', () => {
          socket.pause();
          for (let id = 1; id <= subscriptions; id++) say(subscribe(id));
          setInterval(() => socket.read(1), 1_000).unref();
          resolve();
        });
      });
      asking.end();
    });
  }

  return {
    begin: async () => undefined,
    async ask(question, input) {
      if (question === 'slow') return openSlow((input as { count: number }).count);
      if (question === 'open') {
        await Promise.all(Array.from({ length: (input as { count: number }).count }, open));
        return null;
      }
      if (question === 'forget') {
        [arrived, lateness] = [0, []];
        return null;
      }
      if (question === 'lateness') return lateness;
      const { count } = input as { count: number };
      while (arrived < count) await delay(2);
      return null;
    },
    async close() {
      for (const socket of sockets) socket.terminate();
      slow?.destroy();
    },
  };
});

/** A text frame as clients send them, masked with zeros. */
function frameOf(text: string): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0]);
  return Buffer.concat([head, payload]);
}

// Many who watch, each on a WebSocket of its own, and perhaps one that reads a byte a second. Counts what arrives and how late.
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
  /** Ids of executions: the first who watches has the first one, and so on. */
  readonly watched: readonly string[];
}

/** How the gateway has ended a connection; nulls when without a word. */
export interface Closing {
  readonly code: number | null;
  readonly reason: string | null;
}

const protocol = 'graphql-transport-ws';

serveContender(async ({ url, key, query, watched }: CrowdSetup) => {
  const init = JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } });
  const subscribe = (id: number, execution: string, after: string | null) =>
    JSON.stringify({ id: String(id), type: 'subscribe', payload: { query, variables: { id: execution, after } } });
  const sockets: WebSocket[] = [];
  let arrived = 0;
  let lateness: number[] = [];
  /** The last batch that came. */
  let newest = '';
  let slow: { readonly socket: Socket; readonly trickle: NodeJS.Timeout; readonly came: Buffer[] } | null = null;

  /** Of the last event in it: from before it was committed until now; milliseconds. */
  function note(text: string): void {
    const at = text.lastIndexOf('"occurredAt":"');
    if (at < 0) return;
    arrived += 1;
    newest = text;
    lateness.push(Date.now() - Date.parse(text.slice(at + 14, text.indexOf('"', at + 14))));
  }

  const open = () =>
    new Promise<void>((resolve, reject) => {
      const socket = new WebSocket(url, protocol);
      const execution = watched[sockets.length % watched.length]!;
      sockets.push(socket);
      socket.on('open', () => socket.send(init));
      socket.on('error', reject);
      socket.on('close', (code, reason) => reject(new Error(`closed with ${code} ${String(reason)}`)));
      socket.on('message', (data) => {
        const text = String(data);
        if (text === '{"type":"connection_ack"}') {
          socket.send(subscribe(1, execution, null));
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
        const came: Buffer[] = [];
        const after = /"cursor":"([^"]*)"/.exec(newest)?.[1] ?? null;
        const say = (text: string) => socket.write(frameOf(text));
        socket.on('error', () => undefined);
        const takeOne = () => {
          const byte = socket.read(1) as Buffer | null;
          if (byte) came.push(byte);
        };
        let isLetIn = false;
        // From now on, not from the beginning; slow from when each of its subscriptions has said by a first batch that it watches.
        const listen = (data: Buffer) => {
          came.push(data);
          const batches = Buffer.concat(came).toString().split('"type":"next"').length - 1;
          if (!isLetIn) for (let id = 1; id <= subscriptions; id++) say(subscribe(id, watched[0]!, after));
          isLetIn = true;
          if (batches < subscriptions) return;
          socket.off('data', listen);
          socket.pause();
          slow = { socket, came, trickle: setInterval(takeOne, 1_000).unref() };
          resolve();
        };
        socket.on('data', listen);
        say(init);
      });
      asking.end();
    });
  }

  /** The slow one reads on, to its end. */
  function readOn(): Promise<Closing> {
    const { socket, trickle, came } = slow!;
    clearInterval(trickle);
    return new Promise((resolve) => {
      let rest = Buffer.concat(came);
      const ended = (closing: Closing) => {
        socket.destroy();
        resolve(closing);
      };
      socket.on('close', () => ended({ code: null, reason: null }));
      socket.on('data', (data: Buffer) => {
        rest = Buffer.concat([rest, data]);
        for (let frame = firstFrame(rest); frame; frame = firstFrame(rest)) {
          rest = rest.subarray(frame.length);
          const { payload } = frame;
          if (frame.opcode === closeFrame) return ended({ code: payload.readUInt16BE(), reason: String(payload.subarray(2)) });
        }
      });
      socket.resume();
    });
  }

  return {
    begin: async () => undefined,
    async ask(question, input) {
      if (question === 'slow') return openSlow((input as { count: number }).count);
      if (question === 'readOn') return readOn();
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
      slow?.socket.destroy();
    },
  };
});

/** A text frame as clients send them, masked with zeros. */
function frameOf(text: string): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0]);
  return Buffer.concat([head, payload]);
}

const closeFrame = 8;

/** A frame as servers send them, not masked, once all of it is there. */
function firstFrame(bytes: Buffer): { opcode: number; payload: Buffer; length: number } | null {
  const head = [126, 127].indexOf(bytes[1]!) + 1; // its length is in further 2 or 8 bytes
  const from = [2, 4, 10][head]!;
  if (bytes.length < from) return null;
  const size = head === 0 ? bytes[1]! : head === 1 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < from + size) return null;
  return { opcode: bytes[0]! & 0x0f, payload: bytes.subarray(from, from + size), length: from + size };
}

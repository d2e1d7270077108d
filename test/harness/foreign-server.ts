// Servers of strangers, on this machine: HTTP with a handler, TLS with a certificate for "pinned.test", or bare bytes. They count what arrives.
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export interface ForeignServer {
  readonly port: number;
  /** `http://127.0.0.1:<port>`, or https. */
  readonly origin: string;
  readonly requests: readonly {
    readonly method: string;
    readonly url: string;
    readonly headers: IncomingMessage['headers'];
    readonly body: string;
  }[];
  readonly connections: number;
  /** Resolves once no connection is open. */
  quiet(): Promise<void>;
}

const tlsFile = (name: string) => readFileSync(join(import.meta.dirname, 'tls', name), 'utf8');
/** Signs itself, for the name pinned.test only. */
export const testCertificate = tlsFile('pinned.test.cert.pem');

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** Reads each request to its end, then lets `answer` respond. */
export async function foreignServer(t: TestContext, answer: Answer, { tls = false, host = '127.0.0.1' } = {}): Promise<ForeignServer> {
  const requests: ForeignServer['requests'][number][] = [];
  const listener: RequestListener = (request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      requests.push({ method: request.method!, url: request.url!, headers: request.headers, body });
      answer(request, response, body);
    });
    request.on('error', () => undefined);
  };
  const server = tls
    ? createHttpsServer({ key: tlsFile('pinned.test.key.pem'), cert: testCertificate }, listener)
    : createHttpServer(listener);
  return Object.assign(await listen(t, server, host, tls), { requests });
}

/** Writes what `speak` says to whoever connects. */
export async function bareServer(t: TestContext, speak: (socket: Socket) => void): Promise<ForeignServer> {
  return Object.assign(
    await listen(
      t,
      createTcpServer((socket) => speak(socket.resume())),
      '127.0.0.1',
      false,
    ),
    { requests: [] },
  );
}

async function listen(t: TestContext, server: Server, host: string, tls: boolean) {
  const open = new Set<Socket>();
  let connections = 0;
  let whenQuiet: (() => void)[] = [];
  server.on('connection', (socket) => {
    connections += 1;
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      open.delete(socket);
      if (open.size > 0) return;
      for (const resolve of whenQuiet) resolve();
      whenQuiet = [];
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  t.after(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
    quiet: () => (open.size === 0 ? Promise.resolve() : new Promise<void>((resolve) => whenQuiet.push(resolve))),
  };
}

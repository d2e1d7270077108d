// Refusals before there is a request that a server could answer: written to the connection, which ends with them.
import type { Duplex } from 'node:stream';
import type { GatewayLimits } from './limits.ts';

export interface RawError {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

/** `status` with its text, such as `404 Not Found`. */
export function answerRaw(socket: Duplex, status: string, error: RawError, headers: readonly string[] = []): void {
  const body = JSON.stringify({ errors: [error] });
  const head = [`HTTP/1.1 ${status}`, 'Connection: close', 'Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`];
  socket.once('finish', () => socket.destroy());
  socket.end(`${[...head, ...headers].join('\r\n')}\r\n\r\n${body}`);
}

/** What node could not read as a request at all, or did not want to wait for; `inBody` when it has read the head. */
export function refuseUnread(socket: Duplex, { code }: NodeJS.ErrnoException, limits: GatewayLimits, inBody: boolean): void {
  if (code === 'ECONNRESET' || socket.destroyed || !socket.writable) return void socket.destroy();
  const { httpHeaderBytes, httpHeadersTimeoutMs, httpRequestTimeoutMs } = limits;
  const [late, mayTake, limitName] = inBody
    ? (['the request', httpRequestTimeoutMs, 'httpRequestTimeoutMs'] as const)
    : (['the head of the request', httpHeadersTimeoutMs, 'httpHeadersTimeoutMs'] as const);
  const limit = (name: string, allowed: number) => ({ code: 'LIMIT_EXCEEDED', limit: { name, allowed } });
  const answers: Record<string, { status: string; message: string; extensions: Record<string, unknown> }> = {
    HPE_HEADER_OVERFLOW: {
      status: '431 Request Header Fields Too Large',
      message: `the head of the request is larger than ${httpHeaderBytes} bytes; send values in the body`,
      extensions: limit('httpHeaderBytes', httpHeaderBytes),
    },
    ERR_HTTP_REQUEST_TIMEOUT: {
      status: '408 Request Timeout',
      message: `${late} did not arrive in time: it may take ${mayTake} ms`,
      extensions: limit(limitName, mayTake),
    },
  };
  const { status, message, extensions } = answers[code ?? ''] ?? {
    status: '400 Bad Request',
    message: 'this is not a request of HTTP/1.1',
    extensions: { code: 'BAD_REQUEST' },
  };
  answerRaw(socket, status, { message, extensions });
}

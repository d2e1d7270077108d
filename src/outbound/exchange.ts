// One exchange with one server: sends a hop through a guarded dispatcher and names what went wrong. Follows nothing.
import { fetch as send, type Dispatcher } from 'undici'; // connects where it is told, streams, decompresses
import { failure, OutboundError, type OutboundFailure } from './outbound.ts';
import type { Hop } from './request.ts';

export interface ExchangeLimits {
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxBytes: number;
}

export interface Exchange {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  /** Decompressed; counts bytes and errors with OutboundError. Null when the response has none. */
  readonly body: ReadableStream<Uint8Array> | null;
  /** Gives the connection back when the body is not wanted. */
  discard(): Promise<void>;
}

/** Rejects with OutboundError, or with the signal's reason (completed when that is an OutboundError). */
export async function exchange(
  dispatcher: Dispatcher,
  hop: Hop,
  { headersTimeoutMs, idleTimeoutMs, maxBytes }: ExchangeLimits,
  signal: AbortSignal,
): Promise<Exchange> {
  let dispatched = false;
  let received = 0;
  // What compression can save is bounded by `maxBytes`; what it can waste (empty blocks without end) by this.
  const maxReceived = 2 * maxBytes + 65_536;
  let asked = false;
  const tracked = dispatcher.compose((dispatch) => (options, handler) => {
    // `fetch` asks once more after a 421 (WHATWG: the connection may be to blame). Here one attempt is one request.
    if (asked)
      throw new OutboundError(failure('OUTBOUND_BAD_RESPONSE', `${hop.url.host} answered 421: it is not where this request belongs`));
    asked = true;
    const tracking: Dispatcher.DispatchHandler = Object.create(handler, {
      onRequestStart: {
        value(this: unknown, ...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestStart']>>) {
          dispatched = true;
          handler.onRequestStart?.call(this as Dispatcher.DispatchHandler, ...args);
        },
      },
      onResponseData: {
        value(this: unknown, controller: Dispatcher.DispatchController, chunk: Buffer) {
          received += chunk.length;
          if (received > maxReceived) controller.abort(tooLarge(maxBytes));
          else handler.onResponseData?.call(this as Dispatcher.DispatchHandler, controller, chunk);
        },
      },
    });
    return dispatch({ ...options, headersTimeout: headersTimeoutMs, bodyTimeout: idleTimeoutMs }, tracking);
  });
  const translate = (error: unknown): unknown => {
    if (!signal.aborted) return errorOf(error, hop.url, dispatched);
    const reason: unknown = signal.reason;
    return reason instanceof OutboundError ? new OutboundError({ ...reason.failure, dispatched }) : reason;
  };
  let response;
  try {
    response = await send(hop.url, {
      method: hop.method,
      headers: { 'user-agent': 'signalbox', ...hop.headers },
      ...(hop.body !== undefined && { body: hop.body }),
      redirect: 'manual',
      dispatcher: tracked,
      signal,
    });
  } catch (error) {
    throw translate(error);
  }
  const { status, statusText, body } = response;
  return {
    status,
    statusText,
    headers: new Headers([...response.headers]),
    body: body && bounded(body as ReadableStream<Uint8Array>, maxBytes, translate),
    discard: async () => body?.cancel().catch(() => undefined),
  };
}

function bounded(body: ReadableStream<Uint8Array>, maxBytes: number, translate: (error: unknown) => unknown): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let bytes = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) return controller.close();
          bytes += value.byteLength;
          if (bytes > maxBytes) throw tooLarge(maxBytes);
          controller.enqueue(value);
        } catch (error) {
          controller.error(translate(error));
          // An unread body would hold its connection open.
          await reader.cancel().catch(() => undefined);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

const tooLarge = (maxBytes: number): OutboundError =>
  new OutboundError(failure('OUTBOUND_TOO_LARGE', `the response is larger than ${maxBytes} bytes`, { dispatched: true }));

/** undici wraps what happened in "fetch failed" or "terminated". */
function errorOf(error: unknown, url: URL, dispatched: boolean): OutboundError {
  const cause = error instanceof TypeError && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof OutboundError) return new OutboundError({ ...cause.failure, dispatched }, error);
  return new OutboundError({ ...failureOf(cause, url), dispatched }, error);
}

const certificateCode = /^(ERR_TLS_CERT|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY|DECRYPT)|HOSTNAME_MISMATCH)/;

function failureOf(error: unknown, { host, port }: URL): OutboundFailure {
  const { code = '', message = String(error), name } = error as { code?: string; message?: string; name?: string };
  const again = { retryable: true };
  if (message === 'bad port') return failure('OUTBOUND_DENIED', `port ${port} is refused: it belongs to another protocol than HTTP`);
  if (certificateCode.test(code)) return failure('OUTBOUND_UNREACHABLE', `the certificate of ${host} is not valid for it (${code})`);
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
      return failure('OUTBOUND_TIMEOUT', `could not connect to ${host} in time`, again);
    case 'UND_ERR_HEADERS_TIMEOUT':
      return failure('OUTBOUND_TIMEOUT', `${host} did not begin to answer in time`, again);
    case 'UND_ERR_BODY_TIMEOUT':
      return failure('OUTBOUND_TIMEOUT', `${host} fell silent in the middle of its answer`, again);
    case 'UND_ERR_HEADERS_OVERFLOW':
    case 'HPE_HEADER_OVERFLOW':
      return failure('OUTBOUND_TOO_LARGE', `the headers that ${host} sent are too large`);
  }
  if (
    name === 'HTTPParserError' ||
    code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' ||
    isDecompression(code) ||
    /content-encodings|bad (upgrade|response)/.test(message)
  ) {
    return failure('OUTBOUND_BAD_RESPONSE', `${host} did not answer with valid HTTP (${code || message})`);
  }
  return failure('OUTBOUND_UNREACHABLE', `the connection to ${host} failed (${code || message})`, again);
}

/** Codes of zlib, Brotli and Zstandard. */
const isDecompression = (code: string): boolean =>
  /^(Z_|ERR_|ZSTD_)/.test(code) && !code.startsWith('ERR_SSL_') && !code.startsWith('ERR_TLS_');

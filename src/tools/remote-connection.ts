// One session with a streamable-HTTP MCP server: the protocol, and what a failure of it means. Every byte goes through the outbound
// guard's session; nothing that a server says of the secrets it was sent gets out of here.
import { AsyncLocalStorage } from 'node:async_hooks';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport, StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema, McpError, ToolListChangedNotificationSchema, type CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { Logger } from 'pino';
import { OutboundError, type Outbound } from '../outbound/outbound.ts';
import { redact, redactAll, remoteLimits, secretsOf, type Endpoint } from './remote.ts';
import { listTools } from './tool-listing.ts';
import type { DescribedTool } from './tool.ts';

export interface RemoteConnection {
  /** Null while the session is usable; then why not. */
  broken(): string | null;
  list(signal: AbortSignal): Promise<DescribedTool[]>;
  /** Rejects with RemoteError, or with McpError when the server answered with an error of the protocol. */
  call(name: string, args: Readonly<Record<string, unknown>>, meta: Record<string, unknown>, signal: AbortSignal): Promise<CallToolResult>;
  /** Ends the session on the server, too, if it answers soon. */
  close(): Promise<void>;
}

export interface RemoteConnectOptions {
  readonly outbound: Pick<Outbound, 'session'>;
  readonly endpoint: Endpoint;
  readonly maxMessageBytes: number;
  readonly logger: Logger;
  /** Bounds the handshake. */
  readonly signal: AbortSignal;
  onToolsChanged(): void;
}

interface RemoteErrorFacts {
  readonly retryable?: boolean;
  readonly dispatched?: boolean;
}

/** The server, or the way to it, failed. `message` is one sentence without secrets; no cause, which could hold them and be logged. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError';
  readonly kind: 'refused' | 'failed' | 'too_large' | 'expired';
  readonly retryable: boolean;
  readonly dispatched: boolean;
  constructor(kind: RemoteError['kind'], message: string, { retryable = false, dispatched = true }: RemoteErrorFacts = {}) {
    super(message);
    this.kind = kind;
    this.retryable = retryable;
    this.dispatched = dispatched;
  }
}

/** What a call waits for besides its answer. */
interface Sending {
  sent: boolean;
  /** The server numbers the events of this stream: the SDK picks it up again. */
  resumable: boolean;
  readonly signal: AbortSignal;
  lost(error: Error): void;
}

// Longer than any timeout of a call: those are kept by the caller's signal.
const noTimeoutMs = 2 ** 31 - 1;
/** What a stream's last bytes may take to become messages. */
const parseMs = 100;
const goodbyeMs = 1_000;
/** A standing stream without events ends after this time, and is opened again. */
const idleTimeoutMs = 300_000;

export async function connectRemote(options: RemoteConnectOptions): Promise<RemoteConnection> {
  const { endpoint, logger, maxMessageBytes } = options;
  const secrets = secretsOf(endpoint.headers);
  // What a server writes may hold what Postgres refuses.
  const clean = (text: string) => redact(text, secrets).toWellFormed().replaceAll('\0', '').slice(0, 500);
  const session = options.outbound.session({
    maxBytes: maxMessageBytes,
    maxRedirects: 0,
    headersTimeoutMs: endpoint.timeoutMs + goodbyeMs,
    idleTimeoutMs: Math.max(idleTimeoutMs, endpoint.timeoutMs + goodbyeMs),
  });
  const sending = new AsyncLocalStorage<Sending>();
  let broken: string | null = null;

  async function watchedFetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const call = sending.getStore();
    const isCall = call !== undefined && !call.sent && init.method === 'POST';
    if (!isCall) return session.fetch(url, init);
    call.sent = true;
    const signal = init.signal ? AbortSignal.any([init.signal, call.signal]) : call.signal;
    const response = await session.fetch(url, { ...init, signal });
    if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
    // The SDK lets a call wait for ever when its stream ends before the answer.
    const onEnd = (error?: Error) => {
      const tell = () => call.lost(error ?? new RemoteError('failed', 'it ended the stream before it answered', { retryable: true }));
      setTimeout(() => call.resumable || tell(), parseMs).unref();
    };
    return new Response(watched(response.body, onEnd), response);
  }

  const transport = new StreamableHTTPClientTransport(new URL(endpoint.url), {
    fetch: watchedFetch,
    requestInit: { headers: Object.fromEntries(endpoint.headers.map(({ name, value }) => [name, value])) },
  });
  const client = new Client({ name: 'signalbox', version: '1' }, { capabilities: {} });
  client.onerror = (error) => {
    logger.debug({ reason: explain(error, clean).message }, 'tool server protocol error');
    if (!error.message.startsWith('Maximum reconnection attempts')) return;
    const call = sending.getStore();
    if (call) call.lost(new RemoteError('failed', 'it ended the stream before it answered', { retryable: true }));
    else broken ??= 'it no longer tells of changes';
  };
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => options.onToolsChanged());

  async function close(): Promise<void> {
    broken ??= 'it was closed';
    const goodbye = transport.terminateSession().catch(() => undefined); // most servers forget sessions by themselves, too
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([goodbye, new Promise((resolve) => (timer = setTimeout(resolve, goodbyeMs)))]);
    clearTimeout(timer);
    await client.close().catch(() => undefined);
    await session.close();
  }
  const explained = (error: unknown): Error => {
    const reason = explain(error, clean);
    if (reason instanceof RemoteError && reason.kind === 'expired') broken ??= reason.message;
    return reason;
  };

  try {
    await client.connect(transport, { signal: options.signal, timeout: noTimeoutMs });
  } catch (error) {
    await close();
    throw options.signal.aborted ? error : explained(error);
  }
  return {
    broken: () => broken,
    async list(signal) {
      try {
        const { tools: maxTools, listBytes: maxBytes } = remoteLimits;
        const clean = <T>(value: T) => redactAll(value, secrets);
        return await listTools(client, { timeoutMs: noTimeoutMs, logger, signal, maxTools, maxBytes, clean });
      } catch (error) {
        throw signal.aborted ? error : explained(error);
      }
    },
    async call(name, args, meta, signal) {
      const { promise: lost, reject } = Promise.withResolvers<never>();
      const entry: Sending = { sent: false, resumable: false, signal, lost: reject };
      try {
        const params = { name, arguments: { ...args }, _meta: meta };
        const answer = sending.run(entry, () =>
          client.request({ method: 'tools/call', params }, CallToolResultSchema, {
            signal,
            timeout: noTimeoutMs,
            onresumptiontoken: () => (entry.resumable = true),
          }),
        );
        return redactAll(await Promise.race([answer, lost]), secrets);
      } catch (error) {
        throw explained(error);
      }
    },
    close,
  };
}

/** The same bytes; `onEnd` hears when there are no more, and why. */
function watched(body: ReadableStream<Uint8Array>, onEnd: (error?: Error) => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
        onEnd();
      } catch (error) {
        controller.error(error);
        onEnd(error as Error);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** Statuses with which a server says that it has not looked at the request. */
const untouched = [401, 403, 404, 405, 429];
const passing = [408, 425, 429, 500, 502, 503, 504];

function explain(error: unknown, clean: (text: string) => string): Error {
  if (error instanceof RemoteError) return error;
  if (error instanceof OutboundError) {
    const { code, message, retryable, dispatched } = error.failure;
    const kind =
      code === 'OUTBOUND_TOO_LARGE'
        ? 'too_large'
        : ['OUTBOUND_DENIED', 'INVALID_URL', 'INVALID_REQUEST'].includes(code)
          ? 'refused'
          : 'failed';
    return new RemoteError(kind, clean(message), { retryable, dispatched });
  }
  if (error instanceof StreamableHTTPError && error.code !== undefined && error.code > 0) {
    const { code } = error;
    // Not the whole target: it may repeat what it was sent, encoded.
    const target = /Redirect to (\S+) not followed/.exec(error.message)?.[1];
    const redirect = target && URL.canParse(target) ? `a redirect to ${new URL(target).origin} is not followed` : '';
    const advice = redirect || (code === 401 || code === 403 ? 'look at the headers it is registered with' : '');
    const message = clean(`it answered HTTP ${code}${advice && `: ${advice}`}`);
    // Many servers say 400 where the protocol wants 404 for a session they do not know (any more).
    const expired = code === 404 || (code === 400 && /session/i.test(error.message));
    const dispatched = !expired && !untouched.includes(code);
    return new RemoteError(expired ? 'expired' : 'failed', message, {
      retryable: expired || passing.includes(code),
      dispatched,
    });
  }
  if (error instanceof McpError) return new McpError(error.code, clean(error.message).replace(/^(MCP error -?\d+: )+/, ''), undefined);
  const { name, message } = error as Error;
  if (name.includes('ZodError') || error instanceof SyntaxError || error instanceof StreamableHTTPError) {
    return new RemoteError('failed', 'it did not answer as an MCP server does', { retryable: true });
  }
  return new RemoteError('failed', clean(message), { retryable: true });
}

// One subscription as an async iterator that survives its connections: it subscribes again with the cursor of the last batch it received.
import { fromGraphQL, SignalboxClientError, type GraphQLErrorEntry } from './errors.ts';

export interface RetryOptions {
  /** Delay before the first try again; doubles with each failure in a row, half of it random. Default 250. */
  readonly initialMs: number;
  /** Default 10,000. */
  readonly maxMs: number;
  /** Failures in a row after which the stream ends with the last error. Before the first connection at most 8. Default: no limit. */
  readonly attempts: number;
}

export interface SubscribeOptions {
  /** Ends the stream; the iteration rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** The connection was lost and is asked for again; the stream goes on by itself. */
  readonly onInterrupted?: ((error: SignalboxClientError) => void) | undefined;
}

/** The socket that all streams of a client share. */
export interface Socket {
  subscribe(
    payload: { query: string; variables: Record<string, unknown>; extensions?: Record<string, unknown> },
    sink: { next(result: unknown): void; error(error: unknown): void; complete(): void },
  ): () => void;
  /** It was connected at least once: the address and the credential are good. */
  wasConnected(): boolean;
}

export interface StreamOptions<Batch> extends SubscribeOptions {
  readonly socket: Socket;
  readonly url: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly retry: RetryOptions;
  /** The credential is asked for anew with each connection, so an expired one is worth another try. */
  readonly freshCredentials: boolean;
  /** What is given to the consumer of a result's `data`. */
  batchOf(data: Record<string, unknown>): Batch;
  onOpen(stream: Stream<Batch>): void;
  onEnd(stream: Stream<Batch>): void;
}

/** Ends when the server says so; throws SignalboxClientError when trying again cannot help. */
export interface Stream<Batch> extends AsyncIterableIterator<Batch, undefined, undefined> {
  /** Also what leaving a `for await` does. Never waits. */
  return(): Promise<IteratorReturnResult<undefined>>;
  [Symbol.asyncIterator](): Stream<Batch>;
}

const firstConnectionAttempts = 8;
/** What says nothing against asking again. */
const passing: ReadonlySet<string> = new Set(['NETWORK', 'UNAVAILABLE', 'SLOW_CONSUMER', 'RATE_LIMITED']);
/** A timer that is to take longer fires at once. */
const longestTimerMs = 2 ** 31 - 1;
const credentialAttempts = 2;
const internalAttempts = 5;
/** Batches received ahead of the consumer; at this many the subscription rests and is resumed with its cursor. */
const maxAhead = 256;
/** The same without a cursor, where nothing can be resumed: the stream ends. */
const maxAheadWithoutCursor = 10_000;

export function openStream<Batch>(options: StreamOptions<Batch>): Stream<Batch> {
  const { socket, url, query, retry, signal } = options;
  const resumable = /\$after\b/.test(query);
  // graphql-ws sends the same object again when a socket was closed normally, so the cursor is kept in it.
  const payload = { query, variables: { ...options.variables } };
  const ahead: Batch[] = [];
  const waiting: Waiting<Batch>[] = [];
  let leave: (() => void) | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let hasCursor = false;
  let over: { readonly error: unknown } | 'complete' | null = null;

  function open(): void {
    timer = undefined;
    // Each subscription has a life of its own: what a left one still says is not heard.
    let current = true;
    const stopHearing = () => (current = false);
    const dispose = socket.subscribe(payload, {
      next: (result) => current && received(result as ExecutionResult),
      error: (error) => current && failed(toError(error, url)),
      complete: () => current && end('complete'),
    });
    leave = () => {
      stopHearing();
      dispose();
    };
  }

  function rest(): void {
    leave?.();
    leave = null;
    clearTimeout(timer);
    timer = undefined;
  }

  function end(how: { readonly error: unknown } | 'complete'): void {
    over ??= how;
    rest();
    signal?.removeEventListener('abort', aborted);
    options.onEnd(stream);
    deliver();
  }

  function received({ data, errors }: ExecutionResult): void {
    if (errors && errors.length > 0) return failed(fromGraphQL(errors));
    if (!data) return failed(new SignalboxClientError('BAD_RESPONSE', `${url}: a result without data`));
    failures = 0;
    const cursor = cursorOf(data);
    if (cursor !== undefined) {
      payload.variables['after'] = cursor;
      hasCursor = true;
    } else if (resumable) {
      return end({
        error: new SignalboxClientError('BAD_RESPONSE', 'a subscription with $after must select `cursor`, or it cannot be resumed'),
      });
    }
    ahead.push(options.batchOf(data));
    deliver();
    if (resumable && ahead.length >= maxAhead) rest();
    if (!resumable && ahead.length >= maxAheadWithoutCursor) {
      end({ error: new SignalboxClientError('LIMIT_EXCEEDED', `${maxAheadWithoutCursor} batches of this stream are not read yet`) });
    }
  }

  function failed(error: SignalboxClientError): void {
    rest();
    failures++;
    if (failures > attemptsFor(error)) return end({ error });
    options.onInterrupted?.(error);
    // The listener may have ended the stream, or asked for more, which opens it at once.
    if (over || leave) return;
    const delay = Math.min(retry.initialMs * 2 ** (failures - 1), retry.maxMs);
    const spread = delay / 2 + (Math.random() * delay) / 2;
    timer = setTimeout(open, Math.min((error.retryAfterMs ?? 0) + spread, longestTimerMs));
  }

  function attemptsFor({ code }: SignalboxClientError): number {
    // Without `$after` another subscription would begin elsewhere: with a gap, or from the start.
    if (hasCursor && !resumable) return 0;
    const limit = socket.wasConnected() ? retry.attempts : Math.min(retry.attempts, firstConnectionAttempts);
    if (passing.has(code)) return limit;
    if (code === 'INTERNAL') return Math.min(limit, internalAttempts);
    if (code === 'UNAUTHENTICATED' && options.freshCredentials) return Math.min(limit, credentialAttempts);
    return 0;
  }

  function deliver(): void {
    while (waiting.length > 0 && (ahead.length > 0 || over)) {
      const next = waiting.shift()!;
      if (ahead.length > 0) next.resolve({ done: false, value: ahead.shift()! });
      else if (over !== 'complete' && over) {
        next.reject(over.error);
        over = 'complete'; // an iterator throws once
      } else next.resolve(finished);
    }
    // Everything received ahead is consumed: go on where the resting subscription stopped.
    if (waiting.length > 0 && !leave && !over && timer === undefined) open();
  }

  const aborted = () => {
    ahead.length = 0;
    end({ error: signal!.reason });
  };

  const stream: Stream<Batch> = {
    next() {
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        deliver();
      });
    },
    async return() {
      ahead.length = 0;
      over = 'complete';
      end('complete');
      return finished;
    },
    [Symbol.asyncIterator]: () => stream,
  };
  options.onOpen(stream);
  if (signal?.aborted) aborted();
  else {
    signal?.addEventListener('abort', aborted);
    open();
  }
  return stream;
}

interface Waiting<Batch> {
  resolve(result: IteratorResult<Batch, undefined>): void;
  reject(error: unknown): void;
}

const finished: IteratorReturnResult<undefined> = { done: true, value: undefined };

interface ExecutionResult {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly GraphQLErrorEntry[];
}

function cursorOf(data: Record<string, unknown>): string | undefined {
  const root = Object.values(data)[0] as { cursor?: unknown } | null | undefined;
  return typeof root?.cursor === 'string' ? root.cursor : undefined;
}

/** Close codes after which the same request would end the same way. */
const fatalCloseCodes: Readonly<Record<number, string>> = {
  1009: 'LIMIT_EXCEEDED', // RFC 6455: a message larger than the server takes; it has no reason
  4400: 'BAD_RESPONSE',
  4401: 'UNAUTHENTICATED',
  4403: 'UNAUTHENTICATED',
  4406: 'BAD_RESPONSE',
  4409: 'BAD_RESPONSE',
  4429: 'BAD_RESPONSE',
  4500: 'INTERNAL',
};

const unexplained: Readonly<Record<number, string>> = { 1009: 'the message is larger than the server takes (wsMaxMessageBytes)' };

function toError(error: unknown, url: string): SignalboxClientError {
  if (Array.isArray(error)) return fromGraphQL(error as GraphQLErrorEntry[]);
  if (error instanceof SignalboxClientError) return error;
  const { code, reason, message } = error as { code?: unknown; reason?: unknown; message?: unknown };
  if (typeof code === 'number') {
    const text = typeof reason === 'string' && reason !== '' ? reason : (unexplained[code] ?? 'connection closed');
    return new SignalboxClientError(fatalCloseCodes[code] ?? 'NETWORK', `${url}: ${text} (${code})`, { cause: error });
  }
  return new SignalboxClientError('NETWORK', `${url}: ${typeof message === 'string' && message ? message : 'the connection failed'}`, {
    cause: error,
  });
}

// The client: HTTP for queries and mutations, one shared WebSocket for subscriptions. Works wherever fetch and WebSocket exist.
import { createClient } from 'graphql-ws/client';
import { textOf, type TypedDocument, type VariablesOf } from './document.ts';
import { post, type HttpOptions, type RequestOptions } from './http.ts';
import { bindOperations, type Operations } from './operations.ts';
import { byHash } from './persisted.ts';
import { openStream, type RetryOptions, type Socket, type Stream, type SubscribeOptions } from './stream.ts';

export interface SignalboxClientOptions {
  /** Of the GraphQL endpoint, such as `http://localhost:4400/graphql`; without a path, `/graphql` is meant. */
  readonly url: string;
  /** An API key or a JWT; a function is asked before each request and each connection, so that it can give a fresh one. */
  readonly apiKey: string | (() => string | Promise<string>);
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Default: the global one (browsers, Node 22 and newer); on Node 20 pass that of the package `ws`. */
  readonly webSocketImpl?: unknown;
  /** For one query or mutation; milliseconds, default 60,000. */
  readonly timeoutMs?: number | undefined;
  readonly retry?: Partial<RetryOptions> | undefined;
  /** Sends the SHA-256 of operations in the place of their texts, and the text where the gateway does not know it. Needs `crypto.subtle`. */
  readonly persisted?: boolean | undefined;
  /** How often a quiet socket is asked whether it still lives; milliseconds, default 15,000. One that does not answer in as long is replaced. */
  readonly keepAliveMs?: number | undefined;
}

export interface SignalboxClient extends Operations {
  /** Sends a query or mutation of your own; resolves to its data. */
  request<Data, Variables>(document: TypedDocument<Data, Variables>, ...given: [...VariablesOf<Variables>, RequestOptions?]): Promise<Data>;
  /**
   * Runs a subscription of your own. It goes on after a lost connection: with `$after` among its variables and `cursor`
   * in its selection without gap or repetition, else (no cursor in the schema) from the moment it is connected again.
   */
  subscribe<Data, Variables>(document: TypedDocument<Data, Variables>, variables: Variables, options?: SubscribeOptions): Stream<Data>;
  /** Ends every stream and closes the socket. */
  close(): Promise<void>;
}

const acknowledgementMs = 10_000;

export function createSignalboxClient(options: SignalboxClientOptions): SignalboxClient {
  const url = endpoint(options.url);
  const { apiKey } = options;
  if (options.persisted && !globalThis.crypto?.subtle) {
    throw new TypeError('persisted: this page has no `crypto.subtle` to make hashes with; serve it over https, or leave `persisted` out');
  }
  const authorization = async () => `Bearer ${typeof apiKey === 'function' ? await apiKey() : apiKey}`;
  const http: HttpOptions = {
    url: url.href,
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    authorization,
    timeoutMs: options.timeoutMs ?? 60_000,
    persisted: options.persisted ?? false,
  };
  const retry: RetryOptions = { initialMs: 250, maxMs: 10_000, attempts: Number.POSITIVE_INFINITY, ...options.retry };
  const streams = new Set<{ return(): Promise<unknown> }>();
  let socket: (Socket & { dispose(): Promise<void> }) | undefined;

  function open<Batch>(
    query: string,
    variables: object,
    batchOf: (data: Record<string, unknown>) => Batch,
    given: SubscribeOptions = {},
  ): Stream<Batch> {
    socket ??= connect({
      url: socketUrl(url),
      authorization,
      webSocketImpl: options.webSocketImpl,
      keepAliveMs: options.keepAliveMs ?? 15_000,
      persisted: options.persisted ?? false,
    });
    return openStream<Batch>({
      socket,
      url: url.href,
      query,
      variables: { ...variables },
      retry,
      freshCredentials: typeof apiKey === 'function',
      batchOf,
      ...given,
      onOpen: (stream) => streams.add(stream),
      onEnd: (stream) => streams.delete(stream),
    });
  }

  const client = {
    request: async (document: TypedDocument<never, never>, variables: object = {}, given: RequestOptions = {}) =>
      post(http, textOf(document), variables, given),
    subscribe: (document: TypedDocument<never, never>, variables: object, given?: SubscribeOptions) =>
      open(textOf(document), variables, (data) => data, given),
    async close() {
      for (const stream of streams) await stream.return();
      await socket?.dispose();
    },
  };
  const operations = bindOperations({
    request: (query, variables, given) => post(http, query, variables, given) as Promise<Record<string, unknown>>,
    subscribe: open,
  });
  return { ...operations, ...client } as unknown as SignalboxClient;
}

function endpoint(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new TypeError(`url: ${JSON.stringify(text)} is not an http(s) address, such as http://localhost:4400/graphql`);
  }
  if (url.pathname === '/') url.pathname = '/graphql';
  return url;
}

function socketUrl(url: URL): string {
  const socket = new URL(url);
  socket.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return socket.href;
}

interface ConnectOptions {
  readonly url: string;
  readonly webSocketImpl: unknown;
  readonly keepAliveMs: number;
  readonly persisted: boolean;
  authorization(): Promise<string>;
}

function connect({ url, authorization, webSocketImpl, keepAliveMs, persisted }: ConnectOptions): Socket & { dispose(): Promise<void> } {
  if (!webSocketImpl && typeof WebSocket === 'undefined') {
    throw new TypeError('this runtime has no WebSocket; on Node 20: `import WebSocket from "ws"` and pass `webSocketImpl: WebSocket`');
  }
  let connected = false;
  let silent: ReturnType<typeof setTimeout> | undefined;
  const client = createClient({
    url,
    ...(webSocketImpl ? { webSocketImpl } : {}),
    connectionParams: async () => ({ authorization: await authorization() }),
    connectionAckWaitTimeout: acknowledgementMs,
    keepAlive: keepAliveMs,
    // Trying again is the business of each stream, which knows its cursor.
    retryAttempts: 0,
    on: {
      connected: () => (connected = true),
      ping: (byServer) => {
        // A connection can be dead without either side being told.
        if (!byServer) silent = setTimeout(() => client.terminate(), keepAliveMs);
      },
      pong: () => clearTimeout(silent),
      closed: () => clearTimeout(silent),
    },
  });
  return {
    subscribe: persisted ? byHash(client.subscribe) : client.subscribe,
    wasConnected: () => connected,
    dispose: async () => client.dispose(),
  };
}

// A real streamable-HTTP MCP server of this process on loopback (the official SDK's server side), which a test can make slow, forgetful,
// changed, gone, or worse.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport, type EventStore } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, ListToolsRequestSchema, type JSONRPCMessage, type Tool } from '@modelcontextprotocol/sdk/types.js';
import { newId } from '#src/platform/ids.ts';

export interface McpCall {
  readonly name: string;
  readonly args: Record<string, unknown>;
  readonly meta: Record<string, unknown>;
  readonly headers: IncomingMessage['headers'];
  /** Aborted when the client cancels. */
  readonly signal: AbortSignal;
}

export interface McpTool extends Omit<Tool, 'name' | 'inputSchema'> {
  readonly inputSchema?: Tool['inputSchema'];
  run?(call: McpCall): unknown;
}

export interface HttpMcp {
  readonly url: string;
  /** `host:port`, for `outbound.allow`. */
  readonly host: string;
  /** Calls that reached a tool. */
  readonly calls: McpCall[];
  /** HTTP requests so far: `POST tools/call` and the like. */
  readonly requests: string[];
  /** How often a session was begun. */
  sessions(): number;
  /** Changed by tests; `announce` tells the clients. */
  tools: Record<string, McpTool>;
  announce(): Promise<void>;
  /** As after a restart: no session is known any more. */
  forget(): void;
  /** Answers instead of the server while set; gives true when it has. */
  intercept: ((request: IncomingMessage, response: ServerResponse, body: string) => boolean) | null;
  /** Resolves when so many answers of tools have begun to be streamed. */
  streaming(count: number): Promise<void>;
  /** Cuts every connection; new ones are welcome. */
  cut(): void;
  /** Nobody listens; open connections are cut. */
  stop(): Promise<void>;
  /** On the same port, without sessions. */
  start(): Promise<void>;
}

export interface HttpMcpOptions {
  /** Answers as plain JSON instead of a stream. */
  readonly json?: boolean;
  /** Numbers the events of its streams, so that a client can go on with one that was cut. */
  readonly resumable?: boolean;
  readonly tools?: Record<string, McpTool>;
}

export async function httpMcp({ json = false, resumable = false, tools = {} }: HttpMcpOptions = {}): Promise<HttpMcp> {
  const sessions = new Map<string, { transport: StreamableHTTPServerTransport; server: Server }>();
  let http: HttpServer;
  let port = 0;
  let begun = 0;
  const streams = watchedStreams();

  function server(): Server {
    const made = new Server({ name: 'test', version: '1' }, { capabilities: { tools: { listChanged: true } } });
    made.setRequestHandler(ListToolsRequestSchema, () => ({
      tools: Object.entries(mcp.tools).map(([name, { run: _run, inputSchema = { type: 'object' as const }, ...tool }]) => ({
        name,
        inputSchema,
        ...tool,
      })),
    }));
    made.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal, requestInfo }) => {
      const call = { name: params.name, args: params.arguments ?? {}, meta: params._meta ?? {}, headers: requestInfo!.headers, signal };
      mcp.calls.push(call);
      const value = await mcp.tools[params.name]!.run?.(call);
      if (typeof value === 'object' && value !== null && 'content' in value) return value;
      return { content: [{ type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value ?? null) }] };
    });
    return made;
  }

  async function session(): Promise<StreamableHTTPServerTransport> {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: newId,
      enableJsonResponse: json,
      ...(resumable && { eventStore: eventStore() }),
      onsessioninitialized: (id) => void sessions.set(id, { transport, server: own }),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    const own = server();
    begun += 1;
    await own.connect(transport);
    return transport;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const message = (body === '' ? {} : JSON.parse(body)) as { method?: string };
    mcp.requests.push(`${request.method} ${message.method ?? ''}`.trim());
    if (mcp.intercept?.(request, response, body)) return;
    if (message.method === 'tools/call') streams.watch(response);
    const id = request.headers['mcp-session-id'];
    const known = typeof id === 'string' ? sessions.get(id)?.transport : undefined;
    if (id !== undefined && !known) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}');
      return;
    }
    await (known ?? (await session())).handleRequest(request, response, body === '' ? undefined : message);
  }

  const mcp: HttpMcp = {
    get url() {
      return `http://127.0.0.1:${port}/mcp`;
    },
    get host() {
      return `127.0.0.1:${port}`;
    },
    calls: [],
    requests: [],
    tools,
    intercept: null,
    sessions: () => begun,
    async announce() {
      await Promise.all([...sessions.values()].map((each) => each.server.sendToolListChanged()));
    },
    forget: () => sessions.clear(),
    streaming: streams.begun,
    cut: () => http.closeAllConnections(),
    async stop() {
      sessions.clear();
      http.close();
      http.closeAllConnections();
      if (http.listening) await once(http, 'close');
    },
    async start() {
      http = createServer((request, response) => {
        answer(request, response).catch((error: unknown) => response.destroy(error as Error));
      });
      http.listen(port, '127.0.0.1');
      await once(http, 'listening');
      port = (http.address() as AddressInfo).port;
    },
  };
  await mcp.start();
  return mcp;
}

function watchedStreams() {
  const count = counter();
  return {
    begun: count.reached,
    watch(response: ServerResponse) {
      const write = response.write.bind(response) as (...args: unknown[]) => boolean;
      let first = true;
      response.write = (...args: unknown[]) => {
        if (first) setImmediate(() => count.add());
        first = false;
        return write(...args);
      };
    },
  };
}

function counter() {
  const watchers: { count: number; resolve: () => void }[] = [];
  let value = 0;
  return {
    add() {
      value += 1;
      for (const { count, resolve } of watchers) if (value >= count) resolve();
    },
    reached: (count: number) => new Promise<void>((resolve) => (value >= count ? resolve() : watchers.push({ count, resolve }))),
  };
}

function eventStore(): EventStore {
  const events: { id: string; streamId: string; message: JSONRPCMessage }[] = [];
  return {
    async storeEvent(streamId, message) {
      const id = newId();
      events.push({ id, streamId, message });
      return id;
    },
    async replayEventsAfter(lastId, { send }) {
      const last = events.findIndex(({ id }) => id === lastId);
      const { streamId } = events[last]!;
      for (const event of events.slice(last + 1)) if (event.streamId === streamId) await send(event.id, event.message);
      return streamId;
    },
  };
}

/** A tool that answers when the test lets it. */
export function held(): { readonly tool: McpTool; release(): void; arrived(count: number): Promise<void> } {
  const gates: PromiseWithResolvers<void>[] = [];
  const arrivals = counter();
  return {
    tool: {
      async run() {
        const gate = Promise.withResolvers<void>();
        gates.push(gate);
        arrivals.add();
        await gate.promise;
        return 'released';
      },
    },
    release() {
      for (const gate of gates.splice(0)) gate.resolve();
    },
    arrived: arrivals.reached,
  };
}

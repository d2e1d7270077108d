// All tool servers of the operator's configuration: start them, call a tool by its full name, know what each describes.
// Only a runner has this; a gateway reads what runners have written (tool-service.ts).
import type { Logger } from 'pino';
import { failure, type CallOptions, type ToolOutcome } from './tool-call.ts';
import { createToolServer, type ToolServer, type ToolServerConfig, type ToolServerLimits, type ToolServerStatus } from './tool-server.ts';
import { serverNamePattern, splitToolName, type ToolDescription } from './tool.ts';

export interface ToolServers {
  /** Starts every server, in parallel; resolves when each is ready or has failed. A failed one is started again on its first use. */
  start(onProgress?: (progress: ToolServerProgress) => void): Promise<void>;
  /** Calls `server.tool`. Never rejects: how it ended is in the outcome. */
  call(fullName: string, args: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<ToolOutcome>;
  /** The tool as its server last described it; null for an unknown tool or a server that never started. */
  describe(fullName: string): ToolDescription | null;
  list(): readonly ToolDescription[];
  /** Names of the configured servers. */
  readonly names: readonly string[];
  health(): readonly ToolServerHealth[];
  /** Called with the whole list of a server after each start and each announced change. Returns the way to stop listening. */
  onDescribed(listener: (server: string, tools: readonly ToolDescription[]) => void): () => void;
  /** Ends every server; calls under way fail. Resolves when the processes are gone. */
  close(): Promise<void>;
}

export type ToolServerProgress =
  | { readonly server: string; readonly state: 'starting' }
  | { readonly server: string; readonly state: 'ready'; readonly tools: number; readonly ms: number }
  | { readonly server: string; readonly state: 'failed'; readonly error: string; readonly ms: number };

export interface ToolServerHealth {
  readonly server: string;
  readonly status: ToolServerStatus;
  readonly tools: number;
  readonly error: string | null;
}

export interface ToolServersOptions {
  readonly servers: Readonly<Record<string, ToolServerConfig>>;
  readonly logger: Logger;
  /** Largest output of a call, as JSON text in UTF-8. */
  readonly maxOutputBytes: number;
  readonly limits?: Partial<Omit<ToolServerLimits, 'maxOutputBytes'>> | undefined;
}

const defaults = { maxMessageBytes: 10 * 1024 * 1024, pingTimeoutMs: 5_000, backoffMs: 250, maxBackoffMs: 30_000 };

export function createToolServers({ servers, logger, maxOutputBytes, limits }: ToolServersOptions): ToolServers {
  const listeners = new Set<(server: string, tools: readonly ToolDescription[]) => void>();
  const all = new Map<string, ToolServer>();
  for (const [name, config] of Object.entries(servers)) {
    if (!serverNamePattern.test(name)) {
      throw new Error(`toolServers.${name}: the name of a tool server has letters, digits, "_" and "-" only, at most 64`);
    }
    all.set(
      name,
      createToolServer({
        name,
        config,
        limits: { ...defaults, ...limits, maxOutputBytes },
        logger: logger.child({ toolServer: name }),
        onDescribed: (tools) => {
          for (const listener of listeners) listener(name, tools);
        },
      }),
    );
  }
  // A server ends when its stdin closes, which the system does for us in every case; this is for those that do not care.
  const killAll = () => {
    for (const server of all.values()) server.killNow();
  };
  if (all.size > 0) process.once('exit', killAll);

  async function startOne(name: string, server: ToolServer, onProgress: (progress: ToolServerProgress) => void): Promise<void> {
    const begun = performance.now();
    const ms = () => Math.round(performance.now() - begun);
    onProgress({ server: name, state: 'starting' });
    try {
      await server.start();
      onProgress({ server: name, state: 'ready', tools: server.descriptions().size, ms: ms() });
    } catch (error) {
      const reason = (error as Error).message;
      logger.error({ toolServer: name, reason }, 'tool server did not start; it is tried again on first use');
      onProgress({ server: name, state: 'failed', error: reason, ms: ms() });
    }
  }

  return {
    names: [...all.keys()],
    async start(onProgress = () => {}) {
      await Promise.all([...all].map(([name, server]) => startOne(name, server, onProgress)));
    },
    async call(fullName, args, options = {}) {
      const parts = splitToolName(fullName);
      const server = parts && all.get(parts.server);
      if (!server) {
        const known = [...all.keys()].join(', ') || 'none';
        return failure('TOOL_UNKNOWN', `${fullName}: no tool server of this name is configured here (configured: ${known})`, {
          dispatched: false,
        });
      }
      return server.call(parts.name, args, options);
    },
    describe(fullName) {
      const parts = splitToolName(fullName);
      return (parts && all.get(parts.server)?.descriptions().get(parts.name)) ?? null;
    },
    list: () => [...all.values()].flatMap((server) => [...server.descriptions().values()]),
    health: () =>
      [...all].map(([name, server]) => ({
        server: name,
        status: server.status(),
        tools: server.descriptions().size,
        error: server.lastError(),
      })),
    onDescribed(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      await Promise.all([...all.values()].map((server) => server.close()));
      process.off('exit', killAll);
    },
  };
}

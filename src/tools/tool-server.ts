// The life of one configured server: started on first use, restarted with backoff after a crash or a hang, its tools described.
// Calls end with an outcome, never with an exception. Nothing here knows tenants or approvals.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { failure, outcomeOf, type CallOptions, type ToolOutcome } from './tool-call.ts';
import { connect, type Connection } from './tool-connection.ts';
import { abortable, protocolFailure } from './tool-protocol.ts';
import { describeTool, type ToolDescription, type ToolOverride } from './tool.ts';

/** One stdio MCP server of the operator's configuration. */
export interface ToolServerConfig {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to HOME, LOGNAME, PATH, SHELL, TERM and USER, which is all that the server gets of our environment. */
  readonly env: Readonly<Record<string, string>>;
  /** For a call that names no timeout. */
  readonly timeoutMs: number;
  /** From starting the process until its tools are listed. */
  readonly startTimeoutMs: number;
  readonly tools?: Readonly<Record<string, ToolOverride>> | undefined;
}

export interface ToolServerLimits {
  /** Largest output of a call, as JSON text in UTF-8. */
  readonly maxOutputBytes: number;
  /** Largest single message; a server that sends a longer one is restarted. */
  readonly maxMessageBytes: number;
  /** After a timeout: a server that does not answer a ping within this time is restarted. */
  readonly pingTimeoutMs: number;
  /** Delay before the start after the first failure in a row; doubles with each, up to `maxBackoffMs`. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}

export type ToolServerStatus = 'idle' | 'starting' | 'ready' | 'failed' | 'closed';

export interface ToolServer {
  status(): ToolServerStatus;
  /** Why the last start or run failed. */
  lastError(): string | null;
  /** Rejects with an Error that says why. */
  start(): Promise<void>;
  call(tool: string, args: Readonly<Record<string, unknown>>, options: CallOptions): Promise<ToolOutcome>;
  /** As last listed; kept while the server is down. Empty before the first start. */
  descriptions(): ReadonlyMap<string, ToolDescription>;
  close(): Promise<void>;
  killNow(): void;
}

export interface ToolServerOptions {
  readonly name: string;
  readonly config: ToolServerConfig;
  readonly limits: ToolServerLimits;
  readonly logger: Logger;
  onDescribed(tools: readonly ToolDescription[]): void;
}

export function createToolServer({ name, config, limits, logger, onDescribed }: ToolServerOptions): ToolServer {
  const closing = new AbortController();
  let connection: Connection | null = null;
  let starting: Promise<Connection> | null = null;
  /** A listing or a ping under way that the next call waits for. */
  let settling: Promise<void> | null = null;
  let tools: ReadonlyMap<string, ToolDescription> = new Map();
  let failures = 0;
  let inFlight = 0;
  let notBefore = 0; // performance.now()
  let lastError: string | null = null;

  function failed(reason: string): void {
    failures++;
    lastError = reason;
    notBefore = performance.now() + Math.min(limits.backoffMs * 2 ** (failures - 1), limits.maxBackoffMs);
  }

  async function start(): Promise<Connection> {
    let next: Connection | undefined;
    try {
      const delay = notBefore - performance.now();
      if (delay > 0) await sleep(delay, undefined, { signal: closing.signal });
      const begun = performance.now();
      next = await connect({
        ...config,
        maxMessageBytes: limits.maxMessageBytes,
        logger,
        signal: closing.signal,
        onToolsChanged: () => settle(() => relist(next)),
        onEnded(reason) {
          if (next === undefined || connection !== next) return;
          connection = null;
          if (closing.signal.aborted) return;
          failed(reason);
          logger.warn({ reason }, 'tool server ended; it is started again on next use');
        },
      });
      await describe(next, Math.max(1, config.startTimeoutMs - (performance.now() - begun)));
      const ending = next.ending();
      if (ending !== null) throw new Error(ending);
      logger.info({ tools: tools.size, ms: Math.round(performance.now() - begun) }, 'tool server ready');
    } catch (error) {
      await next?.kill('it did not list its tools');
      const reason = closing.signal.aborted ? 'Signalbox is shutting down' : (error as Error).message;
      failed(reason);
      throw new Error(reason, { cause: error });
    }
    connection = next;
    lastError = null;
    return next;
  }

  async function describe(from: Connection, timeoutMs: number): Promise<void> {
    const listed = await from.list(timeoutMs);
    tools = new Map(listed.map((tool) => [tool.name, describeTool(name, tool, config.tools?.[tool.name])]));
    onDescribed([...tools.values()]);
  }

  async function relist(from: Connection | undefined): Promise<void> {
    if (from === undefined || from !== connection) return; // still starting: the list is about to be read
    await describe(from, config.startTimeoutMs).catch((error: Error) => from.kill(`it did not list its changed tools: ${error.message}`));
  }

  function settle(work: () => Promise<void>): void {
    const mine = (settling ?? Promise.resolve()).then(work).finally(() => {
      if (settling === mine) settling = null;
    });
    settling = mine;
  }

  async function probe(suspect: Connection): Promise<void> {
    if (suspect.ending() !== null || (await suspect.ping(limits.pingTimeoutMs))) return;
    await suspect.kill('it stopped answering');
  }

  async function ready(): Promise<Connection> {
    while (settling) await settling;
    if (connection) return connection;
    if (closing.signal.aborted) throw new Error('Signalbox is shutting down');
    starting ??= start().finally(() => (starting = null));
    return starting;
  }

  async function call(tool: string, args: Readonly<Record<string, unknown>>, options: CallOptions): Promise<ToolOutcome> {
    const fullName = `${name}.${tool}`;
    const timeoutMs = Math.min(options.timeoutMs ?? config.timeoutMs, 2 ** 31 - 1);
    const timeout = AbortSignal.timeout(Math.ceil(timeoutMs));
    const stop = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
    const stopped = (dispatched: boolean): ToolOutcome =>
      options.signal?.aborted
        ? failure('CANCELLED', `${fullName}: cancelled`, { dispatched })
        : failure('TOOL_TIMEOUT', `${fullName}: no answer within ${timeoutMs} ms`, { retryable: true, dispatched });
    const serverFailed = (reason: string, dispatched: boolean): ToolOutcome =>
      failure('TOOL_SERVER_FAILED', `${fullName}: the tool server "${name}" failed: ${reason}`, { retryable: true, dispatched });

    if (stop.aborted) return stopped(false);
    if (!connection && notBefore - performance.now() > timeoutMs) return serverFailed(lastError ?? 'it is down', false);
    let current: Connection;
    try {
      current = await abortable(ready(), stop);
    } catch (error) {
      return stop.aborted ? stopped(false) : serverFailed((error as Error).message, false);
    }
    const description = tools.get(tool);
    if (!description) return failure('TOOL_UNKNOWN', `${fullName}: the tool server "${name}" has no such tool`, { dispatched: false });
    if (options.digest !== undefined && options.digest !== description.digest) {
      return failure('TOOL_CHANGED', `${fullName}: its description changed after the call was allowed`, { dispatched: false });
    }
    const meta = {
      ...(options.idempotencyKey !== undefined && { 'signalbox/idempotency-key': options.idempotencyKey }),
      ...(options.attempt !== undefined && { 'signalbox/attempt': options.attempt }),
    };
    inFlight++;
    try {
      const result = await current.call(tool, args, meta, stop);
      failures = 0;
      return outcomeOf(fullName, result, limits.maxOutputBytes);
    } catch (error) {
      if (stop.aborted) {
        // Cancelled or late: is it only slow, or gone? The next call waits for the answer.
        settle(() => probe(current));
        return stopped(true);
      }
      const ending = current.ending();
      if (ending !== null && current.oversized() && inFlight === 1) {
        return failure('OUTPUT_TOO_LARGE', `${fullName}: the answer is more than ${limits.maxMessageBytes} bytes`);
      }
      if (ending !== null) return serverFailed(ending, true);
      return protocolFailure(fullName, error as Error) ?? serverFailed((error as Error).message, true);
    } finally {
      inFlight--;
    }
  }

  return {
    status() {
      if (closing.signal.aborted) return 'closed';
      if (connection) return 'ready';
      if (starting) return 'starting';
      return lastError === null ? 'idle' : 'failed';
    },
    lastError: () => lastError,
    start: async () => void (await ready()),
    call,
    descriptions: () => tools,
    async close() {
      closing.abort();
      await starting?.catch(() => undefined);
      await connection?.close();
    },
    killNow: () => connection?.killNow(),
  };
}

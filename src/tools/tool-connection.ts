// One running stdio MCP server: its process, the protocol on its pipes, its end. Whether to start another is not decided here.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { CallToolResultSchema, ToolListChangedNotificationSchema, type CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { listTools } from './tool-listing.ts';
import type { DescribedTool } from './tool.ts';

export interface Connection {
  /** Null while the server runs; then why it ends or ended. */
  ending(): string | null;
  /** It was ended for a message longer than allowed. */
  oversized(): boolean;
  /** Every page of `tools/list`; tools that break the protocol are left out and logged. */
  list(timeoutMs: number): Promise<DescribedTool[]>;
  /** Rejects when the server answers with a protocol error, ends, or `signal` aborts (the server is told). */
  call(name: string, args: Readonly<Record<string, unknown>>, meta: Record<string, unknown>, signal: AbortSignal): Promise<CallToolResult>;
  ping(timeoutMs: number): Promise<boolean>;
  /** Closes its stdin and waits; a server that stays is ended by signals within seconds. */
  close(): Promise<void>;
  /** Ends it at once. */
  kill(reason: string): Promise<void>;
  /** For the exit of this process, where nothing can be awaited. */
  killNow(): void;
}

export interface ConnectOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly startTimeoutMs: number;
  /** A longer single message ends the server. */
  readonly maxMessageBytes: number;
  readonly logger: Logger;
  /** Aborts the start. */
  readonly signal: AbortSignal;
  onToolsChanged(): void;
  onEnded(reason: string): void;
}

/** A server that prints this many lines of anything else than MCP is ended: each costs as much as a message. */
const maxStrayLines = 1_000;
/** How long a killed server's pipes may stay open (a child of its own can hold them) before it counts as ended anyway. */
const pipesMs = 1_000;
// Longer than any timeout of a call: those are kept by the caller's signal.
const noTimeoutMs = 2 ** 31 - 1;

/** Keeps the process id, which the SDK forgets as soon as closing begins. */
class Transport extends StdioClientTransport {
  childPid: number | null = null;
  override async start(): Promise<void> {
    await super.start();
    this.childPid = this.pid;
  }
}

/** Rejects with an Error whose message says in one sentence why the server did not start. */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { command, logger } = options;
  // The SDK gives the child HOME, LOGNAME, PATH, SHELL, TERM and USER of ours, and `env`; nothing else.
  const transport = new Transport({
    command,
    args: [...options.args],
    env: { ...options.env },
    stderr: 'pipe',
    maxBufferSize: options.maxMessageBytes,
  });
  let ending: string | null = null;
  let reason: string | null = null;
  let oversized = false;
  let strayLines = 0;
  const ended = Promise.withResolvers<void>();

  createInterface({ input: transport.stderr as Readable, crlfDelay: Infinity }).on('line', (line) =>
    logger.debug({ stderr: line.slice(0, 4_000) }, 'tool server wrote to stderr'),
  );
  transport.onclose = end;
  const client = new Client({ name: 'signalbox', version: '1' }, { capabilities: {} });
  client.onerror = (error) => {
    if (error.message.startsWith('ReadBuffer exceeded')) {
      oversized = true;
      void kill(`it sent a message of more than ${options.maxMessageBytes} bytes`);
    } else if (error instanceof SyntaxError || error instanceof z.ZodError || error.name === 'ZodError') {
      strayLines++;
      if (strayLines === 1) logger.warn({ err: error }, 'tool server prints text that is not MCP on stdout; it is ignored');
      if (strayLines === maxStrayLines) void kill(`it printed ${maxStrayLines} lines that are not MCP on stdout`);
    } else logger.debug({ err: error }, 'tool server protocol error');
  };
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => options.onToolsChanged());

  function end(): void {
    if (ending !== null) return;
    ending = reason ?? 'it ended';
    ended.resolve();
    options.onEnded(ending);
  }
  function killNow(): void {
    if (transport.childPid === null || ending !== null) return;
    try {
      process.kill(transport.childPid, 'SIGKILL');
    } catch {
      // already gone
    }
  }
  async function pipesClosed(): Promise<void> {
    await Promise.race([ended.promise, sleep(pipesMs)]);
    end();
  }
  async function kill(why: string): Promise<void> {
    reason ??= why;
    killNow();
    void client.close(); // closes its stdin, which ends what it may have started itself
    if (transport.childPid !== null) await pipesClosed();
  }

  const abandon = () => void kill('the start was abandoned');
  options.signal.addEventListener('abort', abandon);
  try {
    options.signal.throwIfAborted();
    await client.connect(transport, { timeout: options.startTimeoutMs, signal: options.signal });
  } catch (error) {
    const ownReason = reason ?? (ending === null ? null : `${command} ended before it answered`);
    await kill('the start failed');
    throw new Error(ownReason ?? startFailure(error, options, strayLines), { cause: error });
  } finally {
    options.signal.removeEventListener('abort', abandon);
  }

  return {
    ending: () => ending ?? reason,
    oversized: () => oversized,
    list: (timeoutMs) => listTools(client, { timeoutMs, logger }),
    call: (name, args, meta, signal) =>
      client.request({ method: 'tools/call', params: { name, arguments: { ...args }, _meta: meta } }, CallToolResultSchema, {
        signal,
        timeout: noTimeoutMs,
      }),
    ping: (timeoutMs) =>
      client.ping({ timeout: timeoutMs }).then(
        () => true,
        () => false,
      ),
    async close() {
      reason ??= 'it was closed';
      await client.close();
      await pipesClosed();
    },
    kill,
    killNow,
  };
}

function startFailure(error: unknown, { command, startTimeoutMs }: ConnectOptions, strayLines: number): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `the command "${command}" was not found`;
  if (code === 'EACCES') return `the command "${command}" may not be executed`;
  if ((code as unknown) === -32001) {
    const stray = strayLines > 0 ? `; it printed ${strayLines} lines that are not MCP on stdout` : '';
    return `${command} did not answer the MCP handshake within ${startTimeoutMs} ms${stray}`;
  }
  return `${command} did not start: ${message}`;
}

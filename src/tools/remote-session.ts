// The session of this process with one tenant's server: begun on first use, its tools listed and kept up to date, given up when idle.
import type { Logger } from 'pino';
import type { Outbound } from '../outbound/outbound.ts';
import { connectRemote, RemoteError, type RemoteConnection } from './remote-connection.ts';
import type { Registration } from './remote.ts';
import { describeTool, type ToolDescription } from './tool.ts';

export interface RemoteSessions {
  /** The session, with tools as up to date as can be known. Rejects with RemoteError. */
  ready(): Promise<Session>;
  /** The next `ready` begins another. */
  drop(session: Session, reason: string): void;
  busy(): void;
  /** Nothing is called any more: after a while the session is given up. */
  rest(): void;
  close(): Promise<void>;
}

export interface Session {
  readonly connection: RemoteConnection;
  tools: ReadonlyMap<string, ToolDescription>;
  /** performance.now() */
  listedAt: number;
}

export interface RemoteSessionLimits {
  /** Largest body of a single HTTP answer. */
  readonly maxMessageBytes: number;
  /** From connecting until the tools are listed. */
  readonly connectMs: number;
  /** A session without a call for this long is ended. */
  readonly idleMs: number;
  /** Tools listed longer ago than this are listed again before the next call: not every server tells of changes. */
  readonly relistMs: number;
  /** At least this long between two listings that a server asks for. */
  readonly relistPauseMs: number;
}

export interface RemoteSessionOptions {
  readonly registration: Registration;
  readonly outbound: Pick<Outbound, 'session'>;
  readonly limits: RemoteSessionLimits;
  readonly logger: Logger;
  onDescribed(tools: readonly ToolDescription[]): void;
  onAnswered(): void;
  onFailed(reason: string): void;
}

export function createRemoteSessions(options: RemoteSessionOptions): RemoteSessions {
  const { registration, outbound, limits, logger, onDescribed, onAnswered, onFailed } = options;
  const { name } = registration;
  const closing = new AbortController();
  let session: Session | null = null;
  let connecting: Promise<Session> | null = null;
  let listing: Promise<void> | null = null;
  /** The server said so since the last listing began. */
  let changed = false;
  let idle: NodeJS.Timeout | undefined;
  let relistTimer: NodeJS.Timeout | undefined;

  async function connect(): Promise<Session> {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(limits.connectMs)]);
    let connection: RemoteConnection | undefined;
    try {
      connection = await connectRemote({
        outbound,
        endpoint: registration,
        maxMessageBytes: limits.maxMessageBytes,
        logger,
        signal,
        onToolsChanged: () => relistSoon(connection),
      });
      const next: Session = { connection, tools: new Map(), listedAt: 0 };
      await list(next, signal);
      session = next;
      onAnswered();
      return next;
    } catch (error) {
      await connection?.close();
      if (closing.signal.aborted) throw new RemoteError('failed', 'it is no longer used', { retryable: true, dispatched: false });
      const reason = signal.aborted ? `it did not answer within ${limits.connectMs} ms` : (error as Error).message;
      const { kind = 'failed', retryable = true } = error instanceof RemoteError ? error : {};
      onFailed(reason);
      throw new RemoteError(kind, reason, { retryable, dispatched: false });
    }
  }

  async function list(from: Session, signal: AbortSignal): Promise<void> {
    changed = false;
    const listed = await from.connection.list(signal);
    from.tools = new Map(listed.map((tool) => [tool.name, describeTool(name, tool)]));
    from.listedAt = performance.now();
    onDescribed([...from.tools.values()]);
  }

  /** One listing at a time, and at most one that waits: a server cannot make us list as fast as it likes. */
  function relistSoon(connection: RemoteConnection | undefined): void {
    changed = true;
    if (session === null || session.connection !== connection) return; // still connecting: the list is about to be read
    const wait = session.listedAt + limits.relistPauseMs - performance.now();
    clearTimeout(relistTimer);
    relistTimer = setTimeout(() => void relist().catch(() => undefined), Math.max(0, wait)).unref();
  }

  function relist(): Promise<void> {
    const current = session;
    if (listing !== null || current === null) return listing ?? Promise.resolve();
    listing = list(current, AbortSignal.any([closing.signal, AbortSignal.timeout(limits.connectMs)]))
      .catch((error: Error) => {
        drop(current, 'it did not list its tools again');
        throw error;
      })
      .finally(() => (listing = null));
    return listing;
  }

  function drop(old: Session, reason: string): void {
    if (session !== old) return;
    session = null;
    logger.debug({ reason }, 'session with a tool server ended');
    old.connection.close().catch((err: unknown) => logger.debug({ err }, 'a session with a tool server did not close'));
  }

  const isOutdated = ({ listedAt }: Session) => changed || listing !== null || performance.now() - listedAt > limits.relistMs;

  async function ready(): Promise<Session> {
    const broken = session?.connection.broken();
    if (session && broken != null) drop(session, broken);
    // Twice: a listing that was under way may be older than the change.
    for (let tries = 0; tries < 2 && session !== null && isOutdated(session); tries += 1) await relist().catch(() => undefined);
    if (session) return session;
    connecting ??= connect().finally(() => (connecting = null));
    return connecting;
  }

  return {
    ready,
    drop,
    busy: () => clearTimeout(idle),
    rest() {
      clearTimeout(idle);
      idle = setTimeout(() => session && drop(session, 'nothing was called for a while'), limits.idleMs).unref();
    },
    async close() {
      closing.abort();
      clearTimeout(idle);
      clearTimeout(relistTimer);
      await connecting?.catch(() => undefined);
      await session?.connection.close();
      session = null;
    },
  };
}

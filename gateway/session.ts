// Authorities that outlive one request: sockets and subscriptions look here for the rights as of now, and hear when the credential ends.
// Sockets with the same credential share one session, so that looking again costs one statement however many there are.
import type { Authenticator } from '#src/principals/authenticate.ts';
import type { Clock } from '#src/platform/clock.ts';
import { UnauthenticatedError, type SignalboxError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import type { GatewayLogger } from './errors.ts';
import { freshly } from './freshly.ts';

export interface SessionListener {
  /** The rights were read again; called about once a second while anyone listens. */
  changed?(authority: Authority): void;
  /** The credential expired, was revoked, or its principal was disabled. Called once. */
  ended(reason: SignalboxError): void;
}

export interface Session {
  /** Its own, among all of this process. */
  readonly id: string;
  /** Another object only when rights have changed. */
  readonly authority: Authority;
  /** Reads the rights again: the answer is never older than the call. Throws UnauthenticatedError once the credential ended. */
  refresh(): Promise<Authority>;
  /** Returns the function that stops listening. */
  listen(listener: SessionListener): () => void;
}

export interface Sessions {
  open(authority: Authority): Session;
  /** Ends what expired and reads the rights of sessions that watch for changes; what the timer does. */
  check(): Promise<void>;
  close(): void;
}

export interface SessionSettings {
  readonly authenticator: Pick<Authenticator, 'refresh'>;
  readonly clock: Clock;
  readonly logger: GatewayLogger;
  /** How often `check` runs by itself; milliseconds. */
  readonly recheckMs: number;
}

const checksAtOnce = 4;

export function createSessions({ authenticator, clock, logger, recheckMs }: SessionSettings): Sessions {
  const sessions = new Map<string, LiveSession>();
  let checking: Promise<void> | undefined;

  async function checkAll(): Promise<void> {
    const waiting = [...sessions.values()].values();
    const lane = async () => {
      for (const session of waiting) {
        await session.check(clock.now()).catch((error: unknown) => {
          // Rights stay as last read while the database does not answer: nothing can be read then either.
          logger.warn({ err: error, principalId: session.authority.principalId }, 'rights of a live session could not be read again');
        });
      }
    };
    // A few at a time: looking again must not take the connections that operations need.
    await Promise.all(Array.from({ length: checksAtOnce }, lane));
  }

  const check = () => (checking ??= checkAll().finally(() => (checking = undefined)));
  const timer = setInterval(() => void check(), recheckMs).unref();

  return {
    open(authority) {
      const key = JSON.stringify(authority);
      let session = sessions.get(key);
      if (!session) {
        const opened = liveSession(authority, authenticator, () => {
          if (sessions.get(key) === opened) sessions.delete(key);
        });
        sessions.set(key, opened);
        session = opened;
      }
      return session;
    },
    check,
    close() {
      clearInterval(timer);
      sessions.clear();
    },
  };
}

interface LiveSession extends Session {
  check(now: Date): Promise<void>;
}

function liveSession(initial: Authority, authenticator: Pick<Authenticator, 'refresh'>, forget: () => void): LiveSession {
  const listeners = new Set<SessionListener>();
  let authority = initial;
  let end: SignalboxError | undefined;

  function endWith(reason: SignalboxError): void {
    if (end) return;
    end = reason;
    forget();
    for (const { ended } of listeners) ended(reason);
  }

  async function readAgain(): Promise<Authority> {
    try {
      const read = await authenticator.refresh(authority);
      if (JSON.stringify(read) !== JSON.stringify(authority)) authority = read;
    } catch (error) {
      if (error instanceof UnauthenticatedError) endWith(error);
      throw error;
    }
    for (const { changed } of listeners) changed?.(authority);
    return authority;
  }

  const refresh = freshly(() => (end ? Promise.reject(end) : readAgain()));

  return {
    id: newId(),
    get authority() {
      return authority;
    },
    refresh,
    listen(listener) {
      if (end) listener.ended(end);
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) forget();
      };
    },
    async check(now) {
      const { expiresAt } = authority;
      if (expiresAt && expiresAt <= now) return endWith(new UnauthenticatedError(`this credential expired at ${expiresAt.toISOString()}`));
      if ([...listeners].some(({ changed }) => changed)) await refresh().catch(ignoreEnd);
    },
  };
}

function ignoreEnd(error: unknown): void {
  if (!(error instanceof UnauthenticatedError)) throw error;
}

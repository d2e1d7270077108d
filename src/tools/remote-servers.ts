// The tenants' servers that this runner has to do with: each by its registration, read when it is called first and when it has changed.
// Writes down what it sees of them. An edge of its own: opens the transactions it needs.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Outbound } from '../outbound/outbound.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { SignalboxError } from '../platform/errors.ts';
import { defaultMaxMessageBytes } from './remote-discovery.ts';
import { createRemoteServer, type RemoteServer, type RemoteServerLimits } from './remote-server.ts';
import type { RemoteServerService } from './remote-service.ts';
import type { Registration, ServerHealth } from './remote.ts';
import { failure, type CallOptions, type RemoteReference, type ToolOutcome } from './tool-call.ts';
import type { ToolServers } from './tool-servers.ts';
import { splitToolName, type ToolDescription } from './tool.ts';

export interface RemoteServers {
  /** Calls `server.tool` of the tenant that `remote` names. Never rejects: how it ended is in the outcome. */
  call(fullName: string, args: Readonly<Record<string, unknown>>, options: CallOptions & { remote: RemoteReference }): Promise<ToolOutcome>;
  /** Resolves when everything seen so far is written. */
  settled(): Promise<void>;
  /** Ends every session; calls under way fail. */
  close(): Promise<void>;
}

export interface RemoteServersOptions {
  readonly database: Database;
  readonly service: Pick<RemoteServerService, 'registrationOf' | 'recordTools' | 'recordHealth'>;
  readonly outbound: Pick<Outbound, 'session'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Largest output of a call, as JSON text in UTF-8. */
  readonly maxOutputBytes: number;
  readonly limits?: Partial<Omit<RemoteServerLimits, 'maxOutputBytes'>> | undefined;
}

const defaults = {
  maxMessageBytes: defaultMaxMessageBytes,
  connectMs: 15_000,
  idleMs: 300_000,
  relistMs: 300_000,
  relistPauseMs: 1_000,
  failures: 5,
  openMs: 5_000,
  maxOpenMs: 60_000,
};
/** A server that was not called for this long is forgotten, with its secrets and its circuit. */
const forgetMs = 3_600_000;
/** An unchanged health is written down again after this time, for `lastSeenAt`. */
const seenMs = 60_000;
const firstRetryMs = 1_000;
const maxRetryMs = 30_000;

interface Entry {
  server: RemoteServer;
  usedAt: number;
}

export function createRemoteServers(options: RemoteServersOptions): RemoteServers {
  const { database, service, outbound, clock, logger, maxOutputBytes } = options;
  const limits = { ...defaults, ...options.limits, maxOutputBytes };
  const stopping = new AbortController();
  const entries = new Map<string, Entry>();
  const loading = new Map<string, Promise<RemoteServer | null>>();
  const leaving = new Map<RemoteServer, Promise<void>>();
  const writers = new Set<Promise<void>>();

  async function find(reference: RemoteReference): Promise<RemoteServer | null> {
    const key = `${reference.tenantId}/${reference.serverId}`;
    for (;;) {
      const known = entries.get(key);
      if (known && known.server.registration.version >= reference.version) {
        known.usedAt = performance.now();
        return known.server;
      }
      const underWay = loading.get(key);
      // Another call's look may have begun before the change: look again unless it gives what is needed.
      if (underWay) await underWay.catch(() => undefined);
      else {
        const load = loadServer(key, reference).finally(() => loading.delete(key));
        loading.set(key, load);
        return load;
      }
    }
  }

  async function loadServer(key: string, { tenantId, serverId }: RemoteReference): Promise<RemoteServer | null> {
    const registration = await database.read(tenantId, (uow) => service.registrationOf(uow, serverId));
    const old = entries.get(key);
    if (old) retire(key, old);
    if (!registration) return null;
    const server = open(registration);
    if (stopping.signal.aborted) await server.close();
    entries.set(key, { server, usedAt: performance.now() });
    return server;
  }

  function open(registration: Registration): RemoteServer {
    const child = logger.child({ toolServer: registration.name, tenantId: registration.tenantId });
    const notes = createNotes(registration, child);
    return createRemoteServer({
      registration,
      outbound,
      limits,
      clock,
      logger: child,
      onDescribed: notes.describe,
      onHealth: notes.health,
    });
  }

  /** Calls under way may end. */
  function retire(key: string, { server }: Entry): void {
    entries.delete(key);
    leaving.set(
      server,
      server.retire().finally(() => leaving.delete(server)),
    );
  }

  /** Writes the newest of what is seen of one registration, one transaction after the other, until it is written. */
  function createNotes(registration: Registration, log: Logger) {
    const { tenantId } = registration;
    let tools: readonly ToolDescription[] | null = null;
    let health: ServerHealth | null = null;
    let written: ServerHealth | null = null;
    let writing: Promise<void> | null = null;

    const isNews = (next: ServerHealth) =>
      written?.status !== next.status ||
      written.circuit !== next.circuit ||
      written.lastError !== next.lastError ||
      (next.seenAt?.getTime() ?? 0) - (written.seenAt?.getTime() ?? 0) >= seenMs;

    async function write(): Promise<void> {
      for (let retryMs = firstRetryMs; tools !== null || health !== null;) {
        const due = { tools, health };
        tools = health = null;
        try {
          await database.write(tenantId, async (uow) => {
            if (due.tools) {
              const changes = await service.recordTools(uow, registration, due.tools);
              if (changes.added.length + changes.changed.length + changes.removed.length > 0)
                log.info(changes, 'tool descriptions changed');
            }
            if (due.health) await service.recordHealth(uow, registration, due.health);
          });
          written = due.health ?? written;
          retryMs = firstRetryMs;
        } catch (err) {
          if (stopping.signal.aborted) return;
          log.warn({ err, retryMs }, 'what was seen of a tool server could not be written; trying again');
          tools ??= due.tools;
          health ??= due.health;
          await sleep(retryMs, undefined, { signal: stopping.signal }).catch(() => undefined);
          if (stopping.signal.aborted) return;
          retryMs = Math.min(retryMs * 2, maxRetryMs);
        }
      }
    }
    function start(): void {
      if (writing) return;
      const mine = write().finally(() => {
        writing = null;
        writers.delete(mine);
      });
      writing = mine;
      writers.add(mine);
    }
    return {
      describe(described: readonly ToolDescription[]) {
        tools = described;
        start();
      },
      health(next: ServerHealth) {
        if (health === null && !isNews(next)) return;
        health = { ...next, seenAt: next.seenAt ?? health?.seenAt ?? null };
        start();
      },
    };
  }

  const forgetting = setInterval(() => {
    const longAgo = performance.now() - forgetMs;
    for (const [key, entry] of entries) if (entry.usedAt < longAgo) retire(key, entry);
  }, forgetMs / 10).unref();

  async function settled(): Promise<void> {
    while (writers.size > 0) await Promise.all(writers);
  }

  return {
    async call(fullName, args, { remote, ...given }) {
      const parts = splitToolName(fullName);
      let server: RemoteServer | null;
      try {
        server = parts && (await find(remote));
      } catch (error) {
        const reason = error instanceof SignalboxError ? error.message : 'its registration could not be read';
        logger.warn({ err: error, tenantId: remote.tenantId }, 'a tool server could not be used');
        return failure('TOOL_SERVER_FAILED', `${fullName}: ${reason}`, { retryable: true, dispatched: false });
      }
      if (!server || !parts) {
        return failure('TOOL_UNKNOWN', `${fullName}: its tool server was removed or switched off`, { dispatched: false });
      }
      return server.call(parts.name, args, given);
    },
    settled,
    async close() {
      clearInterval(forgetting);
      await Promise.allSettled(loading.values());
      const servers = [...[...entries.values()].map(({ server }) => server), ...leaving.keys()];
      await Promise.all(servers.map((server) => server.close()));
      stopping.abort();
      await Promise.allSettled(leaving.values());
      await settled();
    },
  };
}

/** Calls of both kinds: a tenant's own server when the call names one, else the operator's. */
export function allToolServers(own: Pick<ToolServers, 'call'>, remote: Pick<RemoteServers, 'call'>): Pick<ToolServers, 'call'> {
  return {
    call(fullName, args, given = {}) {
      return given.remote ? remote.call(fullName, args, { ...given, remote: given.remote }) : own.call(fullName, args, given);
    },
  };
}

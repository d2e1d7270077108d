// Keeps tool_definitions equal to what this process's servers describe. An edge of its own: opens the transactions it needs.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../platform/database.ts';
import type { ToolServers } from './tool-servers.ts';
import type { ToolService } from './tool-service.ts';
import type { ToolDescription } from './tool.ts';

export interface ToolSync {
  /** Resolves when everything described so far is written. */
  settled(): Promise<void>;
  /** Writes nothing more. */
  stop(): Promise<void>;
}

export interface ToolSyncDependencies {
  readonly database: Database;
  readonly toolServers: ToolServers;
  readonly tools: ToolService;
  readonly logger: Logger;
}

/** tool_definitions has no tenant; a unit of work needs one. */
const noTenant = '00000000-0000-0000-0000-000000000000';
const firstRetryMs = 1_000;
const maxRetryMs = 30_000;

/** Begin before the servers start: the first write removes the tools of servers that are no longer configured. */
export function startToolSync({ database, toolServers, tools, logger }: ToolSyncDependencies): ToolSync {
  const stopping = new AbortController();
  /** The newest list of each server that is not written yet. */
  const due = new Map<string, readonly ToolDescription[]>();
  let last = persist(() => database.write(noTenant, (uow) => tools.forgetServers(uow, toolServers.names)));

  async function persist(write: () => Promise<void>): Promise<void> {
    for (let retryMs = firstRetryMs; !stopping.signal.aborted; retryMs = Math.min(retryMs * 2, maxRetryMs)) {
      try {
        return await write();
      } catch (err) {
        logger.error({ err, retryMs }, 'tool descriptions could not be written; trying again');
        await sleep(retryMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  }

  async function writeDue(server: string): Promise<void> {
    const described = due.get(server);
    if (!described) return; // an earlier write took the newest list already
    const changes = await database.write(noTenant, (uow) => tools.syncDefinitions(uow, server, described));
    if (due.get(server) === described) due.delete(server);
    if (changes.added.length + changes.changed.length + changes.removed.length > 0) {
      logger.info({ toolServer: server, ...changes }, 'tool descriptions changed');
    }
  }

  const unsubscribe = toolServers.onDescribed((server, described) => {
    due.set(server, described);
    last = last.then(() => persist(() => writeDue(server)));
  });

  return {
    settled: () => last,
    async stop() {
      unsubscribe();
      stopping.abort();
      await last;
    },
  };
}

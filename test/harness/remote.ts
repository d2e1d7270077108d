// Calls to tenants' tool servers as a runner makes them, without a database: registrations of the test, and what would be written.
import { createLogger } from '#src/platform/logger.ts';
import { systemClock } from '#src/platform/clock.ts';
import type { Database } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import { createOutbound, type OutboundDependencies } from '#src/outbound/guard.ts';
import { createRemoteServers, type RemoteServersOptions } from '#src/tools/remote-servers.ts';
import type { Registration, ServerHealth } from '#src/tools/remote.ts';
import type { CallOptions, ToolFailure, ToolOutput } from '#src/tools/tool-call.ts';
import type { ToolDescription } from '#src/tools/tool.ts';
import assert from 'node:assert/strict';

export interface RemoteHarness {
  readonly tenantId: string;
  /** Changes count from the next version on. */
  registration: Registration | null;
  readonly health: ServerHealth[];
  readonly described: (readonly ToolDescription[])[];
  readonly logs: string[];
  output(tool: string, args?: Record<string, unknown>, options?: CallOptions): Promise<ToolOutput>;
  refusal(tool: string, args?: Record<string, unknown>, options?: CallOptions): Promise<ToolFailure>;
  /** Resolves once what was written last satisfies this. */
  seen(test: (health: ServerHealth) => boolean): Promise<void>;
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface RemoteSettings extends Partial<Pick<Registration, 'headers' | 'timeoutMs' | 'concurrency'>> {
  readonly limits?: RemoteServersOptions['limits'];
  readonly maxOutputBytes?: number;
  readonly outbound?: Partial<OutboundDependencies>;
}

export function remoteHarness(url: string, settings: RemoteSettings = {}): RemoteHarness {
  const { limits, maxOutputBytes = 1024 * 1024, outbound, ...registered } = settings;
  const tenantId = newId();
  const logs: string[] = [];
  const watchers = new Set<() => void>();
  const uow = {} as never;
  const database = { read: (_tenant, work) => work(uow), write: (_tenant, work) => work(uow) } as Pick<
    Database,
    'read' | 'write'
  > as Database;
  const servers = createRemoteServers({
    database,
    outbound: createOutbound({ allow: [new URL(url).host], ...outbound }),
    clock: systemClock,
    logger: createLogger({ level: 'trace', destination: { write: (line: string) => void logs.push(line) } }),
    maxOutputBytes,
    limits: { connectMs: 5_000, openMs: 50, maxOpenMs: 50, relistPauseMs: 1, ...limits },
    service: {
      registrationOf: async () => harness.registration,
      async recordTools(_uow, _of, tools) {
        harness.described.push(tools);
        return { added: [], changed: [], removed: [] };
      },
      async recordHealth(_uow, _of, health) {
        harness.health.push(health);
        for (const watcher of watchers) watcher();
      },
    },
  });
  const call = (tool: string, args: Record<string, unknown>, options: CallOptions) => {
    const { id: serverId = newId(), version = 1 } = harness.registration ?? {};
    return servers.call(`remote.${tool}`, args, { ...options, remote: { tenantId, serverId, version } });
  };
  const harness: RemoteHarness = {
    tenantId,
    registration: { id: newId(), tenantId, name: 'remote', url, headers: [], timeoutMs: 5_000, concurrency: 10, version: 1, ...registered },
    health: [],
    described: [],
    logs,
    async output(tool, args = {}, options = {}) {
      const outcome = await call(tool, args, options);
      assert.ok(outcome.ok, JSON.stringify(outcome));
      return outcome.output;
    },
    async refusal(tool, args = {}, options = {}) {
      const outcome = await call(tool, args, options);
      assert.ok(!outcome.ok, 'the call succeeded');
      return outcome;
    },
    seen: (test) =>
      new Promise((resolve) => {
        const look = () => {
          const last = harness.health.at(-1);
          if (!last || !test(last)) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    settled: () => servers.settled(),
    close: () => servers.close(),
  };
  return harness;
}

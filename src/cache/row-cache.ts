// Rows that many requests read and hardly anybody changes, kept between requests behind the loaders of node types. Only for those who may see
// every row of the kind, which is looked at on every read; everybody else, and every transaction that writes, reads in Postgres.
import { ManualCache } from 'layered-loader/core';
import type { UnitOfWork } from '../platform/database.ts';
import { isId } from '../platform/ids.ts';
import type { PubSub } from '../platform/redis.ts';
import { visibilityOf, type Authority, type Permission } from '../authority/permission.ts';

/** By the name of their node type. `maxAgeMs` counts from the start of the transaction that read the row; those without one never change. */
const kinds = {
  Project: { permission: 'project.read', maxAgeMs: 900 },
  Environment: { permission: 'project.read', maxAgeMs: 900 },
  AgentVersion: { permission: 'agent.read', maxAgeMs: Infinity },
} as const satisfies Record<string, { permission: Permission; maxAgeMs: number }>;
type Kind = keyof typeof kinds;
/** Those that change: each change is told by `changed`. */
export type ChangingKind = Exclude<Kind, 'AgentVersion'>;

export interface Read<Row> {
  readonly rows: readonly Row[];
  /** Of the transaction, before its snapshot was taken; `performance.now()`. */
  readonly startedAt: number;
}

export interface RowCache {
  /** The rows of `ids` that the actor may see, in any order; `read` gives those that are not kept. */
  load<Row extends { readonly id: string }>(
    name: string,
    actor: Authority,
    ids: readonly string[],
    read: (ids: readonly string[]) => Promise<Read<Row>>,
  ): Promise<readonly Row[]>;
  /** This transaction changes or deletes the row: once its commit is acknowledged nobody is given the old one here, and soon nobody elsewhere. */
  changed(uow: UnitOfWork, kind: ChangingKind, id: string): void;
  close(): void;
}

interface Kept {
  readonly row: { readonly id: string };
  readonly startedAt: number;
}

const maxRows = 10_000;
const channel = 'rows';

export function createRowCache({ pubSub }: { pubSub?: PubSub | undefined } = {}): RowCache {
  const cache = new ManualCache<Kept>({ inMemoryCache: { cacheType: 'lru-map', maxItems: maxRows, ttlInMsecs: 600_000 } });
  /** When a key was dropped last: what was read in a transaction that began before is not kept. Before `floor` everything was dropped. */
  const droppedAt = new Map<string, number>();
  let floor = -Infinity;
  const keyOf = (kind: string, tenantId: string, id: string) => `${kind}:${tenantId}:${id}`;

  function drop(key: string): void {
    if (droppedAt.size >= maxRows) {
      droppedAt.clear();
      floor = performance.now();
    }
    droppedAt.set(key, performance.now());
    cache.applyRemoteInvalidationFor(key);
  }

  const leave = pubSub?.subscribe(channel, (message) => {
    const { kind, tenantId, id } = (message ?? {}) as Record<string, unknown>;
    if (typeof kind !== 'string' || !Object.hasOwn(kinds, kind) || typeof tenantId !== 'string' || typeof id !== 'string') return;
    if (isId(tenantId) && isId(id)) drop(keyOf(kind, tenantId, id));
  });

  function kept(kind: Kind, key: string): Kept['row'] | undefined {
    const found = cache.getInMemoryOnly(key);
    // A copy: Pothos writes the type into the rows it is given.
    return found && performance.now() - found.startedAt < kinds[kind].maxAgeMs ? { ...found.row } : undefined;
  }

  return {
    async load<Row extends { readonly id: string }>(
      name: string,
      actor: Authority,
      ids: readonly string[],
      read: (ids: readonly string[]) => Promise<Read<Row>>,
    ) {
      const kind = Object.hasOwn(kinds, name) ? (name as Kind) : null;
      if (kind === null || !visibilityOf(actor, kinds[kind].permission).everywhere) return (await read(ids)).rows;
      const known = ids.flatMap((id) => kept(kind, keyOf(kind, actor.tenantId, id)) ?? []) as unknown as Row[];
      const have = new Set(known.map((row) => row.id));
      const missing = ids.filter((id) => !have.has(id));
      if (missing.length === 0) return known;
      const { rows, startedAt } = await read(missing);
      for (const row of rows) {
        const key = keyOf(kind, actor.tenantId, row.id);
        if (startedAt > Math.max(droppedAt.get(key) ?? -Infinity, floor)) void cache.set(key, { row: { ...row }, startedAt });
      }
      return [...known, ...rows];
    },
    changed({ tenantId, afterCommit }, kind, id) {
      afterCommit(() => {
        drop(keyOf(kind, tenantId, id));
        pubSub?.publish(channel, () => ({ kind, tenantId, id }));
      });
    },
    close: () => leave?.(),
  };
}

/** Keeps nothing: of a process that serves nobody. */
export const uncached: RowCache = {
  load: async (_name, _actor, ids, read) => (await read(ids)).rows,
  changed() {},
  close() {},
};

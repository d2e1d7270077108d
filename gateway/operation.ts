// The context of one operation: one read-only transaction opened by its first read and shared by all its loaders, and writes of their own.
import { initContextCache } from '@pothos/core';
import { clearAllDataLoaders } from '@pothos/plugin-dataloader';
import type { Context } from '#schema/context.ts';
import type { Guard, SourceContext } from '#schema/subscription.ts';
import type { Services } from '#src/app.ts';
import type { Origin } from '#src/audit/audit.ts';
import type { Database, UnitOfWork } from '#src/platform/database.ts';
import type { Authority } from '#src/authority/permission.ts';

export interface Operation {
  readonly context: Context;
  /** Waits for reads still under way, then ends the transaction. Always called, also after errors. */
  close(): Promise<void>;
}

export interface OperationSettings {
  readonly services: Services;
  readonly database: Database;
  readonly authority: Authority;
  readonly origin: Origin;
  readonly signal: AbortSignal;
}

export function openOperation({ services, database, authority, origin, signal }: OperationSettings): Operation {
  const { tenantId } = authority;
  const pending = new Set<Promise<unknown>>();
  let shared: HeldRead | undefined;
  let isOver = false;

  async function endRead(): Promise<void> {
    // graphql answers as soon as a non-null field failed, while its siblings may still be reading.
    while (pending.size > 0) await Promise.allSettled(pending);
    const ending = shared;
    shared = undefined;
    await ending?.end();
  }

  const context: Context = {
    ...initContextCache(), // what loaders are kept under: Apollo executes with a copy of this object
    authority,
    services,
    origin,
    signal,
    read(work) {
      if (isOver) return Promise.reject(new Error('this operation is over'));
      shared ??= holdRead(database, tenantId);
      const result = shared.uow.then(work);
      pending.add(result);
      const settled = () => void pending.delete(result);
      result.then(settled, settled);
      return result;
    },
    write: (work) => context.writeTenant(tenantId, work),
    async writeTenant(id, work) {
      if (isOver) throw new Error('this operation is over');
      // First give back the reading connection: two per operation could exhaust the pool with everyone waiting for the second.
      await endRead();
      try {
        return await database.write(id, work);
      } finally {
        clearAllDataLoaders(context);
      }
    },
  };
  return {
    context,
    async close() {
      isOver = true;
      await endRead();
    },
  };
}

/** The context that a subscription's source is made in: live authority, a transaction per read, and the checks to repeat. */
export function openSource({
  services,
  database,
  authority,
  origin,
  signal,
}: Omit<OperationSettings, 'authority'> & { authority(): Authority }): {
  readonly context: SourceContext;
  readonly guards: readonly Guard[];
} {
  const guards: Guard[] = [];
  const { tenantId } = authority();
  const context: SourceContext = {
    get authority() {
      return authority();
    },
    services,
    origin,
    signal,
    read: (work) => database.read(tenantId, work),
    write: (work) => database.write(tenantId, work),
    writeTenant: (id, work) => database.write(id, work),
    async guard(check) {
      await database.read(tenantId, (uow) => check(uow, authority()));
      guards.push(check);
    },
  };
  return { context, guards };
}

interface HeldRead {
  readonly uow: Promise<UnitOfWork>;
  end(): Promise<void>;
}

function holdRead(database: Database, tenantId: string): HeldRead {
  const opened = Promise.withResolvers<UnitOfWork>();
  const released = Promise.withResolvers<void>();
  const finished = database
    .read(tenantId, (uow) => {
      opened.resolve(uow);
      return released.promise;
    })
    // Failing to begin is the reader's error; failing to end a read-only transaction changes nothing for anyone.
    .catch(opened.reject);
  return {
    uow: opened.promise,
    async end() {
      released.resolve();
      await finished;
    },
  };
}

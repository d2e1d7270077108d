// What every resolver receives. Types only: the gateway makes it, freshly for each request and each subscription batch.
import type { Services } from '#src/app.ts';
import type { Origin } from '#src/audit/audit.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import type { Authority } from '#src/authority/permission.ts';

export interface Context {
  /** Who acts, as of the start of this request or batch. In `subscribe` it is live: each look gives the rights last read. */
  readonly authority: Authority;
  readonly services: Services;
  /** Where the request came from; recorded with what it changes. */
  readonly origin: Origin;
  /** Aborted when nobody waits for the answer any more: request dropped, subscription ended, socket closed. */
  readonly signal: AbortSignal;
  /** Runs in the operation's shared read-only transaction (opened on first use). In `subscribe` in one of its own. */
  read<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T>;
  /** Runs in a transaction of its own, committed on return; afterwards reads and loaders start afresh. */
  write<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T>;
  /** The same in a tenant that is not the caller's own: only for the operator's verbs about tenants. */
  writeTenant<T>(tenantId: string, work: (uow: UnitOfWork) => Promise<T>): Promise<T>;
}

// What is dispatched obeys every rule that was acknowledged before: dispatching transactions share a lock of their tenant, and a change of
// policies, grants or kill switches takes it alone. So a change waits for those under way, and those that come after it see it.
import type { UnitOfWork } from '../platform/database.ts';

const key = `hashtextextended('signalbox rules ' || $1::text, 0)`;

/** First in a transaction that may dispatch: whoever holds a row and then waits here could stand in the way of those that came before. */
export function holdRules(uow: UnitOfWork): void {
  uow.write(`select pg_advisory_xact_lock_shared(${key})`, [uow.tenantId]);
}

/**
 * In the transaction of each change, before its commit. Raises the revision by which gates notice it. Never in a transaction that holds
 * the rules: two of them would wait for each other.
 */
export async function changeRules(uow: UnitOfWork): Promise<void> {
  await Promise.all([lockRules(uow), uow.rows('update tenants set policy_revision = policy_revision + 1 where id = $1', [uow.tenantId])]);
}

/** For whoever only knows under the lock whether there is anything to change; then `changeRules` follows. */
export async function lockRules(uow: UnitOfWork): Promise<void> {
  await uow.rows(`select pg_advisory_xact_lock(${key})`, [uow.tenantId]);
}

// Tool calls that wait for their turn and have a place before it: whoever asked may ask again now.
import type { UnitOfWork } from '../platform/database.ts';

/** Those of `ids` that still wait for a later moment. */
export function bringForward(uow: UnitOfWork, ids: readonly string[], now: Date): void {
  uow.write(
    `update tool_calls set not_before = $3 where tenant_id = $1 and id = any($2::uuid[]) and status = 'waiting' and not_before > $3`,
    [uow.tenantId, [...ids], now],
  );
}

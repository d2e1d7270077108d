// Lines of rate limits move up: those who have a place now are called, each where it waits.
import type { Gate } from '../gate/gate-service.ts';
import type { JobPayloads } from '../jobs/jobs.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { bringForward } from '../toolcalls/bring-forward.ts';

interface MovingUp {
  readonly clock: Clock;
  readonly database: Database;
  readonly gate: Pick<Gate, 'callNext'>;
}

/** Two transactions: a tool call is locked before its counter, so not while that is held. May run any number of times. */
export async function moveLineUp({ clock, database, gate }: MovingUp, { tenantId, ...line }: JobPayloads['move-line-up']): Promise<void> {
  const calls = await database.write(tenantId, (uow) => gate.callNext(uow, line));
  if (calls.length > 0) await database.write(tenantId, async (uow) => bringForward(uow, calls, clock.now()));
}

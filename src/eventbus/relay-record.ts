// Writes what became of a turn's lines: the only writer of event_deliveries besides the service's redelivery.
import type { UnitOfWork } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';
import { sinkLimits } from './event-sink.ts';
import type { Held, Lease, Line, LineOutcome } from './turn.ts';

export function recordLines(uow: UnitOfWork, { tenantId, id: sinkId }: Lease, outcomes: readonly LineOutcome[], now: Date): void {
  const rowOf = (line: Line, { event, attempts, firstAttemptAt, nextAttemptAt, error }: Held) => ({
    id: newId(),
    eventTenantId: line.tenantId,
    executionId: line.executionId,
    ...{ sequence: event.sequence, type: event.type, attempts, firstAttemptAt, nextAttemptAt, error },
  });
  const again = outcomes.filter(({ line }) => line.delivery?.again);
  const inOrder = outcomes.filter(({ line }) => !line.delivery?.again);
  const done = outcomes.filter(
    ({ held: rest, dead, line }) => rest === null && line.delivery && (!line.delivery.again || dead.length === 0),
  );
  const behind = inOrder.flatMap(({ line, held: rest }) => (rest ? [rowOf(line, rest)] : []));
  const dead = inOrder.flatMap((outcome) => outcome.dead.map((each) => rowOf(outcome.line, each)));
  const retried = again.flatMap(({ line, held: rest, dead: given }) => {
    const each = rest ?? given[0];
    return each ? [{ ...rowOf(line, each), id: line.delivery!.id, status: rest ? 'redelivering' : 'dead_lettered' }] : [];
  });
  const rows = `jsonb_to_recordset($3::jsonb) as r (id uuid, "eventTenantId" uuid, "executionId" uuid, sequence int, type text, attempts int,
    "firstAttemptAt" timestamptz, "nextAttemptAt" timestamptz, error text, status text)`;
  // A hundred at a time, by when they were given up last, which their ids do not tell: more go with later turns.
  uow.write(
    `delete from event_deliveries where tenant_id = $1 and id in (
       select id from event_deliveries where tenant_id = $1 and sink_id = $2 and status = 'dead_lettered' and dead_lettered_at < $3
       order by dead_lettered_at, id limit 100)`,
    [tenantId, sinkId, new Date(now.getTime() - sinkLimits.keptDays * 86_400_000)],
  );
  const all = [done, behind, dead, retried];
  if (all.every((each) => each.length === 0)) return;
  if (done.length > 0) {
    uow.write('delete from event_deliveries where tenant_id = $1 and sink_id = $2 and id = any($3::uuid[])', [
      tenantId,
      sinkId,
      done.map(({ line }) => line.delivery!.id),
    ]);
  }
  const insert = (values: string) =>
    `insert into event_deliveries (id, tenant_id, sink_id, event_tenant_id, execution_id, sequence, type, status, attempts, first_attempt_at,
       next_attempt_at, last_error, created_at, dead_lettered_at) select r.id, $1, $2, r."eventTenantId", r."executionId", r.sequence, r.type, ${values} from ${rows}`;
  // What an execution goes on from moves on before the event it leaves behind gets a row of its own.
  if (behind.length > 0) {
    uow.write(
      `${insert(`'pending', r.attempts, r."firstAttemptAt", r."nextAttemptAt", r.error, $4, null`)}
       on conflict (sink_id, execution_id) where status = 'pending' do update set sequence = excluded.sequence, type = excluded.type,
         attempts = excluded.attempts, first_attempt_at = excluded.first_attempt_at, next_attempt_at = excluded.next_attempt_at,
         last_error = coalesce(excluded.last_error, event_deliveries.last_error)`,
      [tenantId, sinkId, JSON.stringify(behind), now],
    );
  }
  if (dead.length > 0) {
    uow.write(insert(`'dead_lettered', r.attempts, r."firstAttemptAt", null, r.error, $4, $4`), [
      tenantId,
      sinkId,
      JSON.stringify(dead),
      now,
    ]);
  }
  if (retried.length > 0) {
    uow.write(
      `update event_deliveries d set status = r.status, attempts = r.attempts, first_attempt_at = r."firstAttemptAt", last_error = r.error,
         next_attempt_at = case when r.status = 'redelivering' then r."nextAttemptAt" end,
         dead_lettered_at = case when r.status = 'dead_lettered' then $4::timestamptz end
       from ${rows} where d.tenant_id = $1 and d.sink_id = $2 and d.id = r.id`,
      [tenantId, sinkId, JSON.stringify(retried), now],
    );
  }
  countDeliveries(uow, sinkId);
}

/** Keeps what a sink says of its deliveries true. The caller holds the sink's row. */
export function countDeliveries(uow: UnitOfWork, sinkId: string): void {
  uow.write(
    `update event_sinks s set
       pending = (select count(*) from event_deliveries d where d.tenant_id = $1 and d.sink_id = $2 and d.status = 'pending'),
       wake_at = (select min(d.next_attempt_at) from event_deliveries d
         where d.tenant_id = $1 and d.sink_id = $2 and d.status in ('pending', 'redelivering'))
     where s.tenant_id = $1 and s.id = $2`,
    [uow.tenantId, sinkId],
  );
}

// One turn of a sink: what is to be sent next, and what became of it. A turn is read in one transaction and recorded in another, which
// fails when the lease was lost meanwhile: then somebody else sends the same events again, with the same ids.
import type pg from 'pg';
import type { FeedPosition } from '../events/event-service.ts';
import type { Database } from '../platform/database.ts';
import type { FeedEvent } from './cloud-event.ts';
import { recordLines } from './relay-record.ts';
import { sinkLimits, wants, type SinkStatus } from './event-sink.ts';
import type { Lease, Line, SinkState, Turn, TurnOutcome } from './turn.ts';

const columns = `id, tenant_id as "tenantId", origin, name, url, secret, types, project_id as "projectId", environment_id as "environmentId",
  max_attempts as "maxAttempts", max_age_seconds as "maxAgeSeconds", pending, failures,
  transaction_id::text as "transactionId", execution_id as "executionId", sequence`;
const feedColumns = `f.tenant_id as "tenantId", f.execution_id as "executionId", f.sequence, f.type, f.data, f.occurred_at as "occurredAt",
  f.transaction_id::text as "transactionId", f.project_id as "projectId", f.environment_id as "environmentId"`;
/** Whose lease it is, in statements whose first four parameters are those of `leaseOf`. */
const held = 'tenant_id = $1 and id = $2 and lease_owner = $3 and fence = $4';

/** How many events of a line are read at a time. */
const lineLength = 50;

interface Due {
  readonly id: string;
  readonly eventTenantId: string;
  readonly executionId: string;
  readonly sequence: number;
  readonly status: 'pending' | 'redelivering';
  readonly attempts: number;
  readonly firstAttemptAt: string | null;
}

type Raw = Omit<FeedEvent, 'occurredAt'> & { readonly occurredAt: string };
const fromRaw = (row: Raw): FeedEvent => ({ ...row, occurredAt: new Date(row.occurredAt) });

export interface TurnDependencies {
  readonly database: Database;
  /** Of the owner of the tables: reads the feeds of all tenants, for sinks of the operator. */
  readonly pool: Pick<pg.Pool, 'query'>;
  /** Names this process in leases. */
  readonly owner: string;
}

export function createTurns({ database, pool, owner }: TurnDependencies) {
  const leaseOf = ({ tenantId, id, fence }: Lease) => [tenantId, id, owner, fence];

  async function news(sink: SinkState, most: number): Promise<FeedEvent[]> {
    if (sink.origin === 'operator') {
      const { rows } = await pool.query<Raw>(
        `select ${feedColumns} from eventbus.operator_feed($1, $2) f order by f.transaction_id, f.execution_id, f.sequence`,
        [sink.id, most],
      );
      return rows.map(fromRaw);
    }
    const { transactionId, executionId, sequence } = sink;
    const rows = await database.read(sink.tenantId, (uow) =>
      uow.rows<Raw>(
        `select ${feedColumns} from eventbus.tenant_feed($1, $2, $3, $4, pg_snapshot_xmin(pg_current_snapshot()), $5) f
         order by f.transaction_id, f.execution_id, f.sequence`,
        [sink.tenantId, transactionId, executionId, sequence, most],
      ),
    );
    return rows.map(fromRaw);
  }

  /** The events of deliveries that are due, each followed by what waits behind it, that of this turn included. */
  async function dueLines(sink: SinkState, due: readonly Due[], until: FeedPosition): Promise<Line[]> {
    const lines: Line[] = [];
    for (const [tenantId, own] of Map.groupBy(due, (each) => each.eventTenantId)) {
      const rows = await database.read(tenantId, (uow) =>
        uow.rows<Raw & { deliveryId: string }>(
          `select d.id as "deliveryId", ${feedColumns} from unnest($2::uuid[], $3::uuid[], $4::int[], $5::int[]) as d (id, execution_id, sequence, most)
           cross join lateral (
             select e.*, x.project_id, x.environment_id from execution_events e
             left join executions x on x.tenant_id = $1 and x.id = e.execution_id
             where e.tenant_id = $1 and e.execution_id = d.execution_id and e.sequence >= d.sequence
               and (e.transaction_id, e.execution_id, e.sequence) <= ($6::xid8, $7::uuid, $8::int)
             order by e.sequence limit d.most) f
           order by f.sequence`,
          [
            tenantId,
            own.map(({ id }) => id),
            own.map(({ executionId }) => executionId),
            own.map(({ sequence }) => sequence),
            own.map(({ status }) => (status === 'pending' ? lineLength + 1 : 1)),
            ...[until.transactionId, until.executionId, until.sequence],
          ],
        ),
      );
      const byDelivery = Map.groupBy(rows, ({ deliveryId }) => deliveryId);
      for (const each of own) {
        const all = (byDelivery.get(each.id) ?? []).map(fromRaw);
        const again = each.status === 'redelivering';
        const events = all.slice(0, lineLength).filter((event) => again || wants(sink, event));
        lines.push({
          ...{ tenantId, executionId: each.executionId, delivery: { id: each.id, again }, events, rest: all[lineLength] ?? null },
          ...(events[0]?.sequence === each.sequence
            ? { attempts: each.attempts, firstAttemptAt: each.firstAttemptAt === null ? null : new Date(each.firstAttemptAt) }
            : { attempts: 0, firstAttemptAt: null }),
        });
      }
    }
    return lines;
  }

  return {
    /** Null when nothing is due, or the lease was lost. A sink that failed last gets one event to try, whatever unwanted ones precede it. */
    async next(lease: Lease, now: Date): Promise<Turn | null> {
      const found = await database.read(lease.tenantId, async (uow) => {
        const [sink] = await uow.rows<SinkState>(
          `select ${columns} from event_sinks where ${held} and status = 'active' and (retry_at is null or retry_at <= $5)
             and not exists (select from tenants where id = $1 and archived_at is not null)`,
          [...leaseOf(lease), now],
        );
        if (!sink) return null;
        const due = await uow.rows<Due>(
          `select id, event_tenant_id as "eventTenantId", execution_id as "executionId", sequence, status, attempts,
             first_attempt_at as "firstAttemptAt" from event_deliveries
           where tenant_id = $1 and sink_id = $2 and status in ('pending', 'redelivering') and next_attempt_at <= $3 order by next_attempt_at, id limit $4`,
          [sink.tenantId, sink.id, now, sink.failures > 0 ? 1 : sinkLimits.pending],
        );
        const behind = await uow.rows<{ id: string }>(
          `select execution_id as id from event_deliveries where tenant_id = $1 and sink_id = $2 and status = 'pending'`,
          [sink.tenantId, sink.id],
        );
        return { sink, due, behind: new Set(behind.map(({ id }) => id)) };
      });
      if (!found) return null;
      const { sink, due, behind } = found;
      const probing = sink.failures > 0;
      const takesNews = behind.size < sinkLimits.pending && !(probing && due.length > 0);
      const read = takesNews ? await news(sink, sinkLimits.batch) : [];
      if (due.length === 0 && read.length === 0) return null;
      const isToBeSent = (event: FeedEvent) => wants(sink, event) && !behind.has(event.executionId);
      const first = read.findIndex(isToBeSent);
      const fresh = probing && first >= 0 ? read.slice(0, first + 1) : read;
      const wanted = fresh.filter(isToBeSent);
      const lines = [...Map.groupBy(wanted, (event) => event.executionId).values()].map((events): Line => {
        const { tenantId, executionId } = events[0]!;
        return { tenantId, executionId, delivery: null, attempts: 0, firstAttemptAt: null, events, rest: null };
      });
      const place = fresh.at(-1) ?? sink;
      return { sink, lines: [...(await dueLines(sink, due, place)), ...lines], place };
    },

    /** False when the lease was lost: nothing is recorded. */
    record: (lease: Lease, turn: Turn, outcome: TurnOutcome, now: Date): Promise<boolean> =>
      database.write(lease.tenantId, async (uow) => {
        const { place } = turn;
        const delivered = outcome.lines.some((line) => line.delivered > 0);
        const kept = await uow.rows<{ status: SinkStatus }>(
          `update event_sinks set transaction_id = $5, execution_id = $6, sequence = $7, failures = $8,
             retry_at = case when $8 > 0 then coalesce($9, retry_at) end,
             last_success_at = case when $10 then $11 else last_success_at end, last_error = coalesce($12, last_error),
             last_error_at = case when $12::text is null then last_error_at else $11 end,
             status = case when $13::text is null then status else 'paused' end, paused_reason = coalesce($13, paused_reason)
           where ${held} returning status`,
          [
            ...[...leaseOf(lease), place.transactionId, place.executionId, place.sequence, outcome.failures, outcome.retryAt],
            ...[delivered, now, outcome.error, outcome.pausedReason],
          ],
        );
        if (kept.length === 0) return false;
        recordLines(uow, lease, outcome.lines, now);
        return true;
      }),

    /** Gives the sink back: whoever looks next, and not before `restMs`, may take it. */
    async release(lease: Lease, restMs: number): Promise<void> {
      await database.write(lease.tenantId, async (uow) => {
        uow.write(
          `update event_sinks set lease_owner = null, lease_until = clock_timestamp() + make_interval(secs => $5 / 1000.0) where ${held}`,
          [...leaseOf(lease), restMs],
        );
      });
    },
  };
}

export type Turns = ReturnType<typeof createTurns>;

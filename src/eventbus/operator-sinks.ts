// Sinks of the operator as rows of the first tenant: made when a runner first sees them in its configuration, changed with it.
import type pg from 'pg';
import { newId } from '../platform/ids.ts';
import { kindOf, shownUrl, type OperatorSink } from './operator-sink.ts';

/** What is not in the configuration any more stays as it is until it is deleted: other runners may still have it. */
export async function announceOperatorSinks(pool: Pick<pg.Pool, 'query'>, sinks: readonly OperatorSink[], now: Date): Promise<void> {
  for (const sink of sinks) {
    await pool.query(
      `insert into event_sinks as s (id, tenant_id, origin, name, kind, url, types, tenants, max_attempts, max_age_seconds, status,
         transaction_id, execution_id, sequence, created_at, updated_at)
       select $1, t.id, 'operator', $2, $3, $4, $5::text[], $6::text[], $7, $8, 'active',
         case when $9 then '0'::xid8 else (pg_snapshot_xmin(pg_current_snapshot())::text::numeric - 1)::text::xid8 end,
         'ffffffff-ffff-ffff-ffff-ffffffffffff', 2147483647, $10, $10
       from tenants t where t.is_operator
       on conflict (tenant_id, origin, name) do update set kind = excluded.kind, url = excluded.url, types = excluded.types,
         tenants = excluded.tenants, max_attempts = excluded.max_attempts, max_age_seconds = excluded.max_age_seconds, updated_at = $10
       where (s.kind, s.url, s.types, s.max_attempts, s.max_age_seconds) <> (excluded.kind, excluded.url, excluded.types,
         excluded.max_attempts, excluded.max_age_seconds) or s.tenants is distinct from excluded.tenants`,
      [
        ...[newId(), sink.name, kindOf(sink), shownUrl(sink.target), [...sink.types], sink.tenants ? [...sink.tenants] : null],
        ...[sink.maxAttempts, sink.maxAgeSeconds, sink.from === 'beginning', now],
      ],
    );
  }
}

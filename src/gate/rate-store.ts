// Counters of rate limits; with rate-line.ts the only SQL on their tables. Whoever reads one holds its row until the commit, so that what was read still
// holds when it counts; time within a counter is Postgres' and never runs back. Why it is so: docs/decisions/0027-turns-and-delays.md.
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';
import type { RateFact } from '../rules/gate.ts';
import type { RateDemand } from '../rules/judge.ts';
import { lockCounters, offerPlaces } from './rate-line.ts';

/** What may have a place in line: a slot of an execution, its start, or a call of an agent that runs elsewhere. */
export interface RateHolder {
  readonly executionId: string | null;
  readonly slot: string;
}

export interface RateReading {
  readonly demand: RateDemand;
  readonly fact: RateFact;
  /** The place in line that the holder has already. */
  readonly placeId: string | null;
  /** From the counter's time until the moment it was told; what is not above zero is due. Null without a place. */
  readonly toldMs: number | null;
  /** From the counter's time until it may run. */
  readonly waitMs: number;
}

/** Locks the counters and reads them. `at`: the moment of the evaluation; `time`: in place of Postgres' clock. */
export async function readRates(
  uow: UnitOfWork,
  demands: readonly RateDemand[],
  holder: RateHolder,
  at: Date,
  time: Clock | null,
): Promise<RateReading[]> {
  const sorted = demands.toSorted((a, b) => (a.policyId + a.key < b.policyId + b.key ? -1 : 1));
  const policyIds = sorted.map(({ policyId }) => policyId);
  const keys = sorted.map(({ key }) => key);
  lockCounters(uow, policyIds, keys, time);
  const rows = await uow.rows<{ placeId: string | null; toldMs: number | null; waitedMs: number | null; count: number; waitMs: number }>(
    `select own.id as "placeId", (extract(epoch from own.at - c.last_at) * 1000)::float8 as "toldMs",
       ceil(extract(epoch from c.last_at - own.asked_at) * 1000)::float8 as "waitedMs", others.count,
       greatest(ceil(extract(epoch from others.oldest + width - c.last_at) * 1000), 0)::float8 as "waitMs"
     from unnest($2::uuid[], $3::text[], $4::int[], $5::bigint[]) with ordinality as asked (policy_id, key, most, window_ms, place)
       join rate_counters c on c.tenant_id = $1 and c.policy_id = asked.policy_id and c.key = asked.key
       cross join lateral (select make_interval(secs => window_ms / 1000.0) as width) as w
       left join lateral (
         select id, at, asked_at from rate_entries
         where tenant_id = $1 and policy_id = asked.policy_id and key = asked.key and asked_at is not null
           and execution_id is not distinct from $6::uuid and slot = $7 limit 1) as own on true
       cross join lateral (
         select count(*) filter (where at > c.last_at - width)::int as count, case when count(*) = most then min(at) end as oldest
         from (
           select at from rate_entries
           where tenant_id = $1 and policy_id = asked.policy_id and key = asked.key
             and (asked_at is null or own.id is null or (asked_at, id) < (own.asked_at, own.id))
           order by at desc limit most) as newest) as others
     order by place`,
    [
      uow.tenantId,
      policyIds,
      keys,
      sorted.map(({ limit }) => limit),
      sorted.map(({ windowMs }) => windowMs),
      holder.executionId,
      holder.slot,
    ],
  );
  return rows.map(({ placeId, toldMs, waitedMs, count, waitMs }, index) => {
    const demand = sorted[index]!;
    const { key, limit, windowMs } = demand;
    const moment = (ms: number) => new Date(at.getTime() + ms).toISOString();
    const askedAt = waitedMs === null ? {} : { askedAt: moment(-waitedMs) };
    return { demand, placeId, toldMs, waitMs, fact: { key, limit, windowMs, count, freeAt: moment(waitMs), ...askedAt } };
  });
}

/** It runs: it counts from now on. What has left the window is forgotten. */
export function countRates(uow: UnitOfWork, readings: readonly RateReading[], executionId: string | null): void {
  if (readings.length === 0) return;
  const [policyIds, keys] = columnsOf(readings);
  // Before its moment: that is there for the next one.
  offerPlaces(uow, 'used', placesOf(readings.filter(({ toldMs }) => toldMs !== null && toldMs > 0)));
  uow.write(
    `insert into rate_entries as e (id, tenant_id, policy_id, key, at, execution_id)
     select asked.id, $1, c.policy_id, c.key, c.last_at, $5
     from unnest($2::uuid[], $3::text[], $4::uuid[]) as asked (policy_id, key, id)
       join rate_counters c on c.tenant_id = $1 and c.policy_id = asked.policy_id and c.key = asked.key
     on conflict (id) do update set at = excluded.at, asked_at = null, slot = null`,
    [uow.tenantId, policyIds, keys, readings.map(({ placeId }) => placeId ?? newId()), executionId],
  );
  uow.write(
    `delete from rate_entries e using unnest($2::uuid[], $3::text[], $4::bigint[]) as asked (policy_id, key, window_ms), rate_counters c
     where e.tenant_id = $1 and e.policy_id = asked.policy_id and e.key = asked.key and e.asked_at is null
       and c.tenant_id = $1 and c.policy_id = asked.policy_id and c.key = asked.key
       and e.at <= c.last_at - make_interval(secs => asked.window_ms / 1000.0)`,
    [uow.tenantId, policyIds, keys, readings.map(({ demand }) => demand.windowMs)],
  );
}

/** One count of so many tidies up after others. */
const tidiesEvery = 256;
/** Longer than any window: what counters of policies that are gone have counted is of no use after it. */
const longest = "interval '32 days'";

/** Counters that nothing counts in any more: of the same policy after its window, of others after any. Takes no lock that somebody holds. */
export function forgetOld(uow: UnitOfWork, [first]: readonly RateReading[], chance = Math.random()): void {
  if (!first || chance >= 1 / tidiesEvery) return;
  const { policyId, key, windowMs } = first.demand;
  uow.write(
    `with old as (
       select o.policy_id, o.key from rate_counters o join rate_counters c on c.tenant_id = $1 and c.policy_id = $2 and c.key = $3
       where o.tenant_id = $1
         and o.last_at <= c.last_at - case when o.policy_id = $2 then make_interval(secs => $4::bigint / 1000.0) else ${longest} end
         and not exists (select from rate_entries e where e.tenant_id = $1 and e.policy_id = o.policy_id and e.key = o.key
           and e.asked_at is not null and e.at > c.last_at - ${longest})
       limit 200 for update of o skip locked),
     entries as (
       delete from rate_entries e using old where e.tenant_id = $1 and e.policy_id = old.policy_id and e.key = old.key)
     delete from rate_counters o using old where o.tenant_id = $1 and o.policy_id = old.policy_id and o.key = old.key`,
    [uow.tenantId, policyId, key, windowMs],
  );
}

/** It waits in line: the moment it was told is kept for it. */
export function reserveRates(uow: UnitOfWork, readings: readonly RateReading[], { executionId, slot }: RateHolder): void {
  if (readings.length === 0) return;
  const [policyIds, keys] = columnsOf(readings);
  // It has moved up, by more than is rounded.
  offerPlaces(uow, 'used', placesOf(readings.filter(({ toldMs, waitMs }) => toldMs !== null && waitMs < toldMs - 1)));
  uow.write(
    `insert into rate_entries as e (id, tenant_id, policy_id, key, at, asked_at, execution_id, slot)
     select asked.id, $1, c.policy_id, c.key, c.last_at + make_interval(secs => asked.wait_ms / 1000.0), c.last_at, $6, $7
     from unnest($2::uuid[], $3::text[], $4::uuid[], $5::float8[]) as asked (policy_id, key, id, wait_ms)
       join rate_counters c on c.tenant_id = $1 and c.policy_id = asked.policy_id and c.key = asked.key
     on conflict (id) do update set at = excluded.at`,
    [
      uow.tenantId,
      policyIds,
      keys,
      readings.map(({ placeId }) => placeId ?? newId()),
      readings.map(({ waitMs }) => waitMs),
      executionId,
      slot,
    ],
  );
}

/** It will not run: its places are free again. */
export function giveBackRates(uow: UnitOfWork, readings: readonly RateReading[]): void {
  offerPlaces(uow, 'unused', placesOf(readings));
}

/** The execution has ended: whatever of it waits in line does so no longer. */
export function leaveLines(uow: UnitOfWork, executionIds: readonly string[]): void {
  offerPlaces(uow, 'ended', executionIds);
}

const placesOf = (readings: readonly RateReading[]): string[] => readings.flatMap(({ placeId }) => placeId ?? []);

const columnsOf = (readings: readonly RateReading[]): [string[], string[]] => [
  readings.map(({ demand }) => demand.policyId),
  readings.map(({ demand }) => demand.key),
];

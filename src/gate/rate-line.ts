// Lines of rate limits: a moment that somebody in line no longer needs is offered to whoever comes next, by one job at that moment. With
// rate-store.ts the only SQL on their tables. Why it is so: docs/decisions/0027-turns-and-delays.md.
import { enqueue, type JobPayloads, type NewJob } from '../jobs/jobs.ts';
import type { Clock } from '../platform/clock.ts';
import { parseDuration } from '../platform/duration.ts';
import type { UnitOfWork } from '../platform/database.ts';
import type { PolicyDocument } from '../rules/policy.ts';
import type { RateLimitRules } from '../rules/rate-rules.ts';

type Line = Omit<JobPayloads['move-line-up'], 'tenantId'>;

/** Sorted, so that everybody takes them in one order. What is read after it sees those committed that this has waited for. */
export function lockCounters(uow: UnitOfWork, policyIds: readonly string[], keys: readonly string[], time: Clock | null): void {
  uow.write(
    `insert into rate_counters as c (tenant_id, policy_id, key, last_at)
     select $1, policy_id, key, coalesce($4::timestamptz, clock_timestamp())
     from unnest($2::uuid[], $3::text[]) with ordinality as asked (policy_id, key, place) order by place
     on conflict (tenant_id, policy_id, key) do update set last_at = greatest(c.last_at, coalesce($4::timestamptz, clock_timestamp()))`,
    [uow.tenantId, policyIds, keys, time?.now() ?? null],
  );
}

const inLine = (by: 'id' | 'execution_id') => `from rate_entries where tenant_id = $1 and ${by} = any($2::uuid[]) and asked_at is not null`;
const members = 'id, policy_id, key, at';
const going = {
  /** They are about to be taken, or to move up. */
  used: `select ${members} ${inLine('id')}`,
  unused: `delete ${inLine('id')} returning ${members}`,
  /** All of these executions; unused. */
  ended: `delete ${inLine('execution_id')} returning ${members}`,
} as const;

/**
 * Places in line that their holders do not need; what is not used is deleted. At the moment of each the line is looked at, if anybody
 * stands behind it; and at once where it is not used, since one that had been called may be among them. However many have the same
 * moment, it is one job.
 */
export function offerPlaces(uow: UnitOfWork, why: keyof typeof going, ids: readonly string[]): void {
  if (ids.length === 0) return;
  uow.write(
    `with going as (${going[why]}),
     lines as (
       select going.policy_id, going.key, staying.at as last_at
       from (select policy_id, key, array_agg(id) as ids, min(at) as at from going group by 1, 2) as going cross join lateral (
         select e.at from rate_entries e
         where e.tenant_id = $1 and e.policy_id = going.policy_id and e.key = going.key and e.at >= going.at and e.asked_at is not null
           and e.id <> all(going.ids)
         order by e.at desc limit 1) as staying)
     select jobs.enqueue(json_agg(json_build_object('identifier', 'move-line-up', 'run_at', at,
       'job_key', 'line ' || policy_id || ' ' || md5(key) || ' ' || coalesce(extract(epoch from at)::text, 'now'),
       'payload', json_build_object('tenantId', $1::uuid, 'policyId', policy_id, 'key', key)) order by policy_id, key, at))
     from (
       select distinct policy_id, key, look.at from going join lines using (policy_id, key)
         cross join lateral (select going.at union all select null where not $3::boolean) as look
       where going.at <= lines.last_at) as moments
     having count(*) > 0`,
    [uow.tenantId, [...ids], why === 'used'],
  );
}

interface Front {
  readonly free: number;
  /** When the next place is free, if that is before the moment that the first in line was told. */
  readonly freeAt: string | null;
  readonly executionId: string | null;
  readonly slot: string | null;
}

/**
 * Job `move-line-up`: as many as have a place now are called, in the order they asked; they are judged anew, so one that is
 * called in vain keeps its place. Gives the ids of the tool calls among them. May run any number of times.
 */
export async function callNext(uow: UnitOfWork, { policyId, key }: Line, time: Clock | null): Promise<string[]> {
  const [policy] = await uow.rows<{ document: PolicyDocument }>(
    `select v.rules as document from policies p join policy_versions v on v.tenant_id = p.tenant_id and v.policy_id = p.id and v.version = p.version
     where p.tenant_id = $1 and p.id = $2 and p.enabled and p.deleted_at is null`,
    [uow.tenantId, policyId],
  );
  // It holds nobody any more: whoever is in line keeps the moment.
  if (policy?.document.kind !== 'rate_limit') return [];
  const { limit, window } = policy.document.rules as RateLimitRules;
  lockCounters(uow, [policyId], [key], time);
  const front = await uow.rows<Front>(
    `with c as (
       select last_at, make_interval(secs => $5::bigint / 1000.0) as width from rate_counters
       where tenant_id = $1 and policy_id = $2 and key = $3),
     taken as (
       select $4::int - count(*)::int as free, min(at) as oldest from (
         select e.at from rate_entries e, c
         where e.tenant_id = $1 and e.policy_id = $2 and e.key = $3 and e.at > c.last_at - c.width and e.at <= c.last_at
         order by e.at desc limit $4::int) as newest),
     line as (
       select e.execution_id, e.slot, e.at, e.asked_at, e.id from rate_entries e, c
       where e.tenant_id = $1 and e.policy_id = $2 and e.key = $3 and e.asked_at is not null and e.at > c.last_at
       order by e.asked_at, e.id limit greatest((select free from taken), 1))
     select free, execution_id as "executionId", slot,
       case when free = 0 and oldest + width < at - interval '1 ms' then date_trunc('ms', oldest + width + interval '999 us') end as "freeAt"
     from line, taken, c order by asked_at, id`,
    [uow.tenantId, policyId, key, limit, parseDuration(window)!],
  );
  const [first] = front;
  if (!first) return [];
  if (first.free === 0) {
    const payload = { tenantId: uow.tenantId, policyId, key };
    // Somebody ahead came late: the place is free later than it was, and earlier than the next one was told.
    if (first.freeAt !== null) await enqueue(uow, [{ name: 'move-line-up', payload, runAt: new Date(first.freeAt) }]);
    return [];
  }
  await enqueue(
    uow,
    front.flatMap((each) => jobOf(uow, each) ?? []),
  );
  return front.flatMap(({ executionId, slot }) => (executionId === null && slot !== null ? [slot] : []));
}

/** `slot` as in `holderOf`: empty for the start of the execution. */
function jobOf({ tenantId }: UnitOfWork, { executionId, slot }: Front): NewJob | null {
  if (executionId === null || slot === null) return null;
  const payload = { tenantId, executionId, early: true } as const;
  if (slot === '') return { name: 'run-execution', payload };
  const end = slot.lastIndexOf('#');
  return { name: 'run-step', payload: { ...payload, stepId: slot.slice(0, end), itemIndex: Number(slot.slice(end + 1)) } };
}

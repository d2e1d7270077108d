// The queue: which executions may begin. One is admitted at once while nothing stands in its way, else it joins the backlog of its tenant,
// from which the job `admit-executions` lets in as many as limits and waiting room allow. The SQL of both gates is in the functions
// `jobs.enter_queue` and `jobs.admit_soon` (migrations/*-queue.ts); why it is so: docs/decisions/0015-queues.md.
import { isFinalEvent, type NewEvent } from '../events/catalogue.ts';
import { enqueue, type NewJob } from '../jobs/jobs.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import type { LockedRow } from './execution-rows.ts';

export const lowestPriority = 9;
export const defaultPriority = 5;

/** Executions of one tenant that are admitted and that no runner has taken up yet: what another tenant may find before it in the line. */
export const waitingRoom = 32;

/** Whoever is one place further back in its own tenant's line gets a job this much later; milliseconds. */
const placeMs = 1_000;

/** While a tenant has a backlog it is looked at this often, whatever wakes were lost; milliseconds. */
const lookAgainMs = 2_000;

export interface Place {
  readonly projectId: string;
  readonly environmentId: string;
  readonly agentId: string;
  readonly priority: number;
}

/** Where a new or resumed execution stands: admitted, with the moment that is its place in the line of jobs; or in the backlog. */
export interface Entry {
  readonly admittedAt: Date | null;
  readonly backlogAt: Date | null;
  readonly runAt: Date | null;
}

/** Its time has not come: it gets in line then. */
export const notYet: Entry = { admittedAt: null, backlogAt: null, runAt: null };

/** One statement. Whoever joins the backlog is looked at right after the commit. */
export async function enterQueue(uow: UnitOfWork, clock: Clock, place: Place): Promise<Entry> {
  const { projectId, environmentId, agentId, priority } = place;
  const [answer] = await uow.rows<{ runAt: string | null }>(
    `select jobs.enter_queue($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::int, $6::int, $7::int) as "runAt"`,
    [uow.tenantId, projectId, environmentId, agentId, priority, waitingRoom, placeMs],
  );
  const now = clock.now();
  const runAt = answer!.runAt;
  return runAt === null ? { admittedAt: null, backlogAt: now, runAt: null } : { admittedAt: now, backlogAt: null, runAt: new Date(runAt) };
}

/** An execution that had left the queue (pause) or was not in it yet (its time has come) gets in line. */
export async function reenterQueue(uow: UnitOfWork, clock: Clock, row: LockedRow): Promise<Entry> {
  const entry = await enterQueue(uow, clock, row);
  await uow.rows('update executions set admitted_at = $3, backlog_at = $4 where tenant_id = $1 and id = $2', [
    uow.tenantId,
    row.id,
    entry.admittedAt,
    entry.backlogAt,
  ]);
  return entry;
}

/** The job that begins an admitted execution; none for one in the backlog, whose admission adds it. */
export function jobsOfEntry(uow: UnitOfWork, executionId: string, { runAt }: Entry): NewJob[] {
  return runAt ? [{ name: 'run-execution', payload: { tenantId: uow.tenantId, executionId }, runAt }] : [];
}

/** May the job that carries it begin it? One whose time has come gets in line here; one in the backlog has to wait for its own job. */
export async function mayBegin(uow: UnitOfWork, clock: Clock, row: LockedRow): Promise<boolean> {
  if (row.admittedAt !== null) return true;
  const isOutside = !row.inBacklog && (row.status === 'queued' || row.status === 'scheduled');
  return isOutside && (await reenterQueue(uow, clock, row)).admittedAt !== null;
}

/** After such an event another execution of the tenant may perhaps begin: this one was taken up, waits for something, or has ended. */
export const makesRoom = ({ type }: NewEvent): boolean =>
  type === 'execution.started' || type === 'execution.waiting' || type === 'execution.paused' || isFinalEvent(type);

/** Looks after the commit who may begin now, if anybody waits; costs the transaction no round trip. */
export const makeRoom = (uow: UnitOfWork): void => uow.write('select jobs.make_room($1::uuid)', [uow.tenantId]);

interface Candidate extends Place {
  readonly id: string;
}

/** Job `admit-executions`: fills the waiting room of a tenant from its backlog, by priority and age, as far as the limits allow. */
export async function admitExecutions(uow: UnitOfWork, clock: Clock, { idle }: { readonly idle: boolean }): Promise<number> {
  // Waits until whoever relies on this look has committed, and keeps others from looking at the same time. Then a fresh snapshot.
  await uow.rows('select pg_advisory_xact_lock(jobs.queue_lock($1::uuid, 1))', [uow.tenantId]);
  const waiting = await uow.rows<{ priority: number; count: number }>(
    `select priority, count(*)::int as count from executions
     where tenant_id = $1 and admitted_at is not null and status in ('queued', 'scheduled') group by 1`,
    [uow.tenantId],
  );
  const ahead = new Map(waiting.map(({ priority, count }) => [priority, count]));
  let room = waitingRoom - waiting.reduce((sum, { count }) => sum + count, 0);
  const usage = await readUsage(uow);
  const tried: string[] = [];
  let admitted = 0;
  while (room > 0) {
    const candidates = await bestOf(uow, usage.saturated(), tried, room);
    if (candidates.length === 0) break;
    const chosen = candidates.filter((candidate) => usage.take(candidate));
    tried.push(...chosen.map(({ id }) => id));
    if (chosen.length === 0) continue;
    const moved = await moveIn(uow, clock, chosen, ahead);
    // Somebody else holds the others, to cancel or pause them: their places are free again.
    for (const candidate of chosen) if (!moved.has(candidate.id)) usage.giveBack(candidate);
    room -= moved.size;
    admitted += moved.size;
  }
  await lookAgain(uow, idle);
  return admitted;
}

interface Usage {
  /** Ids of tenant, projects, environments and agents that run as much as they may. */
  saturated(): string[];
  take(place: Place): boolean;
  giveBack(place: Place): void;
}

/** What runs, and is admitted to run, under each limit. Nothing is counted for a tenant without limits. */
async function readUsage(uow: UnitOfWork): Promise<Usage> {
  const limits = await uow.rows<{ scopeId: string; maxRunning: number }>(
    'select scope_id as "scopeId", max_running as "maxRunning" from concurrency_limits where tenant_id = $1',
    [uow.tenantId],
  );
  const left = new Map(limits.map(({ scopeId, maxRunning }) => [scopeId, maxRunning]));
  const scopesOf = ({ projectId, environmentId, agentId }: Omit<Place, 'priority'>) =>
    [uow.tenantId, projectId, environmentId, agentId].filter((id) => left.has(id));
  const use = (place: Omit<Place, 'priority'>, count: number) => {
    for (const id of scopesOf(place)) left.set(id, left.get(id)! - count);
  };
  if (limits.length > 0) {
    const active = await uow.rows<Omit<Place, 'priority'> & { count: number }>(
      `select project_id as "projectId", environment_id as "environmentId", agent_id as "agentId", count(*)::int as count from (
         select project_id, environment_id, agent_id from executions where tenant_id = $1 and status = 'running'
         union all
         select project_id, environment_id, agent_id from executions
         where tenant_id = $1 and admitted_at is not null and status in ('queued', 'scheduled')
       ) as active group by 1, 2, 3`,
      [uow.tenantId],
    );
    for (const { count, ...place } of active) use(place, count);
  }
  return {
    saturated: () => [...left].filter(([, free]) => free <= 0).map(([id]) => id),
    take(place) {
      if (scopesOf(place).some((id) => left.get(id)! <= 0)) return false;
      use(place, 1);
      return true;
    },
    giveBack: (place) => use(place, -1),
  };
}

/**
 * The best of the backlog, by priority and age, without what cannot run: of each agent and environment in it the first few. So a long
 * line of a saturated agent costs one step of the index, however long it is.
 */
async function bestOf(uow: UnitOfWork, saturated: readonly string[], tried: readonly string[], room: number): Promise<Candidate[]> {
  if (saturated.includes(uow.tenantId)) return [];
  return uow.rows<Candidate>(
    `with recursive lines as (
       (select agent_id, environment_id from executions where tenant_id = $1 and backlog_at is not null
        order by agent_id, environment_id limit 1)
       union all
       select following.* from lines, lateral (
         select agent_id, environment_id from executions
         where tenant_id = $1 and backlog_at is not null and (agent_id, environment_id) > (lines.agent_id, lines.environment_id)
         order by agent_id, environment_id limit 1) as following
     )
     select best.* from lines cross join lateral (
       select id, project_id as "projectId", environment_id as "environmentId", agent_id as "agentId", priority from executions
       where tenant_id = $1 and backlog_at is not null and agent_id = lines.agent_id and environment_id = lines.environment_id
         and project_id <> all($2::uuid[]) and id <> all($3::uuid[])
       order by priority, id limit $4) as best
     where lines.agent_id <> all($2::uuid[]) and lines.environment_id <> all($2::uuid[])
     order by best.priority, best.id limit $4`,
    [uow.tenantId, saturated, tried, room],
  );
}

/** Admits those of the chosen that nobody else holds. `ahead`, how many of each priority wait already, is kept true. */
async function moveIn(uow: UnitOfWork, clock: Clock, chosen: readonly Candidate[], ahead: Map<number, number>): Promise<Set<string>> {
  const moved = await uow.rows<{ id: string; now: string }>(
    `update executions set admitted_at = $3, backlog_at = null where tenant_id = $1 and id in (
       select id from executions where tenant_id = $1 and id = any($2::uuid[]) and backlog_at is not null for update skip locked)
     returning id, now() as now`,
    [uow.tenantId, chosen.map(({ id }) => id), clock.now()],
  );
  const ids = new Set(moved.map(({ id }) => id));
  const now = moved[0] ? Date.parse(moved[0].now) : 0;
  const jobs = chosen
    .filter(({ id }) => ids.has(id))
    .map(({ id: executionId, priority }): NewJob => {
      const place = [...ahead].reduce((sum, [other, count]) => (other <= priority ? sum + count : sum), 0);
      ahead.set(priority, (ahead.get(priority) ?? 0) + 1);
      const runAt = new Date(now - Math.max(waitingRoom - 1 - place, 0) * placeMs);
      return { name: 'run-execution', payload: { tenantId: uow.tenantId, executionId }, runAt };
    });
  await enqueue(uow, jobs);
  return ids;
}

/** The backlog is looked at until it is empty, and once more: an execution may be joining it that this look did not see. */
async function lookAgain(uow: UnitOfWork, idle: boolean): Promise<void> {
  await uow.rows(
    `select jobs.admit_soon($1::uuid, $2::int, not has_backlog) from (
       select exists (select from executions where tenant_id = $1 and backlog_at is not null) as has_backlog) as seen
     where has_backlog or not $3::boolean`,
    [uow.tenantId, lookAgainMs, idle],
  );
}

// The job queue of an engine, turned by hand: the test decides what time it is and when work is done, in one order, without a runner.
// Jobs are the real ones of the database; carrying and effects are the runner's own.
import pg from 'pg';
import type { Clock } from '#src/platform/clock.ts';
import type { Database, UnitOfWork } from '#src/platform/database.ts';
import { admitExecutions } from '#src/executions/admission.ts';
import { carry } from '#src/runner/carry.ts';
import { createEffects } from '#src/runner/effects.ts';
import { continueBatch } from '#src/runner/halting.ts';
import { moveLineUp } from '#src/runner/moving-up.ts';
import { createDelivery } from '#src/webhooks/deliver.ts';
import { createLogger } from '#src/platform/logger.ts';
import { testEngine, type Engine, type FakeTool } from './engine.ts';
import { localOutbound as outbound } from './outbound.ts';

export interface TurnableClock extends Clock {
  advance(milliseconds: number): void;
}

export interface HandEngine extends Engine {
  readonly clock: TurnableClock;
  /** Runs every job that is due by the clock until none is; gives their number. */
  work(): Promise<number>;
  /** Runs one due job, as the only run of it or as its `run`th; false when none is due. */
  workOnce(run?: number): Promise<boolean>;
  /** Numbers of statements of the write transactions since the last call. */
  takeStatements(): number[];
  /**
   * From now on the runner dies in the write transactions that `at` names, by their number from 0: `inside`, before the commit, or
   * right `after` it. The job then runs again, as after a takeover. Gives how many transactions there were so far; null ends it.
   */
  dieAt(at: ((write: number) => 'inside' | 'after' | null) | null): () => number;
  /** As a runner is told that a kill switch was engaged; resolves once it has aborted what that covers. */
  hearOfKillSwitch(): Promise<void>;
  /** Names of the jobs that an execution has, due or not. */
  jobsOf(executionId: string): Promise<string[]>;
  /** Jobs of a name, due or not. */
  jobsNamed(name: string): Promise<number>;
  /** Jobs that are not due yet, by when they are; milliseconds from now. */
  later(): Promise<number[]>;
}

class Death extends Error {}

/** Ahead of Postgres, so that jobs without a time are due and only the test's clock decides about the others. */
const epoch = Date.parse('2100-01-01T00:00:00Z');
/** What Postgres itself put off (the next look at a backlog) is due by its own clock. */
const isDue = `j.run_at <= $1 and (j.run_at <= now() or j.run_at >= '2099-01-01')`;

/** `aheadMs` and `sliceMs`: see CarryDependencies; without them real time decides nothing. */
export async function handEngine(
  tools: Record<string, FakeTool> = {},
  {
    aheadMs = Infinity,
    sliceMs = Infinity,
    approvalPage,
  }: { readonly aheadMs?: number; readonly sliceMs?: number; readonly approvalPage?: string } = {},
): Promise<HandEngine> {
  let now = epoch;
  const clock: TurnableClock = {
    now: () => new Date(now),
    advance: (milliseconds) => (now += milliseconds),
  };
  const engine = await testEngine(tools, clock);
  const { services, evaluator, toolServers, db } = engine;
  const queue = new pg.Client({ connectionString: db.ownerUrl });
  await queue.connect();
  const logger = createLogger({ level: 'silent' });
  const effects = createEffects({ clock, database: db.database, hints: services.hints, toolServers, outbound, logger, checkMs: 60_000 });
  let statements: number[] = [];
  let dies: ((write: number) => 'inside' | 'after' | null) | null = null;
  let writes = 0;
  const runs = new Map<string, number>();
  const database: Database = {
    ...db.database,
    write: async (tenantId, work) => {
      const death = dies?.(writes) ?? null;
      writes += 1;
      const value = await db.database.write(tenantId, async (uow) => {
        let count = 0;
        const counted: UnitOfWork = Object.create(uow, {
          rows: { value: (sql: string, params?: readonly unknown[]) => ((count += 1), uow.rows(sql, params)) },
        });
        const result = await work(counted);
        statements.push(count);
        if (death === 'inside') throw new Death();
        return result;
      });
      if (death === 'after') throw new Death();
      return value;
    },
  };
  const deps = {
    ...services,
    clock,
    evaluator,
    database,
    perform: effects.perform,
    isDraining: () => false,
    random: () => 0.5,
    aheadMs,
    sliceMs,
  };

  const { webhooks } = services;
  const deliver = createDelivery({ clock, database: db.database, webhooks, outbound, logger, maxAtOnce: 1, approvalPage });

  async function workOnce(run?: number): Promise<boolean> {
    const { rows } = await queue.query<{ id: string; name: string; payload: any }>(
      `select j.id, t.identifier as name, j.payload from graphile_worker._private_jobs j
         join graphile_worker._private_tasks t on t.id = j.task_id where ${isDue} and j.locked_at is null order by j.priority, j.run_at, j.id limit 1`,
      [clock.now()],
    );
    const [job] = rows;
    if (!job) return false;
    // Locked as by a runner: a job with the same key that is added meanwhile is another one.
    await queue.query('update graphile_worker._private_jobs set locked_at = now(), locked_by = $2 where id = $1', [job.id, 'hand']);
    try {
      await runJob(job, run ?? (runs.get(job.id) ?? 0) + 1);
    } catch (error) {
      await queue.query('update graphile_worker._private_jobs set locked_at = null, locked_by = null where id = $1', [job.id]);
      if (!(error instanceof Death)) throw error;
      runs.set(job.id, (runs.get(job.id) ?? 0) + 1);
      return true;
    }
    await queue.query('delete from graphile_worker._private_jobs where id = $1', [job.id]);
    return true;
  }

  async function runJob(job: { id: string; name: string; payload: any }, run: number): Promise<void> {
    const { tenantId, executionId, stepId, itemIndex, approvalId, reason, early } = job.payload;
    if (job.name === 'expire-approval') await database.write(tenantId, (uow) => services.approvals.expire(uow, approvalId));
    else if (job.name === 'attend-approval') await database.write(tenantId, (uow) => services.approvals.attend(uow, approvalId));
    else if (job.name === 'announce-delegation') await services.approvalDelegations.announce(database, job.payload);
    else if (job.name === 'deliver-webhook') await deliver(job.payload);
    else if (job.name === 'admit-executions') await database.write(tenantId, (uow) => admitExecutions(uow, clock, job.payload));
    else if (job.name === 'continue-halted') await continueBatch({ ...deps, onError: () => undefined }, job.payload);
    else if (job.name === 'move-line-up') await moveLineUp(deps, job.payload);
    else if (job.name === 'cancel-executions') await services.bulkCancel.cancelBatch(database, job.payload);
    else if (job.name === 'cancel-execution')
      await database.write(tenantId, (uow) => services.control.cancelWithStarter(uow, executionId, reason));
    else {
      const before = runs.has(job.id) ? [job.id] : [];
      await carry(deps, {
        id: job.id,
        before,
        run,
        early,
        tenantId,
        executionId,
        slot: stepId === undefined ? null : { stepId, itemIndex },
      });
    }
  }

  return {
    ...engine,
    clock,
    workOnce,
    async work() {
      let done = 0;
      while (await workOnce()) done += 1;
      return done;
    },
    dieAt(at) {
      dies = at;
      writes = 0;
      return () => writes;
    },
    hearOfKillSwitch: () => effects.switchEngaged(null),
    takeStatements() {
      const taken = statements;
      statements = [];
      return taken;
    },
    async jobsOf(executionId) {
      const { rows } = await queue.query<{ name: string }>(
        `select t.identifier as name from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
         where j.payload ->> 'executionId' = $1 order by j.id`,
        [executionId],
      );
      return rows.map(({ name }) => name);
    },
    async jobsNamed(name) {
      const { rowCount } = await queue.query(
        `select from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id where t.identifier = $1`,
        [name],
      );
      return rowCount ?? 0;
    },
    async later() {
      const { rows } = await queue.query<{ at: Date }>('select run_at as at from graphile_worker._private_jobs order by 1');
      return rows.map(({ at }) => at.getTime() - now);
    },
    async close() {
      effects.close();
      await queue.end();
      await engine.close();
    },
  };
}

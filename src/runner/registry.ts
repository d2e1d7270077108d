// Which runner processes are alive. Each holds a session advisory lock; who can take another's lock knows that it is dead and
// takes its jobs over. Postgres drops the lock with the connection, so a killed process is noticed at the next look. A process that is
// frozen keeps its connection; its silence on it gives it away, and survivors end its session.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { killSwitchChannel } from '../killswitches/kill-switch.ts';
import type { Clock } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import type { Logger } from '../platform/logger.ts';
import { takeOver } from './takeover.ts';

export interface Registry {
  /** Announces this process; looks for dead ones from now on, every `checkMs`. */
  start(workerPoolId: string): Promise<void>;
  /** The queue lost a connection, and perhaps the answer that gave out a job: looks soon for own jobs that nobody works on. */
  suspectOwnJobs(): void;
  /** Takes this process off the list. Jobs must have been given back before. */
  stop(): Promise<void>;
}

export interface RegistryOptions {
  readonly connectionString: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly checkMs: number;
  /** Ids of the jobs this process is at work on. */
  readonly heldJobs: () => string[];
  /** A kill switch was engaged in this tenant; null: perhaps in any, this process could not hear for a while. */
  readonly onKillSwitch: (tenantId: string | null) => void;
}

/** Jobs of a pool that is not on the list (killed between its first job and its announcement) are taken over after this time. */
const unknownPoolSeconds = 30;
/** A job that was given out this long ago has reached the process, or never will. */
const ownJobSeconds = 5;
/** How long a runner without its lock may take to register again before it counts as dead. */
const settleMs = 1_000;
/** How soon a runner without registration tries again; several times within `settleMs`. */
const retryMs = 200;
/** How often the whole queue is looked through. */
const sweepMs = 30_000;
/** How often a runner gives a sign of life, whatever else it does. */
const pulseMs = 2_000;
/** A runner that was silent this long is frozen. Were it only slow, its work would be done twice but committed once. */
const frozenSeconds = 10;

export function createRegistry(options: RegistryOptions): Registry {
  const { connectionString, clock, logger, checkMs, heldJobs, onKillSwitch } = options;
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | undefined;
  let pulse: NodeJS.Timeout | undefined;
  let suspicion: NodeJS.Timeout | undefined;
  let stopped = false;
  let busy: Promise<void> = Promise.resolve();
  let poolId = '';
  let id: string | null = null;
  let waiting = false;
  let sweptAt = -Infinity;

  async function announce(): Promise<void> {
    const connection = new pg.Client({
      connectionString,
      application_name: 'signalbox-runner',
      keepAlive: true,
      keepAliveInitialDelayMillis: 5_000,
      connectionTimeoutMillis: 10_000,
      query_timeout: 30_000,
      // A machine that is gone says no goodbye: the server notices after about ten seconds and drops the lock.
      options: '-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3',
    });
    let isLost = false;
    const lost = (err?: unknown) => {
      isLost = true;
      if (client !== connection) return;
      client = null;
      if (!stopped) logger.warn({ err }, 'the runner lost its registration; registering again');
      lookSoon();
    };
    connection.on('error', lost);
    connection.on('end', lost);
    // The session lives as long as the runner does: what is announced reaches it at once.
    connection.on('notification', ({ payload }) => onKillSwitch(payload ?? null));
    try {
      await connection.connect();
      const lockKey = randomBytes(8).readBigInt64BE().toString();
      await connection.query('select pg_advisory_lock($1)', [lockKey]);
      const newRow = newId();
      await connection.query(
        `with former as (delete from runners where id = $1) insert into runners (id, worker_pool_id, lock_key, started_at) values ($2, $3, $4, $5)`,
        [id, newRow, poolId, lockKey, clock.now()],
      );
      await connection.query(`listen ${killSwitchChannel}`);
      id = newRow;
      if (isLost) throw new Error('the connection was lost while registering');
    } catch (error) {
      await connection.end().catch(() => undefined);
      throw error;
    }
    client = connection;
    onKillSwitch(null);
  }

  /** Postgres notes when a session last did something; a session that ends gives up its lock, and its process registers anew once it thaws. */
  async function endFrozen(connection: pg.Client): Promise<void> {
    // Materialized: else the planner may end sessions before it has looked whose they are.
    const { rows } = await connection.query<{ id: string }>(
      `with frozen as materialized (
         select r.id, s.pid from runners r
           join pg_locks l on l.locktype = 'advisory' and l.granted and (l.classid::bigint << 32 | l.objid::bigint) = r.lock_key
           join pg_stat_activity s on s.pid = l.pid and s.datname = current_database()
         where r.id <> $1 and s.state like 'idle%' and s.state_change < clock_timestamp() - make_interval(secs => $2))
       select id, pg_terminate_backend(pid, 1000) as ended from frozen`,
      [id, frozenSeconds],
    );
    for (const runner of rows) logger.warn({ runner: runner.id }, 'a runner is frozen; it counts as dead until it shows itself again');
  }

  async function releaseDead(connection: pg.Client): Promise<void> {
    const unlocked = await connection.query<{ id: string; pool: string; key: string }>(
      `select id, worker_pool_id as pool, lock_key as key from runners where id <> $1 and pg_try_advisory_lock(lock_key)`,
      [id],
    );
    if (unlocked.rows.length === 0) return;
    // One that lives and only lost its connection registers again at once, and takes its old row off the list.
    await sleep(settleMs);
    for (const runner of unlocked.rows) {
      const { rowCount } = await connection.query('select from runners where id = $1', [runner.id]);
      if (rowCount === 1) {
        const jobs = await takeOver(connection, { pools: [runner.pool] });
        await connection.query('delete from runners where id = $1', [runner.id]);
        logger.warn({ runner: runner.id, jobs }, 'a runner died; its jobs go on here and on the other runners');
      }
      await connection.query('select pg_advisory_unlock($1)', [runner.key]);
    }
  }

  async function sweep(connection: pg.Client): Promise<void> {
    // The queue takes a job of four hours for lost: those that a living runner still carries say that they are not.
    await connection.query(
      `update graphile_worker._private_jobs set locked_at = now() where locked_by = $1 and locked_at < now() - interval '1 hour'`,
      [poolId],
    );
    const unknown = await connection.query<{ pool: string }>(
      `select distinct locked_by as pool from graphile_worker._private_jobs
       where locked_by is not null and locked_at < now() - make_interval(secs => $1)
         and not exists (select from runners where worker_pool_id = locked_by)`,
      [unknownPoolSeconds],
    );
    await connection.query('select jobs.admit_all()');
    // And own jobs that the queue gave out without an answer arriving: locked by this process, and unknown to it.
    const pools = unknown.rows.map((row) => row.pool);
    const jobs =
      (pools.length > 0 ? await takeOver(connection, { pools }) : 0) +
      (await takeOver(connection, { pools: [poolId], except: heldJobs(), minSeconds: ownJobSeconds }));
    if (jobs > 0) logger.warn({ jobs }, 'jobs that nobody worked on go on');
  }

  async function look(): Promise<void> {
    try {
      if (!client) await announce();
      if (client) await endFrozen(client);
      if (client) await releaseDead(client);
      if (client && performance.now() - sweptAt > sweepMs) {
        await sweep(client);
        sweptAt = performance.now();
      }
    } catch (err) {
      logger.warn({ err }, 'could not look after the other runners; trying again');
      // Whatever the connection is in the middle of: without an answer it is worth nothing.
      if (isTimeout(err)) {
        void client?.end().catch(() => undefined);
        client = null;
      }
      if (!client) setTimeout(lookSoon, retryMs).unref();
    }
  }

  /** One look after the other, and at most one that waits for its turn. */
  function lookSoon(): void {
    if (stopped || waiting) return;
    waiting = true;
    busy = busy.then(() => {
      waiting = false;
      return stopped ? undefined : look();
    });
  }

  /** One that is looking gives signs enough. */
  function giveSign(): void {
    if (stopped || waiting) return;
    busy = busy.then(async () => void (await client?.query('select').catch(() => undefined)));
  }

  return {
    async start(workerPoolId) {
      poolId = workerPoolId;
      await announce();
      lookSoon();
      timer = setInterval(lookSoon, checkMs);
      timer.unref();
      pulse = setInterval(giveSign, pulseMs);
      pulse.unref();
    },
    suspectOwnJobs() {
      suspicion ??= setTimeout(
        () => {
          suspicion = undefined;
          sweptAt = -Infinity;
          lookSoon();
        },
        (ownJobSeconds + 1) * 1_000,
      ).unref();
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      clearInterval(pulse);
      clearTimeout(suspicion);
      await busy;
      await client?.query('delete from runners where id = $1', [id]).catch((err: unknown) => logger.warn({ err }, 'could not sign off'));
      await client?.end().catch(() => undefined);
    },
  };
}

const isTimeout = (error: unknown): boolean => error instanceof Error && /timeout/i.test(error.message);

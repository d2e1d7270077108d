// Which runner processes are alive. Each holds a session advisory lock; who can take another's lock knows that it is dead and
// takes its jobs over. Postgres drops the lock with the connection, so a killed process is noticed at the next look.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Clock } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import type { Logger } from '../platform/logger.ts';
import { takeOver } from './takeover.ts';

export interface Registry {
  /** Announces this process and looks for dead ones at once, then every `checkMs`. */
  start(workerPoolId: string): Promise<void>;
  /** Takes this process off the list. Jobs must have been given back before. */
  stop(): Promise<void>;
}

export interface RegistryOptions {
  readonly connectionString: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly checkMs: number;
}

/** Jobs of a pool that never got on the list (killed between its first job and its announcement) are taken over after this time. */
const unknownPoolSeconds = 30;
/** How often the whole queue is looked through. */
const sweepMs = 30_000;

export function createRegistry({ connectionString, clock, logger, checkMs }: RegistryOptions): Registry {
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let busy: Promise<void> = Promise.resolve();
  let poolId = '';
  let id = '';
  let sweptAt = performance.now();

  async function announce(): Promise<void> {
    const connection = new pg.Client({ connectionString, application_name: 'signalbox-runner', keepAlive: true });
    connection.on('error', (err) => {
      logger.warn({ err }, 'the runner lost its registration; registering again');
      if (client === connection) client = null;
    });
    await connection.connect();
    const lockKey = randomBytes(8).readBigInt64BE().toString();
    await connection.query('select pg_advisory_lock($1)', [lockKey]);
    if (id) await connection.query('delete from runners where id = $1', [id]);
    id = newId();
    await connection.query('insert into runners (id, worker_pool_id, lock_key, started_at) values ($1, $2, $3, $4)', [
      id,
      poolId,
      lockKey,
      clock.now(),
    ]);
    client = connection;
  }

  async function releaseDead(connection: pg.Client): Promise<void> {
    const dead = await connection.query<{ id: string; pool: string; key: string }>(
      `select id, worker_pool_id as pool, lock_key as key from runners where id <> $1 and pg_try_advisory_lock(lock_key)`,
      [id],
    );
    for (const runner of dead.rows) {
      const jobs = await takeOver(connection, [runner.pool]);
      await connection.query('delete from runners where id = $1', [runner.id]);
      await connection.query('select pg_advisory_unlock($1)', [runner.key]);
      logger.warn({ runner: runner.id, jobs }, 'a runner died; its jobs go on here and on the other runners');
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
    if (unknown.rows.length > 0)
      await takeOver(
        connection,
        unknown.rows.map((row) => row.pool),
      );
  }

  async function look(): Promise<void> {
    try {
      if (!client) await announce();
      if (client) await releaseDead(client);
      if (client && performance.now() - sweptAt > sweepMs) {
        await sweep(client);
        sweptAt = performance.now();
      }
    } catch (err) {
      logger.warn({ err }, 'could not look after the other runners; trying again');
    }
  }

  return {
    async start(workerPoolId) {
      poolId = workerPoolId;
      await announce();
      await releaseDead(client!);
      await sweep(client!);
      timer = setInterval(() => {
        busy = busy.then(() => (stopped ? undefined : look()));
      }, checkMs);
      timer.unref();
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await busy;
      await client?.query('delete from runners where id = $1', [id]).catch((err: unknown) => logger.warn({ err }, 'could not sign off'));
      await client?.end().catch(() => undefined);
    },
  };
}

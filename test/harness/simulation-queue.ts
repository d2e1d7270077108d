// The job queue of the real database as a simulation turns it: it decides which job is taken when, by whom, and when its holder lets go.
import pg from 'pg';
import { takeOver } from '#src/runner/takeover.ts';

export interface SimulatedJob {
  readonly id: string;
  readonly name: string;
  readonly payload: {
    readonly executionId: string;
    readonly stepId?: string;
    readonly itemIndex?: number;
    readonly approvalId?: string;
    readonly reason?: string;
    readonly idle?: boolean;
    readonly operationId?: string;
    readonly after?: string[];
    readonly early?: true;
  };
  readonly runAt: Date;
  readonly attempts: number;
  readonly lockedBy: string | null;
}

export interface SimulatedQueue {
  /** Every job, oldest first. */
  jobs(): Promise<SimulatedJob[]>;
  take(jobId: string, holder: string): Promise<void>;
  /** As the queue does it: a job that ended well is deleted whoever holds it by now. */
  finish(jobId: string): Promise<void>;
  /** A failed one is given back by its holder only. */
  giveBack(jobId: string, holder: string): Promise<void>;
  /** What survivors do with the jobs of the dead. */
  takeOver(holders: readonly string[]): Promise<void>;
  /** A transaction waits for another one's lock. */
  isSomebodyWaiting(): Promise<boolean>;
  close(): Promise<void>;
}

export async function openSimulatedQueue(connectionString: string): Promise<SimulatedQueue> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const run = async (sql: string, params: readonly unknown[]) => void (await client.query(sql, [...params]));
  return {
    async jobs() {
      const { rows } = await client.query<SimulatedJob>(
        `select j.id, t.identifier as name, j.payload, j.run_at as "runAt", j.attempts, j.locked_by as "lockedBy"
         from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id order by j.id`,
      );
      return rows;
    },
    take: (jobId, holder) =>
      run('update graphile_worker._private_jobs set locked_by = $2, locked_at = now(), attempts = attempts + 1 where id = $1', [
        jobId,
        holder,
      ]),
    finish: (jobId) => run('delete from graphile_worker._private_jobs where id = $1', [jobId]),
    giveBack: (jobId, holder) =>
      run('update graphile_worker._private_jobs set locked_by = null, locked_at = null where id = $1 and locked_by = $2', [jobId, holder]),
    takeOver: async (holders) => void (await takeOver(client, { pools: holders })),
    async isSomebodyWaiting() {
      const { rowCount } = await client.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rowCount! > 0;
    },
    close: () => client.end(),
  };
}

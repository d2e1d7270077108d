// Jobs that nobody works on any more go on under new ids. The old ids are given up with their runner: the queue deletes a finished job
// whoever holds it by then, so a runner that was only thought dead would otherwise take the job from under the one that goes on with it.
import type pg from 'pg';
import type { Replacing } from '../jobs/jobs.ts';

interface LockedJob {
  readonly id: string;
  readonly identifier: string;
  readonly payload: Record<string, unknown> & Replacing;
  readonly key: string | null;
}

/** Jobs that these pools hold, but none of `except`, and none taken in the last `minSeconds`. */
export interface Abandoned {
  readonly pools: readonly string[];
  readonly except?: readonly string[] | undefined;
  readonly minSeconds?: number | undefined;
}

/** Replaces these jobs in one transaction; returns how many. */
export async function takeOver(client: pg.ClientBase, { pools, except = [], minSeconds = 0 }: Abandoned): Promise<number> {
  await client.query('begin');
  try {
    const { rows } = await client.query<LockedJob>(
      `select j.id, t.identifier, j.payload, j.key
       from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
       where j.locked_by = any($1::text[]) and j.id <> all($2::bigint[]) and j.locked_at <= now() - make_interval(secs => $3)
       order by j.id for update of j`,
      [pools, except, minSeconds],
    );
    if (rows.length > 0) {
      await client.query('delete from graphile_worker._private_jobs where id = any($1::bigint[])', [rows.map((job) => job.id)]);
      const specs = rows.map(({ id, identifier, payload, key }) => ({
        identifier,
        payload: { ...payload, after: [...(payload.after ?? []), id] },
        job_key: key,
      }));
      await client.query('select jobs.enqueue($1::json)', [JSON.stringify(specs)]);
    }
    await client.query('commit');
    return rows.length;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

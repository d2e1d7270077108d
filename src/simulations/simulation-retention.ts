// Simulations that are over are kept as long as the decisions they are about. Runs as the owner of the tables, tenant by tenant.
import type pg from 'pg';
import type { Clock } from '../platform/clock.ts';

const dayMs = 86_400_000;

/** Gives how many are gone, with all that they found. Safe to repeat, and in several processes at once. */
export async function dropSimulations(session: Pick<pg.ClientBase, 'query'>, clock: Clock, retentionDays: number): Promise<number> {
  const before = new Date(clock.now().getTime() - retentionDays * dayMs);
  const tenants = await session.query<{ id: string }>('select id from tenants order by id');
  let dropped = 0;
  for (const { id: tenantId } of tenants.rows) {
    await session.query('begin');
    try {
      await session.query(`select set_config('app.tenant_id', $1, true)`, [tenantId]);
      const { rowCount } = await session.query(
        `with old as (
           select id from policy_simulations where tenant_id = $1 and status not in ('queued', 'running') and finished_at < $2 for update),
         found as (delete from simulation_changes c using old where c.tenant_id = $1 and c.simulation_id = old.id)
         delete from policy_simulations s using old where s.tenant_id = $1 and s.id = old.id`,
        [tenantId, before],
      );
      await session.query('commit');
      dropped += rowCount ?? 0;
    } catch (error) {
      await session.query('rollback');
      throw error;
    }
  }
  return dropped;
}

// Jobs of a simulated life that carry no execution: short transactions of their own.
import assert from 'node:assert/strict';
import { admitExecutions } from '#src/executions/admission.ts';
import type { JobPayloads } from '#src/jobs/jobs.ts';
import { continueBatch } from '#src/runner/halting.ts';
import { moveLineUp } from '#src/runner/moving-up.ts';
import type { SimulatedJob } from './simulation-queue.ts';
import type { World } from './simulation-world.ts';

export function createChores(world: World): (job: SimulatedJob) => Promise<void> {
  const { engine, time } = world;
  const { services, tenantId, db } = engine;
  const clock = { now: () => new Date(time.get()) };

  /** What is let in fits under the limit of the tenant. */
  async function admit(idle: boolean): Promise<void> {
    const admitted = await db.database.write(tenantId, (uow) => admitExecutions(uow, clock, { idle }));
    if (admitted === 0) return;
    world.note(`  ${admitted} admitted`);
    const [limit] = await world.rows<{ most: number; active: number }>(
      `select max_running as most, (select count(*)::int from executions where tenant_id = $1
         and (status = 'running' or admitted_at is not null and status in ('queued', 'scheduled'))) as active
       from concurrency_limits where tenant_id = $1 and scope_id = $1`,
      [tenantId],
    );
    if (limit) assert.ok(limit.active <= limit.most, `${limit.active} executions were let run, ${limit.most} may`);
  }

  return async ({ name, payload }) => {
    if (name === 'admit-executions') return admit(payload.idle!);
    if (name === 'continue-halted') {
      const onError = (error: unknown) => {
        throw error;
      };
      return continueBatch({ ...services, clock, database: db.database, onError }, payload as unknown as JobPayloads['continue-halted']);
    }
    if (name === 'move-line-up') {
      world.count('line moves up');
      return moveLineUp({ ...services, clock, database: db.database }, payload as unknown as JobPayloads['move-line-up']);
    }
    if (name === 'cancel-executions') return services.bulkCancel.cancelBatch(db.database, { tenantId, operationId: payload.operationId! });
    await db.database.write(tenantId, async (uow) => {
      if (name === 'expire-approval') await services.approvals.expire(uow, payload.approvalId!);
      else if (name === 'cancel-execution') await services.control.cancelWithStarter(uow, payload.executionId, payload.reason!);
      else assert.fail(`a job that no simulated process does: ${name}`);
    });
  };
}

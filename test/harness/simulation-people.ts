// What people, operators and other programs do in a simulated life, through the product's own services; each at a moment it chooses not.
import assert from 'node:assert/strict';
import { isFinalExecution } from '#src/executions/execution.ts';
import { enqueue } from '#src/jobs/jobs.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { SignalboxError } from '#src/platform/errors.ts';
import type { LivedExecution, World } from './simulation-world.ts';

export interface People {
  /** Decides something that is pending; false when nothing is. */
  decide(): Promise<boolean>;
  /** Somebody does something that is not needed. */
  meddle(): Promise<void>;
  /** When nothing else can happen: whatever people have to do for it to go on; false when that is nothing. */
  unblock(): Promise<boolean>;
  /** Lets as many run as come, whatever they do. */
  removeLimits(): Promise<void>;
  /** Retries or forks an execution; false when none can be. */
  rerun(): Promise<boolean>;
}

const maxExecutions = 12;

export function createPeople(world: World): People {
  const { engine, admin } = world;
  const { services, operator, reviewer, tenantId } = engine;
  const write = <T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T> => engine.db.database.write(tenantId, work);
  const isOpen = ({ status }: LivedExecution) => !isFinalExecution(status);
  const some = async (fits: (execution: LivedExecution) => boolean) => world.pick((await world.executions()).filter(fits));

  /** False when it was refused because of what the execution is. */
  async function tried(what: () => Promise<unknown>): Promise<boolean> {
    try {
      await what();
      return true;
    } catch (error) {
      if (!(error instanceof SignalboxError) || !['INVALID_STATE', 'VALIDATION_FAILED'].includes(error.code)) throw error;
      world.note(`  refused: ${error.message.replaceAll(/[0-9a-f-]{36}/g, '…')}`);
      return false;
    }
  }

  async function decide(): Promise<boolean> {
    const ids = (await world.executions()).map(({ id }) => id);
    const pending = await world.rows<{ id: string; executionId: string; stepId: string; itemIndex: number | null }>(
      `select id, execution_id as "executionId", step_id as "stepId", item_index as "itemIndex" from approvals
       where execution_id = any($1) and status = 'pending' order by execution_id, created_at, step_id, item_index`,
      [ids],
    );
    const approval = world.pick(pending);
    if (!approval) return false;
    const decision = world.chance(0.85) ? 'approve' : 'reject';
    world.note(`${decision} ${world.nameOf(approval.executionId)} ${approval.stepId}#${approval.itemIndex ?? -1}`);
    // Refused: too late, its expiry is due.
    return tried(() => write((uow) => services.approvals.decide(uow, reviewer, { approvalId: approval.id, decision })));
  }

  async function signal({ id: executionId }: LivedExecution): Promise<void> {
    world.note(`signal ${world.nameOf(executionId)}`);
    const payload = world.below(10);
    await write((uow) => services.control.signalExecution(uow, operator, { executionId, name: 'go', payload }));
  }
  async function resume({ id: executionId }: LivedExecution): Promise<void> {
    world.note(`resume ${world.nameOf(executionId)}`);
    await write((uow) => services.control.resumeExecution(uow, operator, { executionId }));
  }
  const pause = async ({ id: executionId }: LivedExecution): Promise<void> => {
    world.count('pause');
    world.note(`pause ${world.nameOf(executionId)}`);
    await write((uow) => services.control.pauseExecution(uow, operator, { executionId }));
  };
  async function cancel({ id }: LivedExecution): Promise<void> {
    world.count('cancel');
    world.note(`cancel ${world.nameOf(id)}`);
    await engine.cancel(id);
  }

  /** Of those like this one. */
  async function cancelAll({ versionId }: LivedExecution): Promise<void> {
    const [agent] = await world.rows<{ id: string }>('select agent_id as id from agent_versions where id = $1', [versionId]);
    world.count('bulk cancel');
    world.note('cancel all that run the same');
    await write((uow) => services.bulkCancel.cancelExecutions(uow, operator, { filter: { agentId: agent!.id } }));
  }

  /** A job for a slot that may have one already, or none any more. */
  async function duplicateJob(execution: LivedExecution): Promise<void> {
    const step = world.pick((await world.definitionOf(execution)).steps)!;
    const itemIndex = (step.forEach === undefined && step.loop === undefined) || world.chance(0.3) ? -1 : world.below(4);
    world.count('duplicate job');
    world.note(`duplicate job of ${world.nameOf(execution.id)} ${step.id}#${itemIndex}`);
    const payload = { tenantId, executionId: execution.id, stepId: step.id, itemIndex };
    await write((uow) => enqueue(uow, [{ name: 'run-step', payload }]));
  }

  /** What was approved under the old version has to be asked for again. */
  async function editPolicy(): Promise<void> {
    world.count('policy edited');
    world.note('policy edited');
    await write(async (uow) => {
      const policies = (await services.policies.listPolicies(uow, admin, {}, { first: 10 })).rows;
      const policy = policies.find(({ name }) => name === 'ask');
      const rules = [{ tools: ['sim.asked'], expiresIn: '1m', reason: `edition ${policy!.version}` }];
      await services.policies.updatePolicy(uow, admin, { policyId: policy!.id, expectedVersion: policy!.version, rules });
    });
  }

  const engaged = () => world.rows<{ id: string }>('select id from kill_switches where tenant_id = $1 and released_at is null', [tenantId]);
  async function releaseSwitch(): Promise<boolean> {
    const [killSwitch] = await engaged();
    if (!killSwitch) return false;
    world.note('kill switch released');
    await write((uow) => services.killSwitches.releaseKillSwitch(uow, operator, { killSwitchId: killSwitch.id }));
    return true;
  }
  async function engageSwitch(): Promise<void> {
    world.count('kill switch');
    const what = world.pick([{ scope: 'tenant' as const }, { scope: 'tool' as const, pattern: 'sim.*' }])!;
    world.note(`kill switch on ${what.scope}`);
    await write((uow) => services.killSwitches.engageKillSwitch(uow, operator, { ...what, reason: 'simulated' }));
  }

  const setLimit = (maxRunning: number | null) =>
    write((uow) => services.queue.setConcurrencyLimit(uow, admin, { scopeKind: 'tenant', scopeId: tenantId, maxRunning }));

  return {
    decide,
    async removeLimits() {
      await setLimit(null);
      while (await releaseSwitch());
    },
    async meddle() {
      const open = await some(isOpen);
      const paused = await some(({ status }) => status === 'paused');
      switch (world.below(9)) {
        case 0: {
          const any = await some(() => true);
          return duplicateJob(any!);
        }
        case 1:
          if (!open || world.chance(0.6)) return;
          return world.chance(0.7) ? cancel(open) : cancelAll(open);
        case 2:
          return editPolicy();
        case 3:
          return paused ? resume(paused) : undefined;
        case 4:
          return open ? signal(open) : undefined;
        case 5: {
          const most = world.pick([1, 1, 2, null])!;
          world.count('limit changed');
          world.note(`limit ${most}`);
          await setLimit(most);
          return;
        }
        case 6:
          if (!(await releaseSwitch())) await engageSwitch();
          return;
        default:
          return open && open.status !== 'paused' ? pause(open) : undefined;
      }
    },
    async unblock() {
      if ((await releaseSwitch()) || (await decide())) return true;
      const paused = await some(({ status }) => status === 'paused');
      if (paused) {
        await resume(paused);
        return true;
      }
      const ids = (await world.executions()).filter(isOpen).map(({ id }) => id);
      const waiting = await world.rows<{ id: string; untaken: number }>(
        `select s.execution_id as id, (select count(*)::int from signals g where g.execution_id = s.execution_id and g.received_at is null) as untaken
         from steps s where s.execution_id = any($1) and s.status = 'waiting' and s.signal = 'go' order by s.execution_id, s.step_id`,
        [ids],
      );
      for (const { untaken } of waiting) assert.equal(untaken, 0, 'a step waits for a signal that was sent');
      const [first] = waiting;
      if (!first) return false;
      await signal((await some(({ id }) => id === first.id))!);
      return true;
    },
    async rerun() {
      const all = await world.executions();
      if (all.length >= maxExecutions) return false;
      const former = world.pick(all.filter(({ parentId, status }) => parentId === null && isFinalExecution(status)));
      if (!former) return false;
      const { id: executionId, status } = former;
      const name = world.nameOf(executionId);
      if (status !== 'succeeded' && world.chance(0.6)) {
        world.note(`retry ${name}`);
        return tried(() => write((uow) => services.reruns.retryExecution(uow, operator, { executionId })));
      }
      const stepId = world.pick((await world.definitionOf(former)).steps)!.id;
      world.note(`fork ${name} from ${stepId}`);
      return tried(() => write((uow) => services.reruns.forkExecution(uow, operator, { executionId, stepId })));
    },
  };
}

// A runner process: takes jobs from the queue and carries executions forward. Waiting executions cost it nothing.
import { randomInt } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { Logger as QueueLogger, run, type Job, type Runner as QueueRunner, type TaskList, type WorkerEvents } from 'graphile-worker';
import type { DelegationService } from '../approvals/delegation-service.ts';
import type { ControlService } from '../executions/control-service.ts';
import type { BulkCancelService } from '../queues/bulk-cancel.ts';
import { admitExecutions } from '../executions/admission.ts';
import type { Called, JobPayloads, Replacing } from '../jobs/jobs.ts';
import type { Logger } from '../platform/logger.ts';
import type { AuditService } from '../audit/audit-service.ts';
import type { RetentionSettings } from '../decisions/decision-retention.ts';
import type { PolicyService } from '../policies/policy-service.ts';
import { watchRollout } from '../policies/rollout.ts';
import { runSimulation } from '../simulations/simulation-job.ts';
import { createDelivery } from '../webhooks/deliver.ts';
import type { WebhookService } from '../webhooks/webhook-service.ts';
import { carry, type CarriedJob, type CarryDependencies } from './carry.ts';
import { createDecisionKeeper } from './decision-keeper.ts';
import { createEffects, type EffectDependencies } from './effects.ts';
import { continueBatch } from './halting.ts';
import { moveLineUp } from './moving-up.ts';
import { createQueuePool } from './queue-pool.ts';
import { createRegistry } from './registry.ts';

export interface RunnerOptions {
  /** URL of the role that owns the job queue. */
  readonly connectionString: string;
  /** Jobs at a time in this process. */
  readonly concurrency: number;
  /** How long running effects may go on after `stop`; milliseconds. */
  readonly graceMs: number;
  /** How often dead runners and ended executions are looked for; milliseconds. */
  readonly takeoverCheckMs: number;
  /** How often due timers are looked for; milliseconds. New jobs are announced at once. */
  readonly pollMs?: number | undefined;
  /** Where a person reads an approval, with `{id}` for its id: told by webhooks. */
  readonly approvalPage?: string | undefined;
  /** How long decision records are kept, and where they go; without it this process does not look after them. */
  readonly decisions?: RetentionSettings | undefined;
}

export interface Runner {
  start(): Promise<void>;
  /** Takes no new work, lets running effects end within the grace period, gives the rest back to the queue. */
  stop(): Promise<void>;
}

type RunnerDependencies = {
  readonly control: Pick<ControlService, 'cancelWithStarter'>;
  readonly bulkCancel: Pick<BulkCancelService, 'cancelBatch'>;
  readonly policies: Pick<PolicyService, 'fallBack'>;
  readonly audit: Pick<AuditService, 'record'>;
  readonly approvalDelegations: Pick<DelegationService, 'announce'>;
  readonly webhooks: WebhookService;
} & Omit<CarryDependencies, 'perform' | 'isDraining' | 'random'> &
  Omit<EffectDependencies, 'checkMs'>;

export function createRunner(deps: RunnerDependencies, options: RunnerOptions): Runner {
  const { clock, database, approvals, approvalDelegations, control, bulkCancel, logger } = deps;
  const effects = createEffects({ ...deps, checkMs: options.takeoverCheckMs });
  const { approvalPage, concurrency } = options;
  const deliver = createDelivery({ ...deps, approvalPage, maxAtOnce: Math.ceil(concurrency / 4) });
  /** Jobs that this process is at work on. */
  const held = new Set<string>();
  const registry = createRegistry({
    ...options,
    clock,
    logger,
    checkMs: options.takeoverCheckMs,
    heldJobs: () => [...held],
    onKillSwitch: (tenantId) => void effects.switchEngaged(tenantId),
  });
  const pool = createQueuePool({
    connectionString: options.connectionString,
    max: options.concurrency + 2,
    onLost: (err) => {
      logger.warn({ err }, 'the job queue lost a connection');
      registry.suspectOwnJobs();
    },
  });
  const keeper = options.decisions && createDecisionKeeper({ pool, settings: options.decisions, clock, logger });
  let queue: QueueRunner | null = null;
  let draining = false;
  let stopped: Promise<void> | null = null;

  const random = () => randomInt(1_000_000) / 1_000_000;
  const carrying: CarryDependencies = { ...deps, perform: effects.perform, isDraining: () => draining, random };
  async function holding(id: string, work: () => Promise<void>): Promise<void> {
    held.add(id);
    try {
      await work();
    } finally {
      held.delete(id);
    }
  }
  async function carryJob(
    { id, attempts }: Job,
    { after = [], early }: Called & Replacing,
    work: Pick<CarriedJob, 'tenantId' | 'executionId' | 'slot'>,
  ) {
    const before = attempts > 1 ? [...after, id] : after;
    await holding(id, () => carry(carrying, { ...work, id, before, early, run: after.length + attempts }));
  }
  const tasks: TaskList = {
    'run-execution': async (payload, { job }) => {
      const { tenantId, executionId, ...rest } = payload as JobPayloads['run-execution'];
      await carryJob(job, rest, { tenantId, executionId, slot: null });
    },
    'run-step': async (payload, { job }) => {
      const { tenantId, executionId, stepId, itemIndex, ...rest } = payload as JobPayloads['run-step'];
      await carryJob(job, rest, { tenantId, executionId, slot: { stepId, itemIndex } });
    },
    'cancel-execution': async (payload) => {
      const { tenantId, executionId, reason } = payload as JobPayloads['cancel-execution'];
      await database.write(tenantId, (uow) => control.cancelWithStarter(uow, executionId, reason));
    },
    'admit-executions': async (payload) => {
      const { tenantId, idle } = payload as JobPayloads['admit-executions'];
      await database.write(tenantId, (uow) => admitExecutions(uow, clock, { idle }));
    },
    'cancel-executions': async (payload, { job }) => {
      await holding(job.id, () => bulkCancel.cancelBatch(database, payload as JobPayloads['cancel-executions']));
    },
    'simulate-policies': async (payload, { job }) => {
      const onError = (err: unknown, simulationId: string) => logger.error({ err, simulationId }, 'a simulation of policies failed');
      const work = payload as JobPayloads['simulate-policies'];
      await holding(job.id, () => runSimulation(database, work, { clock, onError }, () => draining));
    },
    'watch-rollout': async (payload) => {
      const { tenantId, policyId } = payload as JobPayloads['watch-rollout'];
      const reading = await database.write(tenantId, (uow) => watchRollout(uow, deps, policyId));
      if (reading?.fellBack) logger.warn({ policyId, ...reading }, 'a policy denied too much; it is only observed from now on');
    },
    'move-line-up': async (payload) => moveLineUp(deps, payload as JobPayloads['move-line-up']),
    'continue-halted': async (payload) => {
      const onError = (err: unknown, executionId: string) => logger.error({ err, executionId }, 'a halted execution could not go on');
      await continueBatch({ ...deps, onError }, payload as JobPayloads['continue-halted']);
    },
    'expire-approval': async (payload) => {
      const { tenantId, approvalId } = payload as JobPayloads['expire-approval'];
      await database.write(tenantId, (uow) => approvals.expire(uow, approvalId));
    },
    'deliver-webhook': async (payload, { job }) => {
      await holding(job.id, () => deliver(payload as JobPayloads['deliver-webhook']));
    },
    'attend-approval': async (payload) => {
      const { tenantId, approvalId } = payload as JobPayloads['attend-approval'];
      await database.write(tenantId, (uow) => approvals.attend(uow, approvalId));
    },
    'announce-delegation': async (payload) => {
      await approvalDelegations.announce(database, payload as JobPayloads['announce-delegation']);
    },
  };

  async function stop(): Promise<void> {
    draining = true;
    effects.leave();
    const grace = setTimeout(() => effects.abandon(), options.graceMs);
    await queue?.stop().catch((err: unknown) => logger.warn({ err }, 'the job queue did not stop cleanly'));
    clearTimeout(grace);
    effects.close();
    await registry.stop();
    await keeper?.stop();
    await pool.end();
  }

  return {
    async start() {
      const events: WorkerEvents = new EventEmitter();
      const poolId = new Promise<string>((resolve) => events.once('pool:create', ({ workerPool }) => resolve(workerPool.id)));
      queue = await run({
        pgPool: pool,
        taskList: tasks,
        events,
        noHandleSignals: true,
        logger: queueLogger(logger),
        preset: {
          worker: {
            concurrentJobs: options.concurrency,
            pollInterval: options.pollMs ?? 1_000,
            gracefulShutdownAbortTimeout: options.graceMs + 5_000,
          },
        },
      });
      queue.promise.catch((err: unknown) => logger.error({ err }, 'the job queue stopped'));
      await registry.start(await poolId);
      keeper?.start();
    },
    stop: () => (stopped ??= stop()),
  };
}

/** The queue's own lines at our levels; its payloads never get into a line. */
function queueLogger(logger: Logger): QueueLogger {
  return new QueueLogger((scope) => (level, message) => {
    const line = { queue: scope.label ?? 'worker', task: scope.taskIdentifier };
    if (level === 'error') logger.error(line, message);
    else if (level === 'warning') logger.warn(line, message);
    else logger.debug(line, message);
  });
}

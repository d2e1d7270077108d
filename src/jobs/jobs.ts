// Jobs: what happens later, added inside the transaction that makes it necessary. Names are imperative.
import type { UnitOfWork } from '../platform/database.ts';

/** Payload of each job. `itemIndex` is -1 for a step without forEach. */
export interface JobPayloads {
  /** Carry an execution forward from one step (or its start) for as long as a step is ready. */
  'run-execution': { tenantId: string; executionId: string } & Called & Replacing;
  'run-step': { tenantId: string; executionId: string; stepId: string; itemIndex: number } & Called & Replacing;
  'expire-approval': { tenantId: string; approvalId: string };
  /** A delegation begins. */
  'announce-delegation': { tenantId: string; delegationId: string };
  /** Warns that it will expire, or asks a second group. */
  'attend-approval': { tenantId: string; approvalId: string };
  /** The execution that started it has ended. */
  'cancel-execution': { tenantId: string; executionId: string; reason: string };
  /** Added by `jobs.admit_soon` alone. `idle`: the look before this one found nobody waiting. */
  'admit-executions': { tenantId: string; idle: boolean };
  /** Executions that a kill switch had halted, those after an id; the switch was released. */
  'continue-halted': { tenantId: string; killSwitchId: string; afterId: string | null };
  /** The next batch of a bulk operation. */
  'cancel-executions': { tenantId: string; operationId: string };
  /** All of a simulation of policies; begins anew when it is repeated. */
  'simulate-policies': { tenantId: string; simulationId: string };
  /** The next attempt at it. */
  'deliver-webhook': { tenantId: string; deliveryId: string };
  /** A policy that is rolled out has denied something: does it deny too much? */
  'watch-rollout': { tenantId: string; policyId: string };
  /** Somebody who had this moment in the line of a rate limit does not need it. */
  'move-line-up': { tenantId: string; policyId: string; key: string };
}

/** How often a job is run before its work is given up; what the queue itself allows (graphile-worker's `max_attempts`). */
export const maxRuns = 25;

/** Ids of the jobs this one stands for since their runner was taken for dead, oldest first: what they carried goes on here. */
export interface Replacing {
  after?: readonly string[] | undefined;
}

export interface Called {
  /** What a policy has put off is to be judged anew before its moment: a place is free. */
  early?: true | undefined;
}
export type JobName = keyof JobPayloads;

export type NewJob = {
  [Name in JobName]: {
    readonly name: Name;
    readonly payload: JobPayloads[Name];
    /** Not before this moment. */
    readonly runAt?: Date | undefined;
    /** A job with the same key that has not started is replaced. */
    readonly key?: string | undefined;
  };
}[JobName];

/** Adds jobs in the caller's transaction: they exist exactly when the state that needs them does. */
export async function enqueue(uow: UnitOfWork, jobs: readonly NewJob[]): Promise<void> {
  if (jobs.length === 0) return;
  const specs = jobs.map((job) => ({
    identifier: job.name,
    payload: job.payload,
    run_at: job.runAt?.toISOString() ?? null,
    job_key: job.key ?? null,
  }));
  uow.write('select jobs.enqueue($1::json)', [JSON.stringify(specs)]);
}

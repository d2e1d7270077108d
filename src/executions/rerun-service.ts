// Retrying and forking: a new execution that takes over what another one has done. The other one stays as it is.
import type { Definition } from '../agents/definition.ts';
import { digestOf } from '../platform/canonical.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { InvalidStateError, NotFoundError, ValidationError, type Problem } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { requirePermission } from '../authority/authorize.ts';
import { rolesAt, type Authority } from '../authority/permission.ts';
import { createExecution, inputValidator, type CreateDependencies } from './create.ts';
import { isFinalStep, type StepStatus } from './execution.ts';
import { executionsByIds } from './execution-reads.ts';
import type { ExecutionRow } from './execution-rows.ts';
import type { StartableAgents } from './execution-service.ts';
import { lockExecution } from './execution-head.ts';
import type { ReusedStep } from './machine-command.ts';
import { rangesOf, reusableForFork, reusableForRetry, type Former, type FormerStep } from './rerun.ts';
import { inputProblems, keyProblems, startedBefore } from './start-request.ts';
import type { Plan } from './machine-state.ts';
import { loadPlan } from './transition.ts';

export interface RerunService {
  /** Of a failed, blocked or cancelled execution: what succeeded is not done again, and what failed keeps its idempotency keys. */
  retryExecution(uow: UnitOfWork, actor: Authority, input: RetryExecution): Promise<ExecutionRow>;
  /** From a step that has ended: it and what follows it run again, with other inputs or another version where given. */
  forkExecution(uow: UnitOfWork, actor: Authority, input: ForkExecution): Promise<ExecutionRow>;
}

export interface RetryExecution {
  readonly executionId: string;
  readonly idempotencyKey?: string | null | undefined;
}

export interface ForkExecution {
  readonly executionId: string;
  readonly stepId: string;
  /** Absent: the same. */
  readonly inputs?: unknown;
  /** Absent: the same. */
  readonly version?: string | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
}

export function createRerunService(deps: CreateDependencies & { readonly agents: StartableAgents }): RerunService {
  async function originOf(uow: UnitOfWork, actor: Authority, executionId: string): Promise<ExecutionRow> {
    const [row] = isId(executionId) ? await executionsByIds(uow, actor, [executionId]) : [];
    if (!row) throw new NotFoundError(`there is no execution "${executionId.slice(0, 80)}"`);
    requirePermission(actor, 'execution.start', row);
    return row;
  }

  async function create(uow: UnitOfWork, actor: Authority, row: ExecutionRow, spec: Rerun): Promise<ExecutionRow> {
    const { version, inputs, kind, stepId, effectScopeId, key, digest, reused } = spec;
    const place = { projectId: row.projectId, environmentId: row.environmentId, teamId: row.teamId };
    const created = await createExecution(deps, uow, {
      ...{ place, agentId: row.agentId, versionId: version.id, inputs, labels: row.labels, priority: row.priority },
      requestedBy: actor.principalId,
      requestedRoles: rolesAt(actor, place),
      idempotencyKey: key,
      requestDigest: digest,
      origin: {
        ...{ id: row.id, kind, stepId, effectScopeId, reused },
        copy: async (executionId) => copySteps(uow, await loadPlan(uow, version.id), row.id, executionId, reused),
      },
    });
    return created?.row ?? (await startedBefore(uow, actor, key!, digest))!;
  }

  return {
    async retryExecution(uow, actor, { executionId, idempotencyKey }) {
      const row = await originOf(uow, actor, executionId);
      const digest = digestOf({ retry: executionId });
      const key = idempotencyKey ?? null;
      refuse(keyProblems(key));
      const { effectScopeId } = (await lockExecution(uow, row.id))!;
      const before = key === null ? null : await startedBefore(uow, actor, key, digest);
      if (before) return before;
      if (row.status !== 'failed' && row.status !== 'blocked' && row.status !== 'cancelled') {
        throw new InvalidStateError(`the execution is ${row.status}; only one that is failed, blocked or cancelled can be retried`);
      }
      await requireNoOpenRetry(uow, row.id);
      const plan = await loadPlan(uow, row.agentVersionId);
      const { agentId, environmentId } = row;
      const { version } = await deps.agents.resolveVersionForStart(uow, actor, {
        agentId,
        environmentId,
        version: plan.definition.version,
      });
      const reused = reusableForRetry(plan, await formerSteps(uow, row.id));
      return create(uow, actor, row, { version, inputs: row.inputs, kind: 'retry', stepId: null, effectScopeId, key, digest, reused });
    },

    async forkExecution(uow, actor, { executionId, stepId, inputs, version: wanted, idempotencyKey }) {
      const row = await originOf(uow, actor, executionId);
      const digest = digestOf({ fork: executionId, stepId, inputs: inputs ?? null, version: wanted ?? null });
      const key = idempotencyKey ?? null;
      refuse(keyProblems(key));
      const before = key === null ? null : await startedBefore(uow, actor, key, digest);
      if (before) return before;
      const former = await formerSteps(uow, row.id);
      const oldPlan = await loadPlan(uow, row.agentVersionId);
      requireEnded(oldPlan.steps.has(stepId), former.get(stepId), stepId);
      const { agentId, environmentId } = row;
      const request = { agentId, environmentId, version: wanted ?? oldPlan.definition.version };
      const { version } = await deps.agents.resolveVersionForStart(uow, actor, request);
      const plan = await loadPlan(uow, version.id);
      if (!plan.steps.has(stepId)) {
        throw new ValidationError([{ path: 'version', message: `version ${request.version} has no step "${stepId}" to begin with` }]);
      }
      const given = inputs ?? row.inputs;
      refuse(inputProblems(given));
      refuse(inputValidator(version)(given, 'inputs'));
      const fork = reusableForFork(plan, oldPlan, stepId, former);
      if (!fork.ok) {
        const message = `step "${stepId}" comes after step "${fork.missing}", which has no result in this execution to be taken over`;
        throw new ValidationError([{ path: 'stepId', message, expected: 'a step whose needs have all ended there' }]);
      }
      return create(uow, actor, row, {
        version,
        inputs: given,
        kind: 'fork',
        stepId,
        effectScopeId: null,
        key,
        digest,
        reused: fork.reused,
      });
    },
  };
}

interface Rerun {
  readonly version: { readonly id: string; readonly definition: Definition };
  readonly inputs: unknown;
  readonly kind: 'retry' | 'fork';
  readonly stepId: string | null;
  /** Of a retry: its effects keep the Idempotency-Keys of the execution it retries. */
  readonly effectScopeId: string | null;
  readonly key: string | null;
  readonly digest: string;
  readonly reused: readonly ReusedStep[];
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new ValidationError(problems);
}

/** Two at a time would do the same work side by side. The caller holds the lock of the former execution. */
async function requireNoOpenRetry(uow: UnitOfWork, executionId: string): Promise<void> {
  const [open] = await uow.rows<{ id: string; status: string }>(
    `select id, status from executions where tenant_id = $1 and origin_id = $2 and origin = 'retry'
       and status not in ('succeeded', 'failed', 'cancelled', 'blocked') limit 1`,
    [uow.tenantId, executionId],
  );
  if (!open) return;
  throw new InvalidStateError(`the execution ${open.id}, which is ${open.status}, retries it already; wait for its end or cancel it`);
}

function requireEnded(exists: boolean, step: FormerStep | undefined, stepId: string): void {
  if (!exists) throw new ValidationError([{ path: 'stepId', message: `the execution has no step "${stepId.slice(0, 80)}"` }]);
  if (step && isFinalStep(step.status) && step.status !== 'skipped' && step.status !== 'cancelled') return;
  throw new InvalidStateError(`step "${stepId}" is ${step?.status ?? 'pending'}; only a step that ran to its end can be forked from`);
}

async function formerSteps(uow: UnitOfWork, executionId: string): Promise<Former> {
  const rows = await uow.rows<{
    stepId: string;
    status: StepStatus;
    outputBytes: number;
    branchCase: number | null;
    total: number | null;
    succeeded: number[] | null;
  }>(
    `select s.step_id as "stepId", s.status, s.output_bytes as "outputBytes", s.item_total as total,
       case when jsonb_typeof(s.output -> 'case') = 'number' then (s.output ->> 'case')::int end as "branchCase",
       case when s.item_total is not null then (select array_agg(i.item_index order by i.item_index) from steps i
         where i.tenant_id = s.tenant_id and i.execution_id = s.execution_id and i.step_id = s.step_id
           and i.item_index >= 0 and i.status = 'succeeded') end as succeeded
     from steps s where s.tenant_id = $1 and s.execution_id = $2 and s.item_index = -1`,
    [uow.tenantId, executionId],
  );
  return new Map(
    rows.map(({ total, succeeded, ...step }) => [
      step.stepId,
      { ...step, items: total === null ? null : { total, succeeded: rangesOf(succeeded ?? []) } },
    ]),
  );
}

/** Rows of reused steps with their results, and of lists the items; those that run again keep only what they are about. */
async function copySteps(uow: UnitOfWork, plan: Plan, from: string, to: string, reused: readonly ReusedStep[]): Promise<void> {
  const idsOf = (steps: readonly ReusedStep[]) => steps.map(({ stepId }) => stepId);
  const ended = idsOf(reused.filter(({ status }) => status !== 'pending'));
  const withItems = reused.filter(({ items }) => items !== undefined);
  const loops = idsOf(withItems.filter(({ stepId }) => plan.steps.get(stepId)?.loop));
  await uow.rows(
    `insert into steps (tenant_id, execution_id, step_id, item_index, status, item, output, failure, own_output, output_bytes, finished_at)
     select tenant_id, $3, step_id, item_index,
       case when item_index < 0 or status = 'succeeded' then status else 'pending' end, item,
       case when item_index < 0 or status = 'succeeded' then output end,
       case when item_index < 0 and step_id = any($6::text[]) then failure end, own_output,
       case when item_index < 0 or status = 'succeeded' then output_bytes else 0 end,
       case when item_index >= 0 and status = 'succeeded' then finished_at end
     from steps where tenant_id = $1 and execution_id = $2
       and (item_index < 0 and step_id = any($4::text[])
         or item_index >= 0 and step_id = any($5::text[]) and (status = 'succeeded' or step_id <> all($7::text[])))`,
    [uow.tenantId, from, to, idsOf(reused), idsOf(withItems), ended, loops],
  );
}

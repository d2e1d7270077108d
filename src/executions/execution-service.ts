// Starting and cancelling executions. What happens in between is the runner's (src/runner) through transition.ts.
import type { Definition } from '../agents/definition.ts';
import type { ApprovalService } from '../approvals/approval-service.ts';
import type { EventService } from '../events/event-service.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { InvalidStateError, NotFoundError, ValidationError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { requirePermission } from '../authority/authorize.ts';
import { rolesAt, type Authority } from '../authority/permission.ts';
import type { Gate } from '../gate/gate-service.ts';
import { createExecution, inputValidator } from './create.ts';
import { listExecutions } from './execution-list.ts';
import { attemptsOf, executionsByIds, outputsOf } from './execution-reads.ts';
import type { ExecutionRow } from './execution-rows.ts';
import { childrenOf, rerunsOf, rootsOf } from './family-reads.ts';
import { itemPages, stepViews } from './step-reads.ts';
import { startedBefore, validatedStart, type StartExecution } from './start-request.ts';
import { beginTransition } from './transition.ts';

export interface ExecutionService {
  /** Validates, records and enqueues; acknowledged means durable. */
  startExecution(uow: UnitOfWork, actor: Authority, input: StartExecution): Promise<ExecutionRow>;
  /** Ends an execution that is not final; running effects get an abort signal, open approvals are withdrawn. */
  cancelExecution(
    uow: UnitOfWork,
    actor: Authority,
    input: { executionId: string; reason?: string | null | undefined },
  ): Promise<ExecutionRow>;
  /** The execution when it exists and `actor` may read it, else NotFoundError. */
  getExecution(uow: UnitOfWork, actor: Authority, executionId: string): Promise<ExecutionRow>;
  readonly executionsByIds: typeof executionsByIds;
  readonly listExecutions: typeof listExecutions;
  // How executions belong together, batched; only those that `actor` may read.
  readonly childrenOf: typeof childrenOf;
  readonly rerunsOf: typeof rerunsOf;
  readonly rootsOf: typeof rootsOf;
  // Parts of executions that the caller has authorised, batched.
  readonly stepViews: typeof stepViews;
  readonly itemPages: typeof itemPages;
  readonly outputsOf: typeof outputsOf;
  readonly attemptsOf: typeof attemptsOf;
}

/** What starting needs to know of agents; AgentService has it. */
export interface StartableAgents {
  resolveVersionForStart(
    uow: UnitOfWork,
    actor: Authority,
    request: { agentId: string; environmentId: string; version?: string | null | undefined },
  ): Promise<{
    agent: { id: string; projectId: string; teamId: string | null };
    version: { id: string; digest: string; definition: Definition };
    environment: { id: string };
  }>;
}

export interface ExecutionDependencies {
  readonly clock: Clock;
  readonly agents: StartableAgents;
  readonly gate: Gate;
  readonly approvals: ApprovalService;
  readonly events: EventService;
}

const maxReasonLength = 1_000;

export function createExecutionService(deps: ExecutionDependencies): ExecutionService {
  const { clock, agents } = deps;

  async function getExecution(uow: UnitOfWork, actor: Authority, executionId: string): Promise<ExecutionRow> {
    const [row] = isId(executionId) ? await executionsByIds(uow, actor, [executionId]) : [];
    if (!row) throw new NotFoundError(`there is no execution "${executionId.slice(0, 80)}"`);
    return row;
  }

  return {
    getExecution,
    executionsByIds,
    listExecutions,
    childrenOf,
    rerunsOf,
    rootsOf,
    stepViews,
    itemPages,
    outputsOf,
    attemptsOf,

    async startExecution(uow, actor, input) {
      const request = validatedStart(input, clock.now());
      const { idempotencyKey } = request;
      if (idempotencyKey !== null) {
        const before = await startedBefore(uow, actor, idempotencyKey, request.digest);
        if (before) return before;
      }
      if (request.overdue) throw new ValidationError([request.overdue]);
      const { agent, version } = await agents.resolveVersionForStart(uow, actor, input);
      const place = { projectId: agent.projectId, environmentId: input.environmentId, teamId: agent.teamId };
      requirePermission(actor, 'execution.start', place);
      const problems = inputValidator(version)(request.inputs, 'inputs');
      if (problems.length > 0) throw new ValidationError(problems);

      const created = await createExecution(deps, uow, {
        place,
        agentId: agent.id,
        versionId: version.id,
        inputs: request.inputs,
        labels: request.labels,
        requestedBy: actor.principalId,
        requestedRoles: rolesAt(actor, place),
        idempotencyKey,
        requestDigest: request.digest,
        startAt: request.startAt,
        priority: request.priority,
      });
      // Lost a race for the key: whoever won has committed by now.
      return created?.row ?? (await startedBefore(uow, actor, idempotencyKey!, request.digest))!;
    },

    async cancelExecution(uow, actor, { executionId, reason }) {
      const execution = await getExecution(uow, actor, executionId);
      requirePermission(actor, 'execution.cancel', execution);
      if (reason && reason.length > maxReasonLength) {
        throw new ValidationError([{ path: 'reason', message: `must have at most ${maxReasonLength} characters, has ${reason.length}` }]);
      }
      if (reason && !isStorableText(reason)) throw new ValidationError([{ path: 'reason', message: unstorableText }]);
      const transition = (await beginTransition(deps, uow, executionId, []))!;
      const refusal = await transition.run({ type: 'cancel', reason: reason ?? '', cancelledBy: actor.principalId });
      if (refusal !== null) throw new InvalidStateError(`${refusal}; only an execution that has not ended can be cancelled`);
      await transition.save();
      return getExecution(uow, actor, executionId);
    },
  };
}

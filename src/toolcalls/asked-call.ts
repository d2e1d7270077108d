// A call that was asked about, as the gate, its record and an approver are told of it. Pure; no I/O.
import type { AgentService } from '../agents/agent-service.ts';
import type { ApprovalSubject } from '../approvals/approval.ts';
import { gateInput } from '../executions/gate-input.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { rolesAt, type Authority } from '../authority/permission.ts';
import type { GateInput } from '../rules/gate.ts';
import type { ClassifiedCall } from '../tools/classification.ts';
import type { ValidRequest } from './tool-call.ts';

export interface Asked {
  readonly request: ValidRequest;
  readonly startable: Awaited<ReturnType<AgentService['resolveVersionForStart']>>;
  readonly place: { readonly projectId: string; readonly environmentId: string; readonly teamId: string | null };
  readonly called: ClassifiedCall;
  /** Estimate: the agent's, or that of the tenant's operators if it is higher. */
  readonly costMicroUsd: number | null;
}

export function gateInputOf(clock: Clock, uow: UnitOfWork, actor: Authority, asked: Asked): GateInput {
  const { request, startable, place, called, costMicroUsd } = asked;
  const { agent, version, environment } = startable;
  const row = {
    ...{ id: '', ...place, agentId: agent.id, requestedBy: actor.principalId, labels: request.labels, agentName: agent.name },
    ...{ agentTags: agent.tags, agentVersionDigest: version.digest, requestedRoles: rolesAt(actor, place), policyRevision: 0 },
    environmentKind: environment.kind,
  };
  const effect = { action: 'tool.call', tool: called, destination: null, arguments: request.arguments, costMicroUsd } as const;
  return { ...gateInput(clock, { uow, row, plan: { definition: version.definition } }, effect), executionId: null };
}

export const referenceOf = ({ place, startable }: Asked) => ({
  ...place,
  ...{ agentId: startable.agent.id, executionId: null, stepId: null, itemIndex: null },
});

export function subjectOf(
  uow: UnitOfWork,
  toolCallId: string,
  { request, startable, called }: Asked,
  policies: readonly string[],
): ApprovalSubject {
  return {
    ...{ tenantId: uow.tenantId, executionId: null, stepId: null, itemIndex: null, toolCallId },
    ...{ agentVersionDigest: startable.version.digest, tool: called.name, toolDigest: called.digest },
    ...{ arguments: request.arguments, policies },
  };
}

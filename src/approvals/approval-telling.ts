// What webhooks are told of an approval: who has to look at what, and what became of it. Never the arguments, which may be secret; never
// a way to decide: whoever hears of it comes to the API, as themselves.
import type { UnitOfWork } from '../platform/database.ts';
import { tellWebhooks } from '../webhooks/tell.ts';
import { apiId, type WebhookEvent } from '../webhooks/webhook.ts';
import type { ApprovalRow } from './approval-reads.ts';
import { stageOf } from './approval-terms.ts';

/** In the transaction of the event. */
export function tellOfApprovals(uow: UnitOfWork, event: WebhookEvent, approvals: readonly ApprovalRow[], at: Date): void {
  tellWebhooks(uow, event, approvals.map(dataOf), at);
}

function dataOf(approval: ApprovalRow): Record<string, unknown> {
  const { subject, executionId, toolCallId, decidedBy, terms } = approval;
  const { name, quorum } = stageOf(approval);
  return {
    approvalId: apiId('Approval', approval.id),
    status: approval.status,
    title: approval.title,
    risk: approval.risk,
    source: approval.source,
    tool: subject.tool,
    digest: approval.digest,
    projectId: apiId('Project', approval.projectId),
    environmentId: apiId('Environment', approval.environmentId),
    agentId: apiId('Agent', approval.agentId),
    executionId: executionId && apiId('Execution', executionId),
    toolCallId: toolCallId && apiId('ToolCall', toolCallId),
    stepId: approval.stepId,
    stage: { number: approval.stage + 1, of: Math.max(terms.stages.length, 1), name, quorum },
    requestedBy: apiId('Principal', approval.requestedBy),
    createdAt: approval.createdAt.toISOString(),
    expiresAt: approval.expiresAt.toISOString(),
    decidedAt: approval.decidedAt?.toISOString() ?? null,
    decidedBy: decidedBy && apiId('Principal', decidedBy),
  };
}

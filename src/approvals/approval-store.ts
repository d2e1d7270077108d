// Writes of the table of approvals and the jobs that follow from them. No rules: callers have decided, under the row's lock.
import type { UnitOfWork } from '../platform/database.ts';
import { isId, newId } from '../platform/ids.ts';
import { storableJson } from '../platform/json.ts';
import { enqueue } from '../jobs/jobs.ts';
import type { RiskClass } from '../tools/tool.ts';
import { subjectDigest, type ApprovalDecision, type ApprovalSource, type ApprovalStatus, type ApprovalSubject } from './approval.ts';
import { approvalColumns, approvalRows, type ApprovalRow } from './approval-reads.ts';
import type { ApprovalTerms } from './approval-terms.ts';
import { nextAttention } from './attention.ts';

export interface NewApproval {
  readonly projectId: string;
  readonly environmentId: string;
  readonly teamId: string | null;
  readonly agentId: string;
  readonly source: ApprovalSource;
  readonly title: string;
  readonly reason: string;
  readonly risk: RiskClass;
  /** Names execution, step and item too; its digest is what the grant will be bound to. */
  readonly subject: ApprovalSubject;
  /** Left out: one person with the permission to decide. */
  readonly terms?: ApprovalTerms | undefined;
  /** The gate's decision that asks; null for an approval step. */
  readonly decisionId?: string | null | undefined;
  readonly costMicroUsd?: number | null | undefined;
  readonly requestedBy: string;
  /** How long it stays open; in business hours when `terms` name them. */
  readonly expiresInMs: number;
}

export async function insertApproval(
  uow: UnitOfWork,
  { subject, ...input }: NewApproval & { readonly terms: ApprovalTerms; readonly createdAt: Date; readonly expiresAt: Date },
): Promise<ApprovalRow> {
  const columns: Readonly<Record<string, unknown>> = {
    ...{ id: newId(), tenant_id: uow.tenantId, project_id: input.projectId, environment_id: input.environmentId, team_id: input.teamId },
    ...{ agent_id: input.agentId, execution_id: subject.executionId, step_id: subject.stepId, item_index: subject.itemIndex },
    ...{ tool_call_id: subject.toolCallId ?? null, decision_id: input.decisionId ?? null, source: input.source, status: 'pending' },
    ...{ title: input.title, reason: input.reason, risk: input.risk, subject: storableJson(subject), digest: subjectDigest(subject) },
    ...{ terms: storableJson(input.terms), cost_micro_usd: input.costMicroUsd ?? null, requested_by: input.requestedBy },
    ...{ created_at: input.createdAt, expires_at: input.expiresAt },
  };
  const names = Object.keys(columns);
  const [approval] = await approvalRows(
    uow,
    `insert into approvals (${names.join(', ')}) values (${names.map((_, index) => `$${index + 1}`).join(', ')}) returning ${approvalColumns}`,
    names.map((name) => columns[name]),
  );
  return approval!;
}

export async function lockApproval(uow: UnitOfWork, approvalId: string): Promise<ApprovalRow | null> {
  if (!isId(approvalId)) return null;
  const [row] = await approvalRows(uow, `select ${approvalColumns} from approvals where tenant_id = $1 and id = $2 for update`, [
    uow.tenantId,
    approvalId,
  ]);
  return row ?? null;
}

export interface ApprovalChange {
  readonly status?: ApprovalStatus;
  readonly decided_at?: Date;
  readonly decided_by?: string;
  readonly note?: string | null;
  readonly stage?: number;
  readonly stage_at?: Date;
  readonly warned_at?: Date | null;
  readonly escalated_at?: Date | null;
  readonly expires_at?: Date;
  readonly consumed_at?: Date;
}

/** Of a row that the caller has locked. */
export async function changeApproval(uow: UnitOfWork, approvalId: string, change: ApprovalChange): Promise<ApprovalRow> {
  const names = Object.keys(change) as (keyof ApprovalChange)[];
  const [approval] = await approvalRows(
    uow,
    `update approvals set ${names.map((name, index) => `${name} = $${index + 3}`).join(', ')}
     where tenant_id = $1 and id = $2 returning ${approvalColumns}`,
    [uow.tenantId, approvalId, ...names.map((name) => change[name])],
  );
  if (!approval) throw new Error('the locked approval is gone');
  return approval;
}

interface NewVote {
  readonly principalId: string;
  readonly onBehalfOf: string | null;
  readonly decision: ApprovalDecision;
  readonly note: string | null;
  readonly idempotencyKey: string | null;
  readonly votedAt: Date;
}

/** In the approval's stage, for what will run now; replaces what the same person said of something else. */
export function insertVote(uow: UnitOfWork, { id, stage, digest }: ApprovalRow, vote: NewVote): void {
  uow.write(
    `insert into approval_votes (approval_id, stage, principal_id, tenant_id, on_behalf_of, decision, digest, note, idempotency_key, voted_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (approval_id, stage, principal_id) do update set on_behalf_of = excluded.on_behalf_of, decision = excluded.decision,
       digest = excluded.digest, note = excluded.note, idempotency_key = excluded.idempotency_key, voted_at = excluded.voted_at`,
    [
      ...[id, stage, vote.principalId, uow.tenantId, vote.onBehalfOf, vote.decision, digest],
      ...[vote.note, vote.idempotencyKey, vote.votedAt],
    ],
  );
}

/** Ends every open request of an execution that was cancelled or has ended; returns them. */
export function cancelForExecution(uow: UnitOfWork, executionId: string): Promise<ApprovalRow[]> {
  return approvalRows(
    uow,
    `update approvals set status = 'cancelled' where tenant_id = $1 and execution_id = $2 and status = 'pending' returning ${approvalColumns}`,
    [uow.tenantId, executionId],
  );
}

/** Whoever waits for it: a step, an execution that has not begun; an agent that runs elsewhere asks by itself. */
export async function wake(uow: UnitOfWork, { executionId, stepId, itemIndex }: ApprovalRow): Promise<void> {
  if (executionId === null) return;
  const place = { tenantId: uow.tenantId, executionId };
  await enqueue(uow, [
    stepId === null
      ? { name: 'run-execution', payload: place }
      : { name: 'run-step', payload: { ...place, stepId, itemIndex: itemIndex ?? -1 } },
  ]);
}

/** The jobs that end it at its time, and before that warn or escalate; they replace those of before. */
export async function scheduleClocks(uow: UnitOfWork, approval: ApprovalRow): Promise<void> {
  const payload = { tenantId: uow.tenantId, approvalId: approval.id };
  const next = nextAttention(approval);
  await enqueue(uow, [
    { name: 'expire-approval', payload, runAt: approval.expiresAt, key: `expire-approval:${approval.id}` },
    ...(next ? [{ name: 'attend-approval', payload, runAt: next.at, key: `attend-approval:${approval.id}` } as const] : []),
  ]);
}

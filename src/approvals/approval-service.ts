// Approvals: requested by a dispatch, decided by people, consumed once by a dispatch. The only writer of the table.
// Events of an approval belong to its execution: whoever runs the execution appends them.
import type { Clock } from '../platform/clock.ts';
import { digestOf } from '../platform/canonical.ts';
import type { UnitOfWork } from '../platform/database.ts';
import {
  ConflictError,
  ForbiddenError,
  IdempotencyConflictError,
  InvalidStateError,
  NotFoundError,
  ValidationError,
  type Problem,
} from '../platform/errors.ts';
import { isId, newId } from '../platform/ids.ts';
import { storableJson } from '../platform/json.ts';
import type { Page, PageRequest } from '../platform/page.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { enqueue } from '../jobs/jobs.ts';
import { can, type Authority } from '../principals/permission.ts';
import type { RiskClass } from '../tools/tool.ts';
import {
  canConsume,
  canDecide,
  decidedStatus,
  isExpired,
  maxNoteLength,
  type ApprovalDecision,
  type ApprovalSource,
  type ApprovalSubject,
  type Consumption,
} from './approval.ts';
import { afterWorking } from './business-hours.ts';
import type { ApprovalTerms } from './approval-terms.ts';
import {
  approvalColumns,
  approvalRows,
  approvalsByIds,
  approvalsOfExecutions,
  listApprovals,
  outcomesOfExecution,
  type ApprovalFilter,
  type ApprovalRow,
} from './approval-reads.ts';

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

export interface Deciding {
  readonly approvalId: string;
  readonly decision: ApprovalDecision;
  readonly note?: string | null | undefined;
  /** Digest of what the decider was shown; another one is refused. */
  readonly expectedDigest?: string | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
}

export interface ApprovalService {
  /** Opens a request (`subject` names execution and step, execution, or tool call), with the job that ends it at `expiresAt`. For the dispatch; authorises nothing. */
  request(uow: UnitOfWork, input: NewApproval): Promise<ApprovalRow>;
  /** Approves or rejects, and wakes the waiting step in the same transaction. */
  decide(uow: UnitOfWork, actor: Authority, input: Deciding): Promise<ApprovalRow>;
  /** Job `expire-approval`: ends a request that is still open past its time, and wakes the step. Null when there was nothing to end. */
  expire(uow: UnitOfWork, approvalId: string): Promise<ApprovalRow | null>;
  /** Ends every open request of an execution that was cancelled or has ended; returns them. */
  cancelForExecution(uow: UnitOfWork, executionId: string): Promise<ApprovalRow[]>;
  /** Uses the grant, once, for exactly what has `digest`. An approved grant does not expire: `expiresAt` limits deciding. */
  consume(uow: UnitOfWork, approvalId: string, digest: string): Promise<Consumption>;
  /** Why `actor` cannot decide it now, as a sentence; null when they can. */
  whyNotDecide(actor: Authority, approval: ApprovalRow): string | null;
  findApproval(uow: UnitOfWork, actor: Authority, approvalId: string): Promise<ApprovalRow | null>;
  approvalsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<ApprovalRow[]>;
  listApprovals(uow: UnitOfWork, actor: Authority, filter: ApprovalFilter, page: PageRequest): Promise<Page<ApprovalRow>>;
  /** One page per execution, in the order of the ids. */
  approvalsOfExecutions(
    uow: UnitOfWork,
    actor: Authority,
    executionIds: readonly string[],
    page: PageRequest,
  ): Promise<Page<ApprovalRow>[]>;
  /** The newest approval of a step (or of one item: `itemIndex`), whatever its status. */
  findForStep(uow: UnitOfWork, executionId: string, stepId: string | null, itemIndex: number | null): Promise<ApprovalRow | null>;
  readonly outcomesOfExecution: typeof outcomesOfExecution;
}

const noTerms: ApprovalTerms = { stages: [] };
const maxKeyLength = 200;

/** What a grant of this subject is bound to: lower-case hex SHA-256 of its canonical JSON (RFC 8785), in the form that is stored. */
export const subjectDigest = (subject: ApprovalSubject): string => digestOf(JSON.parse(storableJson(subject)));

export function createApprovalService({ clock }: { clock: Clock }): ApprovalService {
  async function lock(uow: UnitOfWork, approvalId: string): Promise<ApprovalRow | null> {
    if (!isId(approvalId)) return null;
    const [row] = await approvalRows(uow, `select ${approvalColumns} from approvals where tenant_id = $1 and id = $2 for update`, [
      uow.tenantId,
      approvalId,
    ]);
    return row ?? null;
  }

  /** Whoever waits for it: a step, an execution that has not begun; an agent that runs elsewhere asks by itself. */
  async function wake(uow: UnitOfWork, { executionId, stepId, itemIndex }: ApprovalRow): Promise<void> {
    if (executionId === null) return;
    const place = { tenantId: uow.tenantId, executionId };
    await enqueue(uow, [
      stepId === null
        ? { name: 'run-execution', payload: place }
        : { name: 'run-step', payload: { ...place, stepId, itemIndex: itemIndex ?? -1 } },
    ]);
  }

  const endLater = (uow: UnitOfWork, { id, expiresAt }: ApprovalRow) =>
    enqueue(uow, [
      { name: 'expire-approval', payload: { tenantId: uow.tenantId, approvalId: id }, runAt: expiresAt, key: `expire-approval:${id}` },
    ]);

  return {
    async request(uow, input) {
      const { subject } = input;
      if (subject.tenantId !== uow.tenantId) throw new Error('an approval can only be requested in the tenant of its subject');
      const now = clock.now();
      const [approval] = await approvalRows(
        uow,
        `insert into approvals (id, tenant_id, project_id, environment_id, team_id, agent_id, execution_id, step_id, item_index,
           source, status, title, reason, risk, subject, digest, requested_by, created_at, expires_at, tool_call_id, decision_id, terms,
           cost_micro_usd)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'pending', $11, $12, $13, $14::jsonb, $15, $16, $17, $18, $19, $20, $21::jsonb, $22)
         returning ${approvalColumns}`,
        [
          newId(),
          uow.tenantId,
          input.projectId,
          input.environmentId,
          input.teamId,
          input.agentId,
          subject.executionId,
          subject.stepId,
          subject.itemIndex,
          input.source,
          input.title,
          input.reason,
          input.risk,
          storableJson(subject),
          subjectDigest(subject),
          input.requestedBy,
          now,
          afterWorking(input.terms?.businessHours, now, input.expiresInMs),
          subject.toolCallId ?? null,
          input.decisionId ?? null,
          JSON.stringify(input.terms ?? noTerms),
          input.costMicroUsd ?? null,
        ],
      );
      if (!approval) throw new Error('the inserted approval was not returned');
      await endLater(uow, approval);
      return approval;
    },

    async decide(uow, actor, input) {
      refuseInvalid(input);
      const approval = await lock(uow, input.approvalId);
      if (!approval || !can(actor, 'approval.read', approval)) throw new NotFoundError(`there is no approval "${input.approvalId}"`);
      const decidable = canDecide(approval, actor, clock.now());
      if (!decidable.ok) {
        if (decidable.code === 'FORBIDDEN') throw new ForbiddenError(decidable.reason);
        if (await repeats(uow, actor, approval, input)) return approval;
        if (decidable.code === 'INVALID_STATE') throw new InvalidStateError(decidable.reason);
        throw new ConflictError(await whoDecided(uow, approval));
      }
      if (input.expectedDigest != null && input.expectedDigest !== approval.digest) {
        throw new ConflictError(
          `expectedDigest: this approval is for ${approval.digest}, not for ${input.expectedDigest}; read it again before deciding`,
        );
      }
      const [decided] = await approvalRows(
        uow,
        `update approvals set status = $3, decided_at = $4, decided_by = $5, note = $6
         where tenant_id = $1 and id = $2 returning ${approvalColumns}`,
        [uow.tenantId, approval.id, decidedStatus[input.decision], clock.now(), actor.principalId, input.note ?? null],
      );
      uow.write(
        `insert into approval_votes (approval_id, stage, principal_id, tenant_id, decision, digest, note, idempotency_key, voted_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        [
          approval.id,
          approval.stage,
          actor.principalId,
          uow.tenantId,
          input.decision,
          approval.digest,
          input.note,
          input.idempotencyKey,
          clock.now(),
        ],
      );
      if (!decided) throw new Error('the locked approval is gone');
      await wake(uow, decided);
      return decided;
    },

    async expire(uow, approvalId) {
      const approval = await lock(uow, approvalId);
      if (approval?.status !== 'pending') return null;
      if (!isExpired(approval, clock.now())) {
        // The job's time is the database's; by ours it came too early.
        await endLater(uow, approval);
        return null;
      }
      const [expired] = await approvalRows(
        uow,
        `update approvals set status = 'expired' where tenant_id = $1 and id = $2 returning ${approvalColumns}`,
        [uow.tenantId, approval.id],
      );
      if (!expired) throw new Error('the locked approval is gone');
      await wake(uow, expired);
      return expired;
    },

    cancelForExecution: (uow, executionId) =>
      approvalRows(
        uow,
        `update approvals set status = 'cancelled' where tenant_id = $1 and execution_id = $2 and status = 'pending'
         returning ${approvalColumns}`,
        [uow.tenantId, executionId],
      ),

    async consume(uow, approvalId, digest) {
      const approval = await lock(uow, approvalId);
      const consumption = canConsume(approval, digest);
      if (!consumption.ok) return consumption;
      await uow.rows('update approvals set consumed_at = $3 where tenant_id = $1 and id = $2', [uow.tenantId, approvalId, clock.now()]);
      return { ok: true };
    },

    whyNotDecide(actor, approval) {
      const decidable = canDecide(approval, actor, clock.now());
      return decidable.ok ? null : decidable.reason;
    },

    async findApproval(uow, actor, approvalId) {
      return (await approvalsByIds(uow, actor, [approvalId]))[0] ?? null;
    },
    approvalsByIds,
    listApprovals,
    approvalsOfExecutions,
    outcomesOfExecution,

    async findForStep(uow, executionId, stepId, itemIndex) {
      const [approval] = await approvalRows(
        uow,
        `select ${approvalColumns} from approvals
         where tenant_id = $1 and execution_id = $2 and step_id is not distinct from $3 and item_index is not distinct from $4::int
         order by id desc limit 1`,
        [uow.tenantId, executionId, stepId, itemIndex],
      );
      return approval ?? null;
    },
  };
}

function refuseInvalid(input: Deciding): void {
  const problems: Problem[] = [];
  const check = (path: 'note' | 'idempotencyKey', least: number, most: number) => {
    const text = input[path];
    if (text == null) return;
    if (text.length < least || text.length > most) {
      problems.push({ path, message: `must have ${least} to ${most} characters, has ${text.length}` });
    }
    if (!isStorableText(text)) problems.push({ path, message: unstorableText });
  };
  check('note', 0, maxNoteLength);
  check('idempotencyKey', 1, maxKeyLength);
  if (problems.length > 0) throw new ValidationError(problems);
}

/** True when this very request was answered before: same principal, key and content. */
async function repeats(uow: UnitOfWork, actor: Authority, approval: ApprovalRow, input: Deciding): Promise<boolean> {
  if (input.idempotencyKey == null || approval.decidedBy !== actor.principalId) return false;
  const [row] = await uow.rows<{ key: string | null }>(
    'select idempotency_key as "key" from approval_votes where tenant_id = $1 and approval_id = $2 and principal_id = $3',
    [uow.tenantId, approval.id, actor.principalId],
  );
  if (row?.key !== input.idempotencyKey) return false;
  if (decidedStatus[input.decision] === approval.status && (input.note ?? null) === approval.note) return true;
  throw new IdempotencyConflictError(
    `idempotencyKey: "${input.idempotencyKey}" was used before to decide this approval otherwise; it stays ${approval.status}`,
  );
}

async function whoDecided(uow: UnitOfWork, approval: ApprovalRow): Promise<string> {
  const [principal] = await uow.rows<{ name: string }>('select name from principals where tenant_id = $1 and id = $2', [
    uow.tenantId,
    approval.decidedBy,
  ]);
  const at = approval.decidedAt ? ` at ${approval.decidedAt.toISOString()}` : '';
  return `the approval was already ${approval.status} by ${principal?.name ?? 'a principal that no longer exists'}${at}; a decision is final`;
}

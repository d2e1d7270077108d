// Approvals: requested by a dispatch, decided by people, consumed once by a dispatch. How they begin and end otherwise stands here;
// deciding in deciding.ts, extension in extending.ts. Their own events belong to their executions (approval-log.ts).
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import type { Page, PageRequest } from '../platform/page.ts';
import type { Authority } from '../authority/permission.ts';
import { canConsume, isExpired, type Consumption } from './approval.ts';
import { decidingFacts, votesOf } from './approval-facts.ts';
import type { ApprovalLog } from './approval-log.ts';
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
import { rightToDecide } from './approval-rights.ts';
import {
  cancelForExecution,
  changeApproval,
  insertApproval,
  lockApproval,
  scheduleClocks,
  wake,
  type NewApproval,
} from './approval-store.ts';
import type { ApprovalTerms } from './approval-terms.ts';
import { tellOfApprovals } from './approval-telling.ts';
import { settledTerms } from './approver-reads.ts';
import { nextAttention } from './attention.ts';
import { afterWorking } from './business-hours.ts';
import { decidableBy } from './decidable-reads.ts';
import { createDecisions, type Decisions } from './deciding.ts';
import { createExtensions, type Extensions } from './extending.ts';

export type { NewApproval } from './approval-store.ts';

export interface ApprovalService extends Decisions, Extensions {
  /** Opens a request (`subject` names execution and step, execution, or call), with the jobs of its clocks. For the dispatch; authorises nothing. */
  request(uow: UnitOfWork, input: NewApproval): Promise<ApprovalRow>;
  /** Job `expire-approval`: ends a request that is still open past its time, and wakes the step. Null when there was nothing to end. */
  expire(uow: UnitOfWork, approvalId: string): Promise<ApprovalRow | null>;
  /** Job `attend-approval`: warns or escalates when that is due. Null when there was nothing to do. */
  attend(uow: UnitOfWork, approvalId: string): Promise<ApprovalRow | null>;
  /** Ends every open request of an execution that was cancelled or has ended; returns them. */
  readonly cancelForExecution: typeof cancelForExecution;
  /** Ends the open request of a call that is no longer asked about like this; nothing happens when it is not open. */
  withdraw(uow: UnitOfWork, approvalId: string): Promise<void>;
  /** Uses the grant, once, for exactly what has `digest`, as long as it is good. */
  consume(uow: UnitOfWork, approvalId: string, digest: string): Promise<Consumption>;
  /** Why `actor` cannot decide each of them now, as a sentence; null when they can. In their order. */
  whyNotDecide(uow: UnitOfWork, actor: Authority, approvals: readonly ApprovalRow[]): Promise<(string | null)[]>;
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
  /** The newest approval of a step (or of one item: `itemIndex`; of the start: no step), whatever its status. */
  findForStep(uow: UnitOfWork, executionId: string, stepId: string | null, itemIndex: number | null): Promise<ApprovalRow | null>;
  /** Of approvals that the caller has authorised, oldest first. */
  readonly votesOf: typeof votesOf;
  readonly outcomesOfExecution: typeof outcomesOfExecution;
}

const noTerms: ApprovalTerms = { stages: [] };

export function createApprovalService(deps: { readonly clock: Clock; readonly log: ApprovalLog }): ApprovalService {
  const { clock, log } = deps;

  /** The request under its lock and, before it, that of its execution. */
  async function hold(uow: UnitOfWork, approvalId: string): Promise<ApprovalRow | null> {
    const [seen] = await approvalRows(uow, `select ${approvalColumns} from approvals where tenant_id = $1 and id = $2`, [
      uow.tenantId,
      approvalId,
    ]);
    if (seen?.status !== 'pending') return null;
    await log.hold(uow, [seen]);
    const approval = await lockApproval(uow, approvalId);
    return approval?.status === 'pending' ? approval : null;
  }

  return {
    ...createDecisions(deps),
    ...createExtensions(deps),

    async request(uow, input) {
      if (input.subject.tenantId !== uow.tenantId) throw new Error('an approval can only be requested in the tenant of its subject');
      const createdAt = clock.now();
      const terms = input.terms ? await settledTerms(uow, input.terms, input.agentId) : noTerms;
      const expiresAt = afterWorking(terms.businessHours, createdAt, input.expiresInMs);
      const approval = await insertApproval(uow, { ...input, terms, createdAt, expiresAt });
      await scheduleClocks(uow, approval);
      tellOfApprovals(uow, 'approval.requested', [approval], createdAt);
      if (approval.toolCallId !== null) await log.tellCall(uow, approval, { type: 'requested', expiresAt: expiresAt.toISOString() });
      return approval;
    },

    async expire(uow, approvalId) {
      const approval = await lockApproval(uow, approvalId);
      if (approval?.status !== 'pending') return null;
      if (!isExpired(approval, clock.now())) {
        // The job's time is the database's; by ours it came too early.
        await scheduleClocks(uow, approval);
        return null;
      }
      const expired = await changeApproval(uow, approval.id, { status: 'expired' });
      await wake(uow, expired);
      tellOfApprovals(uow, 'approval.expired', [expired], clock.now());
      if (expired.toolCallId !== null) await log.tellCall(uow, expired, { type: 'expired' });
      return expired;
    },

    async attend(uow, approvalId) {
      const approval = await hold(uow, approvalId);
      const next = approval && nextAttention(approval);
      if (!approval || !next) return null;
      const now = clock.now();
      if (next.at > now) {
        // Extended meanwhile, another stage, or by our clock the job came too early.
        await scheduleClocks(uow, approval);
        return null;
      }
      const changed = await changeApproval(uow, approval.id, next.kind === 'warn' ? { warned_at: now } : { escalated_at: now });
      const expiresAt = changed.expiresAt.toISOString();
      await log.note(uow, changed, [next.kind === 'warn' ? { type: 'warned', expiresAt } : { type: 'escalated', stage: changed.stage }]);
      await scheduleClocks(uow, changed);
      tellOfApprovals(uow, next.kind === 'warn' ? 'approval.expiring' : 'approval.escalated', [changed], now);
      return changed;
    },

    cancelForExecution,

    async withdraw(uow, approvalId) {
      const approval = await lockApproval(uow, approvalId);
      if (approval?.status !== 'pending') return;
      const cancelled = await changeApproval(uow, approval.id, { status: 'cancelled' });
      tellOfApprovals(uow, 'approval.cancelled', [cancelled], clock.now());
      if (cancelled.toolCallId !== null) await log.tellCall(uow, cancelled, { type: 'cancelled' });
    },

    async consume(uow, approvalId, digest) {
      const approval = await lockApproval(uow, approvalId);
      const consumption = canConsume(approval, digest, clock.now());
      if (!consumption.ok) return consumption;
      uow.write('update approvals set consumed_at = $3 where tenant_id = $1 and id = $2', [uow.tenantId, approvalId, clock.now()]);
      return { ok: true };
    },

    async whyNotDecide(uow, actor, approvals) {
      const now = clock.now();
      const facts = await decidingFacts(uow, actor, approvals, now);
      return approvals.map((approval) => {
        const right = rightToDecide(approval, actor, facts, now);
        return right.ok ? null : right.reason;
      });
    },

    async findApproval(uow, actor, approvalId) {
      return (await approvalsByIds(uow, actor, [approvalId]))[0] ?? null;
    },
    approvalsByIds,

    async listApprovals(uow, actor, filter, page) {
      const decidable = filter.canDecide == null ? undefined : await decidableBy(uow, actor, clock.now());
      return listApprovals(uow, actor, filter, page, decidable);
    },

    approvalsOfExecutions,
    votesOf,
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

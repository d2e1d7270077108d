// More time for a request: an approver who could decide it puts off its end.
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { ForbiddenError, InvalidStateError, NotFoundError, ValidationError, type Problem } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { can, type Authority } from '../authority/permission.ts';
import { isExpired, maxNoteLength } from './approval.ts';
import { decidingFacts } from './approval-facts.ts';
import type { ApprovalLog } from './approval-log.ts';
import { approvalsByIds, type ApprovalRow } from './approval-reads.ts';
import { rightToDecide } from './approval-rights.ts';
import { changeApproval, lockApproval, scheduleClocks } from './approval-store.ts';

export interface Extending {
  readonly approvalId: string;
  /** Later than now planned; repeating the same extension changes nothing. */
  readonly expiresAt: Date;
  readonly note?: string | null | undefined;
}

export interface Extensions {
  /** By somebody who is asked, whether or not they have voted. The warning before the end is given again. */
  extend(uow: UnitOfWork, actor: Authority, input: Extending): Promise<ApprovalRow>;
}

/** From the request on, however often it is extended. */
export const maxOpenDays = 365;

export function createExtensions({ clock, log }: { readonly clock: Clock; readonly log: ApprovalLog }): Extensions {
  return {
    async extend(uow, actor, { approvalId, expiresAt, note }) {
      const unknown = () => new NotFoundError(`there is no approval "${approvalId.slice(0, 80)}"`);
      const [seen] = await approvalsByIds(uow, actor, [approvalId]);
      if (!seen) throw unknown();
      await log.hold(uow, [seen]);
      const approval = await lockApproval(uow, approvalId);
      if (!approval || !can(actor, 'approval.read', approval)) throw unknown();
      const now = clock.now();
      const right = rightToDecide(approval, actor, await decidingFacts(uow, actor, [approval], now), now);
      if (!right.ok && right.code === 'FORBIDDEN') throw new ForbiddenError(right.reason);
      // Whoever has voted is asked all the same.
      if (approval.status !== 'pending' || isExpired(approval, now)) {
        throw new InvalidStateError(`${right.ok ? 'it is over' : right.reason}; only a request that is open can be extended`);
      }
      const problems = problemsOf(approval, expiresAt, note);
      if (problems.length > 0) throw new ValidationError(problems);
      if (approval.expiresAt.getTime() === expiresAt.getTime()) return approval;
      const extended = await changeApproval(uow, approval.id, { expires_at: expiresAt, warned_at: null });
      uow.write(
        `insert into approval_comments (id, tenant_id, approval_id, kind, author, text, data, created_at)
         values ($1, $2, $3, 'extension', $4, $5, $6::jsonb, $7)`,
        [
          ...[newId(), uow.tenantId, approval.id, actor.principalId, note ?? ''],
          ...[JSON.stringify({ before: approval.expiresAt, after: expiresAt }), now],
        ],
      );
      await scheduleClocks(uow, extended);
      await log.note(uow, extended, [{ type: 'extended', extendedBy: actor.principalId, expiresAt: expiresAt.toISOString() }]);
      return extended;
    },
  };
}

function problemsOf(approval: ApprovalRow, expiresAt: Date, note: string | null | undefined): Problem[] {
  const latest = new Date(approval.createdAt.getTime() + maxOpenDays * 86_400_000);
  const problems: Problem[] = [];
  if (Number.isNaN(expiresAt.getTime()) || expiresAt < approval.expiresAt || expiresAt > latest) {
    const given = Number.isNaN(expiresAt.getTime()) ? 'no moment' : expiresAt.toISOString();
    problems.push({
      path: 'expiresAt',
      message: `must be after ${approval.expiresAt.toISOString()}, when it expires now, and at most ${latest.toISOString()}, got ${given}`,
    });
  }
  if (note && note.length > maxNoteLength) {
    problems.push({ path: 'note', message: `must have at most ${maxNoteLength} characters, has ${note.length}` });
  }
  if (note && !isStorableText(note)) problems.push({ path: 'note', message: unstorableText });
  return problems;
}

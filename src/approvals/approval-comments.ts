// What is said about a request besides votes: comments, questions of approvers, and the answers of those who ask. Edits and extensions
// leave a comment, too; who writes those owns them. Nothing here changes what will run, nor any clock.
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import {
  ConflictError,
  ForbiddenError,
  InvalidStateError,
  LimitExceededError,
  NotFoundError,
  ValidationError,
} from '../platform/errors.ts';
import { isId, newId } from '../platform/ids.ts';
import { pageWindow, pagesOf, type Page, type PageRequest } from '../platform/page.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { can, type Authority } from '../authority/permission.ts';
import type { ApprovalLog } from './approval-log.ts';
import { approvalsByIds, readable, type ApprovalRow } from './approval-reads.ts';
import { lockApproval } from './approval-store.ts';
import type { CommentKind } from './approval-terms.ts';
import { isExpired } from './approval.ts';

export interface CommentRow {
  readonly id: string;
  readonly approvalId: string;
  readonly kind: CommentKind;
  readonly author: string;
  readonly text: string;
  /** Of an edit: digests and arguments before and after. Of an extension: moments. */
  readonly data: unknown;
  readonly createdAt: Date;
  /** Of an answer. */
  readonly questionId: string | null;
  /** Of a question that has been answered. */
  readonly answerId: string | null;
}

export interface ApprovalComments {
  /** By whoever may decide there, whoever asks, and whoever may send signals there; also when it has been decided. */
  comment(uow: UnitOfWork, actor: Authority, input: { approvalId: string; text: string }): Promise<CommentRow>;
  /** A question to whoever asks, by whoever may decide there, while it is open. */
  ask(uow: UnitOfWork, actor: Authority, input: { approvalId: string; question: string }): Promise<CommentRow>;
  /** One answer to a question, while the request is open: by whoever asks, or whoever may send signals to its execution. */
  answer(uow: UnitOfWork, actor: Authority, input: { questionId: string; text: string }): Promise<CommentRow>;
  /** Those of `ids` that exist and that `actor` may read, in any order. */
  commentsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<CommentRow[]>;
  /** One page per approval that the caller has authorised, newest first. */
  commentsOf(uow: UnitOfWork, approvalIds: readonly string[], page: PageRequest): Promise<Page<CommentRow>[]>;
}

export const maxCommentLength = 4_000;
/** Per approval, of every kind that people write. */
export const maxComments = 200;

const columns = `c.id, c.approval_id as "approvalId", c.kind, c.author, c.text, c.data, c.created_at as "createdAt",
  case when c.kind = 'answer' then (c.data->>'questionId')::uuid end as "questionId",
  case when c.kind = 'question' then (
    select a.id from approval_comments a where a.tenant_id = c.tenant_id and a.approval_id = c.approval_id and a.kind = 'answer'
      and a.data->>'questionId' = c.id::text
  ) end as "answerId"`;

const commentOf = <Row extends { createdAt: unknown }>(row: Row) => ({ ...row, createdAt: new Date(row.createdAt as string) });

async function rowsOf(uow: UnitOfWork, sql: string, params: readonly unknown[]): Promise<CommentRow[]> {
  return (await uow.rows<CommentRow>(sql, params)).map(commentOf);
}

export function createApprovalComments({ clock, log }: { readonly clock: Clock; readonly log: ApprovalLog }): ApprovalComments {
  /** Locked, and visible to the actor. */
  async function open(uow: UnitOfWork, actor: Authority, approvalId: string): Promise<ApprovalRow> {
    const [seen] = await approvalsByIds(uow, actor, [approvalId]);
    if (!seen) throw new NotFoundError(`there is no approval "${approvalId.slice(0, 80)}"`);
    await log.hold(uow, [seen]);
    return (await lockApproval(uow, approvalId))!;
  }

  async function write(
    uow: UnitOfWork,
    actor: Authority,
    approval: ApprovalRow,
    kind: 'comment' | 'question' | 'answer',
    text: string,
    questionId?: string,
  ) {
    const [count] = await uow.rows<{ written: number }>(
      `select count(*)::int as written from approval_comments
       where tenant_id = $1 and approval_id = $2 and kind in ('comment', 'question', 'answer')`,
      [uow.tenantId, approval.id],
    );
    if (count!.written >= maxComments) {
      throw new LimitExceededError(`an approval has at most ${maxComments} comments; decide it, or go on talking elsewhere`);
    }
    const [row] = await rowsOf(
      uow,
      `insert into approval_comments as c (id, tenant_id, approval_id, kind, author, text, data, created_at)
       values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8) returning ${columns}`,
      [
        ...[newId(), uow.tenantId, approval.id, kind, actor.principalId, text],
        ...[questionId === undefined ? null : JSON.stringify({ questionId }), clock.now()],
      ],
    );
    if (isOpen(approval)) {
      const note = { type: 'commented', commentId: row!.id, commentKind: kind, commentedBy: actor.principalId } as const;
      await log.note(uow, approval, [note]);
    }
    return row!;
  }

  const isOpen = (approval: ApprovalRow) => approval.status === 'pending' && !isExpired(approval, clock.now());

  function refuseClosed(approval: ApprovalRow): void {
    if (isOpen(approval)) return;
    const state = approval.status === 'pending' ? 'expired' : approval.status;
    throw new InvalidStateError(`the approval is ${state}; only about an open one can be asked and answered. Leave a comment instead`);
  }

  return {
    async comment(uow, actor, { approvalId, text }) {
      refuseInvalid('text', text);
      const approval = await open(uow, actor, approvalId);
      if (!can(actor, 'approval.decide', approval) && !answersFor(actor, approval)) {
        throw new ForbiddenError('this needs the permission approval.decide or execution.signal, neither of which you hold here');
      }
      return write(uow, actor, approval, 'comment', text);
    },

    async ask(uow, actor, { approvalId, question }) {
      refuseInvalid('question', question);
      const approval = await open(uow, actor, approvalId);
      if (!can(actor, 'approval.decide', approval)) {
        throw new ForbiddenError('this needs the permission approval.decide, which you do not hold here');
      }
      if (actor.principalId === approval.requestedBy)
        throw new ForbiddenError('you ask for this approval; questions about it are for you to answer');
      refuseClosed(approval);
      return write(uow, actor, approval, 'question', question);
    },

    async answer(uow, actor, { questionId, text }) {
      refuseInvalid('text', text);
      const [seen] = await commentsByIds(uow, actor, [questionId]);
      if (seen?.kind !== 'question') throw new NotFoundError(`there is no question "${questionId.slice(0, 80)}"`);
      const approval = await open(uow, actor, seen.approvalId);
      if (!answersFor(actor, approval)) {
        throw new ForbiddenError(
          'whoever asks for this approval answers, or somebody with the permission execution.signal, which you do not hold here',
        );
      }
      refuseClosed(approval);
      // Looked at once more under the lock: of two who answer at once, one is told.
      const [question] = await commentsByIds(uow, actor, [questionId]);
      if (question!.answerId !== null) throw new ConflictError('the question was answered already; leave a comment to add to it');
      return write(uow, actor, approval, 'answer', text, questionId);
    },

    commentsByIds,

    async commentsOf(uow, approvalIds, page) {
      const window = pageWindow('comments', page);
      const rows = await uow.rows<CommentRow & { parentId: string }>(
        `select page.*, asked.id as "parentId" from unnest($2::uuid[]) as asked (id)
         cross join lateral (
           select ${columns} from approval_comments c
           where c.tenant_id = $1 and c.approval_id = asked.id and ($3::uuid is null or c.id < $3) order by c.id desc limit ${window.limit}
         ) page order by page.id desc`,
        [uow.tenantId, [...new Set(approvalIds)], window.afterId],
      );
      return pagesOf(window, approvalIds, rows.map(commentOf));
    },
  };
}

async function commentsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<CommentRow[]> {
  const params: unknown[] = [uow.tenantId, ids.filter(isId)];
  const visible = readable(actor, 'v', params);
  return rowsOf(
    uow,
    `select ${columns} from approval_comments c join approvals v on v.tenant_id = $1 and v.id = c.approval_id
     where c.tenant_id = $1 and c.id = any($2::uuid[]) and ${visible}`,
    params,
  );
}

const answersFor = (actor: Authority, approval: ApprovalRow): boolean =>
  actor.principalId === approval.requestedBy || can(actor, 'execution.signal', approval);

function refuseInvalid(path: string, text: string): void {
  const length = text.trim().length === 0 ? 0 : text.length;
  if (length < 1 || length > maxCommentLength) {
    throw new ValidationError([{ path, message: `must have 1 to ${maxCommentLength} characters, has ${length}` }]);
  }
  if (!isStorableText(text)) throw new ValidationError([{ path, message: unstorableText }]);
}

export interface Answered {
  readonly question: string;
  readonly answer: string;
  readonly askedBy: string;
  readonly answeredBy: string;
}

/** What was asked and answered, oldest first: goes back into the execution with the decision. */
export function answersOf(uow: UnitOfWork, approvalId: string): Promise<Answered[]> {
  return uow.rows<Answered>(
    `select q.text as question, a.text as answer, q.author as "askedBy", a.author as "answeredBy"
     from approval_comments q join approval_comments a on a.tenant_id = $1 and a.approval_id = $2 and a.kind = 'answer'
       and a.data->>'questionId' = q.id::text
     where q.tenant_id = $1 and q.approval_id = $2 and q.kind = 'question' order by q.id`,
    [uow.tenantId, approvalId],
  );
}

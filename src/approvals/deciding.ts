// Approving and rejecting: one request or many, votes and stages, with exactly one end under any race. The lock order is that of a
// dispatch: executions, then their requests.
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import {
  ConflictError,
  ForbiddenError,
  IdempotencyConflictError,
  InvalidStateError,
  NotFoundError,
  SignalboxError,
  ValidationError,
  type ErrorCode,
  type Problem,
} from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { can, type Authority } from '../authority/permission.ts';
import { decidedStatus, maxNoteLength, type ApprovalDecision } from './approval.ts';
import { decidingFacts } from './approval-facts.ts';
import type { ApprovalLog, ApprovalNote } from './approval-log.ts';
import { approvalsByIds, type ApprovalRow } from './approval-reads.ts';
import { rightToDecide, votesOfStage, type DecidingFacts, type Right } from './approval-rights.ts';
import { changeApproval, insertVote, lockApproval, scheduleClocks, wake } from './approval-store.ts';
import { tellOfApprovals } from './approval-telling.ts';
import { stageOf } from './approval-terms.ts';

export interface Deciding {
  readonly approvalId: string;
  readonly decision: ApprovalDecision;
  readonly note?: string | null | undefined;
  /** Digest of what the decider was shown; another one is refused. */
  readonly expectedDigest?: string | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
}

/** What became of one of many. */
export interface DecidedItem {
  readonly approvalId: string;
  /** Null when it does not exist for the caller. */
  readonly approval: ApprovalRow | null;
  /** Null: decided (or, when only asked: it could be). */
  readonly refusal: { readonly code: ErrorCode; readonly message: string } | null;
}

export interface DecidingMany {
  readonly items: readonly Deciding[];
  /** Decides nothing and says of each whether it could be. */
  readonly preflight?: boolean | null | undefined;
}

export interface Decisions {
  decide(uow: UnitOfWork, actor: Authority, input: Deciding): Promise<ApprovalRow>;
  decideMany(uow: UnitOfWork, actor: Authority, input: DecidingMany): Promise<DecidedItem[]>;
}

const maxKeyLength = 200;
export const maxDecisionsAtOnce = 100;

export function createDecisions({ clock, log }: { readonly clock: Clock; readonly log: ApprovalLog }): Decisions {
  async function decide(uow: UnitOfWork, actor: Authority, input: Deciding): Promise<ApprovalRow> {
    const [seen] = await approvalsByIds(uow, actor, [input.approvalId]);
    if (!seen) throw unknown(input.approvalId);
    // Only votes that end nothing are told in the execution here; its end is told by the step that wakes.
    if (hasManyVotes(seen)) await log.hold(uow, [seen]);
    return decideLocked(uow, actor, input);
  }

  async function decideLocked(uow: UnitOfWork, actor: Authority, input: Deciding): Promise<ApprovalRow> {
    const approval = await lockApproval(uow, input.approvalId);
    if (!approval || !can(actor, 'approval.read', approval)) throw unknown(input.approvalId);
    const now = clock.now();
    const facts = await decidingFacts(uow, actor, [approval], now);
    const right = rightToDecide(approval, actor, facts, now);
    if (!right.ok) {
      if (right.code !== 'FORBIDDEN' && repeats(actor, approval, facts, input)) return approval;
      throw await errorOf(uow, approval, right);
    }
    refuseOtherDigest(approval, input);
    const { decision, note = null, idempotencyKey = null } = input;
    insertVote(uow, approval, {
      principalId: actor.principalId,
      onBehalfOf: right.onBehalfOf,
      decision,
      note,
      idempotencyKey,
      votedAt: now,
    });
    const { quorum } = stageOf(approval);
    const isComplete = votesOfStage(approval, facts.votes).length + 1 >= quorum;
    if (decision === 'approve' && !(isComplete && approval.stage + 1 >= approval.terms.stages.length)) {
      return goOn(uow, actor, approval, isComplete, now);
    }
    const decided = await changeApproval(uow, approval.id, {
      ...{ status: decidedStatus[decision], decided_at: now, decided_by: actor.principalId, note },
    });
    await wake(uow, decided);
    tellOfApprovals(uow, 'approval.decided', [decided], now);
    if (decided.toolCallId !== null) await log.tellCall(uow, decided, { type: decidedStatus[decision], decidedBy: actor.principalId });
    return decided;
  }

  /** More votes are needed, in this stage or the next. */
  async function goOn(uow: UnitOfWork, actor: Authority, approval: ApprovalRow, isComplete: boolean, now: Date): Promise<ApprovalRow> {
    const notes: ApprovalNote[] = [{ type: 'voted', votedBy: actor.principalId, stage: approval.stage }];
    if (!isComplete) {
      await log.note(uow, approval, notes);
      return approval;
    }
    const next = await changeApproval(uow, approval.id, { stage: approval.stage + 1, stage_at: now, escalated_at: null });
    await scheduleClocks(uow, next);
    // Other people are asked now.
    tellOfApprovals(uow, 'approval.requested', [next], now);
    await log.note(uow, next, [...notes, { type: 'advanced', stage: next.stage }]);
    return next;
  }

  return {
    async decide(uow, actor, input) {
      refuse(problemsOf(input));
      return decide(uow, actor, input);
    },

    async decideMany(uow, actor, { items, preflight }) {
      refuse(problemsOfMany(items));
      const rows = new Map(
        (
          await approvalsByIds(
            uow,
            actor,
            items.map(({ approvalId }) => approvalId),
          )
        ).map((row) => [row.id, row]),
      );
      // As one that does not exist, where there is nothing else.
      if (rows.size === 0) throw unknown(items[0]!.approvalId);
      if (preflight) {
        const now = clock.now();
        const facts = await decidingFacts(uow, actor, [...rows.values()], now);
        return Promise.all(
          items.map((item) => outcome(item, rows.get(item.approvalId) ?? null, () => couldDecide(uow, actor, item, rows, facts, now))),
        );
      }
      await log.hold(uow, [...rows.values()]);
      const results = new Map<string, DecidedItem>();
      // In the order of their ids, which everybody keeps: two batches never wait for each other.
      for (const item of items.toSorted((a, b) => (a.approvalId < b.approvalId ? -1 : 1))) {
        results.set(item.approvalId, await outcome(item, rows.get(item.approvalId) ?? null, () => decideLocked(uow, actor, item)));
      }
      return items.map(({ approvalId }) => results.get(approvalId)!);
    },
  };
}

async function couldDecide(
  uow: UnitOfWork,
  actor: Authority,
  item: Deciding,
  rows: ReadonlyMap<string, ApprovalRow>,
  facts: DecidingFacts,
  now: Date,
): Promise<ApprovalRow> {
  const approval = rows.get(item.approvalId);
  if (!approval) throw unknown(item.approvalId);
  const right = rightToDecide(approval, actor, facts, now);
  if (!right.ok && !(right.code !== 'FORBIDDEN' && repeats(actor, approval, facts, item))) throw await errorOf(uow, approval, right);
  refuseOtherDigest(approval, item);
  return approval;
}

/** An expected refusal is one item's result: it was thrown before anything of it was written. */
async function outcome({ approvalId }: Deciding, seen: ApprovalRow | null, decide: () => Promise<ApprovalRow>): Promise<DecidedItem> {
  try {
    return { approvalId, approval: await decide(), refusal: null };
  } catch (error) {
    if (!(error instanceof SignalboxError)) throw error;
    return { approvalId, approval: seen, refusal: { code: error.code, message: error.message } };
  }
}

const hasManyVotes = ({ terms }: ApprovalRow): boolean => terms.stages.length > 1 || terms.stages.some(({ quorum }) => quorum > 1);

const unknown = (approvalId: string) => new NotFoundError(`there is no approval "${approvalId.slice(0, 80)}"`);

function refuseOtherDigest({ digest, requested }: ApprovalRow, { expectedDigest, decision }: Deciding): void {
  // Whoever does not say what they were shown may have been shown what it was before the edit.
  if (expectedDigest == null && requested !== null && decision === 'approve') {
    throw new ConflictError(`expectedDigest: what will run was edited; read the approval again and give its digest, ${digest}`);
  }
  if (expectedDigest == null || expectedDigest === digest) return;
  throw new ConflictError(`expectedDigest: this approval is for ${digest}, not for ${expectedDigest}; read it again before deciding`);
}

/** True when this very request was answered before: same principal, key and content. */
function repeats(actor: Authority, approval: ApprovalRow, { votes }: DecidingFacts, input: Deciding): boolean {
  if (input.idempotencyKey == null) return false;
  const vote = votes.find(
    (each) => each.approvalId === approval.id && each.principalId === actor.principalId && each.idempotencyKey === input.idempotencyKey,
  );
  if (!vote) return false;
  if (vote.decision === input.decision && vote.note === (input.note ?? null)) return true;
  throw new IdempotencyConflictError(
    `idempotencyKey: "${input.idempotencyKey}" was used before to decide this approval otherwise; it stays ${approval.status}`,
  );
}

async function errorOf(uow: UnitOfWork, approval: ApprovalRow, { code, reason }: Extract<Right, { ok: false }>): Promise<SignalboxError> {
  switch (code) {
    case 'FORBIDDEN':
      return new ForbiddenError(reason);
    case 'INVALID_STATE':
      return new InvalidStateError(reason);
    case 'CONFLICT':
      return new ConflictError(approval.status === 'pending' ? reason : await whoDecided(uow, approval));
  }
}

async function whoDecided(uow: UnitOfWork, { decidedBy, decidedAt, status }: ApprovalRow): Promise<string> {
  const [principal] = await uow.rows<{ name: string }>('select name from principals where tenant_id = $1 and id = $2', [
    uow.tenantId,
    decidedBy,
  ]);
  const at = decidedAt ? ` at ${decidedAt.toISOString()}` : '';
  return `the approval was already ${status} by ${principal?.name ?? 'a principal that no longer exists'}${at}; a decision is final`;
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new ValidationError(problems);
}

function problemsOf(input: Deciding, root = ''): Problem[] {
  const problems: Problem[] = [];
  const check = (field: 'note' | 'idempotencyKey', least: number, most: number) => {
    const text = input[field];
    if (text == null) return;
    const path = `${root}${field}`;
    if (text.length < least || text.length > most) {
      problems.push({ path, message: `must have ${least} to ${most} characters, has ${text.length}` });
    }
    if (!isStorableText(text)) problems.push({ path, message: unstorableText });
  };
  check('note', 0, maxNoteLength);
  check('idempotencyKey', 1, maxKeyLength);
  return problems;
}

function problemsOfMany(items: readonly Deciding[]): Problem[] {
  if (items.length < 1 || items.length > maxDecisionsAtOnce) {
    return [{ path: 'items', message: `must hold 1 to ${maxDecisionsAtOnce} decisions, has ${items.length}` }];
  }
  const problems = items.flatMap((item, index) => problemsOf(item, `items[${index}].`));
  for (const [index, { approvalId }] of items.entries()) {
    if (items.findIndex((each) => each.approvalId === approvalId) < index) {
      problems.push({ path: `items[${index}].approvalId`, message: 'stands in the list before; decide each approval once' });
    }
    if (!isId(approvalId)) problems.push({ path: `items[${index}].approvalId`, message: `"${approvalId.slice(0, 80)}" is not an id` });
  }
  return problems;
}

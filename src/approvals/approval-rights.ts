// Who may approve or reject: the permission, four eyes, the stage's approvers, delegates, one vote for each person. Pure; what has to be
// known is passed in.
import { can, rolesAt, type Authority, type Grant } from '../authority/permission.ts';
import { isExpired, type ApprovalDecision, type Decidability, type Decidable } from './approval.ts';
import { approversNow, stageOf, type Approver } from './approval-terms.ts';

/** Somebody in whose place the actor can decide: the actor, and whoever has delegated to them, also through others. */
export interface Seat {
  readonly principalId: string;
  readonly name: string;
  readonly grants: readonly Grant[];
  readonly teamIds: readonly string[];
  readonly isDisabled: boolean;
}

export interface Vote {
  readonly approvalId: string;
  readonly stage: number;
  readonly principalId: string;
  readonly name: string;
  readonly onBehalfOf: string | null;
  readonly decision: ApprovalDecision;
  readonly digest: string;
  readonly note: string | null;
  readonly idempotencyKey: string | null;
  readonly votedAt: Date;
}

export interface DecidingFacts {
  /** The actor first. */
  readonly seats: readonly Seat[];
  readonly votes: readonly Vote[];
  /** Who made keys of a service account, and so can act as it; by its id. */
  readonly keyMakers: ReadonlyMap<string, readonly string[]>;
}

export type Right =
  | { readonly ok: true; /** Null: in their own place. */ readonly onBehalfOf: string | null }
  | Extract<Decidability, { readonly ok: false }>;

const forbidden = (reason: string): Right => ({ ok: false, code: 'FORBIDDEN', reason });

/** May `actor` approve or reject now? Rights first, so that a stranger does not learn the state. */
export function rightToDecide(approval: Decidable, actor: Authority, facts: DecidingFacts, now: Date): Right {
  if (!can(actor, 'approval.decide', approval)) return forbidden('this needs the permission approval.decide, which you do not hold here');
  if (actor.principalKind === 'worker') {
    return forbidden('a worker runs what was approved and cannot decide approvals; a person has to');
  }
  const excluded = whyExcluded(approval, actor.principalId, facts);
  if (excluded !== null) return forbidden(excluded);
  const seats = facts.seats.filter((seat) => isAsked(approval, seat, actor, facts));
  if (seats.length === 0) return forbidden(whyNotAsked(approval, facts));
  const closed = whyClosed(approval, now);
  return closed ?? freeSeat(approval, actor, seats, facts);
}

/** Four eyes: why this principal may never decide it, whatever their rights; null when they may. */
function whyExcluded(approval: Decidable, principalId: string, { keyMakers }: Pick<DecidingFacts, 'keyMakers'>): string | null {
  const others = 'someone else with the permission approval.decide has to decide it';
  const hands = handsOf(principalId, keyMakers);
  const acts = (other: string | null) => other !== null && handsOf(other, keyMakers).some((hand) => hands.includes(hand));
  if (principalId === approval.requestedBy) return `you started the execution that asks for this approval; ${others}`;
  if (principalId === approval.editedBy) return `you edited what will run; ${others}`;
  if (acts(approval.requestedBy)) {
    return `you and whoever asks for this approval act through the same hands (a service account, and who made its keys); ${others}`;
  }
  if (acts(approval.editedBy)) return `what will run was edited by you or through a service account of yours; ${others}`;
  if (approval.terms.owners?.some(acts)) return `you own the agent, and its owner may not decide here; ${others}`;
  return null;
}

/** Who acts when this principal does: itself and, for a service account, whoever has made a key of it. */
const handsOf = (principalId: string, keyMakers: DecidingFacts['keyMakers']): readonly string[] => [
  principalId,
  ...(keyMakers.get(principalId) ?? []),
];

function isAsked(approval: Decidable, seat: Seat, actor: Authority, facts: DecidingFacts): boolean {
  const isOwn = seat.principalId === actor.principalId;
  // Their own rights are those of the credential they use, which may be fewer.
  const held: Authority = isOwn ? actor : { ...actor, principalId: seat.principalId, grants: seat.grants };
  if (!isOwn && (seat.isDisabled || !can(held, 'approval.decide', approval))) return false;
  if (!isOwn && whyExcluded(approval, seat.principalId, facts) !== null) return false;
  const approvers = approversNow(approval);
  if (approvers.length === 0) return isOwn;
  const roles: readonly string[] = rolesAt(held, approval);
  return approvers.some((approver) =>
    'principal' in approver
      ? approver.principal === seat.principalId
      : 'team' in approver
        ? seat.teamIds.includes(approver.team)
        : roles.includes(approver.role),
  );
}

function whyNotAsked(approval: Decidable, { seats }: DecidingFacts): string {
  const delegated = seats.length > 1 ? ', nor is anybody who delegated to you' : '';
  const { name } = stageOf(approval);
  return `${name === null ? 'this approval' : `"${name}"`} asks ${approversNow(approval).map(nameOfApprover).join(', ')}; you are none of them${delegated}`;
}

/** Kinds and roles only: who reads it may not see the people and teams. */
const nameOfApprover = (approver: Approver): string =>
  'role' in approver ? `whoever holds the role ${approver.role}` : 'team' in approver ? 'the people of a team' : 'a certain person';

function whyClosed(approval: Decidable, now: Date): Right | null {
  const { status, expiresAt, decidedAt } = approval;
  const expired = { ok: false, code: 'INVALID_STATE', reason: `the approval expired at ${expiresAt.toISOString()}` } as const;
  switch (status) {
    case 'pending':
      return isExpired(approval, now) ? expired : null;
    case 'approved':
    case 'rejected':
      return {
        ok: false,
        code: 'CONFLICT',
        reason: `the approval was already ${status}${decidedAt ? ` at ${decidedAt.toISOString()}` : ''}`,
      };
    case 'expired':
      return expired;
    case 'cancelled':
      return {
        ok: false,
        code: 'INVALID_STATE',
        reason: 'the approval was cancelled with its execution (or the call it was for); nothing is left to decide',
      };
  }
}

/** Votes that count: of this stage, for exactly what will run. */
export const votesOfStage = (approval: Pick<Decidable, 'id' | 'stage' | 'digest'>, votes: readonly Vote[]): Vote[] =>
  votes.filter((vote) => vote.approvalId === approval.id && vote.stage === approval.stage && vote.digest === approval.digest);

/** One person has one vote in a stage, in whichever places and through whichever accounts they act; and each place is taken once. */
function freeSeat(approval: Decidable, actor: Authority, seats: readonly Seat[], { votes, keyMakers }: DecidingFacts): Right {
  const cast = votesOfStage(approval, votes);
  const hands = handsOf(actor.principalId, keyMakers);
  const own = cast.find((vote) => handsOf(vote.principalId, keyMakers).some((hand) => hands.includes(hand)));
  if (own) {
    const { quorum } = stageOf(approval);
    const reason = `you approved it already at ${own.votedAt.toISOString()}; ${quorum - cast.length} of ${quorum} approvals by others are missing`;
    return { ok: false, code: 'CONFLICT', reason };
  }
  const taken = new Map(cast.map((vote) => [vote.onBehalfOf ?? vote.principalId, vote]));
  const free = seats.find((seat) => !taken.has(seat.principalId));
  if (free) return { ok: true, onBehalfOf: free.principalId === actor.principalId ? null : free.principalId };
  const vote = taken.get(seats[0]!.principalId)!;
  const whose = seats[0]!.principalId === actor.principalId ? 'your' : `${seats[0]!.name}'s`;
  return { ok: false, code: 'CONFLICT', reason: `${vote.name} approved it in ${whose} place at ${vote.votedAt.toISOString()}` };
}

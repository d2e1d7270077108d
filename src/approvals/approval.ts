// Approvals: statuses, what a grant is bound to, and when it fits. Pure; who may decide stands in approval-rights.ts.
import { digestOf } from '../platform/canonical.ts';
import { storableJson } from '../platform/json.ts';
import type { ApprovalTerms } from './approval-terms.ts';

export const approvalStatuses = ['pending', 'approved', 'rejected', 'expired', 'cancelled'] as const;
export type ApprovalStatus = (typeof approvalStatuses)[number];

export const approvalSources = ['step', 'policy'] as const;
export type ApprovalSource = (typeof approvalSources)[number];

export const approvalDecisions = ['approve', 'reject'] as const;
export type ApprovalDecision = (typeof approvalDecisions)[number];

/** The status that a decision gives. */
export const decidedStatus = { approve: 'approved', reject: 'rejected' } as const satisfies Record<ApprovalDecision, ApprovalStatus>;

export const maxNoteLength = 4_000;

/** Exactly what will run (tool call) or what the approver is asked to sign (approval step); its digest is the grant. */
export interface ApprovalSubject {
  readonly tenantId: string;
  /** Null for a call of an agent that runs elsewhere. */
  readonly executionId: string | null;
  /** Null for a call of an agent that runs elsewhere, and for the start of an execution. */
  readonly stepId: string | null;
  readonly itemIndex: number | null;
  /** Only of a call of an agent that runs elsewhere. */
  readonly toolCallId?: string | undefined;
  readonly agentVersionDigest: string;
  /** Null for an approval step. */
  readonly tool: string | null;
  readonly toolDigest: string | null;
  /** The tool's arguments, or what the approval step shows. */
  readonly arguments: unknown;
  /** `policyId@version` of each policy that asked, sorted; empty for an approval step. */
  readonly policies: readonly string[];
}

/** The part of an approval that the rules of deciding look at. */
export interface Decidable {
  readonly id: string;
  readonly status: ApprovalStatus;
  readonly digest: string;
  readonly terms: ApprovalTerms;
  readonly stage: number;
  readonly escalatedAt: Date | null;
  readonly requestedBy: string;
  readonly editedBy: string | null;
  readonly expiresAt: Date;
  readonly decidedAt: Date | null;
  readonly projectId: string;
  readonly environmentId: string;
  readonly teamId: string | null;
}

export type Decidability =
  { readonly ok: true } | { readonly ok: false; readonly code: 'FORBIDDEN' | 'CONFLICT' | 'INVALID_STATE'; readonly reason: string };

/** Open until the very moment of `expiresAt`, which is already too late. */
export const isExpired = (approval: Pick<Decidable, 'expiresAt'>, now: Date): boolean => approval.expiresAt.getTime() <= now.getTime();

/** What a grant of this subject is bound to: lower-case hex SHA-256 of its canonical JSON (RFC 8785), in the form that is stored. */
export const subjectDigest = (subject: ApprovalSubject): string => digestOf(JSON.parse(storableJson(subject)));

/** Why a grant cannot be used. */
export type Consumption =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly code: 'not_found' | 'not_approved' | 'other_digest' | 'already_consumed' | 'stale';
      readonly reason: string;
    };

type Grant = Pick<Decidable, 'status' | 'digest' | 'expiresAt' | 'decidedAt'> & {
  readonly createdAt: Date;
  readonly consumedAt: Date | null;
};

/** A grant is good for as long after the decision as people had to make it: what was right then may be wrong much later. */
const grantEnds = ({ createdAt, expiresAt, decidedAt }: Grant): Date =>
  new Date((decidedAt ?? createdAt).getTime() + expiresAt.getTime() - createdAt.getTime());

/** Is it an unused grant for exactly what has `digest`, and not too old? */
export function canConsume(approval: Grant | null, digest: string, now: Date): Consumption {
  if (!approval) return { ok: false, code: 'not_found', reason: 'the approval does not exist' };
  if (approval.status !== 'approved')
    return { ok: false, code: 'not_approved', reason: `the approval is ${approval.status}, not approved` };
  if (approval.consumedAt !== null) {
    return { ok: false, code: 'already_consumed', reason: `the approval was already used at ${approval.consumedAt.toISOString()}` };
  }
  if (approval.digest !== digest) {
    return { ok: false, code: 'other_digest', reason: `what would run now (${digest}) is not what was approved (${approval.digest})` };
  }
  const ends = grantEnds(approval);
  if (ends <= now) return { ok: false, code: 'stale', reason: `the approval was good until ${ends.toISOString()}` };
  return { ok: true };
}

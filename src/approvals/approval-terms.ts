// Who may decide an approval, in which order, and what happens while nobody does. Pure; no I/O.
import type { Role } from '../authority/permission.ts';

/** One person, everybody with a role at the place, or the people of a team. */
export type Approver = { readonly principal: string } | { readonly role: Role } | { readonly team: string };

export interface ApprovalStage {
  readonly name: string;
  /** Empty: everybody with the permission to decide there. */
  readonly approvers: readonly Approver[];
  /** So many different people have to approve. */
  readonly quorum: number;
}

/** Days and hours in which the clocks of escalation, warning and expiry run. */
export interface BusinessHours {
  readonly timezone: string;
  /** 1 Monday to 7 Sunday. */
  readonly days: readonly number[];
  /** `HH:MM`; `to` is later. */
  readonly from: string;
  readonly to: string;
  /** Dates without work, `YYYY-MM-DD`. */
  readonly holidays: readonly string[];
}

export interface ApprovalTerms {
  /** In order; none stands for one stage of one person with the permission to decide. */
  readonly stages: readonly ApprovalStage[];
  /** The owner of the agent may not decide. The requester, and whoever edited the arguments, never may. */
  readonly excludeOwner?: boolean | undefined;
  /** With `excludeOwner`, of a request: the principals who owned the agent when it was made. */
  readonly owners?: readonly string[] | undefined;
  readonly escalation?: { readonly afterMs: number; readonly approvers: readonly Approver[] } | undefined;
  /** So long before it expires an event warns. */
  readonly warnBeforeMs?: number | undefined;
  readonly businessHours?: BusinessHours | undefined;
}

/** What a stage asks of people; name null when nobody named it. */
export interface StageTerms {
  readonly name: string | null;
  readonly approvers: readonly Approver[];
  readonly quorum: number;
}

const anybody: StageTerms = { name: null, approvers: [], quorum: 1 };

export const stageOf = ({ terms, stage }: { readonly terms: ApprovalTerms; readonly stage: number }): StageTerms =>
  terms.stages[stage] ?? anybody;

/** Who is asked at the moment; nobody named: everybody with the permission to decide. */
export function approversNow(approval: {
  readonly terms: ApprovalTerms;
  readonly stage: number;
  readonly escalatedAt: Date | null;
}): readonly Approver[] {
  const { approvers } = stageOf(approval);
  const { escalation } = approval.terms;
  return approvers.length === 0 || approval.escalatedAt === null || !escalation ? approvers : [...approvers, ...escalation.approvers];
}

export const commentKinds = ['comment', 'question', 'answer', 'edit', 'extension'] as const;
export type CommentKind = (typeof commentKinds)[number];

// What an open request needs next while nobody decides it: a warning before it expires, a second group of approvers. Pure.
import { afterWorking, beforeWorking } from './business-hours.ts';
import { stageOf, type ApprovalTerms } from './approval-terms.ts';

interface Waiting {
  readonly terms: ApprovalTerms;
  readonly stage: number;
  /** Null: the first stage, which began with the request. */
  readonly stageAt: Date | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly warnedAt: Date | null;
  readonly escalatedAt: Date | null;
}

interface Attention {
  readonly kind: 'warn' | 'escalate';
  readonly at: Date;
}

/** The earliest thing to do before it expires; null when there is none. */
export function nextAttention(approval: Waiting): Attention | null {
  const { terms, createdAt, expiresAt, stageAt, warnedAt, escalatedAt } = approval;
  const { businessHours, escalation, warnBeforeMs } = terms;
  const due: Attention[] = [];
  // Where everybody may decide, there is nobody else to ask.
  if (escalation && escalatedAt === null && stageOf(approval).approvers.length > 0) {
    due.push({ kind: 'escalate', at: afterWorking(businessHours, stageAt ?? createdAt, escalation.afterMs) });
  }
  if (warnBeforeMs !== undefined && warnedAt === null)
    due.push({ kind: 'warn', at: beforeWorking(businessHours, expiresAt, warnBeforeMs) });
  const [first] = due.filter(({ at }) => at < expiresAt).toSorted((a, b) => a.at.getTime() - b.at.getTime());
  return first ?? null;
}

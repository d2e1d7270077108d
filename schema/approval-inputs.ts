// Inputs of deciding many approvals, extending one, and delegating.
import { maxDecisionsAtOnce } from '#src/approvals/deciding.ts';
import { maxOpenDays } from '#src/approvals/extending.ts';
import { maxNoteLength } from '#src/approvals/approval.ts';
import { ApprovalDecisionEnum } from './approval.ts';
import { builder } from './builder.ts';
import { globalId } from './ids.ts';

export const ApprovalDecisionItem = builder.inputType('ApprovalDecisionItem', {
  description: 'One of several decisions.',
  fields: (t) => ({
    approvalId: t.id({ required: true, description: 'The approval.' }).validate(globalId('Approval')),
    decision: t.field({ type: ApprovalDecisionEnum, required: true, description: 'Approve or reject.' }),
    note: t.string({ description: `Why; at most ${maxNoteLength} characters.` }),
    expectedDigest: t.string({
      description: 'Digest of what you were shown; this one is refused when the approval is for something else.',
    }),
    idempotencyKey: t.string({ description: 'Repeating the same decision with the same key gives the same answer instead of a conflict.' }),
  }),
});

export const DecideApprovalsInput = builder.inputType('DecideApprovalsInput', {
  description: 'Several decisions. Each stands for itself: one that is refused stops no other.',
  fields: (t) => ({
    items: t.field({
      type: [ApprovalDecisionItem],
      required: true,
      description: `1 to ${maxDecisionsAtOnce} decisions about different approvals.`,
    }),
    preflight: t.boolean({ description: 'True: decides nothing and says of each whether it could be decided now.' }),
  }),
});

export const ExtendApprovalInput = builder.inputType('ExtendApprovalInput', {
  description: 'More time for an approval that is open.',
  fields: (t) => ({
    approvalId: t.id({ required: true, description: 'The approval.' }).validate(globalId('Approval')),
    expiresAt: t.field({
      type: 'DateTime',
      required: true,
      description: `Its new end: later than the one it has, at most ${maxOpenDays} days after it was requested.`,
    }),
    note: t.string({ description: `Why; at most ${maxNoteLength} characters.` }),
  }),
});

export const DelegateApprovalsInput = builder.inputType('DelegateApprovalsInput', {
  description: 'Who decides in whose place, and when.',
  fields: (t) => ({
    toPrincipalId: t
      .id({ required: true, description: 'The delegate: needs the permission approval.decide, too.' })
      .validate(globalId('Principal')),
    fromPrincipalId: t
      .id({ description: 'Whose place; yours when absent. Another’s needs the permission principal.manage.' })
      .validate(globalId('Principal')),
    startsAt: t.field({ type: 'DateTime', description: 'From when; now when absent or past.' }),
    endsAt: t.field({ type: 'DateTime', required: true, description: 'Until when.' }),
    reason: t.string({ description: 'Why; at most 1,000 characters.' }),
  }),
});

export const RevokeDelegationInput = builder.inputType('RevokeDelegationInput', {
  description: 'Which delegation ends now.',
  fields: (t) => ({
    delegationId: t.id({ required: true, description: 'The delegation.' }).validate(globalId('ApprovalDelegation')),
  }),
});

export const ApprovalDelegationFilter = builder.inputType('ApprovalDelegationFilter', {
  description: 'Conditions that a delegation must all satisfy.',
  fields: (t) => ({
    principalId: t.id({ description: 'From or to this principal.' }).validate(globalId('Principal')),
    isOpen: t.boolean({ description: 'True: neither revoked nor over; false: one of the two.' }),
  }),
});

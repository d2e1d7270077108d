// Delegating one's approvals for a period.
import { ConflictError, InvalidStateError } from '#src/platform/errors.ts';
import { ApprovalDelegationFilter, DelegateApprovalsInput, RevokeDelegationInput } from '#schema/approval-inputs.ts';
import { ApprovalDelegation, ApprovalDelegationConnection } from '#schema/approval-people.ts';
import { builder } from '#schema/builder.ts';
import { connectionOf, paged } from '#schema/connection.ts';
import { mutation } from '#schema/mutation.ts';

builder.queryField('approvalDelegations', (t) =>
  t.field({
    type: ApprovalDelegationConnection,
    description: 'Delegations from and to you, newest first; of everybody with the permission principal.read.',
    authScopes: { authenticated: true },
    ...paged({ filter: t.arg({ type: ApprovalDelegationFilter, description: 'Only these.' }) }),
    resolve: (_root, { filter, ...page }, { services, authority, read }) =>
      connectionOf(
        'approvalDelegations',
        read((uow) => services.approvalDelegations.listDelegations(uow, authority, filter ?? {}, page)),
      ),
  }),
);

mutation('delegateApprovals', {
  description:
    'For a period somebody else can decide in your place, what is asked already included; you still can, too. Loops are refused, and one person has one delegate at a time.',
  permission: 'approval.decide',
  input: DelegateApprovalsInput,
  returns: { delegation: { type: ApprovalDelegation, description: 'The new delegation.' } },
  fails: [ConflictError],
  resolve: async (services, uow, actor, input) => ({ delegation: await services.approvalDelegations.delegate(uow, actor, input) }),
});

mutation('revokeDelegation', {
  description:
    'Ends a delegation now: by who gave it, has it or arranged it, or with the permission principal.manage. What was decided stays.',
  permission: 'authenticated',
  input: RevokeDelegationInput,
  returns: { delegation: { type: ApprovalDelegation, description: 'The delegation that has ended.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, { delegationId }) => ({
    delegation: await services.approvalDelegations.revokeDelegation(uow, actor, delegationId),
  }),
});

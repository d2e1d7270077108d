// Approvals: read and decide. They are requested by executions, never through the API.
import { ConflictError, IdempotencyConflictError, InvalidStateError } from '#src/platform/errors.ts';
import { Approval, ApprovalConnection, ApprovalFilter, DecideApprovalInput } from '#schema/approval.ts';
import { builder } from '#schema/builder.ts';
import { connectionOf, paged } from '#schema/connection.ts';
import { globalId } from '#schema/ids.ts';
import { mutation } from '#schema/mutation.ts';

builder.queryField('approval', (t) =>
  t.field({
    type: Approval,
    nullable: true,
    description: 'The approval with this id; null when it is absent or not visible to you.',
    authScopes: { permission: 'approval.read' },
    args: { id: t.arg.id({ required: true, description: 'Its id.' }).validate(globalId('Approval')) },
    resolve: (_root, { id }) => id,
  }),
);

builder.queryField('approvals', (t) =>
  t.field({
    type: ApprovalConnection,
    description: 'Approvals that you may read, newest first.',
    authScopes: { permission: 'approval.read' },
    ...paged({ filter: t.arg({ type: ApprovalFilter, description: 'Only these.' }) }),
    resolve: (_root, { filter, ...page }, { services, authority, read }) =>
      connectionOf(
        'approvals',
        read((uow) => services.approvals.listApprovals(uow, authority, filter ?? {}, page)),
      ),
  }),
);

mutation('decideApproval', {
  description: 'Approves or rejects, once, and wakes the waiting step. Whoever started the execution cannot decide.',
  permission: 'approval.decide',
  input: DecideApprovalInput,
  returns: { approval: { type: Approval, description: 'The decided approval.' } },
  fails: [ConflictError, IdempotencyConflictError, InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ approval: await services.approvals.decide(uow, actor, input) }),
});

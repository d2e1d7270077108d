// Approvals: read and decide. They are requested by executions, never through the API.
import { ConflictError, IdempotencyConflictError, InvalidStateError } from '#src/platform/errors.ts';
import { Approval, ApprovalConnection, ApprovalFilter, DecideApprovalInput } from '#schema/approval.ts';
import { DecideApprovalsInput, ExtendApprovalInput } from '#schema/approval-inputs.ts';
import { ApprovalDecisionResult } from '#schema/approval-people.ts';
import { builder } from '#schema/builder.ts';
import { connectionOf, paged } from '#schema/connection.ts';
import { globalId } from '#schema/ids.ts';
import type { Subjects } from '#schema/mutation-audit.ts';
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

/** Votes are part of what is decided: one that ends nothing changes the digest, too. */
const findDecided: Subjects<unknown>['find'] = async ({ approvals }, uow, everything, ids) => {
  const [rows, votes] = [await approvals.approvalsByIds(uow, everything, ids), await approvals.votesOf(uow, ids)];
  const ofApproval = Map.groupBy(votes, ({ approvalId }) => approvalId);
  return new Map(rows.map((row) => [row.id, { ...row, votes: ofApproval.get(row.id) ?? [] }]));
};

mutation('decideApproval', {
  description:
    'Approves or rejects. One rejection ends it; the last approval that is needed ends it, too, and wakes the waiting step. Whoever started the execution or edited what will run cannot decide.',
  permission: 'approval.decide',
  input: DecideApprovalInput,
  returns: { approval: { type: Approval, description: 'The approval as it is now; still pending when others have to approve, too.' } },
  fails: [ConflictError, IdempotencyConflictError, InvalidStateError],
  audits: { type: 'Approval', keys: ({ approvalId }) => [approvalId], find: findDecided },
  resolve: async (services, uow, actor, input) => ({ approval: await services.approvals.decide(uow, actor, input) }),
});

mutation('decideApprovals', {
  description:
    'Decides several approvals, each for itself, in one transaction; with `preflight` it only says which could be decided. The same rules hold as for one.',
  permission: 'approval.decide',
  input: DecideApprovalsInput,
  returns: { results: { type: [ApprovalDecisionResult], description: 'What became of each, in the order of the input.' } },
  audits: { type: 'Approval', keys: ({ items }) => items.map(({ approvalId }) => approvalId), find: findDecided, isList: true },
  resolve: async (services, uow, actor, input) => ({ results: await services.approvals.decideMany(uow, actor, input) }),
});

mutation('extendApproval', {
  description: 'Puts off the end of an approval that is open, by somebody who is asked. The extension stands among its comments.',
  permission: 'approval.decide',
  input: ExtendApprovalInput,
  returns: { approval: { type: Approval, description: 'The approval with its new end.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ approval: await services.approvals.extend(uow, actor, input) }),
});

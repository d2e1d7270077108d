// Who has to approve, who has, and in whose place: stages, votes, delegations. Adds its fields to Approval.
import type { ApprovalRow } from '#src/approvals/approval-reads.ts';
import type { Vote } from '#src/approvals/approval-rights.ts';
import { stageOf, type Approver, type StageTerms } from '#src/approvals/approval-terms.ts';
import type { DecidedItem } from '#src/approvals/deciding.ts';
import type { DelegationRow } from '#src/approvals/delegation-reads.ts';
import { Approval, ApprovalDecisionEnum } from './approval.ts';
import { builder } from './builder.ts';
import { connectionType } from './connection.ts';
import { ErrorCodeEnum } from './error.ts';
import { nodeType } from './node.ts';
import { Principal, RoleEnum } from './principal.ts';
import { Team } from './tenant.ts';

export const ApproverType = builder.objectRef<Approver>('Approver').implement({
  description: 'Somebody who is asked: a person, the people of a team, or whoever holds a role where it runs.',
  fields: (t) => ({
    principal: t.field({
      type: Principal,
      nullable: true,
      description: 'The person; null for a team or role, or when you may not see the person.',
      resolve: (row) => ('principal' in row ? row.principal : null),
    }),
    team: t.field({
      type: Team,
      nullable: true,
      description: 'The team; null for a person or role, or when you may not see it.',
      resolve: (row) => ('team' in row ? row.team : null),
    }),
    role: t.field({
      type: RoleEnum,
      nullable: true,
      description: 'Exactly this role; null for a person or team.',
      resolve: (row) => ('role' in row ? row.role : null),
    }),
  }),
});

interface Stage extends StageTerms {
  readonly index: number;
  readonly approval: ApprovalRow;
}

export const ApprovalVoteType = builder.objectRef<Vote>('ApprovalVote').implement({
  description: 'One person’s word in one stage.',
  fields: (t) => ({
    stage: t.exposeInt('stage', { description: 'Index of the stage, from 0.' }),
    principal: t.field({
      type: Principal,
      nullable: true,
      description: 'Who said it; null when you may not see the person.',
      resolve: (row) => row.principalId,
    }),
    onBehalfOf: t.field({
      type: Principal,
      nullable: true,
      description: 'In whose place, as a delegate; null for one’s own word, or when you may not see the person.',
      resolve: (row) => row.onBehalfOf,
    }),
    decision: t.expose('decision', { type: ApprovalDecisionEnum, description: 'What it was.' }),
    digest: t.exposeString('digest', { description: 'What it was about; a word about something else than what will run does not count.' }),
    note: t.exposeString('note', { nullable: true, description: 'What was written with it.' }),
    votedAt: t.expose('votedAt', { type: 'DateTime', description: 'When.' }),
  }),
});

export const ApprovalStage = builder.objectRef<Stage>('ApprovalStage').implement({
  description: 'One group of people who have to approve, before the next is asked.',
  fields: (t) => ({
    index: t.exposeInt('index', { description: 'Place among the stages, from 0.' }),
    name: t.exposeString('name', { nullable: true, description: 'What it is called; null when it has no name.' }),
    approvers: t.field({
      type: [ApproverType],
      description: 'Who is asked, and nobody else; empty: everybody with the permission to decide.',
      resolve: (row) => [...row.approvers],
    }),
    quorum: t.exposeInt('quorum', { description: 'So many different people have to approve. One rejection ends it.' }),
    isComplete: t.boolean({
      description: 'Whether they have.',
      resolve: ({ index, approval }) => index < approval.stage || approval.status === 'approved',
    }),
    isCurrent: t.boolean({
      description: 'Whether its people are asked now.',
      resolve: ({ index, approval }) => index === approval.stage && approval.status === 'pending',
    }),
  }),
});

/** At least one, so that a client needs no case for requests without any. */
const stagesOf = (approval: ApprovalRow): Stage[] =>
  Array.from({ length: Math.max(approval.terms.stages.length, 1) }, (_, index) => ({
    ...stageOf({ terms: approval.terms, stage: index }),
    ...{ index, approval },
  }));

export const ApprovalEscalation = builder.objectRef<ApprovalRow>('ApprovalEscalation').implement({
  description: 'Who is asked, too, when a stage is not complete after a time.',
  fields: (t) => ({
    approvers: t.field({ type: [ApproverType], description: 'Who.', resolve: ({ terms }) => [...terms.escalation!.approvers] }),
    afterMs: t.float({
      description: 'After which time, milliseconds; of business hours when there are any.',
      resolve: ({ terms }) => terms.escalation!.afterMs,
    }),
    escalatedAt: t.expose('escalatedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it happened in this stage; null: not yet.',
    }),
  }),
});

builder.objectFields(Approval, (t) => ({
  stages: t.field({ type: [ApprovalStage], description: 'Who has to approve, in this order.', resolve: stagesOf }),
  votes: t.loadableList({
    type: ApprovalVoteType,
    description: 'Who has said what so far, oldest first.',
    resolve: (row) => row.id,
    load: async (ids: string[], { services, read }) => {
      const votes = Map.groupBy(await read((uow) => services.approvals.votesOf(uow, ids)), ({ approvalId }) => approvalId);
      return ids.map((id) => votes.get(id) ?? []);
    },
  }),
  escalation: t.field({
    type: ApprovalEscalation,
    nullable: true,
    description: 'Null: nobody else is asked.',
    resolve: (row) => (row.terms.escalation ? row : null),
  }),
  isOwnerExcluded: t.boolean({
    description: 'Whether the owner of the agent may not decide.',
    resolve: ({ terms }) => terms.excludeOwner === true,
  }),
  warnedAt: t.expose('warnedAt', {
    type: 'DateTime',
    nullable: true,
    description: 'When it was told that it expires soon; null: not yet, or nobody asked for a warning.',
  }),
}));

export const ApprovalRefusal = builder.objectRef<NonNullable<DecidedItem['refusal']>>('ApprovalRefusal').implement({
  description: 'Why one of several decisions was not taken.',
  fields: (t) => ({
    code: t.expose('code', { type: ErrorCodeEnum, description: 'Stable; decide by it.' }),
    message: t.exposeString('message', { description: 'For people; may change.' }),
  }),
});

export const ApprovalDecisionResult = builder.objectRef<DecidedItem>('ApprovalDecisionResult').implement({
  description: 'What became of one of several decisions.',
  fields: (t) => ({
    approvalId: t.globalID({ description: 'As it was given.', resolve: ({ approvalId }) => ({ type: 'Approval', id: approvalId }) }),
    approval: t.field({
      type: Approval,
      nullable: true,
      description: 'As it is now; null when it is absent or not visible to you.',
      resolve: (row) => row.approval,
    }),
    refusal: t.expose('refusal', {
      type: ApprovalRefusal,
      nullable: true,
      description: 'Null: it was decided; with `preflight`: it could be.',
    }),
  }),
});

export const ApprovalDelegation = nodeType<DelegationRow>('ApprovalDelegation', (services, uow, actor, ids) =>
  services.approvalDelegations.delegationsByIds(uow, actor, ids),
);
export const ApprovalDelegationConnection = connectionType(ApprovalDelegation);
const person = 'null when you may not see the person.';
ApprovalDelegation.implement({
  description:
    'For a period somebody else can decide in one’s place, what is asked already included. It gives no permission: the delegate needs approval.decide, too.',
  fields: (t) => ({
    from: t.field({ type: Principal, nullable: true, description: `Whose place it is; ${person}`, resolve: (row) => row.fromPrincipalId }),
    to: t.field({ type: Principal, nullable: true, description: `The delegate; ${person}`, resolve: (row) => row.toPrincipalId }),
    startsAt: t.expose('startsAt', { type: 'DateTime', description: 'From when.' }),
    endsAt: t.expose('endsAt', { type: 'DateTime', description: 'Until when.' }),
    reason: t.exposeString('reason', { description: 'Why; empty when nothing was said.' }),
    createdBy: t.field({ type: Principal, nullable: true, description: `Who arranged it; ${person}`, resolve: (row) => row.createdBy }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was arranged.' }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true, description: 'When it was ended early; null when it was not.' }),
  }),
});

// Approvals: what a person is asked to allow, exactly, and what became of it.
import { approvalDecisions, approvalSources, approvalStatuses, maxNoteLength } from '#src/approvals/approval.ts';
import type { ApprovalRow } from '#src/approvals/approval-reads.ts';
import { Agent } from './agent.ts';
import { builder } from './builder.ts';
import { connectionsOf, connectionType, paged } from './connection.ts';
import type { Context } from './context.ts';
import { enumOf } from './enum.ts';
import { Execution, Slot } from './execution.ts';
import { globalId } from './ids.ts';
import { nodeType } from './node.ts';
import { Policy } from './policy.ts';
import { Principal } from './principal.ts';
import { Environment, Project } from './tenant.ts';
import { RiskClassEnum } from './tool.ts';

export const ApprovalStatusEnum = enumOf('ApprovalStatus', approvalStatuses, 'Where an approval stands.', {
  pending: 'Waits for a decision.',
  approved: 'Granted, once, for exactly what was shown.',
  rejected: 'Refused; the step is blocked.',
  expired: 'Nobody decided in time; the step is blocked.',
  cancelled: 'The execution ended before anybody decided.',
});

export const ApprovalSourceEnum = enumOf('ApprovalSource', approvalSources, 'What asks for an approval.', {
  step: 'An approval step of the definition.',
  policy: 'A policy that requires it for a tool call.',
});

export const ApprovalDecisionEnum = enumOf('ApprovalDecision', approvalDecisions, 'What an approver can answer.', {
  approve: 'It may run, exactly as shown.',
  reject: 'It must not run.',
});

interface Reference {
  readonly policyId: string;
  readonly version: number;
}

export const PolicyReference = builder.objectRef<Reference>('PolicyReference').implement({
  description: 'One version of a policy.',
  fields: (t) => ({
    policy: t.field({
      type: Policy,
      nullable: true,
      description: 'The policy; null when you may not see it.',
      resolve: (row) => row.policyId,
    }),
    version: t.exposeInt('version', { description: 'Which version of it.' }),
  }),
});

const referenceOf = (text: string): Reference => {
  const [policyId = '', version] = text.split('@');
  return { policyId, version: Number(version) };
};

const whyNotDecide = (rows: readonly ApprovalRow[], { services, authority, read }: Context) =>
  read((uow) => services.approvals.whyNotDecide(uow, authority, rows));

export const Approval = nodeType<ApprovalRow>('Approval', (services, uow, actor, ids) =>
  services.approvals.approvalsByIds(uow, actor, ids),
);
export const ApprovalConnection = connectionType(Approval);
Approval.implement({
  description: 'A request to a person to allow exactly one thing. Once approved it is a grant, used once, for what has this digest only.',
  fields: (t) => ({
    status: t.expose('status', { type: ApprovalStatusEnum, description: 'Where it stands.' }),
    source: t.expose('source', { type: ApprovalSourceEnum, description: 'What asks for it.' }),
    title: t.exposeString('title', { description: 'What is asked, in short.' }),
    reason: t.exposeString('reason', { description: 'Why a person must look.' }),
    risk: t.expose('risk', { type: RiskClassEnum, description: 'How much harm it could do.' }),
    tool: t.string({
      nullable: true,
      description: 'The tool that will be called; null for an approval step.',
      resolve: (row) => row.subject.tool,
    }),
    arguments: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The arguments that it will be called with; for an approval step, what its author shows.',
      resolve: (row) => row.subject.arguments,
    }),
    policies: t.field({
      type: [PolicyReference],
      description: 'The policies that asked; empty for an approval step.',
      resolve: (row) => row.subject.policies.map(referenceOf),
    }),
    subject: t.expose('subject', { type: 'JSON', description: 'Everything that the grant is bound to; the digest is computed of it.' }),
    digest: t.exposeString('digest', { description: 'SHA-256 of the canonical JSON (RFC 8785) of the subject.' }),
    stepId: t.exposeString('stepId', {
      nullable: true,
      description: 'The step that waits; null for the start of an execution, and for a call of an agent that runs elsewhere.',
    }),
    itemIndex: t.exposeInt('itemIndex', { nullable: true, description: 'Its `forEach` item, from 0; null when it has none.' }),
    execution: t.field({
      type: Execution,
      nullable: true,
      description: 'The execution that waits; null when you may not see it.',
      resolve: (row) => row.executionId,
    }),
    agent: t.field({ type: Agent, nullable: true, description: 'The agent; null when you may not see it.', resolve: (row) => row.agentId }),
    project: t.field({
      type: Project,
      nullable: true,
      description: 'The project; null when you may not see it.',
      resolve: (row) => row.projectId,
    }),
    environment: t.field({
      type: Environment,
      nullable: true,
      description: 'The environment; null when you may not see it.',
      resolve: (row) => row.environmentId,
    }),
    requestedBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who started the execution and so may not decide; null when you may not see the person.',
      resolve: (row) => row.requestedBy,
    }),
    canDecide: t.loadable({
      type: 'Boolean',
      description: 'Whether you may approve or reject it now.',
      resolve: (row) => row,
      load: async (rows: ApprovalRow[], context) => (await whyNotDecide(rows, context)).map((reason) => reason === null),
    }),
    cannotDecideReason: t.loadable({
      type: 'String',
      nullable: true,
      description: 'Why you may not decide it now; null when you may.',
      resolve: (row) => row,
      load: (rows: ApprovalRow[], context) => whyNotDecide(rows, context) as Promise<string[]>,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was requested.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it can no longer be decided.' }),
    decidedAt: t.expose('decidedAt', { type: 'DateTime', nullable: true, description: 'When it was decided; null when it was not.' }),
    decidedBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who decided; null when nobody did, or when you may not see the person.',
      resolve: (row) => row.decidedBy,
    }),
    note: t.exposeString('note', { nullable: true, description: 'What the approver wrote.' }),
    consumedAt: t.expose('consumedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the grant was used; it is never used again.',
    }),
  }),
});

builder.objectField(Execution, 'approvals', (t) =>
  t.loadable({
    type: ApprovalConnection,
    description: 'Approvals that it asked for, newest first.',
    ...paged(),
    byPath: true,
    resolve: (execution) => execution.id,
    load: (ids: string[], { services, authority, read }, page) =>
      read((uow) => services.approvals.approvalsOfExecutions(uow, authority, ids, page)).then(connectionsOf('approvals')),
  }),
);

builder.interfaceField(Slot, 'approval', (t) =>
  t.field({
    type: Approval,
    nullable: true,
    description: 'The newest approval it asked for; null when it asked for none, or when you may not see it.',
    resolve: (slot) => slot.approvalId,
  }),
);

export const ApprovalFilter = builder.inputType('ApprovalFilter', {
  description: 'Conditions that an approval must all satisfy; an absent one is satisfied by every approval.',
  fields: (t) => ({
    status: t.field({ type: [ApprovalStatusEnum], description: 'In one of these statuses.' }),
    risk: t.field({ type: [RiskClassEnum], description: 'Of one of these risk classes.' }),
    environmentId: t.id({ description: 'In this environment.' }).validate(globalId('Environment')),
    agentId: t.id({ description: 'Of this agent.' }).validate(globalId('Agent')),
    executionId: t.id({ description: 'Of this execution.' }).validate(globalId('Execution')),
    canDecide: t.boolean({
      description:
        'True: only those that you may approve or reject now, as a delegate, too; false: only the others, decided ones included.',
    }),
  }),
});

export const DecideApprovalInput = builder.inputType('DecideApprovalInput', {
  description: 'A decision about an approval. It is final.',
  fields: (t) => ({
    approvalId: t.id({ required: true, description: 'The approval.' }).validate(globalId('Approval')),
    decision: t.field({ type: ApprovalDecisionEnum, required: true, description: 'Approve or reject.' }),
    note: t.string({ description: `Why; at most ${maxNoteLength} characters.` }),
    expectedDigest: t.string({
      description: 'Digest of what you were shown; refused as a conflict when the approval is for something else.',
    }),
    idempotencyKey: t.string({ description: 'Repeating the same decision with the same key gives the same answer instead of a conflict.' }),
  }),
});

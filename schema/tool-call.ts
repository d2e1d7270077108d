// Calls that agents make in loops of their own: what was asked, what was answered, what came of it.
import { toolCallOutcomes, toolCallStatuses } from '#src/toolcalls/tool-call.ts';
import type { ToolCallRow } from '#src/toolcalls/tool-call-reads.ts';
import { Agent } from './agent.ts';
import { Approval } from './approval.ts';
import { builder } from './builder.ts';
import { Decision } from './decision.ts';
import { enumOf } from './enum.ts';
import { globalId, toGlobalId } from './ids.ts';
import { nodeType } from './node.ts';
import { Principal } from './principal.ts';
import { Environment, Project } from './tenant.ts';

export const ToolCallStatusEnum = enumOf(
  'ToolCallStatus',
  toolCallStatuses,
  'What was answered. Only `ALLOWED` means that the call may be made.',
  {
    allowed: 'It may be made now, with exactly these arguments; `reportToolResult` closes it.',
    refused: 'It must not be made; for good.',
    awaiting_approval: 'A person is asked. Ask again with the same key once `approval` is decided.',
    waiting: 'Put off by a policy until `notBefore`, or by a kill switch. Ask again with the same key then.',
    reported: 'It was made, and what came of it is reported.',
  },
);

export const ToolCallOutcomeEnum = enumOf('ToolCallOutcome', toolCallOutcomes, 'What came of a call.', {
  succeeded: 'The tool gave a result.',
  failed: 'The tool failed; `result` says how.',
});

export const ToolCall = nodeType<ToolCallRow>('ToolCall', (services, uow, actor, ids) =>
  services.toolCalls.toolCallsByIds(uow, actor, ids),
);
ToolCall.implement({
  description: 'A call that an agent makes in a loop of its own and asked about first.',
  fields: (t) => ({
    status: t.expose('status', { type: ToolCallStatusEnum, description: 'What was answered, and whether it is reported.' }),
    reasons: t.stringList({ description: 'Why, as sentences.', resolve: (row) => [...row.reasons] }),
    notices: t.stringList({
      description: 'Texts of policies in the mode `INJECT`; `reportToolResult` puts them in front of the output.',
      resolve: (row) => [...row.notices],
    }),
    tool: t.exposeString('tool', { description: 'Full name of the tool.' }),
    arguments: t.expose('arguments', { type: 'JSON', description: 'What it is to be called with, exactly.' }),
    session: t.exposeString('session', { nullable: true, description: 'The name of the run, as the agent calls it.' }),
    decisionId: t.id({
      description: 'Global id of the newest decision of the gate, whoever may see it.',
      resolve: (row) => toGlobalId('Decision', row.decisionId),
    }),
    decision: t.field({
      type: Decision,
      nullable: true,
      description: 'The record of the gate, the newest one; null when you may not see it.',
      resolve: (row) => row.decisionId,
    }),
    approvalId: t.id({
      nullable: true,
      description: 'Global id of the approval to wait for, whoever may see it; null when nobody is asked.',
      resolve: ({ approvalId }) => approvalId && toGlobalId('Approval', approvalId),
    }),
    approval: t.field({
      type: Approval,
      nullable: true,
      description: 'What a person is or was asked; null when nobody is, or when you may not see it.',
      resolve: (row) => row.approvalId,
    }),
    notBefore: t.expose('notBefore', {
      type: 'DateTime',
      nullable: true,
      description: 'With `WAITING`: when it can be asked about again.',
    }),
    agent: t.field({ type: Agent, nullable: true, description: 'The agent; null when you may not see it.', resolve: (row) => row.agentId }),
    project: t.field({
      type: Project,
      nullable: true,
      description: 'Its project; null when you may not see it.',
      resolve: (row) => row.projectId,
    }),
    environment: t.field({
      type: Environment,
      nullable: true,
      description: 'Where it runs; null when you may not see it.',
      resolve: (row) => row.environmentId,
    }),
    askedBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who asked, and reports; null when you may not see them.',
      resolve: (row) => row.principalId,
    }),
    idempotencyKey: t.exposeString('idempotencyKey', { description: 'The key it was asked about with.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was first asked about.' }),
    outcome: t.expose('outcome', { type: ToolCallOutcomeEnum, nullable: true, description: 'What came of it; null until it is reported.' }),
    output: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'What may be handed on of its result, texts of policies in front; null until it is reported, or when policies refuse that.',
      resolve: ({ isDelivered, result }) => (isDelivered ? (result as object) : null),
    }),
    isDelivered: t.exposeBoolean('isDelivered', {
      nullable: true,
      description: 'False: policies refuse that the result is handed on. Null until it is reported.',
    }),
    deliveryDecision: t.field({
      type: Decision,
      nullable: true,
      description: 'The record of the gate about the result; null where no policy looks at outputs, or when you may not see it.',
      resolve: (row) => row.deliveryDecisionId,
    }),
    reportedAt: t.expose('reportedAt', { type: 'DateTime', nullable: true, description: 'When it was reported.' }),
  }),
});

builder.objectField(Approval, 'toolCall', (t) =>
  t.field({
    type: ToolCall,
    nullable: true,
    description: 'The call of an agent that runs elsewhere; null for a step, or when you may not see it.',
    resolve: (row) => row.toolCallId,
  }),
);

export const AuthorizeToolCallInput = builder.inputType('AuthorizeToolCallInput', {
  description: 'A call that an agent wants to make, and on whose behalf.',
  fields: (t) => ({
    agentId: t.id({ required: true, description: 'The agent: its definition says which tools it may use.' }).validate(globalId('Agent')),
    environmentId: t.id({ required: true, description: 'Where it runs.' }).validate(globalId('Environment')),
    version: t.string({ description: 'A version that is or was deployed there, instead of the live one.' }),
    tool: t.string({
      required: true,
      description: '`server.name` of a tool server; `builtin.<name>` or `custom.<name>` for what the agent’s own loop has.',
    }),
    arguments: t.field({ type: 'JSON', description: 'What it would be called with: an object; empty when absent.' }),
    session: t.string({ description: 'A name of the agent’s run, to find its calls by; at most 200 characters.' }),
    labels: t.field({ type: 'JSON', description: 'An object of texts that policies can look at.' }),
    costMicroUsd: t.float({
      description:
        'Estimated cost, whole millionths of a US dollar. Of this and what `setToolOverride` says of the tool the higher one holds.',
    }),
    idempotencyKey: t.string({
      required: true,
      description: 'Names the call, such as the id that the model gave it. The same key with the same request is the same call.',
    }),
  }),
});

export const WithdrawToolCallInput = builder.inputType('WithdrawToolCallInput', {
  description: 'A call that is not wanted any more.',
  fields: (t) => ({
    toolCallId: t.id({ required: true, description: 'A call that waits.' }).validate(globalId('ToolCall')),
  }),
});

export const ReportToolResultInput = builder.inputType('ReportToolResultInput', {
  description: 'What came of a call.',
  fields: (t) => ({
    toolCallId: t.id({ required: true, description: 'An allowed call.' }).validate(globalId('ToolCall')),
    outcome: t.field({ type: ToolCallOutcomeEnum, required: true, description: 'Whether the tool gave a result.' }),
    result: t.field({ type: 'JSON', description: 'Its result, or its error; at most 1 MiB of JSON.' }),
  }),
});

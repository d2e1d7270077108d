// Agents that run elsewhere: ask before a call, say what came of it.
import { IdempotencyConflictError, InvalidStateError } from '#src/platform/errors.ts';
import { builder } from '#schema/builder.ts';
import { globalId } from '#schema/ids.ts';
import { mutation } from '#schema/mutation.ts';
import { AuthorizeToolCallInput, ReportToolResultInput, ToolCall, WithdrawToolCallInput } from '#schema/tool-call.ts';

builder.queryField('toolCall', (t) =>
  t.field({
    type: ToolCall,
    nullable: true,
    description: 'The call with this id; null when there is none, or none that you may see.',
    authScopes: { permission: 'execution.read' },
    args: { id: t.arg.id({ required: true, description: 'Id of a tool call.' }).validate(globalId('ToolCall')) },
    resolve: (_root, { id }) => id,
  }),
);

mutation('authorizeToolCall', {
  description:
    'May an agent that runs elsewhere make this call? Judged by the gate and recorded. Only `ALLOWED` is a yes: a refusal, an error, no answer in time are none.',
  permission: 'execution.start',
  input: AuthorizeToolCallInput,
  returns: { toolCall: { type: ToolCall, description: 'The call, with the answer and its reasons.' } },
  fails: [IdempotencyConflictError, InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ toolCall: await services.toolCalls.authorizeToolCall(uow, actor, input) }),
  recover: async (services, uow, actor, input, cause) => ({
    toolCall: await services.toolCalls.answerUnjudged(uow, actor, input, cause),
  }),
});

mutation('reportToolResult', {
  description:
    'Says what came of an allowed call. Hand on `output` of the answer, not the result itself: policies may put texts in front, or refuse it.',
  permission: 'execution.start',
  input: ReportToolResultInput,
  returns: { toolCall: { type: ToolCall, description: 'The call, reported.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ toolCall: (await services.toolCalls.reportToolResult(uow, actor, input)).toolCall }),
});

mutation('withdrawToolCall', {
  description: 'Takes back a call that waits for an approval or its turn: it is refused for good, and nobody is asked about it any more.',
  permission: 'execution.start',
  input: WithdrawToolCallInput,
  returns: { toolCall: { type: ToolCall, description: 'The call, refused.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ toolCall: await services.toolCalls.withdrawToolCall(uow, actor, input) }),
});

// Executions: start, cancel, read, watch.
import { ConflictError, IdempotencyConflictError, InvalidStateError } from '#src/platform/errors.ts';
import { builder } from '#schema/builder.ts';
import { connectionOf, paged } from '#schema/connection.ts';
import { ExecutionEventBatch, TenantEventBatch, TenantEventFilter } from '#schema/event.ts';
import { CancelExecutionInput, Execution, ExecutionConnection, ExecutionFilter, StartExecutionInput } from '#schema/execution.ts';
import { globalId } from '#schema/ids.ts';
import { mutation } from '#schema/mutation.ts';
import { ApprovalRequestBatch, ApprovalStreamFilter, ExecutionChanges } from '#schema/stream.ts';
import { subscription } from '#schema/subscription.ts';

builder.queryField('execution', (t) =>
  t.field({
    type: Execution,
    nullable: true,
    description: 'The execution with this id; null when it is absent or not visible to you.',
    authScopes: { permission: 'execution.read' },
    args: { id: t.arg.id({ required: true, description: 'Its id.' }).validate(globalId('Execution')) },
    resolve: (_root, { id }) => id,
  }),
);

builder.queryField('executions', (t) =>
  t.field({
    type: ExecutionConnection,
    description: 'Executions that you may read, newest first.',
    authScopes: { permission: 'execution.read' },
    ...paged({ filter: t.arg({ type: ExecutionFilter, description: 'Only these.' }) }),
    resolve: (_root, { filter, ...page }, { services, authority, read }) =>
      connectionOf(
        'executions',
        read((uow) => services.executions.listExecutions(uow, authority, filter ?? {}, page)),
      ),
  }),
);

mutation('startExecution', {
  description: 'Accepts an execution; once it answers, the execution survives any crash.',
  permission: 'execution.start',
  input: StartExecutionInput,
  returns: { execution: { type: Execution, description: 'The new execution, or the one this idempotency key started before.' } },
  fails: [ConflictError, IdempotencyConflictError, InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ execution: await services.executions.startExecution(uow, actor, input) }),
});

mutation('cancelExecution', {
  description: 'Ends an execution. Running effects are asked to stop; nothing new begins; open approvals are withdrawn.',
  permission: 'execution.cancel',
  input: CancelExecutionInput,
  returns: { execution: { type: Execution, description: 'The cancelled execution.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ execution: await services.executions.cancelExecution(uow, actor, input) }),
});

subscription('executionEvents', {
  description:
    'The events of an execution: history after the cursor, then live, each exactly once and in order. Ends after the final event.',
  type: ExecutionEventBatch,
  permission: 'execution.read',
  args: (t) => ({
    executionId: t.id({ required: true, description: 'The execution.' }).validate(globalId('Execution')),
  }),
  after: 'Cursor of the last batch that was seen; from the beginning when absent.',
  permitted: (services, uow, actor, { executionId }) => services.executions.getExecution(uow, actor, executionId),
  source: (context, { executionId }) => context.services.streams.events(context, executionId),
});

subscription('executionChanged', {
  description: 'Executions as they change from now on. States in between may be skipped; for every event use `executionEvents`.',
  type: ExecutionChanges,
  permission: 'execution.read',
  args: (t) => ({ filter: t.field({ type: ExecutionFilter, description: 'Only these.' }) }),
  source: (context, { filter }) => context.services.streams.changes(context, filter ?? {}),
});

subscription('approvalRequests', {
  description: 'Approvals that you may see. Without a cursor: those pending now, then every change. With one: every change after it.',
  type: ApprovalRequestBatch,
  permission: 'approval.read',
  args: (t) => ({ filter: t.field({ type: ApprovalStreamFilter, description: 'Only these.' }) }),
  after: 'Cursor of the last batch that was seen.',
  source: (context, { filter }) => context.services.streams.approvals(context, filter ?? {}),
});

subscription('tenantEvents', {
  description:
    'All events of the tenant that you may see, in the order they were committed: of its executions, and of approvals of calls that outside agents make. Without a cursor from now on; with one everything after it, each exactly once.',
  type: TenantEventBatch,
  permission: 'execution.read',
  args: (t) => ({ filter: t.field({ type: TenantEventFilter, description: 'Only these.' }) }),
  after: 'Cursor of the last batch that was seen; from now on when absent.',
  source: (context, { filter }) => context.services.streams.tenant(context, filter ?? {}),
});

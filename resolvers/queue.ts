// The queue: limits, how it stands, bulk cancel, dead letters.
import { builder } from '#schema/builder.ts';
import { connectionOf, paged } from '#schema/connection.ts';
import { globalId, globalIdOfAny } from '#schema/ids.ts';
import { found } from '#schema/mutation-audit.ts';
import { mutation } from '#schema/mutation.ts';
import {
  BulkOperation,
  CancelExecutionsInput,
  ConcurrencyLimit,
  ConcurrencyLimitConnection,
  DeadLetterConnection,
  DeadLetterFilter,
  deadLetterConnection,
  limitOf,
  QueueStatus,
  SetConcurrencyLimitInput,
} from '#schema/queue.ts';

builder.queryField('queueStatus', (t) =>
  t.field({
    type: QueueStatus,
    description: 'How the queue of the tenant stands; only executions that you may read are counted.',
    authScopes: { permission: 'execution.read' },
    resolve: (_root, _args, { services, authority, read }) => read((uow) => services.queue.queueStatus(uow, authority)),
  }),
);

builder.queryField('concurrencyLimits', (t) =>
  t.field({
    type: ConcurrencyLimitConnection,
    description: 'Concurrency limits on what you may see, newest first.',
    authScopes: { permission: 'execution.read' },
    ...paged({
      scopeId: t.arg.id({ description: 'Only the one on this.' }).validate(globalIdOfAny('Tenant', 'Project', 'Environment', 'Agent')),
    }),
    resolve: (_root, { scopeId, ...page }, { services, authority, read }) =>
      connectionOf(
        'concurrencyLimits',
        read((uow) => services.queue.listLimits(uow, authority, { scopeId: scopeId?.id }, page)),
      ),
  }),
);

builder.queryField('deadLetters', (t) =>
  t.field({
    type: DeadLetterConnection,
    description: 'Steps and items that gave up, newest first, of executions that you may read.',
    authScopes: { permission: 'execution.read' },
    ...paged({ filter: t.arg({ type: DeadLetterFilter, description: 'Only these.' }) }),
    resolve: async (_root, { filter, ...page }, { services, authority, read }) =>
      deadLetterConnection(await read((uow) => services.queue.listDeadLetters(uow, authority, filter ?? {}, page))),
  }),
);

builder.queryField('bulkOperation', (t) =>
  t.field({
    type: BulkOperation,
    nullable: true,
    description: 'The operation with this id, if you asked for it or may read every execution; else null.',
    authScopes: { permission: 'execution.read' },
    args: { id: t.arg.id({ required: true, description: 'Its id.' }).validate(globalId('BulkOperation')) },
    resolve: (_root, { id }) => id,
  }),
);

mutation('setConcurrencyLimit', {
  description: 'Sets or removes how many executions may run at a time. What runs goes on, also above a lowered limit.',
  permission: 'queue.manage',
  input: SetConcurrencyLimitInput,
  returns: { limit: { type: ConcurrencyLimit, nullable: true, description: 'The limit; null when it was removed.' } },
  audits: {
    type: 'ConcurrencyLimit',
    keys: ({ scopeId }) => [scopeId.id],
    find: async ({ queue }, uow, everything, [scopeId = '']) =>
      found(scopeId, (await queue.listLimits(uow, everything, { scopeId }, {})).rows[0]),
  },
  resolve: async (services, uow, actor, input) => ({ limit: await services.queue.setConcurrencyLimit(uow, actor, limitOf(input)) }),
});

mutation('cancelExecutions', {
  description:
    'Cancels, in the background, every execution that a filter finds and that you may cancel. Those accepted later are not touched.',
  permission: 'execution.cancel',
  input: CancelExecutionsInput,
  returns: { operation: { type: BulkOperation, description: 'The operation, which has just been accepted.' } },
  resolve: async (services, uow, actor, input) => ({ operation: await services.bulkCancel.cancelExecutions(uow, actor, input) }),
});

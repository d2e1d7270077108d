// Replay: is what is stored what the events give.
import { builder } from '#schema/builder.ts';
import { globalId } from '#schema/ids.ts';
import { Replay } from '#schema/replay.ts';

builder.queryField('replayExecution', (t) =>
  t.field({
    type: Replay,
    description:
      'Folds the events of an execution again and compares the result with what is stored: equal, or the first difference. Reads only; also of one that runs.',
    authScopes: { permission: 'execution.read' },
    args: { executionId: t.arg.id({ required: true, description: 'The execution.' }).validate(globalId('Execution')) },
    resolve: (_root, { executionId }, { services, authority, read }) =>
      read((uow) => services.inspection.replayExecution(uow, authority, executionId)),
  }),
);

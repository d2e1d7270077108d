// Two executions side by side.
import { builder } from '#schema/builder.ts';
import { ExecutionComparison } from '#schema/comparison.ts';
import { globalId } from '#schema/ids.ts';

builder.queryField('compareExecutions', (t) =>
  t.field({
    type: ExecutionComparison,
    description: 'Two executions side by side: steps, outputs, durations, decisions, path, and where they first went differently.',
    authScopes: { permission: 'execution.read' },
    args: {
      a: t.arg.id({ required: true, description: 'The first execution.' }).validate(globalId('Execution')),
      b: t.arg.id({ required: true, description: 'The second execution.' }).validate(globalId('Execution')),
    },
    resolve: (_root, { a, b }, { services, authority, read }) => read((uow) => services.inspection.compareExecutions(uow, authority, a, b)),
  }),
);

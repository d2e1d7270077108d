// Decisions: read only; the gate writes them.
import { builder } from '#schema/builder.ts';
import { connectionOf, paged } from '#schema/connection.ts';
import { DecisionConnection, DecisionFilter } from '#schema/decision.ts';

builder.queryField('decisions', (t) =>
  t.field({
    type: DecisionConnection,
    description: 'Decisions of the gate that you may read, newest first.',
    authScopes: { permission: 'decision.read' },
    ...paged({ filter: t.arg({ type: DecisionFilter, description: 'Only these.' }) }),
    resolve: (_root, { filter, ...page }, { services, authority, read }) =>
      connectionOf(
        'decisions',
        read((uow) => services.gate.listDecisions(uow, authority, filter ?? {}, page)),
      ),
  }),
);

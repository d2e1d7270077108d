// Decisions: read, explained and computed again; the gate writes them.
import { builder } from '#schema/builder.ts';
import { connectionOf, paged } from '#schema/connection.ts';
import { DecisionConnection, DecisionFilter } from '#schema/decision.ts';
import { DecisionExplanation, DecisionReevaluation, PolicyMomentEnum } from '#schema/decision-replay.ts';
import { globalId } from '#schema/ids.ts';

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

builder.queryField('explainDecision', (t) =>
  t.field({
    type: DecisionExplanation,
    nullable: true,
    description: 'Why a decision came out as it did; null when it is absent or not visible to you.',
    authScopes: { permission: 'decision.read' },
    args: { decisionId: t.arg.id({ required: true, description: 'The decision.' }).validate(globalId('Decision')) },
    resolve: (_root, { decisionId }, { services, authority, read }) =>
      read((uow) => services.decisions.explainDecision(uow, authority, decisionId)),
  }),
);

builder.queryField('reevaluateDecision', (t) =>
  t.field({
    type: DecisionReevaluation,
    nullable: true,
    description:
      'Computes a decision again from its record and says exactly what differs, if anything; null when it is absent or not visible to you.',
    authScopes: { permission: 'decision.read' },
    // Every policy of the tenant is compiled for it.
    complexity: { field: 500 },
    args: {
      decisionId: t.arg.id({ required: true, description: 'The decision.' }).validate(globalId('Decision')),
      policies: t.arg({ type: PolicyMomentEnum, description: 'Which policies are asked; `RECORDED` when absent.' }),
    },
    resolve: (_root, { decisionId, policies }, { services, authority, read }) =>
      read((uow) => services.decisions.reevaluateDecision(uow, authority, decisionId, policies ?? 'recorded')),
  }),
);

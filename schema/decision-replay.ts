// A decision explained, and computed again from its record.
import { findingRoles, policyMoments, type Difference } from '#src/decisions/decision-replay.ts';
import type { ExplainedDecision, ReevaluatedDecision } from '#src/decisions/decision-service.ts';
import type { PolicyDocument } from '#src/rules/policy.ts';
import { builder } from './builder.ts';
import { Decision, PolicyFinding } from './decision.ts';
import { enumOf } from './enum.ts';
import { DecisionEffectEnum, Policy } from './policy.ts';

export const FindingRoleEnum = enumOf('FindingRole', findingRoles, 'What a finding had to do with the outcome.', {
  decided: 'It is among those that made the outcome.',
  outweighed: 'It was enforced, and something stronger decided.',
  observed: 'It was recorded only.',
  injected: 'Its text goes in front of the output; it changed nothing else.',
});

export const PolicyMomentEnum = enumOf('PolicyMoment', policyMoments, 'With which policies a decision is computed again.', {
  recorded: 'Those of the moment of the decision, in the versions that the record names.',
  current: 'Those of now.',
});

const ExplainedFinding = builder
  .objectRef<ExplainedDecision['findings'][number] & { readonly document: PolicyDocument | null }>('ExplainedFinding')
  .implement({
    description: 'What one policy said, and what that had to do with the outcome.',
    fields: (t) => ({
      role: t.expose('role', { type: FindingRoleEnum, description: 'What it had to do with the outcome.' }),
      finding: t.field({ type: PolicyFinding, description: 'What it said.', resolve: (row) => row }),
      rules: t.field({
        type: 'JSON',
        nullable: true,
        description: 'The rules of the policy in that version; null when you may not see the policy.',
        resolve: ({ document }) => document?.rules ?? null,
      }),
    }),
  });

export const DecisionExplanation = builder.objectRef<ExplainedDecision>('DecisionExplanation').implement({
  description: 'Why a decision came out as it did.',
  fields: (t) => ({
    decision: t.field({ type: Decision, description: 'The decision.', resolve: (row) => row.decision }),
    summary: t.exposeString('summary', { description: 'What was decided and why, as a paragraph.' }),
    refusals: t.stringList({
      description: 'What kill switches and the definition of the agent refused; no policy can change it.',
      resolve: (row) => [...row.refusals],
    }),
    findings: t.field({
      type: [ExplainedFinding],
      description: 'What each policy said that had something to say, by priority.',
      resolve: ({ findings, documents }) => findings.map((each) => ({ ...each, document: documents.get(each.policyId) ?? null })),
    }),
  }),
});

const DecisionDifference = builder.objectRef<Difference>('DecisionDifference').implement({
  description: 'One thing that came out otherwise.',
  fields: (t) => ({
    path: t.exposeString('path', { description: '`effect`, `reasons`, or `findings.` and the name of a policy, with the member of it.' }),
    policy: t.field({
      type: Policy,
      nullable: true,
      description: 'The policy it is about; null when it is about none, or when you may not see it.',
      resolve: (row) => row.policyId,
    }),
    recorded: t.expose('recorded', { type: 'JSON', nullable: true, description: 'What the record says; null: nothing.' }),
    computed: t.expose('computed', { type: 'JSON', nullable: true, description: 'What was computed now; null: nothing.' }),
  }),
});

export const DecisionReevaluation = builder.objectRef<ReevaluatedDecision>('DecisionReevaluation').implement({
  description: 'A decision computed again from its record.',
  fields: (t) => ({
    decision: t.field({ type: Decision, description: 'The decision.', resolve: (row) => row.decision }),
    policies: t.expose('policies', { type: PolicyMomentEnum, description: 'Which policies were asked.' }),
    same: t.exposeBoolean('same', { description: 'Whether outcome, reasons and findings are those of the record.' }),
    effect: t.field({ type: DecisionEffectEnum, description: 'The outcome that was computed.', resolve: ({ verdict }) => verdict.effect }),
    reasons: t.stringList({ description: 'Its reasons.', resolve: ({ verdict }) => [...verdict.reasons] }),
    findings: t.field({ type: [PolicyFinding], description: 'Its findings.', resolve: ({ verdict }) => [...verdict.findings] }),
    differences: t.field({
      type: [DecisionDifference],
      description: 'Exactly what differs from the record; empty when it is the same.',
      resolve: (row) => [...row.differences],
    }),
    digestMatches: t.exposeBoolean('digestMatches', {
      nullable: true,
      description: 'Whether the recorded input is what its digest was made of; null when something was left out of the record.',
    }),
    notCompared: t.stringList({
      description:
        'Members of the input that were left out of the record, such as `arguments.password`: what policies make of these cannot be computed again, so differences may come from that alone. Empty when everything was looked at.',
      resolve: (row) => [...row.notCompared],
    }),
  }),
});

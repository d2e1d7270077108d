// Decision records: what the gate was asked, what it answered and why.
import type { PolicyFinding as Finding } from '#src/rules/gate.ts';
import type { DecisionRow } from '#src/decisions/decision-reads.ts';
import { gateActions } from '#src/rules/policy.ts';
import { Agent } from './agent.ts';
import { Approval } from './approval.ts';
import { builder } from './builder.ts';
import { connectionsOf, connectionType, paged } from './connection.ts';
import { enumOf } from './enum.ts';
import { Attempt, Execution, Slot } from './execution.ts';
import { globalId } from './ids.ts';
import { nodeType } from './node.ts';
import { DecisionEffectEnum, Policy, PolicyKindEnum, PolicyModeEnum } from './policy.ts';
import { Principal } from './principal.ts';
import { Environment, Project } from './tenant.ts';

export const GateActionEnum = enumOf('GateAction', gateActions, 'What passes the gate.', {
  'execution.start': 'The start of an execution.',
  'tool.call': 'A call of a tool, with exactly its arguments.',
  'http.request': 'A request of an http step, with exactly its URL, headers and body.',
  'output.deliver': 'An output that a step or an execution hands on.',
});

export const PolicyFinding = builder.objectRef<Finding>('PolicyFinding').implement({
  description: 'What one policy said of what was asked.',
  fields: (t) => ({
    policy: t.field({
      type: Policy,
      nullable: true,
      description: 'The policy; null when you may not see it.',
      resolve: (row) => row.policyId,
    }),
    policyName: t.exposeString('policyName', { description: 'Its name at that time.' }),
    version: t.exposeInt('version', { description: 'The version that was asked.' }),
    kind: t.expose('kind', { type: PolicyKindEnum, description: 'Its kind.' }),
    mode: t.expose('mode', { type: PolicyModeEnum, description: '`OBSERVE`: it was recorded only and changed nothing.' }),
    effect: t.expose('effect', { type: DecisionEffectEnum, description: 'What it answered.' }),
    reason: t.exposeString('reason', { description: 'Why, as a sentence.' }),
    notBefore: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'With `DELAY` and `QUEUE`: until when it has to wait.',
      resolve: ({ notBefore }) => (notBefore === undefined ? null : new Date(notBefore)),
    }),
    failed: t.boolean({
      description: 'True: it could not be evaluated, and this is what it says in that case.',
      resolve: ({ failed }) => failed === true,
    }),
  }),
});

export const Decision = nodeType<DecisionRow>('Decision', (services, uow, actor, ids) => services.gate.decisionsByIds(uow, actor, ids));
export const DecisionConnection = connectionType(Decision);
Decision.implement({
  description: 'The record of one evaluation of the gate, whatever it answered: enough to compute the same outcome again. Never changes.',
  fields: (t) => ({
    action: t.expose('action', { type: GateActionEnum, description: 'What wanted to pass.' }),
    effect: t.expose('effect', { type: DecisionEffectEnum, description: 'The outcome.' }),
    reasons: t.stringList({ description: 'Why, as sentences; those of the highest priority first.', resolve: (row) => [...row.reasons] }),
    findings: t.field({
      type: [PolicyFinding],
      description: 'What each policy in scope said that had something to say, observed ones included.',
      resolve: (row) => [...row.findings],
    }),
    input: t.expose('input', {
      type: 'JSON',
      description: 'Everything that was looked at: who, where, which tool or destination, with which arguments.',
    }),
    redacted: t.stringList({
      description: 'Where in the input something was left out of the record, such as `arguments.password`.',
      resolve: (row) => [...row.redacted],
    }),
    inputDigest: t.exposeString('inputDigest', {
      description: 'SHA-256 of the canonical JSON (RFC 8785) of the whole input, with what was left out of the record.',
    }),
    tool: t.exposeString('tool', { nullable: true, description: 'The tool, as `server.name`; null when it is not about one.' }),
    principal: t.field({
      type: Principal,
      nullable: true,
      description: 'On whose behalf it would have run; null when you may not see who.',
      resolve: (row) => row.principalId,
    }),
    durationMicros: t.exposeInt('durationMicros', { description: 'How long the evaluation took, microseconds.' }),
    stepId: t.exposeString('stepId', { nullable: true, description: 'The step that wanted to run; null for the start of an execution.' }),
    itemIndex: t.exposeInt('itemIndex', { nullable: true, description: 'Its `forEach` item, from 0; null when it has none.' }),
    execution: t.field({
      type: Execution,
      nullable: true,
      description: 'The execution; null when you may not see it.',
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
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was decided.' }),
  }),
});

builder.objectField(Execution, 'decisions', (t) =>
  t.loadable({
    type: DecisionConnection,
    description: 'What the gate decided about it, newest first.',
    ...paged(),
    byPath: true,
    resolve: (execution) => execution.id,
    load: (ids: string[], { services, authority, read }, page) =>
      read((uow) => services.gate.decisionsOfExecutions(uow, authority, ids, page)).then(connectionsOf('decisions')),
  }),
);

builder.objectField(Attempt, 'decision', (t) =>
  t.field({
    type: Decision,
    nullable: true,
    description: 'The decision that let it pass; null when you may not see it.',
    resolve: (attempt) => attempt.decisionId,
  }),
);

builder.objectField(Approval, 'decision', (t) =>
  t.field({
    type: Decision,
    nullable: true,
    description: 'The decision that asked for it; null when a step did, or when you may not see it.',
    resolve: (approval) => approval.decisionId,
  }),
);

builder.interfaceField(Slot, 'decisions', (t) =>
  t.loadable({
    type: DecisionConnection,
    description: 'What the gate decided about it, newest first. Items of a forEach step have their own.',
    ...paged(),
    byPath: true,
    resolve: ({ executionId, stepId, itemIndex }) => JSON.stringify({ executionId, stepId, itemIndex: itemIndex < 0 ? null : itemIndex }),
    load: (slots: string[], { services, authority, read }, page) =>
      read((uow) =>
        services.decisions.pagesOfSlots(
          uow,
          authority,
          slots.map((slot) => JSON.parse(slot)),
          page,
        ),
      ).then(connectionsOf('decisions')),
  }),
);

export const DecisionFilter = builder.inputType('DecisionFilter', {
  description: 'Conditions that a decision must all satisfy; an absent one is satisfied by every decision.',
  fields: (t) => ({
    executionId: t.id({ description: 'Of this execution.' }).validate(globalId('Execution')),
    stepId: t.string({ description: 'About this step of the definition.' }),
    projectId: t.id({ description: 'In this project.' }).validate(globalId('Project')),
    environmentId: t.id({ description: 'In this environment.' }).validate(globalId('Environment')),
    agentId: t.id({ description: 'Of this agent.' }).validate(globalId('Agent')),
    principalId: t.id({ description: 'On behalf of this principal.' }).validate(globalId('Principal')),
    policyId: t.id({ description: 'About which this policy had something to say, observed or not.' }).validate(globalId('Policy')),
    tool: t.string({ description: 'About this tool, `server.name`.' }),
    action: t.field({ type: [GateActionEnum], description: 'About one of these actions.' }),
    effect: t.field({ type: [DecisionEffectEnum], description: 'With one of these outcomes.' }),
    since: t.field({ type: 'DateTime', description: 'Decided at this moment or later.' }),
    until: t.field({ type: 'DateTime', description: 'Decided before this moment.' }),
  }),
});

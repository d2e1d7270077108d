// Policies: what they are, their versions and scope, and what may be written of them.
import { decisionEffects, policyChanges, policyKinds, policyModes, type PolicyScope as Scope } from '#src/policies/policy.ts';
import { maxPriority, maxTagLength } from '#src/policies/policy-input.ts';
import type { PolicyRow, PolicyVersionRow } from '#src/policies/policy-reads.ts';
import { Agent } from './agent.ts';
import { builder } from './builder.ts';
import { connectionType } from './connection.ts';
import { enumOf } from './enum.ts';
import { globalId } from './ids.ts';
import { nodeType } from './node.ts';
import { Principal } from './principal.ts';
import { Environment, Project } from './tenant.ts';

export const PolicyKindEnum = enumOf('PolicyKind', policyKinds, 'What a policy decides; it gives `rules` their shape.', {
  tool_access: 'Which tools may be called: rules that allow or deny.',
  approval_required: 'Which tool calls a person must approve first.',
});

export const PolicyModeEnum = enumOf('PolicyMode', policyModes, 'Whether a policy has consequences.', {
  observe: 'Evaluated and recorded with each decision, never enforced.',
  enforce: 'Evaluated, recorded and enforced.',
});

export const PolicyChangeEnum = enumOf('PolicyChange', policyChanges, 'What made a version of a policy.', {
  created: 'The policy was created.',
  updated: 'Its content changed.',
  enabled: 'It was switched on.',
  disabled: 'It was switched off.',
  deleted: 'It ended.',
});

export const DecisionEffectEnum = enumOf('DecisionEffect', decisionEffects, 'What the gate or one policy answers.', {
  allow: 'It may run.',
  deny: 'It is refused.',
  require_approval: 'A person must approve exactly this first.',
});

export const PolicyScope = builder.objectRef<Scope>('PolicyScope').implement({
  description: 'Where a policy applies: every member that is not null must match; all null is the whole tenant.',
  fields: (t) => ({
    project: t.field({ type: Project, nullable: true, description: 'Only in this project.', resolve: ({ projectId }) => projectId }),
    environment: t.field({
      type: Environment,
      nullable: true,
      description: 'Only in this environment.',
      resolve: ({ environmentId }) => environmentId,
    }),
    agent: t.field({ type: Agent, nullable: true, description: 'Only for this agent.', resolve: ({ agentId }) => agentId }),
    tag: t.exposeString('tag', { nullable: true, description: 'Only for agents with this tag.' }),
  }),
});

const author = 'null when you may not see the person.';

export const PolicyVersion = builder.objectRef<PolicyVersionRow>('PolicyVersion').implement({
  description: 'A policy as it was from one change to the next. Never changes.',
  fields: (t) => ({
    version: t.exposeInt('version', { description: 'From 1.' }),
    change: t.field({ type: PolicyChangeEnum, description: 'What made this version.', resolve: ({ document }) => document.change }),
    name: t.string({ description: 'Its name then.', resolve: ({ document }) => document.name }),
    description: t.string({ description: 'Its description then.', resolve: ({ document }) => document.description }),
    mode: t.field({ type: PolicyModeEnum, description: 'Its mode then.', resolve: ({ document }) => document.mode }),
    priority: t.int({ description: 'Its priority then.', resolve: ({ document }) => document.priority }),
    enabled: t.boolean({ description: 'Whether it was switched on then.', resolve: ({ document }) => document.enabled }),
    scope: t.field({ type: PolicyScope, description: 'Where it applied then.', resolve: ({ document }) => document.scope }),
    rules: t.field({ type: 'JSON', description: 'Its rules then.', resolve: ({ document }) => document.rules }),
    createdBy: t.field({ type: Principal, nullable: true, description: `Who made the change; ${author}`, resolve: (row) => row.createdBy }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the change was made.' }),
  }),
});

export const Policy = nodeType<PolicyRow>('Policy', (services, uow, actor, ids) => services.policies.policiesByIds(uow, actor, ids));
export const PolicyConnection = connectionType(Policy);
Policy.implement({
  description:
    'A rule of the gate that every tool call passes. Any policy that denies wins; else an approval is required when one asks for it.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique in the tenant among policies that are not deleted.' }),
    description: t.exposeString('description', { description: 'What it is for.' }),
    kind: t.expose('kind', { type: PolicyKindEnum, description: 'What it decides. Never changes.' }),
    mode: t.expose('mode', { type: PolicyModeEnum, description: 'Whether it is enforced.' }),
    priority: t.exposeInt('priority', { description: 'Orders findings and reasons, lower first; never lets one policy overrule another.' }),
    enabled: t.exposeBoolean('enabled', { description: 'Whether the gate asks it at all.' }),
    scope: t.field({ type: PolicyScope, description: 'Where it applies.', resolve: (row) => row }),
    rules: t.expose('rules', { type: 'JSON', description: 'A list of rules; `policies/<kind>.schema.json` is their JSON Schema.' }),
    version: t.exposeInt('version', { description: 'Number of the current version; `updatePolicy` expects it.' }),
    versions: t.loadableList({
      type: PolicyVersion,
      description: 'Its history, newest first.',
      args: {
        first: t.arg.int({ description: 'How many, 1 to 100; 20 when absent.' }),
        before: t.arg.int({ description: 'Only versions below this number.' }),
      },
      complexity: ({ first }) => ({ field: 1, multiplier: Math.min(Math.max(first ?? 20, 1), 100) }),
      byPath: true,
      resolve: (row) => row.id,
      load: (ids: string[], { services, read }, window) => read((uow) => services.policies.versionsOf(uow, ids, window)),
    }),
    createdBy: t.field({ type: Principal, nullable: true, description: `Who created it; ${author}`, resolve: (row) => row.createdBy }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it last changed.' }),
    deletedAt: t.expose('deletedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was deleted; it stays readable for the decisions that name it.',
    }),
  }),
});

export const PolicyFilter = builder.inputType('PolicyFilter', {
  description: 'Conditions that a policy must all satisfy; an absent one is satisfied by every policy.',
  fields: (t) => ({
    kind: t.field({ type: PolicyKindEnum, description: 'Of this kind.' }),
    mode: t.field({ type: PolicyModeEnum, description: 'In this mode.' }),
    enabled: t.boolean({ description: 'Switched on, or off.' }),
    projectId: t.id({ description: 'Whose scope names this project.' }).validate(globalId('Project')),
    environmentId: t.id({ description: 'Whose scope names this environment.' }).validate(globalId('Environment')),
    agentId: t.id({ description: 'Whose scope names this agent.' }).validate(globalId('Agent')),
    tag: t.string({ description: 'Whose scope names this tag.' }),
  }),
});

export const PolicyScopeInput = builder.inputType('PolicyScopeInput', {
  description: 'Where a policy applies: every member that is given must match; none is the whole tenant.',
  fields: (t) => ({
    projectId: t.id({ description: 'Only in this project.' }).validate(globalId('Project')),
    environmentId: t.id({ description: 'Only in this environment.' }).validate(globalId('Environment')),
    agentId: t.id({ description: 'Only for this agent.' }).validate(globalId('Agent')),
    tag: t.string({ description: `Only for agents with this tag; at most ${maxTagLength} characters.` }),
  }),
});

export const CreatePolicyInput = builder.inputType('CreatePolicyInput', {
  description: 'A new policy.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Lower-case letters, digits and `-`; unique in the tenant.' }),
    description: t.string({ description: 'What it is for.' }),
    kind: t.field({ type: PolicyKindEnum, required: true, description: 'What it decides.' }),
    mode: t.field({ type: PolicyModeEnum, description: '`ENFORCE` when absent.' }),
    priority: t.int({ description: `Lower first, 0 to ${maxPriority}; 100 when absent.` }),
    enabled: t.boolean({ description: 'True when absent.' }),
    scope: t.field({ type: PolicyScopeInput, description: 'The whole tenant when absent.' }),
    rules: t.field({ type: 'JSON', required: true, description: 'A list of rules as `policies/<kind>.schema.json` describes them.' }),
  }),
});

export const UpdatePolicyInput = builder.inputType('UpdatePolicyInput', {
  description: 'What to change of a policy; fields left out stay as they are.',
  fields: (t) => ({
    policyId: t.id({ required: true, description: 'The policy.' }).validate(globalId('Policy')),
    expectedVersion: t.int({ required: true, description: 'The version that you read; another current one is a conflict.' }),
    name: t.string({ description: 'A new name.' }),
    description: t.string({ description: 'A new description.' }),
    mode: t.field({ type: PolicyModeEnum, description: 'A new mode.' }),
    priority: t.int({ description: 'A new priority.' }),
    scope: t.field({ type: PolicyScopeInput, description: 'A new scope, replacing the old one as a whole; `{}` is the whole tenant.' }),
    rules: t.field({ type: 'JSON', description: 'New rules, replacing the old ones as a whole.' }),
  }),
});

const ofPolicy = (name: string, description: string) =>
  builder.inputType(name, {
    description,
    fields: (t) => ({ policyId: t.id({ required: true, description: 'The policy.' }).validate(globalId('Policy')) }),
  });
export const EnablePolicyInput = ofPolicy('EnablePolicyInput', 'Which policy to switch on.');
export const DisablePolicyInput = ofPolicy('DisablePolicyInput', 'Which policy to switch off.');
export const DeletePolicyInput = ofPolicy('DeletePolicyInput', 'Which policy to end.');

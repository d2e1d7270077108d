// Policies: what they are, where they apply, and their versions.
import type { PolicyInForceRow } from '#src/policies/policy-force.ts';
import type { PolicyRow, PolicyVersionRow } from '#src/policies/policy-reads.ts';
import type { PolicyPreview } from '#src/policies/policy-service.ts';
import {
  decisionEffects,
  failureModes,
  policyChanges,
  policyKinds,
  policyModes,
  type PolicyAttachment as Attachment,
  type PolicyRollout as Rollout,
  type PolicyScope as Scope,
} from '#src/rules/policy.ts';
import type { Problem } from '#src/platform/errors.ts';
import { isEverywhere } from '#src/rules/policy-places.ts';
import { Agent } from './agent.ts';
import { builder } from './builder.ts';
import { connectionType } from './connection.ts';
import { enumOf } from './enum.ts';
import { ProblemType } from './error.ts';
import { nodeType } from './node.ts';
import { Principal } from './principal.ts';
import { Environment, Project, Team } from './tenant.ts';

export const PolicyKindEnum = enumOf('PolicyKind', policyKinds, 'What a policy decides; it gives `rules` their shape.', {
  tool_access: 'Which tools may be called: rules that allow or deny.',
  approval_required: 'What a person must approve first.',
  rate_limit: 'How many executions or tool calls there may be in a sliding window.',
  time_window: 'On which days and at which hours something may happen.',
  destination: 'Where requests may go: hosts, addresses, ports, schemes, methods.',
  data_scope: 'That an agent touches only data that it declares, or that another agent has granted it.',
  content: 'What inputs, arguments and outputs must not contain.',
});

export const PolicyModeEnum = enumOf('PolicyMode', policyModes, 'Whether a policy has consequences.', {
  observe: 'Evaluated and recorded with each decision, never enforced.',
  inject: 'Never changes what happens: its reason is put in front of the output, and the run goes on.',
  enforce: 'Evaluated, recorded and enforced.',
});

export const PolicyChangeEnum = enumOf('PolicyChange', policyChanges, 'What made a version of a policy.', {
  created: 'The policy was created.',
  updated: 'Its content changed.',
  enabled: 'It was switched on.',
  disabled: 'It was switched off.',
  fell_back: 'It denied more than its rollout permits, and has been observed since.',
  deleted: 'It ended.',
});

export const DecisionEffectEnum = enumOf('DecisionEffect', decisionEffects, 'What the gate or one policy answers.', {
  allow: 'It may run.',
  warn: 'It may run, with a warning.',
  deny: 'It is refused.',
  require_approval: 'A person must approve exactly this first.',
  queue: 'It waits in line until a place is free.',
  delay: 'It waits until a moment that it names.',
});

export const FailureModeEnum = enumOf(
  'PolicyFailureMode',
  failureModes,
  'What a policy says of calls of low and medium risk when it cannot be evaluated. Those of high and critical risk are refused.',
  { allow: 'They pass.', deny: 'They are refused.' },
);

export const PolicyScope = builder.objectRef<Scope>('PolicyScope').implement({
  description:
    'Where a policy applies: every member must match. A member is null when it is not narrowed down by it, or when you may not see what it names.',
  fields: (t) => ({
    project: t.field({ type: Project, nullable: true, description: 'Only in this project.', resolve: ({ projectId }) => projectId }),
    environment: t.field({
      type: Environment,
      nullable: true,
      description: 'Only in this environment.',
      resolve: ({ environmentId }) => environmentId,
    }),
    agent: t.field({ type: Agent, nullable: true, description: 'Only for this agent.', resolve: ({ agentId }) => agentId }),
    team: t.field({ type: Team, nullable: true, description: 'Only for agents of this team.', resolve: ({ teamId }) => teamId ?? null }),
    tag: t.exposeString('tag', { nullable: true, description: 'Only for agents with this tag.' }),
    tool: t.string({
      nullable: true,
      description: 'Only for tools of this pattern; then nothing is said of effects without a tool.',
      // Versions of older releases lack it.
      resolve: ({ tool }) => tool ?? null,
    }),
    isWholeTenant: t.boolean({
      description: 'Whether nothing narrows it down. Where this is false and every other member null, it names what you may not see.',
      resolve: (scope) => isEverywhere(scope),
    }),
  }),
});

export const PolicyAttachment = builder.objectRef<Attachment>('PolicyAttachment').implement({
  description:
    'One more place of a policy. Of the places that cover an effect the nearest counts: agent, tool, tag, team, environment, project, tenant; of equally near ones the stricter mode, then the lower priority number.',
  fields: (t) => ({
    scope: t.field({ type: PolicyScope, description: 'Where.', resolve: (row) => row.scope }),
    mode: t.expose('mode', { type: PolicyModeEnum, nullable: true, description: 'The mode there; null: as in the policy.' }),
    priority: t.exposeInt('priority', { nullable: true, description: 'The priority there; null: as in the policy.' }),
    enabled: t.boolean({
      description: 'False: an exception, the policy says nothing there.',
      resolve: ({ enabled }) => enabled ?? true,
    }),
  }),
});

export const PolicyRollout = builder.objectRef<Rollout>('PolicyRollout').implement({
  description: 'A policy that is switched on by and by.',
  fields: (t) => ({
    percent: t.exposeFloat('percent', {
      description: 'Share of executions, by a stable hash of their id, for which it has its mode; it is observed for the others.',
    }),
    maxDenialPercent: t.exposeFloat('maxDenialPercent', {
      nullable: true,
      description: 'It falls back to `OBSERVE` when it denies more than this share of what it judges; null: never.',
    }),
    windowMs: t.exposeInt('windowMs', { description: 'Time in which denials are counted, milliseconds.' }),
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
    attachments: t.field({
      type: [PolicyAttachment],
      description: 'Its other places then.',
      resolve: ({ document }) => document.attachments ?? [],
    }),
    rollout: t.field({
      type: PolicyRollout,
      nullable: true,
      description: 'Its rollout then.',
      resolve: ({ document }) => document.rollout ?? null,
    }),
    onError: t.field({
      type: FailureModeEnum,
      description: 'Its failure mode then.',
      resolve: ({ document }) => document.onError ?? 'allow',
    }),
    rules: t.field({ type: 'JSON', description: 'Its rules then.', resolve: ({ document }) => document.rules }),
    createdBy: t.field({
      type: Principal,
      nullable: true,
      description: `Who made the change; null for \`FELL_BACK\`, which nobody did; ${author}`,
      resolve: ({ document, createdBy }) => (document.change === 'fell_back' ? null : createdBy),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the change was made.' }),
  }),
});

export const Policy = nodeType<PolicyRow>('Policy', (services, uow, actor, ids) => services.policies.policiesByIds(uow, actor, ids));
export const PolicyConnection = connectionType(Policy);
Policy.implement({
  description:
    'A rule of the gate that every effect passes. Any policy that denies wins; else an approval is required when one asks for it; else it waits for the latest moment that one names; else it runs.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique in the tenant among policies that are not deleted.' }),
    description: t.exposeString('description', { description: 'What it is for.' }),
    kind: t.expose('kind', { type: PolicyKindEnum, description: 'What it decides. Never changes.' }),
    mode: t.expose('mode', { type: PolicyModeEnum, description: 'Whether it is enforced.' }),
    priority: t.exposeInt('priority', { description: 'Orders findings and reasons, lower first; never lets one policy overrule another.' }),
    enabled: t.exposeBoolean('enabled', { description: 'Whether the gate asks it at all.' }),
    scope: t.field({ type: PolicyScope, description: 'Where it applies.', resolve: (row) => row }),
    attachments: t.field({
      type: [PolicyAttachment],
      description: 'More places where it applies.',
      resolve: (row) => [...row.attachments],
    }),
    rollout: t.expose('rollout', { type: PolicyRollout, nullable: true, description: 'Null: it has its mode for everything.' }),
    onError: t.expose('onError', { type: FailureModeEnum, description: 'What holds when it cannot be evaluated.' }),
    rules: t.expose('rules', { type: 'JSON', description: 'Its rules; `policies/<kind>.schema.json` is their JSON Schema.' }),
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

export const PolicyDraft = builder.objectRef<PolicyPreview['document']>('PolicyDraft').implement({
  description: 'A policy as a document describes it, with the names in it resolved.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name.' }),
    description: t.exposeString('description', { description: 'What it is for.' }),
    kind: t.expose('kind', { type: PolicyKindEnum, description: 'What it decides.' }),
    mode: t.expose('mode', { type: PolicyModeEnum, description: 'Whether it is enforced.' }),
    priority: t.exposeInt('priority', { description: 'Lower first.' }),
    enabled: t.exposeBoolean('enabled', { description: 'Whether the gate would ask it.' }),
    scope: t.field({ type: PolicyScope, description: 'Where it would apply.', resolve: (row) => row.scope }),
    attachments: t.field({ type: [PolicyAttachment], description: 'More places.', resolve: (row) => [...row.attachments] }),
    rollout: t.expose('rollout', { type: PolicyRollout, nullable: true, description: 'How it is switched on by and by.' }),
    onError: t.expose('onError', { type: FailureModeEnum, description: 'What holds when it cannot be evaluated.' }),
    rules: t.expose('rules', { type: 'JSON', description: 'Its rules.' }),
  }),
});

/** Either problems, or what the document would do. */
export interface Validation {
  readonly problems: readonly Problem[];
  readonly preview: PolicyPreview | null;
}

export const PolicyValidation = builder.objectRef<Validation>('PolicyValidation').implement({
  description: 'What is wrong with a policy document, or what it would change. Nothing is written.',
  fields: (t) => ({
    problems: t.field({
      type: [ProblemType],
      description: 'Every problem, each with line and column; none: the document is right.',
      resolve: ({ problems }) => [...problems],
    }),
    policy: t.field({
      type: PolicyDraft,
      nullable: true,
      description: 'The policy it describes; null when there are problems.',
      resolve: ({ preview }) => preview?.document ?? null,
    }),
    current: t.field({
      type: Policy,
      nullable: true,
      description: 'The policy that has its name now, if you may see it.',
      resolve: ({ preview }) => preview?.current ?? null,
    }),
    changes: t.stringList({
      description: 'Names of the fields that `applyPolicy` would write; none: it would change nothing.',
      resolve: ({ preview }) => [...(preview?.changes ?? [])],
    }),
  }),
});

export const PolicyInForce = builder.objectRef<PolicyInForceRow>('PolicyInForce').implement({
  description: 'A policy that the gate asks about an agent in an environment, with the place of it that counts there.',
  fields: (t) => ({
    policy: t.field({ type: Policy, description: 'The policy.', resolve: ({ policy }) => policy }),
    scope: t.field({ type: PolicyScope, description: 'The nearest of its places.', resolve: ({ place }) => place.scope }),
    attachment: t.int({
      nullable: true,
      description: 'Index of that place in `attachments`; null: its own scope.',
      resolve: ({ place }) => place.attachment,
    }),
    mode: t.field({ type: PolicyModeEnum, description: 'Its mode there.', resolve: ({ place }) => place.mode }),
    priority: t.int({ description: 'Its priority there.', resolve: ({ place }) => place.priority }),
  }),
});

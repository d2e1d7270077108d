// Inputs of what is done with policies.
import {
  defaultRolloutWindowMs,
  maxAttachments,
  maxPriority,
  maxRolloutWindowMs,
  maxTagLength,
  minRolloutWindowMs,
} from '#src/policies/policy-input.ts';
import { builder } from './builder.ts';
import { globalId } from './ids.ts';
import { FailureModeEnum, PolicyKindEnum, PolicyModeEnum } from './policy.ts';

export const PolicyFilter = builder.inputType('PolicyFilter', {
  description:
    'Conditions that a policy must all satisfy; an absent one is satisfied by every policy. A place is its scope or one of its attachments; one of them must satisfy all that is said of places.',
  fields: (t) => ({
    name: t.string({ description: 'The one of this name.' }),
    kind: t.field({ type: PolicyKindEnum, description: 'Of this kind.' }),
    mode: t.field({ type: PolicyModeEnum, description: 'In this mode.' }),
    enabled: t.boolean({ description: 'Switched on, or off.' }),
    projectId: t.id({ description: 'With a place that names this project.' }).validate(globalId('Project')),
    environmentId: t.id({ description: 'With a place that names this environment.' }).validate(globalId('Environment')),
    agentId: t.id({ description: 'With a place that names this agent.' }).validate(globalId('Agent')),
    teamId: t.id({ description: 'With a place that names this team.' }).validate(globalId('Team')),
    tag: t.string({ description: 'With a place that names this tag.' }),
  }),
});

export const PolicyScopeInput = builder.inputType('PolicyScopeInput', {
  description: 'Where a policy applies: every member that is given must match; none is the whole tenant.',
  fields: (t) => ({
    projectId: t.id({ description: 'Only in this project.' }).validate(globalId('Project')),
    environmentId: t.id({ description: 'Only in this environment.' }).validate(globalId('Environment')),
    agentId: t.id({ description: 'Only for this agent.' }).validate(globalId('Agent')),
    teamId: t.id({ description: 'Only for agents of this team.' }).validate(globalId('Team')),
    tag: t.string({ description: `Only for agents with this tag; at most ${maxTagLength} characters.` }),
    tool: t.string({ description: 'Only for tools of this pattern, such as `files.*`; then nothing is said of effects without a tool.' }),
  }),
});

export const PolicyAttachmentInput = builder.inputType('PolicyAttachmentInput', {
  description: 'One more place of a policy; what is left out is as in the policy.',
  fields: (t) => ({
    scope: t.field({ type: PolicyScopeInput, required: true, description: 'Where; no other place of the policy may be the same.' }),
    mode: t.field({ type: PolicyModeEnum, description: 'The mode there.' }),
    priority: t.int({ description: 'The priority there.' }),
    enabled: t.boolean({ description: 'False: an exception, the policy says nothing there.' }),
  }),
});

export const PolicyRolloutInput = builder.inputType('PolicyRolloutInput', {
  description: 'Switches a policy on by and by.',
  fields: (t) => ({
    percent: t.float({
      required: true,
      description: 'Share of executions for which it has its mode, 0 to 100; it is observed for the others.',
    }),
    maxDenialPercent: t.float({
      description: 'It falls back to `OBSERVE` when it denies more than this share, 0 to 100; never when absent.',
    }),
    windowMs: t.int({
      description: `Time in which denials are counted, ${minRolloutWindowMs} to ${maxRolloutWindowMs} milliseconds; ${defaultRolloutWindowMs} when absent.`,
    }),
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
    attachments: t.field({ type: [PolicyAttachmentInput], description: `More places, at most ${maxAttachments}.` }),
    rollout: t.field({ type: PolicyRolloutInput, description: 'Everything at once when absent.' }),
    onError: t.field({ type: FailureModeEnum, description: '`ALLOW` when absent.' }),
    rules: t.field({ type: 'JSON', required: true, description: 'Rules as `policies/<kind>.schema.json` describes them.' }),
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
    attachments: t.field({ type: [PolicyAttachmentInput], description: 'New attachments, replacing the old ones as a whole.' }),
    rollout: t.field({ type: PolicyRolloutInput, description: 'A new rollout; null ends it.' }),
    onError: t.field({ type: FailureModeEnum, description: 'A new failure mode.' }),
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

export const ApplyPolicyInput = builder.inputType('ApplyPolicyInput', {
  description: 'A policy as a document, which says all of it.',
  fields: (t) => ({
    document: t.string({
      required: true,
      description: 'YAML or JSON as `policies/policy.schema.json` describes it; projects, environments, agents and teams by name.',
    }),
    expectedVersion: t.int({
      required: true,
      description: 'The version of the policy of that name that you read; 0: there is none yet. Anything else is a conflict.',
    }),
  }),
});

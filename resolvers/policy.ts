// Policies: read, create, change, switch, end.
import { ConflictError, InvalidStateError, ValidationError } from '#src/platform/errors.ts';
import { builder } from '#schema/builder.ts';
import { connectionOf, paged } from '#schema/connection.ts';
import { globalId } from '#schema/ids.ts';
import { found } from '#schema/mutation-audit.ts';
import { mutation } from '#schema/mutation.ts';
import { readPolicyDocument } from '#src/policies/policy-document.ts';
import {
  ApplyPolicyInput,
  CreatePolicyInput,
  DeletePolicyInput,
  DisablePolicyInput,
  EnablePolicyInput,
  PolicyFilter,
  UpdatePolicyInput,
} from '#schema/policy-inputs.ts';
import { Policy, PolicyConnection, PolicyInForce, PolicyValidation, type Validation } from '#schema/policy.ts';

builder.queryField('policy', (t) =>
  t.field({
    type: Policy,
    nullable: true,
    description: 'The policy with this id, deleted ones too; null when it is absent or not visible to you.',
    authScopes: { permission: 'policy.read' },
    args: { id: t.arg.id({ required: true, description: 'Its id.' }).validate(globalId('Policy')) },
    resolve: (_root, { id }) => id,
  }),
);

builder.queryField('policies', (t) =>
  t.field({
    type: PolicyConnection,
    description: 'Policies that you may read at one of their places, newest first, without deleted ones.',
    authScopes: { permission: 'policy.read' },
    ...paged({ filter: t.arg({ type: PolicyFilter, description: 'Only these.' }) }),
    resolve: (_root, { filter, ...page }, { services, authority, read }) =>
      connectionOf(
        'policies',
        read((uow) => services.policies.listPolicies(uow, authority, filter ?? {}, page)),
      ),
  }),
);

builder.queryField('policiesInForce', (t) =>
  t.field({
    type: [PolicyInForce],
    description:
      'The policies that the gate asks about an agent in an environment, as far as you may read them, in the order of their priority.',
    authScopes: { permission: 'policy.read' },
    args: {
      agentId: t.arg.id({ required: true, description: 'The agent.' }).validate(globalId('Agent')),
      environmentId: t.arg.id({ required: true, description: 'An environment of its project.' }).validate(globalId('Environment')),
      tool: t.arg.string({
        description: 'About calls of this tool (`server.name`); absent: about effects without a tool, such as a start.',
      }),
    },
    resolve: (_root, args, { services, authority, read }) =>
      read(async (uow) => [...(await services.policies.policiesInForce(uow, authority, args))]),
  }),
);

builder.queryField('validatePolicy', (t) =>
  t.field({
    type: PolicyValidation,
    description:
      'What is wrong with a policy document, each problem with line and column, or what `applyPolicy` would change. Nothing is written.',
    authScopes: { permission: 'policy.read' },
    args: { document: t.arg.string({ required: true, description: 'YAML or JSON.' }) },
    resolve: (_root, { document }, { services, authority, read }) =>
      read((uow) => services.policies.previewPolicy(uow, authority, document)).then(
        (preview): Validation => ({ problems: [], preview }),
        (error: unknown): Validation => {
          if (!(error instanceof ValidationError)) throw error;
          return { problems: error.problems, preview: null };
        },
      ),
  }),
);

mutation('createPolicy', {
  description: 'Creates a policy. Every dispatch of a tool call that begins after this answer is judged by it.',
  permission: 'policy.manage',
  input: CreatePolicyInput,
  returns: { policy: { type: Policy, description: 'The new policy.' } },
  fails: [ConflictError],
  resolve: async (services, uow, actor, input) => ({ policy: await services.policies.createPolicy(uow, actor, input) }),
});

mutation('updatePolicy', {
  description: 'Changes a policy by a new version, unless nothing would change.',
  permission: 'policy.manage',
  input: UpdatePolicyInput,
  returns: { policy: { type: Policy, description: 'The policy as it is now.' } },
  fails: [ConflictError, InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ policy: await services.policies.updatePolicy(uow, actor, input) }),
});

mutation('applyPolicy', {
  description: 'Creates the policy that a document names, or changes it by a new version, unless nothing would change.',
  permission: 'policy.manage',
  input: ApplyPolicyInput,
  returns: {
    policy: { type: Policy, description: 'The policy as it is now.' },
    changes: { type: ['String'], description: 'Names of the fields that are new or different; none: nothing was written.' },
  },
  fails: [ConflictError, InvalidStateError],
  audits: {
    type: 'Policy',
    keys({ document }) {
      const read = readPolicyDocument(document);
      return read.ok ? [read.document.name] : [];
    },
    find: async ({ policies }, uow, everything, [name = '']) => found(name, await policies.findPolicyNamed(uow, everything, name)),
  },
  resolve: async (services, uow, actor, input) => {
    const { policy, changes } = await services.policies.applyPolicy(uow, actor, input);
    return { policy, changes: [...changes] };
  },
});

mutation('enablePolicy', {
  description: 'Switches a policy on; nothing happens when it already is.',
  permission: 'policy.manage',
  input: EnablePolicyInput,
  returns: { policy: { type: Policy, description: 'The policy as it is now.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, { policyId }) => ({ policy: await services.policies.enablePolicy(uow, actor, policyId) }),
});

mutation('disablePolicy', {
  description: 'Switches a policy off; nothing happens when it already is.',
  permission: 'policy.manage',
  input: DisablePolicyInput,
  returns: { policy: { type: Policy, description: 'The policy as it is now.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, { policyId }) => ({ policy: await services.policies.disablePolicy(uow, actor, policyId) }),
});

mutation('deletePolicy', {
  description: 'Ends a policy: gone from lists and from the gate, kept for the decisions that name it. Its name is free again.',
  permission: 'policy.manage',
  input: DeletePolicyInput,
  returns: { policy: { type: Policy, description: 'The policy as it was last.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, { policyId }) => ({ policy: await services.policies.deletePolicy(uow, actor, policyId) }),
});

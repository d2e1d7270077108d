// Viewer: who I am, with which credential, and what I may do.
import { can, permissions, type Authority, type Grant } from '#src/authority/permission.ts';
import { builder } from './builder.ts';
import { enumOf } from './enum.ts';
import { globalId } from './ids.ts';
import { ApiKey, Principal, ScopedRole } from './principal.ts';
import { Tenant } from './tenant.ts';

export const PermissionEnum = enumOf('Permission', permissions, 'What an operation asks for.', {
  'project.read': 'See projects and environments.',
  'team.read': 'See teams.',
  'agent.read': 'See agents, their versions and deployments.',
  'tool.read': 'See tools.',
  'execution.read': 'See executions, their steps and events.',
  'approval.read': 'See approvals.',
  'policy.read': 'See policies.',
  'decision.read': 'See what policies decided.',
  'killswitch.read': 'See kill switches.',
  'tenant.create': 'Create tenants; held by admins of the operator’s tenant.',
  'tenant.archive': 'Archive tenants and restore them; held by admins of the operator’s tenant.',
  'project.manage': 'Create, change and delete projects.',
  'environment.manage': 'Create, change and delete environments.',
  'team.manage': 'Create, change and delete teams, add and remove members.',
  'principal.read': 'See the details of principals.',
  'principal.manage': 'Create, disable and enable principals.',
  'grant.manage': 'Give and revoke roles, never more than one holds.',
  'key.manage': 'Make, see and revoke the API keys of others.',
  'agent.manage': 'Create, change and archive agents, publish versions.',
  'agent.promote': 'Make versions live in environments.',
  'tool.approve': 'Accept changed tools.',
  'tool.manage': 'Register, change and remove tool servers; held in the whole tenant only.',
  'execution.start': 'Start executions.',
  'execution.cancel': 'Cancel executions.',
  'execution.pause': 'Pause and resume executions.',
  'execution.signal': 'Send signals to executions.',
  'approval.decide': 'Approve and reject.',
  'policy.manage': 'Create, change, enable, disable and delete policies.',
  'queue.manage': 'Limit how much runs at a time.',
  'webhook.manage': 'Register, change and remove webhooks; held in the whole tenant only.',
  'eventsink.read': 'See event sinks and how they stand; held in the whole tenant only.',
  'eventsink.manage': 'Make, change and remove event sinks, and send events again; held in the whole tenant only.',
  'killswitch.manage': 'Engage and release kill switches.',
  'audit.read': 'See who changed what.',
});

export const HeldRole = builder.objectRef<Grant>('HeldRole').implement({
  description: 'A role that the credential in use has, by itself or through a team.',
  interfaces: [ScopedRole],
  isTypeOf: () => true,
});

export const Viewer = builder.objectRef<Authority>('Viewer').implement({
  description: 'Who asks.',
  fields: (t) => ({
    principal: t.field({ type: Principal, description: 'Who you are.', resolve: ({ principalId }) => principalId }),
    tenant: t.field({ type: Tenant, description: 'The tenant you are in.', resolve: ({ tenantId }) => tenantId }),
    apiKey: t.field({
      type: ApiKey,
      nullable: true,
      description: 'The API key you use; null when you signed in with a token.',
      resolve: ({ apiKeyId }) => apiKeyId,
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true, description: 'When your credential ends; null: not by itself.' }),
    roles: t.field({ type: [HeldRole], description: 'What your credential may be and where.', resolve: ({ grants }) => [...grants] }),
    permissions: t.field({
      type: [PermissionEnum],
      description: 'What you may do in the whole tenant; for a narrower place ask `can`.',
      resolve: (authority) => permissions.filter((permission) => can(authority, permission)),
    }),
    can: t.boolean({
      description: 'Whether you may do this there; without a place, in the whole tenant. False for a place that you may not see.',
      args: {
        permission: t.arg({ type: PermissionEnum, required: true, description: 'What to do.' }),
        projectId: t.arg.id({ description: 'In this project.' }).validate(globalId('Project')),
        environmentId: t.arg.id({ description: 'In this environment.' }).validate(globalId('Environment')),
        teamId: t.arg.id({ description: 'With what belongs to this team.' }).validate(globalId('Team')),
      },
      complexity: 3,
      resolve: (authority, { permission, ...place }, { services, read }) =>
        read((uow) => services.grants.mayDo(uow, authority, permission, place)),
    }),
  }),
});

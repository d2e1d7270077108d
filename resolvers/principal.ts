// Who I am; principals, team membership, roles, API keys: list and change them.
import { ConflictError, InvalidStateError } from '#src/platform/errors.ts';
import { builder } from '#schema/builder.ts';
import { connectionOf, paged } from '#schema/connection.ts';
import { globalId } from '#schema/ids.ts';
import { found, type Subjects } from '#schema/mutation-audit.ts';
import { mutation } from '#schema/mutation.ts';
import * as nouns from '#schema/principal.ts';
import * as inputs from '#schema/principal-inputs.ts';
import { Team } from '#schema/tenant.ts';
import { Viewer } from '#schema/viewer.ts';

const { ApiKey, Principal, RoleGrant } = nouns;

builder.queryField('viewer', (t) =>
  t.field({
    type: Viewer,
    description: 'Who you are and what you may do.',
    authScopes: { authenticated: true },
    resolve: (_root, _args, { authority }) => authority,
  }),
);

builder.queryField('principals', (t) =>
  t.field({
    type: nouns.PrincipalConnection,
    description: 'The principals of the tenant, newest first.',
    authScopes: { permission: 'principal.read' },
    ...paged({
      kind: t.arg({ type: nouns.PrincipalKindEnum, description: 'Only those of this kind.' }),
      name: t.arg.string({ description: 'Only the one of this name.' }),
      disabled: t.arg.boolean({ description: 'Only those that are disabled (true) or enabled (false).' }),
    }),
    resolve: (_root, args, { services, authority, read }) =>
      connectionOf(
        'principals',
        read((uow) => services.principals.listPrincipals(uow, authority, args)),
      ),
  }),
);

builder.queryField('roleGrants', (t) =>
  t.field({
    type: nouns.RoleGrantConnection,
    description: 'Role grants on places where you may change them, and your own, newest first.',
    authScopes: { permission: 'grant.manage' },
    ...paged({
      principalId: t.arg.id({ description: 'Only those given to this principal itself.' }).validate(globalId('Principal')),
      granteeTeamId: t.arg.id({ description: 'Only those given to this team.' }).validate(globalId('Team')),
    }),
    resolve: (_root, args, { services, authority, read }) =>
      connectionOf(
        'roleGrants',
        read((uow) => services.grants.listGrants(uow, authority, args)),
      ),
  }),
);

builder.queryField('apiKeys', (t) =>
  t.field({
    type: nouns.ApiKeyConnection,
    description: 'Your API keys, or with `key.manage` those of everybody, newest first.',
    authScopes: { authenticated: true },
    ...paged({
      principalId: t.arg.id({ description: 'Only those of this principal.' }).validate(globalId('Principal')),
      revoked: t.arg.boolean({ description: 'Only those that are revoked (true) or not (false).' }),
    }),
    resolve: (_root, args, { services, authority, read }) =>
      connectionOf(
        'apiKeys',
        read((uow) => services.apiKeys.listApiKeys(uow, authority, args)),
      ),
  }),
);

mutation('createPrincipal', {
  description: 'Creates a person, service account or worker.',
  permission: 'principal.manage',
  input: inputs.CreatePrincipalInput,
  returns: { principal: { type: Principal, description: 'The new principal.' } },
  fails: [ConflictError],
  resolve: async (services, uow, actor, input) => ({ principal: await services.principals.createPrincipal(uow, actor, input) }),
});

mutation('disablePrincipal', {
  description: 'Ends the credentials of a principal at once; its history stays.',
  permission: 'principal.manage',
  input: inputs.DisablePrincipalInput,
  returns: { principal: { type: Principal, description: 'The principal, now disabled.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ principal: await services.principals.disablePrincipal(uow, actor, input) }),
});

mutation('enablePrincipal', {
  description: 'Makes the credentials of a disabled principal work again.',
  permission: 'principal.manage',
  input: inputs.EnablePrincipalInput,
  returns: { principal: { type: Principal, description: 'The principal, now enabled.' } },
  resolve: async (services, uow, actor, input) => ({ principal: await services.principals.enablePrincipal(uow, actor, input) }),
});

/** Nothing of the team's own changes: who came or went is in the name. */
const membership: Subjects<{ readonly teamId: string; readonly principalId: string }> = {
  type: 'Team',
  keys: ({ teamId, principalId }) => [`${teamId} ${principalId}`],
  async find({ tenants, principals }, uow, everything, [key = '']) {
    const [teamId = '', principalId = ''] = key.split(' ');
    const [team] = await tenants.teamsByIds(uow, everything, [teamId]);
    const [principal] = await principals.principalsByIds(uow, everything, [principalId]);
    return found(key, team && principal && { ...team, name: `${team.name}: ${principal.name}` });
  },
};

/** Named by role and grantee: of one that was revoked nothing else is left to read. */
const granting: Pick<Subjects<unknown>, 'type' | 'find'> = {
  type: 'RoleGrant',
  async find({ grants, tenants, principals }, uow, everything, [id = '']) {
    const [grant] = await grants.grantsByIds(uow, everything, [id]);
    if (!grant) return found(id, null);
    const [grantee] =
      grant.principalId === null
        ? await tenants.teamsByIds(uow, everything, [grant.granteeTeamId!])
        : await principals.principalsByIds(uow, everything, [grant.principalId]);
    return found(id, { ...grant, name: `${grant.role}: ${grantee?.name ?? ''}` });
  },
};

mutation('addTeamMember', {
  description: 'Puts a principal into a team, which hands on every role the team has been given: you must hold them too.',
  permission: 'team.manage',
  input: inputs.AddTeamMemberInput,
  returns: {
    team: { type: Team, description: 'The team.' },
    principal: { type: Principal, description: 'Who is now in it.' },
  },
  audits: membership,
  resolve: (services, uow, actor, input) => services.principals.addTeamMember(uow, actor, input),
});

mutation('removeTeamMember', {
  description: 'Takes a principal out of a team.',
  permission: 'team.manage',
  input: inputs.RemoveTeamMemberInput,
  returns: {
    team: { type: Team, description: 'The team.' },
    principal: { type: Principal, description: 'Who is no longer in it.' },
  },
  fails: [InvalidStateError],
  audits: membership,
  resolve: (services, uow, actor, input) => services.principals.removeTeamMember(uow, actor, input),
});

mutation('grantRole', {
  description: 'Gives a role on a place to a principal or to the members of a team; never more than you hold there yourself.',
  permission: 'grant.manage',
  input: inputs.GrantRoleInput,
  returns: { roleGrant: { type: RoleGrant, description: 'The new grant.' } },
  fails: [ConflictError],
  audits: { ...granting, keys: () => [], keyOf: ({ roleGrant }) => (roleGrant as { id: string }).id },
  resolve: async (services, uow, actor, input) => ({ roleGrant: await services.grants.grantRole(uow, actor, inputs.grantOf(input)) }),
});

mutation('revokeRole', {
  description: 'Takes back a grant. The last administrator of the tenant keeps the role.',
  permission: 'grant.manage',
  input: inputs.RevokeRoleInput,
  returns: { roleGrant: { type: RoleGrant, description: 'The grant as it was.' } },
  fails: [InvalidStateError],
  audits: { ...granting, keys: ({ grantId }) => [grantId] },
  resolve: async (services, uow, actor, input) => ({ roleGrant: await services.grants.revokeRole(uow, actor, input) }),
});

mutation('createApiKey', {
  description: 'Makes an API key for yourself, or with `key.manage` for another principal; never stronger than what you use now.',
  permission: 'authenticated',
  input: inputs.CreateApiKeyInput,
  returns: {
    apiKey: { type: ApiKey, description: 'The new key.' },
    token: { type: 'String', description: 'The key itself, to be sent as `Authorization: Bearer …`: shown this once.' },
  },
  fails: [InvalidStateError],
  resolve: (services, uow, actor, input) => services.apiKeys.createApiKey(uow, actor, input),
});

mutation('revokeApiKey', {
  description: 'Ends an API key at once: your own, or with `key.manage` any.',
  permission: 'authenticated',
  input: inputs.RevokeApiKeyInput,
  returns: { apiKey: { type: ApiKey, description: 'The key, now revoked.' } },
  resolve: async (services, uow, actor, input) => ({ apiKey: await services.apiKeys.revokeApiKey(uow, actor, input) }),
});

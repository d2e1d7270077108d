// Who acts and what they may do: Principal, RoleGrant, ApiKey (never its hash), and the members of a team.
import type { ApiKeyRow } from '#src/principals/api-key-reads.ts';
import type { RoleGrantRow } from '#src/principals/grant-reads.ts';
import { principalKinds, roles, scopeKinds, type Grant } from '#src/authority/permission.ts';
import type { PrincipalRow } from '#src/principals/principal-reads.ts';
import { builder } from './builder.ts';
import { connectionsOf, connectionType, paged } from './connection.ts';
import { enumOf } from './enum.ts';
import { nodeType } from './node.ts';
import { Environment, Project, Team, TeamConnection } from './tenant.ts';

export const PrincipalKindEnum = enumOf('PrincipalKind', principalKinds, 'What kind of actor a principal is.', {
  user: 'A person.',
  service_account: 'A program that calls this API.',
  worker: 'A program that takes work from this server.',
});

export const RoleEnum = enumOf('Role', roles, 'What may be done within the scope that the role is granted on.', {
  admin: 'Everything.',
  operator: 'Read; start and cancel executions; decide approvals.',
  reviewer: 'Read; decide approvals.',
  agent_manager: 'Read; edit agents, publish and promote versions.',
  viewer: 'Read.',
  service: 'Read agents and executions; start executions.',
});

export const ScopeKindEnum = enumOf('ScopeKind', scopeKinds, 'On what a role is granted; it is inherited downwards.', {
  tenant: 'The whole tenant.',
  project: 'One project with its environments and agents.',
  environment: 'One environment; also reads the agents of its project.',
  team: 'The agents of one team.',
});

export const Principal = nodeType<PrincipalRow>('Principal', (services, uow, actor, ids) =>
  services.principals.principalsByIds(uow, actor, ids),
);
export const RoleGrant = nodeType<RoleGrantRow>('RoleGrant', (services, uow, actor, ids) => services.grants.grantsByIds(uow, actor, ids));
export const ApiKey = nodeType<ApiKeyRow>('ApiKey', (services, uow, actor, ids) => services.apiKeys.apiKeysByIds(uow, actor, ids));
export const PrincipalConnection = connectionType(Principal);
export const RoleGrantConnection = connectionType(RoleGrant);
export const ApiKeyConnection = connectionType(ApiKey);

export const ScopedRole = builder.interfaceRef<Grant>('ScopedRole').implement({
  description: 'A role on a place.',
  fields: (t) => ({
    role: t.expose('role', { type: RoleEnum, description: 'What may be done there.' }),
    scopeKind: t.expose('kind', { type: ScopeKindEnum, description: 'On what: for `TENANT` the three fields below are null.' }),
    project: t.field({
      type: Project,
      nullable: true,
      description: 'The project it is on, if you may see it.',
      resolve: ({ kind, scopeId }) => (kind === 'project' ? scopeId : null),
    }),
    environment: t.field({
      type: Environment,
      nullable: true,
      description: 'The environment it is on, if you may see it.',
      resolve: ({ kind, scopeId }) => (kind === 'environment' ? scopeId : null),
    }),
    team: t.field({
      type: Team,
      nullable: true,
      description: 'The team it is on, if you may see it.',
      resolve: ({ kind, scopeId }) => (kind === 'team' ? scopeId : null),
    }),
  }),
});

Principal.implement({
  description: 'Somebody who acts: a person, a service account or a worker.',
  fields: (t) => ({
    kind: t.expose('kind', { type: PrincipalKindEnum, description: 'What kind of actor it is.' }),
    name: t.exposeString('name', { description: 'Unique in the tenant.' }),
    email: t.exposeString('email', { nullable: true, description: 'Shown to itself and with `principal.read`.' }),
    issuer: t.exposeString('issuer', { nullable: true, description: 'Who vouches for its tokens (`iss`); shown like `email`.' }),
    subject: t.exposeString('subject', { nullable: true, description: 'What the issuer calls it (`sub`); shown like `email`.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created, or first signed in.' }),
    disabledAt: t.expose('disabledAt', { type: 'DateTime', nullable: true, description: 'Since when none of its credentials work.' }),
    teams: t.loadable({
      type: TeamConnection,
      description: 'The teams it is in that you may see, newest first.',
      ...paged(),
      byPath: true,
      resolve: (principal) => principal.id,
      load: (principalIds: string[], { services, authority, read }, page) =>
        read((uow) => services.tenants.teamsOf(uow, authority, principalIds, page)).then(connectionsOf('teams')),
    }),
    roleGrants: t.loadable({
      type: RoleGrantConnection,
      description: 'The roles given to it itself, as far as they are yours or where you may change them, newest first.',
      ...paged(),
      byPath: true,
      resolve: (principal) => principal.id,
      load: (ids: string[], { services, authority, read }, page) =>
        read((uow) => services.grants.grantsOf(uow, authority, 'principal', ids, page)).then(connectionsOf('roleGrants')),
    }),
    apiKeys: t.loadable({
      type: ApiKeyConnection,
      description: 'Its API keys, shown to itself and with `key.manage`, newest first.',
      ...paged(),
      byPath: true,
      resolve: (principal) => principal.id,
      load: (ids: string[], { services, authority, read }, page) =>
        read((uow) => services.apiKeys.apiKeysOf(uow, authority, ids, page)).then(connectionsOf('apiKeys')),
    }),
  }),
});

builder.objectFields(Team, (t) => ({
  members: t.loadable({
    type: PrincipalConnection,
    description: 'Who is in it, newest first; without `principal.read` only for teams that you are in or may read.',
    ...paged(),
    byPath: true,
    resolve: (team) => team.id,
    load: (teamIds: string[], { services, authority, read }, page) =>
      read((uow) => services.principals.membersOf(uow, authority, teamIds, page)).then(connectionsOf('principals')),
  }),
  roleGrants: t.loadable({
    type: RoleGrantConnection,
    description: 'The roles given to its members through it, as far as you may see them, newest first.',
    ...paged(),
    byPath: true,
    resolve: (team) => team.id,
    load: (ids: string[], { services, authority, read }, page) =>
      read((uow) => services.grants.grantsOf(uow, authority, 'team', ids, page)).then(connectionsOf('roleGrants')),
  }),
}));

RoleGrant.implement({
  description: 'A role on a place, given to a principal or to every member of a team.',
  interfaces: [ScopedRole],
  fields: (t) => ({
    principal: t.field({
      type: Principal,
      nullable: true,
      description: 'Who has it; null when a team does.',
      resolve: (grant) => grant.principalId,
    }),
    granteeTeam: t.field({
      type: Team,
      nullable: true,
      description: 'The team whose members have it; null when a principal does.',
      resolve: (grant) => grant.granteeTeamId,
    }),
    createdBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who gave it; null for what came with the tenant.',
      resolve: (grant) => grant.createdBy,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was given.' }),
  }),
});

ApiKey.implement({
  description: 'A credential of a principal: its roles, cut down to those of the key and to the key’s environment.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'For people.' }),
    principal: t.field({ type: Principal, description: 'Whose key it is.', resolve: (key) => key.principalId }),
    roles: t.field({ type: [RoleEnum], description: 'It never does more than these.', resolve: (key) => [...key.roles] }),
    environment: t.field({
      type: Environment,
      nullable: true,
      description: 'It reaches nothing outside this environment; null: wherever its principal may.',
      resolve: (key) => key.environmentId,
    }),
    createdBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who made it; null for the key that came with the tenant.',
      resolve: (key) => key.createdBy,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true, description: 'When it stops working; null: never by itself.' }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true, description: 'When it was revoked.' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used, exact to about a minute.',
    }),
  }),
});

// Tenants, projects, environments, teams: list and change them.
import { ConflictError, InvalidStateError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import { builder } from '#schema/builder.ts';
import { connectionOf, paged } from '#schema/connection.ts';
import { globalId, toGlobalId } from '#schema/ids.ts';
import { mutation } from '#schema/mutation.ts';
import * as nouns from '#schema/tenant.ts';

const { Environment, EnvironmentKindEnum, Project, Team, Tenant } = nouns;

builder.queryField('projects', (t) =>
  t.field({
    type: nouns.ProjectConnection,
    description: 'Projects that you may see, newest first.',
    authScopes: { permission: 'project.read' },
    ...paged({ name: t.arg.string({ description: 'Only the one of this name.' }) }),
    resolve: (_root, args, { services, authority, read }) =>
      connectionOf(
        'projects',
        read((uow) => services.tenants.listProjects(uow, authority, args)),
      ),
  }),
);

builder.queryField('environments', (t) =>
  t.field({
    type: nouns.EnvironmentConnection,
    description: 'Environments that you may see, newest first.',
    authScopes: { permission: 'project.read' },
    ...paged({
      projectId: t.arg.id({ description: 'Only those of this project.' }).validate(globalId('Project')),
      name: t.arg.string({ description: 'Only those of this name.' }),
      kind: t.arg({ type: EnvironmentKindEnum, description: 'Only those of this kind.' }),
    }),
    resolve: (_root, args, { services, authority, read }) =>
      connectionOf(
        'environments',
        read((uow) => services.tenants.listEnvironments(uow, authority, args)),
      ),
  }),
);

builder.queryField('teams', (t) =>
  t.field({
    type: nouns.TeamConnection,
    description: 'Teams that you may see, newest first.',
    authScopes: { permission: 'team.read' },
    ...paged({ name: t.arg.string({ description: 'Only the one of this name.' }) }),
    resolve: (_root, args, { services, authority, read }) =>
      connectionOf(
        'teams',
        read((uow) => services.tenants.listTeams(uow, authority, args)),
      ),
  }),
);

mutation('createTenant', {
  description: 'Creates a tenant with its first administrator, a service account named `admin`. For admins of the operator’s tenant.',
  permission: 'tenant.create',
  input: nouns.CreateTenantInput,
  inTenant: () => newId(),
  returns: {
    tenant: { type: Tenant, description: 'The new tenant.' },
    adminKey: { type: 'String', description: 'The API key of its first administrator: shown this once.' },
  },
  fails: [ConflictError],
  resolve: async (services, uow, actor, input) => {
    const { tenant, apiKey } = await services.tenants.createTenant(uow, actor, input);
    return { tenant, adminKey: apiKey };
  },
});

mutation('archiveTenant', {
  description:
    'Closes a tenant: nobody signs in to it, its streams end, its agents have no more effects, its webhooks and event sinks wait. Nothing is lost. For admins of the operator’s tenant.',
  permission: 'tenant.archive',
  input: nouns.ArchiveTenantInput,
  inTenant: ({ tenantId }) => tenantId,
  returns: { tenant: { type: Tenant, description: 'The tenant as it is now.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ tenant: await services.tenantArchive.archiveTenant(uow, actor, input) }),
});

mutation('restoreTenant', {
  description: 'Opens an archived tenant again: what was stopped goes on where it was. For admins of the operator’s tenant.',
  permission: 'tenant.archive',
  input: nouns.RestoreTenantInput,
  inTenant: ({ tenantId }) => tenantId,
  returns: { tenant: { type: Tenant, description: 'The tenant as it is now.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ tenant: await services.tenantArchive.restoreTenant(uow, actor, input) }),
});

mutation('createProject', {
  description: 'Creates a project.',
  permission: 'project.manage',
  input: nouns.CreateProjectInput,
  returns: { project: { type: Project, description: 'The new project.' } },
  fails: [ConflictError],
  resolve: async (services, uow, actor, input) => ({ project: await services.tenants.createProject(uow, actor, input) }),
});

mutation('updateProject', {
  description: 'Changes the name or description of a project.',
  permission: 'project.manage',
  input: nouns.UpdateProjectInput,
  returns: { project: { type: Project, description: 'The project as it is now.' } },
  fails: [ConflictError],
  resolve: async (services, uow, actor, input) => ({ project: await services.tenants.updateProject(uow, actor, input) }),
});

mutation('deleteProject', {
  description: 'Deletes an empty project, and the roles granted on it.',
  permission: 'project.manage',
  input: nouns.DeleteProjectInput,
  returns: { projectId: { type: 'ID', description: 'The id that the project had.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({
    projectId: toGlobalId('Project', await services.tenants.deleteProject(uow, actor, input)),
  }),
});

mutation('createEnvironment', {
  description: 'Creates an environment in a project.',
  permission: 'environment.manage',
  input: nouns.CreateEnvironmentInput,
  returns: { environment: { type: Environment, description: 'The new environment.' } },
  fails: [ConflictError],
  resolve: async (services, uow, actor, input) => ({ environment: await services.tenants.createEnvironment(uow, actor, input) }),
});

mutation('updateEnvironment', {
  description: 'Changes the name or kind of an environment.',
  permission: 'environment.manage',
  input: nouns.UpdateEnvironmentInput,
  returns: { environment: { type: Environment, description: 'The environment as it is now.' } },
  fails: [ConflictError],
  resolve: async (services, uow, actor, input) => ({ environment: await services.tenants.updateEnvironment(uow, actor, input) }),
});

mutation('deleteEnvironment', {
  description: 'Deletes an environment that was never used, and the roles granted on it.',
  permission: 'environment.manage',
  input: nouns.DeleteEnvironmentInput,
  returns: { environmentId: { type: 'ID', description: 'The id that the environment had.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({
    environmentId: toGlobalId('Environment', await services.tenants.deleteEnvironment(uow, actor, input)),
  }),
});

mutation('createTeam', {
  description: 'Creates a team.',
  permission: 'team.manage',
  input: nouns.CreateTeamInput,
  returns: { team: { type: Team, description: 'The new team.' } },
  fails: [ConflictError],
  resolve: async (services, uow, actor, input) => ({ team: await services.tenants.createTeam(uow, actor, input) }),
});

mutation('updateTeam', {
  description: 'Changes the name of a team.',
  permission: 'team.manage',
  input: nouns.UpdateTeamInput,
  returns: { team: { type: Team, description: 'The team as it is now.' } },
  fails: [ConflictError],
  resolve: async (services, uow, actor, input) => ({ team: await services.tenants.updateTeam(uow, actor, input) }),
});

mutation('deleteTeam', {
  description: 'Deletes a team without members and agents, and the roles granted on it and to it.',
  permission: 'team.manage',
  input: nouns.DeleteTeamInput,
  returns: { teamId: { type: 'ID', description: 'The id that the team had.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ teamId: toGlobalId('Team', await services.tenants.deleteTeam(uow, actor, input)) }),
});

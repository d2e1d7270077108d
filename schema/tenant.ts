// Tenant, Project, Environment, Team: the places that everything else lives in. Who is in a team stands in principal.ts.
import { environmentKinds } from '#src/tenants/tenant.ts';
import type { EnvironmentRow, ProjectRow, TeamRow, TenantRow } from '#src/tenants/tenant-reads.ts';
import { builder } from './builder.ts';
import { connectionsOf, connectionType, paged } from './connection.ts';
import { enumOf } from './enum.ts';
import { globalId } from './ids.ts';
import { nodeType } from './node.ts';

export const EnvironmentKindEnum = enumOf('EnvironmentKind', environmentKinds, 'What an environment is for; policies go by it.', {
  development: 'For trying things out.',
  staging: 'For rehearsing what production will do.',
  production: 'For what counts.',
});

export const Tenant = nodeType<TenantRow>('Tenant', (services, uow, actor, ids) => services.tenants.tenantsByIds(uow, actor, ids));
export const Project = nodeType<ProjectRow>('Project', (services, uow, actor, ids) => services.tenants.projectsByIds(uow, actor, ids));
export const Environment = nodeType<EnvironmentRow>('Environment', (services, uow, actor, ids) =>
  services.tenants.environmentsByIds(uow, actor, ids),
);
export const Team = nodeType<TeamRow>('Team', (services, uow, actor, ids) => services.tenants.teamsByIds(uow, actor, ids));
export const ProjectConnection = connectionType(Project);
export const EnvironmentConnection = connectionType(Environment);
export const TeamConnection = connectionType(Team);

const slug = 'Lower-case slug: a letter, then letters, digits and hyphens, at most 63 characters.';
const created = 'When it was created.';

Tenant.implement({
  description: 'One customer of this server: nothing of it is visible to another.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique on this server.' }),
    isOperator: t.exposeBoolean('isOperator', { description: 'Whether it is the operator’s: its admins may create and archive tenants.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: created }),
    archivedAt: t.expose('archivedAt', { type: 'DateTime', nullable: true, description: 'When it was archived; null while it is open.' }),
  }),
});

Project.implement({
  description: 'Holds agents and environments.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique in the tenant.' }),
    description: t.exposeString('description', { description: 'For people; may be empty.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: created }),
    environments: t.loadable({
      type: EnvironmentConnection,
      description: 'Its environments that you may see, newest first.',
      ...paged(),
      byPath: true,
      resolve: (project) => project.id,
      load: (projectIds: string[], { services, authority, read }, page) =>
        read((uow) => services.tenants.environmentsOf(uow, authority, projectIds, page)).then(connectionsOf('environments')),
    }),
  }),
});

Environment.implement({
  description: 'Where versions of agents are deployed and run.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique in the project.' }),
    kind: t.expose('kind', { type: EnvironmentKindEnum, description: 'What it is for.' }),
    project: t.field({ type: Project, description: 'The project it belongs to.', resolve: ({ projectId }) => projectId }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: created }),
  }),
});

Team.implement({
  description: 'Groups agents and people: a role ON a team covers its agents, a role TO a team reaches its members.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique in the tenant.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: created }),
  }),
});

export const CreateTenantInput = builder.inputType('CreateTenantInput', {
  description: 'A new tenant.',
  fields: (t) => ({ name: t.string({ required: true, description: `Unique on this server. ${slug}` }) }),
});

export const ArchiveTenantInput = builder.inputType('ArchiveTenantInput', {
  description: 'Which tenant to close, and why.',
  fields: (t) => ({
    tenantId: t.id({ required: true, description: 'The tenant; never your own.' }).validate(globalId('Tenant')),
    reason: t.string({ description: 'Shown where its work stops; at most 1,000 characters.' }),
  }),
});

export const RestoreTenantInput = builder.inputType('RestoreTenantInput', {
  description: 'Which tenant to open again.',
  fields: (t) => ({ tenantId: t.id({ required: true, description: 'The archived tenant.' }).validate(globalId('Tenant')) }),
});

export const CreateProjectInput = builder.inputType('CreateProjectInput', {
  description: 'A new project.',
  fields: (t) => ({
    name: t.string({ required: true, description: `Unique in the tenant. ${slug}` }),
    description: t.string({ description: 'For people; at most 2,000 characters.' }),
  }),
});

export const UpdateProjectInput = builder.inputType('UpdateProjectInput', {
  description: 'What to change of a project; what is left out stays.',
  fields: (t) => ({
    projectId: t.id({ required: true, description: 'The project.' }).validate(globalId('Project')),
    name: t.string({ description: `Unique in the tenant. ${slug}` }),
    description: t.string({ description: 'For people; at most 2,000 characters.' }),
  }),
});

export const DeleteProjectInput = builder.inputType('DeleteProjectInput', {
  description: 'Which project to delete.',
  fields: (t) => ({ projectId: t.id({ required: true, description: 'The project; nothing may be in it.' }).validate(globalId('Project')) }),
});

export const CreateEnvironmentInput = builder.inputType('CreateEnvironmentInput', {
  description: 'A new environment.',
  fields: (t) => ({
    projectId: t.id({ required: true, description: 'The project it belongs to.' }).validate(globalId('Project')),
    name: t.string({ required: true, description: `Unique in the project. ${slug}` }),
    kind: t.field({ type: EnvironmentKindEnum, required: true, description: 'What it is for.' }),
  }),
});

export const UpdateEnvironmentInput = builder.inputType('UpdateEnvironmentInput', {
  description: 'What to change of an environment; what is left out stays.',
  fields: (t) => ({
    environmentId: t.id({ required: true, description: 'The environment.' }).validate(globalId('Environment')),
    name: t.string({ description: `Unique in the project. ${slug}` }),
    kind: t.field({
      type: EnvironmentKindEnum,
      description: 'Decides which policies apply, so changing it needs the permission on the whole project.',
    }),
  }),
});

export const DeleteEnvironmentInput = builder.inputType('DeleteEnvironmentInput', {
  description: 'Which environment to delete.',
  fields: (t) => ({
    environmentId: t
      .id({ required: true, description: 'The environment; nothing may ever have been deployed or run in it.' })
      .validate(globalId('Environment')),
  }),
});

export const CreateTeamInput = builder.inputType('CreateTeamInput', {
  description: 'A new team.',
  fields: (t) => ({ name: t.string({ required: true, description: `Unique in the tenant. ${slug}` }) }),
});

export const UpdateTeamInput = builder.inputType('UpdateTeamInput', {
  description: 'What to change of a team; what is left out stays.',
  fields: (t) => ({
    teamId: t.id({ required: true, description: 'The team.' }).validate(globalId('Team')),
    name: t.string({ description: `Unique in the tenant. ${slug}` }),
  }),
});

export const DeleteTeamInput = builder.inputType('DeleteTeamInput', {
  description: 'Which team to delete.',
  fields: (t) => ({
    teamId: t.id({ required: true, description: 'The team; it may have neither members nor agents.' }).validate(globalId('Team')),
  }),
});

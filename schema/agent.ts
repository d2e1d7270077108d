// Agents, their immutable versions, and which version is live where; and what may be written of them.
import type { AgentRow, AgentVersionRow, DeploymentRow } from '#src/agents/agent-reads.ts';
import { agentStatuses, deploymentKinds, maxOwnerLength, maxReasonLength, maxTagLength, maxTags } from '#src/agents/agent.ts';
import { builder } from './builder.ts';
import { connectionsOf, connectionType, paged } from './connection.ts';
import { enumOf } from './enum.ts';
import { globalId } from './ids.ts';
import { nodeType } from './node.ts';
import { Principal } from './principal.ts';
import { Environment, Project, Team } from './tenant.ts';

export const AgentStatusEnum = enumOf('AgentStatus', agentStatuses, 'Whether an agent takes new executions.', {
  draft: 'Not yet: it was never activated.',
  active: 'Yes.',
  paused: 'Not now: somebody paused it, with a reason.',
  deprecated: 'No longer: it is archived.',
});

export const DeploymentKindEnum = enumOf('DeploymentKind', deploymentKinds, 'How a version became live.', {
  promote: 'It was promoted.',
  rollback: 'It was returned to.',
});

const author = 'null when you may not see the person.';

export const Agent = nodeType<AgentRow>('Agent', (services, uow, actor, ids) => services.agents.agentsByIds(uow, actor, ids));
export const AgentConnection = connectionType(Agent);
export const AgentVersion = nodeType<AgentVersionRow>('AgentVersion', (services, uow, actor, ids) =>
  services.agents.versionsByIds(uow, actor, ids),
);
export const AgentVersionConnection = connectionType(AgentVersion);
export const Deployment = nodeType<DeploymentRow>('Deployment', (services, uow, actor, ids) =>
  services.agents.deploymentsByIds(uow, actor, ids),
);
export const DeploymentConnection = connectionType(Deployment);

Agent.implement({
  description: 'Something that can be run: a name with versions, of which one may be live in each environment.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique in the project. Never changes.' }),
    description: t.exposeString('description', { description: 'For people; may be empty.' }),
    owner: t.exposeString('owner', { nullable: true, description: 'Whom to ask.' }),
    tags: t.stringList({ description: 'Words to find it by; policies may name them.', resolve: ({ tags }) => [...tags] }),
    status: t.expose('status', { type: AgentStatusEnum, description: 'Whether it takes new executions.' }),
    pauseReason: t.exposeString('pauseReason', { nullable: true, description: 'Why it is paused; null when it is not.' }),
    project: t.field({ type: Project, description: 'The project it belongs to.', resolve: ({ projectId }) => projectId }),
    team: t.field({
      type: Team,
      nullable: true,
      description: 'The team that it belongs to: roles on the team cover it. Null when it has none or you may not see it.',
      resolve: ({ teamId }) => teamId,
    }),
    versions: t.loadable({
      type: AgentVersionConnection,
      description: 'Its versions, last published first.',
      ...paged(),
      byPath: true,
      resolve: (agent) => agent.id,
      load: (ids: string[], { services, authority, read }, page) =>
        read((uow) => services.agents.versionsOf(uow, authority, ids, page)).then(connectionsOf('versions')),
    }),
    latestVersion: t.loadable({
      type: AgentVersion,
      nullable: true,
      description: 'The version that was published last; null when there is none.',
      byPath: true,
      resolve: (agent) => agent.id,
      load: async (ids: string[], { services, authority, read }) =>
        (await read((uow) => services.agents.versionsOf(uow, authority, ids, { first: 1 }))).map(({ rows }) => rows[0] ?? null),
    }),
    deployments: t.loadable({
      type: DeploymentConnection,
      description: 'Which version was made live where, newest first, in the environments that you may see.',
      ...paged({
        environmentId: t.arg.id({ description: 'Only in this environment.' }).validate(globalId('Environment')),
        live: t.arg.boolean({ description: 'Only what is live now (true), or only what was (false).' }),
      }),
      byPath: true,
      resolve: (agent) => agent.id,
      load: (ids: string[], { services, authority, read }, request) =>
        read((uow) => services.agents.deploymentsOf(uow, authority, ids, request)).then(connectionsOf('deployments')),
    }),
    createdBy: t.field({ type: Principal, nullable: true, description: `Who created it; ${author}`, resolve: (row) => row.createdBy }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it last changed (its versions and deployments aside).' }),
    archivedAt: t.expose('archivedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was archived: gone from lists and closed to changes and starts.',
    }),
  }),
});

AgentVersion.implement({
  description: 'A definition of an agent as it was published. Never changes.',
  fields: (t) => ({
    agent: t.field({ type: Agent, description: 'Whose version it is.', resolve: ({ agentId }) => agentId }),
    version: t.exposeString('version', { description: 'Semantic version, unique for the agent.' }),
    definition: t.loadable({
      type: 'JSON',
      description: 'The definition in its normalised form: durations in milliseconds, references resolved to `needs`.',
      complexity: 5,
      resolve: (version) => version.id,
      load: async (ids: string[], { services, authority, read }) => {
        const documents = await read((uow) => services.agents.versionDocuments(uow, authority, ids));
        return ids.map((id) => documents.find((document) => document.id === id)?.definition ?? null);
      },
    }),
    source: t.loadable({
      type: 'String',
      description: 'The text as it was published, YAML or JSON.',
      complexity: 5,
      resolve: (version) => version.id,
      load: async (ids: string[], { services, authority, read }) => {
        const documents = await read((uow) => services.agents.versionDocuments(uow, authority, ids));
        return ids.map((id) => documents.find((document) => document.id === id)?.source ?? '');
      },
    }),
    digest: t.exposeString('digest', { description: 'SHA-256 of the canonical JSON (RFC 8785) of the definition.' }),
    createdBy: t.field({ type: Principal, nullable: true, description: `Who published it; ${author}`, resolve: (row) => row.createdBy }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was published.' }),
  }),
});

Deployment.implement({
  description: 'A version that was made live in an environment.',
  fields: (t) => ({
    agent: t.field({ type: Agent, description: 'Which agent.', resolve: ({ agentId }) => agentId }),
    environment: t.field({ type: Environment, description: 'Where.', resolve: ({ environmentId }) => environmentId }),
    version: t.field({ type: AgentVersion, description: 'Which version.', resolve: ({ versionId }) => versionId }),
    kind: t.expose('kind', { type: DeploymentKindEnum, description: 'How it became live.' }),
    createdBy: t.field({ type: Principal, nullable: true, description: `Who did it; ${author}`, resolve: (row) => row.createdBy }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'From when it was live.' }),
    supersededAt: t.expose('supersededAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Until when; null while it is live.',
    }),
  }),
});

export const AgentFilter = builder.inputType('AgentFilter', {
  description: 'Conditions that an agent must all satisfy; an absent one is satisfied by every agent.',
  fields: (t) => ({
    projectId: t.id({ description: 'In this project.' }).validate(globalId('Project')),
    teamId: t.id({ description: 'Of this team.' }).validate(globalId('Team')),
    status: t.field({ type: AgentStatusEnum, description: 'In this status.' }),
    tag: t.string({ description: 'With this tag.' }),
    name: t.string({ description: 'Whose name contains this text.' }),
    includeArchived: t.boolean({ description: 'Archived ones too; they are left out otherwise.' }),
  }),
});

const agentId = 'The agent.';
const tags = `At most ${maxTags} words of at most ${maxTagLength} characters to find it by; policies may name them.`;

export const CreateAgentInput = builder.inputType('CreateAgentInput', {
  description: 'A new agent: a draft without versions.',
  fields: (t) => ({
    projectId: t.id({ required: true, description: 'The project it belongs to.' }).validate(globalId('Project')),
    name: t.string({ required: true, description: 'Lower-case slug, unique in the project; definitions carry it, so it never changes.' }),
    description: t.string({ description: 'For people; at most 2,000 characters.' }),
    owner: t.string({ description: `Whom to ask; at most ${maxOwnerLength} characters.` }),
    tags: t.stringList({ description: tags }),
    teamId: t.id({ description: 'The team it belongs to: roles on the team cover it.' }).validate(globalId('Team')),
  }),
});

export const UpdateAgentInput = builder.inputType('UpdateAgentInput', {
  description: 'What to change of an agent; what is left out stays.',
  fields: (t) => ({
    agentId: t.id({ required: true, description: agentId }).validate(globalId('Agent')),
    description: t.string({ description: 'For people; at most 2,000 characters.' }),
    owner: t.string({ description: `Whom to ask; at most ${maxOwnerLength} characters. Null clears it.` }),
    tags: t.stringList({ description: `All of them: ${tags}` }),
    teamId: t.id({ description: 'The team it belongs to; null takes it out of its team.' }).validate(globalId('Team')),
  }),
});

/** Input of a mutation that needs to know the agent and nothing else. */
const onlyAgent = (name: string, description: string) =>
  builder.inputType(name, {
    description,
    fields: (t) => ({ agentId: t.id({ required: true, description: agentId }).validate(globalId('Agent')) }),
  });
export const ArchiveAgentInput = onlyAgent('ArchiveAgentInput', 'Which agent to archive.');
export const ActivateAgentInput = onlyAgent('ActivateAgentInput', 'Which agent to activate.');

export const PauseAgentInput = builder.inputType('PauseAgentInput', {
  description: 'Which agent to pause, and why.',
  fields: (t) => ({
    agentId: t.id({ required: true, description: agentId }).validate(globalId('Agent')),
    reason: t.string({ required: true, description: `Shown to whoever tries to start it; at most ${maxReasonLength} characters.` }),
  }),
});

export const PublishAgentVersionInput = builder.inputType('PublishAgentVersionInput', {
  description: 'A new version of an agent.',
  fields: (t) => ({
    agentId: t.id({ required: true, description: agentId }).validate(globalId('Agent')),
    definition: t.string({
      required: true,
      description: 'The definition as YAML or JSON text of at most 1 MiB; `docs/definition.schema.json` is its JSON Schema.',
    }),
  }),
});

export const PromoteAgentVersionInput = builder.inputType('PromoteAgentVersionInput', {
  description: 'Which version to make live where.',
  fields: (t) => ({
    agentId: t.id({ required: true, description: agentId }).validate(globalId('Agent')),
    version: t.string({ required: true, description: 'A published version, for example `1.2.0`.' }),
    environmentId: t.id({ required: true, description: 'An environment of the agent’s project.' }).validate(globalId('Environment')),
  }),
});

export const RollbackAgentInput = builder.inputType('RollbackAgentInput', {
  description: 'Where to return to an earlier version.',
  fields: (t) => ({
    agentId: t.id({ required: true, description: agentId }).validate(globalId('Agent')),
    environmentId: t.id({ required: true, description: 'The environment.' }).validate(globalId('Environment')),
    version: t.string({
      description: 'A version that was live there before; when absent, the one that was live before the present one was promoted.',
    }),
  }),
});

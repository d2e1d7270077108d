// Agents: read, create, edit, archive, activate, pause, publish versions, promote and roll back.
import { ConflictError, InvalidStateError } from '#src/platform/errors.ts';
import {
  ActivateAgentInput,
  Agent,
  AgentConnection,
  AgentFilter,
  AgentVersion,
  ArchiveAgentInput,
  CreateAgentInput,
  Deployment,
  PauseAgentInput,
  PromoteAgentVersionInput,
  PublishAgentVersionInput,
  RollbackAgentInput,
  UpdateAgentInput,
} from '#schema/agent.ts';
import { builder } from '#schema/builder.ts';
import { connectionOf, paged } from '#schema/connection.ts';
import { globalId } from '#schema/ids.ts';
import { mutation } from '#schema/mutation.ts';

builder.queryField('agent', (t) =>
  t.field({
    type: Agent,
    nullable: true,
    description: 'The agent with this id, archived ones too; null when it is absent or not visible to you.',
    authScopes: { permission: 'agent.read' },
    args: { id: t.arg.id({ required: true, description: 'Its id.' }).validate(globalId('Agent')) },
    resolve: (_root, { id }) => id,
  }),
);

builder.queryField('agents', (t) =>
  t.field({
    type: AgentConnection,
    description: 'Agents that you may read, newest first.',
    authScopes: { permission: 'agent.read' },
    ...paged({ filter: t.arg({ type: AgentFilter, description: 'Only these.' }) }),
    resolve: (_root, { filter, ...page }, { services, authority, read }) =>
      connectionOf(
        'agents',
        read((uow) => services.agents.listAgents(uow, authority, filter ?? {}, page)),
      ),
  }),
);

mutation('createAgent', {
  description: 'Creates an agent, as a draft without versions.',
  permission: 'agent.manage',
  input: CreateAgentInput,
  returns: { agent: { type: Agent, description: 'The new agent.' } },
  fails: [ConflictError],
  resolve: async (services, uow, actor, input) => ({ agent: await services.agents.createAgent(uow, actor, input) }),
});

mutation('updateAgent', {
  description: 'Changes what is said of an agent.',
  permission: 'agent.manage',
  input: UpdateAgentInput,
  returns: { agent: { type: Agent, description: 'The agent as it is now.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ agent: await services.agents.updateAgent(uow, actor, input) }),
});

mutation('archiveAgent', {
  description: 'Archives an agent for good: gone from lists, closed to changes and starts. Its history stays, running executions go on.',
  permission: 'agent.manage',
  input: ArchiveAgentInput,
  returns: { agent: { type: Agent, description: 'The agent as it was last.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ agent: await services.agents.archiveAgent(uow, actor, input) }),
});

mutation('activateAgent', {
  description: 'Lets a draft or paused agent take new executions; it needs a version. Nothing happens when it is active.',
  permission: 'agent.manage',
  input: ActivateAgentInput,
  returns: { agent: { type: Agent, description: 'The agent as it is now.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ agent: await services.agents.activateAgent(uow, actor, input) }),
});

mutation('pauseAgent', {
  description: 'Refuses new executions of an active agent until it is activated again; running ones go on.',
  permission: 'agent.manage',
  input: PauseAgentInput,
  returns: { agent: { type: Agent, description: 'The agent as it is now.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ agent: await services.agents.pauseAgent(uow, actor, input) }),
});

mutation('publishAgentVersion', {
  description: 'Publishes an immutable version of an agent. Every problem of the definition is reported at once, with line and column.',
  permission: 'agent.manage',
  input: PublishAgentVersionInput,
  returns: { version: { type: AgentVersion, description: 'The new version; promote it to make it live.' } },
  fails: [ConflictError, InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ version: await services.agents.publishAgentVersion(uow, actor, input) }),
});

mutation('promoteAgentVersion', {
  description:
    'Makes a version live in an environment. It must have been live in an environment of the nearest lower kind that the project has: development, then staging, then production. Nothing happens when it is live there already.',
  permission: 'agent.promote',
  input: PromoteAgentVersionInput,
  returns: { deployment: { type: Deployment, description: 'What is live now.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ deployment: await services.agents.promoteAgentVersion(uow, actor, input) }),
});

mutation('rollbackAgent', {
  description: 'Makes an earlier version of an environment live there again: the previous one, or a named one.',
  permission: 'agent.promote',
  input: RollbackAgentInput,
  returns: { deployment: { type: Deployment, description: 'What is live now.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ deployment: await services.agents.rollbackAgent(uow, actor, input) }),
});

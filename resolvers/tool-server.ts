// Tool servers of tenants: read, register, change, look again, remove.
import { ConflictError, InvalidStateError, LimitExceededError, UnavailableError } from '#src/platform/errors.ts';
import { builder } from '#schema/builder.ts';
import { connectionOf, paged } from '#schema/connection.ts';
import { mutation } from '#schema/mutation.ts';
import {
  RefreshToolServerInput,
  RegisterToolServerInput,
  RemoveToolServerInput,
  ToolServer,
  ToolServerConnection,
  UpdateToolServerInput,
} from '#schema/tool-server.ts';

builder.queryField('toolServers', (t) =>
  t.field({
    type: ToolServerConnection,
    description: 'Tool servers that this tenant registered, newest first.',
    authScopes: { permission: 'tool.read' },
    ...paged(),
    resolve: (_root, page, { services, authority, read }) =>
      connectionOf(
        'toolServers',
        read((uow) => services.remoteServers.listToolServers(uow, authority, page)),
      ),
  }),
);

mutation('registerToolServer', {
  description:
    'Registers an MCP server (streamable HTTP) for the whole tenant and lists its tools, so that agents can be published with them.',
  permission: 'tool.manage',
  input: RegisterToolServerInput,
  returns: { toolServer: { type: ToolServer, description: 'The new tool server.' } },
  fails: [ConflictError, LimitExceededError, UnavailableError],
  prepare: ({ remoteServers }, { actor }, input) => remoteServers.lookAtNew(actor, input),
  resolve: async ({ remoteServers }, uow, actor, input, look) => ({
    toolServer: await remoteServers.registerToolServer(uow, actor, input, look),
  }),
});

mutation('updateToolServer', {
  description: 'Changes a tool server; calls that begin after this answer go by it.',
  permission: 'tool.manage',
  input: UpdateToolServerInput,
  returns: { toolServer: { type: ToolServer, description: 'The tool server as it is now.' } },
  fails: [ConflictError, InvalidStateError, UnavailableError],
  prepare: ({ remoteServers }, { actor, read }, input) => remoteServers.lookAtUpdate(read, actor, input),
  resolve: async ({ remoteServers }, uow, actor, input, look) => ({
    toolServer: await remoteServers.updateToolServer(uow, actor, input, look),
  }),
});

mutation('refreshToolServer', {
  description: 'Looks at a tool server now and lists its tools. That it does not answer is no failure of this mutation: `health` says so.',
  permission: 'tool.manage',
  input: RefreshToolServerInput,
  returns: { toolServer: { type: ToolServer, description: 'The tool server as it was just seen.' } },
  fails: [ConflictError, InvalidStateError, UnavailableError],
  prepare: ({ remoteServers }, { actor, read }, { toolServerId }) => remoteServers.lookAgain(read, actor, toolServerId),
  resolve: async ({ remoteServers }, uow, actor, { toolServerId }, look) => ({
    toolServer: await remoteServers.refreshToolServer(uow, actor, toolServerId, look),
  }),
});

mutation('removeToolServer', {
  description:
    'Removes a tool server with its tools; steps that call them fail from now on. What was accepted of them still counts if the name returns.',
  permission: 'tool.manage',
  input: RemoveToolServerInput,
  returns: { toolServer: { type: ToolServer, description: 'The tool server as it was last.' } },
  resolve: async ({ remoteServers }, uow, actor, { toolServerId }) => ({
    toolServer: await remoteServers.removeToolServer(uow, actor, toolServerId),
  }),
});

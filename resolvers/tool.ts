// Tools: look at what the servers offer, accept a changed description.
import { ConflictError, LimitExceededError } from '#src/platform/errors.ts';
import { builder } from '#schema/builder.ts';
import { found, type Subjects } from '#schema/mutation-audit.ts';
import { mutation } from '#schema/mutation.ts';
import { ApproveToolInput, RemoveToolOverrideInput, SetToolOverrideInput, Tool, ToolFilter, ToolOverride } from '#schema/tool.ts';

builder.queryField('tools', (t) =>
  t.field({
    type: [Tool],
    description:
      'The tools of the operator’s servers and of the tenant’s own, by name. Not paged: servers, and tools of each, are few by their limits.',
    authScopes: { permission: 'tool.read' },
    args: { filter: t.arg({ type: ToolFilter, description: 'Only these.' }) },
    complexity: { field: 1, multiplier: 10 },
    resolve: (_root, { filter }, { services, authority, read }) => read((uow) => services.tools.listTools(uow, authority, filter ?? {})),
  }),
);

builder.queryField('tool', (t) =>
  t.field({
    type: Tool,
    nullable: true,
    description: 'The tool of this name; null when no server describes one.',
    authScopes: { permission: 'tool.read' },
    args: { name: t.arg.string({ required: true, description: 'Full name, `server.name`.' }) },
    resolve: (_root, { name }, { services, authority, read }) => read((uow) => services.tools.findTool(uow, authority, name)),
  }),
);

mutation('approveTool', {
  description: 'Accepts the current description of a tool for the whole tenant, so that calls blocked by its change may go on.',
  permission: 'tool.approve',
  input: ApproveToolInput,
  returns: { tool: { type: Tool, description: 'The tool, now approved.' } },
  fails: [ConflictError],
  audits: {
    type: 'Tool',
    keys: ({ tool }) => [tool],
    find: async ({ tools }, uow, everything, [name = '']) => found(name, await tools.findTool(uow, everything, name)),
  },
  resolve: async (services, uow, actor, input) => ({ tool: await services.tools.approveTool(uow, actor, input) }),
});

builder.queryField('toolOverrides', (t) =>
  t.field({
    type: [ToolOverride],
    description: 'What this tenant says of tools instead of their descriptions, by name. Not paged: there are at most 500.',
    authScopes: { permission: 'tool.read' },
    complexity: { field: 1, multiplier: 10 },
    resolve: (_root, _args, { services, authority, read }) => read((uow) => services.toolOverrides.listToolOverrides(uow, authority)),
  }),
);

const overrides: Subjects<{ readonly tool: string }> = {
  type: 'ToolOverride',
  keys: ({ tool }) => [tool],
  async find({ toolOverrides }, uow, everything, [tool = '']) {
    const all = await toolOverrides.listToolOverrides(uow, everything);
    return found(
      tool,
      all.find(({ server, name }) => `${server}.${name}` === tool),
    );
  },
};

mutation('setToolOverride', {
  description: 'Says which risk and category a tool has for this tenant, instead of what its annotations and its name say.',
  permission: 'tool.manage',
  input: SetToolOverrideInput,
  returns: { toolOverride: { type: ToolOverride, description: 'What is said now.' } },
  fails: [LimitExceededError],
  audits: overrides,
  resolve: async (services, uow, actor, input) => ({ toolOverride: await services.toolOverrides.setToolOverride(uow, actor, input) }),
});

mutation('removeToolOverride', {
  description: 'Takes back what `setToolOverride` said: the tool is as described again.',
  permission: 'tool.manage',
  input: RemoveToolOverrideInput,
  returns: { toolOverride: { type: ToolOverride, description: 'What was said.' } },
  audits: overrides,
  resolve: async (services, uow, actor, { tool }) => ({ toolOverride: await services.toolOverrides.removeToolOverride(uow, actor, tool) }),
});

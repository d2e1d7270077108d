// Tools: what MCP servers of the operator and of the tenant offer and which description this tenant accepts.
import { capabilities, riskClasses, toolCategories, toolSources, toolStatuses } from '#src/tools/tool.ts';
import type { ToolOverrideRow } from '#src/tools/override-service.ts';
import type { ToolView } from '#src/tools/tool-reads.ts';
import { builder } from './builder.ts';
import { enumOf } from './enum.ts';
import { Principal } from './principal.ts';
import { ToolServer } from './tool-server.ts';

export const RiskClassEnum = enumOf('RiskClass', riskClasses, 'How much harm a call can do; policies and approvals go by it.', {
  low: 'Reads only.',
  medium: 'Adds, destroys nothing.',
  high: 'May change or destroy.',
  critical:
    'Destroys, runs code of strangers, or was said to be so: by the operator, by the definition, or by what the arguments of a call show.',
});

export const CapabilityEnum = enumOf('Capability', capabilities, 'What an agent must be allowed to do in order to call a tool.', {
  read: 'Looks at data.',
  write: 'Changes data.',
  notify: 'Tells people or other systems.',
  execute: 'Runs programs or commands.',
});

export const ToolSourceEnum = enumOf('ToolSource', toolSources, 'Where a tool comes from.', {
  mcp: 'A tool server describes it.',
  builtin: 'Part of the program that runs an agent elsewhere: `builtin.<name>`.',
  http: 'The request of an http step.',
  custom: 'Written by the authors of an agent that runs elsewhere: `custom.<name>`.',
});

export const ToolCategoryEnum = enumOf('ToolCategory', toolCategories, 'What kind of thing a tool does.', {
  command_execution: 'Runs commands or code.',
  file_operation: 'Reads or changes files.',
  file_search: 'Looks for files, or in them.',
  network: 'Reaches through the network.',
  data: 'Asks or changes a database or dataset.',
  general: 'Anything else.',
});

export const ToolStatusEnum = enumOf('ToolStatus', toolStatuses, 'How this tenant stands to the current description of a tool.', {
  unseen: 'Not used yet; the first use accepts the description.',
  approved: 'The current description is the accepted one.',
  changed: 'The description changed since it was accepted: calls are blocked until `approveTool`.',
});

export const ToolAnnotations = builder.objectRef<ToolView['annotations']>('ToolAnnotations').implement({
  description: 'Hints of the tool server about a tool (Model Context Protocol); null where it gives none.',
  fields: (t) => ({
    title: t.exposeString('title', { nullable: true, description: 'Name for people.' }),
    readOnlyHint: t.exposeBoolean('readOnlyHint', { nullable: true, description: 'It changes nothing.' }),
    destructiveHint: t.exposeBoolean('destructiveHint', { nullable: true, description: 'It may destroy or overwrite.' }),
    idempotentHint: t.exposeBoolean('idempotentHint', {
      nullable: true,
      description: 'A second call with the same arguments changes nothing more.',
    }),
    openWorldHint: t.exposeBoolean('openWorldHint', {
      nullable: true,
      description: 'It reaches beyond a closed set of data, such as the web.',
    }),
  }),
});

export const Tool = builder.objectRef<ToolView>('Tool').implement({
  description: 'A tool of an MCP server, the operator’s or the tenant’s own, as this tenant sees it.',
  fields: (t) => ({
    fullName: t.exposeString('fullName', { description: '`server.name`: what definitions and policies call it.' }),
    server: t.exposeString('server', { description: 'Name of the server.' }),
    toolServer: t.field({
      type: ToolServer,
      nullable: true,
      description: 'The server, when this tenant registered it; null for one of the operator’s.',
      resolve: (tool) => tool.serverId,
    }),
    name: t.exposeString('name', { description: 'Its name on that server.' }),
    description: t.exposeString('description', { description: 'What the server says it does.' }),
    inputSchema: t.expose('inputSchema', { type: 'JSON', description: 'JSON Schema of its arguments; they are checked before any call.' }),
    annotations: t.expose('annotations', { type: ToolAnnotations, description: 'What the server hints about it.' }),
    source: t.expose('source', { type: ToolSourceEnum, description: 'Where it comes from.' }),
    category: t.expose('category', {
      type: ToolCategoryEnum,
      description: 'From its name and arguments, unless `setToolOverride` says otherwise.',
    }),
    risk: t.expose('risk', {
      type: RiskClassEnum,
      description: 'From the annotations, unless the operator or `setToolOverride` says otherwise. The arguments of a call can raise it.',
    }),
    capability: t.expose('capability', { type: CapabilityEnum, description: 'What an agent needs to call it.' }),
    costMicroUsd: t.float({
      nullable: true,
      description: 'What a call is estimated to cost, whole millionths of a US dollar, as `setToolOverride` says; null: nobody knows.',
      resolve: (tool) => tool.costMicroUsd,
    }),
    digest: t.exposeString('digest', {
      description: 'SHA-256 of name, description, input schema and annotations: what `approveTool` accepts.',
    }),
    status: t.expose('status', { type: ToolStatusEnum, description: 'Whether the current description is accepted.' }),
    approvedDigest: t.exposeString('approvedDigest', { nullable: true, description: 'The accepted digest; null before the first use.' }),
    approvedBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who accepted it; null when the first use did, or when you may not see the person.',
      resolve: (tool) => tool.approvedBy,
    }),
    approvedAt: t.expose('approvedAt', { type: 'DateTime', nullable: true, description: 'When it was accepted.' }),
    discoveredAt: t.expose('discoveredAt', { type: 'DateTime', description: 'When a server first described it.' }),
    changedAt: t.expose('changedAt', { type: 'DateTime', description: 'When its description last changed.' }),
  }),
});

export const ToolFilter = builder.inputType('ToolFilter', {
  description: 'Conditions that a tool must all satisfy; an absent one is satisfied by every tool.',
  fields: (t) => ({
    server: t.string({ description: 'Of this server.' }),
    risk: t.field({ type: RiskClassEnum, description: 'Of this risk class.' }),
    capability: t.field({ type: CapabilityEnum, description: 'Needing this capability.' }),
    status: t.field({ type: ToolStatusEnum, description: 'In this status.' }),
  }),
});

export const ApproveToolInput = builder.inputType('ApproveToolInput', {
  description: 'Which description of which tool to accept.',
  fields: (t) => ({
    tool: t.string({ required: true, description: 'Full name, `server.name`.' }),
    digest: t.string({ required: true, description: 'The digest that you looked at; refused when the tool has changed again since.' }),
  }),
});

export const ToolOverride = builder.objectRef<ToolOverrideRow>('ToolOverride').implement({
  description: 'What this tenant says of a tool, instead of what its annotations and its name say.',
  fields: (t) => ({
    tool: t.string({ description: 'Full name, `server.name`.', resolve: ({ server, name }) => `${server}.${name}` }),
    risk: t.expose('risk', { type: RiskClassEnum, nullable: true, description: 'Its risk; null: as described.' }),
    category: t.expose('category', { type: ToolCategoryEnum, nullable: true, description: 'Its category; null: as described.' }),
    costMicroUsd: t.exposeFloat('costMicroUsd', {
      nullable: true,
      description: 'What a call is estimated to cost, whole millionths of a US dollar; null: nobody knows.',
    }),
    setBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who said so; null when you may not see the person.',
      resolve: (row) => row.setBy,
    }),
    setAt: t.expose('setAt', { type: 'DateTime', description: 'Since when.' }),
  }),
});

export const SetToolOverrideInput = builder.inputType('SetToolOverrideInput', {
  description: 'What to say of a tool; it replaces what was said before.',
  fields: (t) => ({
    tool: t.string({ required: true, description: 'Full name, `server.name`; also `builtin.<name>` and `custom.<name>`.' }),
    risk: t.field({ type: RiskClassEnum, description: 'Its risk; the arguments of a call can still raise it.' }),
    category: t.field({ type: ToolCategoryEnum, description: 'Its category, which also says how its arguments are looked at.' }),
    costMicroUsd: t.float({
      description: 'What a call is estimated to cost, whole millionths of a US dollar; policies and approvers see it.',
    }),
  }),
});

export const RemoveToolOverrideInput = builder.inputType('RemoveToolOverrideInput', {
  description: 'Which tool to leave as it is described.',
  fields: (t) => ({ tool: t.string({ required: true, description: 'Full name, `server.name`.' }) }),
});

// Tool servers that tenants register: what they are, how they are doing, and what may be written of them.
import { circuitStates, remoteLimits, serverStatuses } from '#src/tools/remote.ts';
import type { RemoteServerRow } from '#src/tools/remote-reads.ts';
import { builder } from './builder.ts';
import { connectionType } from './connection.ts';
import { enumOf } from './enum.ts';
import { globalId } from './ids.ts';
import { nodeType } from './node.ts';
import { Principal } from './principal.ts';

export const ToolServerStatusEnum = enumOf('ToolServerStatus', serverStatuses, 'How a tool server is doing, as far as anybody looked.', {
  unknown: 'Nobody has looked at it yet.',
  healthy: 'It answered when it was last asked.',
  failing: 'It did not answer, or not as an MCP server does, when it was last asked.',
  open_circuit: 'It failed several times in a row: a runner sends nothing to it until a trial call succeeds.',
});

export const CircuitStateEnum = enumOf('CircuitState', circuitStates, 'Whether a runner sends calls to a tool server.', {
  closed: 'It does.',
  open: 'It does not, for 5 seconds at first and up to a minute.',
  half_open: 'One trial call is under way.',
});

export const ToolServerHealth = builder.objectRef<RemoteServerRow>('ToolServerHealth').implement({
  description: 'What the process that had to do with a tool server last saw of it. Each runner process judges for itself.',
  fields: (t) => ({
    status: t.expose('status', { type: ToolServerStatusEnum, description: 'In one word.' }),
    circuit: t.expose('circuit', { type: CircuitStateEnum, description: 'Whether calls are sent.' }),
    lastError: t.exposeString('lastError', { nullable: true, description: 'Why it fails; null while it does not.' }),
    lastSeenAt: t.expose('lastSeenAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it last answered, to about a minute; null: never.',
    }),
  }),
});

export const ToolServer = nodeType<RemoteServerRow>('ToolServer', (services, uow, actor, ids) =>
  services.remoteServers.serversByIds(uow, actor, ids),
);
export const ToolServerConnection = connectionType(ToolServer);
ToolServer.implement({
  description:
    'An MCP server that this tenant registered (streamable HTTP). Its tools are called `<name>.<tool>`, as those of the operator are.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique in the tenant. Never changes.' }),
    origin: t.exposeString('origin', { description: 'Scheme, host and port of its URL.' }),
    url: t.exposeString('url', {
      nullable: true,
      description: 'Its URL; null unless you may manage tool servers, since many URLs hold a key.',
    }),
    headerNames: t.exposeStringList('headerNames', { description: 'Headers that every request to it has. Their values are never shown.' }),
    timeoutMs: t.exposeInt('timeoutMs', { description: 'Longest time of a call; a shorter timeout of the step wins. Milliseconds.' }),
    concurrency: t.exposeInt('concurrency', { description: 'Calls at a time, in each runner process; others wait within their timeout.' }),
    enabled: t.exposeBoolean('enabled', { description: 'Whether its tools may be called.' }),
    version: t.exposeInt('version', { description: 'Number of the current registration; `updateToolServer` expects it.' }),
    toolCount: t.exposeInt('toolCount', { description: 'How many tools it describes; `tools(filter: {server})` lists them.' }),
    shadowed: t.exposeBoolean('shadowed', {
      description: 'A server of the operator has got the same name since: calls go to that one, and never here.',
    }),
    health: t.field({ type: ToolServerHealth, description: 'How it is doing.', resolve: (row) => row }),
    createdBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who registered it; null when you may not see the person.',
      resolve: (row) => row.createdBy,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was registered.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When its registration last changed.' }),
  }),
});

const { timeoutMs, concurrency, headers, tools } = remoteLimits;
const timeoutText = `${timeoutMs.min} to ${timeoutMs.max} milliseconds`;

export const ToolServerHeaderInput = builder.inputType('ToolServerHeaderInput', {
  description: 'A header that every request to a tool server has.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Such as `Authorization`.' }),
    value: t.string({ required: true, description: 'Visible ASCII. Stored sealed, never shown again.' }),
  }),
});

export const RegisterToolServerInput = builder.inputType('RegisterToolServerInput', {
  description: `A new tool server. It is looked at before it is registered, unless it is to be switched off; at most ${tools} tools.`,
  fields: (t) => ({
    name: t.string({ required: true, description: 'Letters, digits, `_` and `-`; unique in the tenant and not one of the operator’s.' }),
    url: t.string({ required: true, description: 'The MCP endpoint: http or https, without user and password, at a public address.' }),
    headers: t.field({ type: [ToolServerHeaderInput], description: `At most ${headers}.` }),
    timeoutMs: t.int({ description: `${timeoutText}; ${timeoutMs.default} when absent.` }),
    concurrency: t.int({ description: `${concurrency.min} to ${concurrency.max}; ${concurrency.default} when absent.` }),
    enabled: t.boolean({ description: 'True when absent.' }),
  }),
});

export const ToolServerHeaderUpdate = builder.inputType('ToolServerHeaderUpdate', {
  description: 'A header that every request to a tool server has from now on.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Such as `Authorization`.' }),
    value: t.string({ description: 'A new value. Absent: the value it has, unless the server moves to another origin.' }),
  }),
});

export const UpdateToolServerInput = builder.inputType('UpdateToolServerInput', {
  description:
    'What to change of a tool server; fields left out stay as they are. With a new URL or headers, or switched on, it is looked at first.',
  fields: (t) => ({
    toolServerId: t.id({ required: true, description: 'The tool server.' }).validate(globalId('ToolServer')),
    expectedVersion: t.int({ required: true, description: 'The version that you read; another current one is a conflict.' }),
    url: t.string({ description: 'A new URL.' }),
    headers: t.field({ type: [ToolServerHeaderUpdate], description: 'New headers, replacing the old ones as a whole.' }),
    timeoutMs: t.int({ description: `A new timeout, ${timeoutText}.` }),
    concurrency: t.int({ description: `A new number of calls at a time, ${concurrency.min} to ${concurrency.max}.` }),
    enabled: t.boolean({ description: 'Switch it on, or off: calls are refused at once.' }),
  }),
});

const ofToolServer = (name: string, description: string) =>
  builder.inputType(name, {
    description,
    fields: (t) => ({ toolServerId: t.id({ required: true, description: 'The tool server.' }).validate(globalId('ToolServer')) }),
  });
export const RefreshToolServerInput = ofToolServer('RefreshToolServerInput', 'Which tool server to look at.');
export const RemoveToolServerInput = ofToolServer('RemoveToolServerInput', 'Which tool server to remove.');

// A way to make every mutation of the schema succeed once: what has to be there before, its input, and what its record must say. Places,
// people, agents, tools, policies and data are here; what is about work that is under way is in mutation-cases-work.ts.
import { toGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import type { Api } from './api.ts';
import type { Caller } from './graphql.ts';

export interface MutationWorld {
  readonly api: Api;
  /** Of a tenants' own tool server that answers. */
  readonly toolServerUrl: string;
  /** A mutation that succeeds; gives the global id of the first thing it returns. */
  make(mutation: string, input: object, as?: Caller): Promise<string>;
  /** The whole answer. */
  answer(mutation: string, input: object, selection: string, as?: Caller): Promise<any>;
  /** A name that nothing has. */
  name(): string;
  runner(): Promise<void>;
}

export interface MutationCase {
  input(world: MutationWorld): object | Promise<object>;
  /** Absent: an admin. */
  readonly as?: (world: MutationWorld) => Caller;
  /** What became of the subject. `touched`: what belongs to it changed. */
  readonly change: 'created' | 'changed' | 'touched' | 'gone';
  /** What the same call does at once again: succeeds and leaves an event or, having changed nothing, none; or is refused. */
  readonly again: 'another' | 'nothing' | 'refused';
  /** The field of what changed, where several are returned that have ids. */
  readonly field?: string;
  /** Type and name of what has no id. */
  subject?(input: any): { readonly type: string; readonly name: string };
  /** How many events, each about another subject, where it is not one. */
  readonly subjects?: (input: any) => readonly string[];
}

export const gid = toGlobalId;
export const slug = () => `n-${newId()}`;
export const denied = (tool = 'nothing.*') => ({ kind: 'TOOL_ACCESS', rules: [{ effect: 'deny', tools: [tool] }] });
export const documentOf = (name: string, version: string, steps: readonly object[] = [{ id: 'one', transform: '1' }]) =>
  JSON.stringify({
    apiVersion: 'signalbox/v1',
    kind: 'Agent',
    metadata: { name },
    spec: { version, inputs: { type: 'object' }, data: ['dataset:orders'], steps },
  });

const project = ({ api }: MutationWorld) => gid('Project', api.home.project);
const staging = ({ api }: MutationWorld) => gid('Environment', api.home.staging);
const team = ({ api }: MutationWorld) => gid('Team', api.home.team);
const newTenant = (w: MutationWorld) => w.make('createTenant', { name: w.name() });
const newProject = (w: MutationWorld) => w.make('createProject', { name: w.name() });
const newEnvironment = (w: MutationWorld) => w.make('createEnvironment', { projectId: project(w), name: w.name(), kind: 'STAGING' });
const newTeam = (w: MutationWorld) => w.make('createTeam', { name: w.name() });
const newPerson = (w: MutationWorld) => w.make('createPrincipal', { kind: 'USER', name: w.name() });
const viewer = async (w: MutationWorld) => {
  const principalId = await newPerson(w);
  await w.make('grantRole', { granteeId: principalId, role: 'VIEWER', scopeId: project(w) });
  return principalId;
};
const newPolicy = (w: MutationWorld) => w.make('createPolicy', { name: w.name(), ...denied() });
const newGrant = async (w: MutationWorld) => w.make('grantRole', { granteeId: await newPerson(w), role: 'VIEWER', scopeId: project(w) });
const toolServer = (w: MutationWorld) => w.make('registerToolServer', { name: w.name(), url: w.toolServerUrl });

async function newAgent(w: MutationWorld, versions: readonly string[] = []): Promise<string> {
  const name = w.name();
  const agentId = await w.make('createAgent', { projectId: project(w), name });
  for (const version of versions) {
    await w.make('publishAgentVersion', { agentId, definition: documentOf(name, version) });
    await w.make('promoteAgentVersion', { agentId, environmentId: staging(w), version });
  }
  return agentId;
}
async function overriddenTool(w: MutationWorld): Promise<object> {
  await w.answer('setToolOverride', { tool: 'files.read', risk: 'HIGH' }, 'toolOverride { risk }');
  return { tool: 'files.read' };
}
async function newDataGrant(w: MutationWorld): Promise<object> {
  const [ownerAgentId, granteeAgentId] = [await newAgent(w, ['1.0.0']), await newAgent(w)];
  return { ownerAgentId, granteeAgentId, data: 'dataset:orders', reason: 'reports' };
}
const ofTool =
  (type: string) =>
  ({ tool }: { tool: string }) => ({ type, name: tool });

export const placeCases: Readonly<Record<string, MutationCase>> = {
  createTenant: { input: (w) => ({ name: w.name() }), change: 'created', again: 'refused' },
  archiveTenant: { input: async (w) => ({ tenantId: await newTenant(w), reason: 'it left' }), change: 'changed', again: 'refused' },
  restoreTenant: {
    async input(w) {
      const tenantId = await newTenant(w);
      await w.make('archiveTenant', { tenantId });
      return { tenantId };
    },
    ...{ change: 'changed', again: 'refused' },
  },
  createProject: { input: (w) => ({ name: w.name() }), change: 'created', again: 'refused' },
  updateProject: { input: async (w) => ({ projectId: await newProject(w), name: w.name() }), change: 'changed', again: 'nothing' },
  deleteProject: { input: async (w) => ({ projectId: await newProject(w) }), change: 'gone', again: 'refused' },
  createEnvironment: { input: (w) => ({ projectId: project(w), name: w.name(), kind: 'STAGING' }), change: 'created', again: 'refused' },
  updateEnvironment: {
    input: async (w) => ({ environmentId: await newEnvironment(w), name: w.name() }),
    change: 'changed',
    again: 'nothing',
  },
  deleteEnvironment: { input: async (w) => ({ environmentId: await newEnvironment(w) }), change: 'gone', again: 'refused' },
  createTeam: { input: (w) => ({ name: w.name() }), change: 'created', again: 'refused' },
  updateTeam: { input: async (w) => ({ teamId: await newTeam(w), name: w.name() }), change: 'changed', again: 'nothing' },
  deleteTeam: { input: async (w) => ({ teamId: await newTeam(w) }), change: 'gone', again: 'refused' },
  addTeamMember: {
    input: async (w) => ({ teamId: team(w), principalId: await newPerson(w) }),
    change: 'touched',
    again: 'nothing',
    field: 'team',
  },
  removeTeamMember: {
    async input(w) {
      const member = { teamId: team(w), principalId: await newPerson(w) };
      await w.make('addTeamMember', member);
      return member;
    },
    ...{ change: 'touched', again: 'refused', field: 'team' },
  },
  createPrincipal: { input: (w) => ({ kind: 'SERVICE_ACCOUNT', name: w.name() }), change: 'created', again: 'refused' },
  disablePrincipal: { input: async (w) => ({ principalId: await newPerson(w) }), change: 'changed', again: 'nothing' },
  enablePrincipal: {
    async input(w) {
      const principalId = await newPerson(w);
      await w.make('disablePrincipal', { principalId });
      return { principalId };
    },
    ...{ change: 'changed', again: 'nothing' },
  },
  grantRole: {
    input: async (w) => ({ granteeId: await newPerson(w), role: 'VIEWER', scopeId: team(w) }),
    change: 'created',
    again: 'refused',
  },
  revokeRole: { input: async (w) => ({ grantId: await newGrant(w) }), change: 'gone', again: 'refused' },
  createApiKey: {
    input: async (w) => ({ principalId: await viewer(w), name: w.name(), roles: ['VIEWER'] }),
    ...{ change: 'created', again: 'another' },
  },
  revokeApiKey: {
    input: async (w) => ({
      apiKeyId: await w.make('createApiKey', { principalId: await viewer(w), name: w.name(), roles: ['VIEWER'] }),
    }),
    ...{ change: 'changed', again: 'nothing' },
  },

  createAgent: { input: (w) => ({ projectId: project(w), name: w.name() }), change: 'created', again: 'refused' },
  updateAgent: { input: async (w) => ({ agentId: await newAgent(w), owner: 'ops@example.com' }), change: 'changed', again: 'nothing' },
  archiveAgent: { input: async (w) => ({ agentId: await newAgent(w) }), change: 'changed', again: 'refused' },
  activateAgent: { input: async (w) => ({ agentId: await newAgent(w, ['1.0.0']) }), change: 'changed', again: 'nothing' },
  pauseAgent: {
    async input(w) {
      const agentId = await newAgent(w, ['1.0.0']);
      await w.make('activateAgent', { agentId });
      return { agentId, reason: 'it is late' };
    },
    ...{ change: 'changed', again: 'refused' },
  },
  publishAgentVersion: {
    async input(w) {
      const name = w.name();
      return { agentId: await w.make('createAgent', { projectId: project(w), name }), definition: documentOf(name, '1.0.0') };
    },
    ...{ change: 'created', again: 'refused' },
  },
  promoteAgentVersion: {
    async input(w) {
      const name = w.name();
      const agentId = await w.make('createAgent', { projectId: project(w), name });
      await w.make('publishAgentVersion', { agentId, definition: documentOf(name, '1.0.0') });
      return { agentId, environmentId: staging(w), version: '1.0.0' };
    },
    ...{ change: 'created', again: 'nothing' },
  },
  rollbackAgent: {
    input: async (w) => ({ agentId: await newAgent(w, ['1.0.0', '2.0.0']), environmentId: staging(w), version: '1.0.0' }),
    ...{ change: 'created', again: 'refused' },
  },

  approveTool: {
    async input(w) {
      const { data } = await w.api.gql('{ tool(name: "files.read") { digest } }');
      return { tool: 'files.read', digest: data!['tool'].digest };
    },
    ...{ change: 'changed', again: 'another', subject: ofTool('Tool') },
  },
  setToolOverride: {
    input: () => ({ tool: 'files.write', risk: 'CRITICAL' }),
    ...{ change: 'created', again: 'another', subject: ofTool('ToolOverride') },
  },
  removeToolOverride: { input: overriddenTool, change: 'gone', again: 'refused', subject: ofTool('ToolOverride') },
  registerToolServer: { input: (w) => ({ name: w.name(), url: w.toolServerUrl }), change: 'created', again: 'refused' },
  updateToolServer: {
    input: async (w) => ({ toolServerId: await toolServer(w), expectedVersion: 1, timeoutMs: 5_000 }),
    ...{ change: 'changed', again: 'refused' },
  },
  refreshToolServer: { input: async (w) => ({ toolServerId: await toolServer(w) }), change: 'changed', again: 'another' },
  removeToolServer: { input: async (w) => ({ toolServerId: await toolServer(w) }), change: 'gone', again: 'refused' },

  createPolicy: { input: (w) => ({ name: w.name(), ...denied() }), change: 'created', again: 'refused' },
  updatePolicy: {
    input: async (w) => ({ policyId: await newPolicy(w), expectedVersion: 1, priority: 7 }),
    ...{ change: 'changed', again: 'refused' },
  },
  applyPolicy: {
    input: (w) => ({
      document: `name: ${w.name()}\nkind: tool_access\nrules: [{ effect: deny, tools: [nothing.at_all] }]\n`,
      expectedVersion: 0,
    }),
    ...{ change: 'created', again: 'refused' },
  },
  enablePolicy: {
    async input(w) {
      const policyId = await newPolicy(w);
      await w.make('disablePolicy', { policyId });
      return { policyId };
    },
    ...{ change: 'changed', again: 'nothing' },
  },
  disablePolicy: { input: async (w) => ({ policyId: await newPolicy(w) }), change: 'changed', again: 'nothing' },
  deletePolicy: { input: async (w) => ({ policyId: await newPolicy(w) }), change: 'changed', again: 'refused' },
  grantData: { input: newDataGrant, change: 'created', again: 'nothing' },
  revokeDataGrant: {
    input: async (w) => ({ dataGrantId: await w.make('grantData', await newDataGrant(w)) }),
    ...{ change: 'changed', again: 'refused' },
  },
  setConcurrencyLimit: {
    input: async (w) => ({ scopeId: await newProject(w), maxRunning: 3 }),
    ...{ change: 'created', again: 'another' },
  },
};

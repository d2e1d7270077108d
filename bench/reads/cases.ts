// Every list and filter of the API, each as one request for a page: with values that match much and values that match hardly anything.
import { toGlobalId } from '#schema/ids.ts';
import { cursorOf } from '#src/platform/page.ts';
import type { Home } from './world.ts';

export interface ReadCase {
  /** Of the schema, as in "Query.executions" or "Execution.children". */
  readonly field: string;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Of the node that a nested list belongs to: global id. */
  readonly of?: string | undefined;
}

/** Root fields that read what is named by its id, or what an operator has configured: nothing of them grows with the executions of a tenant. */
export const ofOne: ReadonlySet<string> = new Set(
  [
    ...['viewer', 'node', 'nodes', 'agent', 'execution', 'approval', 'policy', 'tool', 'toolCall', 'bulkOperation', 'policySimulation'],
    ...['validatePolicy', 'explainDecision', 'reevaluateDecision', 'replayExecution', 'compareExecutions'],
  ].map((name) => `Query.${name}`),
);
/** Lists inside one execution: the part "items" measures whether an item of many costs more than one of few. */
export const ofOneExecution: ReadonlySet<string> = new Set(['Step.items', 'StepItem.decisions', 'StepComparison.items']);

type Args = Readonly<Record<string, unknown>>;

/** The moment of a UUIDv7. */
const momentOf = (id: string) => new Date(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16));
const day = 86_400_000;

export function casesOf(home: Home): ReadCase[] {
  const { projects, environments, agents, principals, teams, policies } = home;
  const cases: ReadCase[] = [];
  const query = (field: string, named: Readonly<Record<string, Args>>, of?: string) => {
    for (const [name, args] of Object.entries(named)) cases.push({ field, name, args, of });
  };
  const filtered = (field: string, named: Readonly<Record<string, Args>>, common: Args = {}) =>
    query(field, Object.fromEntries(Object.entries(named).map(([name, filter]) => [name, { ...common, filter }])));
  const id = (type: string, key: string | undefined) => toGlobalId(type, key!);
  const project = (name: string) => id('Project', projects[name]);
  const environment = (name: string) => id('Environment', environments[name]);
  const agent = (name: string) => id('Agent', agents[name]);
  const principal = (name: keyof Home['principals']) => id('Principal', principals[name]);
  const family = id('Execution', home.familyId);
  const middle = momentOf(home.middleId);
  const then = middle.toISOString();
  const longAgo = new Date(middle.getTime() - 30 * day).toISOString();
  const inTime = { 'a period': { since: longAgo, until: then }, 'until a moment': { until: then }, 'since a moment': { since: then } };
  const deep = (list: string) => ({ 'in the middle': { after: cursorOf(list, home.middleId) } });
  const places = {
    project: { projectId: project('p0') },
    'rare project': { projectId: project('rare') },
    environment: { environmentId: environment('p0/production') },
    'rare environment': { environmentId: environment('p0/sandbox') },
    agent: { agentId: agent('agent-1') },
    'rare agent': { agentId: agent('rare') },
  };
  const { project: _some, 'rare project': _rare, ...inProject } = places;

  query('Query.executions', { all: {}, ...deep('executions') });
  filtered('Query.executions', {
    ...places,
    ...inTime,
    'one status': { status: ['SUCCEEDED'] },
    'two statuses': { status: ['SUCCEEDED', 'FAILED'] },
    'rare status': { status: ['BLOCKED'] },
    'rare statuses': { status: ['BLOCKED', 'CANCELLED', 'AWAITING_APPROVAL'] },
    'rarely failing agent': { status: ['FAILED'], agentId: agent('agent-3') },
    'rare status of a project': { status: ['BLOCKED'], projectId: project('p0') },
    'rare status of an environment': { status: ['BLOCKED'], environmentId: environment('p0/production') },
    'agent in a rare environment': { agentId: agent('agent-0'), environmentId: environment('p0/sandbox') },
    'children of one': { parentId: family },
    children: { hasParent: true },
    'not children': { hasParent: false },
    'reruns of one': { originId: family },
    labels: { labels: { tier: 'gold' } },
    'rare label': { labels: { customer: 'rare' } },
  });

  query('Query.approvals', { all: {}, ...deep('approvals') });
  filtered('Query.approvals', {
    ...inProject,
    pending: { status: ['PENDING'] },
    decided: { status: ['APPROVED', 'REJECTED'] },
    'rare status': { status: ['CANCELLED'] },
    risk: { risk: ['HIGH'] },
    'rare risk': { risk: ['CRITICAL'] },
    'rare risk and status': { risk: ['CRITICAL'], status: ['APPROVED'] },
    'of an execution': { executionId: id('Execution', home.middleId) },
    'that I can decide': { canDecide: true },
    'that I cannot decide': { canDecide: false },
  });

  query('Query.decisions', { all: {}, ...deep('decisions') });
  filtered('Query.decisions', {
    ...places,
    ...inTime,
    effect: { effect: ['ALLOW'] },
    'rare effect': { effect: ['DENY'] },
    'rare effects': { effect: ['DENY', 'DELAY'] },
    'rare effect of an agent': { effect: ['DELAY'], agentId: agent('agent-1') },
    action: { action: ['TOOL_CALL'] },
    'rare action': { action: ['OUTPUT_DELIVER'] },
    tool: { tool: 'bench.work' },
    'rare tool': { tool: 'rare.tool' },
    principal: { principalId: principal('service') },
    'rare principal': { principalId: principal('rare') },
    policy: { policyId: id('Policy', policies['policy-1']) },
    'rare policy': { policyId: id('Policy', policies['rare']) },
    'of an execution': { executionId: id('Execution', home.middleId) },
    'of a step': { executionId: id('Execution', home.middleId), stepId: 'one' },
  });

  query('Query.auditEvents', { all: {}, ...deep('auditEvents') });
  filtered('Query.auditEvents', {
    ...inTime,
    action: { actions: ['startExecution'] },
    'rare action': { actions: ['pauseAgent'] },
    principal: { principalId: principal('admin') },
    'rare principal': { principalId: principal('rare') },
    subject: { subjectId: agent('agent-1') },
    'name of a subject': { subjectName: 'rare' },
    project: { projectId: project('p0') },
    'rare project': { projectId: project('rare') },
    trace: { traceId: '0'.repeat(32) },
  });

  const failedAt = middle.getTime();
  query('Query.deadLetters', {
    all: {},
    'in the middle': { after: Buffer.from(`dead-letters:${failedAt}.-1.two.${home.middleId}`).toString('base64url') },
  });
  filtered('Query.deadLetters', { ...places, ...inTime, code: { codes: ['TOOL_ERROR'] }, 'rare code': { codes: ['RARE'] } });
  query('Query.queueStatus', { all: {} });
  query('Query.approvalMetrics', { all: {} });
  filtered('Query.approvalMetrics', { ...places, ...inTime });

  query('Query.agents', { all: {} });
  filtered('Query.agents', {
    project: { projectId: project('p0') },
    team: { teamId: id('Team', teams['rare']) },
    tag: { tag: 'ops' },
    'rare tag': { tag: 'rare' },
    name: { name: 'agent-1' },
    status: { status: 'ACTIVE' },
    'rare status': { status: 'PAUSED' },
    archived: { includeArchived: true },
  });
  query('Query.projects', { all: {}, name: { name: 'rare' } });
  query('Query.environments', {
    all: {},
    kind: { kind: 'PRODUCTION' },
    name: { name: 'sandbox' },
    project: { projectId: project('rare') },
  });
  query('Query.teams', { all: {}, name: { name: 'rare' } });
  query('Query.principals', { all: {}, kind: { kind: 'SERVICE_ACCOUNT' }, name: { name: 'rare' }, disabled: { disabled: true } });
  query('Query.apiKeys', { all: {}, principal: { principalId: principal('rare') }, revoked: { revoked: true } });
  query('Query.roleGrants', {
    all: {},
    principal: { principalId: principal('rare') },
    team: { granteeTeamId: id('Team', teams['rare']) },
  });
  query('Query.concurrencyLimits', { all: {}, scope: { scopeId: agent('rare') } });
  query('Query.killSwitches', { all: {} });
  filtered('Query.killSwitches', { engaged: { engaged: true }, released: { engaged: false }, scope: { scope: 'DESTINATION' } });
  query('Query.dataGrants', { all: {} });
  filtered('Query.dataGrants', {
    owner: { ownerAgentId: agent('agent-1') },
    grantee: { granteeAgentId: agent('rare') },
    'in force': { inForce: true },
  });
  query('Query.approvalDelegations', { all: {} });
  filtered('Query.approvalDelegations', { open: { isOpen: true }, principal: { principalId: principal('rare') } });
  query('Query.policies', { all: {} });
  filtered('Query.policies', {
    kind: { kind: 'CONTENT' },
    mode: { mode: 'OBSERVE' },
    enabled: { enabled: false },
    name: { name: 'rare' },
    project: { projectId: project('rare') },
    environment: { environmentId: environment('rare/sandbox') },
    agent: { agentId: agent('rare') },
    team: { teamId: id('Team', teams['rare']) },
    tag: { tag: 'rare' },
  });
  query('Query.policiesInForce', {
    all: { agentId: agent('rare'), environmentId: environment('rare/production') },
    tool: { agentId: agent('rare'), environmentId: environment('rare/production'), tool: 'bench.work' },
  });
  query('Query.policySimulations', { all: {} });
  query('Query.tools', { all: {} });
  filtered('Query.tools', { kind: { capability: 'READ', risk: 'LOW', server: 'bench', status: 'APPROVED' } });
  query('Query.toolOverrides', { all: {} });
  query('Query.toolServers', { all: {} });
  query('Query.webhooks', { all: {} });
  query('Query.eventSinks', { all: {} });
  query('Query.eventBusHealth', { all: {} });
  query('EventSink.deliveries', { all: {}, status: { status: 'DEAD_LETTERED' } }, id('EventSink', home.sinkId));

  for (const field of ['children', 'reruns', 'signals', 'approvals', 'decisions']) query(`Execution.${field}`, { all: {} }, family);
  query('Step.decisions', { all: {} }, family);
  query('Agent.versions', { all: {} }, agent('agent-1'));
  query(
    'Agent.deployments',
    { all: {}, live: { live: true }, environment: { environmentId: environment('p1/production') } },
    agent('agent-1'),
  );
  query('Approval.comments', { all: {} }, id('Approval', home.approvalId));
  query(
    'PolicySimulation.changes',
    { all: {}, from: { from: ['ALLOW'] }, to: { to: ['REQUIRE_APPROVAL'] } },
    id('PolicySimulation', home.simulationId),
  );
  for (const field of ['apiKeys', 'roleGrants', 'teams']) query(`Principal.${field}`, { all: {} }, principal('rare'));
  query('Project.environments', { all: {} }, project('p0'));
  for (const field of ['members', 'roleGrants']) query(`Team.${field}`, { all: {} }, id('Team', teams['rare']));
  query('Webhook.deliveries', { all: {} }, id('Webhook', home.webhookId));
  return cases;
}

const isPeriod = (filter: Args) => 'since' in filter || 'until' in filter;

/** Each two filters of a list at once, where they are about different things. */
export function pairsOf(cases: readonly ReadCase[]): ReadCase[] {
  const filters = cases.flatMap(({ field, name, args }) =>
    'filter' in args && Object.keys(args).length === 1 ? [{ field, name, filter: args['filter'] as Args }] : [],
  );
  return filters.flatMap((one, at) =>
    filters
      .slice(at + 1)
      .filter(
        ({ field, filter }) =>
          field === one.field && !Object.keys(filter).some((key) => key in one.filter) && !(isPeriod(filter) && isPeriod(one.filter)),
      )
      .map(({ field, name, filter }) => ({ field, name: `${one.name} + ${name}`, args: { filter: { ...one.filter, ...filter } } })),
  );
}

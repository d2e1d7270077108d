// What docs/time-machine.md shows is run here, with a runner, over HTTP and WebSocket, and answers as it says.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toGlobalId } from '#schema/ids.ts';
import { testApi, type Api } from './harness/api.ts';
import { blocksOf } from './harness/manual.ts';

const blocks = blocksOf('time-machine.md');
const [finding] = blocks('Find and explain', 'graphql') as [string];
const [computing] = blocks('Compute it again', 'graphql') as [string];
const [trying] = blocks('Try policies on what happened', 'graphql') as [string];
const [candidate] = blocks('Try policies on what happened', 'yaml') as [string];
const [rolling] = blocks('Switch it on by and by', 'graphql') as [string];
let api: Api;
let agentId: string;
before(async () => {
  api = await testApi({ tools: { 'mail.send': { run: () => 'sent' }, 'files.read': { run: () => 'text' } } });
  await api.runner({ services: api.services });
  const agent = await api.agent(
    [
      { id: 'read', tool: 'files.read', with: {} },
      { id: 'send', forEach: '${{ [1, 2, 3] }}', tool: 'mail.send', with: {} },
    ],
    { name: 'mailer' },
  );
  agentId = toGlobalId('Agent', agent);
  assert.equal((await api.finished((await api.start(agent)).id)).status, 'succeeded');
});
after(() => api.close());

const one = (document: string, name: string) =>
  document.split(/^(?=mutation|query|subscription)/m).find((part) => new RegExp(`^(mutation|query|subscription) ${name}\\b`).test(part))!;

async function ask(document: string, name: string, variables: object = {}): Promise<any> {
  const { data, errors } = await api.gql(one(document, name), { ...variables }, { as: api.home.adminKey });
  assert.equal(errors, undefined, JSON.stringify(errors));
  return Object.values(data!)[0];
}

test('a candidate is tried, followed, and its changes opened', { timeout: 30_000 }, async () => {
  const { simulation } = await ask(trying, 'tryIt', { document: candidate, agentId });
  assert.equal(simulation.total, 5);
  let last: any;
  for await (const { data } of api.subscribe(one(trying, 'follow'), { simulationId: simulation.id }, { as: api.home.adminKey })) {
    last = data!['simulationProgress'].simulation;
  }
  assert.deepEqual(last, { status: 'SUCCEEDED', processed: 5, total: 5, changed: 3 });
  const { verdicts, agentCount, executionCount, approvals, changes } = await ask(trying, 'outcome', { id: simulation.id });
  assert.deepEqual(verdicts, [{ before: 'ALLOW', after: 'DENY', count: 3 }]);
  assert.deepEqual([agentCount, executionCount, approvals], [1, 1, []]);
  assert.deepEqual(new Set(changes.edges.map(({ node }: any) => node.decision.tool)), new Set(['mail.send']));
  assert.match((await ask(trying, 'stopIt', { simulationId: simulation.id })).message, /succeeded already/);
});

test('a rollout that denies too much falls back; its denials are found, explained and computed again', { timeout: 60_000 }, async () => {
  const since = new Date().toISOString();
  const { policy } = await ask(rolling, 'rollOut', { rules: [{ effect: 'deny', tools: ['mail.*'] }] });
  assert.equal(policy.mode, 'ENFORCE');
  const many = await api.agent(
    [{ id: 'send', forEach: '${{ [1..40] }}', onFailure: 'continue', concurrency: 1, tool: 'mail.send', with: {} }],
    { name: 'many' },
  );
  await api.finished((await api.start(many)).id);
  let standing = await ask(rolling, 'howItStands', { id: policy.id });
  while (standing.mode === 'ENFORCE') standing = await ask(rolling, 'howItStands', { id: policy.id });
  const { name } = (await ask('query who { viewer { principal { name } } }', 'who')).principal;
  assert.deepEqual(standing, {
    mode: 'OBSERVE',
    versions: [
      { change: 'FELL_BACK', createdBy: null },
      { change: 'CREATED', createdBy: { name } },
    ],
  });
  const audited = await ask(rolling, 'whatFellBack', { id: policy.id });
  assert.deepEqual(audited.edges.map(({ node }: any) => node.principalId), [null]); // prettier-ignore

  const { edges } = await ask(finding, 'refused', { agentId: toGlobalId('Agent', many), since });
  assert.ok(edges.length >= 20);
  const [{ node }] = edges;
  assert.equal(node.tool, 'mail.send');
  const told = await ask(finding, 'why', { decisionId: node.id });
  assert.match(told.summary, /^The call of mail\.send by the agent "many" .* was refused at .*Policy "no-mail" \(rule 1\) refuses/);
  const finding1 = { policyName: 'no-mail', version: 1, effect: 'DENY' };
  assert.deepEqual([told.refusals, told.findings], [[], [{ role: 'DECIDED', finding: finding1 }]]);
  const again = await ask(computing, 'again', { decisionId: node.id });
  assert.deepEqual([again.same, again.effect, again.digestMatches, again.differences, again.notCompared], [true, 'DENY', true, [], []]);
  const current = await ask(computing, 'again', { decisionId: node.id, policies: 'CURRENT' });
  assert.deepEqual([current.same, current.effect], [false, 'ALLOW']);
  const mode = current.differences.find(({ path }: any) => path === 'findings.no-mail.mode');
  assert.deepEqual(mode, { path: 'findings.no-mail.mode', recorded: 'enforce', computed: 'observe' });
});

test('events, steps, attempts and approvals lead to their decisions', { timeout: 30_000 }, async () => {
  const { home, services } = api;
  const asks = await home.write((uow) =>
    services.policies.createPolicy(uow, home.admin, {
      ...{ name: 'ask-mail', kind: 'approval_required', scope: {}, rules: [{ tools: ['mail.*'] }] },
    }),
  );
  const agent = await api.agent([{ id: 'send', tool: 'mail.send', with: {} }], { name: 'asker' });
  const { id } = await api.start(agent);
  await home.write(async (uow) => services.approvals.decide(uow, api.reviewer, { approvalId: await api.asked(id), decision: 'approve' }));
  assert.equal((await api.finished(id)).status, 'succeeded');
  const query = `query ($id: ID!) { node(id: $id) { ... on Execution {
    decisions { edges { node { id action effect stepId } } } approvals { edges { node { decision { id } } } }
    lastEvents(count: 50) { __typename ... on StepStarted { decisionId } }
    steps { decisions { edges { node { id } } } attempts { decision { id } } } } } }`;
  const { data, errors } = await api.gql(query, { id: toGlobalId('Execution', id) }, { as: home.adminKey });
  assert.equal(errors, undefined, JSON.stringify(errors));
  const { decisions, approvals, lastEvents, steps } = data!['node'];
  const of = ({ edges }: any) => edges.map(({ node }: any) => node);
  assert.deepEqual(
    of(decisions).map(({ action, effect, stepId }: any) => [action, effect, stepId]),
    [['TOOL_CALL', 'REQUIRE_APPROVAL', 'send'], ['TOOL_CALL', 'REQUIRE_APPROVAL', 'send'], ['EXECUTION_START', 'ALLOW', null]], // prettier-ignore
  );
  const [went, asked] = of(decisions).map(({ id: decisionId }: any) => decisionId);
  assert.equal(of(approvals)[0].decision.id, asked);
  assert.deepEqual(
    of(steps[0].decisions).map(({ id: decisionId }: any) => decisionId),
    [went, asked],
  );
  assert.equal(steps[0].attempts[0].decision.id, went);
  const { decisionId } = lastEvents.find(({ __typename }: any) => __typename === 'StepStarted');
  assert.equal(decisionId, went);
  const opened = await api.gql(
    'query ($id: ID!) { node(id: $id) { ... on Decision { tool } } }',
    { id: decisionId },
    { as: home.adminKey },
  );
  assert.deepEqual(opened.data, { node: { tool: 'mail.send' } });
  await home.write((uow) => services.policies.deletePolicy(uow, home.admin, asks.id));
});

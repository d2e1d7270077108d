// Executions that start executions, as clients see the tree: fields, lists, who sees which part of it, and what would never end.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import { ids, testApi, type AgentSpec, type Api } from './harness/api.ts';
import type { Caller } from './harness/graphql.ts';
import { createVerbs, type Verbs } from './harness/verbs.ts';

let api: Api;
let verbs: Verbs;
before(async () => {
  api = await testApi({ limits: { queryCost: 500_000, queryAliases: 200 } });
  verbs = createVerbs(api);
  await api.runner({ services: api.services });
});
after(() => api.close());

const uuid = (globalId: string) => parseGlobalId(globalId)!.id;
/** Gives the name that agent steps know it by. */
async function named(steps: readonly object[], spec: AgentSpec = {}): Promise<{ readonly id: string; readonly name: string }> {
  const name = `tree-${newId()}`;
  return { id: await api.agent(steps, { ...spec, name }), name };
}
const nodesOf = (connection: any) => connection.edges.map((edge: any) => edge.node);
const listIds = async (filter: object, as: Caller = api.home.adminKey) => {
  const query = 'query ($filter: ExecutionFilter) { executions(first: 100, filter: $filter) { edges { node { id } } } }';
  const { data, errors } = await api.gql(query, { filter }, { as });
  assert.equal(errors, undefined, JSON.stringify(errors));
  return nodesOf(data!['executions']).map(({ id }: any) => uuid(id));
};
const childrenOf = async (id: string, as?: Caller): Promise<string[]> =>
  nodesOf((await verbs.show(id, 'children(first: 100) { edges { node { id } } }', as)).children).map((node: any) => uuid(node.id));

/** A parent whose list starts three children, each of which starts a grandchild. */
async function family(teams: { readonly parent?: string; readonly child?: string; readonly grandchild?: string } = {}) {
  const of = (teamId?: string) => (teamId === undefined ? {} : { teamId });
  const grandchild = await named([{ id: 'double', transform: 'inputs.n * 2' }], {
    output: '${{ steps.double.output }}',
    ...of(teams.grandchild),
  });
  const child = await named([{ id: 'deep', agent: { name: grandchild.name }, with: { n: '${{ inputs.n }}' } }], { output: '${{ steps.deep.output + 1 }}', ...of(teams.child) }); // prettier-ignore
  const parent = await named(
    [
      { id: 'each', forEach: '[10, 20, 30]', agent: { name: child.name }, with: { n: '${{ item }}' } },
      { id: 'single', needs: ['each'], agent: { name: grandchild.name }, with: { n: 1 } },
    ],
    { output: { each: '${{ steps.each.output }}', single: '${{ steps.single.output }}' }, ...of(teams.parent) },
  );
  return { grandchild, child, parent };
}

test('a tree can be read from its root, from its leaves and step by step', async () => {
  const { child, grandchild, parent } = await family();
  const { id } = await api.start(parent.id);
  const row = await api.finished(id);
  assert.deepEqual([row.status, row.output], ['succeeded', { each: [21, 41, 61], single: 2 }]);
  const link = 'id depth parentStepId parentItemIndex agent { name } parent { id } root { id }';
  const shown = await verbs.show(id, `${link} children { edges { node { ${link} inputs output requestedBy { id } children { edges { node { ${link} } } } } } }
    steps { stepId childExecution { id } items { edges { node { index output childExecution { id agent { name } } } } } }`); // prettier-ignore
  const top = { id: ids.execution(id) };
  assert.deepEqual([shown.depth, shown.parent, shown.parentStepId, shown.parentItemIndex, shown.root], [0, null, null, null, top]);
  const [single, ...each] = nodesOf(shown.children);
  assert.deepEqual([single.depth, single.parent, single.root, single.parentStepId, single.parentItemIndex, single.agent.name, single.inputs], [1, top, top, 'single', null, grandchild.name, { n: 1 }]); // prettier-ignore
  assert.equal(uuid(single.requestedBy.id), api.operator.principalId, 'in the name of whoever started the first');
  const inOrder = each.toSorted((a: any, b: any) => a.parentItemIndex - b.parentItemIndex);
  for (const [index, node] of inOrder.entries()) {
    assert.deepEqual([node.depth, node.parent, node.root, node.parentStepId, node.parentItemIndex, node.agent.name], [1, top, top, 'each', index, child.name]); // prettier-ignore
    const [leaf, ...none] = nodesOf(node.children);
    assert.deepEqual([leaf.depth, leaf.parent, leaf.root, leaf.parentStepId, leaf.parentItemIndex, none], [2, { id: node.id }, top, 'deep', null, []]); // prettier-ignore
  }
  const [list, one] = shown.steps;
  assert.deepEqual([list.childExecution, one.childExecution], [null, { id: single.id }]);
  assert.deepEqual(
    nodesOf(list.items).map(({ index, output, childExecution }: any) => [index, output, childExecution]),
    inOrder.map((node: any, index: number) => [index, [21, 41, 61][index], { id: node.id, agent: { name: child.name } }]),
  );
  const started: any[] = [];
  for await (const batch of api.typed().executionEvents({ executionId: ids.execution(id) })) {
    started.push(...batch.events.filter(({ type }) => type === 'STEP_CHILD_STARTED'));
  }
  const expected: string[] = inOrder.map((node: any, index: number) => `each ${index} ${node.id}`);
  expected.push(`single null ${single.id}`);
  assert.deepEqual(
    started.map(({ stepId, itemIndex, childExecutionId }) => `${stepId} ${itemIndex} ${childExecutionId}`).sort(),
    expected.sort(),
  );
});

test('lists of children by page; filters by parent and by having one', async () => {
  const { child, parent } = await family();
  const { id } = await api.start(parent.id);
  await api.finished(id);
  const all = await childrenOf(id);
  assert.equal(all.length, 4);
  assert.deepEqual(all, all.toSorted().reverse(), 'newest first');
  const page = async (args: string) => (await verbs.show(id, `children(${args}) { edges { node { id } } pageInfo { hasNextPage endCursor } }`)).children; // prettier-ignore
  const first = await page('first: 3');
  const rest = await page(`first: 3, after: "${first.pageInfo.endCursor}"`);
  assert.deepEqual([...nodesOf(first), ...nodesOf(rest)].map((node: any) => uuid(node.id)), all); // prettier-ignore
  assert.deepEqual([first.pageInfo.hasNextPage, rest.pageInfo.hasNextPage], [true, false]);
  assert.deepEqual(await listIds({ parentId: ids.execution(id) }), all);
  const agentId = (each: string) => ({ agentId: ids.agent(each) });
  assert.deepEqual(await listIds({ ...agentId(parent.id), hasParent: false }), [id]);
  assert.deepEqual(await listIds({ ...agentId(parent.id), hasParent: true }), []);
  const ofEach = await listIds({ ...agentId(child.id), hasParent: true });
  assert.deepEqual([ofEach.length, await listIds({ ...agentId(child.id), hasParent: false })], [3, []]);
  assert.deepEqual(await listIds({ parentId: ids.execution(ofEach[0]), ...agentId(parent.id) }), []);
  const query = 'query ($filter: ExecutionFilter) { executions(filter: $filter) { edges { node { id } } } }';
  const { errors } = await api.gql(query, { filter: { parentId: ids.agent(child.id) } });
  assert.match(errors![0]!.message, /filter\.parentId: .* expected a global id of type Execution/);
  for (const args of ['first: 0', 'first: 101']) {
    const refused = await api.gql(`query ($id: ID!) { execution(id: $id) { children(${args}) { edges { cursor } } } }`, { id: ids.execution(id) }); // prettier-ignore
    assert.match(refused.errors![0]!.message, /first: must be between 1 and 100/);
  }
});

test('who sees only a part of the tree sees no trace of the rest', async () => {
  const { home } = api;
  const { parent } = await family({ child: home.team, grandchild: home.otherTeam });
  const { id } = await api.start(parent.id);
  await api.finished(id);
  const [single, childId] = (await childrenOf(id)) as [string, string];
  const [grandchildId] = (await childrenOf(childId)) as [string];
  const viewer = (kind: 'team' | 'environment' | 'project', scopeId: string) => home.principal([['viewer', kind, scopeId]]);
  const [red, blue] = [await viewer('team', home.team), await viewer('team', home.otherTeam)];
  const tree = `id parent { id } parentStepId parentItemIndex root { id } children { edges { node { id } } }
    steps { childExecution { id } items { edges { node { childExecution { id } } } } }`;
  const child = await verbs.show(childId, tree, red);
  assert.deepEqual([child.parent, child.parentStepId, child.parentItemIndex, child.root], [null, null, null, null]);
  assert.deepEqual([child.children.edges, child.steps[0].childExecution], [[], null]);
  const leaf = await verbs.show(grandchildId, tree, blue);
  assert.deepEqual([leaf.parent, leaf.parentStepId, leaf.root, leaf.children.edges], [null, null, null, []]);
  const ofSingle = await verbs.show(single, tree, blue);
  assert.deepEqual([ofSingle.parent, ofSingle.parentStepId, ofSingle.root], [null, null, null]);

  const parentOnly = await family({ parent: home.team, child: home.otherTeam, grandchild: home.otherTeam });
  const second = (await api.start(parentOnly.parent.id)).id;
  await api.finished(second);
  const above = await verbs.show(second, tree, red);
  assert.deepEqual([above.root, above.children.edges], [{ id: ids.execution(second) }, []]);
  assert.deepEqual(above.steps.flatMap((step: any) => [step.childExecution, ...nodesOf(step.items).map((item: any) => item.childExecution)]), [null, null, null, null, null]); // prettier-ignore

  // Whether something hidden is the parent or the origin cannot be asked for either.
  assert.deepEqual([await listIds({ parentId: ids.execution(id) }, red), await listIds({ parentId: ids.execution(newId()) }, red)], [[], []]); // prettier-ignore
  assert.equal((await listIds({ parentId: ids.execution(id) }, await viewer('environment', home.staging))).length, 4);
  for (const as of [await viewer('environment', home.production), await viewer('project', home.otherProject), api.people.other.admin]) {
    assert.deepEqual([await verbs.show(id, tree, as), await listIds({ parentId: ids.execution(id) }, as)], [null, []]);
  }
});

test('a page of everything about families takes as many statements for 16 executions as for two', async () => {
  const child = await named([{ id: 'one', transform: '1' }]);
  const parent = await named([
    { id: 'each', forEach: '[1, 2, 3]', agent: { name: child.name } },
    { id: 'noted', needs: ['each'], wait: { signal: 'noted' } },
    { id: 'single', needs: ['noted'], agent: { name: child.name } },
  ]);
  for (let count = 0; count < 8; count++) {
    const { id } = await api.start(parent.id);
    await verbs.done('signalExecution', { executionId: ids.execution(id), name: 'noted', payload: count });
    await api.finished(id);
    await api.finished(uuid((await verbs.done('forkExecution', { executionId: ids.execution(id), stepId: 'single' })).id));
  }
  // Apart, because what reaches the same loader from different places is batched by luck: one statement more or less.
  const parts = {
    links: `depth parentStepId parentItemIndex startAt forkStepId parent { id } retryOf { id } forkOf { status agent { name } }
      reruns(first: 2) { edges { node { id status forkOf { id } } } }
      signals(first: 2) { edges { node { name payload sentBy { name } execution { id } } } }`,
    children: 'root { status } children(first: 3) { edges { node { id parentStepId parent { status } root { id } agent { name } } } }',
    steps: 'steps { signal childExecution { status agent { name } } }',
    items: 'steps { items(first: 3) { edges { node { childExecution { status agent { name } } } } } }',
  };
  const nodes: Record<string, any[]> = {};
  for (const [name, selection] of Object.entries(parts)) {
    const query = `query ($first: Int, $filter: ExecutionFilter) { executions(first: $first, filter: $filter) { edges { node { ${selection} } } } }`;
    const measured = async (first: number) => {
      const ask = () => api.gql(query, { first, filter: { agentId: ids.agent(parent.id) } });
      const { result, statements } = await api.countStatements(ask);
      assert.equal(result.errors, undefined, JSON.stringify(result.errors));
      const found = nodesOf(result.data!['executions']);
      assert.equal(found.length, first);
      nodes[name] = found;
      return statements.length;
    };
    const two = await measured(2);
    assert.deepEqual([await measured(8), await measured(16)], [two, two], name);
    assert.ok(two <= 8, `${name}: ${two} statements`);
  }
  for (const [index, links] of nodes['links']!.entries()) {
    // Newest first: each fork, then what it was forked from.
    const isFork = index % 2 === 0;
    const [children, steps, items] = [
      nodesOf(nodes['children']![index].children),
      nodes['steps']![index].steps,
      nodes['items']![index].steps[0].items,
    ];
    const found = [links.forkStepId, links.forkOf?.status ?? null, links.reruns.edges.length, links.signals.edges.length, children.length];
    assert.deepEqual(found, isFork ? ['single', 'SUCCEEDED', 0, 0, 1] : [null, null, 1, 1, 3]);
    for (const each of children)
      assert.deepEqual([each.parent.status, each.parentStepId], ['SUCCEEDED', isFork ? 'single' : each.parentStepId]);
    assert.equal(steps[2].childExecution.status, 'SUCCEEDED');
    // A step that was taken over has started nothing itself.
    for (const item of nodesOf(items)) assert.equal(item.childExecution?.status ?? null, isFork ? null : 'SUCCEEDED');
  }
});

test('a child that fails fails its step, and one that is cancelled with its starter says so', async () => {
  const failing = await named([{ id: 'bad', transform: '$error("no luck")' }]);
  const parent = await named([{ id: 'call', agent: { name: failing.name } }]);
  const { id } = await api.start(parent.id);
  assert.equal((await api.finished(id)).status, 'failed');
  const { steps } = await verbs.show(id, 'steps { status failure { code message } childExecution { status failure { code } } }');
  assert.deepEqual([steps[0].status, steps[0].failure.code, steps[0].childExecution], ['FAILED', 'CHILD_FAILED', { status: 'FAILED', failure: { code: 'STEP_FAILED' } }]); // prettier-ignore
  assert.match(steps[0].failure.message, /the execution \S+ that this step started is failed: STEP_FAILED/);

  const resting = await named([{ id: 'rest', wait: { signal: 'go' } }]);
  const above = await named([{ id: 'call', agent: { name: resting.name } }]);
  const open = (await api.start(above.id)).id;
  await api.happened(open, 'step.child_started');
  const [childId] = (await childrenOf(open)) as [string];
  await api.happened(childId, 'execution.waiting');
  assert.deepEqual(await verbs.show(open, 'status steps { status childExecution { status } }'), { status: 'WAITING', steps: [{ status: 'WAITING', childExecution: { status: 'WAITING' } }] }); // prettier-ignore
  await verbs.done('cancelExecution', { executionId: ids.execution(open) });
  assert.equal((await api.finished(childId)).status, 'cancelled');
  const cancelled = (await api.events(childId)).at(-1)!;
  assert.equal(cancelled.data['reason'], 'the execution that started it is cancelled');
});

test('what would never end is refused when it is published, with line and column, or fails with its own code', async () => {
  const { home } = api;
  const name = `endless-${newId()}`;
  const agent = await home.write((uow) => api.services.agents.createAgent(uow, home.admin, { projectId: home.project, name }));
  const publish = async (steps: string) => {
    const definition = `apiVersion: signalbox/v1\nkind: Agent\nmetadata: { name: ${name} }\nspec:\n  version: 1.0.0\n  steps:\n${steps}`;
    const query = `mutation ($input: PublishAgentVersionInput!) { publishAgentVersion(input: $input) { __typename
      ... on ValidationError { problems { path message line column } } } }`;
    const { data } = await api.gql(query, { input: { agentId: ids.agent(agent.id), definition } });
    return data!['publishAgentVersion'];
  };
  assert.deepEqual(await publish(`    - id: again\n      agent: { name: ${name} }\n`), {
    __typename: 'ValidationError',
    problems: [{ path: 'spec.steps[0].agent', message: `the agent "${name}" would start itself`, line: 8, column: 14 }],
  });
  const endless = await publish(`    - id: again\n      transform: '1'\n      loop: { until: 'false' }\n`);
  assert.deepEqual(endless.problems.map(({ path, line }: any) => [path, line]), [['spec.steps[0].loop.max', 9]]); // prettier-ignore
  const { total } = (await home.read((uow) => uow.rows<{ total: number }>('select count(*)::int as total from agent_versions where agent_id = $1', [agent.id])))[0]!; // prettier-ignore
  assert.equal(total, 0);

  const never = await named([{ id: 'again', transform: 'index', loop: { until: 'false', max: 3 } }]);
  const looped = (await api.start(never.id)).id;
  assert.equal((await api.finished(looped)).status, 'failed');
  const { steps } = await verbs.show(
    looped,
    'steps { status itemTotal itemDone failure { code } items { edges { node { index value output status } } } }',
  );
  assert.deepEqual([steps[0].status, steps[0].itemTotal, steps[0].itemDone, steps[0].failure.code], ['FAILED', 3, 3, 'LOOP_EXHAUSTED']);
  assert.deepEqual(nodesOf(steps[0].items), [0, 1, 2].map((index) => ({ index, value: null, output: index, status: 'SUCCEEDED' }))); // prettier-ignore

  const [a, b] = [`cycle-a-${newId()}`, `cycle-b-${newId()}`];
  const first = await api.agent([{ id: 'there', agent: { name: b } }], { name: a });
  await api.agent([{ id: 'back', agent: { name: a } }], { name: b });
  const round = (await api.start(first)).id;
  assert.equal((await api.finished(round)).status, 'failed');
  const [childId] = (await childrenOf(round)) as [string];
  const back = await verbs.show(childId, 'steps { failure { code message } childExecution { id } }');
  assert.deepEqual([back.steps[0].failure.code, back.steps[0].childExecution], ['AGENT_CYCLE', null]);
});

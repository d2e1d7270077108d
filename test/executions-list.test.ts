// The list of executions: filters, pages, who sees what, and a number of statements that does not grow with the rows.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { StartExecution } from '#src/executions/start-request.ts';
import { newId } from '#src/platform/ids.ts';
import { cursorOf } from '#src/platform/page.ts';
import { ids, testApi, type Api } from './harness/api.ts';
import type { Caller } from './harness/graphql.ts';

let now = new Date('2026-11-21T10:00:00.000Z');
let api: Api;
let twoPlaces: { environments: string[] };
before(async () => {
  const tools = { 'test.echo': { run: ({ value }: Record<string, unknown>) => value } };
  api = await testApi({ clock: { now: () => now }, limits: { queryCost: 100_000 }, tools });
  twoPlaces = { environments: [api.home.staging, api.home.production] };
});
after(() => api.close());

const query = `query ($first: Int, $after: String, $filter: ExecutionFilter) { executions(first: $first, after: $after, filter: $filter) {
  edges { cursor node { id status createdAt } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;

interface Page {
  readonly edges: { cursor: string; node: { id: string; status: string; createdAt: string } }[];
  readonly pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
}
const ask = (variables: object, as: Caller = api.home.adminKey) => api.gql(query, { ...variables }, { as });
async function list(variables: object = {}, as?: Caller): Promise<Page> {
  const { data, errors } = await ask(variables, as);
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data!['executions'] as Page;
}
const idsOf = ({ edges }: Page) => edges.map(({ node }) => node.id);
const refusal = async (variables: object, as?: Caller) => {
  const [error] = (await ask(variables, as)).errors!;
  return { code: error!.extensions.code, message: error!.message, problems: error!.extensions['problems'] as { path: string }[] };
};

const start = async (agentId: string, input: Partial<StartExecution> = {}) => ids.execution((await api.start(agentId, input)).id);
const cancel = (id: string) => api.typed(api.operator).cancelExecution({ input: { executionId: id } });

test('each filter and their combinations, newest first', async () => {
  const { home } = api;
  const [one, two] = [await api.agent([{ id: 'a', transform: '1' }], twoPlaces), await api.agent([{ id: 'a', transform: '1' }])];
  const moments = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z', '2026-01-03T00:00:00.000Z', '2026-01-04T00:00:00.000Z'];
  const at = async (moment: string, agentId: string, input: Partial<StartExecution> = {}) => {
    now = new Date(moment);
    return start(agentId, { ...input, labels: { run: 'filters', ...(input.labels as object) } });
  };
  const a = await at(moments[0]!, one, { labels: { team: 'red', tier: '1' } });
  const b = await at(moments[1]!, one, { environmentId: home.production, labels: { team: 'red' } });
  const c = await at(moments[2]!, two, { labels: { team: 'blue' } });
  const d = await at(moments[3]!, two);
  await cancel(b);
  await cancel(c);
  const labelled = (labels: object = {}) => ({ labels: { run: 'filters', ...labels } });
  const cases: [filter: object, expected: string[]][] = [
    [{}, [d, c, b, a]],
    [{ status: ['QUEUED'] }, [d, a]],
    [{ status: ['CANCELLED'] }, [c, b]],
    [{ status: ['CANCELLED', 'QUEUED', 'FAILED'] }, [d, c, b, a]],
    [{ status: ['RUNNING'] }, []],
    [{ status: [] }, []],
    [{ status: null, agentId: null, since: null }, [d, c, b, a]],
    [{ projectId: ids.project(home.project) }, [d, c, b, a]],
    [{ projectId: ids.project(home.otherProject) }, []],
    [{ agentId: ids.agent(one) }, [b, a]],
    [{ agentId: ids.agent(newId()) }, []],
    [{ environmentId: ids.environment(home.production) }, [b]],
    [{ environmentId: ids.environment(api.people.other.staging) }, []],
    [labelled({ team: 'red' }), [b, a]],
    [labelled({ team: 'red', tier: '1' }), [a]],
    [labelled({ team: 'Red' }), []],
    [labelled({ team: 're\u0000' }), []],
    [{ since: moments[1] }, [d, c, b]],
    [{ until: moments[1] }, [a]],
    [{ since: moments[1], until: moments[3] }, [c, b]],
    [{ since: '2026-01-02T01:00:00+01:00', until: '2026-01-02T00:00:00.001Z' }, [b]],
    [{ agentId: ids.agent(two), status: ['QUEUED'], since: moments[2] }, [d]],
    [{ agentId: ids.agent(one), environmentId: ids.environment(home.staging), projectId: ids.project(home.project), status: ['QUEUED'], since: moments[0], until: moments[1], ...labelled({ tier: '1' }) }, [a]], // prettier-ignore
    [{ agentId: ids.agent(one), status: ['CANCELLED'], ...labelled({ tier: '1' }) }, []],
  ];
  for (const [filter, expected] of cases) assert.deepEqual(idsOf(await list({ filter: { ...labelled(), ...filter } })), expected, JSON.stringify(filter)); // prettier-ignore
  now = new Date('2026-11-21T10:00:00.000Z');
});

test('a filter that makes no sense is refused with every problem', async () => {
  const moment = '2026-01-01T00:00:00Z';
  const both = await refusal({ filter: { since: moment, until: moment, labels: ['x'] } });
  assert.deepEqual([both.code, both.problems.map(({ path }) => path)], ['VALIDATION_FAILED', ['filter.until', 'filter.labels']]);
  for (const labels of [{ team: 1 }, { team: null }, 'team', 7, []]) assert.equal((await refusal({ filter: { labels } })).code, 'VALIDATION_FAILED'); // prettier-ignore
  for (const [field, type] of [
    ['agentId', 'Agent'],
    ['environmentId', 'Environment'],
    ['projectId', 'Project'],
  ]) {
    const { code, message } = await refusal({ filter: { [field!]: ids.execution(newId()) } });
    assert.deepEqual([code, message.includes(`expected a global id of type ${type}`)], ['VALIDATION_FAILED', true]);
  }
  for (const filter of [{ since: 'yesterday' }, { status: ['DONE'] }, { nonsense: 1 }]) assert.equal((await refusal({ filter })).code, 'BAD_USER_INPUT'); // prettier-ignore
});

test('pages of every size, refused sizes, and cursors that do not fit', async () => {
  const agentId = await api.agent([{ id: 'a', transform: '1' }]);
  const all: string[] = [];
  for (let count = 0; count < 103; count++) all.unshift(await start(agentId));
  const filter = { agentId: ids.agent(agentId) };
  for (const [first, size, more] of [
    [1, 1, true],
    [20, 20, true],
    [100, 100, true],
    [null, 20, true],
  ] as const) {
    const { edges, pageInfo } = await list({ first, filter });
    assert.deepEqual([edges.length, pageInfo.hasNextPage, pageInfo.hasPreviousPage], [size, more, false]);
    assert.deepEqual([pageInfo.startCursor, pageInfo.endCursor], [edges[0]!.cursor, edges.at(-1)!.cursor]);
  }
  for (const first of [0, 101, -1, 1_000_000]) {
    const { code, message } = await refusal({ first, filter });
    assert.deepEqual([code, message], ['VALIDATION_FAILED', `first: must be between 1 and 100, got ${first}`]);
  }
  for (const [cursor, message] of [
    [cursorOf('agents', newId()), /belongs to the list "agents", not to "executions"/],
    ['nonsense', /is not a cursor of this API/],
    ['', /is not a cursor of this API/],
    [ids.execution(newId()), /belongs to the list "Execution"/],
    [Buffer.from('executions:x').toString('base64url'), /is not a cursor of this API/],
  ] as const) {
    const { code, message: text } = await refusal({ after: cursor, filter });
    assert.equal(code, 'INVALID_CURSOR');
    assert.match(text, message);
  }
  const exact = await list({ first: 100, filter, after: (await list({ first: 3, filter })).pageInfo.endCursor });
  assert.deepEqual([exact.edges.length, exact.pageInfo.hasNextPage], [100, false], 'exactly one page is left');
  const beyond = await list({ filter, after: exact.pageInfo.endCursor });
  assert.deepEqual(beyond, { edges: [], pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null } });
  const foreign = await list({ filter, after: cursorOf('executions', newId()) }, api.people.other.adminKey);
  assert.deepEqual(foreign.edges, []);
});

test('pages stay stable while executions are started and cancelled', async () => {
  const agentId = await api.agent([{ id: 'a', transform: '1' }]);
  const filter = { agentId: ids.agent(agentId) };
  const all: string[] = [];
  for (let count = 0; count < 12; count++) all.unshift(await start(agentId));
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const page = await list({ first: 5, after, filter });
    seen.push(...idsOf(page));
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    await start(agentId);
    await cancel(all[seen.length - 1]!);
  } while (after !== null);
  assert.deepEqual(seen, all);
});

test('each role on each place sees its executions and no others; without execution.read it is FORBIDDEN', async () => {
  const { home } = api;
  const plain = await api.agent([{ id: 'a', transform: '1' }], twoPlaces);
  const ofTeam = await api.agent([{ id: 'a', transform: '1' }], { ...twoPlaces, teamId: home.team });
  const labels = { run: 'rights' };
  const s = await start(plain, { labels });
  const p = await start(plain, { labels, environmentId: home.production });
  const ts = await start(ofTeam, { labels });
  const tp = await start(ofTeam, { labels, environmentId: home.production });
  const everything = [tp, ts, p, s];
  for (const role of ['admin', 'operator', 'reviewer', 'agent_manager', 'viewer', 'service'] as const) {
    for (const [kind, scopeId, expected] of [
      ['tenant', home.tenantId, everything],
      ['project', home.project, everything],
      ['project', home.otherProject, []],
      ['environment', home.staging, [ts, s]],
      ['environment', home.production, [tp, p]],
      ['team', home.team, [tp, ts]],
      ['team', home.otherTeam, []],
    ] as const) {
      const as = await home.principal([[role, kind, scopeId]]);
      assert.deepEqual(idsOf(await list({ filter: { labels } }, as)), expected, `${role} on ${kind}`);
    }
  }
  const mixed = await home.principal([
    ['viewer', 'environment', home.staging],
    ['service', 'team', home.team],
  ]);
  assert.deepEqual(idsOf(await list({ filter: { labels } }, mixed)), [tp, ts, s]);
  assert.deepEqual(idsOf(await list({ filter: { labels } }, api.people.other.admin)), []);
  const { code, message } = await refusal({}, await home.principal());
  assert.deepEqual([code, /execution\.read/.test(message)], ['FORBIDDEN', true]);
  const single = `query ($id: ID!) { execution(id: $id) { id } node(id: $id) { id } }`;
  for (const [id, as] of [
    [s, api.people.other.admin],
    [p, await home.principal([['viewer', 'environment', home.staging]])],
    [ids.execution(newId()), home.admin],
  ] as const) {
    // prettier-ignore
    assert.deepEqual((await api.gql(single, { id }, { as })).data, { execution: null, node: null });
  }
});

test('a list with everything in it takes as many statements for 50 executions as for one', async () => {
  const { home } = api;
  const rules = [{ tools: ['test.echo'] }];
  await api.typed().createPolicy({ input: { name: 'ask', kind: 'APPROVAL_REQUIRED', mode: 'ENFORCE', rules } });
  const agentId = await api.agent([
    { id: 'each', forEach: '[1, 2]', transform: 'item' },
    { id: 'echo', tool: 'test.echo', with: { value: '${{ steps.each.output }}' } },
  ]);
  await api.runner({ services: api.services });
  const reviewer = api.typed(api.reviewer);
  for (let count = 0; count < 50; count++) {
    const { id } = await api.start(agentId);
    await reviewer.decideApproval({ input: { approvalId: ids.approval(await api.asked(id)), decision: 'APPROVE' } });
    await api.finished(id);
  }
  const everything = `query ($first: Int, $filter: ExecutionFilter) { executions(first: $first, filter: $filter) { edges { node {
    status output agent { name project { name } } version { version } environment { name kind } project { name } requestedBy { name }
    steps { stepId kind status output attempts { number status arguments decision { effect } } approval { status }
      items(first: 2) { edges { node { index output attempts { number } } } } }
    approvals(first: 2) { edges { node { title decidedBy { name } execution { id } } } }
    decisions(first: 5) { edges { node { effect findings { policy { name } } } } }
    lastEvents(count: 5) { type sequence } } } } }`;
  const measured = async (first: number) => {
    const { result, statements } = await api.countStatements(() =>
      api.gql(everything, { first, filter: { agentId: ids.agent(agentId) } }, { as: home.adminKey }),
    );
    assert.equal(result.errors, undefined, JSON.stringify(result.errors));
    const nodes = result.data!['executions'].edges.map((edge: any) => edge.node);
    assert.equal(nodes.length, first);
    for (const node of nodes) {
      assert.deepEqual([node.status, node.steps.length, node.lastEvents.length, node.approvals.edges.length], ['SUCCEEDED', 2, 5, 1]);
      assert.deepEqual(node.steps[0].items.edges.map((edge: any) => edge.node.output), [1, 2]); // prettier-ignore
      assert.deepEqual([node.steps[0].output, node.steps[1].output.structured], [[1, 2], { value: [1, 2] }]);
      assert.deepEqual([node.steps[1].attempts[0].arguments, node.steps[1].approval.status], [{ value: [1, 2] }, 'APPROVED']);
      assert.deepEqual(node.decisions.edges.map((edge: any) => edge.node.effect).toSorted(), ['ALLOW', 'REQUIRE_APPROVAL', 'REQUIRE_APPROVAL']); // prettier-ignore
    }
    return statements.length;
  };
  const one = await measured(1);
  assert.deepEqual([await measured(20), await measured(50)], [one, one]);
  assert.ok(one <= 25, `${one} statements`);
});

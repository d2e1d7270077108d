// Replay and comparison through the API and the published client; what docs/executions.md shows is run here.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { itemCursor } from '#src/executions/execution.ts';
import { newId } from '#src/platform/ids.ts';
import { ids, testApi, type Api } from './harness/api.ts';
import { ownerRole } from './harness/database.ts';
import { blocksOf } from './harness/manual.ts';

const blocks = blocksOf('executions.md');

let api: Api;
let agentId: string;
before(async () => {
  api = await testApi({ limits: { queryCost: 100_000 }, tools: { 'test.greet': { run: ({ name }) => `hello ${String(name)}` } } });
  agentId = await api.agent([
    { id: 'names', transform: 'inputs.names' },
    { id: 'greet', forEach: '${{ steps.names.output }}', tool: 'test.greet', with: { name: '${{ item }}' } },
    { id: 'size', transform: '$count(steps.greet.output) > 1 ? "many" : "few"' },
  ]);
  await api.runner({ services: api.services });
});
after(() => api.close());

async function ran(names: readonly string[]): Promise<string> {
  const { id } = await api.start(agentId, { inputs: { names } });
  await api.finished(id);
  return ids.execution(id);
}
async function ask(query: string, variables: object, as = api.home.adminKey): Promise<any> {
  const { data, errors } = await api.gql(query, { ...variables }, { as });
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

test('docs/executions.md: the replay it shows gives the answers it shows', async () => {
  const [query] = blocks('Is it what its events say?', 'graphql');
  const [equal, different] = blocks('Is it what its events say?', 'json').map((text) => JSON.parse(text));
  const { id } = await api.start(agentId, { inputs: { names: ['ada', 'grace'] } });
  await api.finished(id);
  const replay = async () => (await ask(query!, { executionId: ids.execution(id) })).replayExecution;
  assert.deepEqual(await replay(), equal);
  const set = (status: string) =>
    api.home.write(async (uow) => {
      await uow.rows(`set local role ${ownerRole}`);
      await uow.rows(`update steps set status = $2 where execution_id = $1 and step_id = 'greet' and item_index = 1`, [id, status]);
    });
  await set('failed');
  const tampered = await replay();
  assert.deepEqual([tampered.equal, tampered.difference], [false, different]);
  await set('succeeded');
  assert.deepEqual(await api.typed().replayExecution({ executionId: ids.execution(id) }), equal);
});

test('docs/executions.md: the comparison it shows says where two executions part', async () => {
  const [query] = blocks('How do two executions differ?', 'graphql');
  const [a, b] = [await ran(['ada', 'grace', 'joan']), await ran(['ada', 'alan'])];
  const { compareExecutions: result } = await ask(query!, { a, b });
  assert.deepEqual([result.equal, result.sameVersion, result.sameInputs, result.firstDivergence], [false, true, false, { stepId: 'names', kind: 'OUTPUT', itemIndex: null }]); // prettier-ignore
  const [names, greet, size] = result.steps;
  assert.deepEqual([names.sameOutput, names.itemDifferences, names.items.edges], [false, null, []]);
  assert.deepEqual([greet.presence, greet.sameStatus, greet.sameOutput, greet.samePath, greet.sameDecisions], ['BOTH', true, false, null, true]); // prettier-ignore
  assert.deepEqual(greet.itemDifferences, { both: 2, onlyA: 1, onlyB: 0, different: 1, firstDifferent: 1 });
  assert.deepEqual(greet.items.edges.map(({ node }: any) => [node.index, node.presence, node.sameOutput, node.a?.item.output.text, node.b?.item.output.text]), [[1, 'BOTH', false, '"hello grace"', '"hello alan"'], [2, 'ONLY_A', null, '"hello joan"', undefined]]); // prettier-ignore
  assert.deepEqual([size.sameOutput, size.a.step.output, greet.a.attempts, greet.b.attempts], [true, 'many', 3, 2]);
});

test('the published client compares, with decisions and durations; equal executions are equal', async () => {
  const [a, b] = [await ran(['ada']), await ran(['ada'])];
  const result = await api.typed().compareExecutions({ a, b });
  assert.deepEqual([result.equal, result.firstDivergence, result.sameInputs, result.sameDecisions], [true, null, true, true]);
  const greet = result.steps.find(({ stepId }) => stepId === 'greet')!;
  assert.deepEqual([greet.sameDefinition, greet.a!.decisions!.map(({ effect, count }) => [effect, count])], [true, [['ALLOW', 1]]]);
  assert.ok(greet.a!.tookMs! >= 0 && result.a.tookMs! >= greet.a!.tookMs!);
  assert.equal(result.a.execution.id, a);
});

test('pages of compared items: by cursor, with what is wrong with a page that cannot be', async () => {
  const names = Array.from({ length: 12 }, (_, n) => `n${n}`);
  const [a, b] = [await ran(names), await ran(names.map((name, n) => (n % 3 === 0 ? `${name}!` : name)))];
  const query = `query ($a: ID!, $b: ID!, $first: Int, $after: String, $differing: Boolean) { compareExecutions(a: $a, b: $b) { steps { stepId
    items(first: $first, after: $after, differing: $differing) { edges { cursor node { index sameOutput a { outputDigest } b { outputDigest } } } pageInfo { hasNextPage endCursor } } } } }`;
  const page = async (variables: object) =>
    (await ask(query, { a, b, ...variables })).compareExecutions.steps.find(({ stepId }: any) => stepId === 'greet').items;
  const all = await page({ first: 100 });
  assert.deepEqual([all.edges.length, all.pageInfo.hasNextPage], [12, false]);
  for (const { node, cursor } of all.edges) {
    assert.deepEqual([node.sameOutput, cursor], [node.index % 3 !== 0, itemCursor(node.index)]);
    assert.equal(node.a.outputDigest === node.b.outputDigest, node.sameOutput);
  }
  const seen: number[] = [];
  let after: string | null = null;
  do {
    const { edges, pageInfo }: any = await page({ first: 3, after, differing: true });
    seen.push(...edges.map(({ node }: any) => node.index));
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
  assert.deepEqual(seen, [0, 3, 6, 9]);
  for (const [variables, code] of [
    [{ first: 0 }, 'VALIDATION_FAILED'],
    [{ first: 101 }, 'VALIDATION_FAILED'],
    [{ after: 'nonsense' }, 'INVALID_CURSOR'],
  ] as const)
    // prettier-ignore
    assert.equal((await api.gql(query, { a, b, ...variables })).errors![0]!.extensions.code, code);
});

test('both need execution.read where the executions are; decisions need decision.read; foreign and absent ones are not found', async () => {
  const { home } = api;
  const [a, absent] = [await ran(['ada']), ids.execution(newId())];
  const replay = `query ($executionId: ID!) { replayExecution(executionId: $executionId) { equal } }`;
  const compare = `query ($a: ID!, $b: ID!) { compareExecutions(a: $a, b: $b) { equal sameDecisions steps { sameDecisions a { decisions { effect } } } } }`;
  const codes = async (query: string, variables: object, as: Parameters<Api['typed']>[0]) =>
    (await api.gql(query, { ...variables }, { as })).errors?.map((error) => error.extensions.code) ?? [];
  const nobody = await home.principal([]);
  const elsewhere = await home.principal([['viewer', 'environment', home.production]]);
  const service = await home.principal([['service', 'tenant', home.tenantId]]);
  for (const [query, own, other] of [
    [replay, { executionId: a }, { executionId: absent }],
    [compare, { a, b: a }, { a, b: absent }],
  ] as const) {
    // prettier-ignore
    assert.deepEqual(await codes(query, own, nobody), ['FORBIDDEN']);
    assert.deepEqual(await codes(query, own, elsewhere), ['NOT_FOUND']);
    assert.deepEqual(await codes(query, own, service), []);
    assert.deepEqual(await codes(query, other, home.adminKey), ['NOT_FOUND']);
  }
  const { data } = await api.gql(compare, { a, b: a }, { as: service });
  const compared: any = data!['compareExecutions'];
  assert.deepEqual([compared.sameDecisions, compared.steps[1].sameDecisions, compared.steps[1].a.decisions], [null, null, null]);
});

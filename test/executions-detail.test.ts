// One execution in detail: steps in every state, items by page, attempts, outputs, failures, times, approvals, decisions.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { itemCursor } from '#src/executions/execution.ts';
import { holdTool, ids, testApi, type Api } from './harness/api.ts';
import type { Caller } from './harness/graphql.ts';

const hold = holdTool();
const tries = new Map<unknown, number>();
let api: Api;
before(async () => {
  api = await testApi({
    limits: { queryCost: 200_000 },
    tools: {
      'test.echo': { run: ({ value }) => value },
      'test.hold': hold.tool,
      'test.moody': {
        run: ({ n }) => {
          tries.set(n, (tries.get(n) ?? 0) + 1);
          if (Number(n) % 10 === 0) throw new Error(`never ${String(n)}`);
          if (Number(n) % 7 === 0 && tries.get(n) === 1) throw new Error(`not yet ${String(n)}`);
          return Number(n) * 2;
        },
      },
    },
  });
});
after(() => api.close());

const slot = `stepId status queuedAt startedAt finishedAt wakeAt output failure { code message stepId }
  attempts { number status arguments startedAt finishedAt failure { code message stepId } decision { effect stepId } } approval { id status consumedAt }`;
const detail = `query ($id: ID!, $first: Int, $after: String) { execution(id: $id) { status output createdAt startedAt finishedAt failure { code message stepId }
  steps { ${slot} kind needs itemTotal itemDone itemFailed items(first: $first, after: $after) { edges { cursor node { index value ${slot} } } pageInfo { hasNextPage endCursor } } }
  approvals { edges { node { status title stepId consumedAt decidedAt decidedBy { id } } } } decisions { edges { node { effect action stepId itemIndex } } }
  lastEvents(count: 100) { sequence type } } }`;

async function show(id: string, variables: object = {}, as: Caller = api.home.adminKey): Promise<any> {
  const { data, errors } = await api.gql(detail, { id: ids.execution(id), ...variables }, { as });
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data!['execution'];
}
const errorOf = async (query: string, variables: object) => (await api.gql(query, { ...variables })).errors![0]!;
const statuses = ({ steps }: any) => steps.map(({ stepId, status }: any) => `${stepId} ${status}`);
const inOrder = (...moments: (string | null)[]) => {
  assert.ok(moments.every((moment) => moment !== null));
  assert.deepEqual(moments.toSorted(), moments);
};

test('an execution from queued to succeeded: every step is there in each state, in the order of the definition', async () => {
  const agentId = await api.agent(
    [
      { id: 'last', needs: ['ask'], transform: '"done"' },
      { id: 'first', tool: 'test.echo', with: { value: '${{ inputs.word }}' } },
      { id: 'held', needs: ['first'], tool: 'test.hold', with: { key: 'detail' } },
      { id: 'ask', needs: ['held'], approval: { title: 'Go on?', reason: 'because', risk: 'high' } },
      { id: 'choose', needs: ['first'], branch: [{ when: 'inputs.word = "no"', then: ['skipped'] }] },
      { id: 'skipped', transform: '1' },
    ],
    { output: { said: '${{ steps.first.output.structured.value }}' } },
  );
  const { id } = await api.start(agentId, { inputs: { word: 'hello' } });
  const queued = await show(id);
  assert.deepEqual([queued.status, queued.startedAt, queued.steps.length], ['QUEUED', null, 6]);
  assert.deepEqual(
    statuses(queued),
    ['last', 'first', 'held', 'ask', 'choose', 'skipped'].map((step) => `${step} PENDING`),
  );
  assert.deepEqual(queued.steps.map((step: any) => [step.kind, step.needs]), [['TRANSFORM', ['ask']], ['TOOL', []], ['TOOL', ['first']], ['APPROVAL', ['held']], ['BRANCH', ['first']], ['TRANSFORM', ['choose']]]); // prettier-ignore
  assert.deepEqual(queued.decisions.edges.map((edge: any) => [edge.node.action, edge.node.effect]), [['EXECUTION_START', 'ALLOW']]); // prettier-ignore

  await api.runner({ services: api.services });
  await api.happened(id, 'step.skipped');
  while ((await show(id)).steps[2].status !== 'RUNNING') await api.happened(id, 'step.started');
  const running = await show(id);
  assert.deepEqual(statuses(running), ['last PENDING', 'first SUCCEEDED', 'held RUNNING', 'ask PENDING', 'choose SUCCEEDED', 'skipped SKIPPED']); // prettier-ignore
  const [, first, held, , choose] = running.steps;
  assert.deepEqual([running.status, first.output.structured, choose.output], ['RUNNING', { value: 'hello' }, { case: null }]);
  assert.deepEqual(held.attempts.map((each: any) => [each.number, each.status, each.arguments, each.finishedAt, each.decision]), [[1, 'RUNNING', { key: 'detail' }, null, { effect: 'ALLOW', stepId: 'held' }]]); // prettier-ignore
  assert.deepEqual([held.output, held.finishedAt, choose.attempts, first.items], [null, null, [], { edges: [], pageInfo: { hasNextPage: false, endCursor: null } }]); // prettier-ignore

  hold.release('detail');
  const approvalId = ids.approval(await api.asked(id));
  const waiting = await show(id);
  assert.deepEqual([waiting.status, waiting.steps[3].status, waiting.steps[3].approval], ['WAITING', 'AWAITING_APPROVAL', { id: approvalId, status: 'PENDING', consumedAt: null }]); // prettier-ignore
  await api.typed(api.reviewer).decideApproval({ input: { approvalId, decision: 'APPROVE', note: 'fine' } });
  await api.finished(id);
  const done = await show(id);
  assert.deepEqual([done.status, done.output, done.failure], ['SUCCEEDED', { said: 'hello' }, null]);
  assert.deepEqual(statuses(done), ['last SUCCEEDED', 'first SUCCEEDED', 'held SUCCEEDED', 'ask SUCCEEDED', 'choose SUCCEEDED', 'skipped SKIPPED']); // prettier-ignore
  assert.deepEqual(done.steps[3].output, { decision: 'approved', by: api.reviewer.principalId, note: 'fine' });
  const [{ node: approval }] = done.approvals.edges;
  assert.deepEqual([approval.status, approval.title, approval.decidedBy.id], ['APPROVED', 'Go on?', Buffer.from(`Principal:${api.reviewer.principalId}`).toString('base64')]); // prettier-ignore
  inOrder(done.createdAt, done.startedAt, done.steps[1].queuedAt, done.steps[1].startedAt, done.steps[1].finishedAt, approval.decidedAt, approval.consumedAt, done.finishedAt); // prettier-ignore
  assert.deepEqual(done.lastEvents.map((event: any) => event.sequence), done.lastEvents.map((_: unknown, index: number) => index + 1)); // prettier-ignore
});

test('forEach: items by page with their attempts, outputs and failures; the step counts them', async () => {
  const agentId = await api.agent([
    { id: 'each', forEach: '[1..25]', concurrency: 5, tool: 'test.moody', with: { n: '${{ item }}' }, retry: { maxAttempts: 2, initial: '1ms' }, onFailure: 'continue' }, // prettier-ignore
    { id: 'none', forEach: '[]', transform: 'item' },
    { id: 'total', needs: ['each', 'none'], transform: '$count(steps.none.output)' },
  ]);
  const { id } = await api.start(agentId);
  await api.finished(id);
  const [each, none, total] = (await show(id)).steps;
  assert.deepEqual([each.status, each.itemTotal, each.itemDone, each.itemFailed, each.failure.code], ['FAILED', 25, 25, 2, 'ITEMS_FAILED']);
  assert.equal(each.output, null, 'a list with items that failed has no output; theirs are with the items');
  assert.deepEqual([none.status, none.itemTotal, none.itemDone, none.output, none.items.edges], ['SUCCEEDED', 0, 0, [], []]);
  assert.deepEqual([total.output, total.itemTotal, total.items.edges], [0, null, []]);

  const items: any[] = [];
  let after: string | null = null;
  const sizes: number[] = [];
  do {
    const { edges, pageInfo }: any = (await show(id, { first: 10, after })).steps[0].items;
    items.push(...edges.map((edge: any) => edge.node));
    sizes.push(edges.length);
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
  assert.deepEqual([sizes, items.map(({ index, value }) => [index, value])], [[10, 10, 5], items.map((_, index) => [index, index + 1])]);
  assert.deepEqual(items.map(({ output }) => output?.structured.value ?? null), items.map((_, n) => ((n + 1) % 10 === 0 ? null : (n + 1) * 2))); // prettier-ignore
  assert.deepEqual(items[0].attempts.map((attempt: any) => attempt.status), ['SUCCEEDED']); // prettier-ignore
  const [retried, failed] = [items[6], items[9]];
  assert.deepEqual([retried.status, retried.failure, retried.output.structured], ['SUCCEEDED', null, { value: 14 }]);
  assert.deepEqual(retried.attempts.map((attempt: any) => [attempt.number, attempt.status, attempt.failure?.message ?? null]), [[1, 'FAILED', 'not yet 7'], [2, 'SUCCEEDED', null]]); // prettier-ignore
  assert.deepEqual([failed.status, failed.failure.code, failed.failure.message, failed.failure.stepId, failed.output], ['FAILED', 'TOOL_ERROR', 'never 10', 'each', null]); // prettier-ignore
  assert.deepEqual(failed.attempts.map((attempt: any) => [attempt.number, attempt.status, attempt.arguments]), [[1, 'FAILED', { n: 10 }], [2, 'FAILED', { n: 10 }]]); // prettier-ignore
  inOrder(retried.queuedAt, retried.attempts[0].startedAt, retried.attempts[0].finishedAt, retried.attempts[1].startedAt, retried.attempts[1].finishedAt, retried.finishedAt); // prettier-ignore
  assert.equal((await show(id, { first: 100 })).steps[0].items.edges.length, 25);
  assert.equal((await show(id, { first: 1, after: itemCursor(24) })).steps[0].items.edges.length, 0);
  for (const [variables, code, message] of [
    [{ first: 0 }, 'VALIDATION_FAILED', /first: must be between 1 and 100, got 0/],
    [{ first: 101 }, 'VALIDATION_FAILED', /got 101/],
    [{ after: 'nonsense' }, 'INVALID_CURSOR', /"nonsense" is not a cursor of this list/],
    [{ after: Buffer.from(`executions:${id}`).toString('base64url') }, 'INVALID_CURSOR', /is not a cursor/],
    [{ after: Buffer.from('items:-1').toString('base64url') }, 'INVALID_CURSOR', /is not a cursor/],
    [{ after: Buffer.from('items:9999999999').toString('base64url') }, 'INVALID_CURSOR', /is not a cursor/],
  ] as const) {
    const error = await errorOf(detail, { id: ids.execution(id), ...variables });
    assert.equal(error.extensions.code, code);
    assert.match(error.message, message);
  }
});

test('what failed, was refused, waits or was cancelled says so, and what never began is cancelled with it', async () => {
  const failing = await api.agent([{ id: 'bad', tool: 'test.moody', with: { n: 10 } }, { id: 'next', needs: ['bad'], transform: '1' }]); // prettier-ignore
  const { id: failed } = await api.start(failing);
  await api.finished(failed);
  const shown = await show(failed);
  assert.deepEqual([shown.status, shown.failure.code, shown.failure.stepId, shown.output], ['FAILED', 'STEP_FAILED', 'bad', null]);
  assert.deepEqual([shown.steps[0].failure.message, ...statuses(shown)], ['never 10', 'bad FAILED', 'next CANCELLED']);

  const asking = await api.agent([{ id: 'ask', approval: { title: 'Go on?' } }, { id: 'next', needs: ['ask'], transform: '1' }]); // prettier-ignore
  const { id: rejected } = await api.start(asking);
  await api.typed(api.reviewer).decideApproval({ input: { approvalId: ids.approval(await api.asked(rejected)), decision: 'REJECT', note: 'no way' } }); // prettier-ignore
  await api.finished(rejected);
  const blocked = await show(rejected);
  assert.deepEqual([blocked.status, blocked.failure.code, blocked.failure.stepId], ['BLOCKED', 'STEP_BLOCKED', 'ask']);
  assert.deepEqual([blocked.steps[0].failure.code, blocked.steps[0].failure.message], ['APPROVAL_REJECTED', 'rejected: no way']);
  assert.deepEqual(statuses(blocked), ['ask BLOCKED', 'next CANCELLED']);

  const resting = await api.agent([{ id: 'rest', wait: '1h' }, { id: 'hold', tool: 'test.hold', with: { key: 'never' } }]); // prettier-ignore
  const { id: cancelled } = await api.start(resting);
  await Promise.all([api.happened(cancelled, 'step.started'), api.happened(cancelled, 'step.waiting')]);
  const before = await show(cancelled);
  assert.deepEqual(statuses(before), ['rest WAITING', 'hold RUNNING']);
  assert.ok(Date.parse(before.steps[0].wakeAt) - Date.parse(before.steps[0].queuedAt) >= 3_590_000);
  await api.typed(api.operator).cancelExecution({ input: { executionId: ids.execution(cancelled) } });
  const after = await show(cancelled);
  assert.deepEqual([after.status, ...statuses(after)], ['CANCELLED', 'rest CANCELLED', 'hold CANCELLED']);
  assert.deepEqual([after.steps[1].attempts[0].status, after.steps[0].wakeAt], ['ABANDONED', null]);
  inOrder(after.steps[1].startedAt, after.steps[1].finishedAt, after.finishedAt);
});

test('a step’s output of 1 MiB is kept and read; one byte more fails the step and names it', async () => {
  const agentId = await api.agent([{ id: 'big', transform: '$pad("", inputs.length, "x")' }]);
  const run = async (length: number) => {
    const { id } = await api.start(agentId, { inputs: { length } });
    await api.finished(id);
    return show(id);
  };
  const fits = await run(1024 * 1024 - 2); // and two quotes
  assert.deepEqual([fits.status, fits.steps[0].output?.length], ['SUCCEEDED', 1024 * 1024 - 2]);
  const tooBig = await run(1024 * 1024 - 1);
  assert.deepEqual([tooBig.status, tooBig.steps[0].output, tooBig.steps[0].failure.code], ['FAILED', null, 'OUTPUT_TOO_LARGE']);
  assert.match(tooBig.steps[0].failure.message, /larger than 1048576 bytes/);
  assert.equal(tooBig.steps[0].failure.stepId, 'big');
});

test('the newest events: 1 to 100 of them, and no way to make a query look cheap', async () => {
  const { id } = await api.start(await api.agent([{ id: 'a', transform: '1' }]));
  await api.finished(id);
  const query = `query ($id: ID!, $count: Int!) { execution(id: $id) { lastEvents(count: $count) { sequence } } }`;
  const ask = async (count: number) => (await api.gql(query, { id: ids.execution(id), count })).data!['execution'].lastEvents.map((event: any) => event.sequence); // prettier-ignore
  assert.deepEqual([await ask(1), await ask(2), await ask(100)], [[5], [4, 5], [1, 2, 3, 4, 5]]);
  for (const count of [0, -1, 101, -2_000_000_000]) {
    const error = await errorOf(query, { id: ids.execution(id), count });
    assert.deepEqual([error.extensions.code, error.message], ['VALIDATION_FAILED', `count: must be between 1 and 100, got ${count}`]);
  }
  const dear = `query ($count: Int) { executions(first: 100) { edges { node { lastEvents(count: $count) { sequence }
    steps { attempts { decision { agent { versions(first: 100) { edges { node { id } } } } } } } } } } }`;
  for (const count of [1, -1_000_000, undefined]) {
    const error = await errorOf(dear, { count });
    assert.deepEqual([error.extensions.code, error.path], ['LIMIT_EXCEEDED', undefined], String(count));
  }
});

test('who may read executions but not approvals or decisions sees the execution without them', async () => {
  const agentId = await api.agent([{ id: 'ask', approval: { title: 'Go on?' } }, { id: 'echo', needs: ['ask'], tool: 'test.echo', with: { value: 1 } }]); // prettier-ignore
  const { id } = await api.start(agentId);
  await api.typed(api.reviewer).decideApproval({ input: { approvalId: ids.approval(await api.asked(id)), decision: 'APPROVE' } });
  await api.finished(id);
  const seen = await show(id, {}, await api.home.principal([['service', 'environment', api.home.staging]]));
  assert.deepEqual([seen.status, seen.approvals.edges, seen.decisions.edges, seen.steps[0].approval], ['SUCCEEDED', [], [], null]);
  assert.deepEqual([seen.steps[1].attempts[0].decision, seen.steps[1].output.structured], [null, { value: 1 }]);
  const all = await show(id, {}, await api.home.principal([['viewer', 'environment', api.home.staging]]));
  assert.deepEqual([all.approvals.edges.length, all.decisions.edges.length, all.steps[0].approval.status], [1, 2, 'APPROVED']);
});

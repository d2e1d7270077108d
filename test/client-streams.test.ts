// The client's streams of the product, from a real gateway and runner, through a network that cuts connections at random moments.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { createSignalboxClient, type SignalboxClient, type SignalboxClientError } from '#client/index.ts';
import { ids, testApi, type Api } from './harness/api.ts';
import { testServer } from './harness/graphql.ts';
import { createProxy, seededRandom, type Proxy } from './harness/proxy.ts';

let api: Api;
let proxy: Proxy;
let clients: SignalboxClient[] = [];
before(async () => {
  api = await testApi({ tools: { 'test.double': { run: ({ value }) => Number(value) * 2 } } });
  await api.runner({ services: api.services });
  proxy = await createProxy(Number(new URL(api.url).port));
});
after(async () => {
  await proxy.close();
  await api.close();
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  clients = [];
  proxy.bytesToLive = () => Number.POSITIVE_INFINITY;
});

function clientOf(apiKey = api.home.adminKey): SignalboxClient {
  const client = createSignalboxClient({ url: `http://127.0.0.1:${proxy.port}`, apiKey, retry: { initialMs: 1, maxMs: 5 } });
  clients.push(client);
  return client;
}
const keyOf = ({ tenantId, principalId }: Api['operator']) => `test-principal-${tenantId}/${principalId}`;

const doubling = [
  { id: 'items', transform: '[1..inputs.count]' },
  { id: 'double', forEach: '${{ steps.items.output }}', concurrency: 5, tool: 'test.double', with: { value: '${{ item }}' } },
  { id: 'sign_off', needs: ['double'], approval: { title: 'Go on?', risk: 'high', expiresIn: '1h' } },
  { id: 'end', needs: ['sign_off'], transform: '$sum(steps.double.output.structured.value)' },
];

test('more streams at once than a gateway lets through are all opened in the end', async () => {
  let now = new Date();
  const slow = await testServer({ clock: { now: () => now }, limits: { requestBurst: 2, requestsPerSecond: 20 } });
  const client = createSignalboxClient({ url: slow.url, apiKey: slow.people.operator.adminKey, retry: { initialMs: 1, maxMs: 5 } });
  clients.push(client);
  try {
    const refused: (number | undefined)[] = [];
    const onInterrupted = ({ code, retryAfterMs }: SignalboxClientError) => {
      assert.equal(code, 'RATE_LIMITED');
      if (refused.push(retryAfterMs) >= 4) now = new Date(now.getTime() + 1_000);
    };
    const streams = Array.from({ length: 6 }, () => client.tenantEvents({}, { onInterrupted }));
    for (const { value } of await Promise.all(streams.map((stream) => stream.next()))) assert.equal(value?.caughtUp, true);
    assert.ok(refused.length >= 4, 'all but two were refused');
    for (const ms of refused) assert.ok(ms! > 0, String(refused));
  } finally {
    await client.close();
    await slow.close();
  }
});

for (const seed of [11, 12, 13]) {
  test(`executionEvents lose and repeat nothing while connections break, up to the final event (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const agentId = await api.agent(doubling, { output: '${{ steps.end.output }}' });
    const { id } = await api.start(agentId, { inputs: { count: 40 } });
    const reviewer = api.typed(api.reviewer);
    // Short lives and long ones: what waits on the server comes as one batch, which must fit now and then.
    proxy.bytesToLive = () => Math.floor(random() ** 3 * 120_000);
    const sequences: number[] = [];
    const types: string[] = [];
    let interrupted = 0;
    const stream = clientOf().executionEvents({ executionId: ids.execution(id) }, { onInterrupted: () => interrupted++ });
    for await (const { events } of stream) {
      for (const event of events) {
        sequences.push(event.sequence);
        types.push(event.__typename);
        if (event.__typename === 'ApprovalRequested') {
          await reviewer.decideApproval({ input: { approvalId: event.approvalId, decision: 'APPROVE' } });
        }
      }
      if (random() < 0.2) proxy.cut();
    }
    const stored = await api.events(id);
    assert.deepEqual(
      sequences,
      stored.map(({ sequence }) => sequence),
    );
    assert.deepEqual(
      sequences,
      stored.map((_, index) => index + 1),
    );
    assert.equal(types.at(-1), 'ExecutionSucceeded');
    assert.equal(types.filter((type) => type === 'ApprovalRequested').length, 1);
    assert.ok(interrupted > 0, 'nothing was interrupted');
    const execution = await api.typed().execution({ id: ids.execution(id) });
    assert.equal(execution!.output, 40 * 41);
  });
}

test('approvalRequests give each request and each decision once while connections break', async () => {
  const random = seededRandom(21);
  const agentId = await api.agent([{ id: 'ask', approval: { title: 'May I?', risk: 'low', expiresIn: '1h' } }]);
  const reviewer = api.typed(api.reviewer);
  const count = 12;
  const first = await api.start(agentId);
  await api.happened(first.id, 'approval.requested');
  const seen = new Map<string, string[]>();
  proxy.bytesToLive = () => Math.floor(random() ** 3 * 120_000);
  const stream = clientOf(keyOf(api.reviewer)).approvalRequests({ filter: { agentId: ids.agent(agentId) } });
  const later = (async () => {
    for (let index = 1; index < count; index++) await api.start(agentId);
  })();
  let decided = 0;
  for await (const { changes } of stream) {
    for (const { type, approval } of changes) {
      seen.set(approval!.id, [...(seen.get(approval!.id) ?? []), type]);
      if (type === 'APPROVAL_REQUESTED') await reviewer.decideApproval({ input: { approvalId: approval!.id, decision: 'APPROVE' } });
      else decided++;
    }
    if (random() < 0.2) proxy.cut();
    if (decided === count) break;
  }
  await later;
  assert.equal(seen.size, count);
  for (const types of seen.values()) assert.deepEqual(types, ['APPROVAL_REQUESTED', 'APPROVAL_APPROVED']);
});

test('executionChanged goes on after an interruption, which it tells of', async () => {
  const agentId = await api.agent([{ id: 'a', transform: '1' }]);
  const lost: SignalboxClientError[] = [];
  const connections = proxy.connections;
  const stream = clientOf().executionChanged({ filter: { agentId: ids.agent(agentId) } }, { onInterrupted: (error) => lost.push(error) });
  const statuses: string[] = [];
  // Changes count from the moment of subscribing, so executions are started until one is seen.
  const seen = async () => {
    const next = stream.next();
    let settled = false;
    void next.then(() => (settled = true));
    while (!settled) await api.finished((await api.start(agentId)).id);
    statuses.push((await next).value!.executions[0]!.status);
  };
  await seen();
  proxy.cut();
  await seen();
  assert.equal(lost[0]!.code, 'NETWORK');
  assert.ok(proxy.connections > connections + 1);
  assert.equal(statuses.length, 2);
});

test('a cursor of another execution, an absent execution and one that may not be seen end the stream with their code', async () => {
  const agentId = await api.agent([{ id: 'a', transform: '1' }]);
  const [one, other] = [await api.start(agentId), await api.start(agentId)];
  await api.finished(one.id);
  await api.finished(other.id);
  const client = clientOf();
  const cursor = (await client.executionEvents({ executionId: ids.execution(one.id) }).next()).value!.cursor;
  const failing = async (code: string, of: SignalboxClient, executionId: string, after?: string) =>
    assert.rejects(of.executionEvents({ executionId, after }).next(), (error: SignalboxClientError) => error.code === code);
  await failing('INVALID_CURSOR', client, ids.execution(other.id), cursor);
  await failing('INVALID_CURSOR', client, ids.execution(one.id), 'garbage');
  await failing('NOT_FOUND', client, ids.execution(api.home.tenantId));
  await failing('VALIDATION_FAILED', client, ids.agent(agentId));
  await failing('NOT_FOUND', clientOf(api.people.other.adminKey), ids.execution(one.id));
  await failing('FORBIDDEN', clientOf(keyOf(await api.home.principal([]))), ids.execution(one.id));
});

test('a stream that was taken up with the last cursor ends at once', async () => {
  const { id } = await api.start(await api.agent([{ id: 'a', transform: '1' }]));
  const client = clientOf();
  let cursor = '';
  for await (const batch of client.executionEvents({ executionId: ids.execution(id) })) ({ cursor } = batch);
  const rest = [];
  for await (const { events } of client.executionEvents({ executionId: ids.execution(id), after: cursor })) rest.push(...events);
  assert.deepEqual(rest, []);
});

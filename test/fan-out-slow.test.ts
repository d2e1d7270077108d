// One who does not read among many who do: they hear everything, its queue stays within the bound, and it is told, closed, and goes on
// behind its cursor. And nobody hears anything after rights have ended, also not what waited for a peer.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { newId } from '#src/platform/ids.ts';
import { probe } from '#test/harness/gateway-fields.ts';
import { testServer, type TestServer } from '#test/harness/graphql.ts';

const queueBytes = 1_000_000;
let server: TestServer;
before(async () => {
  server = await testServer({ recheckMs: 20, limits: { streamQueueBytes: queueBytes } });
});
after(() => server.close());

const turn = () => new Promise((resolve) => setImmediate(resolve));
const padding = 200_000;
const query = `subscription ($name: String!, $after: String) { testTicks(name: $name, after: $after) { n cursor who padding(length: ${padding}) } }`;

/** One operation on a socket of its own; keeps what arrives, without the padding. */
class Watcher {
  readonly numbers: number[] = [];
  /** Roles that each was executed with. */
  readonly roles: string[] = [];
  cursor: string | undefined;
  error: { code: string; cursor?: string; message: string } | null = null;
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;

  constructor(name: string, { key = server.people.operator.adminKey, cursor = '0' }: { key?: string; cursor?: string | undefined } = {}) {
    this.socket = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => this.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })));
    this.socket.on('open', () =>
      this.socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } })),
    );
    this.socket.on('message', (data) => {
      const { type, payload } = JSON.parse(String(data).replace(/"x+"/, '""')) as { type: string; payload?: Record<string, any> };
      if (type === 'connection_ack')
        this.socket.send(JSON.stringify({ id: 'it', type: 'subscribe', payload: { query, variables: { name, after: cursor } } }));
      if (type !== 'next') return;
      if (payload!['errors']) this.error = { ...payload!['errors'][0].extensions, message: payload!['errors'][0].message };
      const tick = payload!['data']?.testTicks;
      if (!tick) return;
      this.numbers.push(tick.n as number);
      this.roles.push(tick.who as string);
      this.cursor = tick.cursor as string;
    });
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await turn();
  }
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);
const source = async (name: string) => {
  while (!probe.sources.has(name)) await turn();
  return probe.sources.get(name)!;
};

/** Resolves when everybody has heard the first one, which is 1: they watch from the beginning. */
async function begin(name: string, watchers: readonly Watcher[]): Promise<void> {
  (await source(name)).push(1);
  for (const watcher of watchers) await watcher.until(() => watcher.numbers.length > 0);
}

test('among 100 who watch, one that does not read is told, closed, and goes on exactly; the others hear everything', async () => {
  const name = newId();
  const watchers = Array.from({ length: 100 }, () => new Watcher(name));
  await begin(name, watchers);
  const [slow, ...others] = watchers as [Watcher, ...Watcher[]];
  const feed = await source(name);
  slow.socket.pause();
  const { executions } = probe;
  // A kernel keeps some megabytes for a peer; beyond them the queue fills, and then it is told.
  let last = 1;
  const isTold = () =>
    server.logs.some(({ msg, reason }) => msg === 'a peer reads too slowly' && String(reason).includes(`${queueBytes} bytes`));
  while (!isTold()) {
    feed.push((last += 1));
    await others[0]!.until(() => others.every(({ numbers }) => numbers.at(-1) === last));
    for (const bytes of server.gateway.queuedBytes()) assert.ok(bytes <= queueBytes, `${bytes} bytes wait`);
    assert.ok(last < 1_000, 'it was never too much');
  }
  assert.equal(probe.executions - executions, last - 1, 'each executed once for all');
  for (const { numbers } of others) assert.deepEqual(numbers, upTo(last));
  slow.socket.resume();
  const { code, reason } = await slow.closed;
  assert.equal(code, 1013);
  assert.match(reason, /^SLOW_CONSUMER: more than 1000000 bytes wait/);
  assert.deepEqual([slow.error?.code, slow.error?.cursor], ['SLOW_CONSUMER', slow.cursor]);
  assert.match(slow.error!.message, /subscribe again with the cursor of the last batch/);
  const again = new Watcher(name, { cursor: slow.error!.cursor });
  feed.push((last += 1));
  await again.until(() => again.numbers.at(-1) === last);
  assert.deepEqual([...slow.numbers, ...again.numbers], upTo(last), 'nothing lost, nothing twice');
  for (const { socket } of [...others, again]) socket.terminate();
});

test('what waits for a peer is not sent any more once its key is revoked', async () => {
  const { operator, apiKeys } = server.people;
  const key = await operator.write((uow) => apiKeys.createApiKey(uow, operator.admin, { name: newId(), roles: ['viewer'] }));
  const name = newId();
  const [watcher, witness] = [new Watcher(name, { key: key.token }), new Watcher(name, { key: key.token })];
  await begin(name, [watcher, witness]);
  const feed = await source(name);
  watcher.socket.pause();
  // Beyond what the kernel keeps, so that some wait here; fewer than the bound.
  let last = 1;
  const waits = () => [...server.gateway.queuedBytes()].some((bytes) => bytes > 3 * padding);
  while (!waits()) {
    feed.push((last += 1));
    await witness.until(() => witness.numbers.at(-1) === last);
  }
  await operator.write((uow) => apiKeys.revokeApiKey(uow, operator.admin, { apiKeyId: key.apiKey.id }));
  while (!feed.isStopped()) await turn();
  watcher.socket.resume();
  const { code } = await watcher.closed;
  assert.deepEqual([code, watcher.error?.code, witness.error?.code], [4403, 'UNAUTHENTICATED', 'UNAUTHENTICATED']);
  assert.deepEqual(watcher.numbers, upTo(watcher.numbers.length));
  assert.ok(watcher.numbers.at(-1)! <= last - 3, 'what waited was dropped');
  assert.equal(witness.numbers.at(-1), last);
});

test('what waits for a peer is executed again when a grant is removed and others are left: nothing lost, nothing twice', async () => {
  const { operator, grants } = server.people;
  const person = await operator.principal([['viewer', 'project', operator.project], ['operator', 'tenant', operator.tenantId]]); // prettier-ignore
  const key = `test-principal-${operator.tenantId}/${person.principalId}`;
  const name = newId();
  const [watcher, witness] = [new Watcher(name, { key }), new Watcher(name, { key })];
  await begin(name, [watcher, witness]);
  const feed = await source(name);
  watcher.socket.pause();
  let last = 1;
  const tell = async () => {
    feed.push((last += 1));
    await witness.until(() => witness.numbers.at(-1) === last);
  };
  while (!server.gateway.queuedBytes().some((bytes) => bytes > 3 * padding)) await tell();
  const find = `select id from role_grants where principal_id = $1 and role = 'operator'`;
  const [grant] = await operator.read((uow) => uow.rows<{ id: string }>(find, [person.principalId]));
  await operator.write((uow) => grants.revokeRole(uow, operator.admin, { grantId: grant!.id }));
  await tell();
  assert.equal(witness.roles.at(-1), 'viewer');
  watcher.socket.resume();
  await watcher.until(() => watcher.numbers.at(-1) === last);
  assert.deepEqual(watcher.numbers, upTo(last));
  assert.deepEqual(watcher.roles.slice(-4), ['viewer', 'viewer', 'viewer', 'viewer']);
  for (const { socket } of [watcher, witness]) socket.terminate();
});

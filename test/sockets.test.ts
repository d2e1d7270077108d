// WebSockets as a client meets them: being let in, limits, and being told to leave.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WebSocket, type ClientOptions } from 'ws';
import { UnavailableError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import { eventually } from '#test/harness/eventually.ts';
import { probe } from '#test/harness/gateway-fields.ts';
import { RawSocket as HarnessSocket } from '#test/harness/raw-socket.ts';
import { testServer, type TestServer } from '#test/harness/graphql.ts';

/** So odd that no other timer has it. */
const wsInitTimeoutMs = 98_765;
let server: TestServer;
let now = new Date('2026-01-01T00:00:00Z');
before(async () => {
  server = await testServer({
    clock: { now: () => now },
    recheckMs: 10,
    limits: { wsInitTimeoutMs, wsMaxSubscriptions: 3, wsMaxMessageBytes: 10_000 },
    allowedOrigins: ['https://console.example.com'],
    publicUrl: 'https://signalbox.example.com/base',
  });
});
after(() => server.close());

const protocol = 'graphql-transport-ws';
const address = (path = '/graphql') => `${server.url.replace('http', 'ws')}${path}`;

class RawSocket extends HarnessSocket {
  constructor(protocols: string | string[] = protocol, options: ClientOptions = {}) {
    super(server, protocols, options);
  }
}

const refusedUpgrade = (options: ClientOptions & { path?: string }) =>
  new Promise<{ status: number; body: any }>((resolve, reject) => {
    const socket = new WebSocket(address(options.path), protocol, options);
    socket.on('error', () => undefined);
    socket.on('open', () => reject(new Error('the upgrade was accepted')));
    socket.on('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode!, body: JSON.parse(text) }));
    });
  });

test('a foreign Origin is refused with 403 and told why; none, its own and an allowed one are let in', async () => {
  for (const origin of ['https://evil.example.com', 'null', 'http://127.0.0.1:1', `${server.url}.evil.example.com`]) {
    const { status, body } = await refusedUpgrade({ headers: { origin } });
    assert.deepEqual([status, body.errors[0].extensions.code], [403, 'FORBIDDEN'], origin);
    assert.match(body.errors[0].message, /http\.allowedOrigins/);
  }
  for (const origin of [undefined, server.url, 'https://console.example.com', 'https://signalbox.example.com']) {
    const { socket } = await new RawSocket(protocol, origin === undefined ? {} : { headers: { origin } }).init();
    assert.equal(socket.readyState, WebSocket.OPEN);
    socket.close();
  }
});

test('an upgrade elsewhere is answered 404', async () => {
  assert.equal((await refusedUpgrade({ path: '/elsewhere' })).status, 404);
});

test('a socket without init is closed with 4408 after the time of the setting, one that subscribes before init with 4401', async (t) => {
  const timers = t.mock.method(globalThis, 'setTimeout');
  const silent = await new RawSocket().open();
  const [isOver] = timers.mock.calls.find(({ arguments: [, ms] }) => ms === wsInitTimeoutMs)!.arguments;
  timers.mock.restore();
  isOver();
  assert.equal((await silent.closed).code, 4408);
  const early = await new RawSocket().open();
  early.subscribe('1', '{ __typename }');
  assert.equal((await early.closed).code, 4401);
});

test('a socket without the subprotocol graphql-transport-ws is closed with 4406', async () => {
  assert.equal((await (await new RawSocket([]).open()).closed).code, 4406);
  const legacy = new RawSocket('graphql-ws');
  await legacy.closed;
  assert.equal(legacy.messages.length, 0);
});

test('a missing, malformed or wrong credential closes the socket with 4401 and says so', async () => {
  const reason = async (payload: Record<string, unknown>) => (await new RawSocket().init(payload)).closed;
  assert.deepEqual(await reason({ authorization: 'Bearer sbk_wrong' }), { code: 4401, reason: 'the API key is not valid' });
  assert.equal((await reason({})).code, 4401);
  assert.equal((await reason({ authorization: 42 })).code, 4401);
});

test('the credential may stand in the header of the upgrade', async () => {
  const headers = { authorization: `Bearer ${server.people.operator.adminKey}` };
  const socket = await new RawSocket(protocol, { headers }).init({});
  assert.equal(socket.socket.readyState, WebSocket.OPEN);
  socket.socket.close();
});

test('when credentials cannot be checked just now the socket is closed with 1013', async () => {
  const down = await testServer({
    authenticator: (real) => ({
      ...real,
      async authenticate() {
        throw new UnavailableError('the issuer does not answer');
      },
    }),
  });
  const client = down.client('any');
  await assert.rejects(client.iterate({ query: '{ __typename }' }).next(), { code: 1013, reason: 'the issuer does not answer' });
  await down.close();
});

test('messages that are no protocol close the socket with 4400, too large ones with 1009', async () => {
  const garbage = await new RawSocket().init();
  garbage.socket.send('{"type":"nonsense"}');
  assert.equal((await garbage.closed).code, 4400);
  const large = await new RawSocket().init();
  const query = (bytes: number) => {
    const text = (padding: string) =>
      JSON.stringify({ id: '1', type: 'subscribe', payload: { query: '{ __typename }', variables: { padding } } });
    return text('x'.repeat(bytes - text('').length));
  };
  large.socket.send(query(10_000));
  assert.equal((await large.next('next', '1'))['payload'].data.__typename, 'Query');
  large.socket.send(query(10_001));
  assert.equal((await large.closed).code, 1009);
});

test('a socket may have as many operations open as the limit; one that ends makes room', async () => {
  const socket = await new RawSocket().init();
  const names = Array.from({ length: 4 }, () => newId());
  names.slice(0, 3).forEach((name, i) => socket.subscribe(String(i), `subscription { testTicks(name: "${name}") { n } }`));
  await sources(...names.slice(0, 3));
  socket.subscribe('3', `subscription { testTicks(name: "${names[3]}") { n } }`);
  const { payload } = await socket.next('error', '3');
  assert.deepEqual(payload[0].extensions, { code: 'LIMIT_EXCEEDED', limit: { name: 'wsMaxSubscriptions', requested: 4, allowed: 3 } });
  assert.equal(payload[0].message, 'this socket has 3 open operations, the most it may have; end one, or open another socket');
  socket.send({ id: '0', type: 'complete' });
  socket.subscribe('4', `subscription { testTicks(name: "${names[3]}") { n } }`);
  await sources(names[3]!);
  socket.socket.close();
  await stopped(...names);
});

test('queries and mutations work over a socket, with the errors they have over HTTP', async () => {
  const socket = await new RawSocket().init();
  socket.subscribe('1', '{ testThings(first: 1) { edges { node { fails(how: "unexpected") } } } }');
  const { payload } = await socket.next('next', '1');
  assert.equal(payload.errors[0].extensions.code, 'INTERNAL');
  assert.ok(!JSON.stringify(payload).includes('hunter2'));
  await socket.next('complete', '1');
  socket.subscribe('2', 'mutation { testRename(input: { id: "x", name: "y" }) { __typename } }');
  assert.equal((await socket.next('next', '2'))['payload'].data.testRename.__typename, 'ValidationError');
  socket.subscribe('3', '{ nonsense }');
  assert.equal((await socket.next('error', '3'))['payload'][0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
  socket.send({ id: '4', type: 'subscribe', payload: { query: 'query a { __typename } query b { __typename }', operationName: 'c' } });
  assert.equal((await socket.next('error', '4'))['payload'][0].extensions.code, 'OPERATION_RESOLUTION_FAILURE');
  socket.socket.close();
});

test('a socket is closed with 4403 when its credential expires, after its subscriptions heard of it', async () => {
  const { operator } = server.people;
  const expiresAt = new Date(now.getTime() + 60_000);
  const key = await operator.write((uow) =>
    server.people.apiKeys.createApiKey(uow, operator.admin, { name: newId(), roles: ['viewer'], expiresAt }),
  );
  const socket = await new RawSocket().init({ authorization: `Bearer ${key.token}` });
  const name = newId();
  socket.subscribe('1', `subscription { testTicks(name: "${name}") { n } }`);
  await sources(name);
  now = new Date(expiresAt.getTime() - 1);
  probe.sources.get(name)!.push(1);
  assert.equal((await socket.next('next', '1'))['payload'].data.testTicks.n, 1);
  now = expiresAt;
  const closed = await socket.closed;
  assert.equal(closed.code, 4403);
  assert.match(closed.reason, /^this (credential|API key) expired at 2026-/);
  const { payload } = await socket.next('next', '1');
  assert.equal(payload.errors[0].extensions.code, 'UNAUTHENTICATED');
  await socket.next('complete', '1');
  await stopped(name);
});

test('a quiet socket is closed when its key is revoked only once it is used; its operation is refused', async () => {
  const { operator } = server.people;
  const key = await operator.write((uow) => server.people.apiKeys.createApiKey(uow, operator.admin, { name: newId(), roles: ['viewer'] }));
  const socket = await new RawSocket().init({ authorization: `Bearer ${key.token}` });
  await operator.write((uow) => server.people.apiKeys.revokeApiKey(uow, operator.admin, { apiKeyId: key.apiKey.id }));
  socket.subscribe('1', '{ testThings { edges { node { id } } } }');
  const closed = await socket.closed;
  assert.equal(closed.code, 4403);
  assert.match(closed.reason, /was revoked/);
  assert.equal((await socket.next('next', '1'))['payload'].errors[0].extensions.code, 'UNAUTHENTICATED');
});

test('closing the gateway tells every socket 1001 and why, ends subscriptions, and lets nobody in', async () => {
  const leaving = await testServer();
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  const client = leaving.client(leaving.people.operator.adminKey, {
    on: { closed: (event) => closed.resolve(event as { code: number; reason: string }) },
  });
  const name = newId();
  const results = client.iterate({ query: `subscription { testTicks(name: "${name}") { n } }` });
  const first = results.next();
  await sources(name);
  probe.sources.get(name)!.push(1);
  await first;
  const next = results.next();
  next.catch(() => undefined);
  const done = leaving.gateway.close('restarting for an update');
  const { code, reason } = await closed.promise;
  assert.deepEqual({ code, reason }, { code: 1001, reason: 'restarting for an update' });
  await assert.rejects(next);
  await done;
  await stopped(name);
  await leaving.close();
});

/** Resolves once each of these sources has been asked for. */
async function sources(...names: string[]): Promise<void> {
  await eventually(() => names.every((name) => probe.sources.has(name)));
}
async function stopped(...names: string[]): Promise<void> {
  await eventually(() => names.every((name) => probe.sources.get(name)!.isStopped()));
}

// What sockets may take without doing anything useful: at the limit, one above, and that room comes back.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { WebSocket } from 'ws';
import { newId } from '#src/platform/ids.ts';
import { eventually } from '#test/harness/eventually.ts';
import { probe } from '#test/harness/gateway-fields.ts';
import { testServer, type TestServer } from '#test/harness/graphql.ts';
import { RawSocket } from '#test/harness/raw-socket.ts';

let now = new Date('2026-01-01T00:00:00Z');
let server: TestServer;
before(async () => {
  server = await testServer({
    clock: { now: () => now },
    limits: {
      ...{ wsMaxUninitialized: 4, wsMaxUninitializedPerAddress: 3, wsMaxIdlePerPrincipal: 2 },
      ...{ wsMessagesPerSecond: 1, wsMessageBurst: 10, wsMaxMessageBytes: 200_000, streamQueueBytes: 65_536 },
    },
  });
});
after(() => server.close());
const opened: RawSocket[] = [];
beforeEach(() => (now = new Date(now.getTime() + 3_600_000)));
afterEach(async () => {
  for (const { socket } of opened) socket.close();
  await Promise.all(opened.splice(0).map(({ closed }) => closed));
});

function raw(): RawSocket {
  const socket = new RawSocket(server);
  opened.push(socket);
  return socket;
}
const introduced = () => raw().init();

function refusedUpgrade(): Promise<{ status: number; retryAfter: string | undefined; error: any }> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  socket.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    socket.on('open', () => reject(new Error('the upgrade was accepted')));
    socket.on('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += String(chunk)));
      const { statusCode: status = 0, headers } = response;
      response.on('end', () => resolve({ status, retryAfter: headers['retry-after'], error: JSON.parse(text).errors[0] }));
    });
  });
}

test('so many sockets of an address may be open without init; one more is refused, and one that introduces itself makes room', async () => {
  const strangers = await Promise.all([raw().open(), raw().open(), raw().open()]);
  const { status, retryAfter, error } = await refusedUpgrade();
  assert.deepEqual([status, retryAfter], [429, '10']);
  assert.match(error.message, /^3 sockets from your address have not introduced themselves/);
  assert.deepEqual(error.extensions, { code: 'LIMIT_EXCEEDED', limit: { name: 'wsMaxUninitializedPerAddress', requested: 4, allowed: 3 } });
  await strangers[0].init();
  const fourth = await raw().open();
  assert.equal((await refusedUpgrade()).status, 429);
  fourth.socket.terminate();
  await eventually(async () => {
    const next = raw();
    await Promise.race([next.open(), next.closed]);
    return next.socket.readyState === WebSocket.OPEN;
  });
});

test('so many sockets of all addresses together may be open without init', async () => {
  const narrow = await testServer({ limits: { wsMaxUninitialized: 1 } });
  try {
    const first = await new RawSocket(narrow).open();
    const second = new RawSocket(narrow);
    const refused = new Promise<number>((resolve) => second.socket.on('unexpected-response', (_, { statusCode }) => resolve(statusCode!)));
    assert.equal(await refused, 429);
    await first.init();
    assert.equal((await new RawSocket(narrow).open()).socket.readyState, WebSocket.OPEN);
  } finally {
    await narrow.close();
  }
});

test('so many sockets of a principal may be idle; one more closes the one that was idle for longest, and busy ones are left alone', async () => {
  const [first, second] = [await introduced(), await introduced()];
  const busy = newId();
  first.subscribe('1', `subscription { testTicks(name: "${busy}") { n } }`);
  await eventually(() => probe.sources.has(busy));
  const third = await introduced(); // idle: second, third
  assert.deepEqual(
    [first, second, third].map(({ socket }) => socket.readyState),
    [1, 1, 1],
  );
  second.subscribe('1', '{ __typename }');
  await second.next('complete', '1'); // idle: third, second
  const fourth = await introduced();
  assert.deepEqual(await third.closed, {
    code: 4410,
    reason: 'idle: more than 2 sockets of yours have no open operation (wsMaxIdlePerPrincipal)',
  });
  second.subscribe('2', '{ nonsense }');
  await second.next('error', '2'); // idle: fourth, second
  first.send({ id: '1', type: 'complete' }); // and first
  assert.equal((await fourth.closed).code, 4410);
  assert.deepEqual(
    [first, second].map(({ socket }) => socket.readyState),
    [1, 1],
  );
});

test('a socket may send so many messages and pings at once and then so many a second; one more closes it', async () => {
  const socket = await introduced(); // 1 message
  const ping = async () => {
    socket.send({ type: 'ping' });
    await Promise.race([socket.next('pong'), socket.closed]);
    return socket.socket.readyState;
  };
  for (let i = 0; i < 5; i++) assert.equal(await ping(), WebSocket.OPEN);
  for (let i = 0; i < 4; i++) {
    const pong = new Promise((resolve) => socket.socket.once('pong', resolve));
    socket.socket.ping();
    await pong;
  }
  now = new Date(now.getTime() + 1_000);
  assert.equal(await ping(), WebSocket.OPEN);
  await ping();
  assert.deepEqual(await socket.closed, { code: 4429, reason: 'more than 10 messages at once and 1 a second (wsMessagesPerSecond)' });
  const pinged = await introduced();
  for (let i = 0; i < 10; i++) pinged.socket.ping();
  assert.equal((await pinged.closed).code, 4429);
});

test('before it has introduced itself a socket may send ten messages and pings; one more closes it', async () => {
  const polite = await raw().open();
  for (let i = 0; i < 9; i++) polite.socket.ping();
  await polite.init(); // the tenth
  assert.equal(polite.socket.readyState, WebSocket.OPEN);
  const rude = await raw().open();
  for (let i = 0; i < 11; i++) rude.socket.ping();
  assert.deepEqual(await rude.closed, { code: 4429, reason: 'more than 10 messages before connection_ack' });
});

test('what a socket sent that was closed for sending too much counts as operations: the next ones have to wait', async () => {
  const strict = await testServer({
    clock: { now: () => now },
    limits: { wsMessagesPerSecond: 1, wsMessageBurst: 10, requestsPerSecond: 2, requestBurst: 12 },
  });
  try {
    const flood = async () => {
      const socket = await new RawSocket(strict).init();
      for (let i = 0; i < 10; i++) socket.socket.ping();
      return socket.closed;
    };
    assert.equal((await flood()).code, 4429);
    assert.equal((await flood()).code, 4429); // by now it owes 8
    const refused = { code: 1013, reason: /^you have sent more operations than 12 at once and 2 a second.*try again in 4500 ms$/s };
    const next = new RawSocket(strict);
    await next.init();
    const { code, reason } = await next.closed;
    assert.equal(code, refused.code);
    assert.match(reason, refused.reason);
    now = new Date(now.getTime() + 10_000);
    const isEarly = async () => {
      const socket = await new RawSocket(strict).open();
      socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${strict.people.operator.adminKey}` } });
      for (let i = 0; i < 10; i++) socket.socket.ping();
      return (await socket.closed).code;
    };
    assert.deepEqual([await isEarly(), await isEarly()], [4429, 4429]); // before anybody knew whose they are; it is found out later
    await eventually(async () => {
      const again = new RawSocket(strict);
      await again.init();
      again.socket.close();
      return (await again.closed).code === 1013;
    });
    now = new Date(now.getTime() + 10_000);
    assert.equal((await new RawSocket(strict).init()).socket.readyState, WebSocket.OPEN);
  } finally {
    await strict.close();
  }
});

test('a large message counts as several', async () => {
  const socket = await introduced();
  socket.send({ type: 'ping', payload: { x: 'x'.repeat(9 * 16 * 1024) } }); // 1 and 9 more, after the one of the init
  await socket.next('pong');
  socket.send({ type: 'ping' });
  assert.equal((await socket.closed).code, 4429);
});

test('messages that are no text, nested too deeply, or change prototypes close the socket and change nothing', async () => {
  const reason = async (message: string | Buffer) => {
    const socket = await introduced();
    socket.socket.send(message);
    return socket.closed;
  };
  const operation = (variables: string) => `{"id":"1","type":"subscribe","payload":{"query":"{ __typename }","variables":${variables}}}`;
  assert.deepEqual(await reason(operation(`{"x":${'['.repeat(1_000)}${']'.repeat(1_000)}}`)), {
    code: 4400,
    reason: 'the JSON is nested deeper than 100 levels, the most this server reads; send less at once',
  });
  assert.equal((await reason(operation('{"__proto__":{"polluted":1}}'))).code, 4400);
  assert.equal((await reason(Buffer.from([0xff, 0xfe, 0x00]))).code, 4400);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

const unread = 200_000;
/** Resolves when the server has worked on it. */
const sends: Record<string, (peer: RawSocket, n: number, isOver: () => boolean) => Promise<unknown>> = {
  operations(peer, n, isOver) {
    const { executions } = probe;
    peer.subscribe(String(n), `{ testPadding(length: ${unread}) }`);
    return eventually(() => probe.executions > executions || isOver());
  },
  pings(peer, _n, isOver) {
    peer.send({ type: 'ping', payload: { x: 'x'.repeat(unread) } });
    return eventually(() => peer.socket.bufferedAmount === 0 || isOver());
  },
};
for (const [what, send] of Object.entries(sends)) {
  test(`a peer that sends ${what} and reads nothing is told and closed, and what it did not read stays within a bound`, async () => {
    const generous = await testServer({ limits: { streamQueueBytes: 65_536, wsMessageBurst: 1_000_000 } });
    try {
      const peer = await new RawSocket(generous).init();
      peer.socket.pause();
      const isTold = () => generous.logs.some(({ msg }) => msg === 'a peer reads too slowly');
      // A kernel keeps some megabytes for a peer.
      for (let sent = 1; !isTold(); sent++) {
        assert.ok(sent * unread < 40_000_000, `${sent} answers of ${unread} bytes`);
        await send(peer, sent, isTold);
      }
      peer.socket.resume();
      const { code, reason } = await peer.closed;
      assert.equal(code, 1013);
      assert.match(reason, /^SLOW_CONSUMER: \d+ bytes were not read/);
    } finally {
      await generous.close();
    }
  });
}

test('a peer that asks for much and then neither reads nor sends anything is let go', async () => {
  const asking = await testServer({ pingMs: 1_000, limits: { wsMaxSubscriptions: 20 } });
  try {
    const peer = await new RawSocket(asking).init();
    const name = newId();
    peer.subscribe('ticks', `subscription { testTicks(name: "${name}") { n } }`);
    await eventually(() => probe.sources.has(name));
    const { executions } = probe;
    peer.socket.pause();
    for (let n = 0; n < 10; n++) peer.subscribe(String(n), '{ testPadding(length: 2000000) }');
    await eventually(() => probe.executions === executions + 10);
    await eventually(() => probe.sources.get(name)!.isStopped());
    peer.socket.resume();
    assert.equal((await peer.closed).code, 1006);
  } finally {
    await asking.close();
  }
});

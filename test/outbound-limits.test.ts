// What a foreign server may cost: time, bytes and connections of the outbound guard are bounded, whatever the server does.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { createOutbound } from '#src/outbound/guard.ts';
import type { OutboundFailure, OutboundRequest, OutboundResult, SessionLimits } from '#src/outbound/outbound.ts';
import { bareServer, foreignServer, type Answer, type ForeignServer } from '#test/harness/foreign-server.ts';

const asked = { method: 'GET', timeoutMs: 5_000, maxBytes: 10_000 } as const satisfies Partial<OutboundRequest>;
const resolve = async () => ['127.0.0.1'];
const outbound = createOutbound({ allow: ['127.0.0.1/32'], resolve });

function failed(result: OutboundResult): OutboundFailure {
  assert.equal(result.ok, false, 'the request should have failed');
  return result;
}

const get = (server: ForeignServer, more: Partial<OutboundRequest> = {}) => outbound.fetch({ ...asked, url: `${server.origin}/`, ...more });

/** Writes for as long as anybody reads. */
function endless(response: ServerResponse | Socket, chunk: Buffer): void {
  const more = () => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
}

test('a body may have as many bytes as allowed and not one more, however its length is told', async (t) => {
  const answers: [name: string, answer: (bytes: number) => Answer][] = [
    ['by Content-Length', (bytes) => (_request, response) => void response.end('x'.repeat(bytes))],
    ['in chunks', (bytes) => (_request, response) => void (response.write('x'), response.end('x'.repeat(bytes - 1)))],
    [
      'by the end of the connection',
      (bytes) => (_request, response) => {
        response.shouldKeepAlive = false;
        response.useChunkedEncodingByDefault = false;
        response.removeHeader('transfer-encoding');
        response.write('x');
        response.end('x'.repeat(bytes - 1));
      },
    ],
    [
      'gzip',
      (bytes) => (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(bytes))),
    ],
    [
      'br',
      (bytes) => (_request, response) =>
        void response.writeHead(200, { 'content-encoding': 'br' }).end(brotliCompressSync('x'.repeat(bytes))),
    ],
    [
      'zstd',
      (bytes) => (_request, response) =>
        void response.writeHead(200, { 'content-encoding': 'zstd' }).end(zstdCompressSync('x'.repeat(bytes))),
    ],
  ];
  for (const [name, answer] of answers) {
    const most = await get(await foreignServer(t, answer(10_000)));
    assert.ok(most.ok, `${name}: ${JSON.stringify(most)}`);
    assert.equal(Buffer.from(most.body).toString(), 'x'.repeat(10_000));
    const more = failed(await get(await foreignServer(t, answer(10_001))));
    assert.deepEqual([more.code, more.dispatched, more.retryable], ['OUTBOUND_TOO_LARGE', true, false], name);
    assert.equal(more.message, 'the response is larger than 10000 bytes');
  }
});

test('endless bodies and decompression bombs are cut off, and the connection with them', async (t) => {
  const bomb = gzipSync(Buffer.alloc(50_000_000));
  const answers: Answer[] = [
    (_request, response) => endless(response, Buffer.alloc(65_536)),
    (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end(gzipSync(bomb)),
    // Empty blocks: bytes without end that decompress to nothing.
    (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.write(gzipSync('').subarray(0, 10));
      endless(response, Buffer.alloc(65_535, Buffer.from([0x00, 0x00, 0x00, 0xff, 0xff])));
    },
  ];
  for (const [index, answer] of answers.entries()) {
    const server = await foreignServer(t, answer);
    assert.equal(failed(await get(server)).code, 'OUTBOUND_TOO_LARGE', `answer ${index}`);
    await server.quiet();
  }
});

test('headers are bounded: their size, and answers that never get to the point', async (t) => {
  const large = await foreignServer(
    t,
    (_request, response) => void response.writeHead(200, { 'x-large': 'x'.repeat(15_000), 'x-more': 'x'.repeat(2_000) }).end(),
  );
  const result = failed(await get(large));
  assert.deepEqual([result.code, result.dispatched], ['OUTBOUND_TOO_LARGE', true]);
  const fine = await foreignServer(t, (_request, response) => void response.writeHead(200, { 'x-large': 'x'.repeat(15_000) }).end());
  assert.ok((await get(fine)).ok);
  const endlessHeaders = await bareServer(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    endless(socket, Buffer.from('x: y\r\n'.repeat(1_000)));
  });
  assert.equal(failed(await get(endlessHeaders)).code, 'OUTBOUND_TOO_LARGE');
  await endlessHeaders.quiet();
  const hints = await bareServer(t, (socket) => endless(socket, Buffer.from('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(100))));
  assert.equal(failed(await get(hints, { timeoutMs: 300 })).code, 'OUTBOUND_TIMEOUT');
  await hints.quiet();
});

test('a request has one time for everything; a server that drips slowly does not stretch it', async (t) => {
  const drips = await foreignServer(t, (_request, response) => {
    const timer = setInterval(() => void response.write('x'), 20);
    response.on('close', () => clearInterval(timer));
  });
  const answers: Record<string, ForeignServer> = {
    drips,
    'never answers': await foreignServer(t, () => undefined),
    'drips headers': await bareServer(t, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const timer = setInterval(() => void socket.write('x: y\r\n'), 20);
      socket.on('close', () => clearInterval(timer));
    }),
    'redirects for ever, slowly': await foreignServer(t, (_request, response) => {
      setTimeout(() => void response.writeHead(302, { location: '/' }).end(), 100);
    }),
    'accepts, and no more': await bareServer(t, () => undefined),
  };
  for (const [name, server] of Object.entries(answers)) {
    const startedAt = performance.now();
    const result = failed(await get(server, { timeoutMs: 250 }));
    assert.deepEqual(
      [result.code, result.message, result.retryable, result.dispatched],
      ['OUTBOUND_TIMEOUT', 'took longer than 250 ms', true, true],
      name,
    );
    assert.ok(performance.now() - startedAt < 3_000, name);
    await server.quiet();
  }
});

test('a name server that does not answer counts against the time, and nothing was sent', async () => {
  const slow = createOutbound({ allow: [], resolve: () => new Promise(() => undefined) });
  const result = failed(await slow.fetch({ ...asked, url: 'http://slow.test/', timeoutMs: 100 }));
  assert.deepEqual([result.code, result.dispatched, result.retryable], ['OUTBOUND_TIMEOUT', false, true]);
});

test('silence is bounded before and inside an answer', async (t) => {
  const silent = await foreignServer(t, () => undefined);
  const before = failed(await get(silent, { idleTimeoutMs: 100 }));
  assert.deepEqual([before.code, before.retryable], ['OUTBOUND_TIMEOUT', true]);
  assert.match(before.message, /^127\.0\.0\.1:\d+ did not begin to answer in time$/);
  const stuck = await foreignServer(t, (_request, response) => void response.writeHead(200, { 'content-length': 5 }).write('he'));
  const inside = failed(await get(stuck, { idleTimeoutMs: 100 }));
  assert.match(inside.message, /^127\.0\.0\.1:\d+ fell silent in the middle of its answer$/);
  await Promise.all([silent.quiet(), stuck.quiet()]);
});

test('what breaks is told apart: nobody there, nobody answers, no such name, no HTTP', async (t) => {
  const gone = await bareServer(t, (socket) => void socket.destroy());
  const broken = await foreignServer(
    t,
    (_request, response) => void response.writeHead(200, { 'content-length': 5 }).write('he', () => response.destroy()),
  );
  const ssh = await bareServer(t, (socket) => void socket.end('SSH-2.0-OpenSSH_9.7\r\n'));
  const corrupt = await foreignServer(
    t,
    (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip'),
  );
  const coded = await foreignServer(
    t,
    (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip,gzip,gzip,gzip,gzip,gzip' }).end('x'),
  );
  const wrongLength = await bareServer(
    t,
    (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc'),
  );
  const both = await bareServer(
    t,
    (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
  );
  const closedPort = await bareServer(t, () => undefined);
  const cases: [name: string, result: OutboundResult, expected: unknown[]][] = [
    ['closed at once', await get(gone), ['OUTBOUND_UNREACHABLE', true, true]],
    ['broken off', await get(broken), ['OUTBOUND_UNREACHABLE', true, true]],
    ['ssh', await get(ssh), ['OUTBOUND_BAD_RESPONSE', false, true]],
    ['corrupt', await get(corrupt), ['OUTBOUND_BAD_RESPONSE', false, true]],
    ['six encodings', await get(coded), ['OUTBOUND_BAD_RESPONSE', false, true]],
    ['two lengths', await get(wrongLength), ['OUTBOUND_BAD_RESPONSE', false, true]],
    ['length and chunks', await get(both), ['OUTBOUND_BAD_RESPONSE', false, true]],
    ['no TLS there', await get(closedPort, { url: `https://127.0.0.1:${ssh.port}/` }), ['OUTBOUND_UNREACHABLE', true, false]],
    ['refused', await outbound.fetch({ ...asked, url: 'http://127.0.0.1:4/' }), ['OUTBOUND_UNREACHABLE', true, false]],
  ];
  for (const [name, result, expected] of cases) {
    const { code, retryable, dispatched, message } = failed(result);
    assert.deepEqual([code, retryable, dispatched], expected, `${name}: ${message}`);
  }
  const nameless = createOutbound({ allow: [], resolve: async () => Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' })) });
  const unknown = failed(await nameless.fetch({ ...asked, url: 'http://nowhere.test/' }));
  assert.deepEqual(
    [unknown.message, unknown.retryable, unknown.dispatched],
    ['could not find the address of nowhere.test (ENOTFOUND)', true, false],
  );
  const empty = createOutbound({ allow: [], resolve: async () => [] });
  assert.equal(failed(await empty.fetch({ ...asked, url: 'http://empty.test/' })).message, 'empty.test has no address');
});

test('a request that is cancelled ends at once, and the server notices', async (t) => {
  const arrived = Promise.withResolvers<void>();
  const server = await foreignServer(t, () => arrived.resolve());
  const controller = new AbortController();
  const running = get(server, { signal: controller.signal });
  await arrived.promise;
  controller.abort('ended');
  const result = failed(await running);
  assert.deepEqual([result.code, result.retryable, result.dispatched], ['CANCELLED', false, true]);
  await server.quiet();
  const early = failed(await get(server, { signal: AbortSignal.abort() }));
  assert.deepEqual([early.code, early.dispatched, server.requests.length], ['CANCELLED', false, 1]);
});

test('one request is sent once, also where fetch would ask again', async (t) => {
  const server = await foreignServer(t, (_request, response) => void response.writeHead(421).end('elsewhere'));
  for (const method of ['POST', 'GET']) {
    const result = failed(await get(server, { method, ...(method === 'POST' && { body: 'x' }) }));
    assert.deepEqual([result.code, result.dispatched, result.retryable], ['OUTBOUND_BAD_RESPONSE', true, false]);
    assert.match(result.message, /answered 421/);
  }
  assert.deepEqual(
    server.requests.map(({ method }) => method),
    ['POST', 'GET'],
  );
});

test('requests share no connection, and leave none open', async (t) => {
  const server = await foreignServer(t, (_request, response) => void response.end());
  for (let index = 0; index < 3; index += 1) assert.ok((await get(server)).ok);
  assert.equal(server.connections, 3);
  await server.quiet();
});

function openSession(t: TestContext, limits?: Partial<SessionLimits>, guard = outbound) {
  const session = guard.session(limits);
  t.after(() => session.close());
  return session;
}

test('a session streams: what the server has written is read before it ends', async (t) => {
  const writes = Promise.withResolvers<ServerResponse>();
  const server = await foreignServer(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    writes.resolve(response);
  });
  const session = openSession(t);
  const response = await session.fetch(new URL(server.origin), {
    method: 'POST',
    body: new URLSearchParams({ a: '1' }),
    headers: { accept: 'text/event-stream' },
  });
  assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'text/event-stream']);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader.read()).value, 'data: 1\n\n');
  (await writes.promise).end('data: 2\n\n');
  assert.deepEqual([(await reader.read()).value, (await reader.read()).done], ['data: 2\n\n', true]);
  assert.deepEqual(
    [server.requests[0]?.body, server.requests[0]?.headers['content-type']],
    ['a=1', 'application/x-www-form-urlencoded;charset=UTF-8'],
  );
});

test('a session uses a connection again for the same origin only: another name is resolved and checked', async (t) => {
  const server = await foreignServer(t, (_request, response) => void response.end('ok'));
  const questions: string[] = [];
  const names = createOutbound({
    allow: ['127.0.0.1/32'],
    resolve: async (name) => {
      questions.push(name);
      return name === 'fine.test' ? ['127.0.0.1'] : ['127.0.0.1', '192.168.0.1'];
    },
  });
  const session = openSession(t, {}, names);
  for (let index = 0; index < 3; index += 1) {
    assert.equal(await (await session.fetch(`http://fine.test:${server.port}/`)).text(), 'ok');
    await setImmediate(); // the body has ended; a moment later its connection is free
  }
  assert.deepEqual([server.connections, questions], [1, ['fine.test']]);
  await assert.rejects(session.fetch(`http://rebound.test:${server.port}/`), {
    name: 'OutboundError',
    failure: {
      ok: false,
      code: 'OUTBOUND_DENIED',
      message: `rebound.test leads to an address that is refused (private); the operator can open it with outbound.allow: rebound.test:${server.port}`,
      retryable: false,
      dispatched: false,
    },
  });
  assert.deepEqual([server.connections, questions], [1, ['fine.test', 'rebound.test']]);
  await session.close();
  await server.quiet();
  await assert.rejects(session.fetch(`http://fine.test:${server.port}/`), { name: 'OutboundError' });
});

test("a session's bodies are bounded in size and silence; its requests are checked; its caller's signal ends them", async (t) => {
  const flood = await foreignServer(t, (_request, response) => endless(response, Buffer.from('data: x'.repeat(1_000))));
  const quiet = await foreignServer(t, (_request, response) => void response.write('data: 1\n\n'));
  const session = openSession(t, { maxBytes: 100_000, idleTimeoutMs: 100 });
  await assert.rejects((await session.fetch(flood.origin)).text(), {
    name: 'OutboundError',
    message: 'the response is larger than 100000 bytes',
  });
  await flood.quiet();
  await assert.rejects((await session.fetch(quiet.origin)).text(), { name: 'OutboundError', message: /fell silent/ });
  await assert.rejects(session.fetch('http://user:pw@example.test/'), { name: 'OutboundError', message: /holds a user or password/ });
  await assert.rejects(session.fetch(flood.origin, { headers: { host: 'other' } }), {
    name: 'OutboundError',
    message: /set by Signalbox itself/,
  });

  const controller = new AbortController();
  const patient = openSession(t);
  const response = await patient.fetch(quiet.origin, { signal: controller.signal });
  const reading = response.text();
  controller.abort(new Error('enough'));
  await assert.rejects(reading, { message: 'enough' });
  await quiet.quiet();
});

test('closing a session ends what it still reads', async (t) => {
  const server = await foreignServer(t, (_request, response) => void response.write('data: 1\n\n'));
  const session = openSession(t);
  const response = await session.fetch(server.origin);
  const reading = response.text();
  await session.close();
  await assert.rejects(reading, { name: 'OutboundError' });
  await server.quiet();
});

test('variables for proxies change nothing', async (t) => {
  const server = await foreignServer(t, (_request, response) => void response.end());
  const proxy = await foreignServer(t, (_request, response) => void response.end());
  withVariables(t, {
    HTTP_PROXY: proxy.origin,
    http_proxy: proxy.origin,
    HTTPS_PROXY: proxy.origin,
    ALL_PROXY: proxy.origin,
    NODE_USE_ENV_PROXY: '1',
  });
  assert.ok((await get(server)).ok);
  assert.deepEqual([server.requests.length, proxy.connections], [1, 0]);
});

function withVariables(t: TestContext, variables: Record<string, string>): void {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  t.after(() => {
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  });
}

// Hostile requests over HTTP: each gets the typed answer that it should, and the gateway answers others afterwards.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { loadConfig } from '#src/config.ts';
import { hostileRequests, sendHostile } from '#test/harness/dos-requests.ts';
import { testServer, type TestServer } from '#test/harness/graphql.ts';

let server: TestServer;
before(async () => {
  const { limits } = loadConfig({ env: {} });
  server = await testServer({
    isProduction: true,
    limits: { ...limits, requestsPerSecond: 1_000_000, requestBurst: 1_000_000 },
  });
});
after(() => server.close());

for (const request of hostileRequests) {
  test(request.name, async () => {
    const { status, code, limit } = await sendHostile(server.url, server.people.operator.adminKey, request);
    assert.deepEqual({ status, code, limit }, { status: request.status, code: request.code, limit: request.limit });
    assert.deepEqual((await server.gql('{ viewer { __typename } }')).data, { viewer: { __typename: 'Viewer' } });
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
}

/** What comes back on a connection until the server closes it. */
function exchange(send: (write: (text: string) => void) => void, to = server): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(to.url);
    let answer = '';
    const socket = connect(Number(port), hostname, () => send((text) => void socket.write(text)));
    socket.on('data', (chunk) => (answer += String(chunk)));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

const post = (headers: readonly string[], to = server) =>
  ['POST /graphql HTTP/1.1', 'Host: x', `Authorization: Bearer ${to.people.operator.adminKey}`, ...headers].join('\r\n');
const errorIn = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))).errors[0];

test('a head that never ends is answered 408 when its time is over, and so is a body', async () => {
  const hurried = await testServer({ limits: { httpHeadersTimeoutMs: 1_000, httpRequestTimeoutMs: 2_000 } });
  const heads = Array.from({ length: 50 }, () => exchange((write) => write('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: '), hurried));
  const body = exchange(
    (write) => write(`${post(['Content-Type: application/json', 'Content-Length: 1000'], hurried)}\r\n\r\n{"query":`),
    hurried,
  );
  // The head of a second request counts as that of a first.
  const second = exchange((write) => write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nX-Slow: '), hurried);
  const late = (answer: string, what: string, name: string, allowed: number) => {
    assert.match(answer, /HTTP\/1\.1 408 Request Timeout\r\n/);
    assert.deepEqual(errorIn(answer.slice(answer.indexOf('HTTP/1.1 408'))), {
      message: `${what} did not arrive in time: it may take ${allowed} ms`,
      extensions: { code: 'LIMIT_EXCEEDED', limit: { name, allowed } },
    });
  };
  for (const answer of [...(await Promise.all(heads)), await second])
    late(answer, 'the head of the request', 'httpHeadersTimeoutMs', 1_000);
  late(await body, 'the request', 'httpRequestTimeoutMs', 2_000);
  await hurried.close();
});

test('the gateway starts with the longest times that the configuration accepts', async () => {
  const times = { SIGNALBOX_LIMIT_HTTP_HEADERS_TIMEOUT_MS: '600000', SIGNALBOX_LIMIT_HTTP_REQUEST_TIMEOUT_MS: '3600000' };
  for (const env of [times, { ...times, SIGNALBOX_LIMIT_HTTP_REQUEST_TIMEOUT_MS: '600000' }]) {
    const patient = await testServer({ limits: loadConfig({ env }).limits });
    assert.deepEqual((await patient.gql('{ __typename }')).data, { __typename: 'Query' });
    await patient.close();
  }
  assert.throws(() => loadConfig({ env: { ...times, SIGNALBOX_LIMIT_HTTP_REQUEST_TIMEOUT_MS: '599999' } }), {
    name: 'ConfigError',
    message: /SIGNALBOX_LIMIT_HTTP_REQUEST_TIMEOUT_MS: got 599999, expected at least SIGNALBOX_LIMIT_HTTP_HEADERS_TIMEOUT_MS \(600000\)/,
  });
});

test('a body that does not say how long it is may have as many bytes as one that does', async () => {
  const { bodyBytes } = loadConfig({ env: {} }).limits;
  const send = (bytes: number) => {
    const body = `{"query":"{ __typename }","variables":{"x":"`;
    return exchange((write) => {
      write(`${post(['Content-Type: application/json', 'Transfer-Encoding: chunked', 'Connection: close'])}\r\n\r\n`);
      for (const part of [body, 'x'.repeat(bytes - body.length - 3), '"}}']) write(`${part.length.toString(16)}\r\n${part}\r\n`);
      write('0\r\n\r\n');
    });
  };
  assert.match(await send(bodyBytes), /^HTTP\/1\.1 200 /);
  const refused = await send(bodyBytes + 1);
  assert.match(refused, /^HTTP\/1\.1 413 /);
  assert.deepEqual(errorIn(refused).extensions, { code: 'LIMIT_EXCEEDED', limit: { name: 'bodyBytes', allowed: bodyBytes } });
});

test('who leaves in the middle of a body is no error of the server', async () => {
  await new Promise((resolve) => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname, () => {
      socket.write(`${post(['Content-Type: application/json', 'Content-Length: 1000'])}\r\n\r\n{"query":`, () => socket.destroy());
    });
    socket.on('close', resolve);
  });
  assert.deepEqual((await server.gql('{ viewer { __typename } }')).data, { viewer: { __typename: 'Viewer' } });
  assert.deepEqual(
    server.logs.filter(({ level }) => Number(level) >= 50),
    [],
  );
});

test('a URL without end is answered 431, what is no HTTP 400, and both connections end', async () => {
  const long = await exchange((write) => write(`GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`));
  assert.match(long, /^HTTP\/1\.1 431 /);
  assert.deepEqual(errorIn(long).extensions, { code: 'LIMIT_EXCEEDED', limit: { name: 'httpHeaderBytes', allowed: 16_384 } });
  const garbage = await exchange((write) => write('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'));
  assert.match(garbage, /^HTTP\/1\.1 400 /);
  assert.equal(errorIn(garbage).extensions.code, 'BAD_REQUEST');
});

test('a head at the limit is read, one byte more is refused', async () => {
  const status = async (length: number) => {
    const fixed = `${post(['Connection: close', 'X: '])}\r\n\r\n`.length;
    return (await exchange((write) => write(`${post(['Connection: close', `X: ${'x'.repeat(length - fixed)}`])}\r\n\r\n`))).slice(9, 12);
  };
  let edge = 16_300; // node counts names and values its own way: where the edge is, is not ours; that there is one, is
  while ((await status(edge)) !== '431') edge++;
  assert.deepEqual([await status(edge - 1), await status(edge), edge > 16_200 && edge < 16_500], ['400', '431', true]);
});

test('a flood of wrong credentials is refused without being looked up, while others are answered', async () => {
  const now = new Date(); // nothing is forgiven meanwhile
  let lookedUp = 0;
  const flooded = await testServer({
    clock: { now: () => now },
    limits: { failedSignInsPerMinute: 20 },
    authenticator: (real) => ({
      ...real,
      authenticate(credential) {
        lookedUp++;
        return real.authenticate(credential);
      },
    }),
  });
  try {
    assert.ok((await flooded.gql('{ viewer { __typename } }')).data);
    const wrong = (i: number) => `${flooded.people.operator.adminKey.slice(0, -8)}${String(i).padStart(8, '0')}`;
    const send = (i: number) => flooded.gql('{ __typename }', {}, { as: wrong(i) });
    for (let i = 0; i < 20; i++) assert.equal((await send(i)).status, 401);
    assert.equal(lookedUp, 21);
    const refused = await Promise.all(Array.from({ length: 200 }, (_, i) => send(100 + i)));
    for (const { status, errors } of refused) assert.deepEqual([status, errors![0]!.extensions.code], [429, 'RATE_LIMITED']);
    assert.equal(lookedUp, 21);
    assert.ok((await flooded.gql('{ viewer { __typename } }')).data);
  } finally {
    await flooded.close();
  }
});

// Redirects through the outbound guard: each hop is checked like the first, credentials stay at home, methods follow RFC 9110.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createOutbound } from '#src/outbound/guard.ts';
import type { OutboundFailure, OutboundRequest, OutboundResult } from '#src/outbound/outbound.ts';
import { bareServer, foreignServer, testCertificate, type Answer, type ForeignServer } from '#test/harness/foreign-server.ts';

const asked = { method: 'GET', timeoutMs: 5_000, maxBytes: 10_000 } as const satisfies Partial<OutboundRequest>;
const ok: Answer = (_request, response) => void response.end('reached');

const redirect =
  (status: number, location: string): Answer =>
  (request, response) =>
    void (request.url === '/from' ? response.writeHead(status, { location }).end('moved') : response.end('reached'));

/** Resolves every name to 127.0.0.1, and opens the ports given. */
const guard = (...servers: readonly Pick<ForeignServer, 'port'>[]) =>
  createOutbound({
    allow: servers.map(({ port }) => `127.0.0.1:${port}`),
    resolve: async (name) => (name === 'private.test' ? ['10.0.0.1'] : ['127.0.0.1']),
    ca: testCertificate,
  });

function failed(result: OutboundResult): OutboundFailure {
  assert.equal(result.ok, false, 'the request should have failed');
  return result;
}

/** What arrived last, in short. */
const last = ({ requests }: ForeignServer) => requests.at(-1)!;

test('methods and bodies follow RFC 9110: 301 and 302 turn POST into GET, 303 everything but HEAD, 307 and 308 keep both', async (t) => {
  const cases: [status: number, method: string, becomes: string][] = [
    [301, 'POST', 'GET'],
    [302, 'POST', 'GET'],
    [301, 'PUT', 'PUT'],
    [302, 'DELETE', 'DELETE'],
    [303, 'POST', 'GET'],
    [303, 'PUT', 'GET'],
    [303, 'HEAD', 'HEAD'],
    [307, 'POST', 'POST'],
    [308, 'PATCH', 'PATCH'],
    [307, 'GET', 'GET'],
  ];
  for (const [status, method, becomes] of cases) {
    const server = await foreignServer(t, redirect(status, '/to?a=1#part'));
    const body = ['GET', 'HEAD'].includes(method) ? undefined : 'content';
    const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'text/plain', 'content-language': 'en' };
    const result = await guard(server).fetch({ ...asked, url: `${server.origin}/from`, method, body, headers });
    assert.ok(result.ok, JSON.stringify(result));
    const kept = becomes === method && body !== undefined;
    const { method: got, url, body: gotBody, headers: gotHeaders } = last(server);
    assert.deepEqual([got, url, gotBody], [becomes, '/to?a=1', kept ? 'content' : ''], `${status} ${method}`);
    assert.deepEqual([gotHeaders['content-type'], gotHeaders['content-language']], kept ? ['text/plain', 'en'] : [undefined, undefined]);
    assert.equal(new URL(result.url).pathname, '/to');
  }
});

test('other codes, and a redirect without Location, are responses; with no redirects wanted, every redirect is', async (t) => {
  for (const [status, location] of [
    [300, '/to'],
    [304, '/to'],
    [305, '/to'],
    [201, '/to'],
    [302, null],
  ] as const) {
    const server = await foreignServer(
      t,
      (_request, response) => void response.writeHead(status, location === null ? {} : { location }).end(),
    );
    const result = await guard(server).fetch({ ...asked, url: `${server.origin}/from` });
    assert.deepEqual([result.ok && result.status, server.requests.length], [status, 1]);
  }
  const server = await foreignServer(t, redirect(302, 'http://169.254.169.254/'));
  const result = await guard(server).fetch({ ...asked, url: `${server.origin}/from`, maxRedirects: 0 });
  assert.ok(result.ok);
  assert.deepEqual(
    [result.status, result.headers['location'], Buffer.from(result.body).toString()],
    [302, 'http://169.254.169.254/', 'moved'],
  );
});

test('another origin learns no credentials, however they are called; the same origin gets all headers', async (t) => {
  const headers = {
    Authorization: 'Bearer secret',
    Cookie: 'session=secret',
    'X-Api-Key': 'secret',
    'X-Amz-Security-Token': 'secret',
    Accept: 'application/json',
    'Idempotency-Key': 'k1',
    'Content-Type': 'application/json',
  };
  const target = await foreignServer(t, ok);
  const server = await foreignServer(t, redirect(307, `${target.origin}/to`));
  const outbound = guard(server, target);
  assert.ok((await outbound.fetch({ ...asked, url: `${server.origin}/from`, method: 'POST', headers, body: '{}' })).ok);
  assert.doesNotMatch(JSON.stringify(last(target).headers), /secret/);
  const kept = last(target).headers;
  assert.deepEqual(
    [kept['accept'], kept['idempotency-key'], kept['content-type'], last(target).body],
    ['application/json', 'k1', 'application/json', '{}'],
  );

  const same = await foreignServer(t, redirect(307, '/to'));
  assert.ok((await guard(same).fetch({ ...asked, url: `${same.origin}/from`, headers })).ok);
  assert.deepEqual([last(same).headers['authorization'], last(same).headers['x-api-key']], ['Bearer secret', 'secret']);

  // The same host at another port is another origin, and so is a name that leads to the same server.
  const alias = await foreignServer(t, (request, response) => {
    if (request.url === '/from') response.writeHead(302, { location: `http://alias.test:${alias.port}/to` });
    response.end();
  });
  assert.ok((await guard(alias).fetch({ ...asked, url: `${alias.origin}/from`, headers })).ok);
  assert.deepEqual([last(alias).url, last(alias).headers['authorization']], ['/to', undefined]);
});

test('each hop is checked like the first one, and what was sent before is said', async (t) => {
  const closed = await foreignServer(t, ok);
  const locations: [location: string, code: string, message: RegExp][] = [
    [`${closed.origin}/`, 'OUTBOUND_DENIED', /127\.0\.0\.1 is refused \(loopback\)/],
    ['http://0x7f000001:8081/', 'OUTBOUND_DENIED', /127\.0\.0\.1 is refused \(loopback\)/],
    ['http://169.254.169.254/latest/meta-data/', 'OUTBOUND_DENIED', /cloud metadata/],
    ['//[::ffff:a9fe:a9fe]/', 'OUTBOUND_DENIED', /cloud metadata/],
    ['http://localhost/', 'OUTBOUND_DENIED', /the name localhost is refused/],
    ['http://private.test/', 'OUTBOUND_DENIED', /private\.test leads to an address that is refused \(private\)/],
    ['http://user:password@example.test/', 'OUTBOUND_DENIED', /holds a user or password/],
    ['file:///etc/passwd', 'OUTBOUND_DENIED', /the scheme is file:/],
    ['gopher://example.test/', 'OUTBOUND_DENIED', /the scheme is gopher:/],
    ['http://example.test:25/', 'OUTBOUND_DENIED', /port 25 is refused/],
    ['http://', 'OUTBOUND_BAD_RESPONSE', /a Location that is no URL/],
  ];
  for (const [location, code, message] of locations) {
    const server = await foreignServer(t, redirect(302, location));
    const result = failed(await guard(server).fetch({ ...asked, url: `${server.origin}/from` }));
    assert.deepEqual([result.code, result.dispatched, result.retryable], [code, true, false], location);
    assert.match(result.message, message);
  }
  assert.equal(closed.connections, 0);
  const split = await bareServer(t, (socket) => void socket.end('HTTP/1.1 302 Found\r\nLocation: /a\u000bb\r\nContent-Length: 0\r\n\r\n'));
  assert.equal(failed(await guard(split).fetch({ ...asked, url: `${split.origin}/` })).code, 'OUTBOUND_BAD_RESPONSE');
});

test('https never becomes http; http may become https', async (t) => {
  const plain = await foreignServer(t, ok);
  const secure = await foreignServer(t, redirect(302, `http://pinned.test:${plain.port}/to`), { tls: true });
  const refused = failed(await guard(plain, secure).fetch({ ...asked, url: `https://pinned.test:${secure.port}/from` }));
  assert.equal(refused.code, 'OUTBOUND_DENIED');
  assert.match(refused.message, /^the redirect from https to http \(pinned\.test:\d+\) is refused$/);
  assert.equal(plain.connections, 0);
  const up = await foreignServer(t, redirect(302, `https://pinned.test:${secure.port}/to`));
  const result = await guard(up, secure).fetch({ ...asked, url: `${up.origin}/from` });
  assert.ok(result.ok);
  assert.equal(result.url, `https://pinned.test:${secure.port}/to`);
});

test('redirects come to an end: as many as allowed are followed, one more is refused', async (t) => {
  const server = await foreignServer(t, (request, response) => {
    const left = Number(request.url!.slice(1));
    if (left > 0) response.writeHead(302, { location: `/${left - 1}` });
    response.end();
  });
  const outbound = guard(server);
  assert.ok((await outbound.fetch({ ...asked, url: `${server.origin}/5` })).ok, 'five by default');
  const six = failed(await outbound.fetch({ ...asked, url: `${server.origin}/6` }));
  assert.deepEqual([six.code, six.message, six.dispatched], ['OUTBOUND_BAD_RESPONSE', 'more than 5 redirects', true]);
  assert.ok((await outbound.fetch({ ...asked, url: `${server.origin}/2`, maxRedirects: 2 })).ok);
  assert.equal(failed(await outbound.fetch({ ...asked, url: `${server.origin}/3`, maxRedirects: 2 })).message, 'more than 2 redirects');
});

test('who asks decides about other origins; the own origin needs no permission', async (t) => {
  const target = await foreignServer(t, ok);
  const server = await foreignServer(t, redirect(302, `${target.origin}/to`));
  const questions: string[] = [];
  const mayRedirect = (answer: boolean) => (to: URL, method: string) => {
    questions.push(`${method} ${to.href}`);
    return answer;
  };
  const outbound = guard(server, target);
  const refused = failed(await outbound.fetch({ ...asked, url: `${server.origin}/from`, method: 'POST', mayRedirect: mayRedirect(false) }));
  assert.deepEqual([refused.code, refused.dispatched, target.connections], ['OUTBOUND_DENIED', true, 0]);
  assert.match(refused.message, new RegExp(`the redirect to ${target.origin} is refused`));
  assert.ok((await outbound.fetch({ ...asked, url: `${server.origin}/from`, method: 'PUT', body: '', mayRedirect: mayRedirect(true) })).ok);
  assert.deepEqual(questions, [`GET ${target.origin}/to`, `PUT ${target.origin}/to`]);
  const own = await foreignServer(t, redirect(302, '/to'));
  assert.ok((await guard(own).fetch({ ...asked, url: `${own.origin}/from`, mayRedirect: mayRedirect(false) })).ok);
});

test('a session follows, returns or refuses redirects as fetch does', async (t) => {
  const target = await foreignServer(t, ok);
  const server = await foreignServer(t, redirect(302, `${target.origin}/to`));
  const session = openSession(t, guard(server, target));
  const url = `${server.origin}/from`;
  assert.equal(await (await session.fetch(url)).text(), 'reached');
  assert.equal((await session.fetch(url, { redirect: 'manual' })).headers.get('location'), `${target.origin}/to`);
  await assert.rejects(session.fetch(url, { redirect: 'error' }), { name: 'OutboundError', message: /redirects are errors here/ });
  const narrow = openSession(t, guard(server));
  await assert.rejects(narrow.fetch(url, { headers: { authorization: 'x' } }), { name: 'OutboundError', message: /loopback/ });
});

function openSession(t: TestContext, outbound: ReturnType<typeof createOutbound>) {
  const session = outbound.session();
  t.after(() => session.close());
  return session;
}

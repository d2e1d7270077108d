// GraphQL over Server-Sent Events as clients meet it: by hand, with the npm package graphql-sse, and through a real proxy.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createClient } from 'graphql-sse';
import { toGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import { freePort, startDaemon } from '#test/harness/daemon.ts';
import { askStream, type Asking, type StreamResult } from '#test/harness/event-stream.ts';
import { eventually } from '#test/harness/eventually.ts';
import { probe } from '#test/harness/gateway-fields.ts';
import { testServer, type TestServer } from '#test/harness/graphql.ts';

let server: TestServer;
before(async () => {
  server = await testServer({ recheckMs: 10, pingMs: 20, allowedOrigins: ['https://console.example.com'] });
});
after(() => server.close());

const ticks = 'subscription ($name: String!, $after: String) { testTicks(name: $name, after: $after) { n cursor } }';
const source = async (name: string) => {
  await eventually(() => probe.sources.has(name));
  return probe.sources.get(name)!;
};

const ask = (body: Record<string, unknown>, asking?: Asking) => askStream(server, body, asking);
const isComment = (block: string) => block.startsWith(':');
const numbers = (results: readonly StreamResult[]) => results.flatMap(({ data }) => data?.['testTicks']?.n ?? []);

test('batches come as events with their cursor as id, keep-alives in between, and `complete` at the end', async () => {
  const name = newId();
  const asked = await ask({ query: ticks, variables: { name } });
  assert.equal(asked.response.status, 200);
  const header = (of: string) => asked.response.headers.get(of);
  assert.deepEqual(
    [header('content-type'), header('cache-control'), header('x-accel-buffering'), header('content-encoding')],
    ['text/event-stream; charset=utf-8', 'no-cache, no-transform', 'no', null],
  );
  const feed = await source(name);
  feed.push(7);
  feed.push(8);
  await asked.until(() => asked.results().length === 2);
  await asked.until(() => asked.blocks.filter(isComment).length >= 2);
  feed.end();
  await asked.done;
  assert.equal(asked.blocks[0], 'retry: 1000');
  assert.deepEqual(
    asked.blocks.slice(1).filter((block) => !isComment(block)),
    [
      'event: next\nid: 1\ndata: {"data":{"testTicks":{"n":7,"cursor":"1"}}}',
      'event: next\nid: 2\ndata: {"data":{"testTicks":{"n":8,"cursor":"2"}}}',
      'event: complete\ndata: ',
    ],
  );
});

test('Last-Event-ID goes before the argument `after`; both give what follows', async () => {
  const name = newId();
  const keeps = await ask({ query: ticks, variables: { name } });
  const feed = await source(name);
  for (const n of [1, 2, 3, 4]) feed.push(n);
  await keeps.until(() => keeps.results().length === 4);
  const by = async (variables: object, headers: Record<string, string>) => {
    const asked = await ask({ query: ticks, variables: { name, ...variables } }, { headers });
    await asked.until(() => numbers(asked.results()).includes(4));
    asked.leave();
    return numbers(asked.results());
  };
  assert.deepEqual(await by({ after: '1' }, {}), [2, 3, 4]);
  assert.deepEqual(await by({ after: '1' }, { 'last-event-id': '3' }), [4]);
  assert.deepEqual(await by({}, { 'last-event-id': '2' }), [3, 4]);
  assert.equal(probe.sources.get(name), feed, 'they share one stream');
  keeps.leave();
});

test('a socket and an event stream share one execution', async () => {
  const patient = await testServer(); // pings of a socket are answered by this very process
  const name = newId();
  const query = `subscription ($name: String!) { testTicks(name: $name) { n padding(length: 1) } }`;
  const asked = await askStream(patient, { query, variables: { name } });
  const feed = await source(name);
  const socket = patient.subscribe(query, { name });
  const first = socket.next();
  const { executions } = probe;
  // What was sent before the socket joined is no business of it, so this goes on until it has heard one.
  let heard = false;
  void first.then(() => (heard = true));
  let sent = 0;
  while (!heard) {
    feed.push((sent += 1));
    await asked.until(() => asked.results().length === sent);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(probe.executions - executions, sent);
  asked.leave();
  await socket.return!();
  await patient.close();
});

test('queries and mutations are answered with one event; a mutation is not taken by GET', async () => {
  const query = { query: 'query ($value: JSON) { testEcho(value: $value) }', variables: { value: { a: 1 } } };
  for (const method of ['POST', 'GET'] as const) {
    const asked = await ask(query, { method });
    await asked.done;
    assert.deepEqual(asked.results()[0]!.data, { testEcho: { a: 1 } });
    assert.equal(asked.blocks.at(-1), 'event: complete\ndata: ');
  }
  const rename = `mutation { testRename(input: { id: "${toGlobalId('TestThing', newId())}", name: "x" }) { __typename } }`;
  const posted = await ask({ query: rename });
  await posted.done;
  assert.deepEqual(posted.results()[0]!.data, { testRename: { __typename: 'NotFoundError' } });
  const got = await ask({ query: rename }, { method: 'GET' });
  assert.deepEqual([got.response.status, got.response.headers.get('allow')], [405, 'POST']);
});

test('what is wrong with an operation is told by an event; who asks nothing or is nobody, by a status', async () => {
  const code = async (body: Record<string, unknown>, asking: Asking = {}) => {
    const asked = await ask(body, asking);
    await asked.done;
    assert.deepEqual([asked.response.status, asked.blocks.at(-1)], [200, 'event: complete\ndata: ']);
    return asked.results()[0]!.errors![0]!.extensions['code'] as string;
  };
  const viewer = await server.people.operator.principal();
  const nobody = `test-principal-${viewer.tenantId}/${viewer.principalId}`;
  assert.equal(await code({ query: '{ nonsense }' }), 'GRAPHQL_VALIDATION_FAILED');
  assert.equal(await code({ query: '{' }), 'GRAPHQL_PARSE_FAILED');
  assert.equal(await code({}), 'BAD_REQUEST');
  assert.equal(await code({ query: '{ __typename }', variables: 'no json' }, { method: 'GET' }), 'BAD_REQUEST');
  assert.equal(await code({ query: ticks }), 'BAD_USER_INPUT');
  assert.equal(await code({ query: ticks, variables: { name: newId() } }, { key: nobody }), 'FORBIDDEN');
  for (const key of [null, 'sbk_wrong']) assert.equal((await ask({ query: ticks }, { key })).response.status, 401);
});

test('when the key is revoked the stream says so and is complete; when only this gateway leaves, it is not', async () => {
  const { operator, apiKeys } = server.people;
  const key = await operator.write((uow) => apiKeys.createApiKey(uow, operator.admin, { name: newId(), roles: ['viewer'] }));
  const name = newId();
  const asked = await ask({ query: ticks, variables: { name } }, { key: key.token });
  (await source(name)).push(1);
  await asked.until(() => asked.results().length === 1);
  await operator.write((uow) => apiKeys.revokeApiKey(uow, operator.admin, { apiKeyId: key.apiKey.id }));
  await asked.done;
  assert.equal(asked.results().at(-1)!.errors![0]!.extensions['code'], 'UNAUTHENTICATED');
  assert.equal(asked.blocks.at(-1), 'event: complete\ndata: ');

  const leaving = await testServer();
  const stays = newId();
  const left = await ask({ query: ticks, variables: { name: stays } }, { url: leaving.url, key: leaving.people.operator.adminKey });
  (await source(stays)).push(1);
  await left.until(() => left.results().length === 1);
  await leaving.gateway.close('restarting for an update');
  await left.done;
  assert.equal(left.blocks.at(-1), ': restarting for an update');
  assert.ok(!left.blocks.some((block) => block.startsWith('event: complete')));
  assert.ok(probe.sources.get(stays)!.isStopped());
  await leaving.close();
});

test('a page of an allowed origin may ask, another may not', async () => {
  const preflight = async (origin: string) => {
    const headers = { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,last-event-id' };
    const response = await fetch(`${server.url}/graphql/stream`, { method: 'OPTIONS', headers });
    return response.headers.get('access-control-allow-origin');
  };
  assert.equal(await preflight('https://console.example.com'), 'https://console.example.com');
  assert.equal(await preflight('https://evil.example.com'), null);
  const asked = await ask({ query: '{ __typename }' }, { headers: { origin: 'https://console.example.com' } });
  assert.equal(asked.response.headers.get('access-control-allow-origin'), 'https://console.example.com');
  await asked.done;
});

test('the npm package graphql-sse subscribes, queries, and leaves, through a plain HTTP proxy; so do keep-alives and Last-Event-ID', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'signalbox-sse-'));
  const port = await freePort();
  const config = `defaults
  mode http
  option http-no-delay
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:${port}
  default_backend gateway
backend gateway
  server one ${new URL(server.url).host}
`;
  await writeFile(join(folder, 'haproxy.cfg'), config);
  const proxy = await startDaemon('haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')], port);
  try {
    const client = createClient({
      url: `http://127.0.0.1:${port}/graphql/stream`,
      headers: { authorization: `Bearer ${server.people.operator.adminKey}` },
    });
    const { value } = await client.iterate({ query: '{ testEcho(value: "through") }' }).next();
    assert.deepEqual(value, { data: { testEcho: 'through' }, extensions: (value as { extensions: unknown }).extensions });
    const name = newId();
    const results = client.iterate<{ testTicks: { n: number } }>({ query: ticks, variables: { name } });
    const first = results.next();
    const feed = await source(name);
    for (let n = 1; n <= 5; n++) {
      feed.push(n);
      const { value: result } = n === 1 ? await first : await results.next();
      assert.equal(result!.data!.testTicks.n, n, 'each at once: nothing collects them on the way');
    }
    const [url, later] = [`http://127.0.0.1:${port}`, newId()];
    const asked = await ask({ query: ticks, variables: { name: later } }, { url });
    await asked.until(() => asked.blocks.filter(isComment).length >= 2); // nothing has happened
    for (const n of [1, 2]) (await source(later)).push(n);
    await asked.until(() => asked.results().length === 2);
    (await source(later)).push(3);
    const again = await ask({ query: ticks, variables: { name: later } }, { url, headers: { 'last-event-id': '1' } });
    await again.until(() => numbers(again.results()).length === 2);
    assert.deepEqual(numbers(again.results()), [2, 3]);
    for (const each of [asked, again]) each.leave();
    await results.return!();
    while (!feed.isStopped()) await new Promise((resolve) => setImmediate(resolve));
    client.dispose();
  } finally {
    await proxy.stop('SIGKILL');
    await rm(folder, { recursive: true });
  }
});

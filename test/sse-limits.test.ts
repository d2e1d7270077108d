// What event streams may take: peers that read nothing or hardly anything, and operations beyond the limits, refused as over HTTP.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { request, type IncomingMessage } from 'node:http';
import { after, before, test } from 'node:test';
import { hashOf } from '#gateway/documents.ts';
import { maxJsonDepth } from '#gateway/json-body.ts';
import { newId } from '#src/platform/ids.ts';
import { askStream, resultsOf, type StreamResult } from '#test/harness/event-stream.ts';
import { eventually } from '#test/harness/eventually.ts';
import { probe } from '#test/harness/gateway-fields.ts';
import { testServer, type TestServer, type TestServerSettings } from '#test/harness/graphql.ts';

const queueBytes = 1_000_000;
const registered = 'query echo($value: JSON) { testEcho(value: $value) }';
let server: TestServer;
let strict: TestServer;
before(async () => {
  const operations = [{ place: 'test', hash: hashOf(registered), source: registered }];
  server = await testServer({ limits: { streamQueueBytes: queueBytes } });
  strict = await testServer({ operations: { registered: operations, onlyRegistered: true } });
});
after(async () => {
  await server.close();
  await strict.close();
});

const padding = 200_000;
const ticks = `subscription ($name: String!) { testTicks(name: $name, after: "0") { n padding(length: ${padding}) } }`;
const numbers = (results: readonly StreamResult[]) => results.flatMap(({ data }) => data?.['testTicks']?.n ?? []);
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

/** Reads only what the test asks it to. */
async function askSlowly(body: object): Promise<IncomingMessage> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${server.people.operator.adminKey}` };
  const asked = request(`${server.url}/graphql/stream`, { method: 'POST', headers, agent: false });
  asked.end(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    asked.once('response', resolve);
    asked.once('error', reject);
  });
}

test('one that reads a byte now and then is told so with its cursor, and closed; the others hear everything, and it goes on exactly', async () => {
  const name = newId();
  const others = await Promise.all(Array.from({ length: 3 }, () => askStream(server, { query: ticks, variables: { name } })));
  const slow = await askSlowly({ query: ticks, variables: { name } });
  await eventually(() => probe.sources.has(name));
  const feed = probe.sources.get(name)!;
  let read = '';
  let last = 0;
  const isTold = () => server.logs.some(({ reason }) => String(reason).includes(`${queueBytes} bytes wait`));
  // A kernel keeps some megabytes for a peer; beyond them the queue fills, and then it is told.
  while (!isTold()) {
    feed.push((last += 1));
    await Promise.all(others.map((other) => other.until(() => numbers(other.results()).at(-1) === last)));
    read += String(slow.read(1) ?? '');
    for (const bytes of server.gateway.queuedBytes()) assert.ok(bytes <= queueBytes, `${bytes} bytes wait`);
    assert.ok(last < 1_000, 'it was never too much');
  }
  for (const other of others) assert.deepEqual(numbers(other.results()), upTo(last));
  await eventually(() => server.gateway.queuedBytes().length === 0);
  for await (const chunk of slow) read += String(chunk);
  const blocks = read.split('\n\n').filter((block) => block.startsWith('event: '));
  const results = resultsOf(blocks);
  const [error] = results.at(-1)!.errors!;
  assert.match(error!.message, /subscribe again with the cursor of the last batch/);
  assert.deepEqual([error!.extensions['code'], error!.extensions['cursor']], ['SLOW_CONSUMER', String(numbers(results).at(-1))]);
  assert.ok(
    blocks.every((block) => block.startsWith('event: next')),
    'not complete: it is to come back',
  );
  const lastEventId = /^id: (.*)$/m.exec(blocks.at(-2)!)![1]!;
  assert.equal(lastEventId, error!.extensions['cursor']);
  const again = await askStream(server, { query: ticks, variables: { name } }, { headers: { 'last-event-id': lastEventId } });
  feed.push((last += 1));
  await again.until(() => numbers(again.results()).at(-1) === last);
  assert.deepEqual([...numbers(results), ...numbers(again.results())], upTo(last), 'nothing lost, nothing twice');
  for (const each of [...others, again]) each.leave();
});

test('one that takes nothing for as long as the limit says is told and closed, however little waits', async () => {
  const impatient = await testServer({ limits: { streamQueueBytes: 1_000_000_000, streamStallMs: 100 } });
  try {
    const name = newId();
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${impatient.people.operator.adminKey}` };
    const asked = request(`${impatient.url}/graphql/stream`, { method: 'POST', headers, agent: false });
    asked.end(JSON.stringify({ query: ticks, variables: { name } }));
    const slow = await new Promise<IncomingMessage>((resolve) => asked.once('response', resolve));
    await eventually(() => probe.sources.has(name));
    const feed = probe.sources.get(name)!;
    for (let n = 1; n <= 100; n++) feed.push(n);
    await eventually(() => feed.isStopped());
    let read = '';
    for await (const chunk of slow) read += String(chunk);
    assert.match(read, /nothing was read for 100 ms[^]*"SLOW_CONSUMER"/);
  } finally {
    await impatient.close();
  }
});

test('what goes beyond a limit, is not known by its hash, or is not registered is refused as over HTTP, and the stream is complete', async () => {
  const nested = (depth: number) => `{ testThings { edges { node ${'{ self '.repeat(depth - 4)}{ name }${' }'.repeat(depth - 4)} } } }`;
  const tick = (selection: string) => `subscription { testTicks(name: "${newId()}") ${selection} }`;
  const things = 'things(first: 100) { edges { node { siblings(first: 100) { edges { node { id name self { id name } } } } } } }';
  const byHash = (hash: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash: hash } } });
  const text = 'subscription { testTicks(name: "x") { n } }';
  const cases: [to: TestServer, body: Record<string, unknown>, code: string, limit?: string][] = [
    [server, { query: nested(15) }, 'ok'],
    [server, { query: nested(16) }, 'LIMIT_EXCEEDED', 'queryDepth'],
    [server, { query: tick(`{ things { edges { node ${'{ self '.repeat(12)}{ name }${' }'.repeat(12)} } } }`) }, 'LIMIT_EXCEEDED', 'queryDepth'], // prettier-ignore
    [server, { query: tick(`{ n ${things} }`) }, 'LIMIT_EXCEEDED', 'queryCost'],
    [server, { query: tick(`{ ${Array.from({ length: 51 }, (_, n) => `a${n}: n`).join(' ')} }`) }, 'LIMIT_EXCEEDED', 'queryAliases'],
    [server, { query: tick(`{ n ${'... @include(if: true) { n } '.repeat(51)} }`) }, 'LIMIT_EXCEEDED', 'queryDirectives'],
    [server, { query: `{ testEcho(value: [${'1 '.repeat(5_000)}]) }` }, 'LIMIT_EXCEEDED', 'queryTokens'],
    [server, byHash(hashOf(text)), 'PERSISTED_QUERY_NOT_FOUND'],
    [server, { query: text, ...byHash(hashOf('other')) }, 'PERSISTED_QUERY_HASH_MISMATCH'],
    [strict, { query: text }, 'QUERY_NOT_IN_SAFELIST'],
    [strict, byHash(hashOf(text)), 'QUERY_NOT_IN_SAFELIST'],
    [strict, { query: '{ __schema { types { name } } }' }, 'QUERY_NOT_IN_SAFELIST'],
    [strict, { ...byHash(hashOf(registered)), variables: { value: 1 } }, 'ok'],
  ];
  for (const [to, body, code, limit] of cases) {
    const asked = await askStream(to, body);
    await asked.done;
    const [first, second] = asked.results();
    const error = first!.errors?.[0];
    assert.deepEqual(
      [error?.extensions['code'] ?? 'ok', error?.extensions['limit']?.name, second],
      [code, limit, undefined],
      JSON.stringify(body),
    );
    assert.equal(asked.blocks.at(-1), 'event: complete\ndata: ');
    if (JSON.stringify(body).includes('subscription')) continue;
    const key = to.people.operator.adminKey;
    const overHttp = await fetch(`${to.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify(body),
    });
    assert.equal(((await overHttp.json()) as StreamResult).errors?.[0]!.message, error?.message);
  }
});

test('variables in a URL may be nested as deep as in a body', async () => {
  const ask = (levels: number) => {
    const variables = `{"x":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    const query = new URLSearchParams({ query: '{ __typename }', variables });
    return fetch(`${server.url}/graphql/stream?${query.toString()}`, {
      headers: { authorization: `Bearer ${server.people.operator.adminKey}` },
    });
  };
  assert.match(await (await ask(maxJsonDepth)).text(), /"__typename":"Query"/);
  const { errors } = (await (await ask(maxJsonDepth + 1)).json()) as StreamResult;
  assert.deepEqual(errors![0]!.extensions, { code: 'LIMIT_EXCEEDED', limit: { name: 'jsonDepth', allowed: maxJsonDepth } });
});

test('a principal may have so many subscriptions open; one more is refused by name, and one that ends makes room', async () => {
  const narrow = await testServer({ limits: { sseMaxStreamsPerPrincipal: 2 } });
  const end = 'event: complete\ndata: ';
  try {
    const { operator } = narrow.people;
    const reader = (await operator.principal([['viewer', 'tenant', operator.tenantId]])).principalId;
    const asReader = { key: `test-principal-${operator.tenantId}/${reader}` };
    const subscribe = async (name = newId(), as = {}) => {
      const asked = await askStream(narrow, { query: 'subscription ($name: String!) { testTicks(name: $name) { n } }', variables: { name } }, as); // prettier-ignore
      await eventually(() => probe.sources.has(name) || asked.blocks.at(-1) === end);
      return { ...asked, name };
    };
    const [first, second] = [await subscribe(), await subscribe()];
    const refused = await subscribe();
    await refused.done;
    const [{ errors }] = refused.results() as [StreamResult];
    assert.match(errors![0]!.message, /^you have 2 open event streams/);
    assert.deepEqual(errors![0]!.extensions, {
      code: 'LIMIT_EXCEEDED',
      limit: { name: 'sseMaxStreamsPerPrincipal', requested: 3, allowed: 2 },
    });
    assert.equal(refused.blocks.at(-1), end);
    // Others have places of their own, and what is no subscription needs none.
    const others = [await subscribe(newId(), asReader), await subscribe(newId(), asReader)];
    const query = await askStream(narrow, { query: '{ __typename }' });
    await query.done;
    assert.equal(query.results()[0]!.errors, undefined);

    first.leave();
    probe.sources.get(second.name)!.end();
    await second.done;
    const opened: { leave(): void }[] = [];
    while (opened.length < 2) {
      const next = await subscribe();
      if (probe.sources.has(next.name)) opened.push(next);
    }
    const last = await subscribe();
    await last.done;
    assert.equal(last.results()[0]!.errors![0]!.extensions['code'], 'LIMIT_EXCEEDED');
    for (const each of [...others, ...opened]) each.leave();
  } finally {
    await narrow.close();
  }
});

/** Keeps whoever signs in waiting until it is opened. */
function signInGate() {
  const opened = Promise.withResolvers<void>();
  let asked = 0;
  const authenticator: TestServerSettings['authenticator'] = (real) => ({
    ...real,
    async authenticate(credential) {
      asked++;
      await opened.promise;
      return real.authenticate(credential);
    },
  });
  return { authenticator, asked: () => asked, open: () => opened.resolve() };
}

test('who leaves while it is signed in leaves nothing behind: no place is taken, nothing runs', async () => {
  const gate = signInGate();
  const narrow = await testServer({
    limits: { sseMaxStreamsPerPrincipal: 2 },
    authenticator: gate.authenticator,
  });
  const arrived: IncomingMessage[] = [];
  const onRequest = (message: unknown) => void arrived.push((message as { request: IncomingMessage }).request);
  const authorization = `Bearer ${narrow.people.operator.adminKey}`;
  const subscribed = (name: string) => `subscription { testTicks(name: "${name}") { n } }`;
  try {
    subscribe('http.server.request.start', onRequest);
    const names = Array.from({ length: 6 }, () => newId());
    const executions = probe.executions;
    const leaving = [
      ...names.slice(0, 3).map((name) => request(`${narrow.url}/graphql/stream?query=${encodeURIComponent(subscribed(name))}`, { agent: false, headers: { authorization } })), // prettier-ignore
      ...['/graphql/stream', '/graphql/stream', '/graphql'].map((path) =>
        request(`${narrow.url}${path}`, { method: 'POST', agent: false, headers: { authorization, 'content-type': 'application/json' } }),
      ),
    ];
    for (const [index, each] of leaving.entries()) {
      each.on('error', () => undefined);
      const isPost = index >= 3;
      each.end(isPost ? JSON.stringify({ query: index === 5 ? '{ testPadding(length: 1) }' : subscribed(names[index]!) }) : undefined);
    }
    await eventually(() => gate.asked() === leaving.length);
    for (const each of leaving) each.destroy();
    await eventually(() => arrived.length === leaving.length && arrived.every(({ destroyed }) => destroyed));
    gate.open();
    const streams = [];
    for (let n = 0; n < 2; n++) {
      const name = newId();
      const stream = await askStream(narrow, { query: subscribed(name) });
      await eventually(() => probe.sources.has(name) || stream.blocks.length > 1);
      assert.ok(probe.sources.has(name), JSON.stringify(stream.blocks));
      streams.push(stream);
    }
    assert.deepEqual([names.filter((name) => probe.sources.has(name)), probe.executions], [[], executions]);
    for (const stream of streams) stream.leave();
  } finally {
    unsubscribe('http.server.request.start', onRequest);
    await narrow.close();
  }
});

test('a stream that is asked for when the gateway begins to leave is not opened', async () => {
  const gate = signInGate();
  const leaving = await testServer({
    authenticator: gate.authenticator,
  });
  const name = newId();
  const query = `subscription { testTicks(name: "${name}") { n } }`;
  const answer = fetch(`${leaving.url}/graphql/stream?query=${encodeURIComponent(query)}`, {
    headers: { authorization: `Bearer ${leaving.people.operator.adminKey}` },
  });
  await eventually(() => gate.asked() === 1);
  const closed = leaving.gateway.close('restarting');
  gate.open();
  const { status, body } = await answer.then(async (response) => ({ status: response.status, body: await response.json() }));
  assert.deepEqual([status, body.errors[0].extensions.code, probe.sources.has(name)], [503, 'UNAVAILABLE', false]);
  await closed;
  await leaving.close();
});

test('a principal’s rate holds for event streams, too', async () => {
  let now = new Date();
  const limited = await testServer({ clock: { now: () => now }, limits: { requestBurst: 2, requestsPerSecond: 1 } });
  try {
    const status = async () => {
      const asked = await askStream(limited, { query: '{ __typename }' });
      await asked.done;
      return asked.response.status;
    };
    assert.deepEqual([await status(), await status(), await status()], [200, 200, 429]);
    now = new Date(now.getTime() + 1_000);
    assert.equal(await status(), 200);
  } finally {
    await limited.close();
  }
});

// The published client against a real gateway, through a TCP proxy that behaves as badly as networks do.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { after, afterEach, before, test } from 'node:test';
import {
  createSignalboxClient,
  SignalboxClientError,
  type SignalboxClient,
  type SignalboxClientOptions,
  type TypedDocument,
} from '#client/index.ts';
import { logs, TestLog } from './harness/log-fields.ts';
import { testServer, type TestServer } from './harness/graphql.ts';
import { createProxy, seededRandom, type Proxy } from './harness/proxy.ts';

let server: TestServer;
let proxy: Proxy;
let clients: SignalboxClient[] = [];
before(async () => {
  server = await testServer({ recheckMs: 50 });
  proxy = await createProxy(portOf(server.url));
});
after(async () => {
  await proxy.close();
  await server.close();
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  clients = [];
  proxy.bytesToLive = () => Number.POSITIVE_INFINITY;
  proxy.refuses = false;
  proxy.target = portOf(server.url);
});

const portOf = (url: string) => Number(new URL(url).port);

function clientOf(options: Partial<SignalboxClientOptions> = {}): SignalboxClient {
  const client = createSignalboxClient({
    url: `http://127.0.0.1:${proxy.port}`,
    apiKey: server.people.operator.adminKey,
    retry: { initialMs: 1, maxMs: 5 },
    ...options,
  });
  clients.push(client);
  return client;
}

function newLog(name: string): TestLog {
  const log = new TestLog();
  logs.set(name, log);
  return log;
}

interface LogVariables {
  name: string;
  after?: string;
}
type LogDocument = TypedDocument<{ testLog: { numbers: number[]; cursor: string; caughtUp: boolean } }, LogVariables>;
const LogDocument: LogDocument = `subscription ($name: String!, $after: String) { testLog(name: $name, after: $after) { numbers cursor caughtUp } }`;
const withoutAfter: LogDocument = 'subscription ($name: String!) { testLog(name: $name) { numbers cursor caughtUp } }';
const withoutCursor: LogDocument = 'subscription ($name: String!) { testLog(name: $name) { numbers caughtUp } }';

const upTo = (length: number, from = 1) => Array.from({ length: length - from + 1 }, (_, index) => from + index);
const coded = (code: string, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SignalboxClientError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, text);
  return true;
};

test('queries answer with the value of their field, mutations with their success', async () => {
  const client = clientOf();
  const { project } = await client.createProject({ input: { name: 'from-the-client', description: 'typed' } });
  assert.equal(project.description, 'typed');
  const page = await client.projects({ name: 'from-the-client' });
  assert.deepEqual(
    page.edges.map((edge) => edge.node),
    [project],
  );
  assert.equal((await client.viewer()).tenant.isOperator, true);
  assert.equal((await client.projects({ first: 1 })).pageInfo.hasNextPage, true);
});

test('expected failures are thrown with their code, message and problems', async () => {
  const client = clientOf();
  await client.createProject({ input: { name: 'twice' } });
  await assert.rejects(client.createProject({ input: { name: 'twice' } }), coded('CONFLICT', /"twice"/));
  await assert.rejects(client.createProject({ input: { name: 'Not a slug!' } }), (error: SignalboxClientError) => {
    coded('VALIDATION_FAILED', /name/)(error);
    assert.deepEqual(
      error.problems.map(({ path }) => path),
      ['name'],
    );
    return true;
  });
  await assert.rejects(client.projects({ first: 0 }), coded('VALIDATION_FAILED', /first/));
  await assert.rejects(client.request<unknown, object>('{ nonsense }', {}), coded('GRAPHQL_VALIDATION_FAILED', /nonsense/));
  await assert.rejects(clientOf({ apiKey: 'wrong' }).viewer(), coded('UNAUTHENTICATED', /./));
});

test('documents of one’s own are sent as they are', async () => {
  const client = clientOf();
  const document: TypedDocument<{ projects: { edges: { node: { name: string } }[] } }, { name: string }> =
    'query ($name: String) { projects(name: $name) { edges { node { name } } } }';
  await client.createProject({ input: { name: 'own' } });
  assert.equal((await client.request(document, { name: 'own' })).projects.edges[0]!.node.name, 'own');
  await assert.rejects(client.request({}, {}), /documentMode: string/);
});

test('a server that is not there, a page that is not GraphQL, an abort and a timeout are told apart', async () => {
  let status = 500;
  const page = createServer((request, response) => {
    if (request.url === '/slow') return;
    response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>');
  });
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
  await assert.rejects(clientOf({ url }).viewer(), coded('BAD_RESPONSE', /HTTP 500 .*<h1>Bad gateway/));
  for (const [code, text] of Object.entries({ 502: 'NETWORK', 503: 'UNAVAILABLE', 504: 'NETWORK' })) {
    status = Number(code);
    await assert.rejects(clientOf({ url }).viewer(), coded(text, new RegExp(`HTTP ${code} .*<h1>Bad gateway`)));
  }
  await assert.rejects(clientOf({ url: `${url}/slow`, timeoutMs: 20 }).viewer(), coded('NETWORK', /no answer within 20 ms/));
  const reason = new Error('changed my mind');
  await assert.rejects(clientOf({ url: `${url}/slow` }).viewer({}, { signal: AbortSignal.abort(reason) }), reason);
  page.closeAllConnections();
  page.close();
  await assert.rejects(clientOf({ url }).viewer(), coded('NETWORK', /ECONNREFUSED/));
  assert.throws(() => clientOf({ url: 'localhost:4000' }), /not an http\(s\) address/);
});

test('a stream gives history, then live, and ends when the server says so', async () => {
  const log = newLog('plain');
  log.append(20);
  const seen: number[] = [];
  for await (const { testLog } of clientOf().subscribe(LogDocument, { name: 'plain' })) {
    seen.push(...testLog.numbers);
    if (testLog.caughtUp && seen.length < 60) log.append(10, seen.length >= 50);
  }
  assert.deepEqual(seen, upTo(60));
  assert.equal(log.subscriptions, 1);
});

for (const seed of [1, 2, 3]) {
  test(`connections cut at random moments lose and repeat nothing (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const log = newLog(`cut-${seed}`);
    proxy.bytesToLive = () => Math.floor(random() * 4_000);
    log.append(200);
    const seen: number[] = [];
    let interrupted = 0;
    for await (const { testLog } of clientOf().subscribe(LogDocument, { name: `cut-${seed}` }, { onInterrupted: () => interrupted++ })) {
      seen.push(...testLog.numbers);
      if (random() < 0.1) proxy.cut();
      if (testLog.caughtUp && !log.isFinal) log.append(20, seen.length >= 600);
    }
    assert.deepEqual(seen, upTo(log.length));
    assert.ok(interrupted >= 5, `only ${interrupted} interruptions`);
  });
}

test('streams of one client share a socket and survive together', async () => {
  const client = clientOf();
  const before = proxy.connections;
  const read = async (name: string) => {
    const log = newLog(name);
    log.append(10);
    const seen: number[] = [];
    for await (const { testLog } of client.subscribe(LogDocument, { name })) {
      seen.push(...testLog.numbers);
      if (seen.length === 10) log.append(10, true);
    }
    return seen;
  };
  assert.deepEqual(await Promise.all(['one', 'two', 'three'].map(read)), [upTo(20), upTo(20), upTo(20)]);
  assert.equal(proxy.connections, before + 1);
});

test('a consumer that is slow makes the stream rest, not grow', async () => {
  const log = newLog('slow');
  log.append(7 * 700, true);
  const stream = clientOf().subscribe(LogDocument, { name: 'slow' });
  const seen: number[] = [...(await stream.next()).value!.testLog.numbers];
  while (log.stopped === 0) await new Promise(setImmediate);
  for await (const { testLog } of stream) seen.push(...testLog.numbers);
  assert.deepEqual(seen, upTo(7 * 700));
  assert.ok(log.subscriptions >= 2, 'it was resumed');
});

test('a connection that is dead without being closed is replaced', async () => {
  const log = newLog('frozen');
  log.append(5);
  const seen: number[] = [];
  for await (const { testLog } of clientOf({ keepAliveMs: 50 }).subscribe(LogDocument, { name: 'frozen' })) {
    seen.push(...testLog.numbers);
    if (seen.length > 5) break;
    proxy.freeze();
    log.append(5);
  }
  assert.deepEqual(seen, upTo(10));
});

test('a stream goes on where another process of the gateway takes over', async () => {
  const log = newLog('moved');
  log.append(5);
  const second = await testServer();
  const key = () => (proxy.target === portOf(server.url) ? server.people.operator.adminKey : second.people.operator.adminKey);
  const seen: number[] = [];
  try {
    for await (const { testLog } of clientOf({ apiKey: key }).subscribe(LogDocument, { name: 'moved' })) {
      seen.push(...testLog.numbers);
      if (seen.length > 5) break;
      proxy.target = portOf(second.url);
      proxy.refuses = true;
      proxy.cut();
      log.append(5);
      setTimeout(() => (proxy.refuses = false), 30);
    }
  } finally {
    await second.close();
  }
  assert.deepEqual(seen, upTo(10));
});

test('a server that is not available for a while is asked again', async () => {
  const log = newLog('unavailable');
  log.unavailable = 3;
  log.append(3, true);
  const errors: string[] = [];
  const stream = clientOf().subscribe(LogDocument, { name: 'unavailable' }, { onInterrupted: ({ code }) => errors.push(code) });
  for await (const { testLog } of stream) assert.deepEqual(testLog.numbers, [1, 2, 3]);
  assert.deepEqual(errors, ['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE']);
});

test('a stream that its listener ends when it is interrupted does not subscribe again', async () => {
  newLog('left').append(1);
  const abort = new AbortController();
  const stream = clientOf().subscribe(LogDocument, { name: 'left' }, { signal: abort.signal, onInterrupted: () => abort.abort() });
  await stream.next();
  const { connections } = proxy;
  proxy.cut();
  await assert.rejects(stream.next(), { name: 'AbortError' });
  // Longer than any delay between two tries.
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(proxy.connections, connections);
});

test('errors that trying again cannot help end the stream with their code', async () => {
  newLog('errors').append(1);
  const first = (client: SignalboxClient, document = LogDocument, variables: LogVariables = { name: 'errors' }) =>
    client.subscribe(document, variables).next();
  await assert.rejects(first(clientOf(), LogDocument, { name: 'errors', after: 'garbage' }), coded('INVALID_CURSOR', /"garbage"/));
  await assert.rejects(first(clientOf(), 'subscription { nonsense }'), coded('GRAPHQL_VALIDATION_FAILED', /nonsense/));
  await assert.rejects(first(clientOf({ apiKey: 'wrong' })), coded('UNAUTHENTICATED', /4401/));
  const nobody = await server.people.operator.principal([]);
  const unprivileged = clientOf({ apiKey: `test-principal-${nobody.tenantId}/${nobody.principalId}` });
  await assert.rejects(first(unprivileged), coded('FORBIDDEN', /project\.read/));
  const unselected: LogDocument = 'subscription ($name: String!, $after: String) { testLog(name: $name, after: $after) { numbers } }';
  await assert.rejects(first(clientOf(), unselected), coded('BAD_RESPONSE', /must select `cursor`/));
});

test('a server that was never reached is given up with the reason', async () => {
  proxy.refuses = true;
  newLog('never').append(1);
  await assert.rejects(clientOf().subscribe(LogDocument, { name: 'never' }).next(), coded('NETWORK', /127\.0\.0\.1/));
});

test('a key from a function is asked for again when the old one has ended', async () => {
  const log = newLog('keys');
  log.append(3);
  const { operator, apiKeys } = server.people;
  const create = (name: string) => operator.write((uow) => apiKeys.createApiKey(uow, operator.admin, { name, roles: ['viewer'] }));
  const [old, fresh] = [await create('old'), await create('fresh')];
  let token = old.token;
  const seen: number[] = [];
  for await (const { testLog } of clientOf({ apiKey: () => token }).subscribe(LogDocument, { name: 'keys' })) {
    seen.push(...testLog.numbers);
    if (seen.length > 3) break;
    token = fresh.token;
    await operator.write((uow) => apiKeys.revokeApiKey(uow, operator.admin, { apiKeyId: old.apiKey.id }));
    log.append(3);
  }
  assert.deepEqual(seen, upTo(6));
});

test('a subscription that cannot be resumed says so instead of repeating or skipping', async () => {
  newLog('restart').append(3);
  const client = clientOf();
  const stream = client.subscribe(withoutAfter, { name: 'restart' });
  await stream.next();
  proxy.cut();
  await assert.rejects(stream.next(), coded('NETWORK', /./));
  const live = client.subscribe(withoutCursor, { name: 'restart' });
  await live.next();
  proxy.cut();
  assert.deepEqual((await live.next()).value!.testLog.numbers, [1, 2, 3], 'nothing to resume: it begins again');
});

test('leaving the loop, an abort and closing the client end the subscription on the server', async () => {
  const log = newLog('left');
  log.append(1);
  const client = clientOf();
  const stopped = async (count: number) => {
    while (log.stopped < count) await new Promise(setImmediate);
  };
  for await (const _ of client.subscribe(LogDocument, { name: 'left' })) break;
  await stopped(1);
  const stop = new AbortController();
  const aborted = client.subscribe(LogDocument, { name: 'left' }, { signal: stop.signal });
  await aborted.next();
  const waiting = aborted.next();
  stop.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  await stopped(2);
  const closed = client.subscribe(LogDocument, { name: 'left' });
  await closed.next();
  const pending = closed.next();
  await client.close();
  assert.deepEqual(await pending, { done: true, value: undefined });
  await stopped(3);
});

test('the package as it is published runs without this repository, on this Node and on the one that is installed', async () => {
  const run = promisify(execFile); // not Sync: the gateway answers from this process
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-client-'));
  const root = join(import.meta.dirname, '..');
  const program = `
    import { WebSocket } from 'ws';
    import { createSignalboxClient } from '${folder}/dist/index.js';
    const client = createSignalboxClient({ url: process.argv[1], apiKey: process.argv[2], webSocketImpl: WebSocket });
    const { tenant } = await client.viewer();
    const document = 'subscription { testLog(name: "package") { numbers } }';
    for await (const { testLog } of client.subscribe(document, {})) console.log(tenant.isOperator, testLog.numbers.join());
    await client.close();`;
  try {
    newLog('package').append(3, true);
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    await run(join(root, 'node_modules/.bin/tsc'), ['-p', join(root, 'client'), '--outDir', join(folder, 'dist')]);
    const path = (process.env['PATH'] ?? '').split(':').filter((entry) => !entry.includes('node_modules'));
    const installed = await run('which', ['node'], { env: { PATH: path.join(':') } }).catch(() => ({ stdout: '' }));
    for (const node of [process.execPath, installed.stdout.trim()].filter(Boolean)) {
      const args = ['--input-type=module', '-e', program, server.url, server.people.operator.adminKey];
      assert.equal((await run(node, args, { cwd: folder })).stdout, 'true 1,2,3\n', node);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

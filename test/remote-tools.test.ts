// Tools of tenants' own servers, called as a runner calls them: real MCP servers over streamable HTTP, through the real outbound guard.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { isRepeatable } from '#src/tools/tool.ts';
import { eventually } from './harness/eventually.ts';
import { held, httpMcp, type HttpMcp, type HttpMcpOptions } from './harness/mcp/http-server.ts';
import { remoteHarness, type RemoteHarness, type RemoteSettings } from './harness/remote.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function serverOf(tools: HttpMcpOptions['tools'] = {}, options: HttpMcpOptions = {}): Promise<HttpMcp> {
  const server = await httpMcp({ tools: { echo: { run: ({ args }) => args }, ...tools }, ...options });
  open.push(() => server.stop());
  return server;
}
function clientOf(server: HttpMcp, settings: RemoteSettings = {}): RemoteHarness {
  const remote = remoteHarness(server.url, settings);
  open.push(() => remote.close());
  return remote;
}

for (const json of [false, true]) {
  test(`a tool is described and called ${json ? 'with plain JSON' : 'over a stream'}; headers, key and attempt arrive`, async () => {
    const write = { annotations: { destructiveHint: false, idempotentHint: true }, run: () => 'written' };
    const server = await serverOf({ write }, { json });
    const remote = clientOf(server, { headers: [{ name: 'Authorization', value: 'Bearer of-a-tenant' }] });
    assert.deepEqual(JSON.parse((await remote.output('echo', { say: 'hi' })).text), { say: 'hi' });
    await remote.output('write', {}, { idempotencyKey: 'k-1', attempt: 2 });
    const [, call] = server.calls;
    assert.deepEqual(call!.meta, { 'signalbox/idempotency-key': 'k-1', 'signalbox/attempt': 2 });
    assert.equal(call!.headers['authorization'], 'Bearer of-a-tenant');
    await remote.settled();
    const described = remote.described.at(-1)!.map((tool) => [tool.fullName, tool.risk, tool.capability, isRepeatable(tool)]);
    assert.deepEqual(described, [
      ['remote.echo', 'high', 'write', false],
      ['remote.write', 'medium', 'write', true],
    ]);
    assert.equal(server.sessions(), 1, 'the session is kept');
    const { status, circuit, lastError, seenAt } = remote.health.at(-1)!;
    assert.deepEqual([status, circuit, lastError, seenAt instanceof Date], ['healthy', 'closed', null, true]);
  });
}

test('answers that are errors are told apart, and do not count against the server', async () => {
  const server = await serverOf({
    fail: { run: () => ({ content: [{ type: 'text', text: 'the disk is full' }], isError: true }) },
    broken: { run: () => Promise.reject(new Error('no such row')) },
  });
  const remote = clientOf(server, { limits: { failures: 1 } });
  const view = async (tool: string) => {
    const { code, message, retryable, dispatched } = await remote.refusal(tool);
    return [code, message, retryable, dispatched];
  };
  assert.deepEqual(await view('fail'), ['TOOL_ERROR', 'remote.fail: the disk is full', true, true]);
  assert.deepEqual(await view('broken'), ['TOOL_ERROR', 'remote.broken: no such row', true, true]);
  assert.deepEqual(await view('absent'), ['TOOL_UNKNOWN', 'remote.absent: the tool server "remote" has no such tool', false, false]);
  await remote.output('echo');
  assert.equal(remote.health.at(-1)!.status, 'healthy');
});

test("the server's timeout bounds a call, a shorter one of the step wins, and the server is told", async () => {
  const gate = held();
  const aborted = Promise.withResolvers<void>();
  const server = await serverOf({
    hold: gate.tool,
    told: { run: ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => (aborted.resolve(), resolve('')))) },
  });
  const remote = clientOf(server, { timeoutMs: 1_000 });
  await remote.output('echo');
  const late = await remote.refusal('hold', {}, { timeoutMs: 60_000 });
  assert.deepEqual(
    [late.code, late.message, late.retryable, late.dispatched],
    ['TOOL_TIMEOUT', 'remote.hold: no answer within 1000 ms', true, true],
  );
  assert.match((await remote.refusal('told', {}, { timeoutMs: 300 })).message, /within 300 ms/);
  await aborted.promise;
  await remote.settled();
  assert.equal(remote.health.at(-1)!.lastError, 'no answer within 1000 ms', "only the server's own timeout counts against it");
  await remote.output('echo');
});

test('a cancelled call ends at once and the server is told; one cancelled before is not sent', async () => {
  const arrived = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  const server = await serverOf({
    wait: {
      run: ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => (aborted.resolve(), resolve('')));
          arrived.resolve();
        }),
    },
  });
  const remote = clientOf(server);
  const stop = new AbortController();
  const call = remote.refusal('wait', {}, { signal: stop.signal });
  await arrived.promise;
  stop.abort();
  assert.deepEqual([(await call).code, (await call).dispatched], ['CANCELLED', true]);
  await aborted.promise;
  const before = await remote.refusal('wait', {}, { signal: AbortSignal.abort() });
  assert.deepEqual([before.code, before.dispatched, server.calls.length], ['CANCELLED', false, 1]);
});

test('no more calls than allowed run at a time: the next waits for its turn, within its timeout', async () => {
  const gate = held();
  const server = await serverOf({ hold: gate.tool });
  const remote = clientOf(server, { concurrency: 2 });
  const running = [remote.output('hold'), remote.output('hold')];
  await gate.arrived(2);
  const impatient = await remote.refusal('hold', {}, { timeoutMs: 100 });
  assert.deepEqual([impatient.code, impatient.dispatched], ['TOOL_TIMEOUT', false]);
  assert.match(impatient.message, /no turn among 2 calls at a time within 100 ms/);
  const third = remote.output('hold');
  assert.equal(server.calls.length, 2);
  gate.release();
  await Promise.all(running);
  await gate.arrived(3);
  gate.release();
  assert.equal((await third).text, 'released');
  assert.equal(remote.health.at(-1)!.status, 'healthy', 'waiting for a turn is not the server’s fault');
});

test('a server that ends in the middle of a call fails it at once; when it is back, it is called in a new session', async () => {
  const gate = held();
  const server = await serverOf({ hold: gate.tool });
  const remote = clientOf(server);
  const call = remote.refusal('hold', {}, { timeoutMs: 5_000 });
  await gate.arrived(1);
  await server.stop();
  const failed = await call;
  assert.deepEqual([failed.code, failed.retryable, failed.dispatched], ['TOOL_SERVER_FAILED', true, true]);
  const down = await remote.refusal('echo');
  assert.deepEqual([down.code, down.retryable, down.dispatched], ['TOOL_SERVER_FAILED', true, false]);
  assert.match(down.message, /the tool server "remote" failed: the connection to 127\.0\.0\.1:\d+ failed \(ECONNREFUSED\)/);
  await server.start();
  await remote.output('echo');
  assert.equal(server.sessions(), 2);
});

test('a call whose connection is cut goes on where the server lets it, and is made once; when it does not come back, the call fails', async () => {
  const gate = held();
  const server = await serverOf({ hold: gate.tool }, { resumable: true });
  const remote = clientOf(server, { timeoutMs: 30_000 });
  const call = remote.output('hold');
  await server.streaming(1);
  const resumed = Promise.withResolvers<void>();
  server.intercept = (request) => {
    if (request.headers['last-event-id'] !== undefined) resumed.resolve();
    return false;
  };
  server.cut();
  await resumed.promise;
  gate.release();
  assert.equal((await call).text, 'released');
  assert.equal(server.calls.length, 1);

  const lost = remote.refusal('hold');
  await server.streaming(2);
  await server.stop();
  const failed = await lost;
  assert.deepEqual([failed.code, failed.retryable, failed.dispatched], ['TOOL_SERVER_FAILED', true, true]);
  assert.match(failed.message, /it ended the stream before it answered/);
});

for (const status of [404, 400]) {
  test(`a session that the server no longer knows (${status}) is begun anew, and the call is made once`, async () => {
    const server = await serverOf();
    const remote = clientOf(server);
    await remote.output('echo');
    server.forget();
    if (status === 400) {
      let refused = false;
      server.intercept = (request, response) => {
        if (refused || request.headers['mcp-session-id'] === undefined) return false;
        refused = true;
        response.writeHead(400).end('Bad Request: No valid session ID provided');
        return true;
      };
    }
    assert.deepEqual(JSON.parse((await remote.output('echo', { n: 2 })).text), { n: 2 });
    assert.deepEqual([server.sessions(), server.calls.length], [2, 2]);
  });
}

test('a session without calls is ended, and begun again by the next call', async () => {
  const server = await serverOf();
  const ended = Promise.withResolvers<void>();
  server.intercept = (request) => {
    if (request.method === 'DELETE') ended.resolve();
    return false;
  };
  const remote = clientOf(server, { limits: { idleMs: 20 } });
  await remote.output('echo');
  await ended.promise;
  await remote.output('echo');
  assert.equal(server.sessions(), 2);
});

test('after failures in a row nothing is sent for a while; a trial call that fails keeps it so, one that succeeds ends it', async () => {
  const server = await serverOf();
  const remote = clientOf(server, { limits: { failures: 3, openMs: 300, maxOpenMs: 300 } });
  await server.stop();
  for (let count = 0; count < 3; count += 1) assert.equal((await remote.refusal('echo')).code, 'TOOL_SERVER_FAILED');
  await remote.seen(({ status, circuit }) => status === 'open_circuit' && circuit === 'open');
  await server.start();
  const refused = await remote.refusal('echo');
  const { retryable, dispatched, retryAfterMs } = refused;
  assert.deepEqual([refused.code, retryable, dispatched, retryAfterMs], ['CIRCUIT_OPEN', true, false, 300]);
  assert.match(refused.message, /failed 3 times in a row \(the connection to .* failed \(ECONNREFUSED\)\); it is tried again soon/);
  assert.deepEqual(server.requests, [], 'nothing was sent');

  /** The first call that is let through again. */
  const trial = () =>
    eventually(async () => {
      const outcome = await remote.refusal('absent');
      return outcome.code !== 'CIRCUIT_OPEN' && outcome;
    });
  await server.stop();
  assert.equal((await trial()).code, 'TOOL_SERVER_FAILED');
  assert.equal((await remote.refusal('echo')).code, 'CIRCUIT_OPEN', 'one failed trial call is enough');
  await server.start();
  assert.equal((await trial()).code, 'TOOL_UNKNOWN', 'it answered');
  await remote.output('echo');
  await remote.seen(({ status, circuit, lastError }) => status === 'healthy' && circuit === 'closed' && lastError === null);
});

test('a tool that changed is not called by its old description: announced, after a new session, or found out in time', async () => {
  const server = await serverOf({ versioned: { description: 'first', run: () => 'called' } });
  const remote = clientOf(server);
  const digest = async () => {
    await remote.settled();
    return remote.described.at(-1)!.find(({ name }) => name === 'versioned')!.digest;
  };
  await remote.output('echo');
  const first = await digest();
  await remote.output('versioned', {}, { digest: first });
  const changeTo = (description: string) => (server.tools['versioned'] = { ...server.tools['versioned'], description });

  const standing = () => server.requests.filter((request) => request === 'GET').length;
  assert.equal(standing(), 1, 'it listens for changes');
  changeTo('second');
  const lists = remote.described.length;
  await server.announce();
  while (remote.described.length === lists) await new Promise((resolve) => setImmediate(resolve));
  const announced = await remote.refusal('versioned', {}, { digest: first });
  assert.deepEqual([announced.code, announced.retryable, announced.dispatched], ['TOOL_CHANGED', false, false]);
  const second = await digest();
  await remote.output('versioned', {}, { digest: second });

  changeTo('third');
  server.forget();
  assert.equal((await remote.refusal('versioned', {}, { digest: second })).code, 'TOOL_CHANGED');

  const forgetful = clientOf(server, { limits: { relistMs: 0 } });
  await forgetful.output('versioned', {}, { digest: await digest() });
  changeTo('fourth');
  assert.equal((await forgetful.refusal('versioned', {}, { digest: await digest() })).code, 'TOOL_CHANGED');
  assert.equal(server.calls.filter(({ name }) => name === 'versioned').length, 3);
});

test('a new version of the registration is used by the next call, while calls under way end as they began', async () => {
  const gate = held();
  const server = await serverOf({ hold: gate.tool });
  const remote = clientOf(server, { headers: [{ name: 'X-Key', value: 'old' }] });
  const before = remote.output('hold');
  await gate.arrived(1);
  remote.registration = { ...remote.registration!, version: 2, headers: [{ name: 'X-Key', value: 'new' }] };
  await remote.output('echo');
  gate.release();
  assert.equal((await before).text, 'released');
  assert.deepEqual(
    server.calls.map(({ headers }) => headers['x-key']),
    ['old', 'new'],
  );
  remote.registration = null;
  const gone = await remote.refusal('echo', {}, {});
  assert.deepEqual([gone.code, gone.dispatched], ['TOOL_UNKNOWN', false]);
});

test('closing fails the calls under way and ends the sessions', async () => {
  const gate = held();
  const server = await serverOf({ hold: gate.tool });
  const remote = clientOf(server);
  const call = remote.refusal('hold');
  await gate.arrived(1);
  await remote.close();
  assert.equal((await call).code, 'TOOL_SERVER_FAILED');
  assert.ok(server.requests.includes('DELETE'), 'the server was told');
});

// Tenants' tool servers that are hostile or broken: what they can cost, where they can lead, what they can make us say.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { afterEach, test } from 'node:test';
import { remoteLimits } from '#src/tools/remote.ts';
import { httpMcp, type HttpMcp, type HttpMcpOptions } from './harness/mcp/http-server.ts';
import { remoteHarness, type RemoteHarness, type RemoteSettings } from './harness/remote.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function serverOf(options: HttpMcpOptions = {}): Promise<HttpMcp> {
  const server = await httpMcp({ ...options, tools: { echo: { run: ({ args }) => args }, ...options.tools } });
  open.push(() => server.stop());
  return server;
}
function clientOf(server: Pick<HttpMcp, 'url'>, settings: RemoteSettings = {}): RemoteHarness {
  const remote = remoteHarness(server.url, settings);
  open.push(() => remote.close());
  return remote;
}

/** Answers calls of tools itself. */
function answering(server: HttpMcp, answer: (response: ServerResponse, id: number) => void): void {
  server.intercept = (_request, response, body) => {
    const { method, id } = (body === '' ? {} : JSON.parse(body)) as { method?: string; id?: number };
    if (method !== 'tools/call') return false;
    answer(response, id!);
    return true;
  };
}
const stream = { 'content-type': 'text/event-stream' };
const plain = { 'content-type': 'application/json' };

/** Writes for as long as somebody reads. */
function pour(response: ServerResponse, chunk: string): void {
  response.on('error', () => undefined);
  const more = () => {
    while (!response.destroyed && response.write(chunk));
    response.once('drain', more);
  };
  more();
}

test('an output at the limit passes, one byte more is refused', async () => {
  const empty = Buffer.byteLength(JSON.stringify({ text: '', content: [] }));
  const server = await serverOf({ tools: { huge: { run: ({ args }) => 'x'.repeat(Number(args['bytes'])) } } });
  const remote = clientOf(server, { maxOutputBytes: 10_000 });
  assert.equal((await remote.output('huge', { bytes: 10_000 - empty })).text.length, 10_000 - empty);
  const over = await remote.refusal('huge', { bytes: 10_001 - empty });
  assert.deepEqual([over.code, over.retryable], ['OUTPUT_TOO_LARGE', false]);
});

for (const [kind, headers, chunk] of [
  ['a stream of events', stream, `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}\n\n`],
  ['one endless event', stream, `data: ${'x'.repeat(1_000)}`],
  ['endless JSON', plain, ' '.repeat(1_000)],
] as const) {
  test(`${kind} is broken off at the limit`, async () => {
    const server = await serverOf();
    const remote = clientOf(server, { limits: { maxMessageBytes: 200_000 } });
    await remote.output('echo');
    answering(server, (response) => {
      response.writeHead(200, headers);
      pour(response, chunk);
    });
    const failed = await remote.refusal('echo', {}, { timeoutMs: 5_000 });
    assert.deepEqual([failed.code, failed.message], ['OUTPUT_TOO_LARGE', 'remote.echo: the answer is more than 200000 bytes']);
    server.intercept = null;
    await remote.output('echo');
  });
}

test('an answer that comes drop by drop ends with the time of the call', async () => {
  const server = await serverOf();
  const remote = clientOf(server, { timeoutMs: 400 });
  await remote.output('echo');
  const timers: NodeJS.Timeout[] = [];
  answering(server, (response) => {
    response.writeHead(200, stream);
    timers.push(setInterval(() => response.write(': still here\n\n'), 20));
    response.on('close', () => clearInterval(timers[0]));
  });
  const late = await remote.refusal('echo');
  assert.deepEqual([late.code, late.dispatched], ['TOOL_TIMEOUT', true]);
});

test('a stream that ends without an answer fails the call at once', async () => {
  const server = await serverOf();
  const remote = clientOf(server);
  await remote.output('echo');
  for (const end of [(response: ServerResponse) => response.end(), (response: ServerResponse) => response.destroy()]) {
    answering(server, (response) => {
      response.writeHead(200, stream);
      response.write(': begun\n\n', () => end(response));
    });
    const failed = await remote.refusal('echo', {}, { timeoutMs: 5_000 });
    assert.deepEqual([failed.code, failed.retryable, failed.dispatched], ['TOOL_SERVER_FAILED', true, true]);
  }
});

test('a redirect to another place is not followed, one within the server is', async () => {
  const secret = await serverOf();
  const server = await serverOf();
  const remote = clientOf(server, { headers: [{ name: 'Authorization', value: 'Bearer for-one-server' }] });
  await remote.output('echo');
  for (const target of [secret.url, 'http://169.254.169.254/latest/meta-data/', 'http://localhost/']) {
    answering(server, (response) => response.writeHead(307, { location: target }).end());
    const refused = await remote.refusal('echo');
    assert.deepEqual([refused.code, refused.retryable], ['TOOL_SERVER_FAILED', false]);
    assert.match(refused.message, /it answered HTTP 307: a redirect to http:\/\/[\w.]+(:\d+)? is not followed/);
  }
  assert.deepEqual(secret.requests, []);
  let redirected = false;
  server.intercept = (_request, response, body) => {
    if (redirected || !body.includes('tools/call')) return false;
    redirected = true;
    response.writeHead(307, { location: '/mcp?moved' }).end();
    return true;
  };
  await remote.output('echo');
});

test('a private address is refused before anything is sent, and so is a name that leads to one', async () => {
  const server = await serverOf();
  const denied = async (url: string, outbound: RemoteSettings['outbound'] = {}) => {
    const remote = clientOf({ url }, { outbound: { allow: [], ...outbound } });
    const refused = await remote.refusal('echo');
    assert.deepEqual([refused.code, refused.retryable, refused.dispatched], ['TOOL_SERVER_FAILED', false, false]);
    return refused.message;
  };
  assert.match(await denied(server.url), /127\.0\.0\.1 is refused \(loopback\)/);
  assert.match(await denied(server.url.replace('127.0.0.1', '2130706433')), /127\.0\.0\.1 is refused \(loopback\)/);
  assert.match(await denied('http://[::ffff:169.254.169.254]/mcp'), /is refused \(cloud metadata\)/);
  assert.match(
    await denied('http://mcp.example.com/', { resolve: async () => ['93.184.216.34', '10.0.0.1'] }),
    /leads to an address that is refused/,
  );
  assert.deepEqual(server.requests, []);
});

test('a name that leads elsewhere after it was checked (DNS rebinding) is checked for every connection', async () => {
  const server = await serverOf();
  const port = new URL(server.url).port;
  const answers = ['127.0.0.1'];
  const resolve = async () => [answers.at(-1)!];
  const remote = clientOf({ url: `http://mcp.example.com:${port}/mcp` }, { outbound: { allow: [`127.0.0.1:${port}`], resolve } });
  await remote.output('echo');
  answers.push('169.254.169.254');
  await server.stop();
  await server.start();
  await remote.refusal('echo'); // finds that the connection it had is cut
  const refused = await remote.refusal('echo');
  assert.deepEqual([refused.code, refused.dispatched], ['TOOL_SERVER_FAILED', false]);
  assert.match(refused.message, /mcp\.example\.com leads to an address that is refused \(cloud metadata\)/);
});

test('what is no MCP server says so in one sentence', async () => {
  const server = await serverOf();
  const remote = clientOf(server, { limits: { connectMs: 500, failures: 100 } });
  const answered = async (answer: (response: ServerResponse) => void) => {
    server.intercept = (_request, response) => {
      answer(response);
      return true;
    };
    const { code, message, dispatched } = await remote.refusal('echo');
    assert.deepEqual([code, dispatched], ['TOOL_SERVER_FAILED', false]);
    return message.replace('remote.echo: the tool server "remote" failed: ', '');
  };
  assert.equal(
    await answered((response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')),
    'it did not answer as an MCP server does',
  );
  assert.equal(await answered((response) => response.writeHead(200, plain).end('{"id":')), 'it did not answer as an MCP server does');
  assert.equal(await answered((response) => response.writeHead(200, plain).end('{"hello":1}')), 'it did not answer as an MCP server does');
  assert.equal(await answered((response) => response.writeHead(503).end('down')), 'it answered HTTP 503');
  assert.equal(
    await answered((response) => response.writeHead(401).end()),
    'it answered HTTP 401: look at the headers it is registered with',
  );
  assert.equal(await answered(() => undefined), 'it did not answer within 500 ms');
  assert.match(await answered((response) => response.destroy()), /^the connection to 127\.0\.0\.1:\d+ failed/);
});

test('tools at the limit are listed, one more refuses the server; so do descriptions that are too long', async () => {
  const server = await serverOf();
  const tools = (count: number, description = '') => {
    const entries = Array.from({ length: count }, (_, index) => [`tool-${index}`, { description, run: () => 'ok' }] as const);
    server.tools = Object.fromEntries(entries);
  };
  tools(remoteLimits.tools);
  await clientOf(server).output('tool-0');
  tools(remoteLimits.tools + 1);
  assert.match((await clientOf(server).refusal('tool-0')).message, /it describes more than 256 tools/);
  tools(2, 'x'.repeat(remoteLimits.listBytes / 2));
  assert.match((await clientOf(server).refusal('tool-0')).message, /it describes its tools in more than 1048576 bytes/);
});

test('a server that announces changes without end is listed now and then, and still answers calls', async () => {
  const server = await serverOf();
  const remote = clientOf(server, { limits: { relistPauseMs: 60_000 } });
  await remote.output('echo');
  for (let count = 0; count < 200; count += 1) await server.announce();
  const lists = () => server.requests.filter((request) => request === 'POST tools/list').length;
  assert.equal(lists(), 1);
  await remote.output('echo');
  assert.ok(lists() <= 3, `${lists()} listings`);
});

test('a server cannot make us repeat the secret that it was sent: not in outputs, errors, descriptions, health or logs', async () => {
  const secret = 'sk-live-"quoted"-0123456789';
  const server = await serverOf({
    tools: {
      leak: {
        run: ({ headers }) => ({
          content: [{ type: 'text', text: `you sent ${headers['authorization']}` }],
          structuredContent: { [secret]: [secret] },
        }),
      },
      fail: { run: () => ({ content: [{ type: 'text', text: `bad key ${secret}` }], isError: true }) },
      broken: { description: `wants ${secret}`, run: () => Promise.reject(new Error(`bad key ${secret}`)) },
      [secret]: { description: 'named after it' },
    },
  });
  const remote = clientOf(server, { headers: [{ name: 'Authorization', value: `Bearer ${secret}` }], limits: { failures: 100 } });
  const said: unknown[] = [await remote.output('leak'), await remote.refusal('fail'), await remote.refusal('broken')];
  answering(server, (response) => response.writeHead(500).end(`bad key ${secret}`));
  said.push(await remote.refusal('leak'));
  answering(server, (response) => response.writeHead(307, { location: `http://elsewhere/${secret}` }).end());
  said.push(await remote.refusal('leak'));
  answering(server, (response, id) => response.writeHead(200, plain).end(JSON.stringify({ id, error: { code: 1, message: secret } })));
  said.push(await remote.refusal('leak'));
  await remote.settled();
  const text = JSON.stringify([said, remote.described, remote.health, remote.logs]);
  assert.equal(server.calls.length, 3);
  assert.match(text, /you sent \[secret\]/);
  assert.equal(text.includes('0123456789'), false, text);
});

test('what Postgres cannot store is taken out of what a server says', async () => {
  const server = await serverOf({ tools: { odd: { run: () => Promise.reject(new Error('half \ud800 and \0 nothing')) } } });
  const { message } = await clientOf(server).refusal('odd');
  assert.equal(message, 'remote.odd: half \ufffd and  nothing');
});

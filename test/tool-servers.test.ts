// Stdio MCP servers: the real filesystem server, and one that crashes, hangs, babbles and changes (harness/mcp/server.ts).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { pino } from 'pino';
import type { ToolFailure, ToolOutput } from '#src/tools/tool-call.ts';
import { createToolServers, type ToolServers, type ToolServersOptions } from '#src/tools/tool-servers.ts';
import type { ToolServerConfig } from '#src/tools/tool-server.ts';
import { isRepeatable } from '#src/tools/tool.ts';

const script = new URL('./harness/mcp/server.ts', import.meta.url).pathname;
const filesystem = new URL('../node_modules/@modelcontextprotocol/server-filesystem/dist/index.js', import.meta.url).pathname;
let folder: string;
let open: ToolServers[] = [];

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-tools-'));
});
after(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  await Promise.all(open.map((servers) => servers.close()));
  open = [];
});

function misbehaving(...args: string[]): ToolServerConfig {
  return { command: process.execPath, args: [script, ...args], env: {}, timeoutMs: 20_000, startTimeoutMs: 20_000 };
}

function serversOf(servers: Record<string, ToolServerConfig>, options: Partial<ToolServersOptions> = {}): ToolServers {
  const created = createToolServers({
    servers,
    logger: pino({ level: 'silent' }),
    maxOutputBytes: 1024 * 1024,
    ...options,
    limits: { backoffMs: 1, pingTimeoutMs: 200, ...options.limits },
  });
  open.push(created);
  return created;
}

async function output(servers: ToolServers, name: string, args = {}, options = {}): Promise<ToolOutput> {
  const outcome = await servers.call(name, args, options);
  assert.ok(outcome.ok, JSON.stringify(outcome));
  return outcome.output;
}
async function refusal(servers: ToolServers, name: string, args = {}, options = {}): Promise<ToolFailure> {
  const outcome = await servers.call(name, args, options);
  assert.ok(!outcome.ok, 'the call succeeded');
  return outcome;
}
const alive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const pids = (file: string) => readFileSync(file, 'utf8').trim().split('\n').map(Number);

test('the real filesystem server is started, described and called', async () => {
  const servers = serversOf({ files: { ...misbehaving(), args: [filesystem, folder] } });
  const progress: string[] = [];
  await servers.start((step) => progress.push(`${step.server} ${step.state}`));
  assert.deepEqual(progress, ['files starting', 'files ready']);
  const write = servers.describe('files.write_file')!;
  assert.deepEqual([write.risk, write.capability, isRepeatable(write)], ['high', 'write', true]);
  const read = servers.describe('files.read_text_file')!;
  assert.deepEqual([read.risk, read.capability, read.digest.length], ['low', 'read', 64]);
  await output(servers, 'files.write_file', { path: join(folder, 'a.txt'), content: 'line 1\nline 2' });
  const { text, content, structured } = await output(servers, 'files.read_text_file', { path: join(folder, 'a.txt') });
  assert.deepEqual([text, content, structured], ['line 1\nline 2', [], { content: 'line 1\nline 2' }]);
  const failed = await refusal(servers, 'files.read_text_file', { path: '/etc/passwd' });
  assert.equal(failed.code, 'TOOL_ERROR');
  assert.match(failed.message, /^files\.read_text_file: .*outside allowed directories/);
});

test('a server is started by the first call and its tools carry risk from annotations, or from the operator', async () => {
  const servers = serversOf({ bad: { ...misbehaving(), tools: { put: { risk: 'critical', capability: 'notify' } } } });
  assert.equal(servers.describe('bad.echo'), null);
  assert.equal(servers.health()[0]!.status, 'idle');
  assert.equal((await output(servers, 'bad.echo', { say: 'hi' })).text, '{"say":"hi"}');
  const view = (name: string) => {
    const { risk, capability } = servers.describe(`bad.${name}`)!;
    return [risk, capability, isRepeatable(servers.describe(`bad.${name}`)!)];
  };
  assert.deepEqual(view('echo'), ['low', 'read', true]);
  assert.deepEqual(view('append'), ['medium', 'write', false]);
  assert.deepEqual(view('crash'), ['high', 'write', false]);
  assert.deepEqual(view('put'), ['critical', 'notify', true]);
  assert.equal(
    servers.list().some((tool) => tool.name.startsWith('b') && tool.name !== 'babble'),
    false,
    'tools with broken descriptions are left out',
  );
});

test('a server gets a minimal environment, the idempotency key and the attempt', async () => {
  process.env['SECRET_OF_OURS'] = 'x';
  const servers = serversOf({ bad: { ...misbehaving(), env: { GIVEN: 'yes' } } });
  const environment = JSON.parse((await output(servers, 'bad.environment')).text) as Record<string, string>;
  delete process.env['SECRET_OF_OURS'];
  const allowed = ['GIVEN', 'HOME', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'USER'];
  assert.deepEqual(
    Object.keys(environment).filter((name) => !allowed.includes(name)),
    [],
  );
  assert.equal(environment['GIVEN'], 'yes');
  const meta = (await output(servers, 'bad.meta', {}, { idempotencyKey: 'k-1', attempt: 2 })).text;
  assert.deepEqual(JSON.parse(meta), { 'signalbox/idempotency-key': 'k-1', 'signalbox/attempt': 2 });
});

test('text parts are joined, other parts and structured content kept', async () => {
  const { text, content, structured } = await output(serversOf({ bad: misbehaving() }), 'bad.mixed');
  assert.equal(text, 'one\ntwo');
  assert.deepEqual(content, [{ type: 'image', data: 'AAAA', mimeType: 'image/png' }]);
  assert.deepEqual(structured, { count: 2 });
});

test('a crash fails the calls under way as retryable, and the next call finds the server restarted', async () => {
  const file = join(folder, 'crash.pid');
  const servers = serversOf({ bad: misbehaving('--pid', file) });
  await servers.start();
  const [slow, crash] = await Promise.all([refusal(servers, 'bad.slow'), refusal(servers, 'bad.crash')]);
  for (const { code, retryable, dispatched } of [slow, crash]) {
    assert.deepEqual([code, retryable, dispatched], ['TOOL_SERVER_FAILED', true, true]);
  }
  assert.equal(crash.message, 'bad.crash: the tool server "bad" failed: it ended');
  assert.equal(servers.health()[0]!.status, 'failed');
  assert.equal((await output(servers, 'bad.echo', { say: 'again' })).text, '{"say":"again"}');
  assert.equal(pids(file).length, 2);
});

test('after failures in a row a call that cannot wait for the next start fails at once, naming the reason', async () => {
  const servers = serversOf({ bad: misbehaving() }, { limits: { backoffMs: 60_000 } });
  await refusal(servers, 'bad.crash');
  const failed = await refusal(servers, 'bad.echo', {}, { timeoutMs: 1_000 });
  assert.deepEqual([failed.code, failed.dispatched, failed.retryable], ['TOOL_SERVER_FAILED', false, true]);
  assert.match(failed.message, /it ended/);
});

test('a slow call times out while the server lives on; its late answer is dropped', async () => {
  const file = join(folder, 'slow.pid');
  const servers = serversOf({ bad: misbehaving('--pid', file) }, { limits: { pingTimeoutMs: 10_000 } });
  await servers.start();
  const late = await refusal(servers, 'bad.slow', {}, { timeoutMs: 50 });
  assert.deepEqual([late.code, late.retryable, late.dispatched], ['TOOL_TIMEOUT', true, true]);
  assert.match(late.message, /no answer within 50 ms/);
  assert.equal((await output(servers, 'bad.slow')).text, 'late');
  assert.equal((await output(servers, 'bad.cancelled')).text, '1', 'the server was told');
  assert.equal(pids(file).length, 1);
});

test('a hanging server is ended after the timeout and the next call gets a new one', async () => {
  const file = join(folder, 'hang.pid');
  const servers = serversOf({ bad: misbehaving('--pid', file) });
  await servers.start();
  assert.equal((await refusal(servers, 'bad.hang', {}, { timeoutMs: 100 })).code, 'TOOL_TIMEOUT');
  assert.equal((await output(servers, 'bad.echo', { say: 'back' })).text, '{"say":"back"}');
  const [hung] = pids(file);
  assert.equal(pids(file).length, 2);
  assert.equal(alive(hung!), false);
});

test('a cancelled call ends at once and the server is told', async () => {
  const servers = serversOf({ bad: misbehaving() }, { limits: { pingTimeoutMs: 10_000 } });
  await servers.start();
  const stop = new AbortController();
  const call = refusal(servers, 'bad.slow', {}, { signal: stop.signal });
  await output(servers, 'bad.echo'); // answered in order: the slow call has arrived
  stop.abort();
  assert.deepEqual([(await call).code, (await call).retryable], ['CANCELLED', false]);
  assert.equal((await output(servers, 'bad.cancelled')).text, '1');
  const before = await refusal(servers, 'bad.echo', {}, { signal: AbortSignal.abort() });
  assert.deepEqual([before.code, before.dispatched], ['CANCELLED', false]);
});

test('text on stdout that is not MCP is ignored; a flood of it ends the server', async () => {
  const servers = serversOf({ bad: misbehaving('--babble') });
  assert.equal((await output(servers, 'bad.babble')).text, 'answered anyway');
  const flood = await refusal(servers, 'bad.flood');
  assert.equal(flood.code, 'TOOL_SERVER_FAILED');
  assert.match(flood.message, /printed 1000 lines that are not MCP/);
  assert.equal((await output(servers, 'bad.echo', { say: 'ok' })).text, '{"say":"ok"}');
});

test('an output at the limit passes, one byte more is refused, an endless message ends the server', async () => {
  const empty = Buffer.byteLength(JSON.stringify({ text: '', content: [] }));
  const servers = serversOf({ bad: misbehaving() }, { maxOutputBytes: 10_000, limits: { maxMessageBytes: 1024 * 1024 } });
  assert.equal((await output(servers, 'bad.huge', { bytes: 10_000 - empty })).text.length, 10_000 - empty);
  const over = await refusal(servers, 'bad.huge', { bytes: 10_001 - empty });
  assert.deepEqual([over.code, over.retryable], ['OUTPUT_TOO_LARGE', false]);
  assert.match(over.message, /10001 bytes of JSON; at most 10000/);
  assert.equal((await refusal(servers, 'bad.endless')).code, 'OUTPUT_TOO_LARGE');
  assert.equal((await output(servers, 'bad.echo', { say: 'ok' })).text, '{"say":"ok"}');
});

test('errors of the tool and answers that break the protocol are told apart', async () => {
  const servers = serversOf({ bad: misbehaving() });
  const view = ({ code, message, retryable }: ToolFailure) => [code, message, retryable];
  assert.deepEqual(view(await refusal(servers, 'bad.fail')), ['TOOL_ERROR', 'bad.fail: the disk is full', true]);
  assert.deepEqual(view(await refusal(servers, 'bad.refuse')), ['TOOL_ERROR', 'bad.refuse: say: expected a string', false]);
  assert.deepEqual(view(await refusal(servers, 'bad.nonsense')), [
    'TOOL_ERROR',
    'bad.nonsense: the answer is not an MCP tool result',
    true,
  ]);
  const unknown = await refusal(servers, 'bad.missing');
  assert.deepEqual([unknown.code, unknown.dispatched], ['TOOL_UNKNOWN', false]);
  assert.match((await refusal(servers, 'other.tool')).message, /no tool server of this name is configured here \(configured: bad\)/);
  assert.equal((await refusal(servers, 'nonsense')).code, 'TOOL_UNKNOWN');
});

test('a description that changed is announced, and a call bound to the old digest does not happen', async () => {
  const file = join(folder, 'definition');
  writeFileSync(file, 'first');
  const servers = serversOf({ bad: misbehaving('--definition', file) });
  const seen: string[] = [];
  servers.onDescribed((_server, tools) => seen.push(tools.find((tool) => tool.name === 'versioned')!.description));
  await servers.start();
  const { digest } = servers.describe('bad.versioned')!;
  await output(servers, 'bad.versioned', {}, { digest });
  await output(servers, 'bad.change');
  const changed = await refusal(servers, 'bad.versioned', {}, { digest });
  assert.deepEqual([changed.code, changed.dispatched, changed.retryable], ['TOOL_CHANGED', false, false]);
  writeFileSync(file, 'second');
  await refusal(servers, 'bad.crash');
  assert.equal((await refusal(servers, 'bad.versioned', {}, { digest })).code, 'TOOL_CHANGED');
  assert.deepEqual(seen, ['first', 'first, changed while running', 'second']);
});

test('servers that cannot start say why, and do not keep the others from starting', async () => {
  const file = join(folder, 'mute.pid');
  const servers = serversOf({
    absent: { ...misbehaving(), command: '/nowhere/at-all' },
    ends: { ...misbehaving(), args: ['-e', 'process.exit(1)'] },
    mute: { ...misbehaving('--mute', '--stay', '--pid', file), startTimeoutMs: 1_500 },
    good: misbehaving(),
  });
  const errors: Record<string, string> = {};
  await servers.start((step) => void (step.state === 'failed' && (errors[step.server] = step.error)));
  assert.deepEqual(errors, {
    absent: 'the command "/nowhere/at-all" was not found',
    ends: `${process.execPath} ended before it answered`,
    mute: `${process.execPath} did not answer the MCP handshake within 1500 ms`,
  });
  assert.equal(alive(pids(file)[0]!), false);
  assert.deepEqual(
    servers.health().map(({ server, status }) => [server, status]),
    [
      ['absent', 'failed'],
      ['ends', 'failed'],
      ['mute', 'failed'],
      ['good', 'ready'],
    ],
  );
  const failed = await refusal(servers, 'absent.tool');
  assert.deepEqual([failed.code, failed.retryable, failed.dispatched], ['TOOL_SERVER_FAILED', true, false]);
});

test('closing ends servers that stay when their stdin closes, and fails the calls under way', async () => {
  const file = join(folder, 'stay.pid');
  const servers = serversOf({ bad: misbehaving('--stay', '--pid', file) });
  await servers.start();
  const call = refusal(servers, 'bad.hang', {});
  await servers.close();
  assert.equal((await call).code, 'TOOL_SERVER_FAILED');
  assert.equal(alive(pids(file)[0]!), false);
  assert.match((await refusal(servers, 'bad.echo')).message, /shutting down/);
});

test('servers end with their process, even when it is killed', async () => {
  const file = join(folder, 'orphan.pid');
  const program = `
    import { createToolServers } from '#src/tools/tool-servers.ts';
    import { pino } from 'pino';
    const servers = createToolServers({ servers: { bad: ${JSON.stringify(misbehaving('--pid', file))} }, logger: pino({ level: 'silent' }), maxOutputBytes: 1 });
    await servers.start();
    console.log('started');`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: join(import.meta.dirname, '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(owner.stdout, 'data');
  const [orphan] = pids(file);
  assert.ok(alive(orphan!));
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  // It holds our end of nothing, so there is no event to wait for.
  while (alive(orphan!)) await new Promise(setImmediate);
});

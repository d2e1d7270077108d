// `npm run cluster` as a person runs it: what it prints, what its options do, that it stops in order, and that nothing outlives it.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createSignalboxClient } from '#client/index.ts';
import { requirePrograms } from '../scripts/cluster/programs.ts';
import { eventually } from './harness/eventually.ts';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'signalbox-cluster-'));
/** A start takes six seconds, and a minute on a machine that does much else. */
const patienceMs = 120_000;
const running = new Set<ChildProcess>();
after(async () => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function cluster(...args: string[]) {
  const { DATABASE_URL: _url, ...env } = process.env;
  const child = spawn(process.execPath, ['scripts/cluster.ts', ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  return {
    child,
    ended,
    output: () => output,
    async says(pattern: RegExp): Promise<RegExpExecArray> {
      await eventually(
        () => pattern.test(output) || !running.has(child),
        () => output,
        patienceMs,
      );
      const said = pattern.exec(output);
      assert.ok(said, `it ended: ${output}`);
      return said;
    },
  };
}

/** The process with this id, unless it is gone or a zombie that nobody has asked about yet. */
function isThere(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
const childrenOf = (pid: number) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
const isKeeper = (pid: number) => isThere(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('cluster/postgres.ts');
const isPostgresThere = () => existsSync(join(folder, 'postgres', 'data', 'postmaster.pid'));

test('it explains its options, and refuses what they cannot be', async () => {
  const help = cluster('--help');
  assert.equal(await help.ended, 0);
  for (const option of ['--gateways', '--workers', '--port', '--folder']) assert.match(help.output(), new RegExp(`${option} <`));
  const wrong = cluster('--gateways', '0');
  assert.equal(await wrong.ended, 1);
  assert.match(wrong.output(), /--gateways <number>.*'0' is invalid.*whole number from 1 to 32/);
});

test('what is not installed is named with the line that installs it', () => {
  assert.throws(() => requirePrograms('/nowhere'), /needs redis-server and haproxy.*apt-get install redis-server haproxy/);
});

test(
  'nothing outlives it, not even when it is killed; the next one goes on with the same data and stops in order',
  { timeout: 240_000 },
  async () => {
    const options = ['--folder', folder, '--gateways', '1', '--workers', '1', '--port', '0'];
    const first = cluster(...options);
    const [, key] = await first.says(/admin key \(shown only this once\): (\S+)/);
    const [, url] = await first.says(/GraphQL at (\S+),/);
    await first.says(/^Ctrl-C/m);
    const client = createSignalboxClient({ url: url!, apiKey: key! });
    await client.createProject({ input: { name: 'kept' } });
    await client.close();
    const members = childrenOf(first.child.pid!);
    // Postgres's keeper, Redis, a gateway, a runner, HAProxy: no more than was asked for.
    assert.equal(members.length, 5, first.output());
    const [, gateway] = await first.says(/gateway-1 is ready \(process (\d+)/);
    process.kill(Number(gateway), 'SIGKILL');
    await first.says(/gateway-1 has ended; starting it again[^]*gateway-1 is ready again/);
    // The keeper too: another one takes care of the Postgres that runs on.
    const keeper = members.find(isKeeper)!;
    process.kill(keeper, 'SIGKILL');
    await eventually(
      () => childrenOf(first.child.pid!).some((pid) => pid !== keeper && isKeeper(pid)),
      () => first.output(),
      patienceMs,
    );
    assert.ok(isPostgresThere());
    members.push(...childrenOf(first.child.pid!));

    first.child.kill('SIGKILL');
    await first.ended;
    await eventually(
      () => !members.some(isThere) && !isPostgresThere(),
      () => members.filter(isThere),
      patienceMs,
    );

    const second = cluster(...options);
    const [, again] = await second.says(/GraphQL at (\S+),/);
    await second.says(/^Ctrl-C/m);
    assert.doesNotMatch(second.output(), /admin key/, 'shown only once');
    const known = createSignalboxClient({ url: again!, apiKey: key! });
    assert.deepEqual(
      (await known.projects({})).edges.map(({ node }) => node.name),
      ['kept'],
    );
    await known.close();
    const others = childrenOf(second.child.pid!);
    second.child.kill('SIGINT');
    assert.equal(await second.ended, 0);
    const stopped = [...second.output().matchAll(/^(\S+) has stopped$/gm)].map(([, name]) => name!.replace(/-\d+$/, ''));
    assert.deepEqual(stopped.slice(0, 2), ['gateway', 'worker']);
    assert.deepEqual(stopped.slice(2).sort(), ['haproxy', 'redis']);
    assert.deepEqual(others.filter(isThere), []);
    assert.ok(!isPostgresThere());
  },
);

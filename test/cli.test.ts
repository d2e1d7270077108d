// The command line with real processes: help, problems, migrate, and a start that ends well.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import pg from 'pg';
import { newAdminKey } from '#src/principals/bootstrap.ts';
import { testDatabase } from './harness/database.ts';

const root = join(import.meta.dirname, '..');
const dataDir = mkdtempSync(join(tmpdir(), 'signalbox-cli-'));
after(() => rmSync(dataDir, { recursive: true, force: true }));

interface Run {
  readonly child: ChildProcess;
  /** Resolves when stdout has said it. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

function signalbox(args: readonly string[], env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, ['cli/signalbox.ts', ...args], {
    cwd: root,
    env: { PATH: process.env['PATH'], SIGNALBOX_DATA_DIR: dataDir, SIGNALBOX_HTTP_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  return {
    child,
    async says(pattern) {
      for (;;) {
        const match = pattern.exec(stdout);
        if (match) return match;
        if (child.exitCode !== null) throw new Error(`ended without saying ${String(pattern)}: ${stdout}${stderr}`);
        await Promise.race([once(child.stdout, 'data'), once(child, 'close')]);
      }
    },
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr })),
  };
}

const listening = /listens on (http:\S+): GraphQL at (\S+)/;

async function viewerOf(url: string, key: string): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query: '{ viewer { __typename } }' }),
  });
  return ((await response.json()) as { data: unknown }).data;
}

test('every command explains itself with its variables and examples', async () => {
  const { stdout } = await signalbox(['--help']).ended;
  const commands = [...stdout.matchAll(/^ {2}(\w+) {2,}\S/gm)].map(([, name]) => name!).filter((name) => name !== 'help');
  for (const name of ['start', 'gateway', 'worker', 'migrate']) assert.ok(commands.includes(name), name);
  for (const name of commands) {
    const help = await signalbox([name, '--help']).ended;
    assert.equal(help.code, 0);
    assert.match(help.stdout, new RegExp(`^Usage: signalbox ${name} `));
    assert.match(help.stdout, /^Environment:\n {2}SIGNALBOX_CONFIG /m);
    assert.match(help.stdout, new RegExp(`^Examples:\n {2}\\$ .*signalbox ${name}`, 'm'));
  }
});

test('a mistyped command and wrong settings end with code 1 and say what to do', async () => {
  const typo = await signalbox(['strat']).ended;
  assert.equal(typo.code, 1);
  assert.match(typo.stderr, /unknown command 'strat'\n\(Did you mean start\?\)/);
  const wrong = await signalbox(['start'], { SIGNALBOX_HTTP_PORT: 'x', SIGNALBOX_HTTP_PROT: '1' }).ended;
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /^signalbox: the configuration has 2 problems:\n {2}SIGNALBOX_HTTP_PROT: .*\n {2}SIGNALBOX_HTTP_PORT: .*\n$/);
  const nobody = await signalbox(['migrate'], { DATABASE_URL: 'postgres://a:hunter2@127.0.0.1:1/d' }).ended;
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /^signalbox: Postgres does not let us in: connect ECONNREFUSED 127\.0\.0\.1:1 \(check DATABASE_URL/);
  assert.doesNotMatch(wrong.stderr + nobody.stderr, /hunter2|\n\s+at /);
});

test('migrate brings a database of DATABASE_URL to this version for the role of DATABASE_APP_URL', async () => {
  const db = await testDatabase();
  const admin = new pg.Client({ connectionString: process.env['SIGNALBOX_TEST_POSTGRES'] });
  await admin.connect();
  const role = `app_${process.pid}`;
  try {
    await admin.query(`create role ${role} login password 'x'`);
    const appUrl = Object.assign(new URL(db.ownerUrl), { username: role, password: 'x' }).href;
    const first = await signalbox(['migrate'], { DATABASE_URL: db.ownerUrl, DATABASE_APP_URL: appUrl }).ended;
    assert.deepEqual({ ...first, stderr: '' }, { code: 0, stdout: 'the database is up to date\n', stderr: '' }, first.stderr);
    const app = new pg.Client({ connectionString: appUrl });
    await app.connect();
    assert.deepEqual((await app.query('select id from tenants')).rows, []);
    await app.end();
  } finally {
    await db.close();
    await admin.query(`drop role ${role}`).catch(() => undefined);
    await admin.end();
  }
});

test('the first start prints a working key once; SIGTERM ends it with code 0 and takes its Postgres down', async () => {
  const first = signalbox(['start']);
  const [, key] = await first.says(/admin key \(shown only this once\): (sbk_\S+)\n/);
  const [, url, graphql] = await first.says(listening);
  assert.equal((await fetch(`${url!}/readyz`)).status, 200);
  assert.deepEqual(await viewerOf(graphql!, key!), { viewer: { __typename: 'Viewer' } });
  assert.equal(existsSync(join(dataDir, 'postgres', 'data', 'postmaster.pid')), true);
  assert.equal(existsSync(join(dataDir, 'first-admin-key')), false);

  const second = signalbox(['gateway']);
  await second.says(listening);
  first.child.kill('SIGTERM');
  assert.equal((await first.ended).code, 0);
  second.child.kill('SIGINT');
  const ended = await second.ended;
  assert.equal(ended.code, 0);
  assert.doesNotMatch(ended.stdout, /sbk_/);
  assert.equal(existsSync(join(dataDir, 'postgres', 'data', 'postmaster.pid')), false);
});

test('a second signal ends at once with code 1, however long stopping takes', async () => {
  const script = `const { run } = await import('./cli/run.ts');
    setInterval(() => {}, 1000);
    await run(async () => {
      console.log('running');
      return { stop: () => new Promise(() => console.log('stop called')) };
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  await Promise.race([once(child.stdout, 'data'), ended]);
  child.kill('SIGTERM');
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  assert.deepEqual(await ended, [1, null]);
  assert.match(stderr, /stopped at once by a second signal \(SIGINT\)/);
});

test('a key that a crash kept from being shown is shown by the next start', async () => {
  const crashed = mkdtempSync(join(tmpdir(), 'signalbox-cli-'));
  try {
    const key = newAdminKey();
    writeFileSync(join(crashed, 'first-admin-key'), `${key}\n`, { mode: 0o600 });
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const port = String((taken.address() as { port: number }).port);
    const failed = await signalbox(['gateway'], { SIGNALBOX_DATA_DIR: crashed, SIGNALBOX_HTTP_PORT: port }).ended;
    taken.close();
    assert.equal(failed.code, 1);
    assert.match(
      failed.stderr,
      new RegExp(`signalbox: listen EADDRINUSE.*127.0.0.1:${port}: stop what listens there, or change SIGNALBOX_HTTP_HOST`),
    );
    const next = signalbox(['gateway'], { SIGNALBOX_DATA_DIR: crashed });
    assert.equal((await next.says(/admin key .*: (sbk_\S+)/))[1], key);
    const [, , graphql] = await next.says(listening);
    assert.deepEqual(await viewerOf(graphql!, key), { viewer: { __typename: 'Viewer' } });
    next.child.kill('SIGTERM');
    assert.equal((await next.ended).code, 0);
  } finally {
    rmSync(crashed, { recursive: true, force: true });
  }
});

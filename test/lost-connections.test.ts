// A pool whose connections are cut in every phase of a transaction serves again, however often that happens.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { newId } from '#src/platform/ids.ts';
import { isTransient } from '#src/platform/transient.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';

let db: TestDatabase;
let owner: pg.Client;
before(async () => {
  db = await testDatabase();
  owner = new pg.Client({ connectionString: db.ownerUrl });
  await owner.connect();
});
after(async () => {
  await owner.end();
  await db.close();
});

test('connections that die are given back by themselves, so that the pool is never used up', async () => {
  const cutAll = 'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()';
  const transaction = () =>
    db.database.write(newId(), async (uow) => {
      await uow.rows('select pg_sleep(0.001)');
      await uow.rows('select 1');
    });
  let failures = 0;
  for (let round = 0; round < 15; round += 1) {
    const work = Array.from({ length: 12 }, async () => {
      for (let turn = 0; turn < 4; turn += 1) {
        await transaction().catch((error: unknown) => {
          assert.ok(isTransient(error), `a lost connection passes by itself: ${String(error)}`);
          failures += 1;
        });
      }
    });
    for (let cut = 0; cut < 3; cut += 1) await owner.query(cutAll);
    await Promise.all(work);
  }
  assert.ok(failures > 20, 'the connections were cut while they were used');
  await transaction();
});

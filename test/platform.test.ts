// The ground every other test stands on: units of work, row level security, lists of files.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId } from '#src/platform/ids.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';

let db: TestDatabase;
before(async () => {
  db = await testDatabase();
});
after(() => db.close());

test('a row of one tenant is invisible to another and to a transaction without tenant', async () => {
  const tenantId = newId();
  await db.database.write(tenantId, (uow) =>
    uow.rows(`insert into tenants (id, tenant_id, name, created_at) values ($1, $1, 'acme', now())`, [tenantId]),
  );
  const seenBy = (id: string) => db.database.read(id, (uow) => uow.rows('select id from tenants'));
  assert.equal((await seenBy(tenantId)).length, 1);
  assert.equal((await seenBy(newId())).length, 0);
  assert.equal((await seenBy('')).length, 0);
});

// Tenants and what they contain: the first start, and projects, environments and teams.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAuthenticator, type Authenticator } from '#src/principals/authenticate.ts';
import { ensureFirstTenant, newAdminKey } from '#src/principals/bootstrap.ts';
import { can } from '#src/principals/permission.ts';
import { systemClock } from '#src/platform/clock.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';

let db: TestDatabase;
let authenticator: Authenticator;
before(async () => {
  db = await testDatabase();
  authenticator = createAuthenticator({ database: db.database, clock: systemClock, issuers: [] });
});
after(async () => {
  await authenticator.close();
  await db.close();
});

test('two processes that start at once on an empty database make one tenant with one admin key', async () => {
  const mine = newAdminKey();
  const outcomes = await Promise.all([
    ensureFirstTenant(db.database, systemClock),
    ensureFirstTenant(db.database, systemClock, { adminKey: mine }),
    ensureFirstTenant(db.database, systemClock),
  ]);
  const created = outcomes.flatMap((outcome) => (outcome.created ? [outcome] : []));
  assert.equal(created.length, 1);
  const [first] = created;
  const authority = await authenticator.authenticate(first!.adminKey);
  assert.equal(authority.principalName, 'admin');
  assert.equal(authority.principalKind, 'service_account');
  assert.equal(authority.tenantId, first!.tenantId);
  assert.ok(can(authority, 'tenant.create'));
  assert.deepEqual(await ensureFirstTenant(db.database, systemClock), { created: false });
});

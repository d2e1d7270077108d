// People who sign in with tokens of an OpenID Connect issuer: their streams end with the token, and with their tenant.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { newId } from '#src/platform/ids.ts';
import { createAuthenticator } from '#src/principals/authenticate.ts';
import { endedBy, transports } from '#test/harness/ended-streams.ts';
import { testServer, type TestServer } from '#test/harness/graphql.ts';
import { audience, startIssuer, type TestIssuer } from '#test/harness/issuer.ts';

let ahead = 0;
const clock = { now: () => new Date(Date.now() + ahead) };
beforeEach(() => {
  ahead = 0;
});
/** One that looks again by itself, and one that only does when something happens. */
const servers: Record<'often' | 'never', TestServer> = {} as never;
let issuer: TestIssuer;
before(async () => {
  issuer = await startIssuer();
  const issuers = [{ issuer: issuer.url, audience, tenantClaim: 'tenant', rolesClaim: 'roles' }];
  const authenticator = (_keys: unknown, database: TestServer['database']) => createAuthenticator({ database, clock, issuers });
  servers.often = await testServer({ clock, authenticator, recheckMs: 10 });
  servers.never = await testServer({ clock, authenticator, recheckMs: 3_600_000 });
});
after(async () => {
  await servers.often?.close();
  await servers.never?.close();
  await issuer?.close();
});

const newTenant = async ({ database, people: { tenants, operator } }: TestServer) => {
  const tenantId = newId();
  await database.write(tenantId, (uow) => tenants.createTenant(uow, operator.admin, { name: `n-${tenantId}` }));
  return tenantId;
};
const ends: Record<string, readonly [(server: TestServer, tenantId: string) => Promise<unknown>, RegExp]> = {
  'the token expires': [async () => (ahead = 600_000), /expired at/],
  'the tenant is archived': [
    ({ database, services, people }, tenantId) =>
      database.write(tenantId, (uow) => services.tenantArchive.archiveTenant(uow, people.operator.admin, { tenantId })),
    /this tenant was archived at .*Z; the operator of this server can restore it/,
  ],
};

for (const [transport, open] of Object.entries(transports)) {
  for (const [why, [end, message]] of Object.entries(ends)) {
    for (const looks of ['often', 'never'] as const) {
      test(`over ${transport}, when ${why}, ${looks === 'often' ? 'a quiet stream' : 'the next batch'} ends it with the reason`, async () => {
        const server = servers[looks];
        const tenantId = await newTenant(server);
        const token = await issuer.token('ada', { tenant: tenantId, roles: ['admin'] });
        const watch = (name: string) => open(server, token, name);
        const error = await endedBy(() => end(server, tenantId), watch, { isQuiet: looks === 'often' });
        assert.equal(error.extensions['code'], 'UNAUTHENTICATED');
        assert.match(error.message, message);
        const again = await server.gql('{ viewer { tenant { id } } }', {}, { as: token });
        assert.deepEqual([again.status, again.errors![0]!.extensions.code], [401, 'UNAUTHENTICATED']);
      });
    }
  }
}

test('nobody is entered in an archived tenant by signing in for the first time', async () => {
  const server = servers.never;
  const tenantId = await newTenant(server);
  await ends['the tenant is archived']![0](server, tenantId);
  const token = await issuer.token('grace', { tenant: tenantId });
  const { status, errors } = await server.gql('{ viewer { tenant { id } } }', {}, { as: token });
  assert.deepEqual([status, errors![0]!.extensions.code], [401, 'UNAUTHENTICATED']);
  const people = await server.database.read(tenantId, (uow) => uow.rows(`select name from principals where tenant_id = $1`, [tenantId]));
  assert.deepEqual(people, [{ name: 'admin' }]);
});

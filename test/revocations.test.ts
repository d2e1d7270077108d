// Whatever ends somebody's rights, nothing that happens afterwards is told to them: over WebSockets and event streams, while something
// happens and while nothing does. What ends them is committed elsewhere: no gateway hears of it but by looking.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId } from '#src/platform/ids.ts';
import { endedBy, transports } from '#test/harness/ended-streams.ts';
import { testServer, type TestServer } from '#test/harness/graphql.ts';

let now = new Date('2026-01-01T00:00:00Z');
const clock = { now: () => now };
/** One that looks again by itself, and one that only does when something happens. */
const servers: Record<'often' | 'never', TestServer> = {} as never;
before(async () => {
  servers.often = await testServer({ clock, recheckMs: 10 });
  servers.never = await testServer({ clock, recheckMs: 3_600_000 });
});
after(async () => {
  await servers.often.close();
  await servers.never.close();
});

interface Somebody {
  readonly key: string;
  readonly ends: Readonly<Record<string, readonly [() => Promise<unknown>, string]>>;
}

/** The administrator of a new tenant. */
async function newcomer({ people: { operator, tenants }, services, database }: TestServer): Promise<Somebody> {
  const tenantId = newId();
  const { apiKey } = await database.write(tenantId, (uow) => tenants.createTenant(uow, operator.admin, { name: `n-${tenantId}` }));
  const archive = () =>
    database.write(tenantId, (uow) => services.tenantArchive.archiveTenant(uow, operator.admin, { tenantId, reason: 'it left' }));
  return { key: apiKey, ends: { 'the tenant is archived': [archive, 'UNAUTHENTICATED'] } };
}

/** A person with a key, and what takes their rights away. */
async function somebody({ people: { operator, apiKeys } }: TestServer): Promise<Somebody> {
  const person = await operator.principal([['viewer', 'tenant', operator.tenantId]]);
  const expiresAt = new Date(now.getTime() + 60_000);
  const key = await operator.write((uow) =>
    apiKeys.createApiKey(uow, operator.admin, { principalId: person.principalId, name: newId(), roles: ['viewer'], expiresAt }),
  );
  const run = (sql: string) => operator.write((uow) => uow.rows(sql, [person.principalId]));
  return {
    key: key.token,
    ends: {
      'the key is revoked': [
        () => operator.write((uow) => apiKeys.revokeApiKey(uow, operator.admin, { apiKeyId: key.apiKey.id })),
        'UNAUTHENTICATED',
      ],
      'the grant is removed': [() => run('delete from role_grants where principal_id = $1'), 'FORBIDDEN'],
      'the person is disabled': [() => run('update principals set disabled_at = now() where id = $1'), 'UNAUTHENTICATED'],
      'the credential expires': [async () => (now = expiresAt), 'UNAUTHENTICATED'],
    },
  };
}
const whys = ['the key is revoked', 'the grant is removed', 'the person is disabled', 'the credential expires', 'the tenant is archived'];

for (const [transport, open] of Object.entries(transports)) {
  for (const why of whys) {
    for (const looks of ['often', 'never'] as const) {
      test(`over ${transport}, when ${why}, ${looks === 'often' ? 'a quiet stream' : 'the next batch'} ends it with the reason`, async () => {
        const server = servers[looks];
        const { key, ends } = await (why === 'the tenant is archived' ? newcomer(server) : somebody(server));
        const [end, code] = ends[why]!;
        const { extensions } = await endedBy(end, (name) => open(server, key, name), { isQuiet: looks === 'often' });
        assert.equal(extensions['code'], code);
      });
    }
  }
}

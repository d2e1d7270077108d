// Rights that end by what another process commits: a gateway that nobody tells ends the stream with the reason, over WebSockets and event
// streams, at the next event and while nothing happens. And a tenant that is restored: its streams go on from their cursor.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { createServices } from '#src/app.ts';
import { byItself } from '#src/audit/audit.ts';
import { systemClock } from '#src/platform/clock.ts';
import { newId } from '#src/platform/ids.ts';
import { createLogger } from '#src/platform/logger.ts';
import { parseApiKey } from '#src/authority/api-key.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { createPeople, type People } from './harness/people.ts';
import { killLeftProcesses, signalbox } from './harness/signalbox-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'signalbox-revocations-'));
let db: TestDatabase;
let people: People;
let services: ReturnType<typeof createServices>;
/** Without Redis: of what is committed elsewhere they learn by looking. */
let watched: string;
let other: string;
before(async () => {
  db = await testDatabase();
  people = await createPeople(db.database);
  services = createServices({ clock: systemClock, database: db.database, logger: createLogger({ level: 'silent' }) });
  const gateway = async (name: string) => {
    const env = { DATABASE_URL: db.ownerUrl, SIGNALBOX_HTTP_PORT: '0', SIGNALBOX_SECRET_KEY: 'ab'.repeat(32) };
    const [, url] = await signalbox('gateway', { ...env, SIGNALBOX_DATA_DIR: join(folder, name) }).says(/listens on (http:\S+):/);
    return url!;
  };
  [watched, other] = await Promise.all([gateway('watched'), gateway('other')]);
});
after(async () => {
  await killLeftProcesses();
  await people?.authenticator.close();
  services?.feed.close();
  await db?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function mutate(name: string, input: object, as: string, selection = '__typename'): Promise<any> {
  const title = `${name[0]!.toUpperCase()}${name.slice(1)}`;
  const query = `mutation ($input: ${title}Input!) { ${name}(input: $input) { ... on ${title}Success { ${selection} } ... on Error { message } } }`;
  const { status, body } = await post(other, as, { query, variables: { input } });
  assert.deepEqual([status, body.errors, body.data?.[name].message], [200, undefined, undefined]);
  return body.data[name];
}
async function post(url: string, as: string, request: object): Promise<{ status: number; body: any }> {
  const headers = { authorization: `Bearer ${as}`, 'content-type': 'application/json' };
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify(request) });
  return { status: response.status, body: await response.json() };
}

interface Result {
  readonly data?: { auditTrail: { events: { action: string }[]; cursor: string; caughtUp: boolean } } | null;
  readonly errors?: readonly { message: string; extensions: Record<string, unknown> }[];
}
const audit = 'subscription ($after: String) { auditTrail(after: $after) { events { action } cursor caughtUp } }';
/** Of which nothing is told here but that it has begun. */
const quiet = 'subscription { tenantEvents { cursor caughtUp } }';
type Open = (key: string, query: string, after?: string) => AsyncIterableIterator<Result>;
const transports: Record<string, Open> = {
  'a WebSocket': (key, query, from) =>
    createClient({
      ...{ url: `${watched.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 },
      connectionParams: { authorization: `Bearer ${key}` },
    }).iterate({ query, variables: { ...(from && { after: from }) } }) as never,
  'an event stream': (key, query, from) =>
    createSseClient({ url: `${watched}/graphql/stream`, headers: { authorization: `Bearer ${key}` }, retryAttempts: 0 }).iterate({
      query,
      variables: { ...(from && { after: from }) },
    }) as never,
};

/** A new tenant, two keys of its administrator, and what happens in it whoever may still do something there. */
async function newTenant() {
  const { tenant, adminKey } = await mutate('createTenant', { name: `n-${newId()}` }, people.operator.adminKey, 'tenant { id } adminKey');
  const { tenantId } = parseApiKey(adminKey)!;
  const second = await mutate('createApiKey', { name: 'second', roles: ['ADMIN'] }, adminKey, 'token apiKey { id }');
  return {
    ...{ id: tenant.id as string, tenantId, adminKey: adminKey as string, key: second.token as string, keyId: second.apiKey.id as string },
    happen: (action: string) =>
      db.database.write(tenantId, async (uow) => {
        const none = { subject: null, beforeDigest: null, afterDigest: null, place: {}, origin: byItself };
        services.audit.record(uow, null, { action, ...none });
      }),
  };
}
type Tenant = Awaited<ReturnType<typeof newTenant>>;
const archive = ({ id }: Tenant) => mutate('archiveTenant', { tenantId: id }, people.operator.adminKey);
const ends: Record<string, readonly [(tenant: Tenant) => Promise<unknown>, string]> = {
  'the tenant is archived': [archive, 'UNAUTHENTICATED'],
  'the key is revoked': [({ adminKey, keyId }) => mutate('revokeApiKey', { apiKeyId: keyId }, adminKey), 'UNAUTHENTICATED'],
  'the role is taken away': [
    ({ tenantId }) => db.database.write(tenantId, (uow) => uow.rows('delete from role_grants where tenant_id = $1', [tenantId])),
    'FORBIDDEN',
  ],
};

/** Skips to the first batch with events. */
async function told(results: AsyncIterator<Result>): Promise<{ actions: string[]; cursor: string }> {
  for (;;) {
    const { value } = (await results.next()) as IteratorYieldResult<Result>;
    assert.ok(value?.data, JSON.stringify(value));
    const { events, cursor } = value.data.auditTrail;
    if (events.length > 0) return { actions: events.map(({ action }) => action), cursor };
  }
}
/** Watching from now on: it was told that history is over. */
async function watch(open: Open, key: string, query = audit): Promise<AsyncIterator<Result>> {
  const results = open(key, query);
  const { value } = await results.next();
  const [batch] = Object.values((value?.data ?? {}) as Record<string, { caughtUp: boolean }>);
  assert.equal(batch?.caughtUp, true, JSON.stringify(value));
  return results;
}

describe('by what another process commits', { concurrency: true }, () => {
  for (const [transport, open] of Object.entries(transports)) {
    for (const [why, [end, code]] of Object.entries(ends)) {
      const over = async (results: AsyncIterator<Result>) => {
        const { value } = (await results.next()) as IteratorYieldResult<Result>;
        assert.deepEqual([value.data ?? null, value.errors?.[0]?.extensions['code']], [null, code]);
        assert.equal((await results.next().catch(() => ({ done: true }))).done, true);
      };
      it(`over ${transport}, when ${why}, nothing is told that is committed with it or afterwards: the stream ends with the reason`, async () => {
        const tenant = await newTenant();
        const results = await watch(open, tenant.key);
        await tenant.happen('before');
        assert.deepEqual((await told(results)).actions, ['before']);
        await end(tenant);
        await tenant.happen('afterwards');
        await over(results);
      });

      it(`over ${transport}, when ${why}, a stream on which nothing happens ends with the reason`, async () => {
        const tenant = await newTenant();
        const results = await watch(open, tenant.key, quiet);
        await end(tenant);
        await over(results);
      });
    }
  }

  for (const [transport, open] of Object.entries(transports)) {
    it(`over ${transport}, an archived tenant opens no stream; restored, it goes on behind its cursor`, async () => {
      const tenant = await newTenant();
      const results = await watch(open, tenant.key);
      await tenant.happen('before');
      const { cursor } = await told(results);
      await archive(tenant);
      assert.equal(((await results.next()) as IteratorYieldResult<Result>).value.errors?.[0]?.extensions['code'], 'UNAUTHENTICATED');
      await tenant.happen('meanwhile');
      for (const url of [watched, other]) {
        const { status, body } = await post(url, tenant.key, { query: '{ viewer { tenant { id } } }' });
        assert.deepEqual([status, body.errors[0].extensions.code], [401, 'UNAUTHENTICATED']);
        assert.match(body.errors[0].message, /this tenant was archived at /);
      }
      await assert.rejects(open(tenant.key, audit, cursor).next());
      await mutate('restoreTenant', { tenantId: tenant.id }, people.operator.adminKey);
      const again = open(tenant.key, audit, cursor);
      const actions: string[] = [];
      while (!actions.includes('restoreTenant')) actions.push(...(await told(again)).actions);
      assert.deepEqual(actions, ['archiveTenant', 'meanwhile', 'restoreTenant']);
      await again.return!();
    });
  }
});

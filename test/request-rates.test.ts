// How often a principal may ask and an address may fail to sign in: at the limit, one above, after a while, over all gateways, without Redis.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { createAdmission, addressOf } from '#gateway/admission.ts';
import { createRates } from '#gateway/rates.ts';
import { createLogger } from '#src/platform/logger.ts';
import { RateLimitedError, UnauthenticatedError } from '#src/platform/errors.ts';
import { createPubSub, type PubSub } from '#src/platform/redis.ts';
import type { Authority } from '#src/authority/permission.ts';
import { eventually } from '#test/harness/eventually.ts';
import { testServer, type TestServer, type TestServerSettings } from '#test/harness/graphql.ts';
import { startRedis } from '#test/harness/redis.ts';

const start = new Date('2026-01-01T00:00:00Z');
let now = start;
const clock = { now: () => now };
const later = (ms: number) => (now = new Date(now.getTime() + ms));

const burst = 4;
let server: TestServer;
/** How many credentials were looked up. */
let lookedUp = 0;
before(async () => {
  const authenticator: TestServerSettings['authenticator'] = (real) => ({
    ...real,
    authenticate(credential) {
      lookedUp++;
      return real.authenticate(credential);
    },
  });
  server = await testServer({ clock, authenticator, limits: { requestsPerSecond: 2, requestBurst: burst, failedSignInsPerMinute: 3 } });
});
after(() => server.close());
beforeEach(() => later(3_600_000)); // every bucket is full again

async function send(credential: string, body = '{"query":"{ __typename }"}', headers: Record<string, string> = {}) {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${credential}`, ...headers },
    body,
  });
  const { errors } = (await response.json()) as { errors?: { message: string; extensions: Record<string, unknown> }[] };
  return { status: response.status, retryAfter: response.headers.get('retry-after'), error: errors?.[0] };
}
const statuses = async (n: number, credential: string, body?: string) => {
  const all: number[] = [];
  for (let i = 0; i < n; i++) all.push((await send(credential, body)).status);
  return all;
};

test('a bucket gives what it holds, then what flows in, never more than it holds, and bears a debt of one bucket', () => {
  const rates = createRates({ perSecond: 10, burst: 2, clock });
  assert.deepEqual([rates.take('a'), rates.take('a'), rates.take('a'), rates.take('b')], [0, 0, 100, 0]);
  later(50);
  assert.deepEqual([rates.wait('a'), rates.take('a')], [50, 50]);
  later(50);
  assert.deepEqual([rates.wait('a'), rates.take('a'), rates.take('a')], [0, 0, 100]);
  later(3_600_000);
  assert.deepEqual([rates.take('a'), rates.take('a'), rates.take('a')], [0, 0, 100]);
  rates.drain('a', 1_000);
  assert.equal(rates.wait('a'), 300); // 2 owed, and 1 to take
  later(-3_600_000); // the clock is put back: nothing is given, nothing is lost
  assert.equal(rates.wait('a'), 300);
  later(300);
  assert.equal(rates.take('a'), 0);
});

test('buckets are bounded in number: the one that was not used for longest is forgotten', () => {
  const rates = createRates({ perSecond: 1, burst: 1, clock, maxBuckets: 2 });
  assert.deepEqual([rates.take('a'), rates.take('b')], [0, 0]);
  assert.ok(rates.wait('a') > 0);
  assert.equal(rates.take('c'), 0); // b leaves
  assert.deepEqual([rates.wait('a') > 0, rates.wait('b')], [true, 0]);
});

test('a principal may send its burst, one more is answered 429 with when to try again, and others are not concerned', async () => {
  const { adminKey } = server.people.operator;
  assert.deepEqual(await statuses(burst, adminKey), Array(burst).fill(200));
  const refused = await send(adminKey);
  assert.deepEqual([refused.status, refused.retryAfter], [429, '1']);
  assert.deepEqual(refused.error!.extensions, {
    code: 'RATE_LIMITED',
    limit: { name: 'requestsPerSecond', allowed: 2 },
    retryAfterMs: 500,
  });
  assert.equal(
    refused.error!.message,
    'you have sent more operations than 4 at once and 2 a second, the most this server allows; try again in 500 ms',
  );
  assert.equal((await send(server.people.other.adminKey)).status, 200);
  later(500);
  assert.deepEqual(await statuses(2, adminKey), [200, 429]);
});

test('operations over a WebSocket count as those over HTTP, whichever socket they come over', async () => {
  const { adminKey } = server.people.operator;
  assert.deepEqual(await statuses(burst - 1, adminKey), [200, 200, 200]);
  const over = (query: string) => server.client(adminKey).iterate({ query }).next();
  assert.deepEqual((await over('{ __typename }')).value?.data, { __typename: 'Query' });
  for (const query of ['{ __typename }', 'mutation { a }', 'subscription { testTicks(name: "x") { n } }']) {
    await assert.rejects(over(query), (errors: { extensions: Record<string, unknown> }[]) => {
      assert.deepEqual([errors[0]!.extensions['code'], errors[0]!.extensions['retryAfterMs']], ['RATE_LIMITED', 500]);
      return true;
    });
  }
  assert.equal((await send(adminKey)).status, 429);
});

test('a large body and a long document that was not seen before count as several operations', async () => {
  const { adminKey } = server.people.operator;
  const body = (bytes: number) => JSON.stringify({ query: '{ __typename }', variables: { x: 'x'.repeat(bytes - 60) } });
  assert.deepEqual(await statuses(2, adminKey, body(200 * 1024)), [200, 429]); // 1 and 3 more
  later(3_600_000);
  assert.deepEqual(await statuses(3, adminKey, body(100 * 1024)), [200, 200, 429]);
  later(3_600_000);
  const query = (name: string, length: number) => JSON.stringify({ query: `{ ${name}: testEcho(value: "${'x'.repeat(length)}") }` });
  assert.deepEqual(await statuses(2, adminKey, query('a', 4 * 512)), [200, 429]);
  later(3_600_000);
  assert.deepEqual(await statuses(burst + 1, adminKey, query('a', 4 * 512)), [200, 200, 200, 200, 429]); // known by now
});

test('sign-ins that fail are bounded by address; credentials that were good pass all the same, and no account is locked', async () => {
  const { operator } = server.people;
  const good = await operator.write((uow) => server.people.apiKeys.createApiKey(uow, operator.admin, { name: 'known', roles: ['viewer'] }));
  const fresh = await operator.write((uow) =>
    server.people.apiKeys.createApiKey(uow, operator.admin, { name: 'fresh', roles: ['viewer'] }),
  );
  assert.equal((await send(good.token)).status, 200);
  const wrong = `${good.token.slice(0, -4)}0000`;
  const before = lookedUp;
  assert.deepEqual(await statuses(4, wrong), [401, 401, 401, 429]);
  const refused = await send('sbk_nonsense');
  assert.equal(lookedUp - before, 3);
  assert.deepEqual([refused.status, refused.retryAfter], [429, '20']);
  assert.deepEqual(refused.error!.extensions, {
    code: 'RATE_LIMITED',
    limit: { name: 'failedSignInsPerMinute', allowed: 3 },
    retryAfterMs: 20_000,
  });
  assert.equal((await send(good.token)).status, 200);
  assert.equal((await send(fresh.token)).status, 429);
  const overSocket = server.client(wrong).iterate({ query: '{ __typename }' }).next();
  await assert.rejects(overSocket, { code: 1013, reason: 'too many sign-ins from your address have failed; try again in 20000 ms' });
  later(20_000);
  assert.equal((await send(fresh.token)).status, 200);
});

test('what a principal sends beyond its rate is refused without looking it up', async () => {
  const { adminKey } = server.people.operator;
  const before = lookedUp;
  assert.deepEqual(await statuses(20, adminKey), [...Array(burst).fill(200), ...Array(20 - burst).fill(429)]);
  assert.equal(lookedUp - before, burst);
  const stream = await fetch(`${server.url}/graphql/stream?query={__typename}`, { headers: { authorization: `Bearer ${adminKey}` } });
  assert.deepEqual([stream.status, lookedUp - before], [429, burst]);
  later(500);
  assert.deepEqual(await statuses(2, adminKey), [200, 429]);
  assert.equal(lookedUp - before, burst + 1);
});

test('what is not even looked up costs nothing: no credential', async () => {
  const before = lookedUp;
  for (let i = 0; i < 10; i++) assert.equal((await fetch(`${server.url}/graphql`, { method: 'POST' })).status, 401);
  assert.equal(lookedUp, before);
  assert.equal((await send('sbk_nonsense')).status, 401); // those without a credential did not count as failed
});

test('of an address of IPv6 its network counts, and one of IPv4 is the same however it is written', () => {
  const of = (remoteAddress: string) => addressOf({ socket: { remoteAddress } as never });
  assert.equal(of('::ffff:192.0.2.7'), of('192.0.2.7'));
  assert.equal(of('2001:db8:1:2:3:4:5:6'), of('2001:db8:1:2::1'));
  assert.notEqual(of('2001:db8:1:2::1'), of('2001:db8:1:3::1'));
});

const authority = { tenantId: 'tenant', principalId: 'principal' } as Authority;
const signIn = { authenticate: () => Promise.reject(new UnauthenticatedError('never')) };

test('what somebody else says through Redis counts only where it is a count', async () => {
  const redis = await startRedis();
  const logger = createLogger({ level: 'silent' });
  const limits = { requestsPerSecond: 1, requestBurst: 10, failedSignInsPerMinute: 1 };
  const [pubSub, liar] = [1, 2].map(() => createPubSub({ url: redis.url, namespace: 'test', logger, beatMs: 25 })) as [PubSub, PubSub];
  const admission = createAdmission({ authenticator: signIn, limits, clock, pubSub });
  try {
    await eventually(() => pubSub.isHeard && liar.isHeard);
    const key = `${authority.tenantId}/${authority.principalId}`;
    const others = [['x'], [-1_000], [null], [0.5], [Number.MAX_VALUE], []];
    const said = [{ from: 'liar' }, { counts: 'x' }, ...others.map((count) => ({ from: 'liar', counts: [[key, ...count]] }))];
    const last = { ...authority, principalId: 'last' };
    for (const each of [...said, { from: 'liar', counts: [['tenant/last', 20]] }]) liar.publish('request-rates', () => each);
    const refuses = (ask: () => void) => {
      try {
        ask();
        return false;
      } catch (error) {
        assert.match((error as Error).message, /try again in \d+ ms/);
        return true;
      }
    };
    await eventually(() => refuses(() => admission.requireCredit(last)));
    for (let i = 0; i < 10; i++) admission.request(authority);
    assert.ok(refuses(() => admission.request(authority)));
  } finally {
    admission.close();
    await pubSub.close();
    await liar.close();
    await redis.close();
  }
});

test('gateways share what they let through over Redis; without it each counts for itself and refuses and waits for nothing', async () => {
  const redis = await startRedis();
  const logger = createLogger({ level: 'silent' });
  const limits = { requestsPerSecond: 1, requestBurst: 10, failedSignInsPerMinute: 1 };
  const pubSubs = [1, 2].map(() => createPubSub({ url: redis.url, namespace: 'test', logger, beatMs: 25 }));
  const [one, two] = pubSubs.map((pubSub) => createAdmission({ authenticator: signIn, limits, clock, pubSub, shareMs: 5 })) as [
    ReturnType<typeof createAdmission>,
    ReturnType<typeof createAdmission>,
  ];
  try {
    await eventually(() => pubSubs.every((pubSub) => pubSub.isHeard));
    const roomAt = (admission: typeof one) => {
      try {
        admission.request(authority);
        return true;
      } catch (error) {
        assert.ok(error instanceof RateLimitedError);
        return false;
      }
    };
    // A little at each, while the other hears of it: together they give ten.
    let given = 0;
    for (let i = 0; i < 5; i++) {
      assert.ok(roomAt(one));
      given++;
    }
    await eventually(() => {
      if (!roomAt(two)) return true;
      given++;
      return false;
    });
    assert.ok(given >= 10, String(given));
    await eventually(() => !roomAt(one)); // and the first has heard of those of the second
    later(3_600_000);

    redis.freeze();
    for (const admission of [one, two]) for (let i = 0; i < 10; i++) assert.ok(roomAt(admission));
    for (const admission of [one, two]) assert.ok(!roomAt(admission));
    redis.thaw();
    await redis.kill();
    later(3_600_000);
    for (const admission of [one, two]) for (let i = 0; i < 10; i++) assert.ok(roomAt(admission));
  } finally {
    one.close();
    two.close();
    for (const pubSub of pubSubs) await pubSub.close();
    await redis.close();
  }
});

// Publish and subscribe over a real Redis: what arrives, what is dropped, and that a Redis that is killed, frozen, flushed, replaced or not
// there at all is noticed, got over and never waited for.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { createLogger } from '#src/platform/logger.ts';
import { createPubSub, type PubSub } from '#src/platform/redis.ts';
import { freePort } from '#test/harness/daemon.ts';
import { startRedis, type RedisServer } from '#test/harness/redis.ts';
import { eventually } from '#test/harness/eventually.ts';

const logger = createLogger({ level: 'silent' });
let redis: RedisServer;
before(async () => {
  redis = await startRedis();
});
after(() => redis.close());
const opened: PubSub[] = [];
afterEach(async () => {
  redis.thaw();
  for (const each of opened.splice(0)) await each.close();
});

function open(url = redis.url, namespace = 'test', beatMs = 25): PubSub {
  const made = createPubSub({ url, namespace, logger, beatMs });
  opened.push(made);
  return made;
}

async function openHeard(url?: string, namespace?: string): Promise<PubSub> {
  const made = open(url, namespace);
  await eventually(() => made.isHeard);
  return made;
}

/** What is heard on a channel from when this resolves. */
async function hear(pubSub: PubSub, channel: string): Promise<{ readonly heard: unknown[]; listening(): number; leave(): void }> {
  const heard: unknown[] = [];
  let listening = 0;
  const leave = pubSub.subscribe(
    channel,
    (message) => heard.push(message),
    () => listening++,
  );
  await eventually(() => listening > 0);
  return { heard, listening: () => listening, leave };
}

test('what one process publishes all who listen hear, in order, and only on that channel of that namespace', async () => {
  const [one, other, stranger] = [await openHeard(), await openHeard(), await openHeard(redis.url, 'elsewhere')];
  const [here, there, elsewhere] = [await hear(one, 'a'), await hear(other, 'a'), await hear(stranger, 'a')];
  const second = await hear(other, 'a');
  for (let number = 0; number < 100; number++) {
    one.publish('a', () => ({ number }));
    one.publish('b', () => ({ number }));
  }
  stranger.publish('a', () => ({ stranger: true }));
  await eventually(
    () => here.heard.length === 100 && there.heard.length === 100 && second.heard.length === 100 && elsewhere.heard.length === 1,
  );
  assert.deepEqual(
    there.heard,
    Array.from({ length: 100 }, (_, number) => ({ number })),
  );
  assert.deepEqual([here.heard, second.heard, elsewhere.heard], [there.heard, there.heard, [{ stranger: true }]]);
  second.leave();
  second.leave();
  one.publish('a', () => ({ last: true }));
  await eventually(() => there.heard.length === 101);
  assert.equal(second.heard.length, 100);
  there.leave();
  await eventually(async () => ((await redis.command('pubsub', 'numsub', 'test:a')) as unknown[])[1] === 1);
});

test('a listener that throws ends neither the process nor the others', async () => {
  const one = await openHeard();
  const heard: unknown[] = [];
  one.subscribe('a', () => {
    throw new Error('listener');
  });
  const { leave } = await hear(one, 'a');
  one.subscribe('a', (message) => heard.push(message));
  one.publish('a', () => ({ still: 'here' }));
  await eventually(() => heard.length === 1);
  leave();
});

for (const [fault, hurt, mend] of [
  ['killed and started again', () => redis.kill(), () => redis.start()],
  ['frozen and thawed', async () => redis.freeze(), async () => redis.thaw()],
] as const) {
  test(`a Redis that is ${fault} is not heard meanwhile; afterwards everything arrives again on all channels`, async () => {
    const [one, other] = [await openHeard(), await openHeard()];
    const kept = await hear(other, 'kept');
    const left = await hear(other, 'left');
    const changes: boolean[] = [];
    other.onHeard((isHeard) => changes.push(isHeard));
    await hurt();
    await eventually(() => !one.isHeard && !other.isHeard);
    await assert.rejects(other.check(), /heartbeat/);
    left.leave();
    const added: unknown[] = [];
    let listening = 0;
    other.subscribe('added', (message) => added.push(message), () => listening++); // prettier-ignore
    assert.equal(listening, 0);
    await mend();
    await eventually(() => one.isHeard && other.isHeard && listening > 0);
    await other.check();
    for (const channel of ['kept', 'left', 'added']) one.publish(channel, () => ({ channel }));
    await eventually(() => kept.heard.length === 1 && added.length === 1);
    assert.deepEqual([kept.heard, added, left.heard], [[{ channel: 'kept' }], [{ channel: 'added' }], []]);
    assert.deepEqual(changes, [false, true]);
  });
}

test('while Redis is frozen publishing keeps a bounded number of messages and bytes, and counts those it drops', async () => {
  // The heartbeat is slow: nothing else ends what is in flight.
  const one = open(redis.url, 'test', 60_000);
  await eventually(() => one.isHeard);
  redis.freeze();
  const [before, text] = [one.dropped, 'x'.repeat(1_000)];
  for (let count = 0; count < 5_000; count++) one.publish('a', () => ({ text }));
  assert.equal(one.dropped - before, 4_000);
  redis.thaw();
  const { heard } = await hear(one, 'a');
  one.publish('a', () => ({ text: 'y'.repeat(9 * 1024 * 1024) }));
  assert.equal(one.dropped - before, 4_001);
  one.publish('a', () => ({ text: 'short' }));
  await eventually(() => (heard.at(-1) as { text: string } | undefined)?.text === 'short');
});

test('FLUSHALL and a cut connection lose no subscription', async () => {
  const [one, other] = [await openHeard(), await openHeard()];
  const { heard, listening } = await hear(other, 'a');
  await redis.command('flushall');
  one.publish('a', () => ({ flushed: true }));
  await eventually(() => heard.length === 1);
  await redis.command('client', 'kill', 'type', 'pubsub');
  await eventually(() => listening() > 1);
  one.publish('a', () => ({ cut: true }));
  await eventually(() => heard.length === 2);
});

test('a Redis that was never there is never heard: everything is dropped, and closing does not wait for it', async () => {
  const away = open(`redis://127.0.0.1:${await freePort()}`);
  away.subscribe('a', () => assert.fail('there is nobody'))();
  away.publish('a', () => ({}));
  assert.equal(away.dropped, 1);
  await eventually(() => away.dropped > 5); // heartbeats
  await assert.rejects(away.check());
});

test('a connection that breaks while it is being closed is closed', async () => {
  const accepted: Socket[] = [];
  const server = createServer((socket) => void accepted.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const made = open(`rediss://127.0.0.1:${port}`);
    await eventually(() => accepted.length === 2);
    const closing = made.close();
    for (const socket of accepted) socket.destroy();
    await closing;
  } finally {
    server.close();
  }
});

test('over TLS, with a user and a password', async () => {
  const [key, cert] = ['key', 'cert'].map((kind) => fileURLToPath(new URL(`./harness/tls/loopback.test.${kind}.pem`, import.meta.url)));
  const certificates = tls.getCACertificates('default');
  const files = ['--tls-cert-file', cert!, '--tls-key-file', key!, '--tls-ca-cert-file', cert!, '--tls-auth-clients', 'no'];
  const server = await startRedis([
    '--port',
    '0',
    '--tls-port',
    String(await freePort()),
    ...files,
    ...['--user', 'app', 'on', '>p@ss', '~*', '&*', '+@all'],
  ]);
  try {
    const url = `rediss://app:p%40ss@127.0.0.1:${server.port}`;
    const distrusting = open(url);
    await eventually(() => distrusting.dropped > 5);
    assert.equal(distrusting.isHeard, false);
    tls.setDefaultCACertificates([...certificates, readFileSync(cert!, 'utf8')]);
    const one = await openHeard(url);
    const { heard } = await hear(one, 'a');
    one.publish('a', () => ({ sealed: true }));
    await eventually(() => heard.length === 1);
  } finally {
    tls.setDefaultCACertificates(certificates);
    await server.close();
  }
});

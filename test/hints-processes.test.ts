// What hints do beside the streams: an effect whose execution another process ended is aborted, on Postgres' word alone; and real processes
// start, are ready and stop with Redis, without it, and while it is away.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createHints } from '#src/events/hints.ts';
import { systemClock } from '#src/platform/clock.ts';
import { newId } from '#src/platform/ids.ts';
import { createLogger } from '#src/platform/logger.ts';
import type { PubSub } from '#src/platform/redis.ts';
import { createEffects } from '#src/runner/effects.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { eventually } from './harness/eventually.ts';
import { startRedis, type RedisServer } from './harness/redis.ts';
import { setUpTenant } from './harness/product-tenant.ts';
import { killLeftProcesses, signalbox } from './harness/signalbox-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'signalbox-hints-'));
let redis: RedisServer;
let db: TestDatabase;
before(async () => {
  [redis, db] = await Promise.all([startRedis(), testDatabase()]);
});
after(async () => {
  await killLeftProcesses();
  await Promise.all([redis.close(), db.close()]);
  rmSync(folder, { recursive: true, force: true });
});

test('an effect is aborted when another process says that its execution has ended, and Postgres says so, too', async () => {
  const [tenantId, executionId] = [newId(), newId()];
  let hear: (message: unknown) => void = () => assert.fail('nobody listens');
  const pubSub = {
    ...{ isHeard: true, dropped: 0, publish: () => {}, onHeard: () => () => {} },
    subscribe(channel, listener) {
      if (channel === tenantId) hear = listener;
      return () => {};
    },
  } as Partial<PubSub> as PubSub;
  const hints = createHints({ pubSub });
  const asked: string[] = [];
  let isOver = false;
  const database = {
    async read(tenant: string, work: (uow: object) => Promise<unknown>) {
      asked.push(tenant);
      return work({ tenantId: tenant, rows: async () => (isOver ? [{ id: executionId }] : []) });
    },
  } as never;
  const call = Promise.withResolvers<AbortSignal>();
  const toolServers = {
    call: async (_tool: string, _args: object, { signal }: { signal: AbortSignal }) => {
      call.resolve(signal);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return { ok: false, code: 'ABORTED', message: '', retryable: false, dispatched: true };
    },
  } as never;
  const logger = createLogger({ level: 'silent' });
  const outbound = null as never;
  const effects = createEffects({ clock: systemClock, database, hints, toolServers, outbound, logger, checkMs: 1e9 });
  const effect = { kind: 'tool', tool: 'a.b', slot: { stepId: 's', itemIndex: -1 }, repeatable: true } as never;
  const outcome = effects.perform(tenantId, executionId, effect);
  const signal = await call.promise;
  const say = (id: string, final: boolean) => hear({ from: newId(), hints: [{ executionId: id, final, approvals: false }], names: [] });
  say(executionId, false);
  say(newId(), true);
  assert.deepEqual(asked, [], 'nothing that runs here');
  say(executionId, true);
  await eventually(() => asked.length === 1);
  assert.equal(signal.aborted, false);
  isOver = true;
  say(executionId, true);
  assert.deepEqual(await outcome, { kind: 'dropped' });
  assert.deepEqual(asked, [tenantId, tenantId]);
  effects.close();
  hints.close();
});

const ready = async (url: string) => {
  const response = await fetch(`${url}/readyz`);
  return [response.status, ((await response.json()) as { dependencies: object }).dependencies] as const;
};

test('a gateway starts without Redis being there, shows its state, stays ready, and stops in order', async () => {
  const common = { DATABASE_URL: db.ownerUrl, SIGNALBOX_HTTP_PORT: '0', SIGNALBOX_SECRET_KEY: 'ab'.repeat(32) };
  await redis.kill();
  const gateway = signalbox('gateway', { ...common, SIGNALBOX_DATA_DIR: join(folder, 'gateway'), REDIS_URL: redis.url });
  const [, url] = await gateway.says(/listens on (http:\S+):/);
  assert.deepEqual(await ready(url!), [200, { database: 'ok', redis: 'unavailable' }]);
  await gateway.says(/Redis is not heard/);
  await redis.start();
  await gateway.says(/Redis is heard/);
  assert.deepEqual(await ready(url!), [200, { database: 'ok', redis: 'ok' }]);
  const clients = async () => String(await redis.command('client', 'list')).match(/name=signalbox-/g)?.length ?? 0;
  assert.equal(await clients(), 2);
  assert.equal(await gateway.stop(), 0);
  assert.doesNotMatch(gateway.output(), /REDIS_URL is not set/);
  await eventually(async () => (await clients()) === 0);
});

test('a gateway and a worker without Redis say that they poll; who watches at one is told of all that the other does', async (context) => {
  const own = await testDatabase();
  context.after(() => killLeftProcesses().then(() => own.close()));
  const common = { DATABASE_URL: own.ownerUrl, SIGNALBOX_HTTP_PORT: '0', SIGNALBOX_SECRET_KEY: 'ab'.repeat(32) };
  const gateway = signalbox('gateway', { ...common, SIGNALBOX_DATA_DIR: join(folder, 'polling-gateway') });
  const [, key] = await gateway.says(/^admin key .*: (\S+)$/m);
  const [, url] = await gateway.says(/listens on (http:\S+):/);
  await gateway.says(/REDIS_URL is not set/);
  const worker = signalbox('worker', { ...common, SIGNALBOX_DATA_DIR: join(folder, 'polling-worker') });
  await worker.says(/REDIS_URL is not set/);
  await worker.says(/^runner: /m);
  const tenant = await setUpTenant(url!, key!);
  context.after(() => tenant.close());
  const agentId = await tenant.agent('plain', [{ id: 'nap', wait: '1s' }]);
  const input = { agentId, environmentId: tenant.environmentId, inputs: { name: 'x' } };
  const { execution } = await tenant.admin.startExecution({ input });
  const types: string[] = [];
  for await (const { events } of tenant.admin.executionEvents({ executionId: execution.id })) types.push(...events.map(({ type }) => type));
  // What the gateway did first and what the worker did last.
  assert.deepEqual([types[0], types.at(-1)], ['EXECUTION_QUEUED', 'EXECUTION_SUCCEEDED']);
  for (const each of [gateway, worker]) assert.equal(await each.stop(), 0);
});

// Two processes on one database, and Redis between them: with polling as good as off, what one commits reaches the other by hints alone,
// exactly as Postgres has it, whatever happens to Redis and whatever else is said there.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { NewEvent } from '#src/events/catalogue.ts';
import { createEventService, type EventRow, type EventService } from '#src/events/event-service.ts';
import { createHints, type Hints } from '#src/events/hints.ts';
import { createLiveFeed } from '#src/events/live-feed.ts';
import { historyNamespace } from '#src/events/namespace.ts';
import { systemClock } from '#src/platform/clock.ts';
import { newId } from '#src/platform/ids.ts';
import { createLogger } from '#src/platform/logger.ts';
import { createPubSub } from '#src/platform/redis.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { eventually } from './harness/eventually.ts';
import { startRedis, type RedisServer } from './harness/redis.ts';

const logger = createLogger({ level: 'silent' });
const never = 2_000_000_000;
let redis: RedisServer;
let db: TestDatabase;
let namespace: string;
before(async () => {
  [redis, db] = await Promise.all([startRedis(), testDatabase()]);
  namespace = await historyNamespace(db.database);
});
after(() => Promise.all([redis.close(), db.close()]));

const members: { readonly hints: Hints; readonly events: EventService; close(): Promise<void> }[] = [];
afterEach(async () => {
  redis.thaw();
  for (const member of members.splice(0)) await member.close();
});

/** One process. `reads` counts its transactions that read. */
async function join(pollMs = never) {
  const pubSub = createPubSub({ url: redis.url, namespace, logger, beatMs: 25 });
  const hints = createHints({ pubSub });
  const events = createEventService({ clock: systemClock, hints });
  let reads = 0;
  const read: typeof db.database.read = (tenantId, work) => {
    reads++;
    return db.database.read(tenantId, work);
  };
  const feed = createLiveFeed({ database: { ...db.database, read }, events, hints, logger, pollMs, heardPollMs: never });
  await eventually(() => hints.isHeard);
  const stops: (() => Promise<void>)[] = [];
  const member = {
    ...{ pubSub, hints, events, feed },
    reads: () => reads,
    append: (tenantId: string, executionId: string, first: number, list: readonly NewEvent[]) =>
      db.database.write(tenantId, (uow) => events.append(uow, executionId, first, list)),
    /** Collects what a stream gives, from when it has caught up and hears of the tenant. */
    async collect<Row>(tenantId: string, open: (signal: AbortSignal) => AsyncIterable<{ rows: readonly Row[]; caughtUp: boolean }>) {
      const [rows, ending] = [[] as Row[], new AbortController()];
      let isLive = false;
      const done = (async () => {
        for await (const batch of open(ending.signal)) {
          rows.push(...batch.rows);
          isLive ||= batch.caughtUp;
        }
      })();
      stops.push(async () => {
        ending.abort();
        await done;
      });
      const listening = async () => ((await redis.command('pubsub', 'numsub', `${namespace}:${tenantId}`)) as [string, number])[1] > 0;
      await eventually(async () => isLive && (await listening()));
      // The subscription's own look has been made.
      for (let quiet = 0, before = reads; quiet < 20; quiet++, before = reads) {
        await turn();
        if (reads !== before) quiet = 0;
      }
      return rows;
    },
    async close() {
      for (const stop of stops) await stop();
      feed.close();
      hints.close();
      await pubSub.close();
    },
  };
  members.push(member);
  return member;
}

const stored = (tenantId: string, executionId: string): Promise<EventRow[]> =>
  db.database.read(tenantId, (uow) => members[0]!.events.after(uow, executionId, 0, 10_000));
const ofExecution = (member: Awaited<ReturnType<typeof join>>, tenantId: string, executionId: string) =>
  member.collect(tenantId, (signal) => member.feed.execution(tenantId, executionId, 0, signal));
const queued: NewEvent = { type: 'execution.queued', data: { requestedBy: 'somebody' } };
const started: NewEvent = { type: 'execution.started', data: {} };

test('small batches travel with the hint: nothing is read, and what arrives is exactly what Postgres has', async () => {
  const [writer, reader] = [await join(), await join()];
  const [tenantId, executionId] = [newId(), newId()];
  const here = await ofExecution(writer, tenantId, executionId);
  const there = await ofExecution(reader, tenantId, executionId);
  const failure = { message: 'nul \0, half \ud800, quoted "\u2028" é 💥', code: 'X', stepId: 's' };
  const odd = {
    zz: 1e21,
    a: -0,
    bbb: 1e-7,
    b: [0.1 + 0.2, 1.7976931348623157e308, 5e-324, -123456789012345680000],
    é: null,
    '10': 1,
    '9': 2,
  };
  const reads = [writer.reads(), reader.reads()];
  await writer.append(tenantId, executionId, 1, [queued, started]);
  await writer.append(tenantId, executionId, 3, [
    { type: 'step.failed', data: { stepId: 's', itemIndex: -1, attempt: 1, failure, ...odd } },
    { type: 'step.skipped', data: { itemIndex: -1, stepId: 't', nested: { ccc: { bb: 1, a: 2 }, ['__proto__']: 1 } } as never },
  ]);
  await eventually(() => there.length === 4 && here.length === 4);
  assert.deepEqual([writer.reads(), reader.reads()], reads);
  const rows = await stored(tenantId, executionId);
  for (const got of [here, there]) {
    assert.deepStrictEqual(got, rows);
    assert.equal(JSON.stringify(got), JSON.stringify(rows));
  }
});

test('what is too large, too much or not the next is read in Postgres: nothing is missed and nothing comes twice', async () => {
  const [writer, reader] = [await join(), await join()];
  const [tenantId, executionId] = [newId(), newId()];
  const rows = await ofExecution(reader, tenantId, executionId);
  const reads = reader.reads();
  const skipped = (index: number): NewEvent => ({ type: 'step.skipped', data: { stepId: 'x'.repeat(1_000), itemIndex: index } });
  await writer.append(
    tenantId,
    executionId,
    1,
    Array.from({ length: 17 }, (_, index) => skipped(index)),
  );
  await eventually(() => rows.length === 17);
  assert.equal(reader.reads(), reads + 1);
  // Told of out of order: the second transaction first.
  const silent = createEventService({ clock: systemClock, hints: createHints() });
  await db.database.write(tenantId, (uow) => silent.append(uow, executionId, 18, [queued]));
  await writer.append(tenantId, executionId, 19, [started]);
  await eventually(() => rows.length === 19);
  assert.equal(reader.reads(), reads + 2);
  writer.hints.publish({ tenantId, executionId, final: false, approvals: false, rows: () => rows.slice(17, 18) });
  // More in one turn than can be told.
  const many = Array.from({ length: 300 }, () => newId());
  const last = await ofExecution(reader, tenantId, many[299]!);
  await db.database.write(
    tenantId,
    (uow) =>
    writer.events.appendToEach(uow, many.map((id) => ({ executionId: id, sequence: 1 })), queued, new Date()), // prettier-ignore
  );
  await eventually(() => last.length === 1);
  await writer.append(tenantId, executionId, 20, [started]);
  await eventually(() => rows.length === 20);
  assert.deepEqual(rows, await stored(tenantId, executionId));
});

test('streams in commit order, and of other tables, are woken from elsewhere', async () => {
  const [writer, reader] = [await join(), await join()];
  const [tenantId, executionId] = [newId(), newId()];
  const now = await db.database.read(tenantId, (uow) => reader.events.currentPosition(uow));
  const approvals = await reader.collect(tenantId, (signal) => reader.feed.approvals(tenantId, now, signal));
  const changed = await reader.collect(tenantId, (signal) => reader.feed.changed(tenantId, now, signal));
  const table: string[] = [];
  const source = {
    read: (_uow: unknown, _position: unknown, limit: number) => Promise.resolve(table.splice(0, limit)),
    positionOf: (row: string) => ({ ...now, transactionId: row }),
  };
  const others = await reader.collect(tenantId, (signal) => reader.feed.other(tenantId, 'audit', source, now, signal));
  const approvalId = newId();
  await writer.append(tenantId, executionId, 1, [
    { type: 'approval.cancelled', data: { stepId: '', itemIndex: -1, approvalId } },
    { type: 'execution.cancelled', data: { reason: 'r', cancelledBy: 'c' } },
  ]);
  await eventually(() => approvals.length === 1 && changed.length === 2);
  table.push(String(BigInt(now.transactionId) + 1n));
  writer.hints.wake(tenantId, 'other table');
  writer.hints.wake(tenantId, 'audit');
  await eventually(() => others.length === 1);
});

for (const [fault, hurt, mend] of [
  ['killed and started anew', () => redis.kill(), () => redis.start()],
  ['frozen', async () => redis.freeze(), async () => redis.thaw()],
] as const) {
  test(`Redis is ${fault}: polling finds what happens meanwhile; what only a hint could tell comes when Redis is heard again`, async () => {
    const [writer, patient, polling] = [await join(), await join(), await join(25)];
    const [tenantId, executionId] = [newId(), newId()];
    const late = await ofExecution(patient, tenantId, executionId);
    const soon = await ofExecution(polling, tenantId, executionId);
    await hurt();
    await eventually(() => members.every(({ hints }) => !hints.isHeard));
    for (let sequence = 1; sequence <= 50; sequence++) await writer.append(tenantId, executionId, sequence, [started]);
    await eventually(() => soon.length === 50);
    await mend();
    await eventually(() => late.length === 50 && members.every(({ hints }) => hints.isHeard));
    await writer.append(tenantId, executionId, 51, [queued]);
    await eventually(() => late.length === 51 && soon.length === 51);
    assert.deepEqual(late, await stored(tenantId, executionId));
    assert.deepEqual(soon, late);
  });
}

test('FLUSHALL and garbage change nothing; rows that are not exactly the next events of the tenant’s own execution are not given', async () => {
  const [writer, reader] = [await join(), await join()];
  const [tenantId, foreignTenant, executionId, foreignId] = [newId(), newId(), newId(), newId()];
  const rows = await ofExecution(reader, tenantId, executionId);
  const foreign = await ofExecution(reader, foreignTenant, foreignId);
  await redis.command('flushall');
  const [from, occurredAt] = [newId(), new Date().toISOString()];
  const forged = { sequence: 1, type: 'execution.started', data: {}, occurredAt };
  const hint = (id: unknown, more: object = {}) => ({ executionId: id, final: false, approvals: false, ...more });
  const message = (hints: unknown, names: unknown = []) => JSON.stringify({ from, hints, names });
  const garbage = [
    ...['', 'x', 'null', '[]', '{}', '"text"', '17', '\0', '{"from":', JSON.stringify({ from: 'me', hints: [], names: [] })],
    ...[message({}), message([null]), message([hint(17)]), message([hint('no-id')]), message([], [17]), message(null, 'x')],
    message(Array.from({ length: 201 }, () => hint(executionId))),
    message([hint(executionId, { final: 'yes' })]),
    // Each row is refused for one reason.
    ...[
      [{ ...forged, type: 'no.such' }],
      [{ ...forged, data: [] }],
      [{ ...forged, data: null }],
      [{ ...forged, type: 'execution.queued' }],
      [{ ...forged, sequence: 0 }],
      [{ ...forged, sequence: 2 }],
      [{ ...forged, sequence: '1' }],
      [{ ...forged, occurredAt: 'now' }],
      [forged, forged],
      [forged, { ...forged, sequence: 3 }],
      Array.from({ length: 51 }, (_, index) => ({ ...forged, sequence: index + 1 })),
      [],
      'rows',
    ].map((given) => message([hint(executionId, { rows: given })])),
    // Another tenant's execution, on this tenant's channel.
    message([hint(foreignId, { rows: [forged] })]),
    message([hint(executionId.toUpperCase(), { rows: [forged] })]),
  ];
  for (const each of garbage) await redis.command('publish', `${namespace}:${tenantId}`, each);
  await writer.append(tenantId, executionId, 1, [queued]);
  await writer.append(foreignTenant, foreignId, 1, [queued, started]);
  await eventually(() => rows.length === 1 && foreign.length === 2);
  assert.deepEqual(rows, await stored(tenantId, executionId));
  assert.deepEqual(foreign, await stored(foreignTenant, foreignId));
});

test('a tenant is heard of only while something of it is watched, and some seconds more', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  let now = performance.now();
  context.mock.method(performance, 'now', () => now);
  const open = new Set<string>();
  const pubSub = {
    ...{ isHeard: true, dropped: 0, publish: () => {}, onHeard: () => () => {}, check: async () => {}, close: async () => {} },
    subscribe(channel: string) {
      open.add(channel);
      return () => void open.delete(channel);
    },
  };
  const hints = createHints({ pubSub });
  const [first, second] = [hints.watch('t'), hints.watch('t')];
  const other = hints.watch('u');
  assert.deepEqual([...open], ['t', 'u']);
  const pass = (ms: number) => {
    now += ms;
    context.mock.timers.tick(ms);
  };
  first();
  first();
  pass(60_000);
  assert.deepEqual([...open], ['t', 'u']);
  second();
  pass(10_000);
  const again = hints.watch('t');
  pass(60_000);
  assert.deepEqual([...open], ['t', 'u']);
  again();
  pass(20_000);
  assert.deepEqual([...open], ['u']);
  hints.watch('t')();
  assert.deepEqual([...open], ['u', 't']);
  hints.close();
  assert.deepEqual([...open], []);
  other();
});

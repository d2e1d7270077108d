// The tenant's feed under writers that overlap, wait for each other, hesitate before they commit, and roll back: readers that come and go at
// any place are given exactly the list in Postgres, in commit order, each event once.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import pg from 'pg';
import { byItself } from '#src/audit/audit.ts';
import { auditEventsAfter } from '#src/audit/audit-reads.ts';
import { createAuditService } from '#src/audit/audit-service.ts';
import { tenantPlace } from '#src/events/cursor.ts';
import type { NewEvent } from '#src/events/catalogue.ts';
import { createEventService, startOfFeed, type FeedPosition, type PlacedEventRow } from '#src/events/event-service.ts';
import { createHints } from '#src/events/hints.ts';
import { createLiveFeed, type LiveFeed } from '#src/events/live-feed.ts';
import type { Watcher } from '#src/events/live-stream.ts';
import { tenantEvents } from '#src/executions/tenant-stream.ts';
import { migrate } from '#src/migrate.ts';
import { ormOptions } from '#src/orm.ts';
import { systemClock } from '#src/platform/clock.ts';
import { openDatabase, type Database, type UnitOfWork } from '#src/platform/database.ts';
import { startEmbeddedPostgres } from '#src/platform/embedded-postgres.ts';
import { newId } from '#src/platform/ids.ts';
import { createLogger } from '#src/platform/logger.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { eventually } from './harness/eventually.ts';
import { randomOf } from './harness/random.ts';

/** `npm run test:feed`: more of the same, and a transaction that stays open for a minute. */
const isLarge = process.env['SIGNALBOX_TEST_FEED'] === 'all';
const [writers, transactions, heldMs] = isLarge ? [32, 400, 60_000] : [32, 20, 300];

let db: TestDatabase;
let database: Database;
let feed: LiveFeed;
const hints = createHints();
const events = createEventService({ clock: systemClock, hints });
before(async () => {
  db = await testDatabase();
  database = await openDatabase(ormOptions({ url: db.ownerUrl, actAs: db.appRole, poolMax: writers + 8 }));
  feed = createLiveFeed({ database, events, hints, logger: createLogger({ level: 'silent' }), pollMs: 50 });
});
after(async () => {
  feed.close();
  await database.close();
  await db.close();
});

const started: NewEvent = { type: 'execution.started', data: {} };
const keyOf = (row: { executionId: string; sequence: number }) => `${row.executionId} ${row.sequence}`;
const stored = (tenantId: string): Promise<PlacedEventRow[]> =>
  database.read(tenantId, (uow) =>
    uow.rows(
      `select execution_id as "executionId", sequence, transaction_id::text as "transactionId" from execution_events
       where tenant_id = $1 order by execution_events.transaction_id, execution_id, sequence`,
      [tenantId],
    ),
  );

/** As the machine does it: the execution's lock, then the next sequence. */
async function append(uow: UnitOfWork, executionId: string, count: number): Promise<void> {
  await uow.rows('select pg_advisory_xact_lock(hashtext($1))', [executionId]);
  const head = (await events.heads(uow, [executionId])).get(executionId) ?? 0;
  await events.append(uow, executionId, head + 1, Array.from({ length: count }, () => started)); // prettier-ignore
}

const reading: { stop: AbortController; done: Promise<void> }[] = [];
afterEach(async () => {
  for (const { stop, done } of reading.splice(0)) {
    stop.abort();
    await done;
  }
});

async function analyze(): Promise<void> {
  const owner = new pg.Client({ connectionString: db.ownerUrl });
  await owner.connect();
  await owner.query('analyze execution_events');
  await owner.end();
}

class RolledBack extends Error {}

async function write(tenantId: string, executions: readonly string[], random: () => number): Promise<void> {
  const pick = () => executions[Math.floor(random() * executions.length)]!;
  const chosen = [...new Set([pick(), pick()])].sort();
  await database
    .write(tenantId, async (uow) => {
      // Those that have their number before they wait for the lock come behind the ones they wait for.
      if (random() < 0.5) await uow.rows('select pg_current_xact_id()');
      for (const executionId of chosen) await append(uow, executionId, 1 + Math.floor(random() * 3));
      await uow.rows('select pg_sleep($1)', [random() * random() * 0.03]);
      if (random() < 0.2) throw new RolledBack();
    })
    .catch((error: unknown) => assert.ok(error instanceof RolledBack, String(error)));
}

/** Reads on from its own place again and again, each time for a few batches. */
function readInParts(tenantId: string, from: FeedPosition, random: () => number) {
  const rows: PlacedEventRow[] = [];
  const stop = new AbortController();
  const done = (async () => {
    let position = from;
    while (!stop.signal.aborted) {
      const part = new AbortController();
      let left = Math.floor(random() * 6);
      for await (const batch of feed.tenant(tenantId, position, AbortSignal.any([stop.signal, part.signal]))) {
        rows.push(...batch.rows);
        position = batch.position;
        if (left-- <= 0) part.abort();
      }
    }
  })();
  reading.push({ stop, done });
  return { rows, done, stop };
}

test(`${writers} writers at once: readers who resume at random places get every event once, in commit order`, async () => {
  const [tenantId, foreign] = [newId(), newId()];
  const [executions, foreignExecutions] = [Array.from({ length: 12 }, newId), [newId(), newId()]];
  const seeds = Array.from({ length: writers }, (_, seed) => randomOf(seed + 1));
  const begin = await database.read(tenantId, (uow) => events.currentPosition(uow));
  const readers = [...[1, 2, 3].map((seed) => readInParts(tenantId, startOfFeed, randomOf(seed * 1_000))), readInParts(tenantId, begin, randomOf(5))]; // prettier-ignore
  await Promise.all(
    seeds.map(async (random, index) => {
      for (let count = 0; count < transactions; count++) {
        if (index % 16 === 0) await write(foreign, foreignExecutions, random);
        else await write(tenantId, executions, random);
      }
    }),
  );
  const all = (await stored(tenantId)).map(keyOf);
  assert.ok(all.length > writers * transactions);
  await eventually(
    () => readers.every(({ rows }) => rows.length >= all.length),
    () => [all.length, ...readers.map(({ rows }) => rows.length)],
  );
  for (const { rows, done, stop } of readers) {
    stop.abort();
    await done;
    assert.deepEqual(rows.map(keyOf), all);
  }
  // From any place exactly the rest, and with a page of any size.
  const random = randomOf(7);
  const rows = readers[0]!.rows;
  for (let look = 0; look < 20; look++) {
    const at = Math.floor(random() * rows.length);
    const limit = 1 + Math.floor(random() * 50);
    const page = await database.read(tenantId, (uow) => events.tenantAfter(uow, rows[at]!, limit));
    assert.deepEqual(page.map(keyOf), all.slice(at + 1, at + 1 + limit));
  }
});

test(`a transaction that stays open for ${heldMs} ms hides what comes after it, and nothing is skipped when it ends`, async () => {
  const [tenantId, held] = [newId(), newId()];
  const executions = Array.from({ length: 5 }, newId);
  const random = randomOf(11);
  const reader = readInParts(tenantId, startOfFeed, random);
  await write(tenantId, executions, () => 0.9);
  await eventually(() => reader.rows.length > 0);
  const seen = reader.rows.length;
  let isHeld = true;
  const written = Promise.withResolvers<void>();
  const holding = database.write(tenantId, async (uow) => {
    await append(uow, held, 2);
    await uow.rows('select 1');
    written.resolve();
    // Busy: Postgres would end one that says nothing for so long.
    while (isHeld) await uow.rows('select pg_sleep(0.1)');
    await append(uow, held, 1);
  });
  await written.promise;
  const end = performance.now() + heldMs;
  do await write(tenantId, executions, random);
  while (performance.now() < end);
  assert.equal(reader.rows.length, seen, 'what comes after it in commit order is not given before it');
  isHeld = false;
  await holding;
  const all = (await stored(tenantId)).map(keyOf);
  assert.deepEqual(all.slice(seen, seen + 3), [1, 2, 3].map((sequence) => `${held} ${sequence}`)); // prettier-ignore
  await eventually(() => reader.rows.length >= all.length);
  reader.stop.abort();
  await reader.done;
  assert.deepEqual(reader.rows.map(keyOf), all);
});

test('the index gives the feed its order, whatever the tenant has', async () => {
  const [tenantId, other] = [newId(), newId()];
  for (const id of [tenantId, other])
    await database.write(id, async (uow) => {
      for (let count = 0; count < 40; count++)
        await events.append(
          uow,
          newId(),
          1,
          Array.from({ length: 50 }, () => started),
        );
    });
  await analyze(); // as autovacuum does
  const plans: string[] = [];
  await database.read(tenantId, async (uow) => {
    const explaining: UnitOfWork = {
      ...uow,
      async rows(sql, params) {
        plans.push((await uow.rows<Record<string, string>>(`explain ${sql}`, params)).map((line) => line['QUERY PLAN']).join('\n'));
        return [];
      },
    };
    await events.tenantAfter(explaining, startOfFeed, 500);
    await events.currentPosition(explaining);
  });
  for (const plan of plans) {
    assert.match(plan, /Index (Only )?Scan( Backward)? using execution_events_tenant/);
    assert.doesNotMatch(plan, /Sort|Seq Scan/);
  }
  assert.match(plans[1]!, /Only Scan Backward/);
});

test('ids of transactions that a crash of Postgres takes back lie behind the head of no stream', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-feed-'));
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const postgres = await startEmbeddedPostgres({ folder, log, serverSettings: { autovacuum: 'off' } });
  context.after(async () => {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  await migrate(postgres);
  const open = () => openDatabase(ormOptions({ url: postgres.appUrl, poolMax: 2 }));
  const audit = createAuditService({ clock: systemClock, events, feed, hints });
  const commit = (on: Database, tenantId: string, count: number) =>
    on.write(tenantId, async (uow) => {
      for (let at = 0; at < count; at++) {
        await append(uow, newId(), 1);
        audit.record(uow, null, { action: 'a', subject: null, beforeDigest: null, afterDigest: null, place: {}, origin: byItself }); // prettier-ignore
      }
    });
  const tenants = [newId(), newId()]; // the second one has nothing yet
  const earlier = await open();
  await commit(earlier, tenants[0]!, 2);

  // What was rolled back is written down by this process of Postgres alone.
  const admin = new pg.Client({ connectionString: postgres.adminUrl });
  admin.on('error', () => undefined);
  await admin.connect();
  const { rows } = await admin.query<{ pid: number }>(`select pid from pg_stat_activity where backend_type = 'walwriter'`);
  process.kill(rows[0]!.pid, 'SIGSTOP');
  let burned = '';
  for (let count = 0; count < 20; count++) {
    const rolledBack = earlier.write(tenants[0]!, async (uow) => {
      [{ burned }] = (await uow.rows('select pg_current_xact_id()::text as burned')) as [{ burned: string }];
      throw new RolledBack();
    });
    await assert.rejects(rolledBack, RolledBack);
  }
  const heads = await Promise.all(
    tenants.map(async (tenantId) => {
      const read: Watcher['read'] = (work) => earlier.read(tenantId, work);
      const watcher = { read, authority: { tenantId }, signal: new AbortController().signal } as unknown as Watcher;
      return {
        tenant: tenantPlace(await tenantEvents({ feed, events }, watcher, {}).head(), 'tenant').position,
        audit: tenantPlace(await audit.watch(watcher, {}).head(), 'audit').position,
      };
    }),
  );
  await earlier.close();
  process.kill(rows[0]!.pid, 'SIGKILL'); // Postgres ends all of itself and recovers
  await admin.end();

  const later = await eventually(() => open().then(async (database) => (await database.ping(), database)).catch(() => null)); // prettier-ignore
  context.after(() => later.close());
  for (const [index, tenantId] of tenants.entries()) {
    const { tenant, audit: audited } = heads[index]!;
    await commit(later, tenantId, 3);
    const news = await later.read(tenantId, (uow) => events.tenantAfter(uow, tenant, 100));
    assert.ok(BigInt(news[0]?.transactionId ?? burned) <= BigInt(burned), 'the crash took nothing back');
    assert.equal(news.length, 3);
    assert.equal((await later.read(tenantId, (uow) => auditEventsAfter(uow, audited, 100))).length, 3);
  }
});

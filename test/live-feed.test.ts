// The feed over the events table, with a table in memory: who is woken by what, what the poll finds, and that nothing stays open.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { PlacedEventRow, EventService, FeedPosition } from '#src/events/event-service.ts';
import { createHints, type Hints } from '#src/events/hints.ts';
import { comparePositions, createLiveFeed, type LiveFeed } from '#src/events/live-feed.ts';
import type { Database, UnitOfWork } from '#src/platform/database.ts';
import { createLogger } from '#src/platform/logger.ts';

/** Rows by tenant; the transaction id is the place in the list. */
class Table {
  readonly rows = new Map<string, PlacedEventRow[]>();
  readonly reads: string[] = [];
  down = false;

  commit(tenantId: string, executionId: string, type = 'step.queued'): void {
    const rows = this.rows.get(tenantId) ?? [];
    this.rows.set(tenantId, rows);
    const sequence = rows.filter((row) => row.executionId === executionId).length + 1;
    rows.push({ executionId, sequence, type: type as never, data: {}, occurredAt: new Date(), transactionId: String(rows.length + 1) });
  }

  readonly database = {
    read: <T>(tenantId: string, work: (uow: UnitOfWork) => Promise<T>) => {
      if (this.down) return Promise.reject(new Error('the database is away'));
      return work({ tenantId } as UnitOfWork);
    },
  } as Database;

  readonly #of = (what: string, { tenantId }: UnitOfWork) => {
    this.reads.push(`${what} ${tenantId}`);
    return this.rows.get(tenantId) ?? [];
  };
  readonly #after = (rows: readonly PlacedEventRow[], position: FeedPosition, limit: number) =>
    rows.filter((row) => comparePositions(row, position) > 0).slice(0, limit);

  readonly events = {
    after: async (uow, id, sequence, limit) =>
      this.#of('after', uow)
        .filter((row) => row.executionId === id && row.sequence > sequence)
        .slice(0, limit),
    heads: async (uow, ids) => {
      const rows = this.#of('heads', uow);
      return new Map(ids.map((id) => [id, rows.filter((row) => row.executionId === id).length] as const).filter(([, head]) => head > 0));
    },
    approvalsAfter: async (uow, position, limit) =>
      this.#after(
        this.#of('approvals', uow).filter((row) => row.type.startsWith('approval.')),
        position,
        limit,
      ),
    changedAfter: async (uow, position, limit) =>
      this.#after(this.#of('changed', uow), position, limit).map((row) => ({ executionId: row.executionId, position: row })),
  } as Partial<EventService> as EventService;
}

const start: FeedPosition = { transactionId: '0', executionId: '', sequence: 0 };
const never = 2_000_000_000;
let table: Table;
let warnings: string[];
const hints = createHints();
const logger = createLogger({ level: 'silent' });
let feeds: LiveFeed[] = [];
beforeEach(() => {
  table = new Table();
  warnings = [];
});
afterEach(() => {
  for (const feed of feeds) feed.close();
  feeds = [];
});

function feedOf(pollMs: number): LiveFeed {
  const warn = (_details: object, message: string) => void warnings.push(message);
  const feed = createLiveFeed({ database: table.database, events: table.events, hints, logger: { ...logger, warn } as never, pollMs });
  feeds.push(feed);
  return feed;
}

const hint = (tenantId: string, executionId: string, approvals = false) =>
  hints.publish({ tenantId, executionId, final: false, approvals });

async function settle(): Promise<void> {
  for (let count = 0; count < 20; count++) await turn();
}

/** Collects in the background what a stream gives. */
function collect<Row>(open: (signal: AbortSignal) => AsyncIterable<{ readonly rows: readonly Row[] }>) {
  const abort = new AbortController();
  const rows: Row[] = [];
  let more = Promise.withResolvers<void>();
  const done = (async () => {
    for await (const batch of open(abort.signal)) {
      rows.push(...batch.rows);
      more.resolve();
      more = Promise.withResolvers();
    }
  })();
  return {
    rows,
    done,
    async until(length: number) {
      while (rows.length < length) await more.promise;
    },
    leave: () => abort.abort(),
    listeners: () => getEventListeners(abort.signal, 'abort').length,
  };
}

test('a hint wakes the streams it is about, and no others', async () => {
  const feed = feedOf(never);
  for (const id of ['a', 'b']) table.commit('t', id);
  table.commit('u', 'c');
  const streams = {
    a: collect((signal) => feed.execution('t', 'a', 0, signal)),
    b: collect((signal) => feed.execution('t', 'b', 0, signal)),
    c: collect((signal) => feed.execution('u', 'c', 0, signal)),
    approvals: collect((signal) => feed.approvals('t', start, signal)),
    changed: collect((signal) => feed.changed('t', start, signal)),
  };
  await settle();
  assert.equal(feed.size, 5);
  table.reads.length = 0;
  for (const [tenantId, id] of [['t', 'a'], ['t', 'b'], ['u', 'c']] as const) table.commit(tenantId, id); // prettier-ignore
  hint('t', 'a');
  await settle();
  assert.deepEqual([...new Set(table.reads)].sort(), ['after t', 'changed t']);
  assert.deepEqual(
    Object.values(streams).map(({ rows }) => rows.length),
    [2, 1, 1, 0, 4],
  );
  table.reads.length = 0;
  table.commit('t', 'b', 'approval.requested');
  hint('t', 'b', true);
  await settle();
  assert.deepEqual([...new Set(table.reads)].sort(), ['after t', 'approvals t', 'changed t']);
  assert.deepEqual(
    streams.approvals.rows.map((row) => row.executionId),
    ['b'],
  );
  for (const stream of Object.values(streams)) stream.leave();
  await Promise.all(Object.values(streams).map(({ done }) => done));
  assert.equal(feed.size, 0);
});

test('what no hint told of is found by the poll: one look per tenant for its executions, one for each of its lists', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const feed = feedOf(500);
  for (const id of ['a', 'b', 'c']) table.commit('t', id);
  const streams = ['a', 'b', 'c'].map((id) => collect((signal) => feed.execution('t', id, 0, signal)));
  const changed = collect((signal) => feed.changed('t', start, signal));
  await settle();
  table.reads.length = 0;
  for (const id of ['a', 'b']) table.commit('t', id);
  context.mock.timers.tick(499);
  await settle();
  assert.equal(table.reads.length, 0);
  context.mock.timers.tick(1);
  await settle();
  assert.deepEqual(table.reads.toSorted(), ['after t', 'after t', 'changed t', 'heads t'], 'only what has news is read');
  assert.deepEqual(
    [...streams, changed].map(({ rows }) => rows.length),
    [2, 2, 1, 5],
  );
  for (const stream of [...streams, changed]) stream.leave();
  await Promise.all([...streams, changed].map(({ done }) => done));
  table.reads.length = 0;
  context.mock.timers.tick(5_000);
  await settle();
  assert.deepEqual([feed.size, table.reads], [0, []], 'nobody watches: nothing is asked');
});

test('while other processes are heard the poll is slow, but for lists that an open transaction may still hide something from', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  let now = 0;
  context.mock.method(performance, 'now', () => now);
  const listeners = new Set<(tenantId: string | null, name: string | null) => void>();
  const state = { isHeard: true };
  const heard: Hints = {
    ...hints,
    onWake: (listener) => (listeners.add(listener), () => void listeners.delete(listener)),
    get isHeard() {
      return state.isHeard;
    },
  };
  const feed = createLiveFeed({ database: table.database, events: table.events, hints: heard, logger, pollMs: 500, heardPollMs: 2_000 });
  feeds.push(feed);
  table.commit('t', 'a');
  const streams = [collect((signal) => feed.execution('t', 'a', 0, signal)), collect((signal) => feed.changed('t', start, signal))];
  await settle();
  const readsOf = async (ticks: number) => {
    table.reads.length = 0;
    for (let tick = 0; tick < ticks; tick++) {
      now += 500;
      context.mock.timers.tick(500);
      await settle();
    }
    return table.reads.toSorted();
  };
  await readsOf(1);
  assert.deepEqual(await readsOf(4), ['changed t', 'heads t']);
  state.isHeard = false;
  assert.deepEqual(await readsOf(2), ['changed t', 'changed t', 'heads t', 'heads t']);
  state.isHeard = true;
  hint('t', 'b');
  await settle();
  assert.deepEqual(await readsOf(4), Array.from({ length: 5 }, () => 'changed t').concat('heads t'), 'the second look after the hint, too');
  now += 20_000;
  assert.deepEqual((await readsOf(5)).slice(-2), ['heads t', 'heads t']);
  assert.deepEqual(await readsOf(4), ['changed t', 'heads t']);
  // The way to the others broke or is back: a look at once.
  table.reads.length = 0;
  for (const listener of listeners) listener(null, null);
  await settle();
  assert.deepEqual(table.reads.toSorted(), ['changed t', 'heads t']);
  for (const stream of streams) stream.leave();
  await Promise.all(streams.map(({ done }) => done));
});

test('a database that is away for a while costs live streams nothing but time', async () => {
  const feed = feedOf(5);
  table.commit('t', 'a');
  const stream = collect((signal) => feed.execution('t', 'a', 0, signal));
  const approvals = collect((signal) => feed.approvals('t', start, signal));
  await stream.until(1);
  table.down = true;
  table.commit('t', 'a', 'approval.requested');
  hint('t', 'a', true);
  while (!warnings.includes('new events could not be looked for; trying again')) await turn();
  assert.ok(warnings.includes('a live stream could not read new events; trying again'));
  table.down = false;
  await Promise.all([stream.until(2), approvals.until(1)]);
  stream.leave();
  approvals.leave();
  await Promise.all([stream.done, approvals.done]);
  assert.equal(feed.size, 0);
});

test('a stream that cannot read its history ends with the error and leaves nothing behind', async () => {
  const feed = feedOf(never);
  table.down = true;
  const stream = collect((signal) => feed.execution('t', 'a', 0, signal));
  await assert.rejects(stream.done, /the database is away/);
  assert.equal(feed.size, 0);
});

test('watchers of one thing share one reading; the last to leave takes it away, also when some only read history', async () => {
  const feed = feedOf(never);
  table.commit('t', 'a');
  const streams = Array.from({ length: 20 }, () => collect((signal) => feed.execution('t', 'a', 0, signal)));
  await settle();
  table.reads.length = 0;
  table.commit('t', 'a');
  hint('t', 'a');
  await settle();
  assert.deepEqual([feed.size, table.reads.length], [1, 1]);
  for (const [index, stream] of streams.entries()) {
    assert.equal(stream.rows.length, 2);
    stream.leave();
    await settle();
    assert.equal(feed.size, index < 19 ? 1 : 0);
  }
  await Promise.all(streams.map(({ done }) => done));
});

test('closing ends every stream and releases timers, listeners and hints', async () => {
  const feed = feedOf(5);
  table.commit('t', 'a');
  const streams = [
    collect((signal) => feed.execution('t', 'a', 0, signal)),
    collect((signal) => feed.changed('t', start, signal)),
    collect((signal) => feed.approvals('t', start, signal)),
  ];
  await settle();
  feed.close();
  await Promise.all(streams.map(({ done }) => done));
  await settle();
  assert.deepEqual([feed.size, ...streams.map((stream) => stream.listeners())], [0, 0, 0, 0]);
  table.reads.length = 0;
  hint('t', 'a', true);
  const late = collect((signal) => feed.execution('t', 'a', 0, signal));
  await late.done;
  assert.deepEqual([table.reads, late.rows, feed.size], [[], [], 0]);
});

test('positions are ordered by transaction, execution, sequence; transaction ids beyond 2^53 too', () => {
  const position = (transactionId: string, executionId: string, sequence: number) => ({ transactionId, executionId, sequence });
  const ordered = [
    position('9', 'b', 7),
    position('10', 'a', 2),
    position('10', 'a', 10),
    position('10', 'b', 1),
    position('9007199254740993', 'a', 1),
    position('9007199254740994', 'a', 1),
  ];
  assert.deepEqual(
    ordered.toReversed().toSorted((a, b) => comparePositions(a, b)),
    ordered,
  );
});

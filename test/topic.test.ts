// The shared live stream (Topic) and the feed above it: no gap, no duplicate, in order, whoever joins, lags or leaves at whatever moment.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { Topic, type Batch } from '#src/events/topic.ts';

interface Read {
  readonly after: number;
  release(): void;
}

/** A growing list 1, 2, 3 … whose reads end when the test says so (`hold`), with what they saw at their start or at their end. */
class List {
  length = 0;
  hold = false;
  failures = 0;
  seenAtStart = true;
  readonly reads: number[] = [];
  readonly waiting: Read[] = [];
  readonly topic = new Topic<number, number>({
    positionOf: (row) => row,
    compare: (a, b) => a - b,
    read: (after, limit) => this.#read(after, limit),
  });

  async #read(after: number, limit: number): Promise<{ rows: number[]; position: number }> {
    this.reads.push(after);
    const page = () => upTo(Math.min(this.length, after + limit), after + 1);
    const early = this.seenAtStart ? page() : null;
    if (this.hold) await new Promise<void>((release) => this.waiting.push({ after, release }));
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('the database is away');
    }
    const rows = early ?? page();
    return { rows, position: rows.at(-1) ?? after };
  }

  append(count: number): void {
    this.length += count;
    void this.topic.wake().catch(() => undefined);
  }

  release(index = 0): void {
    const [read] = this.waiting.splice(index % Math.max(this.waiting.length, 1), 1);
    read?.release();
  }
}

const upTo = (last: number, from = 1): number[] => Array.from({ length: Math.max(last - from + 1, 0) }, (_, index) => from + index);

/** Somebody who watches: takes batches by itself, or one at a time when told to. */
class Watcher {
  readonly abort = new AbortController();
  readonly batches: Batch<number, number>[] = [];
  readonly from: number;
  ended = false;
  error: unknown;
  readonly #stream: AsyncGenerator<Batch<number, number>, void, undefined>;
  #taking: Promise<void> = Promise.resolve();

  constructor(list: List, from = 0) {
    this.from = from;
    this.#stream = list.topic.watch(from, this.abort.signal);
  }

  get rows(): number[] {
    return this.batches.flatMap((batch) => batch.rows);
  }

  take(): Promise<void> {
    this.#taking = this.#taking.then(async () => {
      if (this.ended) return;
      const result = await this.#stream.next().catch((error: unknown) => {
        this.error = error;
        return { done: true as const, value: undefined };
      });
      if (result.done) this.ended = true;
      else this.batches.push(result.value);
    });
    return this.#taking;
  }

  async run(): Promise<void> {
    while (!this.ended) await this.take();
  }

  /** As the gateway does it: the signal first, then `return` without waiting. */
  leave(): void {
    this.abort.abort();
    void this.#stream.return();
  }

  /** What everybody must have seen so far: all rows after the start, each once, in order, and positions that say so. */
  check(): void {
    assert.deepEqual(this.rows, upTo(this.from + this.rows.length, this.from + 1));
    let position = this.from;
    for (const batch of this.batches) {
      position += batch.rows.length;
      assert.equal(batch.position, position);
    }
  }

  get listeners(): number {
    return getEventListeners(this.abort.signal, 'abort').length;
  }
}

async function settle(): Promise<void> {
  for (let count = 0; count < 20; count++) await turn();
}

/** Everything is read, and everybody has been told. */
async function quiet(list: List): Promise<void> {
  do {
    while (list.waiting.length > 0) list.release();
    await settle();
  } while (list.waiting.length > 0);
}

for (const length of [0, 1, 499, 500, 501, 1_000, 1_001]) {
  test(`history of ${length} rows arrives in pages, is caught up once, and goes on live`, async () => {
    const list = new List();
    list.length = length;
    const watcher = new Watcher(list);
    void watcher.run();
    await settle();
    assert.deepEqual(watcher.rows, upTo(length));
    assert.deepEqual(
      watcher.batches.map((batch) => batch.caughtUp),
      // A full page may not be the last one; when it was, an empty batch says so.
      [...Array.from({ length: Math.floor(length / 500) }, () => false), true],
    );
    list.append(3);
    await settle();
    watcher.check();
    assert.equal(watcher.rows.length, length + 3);
    assert.equal(watcher.batches.at(-1)!.caughtUp, true);
    watcher.leave();
    await settle();
    assert.deepEqual([watcher.ended, watcher.listeners, list.topic.isIdle, list.topic.head], [true, 0, true, null]);
  });
}

test('new rows are read once for everybody, however many watch', async () => {
  const list = new List();
  list.length = 10;
  const watchers = upTo(50).map((index) => new Watcher(list, index % 11));
  for (const watcher of watchers) void watcher.run();
  await settle();
  list.reads.length = 0;
  list.append(5);
  await settle();
  assert.deepEqual(list.reads, [10]);
  for (const watcher of watchers) {
    watcher.check();
    assert.equal(watcher.from + watcher.rows.length, 15);
    watcher.leave();
  }
  await settle();
  assert.equal(list.topic.isIdle, true);
});

test('wakes during a read are not lost and not piled up', async () => {
  const list = new List();
  const watcher = new Watcher(list);
  void watcher.run();
  await settle();
  list.reads.length = 0;
  list.hold = true;
  list.append(1);
  for (let count = 0; count < 100; count++) list.append(1);
  assert.equal(list.waiting.length, 1);
  await quiet(list);
  assert.deepEqual(watcher.rows, upTo(101));
  assert.deepEqual(list.reads, [0, 1], 'one read for the first, one for the hundred that came meanwhile');
  watcher.leave();
});

test('what is committed between the last read of history and joining does not wait for the next wake', async () => {
  const list = new List();
  list.hold = true;
  const watcher = new Watcher(list);
  void watcher.run();
  await turn();
  list.append(1); // the read under way does not see it, and nobody is live yet who could be told
  await quiet(list);
  assert.deepEqual(watcher.rows, [1]);
  watcher.leave();
});

test('a member that falls behind goes back to reading, costs no memory meanwhile, and misses nothing', async () => {
  const list = new List();
  const [slow, fast] = [new Watcher(list), new Watcher(list)];
  void fast.run();
  await slow.take();
  await settle();
  const first = slow.take(); // waits for news
  list.append(10);
  await first;
  for (let count = 0; count < 30; count++) {
    list.append(100);
    await settle();
  }
  assert.deepEqual([fast.rows.length, fast.listeners], [3_010, 1]);
  list.reads.length = 0;
  await slow.take();
  assert.deepEqual(list.reads, [10], 'it reads for itself from where it was');
  assert.deepEqual(slow.batches.at(-1)!.rows, upTo(510, 11));
  assert.equal(slow.batches.at(-1)!.caughtUp, false);
  void slow.run();
  await settle();
  list.append(5);
  await settle();
  for (const watcher of [slow, fast]) {
    watcher.check();
    assert.equal(watcher.rows.length, 3_015);
    watcher.leave();
  }
});

test('exactly 2,000 rows wait for a member; with one more it is behind', async () => {
  for (const [extra, reads] of [
    [0, 0],
    [1, 1],
  ] as const) {
    const list = new List();
    const slow = new Watcher(list);
    await slow.take();
    for (let count = 0; count < 4; count++) list.append(500);
    await settle();
    list.append(extra);
    await settle();
    list.reads.length = 0;
    await slow.take();
    assert.equal(list.reads.length, reads);
    assert.equal(slow.rows.length, extra === 0 ? 2_000 : 500);
    slow.leave();
  }
});

test('the only member may fall behind: the others’ place is not needed to come back', async () => {
  const list = new List();
  const slow = new Watcher(list);
  await slow.take();
  for (let count = 0; count < 30; count++) {
    list.append(100);
    await settle();
  }
  void slow.run();
  await settle();
  list.append(7);
  await settle();
  slow.check();
  assert.equal(slow.rows.length, 3_007);
  slow.leave();
});

test('a failing read ends whoever reads history, and costs the live ones only time', async () => {
  const list = new List();
  list.length = 5;
  const live = new Watcher(list);
  void live.run();
  await settle();
  list.failures = 1;
  const late = new Watcher(list);
  void late.run();
  await settle();
  assert.match(String(late.error), /the database is away/);
  assert.equal(late.ended, true);
  list.failures = 1;
  list.length += 2;
  await assert.rejects(list.topic.wake(), /the database is away/);
  assert.equal(live.rows.length, 5);
  await list.topic.wake();
  await settle();
  assert.deepEqual(live.rows, upTo(7));
  live.leave();
  await settle();
  assert.equal(list.topic.isIdle, true);
});

test('leaving while history is read, while it is delivered, while waiting and before the first look leaves nothing behind', async () => {
  const list = new List();
  list.length = 700;
  list.hold = true;
  const unstarted = new Watcher(list);
  unstarted.leave();
  await unstarted.run();
  assert.deepEqual(unstarted.batches, []);
  const reading = new Watcher(list);
  void reading.run();
  await turn();
  reading.leave();
  await quiet(list);
  assert.equal(reading.ended, true);
  list.hold = false;
  const delivering = new Watcher(list);
  await delivering.take();
  await delivering.take(); // the batch with which it joins
  assert.equal(list.topic.isIdle, false);
  delivering.leave();
  await settle();
  assert.equal(list.topic.isIdle, true);
  const waiting = new Watcher(list);
  void waiting.run();
  await settle();
  assert.deepEqual([list.topic.isIdle, waiting.listeners], [false, 1]);
  waiting.leave();
  await settle();
  assert.deepEqual([list.topic.isIdle, list.topic.head, waiting.listeners], [true, null, 0]);
});

type Command =
  | { do: 'append'; count: number; wake: boolean }
  | { do: 'join'; at: number; runs: boolean }
  | { do: 'leave'; who: number }
  | { do: 'take'; who: number }
  | { do: 'release'; which: number }
  | { do: 'wake' }
  | { do: 'fail' };

const commands = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant('append' as const), count: fc.integer({ min: 1, max: 900 }), wake: fc.boolean() }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('join' as const), at: fc.double({ min: 0, max: 1, noNaN: true }), runs: fc.boolean() }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('leave' as const, 'take' as const), who: fc.nat() }) },
    { weight: 8, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('wake' as const, 'fail' as const) }) },
  ),
  { minLength: 5, maxLength: 60, size: 'max' },
);

test('any interleaving of commits, lost wakes, joins, slow readers, failures and departures: no gap, no duplicate, in order', async () => {
  await fc.assert(
    fc.asyncProperty(commands, fc.boolean(), async (script: Command[], seenAtStart) => {
      const list = new List();
      Object.assign(list, { hold: true, seenAtStart });
      const watchers: { watcher: Watcher; left: boolean }[] = [];
      for (const command of script) {
        if (command.do === 'append' && command.wake) list.append(command.count);
        else if (command.do === 'append') list.length += command.count;
        else if (command.do === 'wake') void list.topic.wake().catch(() => undefined);
        else if (command.do === 'fail') list.failures += 1;
        else if (command.do === 'release') list.release(command.which);
        else if (command.do === 'join') {
          const watcher = new Watcher(list, Math.floor(command.at * list.length));
          watchers.push({ watcher, left: false });
          if (command.runs) void watcher.run();
          else void watcher.take();
        } else if (watchers.length > 0) {
          const chosen = watchers[command.who % watchers.length]!;
          if (command.do === 'take') void chosen.watcher.take();
          else {
            chosen.left = true;
            chosen.watcher.leave();
          }
        }
        await turn();
        for (const { watcher } of watchers) watcher.check();
      }
      list.failures = 0;
      for (const { watcher } of watchers) void watcher.run();
      await quiet(list);
      void list.topic.wake(); // the poll
      await quiet(list);
      for (const { watcher, left } of watchers) {
        watcher.check();
        if (!left && !watcher.error) assert.equal(watcher.from + watcher.rows.length, list.length);
        watcher.leave();
      }
      await quiet(list);
      assert.deepEqual([list.topic.isIdle, list.topic.head], [true, null]);
      for (const { watcher } of watchers) assert.deepEqual([watcher.ended, watcher.listeners], [true, 0]);
    }),
    { numRuns: 150 },
  );
});

// The shared live stream (Topic): no gap, no duplicate, in order, whoever joins, lags or leaves; each case by itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { List, quiet, settle, upTo, Watcher } from './harness/growing-list.ts';

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

test('who begins at a place without a row does not hold up those who began before it', async () => {
  const list = new List();
  list.length = 5;
  list.skip(10);
  const ahead = new Watcher(list, 15);
  void ahead.run();
  await settle();
  list.reads.length = 0;
  const behind = new Watcher(list, 12);
  const early = new Watcher(list, 3);
  for (const watcher of [behind, early]) void watcher.run();
  await settle();
  assert.ok(list.reads.length <= 4, `${list.reads.length} reads`);
  assert.deepEqual([behind, early].map(({ batches }) => batches.map((batch) => [batch.rows, batch.caughtUp])), [[[[], true]], [[[4, 5], true]]]); // prettier-ignore
  list.append(2);
  await settle();
  for (const watcher of [ahead, behind, early]) {
    watcher.check();
    assert.deepEqual(watcher.rows.slice(-2), [16, 17]);
    watcher.leave();
  }
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

// Channels under every interleaving: members that join anywhere, ahead of it too, read fast, slowly or not at all, leave, and come back
// with their cursor, while batches come, rights end and streams fail. Each is told every row behind its cursor once and in order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Channel } from '#gateway/channel.ts';
import { Member } from '#gateway/member.ts';
import { Outlet } from '#gateway/outlet.ts';
import type { LiveBatch, LiveStream } from '#src/events/live-stream.ts';
import { InvalidCursorError, SlowConsumerError, UnauthenticatedError } from '#src/platform/errors.ts';
import { seededRandom } from './harness/proxy.ts';

interface Rows extends LiveBatch {
  readonly rows: readonly number[];
}
const queueBytes = 60;

/** A log 1, 2, 3 …; what is live may lag behind what is there. */
class World {
  readonly random: () => number;
  length = 0;
  /** How much of it the channels of this gateway have been told. */
  live = 0;
  isFinal = false;
  lost: Error | null = null;
  channel: Channel | null = null;
  opened = 0;
  closed = 0;
  executions = 0;
  readonly peers: Peer[] = [];
  #wake = Promise.withResolvers<void>();

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  upTo = (most: number) => Math.floor(this.random() * (most + 1));
  wake(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
  async dawdle(): Promise<void> {
    for (let count = this.upTo(3); count > 0; count--) await turn();
  }

  stream(signal: AbortSignal): LiveStream<Rows> {
    const place = (cursor: string) => {
      if (!/^\d+$/.test(cursor)) throw new InvalidCursorError('damaged');
      return Number(cursor);
    };
    const batch = (from: number, to: number, until: number): Rows => ({
      rows: Array.from({ length: to - from }, (_, index) => from + index + 1),
      cursor: String(to),
      caughtUp: to === until,
    });
    const dawdle = () => this.dawdle();
    const head = async () => {
      await dawdle();
      return String(this.length);
    };
    const size = () => 1 + this.upTo(8);
    return {
      head,
      async *history(after, until) {
        await dawdle();
        for (let at = after === null ? 0 : place(after); ;) {
          const to = Math.min(at + size(), place(until));
          yield batch(at, to, place(until));
          if (to === place(until)) return;
          at = to;
          await dawdle();
        }
      },
      live: (from) => this.#live(place(from), batch, size, signal),
      compare: (a, b) => place(a) - place(b),
    };
  }

  async *#live(
    from: number,
    batch: (from: number, to: number, until: number) => Rows,
    size: () => number,
    signal: AbortSignal,
  ): AsyncGenerator<Rows> {
    for (let at = from; !signal.aborted;) {
      const woken = this.#wake.promise;
      const to = Math.min(at + size(), this.live);
      if (to > at) {
        yield batch(at, to, to);
        at = to;
        await this.dawdle();
        continue;
      }
      if (this.isFinal && at >= this.length) return;
      await woken;
    }
  }

  join(peer: Peer, after: string | null): Watcher {
    const isShared = this.channel !== null;
    const channel = (this.channel ??= this.#open());
    return new Watcher(peer, after, channel, isShared);
  }

  #open(): Channel {
    this.opened++;
    const abort = new AbortController();
    const looks = new Set<(error: unknown) => void>();
    const permit = async () => {
      await this.dawdle();
      if (this.lost) throw this.lost;
    };
    const channel: Channel = new Channel(
      {
        open: async () => {
          await permit();
          return this.stream(abort.signal);
        },
        execute: async (rows) => {
          await permit();
          this.executions++;
          return JSON.stringify((rows as Rows).rows);
        },
        permit,
        watch: (lost) => {
          looks.add(lost);
          this.#looks = looks;
          return () => looks.delete(lost);
        },
        close: () => {
          this.closed++;
          abort.abort();
          this.wake();
        },
      },
      () => {
        if (this.channel === channel) this.channel = null;
      },
    );
    return channel;
  }
  #looks = new Set<(error: unknown) => void>();

  /** Rights end: whoever looks finds out. */
  revoke(): void {
    this.lost = new UnauthenticatedError('revoked');
    for (const look of this.#looks) look(this.lost);
  }
}

/** A connection whose other end reads, or not. */
class Peer {
  readonly outlet: Outlet;
  reads = true;
  isCut = false;
  #held: (() => void)[] = [];
  readonly sent: string[] = [];

  constructor() {
    const isReading = () => this.reads;
    this.outlet = new Outlet(
      {
        get bufferedBytes() {
          return isReading() ? 0 : 1_000_000;
        },
        write: (data, flushed) => {
          assert.ok(!this.isCut, 'written after the end');
          const [watcher, rows] = JSON.parse(String(data)) as [number, number[]];
          Watcher.all.get(watcher)!.hear(rows);
          if (flushed) this.#held.push(flushed);
          if (this.reads) setImmediate(() => this.read());
        },
      },
      { queueBytes, stallMs: 1_000_000 },
      () => (this.isCut = true),
    );
  }

  read(): void {
    this.reads = true;
    for (const flushed of this.#held.splice(0)) flushed();
  }
}

class Watcher {
  static readonly all = new Map<number, Watcher>();
  readonly id = Watcher.all.size;
  readonly member: Member;
  readonly peer: Peer;
  at: number;
  error: unknown = null;
  isOver = false;
  hasLeft = false;
  readonly done: Promise<void>;

  constructor(peer: Peer, after: string | null, channel: Channel, isShared: boolean) {
    Watcher.all.set(this.id, this);
    this.peer = peer;
    this.at = Number(after ?? 0);
    this.member = new Member({
      ...{ channel, isShared, outlet: peer.outlet, after, isResumable: true },
      frame: ({ json }) => Buffer.from(`[${this.id},${String(json)}]`),
      failed: (error) => {
        this.error = error;
        return { errors: [] };
      },
    });
    this.done = this.#run();
  }

  async #run(): Promise<void> {
    const first = await this.member.next();
    this.isOver = true;
    assert.equal(first.done ?? false, this.error === null, 'an error is the last result, an end is none');
    if (!first.done) assert.equal((await this.member.next()).done, true);
  }

  hear(rows: readonly number[]): void {
    assert.ok(!this.hasLeft && this.error === null, 'told after the end');
    for (const row of rows) assert.equal(row, (this.at += 1), 'once, in order, without a gap');
  }

  async leave(): Promise<void> {
    this.hasLeft = true;
    await this.member.return();
  }
}

async function live(seed: number, steps: number): Promise<World> {
  const world = new World(seed);
  const { random, upTo, peers } = world;
  const watchers: Watcher[] = [];
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)];
  const connect = () => {
    const peer = new Peer();
    peers.push(peer);
    return peer;
  };
  const join = (after: string | null) => {
    const reusable = peers.filter((peer) => !peer.isCut);
    watchers.push(world.join(random() < 0.5 ? connect() : (pick(reusable) ?? connect()), after));
  };
  const ways: (() => unknown)[] = [
    () => (world.length += upTo(6)),
    () => ((world.live = world.length), world.wake()),
    () => ((world.live = Math.min(world.length, world.live + upTo(3))), world.wake()),
    () => join(random() < 0.3 ? null : String(upTo(world.length))),
    () => {
      const peer = pick(peers);
      if (peer) peer.reads = false;
    },
    () => pick(peers)?.read(),
    () => pick(watchers.filter(({ isOver }) => !isOver))?.leave(),
    () => {
      // Told to come back, it does, with what it was told last.
      const lost = pick(watchers.filter(({ error, hasLeft }) => error instanceof SlowConsumerError && !hasLeft));
      if (!lost) return;
      const { cursor } = lost.error as SlowConsumerError; // none before anything was told
      assert.equal(cursor ?? '0', String(lost.at), 'the cursor is what was told last');
      lost.hasLeft = true;
      watchers.push(world.join(connect(), cursor));
    },
  ];
  for (let step = 0; step < steps; step++) {
    pick(ways)!();
    for (let count = upTo(2); count > 0; count--) await turn();
    for (const { outlet } of peers) assert.ok(outlet.queuedBytes <= queueBytes, `${outlet.queuedBytes} bytes wait`);
  }
  world.isFinal = true;
  world.live = world.length;
  world.wake();
  const all = () => watchers.filter(({ hasLeft }) => !hasLeft);
  while (all().some(({ isOver }) => !isOver)) {
    for (const peer of peers) peer.read();
    await turn();
  }
  for (const { error, at, done } of all()) {
    await done;
    if (error === null) assert.equal(at, world.length, 'told everything before the end');
    else assert.ok(error instanceof SlowConsumerError, String(error));
  }
  assert.deepEqual([world.channel, world.closed], [null, world.opened], 'nothing stays open');
  return world;
}

test('every row behind the cursor once and in order, however members join, lag, leave and come back', async () => {
  let slow = 0;
  let shared = 0;
  for (let seed = 1; seed <= 150; seed++) {
    const world = await live(seed, 200);
    slow += world.peers.filter(({ isCut }) => isCut).length;
    shared += world.executions;
  }
  assert.ok(slow > 20, `${slow} were too slow`);
  assert.ok(shared > 1_000, `${shared} executions`);
});

test('when rights end, nobody is told anything more, and what waits is dropped', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const world = new World(seed);
    const peers = Array.from({ length: 4 }, () => new Peer());
    world.length = world.live = world.upTo(30);
    const watchers = peers.map((peer) => world.join(peer, world.random() < 0.5 ? null : String(world.upTo(world.length))));
    for (let step = world.upTo(40); step > 0; step--) {
      peers[world.upTo(3)]!.reads = world.random() < 0.5;
      world.live = world.length += world.upTo(3);
      world.wake();
      await turn();
    }
    const told = watchers.map(({ at }) => at);
    world.revoke();
    assert.deepEqual(
      watchers.map(({ at }) => at),
      told,
    );
    world.live = world.length += 5;
    world.wake();
    for (const peer of peers) peer.read();
    for (const { done } of watchers) await done;
    for (const [index, { error, at, peer }] of watchers.entries()) {
      assert.ok(error instanceof UnauthenticatedError || error instanceof SlowConsumerError, String(error));
      assert.deepEqual([at, peer.outlet.queuedBytes], [told[index], 0]);
    }
    assert.deepEqual([world.channel, world.closed], [null, world.opened]);
  }
});

test('a channel that fails ends all of its members with the error, and is not kept', async () => {
  const world = new World(7);
  const cases = [null, '0', 'nonsense'];
  const first = cases.map((after) => world.join(new Peer(), after));
  await first[2]!.done;
  assert.ok(first[2]!.error instanceof InvalidCursorError, 'one with a damaged cursor fails alone');
  world.length = world.live = 3;
  world.wake();
  while (first.slice(0, 2).some(({ at }) => at < 3)) await turn();
  const failing = world.channel!;
  world.lost = new Error('the database is away');
  world.length = world.live = 4;
  world.wake();
  for (const { done } of first) await done;
  assert.deepEqual(
    first.slice(0, 2).map(({ error, at }) => [error, at]),
    [[world.lost, 3], [world.lost, 3]], // prettier-ignore
  );
  assert.equal(world.channel, null);
  const refused = world.join(new Peer(), null);
  await refused.done;
  assert.deepEqual([refused.error, world.channel], [world.lost, null], 'one that cannot be opened is not kept either');
  world.lost = null;
  const again = world.join(new Peer(), '3');
  assert.notEqual(world.channel, failing);
  while (again.at < 4) await turn();
  await again.leave();
  assert.deepEqual([world.channel, world.closed], [null, world.opened]);
});

test('a batch is executed once for all who are live, and for each who reads history', async () => {
  const world = new World(3);
  const watchers = Array.from({ length: 50 }, () => world.join(new Peer(), null));
  while (watchers.some(({ member }) => member.cursor === null)) await turn();
  for (let count = 0; count < 20; count++) await turn();
  const { executions } = world;
  assert.equal(executions, 50, 'an empty history for each');
  world.length = world.live = 1;
  world.wake();
  while (watchers.some(({ at }) => at < 1)) await turn();
  assert.equal(world.executions, executions + 1);
  await Promise.all(watchers.map((watcher) => watcher.leave()));
});

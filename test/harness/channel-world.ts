// A channel whose stream is a log of numbers, connections whose other end reads or not, and members that hear every number once, in order,
// and only as executed with the rights of the moment.
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { Channel } from '#gateway/channel.ts';
import { Member } from '#gateway/member.ts';
import { Outlet } from '#gateway/outlet.ts';
import type { Authority } from '#src/authority/permission.ts';
import type { LiveBatch, LiveStream } from '#src/events/live-stream.ts';
import { InvalidCursorError, UnauthenticatedError } from '#src/platform/errors.ts';
import { seededRandom } from './proxy.ts';

interface Rows extends LiveBatch {
  readonly rows: readonly number[];
}
export const queueBytes = 60;

/** A log 1, 2, 3 …; what is live may lag behind what is there. */
export class World {
  readonly random: () => number;
  length = 0;
  /** How much of it the channels of this gateway have been told. */
  live = 0;
  isFinal = false;
  lost: Error | null = null;
  /** What a session knows of the rights. */
  rights = { principalName: '0' } as Authority;
  /** What the next look at the rights finds out. */
  found: () => unknown = () => undefined;
  looks = 0;
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
    return new Watcher(this, peer, after, channel, isShared);
  }

  #open(): Channel {
    this.opened++;
    const abort = new AbortController();
    const looks = new Set<(error: unknown) => void>();
    const permit = async () => {
      await this.dawdle();
      this.found();
      this.found = () => undefined;
      this.looks++;
      if (this.lost) throw this.lost;
    };
    const rights = () => this.rights;
    const channel: Channel = new Channel(
      {
        get rights() {
          return rights();
        },
        open: async () => {
          await permit();
          return this.stream(abort.signal);
        },
        execute: async (rows) => {
          await permit();
          this.executions++;
          const { rights } = this;
          await this.dawdle();
          return { json: JSON.stringify([Number(rights.principalName), ...(rows as Rows).rows]), rights };
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

  /** Rights change, and the session knows. */
  narrow(): void {
    this.rights = { principalName: String(Number(this.rights.principalName) + 1) } as Authority;
  }

  /** Rights end: whoever looks finds out. */
  revoke(): void {
    this.lost = new UnauthenticatedError('revoked');
    for (const look of this.#looks) look(this.lost);
  }
}

/** A connection whose other end reads, or not. */
export class Peer {
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
        unsentBytes: 0,
        write: (data, flushed) => {
          assert.ok(!this.isCut, 'written after the end');
          const [watcher, [rights, ...rows]] = JSON.parse(String(data)) as [number, [number, ...number[]]];
          Watcher.all.get(watcher)!.hear(rights, rows);
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

export class Watcher {
  static readonly all = new Map<number, Watcher>();
  readonly id = Watcher.all.size;
  readonly world: World;
  readonly member: Member;
  readonly peer: Peer;
  at: number;
  error: unknown = null;
  isOver = false;
  hasLeft = false;
  readonly done: Promise<void>;

  constructor(world: World, peer: Peer, after: string | null, channel: Channel, isShared: boolean) {
    Watcher.all.set(this.id, this);
    this.world = world;
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

  hear(rights: number, rows: readonly number[]): void {
    assert.equal(String(rights), this.world.rights.principalName, 'executed with the rights of the moment');
    assert.ok(!this.hasLeft && this.error === null, 'told after the end');
    for (const row of rows) assert.equal(row, (this.at += 1), 'once, in order, without a gap');
  }

  async leave(): Promise<void> {
    this.hasLeft = true;
    await this.member.return();
  }
}

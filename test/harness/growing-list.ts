// A list that grows under a Topic, and watchers of it: reads, failures and the pace of each watcher are the test's to say.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Topic, type Batch } from '#src/events/topic.ts';

interface Read {
  readonly after: number;
  release(): void;
}

/**
 * A growing list whose reads end when the test says so (`hold`), with what they saw at their start or at their end. Rows are 1, 2, 3 …
 * unless the test skips places: a place need not have a row, as in the tenant's feed, where it is a moment.
 */
export class List {
  /** The newest place that is settled. */
  length = 0;
  readonly skipped = new Set<number>();
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
    // A loop that never lets go of the thread could not even be timed out.
    if (this.reads.length > 20_000) throw new Error('endless reading');
    const page = () => this.rows(after).slice(0, limit);
    const early = this.seenAtStart ? page() : null;
    if (this.hold) await new Promise<void>((release) => this.waiting.push({ after, release }));
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('the database is away');
    }
    const rows = early ?? page();
    return { rows, position: rows.at(-1) ?? after };
  }

  rows(after: number): number[] {
    const places = upTo(this.length, after + 1);
    return this.skipped.size > 0 ? places.filter((place) => !this.skipped.has(place)) : places;
  }

  skip(count: number): void {
    for (const place of upTo(this.length + count, this.length + 1)) this.skipped.add(place);
    this.length += count;
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

export const upTo = (last: number, from = 1): number[] => Array.from({ length: Math.max(last - from + 1, 0) }, (_, index) => from + index);

/** Somebody who watches: takes batches by itself, or one at a time when told to. */
export class Watcher {
  readonly abort = new AbortController();
  readonly batches: Batch<number, number>[] = [];
  readonly from: number;
  ended = false;
  error: unknown;
  readonly #list: List;
  readonly #stream: AsyncGenerator<Batch<number, number>, void, undefined>;
  #taking: Promise<void> = Promise.resolve();

  constructor(list: List, from = 0) {
    this.from = from;
    this.#list = list;
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
    const expected = this.#list.rows(this.from);
    assert.deepEqual(this.rows, expected.slice(0, this.rows.length));
    let [told, position] = [0, this.from];
    for (const batch of this.batches) {
      told += batch.rows.length;
      assert.ok(batch.position >= Math.max(position, batch.rows.at(-1) ?? 0) && batch.position <= this.#list.length);
      assert.ok(told === expected.length || expected[told]! > batch.position, 'nothing is left out before the position');
      position = batch.position;
    }
  }

  get listeners(): number {
    return getEventListeners(this.abort.signal, 'abort').length;
  }
}

export async function settle(): Promise<void> {
  for (let count = 0; count < 20; count++) await turn();
}

/** Everything is read, and everybody has been told. */
export async function quiet(list: List): Promise<void> {
  do {
    while (list.waiting.length > 0) list.release();
    await settle();
  } while (list.waiting.length > 0);
}

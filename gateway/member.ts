// One who watches a channel: its own history up to the channel's place, then what waited meanwhile, then every batch as it comes. It is the
// iterator that graphql-ws holds; that one never gives a batch, only the final error and the end: batches go out by the outlet.
import type { FormattedExecutionResult } from 'graphql';
import type { LiveStream } from '#src/events/live-stream.ts';
import { SlowConsumerError } from '#src/platform/errors.ts';
import type { Channel, ChannelMember, EncodedBatch } from './channel.ts';
import type { Outlet, Recipient } from './outlet.ts';

export type Results = AsyncGenerator<FormattedExecutionResult, void, void>;

export interface MemberSettings {
  readonly channel: Channel;
  /** It was open already, on behalf of another: the rights are to be looked at for this one. */
  readonly isShared: boolean;
  readonly outlet: Outlet;
  readonly after: string | null;
  /** Its cursors can be given as `after`. */
  readonly isResumable: boolean;
  frame(batch: EncodedBatch): Buffer;
  failed(error: unknown): FormattedExecutionResult;
  /** Nothing goes out to it any more. */
  left?(): void;
}

type Step = IteratorResult<FormattedExecutionResult, void>;
const finished: IteratorReturnResult<void> = { done: true, value: undefined };

export class Member implements ChannelMember, Recipient, Results {
  readonly #settings: MemberSettings;
  /** While it is not live: batches that came meanwhile. */
  #ahead: EncodedBatch[] | null = [];
  #aheadBytes = 0;
  /** More came than may wait, or rights have changed: it reads on as history. */
  #isBehind = false;
  /** What waited for it was dropped: the history that is being read has a gap. */
  #isStale = false;
  #isOver = false;
  #hasBegun = false;
  #cursor: string | null;
  /** Something has gone out. */
  #isTold = false;
  /** Where it begins without a cursor. */
  #start = '';
  #final: FormattedExecutionResult | null = null;
  #end: ((step: Step) => void) | undefined;

  constructor(settings: MemberSettings) {
    this.#settings = settings;
    this.#cursor = settings.after;
    settings.channel.add(this);
    settings.outlet.add(this);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The last place it was told. */
  get cursor(): string | null {
    return this.#cursor;
  }

  frame(batch: EncodedBatch): Buffer {
    return this.#settings.frame(batch);
  }

  written({ cursor }: EncodedBatch): void {
    this.#cursor = cursor;
    this.#isTold = true;
  }

  async permit(batch: EncodedBatch): Promise<void> {
    const { channel, outlet } = this.#settings;
    if (!this.#isOver && channel.isStale) await channel.permit();
    if (this.#isOver || channel.isCurrent(batch)) return;
    // Executed with rights that have changed: it reads all that waits again, with those of the moment.
    outlet.drop(this);
    const isLive = this.#ahead === null;
    this.#wait();
    this.#isBehind = this.#isStale = true;
    if (isLive) this.#catchUp().catch((error: unknown) => this.fail(error));
  }

  take(batch: EncodedBatch): void {
    if (this.#isOver) return;
    if (this.#ahead === null) return this.#settings.outlet.deliver(this, batch);
    if (this.#isBehind) return;
    if (!this.#settings.outlet.hold(batch)) return this.fallBehind();
    this.#ahead.push(batch);
    this.#aheadBytes += batch.json.length;
  }

  fallBehind(): void {
    if (this.#ahead === null) return;
    this.#wait();
    this.#isBehind = true;
  }

  complete(): void {
    // Who is not live yet sees it when it has told the rest.
    if (!this.#isOver && this.#ahead === null) this.#settings.outlet.after(this, () => this.#leave());
  }

  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#final = this.#settings.failed(error);
    this.#leave();
  }

  tooSlow(reason: string): void {
    this.fail(new SlowConsumerError(reason, this.#settings.isResumable ? this.#cursor : null));
  }

  async next(): Promise<Step> {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#begin().catch((error: unknown) => this.fail(error));
    }
    if (!this.#isOver) await new Promise<Step>((resolve) => (this.#end = resolve));
    const final = this.#final;
    this.#final = null;
    return final ? { done: false, value: final } : finished;
  }

  async return(): Promise<Step> {
    this.#leave();
    return finished;
  }

  async throw(error: unknown): Promise<Step> {
    this.#leave();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave();
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#wait();
    this.#ahead = null;
    this.#settings.outlet.remove(this);
    this.#settings.channel.remove(this);
    this.#settings.left?.();
    this.#end?.(finished);
  }

  /** With nothing, for what comes from here on. */
  #wait(): void {
    this.#ahead = [];
    this.#settings.outlet.release(this.#aheadBytes);
    this.#aheadBytes = 0;
  }

  async #begin(): Promise<void> {
    const { channel, isShared } = this.#settings;
    await channel.opened;
    if (isShared) await channel.permit();
    this.#start = channel.place;
    await this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    const { channel, outlet } = this.#settings;
    const stream = await channel.opened;
    while (!this.#isOver) {
      // When everything has gone out, it is at its cursor.
      await outlet.inTurn(async () => undefined);
      const at = this.#cursor;
      // What the channel hands over from here on waits; what lies before is history.
      const until = channel.place;
      this.#wait();
      this.#isBehind = this.#isStale = false;
      if (at !== null && !channel.isOver && stream.compare(at, until) > 0) {
        // It comes from another gateway that knew of more.
        if (this.#isTold) await channel.moved();
        else await this.#tellHistory(stream, at, await stream.head());
        continue;
      }
      if (at === null) await this.#tellHistory(stream, null, this.#start);
      const from = at ?? this.#start;
      if ((at !== null && !this.#isTold) || stream.compare(from, until) < 0) await this.#tellHistory(stream, from, until);
      while (this.#ahead?.length && !this.#isBehind) await this.#tellAhead();
      if (this.#isBehind || this.#isOver) continue;
      // No await since the last look at what waits: nothing lies between it and the next batch.
      this.#ahead = null;
      if (channel.isOver) this.complete();
      return;
    }
  }

  /** Each batch when the peer has taken the one before. */
  async #tellHistory(stream: LiveStream, after: string | null, until: string): Promise<void> {
    const { channel, outlet } = this.#settings;
    const batches = stream.history(after, until)[Symbol.asyncIterator]();
    const tellNext = async (): Promise<boolean> => {
      if (this.#isOver || this.#isStale) return false;
      const { done, value } = await batches.next();
      if (done) return false;
      const encoded = await channel.encode(value);
      if (this.#isOver) return false;
      outlet.deliver(this, encoded);
      return true;
    };
    try {
      while (await outlet.inTurn(tellNext));
    } finally {
      await batches.return?.();
    }
  }

  /** The next one that waits. */
  #tellAhead(): Promise<void> {
    return this.#settings.outlet.inTurn(async () => {
      const first = this.#ahead?.[0];
      if (first) await this.permit(first);
      const batch = this.#ahead?.shift();
      if (!batch) return;
      this.#aheadBytes -= batch.json.length;
      this.#settings.outlet.release(batch.json.length);
      this.#settings.outlet.deliver(this, batch);
    });
  }
}

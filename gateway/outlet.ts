// What goes out on one connection: written at once while the peer reads; else it waits, by reference, up to a bound. A peer that reads too
// slowly for its streams is told so and loses the connection: it slows nobody else and costs no more memory than the bound.
import type { EncodedBatch } from './channel.ts';

/** The connection itself. */
export interface Pipe {
  /** Handed over, and not taken by the peer. */
  readonly bufferedBytes: number;
  /** What the system has not taken of that which is being written; another number when the peer has read, also within a large batch. */
  readonly unsentBytes: number;
  /** `flushed` is called once everything so far has gone out. */
  write(data: Buffer, flushed?: () => void): void;
}

/** As node's own timeout of sockets sees it: nothing public tells of a write that is under way. */
export const unsentBytesOf = (connection: unknown): number =>
  (connection as { readonly _handle?: { readonly writeQueueSize: number } | null } | null)?._handle?.writeQueueSize ?? 0;

export interface Recipient {
  readonly isOver: boolean;
  frame(batch: EncodedBatch): Buffer;
  written(batch: EncodedBatch): void;
  /** Looks whether a batch that has waited may still go out; else it drops what waits for it, or throws. */
  permit(batch: EncodedBatch): Promise<void> | void;
  /** Drops what waits with it: it reads that as history. */
  fallBehind(): void;
  fail(error: unknown): void;
  /** The connection is given up. */
  tooSlow(reason: string): void;
}

export interface OutletLimits {
  /** Bytes of batches that may wait for the peer. */
  readonly queueBytes: number;
  /** How long a peer may take nothing while something waits; milliseconds. */
  readonly stallMs: number;
}

interface Waiting {
  readonly to: Recipient;
  /** A batch, or what to do when all before it went out. */
  readonly what: EncodedBatch | (() => void);
}

/** Bytes handed to the connection before batches wait here instead, where they are shared. */
const highWaterBytes = 65_536;

export class Outlet {
  readonly #pipe: Pipe;
  readonly #limits: OutletLimits;
  readonly #slow: (reason: string) => void;
  readonly #recipients = new Set<Recipient>();
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #aheadBytes = 0;
  #writingBytes = 0;
  #isFlushing = false;
  #isClosed = false;
  #stall: NodeJS.Timeout | undefined;
  #free: (() => void) | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** `slow` is called once, when the peer reads too slowly and everybody here was told. */
  constructor(pipe: Pipe, limits: OutletLimits, slow: (reason: string) => void) {
    this.#pipe = pipe;
    this.#limits = limits;
    this.#slow = slow;
  }

  /** Here and with recipients. */
  get queuedBytes(): number {
    return this.#queuedBytes + this.#aheadBytes;
  }

  /** The peer has not taken what it was given. */
  get isBlocked(): boolean {
    return this.#writingBytes > 0;
  }

  /** Of the batch that the peer is taking, however large: it is one of those that went out. */
  get writingBytes(): number {
    return this.#writingBytes;
  }

  add(to: Recipient): void {
    this.#recipients.add(to);
  }

  /** Takes room for a batch that waits with its recipient, who is not live yet; false when there is none. */
  hold({ json }: EncodedBatch): boolean {
    const fits = this.queuedBytes + json.length <= this.#limits.queueBytes;
    if (fits) this.#aheadBytes += json.length;
    return fits;
  }

  release(bytes: number): void {
    this.#aheadBytes -= bytes;
  }

  deliver(to: Recipient, batch: EncodedBatch): void {
    if (this.#isClosed) return;
    if (!this.isBlocked && this.#queue.length === 0) return this.#write(to, batch);
    // What waits with recipients can be read again.
    if (this.queuedBytes + batch.json.length > this.#limits.queueBytes) for (const each of this.#recipients) each.fallBehind();
    if (this.#queue.length > 0 && this.#queuedBytes + batch.json.length > this.#limits.queueBytes) {
      return this.giveUp(`more than ${this.#limits.queueBytes} bytes wait for this connection`);
    }
    this.#queue.push({ to, what: batch });
    this.#queuedBytes += batch.json.length;
  }

  /** Calls it once everything that waits for this recipient has gone out. */
  after(to: Recipient, call: () => void): void {
    if (this.#queue.some((each) => each.to === to)) this.#queue.push({ to, what: call });
    else call();
  }

  /** Nothing goes out to this recipient any more. */
  remove(to: Recipient): void {
    this.#recipients.delete(to);
    this.drop(to);
  }

  /** What waits for this recipient does not go out. */
  drop(to: Recipient): void {
    if (this.#queue.length === 0) return;
    this.#queue = this.#queue.filter((each) => each.to !== to);
    this.#queuedBytes = this.#queue.reduce((sum, { what }) => sum + (typeof what === 'function' ? 0 : what.json.length), 0);
    if (this.#queue.length === 0 && !this.isBlocked) this.#free?.();
  }

  /** Does it when the peer has taken everything; one after the other, so that what is read at the peer's pace never piles up here. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(async () => {
      while ((this.isBlocked || this.#queue.length > 0) && !this.#isClosed) await new Promise<void>((resolve) => (this.#free = resolve));
      return work();
    });
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** Tells all who watch here that the peer reads too slowly, and ends the connection. */
  giveUp(reason: string): void {
    if (this.#isClosed) return;
    this.close();
    for (const each of this.#recipients) each.tooSlow(reason);
    this.#slow(reason);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#stall);
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#free?.();
  }

  #write(to: Recipient, batch: EncodedBatch): void {
    to.written(batch);
    const data = to.frame(batch);
    if (this.#pipe.bufferedBytes + batch.json.length <= highWaterBytes) return this.#pipe.write(data);
    this.#writingBytes = data.length;
    this.#pipe.write(data, () => this.#flushed());
    this.#watchStall();
  }

  #watchStall(): void {
    const { unsentBytes } = this.#pipe;
    this.#stall = setTimeout(() => {
      if (this.#pipe.unsentBytes !== unsentBytes) this.#watchStall();
      else this.giveUp(`nothing was read for ${this.#limits.stallMs} ms`);
    }, this.#limits.stallMs).unref();
  }

  #flushed(): void {
    clearTimeout(this.#stall);
    this.#writingBytes = 0;
    if (!this.#isFlushing) void this.#flush();
  }

  async #flush(): Promise<void> {
    this.#isFlushing = true;
    while (this.#queue.length > 0 && !this.isBlocked) {
      const next = this.#queue[0]!;
      const { to, what } = next;
      try {
        if (typeof what !== 'function') await to.permit(what);
      } catch (error) {
        to.fail(error);
      }
      // Meanwhile it may have been dropped, with all that waits for its recipient.
      if (this.#queue[0] !== next || this.isBlocked) continue;
      this.#queue.shift();
      if (typeof what === 'function') what();
      else {
        this.#queuedBytes -= what.json.length;
        this.#write(to, what);
      }
    }
    this.#isFlushing = false;
    if (!this.isBlocked) this.#free?.();
  }
}

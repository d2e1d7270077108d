// One live stream, executed and encoded once for everyone who watches exactly the same with the same rights. Members come through their
// own history (member.ts) up to the channel's place, then hear every batch, the end and errors. The last one to leave closes it.
import type { Authority } from '#src/authority/permission.ts';
import type { LiveBatch, LiveStream } from '#src/events/live-stream.ts';
import { freshly } from './freshly.ts';

/** One result, for everybody. */
export interface EncodedBatch {
  /** UTF-8. */
  readonly json: Buffer;
  /** The place behind it. */
  readonly cursor: string;
  /** Those that it was executed with. */
  readonly rights: Authority;
}

export interface ChannelSource {
  /** Makes the stream and looks whether it may be watched. */
  open(): Promise<LiveStream>;
  /** As last looked at; another object when they have changed. */
  readonly rights: Authority;
  /** Executes one batch with the rights of the moment and gives its text; throws when they do not suffice any more. */
  execute(batch: LiveBatch): Promise<{ readonly json: string; readonly rights: Authority }>;
  /** Throws when the rights of the moment do not suffice. */
  permit(): Promise<void>;
  /** Tells when rights are lost while nothing happens. Returns the function that stops it. */
  watch(lost: (error: unknown) => void): () => void;
  /** Nobody watches any more. */
  close(): void;
}

export interface ChannelMember {
  take(batch: EncodedBatch): void;
  /** Nothing follows any more. */
  complete(): void;
  fail(error: unknown): void;
}

/** What waited, or was executed, longer than this since rights were looked at goes out only after another look: a second after they are lost nothing does. */
const staleMs = 500;

export class Channel {
  /** Rejects when it could not be opened; such a channel is not kept. */
  readonly opened: Promise<LiveStream>;
  /** Resolves when rights were looked at after the call. */
  readonly permit: () => Promise<void>;
  readonly #source: ChannelSource;
  readonly #forget: () => void;
  readonly #members = new Set<ChannelMember>();
  #place = '';
  #isOver = false;
  #unwatch: (() => void) | undefined;
  #moved = Promise.withResolvers<void>();
  #permittedAt = 0;

  /** `forget` is called when nobody may join any more. */
  constructor(source: ChannelSource, forget: () => void) {
    this.#source = source;
    this.#forget = forget;
    this.permit = freshly(() => this.#withRights(() => source.permit()));
    this.opened = this.#withRights(() => this.#open());
    this.opened.catch(forget);
  }

  /** Everything up to here was handed to the members. */
  get place(): string {
    return this.#place;
  }

  /** Nothing follows any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get size(): number {
    return this.#members.size;
  }

  /** Rights were looked at too long ago for anything to go out. */
  get isStale(): boolean {
    return performance.now() - this.#permittedAt > staleMs;
  }

  add(member: ChannelMember): void {
    this.#members.add(member);
  }

  remove(member: ChannelMember): void {
    if (!this.#members.delete(member) || this.#members.size > 0) return;
    this.#over();
    this.#unwatch?.();
    this.#source.close();
  }

  async encode(batch: LiveBatch): Promise<EncodedBatch> {
    for (;;) {
      const { json, rights } = await this.#withRights(() => this.#source.execute(batch));
      if (this.isStale) await this.permit();
      // They may have changed while it was executed.
      if (rights === this.#source.rights) return { json: Buffer.from(json), cursor: batch.cursor, rights };
    }
  }

  /** What was executed with other rights than those of the moment must not go out. */
  isCurrent({ rights }: EncodedBatch): boolean {
    return rights === this.#source.rights;
  }

  /** Resolves when the place has moved, or nothing follows any more. */
  moved(): Promise<void> {
    return this.#isOver ? Promise.resolve() : this.#moved.promise;
  }

  async #open(): Promise<LiveStream> {
    const stream = await this.#source.open();
    this.#place = await stream.head();
    if (this.#isOver) return stream; // everybody left meanwhile
    this.#unwatch = this.#source.watch((error) => this.#fail(error));
    void this.#run(stream);
    return stream;
  }

  async #run(stream: LiveStream): Promise<void> {
    try {
      for await (const batch of stream.live(this.#place)) {
        if (this.#isOver) return;
        const encoded = await this.encode(batch);
        // The rights may have ended while it was executed.
        if (this.#isOver) return;
        this.#place = batch.cursor;
        for (const member of this.#members) member.take(encoded);
        this.#move();
      }
      if (this.#isOver) return;
      this.#over();
      for (const member of this.#members) member.complete();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#members.size === 0) return;
    this.#over();
    for (const member of this.#members) member.fail(error);
  }

  #over(): void {
    this.#isOver = true;
    this.#forget();
    this.#move();
  }

  #move(): void {
    this.#moved.resolve();
    this.#moved = Promise.withResolvers();
  }

  async #withRights<T>(work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const result = await work();
    this.#permittedAt = Math.max(this.#permittedAt, startedAt);
    return result;
  }
}

// One live stream shared by everyone who watches the same thing: history is read by each member for itself, new rows once for all.
// A member that falls behind goes back to reading history, so a slow reader costs no memory and misses nothing.

export interface TopicSource<Row, Position> {
  /** Rows after a position, in order, at most `limit`. */
  read(after: Position, limit: number): Promise<{ readonly rows: readonly Row[]; readonly position: Position }>;
  positionOf(row: Row): Position;
  compare(a: Position, b: Position): number;
  /** True when nothing can lie between the position and these rows; absent where that cannot be said. */
  follows?(position: Position, rows: readonly Row[]): boolean;
}

export interface Batch<Row, Position> {
  readonly rows: readonly Row[];
  /** Everything up to here has been delivered with this batch. */
  readonly position: Position;
  /** False while history is being read and more of it is known to follow. */
  readonly caughtUp: boolean;
}

interface Member<Row, Position> {
  position: Position;
  queue: Row[];
  /** Fell behind: the queue was dropped, and it reads for itself again. */
  behind: boolean;
  notify: () => void;
}

const pageSize = 500;
/** Rows that wait for one member before it is sent back to reading. */
const maxQueued = 2_000;

export class Topic<Row, Position> {
  readonly #source: TopicSource<Row, Position>;
  readonly #members = new Set<Member<Row, Position>>();
  #head: Position | null = null;
  #reading: Promise<void> | null = null;
  #again = false;
  /** How often `wake` was called. */
  #wakes = 0;

  constructor(source: TopicSource<Row, Position>) {
    this.#source = source;
  }

  get isIdle(): boolean {
    return this.#members.size === 0;
  }

  /** The newest position any live member has been given. */
  get head(): Position | null {
    return this.#head;
  }

  /** Batches after a position: history up to one that is caught up (perhaps empty), then what is new, until `signal` aborts. */
  async *watch(after: Position, signal: AbortSignal): AsyncGenerator<Batch<Row, Position>, void, undefined> {
    let position = after;
    while (!signal.aborted) {
      const member = yield* this.#catchUp(position, signal);
      if (!member) return;
      try {
        while (!signal.aborted && !member.behind) {
          if (member.queue.length === 0) await nextWake(member, signal);
          const rows = member.queue.splice(0);
          const last = rows.at(-1);
          if (last === undefined) continue;
          member.position = this.#source.positionOf(last);
          yield { rows, position: member.position, caughtUp: true };
        }
        position = member.position;
      } finally {
        this.#leave(member);
      }
    }
  }

  #leave(member: Member<Row, Position>): void {
    this.#members.delete(member);
    if (this.isIdle) this.#head = null;
  }

  /** Reads until nothing more is known, then joins the live members without a gap. */
  async *#catchUp(after: Position, signal: AbortSignal): AsyncGenerator<Batch<Row, Position>, Member<Row, Position> | null, undefined> {
    let position = after;
    while (!signal.aborted) {
      const wakes = this.#wakes;
      const headBefore = this.#head;
      const page = await this.#source.read(position, pageSize);
      position = page.position;
      const isShort = page.rows.length < pageSize;
      // All up to the head was settled before this read began, so a short page has it. The head may be a place without a row, which
      // no reading alone would ever reach.
      if (isShort && headBefore !== null && this.#source.compare(headBefore, position) > 0) position = headBefore;
      const complete = isShort && (this.#head === null || this.#source.compare(this.#head, position) <= 0);
      // No await between the comparison and the join: rows read for the others in between would be missed.
      const member = complete ? this.#join(position) : null;
      // Who woke the topic meanwhile may have found nobody to read for.
      if (member && wakes !== this.#wakes) void this.wake().catch(() => undefined);
      if (page.rows.length > 0 || complete) {
        let taken = false;
        try {
          yield { rows: page.rows, position, caughtUp: member !== null };
          taken = true;
        } finally {
          // The watcher left during this very batch: `watch` will not see the member.
          if (!taken && member) this.#leave(member);
        }
      }
      if (member) return member;
    }
    return null;
  }

  #join(position: Position): Member<Row, Position> {
    const member: Member<Row, Position> = { position, queue: [], behind: false, notify: () => undefined };
    this.#members.add(member);
    this.#head ??= position;
    return member;
  }

  /** New rows may exist: reads them once for all members. Never overlaps with itself. */
  wake(): Promise<void> {
    this.#wakes += 1;
    this.#again = true;
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  /** These rows were just committed: given to all without reading when they follow the last ones, else a wake-up. */
  offer(rows: readonly Row[]): Promise<void> {
    const last = rows.at(-1);
    if (last === undefined || this.#head === null || this.#reading || !this.#source.follows?.(this.#head, rows)) return this.wake();
    this.#head = this.#source.positionOf(last);
    for (const member of this.#members) this.#deliver(member, rows);
    return Promise.resolve();
  }

  async #readAll(): Promise<void> {
    while (this.#again && this.#head !== null) {
      this.#again = false;
      const head: Position = this.#head;
      const { rows, position } = await this.#source.read(head, pageSize);
      if (rows.length === 0) continue;
      if (rows.length === pageSize) this.#again = true;
      if (this.#head === null || this.#source.compare(this.#head, head) !== 0) {
        // Everybody left and others joined while this was read: they start from their own place.
        this.#again = true;
        continue;
      }
      this.#head = position;
      for (const member of this.#members) this.#deliver(member, rows);
    }
  }

  #deliver(member: Member<Row, Position>, rows: readonly Row[]): void {
    const news = rows.filter((row) => this.#source.compare(this.#source.positionOf(row), member.position) > 0);
    if (member.behind) return;
    if (member.queue.length + news.length > maxQueued) {
      member.behind = true;
      member.queue = [];
    } else member.queue.push(...news);
    member.notify();
  }
}

function nextWake(member: Member<unknown, unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener('abort', done);
      member.notify = () => undefined;
      resolve();
    };
    member.notify = done;
    signal.addEventListener('abort', done, { once: true });
    if (member.queue.length > 0 || member.behind || signal.aborted) done();
  });
}

// The shape of everything that can be watched: a place now, what lies between two places, and what follows one. A gateway shares what
// follows among all who watch the same, and gives each who joins the history between its own place and the place of the others.
import type { UnitOfWork } from '../platform/database.ts';
import type { Authority } from '../authority/permission.ts';

/** Who watches: rights as last read, and a transaction per read. */
export interface Watcher {
  readonly authority: Authority;
  readonly signal: AbortSignal;
  read<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T>;
}

export interface LiveBatch {
  /** Everything up to here has been delivered with this batch. */
  readonly cursor: string;
  /** False while history is being read and more of it is known to follow. */
  readonly caughtUp: boolean;
}

export interface LiveStream<Batch extends LiveBatch = LiveBatch> {
  /** The place after everything that is settled now. */
  head(): Promise<string>;
  /**
   * What lies after `after` (null: what the stream begins with) up to and including `until`; the last batch, perhaps an empty one, has the
   * cursor `until` and is caught up. Throws InvalidCursorError or CursorExpiredError when `after` does not fit.
   */
  history(after: string | null, until: string): AsyncIterable<Batch>;
  /** What follows a place, as it happens, until the stream's own end or the watcher's signal. */
  live(from: string): AsyncIterable<Batch>;
  /** Below zero when `a` comes before `b`, zero when they are the same place. */
  compare(a: string, b: string): number;
}

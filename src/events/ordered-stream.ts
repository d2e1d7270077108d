// A live stream over rows of a tenant in commit order: history in pages, then the feed that everybody shares. What its watcher is told of
// the rows is the source's to say, with the rights of the moment.
import type { UnitOfWork } from '../platform/database.ts';
import { CursorExpiredError } from '../platform/errors.ts';
import { readTenantCursor, tenantCursor, tenantPlace, type TenantStreamKind } from './cursor.ts';
import type { EventService, FeedPosition } from './event-service.ts';
import { comparePositions } from './live-feed.ts';
import type { LiveBatch, LiveStream, Watcher } from './live-stream.ts';
import type { Batch } from './topic.ts';

export interface OrderedSource<Row, Item, Told extends LiveBatch> {
  readonly kind: TenantStreamKind;
  /** Rows after a position, in commit order, only those that no open transaction can still precede. */
  read(uow: UnitOfWork, after: FeedPosition, limit: number): Promise<readonly Row[]>;
  positionOf(row: Row): FeedPosition;
  /** Of the last row that no open transaction can still precede; `startOfFeed` without one. */
  last(uow: UnitOfWork): Promise<FeedPosition>;
  /** The same as they come, read once for all who watch. */
  watch(after: FeedPosition): AsyncIterable<Batch<Row, FeedPosition>>;
  /** What the watcher is told of these rows. */
  itemsOf(rows: readonly Row[]): Promise<readonly Item[]> | readonly Item[];
  batchOf(items: readonly Item[], place: LiveBatch): Told;
  /** Throws when the conditions of this stream make no sense. */
  refuse?(uow: UnitOfWork): Promise<unknown>;
  /** After so many rows of which nothing is told, an empty batch tells the place: nobody has to pass over them again. */
  readonly advanceAfter?: number;
  /** What it begins with for those who come without a cursor: what stands at a position. Nothing when absent. */
  opening?(until: FeedPosition): Promise<readonly { readonly item: Item; readonly position: FeedPosition }[]>;
}

interface OrderedDependencies {
  readonly watcher: Watcher;
  readonly events: Pick<EventService, 'epoch' | 'isAhead'>;
}

const pageSize = 500;

export function orderedStream<Row, Item, Told extends LiveBatch>(
  { watcher, events }: OrderedDependencies,
  source: OrderedSource<Row, Item, Told>,
): LiveStream<Told> {
  const { kind, read, positionOf, last, watch, itemsOf, batchOf, refuse, opening, advanceAfter = Infinity } = source;

  async function startOf(after: string): Promise<FeedPosition> {
    return watcher.read(async (uow) => {
      const position = readTenantCursor(after, kind, await events.epoch(uow));
      // Its watcher would wait for ever, and everybody who shares the stream for it.
      if (await events.isAhead(uow, position)) throw aheadOfHistory();
      return position;
    });
  }

  async function* pages(start: FeedPosition, end: FeedPosition): AsyncGenerator<{ items: readonly Item[]; position: FeedPosition }> {
    for (let at = start; ;) {
      const rows = comparePositions(at, end) < 0 ? await watcher.read((uow) => read(uow, at, pageSize)) : [];
      const within = rows.filter((row) => comparePositions(positionOf(row), end) <= 0);
      at = within.length < pageSize ? end : positionOf(within.at(-1)!);
      yield { items: within.length === 0 ? [] : await itemsOf(within), position: at };
      if (at === end) return;
    }
  }

  return {
    async head() {
      return watcher.read(async (uow) => {
        await refuse?.(uow);
        const epoch = await events.epoch(uow);
        return tenantCursor(kind, epoch, await last(uow));
      });
    },

    async *history(after, until) {
      const { epoch, position: end } = tenantPlace(until, kind);
      const told = (items: readonly Item[], position: FeedPosition, caughtUp: boolean) =>
        batchOf(items, { cursor: tenantCursor(kind, epoch, position), caughtUp });
      if (after === null) {
        const placed = (await opening?.(end)) ?? [];
        for (let at = 0; at < placed.length; at += pageSize) {
          const part = placed.slice(at, at + pageSize);
          const last = at + pageSize >= placed.length ? end : part.at(-1)!.position;
          yield told(
            part.map(({ item }) => item),
            last,
            false,
          );
        }
      }
      let untold = 0;
      for await (const { items, position } of pages(after === null ? end : await startOf(after), end)) {
        const isLast = position === end;
        untold = items.length > 0 ? 0 : untold + pageSize;
        if (items.length === 0 && !isLast && untold < advanceAfter) continue;
        untold = 0;
        yield told(items, position, isLast);
      }
    },

    async *live(from) {
      const { epoch, position: start } = tenantPlace(from, kind);
      let untold = 0;
      for await (const { rows, position, caughtUp } of watch(start)) {
        const items = rows.length === 0 ? [] : await itemsOf(rows);
        untold += rows.length;
        if (items.length === 0 && untold < advanceAfter) continue;
        untold = 0;
        yield batchOf(items, { cursor: tenantCursor(kind, epoch, position), caughtUp });
      }
    },

    compare: (a, b) => comparePositions(tenantPlace(a, kind).position, tenantPlace(b, kind).position),
  };
}

export const aheadOfHistory = () =>
  new CursorExpiredError('after: this cursor is ahead of the history (the database was restored); start without it');

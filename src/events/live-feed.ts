// Live streams over the events table: hints of this process wake them at once, a slow poll finds what other processes committed.
import type { Database, UnitOfWork } from '../platform/database.ts';
import type { Logger } from '../platform/logger.ts';
import type { ApprovalEventRow, EventRow, EventService, FeedPosition } from './event-service.ts';
import type { Hints } from './hints.ts';
import { Topic, type Batch, type TopicSource } from './topic.ts';

export interface LiveFeed {
  /** Events of one execution after a sequence, then live. */
  execution(tenantId: string, executionId: string, after: number, signal: AbortSignal): AsyncIterable<Batch<EventRow, number>>;
  /** Events of the tenant's approvals after a position, in commit order, then live. */
  approvals(tenantId: string, after: FeedPosition, signal: AbortSignal): AsyncIterable<Batch<ApprovalEventRow, FeedPosition>>;
  /** Ids of executions with new events after a position. */
  changed(tenantId: string, after: FeedPosition, signal: AbortSignal): AsyncIterable<Batch<ChangedExecution, FeedPosition>>;
  /** Rows of another table of the tenant, by a name for it, after a position in commit order, then live. Those who watch share the reading. */
  other<Row>(
    tenantId: string,
    name: string,
    source: {
      read(uow: UnitOfWork, position: FeedPosition, limit: number): Promise<readonly Row[]>;
      positionOf(row: Row): FeedPosition;
    },
    after: FeedPosition,
    signal: AbortSignal,
  ): AsyncIterable<Batch<Row, FeedPosition>>;
  /** Such rows were committed by this process. */
  wake(tenantId: string, name: string): void;
  /** How many different things are watched now. */
  readonly size: number;
  /** Ends every stream. Sockets are closed before: to a client this end looks like the stream's own. */
  close(): void;
}

export interface ChangedExecution {
  readonly executionId: string;
  readonly position: FeedPosition;
}

export interface LiveFeedSettings {
  readonly database: Database;
  readonly events: EventService;
  readonly hints: Hints;
  readonly logger: Logger;
  /** How often changes of other processes are looked for; milliseconds. */
  readonly pollMs?: number | undefined;
}

interface Open {
  readonly tenantId: string;
  /** Set for the stream of one execution. */
  readonly executionId?: string;
  readonly approvalsOnly: boolean;
  /** Not about executions: their hints do not concern it. */
  readonly other?: true;
  readonly topic: { readonly isIdle: boolean; readonly head: unknown; wake(): Promise<void> };
}

export function createLiveFeed({ database, events, hints, logger, pollMs = 500 }: LiveFeedSettings): LiveFeed {
  const open = new Map<string, Open>();
  const closing = new AbortController();

  const wake = ({ topic }: Open) =>
    void topic.wake().catch((err: unknown) => logger.warn({ err }, 'a live stream could not read new events; trying again'));

  const unsubscribe = hints.subscribe((hint) => {
    for (const each of open.values()) {
      if (each.tenantId !== hint.tenantId || (each.executionId !== undefined && each.executionId !== hint.executionId)) continue;
      if (each.other || (each.approvalsOnly && !hint.approvals)) continue;
      wakeInOrder(each);
    }
  });

  function wakeInOrder(each: Open): void {
    wake(each);
    // In commit order an older open transaction hides this one for a moment: look again before the poll does.
    if (each.executionId === undefined) setTimeout(() => wake(each), 25).unref();
  }

  async function poll(): Promise<void> {
    for (const [tenantId, streams] of Map.groupBy(open.values(), (each) => each.tenantId)) {
      for (const each of streams) if (each.executionId === undefined) wake(each);
      const ids = streams.flatMap((each) => each.executionId ?? []);
      if (ids.length === 0) continue;
      const heads = await database.read(tenantId, (uow) => events.heads(uow, ids));
      for (const each of streams) {
        const head = each.executionId === undefined ? undefined : heads.get(each.executionId);
        if (head !== undefined && (each.topic.head as number | null) !== null && head > (each.topic.head as number)) wake(each);
      }
    }
  }
  let polling = false;
  const timer = setInterval(() => {
    if (polling || open.size === 0) return;
    polling = true;
    poll()
      .catch((err: unknown) => logger.warn({ err }, 'new events could not be looked for; trying again'))
      .finally(() => (polling = false));
  }, pollMs);
  timer.unref();

  async function* watch<Row, Position>(
    key: string,
    about: Omit<Open, 'topic'>,
    source: TopicSource<Row, Position>,
    after: Position,
    signal: AbortSignal,
  ): AsyncGenerator<Batch<Row, Position>, void, undefined> {
    let topic = open.get(key)?.topic as Topic<Row, Position> | undefined;
    if (!topic) open.set(key, { ...about, topic: (topic = new Topic(source)) });
    users.set(key, (users.get(key) ?? 0) + 1);
    try {
      yield* topic.watch(after, AbortSignal.any([signal, closing.signal]));
    } finally {
      const left = users.get(key)! - 1;
      if (left > 0) users.set(key, left);
      else {
        users.delete(key);
        open.delete(key);
      }
    }
  }
  /** Who uses a topic, those still reading history included: it goes with the last of them. */
  const users = new Map<string, number>();

  return {
    execution(tenantId, executionId, after, signal) {
      const source: TopicSource<EventRow, number> = {
        positionOf: (row) => row.sequence,
        compare: (a, b) => a - b,
        async read(position, limit) {
          const rows = await database.read(tenantId, (uow) => events.after(uow, executionId, position, limit));
          return { rows, position: rows.at(-1)?.sequence ?? position };
        },
      };
      return watch(`execution ${executionId}`, { tenantId, executionId, approvalsOnly: false }, source, after, signal);
    },
    approvals(tenantId, after, signal) {
      const source: TopicSource<ApprovalEventRow, FeedPosition> = {
        positionOf: ({ transactionId, executionId, sequence }) => ({ transactionId, executionId, sequence }),
        compare: comparePositions,
        async read(position, limit) {
          const rows = await database.read(tenantId, (uow) => events.approvalsAfter(uow, position, limit));
          return { rows, position: rows.length > 0 ? source.positionOf(rows.at(-1)!) : position };
        },
      };
      return watch(`approvals ${tenantId}`, { tenantId, approvalsOnly: true }, source, after, signal);
    },
    changed(tenantId, after, signal) {
      const source: TopicSource<ChangedExecution, FeedPosition> = {
        positionOf: (row) => row.position,
        compare: comparePositions,
        async read(position, limit) {
          const rows = await database.read(tenantId, (uow) => events.changedAfter(uow, position, limit));
          return { rows, position: rows.at(-1)?.position ?? position };
        },
      };
      return watch(`changed ${tenantId}`, { tenantId, approvalsOnly: false }, source, after, signal);
    },
    other(tenantId, name, { read, positionOf }, after, signal) {
      const source: TopicSource<Awaited<ReturnType<typeof read>>[number], FeedPosition> = {
        positionOf,
        compare: comparePositions,
        async read(position, limit) {
          const rows = await database.read(tenantId, (uow) => read(uow, position, limit));
          return { rows, position: rows.length > 0 ? positionOf(rows.at(-1)!) : position };
        },
      };
      return watch(`${name} ${tenantId}`, { tenantId, approvalsOnly: false, other: true }, source, after, signal);
    },
    wake(tenantId, name) {
      const watched = open.get(`${name} ${tenantId}`);
      if (watched) wakeInOrder(watched);
    },
    get size() {
      return open.size;
    },
    close() {
      clearInterval(timer);
      unsubscribe();
      closing.abort();
    },
  };
}

/** The order of the tenant's feed: transaction, then execution, then sequence. */
export function comparePositions(a: FeedPosition, b: FeedPosition): number {
  const transactions = BigInt(a.transactionId) - BigInt(b.transactionId);
  if (transactions !== 0n) return transactions < 0n ? -1 : 1;
  if (a.executionId !== b.executionId) return a.executionId < b.executionId ? -1 : 1;
  return a.sequence - b.sequence;
}

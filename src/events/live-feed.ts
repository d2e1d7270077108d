// Live streams over the events table: hints wake them at once, and a poll finds what no hint told of: often while other processes are not
// heard, seldom while they are.
import type { Database, UnitOfWork } from '../platform/database.ts';
import type { Logger } from '../platform/logger.ts';
import type { PlacedEventRow, EventRow, EventService, FeedPosition } from './event-service.ts';
import type { Hints } from './hints.ts';
import { Topic, type Batch, type TopicSource } from './topic.ts';

export interface LiveFeed {
  /** Events of one execution after a sequence, then live. */
  execution(tenantId: string, executionId: string, after: number, signal: AbortSignal): AsyncIterable<Batch<EventRow, number>>;
  /** Events of the tenant's approvals after a position, in commit order, then live. */
  approvals(tenantId: string, after: FeedPosition, signal: AbortSignal): AsyncIterable<Batch<PlacedEventRow, FeedPosition>>;
  /** All events of the tenant after a position, in commit order, then live. */
  tenant(tenantId: string, after: FeedPosition, signal: AbortSignal): AsyncIterable<Batch<PlacedEventRow, FeedPosition>>;
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
  /** How often changes of other processes are looked for while they are not heard; milliseconds. */
  readonly pollMs?: number | undefined;
  /** And while they are. */
  readonly heardPollMs?: number | undefined;
}

type About = Pick<Open, 'tenantId' | 'executionId' | 'approvalsOnly' | 'other'>;

interface Open {
  readonly tenantId: string;
  /** Set for the stream of one execution. */
  readonly executionId?: string;
  readonly approvalsOnly: boolean;
  /** Not about executions: their hints do not concern it. */
  readonly other?: true;
  readonly topic: {
    readonly isIdle: boolean;
    readonly head: unknown;
    wake(): Promise<void>;
    offer(rows: readonly unknown[]): Promise<void>;
  };
  /** Stops hearing of the tenant. */
  readonly leave: () => void;
  /** In commit order: the second look after a hint, and until when an older open transaction may hide what the hint was about. */
  again?: NodeJS.Timeout | undefined;
  hiddenUntil: number;
}

/** How long commit order is looked at often after a hint. */
const hiddenMs = 10_000;
const executionKey = (executionId: string) => `execution ${executionId}`;

export function createLiveFeed({ database, events, hints, logger, pollMs = 500, heardPollMs = 2_000 }: LiveFeedSettings): LiveFeed {
  const open = new Map<string, Open>();
  /** Those in commit order, by tenant. */
  const inOrder = new Map<string, Set<Open>>();
  const closing = new AbortController();

  const failed = (err: unknown) => logger.warn({ err }, 'a live stream could not read new events; trying again');
  const wake = ({ topic }: Open) => void topic.wake().catch(failed);

  const unsubscribe = hints.subscribe(({ tenantId, executionId, approvals, rows }) => {
    const one = open.get(executionKey(executionId));
    if (one?.tenantId === tenantId) void (rows ? one.topic.offer(rows()) : one.topic.wake()).catch(failed);
    for (const each of inOrder.get(tenantId) ?? []) if (!each.other && (approvals || !each.approvalsOnly)) wakeInOrder(each);
  });
  const unsubscribeWakes = hints.onWake((tenantId, name) => {
    if (tenantId === null) return look();
    if (name === null) {
      for (const each of open.values()) if (each.tenantId === tenantId) wake(each);
      return;
    }
    const named = open.get(`${name} ${tenantId}`);
    if (named?.other) wakeInOrder(named);
  });

  function wakeInOrder(each: Open): void {
    wake(each);
    // In commit order an older open transaction hides this one for a moment: look again before the poll does.
    each.again ??= setTimeout(() => {
      each.again = undefined;
      wake(each);
    }, 25).unref();
    each.hiddenUntil = performance.now() + hiddenMs;
  }

  async function lookAt(everything: boolean): Promise<void> {
    for (const [tenantId, streams] of Map.groupBy(open.values(), (each) => each.tenantId)) {
      const now = performance.now();
      for (const each of streams) if (each.executionId === undefined && (everything || now < each.hiddenUntil)) wake(each);
      const ids = streams.flatMap((each) => each.executionId ?? []);
      if (ids.length === 0 || !everything) continue;
      const heads = await database.read(tenantId, (uow) => events.heads(uow, ids));
      for (const each of streams) {
        const head = each.executionId === undefined ? undefined : heads.get(each.executionId);
        if (head !== undefined && (each.topic.head as number | null) !== null && head > (each.topic.head as number)) wake(each);
      }
    }
  }
  let looking = false;
  let again = false;
  let lookedAt = -Infinity;
  function look(everything = true): void {
    if (open.size === 0) return;
    again ||= looking && everything;
    if (looking) return;
    looking = true;
    if (everything) lookedAt = performance.now();
    lookAt(everything)
      .catch((err: unknown) => logger.warn({ err }, 'new events could not be looked for; trying again'))
      .finally(() => {
        looking = false;
        if (!again) return;
        again = false;
        look();
      });
  }
  const timer = setInterval(() => look(!hints.isHeard || performance.now() - lookedAt >= heardPollMs), pollMs);
  timer.unref();

  function add(key: string, about: About, topic: Open['topic']): void {
    const each: Open = { ...about, topic, leave: hints.watch(about.tenantId), hiddenUntil: -Infinity };
    open.set(key, each);
    if (about.executionId !== undefined) return;
    const streams = inOrder.get(about.tenantId) ?? new Set();
    inOrder.set(about.tenantId, streams.add(each));
  }
  function remove(key: string): void {
    const each = open.get(key)!;
    open.delete(key);
    clearTimeout(each.again);
    each.leave();
    const streams = inOrder.get(each.tenantId);
    streams?.delete(each);
    if (streams?.size === 0) inOrder.delete(each.tenantId);
  }

  async function* watch<Row, Position>(
    key: string,
    about: About,
    source: TopicSource<Row, Position>,
    after: Position,
    signal: AbortSignal,
  ): AsyncGenerator<Batch<Row, Position>, void, undefined> {
    let topic = open.get(key)?.topic as Topic<Row, Position> | undefined;
    if (!topic) add(key, about, (topic = new Topic(source)));
    users.set(key, (users.get(key) ?? 0) + 1);
    try {
      yield* topic.watch(after, AbortSignal.any([signal, closing.signal]));
    } finally {
      const left = users.get(key)! - 1;
      if (left > 0) users.set(key, left);
      else {
        users.delete(key);
        remove(key);
      }
    }
  }
  /** Who uses a topic, those still reading history included: it goes with the last of them. */
  const users = new Map<string, number>();

  const inOrderOf = <Row>(
    tenantId: string,
    read: (uow: UnitOfWork, position: FeedPosition, limit: number) => Promise<readonly Row[]>,
    positionOf: (row: Row) => FeedPosition,
  ): TopicSource<Row, FeedPosition> => ({
    positionOf,
    compare: comparePositions,
    async read(position, limit) {
      const rows = await database.read(tenantId, (uow) => read(uow, position, limit));
      return { rows, position: rows.length > 0 ? positionOf(rows.at(-1)!) : position };
    },
  });

  return {
    execution(tenantId, executionId, after, signal) {
      const source: TopicSource<EventRow, number> = {
        positionOf: (row) => row.sequence,
        compare: (a, b) => a - b,
        follows: (position, rows) => rows[0]?.sequence === position + 1,
        async read(position, limit) {
          const rows = await database.read(tenantId, (uow) => events.after(uow, executionId, position, limit));
          return { rows, position: rows.at(-1)?.sequence ?? position };
        },
      };
      return watch(executionKey(executionId), { tenantId, executionId, approvalsOnly: false }, source, after, signal);
    },
    approvals(tenantId, after, signal) {
      const source = inOrderOf(tenantId, events.approvalsAfter, placeOf);
      return watch(`approvals ${tenantId}`, { tenantId, approvalsOnly: true }, source, after, signal);
    },
    tenant(tenantId, after, signal) {
      const source = inOrderOf(tenantId, events.tenantAfter, placeOf);
      return watch(`tenant ${tenantId}`, { tenantId, approvalsOnly: false }, source, after, signal);
    },
    changed(tenantId, after, signal) {
      const source = inOrderOf<ChangedExecution>(tenantId, events.changedAfter, ({ position }) => position);
      return watch(`changed ${tenantId}`, { tenantId, approvalsOnly: false }, source, after, signal);
    },
    other(tenantId, name, { read, positionOf }, after, signal) {
      const about = { tenantId, approvalsOnly: false, other: true } as const;
      return watch(`${name} ${tenantId}`, about, inOrderOf(tenantId, read, positionOf), after, signal);
    },
    get size() {
      return open.size;
    },
    close() {
      clearInterval(timer);
      unsubscribe();
      unsubscribeWakes();
      closing.abort();
    },
  };
}

const placeOf = ({ transactionId, executionId, sequence }: FeedPosition): FeedPosition => ({ transactionId, executionId, sequence });

/** The order of the tenant's feed: transaction, then execution, then sequence. */
export function comparePositions(a: FeedPosition, b: FeedPosition): number {
  const transactions = BigInt(a.transactionId) - BigInt(b.transactionId);
  if (transactions !== 0n) return transactions < 0n ? -1 : 1;
  if (a.executionId !== b.executionId) return a.executionId < b.executionId ? -1 : 1;
  return a.sequence - b.sequence;
}

// What people watch live: the events of an execution, executions that change, requests for approval. Each stream reads with the
// rights of the moment; the feed below it is shared by everyone.
import { approvalsByIds, listApprovals, matchesFilter, type ApprovalFilter, type ApprovalRow } from '../approvals/approval-reads.ts';
import { isFinalEvent, type EventType } from '../events/catalogue.ts';
import { executionCursor, executionPlace, readExecutionCursor } from '../events/cursor.ts';
import type { PlacedEventRow, EventRow, EventService, FeedPosition } from '../events/event-service.ts';
import { comparePositions, type LiveFeed } from '../events/live-feed.ts';
import type { LiveBatch, LiveStream, Watcher } from '../events/live-stream.ts';
import { aheadOfHistory, orderedStream } from '../events/ordered-stream.ts';
import { cursorOf, type PageRequest } from '../platform/page.ts';
import { listExecutions } from './execution-list.ts';
import type { ExecutionFilter } from './execution-reads.ts';
import type { ExecutionRow } from './execution-rows.ts';
import { tenantEvents, visibleEvents, type TenantEventBatch, type TenantEventFilter } from './tenant-stream.ts';

export interface EventBatch extends LiveBatch {
  readonly events: readonly EventRow[];
}

export interface ExecutionChanges extends LiveBatch {
  readonly executions: readonly ExecutionRow[];
}

/** Not by status, nor by who can decide: who watches wants to hear of decisions, too. */
export type ApprovalStreamFilter = Omit<ApprovalFilter, 'status' | 'canDecide'>;

export interface ApprovalChange {
  readonly type: EventType;
  readonly approvalId: string;
  readonly occurredAt: Date;
}

export interface ApprovalBatch extends LiveBatch {
  readonly changes: readonly ApprovalChange[];
}

export interface ExecutionStreams {
  /** From the first event; ends after the final one. The caller has checked that the execution is visible. */
  events(watcher: Watcher, executionId: string): LiveStream<EventBatch>;
  /** Executions that change from now on and match. */
  changes(watcher: Watcher, filter: ExecutionFilter): LiveStream<ExecutionChanges>;
  /** Begins with what is pending now, then every change. */
  approvals(watcher: Watcher, filter: ApprovalStreamFilter): LiveStream<ApprovalBatch>;
  /** All events of the tenant that the watcher may see, from now on. */
  tenant(watcher: Watcher, filter: TenantEventFilter): LiveStream<TenantEventBatch>;
  readonly visibleEvents: typeof visibleEvents;
}

const pageSize = 500;
const changesAtOnce = 100;

export function createExecutionStreams({ feed, events }: { feed: LiveFeed; events: EventService }): ExecutionStreams {
  return {
    events(watcher, executionId) {
      const where = () =>
        watcher.read(async (uow) => ({
          epoch: await events.epoch(uow),
          head: (await events.heads(uow, [executionId])).get(executionId) ?? 0,
        }));
      return {
        async head() {
          const { epoch, head } = await where();
          return executionCursor(epoch, executionId, head);
        },

        async *history(after, until) {
          const { epoch, head } = await where();
          let at = after === null ? 0 : readExecutionCursor(after, epoch, executionId);
          if (at > head) throw aheadOfHistory();
          const end = executionPlace(until).sequence;
          for (;;) {
            const limit = Math.min(pageSize, end - at);
            const rows = limit > 0 ? await watcher.read((uow) => events.after(uow, executionId, at, limit)) : [];
            at = rows.at(-1)?.sequence ?? end;
            yield { events: rows, cursor: executionCursor(epoch, executionId, at), caughtUp: at >= end };
            if (at >= end) return;
          }
        },

        async *live(from) {
          const { epoch, sequence } = executionPlace(from);
          for await (const { rows, position, caughtUp } of feed.execution(
            watcher.authority.tenantId,
            executionId,
            sequence,
            watcher.signal,
          )) {
            if (rows.length === 0) {
              // At the end of an execution that is over: nothing will ever follow.
              if (await isOver(watcher, events, executionId, position)) return;
              continue;
            }
            const isEnd = rows.some((row) => isFinalEvent(row.type));
            yield { events: rows, cursor: executionCursor(epoch, executionId, position), caughtUp: caughtUp || isEnd };
            if (isEnd) return;
          }
        },

        compare: (a, b) => executionPlace(a).sequence - executionPlace(b).sequence,
      };
    },

    changes(watcher, filter) {
      const list = (page: PageRequest, ids?: readonly string[]) =>
        watcher.read((uow) => listExecutions(uow, watcher.authority, filter, page, ids));
      const stream = orderedStream<{ executionId: string; position: FeedPosition }, ExecutionRow, ExecutionChanges>(
        { watcher, events },
        {
          kind: 'changes',
          read: events.changedAfter,
          positionOf: (row) => row.position,
          last: events.currentPosition,
          watch: (after) => feed.changed(watcher.authority.tenantId, after, watcher.signal),
          async itemsOf(rows) {
            const ids = [...new Set(rows.map((row) => row.executionId))];
            const executions: ExecutionRow[] = [];
            for (let at = 0; at < ids.length; at += changesAtOnce) {
              executions.push(...(await list({ first: changesAtOnce }, ids.slice(at, at + changesAtOnce))).rows);
            }
            return executions;
          },
          batchOf: (executions, place) => ({ executions, ...place }),
          refuse: (uow) => listExecutions(uow, watcher.authority, filter, { first: 1 }),
        },
      );
      return {
        ...stream,
        // Its batches have no cursor to tell of: an empty one would say nothing.
        async *history(after, until) {
          for await (const batch of stream.history(after, until)) if (batch.executions.length > 0) yield batch;
        },
      };
    },

    visibleEvents,
    tenant: (watcher, filter) => tenantEvents({ feed, events }, watcher, filter),

    approvals(watcher, filter) {
      return orderedStream<PlacedEventRow, ApprovalChange, ApprovalBatch>(
        { watcher, events },
        {
          kind: 'approvals',
          read: events.approvalsAfter,
          positionOf: ({ transactionId, executionId, sequence }) => ({ transactionId, executionId, sequence }),
          last: events.currentPosition,
          watch: (after) => feed.approvals(watcher.authority.tenantId, after, watcher.signal),
          async itemsOf(rows) {
            const ids = [...new Set(rows.map(approvalIdOf))];
            const found = await watcher.read((uow) => approvalsByIds(uow, watcher.authority, ids));
            const visible = new Set(found.filter((row) => matchesFilter(row, filter)).map((row) => row.id));
            return rows.filter((row) => visible.has(approvalIdOf(row))).map(changeOf);
          },
          batchOf: (changes, place) => ({ changes, ...place }),
          refuse: (uow) => listApprovals(uow, watcher.authority, { ...filter, status: ['pending'] }, { first: 1 }),
          opening: (until) => pendingAt(watcher, filter, until),
        },
      );
    },
  };

  /** Requests of what is pending, in commit order; whatever is asked after `until` comes as a change, not twice. */
  async function pendingAt(watcher: Watcher, filter: ApprovalStreamFilter, until: FeedPosition) {
    const requests: PlacedEventRow[] = [];
    await watcher.read(async (uow) => {
      for (let page: PageRequest | null = { first: 100 }; page !== null;) {
        const { rows, hasNextPage } = await listApprovals(uow, watcher.authority, { ...filter, status: ['pending'] }, page);
        requests.push(...(await events.requestsOf(uow, rows.map(inStream), until)));
        page = hasNextPage ? { first: 100, after: cursorOf('approvals', rows.at(-1)!.id) } : null;
      }
    });
    return requests.sort(comparePositions).map((row) => ({ item: changeOf(row), position: row }));
  }
}

/** With the stream that tells of it. */
const inStream = ({ id, executionId, toolCallId }: ApprovalRow) => ({ id, executionId: executionId ?? toolCallId! });

const approvalIdOf = (row: EventRow): string => String(row.data['approvalId']);

const changeOf = (row: EventRow): ApprovalChange => ({ type: row.type, approvalId: approvalIdOf(row), occurredAt: row.occurredAt });

async function isOver(watcher: Watcher, events: EventService, executionId: string, position: number): Promise<boolean> {
  if (position === 0) return false;
  const [last] = await watcher.read((uow) => events.after(uow, executionId, position - 1, 1));
  return last !== undefined && isFinalEvent(last.type);
}

// What people watch live: the events of an execution, executions that change, requests for approval. Each stream reads with the
// rights of the moment; the feed below it is shared by everyone.
import { approvalsByIds, listApprovals, matchesFilter, type ApprovalFilter, type ApprovalRow } from '../approvals/approval-reads.ts';
import { isFinalEvent, type EventType } from '../events/catalogue.ts';
import { approvalsCursor, executionCursor, readApprovalsCursor, readExecutionCursor } from '../events/cursor.ts';
import type { ApprovalEventRow, EventRow, EventService, FeedPosition } from '../events/event-service.ts';
import { comparePositions, type LiveFeed } from '../events/live-feed.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { CursorExpiredError } from '../platform/errors.ts';
import { cursorOf, type PageRequest } from '../platform/page.ts';
import type { Authority } from '../principals/permission.ts';
import { listExecutions, type ExecutionFilter } from './execution-reads.ts';
import type { ExecutionRow } from './execution-rows.ts';

/** Who watches: rights as last read, and a transaction per read. */
export interface Watcher {
  readonly authority: Authority;
  readonly signal: AbortSignal;
  read<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T>;
}

export interface EventBatch {
  readonly events: readonly EventRow[];
  /** Everything up to here has been delivered. */
  readonly cursor: string;
  readonly caughtUp: boolean;
}

export interface ExecutionChanges {
  readonly executions: readonly ExecutionRow[];
}

/** Not by status, nor by who can decide: who watches wants to hear of decisions, too. */
export type ApprovalStreamFilter = Omit<ApprovalFilter, 'status' | 'canDecide'>;

export interface ApprovalChange {
  readonly type: EventType;
  readonly approvalId: string;
  readonly occurredAt: Date;
}

export interface ApprovalBatch {
  readonly changes: readonly ApprovalChange[];
  readonly cursor: string;
  readonly caughtUp: boolean;
}

export interface ExecutionStreams {
  /** History after the cursor, then live; ends after the final event. The caller has checked that the execution is visible. */
  events(watcher: Watcher, executionId: string, after: string | null): AsyncGenerator<EventBatch, void, undefined>;
  /** Executions that change from now on and match. */
  changes(watcher: Watcher, filter: ExecutionFilter): AsyncGenerator<ExecutionChanges, void, undefined>;
  /** Without a cursor: what is pending now, then every change. With one: every change after it. */
  approvals(watcher: Watcher, filter: ApprovalStreamFilter, after: string | null): AsyncGenerator<ApprovalBatch, void, undefined>;
}

export function createExecutionStreams({ feed, events }: { feed: LiveFeed; events: EventService }): ExecutionStreams {
  return {
    async *events(watcher, executionId, after) {
      const { epoch, head } = await watcher.read(async (uow) => ({
        epoch: await events.epoch(uow),
        head: (await events.heads(uow, [executionId])).get(executionId) ?? 0,
      }));
      const start = after === null ? 0 : readExecutionCursor(after, epoch, executionId);
      if (start > head) throw aheadOfHistory();
      for await (const batch of feed.execution(watcher.authority.tenantId, executionId, start, watcher.signal)) {
        const ended = batch.rows.some((row) => isFinalEvent(row.type));
        yield { events: batch.rows, cursor: executionCursor(epoch, executionId, batch.position), caughtUp: batch.caughtUp || ended };
        if (ended) return;
        // A cursor at the end of an execution that is over: nothing will ever follow.
        if (batch.rows.length === 0 && (await isOver(watcher, events, executionId, batch.position))) return;
      }
    },

    async *changes(watcher, filter) {
      const from = await watcher.read(async (uow) => {
        await listExecutions(uow, watcher.authority, filter, { first: 1 }); // refuses an invalid filter at once
        return events.currentPosition(uow);
      });
      for await (const batch of feed.changed(watcher.authority.tenantId, from, watcher.signal)) {
        const ids = [...new Set(batch.rows.map((row) => row.executionId))];
        const executions: ExecutionRow[] = [];
        for (let at = 0; at < ids.length; at += 100) {
          const part = ids.slice(at, at + 100);
          const page = await watcher.read((uow) => listExecutions(uow, watcher.authority, filter, { first: 100 }, part));
          executions.push(...page.rows);
        }
        if (executions.length > 0) yield { executions };
      }
    },

    async *approvals(watcher, filter, after) {
      const { epoch, requests, position: start } = await watcher.read((uow) => openApprovals(uow, watcher.authority, filter, after));
      for (let at = 0; at < requests.length; at += openingSize) {
        const rows = requests.slice(at, at + openingSize);
        const isLast = at + openingSize >= requests.length;
        yield { changes: rows.map(changeOf), cursor: approvalsCursor(epoch, isLast ? start : rows.at(-1)!), caughtUp: false };
      }
      let told = false;
      for await (const batch of feed.approvals(watcher.authority.tenantId, start, watcher.signal)) {
        const ids = [...new Set(batch.rows.map(approvalIdOf))];
        const rows = ids.length === 0 ? [] : await watcher.read((uow) => approvalsByIds(uow, watcher.authority, ids));
        const visible = new Set(rows.filter((row) => matchesFilter(row, filter)).map((row) => row.id));
        const changes = batch.rows.filter((row) => visible.has(approvalIdOf(row))).map(changeOf);
        if (changes.length === 0 && (told || !batch.caughtUp)) continue;
        told ||= batch.caughtUp;
        yield { changes, cursor: approvalsCursor(epoch, batch.position), caughtUp: batch.caughtUp };
      }
    },
  };

  async function openApprovals(uow: UnitOfWork, actor: Authority, filter: ApprovalStreamFilter, after: string | null): Promise<Opening> {
    const epoch = await events.epoch(uow);
    // First the place, then what is pending: whatever is asked in between comes as a change, not twice.
    const now = await events.currentPosition(uow);
    const position = after === null ? now : readApprovalsCursor(after, epoch);
    // Its watcher would wait for ever, and everybody who shares the stream for it.
    if (comparePositions(position, now) > 0) throw aheadOfHistory();
    const requests: ApprovalEventRow[] = [];
    for (let page: PageRequest | null = { first: after === null ? 100 : 1 }; page !== null;) {
      const { rows, hasNextPage } = await listApprovals(uow, actor, { ...filter, status: ['pending'] }, page);
      if (after !== null) break; // read all the same: it refuses an invalid filter
      requests.push(...(await events.requestsOf(uow, rows.map(inStream), position)));
      page = hasNextPage ? { first: 100, after: cursorOf('approvals', rows.at(-1)!.id) } : null;
    }
    return { epoch, position, requests: requests.sort(comparePositions) };
  }
}

interface Opening {
  readonly epoch: string;
  readonly position: FeedPosition;
  /** Of what is pending, in commit order. */
  readonly requests: readonly ApprovalEventRow[];
}

/** Pending approvals told in one batch. */
const openingSize = 500;

const aheadOfHistory = () =>
  new CursorExpiredError('after: this cursor is ahead of the history (the database was restored); start without it');

/** With the stream that tells of it. */
const inStream = ({ id, executionId, toolCallId }: ApprovalRow) => ({ id, executionId: executionId ?? toolCallId! });

const approvalIdOf = (row: EventRow): string => String(row.data['approvalId']);

const changeOf = (row: EventRow): ApprovalChange => ({ type: row.type, approvalId: approvalIdOf(row), occurredAt: row.occurredAt });

async function isOver(watcher: Watcher, events: EventService, executionId: string, position: number): Promise<boolean> {
  if (position === 0) return false;
  const [last] = await watcher.read((uow) => events.after(uow, executionId, position - 1, 1));
  return last !== undefined && isFinalEvent(last.type);
}

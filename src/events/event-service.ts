// The only reader and writer of `execution_events`. Appending belongs to the transaction that changes the state.
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { ValidationError } from '../platform/errors.ts';
import { asStored, storableJson } from '../platform/json.ts';
import { isFinalEvent, type EventType, type NewEvent } from './catalogue.ts';
import type { PlacedEventRow, EventRow, FeedPosition } from './event-row.ts';
import type { Hints } from './hints.ts';

export type { PlacedEventRow, EventRow, FeedPosition } from './event-row.ts';

export interface EventService {
  /** Appends with the sequences `first`, `first` + 1 … (the caller holds the execution's row lock) and hints after commit. */
  append(uow: UnitOfWork, executionId: string, first: number, events: readonly NewEvent[], at?: Date): Promise<void>;
  /** The same event for many executions, each with the sequence it has there. */
  appendToEach(uow: UnitOfWork, heads: readonly { executionId: string; sequence: number }[], event: NewEvent, at: Date): Promise<void>;
  /** Events of one execution after a sequence, in order. */
  after(uow: UnitOfWork, executionId: string, sequence: number, limit: number): Promise<EventRow[]>;
  /** The newest events of each execution, oldest of them first; one list per id. `count` is 1 to 100. */
  lastOf(uow: UnitOfWork, executionIds: readonly string[], count: number): Promise<EventRow[][]>;
  /** Newest sequence of each execution; executions without events (or of other tenants) are absent. */
  heads(uow: UnitOfWork, executionIds: readonly string[]): Promise<Map<string, number>>;
  /** Events of approvals after a position, in commit order, only those no open transaction can still precede. */
  approvalsAfter(uow: UnitOfWork, position: FeedPosition, limit: number): Promise<PlacedEventRow[]>;
  /**
   * All events of the tenant after a position, in commit order: (transaction id, execution, sequence), at most `limit`. Only those that no
   * open transaction can still precede, so what is given now never changes and nothing is ever inserted before it: page through it by going
   * on from the last row's own place; fewer rows than `limit` are all there are for now. Begin at `startOfFeed`, or at `currentPosition`
   * for what happens from now on. Of a call of an outside agent `executionId` is the call's.
   */
  tenantAfter(uow: UnitOfWork, position: FeedPosition, limit: number): Promise<PlacedEventRow[]>;
  /** Executions with events after a position, one row per event; same order and bound as above. */
  changedAfter(uow: UnitOfWork, position: FeedPosition, limit: number): Promise<{ executionId: string; position: FeedPosition }[]>;
  /** The request events of these approvals, only those at or before a position, in commit order. */
  requestsOf(uow: UnitOfWork, approvals: readonly { id: string; executionId: string }[], until: FeedPosition): Promise<PlacedEventRow[]>;
  /**
   * The position of the tenant's last event that no open transaction can still precede. Never one without a row: after a crash Postgres
   * gives the ids of transactions out again that left nothing behind, and what they commit would lie before it.
   */
  currentPosition(uow: UnitOfWork): Promise<FeedPosition>;
  /** Whether open transactions can still precede a position, or it has never been. */
  isAhead(uow: UnitOfWork, position: FeedPosition): Promise<boolean>;
  /** Identity of this history; cursors carry it. */
  epoch(uow: UnitOfWork): Promise<string>;
}

interface RawEvent extends Omit<PlacedEventRow, 'occurredAt'> {
  occurredAt: string;
}

const columns = `execution_id as "executionId", sequence, type, data, occurred_at as "occurredAt"`;
/**
 * Never before the event in front of it, so that the tenant's order keeps that of each execution: a transaction that wrote something
 * before it waited for the execution's row has a smaller id than the one it waited for. That one has ended, so the higher id hides nothing.
 */
const behind = (executionId: string, sequence: string) =>
  `greatest(pg_current_xact_id(), (select p.transaction_id from execution_events p
     where p.tenant_id = $1 and p.execution_id = ${executionId} and p.sequence = ${sequence} - 1))`;

/** Before every event of a tenant. */
export const startOfFeed: FeedPosition = { transactionId: '0', executionId: '00000000-0000-0000-0000-000000000000', sequence: 0 };

export function createEventService({ clock, hints }: { clock: Clock; hints: Hints }): EventService {
  const fromRaw = <Row extends RawEvent>(row: Row) => ({ ...row, occurredAt: new Date(row.occurredAt) });
  const afterPosition = `tenant_id = $1 and (transaction_id, execution_id, sequence) > ($2::xid8, $3::uuid, $4::int)
    and transaction_id < pg_snapshot_xmin(pg_current_snapshot())`;
  const positionOf = (row: { transactionId: string; executionId: string; sequence: number }): FeedPosition => ({
    transactionId: row.transactionId,
    executionId: row.executionId,
    sequence: row.sequence,
  });

  return {
    async append(uow, executionId, first, events, at = clock.now()) {
      const json = storableJson(events);
      uow.write(
        `insert into execution_events (tenant_id, execution_id, sequence, type, data, occurred_at, transaction_id)
         select $1, $2, $3 + ordinality - 1, event->>'type', event->'data', $5, ${behind('$2', '$3')}
         from jsonb_array_elements($4::jsonb) with ordinality as list(event, ordinality)`,
        [uow.tenantId, executionId, first, json, at],
      );
      const final = events.some((event) => isFinalEvent(event.type));
      const approvals = events.some((event) => event.type.startsWith('approval.'));
      const rows = once(() =>
        (JSON.parse(json) as NewEvent[]).map(({ type, data }, index) => rowOf(executionId, first + index, type, data, at)),
      );
      uow.afterCommit(() => hints.publish({ tenantId: uow.tenantId, executionId, final, approvals, rows }));
    },

    async appendToEach(uow, heads, event, at) {
      uow.write(
        `insert into execution_events (tenant_id, execution_id, sequence, type, data, occurred_at, transaction_id)
         select $1, head.execution_id, head.sequence, $4, $5::jsonb, $6, ${behind('head.execution_id', 'head.sequence')}
         from unnest($2::uuid[], $3::int[]) as head (execution_id, sequence)`,
        [
          uow.tenantId,
          heads.map(({ executionId }) => executionId),
          heads.map(({ sequence }) => sequence),
          event.type,
          storableJson(event.data),
          at,
        ],
      );
      const facts = { tenantId: uow.tenantId, final: isFinalEvent(event.type), approvals: event.type.startsWith('approval.') };
      uow.afterCommit(() => {
        for (const { executionId, sequence } of heads) {
          const rows = once(() => [rowOf(executionId, sequence, event.type, JSON.parse(storableJson(event.data)), at)]);
          hints.publish({ ...facts, executionId, rows });
        }
      });
    },

    async after(uow, executionId, sequence, limit) {
      const rows = await uow.rows<RawEvent>(
        `select ${columns} from execution_events
         where tenant_id = $1 and execution_id = $2 and sequence > $3 order by sequence limit $4`,
        [uow.tenantId, executionId, sequence, limit],
      );
      return rows.map(fromRaw);
    },

    async lastOf(uow, executionIds, count) {
      if (count < 1 || count > 100) throw new ValidationError([{ path: 'count', message: `must be between 1 and 100, got ${count}` }]);
      const rows = await uow.rows<RawEvent>(
        `select newest.* from unnest($2::uuid[]) as id, lateral
           (select ${columns} from execution_events where execution_id = id and tenant_id = $1 order by sequence desc limit $3) as newest`,
        [uow.tenantId, [...new Set(executionIds)], count],
      );
      const byId = Map.groupBy(rows.map(fromRaw), (row) => row.executionId);
      return executionIds.map((id) => (byId.get(id) ?? []).toSorted((a, b) => a.sequence - b.sequence));
    },

    async heads(uow, executionIds) {
      const rows = await uow.rows<{ id: string; head: number }>(
        `select id, head from unnest($2::uuid[]) as id, lateral
           (select sequence as head from execution_events where execution_id = id and tenant_id = $1 order by sequence desc limit 1) as newest`,
        [uow.tenantId, [...executionIds]],
      );
      return new Map(rows.map((row) => [row.id, row.head]));
    },

    async approvalsAfter(uow, position, limit) {
      const rows = await uow.rows<RawEvent>(
        `select ${columns}, transaction_id::text as "transactionId" from execution_events
         where ${afterPosition} and type like 'approval.%'
         order by transaction_id, execution_id, sequence limit $5`,
        [uow.tenantId, position.transactionId, position.executionId, position.sequence, limit],
      );
      return rows.map(fromRaw);
    },

    async tenantAfter(uow, position, limit) {
      const rows = await uow.rows<RawEvent>(
        `select ${columns}, transaction_id::text as "transactionId" from execution_events
         where ${afterPosition} order by transaction_id, execution_id, sequence limit $5`,
        [uow.tenantId, position.transactionId, position.executionId, position.sequence, limit],
      );
      return rows.map(fromRaw);
    },

    async changedAfter(uow, position, limit) {
      const rows = await uow.rows<{ transactionId: string; executionId: string; sequence: number }>(
        `select transaction_id::text as "transactionId", execution_id as "executionId", sequence from execution_events
         where ${afterPosition} order by transaction_id, execution_id, sequence limit $5`,
        [uow.tenantId, position.transactionId, position.executionId, position.sequence, limit],
      );
      return rows.map((row) => ({ executionId: row.executionId, position: positionOf(row) }));
    },

    async requestsOf(uow, approvals, until) {
      const rows = await uow.rows<RawEvent>(
        `select ${columns}, transaction_id::text as "transactionId" from execution_events
         where tenant_id = $1 and execution_id = any($2::uuid[]) and type = 'approval.requested' and data->>'approvalId' = any($3::text[])
           and (transaction_id, execution_id, sequence) <= ($4::xid8, $5::uuid, $6::int)
         order by transaction_id, execution_id, sequence`,
        [
          ...[uow.tenantId, [...new Set(approvals.map((each) => each.executionId))], approvals.map((each) => each.id)],
          ...[until.transactionId, until.executionId, until.sequence],
        ],
      );
      return rows.map(fromRaw);
    },

    async currentPosition(uow) {
      const [last] = await uow.rows<FeedPosition>(
        `select transaction_id::text as "transactionId", execution_id as "executionId", sequence from execution_events e
         where tenant_id = $1 and transaction_id < pg_snapshot_xmin(pg_current_snapshot())
         order by e.transaction_id desc, execution_id desc, sequence desc limit 1`,
        [uow.tenantId],
      );
      return last ?? startOfFeed;
    },

    async isAhead(uow, { transactionId }) {
      const rows = await uow.rows<{ isAhead: boolean }>(`select $1::xid8 >= pg_snapshot_xmin(pg_current_snapshot()) as "isAhead"`, [
        transactionId,
      ]);
      return rows[0]!.isAhead;
    },

    async epoch(uow) {
      const rows = await uow.rows<{ epoch: string }>('select epoch from stream_epoch');
      return rows[0]!.epoch;
    },
  };
}

/** As reading it gives it. */
const rowOf = (executionId: string, sequence: number, type: EventType, data: unknown, occurredAt: Date): EventRow => ({
  executionId,
  sequence,
  type,
  data: asStored(data) as EventRow['data'],
  occurredAt,
});

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

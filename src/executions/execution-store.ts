// Loads a machine state under the execution's row lock and writes back what events changed. With execution-reads.ts, attempt-store.ts
// and slot-store.ts the only SQL on executions, steps and attempts. One transition costs the same however many events or items the execution has.
import { isSlotEvent, isStartApproval, type NewEvent } from '../events/catalogue.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { storableJson } from '../platform/json.ts';
import { leaveLines } from '../gate/rate-store.ts';
import { isFinalExecution, isFinalStep, type ExecutionFailure } from './execution.ts';
import { attemptChanges, writeAttempts } from './attempt-store.ts';
import { slotFacts } from './event-facts.ts';
import type { LockedRow } from './execution-rows.ts';
import {
  newState,
  slotKey,
  slotState,
  type ExecutionState,
  type ItemRanges,
  type Slot,
  type SlotState,
  type StepState,
} from './machine-state.ts';

/** What a transition stores besides the machine's own state, by slot key. JSON values are given as text. */
export interface SlotExtras {
  readonly output?: string;
  readonly arguments?: string;
  /** The job that carries the slot from here on; without it the slot is released to a job of its own. */
  readonly jobId?: string;
}

export interface Persisted {
  readonly executionId: string;
  readonly events: readonly NewEvent[];
  readonly state: ExecutionState;
  readonly extras: ReadonlyMap<string, SlotExtras>;
  /** JSON text of the execution's output. */
  readonly output?: string | undefined;
}

interface RawSlot {
  stepId: string;
  itemIndex: number;
  status: SlotState['status'];
  attempt: number;
  interruptions: number;
  wakeAt: string | null;
  approvalId: string | null;
  signal: string | null;
  childId: string | null;
  haltedBy: string | null;
  jobId: string | null;
  total: number | null;
  next: number;
  done: number;
  failed: number;
  waiting: number;
  reused: ItemRanges | null;
  outputBytes: number;
}

export interface LoadedState {
  readonly state: ExecutionState;
  /** The job that carries each loaded slot. */
  readonly jobs: ReadonlyMap<string, string | null>;
}

const slotColumns = `step_id as "stepId", item_index as "itemIndex", status, attempt, interruptions, wake_at as "wakeAt",
  approval_id as "approvalId", signal, child_id as "childId", halted_by as "haltedBy", job_id as "jobId", item_total as total, item_reused as reused, item_next as next, item_done as done, item_failed as failed,
  item_waiting as waiting, output_bytes as "outputBytes"`;

/** Each by its primary key: `limit` keeps the planner from reading all items to look for these among them. */
const loadItems = (uow: UnitOfWork, executionId: string, items: readonly Slot[]): Promise<RawSlot[]> =>
  uow.rows(
    `select item.* from unnest($3::int[], $4::text[]) as wanted (index, step) cross join lateral (
       select ${slotColumns} from steps where tenant_id = $1 and execution_id = $2 and item_index = wanted.index and step_id = wanted.step limit 1
     ) as item`,
    [uow.tenantId, executionId, items.map((slot) => slot.itemIndex), items.map((slot) => slot.stepId)],
  );

/** Every step, and of the items only those named. */
export async function loadState(
  uow: UnitOfWork,
  executionId: string,
  head: Pick<LockedRow, 'status' | 'lastSequence' | 'startedAt' | 'startAt' | 'approvalId'>,
  items: readonly Slot[],
): Promise<LoadedState> {
  const wanted = items.filter((slot) => slot.itemIndex >= 0);
  const steps = `select ${slotColumns} from steps where tenant_id = $1 and execution_id = $2 and item_index = -1`;
  const rows = (
    await Promise.all([uow.rows<RawSlot>(steps, [uow.tenantId, executionId]), wanted.length > 0 ? loadItems(uow, executionId, wanted) : []])
  ).flat();
  const { status, lastSequence, startedAt, startAt, approvalId } = head;
  const begun = startedAt !== null;
  const state: ExecutionState = {
    ...newState(),
    status,
    lastSequence,
    begun,
    approvalId,
    startAt: startAt === null ? null : Date.parse(startAt),
  };
  const jobs = new Map<string, string | null>();
  for (const row of rows) {
    jobs.set(slotKey(row), row.jobId);
    const slot: SlotState = {
      status: row.status,
      attempt: row.attempt,
      interruptions: row.interruptions,
      wakeAt: row.wakeAt === null ? null : Date.parse(row.wakeAt),
      approvalId: row.approvalId,
      signal: row.signal,
      childId: row.childId,
      haltedBy: row.haltedBy,
    };
    if (row.itemIndex >= 0) state.items.set(slotKey(row), slot);
    else {
      const { total, reused, next, done, failed, waiting, outputBytes } = row;
      const items = total === null ? null : { total, reused: reused ?? [], next, done, failed, waiting, outputBytes };
      state.steps.set(row.stepId, { ...slot, items });
    }
  }
  return { state, jobs };
}

/** It was about to begin, and a policy puts it off or asks a person first: it gets in line anew after that. */
const leavesQueue = (event: NewEvent): boolean =>
  event.type === 'execution.deferred' || (event.type === 'approval.requested' && isStartApproval(event));

/** Writes the rows that `events` changed. The events themselves are appended by the event service in the same transaction. */
export async function persist(uow: UnitOfWork, clock: Clock, { executionId, events, state, extras, output }: Persisted): Promise<void> {
  const now = clock.now().toISOString();
  const touched = new Map<string, { slot: Slot; facts: Record<string, unknown> }>();
  const attempts: Record<string, unknown>[] = [];
  const execution: { startedAt?: string; failure?: ExecutionFailure } = {};
  for (const event of events) {
    // A withdrawn approval changes nothing at its slot, which was perhaps not even loaded; the end of the execution closes it.
    if (event.type === 'approval.cancelled') continue;
    if (isSlotEvent(event)) {
      const key = slotKey(event.data);
      const entry = touched.get(key) ?? { slot: { stepId: event.data.stepId, itemIndex: event.data.itemIndex }, facts: {} };
      touched.set(key, entry);
      const { queued, started, failure } = slotFacts(event);
      if (queued) entry.facts['queued_at'] = now;
      if (started) entry.facts['started_at'] = now;
      if (failure) entry.facts['failure'] = failure;
      attempts.push(...attemptChanges(event, now));
    } else if (event.type === 'execution.started') execution.startedAt = now;
    else if ('failure' in event.data) execution.failure = event.data.failure;
  }
  const final = isFinalExecution(state.status);
  await writeSteps(uow, executionId, state, touched, extras, now);
  await writeAttempts(uow, executionId, attempts, extras);
  uow.write(
    `update executions set status = $3, last_sequence = $4, started_at = coalesce($5::timestamptz, started_at), finished_at = $6,
       failure = coalesce($7::jsonb, failure), output = coalesce($8::jsonb, output),
       backlog_at = case when $3 in ('queued', 'scheduled') and not $9 then backlog_at end,
       admitted_at = case when $3 <> 'paused' and not $9 then admitted_at end,
       start_at = $10, approval_id = $11
     where tenant_id = $1 and id = $2`,
    [
      uow.tenantId,
      executionId,
      state.status,
      state.lastSequence,
      execution.startedAt ?? null,
      final ? now : null,
      execution.failure ? storableJson(execution.failure) : null,
      output ?? null,
      events.some(leavesQueue),
      state.startAt === null ? null : new Date(state.startAt),
      state.approvalId,
    ],
  );
  // One that succeeds has nothing open, unless a step's items go on after the step has ended.
  const isClosed = state.status === 'succeeded' && [...state.steps.values()].every(({ items }) => items === null);
  if (final && events.length > 0 && !isClosed) await closeOpen(uow, executionId, now);
}

async function writeSteps(
  uow: UnitOfWork,
  executionId: string,
  state: ExecutionState,
  touched: ReadonlyMap<string, { slot: Slot; facts: Record<string, unknown> }>,
  extras: ReadonlyMap<string, SlotExtras>,
  now: string,
): Promise<void> {
  // A change of an item moves the counters of its step, too.
  const slots = new Map([...touched].map(([key, { slot, facts }]) => [key, { slot, facts }]));
  for (const { slot } of touched.values()) {
    const parent = { stepId: slot.stepId, itemIndex: -1 };
    if (slot.itemIndex >= 0 && !slots.has(slotKey(parent))) slots.set(slotKey(parent), { slot: parent, facts: {} });
  }
  if (slots.size === 0) return;
  const rows = [...slots].map(([key, { slot, facts }]) => rowText(slotState(state, slot)!, slot, facts, extras.get(key), now));
  uow.write(
    `insert into steps as s (tenant_id, execution_id, step_id, item_index, status, attempt, interruptions, job_id, wake_at, approval_id, signal,
       child_id, halted_by, item_total, item_next, item_done, item_failed, item_waiting, item_reused, own_output, output_bytes, failure, output,
       queued_at, started_at, finished_at)
     select $1, $2, r.step_id, r.item_index, r.status, r.attempt, r.interruptions, r.job_id, r.wake_at, r.approval_id, r.signal, r.child_id, r.halted_by,
       r.item_total, r.item_next, r.item_done, r.item_failed, r.item_waiting, r.item_reused, r.own_output, r.output_bytes, r.failure, r.output, r.queued_at, r.started_at, r.finished_at
     from jsonb_to_recordset($3::jsonb) as r(step_id text, item_index int, status text, attempt int, interruptions int, job_id text,
       wake_at timestamptz, approval_id uuid, signal text, child_id uuid, halted_by uuid, item_total int, item_next int, item_done int, item_failed int, item_waiting int,
       item_reused jsonb, own_output boolean, output_bytes int, failure jsonb, output jsonb, queued_at timestamptz, started_at timestamptz, finished_at timestamptz)
     on conflict (execution_id, item_index, step_id) do update set status = excluded.status, attempt = excluded.attempt,
       interruptions = excluded.interruptions, job_id = excluded.job_id,
       wake_at = excluded.wake_at, approval_id = excluded.approval_id, signal = excluded.signal, child_id = excluded.child_id, halted_by = excluded.halted_by, item_total = excluded.item_total, item_next = excluded.item_next,
       item_done = excluded.item_done, item_failed = excluded.item_failed, item_waiting = excluded.item_waiting,
       item_reused = excluded.item_reused, own_output = s.own_output or excluded.own_output,
       output_bytes = greatest(excluded.output_bytes, s.output_bytes),
       failure = case when excluded.status <> 'succeeded' then coalesce(excluded.failure, s.failure) end,
       output = coalesce(excluded.output, s.output), queued_at = coalesce(s.queued_at, excluded.queued_at),
       started_at = coalesce(s.started_at, excluded.started_at), finished_at = excluded.finished_at`,
    [uow.tenantId, executionId, `[${rows.join(',')}]`],
  );
}

/** One row as JSON text; the output, which may be large, is spliced in as the text it already is. */
function rowText(
  state: SlotState | StepState,
  slot: Slot,
  facts: Record<string, unknown>,
  extra: SlotExtras | undefined,
  now: string,
): string {
  const items = 'items' in state ? state.items : null;
  const text = storableJson({
    step_id: slot.stepId,
    item_index: slot.itemIndex,
    status: state.status,
    attempt: state.attempt,
    interruptions: state.interruptions,
    job_id: extra?.jobId ?? null,
    wake_at: state.wakeAt === null ? null : new Date(state.wakeAt).toISOString(),
    approval_id: state.approvalId,
    signal: state.signal,
    child_id: state.childId,
    halted_by: state.haltedBy,
    item_total: items?.total ?? null,
    item_next: items?.next ?? null,
    item_done: items?.done ?? null,
    item_failed: items?.failed ?? null,
    item_waiting: items?.waiting ?? null,
    item_reused: items && items.reused.length > 0 ? items.reused : null,
    own_output: items !== null && extra?.output !== undefined,
    output_bytes: items?.outputBytes ?? (extra?.output === undefined ? 0 : Buffer.byteLength(extra.output)),
    finished_at: isFinalStep(state.status) ? now : null,
    ...facts,
  });
  return extra?.output === undefined ? text : `${text.slice(0, -1)},"output":${extra.output}}`;
}

/** The rows' side of `cancelOpen`: a final execution has no open step and no running attempt. */
async function closeOpen(uow: UnitOfWork, executionId: string, now: string): Promise<void> {
  leaveLines(uow, [executionId]);
  uow.write(
    `update steps set status = 'cancelled', finished_at = $3, job_id = null, wake_at = null, signal = null, halted_by = null
     where tenant_id = $1 and execution_id = $2 and status in ('pending', 'queued', 'running', 'waiting', 'awaiting_approval')`,
    [uow.tenantId, executionId, now],
  );
  uow.write(
    `update attempts set status = 'abandoned', finished_at = $3 where tenant_id = $1 and execution_id = $2 and status = 'running'`,
    [uow.tenantId, executionId, now],
  );
}

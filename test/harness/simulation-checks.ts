// What must be true of the stored rows of one execution after a simulation, whatever happened on the way: the events are gap-free
// and alone explain the rows, effects ran as often as allowed, approvals were used at most once.
import assert from 'node:assert/strict';
import type { Definition } from '#src/agents/definition.ts';
import type { NewEvent } from '#src/events/catalogue.ts';
import { isFinalExecution, isFinalStep, type AttemptStatus } from '#src/executions/execution.ts';
import { apply } from '#src/executions/machine-apply.ts';
import { newState, slotKey, type ExecutionState, type SlotState, type StepState } from '#src/executions/machine-state.ts';
import type { Effect } from '#src/executions/work.ts';
import type { Engine } from './engine.ts';

interface StoredStep {
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
  reused: [number, number][] | null;
  jobId: string | null;
  total: number | null;
  next: number;
  done: number;
  failed: number;
  waiting: number;
  outputBytes: number;
  hasOutput: boolean;
  hasFailure: boolean;
  finishedAt: string | null;
}

export async function foldOf(engine: Engine, executionId: string): Promise<{ state: ExecutionState; events: NewEvent[] }> {
  const rows = await engine.events(executionId);
  assert.deepEqual(
    rows.map((event) => event.sequence),
    rows.map((_, index) => index + 1),
    'sequences have no gap',
  );
  const events = rows.map(({ type, data }) => ({ type, data }) as NewEvent);
  const state = newState();
  for (const event of events) apply(state, event);
  return { state, events };
}

/** The rows of a running or ended execution are what its events give. */
export async function checkRows(engine: Engine, executionId: string): Promise<void> {
  const { state, events } = await foldOf(engine, executionId);
  const { db, tenantId } = engine;
  const [execution] = await db.database.read(tenantId, (uow) =>
    uow.rows<{ status: string; lastSequence: number; finished: boolean }>(
      `select status, last_sequence as "lastSequence", finished_at is not null as finished from executions where id = $1`,
      [executionId],
    ),
  );
  assert.equal(execution!.status, state.status);
  assert.equal(execution!.lastSequence, state.lastSequence);
  assert.equal(execution!.finished, isFinalExecution(state.status));
  const rows = await db.database.read(tenantId, (uow) =>
    uow.rows<StoredStep>(
      `select step_id as "stepId", item_index as "itemIndex", status, attempt, interruptions, wake_at as "wakeAt",
         approval_id as "approvalId", signal, child_id as "childId", halted_by as "haltedBy", item_reused as reused, job_id as "jobId", item_total as total, item_next as next, item_done as done, item_failed as failed,
         item_waiting as waiting, output_bytes as "outputBytes", output is not null as "hasOutput", failure is not null as "hasFailure",
         finished_at as "finishedAt"
       from steps where execution_id = $1`,
      [executionId],
    ),
  );
  const stored = new Map(rows.map((row) => [slotKey(row), row]));
  for (const [stepId, step] of state.steps) checkRow(stored.get(`${stepId}#-1`), `${stepId}#-1`, step);
  for (const [key, item] of state.items) checkRow(stored.get(key), key, { ...item, items: null });
  for (const [key, row] of stored) {
    const isKnown = row.itemIndex < 0 ? state.steps.has(row.stepId) : state.items.has(key);
    // Items wait as rows before they are queued; the events name them only then.
    const unqueued = isFinalExecution(state.status) ? 'cancelled' : 'pending';
    if (!isKnown) assert.equal(row.status, unqueued, `row of ${key} that no event names`);
  }
  await checkAttempts(engine, executionId, events, isFinalExecution(state.status));
  // What people get to see of the same: it looks at more (moments, failures, sizes, approvals, signals) and must not cry wolf.
  const { difference } = await db.database.read(tenantId, (uow) =>
    engine.services.inspection.replayExecution(uow, engine.operator, executionId),
  );
  assert.equal(difference, null, `replay: ${JSON.stringify(difference)}`);
}

function checkRow(row: StoredStep | undefined, key: string, state: StepState): void {
  assert.ok(row, `there is no row of ${key}`);
  const { items, ...slot } = state;
  const { status, attempt, interruptions, approvalId, signal, childId, haltedBy } = row;
  const wakeAt = row.wakeAt === null ? null : Date.parse(row.wakeAt);
  assert.deepEqual({ status, attempt, interruptions, wakeAt, approvalId, signal, childId, haltedBy }, slot, `row of ${key}`);
  const counters = {
    total: row.total,
    reused: row.reused ?? [],
    next: row.next,
    done: row.done,
    failed: row.failed,
    waiting: row.waiting,
    outputBytes: row.outputBytes,
  };
  if (items) assert.deepEqual(counters, { ...items }, `counters of ${key}`);
  else assert.equal(row.total, null, `counters of ${key}`);
  assert.equal(row.finishedAt !== null, isFinalStep(status), `end of ${key}`);
  if (isFinalStep(status)) assert.equal(row.jobId, null, `${key} has ended and is still carried`);
  if (status === 'succeeded') {
    assert.ok(!row.hasFailure, `${key} succeeded and keeps a failure`);
    // JSON null (of 4 bytes) is stored as no output.
    assert.ok(items || row.hasOutput || row.outputBytes <= 4, `${key} succeeded without output`);
  }
  if (status === 'failed' || status === 'blocked') assert.ok(row.hasFailure, `${key} is ${status} without a reason`);
}

async function checkAttempts(engine: Engine, executionId: string, events: readonly NewEvent[], isFinal: boolean): Promise<void> {
  const expected = new Map<string, AttemptStatus>();
  for (const event of events) {
    if (!('stepId' in event.data) || !('attempt' in event.data) || event.data.attempt === 0) continue;
    const key = `${event.data.stepId}#${(event.data as { itemIndex: number }).itemIndex}@${event.data.attempt}`;
    if (event.type === 'step.started') assert.ok(!expected.has(key), `${key} started twice`);
    else assert.equal(expected.get(key), 'running', `${key} ended twice or never began`);
    expected.set(key, statusAfter(event.type));
  }
  if (isFinal) for (const [key, status] of expected) if (status === 'running') expected.set(key, 'abandoned');
  const rows = await engine.db.database.read(engine.tenantId, (uow) =>
    uow.rows<{ key: string; status: AttemptStatus; finished: boolean }>(
      `select step_id || '#' || item_index || '@' || number as key, status, finished_at is not null as finished
       from attempts where execution_id = $1`,
      [executionId],
    ),
  );
  assert.deepEqual(Object.fromEntries(rows.map((row) => [row.key, row.status])), Object.fromEntries(expected), 'attempts');
  for (const row of rows) assert.equal(row.finished, row.status !== 'running', `end of attempt ${row.key}`);
}

function statusAfter(type: NewEvent['type']): AttemptStatus {
  if (type === 'step.started') return 'running';
  if (type === 'step.succeeded') return 'succeeded';
  return type === 'step.interrupted' || type === 'step.halted' ? 'abandoned' : 'failed';
}

export interface Called extends Pick<Effect, 'slot' | 'attempt' | 'repeatable' | 'idempotencyKey'> {
  readonly executionId: string;
  /** The approval state of the slot was looked up when the tool was called. */
  readonly approved: boolean;
}

/** Effects that happened: at most one per attempt, and of one that must not happen twice only as many as `retry` allows. */
export function checkCalls(definition: Definition, calls: readonly Called[]): void {
  const keys = calls.map(({ slot, attempt }) => `${slotKey(slot)}@${attempt}`);
  assert.equal(new Set(keys).size, keys.length, `an attempt ran twice: ${keys.join(' ')}`);
  for (const [key, own] of Map.groupBy(calls, ({ slot }) => slotKey(slot))) {
    const step = definition.steps.find(({ id }) => id === own[0]!.slot.stepId)!;
    if (!own[0]!.repeatable)
      assert.ok(own.length <= step.retry.maxAttempts, `${key} ran ${own.length} times; ${step.retry.maxAttempts} allowed`);
    assert.equal(new Set(own.map(({ idempotencyKey }) => idempotencyKey)).size, 1, `${key} changed its idempotency key`);
    for (const call of own) assert.ok(call.approved, `${key} ran without its approval`);
  }
}

/** Nothing is left to decide, and no approval was used that was not given. */
export async function checkApprovals(engine: Engine, executionId: string): Promise<void> {
  const rows = await engine.db.database.read(engine.tenantId, (uow) =>
    uow.rows<{ id: string; status: string; consumed: boolean }>(
      `select id, status, consumed_at is not null as consumed from approvals where execution_id = $1`,
      [executionId],
    ),
  );
  for (const { id, status, consumed } of rows) {
    assert.notEqual(status, 'pending', `approval ${id} of a final execution`);
    if (consumed) assert.equal(status, 'approved');
  }
}

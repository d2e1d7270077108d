// Reads what a replay needs, page by page, and has it compared. Everything in the caller's unit of work: of a reader, so one moment,
// and an execution may run on meanwhile. Memory grows with the slots of the execution, not with its events or outputs.
import type { ApprovalService } from '../approvals/approval-service.ts';
import type { EventService } from '../events/event-service.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { attemptColumns, withDates, type AttemptRow, type ExecutionRow } from '../executions/execution-rows.ts';
import type { ItemRanges, Slot } from '../executions/machine-state.ts';
import { createFold, type Fold } from './replay-fold.ts';
import type { Difference } from './replay-problems.ts';
import {
  compareApprovals,
  compareAttempts,
  compareExecution,
  compareOutput,
  compareSignals,
  compareSlots,
  type Replay,
  type ReplayCounts,
  type StoredSlot,
} from './replay.ts';
import { signalOutcomes } from '../executions/signals.ts';
import { loadPlan } from '../executions/transition.ts';

export interface ReplayDependencies {
  readonly events: EventService;
  readonly approvals: Pick<ApprovalService, 'outcomesOfExecution'>;
}

const pageSize = 1_000;
/** Outputs are looked at in chunks of about this many bytes of JSON text. */
const chunkBytes = 4 * 1024 * 1024;

/** The caller has authorised the execution. */
export async function replayExecution(deps: ReplayDependencies, uow: UnitOfWork, execution: ExecutionRow): Promise<Replay> {
  const fold = createFold(await loadPlan(uow, execution.agentVersionId));
  const counts: ReplayCounts = { events: 0, steps: 0, items: 0, attempts: 0, approvals: 0, signals: 0 };
  const difference =
    (await foldEvents(deps.events, uow, execution.id, fold, counts)) ??
    compareExecution(fold, execution) ??
    (await replaySlots(uow, execution.id, fold, counts)) ??
    (await replayAttempts(uow, execution.id, fold, counts)) ??
    (await replayApprovals(deps, uow, execution.id, fold, counts)) ??
    (await replaySignals(uow, execution.id, fold, counts));
  return { difference, status: fold.state.status, counts };
}

async function foldEvents(
  events: EventService,
  uow: UnitOfWork,
  executionId: string,
  fold: Fold,
  counts: ReplayCounts,
): Promise<Difference | null> {
  for (;;) {
    // Sequences have no gap, and the first one that is missing ends the fold: so the position is always that of the fold.
    const page = await events.after(uow, executionId, counts.events, pageSize);
    for (const event of page) {
      const difference = fold.add(event);
      if (difference) return difference;
      counts.events += 1;
    }
    if (page.length < pageSize) return null;
  }
}

type RawSlot = Omit<StoredSlot, 'wakeAt' | 'queuedAt' | 'startedAt' | 'finishedAt' | 'items'> & {
  readonly wakeAt: string | null;
  readonly queuedAt: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly total: number | null;
  readonly next: number;
  readonly done: number;
  readonly failed: number;
  readonly waiting: number;
  readonly reused: ItemRanges | null;
  /** Length of the stored output as Postgres writes it; null when there is none. */
  readonly textBytes: number | null;
};

async function replaySlots(uow: UnitOfWork, executionId: string, fold: Fold, counts: ReplayCounts): Promise<Difference | null> {
  const slots = compareSlots(fold);
  let last: Slot = { itemIndex: -2, stepId: '' };
  for (;;) {
    const rows = await uow.rows<RawSlot>(
      `select step_id as "stepId", item_index as "itemIndex", status, attempt, interruptions, wake_at as "wakeAt",
         approval_id as "approvalId", signal, child_id as "childId", halted_by as "haltedBy", job_id as "jobId", item_total as total, item_next as next,
         item_done as done, item_failed as failed, item_waiting as waiting, item_reused as reused, own_output as "ownOutput",
         output_bytes as "outputBytes", failure, queued_at as "queuedAt", started_at as "startedAt",
         finished_at as "finishedAt", octet_length(output::text) as "textBytes"
       from steps where tenant_id = $1 and execution_id = $2 and (item_index, step_id) > ($3::int, $4::text)
       order by item_index, step_id limit ${pageSize}`,
      [uow.tenantId, executionId, last.itemIndex, last.stepId],
    );
    for (const row of rows) {
      const difference = slots.compare(storedSlot(row));
      if (difference) return difference;
      if (row.itemIndex < 0) counts.steps += 1;
      else counts.items += 1;
    }
    for (const chunk of chunksOf(rows)) {
      const difference = await replayOutputs(uow, executionId, fold, chunk);
      if (difference) return difference;
    }
    if (rows.length < pageSize) return slots.missing();
    last = rows.at(-1)!;
  }
}

function storedSlot({ total, next, done, failed, waiting, reused, ...row }: RawSlot): StoredSlot {
  const items = total === null ? null : { total, next, done, failed, waiting, reused: reused ?? [], outputBytes: row.outputBytes };
  return { ...withDates<StoredSlot>(row as never), wakeAt: row.wakeAt === null ? null : Date.parse(row.wakeAt), items };
}

/** So that the outputs of one chunk are about `chunkBytes`, and never less than one slot. */
function* chunksOf(rows: readonly RawSlot[]): Generator<RawSlot[]> {
  let chunk: RawSlot[] = [];
  let bytes = 0;
  for (const row of rows) {
    chunk.push(row);
    bytes += row.textBytes ?? 0;
    if (bytes < chunkBytes) continue;
    yield chunk;
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield chunk;
}

async function replayOutputs(uow: UnitOfWork, executionId: string, fold: Fold, chunk: readonly RawSlot[]): Promise<Difference | null> {
  const stored = chunk.filter((row) => row.textBytes !== null);
  const outputs = new Map<RawSlot, unknown>();
  if (stored.length > 0) {
    const rows = await uow.rows<{ at: number; output: unknown }>(
      `select asked.at::int as at, s.output from unnest($3::int[], $4::text[]) with ordinality as asked (item_index, step_id, at)
       join steps s on s.tenant_id = $1 and s.execution_id = $2 and s.item_index = asked.item_index and s.step_id = asked.step_id`,
      [uow.tenantId, executionId, stored.map((row) => row.itemIndex), stored.map((row) => row.stepId)],
    );
    for (const { at, output } of rows) outputs.set(stored[at - 1]!, output);
  }
  for (const row of chunk) {
    const output = outputs.get(row);
    const bytes = row.textBytes === null ? null : Buffer.byteLength(JSON.stringify(output));
    const branchCase = (output as { case?: unknown } | null | undefined)?.case;
    const difference = compareOutput(fold, row, bytes, branchCase);
    if (difference) return difference;
  }
  return null;
}

async function replayAttempts(uow: UnitOfWork, executionId: string, fold: Fold, counts: ReplayCounts): Promise<Difference | null> {
  const attempts = compareAttempts(fold);
  let last = { stepId: '', itemIndex: -2, number: 0 };
  for (;;) {
    const rows = await uow.rows<AttemptRow>(
      `select ${attemptColumns.replace('a.arguments,', '')} from attempts a
       where a.tenant_id = $1 and a.execution_id = $2 and (a.step_id, a.item_index, a.number) > ($3::text, $4::int, $5::int)
       order by a.step_id, a.item_index, a.number limit ${pageSize}`,
      [uow.tenantId, executionId, last.stepId, last.itemIndex, last.number],
    );
    for (const row of rows) {
      const difference = attempts.compare(withDates<AttemptRow>(row as never));
      if (difference) return difference;
      counts.attempts += 1;
    }
    if (rows.length < pageSize) return attempts.missing();
    last = rows.at(-1)!;
  }
}

async function replayApprovals(
  { approvals }: ReplayDependencies,
  uow: UnitOfWork,
  executionId: string,
  fold: Fold,
  counts: ReplayCounts,
): Promise<Difference | null> {
  const rows = await approvals.outcomesOfExecution(uow, executionId);
  const difference = compareApprovals(fold, rows);
  if (!difference) counts.approvals = rows.length;
  return difference;
}

async function replaySignals(uow: UnitOfWork, executionId: string, fold: Fold, counts: ReplayCounts): Promise<Difference | null> {
  const rows = await signalOutcomes(uow, executionId);
  const difference = compareSignals(fold, rows);
  if (!difference) counts.signals = rows.length;
  return difference;
}

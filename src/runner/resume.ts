// What a job finds at the slot it was made for: ready work, a due timer, a decided approval, an effect that lost its process.
import { isRepeatable } from '../tools/tool.ts';
import type { ToolService } from '../tools/tool-service.ts';
import type { ApprovalService } from '../approvals/approval-service.ts';
import type { ApprovalRow } from '../approvals/approval-reads.ts';
import { enqueue } from '../jobs/jobs.ts';
import { deliver } from '../executions/delivery.ts';
import type { Gate } from '../gate/gate-service.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { isIdempotent } from '../outbound/request.ts';
import { outcomeOfChild } from '../executions/family.ts';
import type { Command } from '../executions/machine-command.ts';
import { slotState, type ExecutionState, type Slot, type SlotState, type StepState } from '../executions/machine-state.ts';
import { receiveSignal } from '../executions/signals.ts';
import { timerKey, type Transition } from '../executions/transition.ts';

export interface ResumeDependencies {
  readonly clock: Clock;
  readonly approvals: ApprovalService;
  readonly gate: Gate;
  readonly tools: Pick<ToolService, 'checkTool'>;
  /** In [0, 1): spreads retries. */
  readonly random: () => number;
}

/** What a job is about. */
export interface CarriedJob {
  readonly id: string;
  /** Ids under which it ran before without coming to an end (crash, lost connection): its own, and those of jobs it replaces. */
  readonly before: readonly string[];
  /** Which run of this work it is, 1…; the last one gives the execution up instead of failing once more. */
  readonly run: number;
  readonly tenantId: string;
  readonly executionId: string;
  /** Null: the execution as a whole (its start). */
  readonly slot: Slot | null;
  /** What a policy has put off is judged anew before its moment. */
  readonly early?: boolean | undefined;
}

/** `go`: the slot is ready for this job. `rest`: nothing more to do at this slot, though the transition may have made others ready. */
export type Resumption = 'go' | 'rest';

export async function resume(
  deps: ResumeDependencies,
  t: Transition,
  slot: Slot,
  job: Pick<CarriedJob, 'before' | 'id' | 'early'>,
): Promise<Resumption> {
  const current = slotState(t.state, slot);
  const now = deps.clock.now().getTime();
  const isPaused = t.state.status === 'paused';
  switch (current?.status) {
    case 'queued':
      if (isPaused || current.haltedBy !== null || !mayCarry(job, t.jobOf(slot))) return 'rest';
      return current.wakeAt !== null && current.wakeAt > now ? later(t, slot, current.wakeAt, now) : 'go';
    case 'waiting':
      return stillWaiting(deps, t, slot, current, job.early ?? false);
    case 'awaiting_approval':
      return resolve(deps, t, slot, current.approvalId!);
    case 'running':
      // Its job's earlier run or a job that this one replaces began it: that process is gone, or taken for gone and fenced off now.
      if (!job.before.includes(t.jobOf(slot) ?? '')) return 'rest';
      await t.run({
        type: 'interrupt',
        slot,
        attempt: current.attempt,
        repeatable: await repeatable(deps, t, slot),
        random: deps.random(),
      });
      return isReady(t, slot) ? 'go' : 'rest';
    default:
      return 'rest';
  }
}

async function stillWaiting(deps: ResumeDependencies, t: Transition, slot: Slot, current: SlotState, early: boolean): Promise<Resumption> {
  const now = deps.clock.now().getTime();
  if (current.childId !== null) return childEnded(deps, t, slot, current.childId);
  // Whoever resumes the execution looks here again.
  if (t.state.status === 'paused') return 'rest';
  if (current.signal !== null && (await receiveSignal(deps.clock, t, slot, current.signal))) return 'rest';
  if (current.wakeAt === null) return 'rest';
  if (current.wakeAt > now && !early) return later(t, slot, current.wakeAt, now);
  await t.run({ type: 'wake', slot, early });
  return isReady(t, slot) ? 'go' : 'rest';
}

async function childEnded(deps: ResumeDependencies, t: Transition, slot: Slot, childId: string): Promise<Resumption> {
  const child = await outcomeOfChild(t.uow, childId);
  if (child === null) return 'rest';
  const { attempt } = slotState(t.state, slot)!;
  if (child.ok) {
    const delivery = await deliver(deps, t, { slot, attempt }, { tool: null, arguments: null }, child.output);
    const output = delivery?.kind === 'delivered' ? delivery.output : child.output;
    if (delivery?.kind === 'refused') await t.run(delivery.command);
    else await t.run({ type: 'succeed', slot, attempt, outputBytes: Buffer.byteLength(output) }, { output });
  } else {
    const failure = { ...child.failure, stepId: slot.stepId };
    await t.run({ type: 'fail', slot, attempt, failure, retryable: child.retryable, random: deps.random() });
  }
  return isReady(t, slot) ? 'go' : 'rest';
}

/** The execution was to start later: the queue's clock runs ahead of ours, or its start is judged anew before the moment it was put off to. */
export async function notYetDue(
  { clock }: { readonly clock: Clock },
  t: Transition,
  startAt: number,
  { early }: Pick<CarriedJob, 'early'>,
): Promise<void> {
  const payload = { tenantId: t.uow.tenantId, executionId: t.row.id };
  if (early) {
    const command = await deferralToNow(t, clock.now().getTime());
    // Paused: whoever resumes it adds the job of its moment.
    if (command && (await t.run(command)) === null) await enqueue(t.uow, [{ name: 'run-execution', payload }]);
    return;
  }
  await enqueue(t.uow, [{ name: 'run-execution', payload, runAt: await onQueueClock(t.uow, startAt, clock.now().getTime()) }]);
}

/** The decision is the one that put it off last; null when none has. */
async function deferralToNow(t: Transition, startAt: number): Promise<Command | null> {
  const [last] = await t.uow.rows<{ decisionId: string }>(
    `select data->>'decisionId' as "decisionId" from execution_events
     where tenant_id = $1 and execution_id = $2 and type = 'execution.deferred' order by sequence desc limit 1`,
    [t.uow.tenantId, t.row.id],
  );
  return last ? { type: 'deferStart', startAt, decisionId: last.decisionId } : null;
}

/** The job came early, for a signal that another step took or because the queue's clock runs ahead of ours: once more at its moment. */
async function later(t: Transition, slot: Slot, wakeAt: number, now: number): Promise<Resumption> {
  const payload = { tenantId: t.uow.tenantId, executionId: t.row.id, ...slot };
  const runAt = await onQueueClock(t.uow, wakeAt, now);
  await enqueue(t.uow, [{ name: 'run-step', payload, runAt, key: timerKey(t.row.id, slot, slotState(t.state, slot)!) }]);
  return 'rest';
}

/**
 * Our moment as the queue's clock, which is the database's, will show it: where that runs ahead, a job would come early again and again.
 * Where it runs behind, the job comes late anyway.
 */
async function onQueueClock(uow: UnitOfWork, moment: number, now: number): Promise<Date> {
  const [queue] = await uow.rows<{ now: string }>('select clock_timestamp() as now');
  return new Date(moment + Math.max(Date.parse(queue!.now) - now, 0));
}

async function resolve({ approvals }: ResumeDependencies, t: Transition, slot: Slot, approvalId: string): Promise<Resumption> {
  const approval = await approvals.findForStep(t.uow, t.row.id, slot.stepId, slot.itemIndex < 0 ? null : slot.itemIndex);
  if (approval?.id !== approvalId || approval.status === 'pending' || approval.status === 'cancelled') return 'rest';
  const failure = { ...refusal(approval), stepId: slot.stepId };
  await t.run({ type: 'resolveApproval', slot, approvalId, outcome: approval.status, decidedBy: approval.decidedBy ?? '', failure });
  return isReady(t, slot) ? 'go' : 'rest';
}

function refusal({ status, note, expiresAt }: ApprovalRow): { code: string; message: string } {
  if (status === 'expired') return { code: 'APPROVAL_EXPIRED', message: `nobody decided before ${expiresAt.toISOString()}` };
  return { code: 'APPROVAL_REJECTED', message: note ? `rejected: ${note}` : 'rejected' };
}

async function repeatable({ tools }: ResumeDependencies, t: Transition, slot: Slot): Promise<boolean> {
  const step = t.plan.steps.get(slot.stepId);
  if (step?.http) return isIdempotent(step.http.method);
  const name = step?.tool?.name;
  if (name === undefined) return true;
  const checked = await tools.checkTool(t.uow, name);
  return checked.ok && isRepeatable(checked.definition);
}

const isReady = (t: Transition, slot: Slot): boolean => {
  const current = slotState(t.state, slot);
  return t.state.status !== 'paused' && current?.status === 'queued' && current.wakeAt === null && current.haltedBy === null;
};

/** Nobody carries it, or this job did in an earlier run or under an earlier id. */
const mayCarry = (job: Pick<CarriedJob, 'before' | 'id'>, owner: string | null): boolean =>
  owner === null || owner === job.id || job.before.includes(owner);

/** Still what it was when the job looked at it (`before`): queued, due, not taken up by another job, nor brought this far again by one. */
export function isStillOpen(
  { clock }: Pick<ResumeDependencies, 'clock'>,
  t: Transition,
  slot: Slot,
  job: CarriedJob,
  before: ExecutionState | null,
): boolean {
  const current = slotState(t.state, slot);
  if (
    t.state.status === 'paused' ||
    current?.status !== 'queued' ||
    current.haltedBy !== null ||
    (current.wakeAt ?? 0) > clock.now().getTime()
  )
    return false;
  return mayCarry(job, t.jobOf(slot)) && progressOf(current) === progressOf(before && slotState(before, slot));
}

/** What work was prepared from: it is good for a slot that has come no further. */
function progressOf(state: SlotState | StepState | null | undefined): string {
  const items = state && 'items' in state ? state.items : null;
  return [state?.attempt ?? 0, state?.approvalId, items?.next, items?.done].join();
}

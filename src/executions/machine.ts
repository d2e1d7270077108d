// `decide(plan, state, command, now) → events`: every rule of an execution's life. Pure: no I/O, no clock, no randomness of its own.
// An illegal command gives `{ ok: false, reason }` and no event; the caller's transaction then changes nothing.
import type { StepDefinition } from '../agents/definition.ts';
import type { NewEvent } from '../events/catalogue.ts';
import { isFinalExecution, isFinalStep } from './execution.ts';
import { apply } from './machine-apply.ts';
import { withdraw, type Draft, type PendingApproval } from './machine-draft.ts';
import type { Command, ExecutionCommand, ReusedStep } from './machine-command.ts';
import { startsSomething } from './machine-legal.ts';
import { release, updateWaiting } from './machine-settle.ts';
import { runOnSlot } from './machine-slot.ts';
import { cloneState, wholeExecution, type ExecutionState, type Plan } from './machine-state.ts';

export type Outcome =
  | { readonly ok: true; readonly events: readonly NewEvent[]; readonly state: ExecutionState }
  | { readonly ok: false; readonly reason: string };

export function decide(
  plan: Plan,
  state: ExecutionState,
  command: Command,
  now: number,
  pending: readonly PendingApproval[] = [],
): Outcome {
  const events: NewEvent[] = [];
  const copy = cloneState(state);
  const draft: Draft = {
    plan,
    state: copy,
    pending,
    emit(event) {
      events.push(event);
      apply(copy, event);
    },
  };
  const refusal = run(draft, command, now);
  if (refusal !== null) return { ok: false, reason: refusal };
  updateWaiting(draft);
  return { ok: true, events, state: copy };
}

/** Null when the command was carried out, else why it is illegal. */
function run(draft: Draft, command: Command, now: number): string | null {
  const { state } = draft;
  if (command.type === 'queue') {
    if (state.lastSequence > 0) return 'the execution exists already';
    const { requestedBy, startAt } = command;
    if (startAt === undefined) draft.emit({ type: 'execution.queued', data: { requestedBy } });
    else draft.emit({ type: 'execution.scheduled', data: { requestedBy, startAt: new Date(startAt).toISOString() } });
    return null;
  }
  if (state.lastSequence === 0) return 'the execution does not exist yet';
  if (isFinalExecution(state.status)) return `the execution is ${state.status} already`;
  if (state.status === 'paused' && startsSomething(command)) return 'the execution is paused';
  if (command.type === 'note' && command.slot.stepId === wholeExecution.stepId) return noteOnStart(draft, command);
  if ('slot' in command) return state.begun ? runOnSlot(draft, command, now) : 'the execution has not started';
  return runOnExecution(draft, command, now);
}

function runOnExecution(draft: Draft, command: Exclude<ExecutionCommand, { type: 'queue' }>, now: number): string | null {
  const { state, plan } = draft;
  switch (command.type) {
    case 'cancel':
      withdraw(draft);
      draft.emit({ type: 'execution.cancelled', data: { reason: command.reason, cancelledBy: command.cancelledBy } });
      return null;
    case 'abandon':
      withdraw(draft);
      draft.emit({ type: 'execution.failed', data: { failure: command.failure } });
      return null;
    case 'pause':
      if (state.status === 'paused') return 'the execution is paused already';
      draft.emit({ type: 'execution.paused', data: { reason: command.reason, pausedBy: command.pausedBy } });
      return null;
    case 'resume': {
      if (state.status !== 'paused') return `the execution is ${state.status}, not paused`;
      // One that waits for an approval is looked at anew: it may have been decided meanwhile.
      const scheduled = state.startAt !== null && state.startAt > now ? 'scheduled' : 'queued';
      const before = state.approvalId !== null ? 'awaiting_approval' : scheduled;
      draft.emit({ type: 'execution.resumed', data: { resumedBy: command.resumedBy, status: state.begun ? 'running' : before } });
      return null;
    }
    case 'deferStart':
    case 'refuseStart':
    case 'requestStart':
    case 'resolveStart':
      return state.begun ? `the execution is ${state.status} already` : runOnStart(draft, command);
    case 'signal':
      draft.emit({ type: 'execution.signalled', data: { signalId: command.signalId, name: command.name, sentBy: command.sentBy } });
      return null;
    case 'reuse':
      return reuse(draft, command.steps);
    case 'start':
      if (state.begun) return `the execution is ${state.status} already`;
      if (state.approvalId !== null) return 'its start waits for an approval';
      if (state.startAt !== null && state.startAt > now) return `the execution starts at ${new Date(state.startAt).toISOString()}`;
      draft.emit({ type: 'execution.started', data: {} });
      for (const step of plan.definition.steps) release(draft, step.id);
      return null;
    case 'finish': {
      if (!state.begun) return 'the execution has not started';
      const open = plan.definition.steps.find((step) => !isFinalStep(state.steps.get(step.id)?.status ?? 'pending'));
      if (open) return `step "${open.id}" is not finished`;
      const { failure, decisionId } = command;
      if (failure && decisionId !== undefined) draft.emit({ type: 'execution.blocked', data: { failure, decisionId } });
      else if (failure) draft.emit({ type: 'execution.failed', data: { failure } });
      else draft.emit({ type: 'execution.succeeded', data: {} });
      return null;
    }
  }
}

type StartCommand = Extract<ExecutionCommand, { type: 'deferStart' | 'refuseStart' | 'requestStart' | 'resolveStart' }>;

/** What the gate, or who was asked, says of the start. */
function runOnStart(draft: Draft, command: StartCommand): string | null {
  const { state } = draft;
  if (command.type === 'resolveStart') {
    const { approvalId, outcome, decidedBy, failure } = command;
    if (state.approvalId === null) return 'its start waits for no approval';
    if (state.approvalId !== approvalId) return 'its start waits for another approval';
    if (outcome === 'expired') draft.emit({ type: 'approval.expired', data: { ...wholeExecution, approvalId } });
    else draft.emit({ type: `approval.${outcome}`, data: { ...wholeExecution, approvalId, decidedBy } });
    if (outcome !== 'approved') draft.emit({ type: 'execution.blocked', data: { failure } });
    return null;
  }
  if (state.approvalId !== null) return 'its start waits for an approval';
  switch (command.type) {
    case 'deferStart':
      draft.emit({
        type: 'execution.deferred',
        data: { startAt: new Date(command.startAt).toISOString(), decisionId: command.decisionId },
      });
      return null;
    case 'requestStart':
      draft.emit({
        type: 'approval.requested',
        data: { ...wholeExecution, approvalId: command.approvalId, expiresAt: new Date(command.expiresAt).toISOString() },
      });
      return null;
    case 'refuseStart': {
      const { failure, decisionId } = command;
      draft.emit({ type: 'execution.blocked', data: { failure, ...(decisionId !== undefined && { decisionId }) } });
      return null;
    }
  }
}

function noteOnStart(draft: Draft, { approvalId, note }: Extract<Command, { type: 'note' }>): string | null {
  if (draft.state.approvalId !== approvalId) return 'its start waits for another approval, or for none';
  const { type, ...said } = note;
  draft.emit({ type: `approval.${type}`, data: { ...wholeExecution, approvalId, ...said } } as NewEvent);
  return null;
}

function reuse(draft: Draft, steps: readonly ReusedStep[]): string | null {
  const { state, plan } = draft;
  if (steps.length === 0) return 'there is nothing to reuse';
  if (state.begun || state.steps.size > 0) return 'steps can be reused only before the execution starts';
  const reused = new Set(steps.filter(({ status }) => status !== 'pending').map(({ stepId }) => stepId));
  const passed = new Set(steps.flatMap(({ stepId, branchCase }) => otherCases(plan.steps.get(stepId), branchCase)));
  for (const { stepId, status, items } of steps) {
    const definition = plan.steps.get(stepId);
    if (!definition) return `the definition has no step "${stepId}"`;
    if (items && !mayHave(definition, status, items)) return `step "${stepId}" cannot have such items`;
    const missing = definition.needs.find((need) => !reused.has(need));
    // A step in a case that was not taken is skipped by its branch alone.
    if (missing !== undefined && !(status === 'skipped' && passed.has(stepId)))
      return `step "${stepId}" cannot be reused without step "${missing}", which it needs`;
  }
  for (const { stepId, status, outputBytes, branchCase, items } of steps) {
    draft.emit({
      type: 'step.reused',
      data: {
        ...{ stepId, itemIndex: -1, status, outputBytes },
        ...(branchCase !== undefined && { branchCase }),
        ...(items && { itemTotal: items.total, ranges: items.ranges.map(([first, last]): [number, number] => [first, last]) }),
      },
    });
  }
  return null;
}

const otherCases = (step: StepDefinition | undefined, branchCase: number | null | undefined): string[] =>
  branchCase === undefined ? [] : (step?.branch ?? []).filter((_, index) => index !== branchCase).flatMap(({ then }) => then);

/** Of a loop its first iterations, and not all that it may have: it goes on with the next. */
function mayHave(
  { forEach, loop }: StepDefinition,
  status: ReusedStep['status'],
  { total, ranges }: NonNullable<ReusedStep['items']>,
): boolean {
  if (!loop) return forEach !== undefined;
  return status === 'pending' && total === loop.max && ranges.length === 1 && ranges[0]![0] === 0 && ranges[0]![1] + 1 < total;
}

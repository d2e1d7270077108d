// The start of an execution at the gate: refused, put off, asked for, or let through. Judged in the transaction that creates it, or that
// begins it when it was to start later.
import { subjectDigest } from '../approvals/approval.ts';
import type { ApprovalService } from '../approvals/approval-service.ts';
import type { ApprovalRow } from '../approvals/approval-reads.ts';
import { enqueue, type NewJob } from '../jobs/jobs.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { approvalTerms } from '../rules/evaluate.ts';
import type { Gate } from '../gate/gate-service.ts';
import { isFinalExecution, type ExecutionFailure } from './execution.ts';
import { gateInput, placeOf, referenceOf, type GateSubject } from './gate-input.ts';
import type { ExecutionCommand } from './machine-command.ts';
import { mayBegin } from './admission.ts';
import { must } from './pass-gate.ts';
import type { Transition } from './transition.ts';

export interface StartGateDependencies {
  readonly clock: Clock;
  readonly gate: Gate;
  readonly approvals: ApprovalService;
}

export interface StartJudgement {
  readonly decisionId: string;
  /** What becomes of it instead of a start; null when it may start. */
  readonly command: ExecutionCommand | null;
}

/** What runs in it passes the gate by itself, so no start is more than this. */
const startRisk = 'medium';

/** Judges the start. An approval that is there for exactly these inputs is used; one that is missing is requested. */
export async function judgeStart(
  { clock, gate, approvals }: StartGateDependencies,
  t: GateSubject,
  inputs: unknown,
): Promise<StartJudgement> {
  const input = gateInput(clock, t, { action: 'execution.start', tool: null, arguments: inputs });
  const judgement = await gate.judge(t.uow, input, referenceOf(t), t.row);
  const { decisionId, haltedBy, notBefore } = judgement;
  // A kill switch stops effects, and a start is none: what policies say of it holds, and its steps are halted where they are.
  const verdict = haltedBy ? judgement.consider({ killSwitches: [] }) : judgement.verdict;
  if (verdict.effect === 'deny') {
    return { decisionId, command: { type: 'refuseStart', failure: { code: 'DENIED', message: verdict.reasons.join(' ') }, decisionId } };
  }
  if (verdict.effect === 'require_approval') {
    const { reason, expiresInMs, terms, policies } = approvalTerms(verdict);
    const subject = {
      ...{ tenantId: t.uow.tenantId, executionId: t.row.id, stepId: null, itemIndex: null },
      ...{ agentVersionDigest: t.row.agentVersionDigest, tool: null, toolDigest: null, arguments: inputs, policies },
    };
    if (!(await useStartGrant(approvals, t, subjectDigest(subject)))) {
      const { id, expiresAt } = await approvals.request(t.uow, {
        ...placeOf(t),
        ...{ source: 'policy', title: `Start ${t.row.agentName}`, reason, risk: startRisk, expiresInMs, terms, decisionId, subject },
        costMicroUsd: input.costMicroUsd,
        requestedBy: t.row.requestedBy,
      });
      return { decisionId, command: { type: 'requestStart', approvalId: id, expiresAt: expiresAt.getTime() } };
    }
  }
  if (haltedBy || verdict.effect === 'require_approval') judgement.granted();
  return { decisionId, command: notBefore && { type: 'deferStart', startAt: notBefore.getTime(), decisionId } };
}

/** True when an approved request is there for exactly this; used here, or when its start was put off after it. */
async function useStartGrant(approvals: ApprovalService, t: GateSubject, digest: string): Promise<boolean> {
  const approval = await approvals.findForStep(t.uow, t.row.id, null, null);
  if (approval?.status !== 'approved' || approval.digest !== digest) return false;
  return approval.consumedAt !== null || (await approvals.consume(t.uow, approval.id, digest)).ok;
}

/**
 * Begins an execution that has not begun, if it may: its approval is there, a place in the queue is free, and the gate lets it start.
 * What was to start later is judged now; what is in the queue was judged before it got there. True when it has begun.
 */
export async function beginStart(deps: StartGateDependencies, t: Transition, inputs: unknown): Promise<boolean> {
  const { state, row, uow } = t;
  if (state.status === 'paused' || isFinalExecution(state.status)) return false;
  const { approvalId } = state;
  if (approvalId !== null) {
    const approval = await deps.approvals.findForStep(uow, row.id, null, null);
    if (approval?.id !== approvalId || approval.status === 'pending' || approval.status === 'cancelled') return false;
    const { status: outcome, decidedBy } = approval;
    await must(t.run({ type: 'resolveStart', approvalId, outcome, decidedBy: decidedBy ?? '', failure: refusalOf(approval) }));
    if (outcome !== 'approved' || !(await passes(deps, t, inputs))) return false;
    return (await mayBegin(uow, deps.clock, { ...row, status: 'queued' })) && begin(t);
  }
  if (!(await mayBegin(uow, deps.clock, row))) return false;
  if (state.startAt !== null && !(await passes(deps, t, inputs))) return false;
  return begin(t);
}

const begin = async (t: Transition): Promise<boolean> => (await t.run({ type: 'start' })) === null;

async function passes(deps: StartGateDependencies, t: Transition, inputs: unknown): Promise<boolean> {
  const { command } = await judgeStart(deps, t, inputs);
  if (command === null) return true;
  await must(t.run(command));
  await enqueue(t.uow, jobsOfDeferral(t.uow, t.row.id, command));
  return false;
}

/** One that is put off looks again when its moment has come. */
export const jobsOfDeferral = (uow: UnitOfWork, executionId: string, command: ExecutionCommand): NewJob[] =>
  command.type === 'deferStart'
    ? [{ name: 'run-execution', payload: { tenantId: uow.tenantId, executionId }, runAt: new Date(command.startAt) }]
    : [];

function refusalOf({ status, note, expiresAt }: ApprovalRow): ExecutionFailure {
  if (status === 'expired') return { code: 'APPROVAL_EXPIRED', message: `nobody decided on the start before ${expiresAt.toISOString()}` };
  return { code: 'APPROVAL_REJECTED', message: note ? `the start was rejected: ${note}` : 'the start was rejected' };
}

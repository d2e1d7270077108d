// Carries prepared work out inside the transition: gate, approvals and the start of an effect, on exactly the arguments that will run.
import { subjectDigest, type ApprovalService } from '../approvals/approval-service.ts';
import type { ApprovalSubject } from '../approvals/approval.ts';
import type { EventService } from '../events/event-service.ts';
import type { Clock } from '../platform/clock.ts';
import { storableJson } from '../platform/json.ts';
import { approvalTerms } from '../policies/evaluate.ts';
import type { Gate } from '../policies/gate-service.ts';
import { isRepeatable, type RiskClass } from '../tools/tool.ts';
import type { ToolService } from '../tools/tool-service.ts';
import type { ExecutionFailure } from './execution.ts';
import { startChild } from './children.ts';
import { gateInput, placeOf, referenceOf, stepOf } from './gate-input.ts';
import { receiveSignal } from './signals.ts';
import { insertItems } from './slot-store.ts';
import { slotState, type Slot } from './machine-state.ts';
import type { Transition } from './transition.ts';
import type { Effect, Work } from './work.ts';

export interface DispatchDependencies {
  readonly clock: Clock;
  readonly gate: Gate;
  readonly approvals: ApprovalService;
  readonly events: EventService;
  readonly tools: Pick<ToolService, 'checkTool' | 'validateArguments'>;
}

/** Returns the effect to run after the commit, if the work is one and the gate let it pass. */
export async function carryOut(deps: DispatchDependencies, t: Transition, work: Work, jobId: string): Promise<Effect | null> {
  switch (work.kind) {
    case 'skip':
      await must(t.run({ type: 'skip', slot: work.slot }));
      return null;
    case 'fail':
      await must(t.run({ type: 'fail', slot: work.slot, attempt: 0, failure: work.failure, retryable: false, random: 0 }));
      return null;
    case 'expand':
      if (work.items !== null) await insertItems(t.uow, t.row.id, work.slot.stepId, work.items);
      await must(t.run({ type: 'expand', slot: work.slot, total: work.total }));
      return null;
    case 'iterate': {
      const { slot, done, output, wakeAt } = work;
      const command = { type: 'iterate', slot, done, outputBytes: Buffer.byteLength(output), wakeAt } as const;
      await must(t.run(command, done ? { output } : undefined));
      return null;
    }
    case 'reduce':
      await must(t.run({ type: 'reduce', slot: work.slot, outputBytes: Buffer.byteLength(work.output) }, { output: work.output }));
      return null;
    case 'complete': {
      const { slot, output, branchCase } = work;
      await must(t.run({ type: 'complete', slot, outputBytes: Buffer.byteLength(output), branchCase }, { output }));
      return null;
    }
    case 'wait':
      await must(t.run({ type: 'wait', slot: work.slot, wakeAt: work.wakeAt }));
      return null;
    case 'signal':
      await must(t.run({ type: 'awaitSignal', slot: work.slot, name: work.name, wakeAt: work.wakeAt }));
      await receiveSignal(deps.clock, t, work.slot, work.name);
      return null;
    case 'agent':
      await startChild(deps, t, work);
      return null;
    case 'approval':
      return approvalStep(deps, t, work);
    case 'tool':
      return toolCall(deps, t, work, jobId);
    case 'finish':
      if (work.output !== undefined) t.setOutput(work.output);
      await must(t.run({ type: 'finish', failure: work.failure }));
      return null;
  }
}

async function approvalStep(deps: DispatchDependencies, t: Transition, work: Extract<Work, { kind: 'approval' }>): Promise<null> {
  const { slot, title, reason, risk, expiresInMs } = work;
  const subject = subjectOf(t, slot, { tool: null, toolDigest: null, arguments: work.show ?? null, policies: [] });
  const grant = await useGrant(deps, t, slot, subject);
  if (!grant) {
    await askForApproval(deps, t, slot, { source: 'step', title, reason, risk, expiresInMs, subject });
    return null;
  }
  const output = storableJson({ decision: 'approved', by: grant.decidedBy, note: grant.note });
  await must(t.run({ type: 'complete', slot, outputBytes: Buffer.byteLength(output) }, { output }));
  return null;
}

async function toolCall(
  deps: DispatchDependencies,
  t: Transition,
  { slot, tool, arguments: args, timeoutMs }: Extract<Work, { kind: 'tool' }>,
  jobId: string,
): Promise<Effect | null> {
  const checked = await deps.tools.checkTool(t.uow, tool);
  if (!checked.ok) {
    const failure: ExecutionFailure = { code: checked.code, message: checked.reason, stepId: slot.stepId };
    if (checked.code === 'TOOL_CHANGED') await must(t.run({ type: 'block', slot, failure }));
    else await must(t.run({ type: 'fail', slot, attempt: 0, failure, retryable: false, random: 0 }));
    return null;
  }
  const { definition } = checked;
  const problems = deps.tools.validateArguments(definition, args);
  if (problems.length > 0) {
    const message = `arguments of ${tool}: ${problems.map((problem) => `${problem.path} ${problem.message}`).join('; ')}`.slice(0, 2_000);
    const failure = { code: 'INVALID_ARGUMENTS', message, stepId: slot.stepId };
    await must(t.run({ type: 'fail', slot, attempt: 0, failure, retryable: false, random: 0 }));
    return null;
  }
  const input = gateInput(deps.clock, t, {
    action: 'tool.call',
    tool: { name: tool, digest: definition.digest, risk: definition.risk, capability: definition.capability },
    arguments: args,
  });
  const { verdict, decisionId, policyVersions } = await deps.gate.judge(t.uow, input, { ...referenceOf(t), ...stepOf(slot) }, t.row);
  if (verdict.effect === 'deny') {
    const failure = { code: 'DENIED', message: verdict.reasons.join(' '), stepId: slot.stepId };
    await must(t.run({ type: 'block', slot, failure, decisionId }));
    return null;
  }
  if (verdict.effect === 'require_approval') {
    const subject = subjectOf(t, slot, { tool, toolDigest: definition.digest, arguments: args, policies: policyVersions });
    if (!(await useGrant(deps, t, slot, subject))) {
      const { reason, expiresInMs } = approvalTerms(verdict);
      const title = `Call ${tool} in step "${slot.stepId}" of ${t.row.agentName}`;
      await askForApproval(deps, t, slot, { source: 'policy', title, reason, risk: definition.risk, expiresInMs, subject });
      return null;
    }
  }
  await must(t.run({ type: 'dispatch', slot, decisionId }, { arguments: JSON.stringify(args), jobId }));
  const { attempt } = slotState(t.state, slot)!;
  const idempotencyKey = `${t.row.effectScopeId}:${slot.stepId}:${slot.itemIndex}`;
  const { digest: toolDigest, remote = null } = definition;
  return { slot, attempt, tool, toolDigest, remote, repeatable: isRepeatable(definition), arguments: args, timeoutMs, idempotencyKey };
}

/**
 * The approved grant for exactly this subject, consumed here; null when a person has to be asked (again).
 * A grant is for one slot: further attempts of the slot (retry, crash) use the grant it consumed, for the same digest only.
 */
async function useGrant({ approvals }: DispatchDependencies, t: Transition, slot: Slot, subject: ApprovalSubject) {
  const { approvalId } = slotState(t.state, slot)!;
  if (approvalId === null) return null;
  const approval = await approvals.findForStep(t.uow, t.row.id, slot.stepId, stepOf(slot).itemIndex);
  if (approval?.id !== approvalId || approval.status !== 'approved') return null;
  const digest = subjectDigest(subject);
  if (approval.consumedAt !== null) return approval.digest === digest ? approval : null;
  const used = await approvals.consume(t.uow, approval.id, digest);
  return used.ok ? approval : null;
}

interface Question {
  readonly source: 'step' | 'policy';
  readonly title: string;
  readonly reason: string;
  readonly risk: RiskClass;
  readonly expiresInMs: number;
  readonly subject: ApprovalSubject;
}

async function askForApproval({ clock, approvals }: DispatchDependencies, t: Transition, slot: Slot, question: Question): Promise<void> {
  const { expiresInMs, ...asked } = question;
  const expiresAt = new Date(clock.now().getTime() + expiresInMs);
  const approval = await approvals.request(t.uow, { ...placeOf(t), ...asked, requestedBy: t.row.requestedBy, expiresAt });
  await must(t.run({ type: 'requestApproval', slot, approvalId: approval.id, expiresAt: expiresAt.getTime() }));
}

/** The gate's view of an effect of this execution. */
function subjectOf(
  t: Transition,
  slot: Slot,
  what: Pick<ApprovalSubject, 'tool' | 'toolDigest' | 'arguments' | 'policies'>,
): ApprovalSubject {
  return { tenantId: t.uow.tenantId, executionId: t.row.id, ...stepOf(slot), agentVersionDigest: t.row.agentVersionDigest, ...what };
}

/** The caller has looked at the locked state: a refusal here is a defect, and rolls everything back. */
async function must(refusal: Promise<string | null>): Promise<void> {
  const reason = await refusal;
  if (reason !== null) throw new Error(`illegal transition: ${reason}`);
}

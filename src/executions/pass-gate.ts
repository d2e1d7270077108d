// One effect at the gate: judged, approved where a policy asks for it, and begun, on exactly the arguments that will run.
import type { ApprovalService } from '../approvals/approval-service.ts';
import { carryEdit, editedArguments } from '../approvals/approval-edit.ts';
import type { ApprovalRow } from '../approvals/approval-reads.ts';
import { subjectDigest, type ApprovalSubject } from '../approvals/approval.ts';
import type { ApprovalTerms } from '../approvals/approval-terms.ts';
import type { Clock } from '../platform/clock.ts';
import { approvalTerms } from '../rules/evaluate.ts';
import type { Gate, Judgement } from '../gate/gate-service.ts';
import type { Destination, GateInput } from '../rules/gate.ts';
import type { RiskClass } from '../tools/tool.ts';
import { gateInput, placeOf, referenceOf, stepOf } from './gate-input.ts';
import { slotState, type Slot } from './machine-state.ts';
import type { Transition } from './transition.ts';
import type { EffectStart } from './work.ts';

export interface GateDependencies {
  readonly clock: Clock;
  readonly gate: Gate;
  readonly approvals: ApprovalService;
}

export interface Passage {
  readonly slot: Slot;
  readonly effect: Pick<GateInput, 'action' | 'tool' | 'destination' | 'costMicroUsd'>;
  readonly arguments: Record<string, unknown>;
  /** What an approver is asked to sign besides the arguments. */
  readonly signed: Pick<ApprovalSubject, 'tool' | 'toolDigest'>;
  readonly risk: RiskClass;
  /** What will happen, as the beginning of a title: `Call files.write_file`. */
  readonly deed: string;
  /** The slot's approval, when the caller has looked at it in this transaction. */
  readonly approval?: ApprovalRow | null | undefined;
}

/** The started attempt; null when the gate refused it or put it off, or a person is asked first. */
export async function passGate(deps: GateDependencies, t: Transition, passage: Passage, jobId: string): Promise<EffectStart | null> {
  const { slot, effect, arguments: args, signed, risk, deed } = passage;
  const input = gateInput(deps.clock, t, { ...effect, arguments: args });
  const judgement = await deps.gate.judge(t.uow, input, { ...referenceOf(t), ...stepOf(slot) }, t.row);
  const { verdict, decisionId, policyVersions, haltedBy, notBefore } = judgement;
  if (haltedBy) {
    await must(t.run({ type: 'halt', slot, attempt: 0, killSwitchId: haltedBy.id, reason: haltedBy.reason }));
    return null;
  }
  if (verdict.effect === 'deny') {
    const failure = { code: 'DENIED', message: verdict.reasons.join(' '), stepId: slot.stepId };
    await must(t.run({ type: 'block', slot, attempt: 0, failure, decisionId }));
    return null;
  }
  const isEdited =
    passage.approval?.status === 'approved' && passage.approval.requested !== null && passage.approval.subject.arguments === args;
  if (verdict.effect === 'require_approval') {
    const subject = subjectOf(t, slot, { ...signed, arguments: args, policies: policyVersions });
    if (!(await useGrant(deps, t, slot, subject, passage.approval))) {
      const { reason, expiresInMs, terms } = approvalTerms(verdict);
      const { costMicroUsd } = input;
      const title = `${deed} in step "${slot.stepId}" of ${t.row.agentName}`;
      await askForApproval(deps, t, slot, {
        source: 'policy',
        ...{ title, reason, risk, expiresInMs, terms, decisionId, costMicroUsd, subject },
      });
      if (isEdited) carryEdit(t.uow, slotState(t.state, slot)!.approvalId!, passage.approval);
      return null;
    }
    judgement.granted();
  } else if (isEdited && passage.approval.consumedAt === null) {
    // Nobody has to be asked about the edited arguments, and yet they run because somebody approved them: once.
    const used = await deps.approvals.consume(t.uow, passage.approval.id, passage.approval.digest);
    if (!used.ok) throw new Error(`an approved edit cannot be used: ${used.reason}`);
  }
  if (notBefore) {
    await must(t.run({ type: 'defer', slot, wakeAt: notBefore.getTime(), decisionId }));
    return null;
  }
  await must(t.run({ type: 'dispatch', slot, decisionId }, { arguments: JSON.stringify(args), jobId }));
  const { attempt } = slotState(t.state, slot)!;
  return {
    ...{ slot, attempt, arguments: args, idempotencyKey: `${t.row.effectScopeId}:${slot.stepId}:${slot.itemIndex}` },
    judged: { tool: effect.tool, destination: effect.destination },
    notices: verdict.injections ?? [],
    mayGo: (destination) => goesToo(judgement, destination),
  };
}

/** What was approved or counted stays so; a place that is refused, or that more people have to be asked about, is somewhere else. */
function goesToo({ policyVersions, consider }: Judgement, destination: Destination): boolean {
  const verdict = consider({ destination });
  if (verdict.effect === 'deny') return false;
  return verdict.effect !== 'require_approval' || approvalTerms(verdict).policies.every((policy) => policyVersions.includes(policy));
}

/** The approval that the slot asked for last, whatever became of it. */
export async function approvalOfSlot(
  { approvals }: Pick<GateDependencies, 'approvals'>,
  t: Transition,
  slot: Slot,
): Promise<ApprovalRow | null> {
  const { approvalId } = slotState(t.state, slot)!;
  if (approvalId === null) return null;
  const approval = await approvals.findForStep(t.uow, t.row.id, slot.stepId, stepOf(slot).itemIndex);
  return approval?.id === approvalId ? approval : null;
}

/** What will run: the arguments of the step, or what an approver made of them. */
export async function argumentsToRun(
  deps: Pick<GateDependencies, 'approvals'>,
  t: Transition,
  { slot, signed, arguments: asked }: Pick<Passage, 'slot' | 'signed' | 'arguments'>,
) {
  const approval = await approvalOfSlot(deps, t, slot);
  const edited = editedArguments(approval, subjectOf(t, slot, { ...signed, arguments: asked, policies: [] }));
  return { approval, arguments: edited ?? asked };
}

/**
 * The approved grant for exactly this subject, consumed here; null when a person has to be asked (again).
 * A grant is for one slot: further attempts of the slot (retry, crash) use the grant it consumed, for the same digest only.
 */
export async function useGrant(
  deps: Pick<GateDependencies, 'approvals'>,
  t: Transition,
  slot: Slot,
  subject: ApprovalSubject,
  known?: ApprovalRow | null,
) {
  const { approvals } = deps;
  const approval = known === undefined ? await approvalOfSlot(deps, t, slot) : known;
  if (approval?.status !== 'approved') return null;
  const digest = subjectDigest(subject);
  if (approval.consumedAt !== null) return approval.digest === digest ? approval : null;
  const used = await approvals.consume(t.uow, approval.id, digest);
  return used.ok ? approval : null;
}

export interface Question {
  readonly source: 'step' | 'policy';
  readonly title: string;
  readonly reason: string;
  readonly risk: RiskClass;
  readonly expiresInMs: number;
  readonly terms?: ApprovalTerms | undefined;
  readonly decisionId?: string | undefined;
  readonly costMicroUsd?: number | null | undefined;
  readonly subject: ApprovalSubject;
}

export async function askForApproval(
  { approvals }: Pick<GateDependencies, 'approvals'>,
  t: Transition,
  slot: Slot,
  question: Question,
): Promise<void> {
  const { id, expiresAt } = await approvals.request(t.uow, { ...placeOf(t), ...question, requestedBy: t.row.requestedBy });
  await must(t.run({ type: 'requestApproval', slot, approvalId: id, expiresAt: expiresAt.getTime() }));
}

export function subjectOf(
  t: Transition,
  slot: Slot,
  what: Pick<ApprovalSubject, 'tool' | 'toolDigest' | 'arguments' | 'policies'>,
): ApprovalSubject {
  return { tenantId: t.uow.tenantId, executionId: t.row.id, ...stepOf(slot), agentVersionDigest: t.row.agentVersionDigest, ...what };
}

/** The caller has looked at the locked state: a refusal here is a defect, and rolls everything back. */
export async function must(refusal: Promise<string | null>): Promise<void> {
  const reason = await refusal;
  if (reason !== null) throw new Error(`illegal transition: ${reason}`);
}

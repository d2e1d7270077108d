// One effect at the gate: judged, approved where a policy asks for it, and begun, on exactly the arguments that will run.
import { subjectDigest, type ApprovalService } from '../approvals/approval-service.ts';
import type { ApprovalSubject } from '../approvals/approval.ts';
import type { ApprovalTerms } from '../approvals/approval-terms.ts';
import type { Clock } from '../platform/clock.ts';
import { approvalTerms } from '../policies/evaluate.ts';
import type { Gate } from '../policies/gate-service.ts';
import type { GateInput } from '../policies/gate.ts';
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
  readonly effect: Pick<GateInput, 'action' | 'tool' | 'destination'>;
  readonly arguments: Record<string, unknown>;
  /** What an approver is asked to sign besides the arguments. */
  readonly signed: Pick<ApprovalSubject, 'tool' | 'toolDigest'>;
  readonly risk: RiskClass;
  /** What will happen, as the beginning of a title: `Call files.write_file`. */
  readonly deed: string;
}

/** The started attempt; null when the gate refused it or a person is asked first. */
export async function passGate(deps: GateDependencies, t: Transition, passage: Passage, jobId: string): Promise<EffectStart | null> {
  const { slot, effect, arguments: args, signed, risk, deed } = passage;
  const input = gateInput(deps.clock, t, { ...effect, arguments: args });
  const { verdict, decisionId, policyVersions, haltedBy } = await deps.gate.judge(
    t.uow,
    input,
    { ...referenceOf(t), ...stepOf(slot) },
    t.row,
  );
  if (haltedBy) {
    await must(t.run({ type: 'halt', slot, attempt: 0, killSwitchId: haltedBy.id, reason: haltedBy.reason }));
    return null;
  }
  if (verdict.effect === 'deny') {
    const failure = { code: 'DENIED', message: verdict.reasons.join(' '), stepId: slot.stepId };
    await must(t.run({ type: 'block', slot, failure, decisionId }));
    return null;
  }
  if (verdict.effect === 'require_approval') {
    const subject = subjectOf(t, slot, { ...signed, arguments: args, policies: policyVersions });
    if (!(await useGrant(deps, t, slot, subject))) {
      const { reason, expiresInMs, terms } = approvalTerms(verdict);
      const { costMicroUsd } = input;
      const title = `${deed} in step "${slot.stepId}" of ${t.row.agentName}`;
      await askForApproval(deps, t, slot, {
        source: 'policy',
        ...{ title, reason, risk, expiresInMs, terms, decisionId, costMicroUsd, subject },
      });
      return null;
    }
  }
  await must(t.run({ type: 'dispatch', slot, decisionId }, { arguments: JSON.stringify(args), jobId }));
  const { attempt } = slotState(t.state, slot)!;
  return { slot, attempt, arguments: args, idempotencyKey: `${t.row.effectScopeId}:${slot.stepId}:${slot.itemIndex}` };
}

/**
 * The approved grant for exactly this subject, consumed here; null when a person has to be asked (again).
 * A grant is for one slot: further attempts of the slot (retry, crash) use the grant it consumed, for the same digest only.
 */
export async function useGrant({ approvals }: Pick<GateDependencies, 'approvals'>, t: Transition, slot: Slot, subject: ApprovalSubject) {
  const { approvalId } = slotState(t.state, slot)!;
  if (approvalId === null) return null;
  const approval = await approvals.findForStep(t.uow, t.row.id, slot.stepId, stepOf(slot).itemIndex);
  if (approval?.id !== approvalId || approval.status !== 'approved') return null;
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

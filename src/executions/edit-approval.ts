// Edit, then approve: another person may change what will run while it is still to be decided. Checked like the step's own arguments (the
// tool's schema, the gate) and signed anew by whoever approves it, who cannot be its editor.
import { saveEdit } from '../approvals/approval-edit.ts';
import { decidingFacts } from '../approvals/approval-facts.ts';
import type { ApprovalRow } from '../approvals/approval-reads.ts';
import { rightToDecide } from '../approvals/approval-rights.ts';
import type { ApprovalService } from '../approvals/approval-service.ts';
import { lockApproval, scheduleClocks } from '../approvals/approval-store.ts';
import { tellOfApprovals } from '../approvals/approval-telling.ts';
import { maxNoteLength, subjectDigest, type ApprovalSubject } from '../approvals/approval.ts';
import { settledTerms } from '../approvals/approver-reads.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { ConflictError, ForbiddenError, InvalidStateError, NotFoundError, ValidationError, type Problem } from '../platform/errors.ts';
import { storableJson } from '../platform/json.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { requestToolName } from '../rules/destination.ts';
import { approvalTerms } from '../rules/evaluate.ts';
import type { Gate } from '../gate/gate-service.ts';
import { can, type Authority } from '../authority/permission.ts';
import type { ToolService } from '../tools/tool-service.ts';
import { gateInput, referenceOf, stepOf } from './gate-input.ts';
import { httpRequest } from './http-request.ts';
import { slotState, type Slot } from './machine-state.ts';
import { passageOfRequest, passageOfTool } from './passage.ts';
import { must, subjectOf, type Passage } from './pass-gate.ts';
import { beginTransition, type Transition, type TransitionDependencies } from './transition.ts';

export interface EditApproval {
  readonly approvalId: string;
  /** All of them, not only what changes. */
  readonly arguments?: unknown;
  /** Digest of what the editor was shown; another one is refused. */
  readonly expectedDigest: string;
  /** Why, for whoever approves it. */
  readonly reason?: string | null | undefined;
}

export interface ApprovalEditService {
  editApproval(uow: UnitOfWork, actor: Authority, input: EditApproval): Promise<ApprovalRow>;
}

export interface ApprovalEditDependencies extends TransitionDependencies {
  readonly clock: Clock;
  readonly approvals: ApprovalService;
  readonly gate: Gate;
  readonly tools: Pick<ToolService, 'checkTool' | 'validateArguments'>;
}

/** Largest arguments that are taken, bytes of JSON. */
export const maxEditedBytes = 1_000_000;

export function createApprovalEditService(deps: ApprovalEditDependencies): ApprovalEditService {
  const { approvals, clock } = deps;

  /** Execution first, then the request: in the order in which a dispatch locks them. */
  async function open(uow: UnitOfWork, actor: Authority, input: EditApproval) {
    const found = await approvals.findApproval(uow, actor, input.approvalId);
    if (!found) throw new NotFoundError(`there is no approval "${input.approvalId.slice(0, 80)}"`);
    if (!can(actor, 'approval.decide', found)) {
      throw new ForbiddenError('this needs the permission approval.decide, which you do not hold here');
    }
    const { executionId, stepId, itemIndex, subject } = found;
    if (executionId === null || stepId === null || subject.tool === null) throw new InvalidStateError(whyFixed(found));
    const slot: Slot = { stepId, itemIndex: itemIndex ?? -1 };
    const t = await beginTransition(deps, uow, executionId, [slot]);
    const approval = await lockApproval(uow, found.id);
    if (!t || !approval) throw new NotFoundError(`there is no approval "${input.approvalId.slice(0, 80)}"`);
    await refuseStranger(uow, actor, approval);
    if (slotState(t.state, slot)?.approvalId !== approval.id) throw new InvalidStateError('the step waits for another approval by now');
    if (input.expectedDigest !== approval.digest) {
      throw new ConflictError(
        `expectedDigest: this approval is for ${approval.digest}, not for ${input.expectedDigest.slice(0, 80)}; read it again before editing`,
      );
    }
    return { t, slot, approval };
  }

  /** Whoever may edit is whoever could decide, had they not edited or voted before. */
  async function refuseStranger(uow: UnitOfWork, actor: Authority, approval: ApprovalRow): Promise<void> {
    const now = clock.now();
    const { keyMakers, seats } = await decidingFacts(uow, actor, [approval], now);
    const right = rightToDecide({ ...approval, editedBy: null }, actor, { keyMakers, seats, votes: [] }, now);
    if (!right.ok) throw right.code === 'FORBIDDEN' ? new ForbiddenError(right.reason) : new InvalidStateError(right.reason);
    // Two editors would each be free to approve what the other one wrote into the same request.
    if (approval.editedBy !== null && approval.editedBy !== actor.principalId) {
      throw new ConflictError('somebody else has edited this approval; approve it, reject it, or leave a comment for the editor');
    }
  }

  /** What would run, once the tool has nothing against it. */
  async function passageOf(
    uow: UnitOfWork,
    t: Transition,
    slot: Slot,
    { subject }: ApprovalRow,
    args: Record<string, unknown>,
  ): Promise<Passage> {
    if (subject.tool === requestToolName) {
      const made = httpRequest(t.plan.steps.get(slot.stepId)!.http!, args);
      const problems = requestProblems(args, subject);
      if (!made.ok) problems.push({ path: 'arguments', message: made.message });
      if (problems.length > 0 || !made.ok) throw new ValidationError(problems);
      return passageOfRequest(slot, made.request);
    }
    const checked = await deps.tools.checkTool(uow, subject.tool!);
    if (!checked.ok) throw new InvalidStateError(`${subject.tool} cannot be called any more: ${checked.reason}`);
    const problems = deps.tools.validateArguments(checked.definition, args);
    if (problems.length > 0) throw new ValidationError(problems.map(({ path, ...rest }) => ({ ...rest, path: pathIn(path) })));
    return passageOfTool(slot, subject.tool!, checked.definition, args);
  }

  return {
    async editApproval(uow, actor, input) {
      const args = validated(input);
      const { t, slot, approval } = await open(uow, actor, input);
      const passage = await passageOf(uow, t, slot, approval, args);
      const { effect, signed } = passage;
      const asGiven = gateInput(clock, t, { ...effect, arguments: passage.arguments });
      const judgement = await deps.gate.judge(uow, asGiven, { ...referenceOf(t), ...stepOf(slot) }, { ...t.row, isRehearsal: true });
      const { verdict, decisionId, policyVersions } = judgement;
      if (verdict.effect === 'deny') {
        throw new InvalidStateError(`with these arguments it would be refused: ${verdict.reasons.join(' ')}`);
      }
      const subject = subjectOf(t, slot, { ...signed, arguments: passage.arguments, policies: policyVersions });
      if (subjectDigest(subject) === approval.digest) {
        throw new ValidationError([
          { path: 'arguments', message: 'are what is asked for already; change something, or approve it as it is' },
        ]);
      }
      const asks = verdict.effect === 'require_approval' ? approvalTerms(verdict) : null;
      const terms = asks && { reason: asks.reason, terms: await settledTerms(uow, asks.terms ?? { stages: [] }, approval.agentId) };
      const edited = await saveEdit(uow, {
        ...{ approval, subject, terms, decisionId, editedBy: actor.principalId, text: input.reason ?? '', at: clock.now() },
      });
      await scheduleClocks(uow, edited);
      tellOfApprovals(uow, 'approval.requested', [edited], clock.now());
      const note = { type: 'edited', digest: edited.digest, editedBy: actor.principalId } as const;
      await must(t.run({ type: 'note', slot, approvalId: edited.id, note }));
      await t.save();
      return edited;
    },
  };
}

function whyFixed({ toolCallId, executionId }: ApprovalRow): string {
  if (toolCallId !== null || executionId === null) {
    return 'arguments: an agent that runs elsewhere makes this call with its own arguments; reject it, and say in the note what they should be';
  }
  return 'arguments: nothing is called here, so there are none to edit; reject it, and say in the note what should be different';
}

function validated({ arguments: args, reason, expectedDigest }: EditApproval): Record<string, unknown> {
  const problems: Problem[] = [];
  const isObject = typeof args === 'object' && args !== null && !Array.isArray(args);
  if (!isObject) problems.push({ path: 'arguments', message: 'must be an object', expected: 'all arguments by name' });
  const text = isObject ? storableJson(args) : '{}';
  const bytes = Buffer.byteLength(text);
  if (bytes > maxEditedBytes)
    problems.push({ path: 'arguments', message: `are ${bytes} bytes of JSON; at most ${maxEditedBytes} are taken` });
  if (expectedDigest.length !== 64) problems.push({ path: 'expectedDigest', message: 'must be the digest that the approval shows' });
  if (reason != null && reason.length > maxNoteLength) {
    problems.push({ path: 'reason', message: `must have at most ${maxNoteLength} characters, has ${reason.length}` });
  }
  if (reason != null && !isStorableText(reason)) problems.push({ path: 'reason', message: unstorableText });
  if (problems.length > 0) throw new ValidationError(problems);
  // As it is stored it is shown, signed and run.
  return JSON.parse(text) as Record<string, unknown>;
}

/** The method decides how a request is repeated after a crash, so it belongs to the step. */
function requestProblems(args: Record<string, unknown>, subject: ApprovalSubject): Problem[] {
  const { method } = subject.arguments as { method: string };
  const known = ['method', 'url', 'headers', 'body'];
  const problems = Object.keys(args).flatMap((key): Problem[] =>
    known.includes(key) ? [] : [{ path: `arguments.${key.slice(0, 80)}`, message: 'is no part of a request', expected: known.join(', ') }],
  );
  if (args['method'] !== method) problems.push({ path: 'arguments.method', message: `must stay ${method}` });
  return problems;
}

const pathIn = (path: string): string => (path === '' ? 'arguments' : path.startsWith('[') ? `arguments${path}` : `arguments.${path}`);

// Carries prepared work out inside the transition: gate, approvals and the start of an effect, on exactly the arguments that will run.
import { answersOf } from '../approvals/approval-comments.ts';
import type { EventService } from '../events/event-service.ts';
import { storableJson } from '../platform/json.ts';
import { isRepeatable } from '../tools/tool.ts';
import type { ToolCheck, ToolService } from '../tools/tool-service.ts';
import type { ExecutionFailure } from './execution.ts';
import { startChild } from './children.ts';
import { refusalOfOutput } from './delivery.ts';
import { sendRequest } from './dispatch-http.ts';
import { receiveSignal } from './signals.ts';
import { insertItems } from './slot-store.ts';
import { passageOfTool } from './passage.ts';
import { argumentsToRun, askForApproval, must, passGate, subjectOf, useGrant, type GateDependencies } from './pass-gate.ts';
import type { Transition } from './transition.ts';
import type { Effect, Work } from './work.ts';

export interface DispatchDependencies extends GateDependencies {
  readonly events: EventService;
  readonly tools: Pick<ToolService, 'checkTool' | 'validateArguments'>;
}

/** Returns the effect to run after the commit, if the work is one and the gate let it pass. `check` of its tool, if made in this transaction. */
export async function carryOut(
  deps: DispatchDependencies,
  t: Transition,
  work: Work,
  jobId: string,
  check?: ToolCheck,
): Promise<Effect | null> {
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
    case 'complete':
      return madeOutput(deps, t, work);
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
      return toolCall(deps, t, work, jobId, check);
    case 'http':
      return sendRequest(deps, t, work, jobId);
    case 'finish': {
      const refusal = work.output === undefined ? null : await refusalOfOutput(deps, t, null, work.output);
      if (work.output !== undefined && !refusal) t.setOutput(work.output);
      await must(t.run({ type: 'finish', failure: work.failure, ...refusal }));
      return null;
    }
  }
}

/** What a step makes of other outputs is looked at like those. */
async function madeOutput(deps: DispatchDependencies, t: Transition, work: Extract<Work, { kind: 'complete' | 'reduce' }>): Promise<null> {
  const { slot, output } = work;
  const refusal = work.kind === 'complete' && work.branchCase !== undefined ? null : await refusalOfOutput(deps, t, slot, output);
  if (refusal) {
    await must(t.run({ type: 'block', slot, attempt: 0, ...refusal }));
    return null;
  }
  const outputBytes = Buffer.byteLength(output);
  if (work.kind === 'reduce') await must(t.run({ type: 'reduce', slot, outputBytes }, { output }));
  else await must(t.run({ type: 'complete', slot, outputBytes, branchCase: work.branchCase }, { output }));
  return null;
}

async function approvalStep(deps: DispatchDependencies, t: Transition, work: Extract<Work, { kind: 'approval' }>): Promise<null> {
  const { slot, title, reason, risk, expiresInMs, terms } = work;
  const subject = subjectOf(t, slot, { tool: null, toolDigest: null, arguments: work.show ?? null, policies: [] });
  const grant = await useGrant(deps, t, slot, subject);
  if (!grant) {
    await askForApproval(deps, t, slot, { source: 'step', title, reason, risk, expiresInMs, terms, subject });
    return null;
  }
  const answers = await answersOf(t.uow, grant.id);
  const output = storableJson({ decision: 'approved', by: grant.decidedBy, note: grant.note, ...(answers.length > 0 && { answers }) });
  await must(t.run({ type: 'complete', slot, outputBytes: Buffer.byteLength(output) }, { output }));
  return null;
}

async function toolCall(
  deps: DispatchDependencies,
  t: Transition,
  { slot, tool, arguments: asked, timeoutMs }: Extract<Work, { kind: 'tool' }>,
  jobId: string,
  check?: ToolCheck,
): Promise<Effect | null> {
  const checked = check ?? (await deps.tools.checkTool(t.uow, tool));
  if (!checked.ok) {
    const failure: ExecutionFailure = { code: checked.code, message: checked.reason, stepId: slot.stepId };
    if (checked.code === 'TOOL_CHANGED') await must(t.run({ type: 'block', slot, attempt: 0, failure }));
    else await must(t.run({ type: 'fail', slot, attempt: 0, failure, retryable: false, random: 0 }));
    return null;
  }
  const { definition } = checked;
  const signed = { tool, toolDigest: definition.digest };
  const { approval, arguments: args } = await argumentsToRun(deps, t, { slot, signed, arguments: asked });
  const problems = deps.tools.validateArguments(definition, args);
  if (problems.length > 0) {
    const message = `arguments of ${tool}: ${problems.map((problem) => `${problem.path} ${problem.message}`).join('; ')}`.slice(0, 2_000);
    const failure = { code: 'INVALID_ARGUMENTS', message, stepId: slot.stepId };
    await must(t.run({ type: 'fail', slot, attempt: 0, failure, retryable: false, random: 0 }));
    return null;
  }
  const started = await passGate(deps, t, { ...passageOfTool(slot, tool, definition, args), approval }, jobId);
  if (!started) return null;
  const { digest: toolDigest, remote = null } = definition;
  return { ...started, kind: 'tool', tool, toolDigest, remote, repeatable: isRepeatable(definition), timeoutMs };
}

// Random definitions and random lives for the pure machine: arbitraries for fast-check, and a driver that knows how each open slot
// can be answered. Knows nothing of what the machine should answer: the invariants stand in machine-invariants.ts.
import fc from 'fast-check';
import type { Definition, StepDefinition, StepKind } from '#src/agents/definition.ts';
import { isFinalExecution, isFinalStep, maxCollectedBytes, type ExecutionFailure } from '#src/executions/execution.ts';
import type { Command } from '#src/executions/machine-command.ts';
import { type ExecutionState, type Plan, type Slot, type SlotState } from '#src/executions/machine-state.ts';

/** `FC_SEED=… FC_PATH=… FC_RUNS=… npm test -- test/machine.test.ts` runs a printed failure, or more runs. */
export function runs(count: number): fc.Parameters<unknown> {
  const { FC_SEED, FC_PATH, FC_RUNS } = process.env;
  return {
    numRuns: FC_RUNS === undefined ? count : Number(FC_RUNS),
    ...(FC_SEED !== undefined && { seed: Number(FC_SEED) }),
    ...(FC_PATH !== undefined && { path: FC_PATH }),
  };
}

interface RawStep {
  readonly kind: StepKind;
  readonly needs: readonly number[];
  readonly when: boolean;
  readonly forEach: boolean;
  readonly concurrency: number;
  readonly maxAttempts: number;
  readonly onFailure: 'fail' | 'continue';
  /** Later steps that a branch leads to, by distance. */
  readonly targets: readonly number[];
}

const rawStep = (kinds: readonly StepKind[]): fc.Arbitrary<RawStep> =>
  fc.record({
    kind: fc.constantFrom(...kinds),
    needs: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
    when: fc.boolean(),
    forEach: fc.boolean(),
    concurrency: fc.integer({ min: 1, max: 3 }),
    maxAttempts: fc.integer({ min: 1, max: 3 }),
    onFailure: fc.constantFrom('fail', 'continue', 'continue'),
    targets: fc.uniqueArray(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }),
  });

const allKinds: readonly StepKind[] = ['tool', 'tool', 'tool', 'transform', 'approval', 'wait', 'branch'];

/** A directed graph without cycles: each step needs earlier ones only; a branch leads to later ones that nothing else leads to. */
export function arbitraryDefinition(maxSteps = 7, kinds = allKinds): fc.Arbitrary<Definition> {
  return fc.array(rawStep(kinds), { minLength: 1, maxLength: maxSteps, size: 'max' }).map((raw) => {
    const needs = raw.map(({ needs: distances }, index) => new Set(distances.map((distance) => index - distance).filter((at) => at >= 0)));
    const led = new Set<number>();
    const branches = raw.map(({ kind, targets }, index) => {
      if (kind !== 'branch') return undefined;
      const own = targets.map((distance) => index + distance).filter((at) => at < raw.length && !led.has(at));
      for (const at of own) {
        led.add(at);
        needs[at]!.add(index);
      }
      return [...own.map((at) => ({ when: `inputs.b${index}_${at}`, then: [`s${at}`] })), { then: [] }];
    });
    return definitionOf(raw.map((step, index) => stepOf(step, index, [...needs[index]!], branches[index])));
  });
}

function stepOf(raw: RawStep, index: number, needs: readonly number[], branch: StepDefinition['branch']): StepDefinition {
  const { kind } = raw;
  return {
    id: `s${index}`,
    kind,
    needs: needs.map((at) => `s${at}`),
    ...(raw.when && { when: `inputs.w${index}` }),
    ...(raw.forEach && (kind === 'tool' || kind === 'transform') && { forEach: `inputs.f${index}` }),
    concurrency: raw.concurrency,
    retry: { maxAttempts: kind === 'tool' ? raw.maxAttempts : 1, initialMs: 100, factor: 2, maxMs: 1_000 },
    timeoutMs: 1_000,
    onFailure: raw.onFailure,
    ...(kind === 'tool' && { tool: { name: 'test.any', with: {} } }),
    ...(kind === 'transform' && { transform: `inputs.t${index}` }),
    ...(kind === 'approval' && { approval: { title: 'ok?', reason: '', risk: 'low' as const, expiresInMs: 60_000, show: null } }),
    ...(kind === 'wait' && { wait: { durationMs: 1_000 } }),
    ...(branch && { branch }),
  };
}

export function definitionOf(steps: readonly StepDefinition[]): Definition {
  return {
    name: 'random',
    version: '1.0.0',
    description: '',
    tags: [],
    capabilities: { read: true, write: true, notify: true, execute: true },
    destinations: [],
    tools: ['test.any'],
    inputs: {},
    steps,
  };
}

/** Numbers that decide everything else; they begin anew once they are used up. */
export type Tape = () => number;

export function tapeOf(numbers: readonly number[]): Tape {
  let at = 0;
  return () => numbers[at++ % numbers.length] ?? 0;
}

const pick = <T>(tape: Tape, options: readonly T[]): T => options[tape() % options.length]!;

const failure: ExecutionFailure = { code: 'TEST', message: 'as the test says' };

/** Slots that somebody has to answer: open leaves, never an expanded step. */
export function openSlots(state: ExecutionState): { slot: Slot; current: SlotState }[] {
  const steps = [...state.steps]
    .filter(([, step]) => !isFinalStep(step.status) && !step.items)
    .map(([stepId, current]) => ({ slot: { stepId, itemIndex: -1 }, current: current as SlotState }));
  const items = [...state.items]
    .filter(([, item]) => !isFinalStep(item.status))
    .map(([key, current]) => {
      const [stepId, index] = key.split('#') as [string, string];
      return { slot: { stepId, itemIndex: Number(index) }, current };
    });
  return [...steps, ...items];
}

/** A command that an open slot allows now or at `at`; what it is, the tape decides. */
export function answer(plan: Plan, slot: Slot, current: SlotState, tape: Tape): Command {
  const step = plan.steps.get(slot.stepId)!;
  const random = (tape() % 100) / 100;
  switch (current.status) {
    case 'queued':
      return answerQueued(step, slot, current, tape);
    case 'running':
      return pick<Command>(tape, [
        ...Array.from({ length: 6 }, (): Command => ({ type: 'succeed', slot, attempt: current.attempt, outputBytes: bytes(tape) })),
        { type: 'fail', slot, attempt: current.attempt, failure, retryable: true, random },
        { type: 'fail', slot, attempt: current.attempt, failure, retryable: false, random },
        { type: 'interrupt', slot, attempt: current.attempt, repeatable: true, random },
        { type: 'interrupt', slot, attempt: current.attempt, repeatable: false, random },
      ]);
    case 'awaiting_approval': {
      const outcome = pick(tape, ['approved', 'approved', 'approved', 'approved', 'rejected', 'expired'] as const);
      return { type: 'resolveApproval', slot, approvalId: current.approvalId!, outcome, decidedBy: 'someone', failure };
    }
    default:
      return { type: 'wake', slot };
  }
}

/** Mostly small; sometimes so large that the items of a forEach give too much together. */
const bytes = (tape: Tape): number => (tape() % 8 === 0 ? maxCollectedBytes / 2 : 0) + (tape() % 1_000);

function answerQueued(step: StepDefinition, slot: Slot, current: SlotState, tape: Tape): Command {
  const approvalId = `approval-${slot.stepId}-${slot.itemIndex}-${current.attempt}`;
  const ask: Command = { type: 'requestApproval', slot, approvalId, expiresAt: 60_000 };
  const fail: Command = { type: 'fail', slot, attempt: 0, failure, retryable: false, random: 0 };
  const skip: Command[] = step.when !== undefined && slot.itemIndex < 0 && current.attempt === 0 ? [{ type: 'skip', slot }] : [];
  if (step.forEach !== undefined && slot.itemIndex < 0) {
    return pick<Command>(tape, [{ type: 'expand', stepId: slot.stepId, total: tape() % 6 }, ...skip, fail]);
  }
  switch (step.kind) {
    case 'tool': {
      const asks = current.approvalId === null ? [ask] : [];
      const dispatch: Command = { type: 'dispatch', slot, decisionId: 'decision' };
      return pick<Command>(tape, [dispatch, dispatch, dispatch, ...asks, { type: 'block', slot, failure }, ...skip, fail]);
    }
    case 'transform':
      return pick<Command>(tape, [{ type: 'complete', slot, outputBytes: bytes(tape) }, ...skip, fail]);
    case 'approval':
      return current.approvalId === null ? pick<Command>(tape, [ask, ...skip]) : { type: 'complete', slot, outputBytes: 10 };
    case 'wait':
      return pick<Command>(tape, [{ type: 'wait', slot, wakeAt: 1_000_000 }, ...skip]);
    case 'branch': {
      const branchCase = pick(tape, [null, ...step.branch!.keys()]);
      return pick<Command>(tape, [{ type: 'complete', slot, outputBytes: 10, branchCase }, ...skip]);
    }
  }
}

/** The next command of a driver that answers every open slot; null when the execution is final. */
export function drive(plan: Plan, state: ExecutionState, tape: Tape): Command | null {
  if (isFinalExecution(state.status)) return null;
  if (state.lastSequence === 0) return { type: 'queue', requestedBy: 'someone' };
  if (state.status === 'queued') return { type: 'start' };
  const open = openSlots(state);
  if (open.length === 0) return { type: 'finish', failure: pick(tape, [undefined, undefined, failure]) };
  const { slot, current } = pick(tape, open);
  return answer(plan, slot, current, tape);
}

const stepIds = ['s0', 's1', 's2', 's3', 's4', 's5', 's6', 'unknown'];

/** Any command about any slot, mostly illegal. */
export function anyCommand(state: ExecutionState, tape: Tape): Command {
  const slot: Slot = { stepId: pick(tape, stepIds), itemIndex: pick(tape, [-1, -1, 0, 1, 2, 7]) };
  const attempt = tape() % 4;
  const random = 0.5;
  const known = state.steps.get(slot.stepId)?.approvalId ?? 'no approval';
  return pick<() => Command>(tape, [
    () => ({ type: 'queue', requestedBy: 'someone' }),
    () => ({ type: 'start' }),
    () => ({ type: 'skip', slot }),
    () => ({ type: 'expand', stepId: slot.stepId, total: tape() % 5 }),
    () => ({ type: 'dispatch', slot, decisionId: 'decision' }),
    () => ({ type: 'complete', slot, outputBytes: 1, branchCase: pick(tape, [undefined, null, 0, 9]) }),
    () => ({ type: 'succeed', slot, attempt, outputBytes: 1 }),
    () => ({ type: 'fail', slot, attempt, failure, retryable: tape() % 2 === 0, random }),
    () => ({ type: 'block', slot, failure }),
    () => ({ type: 'requestApproval', slot, approvalId: 'another', expiresAt: 1 }),
    () => ({ type: 'resolveApproval', slot, approvalId: pick(tape, [known, 'wrong']), outcome: 'approved', decidedBy: '', failure }),
    () => ({ type: 'wait', slot, wakeAt: tape() % 5_000 }),
    () => ({ type: 'wake', slot }),
    () => ({ type: 'interrupt', slot, attempt, repeatable: tape() % 2 === 0, random }),
    () => ({ type: 'finish' }),
    () => ({ type: 'finish', failure }),
    () => (tape() % 20 === 0 ? { type: 'abandon', failure } : { type: 'finish' }),
  ])();
}

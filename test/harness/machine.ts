// Random definitions and random lives for the pure machine: arbitraries for fast-check, and a driver that knows how each open slot
// can be answered. Knows nothing of what the machine should answer: the invariants stand in machine-invariants.ts.
import fc from 'fast-check';
import type { Definition, StepDefinition, StepKind } from '#src/agents/definition.ts';
import { isFinalExecution, isFinalStep, maxCollectedBytes, type ExecutionFailure } from '#src/executions/execution.ts';
import type { ApprovalNote } from '#src/approvals/approval-log.ts';
import type { Command, ReusedStep } from '#src/executions/machine-command.ts';
import {
  wholeExecution,
  type ExecutionState,
  type ItemCounters,
  type ItemRanges,
  type Plan,
  type Slot,
  type SlotState,
  type StepState,
} from '#src/executions/machine-state.ts';

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
  readonly repeat: 'forEach' | 'reduce' | 'loop' | null;
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
    repeat: fc.constantFrom(null, null, 'forEach' as const, 'reduce' as const, 'loop' as const),
    concurrency: fc.integer({ min: 1, max: 3 }),
    maxAttempts: fc.integer({ min: 1, max: 3 }),
    onFailure: fc.constantFrom('fail', 'continue', 'continue'),
    targets: fc.uniqueArray(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }),
  });

const allKinds: readonly StepKind[] = ['tool', 'tool', 'http', 'agent', 'transform', 'approval', 'wait', 'wait', 'branch'];

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
  const isRepeated = kind === 'tool' || kind === 'http' || kind === 'agent' || kind === 'transform';
  const isEffect = isRepeated && kind !== 'transform';
  return {
    id: `s${index}`,
    kind,
    needs: needs.map((at) => `s${at}`),
    ...(raw.when && { when: `inputs.w${index}` }),
    ...(isRepeated && (raw.repeat === 'forEach' || raw.repeat === 'reduce') && { forEach: `inputs.f${index}` }),
    ...(isRepeated && raw.repeat === 'reduce' && { reduce: '$count(items)' }),
    ...(isRepeated && raw.repeat === 'loop' && { loop: { until: 'index >= 1', max: 3, everyMs: raw.concurrency === 1 ? 1_000 : 0 } }),
    concurrency: raw.concurrency,
    retry: { maxAttempts: isEffect ? raw.maxAttempts : 1, initialMs: 100, factor: 2, maxMs: 1_000 },
    timeoutMs: 1_000,
    onFailure: raw.onFailure,
    ...(kind === 'tool' && { tool: { name: 'test.any', with: {} } }),
    ...(kind === 'http' && {
      http: { method: 'GET' as const, url: 'https://example.com', headers: {}, expect: [[200, 299]] as const, maxBytes: 1 },
    }),
    ...(kind === 'agent' && { agent: { name: 'another', with: {}, onParentEnd: 'cancel' as const } }),
    ...(kind === 'transform' && { transform: `inputs.t${index}` }),
    ...(kind === 'approval' && { approval: { title: 'ok?', reason: '', risk: 'low' as const, expiresInMs: 60_000, show: null } }),
    ...(kind === 'wait' && { wait: raw.maxAttempts === 1 ? { signal: 'go', timeoutMs: 1_000 } : { durationMs: 1_000 } }),
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
    .filter(([, step]) => !isFinalStep(step.status) && (!step.items || step.status === 'queued'))
    .map(([stepId, current]) => ({ slot: { stepId, itemIndex: -1 }, current: current as SlotState }));
  const items = [...state.items]
    .filter(([, item]) => !isFinalStep(item.status))
    .map(([key, current]) => {
      const [stepId, index] = key.split('#') as [string, string];
      return { slot: { stepId, itemIndex: Number(index) }, current };
    });
  return [...steps, ...items];
}

/** A command that an open slot allows now or at `at`; what it is, the tape decides. Only what is early is put off or halted, or a life might never end. */
export function answer(plan: Plan, slot: Slot, current: SlotState | StepState, tape: Tape, isEarly = true): Command {
  const step = plan.steps.get(slot.stepId)!;
  const random = (tape() % 100) / 100;
  switch (current.status) {
    case 'queued':
      return answerQueued(step, slot, current, tape, isEarly);
    case 'waiting': {
      if (step.kind === 'agent' && current.wakeAt === null) {
        const { attempt } = current;
        return pick<Command>(tape, [
          { type: 'succeed', slot, attempt, outputBytes: bytes(tape) },
          { type: 'fail', slot, attempt, failure, retryable: tape() % 2 === 0, random },
          { type: 'block', slot, attempt, failure },
        ]);
      }
      if (current.signal === null) return { type: 'wake', slot, early: step.loop === undefined && tape() % 2 === 0 };
      const receive: Command = { type: 'receive', slot, signalId: 'signal', name: current.signal, outputBytes: 10 };
      return current.wakeAt === null ? receive : pick<Command>(tape, [receive, { type: 'wake', slot }]);
    }
    case 'running':
      return pick<Command>(tape, [
        ...Array.from({ length: 6 }, (): Command => ({ type: 'succeed', slot, attempt: current.attempt, outputBytes: bytes(tape) })),
        { type: 'fail', slot, attempt: current.attempt, failure, retryable: true, random },
        { type: 'fail', slot, attempt: current.attempt, failure, retryable: false, random },
        { type: 'interrupt', slot, attempt: current.attempt, repeatable: true, random },
        ...(isEarly ? [haltOf(slot, current.attempt)] : []),
        { type: 'interrupt', slot, attempt: current.attempt, repeatable: false, random },
        { type: 'block', slot, attempt: current.attempt, failure, decisionId: 'decision' },
      ]);
    case 'awaiting_approval': {
      const outcome = pick(tape, ['approved', 'approved', 'approved', 'approved', 'rejected', 'expired'] as const);
      return { type: 'resolveApproval', slot, approvalId: current.approvalId!, outcome, decidedBy: 'someone', failure };
    }
    default:
      throw new Error(`a slot that is ${current.status} is not open`);
  }
}

const haltOf = (slot: Slot, attempt: number): Command => ({
  type: 'halt',
  slot,
  attempt,
  killSwitchId: 'switch',
  reason: 'as the test says',
});

/** Mostly small; sometimes so large that the items of a forEach give too much together. */
const bytes = (tape: Tape): number => (tape() % 8 === 0 ? maxCollectedBytes / 2 : 0) + (tape() % 1_000);

function answerQueued(step: StepDefinition, slot: Slot, current: SlotState | StepState, tape: Tape, isEarly: boolean): Command {
  if (current.haltedBy !== null) return { type: 'continue', slot };
  const approvalId = `approval-${slot.stepId}-${slot.itemIndex}-${current.attempt}`;
  const ask: Command = { type: 'requestApproval', slot, approvalId, expiresAt: 60_000 };
  const fail: Command = { type: 'fail', slot, attempt: 0, failure, retryable: false, random: 0 };
  const skip: Command[] = step.when !== undefined && slot.itemIndex < 0 && current.attempt === 0 ? [{ type: 'skip', slot }] : [];
  const items = 'items' in current ? current.items : null;
  if (items) return answerAgain(step, slot, items, tape, fail);
  if (step.loop !== undefined && slot.itemIndex < 0) {
    return pick<Command>(tape, [{ type: 'expand', slot, total: step.loop.max }, ...skip, fail]);
  }
  if (step.forEach !== undefined && slot.itemIndex < 0) {
    return pick<Command>(tape, [{ type: 'expand', slot, total: tape() % 6 }, ...skip, fail]);
  }
  switch (step.kind) {
    case 'agent': {
      const start: Command = { type: 'startChild', slot, decisionId: 'decision', childId: `child-${slot.stepId}-${current.attempt}` };
      return pick<Command>(tape, [start, start, start, { type: 'block', slot, attempt: 0, failure }, ...skip, fail]);
    }
    case 'tool':
    case 'http': {
      const asks = current.approvalId === null ? [ask] : [];
      const dispatch: Command = { type: 'dispatch', slot, decisionId: 'decision' };
      const defer: Command = { type: 'defer', slot, wakeAt: 1_000, decisionId: 'decision' };
      return pick<Command>(tape, [
        dispatch,
        dispatch,
        dispatch,
        ...(isEarly ? [defer, haltOf(slot, 0)] : []),
        ...asks,
        { type: 'block', slot, attempt: 0, failure },
        ...skip,
        fail,
      ]);
    }
    case 'transform':
      return pick<Command>(tape, [
        { type: 'complete', slot, outputBytes: bytes(tape) },
        { type: 'complete', slot, outputBytes: bytes(tape) },
        { type: 'block', slot, attempt: 0, failure, decisionId: 'decision' },
        ...skip,
        fail,
      ]);
    case 'approval':
      return current.approvalId === null ? pick<Command>(tape, [ask, ...skip]) : { type: 'complete', slot, outputBytes: 10 };
    case 'wait': {
      const { wait } = step;
      const name = wait && 'signal' in wait ? wait.signal : null;
      const wakeAt = pick(tape, [null, 1_000_000]);
      return pick<Command>(tape, [
        name === null ? { type: 'wait', slot, wakeAt: 1_000_000 } : { type: 'awaitSignal', slot, name, wakeAt },
        ...skip,
      ]);
    }
    case 'branch': {
      const branchCase = pick(tape, [null, ...step.branch!.keys()]);
      return pick<Command>(tape, [{ type: 'complete', slot, outputBytes: 10, branchCase }, ...skip]);
    }
  }
}

/** A step that has its items: to be gone on with after a retry, to be reduced, or a loop between two iterations. */
function answerAgain(step: StepDefinition, slot: Slot, items: ItemCounters, tape: Tape, fail: Command): Command {
  if (step.loop) {
    const wakeAt = step.loop.everyMs > 0 ? 1_000 : undefined;
    return pick<Command>(tape, [
      { type: 'iterate', slot, done: false, outputBytes: 10, wakeAt },
      { type: 'iterate', slot, done: tape() % 2 === 0, outputBytes: 10, wakeAt },
      fail,
    ]);
  }
  if (items.done === items.total && step.reduce !== undefined)
    return pick<Command>(tape, [
      { type: 'reduce', slot, outputBytes: 10 },
      { type: 'block', slot, attempt: 0, failure, decisionId: 'decision' },
      fail,
    ]);
  return { type: 'expand', slot, total: items.total };
}

/** The next command of a driver that answers every open slot; null when the execution is final. */
export function drive(plan: Plan, state: ExecutionState, tape: Tape): Command | null {
  if (isFinalExecution(state.status)) return null;
  if (state.lastSequence === 0) return { type: 'queue', requestedBy: 'someone', startAt: pick(tape, [undefined, undefined, 1_000]) };
  if (state.status === 'paused') return { type: 'resume', resumedBy: 'someone' };
  const isEarly = state.lastSequence < 60;
  if (isEarly && tape() % 40 === 0) return { type: 'pause', reason: 'why not', pausedBy: 'someone' };
  if (isEarly && tape() % 40 === 0) return { type: 'signal', signalId: 'signal', name: 'go', sentBy: 'someone' };
  const steps = state.lastSequence === 1 && tape() % 4 === 0 ? reusable(plan, tape) : [];
  if (steps.length > 0) return { type: 'reuse', steps };
  if (!state.begun) return answerStart(state, tape);
  const open = openSlots(state);
  if (open.length === 0) {
    const refused = { type: 'finish', failure, decisionId: 'decision' } as const;
    return pick<Command>(tape, [{ type: 'finish' }, { type: 'finish' }, { type: 'finish', failure }, refused]);
  }
  const { slot, current } = pick(tape, open);
  return answer(plan, slot, current, tape, isEarly);
}

/** Mostly it may begin. */
function answerStart({ approvalId, lastSequence }: ExecutionState, tape: Tape): Command {
  if (approvalId !== null) {
    if (lastSequence < 10 && tape() % 3 === 0) return { type: 'note', slot: wholeExecution, approvalId, note: pick(tape, notes) };
    const outcome = pick(tape, ['approved', 'approved', 'approved', 'rejected', 'expired'] as const);
    return { type: 'resolveStart', approvalId, outcome, decidedBy: 'someone', failure };
  }
  const start: Command = { type: 'start' };
  if (lastSequence > 10) return start;
  return pick<Command>(tape, [
    ...Array.from({ length: 6 }, () => start),
    { type: 'deferStart', startAt: 2_000, decisionId: 'decision' },
    { type: 'requestStart', approvalId: `start-${lastSequence}`, expiresAt: 60_000 },
    ...(tape() % 8 === 0 ? [{ type: 'refuseStart' as const, failure, decisionId: 'decision' }] : []),
  ]);
}

/** Some steps, each with all that it needs: done before, or in part. */
function reusable(plan: Plan, tape: Tape): ReusedStep[] {
  const steps: ReusedStep[] = [];
  const done = new Set<string>();
  for (const { id, needs, forEach } of plan.definition.steps) {
    if (!needs.every((need) => done.has(need)) || tape() % 3 === 0) continue;
    if (forEach !== undefined && tape() % 2 === 0) {
      const items = {
        total: 5,
        ranges: pick<ItemRanges>(tape, [
          [],
          [[0, 0]],
          [
            [1, 2],
            [4, 4],
          ],
          [[0, 4]],
        ]),
      };
      steps.push({ stepId: id, status: 'pending', outputBytes: 10, items });
    } else {
      done.add(id);
      steps.push({ stepId: id, status: pick(tape, ['succeeded', 'succeeded', 'skipped', 'failed'] as const), outputBytes: 10 });
    }
  }
  return steps;
}

const stepIds = ['s0', 's1', 's2', 's3', 's4', 's5', 's6', 'unknown'];

/** Something that is said about a request before it is answered. */
export const noteOn = ({ slot, approvalId }: Extract<Command, { type: 'resolveApproval' }>, tape: Tape): Command => {
  return { type: 'note', slot, approvalId, note: pick(tape, notes) };
};

const notes: readonly ApprovalNote[] = [
  { type: 'voted', votedBy: 'someone', stage: 0 },
  { type: 'advanced', stage: 1 },
  { type: 'escalated', stage: 0 },
  { type: 'warned', expiresAt: '2026-11-21T10:00:00.000Z' },
  { type: 'extended', extendedBy: 'someone', expiresAt: '2026-11-21T10:00:00.000Z' },
  { type: 'delegated', delegatedBy: 'someone', delegateId: 'another' },
  { type: 'edited', digest: 'digest', editedBy: 'someone' },
  { type: 'commented', commentId: 'comment', commentKind: 'question', commentedBy: 'someone' },
];

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
    () => ({ type: 'expand', slot, total: tape() % 5 }),
    () => ({ type: 'dispatch', slot, decisionId: 'decision' }),
    () => ({ type: 'complete', slot, outputBytes: 1, branchCase: pick(tape, [undefined, null, 0, 9]) }),
    () => ({ type: 'succeed', slot, attempt, outputBytes: 1 }),
    () => ({ type: 'fail', slot, attempt, failure, retryable: tape() % 2 === 0, random }),
    () => ({ type: 'block', slot, attempt: pick(tape, [0, attempt]), failure }),
    () => ({ type: 'defer', slot, wakeAt: tape() % 5_000, decisionId: 'decision' }),
    () => ({ type: 'deferStart', startAt: tape() % 5_000, decisionId: 'decision' }),
    () => ({ type: 'requestStart', approvalId: 'another', expiresAt: 1 }),
    () => ({ type: 'resolveStart', approvalId: state.approvalId ?? 'wrong', outcome: 'approved', decidedBy: '', failure }),
    () => (tape() % 20 === 0 ? { type: 'refuseStart', failure } : { type: 'start' }),
    () => ({ type: 'requestApproval', slot, approvalId: 'another', expiresAt: 1 }),
    () => ({ type: 'resolveApproval', slot, approvalId: pick(tape, [known, 'wrong']), outcome: 'approved', decidedBy: '', failure }),
    () => ({ type: 'note', slot, approvalId: pick(tape, [known, known, 'wrong']), note: pick(tape, notes) }),
    () => ({ type: 'note', slot: wholeExecution, approvalId: state.approvalId ?? 'wrong', note: pick(tape, notes) }),
    () => ({ type: 'wait', slot, wakeAt: tape() % 5_000 }),
    () => ({ type: 'wake', slot, early: tape() % 2 === 0 }),
    () => ({ type: 'pause', reason: '', pausedBy: 'someone' }),
    () => ({ type: 'resume', resumedBy: 'someone' }),
    () => ({ type: 'iterate', slot, done: tape() % 2 === 0, outputBytes: 1 }),
    () => ({ type: 'reduce', slot, outputBytes: 1 }),
    () => ({ type: 'startChild', slot, decisionId: 'decision', childId: 'child' }),
    () => ({ type: 'awaitSignal', slot, name: 'go', wakeAt: null }),
    () => ({ type: 'receive', slot, signalId: 'signal', name: pick(tape, ['go', 'stop']), outputBytes: 1 }),
    () => ({ type: 'reuse', steps: [{ stepId: slot.stepId, status: 'succeeded', outputBytes: 1 }] }),
    () => ({ type: 'interrupt', slot, attempt, repeatable: tape() % 2 === 0, random }),
    () => ({ type: 'finish' }),
    () => ({ type: 'finish', failure }),
    () => (tape() % 20 === 0 ? { type: 'abandon', failure } : { type: 'finish' }),
  ])();
}

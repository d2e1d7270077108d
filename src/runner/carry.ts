// Carries one execution forward for as long as a step is ready: finish step N, pass the gate and start step N+1 in one transaction,
// then run the effect outside of any. A job that runs again after a crash finds what it carried and goes on from there.
import { carryOut, type DispatchDependencies } from '../executions/dispatch.ts';
import { isFinalStep, type ExecutionFailure } from '../executions/execution.ts';
import { readInputs } from '../executions/execution-reads.ts';
import { lockExecution } from '../executions/execution-head.ts';
import { slotsOfJobs } from '../executions/slot-store.ts';
import type { Command } from '../executions/machine-command.ts';
import { decide } from '../executions/machine.ts';
import { slotKey, slotState, statusOf, type ExecutionState, type Plan, type Slot } from '../executions/machine-state.ts';
import { loadScope, outputReferences, referencesOf, seesItems, type ResultCache } from '../executions/scope.ts';
import { beginStart } from '../executions/start-gate.ts';
import { allStepsEnded, beginTransition, readySlots, type Transition, type TransitionDependencies } from '../executions/transition.ts';
import { prepareFinish, prepareSlot, type Effect, type Work } from '../executions/work.ts';
import type { Evaluator } from '../expressions/evaluator.ts';
import { maxRuns } from '../jobs/jobs.ts';
import type { Database } from '../platform/database.ts';
import { asStored } from '../platform/json.ts';
import { holdRules } from '../authority/rules-lock.ts';
import { recordHalt } from './halting.ts';
import { commandOf, conclude, delivered, noticed, type EffectResult } from './outcome.ts';
import { persistently } from './persistently.ts';
import { isStillOpen, notYetDue, resume, type CarriedJob, type ResumeDependencies } from './resume.ts';

export type { EffectResult } from './outcome.ts';
export type { CarriedJob } from './resume.ts';

export interface CarryDependencies extends TransitionDependencies, DispatchDependencies, Pick<ResumeDependencies, 'random'> {
  readonly database: Database;
  readonly evaluator: Evaluator;
  /** Runs an effect to its end; never throws. */
  readonly perform: (tenantId: string, executionId: string, effect: Effect) => Promise<EffectResult>;
  /** True once the process is shutting down: finish what runs, start nothing new. */
  readonly isDraining: () => boolean;
  /** How long the commit of an effect's result may wait for the work that follows it to be prepared; milliseconds, 100 when absent. */
  readonly aheadMs?: number | undefined;
  /** How long one job goes on from step to step before the next one has to queue behind other work; milliseconds, 2,000 when absent. */
  readonly sliceMs?: number | undefined;
}

interface Memory {
  plan: Plan | null;
  inputs: unknown;
  /** As this job committed it last; its steps, and of the items only the one it holds. */
  state: ExecutionState | null;
  readonly results: ResultCache;
  /** From then on the next slot gets a job of its own, so that a long list or chain leaves its place to others now and then. */
  readonly until: number;
  turns: number;
  /** Work that took too long to be prepared before the commit it was to share: ready for the turn after it. */
  prepared: { readonly next: Slot | 'finish'; readonly work: Promise<Work> } | null;
}

type Next = Slot | 'finish' | null;
type Turn = { readonly effect: Effect | null; readonly next: Next };

export async function carry(deps: CarryDependencies, job: CarriedJob): Promise<void> {
  const until = performance.now() + (deps.sliceMs ?? 2_000);
  const memory: Memory = { plan: null, inputs: null, state: null, results: new Map(), prepared: null, until, turns: 0 };
  let turn = await begin(deps, job, memory);
  while (turn.next !== null || turn.effect !== null) {
    const { effect, next } = turn;
    const result = effect && { effect, outcome: noticed(effect, await deps.perform(job.tenantId, job.executionId, effect)) };
    if (result?.outcome.kind === 'dropped') return;
    turn = result
      ? await persistently(
          () => takeTurn(deps, job, memory, next, result),
          (done) => done === stale,
        )
      : await takeTurn(deps, job, memory, next, null);
    if (turn === overtaken) turn = await begin(deps, job, memory);
  }
}

/** There is no such execution. */
const nothing: Turn = { effect: null, next: null };
/** Another runner took over, or the execution ended: this process is late and commits nothing. */
const stale: Turn = { effect: null, next: null };
/** The slot this job was about to start is no longer as it was: it looks again. A job that replaces another may have lost to it. */
const overtaken: Turn = { effect: null, next: null };

/** Without this, work that can never be carried on (a defect, a step that kills each runner) would be left lying, open for ever. */
const givenUp: ExecutionFailure = {
  code: 'ENGINE_FAILED',
  message: `the execution could not be carried on in ${maxRuns} tries; the log of the runners says why`,
};

/**
 * Opens the execution or picks up what this job left behind; gives the slot to go on with. An execution that begins with this also
 * starts its first step, when nothing has to be read for it: one commit less.
 */
async function begin(deps: CarryDependencies, job: CarriedJob, memory: Memory): Promise<Turn> {
  return deps.database.write(job.tenantId, async (uow) => {
    holdRules(uow);
    // Locked first: what is carried by whom must not change between looking and taking.
    const mine =
      job.before.length > 0 && (await lockExecution(uow, job.executionId)) ? await slotsOfJobs(uow, job.executionId, job.before) : [];
    const slots = mine.length > 0 ? mine : job.slot ? [job.slot] : [];
    const [t, inputs] = await Promise.all([beginTransition(deps, uow, job.executionId, slots), readInputs(uow, job.executionId)]);
    if (!t) return nothing;
    memory.plan = t.plan;
    memory.inputs = inputs;
    if (job.run >= maxRuns) {
      await t.run({ type: 'abandon', failure: givenUp });
      return { effect: null, next: await commit(deps, job, memory, t, null) };
    }
    let isNew = false;
    if (slots.length === 0 && !t.state.begun) {
      if (t.state.startAt !== null && t.state.startAt > deps.clock.now().getTime()) await notYetDue(deps, t, t.state.startAt, job);
      else isNew = await beginStart(deps, t, inputs);
    }
    const ready: Slot[] = [];
    for (const slot of slots) if ((await resume(deps, t, slot, job)) === 'go') ready.push(slot);
    const [mineNext, ...others] = ready;
    for (const slot of others) t.release(slot, job.before);
    const next = mineNext ?? (t.complete() ? 'finish' : nextOf(t));
    const effect = isNew ? await startFirst(deps, job, memory, t, next) : undefined;
    return {
      effect: effect ?? null,
      next: await commit(deps, job, memory, t, effect === undefined ? next : effect ? null : nextOf(t), effect?.slot),
    };
  });
}

/** Carries out the first step of a new execution in the transaction that begins it; undefined when it gets a turn of its own. */
async function startFirst(
  deps: CarryDependencies,
  job: CarriedJob,
  memory: Memory,
  t: Transition,
  next: Next,
): Promise<Effect | null | undefined> {
  if (next === null || next === 'finish' || deps.isDraining() || referencesFor(t.plan, next).length > 0) return undefined;
  // A list or loop that is taken over in part: its items are looked at.
  if (t.state.steps.get(next.stepId)?.items) return undefined;
  const work = await prepared(deps, job, memory, next, true);
  if (work === null) return undefined;
  memory.turns += 1;
  return carryOut(deps, t, work, job.id);
}

/** One transaction: record how the last effect ended, and carry out the work that is next if it is what was foreseen. */
async function takeTurn(
  deps: CarryDependencies,
  job: CarriedJob,
  memory: Memory,
  next: Next,
  result: { effect: Effect; outcome: EffectResult } | null,
): Promise<Turn> {
  memory.turns += 1;
  const ended = result && commandOf(deps.random(), result.effect, result.outcome);
  const foreseen = ended ? foresee(deps, memory, result.effect.slot, ended) : next;
  if (result?.outcome.kind === 'succeeded') remember(memory, result.effect.slot, result.outcome.output);
  // Even then a complete execution gets its end: it is short, and only this job would do it.
  const stops = (deps.isDraining() || (ended !== null && isOver(memory))) && foreseen !== 'finish';
  const work = foreseen === null || stops ? null : await prepared(deps, job, memory, foreseen, ended !== null);

  return deps.database.write(job.tenantId, async (uow) => {
    holdRules(uow);
    const slots = [...(result ? [result.effect.slot] : []), ...(foreseen !== null && foreseen !== 'finish' ? [foreseen] : [])];
    // The look at the tool travels with the lock.
    const [t, check] = await Promise.all([
      beginTransition(deps, uow, job.executionId, slots, memory.state),
      work?.kind === 'tool' ? deps.tools.checkTool(uow, work.tool) : undefined,
    ]);
    if (!t) return nothing;
    let actual: Next = foreseen;
    let isForeseen = true;
    if (!ended && !(foreseen === 'finish' ? t.complete() : foreseen && isStillOpen(deps, t, foreseen, job, memory.state))) return overtaken;
    if (ended) {
      const delivery = await delivered(deps, t, result.effect, result.outcome);
      if (delivery) {
        // What follows was prepared with another output.
        isForeseen = false;
        memory.results.delete(result.effect.slot.stepId);
      }
      const refusal = ended.type === 'halt' ? await recordHalt(t, ended) : await conclude(t, ended, result.outcome, delivery);
      if (refusal !== null) return stale;
      actual = nextOf(t);
    }
    let effect: Effect | null = null;
    if (work !== null && isForeseen && sameNext(actual, foreseen)) {
      effect = await carryOut(deps, t, work, job.id, check);
      actual = effect ? null : nextOf(t);
    }
    return { effect, next: await commit(deps, job, memory, t, actual, effect?.slot) };
  });
}

/** Gives what this job goes on with after the commit: nothing when the process shuts down or the job's time is over, which hands the slot over. */
async function commit(deps: CarryDependencies, job: CarriedJob, memory: Memory, t: Transition, next: Next, running?: Slot): Promise<Next> {
  const going = (deps.isDraining() || isOver(memory)) && next !== 'finish' ? null : next;
  const slot = next === 'finish' ? null : next;
  if (slot && going) t.carry(slot, job.id);
  else if (slot) t.release(slot, job.before);
  await t.save();
  const { state } = t;
  // Not before the commit: a transaction that fails may be tried again, and must then not start from what never happened.
  t.uow.afterCommit(() => (memory.state = holding(state, running ?? slot)));
  return going;
}

/** Never before its first turn: each job gets something done, however slow everything is. */
const isOver = (memory: Memory): boolean => memory.turns > 0 && performance.now() > memory.until;

/** Without the items that others hold or that have ended: a carrier's memory does not grow with the list it works on. */
function holding(state: ExecutionState, slot: Slot | null): ExecutionState {
  const item = slot && state.items.get(slotKey(slot));
  return { ...state, items: new Map(item ? [[slotKey(slot), item]] : []) };
}

const nextOf = (t: Transition): Next => t.ready()[0] ?? (t.complete() ? 'finish' : null);

const sameNext = (a: Next, b: Next): boolean =>
  a === b || (a !== null && b !== null && a !== 'finish' && b !== 'finish' && slotKey(a) === slotKey(b));

/** The same decision on the state this job saw last; the transaction checks that nothing else happened. */
function foresee(deps: CarryDependencies, { plan, state }: Memory, slot: Slot, command: Command): Next {
  if (!plan || !state) return null;
  const outcome = decide(plan, state, command, deps.clock.now().getTime());
  if (!outcome.ok) return null;
  const next = readySlots(outcome.state, outcome.events)[0] ?? (allStepsEnded(plan, outcome.state) ? 'finish' : null);
  if (next === null) return null;
  // What its items gave is looked at: the last of it is committed with this very command.
  if (next !== 'finish' && next.itemIndex < 0 && outcome.state.steps.get(next.stepId)?.items) return null;
  // Results that come into being with this very command (a failure, a skipped step, the list of a forEach) are in the rows only after
  // its commit; what needs them is prepared then. Only the effect's own output is at hand.
  const isAtHand = (id: string) =>
    isFinalStep(statusOf(state, id)) || (command.type === 'succeed' && slot.itemIndex < 0 && id === slot.stepId);
  return referencesFor(plan, next).every(isAtHand) ? next : null;
}

/** The work; null when a result waits to be committed, and preparing what follows fails or takes too long: that has a turn of its own. */
async function prepared(deps: CarryDependencies, job: CarriedJob, memory: Memory, next: Slot | 'finish', isResultWaiting: boolean) {
  const work = memory.prepared && sameNext(memory.prepared.next, next) ? memory.prepared.work : prepare(deps, job, memory, next);
  memory.prepared = null;
  if (!isResultWaiting) return work;
  const late = Promise.withResolvers<'late'>();
  const timer = deps.aheadMs === Infinity ? undefined : setTimeout(late.resolve, deps.aheadMs ?? 100, 'late');
  const first = await Promise.race([work.catch(() => null), late.promise]);
  clearTimeout(timer);
  if (first !== 'late') return first;
  memory.prepared = { next, work };
  return null;
}

const referencesFor = (plan: Plan, next: Slot | 'finish'): string[] =>
  next === 'finish' ? outputReferences(plan.definition) : referencesOf(plan.steps.get(next.stepId)!, next);

async function prepare(deps: CarryDependencies, job: CarriedJob, memory: Memory, next: Slot | 'finish'): Promise<Work> {
  const plan = memory.plan!;
  const step = next === 'finish' ? null : plan.steps.get(next.stepId)!;
  const references = referencesFor(plan, next);
  const current = next === 'finish' || !memory.state ? null : (slotState(memory.state, next) ?? null);
  const about = next === 'finish' ? null : { step: step!, slot: next, current };
  const known = references.every((id) => memory.results.has(id)) && (about === null || !seesItems(about.step, about.slot));
  const scope = known
    ? { inputs: memory.inputs, steps: Object.fromEntries(references.map((id) => [id, memory.results.get(id)!])) }
    : await deps.database.read(job.tenantId, (uow) => loadScope(uow, job.executionId, memory.inputs, references, about, memory.results));
  return next === 'finish' ? prepareFinish(deps, plan, scope) : prepareSlot(deps, step!, next, scope, current);
}

/** Outputs of plain steps are kept for the steps that follow; a forEach is read from its rows once it is complete. */
function remember(memory: Memory, slot: Slot, output: string): void {
  if (slot.itemIndex < 0) memory.results.set(slot.stepId, { output: asStored(JSON.parse(output)), status: 'succeeded', error: null });
}

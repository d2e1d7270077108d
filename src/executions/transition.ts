// One transition: lock the execution, let the machine decide, then write rows, events and jobs together. The only way an execution changes.
import type { Definition } from '../agents/definition.ts';
import type { ApprovalService } from '../approvals/approval-service.ts';
import { tellOfApprovals } from '../approvals/approval-telling.ts';
import type { NewEvent } from '../events/catalogue.ts';
import { isSlotEvent } from '../events/catalogue.ts';
import type { EventService } from '../events/event-service.ts';
import { enqueue, type NewJob } from '../jobs/jobs.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { isFinalExecution, isFinalStep } from './execution.ts';
import type { LockedRow } from './execution-rows.ts';
import { makeRoom, makesRoom } from './admission.ts';
import { jobsAround } from './family.ts';
import { lockExecution } from './execution-head.ts';
import { loadState, persist, type SlotExtras } from './execution-store.ts';
import type { Command } from './machine-command.ts';
import { decide } from './machine.ts';
import type { PendingApproval } from './machine-draft.ts';
import { planOf, slotKey, slotState, wholeExecution, type ExecutionState, type Plan, type Slot, type SlotState } from './machine-state.ts';
import { releaseSlots } from './slot-store.ts';

export interface TransitionDependencies {
  readonly clock: Clock;
  readonly events: EventService;
  readonly approvals: ApprovalService;
}

/** What a transition itself needs of them. */
type Needs = Omit<TransitionDependencies, 'approvals'> & { readonly approvals: Pick<ApprovalService, 'cancelForExecution'> };

export interface Transition {
  readonly uow: UnitOfWork;
  readonly row: LockedRow;
  readonly plan: Plan;
  /** The state after the commands so far. */
  readonly state: ExecutionState;
  /** The job that carries a loaded slot, as it was before this transition. */
  jobOf(slot: Slot): string | null;
  /** Carries out a command; null when legal, else the machine's reason and no change. */
  run(command: Command, extras?: SlotExtras): Promise<string | null>;
  /** Slots this transition made ready, in order, that nothing has taken up yet. */
  ready(): Slot[];
  /** True when every step has ended and only the execution's output is left. */
  complete(): boolean;
  /** The given job goes on with the slot after the commit; every other ready slot gets a job of its own. */
  carry(slot: Slot, jobId: string): void;
  /** A queued slot that the caller had and does not go on with gets a job of its own, which stands for the jobs `after`, too. */
  release(slot: Slot, after: readonly string[]): void;
  /** JSON text of the execution's output. */
  setOutput(output: string): void;
  /** Writes everything; nothing when no command was carried out and nothing was released. */
  save(): Promise<void>;
}

/** Plans are immutable like the versions they come from; the newest few hundred are kept. */
const plans = new Map<string, Plan>();
const maxPlans = 500;

export async function loadPlans(uow: UnitOfWork, versionIds: readonly string[]): Promise<Map<string, Plan>> {
  const missing = [...new Set(versionIds)].filter((id) => !plans.has(id));
  if (missing.length > 0) {
    const rows = await uow.rows<{ id: string; definition: Definition }>(
      'select id, definition from agent_versions where tenant_id = $1 and id = any($2::uuid[])',
      [uow.tenantId, missing],
    );
    for (const { id, definition } of rows) {
      if (plans.size >= maxPlans) plans.delete(plans.keys().next().value!);
      plans.set(id, planOf(definition));
    }
  }
  return new Map(versionIds.flatMap((id) => (plans.has(id) ? [[id, plans.get(id)!]] : [])));
}

export async function loadPlan(uow: UnitOfWork, versionId: string): Promise<Plan> {
  return (await loadPlans(uow, [versionId])).get(versionId)!;
}

/** Locks and loads. `known` is a state the caller saw committed; it is used when nothing has happened since. Null: no such execution. */
export async function beginTransition(
  { clock, events: eventService, approvals }: Needs,
  uow: UnitOfWork,
  executionId: string,
  slots: readonly Slot[],
  known?: ExecutionState | null,
): Promise<Transition | null> {
  const row = await lockExecution(uow, executionId);
  if (!row) return null;
  const plan = await loadPlan(uow, row.agentVersionId);
  // Steps that a known state does not hold are pending; items it does not hold have to be loaded.
  const current = known?.lastSequence === row.lastSequence && slots.every((slot) => slot.itemIndex < 0 || slotState(known, slot));
  const loaded = current ? { state: known, jobs: null } : await loadState(uow, executionId, row, slots);
  let state = loaded.state;
  const events: NewEvent[] = [];
  const extras = new Map<string, SlotExtras>();
  const released = new Map<string, { slot: Slot; after: readonly string[] }>();
  let output: string | undefined;

  return {
    uow,
    row,
    plan,
    get state() {
      return state;
    },
    jobOf: (slot) => loaded.jobs?.get(slotKey(slot)) ?? null,
    async run(command, more) {
      const now = clock.now().getTime();
      let outcome = decide(plan, state, command, now);
      if (outcome.ok && isFinalExecution(outcome.state.status) && outcome.state.status !== 'succeeded') {
        const withdrawn = await approvals.cancelForExecution(uow, executionId);
        tellOfApprovals(uow, 'approval.cancelled', withdrawn, new Date(now));
        const pending = withdrawn.map(({ id, stepId, itemIndex }): PendingApproval => ({
          slot: stepId === null ? wholeExecution : { stepId, itemIndex: itemIndex ?? -1 },
          approvalId: id,
        }));
        outcome = decide(plan, state, command, now, pending);
      }
      if (!outcome.ok) return outcome.reason;
      events.push(...outcome.events);
      state = outcome.state;
      if (more && 'slot' in command) extras.set(slotKey(command.slot), { ...extras.get(slotKey(command.slot)), ...more });
      return null;
    },
    ready: () => readySlots(state, events),
    complete: () => allStepsEnded(plan, state),
    carry(slot, jobId) {
      extras.set(slotKey(slot), { ...extras.get(slotKey(slot)), jobId });
    },
    release(slot, after) {
      released.set(slotKey(slot), { slot, after });
    },
    setOutput(text) {
      output = text;
    },
    async save() {
      const untouched = [...released.values()].filter(({ slot }) => !touchedSlots(events).some((each) => slotKey(each) === slotKey(slot)));
      if (untouched.length > 0) {
        await releaseSlots(
          uow,
          executionId,
          untouched.map(({ slot }) => slot),
        );
        const payload = { tenantId: uow.tenantId, executionId };
        await enqueue(
          uow,
          untouched.map(({ slot, after }) => ({ name: 'run-step', payload: { ...payload, ...slot, ...(after.length > 0 && { after }) } })),
        );
      }
      if (events.length === 0) return;
      // One reading of the clock: the moments in the rows are those of the events, so that a replay can compare them.
      const at = clock.now();
      await persist(uow, { now: () => at }, { executionId, events, state, extras, output });
      await eventService.append(uow, executionId, state.lastSequence - events.length + 1, events, at);
      await enqueue(uow, [...jobsFor(uow.tenantId, executionId, state, events, extras), ...(await jobsAround(uow, row, plan, state))]);
      if (events.some(makesRoom)) makeRoom(uow);
    },
  };
}

/** Slots that `events` left queued and ready to start now. */
export function readySlots(state: ExecutionState, events: readonly NewEvent[]): Slot[] {
  if (state.status === 'paused') return [];
  return touchedSlots(events).filter((slot) => {
    const current = slotState(state, slot);
    return current?.status === 'queued' && current.wakeAt === null && current.haltedBy === null;
  });
}

export function allStepsEnded(plan: Plan, state: ExecutionState): boolean {
  if (state.status !== 'running' && state.status !== 'waiting') return false;
  return plan.definition.steps.every((step) => isFinalStep(state.steps.get(step.id)?.status ?? 'pending'));
}

function touchedSlots(events: readonly NewEvent[]): Slot[] {
  const slots = new Map<string, Slot>();
  for (const event of events) {
    if (isSlotEvent(event)) slots.set(slotKey(event.data), { stepId: event.data.stepId, itemIndex: event.data.itemIndex });
  }
  return [...slots.values()];
}

/** Signals that are not for it wake a slot, too: however many come, it keeps one timer. */
export const timerKey = (executionId: string, slot: Slot, { signal }: SlotState): string | undefined =>
  signal === null ? undefined : `timer ${executionId} ${slotKey(slot)}`;

/** Ready slots that nobody carries start at once; retries and timers when they are due. */
function jobsFor(
  tenantId: string,
  executionId: string,
  state: ExecutionState,
  events: readonly NewEvent[],
  extras: ReadonlyMap<string, SlotExtras>,
): NewJob[] {
  // Whoever resumes it adds the jobs.
  if (state.status === 'paused') return [];
  return touchedSlots(events).flatMap((slot): NewJob[] => {
    const current = slotState(state, slot)!;
    // Whoever releases the kill switch adds its job.
    if (current.haltedBy !== null) return [];
    const payload = { tenantId, executionId, ...slot };
    if (current.wakeAt !== null && !isFinalStep(current.status)) {
      return [{ name: 'run-step', payload, runAt: new Date(current.wakeAt), key: timerKey(executionId, slot, current) }];
    }
    if (current.status === 'queued' && extras.get(slotKey(slot))?.jobId === undefined) return [{ name: 'run-step', payload }];
    return [];
  });
}

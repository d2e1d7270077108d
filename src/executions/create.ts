// Brings an execution into being: row, decision, first events and job in the caller's transaction. Whether it may be started and
// with what is settled before (execution-service.ts, rerun-service.ts, children.ts).
import type { Definition } from '../agents/definition.ts';
import type { NewEvent } from '../events/catalogue.ts';
import type { EventService } from '../events/event-service.ts';
import { enqueue } from '../jobs/jobs.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { newIdAt } from '../platform/ids.ts';
import { storableJson } from '../platform/json.ts';
import { compileSchema, type Validate } from '../platform/json-schema.ts';
import { holdRules } from '../authority/rules-lock.ts';
import { defaultPriority, enterQueue, jobsOfEntry, notYet } from './admission.ts';
import type { ExecutionOrigin } from './execution.ts';
import { insertExecution } from './execution-head.ts';
import type { ExecutionRow } from './execution-rows.ts';
import { persist } from './execution-store.ts';
import type { Command, ReusedStep } from './machine-command.ts';
import { decide } from './machine.ts';
import { newState, type ExecutionState, type Plan, type Slot } from './machine-state.ts';
import { jobsOfDeferral, judgeStart, type StartGateDependencies } from './start-gate.ts';
import { loadPlan } from './transition.ts';

export interface CreateDependencies extends StartGateDependencies {
  readonly events: EventService;
}

export interface NewExecution {
  readonly place: { readonly projectId: string; readonly environmentId: string; readonly teamId: string | null };
  readonly agentId: string;
  readonly versionId: string;
  readonly inputs: unknown;
  readonly labels: Readonly<Record<string, string>>;
  readonly requestedBy: string;
  readonly requestedRoles: readonly string[];
  readonly idempotencyKey?: string | null | undefined;
  readonly requestDigest: string;
  readonly startAt?: Date | null | undefined;
  /** 1 to 9, lower first; 5 when absent. */
  readonly priority?: number | undefined;
  /** The agent step that starts it. */
  readonly parent?: { readonly id: string; readonly depth: number; readonly slot: Slot } | undefined;
  /** The execution it retries or forks, and what it need not do again. */
  readonly origin?:
    | {
        readonly id: string;
        readonly kind: ExecutionOrigin;
        readonly stepId: string | null;
        readonly effectScopeId: string | null;
        readonly reused: readonly ReusedStep[];
        /** Copies the rows of what is reused. */
        readonly copy: (executionId: string) => Promise<void>;
      }
    | undefined;
}

export interface Created {
  readonly row: ExecutionRow;
  /** Of the gate; null for one that is to start later. */
  readonly decisionId: string | null;
}

/** Null when another transaction won the race for the idempotency key. */
export async function createExecution(deps: CreateDependencies, uow: UnitOfWork, spec: NewExecution): Promise<Created | null> {
  const { clock, events } = deps;
  holdRules(uow);
  const { place, parent, origin, startAt = null, priority = defaultPriority } = spec;
  const [plan, entry] = await Promise.all([
    loadPlan(uow, spec.versionId),
    startAt ? notYet : enterQueue(uow, clock, { ...place, agentId: spec.agentId, priority }),
  ]);
  const now = clock.now();
  const id = newIdAt(now); // lists find the executions of a period by their ids
  let { state, events: happened } = begun(plan, now, spec);
  const row = await insertExecution(uow, {
    ...{ id, tenant_id: uow.tenantId, project_id: place.projectId, environment_id: place.environmentId, team_id: place.teamId },
    ...{ agent_id: spec.agentId, agent_version_id: spec.versionId, status: state.status, last_sequence: state.lastSequence },
    ...{ inputs: storableJson(spec.inputs), labels: storableJson(spec.labels), idempotency_key: spec.idempotencyKey ?? null },
    ...{ request_digest: spec.requestDigest, requested_by: spec.requestedBy, requested_roles: spec.requestedRoles },
    ...{ created_at: now, start_at: startAt, priority, backlog_at: entry.backlogAt, admitted_at: entry.admittedAt },
    ...{ parent_id: parent?.id ?? null, parent_step_id: parent?.slot.stepId ?? null, parent_item_index: parent?.slot.itemIndex ?? null },
    ...{ depth: parent ? parent.depth + 1 : 0, origin_id: origin?.id ?? null, origin: origin?.kind ?? null },
    ...{ origin_step_id: origin?.stepId ?? null, effect_scope_id: origin?.effectScopeId ?? null },
  });
  if (row === null) return null;
  // What is to start later is judged then.
  const judged = startAt ? null : await judgeStart(deps, { uow, row, plan }, spec.inputs);
  const command = judged?.command ?? null;
  if (command) {
    const outcome = carriedOut(plan, state, command, now);
    state = outcome.state;
    happened = [...happened, ...outcome.events];
  }
  const isReusing = origin !== undefined && origin.reused.length > 0;
  if (isReusing) await origin.copy(id);
  // One reading of the clock for rows and events, as in every later transition.
  if (isReusing || command) await persist(uow, { now: () => now }, { executionId: id, events: happened, state, extras: new Map() });
  await events.append(uow, id, 1, happened, now);
  const jobs = command ? jobsOfDeferral(uow, id, command) : jobsOfEntry(uow, id, { ...entry, runAt: startAt ?? entry.runAt });
  await enqueue(uow, jobs);
  return { row: command ? afterwards(row, state, command, now) : row, decisionId: judged?.decisionId ?? null };
}

/** The first commands of an execution. */
function begun(
  plan: Plan,
  now: Date,
  { requestedBy, startAt, origin }: NewExecution,
): { state: ExecutionState; events: readonly NewEvent[] } {
  const commands: Command[] = [
    { type: 'queue', requestedBy, startAt: startAt?.getTime() },
    ...(origin && origin.reused.length > 0 ? [{ type: 'reuse' as const, steps: origin.reused }] : []),
  ];
  let state = newState();
  const events = commands.flatMap((command) => {
    const outcome = carriedOut(plan, state, command, now);
    state = outcome.state;
    return outcome.events;
  });
  return { state, events };
}

function carriedOut(plan: Plan, state: ExecutionState, command: Command, now: Date) {
  const outcome = decide(plan, state, command, now.getTime());
  if (!outcome.ok) throw new Error(outcome.reason);
  return outcome;
}

/** The row as it is once the gate has spoken. */
function afterwards(row: ExecutionRow, { status, lastSequence, startAt }: ExecutionState, command: Command, now: Date): ExecutionRow {
  const ended = command.type === 'refuseStart' ? { failure: command.failure, finishedAt: now } : {};
  return { ...row, status, lastSequence, startAt: startAt === null ? null : new Date(startAt), admittedAt: null, ...ended };
}

const validators = new Map<string, Validate>();

/** Checks inputs against the schema of an immutable version. */
export function inputValidator({ id, definition }: { readonly id: string; readonly definition: Definition }): Validate {
  let validate = validators.get(id);
  if (!validate) {
    validate = compileSchema(definition.inputs, { at: 'inputs' });
    if (validators.size >= 500) validators.delete(validators.keys().next().value!);
    validators.set(id, validate);
  }
  return validate;
}

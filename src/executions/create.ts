// Brings an execution into being: row, decision, first events and job in the caller's transaction. Whether it may be started and
// with what is settled before (execution-service.ts, rerun-service.ts, children.ts).
import type { Definition } from '../agents/definition.ts';
import type { EventService } from '../events/event-service.ts';
import { enqueue } from '../jobs/jobs.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';
import { storableJson } from '../platform/json.ts';
import { compileSchema, type Validate } from '../platform/json-schema.ts';
import type { Gate } from '../policies/gate-service.ts';
import { defaultPriority, enterQueue, jobsOfEntry, notYet } from './admission.ts';
import type { ExecutionOrigin } from './execution.ts';
import { lockExecution, persist } from './execution-store.ts';
import { gateInput, referenceOf } from './gate-input.ts';
import type { Command, ReusedStep } from './machine-command.ts';
import { decide } from './machine.ts';
import { newState, type Slot } from './machine-state.ts';
import { loadPlan } from './transition.ts';

export interface CreateDependencies {
  readonly clock: Clock;
  readonly gate: Gate;
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
  readonly id: string;
  /** Of the gate. */
  readonly decisionId: string;
}

/** Null when another transaction won the race for the idempotency key. */
export async function createExecution(
  { clock, gate, events }: CreateDependencies,
  uow: UnitOfWork,
  spec: NewExecution,
): Promise<Created | null> {
  const id = newId();
  const { place, parent, origin, startAt = null, priority = defaultPriority } = spec;
  const entry = startAt ? notYet : await enterQueue(uow, clock, { ...place, agentId: spec.agentId, priority });
  const inserted = await uow.rows(
    `insert into executions (id, tenant_id, project_id, environment_id, team_id, agent_id, agent_version_id, status, inputs, labels,
       idempotency_key, request_digest, requested_by, requested_roles, created_at, start_at, parent_id, parent_step_id, parent_item_index,
       depth, origin_id, origin, origin_step_id, effect_scope_id, priority, backlog_at, admitted_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10::jsonb, $11, $12, $13, $14::text[], $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
       $25, $26, $27)
     on conflict (tenant_id, idempotency_key) do nothing returning id`,
    [
      ...[id, uow.tenantId, place.projectId, place.environmentId, place.teamId, spec.agentId, spec.versionId],
      ...[startAt ? 'scheduled' : 'queued', storableJson(spec.inputs), storableJson(spec.labels), spec.idempotencyKey ?? null],
      ...[spec.requestDigest, spec.requestedBy, spec.requestedRoles, clock.now(), startAt],
      ...[parent?.id ?? null, parent?.slot.stepId ?? null, parent?.slot.itemIndex ?? null, parent ? parent.depth + 1 : 0],
      ...[origin?.id ?? null, origin?.kind ?? null, origin?.stepId ?? null, origin?.effectScopeId ?? null],
      ...[priority, entry.backlogAt, entry.admittedAt],
    ],
  );
  if (inserted.length === 0) return null;
  const row = (await lockExecution(uow, id))!;
  const plan = await loadPlan(uow, spec.versionId);
  const context = { uow, row, plan };
  const effect = { action: 'execution.start', tool: null, arguments: spec.inputs } as const;
  const { decisionId } = await gate.judge(uow, gateInput(clock, context, effect), referenceOf(context), row);
  const now = clock.now().getTime();
  const commands: Command[] = [
    { type: 'queue', requestedBy: spec.requestedBy, startAt: startAt?.getTime() },
    ...(origin && origin.reused.length > 0 ? [{ type: 'reuse' as const, steps: origin.reused }] : []),
  ];
  let state = newState();
  const happened = commands.flatMap((command) => {
    const outcome = decide(plan, state, command, now);
    if (!outcome.ok) throw new Error(outcome.reason);
    state = outcome.state;
    return outcome.events;
  });
  await origin?.copy(id);
  // One reading of the clock for rows and events, as in every later transition.
  const at = clock.now();
  await persist(uow, { now: () => at }, { executionId: id, events: happened, state, extras: new Map() });
  await events.append(uow, id, 1, happened, at);
  await enqueue(uow, jobsOfEntry(uow, id, { ...entry, runAt: startAt ?? entry.runAt }));
  return { id, decisionId };
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

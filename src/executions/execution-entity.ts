// Tables of executions, their steps (one row per step, and one per forEach item) and attempts.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, oneOf, tenantTable } from '../platform/entity.ts';
import type { Role } from '../authority/permission.ts';
import { attemptStatuses, executionOrigins, executionStatuses, stepStatuses, type ExecutionFailure } from './execution.ts';
import type { ItemRanges } from './machine-state.ts';

export const Execution = defineEntity({
  name: 'Execution',
  tableName: 'executions',
  ...tenantTable,
  indexes: [
    { name: 'executions_tenant', properties: ['tenantId', 'id'] },
    { name: 'executions_status', properties: ['tenantId', 'status', 'id'] },
    // Lists ask for each environment and status by itself (src/tenants/newest-rows.ts): each is a range in the order of the list.
    { name: 'executions_agent', properties: ['tenantId', 'agentId', 'environmentId', 'status', 'id'] },
    { name: 'executions_environment', properties: ['tenantId', 'environmentId', 'status', 'id'] },
    {
      name: 'executions_team',
      expression: 'create index "executions_team" on "executions" ("tenant_id", "team_id", "status", "id") where "team_id" is not null',
    },
    {
      // Labels and children of a team are looked for among all of its executions, and not among those of each status by itself.
      name: 'executions_team_newest',
      expression: 'create index "executions_team_newest" on "executions" ("tenant_id", "team_id", "id") where "team_id" is not null',
    },
    {
      name: 'executions_children',
      expression: 'create index "executions_children" on "executions" ("tenant_id", "environment_id", "id") where "parent_id" is not null',
    },
    {
      name: 'executions_parent',
      expression: 'create index "executions_parent" on "executions" ("tenant_id", "parent_id", "id") where "parent_id" is not null',
    },
    {
      name: 'executions_origin',
      expression: 'create index "executions_origin" on "executions" ("tenant_id", "origin_id", "id") where "origin_id" is not null',
    },
    {
      // Line by line (agent, environment), each by priority and age: see admission.ts.
      name: 'executions_backlog',
      expression:
        'create index "executions_backlog" on "executions" ("tenant_id", "agent_id", "environment_id", "priority", "id") where "backlog_at" is not null',
    },
    {
      name: 'executions_admitted',
      expression: `create index "executions_admitted" on "executions" ("tenant_id", "priority") where "admitted_at" is not null and status in ('queued', 'scheduled')`,
    },
    {
      // Partial: as long as the table is small, Postgres would take an index on all rows of a tenant for one on few, and keep that plan.
      name: 'executions_idempotency_key',
      expression:
        'create unique index "executions_idempotency_key" on "executions" ("tenant_id", "idempotency_key") where "idempotency_key" is not null',
    },
  ],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    projectId: p.uuid(),
    environmentId: p.uuid(),
    teamId: p.uuid().nullable(),
    agentId: p.uuid(),
    agentVersionId: p.uuid(),
    status: oneOf('status', executionStatuses),
    inputs: p.json().$type<Record<string, unknown>>(),
    output: p.json().$type<unknown>().nullable(),
    failure: p.json().$type<ExecutionFailure>().nullable(),
    labels: p.json().$type<Record<string, string>>(),
    idempotencyKey: p.text().nullable(),
    /** SHA-256 of what the idempotency key was first used with. */
    requestDigest: p.text(),
    requestedBy: p.uuid(),
    /** Roles the requester held at this place when it started the execution; what policies by role look at. */
    requestedRoles: p.array().columnType('text[]').$type<Role[]>(),
    /** 1 to 9, lower first. */
    priority: p.smallint().default(5),
    /** When it joined the backlog, while it is in it: it waits for its tenant's other executions, and has no job. */
    backlogAt: moment().nullable(),
    /** When it was let in; from then on it has a job, and counts. */
    admittedAt: moment().nullable(),
    /** Not before this moment: by its starter, or put off by a policy. */
    startAt: moment().nullable(),
    /** What its start waits for. */
    approvalId: p.uuid().nullable(),
    /** The execution whose agent step started this one, and the slot of it. */
    parentId: p.uuid().nullable(),
    parentStepId: p.text().nullable(),
    parentItemIndex: p.integer().nullable(),
    /** Executions above this one. */
    depth: p.integer().default(0),
    /** The execution that this one retries or forks, and the step a fork begins with. */
    originId: p.uuid().nullable(),
    origin: oneOf('origin', executionOrigins).nullable(),
    originStepId: p.text().nullable(),
    /** What the Idempotency-Keys of its effects begin with: a retry keeps that of the execution it retries. Null: its own id. */
    effectScopeId: p.uuid().nullable(),
    /** Sequence of the newest event; raised under the row lock, so events have no gap. */
    lastSequence: p.integer().default(0),
    createdAt: moment(),
    startedAt: moment().nullable(),
    finishedAt: moment().nullable(),
  },
});

/**
 * The labels of executions, a row each, to find them by. An index on the column could not be used: under row level security Postgres
 * looks only for what its operators cannot leak, and those of jsonb are not known to keep quiet.
 */
export const ExecutionLabel = defineEntity({
  name: 'ExecutionLabel',
  tableName: 'execution_labels',
  ...tenantTable,
  properties: {
    tenantId: p.uuid().primary(),
    name: p.text().primary(),
    value: p.text().primary(),
    environmentId: p.uuid().primary(),
    executionId: p.uuid().primary(),
  },
});

/** `item_index` is -1 for the step itself, 0… for the items of a forEach. Counters are used by forEach steps only. */
export const Step = defineEntity({
  name: 'Step',
  tableName: 'steps',
  ...tenantTable,
  triggers: [
    {
      // Whatever statement fails a step: several do, and each would have to know where it belongs.
      name: 'steps_failed',
      timing: 'before',
      events: ['insert', 'update'],
      when: `(new.status = 'failed'::text)`,
      body: [
        `new.failure_code := new.failure->>'code'`,
        'select e.agent_id, e.environment_id, e.team_id into new.agent_id, new.environment_id, new.team_id from public.executions e where e.tenant_id = new.tenant_id and e.id = new.execution_id',
        'return new',
      ].join('; '),
    },
  ],
  indexes: [
    {
      name: 'steps_failed',
      expression: `create index "steps_failed" on "steps" ("tenant_id", "finished_at", "execution_id", "item_index", "step_id") where status = 'failed'`,
    },
    ...(['agent_id', 'environment_id', 'team_id'] as const).map((column) => ({
      name: `steps_failed_${column}`,
      expression: `create index "steps_failed_${column}" on "steps" ("tenant_id", "${column}", "finished_at", "execution_id", "item_index", "step_id") where status = 'failed'`,
    })),
    {
      name: 'steps_failed_failure_code',
      expression: `create index "steps_failed_failure_code" on "steps" ("tenant_id", "failure_code", "environment_id", "finished_at", "execution_id", "item_index", "step_id") where status = 'failed'`,
    },
    {
      name: 'steps_halted',
      expression: `create index "steps_halted" on "steps" ("tenant_id", "halted_by", "execution_id") where halted_by is not null`,
    },
  ],
  properties: {
    executionId: () => p.manyToOne(Execution).mapToPk().fieldName('execution_id').primary(),
    // Second in the key, so that an execution's steps (-1) are one range however many items it has.
    itemIndex: p.integer().default(-1).primary(),
    stepId: p.text().primary(),
    tenantId: p.uuid(),
    status: oneOf('status', stepStatuses),
    attempt: p.integer().default(0),
    /** Interruptions (crash, shutdown) so far; not counted as attempts of `retry`. */
    interruptions: p.integer().default(0),
    /** The job that carries this slot while it is queued or running; a job that runs again after a crash finds its own. */
    jobId: p.text().nullable(),
    item: p.json().$type<unknown>().nullable(),
    output: p.json().$type<unknown>().nullable(),
    failure: p.json().$type<ExecutionFailure>().nullable(),
    /** Of one that has failed, where and of what: dead letters are found by them. A trigger copies them. */
    agentId: p.uuid().nullable(),
    environmentId: p.uuid().nullable(),
    teamId: p.uuid().nullable(),
    failureCode: p.text().nullable(),
    wakeAt: moment().nullable(),
    approvalId: p.uuid().nullable(),
    /** Name of the signal it waits for. */
    signal: p.text().nullable(),
    childId: p.uuid().nullable(),
    /** The kill switch that keeps it from going on; it is `queued` and has no job. */
    haltedBy: p.uuid().nullable(),
    itemTotal: p.integer().nullable(),
    itemNext: p.integer().nullable(),
    itemDone: p.integer().nullable(),
    itemFailed: p.integer().nullable(),
    itemWaiting: p.integer().nullable(),
    itemReused: p.json().$type<ItemRanges>().nullable(),
    /** The step's output is its own (reduce, loop), not the list of its items' outputs. */
    ownOutput: p.boolean().default(false),
    outputBytes: p.integer().default(0),
    queuedAt: moment().nullable(),
    startedAt: moment().nullable(),
    finishedAt: moment().nullable(),
  },
});

/** One try of a step's effect. `number` fences it: only the newest one may commit. */
export const Attempt = defineEntity({
  name: 'Attempt',
  tableName: 'attempts',
  ...tenantTable,
  properties: {
    executionId: p.uuid().primary(),
    stepId: p.text().primary(),
    itemIndex: p.integer().primary(),
    number: p.integer().primary(),
    tenantId: p.uuid(),
    status: oneOf('status', attemptStatuses),
    /** Exactly what ran. */
    arguments: p.json().$type<unknown>().nullable(),
    failure: p.json().$type<ExecutionFailure>().nullable(),
    decisionId: p.uuid().nullable(),
    startedAt: moment(),
    finishedAt: moment().nullable(),
  },
});

/** Sent to an execution; the first wait step for its name takes it, whether it began before or begins later. */
export const Signal = defineEntity({
  name: 'Signal',
  tableName: 'signals',
  ...tenantTable,
  indexes: [{ name: 'signals_execution', properties: ['tenantId', 'executionId', 'name', 'id'] }],
  uniques: [{ name: 'signals_idempotency', properties: ['tenantId', 'executionId', 'idempotencyKey'] }],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    executionId: () => p.manyToOne(Execution).mapToPk().fieldName('execution_id'),
    name: p.text(),
    payload: p.json().$type<unknown>().nullable(),
    idempotencyKey: p.text().nullable(),
    /** SHA-256 of what the idempotency key was first used with. */
    requestDigest: p.text(),
    sentBy: p.uuid(),
    sentAt: moment(),
    /** The wait step that took it. */
    receivedBy: p.text().nullable(),
    receivedAt: moment().nullable(),
  },
});

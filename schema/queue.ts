// The queue: limits, how it stands, operations on many executions, and what gave up. Adds its own fields to Execution.
import { deadLetterCursor, type DeadLetterPage, type DeadLetterRow } from '#src/queues/dead-letter-reads.ts';
import type { BulkOperationRow } from '#src/queues/bulk-cancel.ts';
import type { LimitRow, QueueStatus as QueueStatusRow } from '#src/queues/queue-service.ts';
import { bulkStatuses, limitScopes, mostCounted, type LimitScope } from '#src/queues/queue.ts';
import { Agent } from './agent.ts';
import { builder } from './builder.ts';
import { connectionType } from './connection.ts';
import { enumOf } from './enum.ts';
import { Attempt, Execution, ExecutionFilter } from './execution.ts';
import { Failure } from './failure.ts';
import { globalId, globalIdOfAny } from './ids.ts';
import { nodeType } from './node.ts';
import { Principal } from './principal.ts';
import { Environment, Project, Tenant } from './tenant.ts';

builder.objectFields(Execution, (t) => ({
  priority: t.exposeInt('priority', { description: 'Place in the tenant’s queue: 1 (first) to 9.' }),
  admittedAt: t.expose('admittedAt', {
    type: 'DateTime',
    nullable: true,
    description:
      'When the queue let it in; null while it waits for other executions of the tenant, for its time, or is paused before it began.',
  }),
}));

export const LimitScopeEnum = enumOf('LimitScope', limitScopes, 'What a concurrency limit is set on.', {
  tenant: 'Everything.',
  project: 'The executions of a project.',
  environment: 'The executions in an environment.',
  agent: 'The executions of an agent.',
});

export const BulkStatusEnum = enumOf('BulkStatus', bulkStatuses, 'How an operation on many executions stands.', {
  queued: 'Accepted; it has not begun.',
  running: 'Under way; its numbers grow.',
  finished: 'Over.',
});

const scopeOf = (kind: LimitScope) => (row: LimitRow) => (row.scopeKind === kind ? row.scopeId : null);

export const ConcurrencyLimit = nodeType<LimitRow>('ConcurrencyLimit', (services, uow, actor, ids) =>
  services.queue.limitsByIds(uow, actor, ids),
);
export const ConcurrencyLimitConnection = connectionType(ConcurrencyLimit);
ConcurrencyLimit.implement({
  description: 'How many executions may run at a time. Those that wait for a person, a timer, a signal or another execution do not count.',
  fields: (t) => ({
    scope: t.expose('scopeKind', { type: LimitScopeEnum, description: 'What it is set on.' }),
    tenant: t.field({ type: Tenant, nullable: true, description: 'The tenant, when it is on it.', resolve: scopeOf('tenant') }),
    project: t.field({ type: Project, nullable: true, description: 'The project, when it is on one.', resolve: scopeOf('project') }),
    environment: t.field({
      type: Environment,
      nullable: true,
      description: 'The environment, when it is on one.',
      resolve: scopeOf('environment'),
    }),
    agent: t.field({
      type: Agent,
      nullable: true,
      description: 'The agent, when it is on one and you may see it.',
      resolve: scopeOf('agent'),
    }),
    maxRunning: t.exposeInt('maxRunning', { description: 'How many; 0 lets nothing begin.' }),
    updatedBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who set it last; null when you may not see the person.',
      resolve: (row) => row.updatedBy,
    }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was set last.' }),
  }),
});

export const SetConcurrencyLimitInput = builder.inputType('SetConcurrencyLimitInput', {
  description: 'How much may run at a time, where.',
  fields: (t) => ({
    scopeId: t
      .id({ required: true, description: 'The tenant, project, environment or agent that is limited.' })
      .validate(globalIdOfAny('Tenant', 'Project', 'Environment', 'Agent')),
    maxRunning: t.int({ description: 'From 0 (nothing begins) to 100,000; null removes the limit.' }),
  }),
});

const scopeKindOfType: Readonly<Record<string, LimitScope>> = {
  Tenant: 'tenant',
  Project: 'project',
  Environment: 'environment',
  Agent: 'agent',
};

/** What the service asks for instead of a typed global id. */
export function limitOf({ scopeId, maxRunning }: typeof SetConcurrencyLimitInput.$inferInput) {
  return { scopeKind: scopeKindOfType[scopeId.typename]!, scopeId: scopeId.id, maxRunning: maxRunning ?? null };
}

const QueuedAtPriority = builder.objectRef<QueueStatusRow['backlog'][number]>('QueuedAtPriority').implement({
  description: 'Executions of one priority in the backlog.',
  fields: (t) => ({
    priority: t.exposeInt('priority', { description: '1 (first) to 9.' }),
    count: t.exposeInt('count', { description: 'How many.' }),
  }),
});

export const QueueStatus = builder.objectRef<QueueStatusRow>('QueueStatus').implement({
  description: `How the queue of the tenant stands, as far as you may read its executions. Counting stops at ${mostCounted} of each.`,
  fields: (t) => ({
    backlog: t.field({
      type: [QueuedAtPriority],
      description: 'Executions that wait to be let in, by priority.',
      resolve: (row) => [...row.backlog],
    }),
    admitted: t.exposeInt('admitted', { description: 'Let in, and not yet taken up by a runner.' }),
    running: t.exposeInt('running', { description: 'Running.' }),
    oldestWaitingSince: t.expose('oldestWaitingSince', {
      type: 'DateTime',
      nullable: true,
      description:
        'Since when the one waits that is in the backlog longest, of those counted, which are the newest; null when it is empty.',
    }),
    isCapped: t.exposeBoolean('isCapped', {
      description: `Whether there are more than ${mostCounted} of something, so that the numbers are lower bounds.`,
    }),
  }),
});

export const BulkOperation = nodeType<BulkOperationRow>('BulkOperation', (services, uow, actor, ids) =>
  services.bulkCancel.operationsByIds(uow, actor, ids),
);
BulkOperation.implement({
  description: 'An operation on every execution that a filter finds, carried out in the background. Read it again to see how far it is.',
  fields: (t) => ({
    status: t.expose('status', { type: BulkStatusEnum, description: 'How it stands.' }),
    reason: t.exposeString('reason', { description: 'Why it was asked for.' }),
    matched: t.exposeInt('matched', { description: 'How many executions the filter found when it began; 0 before.' }),
    cancelled: t.exposeInt('cancelled', {
      description: 'How many it has cancelled. Those that ended by themselves first, or left the filter, are not among them.',
    }),
    failed: t.exposeInt('failed', { description: 'How many it could not cancel because of a fault.' }),
    requestedBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who asked for it; null when you may not see the person.',
      resolve: (row) => row.requestedBy,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was accepted. Executions accepted later are not touched.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it was over.' }),
  }),
});

export const CancelExecutionsInput = builder.inputType('CancelExecutionsInput', {
  description: 'Which executions to cancel, and why.',
  fields: (t) => ({
    filter: t.field({
      type: ExecutionFilter,
      required: true,
      description: 'With at least one condition. Of what it finds, those are cancelled that have not ended and that you may cancel.',
    }),
    reason: t.string({ description: 'Kept with each event; at most 1,000 characters.' }),
  }),
});

export const DeadLetter = builder.objectRef<DeadLetterRow>('DeadLetter').implement({
  description: 'A step, or an item of one, that gave up: its last attempt failed, or nobody knows whether it happened.',
  fields: (t) => ({
    stepId: t.exposeString('stepId', { description: 'Id of the step in the definition.' }),
    itemIndex: t.int({
      nullable: true,
      description: 'Which item of a forEach step, from 0; null for the step itself.',
      resolve: (row) => (row.itemIndex < 0 ? null : row.itemIndex),
    }),
    execution: t.field({ type: Execution, nullable: true, description: 'The execution it belongs to.', resolve: (row) => row.executionId }),
    failure: t.expose('failure', { type: Failure, description: 'Why it gave up.' }),
    attempts: t.loadableList({
      type: Attempt,
      description: 'Its tries, oldest first; none when it failed before an effect began.',
      resolve: ({ executionId, stepId, itemIndex }) => JSON.stringify({ executionId, stepId, itemIndex }),
      load: (slots: string[], { services, read }) =>
        read((uow) =>
          services.executions.attemptsOf(
            uow,
            slots.map((slot) => JSON.parse(slot)),
          ),
        ),
    }),
    failedAt: t.expose('failedAt', { type: 'DateTime', description: 'When it gave up.' }),
  }),
});
export const DeadLetterConnection = connectionType(DeadLetter);

/** Dead letters have no id of their own; their cursor is their place in the order. */
export function deadLetterConnection({ rows, hasNextPage }: DeadLetterPage) {
  const edges = rows.map((node) => ({ node, cursor: deadLetterCursor(node) }));
  const pageInfo = { hasNextPage, hasPreviousPage: false, startCursor: edges[0]?.cursor ?? null, endCursor: edges.at(-1)?.cursor ?? null };
  return { edges, pageInfo };
}

export const DeadLetterFilter = builder.inputType('DeadLetterFilter', {
  description: 'Conditions that a dead letter must all satisfy.',
  fields: (t) => ({
    projectId: t.id({ description: 'Of this project.' }).validate(globalId('Project')),
    agentId: t.id({ description: 'Of this agent.' }).validate(globalId('Agent')),
    environmentId: t.id({ description: 'In this environment.' }).validate(globalId('Environment')),
    codes: t.stringList({ description: 'With one of these failure codes, such as TOOL_ERROR or OUTCOME_UNKNOWN.' }),
    since: t.field({ type: 'DateTime', description: 'Gave up at or after this moment.' }),
    until: t.field({ type: 'DateTime', description: 'Gave up before this moment.' }),
  }),
});

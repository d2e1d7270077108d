// Executions, their steps, items and attempts. Other files add fields of their own to Execution and Slot (approval.ts, decision.ts,
// execution-family.ts, queue.ts, signal.ts).
import { itemCursor } from '#src/executions/execution.ts';
import type { AttemptRow, ExecutionRow, StepRow } from '#src/executions/execution-rows.ts';
import type { StepKind } from '#src/agents/definition.ts';
import type { ItemPage } from '#src/executions/step-reads.ts';
import { Agent, AgentVersion } from './agent.ts';
import { builder } from './builder.ts';
import { connectionType, paged } from './connection.ts';
import { ExecutionEvent } from './event.ts';
import { AttemptStatusEnum, ExecutionStatusEnum, StepKindEnum, StepStatusEnum } from './execution-status.ts';
import { Failure } from './failure.ts';
import { globalId } from './ids.ts';
import { nodeType } from './node.ts';
import { Principal } from './principal.ts';
import { Environment, Project } from './tenant.ts';

export const Attempt = builder.objectRef<AttemptRow>('Attempt').implement({
  description: 'One try of a step’s effect.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: 'From 1; only the newest one may commit.' }),
    status: t.expose('status', { type: AttemptStatusEnum, description: 'How it stands.' }),
    arguments: t.field({ type: 'JSON', nullable: true, description: 'Exactly what ran.', resolve: (row) => row.arguments }),
    failure: t.expose('failure', { type: Failure, nullable: true, description: 'Why it failed.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When the gate let it pass.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
  }),
});

const slotOf = ({ executionId, stepId, itemIndex }: StepRow): string => JSON.stringify({ executionId, stepId, itemIndex });

/** What a step and an item of it have in common. */
export const Slot = builder.interfaceRef<StepRow>('Slot').implement({
  description: 'A place where work happens: a step, one item of a forEach step, or one iteration of a loop.',
  resolveType: (row) => (row.itemIndex < 0 ? 'Step' : 'StepItem'),
  fields: (t) => ({
    stepId: t.exposeString('stepId', { description: 'Id of the step in the definition.' }),
    status: t.expose('status', { type: StepStatusEnum, description: 'Where it stands.' }),
    failure: t.expose('failure', { type: Failure, nullable: true, description: 'Why it ended badly, or why it is tried again.' }),
    queuedAt: t.expose('queuedAt', { type: 'DateTime', nullable: true, description: 'When it became ready.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true, description: 'When its first attempt began.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
    wakeAt: t.expose('wakeAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it goes on, for a timer or a retry, or gives up waiting for a signal.',
    }),
    output: t.loadable({
      type: 'JSON',
      nullable: true,
      description:
        'Its result; null when it has none, as when it failed. Of a forEach step without `reduce` the list of its items’ results; of a loop that of its last iteration.',
      resolve: slotOf,
      load: (slots: string[], { services, read }) =>
        read((uow) =>
          services.executions.outputsOf(
            uow,
            slots.map((slot) => JSON.parse(slot)),
          ),
        ) as Promise<never[]>,
    }),
    attempts: t.loadableList({
      type: Attempt,
      description: 'Its tries, oldest first; none for a step without effect.',
      resolve: slotOf,
      load: (slots: string[], { services, read }) =>
        read((uow) =>
          services.executions.attemptsOf(
            uow,
            slots.map((slot) => JSON.parse(slot)),
          ),
        ),
    }),
  }),
});

export const StepItem = builder.objectRef<StepRow>('StepItem').implement({
  description: 'One item of a forEach step, or one iteration of a loop.',
  interfaces: [Slot],
  fields: (t) => ({
    index: t.exposeInt('itemIndex', { description: 'Place in the list, or number of the iteration, from 0.' }),
    value: t.field({ type: 'JSON', nullable: true, description: 'The item itself; null for an iteration.', resolve: (row) => row.item }),
  }),
});
export const StepItemConnection = connectionType(StepItem);

/** Items have no id of their own; their cursor is their index. */
function itemConnection({ rows, hasNextPage }: ItemPage) {
  const edges = rows.map((node) => ({ node, cursor: itemCursor(node.itemIndex) }));
  const pageInfo = { hasNextPage, hasPreviousPage: false, startCursor: edges[0]?.cursor ?? null, endCursor: edges.at(-1)?.cursor ?? null };
  return { edges, pageInfo };
}

export const Step = builder.objectRef<StepRow & { kind: StepKind; needs: readonly string[] }>('Step').implement({
  description: 'A step of the definition, in one execution.',
  interfaces: [Slot],
  fields: (t) => ({
    kind: t.expose('kind', { type: StepKindEnum, description: 'What it does.' }),
    needs: t.stringList({ description: 'Ids of the steps it waits for.', resolve: (row) => [...row.needs] }),
    itemTotal: t.exposeInt('itemTotal', {
      nullable: true,
      description: 'Items of a forEach step, once known; of a loop the most iterations it may take.',
    }),
    itemDone: t.exposeInt('itemDone', { nullable: true, description: 'Items, or iterations, that have ended.' }),
    itemFailed: t.exposeInt('itemFailed', { nullable: true, description: 'Items, or iterations, that ended otherwise than succeeded.' }),
    items: t.loadable({
      type: StepItemConnection,
      description: 'Items of a forEach step, or iterations of a loop, by index; empty for other steps.',
      ...paged(),
      byPath: true,
      resolve: slotOf,
      load: (slots: string[], { services, read }, page) =>
        read((uow) =>
          services.executions.itemPages(
            uow,
            slots.map((slot) => JSON.parse(slot)),
            page,
          ),
        ).then((pages) => pages.map(itemConnection)),
    }),
  }),
});

export const Execution = nodeType<ExecutionRow>('Execution', (services, uow, actor, ids) =>
  services.executions.executionsByIds(uow, actor, ids),
);
export const ExecutionConnection = connectionType(Execution);
Execution.implement({
  description: 'A durable run of one version of an agent.',
  fields: (t) => ({
    status: t.expose('status', { type: ExecutionStatusEnum, description: 'Where it stands.' }),
    project: t.field({ type: Project, nullable: true, description: 'Null when you may not see it.', resolve: (row) => row.projectId }),
    environment: t.field({
      type: Environment,
      nullable: true,
      description: 'Where it runs; null when you may not see it.',
      resolve: (row) => row.environmentId,
    }),
    agent: t.field({ type: Agent, nullable: true, description: 'Null when you may not see it.', resolve: (row) => row.agentId }),
    version: t.field({
      type: AgentVersion,
      nullable: true,
      description: 'What it runs; null when you may not see it.',
      resolve: (row) => row.agentVersionId,
    }),
    inputs: t.field({ type: 'JSON', description: 'What it was started with.', resolve: (row) => row.inputs }),
    output: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What it gave; null before it succeeded, and when its definition has no output.',
      resolve: (row) => row.output,
    }),
    failure: t.expose('failure', { type: Failure, nullable: true, description: 'Why it ended badly.' }),
    labels: t.field({ type: 'JSON', description: 'Names and texts given at the start.', resolve: (row) => row.labels }),
    idempotencyKey: t.exposeString('idempotencyKey', { nullable: true, description: 'The key it was started with.' }),
    requestedBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who started it; null when you may not see the person.',
      resolve: (row) => row.requestedBy,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was accepted.' }),
    startAt: t.expose('startAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Not before this moment; null when it was to start at once.',
    }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true, description: 'When a runner took it up.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
    steps: t.loadableList({
      type: Step,
      description: 'Every step of its definition, in that order.',
      resolve: ({ id, agentVersionId, status }) => JSON.stringify({ id, agentVersionId, status }),
      load: (executions: string[], { services, read }) =>
        read((uow) =>
          services.executions.stepViews(
            uow,
            executions.map((each) => JSON.parse(each)),
          ),
        ),
    }),
    lastEvents: t.loadableList({
      type: ExecutionEvent,
      description: 'Its newest events, oldest of them first. For all of them use `executionEvents`.',
      args: { count: t.arg.int({ defaultValue: 5, required: true, description: 'How many, 1 to 100.' }) },
      byPath: true,
      complexity: ({ count }) => ({ field: 1, multiplier: count }),
      resolve: (row) => row.id,
      load: (ids: string[], { services, read }, { count }) => read((uow) => services.events.lastOf(uow, ids, count)),
    }),
  }),
});

export const ExecutionFilter = builder.inputType('ExecutionFilter', {
  description: 'Conditions that an execution must all satisfy; an absent one is satisfied by every execution.',
  fields: (t) => ({
    status: t.field({ type: [ExecutionStatusEnum], description: 'In one of these statuses.' }),
    projectId: t.id({ description: 'Of this project.' }).validate(globalId('Project')),
    agentId: t.id({ description: 'Of this agent.' }).validate(globalId('Agent')),
    environmentId: t.id({ description: 'In this environment.' }).validate(globalId('Environment')),
    parentId: t.id({ description: 'Started by a step of this execution.' }).validate(globalId('Execution')),
    hasParent: t.boolean({ description: 'True: started by a step of another execution. False: not so.' }),
    originId: t.id({ description: 'Retrying or forking this execution.' }).validate(globalId('Execution')),
    labels: t.field({ type: 'JSON', description: 'With every one of these labels, as an object of texts.' }),
    since: t.field({ type: 'DateTime', description: 'Accepted at or after this moment.' }),
    until: t.field({ type: 'DateTime', description: 'Accepted before this moment.' }),
  }),
});

export const StartExecutionInput = builder.inputType('StartExecutionInput', {
  description: 'What to run, where, with what.',
  fields: (t) => ({
    agentId: t.id({ required: true, description: 'The agent.' }).validate(globalId('Agent')),
    environmentId: t.id({ required: true, description: 'Where to run it.' }).validate(globalId('Environment')),
    version: t.string({ description: 'A version that is or was deployed there, instead of the live one.' }),
    inputs: t.field({ type: 'JSON', description: 'Checked against the JSON Schema of the version; at most 1 MiB. Default {}.' }),
    labels: t.field({ type: 'JSON', description: 'Up to 32 names with texts of at most 256 characters, to find it by.' }),
    startAt: t.field({ type: 'DateTime', description: 'Not before this moment, at most 366 days ahead; at once when absent.' }),
    priority: t.int({ description: 'Place in the tenant’s queue, 1 (first) to 9; 5 when absent.' }),
    idempotencyKey: t.string({ description: 'Unique in the tenant: the same key with the same request gives the same execution.' }),
  }),
});

export const CancelExecutionInput = builder.inputType('CancelExecutionInput', {
  description: 'What to cancel, and why.',
  fields: (t) => ({
    executionId: t.id({ required: true, description: 'The execution.' }).validate(globalId('Execution')),
    reason: t.string({ description: 'Kept with the event; at most 1,000 characters.' }),
  }),
});

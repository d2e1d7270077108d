// Events of executions: one interface, one type per entry of the catalogue, fields made from its payload.
import { z } from 'zod';
import { eventCatalogue, eventTypes, nodeTypeOf, type EventType } from '#src/events/catalogue.ts';
import type { EventRow } from '#src/events/event-service.ts';
import type { EventBatch } from '#src/executions/execution-streams.ts';
import type { TenantEventBatch as TenantEventRows } from '#src/executions/tenant-stream.ts';
import { builder } from './builder.ts';
import { enumOf } from './enum.ts';
import { ExecutionStatusEnum, StepStatusEnum } from './execution-status.ts';
import { Failure } from './failure.ts';
import { globalId } from './ids.ts';

const meanings: Readonly<Record<EventType, string>> = {
  'execution.queued': 'The execution was accepted and is durable.',
  'execution.scheduled': 'The execution was accepted, is durable, and starts later.',
  'execution.deferred': 'A policy puts its start off until a moment; then it is judged anew.',
  'execution.started': 'A runner took it up.',
  'execution.waiting': 'Every open step waits: for a person, a moment, a signal or another execution.',
  'execution.paused': 'Nothing new starts; effects that run may finish.',
  'execution.resumed': 'Something it waited for happened, or a pause ended.',
  'execution.signalled': 'A signal was sent to it.',
  'execution.succeeded': 'It ended with its output.',
  'execution.failed': 'It ended because a step failed for good, or its output could not be made.',
  'execution.blocked': 'It ended because its start, or a step, was refused by a policy or a person.',
  'execution.cancelled': 'It was cancelled.',
  'step.queued': 'The step, or an item of it, is ready to run.',
  'step.reused': 'The step, or items of it, were done by the execution that this one retries or forks; they do not run again.',
  'step.expanded': 'The list of a forEach step is known, or a loop begins.',
  'step.iterated': 'Another iteration of a loop begins.',
  'step.started': 'An attempt passed the gate and began.',
  'step.child_started': 'The step started an execution of another agent and waits for it.',
  'step.waiting': 'The step waits for a moment in time, or for a signal until then.',
  'step.deferred': 'A policy puts the step off until a moment; then it passes the gate anew.',
  'signal.received': 'The step took a signal it waited for.',
  'step.succeeded': 'The step, or an item of it, succeeded.',
  'step.retry_scheduled': 'An attempt failed and will be made again.',
  'step.interrupted': 'The process of an attempt ended; the step is ready again.',
  'step.halted': 'A kill switch stopped it before its effect began, or aborted the effect; it goes on once the switch is released.',
  'step.continued': 'The kill switch was released; the step is ready again.',
  'step.failed': 'The step, or an item of it, failed for good.',
  'step.blocked': 'The step was refused by a policy or a person.',
  'step.skipped': 'The step is not needed on the path taken.',
  'approval.requested': 'The step waits for a person.',
  'approval.approved': 'A person approved what the step will run.',
  'approval.rejected': 'A person rejected it.',
  'approval.expired': 'Nobody decided in time.',
  'approval.cancelled': 'The execution ended before anybody decided.',
  'approval.voted': 'A person approved it; others have to, too.',
  'approval.advanced': 'A stage is complete; the people of the next one are asked.',
  'approval.escalated': 'Nobody completed the stage in time; more people are asked.',
  'approval.warned': 'It expires soon.',
  'approval.extended': 'An approver put off its end.',
  'approval.delegated': 'Somebody who is asked has a delegate, who can decide in their place.',
  'approval.edited': 'An approver changed what will run; it is still to be decided.',
  'approval.commented': 'Somebody said, asked or answered something about it.',
};

const fieldMeanings: Readonly<Record<string, string>> = {
  requestedBy: 'Id of the principal who started it.',
  failure: 'Why.',
  reason: 'What was given as the reason; empty when nothing was.',
  cancelledBy: 'Id of the principal who cancelled it.',
  startAt: 'Not before this moment.',
  pausedBy: 'Id of the principal who paused it.',
  resumedBy: 'Id of the principal who ended the pause; null when no pause ended.',
  resumedAs: 'What the execution goes on as after a pause; null when no pause ended.',
  status: 'How the step, or the one it was taken over from, stands: `PENDING` when only some of its items are reused.',
  signalId: 'Id of the signal, as `node` takes it.',
  name: 'Name of the signal.',
  sentBy: 'Id of the principal who sent it.',
  itemTotal: 'How many items the list has; null when the step has none.',
  ranges: 'Pairs of the first and last index of items that are reused; null when the step has none.',
  iteration: 'Index of the iteration, from 0.',
  childExecutionId: 'Id of the execution that was started.',
  signal: 'Name of the signal it waits for; null when it waits for a moment only.',
  stepId: 'Id of the step in the definition; null for the approval that the start of the execution waits for.',
  itemIndex: 'Index of the item of a forEach step, or of the iteration of a loop, from 0; null for the step itself.',
  total: 'How many items, or iterations at most.',
  attempt: 'Number of the attempt, from 1; 0 when the step ended without one.',
  decisionId: 'Id of the decision of the gate.',
  wakeAt: 'When it goes on, or gives up waiting for the signal.',
  outputBytes: 'Size of the output as JSON text, bytes.',
  branchCase: 'Index of the chosen case of a branch step; null when none matched or it is no branch.',
  killSwitchId: 'Id of the kill switch, as `node` takes it.',
  retryAt: 'When the next attempt may begin.',
  approvalId: 'Id of the approval, as `node` and `decideApproval` take it.',
  expiresAt: 'Until when it can be decided.',
  decidedBy: 'Id of the principal who decided.',
  votedBy: 'Id of the principal who approved.',
  stage: 'Index of the stage, from 0.',
  extendedBy: 'Id of the principal who put it off.',
  delegatedBy: 'Id of the principal who is asked.',
  delegateId: 'Id of the principal who can decide in their place.',
  digest: 'SHA-256 of what will run now.',
  editedBy: 'Id of the principal who changed it.',
  commentId: 'Id of the comment, as `node` takes it.',
  commentKind: 'What kind of comment: `comment`, `question` or `answer`.',
  commentedBy: 'Id of the principal who wrote it.',
};

export const EventTypeEnum = enumOf('EventType', eventTypes, 'What happened; each has an object type of its own.', meanings);

export const ExecutionEvent = builder.interfaceRef<EventRow>('ExecutionEvent').implement({
  description: 'Something that happened in an execution. Never changes, never disappears before its execution does.',
  resolveType: (row) => typeName(row.type),
  fields: (t) => ({
    executionId: t.globalID({
      nullable: true,
      description: 'Id of the execution; null for the approval of a call of an agent that runs elsewhere.',
      resolve: ({ executionId, ofToolCall }) => (ofToolCall ? null : { type: 'Execution', id: executionId }),
    }),
    toolCallId: t.globalID({
      nullable: true,
      description: 'Id of the call, as `node` takes it; null for an execution.',
      resolve: ({ executionId, ofToolCall }) => (ofToolCall ? { type: 'ToolCall', id: executionId } : null),
    }),
    sequence: t.exposeInt('sequence', { description: 'Place in the execution: 1, 2, 3 … without a gap.' }),
    type: t.expose('type', { type: EventTypeEnum, description: 'What happened.' }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', description: 'When, by the clock of the process that recorded it.' }),
  }),
});

export const StepEvent = builder.interfaceRef<EventRow>('StepEvent').implement({
  description: 'An event about one step, or one item of it; of an approval also about the start of the execution, which is no step.',
  interfaces: [ExecutionEvent],
  resolveType: (row) => typeName(row.type),
  fields: (t) => ({
    stepId: t.string({
      nullable: true,
      description: fieldMeanings['stepId']!,
      resolve: (row) => (row.data['stepId'] as string) || null,
    }),
    itemIndex: t.int({
      nullable: true,
      description: fieldMeanings['itemIndex']!,
      resolve: (row) => valueOf('itemIndex', row.data['itemIndex']) as number | null,
    }),
  }),
});

/** `step.retry_scheduled` → `StepRetryScheduled`. */
const typeNames = new Map<string, string>(
  eventTypes.map((type) => [
    type,
    type
      .split(/[._]/)
      .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
      .join(''),
  ]),
);
const typeName = (type: EventType): string => typeNames.get(type)!;

/** Fields whose name in the payload stands for something else in another event. */
const namesOutside: Readonly<Partial<Record<EventType, Readonly<Record<string, string>>>>> = {
  'execution.resumed': { status: 'resumedAs' },
};

/** A field has the same type in every event, or a query could not ask for it in two of them (GraphQL: fields must merge). */
const isSometimesAbsent = (name: string): boolean =>
  eventTypes.some(
    (type) => !namesOutside[type]?.[name] && (eventCatalogue[type].shape as Record<string, unknown>)[name] instanceof z.ZodOptional,
  );

for (const type of eventTypes) {
  const shape: Record<string, z.core.$ZodType> = eventCatalogue[type].shape;
  builder.objectType(builder.objectRef<EventRow>(typeName(type)), {
    interfaces: 'stepId' in shape ? [ExecutionEvent, StepEvent] : [ExecutionEvent],
    description: meanings[type],
    fields: (t) =>
      Object.fromEntries(
        Object.entries(shape)
          .filter(([name]) => name !== 'stepId' && name !== 'itemIndex')
          .map(([inside, schema]) => {
            const name = namesOutside[type]?.[inside] ?? inside;
            const description = fieldMeanings[name];
            if (description === undefined) throw new Error(`the field "${name}" of the event ${type} has no description`);
            const nullable = isSometimesAbsent(name);
            const value = (row: EventRow) => valueOf(name, row.data[inside]);
            if (name === 'resumedAs') {
              return [name, t.field({ type: ExecutionStatusEnum, nullable: true, description, resolve: (row) => value(row) as never })];
            }
            if (name === 'status') return [name, t.field({ type: StepStatusEnum, description, resolve: (row) => value(row) as never })];
            if (name === 'failure') return [name, t.field({ type: Failure, description, resolve: (row) => row.data[name] as never })];
            if (name === 'ranges') return [name, t.field({ type: 'JSON', nullable, description, resolve: value })];
            if (name.endsWith('At'))
              return [name, t.field({ type: 'DateTime', nullable, description, resolve: (row) => dateOrNull(value(row)) as never })];
            const node = nodeTypeOf(name);
            if (node) return [name, t.globalID({ nullable, description, resolve: (row) => idOrNull(node, row.data[name]) as never })];
            if (isNumber(schema)) return [name, t.int({ nullable, description, resolve: (row) => value(row) as number })];
            return [name, t.string({ nullable, description, resolve: (row) => value(row) as string })];
          }),
      ),
  });
}

const dateOrNull = (value: unknown) => (typeof value === 'string' ? new Date(value) : null);

const idOrNull = (type: string, id: unknown) => (typeof id === 'string' ? { type, id } : null);

const valueOf = (name: string, value: unknown): unknown => (name === 'itemIndex' && value === -1 ? null : (value ?? null));

function isNumber(schema: z.core.$ZodType): boolean {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return isNumber(schema.unwrap());
  return schema instanceof z.ZodNumber;
}

export const ExecutionEventBatch = builder.objectRef<EventBatch>('ExecutionEventBatch').implement({
  description: 'Events in order, none twice and none left out, with the cursor to go on from after a lost connection.',
  fields: (t) => ({
    events: t.field({
      type: [ExecutionEvent],
      description: 'May be empty: the first batch of an execution without news.',
      resolve: (batch) => [...batch.events],
    }),
    cursor: t.exposeString('cursor', { description: 'Pass it as `after` to go on behind this batch.' }),
    caughtUp: t.exposeBoolean('caughtUp', { description: 'False while more history is known to follow.' }),
  }),
});

export const TenantEventBatch = builder.objectRef<TenantEventRows>('TenantEventBatch').implement({
  description: 'Events of the tenant in the order they were committed, none twice and none left out, with the cursor to go on from.',
  fields: (t) => ({
    events: t.field({
      type: [ExecutionEvent],
      description: 'May be empty: then the cursor alone has moved on.',
      // With the rights of this batch, which may be newer than those it was gathered with.
      resolve: ({ events }, _args, { services, authority, read }) =>
        events.length === 0 ? [] : read((uow) => services.streams.visibleEvents(uow, authority, events)),
    }),
    cursor: t.exposeString('cursor', { description: 'Pass it as `after` to go on behind this batch.' }),
    caughtUp: t.exposeBoolean('caughtUp', { description: 'False while more history is known to follow.' }),
  }),
});

export const TenantEventFilter = builder.inputType('TenantEventFilter', {
  description: 'Conditions on the events to watch; all of them have to hold.',
  fields: (t) => ({
    types: t.field({ type: [EventTypeEnum], description: 'Of one of these types.' }),
    projectId: t.id({ description: 'In this project.' }).validate(globalId('Project')),
    environmentId: t.id({ description: 'In this environment.' }).validate(globalId('Environment')),
    agentId: t.id({ description: 'Of this agent.' }).validate(globalId('Agent')),
    executionId: t.id({ description: 'Of this execution.' }).validate(globalId('Execution')),
  }),
});

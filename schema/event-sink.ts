// Event sinks: where events go, how that stands, and what is behind or was given up.
import {
  eventDeliveryStatuses,
  sinkDefaults,
  sinkHealths,
  sinkKinds,
  sinkLimits,
  sinkOrigins,
  sinkStatuses,
} from '#src/eventbus/event-sink.ts';
import type { BusHealth, EventDeliveryRow, EventSinkRow, SinkHealthRow } from '#src/eventbus/event-sink-reads.ts';
import { builder } from './builder.ts';
import { connectionsOf, connectionType, paged } from './connection.ts';
import { enumOf } from './enum.ts';
import { EventTypeEnum } from './event.ts';
import { globalId } from './ids.ts';
import { nodeType } from './node.ts';
import { Principal } from './principal.ts';

export const EventSinkKindEnum = enumOf('EventSinkKind', sinkKinds, 'What kind of sink.', {
  webhook: 'Signed requests (Standard Webhooks).',
  redis: 'A stream of Redis.',
  nats: 'A stream of NATS JetStream.',
  kafka: 'A topic of Kafka.',
});
export const EventSinkOriginEnum = enumOf('EventSinkOrigin', sinkOrigins, 'Who configured it.', {
  tenant: 'The tenant, through this API.',
  operator: 'The operator, in the configuration of the runners; it gets the events of several tenants.',
});
export const EventSinkStatusEnum = enumOf('EventSinkStatus', sinkStatuses, 'Whether events are sent.', {
  active: 'Events are sent.',
  paused: 'Nothing is sent; it goes on where it stopped once it is resumed.',
});
export const EventSinkStateEnum = enumOf('EventSinkState', sinkHealths, 'How a sink stands.', {
  healthy: 'It takes what it is sent.',
  retrying: 'Something was not taken and will be sent again.',
  failing: 'It failed three times in a row, or its oldest event waits longer than five minutes.',
  paused: 'Nothing is sent.',
});
export const EventDeliveryStatusEnum = enumOf('EventDeliveryStatus', eventDeliveryStatuses, 'How the delivery of an event stands.', {
  pending: 'It will be sent again; later events of its execution wait for it.',
  redelivering: 'It was given up and is sent again; nothing waits for it.',
  dead_lettered: `It was given up; \`redeliverEvent\` sends it again. It is kept for ${sinkLimits.keptDays} days.`,
});
export const EventSinkStartEnum = enumOf('EventSinkStart', ['now', 'beginning'], 'Where a new sink begins.', {
  now: 'With what happens from now on.',
  beginning: 'With the first event of the tenant.',
});

const upTo = `counted up to ${sinkLimits.counted}`;

export const EventDelivery = nodeType<EventDeliveryRow>('EventDelivery', (services, uow, actor, ids) =>
  services.eventSinks.eventDeliveriesByIds(uow, actor, ids),
);
export const EventDeliveryConnection = connectionType(EventDelivery);
EventDelivery.implement({
  description: 'An event that a sink has not taken yet, or that was given up. It is gone once the sink has taken it.',
  fields: (t) => ({
    executionId: t.globalID({
      description: 'The execution, which is in another tenant for some of the sinks of the operator.',
      resolve: ({ executionId }) => ({ type: 'Execution', id: executionId }),
    }),
    sequence: t.exposeInt('sequence', { description: 'Place of the event in the execution.' }),
    type: t.expose('type', { type: EventTypeEnum, description: 'What happened.' }),
    status: t.expose('status', { type: EventDeliveryStatusEnum, description: 'How it stands.' }),
    attempts: t.exposeInt('attempts', { description: 'How often it was sent.' }),
    firstAttemptAt: t.expose('firstAttemptAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was first sent; null when it was not.',
    }),
    nextAttemptAt: t.expose('nextAttemptAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is sent next; null when it was given up.',
    }),
    lastError: t.exposeString('lastError', { nullable: true, description: 'Why it was not taken; null when it was not sent.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the sink fell behind with this execution.' }),
    deadLetteredAt: t.expose('deadLetteredAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was given up; null when it was not.',
    }),
  }),
});

export const EventSinkHealth = builder.objectRef<SinkHealthRow>('EventSinkHealth');
export const EventSink = nodeType<EventSinkRow>('EventSink', (services, uow, actor, ids) =>
  services.eventSinks.eventSinksByIds(uow, actor, ids),
);
export const EventSinkConnection = connectionType(EventSink);

EventSinkHealth.implement({
  description: 'How a sink stands now.',
  fields: (t) => ({
    eventSink: t.field({ type: EventSink, nullable: true, description: 'The sink.', resolve: ({ sinkId }) => sinkId }),
    state: t.expose('health', { type: EventSinkStateEnum, description: 'All of it in a word.' }),
    lagEvents: t.exposeInt('lagEvents', {
      description: `Events it has yet to take, ${upTo}. Of those it has not read, ${10 * sinkLimits.counted} are looked at for the ones it wants.`,
    }),
    lagSeconds: t.exposeInt('lagSeconds', {
      description:
        'How long ago the oldest of them happened; 0 when there is none. Behind what is counted or looked at, the first event of each tenant is one of them, wanted or not.',
    }),
    pendingExecutions: t.exposeInt('pendingExecutions', { description: 'Executions whose events wait for one that was not taken.' }),
    deadLetters: t.exposeInt('deadLetters', { description: `Events that were given up, ${upTo}.` }),
    isCapped: t.exposeBoolean('isCapped', {
      description: 'Whether there are, or may be, more than `lagEvents` or `deadLetters` says, so that these are lower bounds.',
    }),
    failures: t.exposeInt('failures', { description: 'How often in a row nobody answered; 0 once something was taken.' }),
    retryAt: t.expose('retryAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is asked again after that; null when it works.',
    }),
    lastSuccessAt: t.expose('lastSuccessAt', { type: 'DateTime', nullable: true, description: 'When it last took an event.' }),
    lastError: t.exposeString('lastError', { nullable: true, description: 'Why it last did not take one; null when it always did.' }),
    lastErrorAt: t.expose('lastErrorAt', { type: 'DateTime', nullable: true, description: 'When that was.' }),
  }),
});

EventSink.implement({
  description: 'Where events of executions go, in order for each execution and at least once, as CloudEvents 1.0.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique among those of its origin.' }),
    origin: t.expose('origin', { type: EventSinkOriginEnum, description: 'Who configured it.' }),
    kind: t.expose('kind', { type: EventSinkKindEnum, description: 'What kind of sink.' }),
    url: t.exposeString('url', { description: 'Where events go, without credentials.' }),
    types: t.expose('types', { type: [EventTypeEnum], description: 'Only events of these types; empty: all.' }),
    projectId: t.globalID({
      nullable: true,
      description: 'Only events of this project; null: of all.',
      resolve: ({ projectId: id }) => id && { type: 'Project', id },
    }),
    environmentId: t.globalID({
      nullable: true,
      description: 'Only events of this environment; null: of all.',
      resolve: ({ environmentId: id }) => id && { type: 'Environment', id },
    }),
    tenants: t.exposeStringList('tenants', {
      nullable: true,
      description: 'Of the operator: names of the tenants whose events it gets; null: all, or its own.',
    }),
    maxAttempts: t.exposeInt('maxAttempts', { description: 'An event is given up after so many attempts.' }),
    maxAgeSeconds: t.exposeInt('maxAgeSeconds', { description: 'Or so long after the first attempt, at the next one.' }),
    status: t.expose('status', { type: EventSinkStatusEnum, description: 'Whether events are sent.' }),
    pausedReason: t.exposeString('pausedReason', { nullable: true, description: 'Why nothing is sent; null when nobody said.' }),
    health: t.loadable({
      type: EventSinkHealth,
      description: 'How it stands now.',
      byPath: true,
      resolve: ({ id }) => id,
      load: (ids: string[], { services, read }) =>
        read((uow) => services.eventSinks.healthOfSinks(uow, ids)).then((rows) => {
          const byId = new Map(rows.map((row) => [row.sinkId, row]));
          return ids.map((id) => byId.get(id)!);
        }),
    }),
    deliveries: t.loadable({
      type: EventDeliveryConnection,
      description: 'Events that it has not taken yet, or that were given up; newest first.',
      ...paged({ status: t.arg({ type: EventDeliveryStatusEnum, description: 'Only those that stand so.' }) }),
      byPath: true,
      resolve: ({ id }) => id,
      load: (ids: string[], { services, read }, page) =>
        read((uow) => services.eventSinks.eventDeliveriesOf(uow, ids, page)).then(connectionsOf('eventDeliveries')),
    }),
    createdBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who made it; null for those of the operator, and when you may not see the person.',
      resolve: ({ createdBy }) => createdBy,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When its settings last changed.' }),
  }),
});

export const EventBusHealth = builder.objectRef<BusHealth>('EventBusHealth').implement({
  description: 'How all sinks that you may see stand. Those that are paused count into `deadLetters` only.',
  fields: (t) => ({
    state: t.expose('health', { type: EventSinkStateEnum, description: 'The worst of them.' }),
    lagEvents: t.exposeInt('lagEvents', { description: `Events that the one most behind has yet to take, ${upTo}.` }),
    lagSeconds: t.exposeInt('lagSeconds', { description: 'How long ago the oldest event that any of them has yet to take happened.' }),
    deadLetters: t.exposeInt('deadLetters', { description: `Events that were given up; of each sink ${upTo}.` }),
    isCapped: t.exposeBoolean('isCapped', { description: 'Whether it is so with one of them, so that these numbers are lower bounds.' }),
    sinks: t.field({ type: [EventSinkHealth], description: 'Each of them, newest first.', resolve: ({ sinks }) => [...sinks] }),
  }),
});

const attempts = `1 to ${sinkLimits.maxAttempts}; default ${sinkDefaults.maxAttempts}.`;
const age = `${sinkLimits.minAgeSeconds} to ${sinkLimits.maxAgeSeconds}; default ${sinkDefaults.maxAgeSeconds}.`;

export const CreateEventSinkInput = builder.inputType('CreateEventSinkInput', {
  description: `A new sink: a signed webhook. A tenant has at most ${sinkLimits.perTenant}; brokers are configured by the operator.`,
  fields: (t) => ({
    name: t.string({ required: true, description: `1 to ${sinkLimits.nameLength} characters, unique in the tenant.` }),
    url: t.string({ required: true, description: 'http or https at a public address; redirects are not followed.' }),
    types: t.field({ type: [EventTypeEnum], description: 'Only events of these types; all when absent or empty.' }),
    projectId: t.id({ description: 'Only events of this project.' }).validate(globalId('Project')),
    environmentId: t.id({ description: 'Only events of this environment.' }).validate(globalId('Environment')),
    from: t.field({ type: EventSinkStartEnum, description: 'Where it begins; NOW when absent.' }),
    after: t.string({ description: 'It begins behind this cursor of `tenantEvents`; then leave out `from`.' }),
    maxAttempts: t.int({ description: `An event is given up after so many attempts: ${attempts}` }),
    maxAgeSeconds: t.int({ description: `Or so long after the first attempt: ${age}` }),
  }),
});

const eventSinkId = { required: true, description: 'The sink.' } as const;

export const UpdateEventSinkInput = builder.inputType('UpdateEventSinkInput', {
  description: 'What to change of a sink; fields left out stay as they are. What is sent from then on is sent so.',
  fields: (t) => ({
    eventSinkId: t.id(eventSinkId).validate(globalId('EventSink')),
    name: t.string({ description: 'A new name.' }),
    url: t.string({ description: 'A new URL.' }),
    types: t.field({ type: [EventTypeEnum], description: 'New types, replacing the old ones; empty or null: all.' }),
    projectId: t.id({ description: 'Only events of this project; null: of all.' }).validate(globalId('Project')),
    environmentId: t.id({ description: 'Only events of this environment; null: of all.' }).validate(globalId('Environment')),
    maxAttempts: t.int({ description: `An event is given up after so many attempts: ${attempts}` }),
    maxAgeSeconds: t.int({ description: `Or so long after the first attempt: ${age}` }),
  }),
});

export const PauseEventSinkInput = builder.inputType('PauseEventSinkInput', {
  description: 'Which sink to pause, and why.',
  fields: (t) => ({
    eventSinkId: t.id(eventSinkId).validate(globalId('EventSink')),
    reason: t.string({ description: `For people; at most ${sinkLimits.reasonLength} characters.` }),
  }),
});

const ofSink = (name: string, description: string) =>
  builder.inputType(name, { description, fields: (t) => ({ eventSinkId: t.id(eventSinkId).validate(globalId('EventSink')) }) });
export const ResumeEventSinkInput = ofSink('ResumeEventSinkInput', 'Which sink goes on.');
export const RotateEventSinkSecretInput = ofSink('RotateEventSinkSecretInput', 'Which sink gets a new secret.');
export const DeleteEventSinkInput = ofSink('DeleteEventSinkInput', 'Which sink to remove.');
export const RedeliverEventsInput = ofSink('RedeliverEventsInput', 'Whose events that were given up are sent again.');

export const RedeliverEventInput = builder.inputType('RedeliverEventInput', {
  description: 'Which event to send once more.',
  fields: (t) => ({
    eventDeliveryId: t.id({ required: true, description: 'The delivery that was given up.' }).validate(globalId('EventDelivery')),
  }),
});

// Event sinks of the tenant: read, make, change, pause, remove, send again; and how the event bus stands.
import {
  ConflictError,
  CursorExpiredError,
  InvalidCursorError,
  InvalidStateError,
  LimitExceededError,
  UnavailableError,
} from '#src/platform/errors.ts';
import { webhookLimits } from '#src/webhooks/webhook.ts';
import { sinkLimits } from '#src/eventbus/event-sink.ts';
import { builder } from '#schema/builder.ts';
import { connectionOf, paged } from '#schema/connection.ts';
import {
  CreateEventSinkInput,
  DeleteEventSinkInput,
  EventBusHealth,
  EventDelivery,
  EventSink,
  EventSinkConnection,
  PauseEventSinkInput,
  RedeliverEventInput,
  RedeliverEventsInput,
  ResumeEventSinkInput,
  RotateEventSinkSecretInput,
  UpdateEventSinkInput,
} from '#schema/event-sink.ts';
import { mutation } from '#schema/mutation.ts';

builder.queryField('eventSinks', (t) =>
  t.field({
    type: EventSinkConnection,
    description: 'Event sinks of this tenant, newest first; in the first tenant also those of the operator.',
    authScopes: { permission: 'eventsink.read' },
    ...paged(),
    resolve: (_root, page, { services, authority, read }) =>
      connectionOf(
        'eventSinks',
        read((uow) => services.eventSinks.listEventSinks(uow, authority, page)),
      ),
  }),
);

builder.queryField('eventBusHealth', (t) =>
  t.field({
    type: EventBusHealth,
    description: 'How the event sinks stand, each and all together.',
    authScopes: { permission: 'eventsink.read' },
    complexity: { field: 1, multiplier: 10 },
    resolve: (_root, _args, { services, authority, read }) => read((uow) => services.eventSinks.eventBusHealth(uow, authority)),
  }),
);

const secret = {
  type: 'String',
  description: 'The secret that requests are signed with, for libraries of Standard Webhooks. Shown only now.',
} as const;
const sink = (description: string) => ({ eventSink: { type: EventSink, description } });
const permission = 'eventsink.manage';

mutation('createEventSink', {
  description: 'Makes a sink that gets the events of this tenant.',
  permission,
  input: CreateEventSinkInput,
  returns: { ...sink('The new sink.'), secret },
  fails: [ConflictError, LimitExceededError, InvalidCursorError, CursorExpiredError, UnavailableError],
  resolve: (services, uow, actor, input) => services.eventSinks.createEventSink(uow, actor, input),
});

mutation('updateEventSink', {
  description: 'Changes a sink. What is sent from now on is sent so.',
  permission,
  input: UpdateEventSinkInput,
  returns: sink('The sink as it is now.'),
  fails: [ConflictError, InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ eventSink: await services.eventSinks.updateEventSink(uow, actor, input) }),
});

mutation('pauseEventSink', {
  description: 'Sends nothing more to a sink until it is resumed. What is being sent may arrive.',
  permission,
  input: PauseEventSinkInput,
  returns: sink('The sink, paused.'),
  resolve: async (services, uow, actor, { eventSinkId, reason }) => ({
    eventSink: await services.eventSinks.pauseEventSink(uow, actor, eventSinkId, reason ?? ''),
  }),
});

mutation('resumeEventSink', {
  description: 'Goes on sending where a paused sink stopped.',
  permission,
  input: ResumeEventSinkInput,
  returns: sink('The sink, active.'),
  resolve: async (services, uow, actor, { eventSinkId }) => ({
    eventSink: await services.eventSinks.resumeEventSink(uow, actor, eventSinkId),
  }),
});

mutation('rotateEventSinkSecret', {
  description: `Gives a sink a new secret. For a day requests carry a signature by the one it replaces, too; at most ${webhookLimits.previousSecrets} replaced ones sign at a time.`,
  permission,
  input: RotateEventSinkSecretInput,
  returns: { ...sink('The sink.'), secret },
  fails: [InvalidStateError, UnavailableError],
  resolve: (services, uow, actor, { eventSinkId }) => services.eventSinks.rotateEventSinkSecret(uow, actor, eventSinkId),
});

mutation('deleteEventSink', {
  description: 'Removes a sink with its deliveries; nothing more is sent. One of the operator comes back with the next runner that has it.',
  permission,
  input: DeleteEventSinkInput,
  returns: sink('The sink as it was last.'),
  resolve: async (services, uow, actor, { eventSinkId }) => ({
    eventSink: await services.eventSinks.deleteEventSink(uow, actor, eventSinkId),
  }),
});

mutation('redeliverEvent', {
  description: 'Sends an event that was given up once more, with the same id, by which its receiver knows it.',
  permission,
  input: RedeliverEventInput,
  returns: { eventDelivery: { type: EventDelivery, description: 'The delivery, under way again.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, { eventDeliveryId }) => ({
    eventDelivery: await services.eventSinks.redeliverEvent(uow, actor, eventDeliveryId),
  }),
});

mutation('redeliverEvents', {
  description: `Sends ${sinkLimits.redelivered} events that a sink gave up once more, those first that it gave up longest ago. Call it again while there are others.`,
  permission,
  input: RedeliverEventsInput,
  returns: {
    ...sink('The sink.'),
    redelivering: { type: 'Int', description: 'How many are sent again.' },
    hasMore: { type: 'Boolean', description: 'Whether the sink gave up others, which are not.' },
  },
  resolve: (services, uow, actor, { eventSinkId }) => services.eventSinks.redeliverEvents(uow, actor, eventSinkId),
});

// The same for event sinks.
import { newId } from '#src/platform/ids.ts';
import { gid, type MutationCase, type MutationWorld } from './mutation-cases.ts';
import { givenUp } from './seed.ts';
import { parseGlobalId } from '#schema/ids.ts';

const newSink = (w: MutationWorld) => w.make('createEventSink', { name: w.name(), url: 'https://hooks.example.com:9/' });
const withDeadLetter = async (w: MutationWorld) => {
  const eventSinkId = await newSink(w);
  return { eventSinkId, delivery: await givenUp(w.api.home, parseGlobalId(eventSinkId)!.id, newId()) };
};
const paused = async (w: MutationWorld) => {
  const eventSinkId = await newSink(w);
  await w.make('pauseEventSink', { eventSinkId });
  return eventSinkId;
};

export const sinkCases: Readonly<Record<string, MutationCase>> = {
  createEventSink: { input: (w) => ({ name: w.name(), url: 'https://hooks.example.com:9/' }), change: 'created', again: 'refused' },
  updateEventSink: { input: async (w) => ({ eventSinkId: await newSink(w), maxAttempts: 3 }), change: 'changed', again: 'nothing' },
  pauseEventSink: { input: async (w) => ({ eventSinkId: await newSink(w) }), change: 'changed', again: 'nothing' },
  resumeEventSink: { input: async (w) => ({ eventSinkId: await paused(w) }), change: 'changed', again: 'nothing' },
  rotateEventSinkSecret: { input: async (w) => ({ eventSinkId: await newSink(w) }), change: 'changed', again: 'another' },
  deleteEventSink: { input: async (w) => ({ eventSinkId: await newSink(w) }), change: 'gone', again: 'refused' },
  redeliverEvent: {
    input: async (w) => ({ eventDeliveryId: gid('EventDelivery', (await withDeadLetter(w)).delivery) }),
    ...{ change: 'changed', again: 'refused' },
  },
  redeliverEvents: {
    input: async (w) => ({ eventSinkId: (await withDeadLetter(w)).eventSinkId }),
    ...{ change: 'touched', again: 'nothing', field: 'eventSink' },
  },
};

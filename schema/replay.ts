// Replay: what the events of an execution give, against what is stored.
import type { Difference } from '#src/inspection/replay-problems.ts';
import type { Replay as ReplayResult, ReplayCounts as Counts } from '#src/inspection/replay.ts';
import { builder } from './builder.ts';
import { ExecutionStatusEnum } from './execution-status.ts';

const ReplayDifference = builder.objectRef<Difference>('ReplayDifference').implement({
  description: 'Where the events and what is stored first part.',
  fields: (t) => ({
    path: t.exposeString('path', {
      description: 'Such as `events[5].data.total`, `execution.status`, `steps.read.itemDone` or `steps.read[3].attempts[2].status`.',
    }),
    folded: t.field({ type: 'JSON', nullable: true, description: 'What the events give; null for nothing.', resolve: (row) => row.folded }),
    stored: t.field({ type: 'JSON', nullable: true, description: 'What is stored; null for nothing.', resolve: (row) => row.stored }),
    message: t.exposeString('message', { description: 'What is wrong with it, for people.' }),
  }),
});

const ReplayCounts = builder.objectRef<Counts>('ReplayCounts').implement({
  description: 'How much was found equal; after a difference, how much until it was found.',
  fields: (t) => ({
    events: t.exposeInt('events', { description: 'Events that were folded.' }),
    steps: t.exposeInt('steps', { description: 'Steps that have begun.' }),
    items: t.exposeInt('items', { description: 'Items of forEach steps, iterations of loops.' }),
    attempts: t.exposeInt('attempts', { description: 'Tries of effects.' }),
    approvals: t.exposeInt('approvals', { description: 'Approvals.' }),
    signals: t.exposeInt('signals', { description: 'Signals.' }),
  }),
});

export const Replay = builder.objectRef<ReplayResult>('Replay').implement({
  description: 'An execution as its events alone give it, compared with what is stored.',
  fields: (t) => ({
    equal: t.boolean({
      description: 'Nothing that the events tell is stored otherwise.',
      resolve: ({ difference }) => difference === null,
    }),
    difference: t.field({
      type: ReplayDifference,
      nullable: true,
      description: 'The first difference; null when there is none.',
      resolve: ({ difference }) => difference,
    }),
    status: t.expose('status', { type: ExecutionStatusEnum, description: 'Where the execution stands by its events.' }),
    counts: t.expose('counts', { type: ReplayCounts, description: 'How much was compared.' }),
  }),
});

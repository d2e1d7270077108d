// Signals: sent to an execution by name, kept until a wait step takes them. Adds its fields to Execution and Slot.
import type { SignalRow } from '#src/executions/signal-reads.ts';
import { builder } from './builder.ts';
import { connectionsOf, connectionType, paged } from './connection.ts';
import { Execution, Slot } from './execution.ts';
import { globalId } from './ids.ts';
import { nodeType } from './node.ts';
import { Principal } from './principal.ts';

export const Signal = nodeType<SignalRow>('Signal', (services, uow, actor, ids) => services.control.signalsByIds(uow, actor, ids));
export const SignalConnection = connectionType(Signal);
Signal.implement({
  description: 'A message to an execution. One wait step for its name takes it, whether that waits already or begins to later.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What wait steps know it by.' }),
    payload: t.field({ type: 'JSON', nullable: true, description: 'What was sent with it.', resolve: (row) => row.payload }),
    execution: t.field({
      type: Execution,
      nullable: true,
      description: 'The execution it was sent to; null when you may not see it.',
      resolve: (row) => row.executionId,
    }),
    sentBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who sent it; null when you may not see the person.',
      resolve: (row) => row.sentBy,
    }),
    sentAt: t.expose('sentAt', { type: 'DateTime', description: 'When it was accepted.' }),
    receivedByStepId: t.exposeString('receivedBy', { nullable: true, description: 'The step that took it; null while none has.' }),
    receivedAt: t.expose('receivedAt', { type: 'DateTime', nullable: true, description: 'When a step took it.' }),
  }),
});

builder.objectField(Execution, 'signals', (t) =>
  t.loadable({
    type: SignalConnection,
    description: 'Signals that were sent to it, newest first.',
    ...paged(),
    byPath: true,
    resolve: (execution) => execution.id,
    load: (ids: string[], { services, read }, page) =>
      read((uow) => services.control.signalsOf(uow, ids, page)).then(connectionsOf('signals')),
  }),
);

builder.interfaceField(Slot, 'signal', (t) =>
  t.exposeString('signal', { nullable: true, description: 'Name of the signal that it waits for; null while it waits for none.' }),
);

export const SignalExecutionInput = builder.inputType('SignalExecutionInput', {
  description: 'What to send, and to which execution.',
  fields: (t) => ({
    executionId: t.id({ required: true, description: 'The execution.' }).validate(globalId('Execution')),
    name: t.string({ required: true, description: 'What the wait step waits for: a letter or _, then letters, digits, "_", "." and "-".' }),
    payload: t.field({ type: 'JSON', description: 'Any JSON of at most 256 KiB: `payload` in the output of the step that takes it.' }),
    idempotencyKey: t.string({ description: 'Unique in the execution: the same key with the same signal is the same signal, sent once.' }),
  }),
});

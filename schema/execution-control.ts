// Inputs of what people do to executions that run, and to those that have ended.
import { builder } from './builder.ts';
import { globalId } from './ids.ts';

export const PauseExecutionInput = builder.inputType('PauseExecutionInput', {
  description: 'What to pause, and why.',
  fields: (t) => ({
    executionId: t.id({ required: true, description: 'The execution.' }).validate(globalId('Execution')),
    reason: t.string({ description: 'Kept with the event; at most 1,000 characters.' }),
  }),
});

export const ResumeExecutionInput = builder.inputType('ResumeExecutionInput', {
  description: 'What to resume.',
  fields: (t) => ({
    executionId: t.id({ required: true, description: 'A paused execution.' }).validate(globalId('Execution')),
  }),
});

export const RetryExecutionInput = builder.inputType('RetryExecutionInput', {
  description: 'What to retry.',
  fields: (t) => ({
    executionId: t
      .id({ required: true, description: 'An execution that is failed, blocked or cancelled.' })
      .validate(globalId('Execution')),
    idempotencyKey: t.string({ description: 'Unique in the tenant: the same key with the same request gives the same execution.' }),
  }),
});

export const ForkExecutionInput = builder.inputType('ForkExecutionInput', {
  description: 'Where to begin again, and with what.',
  fields: (t) => ({
    executionId: t.id({ required: true, description: 'The execution to fork; it stays as it is.' }).validate(globalId('Execution')),
    stepId: t.string({ required: true, description: 'A step that has ended there: it and what follows it run again.' }),
    inputs: t.field({ type: 'JSON', description: 'Instead of the inputs it was started with; the same when absent.' }),
    version: t.string({ description: 'A version that is or was deployed there, instead of the one it ran; the same when absent.' }),
    idempotencyKey: t.string({ description: 'Unique in the tenant: the same key with the same request gives the same execution.' }),
  }),
});

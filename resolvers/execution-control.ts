// What people do to executions: pause, resume, signal those that run; retry and fork those that have ended.
import { ConflictError, IdempotencyConflictError, InvalidStateError } from '#src/platform/errors.ts';
import { ForkExecutionInput, PauseExecutionInput, ResumeExecutionInput, RetryExecutionInput } from '#schema/execution-control.ts';
import { Execution } from '#schema/execution.ts';
import { mutation } from '#schema/mutation.ts';
import { Signal, SignalExecutionInput } from '#schema/signal.ts';

mutation('pauseExecution', {
  description:
    'Stops an execution where it stands. Running effects may finish; nothing new starts, and no timer or signal is acted on until `resumeExecution`. Executions it started go on.',
  permission: 'execution.pause',
  input: PauseExecutionInput,
  returns: { execution: { type: Execution, description: 'The paused execution.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ execution: await services.control.pauseExecution(uow, actor, input) }),
});

mutation('resumeExecution', {
  description: 'Lets a paused execution go on exactly where it was paused; timers that are due by now go off.',
  permission: 'execution.pause',
  input: ResumeExecutionInput,
  returns: { execution: { type: Execution, description: 'The execution, as it stands now.' } },
  fails: [InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ execution: await services.control.resumeExecution(uow, actor, input) }),
});

mutation('signalExecution', {
  description: 'Sends a signal to an execution that has not ended. It is kept until a wait step for its name takes it.',
  permission: 'execution.signal',
  input: SignalExecutionInput,
  returns: { signal: { type: Signal, description: 'The signal, or the one this idempotency key sent before.' } },
  fails: [IdempotencyConflictError, InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ signal: await services.control.signalExecution(uow, actor, input) }),
});

mutation('retryExecution', {
  description:
    'Starts a new execution that takes over what a failed, blocked or cancelled one has done and goes on from there. Effects that are tried again keep their Idempotency-Keys.',
  permission: 'execution.start',
  input: RetryExecutionInput,
  returns: { execution: { type: Execution, description: 'The new execution, or the one this idempotency key started before.' } },
  fails: [ConflictError, IdempotencyConflictError, InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ execution: await services.reruns.retryExecution(uow, actor, input) }),
});

mutation('forkExecution', {
  description:
    'Starts a new execution that begins with a step another one has ended, with other inputs or another version where given. What does not follow that step is taken over, its effects are not repeated.',
  permission: 'execution.start',
  input: ForkExecutionInput,
  returns: { execution: { type: Execution, description: 'The new execution, or the one this idempotency key started before.' } },
  fails: [ConflictError, IdempotencyConflictError, InvalidStateError],
  resolve: async (services, uow, actor, input) => ({ execution: await services.reruns.forkExecution(uow, actor, input) }),
});

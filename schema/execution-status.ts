// What executions, steps and attempts can be: their statuses, and the kinds of steps.
import { stepKinds } from '#src/agents/definition.ts';
import { attemptStatuses, executionStatuses, stepStatuses } from '#src/executions/execution.ts';
import { enumOf } from './enum.ts';

export const ExecutionStatusEnum = enumOf('ExecutionStatus', executionStatuses, 'Where an execution stands.', {
  queued: 'Accepted; no runner has taken it up yet.',
  scheduled: 'Accepted; starts later.',
  awaiting_approval: 'A policy asks a person before it may start.',
  running: 'At least one step runs or is ready to.',
  waiting: 'Every open step waits: for a person, a moment, a signal or another execution; this costs nothing.',
  paused: 'A person stopped it; nothing new starts until it is resumed.',
  succeeded: 'Ended with its output.',
  failed: 'Ended because a step failed for good.',
  cancelled: 'Ended by a person.',
  blocked: 'Ended because a policy or a person refused its start, or a step.',
});

export const StepStatusEnum = enumOf('StepStatus', stepStatuses, 'Where a step, or an item of it, stands.', {
  pending: 'Waits for other steps.',
  queued: 'Ready to run, or to run again.',
  running: 'Runs.',
  awaiting_approval: 'Waits for a person.',
  waiting: 'Waits for a moment in time, a signal, or an execution it started.',
  succeeded: 'Ended well.',
  failed: 'Failed for good.',
  skipped: 'Not needed on the path taken.',
  cancelled: 'The execution ended first.',
  blocked: 'Refused by a policy or a person.',
});

export const StepKindEnum = enumOf('StepKind', stepKinds, 'What a step does.', {
  tool: 'Calls a tool, through the gate.',
  http: 'Makes an HTTP request, through the gate.',
  agent: 'Starts an execution of another agent and waits for it.',
  transform: 'Computes a value.',
  approval: 'Asks a person.',
  wait: 'Waits for a time or a signal.',
  branch: 'Chooses which steps follow.',
});

export const AttemptStatusEnum = enumOf('AttemptStatus', attemptStatuses, 'How one try of an effect stands.', {
  running: 'Under way.',
  succeeded: 'Its result was committed.',
  failed: 'It failed.',
  abandoned: 'Its process ended, or the execution did; nothing of it was committed.',
});

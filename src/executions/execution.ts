// Executions: statuses of executions, steps and attempts, and the predicates beside them. Pure; no I/O.
export const executionStatuses = [
  'queued',
  'scheduled',
  'awaiting_approval',
  'running',
  'waiting',
  'paused',
  'succeeded',
  'failed',
  'cancelled',
  'blocked',
] as const;
export type ExecutionStatus = (typeof executionStatuses)[number];

export const stepStatuses = [
  'pending',
  'queued',
  'running',
  'awaiting_approval',
  'waiting',
  'succeeded',
  'failed',
  'skipped',
  'cancelled',
  'blocked',
] as const;
export type StepStatus = (typeof stepStatuses)[number];

/** How an execution follows from another one. */
export const executionOrigins = ['retry', 'fork'] as const;
export type ExecutionOrigin = (typeof executionOrigins)[number];

export const attemptStatuses = ['running', 'succeeded', 'failed', 'abandoned'] as const;
export type AttemptStatus = (typeof attemptStatuses)[number];

export const isFinalExecution = (status: ExecutionStatus): boolean =>
  status === 'succeeded' || status === 'failed' || status === 'cancelled' || status === 'blocked';

export const isFinalStep = (status: StepStatus): boolean =>
  status === 'succeeded' || status === 'failed' || status === 'skipped' || status === 'cancelled' || status === 'blocked';

/** Why a step or an execution ended badly. `code` is stable, `message` is for people. */
export interface ExecutionFailure {
  readonly code: string;
  readonly message: string;
  readonly stepId?: string | undefined;
}

/** Largest output of one step or forEach item: 1 MiB of JSON text (UTF-8). */
export const maxOutputBytes = 1024 * 1024;

/** Largest list that a forEach step collects: 16 MiB of JSON text. */
export const maxCollectedBytes = 16 * 1024 * 1024;

/** Most items of one forEach. */
export const maxItems = 10_000;

/** How often one step may lose its process before it is given up. */
export const maxInterruptions = 10;

/** Cursor of an item in the list of a forEach step's items. */
export const itemCursor = (index: number): string => Buffer.from(`items:${index}`).toString('base64url');

// The queue's words: what a limit is set on, how an operation on many executions stands, and what is kept of its request. Pure.
import type { Visibility } from '../authority/permission.ts';
import type { ExecutionFilter } from '../executions/execution-reads.ts';

export const limitScopes = ['tenant', 'project', 'environment', 'agent'] as const;
export type LimitScope = (typeof limitScopes)[number];

export const bulkStatuses = ['queued', 'running', 'finished'] as const;
export type BulkStatus = (typeof bulkStatuses)[number];

/** Most executions that a limit lets run at a time. */
export const maxLimit = 100_000;

/** A filter as it is kept: moments as texts. */
export type StoredFilter = Omit<ExecutionFilter, 'since' | 'until'> & {
  readonly since?: string | null | undefined;
  readonly until?: string | null | undefined;
};

export type CancelPlaces = Pick<Visibility, 'everywhere' | 'projectIds' | 'environmentIds' | 'teamIds'>;

/** Of the backlog, of what was admitted and of what runs: so far the status of a queue counts. */
export const mostCounted = 1_000;

// What events say of the rows besides the machine's state: moments, failures, attempts. One reading of them for the store that writes
// the rows and for the replay that checks them. Pure.
import type { SlotEvent } from '../events/catalogue.ts';
import type { AttemptStatus, ExecutionFailure } from './execution.ts';

export interface SlotFacts {
  /** The slot became ready; the first such moment is kept. */
  readonly queued: boolean;
  /** Its work began; the first such moment is kept. */
  readonly started: boolean;
  /** Why it ended badly or is tried again; kept until it succeeds. */
  readonly failure?: ExecutionFailure;
}

export function slotFacts(event: SlotEvent): SlotFacts {
  return {
    queued: event.type === 'step.queued',
    started: event.type === 'step.started' || event.type === 'step.expanded',
    ...('failure' in event.data && { failure: event.data.failure }),
  };
}

export interface AttemptFact {
  readonly number: number;
  readonly status: AttemptStatus;
  /** Of the start alone. */
  readonly decisionId?: string;
  readonly failure?: ExecutionFailure;
}

/** How an attempt began (`running`) or ended; null when the event is about none. */
export function attemptFact(event: SlotEvent): AttemptFact | null {
  switch (event.type) {
    case 'step.started':
      return { number: event.data.attempt, status: 'running', decisionId: event.data.decisionId };
    case 'step.succeeded':
      return event.data.attempt > 0 ? { number: event.data.attempt, status: 'succeeded' } : null;
    case 'step.failed':
    case 'step.retry_scheduled':
      return event.data.attempt > 0 ? { number: event.data.attempt, status: 'failed', failure: event.data.failure } : null;
    case 'step.interrupted':
      return { number: event.data.attempt, status: 'abandoned' };
    case 'step.blocked':
      return event.data.attempt === undefined ? null : { number: event.data.attempt, status: 'failed', failure: event.data.failure };
    case 'step.halted':
      return event.data.attempt > 0 ? { number: event.data.attempt, status: 'abandoned' } : null;
    default:
      return null;
  }
}

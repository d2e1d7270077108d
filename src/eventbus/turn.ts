// What one turn of a sink is about: its state, the lines of events that are due, and what became of each. Types only.
import type { FeedPosition } from '../events/event-service.ts';
import type { FeedEvent } from './cloud-event.ts';
import type { GivingUp, SinkFilter, SinkOrigin } from './event-sink.ts';

/** A sink that this process relays to until the lease ends. */
export interface Lease {
  readonly id: string;
  readonly tenantId: string;
  readonly fence: number;
}

export interface SinkState extends SinkFilter, GivingUp, FeedPosition {
  readonly id: string;
  readonly tenantId: string;
  readonly origin: SinkOrigin;
  readonly name: string;
  readonly url: string;
  readonly secret: string | null;
  readonly pending: number;
  readonly failures: number;
}

/** Events of one execution, sent one after the other. */
export interface Line {
  readonly tenantId: string;
  readonly executionId: string;
  /** The delivery that it goes on from: pending, or one that is sent once more for itself. */
  readonly delivery: { readonly id: string; readonly again: boolean } | null;
  /** Of the first event. */
  readonly attempts: number;
  readonly firstAttemptAt: Date | null;
  readonly events: readonly FeedEvent[];
  /** The event after the last one here, when the line is longer. */
  readonly rest: FeedEvent | null;
}

export interface Turn {
  readonly sink: SinkState;
  readonly lines: readonly Line[];
  /** Where the sink is once each line is delivered or recorded. */
  readonly place: FeedPosition;
}

/** An event that was tried, or has to wait for its turn: then it keeps the attempts it had. */
export interface Held {
  readonly event: FeedEvent;
  readonly attempts: number;
  readonly firstAttemptAt: Date | null;
  readonly nextAttemptAt: Date;
  readonly error: string | null;
}

export interface LineOutcome {
  readonly line: Line;
  readonly delivered: number;
  readonly dead: readonly Held[];
  /** Null: the line is done. */
  readonly held: Held | null;
}

export interface TurnOutcome {
  readonly lines: readonly LineOutcome[];
  readonly failures: number;
  /** Null: it stays. */
  /** Null: it stays as it is while there are failures. */
  readonly retryAt: Date | null;
  readonly error: string | null;
  /** Set when it will never listen again. */
  readonly pausedReason: string | null;
}

// Events as they are read, and their place among all of the tenant.
import type { EventType } from './catalogue.ts';

export interface EventRow {
  readonly executionId: string;
  /** Of a call of an agent that runs elsewhere: `executionId` is the call's. Said in the feed of a tenant only. */
  readonly ofToolCall?: true;
  readonly sequence: number;
  readonly type: EventType;
  readonly data: Readonly<Record<string, unknown>>;
  readonly occurredAt: Date;
}

/** With its place in the tenant's commit order. */
export interface PlacedEventRow extends EventRow {
  readonly transactionId: string;
}

/** A place in the tenant's commit order: (transaction id, execution, sequence). */
export interface FeedPosition {
  readonly transactionId: string;
  readonly executionId: string;
  readonly sequence: number;
}

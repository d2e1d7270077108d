// Where facts about an open request are told: the stream of the execution that waits, or of the call of an agent that runs elsewhere.
// The interface only; executions, which own those streams, carry it out.
import type { UnitOfWork } from '../platform/database.ts';
import type { ApprovalRow } from './approval-reads.ts';

/** What happens to a request for approval while it is open; told as `approval.<type>`. */
export type ApprovalNote =
  | { readonly type: 'voted'; readonly votedBy: string; readonly stage: number }
  /** The next stage begins. */
  | { readonly type: 'advanced'; readonly stage: number }
  | { readonly type: 'escalated'; readonly stage: number }
  | { readonly type: 'warned'; readonly expiresAt: string }
  | { readonly type: 'extended'; readonly extendedBy: string; readonly expiresAt: string }
  | { readonly type: 'delegated'; readonly delegatedBy: string; readonly delegateId: string }
  | { readonly type: 'edited'; readonly digest: string; readonly editedBy: string }
  | { readonly type: 'commented'; readonly commentId: string; readonly commentKind: string; readonly commentedBy: string };

/** How a request began and ended; executions tell that of their own requests by themselves. */
export type CallFact =
  | { readonly type: 'requested'; readonly expiresAt: string }
  | { readonly type: 'approved' | 'rejected'; readonly decidedBy: string }
  | { readonly type: 'expired' }
  | { readonly type: 'cancelled' };

type Place = Pick<ApprovalRow, 'id' | 'executionId' | 'stepId' | 'itemIndex' | 'toolCallId'>;

export interface ApprovalLog {
  /** Locks the executions of these requests, in one order for everybody: before the requests' own rows, as a dispatch does. */
  hold(uow: UnitOfWork, approvals: readonly Pick<Place, 'executionId'>[]): Promise<void>;
  /** For a request that is open, under its row lock, with its execution held. */
  note(uow: UnitOfWork, approval: Place, notes: readonly ApprovalNote[]): Promise<void>;
  /** Of a request of a call, under its row lock. */
  tellCall(uow: UnitOfWork, approval: Place, fact: CallFact): Promise<void>;
}

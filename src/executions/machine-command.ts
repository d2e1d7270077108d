// The commands of the execution machine: types only.
import type { ExecutionFailure } from './execution.ts';
import type { Slot } from './machine-state.ts';

/** What can happen to an execution. Moments are milliseconds since the epoch. */
export type Command =
  | { readonly type: 'queue'; readonly requestedBy: string }
  | { readonly type: 'start' }
  | { readonly type: 'skip'; readonly slot: Slot }
  | { readonly type: 'expand'; readonly stepId: string; readonly total: number }
  | { readonly type: 'dispatch'; readonly slot: Slot; readonly decisionId: string }
  /** Ends a step that has no effect outside: transform, branch, an approved approval step. */
  | { readonly type: 'complete'; readonly slot: Slot; readonly outputBytes: number; readonly branchCase?: number | null | undefined }
  | { readonly type: 'succeed'; readonly slot: Slot; readonly attempt: number; readonly outputBytes: number }
  /** `attempt` 0: the step failed before an effect began. `random` in [0, 1) spreads the retry delay (full jitter). */
  | {
      readonly type: 'fail';
      readonly slot: Slot;
      readonly attempt: number;
      readonly failure: ExecutionFailure;
      readonly retryable: boolean;
      readonly random: number;
    }
  | { readonly type: 'block'; readonly slot: Slot; readonly failure: ExecutionFailure; readonly decisionId?: string | undefined }
  | { readonly type: 'requestApproval'; readonly slot: Slot; readonly approvalId: string; readonly expiresAt: number }
  | {
      readonly type: 'resolveApproval';
      readonly slot: Slot;
      readonly approvalId: string;
      readonly outcome: 'approved' | 'rejected' | 'expired';
      readonly decidedBy: string;
      readonly failure: ExecutionFailure;
    }
  | { readonly type: 'wait'; readonly slot: Slot; readonly wakeAt: number }
  | { readonly type: 'wake'; readonly slot: Slot }
  /** The attempt's process is gone. `repeatable`: running the effect again does no harm. */
  | { readonly type: 'interrupt'; readonly slot: Slot; readonly attempt: number; readonly repeatable: boolean; readonly random: number }
  | { readonly type: 'finish'; readonly failure?: ExecutionFailure | undefined }
  | { readonly type: 'cancel'; readonly reason: string; readonly cancelledBy: string }
  /** Ends an execution that the engine cannot carry on, whatever is open. */
  | { readonly type: 'abandon'; readonly failure: ExecutionFailure };

/** Commands about one slot. */
export type SlotCommand = Exclude<Command, { type: 'queue' | 'start' | 'cancel' | 'abandon' | 'finish' }>;

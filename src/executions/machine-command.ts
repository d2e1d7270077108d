// The commands of the execution machine: types only.
import type { ApprovalNote } from '../approvals/approval-log.ts';
import type { ExecutionFailure } from './execution.ts';
import type { ItemRanges, Slot } from './machine-state.ts';

/** What can happen to an execution. Moments are milliseconds since the epoch. */
export type Command = ExecutionCommand | SlotCommand;

/** Commands about the execution as a whole. */
export type ExecutionCommand =
  | { readonly type: 'queue'; readonly requestedBy: string; readonly startAt?: number | undefined }
  /** Before the start: steps that an earlier execution has done already. */
  | { readonly type: 'reuse'; readonly steps: readonly ReusedStep[] }
  | { readonly type: 'start' }
  /** What the gate says of the start, before it. */
  | { readonly type: 'deferStart'; readonly startAt: number; readonly decisionId: string }
  | { readonly type: 'refuseStart'; readonly failure: ExecutionFailure; readonly decisionId?: string | undefined }
  | { readonly type: 'requestStart'; readonly approvalId: string; readonly expiresAt: number }
  | {
      readonly type: 'resolveStart';
      readonly approvalId: string;
      readonly outcome: 'approved' | 'rejected' | 'expired';
      readonly decidedBy: string;
      readonly failure: ExecutionFailure;
    }
  | { readonly type: 'pause'; readonly reason: string; readonly pausedBy: string }
  | { readonly type: 'resume'; readonly resumedBy: string }
  | { readonly type: 'signal'; readonly signalId: string; readonly name: string; readonly sentBy: string }
  /** With a decision: policies refuse what it would give. */
  | { readonly type: 'finish'; readonly failure?: ExecutionFailure | undefined; readonly decisionId?: string | undefined }
  | { readonly type: 'cancel'; readonly reason: string; readonly cancelledBy: string }
  /** Ends an execution that the engine cannot carry on, whatever is open. */
  | { readonly type: 'abandon'; readonly failure: ExecutionFailure };

/** `failed`, `blocked`: where the execution went on. `pending`: a forEach or loop that had not ended, of which the items in `ranges` are reused. */
export interface ReusedStep {
  readonly stepId: string;
  readonly status: 'succeeded' | 'skipped' | 'failed' | 'blocked' | 'pending';
  readonly outputBytes: number;
  readonly branchCase?: number | null | undefined;
  readonly items?: { readonly total: number; readonly ranges: ItemRanges } | undefined;
}

/** Commands about one slot. */
export type SlotCommand =
  | { readonly type: 'skip'; readonly slot: Slot }
  /** The list of a forEach is known; a loop begins (`total`: iterations at most). */
  | { readonly type: 'expand'; readonly slot: Slot; readonly total: number }
  /** `until` of a loop was evaluated; `wakeAt` delays the next iteration. `outputBytes` of the last one. */
  | {
      readonly type: 'iterate';
      readonly slot: Slot;
      readonly done: boolean;
      readonly outputBytes: number;
      readonly wakeAt?: number | undefined;
    }
  /** What a forEach gave was reduced to one value. */
  | { readonly type: 'reduce'; readonly slot: Slot; readonly outputBytes: number }
  | { readonly type: 'dispatch'; readonly slot: Slot; readonly decisionId: string }
  /** The attempt of an agent step is an execution of its own. */
  | { readonly type: 'startChild'; readonly slot: Slot; readonly decisionId: string; readonly childId: string }
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
      /** The next attempt waits at least so long. */
      readonly retryAfterMs?: number | undefined;
      readonly random: number;
    }
  /** `attempt` 0: before it began; else what the attempt gave is refused. */
  | {
      readonly type: 'block';
      readonly slot: Slot;
      readonly attempt: number;
      readonly failure: ExecutionFailure;
      readonly decisionId?: string | undefined;
    }
  /** The gate puts it off. */
  | { readonly type: 'defer'; readonly slot: Slot; readonly wakeAt: number; readonly decisionId: string }
  | { readonly type: 'requestApproval'; readonly slot: Slot; readonly approvalId: string; readonly expiresAt: number }
  | {
      readonly type: 'resolveApproval';
      readonly slot: Slot;
      readonly approvalId: string;
      readonly outcome: 'approved' | 'rejected' | 'expired';
      readonly decidedBy: string;
      readonly failure: ExecutionFailure;
    }
  /** Something was said or done about the open request that leaves the step waiting. */
  | { readonly type: 'note'; readonly slot: Slot; readonly approvalId: string; readonly note: ApprovalNote }
  | { readonly type: 'wait'; readonly slot: Slot; readonly wakeAt: number }
  | { readonly type: 'awaitSignal'; readonly slot: Slot; readonly name: string; readonly wakeAt: number | null }
  | { readonly type: 'receive'; readonly slot: Slot; readonly signalId: string; readonly name: string; readonly outputBytes: number }
  /** `early`: what a policy has put off is judged anew before its moment. */
  | { readonly type: 'wake'; readonly slot: Slot; readonly early?: boolean | undefined }
  /** A kill switch stops it before it begins (`attempt` 0), or has aborted the attempt; running that again does no harm. */
  | { readonly type: 'halt'; readonly slot: Slot; readonly attempt: number; readonly killSwitchId: string; readonly reason: string }
  /** The switch was released. */
  | { readonly type: 'continue'; readonly slot: Slot }
  /** The attempt's process is gone. `repeatable`: running the effect again does no harm. */
  | { readonly type: 'interrupt'; readonly slot: Slot; readonly attempt: number; readonly repeatable: boolean; readonly random: number };

// The catalogue: every event of an execution and its payload. GraphQL event types are derived from it; names are past tense.
// Payloads hold what the machine needs to fold its state again, and what people read; never inputs, arguments or outputs.
import { z } from 'zod';

const failure = z.object({ code: z.string(), message: z.string(), stepId: z.string().optional() });
const slot = { stepId: z.string(), itemIndex: z.int().min(-1) };
const attempt = z.int().min(1);
const moment = z.iso.datetime();
/** Pairs of first and last index, ascending, without overlap. */
const itemRanges = z.array(z.tuple([z.int().min(0), z.int().min(0)]));

export const eventCatalogue = {
  'execution.queued': z.object({ requestedBy: z.string() }),
  'execution.scheduled': z.object({ requestedBy: z.string(), startAt: moment }),
  /** Before it begins: by a policy, until a moment. */
  'execution.deferred': z.object({ startAt: moment, decisionId: z.string() }),
  'execution.started': z.object({}),
  'execution.waiting': z.object({}),
  'execution.paused': z.object({ reason: z.string(), pausedBy: z.string() }),
  /** After a pause it says by whom, and what it goes on as; else something it waited for happened, and it runs. */
  'execution.resumed': z.object({
    resumedBy: z.string().optional(),
    status: z.enum(['queued', 'scheduled', 'awaiting_approval', 'running']).optional(),
  }),
  'execution.signalled': z.object({ signalId: z.string(), name: z.string(), sentBy: z.string() }),
  'execution.succeeded': z.object({}),
  'execution.failed': z.object({ failure }),
  'execution.blocked': z.object({ failure, decisionId: z.string().optional() }),
  'execution.cancelled': z.object({ reason: z.string(), cancelledBy: z.string() }),
  'step.queued': z.object(slot),
  /** Taken over from the execution that this one retries or forks; of a forEach that had not ended, the items in `ranges`. */
  'step.reused': z.object({
    ...slot,
    status: z.enum(['succeeded', 'skipped', 'failed', 'blocked', 'pending']),
    outputBytes: z.int().min(0),
    branchCase: z.int().nullable().optional(),
    itemTotal: z.int().min(0).optional(),
    ranges: itemRanges.optional(),
  }),
  'step.expanded': z.object({ ...slot, total: z.int().min(0) }),
  /** An iteration of a loop begins. */
  'step.iterated': z.object({ ...slot, iteration: z.int().min(0) }),
  'step.started': z.object({ ...slot, attempt, decisionId: z.string() }),
  'step.child_started': z.object({ ...slot, childExecutionId: z.string() }),
  /** For a moment, or for a signal until a moment at most. */
  'step.waiting': z.object({ ...slot, wakeAt: moment.optional(), signal: z.string().optional() }),
  /** By a policy, until a moment; then it passes the gate anew. */
  'step.deferred': z.object({ ...slot, wakeAt: moment, decisionId: z.string() }),
  'signal.received': z.object({ ...slot, signalId: z.string(), name: z.string() }),
  'step.succeeded': z.object({ ...slot, attempt: z.int().min(0), outputBytes: z.int().min(0), branchCase: z.int().nullable().optional() }),
  'step.retry_scheduled': z.object({ ...slot, attempt, retryAt: moment, failure }),
  'step.interrupted': z.object({ ...slot, attempt }),
  /** By a kill switch: before it began (`attempt` 0), or its effect was aborted. */
  'step.halted': z.object({ ...slot, attempt: z.int().min(0), killSwitchId: z.string(), reason: z.string() }),
  'step.continued': z.object(slot),
  'step.failed': z.object({ ...slot, attempt: z.int().min(0), failure }),
  /** Before it began; with `attempt`, what it gave was refused. */
  'step.blocked': z.object({ ...slot, attempt: attempt.optional(), failure, decisionId: z.string().optional() }),
  'step.skipped': z.object(slot),
  'approval.requested': z.object({ ...slot, approvalId: z.string(), expiresAt: moment }),
  'approval.approved': z.object({ ...slot, approvalId: z.string(), decidedBy: z.string() }),
  'approval.rejected': z.object({ ...slot, approvalId: z.string(), decidedBy: z.string() }),
  'approval.expired': z.object({ ...slot, approvalId: z.string() }),
  'approval.cancelled': z.object({ ...slot, approvalId: z.string() }),
  /** One of several approvals that a stage needs. */
  'approval.voted': z.object({ ...slot, approvalId: z.string(), votedBy: z.string(), stage: z.int().min(0) }),
  'approval.advanced': z.object({ ...slot, approvalId: z.string(), stage: z.int().min(0) }),
  'approval.escalated': z.object({ ...slot, approvalId: z.string(), stage: z.int().min(0) }),
  'approval.warned': z.object({ ...slot, approvalId: z.string(), expiresAt: moment }),
  'approval.extended': z.object({ ...slot, approvalId: z.string(), extendedBy: z.string(), expiresAt: moment }),
  'approval.delegated': z.object({ ...slot, approvalId: z.string(), delegatedBy: z.string(), delegateId: z.string() }),
  /** What will run is another now; whoever has voted before has to look again. */
  'approval.edited': z.object({ ...slot, approvalId: z.string(), digest: z.string(), editedBy: z.string() }),
  'approval.commented': z.object({
    ...slot,
    approvalId: z.string(),
    commentId: z.string(),
    commentKind: z.string(),
    commentedBy: z.string(),
  }),
} as const;

export type EventType = keyof typeof eventCatalogue;
export const eventTypes = Object.keys(eventCatalogue) as EventType[];

/** An event before it has a sequence: its type and payload. */
export type NewEvent = {
  [Type in EventType]: { readonly type: Type; readonly data: Readonly<z.infer<(typeof eventCatalogue)[Type]>> };
}[EventType];

/** After an event of these types nothing more happens in the execution. */
export const isFinalEvent = (type: string): boolean =>
  type === 'execution.succeeded' || type === 'execution.failed' || type === 'execution.blocked' || type === 'execution.cancelled';

/** Events about one step or item. */
export type SlotEvent = Exclude<NewEvent, { type: `execution.${string}` }>;
export const isSlotEvent = (event: NewEvent): event is SlotEvent => 'stepId' in event.data && event.data.stepId !== '';

/** Events of the approval that the start of an execution waits for: no step has it, so `stepId` is empty. */
export type StartApprovalEvent = Extract<NewEvent, { type: `approval.${string}` }>;
export const isStartApproval = (event: NewEvent): event is StartApprovalEvent => event.type.startsWith('approval.') && !isSlotEvent(event);

const nodeTypes: Readonly<Record<string, string>> = {
  approvalId: 'Approval',
  decisionId: 'Decision',
  childExecutionId: 'Execution',
  signalId: 'Signal',
  commentId: 'ApprovalComment',
  delegateId: 'Principal',
  killSwitchId: 'KillSwitch',
};

/** What an id in a payload is one of, by its name; null for what is no id. */
export const nodeTypeOf = (name: string): string | null => (name.endsWith('By') ? 'Principal' : (nodeTypes[name] ?? null));

// What people do to an execution that runs: pause, resume, signal. And the end of one whose starter has ended.
import { signalNameForm, signalNamePattern } from '../agents/definition.ts';
import type { ApprovalService } from '../approvals/approval-service.ts';
import type { EventService } from '../events/event-service.ts';
import { enqueue, type NewJob } from '../jobs/jobs.ts';
import { digestOf } from '../platform/canonical.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { IdempotencyConflictError, InvalidStateError, NotFoundError, ValidationError, type Problem } from '../platform/errors.ts';
import { isId, newId } from '../platform/ids.ts';
import { storableJson } from '../platform/json.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { requirePermission } from '../authority/authorize.ts';
import type { Authority, Permission } from '../authority/permission.ts';
import { jobsOfEntry, reenterQueue } from './admission.ts';
import { executionsByIds } from './execution-reads.ts';
import type { ExecutionRow } from './execution-rows.ts';
import type { Command } from './machine-command.ts';
import { signalByKey, signalsByIds, signalsOf, type SignalRow } from './signal-reads.ts';
import { slotKey } from './machine-state.ts';
import { slotsAwaiting } from './signals.ts';
import { keyProblems } from './start-request.ts';
import { openSlots, releaseSlots } from './slot-store.ts';
import { beginTransition, type Transition } from './transition.ts';

export interface ControlService {
  /** Effects that run may finish; nothing new starts, and no timer or signal is acted on until it is resumed. */
  pauseExecution(uow: UnitOfWork, actor: Authority, input: PauseExecution): Promise<ExecutionRow>;
  /** Goes on exactly where it was paused. */
  resumeExecution(uow: UnitOfWork, actor: Authority, input: { readonly executionId: string }): Promise<ExecutionRow>;
  /** Kept until a wait step for this name takes it, whether that began before or begins later. */
  signalExecution(uow: UnitOfWork, actor: Authority, input: SignalExecution): Promise<SignalRow>;
  readonly signalsByIds: typeof signalsByIds;
  readonly signalsOf: typeof signalsOf;
  /** For the runner: cancels an execution whose starter has ended, unless it has ended itself. */
  cancelWithStarter(uow: UnitOfWork, executionId: string, reason: string): Promise<void>;
}

export interface PauseExecution {
  readonly executionId: string;
  readonly reason?: string | null | undefined;
}

export interface SignalExecution {
  readonly executionId: string;
  readonly name: string;
  /** Any JSON, at most 256 KiB. */
  readonly payload?: unknown;
  /** Same key and same signal: the same signal again. Same key, another signal: IdempotencyConflictError. */
  readonly idempotencyKey?: string | null | undefined;
}

interface ControlDependencies {
  readonly clock: Clock;
  readonly events: EventService;
  readonly approvals: ApprovalService;
}

const maxReasonLength = 1_000;
export const maxPayloadBytes = 256 * 1024;
/** Signals of an execution that nobody has taken yet. */
export const maxUntaken = 1_000;

export function createControlService(deps: ControlDependencies): ControlService {
  const { clock } = deps;

  async function permitted(uow: UnitOfWork, actor: Authority, executionId: string, permission: Permission): Promise<ExecutionRow> {
    const [row] = isId(executionId) ? await executionsByIds(uow, actor, [executionId]) : [];
    if (!row) throw new NotFoundError(`there is no execution "${executionId.slice(0, 80)}"`);
    requirePermission(actor, permission, row);
    return row;
  }

  async function change(uow: UnitOfWork, executionId: string, command: Command, wayOut: string): Promise<Transition> {
    const transition = (await beginTransition(deps, uow, executionId, []))!;
    const refusal = await transition.run(command);
    if (refusal !== null) throw new InvalidStateError(`${refusal}; ${wayOut}`);
    await transition.save();
    return transition;
  }

  const rowOf = async (uow: UnitOfWork, actor: Authority, id: string) => (await executionsByIds(uow, actor, [id]))[0]!;

  return {
    signalsByIds,
    signalsOf,

    async pauseExecution(uow, actor, { executionId, reason }) {
      await permitted(uow, actor, executionId, 'execution.pause');
      requireReason(reason ?? '');
      const command = { type: 'pause', reason: reason ?? '', pausedBy: actor.principalId } as const;
      await change(uow, executionId, command, 'only an execution that has not ended and is not paused can be paused');
      return rowOf(uow, actor, executionId);
    },

    async resumeExecution(uow, actor, { executionId }) {
      await permitted(uow, actor, executionId, 'execution.pause');
      const command = { type: 'resume', resumedBy: actor.principalId } as const;
      const { state, row } = await change(uow, executionId, command, 'only a paused execution can be resumed');
      if (state.status === 'queued') await enqueue(uow, jobsOfEntry(uow, executionId, await reenterQueue(uow, clock, row)));
      else await enqueue(uow, await jobsToGoOn(uow, executionId, state.begun, state.startAt));
      return rowOf(uow, actor, executionId);
    },

    async signalExecution(uow, actor, input) {
      const { executionId } = input;
      await permitted(uow, actor, executionId, 'execution.signal');
      const { name, payload, key, digest } = validSignal(input);
      const transition = (await beginTransition(deps, uow, executionId, []))!;
      if (key !== null) {
        const before = await sentBefore(uow, executionId, key, digest);
        if (before) return before;
      }
      const id = newId();
      const refusal = await transition.run({ type: 'signal', signalId: id, name, sentBy: actor.principalId });
      if (refusal !== null) throw new InvalidStateError(`${refusal}; a signal can only be sent to an execution that has not ended`);
      const [row] = await uow.rows<{ untaken: number }>(
        'select count(*)::int as untaken from signals where tenant_id = $1 and execution_id = $2 and received_at is null',
        [uow.tenantId, executionId],
      );
      if (row!.untaken >= maxUntaken) {
        throw new InvalidStateError(`${maxUntaken} signals wait for this execution already; send more once its wait steps have taken some`);
      }
      await uow.rows(
        `insert into signals (id, tenant_id, execution_id, name, payload, idempotency_key, request_digest, sent_by, sent_at)
         values ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9)`,
        [id, uow.tenantId, executionId, name, payload, key, digest, actor.principalId, clock.now()],
      );
      await transition.save();
      const slots = await slotsAwaiting(uow, executionId, name);
      const work = { tenantId: uow.tenantId, executionId };
      await enqueue(
        uow,
        slots.map((slot) => ({ name: 'run-step', payload: { ...work, ...slot } })),
      );
      return (await signalsByIds(uow, actor, [id]))[0]!;
    },

    async cancelWithStarter(uow, executionId, reason) {
      const transition = await beginTransition(deps, uow, executionId, []);
      // Refused when it has ended meanwhile: nothing to do.
      await transition?.run({ type: 'cancel', reason, cancelledBy: transition.row.requestedBy });
      await transition?.save();
    },
  };
}

/** Every open slot is looked at again; who carried one before the pause no longer does. */
async function jobsToGoOn(uow: UnitOfWork, executionId: string, begun: boolean, startAt: number | null): Promise<NewJob[]> {
  const payload = { tenantId: uow.tenantId, executionId };
  const whole: NewJob = { name: 'run-execution', payload, ...(startAt !== null && { runAt: new Date(startAt) }) };
  if (!begun) return [whole];
  const open = await openSlots(uow, executionId);
  await releaseSlots(uow, executionId, open);
  if (open.length === 0) return [{ name: 'run-execution', payload }];
  return open.map(({ stepId, itemIndex, wakeAt, signal }): NewJob => {
    const own = { name: 'run-step', payload: { ...payload, stepId, itemIndex } } as const;
    // A signal may have come meanwhile: whoever waits for one is looked at now, and gets its timer again then.
    if (wakeAt === null || signal !== null) return own;
    // However often it is paused, it has one timer more.
    return { ...own, runAt: new Date(wakeAt), key: `timer ${executionId} ${slotKey({ stepId, itemIndex })}` };
  });
}

/** The caller holds the execution's lock: nobody else sends with this key meanwhile. */
async function sentBefore(uow: UnitOfWork, executionId: string, key: string, digest: string): Promise<SignalRow | null> {
  const found = await signalByKey(uow, executionId, key);
  if (!found) return null;
  const { requestDigest, ...row } = found;
  if (requestDigest === digest) return row;
  throw new IdempotencyConflictError(`idempotencyKey: "${key}" was used before to send another signal; take a new key`);
}

function validSignal({ name, payload = null, idempotencyKey: key = null }: SignalExecution) {
  const problems: Problem[] = [];
  if (!signalNamePattern.test(name)) {
    problems.push({
      path: 'name',
      message: `"${name.slice(0, 80)}" is not the name of a signal`,
      expected: signalNameForm,
    });
  }
  const text = storableJson(payload);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxPayloadBytes) problems.push({ path: 'payload', message: `${bytes} bytes of JSON; at most ${maxPayloadBytes} are taken` });
  if (JSON.stringify(payload) !== text) problems.push({ path: 'payload', message: unstorableText });
  problems.push(...keyProblems(key));
  if (problems.length > 0) throw new ValidationError(problems);
  return { name, payload: text, key, digest: digestOf({ name, payload }) };
}

function requireReason(reason: string): void {
  if (reason.length > maxReasonLength) {
    throw new ValidationError([{ path: 'reason', message: `must have at most ${maxReasonLength} characters, has ${reason.length}` }]);
  }
  if (!isStorableText(reason)) throw new ValidationError([{ path: 'reason', message: unstorableText }]);
}

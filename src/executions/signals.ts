// Signals: sent to an execution by name, kept until a wait step takes them, each by one step. SQL and the one rule of taking them.
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { storableJson } from '../platform/json.ts';
import { slotState, type Slot } from './machine-state.ts';
import type { Transition } from './transition.ts';

/**
 * Gives the waiting slot the oldest signal of this name that nobody took; false when there is none. One that was sent after the step's
 * time was up comes too late, however late the timer is looked at. The caller holds the lock.
 */
export async function receiveSignal(clock: Clock, t: Transition, slot: Slot, name: string): Promise<boolean> {
  const wakeAt = slotState(t.state, slot)?.wakeAt;
  const [signal] = await t.uow.rows<{ id: string; payload: unknown; sentBy: string; sentAt: string }>(
    `update signals set received_by = $4, received_at = $5
     where id = (select id from signals where tenant_id = $1 and execution_id = $2 and name = $3 and received_at is null
         and ($6::timestamptz is null or sent_at < $6) order by id limit 1)
       and tenant_id = $1
     returning id, payload, sent_by as "sentBy", sent_at as "sentAt"`,
    [t.uow.tenantId, t.row.id, name, slot.stepId, clock.now(), wakeAt == null ? null : new Date(wakeAt)],
  );
  if (!signal) return false;
  const { id: signalId, payload, sentBy, sentAt } = signal;
  const output = storableJson({ name, payload, sentBy, sentAt: new Date(sentAt).toISOString() });
  const refusal = await t.run({ type: 'receive', slot, signalId, name, outputBytes: Buffer.byteLength(output) }, { output });
  if (refusal !== null) throw new Error(`illegal transition: ${refusal}`);
  return true;
}

/** Slots that wait for a signal of this name. */
export async function slotsAwaiting(uow: UnitOfWork, executionId: string, name: string): Promise<Slot[]> {
  return uow.rows<Slot>(
    `select step_id as "stepId", item_index as "itemIndex" from steps
     where tenant_id = $1 and execution_id = $2 and status = 'waiting' and signal = $3`,
    [uow.tenantId, executionId, name],
  );
}

/** What became of each signal of an execution: no more than its events say. */
export async function signalOutcomes(
  uow: UnitOfWork,
  executionId: string,
): Promise<{ readonly id: string; readonly name: string; readonly sentBy: string; readonly receivedBy: string | null }[]> {
  return uow.rows(
    `select id, name, sent_by as "sentBy", received_by as "receivedBy" from signals where tenant_id = $1 and execution_id = $2 order by id`,
    [uow.tenantId, executionId],
  );
}

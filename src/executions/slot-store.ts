// SQL on single slots of an execution besides its transitions: items that come into being, and which job carries a slot.
import type { UnitOfWork } from '../platform/database.ts';
import type { Slot } from './machine-state.ts';

/** One row per item of a forEach, with its value, before the first of them is queued. */
export async function insertItems(uow: UnitOfWork, executionId: string, stepId: string, items: string): Promise<void> {
  await uow.rows(
    `insert into steps (tenant_id, execution_id, step_id, item_index, status, item)
     select $1, $2, $3, ordinality - 1, 'pending', value from jsonb_array_elements($4::jsonb) with ordinality`,
    [uow.tenantId, executionId, stepId, items],
  );
}

/** Open slots that these jobs carry: where one that replaces them goes on. */
export async function slotsOfJobs(uow: UnitOfWork, executionId: string, jobIds: readonly string[]): Promise<Slot[]> {
  return uow.rows<Slot>(
    `select step_id as "stepId", item_index as "itemIndex" from steps
     where tenant_id = $1 and execution_id = $2 and job_id = any($3::text[]) and status in ('queued', 'running')`,
    [uow.tenantId, executionId, [...jobIds]],
  );
}

/** Takes queued slots from the job that carried them; the caller holds the execution's lock and adds the jobs that will. */
export async function releaseSlots(uow: UnitOfWork, executionId: string, slots: readonly Slot[]): Promise<void> {
  await uow.rows(
    `update steps set job_id = null where tenant_id = $1 and execution_id = $2 and status = 'queued'
       and (item_index, step_id) in (select * from unnest($3::int[], $4::text[]))`,
    [uow.tenantId, executionId, slots.map((slot) => slot.itemIndex), slots.map((slot) => slot.stepId)],
  );
}

export interface OpenSlot extends Slot {
  readonly wakeAt: string | null;
  readonly signal: string | null;
}

/** Slots that are ready and not halted, or that a timer, signal or execution below will wake; in no particular order. */
export async function openSlots(uow: UnitOfWork, executionId: string): Promise<OpenSlot[]> {
  return uow.rows(
    `select step_id as "stepId", item_index as "itemIndex", wake_at as "wakeAt", signal from steps
     where tenant_id = $1 and execution_id = $2 and status in ('queued', 'waiting') and halted_by is null`,
    [uow.tenantId, executionId],
  );
}

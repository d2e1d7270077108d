// Executions that a kill switch stops in a place: the slot waits there, without a job, until the switch is released.
import type { UnitOfWork } from '../platform/database.ts';
import type { Slot } from './machine-state.ts';
import { beginTransition, type TransitionDependencies } from './transition.ts';

/** Those that have slots halted by the switch, by id. */
export async function haltedExecutions(uow: UnitOfWork, killSwitchId: string, after: string | null, limit: number): Promise<string[]> {
  const rows = await uow.rows<{ id: string }>(
    `select distinct execution_id as id from steps
     where tenant_id = $1 and halted_by = $2 and ($3::uuid is null or execution_id > $3) order by 1 limit $4`,
    [uow.tenantId, killSwitchId, after, limit],
  );
  return rows.map(({ id }) => id);
}

/** Its slots go on from where the switch stopped them, each with a job of its own; another switch may stop them again. */
export async function continueHalted(
  deps: TransitionDependencies,
  uow: UnitOfWork,
  executionId: string,
  killSwitchId: string,
): Promise<void> {
  const slots = await uow.rows<Slot>(
    `select step_id as "stepId", item_index as "itemIndex" from steps where tenant_id = $1 and execution_id = $2 and halted_by = $3`,
    [uow.tenantId, executionId, killSwitchId],
  );
  const t = slots.length > 0 ? await beginTransition(deps, uow, executionId, slots) : null;
  if (!t) return;
  // Refused where the execution has ended since the slots were read.
  for (const slot of slots) await t.run({ type: 'continue', slot });
  await t.save();
}

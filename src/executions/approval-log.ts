// Tells facts about open requests for approval where they belong: in the stream of the execution that waits, through a transition like
// everything else, or in a stream of its own for the call of an agent that runs elsewhere.
import { cancelForExecution } from '../approvals/approval-store.ts';
import type { ApprovalLog } from '../approvals/approval-log.ts';
import type { NewEvent } from '../events/catalogue.ts';
import type { EventService } from '../events/event-service.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { wholeExecution } from './machine-state.ts';
import { beginTransition } from './transition.ts';

export function createApprovalLog({ clock, events }: { readonly clock: Clock; readonly events: EventService }): ApprovalLog {
  const deps = { clock, events, approvals: { cancelForExecution } };

  /** Under the row lock of the request, so that nobody else takes the same sequence. Its events are about no step. */
  async function appendToCall(
    uow: UnitOfWork,
    callId: string,
    types: readonly { readonly type: string }[],
    approvalId: string,
  ): Promise<void> {
    const last = (await events.heads(uow, [callId])).get(callId) ?? 0;
    const list = types.map(({ type, ...data }) => ({ type: `approval.${type}`, data: { stepId: '', itemIndex: -1, approvalId, ...data } }));
    await events.append(uow, callId, last + 1, list as unknown as NewEvent[]);
  }

  return {
    async hold(uow, approvals) {
      const ids = [...new Set(approvals.flatMap(({ executionId }) => (executionId === null ? [] : [executionId])))];
      if (ids.length === 0) return;
      await uow.rows('select id from executions where tenant_id = $1 and id = any($2::uuid[]) order by id for update', [uow.tenantId, ids]);
    },

    async note(uow, { id, executionId, stepId, itemIndex, toolCallId }, notes) {
      if (toolCallId !== null) return appendToCall(uow, toolCallId, notes, id);
      if (executionId === null) return;
      const slot = stepId === null ? wholeExecution : { stepId, itemIndex: itemIndex ?? -1 };
      const t = await beginTransition(deps, uow, executionId, stepId === null ? [] : [slot]);
      for (const note of notes) await t?.run({ type: 'note', slot, approvalId: id, note });
      await t?.save();
    },

    tellCall: (uow, { id, toolCallId }, fact) => appendToCall(uow, toolCallId!, [fact], id),
  };
}

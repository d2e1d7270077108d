// What the events of a transition write of attempts: how each began, and how it ended.
import type { SlotEvent } from '../events/catalogue.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { storableJson } from '../platform/json.ts';
import { attemptFact } from './event-facts.ts';

/** What an event changes in the attempts table. */
export function attemptChanges(event: SlotEvent, now: string): Record<string, unknown>[] {
  const fact = attemptFact(event);
  if (!fact) return [];
  const { number, status, decisionId, failure } = fact;
  const change = { step_id: event.data.stepId, item_index: event.data.itemIndex, number, status };
  if (status === 'running') return [{ ...change, decision_id: decisionId, started_at: now }];
  return [{ ...change, ...(failure && { failure }), finished_at: now }];
}

export async function writeAttempts(
  uow: UnitOfWork,
  executionId: string,
  attempts: readonly Record<string, unknown>[],
  extras: ReadonlyMap<string, { readonly arguments?: string }>,
): Promise<void> {
  const begun = attempts.filter((attempt) => attempt['status'] === 'running');
  const ended = attempts.filter((attempt) => attempt['status'] !== 'running');
  if (ended.length > 0) {
    uow.write(
      `update attempts a set status = r.status, failure = r.failure, finished_at = r.finished_at
       from jsonb_to_recordset($3::jsonb) as r(step_id text, item_index int, number int, status text, failure jsonb, finished_at timestamptz)
       where a.tenant_id = $1 and a.execution_id = $2 and a.step_id = r.step_id and a.item_index = r.item_index and a.number = r.number`,
      [uow.tenantId, executionId, storableJson(ended)],
    );
  }
  if (begun.length > 0) {
    const rows = begun.map((attempt) => {
      const text = JSON.stringify(attempt);
      const args = extras.get(`${String(attempt['step_id'])}#${String(attempt['item_index'])}`)?.arguments;
      return args === undefined ? text : `${text.slice(0, -1)},"arguments":${args}}`;
    });
    uow.write(
      `insert into attempts (tenant_id, execution_id, step_id, item_index, number, status, arguments, decision_id, started_at)
       select $1, $2, r.step_id, r.item_index, r.number, r.status, r.arguments, r.decision_id, r.started_at
       from jsonb_to_recordset($3::jsonb) as r(step_id text, item_index int, number int, status text, arguments jsonb, decision_id uuid,
         started_at timestamptz)`,
      [uow.tenantId, executionId, `[${rows.join(',')}]`],
    );
  }
}

// Executions that belong together: what one that ends means for the execution above it and for those it started. SQL and jobs only.
import type { NewJob } from '../jobs/jobs.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { isFinalExecution, type ExecutionFailure, type ExecutionStatus } from './execution.ts';
import type { LockedRow } from './execution-rows.ts';
import type { ExecutionState, Plan } from './machine-state.ts';

/** Of one that has just ended: the step above goes on, and those below that are not on their own are cancelled. */
export async function jobsAround(uow: UnitOfWork, row: LockedRow, plan: Plan, state: ExecutionState): Promise<NewJob[]> {
  if (!isFinalExecution(state.status)) return [];
  const { tenantId } = uow;
  const jobs: NewJob[] = [];
  if (row.parentId !== null) {
    const payload = { tenantId, executionId: row.parentId, stepId: row.parentStepId!, itemIndex: row.parentItemIndex! };
    jobs.push({ name: 'run-step', payload });
  }
  const bound = plan.definition.steps.filter((step) => step.agent?.onParentEnd === 'cancel').map((step) => step.id);
  if (bound.length > 0) {
    const open = await uow.rows<{ id: string }>(
      `select id from executions where tenant_id = $1 and parent_id = $2 and parent_step_id = any($3::text[])
         and status not in ('succeeded', 'failed', 'cancelled', 'blocked')`,
      [tenantId, row.id, bound],
    );
    const reason = `the execution that started it is ${state.status}`;
    for (const { id } of open) jobs.push({ name: 'cancel-execution', payload: { tenantId, executionId: id, reason } });
  }
  return jobs;
}

export type ChildOutcome =
  { readonly ok: true; readonly output: string } | { readonly ok: false; readonly failure: ExecutionFailure; readonly retryable: boolean };

/** How an execution that an agent step started has ended; null while it has not. */
export async function outcomeOfChild(uow: UnitOfWork, childId: string): Promise<ChildOutcome | null> {
  const [child] = await uow.rows<{ status: ExecutionStatus; output: unknown; failure: ExecutionFailure | null }>(
    'select status, output, failure from executions where tenant_id = $1 and id = $2',
    [uow.tenantId, childId],
  );
  if (!child || !isFinalExecution(child.status)) return null;
  // Not as Postgres writes it, with spaces: the size that events tell is that of JSON text as everywhere else.
  if (child.status === 'succeeded') return { ok: true, output: JSON.stringify(child.output) };
  const code = `CHILD_${child.status.toUpperCase()}`;
  const why = child.failure ? `: ${child.failure.code}, ${child.failure.message}` : '';
  const failure = { code, message: `the execution ${childId} that this step started is ${child.status}${why}` };
  return { ok: false, failure, retryable: child.status === 'failed' };
}

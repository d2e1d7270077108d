// Steps as people see them: every step of the definition, with what is known of it. Batched for lists of executions.
import type { StepKind } from '../agents/definition.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { InvalidCursorError, ValidationError } from '../platform/errors.ts';
import { defaultPageSize, maxPageSize, type PageRequest } from '../platform/page.ts';
import { isFinalExecution } from './execution.ts';
import { itemsOfSteps, stepsOfExecutions, type StepKey } from './execution-reads.ts';
import type { ExecutionRow, StepRow } from './execution-rows.ts';
import { loadPlans } from './transition.ts';

export interface StepView extends StepRow {
  readonly kind: StepKind;
  readonly needs: readonly string[];
}

/** The steps of each execution, in the definition's order; those that never began are `pending`, or `cancelled` with their execution. */
export async function stepViews(
  uow: UnitOfWork,
  executions: readonly Pick<ExecutionRow, 'id' | 'agentVersionId' | 'status'>[],
): Promise<StepView[][]> {
  const plans = await loadPlans(
    uow,
    executions.map((execution) => execution.agentVersionId),
  );
  const rows = await stepsOfExecutions(
    uow,
    executions.map((execution) => execution.id),
  );
  const byKey = new Map(rows.map((row) => [`${row.executionId}/${row.stepId}`, row]));
  return executions.map((execution) => {
    const { definition } = plans.get(execution.agentVersionId)!;
    return definition.steps.map(({ id, kind, needs }) => ({
      ...(byKey.get(`${execution.id}/${id}`) ?? unbegun(execution, id)),
      kind,
      needs,
    }));
  });
}

function unbegun({ id, status }: Pick<ExecutionRow, 'id' | 'status'>, stepId: string): StepRow {
  return {
    executionId: id,
    stepId,
    itemIndex: -1,
    status: isFinalExecution(status) ? 'cancelled' : 'pending',
    attempt: 0,
    item: null,
    failure: null,
    wakeAt: null,
    approvalId: null,
    signal: null,
    childId: null,
    haltedBy: null,
    itemTotal: null,
    itemDone: null,
    itemFailed: null,
    outputBytes: 0,
    queuedAt: null,
    startedAt: null,
    finishedAt: null,
  };
}

export interface ItemPage {
  readonly rows: readonly StepRow[];
  readonly hasNextPage: boolean;
}

/** A page of items per step, by index; `after` is the cursor of an item (`itemCursor`). */
export function itemPages(uow: UnitOfWork, steps: readonly StepKey[], request: PageRequest): Promise<ItemPage[]> {
  return itemsOfSteps(uow, steps, itemWindow(request));
}

/** Which items a page asks for: `first` of them with an index greater than `after`. */
export function itemWindow({ first, after }: PageRequest): { readonly first: number; readonly after: number } {
  const size = first ?? defaultPageSize;
  if (size < 1 || size > maxPageSize) {
    throw new ValidationError([{ path: 'first', message: `must be between 1 and ${maxPageSize}, got ${size}` }]);
  }
  return { first: size, after: after == null ? -1 : indexOf(after) };
}

function indexOf(cursor: string): number {
  const match = /^items:(\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (!match) throw new InvalidCursorError(`after: "${cursor.slice(0, 80)}" is not a cursor of this list`);
  return Number(match[1]);
}

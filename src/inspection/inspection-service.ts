// Looking into executions: is the stored state what the events give, and how do two executions differ. Reads only.
import type { ApprovalService } from '../approvals/approval-service.ts';
import type { EventService } from '../events/event-service.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { NotFoundError } from '../platform/errors.ts';
import type { Authority } from '../authority/permission.ts';
import {
  compareExecutions,
  compareItems,
  type ComparedItemsKey,
  type ItemComparisonPage,
  type ItemComparisonRequest,
} from './compare-reads.ts';
import type { ExecutionComparison } from './compare.ts';
import { executionsByIds } from '../executions/execution-reads.ts';
import type { ExecutionService } from '../executions/execution-service.ts';
import { replayExecution } from './replay-reads.ts';
import type { Replay } from './replay.ts';

export interface InspectionService {
  /** Folds the events again and compares the result with the rows. In a reader's unit of work also while the execution runs. */
  replayExecution(uow: UnitOfWork, actor: Authority, executionId: string): Promise<Replay>;
  /** Step by step, aligned by step id; of any two executions that `actor` may read. */
  compareExecutions(uow: UnitOfWork, actor: Authority, a: string, b: string): Promise<ExecutionComparison>;
  /** One page of items per step of a comparison; none where `actor` may not read both executions. */
  compareItems(
    uow: UnitOfWork,
    actor: Authority,
    steps: readonly ComparedItemsKey[],
    request: ItemComparisonRequest,
  ): Promise<ItemComparisonPage[]>;
}

export interface InspectionDependencies {
  readonly executions: Pick<ExecutionService, 'getExecution'>;
  readonly events: EventService;
  readonly approvals: ApprovalService;
}

export function createInspectionService(deps: InspectionDependencies): InspectionService {
  const { executions } = deps;
  return {
    async replayExecution(uow, actor, executionId) {
      return replayExecution(deps, uow, await executions.getExecution(uow, actor, executionId));
    },

    async compareExecutions(uow, actor, a, b) {
      const rows = new Map((await executionsByIds(uow, actor, [a, b])).map((row) => [row.id, row]));
      const [first, second] = [rows.get(a), rows.get(b)];
      // By argument: an id that one may not see is named no otherwise than one that does not exist.
      if (!first || !second) throw new NotFoundError(`${first ? 'b' : 'a'}: there is no execution of this id`);
      return compareExecutions(uow, actor, first, second);
    },

    async compareItems(uow, actor, steps, request) {
      const ids = [...new Set(steps.flatMap(({ a, b }) => [a, b]))];
      const rows = await executionsByIds(uow, actor, ids);
      const visible = new Set(rows.map(({ id }) => id));
      const readable = steps.filter(({ a, b }) => visible.has(a) && visible.has(b));
      const pages = new Map<ComparedItemsKey, ItemComparisonPage>();
      for (const [at, page] of (await compareItems(uow, actor, rows, readable, request)).entries()) pages.set(readable[at]!, page);
      return steps.map((step) => pages.get(step) ?? { rows: [], hasNextPage: false });
    },
  };
}

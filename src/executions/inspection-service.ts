// Looking into executions: is the stored state what the events give, and how do two executions differ. Reads only.
import type { EventService } from '../events/event-service.ts';
import type { ApprovalService } from '../approvals/approval-service.ts';
import type { UnitOfWork } from '../platform/database.ts';
import type { Authority } from '../principals/permission.ts';
import type { ExecutionService } from './execution-service.ts';
import { replayExecution } from './replay-reads.ts';
import type { Replay } from './replay.ts';

export interface InspectionService {
  /** Folds the events again and compares the result with the rows. In a reader's unit of work also while the execution runs. */
  replayExecution(uow: UnitOfWork, actor: Authority, executionId: string): Promise<Replay>;
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
  };
}

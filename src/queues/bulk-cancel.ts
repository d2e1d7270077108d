// Cancels everything that a filter finds, in the background and in batches. Executions that never began end by one statement for many of
// them, all others through the machine, one by one. The only writer of bulk_operations.
import { agentsByIds } from '../agents/agent-reads.ts';
import type { ApprovalService } from '../approvals/approval-service.ts';
import type { EventService } from '../events/event-service.ts';
import { enqueue } from '../jobs/jobs.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, UnitOfWork } from '../platform/database.ts';
import { ForbiddenError, NotFoundError, ValidationError, type Problem } from '../platform/errors.ts';
import { isId, newId } from '../platform/ids.ts';
import { storableJson } from '../platform/json.ts';
import { leaveLines } from '../gate/rate-store.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { isTransient } from '../platform/transient.ts';
import { visibleRows } from '../authority/authorize.ts';
import { visibilityOf, type Authority } from '../authority/permission.ts';
import { findVisible } from '../tenants/tenant-reads.ts';
import { makeRoom } from '../executions/admission.ts';
import { executionsByIds, filterConditions, type ExecutionFilter } from '../executions/execution-reads.ts';
import type { BulkStatus, CancelPlaces, StoredFilter } from './queue.ts';
import { beginTransition } from '../executions/transition.ts';

export interface BulkOperationRow {
  readonly id: string;
  readonly status: BulkStatus;
  readonly reason: string;
  readonly requestedBy: string;
  /** How many the filter found when the work began. */
  readonly matched: number;
  readonly cancelled: number;
  /** Those that could not be cancelled because of a defect. */
  readonly failed: number;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

export interface BulkCancelService {
  /** Records and enqueues; acknowledged means that it will be carried out. */
  cancelExecutions(
    uow: UnitOfWork,
    actor: Authority,
    input: { readonly filter: ExecutionFilter; readonly reason?: string | null | undefined },
  ): Promise<BulkOperationRow>;
  /** Those that `actor` asked for, and all of them for who may read every execution of the tenant. */
  operationsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<BulkOperationRow[]>;
  /** Job `cancel-executions`: one batch, and a job for the next one. May run any number of times. */
  cancelBatch(database: Database, job: { readonly tenantId: string; readonly operationId: string }): Promise<void>;
}

export interface BulkCancelDependencies {
  readonly clock: Clock;
  readonly events: EventService;
  readonly approvals: ApprovalService;
  readonly onError?: ((error: unknown, executionId: string) => void) | undefined;
}

/** Executions that one batch looks at, and of these those that go through the machine: what a runner does at a stretch. */
export const batchSize = 1_000;
const machineBatch = 50;
const maxReasonLength = 1_000;

const columns = `b.id, b.status, b.reason, b.requested_by as "requestedBy", b.matched, b.cancelled, b.failed, b.created_at as "createdAt",
  b.finished_at as "finishedAt"`;

type Raw = Omit<BulkOperationRow, 'createdAt' | 'finishedAt'> & { readonly createdAt: string; readonly finishedAt: string | null };
const fromRaw = (row: Raw): BulkOperationRow => ({
  ...row,
  createdAt: new Date(row.createdAt),
  finishedAt: row.finishedAt === null ? null : new Date(row.finishedAt),
});

interface Operation {
  readonly status: BulkStatus;
  readonly filter: StoredFilter;
  readonly places: CancelPlaces;
  readonly reason: string;
  readonly requestedBy: string;
  readonly afterId: string | null;
  readonly createdAt: string;
}

export function createBulkCancelService(deps: BulkCancelDependencies): BulkCancelService {
  const { clock, events, onError } = deps;

  /** Ends those of the batch that never began: nothing of theirs is open but themselves. */
  async function cancelFresh(
    uow: UnitOfWork,
    operationId: string,
    { reason, requestedBy }: Operation,
    ids: readonly string[],
  ): Promise<void> {
    const at = clock.now();
    const ended = await uow.rows<{ id: string; sequence: number }>(
      `with picked as (
         select id from executions where tenant_id = $1 and id = any($2::uuid[]) and ${isFresh('executions')} order by id for update
       )
       update executions e set status = 'cancelled', last_sequence = e.last_sequence + 1, finished_at = $3, backlog_at = null
       from picked where e.tenant_id = $1 and e.id = picked.id returning e.id, e.last_sequence as sequence`,
      [uow.tenantId, ids, at],
    );
    if (ended.length === 0) return;
    leaveLines(
      uow,
      ended.map(({ id }) => id),
    );
    const event = { type: 'execution.cancelled', data: { reason, cancelledBy: requestedBy } } as const;
    await events.appendToEach(
      uow,
      ended.map(({ id, sequence }) => ({ executionId: id, sequence })),
      event,
      at,
    );
    count(uow, operationId, 'cancelled', ended.length);
    makeRoom(uow);
  }

  /** False when it had ended before. */
  async function cancelOne(
    uow: UnitOfWork,
    operationId: string,
    { reason, requestedBy }: Operation,
    executionId: string,
  ): Promise<boolean> {
    const transition = await beginTransition(deps, uow, executionId, []);
    if (!transition || (await transition.run({ type: 'cancel', reason, cancelledBy: requestedBy })) !== null) return false;
    await transition.save();
    count(uow, operationId, 'cancelled', 1);
    return true;
  }

  return {
    async cancelExecutions(uow, actor, { filter, reason }) {
      refuseInvalid(filter, reason ?? '');
      await requireVisible(uow, actor, filter);
      const { everywhere, projectIds, environmentIds, teamIds } = visibilityOf(actor, 'execution.cancel');
      const places: CancelPlaces = { everywhere, projectIds, environmentIds, teamIds };
      if (!everywhere && projectIds.length + environmentIds.length + teamIds.length === 0) {
        throw new ForbiddenError('this needs the permission execution.cancel, which you do not hold anywhere');
      }
      const [row] = await uow.rows<Raw>(
        `insert into bulk_operations as b (id, tenant_id, status, filter, reason, requested_by, places, created_at)
         values ($1, $2, 'queued', $3::jsonb, $4, $5, $6::jsonb, $7) returning ${columns}`,
        [newId(), uow.tenantId, storableJson(filter), reason ?? '', actor.principalId, storableJson(places), clock.now()],
      );
      await enqueue(uow, [{ name: 'cancel-executions', payload: { tenantId: uow.tenantId, operationId: row!.id } }]);
      return fromRaw(row!);
    },

    async operationsByIds(uow, actor, ids) {
      const params: unknown[] = [uow.tenantId, ids.filter(isId), actor.principalId];
      const all = visibleRows(actor, 'execution.read', {}, params);
      const rows = await uow.rows<Raw>(
        `select ${columns} from bulk_operations b where b.tenant_id = $1 and b.id = any($2::uuid[]) and (b.requested_by = $3 or ${all})`,
        params,
      );
      return rows.map(fromRaw);
    },

    async cancelBatch(database, { tenantId, operationId }) {
      const begun = await database.write(tenantId, (uow) => begin(uow, operationId));
      if (!begun) return;
      const { operation, batch } = begun;
      const fresh = batch.filter((each) => each.isFresh).map(({ id }) => id);
      if (fresh.length > 0) await database.write(tenantId, (uow) => cancelFresh(uow, operationId, operation, fresh));
      // Whatever of it is still open has begun, some of it meanwhile.
      const last = batch.at(-1)?.id ?? null;
      const open = last === null ? [] : await database.read(tenantId, (uow) => select(uow, operation, last, machineBatch + 1));
      for (const { id } of open.slice(0, machineBatch)) {
        try {
          await database.write(tenantId, (uow) => cancelOne(uow, operationId, operation, id));
        } catch (error) {
          if (isTransient(error)) throw error;
          onError?.(error, id);
          await database.write(tenantId, async (uow) => count(uow, operationId, 'failed', 1));
        }
      }
      const reached = open.length > machineBatch ? open[machineBatch - 1]!.id : last;
      await database.write(tenantId, async (uow) => {
        if (reached === null) {
          await uow.rows(`update bulk_operations set status = 'finished', finished_at = $3 where tenant_id = $1 and id = $2`, [
            tenantId,
            operationId,
            clock.now(),
          ]);
          return;
        }
        await uow.rows(`update bulk_operations set after_id = greatest(after_id, $3::uuid) where tenant_id = $1 and id = $2`, [
          tenantId,
          operationId,
          reached,
        ]);
        await enqueue(uow, [{ name: 'cancel-executions', payload: { tenantId, operationId } }]);
      });
    },
  };
}

/** Counts what was found, the first time; gives the next batch, and null when the operation is over. */
async function begin(uow: UnitOfWork, operationId: string) {
  const [operation] = await uow.rows<Operation>(
    `select status, filter, places, reason, requested_by as "requestedBy", after_id as "afterId", created_at as "createdAt"
     from bulk_operations where tenant_id = $1 and id = $2 for update`,
    [uow.tenantId, operationId],
  );
  if (!operation || operation.status === 'finished') return null;
  if (operation.status === 'queued') {
    const params: unknown[] = [uow.tenantId, operationId];
    const conditions = conditionsOf(uow, operation, params);
    await uow.rows(
      `update bulk_operations set status = 'running', matched = (select count(*) from executions e where ${conditions})
       where tenant_id = $1 and id = $2`,
      params,
    );
  }
  return { operation, batch: await select(uow, operation, null, batchSize) };
}

/** The next of what the filter finds, by id, up to `last`. */
async function select(uow: UnitOfWork, operation: Operation, last: string | null, limit: number) {
  const params: unknown[] = [];
  const conditions = [conditionsOf(uow, operation, params)];
  if (operation.afterId !== null) conditions.push(`e.id > $${params.push(operation.afterId)}`);
  if (last !== null) conditions.push(`e.id <= $${params.push(last)}`);
  return uow.rows<{ id: string; isFresh: boolean }>(
    `select e.id, ${isFresh('e')} as "isFresh" from executions e where ${conditions.join(' and ')} order by e.id limit ${limit}`,
    params,
  );
}

function conditionsOf(uow: UnitOfWork, { filter, places, createdAt }: Operation, params: unknown[]): string {
  const bind = (value: unknown) => `$${params.push(value)}`;
  const where = [
    ...(places.projectIds.length > 0 ? [`e.project_id = any(${bind(places.projectIds)}::uuid[])`] : []),
    ...(places.environmentIds.length > 0 ? [`e.environment_id = any(${bind(places.environmentIds)}::uuid[])`] : []),
    ...(places.teamIds.length > 0 ? [`e.team_id = any(${bind(places.teamIds)}::uuid[])`] : []),
  ];
  return [
    `e.tenant_id = ${bind(uow.tenantId)}`,
    `e.created_at <= ${bind(createdAt)}::timestamptz`,
    `e.status not in ('succeeded', 'failed', 'cancelled', 'blocked')`,
    places.everywhere ? 'true' : `(${where.join(' or ')})`,
    ...filterConditions(read(filter), bind),
  ].join(' and ');
}

/** Never began, has no step yet (of one that it retries or forks), asks nobody, and no execution above it waits to be told. */
const isFresh = (table: string): string =>
  `(${table}.status in ('queued', 'scheduled', 'paused') and ${table}.started_at is null and ${table}.parent_id is null and ${table}.approval_id is null
    and not exists (select from steps s where s.execution_id = ${table}.id))`;

const read = (filter: StoredFilter): ExecutionFilter => ({
  ...filter,
  since: filter.since == null ? null : new Date(filter.since),
  until: filter.until == null ? null : new Date(filter.until),
});

function count(uow: UnitOfWork, operationId: string, what: 'cancelled' | 'failed', by: number): void {
  uow.write(
    `update bulk_operations set ${what} = ${what} + $3, matched = greatest(matched, cancelled + failed + $3) where tenant_id = $1 and id = $2`,
    [uow.tenantId, operationId, by],
  );
}

/** A mistyped or foreign id is said to be one, before an operation is recorded that finds nothing. */
async function requireVisible(uow: UnitOfWork, actor: Authority, filter: ExecutionFilter): Promise<void> {
  const { projectId, environmentId, agentId } = filter;
  const absent = (field: string, id: string) =>
    new NotFoundError(`filter.${field}: there is no "${id.slice(0, 80)}", or it is not visible to you`);
  if (projectId != null && !(await findVisible(uow, actor, 'projects', projectId))) throw absent('projectId', projectId);
  if (environmentId != null && !(await findVisible(uow, actor, 'environments', environmentId)))
    throw absent('environmentId', environmentId);
  if (agentId != null && (await agentsByIds(uow, actor, [agentId])).length === 0) throw absent('agentId', agentId);
  for (const field of ['parentId', 'originId'] as const) {
    const id = filter[field];
    if (id != null && (await executionsByIds(uow, actor, [id])).length === 0) throw absent(field, id);
  }
}

function refuseInvalid(filter: ExecutionFilter, reason: string): void {
  const problems: Problem[] = [];
  if (Object.values(filter).every((value) => value == null)) {
    const expected = 'at least one condition; to cancel all of them name the statuses QUEUED, SCHEDULED, RUNNING, WAITING and PAUSED';
    problems.push({ path: 'filter', message: 'would cancel everything', expected });
  }
  if (reason.length > maxReasonLength) {
    problems.push({ path: 'reason', message: `must have at most ${maxReasonLength} characters, has ${reason.length}` });
  }
  if (!isStorableText(reason)) problems.push({ path: 'reason', message: unstorableText });
  try {
    filterConditions(filter, () => '$1');
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    problems.push(...error.problems);
  }
  if (problems.length > 0) throw new ValidationError(problems);
}

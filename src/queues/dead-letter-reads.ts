// Dead letters: steps and items that gave up, newest first. A forEach or loop that failed because of its items is not one; they are.
import type { UnitOfWork } from '../platform/database.ts';
import { InvalidCursorError, ValidationError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { defaultPageSize, maxPageSize, type PageRequest } from '../platform/page.ts';
import type { Authority } from '../authority/permission.ts';
import type { ExecutionFailure } from '../executions/execution.ts';
import { idConditions } from '../executions/execution-reads.ts';
import { fewestBy, placeWays, rowsBy, valueWay, type Way } from '../tenants/few-rows.ts';
import { visibleRows } from '../authority/authorize.ts';
import { isTenantWide, readInOrder, routesTo, splitBy, tenantWide, type Bind, type Route } from '../tenants/newest-rows.ts';

export interface DeadLetterRow {
  readonly executionId: string;
  readonly stepId: string;
  /** -1 for the step itself. */
  readonly itemIndex: number;
  readonly failure: ExecutionFailure;
  readonly attempt: number;
  readonly failedAt: Date;
}

export interface DeadLetterFilter {
  readonly projectId?: string | null | undefined;
  readonly agentId?: string | null | undefined;
  readonly environmentId?: string | null | undefined;
  /** One of these failure codes. */
  readonly codes?: readonly string[] | null | undefined;
  /** Failed at or after this moment. */
  readonly since?: Date | null | undefined;
  /** Failed before this moment. */
  readonly until?: Date | null | undefined;
}

export interface DeadLetterPage {
  readonly rows: readonly DeadLetterRow[];
  readonly hasNextPage: boolean;
}

const columns = `s.execution_id as "executionId", s.step_id as "stepId", s.item_index as "itemIndex", s.failure, s.attempt, s.finished_at as "failedAt"`;

const list = 'dead-letters';

/** Cursor of a row: its place in the order. */
export const deadLetterCursor = ({ failedAt, executionId, itemIndex, stepId }: DeadLetterRow): string =>
  Buffer.from(`${list}:${failedAt.getTime()}.${itemIndex}.${stepId}.${executionId}`).toString('base64url');

/** By what the failed steps themselves know of their place: of each place, agent or code an index holds them in this order. */
export async function listDeadLetters(
  uow: UnitOfWork,
  actor: Authority,
  filter: DeadLetterFilter,
  { first, after }: PageRequest,
): Promise<DeadLetterPage> {
  const size = first ?? defaultPageSize;
  if (!Number.isInteger(size) || size < 1 || size > maxPageSize) {
    throw new ValidationError([{ path: 'first', message: `must be between 1 and ${maxPageSize}, got ${size}` }]);
  }
  const params: unknown[] = [uow.tenantId];
  const bind = (value: unknown) => `$${params.push(value)}`;
  const { problems } = idConditions(filter, () => '');
  if (problems.length > 0) throw new ValidationError(problems);
  const way = await fewestBy(uow, 'steps s', waysOf(actor, filter));
  const conditions = [
    `s.tenant_id = $1 and s.status = 'failed' and s.failure_code not in ('ITEM_FAILED', 'ITEMS_FAILED')`,
    ...periodOf(filter, bind),
    ...(way ? [...placeAndCodeOf(filter, bind), visibleRows(actor, 'execution.read', stepPlace, params)] : []),
  ];
  if (after != null) {
    const place = placeOf(after);
    conditions.push(
      `(s.finished_at, s.execution_id, s.item_index, s.step_id) <
         (${bind(new Date(place.failedAt))}::timestamptz, ${bind(place.executionId)}::uuid, ${bind(place.itemIndex)}::int, ${bind(place.stepId)}::text)`,
    );
  }
  const routes = way ? [tenantWide] : routesOf(actor, filter, bind, params);
  const from = way ? rowsBy('steps s', way, bind).from : 'steps s';
  const sql = sqlOf(from, routes, conditions, size + 1);
  const rows = await readInOrder<Omit<DeadLetterRow, 'failedAt'> & { failedAt: string }>(uow, sql, params);
  return {
    rows: rows.slice(0, size).map((row) => ({ ...row, failedAt: new Date(row.failedAt) })),
    hasNextPage: rows.length > size,
  };
}

/** Of each way the newest, merged; a step may be found in two ways. */
function sqlOf(from: string, routes: readonly Route[], conditions: readonly string[], limit: number): string {
  const newest = ({ conditions: way }: Route) =>
    `select ${columns} from ${from} where ${[...conditions, ...way].join(' and ')}
     order by s.finished_at desc, s.execution_id desc, s.item_index desc, s.step_id desc limit ${limit}`;
  if (isTenantWide(routes)) return newest(tenantWide);
  const each = routes.map((route) => `select each.* from ${route.keys.join(' cross join ')} cross join lateral (${newest(route)}) each`);
  return `select distinct on ("failedAt", "executionId", "itemIndex", "stepId") * from (${each.join(' union all ')}) as found
    order by "failedAt" desc, "executionId" desc, "itemIndex" desc, "stepId" desc limit ${limit}`;
}

function routesOf(actor: Authority, filter: DeadLetterFilter, bind: Bind, params: unknown[]): Route[] {
  const routes = routesTo(actor, 'execution.read', filter, bind, params, { byPlace: filter.codes != null });
  return filter.codes ? splitBy(routes, 'failure_code', filter.codes, bind) : routes;
}

const periodOf = ({ since, until }: DeadLetterFilter, bind: Bind): string[] => [
  ...(since ? [`s.finished_at >= ${bind(since)}`] : []),
  ...(until ? [`s.finished_at < ${bind(until)}`] : []),
];

const project = '(select n.project_id from environments n where n.tenant_id = $1 and n.id = s.environment_id)';
const stepPlace = { project, environment: 's.environment_id', team: 's.team_id' };

const placeAndCodeOf = ({ projectId, environmentId, agentId, codes }: DeadLetterFilter, bind: Bind): string[] => [
  ...(projectId == null
    ? []
    : [`s.environment_id in (select n.id from environments n where n.tenant_id = $1 and n.project_id = ${bind(projectId)})`]),
  ...(environmentId == null ? [] : [`s.environment_id = ${bind(environmentId)}`]),
  ...(agentId == null ? [] : [`s.agent_id = ${bind(agentId)}`]),
  ...(codes ? [`s.failure_code = any(${bind([...codes])}::text[])`] : []),
];

/** What of a filter an index of failed steps has by itself, and the teams of who has nothing but teams. */
function waysOf(actor: Authority, filter: DeadLetterFilter): Way[] {
  const ways = [
    ...placeWays(actor, 'execution.read', filter, 's'),
    ...(filter.codes ? [valueWay('s.failure_code', filter.codes)] : []),
    ...(filter.since || filter.until ? [(bind: Bind) => ({ keys: [], conditions: periodOf(filter, bind) })] : []),
  ];
  return ways.map((way) => (bind) => {
    const { keys, conditions } = way(bind);
    return { keys, conditions: [`s.status = 'failed'`, ...conditions] };
  });
}

function placeOf(cursor: string): { failedAt: number; executionId: string; itemIndex: number; stepId: string } {
  const match = /^dead-letters:(\d{1,15})\.(-1|\d{1,9})\.([^\0]{1,200})\.([^.]+)$/.exec(Buffer.from(cursor, 'base64url').toString());
  const [, failedAt, itemIndex, stepId, executionId] = match ?? [];
  if (!executionId || !isId(executionId)) throw new InvalidCursorError(`after: "${cursor.slice(0, 80)}" is not a cursor of this list`);
  return { failedAt: Number(failedAt), executionId, itemIndex: Number(itemIndex), stepId: stepId! };
}

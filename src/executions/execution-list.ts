// The list of executions, newest first. Reads only.
import type { UnitOfWork } from '../platform/database.ts';
import { idsBetween } from '../platform/ids.ts';
import { storableText } from '../platform/json.ts';
import { pageOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { visibleRows } from '../authority/authorize.ts';
import { visibilityOf, type Authority } from '../authority/permission.ts';
import { fewestBy, periodWays, placeWays, rowsBy, valueWay, type Way } from '../tenants/few-rows.ts';
import { isTenantWide, newestRows, readInOrder, routesTo, splitBy, tenantWide } from '../tenants/newest-rows.ts';
import { executionPlace, filterConditions, type ExecutionFilter } from './execution-reads.ts';
import { executionColumns, withDates, type ExecutionRow } from './execution-rows.ts';
import { executionStatuses } from './execution.ts';

/** What of a filter an index has by itself, and the teams of who has nothing but teams. */
function waysOf(actor: Authority, filter: ExecutionFilter): Way[] {
  const { status, hasParent, labels } = filter;
  const labelWays = Object.entries((labels ?? {}) as Record<string, string>).map(([name, value]): Way => (bind) => ({
    keys: [
      `(select l.execution_id from execution_labels l where l.tenant_id = $1 and l.name = ${bind(storableText(name))} and l.value = ${bind(storableText(value))}) as label (labelled)`,
    ],
    conditions: ['e.id = labelled'],
  }));
  return [
    ...placeWays(actor, 'execution.read', filter, 'e'),
    ...(status ? [valueWay('e.status', status)] : []),
    // Those that are no children are nearly all, and yet a second condition.
    ...(hasParent == null ? [] : [() => ({ keys: [], conditions: hasParent ? ['e.parent_id is not null'] : [] })]),
    ...labelWays,
    ...periodWays('e.id', filter),
  ];
}

const relativePlace = { project: 'r.project_id', environment: 'r.environment_id', team: 'r.team_id' } as const;

/** Newest first; with `among`, only of these ids. */
export async function listExecutions(
  uow: UnitOfWork,
  actor: Authority,
  filter: ExecutionFilter,
  request: PageRequest,
  among?: readonly string[],
): Promise<Page<ExecutionRow>> {
  const window = pageWindow('executions', request);
  filterConditions(filter, () => ''); // every problem of it at once
  const params: unknown[] = [uow.tenantId];
  const bind = (value: unknown) => `$${params.push(value)}`;
  const { projectId: _project, environmentId: _environment, agentId: _agent, status, labels, ...rest } = filter;
  const [first, ...otherLabels] = Object.entries((labels ?? {}) as Record<string, string>);
  // By what names few executions, where the filter does; else place by place, and status by status or those with a label.
  const isNamed = among !== undefined || filter.parentId != null || filter.originId != null;
  const way = isNamed ? null : await fewestBy(uow, 'executions e', waysOf(actor, filter));
  const isFew = isNamed || way !== null;
  const isLabelled = !isFew && first !== undefined && filter.agentId == null && visibilityOf(actor, 'execution.read').teamIds.length === 0;
  const besides = isLabelled ? { ...rest, status, labels: Object.fromEntries(otherLabels) } : { ...rest, labels };
  const conditions = filterConditions(isFew ? filter : besides, bind);
  for (const id of [filter.parentId, filter.originId]) {
    if (id == null) continue;
    const visible = visibleRows(actor, 'execution.read', relativePlace, params);
    conditions.push(`exists (select from executions r where r.tenant_id = $1 and r.id = ${bind(id)} and ${visible})`);
  }
  if (among) conditions.push(`e.id = any(${bind([...among])}::uuid[])`);
  if (window.afterId !== null) conditions.push(`e.id < ${bind(window.afterId)}`);
  if (isLabelled) {
    const routes = routesTo(actor, 'execution.read', filter, bind, params, { byPlace: true, alias: 'l' });
    const [name, value] = first.map(storableText) as [string, string];
    const own = [`l.name = ${bind(name)} and l.value = ${bind(value)}`];
    own.push(...idsBetween('l.execution_id', filter, bind));
    if (window.afterId !== null) own.push(`l.execution_id < ${bind(window.afterId)}`);
    // One by one (offset 0), in the order of the labels: joined, they might all be looked up at once.
    if (conditions.length > 0)
      own.push(
        `exists (select from executions e where ${['e.tenant_id = $1 and e.id = l.execution_id', ...conditions].join(' and ')} offset 0)`,
      );
    const source = { from: 'execution_labels l', id: 'l.execution_id' };
    return page(newestRows('executions e', executionColumns, routes, own, window, source));
  }
  let routes = [tenantWide];
  if (isFew) conditions.push(visibleRows(actor, 'execution.read', executionPlace, params));
  else {
    // An index has the children of a place, newest first: those of a status are found among them.
    const isChildren = filter.hasParent === true && visibilityOf(actor, 'execution.read').teamIds.length === 0;
    routes = routesTo(actor, 'execution.read', filter, bind, params, { byPlace: isChildren });
    if (isChildren && status) conditions.push(`e.status = any(${bind([...status])}::text[])`);
    else if (!isChildren && (status || !isTenantWide(routes)))
      routes = routes.flatMap((route) =>
        route.isOfTeam && !status ? [route] : splitBy([route], 'status', status ?? executionStatuses, bind),
      );
  }
  const source = way ? rowsBy('executions e', way, bind) : undefined;
  return page(newestRows('executions e', executionColumns, routes, conditions, window, source));

  async function page(sql: string): Promise<Page<ExecutionRow>> {
    const rows = await readInOrder(uow, sql, params);
    return pageOf(
      window,
      rows.map((row) => withDates<ExecutionRow>(row as never)),
    );
  }
}

// Lists of a tenant's work, newest first, at a cost that does not grow with what the tenant has done before. A page is read from an
// index that holds the rows in its order; of several places, statuses or risks no index does. So each is asked for its own newest rows,
// and these are merged: a page costs as many looks as there are places and values, however rarely they match. Plain SQL, no rules.
import type { UnitOfWork } from '../platform/database.ts';
import { visibleRows } from '../authority/authorize.ts';
import { visibilityOf, type Authority, type Permission } from '../authority/permission.ts';

/** Gives the parameter's name. */
export type Bind = (value: unknown) => string;

/** A way to rows: sources of keys, and conditions on columns of the table that hold for one key of each. */
export interface Route {
  readonly keys: readonly string[];
  readonly conditions: readonly string[];
  readonly isOfTeam?: boolean;
}

/** Satisfied by the rows of `routesTo`: these are no conditions besides. */
export interface PlaceFilter {
  readonly projectId?: string | null | undefined;
  readonly environmentId?: string | null | undefined;
  readonly agentId?: string | null | undefined;
}

export const tenantWide: Route = { keys: [], conditions: [] };

/**
 * The ways to what `actor` may see of a filter's places, `byPlace` also where that is everything; `$1` is the tenant. Of the table: agent_id, environment_id, team_id.
 * An execution's environment is of its agent's project, and no environment with executions can be deleted.
 */
export function routesTo(
  actor: Authority,
  permission: Permission,
  { projectId, environmentId, agentId }: PlaceFilter,
  bind: Bind,
  params: unknown[],
  { byPlace = false, alias = '' } = {},
): Route[] {
  const own = alias === '' ? '' : `${alias}.`;
  const { everywhere, projectIds, environmentIds, teamIds } = visibilityOf(actor, permission);
  const environments = (conditions: readonly string[]) =>
    `(select n.id, n.project_id from environments n where ${['n.tenant_id = $1', ...conditions].join(' and ')}) as place (place_id, place_project)`;
  const isNarrow = environmentId != null || projectId != null;
  // Bound where it is used: Postgres refuses a parameter that is not.
  const only = () => [
    ...(environmentId == null ? [] : [`n.id = ${bind(environmentId)}`]),
    ...(projectId == null ? [] : [`n.project_id = ${bind(projectId)}`]),
  ];
  if (agentId != null) {
    const agent = bind(agentId);
    const visible = visibleRows(actor, permission, { project: 'place_project', environment: 'place_id', team: `${own}team_id` }, params);
    const theirs = [`n.project_id = (select a.project_id from agents a where a.tenant_id = $1 and a.id = ${agent})`];
    if (!everywhere) {
      const teams = `${bind([...teamIds])}::uuid[]`;
      // Of an agent that never was of one's teams there is nothing to look for.
      theirs.push(`(n.project_id = any(${bind([...projectIds])}::uuid[]) or n.id = any(${bind([...environmentIds])}::uuid[])
        or exists (select from agents a where a.tenant_id = $1 and a.id = ${agent} and (a.team_id = any(${teams}) or a.past_team_ids && ${teams})))`);
    }
    return [
      {
        keys: [environments([...only(), ...theirs])],
        conditions: [`${own}agent_id = ${agent} and ${own}environment_id = place_id`, visible],
      },
    ];
  }
  if (everywhere)
    return !isNarrow && !byPlace ? [tenantWide] : [{ keys: [environments(only())], conditions: [`${own}environment_id = place_id`] }];
  const routes: Route[] = [];
  if (projectIds.length > 0 || environmentIds.length > 0) {
    const seen = `(n.project_id = any(${bind([...projectIds])}::uuid[]) or n.id = any(${bind([...environmentIds])}::uuid[]))`;
    routes.push({ keys: [environments([...only(), seen])], conditions: [`${own}environment_id = place_id`] });
  }
  if (teamIds.length > 0) {
    const place = [
      ...(environmentId == null ? [] : [`${own}environment_id = ${bind(environmentId)}`]),
      ...(projectId == null
        ? []
        : [`${own}environment_id in (select n.id from environments n where n.tenant_id = $1 and n.project_id = ${bind(projectId)})`]),
    ];
    routes.push({
      keys: [`unnest(${bind([...teamIds])}::uuid[]) as place (place_id)`],
      conditions: [`${own}team_id = place_id`, ...place],
      isOfTeam: true,
    });
  }
  return routes.length > 0 ? routes : [{ keys: [environments(only())], conditions: ['false'] }];
}

/** Of each way, those rows whose column has one of these values. */
export function splitBy(routes: readonly Route[], column: string, values: readonly string[], bind: Bind): Route[] {
  const each = `${column}_value`;
  return routes.map(({ keys, conditions }) => ({
    keys: [...keys, `unnest(${bind([...new Set(values)])}::text[]) as ${each} (${each})`],
    conditions: [...conditions, `${column} = ${each}`],
  }));
}

export const isTenantWide = (routes: readonly Route[]): boolean => routes.length === 1 && routes[0]!.keys.length === 0;

/**
 * For lists in the order of an index. Postgres takes a place, a value, a person for few rows, which it may as well sort; where they have
 * hundreds of thousands it must not. For this statement sorting is the last resort.
 */
export async function readInOrder<Row extends object>(uow: UnitOfWork, sql: string, params: readonly unknown[]): Promise<Row[]> {
  const sorting = (value: 'on' | 'off') => uow.write(`select set_config('enable_sort', $1, true)`, [value]);
  sorting('off');
  const rows = uow.rows<Row>(sql, params);
  sorting('on'); // travels with it
  return rows;
}

/** Id and that value (`place`) of at most `limit` rows of `<name> <alias>` by these ways, those with the greatest values of a column first. */
export function greatest(table: string, column: string, routes: readonly Route[], conditions: readonly string[], limit: number): string {
  const alias = table.split(' ').at(-1)!;
  const found = routes.map(
    ({
      keys,
      conditions: way,
    }) => `select found.* from ${['(values (1)) as once (nothing)', ...keys].join(' cross join ')} cross join lateral (
      select ${alias}.id, ${alias}.${column} from ${table} where ${[`${alias}.tenant_id = $1`, ...way, ...conditions].join(' and ')}
      order by ${alias}.${column} desc limit ${limit}
    ) as found (found_id, place)`,
  );
  return `(select found_id as id, place from (${found.join(' union ')}) as all_found (found_id, place) order by place desc limit ${limit})`;
}

/** Where the ids of a list are found, when not in its own table: what to select from, and its id, which may be there more than once. */
export interface Source {
  readonly from: string;
  readonly id: string;
}

/** `columns` of the newest rows of a table (`<name> <alias>`) by these ways that satisfy `conditions`. */
export function newestRows(
  table: string,
  columns: string,
  routes: readonly Route[],
  conditions: readonly string[],
  { limit }: { readonly limit: number },
  source?: Source,
): string {
  const alias = table.split(' ').at(-1)!;
  const own = `${alias}.tenant_id = $1`;
  const { from, id } = source ?? { from: table, id: `${alias}.id` };
  const tenant = `${id.split('.')[0]}.tenant_id = $1`;
  if (isTenantWide(routes)) {
    return `select ${columns} from ${from} where ${[tenant, ...conditions].join(' and ')} order by ${id} desc limit ${limit}`;
  }
  const ids = routes.map(
    ({ keys, conditions: way }) => `select found.found_id from ${keys.join(' cross join ')} cross join lateral (
      select ${id} from ${from} where ${[tenant, ...way, ...conditions].join(' and ')} order by ${id} desc limit ${limit}
    ) as found (found_id)`,
  );
  return `select ${columns} from (
    select ${source ? 'distinct ' : ''}found_id from (${ids.join(' union ')}) as all_found (found_id) order by found_id desc limit ${limit}
  ) page join ${table} on ${own} and ${alias}.id = found_id order by ${alias}.id desc`;
}

// What a list is asked for may be rare in one respect and common in all others: a rare tool in a busy team. No index has both, and Postgres
// would guess which of them to go by. So the rows of each are counted as far as a few: where one has no more, they are all looked at. Plain SQL, no rules.
import type { UnitOfWork } from '../platform/database.ts';
import { idsBetween } from '../platform/ids.ts';
import { visibilityOf, type Authority, type Permission } from '../authority/permission.ts';
import type { Bind, PlaceFilter, Route, Source } from './newest-rows.ts';

/** One of the conditions of a list, of which an index has the rows. */
export type Way = (bind: Bind) => Route;

/** So many rows are looked at one by one without regret. */
const few = 200;

export const valueWay =
  (column: string, values: readonly string[], type: 'uuid' | 'text' = 'text', besides: readonly string[] = []): Way =>
  (bind) => ({ keys: [], conditions: [...besides, `${column} = any(${bind([...values])}::${type}[])`] });

export const periodWays = (column: string, period: { since?: Date | null | undefined; until?: Date | null | undefined }): Way[] =>
  period.since || period.until ? [(bind) => ({ keys: [], conditions: idsBetween(column, period, bind) })] : [];

/** By the places of a filter, and by the teams of somebody who sees nothing else. Of the table: agent_id, environment_id, team_id. */
export function placeWays(
  actor: Authority,
  permission: Permission,
  { projectId, environmentId, agentId }: PlaceFilter,
  alias: string,
): Way[] {
  const { everywhere, projectIds, environmentIds, teamIds } = visibilityOf(actor, permission);
  const isOfTeams = !everywhere && projectIds.length === 0 && environmentIds.length === 0;
  // Both may contradict each other.
  const only = (bind: Bind) => [`n.project_id = ${bind(projectId)}`, ...(environmentId == null ? [] : [`n.id = ${bind(environmentId)}`])];
  const ofProject: Way = (bind) => ({
    keys: [`(select n.id from environments n where n.tenant_id = $1 and ${only(bind).join(' and ')}) as place (place_id)`],
    conditions: [`${alias}.environment_id = place_id`],
  });
  return [
    ...(projectId != null ? [ofProject] : environmentId != null ? [valueWay(`${alias}.environment_id`, [environmentId], 'uuid')] : []),
    ...(agentId == null ? [] : [valueWay(`${alias}.agent_id`, [agentId], 'uuid')]),
    ...(isOfTeams ? [valueWay(`${alias}.team_id`, teamIds, 'uuid')] : []),
  ];
}

/** The way with the fewest rows of `<name> <alias>`, where one of several has few. */
export async function fewestBy(uow: UnitOfWork, table: string, ways: readonly Way[]): Promise<Way | null> {
  if (ways.length < 2) return null;
  const params: unknown[] = [uow.tenantId];
  const counts = ways.map((way) => {
    const { from } = rowsBy(table, way, (value) => `$${params.push(value)}`, few + 1);
    return `(select count(*)::int from (select from ${from} limit ${few + 1}) as found)`;
  });
  // A limit makes a table look quicker to read than an index, and what is gathered first is gathered whole.
  const scanning = (value: 'on' | 'off') =>
    uow.write(`select set_config('enable_seqscan', $1, true), set_config('enable_bitmapscan', $1, true)`, [value]);
  scanning('off');
  const counting = uow.rows<{ counts: number[] }>(`select array[${counts.join(', ')}] as counts`, params);
  scanning('on'); // travels with it
  const [counted] = await counting;
  const least = Math.min(...counted!.counts);
  return least > few ? null : ways[counted!.counts.indexOf(least)]!;
}

/** All rows of a way, for `newestRows`: what else is asked of them comes after (offset 0), so that no other index seems better. */
export function rowsBy(table: string, way: Way, bind: Bind, limit?: number): Source {
  const alias = table.split(' ').at(-1)!;
  const { keys, conditions } = way(bind);
  const own = `select * from ${table} where ${[`${alias}.tenant_id = $1`, ...conditions].join(' and ')} ${limit ? `limit ${limit}` : ''}`;
  const from =
    keys.length === 0
      ? `(${own} offset 0)`
      : `(select own.* from ${keys.join(' cross join ')} cross join lateral (${own} offset 0) as own offset 0)`;
  return { from: `${from} as ${alias}`, id: `${alias}.id` };
}

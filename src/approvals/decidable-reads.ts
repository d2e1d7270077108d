// "What I may decide now" as an SQL condition, so that lists can page through it: the same rules as `rightToDecide`, which stays the one
// that counts when somebody decides. And where to look for it. Two statements, however many approvals there are.
import type { UnitOfWork } from '../platform/database.ts';
import { visibleRows, type PlaceColumns } from '../authority/authorize.ts';
import { visibilityOf, type Authority, type Grant } from '../authority/permission.ts';
import type { Route } from '../tenants/newest-rows.ts';
import { lentKeys, seatsOf } from './approval-facts.ts';
import { placeColumns, type DecidableRows } from './approval-reads.ts';
import type { Seat } from './approval-rights.ts';
import { anybody, approverText, askedIn, namedIn } from './approver-rows.ts';

/** Adds a parameter and gives its name. */
type Bind = (value: unknown) => string;

/**
 * With whom each of `$2` shares hands: whose keys they made (or made the keys of an account that did), who made theirs, and whoever else
 * these have made keys of.
 */
const handsSql = `
  with recursive maker (seat, id) as (
    select seat, seat from unnest($2::uuid[]) as seat
    union
    select maker.seat, k.created_by from maker join ${lentKeys} on k.principal_id = maker.id
  ), same (seat, id) as (
    select seat, id from maker
    union
    select same.seat, k.principal_id from same join ${lentKeys} on k.created_by = same.id
  )
  select seat, json_agg(id) as hands from same group by seat`;

/** A vote of the stage that is asked, for exactly what will run. */
const cast = `v.tenant_id = approvals.tenant_id and v.approval_id = approvals.id and v.stage = approvals.stage and v.digest = approvals.digest`;

/** Else Postgres would rather look through everything that anybody has voted on, once. */
const oneByOne = 'offset 0';

const nothing: DecidableRows = {
  condition: () => 'false',
  routes: () => [{ keys: [`unnest('{}'::uuid[]) as place (place_id)`], conditions: [] }],
};

export async function decidableBy(uow: UnitOfWork, actor: Authority, now: Date): Promise<DecidableRows> {
  if (actor.principalKind === 'worker') return nothing;
  const seats = (await seatsOf(uow, actor, now)).filter((seat) => seat.principalId === actor.principalId || !seat.isDisabled);
  const rows = await uow.rows<{ seat: string; hands: readonly string[] }>(handsSql, [
    uow.tenantId,
    seats.map(({ principalId }) => principalId),
  ]);
  const hands = new Map(rows.map(({ seat, hands: ids }) => [seat, ids]));
  const condition = (params: unknown[]) => {
    const bind: Bind = (value) => `$${params.push(value)}`;
    const own = `${bind(hands.get(actor.principalId)!)}::uuid[]`;
    const conditions = [
      `status = 'pending' and expires_at > ${bind(now)}`,
      visibleRows(actor, 'approval.decide', placeColumns, params),
      notExcluded(own),
      `(${seats.map((seat) => holds(seat, actor, { own, theirs: hands.get(seat.principalId)! }, bind, params)).join(' or ')})`,
    ];
    return `coalesce(${conditions.join(' and ')}, false)`;
  };
  const askings = seats.flatMap((seat) => askingsOf(seat, actor));
  return { condition, routes: (environmentId, params) => routesOf(askings, environmentId, params) };
}

/** Four eyes: `whyExcluded`. */
const notExcluded = (hands: string): string =>
  `requested_by <> all(${hands}) and (edited_by is null or edited_by <> all(${hands}))
   and not coalesce(jsonb_exists_any(terms->'owners', ${hands}::text[]), false)`;

/** The seat is asked, nobody has voted in its place, and no `own` hands have voted in any. */
function holds(
  seat: Seat,
  actor: Authority,
  { own, theirs }: { readonly own: string; readonly theirs: readonly string[] },
  bind: Bind,
  params: unknown[],
): string {
  const isOwn = seat.principalId === actor.principalId;
  const grants = isOwn ? actor.grants : seat.grants;
  const id = `${bind(seat.principalId)}::uuid`;
  const byRole = [...Map.groupBy(grants, ({ role }) => role)].map(
    ([role, list]) => `(e->>'role' = ${bind(role)} and ${covered(list, placeColumns, bind)})`,
  );
  const isNamed = [`e->>'principal' = ${id}::text`, `e->>'team' = any(${bind([...seat.teamIds])}::text[])`, ...byRole].join(' or ');
  const asks = `exists (select 1 from jsonb_array_elements(${askedIn('approvals')}) e where ${isNamed})`;
  const free = `not exists (select 1 from approval_votes v
    where ${cast} and (v.principal_id = any(${own}) or coalesce(v.on_behalf_of, v.principal_id) = ${id}) ${oneByOne})`;
  if (isOwn) return `((${namedIn('approvals')} = '[]'::jsonb or ${asks}) and ${free})`;
  const lent = visibleRows({ ...actor, grants }, 'approval.decide', placeColumns, params);
  return `(${lent} and ${notExcluded(`${bind([...theirs])}::uuid[]`)} and ${asks} and ${free})`;
}

/** One of these grants holds where it runs. */
function covered(grants: readonly Grant[], { project, environment, team }: PlaceColumns, bind: Bind): string {
  if (grants.some(({ kind }) => kind === 'tenant')) return 'true';
  const ids = (kind: Grant['kind']) => `any(${bind(scopesOf(grants, kind))}::uuid[])`;
  const ofTeam = team ? ` or ${team} = ${ids('team')}` : '';
  return `(${project} = ${ids('project')} or ${environment} = ${ids('environment')}${ofTeam})`;
}

const scopesOf = (grants: readonly Grant[], kind: Grant['kind']): string[] =>
  grants.filter((grant) => grant.kind === kind).map(({ scopeId }) => scopeId);

/** What a seat can be asked as, and where: by the permission of all of `deciders`, and with a role where `grants` hold. */
interface Asking {
  readonly approvers: readonly string[];
  readonly deciders: readonly Authority[];
  readonly grants: readonly Grant[] | null;
}

function askingsOf(seat: Seat, actor: Authority): Asking[] {
  const isOwn = seat.principalId === actor.principalId;
  const grants = isOwn ? actor.grants : seat.grants;
  const deciders = isOwn ? [actor] : [actor, { ...actor, grants }];
  const names = [approverText('principal', seat.principalId), ...seat.teamIds.map((id) => approverText('team', id))];
  return [
    { approvers: isOwn ? [anybody, ...names] : names, deciders, grants: null },
    ...[...Map.groupBy(grants, ({ role }) => role)].map(([role, list]) => ({
      approvers: [approverText('role', role)],
      deciders,
      grants: list,
    })),
  ];
}

const environmentColumns = { project: 'n.project_id', environment: 'n.id' } as const;

/**
 * To rows `a` of `approval_approvers`: of the environments where all of an asking holds; and, as some of it may hold for a team only, of
 * these teams. They only say where to look: the condition decides.
 */
function routesOf(askings: readonly Asking[], environmentId: string | null | undefined, params: unknown[]): Route[] {
  const bind: Bind = (value) => `$${params.push(value)}`;
  const only = environmentId == null ? null : bind(environmentId);
  const inEnvironments = askings.map(({ approvers, deciders, grants }) => {
    const conditions = [
      'n.tenant_id = $1',
      ...(only ? [`n.id = ${only}`] : []),
      ...deciders.map((each) => visibleRows(each, 'approval.decide', environmentColumns, params)),
      ...(grants ? [covered(grants, environmentColumns, bind)] : []),
    ];
    return `select n.id, asked.approver from environments n cross join unnest(${bind(approvers)}::text[]) as asked (approver) where ${conditions.join(' and ')}`;
  });
  const ofTeams = askings.flatMap(({ approvers, deciders, grants }) => {
    const teamIds = new Set([
      ...deciders.flatMap((each) => visibilityOf(each, 'approval.decide').teamIds),
      ...scopesOf(grants ?? [], 'team'),
    ]);
    if (teamIds.size === 0) return [];
    return [`select team.id, asked.approver from unnest(${bind([...teamIds])}::uuid[]) as team (id) cross join unnest(${bind(approvers)}::text[]) as asked (approver)`]; // prettier-ignore
  });
  const route = (places: readonly string[], column: string, besides: readonly string[] = []): Route => ({
    keys: [`(${places.join(' union ')}) as place (place_id, asked_as)`],
    conditions: [`a.approver = asked_as and a.${column} = place_id`, ...besides],
  });
  return [
    route(inEnvironments, 'environment_id'),
    ...(ofTeams.length > 0 ? [route(ofTeams, 'team_id', only ? [`a.environment_id = ${only}`] : [])] : []),
  ];
}

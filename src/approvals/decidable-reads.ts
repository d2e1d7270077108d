// "What I may decide now" as an SQL condition, so that lists can page through it: the same rules as `rightToDecide`, which stays the one
// that counts when somebody decides. Two statements, however many approvals there are.
import type { UnitOfWork } from '../platform/database.ts';
import { visibleRows } from '../authority/authorize.ts';
import type { Authority, Grant } from '../authority/permission.ts';
import { lentKeys, seatsOf } from './approval-facts.ts';
import { placeColumns } from './approval-reads.ts';
import type { Seat } from './approval-rights.ts';

/** Adds a parameter and gives its name. */
type Bind = (value: unknown) => string;

/** A condition on rows of `approvals`, never null. */
export type Decidable = (params: unknown[]) => string;

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

/** Who is asked now, as a JSON list: `approversNow`. */
const named = `coalesce(terms #> array['stages', stage::text, 'approvers'], '[]'::jsonb)`;
const asked = `case when ${named} = '[]'::jsonb or escalated_at is null then ${named}
  else ${named} || coalesce(terms #> '{escalation,approvers}', '[]'::jsonb) end`;

/** A vote of the stage that is asked, for exactly what will run. */
const cast = `v.tenant_id = approvals.tenant_id and v.approval_id = approvals.id and v.stage = approvals.stage and v.digest = approvals.digest`;

/** Else Postgres would rather look through everything that anybody has voted on, once. */
const oneByOne = 'offset 0';

export async function decidableBy(uow: UnitOfWork, actor: Authority, now: Date): Promise<Decidable> {
  if (actor.principalKind === 'worker') return () => 'false';
  const seats = (await seatsOf(uow, actor, now)).filter((seat) => seat.principalId === actor.principalId || !seat.isDisabled);
  const rows = await uow.rows<{ seat: string; hands: readonly string[] }>(handsSql, [
    uow.tenantId,
    seats.map(({ principalId }) => principalId),
  ]);
  const hands = new Map(rows.map(({ seat, hands: ids }) => [seat, ids]));
  return (params) => {
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
    ([role, list]) => `(e->>'role' = ${bind(role)} and ${covered(list, bind)})`,
  );
  const isNamed = [`e->>'principal' = ${id}::text`, `e->>'team' = any(${bind([...seat.teamIds])}::text[])`, ...byRole].join(' or ');
  const asks = `exists (select 1 from jsonb_array_elements(${asked}) e where ${isNamed})`;
  const free = `not exists (select 1 from approval_votes v
    where ${cast} and (v.principal_id = any(${own}) or coalesce(v.on_behalf_of, v.principal_id) = ${id}) ${oneByOne})`;
  if (isOwn) return `((${named} = '[]'::jsonb or ${asks}) and ${free})`;
  const lent = visibleRows({ ...actor, grants }, 'approval.decide', placeColumns, params);
  return `(${lent} and ${notExcluded(`${bind([...theirs])}::uuid[]`)} and ${asks} and ${free})`;
}

/** One of these grants holds where it runs. */
function covered(grants: readonly Grant[], bind: Bind): string {
  if (grants.some(({ kind }) => kind === 'tenant')) return 'true';
  const ids = (kind: Grant['kind']) => `any(${bind(grants.filter((grant) => grant.kind === kind).map(({ scopeId }) => scopeId))}::uuid[])`;
  const { project, environment, team } = placeColumns;
  return `(${project} = ${ids('project')} or ${environment} = ${ids('environment')} or ${team} = ${ids('team')})`;
}

// What has to be known of people to say who may decide: delegations in force, teams, votes, hands behind service accounts. Reads only;
// a constant number of statements for any number of approvals.
import type { UnitOfWork } from '../platform/database.ts';
import { distinctGrants } from '../authority/grants.ts';
import type { Authority, Grant } from '../authority/permission.ts';
import type { Decidable } from './approval.ts';
import type { DecidingFacts, Seat, Vote } from './approval-rights.ts';
import { approversNow } from './approval-terms.ts';

/** Whoever has delegated to `$2` at the moment `$3`, directly or through others, and `$2`; nobody twice, so that no loop can form. */
const seatsSql = `
  with recursive seat (id) as (
    select $2::uuid
    union
    select d.from_principal_id from approval_delegations d join seat on d.to_principal_id = seat.id
    where d.tenant_id = $1 and d.revoked_at is null and d.starts_at <= $3 and d.ends_at > $3
  )
  select p.id as "principalId", p.name, p.disabled_at is not null as "isDisabled",
    coalesce((select json_agg(m.team_id) from team_members m where m.tenant_id = $1 and m.principal_id = p.id), '[]') as "teamIds",
    coalesce((
      select json_agg(json_strip_nulls(json_build_object('role', g.role, 'kind', g.scope_kind, 'scopeId', g.scope_id, 'projectId', e.project_id)))
      from role_grants g
      left join environments e on g.scope_kind = 'environment' and e.id = g.scope_id and e.tenant_id = g.tenant_id
      where g.tenant_id = $1 and (g.principal_id = p.id or g.grantee_team_id in (
        select m.team_id from team_members m where m.tenant_id = $1 and m.principal_id = p.id))
    ), '[]') as grants
  from seat join principals p on p.tenant_id = $1 and p.id = seat.id
  order by p.id <> $2, p.id`;

/** Keys `k` of principals that are no people: whoever makes one can act as them. */
export const lentKeys = `(select k.principal_id, k.created_by from api_keys k
  join principals p on p.tenant_id = $1 and p.id = k.principal_id and p.kind <> 'user'
  where k.tenant_id = $1 and k.created_by is not null) k`;

/**
 * All keys count, also those that were revoked: whoever made one could have asked with it. So does who made the keys of an account
 * that made the key.
 */
const recordsSql = `
  with recursive votes as (
    select v.*, p.name from approval_votes v left join principals p on p.tenant_id = $1 and p.id = v.principal_id
    where v.tenant_id = $1 and v.approval_id = any($2::uuid[])
  ), made (account, maker) as (
    select k.principal_id, k.created_by from ${lentKeys}
    where k.principal_id = any($3::uuid[]) or k.principal_id in (select v.principal_id from votes v)
    union
    select made.account, k.created_by from made join ${lentKeys} on k.principal_id = made.maker
  )
  select
    coalesce((
      select json_agg(json_build_object('approvalId', v.approval_id, 'stage', v.stage, 'principalId', v.principal_id,
        'name', coalesce(v.name, 'a principal that no longer exists'), 'onBehalfOf', v.on_behalf_of, 'decision', v.decision,
        'digest', v.digest, 'note', v.note, 'idempotencyKey', v.idempotency_key, 'votedAt', v.voted_at) order by v.voted_at, v.principal_id)
      from votes v
    ), '[]') as votes,
    coalesce((select json_agg(made) from made), '[]') as makers`;

interface Records {
  readonly votes: readonly (Omit<Vote, 'votedAt'> & { votedAt: string })[];
  readonly makers: readonly { account: string; maker: string }[];
}

/** In whose places `actor` can decide, their own first; grants are those that are stored. */
export async function seatsOf(uow: UnitOfWork, actor: Authority, now: Date): Promise<Seat[]> {
  const seats = await uow.rows<Seat>(seatsSql, [uow.tenantId, actor.principalId, now]);
  return seats.map((seat) => ({ ...seat, grants: distinctGrants(seat.grants as Grant[]) }));
}

/** Of these approvals, for `actor`. */
export async function decidingFacts(uow: UnitOfWork, actor: Authority, approvals: readonly Decidable[], now: Date): Promise<DecidingFacts> {
  const people = approvals.flatMap(({ requestedBy, editedBy, terms }) => [
    requestedBy,
    ...(editedBy ? [editedBy] : []),
    ...(terms.owners ?? []),
  ]);
  // Where everybody with the permission may decide, nobody needs another's place.
  const isAnybodyNamed = approvals.some((approval) => approversNow(approval).length > 0);
  const seats = isAnybodyNamed ? await seatsOf(uow, actor, now) : [];
  const accounts = [actor.principalId, ...seats.map(({ principalId }) => principalId), ...people];
  const [records] = await uow.rows<Records>(recordsSql, [uow.tenantId, approvals.map(({ id }) => id), [...new Set(accounts)]]);
  const own: Seat = { principalId: actor.principalId, name: actor.principalName, grants: actor.grants, teamIds: [], isDisabled: false };
  return {
    seats: seats.length > 0 ? seats : [own],
    votes: records!.votes.map((vote) => ({ ...vote, votedAt: new Date(vote.votedAt) })),
    keyMakers: new Map(
      [...Map.groupBy(records!.makers, ({ account }) => account)].map(([account, rows]) => [account, rows.map(({ maker }) => maker)]),
    ),
  };
}

/** Votes of these approvals, oldest first. */
export async function votesOf(uow: UnitOfWork, approvalIds: readonly string[]): Promise<Vote[]> {
  const [records] = await uow.rows<Records>(recordsSql, [uow.tenantId, [...approvalIds], []]);
  return records!.votes.map((vote) => ({ ...vote, votedAt: new Date(vote.votedAt) }));
}

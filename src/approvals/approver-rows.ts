// Who is asked now, as SQL on a row of approvals: the same as `approversNow`. No statements of its own.

/** Whom the stage names, as a JSON list. */
export const namedIn = (row: string): string => `coalesce(${row}.terms #> array['stages', ${row}.stage::text, 'approvers'], '[]'::jsonb)`;

/** And whom the escalation does, once it has begun; empty: everybody with the permission to decide. */
export const askedIn = (row: string): string =>
  `${namedIn(row)} || case when ${namedIn(row)} = '[]'::jsonb or ${row}.escalated_at is null then '[]'::jsonb else coalesce(${row}.terms #> '{escalation,approvers}', '[]'::jsonb) end`;

/** Instead of a list that is empty. */
export const anybody = 'anybody';

export const approverText = (kind: 'principal' | 'role' | 'team', who: string): string => `${kind}:${who}`;

/** A text for each, as in `approval_approvers`. */
const textsOf = (row: string): string =>
  `select '${anybody}' where ${namedIn(row)} = '[]'::jsonb union select kind || ':' || (e->>kind) from jsonb_array_elements(${askedIn(row)}) as e cross join (values ('principal'), ('role'), ('team')) as kinds (kind) where e->>kind is not null`;

/** Body of a trigger after each change: of a row that is not there, Postgres says that nothing of it is known. */
export const keepApprovers = [
  `if (old.status, old.stage, old.terms, old.escalated_at is null) = (new.status, new.stage, new.terms, new.escalated_at is null) then return null; end if`,
  `if old.status = 'pending' then delete from public.approval_approvers a where a.tenant_id = old.tenant_id and a.approver = any(array(${textsOf('old')})) and a.environment_id = old.environment_id and a.approval_id = old.id; end if`,
  `if new.status = 'pending' then insert into public.approval_approvers (tenant_id, approver, environment_id, approval_id, team_id) select new.tenant_id, asked.approver, new.environment_id, new.id, new.team_id from (${textsOf('new')}) as asked (approver); end if`,
  'return null',
].join('; ');

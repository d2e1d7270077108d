// The people and teams that terms name: whether they exist, and their ids. Reads only.
import type { UnitOfWork } from '../platform/database.ts';
import type { Problem } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import type { ApprovalTerms, Approver } from './approval-terms.ts';

interface Named {
  readonly kind: 'principal' | 'team';
  readonly id: string;
  readonly name: string;
  /** People of a team; of a principal itself, unless it is disabled. */
  readonly people: readonly string[];
}

/** Approvers in the order of the document, with the path of each. */
function* approversOf(terms: ApprovalTerms, path: string): Generator<{ readonly path: string; readonly approver: Approver }> {
  for (const [stage, { approvers }] of terms.stages.entries()) {
    for (const [index, approver] of approvers.entries()) yield { path: `${path}.stages[${stage}].approvers[${index}]`, approver };
  }
  for (const [index, approver] of (terms.escalation?.approvers ?? []).entries()) {
    yield { path: `${path}.escalation.approvers[${index}]`, approver };
  }
}

const referenceIn = (approver: Approver): readonly ['principal' | 'team', string] | null =>
  'principal' in approver ? ['principal', approver.principal] : 'team' in approver ? ['team', approver.team] : null;

async function namedIn(uow: UnitOfWork, asked: readonly ApprovalTerms[]): Promise<(approver: Approver) => Named | null> {
  const approvers = asked.flatMap((terms) => [...approversOf(terms, '')].map(({ approver }) => approver));
  const references = approvers.map(referenceIn).filter((each) => each !== null);
  const texts = (kind: Named['kind']) => references.filter(([each]) => each === kind).map(([, text]) => text);
  const rows =
    references.length === 0
      ? []
      : await uow.rows<Named>(
          `select 'principal' as kind, id, name, case when disabled_at is null then json_build_array(id) else '[]' end as people
           from principals where tenant_id = $1 and (id = any($2::uuid[]) or name = any($3::text[]))
           union all
           select 'team', t.id, t.name, coalesce((
             select json_agg(m.principal_id) from team_members m join principals p on p.tenant_id = $1 and p.id = m.principal_id
             where m.tenant_id = $1 and m.team_id = t.id and p.disabled_at is null), '[]')
           from teams t where t.tenant_id = $1 and (t.id = any($4::uuid[]) or t.name = any($5::text[]))`,
          [uow.tenantId, texts('principal').filter(isId), texts('principal'), texts('team').filter(isId), texts('team')],
        );
  return (approver) => {
    const reference = referenceIn(approver);
    if (!reference) return null;
    const [kind, text] = reference;
    const found = rows.filter((row) => row.kind === kind);
    // A name that looks like somebody else's id is not theirs.
    return found.find(({ id }) => id === text.toLowerCase()) ?? found.find(({ name }) => name === text) ?? null;
  };
}

/** What stands in the way of saving these terms: people and teams that do not exist, groups smaller than their quorum. */
export async function approverProblems(
  uow: UnitOfWork,
  asked: readonly { readonly terms: ApprovalTerms; readonly path: string }[],
): Promise<Problem[]> {
  const find = await namedIn(
    uow,
    asked.map(({ terms }) => terms),
  );
  return asked.flatMap(({ terms, path }) => [...absent(terms, path, find), ...tooFew(terms, path, find)]);
}

type Find = (approver: Approver) => Named | null;

function absent(terms: ApprovalTerms, path: string, find: Find): Problem[] {
  return [...approversOf(terms, path)].flatMap(({ path: at, approver }): Problem[] => {
    const reference = referenceIn(approver);
    if (!reference || find(approver)) return [];
    const [kind, text] = reference;
    const expected = `the name or id of a ${kind === 'team' ? 'team' : 'person or service account'} of this tenant`;
    return [{ path: `${at}.${kind}`, message: `there is no ${kind} "${text.slice(0, 80)}"`, expected }];
  });
}

function tooFew(terms: ApprovalTerms, path: string, find: Find): Problem[] {
  return terms.stages.flatMap(({ approvers, quorum }, index): Problem[] => {
    const groups = approvers.map(find);
    // Who holds a role is known only where it runs.
    if (approvers.length === 0 || groups.some((group) => group === null)) return [];
    const { size } = new Set(groups.flatMap((group) => group!.people));
    if (size >= quorum) return [];
    const message = `${quorum} approvals are needed and the approvers are ${size} ${size === 1 ? 'person' : 'people'}, so it could never be reached`;
    return [{ path: `${path}.stages[${index}].quorum`, message, expected: `at most ${size}` }];
  });
}

/** With ids in place of names, and the owners of the agent, as they are now: a request keeps to them. */
export async function settledTerms(uow: UnitOfWork, terms: ApprovalTerms, agentId: string): Promise<ApprovalTerms> {
  const [find, owners] = await Promise.all([namedIn(uow, [terms]), terms.excludeOwner ? ownersOf(uow, agentId) : null]);
  // Whoever is not found is kept as written, and is nobody.
  const settle = (approver: Approver): Approver => {
    const found = find(approver);
    return found === null ? approver : found.kind === 'team' ? { team: found.id } : { principal: found.id };
  };
  return {
    ...terms,
    stages: terms.stages.map((stage) => ({ ...stage, approvers: stage.approvers.map(settle) })),
    ...(terms.escalation && { escalation: { ...terms.escalation, approvers: terms.escalation.approvers.map(settle) } }),
    ...(owners && { owners }),
  };
}

/** The principals whose name or address the agent's `owner` is; without any, who created the agent. */
async function ownersOf(uow: UnitOfWork, agentId: string): Promise<string[]> {
  const rows = await uow.rows<{ createdBy: string; owners: readonly string[] }>(
    `select a.created_by as "createdBy", coalesce((
       select json_agg(p.id) from principals p
       where p.tenant_id = $1 and (p.name = a.owner or lower(p.email) = lower(a.owner))), '[]') as owners
     from agents a where a.tenant_id = $1 and a.id = $2`,
    [uow.tenantId, agentId],
  );
  return rows.flatMap(({ createdBy, owners }) => (owners.length > 0 ? [...owners] : [createdBy]));
}

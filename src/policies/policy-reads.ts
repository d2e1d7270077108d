// Reads of policies and their versions: rows as GraphQL lists need them. No rules, no writes.
import type { UnitOfWork } from '../platform/database.ts';
import { ValidationError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { pageOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { visibilityOf, type Authority, type Place } from '../authority/permission.ts';
import type { Situation } from '../rules/judge.ts';
import { placeOfScope } from './policy-scope.ts';
import type { FailureMode, PolicyAttachment, PolicyDocument, PolicyKind, PolicyMode, PolicyRollout, PolicyScope } from '../rules/policy.ts';

export interface PolicyRow extends PolicyScope {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly kind: PolicyKind;
  readonly mode: PolicyMode;
  readonly priority: number;
  readonly enabled: boolean;
  readonly version: number;
  readonly attachments: readonly PolicyAttachment[];
  readonly rollout: PolicyRollout | null;
  readonly onError: FailureMode;
  readonly rules: unknown;
  /** Team of the agent it is limited to, if any: part of its place. */
  readonly agentTeamId: string | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Set once it is deleted: out of the lists, kept for the decisions that name it. */
  readonly deletedAt: Date | null;
}

export interface PolicyVersionRow {
  readonly policyId: string;
  readonly version: number;
  readonly document: PolicyDocument;
  readonly createdBy: string;
  readonly createdAt: Date;
}

export interface PolicyFilter {
  readonly name?: string | null | undefined;
  readonly kind?: PolicyKind | null | undefined;
  readonly mode?: PolicyMode | null | undefined;
  readonly enabled?: boolean | null | undefined;
  readonly projectId?: string | null | undefined;
  readonly environmentId?: string | null | undefined;
  readonly agentId?: string | null | undefined;
  readonly teamId?: string | null | undefined;
  readonly tag?: string | null | undefined;
}

type Stored = Omit<PolicyRow, 'createdAt' | 'updatedAt' | 'deletedAt'> & { createdAt: string; updatedAt: string; deletedAt: string | null };

const selectPolicies = `select p.id, p.name, p.description, p.kind, p.mode, p.priority, p.enabled, p.version, v.rules->'rules' as "rules",
    p.project_id as "projectId", p.environment_id as "environmentId", p.agent_id as "agentId", p.team_id as "teamId", p.tag, p.tool,
    p.attachments, p.rollout, p.on_error as "onError", a.team_id as "agentTeamId",
    p.created_by as "createdBy", p.created_at as "createdAt", p.updated_at as "updatedAt", p.deleted_at as "deletedAt"
  from policies p
  join policy_versions v on v.policy_id = p.id and v.version = p.version
  left join agents a on a.id = p.agent_id and a.tenant_id = p.tenant_id`;

/** Where a policy is managed and read, beside its attachments: its narrowest scope; the tenant when it has none (or only a tag or tools). */
export const placeOf = (policy: PolicyRow): Place => placeOfScope(policy, policy.agentTeamId);

export const scopeOf = ({ projectId, environmentId, agentId, teamId, tag, tool }: PolicyRow): PolicyScope => ({
  projectId,
  environmentId,
  agentId,
  teamId,
  tag,
  tool,
});

/** The rows for which `can(actor, 'policy.read', place)` holds at one of their places, as SQL. */
function visiblePolicies(actor: Authority, params: unknown[]): string {
  const seen = visibilityOf(actor, 'policy.read');
  if (seen.everywhere) return 'true';
  const among = (ids: readonly string[]) => `any($${params.push([...ids])}::uuid[])`;
  const [projects, environments] = [among(seen.projectIds), among(seen.environmentIds)];
  const [teams, parents] = [among(seen.teamIds), among(seen.parentProjectIds)];
  const at = (project: string, environment: string, team: string) =>
    `(${project} = ${projects} or ${environment} = ${environments} or ${team} = ${teams} or (${environment} is null and ${project} = ${parents}))`;
  return `(${at('p.project_id', 'p.environment_id', 'coalesce(p.team_id, a.team_id)')} or (p.attachments <> '[]' and exists (
    select from jsonb_to_recordset(jsonb_path_query_array(p.attachments, '$[*].scope'))
      as s ("projectId" uuid, "environmentId" uuid, "agentId" uuid, "teamId" uuid)
    left join agents t on t.tenant_id = p.tenant_id and t.id = s."agentId"
    where ${at('s."projectId"', 's."environmentId"', 'coalesce(s."teamId", t.team_id)')})))`;
}

async function policyRows(uow: UnitOfWork, sql: string, params: readonly unknown[]): Promise<PolicyRow[]> {
  return (await uow.rows<Stored>(sql, params)).map((row) => ({
    ...row,
    createdAt: new Date(row.createdAt),
    updatedAt: new Date(row.updatedAt),
    deletedAt: row.deletedAt === null ? null : new Date(row.deletedAt),
  }));
}

/** Deleted ones too; in no particular order. */
export function policiesByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<PolicyRow[]> {
  const params: unknown[] = [uow.tenantId, ids.filter(isId)];
  const visible = visiblePolicies(actor, params);
  return policyRows(uow, `${selectPolicies} where p.tenant_id = $1 and p.id = any($2::uuid[]) and ${visible}`, params);
}

/** Without rights and with the row locked, for a change. */
export async function lockPolicy(uow: UnitOfWork, id: string): Promise<PolicyRow | null> {
  // Two statements: one that waits for the lock would join the newest policy with the version that was current before.
  await uow.rows('select from policies where tenant_id = $1 and id = $2 for update', [uow.tenantId, id]);
  const [row] = await policyRows(uow, `${selectPolicies} where p.tenant_id = $1 and p.id = $2`, [uow.tenantId, id]);
  return row ?? null;
}

/** Among those that are not deleted. */
export async function findByName(uow: UnitOfWork, actor: Authority, name: string): Promise<PolicyRow | null> {
  const params: unknown[] = [uow.tenantId, name];
  const visible = visiblePolicies(actor, params);
  const sql = `${selectPolicies} where p.tenant_id = $1 and p.name = $2 and p.deleted_at is null and ${visible}`;
  return (await policyRows(uow, sql, params))[0] ?? null;
}

/** Those that are switched on and can cover an agent in an environment; an attachment may, whatever the policy's own scope. */
export function policiesAround(
  uow: UnitOfWork,
  actor: Authority,
  {
    projectId,
    environmentId,
    agentId,
    teamId,
    agentTags,
  }: Pick<Situation, 'projectId' | 'environmentId' | 'agentId' | 'teamId' | 'agentTags'>,
): Promise<PolicyRow[]> {
  const params: unknown[] = [uow.tenantId, projectId, environmentId, agentId, teamId, [...agentTags]];
  const visible = visiblePolicies(actor, params);
  return policyRows(
    uow,
    `${selectPolicies} where p.tenant_id = $1 and p.enabled and p.deleted_at is null and ${visible} and (p.attachments <> '[]' or (
       (p.project_id is null or p.project_id = $2) and (p.environment_id is null or p.environment_id = $3) and
       (p.agent_id is null or p.agent_id = $4) and (p.team_id is null or p.team_id = $5::uuid) and (p.tag is null or p.tag = any($6::text[]))))`,
    params,
  );
}

/** Newest first, without deleted ones. */
export async function listPolicies(
  uow: UnitOfWork,
  actor: Authority,
  filter: PolicyFilter,
  request: PageRequest,
): Promise<Page<PolicyRow>> {
  const window = pageWindow('policies', request);
  const params: unknown[] = [uow.tenantId];
  const conditions = ['p.tenant_id = $1', 'p.deleted_at is null', visiblePolicies(actor, params)];
  const equals = (column: string, value: unknown) => {
    if (value != null) conditions.push(`p.${column} = $${params.push(value)}`);
  };
  equals('kind', filter.kind);
  equals('mode', filter.mode);
  equals('enabled', filter.enabled);
  for (const field of ['name', 'tag'] as const) {
    const text = filter[field];
    if (text != null && !isStorableText(text)) throw new ValidationError([{ path: `filter.${field}`, message: unstorableText }]);
  }
  equals('name', filter.name);
  const scope = Object.entries({
    projectId: idIn(filter, 'projectId'),
    environmentId: idIn(filter, 'environmentId'),
    agentId: idIn(filter, 'agentId'),
    teamId: idIn(filter, 'teamId'),
    tag: filter.tag,
  }).filter(([, value]) => value != null);
  if (scope.length > 0) {
    const own = scope.map(([field, value]) => `p.${scopeColumns[field]} = $${params.push(value)}`).join(' and ');
    const attached = params.push(JSON.stringify([{ scope: Object.fromEntries(scope) }]));
    conditions.push(`((${own}) or p.attachments @> $${attached}::jsonb)`);
  }
  if (window.afterId !== null) conditions.push(`p.id < $${params.push(window.afterId)}`);
  const sql = `${selectPolicies} where ${conditions.join(' and ')} order by p.id desc limit ${window.limit}`;
  return pageOf(window, await policyRows(uow, sql, params));
}

const scopeColumns: Readonly<Record<string, string>> = {
  projectId: 'project_id',
  environmentId: 'environment_id',
  agentId: 'agent_id',
  teamId: 'team_id',
  tag: 'tag',
};

function idIn(filter: PolicyFilter, field: 'projectId' | 'environmentId' | 'agentId' | 'teamId'): string | null {
  const id = filter[field];
  if (id == null) return null;
  if (!isId(id)) throw new ValidationError([{ path: `filter.${field}`, message: `"${id.slice(0, 80)}" is not an id` }]);
  return id;
}

export const maxVersions = 100;

/** The newest versions of each of several policies (already authorised by having been read), below version `before`. */
export async function policyVersions(
  uow: UnitOfWork,
  policyIds: readonly string[],
  { first = 20, before = null }: { first?: number | null | undefined; before?: number | null | undefined } = {},
): Promise<PolicyVersionRow[][]> {
  const size = first ?? 20;
  if (size < 1 || size > maxVersions) {
    throw new ValidationError([{ path: 'first', message: `must be between 1 and ${maxVersions}, got ${size}` }]);
  }
  const rows = await uow.rows<Omit<PolicyVersionRow, 'createdAt'> & { createdAt: string }>(
    `select v.policy_id as "policyId", v.version, v.rules as "document", v.created_by as "createdBy", v.created_at as "createdAt"
     from unnest($2::uuid[]) as asked (id)
     cross join lateral (
       select * from policy_versions
       where tenant_id = $1 and policy_id = asked.id and ($3::int is null or version < $3)
       order by version desc limit $4
     ) v
     order by v.policy_id, v.version desc`,
    [uow.tenantId, [...new Set(policyIds)], before, size],
  );
  const byPolicy = Map.groupBy(rows, (row) => row.policyId);
  return policyIds.map((id) => (byPolicy.get(id) ?? []).map((row) => ({ ...row, createdAt: new Date(row.createdAt) })));
}

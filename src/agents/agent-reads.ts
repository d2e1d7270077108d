// Reads of agents, their versions and deployments, narrowed in SQL to what the actor may see. Writes nothing.
import type { UnitOfWork } from '../platform/database.ts';
import { ValidationError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { pageOf, pagesOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { visibleRows } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import type { AgentStatus, DeploymentKind } from './agent.ts';
import type { Definition } from './definition.ts';

export interface AgentRow {
  readonly id: string;
  readonly projectId: string;
  readonly teamId: string | null;
  readonly name: string;
  readonly description: string;
  readonly owner: string | null;
  readonly tags: readonly string[];
  readonly status: AgentStatus;
  readonly pauseReason: string | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly archivedAt: Date | null;
}

/** Without the documents, which may be large: `versionDocuments` reads them. */
export interface AgentVersionRow {
  readonly id: string;
  readonly agentId: string;
  readonly version: string;
  readonly digest: string;
  readonly createdBy: string;
  readonly createdAt: Date;
}

export interface VersionDocument {
  readonly id: string;
  readonly definition: Definition;
  /** As it was published. */
  readonly source: string;
}

export interface DeploymentRow {
  readonly id: string;
  readonly agentId: string;
  readonly environmentId: string;
  readonly versionId: string;
  readonly kind: DeploymentKind;
  readonly createdBy: string;
  readonly createdAt: Date;
  /** Null: live. */
  readonly supersededAt: Date | null;
}

export interface AgentFilter {
  readonly projectId?: string | null | undefined;
  readonly teamId?: string | null | undefined;
  readonly status?: AgentStatus | null | undefined;
  /** Has this tag. */
  readonly tag?: string | null | undefined;
  /** The name contains this text, in any case. */
  readonly name?: string | null | undefined;
  /** Archived agents too; they are left out otherwise. */
  readonly includeArchived?: boolean | null | undefined;
}

export interface DeploymentFilter {
  readonly environmentId?: string | null | undefined;
  /** Only what is live now. */
  readonly live?: boolean | null | undefined;
}

type Raw<Row> = { readonly [Key in keyof Row]: Row[Key] extends Date ? string : Row[Key] extends Date | null ? string | null : Row[Key] };

const moments = ['createdAt', 'updatedAt', 'archivedAt', 'supersededAt'] as const;

async function select<Row extends object>(uow: UnitOfWork, sql: string, params: readonly unknown[]): Promise<Row[]> {
  return (await uow.rows<Raw<Row>>(sql, params)).map((raw) => {
    const row: Record<string, unknown> = { ...raw };
    for (const moment of moments) if (typeof row[moment] === 'string') row[moment] = new Date(row[moment]);
    return row as Row;
  });
}

const agentColumns = `a.id, a.project_id as "projectId", a.team_id as "teamId", a.name, a.description, a.owner, a.tags, a.status,
  a.pause_reason as "pauseReason", a.created_by as "createdBy", a.created_at as "createdAt", a.updated_at as "updatedAt",
  a.archived_at as "archivedAt"`;
const versionColumns = `v.id, v.agent_id as "agentId", v.version, v.digest, v.created_by as "createdBy", v.created_at as "createdAt"`;
const deploymentColumns = `d.id, d.agent_id as "agentId", d.environment_id as "environmentId", d.version_id as "versionId", d.kind,
  d.created_by as "createdBy", d.created_at as "createdAt", d.superseded_at as "supersededAt"`;

const seesAgent = (actor: Authority, params: unknown[]): string =>
  visibleRows(actor, 'agent.read', { project: 'a.project_id', team: 'a.team_id', projectLevel: true }, params);
/** A role on one environment shows the deployments of that environment only. */
const seesDeployment = (actor: Authority, params: unknown[]): string =>
  visibleRows(actor, 'agent.read', { project: 'a.project_id', environment: 'd.environment_id', team: 'a.team_id' }, params);

/** Archived ones too; in no particular order. Malformed, foreign and invisible ids are left out. */
export function agentsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<AgentRow[]> {
  const params: unknown[] = [uow.tenantId, ids.filter(isId)];
  const sql = `select ${agentColumns} from agents a where a.tenant_id = $1 and a.id = any($2::uuid[]) and ${seesAgent(actor, params)}`;
  return select<AgentRow>(uow, sql, params);
}

/** Newest first. */
export async function listAgents(uow: UnitOfWork, actor: Authority, filter: AgentFilter, request: PageRequest): Promise<Page<AgentRow>> {
  const window = pageWindow('agents', request);
  for (const key of ['name', 'tag'] as const) {
    if (!isStorableText(filter[key] ?? '')) throw new ValidationError([{ path: `filter.${key}`, message: unstorableText }]);
  }
  if ([filter.projectId, filter.teamId].some((id) => id != null && !isId(id))) return { rows: [], hasNextPage: false };
  const params: unknown[] = [uow.tenantId];
  const conditions = ['a.tenant_id = $1', seesAgent(actor, params)];
  const where = (value: unknown, condition: (parameter: string) => string) => {
    if (value != null) conditions.push(condition(`$${params.push(value)}`));
  };
  where(window.afterId, (id) => `a.id < ${id}`);
  where(filter.projectId, (id) => `a.project_id = ${id}`);
  where(filter.teamId, (id) => `a.team_id = ${id}`);
  where(filter.status, (status) => `a.status = ${status}`);
  where(filter.tag, (tag) => `${tag} = any(a.tags)`);
  // `position` has no wildcards to escape.
  where(filter.name?.toLowerCase(), (text) => `position(${text} in a.name) > 0`);
  if (filter.includeArchived !== true) conditions.push('a.archived_at is null');
  const sql = `select ${agentColumns} from agents a where ${conditions.join(' and ')} order by a.id desc limit ${window.limit}`;
  return pageOf(window, await select<AgentRow>(uow, sql, params));
}

/** The row of an agent for a change: locked, whoever may see it. */
export async function lockAgent(uow: UnitOfWork, id: string): Promise<AgentRow | null> {
  const sql = `select ${agentColumns} from agents a where a.tenant_id = $1 and a.id = $2 for update`;
  return isId(id) ? ((await select<AgentRow>(uow, sql, [uow.tenantId, id]))[0] ?? null) : null;
}

export function versionsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<AgentVersionRow[]> {
  const params: unknown[] = [uow.tenantId, ids.filter(isId)];
  return select<AgentVersionRow>(
    uow,
    `select ${versionColumns} from agent_versions v join agents a on a.id = v.agent_id and a.tenant_id = $1
     where v.tenant_id = $1 and v.id = any($2::uuid[]) and ${seesAgent(actor, params)}`,
    params,
  );
}

/** Definitions and sources of versions that the actor may see. */
export function versionDocuments(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<VersionDocument[]> {
  const params: unknown[] = [uow.tenantId, ids.filter(isId)];
  return select<VersionDocument>(
    uow,
    `select v.id, v.definition, v.source from agent_versions v join agents a on a.id = v.agent_id and a.tenant_id = $1
     where v.tenant_id = $1 and v.id = any($2::uuid[]) and ${seesAgent(actor, params)}`,
    params,
  );
}

/** One version of an agent that the caller has already read. */
export async function findVersion(uow: UnitOfWork, agentId: string, version: string): Promise<AgentVersionRow | null> {
  if (!isStorableText(version)) return null;
  const sql = `select ${versionColumns} from agent_versions v where v.tenant_id = $1 and v.agent_id = $2 and v.version = $3`;
  return (await select<AgentVersionRow>(uow, sql, [uow.tenantId, agentId, version]))[0] ?? null;
}

/** One page of versions for each agent, last published first, in one statement. */
export async function versionsOf(
  uow: UnitOfWork,
  actor: Authority,
  agentIds: readonly string[],
  request: PageRequest,
): Promise<Page<AgentVersionRow>[]> {
  const window = pageWindow('versions', request);
  const params: unknown[] = [uow.tenantId, agentIds.filter(isId), window.afterId];
  const visible = seesAgent(actor, params);
  const rows = await select<AgentVersionRow & { readonly parentId: string }>(
    uow,
    `select a.id as "parentId", page.* from agents a
     cross join lateral (select ${versionColumns} from agent_versions v
       where v.tenant_id = $1 and v.agent_id = a.id and ($3::uuid is null or v.id < $3) order by v.id desc limit ${window.limit}) as page
     where a.tenant_id = $1 and a.id = any($2::uuid[]) and ${visible} order by page.id desc`,
    params,
  );
  return pagesOf(window, agentIds, rows);
}

export function deploymentsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<DeploymentRow[]> {
  const params: unknown[] = [uow.tenantId, ids.filter(isId)];
  return select<DeploymentRow>(
    uow,
    `select ${deploymentColumns} from deployments d join agents a on a.id = d.agent_id and a.tenant_id = $1
     where d.tenant_id = $1 and d.id = any($2::uuid[]) and ${seesDeployment(actor, params)}`,
    params,
  );
}

/** One page of deployments for each agent, newest first, in one statement. */
export async function deploymentsOf(
  uow: UnitOfWork,
  actor: Authority,
  agentIds: readonly string[],
  { environmentId, live, ...request }: DeploymentFilter & PageRequest,
): Promise<Page<DeploymentRow>[]> {
  const window = pageWindow('deployments', request);
  if (environmentId != null && !isId(environmentId)) return pagesOf(window, agentIds, []);
  const params: unknown[] = [uow.tenantId, agentIds.filter(isId), window.afterId, environmentId ?? null, live ?? null];
  const visible = seesDeployment(actor, params);
  const rows = await select<DeploymentRow & { readonly parentId: string }>(
    uow,
    `select a.id as "parentId", page.* from agents a
     cross join lateral (select ${deploymentColumns} from deployments d
       where d.tenant_id = $1 and d.agent_id = a.id and ($3::uuid is null or d.id < $3) and ($4::uuid is null or d.environment_id = $4)
         and ($5::boolean is null or $5 = (d.superseded_at is null)) and ${visible}
       order by d.id desc limit ${window.limit}) as page
     where a.tenant_id = $1 and a.id = any($2::uuid[]) order by page.id desc`,
    params,
  );
  return pagesOf(window, agentIds, rows);
}

/** All deployments of an agent in one environment, newest first; for the rules, not for lists. */
export function deploymentHistory(uow: UnitOfWork, agentId: string, environmentId: string): Promise<DeploymentRow[]> {
  return select<DeploymentRow>(
    uow,
    `select ${deploymentColumns} from deployments d
     where d.tenant_id = $1 and d.agent_id = $2 and d.environment_id = $3 order by d.id desc`,
    [uow.tenantId, agentId, environmentId],
  );
}

// Reads of grants of data, narrowed in SQL to what the actor may see; and those in force, for the gate. Writes nothing.
import type { UnitOfWork } from '../platform/database.ts';
import { ValidationError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { pageOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { visibleRows } from '../authority/authorize.ts';
import type { Authority, Place } from '../authority/permission.ts';
import type { DataKind } from '../rules/data-scope.ts';
import type { DataReference } from '../rules/gate.ts';

export interface DataGrantRow {
  readonly id: string;
  readonly ownerAgentId: string;
  readonly granteeAgentId: string;
  readonly kind: DataKind;
  readonly name: string;
  readonly reason: string;
  readonly grantedBy: string;
  readonly createdAt: Date;
  readonly revokedBy: string | null;
  /** Null while it is in force. */
  readonly revokedAt: Date | null;
  readonly ownerProjectId: string;
  readonly ownerTeamId: string | null;
}

export interface DataGrantFilter {
  /** Of the agent that declares the data. */
  readonly ownerAgentId?: string | null | undefined;
  readonly granteeAgentId?: string | null | undefined;
  /** True: in force. False: revoked. */
  readonly inForce?: boolean | null | undefined;
}

type Raw = Omit<DataGrantRow, 'createdAt' | 'revokedAt'> & { readonly createdAt: string; readonly revokedAt: string | null };

/** Where it is managed: where the agent is that declares the data. */
export const placeOfGrant = (row: DataGrantRow): Place => ({ projectId: row.ownerProjectId, teamId: row.ownerTeamId });

async function select(uow: UnitOfWork, sql: string, params: readonly unknown[]): Promise<DataGrantRow[]> {
  const rows = await uow.rows<Raw>(
    `select g.id, g.owner_agent_id as "ownerAgentId", g.grantee_agent_id as "granteeAgentId", g.kind, g.name, g.reason,
       g.granted_by as "grantedBy", g.created_at as "createdAt", g.revoked_by as "revokedBy", g.revoked_at as "revokedAt",
       o.project_id as "ownerProjectId", o.team_id as "ownerTeamId"
     from data_grants g
     join agents o on o.tenant_id = g.tenant_id and o.id = g.owner_agent_id
     join agents e on e.tenant_id = g.tenant_id and e.id = g.grantee_agent_id
     where g.tenant_id = $1 and ${sql}`,
    params,
  );
  return rows.map((row) => ({
    ...row,
    createdAt: new Date(row.createdAt),
    revokedAt: row.revokedAt === null ? null : new Date(row.revokedAt),
  }));
}

/** Whoever may read one of the two agents. */
function visible(actor: Authority, params: unknown[]): string {
  const of = (alias: string) =>
    visibleRows(actor, 'agent.read', { project: `${alias}.project_id`, team: `${alias}.team_id`, projectLevel: true }, params);
  return `(${of('o')} or ${of('e')})`;
}

export async function dataGrantsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<DataGrantRow[]> {
  const params: unknown[] = [uow.tenantId, ids.filter(isId)];
  return select(uow, `g.id = any($2::uuid[]) and ${visible(actor, params)}`, params);
}

/** Newest first. */
export async function listDataGrants(
  uow: UnitOfWork,
  actor: Authority,
  filter: DataGrantFilter,
  request: PageRequest,
): Promise<Page<DataGrantRow>> {
  const window = pageWindow('dataGrants', request);
  const params: unknown[] = [uow.tenantId];
  const bind = (value: unknown) => `$${params.push(value)}`;
  const conditions = [visible(actor, params)];
  for (const [field, column] of [
    ['ownerAgentId', 'g.owner_agent_id'],
    ['granteeAgentId', 'g.grantee_agent_id'],
  ] as const) {
    const id = filter[field];
    if (id == null) continue;
    if (!isId(id)) throw new ValidationError([{ path: `filter.${field}`, message: `"${id.slice(0, 80)}" is not an id` }]);
    conditions.push(`${column} = ${bind(id)}`);
  }
  if (filter.inForce != null) conditions.push(`g.revoked_at is ${filter.inForce ? '' : 'not '}null`);
  if (window.afterId !== null) conditions.push(`g.id < ${bind(window.afterId)}`);
  return pageOf(window, await select(uow, `${conditions.join(' and ')} order by g.id desc limit ${window.limit}`, params));
}

export interface ActiveGrant {
  readonly id: string;
  readonly ownerAgentId: string;
  readonly granteeAgentId: string;
  readonly data: DataReference;
}

export const activeGrants = (uow: UnitOfWork): Promise<ActiveGrant[]> =>
  uow.rows<ActiveGrant>(
    `select id, owner_agent_id as "ownerAgentId", grantee_agent_id as "granteeAgentId", kind || ':' || name as data
     from data_grants where tenant_id = $1 and revoked_at is null order by id`,
    [uow.tenantId],
  );

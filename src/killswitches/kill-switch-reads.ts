// Reads of kill switches, narrowed in SQL to what the actor may see; and those engaged now, for gate and runners. Writes nothing.
import type { UnitOfWork } from '../platform/database.ts';
import { isId } from '../platform/ids.ts';
import { pageOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { visibleRows } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import type { EngagedSwitch, KillSwitchScope } from './kill-switch.ts';

export interface KillSwitchRow extends EngagedSwitch {
  readonly projectId: string | null;
  readonly environmentId: string | null;
  readonly teamId: string | null;
  readonly engagedBy: string;
  readonly engagedAt: Date;
  readonly releasedBy: string | null;
  /** Null while it is engaged. */
  readonly releasedAt: Date | null;
  readonly releaseReason: string | null;
}

export interface KillSwitchFilter {
  /** True: those in force. False: those that were released. */
  readonly engaged?: boolean | null | undefined;
  readonly scope?: KillSwitchScope | null | undefined;
}

type Raw = Omit<KillSwitchRow, 'engagedAt' | 'releasedAt'> & { readonly engagedAt: string; readonly releasedAt: string | null };

const switchColumns = `k.id, k.scope, k.scope_id as "scopeId", k.pattern, k.reason`;
const columns = `${switchColumns}, k.project_id as "projectId", k.environment_id as "environmentId", k.team_id as "teamId",
  k.engaged_by as "engagedBy", k.engaged_at as "engagedAt", k.released_by as "releasedBy", k.released_at as "releasedAt",
  k.release_reason as "releaseReason"`;

const fromRaw = (row: Raw): KillSwitchRow => ({
  ...row,
  engagedAt: new Date(row.engagedAt),
  releasedAt: row.releasedAt === null ? null : new Date(row.releasedAt),
});

async function select(uow: UnitOfWork, sql: string, params: readonly unknown[]): Promise<KillSwitchRow[]> {
  return (await uow.rows<Raw>(`select ${columns} from kill_switches k where k.tenant_id = $1 and ${sql}`, params)).map(fromRaw);
}

/** One on the whole tenant is seen by everybody who may see any: it stops their work, too. */
function visible(actor: Authority, params: unknown[]): string {
  const places = { project: 'k.project_id', environment: 'k.environment_id', team: 'k.team_id', projectLevel: true };
  const own = visibleRows(actor, 'killswitch.read', places, params);
  return own === 'false' ? own : `(k.project_id is null or ${own})`;
}

export async function killSwitchesByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<KillSwitchRow[]> {
  const params: unknown[] = [uow.tenantId, ids.filter(isId)];
  return select(uow, `k.id = any($2::uuid[]) and ${visible(actor, params)}`, params);
}

export async function listKillSwitches(
  uow: UnitOfWork,
  actor: Authority,
  { engaged, scope }: KillSwitchFilter,
  request: PageRequest,
): Promise<Page<KillSwitchRow>> {
  const window = pageWindow('killSwitches', request);
  const params: unknown[] = [uow.tenantId];
  const bind = (value: unknown) => `$${params.push(value)}`;
  const conditions = [visible(actor, params)];
  if (engaged != null) conditions.push(`k.released_at is ${engaged ? '' : 'not '}null`);
  if (scope != null) conditions.push(`k.scope = ${bind(scope)}`);
  if (window.afterId !== null) conditions.push(`k.id < ${bind(window.afterId)}`);
  return pageOf(window, await select(uow, `${conditions.join(' and ')} order by k.id desc limit ${window.limit}`, params));
}

/** The caller holds its lock until the end of the transaction. */
export async function lockKillSwitch(uow: UnitOfWork, id: string): Promise<KillSwitchRow | null> {
  return (await select(uow, 'k.id = $2 for update', [uow.tenantId, id]))[0] ?? null;
}

/** The engaged switch on exactly this, if there is one. */
export async function engagedOn(
  uow: UnitOfWork,
  { scope, scopeId, pattern }: Pick<EngagedSwitch, 'scope' | 'scopeId' | 'pattern'>,
): Promise<KillSwitchRow | null> {
  const same = `k.released_at is null and k.scope = $2 and k.scope_id is not distinct from $3 and k.pattern is not distinct from $4`;
  return (await select(uow, same, [uow.tenantId, scope, scopeId, pattern]))[0] ?? null;
}

/** Oldest first; those of a transaction that has not committed are not among them. */
export async function engagedSwitches(uow: UnitOfWork): Promise<EngagedSwitch[]> {
  return uow.rows<EngagedSwitch>(
    `select ${switchColumns} from kill_switches k where k.tenant_id = $1 and k.released_at is null order by k.id`,
    [uow.tenantId],
  );
}

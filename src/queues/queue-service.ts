// Concurrency limits and how the queue of a tenant stands. What may begin is decided in admission.ts.
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { NotFoundError, ValidationError } from '../platform/errors.ts';
import { isId, newId } from '../platform/ids.ts';
import { pageOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { requirePermission, visibleRows } from '../authority/authorize.ts';
import { greatest, readInOrder, routesTo } from '../tenants/newest-rows.ts';
import { can, type Authority, type Permission, type Place } from '../authority/permission.ts';
import { listDeadLetters } from './dead-letter-reads.ts';
import { maxLimit, mostCounted, type LimitScope } from './queue.ts';

export interface LimitRow {
  readonly id: string;
  readonly scopeKind: LimitScope;
  readonly scopeId: string;
  readonly maxRunning: number;
  readonly updatedBy: string;
  readonly updatedAt: Date;
}

export interface QueueStatus {
  /** Executions that wait to be admitted, by priority, lowest number first. */
  readonly backlog: readonly { readonly priority: number; readonly count: number }[];
  /** Admitted, and not yet taken up by a runner. */
  readonly admitted: number;
  readonly running: number;
  /** When the execution that waits longest joined the backlog. */
  readonly oldestWaitingSince: Date | null;
  /** Counting stopped at `mostCounted` of something: the numbers are at least so many. */
  readonly isCapped: boolean;
}

export interface QueueService {
  /** `maxRunning` null removes the limit. What runs already goes on, whatever the new limit. */
  setConcurrencyLimit(
    uow: UnitOfWork,
    actor: Authority,
    input: { readonly scopeKind: LimitScope; readonly scopeId: string; readonly maxRunning: number | null },
  ): Promise<LimitRow | null>;
  limitsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<LimitRow[]>;
  /** Limits on places where `actor` may read executions; the tenant's own is seen by everybody who may do so anywhere. */
  listLimits(
    uow: UnitOfWork,
    actor: Authority,
    filter: { readonly scopeId?: string | null | undefined },
    page: PageRequest,
  ): Promise<Page<LimitRow>>;
  /** Counts only what `actor` may read. */
  queueStatus(uow: UnitOfWork, actor: Authority): Promise<QueueStatus>;
  readonly listDeadLetters: typeof listDeadLetters;
}

const columns = `l.id, l.scope_kind as "scopeKind", l.scope_id as "scopeId", l.max_running as "maxRunning", l.updated_by as "updatedBy",
  l.updated_at as "updatedAt"`;

/** With the place of what a limit is on; a limit on something that was deleted is not shown. */
const limits = `concurrency_limits l
  left join agents a on l.scope_kind = 'agent' and a.tenant_id = l.tenant_id and a.id = l.scope_id
  left join environments n on l.scope_kind = 'environment' and n.tenant_id = l.tenant_id and n.id = l.scope_id
  left join projects p on l.scope_kind = 'project' and p.tenant_id = l.tenant_id and p.id = l.scope_id`;
const projectColumn = 'coalesce(a.project_id, n.project_id, p.id)';

const fromRaw = (row: Omit<LimitRow, 'updatedAt'> & { updatedAt: string }): LimitRow => ({ ...row, updatedAt: new Date(row.updatedAt) });

export function createQueueService({ clock }: { readonly clock: Clock }): QueueService {
  async function select(uow: UnitOfWork, actor: Authority, more: (bind: (value: unknown) => string) => string): Promise<LimitRow[]> {
    const params: unknown[] = [uow.tenantId];
    const columnsOfPlace = { project: projectColumn, environment: 'n.id', team: 'a.team_id', projectLevel: true };
    const visible = visibleRows(actor, 'execution.read', columnsOfPlace, params);
    const rest = more((value) => `$${params.push(value)}`);
    const rows = await uow.rows<Omit<LimitRow, 'updatedAt'> & { updatedAt: string }>(
      `select ${columns} from ${limits}
       where l.tenant_id = $1 and (l.scope_kind = 'tenant' or (${projectColumn} is not null and ${visible})) and ${rest}`,
      params,
    );
    return rows.map(fromRaw);
  }

  return {
    listDeadLetters,

    async setConcurrencyLimit(uow, actor, { scopeKind, scopeId, maxRunning }) {
      if (maxRunning !== null && (!Number.isInteger(maxRunning) || maxRunning < 0 || maxRunning > maxLimit)) {
        const expected = `a whole number from 0 (nothing begins) to ${maxLimit}, or null for no limit`;
        throw new ValidationError([{ path: 'maxRunning', message: `${maxRunning} is not a limit`, expected }]);
      }
      requirePermission(actor, 'queue.manage', await placeOf(uow, actor, scopeKind, scopeId));
      // Starts that saw no limit commit first, and count; those that come now wait to be admitted.
      await uow.rows('select pg_advisory_xact_lock(jobs.queue_lock($1::uuid, 0))', [uow.tenantId]);
      const rows =
        maxRunning === null
          ? await uow.rows('delete from concurrency_limits where tenant_id = $1 and scope_id = $2', [uow.tenantId, scopeId]).then(() => [])
          : await uow.rows<Omit<LimitRow, 'updatedAt'> & { updatedAt: string }>(
              `insert into concurrency_limits as l (id, tenant_id, scope_kind, scope_id, max_running, updated_by, updated_at)
               values ($1, $2, $3, $4, $5, $6, $7)
               on conflict (tenant_id, scope_id) do update set max_running = excluded.max_running, updated_by = excluded.updated_by,
                 updated_at = excluded.updated_at
               returning ${columns}`,
              [newId(), uow.tenantId, scopeKind, scopeId, maxRunning, actor.principalId, clock.now()],
            );
      await uow.rows('select jobs.admit_soon($1::uuid)', [uow.tenantId]);
      return rows[0] ? fromRaw(rows[0]) : null;
    },

    async limitsByIds(uow, actor, ids) {
      return select(uow, actor, (bind) => `l.id = any(${bind(ids.filter(isId))}::uuid[])`);
    },

    async listLimits(uow, actor, { scopeId }, request) {
      const window = pageWindow('concurrencyLimits', request);
      if (scopeId != null && !isId(scopeId)) return { rows: [], hasNextPage: false };
      const rows = await select(uow, actor, (bind) => {
        const conditions = ['true'];
        if (scopeId != null) conditions.push(`l.scope_id = ${bind(scopeId)}`);
        if (window.afterId !== null) conditions.push(`l.id < ${bind(window.afterId)}`);
        return `${conditions.join(' and ')} order by l.id desc limit ${window.limit}`;
      });
      return pageOf(window, rows);
    },

    async queueStatus(uow, actor) {
      const params: unknown[] = [uow.tenantId];
      const routes = routesTo(actor, 'execution.read', {}, (value) => `$${params.push(value)}`, params);
      const few = (conditions: string) => greatest('executions e', 'id', routes, [conditions], mostCounted + 1);
      // Of each status by itself, as the index of a place has them.
      const waiting = (column: string) =>
        numbered(
          `(${few(`e.status = 'queued' and e.${column} is not null`)} union all ${few(`e.status = 'scheduled' and e.${column} is not null`)})`,
        );
      const numbered = (from: string) => `(select id, row_number() over () as nth from ${from} each limit ${mostCounted + 1}) found`;
      const counted = `(count(*) filter (where nth <= ${mostCounted}))::int as count, bool_or(nth > ${mostCounted}) as "isMore"`;
      const rows = await readInOrder<{
        kind: string;
        priority: number | null;
        count: number;
        isMore: boolean | null;
        oldest: string | null;
      }>(
        uow,
        `select 'backlog' as kind, e.priority, ${counted}, min(e.backlog_at) as oldest
           from ${waiting('backlog_at')} join executions e on e.tenant_id = $1 and e.id = found.id group by e.priority
         union all
         select 'admitted', null, ${counted}, null from ${waiting('admitted_at')}
         union all
         select 'running', null, ${counted}, null from ${numbered(few(`e.status = 'running'`))}`,
        params,
      );
      const countOf = (kind: string) => rows.find((row) => row.kind === kind)?.count ?? 0;
      const backlog = rows
        .filter((row) => row.kind === 'backlog' && row.count > 0)
        .map(({ priority, count }) => ({ priority: priority!, count }));
      const oldest = rows.flatMap((row) => (row.oldest === null ? [] : [Date.parse(row.oldest)]));
      return {
        backlog: backlog.toSorted((a, b) => a.priority - b.priority),
        admitted: countOf('admitted'),
        running: countOf('running'),
        isCapped: rows.some(({ isMore }) => isMore),
        oldestWaitingSince: oldest.length > 0 ? new Date(Math.min(...oldest)) : null,
      };
    },
  };
}

/** What a limit is read by: seeing the thing that it is on. */
const readOf = {
  tenant: null,
  project: 'project.read',
  environment: 'project.read',
  agent: 'agent.read',
} as const satisfies Record<LimitScope, Permission | null>;

async function placeOf(uow: UnitOfWork, actor: Authority, kind: LimitScope, id: string): Promise<Place> {
  const absent = new NotFoundError(`scopeId: there is no ${kind} "${id.slice(0, 80)}", or it is not visible to you`);
  if (!isId(id)) throw absent;
  if (kind === 'tenant') {
    if (id !== uow.tenantId) throw absent;
    return {};
  }
  const from = {
    project: 'select id as "projectId", null as "environmentId", null as "teamId" from projects',
    environment: 'select project_id as "projectId", id as "environmentId", null as "teamId" from environments',
    agent: 'select project_id as "projectId", null as "environmentId", team_id as "teamId" from agents',
  }[kind];
  // Locked: it is not deleted while it gets its limit.
  const [place] = await uow.rows<Place>(`${from} where tenant_id = $1 and id = $2 for share`, [uow.tenantId, id]);
  if (!place || !can(actor, readOf[kind], place)) throw absent;
  return place;
}

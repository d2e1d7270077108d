// Reads of executions by how they belong together: started by a step of another one, retrying or forking another one. Batched, authorised.
import type { UnitOfWork } from '../platform/database.ts';
import { pagesOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { visibleRows } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import { executionPlace, executionsByIds } from './execution-reads.ts';
import { executionColumns, withDates, type ExecutionRow } from './execution-rows.ts';

/** Executions that steps of each of these started, newest first, in one statement; one page per execution. */
export const childrenOf = (uow: UnitOfWork, actor: Authority, executionIds: readonly string[], page: PageRequest) =>
  followers(uow, actor, 'parent_id', executionIds, page);

/** Executions that retry or fork each of these, newest first, in one statement; one page per execution. */
export const rerunsOf = (uow: UnitOfWork, actor: Authority, executionIds: readonly string[], page: PageRequest) =>
  followers(uow, actor, 'origin_id', executionIds, page);

async function followers(
  uow: UnitOfWork,
  actor: Authority,
  column: 'parent_id' | 'origin_id',
  executionIds: readonly string[],
  request: PageRequest,
): Promise<Page<ExecutionRow>[]> {
  const window = pageWindow('executions', request);
  const params: unknown[] = [uow.tenantId, [...new Set(executionIds)], window.afterId];
  const visible = visibleRows(actor, 'execution.read', executionPlace, params);
  const rows = await uow.rows(
    `select page.* from unnest($2::uuid[]) as asked (id) cross join lateral (
       select ${executionColumns} from executions e
       where e.tenant_id = $1 and e.${column} = asked.id and ($3::uuid is null or e.id < $3) and ${visible}
       order by e.id desc limit ${window.limit}
     ) page order by page.id desc`,
    params,
  );
  const found = rows.map((row) => withDates<ExecutionRow>(row as never));
  const above = (row: ExecutionRow) => (column === 'parent_id' ? row.parentId : row.originId)!;
  const pages = pagesOf(
    window,
    executionIds,
    found.map((row) => ({ parentId: above(row), row })),
  );
  return pages.map(({ rows: each, hasNextPage }) => ({ rows: each.map(({ row }) => row), hasNextPage }));
}

/** The execution at the top of each one's tree, in order: itself when nothing started it, null when `actor` may not read it. */
export async function rootsOf(uow: UnitOfWork, actor: Authority, executionIds: readonly string[]): Promise<(ExecutionRow | null)[]> {
  const found = await uow.rows<{ id: string; rootId: string }>(
    `with recursive above as (
       select id, id as at, parent_id from executions where tenant_id = $1 and id = any($2::uuid[])
       union all
       select above.id, e.id, e.parent_id from above join executions e on e.tenant_id = $1 and e.id = above.parent_id
     )
     select id, at as "rootId" from above where parent_id is null`,
    [uow.tenantId, [...new Set(executionIds)]],
  );
  const rootIds = new Map(found.map(({ id, rootId }) => [id, rootId]));
  const rows = await executionsByIds(uow, actor, [...new Set(rootIds.values())]);
  const roots = new Map(rows.map((row) => [row.id, row]));
  return executionIds.map((id) => roots.get(rootIds.get(id) ?? '') ?? null);
}

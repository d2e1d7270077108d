// Reads of signals: rows as GraphQL and the service that sends them need them, batched, authorised. No rules, no writes.
import type { UnitOfWork } from '../platform/database.ts';
import { isId } from '../platform/ids.ts';
import { pageOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { visibleRows } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import { executionPlace } from './execution-reads.ts';
import { withDates } from './execution-rows.ts';

export interface SignalRow {
  readonly id: string;
  readonly executionId: string;
  readonly name: string;
  readonly payload: unknown;
  readonly sentBy: string;
  readonly sentAt: Date;
  /** The wait step that took it; null while nobody has. */
  readonly receivedBy: string | null;
  readonly receivedAt: Date | null;
}

const signalColumns = `s.id, s.execution_id as "executionId", s.name, s.payload, s.sent_by as "sentBy", s.sent_at as "sentAt",
  s.received_by as "receivedBy", s.received_at as "receivedAt"`;

/** Those of `ids` that exist and whose execution `actor` may read, in no particular order. */
export async function signalsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<SignalRow[]> {
  const params: unknown[] = [uow.tenantId, ids.filter(isId)];
  const visible = visibleRows(actor, 'execution.read', executionPlace, params);
  const rows = await uow.rows(
    `select ${signalColumns} from signals s join executions e on e.tenant_id = $1 and e.id = s.execution_id
     where s.tenant_id = $1 and s.id = any($2::uuid[]) and ${visible}`,
    params,
  );
  return rows.map((row) => withDates<SignalRow>(row as never));
}

/** Signals of executions that the caller has authorised, newest first, in one statement; one page per execution. */
export async function signalsOf(uow: UnitOfWork, executionIds: readonly string[], request: PageRequest): Promise<Page<SignalRow>[]> {
  const window = pageWindow('signals', request);
  const rows = await uow.rows(
    `select page.* from unnest($2::uuid[]) as asked (id) cross join lateral (
       select ${signalColumns} from signals s
       where s.tenant_id = $1 and s.execution_id = asked.id and ($3::uuid is null or s.id < $3)
       order by s.id desc limit ${window.limit}
     ) page order by page.id desc`,
    [uow.tenantId, [...new Set(executionIds)], window.afterId],
  );
  const byExecution = Map.groupBy(
    rows.map((row) => withDates<SignalRow>(row as never)),
    (row) => row.executionId,
  );
  return executionIds.map((id) => pageOf(window, byExecution.get(id) ?? []));
}

/** What was sent to this execution with this key, if anything, and the digest of it. */
export async function signalByKey(
  uow: UnitOfWork,
  executionId: string,
  key: string,
): Promise<(SignalRow & { readonly requestDigest: string }) | null> {
  const [row] = await uow.rows(
    `select ${signalColumns}, s.request_digest as "requestDigest" from signals s
     where s.tenant_id = $1 and s.execution_id = $2 and s.idempotency_key = $3`,
    [uow.tenantId, executionId, key],
  );
  return row ? withDates<SignalRow & { readonly requestDigest: string }>(row as never) : null;
}

// Rows of tenants' tool servers as the service and GraphQL give them: never a header's value.
import type { UnitOfWork } from '../platform/database.ts';
import { isId } from '../platform/ids.ts';
import { pageOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { can, type Authority } from '../authority/permission.ts';
import type { CircuitState, ServerStatus, StoredHeader } from './remote.ts';
import { mayReadTools } from './tool-reads.ts';

export interface RemoteServerRow {
  readonly id: string;
  readonly name: string;
  /** Null for those who may not manage tool servers: many URLs hold a key. */
  readonly url: string | null;
  /** Scheme, host and port of the URL. */
  readonly origin: string;
  readonly headerNames: readonly string[];
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly enabled: boolean;
  readonly version: number;
  readonly status: ServerStatus;
  readonly circuit: CircuitState;
  readonly lastError: string | null;
  readonly lastSeenAt: Date | null;
  readonly toolCount: number;
  /** An operator's server has the name: this one is not called. */
  readonly shadowed: boolean;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface StoredServer extends Omit<RemoteServerRow, 'url' | 'origin' | 'headerNames' | 'lastSeenAt' | 'createdAt' | 'updatedAt'> {
  readonly url: string;
  readonly headers: readonly StoredHeader[];
  readonly lastSeenAt: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

const selectServers = `select s.id, s.name, s.url, s.headers, s.timeout_ms as "timeoutMs", s.concurrency, s.enabled, s.version,
    s.status, s.circuit, s.last_error as "lastError", s.last_seen_at as "lastSeenAt",
    s.created_by as "createdBy", s.created_at as "createdAt", s.updated_at as "updatedAt",
    (select count(*)::int from remote_tools r where r.tenant_id = s.tenant_id and r.server = s.name) as "toolCount",
    exists (select from tool_definitions o where o.server = s.name) as shadowed
  from tool_servers s`;

export function toRow(actor: Authority, { headers, url, ...stored }: StoredServer): RemoteServerRow {
  return {
    ...stored,
    url: can(actor, 'tool.manage') ? url : null,
    origin: new URL(url).origin,
    headerNames: headers.map(({ name }) => name),
    lastSeenAt: stored.lastSeenAt === null ? null : new Date(stored.lastSeenAt),
    createdAt: new Date(stored.createdAt),
    updatedAt: new Date(stored.updatedAt),
  };
}

/** Without rights: for those who have checked them, and for runners. */
export async function storedServer(uow: UnitOfWork, id: string, { lock = false } = {}): Promise<StoredServer | null> {
  if (!isId(id)) return null;
  if (lock) await uow.rows('select from tool_servers where tenant_id = $1 and id = $2 for update', [uow.tenantId, id]);
  const [row] = await uow.rows<StoredServer>(`${selectServers} where s.tenant_id = $1 and s.id = $2`, [uow.tenantId, id]);
  return row ?? null;
}

/** In no particular order. */
export async function serversByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<RemoteServerRow[]> {
  if (!mayReadTools(actor)) return [];
  const sql = `${selectServers} where s.tenant_id = $1 and s.id = any($2::uuid[])`;
  return (await uow.rows<StoredServer>(sql, [uow.tenantId, ids.filter(isId)])).map((row) => toRow(actor, row));
}

/** Newest first. */
export async function listServers(uow: UnitOfWork, actor: Authority, request: PageRequest): Promise<Page<RemoteServerRow>> {
  const window = pageWindow('toolServers', request);
  if (!mayReadTools(actor)) return pageOf(window, []);
  const rows = await uow.rows<StoredServer>(
    `${selectServers} where s.tenant_id = $1 and ($2::uuid is null or s.id < $2) order by s.id desc limit ${window.limit}`,
    [uow.tenantId, window.afterId],
  );
  return pageOf(
    window,
    rows.map((row) => toRow(actor, row)),
  );
}

// Everything that happens in a tenant, as somebody may see it: the events of its executions, and of the approvals of calls that outside
// agents make, in the order they were committed.
import { readable } from '../approvals/approval-reads.ts';
import type { EventType } from '../events/catalogue.ts';
import type { EventRow, EventService, PlacedEventRow } from '../events/event-service.ts';
import type { LiveFeed } from '../events/live-feed.ts';
import type { LiveBatch, LiveStream, Watcher } from '../events/live-stream.ts';
import { orderedStream } from '../events/ordered-stream.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { visibleRows } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import { executionPlace } from './execution-reads.ts';

export interface TenantEventFilter {
  readonly types?: readonly EventType[] | null | undefined;
  readonly projectId?: string | null | undefined;
  readonly environmentId?: string | null | undefined;
  readonly agentId?: string | null | undefined;
  readonly executionId?: string | null | undefined;
}

export interface TenantEventBatch extends LiveBatch {
  readonly events: readonly EventRow[];
}

/** Where the execution or call of an event is. */
interface PlaceRow {
  readonly id: string;
  readonly projectId: string;
  readonly environmentId: string;
  readonly agentId: string;
  readonly ofToolCall: boolean;
}

/** From now on, unless a place is given. */
export function tenantEvents(
  { feed, events }: { feed: LiveFeed; events: EventService },
  watcher: Watcher,
  filter: TenantEventFilter,
): LiveStream<TenantEventBatch> {
  const { types, executionId } = filter;
  return orderedStream<PlacedEventRow, EventRow, TenantEventBatch>(
    { watcher, events },
    {
      kind: 'tenant',
      read: events.tenantAfter,
      positionOf: ({ transactionId, executionId: id, sequence }) => ({ transactionId, executionId: id, sequence }),
      last: events.currentPosition,
      watch: (after) => feed.tenant(watcher.authority.tenantId, after, watcher.signal),
      async itemsOf(rows) {
        const asked = rows.filter(
          (row) => (!types || types.includes(row.type)) && (executionId == null || row.executionId === executionId),
        );
        if (asked.length === 0) return [];
        const places = await watcher.read((uow) => visiblePlaces(uow, watcher.authority, asked));
        return asked.flatMap((row) => {
          const place = places.get(row.executionId);
          if (!place || !isWithin(place, filter)) return [];
          return [{ ...row, ...(place.ofToolCall && { ofToolCall: true as const }) }];
        });
      },
      batchOf: (list, place) => ({ events: list, ...place }),
      advanceAfter: 5_000,
    },
  );
}

/** Those of a batch that `actor` may see: rights may be newer than those it was gathered with. */
export async function visibleEvents(uow: UnitOfWork, actor: Authority, rows: readonly EventRow[]): Promise<EventRow[]> {
  if (rows.length === 0) return [];
  const places = await visiblePlaces(uow, actor, rows);
  return rows.filter((row) => places.has(row.executionId));
}

const isWithin = (place: PlaceRow, { projectId, environmentId, agentId, executionId }: TenantEventFilter): boolean =>
  (projectId == null || projectId === place.projectId) &&
  (environmentId == null || environmentId === place.environmentId) &&
  (agentId == null || agentId === place.agentId) &&
  (executionId == null || !place.ofToolCall);

/** Executions that `actor` may read, and calls whose approval they may read. */
async function visiblePlaces(uow: UnitOfWork, actor: Authority, rows: readonly EventRow[]): Promise<Map<string, PlaceRow>> {
  const ids = [...new Set(rows.map((row) => row.executionId))];
  const approvalIds = new Set(rows.flatMap(({ type, data }) => (type.startsWith('approval.') ? String(data['approvalId']) : [])));
  const params: unknown[] = [uow.tenantId, ids, [...approvalIds]];
  const executions = visibleRows(actor, 'execution.read', executionPlace, params);
  const approvals = readable(actor, 'a', params);
  const found = await uow.rows<PlaceRow>(
    `select e.id, e.project_id as "projectId", e.environment_id as "environmentId", e.agent_id as "agentId", false as "ofToolCall"
     from executions e where e.tenant_id = $1 and e.id = any($2::uuid[]) and ${executions}
     union all
     select a.tool_call_id, a.project_id, a.environment_id, a.agent_id, true
     from approvals a where a.tenant_id = $1 and a.id = any($3::uuid[]) and a.tool_call_id is not null and ${approvals}`,
    params,
  );
  return new Map(found.map((place) => [place.id, place]));
}

// Reads of event sinks, their health and their deliveries, for those who may see them. No secrets, no writes.
import type { UnitOfWork } from '../platform/database.ts';
import type { Clock } from '../platform/clock.ts';
import { isId } from '../platform/ids.ts';
import { pageOf, pagesOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { visibleRows } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import type { EventType } from '../events/catalogue.ts';
import {
  healthOf,
  sinkLimits,
  eventDeliveryStatuses,
  type EventDeliveryStatus,
  type SinkHealth,
  type SinkKind,
  type SinkOrigin,
  type SinkStatus,
} from './event-sink.ts';

export interface EventSinkRow {
  readonly id: string;
  readonly origin: SinkOrigin;
  readonly name: string;
  readonly kind: SinkKind;
  readonly url: string;
  readonly types: readonly EventType[];
  readonly projectId: string | null;
  readonly environmentId: string | null;
  readonly tenants: readonly string[] | null;
  readonly maxAttempts: number;
  readonly maxAgeSeconds: number;
  readonly status: SinkStatus;
  readonly pausedReason: string | null;
  readonly createdBy: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface SinkHealthRow {
  readonly sinkId: string;
  readonly health: SinkHealth;
  /** Counted up to `sinkLimits.counted`, like `deadLetters`. */
  readonly lagEvents: number;
  readonly lagSeconds: number;
  readonly deadLetters: number;
  /** There may be more than one of these two says. */
  readonly isCapped: boolean;
  readonly pendingExecutions: number;
  readonly failures: number;
  readonly retryAt: Date | null;
  readonly lastSuccessAt: Date | null;
  readonly lastError: string | null;
  readonly lastErrorAt: Date | null;
}

export interface EventDeliveryRow {
  readonly id: string;
  readonly sinkId: string;
  readonly executionId: string;
  readonly sequence: number;
  readonly type: EventType;
  readonly status: EventDeliveryStatus;
  readonly attempts: number;
  readonly firstAttemptAt: Date | null;
  readonly nextAttemptAt: Date | null;
  readonly lastError: string | null;
  readonly createdAt: Date;
  readonly deadLetteredAt: Date | null;
}

const sinkColumns = `id, origin, name, kind, url, types, project_id as "projectId", environment_id as "environmentId", tenants,
  max_attempts as "maxAttempts", max_age_seconds as "maxAgeSeconds", status, paused_reason as "pausedReason", created_by as "createdBy",
  created_at as "createdAt", updated_at as "updatedAt"`;
const deliveryColumns = `d.id, d.sink_id as "sinkId", d.execution_id as "executionId", d.sequence, d.type, d.status, d.attempts,
  d.first_attempt_at as "firstAttemptAt", d.next_attempt_at as "nextAttemptAt", d.last_error as "lastError", d.created_at as "createdAt",
  d.dead_lettered_at as "deadLetteredAt"`;

const dateOf = (value: Date | string | null): Date | null => (value === null ? null : new Date(value));
const sinkOf = (row: EventSinkRow): EventSinkRow => ({ ...row, createdAt: new Date(row.createdAt), updatedAt: new Date(row.updatedAt) });
const deliveryOf = <Row extends EventDeliveryRow>(row: Row): Row => ({
  ...row,
  firstAttemptAt: dateOf(row.firstAttemptAt),
  nextAttemptAt: dateOf(row.nextAttemptAt),
  createdAt: new Date(row.createdAt),
  deadLetteredAt: dateOf(row.deadLetteredAt),
});

/** Sinks belong to the whole tenant. */
const visible = (actor: Authority) => visibleRows(actor, 'eventsink.read', {}, []);

export async function eventSinksByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<EventSinkRow[]> {
  const rows = await uow.rows<EventSinkRow>(
    `select ${sinkColumns} from event_sinks where tenant_id = $1 and id = any($2::uuid[]) and ${visible(actor)}`,
    [uow.tenantId, ids.filter(isId)],
  );
  return rows.map(sinkOf);
}

/** Newest first. */
export async function listEventSinks(uow: UnitOfWork, actor: Authority, page: PageRequest): Promise<Page<EventSinkRow>> {
  const window = pageWindow('eventSinks', page);
  const rows = await uow.rows<EventSinkRow>(
    `select ${sinkColumns} from event_sinks where tenant_id = $1 and ${visible(actor)} and ($2::uuid is null or id < $2)
     order by id desc limit ${window.limit}`,
    [uow.tenantId, window.afterId],
  );
  return pageOf(window, rows.map(sinkOf));
}

export async function eventDeliveriesByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<EventDeliveryRow[]> {
  const rows = await uow.rows<EventDeliveryRow>(
    `select ${deliveryColumns} from event_deliveries d where d.tenant_id = $1 and d.id = any($2::uuid[]) and ${visible(actor)}`,
    [uow.tenantId, ids.filter(isId)],
  );
  return rows.map(deliveryOf);
}

/** One page per sink that the caller has authorised, newest first. */
export async function eventDeliveriesOf(
  uow: UnitOfWork,
  sinkIds: readonly string[],
  { status, ...page }: PageRequest & { readonly status?: EventDeliveryStatus | null | undefined },
): Promise<Page<EventDeliveryRow>[]> {
  const window = pageWindow('eventDeliveries', page);
  const rows = await uow.rows<EventDeliveryRow & { parentId: string }>(
    `select newest.*, asked.id as "parentId" from unnest($2::uuid[]) as asked (id)
     cross join lateral (
       select found.* from unnest($4::text[]) as statuses (status_value) cross join lateral (
         select ${deliveryColumns} from event_deliveries d
         where d.tenant_id = $1 and d.sink_id = asked.id and d.status = status_value and ($3::uuid is null or d.id < $3)
         order by d.id desc limit ${window.limit}
       ) found order by found.id desc limit ${window.limit}
     ) newest order by newest.id desc`,
    [uow.tenantId, [...new Set(sinkIds)], window.afterId, status ? [status] : [...eventDeliveryStatuses]],
  );
  return pagesOf(window, sinkIds, rows.map(deliveryOf));
}

interface RawHealth extends Omit<SinkHealthRow, 'health' | 'lagSeconds' | 'retryAt' | 'lastSuccessAt' | 'lastErrorAt'> {
  readonly status: SinkStatus;
  readonly oldest: string | null;
  readonly retryAt: string | null;
  readonly lastSuccessAt: string | null;
  readonly lastErrorAt: string | null;
}

/** Of sinks that the caller has authorised; one row each, in any order. */
export async function healthOfSinks(uow: UnitOfWork, clock: Clock, sinkIds: readonly string[]): Promise<SinkHealthRow[]> {
  const rows = await uow.rows<RawHealth>(
    `select s.id as "sinkId", s.status, s.failures, s.pending as "pendingExecutions", s.retry_at as "retryAt",
       s.last_success_at as "lastSuccessAt", s.last_error as "lastError", s.last_error_at as "lastErrorAt", lag.events as "lagEvents",
       lag.oldest, lag.dead as "deadLetters", lag.is_capped as "isCapped"
     from event_sinks s cross join lateral eventbus.lag(s.id, $3) lag where s.tenant_id = $1 and s.id = any($2::uuid[])`,
    [uow.tenantId, [...new Set(sinkIds)], sinkLimits.counted],
  );
  const now = clock.now().getTime();
  return rows.map(({ status, oldest, ...row }) => {
    const lagSeconds = oldest === null ? 0 : Math.max(0, Math.floor((now - Date.parse(oldest)) / 1_000));
    return {
      ...row,
      lagSeconds,
      health: healthOf({ status, failures: row.failures, pending: row.pendingExecutions, lagSeconds }),
      retryAt: row.failures === 0 ? null : dateOf(row.retryAt),
      lastSuccessAt: dateOf(row.lastSuccessAt),
      lastErrorAt: dateOf(row.lastErrorAt),
    };
  });
}

export interface BusHealth {
  readonly health: SinkHealth;
  readonly lagEvents: number;
  readonly lagSeconds: number;
  readonly deadLetters: number;
  readonly isCapped: boolean;
  readonly sinks: readonly SinkHealthRow[];
}

const worst: readonly SinkHealth[] = ['failing', 'retrying', 'healthy', 'paused'];

/** Of all sinks that one may see, newest first; a paused one does not count into the whole, whose lag is that of the one most behind. */
export async function eventBusHealth(uow: UnitOfWork, clock: Clock, actor: Authority): Promise<BusHealth> {
  const known = await uow.rows<{ id: string }>(`select id from event_sinks where tenant_id = $1 and ${visible(actor)} order by id desc`, [
    uow.tenantId,
  ]);
  const found = new Map(
    (
      await healthOfSinks(
        uow,
        clock,
        known.map(({ id }) => id),
      )
    ).map((each) => [each.sinkId, each]),
  );
  const sinks = known.map(({ id }) => found.get(id)!);
  const working = sinks.filter(({ health }) => health !== 'paused');
  return {
    health:
      working.length === 0
        ? sinks.length === 0
          ? 'healthy'
          : 'paused'
        : worst.find((each) => working.some(({ health }) => health === each))!,
    lagEvents: Math.max(0, ...working.map(({ lagEvents }) => lagEvents)),
    lagSeconds: Math.max(0, ...working.map(({ lagSeconds }) => lagSeconds)),
    deadLetters: sinks.reduce((sum, { deadLetters }) => sum + deadLetters, 0),
    isCapped: sinks.some(({ isCapped }) => isCapped),
    sinks,
  };
}

// Event sinks of a tenant: made, changed, paused and removed; their secrets; what was given up is sent again. Relays nothing: relay.ts does.
import type { Clock } from '../platform/clock.ts';
import { orConflict } from '../platform/conflict.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { CursorExpiredError, InvalidStateError, LimitExceededError, NotFoundError } from '../platform/errors.ts';
import { isId, newId } from '../platform/ids.ts';
import type { Sealer } from '../platform/sealing.ts';
import type { EventType } from '../events/catalogue.ts';
import { readTenantCursor } from '../events/cursor.ts';
import type { EventService, FeedPosition } from '../events/event-service.ts';
import { requirePermission } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import { newSecret, rotated } from '../webhooks/webhook.ts';
import { refuse, requirePlaces, sinkProblems } from './event-sink-input.ts';
import {
  eventBusHealth,
  eventDeliveriesByIds,
  eventDeliveriesOf,
  eventSinksByIds,
  healthOfSinks,
  listEventSinks,
  type EventDeliveryRow,
  type EventSinkRow,
} from './event-sink-reads.ts';
import { openSecrets, sealSecrets } from './event-sink-secret.ts';
import { sinkDefaults, sinkLimits } from './event-sink.ts';
import { countDeliveries } from './relay-record.ts';

export interface SinkSettings {
  readonly name: string;
  readonly url: string;
  /** Empty or left out: all. */
  readonly types?: readonly EventType[] | null | undefined;
  readonly projectId?: string | null | undefined;
  readonly environmentId?: string | null | undefined;
  readonly maxAttempts?: number | null | undefined;
  readonly maxAgeSeconds?: number | null | undefined;
}

export interface NewEventSink extends SinkSettings {
  /** Default: now. */
  readonly from?: 'now' | 'beginning' | null | undefined;
  /** Behind this cursor of `tenantEvents`, instead. */
  readonly after?: string | null | undefined;
}

/** Fields left out stay as they are; of those that may be empty, null empties them. */
export type EventSinkUpdate = { readonly eventSinkId: string } & {
  readonly [Key in keyof SinkSettings]?: SinkSettings[Key] | null | undefined;
};

export interface EventSinkService {
  /** The secret is shown only here. */
  createEventSink(uow: UnitOfWork, actor: Authority, input: NewEventSink): Promise<{ eventSink: EventSinkRow; secret: string }>;
  updateEventSink(uow: UnitOfWork, actor: Authority, input: EventSinkUpdate): Promise<EventSinkRow>;
  pauseEventSink(uow: UnitOfWork, actor: Authority, eventSinkId: string, reason: string): Promise<EventSinkRow>;
  /** Goes on where it stopped. */
  resumeEventSink(uow: UnitOfWork, actor: Authority, eventSinkId: string): Promise<EventSinkRow>;
  /** A new secret; the one it replaces signs, too, for a day. */
  rotateEventSinkSecret(uow: UnitOfWork, actor: Authority, eventSinkId: string): Promise<{ eventSink: EventSinkRow; secret: string }>;
  /** With its deliveries; gives it as it was. */
  deleteEventSink(uow: UnitOfWork, actor: Authority, eventSinkId: string): Promise<EventSinkRow>;
  /** Sends an event that was given up once more, with all its attempts. */
  redeliverEvent(uow: UnitOfWork, actor: Authority, eventDeliveryId: string): Promise<EventDeliveryRow>;
  /** `sinkLimits.redelivered` at a time, those first that a sink gave up longest ago, so that it is not locked for long; `hasMore` when there are others. */
  redeliverEvents(
    uow: UnitOfWork,
    actor: Authority,
    eventSinkId: string,
  ): Promise<{ eventSink: EventSinkRow; redelivering: number; hasMore: boolean }>;
  readonly eventSinksByIds: typeof eventSinksByIds;
  readonly listEventSinks: typeof listEventSinks;
  readonly eventDeliveriesByIds: typeof eventDeliveriesByIds;
  readonly eventDeliveriesOf: typeof eventDeliveriesOf;
  healthOfSinks(uow: UnitOfWork, sinkIds: readonly string[]): ReturnType<typeof healthOfSinks>;
  eventBusHealth(uow: UnitOfWork, actor: Authority): ReturnType<typeof eventBusHealth>;
}

export interface EventSinkDependencies {
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly events: Pick<EventService, 'currentPosition' | 'isAhead' | 'epoch'>;
}

const notThere = (kind: string, id: string) => new NotFoundError(`there is no ${kind} "${id.slice(0, 80)}"`);
const nameTaken = { event_sinks_name_unique: 'name: there is already an event sink of this name; choose another one' };
const beginning: FeedPosition = { transactionId: '0', executionId: '00000000-0000-0000-0000-000000000000', sequence: 0 };

export function createEventSinkService({ clock, sealer, events }: EventSinkDependencies): EventSinkService {
  /** Locked. */
  async function manageable(uow: UnitOfWork, actor: Authority, id: string): Promise<EventSinkRow & { secret: string | null }> {
    requirePermission(actor, 'eventsink.manage');
    const locked = isId(id)
      ? await uow.rows<{ secret: string | null }>('select secret from event_sinks where tenant_id = $1 and id = $2 for update', [
          uow.tenantId,
          id,
        ])
      : [];
    const [sink] = locked.length > 0 ? await eventSinksByIds(uow, actor, [id]) : [];
    if (!sink) throw notThere('event sink', id);
    return { ...sink, ...locked[0]! };
  }

  async function own(uow: UnitOfWork, actor: Authority, id: string) {
    const sink = await manageable(uow, actor, id);
    if (sink.origin === 'tenant') return { ...sink, secret: sink.secret! };
    throw new InvalidStateError(
      `"${sink.name}" is configured by the operator; change it under eventSinks in the configuration of the runners`,
    );
  }

  async function startOf(uow: UnitOfWork, { from, after }: Pick<NewEventSink, 'from' | 'after'>): Promise<FeedPosition> {
    if (after == null) return from === 'beginning' ? beginning : events.currentPosition(uow);
    if (from != null) refuse([{ path: 'from', message: 'says where to begin, and so does after', expected: 'one of them' }]);
    const place = readTenantCursor(after, 'tenant', await events.epoch(uow));
    if (!(await events.isAhead(uow, place))) return place;
    throw new CursorExpiredError('after: this cursor is ahead of the history (the database was restored); start without it');
  }

  const reread = async (uow: UnitOfWork, actor: Authority, id: string) => (await eventSinksByIds(uow, actor, [id]))[0]!;
  const placeOf = (uow: UnitOfWork) => ({ tenantId: uow.tenantId });

  return {
    async createEventSink(uow, actor, input) {
      requirePermission(actor, 'eventsink.manage');
      const { name, url, projectId = null, environmentId = null } = input;
      const settings = {
        ...{ name, url, types: [...new Set(input.types ?? [])], projectId, environmentId },
        maxAttempts: input.maxAttempts ?? sinkDefaults.maxAttempts,
        maxAgeSeconds: input.maxAgeSeconds ?? sinkDefaults.maxAgeSeconds,
      };
      await requirePlaces(uow, settings.projectId, settings.environmentId);
      refuse(sinkProblems(settings));
      // One registration of a tenant at a time, so that the limit holds.
      await uow.rows(`select pg_advisory_xact_lock(hashtextextended('event sinks ' || $1, 0))`, [uow.tenantId]);
      const [known] = await uow.rows<{ count: number }>(
        `select count(*)::int as count from event_sinks where tenant_id = $1 and origin = 'tenant'`,
        [uow.tenantId],
      );
      if (known!.count >= sinkLimits.perTenant) {
        throw new LimitExceededError(`a tenant has at most ${sinkLimits.perTenant} event sinks; remove one that is no longer used`);
      }
      const [id, secret] = [newId(), newSecret()];
      const place = await startOf(uow, input);
      await orConflict(
        uow.rows(
          `insert into event_sinks (id, tenant_id, origin, name, kind, url, secret, types, project_id, environment_id, max_attempts,
             max_age_seconds, status, transaction_id, execution_id, sequence, created_by, created_at, updated_at)
           values ($1, $2, 'tenant', $3, 'webhook', $4, $5, $6::text[], $7, $8, $9, $10, 'active', $11, $12, $13, $14, $15, $15)`,
          [
            ...[id, uow.tenantId, name, url, sealSecrets(sealer, { ...placeOf(uow), id }, { current: secret }), settings.types],
            ...[projectId, environmentId, settings.maxAttempts, settings.maxAgeSeconds],
            ...[place.transactionId, place.executionId, place.sequence, actor.principalId, clock.now()],
          ],
        ),
        nameTaken,
      );
      return { eventSink: await reread(uow, actor, id), secret };
    },

    async updateEventSink(uow, actor, { eventSinkId, ...input }) {
      const before = await own(uow, actor, eventSinkId);
      const settings = {
        name: input.name ?? before.name,
        url: input.url ?? before.url,
        types: input.types === undefined ? before.types : [...new Set(input.types ?? [])],
        projectId: input.projectId === undefined ? before.projectId : input.projectId,
        environmentId: input.environmentId === undefined ? before.environmentId : input.environmentId,
        maxAttempts: input.maxAttempts ?? before.maxAttempts,
        maxAgeSeconds: input.maxAgeSeconds ?? before.maxAgeSeconds,
      };
      await requirePlaces(uow, settings.projectId, settings.environmentId);
      refuse(sinkProblems(settings));
      const { name, url, types, projectId, environmentId, maxAttempts, maxAgeSeconds } = settings;
      await orConflict(
        uow.rows(
          `update event_sinks set name = $3, url = $4, types = $5::text[], project_id = $6, environment_id = $7, max_attempts = $8,
             max_age_seconds = $9, updated_at = $10
           where tenant_id = $1 and id = $2 and ((name, url, types, max_attempts, max_age_seconds) <> ($3, $4, $5::text[], $8, $9)
             or project_id is distinct from $6 or environment_id is distinct from $7)`,
          [uow.tenantId, before.id, name, url, types, projectId, environmentId, maxAttempts, maxAgeSeconds, clock.now()],
        ),
        nameTaken,
      );
      return reread(uow, actor, before.id);
    },

    async pauseEventSink(uow, actor, eventSinkId, reason) {
      const before = await manageable(uow, actor, eventSinkId);
      refuse(sinkProblems({ reason }));
      if (before.status === 'paused') return reread(uow, actor, before.id);
      await uow.rows(`update event_sinks set status = 'paused', paused_reason = $3, updated_at = $4 where tenant_id = $1 and id = $2`, [
        ...[uow.tenantId, before.id, reason === '' ? null : reason, clock.now()],
      ]);
      return reread(uow, actor, before.id);
    },

    async resumeEventSink(uow, actor, eventSinkId) {
      const before = await manageable(uow, actor, eventSinkId);
      if (before.status === 'active') return reread(uow, actor, before.id);
      await uow.rows(
        `update event_sinks set status = 'active', paused_reason = null, retry_at = null, updated_at = $3 where tenant_id = $1 and id = $2`,
        [uow.tenantId, before.id, clock.now()],
      );
      return reread(uow, actor, before.id);
    },

    async rotateEventSinkSecret(uow, actor, eventSinkId) {
      const before = await own(uow, actor, eventSinkId);
      const now = clock.now();
      const place = { ...placeOf(uow), id: before.id };
      const secrets = rotated(openSecrets(sealer, place, before.secret), now);
      await uow.rows('update event_sinks set secret = $3, updated_at = $4 where tenant_id = $1 and id = $2', [
        ...[uow.tenantId, before.id, sealSecrets(sealer, place, secrets), now],
      ]);
      return { eventSink: await reread(uow, actor, before.id), secret: secrets.current };
    },

    async deleteEventSink(uow, actor, eventSinkId) {
      const { secret: _, ...sink } = await manageable(uow, actor, eventSinkId);
      uow.write('delete from event_deliveries where tenant_id = $1 and sink_id = $2', [uow.tenantId, sink.id]);
      await uow.rows('delete from event_sinks where tenant_id = $1 and id = $2', [uow.tenantId, sink.id]);
      return sink;
    },

    async redeliverEvent(uow, actor, eventDeliveryId) {
      requirePermission(actor, 'eventsink.manage');
      const [seen] = await eventDeliveriesByIds(uow, actor, [eventDeliveryId]);
      if (!seen) throw notThere('event delivery', eventDeliveryId);
      await manageable(uow, actor, seen.sinkId);
      const again = await uow.rows(`${redelivering} and id = $3 and sink_id = $4 returning id`, [
        uow.tenantId,
        clock.now(),
        seen.id,
        seen.sinkId,
      ]);
      if (again.length === 0) throw new InvalidStateError('the event was not given up: it is under way already');
      countDeliveries(uow, seen.sinkId);
      return (await eventDeliveriesByIds(uow, actor, [eventDeliveryId]))[0]!;
    },

    async redeliverEvents(uow, actor, eventSinkId) {
      const { id } = await manageable(uow, actor, eventSinkId);
      const dead = await uow.rows<{ id: string }>(
        `select id from event_deliveries where tenant_id = $1 and sink_id = $2 and status = 'dead_lettered' order by dead_lettered_at, id limit $3`,
        [uow.tenantId, id, sinkLimits.redelivered + 1],
      );
      const oldest = dead.slice(0, sinkLimits.redelivered).map((each) => each.id);
      if (oldest.length > 0) {
        uow.write(`${redelivering} and sink_id = $3 and id = any($4::uuid[])`, [uow.tenantId, clock.now(), id, oldest]);
        countDeliveries(uow, id);
      }
      return { eventSink: await reread(uow, actor, id), redelivering: oldest.length, hasMore: dead.length > oldest.length };
    },

    eventSinksByIds,
    listEventSinks,
    eventDeliveriesByIds,
    eventDeliveriesOf,
    healthOfSinks: (uow, sinkIds) => healthOfSinks(uow, clock, sinkIds),
    eventBusHealth: (uow, actor) => eventBusHealth(uow, clock, actor),
  };
}

const redelivering = `update event_deliveries set status = 'redelivering', attempts = 0, first_attempt_at = null, next_attempt_at = $2,
  dead_lettered_at = null where tenant_id = $1 and status = 'dead_lettered'`;

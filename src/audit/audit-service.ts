// The record of what people and machines changed through the API: one event for each mutation that changed something, in the mutation's
// own transaction; of what changed by itself; and the stream of them. The only writer of audit_events, which nobody may change or delete.
import type { EventService } from '../events/event-service.ts';
import type { Hints } from '../events/hints.ts';
import type { LiveFeed } from '../events/live-feed.ts';
import type { LiveBatch, LiveStream, Watcher } from '../events/live-stream.ts';
import { orderedStream } from '../events/ordered-stream.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { newIdAt } from '../platform/ids.ts';
import type { Authority, Place } from '../authority/permission.ts';
import type { Origin, Subject } from './audit.ts';
import {
  auditEventsAfter,
  auditEventsByIds,
  lastAuditPosition,
  listAuditEvents,
  matchesAuditFilter,
  maySeeAudit,
  positionOfAudit,
  type AuditFilter,
  type AuditRow,
  type PlacedAuditRow,
} from './audit-reads.ts';

export interface AuditEntry {
  /** Name of the mutation, or of what happened by itself. */
  readonly action: string;
  readonly subject: Subject | null;
  readonly beforeDigest: string | null;
  readonly afterDigest: string | null;
  /** By which reading it is permitted. */
  readonly place: Place;
  readonly origin: Origin;
}

export interface AuditBatch extends LiveBatch {
  readonly events: readonly AuditRow[];
}

export interface AuditService {
  /** Travels with the commit: the change and its record are one. Nobody (`actor` null) did what Signalbox does by itself. */
  record(uow: UnitOfWork, actor: Pick<Authority, 'principalId'> | null, entry: AuditEntry): void;
  readonly auditEventsByIds: typeof auditEventsByIds;
  readonly listAuditEvents: typeof listAuditEvents;
  readonly maySeeAudit: typeof maySeeAudit;
  /** In commit order, each once; begins with nothing. */
  watch(watcher: Watcher, filter: AuditFilter): LiveStream<AuditBatch>;
}

interface AuditDependencies {
  readonly clock: Clock;
  readonly events: Pick<EventService, 'epoch' | 'isAhead'>;
  readonly feed: Pick<LiveFeed, 'other'>;
  readonly hints: Pick<Hints, 'wake'>;
}

const topic = 'audit';

export function createAuditService({ clock, events, feed, hints }: AuditDependencies): AuditService {
  return {
    auditEventsByIds,
    listAuditEvents,
    maySeeAudit,

    record(uow, actor, { action, subject, beforeDigest, afterDigest, place, origin }) {
      const { projectId = null, environmentId = null, teamId = null } = place;
      const now = clock.now();
      uow.write(
        `insert into audit_events (id, tenant_id, principal_id, action, subject_type, subject_id, subject_name, project_id, environment_id,
           team_id, before_digest, after_digest, address, user_agent, trace_id, occurred_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
        [
          ...[newIdAt(now), uow.tenantId, actor?.principalId ?? null, action, subject?.type ?? null, subject?.id ?? null],
          ...[
            subject?.name ?? null,
            projectId,
            environmentId,
            teamId,
            beforeDigest,
            afterDigest,
            origin.address,
            origin.userAgent,
            origin.traceId,
            now,
          ],
        ],
      );
      const { tenantId } = uow;
      uow.afterCommit(() => hints.wake(tenantId, topic));
    },

    watch(watcher, filter) {
      const source = { read: auditEventsAfter, positionOf: positionOfAudit };
      return orderedStream<PlacedAuditRow, AuditRow, AuditBatch>(
        { watcher, events },
        {
          ...source,
          kind: 'audit',
          last: lastAuditPosition,
          watch: (after) => feed.other(watcher.authority.tenantId, topic, source, after, watcher.signal),
          itemsOf: (rows) => rows.filter((row) => maySeeAudit(watcher.authority, row) && matchesAuditFilter(row, filter)),
          batchOf: (seen, place) => ({ events: seen, ...place }),
        },
      );
    },
  };
}

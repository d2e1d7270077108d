// Audit events: list and watch.
import { auditFilterOf, AuditEventBatch, AuditEventConnection, AuditEventFilter } from '#schema/audit.ts';
import { builder } from '#schema/builder.ts';
import { connectionOf, paged } from '#schema/connection.ts';
import { subscription } from '#schema/subscription.ts';

builder.queryField('auditEvents', (t) =>
  t.field({
    type: AuditEventConnection,
    description: 'What was changed through this API where you may see it, newest first.',
    authScopes: { permission: 'audit.read' },
    ...paged({ filter: t.arg({ type: AuditEventFilter, description: 'Only these.' }) }),
    resolve: (_root, { filter, ...page }, { services, authority, read }) =>
      connectionOf(
        'auditEvents',
        read((uow) => services.audit.listAuditEvents(uow, authority, auditFilterOf(filter), page)),
      ),
  }),
);

subscription('auditTrail', {
  description: 'Audit events in the order they were committed, each exactly once: those after the cursor, or from now on.',
  type: AuditEventBatch,
  permission: 'audit.read',
  args: (t) => ({ filter: t.field({ type: AuditEventFilter, description: 'Only these.' }) }),
  after: 'Cursor of a batch; without it only what happens from now on.',
  source: (context, { filter }) => context.services.audit.watch(context, auditFilterOf(filter)),
});

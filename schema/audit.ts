// Audit events: who changed what, from where; and the stream of them.
import type { AuditRow } from '#src/audit/audit-reads.ts';
import type { AuditBatch } from '#src/audit/audit-service.ts';
import { builder } from './builder.ts';
import { connectionType } from './connection.ts';
import { globalId, globalIdOfAny, toGlobalId } from './ids.ts';
import { nodeType } from './node.ts';
import { Principal } from './principal.ts';
import { Environment, Project, Team } from './tenant.ts';

export const AuditEvent = nodeType<AuditRow>('AuditEvent', (services, uow, actor, ids) => services.audit.auditEventsByIds(uow, actor, ids));
export const AuditEventConnection = connectionType(AuditEvent);
AuditEvent.implement({
  description:
    'A mutation that changed something, or something that Signalbox changed by itself. Written in the same transaction as the change; never altered, never deleted.',
  fields: (t) => ({
    action: t.exposeString('action', {
      description:
        'Name of the mutation, such as `createPolicy`; or `fallBackPolicy`, which nobody asks for: a rollout that denied too much.',
    }),
    principal: t.field({
      type: Principal,
      nullable: true,
      description:
        'Who did it; null when you may not see who, when it was somebody of another tenant (who created this one), or Signalbox itself.',
      resolve: (row) => row.principalId,
    }),
    principalId: t.id({
      nullable: true,
      description: 'Id of who did it; null for Signalbox itself.',
      resolve: ({ principalId }) => principalId && toGlobalId('Principal', principalId),
    }),
    subjectType: t.exposeString('subjectType', {
      nullable: true,
      description: 'Type of what it changed, such as `Policy`; null for several things at once.',
    }),
    subjectId: t.id({
      nullable: true,
      description: 'Id of what it changed, as `node` takes it; null for several things, and for what has no id.',
      resolve: ({ subjectType, subjectId }) => (subjectType && subjectId ? toGlobalId(subjectType, subjectId) : null),
    }),
    subjectName: t.exposeString('subjectName', {
      nullable: true,
      description: 'What it was called then; the full name of a tool, which has no id; null for what has no name.',
    }),
    project: t.field({
      type: Project,
      nullable: true,
      description: 'Where that is; null outside of projects.',
      resolve: (row) => row.projectId,
    }),
    environment: t.field({
      type: Environment,
      nullable: true,
      description: 'Where that is; null outside of environments.',
      resolve: (row) => row.environmentId,
    }),
    team: t.field({ type: Team, nullable: true, description: 'Whose that is; null when no team’s.', resolve: (row) => row.teamId }),
    beforeDigest: t.exposeString('beforeDigest', {
      nullable: true,
      description: 'SHA-256 of the canonical JSON (RFC 8785) of the subject before; null when there was none.',
    }),
    afterDigest: t.exposeString('afterDigest', { nullable: true, description: 'The same afterwards; null when there is none any more.' }),
    address: t.exposeString('address', { nullable: true, description: 'Network address that the request came from.' }),
    userAgent: t.exposeString('userAgent', { nullable: true, description: 'What the client called itself.' }),
    traceId: t.exposeString('traceId', {
      nullable: true,
      description: 'Of the caller’s `traceparent` header (W3C Trace Context), else made for the operation.',
    }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', description: 'When.' }),
  }),
});

export const AuditEventFilter = builder.inputType('AuditEventFilter', {
  description: 'Conditions that an audit event must all satisfy.',
  fields: (t) => ({
    actions: t.stringList({ description: 'Of one of these mutations, by name.' }),
    principalId: t.id({ description: 'Of this person or machine.' }).validate(globalId('Principal')),
    subjectId: t.id({ description: 'About this thing, of any type.' }).validate(globalIdOfAny()),
    subjectName: t.string({ description: 'About what was called exactly this, such as the full name of a tool.' }),
    projectId: t.id({ description: 'In this project.' }).validate(globalId('Project')),
    traceId: t.string({ description: 'Of this trace.' }),
    since: t.field({ type: 'DateTime', description: 'At or after this moment.' }),
    until: t.field({ type: 'DateTime', description: 'Before this moment.' }),
  }),
});

/** What the service asks for instead of a typed global id. */
export function auditFilterOf(filter: typeof AuditEventFilter.$inferInput | null | undefined) {
  const { subjectId, ...rest } = filter ?? {};
  return { ...rest, ...(subjectId && { subjectType: subjectId.typename, subjectId: subjectId.id }) };
}

export const AuditEventBatch = builder.objectRef<AuditBatch>('AuditEventBatch').implement({
  description: 'Audit events in the order they were committed, with the cursor to go on from.',
  fields: (t) => ({
    events: t.field({
      type: [AuditEvent],
      description: 'May be empty: then the cursor alone has moved on.',
      // With the rights of this batch, which may be newer than those it was gathered with.
      resolve: ({ events }, _args, { services, authority }) => events.filter((row) => services.audit.maySeeAudit(authority, row)),
    }),
    cursor: t.exposeString('cursor', { description: 'Pass it as `after` to go on behind this batch.' }),
    caughtUp: t.exposeBoolean('caughtUp', { description: 'False while more history is known to follow.' }),
  }),
});

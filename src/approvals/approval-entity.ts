// The table of approvals: requests to people, and the single-use grants that approved ones are.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, oneOf, tenantTable } from '../platform/entity.ts';
import { riskClasses } from '../tools/tool.ts';
import { approvalSources, approvalStatuses, type ApprovalSubject } from './approval.ts';

export const Approval = defineEntity({
  name: 'Approval',
  tableName: 'approvals',
  ...tenantTable,
  indexes: [
    { name: 'approvals_tenant', properties: ['tenantId', 'status', 'id'] },
    { name: 'approvals_newest', properties: ['tenantId', 'id'] },
    { name: 'approvals_execution', properties: ['executionId', 'id'] },
  ],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    projectId: p.uuid(),
    environmentId: p.uuid(),
    teamId: p.uuid().nullable(),
    agentId: p.uuid(),
    executionId: p.uuid(),
    stepId: p.text(),
    itemIndex: p.integer().nullable(),
    source: oneOf('source', approvalSources),
    status: oneOf('status', approvalStatuses),
    title: p.text(),
    reason: p.text(),
    risk: oneOf('risk', riskClasses),
    subject: p.json().$type<ApprovalSubject>(),
    /** SHA-256 of the canonical JSON (RFC 8785) of the subject: what the grant is bound to. */
    digest: p.text(),
    /** The principal whose execution asks; never allowed to decide. */
    requestedBy: p.uuid(),
    createdAt: moment(),
    expiresAt: moment(),
    decidedAt: moment().nullable(),
    decidedBy: p.uuid().nullable(),
    note: p.text().nullable(),
    /** Idempotency key of the decision: the same principal repeating it gets the same answer. */
    decisionKey: p.text().nullable(),
    /** When the grant was used by a dispatch; it is never used again by another step. */
    consumedAt: moment().nullable(),
  },
});

// The table of approvals: requests to people, and the single-use grants that approved ones are.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, oneOf, tenantTable } from '../platform/entity.ts';
import { riskClasses } from '../tools/tool.ts';
import { keepApprovers } from './approver-rows.ts';
import { approvalDecisions, approvalSources, approvalStatuses, type ApprovalSubject } from './approval.ts';
import { commentKinds, type ApprovalTerms } from './approval-terms.ts';

export const Approval = defineEntity({
  name: 'Approval',
  tableName: 'approvals',
  ...tenantTable,
  // Whatever statement asks somebody else, or nobody any more: several do.
  triggers: [{ name: 'approvals_approvers', timing: 'after', events: ['insert', 'update', 'delete'], body: keepApprovers }],
  indexes: [
    // Lists ask for each status and risk by itself (src/tenants/newest-rows.ts): each is a range in the order of the list.
    { name: 'approvals_tenant', properties: ['tenantId', 'status', 'risk', 'id'] },
    { name: 'approvals_agent', properties: ['tenantId', 'agentId', 'environmentId', 'status', 'risk', 'id'] },
    { name: 'approvals_environment', properties: ['tenantId', 'environmentId', 'status', 'risk', 'id'] },
    {
      name: 'approvals_decided',
      expression:
        'create index "approvals_decided" on "approvals" ("tenant_id", "environment_id", "decided_at", "id") where "decided_at" is not null',
    },
    {
      name: 'approvals_agent_decided',
      expression:
        'create index "approvals_agent_decided" on "approvals" ("tenant_id", "agent_id", "environment_id", "decided_at", "id") where "decided_at" is not null',
    },
    {
      name: 'approvals_expired',
      expression: `create index "approvals_expired" on "approvals" ("tenant_id", "environment_id", "expires_at", "id") where status = 'expired'`,
    },
    {
      name: 'approvals_team',
      expression:
        'create index "approvals_team" on "approvals" ("tenant_id", "team_id", "status", "risk", "id") where "team_id" is not null',
    },
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
    /** Null for a call that an agent makes in a loop of its own: then `toolCallId` is set. */
    executionId: p.uuid().nullable(),
    stepId: p.text().nullable(),
    itemIndex: p.integer().nullable(),
    toolCallId: p.uuid().nullable(),
    decisionId: p.uuid().nullable(),
    source: oneOf('source', approvalSources),
    status: oneOf('status', approvalStatuses),
    title: p.text(),
    reason: p.text(),
    risk: oneOf('risk', riskClasses),
    subject: p.json().$type<ApprovalSubject>(),
    /** SHA-256 of the canonical JSON (RFC 8785) of the subject: what the grant is bound to. */
    digest: p.text(),
    /** Who may decide, in which stages, and what happens meanwhile. */
    terms: p.json().$type<ApprovalTerms>().default('{"stages":[]}'),
    /** Index of the stage whose approvers are asked. */
    stage: p.smallint().default(0),
    /** When that stage began; null for the first, which begins with the request. */
    stageAt: moment().nullable(),
    warnedAt: moment().nullable(),
    escalatedAt: moment().nullable(),
    /** Who edited the arguments before they were approved; `subject` holds what is signed, `requested` what was asked for. */
    editedBy: p.uuid().nullable(),
    editedAt: moment().nullable(),
    requested: p.json().$type<ApprovalSubject>().nullable(),
    /** Estimated cost, integer micro-USD. */
    costMicroUsd: p.bigint().nullable(),
    /** The principal whose execution asks; never allowed to decide. */
    requestedBy: p.uuid(),
    createdAt: moment(),
    expiresAt: moment(),
    decidedAt: moment().nullable(),
    decidedBy: p.uuid().nullable(),
    note: p.text().nullable(),
    /** When the grant was used by a dispatch; it is never used again by another step. */
    consumedAt: moment().nullable(),
  },
});

/**
 * Whom each pending approval asks now, a row each, to find what waits for somebody: `principal:<id>`, `role:<name>`, `team:<id>`, or
 * `anybody` where nobody is named. A trigger on approvals keeps them.
 */
export const ApprovalApprover = defineEntity({
  name: 'ApprovalApprover',
  tableName: 'approval_approvers',
  ...tenantTable,
  indexes: [
    {
      name: 'approval_approvers_team',
      expression:
        'create index "approval_approvers_team" on "approval_approvers" ("tenant_id", "approver", "team_id", "approval_id") where "team_id" is not null',
    },
  ],
  properties: {
    tenantId: p.uuid().primary(),
    approver: p.text().primary(),
    environmentId: p.uuid().primary(),
    approvalId: p.uuid().primary(),
    /** Of the approval. */
    teamId: p.uuid().nullable(),
  },
});

/** One person's word in one stage. */
export const ApprovalVote = defineEntity({
  name: 'ApprovalVote',
  tableName: 'approval_votes',
  ...tenantTable,
  properties: {
    approvalId: () => p.manyToOne(Approval).mapToPk().fieldName('approval_id').primary(),
    stage: p.smallint().primary(),
    principalId: p.uuid().primary(),
    tenantId: p.uuid(),
    /** Whose delegate voted; null for one who voted for themselves. */
    onBehalfOf: p.uuid().nullable(),
    decision: oneOf('decision', approvalDecisions),
    /** Of the subject the voter was shown. */
    digest: p.text(),
    note: p.text().nullable(),
    /** The same principal repeating the decision with it gets the same answer. */
    idempotencyKey: p.text().nullable(),
    votedAt: moment(),
  },
});

/** For a period somebody else decides in one's place. */
export const ApprovalDelegation = defineEntity({
  name: 'ApprovalDelegation',
  tableName: 'approval_delegations',
  ...tenantTable,
  indexes: [
    { name: 'approval_delegations_from', properties: ['tenantId', 'fromPrincipalId', 'id'] },
    { name: 'approval_delegations_to', properties: ['tenantId', 'toPrincipalId', 'id'] },
  ],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    fromPrincipalId: p.uuid(),
    toPrincipalId: p.uuid(),
    startsAt: moment(),
    endsAt: moment(),
    reason: p.text(),
    createdBy: p.uuid(),
    createdAt: moment(),
    revokedAt: moment().nullable(),
  },
});

/** What was said about a request, besides votes. */
export const ApprovalComment = defineEntity({
  name: 'ApprovalComment',
  tableName: 'approval_comments',
  ...tenantTable,
  indexes: [{ name: 'approval_comments_approval', properties: ['tenantId', 'approvalId', 'id'] }],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    approvalId: () => p.manyToOne(Approval).mapToPk().fieldName('approval_id'),
    kind: oneOf('kind', commentKinds),
    author: p.uuid(),
    text: p.text(),
    /** Of an edit: digests and arguments before and after. Of an answer: the question. */
    data: p.json().$type<unknown>().nullable(),
    createdAt: moment(),
  },
});

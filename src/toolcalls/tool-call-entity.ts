// Tool calls that were asked about by `authorizeToolCall`, and what became of them.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, oneOf, tenantTable } from '../platform/entity.ts';
import { toolCallStatuses } from './tool-call.ts';

export const ToolCall = defineEntity({
  name: 'ToolCall',
  tableName: 'tool_calls',
  ...tenantTable,
  indexes: [{ name: 'tool_calls_tenant', properties: ['tenantId', 'id'] }],
  uniques: [{ name: 'tool_calls_idempotency', properties: ['tenantId', 'principalId', 'idempotencyKey'] }],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    projectId: p.uuid(),
    environmentId: p.uuid(),
    teamId: p.uuid().nullable(),
    agentId: p.uuid(),
    agentVersionId: p.uuid(),
    principalId: p.uuid(),
    /** The caller's own name of its run. */
    session: p.text().nullable(),
    tool: p.text(),
    arguments: p.json().$type<unknown>(),
    status: oneOf('status', toolCallStatuses),
    /** The newest one; a call that waited was judged more than once. */
    decisionId: p.uuid(),
    reasons: p.array().columnType('text[]').default([]),
    /** Texts to put in front of what the tool gives. */
    notices: p.array().columnType('text[]').default([]),
    approvalId: p.uuid().nullable(),
    /** Not before this moment (rate limit, time window). */
    notBefore: moment().nullable(),
    idempotencyKey: p.text().nullable(),
    requestDigest: p.text(),
    createdAt: moment(),
    /** `succeeded` or `failed`, as reported. */
    outcome: p.text().nullable(),
    /** What may be handed on; null when policies refused it. */
    result: p.json().$type<unknown>().nullable(),
    /** The decision about the result, where policies look at outputs. */
    deliveryDecisionId: p.uuid().nullable(),
    isDelivered: p.boolean().nullable(),
    reportDigest: p.text().nullable(),
    reportedAt: moment().nullable(),
  },
});

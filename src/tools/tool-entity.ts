// Tools as the operator's MCP servers describe them (global, no tenant), and which description a tenant has approved.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, oneOf, tenantTable } from '../platform/entity.ts';
import { capabilities, riskClasses, type ToolAnnotations } from './tool.ts';

/** The current description of `server.name`, as last listed by the server. */
export const ToolDefinition = defineEntity({
  name: 'ToolDefinition',
  tableName: 'tool_definitions',
  properties: {
    server: p.text().primary(),
    name: p.text().primary(),
    description: p.text(),
    inputSchema: p.json().$type<Record<string, unknown>>(),
    annotations: p.json().$type<ToolAnnotations>(),
    risk: oneOf('risk', riskClasses),
    capability: oneOf('capability', capabilities),
    /** SHA-256 of the canonical JSON of name, description, input schema and annotations. */
    digest: p.text(),
    discoveredAt: moment(),
    changedAt: moment(),
  },
});

/** The digest a tenant accepts: the first one seen (approved_by null), later ones only by a person. */
export const ToolApproval = defineEntity({
  name: 'ToolApproval',
  tableName: 'tool_approvals',
  ...tenantTable,
  properties: {
    tenantId: p.uuid().primary(),
    server: p.text().primary(),
    name: p.text().primary(),
    digest: p.text(),
    approvedBy: p.uuid().nullable(),
    approvedAt: moment(),
  },
});

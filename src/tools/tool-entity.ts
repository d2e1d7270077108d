// Tools as the operator's MCP servers describe them (global, no tenant), and which description a tenant has approved;
// the MCP servers that tenants register, and their tools.
import { defineEntity, p } from '@mikro-orm/core';
import { moment, oneOf, tenantTable } from '../platform/entity.ts';
import { capabilities, riskClasses, toolCategories, type ToolAnnotations } from './tool.ts';
import { circuitStates, serverStatuses, type StoredHeader } from './remote.ts';

/** A tool as its server last listed it. */
const describedColumns = () => ({
  description: p.text(),
  inputSchema: p.json().$type<Record<string, unknown>>(),
  annotations: p.json().$type<ToolAnnotations>(),
  risk: oneOf('risk', riskClasses),
  capability: oneOf('capability', capabilities),
  /** SHA-256 of the canonical JSON of name, description, input schema and annotations. */
  digest: p.text(),
  discoveredAt: moment(),
  changedAt: moment(),
});

/** The current description of `server.name`, as last listed by the server. */
export const ToolDefinition = defineEntity({
  name: 'ToolDefinition',
  tableName: 'tool_definitions',
  properties: {
    server: p.text().primary(),
    name: p.text().primary(),
    ...describedColumns(),
  },
});

/** A streamable-HTTP MCP server of a tenant. The last columns are what runners saw of it, written without a new version. */
export const RemoteServer = defineEntity({
  name: 'RemoteServer',
  tableName: 'tool_servers',
  ...tenantTable,
  indexes: [{ name: 'tool_servers_tenant', properties: ['tenantId', 'id'] }],
  uniques: [{ name: 'tool_servers_name_unique', properties: ['tenantId', 'name'] }],
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    name: p.text(),
    url: p.text(),
    /** Values are sealed. */
    headers: p.json().$type<StoredHeader[]>(),
    timeoutMs: p.integer(),
    concurrency: p.integer(),
    enabled: p.boolean(),
    /** From 1; every change of the columns above is a new one. */
    version: p.integer(),
    createdBy: p.uuid(),
    createdAt: moment(),
    updatedAt: moment(),
    status: oneOf('status', serverStatuses),
    circuit: oneOf('circuit', circuitStates),
    lastError: p.text().nullable(),
    /** When it last answered. */
    lastSeenAt: moment().nullable(),
  },
});

/** A tool of a tenant's server, named by the server's name as tool_definitions are. */
export const RemoteTool = defineEntity({
  name: 'RemoteTool',
  tableName: 'remote_tools',
  ...tenantTable,
  properties: {
    tenantId: p.uuid().primary(),
    server: p.text().primary(),
    name: p.text().primary(),
    ...describedColumns(),
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

/** What a tenant's operators say of one tool; wins over annotations and configuration. */
export const ToolOverrideRow = defineEntity({
  name: 'ToolOverrideRow',
  tableName: 'tool_overrides',
  ...tenantTable,
  properties: {
    tenantId: p.uuid().primary(),
    server: p.text().primary(),
    name: p.text().primary(),
    risk: oneOf('risk', riskClasses).nullable(),
    category: oneOf('category', toolCategories).nullable(),
    /** Estimated cost of a call. */
    costMicroUsd: p.bigint().nullable(),
    setBy: p.uuid(),
    setAt: moment(),
  },
});

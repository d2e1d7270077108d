// Rows of tools as the service and GraphQL give them.
import { can, visibilityOf, type Authority } from '../authority/permission.ts';
import { categoryOf, type ToolCategory } from './category.ts';
import type { Capability, RiskClass, ToolAnnotations, ToolDescription, ToolStatus } from './tool.ts';

/** A tool as one tenant sees it. */
export interface ToolView extends ToolDescription {
  /** The tenant's own server; null for one of the operator's. */
  readonly serverId: string | null;
  /** First described, and last described differently. */
  readonly discoveredAt: Date;
  readonly changedAt: Date;
  readonly status: ToolStatus;
  /** The digest this tenant accepts; null before the first use. */
  readonly approvedDigest: string | null;
  /** Principal; null when the first use accepted it. */
  readonly approvedBy: string | null;
  readonly approvedAt: Date | null;
  /** What this tenant says of it instead; null where it says nothing. */
  readonly override: ToolOverrideValues | null;
}

/** What a tenant's operators say of a tool; what is null is as described. */
export interface ToolOverrideValues {
  readonly risk: RiskClass | null;
  readonly category: ToolCategory | null;
  /** Estimated cost of a call, integer micro-USD. */
  readonly costMicroUsd: number | null;
}

/** As the tenant sees it. */
export const overridden = (tool: ToolDescription, override: ToolOverrideValues | null | undefined): ToolDescription =>
  override
    ? {
        ...tool,
        ...{ risk: override.risk ?? tool.risk, category: override.category ?? tool.category },
        ...(override.costMicroUsd !== null && { costMicroUsd: override.costMicroUsd }),
      }
    : tool;

export interface DescriptionRow {
  readonly server: string;
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Record<string, unknown>;
  readonly annotations: ToolAnnotations;
  readonly risk: RiskClass;
  readonly capability: Capability;
  readonly digest: string;
  /** Of the tenant's own server; null for one of the operator's. */
  readonly serverId: string | null;
  readonly serverVersion: number | null;
  readonly serverUrl: string | null;
  readonly enabled: boolean;
}

export interface ViewRow extends DescriptionRow {
  readonly discoveredAt: string;
  readonly changedAt: string;
  readonly approvedDigest: string | null;
  readonly approvedBy: string | null;
  readonly approvedAt: string | null;
  readonly overrideRisk: RiskClass | null;
  readonly overrideCategory: ToolCategory | null;
  readonly overrideCost: number | null;
}

/** Of `tenantTools`. */
export const descriptionColumns = `d.server, d.name, d.description, d.input_schema as "inputSchema", d.annotations, d.risk, d.capability, d.digest,
  d.server_id as "serverId", d.server_version as "serverVersion", d.server_url as "serverUrl", d.enabled`;
/** The same with tool_approvals and tool_overrides of one tenant as `a` and `o`. */
export const viewColumns = `${descriptionColumns}, d.discovered_at as "discoveredAt", d.changed_at as "changedAt",
  a.digest as "approvedDigest", a.approved_by as "approvedBy", a.approved_at as "approvedAt",
  o.risk as "overrideRisk", o.category as "overrideCategory", o.cost_micro_usd::float8 as "overrideCost"`;

const ownColumns = (table: string) =>
  ['server', 'name', 'description', 'input_schema', 'annotations', 'risk', 'capability', 'digest', 'discovered_at', 'changed_at']
    .map((column) => `${table}.${column}`)
    .join(', ');

/**
 * Every tool that tenant $1 can have called, as `d`: the operator's, and those of its own servers. An operator's server hides a tenant's
 * of the same name.
 */
export const tenantTools = `(
    select ${ownColumns('o')}, null::uuid as server_id, null::int as server_version, null::text as server_url, true as enabled from tool_definitions o
    union all
    select ${ownColumns('r')}, s.id, s.version, s.url, s.enabled from remote_tools r
      join tool_servers s on s.tenant_id = r.tenant_id and s.name = r.server
      where r.tenant_id = $1 and not exists (select from tool_definitions o where o.server = r.server)
  ) d`;

export function toDescription({ serverId, serverVersion, serverUrl: url, ...row }: DescriptionRow): ToolDescription {
  const { server, name, description, inputSchema, annotations, risk, capability, digest } = row;
  const remote = serverId !== null && serverVersion !== null && url !== null ? { remote: { serverId, version: serverVersion, url } } : {};
  const category = categoryOf({ server, name, inputSchema });
  return {
    ...{ server, name, fullName: `${server}.${name}`, description, inputSchema, annotations },
    ...{ source: 'mcp', category, risk, capability, digest, ...remote },
  };
}

/** Tools are one catalogue for the whole tenant: who may read them anywhere, may read them. */
export function mayReadTools(actor: Authority): boolean {
  const seen = visibilityOf(actor, 'tool.read');
  return can(actor, 'tool.read') || seen.projectIds.length + seen.environmentIds.length + seen.teamIds.length > 0;
}

export function toView(row: ViewRow): ToolView {
  const { overrideRisk: risk, overrideCategory: category, overrideCost: costMicroUsd } = row;
  const override = risk === null && category === null && costMicroUsd === null ? null : { risk, category, costMicroUsd };
  return {
    ...overridden(toDescription(row), override),
    override,
    serverId: row.serverId,
    discoveredAt: new Date(row.discoveredAt),
    changedAt: new Date(row.changedAt),
    status: row.approvedDigest === null ? 'unseen' : row.approvedDigest === row.digest ? 'approved' : 'changed',
    approvedDigest: row.approvedDigest,
    approvedBy: row.approvedBy,
    approvedAt: row.approvedAt === null ? null : new Date(row.approvedAt),
  };
}

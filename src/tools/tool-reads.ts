// Rows of tools as the service and GraphQL give them.
import type { Capability, RiskClass, ToolAnnotations, ToolDescription, ToolStatus } from './tool.ts';

/** A tool as one tenant sees it. */
export interface ToolView extends ToolDescription {
  /** First described, and last described differently. */
  readonly discoveredAt: Date;
  readonly changedAt: Date;
  readonly status: ToolStatus;
  /** The digest this tenant accepts; null before the first use. */
  readonly approvedDigest: string | null;
  /** Principal; null when the first use accepted it. */
  readonly approvedBy: string | null;
  readonly approvedAt: Date | null;
}

export interface DescriptionRow {
  readonly server: string;
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Record<string, unknown>;
  readonly annotations: ToolAnnotations;
  readonly risk: RiskClass;
  readonly capability: Capability;
  readonly digest: string;
}

export interface ViewRow extends DescriptionRow {
  readonly discoveredAt: string;
  readonly changedAt: string;
  readonly approvedDigest: string | null;
  readonly approvedBy: string | null;
  readonly approvedAt: string | null;
}

/** Of tool_definitions as `d`. */
export const descriptionColumns = `d.server, d.name, d.description, d.input_schema as "inputSchema", d.annotations, d.risk, d.capability, d.digest`;
/** The same with tool_approvals of one tenant as `a`. */
export const viewColumns = `${descriptionColumns}, d.discovered_at as "discoveredAt", d.changed_at as "changedAt",
  a.digest as "approvedDigest", a.approved_by as "approvedBy", a.approved_at as "approvedAt"`;

export const toDescription = (row: DescriptionRow): ToolDescription => ({ ...row, fullName: `${row.server}.${row.name}` });

export function toView(row: ViewRow): ToolView {
  return {
    ...toDescription(row),
    discoveredAt: new Date(row.discoveredAt),
    changedAt: new Date(row.changedAt),
    status: row.approvedDigest === null ? 'unseen' : row.approvedDigest === row.digest ? 'approved' : 'changed',
    approvedDigest: row.approvedDigest,
    approvedBy: row.approvedBy,
    approvedAt: row.approvedAt === null ? null : new Date(row.approvedAt),
  };
}

// Approvals: statuses and the rules of deciding. Pure; time is passed in.
export const approvalStatuses = ['pending', 'approved', 'rejected', 'expired', 'cancelled'] as const;
export type ApprovalStatus = (typeof approvalStatuses)[number];

export const approvalSources = ['step', 'policy'] as const;
export type ApprovalSource = (typeof approvalSources)[number];

/** Exactly what will run (tool call) or what the approver is asked to sign (approval step); its digest is the grant. */
export interface ApprovalSubject {
  readonly tenantId: string;
  readonly executionId: string;
  readonly stepId: string;
  readonly itemIndex: number | null;
  readonly agentVersionDigest: string;
  /** Null for an approval step. */
  readonly tool: string | null;
  readonly toolDigest: string | null;
  /** The tool's arguments, or what the approval step shows. */
  readonly arguments: unknown;
  /** `policyId@version` of each policy that asked, sorted; empty for an approval step. */
  readonly policies: readonly string[];
}

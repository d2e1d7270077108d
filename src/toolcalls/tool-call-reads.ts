// Reads of tool calls: rows as GraphQL and the service need them. No rules, no writes.
import type { UnitOfWork } from '../platform/database.ts';
import { isId } from '../platform/ids.ts';
import { visibleRows } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import type { ToolCallOutcome, ToolCallStatus } from './tool-call.ts';

export interface ToolCallRow {
  readonly id: string;
  readonly projectId: string;
  readonly environmentId: string;
  readonly teamId: string | null;
  readonly agentId: string;
  readonly agentVersionId: string;
  readonly principalId: string;
  readonly session: string | null;
  readonly tool: string;
  readonly arguments: Record<string, unknown>;
  readonly status: ToolCallStatus;
  readonly decisionId: string;
  readonly reasons: readonly string[];
  readonly notices: readonly string[];
  readonly approvalId: string | null;
  readonly notBefore: Date | null;
  readonly idempotencyKey: string;
  readonly requestDigest: string;
  readonly createdAt: Date;
  readonly outcome: ToolCallOutcome | null;
  readonly result: unknown;
  readonly deliveryDecisionId: string | null;
  readonly isDelivered: boolean | null;
  readonly reportDigest: string | null;
  readonly reportedAt: Date | null;
}

type Stored = {
  [Key in keyof ToolCallRow]: ToolCallRow[Key] extends Date
    ? string
    : ToolCallRow[Key] extends Date | null
      ? string | null
      : ToolCallRow[Key];
};

export const toolCallColumns = `id, project_id as "projectId", environment_id as "environmentId", team_id as "teamId", agent_id as "agentId",
  agent_version_id as "agentVersionId", principal_id as "principalId", session, tool, arguments, status, decision_id as "decisionId", reasons,
  notices, approval_id as "approvalId", not_before as "notBefore", idempotency_key as "idempotencyKey", request_digest as "requestDigest",
  created_at as "createdAt", outcome, result, delivery_decision_id as "deliveryDecisionId", is_delivered as "isDelivered",
  report_digest as "reportDigest", reported_at as "reportedAt"`;

const moment = (text: string | null) => (text === null ? null : new Date(text));

/** Runs a statement that returns `toolCallColumns`. */
export async function toolCallRows(uow: UnitOfWork, sql: string, params: readonly unknown[]): Promise<ToolCallRow[]> {
  const rows = await uow.rows<Stored>(sql, params);
  return rows.map((row) => ({
    ...row,
    createdAt: new Date(row.createdAt),
    notBefore: moment(row.notBefore),
    reportedAt: moment(row.reportedAt),
  }));
}

/** Those of `ids` that exist and that `actor` may read, in no particular order. */
export async function toolCallsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<ToolCallRow[]> {
  const params: unknown[] = [uow.tenantId, ids.filter(isId)];
  const place = { project: 'project_id', environment: 'environment_id', team: 'team_id' } as const;
  const visible = visibleRows(actor, 'execution.read', place, params);
  return toolCallRows(
    uow,
    `select ${toolCallColumns} from tool_calls where tenant_id = $1 and id = any($2::uuid[]) and ${visible}`,
    params,
  );
}

// The row of an execution: how it comes into being, and how it is locked, with the facts of its place and agent that the gate needs.
import type { UnitOfWork } from '../platform/database.ts';
import { executionColumns, withDates, type ExecutionRow, type GateFacts, type LockedRow } from './execution-rows.ts';

const factColumns = `n.kind as "environmentKind", a.name as "agentName", a.tags as "agentTags", v.digest as "agentVersionDigest",
  e.requested_roles as "requestedRoles", t.policy_revision as "policyRevision"`;
const factJoins = `join environments n on n.id = e.environment_id join agents a on a.id = e.agent_id
  join agent_versions v on v.id = e.agent_version_id join tenants t on t.id = e.tenant_id`;

/** Locks the execution; null when it does not exist in this tenant. */
export async function lockExecution(uow: UnitOfWork, executionId: string): Promise<LockedRow | null> {
  const rows = await uow.rows<LockedRow>(
    `select e.id, e.project_id as "projectId", e.environment_id as "environmentId", e.team_id as "teamId", e.agent_id as "agentId",
       e.agent_version_id as "agentVersionId", e.status, e.last_sequence as "lastSequence", e.requested_by as "requestedBy",
       e.priority, e.admitted_at as "admittedAt", e.backlog_at is not null as "inBacklog", e.started_at as "startedAt",
       e.start_at as "startAt", e.parent_id as "parentId", e.parent_step_id as "parentStepId", e.parent_item_index as "parentItemIndex",
       e.depth, e.labels, e.approval_id as "approvalId", coalesce(e.effect_scope_id, e.id) as "effectScopeId", ${factColumns}
     from executions e ${factJoins} where e.tenant_id = $1 and e.id = $2 for update of e`,
    [uow.tenantId, executionId],
  );
  return rows[0] ?? null;
}

/** A new row with its labels, by column (of type jsonb: JSON text); null when another transaction won the race for its idempotency key. */
export async function insertExecution(
  uow: UnitOfWork,
  columns: Readonly<Record<string, unknown>>,
): Promise<(ExecutionRow & GateFacts) | null> {
  const names = Object.keys(columns);
  const rows = await uow.rows(
    `with e as (
       insert into executions (${names.join(', ')}) values (${names.map((_, index) => `$${index + 1}`).join(', ')})
       on conflict (tenant_id, idempotency_key) where idempotency_key is not null do nothing returning *), l as (
       insert into execution_labels (tenant_id, name, value, environment_id, execution_id)
       select e.tenant_id, label.key, label.value, e.environment_id, e.id from e, jsonb_each_text(e.labels) as label)
     select ${executionColumns}, ${factColumns} from e ${factJoins}`,
    names.map((name) => columns[name]),
  );
  return rows[0] ? withDates<ExecutionRow & GateFacts>(rows[0] as never) : null;
}

// Row shapes of the execution tables as SQL returns them, and their conversion. No rules.
import type { EnvironmentKind } from '../tenants/tenant.ts';
import type { AttemptStatus, ExecutionFailure, ExecutionOrigin, ExecutionStatus, StepStatus } from './execution.ts';

export interface ExecutionRow {
  readonly id: string;
  readonly projectId: string;
  readonly environmentId: string;
  readonly teamId: string | null;
  readonly agentId: string;
  readonly agentVersionId: string;
  readonly status: ExecutionStatus;
  readonly inputs: Record<string, unknown>;
  readonly output: unknown;
  readonly failure: ExecutionFailure | null;
  readonly labels: Record<string, string>;
  readonly idempotencyKey: string | null;
  readonly requestedBy: string;
  readonly lastSequence: number;
  /** 1 to 9, lower first. */
  readonly priority: number;
  /** Null while it waits for other executions of its tenant. */
  readonly admittedAt: Date | null;
  /** Set for one that was to start later. */
  readonly startAt: Date | null;
  /** The open approval that its start waits for. */
  readonly approvalId: string | null;
  readonly parentId: string | null;
  readonly parentStepId: string | null;
  readonly parentItemIndex: number | null;
  readonly depth: number;
  readonly originId: string | null;
  readonly origin: ExecutionOrigin | null;
  readonly originStepId: string | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

export interface StepRow {
  readonly executionId: string;
  readonly stepId: string;
  readonly itemIndex: number;
  readonly status: StepStatus;
  readonly attempt: number;
  readonly item: unknown;
  readonly failure: ExecutionFailure | null;
  readonly wakeAt: Date | null;
  readonly approvalId: string | null;
  readonly signal: string | null;
  readonly childId: string | null;
  /** The kill switch that keeps it from going on. */
  readonly haltedBy: string | null;
  readonly itemTotal: number | null;
  readonly itemDone: number | null;
  readonly itemFailed: number | null;
  readonly outputBytes: number;
  readonly queuedAt: Date | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

export interface AttemptRow {
  readonly executionId: string;
  readonly stepId: string;
  readonly itemIndex: number;
  readonly number: number;
  readonly status: AttemptStatus;
  readonly arguments: unknown;
  readonly failure: ExecutionFailure | null;
  readonly decisionId: string | null;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}

/** What the gate is told of an execution besides its row. */
export interface GateFacts {
  readonly environmentKind: EnvironmentKind;
  readonly agentName: string;
  readonly agentTags: readonly string[];
  readonly agentVersionDigest: string;
  readonly requestedRoles: readonly string[];
  readonly policyRevision: number;
}

/** Facts of an execution that the gate and the runner need, read under its row lock. */
export interface LockedRow extends GateFacts {
  readonly id: string;
  readonly projectId: string;
  readonly environmentId: string;
  readonly teamId: string | null;
  readonly agentId: string;
  readonly agentVersionId: string;
  readonly status: ExecutionStatus;
  readonly lastSequence: number;
  readonly requestedBy: string;
  readonly priority: number;
  readonly admittedAt: string | null;
  readonly inBacklog: boolean;
  readonly startedAt: string | null;
  readonly startAt: string | null;
  readonly parentId: string | null;
  readonly parentStepId: string | null;
  readonly parentItemIndex: number | null;
  readonly depth: number;
  readonly labels: Record<string, string>;
  readonly approvalId: string | null;
  /** What the Idempotency-Keys of its effects begin with. */
  readonly effectScopeId: string;
}

export const executionColumns = `e.id, e.project_id as "projectId", e.environment_id as "environmentId", e.team_id as "teamId",
  e.agent_id as "agentId", e.agent_version_id as "agentVersionId", e.status, e.inputs, e.output, e.failure, e.labels,
  e.idempotency_key as "idempotencyKey", e.requested_by as "requestedBy", e.last_sequence as "lastSequence",
  e.priority, e.admitted_at as "admittedAt", e.start_at as "startAt", e.approval_id as "approvalId", e.parent_id as "parentId", e.parent_step_id as "parentStepId", e.parent_item_index as "parentItemIndex", e.depth,
  e.origin_id as "originId", e.origin, e.origin_step_id as "originStepId",
  e.created_at as "createdAt", e.started_at as "startedAt", e.finished_at as "finishedAt"`;

export const stepColumns = `s.execution_id as "executionId", s.step_id as "stepId", s.item_index as "itemIndex", s.status, s.attempt, s.item,
  s.failure, s.wake_at as "wakeAt", s.approval_id as "approvalId", s.signal, s.child_id as "childId", s.halted_by as "haltedBy", s.item_total as "itemTotal", s.item_done as "itemDone",
  s.item_failed as "itemFailed", s.output_bytes as "outputBytes", s.queued_at as "queuedAt", s.started_at as "startedAt",
  s.finished_at as "finishedAt"`;

export const attemptColumns = `a.execution_id as "executionId", a.step_id as "stepId", a.item_index as "itemIndex", a.number, a.status,
  a.arguments, a.failure, a.decision_id as "decisionId", a.started_at as "startedAt", a.finished_at as "finishedAt"`;

type Raw<Row> = { readonly [Key in keyof Row]: Key extends `${string}At` ? string | null : Row[Key] };

/** Turns the columns ending in `At`, which arrive as text, into dates. */
export function withDates<Row extends object>(raw: Raw<Row>): Row {
  const row: Record<string, unknown> = { ...raw };
  for (const key of Object.keys(row)) {
    const value = row[key];
    if (key.endsWith('At') && typeof value === 'string') row[key] = new Date(value);
  }
  return row as Row;
}

// The only writer of decision records: one row for each evaluation, in the transaction that made it. Evaluates nothing.
import { hash } from 'node:crypto';
import { digestOf } from '../platform/canonical.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { newIdAt } from '../platform/ids.ts';
import { storableJson } from '../platform/json.ts';
import type { GateInput, GateVerdict, PolicyFinding } from '../rules/gate.ts';
import type { Redactor } from './redaction.ts';

/** What the decision belongs to. `stepId` and `itemIndex` are null for `execution.start`. */
export interface DecisionReference {
  readonly executionId: string | null;
  readonly stepId: string | null;
  /** Null for a step without forEach. */
  readonly itemIndex: number | null;
  readonly projectId: string;
  readonly environmentId: string;
  readonly agentId: string;
  readonly teamId: string | null;
}

export interface NewDecision {
  readonly input: GateInput;
  readonly reference: DecisionReference;
  readonly verdict: GateVerdict;
  readonly durationMicros: number;
  readonly at: Date;
}

/** Gives the new decision's id. The row travels with the next statement or the commit. */
export function recordDecision(uow: UnitOfWork, { input, reference, verdict, durationMicros, at }: NewDecision, redact: Redactor): string {
  const id = newIdAt(at);
  // The digest is of everything that was looked at: what is left out of the record can be shown to belong to it, but not be read from it.
  const seen = recordable(input);
  const { value, paths } = redact(seen.value);
  uow.write(
    `insert into decisions (id, tenant_id, project_id, environment_id, agent_id, team_id, principal_id, tool, execution_id, step_id, item_index,
       action, effect, reasons, findings, judged_by, input, redacted, input_digest, duration_micros, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::text[], $15::jsonb, $16, $17::jsonb, $18::text[], $19, $20, $21)`,
    [
      id,
      uow.tenantId,
      reference.projectId,
      reference.environmentId,
      reference.agentId,
      reference.teamId,
      input.principalId,
      input.tool?.name ?? null,
      reference.executionId,
      reference.stepId,
      reference.itemIndex,
      input.action,
      verdict.effect,
      [...verdict.reasons],
      JSON.stringify(verdict.findings),
      judgedBy(verdict.findings),
      paths.length === 0 ? seen.text : JSON.stringify(value),
      [...paths],
      digestOf(seen.value),
      durationMicros,
      at,
    ],
  );
  return id;
}

/** Names the policies that had something to say together, in whatever order: a list by policy looks for those that have it among them. */
function judgedBy(findings: readonly PolicyFinding[]): string | null {
  if (findings.length === 0) return null;
  const policies = findings.map(({ policyId }) => policyId).toSorted();
  return hash('sha256', policies.join()).slice(0, 32);
}

/** Arguments may hold characters that jsonb refuses; the digest is of what can be stored, so that it can be checked. */
function recordable(input: GateInput): { text: string; value: GateInput } {
  const text = JSON.stringify(input);
  if (!/\\u(?:0000|d[89a-f])/i.test(text)) return { text, value: input };
  const stored = storableJson(input);
  return { text: stored, value: JSON.parse(stored) as GateInput };
}

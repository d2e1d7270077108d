// What came of a call that an agent made elsewhere: judged where policies look at outputs, with their texts in front, and recorded.
import { withNotice } from '../executions/delivery.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { InvalidStateError } from '../platform/errors.ts';
import { storableJson } from '../platform/json.ts';
import type { Gate } from '../gate/gate-service.ts';
import type { GateInput } from '../rules/gate.ts';
import { toolCallColumns, toolCallRows, type ToolCallRow } from './tool-call-reads.ts';
import type { ReportToolResult } from './tool-call.ts';

export interface Reported {
  readonly toolCall: ToolCallRow;
  /** With the texts of policies in front; null when policies refuse that it is handed on. */
  readonly output: unknown;
  readonly reasons: readonly string[];
}

interface ResultDependencies {
  readonly clock: Clock;
  readonly gate: Gate;
}

export async function deliverResult(
  deps: ResultDependencies,
  uow: UnitOfWork,
  call: ToolCallRow,
  { outcome, result = null }: ReportToolResult,
  reportDigest: string,
) {
  const judgement = await judgeResult(deps, uow, call, result);
  // What was done before a kill switch was engaged is handed on: the switch stops what comes next.
  const verdict = judgement && (judgement.haltedBy ? judgement.consider({ killSwitches: [] }) : judgement.verdict);
  const isDelivered = verdict?.effect !== 'deny';
  const notices = [...call.notices, ...(verdict?.injections ?? [])];
  const output = isDelivered ? withNotice(storableJson(result), notices) : null;
  const [row] = await toolCallRows(
    uow,
    `update tool_calls set status = 'reported', outcome = $3, result = $4::jsonb, notices = $5::text[], is_delivered = $6,
       delivery_decision_id = $7, report_digest = $8, reported_at = $9, reasons = $10::text[]
     where tenant_id = $1 and id = $2 returning ${toolCallColumns}`,
    [
      ...[uow.tenantId, call.id, outcome, output, notices, isDelivered, judgement?.decisionId ?? null, reportDigest, deps.clock.now()],
      isDelivered ? [...call.reasons] : [...(verdict?.reasons ?? [])],
    ],
  );
  return reportedOf(row!);
}

/** Null where no policy looks at outputs. The call is described to the gate as it was when it was allowed. */
async function judgeResult({ clock, gate }: ResultDependencies, uow: UnitOfWork, call: ToolCallRow, result: unknown) {
  const [decision] = await uow.rows<{ input: GateInput }>('select input from decisions where tenant_id = $1 and id = $2', [
    ...[uow.tenantId, call.decisionId],
  ]);
  if (!decision) throw new InvalidStateError('the decision about this call is no longer kept; its result cannot be judged');
  const { rates: _rates, killSwitches: _switches, ...known } = decision.input;
  const input: GateInput = {
    ...{ ...known, action: 'output.deliver', arguments: call.arguments, at: clock.now().toISOString(), executionId: null },
  };
  const { projectId, environmentId, teamId, agentId } = call;
  const reference = { projectId, environmentId, teamId, agentId, executionId: null, stepId: null, itemIndex: null };
  return gate.judgeOutput(uow, input, () => result, reference);
}

export const reportedOf = (toolCall: ToolCallRow): Reported => ({
  toolCall,
  output: toolCall.isDelivered ? toolCall.result : null,
  reasons: toolCall.isDelivered ? [] : toolCall.reasons,
});

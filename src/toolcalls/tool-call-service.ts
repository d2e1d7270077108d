// Agents that run elsewhere ask before they call a tool, and say what came of it. The only writer of tool_calls. The gate judges them like
// the calls of executions; nothing is called from here.
import type { AgentService } from '../agents/agent-service.ts';
import type { ApprovalService } from '../approvals/approval-service.ts';
import { lockApproval } from '../approvals/approval-store.ts';
import { subjectDigest, type ApprovalSubject } from '../approvals/approval.ts';
import { digestOf } from '../platform/canonical.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { ForbiddenError, IdempotencyConflictError, InvalidStateError, NotFoundError, ValidationError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Logger } from '../platform/logger.ts';
import { recordDecision } from '../decisions/decision-store.ts';
import { approvalTerms, refusals } from '../rules/evaluate.ts';
import type { Gate, Judgement } from '../gate/gate-service.ts';
import { createRedactor, type Redactor } from '../decisions/redaction.ts';
import { killSwitchFacts } from '../gate/kill-switch-facts.ts';
import { requirePermission } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import { holdRules } from '../authority/rules-lock.ts';
import { classifyCall } from '../tools/classification.ts';
import type { ToolService } from '../tools/tool-service.ts';
import { gateInputOf, referenceOf, subjectOf, type Asked } from './asked-call.ts';
import { deliverResult, reportedOf, type Reported } from './tool-result.ts';
import { unjudged, type ToolCallSettings } from './unjudged.ts';
import { toolCallColumns, toolCallRows, toolCallsByIds, type ToolCallRow } from './tool-call-reads.ts';
import {
  refuseInvalidResult,
  validRequest,
  type AuthorizeToolCall,
  type ReportToolResult,
  type ToolCallStatus,
  type ValidRequest,
} from './tool-call.ts';

export interface ToolCallService {
  /** Judges the call and records it. The same key again: the same call, judged anew while it waits for an approval or a moment. */
  authorizeToolCall(uow: UnitOfWork, actor: Authority, input: AuthorizeToolCall): Promise<ToolCallRow>;
  /** What came of an allowed call; gives what may be handed on of it. Once; the same report again gives the same answer. */
  reportToolResult(uow: UnitOfWork, actor: Authority, input: ReportToolResult): Promise<Reported>;
  /**
   * In a transaction of its own after `authorizeToolCall` failed for an unexpected `cause` or took too long, which is recorded: the call is
   * refused, or goes through where settings say so.
   */
  answerUnjudged(uow: UnitOfWork, actor: Authority, input: AuthorizeToolCall, cause: unknown): Promise<ToolCallRow>;
  /** The call is not wanted any more: it is refused for good, and nobody is asked about it. Again: the same answer. */
  withdrawToolCall(uow: UnitOfWork, actor: Authority, input: { readonly toolCallId: string }): Promise<ToolCallRow>;
  readonly toolCallsByIds: typeof toolCallsByIds;
}

export interface ToolCallDependencies {
  readonly clock: Clock;
  readonly agents: Pick<AgentService, 'resolveVersionForStart'>;
  readonly tools: Pick<ToolService, 'checkToolElsewhere' | 'validateArguments'>;
  readonly gate: Gate;
  readonly approvals: ApprovalService;
  readonly redact?: Redactor | undefined;
  readonly settings?: ToolCallSettings | undefined;
  readonly logger: Pick<Logger, 'error'>;
}

const defaults: ToolCallSettings = { timeoutMs: 5_000, onError: 'deny' };

export function createToolCallService(deps: ToolCallDependencies): ToolCallService {
  const { clock, agents, tools, gate, approvals, logger, settings = defaults, redact = createRedactor([]) } = deps;
  const isOpen = (call: ToolCallRow | null) => call?.status === 'awaiting_approval' || call?.status === 'waiting';
  const bePatient = (uow: UnitOfWork) => uow.write(`set local statement_timeout = ${settings.timeoutMs}`);

  async function permitted(uow: UnitOfWork, actor: Authority, input: AuthorizeToolCall) {
    const startable = await agents.resolveVersionForStart(uow, actor, input);
    const { projectId, teamId } = startable.agent;
    const place = { projectId, environmentId: startable.environment.id, teamId };
    requirePermission(actor, 'execution.start', place);
    return { startable, place, request: validRequest(input) };
  }

  async function classified(
    uow: UnitOfWork,
    { tool }: AuthorizeToolCall,
    request: ValidRequest,
  ): Promise<Pick<Asked, 'called' | 'costMicroUsd'>> {
    const { arguments: args, costMicroUsd: own } = request;
    const checked = await tools.checkToolElsewhere(uow, tool);
    if (!checked.ok) {
      if (checked.code === 'TOOL_UNKNOWN') throw new NotFoundError(`tool: ${checked.reason}`);
      throw new InvalidStateError(`tool: ${checked.reason}`);
    }
    const problems = tools.validateArguments(checked.definition, args);
    if (problems.length > 0) {
      const path = (inner: string) => (inner === '' ? 'arguments' : inner.startsWith('[') ? `arguments${inner}` : `arguments.${inner}`);
      throw new ValidationError(problems.map((problem) => ({ ...problem, path: path(problem.path) })));
    }
    const said = checked.definition.costMicroUsd ?? null;
    const costMicroUsd = own === null || said === null ? (own ?? said) : Math.max(own, said);
    return { called: classifyCall(checked.definition, args), costMicroUsd };
  }

  /** The call of this key, under its lock; one request of a key at a time. */
  async function findByKey(uow: UnitOfWork, actor: Authority, { idempotencyKey }: AuthorizeToolCall, digest: string) {
    await uow.rows(`select pg_advisory_xact_lock(hashtextextended('tool_calls ' || $1 || ' ' || $2 || ' ' || $3, 0))`, [
      ...[uow.tenantId, actor.principalId, idempotencyKey],
    ]);
    const [found] = await toolCallRows(
      uow,
      `select ${toolCallColumns} from tool_calls where tenant_id = $1 and principal_id = $2 and idempotency_key = $3 for update`,
      [uow.tenantId, actor.principalId, idempotencyKey],
    );
    if (found && found.requestDigest !== digest) {
      throw new IdempotencyConflictError(`idempotencyKey: "${idempotencyKey}" was used before to ask about another call; take a new key`);
    }
    return found ?? null;
  }

  interface Answer {
    readonly status: ToolCallStatus;
    readonly decisionId: string;
    readonly reasons: readonly string[];
    readonly notices: readonly string[];
    readonly approvalId: string | null;
    readonly notBefore: Date | null;
  }

  /** What becomes of it: the verdict, the approval that is there or has to be asked for, the moment to wait for. */
  async function settle(uow: UnitOfWork, actor: Authority, id: string, asked: Asked, before: ToolCallRow | null, judgement: Judgement) {
    const { verdict, decisionId, haltedBy, notBefore, policyVersions } = judgement;
    const { reasons, injections = [], effect } = verdict;
    const answer = { decisionId, reasons, notices: injections, approvalId: before?.approvalId ?? null, notBefore: null };
    const approval = before?.approvalId ? await lockApproval(uow, before.approvalId) : null;
    if (approval && ['rejected', 'expired', 'cancelled'].includes(approval.status)) {
      const note = approval.note ? `: ${approval.note}` : '';
      return { ...answer, status: 'refused', reasons: [`The approval was ${approval.status}${note}`, ...reasons] } satisfies Answer;
    }
    // What a kill switch stops may be asked about again once it is released.
    if (haltedBy) return { ...answer, status: 'waiting' } satisfies Answer;
    if (effect === 'deny') {
      if (approval) await approvals.withdraw(uow, approval.id);
      return { ...answer, status: 'refused' } satisfies Answer;
    }
    if (effect === 'require_approval') {
      const subject = subjectOf(uow, id, asked, policyVersions);
      const isSame = approval?.digest === subjectDigest(subject);
      if (approval?.status === 'pending' && isSame) return { ...answer, status: 'awaiting_approval' } satisfies Answer;
      const isGranted = isSame && (approval.consumedAt !== null || (await approvals.consume(uow, approval.id, approval.digest)).ok);
      // Asked for under other policies than today's.
      if (!isGranted && approval) await approvals.withdraw(uow, approval.id);
      if (!isGranted)
        return { ...answer, status: 'awaiting_approval', approvalId: await ask(uow, actor, asked, subject, judgement) } satisfies Answer;
      judgement.granted();
    } else if (approval) await approvals.withdraw(uow, approval.id);
    if (notBefore) return { ...answer, status: 'waiting', notBefore } satisfies Answer;
    return { ...answer, status: 'allowed' } satisfies Answer;
  }

  async function ask(uow: UnitOfWork, actor: Authority, asked: Asked, subject: ApprovalSubject, { verdict, decisionId }: Judgement) {
    const { reason, expiresInMs, terms } = approvalTerms(verdict);
    const { place, startable, called, costMicroUsd } = asked;
    const approval = await approvals.request(uow, {
      ...{ ...place, agentId: startable.agent.id, source: 'policy', title: `Call ${called.name} for ${startable.agent.name}` },
      ...{ reason, expiresInMs, terms, risk: called.risk, subject, decisionId, costMicroUsd },
      requestedBy: actor.principalId,
    });
    return approval.id;
  }

  /** The answer stays; but nothing that a kill switch covers begins after it was engaged. If it has been made, it can be reported. */
  async function allowedBefore(uow: UnitOfWork, actor: Authority, asked: Asked, before: ToolCallRow): Promise<ToolCallRow> {
    const effect = gateInputOf(clock, uow, actor, asked);
    const { killSwitches = [] } = (await killSwitchFacts.load(uow))(effect);
    if (killSwitches.length === 0) return before;
    const { verdict, decisionId } = await gate.judge(uow, effect, referenceOf(asked), { isRehearsal: true });
    return { ...before, status: 'waiting', decisionId, reasons: verdict.reasons };
  }

  async function store(uow: UnitOfWork, actor: Authority, id: string, input: AuthorizeToolCall, asked: Asked, answer: Answer) {
    const { request, startable, place } = asked;
    const [row] = await toolCallRows(
      uow,
      `insert into tool_calls (id, tenant_id, project_id, environment_id, team_id, agent_id, agent_version_id, principal_id, session, tool,
         arguments, idempotency_key, request_digest, created_at, status, decision_id, reasons, notices, approval_id, not_before)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $12, $13, $14, $15, $16, $17::text[], $18::text[], $19, $20)
       on conflict (id) do update set status = excluded.status, decision_id = excluded.decision_id, reasons = excluded.reasons,
         notices = excluded.notices, approval_id = excluded.approval_id, not_before = excluded.not_before
       returning ${toolCallColumns}`,
      [
        ...[id, uow.tenantId, place.projectId, place.environmentId, place.teamId, startable.agent.id, startable.version.id],
        ...[actor.principalId, request.session, input.tool, JSON.stringify(request.arguments), input.idempotencyKey, request.digest],
        ...[clock.now(), answer.status, answer.decisionId, [...answer.reasons], [...answer.notices], answer.approvalId, answer.notBefore],
      ],
    );
    return row!;
  }

  /** Locked; only the one who asked has anything to say of it. */
  async function own(uow: UnitOfWork, actor: Authority, id: string, deed: string): Promise<ToolCallRow> {
    const [seen] = await toolCallsByIds(uow, actor, [id]);
    if (!seen) throw new NotFoundError(`there is no tool call "${id.slice(0, 80)}"`);
    if (seen.principalId !== actor.principalId) throw new ForbiddenError(`only the one who asked about a call ${deed}`);
    const sql = `select ${toolCallColumns} from tool_calls where tenant_id = $1 and id = $2 for update`;
    return (await toolCallRows(uow, sql, [uow.tenantId, seen.id]))[0]!;
  }

  return {
    toolCallsByIds,

    async authorizeToolCall(uow, actor, input) {
      bePatient(uow);
      holdRules(uow);
      const { request, ...where } = await permitted(uow, actor, input);
      const before = await findByKey(uow, actor, input, request.digest);
      if (before && !isOpen(before) && before.status !== 'allowed') return before;
      const asked: Asked = { request, ...where, ...(await classified(uow, input, request)) };
      if (before?.status === 'allowed') return allowedBefore(uow, actor, asked, before);
      const id = before?.id ?? newId();
      const judgement = await gate.judge(uow, gateInputOf(clock, uow, actor, asked), referenceOf(asked), { holder: id });
      return store(uow, actor, id, input, asked, await settle(uow, actor, id, asked, before, judgement));
    },

    async answerUnjudged(uow, actor, input, cause) {
      logger.error({ err: cause, tenantId: uow.tenantId, agentId: input.agentId, tool: input.tool }, 'a tool call could not be judged');
      bePatient(uow);
      const { request, ...where } = await permitted(uow, actor, input);
      const before = await findByKey(uow, actor, input, request.digest);
      if (before && !isOpen(before)) return before;
      const asked: Asked = { request, ...where, ...(await classified(uow, input, request)) };
      const effect = gateInputOf(clock, uow, actor, asked);
      const known = { ...effect, ...(await killSwitchFacts.load(uow))(effect) };
      const answer = unjudged(settings, asked.called.risk, { isNew: before === null, refused: refusals(known), cause });
      const { effect: outcome, reasons } = answer;
      const record = { input: known, reference: referenceOf(asked), durationMicros: 0, at: clock.now() };
      const decisionId = recordDecision(uow, { ...record, verdict: { effect: outcome, reasons, findings: [] } }, redact);
      const approvalId = before?.approvalId ?? null;
      // Nobody is asked about what is refused anyway.
      if (approvalId !== null) await approvals.withdraw(uow, approvalId);
      return store(uow, actor, before?.id ?? newId(), input, asked, { ...answer, decisionId, notices: [], approvalId, notBefore: null });
    },

    async withdrawToolCall(uow, actor, { toolCallId }) {
      bePatient(uow);
      const call = await own(uow, actor, toolCallId, 'withdraws it');
      if (call.status === 'refused') return call;
      if (!isOpen(call)) throw new InvalidStateError(`the call is ${call.status}: it may have been made, so report what came of it`);
      if (call.approvalId !== null) await approvals.withdraw(uow, call.approvalId);
      const [withdrawn] = await toolCallRows(
        uow,
        `update tool_calls set status = 'refused', not_before = null, reasons = $3::text[] where tenant_id = $1 and id = $2 returning ${toolCallColumns}`,
        [uow.tenantId, call.id, ['Whoever asked has withdrawn it.']],
      );
      return withdrawn!;
    },

    async reportToolResult(uow, actor, input) {
      bePatient(uow);
      holdRules(uow);
      const call = await own(uow, actor, input.toolCallId, 'reports what came of it');
      refuseInvalidResult(input);
      const result = input.result ?? null;
      const reportDigest = digestOf({ outcome: input.outcome, result });
      if (call.status === 'reported') {
        if (call.reportDigest === reportDigest) return reportedOf(call);
        throw new InvalidStateError('another result of this call was reported before; it stays');
      }
      if (call.status !== 'allowed') {
        throw new InvalidStateError(`the call is ${call.status}: it must not have been made, so there is nothing to report`);
      }
      return deliverResult(deps, uow, call, input, reportDigest);
    },
  };
}

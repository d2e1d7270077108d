// Starting and cancelling executions. What happens in between is the runner's (src/runner) through transition.ts.
import type { Definition } from '../agents/definition.ts';
import type { ApprovalService } from '../approvals/approval-service.ts';
import type { EventService } from '../events/event-service.ts';
import { enqueue } from '../jobs/jobs.ts';
import { digestOf } from '../platform/canonical.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { IdempotencyConflictError, InvalidStateError, NotFoundError, ValidationError, type Problem } from '../platform/errors.ts';
import { isId, newId } from '../platform/ids.ts';
import { storableJson } from '../platform/json.ts';
import { compileSchema, type Validate } from '../platform/json-schema.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { requirePermission } from '../principals/authorize.ts';
import { rolesAt, type Authority } from '../principals/permission.ts';
import type { Gate } from '../policies/gate-service.ts';
import { gateInput, referenceOf } from './dispatch.ts';
import { attemptsOf, executionsByIds, listExecutions, outputsOf } from './execution-reads.ts';
import type { ExecutionRow } from './execution-rows.ts';
import { lockExecution } from './execution-store.ts';
import { decide } from './machine.ts';
import { newState } from './machine-state.ts';
import { itemPages, stepViews } from './step-reads.ts';
import { beginTransition, loadPlan } from './transition.ts';

export interface StartExecution {
  readonly agentId: string;
  readonly environmentId: string;
  /** A named version instead of the live one; it must be or have been deployed to the environment. */
  readonly version?: string | null | undefined;
  readonly inputs?: unknown;
  readonly labels?: unknown;
  /** Same key and same request: the same execution. Same key, another request: IdempotencyConflictError. */
  readonly idempotencyKey?: string | null | undefined;
}

export interface ExecutionService {
  /** Validates, records and enqueues; acknowledged means durable. */
  startExecution(uow: UnitOfWork, actor: Authority, input: StartExecution): Promise<ExecutionRow>;
  /** Ends an execution that is not final; running effects get an abort signal, open approvals are withdrawn. */
  cancelExecution(
    uow: UnitOfWork,
    actor: Authority,
    input: { executionId: string; reason?: string | null | undefined },
  ): Promise<ExecutionRow>;
  /** The execution when it exists and `actor` may read it, else NotFoundError. */
  getExecution(uow: UnitOfWork, actor: Authority, executionId: string): Promise<ExecutionRow>;
  readonly executionsByIds: typeof executionsByIds;
  readonly listExecutions: typeof listExecutions;
  // Parts of executions that the caller has authorised, batched.
  readonly stepViews: typeof stepViews;
  readonly itemPages: typeof itemPages;
  readonly outputsOf: typeof outputsOf;
  readonly attemptsOf: typeof attemptsOf;
}

/** What starting needs to know of agents; AgentService has it. */
export interface StartableAgents {
  resolveVersionForStart(
    uow: UnitOfWork,
    actor: Authority,
    request: { agentId: string; environmentId: string; version?: string | null | undefined },
  ): Promise<{
    agent: { id: string; projectId: string; teamId: string | null };
    version: { id: string; digest: string; definition: Definition };
    environment: { id: string };
  }>;
}

export interface ExecutionDependencies {
  readonly clock: Clock;
  readonly agents: StartableAgents;
  readonly gate: Gate;
  readonly approvals: ApprovalService;
  readonly events: EventService;
}

export const maxLabels = 32;
export const maxLabelLength = 256;
export const maxInputBytes = 1024 * 1024;
const maxKeyLength = 200;
const maxReasonLength = 1_000;
const validators = new Map<string, Validate>();

export function createExecutionService(deps: ExecutionDependencies): ExecutionService {
  const { clock, agents, gate, events } = deps;

  async function getExecution(uow: UnitOfWork, actor: Authority, executionId: string): Promise<ExecutionRow> {
    const [row] = isId(executionId) ? await executionsByIds(uow, actor, [executionId]) : [];
    if (!row) throw new NotFoundError(`there is no execution "${executionId.slice(0, 80)}"`);
    return row;
  }

  /** The execution that already answers this key, if any. */
  async function startedBefore(uow: UnitOfWork, actor: Authority, key: string, requestDigest: string): Promise<ExecutionRow | null> {
    const [found] = await uow.rows<{ id: string; requestDigest: string }>(
      'select id, request_digest as "requestDigest" from executions where tenant_id = $1 and idempotency_key = $2',
      [uow.tenantId, key],
    );
    if (!found) return null;
    const [row] = found.requestDigest === requestDigest ? await executionsByIds(uow, actor, [found.id]) : [];
    if (row) return row;
    throw new IdempotencyConflictError(`idempotencyKey: "${key}" was used before to start something else; take a new key`);
  }

  return {
    getExecution,
    executionsByIds,
    listExecutions,
    stepViews,
    itemPages,
    outputsOf,
    attemptsOf,

    async startExecution(uow, actor, input) {
      const request = validated(input);
      const { idempotencyKey } = request;
      if (idempotencyKey !== null) {
        const before = await startedBefore(uow, actor, idempotencyKey, request.digest);
        if (before) return before;
      }
      const { agent, version } = await agents.resolveVersionForStart(uow, actor, input);
      const place = { projectId: agent.projectId, environmentId: input.environmentId, teamId: agent.teamId };
      requirePermission(actor, 'execution.start', place);
      const problems = inputValidator(version)(request.inputs, 'inputs');
      if (problems.length > 0) throw new ValidationError(problems);

      const id = newId();
      const inserted = await uow.rows(
        `insert into executions (id, tenant_id, project_id, environment_id, team_id, agent_id, agent_version_id, status, inputs, labels,
           idempotency_key, request_digest, requested_by, requested_roles, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, 'queued', $8::jsonb, $9::jsonb, $10, $11, $12, $13::text[], $14)
         on conflict (tenant_id, idempotency_key) do nothing returning id`,
        [
          id,
          uow.tenantId,
          place.projectId,
          place.environmentId,
          place.teamId,
          agent.id,
          version.id,
          storableJson(request.inputs),
          storableJson(request.labels),
          idempotencyKey,
          request.digest,
          actor.principalId,
          rolesAt(actor, place),
          clock.now(),
        ],
      );
      // Lost a race for the key: whoever won has committed by now.
      if (inserted.length === 0) return (await startedBefore(uow, actor, idempotencyKey!, request.digest))!;
      const row = (await lockExecution(uow, id))!;
      const plan = await loadPlan(uow, version.id);
      const context = { uow, row, plan };
      const effect = { action: 'execution.start', tool: null, arguments: request.inputs } as const;
      await gate.judge(uow, gateInput(clock, context, effect), referenceOf(context), row);
      const queued = decide(plan, newState(), { type: 'queue', requestedBy: actor.principalId }, clock.now().getTime());
      if (!queued.ok) throw new Error(queued.reason);
      await events.append(uow, id, 1, queued.events);
      await uow.rows('update executions set last_sequence = $3 where tenant_id = $1 and id = $2', [
        uow.tenantId,
        id,
        queued.state.lastSequence,
      ]);
      await enqueue(uow, [{ name: 'run-execution', payload: { tenantId: uow.tenantId, executionId: id } }]);
      return getExecution(uow, actor, id);
    },

    async cancelExecution(uow, actor, { executionId, reason }) {
      const execution = await getExecution(uow, actor, executionId);
      requirePermission(actor, 'execution.cancel', execution);
      if (reason && reason.length > maxReasonLength) {
        throw new ValidationError([{ path: 'reason', message: `must have at most ${maxReasonLength} characters, has ${reason.length}` }]);
      }
      if (reason && !isStorableText(reason)) throw new ValidationError([{ path: 'reason', message: unstorableText }]);
      const transition = (await beginTransition(deps, uow, executionId, []))!;
      const refusal = await transition.run({ type: 'cancel', reason: reason ?? '', cancelledBy: actor.principalId });
      if (refusal !== null) throw new InvalidStateError(`${refusal}; only an execution that has not ended can be cancelled`);
      await transition.save();
      return getExecution(uow, actor, executionId);
    },
  };
}

interface ValidRequest {
  readonly inputs: unknown;
  readonly labels: Record<string, string>;
  readonly idempotencyKey: string | null;
  /** Digest of all that the request asks for. */
  readonly digest: string;
}

function validated(input: StartExecution): ValidRequest {
  const problems: Problem[] = [];
  const inputs = input.inputs ?? {};
  const bytes = Buffer.byteLength(JSON.stringify(inputs));
  if (bytes > maxInputBytes) problems.push({ path: 'inputs', message: `${bytes} bytes of JSON; at most ${maxInputBytes} are taken` });
  if (JSON.stringify(inputs) !== storableJson(inputs)) {
    problems.push({ path: 'inputs', message: 'holds the character U+0000 or a lone surrogate, which cannot be stored; remove it' });
  }
  const labels = labelsOf(input.labels ?? {}, problems);
  const key = input.idempotencyKey ?? null;
  if (key !== null && (key.length < 1 || key.length > maxKeyLength)) {
    problems.push({ path: 'idempotencyKey', message: `must have 1 to ${maxKeyLength} characters, has ${key.length}` });
  }
  if (!isStorableText(key ?? '')) problems.push({ path: 'idempotencyKey', message: unstorableText });
  if (problems.length > 0) throw new ValidationError(problems);
  const { agentId, environmentId, version = null } = input;
  return { inputs, labels, idempotencyKey: key, digest: digestOf({ agentId, environmentId, version, inputs, labels }) };
}

function labelsOf(value: unknown, problems: Problem[]): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push({ path: 'labels', message: 'must be an object of texts', expected: '{ "team": "payments" }' });
    return {};
  }
  const entries = Object.entries(value);
  if (entries.length > maxLabels) problems.push({ path: 'labels', message: `at most ${maxLabels} labels, got ${entries.length}` });
  for (const [name, label] of entries) {
    if (!/^[A-Za-z0-9][A-Za-z0-9_./-]{0,62}$/.test(name)) {
      problems.push({
        path: `labels.${name.slice(0, 80)}`,
        message: 'a label name is 1 to 63 letters, digits or "_./-", starting with a letter or digit',
      });
    }
    if (typeof label !== 'string' || label.length > maxLabelLength || label !== label.toWellFormed() || label.includes('\0')) {
      problems.push({ path: `labels.${name.slice(0, 80)}`, message: `must be a text of at most ${maxLabelLength} characters` });
    }
  }
  return value as Record<string, string>;
}

function inputValidator({ id, definition }: { id: string; definition: Definition }): Validate {
  let validate = validators.get(id);
  if (!validate) {
    validate = compileSchema(definition.inputs, { at: 'inputs' });
    if (validators.size >= 500) validators.delete(validators.keys().next().value!);
    validators.set(id, validate);
  }
  return validate;
}

// What a request to start an execution must be: every problem at once, and the digest that its idempotency key stands for.
import { digestOf } from '../platform/canonical.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { IdempotencyConflictError, ValidationError, type Problem } from '../platform/errors.ts';
import { storableJson } from '../platform/json.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import type { Authority } from '../authority/permission.ts';
import { defaultPriority, lowestPriority } from './admission.ts';
import { executionsByIds } from './execution-reads.ts';
import type { ExecutionRow } from './execution-rows.ts';

export interface StartExecution {
  readonly agentId: string;
  readonly environmentId: string;
  /** A named version instead of the live one; it must be or have been deployed to the environment. */
  readonly version?: string | null | undefined;
  readonly inputs?: unknown;
  readonly labels?: unknown;
  /** Not before this moment. */
  readonly startAt?: Date | null | undefined;
  /** 1 to 9, lower first; 5 when absent. */
  readonly priority?: number | null | undefined;
  /** Same key and same request: the same execution. Same key, another request: IdempotencyConflictError. */
  readonly idempotencyKey?: string | null | undefined;
}

export const maxLabels = 32;
export const maxLabelLength = 256;
export const maxInputBytes = 1024 * 1024;
const maxKeyLength = 200;
const maxAheadMs = 366 * 86_400_000;

export interface ValidStart {
  readonly inputs: unknown;
  readonly labels: Record<string, string>;
  readonly idempotencyKey: string | null;
  readonly startAt: Date | null;
  readonly priority: number;
  /** Digest of all that the request asks for. */
  readonly digest: string;
  /** Its moment has passed: refused, unless its key has started it already. */
  readonly overdue: Problem | null;
}

export function validatedStart(input: StartExecution, now: Date): ValidStart {
  const problems: Problem[] = [];
  const inputs = input.inputs ?? {};
  problems.push(...inputProblems(inputs));
  const labels = labelsOf(input.labels ?? {}, problems);
  const key = input.idempotencyKey ?? null;
  problems.push(...keyProblems(key));
  const startAt = input.startAt ?? null;
  const overdue =
    startAt && startAt <= now
      ? { path: 'startAt', message: `${startAt.toISOString()} has passed`, expected: 'a moment to come, or none' }
      : null;
  if (startAt && startAt.getTime() > now.getTime() + maxAheadMs) {
    problems.push({ path: 'startAt', message: `${startAt.toISOString()} is too far ahead`, expected: 'at most 366 days from now' });
  }
  const priority = input.priority ?? defaultPriority;
  if (!Number.isInteger(priority) || priority < 1 || priority > lowestPriority) {
    problems.push({
      path: 'priority',
      message: `${priority} is out of range`,
      expected: `a whole number from 1 (first) to ${lowestPriority}`,
    });
  }
  if (problems.length > 0) throw new ValidationError(overdue ? [...problems, overdue] : problems);
  const { agentId, environmentId, version = null } = input;
  const asked = {
    ...{ agentId, environmentId, version, inputs, labels },
    ...(startAt && { startAt: startAt.toISOString() }),
    // Left out where it is the default, so that keys of before there were priorities keep their meaning.
    ...(priority !== defaultPriority && { priority }),
  };
  return { inputs, labels, idempotencyKey: key, startAt, priority, digest: digestOf(asked), overdue };
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

export function inputProblems(inputs: unknown): Problem[] {
  const problems: Problem[] = [];
  const text = JSON.stringify(inputs);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxInputBytes) problems.push({ path: 'inputs', message: `${bytes} bytes of JSON; at most ${maxInputBytes} are taken` });
  if (text !== storableJson(inputs)) {
    problems.push({ path: 'inputs', message: 'holds the character U+0000 or a lone surrogate, which cannot be stored; remove it' });
  }
  return problems;
}

export function keyProblems(key: string | null): Problem[] {
  if (key === null) return [];
  if (!isStorableText(key)) return [{ path: 'idempotencyKey', message: unstorableText }];
  if (key.length >= 1 && key.length <= maxKeyLength) return [];
  return [{ path: 'idempotencyKey', message: `must have 1 to ${maxKeyLength} characters, has ${key.length}` }];
}

/** The execution that already answers this key, if any; IdempotencyConflictError when it was used for something else. */
export async function startedBefore(uow: UnitOfWork, actor: Authority, key: string, requestDigest: string): Promise<ExecutionRow | null> {
  const [found] = await uow.rows<{ id: string; requestDigest: string }>(
    'select id, request_digest as "requestDigest" from executions where tenant_id = $1 and idempotency_key = $2',
    [uow.tenantId, key],
  );
  if (!found) return null;
  const [row] = found.requestDigest === requestDigest ? await executionsByIds(uow, actor, [found.id]) : [];
  if (row) return row;
  throw new IdempotencyConflictError(`idempotencyKey: "${key}" was used before to start something else; take a new key`);
}

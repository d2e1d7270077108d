// Calls that agents make in loops of their own and ask about first: statuses, limits, and what a request must be. Pure; no I/O.
import { digestOf } from '../platform/canonical.ts';
import { ValidationError, type Problem } from '../platform/errors.ts';
import { storableJson } from '../platform/json.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { costProblems, splitToolName } from '../tools/tool.ts';

export const toolCallStatuses = ['allowed', 'refused', 'awaiting_approval', 'waiting', 'reported'] as const;
export type ToolCallStatus = (typeof toolCallStatuses)[number];

export const toolCallOutcomes = ['succeeded', 'failed'] as const;
export type ToolCallOutcome = (typeof toolCallOutcomes)[number];

export interface AuthorizeToolCall {
  readonly agentId: string;
  readonly environmentId: string;
  /** A named version instead of the live one. */
  readonly version?: string | null | undefined;
  /** `server.name`, or `builtin.name` and `custom.name` for what the agent's own loop has. */
  readonly tool: string;
  readonly arguments?: unknown;
  /** The caller's own name of its run. */
  readonly session?: string | null | undefined;
  readonly labels?: unknown;
  /** Estimate, integer micro-USD. Of this and what operators say of the tool the higher one holds. */
  readonly costMicroUsd?: number | null | undefined;
  /** Same key and same request: the same call, judged anew while it waits. */
  readonly idempotencyKey: string;
}

export interface ReportToolResult {
  readonly toolCallId: string;
  readonly outcome: ToolCallOutcome;
  readonly result?: unknown;
}

/** Of arguments and of results, as JSON. */
export const maxBytes = 1024 * 1024;
const maxKeyLength = 200;
const maxSessionLength = 200;
const maxLabels = 32;
const maxLabelLength = 256;

export interface ValidRequest {
  readonly arguments: Record<string, unknown>;
  readonly labels: Record<string, string>;
  readonly session: string | null;
  readonly costMicroUsd: number | null;
  /** Of all that is asked for. */
  readonly digest: string;
}

export function validRequest(input: AuthorizeToolCall): ValidRequest {
  const problems: Problem[] = [];
  const args = input.arguments ?? {};
  if (!isObject(args)) problems.push({ path: 'arguments', message: 'must be an object', expected: 'all arguments by name' });
  problems.push(...jsonProblems('arguments', args));
  if (splitToolName(input.tool) === null) {
    const expected = 'server.tool, such as files.read_text_file, builtin.Bash or custom.search';
    problems.push({ path: 'tool', message: `${JSON.stringify(input.tool.slice(0, 80))} is not the name of a tool`, expected });
  }
  problems.push(...textProblems('idempotencyKey', input.idempotencyKey, maxKeyLength));
  if (input.session != null) problems.push(...textProblems('session', input.session, maxSessionLength));
  const labels = input.labels ?? {};
  const isFit = (label: unknown) => typeof label === 'string' && label.length <= maxLabelLength && isStorableText(label);
  if (!isObject(labels) || Object.keys(labels).length > maxLabels || !Object.entries(labels).every((entry) => entry.every(isFit))) {
    problems.push({
      path: 'labels',
      message: `must be an object of at most ${maxLabels} texts of at most ${maxLabelLength} characters`,
      expected: '{ "team": "payments" }',
    });
  }
  const cost = input.costMicroUsd ?? null;
  problems.push(...costProblems(cost));
  if (problems.length > 0) throw new ValidationError(problems);
  const { agentId, environmentId, version = null, tool, session = null } = input;
  return {
    ...{ arguments: args as Record<string, unknown>, labels: labels as Record<string, string>, session, costMicroUsd: cost },
    digest: digestOf({ agentId, environmentId, version, tool, session, arguments: args, labels, costMicroUsd: cost }),
  };
}

export function refuseInvalidResult({ result }: ReportToolResult): void {
  const problems = jsonProblems('result', result ?? null);
  if (problems.length > 0) throw new ValidationError(problems);
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function jsonProblems(path: string, value: unknown): Problem[] {
  const text = JSON.stringify(value) ?? 'null';
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) return [{ path, message: `${bytes} bytes of JSON; at most ${maxBytes} are taken` }];
  if (text === storableJson(value)) return [];
  return [{ path, message: 'holds the character U+0000 or a lone surrogate, which cannot be stored; remove it' }];
}

function textProblems(path: string, text: string, most: number): Problem[] {
  if (!isStorableText(text)) return [{ path, message: unstorableText }];
  if (text.length >= 1 && text.length <= most) return [];
  return [{ path, message: `must have 1 to ${most} characters, has ${text.length}` }];
}

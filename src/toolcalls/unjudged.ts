// What is answered when a call could not be judged as a whole: closed for what is risky, as configured for the rest. Pure; no I/O.
import type { RiskClass } from '../tools/tool.ts';
import type { ToolCallStatus } from './tool-call.ts';

export interface ToolCallSettings {
  /** A statement that waits longer fails: the call is not judged. */
  readonly timeoutMs: number;
  /** What becomes of calls of low and medium risk then; riskier ones are refused. */
  readonly onError: 'deny' | 'allow';
}

export interface Circumstances {
  /** Not one that has been put off, or that people have been asked about. */
  readonly isNew: boolean;
  /** What holds whatever policies say. */
  readonly refused: readonly string[];
  readonly cause: unknown;
}

export function unjudged(
  { timeoutMs, onError }: ToolCallSettings,
  risk: RiskClass,
  { isNew, refused, cause }: Circumstances,
): { readonly status: ToolCallStatus; readonly effect: 'allow' | 'deny'; readonly reasons: readonly string[] } {
  const failed = isTimeout(cause)
    ? `It could not be judged in time (a statement took longer than ${timeoutMs} ms)`
    : 'It could not be judged because of an error';
  const isMinor = risk === 'low' || risk === 'medium';
  if (isMinor && onError === 'allow' && isNew && refused.length === 0) {
    return { status: 'allowed', effect: 'allow', reasons: [`${failed}, so it is allowed (risk ${risk}, setting toolCalls.onError).`] };
  }
  return {
    status: 'refused',
    effect: 'deny',
    reasons: [`${failed}, so it is refused (risk ${risk}); ask again with another key.`, ...refused],
  };
}

/** Of Postgres: query_canceled, by statement_timeout. */
const isTimeout = (cause: unknown): boolean => typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === '57014';

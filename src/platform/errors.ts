// The one family of expected failures. Services throw these; `gateway/` alone translates them for a client.
// `message` is public: it names the field, the value and the way out. Private facts go into `details` (logged, never sent).

/** Stable codes: part of the API, never renamed. */
export const errorCodes = [
  'VALIDATION_FAILED',
  'NOT_FOUND',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'CONFLICT',
  'IDEMPOTENCY_CONFLICT',
  'INVALID_STATE',
  'INVALID_CURSOR',
  'CURSOR_EXPIRED',
  'LIMIT_EXCEEDED',
  'RATE_LIMITED',
  'SLOW_CONSUMER',
  'UNAVAILABLE',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** One thing wrong with an input: where (dotted path, and line:column in a YAML text), what, and what was expected. */
export interface Problem {
  readonly path: string;
  readonly message: string;
  readonly expected?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** A limit as the configuration calls it, what was asked for where that is known, and the most that is allowed. */
export interface Limit {
  readonly name: string;
  readonly requested?: number;
  readonly allowed: number;
}

export abstract class SignalboxError extends Error {
  abstract readonly code: ErrorCode;
  readonly details: Record<string, unknown>;
  constructor(message: string, details: Record<string, unknown> = {}) {
    super(message);
    this.name = new.target.name;
    this.details = details;
  }
}

/** The input is wrong; every problem at once. */
export class ValidationError extends SignalboxError {
  readonly code = 'VALIDATION_FAILED';
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[], message?: string) {
    super(message ?? problems.map((problem) => (problem.path ? `${problem.path}: ${problem.message}` : problem.message)).join('; '));
    this.problems = problems;
  }
}

/** Absent, or in another tenant, or not visible to the caller: the same answer for all three. */
export class NotFoundError extends SignalboxError {
  readonly code = 'NOT_FOUND';
}
export class UnauthenticatedError extends SignalboxError {
  readonly code = 'UNAUTHENTICATED';
}
/** Visible, but the caller lacks the permission that the message names. */
export class ForbiddenError extends SignalboxError {
  readonly code = 'FORBIDDEN';
}
/** A unique name, version or single decision is already taken. */
export class ConflictError extends SignalboxError {
  readonly code = 'CONFLICT';
}
/** The idempotency key was used before with another input. */
export class IdempotencyConflictError extends SignalboxError {
  readonly code = 'IDEMPOTENCY_CONFLICT';
}
/** The thing exists but its status does not permit the operation. */
export class InvalidStateError extends SignalboxError {
  readonly code = 'INVALID_STATE';
}
/** The cursor is malformed or belongs to another list or stream. */
export class InvalidCursorError extends SignalboxError {
  readonly code = 'INVALID_CURSOR';
}
/** The cursor was valid once; the history it points into no longer exists. Start again without it. */
export class CursorExpiredError extends SignalboxError {
  readonly code = 'CURSOR_EXPIRED';
}
export class LimitExceededError extends SignalboxError {
  readonly code = 'LIMIT_EXCEEDED';
  readonly limit: Limit | undefined;
  constructor(message: string, limit?: Limit) {
    super(message);
    this.limit = limit;
  }
}
/** Too much at once; after `retryAfterMs` there is room again. Nothing was done. */
export class RateLimitedError extends SignalboxError {
  readonly code = 'RATE_LIMITED';
  readonly limit: Limit;
  readonly retryAfterMs: number;
  constructor(message: string, limit: Limit, retryAfterMs: number) {
    super(message);
    this.limit = limit;
    this.retryAfterMs = retryAfterMs;
  }
}
/** Who watches reads too slowly, and is let go; it goes on behind the cursor. */
export class SlowConsumerError extends SignalboxError {
  readonly code = 'SLOW_CONSUMER';
  /** The last place it was told; null where it cannot be given. */
  readonly cursor: string | null;
  constructor(reason: string, cursor: string | null) {
    super(`${reason}; subscribe again ${cursor === null ? '' : 'with the cursor of the last batch '}and read faster, or watch less`);
    this.cursor = cursor;
  }
}
/** A dependency (database, tool server) does not answer; trying again later may help. */
export class UnavailableError extends SignalboxError {
  readonly code = 'UNAVAILABLE';
}

/** Not for clients: what hinders Signalbox from starting, and what the person who starts it can do. Shown without a stack. */
export class OperatorError extends Error {
  override readonly name: string = 'OperatorError';
}

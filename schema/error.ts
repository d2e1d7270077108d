// The shape of expected failures: one interface, one object type per error class. Unexpected ones never get a type.
import {
  ConflictError,
  CursorExpiredError,
  errorCodes,
  ForbiddenError,
  IdempotencyConflictError,
  InvalidCursorError,
  InvalidStateError,
  LimitExceededError,
  NotFoundError,
  RateLimitedError,
  UnauthenticatedError,
  UnavailableError,
  ValidationError,
  type ErrorCode,
  type Problem,
  type SignalboxError,
} from '#src/platform/errors.ts';
import { builder } from './builder.ts';

const meanings: Readonly<Record<ErrorCode, string>> = {
  VALIDATION_FAILED: 'The input is wrong; every problem is listed.',
  NOT_FOUND: 'Absent, or not visible to you: the answer is the same.',
  UNAUTHENTICATED: 'The credential is missing, wrong, expired or revoked.',
  FORBIDDEN: 'Visible to you, but you lack the permission that the message names.',
  CONFLICT: 'A unique name, version or decision is already taken.',
  IDEMPOTENCY_CONFLICT: 'The idempotency key was used before with another input.',
  INVALID_STATE: 'The thing exists, but its status does not permit the operation.',
  INVALID_CURSOR: 'The cursor is malformed or belongs to another list or stream.',
  CURSOR_EXPIRED: 'The history that the cursor points into no longer exists; start again without it.',
  LIMIT_EXCEEDED: 'A limit of this server was exceeded; the message names it.',
  RATE_LIMITED: 'Too much at once; nothing was done. Try again after the time that the answer names.',
  SLOW_CONSUMER: 'You read a live stream too slowly; subscribe again with `extensions.cursor`.',
  UNAVAILABLE: 'Something this server depends on does not answer; try again later.',
};

export const ErrorCodeEnum = builder.enumType('ErrorCode', {
  description: 'Stable codes of expected failures.',
  values: Object.fromEntries(errorCodes.map((code) => [code, { description: meanings[code] }])) as Record<
    ErrorCode,
    { description: string }
  >,
});

export const ErrorInterface = builder.interfaceRef<SignalboxError>('Error').implement({
  description: 'An expected failure. `message` is written for people: it names the field, the value and the way out.',
  fields: (t) => ({
    code: t.expose('code', { type: ErrorCodeEnum, description: 'Stable; decide by it.' }),
    message: t.exposeString('message', { description: 'For people; may change.' }),
  }),
});

export const ProblemType = builder.objectRef<Problem>('Problem').implement({
  description: 'One thing wrong with an input.',
  fields: (t) => ({
    path: t.exposeString('path', { description: 'Dotted path of the field; empty for the input as a whole.' }),
    message: t.exposeString('message', { description: 'What is wrong.' }),
    expected: t.exposeString('expected', { nullable: true, description: 'What would have been right.' }),
    line: t.exposeInt('line', { nullable: true, description: 'Line in a YAML text, from 1.' }),
    column: t.exposeInt('column', { nullable: true, description: 'Column in a YAML text, from 1.' }),
  }),
});

builder.objectType(ValidationError, {
  name: 'ValidationError',
  description: meanings.VALIDATION_FAILED,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    problems: t.field({ type: [ProblemType], description: 'Every problem found.', resolve: ({ problems }) => [...problems] }),
  }),
});

for (const [errorClass, code] of [
  [NotFoundError, 'NOT_FOUND'],
  [UnauthenticatedError, 'UNAUTHENTICATED'],
  [ForbiddenError, 'FORBIDDEN'],
  [ConflictError, 'CONFLICT'],
  [IdempotencyConflictError, 'IDEMPOTENCY_CONFLICT'],
  [InvalidStateError, 'INVALID_STATE'],
  [InvalidCursorError, 'INVALID_CURSOR'],
  [CursorExpiredError, 'CURSOR_EXPIRED'],
  [LimitExceededError, 'LIMIT_EXCEEDED'],
  [RateLimitedError, 'RATE_LIMITED'],
  [UnavailableError, 'UNAVAILABLE'],
] as const) {
  builder.objectType(errorClass, { name: errorClass.name, description: meanings[code], interfaces: [ErrorInterface] });
}

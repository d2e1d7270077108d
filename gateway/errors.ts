// The one translator of errors for clients: expected failures with code and public message, everything else as INTERNAL with a trace id.
import { GraphQLError, Kind, type GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import { newId } from '#src/platform/ids.ts';
import {
  LimitExceededError,
  RateLimitedError,
  SignalboxError,
  SlowConsumerError,
  UnavailableError,
  ValidationError,
} from '#src/platform/errors.ts';
import { isDiskFull, isTransient } from '#src/platform/transient.ts';

export type GatewayLogger = Pick<Logger, 'info' | 'warn' | 'error'>;

/** Answers to documents and variables that are wrong by themselves; graphql's message is fit for the client. */
const requestCodes = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_HASH_MISMATCH',
  'QUERY_NOT_IN_SAFELIST',
]);

export type Translate = (error: unknown) => GraphQLFormattedError;

/** With `hidesSchema`, names that exist are not suggested: graphql does so for variables, where validation has no say. */
export function createTranslator(logger: GatewayLogger, { hidesSchema = false } = {}): Translate {
  return (error) => {
    const place = error instanceof GraphQLError ? placeOf(error) : {};
    const cause = causeOf(error);
    const expected = expectedError(cause);
    if (expected) {
      if (expected !== cause) logger.warn({ err: cause, path: place.path }, 'the database did not answer an operation');
      if (Object.keys(expected.details).length > 0) logger.info({ code: expected.code, details: expected.details }, 'refused');
      return { message: expected.message, ...place, extensions: { code: expected.code, ...publicFactsOf(expected) } };
    }
    const code = requestCodeOf(error);
    if (code && error instanceof GraphQLError) {
      const message = hidesSchema ? error.message.replace(/ ?Did you mean [^?]+\?$/, '') : error.message;
      return { message, ...place, extensions: { code } };
    }
    const traceId = newId();
    logger.error({ err: cause, traceId, path: place.path }, 'unexpected error in an operation');
    return {
      message: `internal error; the operator finds it in the log by its trace id ${traceId}`,
      ...place,
      extensions: { code: 'INTERNAL', traceId },
    };
  };
}

/** What clients decide by besides the code. */
function publicFactsOf(error: SignalboxError): Record<string, unknown> {
  if (error instanceof ValidationError) return { problems: error.problems };
  if (error instanceof RateLimitedError) return { limit: error.limit, retryAfterMs: error.retryAfterMs };
  if (error instanceof SlowConsumerError && error.cursor !== null) return { cursor: error.cursor };
  return error instanceof LimitExceededError && error.limit ? { limit: error.limit } : {};
}

/** The failure a client may hear of: thrown as such, or a database that passes through a bad moment. */
export function expectedError(error: unknown): SignalboxError | undefined {
  if (error instanceof SignalboxError) return error;
  if (isDiskFull(error))
    return new UnavailableError('the disk of the database is full; nothing was changed. Free space on it, then try again');
  return isTransient(error) ? new UnavailableError('the database does not answer just now; try again in a moment') : undefined;
}

/** Of an operation that was not answered, or not wholly, for a reason that may be over in a moment. */
export const isPassing = (error: unknown): boolean => expectedError(causeOf(error)) instanceof UnavailableError;

function placeOf({ locations, path }: GraphQLError): Pick<GraphQLFormattedError, 'locations' | 'path'> {
  return { ...(locations && { locations }), ...(path && { path }) };
}

function causeOf(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;
  return cause;
}

function requestCodeOf(error: unknown): string | undefined {
  if (!(error instanceof GraphQLError)) return undefined;
  const code = error.extensions['code'];
  if (typeof code === 'string' && requestCodes.has(code)) return code;
  // What graphql finds only while executing: variables of the wrong type, and null where an argument must not be.
  const isVariable = error.message.startsWith('Variable "') && error.nodes?.[0]?.kind === Kind.VARIABLE_DEFINITION;
  const isArgument = error.message.startsWith('Argument "') && !error.originalError;
  return isVariable || isArgument ? 'BAD_USER_INPUT' : undefined;
}

/** Gives an error of graphql's parser or validation the code it has over HTTP. */
export function withCode(error: GraphQLError, code: string): GraphQLError {
  const { message, nodes, source, positions, originalError, extensions } = error;
  return new GraphQLError(message, { nodes, source, positions, originalError: originalError ?? null, extensions: { ...extensions, code } });
}

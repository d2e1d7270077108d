// The one error class of the client: everything that can go wrong, with a stable code.

/** One thing wrong with an input. */
export interface Problem {
  /** Dotted path of the field; empty for the input as a whole. */
  readonly path: string;
  readonly message: string;
  readonly expected?: string | null | undefined;
  /** In a YAML text. */
  readonly line?: number | null | undefined;
  readonly column?: number | null | undefined;
}

/** Codes of the server (`ErrorCode` in the schema, `INTERNAL`, codes of malformed requests) and the client's own. */
export type SignalboxClientErrorCode =
  | 'VALIDATION_FAILED'
  | 'NOT_FOUND'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'CONFLICT'
  | 'IDEMPOTENCY_CONFLICT'
  | 'INVALID_STATE'
  | 'INVALID_CURSOR'
  | 'CURSOR_EXPIRED'
  | 'LIMIT_EXCEEDED'
  /** Too much at once, and nothing was done: `retryAfterMs` says when there is room. Streams wait for it by themselves. */
  | 'RATE_LIMITED'
  /** Not now, and nothing was done; also when a proxy has no gateway to send the request to (503). */
  | 'UNAVAILABLE'
  /** Of a stream: it was read too slowly for too long. It is resumed with its cursor by itself. */
  | 'SLOW_CONSUMER'
  | 'INTERNAL'
  /** No answer: not reachable, connection lost, timeout, a proxy that says so (502, 504). Whether a mutation was done is unknown; its `idempotencyKey` makes it safe to repeat. */
  | 'NETWORK'
  /** An answer that is not GraphQL, such as a page of something else. */
  | 'BAD_RESPONSE'
  | (string & {});

export class SignalboxClientError extends Error {
  readonly code: SignalboxClientErrorCode;
  /** With `VALIDATION_FAILED`: every problem of the input. */
  readonly problems: readonly Problem[];
  /** With `INTERNAL`: what the operator finds in the server's log. */
  readonly traceId: string | undefined;
  /** With `RATE_LIMITED`: after so many milliseconds there is room again. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: SignalboxClientErrorCode,
    message: string,
    more: {
      problems?: readonly Problem[] | undefined;
      traceId?: string | undefined;
      retryAfterMs?: number | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'SignalboxClientError';
    this.code = code;
    this.problems = more.problems ?? [];
    this.traceId = more.traceId;
    this.retryAfterMs = more.retryAfterMs;
  }
}

/** An entry of `errors` in a GraphQL answer. */
export interface GraphQLErrorEntry {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

export function fromGraphQL([first, ...others]: readonly GraphQLErrorEntry[]): SignalboxClientError {
  const { code, problems, traceId, retryAfterMs } = first?.extensions ?? {};
  const message = [first, ...others].map((error) => error?.message).join('; ');
  return new SignalboxClientError(typeof code === 'string' ? code : 'BAD_RESPONSE', message, {
    problems: Array.isArray(problems) ? (problems as Problem[]) : undefined,
    traceId: typeof traceId === 'string' ? traceId : undefined,
    retryAfterMs: typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? retryAfterMs : undefined,
  });
}

/** The success member of a mutation's result; throws the failure that any other member is. */
export function successOf<Result extends { readonly __typename?: string | undefined }>(result: Result): SuccessOf<Result> {
  if (result.__typename?.endsWith('Success')) return result as SuccessOf<Result>;
  const { code, message, problems } = result as { code?: unknown; message?: unknown; problems?: readonly Problem[] };
  if (typeof code !== 'string' || typeof message !== 'string') {
    throw new SignalboxClientError(
      'BAD_RESPONSE',
      'the result of a mutation needs the selection `__typename ... on Error { code message } ... on ValidationError { problems { path message } }`',
    );
  }
  throw new SignalboxClientError(code, message, { problems });
}

/** The members of a result union whose name ends in `Success`. */
export type SuccessOf<Result> = Extract<Result, { readonly __typename?: `${string}Success` }>;

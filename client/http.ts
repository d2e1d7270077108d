// Queries and mutations: one POST each, never repeated by itself once it may have been executed.
import { fromGraphQL, SignalboxClientError, type GraphQLErrorEntry } from './errors.ts';
import { isUnknownHash, persistedQuery } from './persisted.ts';

export interface HttpOptions {
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  authorization(): Promise<string>;
  readonly timeoutMs: number;
  /** By hash, and with the text where that is not known. */
  readonly persisted: boolean;
}

export interface RequestOptions {
  /** Gives up the request; rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export async function post(options: HttpOptions, query: string, variables: object, given: RequestOptions): Promise<unknown> {
  const { url } = options;
  const extensions = options.persisted ? await persistedQuery(query) : undefined;
  let answer = await send(options, extensions ? { variables, extensions } : { query, variables }, given);
  if (extensions && isUnknownHash(answer.errors)) answer = await send(options, { query, variables, extensions }, given);
  const { data, errors, status } = answer;
  if (errors && errors.length > 0) throw fromGraphQL(errors);
  if (data === undefined || data === null)
    throw new SignalboxClientError('BAD_RESPONSE', `${url}: the answer has no data (HTTP ${status})`);
  return data;
}

async function send(
  { url, fetch, authorization, timeoutMs }: HttpOptions,
  body: object,
  { signal }: RequestOptions,
): Promise<Answer & { readonly status: number }> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const stop = signal ? AbortSignal.any([signal, timeout]) : timeout;
  let status: number;
  let text: string;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
        authorization: await authorization(),
      },
      body: JSON.stringify(body),
      signal: stop,
    });
    status = response.status;
    text = await response.text();
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    const why = timeout.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(cause);
    throw new SignalboxClientError('NETWORK', `${url}: ${why}`, { cause });
  }
  return { ...answerOf(text, status, url), status };
}

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLErrorEntry[];
}

/** What a proxy says in the place of a gateway that does not answer it. */
const proxyCodes: Readonly<Record<number, string>> = { 502: 'NETWORK', 503: 'UNAVAILABLE', 504: 'NETWORK' };

function answerOf(text: string, status: number, url: string): Answer {
  try {
    const answer = JSON.parse(text) as Answer | null;
    if (answer && typeof answer === 'object' && ('data' in answer || Array.isArray(answer.errors))) return answer;
  } catch {
    // not JSON: said below
  }
  throw new SignalboxClientError(
    proxyCodes[status] ?? 'BAD_RESPONSE',
    `${url}: HTTP ${status} with a body that is not a GraphQL answer: ${text.slice(0, 200)}`,
  );
}

/** `fetch` hides the reason (refused, unknown host) in the cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { message?: string; code?: string } };
  return cause?.message || cause?.code || message || 'not reachable';
}

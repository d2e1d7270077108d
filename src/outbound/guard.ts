// The outbound guard: the only way out. Bounds time and size, follows redirects hop by hop with every check again, reads no proxy variables.
import { setMaxListeners } from 'node:events';
import { Agent } from 'undici';
import { createAllowList } from './addresses.ts';
import { createConnector, createResolve, type Resolve } from './connector.ts';
import { exchange, type Exchange, type ExchangeLimits } from './exchange.ts';
import { failure, OutboundError, type Outbound, type OutboundFailure, type OutboundRequest } from './outbound.ts';
import { checkHeaders, checkMethod, checkUrl, isRedirect, redirectOf, type Hop } from './request.ts';

export interface OutboundDependencies {
  /** What the operator opened besides public addresses: `outbound.allow`. */
  readonly allow: readonly string[];
  /** Replaced by tests only. */
  readonly resolve?: Resolve | undefined;
  /** Certificates to trust besides the well-known ones, in PEM. Used by tests only. */
  readonly ca?: string | undefined;
}

const maxHeaderSize = 16_384;
const connectTimeoutMs = 10_000;
const defaultRedirects = 5;
const defaultIdleMs = 30_000;
const sessionDefaults = { headersTimeoutMs: 60_000, idleTimeoutMs: 300_000, maxBytes: 32 * 1_048_576, maxRedirects: defaultRedirects };

export function createOutbound({ allow: entries, resolve = createResolve(), ca }: OutboundDependencies): Outbound {
  const allow = createAllowList(entries);

  /** Connections of one request or one session: never shared with others, who may be other tenants. */
  function open() {
    const closing = new AbortController();
    setMaxListeners(0, closing.signal);
    const agent = new Agent({
      connect: createConnector({ allow, resolve, timeoutMs: connectTimeoutMs, signal: closing.signal, ca }),
      maxHeaderSize,
      keepAliveTimeout: 4_000,
      keepAliveMaxTimeout: 30_000,
      connectTimeout: connectTimeoutMs,
      allowH2: false,
    });
    return {
      agent,
      async close() {
        closing.abort();
        await agent.destroy();
      },
    };
  }

  return {
    async fetch(request) {
      const first = firstHop(request);
      if (!first.ok) return first;
      const connections = open();
      const time = timeLimit(request);
      const idleMs = request.idleTimeoutMs ?? defaultIdleMs;
      try {
        const { response, url } = await followed(first.hop, {
          agent: connections.agent,
          limits: { headersTimeoutMs: idleMs, idleTimeoutMs: idleMs, maxBytes: request.maxBytes },
          maxRedirects: request.maxRedirects ?? defaultRedirects,
          mayRedirect: request.mayRedirect,
          signal: time.signal,
        });
        const body = response.body ? await bytesOf(response.body) : new Uint8Array();
        return { ok: true, status: response.status, headers: plain(response.headers), body, url: url.href };
      } catch (error) {
        if (error instanceof OutboundError) return error.failure;
        throw error;
      } finally {
        time.stop();
        await connections.close();
      }
    },

    session(given = {}) {
      const { maxRedirects, ...limits } = { ...sessionDefaults, ...given };
      const connections = open();
      return {
        async fetch(url, init = {}) {
          const checked = checkUrl(String(url));
          if (!checked.ok) throw new OutboundError(checked);
          const request = new Request(checked.url, init);
          const first = firstHop({
            method: request.method,
            url: checked.url.href,
            headers: plain(request.headers),
            body: request.body ? new Uint8Array(await request.arrayBuffer()) : undefined,
          });
          if (!first.ok) throw new OutboundError(first);
          const { response } = await followed(first.hop, {
            agent: connections.agent,
            limits,
            maxRedirects: request.redirect === 'follow' ? maxRedirects : 0,
            signal: init.signal ?? new AbortController().signal,
          });
          if (request.redirect === 'error' && isRedirect(response.status)) {
            await response.discard();
            throw new OutboundError(
              failure('OUTBOUND_BAD_RESPONSE', `answered ${response.status}, and redirects are errors here`, { dispatched: true }),
            );
          }
          const { status, statusText } = response;
          return new Response(response.body, { status, statusText, headers: response.headers });
        },
        close: () => connections.close(),
      };
    },
  };
}

interface Course {
  readonly agent: Agent;
  readonly limits: ExchangeLimits;
  readonly maxRedirects: number;
  readonly mayRedirect?: OutboundRequest['mayRedirect'];
  readonly signal: AbortSignal;
}

/** The response at the end of the redirects. */
async function followed(
  first: Hop,
  { agent, limits, maxRedirects, mayRedirect, signal }: Course,
): Promise<{ response: Exchange; url: URL }> {
  let hop = first;
  for (let redirects = 0; ; redirects += 1) {
    const response = await exchange(agent, hop, limits, signal).catch((error: unknown) => {
      // The server before has seen the request, whatever became of this one.
      throw redirects > 0 && error instanceof OutboundError ? new OutboundError({ ...error.failure, dispatched: true }, error) : error;
    });
    const redirect = maxRedirects === 0 ? null : redirectOf(hop, response.status, response.headers.get('location'));
    if (!redirect) return { response, url: hop.url };
    await response.discard();
    if (!redirect.ok) throw new OutboundError(redirect);
    const { next } = redirect;
    const refusal = (code: 'OUTBOUND_DENIED' | 'OUTBOUND_BAD_RESPONSE', message: string) =>
      new OutboundError(failure(code, message, { dispatched: true }));
    if (redirects === maxRedirects) throw refusal('OUTBOUND_BAD_RESPONSE', `more than ${maxRedirects} redirects`);
    if (next.url.origin !== hop.url.origin && (await mayRedirect?.(next.url, next.method)) === false) {
      throw refusal('OUTBOUND_DENIED', `the redirect to ${next.url.origin} is refused: it is not where this request may go`);
    }
    hop = next;
  }
}

function firstHop({
  method,
  url,
  headers = {},
  body,
}: Pick<OutboundRequest, 'method' | 'url' | 'headers' | 'body'>): { ok: true; hop: Hop } | OutboundFailure {
  const checkedUrl = checkUrl(url);
  if (!checkedUrl.ok) return checkedUrl;
  const wrongMethod = checkMethod(method, body);
  if (wrongMethod) return wrongMethod;
  const checkedHeaders = checkHeaders(headers);
  if (!checkedHeaders.ok) return checkedHeaders;
  return { ok: true, hop: { url: checkedUrl.url, method, headers: checkedHeaders.headers, body } };
}

/** The request's own end, and its caller's: the signal's reason says which came first. */
function timeLimit({ timeoutMs, signal }: Pick<OutboundRequest, 'timeoutMs' | 'signal'>) {
  const controller = new AbortController();
  const end = (...failed: Parameters<typeof failure>) => controller.abort(new OutboundError(failure(...failed)));
  const cancel = () => end('CANCELLED', 'the request was cancelled');
  const timer = setTimeout(() => end('OUTBOUND_TIMEOUT', `took longer than ${timeoutMs} ms`, { retryable: true }), timeoutMs);
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  return {
    signal: controller.signal,
    stop() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    },
  };
}

async function bytesOf(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function plain(headers: Headers): Record<string, string> {
  const result = new Map<string, string>();
  for (const [name, value] of headers) result.set(name, result.has(name) ? `${result.get(name)}, ${value}` : value);
  return Object.fromEntries(result);
}

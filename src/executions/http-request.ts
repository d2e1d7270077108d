// What an http step sends: its evaluated templates as one request, checked as far as it can be without asking the network. Pure.
import type { HttpRequestDefinition } from '../agents/definition.ts';
import { failure, type OutboundFailure } from '../outbound/outbound.ts';
import { checkHeaders, checkMethod, checkUrl, hostOf, portOf } from '../outbound/request.ts';
import type { Destination } from '../rules/gate.ts';

/** Recorded, signed and judged as it stands here. */
export interface HttpRequest {
  readonly method: HttpRequestDefinition['method'];
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Text is sent as it is, anything else as JSON. */
  readonly body?: unknown;
}

interface Evaluated {
  readonly url?: unknown;
  readonly headers?: unknown;
  readonly body?: unknown;
}

/** What is wrong is the author's or the data's: never an exception. A header whose value is null or absent is left out. */
export function httpRequest(
  { method }: Pick<HttpRequestDefinition, 'method'>,
  { url, headers = {}, body }: Evaluated,
): { readonly ok: true; readonly request: HttpRequest } | OutboundFailure {
  if (typeof url !== 'string') return failure('INVALID_URL', 'url: the expression gives no text');
  const checkedUrl = checkUrl(url);
  if (!checkedUrl.ok) return checkedUrl;
  const wrong = checkMethod(method, body);
  if (wrong) return wrong;
  const given = Object.entries(headers as Record<string, unknown>).flatMap(([name, value]) => {
    if (value === null || value === undefined) return [];
    return [[name, typeof value === 'string' ? value : JSON.stringify(value)] as const];
  });
  const type = typeof body === 'string' ? 'text/plain;charset=UTF-8' : 'application/json';
  const needsType = body !== undefined && !given.some(([name]) => name.toLowerCase() === 'content-type');
  const checked = checkHeaders(Object.fromEntries(needsType ? [...given, ['content-type', type]] : given));
  if (!checked.ok) return checked;
  return { ok: true, request: { method, url: checkedUrl.url.href, headers: checked.headers, ...(body !== undefined && { body }) } };
}

export function destinationOf({ url: text, method }: Pick<HttpRequest, 'url' | 'method'>): Destination {
  const url = new URL(text);
  return { scheme: url.protocol === 'https:' ? 'https' : 'http', host: hostOf(url), port: portOf(url), method };
}

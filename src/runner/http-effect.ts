// Sends the request of an http step through the outbound guard, and says how the step ends: by status, by what came back, by what broke.
import { maxOutputBytes } from '../executions/execution.ts';
import type { HttpEffect } from '../executions/work.ts';
import type { Outbound, OutboundFailure, OutboundResponse } from '../outbound/outbound.ts';
import { hostOf, isSafe, portOf } from '../outbound/request.ts';
import type { Clock } from '../platform/clock.ts';
import { storableJson } from '../platform/json.ts';
import { coversDestination } from '../rules/destination.ts';
import type { Destination } from '../rules/gate.ts';

/** How an effect ended; its output is JSON text that can be stored. */
export type EffectOutcome =
  | { readonly ok: true; readonly output: string }
  | (Pick<OutboundFailure, 'ok' | 'message' | 'retryable' | 'dispatched'> & {
      readonly code: string;
      /** How long the server asks to be left alone; milliseconds. */
      readonly retryAfterMs?: number | undefined;
    });

export async function sendHttp(
  { outbound, clock }: { readonly outbound: Pick<Outbound, 'fetch'>; readonly clock: Clock },
  effect: HttpEffect,
  signal: AbortSignal,
  mayFollow: (to: Destination) => Promise<boolean>,
): Promise<EffectOutcome> {
  const { request, destinations, expect, maxBytes, timeoutMs, idempotencyKey, mayGo } = effect;
  const { method, url, headers, body } = request;
  const result = await outbound.fetch({
    method,
    url,
    // The author's own key wins: some services want one that they know.
    headers: { 'idempotency-key': idempotencyKey, accept: 'application/json, */*;q=0.5', ...headers },
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    timeoutMs,
    idleTimeoutMs: timeoutMs,
    maxBytes,
    // Governed like the request itself; what changes something goes nowhere but where the gate let it go.
    async mayRedirect(url, by) {
      const to = { ...placeOf(url), method: by };
      return isSafe(by) && coversDestination(destinations, to) && mayGo(to) && mayFollow(to);
    },
    signal,
  });
  if (!result.ok) return result;
  if (!expect.some(([first, last]) => first <= result.status && result.status <= last)) return unexpected(effect, result, clock);
  const read = bodyOf(result);
  if (!read.ok) return failed('OUTBOUND_BAD_RESPONSE', `${nameOf(effect)} answered ${result.status}, but ${read.reason}`);
  const output = storableJson({ status: result.status, headers: result.headers, body: read.body });
  const bytes = Buffer.byteLength(output);
  if (bytes <= maxOutputBytes) return { ok: true, output };
  return failed('OUTPUT_TOO_LARGE', `the response of ${nameOf(effect)} is ${bytes} bytes of JSON; at most ${maxOutputBytes} are kept`);
}

const failed = (code: string, message: string): EffectOutcome => ({ ok: false, code, message, retryable: false, dispatched: true });

const placeOf = (url: URL) => ({
  scheme: url.protocol === 'https:' ? ('https' as const) : ('http' as const),
  host: hostOf(url),
  port: portOf(url),
});

/** Path and query may hold secrets. */
const nameOf = ({ request: { method, url } }: HttpEffect): string => `${method} ${new URL(url).host}`;

function unexpected(effect: HttpEffect, response: OutboundResponse, clock: Clock): EffectOutcome {
  const { status, headers, body } = response;
  const said = decode(headers, body).trim().slice(0, 500);
  const retryable = [408, 425, 429].includes(status) || status >= 500;
  return {
    ok: false,
    code: 'HTTP_STATUS',
    message: `${nameOf(effect)} answered ${status}${said && `: ${said}`}`,
    retryable,
    dispatched: true,
    retryAfterMs: retryable ? retryAfter(headers['retry-after'], clock) : undefined,
  };
}

/** No server makes a step wait longer; milliseconds. */
const maxRetryAfterMs = 3_600_000;

/** RFC 9110 §10.2.3: seconds, or a date. */
function retryAfter(text: string | undefined, clock: Clock): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - clock.now().getTime();
  return ms > 0 ? Math.min(ms, maxRetryAfterMs) : undefined;
}

/** Deeper JSON is refused: what reads it afterwards works by recursion. */
const maxDepth = 500;

function bodyOf({ headers, body }: OutboundResponse): { ok: true; body: unknown } | { ok: false; reason: string } {
  const text = decode(headers, body);
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(headers['content-type'] ?? '')) return { ok: true, body: text };
  if (text.trim() === '') return { ok: true, body: null };
  if (depthOf(text) > maxDepth) return { ok: false, reason: `its JSON is nested deeper than ${maxDepth} levels` };
  try {
    return { ok: true, body: JSON.parse(text) };
  } catch {
    return { ok: false, reason: 'its body is not the JSON that its content-type says' };
  }
}

function decode(headers: OutboundResponse['headers'], body: Uint8Array): string {
  const [, charset = 'utf-8'] = /;\s*charset="?([^\s;"]+)/i.exec(headers['content-type'] ?? '') ?? [];
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return new TextDecoder().decode(body); // a charset nobody knows
  }
}

/** Brackets open at once; those in strings do not count. */
function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[{]|[\]}]/gs)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, ++depth);
    else if (token === ']' || token === '}') depth--;
  }
  return deepest;
}

// Audit events: who changed what, from where. Pure; no I/O.
import { digestOf } from '../platform/canonical.ts';

/** Where a request came from. */
export interface Origin {
  /** Network address of the peer; of a proxy, where there is one. */
  readonly address: string | null;
  readonly userAgent: string | null;
  /** 32 hexadecimal digits: of the caller's `traceparent` (W3C Trace Context), else made here; null where nobody called. */
  readonly traceId: string | null;
}

/** What nobody asked for comes from nowhere. */
export const byItself: Origin = { address: null, userAgent: null, traceId: null };

/** What a mutation changed: by its id, or by its name where it has none. */
export interface Subject {
  readonly type: string;
  readonly id: string | null;
  readonly name?: string | null | undefined;
}

const maxUserAgentLength = 256;

/** Printable and of a bounded length: it is whatever the caller says. */
export const shownUserAgent = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}]/gu, '?')
    .slice(0, maxUserAgentLength)
    .toWellFormed();

/** Null for what is no `traceparent`. */
export function traceIdOf(traceparent: string): string | null {
  const [, traceId = ''] = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/.exec(traceparent) ?? [];
  return /[1-9a-f]/.test(traceId) ? traceId : null;
}

/** Of a row as the API reads it; null when there is none. */
export function digestOfRow(row: object | null | undefined): string | null {
  if (!row) return null;
  const text = JSON.stringify(row, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  return digestOf(JSON.parse(text.toWellFormed()));
}

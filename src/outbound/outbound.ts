// What leaves Signalbox: one HTTP request through the outbound guard, what it may cost, and how it can end. Types only; no I/O.

export interface Outbound {
  /** One request, its body read to the end. Never throws for what can be expected of tenants, networks and foreign servers. */
  fetch(request: OutboundRequest): Promise<OutboundResult>;
  /** A WHATWG `fetch` behind the same guard, for clients that stream. It keeps connections for itself alone; end it with `close`. */
  session(limits?: Partial<SessionLimits>): OutboundSession;
}

export interface OutboundRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array | undefined;
  /** Whole time, redirects and body included. */
  readonly timeoutMs: number;
  /** Longest silence of the server once it is connected. Default: 30 s. */
  readonly idleTimeoutMs?: number | undefined;
  /** Largest body, after decompression. */
  readonly maxBytes: number;
  /** Default: 5. With 0, a redirect is the response. */
  readonly maxRedirects?: number | undefined;
  /**
   * Asked before a redirect that leaves the origin is followed (the guard's own rules come on top): false refuses it.
   * Default: every destination the guard accepts.
   */
  readonly mayRedirect?: ((to: URL, method: string) => boolean | Promise<boolean>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface OutboundResponse {
  readonly ok: true;
  readonly status: number;
  /** Names in lower case; several values of a name are joined with ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Of the last hop. */
  readonly url: string;
}

/** Stable codes of failed requests: part of step errors and events. */
export const outboundFailureCodes = [
  /** Not an absolute http or https URL as the guard accepts it. */
  'INVALID_URL',
  /** A method or header that cannot be sent. */
  'INVALID_REQUEST',
  /** An address, name, port or redirect that the guard refuses. */
  'OUTBOUND_DENIED',
  /** The name has no address, nobody answers there, TLS fails, or the connection broke. */
  'OUTBOUND_UNREACHABLE',
  'OUTBOUND_TIMEOUT',
  /** More headers or body than allowed. */
  'OUTBOUND_TOO_LARGE',
  /** Not HTTP, a broken encoding, or a redirect that leads nowhere. */
  'OUTBOUND_BAD_RESPONSE',
  'CANCELLED',
] as const;
export type OutboundFailureCode = (typeof outboundFailureCodes)[number];

export interface OutboundFailure {
  readonly ok: false;
  readonly code: OutboundFailureCode;
  /** For the author of the request; names no address that a name resolved to. */
  readonly message: string;
  /** May the same request succeed later? */
  readonly retryable: boolean;
  /** False when it is certain that no server has seen the request. */
  readonly dispatched: boolean;
}

export type OutboundResult = OutboundResponse | OutboundFailure;

export interface SessionLimits {
  /** From the request to the head of the response. */
  readonly headersTimeoutMs: number;
  /** Longest silence inside a body. */
  readonly idleTimeoutMs: number;
  /** Largest body of one response, after decompression. */
  readonly maxBytes: number;
  readonly maxRedirects: number;
}

export interface OutboundSession {
  /** Rejects with OutboundError; so does the body's stream. Honours `method`, `headers`, `body`, `signal` and `redirect` of `init`. */
  readonly fetch: (url: string | URL, init?: RequestInit) => Promise<Response>;
  close(): Promise<void>;
}

/** A failure where the interface is an exception. */
export class OutboundError extends Error {
  readonly failure: OutboundFailure;
  constructor(failure: OutboundFailure, cause?: unknown) {
    super(failure.message, { cause });
    this.name = 'OutboundError';
    this.failure = failure;
  }
}

export function failure(code: OutboundFailureCode, message: string, { retryable = false, dispatched = false } = {}): OutboundFailure {
  return { ok: false, code, message, retryable, dispatched };
}

// Streamable-HTTP MCP servers of tenants: what one is registered with, its limits, how it is doing, and
// what must not be repeated of what it says. Pure; no I/O.

/** What runners last saw of a server. */
export const serverStatuses = ['unknown', 'healthy', 'failing', 'open_circuit'] as const;
export type ServerStatus = (typeof serverStatuses)[number];

export const circuitStates = ['closed', 'open', 'half_open'] as const;
export type CircuitState = (typeof circuitStates)[number];

export interface Header {
  readonly name: string;
  readonly value: string;
}
/** As the table has it. */
export interface StoredHeader {
  readonly name: string;
  readonly sealed: string;
}

/** All that is needed to speak to a server: holds secrets, never leaves the process but to that server. */
export interface Endpoint {
  readonly url: string;
  readonly headers: readonly Header[];
  /** Whole time of a call; a step's shorter timeout wins. */
  readonly timeoutMs: number;
}

/** One state of a registration. */
export interface Registration extends Endpoint {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  /** Calls at a time, in each runner process. */
  readonly concurrency: number;
  readonly version: number;
}

export interface ServerHealth {
  readonly status: ServerStatus;
  readonly circuit: CircuitState;
  readonly lastError: string | null;
  /** When it last answered; null: not since this process has looked. */
  readonly seenAt: Date | null;
}

export const remoteLimits = {
  serversPerTenant: 50,
  urlLength: 2_048,
  headers: 20,
  headerName: 128,
  headerValue: 4_096,
  /** Names and values together. */
  headerBytes: 8_192,
  timeoutMs: { min: 100, max: 3_600_000, default: 60_000 },
  concurrency: { min: 1, max: 100, default: 10 },
  /** What one server may describe, so that the list of a tenant's tools stays one answer. */
  tools: 256,
  listBytes: 1024 * 1024,
} as const;

/** What of a server's answers must not be repeated: the header values, and the credential inside of `Bearer …`. */
export function secretsOf(headers: readonly Header[]): string[] {
  const words = headers.flatMap(({ value }) => [value, ...value.split(/\s+/)]);
  // Short ones are flags and version numbers; taking those out of texts would say more than it hides.
  return [...new Set(words.filter((word) => word.length >= minSecret))].sort((a, b) => b.length - a.length);
}
const minSecret = 8;

export function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((result, secret) => result.replaceAll(secret, '[secret]'), text);
}

/** `value` (JSON) without the secrets, wherever it has one; the same object when it has none. */
export function redactAll<T>(value: T, secrets: readonly string[]): T {
  if (secrets.length === 0) return value;
  // As JSON text they are escaped; a header value holds nothing that JSON could write in two ways.
  const escaped = secrets.map((secret) => JSON.stringify(secret).slice(1, -1));
  const text = JSON.stringify(value);
  return escaped.some((secret) => text.includes(secret)) ? (JSON.parse(redact(text, escaped)) as T) : value;
}

// Log lines: JSON on stderr (stdout belongs to what a command answers). What people's agents work on and what opens doors
// never gets into a line, whatever object is logged.
import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** Keys whose values are replaced, at any depth down to `maxDepth`; compared without case, `_` and `-`. */
const payloadKeys = [
  'input',
  'inputs',
  'argument',
  'arguments',
  'args',
  'output',
  'item',
  'content',
  'subject',
  'show',
  'variables',
  'with',
  'body',
  'parameters',
  'params',
];
const secretKeys = [
  'key',
  'apiKey',
  'secret',
  'secretHash',
  'token',
  'password',
  'authorization',
  'cookie',
  'setCookie',
  'connectionString',
  'databaseUrl',
  'ownerUrl',
  'appUrl',
  'adminUrl',
];
const hidden = new Set([...payloadKeys, ...secretKeys].map((key) => key.toLowerCase()));
const maxDepth = 6;
const hide = (value: unknown): unknown => (value == null ? value : '[hidden]');
const serializers = {
  ...Object.fromEntries([...payloadKeys, ...secretKeys].map((key) => [key, hide])),
  err: (value: unknown): unknown => masked(value, 0),
};

export interface LoggerSettings {
  readonly level: LogLevel;
  /** Where lines go; stderr unless told. */
  readonly destination?: DestinationStream | undefined;
}

export function createLogger({ level, destination }: LoggerSettings): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }), log: (fields) => maskedObject(fields, 0) },
      serializers, // for the fields of child loggers, which the formatter does not see
    },
    destination ?? pino.destination({ fd: 2, sync: true }), // sync: the last line before an exit is not lost
  );
}

function maskedObject(object: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, isHidden(key) ? hide(value) : masked(value, depth + 1)]));
}

const isHidden = (key: string): boolean => hidden.has(key.replaceAll(/[_-]/g, '').toLowerCase());

function masked(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (depth > maxDepth) return '[deep]';
  if (value instanceof Error) return errorFields(value, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.map((item) => masked(item, depth + 1));
  return maskedObject(value, depth);
}

/** Not every property: database and HTTP libraries hang rows, statements and headers on their errors. */
function errorFields(error: Error & { code?: unknown; details?: unknown }, depth: number): Record<string, unknown> {
  const { code, details, cause } = error;
  return {
    type: error.constructor.name,
    message: error.message,
    ...(code !== undefined && { code }),
    ...(details !== undefined && { details: masked(details, depth + 1) }),
    stack: error.stack,
    ...(cause !== undefined && { cause: masked(cause, depth + 1) }),
    ...(error instanceof AggregateError && { errors: masked(error.errors, depth + 1) }),
  };
}

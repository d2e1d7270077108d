// What tenants write of their tool servers, and everything that is wrong with it. Pure; no I/O.
import { checkUrl, reservedHeaders } from '../outbound/request.ts';
import { ValidationError, type Problem } from '../platform/errors.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { remoteLimits, type Endpoint, type Header } from './remote.ts';
import { serverNamePattern } from './tool.ts';

export interface NewToolServer {
  readonly name: string;
  readonly url: string;
  readonly headers?: readonly Header[] | null | undefined;
  readonly timeoutMs?: number | null | undefined;
  readonly concurrency?: number | null | undefined;
  readonly enabled?: boolean | null | undefined;
}

/** Fields left out stay as they are. */
export interface ToolServerUpdate extends Partial<Omit<NewToolServer, 'name' | 'headers' | 'url'>> {
  readonly toolServerId: string;
  /** The version the author has read; another current one is a conflict. */
  readonly expectedVersion: number;
  readonly url?: string | null | undefined;
  /** Replaces all headers; one without a value keeps the value it has. */
  readonly headers?: readonly { readonly name: string; readonly value?: string | null | undefined }[] | null | undefined;
}

/** RFC 9110 §5.6.2. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// Visible ASCII, spaces and tabs within: what every HTTP stack sends unchanged.
const fieldValue = /^[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?$/;
/** They belong to the transport, to the protocol, or would change where a request goes. */
const ownHeaders = new Set([
  ...reservedHeaders,
  'accept',
  'accept-encoding',
  'content-encoding',
  'content-type',
  'last-event-id',
  'mcp-protocol-version',
  'mcp-session-id',
]);

const quoted = (text: string) => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);

function nameProblems(name: string): Problem[] {
  if (serverNamePattern.test(name)) return [];
  const expected = 'a name of at most 64 letters, digits, "_" and "-" (its tools are called <name>.<tool>)';
  return [{ path: 'name', message: `${quoted(name)} cannot name a tool server; give ${expected}`, expected }];
}

/** What is wrong with the text; whether the address may be reached is seen on connecting. No value in the messages: a URL may carry a secret. */
export function urlProblems(url: string): Problem[] {
  const expected = 'an absolute http or https URL without user, password and fragment';
  const refused = (message: string): Problem[] => [{ path: 'url', message, expected }];
  if (!isStorableText(url)) return refused(unstorableText);
  if (url.length > remoteLimits.urlLength) return refused(`has ${url.length} characters; at most ${remoteLimits.urlLength} are allowed`);
  const checked = checkUrl(url);
  if (!checked.ok) return refused(checked.message.replace(/^url: /, ''));
  return checked.url.hash === '' ? [] : refused('has a fragment (#…), which would never be sent');
}

/** `value` may be left out where an earlier one is kept. Messages never hold a value. */
export function headerProblems(headers: readonly { readonly name: string; readonly value?: string | null | undefined }[]): Problem[] {
  const problems: Problem[] = [];
  if (headers.length > remoteLimits.headers) {
    problems.push({ path: 'headers', message: `has ${headers.length} headers; at most ${remoteLimits.headers} are allowed` });
  }
  const seen = new Set<string>();
  for (const [index, { name, value }] of headers.slice(0, remoteLimits.headers).entries()) {
    const at = (field: string, message: string) => problems.push({ path: `headers[${index}].${field}`, message });
    const key = name.toLowerCase();
    if (!token.test(name)) at('name', `${quoted(name)} is not the name of an HTTP header (letters, digits and !#$%&'*+-.^_\`|~)`);
    else if (name.length > remoteLimits.headerName)
      at('name', `has ${name.length} characters; at most ${remoteLimits.headerName} are allowed`);
    else if (ownHeaders.has(key)) at('name', `${quoted(name)} is set by Signalbox itself`);
    else if (seen.has(key)) at('name', `${quoted(name)} is given twice`);
    seen.add(key);
    if (value == null) continue;
    if (value.length > remoteLimits.headerValue)
      at('value', `has ${value.length} characters; at most ${remoteLimits.headerValue} are allowed`);
    else if (!fieldValue.test(value)) {
      at('value', 'must be visible ASCII characters, with spaces only in between: no line break, no control character');
    }
  }
  const bytes = headers.reduce((sum, { name, value }) => sum + name.length + (value?.length ?? 0), 0);
  if (bytes > remoteLimits.headerBytes) {
    problems.push({ path: 'headers', message: `are ${bytes} bytes together; at most ${remoteLimits.headerBytes} are allowed` });
  }
  return problems;
}

export function rangeProblems(field: 'timeoutMs' | 'concurrency', value: number): Problem[] {
  const { min, max } = remoteLimits[field];
  if (Number.isInteger(value) && value >= min && value <= max) return [];
  return [{ path: field, message: `must be a whole number from ${min} to ${max}, got ${value}` }];
}

/** Throws ValidationError with every problem. */
export function checkedNew(input: NewToolServer): Endpoint {
  const { name, url, headers, timeoutMs, concurrency } = input;
  const problems: Problem[] = [
    ...nameProblems(name),
    ...urlProblems(url),
    ...headerProblems(headers ?? []),
    ...rangeProblems('timeoutMs', timeoutMs ?? remoteLimits.timeoutMs.default),
    ...rangeProblems('concurrency', concurrency ?? remoteLimits.concurrency.default),
  ];
  if (problems.length > 0) throw new ValidationError(problems);
  return { url, headers: headers ?? [], timeoutMs: timeoutMs ?? remoteLimits.timeoutMs.default };
}

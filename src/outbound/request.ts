// What may be asked for: URL, method and headers as they may leave, and where a redirect leads. Pure: addresses are checked on connecting.
import { failure, type OutboundFailure } from './outbound.ts';

export const maxUrlLength = 8_192;
const maxHeaders = 100;
const maxHeaderBytes = 16_384;

export const outboundMethods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** RFC 9110 §9.2.1: changes nothing. */
export const isSafe = (method: string): boolean => ['GET', 'HEAD', 'OPTIONS'].includes(method);
/** RFC 9110 §9.2.2: asked twice is as good as asked once. */
export const isIdempotent = (method: string): boolean => isSafe(method) || ['PUT', 'DELETE'].includes(method);

export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
}

type Checked<T> = { readonly ok: true } & T;

// The URL parser drops tabs and line ends silently, so the text itself is looked at.
// oxlint-disable-next-line no-control-regex -- they are what is refused
const control = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * One form for everybody who looks at a destination: the host in lower case, IPv4 in every spelling as four decimal numbers, no final dot.
 * No value in the message: a URL may carry a secret.
 */
export function checkUrl(text: string): Checked<{ url: URL }> | OutboundFailure {
  const invalid = (reason: string) => failure('INVALID_URL', `url: ${reason}`);
  if (text.length > maxUrlLength) return invalid(`longer than ${maxUrlLength} characters`);
  if (control.test(text)) return invalid('holds a control character (such as a line end); encode it as %0A');
  const url = URL.parse(text);
  if (!url) return invalid('not an absolute URL such as https://api.example.com/path');
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return invalid(`the scheme is ${url.protocol.slice(0, 40)} not https: or http:`);
  if (url.username !== '' || url.password !== '') return invalid('holds a user or password; send them in an Authorization header');
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.slice(0, -1);
  if (url.hostname === '' || url.hostname.endsWith('.')) return invalid('the host is empty');
  return { ok: true, url };
}

export const portOf = ({ protocol, port }: URL): number => (port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port));

/** The host without the brackets of IPv6. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1');

/** Names that mean the machine itself or its cloud's credentials, wherever they lead. */
export function isForbiddenName(name: string): boolean {
  return (
    ['localhost', 'metadata', 'metadata.google.internal', 'metadata.goog', 'instance-data'].includes(name) || name.endsWith('.localhost')
  );
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// Visible latin-1, spaces and tabs: what HTTP can carry, and nothing that ends a line.
const headerValue = /^[\t\u0020-\u007e\u00a0-\u00ff]*$/;

/** They belong to the connection, or decide where one message ends and the next begins. */
export const reservedHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export function checkMethod(method: string, body: unknown): OutboundFailure | null {
  if (!(outboundMethods as readonly string[]).includes(method)) {
    return failure('INVALID_REQUEST', `method: ${JSON.stringify(method.slice(0, 40))} is not one of ${outboundMethods.join(', ')}`);
  }
  if (body !== undefined && ['GET', 'HEAD'].includes(method)) return failure('INVALID_REQUEST', `body: a ${method} request has none`);
  return null;
}

/** Names in lower case. No value in a message: headers carry secrets. */
export function checkHeaders(headers: Readonly<Record<string, string>>): Checked<{ headers: Record<string, string> }> | OutboundFailure {
  const checked = new Map<string, string>();
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    const invalid = (reason: string) => failure('INVALID_REQUEST', `headers: ${JSON.stringify(name.slice(0, 80))} ${reason}`);
    if (!token.test(name)) return invalid('is not a header name: letters, digits and - only');
    if (reservedHeaders.has(key)) return invalid('is set by Signalbox itself; leave it out');
    if (checked.has(key)) return invalid('is there twice');
    if (!headerValue.test(value))
      return invalid('holds a character that a header cannot carry (a line end, a control character, or one beyond latin-1)');
    bytes += name.length + value.length + 4;
    checked.set(key, value);
  }
  if (checked.size > maxHeaders) return failure('INVALID_REQUEST', `headers: more than ${maxHeaders}`);
  if (bytes > maxHeaderBytes) return failure('INVALID_REQUEST', `headers: ${bytes} bytes; at most ${maxHeaderBytes} are sent`);
  return { ok: true, headers: Object.fromEntries(checked) };
}

/** All that another origin may learn: any other header may be a credential, whatever it is called. */
const travels = new Set(['accept', 'accept-language', 'content-language', 'content-type', 'idempotency-key', 'user-agent']);

export const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);

/** The request that a response asks for; null when it asks for none. RFC 9110 §15.4. */
export function redirectOf(hop: Hop, status: number, location: string | null): Checked<{ next: Hop }> | OutboundFailure | null {
  if (!isRedirect(status) || location === null) return null;
  const sent = { dispatched: true };
  const target = control.test(location) ? null : URL.parse(location, hop.url);
  if (!target) return failure('OUTBOUND_BAD_RESPONSE', `answered ${status} with a Location that is no URL`, sent);
  const checked = checkUrl(target.href);
  if (!checked.ok) return failure('OUTBOUND_DENIED', `the redirect is refused: ${checked.message}`, sent);
  const { url } = checked;
  if (hop.url.protocol === 'https:' && url.protocol === 'http:') {
    return failure('OUTBOUND_DENIED', `the redirect from https to http (${url.host}) is refused`, sent);
  }
  // 301 and 302 turn a POST into a GET as every client does; 303 says so for all methods; 307 and 308 keep method and body.
  const becomesGet = (status === 303 && hop.method !== 'HEAD') || (status < 303 && hop.method === 'POST');
  const kept = Object.entries(hop.headers).filter(([name]) => {
    if (becomesGet && name.startsWith('content-')) return false;
    return url.origin === hop.url.origin || travels.has(name);
  });
  const method = becomesGet ? 'GET' : hop.method;
  return { ok: true, next: { url, method, headers: Object.fromEntries(kept), body: becomesGet ? undefined : hop.body } };
}

// Where an effect would go: the destination of a request, the tenant's server that offers a tool, and the URLs that a network tool is
// given. Pure: nothing is resolved.
import { canonicalHost, contains, parseAddress, parseCidr } from './address.ts';
import type { Test } from './condition-compile.ts';
import type { GateInput } from './gate.ts';
import type { Situation } from './judge.ts';

export interface Target {
  /** Without colon; of a tool's URL also others than http and https. */
  readonly scheme: string;
  /** As `canonicalHost` writes it. */
  readonly host: string;
  readonly port: number;
  readonly method: string;
}

const maxUrls = 200;
const maxDepth = 30;
const usualPorts: Readonly<Record<string, number>> = { http: 80, https: 443, ws: 80, wss: 443, ftp: 21 };

/** Requests of http steps, and calls of tools that reach out or stand on a server of the tenant. */
export const leaves = ({ action, tool }: Pick<Situation, 'action' | 'tool'>): boolean =>
  action === 'http.request' || (action === 'tool.call' && (readsUrls(tool) || tool?.server !== undefined));

const readsUrls = (tool: Situation['tool']): boolean => tool?.category === 'network' || tool?.source === 'http';

/** Several policies ask of the same effect. */
const known = new WeakMap<Leaving, readonly Target[]>();

type Leaving = Pick<GateInput, 'action' | 'tool' | 'destination' | 'arguments'>;

export function targetsOf(input: Leaving): readonly Target[] {
  const found = known.get(input);
  if (found) return found;
  const targets = readTargets(input);
  known.set(input, targets);
  return targets;
}

function readTargets(input: Leaving): readonly Target[] {
  const { destination } = input;
  if (destination) return [{ ...destination, host: canonicalHost(destination.host) ?? destination.host }];
  if (!leaves(input)) return [];
  const server = input.tool?.server;
  const own = server ? [{ ...server, host: canonicalHost(server.host) ?? server.host, method: 'POST' }] : [];
  if (!readsUrls(input.tool)) return own;
  const method = methodOf(input.arguments);
  const given = urlsIn(input.arguments).flatMap((url): Target[] => {
    const scheme = url.protocol.slice(0, -1);
    const host = canonicalHost(url.hostname);
    return host === null ? [] : [{ scheme, host, port: url.port === '' ? (usualPorts[scheme] ?? 0) : Number(url.port), method }];
  });
  return [...own, ...given];
}

/** What cannot be known is taken for something that writes. */
function methodOf(args: unknown): string {
  const method = typeof args === 'object' && args !== null && 'method' in args ? args.method : undefined;
  return typeof method === 'string' && /^[A-Za-z]{1,20}$/.test(method) ? method.toUpperCase() : 'POST';
}

/** Members whose text is taken for a URL or host even without a scheme. */
const locators = /^(url|uri|href|link|endpoint|host|hostname|domain|address|server|site|website|webhook)$/i;

/** Texts that are a URL as a whole. Too many, or too deep to see all, is an error: none may go unseen. */
function urlsIn(args: unknown): URL[] {
  const urls: URL[] = [];
  let level: (readonly [key: string, value: unknown])[] = [['', args]];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) throw new Error(`arguments are nested deeper than ${maxDepth} levels, too deep to find every URL`);
    const next: typeof level = [];
    for (const [key, value] of level) {
      if (typeof value === 'string') {
        const url = urlOf(value, locators.test(key));
        if (url) urls.push(url);
        if (urls.length > maxUrls) throw new Error(`arguments hold more than ${maxUrls} URLs`);
      } else if (Array.isArray(value)) {
        for (const each of value) next.push([key, each]);
      } else if (typeof value === 'object' && value !== null) {
        for (const entry of Object.entries(value)) next.push(entry);
      }
    }
    level = next;
  }
  return urls;
}

function urlOf(text: string, isLocator: boolean): URL | null {
  const url = /^[\s\p{Cc}]*[a-z][a-z0-9+.-]*:/iu.test(text) ? URL.parse(text) : null;
  if (url && url.hostname !== '') return url;
  // `example.com/path`, `//example.com` and `example.com:8080` are taken to be https.
  const meant = isLocator ? URL.parse(`https://${text.trim().replace(/^[\\/]+/, '')}`) : null;
  return meant && meant.hostname !== '' ? meant : null;
}

/** Patterns are `*`, `*.domain` or a host: see `hostPattern`. */
export function compileHosts(patterns: readonly string[]): Test<Target> {
  const tests = patterns.map((pattern): Test<string> => {
    if (pattern === '*') return () => true;
    const below = pattern.startsWith('*.');
    const host = canonicalHost(below ? pattern.slice(2) : pattern);
    if (host === null) throw new Error(`${pattern} is no pattern of hosts`);
    return below ? (name) => name.length > host.length + 1 && name.endsWith(`.${host}`) : (name) => name === host;
  });
  return ({ host }) => tests.some((test) => test(host));
}

export function compileAddresses(ranges: readonly string[]): Test<Target> {
  const parsed = ranges.map((range) => parseCidr(range)!);
  return ({ host }) => {
    const address = parseAddress(host);
    return address !== null && parsed.some((range) => contains(range, address));
  };
}

export const targetText = ({ scheme, host, port }: Target): string =>
  `${scheme}://${host.includes(':') ? `[${host}]` : host}${port === usualPorts[scheme] ? '' : `:${port}`}`;

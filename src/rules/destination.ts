// HTTP requests as the gate sees them: where they go, whether a definition's `destinations` cover it, what they stand for in policies. Pure.
import { isSafe } from '../outbound/request.ts';
import type { Destination, GateTool } from './gate.ts';

/** What policies call the requests of http steps, so that what they say of tools holds for these, too. */
export const requestToolName = 'http.request';

/** Methods that are safe (RFC 9110 §9.2.1) only read. */
export const requestTool = (method: string): GateTool =>
  isSafe(method) ? { ...request, risk: 'low', capability: 'read' } : { ...request, risk: 'high', capability: 'write' };
const request = { name: requestToolName, digest: '', source: 'http', category: 'network' } as const;

/** The port a URL without one means. */
const usualPort = { http: 80, https: 443 } as const;

/**
 * A pattern is a host, or `*.` and a domain for every name below it (not the domain itself), with a port or without:
 * then it means the usual port of the scheme.
 */
export function coversDestination(
  patterns: readonly string[],
  { scheme, host, port }: Pick<Destination, 'scheme' | 'host' | 'port'>,
): boolean {
  return patterns.some((pattern) => {
    const [, name = '', written] = /^(.*?)(?::(\d+))?$/.exec(pattern.toLowerCase()) ?? [];
    if (port !== (written === undefined ? usualPort[scheme] : Number(written))) return false;
    return name.startsWith('*.') ? host.endsWith(name.slice(1)) && host.length > name.length - 1 : host === name;
  });
}

/** As it stands in a definition. */
export const destinationText = ({ scheme, host, port }: Pick<Destination, 'scheme' | 'host' | 'port'>): string =>
  port === usualPort[scheme] ? host : `${host}:${port}`;

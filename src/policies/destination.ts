// Where an HTTP request goes, and whether a definition's `destinations` cover it. Pure; no name is resolved.

export interface Destination {
  readonly scheme: 'http' | 'https';
  /** Lower case, no final dot; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly method: string;
}

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

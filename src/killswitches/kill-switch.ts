// Kill switches: what one can be engaged on, what a pattern may look like, what is covered. Pure; no I/O.
import { isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import type { Problem } from '../platform/errors.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';

export const killSwitchScopes = ['tenant', 'project', 'environment', 'agent', 'tool', 'destination'] as const;
export type KillSwitchScope = (typeof killSwitchScopes)[number];

export const maxReasonLength = 1_000;
const maxPatternLength = 253;

/** Channel on which runners hear at once that a switch was engaged; its payload is the id of the tenant. */
export const killSwitchChannel = 'signalbox_kill_switch';

/** What covers an effect is decided by this much of a switch. */
export interface EngagedSwitch {
  readonly id: string;
  readonly scope: KillSwitchScope;
  readonly scopeId: string | null;
  readonly pattern: string | null;
  readonly reason: string;
}

/** An effect as a switch sees it. */
export interface SwitchableEffect {
  readonly projectId: string;
  readonly environmentId: string;
  readonly agentId: string;
  /** `server.name`; `http.request` for a request. */
  readonly tool: string;
  /** Everywhere it goes, as far as can be told; hosts in lower case, IPv6 without brackets. Null: it cannot be told at all. */
  readonly destinations: readonly Place[] | null;
}

interface Place {
  readonly host: string;
  readonly port: number;
}

export function covers({ scope, scopeId, pattern }: EngagedSwitch, effect: SwitchableEffect): boolean {
  switch (scope) {
    case 'tenant':
      return true;
    case 'project':
      return scopeId === effect.projectId;
    case 'environment':
      return scopeId === effect.environmentId;
    case 'agent':
      return scopeId === effect.agentId;
    case 'tool':
      return matches(pattern!, effect.tool);
    case 'destination': {
      const { host, port } = splitPort(pattern!);
      return effect.destinations?.some((to) => (port === null || port === to.port) && matches(host, to.host)) ?? true;
    }
  }
}

/** `*` stands for any text. Leftmost is right for the parts between: an earlier match leaves the most text for those after it. */
function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const middle = text.slice(first.length, text.length - last.length);
  let from = 0;
  return rest.every((part) => {
    const found = middle.indexOf(part, from);
    from = found + part.length;
    return found >= 0;
  });
}

function splitPort(pattern: string): { host: string; port: number | null } {
  if (isIPv6(pattern)) return { host: pattern, port: null };
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]*))(?::(\d+))?$/.exec(pattern) ?? [];
  return { host: bracketed ?? plain ?? pattern, port: port === undefined ? null : Number(port) };
}

export const toolPatternForm = 'names of tools, such as "files.write_file" or "files.*"; "http.request" for the requests of http steps';
export const destinationPatternForm = 'a host, such as "api.example.com", "*.example.com" or "10.0.0.7", with a port or without';

const toolPattern = /^[A-Za-z0-9_./*-]+$/;
const hostPattern = /^[a-z0-9*_-]+(\.[a-z0-9*_-]+)*$/;

/** As it is stored and compared; null when it is no pattern of tools. */
export const normalToolPattern = (text: string): string | null => (toolPattern.test(text) && text.length <= maxPatternLength ? text : null);

/** Lower case, no final dot, names in their ASCII form, addresses in their usual one; null when it is no pattern of hosts. */
export function normalDestinationPattern(text: string): string | null {
  if (text.length > maxPatternLength) return null;
  const { host: written, port } = splitPort(text);
  if (port !== null && (port < 1 || port > 65_535)) return null;
  const host = normalHost(written);
  if (host === null) return null;
  if (port === null) return host;
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

function normalHost(text: string): string | null {
  if (isIPv6(text)) return new URL(`http://[${text}]`).hostname.slice(1, -1);
  const name = text.replace(/\.$/, '');
  if (/[^\p{L}\p{M}\p{N}.*_-]/u.test(name)) return null;
  if (!name.includes('*')) return URL.canParse(`http://${name}/`) ? new URL(`http://${name}/`).hostname : null;
  const labels = name.split('.').map((label) => (label.includes('*') ? label.toLowerCase() : domainToASCII(label)));
  const host = labels.join('.');
  return hostPattern.test(host) ? host : null;
}

export function reasonProblems(reason: string, path: string, { required }: { readonly required: boolean }): Problem[] {
  if (required && reason.trim() === '') {
    return [{ path, message: 'is empty', expected: 'why, for those whose work stops' }];
  }
  if (reason.length > maxReasonLength) return [{ path, message: `must have at most ${maxReasonLength} characters, has ${reason.length}` }];
  return isStorableText(reason) ? [] : [{ path, message: unstorableText }];
}

// Paths of conditions into the gate's input, such as `arguments.items[*].price`: which exist, and how they are read. Pure; no I/O.
import type { GateInput } from './gate.ts';

const maxSegments = 12;

/** A name, a position, or `*` for every element. */
type Segment = string | number | typeof every;
const every = Symbol('every');

/** What a path may begin with. Those of `open` go on into the value; the others are whole. */
const roots: Readonly<Record<string, (input: GateInput) => unknown>> = {
  action: (input) => input.action,
  project: (input) => input.projectId,
  environment: (input) => input.environmentId,
  environmentKind: (input) => input.environmentKind,
  'agent.id': (input) => input.agentId,
  'agent.name': (input) => input.agentName,
  'agent.version': (input) => input.agentVersion,
  'agent.tags': (input) => input.agentTags,
  'agent.team': (input) => input.teamId,
  principal: (input) => input.principalId,
  roles: (input) => input.roles,
  'tool.name': (input) => input.tool?.name,
  'tool.server': (input) => input.tool?.name.split('.', 1)[0],
  'tool.risk': (input) => input.tool?.risk,
  'tool.capability': (input) => input.tool?.capability,
  'tool.source': (input) => input.tool?.source,
  'tool.category': (input) => input.tool?.category,
  'tool.signs': (input) => input.tool?.signs?.map((sign) => sign.code),
  'destination.scheme': (input) => input.destination?.scheme,
  'destination.host': (input) => input.destination?.host,
  'destination.port': (input) => input.destination?.port,
  'destination.method': (input) => input.destination?.method,
  costMicroUsd: (input) => input.costMicroUsd,
};
const openRoots: Readonly<Record<string, (input: GateInput) => unknown>> = {
  arguments: (input) => input.arguments,
  labels: (input) => input.labels,
  output: (input) => input.output,
};

export const rootsText = [...Object.keys(roots), ...Object.keys(openRoots).map((root) => `${root}.…`)].join(', ');

export type Read = (input: GateInput) => unknown;
/** Several values where `[*]` is in the path. */
export interface Path {
  readonly read: Read;
  readonly several: boolean;
}

export function parsePath(text: string): ({ readonly ok: true } & Path) | { readonly ok: false; readonly reason: string } {
  const whole = roots[text];
  if (Object.hasOwn(roots, text) && whole) return { ok: true, read: whole, several: false };
  const [, root = '', rest = ''] = /^([A-Za-z]*)(.*)$/s.exec(text) ?? [];
  const start = Object.hasOwn(openRoots, root) ? openRoots[root] : undefined;
  if (!start) return { ok: false, reason: `there is no such path; paths are ${rootsText}` };
  const segments = segmentsOf(rest);
  if (!segments) return { ok: false, reason: 'must continue with .name, [0], [*] or ["any name"]' };
  if (segments.length > maxSegments) return { ok: false, reason: `must not have more than ${maxSegments} parts` };
  const several = segments.includes(every);
  return { ok: true, several, read: several ? readAll(start, segments) : readOne(start, segments as (string | number)[]) };
}

function segmentsOf(text: string): Segment[] | null {
  const segments: Segment[] = [];
  const token = /\.([A-Za-z_$][\w$-]*)|\[(\d{1,9})\]|(\[\*\])|\[("(?:[^"\\]|\\.)*")\]/gy;
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (!match) return null;
    if (match[1] !== undefined) segments.push(match[1]);
    else if (match[2] !== undefined) segments.push(Number(match[2]));
    else if (match[3] !== undefined) segments.push(every);
    else segments.push(quoted(match[4] ?? '') ?? '');
    if (segments.length > maxSegments) break;
  }
  return segments;
}

function quoted(text: string): string | null {
  try {
    return JSON.parse(text) as string;
  } catch {
    return null;
  }
}

/** Own members only: nothing of a prototype is ever seen. */
function memberOf(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.hasOwn(value, key) ? (value as Record<string | number, unknown>)[key] : undefined;
}

function readOne(start: Read, segments: readonly (string | number)[]): Read {
  const [first, second, ...more] = segments;
  if (first === undefined) return start;
  if (second === undefined) return (input) => memberOf(start(input), first);
  return (input) => more.reduce<unknown>(memberOf, memberOf(memberOf(start(input), first), second));
}

function readAll(start: Read, segments: readonly Segment[]): Read {
  return (input) =>
    segments.reduce<unknown[]>(
      (values, segment) =>
        segment === every
          ? values.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []))
          : values.map((value) => memberOf(value, segment)),
      [start(input)],
    );
}

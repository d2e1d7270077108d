// The places of a policy: its scope and its attachments. Which of them covers an effect, and which one counts. Pure; no I/O.
import { compileGlob } from './glob.ts';
import type { PolicySource, Situation } from './judge.ts';
import { policyModes, type PolicyMode, type PolicyRollout, type PolicyScope } from './policy.ts';

/** What scopes look at. */
export type Whereabouts = Pick<Situation, 'projectId' | 'environmentId' | 'agentId' | 'agentTags' | 'teamId'> & {
  readonly tool: { readonly name: string } | null;
};

/** One place with what holds there; what an attachment leaves out is as in the policy. */
export interface PolicyPlace {
  readonly scope: PolicyScope;
  readonly mode: PolicyMode;
  readonly priority: number;
  /** False: an exception, the policy says nothing here. */
  readonly enabled: boolean;
  /** Index in `attachments`; null: the policy's own scope. */
  readonly attachment: number | null;
  covers(where: Whereabouts): boolean;
}

/** Versions that older releases wrote lack the members that came later. */
export const everywhere: PolicyScope = { projectId: null, environmentId: null, agentId: null, teamId: null, tag: null, tool: null };

/** Whether nothing narrows it down. */
export const isEverywhere = (scope: PolicyScope): boolean => nearness({ ...everywhere, ...scope }) === 0;

/** Nearest first, so that the first one that covers an effect counts. A tie: the stricter mode, then the lower priority number. */
export function placesOf(policy: Pick<PolicySource, 'scope' | 'mode' | 'priority' | 'attachments'>): readonly PolicyPlace[] {
  const { mode, priority, attachments = [] } = policy;
  const scope = { ...everywhere, ...policy.scope };
  const own: PolicyPlace = { scope, mode, priority, enabled: true, attachment: null, covers: coverage(scope) };
  if (attachments.length === 0) return [own];
  const attached = attachments.map((each, index) => ({
    scope: each.scope,
    mode: each.mode ?? mode,
    priority: each.priority ?? priority,
    enabled: each.enabled ?? true,
    attachment: index,
    covers: coverage(each.scope),
  }));
  return [own, ...attached].sort(
    (a, b) =>
      nearness(b.scope) - nearness(a.scope) ||
      Number(b.enabled) - Number(a.enabled) ||
      policyModes.indexOf(b.mode) - policyModes.indexOf(a.mode) ||
      a.priority - b.priority,
  );
}

/** An agent is nearer than anything else, then a tool, a tag, a team, an environment, a project; the tenant is farthest. */
const members = ['projectId', 'environmentId', 'teamId', 'tag', 'tool', 'agentId'] as const satisfies readonly (keyof PolicyScope)[];

const nearness = (scope: PolicyScope): number => members.reduce((sum, member, rank) => (scope[member] === null ? sum : sum + 2 ** rank), 0);

function coverage({ projectId, environmentId, agentId, teamId, tag, tool }: PolicyScope): PolicyPlace['covers'] {
  const named = tool === null ? null : compileGlob(tool);
  return (where) =>
    (projectId === null || projectId === where.projectId) &&
    (environmentId === null || environmentId === where.environmentId) &&
    (agentId === null || agentId === where.agentId) &&
    (teamId === null || teamId === where.teamId) &&
    (tag === null || where.agentTags.includes(tag)) &&
    (named === null || (where.tool !== null && named(where.tool.name)));
}

/** Where to look for a place in an index: the key of what it names that fewest effects share. */
export function indexKey({ projectId, environmentId, agentId, teamId, tag, tool }: PolicyScope): string {
  if (agentId !== null) return `agent:${agentId}`;
  if (tool !== null && !tool.includes('*')) return `tool:${tool}`;
  if (environmentId !== null) return `environment:${environmentId}`;
  if (tag !== null) return `tag:${tag}`;
  if (teamId !== null) return `team:${teamId}`;
  return projectId === null ? 'tenant' : `project:${projectId}`;
}

/** Every key under which a place that covers it can stand. */
export const indexKeysOf = (where: Whereabouts): readonly string[] => [
  'tenant',
  `project:${where.projectId}`,
  `environment:${where.environmentId}`,
  `agent:${where.agentId}`,
  ...[...new Set(where.agentTags)].map((tag) => `tag:${tag}`),
  ...(where.teamId === null ? [] : [`team:${where.teamId}`]),
  ...(where.tool === null ? [] : [`tool:${where.tool.name}`]),
];

/**
 * Whether a policy that is rolled out by and by has consequences for `unit` (an execution). Stable: a unit that is in stays in
 * when the share grows, and each policy has its own order, so that not always the same executions go first.
 */
export function isRolledOut({ percent }: Pick<PolicyRollout, 'percent'>, policyId: string, unit: string): boolean {
  return percent >= 100 || (percent > 0 && hash(`${policyId}:${unit}`) < (percent / 100) * 2 ** 32);
}

/** FNV-1a with the last steps of Murmur 3: 32 bits, evenly spread. Part of what decisions are computed again from: never change it. */
function hash(text: string): number {
  let bits = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) bits = Math.imul(bits ^ text.charCodeAt(index), 0x01000193);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

// What is remembered for each situation: found again by comparing its members, which costs a fraction of making a key of them. Pure.
import type { Situation } from './judge.ts';

export interface SituationMemory<Value> {
  /** The value of the same situation, made when there is none. */
  recall(situation: Situation, make: () => Value): Value;
}

interface Entry<Value> {
  readonly situation: Situation;
  readonly value: Value;
}

/** `most`: situations that are kept; when one more comes, all are forgotten. */
export function rememberSituations<Value>(most: number): SituationMemory<Value> {
  const byAgent = new Map<string, Map<string, Entry<Value>[]>>();
  let size = 0;
  return {
    recall(situation, make) {
      const byTool = byAgent.get(situation.agentId);
      const alike = byTool?.get(situation.tool?.name ?? '');
      if (alike) for (const entry of alike) if (isSame(entry.situation, situation)) return entry.value;
      if (size >= most) {
        byAgent.clear();
        size = 0;
      }
      const entry = { situation: copyOf(situation), value: make() };
      const { agentId, tool } = entry.situation;
      const tools = byAgent.get(agentId) ?? new Map<string, Entry<Value>[]>();
      byAgent.set(agentId, tools);
      const entries = tools.get(tool?.name ?? '') ?? [];
      tools.set(tool?.name ?? '', entries);
      entries.push(entry);
      size += 1;
      return entry.value;
    },
  };
}

/** An effect is more than its situation, and large. */
function copyOf({ action, projectId, environmentId, environmentKind, agentId, agentTags, teamId, roles, tool }: Situation): Situation {
  const called = tool && {
    name: tool.name,
    digest: tool.digest,
    risk: tool.risk,
    capability: tool.capability,
    source: tool.source,
    category: tool.category,
    server: tool.server,
  };
  return { action, projectId, environmentId, environmentKind, agentId, agentTags: [...agentTags], teamId, roles: [...roles], tool: called };
}

const isSame = (a: Situation, b: Situation): boolean =>
  a.action === b.action &&
  a.environmentId === b.environmentId &&
  a.projectId === b.projectId &&
  a.environmentKind === b.environmentKind &&
  a.agentId === b.agentId &&
  a.teamId === b.teamId &&
  isSameTool(a.tool, b.tool) &&
  isSameList(a.agentTags, b.agentTags) &&
  isSameList(a.roles, b.roles);

function isSameTool(a: Situation['tool'], b: Situation['tool']): boolean {
  if (!a || !b) return a === b;
  return (
    a.name === b.name &&
    a.digest === b.digest &&
    a.risk === b.risk &&
    a.capability === b.capability &&
    a.source === b.source &&
    a.category === b.category &&
    a.server?.scheme === b.server?.scheme &&
    a.server?.host === b.server?.host &&
    a.server?.port === b.server?.port
  );
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}

// The policies of a tenant, ready to be asked: indexed by place, answers remembered. Which outcome they make stands in evaluate.ts.
import { compileRules } from './compile.ts';
import type { GateInput, PolicyFinding } from './gate.ts';
import type { Judge, PolicySource, Situation } from './judge.ts';
import { indexKey, indexKeysOf, isRolledOut, placesOf, type PolicyPlace } from './policy-places.ts';
import type { PolicyMode } from './policy.ts';

export interface PolicySet {
  /** What the policies in scope of `input` say of it, by priority (lower first), then by id. */
  findingsOn(input: GateInput): readonly PolicyFinding[];
  /** The policies in scope with the place that counts, in the same order. */
  inForce(input: Situation): readonly PolicyInForce[];
}

export interface CompiledPolicy {
  readonly source: PolicySource;
  readonly judge: Judge;
}

export interface PolicyInForce extends CompiledPolicy {
  readonly place: PolicyPlace;
}

/** Of one situation. */
interface Remembered {
  readonly inForce: readonly PolicyInForce[];
  /** What is said in any case, and which policies have to be asked each time; known once an effect was judged. */
  parts?: readonly (PolicyFinding | PolicyInForce)[];
  /** The parts, when nobody has to be asked. */
  findings?: readonly PolicyFinding[] | null;
}

/** Situations that one set remembers; beyond it the oldest is forgotten. */
const maxRemembered = 2_000;

/** Rules are compiled when they are first in force: most of many policies never are. */
export const compilePolicies = (sources: readonly PolicySource[]): PolicySet =>
  policySet(
    sources.map((source) => {
      let judge: Judge | undefined;
      return {
        source,
        get judge() {
          return (judge ??= compileRules(source));
        },
      };
    }),
  );

export function policySet(policies: readonly CompiledPolicy[]): PolicySet {
  const byKey = new Map<string, Set<{ readonly policy: CompiledPolicy; readonly places: readonly PolicyPlace[] }>>();
  for (const policy of policies) {
    const placed = { policy, places: placesOf(policy.source) };
    for (const { scope } of placed.places) {
      const key = indexKey(scope);
      byKey.set(key, (byKey.get(key) ?? new Set()).add(placed));
    }
  }

  function lookUp(situation: Situation): readonly PolicyInForce[] {
    const candidates = new Set(indexKeysOf(situation).flatMap((key) => [...(byKey.get(key) ?? [])]));
    return [...candidates]
      .flatMap(({ policy: { source }, policy, places }) => {
        const place = places.find(({ covers }) => covers(situation));
        return place?.enabled ? [{ source, judge: policy.judge, place }] : [];
      })
      .sort((a, b) => a.place.priority - b.place.priority || (a.source.id < b.source.id ? -1 : 1));
  }

  const remembered = new Map<string, Remembered>();
  function recall(situation: Situation): Remembered {
    const key = situationKey(situation);
    const known = remembered.get(key);
    if (known) return known;
    const oldest = remembered.size >= maxRemembered ? remembered.keys().next() : null;
    if (oldest && !oldest.done) remembered.delete(oldest.value);
    const entry: Remembered = { inForce: lookUp(situation) };
    remembered.set(key, entry);
    return entry;
  }

  function partsOf(entry: Remembered, input: GateInput): readonly (PolicyFinding | PolicyInForce)[] {
    const concerned = entry.inForce.filter(({ judge }) => judge.concerns?.(input) ?? true);
    const parts = concerned.flatMap((policy) => (dependsOnSituation(policy) ? (ask(policy, input) ?? []) : policy));
    entry.findings = parts.every(isFinding) ? parts : null;
    return (entry.parts = parts);
  }

  return {
    inForce: (situation) => recall(situation).inForce,
    findingsOn(input) {
      const entry = recall(input);
      const parts = entry.parts ?? partsOf(entry, input);
      if (entry.findings) return entry.findings;
      const all: PolicyFinding[] = [];
      for (const part of parts) {
        const finding = isFinding(part) ? part : ask(part, input);
        if (finding) all.push(finding);
      }
      return all;
    },
  };
}

const isFinding = (part: PolicyFinding | PolicyInForce): part is PolicyFinding => 'policyId' in part;

/** Whoever looks at arguments, moments, rates or at the execution's turn in a rollout must be asked each time. */
const dependsOnSituation = ({ judge, source: { rollout } }: PolicyInForce): boolean =>
  judge.bySituation === true && (!rollout || rollout.percent <= 0 || rollout.percent >= 100);

/** An encoding that no name or tag can forge. Holds every member of a situation. */
function situationKey(situation: Situation): string {
  const { action, projectId, environmentId, environmentKind, agentId, agentTags, teamId, roles, tool } = situation;
  const called = tool && [tool.name, tool.digest, tool.risk, tool.capability, tool.source, tool.category];
  return JSON.stringify([action, projectId, environmentId, agentId, agentTags, teamId, environmentKind, roles, called]);
}

function ask({ source, judge, place }: PolicyInForce, input: GateInput): PolicyFinding | null {
  const { id: policyId, name: policyName, version, kind } = source;
  const mode = modeFor(source, place.mode, input);
  try {
    const opinion = judge(input);
    if ((opinion?.effect === 'delay' || opinion?.effect === 'queue') && !opinion.notBefore)
      throw new Error('it names no moment to wait for');
    return opinion && { policyId, policyName, version, kind, mode, ...opinion };
  } catch (error) {
    return { policyId, policyName, version, kind, mode, ...failed(source, input, error), failed: true };
  }
}

/** Executions that a rollout has not reached yet are observed. What runs outside of executions goes by agent and principal. */
function modeFor({ id, rollout }: PolicySource, mode: PolicyMode, { executionId, agentId, principalId }: GateInput): PolicyMode {
  if (!rollout) return mode;
  return isRolledOut(rollout, id, executionId ?? `${agentId}:${principalId}`) ? mode : 'observe';
}

/** Fails closed where a mistake would be expensive, else as the policy says. */
function failed({ name, onError = 'allow' }: PolicySource, { tool }: GateInput, error: unknown): Pick<PolicyFinding, 'effect' | 'reason'> {
  const said = `Policy "${name}" could not be evaluated (${error instanceof Error ? error.message : String(error)})`;
  if (tool?.risk === 'high' || tool?.risk === 'critical') {
    return { effect: 'deny', reason: `${said}; calls of ${tool.risk} risk are refused until it is repaired or disabled.` };
  }
  const what = tool ? `calls of ${tool.risk} risk` : 'effects without a tool';
  return onError === 'deny'
    ? { effect: 'deny', reason: `${said}; its "onError" is "deny", so ${what} are refused until it is repaired or disabled.` }
    : { effect: 'allow', reason: `${said}; its "onError" is "allow", so ${what} pass meanwhile.` };
}

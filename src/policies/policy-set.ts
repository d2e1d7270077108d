// The policies of a tenant, ready to be asked: indexed by scope, answers remembered. Which outcome they make stands in evaluate.ts.
import { compileRules, type Call, type Judge, type PolicySource } from './compile.ts';
import type { GateInput, PolicyFinding } from './gate.ts';
import type { PolicyScope } from './policy.ts';

export interface PolicySet {
  /** What the policies in scope of `input` say of it, by priority (lower first), then by id. */
  findingsOn(input: GateInput): readonly PolicyFinding[];
}

export interface CompiledPolicy {
  readonly source: PolicySource;
  readonly judge: Judge;
}

/** The part of an input that scopes and rules look at: inputs that agree in it have the same findings. */
type Situation = Pick<GateInput, 'projectId' | 'environmentId' | 'agentId' | 'agentTags'> & Call;

/** Situations that one set remembers; beyond it the oldest is forgotten. */
const maxRemembered = 2_000;

export const compilePolicies = (sources: readonly PolicySource[]): PolicySet =>
  policySet(sources.map((source) => ({ source, judge: compileRules(source) })));

export function policySet(policies: readonly CompiledPolicy[]): PolicySet {
  const byKey = Map.groupBy(policies, ({ source }) => narrowestKey(source.scope));
  const inScope = (situation: Situation) =>
    keysOf(situation)
      .flatMap((key) => byKey.get(key) ?? [])
      .filter(({ source }) => covers(source.scope, situation))
      .sort((a, b) => a.source.priority - b.source.priority || (a.source.id < b.source.id ? -1 : 1));

  const remembered = new Map<string, readonly PolicyFinding[]>();
  return {
    findingsOn(input) {
      const key = situationKey(input);
      const known = remembered.get(key);
      if (known) return known;
      const findings = inScope(input).flatMap((policy) => ask(policy, input) ?? []);
      const oldest = remembered.size >= maxRemembered ? remembered.keys().next() : null;
      if (oldest && !oldest.done) remembered.delete(oldest.value);
      remembered.set(key, findings);
      return findings;
    },
  };
}

/** An encoding that no name or tag can forge. */
function situationKey({ projectId, environmentId, agentId, agentTags, environmentKind, roles, tool }: Situation): string {
  const called = tool && [tool.name, tool.digest, tool.risk, tool.capability];
  return JSON.stringify([projectId, environmentId, agentId, agentTags, environmentKind, roles, called]);
}

function keysOf(situation: Situation): string[] {
  const tags = [...new Set(situation.agentTags)].map((tag) => `tag:${tag}`);
  return ['tenant', `project:${situation.projectId}`, ...tags, `environment:${situation.environmentId}`, `agent:${situation.agentId}`];
}

function narrowestKey(scope: PolicyScope): string {
  if (scope.agentId !== null) return `agent:${scope.agentId}`;
  if (scope.environmentId !== null) return `environment:${scope.environmentId}`;
  if (scope.tag !== null) return `tag:${scope.tag}`;
  return scope.projectId === null ? 'tenant' : `project:${scope.projectId}`;
}

const covers = (scope: PolicyScope, situation: Situation): boolean =>
  (scope.projectId === null || scope.projectId === situation.projectId) &&
  (scope.environmentId === null || scope.environmentId === situation.environmentId) &&
  (scope.agentId === null || scope.agentId === situation.agentId) &&
  (scope.tag === null || situation.agentTags.includes(scope.tag));

function ask({ source, judge }: CompiledPolicy, call: Call): PolicyFinding | null {
  const { id: policyId, name: policyName, version, kind, mode } = source;
  try {
    const opinion = judge(call);
    return opinion && { policyId, policyName, version, kind, mode, ...opinion };
  } catch (error) {
    return { policyId, policyName, version, kind, mode, ...failed(policyName, call, error) };
  }
}

/** Fails closed where a mistake would be expensive. */
function failed(policyName: string, { tool }: Call, error: unknown): Pick<PolicyFinding, 'effect' | 'reason'> {
  const said = `Policy "${policyName}" could not be evaluated (${error instanceof Error ? error.message : String(error)})`;
  return tool?.risk === 'high' || tool?.risk === 'critical'
    ? { effect: 'deny', reason: `${said}; calls of ${tool.risk} risk are refused until it is repaired or disabled.` }
    : { effect: 'allow', reason: `${said}; ${tool ? `calls of ${tool.risk} risk` : 'starts of executions'} pass meanwhile.` };
}

// The policies of a tenant, ready to be asked: indexed by place, answers remembered. Which outcome they make stands in evaluate.ts.
import { compileRules } from './compile.ts';
import type { GateInput, PolicyFinding } from './gate.ts';
import type { Judge, Opinion, PolicySource, Situation } from './judge.ts';
import { indexKey, indexKeysOf, isRolledOut, placesOf, type PolicyPlace } from './policy-places.ts';
import type { PolicyMode } from './policy.ts';
import { rememberSituations } from './situations.ts';

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

/** A judge that gives the same opinion again makes the same finding: only what is new is put together. */
interface Known {
  opinion: Opinion | null;
  finding: PolicyFinding | null;
}

interface Asked extends PolicyInForce {
  readonly answer: (input: GateInput) => Opinion | null;
  readonly known: Known;
  /** What it says in any case: it need not be asked. */
  readonly settled: PolicyFinding | null;
}

/** Of one situation. */
interface Remembered {
  readonly inForce: readonly Asked[];
  /** Those that say something in any case, or have to be asked each time; known once an effect was judged. */
  parts?: readonly Asked[];
  /** What they say, when nobody has to be asked. */
  findings?: readonly PolicyFinding[] | null;
}

/** Situations that one set remembers. */
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
  const byKey = new Map<string, Set<{ readonly policy: CompiledPolicy; readonly places: readonly PolicyPlace[]; readonly known: Known }>>();
  for (const policy of policies) {
    const placed = { policy, places: placesOf(policy.source), known: { opinion: null, finding: null } };
    for (const { scope } of placed.places) {
      const key = indexKey(scope);
      byKey.set(key, (byKey.get(key) ?? new Set()).add(placed));
    }
  }

  function lookUp(situation: Situation): readonly Asked[] {
    const candidates = new Set(indexKeysOf(situation).flatMap((key) => [...(byKey.get(key) ?? [])]));
    return [...candidates]
      .flatMap(({ policy: { source }, policy, places, known }) => {
        const place = places.find(({ covers }) => covers(situation));
        if (!place?.enabled) return [];
        const { judge } = policy;
        return [{ source, judge, answer: judge.concerned ?? judge, place, known, settled: null }];
      })
      .sort((a, b) => a.place.priority - b.place.priority || (a.source.id < b.source.id ? -1 : 1));
  }

  const remembered = rememberSituations<Remembered>(maxRemembered);
  const recall = (situation: Situation) => remembered.recall(situation, () => ({ inForce: lookUp(situation) }));

  function partsOf(entry: Remembered, input: GateInput): readonly Asked[] {
    const concerned = entry.inForce.filter(({ judge }) => judge.concerns?.(input) ?? true);
    const parts = concerned.flatMap((policy): Asked[] => {
      if (!dependsOnSituation(policy)) return [policy];
      const settled = ask(policy, input);
      return settled ? [{ ...policy, settled }] : [];
    });
    const findings = parts.flatMap(({ settled }) => settled ?? []);
    entry.findings = findings.length === parts.length ? findings : null;
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
        const finding = part.settled ?? ask(part, input);
        if (finding) all.push(finding);
      }
      return all;
    },
  };
}

/** Whoever looks at arguments, moments, rates or at the execution's turn in a rollout must be asked each time. */
const dependsOnSituation = ({ judge, source: { rollout } }: PolicyInForce): boolean =>
  judge.bySituation === true && (!rollout || rollout.percent <= 0 || rollout.percent >= 100);

function ask({ source, answer, place, known }: Asked, input: GateInput): PolicyFinding | null {
  try {
    const opinion = answer(input);
    if (opinion === null) return null;
    const mode = modeFor(source, place.mode, input);
    if (known.opinion === opinion && known.finding?.mode === mode) return known.finding;
    if ((opinion.effect === 'delay' || opinion.effect === 'queue') && !opinion.notBefore) throw new Error('it names no moment to wait for');
    const finding = { ...named(source, mode), ...opinion };
    known.opinion = opinion;
    return (known.finding = finding);
  } catch (error) {
    return { ...named(source, modeFor(source, place.mode, input)), ...failed(source, input, error), failed: true };
  }
}

const named = ({ id, name, version, kind }: PolicySource, mode: PolicyMode) => ({ policyId: id, policyName: name, version, kind, mode });

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

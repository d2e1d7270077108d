// What policies of the kind `data_scope` say: whether an effect touches only data that its agent declares or was granted. Pure.
import { parsePath } from './condition-path.ts';
import type { DataRule } from './data-rules.ts';
import { isDataReference } from './data-scope.ts';
import type { DataReference, GateInput } from './gate.ts';
import { whereConcerned, type Judge, type PolicySource, type Situation } from './judge.ts';
import { also, compileMatching, whereMatching } from './matching.ts';
import { compileHosts, targetsOf } from './targets.ts';

type Touched = { readonly ok: true; readonly references: readonly DataReference[] } | { readonly ok: false; readonly reason: string };

export function dataScope({ name }: PolicySource, rules: readonly DataRule[]): Judge {
  const compiled = rules.map((rule, index) => {
    const matching = also(compileMatching(rule, ['tool.call', 'http.request']), destinationTest(rule));
    return { rule, number: index + 1, touched: compileTouched(rule), matching, matches: whereMatching(matching, rules) };
  });
  const concerns = (situation: Situation) => compiled.some(({ matching }) => matching.ofSituation(situation));
  return whereConcerned(concerns, (input) => {
    let seen: DataReference[] | null = null;
    for (const { rule, number, touched, matches } of compiled) {
      if (!matches(input)) continue;
      const found = touched(input);
      const by = `Policy "${name}" (rule ${number})`;
      if (!found.ok) return { effect: 'deny', reason: `${by} cannot tell which data this touches: ${found.reason}.` };
      const strange = found.references.find((each) => !input.agentData?.includes(each) && !input.grantedData?.includes(each));
      if (strange) {
        const way = rule.message ?? `List it in "spec.data" of the definition, or ask the agent that owns it for a grant.`;
        return { effect: 'deny', reason: `${by}: the agent "${input.agentName}" neither declares ${strange} nor was granted it. ${way}` };
      }
      seen = [...(seen ?? []), ...found.references];
    }
    if (!seen || seen.length === 0) return null;
    return { effect: 'allow', reason: `Policy "${name}": the agent may touch ${[...new Set(seen)].slice(0, 10).join(', ')}.` };
  });
}

function destinationTest({ destinations }: DataRule) {
  if (!destinations) return undefined;
  const matches = compileHosts(destinations);
  return (input: GateInput) => targetsOf(input).some(matches);
}

function compileTouched({ data }: DataRule): (input: GateInput) => Touched {
  if (typeof data === 'string') {
    const fixed: Touched = isDataReference(data) ? { ok: true, references: [data] } : { ok: false, reason: `${data} is no reference` };
    return () => fixed;
  }
  const { kind, from } = data;
  const path = parsePath(from);
  if (!path.ok) throw new Error(`${from}: ${path.reason}`);
  return (input) => {
    const names = [path.read(input)].flat(path.several ? 2 : 1);
    if (names.every((each) => each === undefined)) return { ok: false, reason: `${from} names nothing` };
    const references = names.map((each) => `${kind}:${String(each)}`);
    const wrong = names.findIndex((each, index) => typeof each !== 'string' || !isDataReference(references[index]!));
    return wrong < 0
      ? { ok: true, references: references.filter(isDataReference) }
      : { ok: false, reason: `${from} is no name of a ${kind}` };
  };
}

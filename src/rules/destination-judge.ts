// What policies of the kind `destination` say of requests and of network tools. Pure; no I/O.
import { allOf, type Test } from './condition-compile.ts';
import type { DestinationRule } from './destination-rules.ts';
import { whereConcerned, type Judge, type PolicySource, type Situation } from './judge.ts';
import { compileMatching, wholly } from './matching.ts';
import { compileAddresses, compileHosts, leaves, targetsOf, targetText, type Target } from './targets.ts';

/** Each target of an effect has to pass by itself. */
export function destinationJudge({ name }: PolicySource, rules: readonly DestinationRule[]): Judge {
  const compiled = rules
    .map((rule, index) => ({
      rule,
      number: index + 1,
      matching: compileMatching(rule, ['tool.call', 'http.request']),
      covers: compileTarget(rule),
    }))
    .map((each) => ({ ...each, concerns: wholly(each.matching) }));
  const denials = compiled.filter(({ rule }) => rule.effect === 'deny');
  const allowances = compiled.filter(({ rule }) => rule.effect === 'allow');
  const mayLeave = (situation: Situation) =>
    leaves(situation) && (allowances.length > 0 || denials.some(({ matching }) => matching.ofSituation(situation)));
  return whereConcerned(mayLeave, (input) => {
    if (!leaves(input)) return null;
    const targets = targetsOf(input);
    if (targets.length === 0) return null;
    for (const { rule, number, concerns, covers } of denials) {
      const refused = targets.find(covers);
      if (!refused || !concerns(input)) continue;
      const said = rule.message ? `: ${rule.message}` : '.';
      return { effect: 'deny', reason: `Policy "${name}" (rule ${number}) refuses ${refused.method} ${targetText(refused)}${said}` };
    }
    if (allowances.length === 0) return null;
    const inForce = allowances.filter(({ concerns }) => concerns(input));
    const stranger = targets.find((target) => !inForce.some(({ covers }) => covers(target)));
    if (!stranger) return { effect: 'allow', reason: `Policy "${name}" allows ${targets.map(targetText).slice(0, 5).join(', ')}.` };
    return {
      effect: 'deny',
      reason: `Policy "${name}" allows only destinations that its allow rules name, under their conditions; ${stranger.method} ${targetText(stranger)} matches none of them.`,
    };
  });
}

function compileTarget(rule: DestinationRule): Test<Target> {
  const { hosts, addresses, ports, schemes, methods } = rule;
  const ranges = ports?.map((port) => {
    const [from = 0, to = from] = typeof port === 'number' ? [port] : port.split('-').map(Number);
    return { from, to };
  });
  const isAddressed = addresses && compileAddresses(addresses);
  return allOf<Target>([
    hosts && compileHosts(hosts),
    isAddressed,
    ranges && (({ port }) => ranges.some(({ from, to }) => port >= from && port <= to)),
    schemes && (({ scheme }) => (schemes as readonly string[]).includes(scheme)),
    methods && (({ method }) => (methods as readonly string[]).includes(method)),
  ]);
}

// What policies of the kind `content` find in inputs, arguments and outputs. Never repeats what it found. Pure; no I/O.
import type { Test } from './condition-compile.ts';
import type { ContentPlace, ContentRule } from './content-rules.ts';
import { textsOf, type FoundText } from './content-texts.ts';
import type { GateInput } from './gate.ts';
import { whereConcerned, type Judge, type Opinion, type PolicySource, type Situation } from './judge.ts';
import { compileMatching, wholly } from './matching.ts';
import { compilePattern } from './pattern.ts';
import { gateActions, type GateAction } from './policy.ts';

const placeOf: Readonly<Record<GateAction, ContentPlace>> = {
  'execution.start': 'inputs',
  'tool.call': 'arguments',
  'http.request': 'arguments',
  'output.deliver': 'outputs',
};
const strongestFirst = ['deny', 'require_approval', 'warn'] as const;

export function contentJudge({ name }: PolicySource, rules: readonly ContentRule[]): Judge {
  const compiled = rules
    .map((rule, index) => {
      const actions = gateActions.filter((action) => rule.in?.includes(placeOf[action]) ?? true);
      const matching = compileMatching(rule, actions);
      return { rule, number: index + 1, matching, matches: wholly(matching), finds: compileFinds(rule) };
    })
    .sort((a, b) => strongestFirst.indexOf(a.rule.effect) - strongestFirst.indexOf(b.rule.effect));
  const concerns = (situation: Situation) => compiled.some(({ matching }) => matching.ofSituation(situation));
  return whereConcerned(concerns, (input) => {
    for (const { rule, number, matches, finds } of compiled) {
      if (!matches(input)) continue;
      const found = textsOf(examined(input)).find(finds);
      if (found) return opinion(input.action, rule, `Policy "${name}" (rule ${number})`, `${rootOf(input)}${found.path}`);
    }
    return null;
  });
}

const examined = (input: GateInput): unknown => (input.action === 'output.deliver' ? input.output : input.arguments);
const rootOf = ({ action }: GateInput): string =>
  action === 'output.deliver' ? 'output' : action === 'execution.start' ? 'inputs' : 'arguments';

function opinion(action: GateAction, { effect, message }: ContentRule, by: string, where: string): Opinion {
  const said = message ? `: ${message}` : '.';
  if (effect === 'warn') return { effect, reason: `${by} warns of what is in ${where}${said}` };
  if (effect === 'deny') return { effect, reason: `${by} refuses what is in ${where}${said}` };
  // What was done already cannot wait.
  return action === 'output.deliver'
    ? { effect: 'deny', reason: `${by} would ask for an approval of what is in ${where}, and an output cannot wait for one${said}` }
    : { effect, reason: `${by} asks for an approval of what is in ${where}${said}` };
}

function compileFinds({ matches = [], words = [] }: ContentRule): Test<FoundText> {
  const patterns = matches.map((pattern) => compilePattern(pattern));
  const folded = words.map((word) => word.normalize('NFKC').toLowerCase());
  return ({ written, plain, folded: text }) =>
    patterns.some((found) => found(written) || (plain !== written && found(plain))) || folded.some((word) => text.includes(word));
}

// What policies of the kind `content` find in inputs, arguments and outputs. Never repeats what it found. Pure; no I/O.
import type { ContentPlace, ContentRule } from './content-rules.ts';
import { pathOf, textsOf, type Texts } from './content-texts.ts';
import type { GateInput } from './gate.ts';
import { whereConcerned, type Judge, type Opinion, type PolicySource, type Situation } from './judge.ts';
import { compileMatching, whereMatching } from './matching.ts';
import { literalsOf } from './literals.ts';
import { compilePattern, holdsOne } from './pattern.ts';
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
      return { rule, number: index + 1, matching, matches: whereMatching(matching, rules), find: compileFind(rule) };
    })
    .sort((a, b) => strongestFirst.indexOf(a.rule.effect) - strongestFirst.indexOf(b.rule.effect));
  const concerns = (situation: Situation) => compiled.some(({ matching }) => matching.ofSituation(situation));
  return whereConcerned(concerns, (input) => {
    for (const { rule, number, matches, find } of compiled) {
      if (!matches(input)) continue;
      const texts = textsOf(examined(input));
      const found = find(texts);
      if (found < 0) continue;
      return opinion(input.action, rule, `Policy "${name}" (rule ${number})`, `${rootOf(input)}${pathOf(texts.placeOf(found))}`);
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

/** Index of the first text in which something is found, or -1. What cannot be in any is told from all of them at once. */
function compileFind({ matches = [], words = [] }: ContentRule): (texts: Texts) => number {
  const patterns = matches.map((pattern) => compilePattern(pattern));
  const needed = matches.map((pattern) => literalsOf(pattern));
  const isAnywhere = needed.includes(null);
  const exact = needed.flatMap((each) => (each && !each.fold ? each.texts : []));
  const inAnyCase = needed.flatMap((each) => (each?.fold ? each.texts : []));
  const folded = words.map((word) => word.normalize('NFKC').toLowerCase());
  return (texts) => {
    const holdsWord = holdsOne(texts.folded, folded);
    const mayMatch =
      isAnywhere || holdsOne(texts.together, exact) || (inAnyCase.length > 0 && (!texts.isAscii || holdsOne(texts.folded, inAnyCase)));
    if (!holdsWord && !mayMatch) return -1;
    return texts.written.findIndex((written, index) => {
      const plain = texts.plainOf(index);
      if (mayMatch && patterns.some((found) => found(written) || (plain !== written && found(plain)))) return true;
      return holdsWord && holdsOne(plain.toLowerCase(), folded);
    });
  };
}

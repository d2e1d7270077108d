// What rules of all kinds have in common: which effects they are about. Compiled to closures; pure.
import { riskClasses } from '../tools/tool.ts';
import type { Condition } from './condition.ts';
import { allOf, compileCondition, type Test } from './condition-compile.ts';
import type { GateInput } from './gate.ts';
import { compileGlobs } from './glob.ts';
import type { Situation } from './judge.ts';
import type { GateAction } from './policy.ts';
import type { RiskField } from './rule-fields.ts';

export interface MatchFields {
  readonly actions?: readonly GateAction[] | undefined;
  readonly tools?: readonly string[] | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly environmentKinds?: readonly string[] | undefined;
  readonly capabilities?: readonly string[] | undefined;
  readonly risk?: RiskField | undefined;
  readonly when?: Condition | undefined;
}

/** A rule's question in two parts: of the situation, and of the single effect (absent: the situation settles it). */
export interface Matching {
  readonly ofSituation: Test<Situation>;
  readonly ofEffect: Test | undefined;
}

/** `usual`: actions of a rule that names none. */
export function compileMatching(rule: MatchFields, usual: readonly GateAction[]): Matching {
  const actions = new Set<GateAction>(rule.actions ?? usual);
  const tools = rule.tools && compileGlobs(rule.tools);
  const roles = rule.roles && new Set<string>(rule.roles);
  const kinds = rule.environmentKinds && new Set<string>(rule.environmentKinds);
  const capabilities = rule.capabilities && new Set<string>(rule.capabilities);
  const risks = rule.risk && risksOf(rule.risk);
  return {
    ofSituation: allOf<Situation>([
      (situation) => actions.has(situation.action),
      kinds && ((situation) => kinds.has(situation.environmentKind)),
      tools && (({ tool }) => tool !== null && tools(tool.name)),
      capabilities && (({ tool }) => tool !== null && capabilities.has(tool.capability)),
      risks && (({ tool }) => tool !== null && risks.has(tool.risk)),
      roles && ((situation) => situation.roles.some((role) => roles.has(role))),
    ]),
    ofEffect: rule.when && compileCondition(rule.when),
  };
}

/** Both parts at once. */
export const wholly = ({ ofSituation, ofEffect }: Matching): Test =>
  ofEffect ? (input: GateInput) => ofSituation(input) && ofEffect(input) : ofSituation;

/** For a judge that is asked only where one of `of` may match: if that is the only one, the situation is settled. */
export const whereMatching = (matching: Matching, of: readonly unknown[]): Test =>
  of.length === 1 ? (matching.ofEffect ?? always) : wholly(matching);
const always = () => true;

export const also = (matching: Matching, test: Test | undefined): Matching =>
  test ? { ...matching, ofEffect: matching.ofEffect ? allOf([test, matching.ofEffect]) : test } : matching;

function risksOf(risk: RiskField & {}): ReadonlySet<string> {
  return new Set(Array.isArray(risk) ? risk : riskClasses.slice(riskClasses.indexOf(risk.atLeast)));
}

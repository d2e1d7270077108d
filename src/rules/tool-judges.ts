// What policies of the kinds `tool_access` and `approval_required` say of one effect. Pure; no I/O.
import { parseDuration } from '../platform/duration.ts';
import { anyOf, type Test } from './condition-compile.ts';
import type { GateInput } from './gate.ts';
import { bySituation, whereConcerned, type Judge, type Opinion, type PolicySource, type Situation } from './judge.ts';
import { also, compileMatching, whereMatching, wholly, type Matching } from './matching.ts';
import { compileHosts, targetsOf } from './targets.ts';
import { defaultExpiresInMs, type ApprovalRequiredRule, type ToolAccessRule } from './tool-rules.ts';

const calls = ['tool.call', 'http.request'] as const;

/** A judge that is remembered when no rule looks beyond the situation. */
function judgeOf<Rule extends { readonly matching: Matching; readonly test: Test }>(
  rules: readonly Rule[],
  judge: <Effect extends Situation>(effect: Effect, matches: (rule: Rule, effect: Effect) => boolean) => Opinion | null,
  isExhaustive = false,
): Judge {
  if (rules.every(({ matching }) => !matching.ofEffect)) {
    return bySituation((situation) => judge(situation, ({ matching }, each) => matching.ofSituation(each)));
  }
  // Without an allowlist it speaks only where one of its rules may match.
  const concerns = (situation: Situation) => isExhaustive || rules.some(({ matching }) => matching.ofSituation(situation));
  const mayMatch = anyOf(rules.map(({ test }) => test));
  return whereConcerned(concerns, (input) =>
    isExhaustive || mayMatch(input) ? judge<GateInput>(input, ({ test }, each) => test(each)) : null,
  );
}

export function toolAccess({ name }: PolicySource, rules: readonly ToolAccessRule[]): Judge {
  const isAllowlist = rules.some(({ effect }) => effect === 'allow');
  const numbered = rules.map((rule, index) => {
    const matching = compileMatching(rule, calls);
    return { rule, number: index + 1, matching, test: isAllowlist ? wholly(matching) : whereMatching(matching, rules) };
  });
  const allowed = [...new Set(rules.flatMap(({ effect, tools }) => (effect === 'allow' ? tools : [])))].slice(0, 10).join(', ');
  const denials = numbered.filter(({ rule }) => rule.effect === 'deny');
  const allowances = numbered.filter(({ rule }) => rule.effect === 'allow');
  return judgeOf(
    numbered,
    (effect, matches) => {
      const { tool } = effect;
      if (tool === null || effect.action === 'output.deliver') return null;
      for (const denial of denials) {
        if (!matches(denial, effect)) continue;
        const said = denial.rule.message ? `: ${denial.rule.message}` : '.';
        return { effect: 'deny', reason: `Policy "${name}" (rule ${denial.number}) refuses the tool ${tool.name}${said}` };
      }
      if (allowances.length === 0) return null;
      for (const allowance of allowances) {
        if (!matches(allowance, effect)) continue;
        return { effect: 'allow', reason: `Policy "${name}" (rule ${allowance.number}) allows the tool ${tool.name}.` };
      }
      return {
        effect: 'deny',
        reason: `Policy "${name}" allows only what its allow rules name (${allowed}), under their conditions; this call of ${tool.name} matches none of them.`,
      };
    },
    isAllowlist,
  );
}

export function approvalRequired({ name }: PolicySource, rules: readonly ApprovalRequiredRule[]): Judge {
  const numbered = rules.map((rule, index) => {
    const expiresInMs = (rule.expiresIn === undefined ? null : parseDuration(rule.expiresIn)) ?? defaultExpiresInMs;
    const matching = also(also(compileMatching(rule, calls), destinationTest(rule)), costTest(rule));
    return { rule, number: index + 1, expiresInMs, matching, test: whereMatching(matching, rules) };
  });
  return judgeOf(numbered, (effect, matches) => {
    for (const each of numbered) {
      if (!matches(each, effect)) continue;
      const { rule, number, expiresInMs } = each;
      const said = rule.reason ? `: ${rule.reason}` : ` before ${whatRuns(effect)} runs.`;
      const reason = `Policy "${name}" (rule ${number}) asks for an approval${said}`;
      return { effect: 'require_approval', reason, expiresInMs, ...(rule.approvers && { terms: rule.approvers }) };
    }
    return null;
  });
}

const whatRuns = ({ tool }: Situation): string => (tool ? `${tool.name} (${tool.risk} risk)` : 'the execution');

function destinationTest({ destinations }: ApprovalRequiredRule): Test | undefined {
  if (!destinations) return undefined;
  const matches = compileHosts(destinations);
  return (input) => targetsOf(input).some(matches);
}

function costTest({ costMicroUsd }: ApprovalRequiredRule): Test | undefined {
  if (!costMicroUsd) return undefined;
  const { atLeast, orUnknown = false } = costMicroUsd;
  return (input) => (input.costMicroUsd == null ? orUnknown : input.costMicroUsd >= atLeast);
}

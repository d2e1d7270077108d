// Rules compiled once to closures: what one policy says of one effect.
import { parseDuration } from '../platform/duration.ts';
import { riskClasses } from '../tools/tool.ts';
import { compileGlobs } from './glob.ts';
import { bySituation, type Judge, type PolicySource, type Situation } from './judge.ts';
import { defaultExpiresInMs, parseRules } from './rules.ts';
import type { ApprovalRequiredRule, ToolAccessRule } from './tool-rules.ts';

export type { PolicySource } from './judge.ts';

/** What the rules of this file look at. */
type Call = Pick<Situation, 'environmentKind' | 'roles' | 'tool'>;

/** Rules that cannot be read (written by another release) become a judge that throws: the gate then fails closed. */
export function compileRules(source: PolicySource): Judge {
  switch (source.kind) {
    case 'tool_access': {
      const parsed = parseRules('tool_access', source.rules);
      return parsed.ok ? toolAccess(source, parsed.rules) : unreadable(parsed.problems[0]);
    }
    case 'approval_required': {
      const parsed = parseRules('approval_required', source.rules);
      return parsed.ok ? approvalRequired(source, parsed.rules) : unreadable(parsed.problems[0]);
    }
    default:
      return unreadable({ path: 'kind', message: `"${source.kind as string}" is not known to this release` });
  }
}

function unreadable(problem: { path: string; message: string } | undefined): Judge {
  const message = problem ? `${problem.path}: ${problem.message}` : 'its rules cannot be read';
  return () => {
    throw new Error(message);
  };
}

type ToolCall = Call & { readonly tool: NonNullable<Call['tool']> };
type Condition = (call: ToolCall) => boolean;

const isToolCall = (call: Call): call is ToolCall => call.tool !== null;

/** The hot path: a chain of two-way closures is several times faster than `every` over a list. */
function allOf(conditions: readonly (Condition | undefined)[]): Condition {
  const [first, ...rest] = conditions.filter((condition) => condition !== undefined);
  if (!first) return () => true;
  return rest.reduce((both, next) => (call) => both(call) && next(call), first);
}

function sharedConditions(rule: Pick<ApprovalRequiredRule, 'tools' | 'environmentKinds'>): (Condition | undefined)[] {
  const tools = rule.tools && compileGlobs(rule.tools);
  const kinds = rule.environmentKinds && new Set<string>(rule.environmentKinds);
  return [kinds && ((call) => kinds.has(call.environmentKind)), tools && ((call) => tools(call.tool.name))];
}

function toolAccess(source: PolicySource, rules: readonly ToolAccessRule[]): Judge {
  const compiled = rules.map((rule, index) => {
    const roles = rule.roles && new Set<string>(rule.roles);
    const capabilities = rule.capabilities && new Set<string>(rule.capabilities);
    return {
      index,
      rule,
      matches: allOf([
        ...sharedConditions(rule),
        capabilities && ((call) => capabilities.has(call.tool.capability)),
        roles && ((call) => call.roles.some((role) => roles.has(role))),
      ]),
    };
  });
  const denials = compiled.filter(({ rule }) => rule.effect === 'deny');
  const allowances = compiled.filter(({ rule }) => rule.effect === 'allow');
  const listed = [...new Set(allowances.flatMap(({ rule }) => rule.tools))].slice(0, 10).join(', ');
  return bySituation((call) => {
    if (!isToolCall(call)) return null;
    const denial = denials.find(({ matches }) => matches(call));
    if (denial) {
      const said = denial.rule.message ? `: ${denial.rule.message}` : '.';
      return { effect: 'deny', reason: `Policy "${source.name}" (rule ${denial.index + 1}) refuses the tool ${call.tool.name}${said}` };
    }
    if (allowances.length === 0) return null;
    const allowance = allowances.find(({ matches }) => matches(call));
    if (allowance) {
      return { effect: 'allow', reason: `Policy "${source.name}" (rule ${allowance.index + 1}) allows the tool ${call.tool.name}.` };
    }
    return {
      effect: 'deny',
      reason: `Policy "${source.name}" allows only what its allow rules name (${listed}), under their conditions; this call of ${call.tool.name} matches none of them.`,
    };
  });
}

function approvalRequired(source: PolicySource, rules: readonly ApprovalRequiredRule[]): Judge {
  const compiled = rules.map((rule, index) => {
    const risks = rule.risk && risksOf(rule.risk);
    return {
      rule,
      number: index + 1,
      expiresInMs: (rule.expiresIn === undefined ? null : parseDuration(rule.expiresIn)) ?? defaultExpiresInMs,
      matches: allOf([...sharedConditions(rule), risks && ((call) => risks.has(call.tool.risk))]),
    };
  });
  return bySituation((call) => {
    if (!isToolCall(call)) return null;
    const match = compiled.find(({ matches }) => matches(call));
    if (!match) return null;
    const said = match.rule.reason ? `: ${match.rule.reason}` : ` before ${call.tool.name} (${call.tool.risk} risk) runs.`;
    return {
      effect: 'require_approval',
      reason: `Policy "${source.name}" (rule ${match.number}) asks for an approval${said}`,
      expiresInMs: match.expiresInMs,
    };
  });
}

function risksOf(risk: NonNullable<ApprovalRequiredRule['risk']>): ReadonlySet<string> {
  return new Set(Array.isArray(risk) ? risk : riskClasses.slice(riskClasses.indexOf(risk.atLeast)));
}

// Policies compiled once: rules to closures, scopes to an index, so that judging one effect touches only what is in its scope.
import { parseDuration } from '../platform/duration.ts';
import { riskClasses } from '../tools/tool.ts';
import type { GateInput } from './gate.ts';
import { compileGlobs } from './glob.ts';
import type { DecisionEffect, PolicyKind, PolicyMode, PolicyScope } from './policy.ts';
import { defaultExpiresInMs, parseRules, type ApprovalRequiredRule, type ToolAccessRule } from './rules.ts';

/** A policy as stored; enabled ones only. */
export interface PolicySource {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly kind: PolicyKind;
  readonly mode: PolicyMode;
  readonly priority: number;
  readonly scope: PolicyScope;
  readonly rules: unknown;
}

/** What a policy says of one effect; null when it has nothing to say. */
export interface Opinion {
  readonly effect: DecisionEffect;
  readonly reason: string;
  readonly expiresInMs?: number | undefined;
}
export type Judge = (input: GateInput) => Opinion | null;

export interface CompiledPolicy {
  readonly source: PolicySource;
  readonly judge: Judge;
}

export interface PolicySet {
  /** The policies whose scope covers `input`, by priority (lower first), then by id. */
  inScope(input: GateInput): readonly CompiledPolicy[];
  readonly size: number;
}

/** Scopes remembered by one set; beyond it the oldest is forgotten. */
const maxRememberedScopes = 1_000;

export function compilePolicies(sources: readonly PolicySource[]): PolicySet {
  return indexPolicies(sources.map((source) => ({ source, judge: compileRules(source) })));
}

export function indexPolicies(policies: readonly CompiledPolicy[]): PolicySet {
  const tenantWide: CompiledPolicy[] = [];
  const byKey = new Map<string, CompiledPolicy[]>();
  for (const policy of policies) {
    const key = narrowestKey(policy.source.scope);
    const list = key === null ? tenantWide : (byKey.get(key) ?? []);
    list.push(policy);
    if (key !== null) byKey.set(key, list);
  }
  const remembered = new Map<string, readonly CompiledPolicy[]>();
  return {
    size: policies.length,
    inScope(input) {
      // Tags are free text: only an encoding that cannot be forged may stand for them.
      const place = `${input.projectId} ${input.environmentId} ${input.agentId} ${JSON.stringify(input.agentTags)}`;
      const known = remembered.get(place);
      if (known) return known;
      const keys = new Set([
        `agent:${input.agentId}`,
        `environment:${input.environmentId}`,
        `project:${input.projectId}`,
        ...input.agentTags.map((tag) => `tag:${tag}`),
      ]);
      const found = [...tenantWide, ...[...keys].flatMap((key) => byKey.get(key) ?? [])]
        .filter(({ source }) => covers(source.scope, input))
        .sort((a, b) => a.source.priority - b.source.priority || (a.source.id < b.source.id ? -1 : 1));
      const oldest = remembered.size >= maxRememberedScopes ? remembered.keys().next() : null;
      if (oldest && !oldest.done) remembered.delete(oldest.value);
      remembered.set(place, found);
      return found;
    },
  };
}

function narrowestKey(scope: PolicyScope): string | null {
  if (scope.agentId !== null) return `agent:${scope.agentId}`;
  if (scope.environmentId !== null) return `environment:${scope.environmentId}`;
  if (scope.tag !== null) return `tag:${scope.tag}`;
  return scope.projectId === null ? null : `project:${scope.projectId}`;
}

const covers = (scope: PolicyScope, input: GateInput): boolean =>
  (scope.projectId === null || scope.projectId === input.projectId) &&
  (scope.environmentId === null || scope.environmentId === input.environmentId) &&
  (scope.agentId === null || scope.agentId === input.agentId) &&
  (scope.tag === null || input.agentTags.includes(scope.tag));

/** Rules that cannot be read (written by another release) become a judge that throws: the gate then fails closed. */
function compileRules(source: PolicySource): Judge {
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

type ToolCall = GateInput & { readonly tool: NonNullable<GateInput['tool']> };
type Condition = (call: ToolCall) => boolean;

const isToolCall = (input: GateInput): input is ToolCall => input.tool !== null;

function allOf(conditions: readonly (Condition | undefined)[]): Condition {
  const present = conditions.filter((condition) => condition !== undefined);
  return (call) => present.every((condition) => condition(call));
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
  return (input) => {
    if (!isToolCall(input)) return null;
    const denial = denials.find(({ matches }) => matches(input));
    if (denial) {
      const said = denial.rule.message ? `: ${denial.rule.message}` : '.';
      return { effect: 'deny', reason: `Policy "${source.name}" (rule ${denial.index + 1}) refuses the tool ${input.tool.name}${said}` };
    }
    if (allowances.length === 0) return null;
    const allowance = allowances.find(({ matches }) => matches(input));
    if (allowance) {
      return { effect: 'allow', reason: `Policy "${source.name}" (rule ${allowance.index + 1}) allows the tool ${input.tool.name}.` };
    }
    return {
      effect: 'deny',
      reason: `Policy "${source.name}" allows only what its allow rules name (${listed}), under their conditions; this call of ${input.tool.name} matches none of them.`,
    };
  };
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
  return (input) => {
    if (!isToolCall(input)) return null;
    const match = compiled.find(({ matches }) => matches(input));
    if (!match) return null;
    const said = match.rule.reason ? `: ${match.rule.reason}` : ` before ${input.tool.name} (${input.tool.risk} risk) runs.`;
    return {
      effect: 'require_approval',
      reason: `Policy "${source.name}" (rule ${match.number}) asks for an approval${said}`,
      expiresInMs: match.expiresInMs,
    };
  };
}

function risksOf(risk: NonNullable<ApprovalRequiredRule['risk']>): ReadonlySet<string> {
  return new Set(Array.isArray(risk) ? risk : riskClasses.slice(riskClasses.indexOf(risk.atLeast)));
}

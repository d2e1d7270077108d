// The rules documents of each policy kind: shape, limits, JSON Schema. Parsing only; what a rule means stands in compile.ts.
import { z } from 'zod';
import { parseDuration } from '../platform/duration.ts';
import type { Problem } from '../platform/errors.ts';
import { knownKeys, problemsOf, textOf } from '../platform/problems.ts';
import { roles } from '../principals/permission.ts';
import { environmentKinds } from '../tenants/tenant.ts';
import { capabilities, riskClasses } from '../tools/tool.ts';
import type { PolicyKind } from './policy.ts';

export const maxRules = 100;
export const maxPatterns = 100;
export const maxPatternLength = 200;
export const maxRuleTextLength = 1_000;
export const defaultExpiresInMs = 24 * 3_600_000;
export const minExpiresInMs = 1_000;
export const maxExpiresInMs = 30 * 24 * 3_600_000;

const toolPattern = z
  .string()
  .min(1)
  .max(maxPatternLength)
  .refine((pattern) => /^[\x21-\x7e]+$/.test(pattern), 'must hold only visible ASCII characters, no spaces')
  .refine(
    (pattern) => pattern.includes('*') || /^[^.]+\../.test(pattern),
    'never matches: tools are named "server.name"; write * for a wildcard',
  )
  .meta({
    description:
      'A tool as `server.name`; each `*` stands for any text, e.g. `files.*` or `*.delete_*`. `http.request` is every request of an http step.',
  });

const list = <Item extends z.ZodType>(item: Item, description: string) =>
  z.array(item).min(1, 'must not be empty; leave it out to match everything').max(maxPatterns).optional().meta({ description });

const environmentKindList = list(z.enum(environmentKinds), 'Kinds of environment the rule is limited to; left out: all.');

const toolAccessRule = knownKeys({
  effect: z.enum(['allow', 'deny']).meta({
    description:
      '`deny` refuses the calls the rule matches. `allow` rules of one policy are its allowlist: a call that none of them matches is refused. A matching `deny` wins over a matching `allow`.',
  }),
  tools: z
    .array(toolPattern)
    .min(1, 'must name at least one tool; ["*"] is every tool')
    .max(maxPatterns)
    .meta({ description: 'Tools the rule is about.' }),
  roles: list(z.enum(roles), 'Matches when the principal behind the execution holds one of these roles there; left out: everybody.'),
  environmentKinds: environmentKindList,
  capabilities: list(z.enum(capabilities), 'Matches tools that need one of these capabilities; left out: all.'),
  message: textOf(maxRuleTextLength).min(1).optional().meta({ description: 'The sentence that a refusal shows, with the way out.' }),
});

const approvalRequiredRule = knownKeys({
  tools: list(toolPattern, 'Tools whose calls need an approval; left out: all.'),
  risk: z
    .union([knownKeys({ atLeast: z.enum(riskClasses) }), z.array(z.enum(riskClasses)).min(1)], {
      error: `must be { "atLeast": class } or a list of classes; classes are ${riskClasses.join(', ')}`,
    })
    .optional()
    .meta({ description: 'Risk classes of the tools: `{ atLeast: high }` or a list; left out: all.' }),
  environmentKinds: environmentKindList,
  reason: textOf(maxRuleTextLength).min(1).optional().meta({ description: 'Why a person must look; shown to the approver.' }),
  expiresIn: z
    .string()
    .refine((text) => {
      const ms = parseDuration(text);
      return ms !== null && ms >= minExpiresInMs && ms <= maxExpiresInMs;
    }, 'must be a duration from 1s to 30d, such as 30m, 24h or 7d')
    .optional()
    .meta({ description: 'How long the request stays open, from 1s to 30d; default 24h.', examples: ['30m', '24h', '7d'] }),
});

const ruleList = <Rule extends z.ZodType>(rule: Rule, description: string) =>
  z.array(rule).min(1, 'must hold at least one rule').max(maxRules).meta({ description });

export const rulesSchemas = {
  tool_access: ruleList(
    toolAccessRule,
    'Which tools may be called. A rule matches a tool call when every condition it names holds. Any matching `deny` rule refuses the call; when the policy has `allow` rules, a call in its scope that none of them matches is refused too.',
  ),
  approval_required: ruleList(
    approvalRequiredRule,
    'Which tool calls a person must approve first. A rule matches when every condition it names holds (a rule without conditions matches every call); the first matching rule gives reason and expiry.',
  ),
} as const satisfies Record<PolicyKind, z.ZodType>;

export type ToolAccessRule = z.output<typeof toolAccessRule>;
export type ApprovalRequiredRule = z.output<typeof approvalRequiredRule>;
export interface RulesOf {
  tool_access: readonly ToolAccessRule[];
  approval_required: readonly ApprovalRequiredRule[];
}

export type ParsedRules<Kind extends PolicyKind> =
  { readonly ok: true; readonly rules: RulesOf[Kind] } | { readonly ok: false; readonly problems: readonly Problem[] };

/** Checks a rules document as a whole: every problem at once, with its path. */
export function parseRules<Kind extends PolicyKind>(kind: Kind, value: unknown): ParsedRules<Kind> {
  const parsed = rulesSchemas[kind].safeParse(value, { reportInput: true });
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error, 'rules') };
  return { ok: true, rules: parsed.data as RulesOf[Kind] };
}

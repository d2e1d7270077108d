// The rules documents of each policy kind in one place: schemas and parsing. What a rule means stands in compile.ts and the judges.
import type { z } from 'zod';
import type { Problem } from '../platform/errors.ts';
import { problemsOf } from '../platform/problems.ts';
import { contentRules, type ContentRule } from './content-rules.ts';
import { dataScopeRules, type DataRule } from './data-rules.ts';
import { destinationRules, type DestinationRule } from './destination-rules.ts';
import type { PolicyKind } from './policy.ts';
import { rateLimitRules, type RateLimitRules } from './rate-rules.ts';
import { timeWindowRules, type TimeWindowRules } from './time-rules.ts';
import { approvalRequiredRules, toolAccessRules, type ApprovalRequiredRule, type ToolAccessRule } from './tool-rules.ts';

export { maxPatterns, maxRules } from './rule-fields.ts';
export { defaultExpiresInMs } from './tool-rules.ts';

export const rulesSchemas = {
  tool_access: toolAccessRules,
  approval_required: approvalRequiredRules,
  rate_limit: rateLimitRules,
  time_window: timeWindowRules,
  destination: destinationRules,
  data_scope: dataScopeRules,
  content: contentRules,
} as const satisfies Record<PolicyKind, z.ZodType>;

export interface RulesOf {
  tool_access: readonly ToolAccessRule[];
  approval_required: readonly ApprovalRequiredRule[];
  rate_limit: RateLimitRules;
  time_window: TimeWindowRules;
  destination: readonly DestinationRule[];
  data_scope: readonly DataRule[];
  content: readonly ContentRule[];
}

export type ParsedRules<Kind extends PolicyKind> =
  { readonly ok: true; readonly rules: RulesOf[Kind] } | { readonly ok: false; readonly problems: readonly Problem[] };

/** Checks a rules document as a whole: every problem at once, with its path. */
export function parseRules<Kind extends PolicyKind>(kind: Kind, value: unknown): ParsedRules<Kind> {
  const schema: z.ZodType = rulesSchemas[kind];
  const parsed = schema.safeParse(value, { reportInput: true });
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error, 'rules') };
  return { ok: true, rules: parsed.data as RulesOf[Kind] };
}

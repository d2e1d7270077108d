// Rules of `tool_access` and `approval_required`: shape and limits. What they mean stands in tool-judges.ts.
import { z } from 'zod';
import { approvalTermsField } from '../approvals/approval-terms-schema.ts';
import { knownKeys, textOf } from '../platform/problems.ts';
import { hostList } from './destination-rules.ts';
import {
  actionList,
  areStarts,
  dispatchActions,
  durationBetween,
  matchFields,
  maxRuleTextLength,
  messageField,
  reportIdleFields,
  ruleList,
  toolList,
  toolPatterns,
} from './rule-fields.ts';

export const defaultExpiresInMs = 24 * 3_600_000;

const toolAccessRule = knownKeys({
  effect: z.enum(['allow', 'deny']).meta({
    description:
      '`deny` refuses the calls the rule matches. `allow` rules of one policy are its allowlist: a call that none of them matches is refused. A matching `deny` wins over a matching `allow`.',
  }),
  tools: toolPatterns,
  ...matchFields,
  message: messageField,
});
export type ToolAccessRule = z.output<typeof toolAccessRule>;

const cost = knownKeys({
  atLeast: z.int().min(0).meta({ description: 'Millionths of a US dollar: 500000 is half a dollar.' }),
  orUnknown: z.boolean().optional().meta({ description: 'Matches also when nobody knows the cost; default false.' }),
});

const approvalRequiredRule = knownKeys({
  actions: actionList(dispatchActions, 'tool.call and http.request'),
  tools: toolList,
  destinations: hostList,
  costMicroUsd: cost.optional().meta({ description: 'Estimated cost from which the rule matches.' }),
  ...matchFields,
  reason: textOf(maxRuleTextLength).min(1).optional().meta({ description: 'Why a person must look; shown to the approver.' }),
  expiresIn: durationBetween('1s', '30d', '30m, 24h or 7d')
    .optional()
    .meta({ description: 'How long the request stays open, from 1s to 30d; default 24h.', examples: ['30m', '24h', '7d'] }),
  approvers: approvalTermsField.optional(),
}).superRefine((rule, context) => reportIdleFields(rule, areStarts(rule.actions), context));
export type ApprovalRequiredRule = z.output<typeof approvalRequiredRule>;

export const toolAccessRules = ruleList(
  toolAccessRule,
  'Which tools may be called. A rule matches a tool call when every condition it names holds. Any matching `deny` rule refuses the call; when the policy has `allow` rules, a call in its scope that none of them matches is refused too.',
);
export const approvalRequiredRules = ruleList(
  approvalRequiredRule,
  'What a person must approve first. A rule matches when every condition it names holds (a rule without conditions matches every call and request); the first matching rule gives reason, expiry and approvers.',
);

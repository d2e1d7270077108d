// What the author of a policy may write, checked as a whole: every problem at once. No I/O.
import { z } from 'zod';
import { ValidationError, type Problem } from '../platform/errors.ts';
import { problemsOf, textOf } from '../platform/problems.ts';
import { namePattern } from '../tenants/tenant.ts';
import { failureModes, policyKinds, policyModes, type PolicyKind } from '../rules/policy.ts';
import { toolPattern } from '../rules/rule-fields.ts';
import { parseRules } from '../rules/rules.ts';

export const maxPriority = 10_000;
export const maxTagLength = 63;
export const maxAttachments = 50;
export const minRolloutWindowMs = 60_000;
export const maxRolloutWindowMs = 14 * 86_400_000;
export const defaultRolloutWindowMs = 3_600_000;
const maxDescriptionLength = 2_000;

const mode = z.enum(policyModes);
const priority = z.int().min(0).max(maxPriority);
const percent = z.number().min(0).max(100);

export const tagField = textOf(maxTagLength).min(1).meta({ description: 'A tag of the agent.' });
export const toolField = toolPattern.meta({
  description: 'A pattern of tools, as in rules: `files.*`. Then it says nothing of effects without a tool.',
});

/** The fields that stand outside the rules, as in GraphQL and in a policy document. */
export const policyFields = {
  name: z
    .string()
    .regex(namePattern, 'must start with a lower-case letter and hold only lower-case letters, digits and "-", at most 63 characters')
    .meta({ description: 'Unique in the tenant: lower-case letters, digits and "-".' }),
  description: textOf(maxDescriptionLength).default('').meta({ description: 'What it is for.' }),
  mode: mode.default('enforce').meta({
    description:
      '`observe` is evaluated and recorded but has no consequences; `inject` puts the reason in front of the output of what runs; `enforce` decides.',
  }),
  priority: priority.default(100).meta({ description: 'Order of findings and reasons: lower first.' }),
  onError: z
    .enum(failureModes)
    .default('allow')
    .meta({ description: 'What holds for calls of low and medium risk when it cannot be evaluated; high and critical ones are refused.' }),
};

/** What an attachment may say otherwise than the policy. */
export const attachmentFields = {
  mode: mode.optional().meta({ description: 'Its mode there; left out: as in the policy.' }),
  priority: priority.optional().meta({ description: 'Its priority there; left out: as in the policy.' }),
  enabled: z.boolean().optional().meta({ description: '`false` is an exception: the policy says nothing there.' }),
};

export const rolloutFields = {
  percent: percent.meta({
    description: 'Share of executions, by a stable hash of their id, for which it has its mode; it is observed for the others.',
  }),
  maxDenialPercent: percent.optional().meta({ description: 'It falls back to `observe` when it denies more than this share.' }),
};

const scope = z.object({ tag: tagField.nullish(), tool: toolField.nullish() });
const fields = z.object({
  ...policyFields,
  kind: z.enum(policyKinds),
  scope,
  attachments: z
    .array(z.object({ scope, mode: mode.nullish(), priority: priority.nullish(), enabled: z.boolean().nullish() }))
    .max(maxAttachments),
  rollout: z
    .object({
      percent,
      maxDenialPercent: percent.nullish(),
      windowMs: z.int().min(minRolloutWindowMs).max(maxRolloutWindowMs).default(defaultRolloutWindowMs),
    })
    .nullable(),
});
export type PolicyFields = z.output<typeof fields>;

/** Throws one ValidationError for fields and rules together; gives the fields with their defaults. */
export function checkPolicy(input: z.input<typeof fields> & { readonly rules?: unknown }): PolicyFields {
  const parsed = fields.safeParse(input, { reportInput: true });
  const problems: Problem[] = parsed.success ? [] : problemsOf(parsed.error);
  if (isKind(input.kind)) {
    const rules = parseRules(input.kind, input.rules);
    if (!rules.ok) problems.push(...rules.problems);
  }
  if (problems.length > 0 || !parsed.success) throw new ValidationError(problems);
  return parsed.data;
}

const isKind = (kind: string): kind is PolicyKind => (policyKinds as readonly string[]).includes(kind);

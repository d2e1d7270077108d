// What the author of a policy may write, checked as a whole: every problem at once. No I/O.
import { z } from 'zod';
import { ValidationError, type Problem } from '../platform/errors.ts';
import { problemsOf, textOf } from '../platform/problems.ts';
import { namePattern } from '../tenants/tenant.ts';
import { policyKinds, policyModes, type PolicyKind } from './policy.ts';
import { parseRules } from './rules.ts';

export const maxPriority = 10_000;
export const maxTagLength = 63;
const maxDescriptionLength = 2_000;

/** The fields that stand outside the rules, as in GraphQL and in a policy document. */
export const policyFields = {
  name: z
    .string()
    .regex(namePattern, 'must start with a lower-case letter and hold only lower-case letters, digits and "-", at most 63 characters')
    .meta({ description: 'Unique in the tenant: lower-case letters, digits and "-".' }),
  description: textOf(maxDescriptionLength).default('').meta({ description: 'What it is for.' }),
  mode: z.enum(policyModes).default('enforce').meta({ description: '`observe` is evaluated and recorded but never enforced.' }),
  priority: z.int().min(0).max(maxPriority).default(100).meta({ description: 'Order of findings and reasons: lower first.' }),
};
export const tagField = textOf(maxTagLength).min(1).meta({ description: 'A tag of the agent.' });

const fields = z.object({ ...policyFields, kind: z.enum(policyKinds), tag: tagField.nullable() });
export type PolicyFields = z.output<typeof fields>;

/** Throws one ValidationError for fields and rules together; gives the fields with their defaults. */
export function checkPolicy(input: z.input<typeof fields> & { readonly rules?: unknown }): PolicyFields {
  const problems: Problem[] = [];
  const parsed = fields.safeParse(input, { reportInput: true });
  if (!parsed.success) {
    problems.push(
      ...problemsOf(parsed.error).map((problem) => ({ ...problem, path: problem.path === 'tag' ? 'scope.tag' : problem.path })),
    );
  }
  if (isKind(input.kind)) {
    const rules = parseRules(input.kind, input.rules);
    if (!rules.ok) problems.push(...rules.problems);
  }
  if (problems.length > 0 || !parsed.success) throw new ValidationError(problems);
  return parsed.data;
}

const isKind = (kind: string): kind is PolicyKind => (policyKinds as readonly string[]).includes(kind);

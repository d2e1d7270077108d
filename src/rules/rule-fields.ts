// Fields that the rules of several policy kinds share: which effects a rule is about, and what it says. Shapes only; no I/O.
import { z } from 'zod';
import { parseDuration } from '../platform/duration.ts';
import { knownKeys, textOf } from '../platform/problems.ts';
import { roles } from '../authority/permission.ts';
import { environmentKinds } from '../tenants/tenant.ts';
import { capabilities, riskClasses } from '../tools/tool.ts';
import { whenField } from './condition.ts';
import type { GateAction } from './policy.ts';

export const maxRules = 100;
export const maxPatterns = 100;
export const maxPatternLength = 200;
export const maxRuleTextLength = 1_000;

/** What dispatches something; `output.deliver` hands on what is done already. */
export const dispatchActions = ['execution.start', 'tool.call', 'http.request'] as const satisfies readonly GateAction[];

export const toolPattern = z
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

export const list = <Item extends z.ZodType>(item: Item, description: string) =>
  z.array(item).min(1, 'must not be empty; leave it out to match everything').max(maxPatterns).optional().meta({ description });

export const ruleList = <Rule extends z.ZodType>(rule: Rule, description: string) =>
  z.array(rule).min(1, 'must hold at least one rule').max(maxRules).meta({ description });

/** At least one tool has to be named. */
export const toolPatterns = z
  .array(toolPattern)
  .min(1, 'must name at least one tool; ["*"] is every tool')
  .max(maxPatterns)
  .meta({ description: 'Tools the rule is about.' });

export const toolList = list(toolPattern, 'Tools it is limited to; left out: all.');
export const roleList = list(
  z.enum(roles),
  'Matches when the principal behind the execution holds one of these roles there; left out: everybody.',
);
export const environmentKindList = list(z.enum(environmentKinds), 'Kinds of environment the rule is limited to; left out: all.');
export const capabilityList = list(z.enum(capabilities), 'Matches tools that need one of these capabilities; left out: all.');

export const actionList = <Action extends GateAction>(actions: readonly Action[], usual: string) =>
  list(z.enum(actions as readonly [Action, ...Action[]]), `What it is about: ${actions.join(', ')}; left out: ${usual}.`);

export const riskField = z
  .union([knownKeys({ atLeast: z.enum(riskClasses) }), z.array(z.enum(riskClasses)).min(1)], {
    error: `must be { "atLeast": class } or a list of classes; classes are ${riskClasses.join(', ')}`,
  })
  .optional()
  .meta({ description: 'Risk classes of the tools: `{ atLeast: high }` or a list; left out: all.' });
export type RiskField = z.output<typeof riskField>;

/** Which effects a rule is about, in every kind that has rules for tools. */
export const matchFields = {
  roles: roleList,
  environmentKinds: environmentKindList,
  capabilities: capabilityList,
  risk: riskField,
  when: whenField,
};

/** For rules that may be about starts alone: these have neither tool nor destination, so such a rule would never match. */
export function reportIdleFields(
  rule: { readonly [Field in 'tools' | 'capabilities' | 'risk' | 'destinations']?: unknown },
  isAboutStartsOnly: boolean,
  context: z.RefinementCtx,
): void {
  for (const field of isAboutStartsOnly ? (['tools', 'capabilities', 'risk', 'destinations'] as const) : []) {
    if (rule[field] === undefined) continue;
    const message = 'never matches: starts of executions have no tool and no destination; leave it out';
    context.addIssue({ code: 'custom', path: [field], message });
  }
}
export const areStarts = (actions: readonly GateAction[] | undefined): boolean =>
  actions !== undefined && actions.every((action) => action === 'execution.start');

export const messageField = textOf(maxRuleTextLength)
  .min(1)
  .optional()
  .meta({ description: 'The sentence that a refusal shows, with the way out.' });

/** A duration as text, within bounds that are durations, too. */
export const durationBetween = (least: string, most: string, example: string) =>
  z.string().refine((text) => {
    const ms = parseDuration(text);
    return ms !== null && ms >= parseDuration(least)! && ms <= parseDuration(most)!;
  }, `must be a duration from ${least} to ${most}, such as ${example}`);

// Rules of `content`: patterns that must not occur. What they mean stands in content-judge.ts.
import { z } from 'zod';
import { knownKeys, textOf } from '../platform/problems.ts';
import { patternProblem } from './pattern.ts';
import { matchFields, maxPatterns, messageField, reportIdleFields, ruleList, toolList } from './rule-fields.ts';

export const contentPlaces = ['inputs', 'arguments', 'outputs'] as const;
export type ContentPlace = (typeof contentPlaces)[number];

const pattern = z.string().superRefine((value, context) => {
  const problem = patternProblem(value);
  if (problem) context.addIssue({ code: 'custom', message: problem });
});

const contentRule = knownKeys({
  effect: z.enum(['deny', 'warn', 'require_approval']).meta({
    description: 'What a find leads to. An output cannot wait for a person: there, require_approval refuses.',
  }),
  matches: z.array(pattern).min(1).max(maxPatterns).optional().meta({
    description: 'Regular expressions (RE2 syntax, linear time), found anywhere in a text; `(?i)` in front ignores upper and lower case.',
  }),
  words: z
    .array(textOf(200).refine((word) => word.trim() !== '', 'must not be blank'))
    .min(1)
    .max(maxPatterns)
    .optional()
    .meta({ description: 'Texts, found anywhere whatever their upper and lower case.' }),
  in: z.array(z.enum(contentPlaces)).min(1, 'must not be empty; leave it out to look everywhere').optional().meta({
    description: 'Where: inputs of executions, arguments of calls and requests, outputs of steps and executions; left out: everywhere.',
  }),
  tools: toolList,
  ...matchFields,
  message: messageField,
}).superRefine((rule, context) => {
  reportIdleFields(rule, rule.in?.every((place) => place === 'inputs') ?? false, context);
  if (!rule.matches && !rule.words) context.addIssue({ code: 'custom', message: 'needs matches or words' });
});
export type ContentRule = z.output<typeof contentRule>;

export const contentRules = ruleList(
  contentRule,
  'What must not occur in texts: values and names of members, as written and with invisible characters and look-alike forms taken away. Every rule that matches counts.',
);

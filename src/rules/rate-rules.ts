// Rules of `rate_limit`: shape and limits. What they mean stands in rate-judge.ts, how it is counted in rate-store.ts.
import { z } from 'zod';
import { knownKeys } from '../platform/problems.ts';
import { durationBetween, matchFields, messageField, toolList } from './rule-fields.ts';

/** Entries of one counter that are looked at for one answer: what a window may hold. */
export const maxRateLimit = 10_000;
export const defaultMaxQueueMs = 600_000;

/** What is counted apart; all of a policy together when nothing is. */
export const rateParts = ['agent', 'tool', 'principal', 'environment', 'project'] as const;
export type RatePart = (typeof rateParts)[number];

export const rateLimitRules = knownKeys({
  count: z.enum(['executions', 'tool_calls']).meta({
    description: '`executions`: their starts. `tool_calls`: every attempt of a tool call or of a request of an http step.',
  }),
  limit: z
    .int()
    .min(1)
    .max(maxRateLimit)
    .meta({ description: `So many in any stretch of time as long as the window; at most ${maxRateLimit}.` }),
  window: durationBetween('1s', '31d', '1m or 24h').meta({
    description: 'How long the window is, which slides; from 1s to 31d.',
    examples: ['1m'],
  }),
  per: z
    .array(z.enum(rateParts))
    .max(rateParts.length)
    .refine((parts) => new Set(parts).size === parts.length, 'must not name the same thing twice')
    .default([])
    .meta({ description: `What has a count of its own: ${rateParts.join(', ')}, or several; left out: all in scope share one.` }),
  tools: toolList,
  ...matchFields,
  onViolation: z
    .enum(['reject', 'queue', 'warn'])
    .default('reject')
    .meta({ description: 'Beyond the limit: refuse, wait in line for the moment a place is free, or let it pass with a warning.' }),
  maxDelay: durationBetween('1s', '30d', '30s or 10m')
    .optional()
    .meta({ description: 'With queue: refused when it would have to wait longer; from 1s to 30d, default 10m.' }),
  message: messageField,
})
  .superRefine((rules, context) => {
    if (rules.maxDelay !== undefined && rules.onViolation !== 'queue') {
      context.addIssue({
        code: 'custom',
        path: ['maxDelay'],
        message: `has no meaning with ${rules.onViolation}; set onViolation: queue or leave it out`,
        input: rules.maxDelay,
      });
    }
    if (rules.count !== 'executions') return;
    for (const field of ['tools', 'capabilities', 'risk'] as const) {
      if (rules[field] === undefined) continue;
      context.addIssue({
        code: 'custom',
        path: [field],
        message: 'starts of executions have no tool; count: tool_calls or leave it out',
        input: rules[field],
      });
    }
    if (rules.per.includes('tool')) {
      context.addIssue({ code: 'custom', path: ['per'], message: 'starts of executions have no tool to be counted by', input: rules.per });
    }
  })
  .meta({ description: 'At most so many executions or tool calls in any stretch of time of a given length, exact over all processes.' });
export type RateLimitRules = z.output<typeof rateLimitRules>;

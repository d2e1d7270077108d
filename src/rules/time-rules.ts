// Rules of `time_window`: shape and limits. What they mean stands in time-judge.ts.
import { z } from 'zod';
import { knownKeys } from '../platform/problems.ts';
import { dateList, endHourField, hourField, timezoneField, weekdayList } from '../platform/calendar-fields.ts';
import {
  actionList,
  areStarts,
  dispatchActions,
  durationBetween,
  matchFields,
  messageField,
  reportIdleFields,
  toolList,
} from './rule-fields.ts';

export const maxWindows = 50;

const timeWindow = knownKeys({
  days: weekdayList.optional().meta({ description: 'Days on which it opens; left out: every day.' }),
  from: hourField.meta({ description: 'On the clock of the zone, `HH:MM`.', examples: ['09:00'] }),
  to: endHourField.meta({
    description: 'The first minute outside, `HH:MM`; `24:00` is the end of the day. Earlier than `from`: on the next day.',
  }),
}).superRefine(({ from, to }, context) => {
  if (from === to)
    context.addIssue({
      code: 'custom',
      path: ['to'],
      message: 'must differ from `from`; write 00:00 to 24:00 for the whole day',
      input: to,
    });
});
export type TimeWindow = z.output<typeof timeWindow>;

export const timeWindowRules = knownKeys({
  timezone: timezoneField,
  windows: z
    .array(timeWindow)
    .min(1, 'must hold at least one window; to refuse always, use tool_access')
    .max(maxWindows)
    .meta({ description: 'When it is allowed.' }),
  holidays: dateList
    .optional()
    .meta({ description: 'Dates of the zone that are closed: no window opens on them, and one from the day before ends with it.' }),
  actions: actionList(dispatchActions, 'all of them'),
  tools: toolList,
  ...matchFields,
  onViolation: z
    .enum(['reject', 'delay_until_allowed'])
    .default('reject')
    .meta({ description: 'Outside the windows: refuse, or wait for the next one.' }),
  maxDelay: durationBetween('1m', '30d', '12h or 3d')
    .optional()
    .meta({ description: 'With delay_until_allowed: refused when it would have to wait longer; from 1m to 30d, default 7d.' }),
  message: messageField,
})
  .superRefine((rules, context) => {
    reportIdleFields(rules, areStarts(rules.actions), context);
    if (rules.maxDelay !== undefined && rules.onViolation === 'reject') {
      context.addIssue({
        code: 'custom',
        path: ['maxDelay'],
        message: 'has no meaning with reject; set onViolation: delay_until_allowed or leave it out',
      });
    }
  })
  .meta({ description: 'Days and hours in which things may happen, on the clock of one time zone.' });
export type TimeWindowRules = z.output<typeof timeWindowRules>;
export const defaultMaxDelayMs = 7 * 86_400_000;

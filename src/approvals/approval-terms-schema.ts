// Who may decide, as people write it in policies and definitions, and as `ApprovalTerms`. Shape and limits; whether those named
// exist is looked up where it is saved.
import { z } from 'zod';
import { dateList, endHourField, hourField, minutesOf, timezoneField, weekdayList, weekdays } from '../platform/calendar-fields.ts';
import { parseDuration } from '../platform/duration.ts';
import { knownKeys, textOf } from '../platform/problems.ts';
import { roles } from '../authority/permission.ts';
import type { ApprovalTerms, Approver } from './approval-terms.ts';

export const maxStages = 10;
export const maxApprovers = 50;
export const maxQuorum = 20;

const reference = textOf(200).min(1, 'must not be empty');

const approver = knownKeys({
  principal: reference.optional().meta({ description: 'A person or service account: name or id.' }),
  role: z.enum(roles).optional().meta({ description: 'Everybody who holds exactly this role where the effect happens.' }),
  team: reference.optional().meta({ description: 'The people of a team: its name or id.' }),
})
  .superRefine((value, context) => {
    if (Object.values(value).filter((each) => each !== undefined).length !== 1) {
      context.addIssue({ code: 'custom', message: 'must have one of principal, role and team' });
    }
  })
  .transform(({ principal, role, team }): Approver =>
    principal !== undefined ? { principal } : role !== undefined ? { role } : { team: team! },
  );

const approverList = z
  .array(approver)
  .max(maxApprovers)
  .refine((list) => new Set(list.map((each) => JSON.stringify(each))).size === list.length, 'must name nobody twice');

const stage = knownKeys({
  name: textOf(80).min(1).optional().meta({ description: 'What the stage is called; `stage 2` and so on when left out.' }),
  approvers: approverList.default([]).meta({ description: 'Who may approve here; left out: everybody who may decide there.' }),
  quorum: z.int().min(1).max(maxQuorum).default(1).meta({ description: 'So many different people have to approve; default 1.' }),
}).superRefine(({ approvers, quorum }, context) => {
  const named = new Set(approvers.flatMap((each) => ('principal' in each ? [each.principal] : [])));
  if (approvers.length > 0 && approvers.every((each) => 'principal' in each) && named.size < quorum) {
    context.addIssue({
      code: 'custom',
      path: ['quorum'],
      message: `is larger than the group: ${named.size} named, so it could never be reached`,
      input: quorum,
    });
  }
});

const duration = (description: string) =>
  z
    .string()
    .refine((text) => {
      const ms = parseDuration(text);
      return ms !== null && ms >= 1_000 && ms <= 30 * 86_400_000;
    }, 'must be a duration from 1s to 30d, such as 30m, 2h or 1d')
    .transform((text) => parseDuration(text)!)
    .meta({ description });

const businessHours = knownKeys({
  timezone: timezoneField,
  days: weekdayList.default(['mon', 'tue', 'wed', 'thu', 'fri']).meta({ description: 'Working days; default Monday to Friday.' }),
  from: hourField.default('09:00').meta({ description: 'Beginning of work, `HH:MM`; default 09:00.' }),
  to: endHourField.default('17:00').meta({ description: 'End of work, later than `from`; default 17:00.' }),
  holidays: dateList.default([]).meta({ description: 'Dates without work.' }),
})
  .superRefine(({ from, to }, context) => {
    if (minutesOf(to) <= minutesOf(from))
      context.addIssue({ code: 'custom', path: ['to'], message: 'must be later than `from`', input: to });
  })
  .transform(({ days, ...rest }) => ({ ...rest, days: days.map((day) => weekdays.indexOf(day) + 1) }));

/** The output is `ApprovalTerms`. */
export const approvalTermsField = knownKeys({
  stages: z
    .array(stage)
    .max(maxStages)
    .default([])
    .transform((list) => list.map(({ name, ...rest }, index) => ({ name: name ?? `stage ${index + 1}`, ...rest })))
    .meta({ description: 'In order, each after the one before is complete; left out: one person who may decide there.' }),
  excludeOwner: z.boolean().optional().meta({
    description: 'The owner of the agent may not decide. Who requested it, and who edited its arguments, never may.',
  }),
  escalation: knownKeys({
    after: duration('How long nobody has decided, from 1s to 30d.'),
    approvers: approverList.min(1, 'must name at least one approver').meta({ description: 'Who may decide from then on, too.' }),
  })
    .transform(({ after, approvers }) => ({ afterMs: after, approvers }))
    .optional()
    .meta({ description: 'Who is asked when nobody decides.' }),
  warnBefore: duration('So long before it expires an event warns, from 1s to 30d.').optional(),
  businessHours: businessHours
    .optional()
    .meta({ description: 'Hours in which the clocks of escalation, warning and expiry run; left out: always.' }),
})
  .transform(({ warnBefore, ...rest }): ApprovalTerms => ({ ...rest, ...(warnBefore === undefined ? {} : { warnBeforeMs: warnBefore }) }))
  .meta({ description: 'Who may decide, and what happens while nobody does.' });

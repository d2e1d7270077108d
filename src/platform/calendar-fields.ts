// Fields of a calendar as people write them: time zone, weekdays, hours, dates. Shapes only.
import { z } from 'zod';
import { isZone } from './zone.ts';

/** In the order of ISO 8601: Monday is 1. */
export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof weekdays)[number];
export const maxHolidays = 500;

export const timezoneField = z
  .string()
  .max(64)
  .refine(isZone, 'is no time zone; write a name of the IANA database such as Europe/Berlin, Asia/Kolkata or UTC')
  .meta({ description: 'Whose clock counts: a name of the IANA time zone database.', examples: ['Europe/Berlin', 'Asia/Kolkata', 'UTC'] });

export const weekdayList = z.array(z.enum(weekdays)).min(1, 'must name at least one day; leave it out for every day');

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

export const dateList = z.array(z.string().refine(isDate, 'is no date; write YYYY-MM-DD')).max(maxHolidays);

/** On the clock of the zone. */
export const hourField = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time from 00:00 to 23:59');
/** The first minute that is outside. */
export const endHourField = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'must be a time from 00:00 to 24:00');

/** Minutes since midnight of `HH:MM`. */
export const minutesOf = (hour: string): number => Number(hour.slice(0, 2)) * 60 + Number(hour.slice(3));

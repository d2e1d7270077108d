// The clock that runs in business hours only: when so much working time has passed, or is left. Pure; time is passed in.
import { minutesOf } from '../platform/calendar-fields.ts';
import { changesBetween, momentsOf, wallOf } from '../platform/zone.ts';
import type { BusinessHours } from './approval-terms.ts';

const dayMs = 86_400_000;
/** A calendar without work (every day a holiday) ends the search; nothing stays open longer. */
const maxDays = 5 * 366;

/** The moment at which `durationMs` of working time have passed since `from`; five years later at most. */
export function afterWorking(hours: BusinessHours | undefined, from: Date, durationMs: number): Date {
  if (!hours) return new Date(from.getTime() + durationMs);
  let left = durationMs;
  let end = from.getTime();
  for (const [opens, closes] of workingTimes(hours, from.getTime(), 1)) {
    const begin = Math.max(opens, from.getTime());
    if (closes <= begin) continue;
    if (closes - begin >= left) return new Date(begin + left);
    left -= closes - begin;
    end = closes;
  }
  return new Date(Math.max(end, from.getTime() + maxDays * dayMs));
}

/** The moment after which `durationMs` of working time are left until `until`. */
export function beforeWorking(hours: BusinessHours | undefined, until: Date, durationMs: number): Date {
  if (!hours) return new Date(until.getTime() - durationMs);
  let left = durationMs;
  for (const [opens, closes] of workingTimes(hours, until.getTime(), -1)) {
    const end = Math.min(closes, until.getTime());
    if (end <= opens) continue;
    if (end - opens >= left) return new Date(end - left);
    left -= end - opens;
  }
  return new Date(until.getTime() - maxDays * dayMs);
}

/** Beginning and end of each stretch of work, from the day of `moment` on, forwards or backwards. */
function* workingTimes(hours: BusinessHours, moment: number, step: 1 | -1): Generator<readonly [number, number]> {
  const { timezone, days, holidays } = hours;
  const today = Math.floor(wallOf(timezone, moment) / dayMs) * dayMs;
  for (let count = 0; count < maxDays; count++) {
    const midnight = today + step * count * dayMs;
    const date = new Date(midnight);
    // 1 Monday to 7 Sunday; getUTCDay has 0 for Sunday.
    if (!days.includes(date.getUTCDay() || 7) || holidays.includes(date.toISOString().slice(0, 10))) continue;
    const stretches = stretchesOf(timezone, midnight + minutesOf(hours.from) * 60_000, midnight + minutesOf(hours.to) * 60_000);
    yield* step === 1 ? stretches : stretches.reverse();
  }
}

/** When the clock shows `from` or later, before `to`: one stretch, but where it is put back over one of them in between. */
function stretchesOf(zone: string, from: number, to: number): (readonly [number, number])[] {
  const [opens, closes] = [momentAt(zone, from, 'first'), momentAt(zone, to, 'last')];
  const changes = changesBetween(zone, opens, closes);
  if (changes.length === 0) return [[opens, closes]];
  const within = [...changes, ...momentsOf(zone, from), ...momentsOf(zone, to)].filter((moment) => moment > opens && moment < closes);
  const cuts = [opens, ...within.sort((a, b) => a - b), closes];
  return cuts.slice(1).flatMap((end, index) => {
    const begin = cuts[index]!;
    const wall = wallOf(zone, begin);
    return end > begin && wall >= from && wall < to ? [[begin, end] as const] : [];
  });
}

/** When the clock shows `wall`; where it is put forward over it, the moment of that. Where it is put back, work begins with the first, ends with the last. */
function momentAt(zone: string, wall: number, which: 'first' | 'last'): number {
  const moments = momentsOf(zone, wall);
  const found = which === 'first' ? moments[0] : moments.at(-1);
  return found ?? changesBetween(zone, wall - dayMs, wall + dayMs).find((change) => wallOf(zone, change) > wall) ?? wall;
}

// Weekly windows on the wall clock of a time zone: open or not at a moment, and until when that stays so. Pure; no clock.
import { minutesOf, weekdays, type Weekday } from '../platform/calendar-fields.ts';
import { changesBetween, offsetOf, wallOf } from '../platform/zone.ts';
import type { TimeWindow } from './time-rules.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** Days that are looked at together, and how far ahead at most. */
const chunkDays = 7;
const horizonDays = 400;

export interface Span {
  readonly open: boolean;
  /** First moment at which it is otherwise; at the horizon it is not known, and `open` is false. */
  readonly until: number;
  readonly isHorizon: boolean;
}

export interface Windows {
  isOpen(moment: number): boolean;
  spanAt(moment: number): Span;
}

/** A window belongs to the day on which it opens. On a holiday nothing is open, and what would open on one never does. */
export function compileWindows(zone: string, windows: readonly TimeWindow[], holidays: readonly string[] = []): Windows {
  const closed = new Set(holidays.map((date) => Date.parse(`${date}T00:00:00Z`)));
  const parsed = windows.map(({ days, from, to }) => {
    const [start, end] = [minutesOf(from) * minuteMs, minutesOf(to) * minuteMs];
    return { opens: opensOn(days), start, end: end > start ? end : end + dayMs };
  });
  const edges = [...new Set([0, ...parsed.flatMap(({ start, end }) => [start, end % dayMs])])];

  function isOpen(moment: number): boolean {
    const wall = wallOf(zone, moment);
    const today = startOfDay(wall);
    if (closed.has(today)) return false;
    return [today, today - dayMs].some(
      (day) =>
        !closed.has(day) && parsed.some(({ opens, start, end }) => opens.has(weekdayOf(day)) && wall >= day + start && wall < day + end),
    );
  }

  /** Moments after which it may be otherwise: edges of windows, midnights, and changes of the clock; some of them idle. */
  function edgesBetween(firstDay: number, lastDay: number): number[] {
    const changes = changesBetween(zone, firstDay - dayMs, lastDay + 2 * dayMs);
    const offsets = new Set([firstDay - dayMs, ...changes].map((moment) => offsetOf(zone, moment)));
    const moments = [...changes];
    for (let day = firstDay; day <= lastDay; day += dayMs) {
      for (const edge of edges) for (const offset of offsets) moments.push(day + edge - offset);
    }
    return moments.sort((a, b) => a - b);
  }

  return {
    isOpen,
    spanAt(moment) {
      const open = isOpen(moment);
      const today = startOfDay(wallOf(zone, moment));
      let seen = moment;
      for (let day = today; day < today + horizonDays * dayMs; day += chunkDays * dayMs) {
        // A day more on both sides: clocks that are put back or forward must not hide an edge at the seam.
        const seam = day + chunkDays * dayMs - offsetOf(zone, day + chunkDays * dayMs);
        for (const edge of edgesBetween(day - dayMs, day + (chunkDays + 1) * dayMs)) {
          if (edge <= seen || edge > seam) continue;
          if (isOpen(edge) !== open) return { open, until: edge, isHorizon: false };
          seen = edge;
        }
      }
      return { open, until: today + horizonDays * dayMs, isHorizon: true };
    },
  };
}

const startOfDay = (wall: number): number => Math.floor(wall / dayMs) * dayMs;
const weekdayOf = (day: number): number => (new Date(day).getUTCDay() + 6) % 7;
const opensOn = (days: readonly Weekday[] = weekdays): ReadonlySet<number> => new Set(days.map((day) => weekdays.indexOf(day)));

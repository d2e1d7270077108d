// Wall clocks of IANA time zones: what a moment reads there, and which moments read so. Pure; no clock.
const dayMs = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    const twoDigits = { month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      calendar: 'iso8601',
      era: undefined,
      year: 'numeric',
      ...twoDigits,
    });
    formats.set(zone, format);
  }
  return format;
}

/** A name such as `Europe/Berlin` or `UTC`; offsets such as `+02:00` know no daylight saving and are none. */
export function isZone(zone: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/.test(zone)) return false;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** The zone's wall clock at a moment, as if it were UTC: milliseconds, whole seconds. */
export function wallOf(zone: string, moment: number): number {
  const part: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(moment)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** Milliseconds that the wall clock is ahead of UTC. */
export const offsetOf = (zone: string, moment: number): number => wallOf(zone, moment) - Math.floor(moment / 1_000) * 1_000;

/** Moments at which the clock shows `wall`: one; two where it was put back; none where it was put forward. Ascending. */
export function momentsOf(zone: string, wall: number): number[] {
  const offsets = new Set([
    offsetOf(zone, wall - dayMs),
    offsetOf(zone, wall + dayMs),
    ...changesBetween(zone, wall - dayMs, wall + dayMs).flatMap((change) => [offsetOf(zone, change - 1), offsetOf(zone, change)]),
  ]);
  return [...offsets]
    .map((offset) => wall - offset)
    .filter((moment) => wallOf(zone, moment) === wall)
    .sort((a, b) => a - b);
}

/** Moments after `from`, up to `to`, at which the clock is put forward or back. */
export function changesBetween(zone: string, from: number, to: number): number[] {
  const changes: number[] = [];
  // Steps of a week at most see each change: none is taken back within days.
  for (let start = from; start < to; start = Math.min(start + dayMs, to)) {
    let low = start;
    let high = Math.min(start + dayMs, to);
    const before = offsetOf(zone, low);
    if (offsetOf(zone, high) === before) continue;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetOf(zone, middle) === before) low = middle;
      else high = middle;
    }
    changes.push(high);
  }
  return changes;
}

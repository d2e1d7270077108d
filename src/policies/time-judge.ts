// What policies of the kind `time_window` say of one effect at its moment. Pure: the moment is that of the input.
import { weekdays } from '../platform/calendar-fields.ts';
import { parseDuration } from '../platform/duration.ts';
import { wallOf } from '../platform/zone.ts';
import type { Judge, PolicySource } from './judge.ts';
import { compileMatching, wholly } from './matching.ts';
import { dispatchActions } from './rule-fields.ts';
import { defaultMaxDelayMs, type TimeWindowRules } from './time-rules.ts';
import { compileWindows, type Span } from './time-windows.ts';

export function timeWindow({ name }: PolicySource, rules: TimeWindowRules): Judge {
  const { timezone, onViolation, message } = rules;
  const concerns = wholly(compileMatching(rules, dispatchActions));
  const windows = compileWindows(timezone, rules.windows, rules.holidays);
  const maxDelayMs = rules.maxDelay === undefined ? defaultMaxDelayMs : parseDuration(rules.maxDelay)!;
  const said = message ? ` ${message}` : '';
  const hours = rules.windows
    .map(({ days, from, to }) => `${days?.join(', ') ?? 'every day'} ${from}–${to}`)
    .slice(0, 5)
    .join('; ');

  // Moments come in order, nearly: the span of the last one answers for most of those after it.
  let last: (Span & { readonly from: number }) | null = null;
  function spanAt(moment: number): Span {
    if (!last || moment < last.from || moment >= last.until) last = { ...windows.spanAt(moment), from: moment };
    return last;
  }

  return (input) => {
    if (!concerns(input)) return null;
    const moment = Date.parse(input.at);
    if (Number.isNaN(moment)) throw new Error(`"${input.at}" is no moment`);
    const { open, until, isHorizon } = spanAt(moment);
    const by = `Policy "${name}"`;
    if (open) return { effect: 'allow', reason: `${by} allows this at ${clockText(timezone, moment)}.` };
    const outside = `${by} allows this only ${hours}${rules.holidays?.length ? ', except holidays' : ''} (${timezone}); now it is ${clockText(timezone, moment)}`;
    if (onViolation === 'reject') return { effect: 'deny', reason: `${outside}.${said}` };
    if (isHorizon) return { effect: 'deny', reason: `${outside}, and no window opens within a year.${said}` };
    if (until - moment > maxDelayMs) {
      return {
        effect: 'deny',
        reason: `${outside}; the next window opens at ${clockText(timezone, until)}, later than the policy lets it wait.${said}`,
      };
    }
    return {
      effect: 'delay',
      reason: `${outside}; it waits until ${clockText(timezone, until)}.${said}`,
      notBefore: new Date(until).toISOString(),
    };
  };
}

/** `sat 2026-11-21 14:05` on the clock of the zone. */
function clockText(zone: string, moment: number): string {
  const wall = new Date(wallOf(zone, moment));
  return `${weekdays[(wall.getUTCDay() + 6) % 7]} ${wall.toISOString().slice(0, 16).replace('T', ' ')}`;
}

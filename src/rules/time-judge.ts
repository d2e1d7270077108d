// What policies of the kind `time_window` say of one effect at its moment. Pure: the moment is that of the input.
import { weekdays } from '../platform/calendar-fields.ts';
import { parseDuration } from '../platform/duration.ts';
import { wallOf } from '../platform/zone.ts';
import { whereConcerned, type Judge, type Opinion, type PolicySource } from './judge.ts';
import { compileMatching } from './matching.ts';
import { dispatchActions } from './rule-fields.ts';
import { defaultMaxDelayMs, type TimeWindowRules } from './time-rules.ts';
import { compileWindows, type Span } from './time-windows.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;

export function timeWindow({ name }: PolicySource, rules: TimeWindowRules): Judge {
  const { timezone, onViolation, message } = rules;
  const { ofSituation, ofEffect } = compileMatching(rules, dispatchActions);
  const windows = compileWindows(timezone, rules.windows, rules.holidays);
  const maxDelayMs = rules.maxDelay === undefined ? defaultMaxDelayMs : parseDuration(rules.maxDelay)!;
  const said = message ? ` ${message}` : '';
  const hours = rules.windows
    .map(({ days, from, to }) => `${days?.join(', ') ?? 'every day'} ${from}–${to}`)
    .slice(0, 5)
    .join('; ');

  // Moments come in order, nearly: the span of the last one answers for most of those after it.
  let last: (Span & { readonly from: number; readonly allowed: Opinion | null }) | null = null;
  function spanAt(moment: number) {
    if (last && moment >= last.from && moment < last.until) return last;
    const span = windows.spanAt(moment);
    const end = span.isHorizon ? '' : ` until ${clockText(timezone, span.until)}`;
    const allowed: Opinion | null = span.open ? { effect: 'allow', reason: `Policy "${name}" allows this${end} (${timezone}).` } : null;
    // What lies beyond the horizon is looked for again every day.
    return (last = { ...span, until: span.isHorizon ? moment + dayMs : span.until, from: moment, allowed });
  }

  function closedAt(moment: number, { until, isHorizon }: Span): Opinion {
    const outside = `Policy "${name}" allows this only ${hours}${rules.holidays?.length ? ', except holidays' : ''} (${timezone}); now it is ${clockText(timezone, moment)}`;
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
  }

  // A refusal tells the time to the minute: it is put together once in each.
  let told: { readonly from: number; readonly until: number; readonly opinion: Opinion } | null = null;
  function closed(moment: number, span: Span): Opinion {
    if (told && moment >= told.from && moment < told.until) return told.opinion;
    const minuteEnds = moment + minuteMs - ((wallOf(timezone, moment) + (moment % 1_000)) % minuteMs);
    const waitFits = span.until - maxDelayMs;
    const until = Math.min(minuteEnds, span.until, moment < waitFits ? waitFits : Infinity);
    const opinion = closedAt(moment, span);
    told = { from: moment, until, opinion };
    return opinion;
  }

  return whereConcerned(ofSituation, (input) => {
    if (ofEffect && !ofEffect(input)) return null;
    const moment = momentOf(input.at);
    const span = spanAt(moment);
    return span.allowed ?? closed(moment, span);
  });
}

/** The policies of one evaluation all ask for the same text. */
let parsed = { text: '', moment: NaN };
function momentOf(text: string): number {
  if (parsed.text !== text) parsed = { text, moment: Date.parse(text) };
  if (Number.isNaN(parsed.moment)) throw new Error(`"${text}" is no moment`);
  return parsed.moment;
}

/** `sat 2026-11-21 14:05` on the clock of the zone. */
function clockText(zone: string, moment: number): string {
  const wall = new Date(wallOf(zone, moment));
  return `${weekdays[(wall.getUTCDay() + 6) % 7]} ${wall.toISOString().slice(0, 16).replace('T', ' ')}`;
}

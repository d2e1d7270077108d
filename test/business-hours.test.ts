// The clock that runs in business hours only, against counting minute by minute on the wall clock of the zone; daylight saving included.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { afterWorking, beforeWorking } from '#src/approvals/business-hours.ts';
import type { BusinessHours } from '#src/approvals/approval-terms.ts';

const minute = 60_000;
const berlin: BusinessHours = { timezone: 'Europe/Berlin', days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00', holidays: ['2026-12-25'] };

/** Independent of the product: what the wall clock shows, minute by minute, as Intl says. */
function oracle(hours: BusinessHours) {
  const format = new Intl.DateTimeFormat('en-CA', {
    ...{ timeZone: hours.timezone, hourCycle: 'h23', weekday: 'short', year: 'numeric', month: '2-digit', day: '2-digit' },
    ...{ hour: '2-digit', minute: '2-digit' },
  });
  const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
  return (moment: number): boolean => {
    const part = Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, value]));
    const time = `${part['hour']}:${part['minute']}`;
    const date = `${part['year']}-${part['month']}-${part['day']}`;
    return (
      hours.days.includes(weekdays.indexOf(part['weekday']!) + 1) && !hours.holidays.includes(date) && time >= hours.from && time < hours.to
    );
  };
}

test('without business hours time is time', () => {
  const from = new Date('2026-11-21T10:00:00Z');
  assert.equal(afterWorking(undefined, from, 5_000).getTime(), from.getTime() + 5_000);
  assert.equal(beforeWorking(undefined, from, 5_000).getTime(), from.getTime() - 5_000);
});

test('nights, weekends and holidays do not count', () => {
  const at = (from: string, hours: number) => afterWorking(berlin, new Date(from), hours * 60 * minute).toISOString();
  assert.equal(at('2026-11-20T15:30:00Z', 1), '2026-11-23T08:30:00.000Z', 'Friday half past four to Monday half past nine');
  assert.equal(at('2026-11-23T08:00:00Z', 8), '2026-11-23T16:00:00.000Z', 'a whole day ends with it');
  assert.equal(at('2026-12-24T15:00:00Z', 2), '2026-12-28T09:00:00.000Z', 'over Christmas, which is a Friday');
  assert.equal(at('2026-11-23T03:00:00Z', 0), '2026-11-23T08:00:00.000Z', 'nothing before work begins');
  const before = beforeWorking(berlin, new Date('2026-11-23T08:30:00Z'), 60 * minute).toISOString();
  assert.equal(before, '2026-11-20T15:30:00.000Z');
});

test('a calendar without work ends the search', () => {
  const never = { ...berlin, days: [1], holidays: Array.from({ length: 500 }, (_, week) => new Date(Date.UTC(2026, 10, 23 + 7 * week)).toISOString().slice(0, 10)) }; // prettier-ignore
  const from = new Date('2026-11-21T10:00:00Z');
  assert.ok(afterWorking(never, from, minute).getTime() > from.getTime() + 5 * 365 * 86_400_000);
});

test('after and before agree with counting minutes on the wall, also where clocks are put forward or back', () => {
  const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/St_Johns'];
  const around = ['2026-03-28', '2026-03-07', '2026-10-24', '2026-10-31', '2026-04-04', '2026-10-03', '2026-06-01'];
  const hours = fc.constantFrom(['09:00', '17:00'], ['00:30', '03:30'], ['01:00', '02:15'], ['22:00', '24:00']);
  const days = fc.constantFrom([1, 2, 3, 4, 5], [6, 7], [1, 2, 3, 4, 5, 6, 7]);
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.constantFrom(...around),
      hours,
      days,
      fc.nat(3 * 1_440),
      fc.integer({ min: 1, max: 400 }),
      (timezone, day, [from, to], week, offset, minutes) => {
        // prettier-ignore
        const calendar: BusinessHours = { timezone, days: week, from, to, holidays: [] };
        const isWork = oracle(calendar);
        const start = Date.parse(`${day}T00:00:00Z`) + offset * minute;
        let [left, moment] = [minutes, start];
        while (left > 0) {
          if (isWork(moment)) left -= 1;
          moment += minute;
        }
        assert.equal(afterWorking(calendar, new Date(start), minutes * minute).toISOString(), new Date(moment).toISOString());
        [left, moment] = [minutes, start];
        while (left > 0) {
          moment -= minute;
          if (isWork(moment)) left -= 1;
        }
        assert.equal(beforeWorking(calendar, new Date(start), minutes * minute).toISOString(), new Date(moment).toISOString());
      },
    ),
    // The clock is put back over the end of work: it ends twice.
    { numRuns: 60, examples: [['Europe/Berlin', '2026-10-24', ['01:00', '02:15'], [1, 2, 3, 4, 5, 6, 7], 0, 91]] },
  );
});

// Time windows: against Postgres and its own time zone data as an oracle over two years, at the edges of clocks, and in the judge.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { weekdays } from '#src/platform/calendar-fields.ts';
import { isZone, momentsOf, wallOf } from '#src/platform/zone.ts';
import type { GateInput } from '#src/rules/gate.ts';
import { compileRules } from '#src/rules/compile.ts';
import { parseRules } from '#src/rules/rules.ts';
import type { TimeWindow } from '#src/rules/time-rules.ts';
import { compileWindows } from '#src/rules/time-windows.ts';
import { serverUrl } from './harness/database.ts';
import { toolCall } from './harness/governance.ts';
import { randomOf } from './harness/random.ts';

const office: TimeWindow = { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '17:00' };
const night: TimeWindow = { days: ['sat', 'sun'], from: '22:30', to: '04:15' };
/** Opens and closes within the hours that clocks skip or show twice. */
const small: TimeWindow = { from: '01:45', to: '02:30' };

let client: pg.Client;
before(async () => {
  client = new pg.Client({ connectionString: serverUrl('postgres') });
  await client.connect();
});
after(() => client.end());

/** Every change of open and closed between two moments, as Postgres sees it at each quarter of an hour. */
async function oracle(zone: string, windows: readonly TimeWindow[], holidays: readonly string[], from: string, to: string) {
  const minutes = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  const rows = windows.map(({ days, from: start, to: end }) => ({
    days: (days ?? weekdays).map((day) => weekdays.indexOf(day) + 1),
    start: minutes(start),
    end: minutes(end) <= minutes(start) ? minutes(end) + 1440 : minutes(end),
  }));
  const { rows: found } = await client.query<{ at: string; open: boolean }>(
    `with clock as (
       select t as at, t at time zone $1 as wall from generate_series($2::timestamptz, $3::timestamptz, interval '15 minutes') t
     ), judged as (
       select at, not (wall::date = any($5::date[])) and exists (
         select 1 from jsonb_to_recordset($4::jsonb) as w (days int[], start int, "end" int), (values (0), (1)) as back (days)
         where extract(isodow from wall::date - back.days) = any (w.days) and not ((wall::date - back.days) = any($5::date[]))
           and wall >= (wall::date - back.days) + make_interval(mins => w.start)
           and wall < (wall::date - back.days) + make_interval(mins => w."end")
       ) as open from clock
     )
     select extract(epoch from at)::bigint * 1000 as at, open from (select *, lag(open) over (order by at) as before from judged) j
     where before is distinct from open order by at`,
    [zone, from, to, JSON.stringify(rows), holidays],
  );
  return found.map(({ at, open }) => ({ at: Number(at), open }));
}

describe('windows agree with Postgres and its time zone data over two years', () => {
  const holidays = ['2025-01-01', '2025-03-30', '2025-12-25', '2026-04-05', '2026-10-25'];
  for (const zone of [
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
    'America/St_Johns',
    'Europe/Dublin',
    'Asia/Kathmandu',
  ]) {
    it(zone, async () => {
      const windows = [office, night, small];
      const [from, to] = ['2025-01-01T00:00:00Z', '2027-01-01T00:00:00Z'];
      const changes = await oracle(zone, windows, holidays, from, to);
      assert.ok(changes.length > 2_400, String(changes.length));
      const compiled = compileWindows(zone, windows, holidays);
      let moment = Date.parse(from);
      for (const [index, change] of changes.entries()) {
        assert.equal(change.at, moment, `${zone}: change ${index}`);
        const span = compiled.spanAt(moment);
        assert.equal(span.open, change.open, new Date(moment).toISOString());
        moment = span.until;
      }
      assert.ok(moment > Date.parse(to));
    });
  }

  it('from any moment within, not only from the edges', async () => {
    const zone = 'Australia/Lord_Howe';
    const changes = await oracle(zone, [office, small], [], '2025-03-01T00:00:00Z', '2025-11-01T00:00:00Z');
    const compiled = compileWindows(zone, [office, small]);
    for (let index = 1; index < changes.length - 1; index += 1) {
      const [{ at, open }, next] = [changes[index]!, changes[index + 1]!];
      for (const inside of [at + 1, Math.floor((at + next.at) / 2), next.at - 1]) {
        assert.deepEqual(compiled.spanAt(inside), { open, until: next.at, isHorizon: false }, new Date(inside).toISOString());
      }
    }
  });
});

describe('wall clocks', () => {
  it('an hour that is skipped has no moment, one that is shown twice has two', () => {
    assert.deepEqual(momentsOf('Europe/Berlin', Date.parse('2026-03-29T02:30:00Z')), []);
    const twice = momentsOf('Europe/Berlin', Date.parse('2026-10-25T02:30:00Z'));
    assert.deepEqual(twice.map((moment) => new Date(moment).toISOString()), ['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z']); // prettier-ignore
    assert.deepEqual(momentsOf('Asia/Kolkata', Date.parse('2026-03-29T02:30:00Z')), [Date.parse('2026-03-28T21:00:00Z')]);
    assert.equal(wallOf('Australia/Lord_Howe', Date.parse('2026-04-04T15:00:00Z')), Date.parse('2026-04-05T01:30:00Z'));
  });

  it('names of the IANA database are zones; offsets, unknown names and what is hardly a name are none', () => {
    for (const zone of ['Europe/Berlin', 'UTC', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5']) assert.equal(isZone(zone), true, zone);
    for (const zone of ['Mars/Base', '+02:00', '', 'Europe/../etc', 'Europe/Berlin\n', 'a'.repeat(70)])
      assert.equal(isZone(zone), false, zone);
  });
});

const judge = (rules: unknown, name = 'hours') =>
  compileRules({
    id: 'id',
    name,
    version: 1,
    kind: 'time_window',
    mode: 'enforce',
    priority: 1,
    scope: { projectId: null, environmentId: null, agentId: null, teamId: null, tag: null, tool: null },
    rules,
  });
const at = (moment: string, change: Partial<GateInput> = {}) => toolCall({ at: moment, ...change });
const berlin = { timezone: 'Europe/Berlin', windows: [office] };

describe('the judge of time windows', () => {
  it('refuses outside and says when it is allowed and what time it is there', () => {
    const ask = judge({ ...berlin, message: 'Ask the night shift.' });
    assert.equal(ask(at('2026-11-20T09:00:00Z'))?.effect, 'allow');
    assert.deepEqual(ask(at('2026-11-21T09:05:00Z')), {
      effect: 'deny',
      reason:
        'Policy "hours" allows this only mon, tue, wed, thu, fri 09:00–17:00 (Europe/Berlin); now it is sat 2026-11-21 10:05. Ask the night shift.',
    });
  });

  it('the first moment is inside, the last one is not', () => {
    const ask = judge(berlin);
    for (const [moment, effect] of [
      ['2026-11-20T07:59:59.999Z', 'deny'],
      ['2026-11-20T08:00:00.000Z', 'allow'],
      ['2026-11-20T15:59:59.999Z', 'allow'],
      ['2026-11-20T16:00:00.000Z', 'deny'],
    ] as const)
      assert.equal(ask(at(moment))?.effect, effect, moment);
  });

  it('answers alike whatever was asked before', () => {
    const ask = judge(berlin);
    const moments = [
      '2026-11-20T10:00:00Z',
      '2026-11-21T10:00:00Z',
      '2026-11-20T10:00:00Z',
      '2026-11-16T07:00:00Z',
      '2027-06-01T10:00:00Z',
    ];
    for (const moment of moments) assert.deepEqual(ask(at(moment)), judge(berlin)(at(moment)), moment);
  });

  it('says at each moment what a judge says that was never asked before, at the edges of minutes, windows, waits and clocks', () => {
    const random = randomOf(7);
    // Until 1972 Monrovia was 44 minutes and 30 seconds behind.
    for (const timezone of ['Europe/Berlin', 'Asia/Kathmandu', 'Africa/Monrovia']) {
      for (const more of [
        {},
        { onViolation: 'delay_until_allowed', maxDelay: '15h' },
        { onViolation: 'delay_until_allowed', maxDelay: '1m' },
      ]) {
        const rules = { ...berlin, timezone, ...more };
        const ask = judge(rules);
        const edges = [
          '1971-06-07T09:44:30Z',
          '2026-10-25T00:00:00Z',
          '2026-11-20T17:00:00Z',
          '2026-11-23T08:00:00Z',
          '2026-11-24T03:15:00Z',
        ];
        for (let round = 0; round < 60; round += 1) {
          const edge = Date.parse(edges[Math.floor(random() * edges.length)]!);
          const apart = Math.floor(random() * 4) * 15_000 - 30_000 + Math.floor(random() * 3) - 1;
          const moment = at(new Date(edge + apart).toISOString());
          assert.deepEqual(ask(moment), judge(rules)(moment), `${timezone} ${moment.at}`);
        }
      }
    }
  });

  it('waits for the next window, over the weekend and a holiday', () => {
    const ask = judge({ ...berlin, holidays: ['2026-11-23'], onViolation: 'delay_until_allowed', maxDelay: '4d' });
    const opinion = ask(at('2026-11-20T16:00:00Z'));
    assert.deepEqual([opinion?.effect, opinion?.notBefore], ['delay', '2026-11-24T08:00:00.000Z']);
    assert.match(opinion!.reason, /it waits until tue 2026-11-24 09:00/);
  });

  it('waits for as long as its maximum, and not a millisecond longer', () => {
    const ask = judge({ ...berlin, onViolation: 'delay_until_allowed', maxDelay: '1h' });
    assert.equal(ask(at('2026-11-20T07:00:00.000Z'))?.effect, 'delay');
    const refused = ask(at('2026-11-20T06:59:59.999Z'));
    assert.equal(refused?.effect, 'deny');
    assert.match(refused.reason, /opens at fri 2026-11-20 09:00, later than the policy lets it wait/);
  });

  it('a window that the clock skips opens at the change when it goes on after it, else on another day', () => {
    const waiting = (window: TimeWindow) =>
      judge({ timezone: 'Europe/Berlin', windows: [window], onViolation: 'delay_until_allowed' })(at('2026-03-28T23:00:00Z'))?.notBefore;
    assert.equal(waiting({ from: '02:30', to: '04:00' }), '2026-03-29T01:00:00.000Z');
    assert.equal(waiting({ from: '02:15', to: '02:45' }), '2026-03-30T00:15:00.000Z');
  });

  it('windows that never open are refused at once', () => {
    const holidays = Array.from({ length: 80 }, (_, week) => new Date(Date.UTC(2026, 10, 16 + 7 * week)).toISOString().slice(0, 10));
    const rules = {
      timezone: 'UTC',
      windows: [{ days: ['mon'], from: '09:00', to: '10:00' }],
      holidays,
      onViolation: 'delay_until_allowed',
    };
    assert.match(judge(rules)(at('2026-11-20T00:00:00Z'))!.reason, /no window opens within a year/);
  });

  it('says nothing of effects it is not about', () => {
    const ask = judge({ ...berlin, actions: ['execution.start'], environmentKinds: ['production'] });
    const night = '2026-11-21T22:00:00Z';
    assert.equal(ask(at(night)), null);
    assert.equal(ask(at(night, { action: 'execution.start', tool: null, environmentKind: 'staging' })), null);
    assert.equal(ask(at(night, { action: 'execution.start', tool: null }))?.effect, 'deny');
    assert.equal(judge(berlin)(at(night, { action: 'output.deliver' })), null);
  });

  it('a moment that is none is a failure of the policy, not a permission', () => {
    assert.throws(() => judge(berlin)(at('soon')), /"soon" is no moment/);
  });
});

describe('rules of time windows that are wrong', () => {
  const problems = (rules: unknown) => {
    const parsed = parseRules('time_window', rules);
    return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
  };
  it('are refused with every problem', () => {
    assert.deepEqual(
      problems({
        timezone: 'Mars/Base',
        windows: [
          { days: [], from: '25:00', to: '24:01' },
          { days: ['someday'], from: '09:00', to: '09:00' },
        ],
        holidays: ['2026-02-30', 'christmas'],
        maxDelay: '31d',
      }),
      [
        'rules.timezone: is no time zone; write a name of the IANA database such as Europe/Berlin, Asia/Kolkata or UTC, got "Mars/Base"',
        'rules.windows[0].days: must name at least one day; leave it out for every day',
        'rules.windows[0].from: must be a time from 00:00 to 23:59, got "25:00"',
        'rules.windows[0].to: must be a time from 00:00 to 24:00, got "24:01"',
        'rules.windows[1].days[0]: expected one of "mon"|"tue"|"wed"|"thu"|"fri"|"sat"|"sun", got "someday"',
        'rules.holidays[0]: is no date; write YYYY-MM-DD, got "2026-02-30"',
        'rules.holidays[1]: is no date; write YYYY-MM-DD, got "christmas"',
        'rules.maxDelay: must be a duration from 1m to 30d, such as 12h or 3d, got "31d"',
      ],
    );
    assert.deepEqual(problems({ ...berlin, windows: [] }), [
      'rules.windows: must hold at least one window; to refuse always, use tool_access',
    ]);
    assert.deepEqual(problems({ ...berlin, windows: [{ from: '09:00', to: '09:00' }] }), [
      'rules.windows[0].to: must differ from `from`; write 00:00 to 24:00 for the whole day, got "09:00"',
    ]);
    assert.deepEqual(problems({ ...berlin, maxDelay: '1h' }), [
      'rules.maxDelay: has no meaning with reject; set onViolation: delay_until_allowed or leave it out',
    ]);
    assert.match(problems({ ...berlin, windows: [{ from: [25], to: '10:00' }] })[0]!, /^rules\.windows\[0\]\.from: expected string/);
  });
});

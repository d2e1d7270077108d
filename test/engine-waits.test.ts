// Waiting for a moment and for signals on the real engine: who takes which signal, what comes too late, and that waiting costs nothing.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { maxPayloadBytes, maxUntaken } from '#src/executions/control-service.ts';
import { newId } from '#src/platform/ids.ts';
import { controlOf, refused } from './harness/engine-control.ts';
import { looksAt, type Steps } from './harness/engine-looks.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
before(async () => {
  engine = await handEngine();
});
after(() => engine.close());
const { start, look, types, rowOf, rows, statuses, codeOf } = looksAt(() => engine);
const { pause, resume, signal, checked } = controlOf(() => engine);

const waiting = (timeoutMs: number | null = null, name = 'go'): Steps => [{ id: 'go', wait: { signal: name, timeoutMs } }];
const inAMinute = () => new Date(engine.clock.now().getTime() + 60_000).toISOString();

describe('wait until', () => {
  it('a moment to come: waits for it, not a millisecond less', async () => {
    const at = engine.clock.now().getTime() + 60_000;
    const id = await start(
      [
        { id: 'text', wait: { until: 'inputs.text' } },
        { id: 'zone', wait: { until: 'inputs.zone' } },
        { id: 'number', wait: { until: 'inputs.number' } },
      ],
      { text: new Date(at).toISOString(), zone: new Date(at + 7_200_000).toISOString().replace('Z', '+02:00'), number: at },
    );
    assert.deepEqual(await engine.later(), [60_000, 60_000, 60_000]);
    engine.clock.advance(59_999);
    assert.equal(await engine.work(), 0);
    engine.clock.advance(1);
    await engine.work();
    assert.equal((await look(id)).status, 'succeeded');
    assert.equal((await rowOf(id, 'text')).output, null);
    await checked(id);
  });

  it('a moment that has passed, even before there were calendars, goes on at once', async () => {
    const steps: Steps = [{ id: 'until', wait: { until: 'inputs.at' } }];
    for (const at of [0, engine.clock.now().getTime(), '1999-12-31T23:59:59Z', '0000-01-01T00:00:00Z', '2020-02-29T12:00+01:00']) {
      const id = await start(steps, { at });
      assert.equal((await look(id)).status, 'succeeded', String(at));
      await checked(id);
    }
  });

  it('what is no moment, or too far, fails the step and says what is expected', async () => {
    const tooFar = engine.clock.now().getTime() + 367 * 86_400_000;
    const wrong = [
      'tomorrow',
      '2027-01-31',
      '2027-01-31T08:00:00',
      '2027-02-30T08:00:00Z',
      '2027-13-01T08:00:00Z',
      '2027-01-31T25:00:00Z',
      '2027-01-31T8Z',
    ];
    for (const at of [...wrong, true, { at: 1 }, [], null, -1, 1.5, 1e300, tooFar, new Date(tooFar).toISOString()]) {
      const id = await start([{ id: 'until', wait: { until: 'inputs.at' } }], { at });
      assert.equal(await codeOf(id, 'until'), 'INVALID_MOMENT', JSON.stringify(at));
      assert.match((await rowOf(id, 'until')).failure.message, /wait\.until: .*"2027-01-31T08:00:00Z".*366 days/);
    }
    const missing = await start([{ id: 'until', wait: { until: 'inputs.absent' } }]);
    assert.equal(await codeOf(missing, 'until'), 'INVALID_MOMENT');
  });
});

describe('a signal', () => {
  it('sent while the step waits ends the wait with what it carried, by whom and when', async () => {
    const id = await start([...waiting(), { id: 'then', transform: 'steps.go.output.payload.n + 1', needs: ['go'] }]);
    assert.equal((await look(id)).status, 'waiting');
    const sent = await signal(id, 'go', { payload: { n: 41, text: 'é' } });
    assert.equal(sent.receivedAt, null);
    await engine.work();
    assert.equal((await rowOf(id, 'then')).output, 42);
    assert.deepEqual((await rowOf(id, 'go')).output, {
      name: 'go',
      payload: { n: 41, text: 'é' },
      sentBy: engine.operator.principalId,
      sentAt: sent.sentAt.toISOString(),
    });
    assert.deepEqual(
      (await types(id)).filter((type) => /signal|waiting|resumed/.test(type)),
      [...['step.waiting', 'execution.waiting', 'execution.signalled', 'signal.received', 'execution.resumed']],
    );
    await checked(id);
  });

  it('sent before the wait begins, even before the execution does, is not lost', async () => {
    const agentId = await engine.agent([
      { id: 'first', wait: { durationMs: 60_000 } },
      { id: 'go', wait: { signal: 'go', timeoutMs: 1_000 }, needs: ['first'] },
    ]);
    const { id } = await engine.start(agentId);
    await signal(id, 'go', { payload: 'early' });
    await engine.work();
    assert.deepEqual(await statuses(id), { first: 'waiting' });
    engine.clock.advance(60_000);
    await engine.work();
    assert.equal((await rowOf(id, 'go')).output.payload, 'early');
    assert.equal((await look(id)).status, 'succeeded');
    await checked(id);
  });

  it('is taken by one wait: two for one name take one each, in the order sent, whether before or while they wait', async () => {
    const both: Steps = [...waiting(), { id: 'second', wait: { signal: 'go', timeoutMs: null }, needs: ['go'] }];
    const early = await engine.start(await engine.agent(both));
    for (const payload of [1, 2, 3]) await signal(early.id, 'go', { payload });
    await engine.work();
    assert.deepEqual([(await rowOf(early.id, 'go')).output.payload, (await rowOf(early.id, 'second')).output.payload], [1, 2]);

    const id = await start([...waiting(), { id: 'beside', wait: { signal: 'go', timeoutMs: null } }]);
    await signal(id, 'go', { payload: 1 });
    await engine.work();
    assert.deepEqual(Object.values(await statuses(id)).sort(), ['succeeded', 'waiting']);
    assert.deepEqual(await engine.jobsOf(id), []);
    await signal(id, 'go', { payload: 2 });
    await engine.work();
    const payloads = [(await rowOf(id, 'go')).output.payload, (await rowOf(id, 'beside')).output.payload];
    assert.deepEqual(new Set(payloads), new Set([1, 2]));
    await checked(early.id, id);
  });

  it('of another name wakes nobody and stays', async () => {
    const id = await start(waiting());
    await signal(id, 'other');
    assert.deepEqual(await engine.jobsOf(id), []);
    await engine.work();
    assert.equal((await look(id)).status, 'waiting');
    assert.deepEqual(await rows('select name, received_by as by from signals where execution_id = $1', id), [{ name: 'other', by: null }]);
    await checked(id);
  });

  it('costs no job while it is waited for without a timeout, and one with', async () => {
    const id = await start(waiting());
    assert.deepEqual(await engine.jobsOf(id), []);
    assert.deepEqual(await rows('select job_id from steps where execution_id = $1', id), [{ job_id: null }]);
    const timed = await start(waiting(60_000));
    assert.equal((await engine.jobsOf(timed)).length, 1);
    await engine.cancel(id);
    await engine.cancel(timed);
  });

  it('that never comes fails the step with SIGNAL_TIMEOUT at exactly the moment', async () => {
    const id = await start([
      { ...waiting(60_000)[0]!, onFailure: 'continue' },
      { id: 'sees', transform: 'steps.go.error.code', needs: ['go'] },
    ]);
    const until = inAMinute();
    engine.clock.advance(59_999);
    await engine.work();
    assert.equal((await look(id)).status, 'waiting');
    engine.clock.advance(1);
    await engine.work();
    assert.equal((await rowOf(id, 'sees')).output, 'SIGNAL_TIMEOUT');
    assert.match((await rowOf(id, 'go')).failure.message, new RegExp(`no signal "go" came until ${until}`));
    await checked(id);
  });

  it('that another step took does not put off the timeout of the one that goes on waiting', async () => {
    const id = await start([...waiting(60_000), { id: 'beside', wait: { signal: 'go', timeoutMs: 60_000 } }]);
    for (const ms of [10_000, 25_000]) {
      engine.clock.advance(ms);
      if (ms === 10_000) await signal(id, 'go');
      else await signal(id, 'other');
      await engine.work();
    }
    assert.deepEqual(await engine.later(), [25_000, 25_000]);
    engine.clock.advance(25_000);
    await engine.work();
    assert.equal((await look(id)).status, 'failed');
    assert.deepEqual(Object.values(await statuses(id)).sort(), ['failed', 'succeeded']);
    await checked(id);
  });

  it('wins against the timeout when it was sent in time, however late both are looked at; else it comes too late', async () => {
    const [inTime, late] = [await start(waiting(60_000)), await start(waiting(60_000))];
    engine.clock.advance(59_999);
    await signal(inTime, 'go');
    engine.clock.advance(1);
    await signal(late, 'go');
    engine.clock.advance(5_000);
    await engine.work();
    assert.equal((await look(inTime)).status, 'succeeded');
    assert.equal(await codeOf(late, 'go'), 'SIGNAL_TIMEOUT');
    await checked(inTime, late);
  });

  it('sent during a pause is taken on resume, and one that did not come lets the timeout be', async () => {
    const [sent, silent] = [await start(waiting(60_000)), await start(waiting(60_000))];
    for (const id of [sent, silent]) await pause(id);
    engine.clock.advance(10_000);
    await signal(sent, 'go');
    await engine.work();
    assert.equal((await look(sent)).status, 'paused');
    for (const id of [sent, silent]) await resume(id);
    await engine.work();
    assert.equal((await look(sent)).status, 'succeeded');
    assert.equal((await look(silent)).status, 'waiting');
    engine.clock.advance(49_999);
    await engine.work();
    assert.equal((await look(silent)).status, 'waiting');
    engine.clock.advance(1);
    await engine.work();
    assert.equal(await codeOf(silent, 'go'), 'SIGNAL_TIMEOUT');
    await checked(sent, silent);
  });

  it('does nothing to a wait that was cancelled with its execution', async () => {
    const id = await start(waiting(60_000));
    await engine.cancel(id);
    await assert.rejects(signal(id, 'go'), refused('INVALID_STATE', /cancelled already.*not ended/));
    engine.clock.advance(60_000);
    await engine.work();
    assert.deepEqual(await statuses(id), { go: 'cancelled' });
    assert.equal((await rows('select * from signals where execution_id = $1', id)).length, 0);
    await checked(id);
  });
});

describe('sending a signal', () => {
  it('to an execution that has ended is refused and leaves nothing', async () => {
    const id = await start([{ id: 'a', transform: '1' }]);
    const { lastSequence } = await look(id);
    await assert.rejects(signal(id, 'go'), refused('INVALID_STATE', /the execution is succeeded already; a signal can only be sent/));
    assert.equal((await look(id)).lastSequence, lastSequence);
    assert.equal((await rows('select * from signals where execution_id = $1', id)).length, 0);
  });

  it('twice with one key is one signal; with another content it is a conflict; the key is the execution’s own', async () => {
    const id = await start(waiting(null, 'never'));
    const other = await start(waiting(null, 'never'));
    const first = await signal(id, 'go', { payload: { a: 1, b: 2 }, idempotencyKey: 'k' });
    const again = await signal(id, 'go', { payload: { b: 2, a: 1 }, idempotencyKey: 'k' });
    assert.equal(again.id, first.id);
    await assert.rejects(signal(id, 'go', { payload: 2, idempotencyKey: 'k' }), refused('IDEMPOTENCY_CONFLICT', /"k" was used before/));
    assert.notEqual((await signal(other, 'go', { idempotencyKey: 'k' })).id, first.id);
    assert.equal((await rows('select * from signals where execution_id = $1', id)).length, 1);
    assert.equal((await types(id)).filter((type) => type === 'execution.signalled').length, 1);
    await engine.cancel(id);
    await assert.rejects(signal(id, 'new', { idempotencyKey: 'k2' }), refused('INVALID_STATE', /cancelled/));
    assert.equal(
      (await signal(id, 'go', { payload: { a: 1, b: 2 }, idempotencyKey: 'k' })).id,
      first.id,
      'a request sent again gets its answer',
    );
  });

  it('takes 256 KiB of payload and no byte more, names of 63 characters and no character more', async () => {
    const id = await start(waiting(null, 'never'));
    await signal(id, 'a'.repeat(63), { payload: 'x'.repeat(maxPayloadBytes - 2) });
    await assert.rejects(
      signal(id, 'a', { payload: 'x'.repeat(maxPayloadBytes - 1) }),
      refused('VALIDATION_FAILED', /payload.*262145 bytes of JSON; at most 262144/),
    );
    for (const name of ['', 'a'.repeat(64), '1a', 'a b', 'ä', 'a\n', 'go\0']) {
      await assert.rejects(signal(id, name), refused('VALIDATION_FAILED', /is not the name of a signal/), JSON.stringify(name));
    }
    for (const name of ['_', 'A.b-c_9']) await signal(id, name);
    await assert.rejects(signal(id, 'a', { payload: 'a\0b' }), refused('VALIDATION_FAILED', /payload/));
    await assert.rejects(
      signal(id, '1', { payload: '\ud800', idempotencyKey: '' }),
      refused('VALIDATION_FAILED', /"name".*"payload".*"idempotencyKey"/),
    );
    assert.equal((await rows('select * from signals where execution_id = $1', id)).length, 3);
    await engine.cancel(id);
  });

  it('is refused while 1,000 are untaken, until one is taken', async () => {
    const id = await start(waiting());
    await engine.db.database.write(engine.tenantId, (uow) =>
      uow.rows(
        `insert into signals (id, tenant_id, execution_id, name, payload, request_digest, sent_by, sent_at)
         select gen_random_uuid(), $1, $2, 'other', 'null', '', $3, now() from generate_series(1, $4)`,
        [engine.tenantId, id, engine.operator.principalId, maxUntaken - 1],
      ),
    );
    await signal(id, 'go');
    await assert.rejects(signal(id, 'go'), refused('INVALID_STATE', /1000 signals wait for this execution already/));
    const { lastSequence } = await look(id);
    await engine.work();
    assert.equal((await look(id)).status, 'succeeded');
    assert.equal(lastSequence, 6, 'the refused one left no event');
  });

  it('needs its permission; what is foreign or absent is not found', async () => {
    const id = await start(waiting(null, 'never'));
    const viewer = await engine.authority(['viewer']);
    await assert.rejects(signal(id, 'go', {}, viewer), refused('FORBIDDEN', /execution\.signal/));
    for (const absent of [newId(), 'nonsense', ''])
      await assert.rejects(signal(absent, 'go'), refused('NOT_FOUND', /there is no execution/));
    await engine.cancel(id);
  });
});

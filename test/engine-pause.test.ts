// Pausing and resuming on the real engine, in every status: what runs may end and is kept, nothing new starts, and nothing is done twice.
// And executions that start later.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { newId } from '#src/platform/ids.ts';
import { controlOf, refused } from './harness/engine-control.ts';
import { looksAt, tool, type Steps } from './harness/engine-looks.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';
import { randomOf, someSeed } from './harness/random.ts';

let engine: HandEngine;
/** Called while the tool runs. */
let during: (n: unknown) => Promise<unknown> = () => Promise.resolve();
let failures = 0;
before(async () => {
  engine = await handEngine({
    'test.do': {
      run: async ({ n }) => {
        await during(n);
        if (failures-- > 0) throw new Error('not yet');
        return n;
      },
    },
  });
});
after(() => engine.close());
const { start, look, types, rowOf, statuses, codeOf } = looksAt(() => engine);
const { pause, resume, signal, decide, checked } = controlOf(() => engine);

const act = (id: string, needs: string[] = [], n: unknown = id) => ({ id, ...tool('test.do', { n }), needs });
const calledFor = (id: string) => engine.calls.filter(({ options }) => options.idempotencyKey?.startsWith(id)).map(({ args }) => args['n']);
const soon = (ms: number) => new Date(engine.clock.now().getTime() + ms);

/** Runs `then` once, while the tool runs for the first time. */
function whileItRuns(then: () => Promise<unknown>): void {
  during = () => {
    during = () => Promise.resolve();
    return then();
  };
}

describe('a paused execution', () => {
  it('that was queued does not begin, whatever job comes, and begins when it is resumed', async () => {
    const { id } = await engine.start(await engine.agent([act('a')]));
    const paused = await pause(id);
    assert.equal(paused.status, 'paused');
    await engine.work();
    assert.deepEqual([(await look(id)).status, calledFor(id)], ['paused', []]);
    assert.equal((await resume(id)).status, 'queued');
    await engine.work();
    assert.deepEqual([(await look(id)).status, calledFor(id)], ['succeeded', ['a']]);
    assert.deepEqual((await types(id)).slice(0, 4), ['execution.queued', 'execution.paused', 'execution.resumed', 'execution.started']);
    await checked(id);
  });

  it('keeps what an effect under way gives, and starts nothing after it', async () => {
    const agentId = await engine.agent([
      act('a'),
      act('b', ['a']),
      act('beside'),
      { id: 'c', transform: 'steps.b.output.structured.value', needs: ['b'] },
    ]);
    const { id } = await engine.start(agentId);
    whileItRuns(() => pause(id));
    await engine.work();
    assert.equal((await look(id)).status, 'paused');
    assert.deepEqual(await statuses(id), { a: 'succeeded', b: 'queued', beside: 'queued' });
    assert.deepEqual([calledFor(id), await engine.jobsOf(id)], [['a'], []]);
    await resume(id);
    await engine.work();
    assert.equal((await look(id)).status, 'succeeded');
    assert.deepEqual(
      calledFor(id)
        .map(String)
        .toSorted((a, b) => a.localeCompare(b)),
      ['a', 'b', 'beside'],
    );
    assert.equal((await rowOf(id, 'c')).output, 'b');
    await checked(id);
  });

  it('keeps how an effect under way failed, and ends by it where that ends it', async () => {
    const { id } = await engine.start(await engine.agent([act('a'), act('b', ['a'])]));
    failures = 1;
    whileItRuns(() => pause(id));
    await engine.work();
    assert.equal((await look(id)).status, 'failed');
    await assert.rejects(resume(id), refused('INVALID_STATE', /failed already; only a paused execution can be resumed/));

    const retry = { maxAttempts: 2, initialMs: 1_000, factor: 1, maxMs: 1_000 };
    const again = await engine.start(await engine.agent([{ ...act('a'), retry }]));
    failures = 1;
    whileItRuns(() => pause(again.id));
    await engine.work();
    assert.deepEqual(
      [(await look(again.id)).status, await statuses(again.id), await engine.jobsOf(again.id)],
      ['paused', { a: 'queued' }, []],
    );
    engine.clock.advance(60_000);
    await engine.work();
    assert.equal(calledFor(again.id).length, 1);
    await resume(again.id);
    await engine.work();
    assert.deepEqual([(await look(again.id)).status, calledFor(again.id).length], ['succeeded', 2]);
    await checked(id, again.id);
  });

  it('that was resumed while the effect still ran goes on once, not twice', async () => {
    const { id } = await engine.start(await engine.agent([act('a'), act('b', ['a'])]));
    whileItRuns(async () => {
      await pause(id);
      await resume(id);
    });
    await engine.work();
    assert.deepEqual([(await look(id)).status, calledFor(id)], ['succeeded', ['a', 'b']]);
    await checked(id);
  });

  it('whose effect was the last one ends when it is resumed', async () => {
    const agentId = await engine.agent([act('a')], { output: '${{ steps.a.output.structured.value }}' });
    const { id } = await engine.start(agentId);
    whileItRuns(() => pause(id));
    await engine.work();
    assert.deepEqual([(await look(id)).status, await statuses(id)], ['paused', { a: 'succeeded' }]);
    await resume(id);
    await engine.work();
    assert.deepEqual([(await look(id)).status, (await look(id)).output], ['succeeded', 'a']);
    await checked(id);
  });

  it('lets people decide; what they decided counts once it is resumed', async () => {
    const ask: Steps = [
      { id: 'ask', approval: { title: 'ok?', reason: '', risk: 'low', expiresInMs: 60_000, show: null } },
      { id: 'then', transform: 'steps.ask.output.decision', needs: ['ask'] },
    ];
    const id = await start(ask);
    await pause(id);
    await decide(id, 'approve');
    await engine.work();
    assert.deepEqual([(await look(id)).status, await statuses(id)], ['paused', { ask: 'queued' }]);
    await resume(id);
    await engine.work();
    assert.equal((await rowOf(id, 'then')).output, 'approved');

    const rejected = await start(ask);
    await pause(rejected);
    await decide(rejected, 'reject');
    await engine.work();
    assert.equal((await look(rejected)).status, 'blocked');
    const expired = await start(ask);
    await pause(expired);
    engine.clock.advance(60_000);
    await engine.work();
    assert.equal((await look(expired)).status, 'blocked');
    assert.equal(await codeOf(expired, 'ask'), 'APPROVAL_EXPIRED');
    await checked(id, rejected, expired);
  });

  it('acts on a timer that fell due meanwhile when it is resumed, and on one to come at its moment', async () => {
    const id = await start([
      { id: 'short', wait: { durationMs: 1_000 } },
      { id: 'long', wait: { durationMs: 60_000 } },
    ]);
    await pause(id);
    engine.clock.advance(10_000);
    await engine.work();
    assert.deepEqual(await statuses(id), { long: 'waiting', short: 'waiting' });
    await resume(id);
    await engine.work();
    assert.deepEqual([await statuses(id), (await look(id)).status], [{ long: 'waiting', short: 'succeeded' }, 'waiting']);
    engine.clock.advance(49_999);
    await engine.work();
    assert.equal((await look(id)).status, 'waiting');
    engine.clock.advance(1);
    await engine.work();
    assert.equal((await look(id)).status, 'succeeded');
    await checked(id);
  });

  it('half-way through a list goes on with the items that are left', async () => {
    const each = {
      id: 'each',
      forEach: '[0..4]',
      concurrency: 1,
      ...tool('test.do', { n: '${{ item }}' }),
      reduce: '$sum(items.structured.value)',
    };
    const { id } = await engine.start(await engine.agent([each]));
    during = async (n) => {
      if (n === 2) await pause(id);
    };
    await engine.work();
    during = () => Promise.resolve();
    assert.deepEqual([calledFor(id), (await look(id)).status], [[0, 1, 2], 'paused']);
    await resume(id);
    await engine.work();
    assert.deepEqual([calledFor(id), (await rowOf(id, 'each')).output], [[0, 1, 2, 3, 4], 10]);
    await checked(id);
  });

  it('has at most two jobs for a timer, however often it is paused and resumed', async () => {
    const id = await start([{ id: 'nap', wait: { durationMs: 60_000 } }]);
    for (let times = 0; times < 20; times += 1) {
      await pause(id);
      await resume(id);
      await engine.work();
    }
    assert.ok((await engine.jobsOf(id)).length <= 2, `${(await engine.jobsOf(id)).length} jobs`);
    engine.clock.advance(60_000);
    await engine.work();
    assert.equal((await look(id)).status, 'succeeded');
    assert.equal((await types(id)).filter((type) => type === 'step.succeeded').length, 1);
    await checked(id);
  });

  it('can be cancelled, and then not be resumed', async () => {
    const id = await start([{ id: 'nap', wait: { durationMs: 1_000 } }, act('a', ['nap'])]);
    await pause(id);
    await engine.cancel(id);
    await assert.rejects(resume(id), refused('INVALID_STATE', /cancelled already; only a paused execution can be resumed/));
    engine.clock.advance(1_000);
    await engine.work();
    assert.deepEqual([(await look(id)).status, calledFor(id)], ['cancelled', []]);
    await checked(id);
  });

  it('goes on exactly where it was when runners die at any commit while it is paused and resumed again and again', async () => {
    const agentId = await engine.agent([
      act('a'),
      { id: 'nap', wait: { durationMs: 1_000 }, needs: ['a'] },
      { id: 'each', forEach: '[1, 2, 3]', concurrency: 2, ...tool('test.do', { n: '${{ item }}' }), needs: ['a'] },
      { id: 'go', wait: { signal: 'go', timeoutMs: 600_000 }, needs: ['a'] },
      { id: 'poll', ...tool('test.do', { n: '${{ index }}' }), loop: { until: 'index = 1', max: 3, everyMs: 1_000 }, needs: ['nap'] },
      act('last', ['nap', 'each', 'go', 'poll']),
    ]);
    const seed = someSeed();
    for (let life = 0; life < 25; life += 1) {
      const random = randomOf(seed + life);
      let deaths = 0;
      engine.dieAt(() => (deaths < 4 && random() < 0.15 && (deaths += 1) > 0 ? (random() < 0.5 ? 'inside' : 'after') : null));
      const { id } = await engine.start(agentId);
      await signal(id, 'go');
      let isPaused = false;
      for (let turn = 0; turn < 200 && (await look(id)).finishedAt === null; turn += 1) {
        if (turn < 40 && random() < 0.4) {
          isPaused = !isPaused;
          await (isPaused ? pause(id) : resume(id));
        } else if (!(await engine.workOnce())) {
          if (isPaused) await resume(id);
          else engine.clock.advance(500);
          isPaused = false;
        }
      }
      engine.dieAt(null);
      const where = `seed ${seed + life}`;
      assert.equal((await look(id)).status, 'succeeded', where);
      const own = engine.calls.filter(({ options }) => options.idempotencyKey?.startsWith(id));
      const keys = new Set(own.map(({ options }) => options.idempotencyKey));
      assert.equal(keys.size, 7, where);
      assert.ok(own.length <= 7 + deaths, `${where}: ${own.length} calls, ${deaths} deaths`);
      await checked(id);
    }
  });
});

describe('pausing', () => {
  it('what is paused, resuming what is not, pausing what has ended: refused, nothing changed', async () => {
    const id = await start([{ id: 'nap', wait: { durationMs: 1_000 } }]);
    await assert.rejects(resume(id), refused('INVALID_STATE', /the execution is waiting, not paused; only a paused/));
    await pause(id);
    const { lastSequence } = await look(id);
    await assert.rejects(pause(id), refused('INVALID_STATE', /paused already; only an execution that has not ended/));
    assert.equal((await look(id)).lastSequence, lastSequence);
    await engine.cancel(id);
    await assert.rejects(pause(id), refused('INVALID_STATE', /cancelled already/));
  });

  it('needs its permission; what is foreign or absent is not found', async () => {
    const id = await start([{ id: 'nap', wait: { durationMs: 1_000 } }]);
    const viewer = await engine.authority(['viewer']);
    await assert.rejects(pause(id, viewer), refused('FORBIDDEN', /execution\.pause/));
    await pause(id);
    await assert.rejects(resume(id, viewer), refused('FORBIDDEN', /execution\.pause/));
    for (const absent of [newId(), 'x']) {
      await assert.rejects(pause(absent), refused('NOT_FOUND', /there is no execution/));
      await assert.rejects(resume(absent), refused('NOT_FOUND', /there is no execution/));
    }
    await engine.cancel(id);
  });
});

describe('startAt', () => {
  it('begins it then and not before, also when its job comes early', async () => {
    const agentId = await engine.agent([act('a')]);
    const { id, status } = await engine.start(agentId, {}, { startAt: soon(60_000) });
    assert.equal(status, 'scheduled');
    engine.clock.advance(59_999);
    await engine.work();
    await engine.db.database.write(engine.tenantId, (uow) =>
      uow.rows('select jobs.enqueue($1::json)', [
        JSON.stringify([{ identifier: 'run-execution', payload: { tenantId: engine.tenantId, executionId: id } }]),
      ]),
    );
    await engine.work();
    assert.deepEqual([(await look(id)).status, calledFor(id)], ['scheduled', []]);
    engine.clock.advance(1);
    await engine.work();
    assert.deepEqual([(await look(id)).status, calledFor(id)], ['succeeded', ['a']]);
    assert.equal((await types(id))[0], 'execution.scheduled');
    await checked(id);
  });

  it('can be cancelled before; a pause over its moment holds it, and one before does not', async () => {
    const agentId = await engine.agent([act('a')]);
    const ids: string[] = [];
    for (let index = 0; index < 3; index += 1) ids.push((await engine.start(agentId, {}, { startAt: soon(60_000) })).id);
    const [cancelled, held, early] = ids as [string, string, string];
    await engine.cancel(cancelled);
    for (const id of [held, early]) await pause(id);
    assert.equal((await resume(early)).status, 'scheduled');
    engine.clock.advance(60_000);
    await engine.work();
    assert.deepEqual(
      [(await look(cancelled)).status, (await look(held)).status, (await look(early)).status],
      ['cancelled', 'paused', 'succeeded'],
    );
    assert.equal((await resume(held)).status, 'queued');
    await engine.work();
    assert.equal((await look(held)).status, 'succeeded');
    assert.deepEqual(
      ids.map((id) => calledFor(id).length),
      [0, 1, 1],
    );
    await checked(...ids);
  });

  it('takes signals before it begins', async () => {
    const agentId = await engine.agent([{ id: 'go', wait: { signal: 'go', timeoutMs: null } }]);
    const { id } = await engine.start(agentId, {}, { startAt: soon(1_000) });
    await signal(id, 'go');
    engine.clock.advance(1_000);
    await engine.work();
    assert.equal((await look(id)).status, 'succeeded');
    await checked(id);
  });

  it('in the past, or more than 366 days ahead, is refused', async () => {
    const agentId = await engine.agent([act('a')]);
    for (const startAt of [soon(0), soon(-1)])
      await assert.rejects(engine.start(agentId, {}, { startAt }), refused('VALIDATION_FAILED', /startAt.*has passed/));
    const limit = 366 * 86_400_000;
    await assert.rejects(engine.start(agentId, {}, { startAt: soon(limit + 1) }), refused('VALIDATION_FAILED', /startAt.*too far ahead/));
    const { id, status } = await engine.start(agentId, {}, { startAt: soon(limit) });
    assert.equal(status, 'scheduled');
    await engine.cancel(id);
  });
});

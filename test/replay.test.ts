// Replay: the fold of the events equals the rows of executions of every shape, at any moment of their lives; reading is one moment,
// bounded, and permitted like reading the execution. What is changed by hand: replay-tampered.test.ts.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { NotFoundError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { looksAt, tool, type Steps } from './harness/engine-looks.ts';
import { everything, replayEngine, type ReplayEngine } from './harness/replay.ts';

let engine: ReplayEngine;
before(async () => (engine = await replayEngine()));
after(() => engine.close());
const { start, look, rows } = looksAt(() => engine);

describe('equal', () => {
  it('at every stop of an execution that does everything, with what was compared', async () => {
    engine.forget();
    const { id } = await engine.start(await engine.agent(everything), {});
    await engine.live(id, async () => void (await engine.equal(id)));
    const { status, counts } = await engine.equal(id);
    const [stored] = await rows(
      `select (select count(*)::int from execution_events where execution_id = $1) as events,
         (select count(*)::int from steps where execution_id = $1 and item_index < 0) as steps,
         (select count(*)::int from steps where execution_id = $1 and item_index >= 0) as items,
         (select count(*)::int from attempts where execution_id = $1) as attempts,
         (select count(*)::int from approvals where execution_id = $1) as approvals,
         (select count(*)::int from signals where execution_id = $1) as signals`,
      id,
    );
    assert.deepEqual([status, counts], ['succeeded', stored]);
    assert.deepEqual([counts.steps, counts.items, counts.attempts, counts.approvals], [10, 5, 9, 2]);
  });

  it('for one that failed, was refused or cancelled in the middle, and for one that nobody has taken up', async () => {
    engine.forget();
    const failing = await start([{ id: 'each', forEach: '[0..9]', concurrency: 1, ...tool('test.moody', { n: '${{ item }}' }), retry: { maxAttempts: 2, initialMs: 1, factor: 1, maxMs: 1 } }, { id: 'next', needs: ['each'], transform: '1' }]); // prettier-ignore
    await engine.live(failing, async () => void (await engine.equal(failing)));
    const rejected = await start([
      { id: 'asked', ...tool('test.asked', {}) },
      { id: 'also', ...tool('test.asked', {}) },
    ]);
    await engine.equal(rejected);
    await engine.decideAll('reject');
    // Decided, and the execution has not taken note of it.
    await engine.equal(rejected);
    await engine.work();
    const cancelled = await start([
      { id: 'wait', wait: { durationMs: 60_000 } },
      { id: 'asked', ...tool('test.asked', {}) },
    ]);
    await engine.equal(cancelled);
    await engine.decideAll('approve');
    await engine.cancel(cancelled);
    const { id: queued } = await engine.start(await engine.agent(everything), {});
    const statuses = [];
    for (const id of [failing, rejected, cancelled, queued]) statuses.push((await engine.equal(id)).status);
    assert.deepEqual(statuses, ['failed', 'blocked', 'cancelled', 'queued']);
    await engine.cancel(queued);
    assert.equal((await engine.equal(queued)).counts.events, 2);
  });

  it('for one that starts later, is paused and resumed, waits for signals, loops, reduces and starts others', async () => {
    const { control } = engine.services;
    const below = await engine.agent([{ id: 'a', transform: 'inputs.n * 2' }], { output: '${{ steps.a.output }}' });
    const child = { name: `a-${below}`, with: { n: 21 }, onParentEnd: 'cancel' as const };
    const steps: Steps = [
      { id: 'sum', forEach: '[1..3]', transform: 'item', reduce: '$sum(items)' },
      { id: 'none', forEach: '[]', transform: 'item', reduce: '$count(items)' },
      { id: 'again', transform: 'index', loop: { until: 'output = 2', max: 5, everyMs: 1_000 } },
      { id: 'early', wait: { signal: 'early', timeoutMs: null } },
      { id: 'late', wait: { signal: 'late', timeoutMs: 3_600_000 } },
      { id: 'never', wait: { signal: 'never', timeoutMs: 10_000 }, onFailure: 'continue' },
      { id: 'child', kind: 'agent', agent: child },
      { id: 'children', kind: 'agent', forEach: '[1, 2]', agent: child },
    ];
    const startAt = new Date(engine.clock.now().getTime() + 45_000);
    const { id } = await engine.start(await engine.agent(steps, {}), {}, { startAt });
    const signal = (name: string) =>
      engine.write((uow) => control.signalExecution(uow, engine.operator, { executionId: id, name, payload: { name } }));
    await signal('early');
    await signal('unused');
    let looks = 0;
    await engine.live(id, async () => {
      looks += 1;
      await engine.equal(id);
      if (looks === 1) await engine.write((uow) => control.pauseExecution(uow, engine.operator, { executionId: id }));
      if (looks === 3) await engine.write((uow) => control.resumeExecution(uow, engine.operator, { executionId: id }));
      const { status } = await look(id);
      if (status === 'waiting' && looks % 7 === 0) {
        await engine.write((uow) => control.pauseExecution(uow, engine.operator, { executionId: id, reason: 'lunch' }));
        await engine.equal(id);
        await engine.write((uow) => control.resumeExecution(uow, engine.operator, { executionId: id }));
        await engine.equal(id);
        await signal('late');
      }
    });
    const { status, counts } = await engine.equal(id);
    assert.equal(status, 'succeeded');
    assert.deepEqual([counts.steps, counts.items, counts.attempts], [8, 8, 3]);
    const types = new Set((await engine.events(id)).map(({ type }) => type));
    for (const type of [
      'execution.scheduled',
      'execution.paused',
      'execution.resumed',
      'execution.signalled',
      'signal.received',
      'step.iterated',
      'step.child_started',
    ] as const)
      // prettier-ignore
      assert.ok(types.has(type), type);
    const children = await rows('select id from executions where parent_id = $1', id);
    for (const each of children) assert.equal((await engine.equal(each.id)).status, 'succeeded');
  });

  it('for one that retries, and one that forks: what was taken over is as it was there', async () => {
    const { reruns } = engine.services;
    engine.forget();
    const steps: Steps = [
      { id: 'first', ...tool('test.echo', { value: 1 }) },
      { id: 'tolerated', ...tool('test.moody', { n: 2 }), onFailure: 'continue' },
      { id: 'sum', forEach: '[1..3]', transform: 'item', reduce: '$sum(items)' },
      { id: 'list', forEach: '[1..3]', transform: 'item' },
      { id: 'again', transform: 'index', loop: { until: 'output = 2', max: 5, everyMs: 0 } },
      { id: 'choose', branch: [{ when: 'true', then: ['left'] }, { then: ['right'] }] },
      { id: 'left', needs: ['choose'], transform: '1' },
      { id: 'right', needs: ['choose'], transform: '2' },
      {
        id: 'each',
        needs: ['first', 'tolerated', 'sum', 'list', 'again', 'left'],
        forEach: '[3, 2, 4]',
        concurrency: 1,
        ...tool('test.moody', { n: '${{ item }}' }),
      },
      { id: 'last', needs: ['each'], transform: '1' },
    ];
    const failed = await start(steps);
    assert.equal((await engine.equal(failed)).status, 'failed');
    const again = await engine.write((uow) => reruns.retryExecution(uow, engine.operator, { executionId: failed }));
    await engine.live(again.id, async () => void (await engine.equal(again.id)));
    assert.equal((await engine.equal(again.id)).status, 'failed');
    const forked = await engine.write((uow) => reruns.forkExecution(uow, engine.operator, { executionId: failed, stepId: 'first' }));
    await engine.live(forked.id, async () => void (await engine.equal(forked.id)));
    const reused = (await engine.events(again.id)).filter(({ type }) => type === 'step.reused').map(({ data }) => data['stepId']);
    assert.ok(reused.includes('each') && reused.includes('sum') && reused.includes('list'), reused.join(' '));
    const [first] = await engine.events(again.id);
    assert.equal((await engine.tampered(again.id, `update steps set item_reused = '[[0, 1]]' where execution_id = $1 and step_id = 'list' and item_index = -1`)).path, 'steps.list.itemReused'); // prettier-ignore
    assert.equal((await engine.tampered(again.id, `update steps set output = '77' where execution_id = $1 and step_id = 'left'`)).path, 'steps.left.output'); // prettier-ignore
    assert.equal(first!.type, 'execution.queued');
  });

  it('for 600 items and more events than a page, in a number of statements that pages explain', async () => {
    const id = await start([{ id: 'each', forEach: '[1..600]', concurrency: 100, transform: 'item' }]);
    let statements = 0;
    const result = await engine.db.database.read(engine.tenantId, (uow) => {
      const counted: UnitOfWork = Object.create(uow, {
        rows: { value: (sql: string, params?: readonly unknown[]) => ((statements += 1), uow.rows(sql, params)) },
      });
      return engine.services.inspection.replayExecution(counted, engine.operator, id);
    });
    assert.deepEqual(
      [result.difference, result.counts],
      [null, { events: 1_206, steps: 1, items: 600, attempts: 0, approvals: 0, signals: 0 }],
    );
    // The execution, two pages of events, slots and their outputs, attempts, approvals, signals; the plan is known.
    assert.equal(statements, 8);
  });
});

describe('one moment', () => {
  it('is seen although the execution runs on between the statements', async () => {
    const { id } = await engine.start(await engine.agent([{ id: 'a', transform: '1' }, { id: 'b', needs: ['a'], transform: '2' }]), {}); // prettier-ignore
    const result = await engine.db.database.read(engine.tenantId, (uow) => {
      const slow: UnitOfWork = Object.create(uow, {
        rows: {
          value: async (sql: string, params?: readonly unknown[]) => {
            const answer = await uow.rows(sql, params);
            await engine.workOnce();
            return answer;
          },
        },
      });
      return engine.services.inspection.replayExecution(slow, engine.operator, id);
    });
    assert.deepEqual([result.difference, result.status, result.counts.events], [null, 'queued', 1]);
    assert.equal((await engine.equal(id)).status, 'succeeded');
  });
});

describe('permission', () => {
  it('is that of reading the execution; absent, foreign and invisible ones are not found', async () => {
    const id = await start([{ id: 'a', transform: '1' }]);
    assert.equal((await engine.replay(id, await engine.authority(['viewer']))).difference, null);
    const nobody = await engine.authority([]);
    for (const [asked, actor] of [
      [id, nobody],
      [newId(), engine.operator],
      ['nonsense', engine.operator],
    ] as const)
      // prettier-ignore
      await assert.rejects(engine.replay(asked, actor), (error) => error instanceof NotFoundError && error.message.includes(asked));
    const foreign = { ...engine.operator, tenantId: newId() };
    await assert.rejects(
      engine.db.database.read(foreign.tenantId, (uow) => engine.services.inspection.replayExecution(uow, foreign, id)),
      NotFoundError,
    );
  });
});

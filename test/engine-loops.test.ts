// Loops and reduced lists on the real engine: what each iteration sees, when it ends, what it costs, and what a death between two
// transactions leaves behind.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { StepDefinition } from '#src/agents/definition.ts';
import { controlOf } from './harness/engine-control.ts';
import { looksAt, tool, type Steps } from './harness/engine-looks.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
let failures = 0;
let count = 0;
before(async () => {
  engine = await handEngine({
    'test.count': { run: () => (count += 1) },
    'test.echo': { run: ({ value }) => value },
    'test.flaky': {
      run: ({ n }) => {
        if (failures-- > 0) throw new Error('not yet');
        return n;
      },
    },
  });
});
after(() => engine.close());
const { run, start, look, types, rowOf, rows, statuses, codeOf } = looksAt(() => engine);
const { checked } = controlOf(() => engine);

const loop = (until: string, max = 5, everyMs = 0): Partial<StepDefinition> => ({ loop: { until, max, everyMs } });
const since = (from: number) => engine.calls.slice(from);

async function outputInApi(executionId: string, stepId: string): Promise<unknown> {
  const { db, services, tenantId } = engine;
  const [output] = await db.database.read(tenantId, (uow) => services.executions.outputsOf(uow, [{ executionId, stepId, itemIndex: -1 }]));
  return output;
}

describe('loop', () => {
  it('runs once when until is true at once; its output is that of the iteration', async () => {
    const done = await run([{ id: 'again', transform: 'index + 10', ...loop('output = 10') }], {}, '${{ steps.again.output }}');
    assert.deepEqual([done.status, done.output], ['succeeded', 10]);
    assert.deepEqual(await types(done.id, 'again'), [
      ...['step.queued', 'step.expanded', 'step.queued', 'step.succeeded', 'step.queued', 'step.succeeded'],
    ]);
    await checked(done.id);
  });

  it('runs until it is true; each iteration sees its index and what the one before gave, and what follows sees the last', async () => {
    const id = await start(
      [
        {
          id: 'double',
          transform: '{ "n": previous = null ? inputs.first : previous.n * 2, "i": index }',
          ...loop('output.n > 10 and index = 2'),
        },
        { id: 'after', transform: 'steps.double.output.n & " " & steps.double.status', needs: ['double'] },
      ],
      { first: 3 },
    );
    assert.equal((await rowOf(id, 'after')).output, '12 succeeded');
    const items = await rows('select item_index, output from steps where execution_id = $1 and item_index >= 0 order by 1', id);
    assert.deepEqual(
      items.map(({ output }) => output),
      [
        { n: 3, i: 0 },
        { n: 6, i: 1 },
        { n: 12, i: 2 },
      ],
    );
    assert.deepEqual(await outputInApi(id, 'double'), { n: 12, i: 2 });
    await checked(id);
  });

  it('that calls a tool gives each iteration a key of its own, and forEach after it takes its output', async () => {
    count = 0;
    const from = engine.calls.length;
    const id = await start([
      {
        id: 'poll',
        ...tool('test.count', { n: '${{ index }}', before: '${{ previous.structured.value }}' }),
        ...loop('output.structured.value = 3'),
      },
      { id: 'each', forEach: '[1..steps.poll.output.structured.value]', transform: 'item * 2', needs: ['poll'] },
    ]);
    assert.deepEqual((await rowOf(id, 'each', 2)).output, 6);
    const calls = since(from);
    assert.deepEqual(
      calls.map(({ args }) => [args['n'], args['before']]),
      [
        [0, null],
        [1, 1],
        [2, 2],
      ],
    );
    assert.deepEqual(
      calls.map(({ options }) => options.idempotencyKey),
      [0, 1, 2].map((index) => `${id}:poll:${index}`),
    );
    await checked(id);
  });

  it('whose until stays false fails after its last iteration, and says how many there were', async () => {
    const id = await start([
      { id: 'poll', transform: 'index', ...loop('false', 3), onFailure: 'continue' },
      { id: 'sees', transform: '{ "code": steps.poll.error.code, "output": steps.poll.output }', needs: ['poll'] },
    ]);
    assert.equal(await codeOf(id, 'poll'), 'LOOP_EXHAUSTED');
    assert.match((await rowOf(id, 'poll')).failure.message, /after 3 iterations of step "poll"/);
    assert.deepEqual((await rowOf(id, 'sees')).output, { code: 'LOOP_EXHAUSTED', output: null });
    assert.equal(await outputInApi(id, 'poll'), null);
    assert.equal((await look(id)).status, 'succeeded');
    await checked(id);
  });

  it('waits between iterations without a job before the moment, and wakes at it', async () => {
    count = 0;
    const id = await start([{ id: 'poll', ...tool('test.count'), ...loop('output.structured.value >= 3', 5, 60_000) }]);
    for (const done of [1, 2]) {
      assert.equal((await look(id)).status, 'waiting');
      assert.deepEqual([count, await engine.later()], [done, [60_000]]);
      engine.clock.advance(59_999);
      assert.equal(await engine.work(), 0);
      engine.clock.advance(1);
      await engine.work();
    }
    assert.equal((await look(id)).status, 'succeeded');
    assert.equal(count, 3);
    await checked(id);
  });

  it('fails with the iteration that failed; its retries belong to that iteration alone', async () => {
    failures = 3;
    const retry = { maxAttempts: 3, initialMs: 1_000, factor: 1, maxMs: 1_000 };
    const id = await start([{ id: 'poll', ...tool('test.flaky', { n: '${{ index }}' }), retry, ...loop('index = 2') }]);
    engine.clock.advance(500);
    await engine.work();
    engine.clock.advance(500);
    await engine.work();
    assert.equal(await codeOf(id, 'poll'), 'ITEM_FAILED');
    assert.match((await rowOf(id, 'poll')).failure.message, /iteration 0 failed/);
    assert.equal((await look(id)).status, 'failed');

    failures = 2;
    const good = await start([{ id: 'poll', ...tool('test.flaky', { n: '${{ index }}' }), retry, ...loop('index = 2') }]);
    engine.clock.advance(500);
    await engine.work();
    engine.clock.advance(500);
    await engine.work();
    assert.equal((await look(good)).status, 'succeeded');
    assert.deepEqual([(await rowOf(good, 'poll', 0)).attempt, (await rowOf(good, 'poll', 1)).attempt], [3, 1]);
    await checked(id, good);
  });

  it('whose until cannot be computed fails with that error; an until that is no boolean is not true', async () => {
    const id = await start([{ id: 'poll', transform: '1', ...loop('$error("what")') }]);
    assert.equal(await codeOf(id, 'poll'), 'EXPRESSION_FAILED');
    const odd = await start([{ id: 'poll', transform: '1', ...loop('output', 2) }]);
    assert.equal(await codeOf(odd, 'poll'), 'LOOP_EXHAUSTED');
    await checked(id, odd);
  });

  it('is skipped as a whole by its when', async () => {
    const id = await start([{ id: 'poll', transform: '1', when: 'false', ...loop('true') }]);
    assert.deepEqual(await statuses(id), { poll: 'skipped' });
  });

  it('costs the same for each of 1,000 iterations, statements and bytes of its row', async () => {
    engine.takeStatements();
    const id = await start([{ id: 'long', transform: 'index', ...loop('index = 999', 1_000) }]);
    const statements = engine.takeStatements();
    assert.equal((await rowOf(id, 'long')).output, 999);
    assert.ok(statements.length >= 2_000, 'an iteration and its until are a transaction each');
    const middle = statements.slice(10, -10);
    assert.equal(Math.max(...middle), Math.max(...middle.slice(0, 20)), 'no transaction costs more than the first ones');
    const bytes = await rows('select pg_column_size(s.*) as size from steps s where execution_id = $1 and item_index = -1', id);
    assert.ok(bytes[0].size < 1_000, `${bytes[0].size} bytes`);
  });
});

describe('reduce', () => {
  const reduced = (list: string, reduce: string, more: Partial<StepDefinition> = {}): Steps => [
    { id: 'sum', forEach: list, transform: 'item * 2', reduce, ...more },
    { id: 'sees', transform: '{ "output": steps.sum.output, "code": steps.sum.error.code }', needs: ['sum'] },
  ];

  it('gives its value instead of the list, to what follows and to those who ask', async () => {
    const id = await start(reduced('inputs.list', '$sum(items)'), { list: [1, 2, 3] });
    assert.deepEqual((await rowOf(id, 'sees')).output, { output: 12 });
    assert.equal(await outputInApi(id, 'sum'), 12);
    assert.deepEqual([(await rowOf(id, 'sum', 0)).output, (await rowOf(id, 'sum', 2)).output], [2, 6]);
    await checked(id);
  });

  it('of an empty list computes with no items; of one value with a list of one', async () => {
    const none = await start(reduced('[]', '$count(items)'));
    assert.deepEqual((await rowOf(none, 'sees')).output, { output: 0 });
    const one = await start(reduced('7', '$type(items) & $count(items)'));
    assert.deepEqual((await rowOf(one, 'sees')).output, { output: 'array1' });
    await checked(none, one);
  });

  it('that gives nothing is null, not the list', async () => {
    const id = await start(reduced('[1, 2]', 'items[$ > 100]'));
    assert.deepEqual((await rowOf(id, 'sees')).output, { output: null });
    assert.equal(await outputInApi(id, 'sum'), null);
    await checked(id);
  });

  it('that fails, fails the step; with onFailure: continue the execution goes on without output', async () => {
    const failed = await start(reduced('[1, 2]', '$error("odd")'));
    assert.equal((await look(failed)).status, 'failed');
    assert.equal(await codeOf(failed, 'sum'), 'EXPRESSION_FAILED');
    const tolerated = await start(reduced('[1, 2]', '$error("odd")', { onFailure: 'continue' }));
    assert.deepEqual((await rowOf(tolerated, 'sees')).output, { output: null, code: 'EXPRESSION_FAILED' });
    await checked(failed, tolerated);
  });

  it('does not begin when an item failed, tolerated or not', async () => {
    const list = { transform: 'item = 2 ? $error("two") : item' };
    const failed = await start(reduced('[1, 2]', '$sum(items)', list));
    assert.match((await rowOf(failed, 'sum')).failure.message, /item 1 of 2 failed/);
    const tolerated = await start(reduced('[1, 2, 3]', '$sum(items)', { ...list, onFailure: 'continue' }));
    assert.deepEqual((await rowOf(tolerated, 'sees')).output, { output: null, code: 'ITEMS_FAILED' });
    assert.equal((await types(tolerated, 'sum')).filter((type) => type === 'step.queued').length, 4, 'the step and three items, no reduce');
    await checked(failed, tolerated);
  });

  it('sees results of other steps and inputs', async () => {
    const id = await start(
      [
        { id: 'factor', transform: '10' },
        { id: 'sum', forEach: '[1, 2]', transform: 'item', reduce: '$sum(items) * steps.factor.output + inputs.more', needs: ['factor'] },
      ],
      { more: 1 },
    );
    assert.equal((await rowOf(id, 'sum')).output, 31);
  });
});

describe('a runner that dies', () => {
  const steps: Steps = [
    { id: 'poll', ...tool('test.echo', { value: '${{ index }}' }), loop: { until: 'output.structured.value = 2', max: 5, everyMs: 1_000 } },
    {
      id: 'list',
      forEach: '[1, 2]',
      ...tool('test.echo', { value: '${{ item }}' }),
      reduce: '$sum(items.structured.value)',
      needs: ['poll'],
    },
  ];
  const finish = async () => {
    for (let round = 0; round < 4; round += 1) {
      await engine.work();
      engine.clock.advance(1_000);
    }
  };

  it('at any commit of a loop or a reduced list loses nothing and repeats no iteration that was committed', async () => {
    const agentId = await engine.agent(steps);
    const writes = engine.dieAt(() => null);
    await engine.start(agentId);
    await finish();
    const total = writes();
    assert.ok(total > 10, `${total} transactions`);
    for (let at = 0; at < total; at += 1) {
      for (const death of ['inside', 'after'] as const) {
        const from = engine.calls.length;
        engine.dieAt((write) => (write === at ? death : null));
        const { id } = await engine.start(agentId);
        await finish();
        engine.dieAt(null);
        const where = `${death} transaction ${at}`;
        assert.equal((await look(id)).status, 'succeeded', where);
        assert.equal((await rowOf(id, 'list')).output, 3, where);
        const attempts = since(from).map(({ options }) => `${options.idempotencyKey}@${options.attempt}`);
        assert.equal(new Set(attempts).size, attempts.length, `${where}: an attempt ran twice`);
        assert.ok(attempts.length <= 6, `${where}: ${attempts.length} calls, one lost at most`);
        await checked(id);
      }
    }
  });
});

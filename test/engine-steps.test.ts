// Every kind of step and every common key of the definition, on the real engine with a clock that the test turns.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { StepDefinition } from '#src/agents/definition.ts';
import { looksAt, tool, type Steps } from './harness/engine-looks.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
let failures = 0;
before(async () => {
  engine = await handEngine({
    'math.add': { run: ({ a, b }) => (a as number) + (b as number) },
    'math.echo': { run: (args) => args },
    'math.flaky': {
      run: () => {
        if (failures-- > 0) throw new Error(`fails ${failures + 1} times more`);
        return 'at last';
      },
    },
  });
});
after(() => engine.close());

const { run, start, look, types, rowOf, statuses, codeOf } = looksAt(() => engine);

describe('tool', () => {
  it('is called with its evaluated arguments, its timeout and a stable key, and gives text and structured output', async () => {
    const done = await run(
      [{ id: 'sum', ...tool('math.add', { a: '${{ inputs.a }}', b: 2 }), timeoutMs: 1_234 }],
      { a: 40 },
      '${{ steps.sum.output }}',
    );
    assert.deepEqual(done.output, { text: '42', content: [], structured: { value: 42 } });
    const { args, options } = engine.calls.at(-1)!;
    assert.deepEqual(args, { a: 40, b: 2 });
    assert.equal(options.timeoutMs, 1_234);
    assert.equal(options.attempt, 1);
    assert.equal(options.idempotencyKey, `${done.id}:sum:-1`);
  });

  it('with arguments that its schema refuses fails before it is called, naming what is wrong', async () => {
    const strict = await handEngine({
      'strict.take': { inputSchema: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] }, run: () => 1 },
    });
    try {
      const agentId = await strict.agent([{ id: 'take', tool: { name: 'strict.take', with: { n: 'seven' } } }]);
      const { id } = await strict.start(agentId);
      await strict.work();
      const failed = (await strict.events(id)).find(({ type }) => type === 'step.failed')!;
      const { code, message } = failed.data['failure'] as { code: string; message: string };
      assert.equal(code, 'INVALID_ARGUMENTS');
      assert.match(message, /strict\.take.*n.*number/s);
      assert.deepEqual(strict.calls, []);
      assert.equal(failed.data['attempt'], 0);
    } finally {
      await strict.close();
    }
  });
});

describe('transform', () => {
  it('computes with inputs and outputs and keeps types', async () => {
    const done = await run(
      [
        { id: 'a', transform: 'inputs.list[n > 1].n' },
        { id: 'b', transform: '$sum(steps.a.output)', needs: ['a'] },
      ],
      {
        list: [{ n: 1 }, { n: 2 }, { n: 3 }],
      },
      '${{ steps.b.output }}',
    );
    assert.equal(done.output, 5);
  });

  it('that is hostile fails alone and soon: loops, recursion, huge values, errors with unstorable text', async () => {
    const id = await start([
      { id: 'loop', transform: '($f := function($x) { $f($x + 1) }; $f(0))', timeoutMs: 300, onFailure: 'continue' },
      { id: 'deep', transform: '($f := function($x) { 1 + $f($x) }; $f(0))', onFailure: 'continue' },
      { id: 'huge', transform: '$join($map([1..200000], function($v) { "xxxxxxxxxx" }))', onFailure: 'continue' },
      { id: 'text', transform: '$error("a\\u0000b \\ud83d")', onFailure: 'continue' },
      { id: 'fine', transform: '1 + 1' },
    ]);
    const done = await look(id);
    assert.equal(done.status, 'succeeded', JSON.stringify(done.failure));
    assert.deepEqual(await statuses(id), { deep: 'failed', fine: 'succeeded', huge: 'failed', loop: 'failed', text: 'failed' });
    assert.match(await codeOf(id, 'loop'), /^EXPRESSION_(TIMEOUT|LIMIT)$/);
    assert.match(await codeOf(id, 'deep'), /^EXPRESSION_/);
    assert.match(await codeOf(id, 'huge'), /^(OUTPUT_TOO_LARGE|EXPRESSION_LIMIT)$/);
    assert.equal(await codeOf(id, 'text'), 'EXPRESSION_FAILED');
  });
});

describe('wait', () => {
  it('goes on when its time has come and not a millisecond sooner, and holds no job until then', async () => {
    const id = await start([
      { id: 'nap', wait: { durationMs: 60_000 } },
      { id: 'then', transform: '"awake"', needs: ['nap'] },
    ]);
    assert.equal((await look(id)).status, 'waiting');
    assert.deepEqual(await engine.later(), [60_000]);
    engine.clock.advance(59_999);
    assert.equal(await engine.work(), 0);
    engine.clock.advance(1);
    await engine.work();
    assert.equal((await look(id)).status, 'succeeded');
    assert.deepEqual(await types(id), [
      ...['execution.queued', 'execution.started', 'step.queued', 'step.waiting', 'execution.waiting'],
      ...['step.succeeded', 'step.queued', 'execution.resumed', 'step.succeeded', 'execution.succeeded'],
    ]);
  });

  it('that comes early (the clock of the queue is ahead) waits once more', async () => {
    const id = await start([{ id: 'nap', wait: { durationMs: 10_000 } }]);
    engine.clock.advance(10_000);
    const due = engine.clock.now();
    engine.clock.advance(-4_000);
    await engine.db.database.write(engine.tenantId, (uow) => uow.rows('select 1'));
    engine.clock.advance(4_000);
    assert.equal(engine.clock.now().getTime(), due.getTime());
    await engine.work();
    assert.equal((await look(id)).status, 'succeeded');
  });

  it('takes its duration from an expression: a text, a number of seconds; anything else fails naming what is expected', async () => {
    const id = await start(
      [
        { id: 'text', wait: { expression: 'inputs.text' } },
        { id: 'number', wait: { expression: 'inputs.number' } },
        { id: 'wrong', wait: { expression: 'inputs.wrong' }, onFailure: 'continue' },
        { id: 'negative', wait: { expression: '0 - inputs.number' }, onFailure: 'continue' },
        { id: 'endless', wait: { expression: 'inputs.endless' }, onFailure: 'continue' },
      ],
      { text: '2m', number: 1.5, wrong: { a: 1 }, endless: '400d' },
    );
    assert.deepEqual(await engine.later(), [1_500, 120_000]);
    for (const stepId of ['wrong', 'negative', 'endless']) assert.equal(await codeOf(id, stepId), 'INVALID_DURATION');
    engine.clock.advance(120_000);
    await engine.work();
    assert.equal((await look(id)).status, 'succeeded');
  });
});

describe('branch', () => {
  const branching: Steps = [
    {
      id: 'choose',
      branch: [{ when: 'inputs.n > 10', then: ['many'] }, { when: 'inputs.n > 0', then: ['few'] }, { then: ['none', 'sad'] }],
    },
    { id: 'many', transform: '"many"', needs: ['choose'] },
    { id: 'few', transform: '"few"', needs: ['choose'] },
    { id: 'none', transform: '"none"', needs: ['choose'] },
    { id: 'sad', transform: '"sad"', needs: ['choose'] },
    { id: 'after_many', transform: '"only after many"', needs: ['many'] },
    {
      id: 'join',
      transform: '$join([steps.many.output, steps.few.output, steps.none.output][$ != null])',
      needs: ['many', 'few', 'none'],
      when: 'true',
    },
  ];

  it('takes the first case that is true, skips the others and all that only follows them', async () => {
    const id = await start(branching, { n: 5 });
    assert.deepEqual(await statuses(id), {
      ...{
        choose: 'succeeded',
        many: 'skipped',
        few: 'succeeded',
        none: 'skipped',
        sad: 'skipped',
        after_many: 'skipped',
        join: 'succeeded',
      },
    });
    assert.equal((await rowOf(id, 'join')).output, 'few');
  });

  it('takes the case without when if nothing else is true', async () => {
    const id = await start(branching, { n: 0 });
    assert.deepEqual(await statuses(id), {
      ...{
        choose: 'succeeded',
        many: 'skipped',
        few: 'skipped',
        none: 'succeeded',
        sad: 'succeeded',
        after_many: 'skipped',
        join: 'succeeded',
      },
    });
  });

  it('with no case that is true skips them all and goes on', async () => {
    const id = await start([
      { id: 'choose', branch: [{ when: 'false', then: ['a'] }] },
      { id: 'a', transform: '1', needs: ['choose'] },
    ]);
    assert.deepEqual(await statuses(id), { a: 'skipped', choose: 'succeeded' });
    assert.equal((await look(id)).status, 'succeeded');
  });
});

describe('forEach', () => {
  it('of nothing succeeds with an empty list, of one value runs once', async () => {
    const each = (list: string) => ({ forEach: list, transform: 'item * 10 + index' });
    const done = await run(
      [
        { id: 'none', ...each('inputs.none') },
        { id: 'missing', ...each('inputs.missing') },
        { id: 'one', ...each('inputs.one') },
        { id: 'three', ...each('inputs.three') },
      ],
      { none: [], one: 7, three: [1, 2, 3] },
      {
        none: '${{ steps.none.output }}',
        missing: '${{ steps.missing.output }}',
        one: '${{ steps.one.output }}',
        three: '${{ steps.three.output }}',
      },
    );
    assert.deepEqual(done.output, { none: [], missing: [], one: [70], three: [10, 21, 32] });
  });

  it('gives every output to what follows, however many items run at a time', async () => {
    for (const concurrency of [1, 2, 5]) {
      const done = await run(
        [
          { id: 'each', forEach: 'inputs.list', concurrency, ...tool('math.add', { a: '${{ item }}', b: 1 }) },
          { id: 'all', ...tool('math.echo', { list: '${{ steps.each.output.structured.value }}' }), needs: ['each'] },
        ],
        { list: [1, 2, 3] },
      );
      assert.equal(done.status, 'succeeded');
      assert.deepEqual(engine.calls.at(-1)!.args, { list: [2, 3, 4] }, `${concurrency} at a time`);
    }
  });

  it('fails with the item that failed, or with onFailure: continue runs all and says how many did not succeed', async () => {
    const each: Partial<StepDefinition> = {
      id: 'each',
      forEach: 'inputs.list',
      concurrency: 2,
      transform: 'item > 1 ? $error("no") : item',
    };
    const stopped = await start([each], { list: [1, 2, 1, 1] });
    assert.equal((await look(stopped)).status, 'failed');
    assert.match((await rowOf(stopped, 'each')).failure.message, /item 1 of 4 failed/);
    const all = await start(
      [
        { ...each, onFailure: 'continue' },
        { id: 'then', transform: 'steps.each.error.message', needs: ['each'] },
      ],
      {
        list: [1, 2, 1, 2],
      },
    );
    assert.equal((await look(all)).status, 'succeeded');
    assert.equal((await rowOf(all, 'then')).output, '2 of 4 items did not succeed');
    assert.deepEqual([(await rowOf(all, 'each')).item_done, (await rowOf(all, 'each')).item_failed], [4, 2]);
  });

  it('of more items than are allowed fails before the first one', async () => {
    const id = await start([{ id: 'each', forEach: '[1..10001]', transform: 'item' }]);
    assert.equal(await codeOf(id, 'each'), 'TOO_MANY_ITEMS');
    assert.ok(!(await types(id)).includes('step.expanded'));
  });
});

describe('when', () => {
  it('false skips the step and what needs it; a step with a when of its own decides for itself', async () => {
    const id = await start(
      [
        { id: 'maybe', transform: '1', when: 'inputs.no' },
        { id: 'follows', transform: '2', needs: ['maybe'] },
        { id: 'decides', transform: 'steps.maybe.status', needs: ['maybe'], when: "steps.maybe.status = 'skipped'" },
      ],
      { no: false },
    );
    assert.deepEqual(await statuses(id), { decides: 'succeeded', follows: 'skipped', maybe: 'skipped' });
    assert.equal((await rowOf(id, 'decides')).output, 'skipped');
  });
});

describe('retry', () => {
  it('waits its delay in a row, tries again, and leaves no error on a step that succeeded', async () => {
    failures = 2;
    const retry = { maxAttempts: 3, initialMs: 1_000, factor: 4, maxMs: 3_000 };
    const id = await start([
      { id: 'try', ...tool('math.flaky'), retry },
      { id: 'then', transform: '{ "error": steps.try.error, "value": steps.try.output.structured.value }', needs: ['try'] },
    ]);
    assert.deepEqual(await engine.later(), [500], 'half of 1 s: the test draws 0.5');
    const row = await rowOf(id, 'try');
    assert.equal(row.status, 'queued');
    assert.equal(Date.parse(row.wake_at) - engine.clock.now().getTime(), 500);
    engine.clock.advance(499);
    assert.equal(await engine.work(), 0);
    engine.clock.advance(1);
    await engine.work();
    assert.deepEqual(await engine.later(), [1_500], 'half of the most, 3 s');
    engine.clock.advance(1_500);
    await engine.work();
    assert.equal((await look(id)).status, 'succeeded');
    assert.equal((await rowOf(id, 'try')).failure, null);
    assert.deepEqual((await rowOf(id, 'then')).output, { error: null, value: 'at last' });
    assert.deepEqual(
      engine.calls.slice(-3).map(({ options }) => [options.attempt, options.idempotencyKey]),
      [1, 2, 3].map((attempt) => [attempt, `${id}:try:-1`]),
    );
  });
});

describe('onFailure: continue', () => {
  it('lets the execution go on, which sees status and error of the step', async () => {
    failures = 1;
    const id = await start([
      { id: 'bad', ...tool('math.flaky'), onFailure: 'continue' },
      { id: 'sees', transform: 'steps.bad.status & ": " & steps.bad.error.code', needs: ['bad'] },
    ]);
    assert.equal((await look(id)).status, 'succeeded');
    assert.equal((await rowOf(id, 'sees')).output, 'failed: TOOL_ERROR');
  });

  it('fail, the default, ends the execution and cancels what still waits', async () => {
    failures = 1;
    const id = await start([
      { id: 'nap', wait: { durationMs: 3_600_000 } },
      { id: 'bad', ...tool('math.flaky') },
      { id: 'never', transform: '1', needs: ['bad', 'nap'] },
    ]);
    const done = await look(id);
    assert.equal(done.status, 'failed');
    assert.equal(done.failure?.stepId, 'bad');
    assert.deepEqual(await statuses(id), { bad: 'failed', nap: 'cancelled' });
    engine.clock.advance(3_600_000);
    await engine.work();
    assert.equal((await look(id)).lastSequence, done.lastSequence, 'the timer of an ended execution does nothing');
  });
});

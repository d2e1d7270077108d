// Sizes, odd characters, many items, and starting and cancelling an execution: what the engine takes, and what it refuses and how.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import type { StartExecution } from '#src/executions/start-request.ts';
import { loadState } from '#src/executions/execution-store.ts';
import { isFinalExecution, maxOutputBytes } from '#src/executions/execution.ts';
import { IdempotencyConflictError, InvalidStateError, ValidationError } from '#src/platform/errors.ts';
import { carry } from '#src/runner/carry.ts';
import { checkRows } from './harness/simulation-checks.ts';
import { looksAt, tool } from './harness/engine-looks.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
let answer: unknown = null;
before(async () => {
  engine = await handEngine({
    'lab.answer': { run: () => answer },
    'lab.item': { run: ({ item }) => item },
    'lab.odd': {
      run: () => {
        throw new Error(`a\u0000b ${'x'.repeat(3_000)}\ud83d`);
      },
    },
  });
});
after(() => engine.close());

const { look, start, rows } = looksAt(() => engine);
const rowsOf = (id: string) => rows('select * from steps where execution_id = $1 order by item_index, step_id', id);
const failureOf = async (id: string) =>
  (await engine.events(id)).find(({ type }) => type === 'step.failed')!.data['failure'] as {
    code: string;
    message: string;
    stepId: string;
  };

describe('an output', () => {
  /** What the output of `lab.answer` costs besides the text itself. */
  const around = Buffer.byteLength(JSON.stringify({ text: JSON.stringify(''), content: [], structured: { value: '' } }));

  it('of a tool may have exactly 1 MiB of JSON; one byte more is refused, naming the step', async () => {
    // The text stands in it twice: as JSON in `text`, and as the value.
    answer = 'x'.repeat((maxOutputBytes - around) / 2);
    const fits = await start([{ id: 'large', ...tool('lab.answer') }]);
    assert.equal((await look(fits)).status, 'succeeded', JSON.stringify(await failureOf(fits).catch(() => null)));
    const [row] = await rowsOf(fits);
    assert.ok(row.output_bytes <= maxOutputBytes && row.output_bytes > maxOutputBytes - 2, String(row.output_bytes));
    answer = `${String(answer)}x`;
    const larger = await start([{ id: 'large', ...tool('lab.answer') }]);
    const { code, message, stepId } = await failureOf(larger);
    assert.deepEqual([code, stepId], ['OUTPUT_TOO_LARGE', 'large']);
    assert.match(message, /step "large".*at most 1048576/);
    assert.equal((await look(larger)).status, 'failed');
  });

  it('of a transform and of the execution may have exactly 1 MiB', async () => {
    const value = 'y'.repeat(maxOutputBytes - 2 - 100);
    const fits = await start(
      [{ id: 'large', transform: `inputs.text & "${'z'.repeat(100)}"` }],
      { text: value },
      { output: '${{ steps.large.output }}' },
    );
    assert.equal(((await look(fits)).output as string).length, maxOutputBytes - 2);
    const larger = await start([{ id: 'large', transform: `inputs.text & "${'z'.repeat(101)}"` }], { text: value });
    assert.deepEqual([(await failureOf(larger)).code, (await failureOf(larger)).stepId], ['OUTPUT_TOO_LARGE', 'large']);
    const outside = await start(
      [{ id: 'large', transform: 'inputs.text' }],
      { text: value },
      {
        output: { a: '${{ steps.large.output }}', b: 'z'.repeat(200) },
      },
    );
    assert.equal((await look(outside)).failure?.code, 'OUTPUT_TOO_LARGE');
  });

  it('with U+0000 or half of a surrogate pair is kept with a replacement, in keys too', async () => {
    answer = { ['k\u0000']: 'a\u0000b', cut: '\ud83d' };
    const id = await start([
      { id: 'odd', ...tool('lab.answer') },
      { id: 'sees', transform: 'steps.odd.output.structured.value.cut', needs: ['odd'] },
    ]);
    assert.equal((await look(id)).status, 'succeeded');
    const [odd, sees] = await rowsOf(id);
    assert.deepEqual(odd.output.structured.value, { cut: '\ufffd', 'k\ufffd': 'a\ufffdb' });
    assert.equal(sees.output, '\ufffd');
  });

  it('that is an error with such characters fails the step once, with the message', async () => {
    const retry = { maxAttempts: 2, initialMs: 1, factor: 1, maxMs: 1 };
    const id = await start([{ id: 'odd', ...tool('lab.odd'), retry }]);
    engine.clock.advance(1);
    await engine.work();
    assert.equal((await look(id)).status, 'failed');
    assert.match((await failureOf(id)).message, /^a\ufffdb x/);
    assert.equal((await rowsOf(id))[0].attempt, 2);
  });
});

describe('a list of 1,000 items', () => {
  it('is run whole, in order, and each item costs as many statements as with 10', async () => {
    const perItem: number[] = [];
    for (const count of [10, 1_000]) {
      const list = Array.from({ length: count }, (_, index) => index);
      engine.takeStatements();
      const each = { id: 'each', forEach: 'inputs.list', concurrency: 2, ...tool('lab.item', { item: '${{ item }}' }) };
      const id = await start([each], { list }, { output: '${{ steps.each.output.structured.value }}' });
      assert.deepEqual((await look(id)).output, list);
      assert.equal((await rowsOf(id))[0].item_done, count);
      // All but the first and the last few transactions are "item n has ended, the next one begins".
      const between = engine.takeStatements().slice(4, -6);
      assert.equal(new Set(between).size, 1, `every item costs the same: ${between.join(' ').slice(0, 200)}`);
      perItem.push(between[0]!);
    }
    assert.equal(perItem[1], perItem[0]);
  });
});

describe('a long list', () => {
  it('leaves its place to other executions now and then', async () => {
    const impatient = await handEngine({ 'lab.item': { run: ({ item }) => item } }, { sliceMs: -1 });
    try {
      const each = { forEach: 'inputs.list', concurrency: 1, ...tool('lab.item', { item: '${{ item }}' }) };
      const long = await impatient.start(await impatient.agent([{ id: 'each', ...each }]), { list: [1, 2, 3, 4, 5, 6, 7, 8] });
      const short = await impatient.start(await impatient.agent([{ id: 'one', ...tool('lab.item', { item: 'short' }) }]));
      await impatient.work();
      const order = impatient.calls.map(({ args }) => args['item']);
      assert.ok(order.indexOf('short') < 3, `called in the order ${order.join(' ')}`);
      for (const { id } of [long, short]) assert.equal((await impatient.until(id, () => true)).status, 'succeeded');
    } finally {
      await impatient.close();
    }
  });
});

describe('a transition', () => {
  it('reads the rows of its own items, however many others there are', async () => {
    const list = Array.from({ length: 5_000 }, (_, index) => index);
    const agentId = await engine.agent([
      { id: 'each', forEach: 'inputs.list', concurrency: 1, ...tool('lab.item', { item: '${{ item }}' }) },
    ]);
    const { id } = await engine.start(agentId, { list });
    await engine.db.database.write(engine.tenantId, async (uow) => {
      await uow.rows(
        `insert into steps (tenant_id, execution_id, step_id, item_index, status, item) select $1, $2, 'each', i, 'pending', '1'
         from generate_series(-1, 4999) as i`,
        [engine.tenantId, id],
      );
    });
    // With the statistics of a table that has just grown, whatever autovacuum has seen of it.
    const owner = new pg.Client({ connectionString: engine.db.ownerUrl });
    await owner.connect();
    await owner.query('analyze steps').finally(() => owner.end());
    const read = await engine.db.database.read(engine.tenantId, async (uow) => {
      await uow.rows('set local enable_seqscan = off');
      const rowsRead = async () => {
        const [table] = await uow.rows<{ n: string }>(
          `select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) as n from pg_stat_xact_user_tables where relname = 'steps'`,
        );
        return Number(table!.n);
      };
      const before = await rowsRead();
      const slots = [2_000, 2_001].map((itemIndex) => ({ stepId: 'each', itemIndex }));
      const { state } = await loadState(
        uow,
        id,
        { status: 'running', lastSequence: 1, startedAt: '2026-01-01T00:00:00Z', startAt: null, approvalId: null },
        slots,
      );
      assert.deepEqual([...state.items.keys()].sort(), ['each#2000', 'each#2001']);
      return (await rowsRead()) - before;
    });
    assert.ok(read <= 10, `${read} rows were read`);
    await engine.cancel(id);
    await engine.work();
  });
});

describe('starting', () => {
  let agentId: string;
  before(async () => {
    agentId = await engine.agent([{ id: 'a', transform: '1' }], {
      inputs: { type: 'object', required: ['n'], properties: { n: { type: 'integer', minimum: 1 } }, additionalProperties: false },
    });
  });

  it('with inputs that do not match the schema is refused with every problem, and nothing is recorded', async () => {
    const count = () => rows('select id from executions where agent_id = $1', agentId).then((found) => found.length);
    const before = await count();
    await assert.rejects(
      () => engine.start(agentId, { n: 0, x: 1 }),
      (error: unknown) => {
        assert.ok(error instanceof ValidationError);
        assert.deepEqual(error.problems.map(({ path }) => path).sort(), ['inputs.n', 'inputs.x']);
        return true;
      },
    );
    assert.equal(await count(), before);
  });

  it('with a key gives the same execution again, refuses another request with it, and runs once when asked at the same time', async () => {
    const key: Partial<StartExecution> = { idempotencyKey: 'once' };
    const first = await engine.start(agentId, { n: 1 }, key);
    assert.equal((await engine.start(agentId, { n: 1 }, key)).id, first.id);
    await assert.rejects(() => engine.start(agentId, { n: 2 }, key), IdempotencyConflictError);
    await assert.rejects(() => engine.start(agentId, { n: 1 }, { ...key, labels: { a: 'b' } }), IdempotencyConflictError);
    const together = await Promise.all(Array.from({ length: 6 }, () => engine.start(agentId, { n: 3 }, { idempotencyKey: 'together' })));
    assert.equal(new Set(together.map(({ id }) => id)).size, 1);
    const others = await Promise.allSettled(
      Array.from({ length: 6 }, (_, index) => engine.start(agentId, { n: 1 + (index % 2) }, { idempotencyKey: 'either' })),
    );
    const started = new Set(others.flatMap((result) => (result.status === 'fulfilled' ? [result.value.id] : [])));
    assert.equal(started.size, 1);
    for (const result of others) if (result.status === 'rejected') assert.ok(result.reason instanceof IdempotencyConflictError);
  });
});

describe('cancelling', () => {
  const sign = { id: 'sign', approval: { title: 'ok?', reason: '', risk: 'low' as const, expiresInMs: 60_000, show: null } };

  it('ends an execution that is queued, running or waiting, and refuses one that has ended', async () => {
    const queued = (await engine.start(await engine.agent([sign]))).id;
    await engine.cancel(queued);
    await engine.work();
    const running = (await engine.start(await engine.agent([{ id: 'a', transform: '1' }, sign, { id: 'b', transform: '1' }]))).id;
    await engine.workOnce();
    assert.equal((await look(running)).status, 'running');
    await engine.cancel(running);
    await engine.work();
    const waiting = await start([sign]);
    await engine.cancel(waiting);
    for (const id of [queued, running, waiting]) {
      assert.equal((await look(id)).status, 'cancelled');
      await checkRows(engine, id);
      await assert.rejects(() => engine.cancel(id), InvalidStateError);
    }
    const failed = await start([{ id: 'a', transform: '$error("no")' }]);
    const succeeded = await start([{ id: 'a', transform: '1' }]);
    for (const id of [failed, succeeded]) await assert.rejects(() => engine.cancel(id), InvalidStateError);
  });

  it('with a reason that cannot be stored is refused', async () => {
    const id = await start([sign]);
    for (const reason of ['a\u0000b', '\ud83d']) await assert.rejects(() => engine.cancel(id, reason), ValidationError);
    assert.ok(!isFinalExecution((await look(id)).status));
    await engine.cancel(id, 'enough');
  });
});

describe('work that can never be carried on', () => {
  it('ends the execution in the last run of its job, with the reason', async () => {
    const agentId = await engine.agent([{ id: 'a', transform: '1' }]);
    const { id } = await engine.start(agentId);
    const { services, clock, evaluator, db, tenantId } = engine;
    const broken = { ...evaluator, evaluateSource: () => Promise.reject(new Error('a defect')) };
    const deps = { ...services, clock, evaluator: broken, database: db.database, isDraining: () => false, random: () => 0 };
    const job = { id: '1', tenantId, executionId: id, slot: null };
    const perform = () => Promise.reject(new Error('nothing to perform'));
    await assert.rejects(() => carry({ ...deps, perform }, { ...job, before: [], run: 1 }), /a defect/);
    await assert.rejects(() => carry({ ...deps, perform }, { ...job, before: ['1'], run: 24 }), /a defect/);
    await carry({ ...deps, perform }, { ...job, before: ['1'], run: 25 });
    const done = await look(id);
    assert.deepEqual([done.status, done.failure?.code], ['failed', 'ENGINE_FAILED']);
    await checkRows(engine, id);
  });
});

// What becomes of results: committed at once, the same after a restart, and the output of the whole execution.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { looksAt, tool } from './harness/engine-looks.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
before(async () => {
  engine = await handEngine(
    { 'math.add': { run: ({ a, b }) => (a as number) + (b as number) }, 'math.echo': { run: (args) => args } },
    { aheadMs: 10 },
  );
});
after(() => engine.close());
const { run, types, rowOf } = looksAt(() => engine);

describe('the result of a tool', () => {
  it('is committed without waiting for the expressions of what follows', async () => {
    const agentId = await engine.agent([
      { id: 'call', ...tool('math.add', { a: 1, b: 1 }) },
      { id: 'slow', transform: 'inputs.never', needs: ['call'] },
    ]);
    const { id } = await engine.start(agentId);
    const { evaluateSource } = engine.evaluator;
    const isCommitted = Promise.withResolvers<boolean>();
    engine.evaluator.evaluateSource = async (...args) => {
      if (args[0] === 'inputs.never') {
        const { status } = await engine.until(id, (execution) => execution.lastSequence >= 6);
        isCommitted.resolve(status === 'running');
      }
      return evaluateSource(...args);
    };
    try {
      await engine.work();
    } finally {
      engine.evaluator.evaluateSource = evaluateSource;
    }
    assert.ok(await isCommitted.promise);
    assert.deepEqual((await types(id)).slice(4), ['step.succeeded', 'step.queued', 'step.succeeded', 'execution.succeeded']);
  });

  it('is not lost when what follows cannot be prepared', async () => {
    const agentId = await engine.agent([
      { id: 'call', ...tool('math.add', { a: 1, b: 1 }) },
      { id: 'then', transform: 'inputs.then', needs: ['call'] },
    ]);
    const { id } = await engine.start(agentId);
    const { evaluateSource } = engine.evaluator;
    engine.evaluator.evaluateSource = () => Promise.reject(new Error('the evaluator is not there'));
    await assert.rejects(() => engine.work(), /not there/);
    engine.evaluator.evaluateSource = evaluateSource;
    assert.equal((await rowOf(id, 'call')).status, 'succeeded');
    await engine.cancel(id);
    await engine.work();
  });
});

describe('expressions', () => {
  it('give the same whether the results are remembered or were read after a restart', async () => {
    const args = { zebra: 1, ant: 2, bee: { c: 1, a: 2 } };
    const text = '$string(steps.first.output.structured)';
    const done = await run(
      [
        { id: 'first', ...tool('math.echo', args) },
        { id: 'warm', ...tool('math.echo', { text: `\${{ ${text} }}` }), needs: ['first'] },
        { id: 'nap', wait: { durationMs: 1 }, needs: ['warm'] },
      ],
      {},
    );
    engine.clock.advance(1);
    await engine.work();
    const warm = engine.calls.at(-1)!.args['text'];
    const cold = await engine.db.database.read(engine.tenantId, (uow) =>
      uow.rows<any>(`select output -> 'structured' as value from steps where execution_id = $1 and step_id = 'first'`, [done.id]),
    );
    assert.equal(warm, JSON.stringify(cold[0].value));
  });

  it('in the output of the execution that fail make it fail, with the reason', async () => {
    const done = await run([{ id: 'a', transform: '1' }], {}, '${{ $error("no output") }}');
    assert.equal(done.status, 'failed');
    assert.match(done.failure!.message, /^output: .*no output/);
  });
});

// Retries and forks on the real engine: what runs again and what is taken over, under which keys, and that no effect which succeeded is
// repeated however an execution failed. Their API: executions-reruns.test.ts.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { Definition, StepDefinition } from '#src/agents/definition.ts';
import { isFinalExecution } from '#src/executions/execution.ts';
import { newId } from '#src/platform/ids.ts';
import { step } from './harness/engine.ts';
import { controlOf, refused } from './harness/engine-control.ts';
import { looksAt, tool, type Steps } from './harness/engine-looks.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';
import { arbitraryDefinition } from './harness/machine.ts';
import { randomOf, someSeed } from './harness/random.ts';

let engine: HandEngine;
let isBad: (n: unknown) => boolean = () => false;
before(async () => {
  engine = await handEngine({
    'test.do': {
      run: ({ n }) => {
        if (isBad(n)) throw new Error(`bad ${JSON.stringify(n)}`);
        return n;
      },
    },
  });
});
after(() => engine.close());
const { start, look, rowOf, rows, statuses } = looksAt(() => engine);
const { signal, decide, retry, fork, pause, checked } = controlOf(() => engine);

const act = (id: string, needs: string[] = [], more: Partial<StepDefinition> = {}) => ({
  id,
  ...tool('test.do', { n: id }),
  needs,
  ...more,
});
/** What the tool was called with since `from`. */
const called = (from: number) => engine.calls.slice(from).map(({ args }) => args['n']);
const reusedIn = async (id: string) => (await engine.events(id)).filter(({ type }) => type === 'step.reused').map(({ data }) => data);

const definitionOf = async (agentId: string): Promise<Definition> =>
  (await rows('select definition from agent_versions where agent_id = $1', agentId))[0].definition;

async function startBad(steps: Steps, bad: (n: unknown) => boolean, inputs: Record<string, unknown> = {}): Promise<string> {
  isBad = bad;
  const id = await start(steps, inputs);
  isBad = () => false;
  return id;
}

/** Retries and does all work; gives the new execution and what was called. */
async function retried(id: string): Promise<{ id: string; calls: unknown[] }> {
  const from = engine.calls.length;
  const { id: next } = await retry(id);
  await engine.work();
  await checked(id, next);
  return { id: next, calls: called(from) };
}

describe('retry', () => {
  it('is another execution with the same inputs, which runs what failed and what follows, under the same keys', async () => {
    const id = await startBad(
      [
        act('a'),
        act('b', ['a']),
        { id: 'c', transform: 'steps.a.output.structured.value & steps.b.output.structured.value & inputs.x', needs: ['a', 'b'] },
      ],
      (n) => n === 'b',
      { x: '!' },
    );
    const next = await retried(id);
    assert.deepEqual([next.calls, (await look(next.id)).status, (await rowOf(next.id, 'c')).output], [['b'], 'succeeded', 'ab!']);
    const row = await look(next.id);
    assert.deepEqual([row.originId, row.origin, row.originStepId], [id, 'retry', null]);
    assert.deepEqual(await reusedIn(next.id), [
      { stepId: 'a', itemIndex: -1, status: 'succeeded', outputBytes: (await rowOf(id, 'a')).output_bytes },
    ]);
    assert.equal(engine.calls.at(-1)!.options.idempotencyKey, `${id}:b:-1`);
    assert.equal((await look(id)).status, 'failed', 'the other one stays as it is');
  });

  it('of a list runs the items that had not succeeded; another retry of that, only what is left', async () => {
    const each: Steps = [
      { id: 'each', forEach: '[0..5]', concurrency: 1, ...tool('test.do', { n: '${{ item }}' }), reduce: '$sum(items.structured.value)' },
      { id: 'then', transform: 'steps.each.output', needs: ['each'] },
    ];
    const id = await startBad(each, (n) => n === 3);
    isBad = (n) => n === 4;
    const second = await retried(id);
    isBad = () => false;
    assert.deepEqual(second.calls, [3, 4]);
    assert.deepEqual(
      (await reusedIn(second.id)).map((data) => [data['status'], data['itemTotal'], data['ranges']]),
      [['pending', 6, [[0, 2]]]],
    );
    assert.equal((await rowOf(second.id, 'each')).failure.code, 'ITEM_FAILED');
    const third = await retried(second.id);
    assert.deepEqual([third.calls, (await rowOf(third.id, 'then')).output], [[4, 5], 15]);
    assert.equal((await rowOf(third.id, 'each')).failure, null);
    assert.equal(engine.calls.at(-1)!.options.idempotencyKey, `${id}:each:5`);
  });

  it('of a list with holes takes over the ranges that succeeded', async () => {
    const each = {
      id: 'each',
      forEach: '[0..5]',
      concurrency: 6,
      ...tool('test.do', { n: '${{ item }}' }),
      onFailure: 'continue' as const,
    };
    const id = await startBad([each, act('after', ['each'])], (n) => n === 1 || n === 4 || n === 'after');
    const tolerated = await retried(id);
    assert.deepEqual(tolerated.calls, ['after'], 'what was tolerated stays');
    assert.equal((await rowOf(tolerated.id, 'each')).failure.code, 'ITEMS_FAILED');

    const cancelled = await start([{ ...each, retry: { maxAttempts: 9, initialMs: 60_000, factor: 1, maxMs: 60_000 } }]);
    assert.equal((await look(cancelled)).status, 'succeeded');
    isBad = (n) => n === 1 || n === 4;
    const open = await start([{ ...each, retry: { maxAttempts: 9, initialMs: 60_000, factor: 1, maxMs: 60_000 } }]);
    isBad = () => false;
    await engine.cancel(open);
    const next = await retried(open);
    assert.deepEqual(next.calls, [1, 4]);
    assert.deepEqual((await reusedIn(next.id))[0]!['ranges'], [
      [0, 0],
      [2, 3],
      [5, 5],
    ]);
  });

  it('of a loop goes on after its last good iteration; one that was exhausted begins anew', async () => {
    const loop = (max: number): Steps => [
      {
        id: 'poll',
        ...tool('test.do', { n: '${{ previous ? previous.structured.value + 1 : 0 }}' }),
        loop: { until: 'output.structured.value = 3', max, everyMs: 0 },
      },
      { id: 'then', transform: 'steps.poll.output.structured.value', needs: ['poll'] },
    ];
    const id = await startBad(loop(5), (n) => n === 2);
    const next = await retried(id);
    assert.deepEqual([next.calls, (await rowOf(next.id, 'then')).output], [[2, 3], 3]);
    assert.equal(engine.calls.at(-1)!.options.idempotencyKey, `${id}:poll:3`);
    const exhausted = await start(loop(2));
    const again = await retried(exhausted);
    assert.deepEqual([again.calls, (await rowOf(again.id, 'poll')).failure.code], [[0, 1], 'LOOP_EXHAUSTED']);
  });

  it('leaves alone what a branch passed over, although it also waits for what failed', async () => {
    const id = await startBad(
      [
        { id: 'choose', branch: [{ when: 'inputs.no', then: ['other'] }, { then: ['taken'] }] },
        act('taken', ['choose']),
        act('bad'),
        act('other', ['choose', 'bad']),
        act('only_other', ['other']),
        act('decides', ['other'], { when: 'true' }),
        act('joins', ['other', 'bad'], { when: "steps.other.status = 'skipped'" }),
      ],
      (n) => n === 'bad',
      { no: false },
    );
    assert.equal((await look(id)).status, 'failed');
    const before = await statuses(id);
    assert.equal(before['other'], 'skipped');
    const next = await retried(id);
    const ran = Object.entries(before)
      .filter(([, status]) => status === 'succeeded')
      .map(([stepId]) => stepId);
    assert.deepEqual(
      next.calls.filter((n) => ran.includes(n as string)),
      [],
      'nothing that had succeeded',
    );
    assert.deepEqual(await statuses(next.id), {
      ...{ choose: 'succeeded', taken: 'succeeded', bad: 'succeeded', other: 'skipped' },
      ...{ only_other: 'skipped', decides: 'succeeded', joins: 'succeeded' },
    });
  });

  it('of one whose output failed, or that was cancelled before it began, or blocked by a person', async () => {
    const agentId = await engine.agent([act('a')], { output: '${{ $error("output") }}' });
    const { id } = await engine.start(agentId);
    await engine.work();
    const next = await retried(id);
    assert.deepEqual([next.calls, (await look(next.id)).failure?.code], [[], 'EXPRESSION_FAILED']);

    const unbegun = await engine.start(await engine.agent([act('a')]));
    await engine.cancel(unbegun.id);
    assert.deepEqual((await retried(unbegun.id)).calls, ['a']);

    const asked = await start([
      act('a'),
      { id: 'ask', approval: { title: 'ok?', reason: '', risk: 'low', expiresInMs: 60_000, show: null }, needs: ['a'] },
    ]);
    await decide(asked, 'reject');
    await engine.work();
    const again = await retried(asked);
    assert.deepEqual([again.calls, (await look(again.id)).status], [[], 'waiting']);
    await decide(again.id, 'approve');
    await engine.work();
    assert.equal((await look(again.id)).status, 'succeeded');
  });

  it('of what succeeded, runs, or is being retried is refused; one key is one retry', async () => {
    const good = await start([act('a')]);
    await assert.rejects(retry(good), refused('INVALID_STATE', /is succeeded; only one that is failed, blocked or cancelled/));
    const bad = await startBad([act('b'), { id: 'go', wait: { signal: 'go', timeoutMs: null }, needs: ['b'] }], (n) => n === 'b');
    const [first, same] = await Promise.all([retry(bad, 'k'), retry(bad, 'k')]);
    assert.equal(first.id, same.id);
    await assert.rejects(
      retry(bad),
      refused('INVALID_STATE', new RegExp(`the execution ${first.id}, which is queued, retries it already`)),
    );
    await assert.rejects(retry(bad, 'other'), refused('INVALID_STATE', /retries it already/));
    await assert.rejects(retry(first.id), refused('INVALID_STATE', /is queued; only one/));
    await engine.work();
    await assert.rejects(retry(first.id), refused('INVALID_STATE', /is waiting; only one/));
    await pause(first.id);
    await assert.rejects(retry(first.id), refused('INVALID_STATE', /is paused; only one/));
    await engine.cancel(first.id);
    assert.equal((await retry(bad, 'k')).id, first.id, 'a request sent again gets its answer');
    assert.notEqual((await retry(bad)).id, first.id, 'once that retry has ended another may begin');
    await assert.rejects(retry(good, 'k'), refused('IDEMPOTENCY_CONFLICT', /"k" was used before/));
    assert.equal((await rows('select id from executions where origin_id = $1', bad)).length, 2);
  });
});

describe('fork', () => {
  const chain: Steps = [
    act('a'),
    { id: 'b', ...tool('test.do', { n: '${{ steps.a.output.structured.value & inputs.x }}' }), needs: ['a'] },
    act('c', ['b']),
    act('beside'),
  ];

  async function forked(id: string, stepId: string, more: Parameters<typeof fork>[2] = {}): Promise<{ id: string; calls: unknown[] }> {
    const from = engine.calls.length;
    const { id: next } = await fork(id, stepId, more);
    await engine.work();
    await checked(next);
    return { id: next, calls: called(from) };
  }

  it('runs the step and what follows again under keys of its own, with other inputs; nothing before or beside it', async () => {
    const id = await start(chain, { x: 1 });
    const next = await forked(id, 'b', { inputs: { x: 2 } });
    assert.deepEqual(next.calls, ['a2', 'c']);
    const row = await look(next.id);
    assert.deepEqual([row.status, row.originId, row.origin, row.originStepId], ['succeeded', id, 'fork', 'b']);
    assert.deepEqual(
      engine.calls.slice(-2).map(({ options }) => options.idempotencyKey),
      [`${next.id}:b:-1`, `${next.id}:c:-1`],
    );
    assert.deepEqual((await forked(next.id, 'a')).calls, ['a', 'a2', 'c'], 'of a fork, with its inputs');
    assert.deepEqual((await forked(id, 'beside')).calls, ['beside']);
  });

  it('with another version takes over what comes before the step, and beside it what is defined as it was', async () => {
    const agentId = await engine.agent([...chain, act('same')]);
    /** Another version of the same agent, deployed once. */
    const version = (name: string, steps: Steps) =>
      engine.db.database.write(engine.tenantId, async (uow) => {
        const [versionId, definition] = [newId(), { ...(await definitionOf(agentId)), version: name, steps: steps.map(step) }];
        await uow.rows(
          `insert into agent_versions (id, tenant_id, agent_id, version, definition, source, digest, created_by, created_at)
           values ($1, $2, $3, $4, $5::jsonb, '', $4, $6, now())`,
          [versionId, engine.tenantId, agentId, name, JSON.stringify(definition), engine.operator.principalId],
        );
        await uow.rows(
          `insert into deployments (id, tenant_id, agent_id, environment_id, version_id, kind, created_by, created_at, superseded_at)
           values ($1, $2, $3, $4, $5, 'promote', $6, now(), now())`,
          [newId(), engine.tenantId, agentId, engine.environmentId, versionId, engine.operator.principalId],
        );
      });
    await version('2.0.0', [
      act('a', [], { timeoutMs: 5 }),
      ...chain.slice(1, 3),
      act('beside', [], { timeoutMs: 5 }),
      act('same'),
      act('new'),
    ]);
    await version('3.0.0', [act('x'), act('a', ['x']), ...chain.slice(1)]);
    await version('4.0.0', [act('a')]);
    const { id } = await engine.start(agentId, { x: 1 });
    await engine.work();
    const next = await forked(id, 'b', { version: '2.0.0' });
    assert.deepEqual(new Set(next.calls), new Set(['a1', 'c', 'beside', 'new']));
    assert.deepEqual(
      (await reusedIn(next.id)).map((data) => data['stepId']),
      ['a', 'same'],
    );
    await assert.rejects(
      fork(id, 'b', { version: '3.0.0' }),
      refused('VALIDATION_FAILED', /step "b" comes after step "x", which has no result/),
    );
    await assert.rejects(fork(id, 'b', { version: '4.0.0' }), refused('VALIDATION_FAILED', /version 4\.0\.0 has no step "b"/));
    assert.equal((await rows('select id from executions where origin_id = $1', id)).length, 1);
  });

  it('from a branch may take another case', async () => {
    const id = await start(
      [
        { id: 'choose', branch: [{ when: 'inputs.left', then: ['left'] }, { then: ['right'] }] },
        act('left', ['choose']),
        act('right', ['choose']),
        act('join', ['left', 'right'], { when: 'true' }),
      ],
      { left: true },
    );
    const next = await forked(id, 'choose', { inputs: { left: false } });
    assert.deepEqual(next.calls, ['right', 'join']);
    await assert.rejects(fork(id, 'right'), refused('INVALID_STATE', /step "right" is skipped; only a step that ran to its end/));
  });

  it('from a step that failed; of an execution that still runs; what has not ended is not taken over', async () => {
    const failed = await startBad([act('a'), act('b', ['a'])], (n) => n === 'b');
    assert.deepEqual((await forked(failed, 'b')).calls, ['b']);
    assert.deepEqual((await forked(failed, 'a')).calls, ['a', 'b']);
    const open = await start([act('a'), { id: 'go', wait: { signal: 'go', timeoutMs: null } }, act('late', ['go', 'a'])]);
    const next = await forked(open, 'a');
    assert.deepEqual([next.calls, await statuses(next.id)], [['a'], { a: 'succeeded', go: 'waiting' }]);
    await signal(next.id, 'go');
    await engine.work();
    assert.deepEqual([(await look(next.id)).status, (await look(open)).status], ['succeeded', 'waiting']);
    for (const stepId of ['go', 'late'])
      await assert.rejects(fork(open, stepId), refused('INVALID_STATE', /only a step that ran to its end/));
    await assert.rejects(fork(open, 'nonsense'), refused('VALIDATION_FAILED', /has no step \\?"nonsense/));
  });
});

describe('whatever failed', () => {
  /** Tools, loops, lists, branches, waits: whatever can run here. */
  const definitions = arbitraryDefinition(7, ['tool', 'tool', 'tool', 'transform', 'branch', 'wait']);

  it('is retried until it succeeds, and each effect that succeeded ran once over all of them', async () => {
    const seed = someSeed();
    let reruns = 0;
    for (let life = 0; life < 40; life += 1) {
      const random = randomOf(seed + life);
      const [drawn] = fc.sample(definitions, { seed: seed + life, numRuns: 1 });
      const own = drawn!.steps.map((step) => ({ ...step, onFailure: 'fail' as const, ...(step.tool && tool('test.do', { n: step.id })) }));
      const inputs = Object.fromEntries(
        Array.from({ length: 7 }, (_, at) => [
          [`w${at}`, random() < 0.7],
          [`f${at}`, Array.from({ length: Math.floor(random() * 5) }, (_unused, item) => item)],
          [`t${at}`, 1],
          ...Array.from({ length: 7 }, (_unused, to) => [`b${at}_${to}`, random() < 0.5]),
        ]).flat(),
      ) as Record<string, unknown>;
      const from = engine.calls.length;
      const good: string[] = [];
      isBad = () => {
        const { idempotencyKey } = engine.calls.at(-1)!.options;
        if (random() < 0.35) return true;
        good.push(idempotencyKey!);
        return false;
      };
      let { id } = await engine.start(await engine.agent(own), inputs);
      const ids = [id];
      for (let turn = 0; turn < 400; turn += 1) {
        const { status } = await look(id);
        if (status === 'succeeded') break;
        if (isFinalExecution(status)) {
          ({ id } = await retry(id));
          ids.push(id);
        } else if (random() < 0.05) await engine.cancel(id);
        else if (!(await engine.workOnce())) {
          // Every other time the signal comes, else its time runs out.
          if (random() < 0.5) await signal(id, 'go');
          else engine.clock.advance(1_000);
        }
      }
      const where = `seed ${seed + life}: ${ids.length} executions`;
      assert.equal((await look(id)).status, 'succeeded', where);
      assert.deepEqual(
        good.filter((key, at) => good.indexOf(key) !== at),
        [],
        `${where}: done twice`,
      );
      assert.ok(
        engine.calls.slice(from).every(({ options }) => options.idempotencyKey!.startsWith(ids[0]!)),
        where,
      );
      await checked(...ids);
      reruns += ids.length - 1;
    }
    isBad = () => false;
    assert.ok(reruns > 10, `${reruns} retries`);
  });
});

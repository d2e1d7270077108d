// Comparing two executions: what belongs together, what differs and where it began, for one version, two versions, two agents;
// decisions by policy versions, items by page, and a number of statements that depends on neither steps nor items.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Definition } from '#src/agents/definition.ts';
import { alignSteps, orderByNeeds, type ExecutionComparison, type StepComparison } from '#src/inspection/compare.ts';
import type { ItemComparisonRequest } from '#src/inspection/compare-reads.ts';
import { itemCursor } from '#src/executions/execution.ts';
import { digestOf } from '#src/platform/canonical.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { NotFoundError, ValidationError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import { step } from './harness/engine.ts';
import { tool, type Steps } from './harness/engine-looks.ts';
import { definitionOf } from './harness/machine.ts';
import { everything, replayEngine, type ReplayEngine } from './harness/replay.ts';

let engine: ReplayEngine;
before(async () => (engine = await replayEngine()));
after(() => engine.close());

async function ran(agentId: string, inputs: Record<string, unknown> = {}, version?: string): Promise<string> {
  const { id } = await engine.start(agentId, inputs, { version });
  await engine.live(id);
  return id;
}

const compare = (a: string, b: string, actor = engine.operator): Promise<ExecutionComparison> =>
  engine.db.database.read(engine.tenantId, (uow) => engine.services.inspection.compareExecutions(uow, actor, a, b));
const compareItems = (a: string, b: string, stepId: string, request: Partial<ItemComparisonRequest> = {}, actor = engine.operator) =>
  engine.db.database
    .read(engine.tenantId, (uow) =>
      engine.services.inspection.compareItems(uow, actor, [{ a, b, stepId }], { differing: false, ...request }),
    )
    .then(([page]) => page!);

/** Another version of an agent, which was live once. */
async function publish(agentId: string, version: string, steps: Steps, more: Partial<Definition> = {}): Promise<void> {
  const definition = { ...definitionOf(steps.map(step)), tools: ['test.echo', 'test.moody', 'test.asked'], version, ...more };
  const versionId = newId();
  const { tenantId, environmentId, operator } = engine;
  await engine.write(async (uow) => {
    await uow.rows(
      `insert into agent_versions (id, tenant_id, agent_id, version, definition, source, digest, created_by, created_at)
       values ($1, $2, $3, $4, $5::jsonb, '', $6, $7, now())`,
      [versionId, tenantId, agentId, version, JSON.stringify(definition), digestOf(definition), operator.principalId],
    );
    await uow.rows(
      `insert into deployments (id, tenant_id, agent_id, environment_id, version_id, kind, created_by, created_at, superseded_at)
       values ($1, $2, $3, $4, $5, 'promote', $6, now(), now())`,
      [newId(), tenantId, agentId, environmentId, versionId, operator.principalId],
    );
  });
}

const differing = ({ steps }: ExecutionComparison) =>
  steps.filter((each) => each.presence !== 'both' || each.sameStatus === false || each.sameOutput === false || each.samePath === false).map(({ stepId }) => stepId); // prettier-ignore
const stepOf = ({ steps }: ExecutionComparison, stepId: string): StepComparison => steps.find((each) => each.stepId === stepId)!;

describe('which steps belong together', () => {
  it('is told by their ids: in the order of the first, with those of the second alone behind what stands before them there', () => {
    assert.deepEqual(alignSteps(['a', 'b', 'c'], ['a', 'x', 'b', 'y', 'z', 'c', 'w']), ['a', 'x', 'b', 'y', 'z', 'c', 'w']);
    assert.deepEqual(alignSteps(['a', 'b', 'c'], ['c', 'n', 'a']), ['a', 'b', 'c', 'n']);
    assert.deepEqual(alignSteps(['a'], ['x', 'y']), ['x', 'y', 'a']);
    assert.deepEqual(alignSteps([], []), []);
  });

  it('none stands before what it needs when the first divergence is looked for, unless two versions need each other’s steps', () => {
    const definition = (needs: Record<string, string[]>) =>
      definitionOf(Object.entries(needs).map(([id, own]) => step({ id, needs: own, transform: '1' })));
    assert.deepEqual(orderByNeeds(['last', 'mid', 'first'], [definition({ last: ['mid'], mid: ['first'], first: [] })]), ['first', 'mid', 'last']); // prettier-ignore
    const [one, two] = [definition({ a: [], b: ['a'], c: ['b'] }), definition({ b: [], a: ['b'], c: [] })];
    assert.deepEqual(orderByNeeds(['a', 'b', 'c'], [one, two]), ['a', 'b', 'c']);
  });
});

describe('two executions of one version', () => {
  it('that did the same are equal, whatever time and tries they took', async () => {
    engine.forget();
    const agentId = await engine.agent(everything, { output: '${{ steps.first.output }}' });
    const a = await ran(agentId);
    const b = await ran(agentId); // the tool fails no more at item 1, so one try less
    const result = await compare(a, b);
    assert.deepEqual([result.equal, result.firstDivergence, differing(result)], [true, null, []]);
    const { sameAgent, sameVersion, sameInputs, sameStatus, sameOutput, sameDecisions } = result;
    assert.deepEqual({ sameAgent, sameVersion, sameInputs, sameStatus, sameOutput, sameDecisions }, { sameAgent: true, sameVersion: true, sameInputs: true, sameStatus: true, sameOutput: true, sameDecisions: true }); // prettier-ignore
    assert.deepEqual(result.steps.map((each) => each.stepId), everything.map((each) => each.id)); // prettier-ignore
    const each = stepOf(result, 'each');
    assert.deepEqual([each.a!.attempts, each.b!.attempts], [7, 6]);
    assert.deepEqual(each.items, { ...each.items, both: 5, onlyA: 0, onlyB: 0, different: 0, firstDifferent: null });
    const pause = stepOf(result, 'pause').a!;
    assert.deepEqual([pause.tookMs, pause.waitedMs, pause.ranMs], [60_000, null, null]);
    const gated = stepOf(result, 'gated').a!;
    assert.deepEqual([gated.ranMs, gated.waitedMs! >= 0, gated.tookMs], [0, true, gated.waitedMs!]);
    for (const { tookMs, waitedMs, ranMs } of [result.a, result.b])
      assert.deepEqual([tookMs! >= 60_000, waitedMs! + ranMs!], [true, tookMs]);
    const self = await compare(a, a);
    assert.equal(self.equal, true);
  });

  it('with other inputs: the first step that used them, not what follows from it', async () => {
    const agentId = await engine.agent([
      { id: 'last', needs: ['used', 'left', 'right'], when: 'true', transform: 'steps.used.output & "!"' },
      { id: 'same', transform: '1' },
      { id: 'used', needs: ['same'], transform: 'inputs.word' },
      { id: 'choose', needs: ['used'], branch: [{ when: 'inputs.left', then: ['left'] }, { then: ['right'] }] },
      { id: 'left', needs: ['choose'], transform: '"l"' },
      { id: 'right', needs: ['choose'], transform: '"r"' },
    ]);
    const a = await ran(agentId, { word: 'one', left: true });
    const b = await ran(agentId, { word: 'two', left: true });
    const c = await ran(agentId, { word: 'one', left: false });
    const words = await compare(a, b);
    assert.deepEqual([words.sameInputs, words.equal, words.firstDivergence], [false, false, { stepId: 'used', kind: 'output', itemIndex: null }]); // prettier-ignore
    assert.deepEqual(differing(words), ['last', 'used']);
    const { outputDigest } = stepOf(words, 'used').a!;
    assert.match(outputDigest!, /^[0-9a-f]{64}$/);
    assert.notEqual(outputDigest, stepOf(words, 'used').b!.outputDigest);
    const paths = await compare(a, c);
    assert.deepEqual(paths.firstDivergence, { stepId: 'choose', kind: 'path', itemIndex: null });
    assert.deepEqual(differing(paths), ['choose', 'left', 'right']);
    const choose = stepOf(paths, 'choose');
    assert.deepEqual([choose.samePath, choose.a!.branchCase, choose.b!.branchCase, stepOf(paths, 'left').samePath], [false, 0, 1, null]);
    assert.deepEqual([stepOf(paths, 'left').a!.step.status, stepOf(paths, 'left').b!.step.status], ['succeeded', 'skipped']);
  });

  it('one of which still runs, or failed: where they part, and what never began', async () => {
    const agentId = await engine.agent([
      { id: 'a', ...tool('test.moody', { n: '${{ inputs.n }}' }) },
      { id: 'b', needs: ['a'], transform: '1' },
    ]);
    const good = await ran(agentId, { n: 5 });
    const bad = await ran(agentId, { n: 2 });
    const { id: queued } = await engine.start(agentId, { n: 5 });
    const failed = await compare(good, bad);
    assert.deepEqual(failed.firstDivergence, { stepId: 'a', kind: 'status', itemIndex: null });
    assert.deepEqual([stepOf(failed, 'b').b!.step.status, stepOf(failed, 'b').b!.tookMs, failed.sameStatus], ['cancelled', null, false]);
    const open = await compare(queued, good);
    assert.deepEqual([open.sameInputs, open.a.tookMs, stepOf(open, 'a').a!.step.status], [true, null, 'pending']);
    assert.deepEqual(open.firstDivergence, { stepId: 'a', kind: 'status', itemIndex: null });
    await engine.cancel(queued);
    await engine.work();
  });
});

describe('other versions and agents', () => {
  const first: Steps = [
    { id: 'keep', transform: '1' },
    { id: 'change', needs: ['keep'], transform: '2' },
    { id: 'gone', needs: ['keep'], transform: '3' },
    { id: 'end', needs: ['change'], transform: '4' },
  ];
  const second: Steps = [
    { id: 'keep', transform: '1' },
    { id: 'change', needs: ['keep'], transform: '1 + 1' },
    { id: 'added', needs: ['change'], transform: '5' },
    { id: 'end', needs: ['change'], transform: '4' },
  ];

  it('are aligned by step id; what one alone has is said, and that a definition was changed although it gives the same', async () => {
    const agentId = await engine.agent(first);
    await publish(agentId, '2.0.0', second);
    const [a, b] = [await ran(agentId), await ran(agentId, {}, '2.0.0')];
    const result = await compare(a, b);
    assert.deepEqual([result.sameAgent, result.sameVersion, result.equal], [true, false, false]);
    assert.deepEqual(result.steps.map(({ stepId, presence, sameDefinition, sameOutput }) => [stepId, presence, sameDefinition, sameOutput]), [['keep', 'both', true, true], ['change', 'both', false, true], ['added', 'only_b', null, null], ['gone', 'only_a', null, null], ['end', 'both', true, true]]); // prettier-ignore
    assert.deepEqual(result.firstDivergence, { stepId: 'gone', kind: 'presence', itemIndex: null });
    assert.deepEqual([stepOf(result, 'added').a, stepOf(result, 'gone').b], [null, null]);
    const other = await ran(await engine.agent(second));
    const agents = await compare(b, other);
    assert.deepEqual([agents.sameAgent, agents.sameVersion, agents.equal], [false, false, true]);
  });
});

describe('a retry', () => {
  it('parts from what it retries at the step that failed there; what it took over is the same, and nothing is said of its decisions', async () => {
    engine.forget();
    const agentId = await engine.agent([
      { id: 'done', ...tool('test.echo', { value: 7 }) },
      { id: 'each', needs: ['done'], forEach: '[5, 1]', concurrency: 1, ...tool('test.moody', { n: '${{ item }}' }) },
      { id: 'next', needs: ['each'], transform: '1' },
    ]);
    const failed = await ran(agentId);
    const { id: again } = await engine.write((uow) => engine.services.reruns.retryExecution(uow, engine.operator, { executionId: failed }));
    await engine.live(again);
    const result = await compare(failed, again);
    assert.deepEqual(result.firstDivergence, { stepId: 'each', kind: 'status', itemIndex: 1 });
    assert.deepEqual([result.a.execution.status, result.b.execution.status, differing(result)], ['failed', 'succeeded', ['each', 'next']]);
    const done = stepOf(result, 'done');
    assert.deepEqual([done.sameOutput, done.sameDecisions, done.a!.reused, done.b!.reused], [true, null, false, true]);
    assert.deepEqual([done.b!.attempts, done.b!.tookMs, done.b!.decisions], [0, null, []]);
    const { rows: items } = await compareItems(failed, again, 'each');
    assert.deepEqual(items.map(({ index, sameOutput, b: item, sameDecisions: same }) => [index, sameOutput, item!.reused, same]), [[0, true, true, null], [1, false, false, true]]); // prettier-ignore
  });
});

describe('decisions', () => {
  it('differ by effect, by reason, by policy version; another effect is another way, another version that says the same is none', async () => {
    const admin = await engine.authority(['admin']);
    const { policies } = engine.services;
    const [policy] = (await engine.write((uow) => policies.listPolicies(uow, admin, {}, { first: 1 }))).rows;
    const agentId = await engine.agent([
      { id: 'gated', ...tool('test.asked', {}) },
      { id: 'free', ...tool('test.echo', { value: 1 }) },
    ]);
    const before = await ran(agentId);
    const rules = [{ tools: ['test.asked'], reason: 'now with a reason' }];
    await engine.write((uow) => policies.updatePolicy(uow, admin, { policyId: policy!.id, expectedVersion: policy!.version, rules }));
    const edited = await ran(agentId);
    const versions = await compare(before, edited);
    const gated = stepOf(versions, 'gated');
    assert.deepEqual([gated.sameDecisions, stepOf(versions, 'free').sameDecisions, versions.equal, versions.firstDivergence], [false, true, true, null]); // prettier-ignore
    const [asked, again] = [gated.a!.decisions!, gated.b!.decisions!];
    // Asked once, and judged again when it was approved: one decision, twice.
    assert.deepEqual(asked.map(({ action, effect, count }) => [action, effect, count]), [['tool.call', 'require_approval', 2]]); // prettier-ignore
    assert.deepEqual(
      [asked[0]!.findings[0]!.version, again[0]!.findings[0]!.version, again[0]!.reasons],
      [1, 2, ['Policy "ask" (rule 1) asks for an approval: now with a reason']],
    );
    assert.deepEqual(versions.a.decisions!.map(({ action, effect }) => [action, effect]), [['execution.start', 'allow']]); // prettier-ignore

    await engine.write((uow) => policies.disablePolicy(uow, admin, policy!.id));
    const free = await ran(agentId);
    await engine.write((uow) => policies.enablePolicy(uow, admin, policy!.id));
    const effects = await compare(edited, free);
    assert.deepEqual([effects.equal, effects.firstDivergence], [false, { stepId: 'gated', kind: 'decision', itemIndex: null }]);
    // Who may not read decisions is told nothing of them, neither that they differ.
    const service = await engine.authority(['service']);
    const hidden = await compare(edited, free, service);
    assert.deepEqual([hidden.equal, hidden.firstDivergence, hidden.sameDecisions, hidden.a.decisions], [true, null, null, null]);
    assert.deepEqual([stepOf(hidden, 'gated').sameDecisions, stepOf(hidden, 'gated').b!.decisions], [null, null]);
  });
});

describe('items', () => {
  let a: string;
  let b: string;
  before(async () => {
    engine.forget();
    const agentId = await engine.agent([
      { id: 'each', forEach: 'inputs.list', concurrency: 3, ...tool('test.moody', { n: '${{ item }}' }), onFailure: 'continue' },
      { id: 'sum', forEach: 'inputs.list', transform: 'item', reduce: '$sum(items)' },
    ]);
    a = await ran(agentId, { list: [10, 11, 12, 13, 14] });
    b = await ran(agentId, { list: [10, 99, 12, 2, 14, 15, 16] });
  });

  it('are compared by index and counted; the first that went differently is named', async () => {
    const result = await compare(a, b);
    assert.deepEqual(result.firstDivergence, { stepId: 'each', kind: 'status', itemIndex: 1 });
    const { items, sameOutput } = stepOf(result, 'each');
    assert.deepEqual(
      [sameOutput, items!.both, items!.onlyA, items!.onlyB, items!.different, items!.firstDifferent],
      [false, 5, 0, 2, 2, 1],
    );
    const reversed = stepOf(await compare(b, a), 'each').items!;
    assert.deepEqual([reversed.onlyA, reversed.onlyB, reversed.different], [2, 0, 2]);
    assert.equal(stepOf(result, 'sum').sameOutput, false);
    assert.match(stepOf(result, 'sum').a!.outputDigest!, /^[0-9a-f]{64}$/);
    assert.equal(stepOf(result, 'each').a!.outputDigest, null);
  });

  it('by page, all of them or only those that differ, with what differs', async () => {
    const indexes = async (request: Partial<ItemComparisonRequest>) => {
      const { rows: found, hasNextPage } = await compareItems(a, b, 'each', request);
      return [found.map(({ index }) => index), hasNextPage];
    };
    assert.deepEqual(await indexes({ first: 3 }), [[0, 1, 2], true]);
    assert.deepEqual(await indexes({ first: 3, after: itemCursor(2) }), [[3, 4, 5], true]);
    assert.deepEqual(await indexes({ first: 3, after: itemCursor(5) }), [[6], false]);
    assert.deepEqual(await indexes({ first: 7 }), [[0, 1, 2, 3, 4, 5, 6], false]);
    assert.deepEqual(await indexes({ first: 2, differing: true }), [[1, 3], true]);
    assert.deepEqual(await indexes({ first: 2, differing: true, after: itemCursor(3) }), [[5, 6], false]);
    const { rows: found } = await compareItems(a, b, 'each', { differing: true });
    assert.deepEqual(found.map((each) => [each.index, each.presence, each.sameValue, each.sameStatus, each.sameOutput]), [[1, 'both', false, true, false], [3, 'both', false, false, false], [5, 'only_b', null, null, null], [6, 'only_b', null, null, null]]); // prettier-ignore
    const [value, status, extra] = found;
    assert.deepEqual([value!.a!.item.item, value!.b!.item.item, value!.sameDecisions], [11, 99, true]);
    assert.deepEqual([status!.b!.item.failure?.code, status!.b!.outputDigest, extra!.a, extra!.b!.item.item], ['TOOL_ERROR', null, null, 15]); // prettier-ignore
    assert.deepEqual(value!.a!.decisions!.map(({ effect, count }) => [effect, count]), [['allow', 1]]); // prettier-ignore
    assert.notEqual(value!.a!.outputDigest, value!.b!.outputDigest);
    assert.deepEqual(await compareItems(a, b, 'none of this id'), { rows: [], hasNextPage: false });
    await assert.rejects(compareItems(a, b, 'each', { first: 0 }), ValidationError);
    await assert.rejects(compareItems(a, b, 'each', { first: 101 }), ValidationError);
    const service = await engine.authority(['service']);
    const [hidden] = (await compareItems(a, b, 'each', {}, service)).rows;
    assert.deepEqual([hidden!.sameDecisions, hidden!.a!.decisions], [null, null]);
    assert.deepEqual(await compareItems(a, b, 'each', {}, await engine.authority([])), { rows: [], hasNextPage: false });
  });

  it('10,000 of them cost the statements of five, and one page comes here', async () => {
    const count = async (work: (uow: UnitOfWork) => Promise<unknown>) => {
      const seen: number[] = [];
      await engine.db.database.read(engine.tenantId, (uow) =>
        work(
          Object.create(uow, {
            rows: {
              value: async (sql: string, params?: readonly unknown[]) => {
                const answer = await uow.rows(sql, params);
                seen.push(answer.length);
                return answer;
              },
            },
          }) as UnitOfWork,
        ),
      );
      return seen;
    };
    const { inspection } = engine.services;
    const comparing = (uow: UnitOfWork) => inspection.compareExecutions(uow, engine.operator, a, b);
    const paging = (uow: UnitOfWork) =>
      inspection.compareItems(uow, engine.operator, [{ a, b, stepId: 'each' }, { a, b, stepId: 'sum' }], { first: 100, differing: true }); // prettier-ignore
    const [few, fewItems] = [await count(comparing), await count(paging)];
    for (const id of [a, b]) {
      await engine.write((uow) =>
        uow.rows(
          `insert into steps (tenant_id, execution_id, step_id, item_index, status, item, output)
           select tenant_id, execution_id, step_id, 9 + n, 'succeeded', to_jsonb(n), to_jsonb(n + case when n % 50 = 0 and $1 = $2 then 1 else 0 end)
           from steps, generate_series(1, 10000) n where execution_id = $1::uuid and step_id = 'each' and item_index = 0`,
          [id, a],
        ),
      );
    }
    const [many, manyItems] = [await count(comparing), await count(paging)];
    assert.equal(many.length, few.length);
    assert.equal(manyItems.length, fewItems.length);
    assert.ok(Math.max(...many) <= 10 && Math.max(...manyItems) <= 404, `rows: ${many.join(' ')} and ${manyItems.join(' ')}`);
    const items = stepOf(await compare(a, b), 'each').items!;
    assert.deepEqual([items.both, items.onlyB, items.different], [10_005, 2, 202]);
  });
});

describe('permission', () => {
  it('is that of reading both executions: absent, foreign and invisible ones are not found, whichever it is', async () => {
    const id = await ran(await engine.agent([{ id: 'a', transform: '1' }]));
    const viewer = await engine.authority(['viewer']);
    assert.equal((await compare(id, id, viewer)).equal, true);
    const nobody = await engine.authority([]);
    await assert.rejects(compare(id, id, nobody), NotFoundError);
    for (const other of [newId(), 'nonsense']) {
      await assert.rejects(compare(id, other), (error) => error instanceof NotFoundError && error.message.startsWith('b: '));
      await assert.rejects(compare(other, id), (error) => error instanceof NotFoundError && error.message.startsWith('a: '));
    }
    const foreign = { ...engine.operator, tenantId: newId() };
    const asked = engine.db.database.read(foreign.tenantId, (uow) => engine.services.inspection.compareExecutions(uow, foreign, id, id));
    await assert.rejects(asked, NotFoundError);
  });
});

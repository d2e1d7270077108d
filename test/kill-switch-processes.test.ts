// Kill switches over real runner processes: nothing begins once engaging was acknowledged, what runs is aborted at once, what was
// stopped goes on after the release, whoever dies meanwhile. And the same for policies: in force from their acknowledgement.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { EngageKillSwitch } from '#src/killswitches/kill-switch-service.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { controlOf } from './harness/engine-control.ts';
import { tool } from './harness/engine-looks.ts';
import { testEngine, type Engine } from './harness/engine.ts';
import { eventually } from './harness/eventually.ts';
import type { HandEngine } from './harness/hand-queue.ts';
import { createFleet, type Fleet } from './harness/runner-fleet.ts';

let engine: Engine;
let fleet: Fleet;
const readOnly = { annotations: { readOnlyHint: true }, run: () => null };
before(async () => {
  engine = await testEngine({ 'stop.one': readOnly, 'stop.other': readOnly });
});
after(() => engine.close());
afterEach(() => fleet?.close());
const { checked } = controlOf(() => engine as HandEngine);

const write = <T>(work: (uow: UnitOfWork) => Promise<T>) => engine.db.database.write(engine.tenantId, work);
const count = async (sql: string, params: readonly unknown[] = []): Promise<number> => {
  const [row] = await engine.db.database.read(engine.tenantId, (uow) =>
    uow.rows<{ count: number }>(`select count(*)::int as count from ${sql}`, params),
  );
  return row!.count;
};
const engage = (input: Partial<EngageKillSwitch> = {}) =>
  write((uow) => engine.services.killSwitches.engageKillSwitch(uow, engine.operator, { scope: 'tenant', reason: 'runaway', ...input }));
const release = (killSwitchId: string) =>
  write((uow) => engine.services.killSwitches.releaseKillSwitch(uow, engine.operator, { killSwitchId, reason: 'checked' }));

/** Chains of steps, so that there is always something to dispatch. */
const chain = (length: number) =>
  Array.from({ length }, (_, index) => ({ id: `s${index}`, ...tool('stop.one'), ...(index > 0 && { needs: [`s${index - 1}`] }) }));

describe('a kill switch over two processes', () => {
  it('lets nothing begin after it was acknowledged, and everything go on after its release', { timeout: 120_000 }, async () => {
    fleet = createFleet(engine, ['stop.one', 'stop.other']);
    let answered = 0;
    fleet.answerAll((call) => {
      answered += 1;
      call.succeed('done');
    });
    await Promise.all([fleet.start({ concurrency: 8 }), fleet.start({ concurrency: 8 })]);
    const agent = await engine.agent(chain(40));
    const executions = await Promise.all(Array.from({ length: 12 }, () => engine.start(agent)));
    for (let round = 0; round < 5; round += 1) {
      const before = answered;
      await eventually(async () => answered > before + 10);
      const { id } = await engage();
      const begun = await count('attempts');
      await eventually(async () => (await count(`steps where status = 'queued' and halted_by = $1`, [id])) === 12);
      assert.equal(await count('attempts'), begun, 'no attempt began after the acknowledgement');
      assert.equal(await count(`attempts where status = 'running'`), 0);
      assert.equal(await count(`executions where status = 'running'`), 12, 'executions keep their state');
      await release(id);
    }
    for (const { id } of executions) assert.equal((await engine.finished(id)).status, 'succeeded');
    await checked(executions[0]!.id, executions[11]!.id);
    const events = await engine.events(executions[0]!.id);
    assert.equal(events.filter(({ type }) => type === 'step.halted').length, events.filter(({ type }) => type === 'step.continued').length);
  });

  it('aborts what runs within 250 ms in every process; its only attempt is not lost', { timeout: 60_000 }, async (t) => {
    fleet = createFleet(engine, ['stop.one', 'stop.other']);
    await Promise.all([fleet.start({ concurrency: 2 }), fleet.start({ concurrency: 2 })]);
    const agent = await engine.agent([{ id: 'only', ...tool('stop.one') }]);
    const other = await engine.agent([{ id: 'only', ...tool('stop.other') }]);
    const started = await Promise.all([engine.start(agent), engine.start(agent), engine.start(agent), engine.start(other)]);
    const calls = await Promise.all(started.map(() => fleet.call()));
    const covered = calls.filter((call) => call.tool === 'stop.one');
    assert.deepEqual([covered.length, new Set(calls.map((call) => call.process.pid)).size], [3, 2]);
    const { id } = await engage({ scope: 'tool', pattern: 'stop.on*' });
    const at = performance.now();
    await Promise.all(covered.map((call) => call.aborted));
    const tookMs = performance.now() - at;
    t.diagnostic(`all aborted ${tookMs.toFixed(1)} ms after the acknowledgement`);
    await eventually(async () => (await count('steps where halted_by = $1', [id])) === 3);
    calls.find((call) => call.tool === 'stop.other')!.succeed('untouched');
    assert.equal((await engine.finished(started[3].id)).status, 'succeeded');
    await release(id);
    for (let index = 0; index < 3; index += 1) {
      const call = await fleet.call();
      assert.equal(call.attempt, 2);
      call.succeed('done');
    }
    for (const { id: executionId } of started) assert.equal((await engine.finished(executionId)).status, 'succeeded');
    await checked(...started.map((each) => each.id));
  });

  it('stops an effect whose process dies while it is engaged', { timeout: 60_000 }, async () => {
    fleet = createFleet(engine, ['stop.one', 'stop.other']);
    const dying = await fleet.start();
    const { id: executionId } = await engine.start(await engine.agent(chain(2)));
    await fleet.call();
    await fleet.start();
    const engaged = engage();
    await dying.kill();
    const { id } = await engaged;
    const begun = await count('attempts where execution_id = $1', [executionId]);
    await eventually(async () => (await count('steps where halted_by = $1', [id])) === 1);
    assert.equal(await count('attempts where execution_id = $1', [executionId]), begun);
    fleet.answerAll((call) => call.succeed('done'));
    await release(id);
    assert.equal((await engine.finished(executionId)).status, 'succeeded');
    await checked(executionId);
  });

  it(
    'holds while one of two processes is killed at each engaging: nothing begins, then all go on, each attempt once',
    { timeout: 120_000 },
    async () => {
      fleet = createFleet(engine, ['stop.one', 'stop.other']);
      const called: string[] = [];
      fleet.answerAll((call) => {
        called.push(`${call.idempotencyKey} ${call.attempt}`);
        call.succeed('done');
      });
      const [processes, steps] = [[await fleet.start({ concurrency: 8 }), await fleet.start({ concurrency: 8 })], 30];
      const agent = await engine.agent(chain(steps));
      const ids = (await Promise.all(Array.from({ length: 12 }, () => engine.start(agent)))).map(({ id }) => id);
      for (let round = 0; round < 3; round += 1) {
        const before = called.length;
        await eventually(async () => called.length > before + 20);
        const dying = processes.shift()!;
        const [{ id }] = await Promise.all([engage(), dying.kill()]);
        const begun = await count('attempts where execution_id = any($1)', [ids]);
        await eventually(async () => (await count(`steps where status = 'queued' and halted_by = $1`, [id])) === ids.length);
        assert.equal(await count('attempts where execution_id = any($1)', [ids]), begun, 'no attempt began after the acknowledgement');
        processes.push(await fleet.start({ concurrency: 8 }));
        assert.equal(await count('attempts where execution_id = any($1)', [ids]), begun, 'nor when a process begins anew');
        await release(id);
      }
      for (const id of ids) assert.equal((await engine.finished(id)).status, 'succeeded');
      assert.equal(new Set(called).size, called.length, 'no attempt was made twice');
      assert.equal(await count(`attempts where execution_id = any($1) and status = 'succeeded'`, [ids]), ids.length * steps);
      assert.equal(await count(`attempts where execution_id = any($1) and status not in ('succeeded', 'abandoned')`, [ids]), 0);
      await checked(...ids);
    },
  );

  it('goes on after its release though the process that had to see to it dies', { timeout: 60_000 }, async () => {
    fleet = createFleet(engine, ['stop.one', 'stop.other']);
    const { id } = await engage();
    const first = await fleet.start();
    const agent = await engine.agent(chain(1));
    const started = await Promise.all(Array.from({ length: 20 }, () => engine.start(agent)));
    await eventually(async () => (await count('steps where halted_by = $1', [id])) === 20);
    await release(id);
    await first.kill();
    fleet.answerAll((call) => call.succeed('done'));
    await fleet.start();
    for (const each of started) assert.equal((await engine.finished(each.id)).status, 'succeeded');
  });
});

describe('a policy', () => {
  it('is in force for every dispatch after it was acknowledged', { timeout: 60_000 }, async () => {
    fleet = createFleet(engine, ['stop.one', 'stop.other']);
    let answered = 0;
    fleet.answerAll((call) => {
      answered += 1;
      call.succeed('done');
    });
    await Promise.all([fleet.start({ concurrency: 8 }), fleet.start({ concurrency: 8 })]);
    const admin = await engine.authority(['admin']);
    const agent = await engine.agent(chain(200));
    const started = await Promise.all(Array.from({ length: 8 }, () => engine.start(agent)));
    await eventually(async () => answered > 20);
    await write((uow) =>
      engine.services.policies.createPolicy(uow, admin, {
        name: 'nothing-more',
        kind: 'tool_access',
        mode: 'enforce',
        rules: [{ effect: 'deny', tools: ['stop.*'] }],
      }),
    );
    const begun = await count('attempts');
    for (const { id } of started) assert.equal((await engine.finished(id)).status, 'blocked');
    assert.equal(await count('attempts'), begun);
  });
});

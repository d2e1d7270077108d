// A worker frozen by SIGSTOP keeps its connections: others must notice all the same, take over, and what it does after it has thawed
// must change nothing. Frozen in the middle of an effect, and in the middle of a transaction that holds the execution's row.
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import pg from 'pg';
import { startReceiver, type Delivery, type EffectReceiver } from './harness/effect-receiver.ts';
import { testEngine, type Engine } from './harness/engine.ts';
import { eventually } from './harness/eventually.ts';
import { checkRows } from './harness/simulation-checks.ts';
import { createWorkerFleet, effectTool, type Worker, type WorkerFleet } from './harness/worker-fleet.ts';

let engine: Engine;
let owner: pg.Client;
let receiver: EffectReceiver;
let fleet: WorkerFleet;
before(async () => {
  engine = await testEngine();
  owner = new pg.Client({ connectionString: engine.db.ownerUrl });
  await owner.connect();
});
beforeEach(async () => {
  receiver = await startReceiver();
  fleet = createWorkerFleet(engine, receiver);
});
afterEach(async () => {
  await fleet?.close();
  await receiver?.close();
});
after(async () => {
  await owner?.end();
  await engine?.close();
});

const post = (step: string) => ({ name: effectTool, with: { execution: '${{ inputs.name }}', step } });
const start = async (name: string) => {
  const steps = [
    { id: 'one', tool: post('one') },
    { id: 'two', tool: post('two'), needs: ['one'] },
  ];
  return (await engine.start(await engine.agent(steps, { tools: [effectTool] }), { name })).id;
};

/** Longer than a runner is believed alive after it was heard of last. */
const patienceMs = 45_000;
const delivered = (step: string, attempt: number): Promise<Delivery> =>
  eventually(
    async () => (await receiver.deliveries()).find((each) => each.body.step === step && each.attempt === attempt),
    () => `${step}@${attempt}`,
    patienceMs,
  );
const brief = (all: readonly Delivery[]) => all.map(({ body, attempt }) => `${body.step}@${attempt}`);

async function twoWorkers(): Promise<Worker[]> {
  const workers = [fleet.start(), fleet.start()];
  await Promise.all(workers.map((worker) => worker.ready));
  return workers;
}

/** Thaws it, lets it alone carry another execution and leave in order: by then it has tried whatever it still had to do. */
async function proveHarmless(frozen: Worker, other: Worker, executionId: string): Promise<void> {
  const before = await engine.events(executionId);
  const attempts = 'select step_id, number, status, finished_at from attempts where execution_id = $1 order by step_id, number';
  const rows = () => engine.db.database.read(engine.tenantId, (uow) => uow.rows(attempts, [executionId]));
  const rowsBefore = await rows();
  assert.equal(await other.stop(), 0);
  frozen.thaw();
  const next = await start('after the thaw');
  assert.equal((await engine.finished(next)).status, 'succeeded', 'the thawed worker takes new work');
  assert.equal(await frozen.stop(), 0, frozen.output());
  assert.deepEqual(await engine.events(executionId), before, 'the thawed worker committed something');
  assert.deepEqual(await rows(), rowsBefore);
  await checkRows(engine, executionId);
}

test('a worker frozen during an effect loses it to another; thawed, it commits nothing', async () => {
  const workers = await twoWorkers();
  await receiver.hold();
  const id = await start('frozen');
  const first = await delivered('one', 1);
  const [frozen, other] = workers[0]!.pid === first.runner ? workers : workers.toReversed();
  frozen!.freeze();
  const second = await delivered('one', 2);
  assert.equal(second.runner, other!.pid, 'the other worker has taken over');
  assert.equal(second.key, first.key, 'under the same key');
  await receiver.release();
  const done = await engine.finished(id);
  assert.equal(done.status, 'succeeded', JSON.stringify(done.failure));
  assert.deepEqual(brief(await receiver.deliveries()), ['one@1', 'one@2', 'two@1']);
  await proveHarmless(frozen!, other!, id);
});

test('a worker frozen inside a transaction does not hold the execution for ever', async () => {
  const workers = await twoWorkers();
  await receiver.hold();
  const id = await start('locked');
  const first = await delivered('one', 1);
  const [frozen, other] = workers[0]!.pid === first.runner ? workers : workers.toReversed();
  // Its commit waits for this lock; frozen there, it holds the row as soon as the lock is let go.
  await owner.query('begin');
  await owner.query(`select set_config('app.tenant_id', $1, true)`, [engine.tenantId]);
  await owner.query('select id from executions where id = $1 for update', [id]);
  await receiver.release();
  await eventually(async () => {
    // Within a transaction Postgres shows what it showed first.
    await owner.query('select pg_stat_clear_snapshot()');
    const waiting = await owner.query(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
    return waiting.rowCount === 1;
  });
  frozen!.freeze();
  await owner.query('commit');
  const done = await engine.finished(id);
  assert.equal(done.status, 'succeeded', JSON.stringify(done.failure));
  assert.deepEqual(brief(await receiver.deliveries()), ['one@1', 'one@2', 'two@1']);
  await proveHarmless(frozen!, other!, id);
});

// `signalbox worker` processes killed by kill -9 at random moments while executions run; effects are counted by an HTTP service that
// is never killed. `npm run test:faults` runs the full size: 2,000 executions on 3 workers, 200 kills.
// `FAULTS_SEED=…` repeats the random choices (moments and victims), not the races of the processes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkEffects, type ExpectedEffect } from './harness/effect-checks.ts';
import { startReceiver, type EffectReceiver } from './harness/effect-receiver.ts';
import { testEngine, type Engine } from './harness/engine.ts';
import { checkRows } from './harness/simulation-checks.ts';
import { randomOf, someSeed } from './harness/random.ts';
import { createWorkerFleet, effectTool, type Worker, type WorkerFleet } from './harness/worker-fleet.ts';

const isFull = process.env['SIGNALBOX_TEST_FAULTS'] === 'all';
const size = isFull ? { executions: 2_000, kills: 200 } : { executions: 60, kills: 6 };
const workers = 3;
const items = 3;
/** A machine that does much else must not make a step fail. */
const timeoutMs = 120_000;
const seed = Number(process.env['FAULTS_SEED'] ?? someSeed());

let engine: Engine;
let receiver: EffectReceiver;
let fleet: WorkerFleet;
before(async () => {
  engine = await testEngine();
  receiver = await startReceiver();
  fleet = createWorkerFleet(engine, receiver, { concurrency: 8 });
});
after(async () => {
  await fleet?.close();
  await receiver?.close();
  await engine?.close();
});

/** Effects of both kinds: requests of the runner itself, and calls of a tool that is a process of its own. */
function definition() {
  const name = '${{ inputs.name }}';
  const put = (step: string) => ({
    ...{ method: 'PUT' as const, url: receiver.url, headers: {}, body: { execution: name, step } },
    ...{ expect: [[200, 299]] as const, maxBytes: 1_000 },
  });
  const tool = { name: effectTool, with: { execution: name, step: 'each', item: '${{ item }}' } };
  return [
    { id: 'first', http: put('first'), timeoutMs },
    { id: 'each', forEach: 'inputs.items', concurrency: 2, tool, needs: ['first'], timeoutMs },
    { id: 'nap', wait: { durationMs: 20 }, needs: ['each'] },
    { id: 'last', http: put('last'), needs: ['nap'], timeoutMs },
  ];
}

const open = async (): Promise<number> => {
  const [row] = await engine.db.database.read(engine.tenantId, (uow) =>
    uow.rows<{ open: number }>('select count(*)::int as open from executions where tenant_id = $1 and finished_at is null', [uow.tenantId]),
  );
  return row!.open;
};

test(`${size.kills} × kill -9 under ${size.executions} executions on ${workers} workers: every effect comes, none is committed twice`, async (t) => {
  t.diagnostic(`seed ${seed}`);
  const began = performance.now();
  const random = randomOf(seed);
  const agentId = await engine.agent(definition(), { tools: [effectTool], destinations: [new URL(receiver.url).host] });
  const running: Worker[] = Array.from({ length: workers }, () => fleet.start());
  const gone: Promise<void>[] = [];
  await Promise.all(running.map((worker) => worker.ready));

  const executions: { id: string; name: string }[] = [];
  const list = Array.from({ length: items }, (_, index) => index);
  for (let kill = 1; kill <= size.kills; kill += 1) {
    // Whoever is hit, also one that still starts; but not all of them for ever.
    while (running.filter((worker) => worker.isReady).length < workers - 1) {
      for (const worker of running) assert.ok(worker.isAlive, `a worker ended by itself:\n${worker.output()}`);
      await sleep(20);
    }
    for (const until = Math.round((size.executions * kill) / size.kills); executions.length < until;) {
      const name = `execution-${executions.length}`;
      executions.push({ id: (await engine.start(agentId, { name, items: list })).id, name });
    }
    await sleep(random() * 300);
    const at = Math.floor(random() * workers);
    gone.push(running[at]!.kill());
    running[at] = fleet.start();
    if (isFull && kill % 10 === 0) {
      const seconds = Math.round((performance.now() - began) / 1_000);
      console.log(`${kill} kills, ${executions.length} executions started, ${await open()} of them open, after ${seconds} s`);
    }
  }
  await Promise.all(gone);
  const deadline = performance.now() + 60_000;
  while ((await open()) > 0) {
    assert.ok(performance.now() < deadline, `${await open()} executions are not at an end a minute after the last kill`);
    await sleep(100);
  }
  const wholeMs = performance.now() - began;
  // One that still starts would take SIGTERM for the end of its start.
  await Promise.all(running.map((worker) => worker.ready));
  assert.deepEqual(await Promise.all(running.map((worker) => worker.stop())), [0, 0, 0]);

  const bad = await engine.db.database.read(engine.tenantId, (uow) =>
    uow.rows(
      `select e.id, e.status, e.failure, (select json_agg(json_build_object('step', s.step_id, 'item', s.item_index, 'failure', s.failure))
         from steps s where s.execution_id = e.id and s.failure is not null) as steps
       from executions e where e.tenant_id = $1 and e.status <> 'succeeded'`,
      [uow.tenantId],
    ),
  );
  assert.deepEqual(bad, [], `did not succeed: ${JSON.stringify(bad)}`);
  const expected = executions.flatMap(({ id: executionId, name: execution }): ExpectedEffect[] => {
    const effect = { executionId, execution, item: null };
    const each = list.map((item) => ({ ...effect, step: 'each', item }));
    return [{ ...effect, step: 'first' }, ...each, { ...effect, step: 'last' }];
  });
  const counts = await checkEffects(engine, await receiver.deliveries(), expected);
  for (const { id } of executions) await checkRows(engine, id);
  t.diagnostic(
    `${executions.length} executions, ${size.kills} kills in ${(wholeMs / 1_000).toFixed(1)} s: ${counts.effects} effects, ` +
      `${counts.deliveries} deliveries, ${counts.abandoned} attempts lost their process`,
  );
  assert.ok(counts.abandoned > 0, 'the kills hit work');
});

// The queue with real runner processes: tenants share them fairly, counted in steps; limits hold whoever starts, ends and dies at once.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import pg from 'pg';
import { createServices } from '#src/app.ts';
import { waitingRoom } from '#src/executions/admission.ts';
import { ormOptions } from '#src/orm.ts';
import { systemClock } from '#src/platform/clock.ts';
import { openDatabase } from '#src/platform/database.ts';
import { createLogger } from '#src/platform/logger.ts';
import { crowd, neighbourOf } from './harness/crowd.ts';
import { tool } from './harness/engine-looks.ts';
import { testEngine, type Engine } from './harness/engine.ts';
import { createFleet, type Fleet } from './harness/runner-fleet.ts';

let engine: Engine;
let fleet: Fleet;
const readOnly = { annotations: { readOnlyHint: true }, run: () => null };
before(async () => {
  engine = await testEngine({ 'crowd.heavy': readOnly, 'crowd.light': readOnly });
});
after(() => engine.close());
afterEach(() => fleet?.close());

const threeSteps = (name: string) => [
  { id: 'one', ...tool(name) },
  { id: 'two', ...tool(name), needs: ['one'] },
  { id: 'three', ...tool(name), needs: ['two'] },
];
const read = <T>(work: Parameters<typeof engine.db.database.read<T>>[1]) => engine.db.database.read(engine.tenantId, work);
const open = async () => {
  const [row] = await read((uow) =>
    uow.rows<{ count: number }>(`select count(*)::int as count from executions where status not in ('succeeded', 'cancelled')`),
  );
  return row!.count;
};
const finished = async () => {
  while ((await open()) > 0) await new Promise((resolve) => setTimeout(resolve, 25));
};

describe('a tenant with 10,000 queued executions', () => {
  it('delays the start of another by a few steps only', { timeout: 120_000 }, async (t) => {
    const light = await neighbourOf(engine, ['crowd.light']);
    const agent = await engine.agent(threeSteps('crowd.heavy'));
    const original = await engine.start(agent);
    await crowd(engine, original, 10_000);
    fleet = createFleet(engine, ['crowd.heavy', 'crowd.light']);
    let heavy = 0;
    let atArrival = 0;
    let arrived: (() => void) | null = null;
    const reached = Promise.withResolvers<void>();
    fleet.answerAll((call) => {
      if (call.tool === 'crowd.heavy') heavy += 1;
      else if (arrived) {
        atArrival = heavy;
        arrived();
        arrived = null;
      }
      if (heavy === 100) reached.resolve();
      call.succeed('done');
    });
    const [runners, concurrency] = [2, 2];
    for (let index = 0; index < runners; index += 1) await fleet.start({ concurrency });
    await reached.promise;
    const delays: number[] = [];
    for (let index = 0; index < 10; index += 1) {
      const called = new Promise<void>((resolve) => (arrived = resolve));
      await light.start([{ id: 'only', ...tool('crowd.light') }]);
      const atStart = heavy;
      await called;
      delays.push(atArrival - atStart);
    }
    t.diagnostic(`steps of the other tenant between a start and its first step: ${delays.join(' ')}`);
    // What each worker has in hand ends first, at most its three steps; meanwhile, and while one of them begins the new execution, the
    // others may take up one more each.
    const few = runners * concurrency * 3 * 2;
    assert.ok(
      delays.every((delay) => delay <= few),
      `${delays.join(' ')}; at most ${few} of 30,000`,
    );
    const { admitted } = await read((uow) => engine.services.queue.queueStatus(uow, engine.operator));
    const [waiting] = await read((uow) =>
      uow.rows<{ count: number }>('select count(*)::int as count from executions where tenant_id = $1 and backlog_at is not null', [
        uow.tenantId,
      ]),
    );
    assert.ok(waiting!.count > 5_000 && admitted <= waitingRoom, 'the crowd was there all the time');
    await fleet.close();
    await engine.db.database.write(engine.tenantId, (uow) =>
      uow.rows(`update executions set status = 'cancelled', backlog_at = null where tenant_id = $1 and status in ('queued', 'running')`, [
        uow.tenantId,
      ]),
    );
  });
});

describe('a limit', () => {
  it('is exact while several processes start, run and die', { timeout: 120_000 }, async () => {
    const agent = await engine.agent([{ id: 'only', ...tool('crowd.heavy') }]);
    const admin = await engine.authority(['admin']);
    const most = 3;
    await engine.db.database.write(engine.tenantId, (uow) =>
      engine.services.queue.setConcurrencyLimit(uow, admin, { scopeKind: 'agent', scopeId: agent, maxRunning: most }),
    );
    fleet = createFleet(engine, ['crowd.heavy']);
    const processes = await Promise.all([1, 2, 3].map(() => fleet.start({ concurrency: 4 })));
    let peak = 0;
    const arrived: string[] = [];
    const running = new Map<string, { readonly process: object; readonly end: () => void }>();
    const ended = new Set<string>();
    const full = Promise.withResolvers<void>();
    let total = 0;
    fleet.answerAll((call) => {
      total += 1;
      const end = () => {
        running.delete(call.idempotencyKey);
        ended.add(call.idempotencyKey);
        call.succeed('done');
      };
      // From a process that was so slow that another one has gone on in its place, and is done: nothing that runs.
      if (ended.has(call.idempotencyKey)) return end();
      running.set(call.idempotencyKey, { process: call.process, end });
      peak = Math.max(peak, running.size);
      arrived.push(`${call.idempotencyKey.slice(-6)} by ${processes.indexOf(call.process)}, with it ${running.size}`);
      if (running.size === most) full.resolve();
      // The first few stay until a process was killed; then each ends as soon as it came.
      if (isFlowing) setImmediate(() => running.get(call.idempotencyKey)?.end());
    });
    let isFlowing = false;
    const starters = await Promise.all(
      [1, 2, 3].map(async () => {
        const database = await openDatabase(ormOptions({ url: engine.db.ownerUrl, actAs: engine.db.appRole, poolMax: 4 }));
        return { database, services: createServices({ clock: systemClock, database, logger: createLogger({ level: 'silent' }) }) };
      }),
    );
    const request = { agentId: agent, environmentId: engine.environmentId };
    await Promise.all(
      starters.flatMap(({ database, services }) =>
        Array.from({ length: 15 }, () =>
          database.write(engine.tenantId, (uow) => services.executions.startExecution(uow, engine.operator, request)),
        ),
      ),
    );
    await full.promise;
    assert.equal(running.size, most);
    const victim = processes.find((process) => [...running.values()].some((each) => each.process === process))!;
    await victim.kill();
    // What it carried goes on elsewhere under the same key; nobody gets its place meanwhile.
    isFlowing = true;
    for (const each of running.values()) if (each.process !== victim) each.end();
    await finished();
    assert.equal(peak, most, `killed: ${processes.indexOf(victim)}; ${arrived.join('; ')}`);
    assert.ok(total >= 45);
    const status = await read((uow) => engine.services.queue.queueStatus(uow, engine.operator));
    assert.deepEqual([status.backlog, status.admitted, status.running], [[], 0, 0]);
    await Promise.all(starters.map(({ database, services }) => (services.feed.close(), database.close())));
  });
});

describe('a wake that was lost', () => {
  it('is made up for by a runner that looks at every tenant', { timeout: 60_000 }, async () => {
    const agent = await engine.agent([{ id: 'only', ...tool('crowd.heavy') }]);
    const original = await engine.start(agent);
    const ids = await crowd(engine, original, 3);
    await engine.cancel(original.id);
    const owner = new pg.Client({ connectionString: engine.db.ownerUrl });
    await owner.connect();
    const { rowCount } = await owner.query(`delete from graphile_worker._private_jobs where key like 'admit %'`);
    await owner.end();
    assert.equal(rowCount, 1);
    fleet = createFleet(engine, ['crowd.heavy']);
    fleet.answerAll((call) => call.succeed('done'));
    await fleet.start({ concurrency: 1 });
    for (const id of ids) assert.equal((await engine.finished(id)).status, 'succeeded');
  });
});

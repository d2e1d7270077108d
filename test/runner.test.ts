// Runners as real processes and in this one: taking over from the dead, fencing off zombies, stopping in order, reaching effects with
// a cancel, and costing nothing while executions wait.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import pg from 'pg';
import { takeOver } from '#src/runner/takeover.ts';
import { testEngine, type Engine } from './harness/engine.ts';
import { eventually } from './harness/eventually.ts';
import { createFleet, type Fleet } from './harness/runner-fleet.ts';

let engine: Engine;
let fleet: Fleet;
let owner: pg.Client;
const read = { readOnlyHint: true };
const effects = new Map<string, (signal: AbortSignal) => Promise<unknown>>();
const inProcess = (name: string) => ({
  annotations: name.startsWith('lab.write') ? { readOnlyHint: false } : read,
  run: (_args: unknown, { signal }: { signal?: AbortSignal | undefined }) => effects.get(name)?.(signal!) ?? null,
});

before(async () => {
  engine = await testEngine({ 'lab.read': inProcess('lab.read'), 'lab.write': inProcess('lab.write') });
  owner = new pg.Client({ connectionString: engine.db.ownerUrl });
  await owner.connect();
});
after(async () => {
  await owner.end();
  await engine.close();
});
afterEach(async () => {
  await fleet?.close();
  await engine.stopRunners();
  effects.clear();
});

const types = async (id: string) => (await engine.events(id)).map((event) => event.type);
const count = async (sql: string, params: unknown[] = []) => Number((await owner.query<{ n: string }>(sql, params)).rows[0]!.n);
const rows = (sql: string, params: unknown[]) => engine.db.database.read(engine.tenantId, (uow) => uow.rows(sql, params));
const start = async (tool: string, more: object = {}) => {
  const agentId = await engine.agent([{ id: 'only', tool: { name: tool, with: {} }, ...more }], {
    output: '${{ steps.only.output.structured.value }}',
  });
  return (await engine.start(agentId)).id;
};

/** Ends the Postgres session that holds the registration of a runner process; the process itself lives on. */
async function cutRegistration(startedFirst: boolean): Promise<void> {
  const locks = await owner.query<{ pid: number }>(
    `select l.pid from runners r join pg_locks l on l.locktype = 'advisory'
       and (l.classid::bigint << 32 | l.objid::bigint) = r.lock_key order by r.started_at`,
  );
  await owner.query('select pg_terminate_backend($1)', [(startedFirst ? locks.rows[0] : locks.rows.at(-1))!.pid]);
}

describe('a runner that dies', () => {
  it('loses its effect to another one within seconds, which finishes the execution', async () => {
    fleet = createFleet(engine, ['lab.read']);
    await Promise.all([fleet.start(), fleet.start()]);
    const id = await start('lab.read');
    const first = await fleet.call();
    const killedAt = performance.now();
    await first.process.kill();
    const second = await fleet.call();
    assert.ok(performance.now() - killedAt < 5_000, 'taken over within seconds');
    assert.notEqual(second.process.pid, first.process.pid);
    assert.deepEqual([first.attempt, second.attempt], [1, 2]);
    assert.equal(second.idempotencyKey, first.idempotencyKey, 'the key of the effect stays');
    second.succeed('done');
    const done = await engine.finished(id);
    assert.equal(done.output, 'done');
    assert.ok((await types(id)).includes('step.interrupted'));
  });

  it('leaves an effect that may not be repeated as failed, its outcome unknown', async () => {
    fleet = createFleet(engine, ['lab.write']);
    await Promise.all([fleet.start(), fleet.start()]);
    const id = await start('lab.write');
    await (await fleet.call()).process.kill();
    const done = await engine.finished(id);
    assert.equal(done.status, 'failed');
    const failed = (await engine.events(id)).find((event) => event.type === 'step.failed');
    assert.equal((failed!.data['failure'] as { code: string }).code, 'OUTCOME_UNKNOWN');
  });

  it('leaves all its jobs, also those it had only just taken, and each write happens once', async () => {
    fleet = createFleet(engine, ['lab.read']);
    const victim = await fleet.start({ concurrency: 8 });
    const agentId = await engine.agent([
      { id: 'each', forEach: 'inputs.list', concurrency: 6, tool: { name: 'lab.read', with: { item: '${{ item }}' } } },
      { id: 'pause', wait: { durationMs: 1 } },
    ]);
    const ids = await Promise.all(Array.from({ length: 4 }, async () => (await engine.start(agentId, { list: [1, 2, 3, 4, 5, 6, 7] })).id));
    for (let call = 0; call < 8; call += 1) await fleet.call();
    await victim.kill();
    fleet.answerAll((call) => call.succeed(call.args['item']));
    await fleet.start({ concurrency: 8 });
    for (const id of ids) assert.equal((await engine.finished(id)).status, 'succeeded');
    assert.deepEqual(await rows(`select step_id from steps where execution_id = any($1) and status <> 'succeeded'`, [ids]), []);
    assert.deepEqual(await rows(`select step_id from attempts where execution_id = any($1) and status = 'running'`, [ids]), []);
  });

  it('takes its registration with it, and the next one cleans up', async () => {
    fleet = createFleet(engine, ['lab.read']);
    const victim = await fleet.start();
    await victim.kill();
    const next = await fleet.start();
    await eventually(async () => (await count('select count(*) as n from runners')) === 1);
    assert.equal(await next.stop(), 0);
    assert.equal(await count('select count(*) as n from runners'), 0);
  });
});

describe('a runner that is only thought dead', () => {
  it('registers again when its connection is cut, and keeps its work', async () => {
    fleet = createFleet(engine, ['lab.write']);
    await fleet.start();
    await eventually(async () => (await count('select count(*) as n from runners')) === 1);
    const id = await start('lab.write');
    const call = await fleet.call();
    await fleet.start();
    const before = await owner.query('select id from runners order by started_at');
    await cutRegistration(true);
    await eventually(async () => {
      const { rowCount } = await owner.query('select from runners where id = $1', [before.rows[0]!.id]);
      return rowCount === 0 && (await count('select count(*) as n from runners')) === 2;
    });
    call.succeed('kept');
    assert.equal((await engine.finished(id)).output, 'kept');
    assert.ok(!(await types(id)).includes('step.failed'));
  });

  it('commits nothing once another one has taken over, and does no harm on its way out', async () => {
    fleet = createFleet(engine, ['lab.read']);
    await Promise.all([fleet.start(), fleet.start()]);
    const id = await start('lab.read');
    const zombie = await fleet.call();
    // What survivors do when they find the lock free, to a process that lives.
    const [job] = (
      await owner.query<{ pool: string }>('select locked_by as pool from graphile_worker._private_jobs where locked_by is not null')
    ).rows;
    assert.equal(await takeOver(owner, { pools: [job!.pool] }), 1);
    const heir = await fleet.call();
    assert.equal(heir.attempt, 2);
    zombie.succeed('late');
    await eventually(
      async () => (await count('select count(*) as n from graphile_worker._private_jobs where locked_by is not null')) === 1,
    );
    // The heir's job is still there: were it to die now, a third one would go on.
    await heir.process.kill();
    const third = await fleet.call().catch(() => null);
    third!.succeed('right');
    assert.equal((await engine.finished(id)).output, 'right');
  });
});

describe('a runner that stops', () => {
  it('lets a running effect end within its grace period and commits it; the next step goes elsewhere', async () => {
    fleet = createFleet(engine, ['lab.read']);
    const leaving = await fleet.start();
    const agentId = await engine.agent([
      { id: 'a', tool: { name: 'lab.read', with: {} } },
      { id: 'b', tool: { name: 'lab.read', with: {} }, needs: ['a'] },
    ]);
    const { id } = await engine.start(agentId);
    const call = await fleet.call();
    const exit = leaving.stop();
    await eventually(async () => !(await isListening()));
    call.succeed(1);
    assert.equal(await exit, 0);
    assert.deepEqual((await types(id)).slice(-2), ['step.succeeded', 'step.queued']);
    await fleet.start();
    const next = await fleet.call();
    assert.equal(next.attempt, 1);
    next.succeed(2);
    assert.equal((await engine.finished(id)).status, 'succeeded');
  });

  it('interrupts what runs longer, and another one does it again', async () => {
    fleet = createFleet(engine, ['lab.read']);
    const leaving = await fleet.start({ graceMs: 100 });
    const id = await start('lab.read');
    const call = await fleet.call();
    const exit = leaving.stop();
    assert.equal(await call.aborted, 'shutdown');
    assert.equal(await exit, 0);
    assert.deepEqual((await types(id)).slice(-1), ['step.interrupted']);
    await fleet.start();
    const again = await fleet.call();
    assert.equal(again.attempt, 2);
    again.succeed('done');
    assert.equal((await engine.finished(id)).output, 'done');
  });

  it('gives back every job and every step that it had not begun', async () => {
    fleet = createFleet(engine, ['lab.read']);
    const leaving = await fleet.start({ concurrency: 2 });
    const agentId = await engine.agent(['a', 'b', 'c', 'd'].map((id) => ({ id, tool: { name: 'lab.read', with: {} } })));
    const ids = await Promise.all(Array.from({ length: 5 }, async () => (await engine.start(agentId)).id));
    const held = [await fleet.call(), await fleet.call()];
    const exit = leaving.stop();
    for (const call of held) call.succeed(null);
    fleet.answerAll((call) => call.succeed(null));
    assert.equal(await exit, 0);
    assert.equal(await count('select count(*) as n from graphile_worker._private_jobs where locked_by is not null'), 0);
    await fleet.start();
    for (const id of ids) assert.equal((await engine.finished(id)).status, 'succeeded');
  });
});

describe('cancelling', () => {
  it('reaches the running effect of the same process at once', async () => {
    const aborted = Promise.withResolvers<unknown>();
    const running = Promise.withResolvers<void>();
    effects.set('lab.read', (signal) => {
      signal.addEventListener('abort', () => aborted.resolve(signal.reason));
      running.resolve();
      return aborted.promise.then(() => Promise.reject(new Error('aborted')));
    });
    await engine.runner();
    const id = await start('lab.read');
    await running.promise;
    await engine.cancel(id, 'enough');
    assert.equal(await aborted.promise, 'ended');
    assert.deepEqual((await types(id)).slice(-1), ['execution.cancelled']);
  });

  it('reaches the running effect of another process soon', async () => {
    fleet = createFleet(engine, ['lab.read']);
    await fleet.start();
    const id = await start('lab.read');
    const call = await fleet.call();
    await engine.cancel(id);
    assert.equal(await call.aborted, 'ended');
    await eventually(
      async () => (await count('select count(*) as n from graphile_worker._private_jobs where locked_by is not null')) === 0,
    );
    assert.deepEqual(await rows('select status from attempts where execution_id = $1', [id]), [{ status: 'abandoned' }]);
  });
});

describe('waiting executions', () => {
  it('hold no job, no transaction and no effect, however many they are', async () => {
    await engine.runner();
    const agentId = await engine.agent([
      { id: 'sign', approval: { title: 'ok?', reason: '', risk: 'low', expiresInMs: 3_600_000, show: null } },
      { id: 'sleep', wait: { durationMs: 3_600_000 } },
    ]);
    const ids = await Promise.all(Array.from({ length: 30 }, async () => (await engine.start(agentId)).id));
    for (const id of ids) await engine.until(id, (execution) => execution.status === 'waiting');
    await eventually(
      async () => (await count('select count(*) as n from graphile_worker._private_jobs where locked_by is not null')) === 0,
    );
    const open = `select count(*) as n from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`;
    await eventually(async () => (await count(open)) === 0);
    for (const id of ids) await engine.cancel(id);
  });
});

describe('a database in trouble', () => {
  it('cuts every connection and the runner goes on; nothing is lost and no write happens twice', async () => {
    fleet = createFleet(engine, ['lab.write']);
    const runner = await fleet.start({ concurrency: 4 });
    const agentId = await engine.agent(
      ['a', 'b', 'c'].map((id, index, all) => ({
        id,
        tool: { name: 'lab.write', with: {} },
        needs: all.slice(index - 1, index),
        retry: { maxAttempts: 5, initialMs: 1, factor: 1, maxMs: 1 },
      })),
    );
    const ids = await Promise.all(Array.from({ length: 8 }, async () => (await engine.start(agentId)).id));
    const seen: string[] = [];
    let cuts = 0;
    fleet.answerAll((call) => {
      seen.push(call.idempotencyKey);
      const cut =
        cuts++ % 6 === 0
          ? owner.query(
              `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and application_name like 'signalbox%'`,
            )
          : null;
      void Promise.resolve(cut).then(() => call.succeed(null));
    });
    for (const id of ids) assert.equal((await engine.finished(id)).status, 'succeeded');
    assert.ok(runner.isAlive);
    assert.equal(seen.length, new Set(seen).size, 'each effect ran once');
  });
});

async function isListening(): Promise<boolean> {
  return (await count(`select count(*) as n from pg_stat_activity where datname = current_database() and query ilike 'listen%'`)) > 0;
}

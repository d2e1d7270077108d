// The queue, turned by hand: who may begin when. Priorities, the backlog, limits at the limit, pauses and later starts, and what a start costs.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { waitingRoom } from '#src/executions/admission.ts';
import type { ExecutionRow } from '#src/executions/execution-rows.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { ForbiddenError, NotFoundError, ValidationError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { tool } from './harness/engine-looks.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
let admin: Authority;
before(async () => {
  engine = await handEngine({ 'queue.note': { run: ({ of }) => of } });
  admin = await engine.authority(['admin']);
});
after(() => engine.close());

/** Runs between two jobs: the first does one of its steps. */
const twoAtOnce = [
  { id: 'one', ...tool('queue.note') },
  { id: 'two', ...tool('queue.note') },
];
const note = { id: 'note', ...tool('queue.note', { of: '${{ inputs.of }}' }) };
const write = <T>(work: Parameters<typeof engine.db.database.write<T>>[1]) => engine.db.database.write(engine.tenantId, work);
const read = <T>(work: Parameters<typeof engine.db.database.read<T>>[1]) => engine.db.database.read(engine.tenantId, work);
const limit = (scopeKind: 'tenant' | 'project' | 'environment' | 'agent', scopeId: string, maxRunning: number | null, as = admin) =>
  write((uow) => engine.services.queue.setConcurrencyLimit(uow, as, { scopeKind, scopeId, maxRunning }));
const status = () => read((uow) => engine.services.queue.queueStatus(uow, engine.operator));
const again = ({ id }: { id: string }) => engine.until(id, () => true);
const startMany = async (agent: string, count: number, more: { priority?: number } = {}) => {
  const rows: ExecutionRow[] = [];
  for (let index = 0; index < count; index += 1) rows.push(await engine.start(agent, { of: `${index}` }, more));
  return rows;
};
/** Works until the execution has one of these statuses. */
async function workUntil(row: ExecutionRow, ...statuses: string[]): Promise<void> {
  while (!statuses.includes((await again(row)).status))
    assert.ok(await engine.workOnce(), `${(await again(row)).status}, and no job is left`);
}
const runningOf = async (agentId: string) =>
  (await read((uow) => uow.rows(`select id from executions where agent_id = $1 and status = 'running'`, [agentId]))).length;
const called = () => engine.calls.map(({ args }) => args['of']);

describe('a start', () => {
  it('that nothing stands in the way of is admitted at once, for one statement more, and adds no job besides its own', async () => {
    const agent = await engine.agent([note]);
    const sql: string[] = [];
    const start = () =>
      write((uow) => {
        const recorded: UnitOfWork = {
          ...uow,
          rows: (text, params) => (sql.push(text), uow.rows(text, params)),
          write: (text, params) => (sql.push(text), uow.write(text, params)),
        };
        const request = { agentId: agent, environmentId: engine.environmentId };
        return engine.services.executions.startExecution(recorded, engine.operator, request);
      });
    await start();
    sql.length = 0;
    const row = await start();
    assert.equal(sql.filter((text) => /jobs\.(enter_queue|admit_soon|make_room)|concurrency_limits/.test(text)).length, 1, sql.join('\n'));
    // Ten of them: who may start what, the row and its lock, gate and decision, event, job, answer.
    assert.ok(sql.length <= 11, `${sql.length} statements:\n${sql.join('\n')}`);
    assert.notEqual(row.admittedAt, null);
    assert.equal(await engine.work(), 2);
  });

  it('has priority 5 unless it says another one from 1 to 9; others are refused and change nothing', async () => {
    const agent = await engine.agent([note]);
    assert.equal((await engine.start(agent)).priority, 5);
    for (const priority of [1, 9]) assert.equal((await engine.start(agent, {}, { priority })).priority, priority);
    await engine.work();
    const count = () => read((uow) => uow.rows('select id from executions'));
    const known = await count();
    for (const priority of [0, 10, 1.5, -1, Number.NaN]) {
      await assert.rejects(engine.start(agent, {}, { priority }), (error: ValidationError) => {
        assert.deepEqual(
          error.problems.map(({ path, expected }) => [path, expected]),
          [['priority', 'a whole number from 1 (first) to 9']],
        );
        return true;
      });
    }
    assert.equal((await count()).length, known.length);
  });

  it('of an idempotency key with another priority is another request', async () => {
    const agent = await engine.agent([note]);
    const idempotencyKey = newId();
    const first = await engine.start(agent, {}, { idempotencyKey, priority: 5 });
    assert.equal((await engine.start(agent, {}, { idempotencyKey })).id, first.id);
    await assert.rejects(engine.start(agent, {}, { idempotencyKey, priority: 4 }), /used before to start something else/);
    await engine.work();
  });
});

describe('a tenant with more to do than runners take up', () => {
  it('has a waiting room of fixed size, and the rest in its backlog, which then begins by priority and age', async () => {
    const agent = await engine.agent([note]);
    engine.calls.length = 0;
    await startMany(agent, waitingRoom);
    const last = await engine.start(agent, { of: 'late' }, { priority: 9 });
    const older = await engine.start(agent, { of: 'older' });
    const first = await engine.start(agent, { of: 'urgent' }, { priority: 1 });
    assert.deepEqual((await status()).backlog, [
      { priority: 1, count: 1 },
      { priority: 5, count: 1 },
      { priority: 9, count: 1 },
    ]);
    assert.equal((await status()).admitted, waitingRoom);
    assert.ok((await status()).oldestWaitingSince);
    for (const row of [first, older, last]) assert.equal((await again(row)).admittedAt, null);
    await engine.work();
    const order = called();
    assert.equal(order.length, waitingRoom + 3);
    // The first place that became free went to the most urgent, and it began before most of those that were let in before it.
    // (Those that were let in seconds before it keep their place: nobody is overtaken for ever.)
    assert.ok(order.indexOf('urgent') < waitingRoom / 2, order.join(' '));
    assert.ok(order.indexOf('older') < order.indexOf('late'), order.join(' '));
    assert.deepEqual(await status(), { backlog: [], admitted: 0, running: 0, oldestWaitingSince: null, isCapped: false });
  });

  it('can cancel what is in the backlog, which then is in it no more', async () => {
    const agent = await engine.agent([note]);
    await startMany(agent, waitingRoom);
    const row = await engine.start(agent);
    await engine.cancel(row.id);
    assert.deepEqual((await status()).backlog, []);
    await engine.work();
  });
});

describe('a concurrency limit', () => {
  it('lets exactly as many run as it says, on an agent, an environment, a project and a tenant alike', async () => {
    const agent = await engine.agent(twoAtOnce);
    for (const [kind, id] of [
      ['agent', agent],
      ['environment', engine.environmentId],
      ['project', engine.projectId],
      ['tenant', engine.tenantId],
    ] as const) {
      await limit(kind, id, 2);
      const rows = await startMany(agent, 5);
      const most = { running: 0, together: 0 };
      do {
        const { running, admitted } = await status();
        most.running = Math.max(most.running, running);
        most.together = Math.max(most.together, running + admitted);
      } while (await engine.workOnce());
      assert.deepEqual(most, { running: 2, together: 2 }, kind);
      for (const row of rows) assert.equal((await again(row)).status, 'succeeded', kind);
      await limit(kind, id, null);
    }
  });

  it('is exact where several apply at once: the narrowest one decides', async () => {
    const agent = await engine.agent(twoAtOnce);
    await limit('tenant', engine.tenantId, 3);
    await limit('agent', agent, 1);
    const [, other] = [await startMany(agent, 3), await startMany(await engine.agent(twoAtOnce), 4)];
    let most = 0;
    do {
      const { running, admitted } = await status();
      most = Math.max(most, running + admitted);
      assert.ok((await runningOf(agent)) <= 1);
    } while (await engine.workOnce());
    assert.equal(most, 3);
    for (const row of other) assert.equal((await again(row)).status, 'succeeded');
    await limit('tenant', engine.tenantId, null);
    await limit('agent', agent, null);
  });

  it('of a saturated agent does not hold up another agent of the same tenant', async () => {
    const [saturated, free] = [await engine.agent([note]), await engine.agent([note])];
    await limit('agent', saturated, 0);
    const stuck = await startMany(saturated, waitingRoom + 5, { priority: 1 });
    const row = await engine.start(free, { of: 'free' }, { priority: 9 });
    assert.notEqual(row.admittedAt, null, 'a backlog of others does not concern it');
    await workUntil(row, 'succeeded');
    for (const each of stuck) assert.equal((await again(each)).status, 'queued');
    // Also one that has to wait itself gets past those that cannot begin.
    await limit('agent', free, 1);
    const [one, two] = [await engine.start(free), await engine.start(free)];
    await workUntil(two, 'succeeded');
    assert.equal((await again(one)).status, 'succeeded');
    await limit('agent', saturated, null);
    await engine.work();
    for (const each of stuck) assert.equal((await again(each)).status, 'succeeded');
    await limit('agent', free, null);
  });

  it('that is lowered stops nothing that runs, and counts it', async () => {
    const agent = await engine.agent(twoAtOnce);
    const rows = await startMany(agent, 2);
    while ((await status()).running < 2) assert.ok(await engine.workOnce());
    await limit('agent', agent, 1);
    const next = await engine.start(agent);
    assert.deepEqual([(await status()).running, (await again(next)).admittedAt], [2, null]);
    await workUntil(rows[0]!, 'succeeded');
    assert.equal((await again(next)).admittedAt, null, 'one still runs, which is as many as may');
    await workUntil(next, 'succeeded');
    assert.equal((await again(rows[1]!)).status, 'succeeded');
    await limit('agent', agent, null);
  });

  it('does not count what waits, and never holds back what wakes', async () => {
    const agent = await engine.agent([
      { id: 'wait', wait: { durationMs: 60_000 } },
      { ...note, needs: ['wait'] },
    ]);
    await limit('tenant', engine.tenantId, 1);
    const rows = await startMany(agent, 3);
    await engine.work();
    for (const row of rows) assert.equal((await again(row)).status, 'waiting');
    engine.clock.advance(60_000);
    await engine.work();
    for (const row of rows) assert.equal((await again(row)).status, 'succeeded');
    await limit('tenant', engine.tenantId, null);
  });

  it('of one for the whole tenant lets a step start another execution and end: who waits for it keeps no place', async () => {
    const child = await engine.agent([note]);
    const [{ name } = { name: '' }] = await read((uow) => uow.rows<{ name: string }>('select name from agents where id = $1', [child]));
    const parent = await engine.agent([{ id: 'child', kind: 'agent', agent: { name, with: { of: 'child' }, onParentEnd: 'cancel' } }]);
    await limit('tenant', engine.tenantId, 1);
    const rows = await startMany(parent, 3);
    await engine.work();
    for (const row of rows) assert.equal((await again(row)).status, 'succeeded');
    await limit('tenant', engine.tenantId, null);
  });

  it('is refused where the permission is not held, outside of 0 to 100,000, and on what does not exist', async () => {
    const agent = await engine.agent([note]);
    for (const role of ['viewer', 'reviewer', 'agent_manager', 'service'] as const) {
      const somebody = await engine.authority([role]);
      await assert.rejects(limit('agent', agent, 1, somebody), ForbiddenError, role);
    }
    const here = await engine.authority([]);
    const elsewhere: Authority = { ...here, grants: [{ role: 'operator', kind: 'project', scopeId: newId() }] };
    await assert.rejects(limit('agent', agent, 1, elsewhere), NotFoundError);
    await assert.rejects(limit('tenant', engine.tenantId, 1, elsewhere), ForbiddenError);
    const local: Authority = { ...here, grants: [{ role: 'operator', kind: 'project', scopeId: engine.projectId }] };
    assert.equal((await limit('project', engine.projectId, 7, local))?.maxRunning, 7);
    assert.equal((await limit('agent', agent, 0, local))?.maxRunning, 0);
    for (const [kind, id] of [
      ['project', engine.projectId],
      ['agent', agent],
    ] as const) {
      assert.equal(await limit(kind, id, null, local), null);
    }
    for (const value of [-1, 100_001, 1.5]) await assert.rejects(limit('agent', agent, value), ValidationError, `${value}`);
    for (const kind of ['tenant', 'project', 'environment', 'agent'] as const) {
      for (const id of [newId(), 'no id']) await assert.rejects(limit(kind, id, 1), NotFoundError);
    }
    assert.deepEqual((await read((uow) => engine.services.queue.listLimits(uow, admin, {}, {}))).rows, []);
  });
});

describe('an execution that is paused before it began', () => {
  it('leaves the queue, and gets in line again when it is resumed', async () => {
    const agent = await engine.agent([note]);
    const { control } = engine.services;
    await limit('agent', agent, 1);
    const [first, second] = [await engine.start(agent, { of: 'a' }), await engine.start(agent, { of: 'b' })];
    await write((uow) => control.pauseExecution(uow, admin, { executionId: first.id }));
    await workUntil(second, 'succeeded');
    assert.equal((await again(first)).status, 'paused');
    assert.equal((await again(first)).admittedAt, null);
    await limit('agent', agent, 0);
    await write((uow) => control.resumeExecution(uow, admin, { executionId: first.id }));
    await engine.work();
    assert.equal((await again(first)).status, 'queued', 'the limit says that nothing begins');
    await limit('agent', agent, null);
    await workUntil(first, 'succeeded');
  });
});

describe('an execution that starts later', () => {
  it('gets in line when its time has come, and not before', async () => {
    const agent = await engine.agent([note]);
    await limit('agent', agent, 0);
    const row = await engine.start(agent, {}, { startAt: new Date(engine.clock.now().getTime() + 60_000) });
    assert.deepEqual((await status()).backlog, []);
    engine.clock.advance(60_000);
    await engine.work();
    assert.equal((await again(row)).status, 'scheduled');
    assert.deepEqual((await status()).backlog, [{ priority: 5, count: 1 }]);
    await limit('agent', agent, null);
    await workUntil(row, 'succeeded');
  });
});

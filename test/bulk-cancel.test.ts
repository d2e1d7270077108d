// Cancelling everything that a filter finds: exactly that, only where the permission is held, whatever it is doing, crash or no crash.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { batchSize } from '#src/queues/bulk-cancel.ts';
import type { ExecutionFilter } from '#src/executions/execution-reads.ts';
import type { ExecutionRow } from '#src/executions/execution-rows.ts';
import type { Database } from '#src/platform/database.ts';
import { ForbiddenError, NotFoundError, ValidationError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { crowd } from './harness/crowd.ts';
import { tool } from './harness/engine-looks.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
before(async () => {
  engine = await handEngine({ 'bulk.note': { run: () => null } });
});
after(() => engine.close());

const note = { id: 'note', ...tool('bulk.note') };
const open: ExecutionFilter = { status: ['queued', 'scheduled', 'running', 'waiting', 'paused'] };
const write = <T>(work: Parameters<typeof engine.db.database.write<T>>[1]) => engine.db.database.write(engine.tenantId, work);
const cancel = (filter: ExecutionFilter, as: Authority = engine.operator, reason: string | null = 'clean up') =>
  write((uow) => engine.services.bulkCancel.cancelExecutions(uow, as, { filter, reason }));
const operation = async (id: string, as: Authority = engine.operator) =>
  (await write((uow) => engine.services.bulkCancel.operationsByIds(uow, as, [id])))[0];
const again = ({ id }: { id: string }) => engine.until(id, () => true);
const statusOf = async (row: { id: string }) => (await again(row)).status;
const batch = (operationId: string, database: Database = engine.db.database) =>
  engine.services.bulkCancel.cancelBatch(database, { tenantId: engine.tenantId, operationId });

/** Works on the operation alone, so that what it finds does not move meanwhile. */
async function finish(id: string): Promise<void> {
  while ((await operation(id))!.status !== 'finished') await batch(id);
}

describe('a bulk cancel', () => {
  it('ends what it finds in whatever state it is, tells each of it why, and says how many they were', async () => {
    const agent = await engine.agent([note]);
    const waits = await engine.agent([{ id: 'wait', wait: { durationMs: 60_000 } }]);
    const asks = await engine.agent([{ id: 'ask', approval: { title: 'go', reason: '', risk: 'low', expiresInMs: 60_000, show: null } }]);
    const done = await engine.start(agent);
    const [waiting, asking] = [await engine.start(waits), await engine.start(asks)];
    await engine.work();
    const later = await engine.start(agent, {}, { startAt: new Date(engine.clock.now().getTime() + 60_000) });
    const paused = await engine.start(agent);
    await write((uow) => engine.services.control.pauseExecution(uow, engine.operator, { executionId: paused.id }));
    const queued = await engine.start(agent);
    const rows = [waiting, asking, later, paused, queued];
    const { id, status } = await cancel(open);
    assert.equal(status, 'queued');
    engine.clock.advance(1);
    const afterwards = await engine.start(agent);
    await finish(id);
    await engine.work();
    for (const row of rows) {
      assert.equal(await statusOf(row), 'cancelled');
      const last = (await engine.events(row.id)).at(-1)!;
      assert.deepEqual([last.type, last.data], ['execution.cancelled', { reason: 'clean up', cancelledBy: engine.operator.principalId }]);
      const { lastSequence, finishedAt, admittedAt } = await again(row);
      assert.equal(lastSequence, last.sequence);
      assert.ok(finishedAt && (admittedAt || row !== queued));
    }
    assert.equal(await statusOf(done), 'succeeded');
    assert.equal(await statusOf(afterwards), 'succeeded', 'what is accepted later is not touched');
    const approvals = await write((uow) =>
      uow.rows<{ status: string }>('select status from approvals where execution_id = $1', [asking.id]),
    );
    assert.deepEqual(approvals, [{ status: 'cancelled' }]);
    const over = (await operation(id))!;
    assert.deepEqual([over.status, over.matched, over.cancelled, over.failed], ['finished', 5, 5, 0]);
    assert.ok(over.finishedAt);
  });

  it('touches only what its filter finds', async () => {
    const [one, two] = [await engine.agent([note]), await engine.agent([note])];
    const start = (agent: string, labels = {}) => engine.start(agent, {}, { labels });
    const rows = [await start(one, { team: 'a' }), await start(one, { team: 'b' }), await start(two, { team: 'a' })];
    const { id } = await cancel({ agentId: one, labels: { team: 'a' } });
    await finish(id);
    await engine.work();
    assert.deepEqual(await Promise.all(rows.map(statusOf)), ['cancelled', 'succeeded', 'succeeded']);
    assert.equal((await operation(id))!.matched, 1);
  });

  it('cancels only where the permission is held; elsewhere nothing changes', async () => {
    const agent = await engine.agent([note]);
    const mine = await engine.start(agent);
    const otherProject = newId();
    const theirs = await engine.start(agent);
    await write((uow) => uow.rows('update executions set project_id = $2, environment_id = $2 where id = $1', [theirs.id, otherProject]));
    const nobody = await engine.authority([]);
    const local: Authority = { ...nobody, grants: [{ role: 'operator', kind: 'project', scopeId: engine.projectId }] };
    const viewer: Authority = { ...nobody, grants: [{ role: 'viewer', kind: 'tenant', scopeId: engine.tenantId }] };
    const { id } = await cancel(open, { ...local, grants: [...local.grants, ...viewer.grants] });
    for (const as of [nobody, viewer]) await assert.rejects(cancel(open, as), ForbiddenError);
    await finish(id);
    assert.deepEqual([await statusOf(mine), await statusOf(theirs)], ['cancelled', 'queued']);
    assert.deepEqual([(await operation(id))!.matched, (await operation(id))!.cancelled], [1, 1]);
    // Who asked for it, and who may read everything, see it; others do not.
    assert.ok(await operation(id, viewer));
    assert.ok(await operation(id, local));
    assert.equal(await operation(id, { ...local, principalId: newId() }), undefined);
    await write((uow) =>
      uow.rows('update executions set project_id = $2, environment_id = $3 where id = $1', [
        theirs.id,
        engine.projectId,
        engine.environmentId,
      ]),
    );
    await engine.work();
  });

  it('without any condition, with a wrong one, an unknown place or too long a reason is refused, and nothing is recorded', async () => {
    const count = () => write((uow) => uow.rows('select id from bulk_operations'));
    const known = (await count()).length;
    const wrong: [ExecutionFilter, RegExp][] = [
      [{}, /filter: would cancel everything/],
      [{ status: null, agentId: undefined }, /would cancel everything/],
      [{ agentId: 'no id' }, /filter.agentId/],
      [{ labels: { team: 1 } }, /filter.labels/],
      [{ since: new Date(2), until: new Date(1) }, /filter.until/],
    ];
    for (const [filter, message] of wrong) {
      await assert.rejects(cancel(filter), (error: Error) => error instanceof ValidationError && message.test(error.message));
    }
    for (const filter of [{ projectId: newId() }, { environmentId: newId() }, { agentId: newId() }]) {
      await assert.rejects(cancel(filter), NotFoundError);
    }
    await assert.rejects(cancel(open, engine.operator, 'x'.repeat(1_001)), /reason: must have at most 1000 characters, has 1001/);
    await assert.rejects(cancel(open, engine.operator, 'x\0'), ValidationError);
    assert.equal((await count()).length, known);
  });
});

describe('a bulk cancel of many', () => {
  it('goes in batches, shows how far it is, and goes on after a crash in the middle without counting anything twice', async () => {
    const agent = await engine.agent([note]);
    const waits = await engine.agent([{ id: 'wait', wait: { durationMs: 60_000 } }]);
    const rows: ExecutionRow[] = [];
    for (let index = 0; index < 60; index += 1) rows.push(await engine.start(waits));
    await engine.work();
    const original = await engine.start(agent);
    const ids = await crowd(engine, original, batchSize * 2 + 10);
    const [{ n: matched } = { n: 0 }] = await write((uow) =>
      uow.rows<{ n: number }>(
        `select count(*)::int as n from executions where status not in ('succeeded', 'failed', 'cancelled', 'blocked')`,
      ),
    );
    const { id } = await cancel(open);
    await batch(id);
    const first = (await operation(id))!;
    assert.equal(first.status, 'running');
    assert.equal(first.matched, matched);
    assert.ok(first.cancelled > 0 && first.cancelled <= batchSize);
    // It dies after each of its transactions in turn; whatever was committed stays, and counts once.
    for (let survived = 1; survived <= 4; survived += 1) {
      let left = survived;
      const dying: Database = {
        ...engine.db.database,
        write: (tenantId, work) => (left-- > 0 ? engine.db.database.write(tenantId, work) : Promise.reject(new Error('killed'))),
      };
      await batch(id, dying).catch((error: Error) => assert.equal(error.message, 'killed'));
    }
    // And two at a time: one that was taken for dead goes on beside the one that replaced it.
    await Promise.all([batch(id), batch(id)]);
    await finish(id);
    const over = (await operation(id))!;
    assert.deepEqual([over.matched, over.cancelled, over.failed], [matched, matched, 0]);
    const events = await write((uow) =>
      uow.rows<{ n: number; ids: number }>(
        `select count(*)::int as n, count(distinct execution_id)::int as ids from execution_events
         where type = 'execution.cancelled' and execution_id = any($1::uuid[])`,
        [[...ids, ...rows.map((row) => row.id)]],
      ),
    );
    const [found] = events;
    assert.equal(found!.n, found!.ids, 'each ended once');
    const left = await write((uow) =>
      uow.rows(`select id from executions where status not in ('succeeded', 'failed', 'cancelled', 'blocked') or backlog_at is not null`),
    );
    assert.deepEqual(left, []);
    await engine.work();
  });
});

// Work of a tenant that is archived and restored: its effects stop where they are and go on from there, and nothing is lost meanwhile.
// Who may is in permissions.test.ts; what becomes of streams in revocations*.test.ts; of webhooks and sinks in theirs.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { InvalidStateError } from '#src/platform/errors.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { controlOf } from './harness/engine-control.ts';
import { looksAt, tool } from './harness/engine-looks.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
let calls = 0;
/** Called while a tool runs. */
let during: () => Promise<unknown> = () => Promise.resolve();
before(async () => {
  const run = async (_args: unknown, { signal }: { signal?: AbortSignal }) => {
    calls += 1;
    await during();
    if (signal?.aborted) throw new Error('aborted');
    return 'done';
  };
  engine = await handEngine({ 'files.read': { annotations: { readOnlyHint: true }, run } });
});
after(() => engine?.close());

const { look, types, rowOf, start } = looksAt(() => engine);
const { checked } = controlOf(() => engine);
const write = <T>(work: (uow: UnitOfWork) => Promise<T>) => engine.db.database.write(engine.tenantId, work);
const by = (): Authority => ({
  ...{ tenantId: newId(), principalId: newId(), principalName: 'root', principalKind: 'user', isOperatorTenant: true },
  grants: [{ role: 'admin', kind: 'tenant', scopeId: engine.tenantId }],
});
const archive = (reason?: string) =>
  write((uow) => engine.services.tenantArchive.archiveTenant(uow, by(), { tenantId: engine.tenantId, reason }));
const restore = () => write((uow) => engine.services.tenantArchive.restoreTenant(uow, by(), { tenantId: engine.tenantId }));
const act = { id: 'act', ...tool('files.read') };

describe('an archived tenant', () => {
  it('has no effects: what is started or due waits where it is, says why, and goes on once it is restored', async () => {
    const { archivedAt } = await archive('the contract has ended');
    assert.deepEqual(archivedAt, engine.clock.now());
    const execution = await start([
      { id: 'first', ...tool('files.read') },
      { ...act, needs: ['first'] },
    ]);
    const waiting = await start([
      { id: 'pause', wait: { durationMs: 60_000 } },
      { ...act, needs: ['pause'] },
    ]);
    engine.clock.advance(60_000);
    await engine.work();
    assert.equal(calls, 0);
    for (const [id, step] of [[execution, 'first'], [waiting, 'act']] as const) assert.ok((await rowOf(id, step)).halted_by); // prettier-ignore
    assert.equal((await look(execution)).status, 'running');
    const halted = (await engine.events(execution)).at(-1)!;
    assert.deepEqual([halted.type, halted.data['reason']], ['step.halted', 'the contract has ended']);
    assert.equal((await restore()).archivedAt, null);
    await engine.work();
    for (const id of [execution, waiting]) assert.equal((await look(id)).status, 'succeeded');
    assert.equal(calls, 3);
    await checked(execution, waiting);
  });

  it('aborts what runs, which is made again once it is restored', async () => {
    during = async () => {
      during = () => Promise.resolve();
      await archive();
      await engine.hearOfKillSwitch();
    };
    const execution = await start([act]);
    assert.ok((await rowOf(execution, 'act')).halted_by);
    await restore();
    await engine.work();
    assert.equal((await look(execution)).status, 'succeeded');
    assert.deepEqual((await types(execution, 'act')).slice(-4), ['step.halted', 'step.continued', 'step.started', 'step.succeeded']);
  });

  it('keeps the kill switches of its own people: what these stop goes on when they are released, too', async () => {
    const { killSwitches } = engine.services;
    const own = await write((uow) => killSwitches.engageKillSwitch(uow, engine.operator, { scope: 'tenant', reason: 'ours' }));
    await archive();
    const execution = await start([act]);
    await restore();
    await engine.work();
    assert.equal((await rowOf(execution, 'act')).halted_by, own.id);
    await write((uow) => killSwitches.releaseKillSwitch(uow, engine.operator, { killSwitchId: own.id }));
    await engine.work();
    assert.equal((await look(execution)).status, 'succeeded');
  });

  it('is archived once, of many who try at once, and restored once', async () => {
    for (const [change, refusal] of [
      [archive, /archived at .* already/],
      [restore, /open; there is nothing to restore/],
    ] as const) {
      const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => change()));
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') continue;
        assert.ok(outcome.reason instanceof InvalidStateError);
        assert.match(outcome.reason.message, refusal);
      }
    }
    const engaged = await write((uow) => uow.rows('select id from kill_switches where tenant_id = $1 and released_at is null', [engine.tenantId])); // prettier-ignore
    assert.deepEqual(engaged, []);
  });
});

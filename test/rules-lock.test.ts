// Rules and dispatches take turns: whatever dispatches waits for a change of rules that is under way and then obeys it, and a change is
// acknowledged only when no dispatch is under way that has not seen it. Each way of dispatching and each change is tried by itself.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { NewPolicy } from '#src/policies/policy-service.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { changeRules, holdRules } from '#src/authority/rules-lock.ts';
import { looksAt, tool } from './harness/engine-looks.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
let admin: Authority;
let owner: pg.Client;
let run: () => unknown = () => 'done';
before(async () => {
  engine = await handEngine({ 'files.read': { annotations: { readOnlyHint: true }, run: () => run() } });
  admin = await engine.authority(['admin']);
  owner = new pg.Client({ connectionString: engine.db.ownerUrl });
  await owner.connect();
});
after(async () => {
  await owner?.end();
  await engine?.close();
});
const { look, rowOf, codeOf } = looksAt(() => engine);
const write = <T>(work: (uow: UnitOfWork) => Promise<T>) => engine.db.database.write(engine.tenantId, work);

/** A transaction that has done this and is not committed yet. */
async function open(work: (uow: UnitOfWork) => Promise<unknown>): Promise<() => Promise<void>> {
  const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const committed = write(async (uow) => {
    await work(uow);
    await uow.rows('select');
    begun.resolve();
    await end.promise;
  });
  committed.catch(begun.reject);
  await begun.promise;
  return async () => {
    end.resolve();
    await committed;
  };
}
const someoneWaits = async (): Promise<boolean> => {
  const { rows } = await owner.query(
    `select 1 from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())`,
  );
  return rows.length > 0;
};
/** It does not end before the open transaction has been committed. */
async function waitsFor<T>(commit: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  let isOver = false;
  const result = work().finally(() => (isOver = true));
  result.catch(() => undefined);
  while (!isOver && !(await someoneWaits())) await sleep(5);
  const waited = !isOver;
  await commit();
  assert.ok(waited, 'it did not wait');
  return result;
}
const sharing = () => open(async (uow) => holdRules(uow));
const changing = () => open(changeRules);
const engaging = () =>
  open((uow) => engine.services.killSwitches.engageKillSwitch(uow, engine.operator, { scope: 'tool', pattern: 'files.*', reason: 'stop' }));
const read = (id: string, needs: string[] = []) => ({ id, needs, ...tool('files.read') });
const denial = (): NewPolicy => ({
  name: `p-${newId()}`,
  kind: 'tool_access',
  mode: 'enforce',
  rules: [{ effect: 'deny', tools: ['files.*'] }],
});

afterEach(releaseAll);
async function releaseAll(): Promise<void> {
  const engaged = await write((uow) => engine.services.killSwitches.listKillSwitches(uow, admin, { engaged: true }, {}));
  for (const { id } of engaged.rows) await write((uow) => engine.services.killSwitches.releaseKillSwitch(uow, admin, { killSwitchId: id }));
  await engine.work();
}

describe('a dispatch', () => {
  it('that meets a switch being engaged waits for it, and is stopped by it', async () => {
    const { id } = await engine.start(await engine.agent([read('act')]));
    const before = engine.calls.length;
    await waitsFor(await engaging(), () => engine.work());
    assert.notEqual((await rowOf(id, 'act')).halted_by, null);
    assert.equal(engine.calls.length, before);
    await releaseAll();
    assert.equal((await look(id)).status, 'succeeded');
  });

  it('of the next step of a chain, in the transaction that ends the one before, does so, too', async () => {
    const { id } = await engine.start(await engine.agent([read('one'), read('two', ['one'])]));
    const before = engine.calls.length;
    let commit: () => Promise<void> = () => Promise.resolve();
    const opened = Promise.withResolvers<void>();
    run = async () => {
      run = () => 'done';
      commit = await engaging();
      opened.resolve();
      return 'done';
    };
    const work = engine.work();
    await opened.promise;
    await waitsFor(commit, () => work);
    assert.deepEqual([(await rowOf(id, 'one')).status, engine.calls.length], ['succeeded', before + 1]);
    assert.notEqual((await rowOf(id, 'two')).halted_by, null);
    await releaseAll();
    assert.equal((await look(id)).status, 'succeeded');
  });

  it('that meets a policy being written waits for it, and is refused by it', async () => {
    const { id } = await engine.start(await engine.agent([read('act')]));
    let policyId = '';
    const creating = await open(async (uow) => (policyId = (await engine.services.policies.createPolicy(uow, admin, denial())).id));
    await waitsFor(creating, () => engine.work());
    assert.deepEqual([(await look(id)).status, await codeOf(id, 'act')], ['blocked', 'DENIED']);
    await write((uow) => engine.services.policies.deletePolicy(uow, admin, policyId));
  });

  it('waits when it is a start, a question of an agent elsewhere, or its report', async () => {
    const agentId = await engine.agent([read('act')]);
    const { environmentId } = engine;
    const { toolCalls } = engine.services;
    await waitsFor(await changing(), () => engine.start(agentId));
    const question = { agentId, environmentId, tool: 'files.read', arguments: {}, idempotencyKey: newId() };
    const call = await waitsFor(await changing(), () => write((uow) => toolCalls.authorizeToolCall(uow, engine.operator, question)));
    assert.equal(call.status, 'allowed');
    const report = { toolCallId: call.id, outcome: 'succeeded', result: 1 } as const;
    await waitsFor(await changing(), () => write((uow) => toolCalls.reportToolResult(uow, engine.operator, report)));
    await engine.work();
  });
});

describe('a change of rules', () => {
  it('is acknowledged only after the dispatches that are under way', async () => {
    const { policies, killSwitches, data } = engine.services;
    const version = { policyId: '', expectedVersion: 1 };
    const [ownerAgentId, granteeAgentId] = [await engine.agent([], { data: ['dataset:orders'] }), await engine.agent([])];
    const grant = { ownerAgentId, granteeAgentId, data: 'dataset:orders', reason: 'why' };
    let [killSwitchId, dataGrantId] = ['', ''];
    const document = 'name: applied\nkind: tool_access\nrules: [{ effect: deny, tools: [nothing.at_all] }]\n';
    const changes: Record<string, (uow: UnitOfWork) => Promise<unknown>> = {
      createPolicy: async (uow) => (version.policyId = (await policies.createPolicy(uow, admin, denial())).id),
      updatePolicy: (uow) => policies.updatePolicy(uow, admin, { ...version, priority: 3 }),
      fallBack: (uow) => policies.fallBack(uow, version.policyId, 2),
      disablePolicy: (uow) => policies.disablePolicy(uow, admin, version.policyId),
      enablePolicy: (uow) => policies.enablePolicy(uow, admin, version.policyId),
      deletePolicy: (uow) => policies.deletePolicy(uow, admin, version.policyId),
      applyPolicy: (uow) => policies.applyPolicy(uow, admin, { document, expectedVersion: 0 }),
      engageKillSwitch: async (uow) => {
        const input = { scope: 'tool', pattern: 'none.*', reason: 'why' } as const;
        killSwitchId = (await killSwitches.engageKillSwitch(uow, admin, input)).id;
      },
      releaseKillSwitch: (uow) => killSwitches.releaseKillSwitch(uow, admin, { killSwitchId }),
      grantData: async (uow) => (dataGrantId = (await data.grantData(uow, admin, grant)).id),
      revokeDataGrant: (uow) => data.revokeDataGrant(uow, admin, { dataGrantId }),
    };
    for (const [name, change] of Object.entries(changes)) {
      await assert.doesNotReject(
        waitsFor(await sharing(), () => write(change)),
        name,
      );
    }
  });
});

// Rate limits: exact in any stretch of time, whoever counts, whatever the clocks of the processes say; places in line are kept and given back.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { newId } from '#src/platform/ids.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import type { GateInput } from '#src/rules/gate.ts';
import { createGate } from '#src/gate/gate-service.ts';
import { forgetOld } from '#src/gate/rate-store.ts';
import type { RateLimitRules } from '#src/rules/rate-rules.ts';
import type { Authority } from '#src/authority/permission.ts';
import { keepCounted, mostWithin, type Counted } from './harness/counted.ts';
import { testEngine, type Engine } from './harness/engine.ts';
import { tool } from './harness/engine-looks.ts';
import { toolCall } from './harness/governance.ts';
import { randomOf } from './harness/random.ts';
import { createFleet, type Fleet } from './harness/runner-fleet.ts';

let engine: Engine;
let admin: Authority;
let counted: Counted;
let fleet: Fleet | undefined;
before(async () => {
  engine = await testEngine({ 'rate.one': { annotations: { readOnlyHint: true }, run: () => null } });
  admin = await engine.authority(['admin']);
  counted = await keepCounted({ ownerUrl: engine.db.ownerUrl, tenantId: engine.tenantId });
});
after(async () => {
  await counted.close();
  await engine.close();
});
afterEach(() => fleet?.close());

const write = <T>(work: (uow: UnitOfWork) => Promise<T>) => engine.db.database.write(engine.tenantId, work);
const limit = (rules: Partial<RateLimitRules>, more: { mode?: 'observe' | 'inject'; scope?: { agentId: string } } = {}) =>
  write((uow) =>
    engine.services.policies.createPolicy(uow, admin, {
      ...{ name: `p-${newId()}`, kind: 'rate_limit', mode: 'enforce', ...more },
      rules: { count: 'tool_calls', limit: 2, window: '1m', ...rules },
    }),
  );
/** A gate with a clock of its own that also counts, and calls of an agent that no other test has. */
async function asker() {
  const agentId = await engine.agent([]);
  let now = Date.parse('2100-01-01T00:00:00Z');
  const clock = { now: () => new Date(now) };
  const gate = createGate({ clock, rateClock: clock });
  return {
    agentId,
    at: () => now,
    turn: (milliseconds: number) => (now += milliseconds),
    async ask(executionId = newId(), change: Partial<GateInput> = {}) {
      const { tenantId, projectId, environmentId } = engine;
      const place = { projectId, environmentId, agentId, teamId: null };
      const input = toolCall({ tenantId, ...place, principalId: newId(), at: clock.now().toISOString(), ...change });

      const { verdict, notBefore } = await write((uow) => gate.judge(uow, input, { executionId, stepId: 's', itemIndex: null, ...place }));
      return { effect: verdict.effect, inMs: notBefore && notBefore.getTime() - now, reasons: verdict.reasons };
    },
  };
}

describe('a counter', () => {
  it('allows exactly the limit in a window that slides, the moment the oldest has left it included', async () => {
    const { agentId, ask, turn } = await asker();
    await limit({ limit: 2, window: '10s' }, { scope: { agentId } });
    const effects = async (...asked: number[]) => {
      const got: string[] = [];
      for (const after of asked) {
        turn(after);
        got.push((await ask()).effect);
      }
      return got;
    };
    assert.deepEqual(await effects(0, 4_000, 0), ['allow', 'allow', 'deny']);
    assert.deepEqual(await effects(5_999, 1, 0), ['deny', 'allow', 'deny']);
    assert.deepEqual(await effects(4_000, 0, 5_999, 1), ['allow', 'deny', 'deny', 'allow']);
  });

  it('agrees with a model over random lives, clocks that run back included', async () => {
    const random = randomOf(7);
    for (let life = 0; life < 5; life += 1) {
      const { agentId, ask, at, turn } = await asker();
      const most = 1 + Math.floor(random() * 4);
      await limit({ limit: most, window: '10s' }, { scope: { agentId } });
      const taken: number[] = [];
      let time = 0;
      for (let asked = 0; asked < 60; asked += 1) {
        turn(Math.floor(random() * 4_000) - (random() < 0.2 ? 6_000 : 0));
        time = Math.max(time, at());
        const isFree = taken.filter((each) => each > time - 10_000).length < most;
        assert.equal((await ask()).effect, isFree ? 'allow' : 'deny', `life ${life}, ${asked}`);
        if (isFree) taken.push(time);
      }
    }
  });

  it('lets exactly the limit pass of 8 clients who ask at once, whose clocks jump meanwhile', async () => {
    const random = randomOf(5);
    const clients = await Promise.all(Array.from({ length: 8 }, asker));
    const { agentId } = clients[0]!;
    await limit({ limit: 7, window: '1h' }, { scope: { agentId } });
    const asked = clients.flatMap((client) =>
      Array.from({ length: 5 }, () => {
        client.turn(Math.floor(random() * 600_000) - 300_000);
        return client.ask(newId(), { agentId });
      }),
    );
    const effects = (await Promise.all(asked)).map(({ effect }) => effect);
    assert.deepEqual([effects.filter((effect) => effect === 'allow').length, effects.length], [7, 40]);
    assert.ok(effects.every((effect) => effect === 'allow' || effect === 'deny'));
  });

  it('is kept for each of what `per` names, and for what its conditions match alone', async () => {
    const { agentId, ask } = await asker();
    const [one, other] = [newId(), newId()];
    await limit({ limit: 1, per: ['tool', 'principal'], tools: ['files.*'] }, { scope: { agentId } });
    const call = async (principalId: string, name: string) => {
      const { tool: called } = toolCall({}, { name });
      return (await ask(newId(), { principalId, tool: called, agentTools: [name] })).effect;
    };
    assert.deepEqual([await call(one, 'files.a'), await call(one, 'files.b'), await call(other, 'files.a')], ['allow', 'allow', 'allow']);
    assert.deepEqual([await call(one, 'files.a'), await call(other, 'files.a')], ['deny', 'deny']);
    assert.deepEqual([await call(one, 'mail.a'), await call(one, 'mail.a')], ['allow', 'allow']);
  });

  it('counts no call that is refused, by it or by another policy', async () => {
    const { agentId, ask, turn } = await asker();
    await limit({ limit: 1, window: '10s' }, { scope: { agentId } });
    assert.equal((await ask(newId(), { agentTools: [] })).effect, 'deny');
    assert.equal((await ask()).effect, 'allow');
    turn(9_000);
    assert.equal((await ask()).effect, 'deny');
    turn(1_000);
    assert.equal((await ask()).effect, 'allow');
  });

  it('that only observes counts and refuses nothing; one that warns says so and lets it pass', async () => {
    const watched = await asker();
    const { id } = await limit({ limit: 1 }, { scope: { agentId: watched.agentId }, mode: 'observe' });
    assert.deepEqual([(await watched.ask()).effect, (await watched.ask()).effect], ['allow', 'allow']);
    assert.equal((await counted.momentsOf(id)).length, 2);
    const warned = await asker();
    await limit({ limit: 1, onViolation: 'warn', message: 'Slow down.' }, { scope: { agentId: warned.agentId } });
    assert.equal((await warned.ask()).effect, 'allow');
    const { effect, reasons } = await warned.ask();
    assert.equal(effect, 'warn');
    assert.match(reasons.join(), /allows 1 tool call in 1m, .* Slow down\.$/);
  });
});

describe('counters', () => {
  it('of what nobody counts any more are forgotten, those in use and those with somebody in line are not', async () => {
    const { agentId, ask, turn } = await asker();
    await limit({ limit: 1, per: ['principal'], onViolation: 'queue', maxDelay: '10m' }, { scope: { agentId } });
    const keys = async () =>
      write((uow) =>
        uow.rows('select key from rate_counters c where exists (select from policies p where p.id = c.policy_id and p.agent_id = $1)', [
          agentId,
        ]),
      );
    const [gone, waits, stays] = [newId(), newId(), newId()];
    await ask(newId(), { principalId: gone });
    await ask(newId(), { principalId: waits });
    assert.equal((await ask(newId(), { principalId: waits })).effect, 'queue');
    turn(60_000);
    await ask(newId(), { principalId: stays });
    const demand = { policyId: '', key: JSON.stringify([stays]), limit: 1, windowMs: 60_000 };
    await write(async (uow) => {
      const [policy] = await uow.rows<{ id: string }>('select id from policies where agent_id = $1', [agentId]);
      const fact = { key: demand.key, limit: 1, windowMs: 60_000, count: 0, freeAt: '' };
      forgetOld(uow, [{ demand: { ...demand, policyId: policy!.id }, fact, placeId: null, toldMs: null, waitMs: 0 }], 0);
    });
    assert.deepEqual(
      (await keys()).map((row) => (row as { key: string }).key).sort(),
      [waits, stays].map((id) => JSON.stringify([id])).sort(),
    );
  });
});

describe('a line', () => {
  it('gives each its turn in the order they asked, up to the longest wait, and refuses beyond it', async () => {
    const { agentId, ask } = await asker();
    await limit({ limit: 2, window: '10s', onViolation: 'queue', maxDelay: '20s' }, { scope: { agentId } });
    const waits = [];
    for (let index = 0; index < 8; index += 1) waits.push(await ask());
    const seen = waits.map(({ effect, inMs }) => [effect, inMs]);
    const [now, first, second] = [
      ['allow', null],
      ['queue', 10_000],
      ['queue', 20_000],
    ];
    assert.deepEqual(seen.slice(0, 6), [now, now, first, first, second, second]);
    assert.deepEqual(seen.slice(6), [
      ['deny', null],
      ['deny', null],
    ]);
    assert.match(waits[7]!.reasons.join(), /would have to wait longer than 20s \("maxDelay"\), so it is refused/);
  });

  it('keeps the place of who asks again, is not overtaken, and stays exact when somebody comes late', async () => {
    const { agentId, ask, turn } = await asker();
    await limit({ limit: 1, window: '10s', onViolation: 'queue', maxDelay: '10m' }, { scope: { agentId } });
    const [first, second, third] = [newId(), newId(), newId()];
    assert.equal((await ask()).effect, 'allow');
    assert.deepEqual([(await ask(first)).inMs, (await ask(second)).inMs, (await ask(third)).inMs], [10_000, 20_000, 30_000]);
    assert.equal((await ask(second)).inMs, 20_000, 'asking again changes nothing');
    turn(15_000);
    assert.equal((await ask(second)).inMs, 5_000);
    assert.equal((await ask(first)).effect, 'allow', 'five seconds late');
    turn(5_000);
    assert.equal((await ask(second)).inMs, 5_000, 'ten after the one that was late');
    turn(5_000);
    assert.equal((await ask(third)).inMs, 10_000, 'not before the second, which has not gone yet');
    assert.equal((await ask(second)).effect, 'allow');
    turn(10_000);
    assert.equal((await ask(third)).effect, 'allow');
  });

  it('is given back what is refused in the meantime, and what its execution leaves behind', async (t) => {
    const agentId = await engine.agent([{ id: 'one', ...tool('rate.one') }]);
    const { id } = await limit({ limit: 1, window: '1h', onViolation: 'queue', maxDelay: '30d' }, { scope: { agentId } });
    await engine.runner();
    t.after(() => engine.stopRunners());
    assert.equal((await engine.finished((await engine.start(agentId)).id)).status, 'succeeded');
    const waiting = await engine.until((await engine.start(agentId)).id, ({ status }) => status === 'waiting');
    assert.equal(await counted.places(id), 1);
    await engine.cancel(waiting.id);
    assert.equal(await counted.places(id), 0);
  });
});

describe('several processes', () => {
  it('together keep the limit exactly, with clocks that are apart, and one that dies', { timeout: 120_000 }, async () => {
    const agentId = await engine.agent(Array.from({ length: 3 }, (_, index) => ({ id: `s${index}`, ...tool('rate.one') })));
    const { id } = await limit({ limit: 5, window: '1s', onViolation: 'queue', maxDelay: '10m' }, { scope: { agentId } });
    fleet = createFleet(engine, ['rate.one']);
    fleet.answerAll((call) => call.succeed('done'));
    const [dying] = await Promise.all([fleet.start({ skewMs: 700 }), fleet.start({ skewMs: -400 })]);
    const started = await Promise.all(Array.from({ length: 8 }, () => engine.start(agentId)));
    await engine.until(started[0]!.id, ({ status }) => status !== 'queued');
    while ((await counted.momentsOf(id)).length < 10) await new Promise((resolve) => setTimeout(resolve, 50));
    await dying.kill();
    await fleet.start({ skewMs: 2_000 });
    for (const execution of started) assert.equal((await engine.finished(execution.id)).status, 'succeeded');
    const moments = await counted.momentsOf(id);
    assert.ok(moments.length >= 24, `${moments.length} calls were counted`);
    assert.equal(mostWithin(moments, 1_000), 5);
  });
});

// Rate limits tried on recorded traffic: counted in memory exactly as the gate counts in rows.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { toGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import { createRateWindow } from '#src/simulations/rate-window.ts';
import { randomOf, someSeed } from './harness/random.ts';
import { create, day, filterOf, idOf, simulationServer, today, type SimulationServer } from './harness/policy-simulations.ts';

let world: SimulationServer;
before(async () => {
  world = await simulationServer();
});
after(() => world.server.close());

const from = today.getTime() - day;
const at = (seconds: number) => new Date(from + seconds * 1_000);
const limit = (rules: object) => ({ kind: 'rate_limit' as const, rules: { count: 'tool_calls', window: '1m', ...rules } });

async function tried(input: object) {
  const { simulation } = await world.simulate(input);
  assert.ok(simulation, JSON.stringify(simulation));
  await world.run(simulation.id, undefined, undefined, 50);
  return world.show(simulation.id);
}

/** Decisions that the simulation finds changed, with what they would be. */
async function changesOf(id: string): Promise<Map<string, string>> {
  const query = `query ($id: ID!, $after: String) { policySimulation(id: $id) {
    changes(first: 100, after: $after) { edges { node { after decision { id } } } pageInfo { hasNextPage endCursor } } } }`;
  const found = new Map<string, string>();
  for (let after: string | null = null, more = true; more;) {
    const { edges, pageInfo }: any = (await world.server.gql(query, { id, after })).data!['policySimulation'].changes;
    for (const { node } of edges) found.set(idOf(node.decision.id), node.after.toLowerCase());
    [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
  }
  return found;
}

test('a window holds what an oracle that keeps everything holds, whatever comes and however far ahead places are kept', () => {
  const step = fc.record({ pass: fc.nat({ max: 40 }), ahead: fc.option(fc.nat({ max: 100 })) });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(step, { maxLength: 200 }),
      (most, width, steps) => {
        const window = createRateWindow(most, width);
        const all: number[] = [];
        let now = 0;
        for (const { pass, ahead } of steps) {
          now += pass;
          const newest = all.toSorted((a, b) => b - a).slice(0, most);
          const count = newest.filter((moment) => moment > now - width).length;
          const freeAt = count < most ? now : Math.max(newest.at(-1)! + width, now);
          assert.deepEqual(window.read(now), { count, freeAt });
          if (ahead === null) continue;
          window.add(now + ahead);
          all.push(now + ahead);
        }
      },
    ),
  );
});

for (const onViolation of ['reject', 'queue', 'warn'] as const) {
  test(`a new limit that would ${onViolation} says of each call what the gate says of it with the limit in force`, async (t) => {
    const seed = someSeed();
    t.diagnostic(`seed ${seed}`);
    const random = randomOf(seed);
    const policy = limit({ limit: 3, per: ['tool'], onViolation, ...(onViolation === 'queue' && { maxDelay: '30s' }) });
    const [recorded, limited] = [await world.createAgent(), await world.createAgent()];
    const made = await world.home.write((uow) =>
      world.server.services.policies.createPolicy(uow, world.home.admin, {
        ...{ name: `p-${newId()}`, ...policy, scope: { agentId: limited } },
      }),
    );
    const said: { id: string; effect: string }[] = [];
    for (let seconds = 0, call = 0; call < 60; call += 1, seconds += random() * 25) {
      const effect = { tool: random() < 0.7 ? 'files.write_file' : 'mail.send', at: at(seconds) };
      const { id } = await world.decide({ agentId: recorded, ...effect });
      said.push({ id, effect: (await world.decide({ agentId: limited, ...effect })).effect });
    }
    await world.home.write((uow) => world.server.services.policies.deletePolicy(uow, world.home.admin, made.id));
    const expected = said.filter(({ effect }) => effect !== 'allow').map(({ id, effect }) => [id, effect]);
    assert.ok(expected.length > 3 && expected.length < 57, String(expected.length));
    const done = await tried(create(recorded, { ...policy, kind: 'RATE_LIMIT' }));
    assert.deepEqual([done.status, done.failed, done.drifted], ['SUCCEEDED', 0, 0]);
    assert.deepEqual(await changesOf(done.id), new Map(expected as [string, string][]));
  });
}

test('a limit that is made narrower is counted anew; one that stays as it was says what was recorded', async () => {
  const agentId = await world.createAgent();
  const { services } = world.server;
  const policy = await world.home.write((uow) =>
    services.policies.createPolicy(uow, world.home.admin, {
      ...{ name: `p-${newId()}`, ...limit({ limit: 3 }), scope: { agentId } },
    }),
  );
  const effects: string[] = [];
  for (const seconds of [0, 10, 20, 30, 59, 60, 61]) effects.push((await world.decide({ agentId, at: at(seconds) })).effect);
  assert.deepEqual(effects, ['allow', 'allow', 'allow', 'deny', 'deny', 'allow', 'deny']);
  const policyId = toGlobalId('Policy', policy.id);
  const update = (rules: object) => ({
    candidate: { update: [{ policyId, expectedVersion: 1, rules: limit(rules).rules }] },
    filter: filterOf(agentId),
  });
  assert.deepEqual((await tried(update({ limit: 2 }))).verdicts, [{ before: 'ALLOW', after: 'DENY', count: 1 }]);
  assert.deepEqual((await tried(update({ limit: 4 }))).verdicts, [{ before: 'DENY', after: 'ALLOW', count: 1 }]);
  const described = { candidate: { update: [{ policyId, expectedVersion: 1, description: 'the same limit' }] }, filter: filterOf(agentId) };
  assert.deepEqual((await tried(described)).verdicts, []);
  await world.home.write((uow) => services.policies.deletePolicy(uow, world.home.admin, policy.id));
});

test('what waited for an approval or for its turn counts once, when it went', async () => {
  const agentId = await world.createAgent();
  const { services } = world.server;
  const inForce = (kind: 'approval_required' | 'rate_limit', rules: unknown, tool: string) =>
    world.home.write((uow) =>
      services.policies.createPolicy(uow, world.home.admin, { name: `p-${newId()}`, kind, rules, scope: { agentId, tool } }),
    );
  const asks = await inForce('approval_required', [{ tools: ['files.*'] }], 'files.*');
  const queues = await inForce('rate_limit', { count: 'tool_calls', window: '1m', limit: 1, onViolation: 'queue' }, 'mail.*');
  const executions = [newId(), newId(), newId()];
  for (const [index, executionId] of executions.entries()) {
    const asked = await world.decide({ agentId, executionId, at: at(index * 100) });
    assert.equal(asked.effect, 'require_approval');
    await world.decide({ agentId, executionId, at: at(index * 100 + 10), isGranted: true });
  }
  for (const [index, executionId] of executions.entries()) {
    const first = await world.decide({ agentId, executionId, tool: 'mail.send', at: at(1_000 + index) });
    assert.equal(first.effect, index === 0 ? 'allow' : 'queue');
  }
  for (const [index, executionId] of executions.entries()) {
    if (index > 0)
      assert.equal((await world.decide({ agentId, executionId, tool: 'mail.send', at: at(1_000 + index * 60) })).effect, 'allow');
  }
  const perHour = (most: number) =>
    create(agentId, { kind: 'RATE_LIMIT', rules: limit({ limit: most, window: '1h', per: ['tool'] }).rules });
  assert.deepEqual((await tried(perHour(3))).verdicts, []);
  // Of three that went, the third is refused: when it is asked about, and again when it goes; when its turn has come.
  const { verdicts } = await tried(perHour(2));
  assert.deepEqual(
    verdicts.toSorted((a: any, b: any) => (a.before < b.before ? -1 : 1)),
    [
      { before: 'ALLOW', after: 'DENY', count: 1 },
      { before: 'REQUIRE_APPROVAL', after: 'DENY', count: 2 },
    ],
  );
  for (const { id } of [asks, queues]) await world.home.write((uow) => services.policies.deletePolicy(uow, world.home.admin, id));
});

// Gateways and runners of a cluster killed by kill -9 in turn, then restarted in turn as an operator would, while executions run and are
// watched: none is lost, none is stuck, effects are delivered as promised, clients go on by themselves. `npm run test:cluster` is the full
// size: kills for two minutes. `FAULTS_SEED=…` repeats the random choices.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SignalboxClientError } from '#client/index.ts';
import type { Member } from '../scripts/cluster/member.ts';
import { testCluster, type TestCluster } from './harness/cluster.ts';
import { acknowledged, watchOf, type Watch } from './harness/cluster-watch.ts';
import { checkEffects, type ExpectedEffect } from './harness/effect-checks.ts';
import { eventually } from './harness/eventually.ts';
import { effect } from './harness/product.ts';
import { keyOf } from './harness/product-tenant.ts';
import { randomOf, someSeed } from './harness/random.ts';

const isFull = process.env['SIGNALBOX_TEST_CLUSTER'] === 'all';
const size = isFull ? { killsMs: 120_000, starters: 4, open: 12, pauseMs: 0 } : { killsMs: 0, starters: 2, open: 3, pauseMs: 150 };
/** After the last kill; a machine that does much else must not make the small size fail. */
const stuckMs = isFull ? 60_000 : 180_000;
const seed = Number(process.env['FAULTS_SEED'] ?? someSeed());
const random = randomOf(seed);
const items = [0, 1, 2];

let cluster: TestCluster;
let agentId: string;
const started: { id: string; name: string }[] = [];
before(async () => {
  cluster = await testCluster();
  const each = { ...effect('each', ['first']), forEach: '${{ inputs.items }}', concurrency: 2 };
  const inputs = { type: 'object', required: ['name', 'items'], properties: { name: { type: 'string' }, items: { type: 'array' } } };
  const steps = [
    effect('first'),
    { ...each, with: { ...each.with, item: '${{ item }}' } },
    // Long enough that whoever dies or leaves has streams.
    { id: 'nap', wait: '400ms', needs: ['each'] },
    effect('last', ['nap']),
  ];
  agentId = await cluster.tenant.agent('effects', steps, { tools: ['effects.post'], inputs });
});
after(() => cluster?.close());
afterEach(() => assert.deepEqual(cluster.lost, [], 'a member of the cluster ended by itself'));

/** Everybody, one after the other; in the small size a gateway together with a runner. */
const inTurn = (): Member[][] => {
  const pairs = cluster.gateways.map((gateway, index) => [gateway, cluster.workers[index]!]);
  return isFull ? pairs.flat().map((member) => [member]) : pairs;
};

interface Load {
  readonly watch: Watch;
  /** Of requests; streams count for themselves. */
  readonly refused: string[];
  /** Starts no more, and resolves when every execution is at its end for everybody who watches. */
  stop(): Promise<void>;
}

/** Starters that start one execution after the other, each watched by two clients. `ask` sends a request. */
async function load(ask: <T>(request: () => Promise<T>, refused: () => void) => Promise<T>): Promise<Load> {
  const key = await cluster.tenant.person(`operator-${started.length}`, 'OPERATOR');
  const clients = [0, 1, 2, 3].map(() => cluster.tenant.client(key, { retry: { maxMs: 1_000 } }));
  const watch = watchOf(cluster);
  // Keep their clients' sockets open, spread over the gateways.
  const lasting = clients.map((client) => watch.linger(client));
  const refused: string[] = [];
  const { environmentId } = cluster.tenant;
  let isLoading = true;
  async function starter(index: number): Promise<void> {
    const client = clients[index % clients.length]!;
    while (isLoading) {
      const name = `execution-${(asked += 1)}`;
      const input = { agentId, environmentId, inputs: { name, items }, idempotencyKey: name };
      const { execution } = await ask(
        () => client.startExecution({ input }),
        () => refused.push(name),
      );
      started.push({ id: execution.id, name });
      watch.follow(execution.id, [client, clients[(index + 1) % clients.length]!]);
      // Not more than runners and gateways can do on this machine.
      await sleep(size.pauseMs);
      await eventually(async () => watch.open < 2 * size.open && (await open()) < size.open, undefined, stuckMs);
    }
  }
  const starters = Array.from({ length: size.starters }, (_, index) => starter(index));
  const failed = Promise.all(starters);
  failed.catch(() => undefined); // `stop` tells
  await eventually(() => lasting.every(({ isLive }) => isLive), undefined, stuckMs);
  return {
    watch,
    refused,
    async stop() {
      isLoading = false;
      await failed;
      await eventually(async () => (await open()) === 0, undefined, stuckMs);
      await watch.ended();
      await Promise.all(lasting.map((each) => each.return()));
    },
  };
}
let asked = 0;

async function open(): Promise<number> {
  const [row] = await cluster.rows<{ open: number }>('select count(*)::int as open from executions where finished_at is null');
  return row!.open;
}

/** Nothing acknowledged is lost or there twice, everything succeeded, effects came as promised, and everybody saw all of it. */
async function check({ watch, refused }: Load): Promise<string> {
  const rows = await cluster.rows<{ id: string; key: string; status: string }>(
    'select id, idempotency_key as key, status from executions order by id',
  );
  assert.deepEqual(
    rows.map(({ id, key }) => `${id} ${key}`),
    started.map(({ id, name }) => `${keyOf(id)} ${name}`).sort(),
    'what was acknowledged, once',
  );
  assert.deepEqual(
    rows.filter(({ status }) => status !== 'succeeded'),
    [],
  );
  const expected = started.flatMap(({ id, name: execution }): ExpectedEffect[] => {
    const one = { executionId: keyOf(id), execution, item: null };
    return [{ ...one, step: 'first' }, ...items.map((item) => ({ ...one, step: 'each', item })), { ...one, step: 'last' }];
  });
  const { effects, deliveries, abandoned } = await checkEffects(cluster, await cluster.receiver.deliveries(), expected);
  const { events, lists } = await watch.check();
  return (
    `${started.length} executions so far, ${effects} effects in ${deliveries} deliveries, ${abandoned} attempts lost their process; ` +
    `${refused.length} requests refused, ${watch.interruptions} interruptions; ${lists} lists of ${events} events are those of Postgres`
  );
}

test('gateways and runners killed in turn under load: nothing is lost, nothing is stuck', async (t) => {
  t.diagnostic(`seed ${seed}`);
  const running = await load(acknowledged);
  const began = performance.now();
  let kills = 0;
  do {
    for (const victim of isFull ? inTurn().flat() : [cluster.gateways[0]!, cluster.workers[0]!]) {
      const before = started.length;
      await eventually(() => started.length > before, undefined, stuckMs);
      await sleep(random() * 300);
      if (victim.port !== null) await victim.kill().then(() => victim.start());
      else await killAtWork();
      kills += 1;
    }
  } while (performance.now() - began < size.killsMs);
  const killedMs = performance.now() - began;
  await running.stop();
  const endedMs = performance.now() - began - killedMs;
  t.diagnostic(
    `${kills} kills in ${(killedMs / 1_000).toFixed(1)} s, all at an end ${(endedMs / 1_000).toFixed(1)} s later: ${await check(running)}`,
  );
  assert.ok(running.watch.interruptions > 0, 'the kills were felt');
  const [attempts] = await cluster.rows<{ lost: number }>(`select count(*)::int as lost from attempts where status = 'abandoned'`);
  assert.ok(attempts!.lost >= runnerKills, `${runnerKills} runners were killed during an attempt, ${attempts!.lost} attempts were lost`);
  if (isFull) assert.ok(endedMs < 60_000, `nothing is stuck: all at an end after ${endedMs} ms`);
});

let runnerKills = 0;
/** Kills a runner while an attempt of its waits for an answer, which comes when it is dead. */
async function killAtWork(): Promise<void> {
  const { receiver, workers } = cluster;
  await receiver.hold();
  try {
    const before = (await receiver.deliveries()).length;
    const victim = await eventually(
      async () => {
        const held = (await receiver.deliveries()).slice(before);
        return workers.find(({ pid }) => held.some(({ runner }) => runner === pid));
      },
      undefined,
      stuckMs,
    );
    await victim.kill();
    runnerKills += 1;
    await receiver.release();
    await victim.start();
  } finally {
    await receiver.release();
  }
}

test('gateways and runners restarted in turn under load: no request fails, no attempt loses its process, streams go on', async (t) => {
  const attempts = `select count(*)::int as lost from attempts where status = 'abandoned'`;
  const [before] = await cluster.rows<{ lost: number }>(attempts);
  const told: string[] = [];
  const running = await load((request) => request());
  const probe = probing(cluster.url);
  for (const members of inTurn()) {
    const from = started.length;
    await eventually(() => started.length > from, undefined, stuckMs);
    await Promise.all(members.map((member) => restart(member, told)));
  }
  await running.stop();
  const probes = await probe.stop();
  t.diagnostic(`${inTurn().flat().length} restarts: ${await check(running)}; ${probes} requests on connections of their own`);
  for (const { name } of cluster.gateways) assert.ok(told.includes(`${name} 503 the server is stopping (SIGTERM)`), told.join('\n'));
  assert.ok(running.watch.interruptions > 0, 'streams changed their gateway');
  assert.deepEqual(running.refused, []);
  assert.deepEqual(await cluster.rows(attempts), [before], 'runners let their attempts come to an end');
});

test('a runner that is stopped while an effect of it is under way lets it end: it is delivered once, by the one attempt there is', async () => {
  const { tenant, receiver, workers } = cluster;
  const heldAgent = await tenant.agent('held', [effect('held')], { tools: ['effects.post'] });
  const [runner, other] = [workers[0]!, workers[1]!];
  assert.equal(await other.stop(), 0);
  await receiver.hold();
  const input = { agentId: heldAgent, environmentId: tenant.environmentId, inputs: { name: 'held' } };
  const { execution } = await tenant.admin.startExecution({ input });
  const delivered = async () => (await receiver.deliveries()).filter(({ body }) => body.step === 'held');
  await eventually(async () => (await delivered()).length > 0, undefined, stuckMs);
  const said = () => readFileSync(runner.logFile, 'utf8').split('stopping: running steps may finish').length;
  const before = said();
  const stopped = runner.stop();
  await eventually(() => said() > before, undefined, stuckMs);
  await receiver.release();
  assert.equal(await stopped, 0);
  assert.deepEqual(
    (await delivered()).map(({ attempt, runner: pid }) => [attempt, pid]),
    [[1, runner.pid]],
  );
  const id = keyOf(execution.id);
  assert.deepEqual(await cluster.rows(`select status from attempts where execution_id = '${id}'`), [{ status: 'succeeded' }]);
  assert.deepEqual(await cluster.rows(`select status from executions where id = '${id}'`), [{ status: 'succeeded' }]);
});

/** As an operator does it. `told` gets what a gateway says of itself while it leaves. */
async function restart(member: Member, told: string[]): Promise<void> {
  const stopped = member.stop();
  if (member.port !== null) {
    await eventually(async () => {
      const answer = await fetch(`http://127.0.0.1:${member.port}/readyz`);
      told.push(`${member.name} ${answer.status} ${((await answer.json()) as { status: string }).status}`);
      return answer.status === 503;
    });
  }
  assert.equal(await stopped, 0, `${member.name} has stopped in order`);
  await member.start();
}

/** A query after the other, each on a connection of its own, until it is stopped; then fails if one of them did, else says how many. */
function probing(url: string): { stop(): Promise<number> } {
  let isOpen = true;
  let answered = 0;
  async function probe(): Promise<void> {
    for (; isOpen; await sleep(10)) {
      const body = JSON.stringify({ query: '{ __typename }' });
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${cluster.firstKey!.token}`, connection: 'close' };
      const answer = await fetch(new URL('/graphql', url), { method: 'POST', headers, body });
      const text = await answer.text();
      if (answer.status !== 200) throw new SignalboxClientError('BAD_RESPONSE', `${answer.status} ${text}`);
      answered += 1;
    }
  }
  const ended = probe();
  ended.catch(() => undefined);
  return {
    async stop() {
      isOpen = false;
      await ended;
      return answered;
    },
  };
}

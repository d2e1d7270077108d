// Two gateways behind HAProxy while connections are cut at random moments, and while Redis is emptied, killed and frozen: every client
// ends with exactly the events that Postgres has, in order. `npm run test:cluster` is the full size: 1,000 cuts over 100,000 events of
// 200 executions, Redis frozen for 30 s, and only there delays are judged. `FAULTS_SEED=…` repeats the random choices.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { quantile } from '../bench/statistics.ts';
import { testCluster, type TestCluster } from './harness/cluster.ts';
import { spread, watchOf, type Watch } from './harness/cluster-watch.ts';
import { eventually } from './harness/eventually.ts';
import { createProxy, cuts, type Proxy } from './harness/proxy.ts';
import { randomOf, someSeed } from './harness/random.ts';

const isFull = process.env['SIGNALBOX_TEST_CLUSTER'] === 'all';
const size = isFull
  ? {
      cuts: 1_000,
      executions: 200,
      rounds: 8,
      items: 28,
      clients: 20,
      clientsEach: 2,
      open: 40,
      faultMs: 10_000,
      frozenMs: 30_000,
      watchers: 4,
      inFlight: 5,
      cutMs: 100,
      ofTenant: 4,
    }
  : {
      cuts: 40,
      executions: 8,
      rounds: 3,
      items: 8,
      clients: 4,
      clientsEach: 2,
      open: 16,
      faultMs: 1_000,
      // Connections that say nothing are made anew after three seconds (src/platform/redis.ts).
      frozenMs: 4_500,
      watchers: 4,
      inFlight: 2,
      cutMs: 300,
      ofTenant: 2,
    };
const seed = Number(process.env['FAULTS_SEED'] ?? someSeed());
const random = randomOf(seed);

let cluster: TestCluster;
let proxy: Proxy;
let agentId: string;
let watch: Watch;
let started = 0;
before(async () => {
  cluster = await testCluster();
  proxy = await createProxy(Number(new URL(cluster.url).port));
  agentId = await cluster.tenant.agent('rounds', rounds());
});
after(async () => {
  await cluster?.close();
  await proxy?.close();
});
afterEach(() => assert.deepEqual(cluster.lost, [], 'a member of the cluster ended by itself'));

/** Each round has two events an item and one transaction an item; between two rounds it waits, so that its events come over a while. */
function rounds(): object[] {
  return Array.from({ length: size.rounds }, (_, round) => [
    {
      id: `each_${round}`,
      forEach: `\${{ [1..${size.items}] }}`,
      transform: '$string(item)',
      ...(round > 0 && { needs: [`nap_${round - 1}`] }),
    },
    { id: `nap_${round}`, wait: '50ms', needs: [`each_${round}`] },
  ]).flat();
}

async function start(): Promise<string> {
  const { environmentId, admin } = cluster.tenant;
  const input = { agentId, environmentId, inputs: { name: `execution-${(started += 1)}` } };
  return (await admin.startExecution({ input })).execution.id;
}

test(`${size.cuts} cuts at random moments over ${size.executions} executions: nothing is missed, nothing comes twice`, async (t) => {
  t.diagnostic(`seed ${seed}`);
  const began = performance.now();
  watch = watchOf(cluster);
  const key = await cluster.tenant.person('watcher', 'OPERATOR');
  const url = `http://127.0.0.1:${proxy.port}`;
  const retry = { initialMs: 5, maxMs: 100 };
  const clients = Array.from({ length: size.clients }, () => cluster.tenant.client(key, { url, retry }));
  for (const client of clients.slice(0, size.ofTenant)) await watch.followTenant(client);
  for (let cut = 1; cut <= size.cuts; cut += 1) {
    for (const until = Math.ceil((size.executions * cut) / size.cuts); started < until;) {
      const first = (started * size.clientsEach) % clients.length;
      const executionId = await start();
      watch.follow(executionId, [...clients, ...clients].slice(first, first + size.clientsEach));
      if (started % 4 === 0) watch.followBySse(executionId, url, key);
    }
    // Cuts all the while, not only until everything has been started.
    await eventually(() => watch.open <= size.open, undefined, 300_000);
    await sleep(random() * 100);
    const [choice, how] = [random(), cuts[Math.floor(random() * cuts.length)]!];
    while (!proxy.cutOne(choice, how)) await sleep(5); // all of them are coming back just now
    if (isFull && cut % 100 === 0)
      console.log(`${cut} cuts, ${watch.interruptions} interruptions, ${Math.round((performance.now() - began) / 1_000)} s`);
  }
  await watch.ended();
  const { events, lists } = await watch.check();
  assert.ok(watch.interruptions >= size.cuts / 2, `${size.cuts} cuts hit ${watch.interruptions} streams`);
  const [stored] = await cluster.rows<{ events: number }>('select count(*)::int as events from execution_events');
  if (isFull) assert.ok(stored!.events >= 100_000, `${stored!.events} events`);
  t.diagnostic(
    `${size.cuts} cuts in ${((performance.now() - began) / 1_000).toFixed(1)} s, ${watch.interruptions} interruptions of streams: ` +
      `${lists} lists of ${events} events, exactly those of Postgres (${stored!.events} events of ${size.executions} executions)`,
  );
});

/** What is done to Redis, and undone; `while` it is so, executions run. */
const faults: Record<string, { begin(): Promise<void>; end(): Promise<void>; leastMs?: number }> = {
  'is there': { begin: async () => undefined, end: async () => undefined },
  'is emptied again and again': {
    async begin() {
      const connection = new Redis(cluster.redis.port!, '127.0.0.1');
      await connection.flushall();
      flushing = setInterval(() => void connection.flushall(), 50);
      stopFlushing = () => connection.disconnect();
    },
    async end() {
      clearInterval(flushing);
      stopFlushing();
    },
  },
  'is killed': { begin: () => cluster.redis.kill(), end: () => cluster.redis.start() },
  'is frozen': {
    async begin() {
      await heard();
      cluster.redis.freeze();
    },
    end: async () => cluster.redis.thaw(),
    leastMs: size.frozenMs,
  },
  'is there again': { begin: async () => undefined, end: async () => undefined },
};
let flushing: ReturnType<typeof setInterval> | undefined;
let stopFlushing = (): void => undefined;

/** Every gateway hears Redis: only then it believes that it still does when Redis freezes. */
async function heard(): Promise<void> {
  for (const { port } of cluster.gateways) {
    await eventually(async () => {
      const answer = (await (await fetch(`http://127.0.0.1:${port}/readyz`)).json()) as { dependencies: { redis?: string } };
      return answer.dependencies.redis === 'ok';
    });
  }
}

test('while Redis is emptied, killed and frozen under load, and connections are cut, nothing is missed', async (t) => {
  watch = watchOf(cluster);
  const key = await cluster.tenant.person('other-watcher', 'OPERATOR');
  const clients = Array.from({ length: size.watchers }, () => cluster.tenant.client(key));
  await watch.followTenant(clients[0]!);
  // Their connections are cut all the while; delays are those of the others.
  const cut = watchOf(cluster);
  const cutClients = Array.from({ length: size.watchers }, () =>
    cluster.tenant.client(key, { url: `http://127.0.0.1:${proxy.port}`, retry: { initialMs: 5, maxMs: 100 } }),
  );
  await cut.followTenant(cutClients[0]!);
  let isLoading = true;
  const load = async () => {
    while (isLoading) {
      const executionId = await start();
      watch.follow(executionId, clients);
      cut.follow(executionId, cutClients);
      await eventually(() => watch.open < size.inFlight * size.watchers || !isLoading, undefined, 300_000);
    }
  };
  const cutAll = async () => {
    for (; isLoading; await sleep(random() * 2 * size.cutMs)) proxy.cutOne(random(), cuts[Math.floor(random() * cuts.length)]!);
  };
  const loading = Promise.all([load(), cutAll()]);
  loading.catch(() => undefined); // told below
  /** Faults begin and end while streams are open. */
  const inFlight = () => eventually(() => watch.open > 0);
  const delays: Record<string, number[]> = {};
  try {
    for (const [name, { begin, end, leastMs = size.faultMs }] of Object.entries(faults)) {
      await inFlight();
      const before = started;
      await begin();
      try {
        const over = sleep(leastMs);
        // The first of them has been started and is followed: it comes to its end for everybody before the fault is over.
        await eventually(() => started > before + 1, undefined, 60_000);
        await watch.ended();
        await over;
        await inFlight();
      } finally {
        delays[name] = watch.takeDelays();
        await end();
      }
      t.diagnostic(`while Redis ${name}: ${started - before} executions; event → client ${spread(delays[name])}`);
    }
  } finally {
    isLoading = false;
  }
  await loading;
  await watch.ended();
  delays['is what it was'] = watch.takeDelays();
  const { events, lists } = await watch.check();
  assert.equal(watch.interruptions, 0, 'no client was told of any of it');
  await cut.ended();
  const others = await cut.check();
  assert.ok(cut.interruptions > 0, 'nothing was cut');
  // What a fault kept back would come after it.
  if (isFull) for (const [name, waited] of Object.entries(delays)) assert.ok(quantile(waited, 0.99) < 2_000, `Redis ${name}`);
  t.diagnostic(
    `${lists} lists of ${events} events, and ${others.lists} of ${others.events} with ${cut.interruptions} interruptions, exactly those of Postgres`,
  );
});

// Attacks on a cluster as it is deployed, one after the other, while somebody else asks for something again and again: all are refused or
// bounded, everybody else is answered, and every process lives. The delays of the others are printed, with the attack and without, and not judged.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent } from 'undici';
import { WebSocket } from 'ws';
import { startCluster, type Cluster } from '../scripts/cluster/topology.ts';
import { bystander, type Bystander } from './harness/bystander.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { hostileRequests, sendHostile } from './harness/dos-requests.ts';
import { createPeople, type People } from './harness/people.ts';
import { quantile } from '../bench/statistics.ts';
import { systemClock } from '#src/platform/clock.ts';

const isLong = process.env['SIGNALBOX_TEST_DOS'] === 'all';
/** Of each attack, and of the quiet before it. */
const seconds = isLong ? 6 : 0.2;
const sockets = isLong ? 3_000 : 20;
const pauseMs = 10;
/** Others are not at the address of whoever attacks. */
const localAddress = '127.0.0.2';
const attackMs = 20;
/** New connections of one address in ten seconds, of deploy/haproxy.cfg. */
const connectionsIn10s = 500;

const folder = mkdtempSync(join(tmpdir(), 'signalbox-dos-'));
const lost: string[] = [];
let db: TestDatabase;
let people: People;
let cluster: Cluster;
let url: string;
let other: Bystander;
const agent = new Agent({ localAddress });
before(async () => {
  db = await testDatabase();
  people = await createPeople(db.database, systemClock);
  cluster = await startCluster({
    ...{ folder, gateways: 2, workers: 0, port: 0, databaseUrl: db.ownerUrl },
    env: { NODE_ENV: 'production', SIGNALBOX_LOG_LEVEL: 'error' },
    say: () => undefined,
    onLost: ({ name }) => void lost.push(name),
  });
  url = cluster.url;
  other = bystander();
  await others(); // until everything is compiled
  // Processors that the attacker takes are not the server's: where they are few, everybody else goes first.
  setPriority(19);
});
after(async () => {
  await other?.close();
  await agent.close();
  await cluster?.stop();
  await people?.authenticator.close();
  await db?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What somebody else waits for each answer meanwhile, in ms. */
const others = (): Promise<readonly number[]> => other.ask({ url, key: people.other.adminKey, seconds, pauseMs });

const allWaits = { quiet: [] as number[], attacked: [] as number[] };
function told(name: string, quiet: readonly number[], attacked: readonly number[]): string {
  const [before, meanwhile] = [quantile(quiet, 0.99), quantile(attacked, 0.99)];
  return `${name}: p99 of others ${before.toFixed(1)} → ${meanwhile.toFixed(1)} ms, ${(meanwhile / before).toFixed(2)}×`;
}
after(() => console.log(told('all attacks together', allWaits.quiet, allWaits.attacked)));

/** Runs `attack` until the others have been measured; what it returns is done afterwards. */
async function under(name: string, attack: (isOver: () => boolean) => Promise<unknown>): Promise<void> {
  const quiet = await others();
  let isOver = false;
  const attacking = attack(() => isOver);
  const attacked = await others();
  isOver = true;
  await attacking;
  if (isLong) await delay(1_000); // what is left of it is not the quiet before the next one
  assert.deepEqual(lost, []);
  allWaits.quiet.push(...quiet);
  allWaits.attacked.push(...attacked);
  console.log(told(name, quiet, attacked));
}

/** All of them have their answers checked in dos-http.test.ts; a few of each kind show that a real process gives the same. */
const requests = hostileRequests
  .filter((_request, index) => isLong || index % 10 === 4)
  .map((request) => ({ ...request, body: Buffer.from(request.body) }));

for (const request of requests) {
  test(request.name, () =>
    under(request.name, async (isOver) => {
      // Within its rate it gets the answer that it should; beyond, it is told so.
      while (!isOver()) {
        const answer = await sendHostile(url, people.operator.adminKey, request, agent).catch((error: unknown) => {
          // Who is refused before such a body was read to its end may fail to write it.
          if (request.body.length > 64 * 1024) return request;
          throw error;
        });
        const { status, code } = answer;
        assert.ok((status === request.status && code === request.code) || code === 'RATE_LIMITED', `${status} ${code}`);
        await delay(attackMs);
      }
    }),
  );
}

const dial = () => {
  const { hostname, port } = new URL(url);
  return connect({ port: Number(port), host: hostname, localAddress });
};

const halves: Promise<string>[] = [];
test('half of a request, from many connections', () =>
  under('half of a request', async () => {
    for (let i = 0; i < sockets; i++) {
      const socket = dial();
      let answer = '';
      socket.on('data', (chunk) => (answer += String(chunk)));
      socket.on('error', () => undefined);
      socket.write('POST /graphql HTTP/1.1\r\nHost: x\r\nX-Slow: ');
      halves.push(new Promise<string>((resolve) => socket.on('close', () => resolve(answer))));
    }
  }));

const socketOf = () => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { localAddress });
  socket.on('error', () => undefined);
  return socket;
};

test('sockets that never introduce themselves', () =>
  under('sockets without init', async (isOver) => {
    const attempts = Array.from({ length: sockets }, socketOf);
    let opened = 0;
    for (const socket of attempts) socket.on('open', () => opened++);
    while (!isOver()) await delay(attackMs);
    assert.ok(opened <= connectionsIn10s, `${opened} opened`);
    for (const socket of attempts) socket.terminate();
  }));

const init = () => JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${people.operator.adminKey}` } });
const floodCodes = new Set<number>();
const messages = {
  pings: (socket: WebSocket) => socket.ping(),
  messages: (socket: WebSocket) => socket.send('{"type":"ping"}'),
};
for (const [name, message, isPolite] of [
  ['a flood of pings', messages.pings, false],
  ['a flood of messages', messages.messages, false],
  ['a flood of pings from who was let in', messages.pings, true],
  ['a flood of messages from who was let in', messages.messages, true],
] as const) {
  test(name, () =>
    under(name, async (isOver) => {
      while (!isOver()) {
        const socket = socketOf();
        const closed = new Promise<number>((resolve) => socket.on('close', resolve));
        const flood = () => {
          for (let i = 0; i < 1_100; i++) message(socket);
          // On a slow machine these are no more than a socket may send meanwhile.
          if (socket.readyState === socket.OPEN) setImmediate(flood);
        };
        socket.on('open', () => {
          socket.send(init());
          if (isPolite) socket.once('message', flood);
          else flood();
        });
        floodCodes.add(await closed);
      }
    }),
  );
}

test('floods were closed for too many messages, later let in no more, and an address that comes again and again was reset', () => {
  assert.ok(floodCodes.has(4429));
  for (const code of floodCodes) assert.ok([4429, 1013, 1006].includes(code), String(code));
});

test('none of the half requests was waited for without end', async () => {
  for (const answer of await Promise.all(halves)) assert.match(answer, /^(HTTP\/1\.1 408 |$)/);
});

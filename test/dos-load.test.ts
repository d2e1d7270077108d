// Attacks on a real gateway process, one after the other, while somebody else asks for something every 20 ms: all are refused or bounded,
// everybody else is answered, and the process lives. The delays of the others are printed, with the attack and without, and not judged.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { bystander, type Bystander } from './harness/bystander.ts';
import { freePort } from './harness/daemon.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { hostileRequests, sendHostile } from './harness/dos-requests.ts';
import { createPeople, type People } from './harness/people.ts';
import { signalbox, type SignalboxProcess } from './harness/signalbox-process.ts';
import { quantile } from '../bench/statistics.ts';
import { systemClock } from '#src/platform/clock.ts';

const isLong = process.env['SIGNALBOX_TEST_DOS'] === 'all';
/** Of each attack, and of the quiet before it. */
const seconds = isLong ? 3 : 0.2;
const sockets = isLong ? 3_000 : 50;
const pauseMs = 20;

let db: TestDatabase;
let people: People;
let gateway: SignalboxProcess;
let url: string;
let other: Bystander;
before(async () => {
  db = await testDatabase();
  people = await createPeople(db.database, systemClock);
  const port = await freePort();
  gateway = signalbox('gateway', {
    DATABASE_URL: db.ownerUrl,
    NODE_ENV: 'production',
    SIGNALBOX_HTTP_PORT: String(port),
    SIGNALBOX_SECRET_KEY: 'a'.repeat(64),
    SIGNALBOX_LOG_LEVEL: 'error',
    SIGNALBOX_LIMIT_HTTP_HEADERS_TIMEOUT_MS: '1000',
  });
  await gateway.says(/listens on/);
  url = `http://127.0.0.1:${port}`;
  other = bystander();
});
after(async () => {
  await other?.close();
  await gateway?.stop();
  await people?.authenticator.close();
  await db?.close();
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
  assert.ok(gateway.isAlive);
  allWaits.quiet.push(...quiet);
  allWaits.attacked.push(...attacked);
  console.log(told(name, quiet, attacked));
}

/** All of them have their answers checked in dos-http.test.ts; a few of each kind show that a real process gives the same. */
const requests = hostileRequests.filter((_request, index) => isLong || index % 10 === 4);

for (const request of requests) {
  test(request.name, () =>
    under(request.name, async (isOver) => {
      // Within its rate it gets the answer that it should; beyond, it is told so.
      while (!isOver()) {
        const answer = await sendHostile(url, people.operator.adminKey, request).catch((error: unknown) => {
          // The server does not read such a body to its end, so that the client may fail to write it.
          if (request.status === 413) return request;
          throw error;
        });
        const { status, code } = answer;
        assert.ok((status === request.status && code === request.code) || code === 'RATE_LIMITED', `${status} ${code}`);
        await delay(pauseMs);
      }
    }),
  );
}

const dial = () => {
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname);
};

test('half of a request, from many connections', () =>
  under('half of a request', async () => {
    const answers = Array.from({ length: sockets }, () => {
      const socket = dial();
      let answer = '';
      socket.on('data', (chunk) => (answer += String(chunk)));
      socket.on('error', () => undefined);
      socket.write('POST /graphql HTTP/1.1\r\nHost: x\r\nX-Slow: ');
      return new Promise<string>((resolve) => socket.on('close', () => resolve(answer)));
    });
    for (const answer of await Promise.all(answers)) assert.match(answer, /^(HTTP\/1\.1 408 |$)/);
  }));

const socketOf = () => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  socket.on('error', () => undefined);
  return socket;
};

test('sockets that never introduce themselves', () =>
  under('sockets without init', async (isOver) => {
    const opened = Array.from({ length: sockets }, socketOf);
    const refused = new Set<number>();
    for (const socket of opened) socket.on('unexpected-response', (_request, { statusCode }) => refused.add(statusCode!));
    while (!isOver()) await delay(pauseMs);
    assert.deepEqual([...refused], sockets > 2_000 ? [429] : []);
    for (const socket of opened) socket.terminate();
  }));

for (const [name, message] of [
  ['a flood of pings', (socket: WebSocket) => socket.ping()],
  ['a flood of messages', (socket: WebSocket) => socket.send('{"type":"ping"}')],
] as const) {
  test(name, () =>
    under(name, async (isOver) => {
      while (!isOver()) {
        const socket = socketOf();
        const closed = new Promise<number>((resolve) => socket.on('close', resolve));
        socket.on('open', () => {
          socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${people.operator.adminKey}` } }));
          for (let i = 0; i < 1_100; i++) message(socket);
        });
        assert.equal(await closed, 4429);
      }
    }),
  );
}

// What deploy/haproxy.cfg takes from one address, with small numbers and HAProxy alone in front of a server that says yes to everything: what
// is within a bound is answered, what is beyond it is not, and another address is not concerned.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { balancerConfig } from '../scripts/cluster/topology.ts';
import { freePort, startDaemon, type Daemon } from './harness/daemon.ts';
import { eventually } from './harness/eventually.ts';

const folder = mkdtempSync(join(tmpdir(), 'signalbox-haproxy-'));
const server = createServer((request, response) => void request.resume().on('end', () => response.end('yes')));
const sockets = new Set<Socket>();
let haproxy: Daemon | undefined;
let port: number;
before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await haproxy?.stop();
});
after(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

const wide = {
  HAPROXY_SOURCE_CONNECTIONS_1S: 1_000_000,
  HAPROXY_SOURCE_CONNECTIONS_10S: 1_000_000,
  HAPROXY_SOURCE_CONNECTIONS: 1_000_000,
  HAPROXY_SOURCE_BYTES_10S: 1_000_000_000,
};

/** HAProxy with this bound, and no other. */
async function bounded(bound: Partial<typeof wide>): Promise<void> {
  const config = join(folder, 'haproxy.cfg');
  writeFileSync(config, balancerConfig([{ name: 'gateway-1', port: (server.address() as AddressInfo).port }]));
  port = await freePort();
  const env = { ...wide, ...bound, SIGNALBOX_BIND: `127.0.0.1:${port}`, SIGNALBOX_STATS_BIND: `127.0.0.1:${await freePort()}` };
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  haproxy = await startDaemon('env', [...settings, 'haproxy', '-db', '-f', config], port);
}

let addresses = 1;
const newAddress = () => `127.0.${(addresses += 1) >> 8}.${addresses & 255}`;

/** What is answered first to a request on a connection of its own, which stays open; nothing when that was refused. */
function ask(localAddress: string, body = ''): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  sockets.add(socket);
  socket.on('error', () => undefined);
  socket.write(`POST / HTTP/1.1\r\nHost: here\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  return new Promise((resolve) => {
    socket.once('data', (data) => resolve(String(data)));
    socket.once('close', () => {
      sockets.delete(socket);
      resolve('');
    });
  });
}
const isYes = (answer: string) => answer.startsWith('HTTP/1.1 200 ');

const most = 5;
for (const [what, variable] of [
  ['new connections in a second', 'HAPROXY_SOURCE_CONNECTIONS_1S'],
  ['new connections in ten seconds', 'HAPROXY_SOURCE_CONNECTIONS_10S'],
  ['connections at once', 'HAPROXY_SOURCE_CONNECTIONS'],
] as const) {
  test(`of one address ${most} ${what} are taken, and one more is reset (${variable})`, async () => {
    await bounded({ [variable]: most });
    // From another address again where the machine took so long that they did not come together.
    await eventually(async () => {
      const address = newAddress();
      const answers = await Promise.all(Array.from({ length: most + 1 }, () => ask(address)));
      assert.deepEqual(
        answers.filter((answer) => answer !== '' && !isYes(answer)),
        [],
      );
      const taken = answers.filter(isYes).length;
      assert.ok(taken >= most, `only ${taken} were taken`);
      return taken === most;
    });
    assert.ok(isYes(await ask(newAddress())), 'another address is not concerned');
  });
}

test('a crowd that comes again faster than it is taken gets in: who is refused does not count', async () => {
  await bounded({ HAPROXY_SOURCE_CONNECTIONS_1S: 10, HAPROXY_SOURCE_CONNECTIONS_10S: 40 });
  const address = newAddress();
  let refused = 0;
  // Even the last one alone, twenty times a second, is more than either bound.
  const getIn = async (): Promise<boolean> => {
    for (let attempt = 0; attempt < 600; attempt++) {
      if (isYes(await ask(address))) return true;
      refused++;
      await delay(50);
    }
    return false;
  };
  const isIn = await Promise.all(Array.from({ length: 50 }, getIn));
  assert.equal(isIn.filter((is) => !is).length, 0, 'nobody is left outside');
  assert.ok(refused > 0, 'they were more than is taken at once');
});

test('an address that has fewer connections again may have new ones, however often it was refused', async () => {
  await bounded({ HAPROXY_SOURCE_CONNECTIONS: 1, HAPROXY_SOURCE_CONNECTIONS_10S: 10 });
  const address = newAddress();
  assert.ok(isYes(await ask(address)));
  for (let attempt = 0; attempt < 20; attempt++) assert.equal(await ask(address), '');
  for (const socket of sockets) socket.destroy();
  await eventually(async () => isYes(await ask(address)));
});

test('of one address so many bytes of requests in ten seconds are taken, and then it is told to wait (HAPROXY_SOURCE_BYTES_10S)', async () => {
  await bounded({ HAPROXY_SOURCE_BYTES_10S: 50_000 });
  const [address, body] = [newAddress(), 'x'.repeat(20_000)];
  for (const which of ['first', 'second']) assert.ok(isYes(await ask(address, body)), which);
  const refusal = await eventually(async () => {
    const answer = await ask(address, body);
    return !isYes(answer) && answer;
  });
  assert.match(refusal, /^HTTP\/1\.1 429 .*"code":"RATE_LIMITED"/s);
  assert.match(refusal, /^retry-after: 10\r$/im);
  assert.ok(isYes(await ask(newAddress())), 'another address is not concerned');
});

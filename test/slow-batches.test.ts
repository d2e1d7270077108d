// One batch that takes long to read: who goes on reading keeps the connection, however long it takes.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { subscribe as listen } from 'node:diagnostics_channel';
import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { newId } from '#src/platform/ids.ts';
import { eventually } from '#test/harness/eventually.ts';
import { probe } from '#test/harness/gateway-fields.ts';
import { testServer, type TestServer } from '#test/harness/graphql.ts';
import { RawSocket } from '#test/harness/raw-socket.ts';

/** The gateway's ends of connections. */
const accepted: Socket[] = [];
listen('net.server.socket', (message) => accepted.push((message as { socket: Socket }).socket));

const streamStallMs = 30_000;
let server: TestServer;
before(async () => {
  server = await testServer({ limits: { streamStallMs }, recheckMs: 3_600_000, pingMs: 3_600_000 });
});
after(() => server.close());

const megabytes = 80;
const queryOf = (name: string) => `subscription { testTicks(name: "${name}") { n padding(length: ${megabytes * 1_000_000}) } }`;
interface Peer {
  /** That the answer comes by. */
  readonly connection: Socket;
  readonly reader: { pause(): unknown; resume(): unknown };
}
const transports: Record<string, (query: string) => Promise<Peer>> = {
  async WebSocket(query) {
    const opened: Socket[] = [];
    const peer = new RawSocket(server);
    peer.socket.once('upgrade', (response) => opened.push(response.socket));
    await peer.init();
    peer.subscribe('it', query);
    return { connection: opened[0]!, reader: peer.socket };
  },
  async SSE(query) {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${server.people.operator.adminKey}` };
    const asked = request(`${server.url}/graphql/stream`, { method: 'POST', headers, agent: false });
    asked.on('error', () => undefined);
    asked.end(JSON.stringify({ query }));
    const response = await new Promise<IncomingMessage>((resolve) => asked.once('response', resolve));
    response.resume();
    return { connection: response.socket, reader: response };
  },
};

for (const [transport, subscribe] of Object.entries(transports)) {
  test(`over ${transport}, a large batch that is read all the time goes on; one that is not ends it`, async (context) => {
    const name = newId();
    const { connection, reader } = await subscribe(queryOf(name));
    while (!probe.sources.has(name)) await turn();
    const feed = probe.sources.get(name)!;
    const told = () => server.logs.filter(({ msg }) => msg === 'a peer reads too slowly').length;
    const before = told();
    reader.pause();
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const { executions } = probe;
    feed.push(1);
    while (probe.executions === executions) await turn();
    for (let count = 0; count < 20; count++) await turn();
    // More than systems keep for a peer, so that some of it was taken since the last look.
    for (let read = 1; read <= 2; read++) {
      const enough = connection.bytesRead + 20_000_000;
      reader.resume();
      while (connection.bytesRead < enough) await turn();
      reader.pause();
      context.mock.timers.tick(streamStallMs);
      assert.equal(told(), before, `after ${connection.bytesRead} bytes`);
    }
    while (told() === before) {
      await turn();
      context.mock.timers.tick(streamStallMs);
    }
    context.mock.timers.reset();
    assert.match(String(server.logs.at(-1)!['reason']), /^nothing was read for 30000 ms/);
    connection.destroy();
    while (!feed.isStopped()) await turn();
  });
}

test('who says something while it reads a batch larger than may wait keeps the connection', async () => {
  const name = newId();
  const peer = await new RawSocket(server).init();
  peer.subscribe('it', queryOf(name));
  while (!probe.sources.has(name)) await turn();
  peer.socket.pause();
  const { executions } = probe;
  probe.sources.get(name)!.push(1);
  while (probe.executions === executions) await turn();
  for (let count = 0; count < 20; count++) await turn();
  peer.send({ type: 'ping' });
  peer.subscribe('other', '{ __typename }');
  for (let count = 0; count < 20; count++) await turn();
  peer.socket.resume();
  const told = await Promise.race([peer.next('next', 'it'), peer.closed]);
  assert.equal(
    (told as { payload?: any }).payload?.data.testTicks.padding.length,
    megabytes * 1_000_000,
    JSON.stringify(told).slice(0, 200),
  );
  await peer.next('next', 'other');
  peer.socket.close();
});

for (const [transport, subscribe] of Object.entries(transports)) {
  test(`over ${transport}, who is too slow and never reads again loses the connection`, async (context) => {
    const name = newId();
    const { connection, reader } = await subscribe(queryOf(name));
    while (!probe.sources.has(name)) await turn();
    const own = accepted.find(({ remotePort }) => remotePort === connection.localPort)!;
    reader.pause();
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const feed = probe.sources.get(name)!;
    feed.push(1);
    while (!feed.isStopped()) {
      context.mock.timers.tick(streamStallMs);
      await turn();
    }
    assert.equal(own.destroyed, false, 'it may still take what it is told last');
    context.mock.timers.tick(5_000);
    context.mock.timers.reset();
    await eventually(() => own.destroyed);
    connection.destroy();
  });
}

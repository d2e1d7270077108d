// What a socket has open is counted until it has ended here, whatever its client says meanwhile, and ends with the socket.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { newId } from '#src/platform/ids.ts';
import { eventually } from '#test/harness/eventually.ts';
import { probe } from '#test/harness/gateway-fields.ts';
import { testServer, type TestServer } from '#test/harness/graphql.ts';
import { RawSocket } from '#test/harness/raw-socket.ts';

let server: TestServer;
before(
  async () => (server = await testServer({ limits: { wsMaxSubscriptions: 3, wsMaxIdlePerPrincipal: 2, streamQueueBytes: 100_000_000 } })),
);
after(() => server.close());
const opened: RawSocket[] = [];
afterEach(async () => {
  release();
  for (const { socket } of opened) socket.close();
  await Promise.all(opened.splice(0).map(({ closed }) => closed));
});

async function introduced(): Promise<RawSocket> {
  const socket = new RawSocket(server);
  opened.push(socket);
  return socket.init();
}
const ticks = (name: string) => `subscription { testTicks(name: "${name}") { n } }`;
const codeOf = ({ payload }: Record<string, any>) => payload[0].extensions.code as string;
function release(): void {
  for (const done of probe.held.splice(0)) done();
}

test('a query that its client has completed counts until it has ended', async () => {
  const socket = await introduced();
  for (const id of ['a', 'b', 'c']) {
    socket.subscribe(id, '{ testHeld }');
    socket.send({ id, type: 'complete' });
  }
  await eventually(() => probe.held.length === 3);
  socket.subscribe('d', '{ testHeld }');
  const { payload } = await socket.next('error', 'd');
  assert.deepEqual(payload[0].extensions, { code: 'LIMIT_EXCEEDED', limit: { name: 'wsMaxSubscriptions', requested: 4, allowed: 3 } });
  release();
  await eventually(async () => {
    socket.subscribe('e', '{ __typename }');
    return (await Promise.race([socket.next('error', 'e'), socket.next('complete', 'e')]))['type'] === 'complete';
  });
  assert.equal(probe.held.length, 0);
});

test('the id of an operation that goes on is not taken again, and is free when that has ended', async () => {
  const socket = await introduced();
  const [first, second] = [newId(), newId()];
  socket.subscribe('x', '{ testHeld }');
  await eventually(() => probe.held.length === 1);
  socket.send({ id: 'x', type: 'complete' });
  socket.subscribe('x', ticks(first));
  const refused = await socket.next('error', 'x');
  assert.equal(codeOf(refused), 'INVALID_STATE');
  assert.equal(refused['payload'][0].message, 'id: the operation "x" has not ended yet; take another id');
  assert.ok(!probe.sources.has(first));
  release();
  await eventually(async () => {
    socket.subscribe('x', ticks(second));
    return eventually(() => probe.sources.has(second), undefined, 10_000).catch(() => false);
  });
  socket.send({ id: 'x', type: 'complete' });
  await eventually(() => probe.sources.get(second)!.isStopped());
});

test('a subscription under the id of a query whose answer was not read yet ends with complete, and with the socket', async () => {
  for (const leave of ['complete', 'close']) {
    const socket = await introduced();
    const { executions } = probe;
    socket.socket.pause();
    socket.subscribe('x', '{ testPadding(length: 40000000) }'); // beyond what kernels keep: graphql-ws waits until it has gone out
    await eventually(() => probe.executions > executions);
    let name = '';
    await eventually(async () => {
      name = newId();
      socket.send({ id: 'x', type: 'complete' });
      socket.subscribe('x', ticks(name)); // refused until the query has ended
      return eventually(() => probe.sources.has(name), undefined, 500).catch(() => false);
    });
    socket.socket.resume();
    await socket.next('complete', 'x'); // of the query: graphql-ws knows nothing under this id any more
    if (leave === 'complete') socket.send({ id: 'x', type: 'complete' });
    else socket.socket.close();
    await eventually(() => probe.sources.get(name)!.isStopped());
  }
});

test('a socket whose operation was refused and completed in one breath is idle again', async () => {
  const sockets: RawSocket[] = [];
  for (let count = 0; count < 3; count++) {
    const socket = await introduced();
    sockets.push(socket);
    const connection = (socket.socket as unknown as { _socket: Socket })._socket;
    connection.cork();
    socket.subscribe('x', '{ nonsense }');
    socket.send({ id: 'x', type: 'complete' });
    socket.send({ type: 'ping' });
    connection.uncork(); // all in one piece
    await socket.next('pong');
  }
  assert.equal((await sockets[0]!.closed).code, 4410);
  assert.deepEqual(
    sockets.map(({ socket }) => socket.readyState === WebSocket.OPEN),
    [false, true, true],
  );
});

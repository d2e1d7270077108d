// What makes the client's streams go on, and with which cursor: a server that speaks graphql-transport-ws and ends things as gateways,
// proxies and networks do, whenever the test says.
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { WebSocketServer, type WebSocket } from 'ws';
import { createSignalboxClient, type SignalboxClient, type SignalboxClientError, type TypedDocument } from '#client/index.ts';

/** What it does after a batch: ends the subscription or its socket; null goes on with the next batch. */
type Ending = ((socket: WebSocket, id: string) => void) | null;
let server: WebSocketServer;
let client: SignalboxClient;
/** One for each batch; the batch after the last ends the stream in order. */
let endings: Ending[] = [];
let asked: (string | null)[] = [];

before(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'graphql-transport-ws' });
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      const { id, type, payload } = JSON.parse(String(data)) as { id: string; type: string; payload: { variables: { after?: string } } };
      if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
      if (type === 'subscribe') serve(socket, id, payload.variables.after ?? null);
    });
  });
  await new Promise((resolve) => server.once('listening', resolve));
});
after(() => new Promise((resolve) => server.close(resolve)));
afterEach(() => client.close());

function serve(socket: WebSocket, id: string, place: string | null): void {
  asked.push(place);
  for (let batch = Number(place ?? 0); batch < endings.length; batch++) {
    socket.send(JSON.stringify({ id, type: 'next', payload: { data: { log: { number: batch + 1, cursor: String(batch + 1) } } } }));
    if (endings[batch]) return endings[batch]!(socket, id);
  }
  socket.send(JSON.stringify({ id, type: 'complete' }));
}

type LogDocument = TypedDocument<{ log: { number: number; cursor: string } }, { after?: string }>;
const document: LogDocument = 'subscription ($after: String) { log(after: $after) { number cursor } }';

async function read(given: readonly Ending[]) {
  endings = [...given];
  asked = [];
  const { port } = server.address() as AddressInfo;
  client = createSignalboxClient({ url: `http://127.0.0.1:${port}`, apiKey: 'any', retry: { initialMs: 1, maxMs: 2 } });
  const interruptions: string[] = [];
  const numbers: number[] = [];
  const onInterrupted = ({ code }: SignalboxClientError) => void interruptions.push(code);
  for await (const { log } of client.subscribe(document, {}, { onInterrupted })) numbers.push(log.number);
  return { numbers, interruptions };
}

const close =
  (code: number): Ending =>
  (socket) =>
    socket.close(code, 'because');
const slow = [{ message: 'this subscription is read too slowly', extensions: { code: 'SLOW_CONSUMER' } }];
const tooMuch = (retryAfterMs: unknown) => [{ message: 'too much at once', extensions: { code: 'RATE_LIMITED', retryAfterMs } }];
const cases: Record<string, { ending: Ending; code: string }> = {
  'a gateway that leaves (1001)': { ending: close(1001), code: 'NETWORK' },
  'a connection that is cut (1006)': { ending: (socket) => socket.terminate(), code: 'NETWORK' },
  'a server that fails (1011)': { ending: close(1011), code: 'NETWORK' },
  'a gateway that is restarted (1012)': { ending: close(1012), code: 'NETWORK' },
  'a gateway that has too much to do (1013)': { ending: close(1013), code: 'NETWORK' },
  'an error SLOW_CONSUMER': {
    ending: (socket, id) => socket.send(JSON.stringify({ id, type: 'error', payload: slow })),
    code: 'SLOW_CONSUMER',
  },
  'an error RATE_LIMITED': {
    ending: (socket, id) => socket.send(JSON.stringify({ id, type: 'error', payload: tooMuch(1) })),
    code: 'RATE_LIMITED',
  },
  'a last result with the error SLOW_CONSUMER': {
    ending: (socket, id) => socket.send(JSON.stringify({ id, type: 'next', payload: { errors: slow } })),
    code: 'SLOW_CONSUMER',
  },
};

for (const [name, { ending, code }] of Object.entries(cases)) {
  test(`${name} interrupts a stream, which goes on with the cursor of its last batch`, async () => {
    const { numbers, interruptions } = await read([null, ending, null, null, ending, ending]);
    assert.deepEqual(numbers, [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(asked, [null, '2', '5', '6']);
    assert.deepEqual(interruptions, [code, code, code]);
  });
}

test('a stream that is refused for too much at once waits as long as it is told, and a little more, before it asks again', async (t) => {
  const waits: number[] = [];
  const { setTimeout } = globalThis;
  t.mock.method(globalThis, 'setTimeout', (run: () => void, ms?: number, ...rest: []) => {
    if (ms === undefined || ms < 60_000) return setTimeout(run, ms, ...rest);
    waits.push(ms);
    return setTimeout(run, 0);
  });
  const refuse =
    (retryAfterMs: unknown): Ending =>
    (socket, id) =>
      socket.send(JSON.stringify({ id, type: 'error', payload: tooMuch(retryAfterMs) }));
  const { numbers } = await read([refuse(60_000), refuse(90_000), refuse(1e15), refuse('soon'), null]);
  assert.deepEqual(numbers, [1, 2, 3, 4, 5]);
  assert.equal(waits.length, 3);
  assert.ok(waits[0]! >= 60_000 && waits[1]! >= 90_000, String(waits));
  assert.equal(waits[2], 2 ** 31 - 1, 'not longer than a timer can');
});

test('what would end the same way again ends the stream with its code', async () => {
  for (const [code, expected] of [
    [1009, 'LIMIT_EXCEEDED'],
    [4401, 'UNAUTHENTICATED'],
    [4406, 'BAD_RESPONSE'],
  ] as const) {
    await assert.rejects(read([close(code)]), (error: SignalboxClientError) => error.code === expected);
    assert.deepEqual(asked, [null]);
    await client.close();
  }
});

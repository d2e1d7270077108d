// Frames of a WebSocket's messages that the gateway makes itself, as a client of the library `ws` reads them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { textFrame } from '#gateway/text-frame.ts';

test('messages of every length arrive whole, between those of the library', async (context) => {
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const pieces = [0, 1, 124, 125, 126, 127, 65_534, 65_535, 65_536, 1_000_000].map((length) => [
    'ä'.repeat(length >> 1),
    'b'.repeat(length & 1),
  ]);
  http.on('upgrade', (request, connection, head) =>
    sockets.handleUpgrade(request, connection, head, (socket) => {
      for (const each of pieces) {
        socket.send('between');
        connection.write(textFrame(each.map((piece) => Buffer.from(piece))));
      }
      socket.close(1000, 'all was said');
    }),
  );
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  context.after(() => http.close());
  const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
  const heard: string[] = [];
  client.on('message', (data, isBinary) => heard.push(isBinary ? 'binary' : String(data)));
  const [code] = (await once(client, 'close')) as [number];
  assert.equal(code, 1000);
  assert.deepEqual(
    heard,
    pieces.flatMap((each) => ['between', each.join('')]),
  );
});

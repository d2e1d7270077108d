// A batch that could not be read for a moment is not told as if it had been, and one that took long to read is not told on rights of before.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Channel, type ChannelSource } from '#gateway/channel.ts';
import type { LiveStream } from '#src/events/live-stream.ts';
import type { Authority } from '#src/authority/permission.ts';
import { newId } from '#src/platform/ids.ts';
import { askStream } from '#test/harness/event-stream.ts';
import { eventually } from '#test/harness/eventually.ts';
import { probe } from '#test/harness/gateway-fields.ts';
import { testServer, type TestServer } from '#test/harness/graphql.ts';
import { RawSocket } from '#test/harness/raw-socket.ts';

let server: TestServer;
before(async () => {
  server = await testServer();
});
after(() => server.close());

/** The connection to Postgres is lost while it is read. */
const lost = (name: string) =>
  `subscription { testTicks(name: "${name}") { n things(first: 1) { edges { node { fails(how: "lost") } } } } }`;

test('over an event stream it ends the stream, and no cursor says that it was seen', async () => {
  const name = newId();
  const asked = await askStream(server, { query: lost(name) });
  await eventually(() => probe.sources.has(name));
  probe.sources.get(name)!.push(1);
  await asked.done;
  const codes = asked.results().map(({ errors }) => errors![0]!.extensions['code']);
  assert.deepEqual(codes, ['UNAVAILABLE']);
  assert.ok(
    asked.blocks.every((block) => !/^id: ./m.test(block)),
    JSON.stringify(asked.blocks),
  );
});

test('over a WebSocket it ends the subscription', async () => {
  const name = newId();
  const peer = await new RawSocket(server).init();
  peer.subscribe('it', lost(name));
  await eventually(() => probe.sources.has(name));
  const feed = probe.sources.get(name)!;
  feed.push(1);
  const { payload } = await peer.next('next', 'it');
  assert.equal(payload.errors[0].extensions.code, 'UNAVAILABLE');
  await peer.next('complete', 'it');
  await eventually(() => feed.isStopped());
  peer.socket.close();
});

test('rights are looked at again after a batch that took long', async () => {
  const rights = {} as Authority;
  let [looks, takesMs] = [0, 0];
  const source: ChannelSource = {
    rights,
    open: async () => ({ head: async () => '0' }) as LiveStream,
    async execute() {
      await delay(takesMs);
      return { json: '{}', rights };
    },
    permit: async () => void (looks += 1),
    watch: () => () => undefined,
    close: () => undefined,
  };
  const channel = new Channel(source, () => undefined);
  await channel.encode({ cursor: '1', caughtUp: true });
  assert.equal(looks, 0);
  takesMs = 550;
  await channel.encode({ cursor: '2', caughtUp: true });
  assert.equal(looks, 1);
});

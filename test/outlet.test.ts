// What goes out on one connection: order, the look at rights before what waited, the bound, and the peer that takes nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { EncodedBatch } from '#gateway/channel.ts';
import { Outlet, type Recipient } from '#gateway/outlet.ts';
import type { Authority } from '#src/authority/permission.ts';

function connection({ queueBytes = 100, stallMs = 1_000_000 } = {}) {
  const sent: string[] = [];
  const reasons: string[] = [];
  let held: (() => void) | undefined;
  let bufferedBytes = 0;
  const pipe = {
    get bufferedBytes() {
      return bufferedBytes;
    },
    unsentBytes: 0,
    write(data: Buffer, flushed?: () => void) {
      sent.push(String(data));
      held = flushed;
    },
  };
  const outlet = new Outlet(pipe, { queueBytes, stallMs }, (reason) => reasons.push(reason));
  return {
    outlet,
    sent,
    reasons,
    stop: () => (bufferedBytes = 65_536),
    async read() {
      bufferedBytes = 0;
      const flushed = held;
      held = undefined;
      flushed?.();
      await turn();
    },
  };
}

function recipient(outlet: Outlet, look: () => Promise<void> | void = () => undefined) {
  const heard: unknown[] = [];
  const to: Recipient = {
    isOver: false,
    frame: ({ json }) => json,
    written: () => undefined,
    permit: look,
    fallBehind: () => undefined,
    fail(error) {
      heard.push(error);
      outlet.remove(to);
    },
    tooSlow: (reason) => void heard.push(reason),
  };
  outlet.add(to);
  return { to, heard };
}

const rights = {} as Authority;
const batch = (text: string): EncodedBatch => ({ json: Buffer.from(text), cursor: text, rights });

test('what waits goes out first, after a look at the rights, and what comes meanwhile behind it', async () => {
  const { outlet, sent, stop, read } = connection();
  const looked = Promise.withResolvers<void>();
  const { to } = recipient(outlet, () => looked.promise);
  stop();
  for (const text of ['a', 'b']) outlet.deliver(to, batch(text));
  await read();
  outlet.deliver(to, batch('c'));
  let end = '';
  outlet.after(to, () => (end = sent.join('')));
  assert.deepEqual([sent, end], [['a'], '']);
  looked.resolve();
  await turn();
  assert.deepEqual([sent, end], [['a', 'b', 'c'], 'abc']);
  outlet.after(to, () => (end = 'at once'));
  assert.equal(end, 'at once');
});

test('when rights do not suffice any more, what waits for one is dropped, and others get theirs', async () => {
  const { outlet, sent, stop, read } = connection();
  const lost = new Error('revoked');
  const [one, two] = [recipient(outlet, () => Promise.reject(lost)), recipient(outlet)];
  stop();
  for (const text of ['first', 'secret', 'secret again']) outlet.deliver(one.to, batch(text));
  outlet.deliver(two.to, batch('other'));
  await read();
  assert.deepEqual([sent, one.heard, two.heard, outlet.queuedBytes], [['first', 'other'], [lost], [], 0]);
});

test('as many bytes wait as the limit says; one more, and everybody on the connection is told', async () => {
  const { outlet, sent, reasons, stop, read } = connection({ queueBytes: 100 });
  const [one, two] = [recipient(outlet), recipient(outlet)];
  stop();
  outlet.deliver(one.to, batch('x'));
  for (let count = 0; count < 10; count++) outlet.deliver(count % 2 ? one.to : two.to, batch('0123456789'));
  assert.deepEqual([outlet.queuedBytes, reasons], [100, []]);
  outlet.deliver(one.to, batch('!'));
  assert.deepEqual(reasons, ['more than 100 bytes wait for this connection']);
  assert.deepEqual([one.heard, two.heard, outlet.queuedBytes], [reasons, reasons, 0]);
  await read();
  outlet.deliver(one.to, batch('late'));
  assert.deepEqual(sent, ['x']);
});

test('one batch that is larger than the limit waits, another one behind it does not', () => {
  const { outlet, reasons, stop } = connection({ queueBytes: 100 });
  const { to } = recipient(outlet);
  stop();
  outlet.deliver(to, batch('x'));
  outlet.deliver(to, batch('y'.repeat(101)));
  assert.deepEqual([outlet.queuedBytes, reasons.length], [101, 0]);
  outlet.deliver(to, batch('z'));
  assert.equal(reasons.length, 1);
});

test('a peer that takes nothing for as long as the limit says is given up; one that does in time is not', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { outlet, reasons, stop, read } = connection({ stallMs: 1_000 });
  const { to, heard } = recipient(outlet);
  stop();
  outlet.deliver(to, batch('a'));
  context.mock.timers.tick(999);
  await read();
  context.mock.timers.tick(5_000);
  assert.deepEqual(reasons, []);
  stop();
  outlet.deliver(to, batch('b'));
  context.mock.timers.tick(1_000);
  assert.deepEqual([reasons, heard], [['nothing was read for 1000 ms'], ['nothing was read for 1000 ms']]);
});

test('what is read at the pace of the peer is read one after the other, when everything before has gone out', async () => {
  const { outlet, sent, stop, read } = connection();
  const { to } = recipient(outlet);
  const begun: string[] = [];
  const tell = (text: string) =>
    outlet.inTurn(async () => {
      begun.push(text);
      await turn();
      outlet.deliver(to, batch(text));
    });
  stop();
  const told = ['a', 'b', 'c'].map(tell);
  await told[0];
  for (let count = 0; count < 5; count++) await turn();
  assert.deepEqual([begun, sent], [['a'], ['a']]);
  await read();
  await told[1];
  await told[2];
  assert.deepEqual(sent, ['a', 'b', 'c']);
  stop();
  outlet.deliver(to, batch('d'));
  const never = tell('e');
  outlet.close();
  await never;
  assert.deepEqual(sent, ['a', 'b', 'c', 'd'], 'a connection that is closed takes nothing');
});

// Channels under every interleaving: members that join anywhere, ahead of it too, read fast, slowly or not at all, leave, and come back
// with their cursor, while batches come, rights change and end, and streams fail. Each is told every row behind its cursor once and in order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { InvalidCursorError, SlowConsumerError, UnauthenticatedError } from '#src/platform/errors.ts';
import { Peer, queueBytes, World, type Watcher } from './harness/channel-world.ts';

async function live(seed: number, steps: number): Promise<World> {
  const world = new World(seed);
  const { random, upTo, peers } = world;
  const watchers: Watcher[] = [];
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)];
  const connect = () => {
    const peer = new Peer();
    peers.push(peer);
    return peer;
  };
  const join = (after: string | null) => {
    const reusable = peers.filter((peer) => !peer.isCut);
    watchers.push(world.join(random() < 0.5 ? connect() : (pick(reusable) ?? connect()), after));
  };
  const ways: (() => unknown)[] = [
    () => (world.length += upTo(6)),
    () => ((world.live = world.length), world.wake()),
    () => ((world.live = Math.min(world.length, world.live + upTo(3))), world.wake()),
    () => join(random() < 0.3 ? null : String(upTo(world.length))),
    () => {
      const peer = pick(peers);
      if (peer) peer.reads = false;
    },
    () => pick(peers)?.read(),
    () => pick(watchers.filter(({ isOver }) => !isOver))?.leave(),
    () => random() < 0.3 && world.narrow(),
    () => {
      // Told to come back, it does, with what it was told last.
      const lost = pick(watchers.filter(({ error, hasLeft }) => error instanceof SlowConsumerError && !hasLeft));
      if (!lost) return;
      const { cursor } = lost.error as SlowConsumerError; // none before anything was told
      assert.equal(cursor ?? '0', String(lost.at), 'the cursor is what was told last');
      lost.hasLeft = true;
      watchers.push(world.join(connect(), cursor));
    },
  ];
  for (let step = 0; step < steps; step++) {
    pick(ways)!();
    for (let count = upTo(2); count > 0; count--) await turn();
    for (const { outlet } of peers) assert.ok(outlet.queuedBytes <= queueBytes, `${outlet.queuedBytes} bytes wait`);
  }
  world.isFinal = true;
  world.live = world.length;
  world.wake();
  const all = () => watchers.filter(({ hasLeft }) => !hasLeft);
  while (all().some(({ isOver }) => !isOver)) {
    for (const peer of peers) peer.read();
    await turn();
  }
  for (const { error, at, done } of all()) {
    await done;
    if (error === null) assert.equal(at, world.length, 'told everything before the end');
    else assert.ok(error instanceof SlowConsumerError, String(error));
  }
  assert.deepEqual([world.channel, world.closed], [null, world.opened], 'nothing stays open');
  return world;
}

test('every row behind the cursor once and in order, however members join, lag, leave and come back', async () => {
  let slow = 0;
  let shared = 0;
  for (let seed = 1; seed <= 150; seed++) {
    const world = await live(seed, 200);
    slow += world.peers.filter(({ isCut }) => isCut).length;
    shared += world.executions;
  }
  assert.ok(slow > 20, `${slow} were too slow`);
  assert.ok(shared > 1_000, `${shared} executions`);
});

test('when rights end, nobody is told anything more, and what waits is dropped', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const world = new World(seed);
    const peers = Array.from({ length: 4 }, () => new Peer());
    world.length = world.live = world.upTo(30);
    const watchers = peers.map((peer) => world.join(peer, world.random() < 0.5 ? null : String(world.upTo(world.length))));
    for (let step = world.upTo(40); step > 0; step--) {
      peers[world.upTo(3)]!.reads = world.random() < 0.5;
      world.live = world.length += world.upTo(3);
      world.wake();
      await turn();
    }
    const told = watchers.map(({ at }) => at);
    world.revoke();
    assert.deepEqual(
      watchers.map(({ at }) => at),
      told,
    );
    world.live = world.length += 5;
    world.wake();
    for (const peer of peers) peer.read();
    for (const { done } of watchers) await done;
    for (const [index, { error, at, peer }] of watchers.entries()) {
      assert.ok(error instanceof UnauthenticatedError || error instanceof SlowConsumerError, String(error));
      assert.deepEqual([at, peer.outlet.queuedBytes], [told[index], 0]);
    }
    assert.deepEqual([world.channel, world.closed], [null, world.opened]);
  }
});

test('what waited for longer goes out only after a look at the rights: those lost meanwhile end it, those that changed are executed with', async (context) => {
  for (const [agoMs, ending] of [
    [0, 'nothing'],
    [501, 'nothing'],
    [501, 'rights'],
    [501, 'the credential'],
  ] as const) {
    const world = new World(5);
    const peer = new Peer();
    const watcher = world.join(peer, null);
    while (watcher.member.cursor === null) await turn();
    for (let count = 0; count < 20; count++) await turn();
    peer.reads = false;
    while (peer.outlet.queuedBytes === 0) {
      world.live = world.length += 1;
      world.wake();
      await turn();
    }
    for (let count = 0; count < 40; count++) await turn();
    const { at } = watcher;
    // Nobody has noticed: a look finds out.
    if (ending === 'rights') world.found = () => world.narrow();
    if (ending === 'the credential') world.found = () => (world.lost = new UnauthenticatedError('revoked'));
    const looked = world.looks;
    const later = performance.now() + agoMs;
    const { mock } = context.mock.method(performance, 'now', () => later);
    peer.read();
    if (ending === 'the credential') await watcher.done;
    else while (watcher.at < world.length) await turn();
    mock.restore();
    assert.equal(world.looks > looked, agoMs > 0, `${agoMs} ms`);
    assert.deepEqual([watcher.error, watcher.at], ending === 'the credential' ? [world.lost, at] : [null, world.length]);
    await watcher.leave();
  }
});

test('history that waited behind others while rights changed is read again from where its member was', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const world = new World(seed);
    const peer = new Peer();
    world.length = world.live = 40;
    const other = world.join(peer, null);
    while (other.at < 40) await turn();
    const watchers = [other, world.join(peer, '0')];
    const [, joining] = watchers as [Watcher, Watcher];
    while (joining.at < 40 && joining.error === null) {
      peer.reads = false;
      world.live = world.length += 1;
      world.wake();
      for (let count = world.upTo(6); count > 0; count--) await turn();
      world.narrow();
      peer.read();
      for (let count = world.upTo(6); count > 0; count--) await turn();
    }
    assert.deepEqual(
      watchers.map(({ error }) => error),
      [null, null],
    );
    for (const watcher of watchers) await watcher.leave();
  }
});

test('what waits for members that are not live yet counts as what waits for their connection, all together', async () => {
  const peer = new Peer();
  const worlds = Array.from({ length: 20 }, (_, index) => new World(index));
  const first = worlds[0]!.join(peer, null);
  while (first.member.cursor === null) await turn();
  for (let count = 0; count < 20; count++) await turn();
  peer.reads = false;
  const watchers = [first, ...worlds.slice(1).map((world) => world.join(peer, null))];
  let most = 0;
  for (let round = 0; round < 10; round++) {
    for (const world of round < 5 ? worlds.slice(1) : worlds.slice(0, 1)) {
      world.live = world.length += 1;
      world.wake();
    }
    for (let count = 0; count < 10; count++) await turn();
    most = Math.max(most, peer.outlet.queuedBytes);
    assert.ok(peer.outlet.queuedBytes <= queueBytes, `${peer.outlet.queuedBytes} bytes wait`);
  }
  assert.ok(most > queueBytes / 2, `${most} bytes waited`);
  assert.equal(peer.isCut, false);
  while (watchers.some(({ at, world }) => at < world.length)) {
    peer.read();
    await turn();
  }
  await Promise.all(watchers.map((watcher) => watcher.leave()));
  assert.equal(peer.outlet.queuedBytes, 0);
});

test('a channel that fails ends all of its members with the error, and is not kept', async () => {
  const world = new World(7);
  const cases = [null, '0', 'nonsense'];
  const first = cases.map((after) => world.join(new Peer(), after));
  await first[2]!.done;
  assert.ok(first[2]!.error instanceof InvalidCursorError, 'one with a damaged cursor fails alone');
  world.length = world.live = 3;
  world.wake();
  while (first.slice(0, 2).some(({ at }) => at < 3)) await turn();
  const failing = world.channel!;
  world.lost = new Error('the database is away');
  world.length = world.live = 4;
  world.wake();
  for (const { done } of first) await done;
  assert.deepEqual(
    first.slice(0, 2).map(({ error, at }) => [error, at]),
    [[world.lost, 3], [world.lost, 3]], // prettier-ignore
  );
  assert.equal(world.channel, null);
  const refused = world.join(new Peer(), null);
  await refused.done;
  assert.deepEqual([refused.error, world.channel], [world.lost, null], 'one that cannot be opened is not kept either');
  world.lost = null;
  const again = world.join(new Peer(), '3');
  assert.notEqual(world.channel, failing);
  while (again.at < 4) await turn();
  await again.leave();
  assert.deepEqual([world.channel, world.closed], [null, world.opened]);
});

test('a batch is executed once for all who are live, and for each who reads history', async () => {
  const world = new World(3);
  const watchers = Array.from({ length: 50 }, () => world.join(new Peer(), null));
  while (watchers.some(({ member }) => member.cursor === null)) await turn();
  for (let count = 0; count < 20; count++) await turn();
  const { executions } = world;
  assert.equal(executions, 50, 'an empty history for each');
  world.length = world.live = 1;
  world.wake();
  while (watchers.some(({ at }) => at < 1)) await turn();
  assert.equal(world.executions, executions + 1);
  await Promise.all(watchers.map((watcher) => watcher.leave()));
});

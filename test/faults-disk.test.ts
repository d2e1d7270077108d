// The disk of the data folder runs full under a running product: the client hears so, what was acknowledged stays, nothing is damaged,
// and once there is room again it goes on by itself. Needs a disk of its own: mounted as root or by sudo; in CI it must be possible.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SignalboxClientError } from '#client/index.ts';
import { startReceiver, type EffectReceiver } from './harness/effect-receiver.ts';
import { eventually } from './harness/eventually.ts';
import { startProduct, type Product } from './harness/product.ts';
import { keyOf } from './harness/product-tenant.ts';
import { stopLeftProcesses } from './harness/signalbox-process.ts';

const root = mkdtempSync(join(tmpdir(), 'signalbox-disk-'));
const disk = join(root, 'disk');
const privileged = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
const run = (...command: string[]) => {
  const [program, ...args] = [...privileged, ...command];
  return spawnSync(program!, args, { encoding: 'utf8' });
};
const isMounted = (() => {
  if (process.platform !== 'linux') return false;
  mkdirSync(disk);
  const owner = `uid=${process.getuid!()},gid=${process.getgid!()}`;
  return run('mount', '-t', 'tmpfs', '-o', `size=192m,mode=755,${owner}`, 'tmpfs', disk).status === 0;
})();

let receiver: EffectReceiver | undefined;
let product: Product | undefined;
after(async () => {
  await product?.close();
  await stopLeftProcesses();
  await receiver?.close();
  if (isMounted) {
    const [program, ...args] = [...privileged, 'umount', disk];
    execFileSync(program, args);
  }
  rmSync(root, { recursive: true, force: true });
});

/** Takes the last byte. */
function fill(file: string): void {
  const descriptor = openSync(file, 'w');
  try {
    for (let size = 1024 * 1024; size >= 1;) {
      try {
        writeSync(descriptor, Buffer.alloc(size));
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Longer than others wait: Postgres starts again on a full disk. */
const patienceMs = 90_000;

test('a disk that runs full is named, costs nothing that was acknowledged, and is survived', async (t) => {
  if (!isMounted) {
    assert.equal(process.env['CI'], undefined, 'this needs the right to mount, which CI must give (root, or sudo without a password)');
    return t.skip('needs the right to mount');
  }
  receiver = await startReceiver();
  product = await startProduct(disk, receiver.url);
  const { operator, environmentId, plainAgent: agentId, rows, process: server } = product;
  const acknowledged = new Map<string, string>();
  const errors: SignalboxClientError[] = [];
  let asked = 0;
  /** False when it was refused. */
  async function start(padding = ''): Promise<boolean> {
    const name = `disk-${(asked += 1)}`;
    try {
      const input = { agentId, environmentId, inputs: { name, padding }, idempotencyKey: name };
      acknowledged.set(name, (await operator.startExecution({ input })).execution.id);
      return true;
    } catch (error) {
      assert.ok(error instanceof SignalboxClientError, String(error));
      errors.push(error);
      return false;
    }
  }
  const isOpen = async () => (await rows('select from executions where finished_at is null')).length > 0;
  for (let count = 0; count < 5; count += 1) assert.ok(await start());

  const filler = join(disk, 'filler');
  fill(filler);
  // Tables that have to grow: refused one by one while Postgres lives on.
  await eventually(async () => !(await start(randomBytes(400_000).toString('base64'))), undefined, patienceMs);
  assert.deepEqual([errors[0]!.code, errors[0]!.message], ['UNAVAILABLE', 'the disk of the database is full; nothing was changed. Free space on it, then try again'], server.output()); // prettier-ignore
  assert.equal((await operator.executions({ first: 1 })).edges.length, 1, 'reading goes on');

  // The log of Postgres has to grow: without room it cannot run at all.
  for (let turn = 0; turn < 3; turn += 1) {
    await rows(`select pg_switch_wal()`).catch(() => undefined);
    await start();
  }
  await server.says(/the disk of [^"]* is full: free space/);
  await eventually(async () => !(await start()), undefined, patienceMs);
  for (const error of errors) assert.ok(['UNAVAILABLE', 'NETWORK'].includes(error.code), `${error.code}: ${error.message}`);
  assert.ok(server.isAlive);

  unlinkSync(filler);
  const freedAt = performance.now();
  await eventually(() => start(), undefined, patienceMs);
  const backMs = performance.now() - freedAt;
  await eventually(async () => !(await isOpen()), undefined, patienceMs);
  const stored = new Map(
    (await rows<{ id: string; status: string }>('select id, status from executions')).map((row) => [row.id, row.status]),
  );
  for (const [name, id] of acknowledged) assert.equal(stored.get(keyOf(id)), 'succeeded', `${name} was acknowledged`);
  const delivered = new Set((await receiver.deliveries()).map(({ body }) => `${body.execution} ${body.step}`));
  for (const name of acknowledged.keys()) for (const step of ['one', 'two']) assert.ok(delivered.has(`${name} ${step}`), `${name} ${step}`);
  // Looked at only now: Postgres may have gone down by itself while there was no room.
  const whole = await rows(`select id from executions where id not in (select execution_id from execution_events)`);
  assert.deepEqual(whole, [], 'an execution without its first event');
  await assertSound(rows);
  t.diagnostic(`${acknowledged.size} starts acknowledged, ${errors.length} refused; back ${Math.round(backMs)} ms after there was room`);
});

/** Every index and table, entry by entry (amcheck), and events without a gap. */
async function assertSound(rows: Product['rows']): Promise<void> {
  await rows('create extension if not exists amcheck');
  const relations = `select c.oid::regclass::text as name, c.relkind as kind from pg_class c join pg_am a on a.oid = c.relam
    where c.relpersistence = 'p' and (a.amname = 'btree' and c.relkind = 'i' or a.amname = 'heap' and c.relkind in ('r', 't', 'm'))`;
  const all = await rows<{ name: string; kind: string }>(relations);
  assert.ok(all.length > 200, 'the system tables are among them');
  for (const { name, kind } of all) {
    if (kind === 'i') await rows('select bt_index_check($1::regclass, true)', [name]);
    else assert.deepEqual(await rows('select * from verify_heapam($1::regclass)', [name]), [], name);
  }
  const gaps = `select e.id from executions e left join execution_events v on v.execution_id = e.id
    group by e.id having count(v.*) <> e.last_sequence or max(v.sequence) is distinct from e.last_sequence`;
  assert.deepEqual(await rows(gaps), [], 'events without a gap');
}

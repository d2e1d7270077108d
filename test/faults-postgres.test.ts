// The Postgres of a running product killed under load (SIGQUIT, as `pg_ctl stop -m immediate` does, and kill -9 of the postmaster) and
// brought back by the product: whatever a client got acknowledged is there and ends, whatever it repeats is not done twice.
// `npm run test:faults` kills it twelve times, `npm test` twice.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SignalboxClientError } from '#client/index.ts';
import { startReceiver, type EffectReceiver } from './harness/effect-receiver.ts';
import { startProduct, type Product } from './harness/product.ts';
import { keyOf } from './harness/product-tenant.ts';
import { randomOf, someSeed } from './harness/random.ts';
import { stopLeftProcesses } from './harness/signalbox-process.ts';

const isFull = process.env['SIGNALBOX_TEST_FAULTS'] === 'all';
const signals = Array.from({ length: isFull ? 12 : 2 }, (_, index): NodeJS.Signals => (index % 2 === 0 ? 'SIGQUIT' : 'SIGKILL'));
const seed = Number(process.env['FAULTS_SEED'] ?? someSeed());
const stuckMs = 60_000;

let folder: string;
let receiver: EffectReceiver;
let product: Product;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-faults-'));
  receiver = await startReceiver();
  product = await startProduct(folder, receiver.url);
});
after(async () => {
  await product?.close();
  await stopLeftProcesses();
  await receiver?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What a client may hear while the database is away; anything else is a fault of the product. */
const passing = new Set(['NETWORK', 'UNAVAILABLE']);
const refused: string[] = [];

/** Until it is acknowledged or refused for good; null when refused with one of `codes`. */
async function acknowledged<T>(ask: () => Promise<T>, codes: readonly string[] = []): Promise<T | null> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      assert.ok(error instanceof SignalboxClientError, String(error));
      if (codes.includes(error.code)) return null;
      assert.ok(passing.has(error.code), `${error.code}: ${error.message}\n${product.process.output()}`);
      refused.push(`${error.code} ${error.message}`);
      await sleep(100);
    }
  }
}

test(`Postgres killed ${signals.length} times under load: nothing acknowledged is lost, nothing is stuck`, async (t) => {
  t.diagnostic(`seed ${seed}`);
  const random = randomOf(seed);
  const { operator, reviewer, environmentId } = product;
  const started = new Map<string, string>();
  const cancelled: string[] = [];
  /** Refused in the end, but perhaps done by an earlier try whose answer was lost. */
  const perhapsCancelled = new Set<string>();
  const approved: { approvalId: string; executionId: string }[] = [];
  let asked = 0;
  let loading = true;

  async function startOne(agentId: string): Promise<string> {
    const name = `load-${(asked += 1)}`;
    const input = { agentId, environmentId, inputs: { name }, idempotencyKey: name };
    const { execution } = (await acknowledged(() => operator.startExecution({ input })))!;
    started.set(name, execution.id);
    return execution.id;
  }
  async function load(turn: number): Promise<void> {
    while (loading) {
      const executionId = await startOne(product.plainAgent);
      // Some are cancelled at once, wherever they are; one that ended first cannot be.
      if (asked % 4 !== turn) continue;
      const answer = await acknowledged(() => operator.cancelExecution({ input: { executionId, reason: 'no' } }), ['INVALID_STATE']);
      if (answer) cancelled.push(executionId);
      else perhapsCancelled.add(executionId);
    }
  }
  async function approve(): Promise<void> {
    while (loading) {
      const executionId = await startOne(product.governedAgent);
      let approvalId: string | undefined;
      while (approvalId === undefined) {
        const page = await acknowledged(() => reviewer.approvals({ filter: { executionId } }));
        approvalId = page!.edges[0]?.node.id;
        if (approvalId === undefined) await sleep(20);
      }
      const input = { approvalId, decision: 'APPROVE', idempotencyKey: `yes-${asked}` } as const;
      await acknowledged(() => reviewer.decideApproval({ input }));
      approved.push({ approvalId, executionId });
    }
  }
  const clients = [load(0), load(1), load(2), approve(), approve()];

  for (const signal of signals) {
    await sleep(300 + random() * 1_500);
    const pid = product.postmaster();
    process.kill(pid, signal);
    const killedAt = performance.now();
    await acknowledged(() => operator.executions({ first: 1 }));
    assert.notEqual(product.postmaster(), pid);
    t.diagnostic(`${signal}: the API answered again after ${Math.round(performance.now() - killedAt)} ms`);
  }
  await sleep(300);
  loading = false;
  await Promise.all(clients);

  const open = `select id, status, started_at from executions where finished_at is null`;
  const deadline = performance.now() + stuckMs;
  let stuck = await product.rows(open);
  for (; stuck.length > 0 && performance.now() < deadline; stuck = await product.rows(open)) await sleep(250);
  assert.deepEqual(stuck, [], `open a minute after the last kill\n${product.process.output()}`);

  const rows = await product.rows<{ id: string; key: string; status: string }>('select id, idempotency_key as key, status from executions');
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const [name, id] of started) assert.equal(byId.get(keyOf(id))?.key, name, `${name} was acknowledged and is lost`);
  assert.equal(rows.length, asked, 'what was repeated was started twice');
  for (const id of cancelled) assert.equal(byId.get(keyOf(id))!.status, 'cancelled');
  const isCancelled = new Set([...cancelled, ...[...perhapsCancelled].filter((id) => byId.get(keyOf(id))!.status === 'cancelled')]);
  for (const id of started.values()) if (!isCancelled.has(id)) assert.equal(byId.get(keyOf(id))!.status, 'succeeded');
  const decided = await product.rows<{ id: string; status: string; consumed: boolean }>(
    'select id, status, consumed_at is not null as consumed from approvals',
  );
  for (const { approvalId } of approved) {
    const { status, consumed } = decided.find(({ id }) => id === keyOf(approvalId))!;
    assert.deepEqual([status, consumed], ['approved', true]);
  }
  const gaps = await product.rows(
    `select e.id from executions e join execution_events v on v.execution_id = e.id
     group by e.id having count(*) <> e.last_sequence or max(v.sequence) <> e.last_sequence`,
  );
  assert.deepEqual(gaps, [], 'events without a gap');
  const doubled = await product.rows(
    `select execution_id, step_id from attempts where status = 'succeeded' group by 1, 2 having count(*) > 1`,
  );
  assert.deepEqual(doubled, [], 'attempts committed twice');

  const deliveries = await receiver.deliveries();
  const delivered = new Map(deliveries.map(({ key, body }) => [`${body.execution} ${body.step}`, key]));
  for (const [name, id] of started) {
    if (isCancelled.has(id)) continue;
    for (const step of ['one', 'two']) assert.ok(delivered.get(`${name} ${step}`), `${name} ${step} never came, or without its key`);
  }
  const attempts = deliveries.map(({ key, attempt }) => `${key}@${attempt}`);
  assert.equal(new Set(attempts).size, attempts.length, 'an attempt was delivered twice');
  assert.ok(product.process.isAlive);
  assert.ok(refused.length > 0, 'the kills were felt');
  t.diagnostic(
    `${started.size} starts, ${cancelled.length} cancels and ${approved.length} approvals acknowledged, ` +
      `${refused.length} refusals on the way, ${deliveries.length} deliveries`,
  );
});

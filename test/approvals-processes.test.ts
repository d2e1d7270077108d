// The clocks and the webhooks of approvals over real runner processes that are killed: what is due happens by jobs alone, in the next
// process, once. The clocks of the processes are set by the test; so is that of the queue.
import assert from 'node:assert/strict';
import { after, afterEach, before, it } from 'node:test';
import pg from 'pg';
import { Webhook as Verifier } from 'standardwebhooks';
import type { StepDefinition } from '#src/agents/definition.ts';
import type { ApprovalTerms } from '#src/approvals/approval-terms.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import type { Authority } from '#src/authority/permission.ts';
import type { NewWebhook } from '#src/webhooks/webhook-service.ts';
import { testEngine, type Engine } from './harness/engine.ts';
import { eventually } from './harness/eventually.ts';
import { foreignServer } from './harness/foreign-server.ts';
import { createFleet, type Fleet } from './harness/runner-fleet.ts';

let engine: Engine;
let fleet: Fleet;
let queue: pg.Pool;
let admin: Authority;
before(async () => {
  engine = await testEngine({});
  queue = new pg.Pool({ connectionString: engine.db.ownerUrl, max: 1 });
  admin = await engine.authority(['admin']);
});
after(async () => {
  await queue.end();
  await engine.close();
});
afterEach(() => fleet?.close());

const write = <T>(work: (uow: UnitOfWork) => Promise<T>) => engine.db.database.write(engine.tenantId, work);
/** For the queue it is later, too: what is due by then is due. */
const queueIsAhead = (ms: number) =>
  queue.query(
    `update graphile_worker._private_jobs set run_at = now() where run_at > now() and run_at <= now() + $1 * interval '1 ms' and locked_at is null`,
    [ms],
  );
const hour = 3_600_000;
const named = ({ principalId }: Authority) => ({ principal: principalId });
async function asked(terms: ApprovalTerms = { stages: [] }): Promise<string> {
  const sign: Partial<StepDefinition> = { id: 'sign', approval: { title: 'Go?', reason: '', risk: 'high', expiresInMs: 8 * hour, show: null, terms } }; // prettier-ignore
  return (await engine.start(await engine.agent([sign]))).id;
}
const news = async (id: string) => (await engine.events(id)).flatMap(({ type }) => (type.startsWith('approval.') ? [type.slice(9)] : []));

it(
  'escalation, warning and expiry happen by jobs alone, each once, though every process that does one is killed',
  { timeout: 60_000 },
  async () => {
    fleet = createFleet(engine, []);
    const [ada, bob] = [await engine.authority(['reviewer']), await engine.authority(['reviewer'])];
    const first = await fleet.start();
    const id = await asked({
      stages: [{ name: 'one', approvers: [named(ada)], quorum: 1 }],
      escalation: { afterMs: 2 * hour, approvers: [named(bob)] },
      warnBeforeMs: hour,
    });
    await eventually(async () => (await news(id)).length === 1);
    await first.kill();
    const expected = ['requested'];
    for (const [ahead, what] of [
      [2 * hour, 'escalated'],
      [7 * hour, 'warned'],
      [8 * hour, 'expired'],
    ] as const) {
      // prettier-ignore
      // Dead while it becomes due.
      await queueIsAhead(ahead);
      const next = await fleet.start({ skewMs: ahead });
      expected.push(what);
      await eventually(async () => (await news(id)).length === expected.length);
      if (what !== 'expired') await next.kill();
    }
    const { status } = await engine.finished(id);
    assert.equal(status, 'blocked');
    assert.deepEqual(await news(id), expected);
    const [left] = await write((uow) =>
      uow.rows<any>('select status, warned_at, escalated_at from approvals where execution_id = $1', [id]),
    );
    assert.equal(left.status, 'expired');
    assert.ok(left.warned_at && left.escalated_at);
  },
);

const listening = async (t: { after(work: () => Promise<unknown>): void }, url: string, input: Partial<NewWebhook> = {}) => {
  const { webhooks } = engine.services;
  const made = await write((uow) => webhooks.createWebhook(uow, admin, { name: url, url, events: ['approval.requested'], ...input }));
  t.after(() => write((uow) => webhooks.deleteWebhook(uow, admin, made.webhook.id)));
  const delivery = async () => (await write((uow) => webhooks.deliveriesOf(uow, [made.webhook.id], {})))[0]!.rows[0];
  return { ...made, delivery };
};

it(
  'a delivery whose process is killed while the receiver thinks is made again by another, with the same id',
  { timeout: 60_000 },
  async (t) => {
    fleet = createFleet(engine, []);
    let thinking = true;
    const server = await foreignServer(t, (_request, response) => void (thinking || response.writeHead(204).end()));
    const { delivery, secret } = await listening(t, server.origin);
    const first = await fleet.start();
    await asked();
    await eventually(async () => server.requests.length === 1);
    await first.kill();
    thinking = false;
    assert.deepEqual([(await delivery())!.status, (await delivery())!.attempts], ['pending', 0], 'nobody knows what became of it');
    await fleet.start();
    await eventually(async () => (await delivery())!.status === 'delivered');
    const ids = server.requests.map(({ headers }) => headers['webhook-id']);
    assert.deepEqual([ids.length, new Set(ids).size, ids[0]], [2, 1, (await delivery())!.id]);
    for (const { body, headers } of server.requests) new Verifier(secret).verify(body, headers as Record<string, string>);
  },
);

it('a retry that was planned is made by another process', { timeout: 60_000 }, async (t) => {
  fleet = createFleet(engine, []);
  const statuses = [500, 503, 200];
  const server = await foreignServer(t, (_request, response) => void response.writeHead(statuses.shift()!).end());
  const { delivery } = await listening(t, server.origin);
  let runner = await fleet.start();
  await asked();
  for (const [attempts, ahead] of [
    [1, 10_000],
    [2, 60_000],
  ] as const) {
    // prettier-ignore
    await eventually(async () => (await delivery())?.attempts === attempts);
    await runner.kill();
    await queueIsAhead(ahead);
    runner = await fleet.start({ skewMs: ahead });
  }
  await eventually(async () => (await delivery())!.status === 'delivered');
  assert.deepEqual([server.requests.length, (await delivery())!.attempts], [3, 3]);
});

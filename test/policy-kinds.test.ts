// Policies of hours, places, data and approvers at work: what becomes of executions that they put off, refuse or stop for people.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { newId } from '#src/platform/ids.ts';
import type { NewPolicy } from '#src/policies/policy-service.ts';
import type { Authority } from '#src/authority/permission.ts';
import { looksAt, tool } from './harness/engine-looks.ts';
import { foreignServer } from './harness/foreign-server.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';
import { checkRows } from './harness/simulation-checks.ts';

let engine: HandEngine;
let admin: Authority;
before(async () => {
  engine = await handEngine({ 'lab.say': { run: ({ text }) => text ?? 'said' } });
  admin = await engine.authority(['admin']);
});
after(() => engine.close());
const { look, start, rows, rowOf } = looksAt(() => engine);

/** In force until the test has ended. */
async function policy(t: { after(work: () => Promise<unknown>): void }, input: Pick<NewPolicy, 'kind' | 'rules'>) {
  const { db, tenantId, services } = engine;
  const made = await db.database.write(tenantId, (uow) => services.policies.createPolicy(uow, admin, { name: `p-${newId()}`, ...input }));
  t.after(() => db.database.write(tenantId, (uow) => services.policies.deletePolicy(uow, admin, made.id)));
}
/** A window of an hour that opens in so many minutes by the engine's clock, in UTC. */
function window(minutes: number) {
  const at = (more: number) => new Date(engine.clock.now().getTime() + more * 60_000).toISOString().slice(11, 16);
  return { timezone: 'UTC', windows: [{ from: at(minutes), to: at(minutes + 60) }] };
}
const say = [{ id: 'say', ...tool('lab.say') }];

describe('hours', () => {
  it('put off a call until the window opens, to the second, and judge it anew then', async (t) => {
    await policy(t, {
      kind: 'time_window',
      rules: { ...window(90), actions: ['tool.call'], onViolation: 'delay_until_allowed', maxDelay: '2h' },
    });
    const id = await start(say);
    assert.equal((await look(id)).status, 'waiting');
    const [due] = await engine.later();
    assert.ok(due! > 89 * 60_000 && due! <= 90 * 60_000, String(due));
    engine.clock.advance(due! - 1);
    assert.equal(await engine.work(), 0);
    engine.clock.advance(1);
    await engine.work();
    assert.equal((await look(id)).status, 'succeeded');
    assert.deepEqual(
      (await rows(`select effect from decisions where execution_id = $1 and action = 'tool.call' order by id`, id)).map(
        ({ effect }) => effect,
      ),
      ['delay', 'allow'],
    );
    await checkRows(engine, id);
  });

  it('put off a start, and refuse one that would wait too long', async (t) => {
    const rules = { ...window(30), actions: ['execution.start'], onViolation: 'delay_until_allowed' };
    await policy(t, { kind: 'time_window', rules: { ...rules, maxDelay: '30m' } });
    const id = await start(say);
    assert.equal((await look(id)).status, 'scheduled');
    engine.clock.advance(30 * 60_000);
    await engine.work();
    assert.equal((await look(id)).status, 'succeeded');
    engine.clock.advance(60 * 60_000);
    const refused = await look(await start(say));
    assert.deepEqual([refused.status, refused.failure?.code], ['blocked', 'DENIED']);
    assert.match(refused.failure!.message, /later than the policy lets it wait/);
  });

  it('refuse at once where the policy says so', async (t) => {
    await policy(t, { kind: 'time_window', rules: { ...window(120), onViolation: 'reject', message: 'Come back later.' } });
    const { status, failure } = await look(await start(say));
    assert.equal(status, 'blocked');
    assert.match(failure!.message, /allows this only .* \(UTC\); now it is .* Come back later\./);
  });
});

describe('places', () => {
  it('refuse a request of an http step that its definition permits, before anything is sent', async (t) => {
    let asked = 0;
    const server = await foreignServer(t, (_request, response) => {
      asked += 1;
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    const http = (host: string) => ({
      id: 'call',
      http: { method: 'GET', url: `http://${host}:${server.port}/`, headers: {}, expect: [[200, 299]], maxBytes: 1_000 },
    });
    const more = { destinations: [`*.test:${server.port}`] };
    await policy(t, { kind: 'destination', rules: [{ effect: 'deny', hosts: ['evil.test'], message: 'not there.' }] });
    const blocked = await start([http('evil.test') as never], {}, more);
    assert.equal((await look(blocked)).status, 'blocked');
    assert.match((await rowOf(blocked, 'call')).failure.message, /refuses GET http:\/\/evil\.test:\d+: not there\./);
    assert.equal(asked, 0);
    assert.equal((await look(await start([http('api.test') as never], {}, more))).status, 'succeeded');
    assert.equal(asked, 1);
  });
});

describe('contents', () => {
  it('of inputs refuse the start; of arguments the call', async (t) => {
    await policy(t, { kind: 'content', rules: [{ effect: 'deny', words: ['secret plan'] }] });
    const start1 = await look(await start(say, { note: 'The SECRET PLAN' }));
    assert.deepEqual([start1.status, /inputs\.note/.test(start1.failure!.message)], ['blocked', true]);
    const id = await start([{ id: 'say', ...tool('lab.say', { text: 'a secret\u200b plan' }) }]);
    assert.equal((await look(id)).status, 'blocked');
    assert.match((await rowOf(id, 'say')).failure.message, /arguments\.text/);
  });
});

describe('conditions', () => {
  it('look at the arguments of each call, and at labels', async (t) => {
    await policy(t, {
      kind: 'tool_access',
      rules: [
        {
          effect: 'deny',
          tools: ['lab.*'],
          when: {
            all: [
              { path: 'arguments.amount', greater: 100 },
              { path: 'labels.trusted', notEquals: 'yes' },
            ],
          },
        },
      ],
    });
    const pay = (amount: number) => [{ id: 'say', ...tool('lab.say', { amount }) }];
    const statusOf = async (id: string) => (await look(id)).status;
    assert.deepEqual([await statusOf(await start(pay(100))), await statusOf(await start(pay(101)))], ['succeeded', 'blocked']);
    const { id } = await engine.start(await engine.agent(pay(101)), {}, { labels: { trusted: 'yes' } });
    await engine.work();
    assert.equal(await statusOf(id), 'succeeded');
  });
});

describe('approvers', () => {
  it('of a policy are those of the request that it makes', async (t) => {
    const approvers = { stages: [{ name: 'two admins', approvers: [{ role: 'admin' }], quorum: 2 }], warnBefore: '10m' };
    await policy(t, { kind: 'approval_required', rules: [{ tools: ['lab.say'], reason: 'look', expiresIn: '1h', approvers }] });
    const id = await start(say);
    const [approval] = await rows('select status, terms from approvals where execution_id = $1', id);
    assert.equal(approval.status, 'pending');
    assert.match(JSON.stringify(approval.terms), /"name":"two admins"/);
    assert.equal(approval.terms.stages[0].quorum, 2);
  });
});

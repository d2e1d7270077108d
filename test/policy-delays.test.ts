// What policies put off: steps and starts that wait for their turn or their hour, without polling, and pass the gate anew.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { newId } from '#src/platform/ids.ts';
import type { NewPolicy } from '#src/policies/policy-service.ts';
import type { Authority } from '#src/authority/permission.ts';
import { looksAt, tool } from './harness/engine-looks.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';
import { checkRows } from './harness/simulation-checks.ts';

let engine: HandEngine;
let admin: Authority;
before(async () => {
  engine = await handEngine({ 'lab.say': { run: ({ text }) => text ?? 'said' }, 'lab.other': { run: () => 'other' } });
  admin = await engine.authority(['admin']);
});
after(() => engine.close());
const { look, start, rows, types } = looksAt(() => engine);

/** In force until the test has ended. */
async function policy(t: { after(work: () => Promise<unknown>): void }, input: Omit<NewPolicy, 'name' | 'mode'> & Partial<NewPolicy>) {
  const { db, tenantId, services } = engine;
  const write = <T>(work: (uow: Parameters<Parameters<typeof db.database.write>[1]>[0]) => Promise<T>) => db.database.write(tenantId, work);
  const made = await write((uow) => services.policies.createPolicy(uow, admin, { name: `p-${newId()}`, mode: 'enforce', ...input }));
  t.after(() => write((uow) => services.policies.deletePolicy(uow, admin, made.id)));
  return made;
}
const calls = { count: 'tool_calls', limit: 1, window: '1m' } as const;

describe('a limit of tool calls', () => {
  it('that queues lets each call run at the moment its place is free, in order, and no job looks before', async (t) => {
    await policy(t, { kind: 'rate_limit', rules: { ...calls, onViolation: 'queue', maxDelay: '10m' } });
    const ids: string[] = [];
    for (let index = 0; index < 3; index += 1) ids.push(await start([{ id: 'say', ...tool('lab.say') }]));
    const statuses = async () => Promise.all(ids.map(async (id) => (await look(id)).status));
    assert.deepEqual(await statuses(), ['succeeded', 'waiting', 'waiting']);
    assert.deepEqual(await engine.later(), [60_000, 120_000]);
    engine.clock.advance(59_999);
    assert.equal(await engine.work(), 0);
    engine.clock.advance(1);
    await engine.work();
    assert.deepEqual(await statuses(), ['succeeded', 'succeeded', 'waiting']);
    engine.clock.advance(60_000);
    await engine.work();
    assert.deepEqual(await statuses(), ['succeeded', 'succeeded', 'succeeded']);
    assert.ok((await types(ids[2]!)).includes('step.deferred'));
    for (const id of ids) await checkRows(engine, id);
  });
});

describe('the start of an execution', () => {
  it('that a policy refuses ends blocked at once, with the reason, and no step runs', async (t) => {
    await policy(t, { kind: 'rate_limit', rules: { count: 'executions', limit: 1, window: '1h' } });
    assert.equal((await look(await start([{ id: 'say', ...tool('lab.say') }]))).status, 'succeeded');
    const id = await start([{ id: 'say', ...tool('lab.say') }]);
    const { status, failure } = await look(id);
    assert.equal(status, 'blocked');
    assert.equal(failure?.code, 'DENIED');
    assert.match(
      failure.message,
      /allows 1 start of an execution in 1h, and that many were made or wait for their turn; the next is possible from 2100-01-01T/,
    );
    assert.deepEqual(await types(id), ['execution.queued', 'execution.blocked']);
    await checkRows(engine, id);
  });

  it('that a rate limit queues is scheduled for its turn, and judged anew then', async (t) => {
    await policy(t, { kind: 'rate_limit', rules: { count: 'executions', limit: 1, window: '10m', onViolation: 'queue', maxDelay: '30m' } });
    const first = await start([{ id: 'say', ...tool('lab.say') }]);
    const second = await start([{ id: 'say', ...tool('lab.say') }]);
    assert.equal((await look(first)).status, 'succeeded');
    assert.equal((await look(second)).status, 'scheduled');
    engine.clock.advance(600_000);
    await engine.work();
    assert.equal((await look(second)).status, 'succeeded');
    assert.deepEqual((await types(second)).slice(0, 3), ['execution.queued', 'execution.deferred', 'execution.started']);
    const decisions = await rows(`select effect from decisions where execution_id = $1 and action = 'execution.start' order by id`, second);
    assert.deepEqual(decisions, [{ effect: 'queue' }, { effect: 'allow' }]);
    await checkRows(engine, second);
  });
});

describe('a start that a policy asks a person about', () => {
  const asks = { kind: 'approval_required', rules: [{ actions: ['execution.start'], expiresIn: '1h' }] } as const;
  const approvalOf = async (id: string) => (await rows('select * from approvals where execution_id = $1', id))[0];
  async function decide(id: string, decision: 'approve' | 'reject') {
    const { id: approvalId } = await approvalOf(id);
    const { db, tenantId, services, reviewer } = engine;
    await db.database.write(tenantId, (uow) => services.approvals.decide(uow, reviewer, { approvalId, decision, note: 'seen' }));
    await engine.work();
  }

  it('awaits the approval before it begins, and begins with it', async (t) => {
    await policy(t, asks);
    const id = await start([{ id: 'say', ...tool('lab.say') }], { a: 1 });
    assert.equal((await look(id)).status, 'awaiting_approval');
    const approval = await approvalOf(id);
    assert.deepEqual([approval.step_id, approval.source, approval.subject.arguments], [null, 'policy', { a: 1 }]);
    await checkRows(engine, id);
    await decide(id, 'approve');
    assert.equal((await look(id)).status, 'succeeded');
    assert.deepEqual((await types(id)).slice(0, 4), ['execution.queued', 'approval.requested', 'approval.approved', 'execution.started']);
    assert.notEqual((await approvalOf(id)).consumed_at, null);
    await checkRows(engine, id);
  });

  it('ends blocked when it is rejected, when nobody decides, and withdraws the request when it is cancelled', async (t) => {
    await policy(t, asks);
    const begin = () => start([{ id: 'say', ...tool('lab.say') }]);
    const [rejected, expired, cancelled] = [await begin(), await begin(), await begin()];
    await decide(rejected, 'reject');
    assert.deepEqual((await look(rejected)).failure, { code: 'APPROVAL_REJECTED', message: 'the start was rejected: seen' });
    await engine.cancel(cancelled);
    assert.deepEqual((await types(cancelled)).slice(-2), ['approval.cancelled', 'execution.cancelled']);
    assert.equal((await approvalOf(cancelled)).status, 'cancelled');
    engine.clock.advance(3_600_000);
    await engine.work();
    assert.equal((await look(expired)).failure?.code, 'APPROVAL_EXPIRED');
    assert.deepEqual((await types(expired)).slice(-2), ['approval.expired', 'execution.blocked']);
    for (const id of [rejected, expired, cancelled]) await checkRows(engine, id);
  });

  it('that is paused meanwhile begins once it is approved and resumed', async (t) => {
    await policy(t, asks);
    const id = await start([{ id: 'say', ...tool('lab.say') }]);
    const { db, tenantId, services, operator } = engine;
    await db.database.write(tenantId, (uow) => services.control.pauseExecution(uow, operator, { executionId: id }));
    await decide(id, 'approve');
    assert.equal((await look(id)).status, 'paused');
    await db.database.write(tenantId, (uow) => services.control.resumeExecution(uow, operator, { executionId: id }));
    await engine.work();
    assert.equal((await look(id)).status, 'succeeded');
    await checkRows(engine, id);
  });

  it('of an agent step waits in the execution that was to be started, and fails the step when it is refused', async (t) => {
    const childId = await engine.agent([{ id: 'say', ...tool('lab.say') }]);
    await policy(t, { ...asks, scope: { agentId: childId } });
    const id = await start([{ id: 'sub', kind: 'agent', agent: { name: `a-${childId}`, with: {}, onParentEnd: 'cancel' } }]);
    const [child] = await rows('select id from executions where parent_id = $1', id);
    assert.equal((await look(child.id)).status, 'awaiting_approval');
    assert.equal((await look(id)).status, 'waiting');
    await decide(child.id, 'reject');
    assert.equal((await look(id)).status, 'failed');
    await checkRows(engine, id);
  });

  it('is refused within an agent step when policies deny it', async (t) => {
    const childId = await engine.agent([{ id: 'say', ...tool('lab.say') }]);
    await policy(t, { kind: 'rate_limit', scope: { agentId: childId }, rules: { count: 'executions', limit: 1, window: '1h' } });
    const step = { id: 'sub', kind: 'agent', agent: { name: `a-${childId}`, with: {}, onParentEnd: 'cancel' } } as const;
    assert.equal((await look(await start([step]))).status, 'succeeded');
    const id = await start([step]);
    assert.equal((await look(id)).status, 'failed');
    const failed = (await engine.events(id)).find(({ type }) => type === 'step.failed')!;
    assert.equal((failed.data['failure'] as { code: string }).code, 'CHILD_BLOCKED');
    await checkRows(engine, id);
  });
});

describe('hours outside which things wait', () => {
  // The clock of these tests begins on a Friday, 2100-01-01, at 00:00.
  const nights = { kind: 'time_window', rules: { timezone: 'UTC', onViolation: 'delay_until_allowed', maxDelay: '30d' } } as const;
  const tomorrow = () => new Date(Math.floor(engine.clock.now().getTime() / 86_400_000 + 1) * 86_400_000);
  const opens = { from: '03:00', to: '03:30' };

  it('put a step and a start off until they open, whatever else is in their way', async (t) => {
    const rules = { ...nights.rules, windows: [opens] };
    const lateAgent = await engine.agent([{ id: 'say', ...tool('lab.say') }]);
    await policy(t, { ...nights, rules: { ...rules, actions: ['execution.start'] }, scope: { agentId: lateAgent } });
    await policy(t, { ...nights, rules: { ...rules, actions: ['tool.call'], tools: ['lab.other'] } });
    const asks = await policy(t, { kind: 'approval_required', rules: [{ tools: ['lab.other'], expiresIn: '2d' }] });
    await policy(t, { kind: 'rate_limit', rules: { ...calls, tools: ['lab.other'], onViolation: 'queue' } });
    engine.clock.advance(tomorrow().getTime() - engine.clock.now().getTime());

    const late = (await engine.start(lateAgent)).id;
    const ids = [await start([{ id: 'other', ...tool('lab.other') }]), await start([{ id: 'other', ...tool('lab.other') }])];
    assert.equal((await look(late)).status, 'scheduled');
    const opening = 3 * 3_600_000;
    assert.equal((await look(late)).startAt!.getTime() - engine.clock.now().getTime(), opening);
    const { db, tenantId, services, reviewer } = engine;
    for (const id of ids) {
      assert.equal((await look(id)).status, 'waiting', 'an approval comes first');
      const [approval] = await rows('select id from approvals where execution_id = $1', id);
      await db.database.write(tenantId, (uow) =>
        services.approvals.decide(uow, reviewer, { approvalId: approval.id, decision: 'approve' }),
      );
      await engine.work();
      assert.deepEqual((await types(id, 'other')).slice(-2), ['approval.approved', 'step.deferred']);
    }
    engine.clock.advance(opening);
    await engine.work();
    const statuses = async () => Promise.all([late, ...ids].map(async (id) => (await look(id)).status));
    assert.deepEqual(await statuses(), ['succeeded', 'succeeded', 'waiting'], 'both are due, and one may be called in a minute');
    engine.clock.advance(60_000);
    await engine.work();
    assert.deepEqual(await statuses(), ['succeeded', 'succeeded', 'succeeded']);
    const findings = await rows(`select effect from decisions where execution_id = $1 and action = 'tool.call' order by id`, ids[1]!);
    assert.deepEqual(new Set(findings.map(({ effect }) => effect)), new Set(['require_approval']));
    assert.ok(asks.id);
    for (const id of [late, ...ids]) await checkRows(engine, id);
  });

  it('leave nothing behind when the runner dies in any of the transactions on the way', async (t) => {
    await policy(t, { kind: 'rate_limit', rules: { ...calls, onViolation: 'queue' } });
    for (let at = 0; at < 6; at += 1) {
      for (const fate of ['inside', 'after'] as const) {
        await start([{ id: 'first', ...tool('lab.say') }]);
        engine.dieAt((write) => (write === at ? fate : null));
        const id = await start([{ id: 'say', ...tool('lab.say') }]);
        engine.clock.advance(120_000);
        await engine.work();
        engine.dieAt(null);
        await engine.work();
        // The attempt that was lost has counted, so the next one has to wait for its turn.
        engine.clock.advance(120_000);
        await engine.work();
        assert.equal((await look(id)).status, 'succeeded', `${fate} ${at}`);
        await checkRows(engine, id);
        engine.clock.advance(120_000);
      }
    }
  });

  it('hold an execution that was to start later when its time comes, not when it is requested', async (t) => {
    const agentId = await engine.agent([{ id: 'say', ...tool('lab.say') }]);
    await policy(t, {
      kind: 'time_window',
      scope: { agentId },
      rules: { timezone: 'UTC', windows: [opens], actions: ['execution.start'] },
    });
    const from = tomorrow().getTime();
    const at = (ms: number) => engine.start(agentId, {}, { startAt: new Date(from + ms) });
    const [early, inTime] = [await at(2 * 3_600_000), await at(3 * 3_600_000 + 60_000)];
    assert.deepEqual([early.status, inTime.status], ['scheduled', 'scheduled']);
    engine.clock.advance(from + 4 * 3_600_000 - engine.clock.now().getTime() - 3_600_000 + 120_000);
    await engine.work();
    assert.equal((await look(inTime.id)).status, 'succeeded');
  });
});

// What policies put off: steps and starts that wait for their turn or their hour, without polling, and pass the gate anew.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { newId } from '#src/platform/ids.ts';
import type { NewPolicy } from '#src/policies/policy-service.ts';
import type { Authority } from '#src/principals/permission.ts';
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
const entries = () => rows('select key, asked_at is not null as waits, slot from rate_entries order by at');

describe('a limit of tool calls', () => {
  it('that queues lets each call run at the moment its place is free, in order, and no job looks before', async (t) => {
    await policy(t, { kind: 'rate_limit', rules: { ...calls, onViolation: 'queue', maxDelay: '10m' } });
    const ids = [];
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
    assert.match(failure.message, /allows 1 starts of executions in 1h, and 1 count already; one more is possible from 2100-01-01T/);
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

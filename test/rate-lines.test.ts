// Lines of rate limits move up: when somebody in line does not need its moment, the next one has it, in order, and the limit stays exact.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { newId } from '#src/platform/ids.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import type { RateLimitRules } from '#src/rules/rate-rules.ts';
import type { Authority } from '#src/authority/permission.ts';
import { keepCounted, mostWithin, type Counted } from './harness/counted.ts';
import { looksAt, tool } from './harness/engine-looks.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';
import { randomOf } from './harness/random.ts';
import { checkRows } from './harness/simulation-checks.ts';

let engine: HandEngine;
let admin: Authority;
let counted: Counted;
before(async () => {
  engine = await handEngine({ 'lab.say': { run: () => 'said' } });
  admin = await engine.authority(['admin']);
  counted = await keepCounted({ ownerUrl: engine.db.ownerUrl, tenantId: engine.tenantId });
});
after(async () => {
  await counted.close();
  await engine.close();
});
const { look, types } = looksAt(() => engine);

const minute = 60_000;
const write = <T>(work: (uow: UnitOfWork) => Promise<T>) => engine.db.database.write(engine.tenantId, work);

/** A limit of calls of an agent that no other test has, with a line of those that it puts off; `run` starts one more. */
async function line(
  rules: Partial<RateLimitRules> = {},
  step: Parameters<HandEngine['agent']>[0][number] = { id: 'say', ...tool('lab.say') },
) {
  const agentId = await engine.agent([step]);
  const { id } = await write((uow) =>
    engine.services.policies.createPolicy(uow, admin, {
      ...{ name: `p-${newId()}`, kind: 'rate_limit', mode: 'enforce', scope: { agentId } },
      rules: { count: 'tool_calls', limit: 1, window: '1m', onViolation: 'queue', maxDelay: '30d', ...rules },
    }),
  );
  const run = async () => {
    const started = await engine.start(agentId);
    await engine.work();
    return started.id;
  };
  return {
    agentId,
    policyId: id,
    run,
    many: async (count: number) => {
      const ids: string[] = [];
      while (ids.length < count) ids.push(await run());
      return ids;
    },
  };
}

const statuses = (ids: readonly string[]) => Promise.all(ids.map(async (id) => (await look(id)).status));
/** Lets time pass to `ms` from `since` and does what is due; gives who has run by then, by index. */
async function goneAt(ids: readonly string[], since: number, ms: number): Promise<number[]> {
  engine.clock.advance(since + ms - engine.clock.now().getTime());
  await engine.work();
  return (await statuses(ids)).flatMap((status, index) => (status === 'succeeded' ? [index] : []));
}
const now = () => engine.clock.now().getTime();

describe('when somebody leaves a line', () => {
  it('from its middle, each one behind goes at the moment of the one before it, not later and not earlier', async () => {
    const { many, policyId } = await line();
    const since = now();
    const ids = await many(6);
    await engine.cancel(ids[2]!);
    assert.deepEqual(await goneAt(ids, since, 0), [0]);
    assert.deepEqual(await goneAt(ids, since, minute), [0, 1]);
    assert.deepEqual(await goneAt(ids, since, 2 * minute - 1), [0, 1]);
    assert.deepEqual(await goneAt(ids, since, 2 * minute), [0, 1, 3]);
    assert.deepEqual(await goneAt(ids, since, 3 * minute), [0, 1, 3, 4]);
    assert.deepEqual(await goneAt(ids, since, 4 * minute), [0, 1, 3, 4, 5]);
    assert.equal(mostWithin(await counted.momentsOf(policyId), minute), 1);
    assert.deepEqual((await types(ids[3]!, 'say')).slice(0, 4), ['step.queued', 'step.deferred', 'step.queued', 'step.started']);
    for (const id of ids) await checkRows(engine, id);
  });

  it('the first, several at once, and those of one moment: all behind move up by as many', async () => {
    const { many, policyId } = await line({ limit: 2 });
    const since = now();
    const ids = await many(12);
    for (const index of [2, 3, 5, 8]) await engine.cancel(ids[index]!);
    assert.deepEqual(await goneAt(ids, since, minute - 1), [0, 1]);
    assert.deepEqual(await goneAt(ids, since, minute), [0, 1, 4, 6]);
    assert.deepEqual(await goneAt(ids, since, 2 * minute), [0, 1, 4, 6, 7, 9]);
    assert.deepEqual(await goneAt(ids, since, 3 * minute), [0, 1, 4, 6, 7, 9, 10, 11]);
    assert.equal(mostWithin(await counted.momentsOf(policyId), minute), 2);
    for (const id of ids) await checkRows(engine, id);
  });

  it('after its moment without having gone, the next one goes at once', async () => {
    const { many } = await line();
    const since = now();
    const ids = await many(3);
    await write((uow) => engine.services.control.pauseExecution(uow, engine.operator, { executionId: ids[1]! }));
    assert.deepEqual(await goneAt(ids, since, minute + 20_000), [0]);
    await engine.cancel(ids[1]!);
    assert.deepEqual(await goneAt(ids, since, minute + 20_000), [0, 2]);
  });

  it('who is refused gives its moment to the next one, too', async () => {
    const { many, agentId } = await line();
    const since = now();
    const ids = await many(4);
    await engine.cancel(ids[1]!);
    const denial = await write((uow) =>
      engine.services.policies.createPolicy(uow, admin, {
        ...{ name: `p-${newId()}`, kind: 'tool_access', mode: 'enforce', scope: { agentId } },
        rules: [{ effect: 'deny', tools: ['lab.say'] }],
      }),
    );
    engine.clock.advance(since + minute - now());
    while ((await look(ids[2]!)).status !== 'blocked') assert.ok(await engine.workOnce());
    await write((uow) => engine.services.policies.deletePolicy(uow, admin, denial.id));
    assert.deepEqual(await goneAt(ids, since, minute), [0, 3]);
  });

  it('a start that waits in it is judged anew at the freed moment, and begins', async () => {
    const { many, policyId } = await line({ count: 'executions' });
    const since = now();
    const ids = await many(4);
    assert.deepEqual(await statuses(ids), ['succeeded', 'scheduled', 'scheduled', 'scheduled']);
    await engine.cancel(ids[1]!);
    assert.deepEqual(await goneAt(ids, since, minute - 1), [0]);
    assert.deepEqual(await goneAt(ids, since, minute), [0, 2]);
    assert.deepEqual(await goneAt(ids, since, 2 * minute), [0, 2, 3]);
    assert.deepEqual((await types(ids[2]!)).slice(0, 4), [
      'execution.queued',
      'execution.deferred',
      'execution.deferred',
      'execution.started',
    ]);
    assert.equal(mostWithin(await counted.momentsOf(policyId), minute), 1);
    for (const id of ids) await checkRows(engine, id);
  });

  it('who is paused holds up nobody for ever: all go in the end, and the limit holds', async () => {
    const { many, policyId } = await line();
    const since = now();
    const ids = await many(5);
    const control = engine.services.control;
    await write((uow) => control.pauseExecution(uow, engine.operator, { executionId: ids[2]! }));
    await engine.cancel(ids[1]!);
    for (const [minutes, gone] of [
      [1, [0]],
      [2, [0]],
      [3, [0, 3]],
      [4, [0, 3, 4]],
    ] as const) {
      assert.deepEqual(await goneAt(ids, since, minutes * minute), gone);
    }
    await write((uow) => control.resumeExecution(uow, engine.operator, { executionId: ids[2]! }));
    assert.deepEqual(await goneAt(ids, since, 5 * minute), [0, 2, 3, 4]);
    assert.equal(mostWithin(await counted.momentsOf(policyId), minute), 1);
  });

  it('with nobody behind it, no job is left; of a whole line that goes, one for each of its moments at most', async () => {
    const jobs = () => engine.jobsNamed('move-line-up');
    const ids = await (await line()).many(4);
    await engine.cancel(ids.at(-1)!);
    assert.equal(await jobs(), 0);
    const crowd = await (await line({ limit: 3 })).many(12);
    for (const id of crowd.slice(3)) await engine.cancel(id);
    // Three moments, and one look at once.
    assert.equal(await jobs(), 4);
    engine.clock.advance(10 * minute);
    await engine.work();
    assert.equal(await jobs(), 0);
  });

  it('all of it by one bulk operation, no job is left either', async () => {
    const { many, agentId } = await line({ count: 'executions' });
    const ids = await many(5);
    await write((uow) => engine.services.bulkCancel.cancelExecutions(uow, engine.operator, { filter: { agentId } }));
    while ((await look(ids[1]!)).status !== 'cancelled') assert.ok(await engine.workOnce());
    assert.deepEqual(await statuses(ids.slice(1)), ['cancelled', 'cancelled', 'cancelled', 'cancelled']);
    assert.equal(await engine.jobsNamed('move-line-up'), 0);
  });
});

it('a call of an agent that runs elsewhere may be made at the freed moment, and not before', async () => {
  const { agentId, policyId } = await line({}, { id: 'say', ...tool('lab.say') });
  const loop = await engine.authority(['service']);
  const { toolCalls } = engine.services;
  const ask = (idempotencyKey: string) =>
    write((uow) =>
      toolCalls.authorizeToolCall(uow, loop, { agentId, environmentId: engine.environmentId, tool: 'lab.say', idempotencyKey }),
    );
  const read = async (id: string) => (await write((uow) => toolCalls.toolCallsByIds(uow, loop, [id])))[0]!;
  const since = now();
  const [first, second, third, fourth] = [await ask('1'), await ask('2'), await ask('3'), await ask('4')];
  assert.deepEqual([first, second, third, fourth].map(({ status }) => status), ['allowed', 'waiting', 'waiting', 'waiting']); // prettier-ignore
  assert.equal(fourth.notBefore!.getTime() - since, 3 * minute);
  // Refused meanwhile: it gives its place back.
  const denial = await write((uow) =>
    engine.services.policies.createPolicy(uow, admin, {
      ...{ name: `p-${newId()}`, kind: 'tool_access', mode: 'enforce', scope: { agentId } },
      rules: [{ effect: 'deny', tools: ['lab.say'] }],
    }),
  );
  assert.equal((await ask('2')).status, 'refused');
  await write((uow) => engine.services.policies.deletePolicy(uow, admin, denial.id));
  engine.clock.advance(minute - 1);
  await engine.work();
  assert.equal((await read(third.id)).notBefore!.getTime() - since, 2 * minute);
  engine.clock.advance(1);
  await engine.work();
  assert.equal((await read(third.id)).notBefore!.getTime() - since, minute);
  assert.equal((await read(fourth.id)).notBefore!.getTime() - since, 3 * minute, 'not before the third has gone');
  assert.equal((await ask('3')).status, 'allowed');
  engine.clock.advance(minute);
  await engine.work();
  assert.equal((await ask('4')).status, 'allowed');
  assert.equal(mostWithin(await counted.momentsOf(policyId), minute), 1);
});

it('a runner that dies in any transaction on the way takes nobody’s moment along', async () => {
  for (const fate of ['inside', 'after'] as const) {
    for (let at = 0; at < 6; at += 1) {
      const { many } = await line();
      const since = now();
      const ids = await many(4);
      await engine.cancel(ids[1]!);
      engine.dieAt((write) => (write === at ? fate : null));
      engine.clock.advance(minute);
      await engine.work();
      engine.dieAt(null);
      assert.ok((await goneAt(ids, since, minute)).length >= 1);
      // An attempt that was lost has counted: the same one goes again in its turn.
      await goneAt(ids, since, 4 * minute);
      assert.deepEqual(await goneAt(ids, since, 5 * minute), [0, 2, 3], `${fate} ${at}`);
      for (const id of ids) await checkRows(engine, id);
    }
  }
});

it('in random lives with starts and leaving: in order, as early as a model says, never beyond the limit', async () => {
  const random = randomOf(11);
  const below = (most: number) => Math.floor(random() * most);
  for (let life = 0; life < 6; life += 1) {
    const limit = 1 + below(3);
    const { run, policyId } = await line({ limit });
    /** What is there to wait for by the model: ids in order, and when each has gone. */
    const waiting: string[] = [];
    const gone: { id: string; at: number }[] = [];
    const settle = async () => {
      while (waiting.length > 0 && gone.filter(({ at }) => at > now() - minute).length < limit)
        gone.push({ id: waiting.shift()!, at: now() });
      await engine.work();
      assert.deepEqual(new Set(await statuses(gone.map(({ id }) => id))), new Set(gone.length > 0 ? ['succeeded'] : []), `life ${life}`);
      assert.deepEqual(new Set(await statuses(waiting)), new Set(waiting.length > 0 ? ['waiting'] : []), `life ${life}`);
    };
    for (let move = 0; move < 40; move += 1) {
      const chance = random();
      if (chance < 0.4) waiting.push(await run());
      else if (chance < 0.65 && waiting.length > 0) {
        const [left] = waiting.splice(below(waiting.length), 1);
        await engine.cancel(left!);
      } else await elapse(below(40_000));
      await settle();
    }
    while (waiting.length > 0) {
      await elapse(minute);
      await settle();
    }
    assert.ok(mostWithin(await counted.momentsOf(policyId), minute) <= limit);

    /** From moment to moment at which the model lets somebody go. */
    async function elapse(milliseconds: number): Promise<void> {
      const end = now() + milliseconds;
      for (;;) {
        const next = gone.map(({ at }) => at + minute).filter((at) => at > now() && at <= end);
        if (next.length === 0) break;
        engine.clock.advance(Math.min(...next) - now());
        await settle();
      }
      engine.clock.advance(end - now());
    }
  }
});

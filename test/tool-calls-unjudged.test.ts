// What is answered about calls that cannot be judged: locks that are held, a database that fails, policies that break. Closed for what is
// risky, as configured for the rest, and recorded as what it was.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { changeRules } from '#src/authority/rules-lock.ts';
import type { NewPolicy } from '#src/policies/policy-service.ts';
import { code, outsideAgent, type Outside } from './harness/tool-calls.ts';

const timeoutMs = 300;
let strict: Outside;
let lenient: Outside;
before(async () => {
  strict = await outsideAgent({ toolCalls: { timeoutMs, onError: 'deny' } });
  lenient = await outsideAgent({ toolCalls: { timeoutMs, onError: 'allow' } });
});
after(() => Promise.all([strict.api.close(), lenient.api.close()]));

/** While `work` runs, a change of rules of the tenant is under way and does not end. */
async function whileRulesChange({ api }: Outside, work: () => Promise<void>): Promise<void> {
  const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const change = api.home.write(async (uow) => {
    await changeRules(uow);
    begun.resolve();
    await ended.promise;
  });
  await Promise.race([begun.promise, change]);
  try {
    await work();
  } finally {
    ended.resolve();
    await change;
  }
}

/** By the analysis of its arguments, whatever the tool. */
const calls = {
  low: { tool: 'custom.search_docs', arguments: { text: 'x' } },
  medium: { tool: 'custom.search_docs', arguments: { text: 'a\u200bb' } },
  high: { tool: 'custom.pay', arguments: { amount: 1 } },
  critical: { tool: 'builtin.Bash', arguments: { command: 'rm -rf /' } },
};

test('a call that is not judged in time is refused whatever its risk, and recorded as such; its key stays refused', async () => {
  await whileRulesChange(strict, async () => {
    for (const [risk, call] of Object.entries(calls)) {
      const refused = await strict.authorize({ ...call, idempotencyKey: risk });
      assert.equal(refused.status, 'REFUSED', risk);
      assert.match(
        refused.reasons[0]!,
        new RegExp(`^It could not be judged in time \\(.* ${timeoutMs} ms\\), so it is refused \\(risk ${risk}\\)`),
      );
      const decision = await strict.decisionOf(risk);
      assert.deepEqual([decision.effect, decision.reasons, decision.input.tool.risk], ['deny', refused.reasons, risk]);
    }
  });
  const { status, id } = await strict.authorize({ ...calls.low, idempotencyKey: 'low' });
  assert.equal(status, 'REFUSED', 'also when judging works again');
  await assert.rejects(strict.report(id, 'x'), code('INVALID_STATE'));
  assert.equal((await strict.authorize(calls.low)).status, 'ALLOWED', 'a new key is judged');
  const logged = strict.api.logs.filter(({ msg }) => msg === 'a tool call could not be judged');
  assert.equal(logged.length, 4, 'the operator can read why');
});

test('where settings say so, calls of low and medium risk go through unjudged, recorded as such; riskier ones never', async () => {
  await whileRulesChange(lenient, async () => {
    for (const [risk, call] of Object.entries(calls)) {
      const answer = await lenient.authorize({ ...call, idempotencyKey: risk });
      const isMinor = risk === 'low' || risk === 'medium';
      assert.equal(answer.status, isMinor ? 'ALLOWED' : 'REFUSED', risk);
      const decision = await lenient.decisionOf(risk);
      assert.deepEqual([decision.effect, decision.reasons], [isMinor ? 'allow' : 'deny', answer.reasons]);
      assert.match(answer.reasons[0]!, /could not be judged in time/);
      if (isMinor) assert.match(answer.reasons[0]!, /setting toolCalls\.onError/);
    }
    const foreign = await lenient.authorize({ tool: 'custom.search_other', arguments: {} });
    assert.equal(foreign.status, 'REFUSED', 'what the definition does not list');
  });
});

test('what a kill switch stops, and what waits for people, does not go through because judging fails', async () => {
  const { api, authorize, withPolicy, rows, decisionOf } = lenient;
  const { write, admin } = api.home;
  const { killSwitches } = api.services;
  const pattern = 'custom.search_*';
  const { id } = await write((uow) => killSwitches.engageKillSwitch(uow, admin, { scope: 'tool', pattern, reason: 'stop' }));
  await whileRulesChange(lenient, async () => {
    const stopped = await authorize({ ...calls.low, idempotencyKey: 'stopped' });
    assert.equal(stopped.status, 'REFUSED');
    assert.match(stopped.reasons.join(), /A kill switch stops this: stop/);
    assert.deepEqual((await decisionOf('stopped')).input.killSwitches, [{ id, reason: 'stop' }]);
  });
  await write((uow) => killSwitches.releaseKillSwitch(uow, admin, { killSwitchId: id }));
  const rules: NewPolicy['rules'] = [{ tools: ['custom.search_docs'], expiresIn: '1h' }];
  await withPolicy({ kind: 'approval_required', rules }, async () => {
    const waiting = { ...calls.low, idempotencyKey: 'waiting' };
    assert.equal((await authorize(waiting)).status, 'AWAITING_APPROVAL');
    await whileRulesChange(lenient, async () => assert.equal((await authorize(waiting)).status, 'REFUSED'));
    const approvals = await rows(`select status from approvals where tenant_id = $1 and tool_call_id is not null`);
    assert.deepEqual(approvals, [{ status: 'cancelled' }]);
  });
});

test('when not even the refusal can be recorded there is an error, which is no permission; nothing is half-written', async () => {
  const { api, ask, authorize, rows } = lenient;
  const client = new pg.Client({ connectionString: api.ownerUrl });
  await client.connect();
  const count = () =>
    rows(
      'select (select count(*) from tool_calls where tenant_id = $1) as calls, (select count(*) from decisions where tenant_id = $1) as decisions',
    );
  const before = await count();
  await client.query('begin; lock table tool_calls in access exclusive mode');
  await assert.rejects(ask({ ...calls.low, idempotencyKey: 'nowhere' }), code('INTERNAL'));
  await client.query('rollback');
  await client.end();
  assert.deepEqual(await count(), before);
  assert.equal((await authorize({ ...calls.low, idempotencyKey: 'nowhere' })).status, 'ALLOWED', 'and the key is as good as new');
});

test('an error in judging is no permission either; of the failed attempt nothing stays', async () => {
  const { api, authorize, rows, decisionOf } = lenient;
  const { gate } = api.services;
  const original = gate.judge;
  gate.judge = async (uow, ...rest) => {
    await original(uow, ...rest);
    return Promise.reject(new Error('the gate is broken'));
  };
  const before = await rows('select count(*)::int as n from decisions where tenant_id = $1');
  try {
    assert.equal((await authorize({ ...calls.high, idempotencyKey: 'broken' })).status, 'REFUSED');
    const allowed = await authorize({ ...calls.low, idempotencyKey: 'broken-low' });
    assert.equal(allowed.status, 'ALLOWED');
    assert.match(allowed.reasons[0]!, /^It could not be judged because of an error, so it is allowed/);
    assert.ok(!JSON.stringify(allowed).includes('broken"'), 'agents learn nothing of the error');
  } finally {
    gate.judge = original;
  }
  assert.equal((await decisionOf('broken')).effect, 'deny');
  assert.equal((await rows('select count(*)::int as n from decisions where tenant_id = $1'))[0].n, before[0].n + 2);
});

test('when the database drops the connection while it judges, the refusal is recorded through another one', async () => {
  const { api, authorize, decisionOf } = strict;
  const { gate } = api.services;
  const original = gate.judge;
  gate.judge = async (uow) => {
    await uow.rows('select pg_terminate_backend(pg_backend_pid())');
    throw new Error('not reached');
  };
  try {
    assert.equal((await authorize({ ...calls.low, idempotencyKey: 'dropped' })).status, 'REFUSED');
  } finally {
    gate.judge = original;
  }
  assert.match((await decisionOf('dropped')).reasons[0], /^It could not be judged because of an error/);
});

test('a report that cannot be judged in time is an error; it is taken when it is told again', async () => {
  const { authorize, report, loop } = strict;
  const call = await authorize();
  await whileRulesChange(strict, async () => {
    await assert.rejects(report(call.id, { text: 'a' }), code('INTERNAL'));
  });
  assert.equal((await loop.toolCall({ id: call.id }))!.status, 'ALLOWED', 'nothing is half-written');
  assert.deepEqual((await report(call.id, { text: 'a' })).output, { text: 'a' });
});

test('a policy that cannot be evaluated refuses calls of high risk, and says what its onError says of the rest; that is recorded', async () => {
  const { authorize, withPolicy, decisionOf } = strict;
  let deep: unknown = 'https://example.com';
  for (let depth = 0; depth < 40; depth++) deep = { deep };
  for (const onError of ['allow', 'deny'] as const) {
    await withPolicy({ kind: 'destination', rules: [{ effect: 'deny', hosts: ['evil.example'] }], onError }, async () => {
      const key = `fails-${onError}`;
      const low = await authorize({ tool: 'custom.fetch_page', arguments: { deep }, idempotencyKey: key });
      assert.equal(low.status, onError === 'allow' ? 'ALLOWED' : 'REFUSED');
      const { findings } = await decisionOf(key);
      assert.deepEqual(
        findings.map(({ failed, effect }: any) => [failed, effect]),
        [[true, onError]],
      );
      const high = await authorize({ tool: 'custom.http_post', arguments: { deep }, idempotencyKey: `${key}-high` });
      assert.equal(high.status, 'REFUSED');
      assert.deepEqual(
        (await decisionOf(`${key}-high`)).findings.map(({ failed, effect }: any) => [failed, effect]),
        [[true, 'deny']],
      );
    });
  }
});

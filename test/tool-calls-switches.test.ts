// Kill switches and approvals of calls that agents make elsewhere: what is stopped, what stays approved, what is asked no more.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { EngageKillSwitch } from '#src/killswitches/kill-switch-service.ts';
import { code, outsideAgent, type Outside } from './harness/tool-calls.ts';

let outside: Outside;
before(async () => {
  outside = await outsideAgent();
});
after(() => outside.api.close());

async function engage(change: Omit<EngageKillSwitch, 'reason'>): Promise<{ readonly id: string; release(): Promise<unknown> }> {
  const { home, services } = outside.api;
  const { id } = await home.write((uow) => services.killSwitches.engageKillSwitch(uow, home.admin, { ...change, reason: 'stop' }));
  const release = () => home.write((uow) => services.killSwitches.releaseKillSwitch(uow, home.admin, { killSwitchId: id }));
  return { id, release };
}
const fetchPage = (url: string) => ({ tool: 'custom.fetch_page', arguments: { url } });
const payments = { kind: 'approval_required', rules: [{ tools: ['custom.pay'], expiresIn: '1h' }] } as const;

test('a switch of every scope stops what it covers and nothing else; once released, the same key goes on', async () => {
  const { api, agent, authorize, report, decisionOf } = outside;
  const { home } = api;
  const page = fetchPage('https://api.partner.example/orders');
  const cases: [EngageKillSwitch['scope'], Partial<EngageKillSwitch>, stopped: object, untouched: object | null][] = [
    ['tenant', {}, {}, null],
    ['project', { scopeId: home.project }, {}, null],
    ['environment', { scopeId: home.staging }, {}, null],
    ['agent', { scopeId: agent }, {}, null],
    ['tool', { pattern: 'custom.pay' }, {}, page],
    ['destination', { pattern: '*.partner.example' }, page, fetchPage('https://partner.example/')],
    [
      'destination',
      { pattern: 'api.partner.example' },
      fetchPage('HTTPS://user@API.Partner.Example.:443/x'),
      fetchPage('https://example.com'),
    ],
    ['project', { scopeId: home.otherProject }, page, {}],
  ];
  for (const [index, [scope, where, stopped, untouched]] of cases.entries()) {
    const { id, release } = await engage({ scope, ...where });
    const key = `${scope}-${index}`;
    const isOther = where.scopeId === home.otherProject;
    const call = await authorize({ ...stopped, idempotencyKey: key });
    assert.equal(call.status, isOther ? 'ALLOWED' : 'WAITING', key);
    if (untouched) assert.equal((await authorize(untouched)).status, 'ALLOWED', `${key} stops too much`);
    if (!isOther) {
      assert.match(call.reasons[0]!, /A kill switch stops this: stop/);
      assert.equal(call.notBefore, null);
      const { effect, input } = await decisionOf(key);
      assert.deepEqual([effect, input.killSwitches], ['deny', [{ id, reason: 'stop' }]]);
      await assert.rejects(report(call.id, 'x'), code('INVALID_STATE'));
      assert.equal((await authorize({ ...stopped, idempotencyKey: key })).status, 'WAITING', 'as often as it asks');
    }
    await release();
    assert.deepEqual([(await authorize({ ...stopped, idempotencyKey: key })).status], ['ALLOWED'], key);
  }
});

test('a call that waits for an approval is not allowed while a switch is engaged, and its approval is not used up', async () => {
  const { api, authorize, reviewer, withPolicy, rows } = outside;
  const consumed = async () =>
    (await rows('select consumed_at is not null as used from approvals where tenant_id = $1 order by id desc limit 1'))[0].used as boolean;
  await withPolicy(payments, async () => {
    const call = await authorize({ idempotencyKey: 'approved meanwhile' });
    assert.equal(call.status, 'AWAITING_APPROVAL');
    const { release } = await engage({ scope: 'agent', scopeId: outside.agent });
    assert.equal((await authorize({ idempotencyKey: 'approved meanwhile' })).status, 'WAITING');
    await reviewer.decideApproval({ input: { approvalId: call.approvalId!, decision: 'APPROVE' } });
    const stopped = await authorize({ idempotencyKey: 'approved meanwhile' });
    assert.deepEqual([stopped.status, stopped.approvalId], ['WAITING', call.approvalId]);
    assert.equal(await consumed(), false);
    await release();
    const allowed = await authorize({ idempotencyKey: 'approved meanwhile' });
    assert.deepEqual([allowed.status, allowed.approvalId], ['ALLOWED', call.approvalId], 'nobody is asked twice');
    assert.equal(await consumed(), true);

    // One that is new under a switch asks nobody: people are asked once it could run.
    const other = await engage({ scope: 'tenant' });
    const fresh = await authorize({ idempotencyKey: 'new' });
    assert.deepEqual([fresh.status, fresh.approvalId], ['WAITING', null]);
    await other.release();
    assert.equal((await authorize({ idempotencyKey: 'new' })).status, 'AWAITING_APPROVAL');
    assert.equal(api.calls.length, 0);
  });
});

test('a rejection under a switch refuses for good', async () => {
  const { authorize, reviewer, withPolicy } = outside;
  await withPolicy(payments, async () => {
    const call = await authorize({ idempotencyKey: 'rejected meanwhile' });
    const { release } = await engage({ scope: 'tool', pattern: 'custom.*' });
    await reviewer.decideApproval({ input: { approvalId: call.approvalId!, decision: 'REJECT', note: 'no' } });
    assert.equal((await authorize({ idempotencyKey: 'rejected meanwhile' })).status, 'REFUSED');
    await release();
    assert.equal((await authorize({ idempotencyKey: 'rejected meanwhile' })).status, 'REFUSED');
  });
});

test('what was allowed before a switch was engaged is not allowed again after a crash; it can still be reported', async () => {
  const { authorize, report } = outside;
  const key = { idempotencyKey: 'asked again' };
  const call = await authorize(key);
  assert.equal(call.status, 'ALLOWED');
  const { release } = await engage({ scope: 'tool', pattern: 'custom.pay' });
  const again = await authorize(key);
  assert.deepEqual([again.id, again.status], [call.id, 'WAITING']);
  assert.match(again.reasons[0]!, /A kill switch stops this: stop/);
  assert.notEqual(again.decisionId, call.decisionId, 'recorded');
  await release();
  assert.deepEqual(await authorize(key), call);
  assert.equal((await report(call.id, 'made')).status, 'REPORTED');
});

test('what was allowed before a switch was engaged is reported and handed on: the switch stops what comes next', async () => {
  const { authorize, report } = outside;
  const call = await authorize();
  const { release } = await engage({ scope: 'tenant' });
  const reported = await report(call.id, { text: 'done' });
  assert.deepEqual([reported.status, reported.isDelivered, reported.output], ['REPORTED', true, { text: 'done' }]);
  await release();
});

// What a call is estimated to cost: said by operators of a tool and by agents of a call, seen by policies, by approvers and in records.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SignalboxClient } from '#client/index.ts';
import { ids } from './harness/api.ts';
import { code, outsideAgent, type Outside } from './harness/tool-calls.ts';

let outside: Outside;
let admin: SignalboxClient;
before(async () => {
  outside = await outsideAgent();
  admin = outside.api.typed();
});
after(() => outside.api.close());

const say = (tool: string, costMicroUsd: number | null, rest: object = {}) =>
  admin.setToolOverride({ input: { tool, costMicroUsd, ...rest } });
const dear = { kind: 'approval_required', rules: [{ tools: ['*'], costMicroUsd: { atLeast: 1_000_000 }, expiresIn: '1h' }] } as const;

test('a step whose tool costs enough is asked about, with its cost in the decision and before the approver; a cheaper one runs', async () => {
  const { api, reviewer, withPolicy } = outside;
  await api.runner();
  const agent = await api.agent([{ id: 'write', tool: 'files.write', with: { path: 'a' } }]);
  await withPolicy({ ...dear, scope: {} }, async () => {
    assert.equal((await api.finished((await api.start(agent)).id)).status, 'succeeded', 'nobody knows what it costs');
    await say('files.write', 999_999);
    assert.equal((await api.finished((await api.start(agent)).id)).status, 'succeeded', 'just below');
    const { toolOverride } = await say('files.write', 1_000_000, { risk: 'LOW' });
    assert.deepEqual([toolOverride.costMicroUsd, toolOverride.risk, toolOverride.category], [1_000_000, 'LOW', null]);
    const { id } = await api.start(agent);
    const approvalId = await api.asked(id);
    const query = `query ($id: ID!, $execution: ID!) { approval(id: $id) { costMicroUsd reason } tool(name: "files.write") { costMicroUsd }
      decisions(filter: { executionId: $execution, tool: "files.write" }) { edges { node { effect input } } } }`;
    const { data, errors } = await api.gql(query, { id: ids.approval(approvalId), execution: ids.execution(id) });
    assert.equal(errors, undefined);
    assert.deepEqual([data!['approval'].costMicroUsd, data!['tool'].costMicroUsd], [1_000_000, 1_000_000]);
    const [{ node }] = data!['decisions'].edges;
    assert.deepEqual([node.effect, node.input.costMicroUsd], ['REQUIRE_APPROVAL', 1_000_000]);
    await reviewer.decideApproval({ input: { approvalId: ids.approval(approvalId), decision: 'APPROVE' } });
    assert.equal((await api.finished(id)).status, 'succeeded');
  });
  await admin.removeToolOverride({ input: { tool: 'files.write' } });
});

test('of what an agent says of its call and operators of the tool, the higher cost holds', async () => {
  const { api, authorize, withPolicy, decisionOf } = outside;
  const cases: [said: number | null, own: number | null, cost: number | null][] = [
    [null, null, null],
    [null, 1_000_000, 1_000_000],
    [null, 999_999, 999_999],
    [2_000_000, null, 2_000_000],
    [2_000_000, 1, 2_000_000],
    [5, 3_000_000, 3_000_000],
    [0, 0, 0],
  ];
  await withPolicy(dear, async () => {
    for (const [index, [said, own, cost]] of cases.entries()) {
      if (said !== null) await say('custom.pay', said);
      const call = await authorize({ costMicroUsd: own, idempotencyKey: `cost-${index}` });
      assert.equal(call.status, (cost ?? 0) >= 1_000_000 ? 'AWAITING_APPROVAL' : 'ALLOWED', String(index));
      assert.equal((await decisionOf(`cost-${index}`)).input.costMicroUsd, cost);
      if (call.approvalId) {
        const { data } = await api.gql('query ($id: ID!) { approval(id: $id) { costMicroUsd } }', { id: call.approvalId });
        assert.equal(data!['approval'].costMicroUsd, cost);
      }
      if (said !== null) await admin.removeToolOverride({ input: { tool: 'custom.pay' } });
    }
    // What is dearer by the time it is asked about again is judged as such.
    await say('custom.pay', 10);
    assert.equal((await authorize({ idempotencyKey: 'now' })).status, 'ALLOWED');
    await say('custom.pay', 7_000_000);
    assert.equal((await authorize({ idempotencyKey: 'then' })).status, 'AWAITING_APPROVAL');
    await admin.removeToolOverride({ input: { tool: 'custom.pay' } });
  });
});

test('where nobody knows the cost, a policy may ask all the same; zero is a cost', async () => {
  const { authorize, withPolicy } = outside;
  const rules = [{ tools: ['custom.pay'], costMicroUsd: { atLeast: 1_000_000, orUnknown: true }, expiresIn: '1h' }];
  await withPolicy({ kind: 'approval_required', rules }, async () => {
    assert.equal((await authorize()).status, 'AWAITING_APPROVAL');
    assert.equal((await authorize({ costMicroUsd: 0 })).status, 'ALLOWED');
  });
});

test('a cost that is no whole, safe amount is refused, and nothing is said; an override says something', async () => {
  for (const costMicroUsd of [-1, 0.5, 2 ** 53, 1e300]) {
    await assert.rejects(say('custom.pay', costMicroUsd), code('VALIDATION_FAILED'), String(costMicroUsd));
    await assert.rejects(outside.ask({ costMicroUsd }), code('VALIDATION_FAILED'), String(costMicroUsd));
  }
  await assert.rejects(say('custom.pay', null), code('VALIDATION_FAILED'));
  const toolOverrides = await admin.toolOverrides();
  assert.deepEqual(toolOverrides, []);
  assert.equal((await say('custom.pay', 2 ** 53 - 1)).toolOverride.costMicroUsd, 2 ** 53 - 1, 'at the limit');
  await admin.removeToolOverride({ input: { tool: 'custom.pay' } });
});

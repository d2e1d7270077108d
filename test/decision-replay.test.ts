// Decisions of every kind of policy, kill switches and grants, computed again from nothing but their records, when none of these is there any more.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import type { GateInput } from '#src/rules/gate.ts';
import { policyKinds } from '#src/rules/policy.ts';
import type { NewPolicy } from '#src/policies/policy-service.ts';
import { toolCall } from './harness/governance.ts';
import { testServer, type TestServer } from './harness/graphql.ts';
import type { Home } from './harness/people.ts';

let server: TestServer;
let home: Home;
let [agentId, ownerId] = ['', ''];
/** A Saturday. */
let now = new Date('2026-11-21T10:00:00.000Z');
const clock = { now: () => now };
const later = (seconds: number) => (now = new Date(now.getTime() + seconds * 1_000));
before(async () => {
  server = await testServer({ clock });
  home = server.people.operator;
  [agentId, ownerId] = [newId(), newId()];
  await home.write((uow) =>
    uow.rows(
      `insert into agents (id, tenant_id, project_id, team_id, name, status, created_by, created_at, updated_at)
       select id, $2, $3, $4, 'agent-' || id, 'active', $5, now(), now() from unnest($1::uuid[]) as id`,
      [[agentId, ownerId], home.tenantId, home.project, home.team, home.admin.principalId],
    ),
  );
});
after(() => server.close());

const effects: { kind: NewPolicy['kind']; policy: Partial<NewPolicy>; calls: Partial<GateInput>[]; expected: string[] }[] = [
  {
    kind: 'tool_access',
    policy: {
      rules: [{ effect: 'deny', tools: ['*'], when: { path: 'arguments.amount', greater: 100 }, message: 'Too much.' }],
    },
    calls: [{ arguments: { amount: 100 } }, { arguments: { amount: 101 } }],
    expected: ['allow', 'deny'],
  },
  {
    kind: 'approval_required',
    policy: { rules: [{ tools: ['*'], expiresIn: '1h', approvers: { stages: [{ approvers: [{ role: 'reviewer' }] }] } }] },
    calls: [{}],
    expected: ['require_approval'],
  },
  {
    kind: 'rate_limit',
    policy: { rules: { count: 'tool_calls', limit: 1, window: '1h', onViolation: 'queue', maxDelay: '2h' } },
    calls: [{}, {}, {}],
    expected: ['allow', 'queue', 'queue'],
  },
  {
    kind: 'time_window',
    policy: {
      rules: {
        timezone: 'Asia/Kolkata',
        windows: [{ days: ['mon'], from: '09:00', to: '17:00' }],
        onViolation: 'delay_until_allowed',
        maxDelay: '3d',
      },
    },
    calls: [{}],
    expected: ['delay'],
  },
  {
    kind: 'destination',
    policy: { rules: [{ effect: 'allow', hosts: ['*.partner.example'] }] },
    calls: ['api.partner.example', 'api.other.example'].map((host) => ({
      action: 'http.request',
      agentDestinations: ['*.example'],
      destination: { scheme: 'https', host, port: 443, method: 'GET' },
    })),
    expected: ['allow', 'deny'],
  },
  {
    kind: 'data_scope',
    policy: { rules: [{ data: { kind: 'dataset', from: 'arguments.table' }, tools: ['*'] }] },
    calls: ['own', 'granted', 'strange'].map((table) => ({ arguments: { table }, agentData: ['dataset:own'] as const })),
    expected: ['allow', 'allow', 'deny'],
  },
  {
    kind: 'content',
    policy: { mode: 'inject', rules: [{ effect: 'deny', words: ['secret'] }] },
    calls: [{ arguments: { text: 'a SECRET' } }],
    expected: ['allow'],
  },
];

const again = async (decisionId: string) => {
  const { data, errors } = await server.gql(
    `query ($id: ID!) { reevaluateDecision(decisionId: $id) { same effect digestMatches notCompared differences { path recorded computed } } }`,
    { id: toGlobalId('Decision', decisionId) },
  );
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data!['reevaluateDecision'];
};

test('from the record alone comes the same outcome, whatever decided', async () => {
  assert.deepEqual(effects.map(({ kind }) => kind).toSorted(), policyKinds.toSorted());
  const { policies, gate, killSwitches, data } = server.services;
  const place = { projectId: home.project, environmentId: home.staging, teamId: home.team, agentId };
  const decisions: { id: string; effect: string }[] = [];
  async function judge(change: Partial<GateInput>): Promise<string> {
    later(1);
    const own = { tenantId: home.tenantId, ...place, principalId: home.admin.principalId, at: now.toISOString(), executionId: newId() };
    const input = toolCall({ ...own, ...change }, change.action === 'http.request' ? { name: 'http.request' } : {});
    const reference = { ...place, executionId: null, stepId: null, itemIndex: null };
    const { decisionId, verdict } = await home.write((uow) => gate.judge(uow, input, reference, { holder: newId() }));
    decisions.push({ id: decisionId, effect: verdict.effect });
    return verdict.effect;
  }

  const grant = newId();
  await home.write((uow) =>
    uow.rows(
      `insert into data_grants (id, tenant_id, owner_agent_id, grantee_agent_id, kind, name, reason, granted_by, created_at)
       values ($1, $2, $3, $4, 'dataset', 'granted', '', $5, now())`,
      [grant, home.tenantId, ownerId, agentId, home.admin.principalId],
    ),
  );
  for (const { kind, policy, calls, expected } of effects) {
    const made = await home.write((uow) =>
      policies.createPolicy(uow, home.admin, { name: `p-${newId()}`, kind, scope: { agentId }, ...policy }),
    );
    const found: string[] = [];
    for (const call of calls) found.push(await judge(call));
    assert.deepEqual(found, expected, kind);
    later(1);
    await home.write((uow) => policies.deletePolicy(uow, home.admin, made.id));
  }
  const rolledOut = await home.write((uow) =>
    policies.createPolicy(uow, home.admin, {
      ...{ name: 'half', kind: 'tool_access', scope: { agentId }, rollout: { percent: 50 } },
      rules: [{ effect: 'deny', tools: ['*'] }],
    }),
  );
  const reached = new Set<string>();
  for (let call = 0; call < 20; call += 1) reached.add(await judge({}));
  assert.deepEqual([...reached].toSorted(), ['allow', 'deny']);
  later(1);
  await home.write((uow) => policies.deletePolicy(uow, home.admin, rolledOut.id));
  const halted = await home.write((uow) =>
    killSwitches.engageKillSwitch(uow, home.admin, { scope: 'agent', scopeId: agentId, reason: 'runaway' }),
  );
  assert.equal(await judge({}), 'deny');
  await home.write((uow) => killSwitches.releaseKillSwitch(uow, home.admin, { killSwitchId: halted.id, reason: 'checked' }));

  await home.write((uow) => data.revokeDataGrant(uow, home.admin, { dataGrantId: grant }));
  later(60);
  for (const { id, effect } of decisions) {
    const { same, effect: computed, digestMatches, notCompared, differences } = await again(id);
    assert.deepEqual([same, computed.toLowerCase(), digestMatches, notCompared], [true, effect, true, []], JSON.stringify(differences));
  }
});

// Policies that are rolled out by and by: who is reached, what is counted, and falling back to observe when too much is denied.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import pg from 'pg';
import { digestOfRow } from '#src/audit/audit.ts';
import { createAuditService } from '#src/audit/audit-service.ts';
import { newId } from '#src/platform/ids.ts';
import { apiId } from '#src/webhooks/webhook.ts';
import { createGate } from '#src/gate/gate-service.ts';
import { createPolicyService, type NewPolicy } from '#src/policies/policy-service.ts';
import type { PolicyRow } from '#src/policies/policy-reads.ts';
import { countDenials, minJudged, watchRollout, type RecentDecision } from '#src/policies/rollout.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { createWorld, toolCall, type World } from './harness/governance.ts';
import type { Authority } from '#src/authority/permission.ts';

let db: TestDatabase;
let world: World;
let admin: Authority;
let now = new Date('2026-11-21T10:00:00.000Z');
const clock = { now: () => now };
const policies = createPolicyService({ clock });
const gate = createGate({ clock });
const audit = createAuditService({ clock, events: null as never, feed: null as never, hints: { wake: () => {} } });
const later = (ms: number) => (now = new Date(now.getTime() + ms));
before(async () => {
  db = await testDatabase();
});
after(() => db.close());
beforeEach(async () => {
  world = await createWorld(db.database);
  admin = await world.person('admin', world.on('admin'));
});

const write = <T>(work: Parameters<typeof db.database.write<T>>[1]) => db.database.write(world.tenantId, work);
const watch = (policyId: string) => write((uow) => watchRollout(uow, { clock, policies, audit }, policyId));

function create(change: Partial<NewPolicy> = {}): Promise<PolicyRow> {
  const rollout = { percent: 100, maxDenialPercent: 10, windowMs: 60_000 };
  const rules = [{ effect: 'deny', tools: ['files.*'] }];
  return write((uow) => policies.createPolicy(uow, admin, { name: `p-${newId()}`, kind: 'tool_access', rollout, rules, ...change }));
}

async function call(tool: string, executionId = newId()) {
  later(10);
  const { tenantId, projectId, environmentId, agentId } = world;
  const place = { projectId, environmentId, agentId, teamId: null };
  const input = toolCall({ tenantId, ...place, executionId, agentTools: [tool], at: now.toISOString() }, { name: tool });
  const reference = { executionId, stepId: 'call', itemIndex: null, ...place };
  const change = { principalId: admin.principalId };
  return (await write((uow) => gate.judge(uow, { ...input, ...change }, reference))).verdict;
}
const calls = async (count: number, tool: string) => {
  for (let made = 0; made < count; made += 1) await call(tool);
};
const current = async (id: string) => (await write((uow) => policies.findPolicy(uow, admin, id)))!;

test('at the bound it stays, beyond it it is observed from then on, and its history says so', async () => {
  const policy = await create();
  await calls(18, 'mail.send');
  await calls(2, 'files.read');
  assert.deepEqual(await watch(policy.id), { policyName: policy.name, judged: 20, denied: 2, fellBack: false });
  assert.equal((await call('files.read')).effect, 'deny');
  assert.deepEqual(await watch(policy.id), { policyName: policy.name, judged: 21, denied: 3, fellBack: true });
  const { mode, version } = await current(policy.id);
  assert.deepEqual([mode, version], ['observe', 2]);
  const [versions] = await write((uow) => policies.versionsOf(uow, [policy.id]));
  assert.equal(versions![0]!.document.change, 'fell_back');
  const after = await call('files.read');
  assert.deepEqual([after.effect, after.findings.map((finding) => [finding.mode, finding.effect])], ['allow', [['observe', 'deny']]]);
  assert.equal((await watch(policy.id))?.fellBack, false, 'once is enough');
});

test('falling back happens once however many look at it together; it is audited as nobody’s doing, and webhooks are told', async () => {
  const policy = await create();
  const { tenantId } = world;
  await write((uow) =>
    uow.rows(
      `insert into webhooks (id, tenant_id, name, url, events, secret, created_by, created_at, updated_at)
       select gen_random_uuid(), $1, event, 'https://hooks.example.com', array[event], 'sealed', $2, now(), now()
       from unnest(array['policy.fell_back', 'approval.requested']) as event`,
      [tenantId, admin.principalId],
    ),
  );
  await calls(20, 'files.read');
  const [before] = await write((uow) => policies.policiesByIds(uow, admin, [policy.id]));
  const readings = await Promise.all(Array.from({ length: 8 }, () => watch(policy.id)));
  assert.equal(readings.filter((reading) => reading?.fellBack).length, 1);
  assert.equal((await current(policy.id)).version, 2);
  const after = await current(policy.id);
  const audited = await write((uow) => audit.listAuditEvents(uow, admin, { subjectId: policy.id }, {}));
  assert.deepEqual(
    audited.rows.map(({ id: _id, occurredAt: _at, ...row }) => row),
    [
      {
        ...{ action: 'fallBackPolicy', principalId: null, subjectType: 'Policy', subjectId: policy.id, subjectName: policy.name },
        ...{ projectId: null, environmentId: null, teamId: null, address: null, userAgent: null, traceId: null },
        ...{ beforeDigest: digestOfRow(before), afterDigest: digestOfRow(after) },
      },
    ],
  );
  assert.notEqual(digestOfRow(before), digestOfRow(after));
  const told = await write((uow) =>
    uow.rows<any>(`select d.payload, w.name from webhook_deliveries d join webhooks w on w.id = d.webhook_id where d.tenant_id = $1`, [
      tenantId,
    ]),
  );
  const data = { name: policy.name, version: 2, judged: 20, denied: 20, maxDenialPercent: 10, windowMs: 60_000 };
  assert.deepEqual(
    told.map(({ name, payload }) => [name, payload.type, payload.data]),
    [['policy.fell_back', 'policy.fell_back', { policyId: apiId('Policy', policy.id), ...data }]],
  );
});

test('few decisions say nothing, and what is older than the window or than the version does not count', async () => {
  const policy = await create();
  await calls(minJudged - 1, 'files.read');
  assert.deepEqual(await watch(policy.id), { policyName: policy.name, judged: 19, denied: 19, fellBack: false });
  later(61_000);
  await calls(5, 'files.read');
  assert.deepEqual(await watch(policy.id), { policyName: policy.name, judged: 5, denied: 5, fellBack: false });
  await calls(10, 'files.read');
  later(1);
  await write((uow) => policies.updatePolicy(uow, admin, { policyId: policy.id, expectedVersion: 1, description: 'repaired' }));
  await calls(19, 'files.read');
  assert.equal((await watch(policy.id))?.judged, 19);
  await call('files.read');
  assert.equal((await watch(policy.id))?.fellBack, true);
});

test('without a bound, switched off, or gone, nothing is watched', async () => {
  const unbounded = await create({ rollout: { percent: 50 } });
  const off = await create({ enabled: false });
  assert.equal(await watch(unbounded.id), null);
  assert.equal(await watch(off.id), null);
  assert.equal(await watch(newId()), null);
});

test('a denial of a bounded policy asks for a look, one for all denials of a moment; others ask for none', async () => {
  const owner = new pg.Client({ connectionString: db.ownerUrl });
  await owner.connect();
  const looks = async () =>
    (await owner.query<{ key: string }>(`select key from graphile_worker._private_jobs where key like 'rollout %'`)).rows.map(
      ({ key }) => key,
    );
  const before = await looks();
  const bounded = await create();
  await create({ rollout: { percent: 100 }, rules: [{ effect: 'deny', tools: ['mail.*'] }] });
  await create({ mode: 'observe', rules: [{ effect: 'deny', tools: ['web.*'] }] });
  await calls(2, 'mail.send');
  await calls(2, 'web.get');
  await calls(2, 'other.tool');
  assert.deepEqual(await looks(), before);
  await calls(3, 'files.read');
  assert.deepEqual(await looks(), [...before, `rollout ${bounded.id}`]);
  await owner.end();
});

test('what the rollout has not reached is not judged by it, nor are actions that it never speaks about', async () => {
  const policy = await create({ rollout: { percent: 50, maxDenialPercent: 60, windowMs: 60_000 } });
  const verdicts = [];
  for (let made = 0; made < 60; made += 1) verdicts.push(await call('files.read'));
  const reached = verdicts.filter(({ effect }) => effect === 'deny').length;
  assert.ok(reached >= 15 && reached <= 45, String(reached));
  assert.deepEqual(await watch(policy.id), { policyName: policy.name, judged: reached, denied: reached, fellBack: reached >= minJudged });

  const source = {
    id: 'p',
    name: 'p',
    version: 1,
    kind: 'tool_access',
    mode: 'enforce',
    priority: 1,
    rules: [{ effect: 'deny', tools: ['*'] }],
  } as const;
  const everywhere = { projectId: null, environmentId: null, agentId: null, teamId: null, tag: null, tool: null };
  const rollout = { percent: 100, maxDenialPercent: 1, windowMs: 60_000 };
  const denied: RecentDecision = { input: toolCall(), finding: { mode: 'enforce', effect: 'deny' } };
  const start: RecentDecision = { input: toolCall({ action: 'execution.start', tool: null }), finding: null };
  const elsewhere: RecentDecision = { input: toolCall({ projectId: 'other' }), finding: null };
  const scoped = { ...source, scope: { ...everywhere, projectId: 'project' } };
  assert.deepEqual(countDenials(scoped, rollout, [denied, start, start, elsewhere]), { judged: 1, denied: 1 });
  assert.deepEqual(countDenials(scoped, { ...rollout, percent: 0 }, [denied]), { judged: 0, denied: 0 });
});

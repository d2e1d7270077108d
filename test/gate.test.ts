// The gate: pure evaluation with its laws, and judging inside a transaction with a record of each decision.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { digestOf } from '#src/platform/canonical.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import type { PolicySource } from '#src/rules/compile.ts';
import { approvalTerms, combine, evaluateGate, refusalsOfDefinition } from '#src/rules/evaluate.ts';
import type { DecisionFilter } from '#src/decisions/decision-reads.ts';
import { requestTool } from '#src/rules/destination.ts';
import type { Destination, GateInput } from '#src/rules/gate.ts';
import { createGate } from '#src/gate/gate-service.ts';
import { compileGlob } from '#src/rules/glob.ts';
import { compilePolicies, policySet } from '#src/rules/policy-set.ts';
import { createPolicyService } from '#src/policies/policy-service.ts';
import type { Authority } from '#src/authority/permission.ts';
import { holdRules } from '#src/authority/rules-lock.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { createWorld, toolCall } from './harness/governance.ts';

const everywhere = { projectId: null, environmentId: null, agentId: null, teamId: null, tag: null, tool: null };
function policy(change: Partial<PolicySource> = {}): PolicySource {
  const rules = [{ effect: 'deny', tools: ['*'] }];
  return { id: newId(), name: 'p', version: 1, kind: 'tool_access', mode: 'enforce', priority: 100, scope: everywhere, rules, ...change };
}
const judge = (policies: readonly PolicySource[], input: GateInput) => evaluateGate(compilePolicies(policies), input);

test('a tool that the definition does not list, or whose capability it lacks, is denied with the way out, whatever policies say', () => {
  const allowAll = policy({ rules: [{ effect: 'allow', tools: ['*'] }] });
  const unlisted = judge([allowAll], toolCall({ agentTools: [] }));
  assert.equal(unlisted.effect, 'deny');
  assert.match(unlisted.reasons[0]!, /"log-triage" 1\.2\.0 does not list the tool files\.write_file\. Add it to "spec\.tools"/);
  const incapable = judge([allowAll], toolCall({ agentCapabilities: ['read'] }));
  assert.equal(incapable.effect, 'deny');
  assert.match(incapable.reasons[0]!, /lacks the capability "write".*Set "spec\.capabilities\.write: true"/);
  assert.equal(judge([allowAll], toolCall({ agentTools: [], agentCapabilities: [] })).reasons.length, 2);
});

test('a request is denied with the way out when its destination or the capability of its method is not declared', () => {
  const request = (change: Partial<Destination> = {}, destinations = ['api.example.com', '*.Example.ORG', 'example.net:8080']) => {
    const destination = { scheme: 'https', host: 'api.example.com', port: 443, method: 'POST', ...change } as const;
    return judge(
      [],
      toolCall({
        action: 'http.request',
        tool: requestTool(destination.method),
        destination,
        agentDestinations: destinations,
        agentTools: [],
      }),
    );
  };
  assert.equal(request().effect, 'allow');
  const stranger = request({ host: 'evil.test' });
  assert.equal(stranger.effect, 'deny');
  assert.match(stranger.reasons[0]!, /"log-triage" 1\.2\.0 does not list the destination evil\.test\. Add it to "spec\.destinations"/);
  const places: [place: Partial<Destination>, effect: string][] = [
    [{ port: 8_443 }, 'deny'],
    [{ scheme: 'http', port: 80 }, 'allow'],
    [{ scheme: 'http', port: 443 }, 'deny'],
    [{ host: 'deep.api.example.com' }, 'deny'],
    [{ host: 'a.example.org' }, 'allow'],
    [{ host: 'a.b.example.org' }, 'allow'],
    [{ host: 'example.org' }, 'deny'],
    [{ host: 'badexample.org' }, 'deny'],
    [{ host: 'example.org.evil.test' }, 'deny'],
    [{ host: 'example.net' }, 'deny'],
    [{ host: 'example.net', port: 8_080 }, 'allow'],
    [{ host: '.example.org' }, 'deny'],
  ];
  for (const [place, effect] of places) assert.equal(request(place).effect, effect, JSON.stringify(place));
  assert.equal(request({}, []).effect, 'deny');
  const reader = toolCall({
    action: 'http.request',
    tool: requestTool('DELETE'),
    agentCapabilities: ['read'],
    agentDestinations: ['a.test'],
  });
  const refused = judge([], { ...reader, destination: { scheme: 'https', host: 'a.test', port: 443, method: 'DELETE' } });
  assert.match(refused.reasons.join(), /lacks the capability "write" that a DELETE request needs\. Set "spec\.capabilities\.write: true"/);
  assert.equal(
    judge([], { ...reader, tool: requestTool('HEAD'), destination: { scheme: 'https', host: 'a.test', port: 443, method: 'HEAD' } }).effect,
    'allow',
  );
});

test('starting an execution is judged and passes: the policy kinds there are look at tool calls', () => {
  const verdict = judge(
    [policy(), policy({ kind: 'approval_required', rules: [{}] })],
    toolCall({ action: 'execution.start', tool: null }),
  );
  assert.deepEqual(verdict, { effect: 'allow', reasons: ['No policy in scope refuses this or asks for an approval.'], findings: [] });
});

test('a policy applies only where every member of its scope matches', () => {
  const scopes = { projectId: 'project', environmentId: 'environment', agentId: 'agent', teamId: 'team', tag: 'ops', tool: 'files.*' };
  const call = toolCall({ teamId: 'team' });
  for (const [key, value] of Object.entries(scopes)) {
    assert.equal(judge([policy({ scope: { ...everywhere, [key]: value } })], call).effect, 'deny', key);
    assert.equal(judge([policy({ scope: { ...everywhere, [key]: 'another' } })], call).effect, 'allow', key);
    assert.equal(judge([policy({ scope: { ...scopes, [key]: 'another' } })], call).effect, 'allow', key);
  }
  assert.equal(judge([policy({ scope: scopes })], call).effect, 'deny');
  const twoTags = compilePolicies([policy({ scope: { ...everywhere, tag: 'a","b' } })]);
  assert.equal(evaluateGate(twoTags, toolCall({ agentTags: ['a', 'b'] })).effect, 'allow');
  assert.equal(evaluateGate(twoTags, toolCall({ agentTags: ['a","b'] })).effect, 'deny');
});

test('what a set remembers is bounded and never changes an answer', () => {
  const set = compilePolicies([policy({ rules: [{ effect: 'deny', tools: ['files.*7'] }] })]);
  for (let round = 0; round < 2; round++) {
    for (let tool = 0; tool < 2_100; tool++) {
      const { effect } = evaluateGate(set, toolCall({}, { name: `files.t${tool}` }));
      assert.equal(effect, tool % 10 === 7 ? 'deny' : 'allow');
    }
  }
});

test('several approvals asked for become one: the shortest expiry, all reasons by priority, all policy versions', () => {
  const asking = (id: string, priority: number, expiresIn?: string) =>
    policy({ id, name: id, kind: 'approval_required', priority, version: 3, rules: [{ expiresIn, reason: `because ${id}` }] });
  const verdict = judge([asking('b', 20, '2h'), asking('c', 10), policy({ mode: 'observe' }), asking('a', 20, '30m')], toolCall());
  assert.equal(verdict.effect, 'require_approval');
  const terms = approvalTerms(verdict);
  assert.equal(terms.expiresInMs, 30 * 60_000);
  assert.deepEqual(terms.policies, ['a@3', 'b@3', 'c@3']);
  assert.match(terms.reason, /because c\n.*because a\n.*because b$/);
});

test('a policy that throws closes the gate for high and critical risk, opens it for the rest, and is recorded', () => {
  const broken = compilePolicies([policy({ name: 'broken', rules: 'not rules' }), policy({ name: 'unknown', kind: 'quota' as never })]);
  for (const [risk, effect] of [
    ['low', 'allow'],
    ['medium', 'allow'],
    ['high', 'deny'],
    ['critical', 'deny'],
  ] as const) {
    const verdict = evaluateGate(broken, toolCall({}, { risk }));
    assert.equal(verdict.effect, effect, risk);
    assert.equal(verdict.findings.length, 2);
    assert.match(verdict.findings.map(({ reason }) => reason).join(), /Policy "broken" could not be evaluated \(rules: expected array/);
    assert.match(verdict.findings.map(({ reason }) => reason).join(), /"quota" is not known to this release/);
  }
  const observed = policySet([{ source: policy({ mode: 'observe' }), judge: () => assert.fail('bug') }]);
  assert.equal(evaluateGate(observed, toolCall()).effect, 'allow');
  assert.equal(evaluateGate(observed, toolCall()).findings[0]?.effect, 'deny');
});

test('a pattern matches like the regular expression it stands for, in linear time', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (glob, value) => {
      const expected = new RegExp(`^${glob.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
      assert.equal(compileGlob(glob)(value), expected.test(value));
    }),
    { numRuns: 5_000 },
  );
  assert.equal(compileGlob(`${'*aab'.repeat(50)}*a`)('a'.repeat(200_000)), false);
});

const anyPolicy = fc
  .record({
    id: fc.uuid({ version: 7 }),
    name: fc.constantFrom('one', 'two'),
    mode: fc.constantFrom('observe' as const, 'enforce' as const),
    priority: fc.integer({ min: 0, max: 2 }),
    scope: fc.constantFrom(everywhere, { ...everywhere, tag: 'ops' }, { ...everywhere, projectId: 'another' }),
    content: fc.oneof(
      fc.constant({ kind: 'tool_access' as const, rules: 'broken' }),
      fc.record({
        kind: fc.constant('approval_required' as const),
        rules: fc.array(
          fc.record({ risk: fc.constantFrom({ atLeast: 'high' }, ['low', 'medium']), expiresIn: fc.constantFrom('1h', '2h') }),
          { minLength: 1, maxLength: 2 },
        ) as fc.Arbitrary<unknown>,
      }),
      fc.record({
        kind: fc.constant('tool_access' as const),
        rules: fc.array(
          fc.record({ effect: fc.constantFrom('allow', 'deny'), tools: fc.constantFrom(['files.*'], ['mail.*'], ['*_file']) }),
          {
            minLength: 1,
            maxLength: 3,
          },
        ) as fc.Arbitrary<unknown>,
      }),
    ),
  })
  .map(({ content, ...rest }): PolicySource => ({ ...rest, version: 1, ...content }));
const anyPolicies = fc.uniqueArray(anyPolicy, { selector: ({ id }) => id, maxLength: 6 });
const anyCall = fc
  .record({
    name: fc.constantFrom('files.write_file', 'files.read_text_file', 'mail.send'),
    risk: fc.constantFrom('low' as const, 'medium' as const, 'high' as const, 'critical' as const),
    listed: fc.boolean(),
  })
  .map(({ name, risk, listed }) => toolCall({ agentTools: listed ? [name] : [] }, { name, risk }));
const strictness = { allow: 0, warn: 1, queue: 2, delay: 3, require_approval: 4, deny: 5 } as const;

test('law: adding an enforced policy that only refuses or asks never loosens the outcome', () => {
  const restricting = anyPolicy.map((each): PolicySource => ({
    ...each,
    mode: 'enforce',
    ...(each.kind === 'tool_access' ? { rules: [{ effect: 'deny', tools: ['files.*'] }] } : {}),
  }));
  fc.assert(
    fc.property(anyPolicies, restricting, anyCall, (policies, added, call) => {
      const [without, with_] = [judge(policies, call).effect, judge([...policies, added], call).effect];
      assert.ok(strictness[with_] >= strictness[without]);
    }),
  );
});

test('law: observed policies change neither effect nor reasons, and are recorded', () => {
  fc.assert(
    fc.property(anyPolicies, anyCall, (policies, call) => {
      const [all, enforced] = [judge(policies, call), judge(policies.filter(({ mode }) => mode === 'enforce'), call)]; // prettier-ignore
      assert.equal(all.effect, enforced.effect);
      assert.deepEqual(all.reasons, enforced.reasons);
      assert.deepEqual(all.findings.filter(({ mode }) => mode === 'enforce'), enforced.findings); // prettier-ignore
    }),
  );
});

test('law: the order in which policies are stored does not matter', () => {
  const shuffled = anyPolicies.chain((policies) =>
    fc.tuple(fc.constant(policies), fc.shuffledSubarray(policies, { minLength: policies.length })),
  );
  fc.assert(fc.property(shuffled, anyCall, ([a, b], call) => assert.deepEqual(judge(a, call), judge(b, call))));
});

test('law: a denial is never overruled, and the recorded findings give the same outcome again', () => {
  fc.assert(
    fc.property(anyPolicies, anyCall, (policies, call) => {
      const verdict = judge(policies, call);
      const refused = refusalsOfDefinition(call).length > 0 || verdict.findings.some((f) => f.mode === 'enforce' && f.effect === 'deny');
      assert.equal(verdict.effect === 'deny', refused);
      assert.deepEqual(combine(refusalsOfDefinition(call), structuredClone(verdict.findings)), verdict);
      assert.ok(verdict.reasons.length > 0);
    }),
  );
});

let db: TestDatabase;
before(async () => {
  db = await testDatabase();
});
after(() => db.close());

const clock = { now: () => new Date('2026-11-21T10:00:00.000Z') };

async function gateWorld() {
  const world = await createWorld(db.database);
  const admin = await world.person('admin', world.on('admin'));
  const { projectId, environmentId, agentId, teamId } = world;
  const reference = { executionId: newId(), stepId: 'write', itemIndex: null, projectId, environmentId, agentId, teamId };
  const call = toolCall({ tenantId: world.tenantId, projectId, environmentId, agentId, principalId: admin.principalId });
  const create = (rules: unknown = [{ effect: 'deny', tools: ['*'] }], name = 'ban') =>
    db.database.write(world.tenantId, (uow) => policies.createPolicy(uow, admin, { name, kind: 'tool_access', rules }));
  return { ...world, admin, reference, call, create };
}
const policies = createPolicyService({ clock });

test('each judgement is recorded with input, digest, findings, reasons and duration, even an allow and a start', async () => {
  const { tenantId, reference, call, create } = await gateWorld();
  const gate = createGate({ clock });
  const odd = { ...call, arguments: { text: 'a\0b\ud800' } };
  const started = { ...call, action: 'execution.start' as const, tool: null };
  const start = await db.database.write(tenantId, (uow) => gate.judge(uow, started, { ...reference, stepId: null }));
  const { id: policyId } = await create();
  const denied = await db.database.write(tenantId, (uow) => gate.judge(uow, odd, { ...reference, itemIndex: 3 }));
  assert.equal(start.verdict.effect, 'allow');
  assert.equal(denied.verdict.effect, 'deny');
  const rows = await db.database.read(tenantId, (uow) =>
    uow.rows<Record<string, any>>('select * from decisions where tenant_id = $1 order by id', [tenantId]),
  );
  assert.deepEqual(rows.map((row) => [row['id'], row['action'], row['effect'], row['step_id'], row['item_index']]), [
    [start.decisionId, 'execution.start', 'allow', null, null],
    [denied.decisionId, 'tool.call', 'deny', 'write', 3],
  ]); // prettier-ignore
  const [, record] = rows;
  assert.equal(record!['input_digest'], digestOf(record!['input']));
  assert.deepEqual(record!['reasons'], denied.verdict.reasons);
  assert.equal(record!['findings'][0].policyId, policyId);
  assert.ok(record!['duration_micros'] >= 0);
});

test('a change of a policy is in force for the next judgement of every gate, and a stale revision never brings an old set back', async () => {
  const { tenantId, admin, reference, call, create } = await gateWorld();
  const [one, two] = [createGate({ clock }), createGate({ clock })];
  const effects = () =>
    db.database.write(tenantId, async (uow) => [
      (await one.judge(uow, call, reference)).verdict.effect,
      (await two.judge(uow, call, reference)).verdict.effect,
    ]);
  assert.deepEqual(await effects(), ['allow', 'allow']);
  const { id } = await create();
  assert.deepEqual(await effects(), ['deny', 'deny']);
  const stale = await db.database.write(tenantId, (uow) => one.judge(uow, call, reference, { policyRevision: 0 }));
  assert.equal(stale.verdict.effect, 'deny');
  await db.database.write(tenantId, (uow) => policies.disablePolicy(uow, admin, id));
  assert.deepEqual(await effects(), ['allow', 'allow']);
  await db.database.write(tenantId, (uow) => policies.enablePolicy(uow, admin, id));
  assert.deepEqual(await effects(), ['deny', 'deny']);
  await db.database.write(tenantId, (uow) => policies.deletePolicy(uow, admin, id));
  assert.deepEqual(await effects(), ['allow', 'allow']);
});

test('a change of a policy waits for the dispatches under way; none that begins after its answer escapes it', async () => {
  const { tenantId, reference, call, create } = await gateWorld();
  const gate = createGate({ clock });
  const order: string[] = [];
  const [judged, finish] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const dispatch = db.database.write(tenantId, async (uow) => {
    holdRules(uow);
    assert.equal((await gate.judge(uow, call, reference)).verdict.effect, 'allow');
    judged.resolve();
    await finish.promise;
    order.push('dispatched');
  });
  await judged.promise;
  const change = create().then(() => order.push('changed'));
  const waiting = `select 1 from pg_locks where locktype = 'advisory' and not granted`;
  while ((await db.database.read(tenantId, (uow) => uow.rows(waiting, []))).length === 0);
  finish.resolve();
  await Promise.all([dispatch, change]);
  assert.deepEqual(order, ['dispatched', 'changed']);
  assert.equal((await db.database.write(tenantId, (uow) => gate.judge(uow, call, reference))).verdict.effect, 'deny');
});

test('policies of a transaction that was rolled back are never remembered', async () => {
  const { tenantId, admin, reference, call, create } = await gateWorld();
  const gate = createGate({ clock });
  const undone = db.database.write(tenantId, async (uow) => {
    await policies.createPolicy(uow, admin, { name: 'lax', kind: 'tool_access', rules: [{ effect: 'allow', tools: ['*'] }] });
    assert.equal((await gate.judge(uow, call, reference)).verdict.effect, 'allow');
    throw new Error('rolled back');
  });
  await assert.rejects(undone, /rolled back/);
  await create();
  assert.equal((await db.database.write(tenantId, (uow) => gate.judge(uow, call, reference))).verdict.effect, 'deny');
});

test('a gate remembers a bounded number of tenants, and each tenant has its own policies', async () => {
  const gate = createGate({ clock, maxTenants: 1 });
  const [strict, lax] = [await gateWorld(), await gateWorld()];
  await strict.create();
  for (let round = 0; round < 2; round++) {
    for (const [world, effect] of [
      [strict, 'deny'],
      [lax, 'allow'],
    ] as const) {
      // prettier-ignore
      const { verdict } = await db.database.write(world.tenantId, (uow) => gate.judge(uow, world.call, world.reference));
      assert.equal(verdict.effect, effect);
    }
  }
});

test('decisions are listed by execution, agent, effect and time, to those who may read them there', async () => {
  const world = await gateWorld();
  const { tenantId, admin, reference, call, create, environmentId, otherProjectId } = world;
  let time = new Date('2026-11-21T10:00:00.000Z');
  const gate = createGate({ clock: { now: () => time } });
  const read = <T>(work: (uow: UnitOfWork) => Promise<T>) => db.database.read(tenantId, work);
  const one = await db.database.write(tenantId, (uow) => gate.judge(uow, call, reference));
  await create();
  time = new Date('2026-11-21T11:00:00.000Z');
  const two = await db.database.write(tenantId, (uow) => gate.judge(uow, call, { ...reference, executionId: newId() }));
  const names = new Map([[one.decisionId, 'one'], [two.decisionId, 'two']]); // prettier-ignore
  const list = async (actor: Authority, filter: DecisionFilter = {}, page = {}) =>
    (await read((uow) => gate.listDecisions(uow, actor, filter, page))).rows.map(({ id }) => names.get(id)).join(' ');
  assert.equal(await list(admin), 'two one');
  assert.equal(await list(admin, {}, { first: 1 }), 'two');
  assert.equal(await list(admin, { executionId: reference.executionId }), 'one');
  assert.equal(await list(admin, { agentId: reference.agentId, effect: ['deny'] }), 'two');
  assert.equal(await list(admin, { since: time }), 'two');
  assert.equal(await list(admin, { until: time }), 'one');
  await assert.rejects(list(admin, { agentId: 'x' }), /filter\.agentId: "x" is not an id/);
  assert.equal(await list(await world.person('v', world.on('viewer', 'environment', environmentId))), 'two one');
  assert.equal(await list(await world.person('w', world.on('viewer', 'project', otherProjectId))), '');
  assert.equal(await list(await world.person('s', world.on('service'))), '');
  const pages = await read((uow) => gate.decisionsOfExecutions(uow, admin, [newId(), reference.executionId], { first: 5 }));
  assert.deepEqual(pages.map(({ rows }) => rows.map(({ id }) => names.get(id))), [[], ['one']]); // prettier-ignore
  const foreign = await gateWorld();
  const foreigners = await db.database.read(foreign.tenantId, (uow) => gate.decisionsByIds(uow, foreign.admin, [one.decisionId, 'x']));
  assert.deepEqual(foreigners, []);
});

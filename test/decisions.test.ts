// Decision records: what stands in them and what is left out, how they are found, explained, and computed again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toGlobalId } from '#schema/ids.ts';
import { digestOf } from '#src/platform/canonical.ts';
import { newId } from '#src/platform/ids.ts';
import type { GateInput } from '#src/rules/gate.ts';
import { createGate } from '#src/gate/gate-service.ts';
import { runSimulation } from '#src/simulations/simulation-job.ts';
import { createPolicyService } from '#src/policies/policy-service.ts';
import { createRedactor, isRedactionPath } from '#src/decisions/redaction.ts';
import type { Authority } from '#src/authority/permission.ts';
import { toolCall } from './harness/governance.ts';
import { testServer, type TestServer } from './harness/graphql.ts';
import type { Home } from './harness/people.ts';

let server: TestServer;
let home: Home;
let agentId: string;
const start = new Date('2026-11-21T10:00:00.000Z');
let now = start;
const clock = { now: () => now };
const policies = createPolicyService({ clock });
const gate = createGate({ clock, redact: createRedactor(['arguments.**.password', 'arguments.headers.authorization']) });
before(async () => {
  server = await testServer({ clock });
  home = server.people.operator;
  agentId = newId();
  await home.write((uow) =>
    uow.rows(
      `insert into agents (id, tenant_id, project_id, team_id, name, status, created_by, created_at, updated_at)
       values ($1, $2, $3, $4, 'decider', 'active', $5, now(), now())`,
      [agentId, home.tenantId, home.project, home.team, home.admin.principalId],
    ),
  );
});
after(() => server.close());

const later = (seconds: number) => (now = new Date(now.getTime() + seconds * 1_000));
const place = () => ({ projectId: home.project, environmentId: home.staging, teamId: home.team, agentId });

async function judge(change: Partial<GateInput> = {}, slot: { executionId?: string; stepId?: string; itemIndex?: number } = {}) {
  later(1);
  const own = { tenantId: home.tenantId, ...place(), principalId: home.admin.principalId, at: now.toISOString() };
  const reference = { executionId: null, stepId: null, itemIndex: null, ...slot, ...place() };
  const judged = await home.write((uow) => gate.judge(uow, toolCall({ ...own, ...change }), reference));
  return { ...judged, id: toGlobalId('Decision', judged.decisionId) };
}

async function createPolicy(input: {
  name: string;
  mode?: 'observe' | 'enforce';
  effect?: 'deny' | 'ask';
  tools?: string[];
  priority?: number;
  scope?: object;
}) {
  later(1);
  const { name, mode = 'enforce', effect = 'deny', tools = ['files.*'], priority = 100, scope = { agentId } } = input;
  const rules = effect === 'deny' ? [{ effect, tools }] : [{ tools }];
  const kind = effect === 'deny' ? 'tool_access' : 'approval_required';
  return home.write((uow) => policies.createPolicy(uow, home.admin, { name, kind, mode, priority, scope, rules }));
}

const endAll = async (...ids: string[]) => {
  later(1);
  for (const id of ids) await home.write((uow) => policies.deletePolicy(uow, home.admin, id));
};

async function list(filter: object, as: Authority = home.admin): Promise<string[]> {
  const answer = await server.gql(
    'query ($filter: DecisionFilter) { decisions(filter: $filter) { edges { node { id } } } }',
    { filter },
    { as },
  );
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  return answer.data!['decisions'].edges.map(({ node }: any) => node.id);
}

test('configured members are left out of the record; the digest is of the whole input', async () => {
  const args = { path: 'a', users: [{ name: 'x', password: 'p1' }], headers: { Authorization: 'Bearer s' }, password: 'p2' };
  const { decisionId, id } = await judge({ arguments: args });
  const stored = await home.read((uow) => uow.rows<{ row: string }>('select d::text as row from decisions d where id = $1', [decisionId]));
  for (const secret of ['p1', 'p2', 'Bearer']) assert.ok(!stored[0]!.row.includes(secret), secret);
  const { data } = await server.gql('query ($id: ID!) { node(id: $id) { ... on Decision { input redacted inputDigest } } }', { id });
  const { input, redacted, inputDigest } = data!['node'];
  assert.deepEqual(redacted, ['arguments.headers.Authorization', 'arguments.password', 'arguments.users.0.password']);
  assert.equal(input.arguments.users[0].password, '[redacted]');
  assert.equal(digestOf({ ...input, arguments: args }), inputDigest);
  assert.notEqual(digestOf(input), inputDigest);
});

test('signs quote arguments: where something of these is left out, so are their details, and nothing else of them', async () => {
  const secret = 'hunter2-is-the-password';
  const args = { command: 'mysql', password: secret };
  const signs = [{ code: 'dynamic_command', risk: 'high', detail: `arguments.command: mysql --password ${secret}` }] as const;
  const tool = { name: 'files.write_file', digest: 'd', risk: 'high', capability: 'write', signs } as const;
  const { decisionId } = await judge({ arguments: args, tool });
  const [row] = await home.read((uow) =>
    uow.rows<any>('select input, redacted, findings, reasons from decisions where tenant_id = $1 and id = $2', [home.tenantId, decisionId]),
  );
  assert.deepEqual(row.input.tool.signs, [{ code: 'dynamic_command', risk: 'high', detail: '[redacted]' }]);
  assert.deepEqual(row.redacted, ['arguments.password', 'tool.signs.0.detail']);
  const plain = await judge({ arguments: { command: 'mysql' }, tool });
  const [kept] = await home.read((uow) =>
    uow.rows<any>('select input from decisions where tenant_id = $1 and id = $2', [home.tenantId, plain.decisionId]),
  );
  assert.deepEqual(kept.input.tool.signs, signs, 'nothing is left out of them where nothing is left out of the arguments');
});

test('a path of what is left out is checked, and finds members at any depth, of any case', () => {
  for (const path of ['arguments.password', 'arguments.**.token', 'output.*.secret', 'labels.owner'])
    assert.ok(isRedactionPath(path), path);
  for (const path of ['arguments', 'tool.risk', 'arguments.**', 'arguments..a', 'arguments.**.a.**.b', ''])
    assert.ok(!isRedactionPath(path), path);
  const redact = createRedactor(['arguments.**.token', 'arguments.list.*.a.b']);
  const value = { arguments: { Token: 1, deep: [{ token: { token: 2 } }], list: [{ a: { b: 3, c: 4 } }, { a: 5 }], token: null } };
  assert.deepEqual(redact(value), {
    value: {
      arguments: { Token: '[redacted]', deep: [{ token: '[redacted]' }], list: [{ a: { b: '[redacted]', c: 4 } }, { a: 5 }], token: null },
    },
    paths: ['arguments.Token', 'arguments.deep.0.token', 'arguments.list.0.a.b'],
  });
  assert.equal(redact(value.arguments.list[1]!).value, value.arguments.list[1], 'what holds nothing is not copied');
});

test('decisions are found by who, what, where, when and which policy', async () => {
  const other = await home.principal([['operator', 'tenant', home.tenantId]]);
  const watched = await createPolicy({ name: 'watch-mail', mode: 'observe', tools: ['mail.*'] });
  const executionId = newId();
  const begun = later(60);
  const write = await judge({}, { executionId, stepId: 'write' });
  const item = await judge({ principalId: other.principalId }, { executionId, stepId: 'each', itemIndex: 3 });
  const mail = { name: 'mail.send', digest: 'd', risk: 'low', capability: 'write' } as const;
  const sent = await judge({ tool: mail, agentTools: ['mail.send'] });
  const started = await judge({ action: 'execution.start', tool: null });
  const ended = later(60);
  const since = begun.toISOString();
  const all = [started.id, sent.id, item.id, write.id];
  assert.deepEqual(await list({ since }), all);
  assert.deepEqual(await list({ since, until: ended.toISOString(), agentId: toGlobalId('Agent', agentId) }), all);
  const found: [object, string[]][] = [
    [{ executionId: toGlobalId('Execution', executionId) }, [item.id, write.id]],
    [{ executionId: toGlobalId('Execution', executionId), stepId: 'each' }, [item.id]],
    [{ principalId: toGlobalId('Principal', other.principalId) }, [item.id]],
    [{ policyId: toGlobalId('Policy', watched.id) }, [sent.id]],
    [{ tool: 'mail.send' }, [sent.id]],
    [{ action: ['EXECUTION_START', 'HTTP_REQUEST'] }, [started.id]],
    [{ projectId: toGlobalId('Project', home.otherProject) }, []],
    [{ effect: ['DENY', 'QUEUE'] }, []],
    [{ stepId: 'write' }, [write.id]],
    [{ agentId: toGlobalId('Agent', newId()) }, []],
    [{ environmentId: toGlobalId('Environment', home.production) }, []],
    [{ action: ['TOOL_CALL'], tool: 'files.write_file', principalId: toGlobalId('Principal', home.admin.principalId) }, [write.id]],
    [{ environmentId: toGlobalId('Environment', home.staging), effect: ['ALLOW'] }, all],
    [{ until: new Date(begun.getTime() + 1_500).toISOString() }, [write.id]],
    [{ until: since }, []],
  ];
  for (const [filter, expected] of found) {
    const ids = await list({ ...('until' in filter ? {} : { since }), ...filter });
    assert.deepEqual(ids.filter((id) => all.includes(id)), expected, JSON.stringify(filter)); // prettier-ignore
  }
  const wrong = await server.gql('query ($filter: DecisionFilter) { decisions(filter: $filter) { edges { cursor } } }', {
    filter: { since, until: since },
  });
  assert.equal(wrong.errors![0]!.extensions.code, 'VALIDATION_FAILED');
  assert.match(wrong.errors![0]!.message, /filter\.until: is not later than "since"/);
  const linked = await server.gql('query ($id: ID!) { node(id: $id) { ... on Decision { tool principal { id } redacted } } }', {
    id: item.id,
  });
  assert.deepEqual(linked.data!['node'], {
    tool: 'files.write_file',
    principal: { id: toGlobalId('Principal', other.principalId) },
    redacted: [],
  });
  await endAll(watched.id);
});

test('a list by policy has every decision that it spoke about, alone or with others, for whoever may see it', async () => {
  const [mail, sending] = [
    await createPolicy({ name: 'watch-mail', mode: 'observe', tools: ['mail.*'] }),
    await createPolicy({ name: 'watch-sending', mode: 'observe', tools: ['*.send'], priority: 50 }),
  ];
  const call = async (name: string) =>
    (await judge({ tool: { name, digest: 'd', risk: 'low', capability: 'write' }, agentTools: [name] })).id;
  const ids = [];
  for (const name of ['mail.send', 'mail.read', 'fax.send', 'fax.read', 'mail.send']) ids.unshift(await call(name));
  const [again, , fax, read, both] = ids;
  const by = ({ id }: { id: string }, as: Authority, more: object = {}) => list({ policyId: toGlobalId('Policy', id), ...more }, as);
  const [project, team, elsewhere] = [
    await home.principal([['viewer', 'project', home.project]]),
    await home.principal([['viewer', 'team', home.team]]),
    await home.principal([['viewer', 'project', home.otherProject]]),
  ];
  for (const who of [home.admin, project, team]) {
    assert.deepEqual(await by(mail, who), [again, read, both]);
    assert.deepEqual(await by(sending, who), [again, fax, both]);
    assert.deepEqual(await by(sending, who, { tool: 'fax.send' }), [fax]);
    assert.deepEqual(await by(mail, who, { agentId: toGlobalId('Agent', agentId), until: now.toISOString() }), [read, both]);
  }
  assert.deepEqual(await by(mail, elsewhere), []);
  assert.deepEqual(await by({ id: newId() }, home.admin), []);
  await endAll(mail.id, sending.id);
});

const explainQuery = `query ($id: ID!) { explainDecision(decisionId: $id) { summary refusals decision { id }
  findings { role rules finding { policyName effect failed } } } }`;

test('a decision is explained: what decided, what was outweighed, what was only observed', async () => {
  const ban = await createPolicy({ name: 'ban-files', priority: 10 });
  const ask = await createPolicy({ name: 'ask-files', effect: 'ask' });
  const watch = await createPolicy({ name: 'watch-files', mode: 'observe', priority: 200, scope: {} });
  const { id } = await judge({ agentTools: [] });
  const { data } = await server.gql(explainQuery, { id });
  const told = data!['explainDecision'];
  assert.deepEqual(
    told.findings.map(({ role, finding }: any) => [finding.policyName, finding.effect, role]),
    [['ban-files', 'DENY', 'DECIDED'], ['ask-files', 'REQUIRE_APPROVAL', 'OUTWEIGHED'], ['watch-files', 'DENY', 'OBSERVED']], // prettier-ignore
  );
  assert.deepEqual(told.findings[0].rules, [{ effect: 'deny', tools: ['files.*'] }]);
  assert.match(told.refusals[0], /does not list the tool files\.write_file/);
  assert.match(told.summary, /^The call of files\.write_file by the agent "log-triage" 1\.2\.0 was refused at 2026-/);
  assert.match(told.summary, /Policy "ban-files" \(rule 1\) refuses/);
  assert.match(told.summary, /1 policy spoke without changing the outcome, and 1 policy is observed only\./);
  // Rules are for those who may see the policy, the outcome for those who may see the decision.
  const narrow = await home.principal([['viewer', 'environment', home.staging]]);
  const theirs = await server.gql(explainQuery, { id }, { as: narrow });
  assert.deepEqual(theirs.data!['explainDecision'].findings.map(({ rules }: any) => rules !== null), [true, true, false]); // prettier-ignore
  const elsewhere = await home.principal([['viewer', 'project', home.otherProject]]);
  for (const as of [elsewhere, server.people.other.admin]) {
    assert.deepEqual((await server.gql(explainQuery, { id }, { as })).data, { explainDecision: null });
  }
  const service = await home.principal([['service', 'tenant', home.tenantId]]);
  assert.match((await server.gql(explainQuery, { id }, { as: service })).errors![0]!.message, /decision\.read/);
  await endAll(ban.id, ask.id, watch.id);
});

const reevaluateQuery = `query ($id: ID!, $policies: PolicyMoment) { reevaluateDecision(decisionId: $id, policies: $policies) {
  policies same effect reasons digestMatches notCompared findings { policyName } differences { path recorded computed policy { name } } } }`;
const reevaluate = async (id: string, policies?: string, as: Authority = home.admin) =>
  (await server.gql(reevaluateQuery, { id, policies }, { as })).data?.['reevaluateDecision'];

test('a decision computed again from its record is the same, whatever became of the policies since', async () => {
  const ban = await createPolicy({ name: 'ban-first' });
  const quiet = await createPolicy({ name: 'quiet', tools: ['other.*'] });
  const { id, verdict } = await judge();
  later(1);
  const rules = [{ effect: 'allow', tools: ['*'] }];
  await home.write((uow) => policies.updatePolicy(uow, home.admin, { policyId: ban.id, expectedVersion: 1, rules }));
  await home.write((uow) =>
    policies.updatePolicy(uow, home.admin, { policyId: quiet.id, expectedVersion: 1, rules: [{ effect: 'deny', tools: ['*'] }] }),
  );
  await endAll(ban.id);
  const again = await reevaluate(id);
  assert.deepEqual([again.same, again.effect, again.digestMatches, again.differences], [true, 'DENY', true, []]);
  assert.deepEqual(again.reasons, verdict.reasons);
  const current = await reevaluate(id, 'CURRENT');
  assert.deepEqual([current.policies, current.same, current.effect], ['CURRENT', false, 'DENY']);
  assert.deepEqual(
    current.differences.map(({ path, policy }: any) => [path, policy?.name ?? null]),
    [['reasons', null], ['findings.ban-first', 'ban-first'], ['findings.quiet', 'quiet']], // prettier-ignore
  );
  assert.equal(current.differences[1].computed, null);
  assert.equal(current.differences[1].recorded.effect, 'deny');
  assert.equal(await reevaluate(id, 'RECORDED', server.people.other.admin), null);
  await endAll(quiet.id);
});

test('a record that was tampered with shows exactly what does not fit', async () => {
  const ban = await createPolicy({ name: 'ban-strictly' });
  const { decisionId, id } = await judge();
  const owner = server.ownerUrl;
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: owner });
  await client.connect();
  await client.query(`select set_config('app.tenant_id', $1, false)`, [home.tenantId]);
  await client.query(`update decisions set effect = 'allow', input = jsonb_set(input, '{arguments,path}', '"other"') where id = $1`, [
    decisionId,
  ]);
  await client.end();
  const again = await reevaluate(id);
  assert.deepEqual([again.same, again.digestMatches], [false, false]);
  assert.deepEqual(again.differences, [{ path: 'effect', recorded: 'allow', computed: 'deny', policy: null }]);
  await endAll(ban.id);
});

test('what was left out of a record is said where the decision is computed again, with what may come of it', async () => {
  const { id } = await judge({ arguments: { password: 'x' } });
  const again = await reevaluate(id);
  assert.deepEqual([again.same, again.digestMatches, again.notCompared], [true, null, ['arguments.password']]);
  later(1);
  const rules = [{ effect: 'deny', matches: ['^hunter2$'], in: ['arguments'] }];
  const weak = await home.write((uow) =>
    policies.createPolicy(uow, home.admin, { name: 'no-weak-passwords', kind: 'content', scope: { agentId }, rules }),
  );
  const refused = await judge({ arguments: { password: 'hunter2' } });
  const computed = await reevaluate(refused.id);
  assert.deepEqual([computed.same, computed.effect, computed.notCompared], [false, 'ALLOW', ['arguments.password']]);
  assert.equal(computed.differences[0].path, 'effect');
  assert.deepEqual((await reevaluate((await judge()).id)).notCompared, []);
  await endAll(weak.id);
});

test('what is left out of records is in no answer about them', async () => {
  const secret = `secret-${newId()}`;
  const ban = await createPolicy({ name: 'ban-secrets' });
  const { id } = await judge({ arguments: { path: 'a', deep: [{ Password: secret }] } });
  const since = new Date(now.getTime() - 1).toISOString();
  const fields = 'id input reasons redacted inputDigest findings { reason }';
  const documents = [JSON.stringify({ name: 'allow-secrets', kind: 'tool_access', scope: {}, rules: [{ effect: 'allow', tools: ['*'] }] })];
  later(1);
  const { simulation } = (
    await server.gql(
      `mutation ($input: SimulatePoliciesInput!) { simulatePolicies(input: $input) { ... on SimulatePoliciesSuccess { simulation { id } } } }`,
      { input: { candidate: { remove: [toGlobalId('Policy', ban.id)], documents }, since } },
    )
  ).data!['simulatePolicies'];
  const simulationId = Buffer.from(simulation.id, 'base64').toString().split(':')[1]!;
  await runSimulation(server.database, { tenantId: home.tenantId, simulationId }, { clock });
  const answer = await server.gql(
    `query ($id: ID!, $simulation: ID!, $since: DateTime) {
      node(id: $id) { ... on Decision { ${fields} } }
      decisions(filter: { since: $since }) { edges { node { ${fields} } } }
      explainDecision(decisionId: $id) { summary refusals findings { finding { reason } rules } decision { ${fields} } }
      recorded: reevaluateDecision(decisionId: $id) { reasons differences { recorded computed } decision { ${fields} } }
      current: reevaluateDecision(decisionId: $id, policies: CURRENT) { reasons differences { recorded computed } }
      policySimulation(id: $simulation) { redacted changed candidate changes { edges { node { before after decision { ${fields} } } } } }
    }`,
    { id, simulation: simulation.id, since },
  );
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  const { policySimulation, node } = answer.data!;
  assert.deepEqual([policySimulation.redacted, policySimulation.changed, node.redacted], [1, 1, ['arguments.deep.0.Password']]);
  assert.equal(policySimulation.changes.edges[0].node.decision.input.arguments.deep[0].Password, '[redacted]');
  assert.ok(!JSON.stringify(answer).includes(secret));
  await endAll(ban.id);
});

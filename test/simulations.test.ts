// Simulations: candidate policies on recorded decisions, with progress, cancel, rights and limits. No runner: the job is run by hand.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { toGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import type { GateInput } from '#src/rules/gate.ts';
import { runSimulation } from '#src/simulations/simulation-job.ts';
import { maxCandidates } from '#src/simulations/simulation.ts';
import { createSimulationService, maxOpen } from '#src/simulations/simulation-service.ts';
import type { Authority } from '#src/principals/permission.ts';
import { toolCall } from './harness/governance.ts';
import { testServer, type TestServer } from './harness/graphql.ts';
import type { Home } from './harness/people.ts';

let server: TestServer;
let home: Home;
const day = 86_400_000;
const today = new Date('2026-11-21T10:00:00.000Z');
let now = today;
const clock = { now: () => now };
before(async () => {
  server = await testServer({ clock });
  home = server.people.operator;
});
after(() => server.close());
beforeEach(() => {
  now = today;
});

async function createAgent(): Promise<string> {
  const id = newId();
  await home.write((uow) =>
    uow.rows(
      `insert into agents (id, tenant_id, project_id, team_id, name, status, created_by, created_at, updated_at)
       values ($1, $2, $3, $4, $5, 'active', $6, now(), now())`,
      [id, home.tenantId, home.project, home.team, `a-${id}`, home.admin.principalId],
    ),
  );
  return id;
}

interface Call {
  readonly agentId: string;
  readonly tool?: string;
  readonly executionId?: string;
  readonly at?: Date;
  readonly change?: Partial<GateInput>;
}

/** A call that the gate judges at a moment of the past. */
async function decide({
  agentId,
  tool = 'files.write_file',
  executionId = newId(),
  at = new Date(today.getTime() - day),
  change = {},
}: Call) {
  now = at;
  const place = { projectId: home.project, environmentId: home.staging, teamId: home.team, agentId };
  const own = { tenantId: home.tenantId, ...place, executionId, principalId: home.admin.principalId, at: at.toISOString() };
  const input = toolCall({ ...own, agentTools: [tool], ...change }, { name: tool });
  const judged = await home.write((uow) =>
    server.services.gate.judge(uow, input, { executionId, stepId: 'call', itemIndex: null, ...place }),
  );
  now = today;
  return judged.decisionId;
}

const fields = `id status total processed changed drifted failed redacted agentCount executionCount error
  verdicts { before after count } agents { agent { id } changed executions } approvals { day approver count }
  changes { edges { node { decision { id } before after approvers } } }`;

async function simulate(input: object, as: Authority = home.admin) {
  const answer = await server.gql(
    `mutation ($input: SimulatePoliciesInput!) { simulatePolicies(input: $input) { __typename
       ... on SimulatePoliciesSuccess { simulation { ${fields} } }
       ... on Error { code message } ... on ValidationError { problems { path message } } } }`,
    { input },
    { as },
  );
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  return answer.data!['simulatePolicies'];
}
const idOf = (globalId: string) => Buffer.from(globalId, 'base64').toString().split(':')[1]!;
const run = (id: string, isStopping?: () => boolean) =>
  runSimulation(server.database, { tenantId: home.tenantId, simulationId: idOf(id) }, { clock, batchSize: 2 }, isStopping);
const show = async (id: string, as: Authority = home.admin) =>
  (await server.gql(`query ($id: ID!) { policySimulation(id: $id) { ${fields} } }`, { id }, { as })).data?.['policySimulation'];
const filterOf = (agentId: string) => ({ agentId: toGlobalId('Agent', agentId) });
const policyOf = (agentId: string, more: object = {}) => ({
  ...{ name: `p-${newId()}`, kind: 'TOOL_ACCESS', rules: [{ effect: 'deny', tools: ['files.*'] }] },
  ...{ scope: filterOf(agentId) },
  ...more,
});
const create = (agentId: string, more: object = {}) => ({ candidate: { create: [policyOf(agentId, more)] }, filter: filterOf(agentId) });

test('a new policy: what would be refused, of which agents and executions, with samples to open; nothing is changed', async () => {
  const [agentId, other] = [await createAgent(), await createAgent()];
  const executionId = newId();
  const hit = [await decide({ agentId, executionId }), await decide({ agentId, executionId }), await decide({ agentId })];
  const missed = await decide({ agentId, tool: 'mail.send' });
  await decide({ agentId: other });
  await decide({ agentId, at: new Date(today.getTime() - 8 * day) });
  const { simulation } = await simulate(create(agentId));
  assert.deepEqual([simulation.status, simulation.total, simulation.processed, simulation.agents], ['QUEUED', 4, 0, null]);
  await run(simulation.id);
  const done = await show(simulation.id);
  assert.deepEqual([done.status, done.processed, done.changed, done.drifted, done.failed], ['SUCCEEDED', 4, 3, 0, 0]);
  assert.deepEqual(done.verdicts, [{ before: 'ALLOW', after: 'DENY', count: 3 }]);
  assert.deepEqual([done.agentCount, done.executionCount], [1, 2]);
  assert.deepEqual(done.agents, [{ agent: { id: toGlobalId('Agent', agentId) }, changed: 3, executions: 2 }]);
  assert.deepEqual(done.approvals, []);
  assert.deepEqual(
    done.changes.edges.map(({ node }: any) => idOf(node.decision.id)),
    [...hit].reverse(),
  );
  const { data } = await server.gql('{ policies(first: 100) { edges { node { name } } } }');
  assert.deepEqual(data!['policies'].edges, []);
  assert.ok(!hit.includes(missed));
});

test('changed and removed policies, and documents, are tried against those in force', async () => {
  const agentId = await createAgent();
  const policy = await home.write((uow) =>
    server.services.policies.createPolicy(uow, home.admin, {
      ...{ name: 'in-force', kind: 'tool_access', scope: { agentId }, rules: [{ effect: 'deny', tools: ['files.*'] }] },
    }),
  );
  await decide({ agentId });
  await decide({ agentId, tool: 'mail.send' });
  const policyId = toGlobalId('Policy', policy.id);
  const text = JSON.stringify({
    name: 'in-force',
    kind: 'tool_access',
    mode: 'observe',
    scope: {},
    rules: [{ effect: 'deny', tools: ['*'] }],
  });
  const tried: [object, object[]][] = [
    [{ remove: [policyId] }, [{ before: 'DENY', after: 'ALLOW', count: 1 }]],
    [
      { update: [{ policyId, expectedVersion: 1, rules: [{ effect: 'deny', tools: ['mail.*'] }] }] },
      [{ before: 'ALLOW', after: 'DENY', count: 1 }, { before: 'DENY', after: 'ALLOW', count: 1 }], // prettier-ignore
    ],
    [{ update: [{ policyId, expectedVersion: 1, mode: 'OBSERVE' }] }, [{ before: 'DENY', after: 'ALLOW', count: 1 }]],
    [{ documents: [text] }, [{ before: 'DENY', after: 'ALLOW', count: 1 }]],
  ];
  for (const [candidate, expected] of tried) {
    const { simulation } = await simulate({ candidate, filter: filterOf(agentId) });
    await run(simulation.id);
    const { verdicts } = await show(simulation.id);
    assert.deepEqual(verdicts.toSorted((a: any, b: any) => (a.before < b.before ? -1 : 1)), expected, JSON.stringify(candidate)); // prettier-ignore
  }
  const stale = await simulate({ candidate: { update: [{ policyId, expectedVersion: 7 }] }, filter: filterOf(agentId) });
  assert.equal(stale.__typename, 'ConflictError');
  // Since then the policy is gone: without a candidate that matters, all that differs is what has drifted.
  now = new Date(today.getTime() + 1);
  await home.write((uow) => server.services.policies.deletePolicy(uow, home.admin, policy.id));
  const { simulation } = await simulate(create(agentId, { rules: [{ effect: 'deny', tools: ['nothing.*'] }] }));
  await run(simulation.id);
  const { drifted, changed } = await show(simulation.id);
  assert.deepEqual([drifted, changed], [1, 0]);
});

test('extra approvals are counted by day and approver, once for each step however often it was decided about', async () => {
  const agentId = await createAgent();
  const executionId = newId();
  const yesterday = new Date(today.getTime() - day);
  await decide({ agentId, executionId, at: yesterday });
  await decide({ agentId, executionId, at: new Date(yesterday.getTime() + 1_000) });
  await decide({ agentId, at: new Date(yesterday.getTime() + 2_000) });
  await decide({ agentId, at: new Date(today.getTime() - 3 * day) });
  const terms = { approvers: { stages: [{ approvers: [{ role: 'reviewer' }, { role: 'admin' }] }] } };
  const named = await simulate(create(agentId, { kind: 'APPROVAL_REQUIRED', rules: [{ tools: ['files.*'], ...terms }] }));
  if (named.simulation) {
    await run(named.simulation.id);
    const { approvals } = await show(named.simulation.id);
    assert.deepEqual(new Set(approvals.map(({ approver }: any) => approver)), new Set(['role:reviewer', 'role:admin']));
  }
  const { simulation } = await simulate(create(agentId, { kind: 'APPROVAL_REQUIRED', rules: [{ tools: ['files.*'] }] }));
  await run(simulation.id);
  const { approvals, verdicts, changes } = await show(simulation.id);
  assert.deepEqual(verdicts, [{ before: 'ALLOW', after: 'REQUIRE_APPROVAL', count: 4 }]);
  assert.deepEqual(approvals, [
    { day: '2026-11-18', approver: 'anyone', count: 1 },
    { day: '2026-11-20', approver: 'anyone', count: 2 },
  ]);
  assert.deepEqual(changes.edges[0].node.approvers, ['anyone']);
  assert.ok(named.simulation, JSON.stringify(named));
});

test('a rate limit that was not there is counted over the recorded decisions', async () => {
  const agentId = await createAgent();
  const from = today.getTime() - day;
  for (const seconds of [0, 10, 20, 59, 60, 61]) await decide({ agentId, at: new Date(from + seconds * 1_000) });
  const rules = { count: 'tool_calls', limit: 3, window: '1m', per: ['agent'] };
  const { simulation } = await simulate(create(agentId, { kind: 'RATE_LIMIT', rules }));
  await run(simulation.id);
  const done = await show(simulation.id);
  assert.deepEqual([done.verdicts, done.failed], [[{ before: 'ALLOW', after: 'DENY', count: 2 }], 0]);
});

test('progress is told as it grows, and the stream ends with the simulation', async () => {
  const agentId = await createAgent();
  for (let count = 0; count < 5; count += 1) await decide({ agentId });
  const { simulation } = await simulate(create(agentId));
  const query = 'subscription ($id: ID!) { simulationProgress(simulationId: $id) { simulation { status processed total } } }';
  const heard: unknown[] = [];
  let work: Promise<void> | null = null;
  for await (const { data, errors } of server.subscribe(query, { id: simulation.id }, { as: home.admin })) {
    assert.equal(errors, undefined);
    const { status, processed } = data!['simulationProgress'].simulation;
    heard.push([status, processed]);
    work ??= run(simulation.id);
  }
  await work;
  assert.deepEqual([heard[0], heard.at(-1)], [['QUEUED', 0], ['SUCCEEDED', 5]]); // prettier-ignore
  const foreign = server.subscribe(query, { id: simulation.id }, { as: server.people.other.admin });
  for await (const { errors } of foreign) assert.equal(errors![0]!.extensions.code, 'NOT_FOUND');
});

const cancel = async (id: string, as: Authority = home.admin) =>
  (
    await server.gql(
      `mutation ($input: CancelSimulationInput!) { cancelSimulation(input: $input) { __typename
         ... on CancelSimulationSuccess { simulation { status processed } } ... on Error { message } } }`,
      { input: { simulationId: id } },
      { as },
    )
  ).data!['cancelSimulation'];

test('a cancelled simulation stops between batches and stays cancelled; one that broke off begins anew', async () => {
  const agentId = await createAgent();
  for (let count = 0; count < 5; count += 1) await decide({ agentId });
  const { simulation } = await simulate(create(agentId));
  let looks = 0;
  await assert.rejects(
    run(simulation.id, () => (looks += 1) > 2),
    /begins again elsewhere/,
  );
  assert.deepEqual([(await show(simulation.id)).status, (await show(simulation.id)).processed], ['RUNNING', 4]);
  await run(simulation.id);
  assert.deepEqual([(await show(simulation.id)).processed, (await show(simulation.id)).changed], [5, 5]);
  assert.match((await cancel(simulation.id)).message, /is succeeded already; only one that is queued or running can be cancelled/);

  const second = (await simulate(create(agentId))).simulation;
  // Somebody cancels it while it reads its second batch.
  let reads = 0;
  const database: typeof server.database = {
    ...server.database,
    async read(tenantId, work) {
      if ((reads += 1) === 2) assert.equal((await cancel(second.id)).simulation.processed, 2);
      return server.database.read(tenantId, work);
    },
  };
  await runSimulation(database, { tenantId: home.tenantId, simulationId: idOf(second.id) }, { clock, batchSize: 2 });
  const ended = await show(second.id);
  assert.deepEqual([ended.status, ended.processed, ended.changed], ['CANCELLED', 2, 2]);
  await run(second.id);
  assert.equal((await show(second.id)).status, 'CANCELLED');
});

test('what cannot be simulated is refused with its reason', async () => {
  const agentId = await createAgent();
  await decide({ agentId });
  const since = new Date(today.getTime() - 30 * day).toISOString();
  const until = new Date(today.getTime() - 20 * day).toISOString();
  const good = create(agentId);
  const refused: [object, RegExp][] = [
    [{ ...good, candidate: {} }, /candidate: is empty/],
    [{ ...good, since, until }, /since: no decision that you may read was made between 2026-10-22.* choose another period/],
    [{ ...good, since: until, until: since }, /until: .* is not later than "since"/],
    [{ ...good, since: new Date(today.getTime() + day).toISOString() }, /until: .* is not later than "since"/],
    [{ ...good, filter: { ...good.filter, tool: 'no.tool' } }, /no decision that you may read/],
    [create(agentId, { rules: [{ effect: 'deny' }] }), /rules\[0\]\.tools/],
    [{ ...good, candidate: { documents: ['name: ['] } }, /./],
    [{ ...good, idempotencyKey: '' }, /idempotencyKey: must have 1 to 200 characters/],
  ];
  for (const [input, message] of refused) {
    const answer = await simulate(input);
    assert.equal(answer.__typename, 'ValidationError', JSON.stringify(answer));
    assert.match(answer.message, message);
  }
  const first = await simulate({ ...good, idempotencyKey: 'once' });
  const again = await simulate({ ...good, idempotencyKey: 'once' });
  assert.equal(again.simulation.id, first.simulation.id);
  assert.equal((await simulate({ ...create(agentId), idempotencyKey: 'once' })).__typename, 'IdempotencyConflictError');
  await cancel(first.simulation.id);
  const open: string[] = [];
  for (let count = 0; count < maxOpen; count += 1) open.push((await simulate(good)).simulation.id);
  const tooMany = await simulate(good);
  assert.equal(tooMany.__typename, 'LimitExceededError');
  for (const id of open) await cancel(id);
});

test('a candidate names at most a hundred policies, and a period holds a bounded number of decisions', async () => {
  const agentId = await createAgent();
  for (let count = 0; count < 3; count += 1) await decide({ agentId, at: new Date(today.getTime() - (count + 1) * day) });
  const documents = Array.from({ length: maxCandidates + 1 }, (_, index) =>
    JSON.stringify({ name: `many-${index}`, kind: 'tool_access', rules: [{ effect: 'deny', tools: ['x.*'] }] }),
  );
  const filter = filterOf(agentId);
  assert.match((await simulate({ candidate: { documents }, filter })).message, /candidate: names 101 policies; at most 100/);
  const full = await simulate({ candidate: { documents: documents.slice(1) }, filter });
  assert.equal((await cancel(full.simulation.id)).simulation.status, 'CANCELLED');
  assert.match((await simulate({ candidate: { documents: [documents[0], documents[0]] }, filter })).message, /names a policy twice/);

  const small = createSimulationService({ clock, policies: server.services.policies, most: 2 });
  const candidate = { documents: documents.slice(0, 1) };
  const ask = (days: number) => {
    const since = new Date(today.getTime() - days * day);
    return home.write((uow) => small.simulatePolicies(uow, home.admin, { candidate, since, filter: { agentId } }));
  };
  assert.equal((await ask(2)).total, 2);
  await assert.rejects(ask(3), /more than 2 decisions were made between .* choose a shorter period/);
});

test('one sees what one asked for, and simulates only decisions that one may read', async () => {
  const agentId = await createAgent();
  await decide({ agentId });
  const projectAdmin = await home.principal([['admin', 'project', home.project]]);
  const elsewhere = await home.principal([['admin', 'project', home.otherProject]]);
  const viewer = await home.principal([['viewer', 'tenant', home.tenantId]]);
  assert.equal((await simulate(create(agentId), viewer)).__typename, 'ForbiddenError');
  assert.equal((await simulate(create(agentId), elsewhere)).__typename, 'NotFoundError');
  const nothing = await simulate({ candidate: { create: [{ ...policyOf(agentId), scope: { projectId: toGlobalId('Project', home.otherProject) } }] } }, elsewhere); // prettier-ignore
  assert.match(nothing.message, /no decision that you may read/);
  const { simulation } = await simulate(create(agentId), projectAdmin);
  assert.equal((await show(simulation.id, viewer)).status, 'QUEUED');
  for (const as of [elsewhere, server.people.other.admin]) assert.equal(await show(simulation.id, as), null);
  assert.equal((await cancel(simulation.id, viewer)).__typename, 'ForbiddenError');
  assert.equal((await cancel(simulation.id, elsewhere)).__typename, 'NotFoundError');
  const list = async (as: Authority) =>
    (await server.gql('{ policySimulations(first: 100) { edges { node { id } } } }', {}, { as })).data!['policySimulations'].edges.map(({ node }: any) => node.id); // prettier-ignore
  assert.deepEqual(await list(projectAdmin), [simulation.id]);
  assert.deepEqual(await list(elsewhere), []);
  assert.ok((await list(viewer)).includes(simulation.id));
  assert.equal((await cancel(simulation.id, projectAdmin)).simulation.status, 'CANCELLED');
});

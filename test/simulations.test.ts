// Simulations: candidate policies on recorded decisions, with progress, cancel, rights and limits. No runner: the job is run by hand.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import { maxCandidates } from '#src/simulations/simulation.ts';
import { createSimulationService, maxOpen } from '#src/simulations/simulation-service.ts';
import type { Authority } from '#src/authority/permission.ts';
import type { TestServer } from './harness/graphql.ts';
import type { Home } from './harness/people.ts';
import { create, day, filterOf, idOf, policyOf, simulationServer, today, type SimulationServer } from './harness/policy-simulations.ts';

let world: SimulationServer;
let server: TestServer;
let home: Home;
let clock: SimulationServer['clock'];
before(async () => {
  world = await simulationServer();
  ({ server, home, clock } = world);
});
after(() => server.close());
const createAgent = () => world.createAgent();
const decide = async (...call: Parameters<SimulationServer['decide']>) => (await world.decide(...call)).id;
const simulate = (...asked: Parameters<SimulationServer['simulate']>) => world.simulate(...asked);
const run = (...asked: Parameters<SimulationServer['run']>) => world.run(...asked);
const show = (...asked: Parameters<SimulationServer['show']>) => world.show(...asked);
const cancel = (...asked: Parameters<SimulationServer['cancel']>) => world.cancel(...asked);
const tried = async (input: object) => {
  const { simulation } = await simulate(input);
  await run(simulation.id);
  return show(simulation.id);
};

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
  world.setNow(new Date(today.getTime() + 1));
  await home.write((uow) => server.services.policies.deletePolicy(uow, home.admin, policy.id));
  const { simulation } = await simulate(create(agentId, { rules: [{ effect: 'deny', tools: ['nothing.*'] }] }));
  await run(simulation.id);
  const { drifted, changed } = await show(simulation.id);
  assert.deepEqual([drifted, changed], [1, 0]);
});

const byDay = (approvals: any[]) => approvals.map(({ day: on, approver, count }) => [on, approver, count]);

test('extra approvals are counted by day and by each who would be asked, once for a step however often it was decided about', async () => {
  const agentId = await createAgent();
  const executionId = newId();
  const yesterday = new Date(today.getTime() - day);
  await decide({ agentId, executionId, at: yesterday });
  await decide({ agentId, executionId, at: new Date(yesterday.getTime() + 1_000) });
  // The same step again on the next day: it was asked about already.
  await decide({ agentId, executionId, at: new Date(today.getTime() - 1_000) });
  await decide({ agentId, at: new Date(yesterday.getTime() + 2_000) });
  await decide({ agentId, at: new Date(today.getTime() - 3 * day) });
  const team = `team:${home.team}`;
  const terms = { stages: [{ approvers: [{ role: 'reviewer' }, { team: home.team }] }, { approvers: [{ role: 'admin' }] }] };
  const named = create(agentId, { kind: 'APPROVAL_REQUIRED', rules: [{ tools: ['files.*'], approvers: terms }] });
  const all = [['2026-11-18', 1], ['2026-11-20', 2]].flatMap(([on, count]) => ['role:admin', 'role:reviewer', team].map((who) => [on, who, count])); // prettier-ignore
  const first = await tried(named);
  assert.deepEqual(byDay(first.approvals), all);
  const anyone = create(agentId, { kind: 'APPROVAL_REQUIRED', rules: [{ tools: ['files.*'] }] });
  const { approvals, verdicts, changes } = await tried(anyone);
  assert.deepEqual(verdicts, [{ before: 'ALLOW', after: 'REQUIRE_APPROVAL', count: 5 }]);
  assert.deepEqual(byDay(approvals), [['2026-11-18', 'anyone', 1], ['2026-11-20', 'anyone', 2]]); // prettier-ignore
  assert.deepEqual(changes.edges[0].node.approvers, ['anyone']);
});

test('who is asked besides those who are asked anyway is found, too', async () => {
  const agentId = await createAgent();
  const asking = (...roles: string[]) => [{ tools: ['files.*'], approvers: { stages: [{ approvers: roles.map((role) => ({ role })) }] } }];
  const policy = await home.write((uow) =>
    server.services.policies.createPolicy(uow, home.admin, {
      ...{ name: `p-${newId()}`, kind: 'approval_required', scope: { agentId }, rules: asking('reviewer') },
    }),
  );
  await decide({ agentId });
  await decide({ agentId, tool: 'mail.send' });
  const update = (rules: object) => ({
    candidate: { update: [{ policyId: toGlobalId('Policy', policy.id), expectedVersion: 1, rules }] },
    filter: filterOf(agentId),
  });
  const wider = await tried(update(asking('reviewer', 'admin')));
  assert.deepEqual([wider.changed, wider.verdicts], [1, [{ before: 'REQUIRE_APPROVAL', after: 'REQUIRE_APPROVAL', count: 1 }]]);
  assert.deepEqual(byDay(wider.approvals), [['2026-11-20', 'role:admin', 1]]);
  assert.deepEqual(wider.changes.edges[0].node.approvers, ['role:admin']);
  assert.equal((await tried(update([{ ...asking('reviewer')[0], reason: 'said otherwise' }]))).changed, 0);
  await home.write((uow) => server.services.policies.deletePolicy(uow, home.admin, policy.id));
});

test('a simulation looks at what its filter names only', async () => {
  const [agentId, other] = [await createAgent(), await createAgent()];
  await decide({ agentId });
  await decide({ agentId, tool: 'mail.send' });
  await decide({ agentId: other });
  await decide({ agentId, change: { agentTools: [] } });
  await decide({ agentId, change: { action: 'execution.start', tool: null } });
  const since = new Date(today.getTime() - 2 * day).toISOString();
  const { candidate } = create(agentId);
  const count = async (filter: object) => {
    const { simulation } = await simulate({ candidate, since, filter: { ...filterOf(agentId), ...filter } });
    await cancel(simulation.id);
    return simulation.total;
  };
  assert.equal(await count({}), 4);
  assert.equal(await count({ tool: 'mail.send' }), 1);
  assert.equal(await count({ action: ['EXECUTION_START'] }), 1);
  assert.equal(await count({ effect: ['DENY'] }), 1);
  assert.equal(await count({ effect: ['ALLOW'], action: ['TOOL_CALL'] }), 2);
  assert.equal(await count({ projectId: toGlobalId('Project', home.project), environmentId: toGlobalId('Environment', home.staging) }), 4);
  assert.equal(await count({ agentId: toGlobalId('Agent', other) }), 1);
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

test('the last thing told of a simulation that is cancelled, or fails, is that', async () => {
  const agentId = await createAgent();
  for (let count = 0; count < 5; count += 1) await decide({ agentId });
  const query = 'subscription ($id: ID!) { simulationProgress(simulationId: $id) { simulation { status processed error finishedAt } } }';
  const followed = async (id: string, meanwhile: () => Promise<unknown>) => {
    let last: any;
    let work: Promise<unknown> | null = null;
    for await (const { data } of server.subscribe(query, { id }, { as: home.admin })) {
      last = data!['simulationProgress'].simulation;
      work ??= meanwhile();
    }
    await work;
    return last;
  };
  const cancelled = (await simulate(create(agentId))).simulation.id;
  const finishedAt = today.toISOString();
  assert.deepEqual(await followed(cancelled, () => cancel(cancelled)), { status: 'CANCELLED', processed: 0, error: null, finishedAt });

  const failing = (await simulate(create(agentId))).simulation.id;
  let reads = 0;
  const database: typeof server.database = {
    ...server.database,
    read: (tenantId, work) => ((reads += 1) === 2 ? Promise.reject(new Error('secret detail')) : server.database.read(tenantId, work)),
  };
  const error = 'a fault of Signalbox ended it; its log says more';
  assert.deepEqual(await followed(failing, () => run(failing, undefined, database)), { status: 'FAILED', processed: 2, error, finishedAt });
  assert.equal((await show(failing)).agents, null);
});

test('a process that was only taken for dead saves nothing once another has begun anew', async () => {
  const agentId = await createAgent();
  for (let count = 0; count < 5; count += 1) await decide({ agentId });
  const { simulation } = await simulate(create(agentId));
  let [reads, looks] = [0, 0];
  const database: typeof server.database = {
    ...server.database,
    async read(tenantId, work) {
      // Meanwhile another one begins, and gets as far as this one.
      if ((reads += 1) === 2) await assert.rejects(run(simulation.id, () => (looks += 1) > 1), /begins again elsewhere/); // prettier-ignore
      return server.database.read(tenantId, work);
    },
  };
  await run(simulation.id, undefined, database);
  assert.deepEqual([(await show(simulation.id)).status, (await show(simulation.id)).processed], ['RUNNING', 2]);
  await run(simulation.id);
  assert.deepEqual([(await show(simulation.id)).status, (await show(simulation.id)).changed], ['SUCCEEDED', 5]);
});

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
  await run(second.id, undefined, database);
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
  const written = () =>
    home.read((uow) =>
      uow.rows<{ simulations: number; audited: number }>(
        `select (select count(*)::int from policy_simulations where tenant_id = $1) as simulations,
           (select count(*)::int from audit_events where tenant_id = $1) as audited`,
        [home.tenantId],
      ),
    );
  const before = await written();
  for (const [input, message] of refused) {
    const answer = await simulate(input);
    assert.equal(answer.__typename, 'ValidationError', JSON.stringify(answer));
    assert.match(answer.message, message);
  }
  assert.deepEqual(await written(), before, 'nothing of what was refused is left');
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

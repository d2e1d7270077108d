// Policies, decisions and approvals through the API: shapes, rights, refusals, constant numbers of statements.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toGlobalId } from '#schema/ids.ts';
import { subjectDigest } from '#src/approvals/approval.ts';
import { createApprovalService } from '#src/approvals/approval-service.ts';
import type { ApprovalRow } from '#src/approvals/approval-reads.ts';
import { newId } from '#src/platform/ids.ts';
import { createGate } from '#src/gate/gate-service.ts';
import { createPolicyService } from '#src/policies/policy-service.ts';
import type { Authority } from '#src/authority/permission.ts';

import { recordingLog } from './harness/approvals.ts';
import { toolCall } from './harness/governance.ts';
import { testServer, type TestServer } from './harness/graphql.ts';
import type { Home } from './harness/people.ts';

let server: TestServer;
const start = new Date('2026-11-21T10:00:00.000Z');
let now = start;
const clock = { now: () => now };
const services = {
  approvals: createApprovalService({ clock, log: recordingLog() }),
  gate: createGate({ clock }),
  policies: createPolicyService({ clock }),
};
before(async () => {
  server = await testServer({ clock });
});
after(() => server.close());

/** An agent and a running execution in staging of project one, started by `requester`. */
async function running(home: Home, requester: Authority) {
  const [agentId, versionId, executionId] = [newId(), newId(), newId()];
  await home.write(async (uow) => {
    await uow.rows(
      `insert into agents (id, tenant_id, project_id, team_id, name, status, created_by, created_at, updated_at)
       values ($1, $2, $3, $4, $5, 'active', $6, now(), now())`,
      [agentId, home.tenantId, home.project, home.team, `a-${agentId}`, requester.principalId],
    );
    await uow.rows(
      `insert into executions (id, tenant_id, project_id, environment_id, team_id, agent_id, agent_version_id, status, inputs, labels,
         request_digest, requested_by, requested_roles, created_at)
       values ($1, $2, $3, $4, $5, $6, $7, 'waiting', '{}', '{}', '', $8, '{}', now())`,
      [executionId, home.tenantId, home.project, home.staging, home.team, agentId, versionId, requester.principalId],
    );
  });
  const place = { projectId: home.project, environmentId: home.staging, teamId: home.team, agentId };
  const subject = {
    tenantId: home.tenantId,
    executionId,
    stepId: 'write',
    itemIndex: null,
    agentVersionDigest: 'v',
    tool: 'files.write_file',
    toolDigest: 'd',
    arguments: { path: 'report.md' },
    policies: [] as string[],
  };
  const request = (policies: string[] = []): Promise<ApprovalRow> =>
    home.write((uow) =>
      services.approvals.request(uow, {
        ...place,
        source: 'policy',
        title: 'Write the report',
        reason: 'because',
        risk: 'high',
        subject: { ...subject, policies },
        requestedBy: requester.principalId,
        expiresInMs: 3_600_000,
      }),
    );
  const judge = () =>
    home.write((uow) =>
      services.gate.judge(uow, toolCall({ tenantId: home.tenantId, ...place }), {
        executionId,
        stepId: 'write',
        itemIndex: null,
        ...place,
      }),
    );
  return { agentId, executionId, request, judge };
}

const createPolicy = `mutation ($input: CreatePolicyInput!) { createPolicy(input: $input) {
  __typename
  ... on CreatePolicySuccess { policy { id name kind mode priority enabled version rules
    scope { tag project { name } environment { name } agent { name } } createdBy { name } versions { version change createdBy { name } } } }
  ... on Error { code message } ... on ValidationError { problems { path message } } } }`;
const ban = { name: 'ban', kind: 'TOOL_ACCESS', rules: [{ effect: 'deny', tools: ['files.*'] }] };
const create = async (input: object, as?: Authority) => {
  const answer = await server.gql(createPolicy, { input: { ...ban, ...input } }, as ? { as } : {});
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  return answer.data!['createPolicy'];
};

test('a policy is created, changed, switched and ended, with its history', async () => {
  const home = server.people.operator;
  const scope = { environmentId: toGlobalId('Environment', home.staging), tag: 'ops' };
  const { policy } = await create({ name: 'life', scope });
  assert.deepEqual([policy.version, policy.mode, policy.priority, policy.enabled, policy.rules], [1, 'ENFORCE', 100, true, ban.rules]);
  assert.deepEqual(policy.scope, { tag: 'ops', project: { name: 'one' }, environment: { name: 'staging' }, agent: null });
  const act = async (name: string, input: object, fields = 'version enabled mode scope { tag project { name } }') =>
    (
      await server.gql(
        `mutation ($input: ${name.charAt(0).toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) {
           __typename ... on Error { code message }
           ... on ${name.charAt(0).toUpperCase()}${name.slice(1)}Success { policy { ${fields} } } } }`,
        { input: { policyId: policy.id, ...input } },
      )
    ).data![name];
  const updated = await act('updatePolicy', { expectedVersion: 1, mode: 'OBSERVE', scope: {} });
  assert.deepEqual(updated.policy, { version: 2, enabled: true, mode: 'OBSERVE', scope: { tag: null, project: null } });
  const stale = await act('updatePolicy', { expectedVersion: 1, mode: 'ENFORCE' });
  assert.deepEqual([stale.__typename, stale.code], ['ConflictError', 'CONFLICT']);
  assert.equal((await act('disablePolicy', {})).policy.enabled, false);
  assert.equal((await act('enablePolicy', {})).policy.version, 4);
  const ended = await act('deletePolicy', {}, 'version deletedAt versions(first: 2) { version change createdBy { name } }');
  assert.deepEqual(ended.policy.versions.map((v: any) => [v.version, v.change]), [[5, 'DELETED'], [4, 'ENABLED']]); // prettier-ignore
  assert.equal((await act('enablePolicy', {})).__typename, 'InvalidStateError');
  const { data } = await server.gql('query ($id: ID!) { policy(id: $id) { deletedAt } policies { edges { node { id } } } }', {
    id: policy.id,
  });
  assert.ok(data!['policy'].deletedAt);
  assert.ok(!data!['policies'].edges.some(({ node }: any) => node.id === policy.id));
});

test('problems of a policy come back as data, each with its path', async () => {
  const answer = await create({ name: 'Bad', priority: -1, rules: [{ effect: 'deny' }] });
  assert.equal(answer.__typename, 'ValidationError');
  assert.deepEqual(answer.problems.map(({ path }: any) => path), ['name', 'priority', 'rules[0].tools']); // prettier-ignore
  const wrongType = await create({ scope: { projectId: toGlobalId('Environment', server.people.operator.staging) } });
  assert.deepEqual([wrongType.__typename, wrongType.problems[0].path], ['ValidationError', 'scope.projectId']);
  const foreign = await create({ scope: { projectId: toGlobalId('Project', server.people.other.project) } });
  assert.equal(foreign.__typename, 'NotFoundError');
});

test('policy.manage and policy.read: held anywhere for the field, at the place for the policy', async () => {
  const home = server.people.operator;
  const { policy } = await create({ name: 'tenant-wide' });
  const projectAdmin = await home.principal([['admin', 'project', home.project]]);
  const viewer = await home.principal([['viewer', 'tenant', home.tenantId]]);
  const nobody = await home.principal();
  const projectId = toGlobalId('Project', home.project);
  assert.equal(
    (await create({ name: 'mine', rules: [{ effect: 'deny', tools: ['mail.*'] }], scope: { projectId } }, projectAdmin)).__typename,
    'CreatePolicySuccess',
  );
  assert.equal((await create({ name: 'theirs' }, projectAdmin)).__typename, 'ForbiddenError');
  assert.equal((await create({ name: 'no' }, viewer)).__typename, 'ForbiddenError');
  const disable = async (as: Authority) =>
    (await server.gql('mutation ($input: DisablePolicyInput!) { disablePolicy(input: $input) { __typename } }', { input: { policyId: policy.id } }, { as })).data!['disablePolicy'].__typename; // prettier-ignore
  assert.equal(await disable(viewer), 'ForbiddenError');
  assert.equal(await disable(projectAdmin), 'NotFoundError', 'not visible to them');
  assert.equal(await disable(server.people.other.admin), 'NotFoundError');
  const read = (as: Authority) => server.gql('query ($id: ID!) { policy(id: $id) { name } node(id: $id) { id } policies { edges { node { name } } } }', { id: policy.id }, { as }); // prettier-ignore
  assert.equal((await read(viewer)).data!['policy'].name, 'tenant-wide');
  const theirs = await read(projectAdmin);
  assert.deepEqual([theirs.data!['policy'], theirs.data!['node']], [null, null]);
  assert.deepEqual(theirs.data!['policies'].edges.map(({ node }: any) => node.name), ['mine']); // prettier-ignore
  assert.match((await read(nobody)).errors![0]!.message, /policy\.read/);
  assert.equal((await read(server.people.other.admin)).data!['policy'], null);
  await server.people.operator.write((uow) => services.policies.deletePolicy(uow, home.admin, idOf(policy.id)));
});

const idOf = (globalId: string) => Buffer.from(globalId, 'base64').toString().split(':')[1]!;

const decisionQuery = `query ($filter: DecisionFilter) { decisions(filter: $filter) { edges { node { id effect action reasons stepId input inputDigest durationMicros
  findings { policy { name } policyName version kind mode effect reason } execution { status } agent { name } project { name } environment { name } } } } }`;

test('decisions are read with their reasons by those who may, and by execution', async () => {
  const home = server.people.operator;
  const requester = await home.principal([['operator', 'tenant', home.tenantId]]);
  const { executionId, agentId, judge } = await running(home, requester);
  const { policy } = await create({ name: 'no-files', scope: { agentId: toGlobalId('Agent', agentId) } });
  await judge();
  const filter = { executionId: toGlobalId('Execution', executionId), effect: ['DENY'] };
  const nodes = async (as: Authority) => (await server.gql(decisionQuery, { filter }, { as })).data?.['decisions'].edges.map(({ node }: any) => node); // prettier-ignore
  const [decision] = await nodes(requester);
  assert.equal(decision.effect, 'DENY');
  assert.match(decision.reasons[0], /Policy "no-files" \(rule 1\) refuses the tool files\.write_file/);
  assert.deepEqual(decision.findings.map((f: any) => [f.policy.name, f.version, f.kind, f.mode, f.effect]), [['no-files', 1, 'TOOL_ACCESS', 'ENFORCE', 'DENY']]); // prettier-ignore
  assert.deepEqual([decision.execution.status, decision.input.tool.name, decision.project.name], ['WAITING', 'files.write_file', 'one']);
  const teamViewer = await home.principal([['viewer', 'team', home.team]]);
  assert.equal((await nodes(teamViewer)).length, 1);
  assert.equal((await nodes(await home.principal([['viewer', 'project', home.otherProject]]))).length, 0);
  assert.equal((await nodes(server.people.other.admin)).length, 0);
  const service = await home.principal([['service', 'tenant', home.tenantId]]);
  assert.match((await server.gql(decisionQuery, {}, { as: service })).errors![0]!.message, /decision\.read/);
  const foreign = await server.gql('query ($id: ID!) { node(id: $id) { id } }', { id: decision.id }, { as: server.people.other.admin });
  assert.equal(foreign.data!['node'], null);
  await home.write((uow) => services.policies.deletePolicy(uow, home.admin, idOf(policy.id)));
});

const decideMutation = `mutation ($input: DecideApprovalInput!) { decideApproval(input: $input) { __typename
  ... on DecideApprovalSuccess { approval { status note decidedAt decidedBy { id } canDecide cannotDecideReason } } ... on Error { code message } } }`;
const approvalQuery = `query ($id: ID!) { approval(id: $id) { status tool arguments subject digest risk source title reason canDecide cannotDecideReason
  policies { policy { name } version } requestedBy { id } execution { approvals { edges { node { id } } } } } }`;

test('an approval shows exactly what will run, says who may decide, and is decided once', async () => {
  const home = server.people.operator;
  const requester = await home.principal([['operator', 'tenant', home.tenantId]]);
  const reviewer = await home.principal([['reviewer', 'environment', home.staging]]);
  const viewer = await home.principal([['viewer', 'tenant', home.tenantId]]);
  const { request } = await running(home, requester);
  const { policy } = await create({ name: 'ask', kind: 'APPROVAL_REQUIRED', rules: [{}] });
  const row = await request([`${idOf(policy.id)}@1`]);
  const id = toGlobalId('Approval', row.id);
  const show = async (as: Authority) => (await server.gql(approvalQuery, { id }, { as })).data?.['approval'];
  const shown = await show(home.admin);
  assert.deepEqual([shown.status, shown.tool, shown.arguments, shown.risk], ['PENDING', 'files.write_file', { path: 'report.md' }, 'HIGH']);
  assert.equal(subjectDigest(shown.subject), shown.digest);
  assert.deepEqual(shown.policies, [{ policy: { name: 'ask' }, version: 1 }]);
  assert.deepEqual(shown.execution.approvals.edges, [{ node: { id } }]);
  assert.deepEqual([shown.canDecide, shown.cannotDecideReason], [true, null]);
  assert.match((await show(requester)).cannotDecideReason, /you started the execution/);
  assert.match((await show(viewer)).cannotDecideReason, /approval\.decide/);
  assert.equal(await show(server.people.other.admin), null);
  const decide = async (as: Authority, input: object = {}) =>
    (await server.gql(decideMutation, { input: { approvalId: id, decision: 'APPROVE', ...input } }, { as })).data!['decideApproval'];
  assert.equal((await decide(requester)).__typename, 'ForbiddenError');
  assert.equal((await decide(viewer)).__typename, 'ForbiddenError');
  assert.equal((await decide(await home.principal([['service', 'tenant', home.tenantId]]))).__typename, 'ForbiddenError');
  assert.equal((await decide(await home.principal([['reviewer', 'environment', home.production]]))).__typename, 'NotFoundError');
  assert.equal((await decide(server.people.other.admin)).__typename, 'NotFoundError');
  assert.equal((await decide(reviewer, { expectedDigest: 'other' })).__typename, 'ConflictError');
  assert.equal((await decide(reviewer, { note: 'x'.repeat(4_001) })).__typename, 'ValidationError');
  const { approval } = await decide(reviewer, { note: 'fine', idempotencyKey: 'k', expectedDigest: shown.digest });
  assert.deepEqual(
    [approval.status, approval.note, approval.decidedAt, approval.canDecide],
    ['APPROVED', 'fine', now.toISOString(), false],
  );
  assert.equal((await decide(reviewer, { note: 'fine', idempotencyKey: 'k' })).__typename, 'DecideApprovalSuccess');
  assert.equal((await decide(reviewer, { decision: 'REJECT', idempotencyKey: 'k' })).__typename, 'IdempotencyConflictError');
  const second = await decide(home.admin, { decision: 'REJECT' });
  assert.equal(second.__typename, 'ConflictError');
  assert.match(second.message, /already approved by p-.* at 2026-11-21T10:00/);
  await home.write((uow) => services.policies.deletePolicy(uow, home.admin, idOf(policy.id)));
});

test('an approval that expired cannot be decided', async () => {
  const home = server.people.operator;
  const { request } = await running(home, await home.principal([['operator', 'tenant', home.tenantId]]));
  const row = await request();
  now = row.expiresAt;
  try {
    const input = { approvalId: toGlobalId('Approval', row.id), decision: 'APPROVE' };
    const answer = (await server.gql(decideMutation, { input })).data!['decideApproval'];
    assert.deepEqual([answer.__typename, answer.code], ['InvalidStateError', 'INVALID_STATE']);
    assert.match(answer.message, /expired at 2026-11-21T11:00/);
  } finally {
    now = start;
  }
});

test('lists take a constant number of statements', async () => {
  const home = server.people.operator;
  const requester = await home.principal([['operator', 'tenant', home.tenantId]]);
  const { request, judge } = await running(home, requester);
  // Each list in an operation of its own: side by side they share loaders, and whether two of them ask in the same
  // moment is chance.
  const queries = [
    `{ approvals(first: 50) { edges { node { title agent { name } project { name } environment { name } requestedBy { name }
        execution { status approvals(first: 2) { edges { node { id } } } decisions(first: 2) { edges { node { id } } } } } } } }`,
    `{ decisions(first: 50) { edges { node { effect agent { name } findings { policy { name versions(first: 2) { version } } } } } } }`,
    `{ policies(first: 50) { edges { node { name createdBy { name } scope { project { name } } versions(first: 3) { version } } } } }`,
  ];
  const count = async () => {
    const counts: number[] = [];
    for (const query of queries) {
      const { result, statements } = await server.countStatements(() => server.gql(query));
      assert.equal(result.errors, undefined, JSON.stringify(result.errors));
      counts.push(statements.length);
    }
    return counts;
  };
  const scope = { projectId: toGlobalId('Project', home.project) };
  await create({ name: 'first', mode: 'OBSERVE', scope });
  await request();
  await judge();
  const few = await count();
  for (let index = 0; index < 8; index++) {
    const more = await running(home, requester);
    await create({ name: `p-${index}`, mode: 'OBSERVE', scope });
    await more.request();
    await more.judge();
  }
  assert.deepEqual(await count(), few);
});

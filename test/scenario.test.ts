// The whole journey of a new customer, through the published client only, with a runner in another process: from an empty tenant
// to a governed execution that somebody else approved, and back to an earlier version.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SignalboxClientError, type SignalboxClient } from '#client/index.ts';
import { testApi, type Api } from './harness/api.ts';
import { eventually } from './harness/eventually.ts';

let api: Api;
const written: { path: unknown; content: unknown }[] = [];
before(async () => {
  api = await testApi({
    tools: {
      'files.read': { run: ({ path }) => `lines of ${String(path)}` },
      'files.write': { annotations: {}, run: (args) => void written.push({ path: args['path'], content: args['content'] }) },
    },
  });
  await api.runner();
});
after(() => api.close());

const definition = (version: string, greeting: string) => `
apiVersion: signalbox/v1
kind: Agent
metadata: { name: reporter, project: reports, tags: [ops] }
spec:
  version: ${version}
  owner: ops@example.com
  description: Writes a report.
  capabilities: { read: true, write: true }
  tools: [files.read, files.write]
  inputs:
    type: object
    required: [file]
    properties: { file: { type: string, minLength: 1 } }
  steps:
    - id: read
      tool: files.read
      with: { path: '\${{ inputs.file }}' }
    - id: write
      tool: files.write
      with: { path: report.md, content: '${greeting}: \${{ steps.read.output.structured.value }}' }
  output: { wrote: report.md, of: '\${{ inputs.file }}' }
`;

const coded = (code: string, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SignalboxClientError, String(error));
  assert.deepEqual([error.code, text.test(error.message)], [code, true], error.message);
  return true;
};

test('a tenant is set up, an agent is published, promoted, run, approved by somebody else, rolled back and archived', async (context) => {
  const root = api.typed();
  const { adminKey, tenant } = await root.createTenant({ input: { name: 'acme' } });
  const admin = api.typed(adminKey);
  const step = context.test.bind(context);
  const environments: Record<string, string> = {};
  let projectId = '';
  const people: Record<string, SignalboxClient> = {};
  const keys: Record<string, string> = {};
  let agentId = '';
  let executionId = '';

  await step('the first administrator makes a project with its environments, and people with a role each', async () => {
    const viewer = await admin.viewer();
    assert.deepEqual([viewer.tenant.name, viewer.tenant.isOperator, viewer.roles.map(({ role }) => role)], ['acme', false, ['ADMIN']]);
    await assert.rejects(admin.createTenant({ input: { name: 'more' } }), coded('FORBIDDEN', /tenant\.create/));
    projectId = (await admin.createProject({ input: { name: 'reports' } })).project.id;
    for (const [name, kind] of [
      ['dev', 'DEVELOPMENT'],
      ['staging', 'STAGING'],
      ['prod', 'PRODUCTION'],
    ] as const) {
      environments[name] = (await admin.createEnvironment({ input: { projectId, name, kind } })).environment.id;
    }
    const scopes = { author: ['AGENT_MANAGER', projectId], runs: ['OPERATOR', projectId], approves: ['REVIEWER', environments['prod']!], looks: ['VIEWER', tenant.id] } as const; // prettier-ignore
    for (const [name, [role, scopeId]] of Object.entries(scopes)) {
      const { principal } = await admin.createPrincipal({ input: { kind: 'USER', name } });
      await admin.grantRole({ input: { granteeId: principal.id, role, scopeId } });
      const { token, apiKey } = await admin.createApiKey({ input: { principalId: principal.id, name, roles: [role] } });
      people[name] = api.typed(token);
      keys[name] = apiKey.id;
      assert.deepEqual((await people[name].viewer()).roles.map((held) => held.role), [role]); // prettier-ignore
    }
  });
  const { author, runs, approves, looks } = people as Record<'author' | 'runs' | 'approves' | 'looks', SignalboxClient>;
  const start = (environment: string, idempotencyKey?: string) =>
    runs.startExecution({ input: { agentId, environmentId: environments[environment]!, inputs: { file: 'a.log' }, labels: { via: 'scenario' }, idempotencyKey } }); // prettier-ignore
  const promote = (as: SignalboxClient, environment: string, version: string) =>
    as.promoteAgentVersion({ input: { agentId, environmentId: environments[environment]!, version } });

  await step('an author publishes an agent; what is wrong with a definition is said with its place', async () => {
    await assert.rejects(runs.createAgent({ input: { projectId, name: 'reporter' } }), coded('FORBIDDEN', /agent\.manage/));
    const { agent } = await author.createAgent({ input: { projectId, name: 'reporter' } });
    agentId = agent.id;
    assert.equal(agent.status, 'DRAFT');
    const broken = definition('1.0.0', 'Hello').replace('tool: files.read\n', 'tool: files.delete\n      colour: red\n');
    await assert.rejects(author.publishAgentVersion({ input: { agentId, definition: broken } }), (error: SignalboxClientError) => {
      coded('VALIDATION_FAILED', /files\.delete/)(error);
      assert.ok(
        error.problems.some(({ path, line }) => path === 'spec.steps[0].colour' && line === 18),
        JSON.stringify(error.problems),
      );
      return true;
    });
    await assert.rejects(author.activateAgent({ input: { agentId } }), coded('INVALID_STATE', /has no version yet/));
    const { version } = await author.publishAgentVersion({ input: { agentId, definition: definition('1.0.0', 'Hello') } });
    assert.match(version.digest, /^[0-9a-f]{64}$/);
    await assert.rejects(author.publishAgentVersion({ input: { agentId, definition: definition('1.0.0', 'Hi') } }), coded('CONFLICT', /publish this one under a new version/)); // prettier-ignore
    await assert.rejects(start('dev'), coded('INVALID_STATE', /is a draft/));
    assert.equal((await author.activateAgent({ input: { agentId } })).agent.status, 'ACTIVE');
  });

  await step('a version reaches production only through development and staging', async () => {
    await assert.rejects(start('dev'), coded('INVALID_STATE', /promote it there first/));
    await assert.rejects(promote(author, 'prod', '1.0.0'), coded('INVALID_STATE', /never deployed to a staging environment/));
    await assert.rejects(promote(runs, 'dev', '1.0.0'), coded('FORBIDDEN', /agent\.promote/));
    for (const environment of ['dev', 'staging', 'prod']) {
      assert.equal((await promote(author, environment, '1.0.0')).deployment.version.version, '1.0.0');
    }
  });

  await step('in production a policy asks for an approval; in development the same agent simply runs', async () => {
    const rules = [{ tools: ['files.write'], environmentKinds: ['production'], reason: 'Production files are shared.' }];
    await admin.createPolicy({ input: { name: 'writes-in-production', kind: 'APPROVAL_REQUIRED', mode: 'ENFORCE', rules } });
    const { execution } = await start('dev');
    const types: string[] = [];
    for await (const batch of runs.executionEvents({ executionId: execution.id })) types.push(...batch.events.map(({ type }) => type));
    assert.deepEqual([types[0], types.at(-1)], ['EXECUTION_QUEUED', 'EXECUTION_SUCCEEDED']);
    assert.deepEqual(written.splice(0), [{ path: 'report.md', content: 'Hello: lines of a.log' }]);
  });

  await step('the operator watches, the approver hears of it and sees exactly what will run; the operator cannot approve', async () => {
    const requests = approves.approvalRequests({ filter: { agentId } });
    const first = requests.next();
    ({ id: executionId } = (await start('prod', 'the report')).execution);
    assert.equal((await start('prod', 'the report')).execution.id, executionId, 'asked twice, started once');
    let asked = (await first).value!;
    while (asked.changes.length === 0) asked = (await requests.next()).value!;
    const approval = asked.changes[0]!.approval!;
    assert.deepEqual([approval.status, approval.tool, approval.arguments, approval.risk, approval.execution!.id], ['PENDING', 'files.write', { path: 'report.md', content: 'Hello: lines of a.log' }, 'HIGH', executionId]); // prettier-ignore
    const input = { approvalId: approval.id, decision: 'APPROVE', expectedDigest: approval.digest } as const;
    await assert.rejects(runs.decideApproval({ input }), coded('FORBIDDEN', /you started the execution/));
    await assert.rejects(looks.decideApproval({ input }), coded('FORBIDDEN', /approval\.decide/));
    await assert.rejects(root.decideApproval({ input }), coded('NOT_FOUND', /there is no approval/));

    await author.pauseAgent({ input: { agentId, reason: 'under investigation' } });
    await assert.rejects(start('prod'), coded('INVALID_STATE', /is paused: under investigation/));
    const events: string[] = [];
    const stream = runs.executionEvents({ executionId });
    for await (const batch of stream) {
      events.push(...batch.events.map(({ __typename }) => __typename));
      if (batch.events.some(({ __typename }) => __typename === 'ApprovalRequested'))
        await approves.decideApproval({ input: { ...input, note: 'fine' } });
    }
    assert.deepEqual(events, ['ExecutionQueued', 'ExecutionStarted', 'StepQueued', 'StepStarted', 'StepSucceeded', 'StepQueued', 'ApprovalRequested', 'ExecutionWaiting', 'ApprovalApproved', 'ExecutionResumed', 'StepStarted', 'StepSucceeded', 'ExecutionSucceeded']); // prettier-ignore
    const decided = await eventually(async () => (await requests.next()).value!.changes.find(({ type }) => type === 'APPROVAL_APPROVED'));
    assert.deepEqual([decided.approval!.status, decided.approval!.note], ['APPROVED', 'fine']);
    await requests.return();
    assert.equal(written.splice(0).length, 1, 'paused: what runs goes on, and writes once');
    await author.activateAgent({ input: { agentId } });
  });

  await step('everything can be read afterwards: output, steps, decisions with their reasons', async () => {
    const done = (await looks.execution({ id: executionId }))!;
    assert.deepEqual([done.status, done.output, done.requestedBy!.name], ['SUCCEEDED', { wrote: 'report.md', of: 'a.log' }, 'runs']); // prettier-ignore
    assert.deepEqual(done.steps.map(({ stepId, status, attempts }) => [stepId, status, attempts.length]), [['read', 'SUCCEEDED', 1], ['write', 'SUCCEEDED', 1]]); // prettier-ignore
    const { edges } = await looks.decisions({ filter: { executionId } });
    const decisions = edges.map(({ node }) => [node.stepId, node.effect, node.findings.map(({ policyName }) => policyName)]);
    assert.deepEqual(decisions.toReversed(), [[null, 'ALLOW', []], ['read', 'ALLOW', []], ['write', 'REQUIRE_APPROVAL', ['writes-in-production']], ['write', 'REQUIRE_APPROVAL', ['writes-in-production']]]); // prettier-ignore
    assert.match(edges[0]!.node.reasons.join(), /Production files are shared/);
    const labelled = await looks.executions({ filter: { labels: { via: 'scenario' }, environmentId: environments['prod'] } });
    assert.deepEqual(labelled.edges.map(({ node }) => node.id), [executionId]); // prettier-ignore
    assert.deepEqual([await root.execution({ id: executionId }), (await root.executions({ filter: { agentId } })).edges], [null, []]);
    assert.deepEqual((await approves.executions()).edges.map(({ node }) => node.environment!.name), ['prod']); // prettier-ignore
  });

  await step('a new version is promoted, found wanting and rolled back; then the agent is archived and its history stays', async () => {
    await author.publishAgentVersion({ input: { agentId, definition: definition('1.1.0', 'Good morning') } });
    for (const environment of ['dev', 'staging', 'prod']) await promote(author, environment, '1.1.0');
    assert.equal((await start('prod')).execution.version!.version, '1.1.0');
    const { deployment } = await author.rollbackAgent({ input: { agentId, environmentId: environments['prod']! } });
    assert.deepEqual([deployment.kind, deployment.version.version], ['ROLLBACK', '1.0.0']);
    assert.equal((await start('prod')).execution.version!.version, '1.0.0');
    assert.equal((await start('dev')).execution.version!.version, '1.1.0');
    await author.archiveAgent({ input: { agentId } });
    assert.deepEqual((await looks.agents()).edges, []);
    await assert.rejects(start('prod'), coded('INVALID_STATE', /archived/));
    assert.equal((await looks.execution({ id: executionId }))!.agent!.name, 'reporter');
    for (const { node } of (await looks.executions({ filter: { status: ['QUEUED', 'RUNNING', 'WAITING'] } })).edges) {
      await runs.cancelExecution({ input: { executionId: node.id, reason: 'the agent is gone' } }).catch(coded('INVALID_STATE', /already/));
    }
  });

  await step('a revoked key ends what its holder watches, and all else', async () => {
    const watching = looks.approvalRequests();
    await watching.next();
    await admin.revokeApiKey({ input: { apiKeyId: keys['looks']! } });
    await assert.rejects(
      eventually(async () => (await watching.next()).done),
      coded('UNAUTHENTICATED', /revoked/),
    );
    await assert.rejects(looks.viewer(), coded('UNAUTHENTICATED', /revoked/));
  });
});

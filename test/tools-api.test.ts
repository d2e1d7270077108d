// Tools through the API: what a tenant sees, and how a changed description is accepted so that executions go on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SignalboxClientError, type SignalboxClient } from '#client/index.ts';
import { roles } from '#src/authority/permission.ts';
import { describeTool, type ToolDescription } from '#src/tools/tool.ts';
import { ids, testApi, type Api } from './harness/api.ts';

let api: Api;
before(async () => {
  api = await testApi({
    tools: {
      'test.read': { run: () => 'read', annotations: { readOnlyHint: true, title: 'Read' } },
      'test.write': { run: () => 'written', annotations: { destructiveHint: false } },
    },
  });
  await api.runner({ services: api.services });
});
after(() => api.close());

const write = (description: string): ToolDescription =>
  describeTool('test', { name: 'write', description, inputSchema: { type: 'object' }, annotations: { destructiveHint: false } });
const read = describeTool('test', { name: 'read', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true, title: 'Read' } });
const described = (...tools: ToolDescription[]) => api.home.write((uow) => api.services.tools.syncDefinitions(uow, 'test', tools));
const code = (expected: string) => (error: unknown) => error instanceof SignalboxClientError && error.code === expected;

async function failedStep(agentId: string) {
  const { id } = await api.start(agentId);
  await api.finished(id);
  const { status, steps } = (await api.typed().execution({ id: ids.execution(id) }))!;
  return { status, failure: steps[0]!.failure! };
}

test('tools are shown with schema, hints, risk, and how the tenant stands to them', async () => {
  const client = api.typed();
  const [first, ...others] = await client.tools();
  assert.deepEqual(
    others.map(({ fullName }) => fullName),
    ['test.write'],
  );
  assert.deepEqual(first!.annotations, {
    title: 'Read',
    readOnlyHint: true,
    destructiveHint: null,
    idempotentHint: null,
    openWorldHint: null,
  });
  assert.deepEqual([first!.risk, first!.capability, first!.status, first!.approvedBy], ['LOW', 'READ', 'UNSEEN', null]);
  assert.deepEqual(first!.inputSchema, { type: 'object' });
  const names = async (filter: Parameters<SignalboxClient['tools']>[0]) => (await client.tools(filter)).map(({ name }) => name);
  assert.deepEqual(await names({ filter: { risk: 'MEDIUM' } }), ['write']);
  assert.deepEqual(await names({ filter: { capability: 'READ', status: 'UNSEEN' } }), ['read']);
  assert.deepEqual(await names({ filter: { server: 'absent' } }), []);
  assert.equal((await client.tool({ name: 'test.read' }))!.digest, first!.digest);
  assert.equal(await client.tool({ name: 'test.absent' }), null);
  assert.equal(await client.tool({ name: 'nonsense' }), null);
});

test('every role may see tools, nobody without a role; only admins may approve', async () => {
  const { home } = api;
  const digest = (await api.typed().tool({ name: 'test.read' }))!.digest;
  for (const role of roles) {
    const client = api.typed(await home.principal([[role, 'tenant', home.tenantId]]));
    assert.equal((await client.tools()).length, 2, role);
    const approval = client.approveTool({ input: { tool: 'test.read', digest } });
    if (role === 'admin') assert.equal((await approval).tool.status, 'APPROVED');
    else await assert.rejects(approval, code('FORBIDDEN'), role);
  }
  const projectAdmin = api.typed(await home.principal([['admin', 'project', home.project]]));
  assert.equal((await projectAdmin.tools()).length, 2);
  await assert.rejects(projectAdmin.approveTool({ input: { tool: 'test.read', digest } }), code('FORBIDDEN'));
  const nobody = api.typed(await home.principal([]));
  await assert.rejects(nobody.tools(), code('FORBIDDEN'));
  await assert.rejects(nobody.approveTool({ input: { tool: 'test.read', digest } }), code('FORBIDDEN'));
});

test('a changed description blocks executions until it is approved, for one tenant at a time', async () => {
  const agentId = await api.agent([{ id: 'w', tool: 'test.write', with: {} }]);
  assert.equal((await api.finished((await api.start(agentId)).id)).status, 'succeeded');

  await described(read, write('does something else now'));
  const blocked = await failedStep(agentId);
  assert.deepEqual([blocked.status, blocked.failure.code], ['BLOCKED', 'TOOL_CHANGED']);
  const client = api.typed();
  const seen = (await client.tool({ name: 'test.write' }))!;
  assert.equal(seen.status, 'CHANGED');
  assert.match(blocked.failure.message, new RegExp(seen.digest));

  const approve = (digest: string, tool = 'test.write') => client.approveTool({ input: { tool, digest } });
  await assert.rejects(approve(seen.approvedDigest!), code('CONFLICT'));
  await assert.rejects(approve(seen.digest, 'test.absent'), code('NOT_FOUND'));
  const { tool } = await approve(seen.digest);
  assert.deepEqual([tool.status, tool.approvedBy!.id], ['APPROVED', (await client.viewer()).principal.id]);
  assert.equal((await api.finished((await api.start(agentId)).id)).status, 'succeeded');
  assert.equal(
    (await api.typed(api.people.other.adminKey).tool({ name: 'test.write' }))!.status,
    'UNSEEN',
    'the other tenant never used it',
  );
});

test('a tool that vanished is refused when a version is published, and fails the step of one that has been', async () => {
  const agentId = await api.agent([{ id: 'w', tool: 'test.write', with: {} }]);
  await described(read);
  const failed = await failedStep(agentId);
  assert.deepEqual([failed.status, failed.failure.code], ['FAILED', 'TOOL_UNKNOWN']);
  await assert.rejects(api.agent([{ id: 'w', tool: 'test.write', with: {} }]), /test\.write/);
});

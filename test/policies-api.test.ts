// Policies through the API: documents, attachments and rollouts, previews, who may, in a constant number of statements.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SignalboxClientError } from '#client/index.ts';
import type { CreatePolicyInput } from '#client/generated/graphql.ts';
import { toGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import { ids, testApi, type Api } from './harness/api.ts';

let api: Api;
before(async () => {
  api = await testApi({ tools: { 'files.read': { run: () => 'text' } } });
});
after(() => api.close());

const rules = [{ effect: 'deny', tools: ['nothing.*'] }];
const ban = (name: string, more: Partial<CreatePolicyInput> = {}): CreatePolicyInput => ({ name, kind: 'TOOL_ACCESS', rules, ...more });
const failed = async (work: Promise<unknown>): Promise<SignalboxClientError> => {
  const error: unknown = await work.then(() => null, (thrown: unknown) => thrown); // prettier-ignore
  assert.ok(error instanceof SignalboxClientError, String(error));
  return error;
};

test('a policy shows its places, rollout and failure mode, and so do its versions; a change without them leaves them, null ends the rollout', async () => {
  const { typed, home } = api;
  const client = typed();
  const { policy } = await client.createPolicy({
    input: ban('places', {
      scope: { teamId: toGlobalId('Team', home.team), tool: 'files.*' },
      attachments: [
        { scope: { environmentId: ids.environment(home.staging) }, mode: 'INJECT' },
        { scope: { tag: 'x' }, enabled: false },
      ],
      rollout: { percent: 12.5, maxDenialPercent: 2, windowMs: 60_000 },
      onError: 'DENY',
    }),
  });
  assert.deepEqual([policy.scope.team?.id, policy.scope.tool, policy.onError], [toGlobalId('Team', home.team), 'files.*', 'DENY']);
  assert.deepEqual(policy.attachments.map(({ scope, mode, priority, enabled }) => [scope.environment?.name ?? scope.tag, mode, priority, enabled]), [
    ['staging', 'INJECT', null, true],
    ['x', null, null, false],
  ]); // prettier-ignore
  assert.deepEqual({ ...policy.rollout }, { percent: 12.5, maxDenialPercent: 2, windowMs: 60_000 });
  const change = (version: number, input: object) =>
    client.updatePolicy({ input: { policyId: policy.id, expectedVersion: version, ...input } });
  const { policy: second } = await change(1, { priority: 3 });
  assert.deepEqual([second.attachments.length, second.rollout?.percent], [2, 12.5]);
  const { policy: third } = await change(2, { rollout: null, attachments: [] });
  assert.deepEqual([third.attachments, third.rollout, third.onError], [[], null, 'DENY']);
  const { data } = await api.gql(
    `query ($id: ID!) { policy(id: $id) { versions { version change mode onError rollout { percent } attachments { enabled } scope { tool } } } }`,
    { id: policy.id },
  );
  assert.deepEqual(data!['policy'].versions.map((each: any) => [each.version, each.rollout?.percent ?? null, each.attachments.length]), [
    [3, null, 0],
    [2, 12.5, 2],
    [1, 12.5, 2],
  ]); // prettier-ignore
});

test('documents: validated with line and column, applied with compare-and-set, and a preview that writes nothing', async () => {
  const client = api.typed();
  const document = 'name: by-text\nkind: content\nmode: inject\nrules:\n  - effect: warn\n    words: [secret]\n';
  const wrong = await client.validatePolicy({ document: document.replace('inject', 'loud').replace('warn', 'shout') });
  assert.deepEqual(wrong.problems.map(({ line, column, path }) => [line, column, path]), [[3, 7, 'mode'], [5, 13, 'rules[0].effect']]); // prettier-ignore
  assert.deepEqual([wrong.policy, wrong.current, wrong.changes], [null, null, []]);
  const right = await client.validatePolicy({ document });
  assert.deepEqual([right.problems, right.policy?.mode, right.current], [[], 'INJECT', null]);
  const refused = await failed(client.applyPolicy({ input: { document: document.replace('inject', 'loud'), expectedVersion: 0 } }));
  assert.deepEqual([refused.code, refused.problems[0]?.line], ['VALIDATION_FAILED', 3]);
  const { policy, changes } = await client.applyPolicy({ input: { document, expectedVersion: 0 } });
  assert.deepEqual([policy.version, policy.kind, changes.includes('rules')], [1, 'CONTENT', true]);
  assert.equal((await failed(client.applyPolicy({ input: { document, expectedVersion: 0 } }))).code, 'CONFLICT');
  const preview = await client.validatePolicy({ document: `priority: 4\n${document}` });
  assert.deepEqual([preview.current?.version, preview.changes], [1, ['priority']]);
  const page = await client.policies({ filter: { name: 'by-text' } });
  assert.deepEqual(page.edges.map(({ node }) => node.version), [1]); // prettier-ignore
});

test('who may: reading needs policy.read, writing policy.manage; foreign agents are as good as none', async () => {
  const { home, typed, people } = api;
  const viewer = typed(await home.principal([['viewer', 'tenant', home.tenantId]]));
  const nobody = typed(await home.principal());
  const document = 'name: theirs\nkind: tool_access\nrules: [{ effect: deny, tools: [nothing.*] }]\n';
  assert.deepEqual((await viewer.validatePolicy({ document })).problems, []);
  assert.equal((await failed(viewer.applyPolicy({ input: { document, expectedVersion: 0 } }))).code, 'FORBIDDEN');
  assert.equal((await failed(nobody.validatePolicy({ document }))).code, 'FORBIDDEN');
  const agentId = await api.agent([{ id: 'a', wait: '1s' }]);
  const where = { agentId: ids.agent(agentId), environmentId: ids.environment(home.staging) };
  assert.equal((await failed(nobody.policiesInForce(where))).code, 'FORBIDDEN');
  const other = typed(people.other.adminKey);
  const [foreign, absent] = [await failed(other.policiesInForce(where)), await failed(other.policiesInForce({ ...where, agentId: ids.agent(newId()) }))]; // prettier-ignore
  assert.deepEqual([foreign.code, absent.code], ['NOT_FOUND', 'NOT_FOUND']);
});

test('policies in force tell which place counts, in a number of statements that does not grow with the policies', async () => {
  const { home } = api;
  const client = api.typed();
  const agentId = await api.agent([{ id: 'a', wait: '1s' }], { tags: ['night'] });
  const where = { agentId: ids.agent(agentId), environmentId: ids.environment(home.staging) };
  const add = (name: string, more: Partial<CreatePolicyInput>) => client.createPolicy({ input: ban(name, more) });
  await add('near', { priority: 9, mode: 'OBSERVE', attachments: [{ scope: { tag: 'night' }, mode: 'ENFORCE', priority: 1 }] });
  await add('near-agent', { scope: { agentId: where.agentId } });
  const ask = async () => (await client.policiesInForce({ ...where, tool: 'mail.send' })).filter(({ policy }) => policy.name.startsWith('near')); // prettier-ignore
  const first = await api.countStatements(ask);
  assert.deepEqual(first.result.map(({ policy, mode, priority, attachment, scope }) => [policy.name, mode, priority, attachment, scope.tag]), [
    ['near', 'ENFORCE', 1, 0, 'night'],
    ['near-agent', 'ENFORCE', 100, null, null],
  ]); // prettier-ignore
  for (let more = 0; more < 5; more += 1) await add(`near-${more}`, { scope: { agentId: where.agentId } });
  const second = await api.countStatements(ask);
  assert.equal(second.result.length, 7);
  assert.equal(second.statements.length, first.statements.length, second.statements.join('\n'));
});

test('who sees a policy by what it is attached to reads its rules, and of its other places only that there are some', async () => {
  const { home, typed } = api;
  const project = (id: string) => ({ projectId: toGlobalId('Project', id) });
  const { policy } = await typed().createPolicy({
    input: ban('shared', { scope: project(home.otherProject), attachments: [{ scope: project(home.project) }] }),
  });
  const viewer = typed(await home.principal([['viewer', 'project', home.project]]));
  const seen = (await viewer.policies({ filter: { name: 'shared', ...project(home.project) } })).edges.map(({ node }) => node);
  assert.deepEqual(seen.map(({ id, rules: theirs, scope, attachments }) => [id, theirs, scope.project, scope.isWholeTenant, attachments[0]?.scope.project?.name]), [
    [policy.id, rules, null, false, 'one'],
  ]); // prettier-ignore
  assert.equal((await failed(viewer.disablePolicy({ input: { policyId: policy.id } }))).code, 'FORBIDDEN');
  const { policy: wide } = await typed().createPolicy({ input: ban('wide') });
  assert.equal(wide.scope.isWholeTenant, true);
  assert.deepEqual((await viewer.policies({ filter: { name: 'wide' } })).edges, []);
});

// Deciding approvals through the API while a runner works: what runs after a yes, what does not after a no, and who may say either.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId } from '#src/platform/ids.ts';
import { roles } from '#src/authority/permission.ts';
import { ids, testApi, type Api } from './harness/api.ts';
import type { Caller } from './harness/graphql.ts';

let offsetMs = 0;
let api: Api;
let asking: string;
let writing: string;
before(async () => {
  const clock = { now: () => new Date(Date.now() + offsetMs) };
  const write = { annotations: {}, run: ({ path }: Record<string, unknown>) => `wrote ${String(path)}` };
  api = await testApi({ clock, tools: { 'files.write': write } });
  asking = await api.agent([{ id: 'ask', approval: { title: 'Go on?' } }, { id: 'then', needs: ['ask'], transform: 'steps.ask.output' }], { output: '${{ steps.then.output }}' }); // prettier-ignore
  writing = await api.agent([{ id: 'write', tool: 'files.write', with: { path: '${{ inputs.path }}' } }]);
  await api
    .typed()
    .createPolicy({ input: { name: 'writes', kind: 'APPROVAL_REQUIRED', mode: 'ENFORCE', rules: [{ tools: ['files.*'] }] } });
  await api.runner({ services: api.services });
});
after(() => api.close());

const decideMutation = `mutation ($input: DecideApprovalInput!) { decideApproval(input: $input) { __typename
  ... on DecideApprovalSuccess { approval { status note decidedBy { id } execution { id } } }
  ... on Error { code message } ... on ValidationError { problems { path } } } }`;

type Result = { __typename: string; message: string; problems: { path: string }[]; approval: any };
async function decide(approvalId: string, decision: 'APPROVE' | 'REJECT', as: Caller = api.reviewer, more: object = {}): Promise<Result> {
  const { data, errors } = await api.gql(decideMutation, { input: { approvalId: ids.approval(approvalId), decision, ...more } }, { as });
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data!['decideApproval'] as Result;
}
const refused = (result: Result, typename: string, message: RegExp) => {
  assert.equal(result.__typename, typename, JSON.stringify(result));
  assert.match(result.message, message);
};
const asked = async (agentId: string, inputs: object = {}) => {
  const { id } = await api.start(agentId, { inputs });
  return { id, approvalId: await api.asked(id) };
};
const callsOf = (path: string) => api.calls.filter((call) => call.args['path'] === path).length;
const show = async (approvalId: string) => (await api.typed(api.reviewer).approval({ id: ids.approval(approvalId) }))!;

test('after a yes the step goes on, with who said it and why', async () => {
  const { id, approvalId } = await asked(asking);
  const { approval } = await decide(approvalId, 'APPROVE', api.reviewer, { note: 'looks right' });
  assert.deepEqual([approval.status, approval.note, approval.execution.id], ['APPROVED', 'looks right', ids.execution(id)]);
  const done = await api.finished(id);
  assert.deepEqual([done.status, done.output], ['succeeded', { decision: 'approved', by: api.reviewer.principalId, note: 'looks right' }]);
});

test('after a no the step is blocked with the reason, and what needs it never begins', async () => {
  const { id, approvalId } = await asked(asking);
  assert.equal((await decide(approvalId, 'REJECT', api.reviewer, { note: 'not today' })).approval.status, 'REJECTED');
  const done = await api.finished(id);
  assert.deepEqual([done.status, done.failure?.stepId], ['blocked', 'ask']);
  const blocked = (await api.events(id)).find(({ type }) => type === 'step.blocked')!;
  assert.deepEqual(blocked.data['failure'], { code: 'APPROVAL_REJECTED', message: 'rejected: not today', stepId: 'ask' });
});

test('a tool that a policy asks about is called after the yes, once, with what was shown; after a no never', async () => {
  const yes = await asked(writing, { path: 'yes.md' });
  const shown = await show(yes.approvalId);
  assert.deepEqual([shown.tool, shown.arguments, shown.source, shown.risk, callsOf('yes.md')], ['files.write', { path: 'yes.md' }, 'POLICY', 'HIGH', 0]); // prettier-ignore
  refused(
    await decide(yes.approvalId, 'APPROVE', api.reviewer, { expectedDigest: '0'.repeat(64) }),
    'ConflictError',
    /this approval is for/,
  );
  assert.equal((await decide(yes.approvalId, 'APPROVE', api.reviewer, { expectedDigest: shown.digest })).approval.status, 'APPROVED');
  assert.deepEqual([(await api.finished(yes.id)).status, callsOf('yes.md')], ['succeeded', 1]);
  const no = await asked(writing, { path: 'no.md' });
  await decide(no.approvalId, 'REJECT');
  assert.deepEqual([(await api.finished(no.id)).status, callsOf('no.md')], ['blocked', 0]);
});

test('whoever started it cannot decide, whatever their roles; a colleague with the same roles can', async () => {
  const { home } = api;
  const [starter, colleague] = [await home.principal([['admin', 'tenant', home.tenantId]]), await home.principal([['admin', 'tenant', home.tenantId]])]; // prettier-ignore
  const { id } = await api.start(asking, {}, starter);
  const approvalId = await api.asked(id);
  for (const decision of ['APPROVE', 'REJECT'] as const) {
    refused(await decide(approvalId, decision, starter), 'ForbiddenError', /you started the execution .* someone else/);
  }
  const key = await home.write((uow) => api.people.apiKeys.createApiKey(uow, starter, { name: newId(), roles: ['admin'] }));
  refused(await decide(approvalId, 'APPROVE', key.token), 'ForbiddenError', /you started the execution/);
  assert.equal((await decide(approvalId, 'APPROVE', colleague)).approval.status, 'APPROVED');
  assert.equal((await api.finished(id)).status, 'succeeded');
});

test('each role that may decide, and its twins that may not; other places and tenants do not even see it', async () => {
  const { home } = api;
  for (const role of roles) {
    const { approvalId } = await asked(asking);
    const result = await decide(approvalId, 'APPROVE', await home.principal([[role, 'environment', home.staging]]));
    if (['admin', 'operator', 'reviewer'].includes(role)) assert.equal(result.approval.status, 'APPROVED', role);
    else refused(result, 'ForbiddenError', /approval\.decide/);
  }
  const { id, approvalId } = await asked(asking);
  const strangers: Caller[] = [
    api.people.other.admin,
    await home.principal([['reviewer', 'environment', home.production]]),
    await home.principal([['reviewer', 'project', home.otherProject]]),
    await home.principal([['reviewer', 'team', home.team]]),
  ];
  for (const as of strangers) refused(await decide(approvalId, 'APPROVE', as), 'NotFoundError', /there is no approval/);
  refused(await decide(newId(), 'APPROVE'), 'NotFoundError', /there is no approval/);
  refused(await decide(approvalId, 'APPROVE', await home.principal()), 'ForbiddenError', /approval\.decide/);
  refused(await decide(approvalId, 'APPROVE', await home.principal([['reviewer', 'tenant', home.tenantId]], 'worker')), 'ForbiddenError', /a worker .* cannot decide/); // prettier-ignore
  const wrongType = await api.gql(decideMutation, { input: { approvalId: ids.execution(id), decision: 'APPROVE' } }, { as: api.reviewer });
  assert.deepEqual(wrongType.data!['decideApproval'].problems, [{ path: 'approvalId' }]);
  assert.equal((await show(approvalId)).status, 'PENDING');
  assert.equal((await decide(approvalId, 'APPROVE')).approval.status, 'APPROVED');
});

test('a decision is made once: again is a conflict, with the same key the same answer, ten at once leave one', async () => {
  const { id, approvalId } = await asked(writing, { path: 'once.md' });
  const deciders = await Promise.all(Array.from({ length: 10 }, () => api.home.principal([['reviewer', 'tenant', api.home.tenantId]])));
  const results = await Promise.all(deciders.map((as, index) => decide(approvalId, index % 2 ? 'APPROVE' : 'REJECT', as, { idempotencyKey: `k${index}` }))); // prettier-ignore
  const winner = results.findIndex(({ __typename }) => __typename === 'DecideApprovalSuccess');
  assert.deepEqual(results.map(({ __typename }) => __typename).toSorted(), [...Array.from({ length: 9 }, () => 'ConflictError'), 'DecideApprovalSuccess']); // prettier-ignore
  refused(results[winner === 0 ? 1 : 0]!, 'ConflictError', /already (approved|rejected) by p-.* a decision is final/);
  const decision = winner % 2 ? 'APPROVE' : 'REJECT';
  const again = await decide(approvalId, decision, deciders[winner], { idempotencyKey: `k${winner}` });
  assert.deepEqual(again.approval, results[winner]!.approval);
  const other = decision === 'APPROVE' ? 'REJECT' : 'APPROVE';
  refused(await decide(approvalId, other, deciders[winner], { idempotencyKey: `k${winner}` }), 'IdempotencyConflictError', /used before/);
  refused(await decide(approvalId, decision, deciders[winner]), 'ConflictError', /a decision is final/);
  const done = await api.finished(id);
  assert.deepEqual([done.status, callsOf('once.md')], winner % 2 ? ['succeeded', 1] : ['blocked', 0]);
});

test('after its time an approval cannot be decided, also before anything has ended it; then it ends by itself', async () => {
  const { id, approvalId } = await asked(asking);
  offsetMs = 24 * 3_600_000;
  try {
    refused(await decide(approvalId, 'APPROVE'), 'InvalidStateError', /the approval expired at 20/);
  } finally {
    offsetMs = 0;
  }
  await api.typed(api.operator).cancelExecution({ input: { executionId: ids.execution(id) } });
  const brief = await asked(await api.agent([{ id: 'ask', approval: { title: 'Quick!', expiresIn: '1s' } }]));
  const done = await api.finished(brief.id);
  assert.deepEqual([done.status, done.failure?.stepId], ['blocked', 'ask']);
  const types = (await api.events(brief.id)).map(({ type }) => type);
  assert.deepEqual(types.slice(-3), ['approval.expired', 'step.blocked', 'execution.blocked']);
  refused(await decide(brief.approvalId, 'APPROVE'), 'InvalidStateError', /the approval expired at/);
});

test('what was withdrawn with its execution cannot be decided; notes and keys have limits', async () => {
  const { id, approvalId } = await asked(asking);
  for (const [more, path] of [
    [{ note: 'n'.repeat(4_001) }, 'note'],
    [{ note: '\u0000' }, 'note'],
    [{ idempotencyKey: '' }, 'idempotencyKey'],
    [{ idempotencyKey: 'k'.repeat(201) }, 'idempotencyKey'],
    [{ idempotencyKey: '\ud800' }, 'idempotencyKey'],
  ] as const) {
    // prettier-ignore
    assert.deepEqual((await decide(approvalId, 'APPROVE', api.reviewer, more)).problems, [{ path }], JSON.stringify(more).slice(0, 40));
  }
  await api.typed(api.operator).cancelExecution({ input: { executionId: ids.execution(id) } });
  assert.equal((await show(approvalId)).status, 'CANCELLED');
  refused(await decide(approvalId, 'APPROVE'), 'InvalidStateError', /cancelled with its execution/);
});

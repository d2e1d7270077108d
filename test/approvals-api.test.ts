// Approvals through the API: stages and votes as they are shown, many decisions at once, extension, delegation; and who is refused.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority, Role } from '#src/authority/permission.ts';
import { ids, testApi, type Api } from './harness/api.ts';
import type { Caller } from './harness/graphql.ts';

let api: Api;
let ada: Authority;
let bob: Authority;
let viewer: Authority;
let agentId: string;
before(async () => {
  api = await testApi({ tools: {} });
  const person = (role: Role) => api.home.principal([[role, 'tenant', api.home.tenantId]], 'user');
  [ada, bob, viewer] = [await person('reviewer'), await person('reviewer'), await person('viewer')];
  const stages = [
    { name: 'both', approvers: [{ principal: ada.principalName }, { team: 'red' }, { role: 'reviewer' }], quorum: 2 },
    { approvers: [{ role: 'admin' }] },
  ];
  const escalation = { after: '2h', approvers: [{ role: 'operator' }] };
  agentId = await api.agent([{ id: 'ask', approval: { title: 'Go?', approvers: { stages, escalation, excludeOwner: true } } }]);
  await api.runner({ services: api.services });
});
after(() => api.close());

const asked = async (): Promise<string> => ids.approval(await api.asked((await api.start(agentId)).id));
const problem = '... on Error { code message } ... on ValidationError { problems { path message } }';
async function ask(mutation: string, input: object, selection: string, as: Caller = ada): Promise<any> {
  const type = `${mutation.slice(0, 1).toUpperCase()}${mutation.slice(1)}`;
  const document = `mutation ($input: ${type}Input!) { ${mutation}(input: $input) { __typename ... on ${type}Success { ${selection} } ${problem} } }`;
  const { data, errors } = await api.gql(document, { input }, { as });
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data![mutation];
}
const decide = (approvalId: string, as: Caller, decision = 'APPROVE') =>
  ask('decideApproval', { approvalId, decision }, 'approval { status }', as);
const person = (authority: Authority) => toGlobalId('Principal', authority.principalId);

test('stages, approvers and votes are shown as they stand', async () => {
  const id = await asked();
  const read = async (as: Caller) =>
    (
      await api.gql(
        `query ($id: ID!) { approval(id: $id) { canDecide cannotDecideReason isOwnerExcluded warnedAt
          stages { index name quorum isComplete isCurrent approvers { role principal { id } team { name } } }
          escalation { afterMs escalatedAt approvers { role } }
          votes { stage decision principal { id } onBehalfOf { id } } } }`,
        { id },
        { as },
      )
    ).data!['approval'];
  const first = await read(api.home.adminKey);
  assert.deepEqual(first.stages, [
    {
      ...{ index: 0, name: 'both', quorum: 2, isComplete: false, isCurrent: true },
      approvers: [
        { role: null, principal: { id: person(ada) }, team: null },
        { role: null, principal: null, team: { name: 'red' } },
        { role: 'REVIEWER', principal: null, team: null },
      ],
    },
    {
      index: 1,
      name: 'stage 2',
      quorum: 1,
      isComplete: false,
      isCurrent: false,
      approvers: [{ role: 'ADMIN', principal: null, team: null }],
    },
  ]);
  assert.deepEqual(first.escalation, { afterMs: 7_200_000, escalatedAt: null, approvers: [{ role: 'OPERATOR' }] });
  assert.deepEqual([first.canDecide, first.isOwnerExcluded, first.votes], [false, true, []]);
  assert.deepEqual([(await read(ada)).canDecide, (await read(viewer)).canDecide], [true, false]);
  assert.match((await read(viewer)).cannotDecideReason, /approval\.decide/);
  await decide(id, ada);
  const second = await read(api.home.adminKey);
  assert.deepEqual(second.votes, [{ stage: 0, decision: 'APPROVE', principal: { id: person(ada) }, onBehalfOf: null }]);
  assert.match((await read(ada)).cannotDecideReason, /you approved it already/);
  await decide(id, bob);
  const third = await read(api.home.adminKey);
  assert.deepEqual(third.stages.map(({ isComplete, isCurrent }: any) => [isComplete, isCurrent]), [[true, false], [false, true]]); // prettier-ignore
});

test('a definition that names nobody who exists, or too few, is refused with line and column', async () => {
  const bad = { stages: [{ approvers: [{ principal: 'nobody' }, { team: newId() }] }, { approvers: [{ team: 'blue' }], quorum: 2 }] };
  await assert.rejects(api.agent([{ id: 'ask', approval: { title: 'x', approvers: bad } }]), (error: any) => {
    const problems = error.problems.map(({ path, message, line }: any) => [path, message, typeof line]);
    assert.deepEqual(
      problems.map(([path]: string[]) => path),
      ['stages[0].approvers[0].principal', 'stages[0].approvers[1].team', 'stages[1].quorum'].map(
        (path) => `spec.steps[0].approval.approvers.${path}`,
      ),
    );
    assert.match(problems[0][1], /there is no principal "nobody"/);
    assert.match(problems[2][1], /2 approvals are needed and the approvers are 0 people/);
    return true;
  });
  const document = { stages: [{ approvers: [{ principal: 'a' }], quorum: 2 }], escalation: { after: '0s', approvers: [] } };
  await assert.rejects(api.agent([{ id: 'ask', approval: { title: 'x', approvers: document } }]), (error: any) => {
    const expected = error.problems.map((problem: any) => problem.expected);
    assert.match(expected[0], /is larger than the group: 1 named/);
    assert.match(expected[1], /a duration from 1s to 30d/);
    assert.match(expected[2], /at least one approver/);
    return true;
  });
  const hours = { stages: [], businessHours: { timezone: 'Mars/Base', from: '25:00' } };
  await assert.rejects(api.agent([{ id: 'ask', approval: { title: 'x', approvers: hours } }]), (error: any) => {
    const paths = error.problems.map(({ path }: any) => path.split('businessHours.')[1]);
    assert.deepEqual(paths.toSorted(), ['from', 'timezone', 'to']);
    return true;
  });
});

test('many decisions at once: a preflight decides nothing; then each stands for itself, in the order given', async () => {
  const [one, two, done] = [await asked(), await asked(), await asked()];
  await decide(done, ada, 'REJECT');
  const absent = toGlobalId('Approval', newId());
  const items = [two, absent, done, one].map((approvalId) => ({ approvalId, decision: 'APPROVE', note: 'ok', idempotencyKey: 'batch' }));
  const selection = 'results { approvalId approval { status votes { note } } refusal { code message } }';
  const codes = (answer: any) => answer.results.map(({ refusal }: any) => refusal?.code ?? null);
  const before = await ask('decideApprovals', { items, preflight: true }, selection);
  assert.deepEqual(codes(before), [null, 'NOT_FOUND', 'CONFLICT', null]);
  assert.deepEqual(before.results.map(({ approvalId }: any) => approvalId), [two, absent, done, one]); // prettier-ignore
  assert.deepEqual(before.results[0].approval, { status: 'PENDING', votes: [] });
  const after = await ask('decideApprovals', { items }, selection);
  assert.deepEqual(codes(after), [null, 'NOT_FOUND', 'CONFLICT', null]);
  assert.deepEqual(after.results[3].approval, { status: 'PENDING', votes: [{ note: 'ok' }] });
  assert.equal(after.results[1].approval, null);
  assert.match(after.results[2].refusal.message, /already rejected by/);
  assert.deepEqual(codes(await ask('decideApprovals', { items }, selection)), [null, 'NOT_FOUND', 'CONFLICT', null], 'repeated');
  const third = [{ approvalId: one, decision: 'APPROVE', expectedDigest: '0'.repeat(64) }];
  assert.deepEqual(codes(await ask('decideApprovals', { items: third }, selection, bob)), ['CONFLICT']);
  const twice = await ask('decideApprovals', { items: [items[0], items[0]] }, selection);
  assert.deepEqual([twice.__typename, twice.problems[0].path], ['ValidationError', 'items[1].approvalId']);
  const item = (index: number) => ({ approvalId: toGlobalId('Approval', newId()), decision: 'APPROVE', note: `${index}` });
  const list = (length: number) => ({ items: Array.from({ length }, (_, index) => item(index)) });
  assert.match((await ask('decideApprovals', list(101), 'results { refusal { code } }')).message, /1 to 100 decisions, has 101/);
  assert.match((await ask('decideApprovals', list(0), 'results { refusal { code } }')).message, /1 to 100/);
  assert.equal(
    (await ask('decideApprovals', list(100), 'results { refusal { code } }')).__typename,
    'NotFoundError',
    'none of them exists',
  );
  const most = { items: [items[0], ...list(99).items] };
  assert.equal((await ask('decideApprovals', most, 'results { refusal { code } }')).results.length, 100);
});

test('decisions, extensions and delegations are refused to whoever lacks the permission, and foreign ids are as good as none', async () => {
  const id = await asked();
  const endsAt = new Date(Date.now() + 3_600_000).toISOString();
  const calls: [string, object][] = [
    ['decideApprovals', { items: [{ approvalId: id, decision: 'APPROVE' }] }],
    ['extendApproval', { approvalId: id, expiresAt: new Date(Date.now() + 172_800_000).toISOString() }],
    ['delegateApprovals', { toPrincipalId: person(bob), endsAt }],
  ];
  for (const [mutation, input] of calls) {
    const refused = await ask(mutation, input, '__typename', viewer);
    assert.deepEqual([refused.__typename, refused.code], ['ForbiddenError', 'FORBIDDEN'], mutation);
  }
  const unknown = await ask('extendApproval', { approvalId: toGlobalId('Approval', newId()), expiresAt: endsAt }, '__typename');
  assert.equal(unknown.__typename, 'NotFoundError');
  const strange = await ask('delegateApprovals', { toPrincipalId: toGlobalId('Principal', newId()), endsAt }, '__typename');
  assert.equal(strange.__typename, 'NotFoundError');
  const none = await ask('revokeDelegation', { delegationId: toGlobalId('ApprovalDelegation', newId()) }, '__typename');
  assert.equal(none.__typename, 'NotFoundError');
});

test('an approver extends; a delegate is named, decides in the place of another, and is taken back', async () => {
  const id = await asked();
  const expiresAt = new Date(Date.now() + 172_800_000).toISOString();
  const extended = await ask('extendApproval', { approvalId: id, expiresAt, note: 'away' }, 'approval { expiresAt comments(first: 1) { edges { node { kind text } } } }'); // prettier-ignore
  assert.equal(extended.approval.expiresAt, expiresAt);
  assert.deepEqual(extended.approval.comments.edges[0].node, { kind: 'EXTENSION', text: 'away' });
  const operator = await api.home.principal([['operator', 'tenant', api.home.tenantId]], 'user');
  assert.equal((await decide(id, operator)).__typename, 'ForbiddenError');
  const endsAt = new Date(Date.now() + 3_600_000).toISOString();
  const given = await ask('delegateApprovals', { toPrincipalId: person(operator), endsAt, reason: 'away' }, 'delegation { id reason from { id } to { id } revokedAt }', bob); // prettier-ignore
  assert.deepEqual([given.delegation.from.id, given.delegation.to.id, given.delegation.revokedAt], [person(bob), person(operator), null]);
  assert.equal(
    (await ask('delegateApprovals', { toPrincipalId: person(bob), endsAt }, '__typename', operator)).__typename,
    'ConflictError',
  );
  assert.equal((await decide(id, operator)).approval.status, 'PENDING');
  const typed = api.typed(operator);
  const { votes } = (await typed.approval({ id }))!;
  assert.deepEqual(votes.map((vote) => vote.onBehalfOf?.id), [person(bob)]); // prettier-ignore
  const { edges } = await typed.approvalDelegations({ filter: { isOpen: true } });
  assert.deepEqual(edges.map(({ node }) => node.id), [given.delegation.id]); // prettier-ignore
  const revoked = await ask('revokeDelegation', { delegationId: given.delegation.id }, 'delegation { revokedAt }', bob);
  assert.notEqual(revoked.delegation.revokedAt, null);
  assert.deepEqual((await typed.approvalDelegations({ filter: { isOpen: true } })).edges, []);
});

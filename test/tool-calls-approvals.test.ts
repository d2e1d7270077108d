// Approvals of calls that agents make elsewhere: questions that their loops answer, how they end, and who may report what.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { keyOf } from './harness/product-tenant.ts';
import type { Authority } from '#src/authority/permission.ts';
import { code, outsideAgent, type Outside } from './harness/tool-calls.ts';

let outside: Outside;
/** What a loop holds. */
let service: Authority;
before(async () => {
  outside = await outsideAgent();
  const { home } = outside.api;
  service = await home.principal([['service', 'environment', home.staging]]);
});
after(() => outside.api.close());

const payments = { kind: 'approval_required', rules: [{ tools: ['custom.pay'], expiresIn: '1h' }] } as const;
const questions = `query ($id: ID!) { toolCall(id: $id) { approval { status title comments { edges { node { id kind text } } } } } }`;
const answering = `mutation ($input: AnswerApprovalQuestionInput!) { answerApprovalQuestion(input: $input) {
  ... on AnswerApprovalQuestionSuccess { answer { text question { id } } } ... on Error { code message } } }`;
const approvalStatus = async (id: string | null | undefined) =>
  (await outside.api.gql('query ($id: ID!) { approval(id: $id) { status } }', { id })).data!['approval'].status;

test('a loop reads what is asked about its own call, and answers; of approvals that others ask for it sees nothing', async () => {
  const { api, authorize, reviewer, withPolicy } = outside;
  const loop = api.typed(service);
  await withPolicy(payments, async () => {
    const call = await authorize({ idempotencyKey: 'asked' }, loop);
    assert.equal(call.status, 'AWAITING_APPROVAL');
    const { question } = await reviewer.askAboutApproval({ input: { approvalId: call.approvalId!, question: 'Which invoice?' } });
    const read = async (id: string) => (await api.gql(questions, { id }, { as: service })).data!['toolCall'];
    const { approval } = await read(call.id);
    assert.equal(approval.status, 'PENDING');
    assert.deepEqual(approval.comments.edges, [{ node: { id: question.id, kind: 'QUESTION', text: 'Which invoice?' } }]);
    const answer = async (questionId: string, as: Authority) =>
      (await api.gql(answering, { input: { questionId, text: '2026-117' } }, { as })).data!['answerApprovalQuestion'];
    assert.deepEqual(await answer(question.id, service), { answer: { text: '2026-117', question: { id: question.id } } });
    assert.equal((await answer(question.id, service)).code, 'CONFLICT', 'once');
    const { comment } = await loop.commentOnApproval({ input: { approvalId: call.approvalId!, text: 'It is due today.' } });
    assert.equal(comment.text, 'It is due today.');

    // The same rights, but somebody else's call.
    const other = await authorize({ idempotencyKey: 'of another loop' });
    const { question: foreign } = await reviewer.askAboutApproval({ input: { approvalId: other.approvalId!, question: 'Why?' } });
    assert.equal((await read(other.id)).approval, null);
    assert.equal((await answer(foreign.id, service)).code, 'NOT_FOUND');
    await assert.rejects(loop.commentOnApproval({ input: { approvalId: other.approvalId!, text: 'x' } }), code('NOT_FOUND'));
    // One who asks, and has lost the right to read there, sees it no more.
    const elsewhere = { ...service, grants: service.grants.map((grant) => ({ ...grant, scopeId: api.home.production })) };
    assert.deepEqual(await api.home.read((uow) => api.services.approvals.approvalsByIds(uow, elsewhere, [keyOf(call.approvalId!)])), []);
    for (const decision of ['APPROVE', 'REJECT'] as const) {
      await assert.rejects(
        loop.decideApproval({ input: { approvalId: call.approvalId!, decision } }),
        code('FORBIDDEN'),
        'it answers, and never decides',
      );
    }
    await reviewer.decideApproval({ input: { approvalId: call.approvalId!, decision: 'APPROVE' } });
    assert.equal((await authorize({ idempotencyKey: 'asked' }, loop)).status, 'ALLOWED');
  });
});

test('an approval that was cancelled because its call is refused cannot be decided, extended or asked about any more', async () => {
  const { authorize, reviewer, withPolicy, report } = outside;
  await withPolicy(payments, async () => {
    const call = await authorize({ idempotencyKey: 'withdrawn' });
    const approvalId = call.approvalId!;
    await withPolicy({ kind: 'tool_access', rules: [{ effect: 'deny', tools: ['custom.pay'] }] }, async () => {
      assert.equal((await authorize({ idempotencyKey: 'withdrawn' })).status, 'REFUSED');
    });
    assert.equal(await approvalStatus(approvalId), 'CANCELLED');
    for (const decision of ['APPROVE', 'REJECT'] as const) {
      await assert.rejects(reviewer.decideApproval({ input: { approvalId, decision } }), (error: any) => {
        assert.equal(error.code, 'INVALID_STATE');
        assert.match(error.message, /cancelled/);
        return true;
      });
    }
    const expiresAt = new Date(Date.now() + 7_200_000).toISOString();
    await assert.rejects(reviewer.extendApproval({ input: { approvalId, expiresAt } }), code('INVALID_STATE'));
    await assert.rejects(reviewer.askAboutApproval({ input: { approvalId, question: 'Why?' } }), code('INVALID_STATE'));
    assert.equal(await approvalStatus(approvalId), 'CANCELLED');
    assert.equal((await authorize({ idempotencyKey: 'withdrawn' })).status, 'REFUSED');
    await assert.rejects(report(call.id, 'x'), code('INVALID_STATE'));
  });
});

test('a call that is not wanted any more is withdrawn by whoever asked: refused, and nobody is asked about it any more', async () => {
  const { api, authorize, loop, report, reviewer, withPolicy } = outside;
  const withdraw = (toolCallId: string, client = loop) => client.withdrawToolCall({ input: { toolCallId } });
  await withPolicy(payments, async () => {
    const call = await authorize({ idempotencyKey: 'given up' });
    for (const other of [service, api.operator, api.home.adminKey] as const) {
      await assert.rejects(withdraw(call.id, api.typed(other)), code('FORBIDDEN'));
    }
    await assert.rejects(withdraw(call.id, api.typed(api.people.other.adminKey)), code('NOT_FOUND'));
    assert.equal(await approvalStatus(call.approvalId), 'PENDING', 'nothing is half-written');
    const { toolCall } = await withdraw(call.id);
    assert.deepEqual([toolCall.status, toolCall.reasons], ['REFUSED', ['Whoever asked has withdrawn it.']]);
    assert.equal(await approvalStatus(call.approvalId), 'CANCELLED');
    assert.deepEqual((await withdraw(call.id)).toolCall, toolCall, 'the same answer again');
    await assert.rejects(reviewer.decideApproval({ input: { approvalId: call.approvalId!, decision: 'APPROVE' } }), code('INVALID_STATE'));
    assert.equal((await authorize({ idempotencyKey: 'given up' })).status, 'REFUSED');

    // Of a decision and a withdrawal at once, one holds; a grant that nobody uses allows nothing.
    const raced = await authorize({ idempotencyKey: 'raced' });
    await Promise.allSettled([
      reviewer.decideApproval({ input: { approvalId: raced.approvalId!, decision: 'APPROVE' } }),
      withdraw(raced.id),
    ]);
    assert.ok(['APPROVED', 'CANCELLED'].includes(await approvalStatus(raced.approvalId)));
    assert.equal((await authorize({ idempotencyKey: 'raced' })).status, 'REFUSED');
  });
  const allowed = await authorize();
  await assert.rejects(withdraw(allowed.id), code('INVALID_STATE'), 'it may have been made');
  await report(allowed.id, { text: 'a' });
  await assert.rejects(withdraw(allowed.id), code('INVALID_STATE'));
});

test('an approval that ran out refuses the call; one that was given is no good after its time', async () => {
  const { api, authorize, reviewer, withPolicy } = outside;
  const { home, services } = api;
  const runOut = (id: string) =>
    home.write((uow) =>
      uow.rows(`update approvals set expires_at = now() - interval '1 second' where tenant_id = $1 and id = $2`, [home.tenantId, id]),
    );
  await withPolicy(payments, async () => {
    const open = await authorize({ idempotencyKey: 'ran out' });
    await runOut(keyOf(open.approvalId!));
    await home.write((uow) => services.approvals.expire(uow, keyOf(open.approvalId!)));
    const refused = await authorize({ idempotencyKey: 'ran out' });
    assert.equal(refused.status, 'REFUSED');
    assert.match(refused.reasons[0]!, /The approval was expired/);

    const given = await authorize({ idempotencyKey: 'given' });
    await reviewer.decideApproval({ input: { approvalId: given.approvalId!, decision: 'APPROVE' } });
    await runOut(keyOf(given.approvalId!));
    const again = await authorize({ idempotencyKey: 'given' });
    assert.equal(again.status, 'AWAITING_APPROVAL', 'people are asked again');
    assert.notEqual(again.approvalId, given.approvalId);
  });
});

test('a result is reported once, by whoever asked, for a call that was allowed', async () => {
  const { api, authorize, loop, report, reviewer, withPolicy } = outside;
  const call = await authorize();
  const input = { toolCallId: call.id, outcome: 'SUCCEEDED', result: { text: 'a' } } as const;
  for (const other of [service, api.operator, api.home.adminKey] as const) {
    await assert.rejects(api.typed(other).reportToolResult({ input }), code('FORBIDDEN'));
  }
  await assert.rejects(reviewer.reportToolResult({ input }), code('FORBIDDEN'));
  assert.equal((await loop.toolCall({ id: call.id }))!.status, 'ALLOWED', 'nothing is half-written');
  const answers = await Promise.allSettled([
    report(call.id, { text: 'a' }),
    report(call.id, { text: 'b' }),
    report(call.id, { text: 'c' }),
  ]);
  assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 1, 'of several at once one holds');
  const { output } = (await loop.toolCall({ id: call.id }))!;
  await assert.rejects(report(call.id, output, 'FAILED'), code('INVALID_STATE'), 'the outcome is part of it');
  assert.deepEqual((await report(call.id, output)).output, output);

  const denied = await authorize({ tool: 'custom.unlisted' });
  await assert.rejects(report(denied.id, 'x'), code('INVALID_STATE'));
  await withPolicy(payments, async () => {
    const waiting = await authorize();
    await assert.rejects(report(waiting.id, 'x'), code('INVALID_STATE'));
    await reviewer.decideApproval({ input: { approvalId: waiting.approvalId!, decision: 'APPROVE' } });
    await assert.rejects(report(waiting.id, 'x'), code('INVALID_STATE'), 'approved, but not asked about again');
  });
  const failed = await authorize();
  assert.deepEqual([(await report(failed.id, { text: 'broken' }, 'FAILED')).outcome], ['FAILED']);
  for (const result of ['a\ud800', { a: 'x'.repeat(1024 * 1024) }]) {
    const open = await authorize();
    await assert.rejects(report(open.id, result), code('VALIDATION_FAILED'));
    assert.equal((await loop.toolCall({ id: open.id }))!.status, 'ALLOWED');
  }
});

test('tricks of Unicode in names of tools are no names, wherever one is given', async () => {
  const { api, ask, rows } = outside;
  const admin = api.typed();
  const count = () =>
    rows(
      'select (select count(*) from tool_calls where tenant_id = $1) as calls, (select count(*) from decisions where tenant_id = $1) as decisions',
    );
  const before = await count();
  const names = [
    'custom.p\u0430y',
    'cust\u043em.pay',
    'custom.pay\u200b',
    '\ufeffcustom.pay',
    'custom.pay\u0301',
    'custom\uff0epay',
    'ｃustom.pay',
    'custom.\u202eyap',
    'custom.pay ',
    'custom.pa\u00ady',
    'CUSTOM.pay\n',
  ];
  for (const tool of names) {
    await assert.rejects(ask({ tool }), (error: any) => {
      assert.equal(error.code, 'VALIDATION_FAILED');
      assert.match(error.message, /is not the name of a tool/);
      return true;
    });
    await assert.rejects(admin.setToolOverride({ input: { tool, risk: 'LOW' } }), code('NOT_FOUND'));
    const pattern = { scope: 'TOOL', pattern: tool, reason: 'x' } as const;
    await assert.rejects(admin.engageKillSwitch({ input: pattern }), code('VALIDATION_FAILED'), JSON.stringify(tool));
    const rules = [{ effect: 'deny', tools: [tool] }];
    await assert.rejects(
      admin.createPolicy({ input: { name: 'tricky', kind: 'TOOL_ACCESS', rules } }),
      code('VALIDATION_FAILED'),
      JSON.stringify(tool),
    );
    await assert.rejects(api.agent([{ id: 'a', transform: '1' }], { tools: [tool] }), /tools/);
  }
  assert.deepEqual(await count(), before, 'nothing is half-written');
});

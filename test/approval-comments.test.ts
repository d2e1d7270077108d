// Talking about a request: comments, questions that go back into the execution, and what a person is shown around it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Definition, StepDefinition } from '#src/agents/definition.ts';
import { maxCommentLength, maxComments } from '#src/approvals/approval-comments.ts';
import type { ApprovalRow } from '#src/approvals/approval-reads.ts';
import {
  ConflictError,
  ForbiddenError,
  InvalidStateError,
  LimitExceededError,
  NotFoundError,
  ValidationError,
} from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
let admin: Authority;
const contents: Record<string, string> = { 'a.md': 'one\ntwo\n' };
before(async () => {
  engine = await handEngine({
    'files.read_file': { run: ({ path }) => contents[String(path)] },
    'files.write_file': { annotations: { readOnlyHint: false }, run: () => 'done' },
    'files.append_file': { annotations: { readOnlyHint: false }, run: () => 'done' },
    'other.read_file': { run: () => 'not the same file' },
  });
  admin = await engine.authority(['admin']);
  const rules = [{ tools: ['files.write_file'] }];
  await write((uow) =>
    engine.services.policies.createPolicy(uow, admin, { name: 'writes', kind: 'approval_required', mode: 'enforce', rules }),
  );
});
after(() => engine.close());

const write = <T>(work: Parameters<typeof engine.db.database.write<T>>[1]) => engine.db.database.write(engine.tenantId, work);
const comments = () => engine.services.approvalComments;
async function asked(steps: readonly Partial<StepDefinition>[], more: Partial<Definition> = {}): Promise<ApprovalRow> {
  const { id } = await engine.start(await engine.agent(steps, more), {}, { labels: { ticket: 'T-1' } });
  await engine.work();
  const [page] = await write((uow) => engine.services.approvals.approvalsOfExecutions(uow, admin, [id], {}));
  return page!.rows[0]!;
}
const sign: Partial<StepDefinition> = {
  id: 'sign',
  approval: { title: 'Go?', reason: '', risk: 'low', expiresInMs: 60_000, show: { a: 1 } },
};
const call = (id: string, name: string, args: Record<string, unknown>, needs: string[] = []): Partial<StepDefinition> => ({
  id,
  needs,
  tool: { name, with: args },
});
const types = async ({ executionId }: ApprovalRow) => (await engine.events(executionId!)).map(({ type }) => type);
const ask = (approval: ApprovalRow, question: string, by = engine.reviewer) =>
  write((uow) => comments().ask(uow, by, { approvalId: approval.id, question }));
const answer = (questionId: string, text: string, by = engine.operator) => write((uow) => comments().answer(uow, by, { questionId, text }));
const say = (approval: ApprovalRow, text: string, by = engine.reviewer) =>
  write((uow) => comments().comment(uow, by, { approvalId: approval.id, text }));
const decide = async (approval: ApprovalRow) => {
  await write((uow) => engine.services.approvals.decide(uow, engine.reviewer, { approvalId: approval.id, decision: 'approve' }));
  await engine.work();
};

describe('questions', () => {
  it('are answered by who asks for the approval, and the answer is part of what the step gives', async () => {
    const approval = await asked([sign], { output: '${{ steps.sign.output.answers }}' });
    const question = await ask(approval, 'Why now?');
    assert.deepEqual([question.kind, question.author, question.answerId], ['question', engine.reviewer.principalId, null]);
    const given = await answer(question.id, 'The quarter ends.');
    assert.deepEqual([given.kind, given.questionId], ['answer', question.id]);
    const [again] = await write((uow) => comments().commentsByIds(uow, engine.reviewer, [question.id]));
    assert.equal(again!.answerId, given.id);
    await decide(approval);
    const { output } = await engine.until(approval.executionId!, ({ status }) => status === 'succeeded');
    const [askedBy, answeredBy] = [engine.reviewer.principalId, engine.operator.principalId];
    assert.deepEqual(output, [{ question: 'Why now?', answer: 'The quarter ends.', askedBy, answeredBy }]);
    const events = await engine.events(approval.executionId!);
    assert.deepEqual(events.filter(({ type }) => type === 'approval.commented').map(({ data }) => [data['commentKind'], data['commentedBy']]), [['question', askedBy], ['answer', answeredBy]]); // prettier-ignore
  });

  it('are asked by those who may decide, and answered by the requester or who may send signals, once', async () => {
    const approval = await asked([sign]);
    const viewer = await engine.authority(['viewer']);
    await assert.rejects(ask(approval, 'x', viewer), ForbiddenError);
    await assert.rejects(ask(approval, 'x', engine.operator), /questions about it are for you to answer/);
    const question = await ask(approval, 'x');
    await assert.rejects(answer(question.id, 'y', viewer), ForbiddenError);
    await assert.rejects(answer(question.id, 'y', engine.reviewer), ForbiddenError);
    const [one, two] = await Promise.allSettled([answer(question.id, 'y'), answer(question.id, 'z', admin)]);
    assert.deepEqual([one.status, two.status].sort(), ['fulfilled', 'rejected']);
    for (const result of [one, two])
      if (result.status === 'rejected') assert.ok(result.reason instanceof ConflictError, String(result.reason));
    const comment = await say(approval, 'hm');
    await assert.rejects(answer(comment.id, 'y'), NotFoundError, 'a comment is no question');
    await assert.rejects(answer(newId(), 'y'), NotFoundError);
  });

  it('are only for what is open; comments are for ever', async () => {
    const approval = await asked([sign]);
    const question = await ask(approval, 'x');
    await decide(approval);
    await assert.rejects(ask(approval, 'y'), InvalidStateError);
    await assert.rejects(answer(question.id, 'y'), InvalidStateError);
    const before = await types(approval);
    assert.equal((await say(approval, 'well done')).text, 'well done');
    assert.deepEqual(await types(approval), before, 'an execution that has ended hears nothing more');
  });
});

describe('comments', () => {
  it('are for those who decide, ask or operate; for everybody else they are refused, for strangers the approval does not exist', async () => {
    const approval = await asked([sign]);
    for (const by of [engine.reviewer, engine.operator, admin]) assert.equal((await say(approval, 'hello', by)).author, by.principalId);
    await assert.rejects(say(approval, 'x', await engine.authority(['viewer'])), ForbiddenError);
    const stranger = { ...engine.reviewer, grants: [] };
    await assert.rejects(say(approval, 'x', stranger), NotFoundError);
    const [own] = await write((uow) => comments().commentsOf(uow, [approval.id], { first: 2 }));
    assert.deepEqual([own!.rows.map(({ author }) => author), own!.hasNextPage], [[admin.principalId, engine.operator.principalId], true]);
    assert.deepEqual(await write((uow) => comments().commentsByIds(uow, stranger, own!.rows.map(({ id }) => id))), []); // prettier-ignore
    await assert.rejects(say({ ...approval, id: newId() }, 'x'), NotFoundError);
  });

  it('have a length and a number; at the limits they are taken', async () => {
    const approval = await asked([sign]);
    for (const text of ['', '  ', 'x'.repeat(maxCommentLength + 1), 'a\0']) await assert.rejects(say(approval, text), ValidationError);
    await say(approval, 'x'.repeat(maxCommentLength));
    await write((uow) =>
      uow.rows(
        `insert into approval_comments (id, tenant_id, approval_id, kind, author, text, created_at)
         select gen_random_uuid(), $1, $2, 'comment', $3, 'x', now() from generate_series(1, $4::int)`,
        [engine.tenantId, approval.id, admin.principalId, maxComments - 2],
      ),
    );
    await say(approval, 'the last one');
    await assert.rejects(say(approval, 'one more'), LimitExceededError);
    await assert.rejects(ask(approval, 'one more'), LimitExceededError);
  });

  it('of many approvals cost one statement', async () => {
    const approvals = [await asked([sign]), await asked([sign]), await asked([sign])];
    for (const approval of approvals) await say(approval, approval.id);
    let statements = 0;
    const pages = await write((uow) => {
      const counted = Object.create(uow, {
        rows: { value: (sql: string, params: unknown[]) => ((statements += 1), uow.rows(sql, params)) },
      });
      return comments().commentsOf(counted, approvals.map(({ id }) => id), {}); // prettier-ignore
    });
    assert.deepEqual([statements, pages.map(({ rows }) => rows.map(({ text }) => text))], [1, approvals.map(({ id }) => [id])]);
  });
});

describe('what a person is shown', () => {
  const presented = async (approval: ApprovalRow, actor = engine.reviewer) =>
    (await write((uow) => engine.services.approvalContext.presentationsOf(uow, actor, [approval])))[0]!;
  const lines = async (approval: ApprovalRow, actor?: Authority) =>
    (await presented(approval, actor)).changes.flatMap(({ lines: all }) => all.map(({ kind, text }) => `${kind} ${text}`));

  it('is the difference to what the execution read, by the same server, from the same file', async () => {
    const text = JSON.stringify('one\ntwo\n');
    const approval = await asked([
      call('read', 'files.read_file', { path: 'a.md' }),
      call('elsewhere', 'other.read_file', { path: 'a.md' }, ['read']),
      call('write', 'files.write_file', { path: 'a.md', content: `${text}!` }, ['elsewhere']),
    ]);
    assert.deepEqual(await lines(approval), [`removed ${text}`, `added ${text}!`]);
    const [change] = (await presented(approval)).changes;
    assert.deepEqual([change!.comparedWith!.stepId, change!.isWhole], ['read', false]);
    const decider = { ...engine.reviewer, grants: [] };
    assert.deepEqual(await lines(approval, decider), [`added ${text}!`], 'who may not read executions sees the arguments alone');
  });

  it('is the difference to what the execution wrote there itself, and the whole when it saw only a part', async () => {
    const first = await asked([call('write', 'files.write_file', { path: 'b.md', content: '1\n2' }), call('again', 'files.write_file', { path: 'b.md', content: '1\n3' }, ['write'])]); // prettier-ignore
    await decide(first);
    const [page] = await write((uow) => engine.services.approvals.approvalsOfExecutions(uow, admin, [first.executionId!], {}));
    assert.deepEqual(await lines(page!.rows[0]!), ['context 1', 'removed 2', 'added 3']);
    const part = await asked([call('read', 'files.read_file', { path: 'a.md', head: 1 }), call('write', 'files.write_file', { path: 'a.md', content: 'x' }, ['read'])]); // prettier-ignore
    assert.deepEqual(await lines(part), ['added x']);
  });

  it('is the whole after the execution has added to the file, of which it knows no more than that', async () => {
    const approval = await asked([
      call('read', 'files.read_file', { path: 'a.md' }),
      call('add', 'files.append_file', { path: 'a.md', content: 'three' }, ['read']),
      call('write', 'files.write_file', { path: 'a.md', content: 'x' }, ['add']),
    ]);
    assert.deepEqual(await lines(approval), ['added x']);
  });

  it('is what the execution is about: agent, place, who asks, labels, what was done and what comes next', async () => {
    const approval = await asked([{ id: 'before', transform: '1' }, { ...sign, needs: ['before'] }, { id: 'after', transform: '2', needs: ['sign'] }]); // prettier-ignore
    const contextsOf = (actor: Authority) => write((uow) => engine.services.approvalContext.contextsOf(uow, actor, [approval, approval]));
    const [context, same] = await contextsOf(engine.reviewer);
    assert.deepEqual(context, same);
    const { agentName, startedAt, lastSteps, ...rest } = context!;
    assert.match(agentName, /^a-/);
    assert.ok(startedAt);
    assert.deepEqual(lastSteps.map(({ stepId, status }) => [stepId, status]), [['before', 'succeeded']]); // prettier-ignore
    assert.deepEqual(rest, { agentVersion: '1.0.0', environmentName: 'dev', environmentKind: 'development', requesterName: 'operator', labels: { ticket: 'T-1' }, stepTotal: 3, stepsFinished: 1, nextSteps: ['after'] }); // prettier-ignore
    assert.deepEqual(await contextsOf({ ...engine.reviewer, grants: [] }), [null, null]);
  });
});

// Edit, then approve: what was edited runs, once, when somebody else approves it; whatever does not fit is refused and changes nothing.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { StepDefinition } from '#src/agents/definition.ts';
import type { ApprovalRow } from '#src/approvals/approval-reads.ts';
import { maxEditedBytes, type EditApproval } from '#src/executions/edit-approval.ts';
import { ConflictError, ForbiddenError, InvalidStateError, NotFoundError, ValidationError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { foreignServer } from './harness/foreign-server.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
let admin: Authority;
let editor: Authority;
let fails = 0;
const pay = {
  annotations: { readOnlyHint: false },
  inputSchema: {
    type: 'object',
    required: ['amount'],
    additionalProperties: false,
    properties: { amount: { type: 'number', maximum: 1_000 }, to: { type: 'string' } },
  },
  run: (args: Record<string, unknown>) => {
    if (fails-- > 0) throw new Error('try again');
    return args;
  },
};
before(async () => {
  engine = await handEngine({ 'bank.pay': pay });
  admin = await engine.authority(['admin']);
  editor = await engine.authority(['reviewer'], 'editor');
});
after(() => engine.close());

const write = <T>(work: Parameters<typeof engine.db.database.write<T>>[1]) => engine.db.database.write(engine.tenantId, work);
let policies: string[] = [];
const policy = async (input: object) => {
  const { id } = await write((uow) =>
    engine.services.policies.createPolicy(uow, admin, { name: `p-${newId()}`, mode: 'enforce', ...input } as never),
  );
  policies.push(id);
  return id;
};
beforeEach(async () => {
  for (const id of policies.splice(0)) await write((uow) => engine.services.policies.deletePolicy(uow, admin, id));
  engine.calls.splice(0);
  fails = 0;
});

const step: Partial<StepDefinition> = { id: 'pay', tool: { name: 'bank.pay', with: { amount: '${{ inputs.amount }}', to: 'acme' } } };
const approvalsOf = (id: string): Promise<ApprovalRow[]> =>
  write((uow) => engine.services.approvals.approvalsOfExecutions(uow, admin, [id], { first: 100 })).then(([page]) => [...page!.rows]);
const newest = async (id: string) => (await approvalsOf(id))[0]!;
async function asked(own: Partial<StepDefinition> = step): Promise<{ id: string; approval: ApprovalRow }> {
  const { id } = await engine.start(await engine.agent([own]), { amount: 500 });
  await engine.work();
  return { id, approval: await newest(id) };
}
const edit = (approval: ApprovalRow, args: unknown, more: Partial<EditApproval> = {}, by = editor) =>
  write((uow) =>
    engine.services.approvalEdits.editApproval(uow, by, {
      approvalId: approval.id,
      arguments: args,
      expectedDigest: approval.digest,
      ...more,
    }),
  );
const decide = async (approvalId: string, by = engine.reviewer, more: object = {}) => {
  const [shown] = await write((uow) => engine.services.approvals.approvalsByIds(uow, admin, [approvalId]));
  const expectedDigest = shown!.digest;
  await write((uow) => engine.services.approvals.decide(uow, by, { approvalId, decision: 'approve', expectedDigest, ...more }));
  await engine.work();
};
const status = async (id: string) => (await engine.until(id, () => true)).status;
const ran = () => engine.calls.map((call) => call.args);

describe('edited arguments', () => {
  it('run in place of those that were asked for, once somebody else has approved them', async () => {
    await policy({ kind: 'approval_required', rules: [{ tools: ['bank.*'] }] });
    const { id, approval } = await asked();
    const edited = await edit(approval, { amount: 50, to: 'acme' }, { reason: 'not so much' });
    assert.notEqual(edited.digest, approval.digest);
    assert.deepEqual([edited.status, edited.editedBy, edited.subject.arguments, edited.requested?.arguments], ['pending', editor.principalId, { amount: 50, to: 'acme' }, { amount: 500, to: 'acme' }]); // prettier-ignore
    await assert.rejects(decide(approval.id, editor), ForbiddenError);
    await assert.rejects(decide(approval.id, engine.reviewer, { expectedDigest: approval.digest }), ConflictError);
    await assert.rejects(decide(approval.id, engine.reviewer, { expectedDigest: null }), /was edited; read the approval again/);
    await decide(approval.id, engine.reviewer, { expectedDigest: edited.digest });
    assert.deepEqual([await status(id), ran()], ['succeeded', [{ amount: 50, to: 'acme' }]]);
    const used = await newest(id);
    assert.ok(used.consumedAt);
    const events = (await engine.events(id)).filter(({ type }) => type.startsWith('approval.'));
    assert.deepEqual(events.map(({ type }) => type), ['approval.requested', 'approval.edited', 'approval.voted', 'approval.approved'].filter((type) => events.some((event) => event.type === type))); // prettier-ignore
    assert.equal(events.find(({ type }) => type === 'approval.edited')!.data['editedBy'], editor.principalId);
    const replay = await write((uow) => engine.services.inspection.replayExecution(uow, admin, id));
    assert.equal(replay.difference, null, 'the events alone tell the same story');
  });

  it('are in the record: who changed what, why, and which decision of the gate let it pass', async () => {
    await policy({ kind: 'approval_required', rules: [{ tools: ['bank.*'] }] });
    const { approval } = await asked();
    const edited = await edit(approval, { amount: 1 }, { reason: 'less' });
    const [page] = await write((uow) => engine.services.approvalComments.commentsOf(uow, [approval.id], {}));
    const [comment] = page!.rows;
    assert.deepEqual([comment!.kind, comment!.author, comment!.text], ['edit', editor.principalId, 'less']);
    assert.deepEqual(comment!.data, {
      before: { digest: approval.digest, arguments: { amount: 500, to: 'acme' } },
      after: { digest: edited.digest, arguments: { amount: 1 } },
    });
    assert.notEqual(edited.decisionId, approval.decisionId);
    const [decision] = await write((uow) => uow.rows<any>('select effect, input from decisions where id = $1', [edited.decisionId]));
    assert.deepEqual([decision.effect, decision.input.arguments], ['require_approval', { amount: 1 }]);
  });

  it('are used again when the attempt is made again, and never by another step', async () => {
    await policy({ kind: 'approval_required', rules: [{ tools: ['bank.*'] }] });
    fails = 1;
    const { id, approval } = await asked({ ...step, retry: { maxAttempts: 3, initialMs: 1, factor: 1, maxMs: 1 } });
    await edit(approval, { amount: 7 });
    await decide(approval.id);
    engine.clock.advance(10_000);
    await engine.work();
    assert.deepEqual([await status(id), ran()], ['succeeded', [{ amount: 7 }, { amount: 7 }]]);
    assert.equal((await approvalsOf(id)).length, 1);
  });

  it('that no policy asks about any more still wait for the approval, and use it up', async () => {
    const asking = await policy({ kind: 'approval_required', rules: [{ tools: ['bank.*'] }] });
    const { id, approval } = await asked();
    await edit(approval, { amount: 5 });
    await write((uow) => engine.services.policies.deletePolicy(uow, admin, asking));
    policies = policies.filter((each) => each !== asking);
    assert.equal(ran().length, 0);
    await decide(approval.id);
    assert.deepEqual([await status(id), ran()], ['succeeded', [{ amount: 5 }]]);
    assert.ok((await newest(id)).consumedAt);
  });

  it('are not counted by a rate limit until they run', async () => {
    const when = { path: 'arguments.amount', greater: 100 };
    await policy({ kind: 'approval_required', rules: [{ tools: ['bank.*'], when }] });
    await policy({ kind: 'rate_limit', rules: { count: 'tool_calls', limit: 1, window: '1h' } });
    const { id, approval } = await asked();
    await edit(approval, { amount: 5 });
    await decide(approval.id);
    assert.deepEqual([await status(id), ran()], ['succeeded', [{ amount: 5 }]]);
  });

  it('are asked about once more when a policy changes before they run, and stay edited, and not the editor’s to decide', async () => {
    const asking = await policy({ kind: 'approval_required', rules: [{ tools: ['bank.*'] }] });
    const { id, approval } = await asked();
    const { digest: expectedDigest } = await edit(approval, { amount: 5 });
    const decision = { approvalId: approval.id, decision: 'approve', expectedDigest } as const;
    await write((uow) => engine.services.approvals.decide(uow, engine.reviewer, decision));
    const rules = [{ tools: ['bank.*'], reason: 'changed' }];
    await write((uow) => engine.services.policies.updatePolicy(uow, admin, { policyId: asking, expectedVersion: 1, rules }));
    await engine.work();
    const again = await newest(id);
    assert.deepEqual([again.id === approval.id, again.subject.arguments, again.requested?.arguments], [false, { amount: 5 }, { amount: 500, to: 'acme' }]); // prettier-ignore
    await assert.rejects(decide(again.id, editor), ForbiddenError);
    await decide(again.id);
    assert.deepEqual([await status(id), ran()], ['succeeded', [{ amount: 5 }]]);
  });
});

describe('an edited request of an http step', () => {
  it('is what is sent; its method stays, and it may not lead where the definition does not', async (t) => {
    const server = await foreignServer(t, (_request, response) => void response.writeHead(200).end('{}'));
    await policy({ kind: 'approval_required', rules: [{ reason: 'outside' }] });
    const url = `http://api.test:${server.port}/pay`;
    const http = { method: 'POST', url, headers: {}, body: { amount: 500 }, expect: [[200, 299]], maxBytes: 1_000 } as const;
    const agent = await engine.agent([{ id: 'send', http }], { destinations: [`api.test:${server.port}`] });
    const { id } = await engine.start(agent);
    await engine.work();
    const approval = await newest(id);
    const own = approval.subject.arguments as Record<string, unknown>;
    await assert.rejects(edit(approval, { ...own, method: 'DELETE', odd: 1 }), (error: Error) => {
      return error instanceof ValidationError && error.problems.map(({ path }) => path).join() === 'arguments.odd,arguments.method';
    });
    await assert.rejects(edit(approval, { ...own, url: 'nonsense' }), ValidationError);
    await assert.rejects(edit(approval, { ...own, url: url.replace('api.test', 'elsewhere.test') }), /does not list the destination/);
    await edit(approval, { ...own, url: `${url}?checked`, body: { amount: 5 } });
    await decide(approval.id);
    assert.equal(await status(id), 'succeeded');
    assert.deepEqual(server.requests.map((request) => [request.method, request.url, JSON.parse(request.body)]), [['POST', '/pay?checked', { amount: 5 }]]); // prettier-ignore
  });
});

describe('an edit is refused, and nothing changes', () => {
  const unchanged = async (approval: ApprovalRow) => {
    const [now] = await write((uow) => engine.services.approvals.approvalsByIds(uow, admin, [approval.id]));
    assert.deepEqual([now!.digest, now!.editedBy, now!.status], [approval.digest, null, 'pending']);
  };

  it('when the tool does not take the arguments: every problem is told', async () => {
    await policy({ kind: 'approval_required', rules: [{ tools: ['bank.*'] }] });
    const { approval } = await asked();
    await assert.rejects(edit(approval, { amount: 5_000, extra: 1 }), (error: Error) => {
      assert.ok(error instanceof ValidationError);
      assert.equal(error.problems.length, 2);
      assert.ok(
        error.problems.every(({ path }) => path.startsWith('arguments')),
        JSON.stringify(error.problems),
      );
      return true;
    });
    await unchanged(approval);
  });

  it('when a policy denies them', async () => {
    await policy({ kind: 'approval_required', rules: [{ tools: ['bank.*'] }] });
    const { approval } = await asked();
    await policy({ kind: 'tool_access', rules: [{ effect: 'deny', tools: ['bank.*'], message: 'frozen' }] });
    await assert.rejects(
      edit(approval, { amount: 1 }),
      (error: Error) => error instanceof InvalidStateError && /frozen/.test(error.message),
    );
    await unchanged(approval);
  });

  it('by the requester, by those who may not decide, and for strangers it does not exist', async () => {
    await policy({ kind: 'approval_required', rules: [{ tools: ['bank.*'] }] });
    const { approval } = await asked();
    await assert.rejects(edit(approval, { amount: 1 }, {}, engine.operator), ForbiddenError);
    await assert.rejects(edit(approval, { amount: 1 }, {}, await engine.authority(['viewer'])), ForbiddenError);
    await assert.rejects(edit(approval, { amount: 1 }, {}, { ...editor, principalKind: 'worker' }), ForbiddenError);
    const foreign = { ...editor, grants: [] };
    await assert.rejects(edit(approval, { amount: 1 }, {}, foreign), NotFoundError);
    await assert.rejects(edit({ ...approval, id: newId() }, { amount: 1 }), NotFoundError);
    await unchanged(approval);
  });

  it('when it was edited by another, or is for something else by now', async () => {
    await policy({ kind: 'approval_required', rules: [{ tools: ['bank.*'] }] });
    const { approval } = await asked();
    await assert.rejects(edit(approval, { amount: 1 }, { expectedDigest: '0'.repeat(64) }), ConflictError);
    const edited = await edit(approval, { amount: 1 });
    await assert.rejects(edit(approval, { amount: 2 }), ConflictError, 'shown before the edit');
    await assert.rejects(edit(edited, { amount: 2 }, {}, engine.reviewer), /somebody else has edited/);
    const again = await edit(edited, { amount: 3 });
    assert.deepEqual([again.subject.arguments, again.requested?.arguments], [{ amount: 3 }, { amount: 500, to: 'acme' }]);
  });

  it('when it is no object, changes nothing, is too large, or comes with a bad reason; at the limit it is taken', async () => {
    await policy({ kind: 'approval_required', rules: [{ tools: ['bank.*'] }] });
    const { approval } = await asked();
    const paths = async (args: unknown, more: Partial<EditApproval> = {}) => {
      const error = await edit(approval, args, more).then(() => null, (caught: unknown) => caught); // prettier-ignore
      assert.ok(error instanceof ValidationError, String(error));
      return error.problems.map(({ path }) => path).join();
    };
    assert.equal(await paths('text'), 'arguments');
    assert.equal(await paths([1], { expectedDigest: 'x', reason: 'a\0' }), 'arguments,expectedDigest,reason');
    assert.equal(await paths({ to: 'acme', amount: 500 }), 'arguments', 'the order of keys is no change');
    const room = maxEditedBytes - Buffer.byteLength(JSON.stringify({ amount: 1, to: '' }));
    assert.equal(await paths({ amount: 1, to: 'x'.repeat(room + 1) }), 'arguments');
    await edit(approval, { amount: 1, to: 'x'.repeat(room) });
  });

  it('once it is decided, expired or withdrawn, and for what has no arguments', async () => {
    await policy({ kind: 'approval_required', rules: [{ tools: ['bank.*'], expiresIn: '1m' }] });
    const one = await asked();
    await decide(one.approval.id);
    await assert.rejects(edit(one.approval, { amount: 1 }), InvalidStateError);
    const two = await asked();
    await engine.cancel(two.id);
    await assert.rejects(edit(two.approval, { amount: 1 }), InvalidStateError);
    const three = await asked();
    engine.clock.advance(60_000);
    await assert.rejects(edit(three.approval, { amount: 1 }), InvalidStateError);
    const sign = { id: 'sign', approval: { title: 'Go?', reason: '', risk: 'low', expiresInMs: 60_000, show: { a: 1 } } } as const;
    const { approval } = await asked(sign);
    await assert.rejects(edit(approval, { a: 2 }), /there are none to edit/);
  });
});

// Whatever asks (an approval step, a policy about a call, a policy about a start, a call of an agent that runs elsewhere): what happens to
// the request is told in its stream and to approvers, and when nobody decides that is a refusal, by jobs alone, whoever dies meanwhile.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { ApprovalRow } from '#src/approvals/approval-reads.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { InvalidStateError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { tool } from './harness/engine-looks.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';
import { checkRows } from './harness/simulation-checks.ts';

let engine: HandEngine;
let admin: Authority;
let ada: Authority;
let bob: Authority;
before(async () => {
  engine = await handEngine({ 'files.write': { annotations: { readOnlyHint: false }, run: () => 'written' } });
  admin = await engine.authority(['admin']);
  [ada, bob] = [await engine.authority(['reviewer'], 'ada'), await engine.authority(['reviewer'], 'bob')];
});
after(() => engine.close());

const write = <T>(work: (uow: UnitOfWork) => Promise<T>) => engine.db.database.write(engine.tenantId, work);
const hour = 3_600_000;

/** As documents write it; two have to approve, ada asked first. */
const approvers = () => ({
  stages: [{ name: 'two', quorum: 2, approvers: [{ principal: ada.principalId }, { principal: engine.reviewer.principalId }] }],
  escalation: { after: '2h', approvers: [{ principal: bob.principalId }] },
  warnBefore: '1h',
});
const terms = () => ({
  stages: approvers().stages,
  escalation: { afterMs: 2 * hour, approvers: approvers().escalation.approvers },
  warnBeforeMs: hour,
});

interface Asked {
  readonly approval: ApprovalRow;
  /** Where it is told. */
  readonly stream: string;
  /** What became of what asked. */
  ended(): Promise<string>;
  /** Undefined for an approval step. */
  readonly policyId?: string;
}

async function asking(rule: object, agentId: string, then: () => Promise<Asked>): Promise<Asked> {
  const rules = [{ expiresIn: '8h', approvers: approvers(), ...rule }];
  const input = { name: `p-${newId()}`, kind: 'approval_required', mode: 'enforce', scope: { agentId }, rules } as const;
  const { id: policyId } = await write((uow) => engine.services.policies.createPolicy(uow, admin, input));
  return { ...(await then()), policyId };
}
async function ofExecution(agentId: string): Promise<Asked> {
  const { id } = await engine.start(agentId);
  await engine.work();
  const [page] = await write((uow) => engine.services.approvals.approvalsOfExecutions(uow, admin, [id], {}));
  const ended = async () => {
    const { status, failure } = await engine.until(id, () => true);
    const [step] = await write((uow) => uow.rows<any>('select failure from steps where execution_id = $1 and failure is not null', [id]));
    await checkRows(engine, id);
    const replay = await write((uow) => engine.services.inspection.replayExecution(uow, admin, id));
    assert.equal(replay.difference, null, JSON.stringify(replay.difference));
    return `${status} ${step?.failure.code ?? failure?.code ?? ''}`.trim();
  };
  return { approval: page!.rows[0]!, stream: id, ended };
}
const kinds: Readonly<Record<string, () => Promise<Asked>>> = {
  'an approval step': async () =>
    ofExecution(
      await engine.agent([{ id: 'sign', approval: { title: 'Go?', reason: '', risk: 'high', expiresInMs: 8 * hour, show: null, terms: terms() } }]), // prettier-ignore
    ),
  'a policy about a call': async () => {
    const agentId = await engine.agent([{ id: 'write', ...tool('files.write') }]);
    return asking({ tools: ['files.write'] }, agentId, () => ofExecution(agentId));
  },
  'a policy about a start': async () => {
    const agentId = await engine.agent([{ id: 'write', ...tool('files.write') }]);
    return asking({ actions: ['execution.start'] }, agentId, () => ofExecution(agentId));
  },
  'a call of an agent that runs elsewhere': async () => {
    const agentId = await engine.agent([{ id: 'x', transform: '1' }], { tools: ['custom.pay'] });
    const input = {
      agentId,
      environmentId: engine.environmentId,
      tool: 'custom.pay',
      arguments: { amount: 1 },
      costMicroUsd: 5,
      idempotencyKey: newId(),
    };
    const ask = () => write((uow) => engine.services.toolCalls.authorizeToolCall(uow, engine.operator, input));
    return asking({ tools: ['custom.pay'] }, agentId, async () => {
      const call = await ask();
      const approval = await write((uow) => engine.services.approvals.findApproval(uow, admin, call.approvalId!));
      return { approval: approval!, stream: call.id, ended: async () => (await ask()).status };
    });
  },
};
/** What became of it when nobody decides, when somebody rejects, and when all approve. */
const ends: Readonly<Record<keyof typeof kinds, readonly [expired: string, rejected: string, approved: string]>> = {
  'an approval step': ['blocked APPROVAL_EXPIRED', 'blocked APPROVAL_REJECTED', 'succeeded'],
  'a policy about a call': ['blocked APPROVAL_EXPIRED', 'blocked APPROVAL_REJECTED', 'succeeded'],
  'a policy about a start': ['blocked APPROVAL_EXPIRED', 'blocked APPROVAL_REJECTED', 'succeeded'],
  'a call of an agent that runs elsewhere': ['refused', 'refused', 'allowed'],
};

const news = async ({ stream }: Asked) =>
  (await engine.events(stream)).flatMap(({ type }) => (type.startsWith('approval.') ? [type.slice(9)] : []));
const beginning = { transactionId: '0', executionId: '00000000-0000-0000-0000-000000000000', sequence: 0 };
/** Of the request, in its own stream; and what whoever watches all approvals is told of it. */
async function told(asked: Asked): Promise<string[]> {
  const { approval } = asked;
  const own = await news(asked);
  const watched = async () => {
    const all = await write((uow) => engine.services.events.approvalsAfter(uow, beginning, 100_000));
    return all.filter(({ data }) => data['approvalId'] === approval.id).map(({ type }) => type.slice(9));
  };
  // A transaction that is open, of another database too, hides what was committed after it began.
  while ((await watched()).length < own.length) await turn();
  assert.deepEqual(await watched(), own);
  return own;
}
const decide = (approval: ApprovalRow, by: Authority, decision: 'approve' | 'reject' = 'approve') =>
  write((uow) => engine.services.approvals.decide(uow, by, { approvalId: approval.id, decision }));
/** Jobs do the rest. */
async function pass(ms: number): Promise<void> {
  engine.clock.advance(ms);
  await engine.work();
}

/** What makes an approval that was given say nothing about what would run now. */
const changes: Readonly<Record<string, (asked: Asked) => Promise<unknown>>> = {
  'another version of the policy': ({ policyId }) =>
    write((uow) => engine.services.policies.updatePolicy(uow, admin, { policyId: policyId!, expectedVersion: 1, description: 'changed' })),
  'more time than people had to decide': async () => engine.clock.advance(8 * hour),
};

for (const [kind, ask] of Object.entries(kinds)) {
  describe(`a request of ${kind}`, () => {
    it('tells of votes, comments, questions, answers, more time, escalation and warning; then of its approval', async () => {
      const asked = await ask();
      const { approval } = asked;
      const { approvals, approvalComments } = engine.services;
      await decide(approval, ada);
      await write((uow) => approvalComments.comment(uow, ada, { approvalId: approval.id, text: 'fine with me' }));
      const question = await write((uow) => approvalComments.ask(uow, engine.reviewer, { approvalId: approval.id, question: 'Why?' }));
      await write((uow) => approvalComments.answer(uow, engine.operator, { questionId: question.id, text: 'Because.' }));
      await pass(2 * hour);
      const expiresAt = new Date(approval.expiresAt.getTime() + hour);
      await write((uow) => approvals.extend(uow, bob, { approvalId: approval.id, expiresAt }));
      await pass(6 * hour);
      assert.deepEqual(await told(asked), ['requested', 'voted', 'commented', 'commented', 'commented', 'escalated', 'extended', 'warned']);
      await decide(approval, bob);
      await engine.work();
      assert.equal(await asked.ended(), ends[kind]![2]);
      assert.equal((await told(asked)).at(-1), 'approved');
    });

    it('is refused when somebody rejects it', async () => {
      const asked = await ask();
      await decide(asked.approval, ada);
      await decide(asked.approval, engine.reviewer, 'reject');
      await engine.work();
      assert.equal(await asked.ended(), ends[kind]![1]);
      assert.deepEqual(await told(asked), ['requested', 'voted', 'rejected']);
    });

    it('is refused when nobody decides, and nothing has run', async () => {
      const calls = engine.calls.length;
      const asked = await ask();
      await pass(8 * hour - 1);
      await decide(asked.approval, ada);
      await pass(1);
      await assert.rejects(decide(asked.approval, bob), InvalidStateError);
      assert.equal(await asked.ended(), ends[kind]![0]);
      assert.deepEqual(await told(asked), ['requested', 'escalated', 'warned', 'voted', 'expired']);
      assert.equal(engine.calls.length, calls);
    });

    // What an approval step asks is used by nothing but the decision.
    const uses = kind === 'an approval step' ? [] : Object.entries(changes);
    for (const [what, change] of uses) {
      it(`is made anew after ${what} between the approval and its use, and nothing has run`, async () => {
        const calls = engine.calls.length;
        const asked = await ask();
        await decide(asked.approval, ada);
        assert.equal((await decide(asked.approval, engine.reviewer)).status, 'approved');
        await change(asked);
        await engine.work();
        assert.match(await asked.ended(), /^(waiting|awaiting_approval)$/);
        assert.deepEqual(await news(asked), ['requested', 'voted', 'approved', 'requested']);
        assert.equal(engine.calls.length, calls);
      });
    }

    it('is escalated, warned of and ended by jobs alone, whichever transaction the process dies in', async () => {
      for (const when of ['inside', 'after'] as const) {
        for (let at = 0; ; at += 1) {
          const asked = await ask();
          const writes = engine.dieAt((write) => (write === at ? when : null));
          for (const ms of [2 * hour, 5 * hour, hour]) await pass(ms);
          const reached = writes() > at;
          engine.dieAt(null);
          await engine.work();
          assert.equal(await asked.ended(), ends[kind]![0]);
          assert.deepEqual(await told(asked), ['requested', 'escalated', 'warned', 'expired'], `${when} write ${at}`);
          if (!reached) break;
        }
      }
    });
  });
}

it('nobody is asked any more about a call that is refused because it could not be judged; webhooks are told', async (t) => {
  const { webhooks, toolCalls, approvals } = engine.services;
  const made = await write((uow) =>
    webhooks.createWebhook(uow, admin, { name: 'w', url: 'https://hooks.example.com/', events: ['approval.cancelled'] }),
  );
  t.after(() => write((uow) => webhooks.deleteWebhook(uow, admin, made.webhook.id)));
  const asked = await kinds['a call of an agent that runs elsewhere']!();
  const [call] = await write((uow) => uow.rows<any>('select agent_id, idempotency_key from tool_calls where id = $1', [asked.stream]));
  const input = {
    agentId: call.agent_id,
    environmentId: engine.environmentId,
    tool: 'custom.pay',
    arguments: { amount: 1 },
    costMicroUsd: 5,
  };
  assert.equal(asked.approval.costMicroUsd, 5, 'as the agent estimates it');
  const again = { ...input, idempotencyKey: call.idempotency_key };
  const refused = await write((uow) => toolCalls.answerUnjudged(uow, engine.operator, again, new Error('broken')));
  assert.equal(refused.status, 'refused');
  assert.equal((await write((uow) => approvals.findApproval(uow, admin, asked.approval.id)))?.status, 'cancelled');
  assert.deepEqual(await told(asked), ['requested', 'cancelled']);
  await assert.rejects(decide(asked.approval, ada), /cancelled with its execution \(or the call it was for\)/);
  const [page] = await write((uow) => webhooks.deliveriesOf(uow, [made.webhook.id], {}));
  assert.deepEqual(
    page!.rows.map(({ event, payload }) => [event, payload.data['digest'], payload.data['stepId']]),
    [['approval.cancelled', asked.approval.digest, null]],
  );
});

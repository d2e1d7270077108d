// Approvals and the gate inside an execution: by step and by policy, decided, expired, withdrawn; what is refused before it runs.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Definition, StepDefinition } from '#src/agents/definition.ts';
import type { ApprovalRow } from '#src/approvals/approval-reads.ts';
import { ConflictError, ForbiddenError, InvalidStateError } from '#src/platform/errors.ts';
import type { PolicyRow } from '#src/policies/policy-reads.ts';
import type { Authority } from '#src/authority/permission.ts';
import { describeTool } from '#src/tools/tool.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
let admin: Authority;
let policies = 0;
before(async () => {
  const write = { annotations: { readOnlyHint: false }, run: (args: unknown) => args };
  engine = await handEngine({ 'files.write': write, 'files.read': { run: () => 'text' }, 'files.other': { run: () => 'other' } });
  admin = await engine.authority(['admin']);
});
after(() => engine.close());
beforeEach(async () => {
  for (const policy of await write((uow) => engine.services.policies.listPolicies(uow, admin, {}, { first: 100 })).then(
    (page) => page.rows,
  )) {
    await write((uow) => engine.services.policies.deletePolicy(uow, admin, policy.id));
  }
  engine.calls.splice(0);
});

const write = <T>(work: Parameters<typeof engine.db.database.write<T>>[1]) => engine.db.database.write(engine.tenantId, work);
const look = (id: string) => engine.until(id, () => true);
const types = async (id: string) => (await engine.events(id)).map(({ type }) => type);
const rows = (sql: string, id: string) => write((uow) => uow.rows<any>(sql, [id]));
const approvalsOf = (id: string): Promise<ApprovalRow[]> =>
  write((uow) => engine.services.approvals.approvalsOfExecutions(uow, admin, [id], { first: 100 })).then(([page]) => [...page!.rows]);
const decide = async (approval: ApprovalRow, decision: 'approve' | 'reject', by = engine.reviewer, more = {}) => {
  await write((uow) => engine.services.approvals.decide(uow, by, { approvalId: approval.id, decision, ...more }));
  await engine.work();
};
const policy = (rule: object, more: object = {}): Promise<PolicyRow> =>
  write((uow) =>
    engine.services.policies.createPolicy(uow, admin, {
      name: `p-${(policies += 1)}`,
      kind: 'approval_required',
      mode: 'enforce',
      rules: [rule],
      ...more,
    }),
  );
async function start(steps: readonly Partial<StepDefinition>[], more: Partial<Definition> = {}, inputs = {}): Promise<string> {
  const { id } = await engine.start(await engine.agent(steps, more), inputs);
  await engine.work();
  return id;
}
const sign: Partial<StepDefinition> = {
  id: 'sign',
  approval: {
    title: 'Pay ${{ inputs.amount }}?',
    reason: 'large',
    risk: 'high',
    expiresInMs: 60_000,
    show: { amount: '${{ inputs.amount }}' },
  },
};
const save: Partial<StepDefinition> = { id: 'save', tool: { name: 'files.write', with: { path: 'a', text: '${{ inputs.text }}' } } };

describe('an approval step', () => {
  it('shows what it is about, waits without a job, and gives who decided what with which note', async () => {
    const id = await start(
      [sign, { id: 'then', transform: 'steps.sign.output', needs: ['sign'] }],
      { output: '${{ steps.then.output }}' },
      { amount: 7 },
    );
    const [approval] = await approvalsOf(id);
    assert.deepEqual(
      [approval!.title, approval!.reason, approval!.risk, approval!.source, approval!.subject.arguments],
      ['Pay 7?', 'large', 'high', 'step', { amount: 7 }],
    );
    assert.equal((await look(id)).status, 'waiting');
    await decide(approval!, 'approve', engine.reviewer, { note: 'go' });
    const done = await look(id);
    assert.deepEqual(done.output, { decision: 'approved', by: engine.reviewer.principalId, note: 'go' });
    assert.deepEqual((await types(id)).slice(3, -3), [
      'approval.requested',
      'execution.waiting',
      'approval.approved',
      'execution.resumed',
      'step.succeeded',
    ]);
  });

  it('cannot be decided by who started the execution, nor twice', async () => {
    const both = await engine.authority(['operator', 'reviewer']);
    const agentId = await engine.agent([sign]);
    const { id } = await write((uow) =>
      engine.services.executions.startExecution(uow, both, { agentId, environmentId: engine.environmentId, inputs: { amount: 1 } }),
    );
    await engine.work();
    const [approval] = await approvalsOf(id);
    await assert.rejects(() => decide(approval!, 'approve', both), ForbiddenError);
    await decide(approval!, 'approve');
    await assert.rejects(() => decide(approval!, 'reject'), ConflictError);
    assert.equal((await look(id)).status, 'succeeded');
  });

  it('that is rejected blocks the step and with it the execution, with the reason', async () => {
    const id = await start([sign, { id: 'then', transform: '1', needs: ['sign'] }], {}, { amount: 1 });
    await decide((await approvalsOf(id))[0]!, 'reject', engine.reviewer, { note: 'too much' });
    const done = await look(id);
    assert.equal(done.status, 'blocked');
    assert.deepEqual(done.failure, { code: 'STEP_BLOCKED', message: 'step "sign" was refused', stepId: 'sign' });
    const blocked = (await engine.events(id)).find(({ type }) => type === 'step.blocked')!;
    assert.deepEqual(blocked.data['failure'], { code: 'APPROVAL_REJECTED', message: 'rejected: too much', stepId: 'sign' });
  });

  it('with onFailure: continue lets the rest go on after a rejection', async () => {
    const id = await start(
      [
        { ...sign, onFailure: 'continue' },
        { id: 'then', transform: 'steps.sign.status', needs: ['sign'] },
      ],
      { output: '${{ steps.then.output }}' },
    );
    await decide((await approvalsOf(id))[0]!, 'reject');
    assert.equal((await look(id)).output, 'blocked');
  });

  it('that nobody decides in time blocks the step at that very moment', async () => {
    const id = await start([sign]);
    const [approval] = await approvalsOf(id);
    engine.clock.advance(59_999);
    await engine.work();
    assert.equal((await look(id)).status, 'waiting');
    engine.clock.advance(1);
    await assert.rejects(() => decide(approval!, 'approve'), InvalidStateError);
    await engine.work();
    assert.equal((await look(id)).status, 'blocked');
    assert.deepEqual((await types(id)).slice(-3), ['approval.expired', 'step.blocked', 'execution.blocked']);
    assert.equal((await approvalsOf(id))[0]!.status, 'expired');
  });

  it('whose text has an expression that fails, fails the step', async () => {
    const id = await start([{ ...sign, approval: { ...sign.approval!, title: '${{ $error("no title") }}' } }]);
    assert.equal((await look(id)).status, 'failed');
    assert.deepEqual(await approvalsOf(id), []);
  });
});

describe('an approval by policy', () => {
  it('holds the call back until a person has signed exactly it, and is used once', async () => {
    const asking = await policy({ tools: ['files.write'], reason: 'writes are signed', expiresIn: '1h' });
    const id = await start([save], {}, { text: 'hello' });
    assert.equal(engine.calls.length, 0);
    const [approval] = await approvalsOf(id);
    const { tool, arguments: args, policies: asked } = approval!.subject;
    assert.deepEqual([tool, args, asked], ['files.write', { path: 'a', text: 'hello' }, [`${asking.id}@1`]]);
    assert.match(approval!.reason, /writes are signed/);
    await decide(approval!, 'approve');
    assert.deepEqual(
      engine.calls.map((call) => call.args),
      [{ path: 'a', text: 'hello' }],
    );
    const [used] = await approvalsOf(id);
    assert.ok(used!.consumedAt);
    assert.equal((await look(id)).status, 'succeeded');
    const decisions = await rows('select effect from decisions where execution_id = $1 and step_id is not null order by id', id);
    assert.deepEqual(
      decisions.map(({ effect }) => effect),
      ['require_approval', 'require_approval'],
      'each look of the gate is recorded',
    );
  });

  it('is asked for again when the policy was edited between the signature and the call', async () => {
    const asking = await policy({ tools: ['files.write'] });
    const id = await start([save], {}, { text: 'x' });
    const [first] = await approvalsOf(id);
    await write((uow) => engine.services.approvals.decide(uow, engine.reviewer, { approvalId: first!.id, decision: 'approve' }));
    await write((uow) =>
      engine.services.policies.updatePolicy(uow, admin, {
        policyId: asking.id,
        expectedVersion: 1,
        rules: [{ tools: ['files.write'], reason: 'stricter' }],
      }),
    );
    await engine.work();
    assert.equal(engine.calls.length, 0);
    const all = await approvalsOf(id);
    assert.deepEqual(all.map(({ status }) => status).sort(), ['approved', 'pending']);
    await decide(
      all.find(({ status }) => status === 'pending')!,
      'approve',
    );
    assert.equal(engine.calls.length, 1);
    assert.equal((await approvalsOf(id)).filter(({ consumedAt }) => consumedAt).length, 1, 'the first grant was never used');
  });

  it('that a policy no longer asks for is not needed, and one that now denies wins over the signature', async () => {
    const asking = await policy({ tools: ['files.write'] });
    const ids = [await start([save], {}, { text: '1' }), await start([save], {}, { text: '2' })];
    const [free, denied] = await Promise.all(ids.map(async (id) => (await approvalsOf(id))[0]!));
    await write((uow) => engine.services.policies.disablePolicy(uow, admin, asking.id));
    await decide(free!, 'approve');
    assert.equal((await look(ids[0]!)).status, 'succeeded');
    await policy({ effect: 'deny', tools: ['files.write'], message: 'not any more' }, { kind: 'tool_access' });
    await decide(denied!, 'approve');
    assert.equal((await look(ids[1]!)).status, 'blocked');
    assert.equal(engine.calls.length, 1);
  });

  it('serves every further try of the same call, but no other item', async () => {
    await policy({ tools: ['files.write'] });
    const id = await start(
      [{ ...save, forEach: 'inputs.list', tool: { name: 'files.write', with: { path: '${{ item }}' } } }],
      {},
      { list: ['a', 'b'] },
    );
    const pending = await approvalsOf(id);
    assert.equal(pending.length, 2);
    await decide(pending[0]!, 'approve');
    assert.deepEqual(
      engine.calls.map(({ args }) => args['path']),
      [(pending[0]!.subject.arguments as { path: string }).path],
    );
    await decide(pending[1]!, 'approve');
    assert.equal((await look(id)).status, 'succeeded');
  });

  it('in observe mode is recorded and asks nobody', async () => {
    await policy({ tools: ['files.write'] }, { mode: 'observe' });
    const id = await start([save]);
    assert.equal((await look(id)).status, 'succeeded');
    assert.deepEqual(await approvalsOf(id), []);
    const [decision] = await rows('select effect, findings from decisions where execution_id = $1 and step_id is not null', id);
    assert.equal(decision.effect, 'allow');
    assert.equal(decision.findings[0].mode, 'observe');
  });
});

describe('cancelling while people are asked', () => {
  it('withdraws every open approval before the final event, and leaves the rows as the events say', async () => {
    await policy({ tools: ['files.write'] });
    const id = await start(
      [{ ...save, forEach: 'inputs.list', tool: { name: 'files.write', with: { path: '${{ item }}' } } }, sign],
      {},
      { list: ['a', 'b', 'c'] },
    );
    const before = await rows(
      'select step_id, item_index, approval_id from steps where execution_id = $1 and approval_id is not null order by 1, 2',
      id,
    );
    assert.equal(before.length, 4);
    await engine.cancel(id, 'changed my mind');
    assert.deepEqual((await types(id)).slice(-5), [...Array.from({ length: 4 }, () => 'approval.cancelled'), 'execution.cancelled']);
    assert.ok((await approvalsOf(id)).every(({ status }) => status === 'cancelled'));
    const after = await rows(
      'select step_id, item_index, approval_id from steps where execution_id = $1 and approval_id is not null order by 1, 2',
      id,
    );
    assert.deepEqual(after, before, 'who was asked for what is not forgotten');
    const [approval] = await approvalsOf(id);
    await assert.rejects(() => decide(approval!, 'approve'), InvalidStateError);
  });
});

describe('refused before it runs', () => {
  it('a tool that the definition does not list, with a decision that says so', async () => {
    const id = await start([save], { tools: ['files.read'] });
    const done = await look(id);
    assert.equal(done.status, 'blocked');
    assert.equal(engine.calls.length, 0);
    const [decision] = await rows('select effect, reasons from decisions where execution_id = $1 and step_id is not null', id);
    assert.equal(decision.effect, 'deny');
    assert.match(decision.reasons.join(), /does not list the tool files\.write/);
    const blocked = (await engine.events(id)).find(({ type }) => type === 'step.blocked')!;
    assert.ok(blocked.data['decisionId'], 'the event names the decision');
  });

  it('a tool whose capability the agent lacks', async () => {
    const id = await start([save], { capabilities: { read: true, write: false, notify: false, execute: false } });
    assert.equal((await look(id)).status, 'blocked');
    const [decision] = await rows('select reasons from decisions where execution_id = $1 and step_id is not null', id);
    assert.match(decision.reasons.join(), /lacks the capability "write"/);
  });

  it('a tool that nobody describes', async () => {
    const id = await start([{ id: 'gone', tool: { name: 'files.gone', with: {} } }], { tools: ['files.gone'] });
    assert.equal((await look(id)).status, 'failed');
    const failed = (await engine.events(id)).find(({ type }) => type === 'step.failed')!;
    assert.equal((failed.data['failure'] as { code: string }).code, 'TOOL_UNKNOWN');
  });

  it('a tool whose description changed since it was accepted, until it is accepted again', async () => {
    assert.equal((await look(await start([{ id: 'other', tool: { name: 'files.other', with: {} } }]))).status, 'succeeded');
    const now = (description: string) =>
      ['files.write', 'files.read', 'files.other'].map((name) => {
        const known = engine.toolServers.describe(name)!;
        const { name: short, inputSchema, annotations } = known;
        return describeTool('files', { name: short, inputSchema, annotations, ...(name === 'files.other' && { description }) });
      });
    await write((uow) => engine.services.tools.syncDefinitions(uow, 'files', now('deletes everything')));
    const id = await start([{ id: 'other', tool: { name: 'files.other', with: {} } }]);
    const done = await look(id);
    assert.equal(done.status, 'blocked');
    const blocked = (await engine.events(id)).find(({ type }) => type === 'step.blocked')!;
    assert.equal((blocked.data['failure'] as { code: string }).code, 'TOOL_CHANGED');
    const { digest } = now('deletes everything').at(-1)!;
    await write((uow) => engine.services.tools.approveTool(uow, admin, { tool: 'files.other', digest }));
    assert.equal((await look(await start([{ id: 'other', tool: { name: 'files.other', with: {} } }]))).status, 'succeeded');
  });
});

// Terms of approvals inside an execution: stages and their events, clocks, delegation, the way back by replay; and grants that fit nothing
// but what was approved, whatever is changed behind them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import type { StepDefinition } from '#src/agents/definition.ts';
import type { ApprovalRow } from '#src/approvals/approval-reads.ts';
import type { ApprovalTerms } from '#src/approvals/approval-terms.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { describeTool } from '#src/tools/tool.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
let admin: Authority;
let people: readonly Authority[];
let owner: pg.Client;
before(async () => {
  engine = await handEngine({ 'files.write': { annotations: { readOnlyHint: false }, run: (args) => args } });
  owner = new pg.Client({ connectionString: engine.db.ownerUrl });
  await owner.connect();
  await owner.query(`select set_config('app.tenant_id', $1, false)`, [engine.tenantId]);
  admin = await engine.authority(['admin']);
  people = await Promise.all(['ada', 'bob', 'cleo'].map((name) => engine.authority(['reviewer'], name)));
});
after(async () => {
  await owner.end();
  await engine.close();
});

const write = <T>(work: Parameters<typeof engine.db.database.write<T>>[1]) => engine.db.database.write(engine.tenantId, work);
const run = (sql: string, params: readonly unknown[]) => write((uow) => uow.rows(sql, params));
const look = (id: string) => engine.until(id, () => true);
const approvalsOf = (id: string): Promise<ApprovalRow[]> =>
  write((uow) => engine.services.approvals.approvalsOfExecutions(uow, admin, [id], { first: 100 })).then(([page]) => [...page!.rows]);
const vote = async (approval: ApprovalRow, by: Authority, decision: 'approve' | 'reject' = 'approve') => {
  const decided = await write((uow) => engine.services.approvals.decide(uow, by, { approvalId: approval.id, decision }));
  await engine.work();
  return decided;
};
const news = async (id: string) => (await engine.events(id)).filter(({ type }) => type.startsWith('approval.')).map(({ type }) => type.slice(9)); // prettier-ignore
const replays = async (id: string) => {
  const replay = await write((uow) => engine.services.inspection.replayExecution(uow, admin, id));
  assert.equal(replay.difference, null, JSON.stringify(replay.difference));
};
const minute = 60_000;
const sign = (terms: ApprovalTerms): Partial<StepDefinition> => ({
  id: 'sign',
  approval: { title: 'Go?', reason: '', risk: 'high', expiresInMs: 10 * minute, show: null, terms },
});
async function asked(terms: ApprovalTerms): Promise<{ id: string; approval: ApprovalRow }> {
  const { id } = await engine.start(await engine.agent([sign(terms)]));
  await engine.work();
  return { id, approval: (await approvalsOf(id))[0]! };
}
const named = (actor: Authority) => ({ principal: actor.principalId });

describe('an approval step with terms', () => {
  it('goes through its stages, and its execution tells each vote in order', async () => {
    const [ada, bob, cleo] = people as [Authority, Authority, Authority];
    const { id, approval } = await asked({
      stages: [
        { name: 'two', approvers: [named(ada), named(bob)], quorum: 2 },
        { name: 'one', approvers: [named(cleo)], quorum: 1 },
      ],
    });
    assert.equal((await vote(approval, ada)).status, 'pending');
    await replays(id);
    assert.equal((await vote(approval, bob)).stage, 1);
    assert.equal((await look(id)).status, 'waiting');
    assert.equal((await vote(approval, cleo)).status, 'approved');
    assert.equal((await look(id)).status, 'succeeded');
    assert.deepEqual(await news(id), ['requested', 'voted', 'voted', 'advanced', 'approved']);
    await replays(id);
  });

  it('warns, escalates, is extended and expires, each told in the execution', async () => {
    const [ada, bob] = people as [Authority, Authority];
    const { id, approval } = await asked({
      stages: [{ name: 'one', approvers: [named(ada)], quorum: 1 }],
      escalation: { afterMs: 3 * minute, approvers: [named(bob)] },
      warnBeforeMs: minute,
    });
    for (const [ms, expected] of [
      [3 * minute - 1, []],
      [1, ['escalated']],
      [6 * minute, ['escalated', 'warned']],
    ] as const) {
      // prettier-ignore
      engine.clock.advance(ms);
      await engine.work();
      assert.deepEqual((await news(id)).slice(1), expected);
    }
    const expiresAt = new Date(approval.expiresAt.getTime() + 10 * minute);
    await write((uow) => engine.services.approvals.extend(uow, bob, { approvalId: approval.id, expiresAt }));
    await replays(id);
    engine.clock.advance(2 * minute);
    await engine.work();
    assert.equal((await look(id)).status, 'waiting', 'past its first end');
    engine.clock.advance(9 * minute);
    await engine.work();
    assert.equal((await look(id)).status, 'blocked');
    assert.deepEqual((await news(id)).slice(3), ['extended', 'warned', 'expired']);
    await replays(id);
  });

  it('moves along to a delegate, told by a job, whichever transaction its process dies in', async () => {
    const [ada, bob] = people as [Authority, Authority];
    const { id, approval } = await asked({ stages: [{ name: 'one', approvers: [named(ada)], quorum: 1 }] });
    const others = [await asked({ stages: [{ name: 'one', approvers: [named(ada)], quorum: 1 }] }), await asked({ stages: [] })];
    for (const { principalId } of [ada, bob]) {
      await run(
        `insert into role_grants (id, tenant_id, role, scope_kind, scope_id, principal_id, created_at) values ($1, $2, 'reviewer', 'tenant', $2, $3, now())`,
        [newId(), engine.tenantId, principalId],
      );
    }
    await write((uow) =>
      engine.services.approvalDelegations.delegate(uow, ada, {
        toPrincipalId: bob.principalId,
        endsAt: new Date(engine.clock.now().getTime() + minute),
      }),
    );
    const deaths: Record<number, 'inside' | 'after'> = { 0: 'after', 2: 'inside' };
    engine.dieAt((write) => deaths[write] ?? null);
    await engine.work();
    engine.dieAt(null);
    assert.equal((await news(others[0]!.id)).includes('delegated'), true);
    assert.deepEqual(await news(others[1]!.id), ['requested'], 'who asks everybody needs no delegate');
    const event = (await engine.events(id)).at(-1)!;
    assert.deepEqual([event.type, event.data['delegateId']], ['approval.delegated', bob.principalId]);
    assert.equal((await vote(approval, bob)).status, 'approved');
    await replays(id);
  });

  it('is withdrawn with its execution, votes and all', async () => {
    const [ada] = people as [Authority];
    const { id, approval } = await asked({ stages: [{ name: 'two', approvers: [], quorum: 2 }] });
    await vote(approval, ada);
    await engine.cancel(id);
    assert.equal((await approvalsOf(id))[0]!.status, 'cancelled');
    await assert.rejects(vote(approval, people[1]!), /cancelled with its execution/);
    await replays(id);
  });
});

describe('what runs is what was approved', () => {
  /** `ask` gives the arguments, which a person approves; then they are changed behind everybody's back. */
  async function approvedThenChanged(before: unknown, change: (executionId: string, approval: ApprovalRow) => Promise<unknown>) {
    const policy = await write(
      (uow) =>
      engine.services.policies.createPolicy(uow, admin, { name: `p-${newId()}`, kind: 'approval_required', mode: 'enforce', rules: [{ tools: ['files.write'] }] }), // prettier-ignore
    );
    const agentId = await engine.agent([
      { id: 'ask', transform: 'inputs.value' },
      { id: 'save', needs: ['ask'], tool: { name: 'files.write', with: { path: 'a', value: '${{ steps.ask.output }}' } } },
    ]);
    const { id } = await engine.start(agentId, { value: before });
    await engine.work();
    const [approval] = await approvalsOf(id);
    await write((uow) => engine.services.approvals.decide(uow, people[0]!, { approvalId: approval!.id, decision: 'approve' }));
    const calls = engine.calls.length;
    await change(id, approval!);
    await engine.work();
    const [newest] = await approvalsOf(id);
    await write((uow) => engine.services.policies.deletePolicy(uow, admin, policy.id));
    return { ran: engine.calls.length - calls, askedAgain: newest!.id !== approval!.id, execution: await look(id) };
  }
  const setOutput = (value: unknown) => (id: string) =>
    run(`update steps set output = $2::jsonb where execution_id = $1 and step_id = 'ask'`, [id, JSON.stringify(value)]);

  const original = { name: 'café', amount: 1, list: [1, 2], deep: { flag: true, text: 'x' } };
  const changes: readonly [string, unknown][] = [
    ['one byte', { ...original, name: 'cafe' }],
    ['the unicode form', { ...original, name: 'café'.normalize('NFD') }],
    ['a character nobody sees', { ...original, name: 'café\u200b' }],
    ['a number as text', { ...original, amount: '1' }],
    ['a number by the smallest step', { ...original, amount: 1.0000000000000002 }],
    ['the sign of a number', { ...original, amount: -1 }],
    ['something nested', { ...original, deep: { flag: false, text: 'x' } }],
    ['the order of a list', { ...original, list: [2, 1] }],
    ['one key more', { ...original, more: null }],
    ['one key less', { name: 'café', amount: 1, list: [1, 2] }],
    ['a key’s case', { ...original, deep: { Flag: true, text: 'x' } }],
    ['false for absent', { ...original, deep: { flag: true, text: null } }],
  ];
  for (const [what, value] of changes) {
    it(`${what} changed: it does not run, and a person is asked again`, async () => {
      const { ran, askedAgain } = await approvedThenChanged(original, setOutput(value));
      assert.deepEqual([ran, askedAgain], [0, true]);
    });
  }

  it('the order of keys, and another way to write the same number, change nothing', async () => {
    const reordered = '{"deep": {"text": "x", "flag": true}, "list": [1, 2.0], "amount": 10e-1, "name": "caf\\u00e9"}';
    const same = (id: string) => run(`update steps set output = $2::jsonb where execution_id = $1 and step_id = 'ask'`, [id, reordered]);
    const { ran, askedAgain, execution } = await approvedThenChanged(original, same);
    assert.deepEqual([ran, askedAgain, execution.status], [1, false, 'succeeded']);
  });

  it('another version of the policy, the agent or the tool (accepted by an admin), or a request that went stale: it does not run', async () => {
    const cases: Record<string, (id: string, approval: ApprovalRow) => Promise<unknown>> = {
      'the policy': async () => {
        const { rows } = await write((uow) => engine.services.policies.listPolicies(uow, admin, {}, { first: 1 }));
        const [{ id: policyId, version }] = rows as never as [{ id: string; version: number }];
        return write((uow) => engine.services.policies.updatePolicy(uow, admin, { policyId, expectedVersion: version, description: 'new' })); // prettier-ignore
      },
      'the agent': (id) => owner.query(`update agent_versions set digest = 'other' where id = (select agent_version_id from executions where id = $1)`, [id]), // prettier-ignore
      'the digest of the request': (_id, { id }) => run(`update approvals set digest = repeat('0', 64) where id = $1`, [id]),
      'the tool': () =>
        write(async (uow) => {
          const known = engine.toolServers.describe('files.write')!;
          const changed = describeTool('files', {
            name: 'write',
            inputSchema: known.inputSchema,
            annotations: known.annotations,
            description: newId(),
          });
          await engine.services.tools.syncDefinitions(uow, 'files', [changed]);
          await engine.services.tools.approveTool(uow, admin, { tool: 'files.write', digest: changed.digest });
        }),
      'its age': async () => engine.clock.advance(25 * 60 * minute),
    };
    for (const [what, change] of Object.entries(cases)) {
      const { ran, askedAgain } = await approvedThenChanged(original, change);
      assert.deepEqual([ran, askedAgain], [0, true], what);
    }
  });

  it('what was rejected, expired or withdrawn never runs, however often the step looks again', async () => {
    for (const status of ['rejected', 'expired', 'cancelled', 'pending']) {
      const { ran } = await approvedThenChanged(original, (_id, { id }) =>
        run('update approvals set status = $2 where id = $1', [id, status]),
      );
      assert.equal(ran, 0, status);
    }
  });
});

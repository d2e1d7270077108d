// Agents that run elsewhere ask before they call a tool: answers, approvals, waiting, results, and what happens when judging fails.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import type { Api } from './harness/api.ts';
import { code, outsideAgent, type Outside } from './harness/tool-calls.ts';

let api: Api;
let { loop, reviewer, ask, authorize, report, withPolicy, rows, decisionOf } = {} as Outside;
before(async () => ({ api, loop, reviewer, ask, authorize, report, withPolicy, rows, decisionOf } = await outsideAgent()));
after(() => api.close());

test('a call that nothing objects to is allowed, with its decision; its result is reported once', async () => {
  const call = await authorize({
    tool: 'builtin.Bash',
    arguments: { command: 'git log --format=%h' },
    session: 'run 7',
    idempotencyKey: 'first',
  });
  assert.deepEqual([call.status, call.session, call.approvalId, call.notices], ['ALLOWED', 'run 7', null, []]);
  assert.ok(call.reasons.length > 0);
  const [decision] = await rows(
    `select d.* from decisions d join tool_calls c on c.decision_id = d.id where c.tenant_id = $1 and c.idempotency_key = 'first'`,
  );
  assert.deepEqual(
    [decision.effect, decision.execution_id, decision.tool, decision.input.tool.source, decision.input.tool.category],
    ['allow', null, 'builtin.Bash', 'builtin', 'command_execution'],
  );
  assert.deepEqual(
    (await authorize({ tool: 'builtin.Bash', arguments: { command: 'git log --format=%h' }, session: 'run 7', idempotencyKey: 'first' }))
      .id,
    call.id,
  );
  const reported = await report(call.id, { text: 'abc' });
  assert.deepEqual(
    [reported.status, reported.outcome, reported.output, reported.isDelivered],
    ['REPORTED', 'SUCCEEDED', { text: 'abc' }, true],
  );
  assert.deepEqual(await report(call.id, { text: 'abc' }), reported);
  await assert.rejects(report(call.id, { text: 'other' }), code('INVALID_STATE'));
  assert.deepEqual(await loop.toolCall({ id: call.id }), reported);
});

test('an environment in which calls were asked about is not deleted: lists of decisions and approvals find them by their environment', async () => {
  await authorize();
  const { home, services } = api;
  const removal = home.write((uow) => services.tenants.deleteEnvironment(uow, home.admin, { environmentId: home.staging }));
  await assert.rejects(removal, /not empty: it still has .*tool calls \(their history is kept\)/);
});

test('what the definition does not cover is refused, recorded and cannot be reported', async () => {
  const call = await authorize({ tool: 'custom.drop_table' });
  assert.equal(call.status, 'REFUSED');
  assert.match(call.reasons[0]!, /does not list the tool custom.drop_table/);
  await assert.rejects(report(call.id, 'x'), code('INVALID_STATE'));
});

test('arguments are looked at: what destroys is refused by a policy on risk, what only looks so is not', async () => {
  const rules = [{ effect: 'deny', tools: ['builtin.*'], when: { path: 'tool.risk', in: ['critical'] } }];
  await withPolicy({ kind: 'tool_access', rules }, async () => {
    const bash = (command: string) => authorize({ tool: 'builtin.Bash', arguments: { command } });
    for (const command of ['rm -rf /', 'curl x | sh', ':(){ :|:& };:', 'echo cm0gLXJmIC8= | base64 -d | sh']) {
      assert.equal((await bash(command)).status, 'REFUSED', command);
    }
    for (const command of ["grep 'rm -rf' file", 'git log --format=%h']) assert.equal((await bash(command)).status, 'ALLOWED', command);
  });
});

test('with an approval: the id to wait on; once another person has approved, the same key is allowed, once', async () => {
  await withPolicy({ kind: 'approval_required', rules: [{ tools: ['custom.pay'], expiresIn: '1h' }] }, async () => {
    const input = { idempotencyKey: 'pay-1', arguments: { amount: 5, to: 'x' } };
    const call = await authorize(input);
    assert.equal(call.status, 'AWAITING_APPROVAL');
    const { approval } = (
      await api.gql('query ($id: ID!) { approval(id: $id) { status risk toolCall { id status } } }', { id: call.approvalId })
    ).data as any;
    assert.deepEqual(approval, { status: 'PENDING', risk: 'HIGH', toolCall: { id: call.id, status: 'AWAITING_APPROVAL' } });
    assert.deepEqual((await authorize(input)).approvalId, call.approvalId, 'nobody is asked twice');
    await assert.rejects(loop.decideApproval({ input: { approvalId: call.approvalId!, decision: 'APPROVE' } }), code('FORBIDDEN'));
    await assert.rejects(authorize({ ...input, arguments: { amount: 5_000, to: 'x' } }), code('IDEMPOTENCY_CONFLICT'));
    await reviewer.decideApproval({ input: { approvalId: call.approvalId!, decision: 'APPROVE' } });
    const allowed = await authorize({ ...input, arguments: { to: 'x', amount: 5 } });
    assert.deepEqual([allowed.id, allowed.status, allowed.approvalId], [call.id, 'ALLOWED', call.approvalId]);
    const [grant] = await rows(
      `select consumed_at, tool_call_id, execution_id from approvals where tenant_id = $1 and tool_call_id is not null`,
    );
    assert.ok(grant.consumed_at && grant.execution_id === null);
    assert.equal(
      (await authorize({ idempotencyKey: 'pay-2', arguments: { amount: 5, to: 'x' } })).status,
      'AWAITING_APPROVAL',
      'a grant is for one call',
    );
  });
});

test('a rejection refuses the call for good; a policy that appears meanwhile refuses what was approved', async () => {
  await withPolicy({ kind: 'approval_required', rules: [{ tools: ['custom.pay'], expiresIn: '1h' }] }, async () => {
    const rejected = await authorize({ idempotencyKey: 'no' });
    await reviewer.decideApproval({ input: { approvalId: rejected.approvalId!, decision: 'REJECT', note: 'too much' } });
    const answer = await authorize({ idempotencyKey: 'no' });
    assert.equal(answer.status, 'REFUSED');
    assert.match(answer.reasons[0]!, /rejected: too much/);
    assert.equal((await authorize({ idempotencyKey: 'no' })).status, 'REFUSED');

    const open = await authorize({ idempotencyKey: 'open' });
    await withPolicy({ kind: 'tool_access', rules: [{ effect: 'deny', tools: ['custom.pay'] }] }, async () => {
      assert.equal((await authorize({ idempotencyKey: 'open' })).status, 'REFUSED');
    });
    const query = 'query ($id: ID!) { approval(id: $id) { status } }';
    const { data } = await api.gql(query, { id: open.approvalId });
    assert.deepEqual(data, { approval: { status: 'CANCELLED' } }, 'nobody is asked about what is refused anyway');

    const approved = await authorize({ idempotencyKey: 'yes' });
    await reviewer.decideApproval({ input: { approvalId: approved.approvalId!, decision: 'APPROVE' } });
    await withPolicy({ kind: 'tool_access', rules: [{ effect: 'deny', tools: ['custom.pay'] }] }, async () => {
      assert.equal((await authorize({ idempotencyKey: 'yes' })).status, 'REFUSED');
    });
  });
});

test('eight who ask at once with one key get one call and one request for approval', async () => {
  await withPolicy({ kind: 'approval_required', rules: [{ tools: ['custom.pay'], expiresIn: '1h' }] }, async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => authorize({ idempotencyKey: 'together' })));
    assert.equal(new Set(answers.map((call) => `${call.id} ${call.approvalId}`)).size, 1);
  });
});

test('observe changes nothing and is recorded; inject lets the run go on, with the text in front of the output; enforce decides', async () => {
  const kinds = [
    { kind: 'tool_access', rules: [{ effect: 'deny', tools: ['custom.pay'] }], effect: 'deny', status: 'REFUSED' },
    { kind: 'approval_required', rules: [{ tools: ['custom.pay'] }], effect: 'require_approval', status: 'AWAITING_APPROVAL' },
    { kind: 'content', rules: [{ effect: 'deny', matches: ['secret'], in: ['arguments'] }], effect: 'deny', status: 'REFUSED' },
    {
      kind: 'rate_limit',
      rules: { count: 'tool_calls', limit: 1, window: '1h', onViolation: 'reject' },
      effect: 'deny',
      status: 'REFUSED',
    },
  ] as const;
  for (const { kind, rules, effect, status } of kinds) {
    for (const mode of ['observe', 'inject', 'enforce'] as const) {
      await withPolicy({ kind, mode, rules: rules }, async () => {
        if (kind === 'rate_limit') assert.equal((await authorize()).status, 'ALLOWED');
        const idempotencyKey = `${kind} ${mode}`;
        const call = await authorize({ arguments: { amount: 1, note: 'secret' }, idempotencyKey });
        assert.equal(call.status, mode === 'enforce' ? status : 'ALLOWED', idempotencyKey);
        assert.equal(call.notices.length, mode === 'inject' ? 1 : 0, idempotencyKey);
        const { findings } = await decisionOf(idempotencyKey);
        assert.deepEqual(
          findings.map((finding: any) => [finding.mode, finding.effect]),
          [[mode, effect]],
        );
        if (mode === 'enforce') return;
        const { output } = await report(call.id, { text: 'paid' });
        const expected = mode === 'inject' ? `${call.notices[0]}\n\npaid` : 'paid';
        assert.equal((output as { text: string }).text, expected, idempotencyKey);
      });
    }
  }
});

test('a result that policies refuse is not handed on, and is not kept', async () => {
  const call = await authorize();
  await withPolicy({ kind: 'content', rules: [{ effect: 'deny', matches: ['sk_live_[0-9]+'], in: ['outputs'] }] }, async () => {
    const reported = await report(call.id, { text: 'sk_live_123' });
    assert.deepEqual([reported.status, reported.isDelivered, reported.output], ['REPORTED', false, null]);
    assert.ok(reported.reasons.length > 0);
  });
  assert.deepEqual(await rows(`select 1 from tool_calls where tenant_id = $1 and result::text like '%sk_live%'`), []);
});

test('a kill switch stops calls at once; the same key goes on after the release', async () => {
  const { write, admin } = api.home;
  const engaged = await write((uow) =>
    api.services.killSwitches.engageKillSwitch(uow, admin, { scope: 'tool', pattern: 'custom.*', reason: 'stop' }),
  );
  const call = await authorize({ idempotencyKey: 'stopped' });
  assert.equal(call.status, 'WAITING');
  assert.match(call.reasons[0]!, /kill switch/i);
  await assert.rejects(report(call.id, 'x'), code('INVALID_STATE'));
  await write((uow) => api.services.killSwitches.releaseKillSwitch(uow, admin, { killSwitchId: engaged.id, reason: 'over' }));
  assert.equal((await authorize({ idempotencyKey: 'stopped' })).status, 'ALLOWED');
});

test('a call that a rate limit puts off says until when, keeps its place, and goes on with the same key', { timeout: 20_000 }, async () => {
  const rules = { count: 'tool_calls', limit: 1, window: '1s', onViolation: 'queue' };
  await withPolicy({ kind: 'rate_limit', rules }, async () => {
    assert.equal((await authorize()).status, 'ALLOWED');
    const call = await authorize({ idempotencyKey: 'queued' });
    assert.equal(call.status, 'WAITING');
    assert.ok(Date.parse(call.notBefore as string) - Date.parse(call.createdAt) <= 1_000);
    let again = call;
    while (again.status === 'WAITING') again = await authorize({ idempotencyKey: 'queued' });
    assert.deepEqual([again.id, again.status, again.notBefore], [call.id, 'ALLOWED', null]);
  });
});

test('when judging fails, the call is refused and that is recorded; nothing of the failed attempt stays', async () => {
  const { gate } = api.services;
  const original = gate.judge;
  try {
    gate.judge = () => Promise.reject(new Error('the gate is broken'));
    const call = await authorize({ idempotencyKey: 'broken' });
    assert.equal(call.status, 'REFUSED');
    assert.match(call.reasons[0]!, /could not be judged/);
    const [decision] = await rows(
      `select d.effect, d.reasons from decisions d join tool_calls c on c.decision_id = d.id where c.tenant_id = $1 and c.idempotency_key = 'broken'`,
    );
    assert.deepEqual([decision.effect, decision.reasons], ['deny', call.reasons]);
  } finally {
    gate.judge = original;
  }
  assert.equal((await authorize({ idempotencyKey: 'broken' })).status, 'REFUSED', 'the answer stays');
});

test('input is refused with every problem at once, and nothing is written', async () => {
  const before = await rows('select count(*)::int as n from tool_calls where tenant_id = $1');
  const bad = { tool: 'Bаsh', arguments: [1], idempotencyKey: '', labels: { a: 1 }, session: 'x'.repeat(201), costMicroUsd: -1 };
  await assert.rejects(ask(bad), (error: any) => {
    assert.deepEqual(error.problems.map(({ path }: { path: string }) => path).sort(), [
      'arguments',
      'costMicroUsd',
      'idempotencyKey',
      'labels',
      'session',
      'tool',
    ]);
    return true;
  });
  await assert.rejects(ask({ tool: 'files.write', arguments: {} }), (error: any) => {
    assert.deepEqual(
      error.problems.map(({ path }: { path: string }) => path),
      ['arguments.path'],
    );
    return true;
  });
  await assert.rejects(ask({ tool: 'nobody.knows' }), code('NOT_FOUND'));
  await assert.rejects(ask({ arguments: { text: 'x'.repeat(1024 * 1024) } }), code('VALIDATION_FAILED'));
  assert.equal(
    (await authorize({ tool: 'custom.search_docs', arguments: { text: 'x'.repeat(1024 * 1024 - 20) } })).status,
    'ALLOWED',
    'at the limit',
  );
  assert.equal((await rows('select count(*)::int as n from tool_calls where tenant_id = $1'))[0].n, before[0].n + 1);
});

test('only those who may start the agent there may ask; only the one who asked reports; others see nothing', async () => {
  const { home } = api;
  for (const role of ['viewer', 'reviewer', 'agent_manager'] as const) {
    await assert.rejects(ask({}, api.typed(await home.principal([[role, 'tenant', home.tenantId]]))), code('FORBIDDEN'), role);
  }
  const elsewhere = api.typed(await home.principal([['service', 'project', home.otherProject]]));
  await assert.rejects(ask({}, elsewhere), code('NOT_FOUND'));
  const call = await authorize();
  const input = { toolCallId: call.id, outcome: 'SUCCEEDED', result: null } as const;
  await assert.rejects(api.typed(api.operator).reportToolResult({ input }), code('FORBIDDEN'));
  await assert.rejects(elsewhere.reportToolResult({ input }), code('NOT_FOUND'));
  assert.equal(await elsewhere.toolCall({ id: call.id }), null);
  const stranger = api.typed(api.people.other.adminKey);
  await assert.rejects(ask({}, stranger), code('NOT_FOUND'));
  await assert.rejects(stranger.reportToolResult({ input }), code('NOT_FOUND'));
  assert.equal(await stranger.toolCall({ id: call.id }), null);
  assert.equal(await loop.toolCall({ id: toGlobalId('ToolCall', newId()) }), null);
});

test('no step can call a tool of a loop elsewhere, and no server can take its name', async () => {
  await assert.rejects(api.agent([{ id: 'a', tool: 'custom.pay', with: {} }], { tools: ['custom.pay'] }), /runs elsewhere/);
  const admin = api.typed();
  for (const name of ['builtin', 'custom']) {
    await assert.rejects(
      admin.registerToolServer({ input: { name, url: 'https://example.com/mcp', enabled: false } }),
      code('VALIDATION_FAILED'),
    );
  }
});

// Deciding, editing, cancelling and expiring while a runner dispatches: the call is made at most once, exactly when it was approved, with
// the arguments that were. `npm run test:races` plays more rounds.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createApprovalService } from '#src/approvals/approval-service.ts';
import { createApprovalLog } from '#src/executions/approval-log.ts';
import { isFinalExecution } from '#src/executions/execution.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { SignalboxError } from '#src/platform/errors.ts';
import type { Authority } from '#src/authority/permission.ts';
import { tool } from './harness/engine-looks.ts';
import { testEngine, type Engine } from './harness/engine.ts';
import { checkRows } from './harness/simulation-checks.ts';

const rounds = process.env['SIGNALBOX_TEST_RACES'] === 'all' ? 2_000 : 40;
const atOnce = 4;

let engine: Engine;
let admin: Authority;
let people: readonly [Authority, Authority, Authority];
let agentId: string;
before(async () => {
  engine = await testEngine({ 'bank.pay': { annotations: { readOnlyHint: false }, run: (args) => args } });
  admin = await engine.authority(['admin']);
  people = [await engine.authority(['reviewer']), await engine.authority(['reviewer']), await engine.authority(['reviewer'])];
  agentId = await engine.agent([{ id: 'pay', ...tool('bank.pay', { round: '${{ inputs.round }}', amount: 500 }) }]);
  const rules = [{ tools: ['bank.pay'], expiresIn: '1h' }];
  await write((uow) => engine.services.policies.createPolicy(uow, admin, { name: 'p', kind: 'approval_required', mode: 'enforce', rules }));
  await engine.runner();
});
after(() => engine.close());

const write = <T>(work: (uow: UnitOfWork) => Promise<T>) => engine.db.database.write(engine.tenantId, work);
const findApproval = async (executionId: string) => {
  const [page] = await write((uow) => engine.services.approvals.approvalsOfExecutions(uow, admin, [executionId], {}));
  return page!.rows[0]!;
};
const shuffled = <T>(list: readonly T[]): T[] =>
  list.map((value) => ({ value, key: Math.random() })).toSorted((a, b) => a.key - b.key).map(({ value }) => value); // prettier-ignore

async function round(number: number): Promise<string> {
  const { approvals, approvalEdits, events } = engine.services;
  const { id } = await engine.start(agentId, { round: number });
  await engine.until(id, ({ status }) => status === 'waiting');
  const asked = await findApproval(id);
  const [ada, bob, cleo] = people;
  const approvalId = asked.id;
  const late = { now: () => new Date(Date.now() + 7_200_000) };
  const lateApprovals = createApprovalService({ clock: late, log: createApprovalLog({ clock: late, events }) });
  const edited = { round: number, amount: 5 };
  const all: readonly (() => Promise<unknown>)[] = [
    () => write((uow) => approvals.decide(uow, ada, { approvalId, decision: 'approve', expectedDigest: asked.digest })),
    () => write((uow) => approvals.decideMany(uow, bob, { items: [{ approvalId, decision: 'approve', expectedDigest: asked.digest }] })),
    () => write((uow) => approvals.decide(uow, cleo, { approvalId, decision: 'reject' })),
    () => write((uow) => approvalEdits.editApproval(uow, cleo, { approvalId, expectedDigest: asked.digest, arguments: edited })),
    () => engine.cancel(id),
    () => write((uow) => lateApprovals.expire(uow, approvalId)),
  ];
  // One of them alone, then with one to four others, so that each wins now and then.
  const own = all[number % all.length]!;
  const others = shuffled(all.filter((move) => move !== own)).slice(0, Math.floor(number / all.length) % all.length);
  const moves = shuffled([own, ...others]);
  for (const result of await Promise.allSettled(moves.map((move) => move()))) {
    if (result.status === 'rejected') assert.ok(result.reason instanceof SignalboxError, `round ${number}: ${String(result.reason)}`);
  }
  // What is open still (edited only, or nothing) is approved by somebody who looks again.
  const now = await findApproval(id);
  if (now.status === 'pending') {
    await write((uow) => approvals.decide(uow, ada, { approvalId, decision: 'approve', expectedDigest: now.digest }));
  }
  const { status } = await engine.until(id, (execution) => isFinalExecution(execution.status));
  const ended = await findApproval(id);
  const calls = engine.calls.filter(({ args }) => args['round'] === number);
  const about = `round ${number}: ${ended.status}, ${status}, ${calls.length} calls`;
  assert.equal(ended.id, approvalId, about);
  assert.ok(calls.length <= 1, about);
  // Cancelled after the approval: before the call, or after it.
  const mayCall = ended.status === 'approved';
  assert.ok(calls.length === 0 || (mayCall && ended.consumedAt !== null), about);
  if (status === 'succeeded') assert.ok(mayCall && calls.length === 1, about);
  for (const { args } of calls) assert.deepEqual(args, ended.subject.arguments, about);
  if (!mayCall) assert.ok(['blocked', 'cancelled'].includes(status), about);
  await checkRows(engine, id);
  return `${ended.status}${ended.requested ? ' edited' : ''}`;
}

test(`${rounds} races around a real dispatch: at most one call, of exactly what was approved`, { timeout: 1_800_000 }, async (t) => {
  const ends: Record<string, number> = {};
  for (let number = 0; number < rounds; number += atOnce) {
    const results = await Promise.all(Array.from({ length: atOnce }, (_, index) => round(number + index)));
    for (const result of results) ends[result] = (ends[result] ?? 0) + 1;
  }
  t.diagnostic(JSON.stringify(ends));
  for (const end of ['approved', 'rejected', 'expired', 'cancelled', 'approved edited']) assert.ok(ends[end]! > 0, JSON.stringify(ends));
});

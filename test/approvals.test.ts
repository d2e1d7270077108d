// Approvals: who may decide, once; expiry; grants that fit exactly one thing and are used exactly once, also under races.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { maxNoteLength, subjectDigest, type ApprovalSubject } from '#src/approvals/approval.ts';
import type { ApprovalService } from '#src/approvals/approval-service.ts';
import {
  ConflictError,
  ForbiddenError,
  IdempotencyConflictError,
  InvalidStateError,
  NotFoundError,
  ValidationError,
} from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { approvalStand, hour, later, start, type ApprovalStand } from './harness/approvals.ts';

let stand: ApprovalStand;
let approvals: ApprovalService;
before(async () => {
  stand = await approvalStand();
  ({ approvals } = stand);
});
after(() => stand.close());

const approvalWorld = () => stand.world();

test('a request holds exactly what will run, its digest, and the job that ends it', async () => {
  const { request, subject, requester, jobs, write, executionId } = await approvalWorld();
  const approval = await request({ subject: subject({ itemIndex: 2 }) });
  assert.deepEqual(approval.subject, subject({ itemIndex: 2 }));
  assert.equal(approval.digest, subjectDigest(subject({ itemIndex: 2 })));
  assert.deepEqual([approval.status, approval.requestedBy, approval.createdAt], ['pending', requester.principalId, start]);
  assert.deepEqual((await jobs()).map(({ name, runAt }) => [name, runAt]), [['expire-approval', later(hour)]]); // prettier-ignore
  const newest = await request({ subject: subject({ itemIndex: 2 }) });
  const found = (itemIndex: number | null) => write((uow) => approvals.findForStep(uow, executionId, 'write', itemIndex));
  assert.equal((await found(2))?.id, newest.id);
  assert.equal(await found(null), null);
});

test('approving records who, when and why, and wakes the step in the same transaction', async () => {
  const { request, decide, reviewer, jobs, executionId, subject } = await approvalWorld();
  const approval = await request();
  stand.at(1_000);
  const decided = await decide(reviewer, approval.id, { note: 'looks right', expectedDigest: approval.digest });
  assert.deepEqual(
    [decided.status, decided.decidedBy, decided.decidedAt, decided.note, decided.consumedAt],
    ['approved', reviewer.principalId, stand.now(), 'looks right', null],
  );
  const [, wake] = await jobs();
  assert.deepEqual([wake?.name, wake?.payload['executionId'], wake?.payload['stepId'], wake?.payload['itemIndex']], ['run-step', executionId, 'write', -1]); // prettier-ignore
  const other = await request({ subject: subject({ itemIndex: 4 }) });
  assert.equal((await decide(reviewer, other.id, { decision: 'reject' })).status, 'rejected');
  assert.equal((await jobs()).at(-1)?.payload['itemIndex'], 4);
});

test('only those allowed to decide where the execution runs may decide, and never the requester', async () => {
  const world = await approvalWorld();
  const { request, decide, whyNot, requester, projectId, otherProjectId, environmentId, teamId, write } = world;
  const people = {
    admin: await world.person('a', world.on('admin')),
    operatorOfProject: await world.person('b', world.on('operator', 'project', projectId)),
    reviewerOfEnvironment: await world.person('c', world.on('reviewer', 'environment', environmentId)),
    reviewerOfTeam: await world.person('d', world.on('reviewer', 'team', teamId)),
  };
  for (const [name, actor] of Object.entries(people)) {
    const approval = await request();
    assert.equal(await whyNot(actor, approval), null, name);
    assert.equal((await decide(actor, approval.id)).decidedBy, actor.principalId, name);
  }
  const approval = await request();
  const refused: [string, Authority, new (...args: never[]) => Error, RegExp][] = [
    ['viewer', await world.person('e', world.on('viewer')), ForbiddenError, /approval\.decide/],
    ['agent manager', await world.person('f', world.on('agent_manager', 'project', projectId)), ForbiddenError, /approval\.decide/],
    ['requester', requester, ForbiddenError, /you started the execution/],
    ['requester who is admin', { ...requester, grants: [world.on('admin')] }, ForbiddenError, /someone else/],
    ['worker', { ...people.admin, principalKind: 'worker' }, ForbiddenError, /a worker .* cannot decide/],
    ['service', await world.person('g', world.on('service')), NotFoundError, /there is no approval/],
    ['reviewer elsewhere', await world.person('h', world.on('reviewer', 'project', otherProjectId)), NotFoundError, /there is no approval/],
    ['viewer here, reviewer elsewhere', await world.person('i', world.on('viewer', 'project', projectId), world.on('reviewer', 'project', otherProjectId)), ForbiddenError, /here/], // prettier-ignore
  ];
  for (const [name, actor, errorClass, message] of refused) {
    assert.notEqual(await whyNot(actor, approval), null, name);
    await assert.rejects(decide(actor, approval.id), (error: Error) => error instanceof errorClass && message.test(error.message), name);
  }
  const foreign = await approvalWorld();
  await assert.rejects(foreign.decide(foreign.reviewer, approval.id), NotFoundError);
  await assert.rejects(foreign.decide(foreign.reviewer, 'nonsense'), NotFoundError);
  assert.equal(await foreign.write((uow) => approvals.expire(uow, approval.id)), null);
  assert.deepEqual(await foreign.write((uow) => approvals.cancelForExecution(uow, approval.executionId!)), []);
  assert.equal((await foreign.write((uow) => approvals.consume(uow, approval.id, approval.digest))).ok, false);
  assert.equal((await write((uow) => approvals.findApproval(uow, people.admin, approval.id)))?.status, 'pending');
});

test('a decision is final: another is a conflict that says who decided what and when', async () => {
  const { request, decide, whyNot, reviewer, person, on } = await approvalWorld();
  const approval = await request();
  await decide(reviewer, approval.id);
  const second = await person('sam', on('reviewer'));
  for (const actor of [second, reviewer]) {
    for (const decision of ['approve', 'reject'] as const) {
      await assert.rejects(decide(actor, approval.id, { decision, idempotencyKey: 'k' }), (error: Error) => {
        assert.ok(error instanceof ConflictError);
        assert.match(error.message, /already approved by rex-.* at 2026-11-21T10:00:00\.000Z; a decision is final/);
        return true;
      });
    }
  }
  assert.match((await whyNot(second, { ...approval, status: 'rejected', decidedAt: start }))!, /already rejected at 2026/);
});

test('repeating a decision with its idempotency key gives the same answer; the key for another decision is a conflict', async () => {
  const { request, decide, reviewer, person, on, jobs } = await approvalWorld();
  const approval = await request();
  const input = { decision: 'reject', note: 'no', idempotencyKey: 'k-1' } as const;
  const first = await decide(reviewer, approval.id, input);
  stand.at(2 * hour);
  assert.deepEqual(await decide(reviewer, approval.id, input), first);
  assert.equal((await jobs()).filter(({ name }) => name === 'run-step').length, 1);
  await assert.rejects(decide(reviewer, approval.id, { ...input, decision: 'approve' }), IdempotencyConflictError);
  await assert.rejects(decide(reviewer, approval.id, { ...input, note: 'yes' }), IdempotencyConflictError);
  await assert.rejects(decide(await person('sam', on('reviewer')), approval.id, input), ConflictError);
});

test('of decisions that race, exactly one wins and the step is woken once', async () => {
  const { request, decide, person, on, jobs, write, reviewer } = await approvalWorld();
  const approval = await request();
  const people = await Promise.all(Array.from({ length: 6 }, (_, index) => person(`r${index}`, on('reviewer'))));
  const results = await Promise.allSettled(
    people.map((actor, index) => decide(actor, approval.id, { decision: index % 2 ? 'approve' : 'reject' })),
  );
  const won = results.filter((result) => result.status === 'fulfilled');
  assert.equal(won.length, 1);
  for (const result of results) if (result.status === 'rejected') assert.ok(result.reason instanceof ConflictError, String(result.reason));
  assert.equal((await jobs()).filter(({ name }) => name === 'run-step').length, 1);
  assert.equal((await write((uow) => approvals.findApproval(uow, reviewer, approval.id)))?.status, won[0]!.value.status);
});

test('an approval can be decided until just before it expires, and ends by its job', async () => {
  const { request, decide, whyNot, reviewer, write, jobs } = await approvalWorld();
  const [one, two] = [await request(), await request()];
  stand.at(hour - 1);
  assert.equal((await decide(reviewer, one.id)).status, 'approved');
  assert.equal(await write((uow) => approvals.expire(uow, two.id)), null, 'too early: the job is put off');
  stand.at(hour);
  await assert.rejects(decide(reviewer, two.id), (error: Error) => error instanceof InvalidStateError && /expired at 2026-11-21T11:00/.test(error.message)); // prettier-ignore
  assert.match((await whyNot(reviewer, two))!, /expired/);
  assert.equal(await write((uow) => approvals.expire(uow, one.id)), null, 'decided: nothing to end');
  assert.equal((await write((uow) => approvals.expire(uow, two.id)))?.status, 'expired');
  assert.equal(await write((uow) => approvals.expire(uow, two.id)), null, 'a late job does nothing');
  const names = (await jobs()).map(({ name }) => name);
  assert.deepEqual(names.sort(), ['expire-approval', 'expire-approval', 'run-step', 'run-step']);
  await assert.rejects(decide(reviewer, two.id), InvalidStateError);
});

test('the end of an execution cancels its open requests only', async () => {
  const { request, decide, reviewer, write, executionId } = await approvalWorld();
  const [open, decided, elsewhere] = [await request(), await request(), await request({ subject: { ...(await request()).subject, executionId: newId() } })]; // prettier-ignore
  await decide(reviewer, decided.id);
  const cancelled = await write((uow) => approvals.cancelForExecution(uow, executionId));
  assert.ok(cancelled.some(({ id, status }) => id === open.id && status === 'cancelled'));
  assert.ok(!cancelled.some(({ id }) => id === decided.id || id === elsewhere.id));
  await assert.rejects(decide(reviewer, open.id), (error: Error) => error instanceof InvalidStateError && /cancelled with its execution/.test(error.message)); // prettier-ignore
});

test('a grant fits exactly what was approved: any other tool, argument, version or policy is refused', async () => {
  const { request, decide, reviewer, write, subject } = await approvalWorld();
  const approval = await request();
  const consume = (digest: string) => write((uow) => approvals.consume(uow, approval.id, digest));
  assert.deepEqual({ ...(await consume(approval.digest)), reason: '' }, { ok: false, code: 'not_approved', reason: '' });
  await assert.rejects(
    decide(reviewer, approval.id, { expectedDigest: subjectDigest(subject({ tool: 'x.y' })) }),
    /expectedDigest: this approval is for/,
  );
  await decide(reviewer, approval.id);
  const changes: Partial<ApprovalSubject>[] = [
    { arguments: { path: 'report.md', content: 'all well.' } },
    { tool: 'files.move_file' },
    { toolDigest: 'e' },
    { agentVersionDigest: 'w' },
    { policies: ['p@2'] },
    { itemIndex: 0 },
    { stepId: 'other' },
    { executionId: newId() },
  ];
  for (const change of changes) {
    const consumption = await consume(subjectDigest(subject(change)));
    assert.equal(consumption.ok ? 'ok' : consumption.code, 'other_digest', JSON.stringify(change));
  }
  const reordered = subject({ arguments: { content: 'all well', path: 'report.md' } });
  assert.deepEqual(await consume(subjectDigest(reordered)), { ok: true });
});

test('a grant is consumed exactly once, also when dispatches race', async () => {
  const { request, decide, reviewer, write } = await approvalWorld();
  const approval = await request();
  await decide(reviewer, approval.id);
  stand.at(hour - 1);
  const consume = () => write((uow) => approvals.consume(uow, approval.id, approval.digest));
  const results = await Promise.all(Array.from({ length: 6 }, consume));
  assert.equal(results.filter(({ ok }) => ok).length, 1);
  for (const result of results) if (!result.ok) assert.equal(result.code, 'already_consumed');
  assert.equal((await write((uow) => approvals.findApproval(uow, reviewer, approval.id)))?.consumedAt?.getTime(), stand.now().getTime());
  assert.deepEqual((await write((uow) => approvals.consume(uow, newId(), approval.digest))), { ok: false, code: 'not_found', reason: 'the approval does not exist' }); // prettier-ignore
});

test('bad input of a decision is refused with every problem; a note at the limit passes', async () => {
  const { request, decide, reviewer } = await approvalWorld();
  const approval = await request({ subject: { ...(await request()).subject, arguments: { odd: 'a\0\ud800' } } });
  assert.equal((approval.subject.arguments as { odd: string }).odd, 'a\ufffd\ufffd');
  const bad = decide(reviewer, approval.id, { note: `${'x'.repeat(maxNoteLength)}\0`, idempotencyKey: '' });
  await assert.rejects(bad, (error: Error) => error instanceof ValidationError && error.problems.map(({ path }) => path).join() === 'note,note,idempotencyKey'); // prettier-ignore
  assert.equal(
    (await decide(reviewer, approval.id, { note: 'x'.repeat(maxNoteLength), idempotencyKey: 'k'.repeat(200) })).status,
    'approved',
  );
});

test('lists filter, page and show only what the reader may see', async () => {
  const world = await approvalWorld();
  const { request, decide, reviewer, write, environmentId, agentId, executionId, projectId, otherProjectId, teamId } = world;
  const one = await request({ risk: 'low' });
  const two = await request();
  const three = await request({ projectId: otherProjectId, environmentId: newId(), teamId: null });
  await decide(reviewer, one.id);
  const ids = async (actor: Authority, filter: Parameters<typeof approvals.listApprovals>[2] = {}, page = {}) =>
    (await write((uow) => approvals.listApprovals(uow, actor, filter, page))).rows.map(({ id }) => [one, two, three].findIndex((row) => row.id === id) + 1).join(''); // prettier-ignore
  assert.equal(await ids(reviewer), '321');
  assert.equal(await ids(reviewer, { status: ['pending'] }), '32');
  assert.equal(await ids(reviewer, { risk: ['low', 'medium'] }), '1');
  assert.equal(await ids(reviewer, { environmentId }), '21');
  assert.equal(await ids(reviewer, { agentId, executionId }), '321');
  assert.equal(await ids(reviewer, { executionId: newId() }), '');
  assert.equal(await ids(reviewer, {}, { first: 1 }), '3');
  await assert.rejects(ids(reviewer, { agentId: 'x' }), /filter\.agentId: "x" is not an id/);
  assert.equal(await ids(await world.person('p', world.on('viewer', 'project', projectId))), '21');
  assert.equal(await ids(await world.person('t', world.on('viewer', 'team', teamId))), '21');
  assert.equal(await ids(await world.person('n')), '');
  const foreign = await approvalWorld();
  assert.deepEqual(await foreign.write((uow) => approvals.approvalsByIds(uow, foreign.reviewer, [one.id, 'x'])), []);
  const pages = await write((uow) => approvals.approvalsOfExecutions(uow, reviewer, [newId(), executionId, executionId], { first: 2 }));
  assert.deepEqual(pages.map(({ rows, hasNextPage }) => [rows.map(({ id }) => id), hasNextPage]), [[[], false], [[three.id, two.id], true], [[three.id, two.id], true]]); // prettier-ignore
});

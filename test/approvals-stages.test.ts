// Who has to approve: people, teams and roles, quorums, stages in order; and the clocks of a request that nobody decides.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { approvalTermsField, maxApprovers, maxQuorum, maxStages } from '#src/approvals/approval-terms-schema.ts';
import { newId } from '#src/platform/ids.ts';
import {
  ConflictError,
  ForbiddenError,
  IdempotencyConflictError,
  InvalidStateError,
  NotFoundError,
  ValidationError,
} from '#src/platform/errors.ts';
import type { Authority } from '#src/authority/permission.ts';
import { approvalStand, hour, later, start, type ApprovalStand, type ApprovalWorld } from './harness/approvals.ts';

let stand: ApprovalStand;
before(async () => {
  stand = await approvalStand();
});
after(() => stand.close());

const refusedAs = (errorClass: new (...args: never[]) => Error, message: RegExp) => (error: Error) => {
  assert.ok(error instanceof errorClass, String(error));
  assert.match(error.message, message);
  return true;
};

test('terms at their limits are taken, and beyond them refused with the place of each problem', () => {
  const people = (count: number) => Array.from({ length: count }, (_, index) => ({ principal: `p${index}` }));
  const stage = (count: number, quorum: number) => ({ approvers: people(count), quorum });
  const termsOf = (stages: object[], more: object = {}) => approvalTermsField.safeParse({ stages, ...more });
  const escalation = (count: number, after: string) => ({ escalation: { after, approvers: people(count) }, warnBefore: after });
  assert.ok(termsOf([...Array.from({ length: maxStages - 1 }, () => stage(1, 1)), stage(maxApprovers, maxQuorum)], escalation(maxApprovers, '30d')).success); // prettier-ignore
  const refused = (stages: object[], more: object = {}) => termsOf(stages, more).error?.issues.map(({ path }) => path.join('.'));
  assert.deepEqual(refused(Array.from({ length: maxStages + 1 }, () => stage(1, 1))), ['stages']);
  assert.deepEqual(refused([stage(maxApprovers + 1, maxQuorum)]), ['stages.0.approvers']);
  assert.deepEqual(refused([stage(maxApprovers, maxQuorum + 1)]), ['stages.0.quorum']);
  assert.deepEqual(refused([stage(2, 3)]), ['stages.0.quorum']);
  assert.deepEqual(refused([stage(2, 0)]), ['stages.0.quorum']);
  assert.deepEqual(refused([{ approvers: [...people(1), ...people(1)] }]), ['stages.0.approvers']);
  assert.deepEqual(refused([{ approvers: [{}] }, { approvers: [{ role: 'admin', team: 't' }] }]), ['stages.0.approvers.0', 'stages.1.approvers.0']); // prettier-ignore
  assert.deepEqual(refused([], escalation(1, '31d')), ['escalation.after', 'warnBefore']);
  assert.deepEqual(refused([], escalation(0, '1s')), ['escalation.approvers']);
});

test('a person, the people of a team or whoever holds a role may decide, and nobody else', async () => {
  const world = await stand.world();
  const { requestOf, member, on, decide, whyNot, teamId, projectId, otherProjectId } = world;
  const [named, teammate, admin, elsewhere, stranger] = [
    await member('named'),
    await member('teammate', [on('reviewer')], { teams: [teamId] }),
    await member('admin', [on('admin', 'project', projectId)]),
    await member('elsewhere', [on('reviewer'), on('admin', 'project', otherProjectId)]),
    await member('stranger'),
  ];
  const approvers = [{ principal: named.principalId }, { team: teamId }, { role: 'admin' }] as const;
  for (const actor of [named, teammate, admin]) {
    const approval = await requestOf(approvers);
    assert.equal(await whyNot(actor, approval), null);
    assert.equal((await decide(actor, approval.id)).status, 'approved');
  }
  for (const actor of [elsewhere, stranger]) {
    const approval = await requestOf(approvers);
    const asked = /"approval" asks a certain person, the people of a team, whoever holds the role admin; you are none of them/;
    assert.match((await whyNot(actor, approval))!, asked);
    for (const decision of ['approve', 'reject'] as const) {
      await assert.rejects(decide(actor, approval.id, { decision }), refusedAs(ForbiddenError, asked));
    }
    assert.equal((await world.find(approval)).status, 'pending');
  }
  const viewer = await member('viewer', [on('viewer')]);
  const forViewer = await requestOf([{ principal: viewer.principalId }]);
  await assert.rejects(decide(viewer, forViewer.id), refusedAs(ForbiddenError, /approval\.decide/), 'being named gives no permission');
  const foreign = await stand.world();
  await assert.rejects(foreign.decide(foreign.reviewer, (await requestOf(approvers)).id), NotFoundError);
});

test('names in terms are kept as ids, so that a renamed person is still the one who is asked', async () => {
  const { requestOf, member, write } = await stand.world();
  const ada = await member('ada');
  const [row] = await write((uow) => uow.rows<{ name: string }>('select name from principals where id = $1', [ada.principalId]));
  const approval = await requestOf([{ principal: row!.name }, { team: 'ops' }, { principal: 'nobody' }], 1, {
    escalation: { afterMs: hour, approvers: [{ principal: ada.principalId }] },
  });
  const [asked, team, nobody] = approval.terms.stages[0]!.approvers;
  assert.deepEqual([asked, nobody], [{ principal: ada.principalId }, { principal: 'nobody' }]);
  assert.match((team as { team: string }).team, /^[0-9a-f-]{36}$/);
  assert.equal(approval.terms.escalation?.afterMs, hour);
});

test('a quorum needs so many different people; one rejection is enough', async () => {
  const world = await stand.world();
  const { requestOf, member, decide, told, jobs } = world;
  const [one, two, three] = [await member('one'), await member('two'), await member('three')];
  const approval = await requestOf([], 3);
  assert.equal((await decide(one, approval.id, { note: 'fine' })).status, 'pending');
  await assert.rejects(
    decide(one, approval.id),
    refusedAs(ConflictError, /you approved it already at 2026.*; 2 of 3 approvals by others are missing/),
  );
  assert.equal((await decide(two, approval.id)).status, 'pending');
  assert.equal((await jobs()).filter(({ name }) => name === 'run-step').length, 0);
  const done = await decide(three, approval.id, { note: 'go' });
  assert.deepEqual([done.status, done.decidedBy, done.note], ['approved', three.principalId, 'go']);
  assert.equal((await jobs()).filter(({ name }) => name === 'run-step').length, 1);
  assert.deepEqual(told(approval), [
    { type: 'voted', votedBy: one.principalId, stage: 0 },
    { type: 'voted', votedBy: two.principalId, stage: 0 },
  ]);
  const votes = await world.write((uow) => stand.approvals.votesOf(uow, [approval.id]));
  assert.deepEqual(votes.map(({ principalId, decision, note }) => [principalId, decision, note]), [[one.principalId, 'approve', 'fine'], [two.principalId, 'approve', null], [three.principalId, 'approve', 'go']]); // prettier-ignore
  const other = await requestOf([], 3);
  await decide(one, other.id);
  assert.equal((await decide(two, other.id, { decision: 'reject' })).status, 'rejected');
  await assert.rejects(decide(three, other.id), refusedAs(ConflictError, /already rejected by two/));
});

test('a person who approves twice, also through an account that they made a key of, is one person', async () => {
  const { requestOf, member, key, decide } = await stand.world();
  const [ada, bob] = [await member('ada'), await member('bob')];
  const bot = await member('bot', undefined, { kind: 'service_account' });
  await key(bot, ada);
  const approval = await requestOf([], 2);
  await decide(ada, approval.id);
  await assert.rejects(decide(bot, approval.id), refusedAs(ConflictError, /you approved it already/));
  assert.equal((await decide(bob, approval.id)).status, 'approved');
  const other = await requestOf([], 2);
  await decide(bot, other.id);
  await assert.rejects(decide(ada, other.id), ConflictError);
});

test('stages are asked in order, each its own people', async () => {
  const world = await stand.world();
  const { request, member, on, decide, told, find, jobs } = world;
  const [ops, ops2, security] = [
    await member('o1', [on('operator')]),
    await member('o2', [on('operator')]),
    await member('s', [on('admin')]),
  ];
  const stages = [
    { name: 'operations', approvers: [{ role: 'operator' }], quorum: 2 },
    { name: 'security', approvers: [{ role: 'admin' }], quorum: 1 },
  ] as const;
  const approval = await request({ terms: { stages, escalation: { afterMs: hour / 2, approvers: [{ principal: newId() }] } } });
  await assert.rejects(decide(security, approval.id), refusedAs(ForbiddenError, /"operations" asks whoever holds the role operator/));
  await decide(ops, approval.id);
  stand.at(1_000);
  const next = await decide(ops2, approval.id);
  assert.deepEqual([next.status, next.stage, next.stageAt, next.escalatedAt], ['pending', 1, later(1_000), null]);
  assert.deepEqual((await jobs()).filter(({ name }) => name === 'attend-approval').map(({ runAt }) => runAt), [later(hour / 2 + 1_000)]); // prettier-ignore
  await assert.rejects(decide(ops, approval.id), refusedAs(ForbiddenError, /"security" asks/));
  assert.equal((await decide(security, approval.id)).status, 'approved');
  assert.deepEqual(told(approval).map((note) => note.type), ['voted', 'voted', 'advanced']); // prettier-ignore
  assert.equal((await find(approval)).stage, 1);
});

test('a decision that did not end it is repeated with its key; another under the same key is a conflict', async () => {
  const { requestOf, member, decide, told } = await stand.world();
  const one = await member('one');
  const approval = await requestOf([], 2);
  const input = { idempotencyKey: 'k', note: 'yes' };
  const first = await decide(one, approval.id, input);
  assert.deepEqual(await decide(one, approval.id, input), first);
  assert.equal(told(approval).length, 1);
  await assert.rejects(decide(one, approval.id, { ...input, decision: 'reject' }), refusedAs(IdempotencyConflictError, /it stays pending/));
});

test('votes that race for the last place of a quorum end it once', async () => {
  const { requestOf, member, decide, jobs } = await stand.world();
  const people = await Promise.all(Array.from({ length: 6 }, (_, index) => member(`p${index}`)));
  const approval = await requestOf([], 4);
  const results = await Promise.allSettled(people.map((actor) => decide(actor, approval.id)));
  const decided = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value.status);
  assert.deepEqual(decided.toSorted(), ['approved', 'pending', 'pending', 'pending']);
  assert.equal((await jobs()).filter(({ name }) => name === 'run-step').length, 1);
});

const attend = ({ write }: ApprovalWorld, id: string) => write((uow) => stand.approvals.attend(uow, id));

test('after a time a second group is asked, too; before the end a warning is given; then it expires', async () => {
  const world = await stand.world();
  const { requestOf, member, whyNot, told, jobs, decide, write } = world;
  const [first, second] = [await member('first'), await member('second')];
  const approval = await requestOf([{ principal: first.principalId }], 1, {
    escalation: { afterMs: hour / 2, approvers: [{ principal: second.principalId }] },
    warnBeforeMs: hour / 4,
  });
  const due = async () => (await jobs()).filter(({ name }) => name === 'attend-approval').map(({ runAt }) => runAt);
  assert.deepEqual(await due(), [later(hour / 2)]);
  stand.at(hour / 2 - 1);
  assert.equal(await attend(world, approval.id), null, 'too early');
  assert.match((await whyNot(second, approval))!, /you are none of them/);
  stand.at(hour / 2);
  const escalated = (await attend(world, approval.id))!;
  assert.deepEqual(escalated.escalatedAt, later(hour / 2));
  assert.equal(await whyNot(second, escalated), null);
  assert.equal(await whyNot(first, escalated), null, 'the first group still may');
  assert.deepEqual(await due(), [later((hour * 3) / 4)]);
  stand.at((hour * 3) / 4);
  assert.deepEqual((await attend(world, approval.id))!.warnedAt, later((hour * 3) / 4));
  assert.equal(await attend(world, approval.id), null, 'nothing is left to do');
  assert.deepEqual(told(approval), [{ type: 'escalated', stage: 0 }, { type: 'warned', expiresAt: later(hour).toISOString() }]); // prettier-ignore
  stand.at(hour);
  assert.equal((await write((uow) => stand.approvals.expire(uow, approval.id)))?.status, 'expired', 'expiry is refusal');
  assert.equal(await attend(world, approval.id), null);
  await assert.rejects(decide(second, approval.id), InvalidStateError);
});

const extend = ({ write }: ApprovalWorld, actor: Authority, approvalId: string, expiresAt: Date, note?: string) =>
  write((uow) => stand.approvals.extend(uow, actor, { approvalId, expiresAt, note }));

test('an approver puts off the end, with a warning before the new one; nobody else does', async () => {
  const world = await stand.world();
  const { requestOf, member, told, jobs, reviewer, requester, decide, write, on } = world;
  const one = await member('one');
  const approval = await requestOf([{ principal: one.principalId }], 1, { warnBeforeMs: hour / 4 });
  stand.at((hour * 3) / 4);
  await attend(world, approval.id);
  const extended = await extend(world, one, approval.id, later(2 * hour), 'on a train');
  assert.deepEqual([extended.expiresAt, extended.warnedAt, extended.status], [later(2 * hour), null, 'pending']);
  assert.deepEqual(told(approval).at(-1), { type: 'extended', extendedBy: one.principalId, expiresAt: later(2 * hour).toISOString() });
  const clocks = (await jobs()).map(({ name, runAt }) => [name, runAt.getTime() - start.getTime()]);
  assert.deepEqual(clocks.toSorted(([a], [b]) => String(a).localeCompare(String(b))), [['attend-approval', hour * 1.75], ['expire-approval', 2 * hour]]); // prettier-ignore
  const [comment] = await write((uow) => uow.rows<any>('select kind, author, text, data from approval_comments where approval_id = $1', [approval.id])); // prettier-ignore
  assert.deepEqual(comment, { kind: 'extension', author: one.principalId, text: 'on a train', data: { before: later(hour).toISOString(), after: later(2 * hour).toISOString() } }); // prettier-ignore
  assert.deepEqual(await extend(world, one, approval.id, later(2 * hour)), extended, 'the same again changes nothing');
  await assert.rejects(extend(world, reviewer, approval.id, later(3 * hour)), refusedAs(ForbiddenError, /you are none of them/));
  await assert.rejects(extend(world, requester, approval.id, later(3 * hour)), refusedAs(ForbiddenError, /you started the execution/));
  await assert.rejects(extend(world, await member('viewer', [on('viewer')]), approval.id, later(3 * hour)), refusedAs(ForbiddenError, /approval\.decide/)); // prettier-ignore
  const foreign = await stand.world();
  await assert.rejects(extend(foreign, foreign.reviewer, approval.id, later(3 * hour)), refusedAs(NotFoundError, /there is no approval/));
  for (const moment of [later(hour), new Date(start.getTime() + 366 * 24 * hour), new Date(NaN)]) {
    await assert.rejects(extend(world, one, approval.id, moment), refusedAs(ValidationError, /expiresAt: must be after 2026-11-21T12:00/));
  }
  assert.equal((await extend(world, one, approval.id, new Date(start.getTime() + 365 * 24 * hour))).status, 'pending', 'the limit itself');
  await decide(one, approval.id);
  await assert.rejects(extend(world, one, approval.id, later(5 * hour)), refusedAs(InvalidStateError, /only a request that is open/));
});

test('whoever has voted can still extend; an expired request cannot be extended', async () => {
  const world = await stand.world();
  const { requestOf, member, decide } = world;
  const one = await member('one');
  const approval = await requestOf([], 2);
  await decide(one, approval.id);
  assert.deepEqual((await extend(world, one, approval.id, later(2 * hour))).expiresAt, later(2 * hour));
  stand.at(2 * hour);
  await assert.rejects(extend(world, one, approval.id, later(3 * hour)), refusedAs(InvalidStateError, /expired/));
});

test('expiry, warning and escalation count business hours only', async () => {
  const { requestOf, jobs } = await stand.world();
  // The stand begins on a Saturday.
  const businessHours = { timezone: 'Europe/Berlin', days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00', holidays: ['2026-11-24'] };
  const approval = await requestOf([{ principal: newId() }], 1, { businessHours, warnBeforeMs: hour / 2, escalation: { afterMs: hour / 4, approvers: [{ role: 'admin' }] } }); // prettier-ignore
  assert.equal(approval.expiresAt.toISOString(), '2026-11-23T09:00:00.000Z', 'Monday at ten');
  const attention = (await jobs()).find(({ name }) => name === 'attend-approval');
  assert.equal(attention?.runAt.toISOString(), '2026-11-23T08:15:00.000Z');
});

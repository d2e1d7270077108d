// Delegation: somebody else decides in one's place, for a period, also through others; loops, clashes and strangers are refused.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { loopOf, maxDelegationDays, type Delegation } from '#src/approvals/delegation.ts';
import { ConflictError, ForbiddenError, InvalidStateError, NotFoundError, ValidationError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
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
const day = 24 * hour;
const revoke = ({ write }: ApprovalWorld, actor: Authority, id: string) =>
  write((uow) => stand.delegations.revokeDelegation(uow, actor, id));

test('what was asked before moves along; the vote says in whose place; afterwards it is over', async () => {
  const world = await stand.world();
  const { requestOf, member, delegate, decide, whyNot, write, told, jobs } = world;
  const [ada, bob] = [await member('ada'), await member('bob')];
  const [pending, other] = [await requestOf([{ principal: ada.principalId }]), await requestOf([{ principal: newId() }])];
  assert.match((await whyNot(bob, pending))!, /you are none of them/);
  const delegation = await delegate(ada, bob, { reason: 'holidays', endsAt: later(day) });
  assert.equal(await whyNot(bob, pending), null);
  assert.notEqual(await whyNot(bob, other), null);
  assert.equal(await whyNot(ada, pending), null, 'whoever delegates still may');
  const announce = (await jobs()).find(({ name }) => name === 'announce-delegation');
  assert.equal(announce?.payload['delegationId'], delegation.id);
  const announced = () => stand.delegations.announce(stand.db.database, { tenantId: world.tenantId, delegationId: delegation.id });
  const moved = await announced();
  assert.deepEqual(moved.map(({ id }) => id), [pending.id]); // prettier-ignore
  assert.deepEqual(told(pending), [{ type: 'delegated', delegatedBy: ada.principalId, delegateId: bob.principalId }]);
  assert.equal((await decide(bob, pending.id)).status, 'approved');
  const [vote] = await write((uow) => stand.approvals.votesOf(uow, [pending.id]));
  assert.deepEqual([vote?.principalId, vote?.onBehalfOf], [bob.principalId, ada.principalId]);
  const later1 = await requestOf([{ principal: ada.principalId }], 1, {});
  stand.at(hour - 1);
  assert.equal(await whyNot(bob, later1), null);
  await revoke(world, ada, delegation.id);
  assert.match((await whyNot(bob, later1))!, /you are none of them/);
  assert.deepEqual(await announced(), []);
});

test('a delegation holds from its beginning until just before its end', async () => {
  const { tenantId, member, delegate, request, whyNot } = await stand.world();
  const [ada, bob] = [await member('ada'), await member('bob')];
  const { id: delegationId } = await delegate(ada, bob, { startsAt: later(hour), endsAt: later(2 * hour) });
  const announced = () => stand.delegations.announce(stand.db.database, { tenantId, delegationId });
  const approval = await request({
    expiresInMs: day,
    terms: { stages: [{ name: 'x', approvers: [{ principal: ada.principalId }], quorum: 1 }] },
  });
  for (const [ms, holds] of [
    [hour - 1, false],
    [hour, true],
    [2 * hour - 1, true],
    [2 * hour, false],
  ] as const) {
    stand.at(ms);
    assert.equal((await whyNot(bob, approval)) === null, holds, String(ms));
    assert.equal((await announced()).length, holds ? 1 : 0, String(ms));
  }
});

test('what is announced too early, by the clock of the process, is announced when it begins', async () => {
  const { tenantId, member, delegate, jobs } = await stand.world();
  const { id: delegationId } = await delegate(await member('ada'), await member('bob'), { startsAt: later(hour), endsAt: later(2 * hour) });
  const due = async () => (await jobs()).filter(({ name }) => name === 'announce-delegation').map(({ runAt }) => runAt);
  assert.deepEqual(await due(), [later(hour)]);
  stand.at(hour - 1);
  await stand.delegations.announce(stand.db.database, { tenantId, delegationId });
  assert.deepEqual(await due(), [later(hour), later(hour)]);
});

test('delegates of delegates decide, too; teams and roles are lent like names; rights are not', async () => {
  const { member, delegate, requestOf, decide, whyNot, on, teamId, projectId } = await stand.world();
  const ada = await member('ada', [on('admin')], { teams: [teamId] });
  const [bob, cleo] = [await member('bob'), await member('cleo')];
  await delegate(ada, bob);
  await delegate(bob, cleo);
  for (const approver of [{ role: 'admin' }, { team: teamId }, { principal: ada.principalId }] as const) {
    assert.equal((await decide(cleo, (await requestOf([approver])).id)).status, 'approved');
  }
  const narrow = await member('narrow', [on('reviewer', 'project', projectId)]);
  await delegate(cleo, narrow);
  assert.equal(await whyNot(narrow, await requestOf([{ principal: ada.principalId }])), null);
  // A reviewer of another place: the delegate's own permission is needed where it runs.
  const { otherProjectId } = await stand.world();
  const elsewhere = { ...narrow, grants: [on('viewer'), on('reviewer', 'project', otherProjectId)] };
  assert.match((await whyNot(elsewhere, await requestOf([{ principal: ada.principalId }])))!, /approval\.decide/);
});

test('who delegates and has lost the right, or was disabled, lends nothing', async () => {
  const { member, delegate, requestOf, whyNot, write } = await stand.world();
  const [ada, bob] = [await member('ada'), await member('bob')];
  await delegate(ada, bob);
  const approval = await requestOf([{ principal: ada.principalId }]);
  await write((uow) => uow.rows('update principals set disabled_at = now() where id = $1', [ada.principalId]));
  assert.match((await whyNot(bob, approval))!, /nor is anybody who delegated to you/);
  await write((uow) => uow.rows('update principals set disabled_at = null where id = $1', [ada.principalId]));
  assert.equal(await whyNot(bob, approval), null);
  await write((uow) => uow.rows('delete from role_grants where principal_id = $1', [ada.principalId]));
  assert.notEqual(await whyNot(bob, approval), null);
});

test('a delegate has one vote in a stage, and each place is taken once', async () => {
  const { member, delegate, requestOf, decide } = await stand.world();
  const [ada, bob] = [await member('ada'), await member('bob')];
  await delegate(ada, bob);
  const both = [{ principal: ada.principalId }, { principal: bob.principalId }];
  const approval = await requestOf(both, 2);
  assert.equal((await decide(bob, approval.id)).status, 'pending', 'in their own place first');
  await assert.rejects(decide(bob, approval.id), refusedAs(ConflictError, /you approved it already/));
  assert.equal((await decide(ada, approval.id)).status, 'approved');
  const other = await requestOf([{ principal: ada.principalId }, { principal: newId() }], 2);
  await decide(bob, other.id);
  await assert.rejects(decide(ada, other.id), refusedAs(ConflictError, /bob.* approved it in your place/));
});

test('loops are refused, also when two halves are made at the same moment', async () => {
  const { member, delegate } = await stand.world();
  const [ada, bob, cleo] = [await member('ada'), await member('bob'), await member('cleo')];
  await delegate(ada, bob);
  await delegate(bob, cleo);
  await assert.rejects(delegate(cleo, ada), refusedAs(ConflictError, /this would be a loop \(cleo.* → ada.* → bob.* → cleo/));
  await delegate(cleo, ada, { startsAt: later(2 * day), endsAt: later(3 * day) });
  const [dan, eli] = [await member('dan'), await member('eli')];
  const results = await Promise.allSettled([delegate(dan, eli), delegate(eli, dan)]);
  assert.deepEqual(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
});

test('a loop is found exactly when at some moment a chain leads back', () => {
  const people = ['a', 'b', 'c', 'd'];
  const period = fc.tuple(fc.nat(8), fc.integer({ min: 1, max: 4 }));
  const one = fc.record({ from: fc.constantFrom(...people), to: fc.constantFrom(...people), period });
  const delegationOf = ({ from, to, period: [begin, length] }: { from: string; to: string; period: [number, number] }): Delegation => ({
    ...{ id: '', fromPrincipalId: from, toPrincipalId: to, startsAt: new Date(begin), endsAt: new Date(begin + length) },
  });
  const isLoopAt = (list: readonly Delegation[], moment: number): boolean => {
    const now = list.filter(({ startsAt, endsAt }) => startsAt.getTime() <= moment && moment < endsAt.getTime());
    let reach = now.map(({ fromPrincipalId, toPrincipalId }) => [fromPrincipalId, toPrincipalId] as const);
    for (const _ of people) {
      const longer = reach.flatMap(([from, via]) =>
        now.filter((next) => next.fromPrincipalId === via).map((next) => [from, next.toPrincipalId] as const),
      );
      reach = reach.concat(longer);
    }
    return reach.some(([from, to]) => from === to);
  };
  fc.assert(
    fc.property(fc.array(one, { maxLength: 6 }), one, (candidates, last) => {
      const existing: Delegation[] = [];
      const moments = Array.from({ length: 13 }, (_, index) => index);
      for (const candidate of [...candidates, last].map(delegationOf)) {
        if (candidate.fromPrincipalId === candidate.toPrincipalId) continue;
        const isLoop = moments.some((moment) => isLoopAt([...existing, candidate], moment));
        assert.equal(loopOf(existing, candidate) !== null, isLoop);
        if (!isLoop) existing.push(candidate);
      }
    }),
    { numRuns: 500 },
  );
});

test('bad delegations are refused with every problem; the longest passes', async () => {
  const world = await stand.world();
  const { member, delegate, on, requester } = world;
  const [ada, bob, viewer] = [await member('ada'), await member('bob'), await member('viewer', [on('viewer')])];
  const worker = await member('worker', undefined, { kind: 'worker' });
  const foreign = await (await stand.world()).member('foreign');
  const bad = (to: Authority, message: RegExp, input = {}) => assert.rejects(delegate(ada, to, input), refusedAs(ValidationError, message));
  for (const to of [foreign, { ...bob, principalId: newId() }, { ...bob, principalId: 'nonsense' }]) {
    await assert.rejects(delegate(ada, to), refusedAs(NotFoundError, /toPrincipalId: there is no principal/));
  }
  await bad(ada, /toPrincipalId: is the one who delegates/);
  await bad(viewer, /toPrincipalId: "viewer.*" holds the permission approval\.decide nowhere/);
  await bad(worker, /is a worker, which decides no approvals/);
  await bad(bob, /endsAt: must be after the beginning/, { endsAt: start });
  await bad(bob, /endsAt: a delegation begins within 365 days/, { endsAt: later(maxDelegationDays * day + 1) });
  await bad(viewer, /endsAt: .*; reason: must have at most 1000 characters, has 1001; toPrincipalId: /, { endsAt: start, reason: 'x'.repeat(1_001) }); // prettier-ignore
  await assert.rejects(delegate(requester, bob), refusedAs(ValidationError, /has nothing to delegate/), 'no stored role');
  const longest = await delegate(ada, bob, { endsAt: later(maxDelegationDays * day), reason: 'x'.repeat(1_000) });
  await assert.rejects(delegate(ada, bob), refusedAs(ConflictError, /there is a delegation in this period already/));
  assert.equal((await revoke(world, ada, longest.id)).revokedAt?.getTime(), start.getTime());
  await assert.rejects(revoke(world, ada, longest.id), refusedAs(InvalidStateError, /was revoked at/));
});

test('somebody else’s place is given away, and taken back, only by who manages principals', async () => {
  const world = await stand.world();
  const { member, delegate, on, write } = world;
  const [ada, bob, cleo] = [await member('ada'), await member('bob'), await member('cleo')];
  const admin = await member('admin', [on('admin')]);
  await assert.rejects(delegate(bob, cleo, { fromPrincipalId: ada.principalId }), refusedAs(ForbiddenError, /principal\.manage/));
  const made = await delegate(admin, cleo, { fromPrincipalId: ada.principalId });
  assert.deepEqual([made.fromPrincipalId, made.createdBy], [ada.principalId, admin.principalId]);
  await assert.rejects(revoke(world, bob, made.id), refusedAs(NotFoundError, /there is no delegation/), 'strangers do not see it');
  const reader = await member('reader', [on('admin')]);
  const list = (actor: Authority, filter = {}) => write((uow) => stand.delegations.listDelegations(uow, actor, filter, {})).then(({ rows }) => rows.length); // prettier-ignore
  assert.deepEqual([await list(ada), await list(cleo), await list(bob), await list(reader)], [1, 1, 0, 1]);
  assert.deepEqual([await list(reader, { principalId: bob.principalId }), await list(reader, { principalId: cleo.principalId })], [0, 1]);
  assert.deepEqual([await list(reader, { isOpen: true }), await list(reader, { isOpen: false })], [1, 0]);
  const foreign = await stand.world();
  const stranger = await foreign.member('x', [foreign.on('admin')]);
  assert.deepEqual(await foreign.write((uow) => stand.delegations.delegationsByIds(uow, stranger, [made.id])), []);
  await assert.rejects(revoke(foreign, stranger, made.id), NotFoundError);
  await revoke(world, cleo, made.id);
  assert.deepEqual([await list(reader, { isOpen: true }), await list(reader, { isOpen: false })], [0, 1]);
});

// Whom a request asks now is kept in rows, by which the inbox is found: exactly, whatever changes the request, and for whoever is asked
// in whichever way.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { saveEdit } from '#src/approvals/approval-edit.ts';
import type { ApprovalFilter, ApprovalRow } from '#src/approvals/approval-reads.ts';
import type { ApprovalTerms } from '#src/approvals/approval-terms.ts';
import { newId } from '#src/platform/ids.ts';
import { cursorOf } from '#src/platform/page.ts';
import type { Authority } from '#src/authority/permission.ts';
import { approvalStand, hour, type ApprovalStand, type ApprovalWorld } from './harness/approvals.ts';

let stand: ApprovalStand;
before(async () => {
  stand = await approvalStand();
});
after(() => stand.close());

const inbox = async ({ write }: ApprovalWorld, actor: Authority, filter: ApprovalFilter = {}, page: object = {}) => {
  const { rows } = await write((uow) => stand.approvals.listApprovals(uow, actor, { ...filter, canDecide: true }, { first: 100, ...page }));
  return rows.map(({ id }) => id);
};

test('stages, escalation, edits, extensions and every end keep the rows of who is asked, and change nobody else’s', async () => {
  const world = await stand.world();
  const { request, requestOf, member, on, decide, write, approvers, teamId, subject, tenantId } = world;
  const [operator, teammate, boss, named] = [
    await member('operator', [on('operator')]),
    await member('teammate', [on('reviewer')], { teams: [teamId] }),
    await member('boss', [on('admin')]),
    await member('named'),
  ];
  const everybody = [operator, teammate, boss, named];
  const askedOf = async ({ id }: ApprovalRow) => {
    const found: string[] = [];
    for (const person of everybody) if ((await inbox(world, person)).includes(id)) found.push(person.principalName);
    return found;
  };
  const rows = async (approval: ApprovalRow) => (await approvers(), await askedOf(approval));
  const stage = (name: string, ...list: ApprovalTerms['stages'][number]['approvers']) => ({ name, approvers: list, quorum: 1 });
  const terms: ApprovalTerms = {
    stages: [stage('one', { role: 'operator' }, { team: teamId }), stage('two', { principal: named.principalId }), stage('three')],
    escalation: { afterMs: hour / 2, approvers: [{ role: 'admin' }, { role: 'operator' }] },
  };

  const other = await requestOf([{ principal: named.principalId }]);
  const approval = await request({ terms, expiresInMs: 10 * hour });
  assert.deepEqual(await rows(approval), ['operator', 'teammate']);
  assert.equal((await decide(teammate, approval.id)).stage, 1);
  assert.deepEqual(await rows(approval), ['named']);
  stand.at(hour / 2);
  assert.ok((await write((uow) => stand.approvals.attend(uow, approval.id)))!.escalatedAt);
  assert.deepEqual(await rows(approval), ['operator', 'boss', 'named']);
  await write((uow) =>
    stand.approvals.extend(uow, named, { approvalId: approval.id, expiresAt: new Date(stand.now().getTime() + 20 * hour) }),
  );
  assert.deepEqual(await rows(approval), ['operator', 'boss', 'named']);

  const edit = (asked: ApprovalTerms) =>
    write(async (uow) => {
      const edited = { subject: subject({ arguments: { path: newId() } }), editedBy: newId(), text: 'better', decisionId: newId() };
      return saveEdit(uow, { approval, ...edited, terms: { reason: 'edited', terms: asked }, at: stand.now() });
    });
  const { digest: expectedDigest } = await edit({ stages: [stage('again', { role: 'admin' }), ...terms.stages.slice(2)] });
  assert.deepEqual(await rows(approval), ['boss']);
  assert.equal((await decide(boss, approval.id, { expectedDigest })).stage, 1);
  assert.deepEqual(await rows(approval), ['operator', 'teammate', 'boss', 'named'], 'where nobody is named, anybody');
  assert.equal((await decide(named, approval.id, { expectedDigest })).status, 'approved');
  assert.deepEqual(await rows(approval), []);
  await write((uow) => stand.approvals.consume(uow, approval.id, approval.digest));

  const ends: ((ended: ApprovalRow) => Promise<unknown>)[] = [
    ({ id }) => decide(named, id, { decision: 'reject' }),
    ({ id }) => write((uow) => stand.approvals.withdraw(uow, id)),
    ({ id }) => write((uow) => uow.rows('delete from approvals where id = $1', [id])),
    () => write((uow) => stand.approvals.cancelForExecution(uow, executionId)),
    ({ id }) => (stand.at(100 * hour), write((uow) => stand.approvals.expire(uow, id))),
  ];
  const executionId = newId();
  assert.equal(await approvers(), 1);
  for (const end of ends) {
    const ended = await request({
      terms: { stages: [stage('one', { principal: named.principalId }, { role: 'admin' })] },
      subject: subject({ executionId }),
    });
    assert.equal(await approvers(), 3);
    assert.deepEqual(await rows(ended), ['boss', 'named']);
    await end(ended);
    assert.equal(await approvers(), 1);
  }
  const left = await write((uow) => uow.rows<{ id: string }>('select approval_id as id from approval_approvers where tenant_id = $1', [tenantId])); // prettier-ignore
  assert.deepEqual(left, [{ id: other.id }]);
});

test('a request is found once by whoever is asked in several ways, by delegates of delegates, and only where they may decide', async () => {
  const world = await stand.world();
  const { request, member, on, delegate, teamId, projectId, otherProjectId, environmentId, write, tenantId } = world;
  const elsewhere = { projectId: otherProjectId, environmentId: newId(), teamId: null };
  await write((uow) =>
    uow.rows(`insert into environments (id, tenant_id, project_id, name, kind, created_at) values ($1, $2, $3, 'two', 'staging', now())`, [
      ...[elsewhere.environmentId, tenantId, otherProjectId],
    ]),
  );
  const ada = await member('ada', [on('reviewer', 'project', projectId), on('operator', 'project', otherProjectId)], { teams: [teamId] });
  const [bob, cleo] = [await member('bob', [on('reviewer', 'environment', environmentId)]), await member('cleo')];
  const dan = await member('dan', [on('reviewer', 'team', teamId)]);
  await delegate(ada, bob);
  await delegate(bob, cleo);
  const ask = async (more: object, ...approvers: ApprovalTerms['stages'][number]['approvers']) =>
    (await request({ terms: { stages: [{ name: 's', approvers, quorum: 1 }] }, risk: 'low', ...more })).id;
  const thrice = await ask({}, { role: 'reviewer' }, { team: teamId }, { principal: ada.principalId });
  const there = await ask(elsewhere, { role: 'reviewer' });
  const risky = await ask({ ...elsewhere, risk: 'high' }, { role: 'operator' });
  const teams = await ask({}, { team: teamId });
  const hers = await ask(elsewhere, { principal: ada.principalId });
  const open = await ask({});
  await world.approvers();

  assert.deepEqual(await inbox(world, ada), [open, hers, teams, risky, thrice]);
  assert.deepEqual(await inbox(world, ada, {}, { after: cursorOf('approvals', teams), first: 1 }), [risky]);
  assert.deepEqual(await inbox(world, ada, { risk: ['high'] }), [risky]);
  assert.deepEqual(await inbox(world, ada, { environmentId, risk: ['low', 'high'] }), [open, teams, thrice]);
  assert.deepEqual(await inbox(world, ada, { status: ['pending', 'approved'] }), [open, hers, teams, risky, thrice]);
  assert.deepEqual(await inbox(world, ada, { status: ['approved'] }), []);
  assert.deepEqual(await inbox(world, ada, { agentId: newId() }), []);
  assert.deepEqual(await inbox(world, bob), [open, teams, thrice], 'in her place, where he may decide himself');
  assert.deepEqual(await inbox(world, cleo), [open, hers, teams, risky, there, thrice]);
  assert.deepEqual(await inbox(world, dan), [open, thrice], 'a role on a team');
  assert.deepEqual(await inbox(world, dan, { environmentId }), [open, thrice]);
  assert.deepEqual(await inbox(world, dan, { environmentId: elsewhere.environmentId }), []);
  assert.deepEqual(await inbox(world, await member('viewer', [on('viewer')])), []);
  assert.deepEqual(await inbox(world, await member('worker', [on('admin')], { kind: 'worker' })), []);

  const foreign = await stand.world();
  assert.deepEqual(await inbox(foreign, foreign.reviewer), []);
  assert.deepEqual(await foreign.write((uow) => uow.rows('select from approval_approvers')), []);
});

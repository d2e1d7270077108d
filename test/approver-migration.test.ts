// Approvals that an older release left pending: whom they ask is known after the upgrade, for every tenant.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '#src/platform/ids.ts';
import { olderRelease } from './harness/older-release.ts';

test('an upgrade finds whom the pending approvals of every tenant ask, and going back leaves approvals as they are', async () => {
  const { orm, owner, close } = await olderRelease('20261122041913-team-newest');
  try {
    const [role, person, team] = [{ role: 'admin' }, { principal: newId() }, { team: newId() }];
    const terms = {
      stages: [{ approvers: [person] }, { approvers: [role, team] }, { approvers: [] }],
      escalation: { approvers: [person] },
    };
    const add = (id: string, tenantId: string, status: string, stage: number, escalatedAt: Date | null) =>
      owner.query(
        `insert into approvals (id, tenant_id, project_id, environment_id, agent_id, source, status, title, reason, risk, subject, digest, terms, stage,
           escalated_at, requested_by, created_at, expires_at)
         values ($1, $2, $1, $2, $1, 'policy', $3, '', '', 'low', '{}', 'd', $4, $5, $6, $1, now(), now())`,
        [id, tenantId, status, JSON.stringify(terms), stage, escalatedAt],
      );
    const expected: string[] = [];
    const expect = (id: string, tenantId: string, ...asked: string[]) => expected.push(...asked.map((each) => `${tenantId} ${id} ${each}`));
    const tenants = [newId(), newId()];
    for (const tenantId of tenants) {
      await owner.query(`select set_config('app.tenant_id', $1, false)`, [tenantId]);
      const [first, second, escalated, open, done] = [newId(), newId(), newId(), newId(), newId()];
      await add(first, tenantId, 'pending', 0, null);
      await add(second, tenantId, 'pending', 1, null);
      await add(escalated, tenantId, 'pending', 1, new Date());
      await add(open, tenantId, 'pending', 2, new Date());
      await add(done, tenantId, 'approved', 0, null);
      expect(first, tenantId, `principal:${person.principal}`);
      expect(second, tenantId, 'role:admin', `team:${team.team}`);
      expect(escalated, tenantId, 'role:admin', `team:${team.team}`, `principal:${person.principal}`);
      expect(open, tenantId, 'anybody');
    }
    await orm.migrator.up();
    const found: string[] = [];
    for (const tenantId of tenants) {
      await owner.query(`select set_config('app.tenant_id', $1, false)`, [tenantId]);
      const { rows } = await owner.query<{ text: string }>(
        `select concat_ws(' ', tenant_id, approval_id, approver) as text from approval_approvers where environment_id = $1`,
        [tenantId],
      );
      found.push(...rows.map(({ text }) => text));
    }
    assert.deepEqual(found.toSorted(), expected.toSorted());
    await orm.migrator.down({ to: '20261122041913-team-newest' });
    const { rowCount } = await owner.query(`update approvals set status = 'cancelled' where status = 'pending'`);
    assert.equal(rowCount, 4);
  } finally {
    await close();
  }
});

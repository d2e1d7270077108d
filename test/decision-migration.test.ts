// Decisions that an older release recorded: they move into partitions with everything they hold, and back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '#src/platform/ids.ts';
import { toolCall } from './harness/governance.ts';
import { olderRelease } from './harness/older-release.ts';

test('an upgrade moves recorded decisions into their weeks, for every tenant, and going back loses none', async () => {
  const { orm, owner, close } = await olderRelease('20261121091620-governance');
  try {
    const recorded = new Map<string, string>();
    for (const tenantId of [newId(), newId()]) {
      await owner.query(`select set_config('app.tenant_id', $1, false)`, [tenantId]);
      for (const moment of ['2026-03-02T10:00:00Z', '2026-11-21T10:00:00Z']) {
        const [id, principalId] = [newId(), newId()];
        const input = toolCall({ tenantId, principalId });
        await owner.query(
          `insert into decisions (id, tenant_id, project_id, environment_id, agent_id, action, effect, reasons, findings, input, input_digest,
             duration_micros, created_at)
           values ($1, $2, $1, $1, $1, 'tool.call', 'allow', '{because}', '[]', $3, 'd', 5, $4)`,
          [id, tenantId, JSON.stringify(input), moment],
        );
        recorded.set(id, principalId);
      }
    }
    const all = async () => {
      const { rows } = await owner.query<{ id: string; who: string | null; tool: string | null }>(
        `select id, principal_id as who, tool from decisions where reasons = '{because}' and input->'tool'->>'name' = 'files.write_file'`,
      );
      return rows;
    };
    await orm.migrator.up({ to: '20261121092627-decisions' });
    await owner.query('alter table decisions no force row level security');
    const after = await all();
    assert.deepEqual(new Map(after.map(({ id, who }) => [id, who])), recorded);
    assert.deepEqual(new Set(after.map(({ tool }) => tool)), new Set(['files.write_file']));
    const waiting = await owner.query('select from partitions.decisions_default');
    assert.equal(waiting.rowCount, 0);
    await owner.query('alter table decisions force row level security');

    await orm.migrator.down({ to: '20261121091620-governance' });
    await owner.query('alter table decisions no force row level security');
    assert.equal((await all()).length, 4);
  } finally {
    await close();
  }
});

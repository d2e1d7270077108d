// A simulation over real runner processes: one dies in the middle of it, another does all of it.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import pg from 'pg';
import { newIdAt } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { testEngine, type Engine } from './harness/engine.ts';
import { eventually } from './harness/eventually.ts';
import { toolCall } from './harness/governance.ts';
import { createFleet, type Fleet } from './harness/runner-fleet.ts';

let engine: Engine;
let admin: Authority;
let fleet: Fleet;
before(async () => {
  engine = await testEngine();
  admin = await engine.authority(['admin']);
  fleet = createFleet(engine, []);
});
afterEach(() => fleet.close());
after(() => engine.close());

const total = 1_200;

/** Recorded calls of the last hour, oldest first. */
async function decisions(): Promise<string[]> {
  const { db, tenantId } = engine;
  const agentId = await engine.agent([{ id: 'one', transform: '1' }]);
  const begin = Date.now() - 3_600_000;
  const ids = Array.from({ length: total }, (_, index) => newIdAt(new Date(begin + index * 1_000)));
  await db.database.write(tenantId, (uow) =>
    uow.rows(
      `insert into decisions (id, tenant_id, project_id, environment_id, agent_id, action, effect, reasons, findings, input, redacted,
         input_digest, duration_micros, created_at)
       select asked.id, $1, p.id, e.id, $2, 'tool.call', 'allow', '{}', '[]', $4::jsonb, '{}', 'd', 1, $5::timestamptz + place * interval '1 second'
       from unnest($3::uuid[]) with ordinality as asked (id, place), projects p join environments e on e.project_id = p.id
       where p.tenant_id = $1 and e.id = $6`,
      [
        ...[tenantId, agentId, ids, JSON.stringify(toolCall({ tenantId, agentId, principalId: admin.principalId })), new Date(begin)],
        engine.environmentId,
      ],
    ),
  );
  return ids;
}

test(
  'a process that dies in the middle loses nothing: the next one does it anew, and its numbers are whole',
  { timeout: 60_000 },
  async () => {
    const { db, tenantId, services } = engine;
    const ids = await decisions();
    const rules = [{ effect: 'deny', tools: ['files.*'] }];
    const candidate = { create: [{ name: 'no-files', kind: 'tool_access' as const, scope: {}, rules }] };
    const { id } = await db.database.write(tenantId, (uow) => services.simulations.simulatePolicies(uow, admin, { candidate }));
    const look = () => db.database.read(tenantId, (uow) => services.simulations.getSimulation(uow, admin, id));
    const until = (is: (row: Awaited<ReturnType<typeof look>>) => boolean) =>
      eventually(async () => {
        const row = await look();
        return is(row) && row;
      });
    // Whoever wants to save its second batch waits for this.
    const hand = new pg.Client({ connectionString: db.ownerUrl });
    await hand.connect();
    await hand.query('begin');
    await hand.query(`select set_config('app.tenant_id', $1, true)`, [tenantId]);
    await hand.query(
      `insert into simulation_changes (simulation_id, decision_id, tenant_id, agent_id, slot, before, after, approvers, decided_at)
     values ($1, $2, $3, $3, '', 'allow', 'deny', '{}', now())`,
      [id, ids[700], tenantId],
    );
    const first = await fleet.start();
    assert.equal((await until(({ processed }) => processed > 0)).processed, 500);
    await first.kill();
    await hand.query('rollback');
    await hand.end();
    assert.equal((await look()).status, 'running');
    await fleet.start();
    const { status, processed, changed, result } = await until((row) => row.status !== 'running');
    assert.deepEqual([status, processed, changed, result?.verdicts], ['succeeded', total, total, [{ before: 'allow', after: 'deny', count: total }]]); // prettier-ignore
    const [row] = await db.database.read(tenantId, (uow) =>
      uow.rows<{ run: number; changes: number }>(
        `select run, (select count(*)::int from simulation_changes where tenant_id = $1 and simulation_id = $2) as changes
       from policy_simulations where tenant_id = $1 and id = $2`,
        [tenantId, id],
      ),
    );
    assert.deepEqual(row, { run: 2, changes: total });
  },
);

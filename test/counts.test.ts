// Counts stop at a bound and say so: exactly at the bound everything was counted, with one more it was not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { createApprovalMetrics, mostRequests } from '#src/approvals/approval-metrics.ts';
import { newIdAt } from '#src/platform/ids.ts';
import { mostCounted } from '#src/queues/queue.ts';
import { createQueueService } from '#src/queues/queue-service.ts';
import { recording, touchedBy } from '../bench/reads/touched.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { createWorld } from './harness/governance.ts';

let db: TestDatabase;
before(async () => void (db = await testDatabase()));
after(() => db.close());

const now = new Date('2026-11-21T12:00:00.000Z');
const clock = { now: () => now };

/** A tenant, and somebody who sees all of it. */
async function world() {
  const { tenantId, projectId, environmentId, agentId, person, on } = await createWorld(db.database);
  const viewer = await person('viewer', on('viewer'));
  const sql = (text: string, ...params: unknown[]) => db.database.write(tenantId, (uow) => uow.rows(text, params));
  /** Rows with these columns (SQL), each a second older than the one before. */
  const add = async (table: string, count: number, columns: Readonly<Record<string, string>>, ageSeconds = 0) => {
    const moments = Array.from({ length: count }, (_, n) => new Date(now.getTime() - (ageSeconds + n + 1) * 1_000));
    const place = { tenant_id: tenantId, project_id: projectId, environment_id: environmentId, agent_id: agentId, requested_by: agentId };
    const all = { ...Object.fromEntries(Object.entries(place).map(([name, id]) => [name, `'${id}'`])), created_at: 'moment', ...columns };
    await sql(
      `insert into ${table} (id, ${Object.keys(all).join()}) select id, ${Object.values(all).join()}
       from unnest($1::uuid[], $2::timestamptz[]) with ordinality as each (id, moment, n)`,
      moments.map((moment) => newIdAt(moment)),
      moments,
    );
  };
  return { tenantId, agentId, sql, viewer, add };
}

test(`of what waits, what was admitted and what runs ${mostCounted} are counted; that there are more is said when there is one more`, async () => {
  assert.equal(mostCounted, mostRequests); // counting ten times as many took longer than any list
  const { tenantId, sql, viewer, add } = await world();
  const status = () => db.database.read(tenantId, (uow) => createQueueService({ clock }).queueStatus(uow, viewer));
  const executions = (count: number, state: string, column: string) =>
    add('executions', count, {
      ...{ agent_version_id: `'${tenantId}'`, status: `'${state}'`, inputs: `'{}'`, labels: `'{}'`, request_digest: `'d'` },
      ...{ requested_roles: `'{}'`, priority: '1 + n % 2', [column]: 'moment' },
    });
  // Two statuses wait together.
  await executions(mostCounted - 400, 'queued', 'backlog_at');
  await executions(400, 'scheduled', 'backlog_at');
  await executions(mostCounted, 'running', 'started_at');
  const { backlog, running, isCapped } = await status();
  const each = mostCounted / 2;
  assert.deepEqual([...backlog, running, isCapped], [{ priority: 1, count: each }, { priority: 2, count: each }, mostCounted, false]);

  await executions(1, 'running', 'started_at');
  const more = await status();
  assert.deepEqual([more.running, more.isCapped], [mostCounted, true]);
  await sql(`delete from executions where status = 'running'`);
  assert.equal((await status()).isCapped, false);

  await executions(1, 'scheduled', 'backlog_at');
  const waiting = await status();
  assert.deepEqual([waiting.backlog.reduce((sum, { count }) => sum + count, 0), waiting.isCapped], [mostCounted, true]);

  await sql(`update executions set admitted_at = backlog_at, backlog_at = null where status = 'queued'`);
  await executions(400, 'queued', 'admitted_at');
  const admitted = await status();
  assert.deepEqual([admitted.admitted, admitted.isCapped], [mostCounted, false]);
  await executions(1, 'queued', 'admitted_at');
  const oneMore = await status();
  assert.deepEqual([oneMore.admitted, oneMore.isCapped], [mostCounted, true]);
});

test(`figures are of all approvals up to ${mostRequests} of a kind; with one more of the newest so many, which the answer says`, async () => {
  const { tenantId, sql, viewer, add } = await world();
  const kinds = ['pending', 'approved', 'expired', 'cancelled'] as const;
  const approvals = (count: number, status: (typeof kinds)[number], ageSeconds: number) =>
    add(
      'approvals',
      count,
      {
        ...{ source: `'step'`, status: `'${status}'`, title: `'t'`, reason: `'r'`, risk: `'low'`, subject: `'{}'`, digest: `'d'` },
        expires_at: `moment + interval '${status === 'expired' ? '1 ms' : '9 days'}'`,
        decided_at: status === 'approved' ? `moment + interval '1 ms'` : 'null',
      },
      ageSeconds,
    );
  const figures = async () => {
    const metrics = createApprovalMetrics({ clock });
    const { pending, decided, isCapped } = await db.database.read(tenantId, (uow) => metrics.approvalMetrics(uow, viewer, {}));
    const { approved, expired, cancelled } = decided;
    return { counts: [pending.waits.count, approved, expired, cancelled], longestMs: pending.waits.longestMs, isCapped };
  };
  for (const kind of kinds) await approvals(mostRequests, kind, 0);
  const all = { counts: kinds.map(() => mostRequests), longestMs: mostRequests * 1_000 };
  assert.deepEqual(await figures(), { ...all, isCapped: false });

  for (const kind of kinds) {
    await approvals(1, kind, 100_000);
    assert.deepEqual(await figures(), { ...all, isCapped: true }, kind); // without the oldest
    await sql(`delete from approvals where created_at < $1`, new Date(now.getTime() - 90_000_000));
  }
});

test('figures look at nothing that ended before their period, however much that is', async () => {
  const { tenantId, viewer, add, agentId } = await world();
  const ways: readonly Readonly<Record<string, string>>[] = [
    { status: `'approved'`, decided_at: `moment + interval '1 ms'` },
    { status: `'expired'`, expires_at: `moment + interval '1 ms'` },
    { status: `'cancelled'` },
  ];
  const approval = { source: `'step'`, title: `'t'`, reason: `'r'`, risk: `'low'`, subject: `'{}'`, digest: `'d'`, expires_at: 'moment' };
  for (const way of ways) {
    await add('approvals', 10, { ...approval, ...way });
    await add('approvals', 3_000, { ...approval, ...way }, 40 * 86_400);
  }
  const owner = new pg.Client({ connectionString: db.ownerUrl });
  await owner.connect();
  await owner.query('analyze approvals');
  await owner.end();
  for (const filter of [{}, { agentId }]) {
    const { database, take } = recording(db.database);
    const { decided } = await database.read(tenantId, (uow) => createApprovalMetrics({ clock }).approvalMetrics(uow, viewer, filter));
    assert.deepEqual([decided.approved, decided.expired, decided.cancelled], [10, 10, 10]);
    const { tables } = await touchedBy(db.database, tenantId, take());
    const looked = tables.find(([table]) => table === 'approvals')![1];
    assert.ok(looked > 30 && looked < 300, `${looked} rows`);
  }
});

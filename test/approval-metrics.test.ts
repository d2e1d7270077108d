// Figures of approvals against a history written by hand, where every figure can be counted.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createApprovalMetrics, maxMetricDays, type MetricsFilter } from '#src/approvals/approval-metrics.ts';
import { ValidationError } from '#src/platform/errors.ts';
import { newId, newIdAt } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { createWorld } from './harness/governance.ts';

let db: TestDatabase;
before(async () => void (db = await testDatabase()));
after(() => db.close());

const now = new Date('2026-11-21T12:00:00.000Z');
const minute = 60_000;
const ago = (minutes: number) => new Date(now.getTime() - minutes * minute);
const metrics = createApprovalMetrics({ clock: { now: () => now } });

async function history() {
  const world = await createWorld(db.database);
  const write = <T>(work: Parameters<typeof db.database.write<T>>[1]) => db.database.write(world.tenantId, work);
  const [rita, rex] = [await world.person('rita', world.on('reviewer')), await world.person('rex', world.on('reviewer'))];
  const [policy, other, otherEnvironmentId] = [newId(), newId(), newId()];
  await write((uow) =>
    uow.rows(
      `insert into environments (id, tenant_id, project_id, name, kind, created_at) values ($3, $1, $2, 'other', 'staging', now())`,
      [...[world.tenantId, world.otherProjectId, otherEnvironmentId]],
    ),
  );
  async function approval(
    change: Record<string, unknown>,
    votes: readonly { by: Authority; at: Date; stage?: number; decision?: string }[] = [],
  ) {
    const { policies = [], stages = [], ...more } = change as { policies?: string[]; stages?: unknown[] };
    const row: Record<string, unknown> = {
      ...{
        id: newIdAt((change['created_at'] as Date | undefined) ?? now),
        tenant_id: world.tenantId,
        project_id: world.projectId,
        environment_id: world.environmentId,
        agent_id: world.agentId,
      },
      ...{ source: 'policy', status: 'pending', title: 't', reason: 'r', risk: 'high', digest: 'd', requested_by: newId() },
      ...{
        subject: JSON.stringify({ policies }),
        terms: JSON.stringify({ stages }),
        expires_at: ago(-10 * 1_440),
        created_at: now,
        ...more,
      },
    };
    const names = Object.keys(row);
    await write((uow) =>
      uow.rows(`insert into approvals (${names.join()}) values (${names.map((_, index) => `$${index + 1}`).join()})`, Object.values(row)),
    );
    for (const { by, at, stage = 0, decision = 'approve' } of votes) {
      await write((uow) =>
        uow.rows(
          `insert into approval_votes (approval_id, stage, principal_id, tenant_id, decision, digest, voted_at) values ($1, $2, $3, $4, $5, 'd', $6)`,
          [row['id'], stage, by.principalId, world.tenantId, decision, at],
        ),
      );
    }
  }
  const figures = (filter: MetricsFilter = {}, as: Authority = rita) => write((uow) => metrics.approvalMetrics(uow, as, filter));
  return { ...world, otherEnvironmentId, write, rita, rex, policy, other, approval, figures };
}

test('what waits, what was decided and what expired are counted with their waits', async () => {
  const { approval, figures, rita, rex, policy, other } = await history();
  await approval({ created_at: ago(10), policies: [`${policy}@1`] });
  await approval({ created_at: ago(30), policies: [`${policy}@2`, `${other}@1`], risk: 'critical', expires_at: ago(-60) });
  await approval({ created_at: ago(100), status: 'approved', decided_at: ago(80), policies: [`${policy}@1`] }, [{ by: rita, at: ago(80) }]);
  await approval({ created_at: ago(100), status: 'rejected', decided_at: ago(60), source: 'step' }, [{ by: rex, at: ago(60), decision: 'reject' }]); // prettier-ignore
  await approval({ created_at: ago(500), status: 'expired', expires_at: ago(400), policies: [`${other}@1`] });
  await approval({ created_at: ago(500), expires_at: ago(1), policies: [`${other}@1`] });
  await approval({ created_at: ago(90), status: 'cancelled' });
  await approval({ created_at: ago(50 * 1_440), status: 'approved', decided_at: ago(40 * 1_440) }, [{ by: rita, at: ago(40 * 1_440) }]);
  const { pending, decided, byApprover, byPolicy, since, until } = await figures();
  assert.deepEqual([since, until], [ago(30 * 1_440), now]);
  assert.deepEqual(pending.waits, { count: 2, medianMs: 20 * minute, p90Ms: 28 * minute, longestMs: 30 * minute });
  assert.deepEqual([pending.expiringSoon, pending.byRisk.toSorted((a, b) => (a.risk < b.risk ? -1 : 1))], [1, [{ risk: 'critical', count: 1 }, { risk: 'high', count: 1 }]]); // prettier-ignore
  const { waits, ...counts } = decided;
  assert.deepEqual(counts, { approved: 1, rejected: 1, expired: 2, cancelled: 1 });
  assert.deepEqual([waits.count, waits.medianMs, waits.longestMs], [2, 30 * minute, 40 * minute]);
  const approver = (who: Authority) => byApprover.find(({ principalId }) => principalId === who.principalId)!;
  assert.deepEqual([approver(rita).approvals, approver(rita).rejections, approver(rita).waits.medianMs], [1, 0, 20 * minute]);
  assert.deepEqual([approver(rex).approvals, approver(rex).rejections, approver(rex).waits.medianMs], [0, 1, 40 * minute]);
  const by = (id: string | null) => byPolicy.find(({ policyId }) => policyId === id)!;
  assert.deepEqual([by(policy).pending, by(policy).approved, by(policy).pendingLongestMs, by(policy).waits.medianMs], [2, 1, 30 * minute, 20 * minute]); // prettier-ignore
  assert.deepEqual([by(other).pending, by(other).expired, by(other).waits.medianMs], [1, 2, null]);
  assert.deepEqual([by(null).rejected, by(null).pending], [1, 0]);
});

test('a stage’s wait begins where the stage before it ended, and groups are those that stages ask', async () => {
  const { approval, figures, rita, rex, teamId } = await history();
  const stages = [{ name: 'lead', approvers: [{ role: 'reviewer' }], quorum: 1 }, { name: 'security', approvers: [{ team: teamId }, { principal: rex.principalId }], quorum: 1 }]; // prettier-ignore
  await approval({ created_at: ago(100), status: 'approved', decided_at: ago(10), stage: 1, stages }, [{ by: rita, at: ago(70) }, { by: rex, at: ago(10), stage: 1 }]); // prettier-ignore
  await approval({ created_at: ago(50), stage: 1, stages }, [{ by: rita, at: ago(45) }]);
  await approval({ created_at: ago(20) });
  const { byApprover, byGroup, bottlenecks } = await figures();
  const waits = (who: Authority) => byApprover.find(({ principalId }) => principalId === who.principalId)!.waits;
  assert.deepEqual([waits(rita).longestMs, waits(rita).count, waits(rex).longestMs], [30 * minute, 2, 60 * minute]);
  const group = (kind: string) => byGroup.find((each) => each.kind === kind)!;
  assert.deepEqual([group('role').name, group('role').pending, group('role').waits.count], ['reviewer', 0, 2]);
  assert.deepEqual([group('team').name, group('team').pending, group('team').pendingLongestMs, group('team').waits.longestMs], [teamId, 1, 50 * minute, 60 * minute]); // prettier-ignore
  assert.deepEqual([group('principal').name, group('principal').pending], [rex.principalId, 1]);
  assert.deepEqual([group('anybody').name, group('anybody').pending, group('anybody').waits.medianMs], [null, 1, null]);
  assert.deepEqual(bottlenecks.map(({ group: each, policy, share, waitingMs }) => [each?.kind ?? (policy && 'step'), share, waitingMs / minute]).slice(0, 1), [['step', 100, 70]]); // prettier-ignore
  assert.equal(bottlenecks.length, 4);
});

test('figures are of what one may read, in the period and place asked for, in two statements', async () => {
  const world = await history();
  const { approval, figures, rita, otherProjectId, otherEnvironmentId, projectId, environmentId, agentId, person, on } = world;
  await approval({ created_at: ago(5) });
  await approval({ created_at: ago(5), project_id: otherProjectId, environment_id: otherEnvironmentId });
  await approval({ created_at: ago(500), status: 'approved', decided_at: ago(100) }, [{ by: rita, at: ago(100) }]);
  const count = async (filter: MetricsFilter, as?: Authority) => (await figures(filter, as)).pending.waits.count;
  assert.equal(await count({}), 2);
  assert.equal(await count({}, await person('p', on('viewer', 'project', projectId))), 1);
  assert.equal(await count({}, await person('n')), 0);
  const foreign = await history();
  assert.equal((await foreign.figures({ projectId })).pending.waits.count, 0, 'of another tenant');
  assert.equal(await count({ projectId: otherProjectId }), 1);
  assert.equal(await count({ agentId, environmentId, projectId }), 1);
  const approved = async (since: Date, until: Date) => (await figures({ since, until })).decided.approved;
  assert.deepEqual([await approved(ago(100), ago(99)), await approved(ago(101), ago(100))], [1, 0], 'the end is not part of it');
  let statements = 0;
  await world.write((uow) => {
    const counted = Object.create(uow, { rows: { value: (sql: string, params: unknown[]) => ((statements += 1), uow.rows(sql, params)) } });
    return metrics.approvalMetrics(counted, rita, {});
  });
  assert.equal(statements, 2);
});

test('an empty or too long period and ids that are none are refused, all at once; the longest period is taken', async () => {
  const { figures } = await history();
  const bad = figures({ since: now, until: now, agentId: 'x' });
  await assert.rejects(bad, (error: Error) => error instanceof ValidationError && error.problems.map(({ path }) => path).join() === 'filter.agentId,filter.until'); // prettier-ignore
  await assert.rejects(figures({ since: ago(maxMetricDays * 1_440 + 1), until: now }), /at most 366/);
  const { decided, bottlenecks } = await figures({ since: ago(maxMetricDays * 1_440), until: now });
  assert.deepEqual([decided.waits, bottlenecks], [{ count: 0, medianMs: null, p90Ms: null, longestMs: null }, []]);
});

// Approve, reject, expire, cancel and dispatch at the same moment: one end, at most one dispatch, one wake-up, whoever comes first.
// `npm run test:races` plays 10,000 rounds.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { createApprovalService, type ApprovalService } from '#src/approvals/approval-service.ts';
import { SignalboxError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { createApprovalLog } from '#src/executions/approval-log.ts';
import { createEventService } from '#src/events/event-service.ts';
import { createHints } from '#src/events/hints.ts';
import { approvalStand, hour, start, type ApprovalStand, type ApprovalWorld } from './harness/approvals.ts';

const rounds = process.env['SIGNALBOX_TEST_RACES'] === 'all' ? 10_000 : 100;
const atOnce = 4;

let stand: ApprovalStand;
let world: ApprovalWorld;
let approvals: ApprovalService;
let people: readonly Authority[];
let owner: pg.Pool;
let executionId: string;
/** Around the end of every request: each reading falls on one side of it or the other. */
const clock = { now: () => new Date(start.getTime() + hour + Math.floor(Math.random() * 4) - 2) };
before(async () => {
  stand = await approvalStand();
  world = await stand.world();
  people = await Promise.all(['ada', 'bob', 'cleo'].map((name) => world.member(name)));
  // Real executions behind the requests: their locks take part in the race.
  approvals = createApprovalService({
    clock,
    log: createApprovalLog({ clock, events: createEventService({ clock, hints: createHints() }) }),
  });
  owner = new pg.Pool({ connectionString: stand.db.ownerUrl, max: 2, options: `-c app.tenant_id=${world.tenantId}` });
  executionId = await execution(world);
});
after(async () => {
  await owner.end();
  await stand.close();
});

async function execution({ write, tenantId, projectId, environmentId, teamId, agentId, requester }: ApprovalWorld): Promise<string> {
  const [id, versionId] = [newId(), newId()];
  const definition = JSON.stringify({ name: 'a', version: '1.0.0', tags: [], capabilities: {}, destinations: [], tools: [], inputs: {}, steps: [] }); // prettier-ignore
  await write(async (uow) => {
    await uow.rows(
      `insert into agent_versions (id, tenant_id, agent_id, version, definition, source, digest, created_by, created_at)
       values ($1, $2, $3, '1.0.0', $4::jsonb, '', 'v', $5, now())`,
      [versionId, tenantId, agentId, definition, requester.principalId],
    );
    await uow.rows(
      `insert into executions (id, tenant_id, project_id, environment_id, team_id, agent_id, agent_version_id, status, inputs, labels,
         request_digest, requested_by, requested_roles, created_at)
       values ($1, $2, $3, $4, $5, $6, $7, 'waiting', '{}', '{}', '', $8, '{}', now())`,
      [id, tenantId, projectId, environmentId, teamId, agentId, versionId, requester.principalId],
    );
  });
  return id;
}

type Move = (id: string) => Promise<unknown>;

function shuffled<T>(list: readonly T[]): T[] {
  return list.map((value) => ({ value, key: Math.random() })).toSorted((a, b) => a.key - b.key).map(({ value }) => value); // prettier-ignore
}

const write: ApprovalWorld['write'] = (work) => world.write(work);
const decide =
  (actor: Authority, decision: 'approve' | 'reject'): Move =>
  (approvalId) =>
    write((uow) => approvals.decide(uow, actor, { approvalId, decision }));
const many =
  (actor: Authority): Move =>
  async (approvalId) => {
    const [result] = await write((uow) => approvals.decideMany(uow, actor, { items: [{ approvalId, decision: 'approve' }] }));
    return result!.refusal ? Promise.reject(new Refused(result!.refusal.message)) : result!.approval;
  };
class Refused extends Error {}
const expire: Move = (id) => write((uow) => approvals.expire(uow, id));
const extend =
  (actor: Authority): Move =>
  (approvalId) =>
    write((uow) => approvals.extend(uow, actor, { approvalId, expiresAt: new Date(start.getTime() + hour + 3) }));

async function round(number: number): Promise<string> {
  const quorum = number % 2 === 0 ? 1 : 2;
  const stepId = `s${number}`;
  // A clock that stood still when it was requested: the end lies where the race is.
  const approval = await world.request({
    subject: world.subject({ executionId: number % 3 === 0 ? executionId : newId(), stepId }),
    terms: quorum === 1 ? undefined : { stages: [{ name: 'two', approvers: [], quorum }] },
  });
  const mine = approval.executionId!;
  const cancel: Move = () => write((uow) => uow.rows(`update approvals set status = 'cancelled' where tenant_id = $1 and id = $2 and status = 'pending' returning id`, [uow.tenantId, approval.id])); // prettier-ignore
  const consume: Move = async (id) => {
    const result = await write((uow) => approvals.consume(uow, id, approval.digest));
    return result.ok ? 'dispatched' : Promise.reject(new Refused(result.reason));
  };
  const [ada, bob, cleo] = people as [Authority, Authority, Authority];
  const withdraw: Move = number % 3 === 0 ? cancel : () => write((uow) => approvals.cancelForExecution(uow, mine));
  const moves: readonly (readonly [string, Move])[] = [
    ['approved', decide(ada, 'approve')],
    ['approved', many(bob)],
    ['rejected', decide(cleo, 'reject')],
    ['expired', expire],
    ['cancelled', withdraw],
    ['extended', extend(cleo)],
    ['dispatched', consume],
    ['dispatched', consume],
  ];
  const results = await Promise.allSettled(shuffled(moves).map(async ([name, move]) => [name, await move(approval.id)] as const));
  for (const result of results) {
    if (result.status === 'fulfilled') continue;
    const expected = result.reason instanceof SignalboxError || result.reason instanceof Refused;
    assert.ok(expected, `round ${number}: ${String(result.reason)}`);
  }
  const done = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  /** What each party was told it did. */
  const ended = done.filter(([name, value]) => {
    if (name === 'extended' || name === 'dispatched') return false;
    if (name === 'cancelled') return (value as unknown[]).length > 0;
    return (value as { status?: string } | null)?.status === name;
  });
  const [late, again] = await Promise.all([consume(approval.id).catch(() => null), consume(approval.id).catch(() => null)]);
  const { rows } = await owner.query(
    `select a.status, a.consumed_at is not null as used, (select count(*)::int from graphile_worker._private_jobs j
       where j.payload->>'executionId' = $2 and j.payload->>'stepId' = $3) as wakes
     from approvals a where a.id = $1`,
    [approval.id, mine, stepId],
  );
  const [row] = rows as [{ status: string; used: boolean; wakes: number }];
  const dispatches = done.filter(([name]) => name === 'dispatched').length + (late ? 1 : 0) + (again ? 1 : 0);
  const about = `round ${number}: ${row.status}, ${JSON.stringify(ended.map(([name]) => name))}, ${dispatches} dispatches, ${row.wakes} wakes`;
  assert.equal(ended.length, row.status === 'pending' ? 0 : 1, about);
  if (ended.length > 0) assert.equal(ended[0]![0], row.status, about);
  assert.ok(dispatches <= 1 && row.used === (dispatches === 1), about);
  assert.ok(row.status === 'approved' || dispatches === 0, about);
  assert.equal(row.wakes, row.status === 'pending' || row.status === 'cancelled' ? 0 : 1, about);
  // Its own only: others that run now may be of the same execution.
  await cancel(approval.id);
  return row.status;
}

test(
  `${rounds} races: one end each, told to exactly one party; what was approved is dispatched at most once`,
  { timeout: 1_800_000 },
  async () => {
    const ends: Record<string, number> = {};
    for (let number = 0; number < rounds; number += atOnce) {
      const statuses = await Promise.all(Array.from({ length: atOnce }, (_, index) => round(number + index)));
      for (const status of statuses) ends[status] = (ends[status] ?? 0) + 1;
    }
    // Every way to end has won some of the races, or they are none.
    for (const status of ['approved', 'rejected', 'expired', 'cancelled'])
      assert.ok((ends[status] ?? 0) > rounds / 50, JSON.stringify(ends));
  },
);

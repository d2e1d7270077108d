// "What I may decide": the list and the rule agree for everybody about everything, it has pages like any other list, and its cost does not
// grow with what is in it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ApprovalRow } from '#src/approvals/approval-reads.ts';
import type { ApprovalTerms, Approver } from '#src/approvals/approval-terms.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import { cursorOf } from '#src/platform/page.ts';
import { can, roles, type Authority, type Grant } from '#src/authority/permission.ts';
import { approvalStand, hour, later, type ApprovalStand, type ApprovalWorld } from './harness/approvals.ts';

let stand: ApprovalStand;
before(async () => {
  stand = await approvalStand();
});
after(() => stand.close());

const list = (uow: UnitOfWork, actor: Authority, canDecide: boolean, page = {}) =>
  stand.approvals.listApprovals(uow, actor, { canDecide }, { first: 100, ...page });
const idsOf = (rows: readonly ApprovalRow[]) => rows.map(({ id }) => id);

/** Numbers below `limit`, always the same for the same seed. */
function dice(seed: number) {
  let state = seed;
  const roll = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  return {
    roll,
    pick: <T>(options: readonly T[]): T => options[roll(options.length)]!,
    some: <T>(options: readonly T[], most: number): T[] => Array.from({ length: roll(most + 1) }, () => options[roll(options.length)]!),
  };
}

/** People of all kinds with roles at all kinds of places, delegates, keys, and requests of every shape, some with votes. */
async function crowd(world: ApprovalWorld, { roll, pick, some }: ReturnType<typeof dice>) {
  const { projectId, otherProjectId, environmentId, teamId, on, write, tenantId } = world;
  const grant = (): Grant =>
    pick([
      () => on(pick(roles)),
      () => on(pick(['reviewer', 'reviewer', ...roles])),
      () => on(pick(['reviewer', 'admin']), 'project', pick([projectId, otherProjectId])),
      () => on(pick(['reviewer', 'operator']), 'environment', environmentId),
      () => on('reviewer', 'team', teamId),
    ])();
  const people: Authority[] = [];
  for (let index = 0; index < 9; index += 1) {
    const grants = [...new Map([grant(), ...some([0, 1], 2).map(grant)].map((each) => [`${each.role} ${each.scopeId}`, each])).values()];
    const kind = pick(['user', 'user', 'user', 'service_account', 'service_account', 'worker'] as const);
    const person = await world.member(`p${index}`, grants, { kind, teams: roll(2) ? [teamId] : [] });
    // A key may leave less than what is stored.
    people.push(roll(4) ? person : { ...person, grants: person.grants.slice(1) });
  }
  for (const person of people) if (person.principalKind !== 'user' && roll(3)) await world.key(person, pick(people));
  for (let count = 0; count < 5; count += 1) {
    const [from, to] = [pick(people), pick(people)];
    await write((uow) =>
      uow.rows(
        `insert into approval_delegations (id, tenant_id, from_principal_id, to_principal_id, starts_at, ends_at, reason, created_by, created_at)
         values ($1, $2, $3, $4, $5, $6, '', $3, $5)`,
        [newId(), tenantId, from.principalId, to.principalId, later(-hour), later(pick([-1, 10 * hour]))],
      ),
    );
  }
  await write((uow) => uow.rows('update principals set disabled_at = now() where id = $1', [pick(people).principalId]));
  const approver = (): Approver => pick([() => ({ principal: pick(people).principalId }), () => ({ role: pick(roles) }), () => ({ team: pick([teamId, newId()]) })])(); // prettier-ignore
  const otherEnvironmentId = newId();
  await write((uow) =>
    uow.rows(`insert into environments (id, tenant_id, project_id, name, kind, created_at) values ($1, $2, $3, 'two', 'staging', now())`, [
      ...[otherEnvironmentId, tenantId, otherProjectId],
    ]),
  );
  const requests: ApprovalRow[] = [];
  for (let index = 0; index < 30; index += 1) {
    const stages = some([0, 1], 2).map((each) => ({ name: 's', quorum: 1 + each, approvers: some([0], 3).map(approver) }));
    const terms: ApprovalTerms = { stages, ...(roll(2) && { escalation: { afterMs: hour, approvers: [approver()] } }) };
    const place = pick([{}, {}, { teamId: null }, { projectId: otherProjectId, environmentId: otherEnvironmentId }]);
    const request = await world.request({ terms, ...place, requestedBy: pick(people).principalId, expiresInMs: pick([1, hour, hour]) });
    const owners = roll(3) ? undefined : [pick(people).principalId];
    await write((uow) =>
      uow.rows(
        `update approvals set edited_by = $2, escalated_at = $3, stage = $4, terms = terms || coalesce($5::jsonb, '{}'),
           status = $6 where id = $1`,
        [
          ...[request.id, roll(4) ? null : pick(people).principalId, roll(2) ? null : stand.now(), stages.length > 1 ? roll(2) : 0],
          ...[owners ? JSON.stringify({ owners }) : null, roll(6) ? 'pending' : pick(['approved', 'cancelled'])],
        ],
      ),
    );
    for (const voter of new Set(some(people, 2))) {
      await write((uow) =>
        uow.rows(
          `insert into approval_votes (approval_id, stage, principal_id, tenant_id, on_behalf_of, decision, digest, voted_at)
           values ($1, $2, $3, $4, $5, 'approve', $6, now())`,
          [
            ...[request.id, roll(2), voter.principalId, tenantId, roll(2) ? null : pick(people).principalId],
            roll(3) ? request.digest : '0'.repeat(64),
          ],
        ),
      );
    }
    requests.push(request);
  }
  return { people, requests };
}

test('the list holds exactly what could be decided: for random people, places, terms, delegates, keys and votes', async () => {
  let [decidable, others, asked] = [0, 0, 0];
  for (let seed = 1; seed <= 12; seed += 1) {
    const world = await stand.world();
    const { people, requests } = await crowd(world, dice(seed));
    stand.at(2);
    asked += await world.approvers();
    for (const actor of people) {
      await world.write(async (uow) => {
        const stored = await stand.approvals.approvalsByIds(uow, actor, idsOf(requests));
        const byId = new Map(stored.map((row) => [row.id, row]));
        // One's own request is read by its id without that permission; the list holds what one may read there.
        const visible = requests
          .flatMap(({ id }) => byId.get(id) ?? [])
          .filter((row) => can(actor, 'approval.read', row))
          .reverse();
        const reasons = await stand.approvals.whyNotDecide(uow, actor, visible);
        const expected = visible.filter((_, index) => reasons[index] === null);
        assert.deepEqual(idsOf((await list(uow, actor, true)).rows), idsOf(expected), `seed ${seed}, ${actor.principalName}`);
        const rest = visible.filter((_, index) => reasons[index] !== null);
        assert.deepEqual(idsOf((await list(uow, actor, false)).rows), idsOf(rest), `seed ${seed}, ${actor.principalName}`);
        decidable += expected.length;
        others += rest.length;
      });
    }
  }
  // Of both there are many, or they would prove nothing.
  assert.ok(decidable > 200 && others > 1_000 && asked > 400, `${decidable} ${others} ${asked}`);
});

test('its pages hold as many as were asked for, whatever lies in between, and cost the same however many there are', async () => {
  const world = await stand.world();
  const { requestOf, member, delegate } = world;
  const [ada, bob] = [await member('ada'), await member('bob')];
  await delegate(bob, ada);
  const mine: string[] = [];
  for (let count = 0; count < 5; count += 1) {
    mine.unshift((await requestOf([{ principal: (count % 2 ? ada : bob).principalId }])).id);
    for (let between = 0; between < 4; between += 1) await requestOf([{ principal: newId() }]);
  }
  const pageOf = (page: object) =>
    world.write(async (uow) => {
      let statements = 0;
      const counted: UnitOfWork = Object.create(uow, {
        rows: { value: (sql: string, params: unknown[]) => ((statements += 1), uow.rows(sql, params)) },
      });
      const { rows, hasNextPage } = await list(counted, ada, true, page);
      return [idsOf(rows), hasNextPage, statements] as const;
    });
  assert.deepEqual(await pageOf({ first: 2 }), [mine.slice(0, 2), true, 3]);
  assert.deepEqual(await pageOf({ first: 2, after: cursorOf('approvals', mine[1]!) }), [mine.slice(2, 4), true, 3]);
  assert.deepEqual(await pageOf({ first: 2, after: cursorOf('approvals', mine[3]!) }), [mine.slice(4), false, 3]);
  assert.deepEqual(await pageOf({ first: 100 }), [mine, false, 3]);
});

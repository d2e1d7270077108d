// Nobody decides what they asked for themselves: every relation to the request × every way of being asked × every path, generated; and
// the same with somebody who has nothing to do with it, who may.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ApprovalRow } from '#src/approvals/approval-reads.ts';
import type { ApprovalTerms } from '#src/approvals/approval-terms.ts';
import { ForbiddenError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { approvalStand, hour, type ApprovalStand, type ApprovalWorld } from './harness/approvals.ts';

let stand: ApprovalStand;
before(async () => {
  stand = await approvalStand();
});
after(() => stand.close());

interface Involved {
  readonly actor: Authority;
  readonly requestedBy: Authority;
  readonly editedBy?: Authority;
  readonly excludeOwner?: boolean;
  /** Beginning of the reason. */
  readonly reason: RegExp;
}

/** Service account whose key `maker` made. */
async function account({ member, key }: ApprovalWorld, name: string, maker: Authority): Promise<Authority> {
  const made = await member(name, undefined, { kind: 'service_account' });
  await key(made, maker);
  return made;
}

const setOwner = ({ write, agentId }: ApprovalWorld, column: 'owner' | 'created_by', value: string) =>
  write((uow) => uow.rows(`update agents set ${column} = $2 where id = $1`, [agentId, value]));

/** What the actor has to do with the request. */
const relations: Readonly<Record<string, (world: ApprovalWorld) => Promise<Involved>>> = {
  'the requester': async ({ member }) => {
    const actor = await member('rita');
    return { actor, requestedBy: actor, reason: /^you started the execution/ };
  },
  'the requester with an API key': async ({ member }) => {
    const requestedBy = await member('rita');
    return { actor: { ...requestedBy, apiKeyId: newId() }, requestedBy, reason: /^you started the execution/ };
  },
  'a service account that asks for itself': async (world) => {
    const actor = await account(world, 'bot', await world.member('maker'));
    return { actor, requestedBy: actor, reason: /^you started the execution/ };
  },
  'a service account of the requester': async (world) => {
    const requestedBy = await world.member('rita');
    return { actor: await account(world, 'bot', requestedBy), requestedBy, reason: /act through the same hands/ };
  },
  'who made a key of the asking service account': async (world) => {
    const actor = await world.member('maker');
    return { actor, requestedBy: await account(world, 'bot', actor), reason: /act through the same hands/ };
  },
  'another service account of the same maker': async (world) => {
    const maker = await world.member('maker');
    const [actor, requestedBy] = [await account(world, 'one', maker), await account(world, 'two', maker)];
    return { actor, requestedBy, reason: /act through the same hands/ };
  },
  'an account whose key an account of the requester made': async (world) => {
    const requestedBy = await world.member('rita');
    const between = await account(world, 'between', requestedBy);
    return { actor: await account(world, 'bot', between), requestedBy, reason: /act through the same hands/ };
  },
  'who made the keys of the account that made a key of the asking one': async (world) => {
    const actor = await world.member('maker');
    const between = await account(world, 'between', actor);
    return { actor, requestedBy: await account(world, 'bot', between), reason: /act through the same hands/ };
  },
  'who made a key of the asking worker': async (world) => {
    const actor = await world.member('maker');
    const requestedBy = await world.member('worker', undefined, { kind: 'worker' });
    await world.key(requestedBy, actor);
    return { actor, requestedBy, reason: /act through the same hands/ };
  },
  'who edited the arguments': async ({ member }) => {
    const actor = await member('eve');
    return { actor, requestedBy: await member('rita'), editedBy: actor, reason: /^you edited what will run/ };
  },
  'a service account of the editor': async (world) => {
    const editedBy = await world.member('eve');
    return {
      actor: await account(world, 'bot', editedBy),
      requestedBy: await world.member('rita'),
      editedBy,
      reason: /edited by you or through/,
    };
  },
  'the owner by name': async (world) => {
    const actor = await world.member('olga');
    const [row] = await world.write((uow) => uow.rows<{ name: string }>('select name from principals where id = $1', [actor.principalId]));
    await setOwner(world, 'owner', row!.name);
    return { actor, requestedBy: await world.member('rita'), excludeOwner: true, reason: /^you own the agent/ };
  },
  'the owner by address': async (world) => {
    const actor = await world.member('olga');
    await world.write((uow) => uow.rows(`update principals set email = 'Olga@example.com' where id = $1`, [actor.principalId]));
    await setOwner(world, 'owner', 'olga@example.com');
    return { actor, requestedBy: await world.member('rita'), excludeOwner: true, reason: /^you own the agent/ };
  },
  'who created an agent without a known owner': async (world) => {
    const actor = await world.member('olga');
    await setOwner(world, 'created_by', actor.principalId);
    return { actor, requestedBy: await world.member('rita'), excludeOwner: true, reason: /^you own the agent/ };
  },
};

/** How the actor comes to be asked; gives terms, and what is done once the request is there. */
interface Asked {
  readonly terms: ApprovalTerms;
  readonly before?: (approval: ApprovalRow) => Promise<unknown>;
}
const one = (approvers: ApprovalTerms['stages'][number]['approvers'], quorum = 1) => ({ name: 'approval', approvers, quorum });
const ways: Readonly<Record<string, (world: ApprovalWorld, actor: Authority) => Promise<Asked>>> = {
  'like everybody': async () => ({ terms: { stages: [] } }),
  'by name': async (_world, { principalId }) => ({ terms: { stages: [one([{ principal: principalId }])] } }),
  'by role': async () => ({ terms: { stages: [one([{ role: 'reviewer' }])] } }),
  'in a team': async ({ teamId, write, tenantId }, { principalId }) => {
    await write((uow) => uow.rows('insert into team_members (team_id, principal_id, tenant_id, created_at) values ($1, $2, $3, now())', [teamId, principalId, tenantId])); // prettier-ignore
    return { terms: { stages: [one([{ team: teamId }])] } };
  },
  'in a quorum': async () => ({ terms: { stages: [one([], 2)] } }),
  'in the second stage': async ({ member, decide }, { principalId }) => {
    const first = await member('first');
    const stages = [one([{ principal: first.principalId }]), one([{ principal: principalId }])];
    return { terms: { stages }, before: ({ id }) => decide(first, id) };
  },
  'after an escalation': async ({ write }, { principalId }) => {
    const escalation = { afterMs: 1, approvers: [{ principal: principalId }] };
    const before = async ({ id }: ApprovalRow) => {
      stand.at(2);
      await write((uow) => stand.approvals.attend(uow, id));
    };
    return { terms: { stages: [one([{ principal: newId() }])], escalation }, before };
  },
  'as the delegate of somebody who is asked': async ({ member, delegate }, actor) => {
    const asked = await member('asked');
    await delegate(asked, actor);
    return { terms: { stages: [one([{ principal: asked.principalId }])] } };
  },
};

/** Every way to the same decision. */
const paths: Readonly<Record<string, (world: ApprovalWorld, actor: Authority, id: string) => Promise<unknown>>> = {
  approve: ({ decide }, actor, id) => decide(actor, id),
  reject: ({ decide }, actor, id) => decide(actor, id, { decision: 'reject' }),
  'decide many': async ({ write }, actor, id) => {
    const items = [{ approvalId: id, decision: 'approve' }] as const;
    const [result] = await write((uow) => stand.approvals.decideMany(uow, actor, { items }));
    if (result!.refusal) throw Object.assign(new ForbiddenError(result!.refusal.message), { code: result!.refusal.code });
  },
  preflight: async ({ write }, actor, id) => {
    const items = [{ approvalId: id, decision: 'approve' }] as const;
    const [result] = await write((uow) => stand.approvals.decideMany(uow, actor, { items, preflight: true }));
    if (result!.refusal) throw Object.assign(new ForbiddenError(result!.refusal.message), { code: result!.refusal.code });
  },
  extend: ({ write }, actor, id) => write((uow) => stand.approvals.extend(uow, actor, { approvalId: id, expiresAt: new Date(stand.now().getTime() + 9 * hour) })), // prettier-ignore
};

async function ask(world: ApprovalWorld, involved: Involved, actor: Authority, way: keyof typeof ways): Promise<ApprovalRow> {
  const { terms, before: then } = await ways[way]!(world, actor);
  const approval = await world.request({
    terms: { ...terms, ...(involved.excludeOwner && { excludeOwner: true }) },
    requestedBy: involved.requestedBy.principalId,
  });
  if (involved.editedBy) {
    await world.write((uow) =>
      uow.rows('update approvals set edited_by = $2 where id = $1', [approval.id, involved.editedBy!.principalId]),
    );
  }
  await then?.(approval);
  return approval;
}

for (const [relation, involve] of Object.entries(relations)) {
  test(`${relation} decides on no path, however they are asked`, async () => {
    for (const way of Object.keys(ways)) {
      const world = await stand.world();
      const involved = await involve(world);
      const { actor, reason } = involved;
      const approval = await ask(world, involved, actor, way);
      for (const [path, take] of Object.entries(paths)) {
        await assert.rejects(take(world, actor, approval.id), (error: Error & { code?: string }) => {
          assert.equal(error.code, 'FORBIDDEN', `${way}, ${path}: ${error.message}`);
          assert.match(error.message, reason, `${way}, ${path}`);
          return true;
        });
      }
      const after = await world.find(approval);
      assert.match((await world.whyNot(actor, after))!, reason, way);
      assert.equal(after.status, 'pending', way);
      assert.deepEqual((await world.write((uow) => stand.approvals.votesOf(uow, [approval.id]))).filter(({ principalId }) => principalId === actor.principalId), []); // prettier-ignore
    }
  });
}

test('somebody who has nothing to do with the request decides it on each of these ways', async () => {
  for (const [relation, involve] of Object.entries(relations)) {
    for (const way of Object.keys(ways)) {
      const world = await stand.world();
      const involved = await involve(world);
      const other = await world.member('other');
      const approval = await ask(world, involved, other, way);
      assert.equal(await world.whyNot(other, await world.find(approval)), null, `${relation}, ${way}`);
      const { status } = await world.decide(other, approval.id);
      assert.equal(status, way === 'in a quorum' ? 'pending' : 'approved', `${relation}, ${way}`);
    }
  }
});

test('a delegate cannot decide in the place of whoever asked, edited or owns; nor lend a place to them', async () => {
  for (const [relation, involve] of Object.entries(relations)) {
    const world = await stand.world();
    const involved = await involve(world);
    const { actor } = involved;
    const delegate = await world.member('delegate');
    await world.delegate(actor, delegate);
    // Only the place of the excluded one is asked for, so there is nobody left to decide it.
    const approval = await ask(world, involved, actor, 'by name');
    await assert.rejects(world.decide(delegate, approval.id), (error: Error) => {
      assert.ok(error instanceof ForbiddenError, `${relation}: ${String(error)}`);
      assert.match(error.message, /you are none of them, nor is anybody who delegated to you/, relation);
      return true;
    });
  }
});

test('the owner may decide when the terms do not exclude owners', async () => {
  const world = await stand.world();
  const { actor, requestedBy } = await relations['the owner by name']!(world);
  const approval = await world.request({ requestedBy: requestedBy.principalId });
  assert.equal((await world.decide(actor, approval.id)).status, 'approved');
});

test('the ways out of sharing hands: people with keys that the requester made, and accounts with keys that others made, may decide', async () => {
  const world = await stand.world();
  const { member, key, request, decide } = world;
  const maker = await member('maker');
  const requestedBy = (await account(world, 'bot', maker)).principalId;
  const person = await member('person');
  await key(person, maker);
  const elsewhere = await account(world, 'elsewhere', await member('another'));
  for (const actor of [person, elsewhere]) assert.equal((await decide(actor, (await request({ requestedBy })).id)).status, 'approved');
});

test('an owner who is replaced after the request was made still may not decide it', async () => {
  const world = await stand.world();
  const { actor, requestedBy } = await relations['the owner by name']!(world);
  const approval = await world.request({ requestedBy: requestedBy.principalId, terms: { stages: [], excludeOwner: true } });
  await setOwner(world, 'owner', 'somebody-else');
  await assert.rejects(world.decide(actor, approval.id), /you own the agent/);
});

// Policies with several places, and policies as texts: names, line and column, compare-and-set, previews, and who may do it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ConflictError, ForbiddenError, InvalidStateError, NotFoundError, ValidationError } from '#src/platform/errors.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import { readPolicyDocument } from '#src/policies/policy-document.ts';
import { maxAttachments, maxRolloutWindowMs, minRolloutWindowMs } from '#src/policies/policy-input.ts';
import { createPolicyService, type NewPolicy } from '#src/policies/policy-service.ts';
import type { Authority } from '#src/authority/permission.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { createWorld } from './harness/governance.ts';

let db: TestDatabase;
before(async () => {
  db = await testDatabase();
});
after(() => db.close());

const policies = createPolicyService({ clock: { now: () => new Date('2026-11-21T10:00:00.000Z') } });
const ban: NewPolicy = { name: 'ban', kind: 'tool_access', rules: [{ effect: 'deny', tools: ['*'] }] };

async function policyWorld() {
  const world = await createWorld(db.database);
  const admin = await world.person('admin', world.on('admin'));
  const write = <T>(work: (uow: UnitOfWork) => Promise<T>) => db.database.write(world.tenantId, work);
  const create = (actor: Authority, input: Partial<NewPolicy> = {}) =>
    write((uow) => policies.createPolicy(uow, actor, { ...ban, ...input }));
  const apply = (document: string, expectedVersion = 0, actor = admin) =>
    write((uow) => policies.applyPolicy(uow, actor, { document, expectedVersion }));
  const preview = (document: string, actor = admin) => write((uow) => policies.previewPolicy(uow, actor, document));
  const refused = async (work: Promise<unknown>): Promise<string[]> => {
    const error = await work.then(() => null, (thrown: unknown) => thrown); // prettier-ignore
    assert.ok(error instanceof ValidationError, String(error));
    return error.problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
  };
  const revision = async () =>
    (await write((uow) => uow.rows<{ n: number }>('select policy_revision as n from tenants where id = $1', [world.tenantId])))[0]!.n;
  return { ...world, admin, write, create, apply, preview, refused, revision };
}

test('a policy keeps its attachments, rollout, failure mode and the team and tools of its scope, in rows and in versions', async () => {
  const { admin, create, write, projectId, environmentId, agentId, teamId } = await policyWorld();
  const created = await create(admin, {
    scope: { teamId, tool: 'files.*' },
    attachments: [{ scope: { environmentId }, mode: 'observe', priority: 7 }, { scope: { agentId }, enabled: false }],
    rollout: { percent: 12.5, maxDenialPercent: 20 },
    onError: 'deny',
  }); // prettier-ignore
  const none = { projectId: null, environmentId: null, agentId: null, teamId: null, tag: null, tool: null };
  const expected = {
    scope: { ...none, teamId, tool: 'files.*' },
    attachments: [
      { scope: { ...none, projectId, environmentId }, mode: 'observe', priority: 7 },
      { scope: { ...none, projectId, agentId }, enabled: false },
    ],
    rollout: { percent: 12.5, maxDenialPercent: 20, windowMs: 3_600_000 },
    onError: 'deny',
  };
  const { teamId: team, tool, attachments, rollout, onError } = created;
  assert.deepEqual({ scope: { ...none, teamId: team, tool }, attachments, rollout, onError }, expected);
  const change = (input: object) =>
    write((uow) => policies.updatePolicy(uow, admin, { policyId: created.id, expectedVersion: created.version, ...input }));
  assert.equal((await change({ attachments: expected.attachments })).version, 1, 'nothing changes');
  const ended = await change({ rollout: null, attachments: [] });
  assert.deepEqual([ended.version, ended.rollout, ended.attachments, ended.onError], [2, null, [], 'deny']);
  const [versions] = await write((uow) => policies.versionsOf(uow, [created.id]));
  const [, { document }] = versions as [unknown, (typeof versions & object)[number]];
  assert.deepEqual(
    { scope: document.scope, attachments: document.attachments, rollout: document.rollout, onError: document.onError },
    expected,
  );
});

test('what is wrong with attachments and rollouts is told at once; places that never apply, or twice, are refused', async () => {
  const { admin, create, refused, otherProjectId, environmentId, agentId, write, revision } = await policyWorld();
  const wrong = create(admin, {
    scope: { tool: 'files' },
    attachments: [{ scope: { tag: '' }, priority: -1, mode: 'maybe' as never }],
    rollout: { percent: 101, maxDenialPercent: -1, windowMs: 1 },
    onError: 'panic' as never,
  });
  assert.deepEqual((await refused(wrong)).map((text) => text.split(' ')[1]!.slice(0, -1)).sort(), [
    'attachments[0].mode',
    'attachments[0].priority',
    'attachments[0].scope.tag',
    'onError',
    'rollout.maxDenialPercent',
    'rollout.percent',
    'rollout.windowMs',
    'scope.tool',
  ]); // prettier-ignore
  const attached = (...scopes: NonNullable<NewPolicy['scope']>[]) => create(admin, { attachments: scopes.map((scope) => ({ scope })) });
  assert.match((await refused(attached({ tag: 'a' }, { tag: 'b' }, { tag: 'a' })))[0]!, /attachments\[2\]\.scope: is the same place as attachments\[0\]\.scope/); // prettier-ignore
  assert.match((await refused(attached({})))[0]!, /attachments\[0\]\.scope: is the same place as scope/);
  assert.match(
    (await refused(attached({ projectId: otherProjectId, environmentId })))[0]!,
    /attachments\[0\]\.scope: .*not of one project/,
  );
  const otherTeam = newId();
  await write((uow) => uow.rows('insert into teams (id, tenant_id, name, created_at) values ($1, $2, $3, now())', [otherTeam, uow.tenantId, 'dev'])); // prettier-ignore
  assert.match((await refused(attached({ teamId: otherTeam, agentId })))[0]!, /the agent "log-triage" is not in the team "dev"/);
  await assert.rejects(attached({ teamId: newId() }), /attachments\[0\]\.scope\.teamId: there is no team/);
  assert.equal(await revision(), 0);
  const many = (count: number) => attached(...Array.from({ length: count }, (_, index) => ({ tag: `t${index}` })));
  assert.equal((await refused(many(maxAttachments + 1))).length, 1);
  assert.equal((await many(maxAttachments)).attachments.length, maxAttachments);
  for (const windowMs of [minRolloutWindowMs, maxRolloutWindowMs]) await create(admin, { name: `w-${windowMs}`, rollout: { percent: 0, windowMs } }); // prettier-ignore
  for (const windowMs of [minRolloutWindowMs - 1, maxRolloutWindowMs + 1]) await refused(create(admin, { name: 'w', rollout: { percent: 0, windowMs } })); // prettier-ignore
});

test('whoever changes a policy needs the permission at each of its places, before and after', async () => {
  const world = await policyWorld();
  const { admin, create, write, projectId, otherProjectId, teamId } = world;
  const pat = await world.person('pat', world.on('admin', 'project', projectId));
  const both = await world.person('bob', world.on('admin', 'project', projectId), world.on('admin', 'project', otherProjectId));
  const tom = await world.person('tom', world.on('admin', 'team', teamId));
  const attachments = [{ scope: { projectId: otherProjectId } }];
  await assert.rejects(create(pat, { scope: { projectId }, attachments }), NotFoundError);
  await assert.rejects(create(pat, { scope: { projectId }, attachments: [{ scope: { tag: 'x' } }] }), ForbiddenError);
  const { id } = await create(both, { scope: { projectId }, attachments });
  const verbs = [
    (actor: Authority) => write((uow) => policies.updatePolicy(uow, actor, { policyId: id, expectedVersion: 1, priority: 3 })),
    (actor: Authority) => write((uow) => policies.updatePolicy(uow, actor, { policyId: id, expectedVersion: 1, attachments: [] })),
    (actor: Authority) => write((uow) => policies.disablePolicy(uow, actor, id)),
    (actor: Authority) => write((uow) => policies.deletePolicy(uow, actor, id)),
  ];
  for (const verb of verbs) await assert.rejects(verb(pat), ForbiddenError);
  assert.equal((await verbs[0]!(both)).version, 2);
  assert.equal((await create(tom, { name: 'ours', scope: { teamId } })).teamId, teamId);
  await assert.rejects(create(tom, { name: 'theirs', scope: { tool: 'files.*' } }), ForbiddenError);
  const seen = await write((uow) => policies.listPolicies(uow, tom, { teamId }, {}));
  assert.deepEqual(seen.rows.map(({ name }) => name), ['ours']); // prettier-ignore
  await assert.rejects(write((uow) => policies.listPolicies(uow, admin, { teamId: 'x' }, {})), /filter\.teamId: "x" is not an id/); // prettier-ignore
});

const text = `name: night-shift
description: Nothing at night.
kind: tool_access
scope: { project: demo, environment: production }
attachments:
  - scope: { project: demo, agent: log-triage }
    mode: observe
  - scope: { team: ops }
rollout: { percent: 10, maxDenialPercent: 5, window: 30m }
rules:
  - effect: deny
    tools: [ 'files.*' ]
`;

test('a document is applied by name: created, unchanged, changed; what it leaves out goes back to the default, save whether it is on', async () => {
  const { admin, apply, write, environmentId, agentId, teamId, revision } = await policyWorld();
  const { policy, changes } = await apply(text);
  assert.deepEqual([policy.version, policy.environmentId, policy.rollout?.windowMs], [1, environmentId, 1_800_000]);
  assert.deepEqual(policy.attachments.map(({ scope, mode }) => [scope.agentId, scope.teamId, mode]), [
    [agentId, null, 'observe'],
    [null, teamId, undefined],
  ]); // prettier-ignore
  assert.ok(changes.includes('rules') && changes.includes('name'));
  await write((uow) => policies.disablePolicy(uow, admin, policy.id));
  const same = await apply(text, 2);
  assert.deepEqual([same.policy.version, same.changes], [2, []]);
  const changed = await apply(text.replace(/attachments:[^]*(?=rules)/, 'priority: 5\n'), 2);
  assert.deepEqual([...changed.changes].sort(), ['attachments', 'priority', 'rollout']);
  assert.deepEqual([changed.policy.version, changed.policy.enabled, changed.policy.rollout], [3, false, null]);
  assert.deepEqual((await apply(`enabled: true\n${text}`, 3)).policy.enabled, true);
  assert.equal(await revision(), 4);
});

test('applying is compare-and-set, also when several do it at once; the kind never changes; a deleted name is free', async () => {
  const { admin, apply, write, refused } = await policyWorld();
  await assert.rejects(apply(text, 1), /expectedVersion: there is no policy "night-shift" at version 1; 0 would create it/);
  const race = async (expectedVersion: number) => {
    const results = await Promise.allSettled(
      [1, 2, 3, 4].map((n) => apply(`priority: ${expectedVersion * 10 + n}\n${text}`, expectedVersion)),
    );
    const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    assert.ok(failed.every((reason) => reason instanceof ConflictError), String(failed)); // prettier-ignore
    assert.equal(results.length - failed.length, 1);
  };
  await race(0);
  await race(1);
  await assert.rejects(apply(text, 0), /the policy "night-shift" is at version 2, not 0; read it again/);
  const otherKind = text.replace('tool_access', 'approval_required').replace('effect: deny', 'reason: night');
  assert.match((await refused(apply(otherKind, 2)))[0]!, /^3:7 kind: the policy "night-shift" is of the kind tool_access/);
  const [row] = (await write((uow) => policies.listPolicies(uow, admin, { name: 'night-shift' }, {}))).rows;
  await write((uow) => policies.deletePolicy(uow, admin, row!.id));
  await assert.rejects(write((uow) => policies.updatePolicy(uow, admin, { policyId: row!.id, expectedVersion: 3 })), InvalidStateError); // prettier-ignore
  assert.equal((await apply(otherKind)).policy.version, 1);
});

test('every problem of a document comes with its line and column, and nothing is written', async () => {
  const { apply, refused, revision } = await policyWorld();
  const broken = `name: Night Shift
kind: tool_access
scoop: {}
scope: { project: demo, tag: '' }
attachments:
  - scope: { tools: x }
    mode: loud
rules:
  - effect: forbid
    tools:
      - files
`;
  assert.deepEqual(await refused(apply(broken)), [
    '1:7 name: must start with a lower-case letter and hold only lower-case letters, digits and "-", at most 63 characters, got "Night Shift"',
    '3:1 scoop: unknown key',
    `4:30 scope.tag: Too small: expected string to have >=1 characters, got ""`,
    '6:14 attachments[0].scope.tools: unknown key',
    '7:11 attachments[0].mode: expected one of "observe"|"inject"|"enforce", got "loud"',
    '9:13 rules[0].effect: expected one of "allow"|"deny", got "forbid"',
    '11:9 rules[0].tools[0]: never matches: tools are named "server.name"; write * for a wildcard, got "files"',
  ]);
  assert.deepEqual(await refused(apply('name: a\nkind: quota\nmode: x\nrules: []\n')), [
    '2:7 kind: expected one of "tool_access"|"approval_required"|"rate_limit"|"time_window"|"destination"|"data_scope"|"content", got "quota"',
    '3:7 mode: expected one of "observe"|"inject"|"enforce", got "x"',
  ]);
  assert.match((await refused(apply('name: [')))[0]!, /^1:8 : not YAML/);
  assert.match((await refused(apply('- 1')))[0]!, /^1:1 : /);
  assert.match((await refused(apply(text.replace('kind:', 'name: twice\nkind:'))))[0]!, /^3:1 name: the key "name" is there twice/);
  assert.match((await refused(apply(text.replace('30m', '30 m'))))[0]!, /^9:54 rollout\.window: must be a duration from 1m to 14d/);
  assert.equal(await revision(), 0);
  assert.ok(!readPolicyDocument('a'.repeat(1024 * 1024 + 1)).ok);
});

test('names that do not exist, are foreign or not visible get one answer, at their place in the text', async () => {
  const world = await policyWorld();
  const { apply, refused, otherProjectId } = world;
  const lost = text
    .replace('project: demo, environment: production', 'project: demo, environment: moon')
    .replace('team: ops', 'team: nobody');
  assert.deepEqual(await refused(apply(lost)), [
    '4:38 scope.environment: there is no environment "moon" in the project "demo", or it is not visible to you',
    '8:20 attachments[1].scope.team: there is no team "nobody", or it is not visible to you',
  ]);
  assert.deepEqual(await refused(apply(text.replace('project: demo, agent', 'agent'))), [
    '6:21 attachments[0].scope.agent: needs the project, too',
  ]);
  const stranger = await world.person('stranger', world.on('admin', 'project', otherProjectId));
  assert.match((await refused(apply(text, 0, stranger)))[0]!, /^4:19 scope\.project: there is no project "demo", or it is not visible/);
  const viewer = await world.person('viewer', world.on('viewer'));
  await assert.rejects(apply(text, 0, viewer), ForbiddenError);
});

test('approvers that do not exist, are foreign, or are fewer than their quorum are refused at their place; others are kept as written', async () => {
  const { admin, apply, refused, create, teamId } = await policyWorld();
  const foreign = await policyWorld();
  const asking = (approvers: string) => `name: ask
kind: approval_required
rules:
  - approvers:
      stages:
        - approvers: ${approvers}
          quorum: 2
`;
  assert.deepEqual(await refused(apply(asking(`[{ team: nobody }, { principal: ${foreign.admin.principalId} }, { role: admin }]`))), [
    '6:31 rules[0].approvers.stages[0].approvers[0].team: there is no team "nobody"',
    `6:54 rules[0].approvers.stages[0].approvers[1].principal: there is no principal "${foreign.admin.principalId}"`,
  ]);
  assert.match(
    (await refused(apply(asking('[{ team: ops }]'))))[0]!,
    /^7:19 rules\[0\]\.approvers\.stages\[0\]\.quorum: 2 approvals are needed/,
  );
  assert.equal((await apply(asking('[{ team: ops }, { role: admin }]'))).policy.version, 1);
  const rules = [{ approvers: { stages: [{ approvers: [{ team: foreign.teamId }] }] } }];
  assert.match((await refused(create(admin, { kind: 'approval_required', rules })))[0]!, /there is no team/);
  const own = [{ approvers: { stages: [{ approvers: [{ team: teamId }, { role: 'reviewer' }], quorum: 1 }] } }];
  assert.deepEqual((await create(admin, { kind: 'approval_required', rules: own })).rules, own);
});

test('a preview says what a document would change, writes nothing, and fails as applying would', async () => {
  const world = await policyWorld();
  const { apply, preview, refused, revision } = world;
  const first = await preview(text);
  assert.deepEqual([first.current, first.document.name, first.document.attachments.length], [null, 'night-shift', 2]);
  assert.ok(first.changes.includes('rules'));
  await apply(text);
  const viewer = await world.person('viewer', world.on('viewer'));
  const second = await preview(`priority: 3\n${text}`, viewer);
  assert.deepEqual([second.current?.version, second.document.priority, second.changes], [1, 3, ['priority']]);
  assert.deepEqual((await preview(text)).changes, []);
  assert.equal((await refused(preview(text.replace('deny', 'forbid')))).length, 1);
  assert.equal(await revision(), 1);
});

test('policies in force: those the gate asks about an agent in an environment, with the place that counts, as far as one may read', async () => {
  const world = await policyWorld();
  const { admin, create, write, agentId, environmentId, otherProjectId, projectId, teamId } = world;
  const name = (each: string, input: Partial<NewPolicy>) => create(admin, { name: each, ...input });
  await name('tenant', { priority: 50 });
  await name('project', { scope: { projectId }, priority: 40, attachments: [{ scope: { agentId }, priority: 1, mode: 'observe' }] });
  await name('team', { scope: { teamId }, priority: 30 });
  await name('files', { scope: { tool: 'files.*' }, priority: 20 });
  await name('excepted', { attachments: [{ scope: { agentId }, enabled: false }] });
  await name('elsewhere', { scope: { projectId: otherProjectId }, attachments: [{ scope: { environmentId }, priority: 10 }] });
  await name('other', { scope: { projectId: otherProjectId } });
  await name('off', { enabled: false });
  const inForce = async (actor: Authority, tool?: string) =>
    (await write((uow) => policies.policiesInForce(uow, actor, { agentId, environmentId, tool }))).map(({ policy, place }) =>
      [policy.name, place.priority, place.mode, place.attachment ?? 'own'].join(' '),
    );
  const all = ['project 1 observe 0', 'elsewhere 10 enforce 0', 'team 30 enforce own', 'tenant 50 enforce own'];
  assert.deepEqual(await inForce(admin), all);
  assert.deepEqual(await inForce(admin, 'files.read'), [...all.slice(0, 2), 'files 20 enforce own', ...all.slice(2)]);
  const viewer = await world.person('v', world.on('viewer', 'project', projectId));
  assert.deepEqual(await inForce(viewer), all.slice(0, 2), 'also what stands elsewhere and was attached here');
  // A team sees what is attached to an agent of it.
  await name('agent', { scope: { projectId: otherProjectId }, attachments: [{ scope: { agentId }, priority: 2 }], priority: 70 });
  const member = await world.person('t', world.on('viewer', 'team', teamId));
  const names = async (actor: Authority, filter = {}) =>
    (await write((uow) => policies.listPolicies(uow, actor, filter, {}))).rows.map((each) => each.name).sort();
  assert.deepEqual(await names(member), ['agent', 'excepted', 'project', 'team']);
  assert.deepEqual(await names(await world.person('e', world.on('viewer', 'environment', environmentId))), [
    'agent',
    'elsewhere',
    'excepted',
    'project',
  ]);
  assert.deepEqual(await names(admin, { environmentId }), ['elsewhere']);
  assert.deepEqual(await names(admin, { agentId }), ['agent', 'excepted', 'project']);
  assert.deepEqual(await names(admin, { agentId, environmentId }), [], 'one place has to be all of it');
  assert.deepEqual(await names(admin, { projectId: otherProjectId }), ['agent', 'elsewhere', 'other']);
  const elsewhere = (await write((uow) => policies.listPolicies(uow, admin, { name: 'elsewhere' }, {}))).rows[0]!;
  const manager = await world.person('m', world.on('admin', 'project', projectId));
  // Whoever reads it at one place changes it only with the permission at each.
  for (const actor of [viewer, manager]) {
    await assert.rejects(write((uow) => policies.disablePolicy(uow, actor, elsewhere.id)), ForbiddenError); // prettier-ignore
  }
  const nobody = await world.person('n', world.on('viewer', 'project', otherProjectId));
  await assert.rejects(inForce(nobody), /agentId: there is no agent/);
  const foreign = await policyWorld();
  await assert.rejects(
    foreign.write((uow) => policies.policiesInForce(uow, foreign.admin, { agentId, environmentId })),
    NotFoundError,
  );
});

test('a rollout that went wrong falls back to observe everywhere, once, and only at the version that was judged', async () => {
  const { admin, create, write, revision } = await policyWorld();
  const attachments = [
    { scope: { tag: 'a' }, mode: 'enforce' as const },
    { scope: { tag: 'b' }, priority: 3 },
  ];
  const { id } = await create(admin, { rollout: { percent: 50, maxDenialPercent: 1 }, attachments });
  const fallBack = (version: number) => write((uow) => policies.fallBack(uow, id, version));
  assert.equal(await fallBack(2), null);
  const fallen = (await fallBack(1))?.after;
  assert.deepEqual([fallen?.version, fallen?.mode, fallen?.rollout?.percent], [2, 'observe', 50]);
  assert.deepEqual(fallen?.attachments.map(({ mode }) => mode), ['observe', undefined]); // prettier-ignore
  assert.deepEqual([await fallBack(1), await fallBack(2), await revision()], [null, null, 2]);
  const [versions] = await write((uow) => policies.versionsOf(uow, [id]));
  assert.equal(versions![0]!.document.change, 'fell_back');
});

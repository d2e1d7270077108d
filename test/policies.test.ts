// Policies: documents with their cases, rules that are refused with every problem, versioned changes, rights and scopes.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { ConflictError, ForbiddenError, InvalidStateError, NotFoundError, ValidationError } from '#src/platform/errors.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import { parseCases, runCases } from '#src/policies/policy-cases.ts';
import { policySchemaFiles, readPolicyDocument } from '#src/policies/policy-document.ts';
import { createPolicyService, type NewPolicy } from '#src/policies/policy-service.ts';
import { maxPatterns, maxRules, parseRules } from '#src/rules/rules.ts';
import type { Authority } from '#src/authority/permission.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { createWorld } from './harness/governance.ts';

const documents = globSync('policies/*.yaml').sort();
test('every policy document has cases and every file of cases a document', () => {
  const named = (files: string[], ending: string) => files.map((file) => file.slice(0, -ending.length)).sort();
  assert.deepEqual(named(globSync('policies/*.cases.json'), '.cases.json'), named(documents, '.yaml'));
  assert.ok(documents.length > 0);
});

for (const file of documents) {
  const read = readPolicyDocument(readFileSync(file, 'utf8'));
  const parsed = parseCases(JSON.parse(readFileSync(file.replace(/yaml$/, 'cases.json'), 'utf8')));
  if (!read.ok || !parsed.ok) {
    test(file, () => assert.fail(JSON.stringify([read, parsed])));
    continue;
  }
  for (const { name, differences } of runCases(read.document, parsed.cases)) {
    test(`${file}: ${name}`, () => assert.deepEqual(differences, []));
  }
}

test('the committed JSON Schemas are those of the rules', () => {
  for (const [name, text] of policySchemaFiles())
    assert.equal(readFileSync(`policies/${name}`, 'utf8'), text, `${name} is stale: npm run generate`);
});

const problemsOf = (kind: 'tool_access' | 'approval_required', rules: unknown): string[] => {
  const parsed = parseRules(kind, rules);
  return parsed.ok ? [] : parsed.problems.map(({ path, message, expected }) => `${path}: ${message}${expected ? ` (${expected})` : ''}`);
};

test('rules that are wrong are refused with every problem, its path, value and what was expected', () => {
  assert.deepEqual(problemsOf('tool_access', [{ effect: 'forbid', tools: ['files', 'a b.c'], rolez: ['x'], message: 'a\0' }, 3]), [
    'rules[0].effect: expected one of "allow"|"deny", got "forbid"',
    'rules[0].tools[0]: never matches: tools are named "server.name"; write * for a wildcard, got "files"',
    'rules[0].tools[1]: must hold only visible ASCII characters, no spaces, got "a b.c"',
    'rules[0].message: must not contain the character U+0000 or half of a surrogate pair, got "a\\u0000"',
    'rules[0].rolez: unknown key (one of: effect, tools, roles, environmentKinds, capabilities, risk, when, message)',
    'rules[1]: expected object, received number, got 3',
  ]);
  assert.deepEqual(problemsOf('approval_required', [{ risk: { atLeast: 'huge' }, environmentKinds: [], expiresIn: 'soon' }]), [
    'rules[0].environmentKinds: must not be empty; leave it out to match everything',
    'rules[0].risk: must be { "atLeast": class } or a list of classes; classes are low, medium, high, critical',
    'rules[0].expiresIn: must be a duration from 1s to 30d, such as 30m, 24h or 7d, got "soon"',
  ]);
  assert.deepEqual(problemsOf('tool_access', []), ['rules: must hold at least one rule']);
  assert.deepEqual(problemsOf('tool_access', { rules: [] }), ['rules: expected array, received object']);
});

test('limits of rules: at the limit they pass, one more is refused', () => {
  const rule = (patterns: number) => ({ effect: 'deny', tools: Array(patterns).fill('a.*') });
  assert.deepEqual(problemsOf('tool_access', Array(maxRules).fill(rule(maxPatterns))), []);
  assert.match(problemsOf('tool_access', Array(maxRules + 1).fill(rule(1)))[0]!, /^rules: .*<=100/);
  assert.match(problemsOf('tool_access', [rule(maxPatterns + 1)])[0]!, /^rules\[0\]\.tools: .*<=100/);
  for (const [expiresIn, wrong] of [
    ['1s', 0],
    ['30d', 0],
    ['999ms', 1],
    ['31d', 1],
    ['24 h', 1],
    ['1e9h', 1],
  ] as const) {
    // prettier-ignore
    assert.equal(problemsOf('approval_required', [{ expiresIn }]).length, wrong, expiresIn);
  }
  assert.deepEqual(problemsOf('tool_access', [{ effect: 'deny', tools: ['a.'.padEnd(200, 'x')] }]), []);
  assert.equal(problemsOf('tool_access', [{ effect: 'deny', tools: ['a.'.padEnd(201, 'x')] }]).length, 1);
});

let db: TestDatabase;
before(async () => {
  db = await testDatabase();
});
after(() => db.close());

let now = new Date('2026-11-21T10:00:00.000Z');
const policies = createPolicyService({ clock: { now: () => now } });
const ban: NewPolicy = { name: 'ban', kind: 'tool_access', rules: [{ effect: 'deny', tools: ['*'] }] };

async function policyWorld() {
  const world = await createWorld(db.database);
  const admin = await world.person('admin', world.on('admin'));
  const write = <T>(work: (uow: UnitOfWork) => Promise<T>) => db.database.write(world.tenantId, work);
  const create = (actor: Authority, input: Partial<NewPolicy> = {}) =>
    write((uow) => policies.createPolicy(uow, actor, { ...ban, ...input }));
  const revision = async () =>
    (await write((uow) => uow.rows<{ n: number }>('select policy_revision as n from tenants where id = $1', [world.tenantId])))[0]!.n;
  return { ...world, admin, write, create, revision };
}

test('a policy lives through versions that keep everything, and each change raises the revision once', async () => {
  const { admin, write, create, revision } = await policyWorld();
  const created = await create(admin, { description: 'first' });
  assert.deepEqual([created.version, created.mode, created.priority, created.enabled], [1, 'enforce', 100, true]);
  now = new Date('2026-11-21T11:00:00.000Z');
  const rules = [{ effect: 'deny', tools: ['mail.*'] }];
  const updated = await write((uow) => policies.updatePolicy(uow, admin, { policyId: created.id, expectedVersion: 1, rules, priority: 5 }));
  assert.deepEqual([updated.version, updated.priority, updated.description, updated.rules], [2, 5, 'first', rules]);
  assert.equal(updated.updatedAt.toISOString(), now.toISOString());
  assert.equal(await revision(), 2);
  const same = await write((uow) => policies.updatePolicy(uow, admin, { policyId: created.id, expectedVersion: 2, priority: 5 }));
  assert.equal(same.version, 2);
  await write((uow) => policies.enablePolicy(uow, admin, created.id));
  assert.equal(await revision(), 2);
  await write((uow) => policies.disablePolicy(uow, admin, created.id));
  await write((uow) => policies.enablePolicy(uow, admin, created.id));
  const deleted = await write((uow) => policies.deletePolicy(uow, admin, created.id));
  assert.equal(deleted.deletedAt?.toISOString(), now.toISOString());
  assert.equal(await revision(), 5);
  const [versions, limited] = await write((uow) =>
    Promise.all([policies.versionsOf(uow, [created.id]), policies.versionsOf(uow, [created.id, newId()], { first: 2, before: 4 })]),
  );
  assert.deepEqual(versions[0]!.map(({ version, document }) => [version, document.change, document.enabled, document.priority]), [
    [5, 'deleted', false, 5],
    [4, 'enabled', true, 5],
    [3, 'disabled', false, 5],
    [2, 'updated', true, 5],
    [1, 'created', true, 100],
  ]); // prettier-ignore
  assert.deepEqual(limited.map((list) => list.map(({ version }) => version)), [[3, 2], []]); // prettier-ignore
  assert.equal((await write((uow) => policies.listPolicies(uow, admin, {}, {}))).rows.length, 0);
  assert.equal((await write((uow) => policies.findPolicy(uow, admin, created.id)))?.version, 5);
  await assert.rejects(
    write((uow) => policies.enablePolicy(uow, admin, created.id)),
    InvalidStateError,
  );
  assert.equal((await create(admin)).version, 1, 'the name is free again');
});

test('an update against another version than the current one is a conflict, also when two run at once', async () => {
  const { admin, write, create } = await policyWorld();
  const { id } = await create(admin);
  const update = (priority: number, expectedVersion = 1) =>
    write((uow) => policies.updatePolicy(uow, admin, { policyId: id, expectedVersion, priority }));
  await assert.rejects(update(1, 7), /expectedVersion: the policy "ban" is at version 1, not 7; read it again/);
  const results = await Promise.allSettled([1, 2, 3, 4].map((priority) => update(priority)));
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const result of results) if (result.status === 'rejected') assert.ok(result.reason instanceof ConflictError, String(result.reason));
});

test('a name is unique in the tenant', async () => {
  const { admin, write, create } = await policyWorld();
  await create(admin);
  await assert.rejects(create(admin), /name: there is already a policy "ban"/);
  const { id } = await create(admin, { name: 'other' });
  await assert.rejects(
    write((uow) => policies.updatePolicy(uow, admin, { policyId: id, expectedVersion: 1, name: 'ban' })),
    ConflictError,
  );
});

test('every problem of a policy is reported at once, and nothing is written', async () => {
  const { admin, create, revision } = await policyWorld();
  const wrong = create(admin, { name: 'No Spaces', priority: -1, mode: 'maybe' as never, scope: { tag: '' }, rules: [{}] });
  await assert.rejects(wrong, (error: ValidationError) => {
    const paths = error.problems.map(({ path }) => path);
    assert.deepEqual(paths.sort(), ['mode', 'name', 'priority', 'rules[0].effect', 'rules[0].tools', 'scope.tag']);
    return true;
  });
  await assert.rejects(create(admin, { kind: 'quota' as never }), ValidationError);
  await assert.rejects(create(admin, { description: 'x'.repeat(2_001) }), ValidationError);
  assert.equal(await revision(), 0);
});

test('ids of a scope must exist here, be visible and fit together', async () => {
  const world = await policyWorld();
  const foreign = await createWorld(db.database);
  const { admin, create, otherProjectId, environmentId, agentId, projectId } = world;
  for (const scope of [{ projectId: foreign.projectId }, { environmentId: newId() }, { agentId: 'x' }, { agentId: foreign.agentId }]) {
    await assert.rejects(
      create(admin, { scope }),
      (error: Error) => error instanceof NotFoundError && /^scope\.\w+Id: there is no/.test(error.message),
    );
  }
  await assert.rejects(create(admin, { scope: { projectId: otherProjectId, environmentId } }), /not of one project/);
  const narrow = await create(admin, { scope: { environmentId, agentId, tag: 'ops' } });
  assert.deepEqual([narrow.projectId, narrow.environmentId, narrow.agentId, narrow.tag], [projectId, environmentId, agentId, 'ops']);
  const stranger = await world.person('stranger', world.on('admin', 'project', otherProjectId));
  await assert.rejects(create(stranger, { scope: { projectId } }), NotFoundError);
});

test('who may manage: tenant-wide with the permission on the tenant, else with the permission on the place; moving needs both', async () => {
  const world = await policyWorld();
  const { admin, create, write, projectId, otherProjectId, environmentId, agentId, teamId } = world;
  const projectAdmin = await world.person('pat', world.on('admin', 'project', projectId));
  const environmentAdmin = await world.person('eve', world.on('admin', 'environment', environmentId));
  const teamAdmin = await world.person('tom', world.on('admin', 'team', teamId));
  const viewer = await world.person('val', world.on('viewer'));
  const may = async (actor: Authority, scope: NewPolicy['scope']) => {
    try {
      return (await create(actor, { name: `p-${newId()}`, scope })).id;
    } catch (error) {
      assert.ok(error instanceof ForbiddenError || error instanceof NotFoundError, String(error));
      return null;
    }
  };
  const tag = { tag: 'ops' };
  const scopes = [{}, tag, { projectId }, { environmentId }, { agentId }];
  const allowed = async (actor: Authority) => {
    const answers: boolean[] = [];
    for (const scope of scopes) answers.push((await may(actor, scope)) !== null);
    return answers;
  };
  assert.deepEqual(await allowed(admin), [true, true, true, true, true]);
  assert.deepEqual(await allowed(projectAdmin), [false, false, true, true, true]);
  assert.deepEqual(await allowed(environmentAdmin), [false, false, false, true, false]);
  assert.deepEqual(await allowed(teamAdmin), [false, false, false, false, true]);
  assert.deepEqual(await allowed(viewer), [false, false, false, false, false]);
  const own = await create(projectAdmin, { name: 'own', scope: { projectId } });
  const move = (scope: NewPolicy['scope']) =>
    write((uow) => policies.updatePolicy(uow, projectAdmin, { policyId: own.id, expectedVersion: 1, scope }));
  await assert.rejects(move({}), ForbiddenError);
  await assert.rejects(move({ projectId: otherProjectId }), NotFoundError);
  assert.equal((await move({ environmentId })).environmentId, environmentId);
  for (const change of ['enablePolicy', 'disablePolicy', 'deletePolicy'] as const) {
    await assert.rejects(
      write((uow) => policies[change](uow, viewer, own.id)),
      ForbiddenError,
      change,
    );
    await assert.rejects(
      write((uow) => policies[change](uow, admin, newId())),
      NotFoundError,
      change,
    );
    await assert.rejects(
      write((uow) => policies[change](uow, admin, 'nonsense')),
      NotFoundError,
      change,
    );
  }
});

test('reading: each sees the policies of what they may read, in lists and by id; another tenant nothing', async () => {
  const world = await policyWorld();
  const { admin, create, write, projectId, otherProjectId, environmentId, agentId, teamId } = world;
  for (const [name, scope] of Object.entries({
    tenant: {},
    project: { projectId },
    other: { projectId: otherProjectId },
    environment: { environmentId },
    agent: { agentId },
  })) {
    // prettier-ignore
    await create(admin, { name, scope });
  }
  const all = (await write((uow) => policies.listPolicies(uow, admin, {}, {}))).rows;
  const seen = async (actor: Authority) => {
    const { rows } = await write((uow) => policies.listPolicies(uow, actor, {}, {}));
    const byId = await write((uow) => policies.policiesByIds(uow, actor, [...all.map(({ id }) => id), 'nonsense']));
    const names = rows.map(({ name }) => name).sort();
    assert.deepEqual(byId.map(({ name }) => name).sort(), names);
    return names.join(' ');
  };
  assert.equal(await seen(admin), 'agent environment other project tenant');
  assert.equal(await seen(await world.person('a', world.on('viewer', 'project', projectId))), 'agent environment project');
  assert.equal(await seen(await world.person('b', world.on('viewer', 'environment', environmentId))), 'agent environment project');
  assert.equal(await seen(await world.person('c', world.on('viewer', 'team', teamId))), 'agent');
  assert.equal(await seen(await world.person('d')), '');
  assert.equal(await seen(await world.person('e', world.on('service'))), '');
  const foreign = await policyWorld();
  assert.deepEqual(await foreign.write((uow) => policies.policiesByIds(uow, foreign.admin, all.map(({ id }) => id))), []); // prettier-ignore
  await assert.rejects(
    foreign.write((uow) => policies.deletePolicy(uow, foreign.admin, all[0]!.id)),
    NotFoundError,
  );
});

test('lists filter and page', async () => {
  const { admin, create, write, projectId, agentId } = await policyWorld();
  await create(admin, { name: 'a', mode: 'observe', enabled: false });
  await create(admin, { name: 'b', kind: 'approval_required', rules: [{}], scope: { projectId, tag: 'ops' } });
  await create(admin, { name: 'c', scope: { agentId } });
  const names = async (filter: Parameters<typeof policies.listPolicies>[2], page = {}) =>
    (await write((uow) => policies.listPolicies(uow, admin, filter, page))).rows.map(({ name }) => name).join('');
  assert.equal(await names({}), 'cba');
  assert.equal(await names({ mode: 'observe' }), 'a');
  assert.equal(await names({ enabled: true }), 'cb');
  assert.equal(await names({ kind: 'approval_required' }), 'b');
  assert.equal(await names({ projectId }), 'cb');
  assert.equal(await names({ agentId }), 'c');
  assert.equal(await names({ tag: 'ops' }), 'b');
  assert.equal(await names({}, { first: 2 }), 'cb');
  await assert.rejects(names({ agentId: 'x' }), /filter\.agentId: "x" is not an id/);
  await assert.rejects(names({ tag: '\0' }), ValidationError);
  await assert.rejects(names({}, { first: 101 }), ValidationError);
});

// Tenants and what they contain, through the API: the first start, names, lists and pages, changing and deleting, people.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toGlobalId } from '#schema/ids.ts';
import { systemClock } from '#src/platform/clock.ts';
import { newId } from '#src/platform/ids.ts';
import { createAuthenticator } from '#src/principals/authenticate.ts';
import { ensureFirstTenant, newAdminKey } from '#src/principals/bootstrap.ts';
import { can } from '#src/authority/permission.ts';
import { testDatabase } from './harness/database.ts';
import { testServer, type Caller, type TestServer } from './harness/graphql.ts';
import type { Home } from './harness/people.ts';

let server: TestServer;
let home: Home;
let other: Home;
before(async () => {
  server = await testServer();
  home = server.people.operator;
  other = server.people.other;
});
after(() => server.close());

const fresh = (prefix = 'n') => `${prefix}-${newId()}`;
async function mutate(name: string, input: object, fields = '', as: Caller = home.adminKey) {
  const Name = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
  const { data, errors } = await server.gql(
    `mutation ($input: ${Name}Input!) { ${name}(input: $input) { __typename ... on ${Name}Success { ${fields || '__typename'} }
       ... on Error { code message } ... on ValidationError { problems { path message expected } } } }`,
    { input },
    { as },
  );
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data![name];
}
async function query(text: string, as: Caller = home.adminKey) {
  const { data, errors } = await server.gql(text, {}, { as });
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data!;
}

test('two processes that start at once on an empty database make one tenant with one admin key', async () => {
  const db = await testDatabase();
  const authenticator = createAuthenticator({ database: db.database, clock: systemClock, issuers: [] });
  try {
    const mine = newAdminKey();
    const outcomes = await Promise.all([
      ensureFirstTenant(db.database, systemClock),
      ensureFirstTenant(db.database, systemClock, { adminKey: mine }),
      ensureFirstTenant(db.database, systemClock),
    ]);
    const created = outcomes.flatMap((outcome) => (outcome.created ? [outcome] : []));
    assert.equal(created.length, 1);
    const authority = await authenticator.authenticate(created[0]!.adminKey);
    assert.deepEqual([authority.principalName, authority.principalKind], ['admin', 'service_account']);
    assert.ok(can(authority, 'tenant.create'));
    assert.deepEqual(await ensureFirstTenant(db.database, systemClock, { adminKey: mine }), { created: false });
    await assert.rejects(ensureFirstTenant(db.database, systemClock, { adminKey: 'secret' }), /is not an API key/);
  } finally {
    await authenticator.close();
    await db.close();
  }
});

test('a new tenant starts with an administrator whose key works there and sees nothing of the others', async () => {
  const name = fresh('acme');
  const { tenant, adminKey } = await mutate('createTenant', { name }, 'tenant { id name isOperator } adminKey');
  assert.deepEqual([tenant.name, tenant.isOperator], [name, false]);
  const { viewer, projects } = await query(
    '{ viewer { tenant { id } principal { name } permissions } projects { edges { node { id } } } }',
    adminKey,
  );
  assert.deepEqual([viewer.tenant.id, viewer.principal.name, projects.edges], [tenant.id, 'admin', []]);
  assert.ok(!viewer.permissions.includes('TENANT_CREATE') && viewer.permissions.includes('PROJECT_MANAGE'));
  const { node } = await query(`{ node(id: "${tenant.id}") { id } }`);
  assert.equal(node, null, 'not even the operator sees into it');
});

test('names are slugs of at most 63 characters, unique in their place; everything wrong is said at once', async () => {
  const longest = `a${'b'.repeat(62)}`;
  assert.equal((await mutate('createProject', { name: longest })).__typename, 'CreateProjectSuccess');
  assert.equal((await mutate('createProject', { name: longest })).code, 'CONFLICT');
  assert.equal((await mutate('createProject', { name: longest }, '', other.adminKey)).__typename, 'CreateProjectSuccess');
  for (const name of [`${longest}c`, '', 'Big', '1st', 'a b', 'a_b', 'ä', 'a\n']) {
    assert.equal((await mutate('createTeam', { name })).problems[0].path, 'name', JSON.stringify(name));
  }
  const both = await mutate('createProject', { name: 'No', description: `\0${'x'.repeat(2_000)}` });
  assert.deepEqual(
    both.problems.map(({ path }: { path: string }) => path),
    ['name', 'description', 'description'],
  );
  assert.equal((await mutate('createProject', { name: fresh(), description: 'x'.repeat(2_000) })).__typename, 'CreateProjectSuccess');
  const environment = { projectId: toGlobalId('Project', home.project), name: 'staging', kind: 'STAGING' };
  assert.equal((await mutate('createEnvironment', environment)).code, 'CONFLICT');
  const elsewhere = { ...environment, projectId: toGlobalId('Project', home.otherProject) };
  assert.equal((await mutate('createEnvironment', elsewhere)).__typename, 'CreateEnvironmentSuccess');
});

test('what is left out of a change stays; a taken name is a conflict', async () => {
  const { project } = await mutate('createProject', { name: fresh(), description: 'before' }, 'project { id name }');
  const changed = await mutate('updateProject', { projectId: project.id, description: '' }, 'project { name description }');
  assert.deepEqual(changed.project, { name: project.name, description: '' });
  assert.equal((await mutate('updateProject', { projectId: project.id, name: 'one' })).code, 'CONFLICT');
  assert.equal((await mutate('updateTeam', { teamId: toGlobalId('Team', home.team), name: 'blue' })).code, 'CONFLICT');
});

test('an environment’s kind is changed by its project’s admin, not by its own', async () => {
  const { environment } = await mutate(
    'createEnvironment',
    { projectId: toGlobalId('Project', home.project), name: fresh(), kind: 'PRODUCTION' },
    'environment { id kind }',
  );
  const id = Buffer.from(environment.id, 'base64').toString().split(':')[1]!;
  const own = await home.principal([['admin', 'environment', id]]);
  const change = { environmentId: environment.id, kind: 'DEVELOPMENT' };
  assert.equal((await mutate('updateEnvironment', change, '', own)).code, 'FORBIDDEN');
  const projectAdmin = await home.principal([['admin', 'project', home.project]]);
  const changed = await mutate('updateEnvironment', change, 'environment { kind project { name } }', projectAdmin);
  assert.deepEqual(changed.environment, { kind: 'DEVELOPMENT', project: { name: 'one' } });
});

test('only what is empty can be deleted, and the answer names what is left; grants on it go with it', async () => {
  const { project } = await mutate('createProject', { name: fresh() }, 'project { id }');
  const { environment } = await mutate('createEnvironment', { projectId: project.id, name: 'only', kind: 'STAGING' }, 'environment { id }');
  const { principal } = await mutate('createPrincipal', { kind: 'WORKER', name: fresh() }, 'principal { id }');
  for (const scopeId of [project.id, environment.id]) await mutate('grantRole', { role: 'SERVICE', scopeId, granteeId: principal.id });
  const { apiKey } = await mutate(
    'createApiKey',
    { principalId: principal.id, name: 'k', roles: ['SERVICE'], environmentId: environment.id },
    'apiKey { id }',
  );
  assert.match((await mutate('deleteProject', { projectId: project.id })).message, /not empty: it still has environments$/);
  assert.match((await mutate('deleteEnvironment', { environmentId: environment.id })).message, /still has API keys that are not revoked$/);
  await mutate('revokeApiKey', { apiKeyId: apiKey.id });
  assert.equal((await mutate('deleteEnvironment', { environmentId: environment.id }, 'environmentId')).environmentId, environment.id);
  assert.equal((await mutate('deleteProject', { projectId: project.id }, 'projectId')).projectId, project.id);
  const left = await query(
    `{ roleGrants(principalId: "${principal.id}") { edges { node { id } } } node(id: "${apiKey.id}") { ... on ApiKey { environment { id } } } }`,
  );
  assert.deepEqual([left.roleGrants.edges, left.node], [[], { environment: null }]);

  const { team } = await mutate('createTeam', { name: fresh() }, 'team { id }');
  await mutate('grantRole', { role: 'VIEWER', scopeId: toGlobalId('Project', home.project), granteeId: team.id });
  await mutate('addTeamMember', { teamId: team.id, principalId: principal.id });
  assert.match((await mutate('deleteTeam', { teamId: team.id })).message, /still has members$/);
  await mutate('removeTeamMember', { teamId: team.id, principalId: principal.id });
  assert.equal((await mutate('deleteTeam', { teamId: team.id }, 'teamId')).teamId, team.id);
  assert.equal((await mutate('deleteTeam', { teamId: team.id })).code, 'NOT_FOUND');
});

test('lists are paged newest first and narrowed by their filters; foreign parents give nothing', async () => {
  const projectId = (await mutate('createProject', { name: fresh() }, 'project { id }')).project.id;
  for (const [name, kind] of [
    ['a', 'STAGING'],
    ['b', 'PRODUCTION'],
    ['c', 'STAGING'],
  ] as const)
    await mutate('createEnvironment', { projectId, name, kind });
  const page = async (rest: string, id = projectId) =>
    (await query(`{ environments(projectId: "${id}"${rest}) { edges { cursor node { name } } pageInfo { hasNextPage endCursor } } }`))
      .environments;
  const names = (answer: { edges: { node: { name: string } }[] }) => answer.edges.map(({ node }) => node.name);
  const first = await page(', first: 2');
  assert.deepEqual([names(first), first.pageInfo.hasNextPage], [['c', 'b'], true]);
  const second = await page(`, first: 2, after: "${first.pageInfo.endCursor}"`);
  assert.deepEqual([names(second), second.pageInfo.hasNextPage], [['a'], false]);
  assert.deepEqual(names(await page(', kind: STAGING')), ['c', 'a']);
  assert.deepEqual(names(await page(', name: "b"')), ['b']);
  assert.deepEqual(names(await page('', toGlobalId('Project', other.project))), []);
  for (const size of [0, 101]) {
    const { errors } = await server.gql(`{ projects(first: ${size}) { edges { cursor } } }`);
    assert.equal(errors?.[0]?.extensions.code, 'VALIDATION_FAILED');
  }
  const { errors } = await server.gql(`{ projects(after: "${first.pageInfo.endCursor}") { edges { cursor } } }`);
  assert.equal(errors?.[0]?.extensions.code, 'INVALID_CURSOR');
});

test('nested lists cost the same number of statements however many parents there are', async () => {
  // Each list in an operation of its own: side by side they share loaders, and whether two of them ask in the same
  // moment is chance.
  const lists: Record<string, (first: number) => string> = {
    projects: (first) =>
      `projects(first: ${first}) { edges { node { environments(first: 2) { edges { node { name project { name } } } } } } }`,
    teams: (first) => `teams(first: ${first}) { edges { node { members { edges { node { teams { edges { node { name } } } } } }
      roleGrants { edges { node { role } } } } } }`,
    principals: (
      first,
    ) => `principals(first: ${first}) { edges { node { name teams { edges { node { name } } } apiKeys { edges { node { roles } } }
      roleGrants { edges { node { role project { name } environment { name } createdBy { name } } } } } } }`,
  };
  for (let i = 0; i < 3; i++) {
    const member = await home.principal([['viewer', 'project', home.project]]);
    await mutate('addTeamMember', { teamId: toGlobalId('Team', home.team), principalId: toGlobalId('Principal', member.principalId) });
    await mutate('createProject', { name: fresh() });
  }
  for (const [name, list] of Object.entries(lists)) {
    const few = await server.countStatements(() => query(`{ ${list(1)} }`)); // the newest may be empty: up to two loads less
    const many = await server.countStatements(() => query(`{ ${list(20)} }`));
    assert.ok(many.result[name].edges.length > few.result[name].edges.length, name);
    assert.ok(many.statements.length <= few.statements.length + 2, `${name}: ${many.statements.join('\n')}`);
    assert.ok(many.statements.length <= 9, `${name}: ${many.statements.join('\n')}`);
  }
});

test('a person may be bound to a token’s subject; machines have slugs; what is wrong is named', async () => {
  const issuer = 'https://login.example.com';
  const ada = { kind: 'USER', name: 'Ada Lovelace', email: 'ada@example.com', issuer, subject: 'ada-1' };
  const { principal } = await mutate('createPrincipal', ada, 'principal { id kind name email issuer subject disabledAt }');
  assert.deepEqual({ ...principal, id: '' }, { ...ada, id: '', disabledAt: null });
  assert.equal((await mutate('createPrincipal', ada)).code, 'CONFLICT');
  assert.match((await mutate('createPrincipal', { ...ada, name: 'Another Ada' })).message, /subject: "ada-1" of .* already is a principal/);
  const problems = async (input: object) =>
    (await mutate('createPrincipal', { kind: 'USER', name: 'Someone', ...input })).problems?.map(({ path }: { path: string }) => path);
  assert.deepEqual(await problems({ kind: 'WORKER', name: 'Not A Slug', email: 'nowhere', issuer, subject: 'x' }), [
    'name',
    'email',
    'subject',
  ]);
  assert.deepEqual(await problems({ name: ' padded ' }), ['name']);
  assert.deepEqual(await problems({ name: 'right\u202eto left' }), ['name']);
  assert.deepEqual(await problems({ name: 'x'.repeat(201) }), ['name']);
  assert.deepEqual(await problems({ issuer }), ['subject']);
  assert.deepEqual(await problems({ issuer: 'nowhere', subject: 'x' }), ['issuer']);

  const details = `{ node(id: "${principal.id}") { ... on Principal { name email subject } } }`;
  const viewer = await home.principal([['viewer', 'project', home.project]]);
  assert.deepEqual((await query(details, viewer)).node, { name: 'Ada Lovelace', email: null, subject: null });
  assert.equal((await query(details, await home.principal())).node, null);
  const projectAdmin = await home.principal([['admin', 'project', home.project]]);
  assert.equal((await query(details, projectAdmin)).node.email, 'ada@example.com');
});

test('who is disabled is refused at once and let in again when enabled', async () => {
  const { principal } = await mutate('createPrincipal', { kind: 'SERVICE_ACCOUNT', name: fresh() }, 'principal { id }');
  await mutate('grantRole', { role: 'VIEWER', scopeId: toGlobalId('Tenant', home.tenantId), granteeId: principal.id });
  const { token } = await mutate('createApiKey', { principalId: principal.id, name: 'k', roles: ['VIEWER'] }, 'token');
  const ask = () => server.gql('{ viewer { principal { id } } }', {}, { as: token });
  assert.equal((await ask()).status, 200);
  const disabled = await mutate('disablePrincipal', { principalId: principal.id }, 'principal { disabledAt }');
  const again = await mutate('disablePrincipal', { principalId: principal.id }, 'principal { disabledAt }');
  assert.ok(disabled.principal.disabledAt && disabled.principal.disabledAt === again.principal.disabledAt);
  const refused = await ask();
  assert.deepEqual([refused.status, refused.errors?.[0]?.extensions.code], [401, 'UNAUTHENTICATED']);
  assert.deepEqual((await mutate('enablePrincipal', { principalId: principal.id }, 'principal { disabledAt }')).principal, {
    disabledAt: null,
  });
  assert.equal((await ask()).status, 200);
});

test('two changes of one project at the same moment both hold', async () => {
  const { project } = await mutate('createProject', { name: fresh() }, 'project { id }');
  const name = fresh();
  await Promise.all([
    mutate('updateProject', { projectId: project.id, name }),
    mutate('updateProject', { projectId: project.id, description: 'changed' }),
  ]);
  assert.deepEqual((await query(`{ node(id: "${project.id}") { ... on Project { name description } } }`)).node, {
    name,
    description: 'changed',
  });
});

test('a role on a team shows the projects and environments where the team’s agents live, and no others', async () => {
  const { team } = await mutate('createTeam', { name: fresh() }, 'team { id }');
  const teamId = Buffer.from(team.id, 'base64').toString().split(':')[1]!;
  const actor = await home.principal([['operator', 'team', teamId]]);
  const seen = async () => {
    const { projects, environments } = await query(
      '{ projects { edges { node { name } } } environments { edges { node { name } } } }',
      actor,
    );
    return [projects, environments].map(({ edges }) => edges.map(({ node }: { node: { name: string } }) => node.name));
  };
  assert.deepEqual(await seen(), [[], []]);
  await home.write((uow) =>
    uow.rows(
      `insert into agents (id, tenant_id, project_id, team_id, name, status, created_by, created_at, updated_at)
       values ($1, $2, $3, $4, 'theirs', 'active', $5, now(), now())`,
      [newId(), home.tenantId, home.otherProject, teamId, home.admin.principalId],
    ),
  );
  const [projects, environments] = await seen();
  assert.deepEqual(projects, ['two']);
  assert.ok(
    environments!.every((name: string) => name === 'staging'),
    'only those of that project',
  );
  assert.match((await mutate('deleteTeam', { teamId: team.id })).message, /still has agents$/);
});

// Handing on rights: nobody gives what they do not hold, no tenant loses its last administrator, and `viewer` tells what one may do.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { toGlobalId } from '#schema/ids.ts';
import { ConflictError, ForbiddenError, InvalidStateError, NotFoundError, ValidationError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import { can, roles, type Authority, type Role } from '#src/authority/permission.ts';
import { testServer, type TestServer } from './harness/graphql.ts';
import type { Home, Scope } from './harness/people.ts';

let server: TestServer;
let home: Home;
let other: Home;
before(async () => {
  server = await testServer();
  home = server.people.operator;
  other = server.people.other;
});
after(() => server.close());

const give = (
  actor: Authority,
  role: Role,
  [scopeKind, scopeId]: Scope,
  to: { principalId?: string; granteeTeamId?: string },
  where = home,
) => where.write((uow) => server.people.grants.grantRole(uow, actor, { role, scopeKind, scopeId, ...to }));
const revoke = (actor: Authority, grantId: string, where = home) =>
  where.write((uow) => server.people.grants.revokeRole(uow, actor, { grantId }));
const join = (actor: Authority, teamId: string, principalId: string) =>
  home.write((uow) => server.people.principals.addTeamMember(uow, actor, { teamId, principalId }));
const leave = (actor: Authority, teamId: string, principalId: string, where = home) =>
  where.write((uow) => server.people.principals.removeTeamMember(uow, actor, { teamId, principalId }));
const newTeam = async (where = home) =>
  (await where.write((uow) => server.people.tenants.createTeam(uow, where.admin, { name: `t-${newId()}` }))).id;

test('a project’s admin gives every role within the project and none outside it', async () => {
  const admin = await home.principal([
    ['admin', 'project', home.project],
    ['viewer', 'tenant', home.tenantId],
  ]);
  const { principalId } = await home.principal();
  for (const role of roles) {
    await give(admin, role, ['project', home.project], { principalId });
    await give(admin, role, ['environment', home.staging], { principalId });
    for (const scope of [
      ['tenant', home.tenantId],
      ['project', home.otherProject],
      ['team', home.team],
    ] as const) {
      await assert.rejects(give(admin, role, scope, { principalId }), ForbiddenError, `${role} on ${scope[0]}`);
    }
  }
  await assert.rejects(give(admin, 'viewer', ['project', home.project], { principalId }), ConflictError);
});

test('an admin of one environment gives nothing on its project, though they read it', async () => {
  const admin = await home.principal([['admin', 'environment', home.staging]]);
  const { principalId } = await home.principal();
  await give(admin, 'operator', ['environment', home.staging], { principalId });
  await assert.rejects(give(admin, 'viewer', ['project', home.project], { principalId }), ForbiddenError);
  await assert.rejects(give(admin, 'viewer', ['environment', home.production], { principalId }), NotFoundError);
});

test('a scope or grantee of another tenant, malformed or absent, does not exist', async () => {
  const { principalId } = await home.principal();
  for (const scope of [
    ['tenant', other.tenantId],
    ['project', other.project],
    ['environment', other.staging],
    ['team', other.team],
    ['project', newId()],
    ['environment', home.project],
    ['team', "'; drop"],
  ] as const) {
    await assert.rejects(give(home.admin, 'viewer', scope, { principalId }), NotFoundError, scope.join(' '));
  }
  const place = ['project', home.project] as const;
  await assert.rejects(give(home.admin, 'viewer', place, { principalId: other.admin.principalId }), NotFoundError);
  await assert.rejects(give(home.admin, 'viewer', place, { granteeTeamId: other.team }), NotFoundError);
  await assert.rejects(give(home.admin, 'viewer', place, {}), ValidationError);
  await assert.rejects(give(home.admin, 'viewer', place, { principalId, granteeTeamId: home.team }), ValidationError);
  await assert.rejects(give(home.admin, 'owner' as Role, place, { principalId }), /"owner" is not a role/);
  const grant = await give(home.admin, 'viewer', place, { principalId });
  await assert.rejects(revoke(other.admin, grant.id, other), NotFoundError);
  await revoke(home.admin, grant.id);
  await assert.rejects(revoke(home.admin, grant.id), NotFoundError);
});

test('a role given to a team reaches its members, as long as they are in it', async () => {
  const team = await newTeam();
  const member = await home.principal();
  await give(home.admin, 'operator', ['project', home.project], { granteeTeamId: team });
  await join(home.admin, team, member.principalId);
  await join(home.admin, team, member.principalId);
  const may = async () => can(await home.again(member), 'execution.start', { projectId: home.project });
  assert.ok(await may());
  await leave(home.admin, team, member.principalId);
  assert.ok(!(await may()));
  await assert.rejects(leave(home.admin, team, member.principalId), NotFoundError);
});

test('a team’s admin cannot let people into a team that has been given more than the admin holds', async () => {
  const team = await newTeam();
  const lead = await home.principal([['admin', 'team', team]]);
  await join(lead, team, (await home.principal()).principalId);
  await give(home.admin, 'viewer', ['project', home.project], { granteeTeamId: team });
  await assert.rejects(join(lead, team, lead.principalId), /role viewer on a project where you do not hold it/);
  await assert.rejects(give(lead, 'admin', ['tenant', home.tenantId], { granteeTeamId: team }), ForbiddenError);
});

test('the last administrator keeps the role: not revoked, not disabled, not taken out of the team that gives it', async () => {
  const { tenantId, admin } = other;
  const [grant] = (await other.read((uow) => server.people.grants.listGrants(uow, admin, { principalId: admin.principalId }))).rows;
  const disable = (principalId: string) => other.write((uow) => server.people.principals.disablePrincipal(uow, admin, { principalId }));
  await assert.rejects(revoke(admin, grant!.id, other), InvalidStateError);
  await assert.rejects(disable(admin.principalId), InvalidStateError);

  const team = await newTeam(other);
  await give(admin, 'admin', ['tenant', tenantId], { granteeTeamId: team }, other);
  await assert.rejects(revoke(admin, grant!.id, other), /without an administrator/, 'the team is empty');
  const second = await other.principal();
  await other.write((uow) => server.people.principals.addTeamMember(uow, admin, { teamId: team, principalId: second.principalId }));
  await revoke(admin, grant!.id, other);
  const deputy = await other.again(second);
  await assert.rejects(leave(deputy, team, second.principalId, other), InvalidStateError);
  const remaining = (await other.read((uow) => server.people.grants.listGrants(uow, deputy, { granteeTeamId: team }))).rows[0]!;
  await assert.rejects(revoke(deputy, remaining.id, other), InvalidStateError);
  await give(deputy, 'admin', ['tenant', tenantId], { principalId: admin.principalId }, other);
  await leave(deputy, team, second.principalId, other);
});

test('two administrators who remove each other at the same moment leave one', async () => {
  const id = newId();
  const { apiKey } = await server.database.write(id, (uow) =>
    server.people.tenants.createTenant(uow, home.admin, { name: `duel-${id.slice(-6)}` }),
  );
  const first = await server.people.authenticator.authenticate(apiKey);
  const write = <T>(work: Parameters<typeof server.database.write<T>>[1]) => server.database.write(id, work);
  const { id: secondId } = await write((uow) =>
    server.people.principals.createPrincipal(uow, first, { kind: 'user', name: 'Second Admin' }),
  );
  await write((uow) =>
    server.people.grants.grantRole(uow, first, { role: 'admin', scopeKind: 'tenant', scopeId: id, principalId: secondId }),
  );
  const second = { ...first, principalId: secondId, apiKeyId: undefined };
  const outcomes = await Promise.allSettled([
    write((uow) => server.people.principals.disablePrincipal(uow, first, { principalId: secondId })),
    write((uow) => server.people.principals.disablePrincipal(uow, second, { principalId: first.principalId })),
  ]);
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
});

test('viewer says who I am, with which key, and what I may do in the tenant and at a place', async () => {
  const admin = await home.principal([['operator', 'project', home.project]]);
  const { token } = await home.write((uow) =>
    server.people.apiKeys.createApiKey(uow, admin, { name: 'laptop', roles: ['operator'], environmentId: home.staging }),
  );
  const place = (type: string, id: string) => `${type.toLowerCase()}Id: "${toGlobalId(type, id)}"`;
  const ask = (label: string, where: string) => `${label}: can(permission: EXECUTION_START${where && `, ${where}`})`;
  const { data, errors } = await server.gql(
    `{ viewer {
      principal { id name kind teams { edges { node { name } } } apiKeys { edges { node { name } } } }
      tenant { name isOperator } apiKey { name roles environment { name project { name } } principal { id } } expiresAt permissions
      roles { role scopeKind project { id } environment { id } team { id } }
      ${ask('anywhere', '')} ${ask('inProject', place('Project', home.project))} ${ask('staging', place('Environment', home.staging))}
      ${ask('production', place('Environment', home.production))} ${ask('foreign', place('Environment', other.staging))}
      ${ask('both', `${place('Project', home.project)}, ${place('Environment', home.staging)}`)}
      ${ask('mismatch', `${place('Project', home.otherProject)}, ${place('Environment', home.staging)}`)}
    } }`,
    {},
    { as: token },
  );
  assert.equal(errors, undefined, JSON.stringify(errors));
  const { viewer } = data!;
  assert.equal(viewer.principal.id, toGlobalId('Principal', admin.principalId));
  assert.deepEqual(viewer.principal.apiKeys.edges, [{ node: { name: 'laptop' } }]);
  assert.deepEqual(viewer.tenant, { name: 'default', isOperator: true });
  assert.deepEqual(viewer.apiKey.environment, { name: 'staging', project: { name: 'one' } });
  assert.deepEqual(viewer.permissions, []);
  const environment = { id: toGlobalId('Environment', home.staging) };
  assert.deepEqual(viewer.roles, [{ role: 'OPERATOR', scopeKind: 'ENVIRONMENT', project: null, environment, team: null }]);
  const { anywhere, inProject, staging, production, foreign, both, mismatch } = viewer;
  assert.deepEqual([anywhere, inProject, staging, both], [false, false, true, true]);
  assert.deepEqual([production, foreign, mismatch], [false, false, false]);

  const boss = await server.gql(
    `{ viewer { permissions roles { role scopeKind } ${ask('foreign', place('Project', other.project))} ${ask('own', place('Team', home.team))} } }`,
  );
  assert.ok(boss.data!['viewer'].permissions.includes('TENANT_CREATE'));
  assert.deepEqual([boss.data!['viewer'].foreign, boss.data!['viewer'].own], [false, true]);
});

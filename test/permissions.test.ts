// Every permission of identity with its refusal, through the HTTP API: allowed at the place, refused without it, elsewhere, and from another tenant.
import '#test/harness/gateway-fields.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { toGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import { limitGrants } from '#src/authority/grants.ts';
import { can, permissions, roles, type Authority, type Grant, type Place, type Role } from '#src/authority/permission.ts';
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

const fresh = () => `n-${newId()}`;
const type = (name: string) => (id: string) => toGlobalId(name, id);
const [Project, Environment, Team, Principal] = [type('Project'), type('Environment'), type('Team'), type('Principal')];
const [Tenant, RoleGrant] = [type('Tenant'), type('RoleGrant')];

interface Case {
  readonly name: string;
  /** Where the permission is needed: a role on this place suffices. */
  readonly place: (home: Home) => Scope;
  /** A place beside it, where holding everything must not help. */
  readonly beside: (home: Home) => Scope;
  readonly input: (home: Home) => Promise<Record<string, unknown>>;
  /** Codes for one who may read everything, for an admin of the place beside, for one without any role; FORBIDDEN unless given. */
  readonly refusals?: readonly string[];
  /** It names nothing that exists: there is nothing to try from another tenant. */
  readonly withoutIds?: boolean;
}

const tenant = (h: Home): Scope => ['tenant', h.tenantId];
const project = (h: Home): Scope => ['project', h.project];
const otherProject = (h: Home): Scope => ['project', h.otherProject];
const team = (h: Home): Scope => ['team', h.team];
const otherTeam = (h: Home): Scope => ['team', h.otherTeam];
const onTenant = { place: tenant, beside: project };
const onProject = { place: project, beside: otherProject };
const onTeam = { place: team, beside: otherTeam };

const someone = async (h: Home) => Principal((await h.principal()).principalId);
const newProject = async (h: Home) => (await h.write((uow) => server.people.tenants.createProject(uow, h.admin, { name: fresh() }))).id;
const newEnvironment = (h: Home, projectId: string) =>
  h.write(async (uow) => (await server.people.tenants.createEnvironment(uow, h.admin, { projectId, name: fresh(), kind: 'staging' })).id);
const newGrant = async (h: Home, role: Role, [scopeKind, scopeId]: Scope) => {
  const { principalId } = await h.principal();
  return (await h.write((uow) => server.people.grants.grantRole(uow, h.admin, { role, scopeKind, scopeId, principalId }))).id;
};

const cases: readonly Case[] = [
  { name: 'createProject', ...onTenant, input: async () => ({ name: fresh() }), withoutIds: true },
  { name: 'updateProject', ...onProject, input: async (h) => ({ projectId: Project(h.project), description: 'changed' }) },
  { name: 'createEnvironment', ...onProject, input: async (h) => ({ projectId: Project(h.project), name: fresh(), kind: 'STAGING' }) },
  {
    name: 'updateEnvironment',
    place: (h) => ['environment', h.staging],
    beside: (h) => ['environment', h.production],
    input: async (h) => ({ environmentId: Environment(h.staging), name: fresh() }),
  },
  {
    name: 'deleteEnvironment',
    ...onProject,
    input: async (h) => ({ environmentId: Environment(await newEnvironment(h, h.project)) }),
  },
  { name: 'createTeam', ...onTenant, input: async () => ({ name: fresh() }), withoutIds: true },
  { name: 'updateTeam', ...onTeam, input: async (h) => ({ teamId: Team(h.team), name: fresh() }) },
  { name: 'addTeamMember', ...onTeam, input: async (h) => ({ teamId: Team(h.team), principalId: await someone(h) }) },
  {
    name: 'removeTeamMember',
    ...onTeam,
    input: async (h) => {
      const { principalId } = await h.principal();
      await h.write((uow) => server.people.principals.addTeamMember(uow, h.admin, { teamId: h.team, principalId }));
      return { teamId: Team(h.team), principalId: Principal(principalId) };
    },
  },
  { name: 'createPrincipal', ...onTenant, input: async () => ({ kind: 'SERVICE_ACCOUNT', name: fresh() }), withoutIds: true },
  { name: 'disablePrincipal', ...onTenant, input: async (h) => ({ principalId: await someone(h) }) },
  { name: 'enablePrincipal', ...onTenant, input: async (h) => ({ principalId: await someone(h) }) },
  {
    name: 'grantRole',
    ...onProject,
    input: async (h) => ({ role: 'OPERATOR', scopeId: Environment(h.staging), granteeId: await someone(h) }),
  },
  { name: 'grantRole', ...onTeam, input: async (h) => ({ role: 'ADMIN', scopeId: Team(h.team), granteeId: Team(h.otherTeam) }) },
  {
    name: 'grantRole',
    ...onTenant,
    input: async (h) => ({ role: 'VIEWER', scopeId: Tenant(h.tenantId), granteeId: await someone(h) }),
  },
  {
    name: 'revokeRole',
    ...onProject,
    input: async (h) => ({ grantId: RoleGrant(await newGrant(h, 'viewer', project(h))) }),
    refusals: ['FORBIDDEN', 'NOT_FOUND', 'FORBIDDEN'], // a neighbour sees the grants of their own place only
  },
  {
    name: 'createApiKey',
    ...onTenant,
    input: async (h) => ({
      name: 'for another',
      roles: ['VIEWER'],
      principalId: Principal((await h.principal([['viewer', 'project', h.project]])).principalId),
    }),
    refusals: ['FORBIDDEN', 'FORBIDDEN', 'NOT_FOUND'], // without any role one sees nobody but oneself
  },
];

const answerOf = async (name: string, input: unknown, as: Authority | string) => {
  const Input = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}Input`;
  const text = `mutation ($input: ${Input}!) { ${name}(input: $input) { __typename ... on Error { code message } } }`;
  const { data, errors } = await server.gql(text, { input }, { as });
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data![name] as { __typename: string; code?: string; message?: string };
};

describe('each mutation', () => {
  for (const { name, place, beside, input, refusals, withoutIds } of cases) {
    const Success = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}Success`;
    test(`${name}: allowed to an admin of the place, refused to everyone else`, async () => {
      const admin = await home.principal([['admin', ...place(home)]]);
      assert.equal((await answerOf(name, await input(home), admin)).__typename, Success);

      const reader = await home.principal([['viewer', ...tenant(home)]]);
      const neighbour = await home.principal([
        ['viewer', ...tenant(home)],
        ['admin', ...beside(home)],
      ]);
      const nobody = await home.principal();
      const codes: (string | undefined)[] = [];
      for (const actor of [reader, neighbour, nobody]) codes.push((await answerOf(name, await input(home), actor)).code);
      assert.deepEqual(codes, refusals ?? ['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN']);
      if (withoutIds) return;
      const foreign = await answerOf(name, await input(home), other.adminKey);
      assert.equal(foreign.code, 'NOT_FOUND', JSON.stringify(foreign));
    });
  }

  test('deleteProject and deleteTeam: allowed to an admin of that very one, refused to everyone else', async () => {
    for (const [name, kind, key, make] of [
      ['deleteProject', 'project', 'projectId', newProject],
      [
        'deleteTeam',
        'team',
        'teamId',
        async (h: Home) => (await h.write((uow) => server.people.tenants.createTeam(uow, h.admin, { name: fresh() }))).id,
      ],
    ] as const) {
      const id = await make(home);
      const input = { [key]: toGlobalId(kind === 'project' ? 'Project' : 'Team', id) };
      const beside = await home.principal([
        ['viewer', ...tenant(home)],
        ['admin', kind, await make(home)],
      ]);
      assert.equal((await answerOf(name, input, beside)).code, 'FORBIDDEN');
      assert.equal((await answerOf(name, input, await home.principal([['operator', ...tenant(home)]]))).code, 'FORBIDDEN');
      assert.equal((await answerOf(name, input, other.adminKey)).code, 'NOT_FOUND');
      const admin = await home.principal([['admin', kind, id]]);
      assert.match((await answerOf(name, input, admin)).__typename, /Success$/);
      assert.equal((await answerOf(name, input, home.adminKey)).code, 'NOT_FOUND');
    }
  });

  test('createTenant: for admins of the operator’s tenant only', async () => {
    const name = fresh();
    assert.equal((await answerOf('createTenant', { name }, other.adminKey)).code, 'FORBIDDEN');
    assert.equal((await answerOf('createTenant', { name }, await home.principal([['operator', ...tenant(home)]]))).code, 'FORBIDDEN');
    assert.equal((await answerOf('createTenant', { name }, await home.principal([['admin', ...project(home)]]))).code, 'FORBIDDEN');
    assert.equal((await answerOf('createTenant', { name }, home.adminKey)).__typename, 'CreateTenantSuccess');
    assert.equal((await answerOf('createTenant', { name }, home.adminKey)).code, 'CONFLICT');
  });

  test('archiveTenant and restoreTenant: for admins of the operator’s tenant only, never their own', async () => {
    const { data } = await server.gql('mutation ($input: CreateTenantInput!) { createTenant(input: $input) { ... on CreateTenantSuccess { tenant { id } } } }', { input: { name: fresh() } }); // prettier-ignore
    const tenantId = data!['createTenant'].tenant.id as string;
    const refused = [
      [other.adminKey, 'FORBIDDEN'],
      [await home.principal([['operator', ...tenant(home)]]), 'FORBIDDEN'],
      [await home.principal([['admin', ...project(home)]]), 'FORBIDDEN'],
    ] as const;
    for (const name of ['archiveTenant', 'restoreTenant']) {
      for (const [as, code] of refused) {
        for (const id of [tenantId, Tenant(home.tenantId), Tenant(other.tenantId), Tenant(newId())]) {
          assert.equal((await answerOf(name, { tenantId: id }, as)).code, code, name);
        }
      }
      assert.equal((await answerOf(name, { tenantId: Tenant(newId()) }, home.adminKey)).code, 'NOT_FOUND', name);
      assert.equal((await answerOf(name, { tenantId: Tenant(home.tenantId) }, home.adminKey)).code, 'INVALID_STATE', name);
      assert.equal((await answerOf(name, { tenantId }, home.adminKey)).__typename, `${name[0]!.toUpperCase()}${name.slice(1)}Success`);
      assert.equal((await answerOf(name, { tenantId }, home.adminKey)).code, 'INVALID_STATE', name);
    }
    const own = await answerOf('archiveTenant', { tenantId: Tenant(home.tenantId) }, home.adminKey);
    assert.match(own.message!, /operator’s own tenant/);
    const long = await answerOf('archiveTenant', { tenantId, reason: 'x'.repeat(1_001) }, home.adminKey);
    assert.equal(long.code, 'VALIDATION_FAILED');
  });
});

test('queries that need a permission refuse without it, and the lists of another tenant are never seen', async () => {
  const nobody = await home.principal();
  const viewer = await home.principal([['viewer', ...tenant(home)]]);
  const ask = (field: string, as: Authority | string) => server.gql(`{ ${field} { edges { node { id } } } }`, {}, { as });
  for (const field of ['projects', 'environments', 'teams', 'principals', 'roleGrants']) {
    const refused = await ask(field, nobody);
    assert.equal(refused.errors?.[0]?.extensions.code, 'FORBIDDEN', field);
    const mine = await ask(`${field}(first: 100)`, home.adminKey);
    const theirs = await ask(`${field}(first: 100)`, other.adminKey);
    const ids = (answer: typeof mine) => answer.data![field].edges.map(({ node }: { node: { id: string } }) => node.id) as string[];
    assert.ok(ids(mine).length > 0 && ids(theirs).length > 0, field);
    assert.ok(!ids(mine).some((id) => ids(theirs).includes(id)), field);
    const nodes = await server.gql('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: ids(mine) }, { as: other.adminKey });
    assert.ok(
      nodes.data!['nodes'].every((node: unknown) => node === null),
      field,
    );
  }
  for (const field of ['principals', 'roleGrants'])
    assert.equal((await ask(field, viewer)).errors?.[0]?.extensions.code, 'FORBIDDEN', field);
  for (const field of ['projects', 'environments', 'teams']) assert.equal((await ask(field, viewer)).errors, undefined, field);
});

test('an id of another type is refused by name', async () => {
  const { code, message } = await answerOf('updateProject', { projectId: Team(home.team), name: 'x' }, home.adminKey);
  assert.equal(code, 'VALIDATION_FAILED');
  assert.match(message!, /projectId: .* Team; expected .* Project/);
});

test('what a key leaves of grants is never more than the grants, the key’s roles and its environment', () => {
  const [P, Q, E, F, T] = ['p', 'q', 'e', 'f', 't'] as const;
  const scopes: Omit<Grant, 'role'>[] = [
    { kind: 'tenant', scopeId: 'x' },
    { kind: 'project', scopeId: P },
    { kind: 'project', scopeId: Q },
    { kind: 'environment', scopeId: E, projectId: P },
    { kind: 'environment', scopeId: F, projectId: P },
    { kind: 'team', scopeId: T },
  ];
  const places: Place[] = [
    {},
    { projectId: P },
    { projectId: Q },
    { projectId: P, environmentId: E },
    { projectId: P, environmentId: F },
    { teamId: T },
    { projectId: P, environmentId: E, teamId: T },
    { projectId: Q, environmentId: 'g', teamId: T },
  ];
  const who = (grants: readonly Grant[]) => ({ isOperatorTenant: true, grants }) as Authority;
  for (const role of roles) {
    for (const scope of scopes) {
      for (const allowed of roles) {
        for (const environment of [undefined, { id: E, projectId: P }]) {
          const limited = who(limitGrants([{ ...scope, role }], { roles: [allowed], environment }));
          for (const permission of permissions) {
            for (const place of places) {
              if (!can(limited, permission, place)) continue;
              const label = `${allowed} of ${role} on ${scope.kind}: ${permission} at ${JSON.stringify(place)}`;
              assert.ok(can(who([{ ...scope, role }]), permission, place), label);
              assert.ok(can(who([{ kind: 'tenant', scopeId: 'x', role: allowed }]), permission, place), label);
              if (environment) assert.ok(place.environmentId === E || (place.projectId === P && !place.environmentId), label);
            }
          }
        }
      }
    }
  }
  assert.deepEqual(limitGrants([{ ...scopes[0]!, role: 'admin' }], { roles: ['viewer'] }), [{ ...scopes[0]!, role: 'viewer' }]);
});

// Audit events through the API: every mutation of the schema leaves one, in its own transaction, and only when it changed something;
// who may read them, how they stream, and that nobody can alter them.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { isObjectType, isUnionType } from 'graphql';
import pg from 'pg';
import { parseGlobalId, toGlobalId } from '#schema/ids.ts';
import { schema } from '#gateway/schema.ts';
import { shownUserAgent, traceIdOf } from '#src/audit/audit.ts';
import { newId } from '#src/platform/ids.ts';
import { testServer, type Caller, type TestServer } from './harness/graphql.ts';
import type { Home } from './harness/people.ts';

let server: TestServer;
let home: Home;
before(async () => {
  server = await testServer();
  home = server.people.operator;
});
after(() => server.close());

const list = `query ($first: Int, $after: String, $filter: AuditEventFilter) {
  auditEvents(first: $first, after: $after, filter: $filter) {
    edges { cursor node { id action principalId subjectType subjectId subjectName beforeDigest afterDigest address userAgent traceId occurredAt
      principal { name } project { name } } }
    pageInfo { hasNextPage endCursor }
  }
}`;
const adminKey = () => home.adminKey;
async function events(filter: object = {}, as: Caller = adminKey(), page: object = {}): Promise<any[]> {
  const { data, errors } = await server.gql(list, { filter, ...page }, { as });
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data!['auditEvents'].edges.map(({ node }: any) => node);
}
async function mutate(name: string, input: object, as: Caller = adminKey(), selection = ''): Promise<any> {
  const title = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
  const query = `mutation ($input: ${title}Input!) { ${name}(input: $input) { __typename ... on Error { code message } ${selection && `... on ${title}Success { ${selection} }`} } }`;
  const { data, errors } = await server.gql(query, { input }, { as });
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data![name];
}
const newProject = async (name = `p-${newId()}`): Promise<string> =>
  (await mutate('createProject', { name }, adminKey(), 'project { id }')).project.id;

describe('an audit event', () => {
  it('says who did what to what, from where, in which trace, with digests before and after', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const answer = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${adminKey()}`,
        'content-type': 'application/json',
        'user-agent': 'curl/8',
        traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
      },
      body: JSON.stringify({
        query: 'mutation ($input: CreateProjectInput!) { createProject(input: $input) { ... on CreateProjectSuccess { project { id } } } }',
        variables: { input: { name: `p-${newId()}` } },
      }),
    });
    const { data } = await answer.json();
    const id = data.createProject.project.id;
    const [created] = await events({ subjectId: id });
    assert.deepEqual(
      [created.action, created.subjectType, created.subjectId, created.beforeDigest, created.userAgent, created.traceId],
      ['createProject', 'Project', id, null, 'curl/8', traceId],
    );
    assert.deepEqual([created.principalId, created.address], [toGlobalId('Principal', home.admin.principalId), '127.0.0.1']);
    assert.ok(created.principal.name && created.project.name && created.afterDigest.length === 64);
    assert.deepEqual(
      (await events({ traceId })).map((each) => each.id),
      [created.id],
    );

    await mutate('updateProject', { projectId: id, description: 'changed' });
    const [updated] = await events({ subjectId: id });
    assert.deepEqual([updated.action, updated.beforeDigest], ['updateProject', created.afterDigest]);
    assert.notEqual(updated.afterDigest, updated.beforeDigest);
    await mutate('deleteProject', { projectId: id });
    const [deleted] = await events({ subjectId: id });
    assert.deepEqual([deleted.action, deleted.beforeDigest, deleted.afterDigest], ['deleteProject', updated.afterDigest, null]);
  });

  it('is not left by what was refused, rolled back or changed nothing', async () => {
    const before = (await events({}, adminKey(), { first: 1 }))[0].id;
    const name = `p-${newId()}`;
    await newProject(name);
    const policy = await mutate(
      'createPolicy',
      { name: `n-${newId()}`, kind: 'TOOL_ACCESS', rules: [{ effect: 'deny', tools: ['x.*'] }] },
      adminKey(),
      'policy { id }',
    );
    const [, newest] = await events({}, adminKey(), { first: 2 });
    assert.notEqual(newest.id, before);
    const count = async () => (await events({}, adminKey(), { first: 100 })).length;
    const counted = await count();
    assert.equal((await mutate('createProject', { name })).__typename, 'ConflictError');
    assert.equal((await mutate('createProject', { name: 'Not A Slug' })).__typename, 'ValidationError');
    assert.equal((await mutate('deleteProject', { projectId: toGlobalId('Project', newId()) })).__typename, 'NotFoundError');
    assert.equal((await mutate('enablePolicy', { policyId: policy.policy.id })).__typename, 'EnablePolicySuccess');
    assert.equal(await count(), counted);
  });

  it('says the same of a mutation over a WebSocket, each with a trace of its own', async () => {
    const client = server.client(adminKey());
    const query = 'mutation ($input: CreateTeamInput!) { createTeam(input: $input) { ... on CreateTeamSuccess { team { id } } } }';
    const told: any[] = [];
    for (const name of [`t-${newId()}`, `t-${newId()}`]) {
      for await (const { data } of client.iterate<any>({ query, variables: { input: { name } } })) {
        told.push(...(await events({ subjectId: data.createTeam.team.id })));
      }
    }
    assert.deepEqual(
      told.map(({ action, address, principalId }) => [action, address, principalId]),
      told.map(() => ['createTeam', '127.0.0.1', toGlobalId('Principal', home.admin.principalId)]),
    );
    assert.equal(new Set(told.map(({ traceId }) => traceId)).size, 2);
  });

  it('knows what was before, also of what the input names in another way than by its id', async () => {
    const scopeId = await newProject();
    const tool = 'builtin.Bash';
    const name = `n-${newId()}`;
    const policy = (pattern: string, expectedVersion: number) => ({
      document: `name: ${name}\nkind: tool_access\nrules: [{ effect: deny, tools: [${pattern}] }]\n`,
      expectedVersion,
    });
    const stories: [mutation: string, input: object][][] = [
      [
        ['setConcurrencyLimit', { scopeId, maxRunning: 3 }],
        ['setConcurrencyLimit', { scopeId, maxRunning: 4 }],
        ['setConcurrencyLimit', { scopeId }],
      ],
      [
        ['setToolOverride', { tool, risk: 'LOW' }],
        ['setToolOverride', { tool, risk: 'HIGH' }],
        ['removeToolOverride', { tool }],
      ],
      [
        ['applyPolicy', policy('one.*', 0)],
        ['applyPolicy', policy('two.*', 1)],
      ],
    ];
    for (const story of stories) {
      const [before] = await events({}, adminKey(), { first: 1 });
      for (const [mutation, input] of story) assert.match((await mutate(mutation, input)).__typename, /Success$/);
      const told = (await events({ since: before.occurredAt }, adminKey(), { first: story.length })).reverse();
      assert.deepEqual(
        told.map(({ action }) => action),
        story.map(([mutation]) => mutation),
      );
      assert.equal(new Set(told.map(({ subjectId, subjectName }) => `${subjectId} ${subjectName}`)).size, 1, 'all are about the same');
      assert.ok(told[0].subjectId ?? told[0].subjectName === tool);
      assert.equal(told[0].beforeDigest, null);
      for (const [index, event] of told.slice(1).entries()) assert.equal(event.beforeDigest, told[index].afterDigest);
      assert.equal(new Set(told.map(({ afterDigest }) => afterDigest)).size, story.length, 'each left something else');
    }
    const count = async () => (await events({}, adminKey(), { first: 100 })).length;
    const counted = await count();
    assert.equal((await mutate('applyPolicy', policy('two.*', 2))).__typename, 'ApplyPolicySuccess');
    assert.equal((await mutate('setConcurrencyLimit', { scopeId })).__typename, 'SetConcurrencyLimitSuccess');
    assert.equal(await count(), counted, 'nothing changed');
  });

  it('names who came into a team or left it, and which role was given or taken', async () => {
    const [person, team] = [`p-${newId()}`, `t-${newId()}`];
    const principalId = (await mutate('createPrincipal', { kind: 'USER', name: person }, adminKey(), 'principal { id }')).principal.id;
    const teamId = (await mutate('createTeam', { name: team }, adminKey(), 'team { id }')).team.id;
    const member = { teamId, principalId };
    for (const mutation of ['addTeamMember', 'removeTeamMember']) await mutate(mutation, member);
    const granteeIds = [principalId, teamId];
    for (const granteeId of granteeIds) {
      const given = await mutate('grantRole', { granteeId, role: 'VIEWER', scopeId: await newProject() }, adminKey(), 'roleGrant { id }');
      await mutate('revokeRole', { grantId: given.roleGrant.id });
    }
    const named = async (subjectName: string) => (await events({ subjectName })).map(({ action }) => action).reverse();
    assert.deepEqual(await named(`${team}: ${person}`), ['addTeamMember', 'removeTeamMember']);
    assert.deepEqual(await named(`viewer: ${person}`), ['grantRole', 'revokeRole']);
    assert.deepEqual(await named(`viewer: ${team}`), ['grantRole', 'revokeRole']);
  });

  it('begins where the one before ended, however many change the same thing at once', async () => {
    const projectId = await newProject();
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => mutate('updateProject', { projectId, description: `d-${index}` })),
    );
    assert.ok(answers.every(({ __typename }) => __typename === 'UpdateProjectSuccess'));
    const told = await events({ subjectId: projectId }, adminKey(), { first: 100 });
    const after = new Map(told.map((event) => [event.beforeDigest, event.afterDigest]));
    assert.equal(told.length, 13);
    let [digest, links] = [after.get(null), 1];
    while (after.has(digest)) [digest, links] = [after.get(digest), links + 1];
    assert.equal(links, 13, 'from null to now without a gap');
  });

  it('cannot be altered or deleted by the application', async () => {
    for (const sql of [`update audit_events set action = 'x'`, 'delete from audit_events', 'truncate audit_events']) {
      await assert.rejects(
        home.write((uow) => uow.rows(sql)),
        /permission denied/,
      );
    }
    const client = new pg.Client({ connectionString: server.ownerUrl });
    await client.connect();
    const { rows } = await client.query(
      `select relrowsecurity and relforcerowsecurity as forced from pg_class where relname = 'audit_events'`,
    );
    await client.end();
    assert.equal(rows[0].forced, true);
  });

  it('is written in one place of the product, and only added', () => {
    const src = new URL('../src/', import.meta.url);
    const writers = readdirSync(src, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) =>
        [
          ...readFileSync(new URL(path, src), 'utf8').matchAll(/\b(insert into|update|delete from|truncate|merge into)\s+"?audit_events/gi),
        ].map(([, verb]) => `${path}: ${verb}`),
      );
    assert.deepEqual(writers, ['audit/audit-service.ts: insert into']);
  });

  it('is seen where audit.read is held, by nobody else and in no other tenant', async () => {
    const projectId = await newProject();
    const id = parseGlobalId(projectId)!.id;
    const reviewer = await home.principal([['reviewer', 'project', id]]);
    const viewer = await home.principal([['viewer', 'tenant', home.tenantId]]);
    const seen = await events({}, reviewer, { first: 100 });
    assert.deepEqual(
      seen.map(({ action, subjectId }) => [action, subjectId]),
      [['createProject', projectId]],
    );
    for (const as of [viewer, await home.principal([])]) {
      const { errors } = await server.gql(list, {}, { as });
      assert.equal(errors![0]!.extensions.code, 'FORBIDDEN');
      assert.match(errors![0]!.message, /audit\.read/);
    }
    const foreign = server.people.other.adminKey;
    assert.deepEqual(await events({ subjectId: projectId }, foreign), []);
    const { data } = await server.gql('query ($id: ID!) { node(id: $id) { id } }', { id: seen[0].id }, { as: foreign });
    assert.equal(data!['node'], null);
  });

  it('is found by each filter and paged newest first', async () => {
    const projects = [await newProject(), await newProject(), await newProject()];
    const since = (await events({ subjectId: projects[0]! }))[0].occurredAt;
    const actions = { actions: ['createProject'], since };
    const first = await server.gql(list, { first: 2, filter: actions }, { as: adminKey() });
    const { edges, pageInfo } = first.data!['auditEvents'];
    assert.deepEqual(
      edges.map(({ node }: any) => node.subjectId),
      [projects[2], projects[1]],
    );
    assert.equal(pageInfo.hasNextPage, true);
    const rest = await events(actions, adminKey(), { first: 2, after: pageInfo.endCursor });
    assert.equal(rest[0].subjectId, projects[0]);
    assert.deepEqual(await events({ actions: ['nothing'] }), []);
    const [{ subjectName }] = await events({ subjectId: projects[1]! });
    assert.deepEqual(
      (await events({ ...actions, subjectName })).map((each) => each.subjectId),
      [projects[1]],
    );
    assert.deepEqual(await events({ ...actions, principalId: toGlobalId('Principal', newId()) }), []);
    assert.equal((await events({ projectId: projects[1]! })).length, 1);
    assert.deepEqual(await events({ ...actions, until: since }), []);
  });
});

describe('the stream of audit events', () => {
  const watch = `subscription ($filter: AuditEventFilter, $after: String) {
    auditTrail(filter: $filter, after: $after) { events { action subjectId } cursor caughtUp }
  }`;

  it('gives each once in commit order, goes on behind a cursor, and shows only what one may see', { timeout: 20_000 }, async () => {
    const stream = server.subscribe(watch, { filter: { actions: ['createProject'] } }, { as: adminKey() });
    const batches = async function* () {
      for await (const { data, errors } of stream) {
        assert.equal(errors, undefined, JSON.stringify(errors));
        yield data!['auditTrail'];
      }
    };
    const live = batches();
    const opening = (await live.next()).value;
    assert.equal(opening.caughtUp, true);
    const made: string[] = [];
    for (let index = 0; index < 3; index += 1) made.push(await newProject());
    // What was committed before, while another transaction was open, may come as well.
    const own = (events: any[]) => events.map(({ subjectId }) => subjectId).filter((id) => made.includes(id));
    const seen: string[] = [];
    while (seen.length < 3) seen.push(...own((await live.next()).value.events));
    assert.deepEqual(seen, made);
    await live.return();

    const narrow = await home.principal([['reviewer', 'project', parseGlobalId(made[1]!)!.id]]);
    for (const [as, expected] of [
      [adminKey(), made],
      [narrow, [made[1]]],
    ] as const) {
      const again = server.subscribe(watch, { filter: { actions: ['createProject'] }, after: opening.cursor }, { as });
      const got: string[] = [];
      for await (const { data } of again) {
        got.push(...own(data!['auditTrail'].events));
        if (data!['auditTrail'].caughtUp) break;
      }
      assert.deepEqual(got, expected);
    }
  });

  it('refuses cursors of other streams and of other histories, and who may not read', async () => {
    const viewer = await home.principal([['viewer', 'tenant', home.tenantId]]);
    const cursor = (parts: readonly string[]) => Buffer.from(parts.join(':')).toString('base64url');
    for (const [after, as, code] of [
      ['nonsense', adminKey(), 'INVALID_CURSOR'],
      [cursor(['approvals', 'e', '1', newId(), '1']), adminKey(), 'INVALID_CURSOR'],
      [cursor(['audit', newId(), '1', newId(), '0']), adminKey(), 'CURSOR_EXPIRED'],
      [null, viewer, 'FORBIDDEN'],
    ] as const) {
      const { value } = await server.subscribe(watch, { after }, { as }).next();
      assert.equal(value!.errors![0]!.extensions.code, code);
    }
  });
});

describe('every mutation', () => {
  it('goes through the one place that records it, and says what it changed', () => {
    const fields = Object.values(schema.getMutationType()!.getFields());
    assert.ok(fields.length > 50);
    for (const { name, type, extensions } of fields) {
      assert.equal(extensions['audited'], true, `${name} is not made by schema/mutation.ts`);
      const union = 'ofType' in type ? type.ofType : type;
      assert.ok(isUnionType(union) && union.getTypes().some((each) => isObjectType(each) && each.name.endsWith('Success')), name);
    }
  });
});

describe('where a request came from', () => {
  it('is shown printable and bounded, and a trace only when it is one', () => {
    assert.equal(shownUserAgent('a\u202e\nb'), 'a??b');
    assert.equal(shownUserAgent('x'.repeat(1_000)).length, 256);
    assert.equal(traceIdOf('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'), '4bf92f3577b34da6a3ce929d0e0e4736');
    for (const bad of ['', '00-00000000000000000000000000000000-00f067aa0ba902b7-01', '00-4bf9-00f067aa0ba902b7-01', 'x']) {
      assert.equal(traceIdOf(bad), null, bad);
    }
  });
});

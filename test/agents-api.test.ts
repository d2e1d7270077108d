// Agents through the API: the whole life of one, typed refusals, lists in a constant number of statements.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { toGlobalId } from '#schema/ids.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { testServer, type TestServer } from '#test/harness/graphql.ts';

let server: TestServer;
let development: string;
let staging: string;
let project: string;
before(async () => {
  server = await testServer();
  const home = server.people.operator;
  project = toGlobalId('Project', home.project);
  staging = toGlobalId('Environment', home.staging);
  const input = { projectId: home.project, name: 'dev', kind: 'development' as const };
  const environment = await home.write((uow) => server.people.tenants.createEnvironment(uow, home.admin, input));
  development = toGlobalId('Environment', environment.id);
});
after(() => server.close());

const returned: Record<string, string> = {
  publishAgentVersion: 'version { id version digest }',
  promoteAgentVersion: 'deployment { id kind version { version } environment { name kind } supersededAt }',
  rollbackAgent: 'deployment { id kind version { version } }',
};

/** The member of the mutation's result union. */
async function run(name: string, input: Record<string, unknown>, as?: Authority): Promise<Record<string, any>> {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  const fields = returned[name] ?? 'agent { id name status pauseReason description owner tags team { name } archivedAt }';
  const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) { __typename ... on ${type}Success { ${fields} }
    ... on Error { code message } ... on ValidationError { problems { path message expected line column } } } }`;
  const { data, errors } = await server.gql(query, { input }, as ? { as } : {});
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data![name] as Record<string, any>;
}

let last = 0;
const create = async (input: Record<string, unknown> = {}) => {
  const { agent } = await run('createAgent', { projectId: project, name: `api-${(last += 1)}`, ...input });
  return agent as { id: string; name: string };
};
const text = (name: string, version: string) =>
  `apiVersion: signalbox/v1\nkind: Agent\nmetadata: { name: ${name} }\nspec:\n  version: ${version}\n  steps: [{ id: a, wait: 1s }]\n`;
const publish = (agent: { id: string; name: string }, version: string) =>
  run('publishAgentVersion', { agentId: agent.id, definition: text(agent.name, version) });
const read = async (query: string, variables: Record<string, unknown> = {}, as?: Authority) => {
  const { data, errors } = await server.gql(query, variables, as ? { as } : {});
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data as Record<string, any>;
};

it('an agent lives through the API: created, published, promoted, active, paused, rolled back, archived', async () => {
  const agent = await create({ description: 'd', owner: 'ops', tags: ['a'], teamId: toGlobalId('Team', server.people.operator.team) });
  const updated = await run('updateAgent', { agentId: agent.id, teamId: null, tags: ['b'] });
  assert.deepEqual([updated['agent'].team, updated['agent'].tags, updated['agent'].owner], [null, ['b'], 'ops']);
  const { version } = await publish(agent, '1.0.0');
  assert.match(version.digest, /^[0-9a-f]{64}$/);
  await publish(agent, '2.0.0');
  assert.equal((await run('activateAgent', { agentId: agent.id }))['agent'].status, 'ACTIVE');
  for (const number of ['1.0.0', '2.0.0']) {
    const { deployment } = await run('promoteAgentVersion', { agentId: agent.id, version: number, environmentId: development });
    assert.deepEqual([deployment.kind, deployment.version.version, deployment.environment.kind], ['PROMOTE', number, 'DEVELOPMENT']);
  }
  const { deployment } = await run('rollbackAgent', { agentId: agent.id, environmentId: development });
  assert.deepEqual([deployment.kind, deployment.version.version], ['ROLLBACK', '1.0.0']);
  const paused = await run('pauseAgent', { agentId: agent.id, reason: 'maintenance' });
  assert.deepEqual([paused['agent'].status, paused['agent'].pauseReason], ['PAUSED', 'maintenance']);
  assert.notEqual((await run('archiveAgent', { agentId: agent.id }))['agent'].archivedAt, null);

  const { agent: seen } = await read(
    `query ($id: ID!, $environment: ID!) { agent(id: $id) { name project { name } createdBy { name } latestVersion { version source }
      versions(first: 1) { edges { node { version agent { name } definition source } } pageInfo { hasNextPage endCursor } }
      live: deployments(live: true) { edges { node { version { version } environment { name } agent { name } } } }
      history: deployments(environmentId: $environment) { edges { node { kind supersededAt } } } } }`,
    { id: agent.id, environment: development },
  );
  assert.equal(seen.latestVersion.source, text(agent.name, '2.0.0'));
  assert.deepEqual([seen.versions.edges[0].node.version, seen.versions.pageInfo.hasNextPage], ['2.0.0', true]);
  assert.equal(seen.versions.edges[0].node.definition.steps[0].wait.durationMs, 1000);
  assert.deepEqual(seen.live.edges, [
    { node: { version: { version: '1.0.0' }, environment: { name: 'dev' }, agent: { name: agent.name } } },
  ]);
  assert.deepEqual(
    seen.history.edges.map(({ node }: any) => node.kind),
    ['ROLLBACK', 'PROMOTE', 'PROMOTE'],
  );
  const after = `query ($id: ID!, $after: String) { agent(id: $id) { versions(after: $after) { edges { node { version } } } } }`;
  const next = await read(after, { id: agent.id, after: seen.versions.pageInfo.endCursor });
  assert.deepEqual(next['agent'].versions.edges, [{ node: { version: '1.0.0' } }]);
});

describe('refusals are typed', () => {
  it('a broken definition lists every problem with line, column and what was expected', async () => {
    const agent = await create();
    const answer = await run('publishAgentVersion', {
      agentId: agent.id,
      definition: text('other', '1').replace('wait: 1s', 'wait: soon'),
    });
    assert.deepEqual([answer['__typename'], answer['code']], ['ValidationError', 'VALIDATION_FAILED']);
    assert.deepEqual(
      answer['problems'].map(({ path, line, column }: any) => [path, line, column]),
      [
        ['metadata.name', 3, 19],
        ['spec.version', 5, 12],
        ['spec.steps[0].wait', 6, 26],
      ],
    );
    for (const { path, expected } of answer['problems']) assert.ok(expected, path);
  });
  it('a tool that no server describes', async () => {
    const agent = await create();
    const definition = text(agent.name, '1.0.0').replace('  steps', '  tools: [nowhere.tool]\n  steps');
    const answer = await run('publishAgentVersion', { agentId: agent.id, definition });
    assert.deepEqual(
      answer['problems'].map(({ path, line }: any) => [path, line]),
      [['spec.tools[0]', 6]],
    );
  });
  it('a name or version that is taken, a step out of order, a status that does not permit it', async () => {
    const agent = await create();
    assert.equal((await run('createAgent', { projectId: project, name: agent.name }))['code'], 'CONFLICT');
    assert.equal((await run('activateAgent', { agentId: agent.id }))['code'], 'INVALID_STATE');
    await publish(agent, '1.0.0');
    assert.equal((await publish(agent, '1.0.0'))['code'], 'CONFLICT');
    const early = await run('promoteAgentVersion', { agentId: agent.id, version: '1.0.0', environmentId: staging });
    assert.deepEqual([early['code'], /development/.test(early['message'])], ['INVALID_STATE', true]);
    assert.equal((await run('rollbackAgent', { agentId: agent.id, environmentId: development }))['code'], 'INVALID_STATE');
    assert.equal((await run('pauseAgent', { agentId: agent.id, reason: 'x' }))['code'], 'INVALID_STATE');
  });
  it('a missing permission is FORBIDDEN, a foreign or absent agent NOT_FOUND, an id of another type is named', async () => {
    const home = server.people.operator;
    const agent = await create();
    const viewer = await home.principal([['viewer', 'tenant', home.tenantId]]);
    assert.equal((await run('archiveAgent', { agentId: agent.id }, viewer))['code'], 'FORBIDDEN');
    const manager = await home.principal([['agent_manager', 'project', home.otherProject]]);
    const hidden = await run('archiveAgent', { agentId: agent.id }, manager);
    const foreign = await run('archiveAgent', { agentId: agent.id }, server.people.other.admin);
    const absent = await run('archiveAgent', { agentId: toGlobalId('Agent', newId()) });
    assert.deepEqual([hidden['code'], foreign['code'], absent['code']], ['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND']);
    const query = 'query ($id: ID!) { agent(id: $id) { name } node(id: $id) { id } }';
    assert.deepEqual(await read(query, { id: agent.id }, server.people.other.admin), { agent: null, node: null });
    const wrong = await run('archiveAgent', { agentId: project });
    assert.deepEqual([wrong['code'], /of type Project/.test(wrong['message'])], ['VALIDATION_FAILED', true]);
  });
});

describe('lists', () => {
  it('filter, leave archived agents out, and go on from a cursor', async () => {
    const [one, two] = [await create({ name: 'list-one', tags: ['t1'] }), await create({ name: 'list-two', tags: ['t1'] })];
    const gone = await create({ name: 'list-gone' });
    await run('archiveAgent', { agentId: gone.id });
    const query = `query ($filter: AgentFilter, $first: Int, $after: String) {
      agents(filter: $filter, first: $first, after: $after) { edges { node { name } } pageInfo { endCursor hasNextPage } } }`;
    const page = async (variables: Record<string, unknown>) => {
      const { agents } = await read(query, variables);
      return { names: agents.edges.map(({ node }: any) => node.name), ...agents.pageInfo };
    };
    assert.deepEqual((await page({ filter: { name: 'list-' } })).names, [two.name, one.name]);
    assert.deepEqual((await page({ filter: { name: 'list-', includeArchived: true } })).names, [gone.name, two.name, one.name]);
    assert.deepEqual((await page({ filter: { tag: 't1', projectId: project, status: 'DRAFT' } })).names, [two.name, one.name]);
    const first = await page({ filter: { tag: 't1' }, first: 1 });
    assert.deepEqual([first.names, first.hasNextPage], [[two.name], true]);
    assert.deepEqual((await page({ filter: { tag: 't1' }, first: 1, after: first.endCursor })).names, [one.name]);
    for (const size of [0, 101]) {
      const { errors } = await server.gql(query, { first: size });
      assert.equal(errors?.[0]?.extensions.code, 'VALIDATION_FAILED');
    }
    const { errors } = await server.gql(query, { after: 'nonsense' });
    assert.equal(errors?.[0]?.extensions.code, 'INVALID_CURSOR');
  });
  it('cost the same number of statements however many agents there are', async () => {
    const many = async () => {
      const agent = await create({ name: `many-${(last += 1)}`, teamId: toGlobalId('Team', server.people.operator.team) });
      for (const version of ['1.0.0', '1.1.0']) await publish(agent, version);
      await run('promoteAgentVersion', { agentId: agent.id, version: '1.0.0', environmentId: development });
    };
    const query = `{ agents(first: 50, filter: { name: "many-" }) { edges { node { name team { name } project { name } createdBy { name }
      latestVersion { version } versions(first: 2) { edges { node { source definition createdBy { name } agent { name } } } }
      deployments(first: 2, live: true) { edges { node { version { version } environment { name } agent { name } } } } } } } }`;
    const count = async () => {
      const { result, statements } = await server.countStatements(() => server.gql(query));
      assert.equal(result.errors, undefined, JSON.stringify(result.errors));
      return { rows: result.data!['agents'].edges.length as number, statements };
    };
    await many();
    const few = await count();
    for (let index = 0; index < 7; index += 1) await many();
    const more = await count();
    assert.deepEqual([few.rows, more.rows], [1, 8]);
    assert.equal(more.statements.length, few.statements.length, more.statements.join('\n'));
    assert.ok(more.statements.length <= 14, more.statements.join('\n'));
  });
});

// Agents: their lives, versions and deployments, who may change what, and that nothing of them is seen by others.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createAgentService } from '#src/agents/agent-service.ts';
import { kindBefore, versionBefore } from '#src/agents/agent.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { ConflictError, InvalidStateError, NotFoundError, ValidationError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { testDatabase, type TestDatabase } from '#test/harness/database.ts';
import { createPeople, type Home, type People } from '#test/harness/people.ts';

let now = new Date('2026-11-21T10:00:00Z');
const clock = { now: () => now };
const agents = createAgentService({ clock, missingTools: async (_uow, names) => names.filter((name) => name.startsWith('missing.')) });
type Service = typeof agents;

let test: TestDatabase;
let people: People;
let home: Home;
let development: string;
before(async () => {
  test = await testDatabase();
  people = await createPeople(test.database, clock);
  home = people.operator;
  development = (
    await home.write((uow) =>
      people.tenants.createEnvironment(uow, home.admin, { projectId: home.project, name: 'dev', kind: 'development' }),
    )
  ).id;
});
after(() => test.close());

const write = <T>(work: (uow: UnitOfWork) => Promise<T>) => home.write(work);
const read = <T>(work: (uow: UnitOfWork) => Promise<T>) => home.read(work);
let last = 0;
const newName = () => `agent-${(last += 1)}`;
const create = (input: Partial<Parameters<Service['createAgent']>[2]> = {}, actor = home.admin) =>
  write((uow) => agents.createAgent(uow, actor, { projectId: home.project, name: newName(), ...input }));
const text = (name: string, version = '1.0.0', spec = '') =>
  `apiVersion: signalbox/v1\nkind: Agent\nmetadata: { name: ${name} }\nspec:\n  version: ${version}\n${spec}  steps: [{ id: a, transform: "1" }]\n`;
const publish = (agent: { id: string; name: string }, version = '1.0.0', actor = home.admin) =>
  write((uow) => agents.publishAgentVersion(uow, actor, { agentId: agent.id, definition: text(agent.name, version) }));
const activate = (agentId: string, actor = home.admin) => write((uow) => agents.activateAgent(uow, actor, { agentId }));
const pause = (agentId: string, reason = 'maintenance', actor = home.admin) =>
  write((uow) => agents.pauseAgent(uow, actor, { agentId, reason }));
const archive = (agentId: string, actor = home.admin) => write((uow) => agents.archiveAgent(uow, actor, { agentId }));
const promote = (agentId: string, version: string, environmentId = development, actor = home.admin) =>
  write((uow) => agents.promoteAgentVersion(uow, actor, { agentId, version, environmentId }));
const rollback = (agentId: string, version?: string, environmentId = development, actor = home.admin) =>
  write((uow) => agents.rollbackAgent(uow, actor, { agentId, version, environmentId }));
const start = (agentId: string, version?: string, environmentId = development, actor = home.admin) =>
  read((uow) => agents.resolveVersionForStart(uow, actor, { agentId, environmentId, version }));
/** An active agent with these versions live one after the other in development. */
async function deployed(...versions: string[]) {
  const agent = await create();
  for (const version of versions) {
    await publish(agent, version);
    await promote(agent.id, version);
  }
  await activate(agent.id);
  return agent;
}
const live = async (agentId: string) => (await start(agentId)).version.version;
const list = async (filter: Parameters<Service['listAgents']>[2], actor: Authority = home.admin) =>
  (await read((uow) => agents.listAgents(uow, actor, filter, { first: 100 }))).rows.map(({ name }) => name);
const problemsOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => assert.fail('it was accepted'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ValidationError, String(error));
  return error.problems;
};

describe('an agent', () => {
  it('begins as a draft and is read as it was created', async () => {
    const agent = await create({ description: 'Reads logs', owner: 'ops@example.com', tags: ['ops', 'logs'], teamId: home.team });
    assert.deepEqual(await read((uow) => agents.getAgent(uow, home.admin, agent.id)), agent);
    assert.deepEqual([agent.status, agent.tags, agent.teamId, agent.createdAt], ['draft', ['ops', 'logs'], home.team, now]);
  });
  it('has a name of its own in the project, also after it was archived', async () => {
    const { id, name } = await create();
    await assert.rejects(create({ name }), (error) => error instanceof ConflictError && error.message.includes(`"${name}"`));
    await archive(id);
    await assert.rejects(create({ name }), ConflictError);
    await create({ name, projectId: home.otherProject });
  });
  it('is refused with every problem of the input at once', async () => {
    const problems = await problemsOf(
      create({ name: 'No Name', description: 'x'.repeat(2001), owner: 'x'.repeat(201), tags: ['a', 'a', ''] }),
    );
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['name', 'description', 'owner', 'tags[2]', 'tags'],
    );
    const full = {
      description: 'x'.repeat(2000),
      owner: 'x'.repeat(200),
      tags: Array.from({ length: 50 }, (_, n) => `${n}`.padStart(63, 't')),
    };
    assert.equal((await create(full)).tags.length, 50);
    assert.equal((await problemsOf(create({ ...full, tags: [...full.tags, 'one-more'] })))[0]?.path, 'tags');
    assert.equal((await problemsOf(create({ tags: ['t'.repeat(64)] })))[0]?.path, 'tags[0]');
    await problemsOf(create({ description: 'a\0b' }));
  });
  it('is edited: what is left out stays, null clears owner and team', async () => {
    const { id } = await create({ owner: 'ops', tags: ['a'], teamId: home.team });
    const change = (input: object) => write((uow) => agents.updateAgent(uow, home.admin, { agentId: id, ...input }));
    now = new Date(now.getTime() + 1000);
    const first = await change({ description: 'new' });
    assert.deepEqual([first.description, first.owner, first.tags, first.teamId, first.updatedAt], ['new', 'ops', ['a'], home.team, now]);
    const second = await change({ owner: null, teamId: null, tags: [], description: null });
    assert.deepEqual([second.description, second.owner, second.tags, second.teamId], ['new', null, [], null]);
    assert.deepEqual(await read((uow) => agents.findAgent(uow, home.admin, id)), second);
  });
  it('is active after activation, which needs a version; pausing needs a reason', async () => {
    const agent = await create();
    await assert.rejects(activate(agent.id), (error) => error instanceof InvalidStateError && /no version yet/.test(error.message));
    await assert.rejects(pause(agent.id), (error) => error instanceof InvalidStateError && /is draft/.test(error.message));
    await publish(agent);
    assert.equal((await activate(agent.id)).status, 'active');
    assert.equal((await activate(agent.id)).status, 'active');
    assert.equal((await problemsOf(pause(agent.id, ' ')))[0]?.path, 'reason');
    assert.equal((await problemsOf(pause(agent.id, 'x'.repeat(501))))[0]?.path, 'reason');
    const paused = await pause(agent.id, 'x'.repeat(500));
    assert.deepEqual([paused.status, paused.pauseReason], ['paused', 'x'.repeat(500)]);
    await assert.rejects(pause(agent.id), InvalidStateError);
    const again = await activate(agent.id);
    assert.deepEqual([again.status, again.pauseReason], ['active', null]);
  });
  it('is gone from lists when archived, stays readable with its history, and takes no change', async () => {
    const agent = await deployed('1.0.0');
    assert.equal((await archive(agent.id)).status, 'deprecated');
    assert.ok(!(await list({ name: agent.name })).includes(agent.name));
    assert.ok((await list({ name: agent.name, includeArchived: true })).includes(agent.name));
    const [versions] = await read((uow) => agents.versionsOf(uow, home.admin, [agent.id], {}));
    assert.equal(versions?.rows.length, 1);
    for (const change of [
      () => archive(agent.id),
      () => activate(agent.id),
      () => pause(agent.id),
      () => publish(agent, '2.0.0'),
      () => promote(agent.id, '1.0.0'),
      () => rollback(agent.id),
      () => write((uow) => agents.updateAgent(uow, home.admin, { agentId: agent.id })),
      () => start(agent.id),
    ]) {
      await assert.rejects(change, (error) => error instanceof InvalidStateError && /archived/.test(error.message));
    }
  });
  it('is found by project, status, tag, team and part of its name, page by page', async () => {
    const one = await create({ name: 'filter-alpha', tags: ['f1', 'f2'], teamId: home.otherTeam });
    const two = await create({ name: 'filter-beta', tags: ['f2'] });
    const three = await create({ name: 'filter-gamma', projectId: home.otherProject });
    await publish(two);
    await activate(two.id);
    assert.deepEqual(await list({ name: 'FILTER-' }), [three.name, two.name, one.name]);
    assert.deepEqual(await list({ name: 'filter-', projectId: home.project }), [two.name, one.name]);
    assert.deepEqual(await list({ name: 'filter-', status: 'active' }), [two.name]);
    assert.deepEqual(await list({ tag: 'f2' }), [two.name, one.name]);
    assert.deepEqual(await list({ teamId: home.otherTeam }), [one.name]);
    assert.deepEqual(await list({ name: 'fil%er_' }), []);
    assert.deepEqual(await list({ projectId: newId() }), []);
    assert.deepEqual(await list({ projectId: 'nonsense' }), []);
    const page = await read((uow) => agents.listAgents(uow, home.admin, { name: 'filter-' }, { first: 2 }));
    assert.deepEqual([page.rows.length, page.hasNextPage], [2, true]);
    for (const first of [0, 101]) await problemsOf(read((uow) => agents.listAgents(uow, home.admin, {}, { first })));
    await problemsOf(list({ name: 'a\0' }));
  });
});

describe('a version', () => {
  it('keeps its text and its normalised definition, and never changes', async () => {
    const agent = await create();
    const version = await publish(agent, '1.2.3-rc.1+5');
    const [document] = await read((uow) => agents.versionDocuments(uow, home.admin, [version.id]));
    assert.equal(document?.source, text(agent.name, '1.2.3-rc.1+5'));
    assert.equal(document?.definition.steps[0]?.transform, '1');
    assert.deepEqual(await read((uow) => agents.versionsByIds(uow, home.admin, [version.id])), [version]);
    await assert.rejects(
      write((uow) => uow.rows(`update agent_versions set version = '9.9.9' where id = $1`, [version.id])),
      /permission denied/,
    );
  });
  it('is unique for the agent; a lower one may follow', async () => {
    const agent = await create();
    await publish(agent, '2.0.0');
    await assert.rejects(
      publish(agent, '2.0.0'),
      (error) => error instanceof ConflictError && /2\.0\.0 .* the same definition/.test(error.message),
    );
    await publish(agent, '1.9.0');
    const both = await Promise.allSettled([publish(agent, '3.0.0'), publish(agent, '3.0.0')]);
    assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const [page] = await read((uow) => agents.versionsOf(uow, home.admin, [agent.id], {}));
    assert.deepEqual(
      page?.rows.map(({ version }) => version),
      ['3.0.0', '1.9.0', '2.0.0'],
    );
  });
  it('must name this agent, its project and known tools; problems carry their place', async () => {
    const agent = await create();
    const refused = (definition: string) =>
      problemsOf(write((uow) => agents.publishAgentVersion(uow, home.admin, { agentId: agent.id, definition })));
    const wrong = await refused(text('other').replace('name: other', 'name: other, project: elsewhere'));
    assert.deepEqual(
      wrong.map(({ path, line, column }) => [path, line, column]),
      [
        ['metadata.name', 3, 19],
        ['metadata.project', 3, 35],
      ],
    );
    const tools = await refused(text(agent.name, '1.0.0', '  tools: [files.read, missing.tool]\n'));
    assert.deepEqual(
      tools.map(({ path, line, column }) => [path, line, column]),
      [['spec.tools[1]', 6, 23]],
    );
    assert.match((await refused('steps: ['))[0]?.message ?? '', /not YAML/);
    assert.deepEqual((await read((uow) => agents.versionsOf(uow, home.admin, [agent.id], {})))[0]?.rows, []);
  });
});

describe('deployments', () => {
  it('go from development to staging to production, through every kind that the project has', async () => {
    const agent = await create();
    await publish(agent);
    await assert.rejects(
      promote(agent.id, '1.0.0', home.production),
      (error) => error instanceof InvalidStateError && /staging/.test(error.message),
    );
    await assert.rejects(
      promote(agent.id, '1.0.0', home.staging),
      (error) => error instanceof InvalidStateError && /development/.test(error.message),
    );
    for (const environment of [development, home.staging, home.production]) await promote(agent.id, '1.0.0', environment);
    const again = await promote(agent.id, '1.0.0', home.production);
    const [all] = await read((uow) => agents.deploymentsOf(uow, home.admin, [agent.id], {}));
    assert.equal(all?.rows.length, 3);
    assert.equal(all?.rows[0]?.id, again.id);
    assert.deepEqual(
      [kindBefore('production', ['development', 'production']), kindBefore('staging', ['staging', 'production'])],
      ['development', null],
    );
  });
  it('keep their history; one is live in each environment', async () => {
    const agent = await deployed('1.0.0', '2.0.0');
    await rollback(agent.id);
    const [all] = await read((uow) => agents.deploymentsOf(uow, home.admin, [agent.id], { environmentId: development }));
    assert.deepEqual(
      all?.rows.map(({ kind, supersededAt }) => [kind, supersededAt === null]),
      [
        ['rollback', true],
        ['promote', false],
        ['promote', false],
      ],
    );
    const [only] = await read((uow) => agents.deploymentsOf(uow, home.admin, [agent.id], { live: true }));
    assert.equal(only?.rows.length, 1);
    const both = await Promise.allSettled([promote(agent.id, '2.0.0'), rollback(agent.id, '2.0.0')]);
    assert.ok(both.some(({ status }) => status === 'fulfilled'));
    const [still] = await read((uow) => agents.deploymentsOf(uow, home.admin, [agent.id], { live: true }));
    assert.equal(still?.rows.length, 1);
  });
  it('roll back one promotion at a time, or to a named version that was live there', async () => {
    const agent = await deployed('1.0.0', '2.0.0', '3.0.0');
    await publish(agent, '4.0.0');
    await rollback(agent.id);
    assert.equal(await live(agent.id), '2.0.0');
    await rollback(agent.id);
    assert.equal(await live(agent.id), '1.0.0');
    await assert.rejects(rollback(agent.id), (error) => error instanceof InvalidStateError && /before the present one/.test(error.message));
    await rollback(agent.id, '3.0.0');
    assert.equal(await live(agent.id), '3.0.0');
    await assert.rejects(rollback(agent.id, '3.0.0'), /is live .* already/);
    await assert.rejects(rollback(agent.id, '4.0.0'), (error) => error instanceof InvalidStateError && /never live/.test(error.message));
    await assert.rejects(rollback(agent.id, '9.0.0'), NotFoundError);
    await assert.rejects(rollback(agent.id, undefined, home.staging), /no version .* is live/);
    assert.equal(versionBefore([]), null);
  });
  it('are refused for versions and environments that do not fit', async () => {
    const agent = await deployed('1.0.0');
    await assert.rejects(
      promote(agent.id, '9.0.0'),
      (error) => error instanceof NotFoundError && /no version "9\.0\.0"/.test(error.message),
    );
    await assert.rejects(promote(agent.id, '\0'), NotFoundError);
    await assert.rejects(promote(agent.id, '1.0.0', newId()), NotFoundError);
    await assert.rejects(promote(agent.id, '1.0.0', 'nonsense'), NotFoundError);
    const elsewhere = await create({ projectId: home.otherProject });
    await publish(elsewhere);
    assert.equal((await problemsOf(promote(elsewhere.id, '1.0.0')))[0]?.path, 'environmentId');
  });
});

describe('a start takes', () => {
  it('the live version of the environment, or a named one that was live there', async () => {
    const agent = await deployed('1.0.0', '2.0.0');
    await publish(agent, '3.0.0');
    const taken = await start(agent.id);
    assert.deepEqual([taken.version.version, taken.version.definition.version, taken.environment.id], ['2.0.0', '2.0.0', development]);
    assert.equal((await start(agent.id, '1.0.0')).version.version, '1.0.0');
    await assert.rejects(
      start(agent.id, '3.0.0'),
      (error) => error instanceof InvalidStateError && /never live .* promote it there first/.test(error.message),
    );
    await assert.rejects(start(agent.id, '4.0.0'), NotFoundError);
    await assert.rejects(
      start(agent.id, undefined, home.staging),
      (error) => error instanceof InvalidStateError && /no version .* "staging"/.test(error.message),
    );
  });
  it('no draft and no paused agent, and says why', async () => {
    const agent = await deployed('1.0.0');
    await pause(agent.id, 'the disk is full');
    await assert.rejects(
      start(agent.id),
      (error) => error instanceof InvalidStateError && /is paused: the disk is full/.test(error.message),
    );
    const draft = await create();
    await assert.rejects(start(draft.id), (error) => error instanceof InvalidStateError && /is a draft/.test(error.message));
  });
});

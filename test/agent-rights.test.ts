// Agents: each operation with the rights it needs and without them, in each scope, and probes from another tenant.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createAgentService } from '#src/agents/agent-service.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { ForbiddenError, NotFoundError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { systemClock } from '#src/platform/clock.ts';
import { testDatabase, type TestDatabase } from '#test/harness/database.ts';
import { createPeople, type Home } from '#test/harness/people.ts';

const agents = createAgentService({ clock: systemClock, missingTools: async () => [] });
let test: TestDatabase;
let home: Home;
let other: Home;
/** In `home.team`, live in staging. */
let agent: { id: string; name: string };
let versionId: string;
let deploymentId: string;

const definition = (name: string, version: string) =>
  `apiVersion: signalbox/v1\nkind: Agent\nmetadata: { name: ${name} }\nspec: { version: ${version}, steps: [{ id: a, wait: 1s }] }`;
let last = 0;

before(async () => {
  test = await testDatabase();
  ({ operator: home, other } = await createPeople(test.database));
  const admin = home.admin;
  agent = await home.write((uow) => agents.createAgent(uow, admin, { projectId: home.project, name: 'seen', teamId: home.team }));
  const published = await home.write((uow) =>
    agents.publishAgentVersion(uow, admin, { agentId: agent.id, definition: definition('seen', '1.0.0') }),
  );
  versionId = published.id;
  await home.write((uow) => agents.activateAgent(uow, admin, { agentId: agent.id }));
  const input = { agentId: agent.id, version: '1.0.0', environmentId: home.staging };
  deploymentId = (await home.write((uow) => agents.promoteAgentVersion(uow, admin, input))).id;
});
after(() => test.close());

/** Every change, tried for real and then undone, so that the next one finds the same agent. */
const changes: [name: string, work: (uow: UnitOfWork, actor: Authority) => Promise<unknown>][] = [
  ['updateAgent', (uow, actor) => agents.updateAgent(uow, actor, { agentId: agent.id, description: 'x' })],
  ['archiveAgent', (uow, actor) => agents.archiveAgent(uow, actor, { agentId: agent.id })],
  ['activateAgent', (uow, actor) => agents.activateAgent(uow, actor, { agentId: agent.id })],
  ['pauseAgent', (uow, actor) => agents.pauseAgent(uow, actor, { agentId: agent.id, reason: 'x' })],
  [
    'publishAgentVersion',
    (uow, actor) => agents.publishAgentVersion(uow, actor, { agentId: agent.id, definition: definition('seen', `2.0.${(last += 1)}`) }),
  ],
];
const deployments: typeof changes = [
  [
    'promoteAgentVersion',
    (uow, actor) => agents.promoteAgentVersion(uow, actor, { agentId: agent.id, version: '1.0.0', environmentId: home.staging }),
  ],
  ['rollbackAgent', (uow, actor) => agents.rollbackAgent(uow, actor, { agentId: agent.id, version: '1.0.0', environmentId: home.staging })],
];

class Undo extends Error {}
const attempt = (work: (uow: UnitOfWork, actor: Authority) => Promise<unknown>, actor: Authority) =>
  home
    .write(async (uow) => {
      await work(uow, actor);
      throw new Undo();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undo)) throw error;
    });
/** A rollback to the live version is refused by its rules, which is past the permission. */
const permitted = (work: (typeof changes)[number][1], actor: Authority) =>
  attempt(work, actor).catch((error: Error) => assert.match(error.message, /is live .* already/));

const scopes = () =>
  ({
    tenant: ['tenant', home.tenantId],
    project: ['project', home.project],
    team: ['team', home.team],
    environment: ['environment', home.staging],
    otherProject: ['project', home.otherProject],
    otherTeam: ['team', home.otherTeam],
  }) as const;

describe('agent.manage', () => {
  for (const scope of ['tenant', 'project', 'team'] as const) {
    it(`on the ${scope} permits every change`, async () => {
      const manager = await home.principal([['agent_manager', ...scopes()[scope]]]);
      for (const [, work] of [...changes, ...deployments]) await permitted(work, manager);
    });
    it(`is not held by a viewer, operator or reviewer of the ${scope}`, async () => {
      for (const role of ['viewer', 'operator', 'reviewer'] as const) {
        const actor = await home.principal([[role, ...scopes()[scope]]]);
        for (const [name, work] of [...changes, ...deployments]) {
          await assert.rejects(
            attempt(work, actor),
            (error) => error instanceof ForbiddenError && /agent\.(manage|promote)/.test(error.message),
            name,
          );
        }
      }
    });
  }
  it('on one environment permits to promote there and nothing else', async () => {
    const actor = await home.principal([['agent_manager', ...scopes().environment]]);
    for (const [, work] of deployments) await permitted(work, actor);
    for (const [name, work] of changes) await assert.rejects(attempt(work, actor), ForbiddenError, name);
  });
  it('on another project or team shows nothing: the answer is as for an absent agent', async () => {
    for (const scope of ['otherProject', 'otherTeam'] as const) {
      const actor = await home.principal([['admin', ...scopes()[scope]]]);
      for (const [name, work] of [...changes, ...deployments]) await assert.rejects(attempt(work, actor), NotFoundError, name);
      const start = { agentId: agent.id, environmentId: home.staging };
      await assert.rejects(
        home.read((uow) => agents.resolveVersionForStart(uow, actor, start)),
        NotFoundError,
      );
    }
  });
  it('is needed where the agent is created, and on both sides of a change of team', async () => {
    const create = (actor: Authority, teamId?: string) =>
      attempt((uow) => agents.createAgent(uow, actor, { projectId: home.project, name: `n-${(last += 1)}`, teamId }), actor);
    const viewer = await home.principal([['viewer', ...scopes().project]]);
    await assert.rejects(create(viewer), ForbiddenError);
    const elsewhere = await home.principal([['admin', ...scopes().otherProject]]);
    await assert.rejects(create(elsewhere), NotFoundError);
    const ofTeam = await home.principal([['agent_manager', ...scopes().team]]);
    await create(ofTeam, home.team);
    await assert.rejects(create(ofTeam), ForbiddenError);
    const release = (uow: UnitOfWork) => agents.updateAgent(uow, ofTeam, { agentId: agent.id, teamId: null });
    await assert.rejects(attempt(release, ofTeam), ForbiddenError);
  });
});

describe('reading', () => {
  const seen = async (actor: Authority) => {
    const [byId, listed, versions, documents, deployed] = await home.read(async (uow) => [
      await agents.findAgent(uow, actor, agent.id),
      (await agents.listAgents(uow, actor, { name: 'seen' }, {})).rows,
      await agents.versionsByIds(uow, actor, [versionId]),
      await agents.versionDocuments(uow, actor, [versionId]),
      await agents.deploymentsByIds(uow, actor, [deploymentId]),
    ]);
    return [byId !== null, listed.length, versions.length, documents.length, deployed.length];
  };
  it('is permitted in the scopes that hold the agent', async () => {
    for (const scope of ['tenant', 'project', 'team', 'environment'] as const) {
      assert.deepEqual(await seen(await home.principal([['viewer', ...scopes()[scope]]])), [true, 1, 1, 1, 1], scope);
    }
  });
  it('gives nothing elsewhere and to nobody', async () => {
    for (const scope of ['otherProject', 'otherTeam'] as const) {
      assert.deepEqual(await seen(await home.principal([['admin', ...scopes()[scope]]])), [false, 0, 0, 0, 0], scope);
    }
    assert.deepEqual(await seen(await home.principal()), [false, 0, 0, 0, 0]);
  });
  it('a role on one environment shows the agent, but only the deployments of that environment', async () => {
    const actor = await home.principal([['viewer', 'environment', home.production]]);
    assert.deepEqual(await seen(actor), [true, 1, 1, 1, 0]);
    const [page] = await home.read((uow) => agents.deploymentsOf(uow, actor, [agent.id], {}));
    assert.deepEqual(page?.rows, []);
  });
});

it('another tenant finds nothing by any id, as if it did not exist', async () => {
  const actor = other.admin;
  const missing = newId();
  for (const id of [agent.id, missing, 'nonsense', '']) {
    assert.equal(await other.read((uow) => agents.findAgent(uow, actor, id)), null);
    assert.deepEqual(await other.read((uow) => agents.versionsOf(uow, actor, [id], {})), [{ rows: [], hasNextPage: false }]);
    assert.deepEqual(await other.read((uow) => agents.deploymentsOf(uow, actor, [id], {})), [{ rows: [], hasNextPage: false }]);
  }
  for (const [name, work] of [...changes, ...deployments]) {
    const error = await other
      .write((uow) => work(uow, actor))
      .then(
        () => null,
        (thrown: unknown) => thrown,
      );
    assert.ok(error instanceof NotFoundError, name);
    assert.equal(error.message, `agentId: there is no agent "${agent.id}", or it is not visible to you`);
  }
  const input = { projectId: home.project, name: 'intruder' };
  await assert.rejects(
    other.write((uow) => agents.createAgent(uow, actor, input)),
    NotFoundError,
  );
  const own = { projectId: other.project, name: 'own', teamId: home.team };
  await assert.rejects(
    other.write((uow) => agents.createAgent(uow, actor, own)),
    NotFoundError,
  );
  const mine = await other.write((uow) => agents.createAgent(uow, actor, { projectId: other.project, name: 'mine' }));
  await other.write((uow) => agents.publishAgentVersion(uow, actor, { agentId: mine.id, definition: definition('mine', '1.0.0') }));
  const foreign = { agentId: mine.id, version: '1.0.0', environmentId: home.staging };
  await assert.rejects(
    other.write((uow) => agents.promoteAgentVersion(uow, actor, foreign)),
    NotFoundError,
  );
  assert.deepEqual(await other.read((uow) => agents.versionsByIds(uow, actor, [versionId])), []);
  assert.deepEqual(await other.read((uow) => agents.versionDocuments(uow, actor, [versionId])), []);
  assert.deepEqual(await other.read((uow) => agents.deploymentsByIds(uow, actor, [deploymentId])), []);
});

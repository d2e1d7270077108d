// What keeps an agent step from starting anything: agents that are not there for it, inputs, cycles, depth and width.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Definition, StepDefinition } from '#src/agents/definition.ts';
import { maxChildren, maxDepth } from '#src/executions/children.ts';
import { newId } from '#src/platform/ids.ts';
import { agentStep, controlOf } from './harness/engine-control.ts';
import { looksAt, type Steps } from './harness/engine-looks.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
let double: string;
before(async () => {
  engine = await handEngine();
  double = await engine.agent([{ id: 'double', transform: '{ "twice": inputs.n * 2 }' }], {
    inputs: { type: 'object', required: ['n'], properties: { n: { type: 'number' } }, additionalProperties: false },
  });
});
after(() => engine.close());
const { start, look, rowOf, rows, statuses, codeOf } = looksAt(() => engine);
const { checked } = controlOf(() => engine);

const childrenOf = (id: string): Promise<{ id: string }[]> => rows('select id from executions where parent_id = $1 order by id', id);
const onlyChild = async (id: string): Promise<{ id: string }> => {
  const children = await childrenOf(id);
  assert.equal(children.length, 1);
  return children[0]!;
};

describe('what hinders it fails the step and starts nothing', () => {
  async function codeFor(step: Partial<StepDefinition>, message: RegExp, inputs: Record<string, unknown> = {}): Promise<string> {
    const id = await start([{ id: 'child', ...step }], inputs);
    assert.deepEqual(await childrenOf(id), []);
    const { failure } = await rowOf(id, 'child');
    assert.match(failure.message, message);
    await checked(id);
    return failure.code;
  }
  const set = (sql: string, agentId: string) => engine.db.database.write(engine.tenantId, (uow) => uow.rows(sql, [agentId]));

  it('an unknown agent, one of another project, one that is not active, one that is not deployed here', async () => {
    const made = await engine.agent([{ id: 'a', transform: '1' }]);
    const step = agentStep(made);
    assert.equal(await codeFor(agentStep(newId()), /the project has no agent "a-/), 'AGENT_UNKNOWN');
    for (const status of ['paused', 'draft', 'deprecated']) {
      await set(`update agents set status = '${status}' where id = $1`, made);
      assert.equal(await codeFor(step, new RegExp(`is ${status}, not active`)), 'AGENT_NOT_ACTIVE');
    }
    await set(`update agents set status = 'active' where id = $1`, made);
    const pinned = { ...step, agent: { ...step.agent, version: '2.0.0' } };
    assert.equal(await codeFor(pinned, /version 2\.0\.0 of the agent .* promote it/), 'AGENT_NOT_DEPLOYED');
    await set('update deployments set superseded_at = now() where agent_id = $1', made);
    assert.equal(await codeFor(step, /no version of the agent .* is live in this environment/), 'AGENT_NOT_DEPLOYED');
    const former = await start([{ id: 'child', ...step, agent: { ...step.agent, version: '1.0.0' } }]);
    assert.equal((await look(former)).status, 'succeeded', 'a named version may have been deployed before');
    const elsewhere = newId();
    await engine.db.database.write(engine.tenantId, async (uow) => {
      await uow.rows(`insert into projects (id, tenant_id, name, created_at) values ($1, $2, 'elsewhere', now())`, [
        elsewhere,
        engine.tenantId,
      ]);
      await uow.rows('update agents set project_id = $2 where id = $1', [made, elsewhere]);
    });
    assert.equal(await codeFor(step, /has no agent/), 'AGENT_UNKNOWN');
  });

  it('inputs that its schema refuses, each named', async () => {
    assert.equal(await codeFor(agentStep(double, { n: 'one', m: 1 }), /inputs of the agent "a-.*with.*n.*number/), 'INVALID_ARGUMENTS');
    assert.equal(await codeFor(agentStep(double), /required|"n"/), 'INVALID_ARGUMENTS');
    assert.equal(await codeFor(agentStep(double, { n: '${{ $error("no") }}' }), /no/), 'EXPRESSION_FAILED');
  });

  it('itself, and whoever stands above it', async () => {
    const own = await engine.agent([{ id: 'a', transform: '1' }]);
    const child = await engine.agent([{ id: 'up', ...agentStep(own) }]);
    const redefine = async (agentId: string, steps: Steps) => {
      const made = await engine.agent(steps);
      const [version] = await rows('select id from agent_versions where agent_id = $1', made);
      await engine.db.database.write(engine.tenantId, (uow) =>
        uow.rows('update deployments set version_id = $2 where agent_id = $1', [agentId, version.id]),
      );
    };
    await redefine(own, [{ id: 'self', ...agentStep(own) }]);
    const { id } = await engine.start(own);
    await engine.work();
    assert.equal(await codeOf(id, 'self'), 'AGENT_CYCLE');
    await redefine(own, [{ id: 'down', ...agentStep(child) }]);
    const above = await engine.start(own);
    await engine.work();
    const below = await onlyChild(above.id);
    assert.equal(await codeOf(below.id, 'up'), 'AGENT_CYCLE');
    assert.equal((await look(above.id)).status, 'failed');
    assert.deepEqual(await childrenOf(below.id), []);
  });

  it(`more than ${maxDepth} above one another, and not one less`, async () => {
    let agentId = await engine.agent([{ id: 'last', transform: '"deep"' }], { output: '${{ steps.last.output }}' });
    const above: Partial<Definition> = { output: '${{ steps.child.output }}' };
    for (let level = 2; level <= maxDepth; level += 1) agentId = await engine.agent([{ id: 'child', ...agentStep(agentId) }], above);
    const fits = await engine.start(agentId);
    await engine.work();
    assert.equal((await look(fits.id)).output, 'deep');
    const id = await start([{ id: 'child', ...agentStep(agentId) }]);
    assert.equal((await look(id)).status, 'failed');
    const deepest = await rows(
      `with recursive below as (select id, 0 as depth from executions where id = $1
         union all select e.id, e.depth from executions e join below on e.parent_id = below.id)
       select id from below order by depth desc limit 1`,
      id,
    );
    assert.equal(await codeOf(deepest[0].id, 'child'), 'TOO_DEEP');
    assert.match((await rowOf(deepest[0].id, 'child')).failure.message, /8 executions stand above one another already/);
  });

  it(`more than ${maxChildren} of one execution`, async () => {
    const agentId = await engine.agent([
      { id: 'nap', wait: { durationMs: 1_000 } },
      { id: 'child', ...agentStep(double, { n: 1 }), needs: ['nap'], onFailure: 'continue' },
      { id: 'one_more', ...agentStep(double, { n: 1 }), needs: ['child'] },
    ]);
    const { id } = await engine.start(agentId);
    await engine.work();
    await engine.db.database.write(engine.tenantId, (uow) =>
      uow.rows(
        `insert into executions (id, tenant_id, project_id, environment_id, agent_id, agent_version_id, status, inputs, labels, request_digest,
           requested_by, requested_roles, created_at, finished_at, parent_id, parent_step_id, parent_item_index, depth)
         select gen_random_uuid(), tenant_id, project_id, environment_id, agent_id, agent_version_id, 'succeeded', '{}', '{}', '', requested_by,
           '{}', now(), now(), id, 'child', -1, 1 from executions, generate_series(1, $2) where id = $1`,
        [id, maxChildren - 1],
      ),
    );
    engine.clock.advance(1_000);
    await engine.work();
    assert.deepEqual(await statuses(id), { child: 'succeeded', nap: 'succeeded', one_more: 'failed' });
    assert.equal(await codeOf(id, 'one_more'), 'TOO_MANY_CHILDREN');
    assert.equal((await childrenOf(id)).length, maxChildren);
  });
});

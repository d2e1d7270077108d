// How far kill switches reach: where redirects lead, the URLs that tools are given, child executions, and everything that waits: for a
// moment, a signal, a retry, a turn or a person. All of it goes on after the release, with the attempts it had.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it, type TestContext } from 'node:test';
import type { StepDefinition } from '#src/agents/definition.ts';
import type { EngageKillSwitch } from '#src/killswitches/kill-switch-service.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority, Grant } from '#src/authority/permission.ts';
import { agentStep, controlOf } from './harness/engine-control.ts';
import { looksAt, tool } from './harness/engine-looks.ts';
import { foreignServer, type ForeignServer } from './harness/foreign-server.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
/** What the tools do. */
let run: (args: Record<string, unknown>, signal: AbortSignal | undefined) => unknown = () => 'done';
const readOnly = {
  annotations: { readOnlyHint: true },
  run: (args: Record<string, unknown>, { signal }: { signal?: AbortSignal }) => run(args, signal),
};
before(async () => {
  engine = await handEngine({ 'web.fetch': readOnly, 'files.read': readOnly });
});
after(() => engine?.close());

const { look, rowOf, rows, start, types, codeOf } = looksAt(() => engine);
const { signal, checked } = controlOf(() => engine);
const write = <T>(work: (uow: UnitOfWork) => Promise<T>) => engine.db.database.write(engine.tenantId, work);
const engaged = new Set<string>();
async function engage(input: Partial<EngageKillSwitch> = {}): Promise<string> {
  const { id } = await write((uow) =>
    engine.services.killSwitches.engageKillSwitch(uow, engine.operator, { scope: 'tenant', reason: 'runaway', ...input }),
  );
  engaged.add(id);
  await engine.hearOfKillSwitch();
  return id;
}
async function release(killSwitchId: string): Promise<void> {
  await write((uow) => engine.services.killSwitches.releaseKillSwitch(uow, engine.operator, { killSwitchId }));
  engaged.delete(killSwitchId);
  await engine.work();
}
afterEach(async () => {
  run = () => 'done';
  for (const id of engaged) await release(id);
});
const act = (more: Partial<StepDefinition> = {}) => ({ id: 'act', ...tool('files.read'), ...more });
const attemptsOf = async (execution: string) =>
  (await rows('select status from attempts where execution_id = $1 order by number', execution)).map(({ status }) => status);
/** Halted now, nothing having run; after the release it succeeds. */
async function waitsFor(killSwitchId: string, execution: string, step = 'act') {
  const before = engine.calls.length;
  await engine.work();
  assert.equal((await rowOf(execution, step)).halted_by, killSwitchId);
  assert.equal(engine.calls.length, before);
  await checked(execution);
  await release(killSwitchId);
  assert.equal((await look(execution)).status, 'succeeded');
  assert.deepEqual(
    (await types(execution, step)).filter((type) => ['step.halted', 'step.continued', 'step.succeeded'].includes(type)),
    ['step.halted', 'step.continued', 'step.succeeded'],
  );
  await checked(execution);
}

describe('a switch on a host', () => {
  const http = (from: ForeignServer, method: 'GET' | 'POST' = 'GET') => ({
    id: 'act',
    http: { method, url: `http://from.test:${from.port}/`, headers: {}, expect: [[200, 299]] as const, maxBytes: 1_000 },
  });
  /** A server that redirects to another one. */
  async function redirecting(t: TestContext, status: number, meanwhile: () => Promise<unknown> = async () => undefined) {
    const to = await foreignServer(t, (_request, response) => void response.end('there'));
    const from = await foreignServer(t, (_request, response) => {
      void meanwhile().then(() => response.writeHead(status, { location: `http://to.test:${to.port}/` }).end());
    });
    return { from, to, destinations: { destinations: [`from.test:${from.port}`, `to.test:${to.port}`] } };
  }

  it('stops a redirect that leads there; the request is made again after the release', async (t) => {
    const { from, to, destinations } = await redirecting(t, 302);
    const id = await engage({ scope: 'destination', pattern: 'to.test' });
    const execution = await start([http(from)], {}, destinations);
    assert.equal(to.connections, 0);
    await waitsFor(id, execution);
    assert.deepEqual([from.requests.length, to.requests.length], [2, 1]);
  });

  it('stops a redirect that leads there when it was engaged after the request left', async (t) => {
    let id = '';
    const { from, to, destinations } = await redirecting(t, 307, async () => {
      id ||= await engage({ scope: 'destination', pattern: `to.test:${to.port}` });
    });
    const execution = await start([http(from)], {}, destinations);
    assert.equal(to.connections, 0);
    await waitsFor(id, execution);
  });

  it('aborts a request that was redirected there', async (t) => {
    const arrived = Promise.withResolvers<void>();
    let isFirst = true;
    const to = await foreignServer(t, (_request, response) => {
      if (!isFirst) return void response.end('there');
      isFirst = false;
      arrived.resolve();
    });
    const from = await foreignServer(
      t,
      (_request, response) => void response.writeHead(302, { location: `http://to.test:${to.port}/` }).end(),
    );
    const destinations = { destinations: [`from.test:${from.port}`, `to.test:${to.port}`] };
    const engaging = arrived.promise.then(() => engage({ scope: 'destination', pattern: 'to.test' }));
    await waitsFor(await Promise.all([engaging, start([http(from)], {}, destinations)]).then(([id]) => id), await newest());
  });

  it('never repeats a request that may have changed something before it was redirected', async (t) => {
    const { from, to, destinations } = await redirecting(t, 303);
    const id = await engage({ scope: 'destination', pattern: 'to.test' });
    const execution = await start([http(from, 'POST')], {}, destinations);
    assert.equal(await codeOf(execution, 'act'), 'OUTCOME_UNKNOWN');
    await release(id);
    assert.deepEqual([from.requests.length, to.connections], [1, 0]);
  });

  it('stops and aborts calls of network tools that are given a URL there, and no others', async () => {
    const id = await engage({ scope: 'destination', pattern: '*.example.com' });
    const fetch = (url: string) => ({ id: 'act', ...tool('web.fetch', { deep: [{ url }] }) });
    assert.equal((await look(await start([fetch('https://example.org/')]))).status, 'succeeded');
    const execution = await start([fetch('https://API.example.com./x')]);
    await waitsFor(id, execution);

    run = async (_args, aborted) => {
      run = () => 'done';
      await engage({ scope: 'destination', pattern: 'other.test:8443' });
      assert.equal(aborted!.aborted, true);
      throw new Error('aborted');
    };
    const running = await start([fetch('https://other.test:8443/')]);
    await waitsFor([...engaged][0]!, running);
    assert.deepEqual(await attemptsOf(running), ['abandoned', 'succeeded']);
  });

  it('stops a call with so many URLs that not all are looked at', async () => {
    const id = await engage({ scope: 'destination', pattern: 'example.com' });
    const urls = Array.from({ length: 201 }, (_, index) => `https://h${index}.test/`);
    await waitsFor(id, await start([{ id: 'act', ...tool('web.fetch', { urls }) }]));
  });

  const newest = async () =>
    (
      await engine.db.database.read(engine.tenantId, (uow) =>
        uow.rows<{ id: string }>('select id from executions order by id desc limit 1'),
      )
    )[0]!.id;
});

describe('what comes while a switch is engaged', () => {
  it('may be a child execution: it begins and stops before its first effect, and its starter waits for it', async () => {
    const child = await engine.agent([act()]);
    const id = await engage({ scope: 'agent', scopeId: child });
    const execution = await start([{ id: 'helper', ...agentStep(child) }]);
    const [{ id: childId }] = await rows('select id from executions where parent_id = $1', execution);
    assert.deepEqual([(await rowOf(childId, 'act')).halted_by, (await look(execution)).status], [id, 'waiting']);
    await release(id);
    assert.deepEqual([(await look(childId)).status, (await look(execution)).status], ['succeeded', 'succeeded']);
    await checked(execution, childId);
  });

  it('may be the end of a wait, a signal, or a start that was put off', async () => {
    const turn = () => engine.clock.advance(60_000);
    const startAt = () => new Date(engine.clock.now().getTime() + 60_000);
    const later = async () => (await engine.start(await engine.agent([act()]), {}, { startAt: startAt() })).id;
    const waiting = (wait: StepDefinition['wait']) => start([{ id: 'wait', wait }, act({ needs: ['wait'] })]);
    for (const [begin, wake] of [
      [() => waiting({ durationMs: 60_000 }), turn],
      [() => waiting({ signal: 'go', timeoutMs: null }), (execution: string) => signal(execution, 'go')],
      [later, turn],
    ] as const) {
      const execution = await begin();
      const id = await engage();
      await wake(execution);
      await waitsFor(id, execution);
    }
  });

  it('may be a retry: the attempts that were made count, those that a switch kept from being made do not', async () => {
    run = () => {
      throw new Error('down');
    };
    const retry = { maxAttempts: 2, initialMs: 60_000, factor: 1, maxMs: 60_000 };
    const execution = await start([act({ retry })]);
    assert.deepEqual(await attemptsOf(execution), ['failed']);
    const id = await engage();
    engine.clock.advance(60_000);
    await engine.work();
    assert.deepEqual([(await rowOf(execution, 'act')).halted_by, await attemptsOf(execution)], [id, ['failed']]);
    await checked(execution);
    await release(id);
    assert.deepEqual([(await look(execution)).status, await attemptsOf(execution)], ['failed', ['failed', 'failed']]);
    await checked(execution);
  });

  it('may be a turn in line at a rate limit, which is kept', async () => {
    const admin = await engine.authority(['admin']);
    const agentId = await engine.agent([act()]);
    await write((uow) =>
      engine.services.policies.createPolicy(uow, admin, {
        ...{ name: `limit-${newId()}`, kind: 'rate_limit', mode: 'enforce', scope: { agentId } },
        rules: { count: 'tool_calls', limit: 1, window: '1m', onViolation: 'queue', maxDelay: '1h' },
      }),
    );
    const [first, second, third] = [await engine.start(agentId), await engine.start(agentId), await engine.start(agentId)];
    await engine.work();
    const statuses = () => Promise.all([first, second, third].map(async ({ id }) => (await look(id)).status === 'succeeded'));
    assert.deepEqual(await statuses(), [true, false, false]);
    const id = await engage();
    engine.clock.advance(60_000);
    await engine.work();
    assert.equal((await rowOf(second.id, 'act')).halted_by, id);
    assert.deepEqual(await statuses(), [true, false, false]);
    await release(id);
    assert.deepEqual(await statuses(), [true, true, false], 'in order, one in a window');
    engine.clock.advance(60_000);
    await engine.work();
    assert.deepEqual(await statuses(), [true, true, true]);
    await checked(first.id, second.id, third.id);
  });

  it('costs no job while it waits, and goes on by itself when the last of several switches is released', async () => {
    const [all, host, files] = [
      await engage(),
      await engage({ scope: 'destination', pattern: '*' }),
      await engage({ scope: 'tool', pattern: 'files.*' }),
    ];
    const execution = await start([act()]);
    for (const [released, remaining] of [
      [host, all],
      [all, files],
    ] as const) {
      await release(released);
      assert.equal((await rowOf(execution, 'act')).halted_by, remaining);
      assert.deepEqual(await engine.jobsOf(execution), []);
    }
    await release(files);
    assert.equal((await look(execution)).status, 'succeeded');
    await checked(execution);
  });

  it('goes on, each by itself, though letting one of them go on fails at first', async () => {
    const agentId = await engine.agent([act()]);
    const id = await engage();
    const started = [await engine.start(agentId), await engine.start(agentId), await engine.start(agentId)];
    await engine.work();
    engine.dieAt((write) => (write === 0 ? 'inside' : null));
    await write((uow) => engine.services.killSwitches.releaseKillSwitch(uow, engine.operator, { killSwitchId: id }));
    engaged.delete(id);
    assert.equal(await engine.workOnce(), true);
    const halted = async () => (await rows('select execution_id from steps where halted_by = $1', id)).map((row) => row.execution_id);
    assert.deepEqual(await halted(), [started[0]!.id]);
    engine.dieAt(null);
    await engine.work();
    assert.deepEqual(await halted(), []);
    for (const each of started) assert.equal((await look(each.id)).status, 'succeeded');
  });

  it('may be more than goes on in one batch', async () => {
    const agentId = await engine.agent([act()]);
    const id = await engage();
    const many = 101;
    for (let index = 0; index < many; index += 1) await engine.start(agentId);
    await engine.work();
    const halted = () => rows('select step_id from steps where halted_by = $1', id);
    assert.equal((await halted()).length, many);
    await release(id);
    assert.equal((await halted()).length, 0);
    assert.equal((await rows(`select id from executions where agent_id = $1 and status = 'succeeded'`, agentId)).length, many);
  });
});

describe('engaging', () => {
  it('needs the permission at exactly what is stopped: no narrower role stops anything wider, or beside it', async () => {
    const nobody = await engine.authority([]);
    const [agentId, teamId] = [await engine.agent([act()]), newId()];
    await write(async (uow) => {
      await uow.rows('insert into teams (id, tenant_id, name, created_at) values ($1, $2, $3, now())', [
        teamId,
        uow.tenantId,
        `t-${teamId}`,
      ]);
      await uow.rows('update agents set team_id = $2 where id = $1', [agentId, teamId]);
    });
    const { projectId, environmentId, tenantId } = engine;
    const inputs = {
      tenant: { scope: 'tenant' },
      project: { scope: 'project', scopeId: projectId },
      environment: { scope: 'environment', scopeId: environmentId },
      agent: { scope: 'agent', scopeId: agentId },
      tool: { scope: 'tool', pattern: 'none.*' },
      destination: { scope: 'destination', pattern: 'none.test' },
    } as const;
    const mayStop: readonly (readonly [Grant, readonly string[]])[] = [
      [{ role: 'operator', kind: 'tenant', scopeId: tenantId }, Object.keys(inputs)],
      [{ role: 'admin', kind: 'project', scopeId: projectId }, ['project', 'environment', 'agent']],
      [{ role: 'admin', kind: 'environment', scopeId: environmentId, projectId }, ['environment']],
      [{ role: 'admin', kind: 'team', scopeId: teamId }, ['agent']],
      [{ role: 'admin', kind: 'project', scopeId: newId() }, []],
      [{ role: 'viewer', kind: 'tenant', scopeId: tenantId }, []],
    ];
    for (const [grant, scopes] of mayStop) {
      const actor: Authority = { ...nobody, grants: [grant] };
      for (const [scope, input] of Object.entries(inputs)) {
        const { killSwitches } = engine.services;
        const attempt = write((uow) => killSwitches.engageKillSwitch(uow, actor, { reason: 'why', ...input }));
        if (!scopes.includes(scope)) {
          await assert.rejects(
            attempt,
            ({ code }) => code === 'FORBIDDEN' || code === 'NOT_FOUND',
            `${grant.role} of ${grant.kind}: ${scope}`,
          );
          continue;
        }
        const killSwitchId = (await attempt).id;
        for (const [other, others] of mayStop) {
          if (others.includes(scope)) continue;
          const stranger: Authority = { ...nobody, grants: [other] };
          const releasing = write((uow) => killSwitches.releaseKillSwitch(uow, stranger, { killSwitchId }));
          await assert.rejects(
            releasing,
            ({ code }) => code === 'FORBIDDEN' || code === 'NOT_FOUND',
            `${other.role} of ${other.kind}: ${scope}`,
          );
        }
        await write((uow) => killSwitches.releaseKillSwitch(uow, actor, { killSwitchId }));
      }
    }
    assert.equal((await rows('select id from kill_switches where tenant_id = $1 and released_at is null', tenantId)).length, 0);
  });
});

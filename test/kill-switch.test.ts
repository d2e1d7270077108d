// Kill switches on one engine turned by hand: what each scope covers, what becomes of what it stops, who may, and bad input.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { EngageKillSwitch } from '#src/killswitches/kill-switch-service.ts';
import { covers, normalDestinationPattern, normalToolPattern, type EngagedSwitch } from '#src/killswitches/kill-switch.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { controlOf, refused } from './harness/engine-control.ts';
import { looksAt, tool } from './harness/engine-looks.ts';
import { foreignServer } from './harness/foreign-server.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
/** Called while a tool runs. */
let during: () => Promise<unknown> = () => Promise.resolve();
const run = async (_args: unknown, { signal }: { signal?: AbortSignal }) => {
  await during();
  if (signal?.aborted) throw new Error('aborted');
  return 'done';
};
before(async () => {
  engine = await handEngine({
    'files.read': { annotations: { readOnlyHint: true }, run },
    'files.write': { annotations: { destructiveHint: true }, run },
    'mail.send': { annotations: { idempotentHint: true }, run },
  });
});
after(() => engine?.close());

const { look, types, rowOf, rows, start, codeOf } = looksAt(() => engine);
const { pause, resume, decide, checked } = controlOf(() => engine);
const write = <T>(work: (uow: UnitOfWork) => Promise<T>) => engine.db.database.write(engine.tenantId, work);
const engaged: string[] = [];
async function engage(input: Partial<EngageKillSwitch> = {}, actor: Authority = engine.operator): Promise<string> {
  const { id } = await write((uow) =>
    engine.services.killSwitches.engageKillSwitch(uow, actor, { scope: 'tenant', reason: 'runaway', ...input }),
  );
  engaged.push(id);
  return id;
}
async function release(killSwitchId: string, actor: Authority = engine.operator) {
  const row = await write((uow) => engine.services.killSwitches.releaseKillSwitch(uow, actor, { killSwitchId }));
  engaged.splice(engaged.indexOf(killSwitchId), 1);
  return row;
}
afterEach(async () => {
  during = () => Promise.resolve();
  for (const id of [...engaged]) await release(id);
  await engine.work();
});
/** Engages once, while the tool runs for the first time; the runner hears of it at once. */
function engageWhileItRuns(input: Partial<EngageKillSwitch> = {}): Promise<string> {
  return new Promise((resolve) => {
    during = async () => {
      during = () => Promise.resolve();
      resolve(await engage(input));
      await engine.hearOfKillSwitch();
    };
  });
}
const act = (name: string, more: object = {}) => ({ id: 'act', ...tool(name), ...more });

describe('a slot that a kill switch stops', () => {
  it('waits without a job, keeps the state of its execution, says why, and goes on after the release', async () => {
    const id = await engage();
    const execution = await start([act('files.read'), { id: 'then', ...tool('mail.send'), needs: ['act'] }]);
    assert.deepEqual([(await look(execution)).status, (await rowOf(execution, 'act')).status], ['running', 'queued']);
    assert.equal((await rowOf(execution, 'act')).halted_by, id);
    assert.deepEqual([await engine.jobsOf(execution), await rows('select * from attempts where execution_id = $1', execution)], [[], []]);
    const halted = (await engine.events(execution)).at(-1)!;
    assert.deepEqual(
      [halted.type, halted.data],
      ['step.halted', { stepId: 'act', itemIndex: -1, attempt: 0, killSwitchId: id, reason: 'runaway' }],
    );
    const [decision] = await rows(
      `select effect, reasons, input from decisions where execution_id = $1 and action = 'tool.call'`,
      execution,
    );
    assert.deepEqual([decision.effect, decision.input.killSwitches], ['deny', [{ id, reason: 'runaway' }]]);
    assert.match(decision.reasons[0], /kill switch .*runaway/);
    await checked(execution);
    await release(id);
    await engine.work();
    assert.equal((await look(execution)).status, 'succeeded');
    assert.deepEqual((await types(execution, 'act')).slice(1), ['step.halted', 'step.continued', 'step.started', 'step.succeeded']);
    await checked(execution);
  });

  it('is aborted while it runs and made again with its only attempt, when that does no harm', async () => {
    const engaging = engageWhileItRuns();
    const execution = await start([act('mail.send')]);
    assert.equal((await rowOf(execution, 'act')).halted_by, await engaging);
    await checked(execution);
    await release(await engaging);
    await engine.work();
    assert.equal((await look(execution)).status, 'succeeded');
    const attempts = await rows('select number, status from attempts where execution_id = $1 order by number', execution);
    assert.deepEqual(
      attempts.map(({ number, status }) => [number, status]),
      [
        [1, 'abandoned'],
        [2, 'succeeded'],
      ],
    );
    await checked(execution);
  });

  it('is not made again when nobody knows whether it happened and repeating could do harm', async () => {
    void engageWhileItRuns();
    const execution = await start([act('files.write')]);
    assert.deepEqual([(await look(execution)).status, await codeOf(execution, 'act')], ['failed', 'OUTCOME_UNKNOWN']);
    await checked(execution);
  });

  it('may be an item: the others of its list wait as well, and all go on', async () => {
    const id = await engage({ scope: 'tool', pattern: 'mail.*' });
    const execution = await start([act('mail.send', { forEach: '[1, 2, 3, 4, 5]', concurrency: 2 })]);
    assert.equal((await rows('select * from steps where execution_id = $1 and halted_by is not null', execution)).length, 2);
    await release(id);
    await engine.work();
    assert.equal((await look(execution)).status, 'succeeded');
    await checked(execution);
  });

  it('goes on only when the last switch that covers it is released', async () => {
    const [first, second] = [await engage(), await engage({ scope: 'tool', pattern: 'files.read' })];
    const execution = await start([act('files.read')]);
    await release(first);
    await engine.work();
    assert.equal((await rowOf(execution, 'act')).halted_by, second);
    await release(second);
    await engine.work();
    assert.equal((await look(execution)).status, 'succeeded');
    await checked(execution);
  });

  it('can be paused, resumed and cancelled meanwhile, with its approval unused', async () => {
    const id = await engage();
    const paused = await start([act('files.read')]);
    await pause(paused);
    await release(id);
    await engine.work();
    assert.equal((await look(paused)).status, 'paused');
    await resume(paused);
    await engine.work();
    assert.equal((await look(paused)).status, 'succeeded');

    const again = await engage();
    const resumed = await start([act('files.read')]);
    await pause(resumed);
    await resume(resumed);
    await engine.work();
    assert.equal((await rowOf(resumed, 'act')).halted_by, again);
    await engine.cancel(resumed);
    assert.deepEqual([(await look(resumed)).status, (await rowOf(resumed, 'act')).halted_by], ['cancelled', null]);
    await release(again);
    await engine.work();
    assert.equal((await look(resumed)).status, 'cancelled');
    await checked(paused, resumed);
  });

  it('does not use up the approval it got before', async () => {
    const admin = await engine.authority(['admin']);
    await write((uow) =>
      engine.services.policies.createPolicy(uow, admin, {
        name: `ask-${newId()}`,
        kind: 'approval_required',
        rules: [{ tools: ['files.write'] }],
      }),
    );
    const execution = await start([act('files.write')]);
    const id = await engage();
    await decide(execution, 'approve');
    await engine.work();
    const consumed = () => rows('select consumed_at from approvals where execution_id = $1', execution);
    assert.deepEqual([(await rowOf(execution, 'act')).halted_by, await consumed()], [id, [{ consumed_at: null }]]);
    await release(id);
    await engine.work();
    assert.equal((await look(execution)).status, 'succeeded');
    await checked(execution);
  });

  it('may be a request: a switch on a host stops it before it leaves', async (t) => {
    const received: string[] = [];
    const server = await foreignServer(t, (request, response) => {
      received.push(request.url!);
      response.end('{}');
    });
    const http = {
      method: 'GET' as const,
      url: `http://api.test:${server.port}/x`,
      headers: {},
      expect: [[200, 299]] as const,
      maxBytes: 1_000,
    };
    const definition = { destinations: [`api.test:${server.port}`] };
    const id = await engage({ scope: 'destination', pattern: `API.test.:${server.port}` });
    const execution = await start([{ id: 'act', http }], {}, definition);
    assert.deepEqual([(await rowOf(execution, 'act')).halted_by, received], [id, []]);
    await release(id);
    await engine.work();
    assert.deepEqual([(await look(execution)).status, received], ['succeeded', ['/x']]);
  });
});

describe('a kill switch', () => {
  const effect = {
    projectId: 'p',
    environmentId: 'e',
    agentId: 'a',
    tool: 'files.write_file',
    destinations: [{ host: 'api.example.com', port: 443 }],
  };
  const one = (scope: EngagedSwitch['scope'], what: Partial<EngagedSwitch>): EngagedSwitch => ({
    id: 'k',
    scope,
    scopeId: null,
    pattern: null,
    reason: '',
    ...what,
  });

  it('covers what its scope says and nothing else', () => {
    const yes = [
      one('tenant', {}),
      one('project', { scopeId: 'p' }),
      one('environment', { scopeId: 'e' }),
      one('agent', { scopeId: 'a' }),
      ...['files.write_file', 'files.*', '*', '*.write_*', 'f*i*e'].map((pattern) => one('tool', { pattern })),
      ...['api.example.com', '*.example.com', '*', 'api.example.com:443', 'api.*.com'].map((pattern) => one('destination', { pattern })),
    ];
    const no = [
      ...(['project', 'environment', 'agent'] as const).map((scope) => one(scope, { scopeId: 'other' })),
      ...['files.write', 'files.write_file2', 'mail.*', '*.read*', 'files.write_file*x'].map((pattern) => one('tool', { pattern })),
      ...['example.com', 'api.example.com:444', '*.api.example.com', 'api.example.org'].map((pattern) => one('destination', { pattern })),
    ];
    for (const each of yes) assert.equal(covers(each, effect), true, JSON.stringify(each));
    for (const each of no) assert.equal(covers(each, effect), false, JSON.stringify(each));
    assert.equal(covers(one('destination', { pattern: '*' }), { ...effect, destinations: [] }), false, 'it goes nowhere');
    assert.equal(covers(one('destination', { pattern: 'x.test' }), { ...effect, destinations: null }), true, 'who knows where it goes');
    const v6 = { ...effect, destinations: [...effect.destinations, { host: '2001:db8::1', port: 8080 }] };
    assert.equal(covers(one('destination', { pattern: normalDestinationPattern('[2001:DB8:0::1]:8080')! }), v6), true);
  });

  it('takes patterns in whatever spelling the host has, and refuses what is none', () => {
    for (const [given, normal] of [
      ['API.Example.com.', 'api.example.com'],
      ['bücher.example', 'xn--bcher-kva.example'],
      ['*.Bücher.example:8443', '*.xn--bcher-kva.example:8443'],
      ['2130706433', '127.0.0.1'],
      ['0x7f.1', '127.0.0.1'],
      ['2001:DB8::0:1', '2001:db8::1'],
      ['[::1]:80', '[::1]:80'],
    ] as const) {
      assert.equal(normalDestinationPattern(given), normal, given);
    }
    for (const given of [
      '',
      ' ',
      'http://a.example',
      'a.example/path',
      'user@a.example',
      'a.example:0',
      'a.example:70000',
      'a b',
      'a\u0000',
      '*.\u202ea',
      'x'.repeat(300),
    ]) {
      assert.equal(normalDestinationPattern(given), null, JSON.stringify(given));
    }
    for (const given of ['', 'files write', 'files.wrіte', 'a'.repeat(300), 'files.{a,b}'])
      assert.equal(normalToolPattern(given), null, given);
  });

  it('is on the place it names: another agent, project or environment goes on', async () => {
    const stopped = await engine.agent([act('files.read')]);
    const free = await engine.agent([act('files.read')]);
    const id = await engage({ scope: 'agent', scopeId: stopped });
    const [a, b] = [await engine.start(stopped), await engine.start(free)];
    await engine.work();
    assert.deepEqual([(await rowOf(a.id, 'act')).halted_by, (await look(b.id)).status], [id, 'succeeded']);
    for (const scope of ['project', 'environment'] as const) {
      const other = await engage({ scope, scopeId: scope === 'project' ? engine.projectId : engine.environmentId });
      const { id: execution } = await engine.start(free);
      await engine.work();
      assert.equal((await rowOf(execution, 'act')).halted_by, other);
      await release(other);
      await engine.work();
      assert.equal((await look(execution)).status, 'succeeded');
    }
  });

  it('engaged twice on the same is one; released once it cannot be released again', async () => {
    const id = await engage({ scope: 'tool', pattern: 'files.*' });
    assert.equal(await engage({ scope: 'tool', pattern: 'files.*', reason: 'another' }), id);
    engaged.pop();
    const released = await release(id);
    assert.deepEqual([released.releasedBy, released.reason], [engine.operator.principalId, 'runaway']);
    await assert.rejects(
      write((uow) => engine.services.killSwitches.releaseKillSwitch(uow, engine.operator, { killSwitchId: id })),
      refused('INVALID_STATE', /released at .* already/),
    );
    assert.notEqual(await engage({ scope: 'tool', pattern: 'files.*' }), id);
  });

  it('rolled back changes nothing, for nobody', async () => {
    await assert.rejects(
      write(async (uow) => {
        await engine.services.killSwitches.engageKillSwitch(uow, engine.operator, { scope: 'tenant', reason: 'no' });
        throw new Error('rolled back');
      }),
      /rolled back/,
    );
    assert.equal((await look(await start([act('files.read')]))).status, 'succeeded');
  });

  it('refuses bad input by field, every problem at once, with nothing written', async () => {
    const bad: [Partial<EngageKillSwitch>, RegExp][] = [
      [{ scope: 'project' }, /scopeId: is missing/],
      [{ scope: 'tenant', scopeId: engine.projectId, pattern: '*' }, /scopeId: means nothing.*pattern: means nothing/],
      [{ scope: 'tool' }, /pattern: is missing/],
      [{ scope: 'tool', pattern: 'files.wrіte', reason: '' }, /is not a pattern of tools.*reason: is empty/],
      [{ scope: 'destination', pattern: 'http://x' }, /is not a pattern of destinations/],
      [{ reason: 'x'.repeat(1_001) }, /at most 1000 characters|at most 1,000|has 1001/],
      [{ reason: 'a\u0000' }, /U\+0000/],
    ];
    for (const [input, message] of bad) await assert.rejects(engage(input), refused('VALIDATION_FAILED', message));
    assert.ok(await engage({ reason: 'x'.repeat(1_000) }), 'at the limit');
  });

  it('needs the permission at its place; ids of other tenants are none', async () => {
    const viewer = await engine.authority(['viewer']);
    const nobody = await engine.authority([]);
    const inProject: Authority = { ...viewer, grants: [{ role: 'operator', kind: 'project', scopeId: engine.projectId }] };
    await assert.rejects(engage({}, viewer), refused('FORBIDDEN', /killswitch\.manage/));
    await assert.rejects(engage({}, inProject), refused('FORBIDDEN', /killswitch\.manage/));
    await assert.rejects(engage({ scope: 'tool', pattern: '*' }, inProject), refused('FORBIDDEN', /killswitch\.manage/));
    await assert.rejects(engage({ scope: 'project', scopeId: engine.projectId }, nobody), refused('NOT_FOUND', /there is no project/));
    for (const scope of ['project', 'environment', 'agent'] as const) {
      await assert.rejects(engage({ scope, scopeId: newId() }), refused('NOT_FOUND', new RegExp(`there is no ${scope}`)));
    }
    const own = await engage({ scope: 'environment', scopeId: engine.environmentId }, inProject);
    const whole = await engage();
    const seen = (actor: Authority) =>
      engine.db.database.read(engine.tenantId, (uow) => engine.services.killSwitches.listKillSwitches(uow, actor, { engaged: true }, {}));
    assert.deepEqual(
      (await seen(inProject)).rows.map(({ id }) => id),
      [whole, own],
    );
    assert.deepEqual((await seen(nobody)).rows, []);
    await assert.rejects(release(whole, inProject), refused('FORBIDDEN', /killswitch\.manage/));
    await assert.rejects(release(whole, viewer), refused('FORBIDDEN', /killswitch\.manage/));
    await assert.rejects(release(whole, nobody), refused('NOT_FOUND', /there is no kill switch/));
    const foreign = { ...engine.operator, tenantId: newId() };
    await assert.rejects(
      engine.db.database.write(foreign.tenantId, (uow) =>
        engine.services.killSwitches.releaseKillSwitch(uow, foreign, { killSwitchId: whole }),
      ),
      refused('NOT_FOUND', /there is no kill switch/),
    );
  });
});

// What steps give: judged before it is recorded, with the texts that policies put in front; and where redirects of a request may lead.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { withNotice } from '#src/executions/delivery.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import type { NewPolicy } from '#src/policies/policy-service.ts';
import type { Authority } from '#src/authority/permission.ts';
import { looksAt, tool } from './harness/engine-looks.ts';
import { foreignServer } from './harness/foreign-server.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';
import { checkRows } from './harness/simulation-checks.ts';

let engine: HandEngine;
let admin: Authority;
before(async () => {
  engine = await handEngine({ 'lab.say': { run: ({ text }) => text ?? 'said' } });
  admin = await engine.authority(['admin']);
});
after(() => engine.close());
const { look, start, rows, rowOf } = looksAt(() => engine);

/** In force until the test has ended. */
async function policy(t: { after(work: () => Promise<unknown>): void }, input: Omit<NewPolicy, 'name' | 'mode'> & Partial<NewPolicy>) {
  const { db, tenantId, services } = engine;
  const write = <T>(work: (uow: UnitOfWork) => Promise<T>) => db.database.write(tenantId, work);
  const made = await write((uow) => services.policies.createPolicy(uow, admin, { name: `p-${newId()}`, mode: 'enforce', ...input }));
  t.after(() => write((uow) => services.policies.deletePolicy(uow, admin, made.id)));
}
const secrets = {
  kind: 'content',
  rules: [{ effect: 'deny', matches: ['AKIA[0-9A-Z]{16}'], in: ['outputs'], message: 'No keys.' }],
} as const;
const key = `AKIA${'A'.repeat(16)}`;
const decisionsOn = (id: string) =>
  rows(`select effect, step_id from decisions where execution_id = $1 and action = 'output.deliver' order by id`, id);

describe('an output', () => {
  it('that a policy refuses is not recorded: the step is blocked with the reason, and nothing goes on with it', async (t) => {
    await policy(t, secrets);
    const steps = [
      { id: 'leak', ...tool('lab.say', { text: key }) },
      { id: 'next', ...tool('lab.say', { text: '${{ steps.leak.output.text }}' }) },
    ];
    const id = await start([steps[0]!, { ...steps[1]!, needs: ['leak'] }]);
    assert.equal((await look(id)).status, 'blocked');
    const row = await rowOf(id, 'leak');
    assert.deepEqual([row.status, row.output, row.failure.code], ['blocked', null, 'OUTPUT_DENIED']);
    assert.match(row.failure.message, /refuses what is in output.*: No keys\.$/);
    assert.equal(engine.calls.filter(({ options }) => options.idempotencyKey?.startsWith(id)).length, 1);
    assert.deepEqual(await decisionsOn(id), [{ effect: 'deny', step_id: 'leak' }]);
    const [attempt] = await rows('select status from attempts where execution_id = $1', id);
    assert.equal(attempt.status, 'failed');
    await checkRows(engine, id);
  });

  it('lets the execution go on where its step says so, with other steps seeing no output of it', async (t) => {
    await policy(t, secrets);
    const leak = { id: 'leak', ...tool('lab.say', { text: key }), onFailure: 'continue' } as const;
    const id = await start([leak, { id: 'after', transform: '$exists(steps.leak.output.text)', needs: ['leak'] }]);
    assert.equal((await look(id)).status, 'succeeded');
    assert.equal((await rowOf(id, 'after')).output, false);
    await checkRows(engine, id);
  });

  it('without any policy that looks at outputs is judged by nobody', async () => {
    const id = await start([{ id: 'leak', ...tool('lab.say', { text: key }) }]);
    assert.deepEqual(await decisionsOn(id), []);
  });

  it('of an agent step is judged, too', async (t) => {
    const childId = await engine.agent([{ id: 'say', transform: `"${key}"` }], { output: '${{ steps.say.output }}' });
    const agentId = await engine.agent([{ id: 'sub', kind: 'agent', agent: { name: `a-${childId}`, with: {}, onParentEnd: 'cancel' } }]);
    await policy(t, { ...secrets, scope: { agentId } });
    const { id } = await engine.start(agentId);
    await engine.work();
    assert.equal((await look(id)).status, 'blocked');
    assert.deepEqual(await decisionsOn(id), [{ effect: 'deny', step_id: 'sub' }]);
    await checkRows(engine, id);
  });

  const halves = { first: 'AKIA', second: 'A'.repeat(16) };
  const joined = 'inputs.first & inputs.second';

  it('that is only made of harmless parts is judged, too: by a transform, by one of its items, by a reduction', async (t) => {
    await policy(t, secrets);
    const made: [string, object][] = [
      ['plain', { transform: joined }],
      ['each', { forEach: '${{ [1, 2] }}', transform: joined }],
      ['all', { forEach: '${{ [inputs.first, inputs.second] }}', transform: 'item', reduce: '$join(items)' }],
    ];
    for (const [stepId, step] of made) {
      const id = await start(
        [
          { id: stepId, ...step },
          { id: 'next', ...tool('lab.say'), needs: [stepId] },
        ],
        halves,
      );
      assert.equal((await look(id)).status, 'blocked', stepId);
      const row = await rowOf(id, stepId);
      assert.deepEqual([row.status, row.output], ['blocked', null], stepId);
      const decisions = await decisionsOn(id);
      assert.deepEqual([decisions.at(-1).effect, decisions.at(-1).step_id], ['deny', stepId]);
      const stored = await rows(`select string_agg(output::text, '') as text from steps where execution_id = $1`, id);
      assert.ok(!String(stored[0].text).includes(key), stepId);
      assert.equal(engine.calls.filter(({ options }) => options.idempotencyKey?.startsWith(id)).length, 0);
      await checkRows(engine, id);
    }
  });

  it('of the execution is judged at its end: one that is refused ends it blocked and is stored nowhere', async (t) => {
    await policy(t, secrets);
    const steps = [{ id: 'say', ...tool('lab.say', { text: 'harmless' }) }];
    const more = { output: { said: '${{ steps.say.output.text }}', key: `\${{ ${joined} }}` } };
    const id = await start(steps, halves, more);
    const { status, failure, output } = await look(id);
    assert.deepEqual([status, output, failure?.code, failure?.stepId], ['blocked', null, 'OUTPUT_DENIED', undefined]);
    assert.match(failure!.message, /refuses what is in output\.key: No keys\.$/);
    assert.equal((await rowOf(id, 'say')).status, 'succeeded');
    const [decision] = await rows(`select id from decisions where execution_id = $1 and effect = 'deny' and step_id is null`, id);
    const last = (await engine.events(id)).at(-1)!;
    assert.deepEqual([last.type, last.data['decisionId']], ['execution.blocked', decision.id]);
    assert.deepEqual(await decisionsOn(id), [
      { effect: 'allow', step_id: 'say' },
      { effect: 'deny', step_id: null },
    ]);
    await checkRows(engine, id);
    const fine = await start(steps, { first: 'A', second: 'B' }, more);
    assert.deepEqual([(await look(fine)).status, (await look(fine)).output], ['succeeded', { said: '"harmless"', key: 'AB' }]);
  });

  it('that was made of others stays as it is where policies only observe or inject', async (t) => {
    await policy(t, { ...secrets, mode: 'observe' });
    await policy(t, { ...secrets, mode: 'inject' });
    const id = await start([{ id: 'made', transform: joined }], halves, { output: '${{ steps.made.output }}' });
    assert.deepEqual([(await look(id)).status, (await look(id)).output, (await rowOf(id, 'made')).output], ['succeeded', key, key]);
    assert.deepEqual(await decisionsOn(id), [
      { effect: 'allow', step_id: 'made' },
      { effect: 'allow', step_id: null },
    ]);
    await checkRows(engine, id);
  });

  it('gets the text of a policy that injects in front, whether it looked at the call or at the output', async (t) => {
    await policy(t, { ...secrets, mode: 'inject' });
    await policy(t, { kind: 'rate_limit', mode: 'inject', rules: { count: 'tool_calls', limit: 1, window: '1h', message: 'Slow down.' } });
    const id = await start([
      { id: 'one', ...tool('lab.say', { text: 'harmless' }) },
      { id: 'two', ...tool('lab.say', { text: key }), needs: ['one'] },
      { id: 'three', transform: 'steps.two.output.text', needs: ['two'] },
    ]);
    assert.equal((await look(id)).status, 'succeeded');
    assert.equal((await rowOf(id, 'one')).output.notice, undefined);
    const { text, notice, structured } = (await rowOf(id, 'two')).output;
    assert.match(notice, /allows 1 tool call in 1h.*Slow down\.\n.*refuses what is in output.*No keys\.$/s);
    assert.ok(text.includes('Slow down.') && text.endsWith(JSON.stringify(key)), text);
    assert.deepEqual(structured, { value: key });
    assert.equal((await rowOf(id, 'three')).output, text, 'the next step saw it');
    await checkRows(engine, id);
  });

  it('keeps its form with a text in front: objects get a member, everything else becomes one', () => {
    const cases: [output: unknown, expected: unknown][] = [
      [
        { text: 'b', content: [] },
        { text: 'a\n\nb', content: [], notice: 'a' },
      ],
      [
        { status: 200, body: 'b' },
        { status: 200, body: 'b', notice: 'a' },
      ],
      [
        { notice: 'first', text: 1 },
        { notice: 'first\na', text: 1 },
      ],
      [[1], { notice: 'a', value: [1] }],
      ['b', { notice: 'a', value: 'b' }],
      [null, { notice: 'a', value: null }],
    ];
    for (const [output, expected] of cases) assert.deepEqual(JSON.parse(withNotice(JSON.stringify(output), ['a'])), expected);
    assert.equal(withNotice('"b"', []), '"b"');
    assert.equal(JSON.parse(withNotice('{}', ['x'.repeat(10_000)])).notice.length, 4_000);
  });
});

describe('a redirect of an http step', () => {
  it('leads only where the same policies let the request go', async (t) => {
    const server = await foreignServer(t, (request, response) => {
      if (request.url === '/') response.writeHead(302, { location: `http://evil.test:${server.port}/there` }).end();
      else response.end('there');
    });
    const request = { method: 'GET', url: `http://api.test:${server.port}/`, headers: {}, expect: [[200, 299]], maxBytes: 1_000 } as const;
    const destinations = [`api.test:${server.port}`, `evil.test:${server.port}`];
    const run = () => start([{ id: 'call', http: request }], {}, { destinations });
    assert.equal((await look(await run())).status, 'succeeded');
    await policy(t, { kind: 'destination', rules: [{ effect: 'deny', hosts: ['evil.test'] }] });
    const id = await run();
    assert.equal((await look(id)).status, 'failed');
    assert.match((await rowOf(id, 'call')).failure.message, /redirect/i);
    assert.equal(server.requests.filter(({ url }) => url === '/there').length, 1);
  });
});

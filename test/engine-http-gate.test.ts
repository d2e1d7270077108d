// Requests of http steps that must not leave: what the gate, policies, people and the outbound guard refuse, before anything is sent.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { HttpRequestDefinition, StepDefinition } from '#src/agents/definition.ts';
import { looksAt } from './harness/engine-looks.ts';
import { foreignServer, type Answer, type ForeignServer } from './harness/foreign-server.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
before(async () => {
  engine = await handEngine();
});
after(() => engine?.close());

const { start, look, rows, rowOf } = looksAt(() => engine);

type Http = Partial<HttpRequestDefinition> & Pick<HttpRequestDefinition, 'url'>;
const call = (http: Http, more: Partial<StepDefinition> = {}): Partial<StepDefinition> => ({
  id: 'call',
  http: { method: 'GET', headers: {}, expect: [[200, 299]], maxBytes: 1_048_576, ...http },
  ...more,
});
/** Every name leads to the test's servers. */
const at = ({ port }: Pick<ForeignServer, 'port'>, path = '/', host = 'api.test') => `http://${host}:${port}${path}`;
const declared = (...servers: readonly Pick<ForeignServer, 'port'>[]) => ({ destinations: servers.map(({ port }) => `api.test:${port}`) });

const json =
  (body: unknown, status = 200): Answer =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

describe('a request that must not leave', () => {
  const decisions = (id: string) => rows(`select effect, reasons from decisions where execution_id = $1 and action = 'http.request'`, id);

  it('is blocked when its host, port or capability is not declared, before anything is sent', async (t) => {
    const server = await foreignServer(t, json({}));
    const refusals: [http: Http, more: object, reason: RegExp][] = [
      [{ url: at(server) }, { destinations: [] }, /does not list the destination api\.test:\d+\. Add it to "spec\.destinations"/],
      [{ url: at(server) }, { destinations: ['api.test'] }, /does not list the destination/],
      [{ url: at(server, '/', 'deep.api.test') }, declared(server), /does not list the destination deep\.api\.test/],
      [{ url: at(server, '/', 'test') }, { destinations: [`*.test:${server.port}`] }, /does not list the destination test:/],
      [
        { url: '${{ inputs.url }}' },
        declared(server),
        /does not list the destination 127\.0\.0\.1:80|does not list the destination 127\.0\.0\.1\./,
      ],
      [
        { method: 'POST', url: at(server) },
        { ...declared(server), capabilities: { read: true, write: false, notify: true, execute: true } },
        /lacks the capability "write" that a POST request needs/,
      ],
      [
        { url: at(server) },
        { ...declared(server), capabilities: { read: false, write: true, notify: true, execute: true } },
        /lacks the capability "read" that a GET request needs/,
      ],
    ];
    for (const [http, more, reason] of refusals) {
      const id = await start([call(http)], { url: 'http://2130706433/' }, more);
      const { status } = await look(id);
      const { failure } = await rowOf(id, 'call');
      assert.deepEqual([status, failure?.code], ['blocked', 'DENIED'], failure?.message);
      assert.match(failure!.message, reason);
      assert.deepEqual(
        (await decisions(id)).map(({ effect }) => effect),
        ['deny'],
      );
    }
    const id = await start([call({ url: at(server, '/', 'a.b.test') })], {}, { destinations: [`*.TEST:${server.port}`] });
    assert.equal((await look(id)).status, 'succeeded');
    assert.equal(server.connections, 1);
  });

  it('fails before the gate when its templates give no request', async (t) => {
    const server = await foreignServer(t, json({}));
    const wrong: [http: Http, code: string, message: RegExp][] = [
      [{ url: '${{ inputs.nothing }}' }, 'INVALID_URL', /^url: the expression gives no text$/],
      [{ url: '${{ inputs.list }}' }, 'INVALID_URL', /gives no text/],
      [{ url: 'http://${{ inputs.text }}' }, 'INVALID_URL', /holds a control character/],
      [{ url: 'http://a:${{ inputs.list[0] }}@api.test/' }, 'INVALID_URL', /holds a user or password/],
      [{ url: at(server), headers: { 'X-A': '${{ inputs.text }}' } }, 'INVALID_REQUEST', /^headers: "X-A" holds a character/],
      [{ url: at(server, '/${{ $error("no") }}') }, 'EXPRESSION_FAILED', /no/],
    ];
    for (const [http, code, message] of wrong) {
      const id = await start([call(http)], { list: ['x'], text: 'a\r\nX-Injected: 1' }, declared(server));
      const { status } = await look(id);
      const { failure } = await rowOf(id, 'call');
      assert.deepEqual([status, failure?.code, (await decisions(id)).length], ['failed', code, 0], failure?.message);
      assert.match(failure!.message, message);
    }
    assert.equal(server.connections, 0);
  });

  it('is stopped by the guard whatever is declared: private addresses and what the operator has not opened', async () => {
    for (const host of ['10.0.0.1', '169.254.169.254', '192.168.0.1']) {
      const id = await start(
        [call({ url: `http://${host}/` }, { retry: { maxAttempts: 3, initialMs: 1, factor: 1, maxMs: 1 } })],
        {},
        { destinations: [host] },
      );
      const { status } = await look(id);
      const { failure, attempt } = await rowOf(id, 'call');
      assert.deepEqual([status, failure.code, attempt], ['failed', 'OUTBOUND_DENIED', 1]);
      assert.match(failure!.message, /the operator can open it with outbound\.allow/);
    }
  });

  it('follows redirects to declared places only, and nowhere else with what changes something', async (t) => {
    const target = await foreignServer(t, json('target'));
    const server = await foreignServer(t, (request, response) => {
      if (request.url === '/here') return json('here')(request, response, '');
      const location = request.url === '/own' ? '/here' : at(target);
      response.writeHead(request.method === 'GET' ? 302 : 307, { location }).end();
    });
    const status = async (http: Http, destinations: readonly string[]): Promise<[string, string | undefined]> => {
      const id = await start([call(http)], {}, { destinations });
      return [(await look(id)).status, (await rowOf(id, 'call')).failure?.code];
    };
    const [home, both] = [[`api.test:${server.port}`], [`api.test:${server.port}`, `api.test:${target.port}`]];
    assert.deepEqual(await status({ url: at(server, '/own') }, home), ['succeeded', undefined]);
    assert.deepEqual(await status({ method: 'POST', url: at(server, '/own'), body: 'x' }, home), ['succeeded', undefined]);
    const [refused, code] = await status({ url: at(server, '/other') }, home);
    assert.deepEqual([refused, code, target.connections], ['failed', 'OUTBOUND_DENIED', 0]);
    assert.deepEqual(await status({ url: at(server, '/other') }, both), ['succeeded', undefined]);
    assert.equal((await status({ method: 'POST', url: at(server, '/other'), body: 'x' }, both))[1], 'OUTBOUND_DENIED');
    assert.deepEqual(
      target.requests.map(({ method }) => method),
      ['GET'],
    );
  });
});

it('policies know a request as the tool http.request: they refuse it, or ask for an approval of exactly what will be sent', async (t) => {
  const server = await foreignServer(t, json('done'));
  const admin = await engine.authority(['admin']);
  const write = engine.db.database.write.bind(null, engine.tenantId) as <T>(work: (uow: any) => Promise<T>) => Promise<T>;
  const policy = (kind: 'tool_access' | 'approval_required', rule: object) =>
    write((uow) =>
      engine.services.policies.createPolicy(uow, admin, { name: kind.replace('_', '-'), kind, mode: 'enforce', rules: [rule] }),
    );
  const statusOf = async (http: Http) => {
    const id = await start([call(http)], {}, declared(server));
    return { id, status: (await look(id)).status };
  };
  const denial = await policy('tool_access', { effect: 'deny', tools: ['http.*'], capabilities: ['read'] });
  assert.equal((await statusOf({ url: at(server) })).status, 'blocked');
  await write((uow) => engine.services.policies.deletePolicy(uow, admin, denial.id));

  const asking = await policy('approval_required', { tools: ['http.request'], risk: { atLeast: 'high' } });
  assert.equal((await statusOf({ url: at(server) })).status, 'succeeded', 'reading is of low risk');
  const { id, status } = await statusOf({ method: 'POST', url: at(server, '/pay'), body: { amount: 3 } });
  assert.deepEqual([status, server.requests.length], ['waiting', 1]);
  const [page] = await write((uow) => engine.services.approvals.approvalsOfExecutions(uow, admin, [id], { first: 10 }));
  const approval = page!.rows[0]!;
  assert.match(approval.title, /^Send POST to api\.test:\d+ in step "call" of /);
  assert.deepEqual([approval.risk, approval.subject.tool], ['high', 'http.request']);
  const headers = { 'content-type': 'application/json' };
  assert.deepEqual(approval.subject.arguments, { method: 'POST', url: at(server, '/pay'), headers, body: { amount: 3 } });
  await write((uow) => engine.services.approvals.decide(uow, engine.reviewer, { approvalId: approval.id, decision: 'approve' }));
  await engine.work();
  assert.equal((await look(id)).status, 'succeeded');
  assert.deepEqual(
    server.requests.map(({ method, body }) => [method, body]),
    [
      ['GET', ''],
      ['POST', '{"amount":3}'],
    ],
  );
  await write((uow) => engine.services.policies.deletePolicy(uow, admin, asking.id));
});

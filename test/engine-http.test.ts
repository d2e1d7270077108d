// The http step in an execution: what is sent and recorded, what it gives, how it fails and is tried again.
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { parseDefinition } from '#src/agents/definition-parse.ts';
import type { HttpRequestDefinition, StepDefinition } from '#src/agents/definition.ts';
import { looksAt } from './harness/engine-looks.ts';
import { foreignServer, type Answer, type ForeignServer } from './harness/foreign-server.ts';
import { handEngine, type HandEngine } from './harness/hand-queue.ts';

let engine: HandEngine;
before(async () => {
  engine = await handEngine();
});
after(() => engine?.close());

const { start, look, rows, rowOf, types } = looksAt(() => engine);

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

/** Runs one request step; `output` is its output, null when it has none. */
async function run(server: ForeignServer, http: Http, more: Partial<StepDefinition> = {}, inputs = {}) {
  const id = await start([call(http, more)], inputs, declared(server));
  const execution = await look(id);
  const row = await rowOf(id, 'call');
  return { id, execution, output: row.output, failure: row.failure };
}

describe('a request', () => {
  it('gives status, headers and body: JSON parsed, anything else as text, nothing as null', async (t) => {
    const answers: [answer: Answer, body: unknown][] = [
      [json({ a: [1, 'ü'], nothing: null }), { a: [1, 'ü'], nothing: null }],
      [(_request, response) => void response.setHeader('content-type', 'application/problem+json; charset=utf-8').end('[1]'), [1]],
      [(_request, response) => void response.setHeader('content-type', 'text/plain').end('{"not":"parsed"}'), '{"not":"parsed"}'],
      [
        (_request, response) => void response.setHeader('content-type', 'text/html; charset=latin1').end(Buffer.from('grün', 'latin1')),
        'grün',
      ],
      [(_request, response) => void response.setHeader('content-type', 'text/plain; charset=nobody-knows').end('ü'), 'ü'],
      [(_request, response) => void response.writeHead(204).end(), ''],
      [(_request, response) => void response.setHeader('content-type', 'application/json').end(), null],
      [(_request, response) => void response.end('zero \u0000 byte'), 'zero \ufffd byte'],
    ];
    for (const [answer, body] of answers) {
      const server = await foreignServer(t, answer);
      const { execution, output } = await run(server, { url: at(server) });
      assert.equal(execution.status, 'succeeded', execution.failure?.message);
      assert.deepEqual(output.body, body);
      assert.equal(output.status, server.requests.length === 1 && body === '' ? 204 : 200);
      assert.equal(typeof output.headers.date, 'string');
    }
  });

  it('is what its templates say: method, URL, headers, body, a stable key, and the record of it', async (t) => {
    const server = await foreignServer(t, json({ ok: true }));
    const { id } = await run(
      server,
      {
        method: 'PUT',
        url: at(server, '/orders/${{ $encodeUrlComponent(inputs.name) }}?x=${{ inputs.count }}'),
        headers: {
          'X-Count': '${{ inputs.count }}',
          Authorization: 'Bearer ${{ inputs.token }}',
          'X-None': '${{ inputs.none }}',
          'X-Null': '${{ null }}',
        },
        body: { name: '${{ inputs.name }}', count: '${{ inputs.count }}' },
      },
      {},
      { name: 'a/b c', count: 3, token: 't' },
    );
    const [request] = server.requests;
    assert.deepEqual(
      [request?.method, request?.url, JSON.parse(request!.body)],
      ['PUT', '/orders/a%2Fb%20c?x=3', { name: 'a/b c', count: 3 }],
    );
    const { headers } = request!;
    assert.deepEqual(
      [headers['x-count'], headers['authorization'], headers['content-type'], headers['x-none'], headers['x-null']],
      ['3', 'Bearer t', 'application/json', undefined, undefined],
    );
    assert.equal(headers['idempotency-key'], `${id}:call:-1`);
    const [attempt] = await rows('select arguments from attempts where execution_id = $1', id);
    assert.deepEqual(attempt.arguments, {
      method: 'PUT',
      url: at(server, '/orders/a%2Fb%20c?x=3'),
      headers: { 'x-count': '3', authorization: 'Bearer t', 'content-type': 'application/json' },
      body: { name: 'a/b c', count: 3 },
    });
    const [decision] = await rows(`select * from decisions where execution_id = $1 and action = 'http.request'`, id);
    assert.deepEqual([decision.effect, decision.step_id], ['allow', 'call']);
    assert.deepEqual(decision.input.destination, { scheme: 'http', host: 'api.test', port: server.port, method: 'PUT' });
    assert.deepEqual(decision.input.arguments, attempt.arguments);
    assert.deepEqual(await types(id, 'call'), ['step.queued', 'step.started', 'step.succeeded']);
  });

  it('sends a text as it is, any other value as JSON, and the key that its author prefers', async (t) => {
    const server = await foreignServer(t, json({}));
    await run(server, { method: 'POST', url: at(server), body: 'plain ${{ 1 + 1 }}' });
    await run(server, {
      method: 'POST',
      url: at(server),
      body: '${{ [1, 2] }}',
      headers: { 'Content-Type': 'application/vnd.x+json', 'Idempotency-Key': 'own' },
    });
    await run(server, { method: 'DELETE', url: at(server) });
    const sent = server.requests.map(({ body, headers }) => [body, headers['content-type'], headers['idempotency-key'] === 'own']);
    assert.deepEqual(sent, [
      ['plain 2', 'text/plain;charset=UTF-8', false],
      ['[1,2]', 'application/vnd.x+json', true],
      ['', undefined, false],
    ]);
  });

  it('runs for each item, each with a key of its own', async (t) => {
    const server = await foreignServer(t, (request, response) => json(request.url)(request, response, ''));
    const { id, execution } = await run(server, { url: at(server, '/${{ item }}') }, { forEach: '["a", "b", "c"]' });
    assert.equal(execution.status, 'succeeded');
    const outputs = await rows('select output from steps where execution_id = $1 and item_index >= 0 order by item_index', id);
    assert.deepEqual(
      outputs.map(({ output }) => output.body),
      ['/a', '/b', '/c'],
    );
    assert.deepEqual(
      new Set(server.requests.map(({ headers }) => headers['idempotency-key'])),
      new Set([0, 1, 2].map((index) => `${id}:call:${index}`)),
    );
  });
});

describe('an answer that is not expected', () => {
  it('fails the step with its status and what the server said, not with path or query; expected statuses succeed', async (t) => {
    const server = await foreignServer(t, json({ error: 'no such thing' }, 404));
    const url = at(server, '/secret-path?token=secret');
    const { execution, failure } = await run(server, { url });
    assert.equal(execution.status, 'failed');
    assert.deepEqual(failure, {
      code: 'HTTP_STATUS',
      message: `GET api.test:${server.port} answered 404: {"error":"no such thing"}`,
      stepId: 'call',
    });
    const expected = await run(server, {
      url,
      expect: [
        [200, 299],
        [404, 404],
      ],
    });
    assert.deepEqual(
      [expected.execution.status, expected.output.status, expected.output.body],
      ['succeeded', 404, { error: 'no such thing' }],
    );
    const strict = await foreignServer(t, json({}));
    assert.equal((await run(strict, { url: at(strict), expect: [[201, 201]] })).failure?.code, 'HTTP_STATUS');
  });

  it('is quoted with odd characters as far as they can be stored, and not at length', async (t) => {
    const server = await foreignServer(
      t,
      (_request, response) => void response.writeHead(500).end(`\u0000${'x'.repeat(498)}😀${'y'.repeat(1_000)}`),
    );
    const { execution, failure } = await run(server, { url: at(server) });
    assert.equal(execution.status, 'failed');
    assert.match(failure!.message, /answered 500: \ufffdx{498}/);
    assert.ok(failure!.message.length < 600);
  });

  it('is tried again when waiting may help, always with the same key, and not otherwise', async (t) => {
    for (const [status, tries] of [
      [408, 3],
      [425, 3],
      [429, 3],
      [500, 3],
      [503, 3],
      [400, 1],
      [401, 1],
      [404, 1],
      [409, 1],
    ] as const) {
      const server = await foreignServer(t, (request, response, body) =>
        json({}, server.requests.length < 3 ? status : 200)(request, response, body),
      );
      const id = await start(
        [call({ method: 'POST', url: at(server) }, { retry: { maxAttempts: 3, initialMs: 10, factor: 1, maxMs: 10 } })],
        {},
        declared(server),
      );
      for (let round = 0; round < 3; round += 1) {
        engine.clock.advance(10);
        await engine.work();
      }
      assert.equal((await look(id)).status, tries === 3 ? 'succeeded' : 'failed', String(status));
      assert.deepEqual(
        server.requests.map(({ headers }) => headers['idempotency-key']),
        Array(tries).fill(`${id}:call:-1`),
        String(status),
      );
    }
  });

  it('says when to come back: the next try waits at least as long, an hour at most', async (t) => {
    const moments: [header: () => string, ms: number][] = [
      [() => '120', 120_000],
      [() => new Date(engine.clock.now().getTime() + 90_000).toUTCString(), 90_000],
      [() => '999999999', 3_600_000],
      [() => '0', 5],
      [() => 'soon', 5],
      [() => new Date(0).toUTCString(), 5],
    ];
    for (const [header, ms] of moments) {
      engine.clock.advance(1_000 - (engine.clock.now().getTime() % 1_000)); // dates of HTTP have whole seconds
      const server = await foreignServer(t, (_request, response) => {
        if (server.requests.length > 1) response.end();
        else response.writeHead(429, { 'retry-after': header() }).end();
      });
      const id = await start(
        [call({ url: at(server) }, { retry: { maxAttempts: 2, initialMs: 10, factor: 1, maxMs: 10 } })],
        {},
        declared(server),
      );
      const { wake_at: wakeAt } = await rowOf(id, 'call');
      assert.equal(new Date(wakeAt).getTime() - engine.clock.now().getTime(), ms, header());
      engine.clock.advance(ms);
      await engine.work();
      assert.equal((await look(id)).status, 'succeeded');
    }
  });

  it('is not kept when it is too large, broken or nested without end', async (t) => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    const answer =
      (type: string, body: string): Answer =>
      (_request, response) =>
        void response.setHeader('content-type', type).end(body);
    const cases: [answer: Answer, maxBytes: number, code: string, message: RegExp][] = [
      [answer('text/plain', 'x'.repeat(1_001)), 1_000, 'OUTBOUND_TOO_LARGE', /larger than 1000 bytes/],
      [
        answer('text/plain', '"'.repeat(600_000)),
        1_048_576,
        'OUTPUT_TOO_LARGE',
        /step "call": the response of GET api\.test:\d+ is \d+ bytes of JSON; at most 1048576/,
      ],
      [answer('application/json', '{"a":'), 1_000, 'OUTBOUND_BAD_RESPONSE', /answered 200, but its body is not the JSON/],
      [answer('application/json', deep), 1_048_576, 'OUTBOUND_BAD_RESPONSE', /nested deeper than 500 levels/],
    ];
    for (const [given, maxBytes, code, message] of cases) {
      const server = await foreignServer(t, given);
      const { failure } = await run(
        server,
        { url: at(server), maxBytes },
        { retry: { maxAttempts: 3, initialMs: 1, factor: 1, maxMs: 1 } },
      );
      assert.equal(failure?.code, code, failure?.message);
      assert.match(failure!.message, message);
      assert.equal(server.requests.length, 1, 'trying again would give the same');
    }
    const most = await foreignServer(t, answer('text/plain', 'x'.repeat(1_000)));
    assert.equal((await run(most, { url: at(most), maxBytes: 1_000 })).execution.status, 'succeeded');
    const brackets = await foreignServer(t, json({ text: '[['.repeat(10_000), quoted: '\\"[' }));
    assert.equal((await run(brackets, { url: at(brackets) })).execution.status, 'succeeded', 'brackets in texts do not count');
  });
});

it('a published definition sends what it says, and its retried execution the same keys', async (t) => {
  const server = await foreignServer(t, (request, response, body) =>
    request.method === 'POST' && server.requests.length < 4
      ? void response.writeHead(500).end()
      : json({ url: request.url, accept: request.headers.accept, count: request.headers['x-count'], body })(request, response, body),
  );
  const parsed = parseDefinition(`
apiVersion: signalbox/v1
kind: Agent
metadata: { name: caller }
spec:
  version: 1.0.0
  capabilities: { read: true, write: true }
  destinations: ['*.test:${server.port}']
  steps:
    - id: look
      http: { url: 'http://api.test:${server.port}/v1?q=\${{ $encodeUrlComponent(inputs.q) }}', headers: { X-Count: 3, Accept: text/x } }
    - id: tell
      http: { method: POST, url: 'http://hooks.test:${server.port}/', body: { seen: '\${{ steps.look.output.body }}' }, expect: [200] }
  output: steps.tell.output.body
`);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const { steps, destinations, output } = parsed.definition;
  const failedId = await start(steps, { q: 'a&b' }, { destinations, output });
  assert.equal((await look(failedId)).status, 'failed');
  const retried = await engine.db.database.write(engine.tenantId, (uow) =>
    engine.services.reruns.retryExecution(uow, engine.operator, { executionId: failedId }),
  );
  await engine.work();
  assert.equal((await look(retried.id)).status, 'failed', 'the third request is refused, too');
  const again = await engine.db.database.write(engine.tenantId, (uow) =>
    engine.services.reruns.retryExecution(uow, engine.operator, { executionId: retried.id }),
  );
  await engine.work();
  const last = await look(again.id);
  assert.equal(last.status, 'succeeded', last.failure?.message);
  const seen = { url: '/v1?q=a%26b', accept: 'text/x', count: '3', body: '' };
  assert.deepEqual(JSON.parse(server.requests.at(-1)!.body), { seen });
  const keys = server.requests.map(({ headers }) => headers['idempotency-key']);
  assert.deepEqual(keys, [`${failedId}:look:-1`, ...Array.from({ length: 3 }, () => `${failedId}:tell:-1`)], 'reading is not repeated');
});

it('a request takes no longer than its step allows', async (t: TestContext) => {
  const server = await foreignServer(t, () => undefined);
  const { failure } = await run(server, { url: at(server) }, { timeoutMs: 100 });
  assert.deepEqual(failure, { code: 'OUTBOUND_TIMEOUT', message: 'took longer than 100 ms', stepId: 'call' });
  await server.quiet();
});

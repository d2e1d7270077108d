// Requests of runners that die, stop or are told that their execution has ended: what is sent again, what is not, and what the server sees.
import assert from 'node:assert/strict';
import { after, afterEach, before, it, type TestContext } from 'node:test';
import type { HttpRequestDefinition, StepDefinition } from '#src/agents/definition.ts';
import { testEngine, type Engine } from './harness/engine.ts';
import { foreignServer, type ForeignServer } from './harness/foreign-server.ts';
import { createFleet, type Fleet } from './harness/runner-fleet.ts';

let engine: Engine;
let fleet: Fleet | undefined;
before(async () => {
  engine = await testEngine();
});
after(() => engine?.close());
afterEach(async () => {
  await fleet?.close();
  await engine.stopRunners();
});

/** Holds the first request open until `answer` is called; answers all others at once. `arrived` resolves with the first. */
async function patientServer(t: TestContext) {
  const arrived = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const server: ForeignServer = await foreignServer(t, (_request, response) => {
    if (server.requests.length > 1) return void response.end('again');
    arrived.resolve();
    void answer.promise.then(() => response.end('first'));
  });
  return { server, arrived: arrived.promise, answer: () => answer.resolve() };
}

async function start(server: ForeignServer, method: HttpRequestDefinition['method'], more: Partial<StepDefinition> = {}): Promise<string> {
  const http = { method, url: `http://api.test:${server.port}/`, headers: {}, expect: [[200, 299]] as const, maxBytes: 1_000 };
  const agentId = await engine.agent([{ id: 'call', http, ...more }], { destinations: [`api.test:${server.port}`] });
  return (await engine.start(agentId)).id;
}

const rows = (sql: string, id: string) => engine.db.database.read(engine.tenantId, (uow) => uow.rows<any>(sql, [id]));
const types = async (id: string) => (await engine.events(id)).map(({ type }) => type).filter((type) => type.startsWith('step.'));
const keys = ({ requests }: ForeignServer) => requests.map(({ headers }) => headers['idempotency-key']);

it('when a runner dies, what is idempotent is sent again with the same key, and of the rest only what its author lets be repeated', async (t) => {
  const again = { retry: { maxAttempts: 2, initialMs: 1, factor: 1, maxMs: 1 } };
  const repeated = ['step.queued', 'step.started', 'step.interrupted', 'step.started', 'step.succeeded'];
  const cases: [method: HttpRequestDefinition['method'], more: object, events: readonly string[]][] = [
    ['GET', {}, repeated],
    ['PUT', {}, repeated],
    ['DELETE', {}, repeated],
    ['POST', {}, ['step.queued', 'step.started', 'step.failed']],
    ['PATCH', {}, ['step.queued', 'step.started', 'step.failed']],
    ['POST', again, ['step.queued', 'step.started', 'step.retry_scheduled', 'step.started', 'step.succeeded']],
  ];
  fleet = createFleet(engine, []);
  const runner = await fleet.start({ concurrency: cases.length });
  const begun = await Promise.all(
    cases.map(async ([method, more]) => {
      const { server, arrived } = await patientServer(t);
      const id = await start(server, method, more);
      await arrived;
      return { id, server };
    }),
  );
  await runner.kill();
  await fleet.start({ concurrency: cases.length });
  for (const [index, [method, , events]] of cases.entries()) {
    const { id, server } = begun[index]!;
    const { status } = await engine.finished(id);
    const [step] = await rows('select failure from steps where execution_id = $1', id);
    const isRepeated = events.at(-1) === 'step.succeeded';
    assert.deepEqual(await types(id), events, method);
    assert.deepEqual(
      keys(server),
      Array.from({ length: isRepeated ? 2 : 1 }, () => `${id}:call:-1`),
      method,
    );
    assert.deepEqual([status, step.failure?.code], isRepeated ? ['succeeded', undefined] : ['failed', 'OUTCOME_UNKNOWN'], method);
  }
});

it('a cancel reaches a running request: the connection is cut and nothing more is sent', async (t) => {
  const { server, arrived } = await patientServer(t);
  await engine.runner();
  const id = await start(server, 'POST');
  await arrived;
  await engine.cancel(id);
  await server.quiet();
  assert.equal((await engine.finished(id)).status, 'cancelled');
  assert.equal(server.requests.length, 1);
});

it('a runner that stops lets a request end within its grace period', async (t) => {
  const { server, arrived, answer } = await patientServer(t);
  await engine.runner();
  const id = await start(server, 'POST');
  await arrived;
  const stopped = engine.stopRunners();
  answer();
  await stopped;
  const [step] = await rows('select status, output from steps where execution_id = $1', id);
  assert.deepEqual([step.status, step.output.body], ['succeeded', 'first']);
});

it('after the grace period a request is given up: a safe one goes on elsewhere, any other is unknown', async (t) => {
  for (const [method, status] of [
    ['GET', 'succeeded'],
    ['PATCH', 'failed'],
  ] as const) {
    const { server, arrived } = await patientServer(t);
    await engine.runner({ graceMs: 0 });
    const id = await start(server, method);
    await arrived;
    await engine.stopRunners();
    await server.quiet();
    await engine.runner();
    assert.equal((await engine.finished(id)).status, status);
    assert.equal(server.requests.length, method === 'GET' ? 2 : 1);
    await engine.stopRunners();
  }
});

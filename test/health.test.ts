// What `/readyz` asks, and what it logs. That it answers for a gateway is in gateway.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastify from 'fastify';
import { serveHealth } from '#gateway/health.ts';
import { createLogger } from '#src/platform/logger.ts';

function shown(line: string): string {
  const { level, dependency, msg } = JSON.parse(line) as Record<string, string>;
  return `${level} ${dependency}: ${msg}`;
}

function health() {
  const state = { database: true, redis: true, asked: 0, lines: [] as string[] };
  const ask = (name: 'database' | 'redis') => async () => {
    state.asked += 1;
    if (!state[name]) throw new Error('down');
  };
  const logger = createLogger({ level: 'info', destination: { write: (line) => void state.lines.push(shown(line)) } });
  const server = fastify();
  const { leave } = serveHealth(server, { dependencies: { database: ask('database') }, optional: { redis: ask('redis') }, logger });
  const ready = async () => {
    const { statusCode, body } = await server.inject('/readyz');
    return [statusCode, JSON.parse(body)];
  };
  return { state, leave, ready };
}

test('one that leaves says so without asking anybody: a slow answer would come after it has gone', async () => {
  const { state, leave, ready } = health();
  assert.equal((await ready())[0], 200);
  const { asked } = state;
  leave('the test leaves');
  assert.deepEqual(await ready(), [503, { status: 'the test leaves', dependencies: {} }]);
  assert.equal(state.asked, asked);
});

test('what is lost is logged once, and once when it is back, however often one asks', async () => {
  const { state, ready } = health();
  const thrice = async () => {
    for (let count = 0; count < 3; count++) await ready();
    return state.lines.splice(0);
  };
  assert.deepEqual(await thrice(), []);
  state.redis = false;
  assert.deepEqual(await thrice(), ['warn redis: a dependency is not available']);
  state.database = false;
  assert.deepEqual(await thrice(), ['warn database: a dependency is not available']);
  state.redis = true;
  assert.deepEqual(await thrice(), ['info redis: a dependency is available again']);
});

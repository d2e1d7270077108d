// Log lines: their form, and that payloads and secrets stay out of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConflictError } from '#src/platform/errors.ts';
import { createLogger, type Logger, type LogLevel } from '#src/platform/logger.ts';

function logged(work: (logger: Logger) => void, level: LogLevel = 'info'): { lines: Record<string, unknown>[]; text: string } {
  const written: string[] = [];
  work(createLogger({ level, destination: { write: (line: string) => void written.push(line) } }));
  return { lines: written.map((line) => JSON.parse(line) as Record<string, unknown>), text: written.join('') };
}

test('a line is one JSON object with level, time, fields and message', () => {
  const { lines } = logged((logger) => logger.info({ executionId: 'e1', at: new Date(0), cost: 5n }, 'execution started'));
  const { time, ...rest } = lines[0]!;
  assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(rest, { level: 'info', executionId: 'e1', at: '1970-01-01T00:00:00.000Z', cost: '5', msg: 'execution started' });
  assert.equal(logged((logger) => logger.debug('quiet')).lines.length, 0);
  assert.equal(logged((logger) => logger.debug('loud'), 'debug').lines.length, 1);
});

test('payloads and secrets are hidden at any depth, in child loggers and in errors', () => {
  const leak = 'hunter2';
  const error = Object.assign(new ConflictError('name is taken', { inputs: { a: leak }, field: 'name' }), {
    detail: `Key (name)=(${leak}) exists`,
    cause: Object.assign(new Error('inner'), { headers: { cookie: leak }, details: { api_key: leak } }),
  });
  const { lines, text } = logged((logger) => {
    logger.info({ inputs: { a: leak }, step: { id: 'read', arguments: [leak], nested: { output: leak } }, apiKey: leak }, 'one');
    logger.info({ req: { headers: { Authorization: leak, 'set-cookie': leak } }, list: [{ password: leak }] }, 'two');
    logger.child({ token: leak, runner: 'r1' }).error(error);
    logger.error({ err: error, error }, 'three');
  });
  assert.ok(!text.includes(leak), text);
  assert.deepEqual(lines[0]!['step'], { id: 'read', arguments: '[hidden]', nested: { output: '[hidden]' } });
  assert.equal(lines[2]!['runner'], 'r1');
  const err = lines[2]!['err'] as Record<string, unknown>;
  assert.deepEqual([err['type'], err['message'], err['code']], ['ConflictError', 'name is taken', 'CONFLICT']);
  assert.deepEqual(err['details'], { inputs: '[hidden]', field: 'name' });
});

test('what cannot be walked to its end is cut, not looped over', () => {
  const ring: Record<string, unknown> = { name: 'ring' };
  ring['self'] = ring;
  const { lines } = logged((logger) => logger.info({ ring, bytes: new Uint8Array(3) }, 'odd'));
  assert.match(JSON.stringify(lines[0]), /\[deep\].*\[3 bytes\]/);
});

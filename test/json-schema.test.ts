// JSON Schemas of tenants and tool servers: clear problems for people, no way to stall the process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ValidationError, type Problem } from '#src/platform/errors.ts';
import { compileSchema } from '#src/platform/json-schema.ts';

const brief = (problems: readonly Problem[]) => problems.map(({ path, message }) => `${path}: ${message}`);
function brokenness(schema: unknown, options?: Parameters<typeof compileSchema>[1]): string[] {
  try {
    compileSchema(schema, options);
  } catch (error) {
    assert.ok(error instanceof ValidationError, String(error));
    return brief(error.problems);
  }
  return assert.fail('the schema was accepted');
}

test('every problem of a value is reported with its path, its value and what was expected', () => {
  const validate = compileSchema({
    type: 'object',
    required: ['directory'],
    additionalProperties: false,
    properties: {
      directory: { type: 'string' },
      level: { enum: ['info', 'error'] },
      files: { type: 'array', items: { type: 'object', properties: { size: { type: 'integer', minimum: 1 } } } },
      when: { type: 'string', format: 'date-time' },
      either: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    },
  });
  assert.deepEqual(validate({ directory: '/tmp' }), []);
  assert.deepEqual(
    brief(validate({ level: 'x', files: [{ size: 2 }, { size: 0 }, { size: 'big' }], when: 'soon', either: 3, other: 1 }, 'inputs')),
    [
      'inputs.directory: is required',
      'inputs.other: is not a known property',
      'inputs.level: must be one of "info", "error", got "x"',
      'inputs.files[1].size: must be >= 1, got 0',
      'inputs.files[2].size: must be a whole number, got "big"',
      'inputs.when: must match format "date-time", got "soon"',
      'inputs.either: matches none of the allowed forms, got 3',
    ],
  );
  assert.deepEqual(brief(validate('text')), [': must be an object, got "text"']);
});

test('properties named like members of Object.prototype are ordinary properties', () => {
  const validate = compileSchema({ type: 'object', required: ['constructor', 'toString'] });
  assert.deepEqual(brief(validate({})), ['constructor: is required', 'toString: is required']);
});

test('the dialect is the one of $schema, else 2020-12, else draft-07 where only that fits', () => {
  const draft7 = compileSchema({ $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }] });
  assert.equal(draft7([1]).length, 1);
  const current = compileSchema({ $schema: 'https://json-schema.org/draft/2020-12/schema', prefixItems: [{ type: 'string' }] });
  assert.equal(current([1]).length, 1);
  const older = compileSchema({ $schema: 'https://json-schema.org/draft/2019-09/schema', dependentRequired: { a: ['b'] } });
  assert.equal(older({ a: 1 }).length, 1);
  assert.equal(compileSchema({ items: [{ type: 'string' }] })([1]).length, 1);
  assert.match(
    brokenness({ $schema: 'http://json-schema.org/draft-04/schema#' }, { at: 'inputs' })[0]!,
    /^inputs\.\$schema: .*draft-04.*is not supported/,
  );
});

test('a broken schema is refused with every problem and its place', () => {
  assert.deepEqual(brokenness({ type: 'object', properties: { a: { type: 'strng' }, b: { minLength: -1 } } }, { at: 'spec.inputs' }), [
    'spec.inputs.properties.a.type: matches none of the allowed forms, got "strng"',
    'spec.inputs.properties.b.minLength: must be >= 0, got -1',
  ]);
  const tree = compileSchema({ type: 'object', properties: { children: { items: { $ref: '#' } } } });
  assert.deepEqual(brief(tree({ children: [{ children: [{}, 1] }] })), ['children[0].children[1]: must be an object, got 1']);
  assert.match(brokenness({ $ref: '#/$defs/missing' })[0]!, /can't resolve reference #\/\$defs\/missing/);
  assert.match(brokenness({ pattern: '(unclosed' })[0]!, /pattern "\(unclosed"/);
  assert.deepEqual(brokenness('text'), [': must be a JSON Schema object']);
  assert.deepEqual(brokenness(['x']), [': must be a JSON Schema object']);
  assert.deepEqual(brokenness({ $async: true }), [': $async schemas are not supported']);
});

test('two schemas with the same $id do not see each other', () => {
  const id = 'https://example.com/shared';
  const first = compileSchema({ $id: id, type: 'string' });
  const second = compileSchema({ $id: id, type: 'number' });
  assert.deepEqual([first('x').length, second('x').length], [0, 1]);
  assert.match(brokenness({ $ref: id })[0]!, /can't resolve reference/);
});

test('a pattern that explodes in a backtracking engine is answered at once', () => {
  const validate = compileSchema({ type: 'string', pattern: '^(a+)+$' });
  assert.equal(validate(`${'a'.repeat(50_000)}!`).length, 1);
  assert.equal(compileSchema({ format: 'url' })(`http://${':'.repeat(100_000)} `).length, 1);
  assert.equal(compileSchema({ format: 'regex' })('(a+)+$').length, 0);
});

test('a pattern beyond the linear-time engine is refused, or ignored where the schema is not ours', () => {
  assert.match(brokenness({ pattern: '^(?!x)' })[0]!, /no lookahead/);
  assert.deepEqual(compileSchema({ pattern: '^(?!x)' }, { unsupportedPatterns: 'ignore' })('x'), []);
});

test('a schema whose validation doubles with every level is stopped', () => {
  const twice = ($ref: string) => ({ allOf: [{ $ref }, { $ref }] });
  const $defs: Record<string, unknown> = { d0: { type: 'number' } };
  for (let level = 1; level <= 40; level++) $defs[`d${level}`] = twice(`#/$defs/d${level - 1}`);
  const problems = compileSchema({ $defs, $ref: '#/$defs/d40' })(1);
  assert.deepEqual(brief(problems), [': takes more than 1000 ms to validate against its JSON Schema']);
});

test('a schema that refers to itself without end and a value nested without end are answered', () => {
  assert.match(compileSchema({ $ref: '#' })({})[0]!.message, /refers to itself without end/);
  let deep: unknown = 1;
  for (let level = 0; level < 100_000; level++) deep = { child: deep };
  assert.match(compileSchema({ properties: { child: { $ref: '#' } } })(deep)[0]!.message, /nested too deeply/);
  assert.deepEqual(brokenness(deep), [': is nested too deeply']);
});

test('a schema of more than 256 KiB is refused, and an avalanche of problems is cut', () => {
  assert.match(brokenness({ description: 'x'.repeat(256 * 1024) })[0]!, /bytes of JSON/);
  compileSchema({ description: 'x'.repeat(256 * 1024 - 18) });
  const problems = compileSchema({ items: { type: 'string' } })(Array(1000).fill(1));
  assert.equal(problems.length, 51);
  assert.equal(problems.at(-1)!.message, 'and 950 more problems');
});

// Definitions: what is accepted, what it becomes, and every problem at once with its place.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { parseDefinition } from '#src/agents/definition-parse.ts';
import { definitionJsonSchema } from '#src/agents/definition-schema.ts';
import type { Definition } from '#src/agents/definition.ts';

const head = 'apiVersion: signalbox/v1\nkind: Agent\nmetadata: { name: demo }\n';
/** A document with these lines under `spec:`. */
const spec = (lines: string) => `${head}spec:\n  version: 1.0.0\n${lines.replace(/^/gm, '  ')}\n`;
const steps = (lines: string) => spec(`tools: [files.read]\nsteps:\n${lines.replace(/^/gm, '  ')}`);

function accepted(text: string): Definition {
  const parsed = parseDefinition(text);
  assert.ok(parsed.ok, parsed.ok ? '' : JSON.stringify(parsed.problems, null, 2));
  return parsed.definition;
}

/** `line:column path: message` of each problem. */
function problems(text: string): string[] {
  const parsed = parseDefinition(text);
  assert.ok(!parsed.ok, 'the definition was accepted');
  return parsed.problems.map(({ line, column, path, message }) => `${line ?? '-'}:${column ?? '-'} ${path}: ${message}`);
}
const refuses = (text: string, ...expected: RegExp[]) => {
  const found = problems(text);
  for (const pattern of expected)
    assert.ok(
      found.some((problem) => pattern.test(problem)),
      `${pattern} in\n${found.join('\n')}`,
    );
  return found;
};

describe('docs/definitions.md', () => {
  const text = readFileSync(new URL('../docs/definitions.md', import.meta.url), 'utf8');
  const examples = [...text.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, example]) => example as string);
  const validate = new Ajv2020({ strict: false }).compile(definitionJsonSchema());
  for (const example of examples) {
    it(`has an example that is accepted, also by the JSON Schema: ${/name: ([\w-]+)/.exec(example)?.[1]}`, () => {
      accepted(example);
      assert.ok(validate(parse(example)), JSON.stringify(validate.errors));
    });
  }
  it('shows every kind of step', () => {
    const kinds = new Set(examples.flatMap((example) => accepted(example).steps.map(({ kind }) => kind)));
    assert.deepEqual([...kinds].sort(), ['agent', 'approval', 'branch', 'http', 'tool', 'transform', 'wait']);
  });
});

it('the committed JSON Schema is the generated one', () => {
  const committed = readFileSync(new URL('../docs/definition.schema.json', import.meta.url), 'utf8');
  assert.equal(committed, `${JSON.stringify(definitionJsonSchema(), null, 2)}\n`, 'run npm run generate');
});

describe('a definition', () => {
  it('is normalised: defaults, milliseconds, bare expressions, needs from references and branches', () => {
    const definition = accepted(
      steps(`- { id: a, tool: files.read, with: { path: "\${{ inputs.x }}" }, retry: { maxAttempts: 3 }, timeout: 5s }
- { id: b, when: "\${{ steps.a.status = 'succeeded' }}", transform: " \${{ steps.a.output }} " }
- { id: c, needs: [b], branch: [{ when: steps.b.output, then: [d] }] }
- { id: d, forEach: steps.a.output, transform: "item & index & steps.b.output" }
- { id: e, wait: "\${{ steps.d.output[0] }}", onFailure: continue }
- { id: f, approval: { title: "Send \${{ steps.e.status }}", expiresIn: 2h } }`),
    );
    const [a, b, c, d, e, f] = definition.steps;
    assert.deepEqual(a, {
      id: 'a',
      kind: 'tool',
      needs: [],
      concurrency: 10,
      retry: { maxAttempts: 3, initialMs: 1000, factor: 2, maxMs: 60_000 },
      timeoutMs: 5000,
      onFailure: 'fail',
      tool: { name: 'files.read', with: { path: '${{ inputs.x }}' } },
    });
    assert.deepEqual([b?.when, b?.transform, b?.needs, b?.timeoutMs], ["steps.a.status = 'succeeded'", 'steps.a.output', ['a'], 60_000]);
    assert.deepEqual([c?.branch, c?.needs], [[{ when: 'steps.b.output', then: ['d'] }], ['b']]);
    assert.deepEqual([d?.forEach, d?.needs], ['steps.a.output', ['a', 'b', 'c']]);
    assert.deepEqual([e?.wait, e?.onFailure, e?.needs], [{ expression: 'steps.d.output[0]' }, 'continue', ['d']]);
    const approval = { title: 'Send ${{ steps.e.status }}', reason: '', risk: 'medium', expiresInMs: 7_200_000, show: null };
    assert.deepEqual([f?.approval, f?.needs], [approval, ['e']]);
    assert.deepEqual(definition.inputs, { type: 'object' });
    assert.deepEqual(definition.capabilities, { read: false, write: false, notify: false, execute: false });
  });
  it('has the same digest as YAML and as JSON, and another when it differs', () => {
    const yaml = steps('- { id: a, transform: "1" }');
    const [one, two, other] = [yaml, JSON.stringify(parse(yaml), null, '\t'), yaml.replace('"1"', '"2"')].map((text) =>
      parseDefinition(text),
    );
    assert.ok(one?.ok && two?.ok && other?.ok);
    assert.equal(one.digest, two.digest);
    assert.notEqual(one.digest, other.digest);
  });
  it('may end in a bare expression, an expression or a template', () => {
    const withOutput = (output: string) => accepted(spec(`steps: [{ id: a, transform: "1" }]\noutput: ${output}`)).output;
    assert.equal(withOutput('steps.a.output'), '${{ steps.a.output }}');
    assert.equal(withOutput("'${{ steps.a.output }}'"), '${{ steps.a.output }}');
    assert.deepEqual(withOutput("{ text: 'is ${{ steps.a.output }}' }"), { text: 'is ${{ steps.a.output }}' });
    refuses(
      spec('steps: [{ id: a, transform: "1" }]\noutput: { x: "${{ item & steps.zz.output }}" }'),
      /item is known only/,
      /no step "zz"/,
    );
  });
  it('may share parts by YAML anchors', () => {
    const [a, b] = accepted(
      steps('- { id: a, tool: files.read, retry: &r { maxAttempts: 2 } }\n- { id: b, tool: files.read, retry: *r }'),
    ).steps;
    assert.deepEqual(a?.retry, b?.retry);
  });
});

it('every problem of a document is reported at once, with its path, line, column and what was expected', () => {
  const parsed = parseDefinition(`apiVersion: signalbox/v2
kind: Agent
metadata: { name: Log Triage }
spec:
  version: "1.2"
  inputs: { type: object, properties: { directory: { type: strin } } }
  steps:
    - id: list
      tool: files.list
      with: { path: "\${{ inputs.directory & }}" }
    - id: a
      needs: [b, zz]
      transform: |
        (
          $now()
        )
    - id: b
      needs: [a]
      approvel: { title: x }
`);
  assert.ok(!parsed.ok);
  assert.deepEqual(
    parsed.problems.map(({ line, column, path }) => `${line}:${column} ${path}`),
    [
      '1:13 apiVersion',
      '3:19 metadata.name',
      '5:12 spec.version',
      '6:60 spec.inputs.properties.directory.type',
      '9:13 spec.steps[0].tool',
      '10:44 spec.steps[0].with.path',
      '11:7 spec.steps[1]',
      '12:18 spec.steps[1].needs[1]',
      '15:15 spec.steps[1].transform',
      '17:7 spec.steps[2]',
      '19:7 spec.steps[2].approvel',
    ],
  );
  assert.match(parsed.problems[6]?.message ?? '', /wait for each other: a → b → a/);
  for (const { path, message, expected } of parsed.problems) assert.ok(expected || /expression|syntax|available/.test(message), path);
});

describe('steps that are refused', () => {
  const cases: [what: string, lines: string, pattern: RegExp][] = [
    ['a doubled id', '- { id: a, transform: "1" }\n- { id: a, transform: "2" }', /9:13 spec\.steps\[1\]\.id: .* taken by spec\.steps\[0\]/],
    ['a missing id', '- { transform: "1" }', /spec\.steps\[0\]\.id: is required/],
    ['an unknown kind', '- { id: a, model: { url: x } }', /spec\.steps\[0\]\.model: unknown key/],
    ['no kind', '- { id: a }', /spec\.steps\[0\]: the step does nothing/],
    ['two kinds', '- { id: a, transform: "1", wait: 1s }', /several kinds: transform, wait/],
    ['a tool that is not listed', '- { id: a, tool: files.write }', /files\.write is not listed in spec\.tools/],
    ['a missing dependency', '- { id: a, needs: [b], transform: "1" }', /needs\[0\]: there is no step "b"/],
    ['a reference to a missing step', '- { id: a, transform: "steps.b.output" }', /transform: there is no step "b"/],
    ['a step that waits for itself', '- { id: a, transform: "steps.a.output" }', /wait for each other: a → a/],
    ['a cycle through a branch', '- { id: a, branch: [{ then: [b] }], needs: [b] }\n- { id: b, transform: "1" }', /wait for each other/],
    [
      'a step in two branches',
      '- { id: a, branch: [{ then: [b] }, { then: [b] }] }\n- { id: b, wait: 1s }',
      /already led to by the branch "a"/,
    ],
    [
      'a case after one that always matches',
      '- { id: a, branch: [{ then: [b] }, { when: "true", then: [] }] }\n- { id: b, wait: 1s }',
      /never reached/,
    ],
    ['forEach on an approval', '- { id: a, forEach: inputs.x, approval: { title: x } }', /forEach has no effect on an approval/],
    ['forEach on a wait', '- { id: a, forEach: inputs.x, wait: 1s }', /forEach has no effect on a wait/],
    ['forEach on a branch', '- { id: a, forEach: inputs.x, branch: [{ then: [] }] }', /forEach has no effect on a branch/],
    ['retry on a transform', '- { id: a, transform: "1", retry: { maxAttempts: 2 } }', /retry has no effect on a transform/],
    ['with on a transform', '- { id: a, transform: "1", with: {} }', /with has no effect/],
    ['concurrency without forEach', '- { id: a, tool: files.read, concurrency: 2 }', /without forEach/],
    ['item outside of forEach', '- { id: a, transform: "item" }', /item is known only/],
    ['item in when', '- { id: a, forEach: inputs.x, when: item, transform: "1" }', /steps\[0\]\.when: item is known only/],
    ['a wait that is no duration', '- { id: a, wait: 10 s }', /wait: "10 s" is not accepted/],
    ['an expression in a key', '- { id: a, tool: files.read, with: { "${{ inputs.x }}": 1 } }', /a key cannot hold an expression/],
    ['max shorter than initial', '- { id: a, tool: files.read, retry: { initial: 2m } }', /max \(1m\) is shorter than initial \(2m\)/],
  ];
  for (const [what, lines, pattern] of cases) it(what, () => void refuses(steps(lines), pattern));
});

describe('limits', () => {
  const retried = (attempts: number) => steps(`- { id: a, tool: files.read, retry: { maxAttempts: ${attempts} } }`);
  const each = (concurrency: number) => steps(`- { id: a, forEach: inputs.x, tool: files.read, concurrency: ${concurrency} }`);
  const many = (count: number) => steps(Array.from({ length: count }, (_, n) => `- { id: s${n}, transform: "${n}" }`).join('\n'));
  const nested = (depth: number) => spec(`steps: [{ id: a, transform: "1" }]\noutput: ${'['.repeat(depth)}${']'.repeat(depth)}`);
  it('maxAttempts and concurrency from 1 to 100', () => {
    for (const limit of [1, 100]) for (const text of [retried(limit), each(limit)]) accepted(text);
    for (const beyond of [0, 101, 1.5]) {
      refuses(retried(beyond), /retry\.maxAttempts: .* is not accepted/);
      refuses(each(beyond), /concurrency: .* is not accepted/);
    }
  });
  it('durations up to 365 days', () => {
    accepted(steps('- { id: a, wait: 365d }'));
    refuses(steps('- { id: a, wait: 366d }'), /wait/);
    refuses(steps('- { id: a, tool: files.read, timeout: 0s }'), /timeout/);
  });
  it('500 steps', () => {
    assert.equal(accepted(many(500)).steps.length, 500);
    assert.deepEqual(refuses(many(501)), ['8:5 spec.steps: there are 501 steps']);
  });
  it('10,000 steps are one clear problem, as YAML and as JSON', () => {
    assert.match(refuses(many(10_000)).join(), /10000 steps/);
    assert.match(refuses(JSON.stringify(parse(many(10_000)))).join(), /10000 steps/);
  });
  it('64 lists and objects inside each other', () => {
    accepted(nested(62));
    refuses(nested(63), /nested too deeply/);
    refuses(nested(100_000), /nested too deeply/);
    refuses(Array.from({ length: 70 }, (_, n) => `${' '.repeat(n)}k:\n`).join(''), /nested too deeply/);
  });
  it('1 MiB of text', () => {
    const text = steps('- { id: a, transform: "1" }');
    accepted(`${text}#${' '.repeat(1024 * 1024 - text.length - 1)}`);
    assert.match(refuses(`${text}#${' '.repeat(1024 * 1024 - text.length)}`).join(), /1048577 bytes/);
  });
});

describe('text that is not a document', () => {
  const bomb = Array.from(
    { length: 20 },
    (_, n) => `k${n}: &a${n} [${n === 0 ? 'x' : Array.from({ length: 9 }, () => `*a${n - 1}`).join(',')}]\n`,
  );
  const cases: [what: string, text: string, pattern: RegExp][] = [
    ['broken YAML', 'a: [1, 2\nb: 3', /\d:\d+ : not YAML/],
    ['nothing', '', /1:1 : the text is empty/],
    ['a plain text', 'hello', /"hello" is not accepted/],
    ['two documents', `${head}---\na: 1`, /4:1 : a second document/],
    ['a doubled key', `${head}kind: Agent`, /4:1 kind: the key "kind" is there twice/],
    ['an alias bomb', bomb.join(''), /more than 100000 values/],
    ['an alias of itself', 'a: &a [*a]', /nested too deeply/],
    ['an unknown anchor', 'a: *b', /not YAML: Unresolved alias|no anchor &b/],
    ['an unknown tag', 'a: !secret b', /tag !secret is not supported/],
    ['a number that JSON lacks', 'a: .inf', /\.inf has no JSON form/],
    ['a NUL', 'a: "\\0"', /U\+0000/],
    ['half of a surrogate pair', `a: \ud800`, /surrogate/],
    ['endless newlines', '\n'.repeat(1024 * 1024), /tokens/],
    ['endless brackets', '['.repeat(1024 * 1024), /nested too deeply/],
    ['endless dashes', '- '.repeat(512 * 1024), /tokens/],
    ['many unknown keys', Array.from({ length: 20_000 }, (_, n) => `k${n}: 1\n`).join(''), /and 19\d\d\d more problems/],
  ];
  for (const [what, text, pattern] of cases) it(what, () => void refuses(text, pattern));
});

describe('inputs', () => {
  const inputs = (schema: string) => spec(`inputs: ${schema}\nsteps: [{ id: a, transform: "1" }]`);
  it('are a JSON Schema of an object', () => {
    accepted(inputs('{ required: [a] }'));
    refuses(inputs('{ type: array }'), /6:19 spec\.inputs\.type: inputs are an object/);
    refuses(inputs('{ type: object, properties: { a: { type: strin } } }'), /spec\.inputs\.properties\.a\.type/);
    refuses(inputs('{ $ref: "https://example.com/x" }'), /spec\.inputs/);
    refuses(inputs('{ properties: { a: { pattern: "(?=x)" } } }'), /RE2/);
    refuses(inputs('5'), /spec\.inputs: 5 is not accepted/);
  });
});

it('versions are semantic versions without decoration', () => {
  const version = (text: string) => `${head}spec: { version: "${text}", steps: [{ id: a, transform: "1" }] }`;
  for (const text of ['0.0.1', '1.2.3-rc.1', '1.2.3+build.5']) assert.equal(accepted(version(text)).version, text);
  for (const text of ['v1.2.3', '=1.2.3', '1.2', '01.2.3', ' 1.2.3', '1.2.3\\n', 'latest']) refuses(version(text), /spec\.version/);
});

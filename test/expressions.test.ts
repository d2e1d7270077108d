// Expressions: what they see, what is refused before they run, and that a hostile one harms nobody but itself.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import fc from 'fast-check';
import jsonata from 'jsonata';
import { compileExpression } from '#src/expressions/compile.ts';
import { createEvaluator } from '#src/expressions/evaluator.ts';
import { ExpressionError, maxExpressionLength, maxResultBytes, type Scope } from '#src/expressions/expression.ts';
import { notPlain } from '#src/expressions/plain.ts';
import { sourceStepReferences, templateStepReferences } from '#src/expressions/template.ts';

const evaluator = createEvaluator({ workers: 2, deadlineMs: 5000, memoryMb: 96 });
after(() => evaluator.close());

const scope: Scope = {
  inputs: { directory: 'logs', count: 3, one: [5], none: [], deep: { a: { b: true } }, ratio: 0.1, big: 'x'.repeat(300_000) },
  steps: { list: { output: { text: 'a.log\nb.txt\nc.log' }, status: 'succeeded', error: null } },
  item: 'a.log',
  index: 2,
};
const source = (text: string, timeoutMs?: number) => evaluator.evaluateSource(text, scope, { timeoutMs });
const template = (value: unknown) => evaluator.evaluateTemplate(value, scope);
const problemsOf = (text: string) => compileExpression(text).problems.map(({ message }) => message);

async function failsWith(code: string, pattern: RegExp, work: () => Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof ExpressionError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, pattern);
    return true;
  });
}

describe('templates', () => {
  it('keep the type of a string that is exactly one expression, also with the newline of a YAML block', async () => {
    assert.deepEqual(await template(['${{ inputs.count }}', '${{ inputs.one }}\n', '${{ inputs.missing }}']), [3, [5], null]);
  });
  it('write values into text: strings as they are, others as JSON', async () => {
    assert.equal(await template('${{ inputs.directory }}/${{ item }} ${{ inputs.count }} ${{ inputs.one }}'), 'logs/a.log 3 [5]');
  });
  it('leave text without expressions and the escape $${{ alone', async () => {
    assert.deepEqual(await template({ a: '$${{ x }} costs $5', b: [1, null, true] }), { a: '${{ x }} costs $5', b: [1, null, true] });
  });
  it('find the end of an expression that contains }} in objects, texts and comments', async () => {
    assert.equal(await template('<${{ $string({"a": {"b": 1}}) /* }} */ & "}}" }}>'), '<{"a":{"b":1}}}}>');
  });
  it('evaluate a whole document, inside and outside the pool, in one call', async () => {
    const value = await template({ path: '${{ inputs.directory & "/" & item }}', upper: '${{ $uppercase(item) }}', n: '${{ index }}' });
    assert.deepEqual(value, { path: 'logs/a.log', upper: 'A.LOG', n: 2 });
  });
  it('refuse an expression that is not closed', async () => {
    await failsWith('EXPRESSION_FAILED', /not closed/, () => template('${{ inputs.directory'));
  });
});

describe('sources', () => {
  it('are bare JSONata or one ${{ }}', async () => {
    const text = '$split(steps.list.output.text, "\\n")[$contains($, /\\.log$/)]';
    assert.deepEqual(await source(text), ['a.log', 'c.log']);
    assert.deepEqual(await source(`\${{ ${text} }}`), ['a.log', 'c.log']);
    assert.match(problemsOf('${{ item }}/x')[0] ?? '', /one expression, not a text/);
  });
  it('give null for what is absent', async () => {
    assert.equal(await source('inputs.nothing.at.all'), null);
    assert.equal(await source('$count(steps.other.output) = 0 ? steps.other.output : 1'), null);
  });
  it('report errors of the expression with its words', async () => {
    await failsWith('EXPRESSION_FAILED', /"\+" operator must evaluate to a number \(at character/, () => source('$uppercase(item) + 1'));
    await failsWith('EXPRESSION_FAILED', /^no logs$/, () => source('$error("no logs")'));
  });
  it('agree with JSONata wherever they are evaluated without it', async () => {
    const leaf = fc.constantFrom(
      ...['inputs.count', 'inputs.directory', 'inputs.one', 'inputs.none', 'inputs.deep.a.b', 'inputs.deep', 'inputs.ratio', 'inputs.x'],
      ...['item', 'index', '$$.index', '"a"', '0', '2.5', 'true', 'null', 'inputs.one.x', 'inputs.directory.length', '(item)', "'logs'"],
    );
    const { expression } = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc
          .tuple(tie('expression'), fc.constantFrom('&', '=', '!=', '<', '<=', '>', '>=', 'and', 'or'), tie('expression'))
          .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
      ),
    }));
    let evaluated = 0;
    await fc.assert(
      fc.asyncProperty(expression, async (text) => {
        const { plain } = compileExpression(text);
        const value = plain ? plain(scope) : notPlain;
        if (value === notPlain) return;
        evaluated += 1;
        assert.deepEqual(JSON.stringify(value), JSON.stringify(await jsonata(text).evaluate(scope)), text);
      }),
      { numRuns: 500 },
    );
    assert.ok(evaluated > 100, `only ${evaluated} of 500 were plain`);
  });
});

describe('references', () => {
  it('are read from the tree, through quotes, backticks, functions and $$', () => {
    const text =
      '$map(steps.a.output, function($v) { $v.steps.no & $$.steps.b.output }) & steps."c".status & steps.`d-1`.error & $.steps.e';
    assert.deepEqual(sourceStepReferences(text), ['a', 'b', 'c', 'd-1', 'e']);
    assert.deepEqual(templateStepReferences({ x: ['${{ steps.z.output }} ${{ steps.y.output.steps.no }}'] }), ['y', 'z']);
  });
  it('treat a field named steps of some output as data', () => {
    assert.deepEqual(sourceStepReferences('inputs.steps.a & $map(item, function($i) { $i.steps })'), []);
    assert.deepEqual(problemsOf('item.(steps.x & other)'), []);
  });
  for (const text of ['steps[0]', 'steps.*', 'steps.**', '$lookup(steps, item)', '($s := steps; $s.a)', 'steps.("a" & "b")', 'steps^(x)']) {
    it(`refuse steps that are not named in the text: ${text}`, () => assert.match(problemsOf(text)[0] ?? '', /name the step in the text/));
  }
  for (const text of ['$$', '$', '$string($)', '$lookup($$, "steps")', '$keys($$)']) {
    it(`refuse the root as a whole: ${text}`, () => assert.match(problemsOf(text)[0] ?? '', /root cannot be used as a whole/));
  }
  it('refuse unknown names, functions and variables, all at once', () => {
    assert.deepEqual(problemsOf('env.HOME & $foo(input) & $x'), [
      'unknown name "env"; an expression sees inputs, steps, item, index, items, previous, output',
      '$foo is neither a function nor a variable set here',
      'unknown name "input"; an expression sees inputs, steps, item, index, items, previous, output',
      '$x is neither a function nor a variable set here',
    ]);
    assert.deepEqual(problemsOf('($x := 1; $f := function($y) { $x + $y }; inputs.a@$a.b#$i.($a & $i) & $f(2))'), []);
  });
  for (const name of ['now', 'millis', 'random', 'shuffle', 'eval']) {
    it(`refuse $${name}`, () => assert.match(problemsOf(`$${name}(item)`)[0] ?? '', new RegExp(`\\$${name} is not available`)));
  }
  it('refuse syntax errors with their position, and what the linear regex engine cannot do', () => {
    assert.match(problemsOf('inputs.count +')[0] ?? '', /syntax error at character 14/);
    assert.match(problemsOf('$contains(item, /(?=a)b/)')[0] ?? '', /lookaround and backreferences/);
    assert.match(problemsOf('$contains(item, /a{5000}/)')[0] ?? '', /repeat/);
  });
});

describe('text that is costly to parse', () => {
  const nested = (depth: number) => Array.from({ length: depth }).reduce<string>((text) => `(${text} ?? item)`, 'item');
  it('accepts ?? nested four deep and refuses it five deep', () => {
    assert.deepEqual(problemsOf(nested(4)), []);
    assert.match(problemsOf(nested(5))[0] ?? '', /nested in brackets deeper than 4/);
    assert.match(problemsOf(nested(40))[0] ?? '', /nested in brackets deeper than 4/);
  });
  it('accepts brackets 64 deep and refuses 65', () => {
    assert.deepEqual(problemsOf(`${'('.repeat(64)}1${')'.repeat(64)}`), []);
    assert.match(problemsOf(`${'('.repeat(65)}1${')'.repeat(65)}`)[0] ?? '', /deeper than 64/);
  });
  it('refuses one character more than the longest expression', () => {
    assert.deepEqual(problemsOf(`"${'a'.repeat(maxExpressionLength - 2)}"`), []);
    assert.match(problemsOf(`"${'a'.repeat(maxExpressionLength - 1)}"`)[0] ?? '', /at most 16384/);
  });
  it('refuses long paths and endless operators', () => {
    assert.match(problemsOf(`inputs${'.a'.repeat(2001)}`)[0] ?? '', /2000 path steps/);
    assert.match(problemsOf(`${'-'.repeat(16_000)}1`)[0] ?? '', /nested too deeply/);
  });
});

describe('hostile expressions', () => {
  const doubled = (how: string, times: number) =>
    `( $f := function($s, $n) { $n = 0 ? $s : $f(${how}, $n - 1) }; $f("abcdefghabcdefgh", ${times}) )`;
  const hostile: [what: string, text: string, code: string, pattern: RegExp][] = [
    ['endless recursion', '( $f := function($n) { 1 + $f($n) }; $f(1) )', 'EXPRESSION_LIMIT', /does a recursion end/],
    ['endless tail recursion', '( $f := function($n) { $f($n) }; $f(1) )', 'EXPRESSION_TIMEOUT', /longer than 400 ms/],
    [
      'a long loop',
      '$sum($map([1..2000], function($i) { $sum($map([1..2000], function($j) { $i * $j })) }))',
      'EXPRESSION_TIMEOUT',
      /longer/,
    ],
    ['one call that never comes back', '$count($distinct([1..400000]))', 'EXPRESSION_TIMEOUT', /longer than 400 ms/],
    ['a huge list', '$count([1..9000000])', 'EXPRESSION_LIMIT', /more than 500000 members/],
    ['a giant text', `$length($uppercase(${doubled('$s & $s', 24)}))`, 'EXPRESSION_LIMIT', /memory/],
    ['a giant split', `$count($split(${doubled('$s & $s', 24)}, ""))`, 'EXPRESSION_LIMIT', /memory/],
    ['an impossible text', doubled('$s & $s', 40), 'EXPRESSION_LIMIT', /too large/],
    ['a giant padding', '$pad("", 900000000)', 'EXPRESSION_LIMIT', /\$pad/],
    ['a small value shared endlessly', doubled('{"a": $s, "b": $s}', 50), 'OUTPUT_TOO_LARGE', /1048576/],
    ['a deep value', doubled('{"a": $s}', 100), 'EXPRESSION_LIMIT', /nested deeper than 64/],
    ['a function as result', '$sum', 'EXPRESSION_FAILED', /contains a function/],
    ['a number that JSON lacks', '1 / 0', 'EXPRESSION_FAILED', /Infinity/],
    ['a character that is not stored', '"a\\u0000"', 'EXPRESSION_FAILED', /U\+0000/],
    ['a plain text that doubles', Array.from({ length: 500 }, () => 'inputs.big').join(' & '), 'OUTPUT_TOO_LARGE', /1048576/],
  ];
  for (const [what, text, code, pattern] of hostile) {
    it(`${what} fails with ${code} and the next one works`, async () => {
      await failsWith(code, pattern, () => source(text, code === 'EXPRESSION_TIMEOUT' ? 400 : undefined));
      assert.equal(await source('$uppercase(item)'), 'A.LOG');
    });
  }
  it('an exploding regular expression takes linear time', async () => {
    assert.equal(await source('$contains($pad("", 50000, "a") & "!", /^(a+)+$/)'), false);
  });
  it('results are accepted up to 1 MiB of JSON and refused one byte above', async () => {
    assert.equal(((await source(`$pad("", ${maxResultBytes - 2}, "é") ~> $replace("é", "a")`)) as string).length, maxResultBytes - 2);
    await failsWith('OUTPUT_TOO_LARGE', /1048576/, () => source(`$pad("", ${maxResultBytes - 1}, "a")`));
    await failsWith('OUTPUT_TOO_LARGE', /1048576/, () => template(Array.from({ length: 4 }, () => '${{ inputs.big }}')));
  });
  it('sees no environment, no clock and nothing of what another expression left', async () => {
    assert.equal(await source('$toMillis("10:30", "[H01]:[m01]")'), 37_800_000);
    assert.equal(await source('$merge([{"__proto__": {"polluted": 1}}, {"constructor": 2}]).constructor'), 2);
    assert.equal(await source('$exists({}.polluted) ? 1 : inputs.constructor.constructor'), null);
  });
  it('evaluations side by side each get their own answer while one is killed', async () => {
    const answers = await Promise.allSettled([
      source('( $f := function() { $f() }; $f() )', 400),
      ...Array.from({ length: 20 }, (_, n) => source(`$sum([${n}, 1])`)),
    ]);
    assert.equal(answers[0]?.status, 'rejected');
    assert.deepEqual(
      answers.slice(1).map((answer) => (answer.status === 'fulfilled' ? answer.value : answer.reason)),
      Array.from({ length: 20 }, (_, n) => n + 1),
    );
  });
});

it('idle processes do not keep the program alive, and close ends them', async () => {
  const module = new URL('../src/expressions/evaluator.ts', import.meta.url).href;
  const program = `import { createEvaluator } from '${module}';
    const scope = { inputs: {}, steps: {} };
    const closed = createEvaluator();
    await closed.evaluateSource('$sum([1, 2])', scope);
    await closed.close();
    await closed.evaluateSource('$sum([1, 2])', scope).catch((error) => console.log(error.code));
    console.log(await createEvaluator().evaluateSource('$sum([1, 2])', scope));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 20_000 });
  assert.equal(stdout, 'UNAVAILABLE\n3\n');
});

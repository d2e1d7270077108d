// Conditions of policies: every operator on every kind of value, what is refused, and that neither depth nor texts make them slow.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { maxConditionDepth, maxConditionNodes, maxConditionValues, type Condition } from '#src/rules/condition.ts';
import { compileCondition } from '#src/rules/condition-compile.ts';
import type { GateInput } from '#src/rules/gate.ts';
import { parseRules } from '#src/rules/rules.ts';
import { toolCall } from './harness/governance.ts';

const problemsOf = (when: unknown): string[] => {
  const parsed = parseRules('tool_access', [{ effect: 'deny', tools: ['*'], when }]);
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path.replace('rules[0].', '')}: ${message}`);
};
const holds = (condition: Condition, input: GateInput): boolean => {
  assert.deepEqual(problemsOf(condition), [], JSON.stringify(condition));
  return compileCondition(condition)(input);
};
const of = (value: unknown, change: Partial<GateInput> = {}) => toolCall({ arguments: { value }, ...change });
const value = 'arguments.value';

describe('operators', () => {
  const table: [Omit<Condition, 'path'>, yes: unknown[], no: unknown[]][] = [
    [{ equals: 'a' }, ['a', ['b', 'a']], ['A', 'ab', 1, null, undefined, [], {}]],
    [{ equals: 1 }, [1, 1.0, [0, 1]], ['1', true, 2]],
    [{ equals: null }, [null], [undefined, 0, '', false]],
    [{ equals: true }, [true], ['true', 1]],
    [{ equals: 'straße', ignoreCase: true }, ['STRAßE', 'Straße'], ['strasse']],
    [{ notEquals: 'a' }, ['b', undefined, null, 1, []], ['a', ['b', 'a']]],
    [{ in: ['a', 2] }, ['a', 2, [2]], ['2', 'b', undefined]],
    [{ in: ['A'], ignoreCase: true }, ['a', 'A'], ['b']],
    [{ notIn: ['a', 'b'] }, ['c', undefined], ['a', ['c', 'b']]],
    [{ prefix: '/etc/' }, ['/etc/passwd'], ['/ETC/passwd', 'etc', 5, undefined]],
    [{ prefix: ['/etc/', '/root/'], ignoreCase: true }, ['/ETC/passwd', '/Root/x'], ['/home']],
    [{ suffix: ['.pem', '.key'] }, ['id.pem', ['a', 'b.key']], ['pem']],
    [{ glob: 'a*c' }, ['ac', 'abbc', 'a\nc'], ['abcd', 'xabc', 7]],
    [{ matches: '^\\d{3}-\\d{2}$' }, ['123-45'], ['1123-45', '123-456', 12345]],
    [{ matches: ['drop\\s+table', 'truncate'], ignoreCase: true }, ['x DROP  TABLE y', 'TRUNCATE'], ['drop']],
    [{ less: 10 }, [9.99, -1, '9', ' 1e0 '], [10, '10', 'nine', null, undefined, true]],
    [{ lessOrEqual: 10 }, [10, '10'], [10.01]],
    [{ greater: 10 }, [11, '1e6', '10.5', [1, 11]], [10, '', 'NaN', 'Infinity', '0x20']],
    [{ greaterOrEqual: 10, less: 20 }, [10, 19], [20, 9]],
    [{ cidr: '10.0.0.0/8' }, ['10.1.2.3', '::ffff:10.1.2.3', '167838211', '0x0a.1.2.3', '012.1.2.3'], ['11.0.0.1', 'ten', '10.0.0.0/8', 5]],
    [{ cidr: ['2001:db8::/32', '192.0.2.7'] }, ['2001:DB8::1', '[2001:db8::1]', '192.0.2.7'], ['2001:db9::1', '192.0.2.8']],
    [{ exists: true }, ['', 0, false, [], {}], [undefined, null]],
    [{ exists: false }, [undefined, null], [0]],
  ];
  for (const [operators, yes, no] of table) {
    it(JSON.stringify(operators), () => {
      for (const each of yes) assert.equal(holds({ path: value, ...operators }, of(each)), true, `holds for ${JSON.stringify(each)}`);
      for (const each of no) assert.equal(holds({ path: value, ...operators }, of(each)), false, `not for ${JSON.stringify(each)}`);
    });
  }

  it('all, any and not combine them', () => {
    const condition: Condition = {
      all: [
        { path: value, greater: 1 },
        {
          any: [
            { path: value, less: 5 },
            { path: 'principal', equals: 'boss' },
          ],
        },
        { not: { path: value, equals: 3 } },
      ],
    };
    assert.deepEqual([1, 2, 3, 4, 6].map((each) => holds(condition, of(each))), [false, true, false, true, false]); // prettier-ignore
    assert.equal(holds(condition, of(6, { principalId: 'boss' })), true);
  });

  it('a condition and its negation never agree', () => {
    const leaf = fc.oneof(
      fc.record({ path: fc.constant(value), equals: fc.oneof(fc.string(), fc.integer()) }),
      fc.record({ path: fc.constant(value), greater: fc.integer() }),
      fc.record({ path: fc.constant('arguments.value[*]'), notIn: fc.array(fc.string(), { minLength: 1 }) }),
    );
    fc.assert(
      fc.property(fc.array(leaf, { minLength: 1, maxLength: 4 }), fc.jsonValue(), (leaves, json) => {
        const input = of(json);
        assert.notEqual(compileCondition({ any: leaves })(input), compileCondition({ not: { any: leaves } })(input));
        assert.equal(compileCondition({ not: { any: leaves } })(input), compileCondition({ all: leaves.map((not) => ({ not })) })(input));
      }),
    );
  });
});

describe('paths', () => {
  const input = toolCall({
    arguments: { items: [{ price: 5 }, { price: 500 }], 'odd.name': { 'x y': 1 }, grid: [[1], [2]] },
    labels: { team: 'blue' },
    destination: { scheme: 'https', host: 'api.example.com', port: 443, method: 'POST' },
    output: { text: 'done' },
    costMicroUsd: 5_000,
    tool: {
      name: 'shell.run',
      digest: '',
      risk: 'critical',
      capability: 'execute',
      category: 'command_execution',
      signs: [{ code: 'recursive_delete', risk: 'critical', detail: '' }],
    },
  });
  for (const condition of [
    { path: 'arguments.items[1].price', equals: 500 },
    { path: 'arguments.items[*].price', greater: 100 },
    { path: 'arguments["odd.name"]["x y"]', equals: 1 },
    { path: 'arguments.grid[*][*]', equals: 2 },
    { path: 'arguments[*]["x y"]', equals: 1 },
    { path: 'arguments.items', exists: true },
    { path: 'arguments.items.length', greater: 1 },
    { path: 'labels.team', in: ['blue'] },
    { path: 'destination.host', suffix: '.example.com' },
    { path: 'output.text', equals: 'done' },
    { path: 'costMicroUsd', greaterOrEqual: 5_000 },
    { path: 'tool.server', equals: 'shell' },
    { path: 'tool.signs', in: ['recursive_delete'] },
    { path: 'tool.category', equals: 'command_execution' },
    { path: 'roles', equals: 'operator' },
    { path: 'agent.tags', equals: 'ops' },
    { path: 'environmentKind', notEquals: 'development' },
  ] satisfies Condition[]) {
    it(`${condition.path} leads to its value`, () => assert.equal(holds(condition, input), true));
  }

  it('what is not there is nothing, and nothing of a prototype is ever there', () => {
    for (const path of [
      'arguments.missing.deep[3]',
      'arguments.constructor',
      'labels.toString',
      'labels["__proto__"].toString',
      'arguments.items[*].missing',
      'output.text.length',
    ]) {
      assert.equal(holds({ path, exists: true }, input), false, path);
      assert.equal(holds({ path, notEquals: 'x' }, input), true, path);
    }
    assert.equal(holds({ path: 'destination.host', exists: true }, toolCall()), false);
  });

  it('that exist nowhere are refused with those that do', () => {
    for (const path of [
      'foo',
      'argument.x',
      'arguments..x',
      'arguments.',
      'arguments[x]',
      'arguments[1',
      'tool.digest',
      '__proto__',
      'tenantId',
      '',
    ]) {
      assert.match(
        problemsOf({ path, equals: 1 })[0] ?? 'accepted',
        /^when\.path: (there is no such path; paths are action, |must continue with)/,
        path,
      );
    }
  });

  it('at twelve parts they pass, one more is refused', () => {
    assert.deepEqual(problemsOf({ path: `arguments${'.a'.repeat(12)}`, exists: true }), []);
    assert.match(problemsOf({ path: `arguments${'.a'.repeat(13)}`, exists: true })[0]!, /must not have more than 12 parts/);
  });
});

describe('conditions that are wrong', () => {
  it('are refused with every problem', () => {
    assert.deepEqual(
      problemsOf({
        all: [
          { path: 'principal' },
          { equals: 1 },
          { path: value, any: [] },
          { not: { path: value, equals: {} } },
          { path: value, matches: '(?=a)' },
          { path: value, cidr: '10.0.0.0/33' },
          { path: value, greater: '5' },
          { any: [{ path: value, exists: true }], less: 3 },
          { path: value, in: [], prefix: '' },
        ],
      }).map((problem) => problem.slice(0, 78)),
      [
        'when.all[0]: path needs an operator: one of equals, notEquals, in, notIn, pref',
        'when.all[1]: must have one of all, any, not and path, not none',
        'when.all[2].any: must hold at least one condition',
        'when.all[2]: must have one of all, any, not and path, not any and path',
        'when.all[3].not.equals: must be a text, a number, true, false or null',
        'when.all[4].matches: is no regular expression in RE2 syntax (error parsing reg',
        'when.all[5].cidr: must be an address or a range such as 10.0.0.0/8, 192.0.2.7 ',
        'when.all[6].greater: expected number, received string, got "5"',
        'when.all[7]: less needs a path beside it',
        'when.all[8].in: must hold at least one value',
        'when.all[8].prefix: must not be empty: everything begins and ends with nothing',
      ],
    );
    assert.match(problemsOf('principal == "x"')[0]!, /^when: expected object, received string/);
  });

  const nested = (levels: number): unknown =>
    Array.from({ length: levels - 1 }).reduce<unknown>((not) => ({ not }), { path: 'principal', equals: 'x' });

  it('at the limit of depth they pass, one more and a thousand are refused', () => {
    assert.deepEqual(problemsOf(nested(maxConditionDepth)), []);
    const tooDeep = [`when: must not be nested deeper than ${maxConditionDepth} levels`];
    for (const levels of [maxConditionDepth + 1, 1_000, 100_000]) assert.deepEqual(problemsOf(nested(levels)), tooDeep);
    let wide: unknown = { path: 'principal', equals: 'x' };
    for (let level = 0; level < 1_000; level += 1) wide = { all: [wide, wide] };
    assert.deepEqual(problemsOf(wide), [`when: must not hold more than ${maxConditionNodes} conditions`]);
  });

  it('at the limits of size they pass, one more is refused', () => {
    const leaves = (count: number) => ({ any: Array.from({ length: count }, () => ({ path: 'principal', equals: 'x' })) });
    assert.deepEqual(problemsOf(leaves(maxConditionNodes - 1)), []);
    assert.deepEqual(problemsOf(leaves(maxConditionNodes)), [`when: must not hold more than ${maxConditionNodes} conditions`]);
    assert.deepEqual(problemsOf({ path: 'principal', in: Array(maxConditionValues).fill('x') }), []);
    assert.equal(problemsOf({ path: 'principal', in: Array(maxConditionValues + 1).fill('x') }).length, 1);
    assert.deepEqual(problemsOf({ path: 'principal', matches: 'a'.repeat(500) }), []);
    assert.match(problemsOf({ path: 'principal', matches: 'a'.repeat(501) })[0]!, /must not be longer than 500 characters/);
  });

  it('regular expressions that repeat without end or without measure are refused or harmless', () => {
    for (const matches of ['(a{1000}){1000}', 'a{1001}', '((a{100}){100}){100}', 'a{1000}'.repeat(60)]) {
      assert.match(problemsOf({ path: 'principal', matches })[0] ?? 'accepted', /repeats too much|is no regular expression/, matches);
    }
    const exploding = compileCondition({ path: value, matches: '^(a+)+$' });
    // Backtracking would not come back from this.
    assert.equal(exploding(of(`${'a'.repeat(100_000)}!`)), false);
  });
});

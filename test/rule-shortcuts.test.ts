// What makes decisions quick changes none of them: every shortcut beside the plain way, on random input.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { canonicalHost } from '#src/rules/address.ts';
import { compileRules } from '#src/rules/compile.ts';
import { combine, evaluateGate } from '#src/rules/evaluate.ts';
import type { GateInput, GateVerdict, PolicyFinding } from '#src/rules/gate.ts';
import { literalsOf } from '#src/rules/literals.ts';
import { compilePattern } from '#src/rules/pattern.ts';
import { everywhere } from '#src/rules/policy-places.ts';
import { compilePolicies } from '#src/rules/policy-set.ts';
import { decisionEffects, policyModes } from '#src/rules/policy.ts';
import { rememberSituations } from '#src/rules/situations.ts';
import { toolCall } from './harness/governance.ts';

/** Pairs of a piece of a pattern and a text that it matches, so that matches are frequent. */
const anyPiece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'k', 's', 'KEY', '-', ' ', '_').map((text) => [text, text] as const) },
  { weight: 1, arbitrary: fc.constantFrom<readonly (readonly [string, string])[]>(
    ...([['\\d', '7'], ['\\w', 'k'], ['.', 'x'], ['\\b', ''], ['^', ''], ['$', ''], ['\\.', '.'], ['\\-', '-'], ['\\x41', 'A'], ['\\pL', 'é'],
      ['[a-c]', 'b'], ['[^]abc[x]', 'z'], ['[]a]', ']'], ['[^-]', 'q'], ['[[:alpha:]]', 'a'], ['[\\]x]', ']'], ['\\Qa|b\\E', 'a|b'],
      ['ß', 'ß'], ['é', 'é'], ['(?i:k)', 'K'], ['(?P<n>s)', 's'], ['(?:)', ''], ['()', ''], ['a{0}', ''], ['k{2}', 'kk'], ['s{0,2}', 's'],
      ['{', '{'], ['a{,2}', 'a{,2}'], ['x{', 'x{']] as const).map((pair) => [pair] as const),
  ).map(([pair]) => pair!) },
); // prettier-ignore
const anyPattern: fc.Arbitrary<readonly [pattern: string, text: string]> = fc.letrec<{ whole: readonly [string, string] }>((tie) => {
  const quantified = (piece: fc.Arbitrary<readonly [string, string]>) =>
    fc
      .tuple(piece, fc.constantFrom('', '', '', '', '+', '*', '?', '{1,2}', '{0}', '+?'), fc.boolean())
      .map(
        ([[pattern, text], count, isThere]) =>
          [`${pattern}${count}`, '*?{0}'.includes(count) && count !== '' && !isThere ? '' : text] as const,
      );
  const group = fc
    .array(tie('whole'), { minLength: 1, maxLength: 3 })
    .map((branches) => [`(${branches.map(([pattern]) => pattern).join('|')})`, branches[0]![1]] as const);
  const piece = fc.oneof({ maxDepth: 2 }, quantified(anyPiece), quantified(group));
  return {
    whole: fc
      .array(piece, { maxLength: 5 })
      .map((pieces) => [pieces.map(([pattern]) => pattern).join(''), pieces.map(([, text]) => text).join('')] as const),
  };
}).whole;
const anyRegex = fc
  .tuple(fc.array(anyPattern, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '', '(?i)'))
  .map(([branches, flags]) => [flags + branches.map(([pattern]) => pattern).join('|'), branches.at(-1)![1]] as const)
  .filter(([pattern]) => {
    try {
      return pattern !== '' && pattern.length <= 100 && RE2JS.compile(pattern) !== null;
    } catch {
      return false;
    }
  });
const anyText = fc.string({ unit: fc.constantFrom(...'aksKEYxé -7.]K\u017f\u212a\u200bＫ'), maxLength: 12 });

describe('literals of a regular expression', () => {
  it('are in every text in which it is found, and change no answer', () => {
    let known = 0;
    let found = 0;
    fc.assert(
      fc.property(anyRegex, anyText, anyText, fc.boolean(), ([pattern, matching], before, after, ignoreCase) => {
        const plain = RE2JS.compile(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
        const quick = compilePattern(pattern, ignoreCase);
        for (const text of [before, matching, `${before}${matching}${after}`, matching.toUpperCase()]) {
          assert.equal(quick(text), plain.test(text), JSON.stringify([pattern, text]));
          if (plain.test(text)) found += 1;
        }
        if (literalsOf(pattern, ignoreCase)) known += 1;
      }),
      { numRuns: 3_000 },
    );
    assert.ok(known > 300 && found > 3_000, `${known} patterns with literals, ${found} matches`);
  });

  it('are known for what people write, and not guessed for what is not understood', () => {
    const texts = (pattern: string) => literalsOf(pattern)?.texts ?? null;
    assert.deepEqual(texts('\\b(AKIA|ASIA)[0-9A-Z]{16}\\b'), ['AKIA', 'ASIA']);
    assert.deepEqual(texts('-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----'), ['PRIVATE KEY-----']);
    assert.deepEqual(texts('\\bsk-[A-Za-z0-9_-]{20,}\\b'), ['sk-']);
    assert.deepEqual(literalsOf('(?i)Secret|Password'), { fold: true, texts: ['secret', 'password'] });
    for (const pattern of ['\\d{16}', 'a|', '(a|b*)', '[^]abc[x]', '(?s)a.b', '\\Qab\\E', 'é', 'a{0}', 'a?'])
      assert.equal(texts(pattern), null, pattern);
  });
});

describe('content', () => {
  type Rule = { readonly effect: 'deny'; readonly matches?: string[]; readonly words?: string[] };
  /** Every text on its own, in its order. */
  function plainly(rules: readonly Rule[], root: unknown): string | null {
    const texts: [path: string, text: string][] = [];
    let level: [string, unknown][] = [['', root]];
    while (level.length > 0) {
      const next: [string, unknown][] = [];
      for (const [path, value] of level) {
        if (typeof value === 'string' || typeof value === 'number') texts.push([path, String(value)]);
        else if (Array.isArray(value)) value.forEach((each, index) => next.push([`${path}[${index}]`, each]));
        else if (typeof value === 'object' && value !== null) {
          for (const [key, each] of Object.entries(value)) {
            texts.push([`${path}.${key}`, key]);
            next.push([`${path}.${key}`, each]);
          }
        }
      }
      level = next;
    }
    for (const [index, { matches = [], words = [] }] of rules.entries()) {
      for (const [path, written] of texts) {
        const plain = written.normalize('NFKC').replace(/\u200b/g, '');
        const isFound = matches.some((pattern) => [written, plain].some((text) => text !== '' && RE2JS.compile(pattern).test(text)));
        if (isFound || words.some((word) => plain.toLowerCase().includes(word.toLowerCase())))
          return `(rule ${index + 1}) refuses what is in arguments${path}.`;
      }
    }
    return null;
  }

  const content = { id: 'p', name: 'p', version: 1, kind: 'content', mode: 'enforce', priority: 1, scope: everywhere } as const;

  it('looked at together is what each text on its own gives', () => {
    const anyRule: fc.Arbitrary<Rule> = fc
      .record({
        matches: fc.array(anyRegex, { minLength: 1, maxLength: 3 }).map((all) => all.map(([pattern]) => pattern)),
        words: fc.array(fc.constantFrom('key', 'K-', 'aa', 's 7', 'É'), { minLength: 1, maxLength: 2 }),
        which: fc.constantFrom('matches', 'words', 'both'),
      })
      .map(({ matches, words, which }) => ({
        effect: 'deny',
        ...(which !== 'words' && { matches }),
        ...(which !== 'matches' && { words }),
      }));
    const key = fc.string({ unit: fc.constantFrom(...'aksKEY'), minLength: 1, maxLength: 4 });
    const { value: anyValue } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small', maxDepth: 3 },
        anyText,
        fc.integer({ min: 0, max: 99 }),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(fc.array(anyRule, { minLength: 1, maxLength: 3 }), anyValue, (rules, value) => {
        const input = toolCall({ arguments: value });
        const { reason } = compileRules({ ...content, rules })(input) ?? { reason: null };
        const expected = plainly(rules, value);
        assert.equal(reason?.slice(reason.indexOf('(rule')) ?? null, expected, JSON.stringify([rules, value]));
      }),
      { numRuns: 1_000 },
    );
  });
});

it('a host in its usual form is spelled as the parser of URLs spells it', () => {
  const anyHost = fc.string({ unit: fc.constantFrom(...'abx019.-', 'xn--', '0x', '.'), minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(anyHost, (host) => {
      // In capital letters it is never in its usual form.
      assert.equal(canonicalHost(host), canonicalHost(host.replace(/[a-z]/, (letter) => letter.toUpperCase())));
    }),
    { numRuns: 20_000 },
  );
});

it('a situation is remembered as itself: whichever member differs, it is another one', () => {
  const usual = toolCall({ teamId: null, agentTags: ['a', 'b'] }, { source: 'mcp', category: 'general' });
  const others: GateInput[] = [
    usual,
    ...(['projectId', 'environmentId', 'agentId', 'teamId'] as const).map((member) => ({ ...usual, [member]: 'other' })),
    { ...usual, environmentKind: 'staging' },
    { ...usual, action: 'output.deliver' },
    ...[['a'], ['a,b'], ['b', 'a'], ['a', 'b', 'c'], []].map((agentTags) => ({ ...usual, agentTags })),
    ...[['viewer'], ['operator', 'viewer'], []].map((roles) => ({ ...usual, roles })),
    { ...usual, tool: null },
    ...(
      [
        { name: 'x.y' },
        { digest: 'x' },
        { risk: 'low' },
        { capability: 'read' },
        { source: 'http' },
        { category: 'data' },
        { server: { scheme: 'https', host: 'x', port: 1 } },
        { server: { scheme: 'https', host: 'x', port: 2 } },
      ] as const
    ).map((change) => ({ ...usual, tool: { ...usual.tool!, ...change } })),
  ];
  const memory = rememberSituations<number>(others.length);
  for (const round of [0, 1, 2]) {
    for (const [index, each] of others.entries()) {
      const value = memory.recall({ ...each, agentTags: [...each.agentTags] }, () => index + 100 * round);
      assert.equal(value, index, `round ${round}, ${index}`);
    }
  }
  memory.recall({ ...usual, projectId: 'one more' }, () => -1);
  assert.equal(memory.recall(usual, () => -2), -2, 'beyond its bound it forgets'); // prettier-ignore
});

it('combining findings in one pass is what asking for each effect gives', () => {
  const plainly = (refused: readonly string[], findings: readonly PolicyFinding[]): GateVerdict => {
    const enforced = findings.filter(({ mode }) => mode === 'enforce');
    const of = (...effects: PolicyFinding['effect'][]) => enforced.filter(({ effect }) => effects.includes(effect));
    const reasons = (...effects: PolicyFinding['effect'][]) => of(...effects).map(({ reason }) => reason);
    const injections = findings.filter(({ mode, effect }) => mode === 'inject' && effect !== 'allow').map(({ reason }) => reason);
    const warnings = reasons('warn');
    const moments = of('delay', 'queue')
      .map(({ notBefore }) => notBefore!)
      .sort();
    const besides = { findings, ...(warnings.length > 0 && { warnings }), ...(injections.length > 0 && { injections }) };
    const later = { ...besides, ...(moments.length > 0 && { notBefore: moments.at(-1)! }) };
    const denials = [...refused, ...reasons('deny')];
    if (denials.length > 0) return { effect: 'deny', reasons: denials, ...besides };
    if (of('require_approval').length > 0) return { effect: 'require_approval', reasons: reasons('require_approval'), ...later };
    if (moments.length > 0) return { effect: of('delay').length > 0 ? 'delay' : 'queue', reasons: reasons('delay', 'queue'), ...later };
    if (warnings.length > 0) return { effect: 'warn', reasons: warnings, ...besides };
    const allowed = reasons('allow');
    return { effect: 'allow', reasons: allowed.length > 0 ? allowed : evaluateGate(compilePolicies([]), toolCall()).reasons, ...besides };
  };
  const anyFinding: fc.Arbitrary<PolicyFinding> = fc
    .record({ mode: fc.constantFrom(...policyModes), effect: fc.constantFrom(...decisionEffects), reason: fc.constantFrom('x', 'y', 'z'), day: fc.integer({ min: 1, max: 9 }) })
    .map(({ day, ...finding }) => ({
      ...{ policyId: 'p', policyName: 'p', version: 1, kind: 'tool_access' as const, ...finding },
      ...((finding.effect === 'delay' || finding.effect === 'queue') && { notBefore: `2026-11-0${day}T00:00:00.000Z` }),
    })); // prettier-ignore
  fc.assert(
    fc.property(fc.subarray(['one', 'two']), fc.array(anyFinding, { maxLength: 6 }), (refused, findings) => {
      assert.deepEqual(combine(refused, findings), plainly(refused, findings));
    }),
    { numRuns: 3_000 },
  );
});

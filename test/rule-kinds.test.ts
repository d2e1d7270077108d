// What policies of the kinds content, tool_access and approval_required say of one effect, with conditions, costs and approvers.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileRules } from '#src/rules/compile.ts';
import { evaluateGate } from '#src/rules/evaluate.ts';
import type { GateInput } from '#src/rules/gate.ts';
import type { PolicySource } from '#src/rules/judge.ts';
import { compilePolicies } from '#src/rules/policy-set.ts';
import type { PolicyKind } from '#src/rules/policy.ts';
import { parseRules } from '#src/rules/rules.ts';
import { toolCall } from './harness/governance.ts';

const everywhere = { projectId: null, environmentId: null, agentId: null, teamId: null, tag: null, tool: null };
const source = (kind: PolicyKind, rules: unknown): PolicySource => {
  const parsed = parseRules(kind, rules);
  assert.deepEqual(parsed.ok ? [] : parsed.problems, []);
  return { id: 'id', name: 'p', version: 1, kind, mode: 'enforce', priority: 1, scope: everywhere, rules };
};
const judge = (kind: PolicyKind, ...rules: unknown[]) => compileRules(source(kind, rules));
const problemsOf = (kind: PolicyKind, rules: unknown): string[] => {
  const parsed = parseRules(kind, rules);
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
};
const start = (inputs: unknown, change: Partial<GateInput> = {}) =>
  toolCall({ action: 'execution.start', tool: null, arguments: inputs, ...change });
const output = (value: unknown) => toolCall({ action: 'output.deliver', output: value });

describe('content', () => {
  const secret = { effect: 'deny', matches: ['AKIA[0-9A-Z]{16}'], message: 'take the key out.' };
  const key = 'AKIAABCDEFGHIJKLMNOP';

  it('is found in inputs, arguments and outputs, in values and names, and never repeated', () => {
    const ask = judge('content', secret);
    for (const [input, where] of [
      [start({ note: `key ${key}` }), 'inputs.note'],
      [toolCall({ arguments: { list: [{ text: 'a' }, { text: key }] } }), 'arguments.list[1].text'],
      [toolCall({ arguments: { [key]: 1 } }), 'arguments.'],
      [output({ text: key }), 'output.text'],
      [output(key), 'output'],
    ] as const) {
      const opinion = ask(input);
      assert.equal(opinion?.effect, 'deny', where);
      assert.ok(opinion.reason.startsWith(`Policy "p" (rule 1) refuses what is in ${where}`), opinion.reason);
      if (!where.endsWith('.')) assert.ok(!opinion.reason.includes(key), opinion.reason);
    }
    assert.equal(ask(toolCall()), null);
  });

  it('is looked for where the rule says only', () => {
    const inputs = [start({ a: key }), toolCall({ arguments: { a: key } }), output(key)];
    const effects = (places: string[]) => inputs.map((input) => judge('content', { ...secret, in: places })(input)?.effect ?? null);
    assert.deepEqual(effects(['inputs']), ['deny', null, null]);
    assert.deepEqual(effects(['arguments', 'outputs']), [null, 'deny', 'deny']);
  });

  it('hidden in invisible characters or other forms of letters is found as well', () => {
    const ask = judge('content', { effect: 'deny', matches: ['(?i)password'], words: ['Projekt Ähre'] });
    for (const text of [
      'pass\u200bword',
      'p\u00ada\u2060ssword',
      'ＰＡＳＳＷＯＲＤ',
      'pa\u202ess\u202cword',
      '𝓹𝓪𝓼𝓼𝔀𝓸𝓻𝓭',
      'PROJEKT ÄHRE',
      'projekt a\u0308hre',
      'pass\ufe0fword',
    ]) {
      assert.equal(ask(toolCall({ arguments: { text } }))?.effect, 'deny', JSON.stringify(text));
    }
    assert.equal(ask(toolCall({ arguments: { text: 'pass word' } })), null);
  });

  it('numbers are looked at as they are written', () => {
    assert.equal(
      judge('content', { effect: 'deny', matches: ['^4\\d{15}$'] })(toolCall({ arguments: { card: 4111111111111111 } }))?.effect,
      'deny',
    );
  });

  it('the strongest effect that applies counts, whatever the order', () => {
    const ask = judge(
      'content',
      { effect: 'warn', words: ['a'] },
      { effect: 'require_approval', words: ['b'] },
      { effect: 'deny', words: ['c'] },
    );
    const effect = (text: string) => ask(toolCall({ arguments: { text } }))?.effect ?? null;
    assert.deepEqual(['x', 'a', 'a b', 'a b c'].map(effect), [null, 'warn', 'require_approval', 'deny']);
  });

  it('an output cannot wait for an approval, so it is refused', () => {
    const ask = judge('content', { effect: 'require_approval', words: ['salary'] });
    assert.equal(ask(toolCall({ arguments: { q: 'salary' } }))?.effect, 'require_approval');
    const refused = ask(output('the salary'));
    assert.deepEqual([refused?.effect, /an output cannot wait for one/.test(refused!.reason)], ['deny', true]);
  });

  it('more than can be looked at is a failure of the policy, not a permission', () => {
    const text = (length: number) => toolCall({ arguments: { t: 'x'.repeat(length - 1) } });
    assert.equal(judge('content', secret)(text(1_000_000)), null);
    assert.throws(() => judge('content', secret)(text(1_000_001)), /more than 1000000 characters/);
    const verdict = evaluateGate(compilePolicies([source('content', [secret])]), text(1_000_001));
    assert.deepEqual([verdict.effect, verdict.findings[0]?.failed], ['deny', true]);
    const deep = Array.from({ length: 101 }).reduce<unknown>((inner) => [inner], key);
    assert.throws(() => judge('content', secret)(toolCall({ arguments: deep })), /nested deeper than 100 levels/);
  });

  it('patterns that explode elsewhere end here', () => {
    const ask = judge('content', { effect: 'deny', matches: ['^(([a-z])+.)+[A-Z]([a-z])+$', '(a|aa)+$'] });
    assert.equal(ask(toolCall({ arguments: { text: `${'a'.repeat(20_000)}!` } })), null);
  });

  it('rules that are wrong are refused with every problem', () => {
    assert.deepEqual(
      problemsOf('content', [{ effect: 'deny' }, { effect: 'block', matches: ['(a', '', '(?<=x)y'], words: [' '], in: [] }]),
      [
        'rules[0]: needs matches or words',
        'rules[1].effect: expected one of "deny"|"warn"|"require_approval", got "block"',
        'rules[1].matches[0]: is no regular expression in RE2 syntax (error parsing regexp: missing closing ): `(a`); lookaround and backreferences do not exist here, got "(a"',
        'rules[1].matches[1]: must not be empty: it is found in every text, got ""',
        'rules[1].matches[2]: is no regular expression in RE2 syntax (error parsing regexp: invalid named capture: `(?<=x)y`); lookaround and backreferences do not exist here, got "(?<=x)y"',
        'rules[1].words[0]: must not be blank, got " "',
        'rules[1].in: must not be empty; leave it out to look everywhere',
      ],
    );
  });
});

describe('tool access with conditions', () => {
  const rule = { effect: 'deny', tools: ['shop.refund'], when: { path: 'arguments.amount', greater: 100 }, message: 'ask a person.' };

  it('looks at arguments, labels and signs, and is asked each time', () => {
    const ask = judge('tool_access', rule);
    assert.equal(ask.bySituation, undefined);
    const refund = (amount: unknown) => toolCall({ arguments: { amount } }, { name: 'shop.refund' });
    assert.deepEqual([50, 100, 101, '5000'].map((amount) => ask(refund(amount))?.effect ?? null), [null, null, 'deny', 'deny']); // prettier-ignore
    const policies = compilePolicies([source('tool_access', [rule])]);
    assert.deepEqual([50, 500, 50].map((amount) => evaluateGate(policies, refund(amount)).effect), ['allow', 'deny', 'allow']); // prettier-ignore
  });

  it('without conditions it is remembered by situation', () => {
    assert.equal(judge('tool_access', { effect: 'deny', tools: ['a.*'], risk: { atLeast: 'high' } }).bySituation, true);
    assert.equal(judge('approval_required', { risk: ['high'] }).bySituation, true);
  });

  it('allow rules are an allowlist under their conditions', () => {
    const ask = judge('tool_access', { effect: 'allow', tools: ['files.*'], when: { path: 'arguments.path', prefix: '/work/' } });
    const write = (path: string) => ask(toolCall({ arguments: { path } }))?.effect;
    assert.deepEqual([write('/work/a'), write('/etc/passwd')], ['allow', 'deny']);
  });

  it('says nothing of starts and outputs', () => {
    const ask = judge('tool_access', { effect: 'deny', tools: ['*'] });
    assert.deepEqual([ask(start({})), ask(output('x'))], [null, null]);
  });

  it('risk and roles', () => {
    const ask = judge('tool_access', { effect: 'deny', tools: ['*'], risk: { atLeast: 'high' }, roles: ['service'] });
    const effect = (risk: 'low' | 'high' | 'critical', roles: string[]) => ask(toolCall({ roles }, { risk }))?.effect ?? null;
    assert.deepEqual([effect('high', ['service']), effect('critical', ['viewer', 'service']), effect('high', ['admin']), effect('low', ['service'])], ['deny', 'deny', null, null]); // prettier-ignore
  });
});

describe('required approvals', () => {
  it('of starts only when the rule names them', () => {
    assert.equal(judge('approval_required', {})(start({})), null);
    const ask = judge('approval_required', { actions: ['execution.start'], environmentKinds: ['production'] });
    assert.match(ask(start({}))!.reason, /asks for an approval before the execution runs/);
    assert.equal(ask(start({}, { environmentKind: 'staging' })), null);
    assert.equal(ask(toolCall()), null);
  });

  it('by destination, of requests and of URLs in arguments', () => {
    const ask = judge('approval_required', { destinations: ['*.bank.example'] });
    const request = { scheme: 'https', host: 'api.bank.example', port: 443, method: 'POST' } as const;
    assert.equal(ask(toolCall({ action: 'http.request', destination: request }, { name: 'http.request' }))?.effect, 'require_approval');
    const fetching = (url: string) => toolCall({ arguments: { url } }, { name: 'web.fetch', category: 'network' });
    assert.equal(ask(fetching('https://api.bank.example/pay'))?.effect, 'require_approval');
    assert.equal(ask(fetching('https://bank.example/')), null);
  });

  it('by estimated cost, at the bound, and when it is not known only if the rule says so', () => {
    const effect = (rule: object, costMicroUsd: number | null | undefined) =>
      judge('approval_required', { costMicroUsd: rule })(toolCall({ costMicroUsd }))?.effect ?? null;
    assert.deepEqual([499_999, 500_000, null, undefined].map((cost) => effect({ atLeast: 500_000 }, cost)), [null, 'require_approval', null, null]); // prettier-ignore
    assert.deepEqual([1, null, undefined].map((cost) => effect({ atLeast: 500_000, orUnknown: true }, cost)), [null, 'require_approval', 'require_approval']); // prettier-ignore
  });

  const principal = '01900000-0000-7000-8000-000000000001';
  const team = '01900000-0000-7000-8000-000000000002';
  it('carries its approvers as terms', () => {
    const approvers = {
      stages: [
        { name: 'owners', approvers: [{ team }, { principal }], quorum: 2 },
        { name: 'security', approvers: [{ role: 'reviewer' }] },
      ],
      excludeOwner: true,
      escalation: { after: '2h', approvers: [{ role: 'admin' }] },
      warnBefore: '30m',
      businessHours: { timezone: 'Europe/Berlin', holidays: ['2026-12-25'] },
    };
    const opinion = judge('approval_required', { tools: ['*'], approvers, expiresIn: '4h' })(toolCall());
    assert.equal(opinion?.expiresInMs, 4 * 3_600_000);
    assert.deepEqual(opinion.terms, {
      stages: [
        { name: 'owners', approvers: [{ team }, { principal }], quorum: 2 },
        { name: 'security', approvers: [{ role: 'reviewer' }], quorum: 1 },
      ],
      excludeOwner: true,
      escalation: { afterMs: 7_200_000, approvers: [{ role: 'admin' }] },
      warnBeforeMs: 1_800_000,
      businessHours: { timezone: 'Europe/Berlin', days: [1, 2, 3, 4, 5], from: '09:00', to: '17:00', holidays: ['2026-12-25'] },
    });
  });

  it('approvers that are wrong are refused with every problem', () => {
    const stages = [
      { name: '', approvers: [{ role: 'boss' }, {}, { role: 'admin', team }, { principal: '' }] },
      { name: 'two of one', approvers: [{ principal }], quorum: 2 },
      { approvers: [{ team }, { team }] },
      { name: 'none', quorum: 0 },
    ];
    const escalation = { after: 'later', approvers: [] };
    const businessHours = { timezone: 'Nowhere', from: '17:00', to: '09:00', days: [] };
    const places = problemsOf('approval_required', [{ approvers: { stages, escalation, businessHours, quorum: 3 } }]).map(
      (problem) => problem.replace('rules[0].approvers.', '').split(': ')[0],
    );
    assert.deepEqual(
      new Set(places),
      new Set([
        'businessHours.days',
        'businessHours.timezone',
        'businessHours.to',
        'escalation.after',
        'escalation.approvers',
        'quorum',
        'stages[0].approvers[0].role',
        'stages[0].approvers[1]',
        'stages[0].approvers[2]',
        'stages[0].approvers[3].principal',
        'stages[0].name',
        'stages[1].quorum',
        'stages[2].approvers',
        'stages[3].quorum',
      ]),
    );
  });
});

describe('what never matches', () => {
  it('is refused: starts have no tool and no destination', () => {
    const idle = { tools: ['a.*'], capabilities: ['read'], risk: ['low'] };
    const places = (kind: PolicyKind, rules: unknown) => problemsOf(kind, rules).map((problem) => problem.split(': ', 2).join(': '));
    const fields = (path: string, ...more: string[]) =>
      ['tools', 'capabilities', 'risk', ...more].map((field) => `${path}.${field}: never matches`);
    const starts = { actions: ['execution.start'] };
    assert.deepEqual(places('approval_required', [{ ...starts, ...idle, destinations: ['x.test'] }]), fields('rules[0]', 'destinations'));
    assert.deepEqual(
      places('time_window', { ...starts, ...idle, timezone: 'UTC', windows: [{ from: '00:00', to: '12:00' }] }),
      fields('rules'),
    );
    assert.deepEqual(places('content', [{ effect: 'deny', words: ['x'], in: ['inputs'], ...idle }]), fields('rules[0]'));
    assert.deepEqual(problemsOf('approval_required', [{ actions: ['execution.start', 'tool.call'], ...idle }]), []);
  });

  it('where a judge says that a situation is none of its business, it says nothing of any effect there', () => {
    const judges = [
      judge('tool_access', { effect: 'deny', tools: ['files.*'], when: { path: 'principal', exists: true } }),
      judge('tool_access', { effect: 'allow', tools: ['files.*'], when: { path: 'principal', exists: true } }),
      judge('approval_required', { actions: ['execution.start', 'http.request'], costMicroUsd: { atLeast: 0, orUnknown: true } }),
      judge('approval_required', { destinations: ['*'] }),
      judge('destination', { effect: 'allow', hosts: ['x.test'] }),
      judge('destination', { effect: 'deny', hosts: ['*'], capabilities: ['read'] }),
      judge('data_scope', { data: 'dataset:x', tools: ['files.*'], roles: ['operator'] }),
      judge('content', { effect: 'deny', matches: ['.'], in: ['inputs', 'outputs'] }),
      compileRules(source('time_window', { timezone: 'UTC', windows: [{ from: '01:00', to: '02:00' }], environmentKinds: ['production'] })),
    ];
    let [silent, spoke] = [0, 0];
    for (const action of ['execution.start', 'tool.call', 'http.request', 'output.deliver'] as const) {
      for (const name of ['files.read', 'mail.send', null]) {
        for (const category of ['network', 'general'] as const) {
          for (const environmentKind of ['production', 'staging'] as const) {
            const destination = action === 'http.request' ? ({ scheme: 'https', host: 'y.test', port: 443, method: 'GET' } as const) : null;
            const tool = name === null ? { tool: null } : {};
            const change = { action, environmentKind, destination, arguments: { url: 'https://y.test' }, output: 'text', ...tool };
            const input = { ...toolCall({}, { name: name ?? 'none.none', category, capability: 'read' }), ...change };
            for (const each of judges) {
              if (each.concerns?.(input) ?? true) spoke += each(input) ? 1 : 0;
              else silent += 1;
              if (each.concerns?.(input) === false) assert.equal(each(input), null, JSON.stringify(input));
            }
          }
        }
      }
    }
    assert.ok(silent > 100 && spoke > 50, `${silent} ${spoke}`);
  });
});

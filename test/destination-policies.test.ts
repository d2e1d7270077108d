// Destination policies: where requests and network tools may go, in every spelling of a host that is meant to lead around them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canonicalHost, contains, parseAddress, parseCidr } from '#src/rules/address.ts';
import { compileRules } from '#src/rules/compile.ts';
import type { Destination, GateInput } from '#src/rules/gate.ts';
import { compilePolicies } from '#src/rules/policy-set.ts';
import { parseRules } from '#src/rules/rules.ts';
import { toolCall } from './harness/governance.ts';

const everywhere = { projectId: null, environmentId: null, agentId: null, teamId: null, tag: null, tool: null };
const out = { id: 'id', name: 'out', version: 1, kind: 'destination', mode: 'enforce', priority: 1, scope: everywhere } as const;
const judge = (...rules: unknown[]) => {
  const parsed = parseRules('destination', rules);
  assert.deepEqual(parsed.ok ? [] : parsed.problems, []);
  return compileRules({ ...out, rules });
};
const request = (change: Partial<Destination> = {}): GateInput =>
  toolCall(
    { action: 'http.request', destination: { scheme: 'https', host: 'api.example.com', port: 443, method: 'GET', ...change } },
    { name: 'http.request' },
  );
const fetching = (args: unknown, tool: Partial<NonNullable<GateInput['tool']>> = {}): GateInput =>
  toolCall({ arguments: args }, { name: 'web.fetch', category: 'network', ...tool });
const effects = (rules: unknown[], inputs: GateInput[]) => inputs.map((input) => judge(...rules)(input)?.effect ?? null);

describe('requests', () => {
  it('a host is that host, *. every name below, * any', () => {
    const hosts = ['api.example.com', 'example.com', 'example.com.evil.test', 'a.b.example.com', 'notexample.com', 'EXAMPLE.com'];
    const to = (pattern: string) => effects([{ effect: 'deny', hosts: [pattern] }], hosts.map((host) => request({ host }))); // prettier-ignore
    assert.deepEqual(to('example.com'), [null, 'deny', null, null, null, 'deny']);
    assert.deepEqual(to('*.example.com'), ['deny', null, null, 'deny', null, null]);
    assert.deepEqual(to('*'), Array(6).fill('deny'));
  });

  it('allow rules are a list of what is allowed, deny rules win, and the reason says where it went', () => {
    const ask = judge(
      { effect: 'allow', hosts: ['*.example.com'], schemes: ['https'], methods: ['GET', 'POST'] },
      { effect: 'deny', hosts: ['admin.example.com'], message: 'the admin pages are for people.' },
    );
    assert.deepEqual(ask(request()), { effect: 'allow', reason: 'Policy "out" allows https://api.example.com.' });
    assert.deepEqual(ask(request({ host: 'admin.example.com' })), {
      effect: 'deny',
      reason: 'Policy "out" (rule 2) refuses GET https://admin.example.com: the admin pages are for people.',
    });
    assert.match(ask(request({ method: 'DELETE', port: 8443 }))!.reason, /DELETE https:\/\/api\.example\.com:8443 matches none of them/);
    assert.equal(ask(request({ scheme: 'http', port: 80 }))?.effect, 'deny');
  });

  it('ports, ranges of ports and conditions', () => {
    const rules = [{ effect: 'deny', ports: [22, '8000-8999'] }];
    assert.deepEqual(effects(rules, [22, 7999, 8000, 8999, 9000].map((port) => request({ port }))), ['deny', null, 'deny', 'deny', null]); // prettier-ignore
    const careful = [{ effect: 'deny', hosts: ['*'], when: { path: 'labels.class', equals: 'secret' }, environmentKinds: ['production'] }];
    assert.deepEqual(effects(careful, [{ ...request(), labels: { class: 'secret' } }, request(), { ...request(), labels: { class: 'secret' }, environmentKind: 'staging' }]), ['deny', null, null]); // prettier-ignore
  });

  it('ranges hold addresses in every spelling; a name is in none', () => {
    const rules = [{ effect: 'deny', addresses: ['10.0.0.0/8', '169.254.169.254', 'fd00::/8'] }];
    for (const host of [
      '10.1.2.3',
      '167838211',
      '0x0a010203',
      '012.1.2.3',
      '10.1.515',
      '::ffff:10.1.2.3',
      '::ffff:a01:203',
      '169.254.169.254',
      '2852039166',
      'fd00:ec2::254',
      '10.1.2.3.',
    ]) {
      assert.deepEqual(effects(rules, [request({ host })]), ['deny'], host);
    }
    for (const host of ['11.1.2.3', 'ten.example.com', '10.example.com', '::a01:203', 'fe80::1']) {
      assert.deepEqual(effects(rules, [request({ host })]), [null], host);
    }
  });

  it('a host that is an address is matched by its pattern in every spelling', () => {
    const rules = [{ effect: 'deny', hosts: ['127.0.0.1', '[::1]'] }];
    for (const host of ['127.0.0.1', '2130706433', '0177.0.0.1', '127.1', '::ffff:127.0.0.1', '0:0:0:0:0:0:0:1', '::1']) {
      assert.deepEqual(effects(rules, [request({ host })]), ['deny'], host);
    }
  });

  it('names of other scripts are compared as they are resolved, final dots and case aside', () => {
    const rules = [{ effect: 'allow', hosts: ['bücher.example', '*.straße.example'] }];
    for (const host of ['bücher.example', 'xn--bcher-kva.example', 'BÜCHER.example', 'bücher.example.', 'a.straße.example']) {
      assert.deepEqual(effects(rules, [request({ host })]), ['allow'], host);
    }
    // A Cyrillic "а" is another name.
    assert.deepEqual(effects([{ effect: 'allow', hosts: ['apple.example'] }], [request({ host: '\u0430pple.example' })]), ['deny']);
    // Full width and ideographic dots lead to the plain name.
    assert.deepEqual(effects([{ effect: 'deny', hosts: ['evil.example'] }], [request({ host: 'ｅｖｉｌ。example' })]), ['deny']);
  });

  it('says nothing of starts, outputs and tools that do not leave', () => {
    const rules = [{ effect: 'allow', hosts: ['api.example.com'] }];
    const start = toolCall({ action: 'execution.start', tool: null, arguments: { url: 'https://evil.test' } });
    const output = { ...request({ host: 'evil.test' }), action: 'output.deliver' as const };
    const file = toolCall({ arguments: { content: 'https://evil.test' } }, { category: 'file_operation' });
    assert.deepEqual(effects(rules, [start, output, file]), [null, null, null]);
  });
});

describe("tools of a tenant's own server", () => {
  const server = { scheme: 'https', host: 'mcp.partner.example', port: 443 } as const;
  const called = (change: Partial<GateInput['tool'] & {}> = {}, args: unknown = {}) => toolCall({ arguments: args }, { server, ...change });
  const allowed = [{ effect: 'allow', hosts: ['*.partner.example'], ports: [443], methods: ['POST'] }];

  it('go to that server, whatever their category', () => {
    assert.deepEqual(
      effects(allowed, [called(), called({ server: { ...server, port: 8443 } }), called({ server: { ...server, host: '192.0.2.1' } })]),
      ['allow', 'deny', 'deny'],
    );
    const opinion = judge({ effect: 'deny', hosts: ['mcp.partner.example'] })(called());
    assert.equal(opinion?.reason, 'Policy "out" (rule 1) refuses POST https://mcp.partner.example.');
  });

  it('and where the URLs in their arguments lead, if they are network tools', () => {
    const url = 'https://evil.test/';
    assert.deepEqual(effects(allowed, [called({ category: 'network' }, { url }), called({ category: 'data' }, { url })]), [
      'deny',
      'allow',
    ]);
  });

  it('are remembered apart by where it stands', () => {
    const set = compilePolicies([{ ...out, rules: [{ effect: 'deny', hosts: ['mcp.partner.example'], ports: [443] }] }]);
    const count = (input: GateInput) => set.findingsOn(input).length;
    assert.deepEqual([toolCall(), called(), called({ server: { ...server, port: 444 } }), toolCall()].map(count), [0, 1, 0, 0]);
  });
});

describe('network tools', () => {
  const allowed = [{ effect: 'allow', hosts: ['api.example.com'], schemes: ['https'], ports: [443] }];
  it('go where the URLs in their arguments lead, however these are written', () => {
    for (const url of [
      'https://api.example.com/a?b=c#d',
      ' HTTPS://API.EXAMPLE.COM/ ',
      'https://user:secret@api.example.com/',
      'https:api.example.com',
      'https://api.example.com.',
    ]) {
      assert.deepEqual(effects(allowed, [fetching({ url })]), ['allow'], url);
    }
    for (const url of [
      'https://api.example.com@evil.test/',
      'https://evil.test#api.example.com',
      'https://evil.test\\api.example.com',
      'https:\\\\evil.test',
      'http://api.example.com/',
      'https://api.example.com:8443/',
      'ftp://api.example.com/',
      'ws://evil.test',
      'ht\ntps://evil.test',
      '\u0001https://evil.test',
      'https://evil。test',
      'https://api.example.com.evil.test',
      'https://2130706433/',
    ]) {
      assert.deepEqual(effects(allowed, [fetching({ url })]), ['deny'], JSON.stringify(url));
    }
  });

  it('hosts without a scheme count where a URL is meant, and nowhere else', () => {
    for (const args of [
      { url: 'evil.test/path' },
      { host: 'evil.test' },
      { Endpoint: '//evil.test' },
      { server: 'evil.test:8080' },
      { urls: [], url: ['evil.test'] },
    ]) {
      assert.deepEqual(effects(allowed, [fetching(args)]), ['deny'], JSON.stringify(args));
    }
    assert.deepEqual(effects(allowed, [fetching({ url: 'api.example.com/x' }), fetching({ query: 'evil.test', text: 'note: see evil.test' })]), ['allow', null]); // prettier-ignore
  });

  it('every URL has to pass, wherever it stands', () => {
    const urls = ['https://api.example.com/1', 'https://evil.test/2'];
    assert.deepEqual(effects(allowed, [fetching({ batch: [{ to: urls[0] }, { deep: { to: urls[1] } }] }), fetching({ batch: [{ to: urls[0] }] })]), ['deny', 'allow']); // prettier-ignore
  });

  it('take their method from an argument; unknown, it counts as one that writes', () => {
    const rules = [{ effect: 'allow', hosts: ['*'], methods: ['GET'] }];
    const url = 'https://api.example.com';
    assert.deepEqual(effects(rules, [fetching({ url, method: 'get' }), fetching({ url }), fetching({ url, method: 7 })]), ['allow', 'deny', 'deny']); // prettier-ignore
  });

  it('with more URLs than can be looked at, or deeper, the policy fails instead of passing them', () => {
    const many = (count: number) => fetching({ urls: Array(count).fill('https://api.example.com') });
    assert.deepEqual(effects(allowed, [many(200)]), ['allow']);
    assert.throws(() => judge(...allowed)(many(201)), /more than 200 URLs/);
    const deep = Array.from({ length: 31 }).reduce<unknown>((inner) => ({ inner }), 'https://evil.test');
    assert.throws(() => judge(...allowed)(fetching(deep)), /nested deeper than 30 levels/);
  });

  it('custom tools over HTTP count as well', () => {
    assert.deepEqual(effects(allowed, [fetching({ url: 'https://evil.test' }, { category: 'general', source: 'http' })]), ['deny']);
  });
});

describe('hosts and ranges', () => {
  it('have one spelling each, and what is no host has none', () => {
    assert.equal(canonicalHost('API.Example.com.'), 'api.example.com');
    assert.equal(canonicalHost('[2001:DB8::0001]'), '2001:db8::1');
    assert.equal(canonicalHost('::ffff:192.0.2.1'), '192.0.2.1');
    for (const host of ['', '.', 'a b', 'a/b', 'user@host', 'host:80', '256.1.1.1', '1.2.3.4.5', 'exa%mple', 'a\\b']) {
      assert.equal(canonicalHost(host), null, host);
    }
  });

  it('ranges of IPv4 and IPv6 hold their first and last address, and not those beside', () => {
    const within = (range: string, address: string) => contains(parseCidr(range)!, parseAddress(address)!);
    for (const [range, inside, outside] of [
      ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255'], ['9.255.255.255', '11.0.0.0', '::1']],
      ['192.0.2.7', ['192.0.2.7'], ['192.0.2.6', '192.0.2.8']],
      ['0.0.0.0/0', ['0.0.0.0', '255.255.255.255'], ['::1']],
      ['2001:db8::/33', ['2001:db8::', '2001:db8:7fff:ffff::'], ['2001:db8:8000::']],
      ['::ffff:10.0.0.0/104', ['10.9.9.9'], ['11.0.0.0']],
    ] as const) {
      for (const address of inside) assert.equal(within(range, address), true, `${address} in ${range}`);
      for (const address of outside) assert.equal(within(range, address), false, `${address} not in ${range}`);
    }
    for (const range of [
      '10.0.0.0/33',
      '10.0.0/8',
      '10.0.0.0/-1',
      '2001:db8::/129',
      'example.com/8',
      '10.0.0.0/8/8',
      '10.0.0.0/',
      '010.0.0.0/8',
    ])
      assert.equal(parseCidr(range), null, range);
  });

  it('rules that are wrong are refused with every problem', () => {
    const parsed = parseRules('destination', [
      { effect: 'deny', hosts: ['https://example.com', 'exa*mple.com', 'host:80', '*.*.com', ''] },
      { effect: 'allow', addresses: ['10.0.0.0/33'], ports: [0, 65_536, '9-8', 'ssh'], schemes: ['ftp'], methods: ['get'] },
      { effect: 'deny', hosts: [] },
    ]);
    assert.ok(!parsed.ok);
    const places = parsed.problems.map(({ path }) => path);
    assert.deepEqual(places, [
      ...[0, 1, 2, 3, 4].map((index) => `rules[0].hosts[${index}]`),
      'rules[1].addresses[0]',
      ...[0, 1, 2, 3].map((index) => `rules[1].ports[${index}]`),
      'rules[1].schemes[0]',
      'rules[1].methods[0]',
      'rules[2].hosts',
    ]);
    assert.match(parsed.problems[0]!.message, /must be a host such as api\.example\.com, \*\.example\.com .* no scheme, port or path/);
  });
});

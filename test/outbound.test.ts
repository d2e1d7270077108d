// The outbound guard against server-side request forgery: what it refuses, before anything is sent, with real servers that count what arrives.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAllowList, refusedRange } from '#src/outbound/addresses.ts';
import type { Resolve } from '#src/outbound/connector.ts';
import { createOutbound } from '#src/outbound/guard.ts';
import type { OutboundFailure, OutboundRequest, OutboundResult } from '#src/outbound/outbound.ts';
import { foreignServer, testCertificate, type Answer } from '#test/harness/foreign-server.ts';

const asked = { method: 'GET', timeoutMs: 5_000, maxBytes: 10_000 } as const satisfies Partial<OutboundRequest>;

const noName: Resolve = async (name) => {
  throw Object.assign(new Error(name), { code: 'ENOTFOUND' });
};

/** Answers by name; `answers` may change between two questions. Counts the questions. */
function resolver(answers: Record<string, readonly string[]>) {
  const questions: string[] = [];
  const resolve: Resolve = async (name, how, signal) => {
    questions.push(`${name} ${how}`);
    return answers[name] ?? noName(name, how, signal);
  };
  return { resolve, questions };
}

const ok: Answer = (_request, response) => void response.end('reached');

function failed(result: OutboundResult): OutboundFailure {
  assert.equal(result.ok, false, 'the request should have failed');
  return result;
}

function succeeded(result: OutboundResult): { status: number; text: string; url: string } {
  assert.ok(result.ok, JSON.stringify(result));
  return { status: result.status, text: Buffer.from(result.body).toString(), url: result.url };
}

test('every address that is not public is refused, and named by its kind', () => {
  const refused: Record<string, readonly string[]> = {
    loopback: ['127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '64:ff9b::127.0.0.1'],
    private: [
      '10.0.0.1',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      'fc00::1',
      'fd12:3456::1',
      'fec0::1',
      '::ffff:10.0.0.1',
      '64:ff9b::a00:1',
    ],
    'link-local': ['169.254.1.1', 'fe80::1', '::ffff:169.254.7.7'],
    'carrier-grade NAT': ['100.64.0.1', '100.127.255.255'],
    multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1'],
    broadcast: ['255.255.255.255'],
    unspecified: ['0.0.0.0', '0.1.2.3', '::'],
    'cloud metadata': [
      '169.254.169.254',
      '168.63.129.16',
      '100.100.100.200',
      'fd00:ec2::254',
      'fd00:0ec2:0:0::254',
      'fd20:ce::254',
      '::ffff:a9fe:a9fe',
      '64:ff9b::a9fe:a9fe',
    ],
    '6to4': ['2002:7f00:1::', '2002:a00:1::1', '2002:808:808::1'],
    Teredo: ['2001::1', '2001:0:7f00:1::'],
    // Documentation, benchmarks, future use, relays, IPv4-compatible and -translated, local NAT64, ORCHID, discard, outside of 2000::/3.
    reserved: [
      '192.0.2.1',
      '198.51.100.1',
      '203.0.113.1',
      '198.18.0.1',
      '192.0.0.1',
      '192.88.99.1',
      '240.0.0.1',
      '192.52.193.1',
      '2001:db8::1',
      '2001:2::1',
      '3fff::1',
      '::127.0.0.1',
      '::ffff:0:127.0.0.1',
      '64:ff9b:1::1',
      '2001:20::1',
      '100::1',
      '4000::1',
      '5f00::1',
    ],
    'no address': ['', 'localhost', '127.1', '0x7f000001', '2130706433', '0177.0.0.1', 'fe80::1%eth0', '1.2.3.4.5', '127.0.0.1 '],
  };
  for (const [kind, addresses] of Object.entries(refused))
    for (const address of addresses) assert.equal(refusedRange(address), kind, address);
  for (const address of [
    '8.8.8.8',
    '1.1.1.1',
    '172.15.255.255',
    '172.32.0.1',
    '100.63.255.255',
    '100.128.0.1',
    '11.0.0.1',
    '2606:4700::1111',
    '2a00:1450::1',
    '64:ff9b::808:808',
    '::ffff:8.8.8.8',
  ]) {
    assert.equal(refusedRange(address), null, address);
  }
});

test('the operator opens networks, addresses, ports and names; credentials of the machine only by their full address', () => {
  const allow = createAllowList([
    '10.1.0.0/16',
    '127.0.0.1:9000',
    '[::1]:9000',
    'Intern.Example:8443',
    '169.254.0.0/16',
    'fd00::/8',
    '0.0.0.0/0',
  ]);
  const some = createAllowList(['10.1.0.0/16', '127.0.0.1:9000', '[::1]:9000', 'Intern.Example:8443', '169.254.0.0/16']);
  assert.deepEqual(
    [some.allowsAddress('10.1.2.3', 1), some.allowsAddress('::ffff:10.1.2.3', 1), some.allowsAddress('10.2.0.1', 1)],
    [true, true, false],
  );
  assert.deepEqual(
    [
      some.allowsAddress('127.0.0.1', 9_000),
      some.allowsAddress('127.0.0.1', 9_001),
      some.allowsAddress('::1', 9_000),
      some.allowsAddress('::1', 80),
    ],
    [true, false, true, false],
  );
  assert.deepEqual(
    [some.allowsName('intern.example', 8_443), some.allowsName('intern.example', 443), some.allowsName('x.intern.example', 8_443)],
    [true, false, false],
  );
  for (const address of ['169.254.169.254', 'fd00:ec2::254', '168.63.129.16'])
    assert.equal(allow.allowsAddress(address, 80), false, address);
  assert.equal(createAllowList(['169.254.169.254']).allowsAddress('169.254.169.254', 80), true);
  assert.equal(createAllowList(['169.254.169.254/32']).allowsAddress('169.254.169.254', 80), true);
  assert.throws(() => createAllowList(['10.0.0.0/40']), /outbound\.allow: "10\.0\.0\.0\/40" is not one of addresses and host:port/);
});

test('no spelling of this machine reaches a server on it', async (t) => {
  const server = await foreignServer(t, ok, { host: '::' });
  const { resolve } = resolver({ 'rebound.test': ['127.0.0.1'], 'six.test': ['::1'] });
  const outbound = createOutbound({ allow: [], resolve });
  const hosts = [
    ...[
      '127.0.0.1',
      '127.0.0.1.',
      '127.1',
      '127.0.1',
      '0x7f.1',
      '0x7f000001',
      '0X7F.0x0.0x0.0x1',
      '2130706433',
      '017700000001',
      '0177.0.0.1',
      '0177.0x0.1',
      '0',
      '0.0.0.0',
    ],
    ...['127。0。0。1', '１２７.0.0.1', '①②⑦.⓪.⓪.①', '%31%32%37.0.0.1', '127%2e0%2e0%2e1'],
    ...[
      '[::1]',
      '[0:0:0:0:0:0:0:1]',
      '[::]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[0:0:0:0:0:ffff:7f00:0001]',
      '[::127.0.0.1]',
      '[64:ff9b::7f00:1]',
      '[2002:7f00:1::]',
      '[::ffff:0:7f00:1]',
    ],
    ...['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', 'ｌocalhost', 'rebound.test', 'RebounD.test.', 'six.test'],
  ];
  for (const host of hosts) {
    const result = failed(await outbound.fetch({ ...asked, url: `http://${host}:${server.port}/` }));
    assert.deepEqual([result.code, result.dispatched, result.retryable], ['OUTBOUND_DENIED', false, false], `${host}: ${result.message}`);
    assert.match(result.message, /is refused|that is refused/);
  }
  assert.equal(server.connections, 0);
});

test('names and addresses of cloud credentials are refused, also where their network is open', async () => {
  const { resolve, questions } = resolver({ 'innocent.test': ['169.254.169.254'], 'azure.test': ['168.63.129.16'] });
  const outbound = createOutbound({ allow: ['0.0.0.0/0', '::/0'], resolve });
  for (const host of [
    '169.254.169.254',
    '2852039166',
    '0xa9fea9fe',
    '[fd00:ec2::254]',
    '[::ffff:169.254.169.254]',
    'innocent.test',
    'azure.test',
  ]) {
    const { code, message } = failed(await outbound.fetch({ ...asked, url: `http://${host}/latest/meta-data/` }));
    assert.deepEqual([code, /cloud metadata/.test(message)], ['OUTBOUND_DENIED', true], `${host}: ${message}`);
  }
  for (const host of ['metadata.google.internal', 'METADATA.google.internal.', 'metadata', 'instance-data']) {
    const { code, message } = failed(await outbound.fetch({ ...asked, url: `http://${host}/computeMetadata/v1/` }));
    assert.deepEqual([code, /the name .* is refused/.test(message)], ['OUTBOUND_DENIED', true], host);
  }
  assert.deepEqual(questions, ['innocent.test public', 'azure.test public'], 'refused names are not even resolved');
});

test('a URL is http or https, absolute, without user, password or control characters', async () => {
  const outbound = createOutbound({ allow: [], resolve: noName });
  const urls = [
    ...[
      '',
      'example.com',
      '/path',
      '//example.com',
      'http://',
      'https://:80',
      'http://a b.test/',
      'http://[::1',
      'http://1.2.3.4.5.6:99999/',
    ],
    ...[
      'ftp://example.com/',
      'file:///etc/passwd',
      'gopher://example.com/',
      'data:text/plain,x',
      'javascript:1',
      'ws://example.com',
      'unix:/var/run/docker.sock',
      'blob:http://example.com/x',
    ],
    ...[
      'http://user@example.com/',
      'http://user:secret@example.com/',
      'http://:secret@example.com/',
      'http://example.com%20@127.0.0.1/',
      'https://a@b@c/',
    ],
    ...[
      'http://example.com/\r\nX: y',
      'http://example.com/\n',
      'http://exa\tmple.com/',
      '\u0000http://example.com/',
      'http://example.com/\u007f',
      'http://example.com/\u0085',
    ],
    `http://example.com/${'a'.repeat(8_192)}`,
  ];
  for (const url of urls) {
    const { code, message, dispatched } = failed(await outbound.fetch({ ...asked, url }));
    assert.deepEqual([code, dispatched], ['INVALID_URL', false], `${url}: ${message}`);
    assert.doesNotMatch(message, /secret/);
  }
  for (const port of [22, 25, 6_379 - 379, 6_667]) {
    const { code } = failed(await outbound.fetch({ ...asked, url: `http://8.8.8.8:${port}/` }));
    assert.equal(code, 'OUTBOUND_DENIED', `port ${port} belongs to another protocol`);
  }
});

test('methods and headers that could smuggle or impersonate are refused before anything is sent', async (t) => {
  const server = await foreignServer(t, ok);
  const outbound = createOutbound({ allow: [`127.0.0.1:${server.port}`], resolve: noName });
  const url = `${server.origin}/`;
  for (const method of ['CONNECT', 'TRACE', 'get', 'GET /', 'GET\r\n', '', 'PROPFIND']) {
    const { code, message } = failed(await outbound.fetch({ ...asked, url, method }));
    assert.deepEqual([code, /is not one of GET, HEAD/.test(message)], ['INVALID_REQUEST', true], method);
  }
  const wrong: Record<string, string>[] = [
    ...['a\r\nX-Injected: 1', 'a\nb', 'a\rb', 'a\u0000b', 'a\u007f', 'a\u0085', '\u{1f600}', 'ā'].map((value) => ({ 'x-value': value })),
    ...['', 'a b', 'a:b', 'a\r\nb', 'ä', 'a\u0000'].map((name) => ({ [name]: 'x' })),
    ...[
      'Host',
      'host',
      'Content-Length',
      'Transfer-Encoding',
      'Connection',
      'Upgrade',
      'Proxy-Authorization',
      'TE',
      'Expect',
      'Keep-Alive',
      'Trailer',
    ].map((name) => ({ [name]: 'x' })),
    { 'X-Twice': '1', 'x-twice': '2' },
    { 'x-large': 'a'.repeat(16_384) },
    Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`x-${index}`, ''])),
  ];
  for (const headers of wrong) {
    const { code, message } = failed(await outbound.fetch({ ...asked, url, headers }));
    assert.equal(code, 'INVALID_REQUEST', message);
    assert.match(message, /^headers: /);
  }
  assert.equal(failed(await outbound.fetch({ ...asked, url, body: 'x' })).message, 'body: a GET request has none');
  assert.equal(server.connections, 0);

  const headers = { Authorization: 'Bearer t', 'X-Latin': 'é', 'x-tab': 'a\tb', __proto__x: '1', 'Content-Type': 'text/plain' };
  succeeded(await outbound.fetch({ ...asked, url, method: 'PUT', headers, body: 'content' }));
  const [request] = server.requests;
  assert.deepEqual(
    [request?.method, request?.body, request?.headers['authorization'], request?.headers['x-latin']],
    ['PUT', 'content', 'Bearer t', 'é'],
  );
  assert.deepEqual([request?.headers['host'], request?.headers['user-agent']], [`127.0.0.1:${server.port}`, 'signalbox']);
});

test('a name is refused when any of its addresses is, and the message does not say which', async (t) => {
  const server = await foreignServer(t, ok);
  const names = {
    'mixed.test': ['127.0.0.1', '10.9.8.7'],
    'mixed-six.test': ['127.0.0.1', 'fd00::9'],
    'mapped.test': ['127.0.0.1', '::ffff:10.9.8.7'],
    'broken.test': ['127.0.0.1', 'not an address'],
    'fine.test': ['127.0.0.1', '127.0.0.1'],
  };
  const { resolve } = resolver(names);
  const outbound = createOutbound({ allow: ['127.0.0.1/32'], resolve });
  for (const name of ['mixed.test', 'mixed-six.test', 'mapped.test', 'broken.test']) {
    const { code, message } = failed(await outbound.fetch({ ...asked, url: `http://${name}:${server.port}/` }));
    assert.equal(code, 'OUTBOUND_DENIED', name);
    assert.doesNotMatch(message, /10\.9|fd00/);
    assert.match(message, new RegExp(`outbound\\.allow: ${name}:${server.port}`));
  }
  assert.equal(server.connections, 0);
  assert.equal(succeeded(await outbound.fetch({ ...asked, url: `http://fine.test:${server.port}/` })).text, 'reached');
});

test('a name is resolved once per connection and only the checked address is connected to: an answer that changes is not used', async (t) => {
  const server = await foreignServer(t, ok);
  const answers: Record<string, readonly string[]> = {};
  const questions: string[] = [];
  // The attacker's name server: fine when checked, private when asked again; ".test" exists nowhere else, so nobody else can have resolved it.
  const resolve: Resolve = async (name) => {
    questions.push(name);
    const answer = answers[name] ?? ['127.0.0.1'];
    answers[name] = ['10.0.0.1'];
    return answer;
  };
  const outbound = createOutbound({ allow: ['127.0.0.1/32'], resolve });
  const url = `http://rebinding.test:${server.port}/`;
  assert.equal(succeeded(await outbound.fetch({ ...asked, url })).text, 'reached');
  assert.deepEqual(questions, ['rebinding.test']);
  assert.equal(server.requests[0]?.headers['host'], `rebinding.test:${server.port}`);
  assert.equal(failed(await outbound.fetch({ ...asked, url })).code, 'OUTBOUND_DENIED', 'the second request sees the second answer');
  assert.deepEqual(questions, ['rebinding.test', 'rebinding.test']);
  assert.equal(server.connections, 1);
});

test('a name that the operator opened may lead anywhere, at its port only', async (t) => {
  const server = await foreignServer(t, ok);
  const { resolve, questions } = resolver({ 'intern.test': ['127.0.0.1'] });
  const outbound = createOutbound({ allow: [`intern.test:${server.port}`, `localhost:${server.port}`], resolve });
  assert.equal(succeeded(await outbound.fetch({ ...asked, url: `http://INTERN.test.:${server.port}/` })).text, 'reached');
  assert.deepEqual(questions, ['intern.test system'], 'resolved as the operating system does');
  assert.equal(failed(await outbound.fetch({ ...asked, url: 'http://intern.test/' })).code, 'OUTBOUND_DENIED');
  assert.equal(
    failed(await outbound.fetch({ ...asked, url: `${server.origin}/` })).code,
    'OUTBOUND_DENIED',
    'the name is open, its address is not',
  );
  const own = createOutbound({ allow: [`localhost:${server.port}`] });
  assert.equal(succeeded(await own.fetch({ ...asked, url: `http://localhost:${server.port}/` })).text, 'reached');
});

test('TLS verifies the name, not the address that was pinned', async (t) => {
  const server = await foreignServer(t, ok, { tls: true });
  const { resolve } = resolver({ 'pinned.test': ['127.0.0.1'], 'other.test': ['127.0.0.1'] });
  const allow = ['127.0.0.1/32'];
  const outbound = createOutbound({ allow, resolve, ca: testCertificate });
  assert.equal(succeeded(await outbound.fetch({ ...asked, url: `https://pinned.test:${server.port}/` })).text, 'reached');
  for (const host of ['other.test', '127.0.0.1']) {
    const result = failed(await outbound.fetch({ ...asked, url: `https://${host}:${server.port}/` }));
    assert.deepEqual([result.code, result.dispatched, result.retryable], ['OUTBOUND_UNREACHABLE', false, false]);
    assert.match(result.message, /^the certificate of .* is not valid for it \(ERR_TLS_CERT_ALTNAME_INVALID\)$/);
  }
  const stranger = failed(await createOutbound({ allow, resolve }).fetch({ ...asked, url: `https://pinned.test:${server.port}/` }));
  assert.match(stranger.message, /DEPTH_ZERO_SELF_SIGNED_CERT/);
  assert.equal(server.requests.length, 1);
});

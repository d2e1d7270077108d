// Names of the outbound guard through a real name server: both kinds of addresses are asked for, and each one counts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createResolve } from '#src/outbound/connector.ts';
import { createOutbound } from '#src/outbound/guard.ts';
import type { OutboundRequest } from '#src/outbound/outbound.ts';
import { foreignServer } from '#test/harness/foreign-server.ts';
import { nameServer } from '#test/harness/name-server.ts';

const asked = { method: 'GET', timeoutMs: 5_000, maxBytes: 10_000 } as const satisfies Partial<OutboundRequest>;

test('all addresses of a name are judged, of both kinds; one that is refused refuses the name', async (t) => {
  const server = await foreignServer(t, (_request, response) => void response.end('reached'));
  const names = await nameServer(t, {
    'four.test': ['127.0.0.1'],
    'both.test': ['127.0.0.1', '10.0.0.1'],
    'six.test': ['127.0.0.1', 'fd00::1'],
    'mapped.test': ['::ffff:a00:1'],
    'metadata.test': ['169.254.169.254'],
    'credentials.test': ['fd00:ec2::254'],
    'compatible.test': ['127.0.0.1', '::7f00:1'],
    'public.test': ['::808:808'],
    'empty.test': [],
    'localhost.test': ['127.0.0.1', '::1'],
  });
  const outbound = createOutbound({ allow: [`127.0.0.1:${server.port}`], resolve: createResolve({ servers: [names.address] }) });
  const fetch = (name: string) => outbound.fetch({ ...asked, url: `http://${name}:${server.port}/` });
  const expected: [name: string, code: string, message: RegExp][] = [
    ['both.test', 'OUTBOUND_DENIED', /\(private\)/],
    ['six.test', 'OUTBOUND_DENIED', /\(private\)/],
    ['mapped.test', 'OUTBOUND_DENIED', /\(private\)/],
    ['metadata.test', 'OUTBOUND_DENIED', /\(cloud metadata\)/],
    ['credentials.test', 'OUTBOUND_DENIED', /\(cloud metadata\)/],
    ['compatible.test', 'OUTBOUND_DENIED', /\(reserved\)/],
    ['public.test', 'OUTBOUND_DENIED', /\(reserved\)/],
    ['localhost.test', 'OUTBOUND_DENIED', /\(loopback\)/],
    ['empty.test', 'OUTBOUND_UNREACHABLE', /could not find the address of empty\.test \(ENODATA\)/],
    ['nowhere.test', 'OUTBOUND_UNREACHABLE', /could not find the address of nowhere\.test \(ENOTFOUND\)/],
  ];
  for (const [name, code, message] of expected) {
    const result = await fetch(name);
    assert.ok(!result.ok, name);
    assert.deepEqual([result.code, result.dispatched], [code, false], `${name}: ${result.message}`);
    assert.match(result.message, message);
  }
  assert.equal(server.connections, 0);
  const before = names.questions.length;
  assert.equal((await fetch('FOUR.test')).ok, true);
  assert.deepEqual(names.questions.slice(before).toSorted(), ['A four.test', 'AAAA four.test'], 'asked once for each kind');
});

test('a name server that is silent ends with the request, and a second request does not wait for the first', async (t) => {
  const server = await foreignServer(t, (_request, response) => void response.end('reached'));
  const names = await nameServer(t, { 'slow.test': 'silence', 'four.test': ['127.0.0.1'] });
  const outbound = createOutbound({ allow: ['127.0.0.1/32'], resolve: createResolve({ servers: [names.address] }) });
  // More than the operating system's resolver could do at once.
  const slow = Array.from({ length: 20 }, () => outbound.fetch({ ...asked, url: 'http://slow.test/', timeoutMs: 600 }));
  const quick = await outbound.fetch({ ...asked, url: `http://four.test:${server.port}/`, timeoutMs: 500 });
  assert.equal(quick.ok, true);
  for (const result of await Promise.all(slow))
    assert.deepEqual([!result.ok && result.code, !result.ok && result.retryable], ['OUTBOUND_TIMEOUT', true]);
});

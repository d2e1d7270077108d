// Whose address a request counts for and is recorded with, behind proxies that are trusted and that are not.
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { addressOf } from '#gateway/admission.ts';
import { originOf } from '#gateway/origin.ts';
import { believeProxies } from '#gateway/peer.ts';
import { ConfigError, loadConfig } from '#src/config.ts';

/** What a gateway takes for the address of a request from loopback with this header. */
async function seen(trusted: readonly string[], forwarded?: string): Promise<{ address: string; origin: string | null }> {
  const server = createServer((request: IncomingMessage, response) => {
    response.end(JSON.stringify({ address: addressOf(request), origin: originOf(request).address }));
  });
  believeProxies(server, trusted);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const headers = new Headers(forwarded === undefined ? [] : [['x-forwarded-for', forwarded]]);
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { headers });
    return (await answer.json()) as { address: string; origin: string | null };
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

test('a header of somebody who is no trusted proxy is not believed', async () => {
  const own = { address: '127.0.0.1', origin: '127.0.0.1' };
  assert.deepEqual(await seen([], '192.0.2.7'), own);
  assert.deepEqual(await seen(['10.0.0.0/8', '::1'], '192.0.2.7'), own);
});

test('of a trusted proxy the last address counts that is no trusted proxy’s, whatever the client wrote before it', async () => {
  const trusted = ['127.0.0.0/8', '10.1.2.3'];
  const of = async (forwarded?: string) => (await seen(trusted, forwarded)).origin;
  assert.equal(await of('192.0.2.7'), '192.0.2.7');
  assert.equal(await of('198.51.100.1, 192.0.2.7'), '192.0.2.7', 'the client made the first one up');
  assert.equal(await of('192.0.2.7, 10.1.2.3'), '192.0.2.7', 'two proxies');
  assert.equal(await of('192.0.2.7, nonsense'), '127.0.0.1', 'what is no address ends it');
  assert.equal(await of(), '127.0.0.1');
  assert.equal((await seen(trusted, '2001:db8:1:2:3:4:5:6')).address, (await seen(trusted, '2001:db8:1:2::1')).address);
});

test('trusted proxies are addresses and networks', () => {
  const load = (text: string) => loadConfig({ env: { SIGNALBOX_HTTP_TRUSTED_PROXIES: text } }).http.trustedProxies;
  assert.deepEqual(load('10.1.0.0/16, ::1'), ['10.1.0.0/16', '::1']);
  assert.throws(
    () => load('haproxy'),
    (error: Error) => error instanceof ConfigError && /TRUSTED_PROXIES.*an address or network/.test(error.message),
  );
});

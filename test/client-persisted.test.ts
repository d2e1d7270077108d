// The typed client by hashes: against gateways that know its operations from its manifest, and against those that do not.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  createSignalboxClient,
  operationsManifest,
  SignalboxClientError,
  type SignalboxClientOptions,
  type TypedDocument,
} from '#client/index.ts';
import { hashOf } from '#gateway/documents.ts';
import { readManifests } from '#gateway/manifest.ts';
import { toGlobalId } from '#schema/ids.ts';
import { testServer, type TestServer } from '#test/harness/graphql.ts';

let strict: TestServer;
let open: TestServer;
before(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'signalbox-manifest-'));
  const path = join(folder, 'operations.json');
  await writeFile(path, JSON.stringify(await operationsManifest()));
  strict = await testServer({ operations: { registered: await readManifests([path]), onlyRegistered: true } });
  open = await testServer();
  await rm(folder, { recursive: true });
});
after(async () => {
  await strict.close();
  await open.close();
});

/** A client, and what it sends: `hash`, `text` or both, of each request and each subscription. */
function clientOf(server: TestServer, options: Partial<SignalboxClientOptions> = {}) {
  const sent: string[] = [];
  const note = (text: string) => {
    const { query, extensions } = JSON.parse(text) as { query?: string; extensions?: object };
    sent.push([extensions && 'hash', query && 'text'].filter(Boolean).join(' and '));
  };
  class Noting extends WebSocket {
    override send(message: string) {
      const { type, payload } = JSON.parse(message) as { type: string; payload: object };
      if (type === 'subscribe') note(JSON.stringify(payload));
      super.send(message);
    }
  }
  const client = createSignalboxClient({
    url: server.url,
    apiKey: server.people.operator.adminKey,
    webSocketImpl: Noting,
    fetch: (input, init) => {
      note(String(init!.body));
      return fetch(input, init);
    },
    ...options,
  });
  return { client, sent };
}

test('a gateway of registered operations answers the client, by text or by hash, and nothing of others', async () => {
  for (const [persisted, how] of [
    [false, 'text'],
    [true, 'hash'],
  ] as const) {
    // prettier-ignore
    const { client, sent } = clientOf(strict, { persisted });
    assert.equal((await client.viewer()).tenant.id, toGlobalId('Tenant', strict.people.operator.tenantId));
    const { project } = await client.createProject({ input: { name: `by-${how}` } });
    assert.equal(project.name, `by-${how}`);
    const events = client.tenantEvents({});
    assert.equal((await events.next()).value!.caughtUp, true);
    assert.deepEqual(sent, [how, how, how]);
    const own = '{ __typename }' as unknown as TypedDocument<object, object>;
    await assert.rejects(client.request(own), (error) => error instanceof SignalboxClientError && error.code === 'QUERY_NOT_IN_SAFELIST');
    await client.close();
  }
});

test('a manifest of documents of one’s own has their names, types and hashes', async () => {
  const body = 'subscription mine { __typename }';
  const operations = [{ id: hashOf(body), name: 'mine', type: 'subscription', body }];
  assert.deepEqual(await operationsManifest([body]), { format: 'apollo-persisted-query-manifest', version: 1, operations });
});

test('a gateway that does not know a hash is sent the text with it, once; afterwards the hash is enough', async () => {
  const { client, sent } = clientOf(open, { persisted: true });
  for (let turn = 0; turn < 2; turn++) await client.viewer();
  assert.deepEqual(sent.splice(0), ['hash', 'hash and text', 'hash']);
  for (let turn = 0; turn < 2; turn++) {
    const events = client.tenantEvents({});
    assert.equal((await events.next()).value!.caughtUp, true);
    await events.return();
  }
  assert.deepEqual(sent.splice(0), ['hash', 'hash and text', 'hash']);
  await assert.rejects(
    client.createProject({ input: { name: 'Not A Slug' } }),
    (error) => error instanceof SignalboxClientError && error.code === 'VALIDATION_FAILED',
  );
  assert.deepEqual(sent, ['hash', 'hash and text']);
  const left = client.tenantEvents({});
  await left.return();
  await client.close();
});

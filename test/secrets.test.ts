// Secrets in the database: sealed under one key, bound to their place; where the key comes from, and what a wrong one does.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createServices } from '#src/app.ts';
import { ConfigError, loadConfig } from '#src/config.ts';
import { createOutbound } from '#src/outbound/guard.ts';
import { systemClock as clock } from '#src/platform/clock.ts';
import { InvalidStateError, OperatorError } from '#src/platform/errors.ts';
import { createLogger } from '#src/platform/logger.ts';
import { createSealer, newSecretKey, parseSecretKey, SealError } from '#src/platform/sealing.ts';
import { createRemoteServers } from '#src/tools/remote-servers.ts';
import { ensureSecretKey } from '../cli/secret-key.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { httpMcp } from './harness/mcp/http-server.ts';
import { createPeople } from './harness/people.ts';

let db: TestDatabase;
let folder: string;
before(async () => {
  db = await testDatabase();
  folder = mkdtempSync(join(tmpdir(), 'signalbox-secrets-'));
});
after(async () => {
  rmSync(folder, { recursive: true });
  await db.close();
});

test('what is sealed opens with the same key at the same place only, and no two sealed texts are alike', () => {
  const sealer = createSealer(randomBytes(32));
  for (const text of ['', 'Bearer x', 'ö\u0000'.repeat(3_000)]) assert.equal(sealer.open(sealer.seal(text, 'a'), 'a'), text);
  const sealed = sealer.seal('Bearer hunter2', 'a');
  assert.doesNotMatch(Buffer.from(sealed.split('.')[2]!, 'base64url').toString('latin1'), /hunter2/);
  assert.notEqual(sealer.seal('Bearer hunter2', 'a'), sealed);
  assert.throws(() => sealer.open(sealed, 'b'), SealError);
  assert.throws(
    () => createSealer(randomBytes(32)).open(sealed, 'a'),
    /was sealed with the key [0-9a-f]{8}, and this process has the key [0-9a-f]{8}/,
  );
  const body = Buffer.from(sealed.split('.')[2]!, 'base64url');
  for (const at of [0, 12, body.length - 1]) {
    const changed = Buffer.from(body);
    changed[at]! ^= 1;
    const forged = [...sealed.split('.').slice(0, 2), changed.toString('base64url')].join('.');
    assert.throws(() => sealer.open(forged, 'a'), SealError, `byte ${at}`);
  }
  for (const broken of ['', 'v2.x.y', sealed.slice(0, 20)]) assert.throws(() => sealer.open(broken, 'a'), SealError);
  assert.throws(() => createSealer(randomBytes(16)), /a key has 32 bytes, got 16/);
});

test('the key comes from the configuration, else from the data folder, where the first start makes it', async () => {
  const key = randomBytes(32);
  for (const secretKey of [key.toString('base64'), key.toString('hex')]) {
    const config = loadConfig({ env: { SIGNALBOX_SECRET_KEY: secretKey, SIGNALBOX_DATA_DIR: join(folder, 'unused') } });
    assert.deepEqual(await ensureSecretKey(config), key);
  }
  const dataDir = join(folder, 'data');
  const keys = await Promise.all(Array.from({ length: 20 }).map(() => ensureSecretKey({ secretKey: undefined, dataDir })));
  const file = join(dataDir, 'secret-key');
  for (const each of keys) assert.deepEqual(each, parseSecretKey(readFileSync(file, 'utf8').trim()));
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(await ensureSecretKey({ secretKey: undefined, dataDir }), keys[0], 'a later start uses the same');
  writeFileSync(file, 'nonsense');
  await assert.rejects(ensureSecretKey({ secretKey: undefined, dataDir }), (error: Error) => {
    assert.ok(error instanceof OperatorError);
    return /secret-key holds no key of Signalbox/.test(error.message) && !error.message.includes('nonsense');
  });
});

test('a wrong key in the configuration is refused without being shown', () => {
  for (const secretKey of ['hunter2', 'A'.repeat(44), 'g'.repeat(64), newSecretKey().slice(1)]) {
    assert.throws(
      () => loadConfig({ env: { SIGNALBOX_SECRET_KEY: secretKey } }),
      (error: Error) =>
        error instanceof ConfigError &&
        /SIGNALBOX_SECRET_KEY: expected 32 random bytes/.test(error.message) &&
        !error.message.includes(secretKey),
    );
  }
});

test('a process with another key says which one it needs, and sends nothing', async () => {
  const server = await httpMcp({ tools: { echo: { run: ({ args }) => args } } });
  const logger = createLogger({ level: 'silent' });
  const outbound = createOutbound({ allow: [server.host] });
  const people = await createPeople(db.database);
  const { admin, write, read, tenantId } = people.operator;
  const servicesWith = (key: Buffer) =>
    createServices({ clock, database: db.database, logger, remote: { outbound, sealer: createSealer(key) } });
  const [right, wrong] = [servicesWith(randomBytes(32)), servicesWith(randomBytes(32))];
  const input = { name: 'sealed', url: server.url, headers: [{ name: 'X-Key', value: 'value' }] };
  const look = await right.remoteServers.lookAtNew(admin, input);
  const { id, version } = await write((uow) => right.remoteServers.registerToolServer(uow, admin, input, look));
  const requests = server.requests.length;
  const expected =
    /the header "X-Key" of the tool server "sealed" cannot be opened \(the value was sealed with the key \w{8}, and this process has the key \w{8}\)/;
  await assert.rejects(wrong.remoteServers.lookAgain(read, admin, id), (error: Error) => {
    assert.ok(error instanceof InvalidStateError);
    return expected.test(error.message);
  });
  const service = wrong.remoteServers;
  const runner = createRemoteServers({ database: db.database, service, outbound, clock, logger, maxOutputBytes: 1_000 });
  const outcome = await runner.call('sealed.echo', {}, { remote: { tenantId, serverId: id, version } });
  assert.ok(!outcome.ok);
  assert.deepEqual([outcome.code, outcome.dispatched], ['TOOL_SERVER_FAILED', false]);
  assert.match(outcome.message, expected);
  assert.equal(server.requests.length, requests);

  const update = { toolServerId: id, expectedVersion: version, headers: [{ name: 'X-Key', value: 'given anew' }] };
  const again = await service.lookAtUpdate(read, admin, update);
  const updated = await write((uow) => service.updateToolServer(uow, admin, update, again));
  const now = await runner.call('sealed.echo', { n: 1 }, { remote: { tenantId, serverId: id, version: updated.version } });
  assert.ok(now.ok, 'headers given anew are sealed with the key at hand');
  await runner.close();
  for (const services of [right, wrong]) services.feed.close();
  await people.authenticator.close();
  await server.stop();
});

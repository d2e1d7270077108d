// docs/limits.md as it stands, run against real gateways: operations by hash, manifests, registered ones only, and who is told the schema.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { OperationsManifest } from '#client/index.ts';
import { systemClock } from '#src/platform/clock.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { blocksOf } from './harness/manual.ts';
import { createPeople, type People } from './harness/people.ts';
import { killLeftProcesses, signalbox } from './harness/signalbox-process.ts';

const [byHash, manifest, registered, ofClient] = blocksOf('limits.md')('Persisted operations', 'sh');
const folder = mkdtempSync(join(tmpdir(), 'signalbox-operations-'));
let db: TestDatabase;
let people: People;
before(async () => {
  db = await testDatabase();
  people = await createPeople(db.database, systemClock);
  await promisify(execFile)('sh', ['-euc', manifest!], { cwd: folder });
});
after(async () => {
  await killLeftProcesses();
  await people.authenticator.close();
  await db.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A gateway with these settings, and what its clients are answered. */
async function start(name: string, settings: Record<string, string>) {
  const process = signalbox('gateway', {
    ...{ DATABASE_URL: db.ownerUrl, SIGNALBOX_HTTP_PORT: '0', SIGNALBOX_SECRET_KEY: 'ab'.repeat(32) },
    ...{ SIGNALBOX_DATA_DIR: join(folder, name), SIGNALBOX_OPERATIONS_MANIFESTS: join(folder, 'operations.json') },
    ...settings,
  });
  const [, url] = await process.says(/listens on (http:\S+):/);
  const codeOf = ({ data, errors }: any): unknown => (errors ? (errors[0].extensions?.code ?? errors[0].message) : data);
  async function answer(query: string) {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${people.operator.adminKey}` };
    return (await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) })).json();
  }
  return {
    run: async (...blocks: readonly string[]) => {
      const script = blocks.join('\n').replaceAll('http://127.0.0.1:4400', url!);
      const { stdout } = await promisify(execFile)('sh', ['-euc', script], { cwd: folder, env: { KEY: people.operator.adminKey } });
      return codeOf(JSON.parse(stdout));
    },
    ask: async (query: string) => codeOf(await answer(query)),
    complaint: async (query: string): Promise<string> => (await answer(query)).errors[0].message,
    page: async () => (await fetch(`${url}/`)).status,
  };
}

const viewer = { viewer: { __typename: 'Viewer' } };
const introspect = '{ __schema { queryType { name } } }';
const told = { __schema: { queryType: { name: 'Query' } } };

test('what the page shows works as it says, and the settings override what the mode says', async () => {
  const [allowed, silent, strict] = await Promise.all([
    start('allowed', { NODE_ENV: 'production', SIGNALBOX_OPERATIONS_INTROSPECTION: 'on' }),
    start('silent', { NODE_ENV: 'development', SIGNALBOX_OPERATIONS_INTROSPECTION: 'off' }),
    start('strict', { NODE_ENV: 'development', SIGNALBOX_OPERATIONS_ACCEPT: 'registered' }),
  ]);
  // The manifest's block sets what the one after it uses.
  for (const each of [allowed, silent, strict]) assert.deepEqual(await each.run(manifest!, registered!), viewer);
  assert.equal(await allowed.run(byHash!), 'PERSISTED_QUERY_NOT_FOUND');
  assert.equal(await strict.run(byHash!), 'QUERY_NOT_IN_SAFELIST');
  assert.deepEqual(await allowed.ask(introspect), told);
  assert.deepEqual([await silent.ask(introspect), await strict.ask(introspect)], ['GRAPHQL_VALIDATION_FAILED', 'QUERY_NOT_IN_SAFELIST']);
  assert.deepEqual([await allowed.page(), await silent.page(), await strict.page()], [404, 200, 404]);
});

test('unless told otherwise the schema is told in development, and in production neither it nor names like it', async () => {
  const [production, development] = await Promise.all([
    start('production', { NODE_ENV: 'production' }),
    start('development', { NODE_ENV: 'development' }),
  ]);
  assert.equal(await production.ask(introspect), 'GRAPHQL_VALIDATION_FAILED');
  assert.equal(await production.complaint('{ viewr { __typename } }'), 'Cannot query field "viewr" on type "Query".');
  assert.deepEqual(await development.ask(introspect), told);
  assert.match(
    await development.complaint('{ viewr { __typename } }'),
    /^Cannot query field "viewr" on type "Query"\. Did you mean "viewer"/,
  );
});

test('the manifest of the client comes from the client', async () => {
  const cwd = join(import.meta.dirname, '..');
  const [command, target] = ofClient!.trim().split(' > ');
  assert.equal(target, 'operations.json');
  const { stdout } = await promisify(execFile)('sh', ['-euc', command!], { cwd });
  const written = JSON.parse(stdout) as OperationsManifest;
  assert.equal(written.format, 'apollo-persisted-query-manifest');
  assert.ok(written.operations.some(({ name, type }) => name === 'startExecution' && type === 'mutation'));
});

test('a manifest that was not written for this server keeps it from starting', async () => {
  const gateway = signalbox('gateway', {
    ...{ DATABASE_URL: db.ownerUrl, SIGNALBOX_HTTP_PORT: '0', SIGNALBOX_SECRET_KEY: 'ab'.repeat(32) },
    ...{ SIGNALBOX_DATA_DIR: join(folder, 'wrong'), SIGNALBOX_OPERATIONS_MANIFESTS: join(folder, 'absent.json') },
  });
  await gateway.says(/absent\.json: expected a JSON file/);
});

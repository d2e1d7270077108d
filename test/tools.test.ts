// Tools as tenants see them: descriptions written by runners, acceptance by digest, arguments checked against schemas.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { pino } from 'pino';
import type { UnitOfWork } from '#src/platform/database.ts';
import { ConflictError, ForbiddenError, NotFoundError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority, Grant, Role } from '#src/authority/permission.ts';
import { createToolServers } from '#src/tools/tool-servers.ts';
import { createToolService } from '#src/tools/tool-service.ts';
import { startToolSync } from '#src/tools/tool-sync.ts';
import { describeTool, type ToolDescription } from '#src/tools/tool.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';

let db: TestDatabase;
let tenantId: string;
let now = new Date('2026-11-21T10:00:00.000Z');
const live = new Map<string, ToolDescription>();
const service = createToolService({ clock: { now: () => now }, live: (name) => live.get(name) ?? null });
const logger = pino({ level: 'silent' });

before(async () => {
  db = await testDatabase();
});
after(() => db.close());
beforeEach(async () => {
  tenantId = await newTenant();
  live.clear();
  await write((uow) => service.forgetServers(uow, []));
});

async function newTenant(): Promise<string> {
  const id = newId();
  await db.database.write(id, (uow) =>
    uow.rows(`insert into tenants (id, tenant_id, name, created_at) values ($1, $1, $2, now())`, [id, `tenant-${id}`]),
  );
  return id;
}
const write = <T>(work: (uow: UnitOfWork) => Promise<T>, tenant = tenantId) => db.database.write(tenant, work);
const read = <T>(work: (uow: UnitOfWork) => Promise<T>, tenant = tenantId) => db.database.read(tenant, work);

function authority(role: Role | null, grant: Partial<Grant> = {}): Authority {
  const grants: Grant[] = role ? [{ role, kind: 'tenant', scopeId: tenantId, ...grant }] : [];
  return { tenantId, principalId: newId(), principalName: 'someone', principalKind: 'user', isOperatorTenant: false, grants };
}
const tool = (name: string, description = 'first', extra = {}) =>
  describeTool('files', { name, description, inputSchema: { type: 'object' }, ...extra });
const sync = (...tools: ToolDescription[]) => write((uow) => service.syncDefinitions(uow, 'files', tools));
const check = (name = 'files.read', tenant = tenantId) => write((uow) => service.checkTool(uow, name), tenant);

test('descriptions are added, changed and removed as the server lists them; other servers stay', async () => {
  const other = describeTool('other', { name: 'read', inputSchema: { type: 'object' } });
  await write((uow) => service.syncDefinitions(uow, 'other', [other]));
  assert.deepEqual(await sync(tool('read'), tool('write')), { added: ['read', 'write'], changed: [], removed: [] });
  now = new Date('2026-11-21T11:00:00.000Z');
  assert.deepEqual(await sync(tool('read', 'second'), tool('copy')), { added: ['copy'], changed: ['read'], removed: ['write'] });
  assert.deepEqual(await sync(tool('read', 'second'), tool('copy')), { added: [], changed: [], removed: [] });
  const tools = await read((uow) => service.listTools(uow, authority('viewer')));
  const hours = tools.map((found) => [found.fullName, found.description, found.discoveredAt.getUTCHours(), found.changedAt.getUTCHours()]);
  assert.deepEqual(hours, [
    ['files.copy', 'first', 11, 11],
    ['files.read', 'second', 10, 11],
    ['other.read', '', 10, 10],
  ]);
  await write((uow) => service.forgetServers(uow, ['other']));
  assert.deepEqual(await read((uow) => service.missingTools(uow, ['files.read', 'other.read', 'nonsense'])), ['files.read', 'nonsense']);
});

test('two runners that write the same descriptions at once do not get in each other’s way', async () => {
  const tools = Array.from({ length: 30 }, (_, index) => tool(`tool-${index}`));
  await Promise.all([sync(...tools), sync(...tools.toReversed()), sync(...tools)]);
  assert.equal((await read((uow) => service.listTools(uow, authority('admin')))).length, 30);
});

test('the first use accepts the description; a changed one blocks until it is approved, in this tenant only', async () => {
  await sync(tool('read'));
  const second = await newTenant();
  const found = await read((uow) => service.findTool(uow, authority('viewer'), 'files.read'));
  assert.deepEqual([found!.status, found!.approvedDigest], ['unseen', null]);
  const checked = await check();
  assert.ok(checked.ok);
  assert.deepEqual(checked.definition, tool('read'));
  await check('files.read', second);

  await sync(tool('read', 'changed'));
  const refused = await check();
  assert.ok(!refused.ok);
  assert.equal(refused.code, 'TOOL_CHANGED');
  assert.match(refused.reason, new RegExp(`approve digest ${tool('read', 'changed').digest}`));
  const admin = authority('admin');
  const input = { tool: 'files.read', digest: tool('read', 'changed').digest };
  const approved = await write((uow) => service.approveTool(uow, admin, input));
  assert.deepEqual([approved.status, approved.approvedBy, approved.approvedAt], ['approved', admin.principalId, now]);
  assert.ok((await check()).ok);
  assert.ok(!(await check('files.read', second)).ok, 'the other tenant has not approved');
});

test('parallel first uses accept one description', async () => {
  await sync(tool('read'));
  const checks = await Promise.all(Array.from({ length: 5 }, () => check()));
  assert.ok(checks.every((result) => result.ok));
});

test('what a server of this process describes goes before the table', async () => {
  await sync(tool('read'));
  live.set('files.read', tool('read', 'newer'));
  const checked = await check();
  assert.ok(checked.ok);
  assert.equal(checked.definition.description, 'newer');
  live.set('files.only_here', tool('only_here'));
  assert.ok((await check('files.only_here')).ok);
  assert.deepEqual(await read((uow) => service.missingTools(uow, ['files.only_here'])), []);
});

test('a tool that nobody describes is unknown, and leaves no trace', async () => {
  for (const name of ['files.absent', 'no-dot', '', 'files.', 'x'.repeat(500)]) {
    const checked = await check(name);
    assert.ok(!checked.ok);
    assert.equal(checked.code, 'TOOL_UNKNOWN');
  }
  assert.equal((await read((uow) => uow.rows('select * from tool_approvals'))).length, 0);
});

test('approving needs tool.approve in the whole tenant, the current digest and a tool that exists', async () => {
  await sync(tool('read'));
  const { digest } = tool('read');
  const approve = (actor: Authority, input = { tool: 'files.read', digest }) => write((uow) => service.approveTool(uow, actor, input));
  for (const role of ['operator', 'reviewer', 'agent_manager', 'viewer', 'service'] as const) {
    await assert.rejects(approve(authority(role)), ForbiddenError, role);
  }
  await assert.rejects(approve(authority('admin', { kind: 'project', scopeId: newId() })), ForbiddenError);
  await assert.rejects(approve(authority(null)), NotFoundError);
  await assert.rejects(approve(authority('admin'), { tool: 'files.absent', digest }), NotFoundError);
  await assert.rejects(approve(authority('admin'), { tool: 'files.read', digest: 'f'.repeat(64) }), (error: Error) => {
    assert.ok(error instanceof ConflictError);
    assert.match(error.message, new RegExp(`current digest of files.read, which is "${digest}"`));
    return true;
  });
  assert.equal((await approve(authority('admin'))).status, 'approved');
});

test('tools are listed for everyone who may read them anywhere, filtered by each condition', async () => {
  await sync(
    tool('read', 'r', { annotations: { readOnlyHint: true } }),
    tool('write'),
    tool('put', 'p', { annotations: { destructiveHint: false } }),
  );
  await check('files.write');
  const list = async (actor: Authority, filter = {}) =>
    (await read((uow) => service.listTools(uow, actor, filter))).map(({ name }) => name);
  assert.deepEqual(await list(authority('viewer', { kind: 'environment', scopeId: newId(), projectId: newId() })), [
    'put',
    'read',
    'write',
  ]);
  assert.deepEqual(await list(authority(null)), []);
  assert.equal(await read((uow) => service.findTool(uow, authority(null), 'files.read')), null);
  assert.deepEqual(await list(authority('viewer'), { risk: 'low' }), ['read']);
  assert.deepEqual(await list(authority('viewer'), { capability: 'write' }), ['put', 'write']);
  assert.deepEqual(await list(authority('viewer'), { server: 'other' }), []);
  assert.deepEqual(await list(authority('viewer'), { status: 'approved' }), ['write']);
});

test('arguments are checked against the tool’s schema; a broken schema is reported, not ignored', () => {
  const described = tool('read', 'r', {
    inputSchema: {
      type: 'object',
      required: ['path'],
      properties: { path: { type: 'string', pattern: '^(?!/etc)' }, head: { type: 'integer' } },
    },
  });
  assert.deepEqual(service.validateArguments(described, { path: '/tmp/a' }), []);
  assert.deepEqual(
    service.validateArguments(described, { head: 'x' }).map(({ path, message }) => `${path} ${message}`),
    ['path is required', 'head must be a whole number, got "x"'],
  );
  const broken = tool('read', 'r', { inputSchema: { type: 'object', properties: { path: { type: 'strng' } } } });
  const [problem] = service.validateArguments(broken, {});
  assert.match(problem!.message, /the JSON Schema that the server of files.read gives is broken \(properties.path.type/);
});

test('what running servers describe is written, at start and after a change, and dropped with the configuration', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-sync-'));
  const definition = join(folder, 'definition');
  writeFileSync(definition, 'first');
  await sync(tool('read'));
  const script = new URL('./harness/mcp/server.ts', import.meta.url).pathname;
  const toolServers = createToolServers({
    servers: {
      bad: { command: process.execPath, args: [script, '--definition', definition], env: {}, timeoutMs: 20_000, startTimeoutMs: 20_000 },
    },
    logger,
    maxOutputBytes: 1024,
    limits: { backoffMs: 1 },
  });
  const runner = createToolService({ clock: { now: () => now }, live: (name) => toolServers.describe(name) });
  const toolSync = startToolSync({ database: db.database, toolServers, tools: runner, logger });
  try {
    await toolServers.start();
    await toolSync.settled();
    const gateway = createToolService({ clock: { now: () => now } });
    const versioned = () => read((uow) => gateway.findTool(uow, authority('viewer'), 'bad.versioned'));
    assert.equal((await versioned())!.description, 'first');
    assert.deepEqual(await read((uow) => gateway.missingTools(uow, ['files.read', 'bad.echo'])), ['files.read']);

    const before = await write((uow) => runner.checkTool(uow, 'bad.versioned'));
    assert.ok(before.ok);
    writeFileSync(definition, 'second');
    await toolServers.call('bad.crash', {});
    const outcome = await toolServers.call('bad.versioned', {}, { digest: before.definition.digest });
    assert.equal(outcome.ok ? 'called' : outcome.code, 'TOOL_CHANGED');
    const again = await write((uow) => runner.checkTool(uow, 'bad.versioned'));
    assert.equal(again.ok ? 'accepted' : again.code, 'TOOL_CHANGED');
    await toolSync.settled();
    assert.deepEqual([(await versioned())!.description, (await versioned())!.status], ['second', 'changed']);
  } finally {
    await toolSync.stop();
    await toolServers.close();
    rmSync(folder, { recursive: true });
  }
});

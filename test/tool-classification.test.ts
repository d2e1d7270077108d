// Source, category and risk of calls: from annotations, names, what a tenant says, and what the arguments show.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { UnitOfWork } from '#src/platform/database.ts';
import { ForbiddenError, LimitExceededError, NotFoundError, ValidationError } from '#src/platform/errors.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { classifyCall } from '#src/tools/classification.ts';
import { createToolOverrideService, maxOverrides } from '#src/tools/override-service.ts';
import { createToolService } from '#src/tools/tool-service.ts';
import { describeOutsideTool, describeTool, splitToolName, type ToolAnnotations } from '#src/tools/tool.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { createWorld, type World } from './harness/governance.ts';

const clock = { now: () => new Date('2026-11-21T10:00:00.000Z') };
const tools = createToolService({ clock });
const overrides = createToolOverrideService({ clock });
let db: TestDatabase;
let world: World;
let admin: Authority;
before(async () => {
  db = await testDatabase();
  world = await createWorld(db.database);
  admin = await world.person('admin', world.on('admin'));
});
after(() => db.close());
const write = <T>(work: (uow: UnitOfWork) => Promise<T>, tenant = world.tenantId) => db.database.write(tenant, work);

const described = (fullName: string, properties: string[] = [], annotations: ToolAnnotations = {}) => {
  const { server, name } = splitToolName(fullName)!;
  return describeTool(server, {
    name,
    inputSchema: { type: 'object', properties: Object.fromEntries(properties.map((property) => [property, { type: 'string' }])) },
    annotations,
  });
};

test('categories follow the name and the arguments', () => {
  const cases: [string, string[], string][] = [
    ['shell.exec', [], 'command_execution'],
    ['box.run_command', [], 'command_execution'],
    ['box.runPython', [], 'command_execution'],
    ['x.Bash', [], 'command_execution'],
    ['ops.do', ['command'], 'command_execution'],
    ['ops.do', ['shell_command'], 'command_execution'],
    ['files.read_text_file', ['path'], 'file_operation'],
    ['files.write_file', ['path', 'content'], 'file_operation'],
    ['x.NotebookEdit', ['notebook_path'], 'file_operation'],
    ['files.list_directory', ['path'], 'file_search'],
    ['files.search_files', ['pattern'], 'file_search'],
    ['x.grep', ['pattern'], 'file_search'],
    ['web.fetch', ['url'], 'network'],
    ['slack.post_message', ['channel'], 'network'],
    ['x.notify', ['webhook_url'], 'network'],
    ['db.query', ['sql'], 'data'],
    ['crm.list_records', [], 'data'],
    ['clock.now', [], 'general'],
    ['jira.run_query', [], 'data'],
  ];
  for (const [name, properties, category] of cases) assert.equal(described(name, properties).category, category, name);
});

test('risk follows the annotations; a tool that runs commands is never harmless, and one that says it destroys is critical', () => {
  const cases: [string, ToolAnnotations, string][] = [
    ['files.read', { readOnlyHint: true }, 'low'],
    ['files.put', { destructiveHint: false }, 'medium'],
    ['files.put', {}, 'high'],
    ['files.put', { destructiveHint: true }, 'high'],
    ['shell.exec', { readOnlyHint: true }, 'medium'],
    ['shell.exec', { destructiveHint: false }, 'medium'],
    ['shell.exec', {}, 'high'],
    ['shell.exec', { destructiveHint: true }, 'critical'],
  ];
  for (const [name, annotations, risk] of cases)
    assert.equal(described(name, [], annotations).risk, risk, `${name} ${JSON.stringify(annotations)}`);
});

test('arguments raise the risk of a call, and never lower it', () => {
  const exec = described('shell.exec', ['command'], { destructiveHint: false });
  const classified = classifyCall(exec, { command: 'sudo rm -rf /*' });
  assert.deepEqual([classified.risk, classified.source, classified.category], ['critical', 'mcp', 'command_execution']);
  assert.deepEqual(
    classified.signs.map(({ code }) => code),
    ['privilege_escalation', 'root_delete', 'recursive_delete'],
  );
  assert.deepEqual(
    [classifyCall(exec, { command: 'git log --format=%h' }).risk, classifyCall(exec, { command: 'ls' }).signs],
    ['medium', []],
  );
  const put = described('files.put', ['path']);
  assert.equal(classifyCall({ ...put, risk: 'critical' }, { path: 'a\u202eb' }).risk, 'critical');
});

test('tools of agents that run elsewhere are told by their names; no server and no trick of Unicode can take such a name', () => {
  const bash = describeOutsideTool('builtin.Bash')!;
  assert.deepEqual([bash.source, bash.category, bash.risk, bash.capability], ['builtin', 'command_execution', 'high', 'execute']);
  const search = describeOutsideTool('custom.search_docs')!;
  assert.deepEqual([search.source, search.risk, search.capability], ['custom', 'low', 'read']);
  for (const name of [
    'get_or_create',
    'find_and_replace',
    'read_and_delete',
    'list_and_remove_users',
    'fetchAndStore',
    'searchAndDestroy',
  ]) {
    const { risk, capability } = describeOutsideTool(`custom.${name}`)!;
    assert.deepEqual([risk, capability], ['high', 'write'], name);
  }
  for (const name of ['Read', 'Write', 'Edit', 'MultiEdit', 'str_replace_based_edit_tool', 'text_editor_20250124', 'apply_patch']) {
    assert.equal(describeOutsideTool(`builtin.${name}`)!.category, 'file_operation', name);
  }
  for (const name of ['python', 'code_interpreter', 'bash_20250124', 'container.exec', 'eval', 'PowerShell']) {
    assert.deepEqual(
      [describeOutsideTool(`builtin.${name}`)!.category, describeOutsideTool(`builtin.${name}`)!.capability],
      ['command_execution', 'execute'],
      name,
    );
  }
  assert.deepEqual(
    [describeOutsideTool('builtin.WebSearch')!.category, describeOutsideTool('builtin.WebSearch')!.risk],
    ['network', 'low'],
  );
  assert.deepEqual([describeOutsideTool('custom.pay')!.risk, describeOutsideTool('custom.pay')!.capability], ['high', 'write']);
  for (const name of [
    'files.read',
    'builtin',
    'builtin.',
    'Builtin.Bash',
    'builtin.Bаsh',
    'builtin.Ba\u200bsh',
    'custom.a b',
    'сustom.x',
    'ｃustom.x',
  ]) {
    assert.equal(describeOutsideTool(name), null, name);
  }
});

test('what a tenant says of a tool is in force for its next call, in this tenant only, until it is taken back', async () => {
  await write((uow) => tools.syncDefinitions(uow, 'crm', [described('crm.pay'), described('crm.look', [], { readOnlyHint: true })]));
  const other = await createWorld(db.database);
  const riskOf = async (name: string, tenant?: string) => {
    const checked = await write((uow) => tools.checkToolElsewhere(uow, name), tenant);
    assert.ok(checked.ok);
    return [checked.definition.risk, checked.definition.category];
  };
  assert.deepEqual(await riskOf('crm.pay'), ['high', 'general']);
  const row = await write((uow) => overrides.setToolOverride(uow, admin, { tool: 'crm.pay', risk: 'critical', category: 'data' }));
  assert.deepEqual([row.risk, row.category, row.setBy, row.setAt], ['critical', 'data', admin.principalId, clock.now()]);
  assert.deepEqual(await riskOf('crm.pay'), ['critical', 'data']);
  assert.deepEqual(await riskOf('crm.pay', other.tenantId), ['high', 'general']);
  assert.deepEqual(
    (await write((uow) => tools.listTools(uow, admin, { risk: 'critical' }))).map(({ name }) => name),
    ['pay'],
  );
  const seen = (await write((uow) => tools.findTool(uow, admin, 'crm.pay')))!;
  assert.deepEqual(
    [seen.risk, seen.category, seen.override],
    ['critical', 'data', { risk: 'critical', category: 'data', costMicroUsd: null }],
  );

  await write((uow) => overrides.setToolOverride(uow, admin, { tool: 'crm.pay', category: 'network' }));
  assert.deepEqual(await riskOf('crm.pay'), ['high', 'network'], 'the whole statement is replaced');
  await write((uow) => overrides.setToolOverride(uow, admin, { tool: 'builtin.Bash', risk: 'critical' }));
  assert.deepEqual(await riskOf('builtin.Bash'), ['critical', 'command_execution']);
  const listed = await write((uow) => overrides.listToolOverrides(uow, admin));
  assert.deepEqual(
    listed.map(({ server, name }) => `${server}.${name}`),
    ['builtin.Bash', 'crm.pay'],
  );
  await write((uow) => overrides.removeToolOverride(uow, admin, 'crm.pay'));
  assert.deepEqual(await riskOf('crm.pay'), ['high', 'general']);
  await assert.rejects(
    write((uow) => overrides.removeToolOverride(uow, admin, 'crm.pay')),
    NotFoundError,
  );
});

test('only those with tool.manage in the whole tenant may say something of a tool; strangers learn nothing', async () => {
  const input = { tool: 'crm.look', risk: 'high' } as const;
  const set = (actor: Authority, given = input) => write((uow) => overrides.setToolOverride(uow, actor, given));
  const remove = (actor: Authority) => write((uow) => overrides.removeToolOverride(uow, actor, 'crm.look'));
  for (const role of ['operator', 'reviewer', 'agent_manager', 'viewer', 'service'] as const) {
    const actor = await world.person(role, world.on(role));
    await assert.rejects(set(actor), ForbiddenError, role);
    await assert.rejects(remove(actor), ForbiddenError, role);
  }
  const projectAdmin = await world.person('project admin', world.on('admin', 'project', world.projectId));
  await assert.rejects(set(projectAdmin), ForbiddenError);
  const stranger = await world.person('stranger');
  await assert.rejects(set(stranger), NotFoundError);
  await assert.rejects(remove(stranger), NotFoundError);
  assert.deepEqual(await write((uow) => overrides.listToolOverrides(uow, stranger)), []);
  for (const tool of ['crm.absent', 'nonsense', '', 'builtin.', 'сustom.x']) {
    await assert.rejects(
      write((uow) => overrides.setToolOverride(uow, admin, { tool, risk: 'low' })),
      NotFoundError,
      tool,
    );
  }
  await assert.rejects(
    write((uow) => overrides.setToolOverride(uow, admin, { tool: 'crm.look' })),
    ValidationError,
  );
});

test('a tenant says something of so many tools and no more', async () => {
  const full = await createWorld(db.database);
  const boss = await full.person('admin', full.on('admin'));
  const set = (tool: string) => write((uow) => overrides.setToolOverride(uow, boss, { tool, risk: 'low' }), full.tenantId);
  await write(
    (uow) =>
      uow.rows(
        `insert into tool_overrides (tenant_id, server, name, risk, set_by, set_at)
         select $1, 'custom', 'tool' || n, 'low', $2, now() from generate_series(1, $3::int - 1) n`,
        [full.tenantId, newId(), maxOverrides],
      ),
    full.tenantId,
  );
  await set('custom.last');
  await assert.rejects(set('custom.one_more'), LimitExceededError);
  await set('custom.last');
});

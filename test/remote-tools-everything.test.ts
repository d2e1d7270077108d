// The reference MCP server as a tenant's tool server: the example of docs/tools.md, and a process that is killed and frozen.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { createSignalboxClient } from '#client/index.ts';
import { parseGlobalId } from '#schema/ids.ts';
import { loadConfig } from '#src/config.ts';
import { createLogger } from '#src/platform/logger.ts';
import { parseApiKey } from '#src/authority/api-key.ts';
import { startProcess } from '../cli/process.ts';
import { testDatabase } from './harness/database.ts';
import { everythingServer, type Everything } from './harness/mcp/everything.ts';
import { remoteHarness, type RemoteHarness } from './harness/remote.ts';

let server: Everything;
const open: (() => Promise<unknown>)[] = [];
before(async () => {
  server = await everythingServer();
});
after(() => server.kill());
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

function clientOf(url: string, timeoutMs = 10_000): RemoteHarness {
  const remote = remoteHarness(url, { timeoutMs });
  open.push(() => remote.close());
  return remote;
}

test('the example of docs/tools.md: registered at a gateway, published, run by a worker, by its own key from the same data folder', async () => {
  const text = readFileSync(new URL('../docs/tools.md', import.meta.url), 'utf8');
  const block = (language: string) => new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'ms').exec(text)![1]!;
  const db = await testDatabase();
  open.push(() => db.close());
  const dataDir = mkdtempSync(join(tmpdir(), 'signalbox-tools-'));
  open.push(async () => rmSync(dataDir, { recursive: true }));
  const config = loadConfig({
    env: {
      SIGNALBOX_DATA_DIR: dataDir,
      SIGNALBOX_HTTP_PORT: '0',
      DATABASE_URL: db.ownerUrl,
      SIGNALBOX_OUTBOUND_ALLOW: `127.0.0.1:${server.port}`,
    },
  });
  const logger = createLogger({ level: 'silent' });
  const gateway = await startProcess(config, { gateway: true, runner: false }, logger);
  open.push(() => gateway.stop('the test is over'));
  const worker = await startProcess(config, { gateway: false, runner: true }, logger);
  open.push(() => worker.stop('the test is over'));

  const apiKey = gateway.firstKey!.token;
  const mutation = block('graphql');
  assert.match(mutation, /https:\/\/mcp\.example\.com\/mcp/);
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ query: mutation.replace('https://mcp.example.com/mcp', server.url) }),
  });
  const { data } = (await response.json()) as { data: { registerToolServer: { toolServer: { health: object; toolCount: number } } } };
  assert.deepEqual(data.registerToolServer.toolServer.health, { status: 'HEALTHY', lastError: null });
  assert.ok(data.registerToolServer.toolServer.toolCount > 5);

  const client = createSignalboxClient({ url: gateway.url!, apiKey });
  open.push(() => client.close());
  const { project } = await client.createProject({ input: { name: 'sums' } });
  const { environment } = await client.createEnvironment({ input: { projectId: project.id, name: 'dev', kind: 'DEVELOPMENT' } });
  const { agent } = await client.createAgent({ input: { projectId: project.id, name: 'adder' } });
  await client.publishAgentVersion({ input: { agentId: agent.id, definition: block('yaml') } });
  await client.activateAgent({ input: { agentId: agent.id } });
  await client.promoteAgentVersion({ input: { agentId: agent.id, environmentId: environment.id, version: '1.0.0' } });
  const { execution } = await client.startExecution({
    input: { agentId: agent.id, environmentId: environment.id, inputs: { a: 2, b: 40 } },
  });
  const types: string[] = [];
  for await (const { events } of client.executionEvents({ executionId: execution.id })) types.push(...events.map(({ type }) => type));
  assert.equal(types.at(-1), 'EXECUTION_SUCCEEDED');
  const { id } = parseGlobalId(execution.id)!;
  const [row] = await db.database.read(parseApiKey(apiKey)!.tenantId, (uow) =>
    uow.rows<{ output: unknown }>('select output from executions where id = $1', [id]),
  );
  assert.equal(row!.output, 'The sum of 2 and 40 is 42.');
});

test('a server that is killed in the middle of a call fails it long before its timeout; the next one finds it restarted', async () => {
  const remote = clientOf(server.url, 60_000);
  await remote.output('echo', { message: 'hi' });
  const posted = server.says(/Received MCP POST/);
  const call = remote.refusal('trigger-long-running-operation', { duration: 50, steps: 1 });
  await posted;
  await server.kill();
  const failed = await call;
  assert.deepEqual([failed.code, failed.retryable, failed.dispatched], ['TOOL_SERVER_FAILED', true, true]);
  await server.start();
  assert.equal((await remote.output('get-sum', { a: 1, b: 2 })).text, 'The sum of 1 and 2 is 3.');
});

test('a frozen server costs a call its time and no more; thawed, it goes on in the same session', async () => {
  const remote = clientOf(server.url, 1_000);
  await remote.output('echo', { message: 'hi' });
  server.signal('SIGSTOP');
  const late = await remote.refusal('echo', { message: 'hi' });
  assert.equal(late.code, 'TOOL_TIMEOUT');
  server.signal('SIGCONT');
  assert.equal((await remote.output('echo', { message: 'back' })).text, 'Echo: back');
});

// The reference MCP server as a tenant's tool server: the example of docs/tools.md, and a process that is killed and frozen.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { createOutbound } from '#src/outbound/guard.ts';
import { createSealer } from '#src/platform/sealing.ts';
import { testApi } from './harness/api.ts';
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

test('the example of docs/tools.md: registered, published, run', async () => {
  const text = readFileSync(new URL('../docs/tools.md', import.meta.url), 'utf8');
  const block = (language: string) => new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'ms').exec(text)![1]!;
  const remote = { outbound: createOutbound({ allow: [`127.0.0.1:${server.port}`] }), sealer: createSealer(randomBytes(32)) };
  const api = await testApi({ remote });
  open.push(() => api.close());
  const mutation = block('graphql');
  assert.match(mutation, /https:\/\/mcp\.example\.com\/mcp/);
  const { data } = await api.gql(mutation.replace('https://mcp.example.com/mcp', server.url));
  assert.equal(data!['registerToolServer'].toolServer.health.status, 'HEALTHY', JSON.stringify(data));
  assert.ok(data!['registerToolServer'].toolServer.toolCount > 5);

  await api.runner({ services: api.services });
  const { write, admin, project, staging } = api.home;
  const { id: agentId } = await write((uow) => api.services.agents.createAgent(uow, admin, { projectId: project, name: 'adder' }));
  const definition = block('yaml');
  const { version } = await write((uow) => api.services.agents.publishAgentVersion(uow, admin, { agentId, definition }));
  await write((uow) => api.services.agents.activateAgent(uow, admin, { agentId }));
  await write((uow) => api.services.agents.promoteAgentVersion(uow, admin, { agentId, environmentId: staging, version }));
  const { id } = await api.start(agentId, { inputs: { a: 2, b: 40 } });
  assert.equal((await api.finished(id)).status, 'succeeded');
  const [row] = await api.home.read((uow) => uow.rows<{ output: unknown }>('select output from executions where id = $1', [id]));
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

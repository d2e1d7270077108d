// Tool servers of tenants through the API: registered, used by agents, changed, switched off, removed; who may, and what is never shown.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import { SignalboxClientError, type RegisterToolServerInput, type SignalboxClient } from '#client/index.ts';
import { toGlobalId } from '#schema/ids.ts';
import { createOutbound } from '#src/outbound/guard.ts';
import { newId } from '#src/platform/ids.ts';
import { createSealer } from '#src/platform/sealing.ts';
import { roles } from '#src/authority/permission.ts';
import { remoteLimits } from '#src/tools/remote.ts';
import { describeTool } from '#src/tools/tool.ts';
import { ids, testApi, type Api } from './harness/api.ts';
import { eventually } from './harness/eventually.ts';
import { held, httpMcp, type HttpMcp, type HttpMcpOptions } from './harness/mcp/http-server.ts';

let api: Api;
let client: SignalboxClient;
const open: HttpMcp[] = [];
before(async () => {
  const outbound = createOutbound({ allow: ['127.0.0.1'] });
  api = await testApi({
    remote: { outbound, sealer: createSealer(randomBytes(32)) },
    remoteLimits: { openMs: 50, maxOpenMs: 50, failures: 2 },
  });
  client = api.typed();
  await api.runner({ services: api.services });
});
after(() => api.close());
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

async function serverOf(tools: HttpMcpOptions['tools'] = {}): Promise<HttpMcp> {
  const server = await httpMcp({ tools: { echo: { run: ({ args }) => args }, ...tools } });
  open.push(server);
  return server;
}
const named = () => `s-${newId().slice(-12)}`;
const register = async (input: Partial<RegisterToolServerInput> & { url: string }, as = client) =>
  (await as.registerToolServer({ input: { name: named(), ...input } })).toolServer;
const code = (expected: string) => (error: unknown) => error instanceof SignalboxClientError && error.code === expected;
const problemsOf = async (work: Promise<unknown>): Promise<string[]> => {
  const error = await work.then(
    () => assert.fail('it was not refused'),
    (reason: unknown) => reason as SignalboxClientError,
  );
  assert.equal(error.code, 'VALIDATION_FAILED', error.message);
  return error.problems.map(({ path, message }) => `${path}: ${message}`);
};
const absent = 'http://127.0.0.1:1/mcp';
async function run(tool: string, args: object = {}) {
  const agentId = await api.agent([{ id: 'call', tool, with: args }], { tools: [tool] });
  return { agentId, ...(await again(agentId)) };
}
async function again(agentId: string) {
  const { id } = await api.start(agentId);
  const { status } = await api.finished(id);
  const { steps } = (await api.typed().execution({ id: ids.execution(id) }))!;
  return { id, status, step: steps[0]! };
}

test('a server is looked at when it is registered, and an agent calls its tools with its headers', async () => {
  const server = await serverOf({ read: { annotations: { readOnlyHint: true }, run: () => 'read' } });
  const headers = [{ name: 'Authorization', value: 'Bearer abcdefgh' }];
  const registered = await register({ url: server.url, headers });
  assert.deepEqual(
    [registered.toolCount, registered.headerNames, registered.origin, registered.url, registered.timeoutMs, registered.concurrency],
    [2, ['Authorization'], new URL(server.url).origin, server.url, 60_000, 10],
  );
  const { status, circuit, lastError, lastSeenAt } = registered.health;
  assert.deepEqual([status, circuit, lastError, typeof lastSeenAt], ['HEALTHY', 'CLOSED', null, 'string']);
  const tools = await client.tools({ filter: { server: registered.name } });
  assert.deepEqual(
    tools.map((tool) => [tool.name, tool.risk, tool.capability, tool.status, tool.toolServer?.id]),
    [
      ['echo', 'HIGH', 'WRITE', 'UNSEEN', registered.id],
      ['read', 'LOW', 'READ', 'UNSEEN', registered.id],
    ],
  );
  const { status: ended, id } = await run(`${registered.name}.echo`, { say: 'hi' });
  assert.equal(ended, 'succeeded');
  const [call] = server.calls;
  assert.deepEqual([call!.args, call!.headers['authorization']], [{ say: 'hi' }, 'Bearer abcdefgh']);
  assert.match(String(call!.meta['signalbox/idempotency-key']), new RegExp(`^${id}:call:`));
  assert.equal((await client.tool({ name: `${registered.name}.echo` }))!.status, 'APPROVED', 'the first use accepts');
});

test('a kill switch on the host of a server stops the calls of its tools, and those that run', async () => {
  const { tool, release, arrived } = held();
  const server = await serverOf({ read: { ...tool, annotations: { readOnlyHint: true } } });
  const { name } = await register({ url: server.url });
  const agentId = await api.agent([{ id: 'call', tool: `${name}.read`, with: {} }], { tools: [`${name}.read`] });
  const running = await api.start(agentId);
  await arrived(1);
  const pattern = server.host;
  const { killSwitch } = await client.engageKillSwitch({ input: { scope: 'DESTINATION', pattern, reason: 'leaks' } });
  const stopped = await api.start(agentId);
  for (const { id } of [running, stopped]) await api.happened(id, 'step.halted');
  assert.equal(server.calls.length, 1);
  await client.releaseKillSwitch({ input: { killSwitchId: killSwitch.id } });
  await arrived(3);
  release();
  for (const { id } of [running, stopped]) assert.equal((await api.finished(id)).status, 'succeeded');
  assert.equal(server.calls.length, 3);
});

test('a destination policy judges the host of a server: a call of its tools is a request to it', async () => {
  const server = await serverOf({ read: { annotations: { readOnlyHint: true }, run: () => 'read' } });
  const { name } = await register({ url: server.url });
  const { hostname, port } = new URL(server.url);
  const rules = [{ effect: 'deny', hosts: [hostname], ports: [Number(port)], methods: ['POST'], message: 'not there.' }];
  const { policy } = await client.createPolicy({ input: { name: named(), kind: 'DESTINATION', rules } });
  const refused = await run(`${name}.read`);
  assert.deepEqual([refused.status, server.calls.length], ['blocked', 0]);
  const denials = (await client.decisions({ filter: { executionId: ids.execution(refused.id), effect: ['DENY'] } })).edges;
  assert.match(denials[0]!.node.reasons[0]!, new RegExp(`refuses POST http://${hostname}:${port}: not there.`));
  await client.disablePolicy({ input: { policyId: policy.id } });
  assert.equal((await again(refused.agentId)).status, 'succeeded');
});

test('every problem of a registration is named at once, and nothing is written', async () => {
  const before = (await client.toolServers()).edges.length;
  const bad = await problemsOf(
    register({
      name: 'with.dot',
      url: 'ftp://u:p@example.com',
      timeoutMs: 1,
      concurrency: 101,
      headers: [
        { name: 'X-A', value: 'one\r\nX-B: two' },
        { name: 'X-A ', value: 'ok' },
        { name: 'x-a', value: 'again' },
        { name: 'Host', value: 'elsewhere' },
        { name: 'X\r\nY', value: 'ok' },
      ],
    }),
  );
  assert.deepEqual(
    bad.map((problem) => problem.split(':')[0]),
    ['name', 'url', ...[0, 1, 2, 3, 4].map((index) => `headers[${index}].${index === 0 ? 'value' : 'name'}`), 'timeoutMs', 'concurrency'],
  );
  const many = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `X-${index}`, value: 'v' }));
  assert.match((await problemsOf(register({ url: absent, headers: many(21) })))[0]!, /^headers: has 21 headers; at most 20/);
  for (const [url, expected] of [
    [absent, /^url: cannot be used: the connection to 127\.0\.0\.1:1 failed|port 1 is refused/],
    ['http://10.0.0.1/mcp', /^url: cannot be used: 10\.0\.0\.1 is refused \(private\)/],
    ['http://[::1]/mcp', /is refused \(loopback\)/],
    ['http://169.254.169.254/mcp', /is refused \(cloud metadata\)/],
    ['http://nothing.invalid/mcp', /^url: cannot be used: could not find the address of nothing\.invalid/],
    ['https://user:secret-of-mine@example.com/', /^url: holds a user or password/],
    ['https://example.com/#part', /^url: has a fragment/],
    ['https://example.com/\nX: y', /^url: holds a control character/],
    ['nonsense', /^url: not an absolute URL/],
    [`https://example.com/${'x'.repeat(2_048)}`, /^url: has 2068 characters; at most 2048/],
  ] as const) {
    const [problem] = await problemsOf(register({ url }));
    assert.match(problem!, expected);
    assert.doesNotMatch(problem!, /secret-of-mine/);
  }
  const server = await serverOf();
  server.intercept = (_request, response) => {
    response.writeHead(401).end();
    return true;
  };
  assert.deepEqual(await problemsOf(register({ url: server.url })), [
    'url: cannot be used: it answered HTTP 401: look at the headers it is registered with',
  ]);
  assert.equal((await client.toolServers()).edges.length, before);
  await register({ url: server.url, headers: many(20), enabled: false });
});

test('names are unique in the tenant, and the operator’s come first', async () => {
  const server = await serverOf();
  const { name } = await register({ url: server.url });
  await assert.rejects(register({ name, url: server.url }), code('CONFLICT'));
  const other = api.typed(api.people.other.adminKey);
  await register({ name, url: server.url }, other);

  const operators = describeTool(name, { name: 'echo', description: 'of the operator', inputSchema: { type: 'object' } });
  const sync = (server_: string, tools = [operators]) => api.home.write((uow) => api.services.tools.syncDefinitions(uow, server_, tools));
  await sync(name);
  assert.deepEqual(
    (await client.tools({ filter: { server: name } })).map(({ description, toolServer }) => [description, toolServer]),
    [['of the operator', null]],
  );
  const shadowed = (await client.toolServers()).edges.find(({ node }) => node.name === name)!.node;
  assert.equal(shadowed.shadowed, true);
  await assert.rejects(
    register({ name, url: server.url }, api.typed(await api.home.principal([['admin', 'tenant', api.home.tenantId]]))),
    code('CONFLICT'),
  );
  await sync(name, []);
});

test('a changed tool blocks executions until it is approved; what the runner saw is shown', async () => {
  const server = await serverOf({ versioned: { description: 'first', run: () => 'called' } });
  const { name, id } = await register({ url: server.url });
  const tool = `${name}.versioned`;
  const { agentId, status } = await run(tool);
  assert.equal(status, 'succeeded');
  server.tools['versioned'] = { ...server.tools['versioned'], description: 'second' };
  server.forget();
  const caught = await again(agentId);
  assert.deepEqual([caught.status, caught.step.failure!.code], ['failed', 'TOOL_CHANGED'], 'the call found out');
  const seen = await changed(tool);
  const blocked = await again(agentId);
  assert.deepEqual([blocked.status, blocked.step.failure!.code], ['blocked', 'TOOL_CHANGED'], 'now the gate knows');
  assert.equal(server.calls.length, 1);
  await client.approveTool({ input: { tool, digest: seen.digest } });
  assert.equal((await again(agentId)).status, 'succeeded');

  server.tools['versioned'] = { ...server.tools['versioned'], description: 'third' };
  const refreshed = (await client.refreshToolServer({ input: { toolServerId: id } })).toolServer;
  assert.equal(refreshed.health.status, 'HEALTHY');
  assert.equal((await again(agentId)).status, 'blocked');

  function changed(fullName: string) {
    return eventually(async () => {
      const found = (await client.tool({ name: fullName }))!;
      return found.status === 'CHANGED' && found;
    });
  }
});

test('a failing server is shown as such: after a look, and after calls that open the circuit', async () => {
  const server = await serverOf();
  const { id, name } = await register({ url: server.url });
  await server.stop();
  const looked = (await client.refreshToolServer({ input: { toolServerId: id } })).toolServer;
  assert.deepEqual([looked.health.status, looked.toolCount], ['FAILING', 1]);
  assert.match(looked.health.lastError!, /the connection to 127\.0\.0\.1:\d+ failed/);
  assert.notEqual(looked.health.lastSeenAt, null);
  const agentId = await api.agent([{ id: 'call', tool: `${name}.echo`, with: {}, retry: { maxAttempts: 3, initial: '1ms' } }], {
    tools: [`${name}.echo`],
  });
  const { status, step } = await again(agentId);
  assert.equal(status, 'failed');
  assert.match(step.failure!.code, /^(CIRCUIT_OPEN|TOOL_SERVER_FAILED)$/);
  const health = async () => (await client.toolServers()).edges.find(({ node }) => node.id === id)!.node.health;
  await eventually(async () => (await health()).status === 'OPEN_CIRCUIT');
  assert.equal((await health()).circuit, 'OPEN');
  await server.start();
  while ((await again(agentId)).status !== 'succeeded');
  await eventually(async () => (await health()).status === 'HEALTHY');
});

test('a server is changed by its version: moved, its secrets kept or given anew, switched off and on', async () => {
  const gate = held();
  const [first, second] = [await serverOf(), await serverOf({ hold: gate.tool })];
  const headers = [{ name: 'X-Key', value: 'first-secret' }];
  const { id, name } = await register({ url: first.url, headers });
  const update = async (input: object, expectedVersion: number) =>
    (await client.updateToolServer({ input: { toolServerId: id, expectedVersion, ...input } })).toolServer;
  assert.equal((await update({ timeoutMs: 1_000, concurrency: 1 }, 1)).version, 2);
  assert.equal((await update({}, 2)).version, 2, 'nothing changed');
  await assert.rejects(update({ timeoutMs: 5_000 }, 1), code('CONFLICT'));
  assert.deepEqual(await problemsOf(update({ url: second.url }, 2)), [
    'headers[0].value: is required: the server moves to another origin, and a value is not sent there unseen',
  ]);
  assert.equal(second.requests.length, 0);
  assert.deepEqual(await problemsOf(update({ headers: [{ name: 'X-New' }] }, 2)), [
    'headers[0].value: is required: there is no header "X-New" yet',
  ]);
  const kept = await update({ headers: [{ name: 'x-key' }, { name: 'X-New', value: 'new' }] }, 2);
  assert.deepEqual([kept.version, kept.headerNames], [3, ['x-key', 'X-New']]);
  const tool = `${name}.echo`;
  const { agentId } = await run(tool);
  assert.deepEqual([first.calls[0]!.headers['x-key'], first.calls[0]!.headers['x-new']], ['first-secret', 'new']);

  const moved = await update({ url: second.url, headers: [{ name: 'X-Key', value: 'second-secret' }] }, 3);
  assert.equal(moved.toolCount, 2, 'its tools were listed');
  await again(agentId);
  assert.deepEqual(
    [second.calls.length, second.calls[0]!.headers['x-key'], second.calls[0]!.headers['x-new']],
    [1, 'second-secret', undefined],
  );

  assert.equal((await update({ enabled: false }, 4)).enabled, false);
  const off = await again(agentId);
  assert.deepEqual([off.status, off.step.failure!.code, second.calls.length], ['failed', 'TOOL_DISABLED', 1]);
  assert.match(off.step.failure!.message, /the tool server "s-.*" is switched off/);
  await second.stop();
  assert.match((await problemsOf(update({ enabled: true }, 5)))[0]!, /^url: cannot be used/);
  await second.start();
  await update({ enabled: true }, 5);
  assert.equal((await again(agentId)).status, 'succeeded');

  await client.removeToolServer({ input: { toolServerId: id } });
  assert.equal((await again(agentId)).step.failure!.code, 'TOOL_UNKNOWN');
  assert.deepEqual(await client.tools({ filter: { server: name } }), []);
  await assert.rejects(client.refreshToolServer({ input: { toolServerId: id } }), code('NOT_FOUND'));
  await register({ name, url: first.url });
});

test('only admins of the whole tenant manage tool servers; who reads tools reads them, without URL', async () => {
  const server = await serverOf();
  const { home } = api;
  const { id } = await register({ url: server.url });
  const attempts = (as: SignalboxClient) => [
    () => register({ url: server.url }, as),
    () => as.updateToolServer({ input: { toolServerId: id, expectedVersion: 1, timeoutMs: 500 } }),
    () => as.refreshToolServer({ input: { toolServerId: id } }),
    () => as.removeToolServer({ input: { toolServerId: id } }),
  ];
  const requests = server.requests.length;
  for (const role of roles.filter((each) => each !== 'admin')) {
    const as = api.typed(await home.principal([[role, 'tenant', home.tenantId]]));
    for (const attempt of attempts(as)) await assert.rejects(attempt(), code('FORBIDDEN'), role);
    const shown = (await as.toolServers()).edges.find(({ node }) => node.id === id)!.node;
    assert.deepEqual([shown.url, shown.origin], [null, new URL(server.url).origin]);
  }
  const projectAdmin = api.typed(await home.principal([['admin', 'project', home.project]]));
  for (const attempt of attempts(projectAdmin)) await assert.rejects(attempt(), code('FORBIDDEN'));
  await assert.rejects(api.typed(await home.principal()).toolServers(), code('FORBIDDEN'));
  assert.equal(server.requests.length, requests, 'who may not is not let out either');
});

test('another tenant sees and uses nothing of it', async () => {
  const server = await serverOf();
  const { id, name } = await register({ url: server.url });
  const foreign = api.people.other;
  const other = api.typed(foreign.adminKey);
  assert.deepEqual(await other.tools({ filter: { server: name } }), []);
  assert.equal(await other.tool({ name: `${name}.echo` }), null);
  assert.ok(!(await other.toolServers()).edges.some(({ node }) => node.id === id));
  for (const work of [
    () => other.updateToolServer({ input: { toolServerId: id, expectedVersion: 1 } }),
    () => other.refreshToolServer({ input: { toolServerId: id } }),
    () => other.removeToolServer({ input: { toolServerId: id } }),
    () => other.refreshToolServer({ input: { toolServerId: toGlobalId('ToolServer', newId()) } }),
  ]) {
    await assert.rejects(work(), code('NOT_FOUND'));
  }
  const check = await foreign.write((uow) => api.services.tools.checkTool(uow, `${name}.echo`));
  assert.deepEqual([check.ok, check.ok ? '' : check.code], [false, 'TOOL_UNKNOWN']);
  await assert.rejects(
    api.agent([{ id: 'call', tool: `${name}.echo`, with: {} }], {
      tools: [`${name}.echo`],
      home: foreign,
      environments: [foreign.staging],
    }),
    new RegExp(`${name}\\.echo`),
  );
});

test('as many servers as allowed can be registered, one more is refused', async () => {
  const server = await serverOf();
  const other = api.typed(api.people.other.adminKey);
  const present = async () => (await other.toolServers({ first: 100 })).edges.length;
  for (let count = await present(); count < remoteLimits.serversPerTenant; count += 1)
    await register({ url: absent, enabled: false }, other);
  await assert.rejects(register({ url: server.url }, other), code('LIMIT_EXCEEDED'));
  assert.equal(await present(), remoteLimits.serversPerTenant);
});

test('the value of a header is in no answer, no event, no log and no row', async () => {
  const secret = `sk-${newId()}`;
  const server = await serverOf({ leak: { run: ({ headers }) => `you sent ${String(headers['x-key'])}` } });
  const registered = await register({ url: server.url, headers: [{ name: 'X-Key', value: secret }] });
  const { id, status } = await run(`${registered.name}.leak`);
  assert.equal(status, 'succeeded');
  await problemsOf(
    client.updateToolServer({
      input: { toolServerId: registered.id, expectedVersion: 1, headers: [{ name: 'X-Key', value: `${secret}\n` }] },
    }),
  );
  const answers = [
    await client.toolServers({ first: 100 }),
    await client.tools(),
    await client.execution({ id: ids.execution(id) }),
    await api.events(id),
  ];
  const tables = await api.home.read((uow) =>
    uow.rows<{ name: string }>(`select table_name as name from information_schema.columns where column_name = 'tenant_id'`),
  );
  const rows = [];
  for (const { name } of tables) rows.push(await api.home.read((uow) => uow.rows(`select t::text as row from "${name}" t`)));
  assert.match(JSON.stringify(rows), /you sent \[secret\]/);
  for (const said of [answers, rows, api.logs]) assert.equal(JSON.stringify(said).includes(secret), false);
});

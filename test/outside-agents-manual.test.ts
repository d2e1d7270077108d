// The loop that docs/outside-agents.md shows is run here, as it stands there, against a server.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { signRisks } from '#src/tools/analysis-signs.ts';
import { ids, testApi, type Api } from './harness/api.ts';
import { blocksOf } from './harness/manual.ts';

const folder = mkdtempSync(join(tmpdir(), 'signalbox-loop-'));
const [loop] = blocksOf('outside-agents.md')('The loop', 'js') as [string];
let api: Api;
let runAgent: (options: object) => Promise<void>;
before(async () => {
  api = await testApi();
  writeFileSync(join(folder, 'loop.mjs'), loop);
  ({ runAgent } = await import(pathToFileURL(join(folder, 'loop.mjs')).href));
});
after(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

test('the shown loop makes allowed calls, tells the model of refusals, and waits for people', { timeout: 60_000 }, async () => {
  const { home, services } = api;
  const agent = await api.agent([{ id: 'elsewhere', transform: '1' }], { name: 'outside', tools: ['builtin.Bash', 'custom.pay'] });
  const policy = (input: object) => home.write((uow) => services.policies.createPolicy(uow, home.admin, input as never));
  await policy({
    name: 'nothing-critical',
    kind: 'tool_access',
    rules: [{ effect: 'deny', tools: ['*'], when: { path: 'tool.risk', equals: 'critical' } }],
  });
  await policy({ name: 'payments', kind: 'approval_required', rules: [{ tools: ['custom.pay'], expiresIn: '1h' }] });
  const { principalId } = await home.principal([['service', 'tenant', home.tenantId]]);
  const { token } = await home.write((uow) =>
    services.apiKeys.createApiKey(uow, home.admin, { principalId, name: 'loop', roles: ['service'] } as never),
  );
  const calls = [
    { id: 'a', tool: 'builtin.Bash', arguments: { command: 'ls' } },
    { id: 'b', tool: 'builtin.Bash', arguments: { command: "sudo env X=1 sh -c 'rm -fr /'" } },
    { id: 'c', tool: 'custom.pay', arguments: { amount: 5 } },
    { id: 'd', tool: 'custom.pay', arguments: { amount: 0 } },
  ];
  const heard: any[] = [];
  const made: unknown[] = [];
  const model = {
    async next(result?: unknown) {
      if (result !== undefined) heard.push(result);
      return { call: calls[heard.length] };
    },
  };
  const tools = {
    'builtin.Bash': async ({ command }: any) => (made.push(command), { text: 'README.md' }),
    'custom.pay': async ({ amount }: any) => {
      made.push(amount);
      if (amount === 0) throw new Error('nothing to pay');
      return { paid: amount };
    },
  };
  const ended = runAgent({
    url: `${api.url}/graphql`,
    key: token,
    agentId: ids.agent(agent),
    environmentId: ids.environment(home.staging),
    model,
    tools,
    waitMs: 20,
  });
  for (let approved = 0; approved < 2;) {
    const { rows } = await home.read((uow) => services.approvals.listApprovals(uow, api.reviewer, { status: ['pending'] }, {}));
    for (const { id } of rows) {
      await home.write((uow) => services.approvals.decide(uow, api.reviewer, { approvalId: id, decision: 'approve' }));
      approved++;
    }
  }
  await ended;
  assert.deepEqual(made, ['ls', 5, 0]);
  assert.deepEqual([heard[0], heard[2], heard[3]], [{ text: 'README.md' }, { paid: 5 }, { text: 'nothing to pay' }]);
  assert.match(heard[1].refused, /nothing-critical/);
});

test('the page names every sign, with its risk', () => {
  const text = readFileSync(new URL('../docs/outside-agents.md', import.meta.url), 'utf8');
  for (const [sign, risk] of Object.entries(signRisks)) assert.match(text, new RegExp(`^\\|.*\`${sign}\`.*\\| ${risk} *\\|$`, 'm'), sign);
});

// An agent that runs elsewhere, with its key: asks through the API, as its own loop would.
import assert from 'node:assert/strict';
import { SignalboxClientError, type SignalboxClient } from '#client/index.ts';
import { newId } from '#src/platform/ids.ts';
import type { NewPolicy } from '#src/policies/policy-service.ts';
import { ids, testApi, type Api, type ApiSettings } from './api.ts';

export const outsideTools = ['files.write', 'builtin.Bash', 'custom.pay', 'custom.search_docs', 'custom.fetch_page', 'custom.http_post'];

export interface Outside {
  readonly api: Api;
  readonly agent: string;
  /** What an agent's own loop holds: a key with the role `service`. */
  readonly loop: SignalboxClient;
  readonly reviewer: SignalboxClient;
  /** `custom.pay` with a new key unless told otherwise. */
  ask(change?: object, client?: SignalboxClient): ReturnType<SignalboxClient['authorizeToolCall']>;
  authorize(change?: object, client?: SignalboxClient): Promise<Awaited<ReturnType<SignalboxClient['authorizeToolCall']>>['toolCall']>;
  report(
    toolCallId: string,
    result: unknown,
    outcome?: 'SUCCEEDED' | 'FAILED',
  ): Promise<Awaited<ReturnType<SignalboxClient['reportToolResult']>>['toolCall']>;
  /** In force for this agent while `work` runs. */
  withPolicy(policy: Partial<NewPolicy> & Pick<NewPolicy, 'kind' | 'rules'>, work: () => Promise<void>): Promise<void>;
  /** `$1` is the tenant. */
  rows(sql: string, ...params: unknown[]): Promise<any[]>;
  /** The newest decision about the call of this key. */
  decisionOf(idempotencyKey: string): Promise<any>;
}

export async function outsideAgent(settings: ApiSettings = {}): Promise<Outside> {
  const inputSchema = { type: 'object', required: ['path'], properties: { path: { type: 'string' } } };
  const api = await testApi({ tools: { 'files.write': { run: () => null, annotations: {}, inputSchema } }, ...settings });
  const { home, services } = api;
  const agent = await api.agent([{ id: 'elsewhere', transform: '"runs elsewhere"' }], { name: 'outside', tools: outsideTools });
  const loop = api.typed(await home.principal([['service', 'tenant', home.tenantId]]));
  let keys = 0;
  const ask: Outside['ask'] = (change = {}, client = loop) =>
    client.authorizeToolCall({
      input: {
        ...{ agentId: ids.agent(agent), environmentId: ids.environment(home.staging), tool: 'custom.pay', arguments: { amount: 1 } },
        ...{ idempotencyKey: `key-${++keys}`, ...change },
      },
    });
  const rows: Outside['rows'] = (sql, ...params) => home.read((uow) => uow.rows<any>(sql, [home.tenantId, ...params]));
  return {
    ...{ api, agent, loop, ask, rows },
    reviewer: api.typed(api.reviewer),
    authorize: async (change, client) => (await ask(change, client)).toolCall,
    report: async (toolCallId, result, outcome = 'SUCCEEDED') =>
      (await loop.reportToolResult({ input: { toolCallId, outcome, result } })).toolCall,
    async withPolicy(policy, work) {
      const input = { name: `policy-${newId()}`, scope: { agentId: agent }, ...policy } as NewPolicy;
      const created = await home.write((uow) => services.policies.createPolicy(uow, home.admin, input));
      try {
        await work();
      } finally {
        await home.write((uow) => services.policies.deletePolicy(uow, home.admin, created.id));
      }
    },
    async decisionOf(idempotencyKey) {
      const sql = 'select d.* from decisions d join tool_calls c on c.decision_id = d.id where c.tenant_id = $1 and c.idempotency_key = $2';
      return (await rows(sql, idempotencyKey))[0];
    },
  };
}

export const code = (wanted: string) => (error: unknown) => {
  assert.ok(error instanceof SignalboxClientError, String(error));
  assert.equal(error.code, wanted, error.message);
  return true;
};

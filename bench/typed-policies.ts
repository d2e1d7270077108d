// Policies of every kind and calls that they judge: what the speed of a decision is measured with. No two calls share their arguments, so
// nothing that was found in one is of use for another.
import type { GateInput } from '#src/rules/gate.ts';
import type { PolicySource } from '#src/rules/judge.ts';
import type { PolicyKind } from '#src/rules/policy.ts';

type Rules = readonly [kind: PolicyKind, rules: unknown];

/** Half of each kind is about the tools of one server, as most rules are; the others are about every call. */
const sorts: readonly ((n: number) => Rules)[] = [
  (n) => ['tool_access', [{ effect: 'deny', tools: [`server${n}.*`] }]],
  (n) => ['tool_access', [{ effect: 'deny', tools: ['*'], when: { path: 'arguments.path', prefix: [`/secret/${n}/`, '/etc/'] } }]],
  (n) => ['approval_required', [{ tools: [`server${n}.*`], risk: { atLeast: 'high' } }]],
  (n) => ['approval_required', [{ costMicroUsd: { atLeast: 1_000_000 + n } }, { when: { path: 'arguments.amount', greater: 5_000 + n } }]],
  (n) => ['rate_limit', { count: 'tool_calls', tools: [`server${n}.*`], limit: 10, window: '1m' }],
  (n) => ['rate_limit', { count: 'tool_calls', limit: 1_000 + n, window: '1h', per: ['agent'] }],
  (n) => ['time_window', { timezone: zones[n % zones.length], windows: weekdays, tools: [`server${n}.*`] }],
  (n) => ['time_window', { timezone: zones[n % zones.length], windows: weekdays }],
  (n) => ['destination', [{ effect: 'deny', tools: [`server${n}.*`], hosts: ['*'] }]],
  (n) => ['destination', [{ effect: 'deny', hosts: [`*.forbidden${n}.example`], ports: [25, '6000-6999'] }]],
  (n) => ['data_scope', [{ data: `dataset:orders-${n}`, tools: [`server${n}.*`] }]],
  () => ['data_scope', [{ data: { kind: 'dataset', from: 'arguments.table' }, when: { path: 'arguments.table', exists: true } }]],
  (n) => ['content', [{ effect: 'deny', tools: [`server${n}.*`], matches: [`\\bKEY${n}-[0-9A-F]{16}\\b`] }]],
  (n) => [
    'content',
    [{ effect: 'deny', matches: [`\\bKEY${n}-[0-9A-F]{16}\\b`, '-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----'], words: [`codename ${n}`] }],
  ],
];
const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'UTC'];
const weekdays = [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '17:00' }];

/** The n-th policy; with `agentId` only that agent is in its scope. */
export function typedPolicy(n: number, agentId: string | null): PolicySource {
  const [kind, rules] = sorts[n % sorts.length]!(n);
  const scope = { projectId: null, environmentId: null, agentId, teamId: null, tag: null, tool: null };
  return { id: `policy-${n}`, name: `policy-${n}`, version: 1, kind, mode: 'enforce', priority: n % 100, scope, rules };
}

const startOfDay = Date.parse('2026-11-24T08:00:00Z');

/** Tools and agents change from call to call, time goes on; every fourth reaches out. */
export function typedCall(n: number, sources: readonly PolicySource[]): GateInput {
  const reaches = n % 4 === 0;
  const name = reaches ? `web.fetch_${n % 10}` : `files.tool_${n % 50}`;
  const at = new Date(startOfDay + n * 25).toISOString();
  const agentId = `agent-${n % 500}`;
  return {
    action: 'tool.call',
    tenantId: 'tenant',
    projectId: 'project',
    environmentId: 'environment',
    environmentKind: 'production',
    agentId,
    agentName: 'agent',
    agentVersion: '1.0.0',
    agentTags: ['bench'],
    teamId: null,
    agentCapabilities: ['read'],
    agentTools: [name],
    principalId: 'principal',
    roles: ['operator'],
    tool: { name, digest: 'digest', risk: 'low', capability: 'read', source: 'mcp', category: reaches ? 'network' : 'file_operation' },
    arguments: reaches
      ? { url: `https://api${n % 20}.example.com/v1/items?page=${n}`, method: 'GET' }
      : { path: `/srv/reports/${n}/summary.csv`, amount: n % 5_000, note: 'figures of the last quarter, without those of the branch' },
    at,
    executionId: `execution-${n % 1_000}`,
    labels: { job: 'nightly' },
    agentData: [],
    grantedData: [],
    costMicroUsd: 1_000,
    rates: ratesFor(sources, agentId, at),
  };
}

/** What counters would have said: there is room. */
function ratesFor(sources: readonly PolicySource[], agentId: string, at: string): GateInput['rates'] {
  return Object.fromEntries(
    sources.flatMap(({ id, rules }) => {
      const { limit, per = [] } = rules as { readonly limit?: number; readonly per?: readonly string[] };
      const key = JSON.stringify(per.map(() => agentId));
      return limit === undefined || per.length === 0 ? [] : [[id, { key, limit, windowMs: 3_600_000, count: 1, freeAt: at }]];
    }),
  );
}

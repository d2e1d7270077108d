// How long the gate thinks: 100 policies in scope, 10,000 stored of which few are, and 100 that two other engines judge by, too.
import type { PolicySource } from '#src/rules/compile.ts';
import { evaluateGate } from '#src/rules/evaluate.ts';
import type { GateInput } from '#src/rules/gate.ts';
import { compilePolicies } from '#src/rules/policy-set.ts';
import { governedRules, timed, type GovernedRule } from '../governed-rules.ts';
import type { Part, Table } from '../part.ts';
import { installPeers } from '../peers.ts';
import { startContender } from '../process.ts';
import { quantile } from '../statistics.ts';

export const policies: Part = {
  name: 'policies',
  summary: 'time of one policy decision, as a share of its target and against other engines on the same rules',
  async run(_stand, { quick, peers }, say) {
    const calls = quick ? 2_000 : 200_000;
    say(`policies: ${calls} decisions each`);
    const inScope = measured(
      Array.from({ length: 100 }, (_, n) => policy(n, null)),
      calls,
    );
    const stored = measured(
      Array.from({ length: 10_000 }, (_, n) => policy(n, `agent-${n % 2_000}`)),
      calls,
    );
    const others = peers ? await againstOthers(quick ? 500 : 20_000, say) : null;
    return {
      tables: [
        {
          title: 'One policy decision as a share of its target (machine-specific); lower is better',
          format: 'ratio' as const,
          columns: ['p50', 'p99'],
          rows: [
            { what: '100 in scope', values: [quantile(inScope, 0.5) / 5, quantile(inScope, 0.99) / 30], target: '≤1 (5 µs, 30 µs)' },
            { what: '10,000 stored, 5 in scope', values: [null, quantile(stored, 0.99) / 100], target: '≤1 (p99 100 µs)' },
          ],
        },
        ...(others ? [others.table] : []),
      ],
      machineSpecific: {
        ...(others && { others: others.microseconds }),
        microseconds: { inScope: { p50: quantile(inScope, 0.5), p99: quantile(inScope, 0.99) }, stored: { p99: quantile(stored, 0.99) } },
      },
    };
  },
};

const engines = { agentGovernance: 'Microsoft agent governance SDK 4.0', cedar: 'Cedar 4.13' } as const;

/** 100 policies, half of which look at an argument: nothing of their answers can be remembered by Signalbox. */
async function againstOthers(calls: number, say: (line: string) => void): Promise<{ table: Table; microseconds: unknown }> {
  const rules = governedRules(100);
  const set = compilePolicies(rules.map(governed));
  say('policies: the same rules, Signalbox');
  const own = timed(
    ({ tool, amount }) => {
      const call = { ...input(0), tool: { ...input(0).tool!, name: tool }, agentTools: [tool], arguments: { amount } };
      return evaluateGate(set, call).effect === 'deny';
    },
    rules,
    calls,
  );
  await installPeers(say);
  const process = await startContender(new URL('../peers/governance.ts', import.meta.url), {});
  try {
    const measuredOthers = new Map<string, number[]>();
    for (const [engine, name] of Object.entries(engines)) {
      say(`policies: the same rules, ${name}`);
      measuredOthers.set(name, (await process.ask(engine, { policies: rules.length, calls })) as number[]);
    }
    const quantilesOf = (values: readonly number[]) => [quantile(values, 0.5), quantile(values, 0.99)];
    return {
      table: {
        title: 'One decision by 100 policies, half of which look at an argument; lower is better for Signalbox',
        format: 'ratio',
        columns: ['p50', 'p99'],
        rows: [...measuredOthers].map(([name, values]) => ({
          what: `Signalbox : ${name}`,
          values: quantilesOf(own).map((value, index) => value / quantilesOf(values)[index]!),
          target: null,
        })),
      },
      microseconds: {
        signalbox: quantilesOf(own),
        ...Object.fromEntries([...measuredOthers].map(([name, values]) => [name, quantilesOf(values)])),
      },
    };
  } finally {
    await process.close();
  }
}

const governed = ({ tool, above }: GovernedRule, n: number): PolicySource => ({
  ...policy(n, null),
  kind: 'tool_access',
  rules: [{ effect: 'deny', tools: [tool], ...(above !== null && { when: { path: 'arguments.amount', greater: above } }) }],
});

function policy(n: number, agentId: string | null): PolicySource {
  return {
    id: `policy-${n}`,
    name: `policy-${n}`,
    version: 1,
    kind: n % 2 === 0 ? 'tool_access' : 'approval_required',
    mode: 'enforce',
    priority: n % 100,
    scope: { projectId: null, environmentId: null, agentId, teamId: null, tag: null, tool: null },
    rules: n % 2 === 0 ? [{ effect: 'deny', tools: [`server${n}.*`] }] : [{ tools: [`server${n}.*`], risk: { atLeast: 'critical' } }],
  };
}

/** Microseconds of each decision; tools and agents change from call to call. */
function measured(sources: readonly PolicySource[], calls: number): number[] {
  const set = compilePolicies(sources);
  const inputs = Array.from({ length: 500 }, (_, n) => input(n));
  for (let n = 0; n < calls / 4; n += 1) evaluateGate(set, inputs[n % inputs.length]!);
  return Array.from({ length: calls }, (_, n) => {
    const startedAt = performance.now();
    evaluateGate(set, inputs[n % inputs.length]!);
    return (performance.now() - startedAt) * 1_000;
  });
}

function input(n: number): GateInput {
  const name = `files.tool_${n % 50}`;
  return {
    action: 'tool.call',
    tenantId: 'tenant',
    projectId: 'project',
    environmentId: 'environment',
    environmentKind: 'production',
    agentId: `agent-${n}`,
    agentName: 'agent',
    agentVersion: '1.0.0',
    agentTags: ['bench'],
    teamId: null,
    agentCapabilities: ['read'],
    agentTools: [name],
    principalId: 'principal',
    roles: ['operator'],
    tool: { name, digest: 'digest', risk: 'low', capability: 'read' },
    arguments: { number: n },
    at: '2026-11-21T00:00:00.000Z',
  };
}

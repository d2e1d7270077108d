// How long the gate thinks: 100 policies of every kind in scope, 10,000 stored of which few are, and 100 that two other engines judge by, too.
import type { PolicySource } from '#src/rules/compile.ts';
import { evaluateGate } from '#src/rules/evaluate.ts';
import { compilePolicies } from '#src/rules/policy-set.ts';
import { governedRules, timed, type GovernedRule } from '../governed-rules.ts';
import type { Part, Table } from '../part.ts';
import { installPeers } from '../peers.ts';
import { startContender } from '../process.ts';
import { quantile } from '../statistics.ts';
import { typedCall, typedPolicy } from '../typed-policies.ts';

export const policies: Part = {
  name: 'policies',
  summary: 'time of one policy decision, as a share of its target and against other engines on the same rules',
  async run(_stand, { quick, peers }, say) {
    const calls = quick ? 2_000 : 200_000;
    say(`policies: ${calls} decisions each`);
    const inScope = measured(
      Array.from({ length: 100 }, (_, n) => typedPolicy(n, null)),
      calls,
    );
    const stored = measured(
      Array.from({ length: 10_000 }, (_, n) => typedPolicy(n, `agent-${n % 2_000}`)),
      calls,
    );
    const others = peers ? await againstOthers(quick ? 500 : 20_000, say) : null;
    return {
      tables: [
        {
          title: 'One decision by policies of every kind as a share of its target (machine-specific); lower is better',
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
  const usual = typedCall(1, []);
  say('policies: the same rules, Signalbox');
  const own = timed(
    ({ tool, amount }) => {
      const call = { ...usual, tool: { ...usual.tool!, name: tool }, agentTools: [tool], arguments: { amount } };
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
  ...typedPolicy(n, null),
  kind: 'tool_access',
  rules: [{ effect: 'deny', tools: [tool], ...(above !== null && { when: { path: 'arguments.amount', greater: above } }) }],
});

/** Microseconds of each decision; making the call is no part of it. */
function measured(sources: readonly PolicySource[], calls: number): number[] {
  const set = compilePolicies(sources);
  const limits = sources.filter(({ kind }) => kind === 'rate_limit');
  const limitsOf = Map.groupBy(limits, ({ scope }) => scope.agentId);
  const callAt = (n: number) => typedCall(n, [...(limitsOf.get(null) ?? []), ...(limitsOf.get(`agent-${n % 500}`) ?? [])]);
  for (let n = 0; n < calls / 4; n += 1) evaluateGate(set, callAt(n));
  return Array.from({ length: calls }, (_, n) => {
    const call = callAt(n);
    const startedAt = performance.now();
    evaluateGate(set, call);
    return (performance.now() - startedAt) * 1_000;
  });
}

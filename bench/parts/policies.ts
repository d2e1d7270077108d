// How long the gate thinks: 100 policies in scope, and 10,000 stored of which few are.
import type { PolicySource } from '#src/policies/compile.ts';
import { evaluateGate } from '#src/policies/evaluate.ts';
import type { GateInput } from '#src/policies/gate.ts';
import { compilePolicies } from '#src/policies/policy-set.ts';
import type { Part } from '../part.ts';
import { quantile } from '../statistics.ts';

export const policies: Part = {
  name: 'policies',
  summary: 'time of one policy decision, as a share of its target',
  run(_stand, { quick }, say) {
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
    return Promise.resolve({
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
      ],
      machineSpecific: {
        microseconds: { inScope: { p50: quantile(inScope, 0.5), p99: quantile(inScope, 0.99) }, stored: { p99: quantile(stored, 0.99) } },
      },
    });
  },
};

function policy(n: number, agentId: string | null): PolicySource {
  return {
    id: `policy-${n}`,
    name: `policy-${n}`,
    version: 1,
    kind: n % 2 === 0 ? 'tool_access' : 'approval_required',
    mode: 'enforce',
    priority: n % 100,
    scope: { projectId: null, environmentId: null, agentId, tag: null },
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

// How soon an idle runner begins: from a start to the first call of a tool, and from a decision to the call it lets pass.
// Agents of one step, so that the last call is the first one.
import type { Part } from '../part.ts';
import { startContender } from '../process.ts';
import { quantile } from '../statistics.ts';
import { freshName, tool } from '../stand.ts';

const oneStep = `
    - id: one
      tool: bench.work
      with: { number: 1 }
`;
const asking = `
    - id: ask
      approval: { title: "Go on?", risk: high }
    - id: one
      needs: [ask]
      tool: bench.work
      with: { number: 1 }
`;
const targets = { firstStep: { p50: 10, p99: 50 }, approval: { p99: 100 } };

export const latency: Part = {
  name: 'latency',
  summary: 'idle: start to first step, approval decided to step dispatched, as shares of their targets',
  async run({ place, agent }, { quick, concurrency }, say) {
    const times = quick ? 5 : 200;
    const [first, behind] = [await agent(freshName('one'), oneStep), await agent(freshName('asking'), asking)];
    const process = await startContender(new URL('../contenders/signalbox.ts', import.meta.url), {
      place,
      agentId: first,
      tool,
      concurrency,
    });
    try {
      const measure = async (question: string, agentId: string) => {
        await process.ask(question, { agentId, times: quick ? 1 : 30 }); // of code that has not been compiled yet
        say(`latency: ${question}, ${times} times`);
        return (await process.ask(question, { agentId, times })) as number[];
      };
      const [firstStep, approval] = [await measure('firstStep', first), await measure('approval', behind)];
      return {
        tables: [
          {
            title: 'Idle latency as a share of its target (machine-specific); lower is better',
            format: 'ratio',
            columns: ['p50', 'p99'],
            rows: [
              {
                what: 'start acknowledged to first call',
                values: [quantile(firstStep, 0.5) / targets.firstStep.p50, quantile(firstStep, 0.99) / targets.firstStep.p99],
                target: `≤1 (${targets.firstStep.p50} ms, ${targets.firstStep.p99} ms)`,
              },
              {
                what: 'approval decided to call',
                values: [null, quantile(approval, 0.99) / targets.approval.p99],
                target: `≤1 (p99 ${targets.approval.p99} ms)`,
              },
            ],
          },
        ],
        machineSpecific: { milliseconds: { firstStep, approval } },
      };
    } finally {
      await process.close();
    }
  },
};

// Whether an item of a long forEach costs more than one of a short: 1,000 items against 10, in turns.
import type { Part } from '../part.ts';
import { startContender } from '../process.ts';
import { processorMs } from '../processor.ts';
import { median } from '../statistics.ts';
import { freshName, tool } from '../stand.ts';

const each = `
    - id: each
      forEach: "\${{ [1..inputs.number] }}"
      concurrency: 10
      tool: bench.work
      with: { number: "\${{ item }}" }
`;

export const items: Part = {
  name: 'items',
  summary: 'cost per item of a forEach of 1,000 items against one of 10',
  async run({ place, agent, postmasterPid }, { quick, rounds, concurrency }, say) {
    const [few, many] = [10, quick ? 50 : 1_000];
    const agentId = await agent(freshName('each'), each);
    const process = await startContender(new URL('../contenders/signalbox.ts', import.meta.url), { place, agentId, tool, concurrency });
    try {
      const pids = [process.pid, postmasterPid];
      const measure = async (number: number, times: number) => {
        const before = processorMs(pids);
        const values = (await process.ask('whole', { agentId, times, number })) as number[];
        const after = processorMs(pids);
        const processor = before === null || after === null ? null : (after - before) / number / times;
        return { elapsed: median(values) / number, processor };
      };
      await measure(few, quick ? 1 : 20); // of code that has not been compiled yet
      const pairs = [];
      for (let round = 1; round <= rounds; round += 1) {
        say(`items: round ${round} of ${rounds}`);
        pairs.push({ few: await measure(few, quick ? 2 : 30), many: await measure(many, 1) });
      }
      const processor = pairs.flatMap(({ few: a, many: b }) => (a.processor && b.processor !== null ? [b.processor / a.processor] : []));
      return {
        tables: [
          {
            title: `Cost per item of a forEach; lower is better`,
            format: 'ratio',
            columns: ['elapsed', 'processor'],
            rows: [
              {
                what: `${many} items : ${few} items`,
                values: [
                  median(pairs.map((pair) => pair.many.elapsed / pair.few.elapsed)),
                  processor.length > 0 ? median(processor) : null,
                ],
                target: '≤1.3',
              },
            ],
          },
        ],
        machineSpecific: { millisecondsPerItem: pairs },
      };
    } finally {
      await process.close();
    }
  },
};

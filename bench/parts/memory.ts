// Waiting costs no memory: a process with gateway and runner before and after it has brought 10,000 executions to wait.
import { setTimeout as delay } from 'node:timers/promises';
import type { Part } from '../part.ts';
import { startContender } from '../process.ts';
import { freshName } from '../stand.ts';

const waiting = `
    - id: rest
      wait: 12h
`;

/** An answer must not take long. */
const atATime = 250;

interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
}

export const memory: Part = {
  name: 'memory',
  summary: 'memory of a process (gateway and runner) with 10,000 waiting executions against 500',
  async run(stand, { quick }, say) {
    const [few, many] = quick ? [20, 40] : [500, 10_000];
    const agentId = await stand.agent(freshName('waiting'), waiting);
    const setup = { place: stand.place, agentId, dataDir: stand.newFolder('whole') };
    const process = await startContender(new URL('../contenders/whole.ts', import.meta.url), setup, ['--expose-gc']);
    try {
      const holding = async (executions: number, more: number) => {
        say(`memory: ${executions} waiting`);
        for (let left = more; left > 0; left -= atATime) await process.ask('start', Math.min(left, atATime));
        for (;;) {
          const { rows } = await stand.admin.query<{ waiting: number }>(
            `select count(*)::int as waiting from executions where agent_id = $1 and status = 'waiting'`,
            [agentId],
          );
          if (rows[0]!.waiting >= executions) break;
          await delay(200);
        }
        await delay(1_000); // for what is on its way out
        return (await process.ask('memory')) as Memory;
      };
      const before = await holding(few, few);
      const after = await holding(many, many - few);
      return {
        tables: [
          {
            title: 'Memory of one process; lower is better',
            format: 'ratio',
            columns: ['resident', 'heap in use'],
            rows: [
              {
                what: `${many} waiting : ${few} waiting`,
                values: [after.rss / before.rss, after.heapUsed / before.heapUsed],
                target: null,
              },
            ],
          },
        ],
        machineSpecific: { before, after, bytesPerWaiting: (after.heapUsed - before.heapUsed) / (many - few) },
      };
    } finally {
      await process.close();
    }
  },
};

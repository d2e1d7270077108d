// What governing costs a caller: asking about a call of an outside loop, against a commit of one row; and how soon a kill switch has
// ended the last running effect.
import type { Part } from '../part.ts';
import { startContender } from '../process.ts';
import { quantile } from '../statistics.ts';
import { freshName, tool, type Stand } from '../stand.ts';

const oneStep = `
    - id: one
      tool: bench.work
      with: { number: 1 }
`;
const killTargetMs = 250;

export const governance: Part = {
  name: 'governance',
  summary: 'authorizeToolCall against a commit of one row, and kill switch to last effect as a share of its target',
  async run(stand, { quick }, say) {
    const times = quick ? 20 : 500;
    const kills = quick ? 3 : 40;
    const effects = quick ? 4 : 20;
    const agentId = await stand.agent(freshName('governed'), oneStep);
    const process = await startContender(new URL('../contenders/governed.ts', import.meta.url), { place: stand.place, agentId, tool });
    try {
      await process.ask('authorize', { times: quick ? 5 : 100 }); // of code that has not been compiled yet
      await stand.analyze();
      say(`governance: ${times} calls asked about`);
      const authorize = (await process.ask('authorize', { times })) as number[];
      const commit = await commits(stand, times);
      say(`governance: ${kills} times a kill switch under ${effects} running effects`);
      const kill = (await process.ask('kill', { times: kills, effects })) as number[];
      return {
        tables: [
          {
            title: 'Governing an outside loop; lower is better',
            format: 'ratio',
            columns: ['p50', 'p99'],
            rows: [
              {
                what: 'authorizeToolCall : a commit of one row',
                values: [0.5, 0.99].map((share) => quantile(authorize, share) / quantile(commit, share)),
                target: null,
              },
              {
                what: 'kill switch acknowledged to last effect ended',
                values: [null, quantile(kill, 0.99) / killTargetMs],
                target: `≤1 (p99 ${killTargetMs} ms)`,
              },
            ],
          },
        ],
        machineSpecific: { milliseconds: { authorize, commit, kill } },
      };
    } finally {
      await process.close();
    }
  },
};

/** Milliseconds of one insert and its commit, one after the other. */
async function commits({ admin }: Stand, times: number): Promise<number[]> {
  await admin.query('create table one_row (id int, value text)');
  const values: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const startedAt = performance.now();
    await admin.query('insert into one_row values ($1, $2)', [n, 'x'.repeat(500)]);
    values.push(performance.now() - startedAt);
  }
  await admin.query('drop table one_row');
  return values;
}

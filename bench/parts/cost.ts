// What a step costs Postgres: statements, commits and bytes of its log, beside the same rows written by hand.
import { setTimeout as delay } from 'node:timers/promises';
import type { Part } from '../part.ts';
import { runRound, startContender, type ContenderProcess } from '../process.ts';
import { freshName, threeSteps, tool, type Stand } from '../stand.ts';

const stepsOfExecution = 3;

interface Cost {
  readonly statements: number;
  readonly commits: number;
  readonly bytes: number;
}

export const cost: Part = {
  name: 'cost',
  summary: 'statements, commits and log bytes per step, and against the same rows written by hand',
  async run(stand, { quick, concurrency }, say) {
    const { place } = stand;
    const agentId = await stand.agent(freshName('three'), threeSteps);
    const program = (name: string) => new URL(`../contenders/${name}.ts`, import.meta.url);
    const windowMs = quick ? 300 : 3_000;
    say('cost: Signalbox');
    const signalbox = await measured(stand, windowMs, () => startContender(program('signalbox'), { place, agentId, tool, concurrency }));
    const likeExecutionId = await stand.lastSucceeded(agentId);
    say('cost: by hand');
    const byHand = await measured(stand, windowMs, () => startContender(program('by-hand'), { place, likeExecutionId, pipeline: false }));
    const columns = ['statements', 'commits', 'log bytes'];
    const values = ({ statements, commits, bytes }: Cost) => [statements, commits, bytes];
    return {
      tables: [
        {
          title: 'Per step of an execution of three (its start and end included)',
          format: 'count',
          columns,
          rows: [
            { what: 'Signalbox', values: values(signalbox), target: null },
            { what: 'by hand', values: values(byHand), target: null },
          ],
        },
        {
          title: 'The same as ratios; lower is better',
          format: 'ratio',
          columns,
          rows: [
            { what: 'Signalbox : by hand', values: values(signalbox).map((value, index) => value / values(byHand)[index]!), target: null },
          ],
        },
      ],
      machineSpecific: { signalbox, byHand },
    };
  },
};

/** Counts what the server did for executions one after the other, the queue's own statements and polls included. */
async function measured({ admin }: Stand, windowMs: number, start: () => Promise<ContenderProcess>): Promise<Cost> {
  const number = async (sql: string) => Number((await admin.query<{ value: string }>(sql)).rows[0]!.value);
  // A connection tells of its commits when it ends, so they are counted over the whole life of the process.
  const commits = () => number('select xact_commit as value from pg_stat_database where datname = current_database()');
  const position = () => number(`select pg_current_wal_insert_lsn() - '0/0' as value`);
  const commitsBefore = await commits();
  const process = await start();
  const warmUp = await runRound([process], { inFlight: 8, windowMs });
  await admin.query('select pg_stat_statements_reset()');
  const positionBefore = await position();
  const { ended } = await runRound([process], { inFlight: 1, windowMs });
  const bytes = (await position()) - positionBefore;
  const statements = await number(`select sum(calls) as value from pg_stat_statements where query !~* '^(begin|commit)'`);
  await process.close();
  await delay(200); // its connections end a moment after it
  const committed = (await commits()) - commitsBefore;
  const steps = ended * stepsOfExecution;
  return { statements: statements / steps, commits: committed / ((warmUp.ended + ended) * stepsOfExecution), bytes: bytes / steps };
}

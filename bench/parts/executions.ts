// Executions of three steps per second: Signalbox beside a bare loop that writes the same rows, DBOS, Restate and no-op jobs.
// All do a round at each setting before any does the next, so that what else the machine does hits all of them.
import { startContender, runRound, type ContenderProcess } from '../process.ts';
import { installPeers, startRestate } from '../peers.ts';
import { processorMs } from '../processor.ts';
import { median } from '../statistics.ts';
import { freshName, threeSteps, tool, type Stand } from '../stand.ts';
import type { Options, Part, PartResult, Row, Table } from '../part.ts';

interface Contestant {
  readonly name: string;
  /** Servers that work for it, besides its own processes. */
  readonly servers: readonly number[];
  start(index: number): Promise<ContenderProcess>;
}

interface Measured {
  readonly perSecond: number[];
  readonly processorMs: number[];
}

const signalbox = 'Signalbox';
const targets: Readonly<Record<string, number>> = { 'by hand': 0.8, 'DBOS 5.3': 2.5, 'Restate 1.7': 1.2 };
const program = (path: string) => new URL(`../${path}`, import.meta.url);

export const executions: Part = {
  name: 'executions',
  summary: 'governed executions of three steps per second, beside a bare loop, DBOS, Restate and no-op jobs',
  async run(stand, options, say) {
    const closing = new AsyncDisposableStack();
    try {
      return await measured(stand, await contestantsOf(stand, options, say, closing), options, say, closing);
    } finally {
      await closing.disposeAsync();
    }
  },
};

async function measured(
  stand: Stand,
  contestants: readonly Contestant[],
  options: Options,
  say: (line: string) => void,
  closing: AsyncDisposableStack,
): Promise<PartResult> {
  const levels = options.quick ? [8] : [1, 32, 128];
  const processCounts = options.quick ? [1] : [1, 2];
  const running = new Map<Contestant, ContenderProcess[]>(contestants.map((contestant) => [contestant, []]));
  closing.defer(async () => {
    await Promise.all([...running.values()].flat().map((process) => process.close()));
  });
  const tables: Table[] = [];
  const figures: Record<string, unknown>[] = [];
  for (const count of processCounts) {
    for (const [contestant, processes] of running) {
      while (processes.length < count) processes.push(await contestant.start(processes.length));
    }
    const results = new Map<string, Measured>();
    // Code is compiled and statements are planned on each connection before anything counts.
    for (const [{ name }, processes] of running) {
      say(`executions: ${name} warms up`);
      await runRound(processes, { inFlight: levels.at(-1)!, windowMs: options.warmUpMs });
    }
    await stand.analyze();
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const inFlight of levels) {
        for (const [{ name, servers }, processes] of running) {
          say(`executions: ${count} process${count > 1 ? 'es' : ''}, ${inFlight} in flight, round ${round} of ${options.rounds}, ${name}`);
          const pids = [...servers, ...processes.map(({ pid }) => pid)];
          const before = processorMs(pids);
          const { perSecond, ended } = await runRound(processes, { inFlight, windowMs: options.roundMs });
          const after = processorMs(pids);
          const entry = results.get(`${inFlight} ${name}`) ?? { perSecond: [], processorMs: [] };
          results.set(`${inFlight} ${name}`, entry);
          entry.perSecond.push(perSecond);
          if (before !== null && after !== null && ended > 0) entry.processorMs.push((after - before) / ended);
        }
      }
    }
    tables.push(tableOf(count, levels, contestants, results));
    figures.push({ processes: count, measured: Object.fromEntries(results) });
  }
  return { tables, machineSpecific: figures };
}

async function contestantsOf(
  stand: Stand,
  { quick, peers, concurrency }: Options,
  say: (line: string) => void,
  closing: AsyncDisposableStack,
): Promise<Contestant[]> {
  const { place, postmasterPid } = stand;
  const agentId = await stand.agent(freshName('three'), threeSteps);
  const own: Contestant = {
    name: signalbox,
    servers: [postmasterPid],
    start: () => startContender(program('contenders/signalbox.ts'), { place, agentId, tool, concurrency }),
  };
  // What the bare loop writes again: an execution that a runner has carried.
  const first = await own.start(0);
  await runRound([first], { inFlight: 1, windowMs: 100 });
  await first.close();
  const likeExecutionId = await stand.lastSucceeded(agentId);
  const byHand = (name: string, pipeline: boolean): Contestant => ({
    name,
    servers: [postmasterPid],
    start: () => startContender(program('contenders/by-hand.ts'), { place, likeExecutionId, pipeline }),
  });
  const contestants = [own, byHand('by hand', false)];
  if (quick) return contestants;
  const jobsUrl = await stand.createDatabase(freshName('jobs'));
  contestants.push(byHand('by hand, pipelined', true), {
    name: 'no-op jobs',
    servers: [postmasterPid],
    start: () => startContender(program('contenders/jobs.ts'), { url: jobsUrl, concurrency }),
  });
  if (!peers) return contestants;
  await installPeers(say);
  const dbosUrl = await stand.createDatabase(freshName('dbos'));
  const restate = await startRestate(stand.newFolder('restate'));
  closing.defer(() => restate.stop());
  const { adminUrl, ingressUrl } = restate;
  contestants.push(
    {
      name: 'DBOS 5.3',
      servers: [postmasterPid],
      start: (index) => startContender(program('peers/dbos.ts'), { url: dbosUrl, executorId: `bench-${index}` }),
    },
    {
      name: 'Restate 1.7',
      servers: [restate.pid],
      start: (index) => startContender(program('peers/restate.ts'), { adminUrl, ingressUrl, service: `three${index}` }),
    },
  );
  return contestants;
}

/** Signalbox over each other: of one round and setting, then the median. Of processor time, the other over Signalbox. */
function tableOf(
  count: number,
  levels: readonly number[],
  contestants: readonly Contestant[],
  measured: ReadonlyMap<string, Measured>,
): Table {
  const others = contestants.map(({ name }) => name).filter((name) => name !== signalbox);
  const rows: Row[] = others.map((other) => {
    const ratios = levels.map((level) => {
      const [own, theirs] = [measured.get(`${level} ${signalbox}`)!, measured.get(`${level} ${other}`)!];
      return median(own.perSecond.map((value, round) => value / theirs.perSecond[round]!));
    });
    const [own, theirs] = [measured.get(`${levels.at(-1)} ${signalbox}`)!, measured.get(`${levels.at(-1)} ${other}`)!];
    const perProcessor = own.processorMs.map((value, round) => theirs.processorMs[round]! / value);
    return {
      what: `Signalbox : ${other}`,
      values: [...ratios, perProcessor.length > 0 ? median(perProcessor) : null],
      target: targets[other] === undefined ? null : `≥${targets[other]}`,
    };
  });
  return {
    title: `Executions of three steps per second, ${count} runner process${count > 1 ? 'es' : ''}; higher is better for Signalbox`,
    format: 'ratio',
    columns: [...levels.map((level) => `${level} in flight`), 'per processor second'],
    rows,
  };
}

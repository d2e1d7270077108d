// `npm run simulate -- --seeds N [--from S] [--workers N] [--json]`: random executions, each from a seed, in a world where everything
// goes wrong at a moment the seed decides: the machine, its service, gate, approvals and the runner's carriers as they are, on a real
// Postgres; only time, people, effects and which job runs next are the simulation's (test/harness/simulation.ts).
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { someSeed } from '#test/harness/random.ts';
import type { FromWorker, ToWorker } from '#test/harness/simulation-worker.ts';
import { withTestServer } from './test-server.ts';

const worker = fileURLToPath(new URL('../test/harness/simulation-worker.ts', import.meta.url));
const maxSeed = 2 ** 32 - 1;

const wholeNumber = (min: number, max: number) => (text: string) => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
};

interface Options {
  readonly seeds: number;
  readonly from?: number;
  readonly workers: number;
  readonly json: boolean;
}

interface Report {
  readonly from: number;
  readonly seeds: number;
  readonly passed: number;
  readonly failures: { readonly seed: number; readonly message: string; readonly rerun: string }[];
  readonly seconds: number;
  readonly ticks: number;
  readonly statuses: Record<string, number>;
  /** How often each kind of fault happened. */
  readonly faults: Record<string, number>;
}

const program = new Command('simulate')
  .description('Lives through random executions while everything goes wrong, and checks them.')
  .option('--seeds <number>', 'how many', wholeNumber(1, maxSeed), 1_000)
  .option('--from <seed>', 'the first seed; a random one when left out', wholeNumber(0, maxSeed))
  .option('--workers <number>', 'processes, each with a database of its own', wholeNumber(1, 64), availableParallelism())
  .option('--json', 'print one JSON object at the end instead of lines', false)
  .action(async (options: Options) => {
    const report = await withTestServer(() => simulate(options));
    if (options.json) console.log(JSON.stringify(report, null, 2));
    else print(report);
    process.exitCode = report.failures.length === 0 && report.passed === report.seeds ? 0 : 1;
  });
await program.parseAsync();

async function simulate({ seeds, from = someSeed() % (maxSeed - seeds), workers, json }: Options): Promise<Report> {
  const began = performance.now();
  const report = { from, seeds, passed: 0, failures: [] as Report['failures'], ticks: 0, statuses: {}, faults: {} };
  let next = from;
  let toldAt = began;
  const seconds = () => Math.round((performance.now() - began) / 100) / 10;
  const take = (message: FromWorker) => {
    if (message.type === 'lived') {
      report.passed += 1;
      report.ticks += message.life.ticks;
      for (const status of message.life.statuses) add(report.statuses, status, 1);
      for (const [kind, count] of Object.entries(message.life.faults)) add(report.faults, kind, count);
    } else if (message.type === 'failed') {
      const { seed } = message;
      report.failures.push({ seed, message: message.message, rerun: `npm run simulate -- --seeds 1 --from ${seed}` });
      if (!json) console.log(`✖ seed ${seed} (again: npm run simulate -- --seeds 1 --from ${seed})\n${message.message}\n`);
    }
    if (json || performance.now() - toldAt < 10_000) return;
    toldAt = performance.now();
    console.log(`${report.passed + report.failures.length} of ${seeds} seeds after ${seconds()} s, ${report.failures.length} failed`);
  };

  const children: ChildProcess[] = [];
  const stop = () => {
    for (const child of children) child.kill();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const lives = Array.from({ length: Math.min(workers, seeds) }, async () => {
    const child = fork(worker, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    children.push(child);
    const tell = (message: ToWorker) => void child.send(message);
    child.on('message', (message: FromWorker) => {
      take(message);
      // A few failures say enough.
      if (next < from + seeds && report.failures.length < 5) tell({ seed: next++ });
      else tell({ stop: true });
    });
    await once(child, 'exit');
  });
  await Promise.all(lives);
  return { ...report, seconds: seconds() };
}

function add(counts: Record<string, number>, name: string, count: number): void {
  counts[name] = (counts[name] ?? 0) + count;
}

function print({ from, seeds, passed, failures, seconds, ticks, statuses, faults }: Report): void {
  const list = (counts: Record<string, number>) =>
    Object.entries(counts)
      .toSorted(([, a], [, b]) => b - a)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ');
  console.log(`seeds ${from} to ${from + seeds - 1}: ${passed} passed, ${failures.length} failed, in ${seconds} s (${ticks} moments)`);
  console.log(`ended: ${list(statuses)}`);
  console.log(`faults: ${list(faults)}`);
}

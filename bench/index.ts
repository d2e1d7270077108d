// `npm run bench [-- part …]`: measures Signalbox against the bare rows and against peers, in one run on one Postgres of its own.
// Ratios on stdout, progress on stderr. Nothing is left behind: neither files nor processes.
import { Command, InvalidArgumentError } from 'commander';
import { printed, type Options, type Part, type PartResult } from './part.ts';
import { cost } from './parts/cost.ts';
import { executions } from './parts/executions.ts';
import { fanOut } from './parts/fan-out.ts';
import { governance } from './parts/governance.ts';
import { items } from './parts/items.ts';
import { latency } from './parts/latency.ts';
import { nested } from './parts/nested.ts';
import { memory } from './parts/memory.ts';
import { policies } from './parts/policies.ts';
import { reads } from './parts/reads.ts';
import { killAll } from './process.ts';
import { openStand } from './stand.ts';

const parts: readonly Part[] = [executions, latency, items, cost, memory, policies, governance, fanOut, nested, reads];

const atLeastOne = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number of at least 1');
  return value;
};

const command = new Command('npm run bench --')
  .description('Measures Signalbox: ratios to what limits it and to peers. All parts, or those named.')
  .argument('[part...]', `parts to run: ${parts.map(({ name }) => name).join(', ')}`)
  .option('--json', 'print JSON, with the figures of this machine beside the ratios', false)
  .option('--quick', 'the smallest size of everything, without peers: shows that it works, measures little', false)
  .option('--no-peers', 'leave other products out (they are installed into bench/peers on first use)')
  .option('--rounds <number>', 'rounds that count at each setting', atLeastOne, 3)
  .option('--round-ms <milliseconds>', 'length of a round', atLeastOne, 800)
  .option('--warm-up-ms <milliseconds>', 'load on each contender before its first round', atLeastOne, 6_000)
  .option('--data <folder>', 'where "reads" keeps the worlds that it generates, and finds them the next time')
  .option('--concurrency <jobs>', 'jobs at a time in a runner process', atLeastOne, 16)
  .addHelpText('after', `\nParts:\n${parts.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`).join('\n')}`);
command.parse();

interface Flags extends Omit<Options, never> {
  readonly json: boolean;
}
const { json, ...flags } = command.opts<Flags>();
const options: Options = flags.quick ? { ...flags, peers: false, rounds: 1, roundMs: 300, warmUpMs: 300 } : flags;
const unknown = command.args.filter((name) => !parts.some((part) => part.name === name));
if (unknown.length > 0) command.error(`unknown part "${unknown.join('", "')}"; parts are ${parts.map(({ name }) => name).join(', ')}`);
const chosen = command.args.length === 0 ? parts : parts.filter(({ name }) => command.args.includes(name));

process.on('exit', killAll);
const say = (line: string) => console.error(line);
const interrupted = Promise.withResolvers<never>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.reject(new Error(`stopped by ${signal}`)));

const results: Record<string, PartResult> = {};
try {
  for (const part of chosen) {
    const stand = await openStand();
    try {
      const result = await Promise.race([part.run(stand, options, say), interrupted.promise]);
      results[part.name] = result;
      if (!json) console.log(`${result.tables.map(printed).join('\n\n')}\n`);
    } finally {
      await stand.close();
    }
  }
  if (json) console.log(JSON.stringify(results, null, 2));
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

// `npm run cluster [-- --gateways n --workers n --port n --folder path]`: the topology of deploy/ on this machine, until Ctrl-C.
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { OperatorError } from '#src/platform/errors.ts';
import type { Member } from './cluster/member.ts';
import { startCluster, type Cluster } from './cluster/topology.ts';

interface Options {
  readonly gateways: number;
  readonly workers: number;
  readonly port: number;
  readonly folder: string;
}

const wholeNumber = (min: number, max: number) => (text: string) => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
};

const say = (line: string): void => console.log(line);
/** One that ends as soon as it is started must not keep the machine busy. */
const againMs = 1_000;

await new Command('npm run cluster --')
  .description(
    'Runs gateways and runners as separate processes with Postgres, Redis and HAProxy, as deploy/ does. Ctrl-C stops everything in order.',
  )
  .option('--gateways <number>', 'gateways behind HAProxy', wholeNumber(1, 32), 2)
  .option('--workers <number>', 'runners', wholeNumber(1, 32), 2)
  .option('--port <number>', 'where HAProxy listens; 0 takes a free port', wholeNumber(0, 65_535), 4400)
  .option('--folder <path>', 'where Postgres, logs and keys are kept', './.signalbox-cluster')
  .addHelpText(
    'after',
    '\nGateways and runners get the environment of this command: SIGNALBOX_CONFIG, SIGNALBOX_LOG_LEVEL and so on (.env.example).',
  )
  .action(main)
  .parseAsync();

async function main({ gateways, workers, port, folder }: Options): Promise<void> {
  let cluster: Cluster | undefined;
  let isStopping = false;
  const signal = firstSignal(() => {
    isStopping = true;
    if (!cluster) process.exit(1); // what has started notices
  });
  function onLost(member: Member): void {
    if (isStopping || !cluster) return;
    say(`${member.name} has ended; starting it again (what it said: ${member.logFile})`);
    setTimeout(() => {
      if (isStopping) return;
      member.start().then(
        () => say(`${member.name} is ready again (process ${member.pid})`),
        (error: unknown) => say(`${member.name} could not be started: ${(error as Error).message}`),
      );
    }, againMs);
  }
  try {
    cluster = await startCluster({ gateways, workers, port, folder: resolve(folder), env: process.env, say, onLost });
  } catch (error) {
    console.error(error instanceof OperatorError ? `cluster: ${error.message}` : error);
    process.exit(1);
  }
  say(`\nGraphQL at ${cluster.url}/graphql, GraphiQL at ${cluster.url}, logs in ${resolve(folder)}`);
  if (cluster.firstKey) say(`admin key (shown only this once): ${cluster.firstKey.token}`);
  await cluster.firstKey?.shown();
  say('Ctrl-C stops everything in order; kill any of the processes to see it come back.');
  await signal;
  say('\nStopping; a second Ctrl-C stops at once.');
  await cluster.stop();
  process.exit(0);
}

/** The second signal ends this process; the others notice (see cluster/member.ts). */
function firstSignal(onFirst: () => void): Promise<void> {
  return new Promise((resolveFirst) => {
    let seen = false;
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        if (seen) process.exit(1);
        seen = true;
        onFirst();
        resolveFirst();
      });
    }
  });
}

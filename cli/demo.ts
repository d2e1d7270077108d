// `signalbox demo`: everything in one process, and an agent that really does something while you watch.
import { Command } from 'commander';
import type { DemoOptions } from './demo/start.ts';
import { withHelp } from './help.ts';
import { run } from './run.ts';

const description = [
  'Starts everything, runs the agent log-triage on generated log files while you watch, and keeps serving.',
  'The agent lists the files, reads each, sums up their errors, and asks before it writes its report: you decide, as a second person.',
  'Kill the demo anywhere and run it again: it goes on with the same execution. Once that was shown to its end, the next run starts a new one. Everything is in the data folder; delete that to begin from nothing.',
].join('\n\n');

export const demoCommand = withHelp(
  new Command('demo')
    .summary('Starts everything and runs an agent while you watch.')
    .description(description)
    .option('--yes', 'approve as the second person without asking', false)
    .option('--exit', 'stop when the execution has ended: code 0 if it succeeded or you rejected its report, else 1', false)
    .action((options: DemoOptions) =>
      run(async ({ config, logger }) => (await import('./demo/start.ts')).startDemo(config, logger, options)),
    ),
  { examples: ['signalbox demo', 'signalbox demo --yes --exit', 'SIGNALBOX_DATA_DIR=/tmp/demo SIGNALBOX_HTTP_PORT=4401 signalbox demo'] },
);

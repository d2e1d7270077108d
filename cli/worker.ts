// `signalbox worker`: a runner without API; start as many as needed.
import { Command } from 'commander';
import { withHelp } from './help.ts';
import { serve } from './serve.ts';

export const workerCommand = withHelp(
  new Command('worker')
    .description('Carries executions only: takes jobs, passes the gate, calls tools. Tool servers are read from SIGNALBOX_CONFIG.')
    .action(() => serve({ gateway: false, runner: true })),
  {
    reads: ['SIGNALBOX_DATA', 'SIGNALBOX_LOG', 'DATABASE', 'REDIS', 'SIGNALBOX_RUNNER', 'SIGNALBOX_SECRET', 'SIGNALBOX_OUTBOUND'],
    examples: ['SIGNALBOX_CONFIG=signalbox.yaml signalbox worker', 'SIGNALBOX_RUNNER_CONCURRENCY=64 signalbox worker'],
  },
);

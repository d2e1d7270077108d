// `signalbox start`: gateway and runner in one process.
import { Command } from 'commander';
import { withHelp } from './help.ts';
import { serve } from './serve.ts';

export const startCommand = withHelp(
  new Command('start')
    .description("Runs gateway and runner in one process, with Signalbox's own Postgres unless DATABASE_URL is set.")
    .action(() => serve({ gateway: true, runner: true })),
  {
    examples: [
      'signalbox start',
      'SIGNALBOX_HTTP_PORT=8080 SIGNALBOX_CONFIG=signalbox.yaml signalbox start',
      'DATABASE_URL=postgres://owner:secret@db:5432/signalbox NODE_ENV=production signalbox start',
    ],
  },
);

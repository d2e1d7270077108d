// `signalbox gateway`: the API without a runner; start as many as needed.
import { Command } from 'commander';
import { withHelp } from './help.ts';
import { serve } from './serve.ts';

export const gatewayCommand = withHelp(
  new Command('gateway')
    .description('Serves the API only; executions are carried by `signalbox worker` processes.')
    .action(() => serve({ gateway: true, runner: false })),
  {
    reads: [
      'NODE_ENV',
      'SIGNALBOX_DATA',
      'SIGNALBOX_LOG',
      'SIGNALBOX_HTTP',
      'DATABASE',
      'REDIS',
      'SIGNALBOX_LIMIT',
      'SIGNALBOX_OPERATIONS',
      'SIGNALBOX_OIDC',
      'SIGNALBOX_SECRET',
      'SIGNALBOX_OUTBOUND',
    ],
    examples: ['signalbox gateway', 'SIGNALBOX_HTTP_HOST=0.0.0.0 SIGNALBOX_HTTP_PORT=8080 signalbox gateway'],
  },
);

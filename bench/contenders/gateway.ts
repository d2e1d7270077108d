// A gateway as `signalbox gateway` makes it, with everything it does on a request but one: how often one principal may ask.
import { loadConfig } from '#src/config.ts';
import { createLogger } from '#src/platform/logger.ts';
import { startProcess } from '../../cli/process.ts';
import type { NestedSetup } from '../nested/operation.ts';
import { serveContender } from '../protocol.ts';

serveContender(async ({ appUrl, ownerUrl, dataDir }: NestedSetup) => {
  const env = {
    SIGNALBOX_DATA_DIR: dataDir,
    DATABASE_URL: ownerUrl,
    DATABASE_APP_URL: appUrl,
    SIGNALBOX_HTTP_HOST: '127.0.0.1',
    SIGNALBOX_HTTP_PORT: '0',
    SIGNALBOX_LIMIT_REQUESTS_PER_SECOND: '1000000',
    SIGNALBOX_LIMIT_REQUEST_BURST: '1000000',
  };
  const gateway = await startProcess(loadConfig({ env }), { gateway: true, runner: false }, createLogger({ level: 'error' }));
  return {
    begin: async () => undefined,
    async ask(question) {
      if (question === 'url') return `${gateway.url}/graphql`;
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    },
    close: () => gateway.stop('the benchmark has ended'),
  };
});

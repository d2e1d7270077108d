// A whole Signalbox process, gateway and runner as `signalbox start` makes them, that says how much memory it holds.
import { loadConfig } from '#src/config.ts';
import { createLogger } from '#src/platform/logger.ts';
import { startProcess } from '../../cli/process.ts';
import { serveContender } from '../protocol.ts';
import type { Place } from '../stand.ts';

export interface WholeSetup {
  readonly place: Place;
  readonly agentId: string;
  readonly dataDir: string;
}

serveContender(async ({ place, agentId, dataDir }: WholeSetup) => {
  const { environmentId, authority } = place;
  const env = {
    SIGNALBOX_DATA_DIR: dataDir,
    DATABASE_URL: place.ownerUrl,
    DATABASE_APP_URL: place.appUrl,
    SIGNALBOX_HTTP_HOST: '127.0.0.1',
    SIGNALBOX_HTTP_PORT: '0',
  };
  const whole = await startProcess(loadConfig({ env }), { gateway: true, runner: true }, createLogger({ level: 'error' }));
  const { executions } = whole.services;
  const begin = async () => {
    await whole.database.write(authority.tenantId, (uow) => executions.startExecution(uow, authority, { agentId, environmentId }));
  };
  return {
    begin,
    /** Starts so many executions, ten at a time, or says how many bytes the process holds after collecting garbage. */
    async ask(question, input) {
      if (question === 'start') {
        let left = input as number;
        const starting = Array.from({ length: 10 }, async () => {
          for (; left > 0;) {
            left -= 1;
            await begin();
          }
        });
        await Promise.all(starting);
        return null;
      }
      globalThis.gc?.();
      const { rss, heapUsed } = process.memoryUsage();
      return { rss, heapUsed };
    },
    close: () => whole.stop('the benchmark has ended'),
  };
});

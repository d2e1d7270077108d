// No-op jobs of graphile-worker, one per execution: what its queue alone costs. The same queue, with the settings of a runner.
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';
import { serveContender } from '../protocol.ts';

export interface JobsSetup {
  readonly url: string;
  readonly concurrency: number;
}

serveContender(async ({ url, concurrency }: JobsSetup, finished) => {
  const logger = new Logger(() => () => undefined);
  const pgPool = new pg.Pool({ connectionString: url, max: concurrency + 10 });
  // The queue wants handlers; what cannot be mended ends the process by itself.
  pgPool.on('error', console.error);
  pgPool.on('connect', (client) => client.on('error', console.error));
  const utils = await makeWorkerUtils({ pgPool, logger });
  await utils.migrate();
  const queue = await run({
    pgPool,
    logger,
    noHandleSignals: true,
    concurrency,
    pollInterval: 1_000,
    taskList: { nothing: () => finished() },
  });
  return {
    async begin() {
      await utils.addJob('nothing', {});
    },
    async close() {
      await queue.stop();
      await utils.release();
      await pgPool.end();
    },
  };
});

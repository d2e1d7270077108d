// Looks after the partitions of decision records, and simulations on them, now and then, on a connection of the queue. What is done
// stands in decision-retention.ts and simulation-retention.ts.
import type pg from 'pg';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { keepDecisions, type RetentionSettings } from '../decisions/decision-retention.ts';
import { dropSimulations } from '../simulations/simulation-retention.ts';

export interface DecisionKeeper {
  start(): void;
  /** Resolves when no look is under way. */
  stop(): Promise<void>;
}

const everyMs = 3_600_000;

export function createDecisionKeeper(deps: {
  readonly pool: Pick<pg.Pool, 'connect'>;
  readonly settings: RetentionSettings;
  readonly clock: Clock;
  readonly logger: Logger;
}): DecisionKeeper {
  const { pool, settings, clock, logger } = deps;
  let timer: NodeJS.Timeout | undefined;
  let busy: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    try {
      const client = await pool.connect();
      try {
        // First: a folder that cannot be written to must not keep them.
        const dropped = settings.retentionDays === undefined ? 0 : await dropSimulations(client, clock, settings.retentionDays);
        if (dropped > 0) logger.info({ dropped }, 'simulations that are older than decisions are kept were dropped');
        const { exported } = await keepDecisions(client, clock, settings);
        for (const path of exported) logger.info({ path }, 'decisions of a week were exported and dropped');
      } finally {
        client.release();
      }
    } catch (err) {
      logger.warn({ err }, 'could not look after decision records; trying again in an hour');
    }
  }

  return {
    start() {
      const again = () => {
        busy = busy.then(look);
      };
      again();
      timer = setInterval(again, everyMs);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await busy;
    },
  };
}

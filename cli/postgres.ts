// The database of a process: the one of DATABASE_URL, or its own in the data folder; brought to this version either way.
import { join } from 'node:path';
import type { Config } from '#src/config.ts';
import { migrate } from '#src/migrate.ts';
import { startEmbeddedPostgres } from '#src/platform/embedded-postgres.ts';
import type { Logger } from '#src/platform/logger.ts';

export interface OpenPostgres {
  /** The role that owns tables and job queue. */
  readonly ownerUrl: string;
  /** How the application connects: with its own login, or as the owner who acts as it. */
  readonly app: { readonly url: string; readonly actAs?: string };
  /** Names of the migrations that were applied. */
  readonly applied: readonly string[];
  stop(): Promise<void>;
}

const defaultAppRole = 'signalbox_app';

/** `say` hears what takes long, and what is ready. */
export async function openPostgres(config: Config, logger: Logger, say: (line: string) => void = () => {}): Promise<OpenPostgres> {
  const { url, appUrl, embeddedPort } = config.database;
  if (url !== undefined) {
    const appRole = appUrl === undefined ? defaultAppRole : decodeURIComponent(new URL(appUrl).username);
    const applied = await migrate({ ownerUrl: url, appRole, ownerActsAsApp: appUrl === undefined });
    return { ownerUrl: url, app: appUrl === undefined ? { url, actAs: appRole } : { url: appUrl }, applied, stop: async () => {} };
  }
  const log = {
    info(message: string) {
      logger.info(message);
      say(message);
    },
    warn: (message: string) => logger.warn(message),
    error: (message: string) => logger.error(message),
  };
  const server = await startEmbeddedPostgres({ folder: join(config.dataDir, 'postgres'), port: embeddedPort, log });
  try {
    const { ownerUrl, appRole, appPassword, appUrl: ownAppUrl } = server;
    say(`Postgres is ready on 127.0.0.1:${server.port}`);
    const applied = await migrate({ ownerUrl, appRole, appPassword });
    return { ownerUrl, app: { url: ownAppUrl }, applied, stop: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

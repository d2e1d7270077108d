// MikroORM's options in one place: entities, pool, migrations. Connections carry `application_name=signalbox`.
import { Migrator } from '@mikro-orm/migrations';
import { defineConfig, type Options } from '@mikro-orm/postgresql';
import { migrations } from '../migrations/index.ts';
import { entities } from './entities.ts';
import { releaseLostConnections } from './platform/lost-connections.ts';

export interface OrmSettings {
  /** postgres:// URL of the role to connect as. */
  readonly url: string;
  /** Connect as the URL's role, then act as this one (a role that owns nothing). */
  readonly actAs?: string | undefined;
  readonly poolMax: number;
  /** Folder that `npm run generate` writes migrations to. */
  readonly migrationsPath?: string | undefined;
}

/** A process that freezes in the middle of a transaction holds its locks no longer than this; milliseconds. */
const idleTransactionMs = 15_000;

export function ormOptions({ url, actAs, poolMax, migrationsPath }: OrmSettings): Options {
  return defineConfig({
    clientUrl: url,
    entities,
    extensions: [Migrator],
    discovery: { warnWhenNoEntities: true },
    pool: { min: 0, max: poolMax },
    driverOptions: {
      application_name: 'signalbox',
      idle_in_transaction_session_timeout: idleTransactionMs,
      ...(actAs && { options: `-c role=${actAs}` }),
      onPoolCreated: releaseLostConnections,
    },
    migrations: {
      migrationsList: [...migrations],
      ...(migrationsPath && { path: migrationsPath }),
      emit: 'ts',
      fileName: (timestamp, name) => `${timestamp}${name ? `-${name}` : ''}`,
      snapshotName: '.snapshot',
      tableName: 'signalbox_migrations',
      transactional: true,
      allOrNothing: true,
      silent: true,
      snapshotOnMigrate: false, // only `npm run generate` writes files
    },
    schemaGenerator: { skipTables: ['signalbox_migrations'], ignoreSchema: ['graphile_worker'] },
  });
}

// Worlds of several sizes, each a database of one Postgres; in a folder that is kept they are generated once.
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { createServices } from '#src/app.ts';
import { migrate } from '#src/migrate.ts';
import { ormOptions } from '#src/orm.ts';
import { openDatabase } from '#src/platform/database.ts';
import { startEmbeddedPostgres } from '#src/platform/embedded-postgres.ts';
import { firstAuthority, inDatabase, quiet, tool } from '../stand.ts';
import type { Reader } from './operations.ts';
import { generateWorld, worldDefinition, type WorldSize } from './world.ts';

export interface KeptWorld extends Omit<Reader, 'authority'> {
  /** Superuser. */
  readonly admin: pg.Client;
}

export interface KeptWorlds {
  readonly worlds: readonly KeptWorld[];
  /** What Postgres has for its cache, as it says so. */
  readonly sharedBuffers: string;
  close(): Promise<void>;
}

export const seed = 1;
/** Another one when what is generated changes: kept worlds of another shape are not these. */
const shape = 3;

/** Worlds that are there are brought to this version's migrations. The clock of each stands at the moment that its work ends. */
export async function openWorlds(folder: string, sizes: readonly WorldSize[], say: (line: string) => void): Promise<KeptWorlds> {
  const opening = new AsyncDisposableStack();
  try {
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o755); // Postgres may run as another user than this process
    const log = { info: () => undefined, warn: console.error, error: console.error };
    const postgres = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), log, serverSettings: { max_wal_size: '8GB' } });
    opening.defer(() => postgres.stop());
    const server = new pg.Client({ connectionString: postgres.adminUrl });
    await server.connect();
    opening.defer(() => server.end());

    const worlds: KeptWorld[] = [];
    for (const size of sizes) {
      const name = `world_${shape}_${size.executions}_${size.tenants}`;
      const until = await generatedUntil(server, name);
      if (until === null) {
        await server.query(`drop database if exists ${name}`);
        await server.query(`create database ${name} owner ${new URL(postgres.ownerUrl).username}`);
      }
      const { appRole, appPassword } = postgres;
      await migrate({ ownerUrl: inDatabase(postgres.ownerUrl, name), appRole, appPassword });
      const admin = new pg.Client({ connectionString: inDatabase(postgres.adminUrl, name) });
      await admin.connect();
      opening.defer(() => admin.end());
      const database = await openDatabase(ormOptions({ url: inDatabase(postgres.appUrl, name), poolMax: 2 }));
      opening.defer(() => database.close());
      const now = until ?? new Date();
      const services = createServices({ clock: { now: () => now }, database, logger: quiet });
      opening.defer(() => services.feed.close());
      const world = { services, database, admin };
      if (until === null) {
        await generateWorld({ ...size, admin, versionId: await publish(world), seed, until: now, say: (line) => say(`${name}: ${line}`) });
        await server.query(`comment on database ${name} is ${pg.escapeLiteral(now.toISOString())}`);
      } else {
        await admin.query('vacuum analyze');
      }
      worlds.push(world);
    }
    await server.query('checkpoint');
    const { rows } = await server.query<{ buffers: string }>(`select current_setting('shared_buffers') as buffers`);
    const closing = opening.move();
    return { worlds, sharedBuffers: rows[0]!.buffers, close: () => closing.disposeAsync() };
  } catch (error) {
    await opening.disposeAsync();
    throw error;
  }
}

/** The comment says that it is whole. */
async function generatedUntil(server: pg.Client, name: string): Promise<Date | null> {
  const { rows } = await server.query<{ until: string | null }>(
    `select shobj_description(oid, 'pg_database') as until from pg_database where datname = $1`,
    [name],
  );
  return rows[0]?.until ? new Date(rows[0].until) : null;
}

async function publish({ services, database }: KeptWorld): Promise<string> {
  const authority = await firstAuthority(database);
  return database.write(authority.tenantId, async (uow) => {
    await services.tools.syncDefinitions(uow, tool.server, [tool]);
    const project = await services.tenants.createProject(uow, authority, { name: 'pattern' });
    const agent = await services.agents.createAgent(uow, authority, { projectId: project.id, name: 'pattern' });
    return (await services.agents.publishAgentVersion(uow, authority, { agentId: agent.id, definition: worldDefinition })).id;
  });
}

// Brings a database to this version: job queue, tables, functions, and the application role with its grants.
// Safe to run from several processes at once; each run does what is missing.
import { Migrator } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import { runMigrations } from 'graphile-worker';
import pg from 'pg';
import { ormOptions } from './orm.ts';
import { OperatorError } from './platform/errors.ts';

export interface MigrateSettings {
  /** postgres:// URL of the role that owns the tables. */
  readonly ownerUrl: string;
  /** Role that the application acts as: owns nothing, bypasses nothing. */
  readonly appRole: string;
  /** Given for an embedded server: the application logs in with it. */
  readonly appPassword?: string | undefined;
  /** The application connects as the owner and switches to its role, so the owner has to be a member of it. */
  readonly ownerActsAsApp?: boolean | undefined;
}

/** Tables whose rows are written once: the application may add and read them, never change or delete. */
const appendOnly = ['agent_versions', 'policy_versions', 'execution_events', 'decisions', 'audit_events'];
const lockKey = 7_120_301; // any constant: serialises migrations of one database

/** Returns the names of the migrations it applied. */
export async function migrate(settings: MigrateSettings): Promise<string[]> {
  const client = new pg.Client({ connectionString: settings.ownerUrl, application_name: 'signalbox-migrate' });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [lockKey]);
    const { rows } = await client.query<{ number: number }>(`select current_setting('server_version_num')::int as number`);
    if (rows[0]!.number < 150_000) throw new OperatorError(`Postgres 15 or newer is needed; this server is ${rows[0]!.number / 10_000}`);
    await runMigrations({ connectionString: settings.ownerUrl });
    const orm = await MikroORM.init({ ...ormOptions({ url: settings.ownerUrl, poolMax: 2 }), extensions: [Migrator] });
    try {
      const applied = await orm.migrator.up();
      await client.query(`select jobs.make_decision_partitions(now(), now() + interval '2 weeks')`);
      await grantApplicationRole(client, settings);
      return applied.map((migration) => migration.name);
    } finally {
      await orm.close();
    }
  } finally {
    await client.end();
  }
}

async function grantApplicationRole(client: pg.Client, { appRole, appPassword, ownerActsAsApp }: MigrateSettings): Promise<void> {
  const role = pg.escapeIdentifier(appRole);
  const login = appPassword === undefined ? 'nologin' : `login password ${pg.escapeLiteral(appPassword)}`;
  const found = await client.query<{ rolsuper: boolean; rolbypassrls: boolean; isMine: boolean }>(
    `select rolsuper, rolbypassrls, pg_has_role(current_user, oid, 'member') as "isMine"
     from pg_roles where rolname = $1`,
    [appRole],
  );
  if (found.rows[0]?.rolsuper || found.rows[0]?.rolbypassrls) {
    throw new OperatorError(`role "${appRole}" bypasses row level security (superuser or BYPASSRLS); give the application another role`);
  }
  if (!found.rows[0]) {
    try {
      await client.query(`create role ${role} ${login}`);
    } catch (cause) {
      throw new OperatorError(
        `cannot create the application role "${appRole}"; create it (CREATE ROLE ${role} LOGIN) and set DATABASE_APP_URL`,
        {
          cause,
        },
      );
    }
    await client.query(`grant ${role} to current_user`);
  } else if (appPassword !== undefined) await client.query(`alter role ${role} ${login}`);
  else if (ownerActsAsApp && !found.rows[0].isMine) {
    throw new OperatorError(
      `the role of DATABASE_URL may not act as "${appRole}", which exists already; run GRANT ${role} TO that role, or set DATABASE_APP_URL`,
    );
  }
  await client.query(`
    grant usage on schema public, jobs, identity, eventbus to ${role};
    grant execute on function jobs.enqueue(json), jobs.admit_soon(uuid, int, boolean), identity.tenant_id_by_name(text), eventbus.lag(uuid, int) to ${role};
    grant select, insert, update, delete on all tables in schema public to ${role};
    revoke update, delete on ${appendOnly.join(', ')} from ${role};
    revoke insert, update, delete on stream_epoch, signalbox_migrations from ${role};
    revoke all on runners from ${role};
  `);
}

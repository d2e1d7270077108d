// The migrated database: no drift from the entities, every tenant table closed, and an application role that can do no more than it should.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MikroORM } from '@mikro-orm/postgresql';
import pg from 'pg';
import { migrate } from '#src/migrate.ts';
import { ormOptions } from '#src/orm.ts';
import { newId } from '#src/platform/ids.ts';
import { offlineOrm } from '../scripts/generated.ts';
import { serverUrl, testDatabase, type TestDatabase } from './harness/database.ts';

let db: TestDatabase;
let owner: pg.Client;
before(async () => {
  db = await testDatabase();
  owner = new pg.Client({ connectionString: db.ownerUrl });
  await owner.connect();
});
after(async () => {
  await owner.end();
  await db.close();
});

async function rows<Row extends object>(sql: string, params: unknown[] = []): Promise<Row[]> {
  return (await owner.query<Row>(sql, params)).rows;
}

/** Runs as the application role; undone afterwards. */
async function asApplication(sql: string): Promise<string> {
  await owner.query('begin');
  try {
    await owner.query(`set local role ${db.appRole}`);
    await owner.query(sql);
    return 'done';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  } finally {
    await owner.query('rollback');
  }
}
const refused = '42501'; // insufficient_privilege

const tenantTables = `select c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
  where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace order by 1`;

test('the migrated database is what the entities describe, and so is the committed snapshot', async () => {
  const orm = await MikroORM.init(ormOptions({ url: db.ownerUrl, poolMax: 2 }));
  try {
    assert.equal(await orm.schema.getUpdateSchemaSQL({ wrap: false }), '');
    assert.equal(await orm.migrator.checkSchema(), false);
    assert.deepEqual(await orm.migrator.getPending(), []);
  } finally {
    await orm.close();
  }
  const offline = await offlineOrm();
  assert.equal(await offline.migrator.checkSchema(), false, 'run `npm run generate`');
  await offline.close();
});

test('an index that an entity describes as SQL is that of the database: of these only the name is compared above', async () => {
  const orm = await offlineOrm();
  const described = [...orm.getMetadata().getAll().values()].flatMap(({ indexes, uniques }) =>
    [...indexes, ...uniques].flatMap(({ name, expression }) => (expression ? [{ name: name!, expression: String(expression) }] : [])),
  );
  await orm.close();
  assert.ok(described.length > 10, `${described.length}`);
  const definition = (name: string) => rows<{ sql: string }>('select pg_get_indexdef($1::regclass) as sql', [name]);
  await owner.query('begin');
  try {
    for (const { name, expression } of described) {
      const stored = await definition(name);
      await owner.query(`drop index ${name}`);
      await owner.query(expression);
      assert.deepEqual(await definition(name), stored, name);
    }
  } finally {
    await owner.query('rollback');
  }
});

test('migrating again, from two processes at once, changes nothing', async () => {
  const settings = { ownerUrl: db.ownerUrl, appRole: db.appRole };
  assert.deepEqual(await Promise.all([migrate(settings), migrate(settings)]), [[], []]);
});

test('every table with a tenant has row level security, forced, with a policy', async () => {
  const tables = await rows<{ name: string; enabled: boolean; forced: boolean }>(tenantTables);
  assert.ok(tables.length > 15);
  assert.deepEqual(
    tables.filter(({ enabled, forced }) => !enabled || !forced),
    [],
  );
  const policies = await rows<{ name: string; condition: string }>(
    `select tablename as name, string_agg(qual, ' or ') as condition from pg_policies where schemaname = 'public' and policyname not in ('owner_lookup', 'owner_relay') group by 1`,
  );
  for (const { name } of tables) {
    const condition = policies.find((policy) => policy.name === name)?.condition ?? '';
    assert.match(condition, /^\(tenant_id = \(NULLIF\(current_setting\('app\.tenant_id'::text, true\), ''::text\)\)::uuid\)$/, name);
  }
});

test('the policies besides are for the owner, who looks up tenants by name and shares out event sinks; the application never meets them', async () => {
  const others = await rows<{ table: string; cmd: string; qual: string }>(
    `select tablename as table, cmd, qual from pg_policies where policyname <> 'tenant_isolation' order by 1`,
  );
  assert.deepEqual(
    others.map(({ table, cmd }) => `${table} ${cmd}`),
    ['event_sinks ALL', 'tenants SELECT'],
  );
  for (const { qual } of others) assert.match(qual, /^\(CURRENT_USER = \( SELECT pg_get_userbyid\(pg_class\.relowner\)/);
  for (const { table } of others) assert.deepEqual(await db.database.read(newId(), (uow) => uow.rows(`select id from ${table}`)), []);
});

test('tables without a tenant hold nothing of tenants', async () => {
  const found = await rows<{ name: string }>(
    `select relname as name from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
       and not exists (select from pg_attribute where attrelid = pg_class.oid and attname = 'tenant_id') order by 1`,
  );
  assert.deepEqual(
    found.map(({ name }) => name),
    ['runners', 'signalbox_migrations', 'stream_epoch', 'tool_definitions'],
  );
});

test('the application role owns nothing and bypasses nothing', async () => {
  const [role] = await rows(`select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication from pg_roles where rolname = $1`, [
    db.appRole,
  ]);
  assert.deepEqual(role, { rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcreatedb: false, rolreplication: false });
  const owned = await rows(
    `select relname as name from pg_class where relowner = $1::regrole
     union all select proname from pg_proc where proowner = $1::regrole
     union all select nspname from pg_namespace where nspowner = $1::regrole
     union all select datname from pg_database where datdba = $1::regrole`,
    [db.appRole],
  );
  assert.deepEqual(owned, []);
  const memberships = await rows('select roleid::regrole::text as name from pg_auth_members where member = $1::regrole', [db.appRole]);
  assert.deepEqual(memberships, []);
});

test('what is written once cannot be changed or deleted by the application', async () => {
  for (const table of ['agent_versions', 'policy_versions', 'execution_events', 'decisions']) {
    assert.equal(await asApplication(`update ${table} set tenant_id = tenant_id`), refused, `update ${table}`);
    assert.equal(await asApplication(`delete from ${table}`), refused, `delete from ${table}`);
    assert.equal(await asApplication(`select from ${table}`), 'done', `select from ${table}`);
  }
});

test('the application neither changes the schema nor reaches what is not for it', async () => {
  for (const sql of [
    'create table public.mine (id int)',
    'alter table executions disable row level security',
    'drop policy tenant_isolation on executions',
    'truncate executions',
    'select from runners',
    'update stream_epoch set epoch = gen_random_uuid()',
    'delete from signalbox_migrations',
    `select graphile_worker.add_job('run-execution')`,
    'select from graphile_worker._private_jobs',
  ]) {
    assert.equal(await asApplication(sql), refused, sql);
  }
});

test('a row of another tenant can be neither written nor taken over', async () => {
  const [mine, theirs] = [newId(), newId()];
  const insert = (tenantId: string) =>
    db.database.write(mine, (uow) =>
      uow.rows(`insert into tenants (id, tenant_id, name, created_at) values ($1, $1, $2, now())`, [tenantId, tenantId]),
    );
  await insert(mine);
  await assert.rejects(insert(theirs), /row-level security/);
  await assert.rejects(
    db.database.write(mine, (uow) => uow.rows('update tenants set tenant_id = $1', [theirs])),
    /row-level security/,
  );
});

test('SECURITY DEFINER functions fix their search path and are not for everyone', async () => {
  const functions = await rows<{ name: string; settings: string[] | null; open: boolean }>(
    `select p.oid::regprocedure::text as name, proconfig as settings, has_function_privilege('public', p.oid, 'execute') as open
     from pg_proc p where prosecdef and pronamespace in ('jobs'::regnamespace, 'identity'::regnamespace, 'public'::regnamespace)`,
  );
  assert.ok(functions.length >= 2);
  for (const { name, settings, open } of functions) {
    assert.ok(
      settings?.some((setting) => /^search_path=.*pg_temp$/.test(setting)),
      name,
    );
    assert.equal(open, false, name);
  }
});

test('an application role that bypasses row level security is refused', async () => {
  const admin = new pg.Client({ connectionString: process.env['SIGNALBOX_TEST_POSTGRES'] });
  await admin.connect();
  const role = `bypassing_${newId().slice(-8)}`;
  try {
    await admin.query(`create role ${role} bypassrls`);
    await assert.rejects(
      migrate({ ownerUrl: db.ownerUrl, appRole: role }),
      /bypasses row level security.*give the application another role/,
    );
  } finally {
    await admin.query(`drop role ${role}`);
    await admin.end();
  }
});

test('an owner that may not act as an application role of others is told what to grant', async () => {
  const admin = new pg.Client({ connectionString: serverUrl('postgres') });
  await admin.connect();
  try {
    const ownerUrl = serverUrl('strange', 'stranger');
    await admin.query(`create role stranger login password ${pg.escapeLiteral(new URL(ownerUrl).password)}`);
    await admin.query('create database strange owner stranger');
    await assert.rejects(
      migrate({ ownerUrl, appRole: db.appRole, ownerActsAsApp: true }),
      /run GRANT "signalbox_app" TO that role, or set DATABASE_APP_URL/,
    );
  } finally {
    await admin.query('drop database if exists strange');
    await admin.query('drop role if exists stranger');
    await admin.end();
  }
});

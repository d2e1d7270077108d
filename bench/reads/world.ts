// A made-up world of tenants for reading at scale: what there is and how it is spread, and the ids of what lists are asked for.
// Sizes are the only thing that differs between two worlds: what is rare is just as rare in both, so that pages are the same.
import type pg from 'pg';
import { generateConfiguration } from './generate-configuration.ts';
import { generateExecutions } from './generate-executions.ts';

export interface WorldSize {
  /** At least so many: no tenant has fewer than `smallTenant`. */
  readonly executions: number;
  readonly tenants: number;
  /** Of all executions, those of the largest tenant. */
  readonly largestShare: number;
}

export interface WorldOptions extends WorldSize {
  /** Superuser in the migrated database; the rows are written in one session of it. */
  readonly admin: pg.ClientBase;
  /** Of a published `worldDefinition`: every agent of the world gets a copy. */
  readonly versionId: string;
  readonly seed: number;
  /** When the newest was accepted; open approvals are open for a day more. */
  readonly until: Date;
  say(line: string): void;
}

/** What the agents of a world do, as somebody publishes it. */
export const worldDefinition = `
apiVersion: signalbox/v1
kind: Agent
metadata: { name: pattern, project: pattern }
spec:
  version: 1.0.0
  inputs: { type: object }
  capabilities: { read: true }
  tools: [bench.work]
  steps:
    - { id: one, tool: bench.work, with: { number: 1 } }
    - { id: two, needs: [one], tool: bench.work, with: { number: 1 } }
`;

/** Executions of each tenant of the smaller half, in any world. */
export const smallTenant = 40;
/** How often what is rare comes in a tenant of 1,000 executions or more, evenly over time. */
export const rareRows = 25;
/** Over which executions are spread. */
export const spanDays = 90;

/** Makes the world's rows, set by set, under every constraint and trigger, and tells Postgres what its tables hold. */
export async function generateWorld({ admin, say, ...options }: WorldOptions): Promise<void> {
  const { executions, tenants, largestShare, seed, versionId, until } = options;
  await admin.query('set synchronous_commit = off');
  await admin.query(`select set_config('bench.seed', $1, false), set_config('bench.now', $2, false)`, [String(seed), until.toISOString()]);
  await admin.query(helpers);
  await admin.query(tenantsSql, [tenants, executions, largestShare, smallTenant]);
  await generateConfiguration(admin, versionId);
  say(`world: ${tenants} tenants`);
  await generateExecutions(admin, say);
  // Autovacuum does so within a minute or so on a server that is left alone.
  await admin.query('vacuum analyze');
  await admin.query('reset synchronous_commit');
}

/**
 * `pg_temp.id(moment, name)`: the UUIDv7 of a moment whose random part comes from the seed and a name.
 * `pg_temp.pick(n, salt, m)`: an even choice from 0 to m - 1. `pg_temp.rare(k, size, nth)`: 25 rows of a tenant of at least 1,000.
 */
const helpers = `
  create function pg_temp.id(moment timestamptz, name text) returns uuid language sql immutable as $$
    select (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || '7' || substr(md5(name), 1, 3) || '8' || substr(md5(name), 4, 15))::uuid
  $$;
  create function pg_temp.pick(n bigint, salt int, among int) returns int language sql immutable as $$
    select (hashint8extended(n, salt) & 1073741823)::int % among
  $$;
  create function pg_temp.rare(k int, size int, nth int) returns boolean language sql immutable as $$
    select size >= 1000 and k % (size / ${rareRows}) = nth
  $$;
  create function pg_temp.now() returns timestamptz language sql stable as $$ select current_setting('bench.now')::timestamptz $$;
  create function pg_temp.at(k int, size int) returns timestamptz language sql stable as $$
    select pg_temp.now() - interval '${spanDays} days' * (1 - k::float8 / size)
  $$;`;

/** $1 tenants, $2 executions, $3 share of the largest, $4 size of the small half. Those between shrink with their number; what rounding leaves over is the largest's. */
const tenantsSql = `
  create temp table world_tenants as
  with shape as (
    select no, case when no = 1 then 1 when no > $1 / 2 then 0 else 1.0 / no end as weight from generate_series(1, $1::int) as no
  )
  select no, id, size + case when no = 1 then greatest(0, $2 - sum(size) over ())::int else 0 end as size from (
  select no, pg_temp.id(pg_temp.now() - interval '200 days' + no * interval '1 second', current_setting('bench.seed') || ' tenant ' || no) as id,
    case when no = 1 then round($2 * $3::float8)::int when no > $1 / 2 then $4::int
      else greatest(round(($2 - $2 * $3::float8 - $4::int * ($1 - $1 / 2)) * weight / sum(weight) filter (where no > 1) over ())::int, $4::int) end as size
  from shape) as rounded`;

/** Who asks: everything, a large project, a rare one, one team, a rare one, one environment is what they may see. */
export const people = ['admin', 'member', 'guest', 'of a team', 'of a rare team', 'of an environment'] as const;
export type Person = (typeof people)[number];

/** Of one tenant, by name. */
export interface Home {
  readonly tenantId: string;
  readonly principals: Readonly<Record<Person | 'service' | 'rare', string>>;
  readonly projects: Readonly<Record<string, string>>;
  /** By project and name, as in "p0/production". */
  readonly environments: Readonly<Record<string, string>>;
  readonly agents: Readonly<Record<string, string>>;
  readonly teams: Readonly<Record<string, string>>;
  readonly policies: Readonly<Record<string, string>>;
  readonly webhookId: string;
  readonly sinkId: string;
  readonly approvalId: string;
  readonly simulationId: string;
  /** Executions by place in the tenant, from 1. */
  readonly size: number;
  readonly firstId: string;
  /** The parent and the origin of 25 others. */
  readonly familyId: string;
  readonly middleId: string;
}

/** The tenant of this number; tenant 1 is the largest. */
export async function homeOf(admin: pg.ClientBase, seed: number, no: number): Promise<Home> {
  const one = async <Row extends object>(sql: string, ...params: unknown[]) => (await admin.query<Row>(sql, params)).rows[0]!;
  const { id: tenantId } = await one<{ id: string }>('select id from tenants where name = $1', `world-${seed}-${no}`);
  const named = async (sql: string) =>
    Object.fromEntries((await admin.query<{ name: string; id: string }>(sql, [tenantId])).rows.map(({ name, id }) => [name, id]));
  const ids = await one<{ size: number; first: string; middle: string }>(
    `with own as (select id, row_number() over (order by id) as k, count(*) over () as size from executions where tenant_id = $1)
     select max(size)::int as size, min(id::text) as first, max(id::text) filter (where k = (size + 1) / 2) as middle from own`,
    tenantId,
  );
  return {
    tenantId,
    principals: (await named('select name, id from principals where tenant_id = $1')) as Home['principals'],
    projects: await named('select name, id from projects where tenant_id = $1'),
    environments: await named(
      `select p.name || '/' || e.name as name, e.id from environments e join projects p on p.id = e.project_id where e.tenant_id = $1`,
    ),
    agents: await named('select name, id from agents where tenant_id = $1'),
    teams: await named('select name, id from teams where tenant_id = $1'),
    policies: await named('select name, id from policies where tenant_id = $1'),
    approvalId: (
      await one<{ id: string }>('select approval_id as id from approval_comments where tenant_id = $1 order by id limit 1', tenantId)
    ).id,
    sinkId: (await one<{ id: string }>('select id from event_sinks where tenant_id = $1 order by id limit 1', tenantId)).id,
    webhookId: (await one<{ id: string }>('select id from webhooks where tenant_id = $1 order by id limit 1', tenantId)).id,
    simulationId: (await one<{ id: string }>('select id from policy_simulations where tenant_id = $1 order by id limit 1', tenantId)).id,
    size: ids.size,
    firstId: ids.first,
    familyId: ids.first,
    middleId: ids.middle,
  };
}

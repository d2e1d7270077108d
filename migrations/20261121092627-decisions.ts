import { Migration } from '@mikro-orm/migrations';

/** Same constraints, indexes and policy, whatever stores the rows. */
const finish = (migration: Migration): void => {
  migration.addSql('alter table decisions add primary key (id)');
  migration.addSql(`create index "decisions_execution" on "decisions" ("execution_id", "id");`);
  migration.addSql(`create index "decisions_tenant" on "decisions" ("tenant_id", "id");`);
  migration.addSql(`create index "decisions_agent" on "decisions" ("tenant_id", "agent_id", "id");`);
  migration.addSql(`create index "decisions_refused" on "decisions" ("tenant_id", "effect", "id") where effect <> 'allow';`);
  migration.addSql(`create index "decisions_judged" on "decisions" ("tenant_id", "id") where findings <> '[]';`);
  migration.addSql(`alter table "decisions" enable row level security;`);
  migration.addSql(`alter table "decisions" force row level security;`);
  migration.addSql(
    `create policy "tenant_isolation" on "decisions" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
  );
};

export class Migration20261121092627_decisions extends Migration {
  override name = 'Migration20261121092627_decisions';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "simulation_changes" ("simulation_id" uuid not null, "decision_id" uuid not null, "tenant_id" uuid not null, "agent_id" uuid not null, "execution_id" uuid null, "slot" text not null, "before" text not null, "after" text not null, "approvers" text[] not null, "decided_at" timestamptz(3) not null, primary key ("simulation_id", "decision_id"));`,
    );
    this.addSql(
      `alter table "policy_simulations" add "changed" int not null default 0, add "idempotency_key" text null, add "request_digest" text not null;`,
    );
    this.addSql(
      `alter table "policy_simulations" add constraint "policy_simulations_idempotency" unique ("tenant_id", "requested_by", "idempotency_key");`,
    );
    this.addSql(
      `alter table "simulation_changes" add constraint "simulation_changes_simulation_id_foreign" foreign key ("simulation_id") references "policy_simulations" ("id");`,
    );
    this.addSql(
      `alter table "simulation_changes" add constraint "simulation_changes_before_check" check (before in ('allow', 'warn', 'deny', 'require_approval', 'queue', 'delay'));`,
    );
    this.addSql(
      `alter table "simulation_changes" add constraint "simulation_changes_after_check" check (after in ('allow', 'warn', 'deny', 'require_approval', 'queue', 'delay'));`,
    );
    this.addSql(`alter table "simulation_changes" enable row level security;`);
    this.addSql(`alter table "simulation_changes" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "simulation_changes" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    // Partitions are reached through the table alone: whoever could name one would get around its row level security.
    this.addSql('create schema partitions');
    // The smallest UUIDv7 of a millisecond.
    this.addSql(`create function jobs.id_at(moment timestamptz) returns uuid language sql stable as $$
        select (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
      $$`);
    // A partition for each week that touches the period. Rows that came before theirs was made waited in the default one and move.
    this.addSql(`create function jobs.make_decision_partitions(first timestamptz, last timestamptz) returns int
      language plpgsql set search_path = public, pg_temp as $$
      declare
        week timestamptz := date_trunc('week', first, 'UTC');
        name text;
        made int := 0;
      begin
        perform pg_advisory_xact_lock(hashtextextended('signalbox decision partitions', 0));
        while week <= last loop
          name := 'decisions_' || to_char(week at time zone 'UTC', 'YYYYMMDD');
          if to_regclass('partitions.' || name) is null then
            execute format('create table partitions.%I (like decisions including defaults including constraints)', name);
            execute format('with moved as (delete from partitions.decisions_default where id >= %L and id < %L returning *)
              insert into partitions.%I select * from moved', jobs.id_at(week), jobs.id_at(week + interval '7 days'), name);
            execute format('alter table decisions attach partition partitions.%I for values from (%L) to (%L)',
              name, jobs.id_at(week), jobs.id_at(week + interval '7 days'));
            made := made + 1;
          end if;
          week := week + interval '7 days';
        end loop;
        return made;
      end $$`);
    for (const name of ['id_at(timestamptz)', 'make_decision_partitions(timestamptz, timestamptz)']) {
      this.addSql(`revoke all on function jobs.${name} from public`);
    }

    this.addSql('alter table decisions rename to decisions_before');
    this.addSql('alter table decisions_before no force row level security');
    this.addSql('create table decisions (like decisions_before including defaults including constraints) partition by range (id)');
    this.addSql(`alter table "decisions" add "redacted" text[] not null default '{}';`);
    this.addSql('create table partitions.decisions_default partition of decisions default');
    this.addSql(`select jobs.make_decision_partitions(
        coalesce((select min(created_at) - interval '1 day' from decisions_before), now()), now() + interval '8 weeks')`);
    this
      .addSql(`insert into decisions (id, tenant_id, project_id, environment_id, agent_id, team_id, principal_id, tool, execution_id, step_id,
        item_index, action, effect, reasons, findings, input, input_digest, duration_micros, created_at)
      select id, tenant_id, project_id, environment_id, agent_id, team_id, coalesce(principal_id, (input->>'principalId')::uuid),
        coalesce(tool, input->'tool'->>'name'), execution_id, step_id, item_index, action, effect, reasons, findings, input, input_digest,
        duration_micros, created_at
      from decisions_before`);
    this.addSql('drop table decisions_before');
    finish(this);
  }

  override down(): void | Promise<void> {
    this.addSql('alter table decisions rename to decisions_partitioned');
    this.addSql('alter table decisions_partitioned no force row level security');
    this.addSql('create table decisions (like decisions_partitioned including defaults including constraints)');
    this.addSql('insert into decisions select * from decisions_partitioned');
    this.addSql('drop table decisions_partitioned cascade');
    this.addSql('alter table decisions drop column redacted');
    finish(this);
    this.addSql('drop schema partitions cascade');
    this.addSql('drop function jobs.make_decision_partitions(timestamptz, timestamptz)');
    this.addSql('drop function jobs.id_at(timestamptz)');

    this.addSql(`drop table if exists "simulation_changes" cascade;`);
    this.addSql(`alter table "policy_simulations" drop constraint "policy_simulations_idempotency";`);
    this.addSql(`alter table "policy_simulations" drop column "changed", drop column "idempotency_key", drop column "request_digest";`);
  }
}

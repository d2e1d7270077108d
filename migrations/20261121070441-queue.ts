import { Migration } from '@mikro-orm/migrations';

export class Migration20261121070441_queue extends Migration {
  override name = 'Migration20261121070441_queue';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "bulk_operations" ("id" uuid not null, "tenant_id" uuid not null, "status" text not null, "filter" jsonb not null, "reason" text not null, "requested_by" uuid not null, "places" jsonb not null, "matched" int not null default 0, "cancelled" int not null default 0, "failed" int not null default 0, "after_id" uuid null, "created_at" timestamptz(3) not null, "finished_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "bulk_operations_tenant" on "bulk_operations" ("tenant_id", "id");`);

    this.addSql(
      `create table "concurrency_limits" ("id" uuid not null, "tenant_id" uuid not null, "scope_kind" text not null, "scope_id" uuid not null, "max_running" int not null, "updated_by" uuid not null, "updated_at" timestamptz(3) not null, primary key ("id"));`,
    );
    this.addSql(`alter table "concurrency_limits" add constraint "concurrency_limits_scope" unique ("tenant_id", "scope_id");`);

    this.addSql(
      `alter table "executions" add "priority" smallint not null default 5, add "backlog_at" timestamptz(3) null, add "admitted_at" timestamptz(3) null;`,
    );
    this.addSql(
      `create index "executions_backlog" on "executions" ("tenant_id", "agent_id", "environment_id", "priority", "id") where "backlog_at" is not null;`,
    );
    this.addSql(
      `create index "executions_admitted" on "executions" ("tenant_id", "priority") where "admitted_at" is not null and status in ('queued', 'scheduled');`,
    );

    this.addSql(
      `create index "steps_failed" on "steps" ("tenant_id", "finished_at", "execution_id", "item_index", "step_id") where status = 'failed';`,
    );

    this.addSql(
      `alter table "bulk_operations" add constraint "bulk_operations_status_check" check (status in ('queued', 'running', 'finished'));`,
    );
    this.addSql(`alter table "bulk_operations" enable row level security;`);
    this.addSql(`alter table "bulk_operations" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "bulk_operations" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql(
      `alter table "concurrency_limits" add constraint "concurrency_limits_scope_kind_check" check (scope_kind in ('tenant', 'project', 'environment', 'agent'));`,
    );
    this.addSql(`alter table "concurrency_limits" add constraint "concurrency_limits_max_running_check" check (max_running >= 0);`);
    this.addSql(`alter table "concurrency_limits" enable row level security;`);
    this.addSql(`alter table "concurrency_limits" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "concurrency_limits" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );
    // 0: the tenant's limits, shared by those who begin at once. 1: its admissions, shared by those who rely on the next one.
    this.addSql(`create function jobs.queue_lock(tenant uuid, kind int) returns bigint language sql immutable as $$
        select hashtextextended('signalbox queue ' || tenant::text, kind)
      $$`);
    // Makes sure that a look at the backlog begins after this transaction has ended. A look that is to come waits for all who hold the
    // lock shared: then one is enough for all of them, and nobody waits for the row of its job.
    this.addSql(`create function jobs.admit_soon(tenant uuid, delay_ms int default 0, idle boolean default false) returns void
      language plpgsql security definer set search_path = graphile_worker, pg_temp as $$
      declare
        own_key text := 'admit ' || tenant::text;
      begin
        if delay_ms > 0 or pg_try_advisory_xact_lock_shared(jobs.queue_lock(tenant, 1)) then
          if exists (
            select from graphile_worker._private_jobs j
            where j.key = own_key and j.locked_at is null and j.attempts < j.max_attempts and (delay_ms > 0 or j.run_at <= clock_timestamp())
          ) then
            return;
          end if;
        end if;
        perform graphile_worker.add_job('admit-executions', json_build_object('tenantId', tenant, 'idle', idle),
          run_at => now() + make_interval(secs => delay_ms / 1000.0), job_key => own_key, priority => -1);
      end $$`);
    this.addSql('revoke all on function jobs.admit_soon(uuid, int, boolean) from public');
    // The moment that is the place in the line of jobs of an execution that may begin at once; null for one that joins the backlog.
    this
      .addSql(`create function jobs.enter_queue(tenant uuid, project uuid, environment uuid, agent uuid, own_priority int, room int, place_ms int)
      returns timestamptz language plpgsql as $$
      declare
        waiting int;
        ahead int;
      begin
        if pg_try_advisory_xact_lock_shared(jobs.queue_lock(tenant, 0)) then
          if not exists (
            select from public.concurrency_limits l where l.tenant_id = tenant and l.scope_id in (tenant, project, environment, agent)
          ) and not exists (
            select from public.executions e
            where e.tenant_id = tenant and e.agent_id = agent and e.environment_id = environment and e.backlog_at is not null
          ) then
            select count(*), count(*) filter (where w.priority <= own_priority) into waiting, ahead from (
              select e.priority from public.executions e
              where e.tenant_id = tenant and e.admitted_at is not null and e.status in ('queued', 'scheduled') limit room
            ) as w;
            if waiting < room then
              return now() - make_interval(secs => (room - 1 - ahead) * place_ms / 1000.0);
            end if;
          end if;
        end if;
        perform jobs.admit_soon(tenant);
        return null;
      end $$`);
    this.addSql(`create function jobs.make_room(tenant uuid) returns void language plpgsql as $$
      begin
        if exists (select from public.executions e where e.tenant_id = tenant and e.backlog_at is not null) then
          perform jobs.admit_soon(tenant);
        end if;
      end $$`);
    // For the runners, which belong to no tenant: every tenant with a backlog is looked at, whatever was lost.
    this.addSql(`create function jobs.admit_all() returns void language plpgsql as $$
      declare
        tenant uuid;
      begin
        for tenant in select id from public.tenants loop
          perform set_config('app.tenant_id', tenant::text, true);
          perform jobs.make_room(tenant);
        end loop;
        perform set_config('app.tenant_id', '', true);
      end $$`);
  }

  override down(): void | Promise<void> {
    for (const name of [
      'admit_all()',
      'make_room(uuid)',
      'enter_queue(uuid, uuid, uuid, uuid, int, int, int)',
      'admit_soon(uuid, int, boolean)',
      'queue_lock(uuid, int)',
    ]) {
      this.addSql(`drop function jobs.${name}`);
    }
    this.addSql(`drop table if exists "bulk_operations" cascade;`);
    this.addSql(`drop table if exists "concurrency_limits" cascade;`);

    this.addSql(`drop index "executions_backlog";`);
    this.addSql(`drop index "executions_admitted";`);
    this.addSql(`alter table "executions" drop column "priority", drop column "backlog_at", drop column "admitted_at";`);

    this.addSql(`drop index "steps_failed";`);
  }
}

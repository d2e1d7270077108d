import { Migration } from '@mikro-orm/migrations';

const functions = [
  'tenant_feed(uuid, xid8, uuid, int, xid8, int)',
  'tenants_of(event_sinks)',
  'has_news(event_sinks)',
  'claim(uuid, int, timestamptz, int, int, int, text[])',
  'renew(uuid, int)',
  'operator_feed(uuid, int)',
  'lag(uuid, int)',
];

export class Migration20261121145751_eventbus extends Migration {
  override name = 'Migration20261121145751_eventbus';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "event_sinks" ("id" uuid not null, "tenant_id" uuid not null, "origin" text not null, "name" text not null, "kind" text not null, "url" text not null, "secret" text null, "types" text[] not null, "project_id" uuid null, "environment_id" uuid null, "tenants" text[] null, "max_attempts" int not null, "max_age_seconds" int not null, "status" text not null, "paused_reason" text null, "transaction_id" xid8 not null, "execution_id" uuid not null, "sequence" int not null, "pending" int not null default 0, "wake_at" timestamptz(3) null, "failures" int not null default 0, "retry_at" timestamptz(3) null, "last_success_at" timestamptz(3) null, "last_error" text null, "last_error_at" timestamptz(3) null, "lease_owner" uuid null, "lease_until" timestamptz(3) null, "fence" int not null default 0, "created_by" uuid null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, primary key ("id"));`,
    );
    this.addSql(`alter table "event_sinks" add constraint "event_sinks_name_unique" unique ("tenant_id", "origin", "name");`);

    this.addSql(
      `create table "event_deliveries" ("id" uuid not null, "tenant_id" uuid not null, "sink_id" uuid not null, "event_tenant_id" uuid not null, "execution_id" uuid not null, "sequence" int not null, "type" text not null, "status" text not null, "attempts" int not null default 0, "first_attempt_at" timestamptz(3) null, "next_attempt_at" timestamptz(3) null, "last_error" text null, "created_at" timestamptz(3) not null, "dead_lettered_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "event_deliveries_sink" on "event_deliveries" ("tenant_id", "sink_id", "status", "id");`);
    this.addSql(
      `create unique index "event_deliveries_pending" on "event_deliveries" ("sink_id", "execution_id") where status = 'pending';`,
    );
    this.addSql(`alter table "event_deliveries" add constraint "event_deliveries_event" unique ("sink_id", "execution_id", "sequence");`);

    this.addSql(`alter table "event_sinks" add constraint "event_sinks_origin_check" check (origin in ('tenant', 'operator'));`);
    this.addSql(`alter table "event_sinks" add constraint "event_sinks_kind_check" check (kind in ('webhook', 'redis', 'nats', 'kafka'));`);
    this.addSql(`alter table "event_sinks" add constraint "event_sinks_status_check" check (status in ('active', 'paused'));`);
    this.addSql(`alter table "event_sinks" enable row level security;`);
    this.addSql(`alter table "event_sinks" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "event_sinks" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );
    this.addSql(
      `create policy "owner_relay" on "event_sinks" using (current_user = (select pg_get_userbyid(relowner) from pg_class where oid = 'event_sinks'::regclass));`,
    );

    this.addSql(
      `alter table "event_deliveries" add constraint "event_deliveries_sink_id_foreign" foreign key ("sink_id") references "event_sinks" ("id");`,
    );
    this.addSql(
      `alter table "event_deliveries" add constraint "event_deliveries_status_check" check (status in ('pending', 'redelivering', 'dead_lettered'));`,
    );
    this.addSql(`alter table "event_deliveries" enable row level security;`);
    this.addSql(`alter table "event_deliveries" force row level security;`);
    this.addSql(
      `create policy "tenant_isolation" on "event_deliveries" using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
    );

    this.addSql('create schema eventbus');
    // Events of one tenant behind a place, in commit order, of transactions before `below`, with where they happened.
    this
      .addSql(`create function eventbus.tenant_feed(tenant uuid, after_transaction xid8, after_execution uuid, after_sequence int, below xid8, most int)
      returns table (tenant_id uuid, execution_id uuid, sequence int, type text, data jsonb, occurred_at timestamptz, transaction_id xid8,
        project_id uuid, environment_id uuid)
      language sql stable as $$
        select e.tenant_id, e.execution_id, e.sequence, e.type, e.data, e.occurred_at, e.transaction_id, x.project_id, x.environment_id
        from public.execution_events e left join public.executions x on x.tenant_id = tenant and x.id = e.execution_id
        where e.tenant_id = tenant and (e.transaction_id, e.execution_id, e.sequence) > (after_transaction, after_execution, after_sequence)
          and e.transaction_id < below
        order by e.transaction_id, e.execution_id, e.sequence limit most
      $$`);
    // The functions below are for the owner of the tables, who sees the sinks of all tenants and, of other tables, those of the tenant that
    // is set. What is set only once a list is complete: a list that is still being read would change under it.
    this.addSql(`create function eventbus.tenants_of(sink public.event_sinks) returns uuid[] language sql stable as $$
        select case when sink.origin = 'tenant' then array[sink.tenant_id] else coalesce(
          (select array_agg(t.id order by t.id) from public.tenants t where sink.tenants is null or t.name = any(sink.tenants)), '{}') end
      $$`);
    this.addSql(`create function eventbus.has_news(sink public.event_sinks) returns boolean language plpgsql as $$
      declare
        tenant uuid;
      begin
        foreach tenant in array eventbus.tenants_of(sink) loop
          perform set_config('app.tenant_id', tenant::text, true);
          if exists (select from eventbus.tenant_feed(tenant, sink.transaction_id, sink.execution_id, sink.sequence,
            pg_snapshot_xmin(pg_current_snapshot()), 1)) then
            return true;
          end if;
        end loop;
        return false;
      end $$`);
    // One look for all sinks: leases those that have something to do, the least recently leased first. \`room\` is for those that work,
    // \`poor_room\` for those that failed last. Of the operator's, those in \`known\`.
    this
      .addSql(`create function eventbus.claim(own uuid, lease_ms int, at timestamptz, room int, poor_room int, most_pending int, known text[])
      returns table (id uuid, tenant_id uuid, fence int) language plpgsql as $$
      declare
        sink public.event_sinks;
        candidates public.event_sinks[] := array(
          select s from public.event_sinks s
          where s.status = 'active' and (s.lease_until is null or s.lease_until <= clock_timestamp())
            and (s.retry_at is null or s.retry_at <= at) and (s.origin = 'tenant' or s.name = any(known))
          order by s.lease_until nulls first, s.id);
      begin
        foreach sink in array candidates loop
          continue when case when sink.failures > 0 then poor_room else room end <= 0;
          if sink.wake_at <= at or (sink.pending < most_pending and eventbus.has_news(sink)) then
            perform from public.event_sinks s where s.id = sink.id and s.fence = sink.fence and s.status = 'active' for update skip locked;
            continue when not found;
            return query update public.event_sinks s
              set lease_owner = own, lease_until = clock_timestamp() + make_interval(secs => lease_ms / 1000.0), fence = s.fence + 1
              where s.id = sink.id returning s.id, s.tenant_id, s.fence;
            if sink.failures > 0 then poor_room := poor_room - 1; else room := room - 1; end if;
          end if;
        end loop;
        perform set_config('app.tenant_id', '', true);
      end $$`);
    // Gives those whose lease still holds.
    this.addSql(`create function eventbus.renew(own uuid, lease_ms int) returns table (id uuid, fence int) language sql as $$
        update public.event_sinks s set lease_until = clock_timestamp() + make_interval(secs => lease_ms / 1000.0)
        where s.lease_owner = own and s.status = 'active' returning s.id, s.fence
      $$`);
    // The feeds of all tenants of a sink of the operator, below one transaction for all: what one of them commits meanwhile comes later.
    this
      .addSql(`create function eventbus.operator_feed(own_id uuid, most int) returns table (tenant_id uuid, execution_id uuid, sequence int,
        type text, data jsonb, occurred_at timestamptz, transaction_id xid8, project_id uuid, environment_id uuid)
      language plpgsql as $$
      declare
        sink public.event_sinks;
        tenant uuid;
        below xid8 := pg_snapshot_xmin(pg_current_snapshot());
      begin
        select s.* into sink from public.event_sinks s where s.id = own_id;
        foreach tenant in array eventbus.tenants_of(sink) loop
          perform set_config('app.tenant_id', tenant::text, true);
          return query select f.* from eventbus.tenant_feed(tenant, sink.transaction_id, sink.execution_id, sink.sequence, below, most) f;
        end loop;
        perform set_config('app.tenant_id', '', true);
      end $$`);
    // How far sinks are behind: only numbers, for whoever may see the sink. Counts, and looks at, \`most\` events at most.
    this.addSql(`create function eventbus.lag(own_id uuid, most int, out events int, out oldest timestamptz, out dead int)
      language plpgsql security definer set search_path = public, pg_temp as $$
      declare
        former text := current_setting('app.tenant_id', true);
        sink public.event_sinks;
        waiting public.event_deliveries[];
        each public.event_deliveries;
        tenant uuid;
        more int;
        since timestamptz;
      begin
        select s.* into strict sink from public.event_sinks s where s.id = own_id;
        perform set_config('app.tenant_id', sink.tenant_id::text, true);
        select count(*) into dead from (
          select from public.event_deliveries d where d.tenant_id = sink.tenant_id and d.sink_id = own_id and d.status = 'dead_lettered' limit most) as counted;
        waiting := array(select d from public.event_deliveries d where d.tenant_id = sink.tenant_id and d.sink_id = own_id and d.status = 'pending');
        events := 0;
        foreach each in array waiting loop
          perform set_config('app.tenant_id', each.event_tenant_id::text, true);
          select count(*), min(counted.occurred_at) into more, since from (
            select e.occurred_at from public.execution_events e
            where e.tenant_id = each.event_tenant_id and e.execution_id = each.execution_id and e.sequence >= each.sequence
              and (e.transaction_id, e.execution_id, e.sequence) <= (sink.transaction_id, sink.execution_id, sink.sequence)
              and (sink.types = '{}' or e.type = any(sink.types))
            order by e.sequence limit most) as counted;
          events := least(events + more, most);
          oldest := least(oldest, since);
        end loop;
        foreach tenant in array eventbus.tenants_of(sink) loop
          perform set_config('app.tenant_id', tenant::text, true);
          select count(*), min(f.occurred_at) into more, since
          from eventbus.tenant_feed(tenant, sink.transaction_id, sink.execution_id, sink.sequence, pg_snapshot_xmin(pg_current_snapshot()), most) f
          where (sink.types = '{}' or f.type = any(sink.types)) and (sink.project_id is null or f.project_id = sink.project_id)
            and (sink.environment_id is null or f.environment_id = sink.environment_id);
          events := least(events + more, most);
          oldest := least(oldest, since);
          exit when events >= most;
        end loop;
        perform set_config('app.tenant_id', coalesce(former, ''), true);
      end $$`);
    for (const name of functions.filter((each) => !each.startsWith('tenant_feed'))) {
      this.addSql(`revoke all on function eventbus.${name} from public`);
    }
  }

  override down(): void | Promise<void> {
    for (const name of functions.toReversed()) this.addSql(`drop function eventbus.${name}`);
    this.addSql('drop schema eventbus');
    this.addSql(`alter table "event_deliveries" drop constraint "event_deliveries_sink_id_foreign";`);

    this.addSql(`drop table if exists "event_sinks" cascade;`);
    this.addSql(`drop table if exists "event_deliveries" cascade;`);
  }
}

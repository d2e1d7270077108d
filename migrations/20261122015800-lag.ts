import { Migration } from '@mikro-orm/migrations';

export class Migration20261122015800_lag extends Migration {
  override name = 'Migration20261122015800_lag';

  override up(): void {
    // An event is counted when the sink wants it, however many it does not want come first. Of all tenants together, `10 * most` events are
    // looked at, until `most` are counted; of each, the first one after that counts as the oldest, wanted or not: the sink has not seen it.
    this.addSql(
      lag(
        `room := case when events >= most then 0 else 10 * most end;
        foreach tenant in array eventbus.tenants_of(sink) loop
          perform set_config('app.tenant_id', tenant::text, true);
          for event in select f.type, f.occurred_at, f.project_id, f.environment_id from eventbus.tenant_feed(
            tenant, sink.transaction_id, sink.execution_id, sink.sequence, pg_snapshot_xmin(pg_current_snapshot()), room + 1) f
          loop
            wanted := (sink.types = '{}' or event.type = any(sink.types)) and (sink.project_id is null or event.project_id = sink.project_id)
              and (sink.environment_id is null or event.environment_id = sink.environment_id);
            if wanted or room = 0 then oldest := least(oldest, event.occurred_at); end if;
            exit when room = 0;
            if wanted then events := events + 1; end if;
            room := case when events >= most then 0 else room - 1 end;
          end loop;
        end loop;`,
      ),
    );
  }

  override down(): void {
    this.addSql(
      lag(
        `foreach tenant in array eventbus.tenants_of(sink) loop
          perform set_config('app.tenant_id', tenant::text, true);
          select count(*), min(f.occurred_at) into more, since
          from eventbus.tenant_feed(tenant, sink.transaction_id, sink.execution_id, sink.sequence, pg_snapshot_xmin(pg_current_snapshot()), most) f
          where (sink.types = '{}' or f.type = any(sink.types)) and (sink.project_id is null or f.project_id = sink.project_id)
            and (sink.environment_id is null or f.environment_id = sink.environment_id);
          events := least(events + more, most);
          oldest := least(oldest, since);
          exit when events >= most;
        end loop;`,
      ),
    );
  }
}

/** As in 20261121145751-eventbus.ts, and what it knows of events that the sink has not read. */
const lag = (behind: string) => `create or replace function eventbus.lag(own_id uuid, most int, out events int, out oldest timestamptz,
      out dead int)
      language plpgsql security definer set search_path = public, pg_temp as $$
      declare
        former text := current_setting('app.tenant_id', true);
        sink public.event_sinks;
        waiting public.event_deliveries[];
        each public.event_deliveries;
        tenant uuid;
        more int;
        since timestamptz;
        event record;
        wanted boolean;
        room int;
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
        ${behind}
        perform set_config('app.tenant_id', coalesce(former, ''), true);
      end $$`;

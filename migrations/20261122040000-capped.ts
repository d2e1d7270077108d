import { Migration } from '@mikro-orm/migrations';

export class Migration20261122040000_capped extends Migration {
  override name = 'Migration20261122040000_capped';

  /** One more than `most` is looked for, only to know that it is there. */
  override up(): void {
    this.addSql('drop function eventbus.lag(uuid, int)');
    this.addSql(
      lag({
        result: 'out dead int, out is_capped boolean',
        counted: 'most + 1',
        unread: 'is_capped := true;',
        told: 'is_capped := is_capped or events > most or dead > most; events := least(events, most); dead := least(dead, most);',
      }),
    );
    this.addSql('revoke all on function eventbus.lag(uuid, int) from public');
  }

  override down(): void {
    this.addSql('drop function eventbus.lag(uuid, int)');
    this.addSql(lag({ result: 'out dead int', counted: 'most', unread: '', told: '' }));
    this.addSql('revoke all on function eventbus.lag(uuid, int) from public');
  }
}

/** As in 20261122015800-lag.ts, and whether there may be more than it says: of what waits, of what the sink has not read, or of dead letters. */
const lag = ({ result, counted, unread, told }: Record<'result' | 'counted' | 'unread' | 'told', string>) => `
  create function eventbus.lag(own_id uuid, most int, out events int, out oldest timestamptz, ${result})
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
        select from public.event_deliveries d where d.tenant_id = sink.tenant_id and d.sink_id = own_id and d.status = 'dead_lettered' limit ${counted}) as found;
      waiting := array(select d from public.event_deliveries d where d.tenant_id = sink.tenant_id and d.sink_id = own_id and d.status = 'pending');
      events := 0;
      ${unread && 'is_capped := false;'}
      foreach each in array waiting loop
        perform set_config('app.tenant_id', each.event_tenant_id::text, true);
        select count(*), min(found.occurred_at) into more, since from (
          select e.occurred_at from public.execution_events e
          where e.tenant_id = each.event_tenant_id and e.execution_id = each.execution_id and e.sequence >= each.sequence
            and (e.transaction_id, e.execution_id, e.sequence) <= (sink.transaction_id, sink.execution_id, sink.sequence)
            and (sink.types = '{}' or e.type = any(sink.types))
          order by e.sequence limit ${counted}) as found;
        events := least(events + more, ${counted});
        oldest := least(oldest, since);
      end loop;
      room := case when events >= ${counted} then 0 else 10 * most end;
      foreach tenant in array eventbus.tenants_of(sink) loop
        perform set_config('app.tenant_id', tenant::text, true);
        for event in select f.type, f.occurred_at, f.project_id, f.environment_id from eventbus.tenant_feed(
          tenant, sink.transaction_id, sink.execution_id, sink.sequence, pg_snapshot_xmin(pg_current_snapshot()), room + 1) f
        loop
          wanted := (sink.types = '{}' or event.type = any(sink.types)) and (sink.project_id is null or event.project_id = sink.project_id)
            and (sink.environment_id is null or event.environment_id = sink.environment_id);
          if wanted or room = 0 then oldest := least(oldest, event.occurred_at); end if;
          if room = 0 then ${unread} exit; end if;
          if wanted then events := events + 1; end if;
          room := case when events >= ${counted} then 0 else room - 1 end;
        end loop;
      end loop;
      ${told}
      perform set_config('app.tenant_id', coalesce(former, ''), true);
    end $$`;

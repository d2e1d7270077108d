import { Migration } from '@mikro-orm/migrations';

const feed = `create or replace function eventbus.operator_feed(own_id uuid, most int) returns table (tenant_id uuid, execution_id uuid, sequence int,
      type text, data jsonb, occurred_at timestamptz, transaction_id xid8, project_id uuid, environment_id uuid)
      language plpgsql as $$`;

export class Migration20261122051100_first_of_all extends Migration {
  override name = 'Migration20261122051100_first_of_all';

  override up(): void | Promise<void> {
    this.addSql('create type eventbus.event_key as (transaction_id xid8, execution_id uuid, sequence int, tenant_id uuid)');
    // First the keys, which an index has, of the first events of all tenants: the more of them are known, the fewer of the next tenant come
    // into question. Then the events: no more than are given. Those that are committed meanwhile come later, as \`upto\` stands below them.
    this.addSql(`${feed}
      declare
        sink public.event_sinks;
        tenant uuid;
        first eventbus.event_key[] := '{}';
        more eventbus.event_key[];
        upto eventbus.event_key := row(pg_snapshot_xmin(pg_current_snapshot()), '00000000-0000-0000-0000-000000000000', 0, null);
      begin
        select s.* into sink from public.event_sinks s where s.id = own_id;
        foreach tenant in array eventbus.tenants_of(sink) loop
          perform set_config('app.tenant_id', tenant::text, true);
          more := array(
            select row(e.transaction_id, e.execution_id, e.sequence, tenant)::eventbus.event_key from public.execution_events e
            where e.tenant_id = tenant
              and (e.transaction_id, e.execution_id, e.sequence) > (sink.transaction_id, sink.execution_id, sink.sequence)
              and (e.transaction_id, e.execution_id, e.sequence) < (upto.transaction_id, upto.execution_id, upto.sequence)
            order by e.transaction_id, e.execution_id, e.sequence limit most);
          continue when more = '{}';
          first := array(select key from unnest(first || more) as key order by key limit most);
          if cardinality(first) = most then upto := first[most]; end if;
        end loop;
        foreach tenant in array array(select distinct key.tenant_id from unnest(first) as key) loop
          perform set_config('app.tenant_id', tenant::text, true);
          return query
            select e.tenant_id, e.execution_id, e.sequence, e.type, e.data, e.occurred_at, e.transaction_id, x.project_id, x.environment_id
            from unnest(first) as key
            join public.execution_events e on e.tenant_id = tenant and e.execution_id = key.execution_id and e.sequence = key.sequence
            left join public.executions x on x.tenant_id = tenant and x.id = e.execution_id
            where key.tenant_id = tenant;
        end loop;
        perform set_config('app.tenant_id', '', true);
      end $$`);
  }

  override down(): void | Promise<void> {
    this.addSql(`${feed}
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
    this.addSql('drop type eventbus.event_key');
  }
}

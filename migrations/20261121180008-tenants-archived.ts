import { Migration } from '@mikro-orm/migrations';

export class Migration20261121180008_tenants_archived extends Migration {
  override name = 'Migration20261121180008_tenants_archived';

  override up(): void {
    this.addSql(`alter table "tenants" add "archived_at" timestamptz(3) null, add "archive_switch_id" uuid null;`);
    // Sinks of an archived tenant wait, with their place.
    this.addSql(
      claim(`and not exists (select from public.tenants t where t.id = s.tenant_id and t.archived_at is not null)
          `),
    );
  }

  override down(): void {
    this.addSql(claim(''));
    this.addSql(`alter table "tenants" drop column "archived_at", drop column "archive_switch_id";`);
  }
}

/** As in 20261121145751-eventbus.ts, and what else a sink must be. */
const claim = (condition: string) => `create or replace function eventbus.claim(own uuid, lease_ms int, at timestamptz, room int,
      poor_room int, most_pending int, known text[])
      returns table (id uuid, tenant_id uuid, fence int) language plpgsql as $$
      declare
        sink public.event_sinks;
        candidates public.event_sinks[] := array(
          select s from public.event_sinks s
          where s.status = 'active' and (s.lease_until is null or s.lease_until <= clock_timestamp())
            and (s.retry_at is null or s.retry_at <= at) and (s.origin = 'tenant' or s.name = any(known))
          ${condition}order by s.lease_until nulls first, s.id);
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
      end $$`;

import { Migration } from '@mikro-orm/migrations';

const named = 'from unnest(ids, fences) as asked (id, fence) join public.event_sinks s on s.id = asked.id and s.fence = asked.fence';
const held = `s.lease_owner = own and s.status = 'active' and s.lease_until > clock_timestamp()`;

export class Migration20261122051000_held extends Migration {
  override name = 'Migration20261122051000_held';

  override up(): void | Promise<void> {
    this.addSql('drop function eventbus.renew(uuid, int)');
    // Of the leases that their owner says it works on, gives those that it still has; not 'renewed', as nobody waits for them, are those that
    // something else has locked. One that it does not name runs out: it may not know of it.
    this.addSql(`create function eventbus.renew(own uuid, lease_ms int, ids uuid[], fences int[])
      returns table (id uuid, fence int, renewed boolean) language sql as $$
        with kept as (select s.id, s.fence ${named} where ${held}),
        free as (select s.id ${named} where ${held} for no key update of s skip locked),
        again as (
          update public.event_sinks s set lease_until = clock_timestamp() + make_interval(secs => lease_ms / 1000.0)
          from free where s.id = free.id returning s.id)
        select kept.id, kept.fence, kept.id in (select again.id from again) from kept
      $$`);
    this.addSql('revoke all on function eventbus.renew(uuid, int, uuid[], int[]) from public');
    this.addSql(claim('and (s.lease_until is null or s.lease_until <= clock_timestamp()) '));
  }

  override down(): void | Promise<void> {
    this.addSql(claim(''));
    this.addSql('drop function eventbus.renew(uuid, int, uuid[], int[])');
    this
      .addSql(`create function eventbus.renew(own uuid, lease_ms int) returns table (id uuid, fence int, renewed boolean) language sql as $$
        with free as (select s.id from public.event_sinks s where s.lease_owner = own for no key update skip locked),
        again as (
          update public.event_sinks s set lease_until = clock_timestamp() + make_interval(secs => lease_ms / 1000.0)
          from free where s.id = free.id and s.status = 'active' returning s.id)
        select s.id, s.fence, s.id in (select again.id from again) from public.event_sinks s where s.lease_owner = own and s.status = 'active'
      $$`);
    this.addSql('revoke all on function eventbus.renew(uuid, int) from public');
  }
}

/** As in 20261121180008-tenants-archived.ts, and what else must still be so of a sink whose turn has come. */
const claim = (condition: string) => `create or replace function eventbus.claim(own uuid, lease_ms int, at timestamptz, room int,
      poor_room int, most_pending int, known text[])
      returns table (id uuid, tenant_id uuid, fence int) language plpgsql as $$
      declare
        sink public.event_sinks;
        candidates public.event_sinks[] := array(
          select s from public.event_sinks s
          where s.status = 'active' and (s.lease_until is null or s.lease_until <= clock_timestamp())
            and (s.retry_at is null or s.retry_at <= at) and (s.origin = 'tenant' or s.name = any(known))
          and not exists (select from public.tenants t where t.id = s.tenant_id and t.archived_at is not null)
          order by s.lease_until nulls first, s.id);
      begin
        foreach sink in array candidates loop
          continue when case when sink.failures > 0 then poor_room else room end <= 0;
          if sink.wake_at <= at or (sink.pending < most_pending and eventbus.has_news(sink)) then
            perform from public.event_sinks s
            where s.id = sink.id and s.fence = sink.fence and s.status = 'active' ${condition}for update skip locked;
            continue when not found;
            return query update public.event_sinks s
              set lease_owner = own, lease_until = clock_timestamp() + make_interval(secs => lease_ms / 1000.0), fence = s.fence + 1
              where s.id = sink.id returning s.id, s.tenant_id, s.fence;
            if sink.failures > 0 then poor_room := poor_room - 1; else room := room - 1; end if;
          end if;
        end loop;
        perform set_config('app.tenant_id', '', true);
      end $$`;

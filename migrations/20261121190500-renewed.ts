import { Migration } from '@mikro-orm/migrations';

const renew = 'eventbus.renew(own uuid, lease_ms int)';

export class Migration20261121190500_renewed extends Migration {
  override name = 'Migration20261121190500_renewed';

  override up(): void | Promise<void> {
    this.addSql('drop function eventbus.renew(uuid, int)');
    // Gives those that are still leased to their owner; not 'renewed', as nobody waits for them, are those that something else has locked.
    this.addSql(`create function ${renew} returns table (id uuid, fence int, renewed boolean) language sql as $$
        with free as (select s.id from public.event_sinks s where s.lease_owner = own for no key update skip locked),
        again as (
          update public.event_sinks s set lease_until = clock_timestamp() + make_interval(secs => lease_ms / 1000.0)
          from free where s.id = free.id and s.status = 'active' returning s.id)
        select s.id, s.fence, s.id in (select again.id from again) from public.event_sinks s where s.lease_owner = own and s.status = 'active'
      $$`);
    this.addSql('revoke all on function eventbus.renew(uuid, int) from public');
  }

  override down(): void | Promise<void> {
    this.addSql('drop function eventbus.renew(uuid, int)');
    this.addSql(`create function ${renew} returns table (id uuid, fence int) language sql as $$
        update public.event_sinks s set lease_until = clock_timestamp() + make_interval(secs => lease_ms / 1000.0)
        where s.lease_owner = own and s.status = 'active' returning s.id, s.fence
      $$`);
    this.addSql('revoke all on function eventbus.renew(uuid, int) from public');
  }
}

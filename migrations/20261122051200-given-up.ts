import { Migration } from '@mikro-orm/migrations';

export class Migration20261122051200_given_up extends Migration {
  override name = 'Migration20261122051200_given_up';

  override up(): void | Promise<void> {
    this.addSql(
      `create index "event_deliveries_dead" on "event_deliveries" ("tenant_id", "sink_id", "dead_lettered_at", "id") where status = 'dead_lettered';`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "event_deliveries_dead";`);
  }
}

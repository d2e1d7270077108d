import { Migration } from '@mikro-orm/migrations';

export class Migration20261121190900_due extends Migration {
  override name = 'Migration20261121190900_due';

  override up(): void | Promise<void> {
    this.addSql(
      `create index "event_deliveries_due" on "event_deliveries" ("tenant_id", "sink_id", "next_attempt_at", "id") where status in ('pending', 'redelivering');`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "event_deliveries_due";`);
  }
}

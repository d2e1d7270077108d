import { Migration } from '@mikro-orm/migrations';

export class Migration20261121132905_lines extends Migration {
  override name = 'Migration20261121132905_lines';

  override up(): void | Promise<void> {
    this.addSql(
      `create index "rate_entries_line" on "rate_entries" ("tenant_id", "policy_id", "key", "asked_at", "id") where asked_at is not null;`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "rate_entries_line";`);
  }
}

import { Migration } from '@mikro-orm/migrations';

export class Migration20261121183400_decided extends Migration {
  override name = 'Migration20261121183400_decided';

  override up(): void | Promise<void> {
    this.addSql('drop index "approvals_decided";');
    this.addSql(
      `create index "approvals_decided" on "approvals" ("tenant_id", "environment_id", "decided_at", "id") where "decided_at" is not null;`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql('drop index "approvals_decided";');
    this.addSql(
      `create index "approvals_decided" on "approvals" ("tenant_id", "environment_id", "decided_at") where "decided_at" is not null;`,
    );
  }
}

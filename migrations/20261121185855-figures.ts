import { Migration } from '@mikro-orm/migrations';

export class Migration20261121185855_figures extends Migration {
  override name = 'Migration20261121185855_figures';

  override up(): void | Promise<void> {
    this.addSql(
      `create index "approvals_agent_decided" on "approvals" ("tenant_id", "agent_id", "environment_id", "decided_at", "id") where "decided_at" is not null;`,
    );
    this.addSql(
      `create index "approvals_expired" on "approvals" ("tenant_id", "environment_id", "expires_at", "id") where status = 'expired';`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "approvals_agent_decided";`);
    this.addSql(`drop index "approvals_expired";`);
  }
}

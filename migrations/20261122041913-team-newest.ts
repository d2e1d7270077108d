import { Migration } from '@mikro-orm/migrations';

export class Migration20261122041913_team_newest extends Migration {
  override name = 'Migration20261122041913_team_newest';

  override up(): void | Promise<void> {
    this.addSql(`create index "executions_team_newest" on "executions" ("tenant_id", "team_id", "id") where "team_id" is not null;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "executions_team_newest";`);
  }
}

import { Migration } from '@mikro-orm/migrations';

export class Migration20261121101429_toolcalls extends Migration {
  override name = 'Migration20261121101429_toolcalls';

  override up(): void | Promise<void> {
    this.addSql(
      `alter table "tool_calls" add "reasons" text[] not null default '{}', add "notices" text[] not null default '{}', add "delivery_decision_id" uuid null, add "is_delivered" boolean null, add "report_digest" text null;`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(
      `alter table "tool_calls" drop column "reasons", drop column "notices", drop column "delivery_decision_id", drop column "is_delivered", drop column "report_digest";`,
    );
  }
}

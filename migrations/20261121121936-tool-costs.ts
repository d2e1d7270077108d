import { Migration } from '@mikro-orm/migrations';

export class Migration20261121121936_tool_costs extends Migration {
  override name = 'Migration20261121121936_tool_costs';

  override up(): void | Promise<void> {
    this.addSql(`alter table "tool_overrides" add "cost_micro_usd" bigint null;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "tool_overrides" drop column "cost_micro_usd";`);
  }
}

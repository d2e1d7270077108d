import { Migration } from '@mikro-orm/migrations';

export class Migration20261121100001_halted extends Migration {
  override name = 'Migration20261121100001_halted';

  override up(): void | Promise<void> {
    this.addSql(`alter table "steps" add "halted_by" uuid null;`);
    this.addSql(`create index "steps_halted" on "steps" ("tenant_id", "halted_by", "execution_id") where halted_by is not null;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "steps_halted";`);
    this.addSql(`alter table "steps" drop column "halted_by";`);
  }
}

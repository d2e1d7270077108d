import { Migration } from '@mikro-orm/migrations';

export class Migration20261121122031_audit extends Migration {
  override name = 'Migration20261121122031_audit';

  override up(): void | Promise<void> {
    this.addSql(`alter table "audit_events" add "subject_name" text null;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "audit_events" drop column "subject_name";`);
  }
}

import { Migration } from '@mikro-orm/migrations';

export class Migration20261121093324_votes extends Migration {
  override name = 'Migration20261121093324_votes';

  override up(): void | Promise<void> {
    this.addSql(`alter table "approvals" drop column "decision_key";`);
    this.addSql(`alter table "approvals" add "stage_at" timestamptz(3) null;`);

    this.addSql(`alter table "approval_votes" add "idempotency_key" text null;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "approval_votes" drop column "idempotency_key";`);

    this.addSql(`alter table "approvals" drop column "stage_at";`);
    this.addSql(`alter table "approvals" add "decision_key" text null;`);
  }
}
